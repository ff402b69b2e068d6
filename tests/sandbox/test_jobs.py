import json
import urllib.request

import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import AuroraxAPIError, AuroraxInputError, AuroraxSearchError, ConjunctionSearch, sandbox
from aurorax_pandas.sandbox.jobs import Job
from aurorax_pandas.testing import assert_conjunctions_equal

DAY = {"start": "2020-01-01", "end": "2020-01-01", "distance": 400}
BLOCKS = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}


@pytest.fixture(scope="module")
def ephemeris():
    return aurorax_pandas.load_sample_ephemeris()


def read(url, clock, **arguments):
    with ConjunctionSearch(api_url=url, clock=clock.time, sleep=clock.sleep, **arguments) as search:
        return search.run(timeout=3600)


@pytest.mark.parametrize(
    "search",
    [
        DAY | BLOCKS,
        DAY | BLOCKS | {"subminute_precision": True},
        DAY | BLOCKS | {"space": [{"platforms": "swarma"}, {"platforms": "swarmc"}], "distance": {"ground1-space1": 400}},
        DAY | {"custom_locations": {"locations": [(60, -100), (65, -110)]}, "space": {"programs": "swarm"}},
        DAY | {"space": [{"platforms": "swarma"}, {"platforms": "swarmb"}], "conjunction_types": ["nbtrace", "geographic"]},
        DAY | BLOCKS | {"distance": 0},
    ],
)  # fmt: skip
def test_any_query_is_answered_as_by_the_engine(box, clock, ephemeris, search):
    df = read(box.url, clock, **search)
    assert_conjunctions_equal(df, aurorax_pandas.find_conjunctions(ephemeris, **search), check_attrs=False)


def test_own_ephemeris_is_searched(clock, ephemeris):
    mine = aurorax_pandas.stations(ephemeris["epoch"], locations={"Calgary": (51.05, -114.07)})
    import xarray as xr

    joined = xr.concat(
        [ephemeris, mine], dim="source", join="outer", data_vars="all", coords="different", compat="equals"
    )
    with sandbox.serve(ephemeris=joined) as url:
        df = read(url, clock, **DAY | BLOCKS | {"ground": {"platforms": "Calgary"}})
    assert set(df.aurorax.select_sources(site="Calgary").index) == set(df.index) != set()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"end": "2020-01-02"}, "ephemeris from 2020-01-01T00:00:00 to 2020-01-01T23:59:00 only"),
        ({"start": "2019-12-31"}, "no recording of"),
        ({"space": {"programs": "swram"}, "check_names": False}, "did you mean 'swarm'"),
        ({"conjunction_types": "sbtrace"}, "ground1 has a sbtrace location"),
    ],
)
def test_what_it_has_no_data_for_is_refused(box, clock, change, says):
    with pytest.raises(AuroraxAPIError, match=says) as caught:
        read(box.url, clock, **DAY | BLOCKS | change)
    assert caught.value.status_code == 400


def test_log_says_who_answered_in_the_words_of_the_service(box, clock):
    with ConjunctionSearch(api_url=box.url, clock=clock.time, sleep=clock.sleep, **DAY | BLOCKS) as search:
        df = search.run()
        lines = [line["summary"] for line in search.logs]
    assert any("local engine" in line for line in lines)
    assert any(line.startswith("Start search for nbtrace conjunctions using query: Find conj") for line in lines)
    assert f"Found {int(df.aurorax.minutes().sum())} single epoch events" in lines
    assert f"Found {len(df)} super events" in lines
    assert lines[-1].endswith(f"and found {len(df)} records.")


def test_recording_is_answered_from_the_recording(box, clock):
    with ConjunctionSearch(
        "2020-01-01", "2020-01-01T06:59:59", 500, api_url=box.url, clock=clock.time, sleep=clock.sleep, **BLOCKS
    ) as search:
        df = search.run()
    assert "Answered from a recorded search" in [line["summary"] for line in search.logs]
    assert_conjunctions_equal(df, aurorax_pandas.load_sample_conjunctions(), check_attrs=False)


def test_search_that_was_told_to_fails(clock):
    with sandbox.serve(faults={"search": ["fail"]}) as url, pytest.raises(AuroraxSearchError, match="was told to"):
        read(url, clock, **DAY | BLOCKS)


def test_running_search_can_be_cancelled(clock):
    with sandbox.serve(faults={"search": ["stall"]}) as url:
        search = ConjunctionSearch(api_url=url, clock=clock.time, sleep=clock.sleep, **DAY | BLOCKS)
        search.execute()
        assert search.check_for_data() is False
        search.cancel()
        with pytest.raises(AuroraxSearchError, match="cancelled"):
            search.update_status()
        search.close()


@pytest.mark.parametrize(
    "fault", [None, 429, 500, 502, 503, 504, "drop", "half", "garbage", "html", "damaged_gzip", "charset"]
)
def test_a_passing_fault_in_an_answer_is_survived(clock, fault):
    with sandbox.serve(faults={"data": [fault]}) as url:
        assert len(read(url, clock, **DAY | BLOCKS))


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ({"sumbit": [500]}, "did you mean 'submit'"),
        ({"status": ["dropp"]}, "did you mean 'drop'"),
        ({"search": [500]}, "'500'|500"),
        ({"search": ["redirect:http://127.0.0.1"]}, "is not known"),
    ],
)
def test_unknown_faults_are_refused(faults, says):
    with pytest.raises(AuroraxInputError, match=says):
        sandbox.serve(faults=faults)


def ask(url, path, body=None):
    request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return answer.headers, json.loads(answer.read() or b"null")


def test_ephemeris_search_gives_the_records_of_the_window(box, ephemeris):
    query = {
        "start": "2020-01-01T00:10:00", "end": "2020-01-01T00:20:00",
        "data_sources": {
            "programs": ["swarm"],
            "ephemeris_metadata_filters": {
                "logical_operator": "AND",
                "expressions": [{"key": "radial_distance", "operator": "<", "values": ["6840"]}],
            },
        },
    }  # fmt: skip
    headers, _ = ask(box.url, "/api/v1/ephemeris/search", query)
    path = headers["location"].removeprefix(box.url)
    status = {"search_result": {"data_uri": None}}
    while status["search_result"]["data_uri"] is None:
        _, status = ask(box.url, path)
    records = ask(box.url, status["search_result"]["data_uri"])[1]["result"]
    window = ephemeris.sel(epoch=slice("2020-01-01T00:10", "2020-01-01T00:20")).isel(source=slice(0, 3))
    expected = window["radial_distance"].where(window["radial_distance"] < 6840).count().item()
    assert len(records) == expected > 0
    assert set(records[0]) == {"data_source", "epoch", "location_geo", "location_gsm", "nbtrace", "sbtrace", "metadata"}
    epochs = pd.to_datetime([record["epoch"] for record in records])
    assert epochs.min() == pd.Timestamp("2020-01-01T00:10")
    assert epochs.max() == pd.Timestamp("2020-01-01T00:20")


def test_availability_counts_records_of_each_day(box):
    _, counts = ask(box.url, "/api/v1/availability/ephemeris?start=2020-01-01&end=2020-01-02&platform=gakona")
    assert [count["available_ephemeris"] for count in counts] == [{"2020-01-01": 872, "2020-01-02": 0}]


def test_whoever_waits_for_the_end_of_a_search_sees_its_result(monkeypatch):
    seen = []

    def at_the_end():
        seen.append(job.status()["search_result"]["completed_timestamp"])

    job = Job("conjunctions", {}, "", lambda _: [])
    monkeypatch.setattr(job._ended, "set", at_the_end)
    job._run(None, False)
    assert seen[0] is not None


def test_cancelled_at_its_last_step_it_ends_as_cancelled():
    class Late(dict):
        def items(self):
            job.stop()
            return super().items()

    job = Job("conjunctions", {}, "", lambda _: [Late(found=1)])
    job._run(None, False)
    assert job.is_done
    assert job.status()["search_result"]["error_condition"]
    assert job.status()["logs"][-1]["summary"] == "Search was cancelled"
