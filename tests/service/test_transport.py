import datetime
import email.utils
import gzip
import logging
import time
import traceback
import zlib
from fractions import Fraction

import numpy as np
import pytest
import requests

import aurorax_pandas as ap
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.transport import Transport

KEY = "s3cret-key-0123456789"
PATH = "/api/v1/data_sources"


@pytest.fixture
def transport_to(clock):
    made = []

    def make(url, api_key=None):
        made.append(Transport(url, api_key, sleep=clock.sleep))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def call(server, transport_to, clock):
    transport = transport_to(server.url, KEY)

    def run(method="GET", timeout=3600, **options):
        return transport.call(method, PATH, deadline=Deadline(timeout, clock.time), **options)

    return run


def test_an_answer_has_status_headers_and_body(server, call):
    server.on("GET", PATH, server.Reply(200, b"[1, 2]", (("X-Kind", "test"),)))
    answer = call()
    assert (answer.status_code, answer.headers["X-Kind"], answer.body) == (200, "test", b"[1, 2]")


def test_a_payload_goes_out_as_json(server, call):
    server.on("POST", PATH, server.Reply(200, b""))
    call("POST", payload={"a": [1, None, "é"]})
    (asked,) = server.asked
    assert asked.body == {"a": [1, None, "é"]}
    assert asked.headers["content-type"].startswith("application/json")
    assert asked.headers["user-agent"].startswith("aurorax_pandas/")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524])
def test_a_passing_fault_is_outlived(server, call, clock, status):
    server.on("GET", PATH, *[server.Reply(status, b"<html>")] * 3, server.Reply(200, b"fine"))
    assert call().body == b"fine"
    assert len(clock.sleeps) == 3


@pytest.mark.parametrize("fault", ["DROPPED", "CUT_SHORT"])
def test_a_broken_connection_is_outlived(server, call, fault):
    server.on("GET", PATH, getattr(server, fault), server.Reply(200, b"fine"))
    assert call().body == b"fine"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 501])
def test_a_lasting_fault_is_not_repeated(server, call, status):
    server.on("GET", PATH, server.Reply(status, b""))
    with pytest.raises(ap.AuroraxAPIError) as caught:
        call()
    assert len(server.asked) == 1
    assert (caught.value.status_code, caught.value.retryable) == (status, False)


def test_attempts_are_limited(server, call, clock):
    server.on("GET", PATH, server.Reply(502, b""))
    with pytest.raises(ap.AuroraxUnavailableError) as caught:
        call(timeout=None)
    assert caught.value.retryable
    assert 2 <= len(server.asked) <= 10
    assert len(clock.sleeps) == len(server.asked) - 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ap.AuroraxAPIError),
        (401, ap.AuroraxAuthorizationError),
        (403, ap.AuroraxAuthorizationError),
        (404, ap.AuroraxNotFoundError),
        (429, ap.AuroraxRateLimitError),
        (503, ap.AuroraxUnavailableError),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>\xff</html>", b"[]", {"error_code": "Code", "error_message": "because"}])
def test_refusals_carry_code_and_message_whatever_the_body(server, call, status, kind, body):
    server.on("GET", PATH, server.Reply(status, body))
    with pytest.raises(kind) as caught:
        call(request_id="abc")
    error = caught.value
    assert (error.status_code, error.request_id) == (status, "abc")
    assert str(status) in str(error)
    if isinstance(body, dict):
        assert error.error_code == "Code"
        assert "because" in str(error)
    else:
        assert error.error_code is None


def test_maintenance_is_named(server, call):
    body = {"error_code": "Unavailable", "error_message": "API is in maintenance mode"}
    server.on("GET", PATH, server.Reply(503, body))
    with pytest.raises(ap.AuroraxUnavailableError, match="in maintenance"):
        call()


def test_retry_after_in_seconds_is_kept(server, call, clock):
    server.on("GET", PATH, server.Reply(429, b"", (("Retry-After", "90"),)), server.Reply())
    call()
    assert clock.sleeps[0] >= 90


def test_retry_after_as_a_date_is_kept(server, call, clock):
    later = email.utils.formatdate(time.time() + 500, usegmt=True)
    server.on("GET", PATH, server.Reply(503, b"", (("Retry-After", later),)), server.Reply())
    call()
    assert 400 < clock.sleeps[0] <= 501


@pytest.mark.parametrize(
    "header", ["soon", "", "-5", "Wed, 99 Foo 2020 00:00:00 GMT", "1e9", "²", "Mon, 01 Jan 0001 00:00:00 -0000"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_retry_after_that_says_nothing_is_passed_over(server, call, clock, header, encoding):
    sent = header.encode(encoding).decode("latin-1")
    server.on("GET", PATH, server.Reply(429, b"", (("Retry-After", sent),)), server.Reply())
    call()
    assert clock.sleeps[0] <= 60


def test_a_retry_after_past_the_deadline_is_not_waited_for(server, call, clock):
    server.on("GET", PATH, server.Reply(429, b"", (("Retry-After", "4000"),)))
    with pytest.raises(ap.AuroraxTimeoutError):
        call(timeout=60)
    assert clock.now == 0


@pytest.mark.parametrize("timeout", [1.5, 5, 20])
def test_faults_are_outlived_until_just_before_the_deadline(server, call, clock, timeout):
    server.on("GET", PATH, lambda: server.Reply(200 if clock.now >= timeout - 1 - 1e-9 else 502, b"fine"))
    assert call(timeout=timeout).body == b"fine"
    assert clock.now < timeout


def test_the_connection_of_an_empty_answer_serves_again(box, transport_to, recorded_search):
    transport = transport_to(box.url)
    query = ap.ConjunctionSearch(**recorded_search).query
    for _ in range(3):
        deadline = Deadline(60)
        transport.call("POST", "/api/v1/conjunctions/search", payload=query, deadline=deadline, read=False)
    pools = transport._session.get_adapter(box.url).poolmanager.pools
    (pool,) = [pools.get(key) for key in pools.keys()]  # noqa: SIM118
    assert pool.num_connections == 1


def test_a_deadline_that_has_passed_sends_nothing(server, transport_to, clock):
    deadline = Deadline(5, clock.time)
    clock.now = 5.0
    with pytest.raises(ap.AuroraxTimeoutError, match="timeout=5"):
        transport_to(server.url).call("GET", PATH, deadline=deadline, request_id="abc")
    assert server.asked == []


@pytest.mark.parametrize(
    ("reply", "times"), [("DROPPED", 1), (502, 1), (500, 1), (504, 1), (524, 1), (408, 1), (429, 2), (503, 2), (425, 2)]
)
def test_what_must_not_be_done_twice_is_repeated_only_where_it_was_not_taken(server, call, reply, times):
    first = getattr(server, reply) if isinstance(reply, str) else server.Reply(reply, b"")
    server.on("POST", PATH, first, server.Reply())
    if times == 1:
        with pytest.raises(ap.AuroraxAPIError if reply == 408 else ap.AuroraxUnavailableError):
            call("POST", payload={}, repeatable=False)
    else:
        call("POST", payload={}, repeatable=False)
    assert len(server.asked) == times


def test_a_refused_connection_to_this_machine_is_told_at_once(closed_port_url, transport_to, clock):
    with pytest.raises(ap.AuroraxUnavailableError, match="sandbox still running") as caught:
        transport_to(closed_port_url, KEY).call("POST", PATH, payload={}, deadline=Deadline(None), repeatable=False)
    assert (caught.value.sent, caught.value.retryable, clock.sleeps) == (False, False, [])
    assert closed_port_url in str(caught.value)


def test_a_name_that_cannot_be_resolved_is_told_at_once(transport_to, clock):
    with pytest.raises(ap.AuroraxUnavailableError, match=r"'no-such-host.invalid' cannot be resolved.*sandbox"):
        transport_to("http://no-such-host.invalid").call("GET", PATH, deadline=Deadline(None))
    assert clock.sleeps == []


def test_waits_are_logged(server, call, caplog):
    server.on("GET", PATH, server.Reply(502, b""), server.Reply())
    with caplog.at_level(logging.WARNING, logger="aurorax_pandas"):
        call()
    assert "502" in caplog.text
    assert "attempt 2" in caplog.text


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_key_does_not_follow_a_redirect_to_another_host_or_port(faulty_server, server, call, status, host):
    other = faulty_server()
    other.on("GET", PATH, other.Reply(200, b"there"))
    address = other.url.replace("127.0.0.1", host) + PATH
    server.on("GET", PATH, server.Reply(status, b"", (("Location", address),)))
    assert call().body == b"there"
    assert server.asked[0].headers["x-aurorax-api-key"] == KEY
    assert "x-aurorax-api-key" not in other.asked[0].headers


def test_the_key_does_not_come_back_after_a_detour(faulty_server, server, call):
    other = faulty_server()
    server.on("GET", PATH, server.Reply(302, b"", (("Location", f"{other.url}/a"),)))
    other.on("GET", "/a", other.Reply(302, b"", (("Location", f"{other.url}/b"),)))
    other.on("GET", "/b", other.Reply(200, b"there"))
    assert call().body == b"there"
    assert all("x-aurorax-api-key" not in asked.headers for asked in other.asked)


def test_the_key_follows_a_redirect_on_the_same_service(server, call):
    server.on("GET", PATH, server.Reply(302, b"", (("Location", "/moved"),)))
    server.on("GET", "/moved", server.Reply(200, b"here"))
    assert call().body == b"here"
    assert server.asked[1].headers["x-aurorax-api-key"] == KEY


def test_endless_redirects_are_an_error_of_ours(server, call):
    server.on("GET", PATH, server.Reply(302, b"", (("Location", PATH),)))
    with pytest.raises(ap.AuroraxUnavailableError):
        call()
    assert len(server.asked) == 6


def test_each_redirect_is_inside_the_deadline(server, call, clock):
    def slow():
        clock.now += 20
        return server.Reply(302, b"", (("Location", PATH),))

    server.on("GET", PATH, slow)
    with pytest.raises(ap.AuroraxTimeoutError, match="timeout=30"):
        call(timeout=30)
    assert len(server.asked) == 2


def test_the_body_of_a_redirect_is_not_read(server, call):
    moved = (("Location", "/moved"), ("Content-Encoding", "gzip"))
    server.on("GET", PATH, server.Reply(302, b"no gzip", moved, "cut"))
    server.on("GET", "/moved", server.Reply(200, b"here"))
    assert call().body == b"here"


@pytest.mark.parametrize(
    ("status", "method", "sent", "body"),
    [
        *[(status, "POST", "GET", None) for status in (301, 302, 303)],
        *[(status, "POST", "POST", {"a": 1}) for status in (307, 308)],
        *[(status, "DELETE", "DELETE", None) for status in (301, 307, 308)],
        *[(status, "DELETE", "GET", None) for status in (302, 303)],
    ],
)
def test_a_redirect_keeps_method_and_body_where_it_must(server, call, status, method, sent, body):
    server.on(method, PATH, server.Reply(status, b"", (("Location", "/moved#there"),)))
    server.on(sent, "/moved", server.Reply(200, b"here"))
    assert call(method, payload={"a": 1} if method == "POST" else None).body == b"here"
    assert (server.asked[1].method, server.asked[1].body) == (sent, body)
    assert ("content-type" in server.asked[1].headers) == (body is not None)


@pytest.mark.parametrize("location", ["http://[broken", "ftp://example.invalid/x", "http://:0/"])
def test_a_redirect_to_nowhere_is_an_error_of_ours(server, call, location):
    server.on("GET", PATH, server.Reply(302, b"", (("Location", location),)))
    with pytest.raises(ap.AuroraxUnavailableError):
        call(timeout=None)


# what is read and what is not


def packed(how, body=b"fine, and then some" * 50):
    if how == "deflate":
        return "deflate", zlib.compress(body)
    if how == "bare deflate":
        stream = zlib.compressobj(wbits=-15)
        return "deflate", stream.compress(body) + stream.flush()
    if how == "members":
        return "gzip", gzip.compress(body[:100]) + gzip.compress(b"") + gzip.compress(body[100:]) + b"\0" * 20
    return how, gzip.compress(body) if "gzip" in how.lower() else body


@pytest.mark.parametrize(
    "how", ["", "identity", "Identity", "gzip", "x-gzip", "GZIP", "members", "deflate", "bare deflate"]
)
def test_every_common_encoding_is_read(server, call, how):
    encoding, body = packed(how)
    server.on("GET", PATH, server.Reply(200, body, (("Content-Encoding", encoding),)))
    assert call().body == b"fine, and then some" * 50


@pytest.mark.parametrize("how", ["gzip", "members", "deflate", "bare deflate"])
@pytest.mark.parametrize("end", [-9, 1])
def test_a_packed_body_that_ends_early_is_asked_for_again(server, call, how, end):
    encoding, body = packed(how)
    reply = server.Reply(200, body.rstrip(b"\0")[:end], (("Content-Encoding", encoding),))
    server.on("GET", PATH, reply, server.Reply(200, b"fine"))
    assert call().body == b"fine"


def test_a_byte_order_mark_is_no_part_of_the_body(server, call):
    server.on("GET", PATH, server.Reply(200, b"\xef\xbb\xbf[]"))
    assert call().body == b"[]"


def test_a_body_from_a_cache_is_taken(server, call):
    server.on("GET", PATH, server.Reply(203, b"[]"))
    assert call().body == b"[]"


def test_a_refusal_with_a_damaged_body_is_a_refusal(server, call):
    server.on("GET", PATH, server.Reply(403, b"no gzip", (("Content-Encoding", "gzip"),)))
    with pytest.raises(ap.AuroraxAuthorizationError):
        call()


@pytest.mark.parametrize("reply", ["DROPPED", 502, 504])
def test_a_delete_that_was_carried_out_unseen_is_done(server, call, reply):
    first = getattr(server, reply) if isinstance(reply, str) else server.Reply(reply, b"")
    server.on("DELETE", PATH, first, server.Reply(404, b""))
    assert call("DELETE").status_code == 204


@pytest.mark.parametrize("first", [(), (503,), (429,)])
def test_a_delete_of_what_never_was_is_not_found(server, call, first):
    server.on("DELETE", PATH, *[server.Reply(status, b"") for status in first], server.Reply(404, b""))
    with pytest.raises(ap.AuroraxNotFoundError):
        call("DELETE")


@pytest.mark.parametrize("payload", [{"a": "\ud800"}, {"\udfff": 1}, {"a": {1j}}])
def test_what_cannot_be_written_is_the_callers_and_is_not_sent(server, call, clock, payload):
    with pytest.raises(ap.AuroraxInputError, match="cannot be written as JSON"):
        call("POST", payload=payload)
    assert server.asked == []
    assert clock.sleeps == []


# the key


def everything_about(error):
    """Give all that a logger which prints locals, and follows every chain, would write."""
    texts = ["".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())]
    while error is not None:
        texts += [repr(error), repr(vars(error))]
        error = error.__context__
    return "".join(texts)


def test_no_error_of_a_connection_carries_the_key(closed_port_url, transport_to):
    with pytest.raises(ap.AuroraxUnavailableError) as caught:
        # the key is no local of this test
        transport_to(closed_port_url, KEY).call("GET", PATH, deadline=Deadline(None))
    assert caught.value.__context__ is None
    frames = traceback.walk_tb(caught.value.__traceback__.tb_next)
    assert all(KEY not in repr(frame.f_locals) for frame, _ in frames)


def test_a_key_does_not_show_among_the_locals_of_an_interrupt(server, transport_to, clock):
    transport = transport_to(server.url, KEY)

    class Interrupting(requests.adapters.HTTPAdapter):
        def send(self, request, **_):
            headers = request.headers
            assert headers["x-aurorax-api-key"] == KEY
            raise KeyboardInterrupt

    transport._session.mount("http://", Interrupting())
    with pytest.raises(KeyboardInterrupt) as caught:
        transport.call("GET", PATH, deadline=Deadline(None))
    assert KEY not in everything_about(caught.value)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_key_that_the_service_repeats_is_masked_everywhere(server, call, status):
    server.on("GET", PATH, server.Reply(status, {"error_code": f"Bad {KEY}", "error_message": f"bad key {KEY}"}))
    with pytest.raises(ap.AuroraxAPIError) as caught:
        call()
    assert (caught.value.error_code, KEY in str(caught.value)) == ("Bad ***", False)


@pytest.mark.parametrize("timeout", [0, -1, "never", float("nan"), float("inf"), True, np.True_, "-5min", [], "0s"])
def test_what_is_no_timeout_is_refused(timeout):
    with pytest.raises(ap.AuroraxInputError, match="timeout"):
        Deadline(timeout)


@pytest.mark.parametrize("timeout", ["60", " 60 ", "1.5", "1e3", "1 2", np.str_("7")])
def test_a_text_without_a_unit_is_refused_with_a_hint(timeout):
    with pytest.raises(ap.AuroraxInputError, match=r"no unit.*'60s'"):
        Deadline(timeout)


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        (5, 5), (0.5, 0.5), ("10min", 600), ("1h", 3600), (np.int64(60), 60), (np.uint8(60), 60), (np.float32(0.5), 0.5),
        (np.float64(60), 60), (Fraction(1, 2), 0.5), (np.timedelta64(1, "m"), 60), (datetime.timedelta(minutes=1), 60),
    ],
)  # fmt: skip
def test_a_timeout_is_seconds_or_a_span(timeout, seconds, clock):
    deadline = Deadline(timeout, clock.time)
    assert deadline.remaining() == seconds
    clock.sleep(2)
    assert deadline.remaining() == seconds - 2
