import datetime
import json
import logging
import pickle
import re

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal

KEY = "s3cret-key-0123456789"


@pytest.fixture
def search(server, clock, recorded_search):
    made = ap.ConjunctionSearch(**recorded_search, api_url=server.url, clock=clock.time, sleep=clock.sleep)
    with made:
        yield made


@pytest.fixture
def read(clock):
    """Read with a clock that nobody waits for."""

    def run(timeout=3600, on_bad_records="raise", **arguments):
        with ap.ConjunctionSearch(**arguments, clock=clock.time, sleep=clock.sleep) as made:
            return made.run(timeout, on_bad_records=on_bad_records)

    return run


def without_time(df):
    del df.attrs["aurorax"]["retrieved_at"]
    return df


# against the sandbox


def test_recorded_search_gives_its_49_rows_and_92_minutes(box, recorded_search):
    df = pd.read_aurorax_conjunctions(**recorded_search, api_url=box.url)
    assert df.shape == (49, 9)
    assert ((df["end"] - df["start"]) / pd.Timedelta("1min") + 1).sum() == 92
    assert len(df.aurorax.explode_events()) == 49


def test_two_reads_and_a_read_by_request_id_are_equal(box, read, recorded_search):
    first = read(**recorded_search, api_url=box.url)
    second = read(**recorded_search, api_url=box.url)
    (request_id,) = first.aurorax.provenance["request_ids"]
    again = read(request_id=request_id, api_url=box.url)
    assert_conjunctions_equal(first, second, check_attrs=False)
    assert_conjunctions_equal(without_time(again), without_time(first))


def test_a_search_is_read_again_by_its_address(box, read, recorded_search):
    first = read(**recorded_search, api_url=box.url)
    (request_id,) = first.aurorax.provenance["request_ids"]
    address = f"{box.url}/api/v1/conjunctions/requests/{request_id}/"
    assert_conjunctions_equal(read(request_id=address, api_url=box.url), first, check_attrs=False)


def test_a_search_is_read_by_the_page_of_swarm_aurora_that_shows_it(box, read, recorded_search):
    first = read(**recorded_search, api_url=box.url)
    page = first.aurorax.swarmaurora_url()
    for address in (page, f" {page}&lang=en"):
        assert_conjunctions_equal(read(request_id=address, api_url=box.url), first, check_attrs=False)
    with pytest.raises(ap.AuroraxInputError, match="give the identifier of a search, or its address"):
        read(request_id="https://swarm-aurora.com/conjunctionFinder?aurorax_request_id=a/b", api_url=box.url)


@pytest.mark.parametrize(
    "start",
    [
        "8d69dfe3-b865-4507-a0b2-d44c342b5857",
        "https://swarm-aurora.com/conjunctionFinder?aurorax_request_id=8d69dfe3-b865-4507-a0b2-d44c342b5857",
    ],
)
def test_what_names_a_search_is_no_start(start):
    with pytest.raises(ap.AuroraxInputError, match=f"names a search; write request_id={re.escape(repr(start))}"):
        pd.read_aurorax_conjunctions(start)


def test_both_readers_are_one_object():
    assert pd.read_aurorax_conjunctions is ap.read_aurorax_conjunctions


def test_notebook_searches_go_out_as_given(box, notebook_search):
    arguments, query = notebook_search
    with ap.ConjunctionSearch(**arguments, api_url=box.url) as made:
        if arguments["distance"] == 500 and arguments["start"] == "2020-01-01T00:00:00":
            made.execute()
        else:
            with pytest.raises(ap.AuroraxAPIError, match="recording"):
                made.execute()
    sent = box.requests[-1]
    assert (sent.method, sent.path) == ("POST", "/api/v1/conjunctions/search")
    assert sent.body == query
    assert list(sent.body) == [
        "start", "end", "ground", "space", "events", "adhoc", "conjunction_types", "max_distances",
    ]  # fmt: skip


def test_step_by_step(box, recorded_search, clock):
    with ap.ConjunctionSearch(**recorded_search, api_url=box.url, clock=clock.time, sleep=clock.sleep) as s:
        assert repr(s) == "ConjunctionSearch(executed=False, completed=False, request_id='')"
        assert (s.request_url, s.logs, s.status, s.data) == ("", [], {}, None)
        s.execute()
        assert repr(s) == f"ConjunctionSearch(executed=True, completed=False, request_id='{s.request_id}')"
        assert s.request_url == f"{box.url}/api/v1/conjunctions/requests/{s.request_id}"
        s.update_status()
        assert s.status["search_request"]["request_id"] == s.request_id
        assert s.logs == s.status["logs"]
        s.wait()
        assert s.check_for_data() is s.completed is True
        df = s.get_data()
        assert s.data is df
        assert len(df) == 49
        assert "themis-asi" in s.describe()
        s.cancel()
        assert not s.completed
        with pytest.raises(ap.AuroraxNotFoundError, match="deleted") as caught:
            s.update_status()
    assert caught.value.request_id == s.request_id


def test_html_repr_shows_the_request(box, recorded_search):
    with ap.ConjunctionSearch(**recorded_search, api_url=box.url) as s:
        assert "2020-01-01T06:59:59" in s._repr_html_()
        s.execute()
        assert s.request_id in s._repr_html_()


def test_a_pasted_query_runs_as_a_new_search(box, read, recorded_search, tmp_path):
    pasted = {
        "start": "2020-01-01T00:00:00.000Z",
        "end": "2020-01-01T06:59:59.000Z",
        "ground": [{"programs": ["themis-asi"], "platforms": [], "instrument_types": []}],
        "space": [{"programs": ["swarm"]}],
        "conjunction_types": ["nbtrace"],
        "max_distances": {"ground1-space1": 500},
        "epoch_search_precision": 60,
        "request_id": "8d69dfe3-b865-4507-a0b2-d44c342b5857",
    }
    (tmp_path / "query.json").write_text(json.dumps(pasted), encoding="utf-8")
    wanted = read(**recorded_search, api_url=box.url)
    for form in (pasted, json.dumps(pasted), tmp_path / "query.json"):
        assert_conjunctions_equal(read(query=form, api_url=box.url), wanted, check_attrs=False)
    submitted = [request.body for request in box.requests if request.path.endswith("/search")]
    assert submitted == [submitted[0]] * 4
    assert "request_id" not in submitted[0]


def test_provenance_says_where_the_frame_came_from(box, read, recorded_search):
    df = read(**recorded_search, api_url=box.url, api_key=KEY)
    found = df.aurorax.provenance
    assert json.loads(json.dumps(found)) == found
    assert found["api_url"] == box.url
    assert found["query"]["max_distances"] == {"ground1-space1": 500}
    assert len(found["request_ids"]) == 1
    assert KEY not in repr(df.attrs)


def test_the_log_names_the_window_that_was_sent(box, read, recorded_search, caplog):
    with caplog.at_level(logging.INFO, logger="aurorax_pandas"), pytest.raises(ap.AuroraxAPIError):
        read(**recorded_search | {"end": "2020-01"}, api_url=box.url)
    assert "2020-01-01T00:00:00 to 2020-01-31T23:59:59" in caplog.text


def test_progress_shows_a_bar_with_the_last_log_line(server, search, capsys):
    line = {"level": "info", "summary": "Found 92 single epoch events", "timestamp": "x"}
    server.status(server.status_reply([line]), server.DONE)
    search.execute()
    search.wait(progress=True)
    assert "Found 92 single epoch events" in capsys.readouterr().err


# refused before anything is sent


@pytest.mark.parametrize(
    "change",
    [
        {"distance": -1},
        {"distance": {"ground1-spcae1": 500}},
        {"start": "2020-01-02"},
        {"start": None},
        {"end": "no time"},
        {"ground": ()},
        {"conjunction_types": "nbtraces"},
        {"space": {"programs": "swarm", "hemisphere": "nothern"}},
        {"query": {"start": "2020-01-01"}},
        {"request_id": "abc"},
        {"poll_interval": 0},
        {"poll_interval": -1},
        {"timeout": 0},
        {"timeout": "soon"},
        {"timeout": True},
        {"on_bad_records": "keep"},
        {"api_key": "with\nnewline"},
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(server, recorded_search, change):
    with pytest.raises(ap.AuroraxInputError):
        ap.read_aurorax_conjunctions(**recorded_search | {"api_url": server.url} | change)
    assert server.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"query": {}, "request_id": "abc"},
        {"start": "2020-01-01", "request_id": "abc"},
        {"ground": [{"programs": "rego"}], "query": {}},
        {"distance": 0, "request_id": "abc"},
        {"subminute_precision": True, "query": {}},
        {"conjunction_types": "sbtrace", "request_id": "abc"},
    ],
)
def test_exactly_one_way_to_name_a_search(arguments):
    with pytest.raises(ap.AuroraxInputError, match="exactly one"):
        ap.ConjunctionSearch(**arguments)


@pytest.mark.parametrize("how", [{"chunk": "1h"}, {"engine": "local"}])
def test_a_query_is_given_alone_however_it_is_run(recorded_search, how):
    query = ap.ConjunctionSearch(**recorded_search).query
    if "engine" in how:
        how = how | {"ephemeris": ap.load_sample_ephemeris()}
    with pytest.raises(ap.AuroraxInputError, match="exactly one"):
        ap.read_aurorax_conjunctions("2020-01-02", query=query, **how)


@pytest.mark.parametrize(
    "bad",
    [
        "", " ", "a b", "..", "a?b", 5, b"abc", "x" * 200, "https://api.aurorax.space", "https://api.aurorax.space/",
        "https://api.aurorax.space/api/v1/conjunctions/requests/", "https://api.aurorax.space/api/v1/conjunctions",
        "/api/v1/conjunctions/requests/a b", "https://api.aurorax.space:99999/api/v1/conjunctions/requests/abc",
        "https://[broken/requests/abc",
    ],
)  # fmt: skip
def test_what_is_no_request_id_is_refused(bad):
    with pytest.raises(ap.AuroraxInputError, match="request_id"):
        ap.ConjunctionSearch(request_id=bad)


@pytest.mark.parametrize("below", ["", "/", "/data", "/data/", "?format=full", "#top", " "])
@pytest.mark.parametrize("host", ["https://api.aurorax.space", "http://API.aurorax.space:80", ""])
def test_a_search_is_named_by_any_address_of_it(host, below):
    address = f"{host}/api/v1/conjunctions/requests/abc-1{below}"
    assert ap.ConjunctionSearch(request_id=address).request_id == "abc-1"


@pytest.mark.parametrize("host", ["https://api.staging.example", "http://127.0.0.1:8001", "https://api.aurorax.space"])
def test_an_address_at_another_service_is_refused(host):
    with pytest.raises(ap.AuroraxInputError, match="another service"):
        ap.ConjunctionSearch(request_id=f"{host}/api/v1/conjunctions/requests/abc", api_url="http://127.0.0.1:8000")


@pytest.mark.parametrize("verb", ["run", "get_data"])
def test_options_that_are_none_are_refused_before_anything_is_sent(server, search, verb):
    with pytest.raises(TypeError, match="'foo'"):
        getattr(search, verb)(on_bad_records="drop", foo=1)
    with pytest.raises(ap.AuroraxInputError, match="on_bad_records='zzz'"):
        getattr(search, verb)(on_bad_records="zzz")
    assert server.asked == []


@pytest.mark.parametrize("verb", ["run", "get_data"])
def test_an_ephemeris_search_takes_no_options_of_another(server, verb):
    with (
        ap.EphemerisSearch("2020-01-01", "2020-01-02", programs="swarm", api_url=server.url) as made,
        pytest.raises(TypeError, match="EphemerisSearch takes no option 'on_bad_records'"),
    ):
        getattr(made, verb)(on_bad_records="drop")
    assert server.asked == []


def test_a_request_id_that_comes_too_late_is_refused(server, search):
    search.execute()
    with pytest.raises(ap.AuroraxStateError, match="request_id='other'") as caught:
        search.run(request_id="other")
    assert caught.value.request_id == server.REQUEST_ID
    assert search.run(request_id=server.REQUEST_ID).empty


def test_searches_share_nothing(recorded_search):
    first, second = ap.ConjunctionSearch(**recorded_search), ap.ConjunctionSearch(**recorded_search)
    first.query["ground"][0]["programs"].append("rego")
    assert second.query["ground"] == [{"programs": ["themis-asi"]}]
    assert recorded_search["ground"] == [{"programs": ["themis-asi"]}]


def test_aware_times_go_out_as_utc(server, read, recorded_search):
    zone = datetime.timezone(datetime.timedelta(hours=-7))
    window = {
        "start": datetime.datetime(2019, 12, 31, 17, tzinfo=zone),
        "end": pd.Timestamp("2020-01-01 07:59:59", tz="Europe/Oslo"),
    }
    read(**recorded_search | window, api_url=server.url)
    submitted = next(asked.body for asked in server.asked if asked.path.endswith("/search"))
    assert (submitted["start"], submitted["end"]) == (
        "2020-01-01T00:00:00",
        "2020-01-01T06:59:59",
    )


# steps out of order


@pytest.mark.parametrize("verb", ["update_status", "check_for_data", "wait", "get_data", "cancel"])
def test_a_verb_before_execute_names_it(search, server, verb):
    with pytest.raises(ap.AuroraxStateError, match=r"call execute\(\) first"):
        getattr(search, verb)()
    assert server.asked == []


def test_get_data_before_the_end_names_wait(search):
    search.execute()
    with pytest.raises(ap.AuroraxStateError, match=r"call wait\(\) first") as caught:
        search.get_data()
    assert caught.value.request_id == search.request_id


def test_a_second_execute_is_refused(search, server):
    search.execute()
    with pytest.raises(ap.AuroraxStateError, match="already"):
        search.execute()
    assert server.count("POST", server.SEARCH) == 1


# submitting


@pytest.mark.parametrize(
    "place",
    [
        "{url}{path}", "{path}", "{path}/", "{path}  ", "{path}/ ", "{path}?format=full", "{path}#top", "{url}{path}/data",
        "{path}/data/?a=b/c#d", "requests/{id}", "{id}", "https://elsewhere.example:1/conjunctions/{id}",
    ],
)  # fmt: skip
def test_location_may_be_absolute_or_relative(server, search, place):
    location = place.format(url=server.url, path=server.REQUEST, id=server.REQUEST_ID)
    server.submit(server.Reply(202, b"", (("Location", location),)))
    search.execute()
    assert search.request_id == server.REQUEST_ID


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ap.AuroraxAPIError),
        (401, ap.AuroraxAuthorizationError),
        (403, ap.AuroraxAuthorizationError),
        (404, ap.AuroraxNotFoundError),
        (429, ap.AuroraxRateLimitError),
        (500, ap.AuroraxUnavailableError),
        (504, ap.AuroraxUnavailableError),
        (200, ap.AuroraxAPIError),
        (204, ap.AuroraxAPIError),
        (304, ap.AuroraxAPIError),
    ],
)
def test_a_submit_that_is_not_taken_is_no_success(server, search, status, kind):
    server.submit(server.Reply(status, b"", (("location", server.REQUEST),)))
    with pytest.raises(kind) as caught:
        search.execute(timeout=None)
    assert caught.value.status_code == status
    assert (search.executed, search.request_id) == (False, "")


@pytest.mark.parametrize("headers", [(), (("location", "/"),), (("location", "/a/b c"),)])
def test_a_submit_without_a_usable_location_is_an_error(server, search, headers):
    server.submit(server.Reply(202, b"", headers))
    with pytest.raises(ap.AuroraxAPIError, match=r"took the search, but gave no id.*request_id=") as caught:
        search.execute()
    assert caught.value.status_code == 202
    assert not search.executed


@pytest.mark.parametrize("headers", [(), (("location", "/"),), (("location", "http://[broken"),)])
def test_a_submit_without_a_usable_location_has_the_id_that_was_chosen(server, search, headers):
    server.submit(server.Reply(202, b"", headers))
    search.execute(request_id="mine-1")
    assert (search.executed, search.request_id) == (True, "mine-1")


@pytest.mark.parametrize(
    ("body", "header", "fault"),
    [
        (b"{", (), "cut"),
        (b"<html>accepted</html>", (), ""),
        (b"no gzip", (("Content-Encoding", "gzip"),), ""),
        (b"x", (("Content-Encoding", "br"),), "cut"),
    ],
)
def test_the_body_of_a_submit_is_of_no_use_and_loses_no_id(server, search, body, header, fault):
    server.submit(server.Reply(202, body, (("location", server.REQUEST), *header), fault))
    search.execute()
    assert search.request_id == server.REQUEST_ID
    assert server.count("POST", server.SEARCH) == 1


def test_a_submit_that_may_have_been_taken_is_not_repeated(server, search, clock):
    for reply in (server.Reply(502, b"<html>"), server.DROPPED):
        server.asked.clear()
        server.submit(reply, server.ACCEPTED)
        server._used.clear()
        with pytest.raises(ap.AuroraxUnavailableError):
            search.execute()
        assert server.count("POST", server.SEARCH) == 1
    assert clock.sleeps == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_submit_that_was_refused_for_now_is_repeated(server, search, status):
    server.submit(server.Reply(status, b""), server.ACCEPTED)
    search.execute()
    assert server.count("POST", server.SEARCH) == 2


# waiting


def test_waiting_outlives_single_failures(server, search, clock):
    server.status(
        server.RUNNING,
        server.Reply(502, b"<html>bad gateway</html>", (("Content-Type", "text/html"),)),
        server.Reply(429, b"", (("Retry-After", "7"),)),
        server.DROPPED,
        server.CUT_SHORT,
        server.Reply(500, {"error_code": "ApplicationError", "error_message": "oops"}),
        server.DONE,
    )
    search.execute()
    search.wait()
    assert search.completed
    assert max(clock.sleeps) >= 7


def test_a_search_that_failed_on_the_service_ends_the_wait_with_its_reason(server, search):
    logs = [
        {"level": "info", "summary": "Starting", "timestamp": "2024-01-01T00:00:00Z"},
        {"level": "error", "summary": "Out of memory in block 2", "timestamp": "2024-01-01T00:00:01.5"},
    ]
    server.status(server.RUNNING, server.status_reply(logs, error_condition=True))
    search.execute()
    with pytest.raises(ap.AuroraxSearchError, match="Out of memory in block 2") as caught:
        search.wait()
    assert caught.value.request_id == server.REQUEST_ID
    assert search.logs == logs


def test_a_failed_search_with_a_data_uri_is_failed_all_the_same(server, search):
    server.status(server.status_reply(data_uri="/x", error_condition=True))
    search.execute()
    with pytest.raises(ap.AuroraxSearchError, match="no reason given"):
        search.wait()
    assert not search.completed


def test_a_deleted_result_ends_the_wait(server, search):
    server.status(server.status_reply(data_uri="/x", result_file_deleted_timestamp="2024-02-01T00:00:00"))
    search.execute()
    with pytest.raises(ap.AuroraxNotFoundError, match="2024-02-01"):
        search.wait()


def test_the_wait_has_a_deadline_and_the_error_says_how_to_go_on(server, search, clock):
    server.status(server.RUNNING)
    search.execute()
    with pytest.raises(ap.AuroraxTimeoutError) as caught:
        search.wait(timeout="5min")
    assert clock.now <= 300
    assert caught.value.request_id == server.REQUEST_ID
    assert caught.value.retryable
    assert f"request_id={server.REQUEST_ID!r}" in str(caught.value)
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("timeout", [0.5, 1, 20, 60, 300])
def test_the_wait_lasts_until_its_deadline(server, search, clock, timeout):
    server.status(server.RUNNING)
    search.execute()
    with pytest.raises(ap.AuroraxTimeoutError, match=f"within timeout={float(timeout)} s"):
        search.wait(timeout=timeout)
    assert clock.now == timeout


def test_a_result_of_the_last_seconds_is_found(server, search, clock):
    server.on("GET", server.REQUEST, lambda: server.DONE if clock.now >= 58 else server.RUNNING)
    search.execute()
    search.wait(timeout=60)
    assert search.completed
    assert 58 <= clock.now < 60


@pytest.mark.parametrize("logs", [[None], ["boom"], [3, {"level": "info"}], "boom", {"a": 1}])
def test_log_entries_of_no_known_form_are_passed_over(server, search, logs):
    failed = server.status_reply(error_condition=True)
    server.status(server.Reply(200, {**failed.body, "logs": logs}))
    search.execute()
    with pytest.raises(ap.AuroraxSearchError, match="no reason given"):
        search.wait(progress=True)
    assert all(isinstance(line, dict) for line in search.logs)
    assert "ConjunctionSearch" in search._repr_html_()


@pytest.mark.parametrize("level", ["ERROR", "Error", "error"])
def test_error_lines_are_known_in_any_case(server, search, level):
    server.status(server.status_reply([None, {"level": level, "summary": "Out of memory"}], error_condition=True))
    search.execute()
    with pytest.raises(ap.AuroraxSearchError, match="Out of memory"):
        search.update_status()


def test_one_deadline_holds_for_the_whole_run(server, read, recorded_search, clock):
    server.submit(server.Reply(503, b"", (("Retry-After", "40"),)), server.ACCEPTED)
    server.status(server.RUNNING)
    with pytest.raises(ap.AuroraxTimeoutError):
        read(60, **recorded_search, api_url=server.url)
    assert 40 <= clock.now <= 60


def test_failures_do_not_outlast_the_deadline(server, search, clock):
    server.status(server.Reply(502, b""))
    search.execute()
    with pytest.raises((ap.AuroraxTimeoutError, ap.AuroraxUnavailableError)):
        search.wait(timeout=20)
    assert clock.now <= 20


def test_pauses_start_short_and_grow_to_a_quarter_minute(server, search, clock):
    server.status(*[server.RUNNING] * 30, server.DONE)
    search.execute()
    search.wait(timeout=None)
    assert len(clock.sleeps) == 30
    assert clock.sleeps[0] < 1
    assert clock.sleeps == sorted(clock.sleeps)
    assert clock.sleeps[-1] == 15


@pytest.mark.parametrize(
    "result", [{}, {"search_result": None}, {"search_result": "soon"}, {"search_result": {"state": 9}}]
)
def test_a_state_that_nobody_knows_raises(server, search, result):
    server.status(server.Reply(200, result))
    search.execute()
    with pytest.raises(ap.AuroraxDataError, match="no known state"):
        search.wait(timeout=None)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff"])
def test_a_status_that_is_no_object_raises(server, search, body):
    server.status(server.Reply(200, body))
    search.execute()
    with pytest.raises(ap.AuroraxDataError, match="status"):
        search.update_status()


def test_an_unknown_request_id_is_not_found(box, read):
    with pytest.raises(ap.AuroraxNotFoundError) as caught:
        read(request_id="0000", api_url=box.url)
    assert (caught.value.status_code, caught.value.error_code, caught.value.retryable) == (404, "NotFound", False)


def test_an_interrupted_wait_leaves_the_id_at_hand_and_the_search_can_be_cancelled(
    server, recorded_search, clock, caplog
):
    def interrupt(seconds):
        raise KeyboardInterrupt

    server.status(server.RUNNING)
    with (
        caplog.at_level(logging.INFO, logger="aurorax_pandas"),
        ap.ConjunctionSearch(**recorded_search, api_url=server.url, clock=clock.time, sleep=interrupt) as s,
    ):
        with pytest.raises(KeyboardInterrupt):
            s.run()
        assert s.request_id == server.REQUEST_ID
        assert server.REQUEST_ID in caplog.text
        s.cancel()
    assert server.count("DELETE", server.REQUEST) == 1


@pytest.mark.parametrize("chosen", [None, "mine-1"])
def test_an_interrupted_submit_says_what_may_have_become_of_it(server, recorded_search, clock, caplog, chosen):
    def interrupt(seconds):
        raise KeyboardInterrupt

    server.submit(server.Reply(503, b""))
    with (
        caplog.at_level(logging.WARNING, logger="aurorax_pandas"),
        ap.ConjunctionSearch(**recorded_search, api_url=server.url, clock=clock.time, sleep=interrupt) as s,
        pytest.raises(KeyboardInterrupt),
    ):
        s.run(request_id=chosen)
    assert (chosen or "id that is not known") in caplog.text
    assert not s.executed


# downloading


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8", "text/plain"]
)
@pytest.mark.parametrize("array_alone", [False, True])
def test_charset_and_top_level_array_are_taken(server, search, builders, content_type, array_alone):
    records = [builders.record(quality="good", closest=None)]
    body = records if array_alone else {"result": records, "paging": None}
    server.data(server.Reply(200, body, (("Content-Type", content_type),)))
    df = search.run()
    assert len(df) == 1
    assert df["closest_epoch"].isna().all()


def test_only_the_fields_of_the_frame_are_asked_for(server, search):
    search.run()
    (asked,) = [one for one in server.asked if one.path == f"{server.REQUEST}/data"]
    assert asked.method == "POST"
    assert set(asked.body) == set(search.data.columns)
    assert "metadata" not in asked.body["data_sources"]


@pytest.mark.parametrize("status", [400, 405, 415, 501])
def test_a_service_without_response_format_is_asked_for_everything(server, search, builders, status):
    server.data(server.Reply(status, b""))
    server.on("GET", f"{server.REQUEST}/data", server.Reply(200, [builders.record()]))
    assert len(search.run()) == 1


def test_an_empty_result_has_columns_and_dtypes(server, search, sample):
    df = search.run()
    assert len(df) == 0
    assert df.dtypes.equals(sample.dtypes)
    assert df.aurorax.provenance["request_ids"] == [server.REQUEST_ID]


def test_a_download_that_breaks_off_is_repeated(server, search, builders):
    server.data(server.CUT_SHORT, server.DROPPED, server.Reply(504, b""), server.Reply(200, [builders.record()]))
    assert len(search.run()) == 1


def test_a_result_that_is_not_as_long_as_announced_is_taken_with_a_warning_where_records_may_be_dropped(
    server, search, builders
):
    for count, records in ((2, 1), (1, 2)):
        server.status(server.status_reply(data_uri="/x", result_count=count))
        server.data(server.Reply(200, [builders.record(2 * number, 2 * number + 1) for number in range(records)]))
        with pytest.warns(ap.AuroraxDataWarning, match=rf"{records} records.* announced {count}"):
            df = search.run(on_bad_records="drop")
        assert len(df) == records


KEYWORDS_OF_ANOTHER_CLIENT = {
    "wait(poll_interval)": (lambda search: search.wait(poll_interval=5), r"ConjunctionSearch\(..., poll_interval=5\)"),
    "wait(verbose)": (lambda search: search.wait(verbose=True), r"wait takes no verbose=; progress=True"),
    "run(verbose)": (lambda search: search.run(verbose=True), "run takes no verbose=; progress=True"),
    "cancel(wait)": (lambda search: search.cancel(wait=True), "cancel takes no wait="),
    "a search": (
        lambda search: ap.ConjunctionSearch("2020", "2021", verbose=True),
        r"ConjunctionSearch takes no verbose=; wait\(progress=True\)",
    ),
    "an ephemeris search": (
        lambda search: ap.EphemerisSearch("2020", "2021", return_immediately=True),
        r"EphemerisSearch takes no return_immediately=; execute\(\)",
    ),
    "the reader": (
        lambda search: ap.read_aurorax_conjunctions("2020", "2021", verbose=False),
        "read_aurorax_conjunctions takes no verbose=; progress=True",
    ),
    "the reader of ephemerides": (
        lambda search: ap.read_aurorax_ephemeris("2020", "2021", response_format={}),
        "read_aurorax_ephemeris takes no response_format=; the Dataset has all variables",
    ),
}


@pytest.mark.parametrize("name", KEYWORDS_OF_ANOTHER_CLIENT)
def test_keywords_of_another_client_are_met_with_what_to_write(search, name):
    call, says = KEYWORDS_OF_ANOTHER_CLIENT[name]
    with pytest.raises(ap.AuroraxInputError, match=says):
        call(search)


def test_a_result_shorter_than_announced_is_an_error(server, search, builders):
    server.status(server.status_reply(data_uri="/x", result_count=2))
    server.data(server.Reply(200, [builders.record()]))
    with pytest.raises(ap.AuroraxDataError, match=r"1 records.* announced 2") as caught:
        search.run()
    assert caught.value.retryable
    assert search.data is None


def broken(what, server, builders):
    """Make a service give a result that is not there, one way or another."""
    if what == "404":
        server.data(server.Reply(404, b""))
    elif what == "deleted":
        server.status(server.status_reply(data_uri="/x", result_file_deleted_timestamp="2024-02-01T00:00:00"))
    elif what == "record":
        server.data(server.Reply(200, [builders.record(min_distance=-1.0)]))
    elif what == "error":
        server.data(server.Reply(200, {"error": {"error_code": "Unavailable", "error_message": "file is gone"}}))
    elif what == "JSON":
        server.data(server.Reply(200, b'{"result": ['))
    elif what == "short":
        server.status(server.status_reply(data_uri="/x", result_count=2))
    elif what == "state":
        server.status(server.Reply(200, {}))
    else:
        server.data(server.Reply(int(what), b""))


@pytest.mark.parametrize("what", ["record", "error", "JSON", "short", "state", "500", "403"])
def test_an_error_after_a_long_search_says_once_how_to_read_it_again(server, read, recorded_search, builders, what):
    broken(what, server, builders)
    with pytest.raises(ap.AuroraxError) as caught:
        read(**recorded_search, api_url=server.url)
    assert caught.value.request_id == server.REQUEST_ID
    again = f"aurorax_pandas.read_aurorax_conjunctions(request_id={server.REQUEST_ID!r}, api_url={server.url!r})"
    assert str(caught.value).count(again) == 1


@pytest.mark.parametrize("what", ["404", "deleted"])
def test_an_error_of_a_result_that_is_gone_carries_the_query(server, read, recorded_search, builders, what):
    broken(what, server, builders)
    with pytest.raises(ap.AuroraxNotFoundError, match=r"\.query of this error") as caught:
        read(**recorded_search, api_url=server.url)
    assert caught.value.query["max_distances"] == {"ground1-space1": 500}
    server.status(server.DONE)
    server.data(server.Reply(200, {"result": []}))
    server._used.clear()
    assert read(query=caught.value.query, api_url=server.url).empty


def test_a_damaged_result_is_asked_for_again_after_a_while(server, search, clock):
    server.status(server.DONE)
    server.data(server.Reply(200, b"{"), server.Reply(200, b"{"), server.Reply(200, {"result": []}))
    search.run()
    assert len(clock.sleeps) == 2
    assert all(pause > 0 for pause in clock.sleeps)


def test_a_damaged_result_is_asked_for_within_the_deadline(server, search, clock):
    def damaged():
        clock.now = 9.999
        return server.Reply(200, b"{")

    server.status(server.DONE)
    server.data(damaged)
    with pytest.raises(ap.AuroraxDataError):
        search.run(10)
    assert clock.now <= 10.1
    assert server.count("POST", f"{server.REQUEST}/data") < 3


def test_an_error_inside_a_good_answer_is_raised(server, search):
    server.data(server.Reply(200, {"error": {"error_code": "Unavailable", "error_message": "file is gone"}}))
    with pytest.raises(ap.AuroraxAPIError, match="file is gone"):
        search.run()


@pytest.mark.parametrize("body", [b"", b'{"result": [{"start": '])
def test_a_damaged_result_is_an_error_of_ours(server, search, body):
    server.data(server.Reply(200, body))
    with pytest.raises(ap.AuroraxDataError):
        search.run()


def test_a_page_in_place_of_data_is_an_error_that_says_so(server, search):
    server.data(server.Reply(200, b"<html>maintenance</html>"))
    with pytest.raises(ap.AuroraxUnavailableError, match="a page in place of data"):
        search.run()


def test_bad_records_are_refused_or_dropped_as_asked(server, search, builders):
    server.data(server.Reply(200, [builders.record(), builders.record(min_distance=-1.0)]))
    with pytest.raises(ap.AuroraxDataError, match="record 1"):
        search.run()
    with pytest.warns(ap.AuroraxDataWarning, match="1 of 2"):
        assert len(search.get_data(on_bad_records="drop")) == 1


def test_a_search_of_another_client_is_read_with_its_own_query(server, read):
    foreign = {"start": "2020-01-01T00:00:00Z", "odd": True}
    status = server.status_reply(data_uri="/x")
    server.status(server.Reply(200, {**status.body, "search_request": {"query": foreign}}))
    df = read(request_id=server.REQUEST_ID, api_url=server.url)
    assert df.aurorax.provenance["query"] == foreign


# addresses, keys, describing


def test_base_url_may_have_a_path_and_a_trailing_slash(server, read, recorded_search):
    for method, path in list(server.routes):
        server.on(method, "/proxy" + path, *server.routes[method, path])
    df = read(**recorded_search, api_url=server.url + "/proxy/")
    assert {asked.path.startswith("/proxy/api/v1/") for asked in server.asked} == {True}
    assert df.aurorax.provenance["api_url"] == server.url + "/proxy"


def test_api_key_is_sent_to_the_service_and_shown_nowhere(server, recorded_search, clock, caplog):
    server.status(server.Reply(500, b""), server.RUNNING, server.Reply(401, {"error_message": "bad key"}))
    with (
        caplog.at_level(logging.DEBUG),
        ap.ConjunctionSearch(
            **recorded_search, api_url=server.url, api_key=KEY, clock=clock.time, sleep=clock.sleep
        ) as s,
    ):
        with pytest.raises(ap.AuroraxAuthorizationError) as caught:
            s.run()
        shown = [
            repr(s),
            s._repr_html_(),
            str(caught.value),
            repr(caught.value),
            repr(vars(s)),
            repr(vars(s._transport)),
        ]
    assert {asked.headers["x-aurorax-api-key"] for asked in server.asked} == {KEY}
    assert all(KEY not in text for text in [*shown, caplog.text])


@pytest.mark.parametrize("where", ["data", "logs", "state", "location"])
def test_a_key_that_the_service_repeats_is_shown_nowhere(server, recorded_search, clock, caplog, where):
    if where == "data":
        error = {"error_code": KEY, "error_message": f"no file for {KEY}"}
        server.data(server.Reply(200, {"error": error}))
    elif where == "logs":
        server.status(server.status_reply([{"level": "error", "summary": f"key {KEY}"}], error_condition=True))
    elif where == "state":
        server.status(server.Reply(200, {"search_result": {KEY: KEY}}))
    else:
        server.submit(server.Reply(202, b"", (("location", f"/?{KEY}"),)))
    search = ap.ConjunctionSearch(
        **recorded_search, api_url=server.url, api_key=KEY, clock=clock.time, sleep=clock.sleep
    )
    with caplog.at_level(logging.DEBUG, "aurorax_pandas"), search, pytest.raises(ap.AuroraxError) as caught:
        search.run(timeout=100)
    error = caught.value
    assert all(KEY not in text for text in (repr(error), repr(vars(error)), search._repr_html_(), caplog.text))


def test_without_a_key_none_is_sent(server, search):
    search.run()
    assert all("x-aurorax-api-key" not in asked.headers for asked in server.asked)


def test_one_search_key_does_not_reach_another(faulty_server, read, recorded_search):
    first, second = faulty_server(), faulty_server()
    read(**recorded_search, api_url=first.url, api_key=KEY)
    read(**recorded_search, api_url=second.url)
    assert all("x-aurorax-api-key" not in asked.headers for asked in second.asked)


@pytest.mark.parametrize("answer", ["Find conjunctions", ["Find", "conjunctions"]])
def test_describe_takes_a_string_or_an_array(server, search, answer):
    server.on("POST", "/api/v1/utils/describe/query/conjunction", server.Reply(200, answer))
    assert search.describe() == (answer if isinstance(answer, str) else "Find\nconjunctions")


def test_describe_of_anything_else_is_an_error(server, search):
    server.on("POST", "/api/v1/utils/describe/query/conjunction", server.Reply(200, {"a": 1}))
    with pytest.raises(ap.AuroraxDataError):
        search.describe()


def test_describe_of_an_old_search_reads_its_query_first(box, read, recorded_search):
    (request_id,) = read(**recorded_search, api_url=box.url).aurorax.provenance["request_ids"]
    with ap.ConjunctionSearch(request_id=request_id, api_url=box.url) as s:
        assert "ground1-space1=500 km" in s.describe()


FOREIGN = [
    None, {}, {"start": "2020"}, {"max_distances": None}, {"max_distances": {"a": 1}}, {"max_distances": [1]},
    {"max_distances": {"a-b-c": 1}}, {"ground": 3, "space": [], "events": [], "adhoc": [], "max_distances": 4},
]  # fmt: skip


@pytest.mark.parametrize("query", FOREIGN)
def test_a_query_that_is_absent_or_foreign_cannot_be_said(server, query):
    server.status(server.Reply(200, {**server.DONE.body, "search_request": {"query": query}}))
    with ap.ConjunctionSearch(request_id=server.REQUEST_ID, api_url=server.url) as s:
        with pytest.raises(ap.AuroraxStateError, match=r"call update_status\(\) first"):
            _ = s.distances
        with pytest.raises(ap.AuroraxDataError, match="query") as caught:
            s.describe(offline=True)
        assert caught.value.request_id == server.REQUEST_ID
        with pytest.raises(ap.AuroraxDataError, match="query"):
            _ = s.distances
        if not query:
            with pytest.raises(ap.AuroraxDataError, match="no query"):
                s.describe()


def test_the_query_in_attrs_is_a_copy(server, search):
    df = search.run()
    search.query["max_distances"]["ground1-space1"] = 1
    assert df.attrs["aurorax"]["query"]["max_distances"] == {"ground1-space1": 500}


def test_a_cancel_whose_answer_was_lost_is_done(server, search):
    server.on("DELETE", server.REQUEST, server.DROPPED, server.Reply(404, b""))
    search.execute()
    search.cancel()
    assert server.count("DELETE", server.REQUEST) == 2


def test_what_cannot_be_sent_is_refused_at_once(server, recorded_search, clock):
    arguments = recorded_search | {"ground": [{"programs": ["\ud800"]}]}
    with (
        pytest.raises(ap.AuroraxInputError, match="half of a character"),
        ap.ConjunctionSearch(
            **arguments, api_url=server.url, check_names=False, clock=clock.time, sleep=clock.sleep
        ) as s,
    ):
        s.run()
    assert (server.asked, clock.sleeps) == ([], [])


def test_frame_of_a_search_can_be_pickled_with_its_origin(server, search):
    df = search.run()
    assert pickle.loads(pickle.dumps(df)).attrs == df.attrs


def test_dry_run_needs_no_service():
    search = ap.ConjunctionSearch(
        "2020-01-01", "2020-01-02", {"ground1-space1": 500, "space1-space2": 100}, ground={"programs": "rego"},
        space=[{"programs": "swarm"}, {"programs": "themis"}], api_url="http://127.0.0.1:9",
    )  # fmt: skip
    expected = [[np.nan, 500, np.inf], [500, np.nan, 100], [np.inf, 100, np.nan]]
    names = ["ground1", "space1", "space2"]
    pd.testing.assert_frame_equal(search.distances, pd.DataFrame(expected, names, names))
    assert search.describe(offline=True).endswith(
        "ground1-space1=500 km, ground1-space2=no limit, space1-space2=100 km."
    )
    search.close()
