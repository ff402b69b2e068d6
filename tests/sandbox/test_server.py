import json
import logging
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from aurorax_pandas import sandbox
from aurorax_pandas.samples import recorded_data, recorded_query

SEARCH = "/api/v1/conjunctions/search"


@pytest.fixture
def ask(box):
    def run(method, path, body=None, raw=None):
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        url = path if path.startswith("http") else box.url + path
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, response.headers, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, json.loads(error.read() or b"null")

    return run


@pytest.fixture
def request_url(box, ask):
    status, headers, _ = ask("POST", SEARCH, recorded_query())
    assert status == 202
    location = headers["location"]
    return location if location.startswith("http") else box.url + location


@pytest.fixture
def finished(ask, request_url):
    for _ in range(500):
        _, _, status = ask("GET", request_url)
        if status["search_result"]["data_uri"]:
            return request_url
    raise AssertionError("the search never ends")


@pytest.fixture
def stalled(ask):
    with sandbox.serve(faults={"search": ["stall"]}) as url:
        location = ask("POST", url + SEARCH, recorded_query())[1]["location"]
        yield location if location.startswith("http") else url + location


def test_submit_gives_a_location_that_ends_in_the_request_id(ask, request_url):
    _, _, status = ask("GET", request_url)
    assert status["search_request"]["request_id"] == request_url.rpartition("/")[2]


def test_every_submit_is_a_search_of_its_own(ask):
    locations = {ask("POST", SEARCH, recorded_query())[1]["location"] for _ in range(3)}
    assert len(locations) == 3


def test_status_of_a_running_search_has_every_key_null(ask, stalled, finished):
    running = ask("GET", stalled)[2]["search_result"]
    assert set(running.values()) == {None}
    assert set(running) == set(ask("GET", finished)[2]["search_result"])


def test_status_of_a_finished_search_counts_its_records(ask, finished):
    status = ask("GET", finished)[2]
    assert status["search_result"]["error_condition"] is False
    assert status["search_result"]["result_count"] == 49
    assert len(status["logs"]) > 1


def test_status_log_says_that_it_is_a_demonstration(ask, request_url):
    assert any("demonstration" in line["summary"] for line in ask("GET", request_url)[2]["logs"])


def test_data_is_the_recording(ask, finished):
    status, headers, body = ask("GET", f"{finished}/data")
    assert status == 200
    assert headers["content-type"].startswith("application/json")
    assert body["result"] == json.loads(recorded_data())["result"]


def test_data_with_a_response_format_holds_these_fields_alone(ask, finished):
    wanted = {
        "start": True,
        "end": False,
        "data_sources": {"identifier": True},
        "events": {"e1_source": {"platform": True}},
    }
    _, _, body = ask("POST", f"{finished}/data", wanted)
    assert len(body["result"]) == 49
    first = body["result"][0]
    assert set(first) == {"start", "data_sources", "events"}
    assert {key for source in first["data_sources"] for key in source} == {"identifier"}
    assert first["events"] == [{"e1_source": {"platform": "athabasca"}}]


def test_data_before_the_end_is_not_found(ask, stalled):
    assert ask("GET", f"{stalled}/data")[0] == 404


def test_cancel_of_a_running_search_ends_it(ask, stalled):
    assert ask("DELETE", stalled)[0] == 200
    status = ask("GET", stalled)[2]
    assert status["search_result"]["error_condition"] is True
    assert status["logs"][-1]["level"] == "error"


def test_cancel_of_a_finished_search_deletes_its_result(ask, finished):
    assert ask("DELETE", finished)[0] == 204
    assert ask("GET", f"{finished}/data")[0] == 404
    assert ask("GET", finished)[2]["search_result"]["result_file_deleted_timestamp"]


def test_result_alone_can_be_deleted(ask, finished):
    assert ask("DELETE", f"{finished}/data")[0] in (200, 204)
    assert ask("GET", f"{finished}/data")[0] == 404


def test_a_web_query_is_the_same_search(ask):
    web = recorded_query() | {"start": "2020-01-01T00:00:00.000Z", "epoch_search_precision": 60, "request_id": None}
    assert ask("POST", SEARCH, web)[0] == 202


def test_a_search_without_answer_here_is_refused_and_never_invented(ask):
    status, _, body = ask("POST", SEARCH, recorded_query() | {"start": "2008-01-01T00:00:00"})
    assert status == 400
    assert "sandbox" in body["error_message"]
    assert body["error_code"]


@pytest.mark.parametrize("body", [{}, [], "x", {"start": "2020-01-01"}, recorded_query() | {"ground": []}])
def test_a_query_that_is_none_is_refused(ask, body):
    status, _, answer = ask("POST", SEARCH, body)
    assert status == 400
    assert answer["error_message"]


def test_a_body_that_is_no_json_is_refused(ask):
    assert ask("POST", SEARCH, raw=b"{not json")[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/conjunctions/requests/none", 404),
        ("GET", "/api/v1/conjunctions/requests/none/data", 404),
        ("DELETE", "/api/v1/conjunctions/requests/none", 404),
        ("GET", SEARCH, 405),
        ("DELETE", SEARCH, 405),
    ],
)
def test_what_is_not_there_is_an_error_in_the_words_of_the_service(ask, method, path, status):
    found, _, body = ask(method, path)
    assert found == status
    assert set(body) == {"error_code", "error_message"}


def test_describe_says_the_query(ask):
    status, _, sentence = ask("POST", "/api/v1/utils/describe/query/conjunction", recorded_query())
    assert status == 200
    assert "ground1=(program in (themis-asi)) AND space1=(program in (swarm))" in sentence


def test_data_sources_can_be_filtered(ask):
    everything = ask("GET", "/api/v1/data_sources")[2]
    swarm = ask("GET", "/api/v1/data_sources?program=swarm")[2]
    assert len(everything) > len(swarm) > 0
    assert {source["program"] for source in swarm} == {"swarm"}
    assert {"identifier", "program", "platform", "display_name"} <= set(swarm[0])


@pytest.mark.parametrize("body", [[], ["swarm"], "swarm", 3, False, {"programs": 5}, {"programs": {"a": 1}}])
def test_a_search_for_data_sources_that_is_none_is_refused(ask, body):
    status, _, answer = ask("POST", "/api/v1/data_sources/search", body)
    assert status == 400
    assert "lists of names" in answer["error_message"]


@pytest.mark.parametrize("body", [{"programs": ["swarm"], "platforms": None}, {"program": ["swarm"]}])
def test_data_sources_can_be_searched(ask, body):
    status, _, found = ask("POST", "/api/v1/data_sources/search", body)
    assert (status, {source["program"] for source in found}) == (200, {"swarm"})


def test_a_name_alone_is_searched_for_as_a_whole(ask):
    alone, listed = (
        ask("POST", "/api/v1/data_sources/search", {"programs": one}) for one in ("themis-asi", ["themis-asi"])
    )
    assert alone[2] == listed[2]


def test_requests_are_kept_in_order(box, ask, request_url):
    ask("GET", request_url)
    assert [request.method for request in box.requests] == ["POST", "GET"]
    assert box.requests[0].body == recorded_query()


def test_serving_is_logged_as_a_demonstration(caplog):
    with caplog.at_level(logging.INFO, logger="aurorax_pandas"), sandbox.serve() as url:
        pass
    assert "demonstration" in caplog.text
    assert url in caplog.text


def test_two_sandboxes_do_not_share_searches(ask, request_url):
    with sandbox.serve() as other:
        path = request_url.partition("/api/")[2]
        assert ask("GET", f"{other}/api/{path}")[0] == 404


def test_after_the_block_nothing_listens():
    with sandbox.serve() as url:
        pass
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)


def test_module_serves_until_interrupted_whatever_runs():
    command = [sys.executable, "-u", "-m", "aurorax_pandas.sandbox", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stderr.readline()
            assert "demonstration" in line
            url = "http://127.0.0.1:" + line.rpartition("127.0.0.1:")[2].strip().rstrip(")")
            # all pairs without a limit take long
            wide = {"end": "2020-01-01T23:59:59", "space": [{"programs": ["swarm"]}] * 4, "max_distances": {}}
            for _ in range(4):
                request = urllib.request.Request(url + SEARCH, json.dumps(recorded_query() | wide).encode())
                with urllib.request.urlopen(request) as response:
                    assert response.status == 202
            with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as half:
                half.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
                os.kill(process.pid, signal.SIGINT)
                assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_no_wait_for_the_end_is_without_one_of_its_own():
    waits = []

    class Thread:
        def is_alive(self):
            return len(waits) < 3

        def join(self, timeout=None):
            waits.append(timeout)

    box = sandbox.serve()
    box._thread = Thread()
    box.join()
    box._server.server_close()
    # an interrupt that comes as a wait without an end begins would be lost
    assert len(waits) == 3
    assert None not in waits
