"""What the sandbox bears as a server: strangers, oversized requests, many clients, long use, and being ended."""

import concurrent.futures
import json
import socket
import time
import urllib.error
import urllib.request

import pytest

from aurorax_pandas import AuroraxInputError, sandbox
from aurorax_pandas.samples import recorded_query
from aurorax_pandas.sandbox import jobs, server
from aurorax_pandas.sandbox.jobs import Job, Jobs

SEARCH = "/api/v1/conjunctions/search"
EPHEMERIS = {"start": "2020-01-01", "end": "2020-01-01T00:01", "data_sources": {"programs": ["swarm"]}}


@pytest.fixture(scope="module")
def address():
    box = sandbox.serve()
    with box as url:
        yield url


def exchange(url, head, body=b""):
    """Send a request as it is and give back all that is answered."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as line:
        line.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode() + body)
        pieces = []
        while piece := line.recv(65536):
            pieces.append(piece)
    return b"".join(pieces).decode()


def post(url, path, body):
    request = urllib.request.Request(url + path, body if isinstance(body, bytes) else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.loads(error.read())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "", "::", 5])
def test_it_listens_on_this_machine_alone(host):
    with pytest.raises(AuroraxInputError, match="this machine alone"):
        sandbox.serve(host)


@pytest.mark.parametrize("host", ["127.0.0.2"])
def test_any_address_of_this_machine_will_do(host):
    with sandbox.serve(host) as url, urllib.request.urlopen(f"{url}/api/v1/data_sources") as answer:
        assert answer.status == 200


def test_the_address_of_the_sixth_version_will_do():
    try:
        box = sandbox.serve("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with box as url, urllib.request.urlopen(f"{url}/") as answer:
        assert answer.status == 200
        assert url.startswith("http://[::1]:")


@pytest.mark.parametrize(
    ("line", "host", "status"),
    [
        ("GET / HTTP/1.1", "localhost", 200),
        ("GET / HTTP/1.1", "localhost:1234", 200),
        ("GET / HTTP/1.1", "127.1.2.3", 200),
        ("GET / HTTP/1.1", "[::1]:80", 200),
        ("GET / HTTP/1.1", "evil.example", 421),
        ("GET / HTTP/1.1", "localhost.evil.example", 421),
        ("GET / HTTP/1.1", "127.0.0.1.evil.example:80", 421),
        ("GET / HTTP/1.1", "evil@example", 421),
        ("GET / HTTP/1.1", "[::1", 421),
        ("GET / HTTP/1.1", "", 421),
        ("GET http://evil.example/ HTTP/1.1", "localhost", 421),
        ("GET http://localhost/ HTTP/1.1", "localhost", 200),
    ],
)
def test_what_was_sent_to_another_name_is_refused(address, line, host, status):
    answer = exchange(address, [line, f"Host: {host}"])
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert ("sandbox: it answers at addresses of this machine alone" in answer) == (status == 421)


def test_what_was_sent_to_nobody_is_refused(address):
    assert exchange(address, ["GET / HTTP/1.1"]).startswith("HTTP/1.1 421 ")


@pytest.mark.parametrize(
    "request_id", ["a\r\nX-Mine: 1", "a\nb", "a b", "../status", "a/b", "", "ä", "x" * 201, 5, ["a"], {}]
)
@pytest.mark.parametrize("path", ["conjunctions", "ephemeris"])
def test_a_request_id_cannot_leave_its_header(address, path, request_id):
    query = recorded_query() if path == "conjunctions" else EPHEMERIS
    status, headers, answer = post(address, f"/api/v1/{path}/search", {**query, "request_id": request_id})
    assert "X-Mine" not in headers
    assert (status, answer["error_message"][:20]) == (400, "sandbox: request_id ")


def test_a_request_id_of_ones_own_is_taken_once(address):
    query = {**recorded_query(), "request_id": "my-own_id.1~"}
    status, headers, _ = post(address, SEARCH, query)
    assert (status, headers["location"]) == (202, f"{address}/api/v1/conjunctions/requests/my-own_id.1~")
    assert post(address, SEARCH, query)[0] == 409


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Content-Length: 1048577"], 413),
        (["Content-Length: 99999999999999999999999"], 413),
        (["Content-Length: -1"], 411),
        (["Content-Length: ten"], 411),
        (["Content-Length: ²"], 411),
        (["Transfer-Encoding: chunked"], 411),
    ],
)
def test_a_body_without_bounds_is_not_read(address, headers, status):
    answer = exchange(address, [f"POST {SEARCH} HTTP/1.1", "Host: localhost", *headers])
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "sandbox: " in answer


@pytest.mark.parametrize("depth", [51, 500, 100_000])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")])
def test_a_body_that_is_nested_deep_is_refused(address, depth, pair):
    opening, closing = pair
    body = (opening * depth + "1" + closing * depth).encode()
    status, _, answer = post(address, SEARCH, body)
    assert (status, answer["error_message"]) == (400, "sandbox: the body is nested deeper than 50")


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"null", b"[]", b"5", b'"x"', b"{", b'{"start": NaN}', b'{"start": 1e999, "end": {}}', b'{"\\ud800": 1}',
     b"1" * 10_000, b'{"data_sources": 5}', b'{"data_sources": {"programs": [[]]}, "start": "2020", "end": "2020"}'],
)  # fmt: skip
@pytest.mark.parametrize("path", ["conjunctions/search", "ephemeris/search", "data_products/search",
                                  "utils/describe/query/ephemeris", "utils/describe/query/data_products"])  # fmt: skip
def test_a_body_that_is_no_query_is_refused(address, path, body):
    status, _, answer = post(address, f"/api/v1/{path}", body)
    assert status == 400
    assert answer["error_message"].startswith("sandbox: ")


@pytest.mark.parametrize("days", ["0001-01-01&end=9999-12-31", "2020-01-02&end=2020-01-01", "x&end=2020-01-01", ""])
@pytest.mark.parametrize("kind", ["ephemeris", "data_products"])
def test_availability_of_ages_is_refused(address, kind, days):
    begun = time.monotonic()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{address}/api/v1/availability/{kind}?start={days}")
    with caught.value as error:
        assert (error.code, json.loads(error.read())["error_message"][:28]) == (400, "sandbox: start and end are d")
    assert time.monotonic() - begun < 5


def test_a_fault_of_its_own_is_an_answer(address, monkeypatch):
    monkeypatch.setattr(server.Sandbox, "answer", lambda *_: 1 / 0)
    status, _, answer = post(address, SEARCH, recorded_query())
    assert (status, answer["error_message"]) == (500, "sandbox: the answer failed: ZeroDivisionError: division by zero")


def test_sixty_four_clients_at_once_are_answered(address):
    with concurrent.futures.ThreadPoolExecutor(64) as clients:
        answers = [clients.submit(post, address, SEARCH, recorded_query()) for _ in range(64)]
        places = {answer.result()[1]["location"] for answer in answers}
    assert len(places) == 64


def finished(path="conjunctions", records=()):
    job = Job(path, {}, "", lambda _: list(records))
    job._run(None, False)
    return job


def test_the_newest_searches_are_kept():
    held = Jobs()
    made = [finished() for _ in range(jobs.MOST_JOBS + 50)]
    assert all(held.add(job) for job in made)
    known = [held.get("conjunctions", job.request_id) is not None for job in made]
    assert known == [False] * 50 + [True] * jobs.MOST_JOBS
    assert not held.add(made[-1])


def test_no_more_results_are_kept_than_fit(monkeypatch):
    monkeypatch.setattr(jobs, "MOST_BYTES", 3_000)
    held = Jobs()
    made = [finished(records=["x" * 980]) for _ in range(5)]
    for job in made:
        held.add(job)
    assert [held.get("conjunctions", job.request_id) is not None for job in made] == [False, False, True, True, True]


def test_a_result_that_cannot_be_kept_is_a_failed_search(monkeypatch):
    monkeypatch.setattr(jobs, "MOST_BYTES", 100)
    status = finished(records=["x" * 980]).status()
    assert status["search_result"]["error_condition"] is True
    assert status["logs"][-1]["summary"].startswith("sandbox: the result is larger")


def test_a_search_that_is_gone_is_not_found(monkeypatch):
    monkeypatch.setattr(jobs, "MOST_JOBS", 2)
    with sandbox.serve() as url:
        places = [post(url, SEARCH, recorded_query())[1]["location"] for _ in range(3)]
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(places[0])
        with caught.value as error:
            assert (error.code, json.loads(error.read())["error_code"]) == (404, "NotFound")
        assert urllib.request.urlopen(places[1]).status == 200


def test_the_newest_requests_are_kept(monkeypatch):
    monkeypatch.setattr(server, "MOST_REQUESTS", 3)
    box = sandbox.serve()
    with box as url:
        for number in range(5):
            urllib.request.urlopen(f"{url}/?number={number}").close()
        assert len(box.requests) == 3
