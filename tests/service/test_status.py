"""What the log tells of a search, and what a status document can hold."""

import logging

import pytest

import aurorax_pandas as ap


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, logger="aurorax_pandas")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.INFO and record.name == "aurorax_pandas"
    ]


def line(summary, level="info"):
    return {"level": level, "summary": summary, "timestamp": "2024-01-01T00:00:00"}


def test_the_log_tells_window_request_address_progress_size_and_records(box, recorded_search, told):
    df = ap.read_aurorax_conjunctions(**recorded_search, api_url=box.url)
    request_id = df.aurorax.provenance["request_ids"][0]
    lines = told()
    assert lines[0] == f"ConjunctionSearch from 2020-01-01T00:00:00 to 2020-01-01T06:59:59 UTC at {box.url}"
    assert lines[1].endswith(f"request_id {request_id}, {box.url}/api/v1/conjunctions/requests/{request_id}")
    assert all(one.startswith(f"search {request_id}: ") for one in lines[2:])
    assert any("Search completed" in one for one in lines)
    assert lines[-1].endswith(" bytes, 49 records")


def test_each_line_of_the_service_is_told_once(server, recorded_search, clock, told):
    first, second = line("begun"), line("half done", "debug")
    server.status(
        server.status_reply(logs=[first]), server.status_reply(logs=[first]), server.status_reply(logs=[first, second]),
        server.status_reply(
            logs=[first, second], data_uri="x", completed_timestamp="2024-01-01T00:00:00", error_condition=False
        ),
    )  # fmt: skip
    with ap.ConjunctionSearch(
        **recorded_search, api_url=server.url, check_names=False, clock=clock.time, sleep=clock.sleep
    ) as search:
        search.run()
    of_service = [one.partition(": ")[2] for one in told() if one.startswith("search ")]
    assert of_service == ["begun", "half done", "14 bytes, 0 records"]


def test_a_line_of_the_service_is_one_line_of_the_log(server, recorded_search, told):
    bad = "begun\n2024 ERROR forged \x1b[31mred"
    server.status(server.status_reply(logs=[line(bad), line(bad, "error")], error_condition=True))
    with pytest.raises(ap.AuroraxSearchError) as caught:
        ap.read_aurorax_conjunctions(**recorded_search, api_url=server.url, check_names=False)
    assert all(text.isprintable() for text in [*told(), str(caught.value)])


@pytest.mark.parametrize("status", [None, [], {"logs": None, "search_result": []}, {"logs": [None, 5, "x"]}])
def test_a_status_that_holds_other_things_is_an_error_of_ours(server, recorded_search, clock, status):
    server.status(server.Reply(200, status))
    with (
        ap.ConjunctionSearch(
            **recorded_search, api_url=server.url, check_names=False, clock=clock.time, sleep=clock.sleep
        ) as search,
        pytest.raises(ap.AuroraxDataError),
    ):
        search.run()


def test_a_timeout_of_a_search_names_the_last_reason(server, recorded_search, clock):
    server.status(server.Reply(503, {"error_message": "upstream is down"}, (("Retry-After", "30"),)))
    with (
        ap.ConjunctionSearch(
            **recorded_search, api_url=server.url, check_names=False, clock=clock.time, sleep=clock.sleep
        ) as search,
        pytest.raises(ap.AuroraxTimeoutError, match=r"upstream is down.*read it later") as caught,
    ):
        search.run(timeout=20)
    assert "upstream is down" in caught.value.reason


@pytest.mark.parametrize("call", ["submit", "sources", "availability", "describe"])
def test_where_there_is_no_such_service_the_address_is_named(server, recorded_search, call):
    server.routes.clear()
    search = ap.ConjunctionSearch(**recorded_search, api_url=server.url, check_names=False)
    with search, pytest.raises(ap.AuroraxNotFoundError, match=f"{server.url} has no AuroraX search API; check api_url"):
        {
            "submit": search.execute,
            "sources": lambda: ap.read_aurorax_data_sources(api_url=server.url),
            "availability": lambda: ap.read_aurorax_availability("2020-01-01", "2020-01-01", api_url=server.url),
            "describe": search.describe,
        }[call]()


def test_a_search_that_is_not_known_is_not_the_fault_of_the_address(server):
    with pytest.raises(ap.AuroraxNotFoundError, match="does not know it"):
        ap.read_aurorax_conjunctions(request_id="nobody-knows", api_url=server.url)
