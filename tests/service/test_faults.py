"""Each fault at each step of a search, over real sockets: survived, or the right error; never a hang, never a loss."""

import copy
import gzip
import json
import pickle
import random
import socket
import threading

import pandas as pd
import pytest

from aurorax_pandas import (
    AuroraxAPIError,
    AuroraxAuthorizationError,
    AuroraxDataError,
    AuroraxError,
    AuroraxNotFoundError,
    AuroraxRateLimitError,
    AuroraxSearchError,
    AuroraxTimeoutError,
    AuroraxUnavailableError,
    ConjunctionSearch,
    exceptions,
    sandbox,
)

SEARCH = {
    "start": "2020-01-01",
    "end": "2020-01-01T06:59:59",
    "distance": 500,
    "ground": {"programs": "themis-asi"},
    "space": {"programs": "swarm"},
}
SURVIVED = None

# what a submit may have done on the service is not repeated; what it surely has not done, and every read, is
PASSING = {
    "submit": {
        429: SURVIVED, 503: SURVIVED, 500: AuroraxUnavailableError, 502: AuroraxUnavailableError,
        504: AuroraxUnavailableError, "drop": AuroraxUnavailableError, 400: AuroraxAPIError,
        401: AuroraxAuthorizationError, 403: AuroraxAuthorizationError, 409: AuroraxAPIError, 413: AuroraxAPIError,
        302: AuroraxAPIError, 408: AuroraxAPIError, 425: SURVIVED, 524: AuroraxUnavailableError,
        "garbage": SURVIVED, "html": SURVIVED, "damaged_gzip": SURVIVED, "charset": SURVIVED,
    },
    "status": {
        429: SURVIVED, 500: SURVIVED, 502: SURVIVED, 503: SURVIVED, 504: SURVIVED, "drop": SURVIVED, "half": SURVIVED,
        "html": SURVIVED, "damaged_gzip": SURVIVED, "charset": SURVIVED, "unknown_state": SURVIVED,
        "garbage": SURVIVED, 401: AuroraxAuthorizationError, 404: AuroraxNotFoundError,
    },
    "data": {
        429: SURVIVED, 500: SURVIVED, 502: SURVIVED, 503: SURVIVED, 504: SURVIVED, "drop": SURVIVED, "half": SURVIVED,
        "html": SURVIVED, "damaged_gzip": SURVIVED, "charset": SURVIVED, "garbage": SURVIVED,
        405: SURVIVED, 404: AuroraxNotFoundError, 403: AuroraxAuthorizationError,
    },
}  # fmt: skip
LASTING = {
    ("submit", 503): AuroraxUnavailableError, ("submit", 429): AuroraxRateLimitError,
    ("status", 502): AuroraxUnavailableError, ("status", "drop"): AuroraxUnavailableError,
    ("status", "unknown_state"): AuroraxDataError, ("status", "garbage"): AuroraxDataError, ("data", 500): AuroraxUnavailableError,
    ("data", "half"): AuroraxUnavailableError, ("data", "garbage"): AuroraxDataError,
    ("data", "html"): AuroraxUnavailableError,
}  # fmt: skip


def run(url, clock, **arguments):
    with ConjunctionSearch(api_url=url, clock=clock.time, sleep=clock.sleep, check_names=False, **SEARCH) as search:
        return search.run(**{"timeout": 3600} | arguments)


def check(url, clock, expected):
    if expected is SURVIVED:
        assert len(run(url, clock)) == 49
        return
    with pytest.raises(AuroraxError) as caught:
        run(url, clock)
    assert type(caught.value) is expected
    assert clock.now <= 3600


@pytest.mark.parametrize(
    ("step", "fault", "expected"), [(step, *pair) for step, faults in PASSING.items() for pair in faults.items()]
)
def test_fault_that_passes(clock, step, fault, expected):
    with sandbox.serve(faults={step: [fault]}) as url:
        check(url, clock, expected)


@pytest.mark.parametrize(("step", "fault", "expected"), [(*key, error) for key, error in LASTING.items()])
def test_fault_that_lasts(clock, step, fault, expected):
    with sandbox.serve(faults={step: [fault] * 200}) as url:
        check(url, clock, expected)


@pytest.mark.parametrize(("search", "expected"), [("fail", AuroraxSearchError), ("stall", AuroraxTimeoutError)])
def test_search_that_never_gives_a_result(clock, search, expected):
    with sandbox.serve(faults={"search": [search]}) as url:
        check(url, clock, expected)


def test_deadline_carries_the_call_that_reads_the_result_later(clock):
    with sandbox.serve(faults={"search": ["stall"]}) as url:
        with pytest.raises(AuroraxTimeoutError) as caught:
            run(url, clock, timeout="10min")
        assert clock.now <= 600
        assert f"read_aurorax_conjunctions(request_id={caught.value.request_id!r}, api_url={url!r})" in str(
            caught.value
        )


def test_a_chosen_id_makes_a_lost_submit_repeatable(clock):
    box = sandbox.serve(faults={"submit": ["drop", 504]})
    with box as url:
        assert len(run(url, clock, request_id="mine-1")) == 49
    submits = [request.body["request_id"] for request in box.requests if request.path.endswith("/search")]
    assert submits == ["mine-1"] * 3


def test_a_submit_that_the_service_has_already_is_taken_for_done(clock):
    box = sandbox.serve(faults={"submit": [None, "drop"]})
    with box as url:
        run(url, clock, request_id="mine-2")
        assert len(run(url, clock, request_id="mine-2")) == 49


def test_retry_after_is_honoured_in_seconds(clock):
    with sandbox.serve(faults={"status": [429]}) as url:
        run(url, clock)
    assert max(clock.sleeps) >= 1.0


# ---- what only a raw socket does ---------------------------------------------------------------------------------

STATUS = {
    "search_request": {}, "logs": [],
    "search_result": {"data_uri": "/x", "error_condition": False, "completed_timestamp": "2024-01-01T00:00:00"},
}  # fmt: skip


def http(body, *headers, length=None, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class RawServer:
    """Sends what it was given, to one connection after the other; the last answer stays."""

    def __init__(self, *answers, drip=None):
        self._answers, self._drip = list(answers), drip
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.heard = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                heard = connection.recv(65536)
                if heard == b"stop":
                    return
                self.heard.append(heard)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                try:
                    if self._drip is None:
                        connection.sendall(answer)
                    else:
                        for position in range(len(answer)):
                            self._drip()
                            connection.sendall(answer[position : position + 1])
                except OSError:
                    continue

    def close(self):
        with socket.create_connection(self._socket.getsockname()) as last:
            last.sendall(b"stop")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def raw():
    running = []

    def start(*answers, **arguments):
        running.append(RawServer(*answers, **arguments))
        return running[-1]

    yield start
    for server in running:
        server.close()


def again(url, clock, **arguments):
    with ConjunctionSearch(request_id="abc", api_url=url, clock=clock.time, sleep=clock.sleep) as search:
        return search.run(**{"timeout": 3600} | arguments)


GOOD_STATUS = http(json.dumps(STATUS).encode())
GOOD_DATA = http(b'{"result": []}')


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        http(b'{"result": []}', length=5000),
        http(b'{"result": []}', length=3),
        http(gzip.compress(b'{"result": []}', mtime=0)[:-6], "Content-Encoding: gzip"),
        http(gzip.compress(b'{"result": []}', mtime=0)[:12] + b"\xff" * 20, "Content-Encoding: gzip"),
        http(b'{"result": []}', "Content-Encoding: br"),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
        http(b"", status="502 Bad Gateway"),
    ],
)
def test_broken_answer_is_asked_for_again(raw, clock, bad):
    server = raw(GOOD_STATUS, bad, GOOD_DATA)
    assert again(server.url, clock).empty
    assert len(server.heard) >= 3


def test_gzip_is_accepted_and_checked(raw, clock):
    server = raw(GOOD_STATUS, http(gzip.compress(b'{"result": []}'), "Content-Encoding: gzip"))
    assert again(server.url, clock).empty


def test_slow_drip_ends_at_the_deadline(raw, clock):
    # every byte takes a second of the clock that the deadline is measured by
    server = raw(GOOD_STATUS, drip=lambda: clock.sleep(1))
    with pytest.raises(AuroraxTimeoutError):
        again(server.url, clock, timeout=30)
    assert clock.now < 3600


def test_key_is_not_sent_to_where_a_redirect_leads(raw, clock):
    elsewhere = raw(GOOD_STATUS)
    server = raw(http(b"", f"Location: {elsewhere.url}/steal", status="307 Temporary Redirect"))
    with ConjunctionSearch(
        request_id="abc", api_url=server.url, api_key="s3cret-key", clock=clock.time, sleep=clock.sleep
    ) as search:
        search.update_status()
    assert b"s3cret-key" in server.heard[0]
    assert elsewhere.heard
    assert all(b"s3cret-key" not in heard for heard in elsewhere.heard)


def test_key_that_the_service_repeats_shows_nowhere(raw, clock, caplog):
    caplog.set_level("DEBUG")
    server = raw(http(b'{"error_code": "NotAuthorized", "error_message": "bad key s3cret-key"}', status="401 No"))
    search = ConjunctionSearch(
        request_id="abc", api_url=server.url, api_key="s3cret-key", clock=clock.time, sleep=clock.sleep
    )
    with search, pytest.raises(AuroraxAuthorizationError) as caught:
        search.update_status()
    assert "s3cret-key" not in "".join([str(caught.value), repr(search), caplog.text, str(vars(search))])


# ---- interrupts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cancel", [False, True])
def test_interrupt_says_the_id_or_cancels(clock, caplog, cancel):
    box = sandbox.serve(faults={"search": ["stall"]})

    def interrupted(seconds):
        if clock.now > 5:
            raise KeyboardInterrupt
        clock.sleep(seconds)

    with box as url:
        search = ConjunctionSearch(api_url=url, clock=clock.time, sleep=interrupted, **SEARCH)
        with search, pytest.raises(KeyboardInterrupt):
            search.run(cancel_on_interrupt=cancel)
        deleted = [request for request in box.requests if request.method == "DELETE"]
        assert len(deleted) == cancel
        assert search.request_id in caplog.text
        assert ("is cancelled" if cancel else "read_aurorax_conjunctions(request_id=") in caplog.text


# ---- soak --------------------------------------------------------------------------------------------------------


def test_soak_ends_in_the_right_frame_or_the_right_error(clock):
    chance = random.Random(7)
    faults = [429, 500, 502, 503, 504, "drop", "half", "garbage", "html", "damaged_gzip"]

    def some(count):
        return [chance.choice(faults) if chance.random() < 0.2 else None for _ in range(count)]

    count = 60
    before = threading.active_count()
    outcomes = {"frame": 0, "error": 0}
    with sandbox.serve(faults={"submit": some(2 * count), "status": some(6 * count), "data": some(3 * count)}) as url:
        for _ in range(count):
            try:
                assert len(run(url, clock)) == 49
                outcomes["frame"] += 1
            except (AuroraxAPIError, AuroraxDataError):
                outcomes["error"] += 1
    assert outcomes["frame"] > 0.6 * count
    assert threading.active_count() == before


# ---- every exception travels ---------------------------------------------------------------------------------------

ERRORS = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("travel", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_every_exception_can_be_pickled_and_copied_with_its_fields(kind, travel):
    frames = {
        exceptions.AuroraxSchemaError: (pd.DataFrame({"column": ["start"]}),),
        exceptions.AuroraxBulkError: (pd.DataFrame({"start": ["2020"]}), pd.DataFrame({"a": [1]})),
    }.get(kind, ())
    error = kind("what and why", *frames)
    fields = {"status_code": 500, "error_code": "Code", "request_id": "abc", "retryable": True, "retry_after": 3.0}
    for name in fields.keys() & vars(error).keys():
        setattr(error, name, fields[name])
    other = travel(error)
    assert type(other) is kind
    assert str(other) == "what and why"
    assert vars(other).keys() == vars(error).keys()
    for name, value in vars(error).items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(getattr(other, name), value)
        else:
            assert getattr(other, name) == value


@pytest.mark.parametrize(("fault", "known"), [("drop", None), (502, None), (400, None), ("drop", "an-id-of-mine")])
def test_a_lost_answer_to_a_submit_says_that_the_search_may_run(fault, known):
    with sandbox.serve(faults={"submit": [fault]}) as url:
        search = ConjunctionSearch(**SEARCH, api_url=url)
        if known is not None:
            search.execute(request_id=known)
            assert search.request_id == known
        else:
            with pytest.raises(AuroraxAPIError) as caught:
                search.execute()
            assert ("may have taken the search" in str(caught.value)) == (fault != 400)
        search.close()
