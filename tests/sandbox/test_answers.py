"""What the sandbox answers a search with: recorded rows, the engine's, what there is of a list, and made-up metadata."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas
from aurorax_pandas import AuroraxAPIError, ConjunctionSearch, sandbox
from aurorax_pandas.frame.convert import as_conjunctions
from aurorax_pandas.frame.stitch import stitch
from aurorax_pandas.sandbox.recording import recorded_rows
from aurorax_pandas.testing import assert_conjunctions_equal

BLOCKS = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}
MORNING = np.datetime64("2020-01-01T07:00:00")
CLEAR = {"calgary_cloud_ml_v1": "classified as not cloudy"}


@pytest.fixture(scope="module")
def url():
    with sandbox.serve() as address:
        yield address


@pytest.fixture(scope="module")
def lenient():
    with sandbox.serve(strict=False) as address:
        yield address


def read(url, start="2020-01-01", end="2020-01-01", distance=500, **arguments):
    with ConjunctionSearch(start, end, distance, api_url=url, poll_interval=0.01, **arguments) as search:
        df = search.run()
        df.attrs["lines"] = [line["summary"] for line in search.logs]
    return df


def test_the_whole_day_has_the_recorded_rows_and_then_the_engines(url, sample):
    df = read(url, **BLOCKS)
    night = df[df["start"] < MORNING].reset_index(drop=True)
    assert_conjunctions_equal(night, sample, check_attrs=False)
    engine = aurorax_pandas.find_conjunctions(
        aurorax_pandas.load_sample_ephemeris(), "2020-01-01T07:00", "2020-01-01", 500, **BLOCKS
    )
    assert_conjunctions_equal(df[df["start"] >= MORNING].reset_index(drop=True), engine, check_attrs=False)
    assert {"Answered from a recorded search", "Answered by the local engine from the sandbox's ephemeris"} < set(
        df.attrs["lines"]
    )
    assert f"Found {round(df.aurorax.minutes().sum())} single epoch events" in df.attrs["lines"]


def test_any_other_search_is_the_engines_alone(url):
    for change in ({"distance": 499}, {"subminute_precision": True}, {"space": {"platforms": "swarma"}}):
        asked = {"end": "2020-01-01T03:00", **BLOCKS, **change}
        df = read(url, **asked)
        assert "Answered from a recorded search" not in df.attrs["lines"]
        local = aurorax_pandas.find_conjunctions(
            aurorax_pandas.load_sample_ephemeris(), "2020-01-01", asked["end"], asked.pop("distance", 500),
            **{name: asked[name] for name in asked if name != "end"},
        )  # fmt: skip
        assert_conjunctions_equal(df, local, check_attrs=False)


def test_an_ephemeris_of_ones_own_has_no_recording():
    mine = aurorax_pandas.load_sample_ephemeris()
    with sandbox.serve(ephemeris=mine) as url:
        df = read(url, end="2020-01-01T06:59:59", **BLOCKS)
    assert "Answered from a recorded search" not in df.attrs["lines"]
    assert len(df) == 49


@pytest.mark.parametrize(("chunk", "overlap"), [("6h", "1h"), ("47min", "0s")])
def test_a_read_in_chunks_equals_one_without(url, chunk, overlap):
    whole = aurorax_pandas.read_aurorax_conjunctions("2020-01-01", "2020-01-01T09:00", 500, api_url=url, **BLOCKS)
    parts = aurorax_pandas.read_aurorax_conjunctions(
        "2020-01-01", "2020-01-01T09:00", 500, api_url=url, chunk=chunk, overlap=overlap, poll_interval=0.01, **BLOCKS
    )
    assert_conjunctions_equal(parts, whole, check_attrs=False)


@settings(max_examples=8)
@given(st.lists(st.integers(1, 419), max_size=12, unique=True))
def test_the_recorded_rows_of_any_windows_join_to_the_recorded_rows(cuts):
    sample = aurorax_pandas.load_sample_conjunctions()
    edges = [0, *sorted(cuts), 420]
    begin = pd.Timestamp("2020-01-01")
    parts = [
        as_conjunctions(
            recorded_rows(
                (begin + pd.Timedelta(minutes=first)).isoformat(),
                (begin + pd.Timedelta(minutes=last) - pd.Timedelta("1s")).isoformat(),
            )
        )
        for first, last in itertools.pairwise(edges)
    ]
    joined = stitch(pd.concat([part for part in parts if len(part)], ignore_index=True), "1min")
    assert_conjunctions_equal(joined, sample, check_attrs=False)


def test_how_many_rows_rest_on_assumed_operation_is_logged(url):
    df = read(url, **BLOCKS)
    assumed = int((df["start"] > "2020-01-01T06:59").sum())
    assert (
        f"That cameras operate after 2020-01-01T06:59:00 is assumed: {assumed} of {len(df)} rows rest on it"
        in df.attrs["lines"]
    )
    assert not any("assumed" in line for line in read(url, end="2020-01-01T06:59:59", **BLOCKS).attrs["lines"])


def test_a_list_is_answered_with_what_there_is(url):
    some = read(url, ground={"programs": ["rego", "themis-asi"]}, space={"platforms": ["swarma", "themisa"]})
    assert len(some)
    alone = read(url, ground={"programs": "themis-asi"}, space={"platforms": "swarma"})
    assert_conjunctions_equal(some, alone, check_attrs=False)


@pytest.mark.parametrize(
    "blocks",
    [
        {"ground": {"programs": "rego"}, "space": {"programs": "swarm"}},
        {"ground": {"programs": "themis-asi"}, "space": {"programs": "themis"}},
        {"ground": {"programs": "themis-asi", "platforms": "gillam", "instrument_types": "redline ASI"}, "space": {"programs": "swarm"}},
    ],
)  # fmt: skip
def test_known_sources_without_data_find_nothing_and_the_log_says_why(url, blocks, caplog):
    df = read(url, check_names=False, **blocks)
    assert df.empty
    assert any(line.startswith("sandbox: there is no data of ") for line in df.attrs["lines"])
    # other packages let more than warnings through
    (told,) = [each for each in caplog.records if (each.name, each.levelname) == ("aurorax_pandas.sandbox", "WARNING")]
    assert re.search(r"the sandbox has no data of (ground1|space1); it holds Swarm A, ", told.getMessage())


def test_known_sources_without_ephemeris_have_none(url):
    empty = aurorax_pandas.read_aurorax_ephemeris("2020-01-01", "2020-01-01", programs="rego", api_url=url)
    assert empty.sizes["epoch"] == 0


def test_other_times_are_refused_or_empty(url, lenient):
    for start, end in (("2019-12-31", "2019-12-31"), ("2020-01-02", "2020-06-01")):
        with pytest.raises(AuroraxAPIError, match=r"sandbox: .*ephemeris from 2020-01-01T00:00:00"):
            read(url, start, end, **BLOCKS)
        assert read(lenient, start, end, **BLOCKS).empty
        found = aurorax_pandas.read_aurorax_ephemeris(start, end, programs="swarm", api_url=lenient)
        assert found.sizes["epoch"] == 0
    around = read(lenient, "2019-12-31", "2020-01-02", **BLOCKS)
    assert_conjunctions_equal(around, read(url, **BLOCKS), check_attrs=False)


def test_a_window_between_two_epochs_is_empty(url):
    assert read(url, "2020-01-01T12:00:10", "2020-01-01T12:00:20", **BLOCKS).empty
    assert read(url, "2020-01-01T12:00:10", "2020-01-01T12:00:20", 400, **BLOCKS).empty


def test_strict_is_true_or_false():
    with pytest.raises(aurorax_pandas.AuroraxInputError, match="strict="):
        sandbox.serve(strict="no")


@pytest.mark.parametrize(
    "asked",
    [
        {"ground": {"programs": "themis-asl"}, "space": {"programs": "swarm"}},
        {"ground": {"programs": "themis-asi", "metadata_filters": {"clouds": "none"}}, "space": {"programs": "swarm"}},
        {"conjunction_types": "sbtrace", **BLOCKS},
        {"start": "2008-01-01", **BLOCKS},
    ],
)
def test_refusals_say_who_refuses(url, asked):
    with pytest.raises(AuroraxAPIError, match="sandbox: ") as caught:
        read(url, check_names=False, **asked)
    assert caught.value.status_code == 400


def test_metadata_filters_work_on_the_demonstration(url):
    clear = read(url, ground={"programs": "themis-asi", "metadata_filters": CLEAR}, space={"programs": "swarm"})
    every = read(url, **BLOCKS)
    assert 0 < len(clear) < len(every)
    cloudy = {"THEMIS-ASI KUUJ", "THEMIS-ASI SNKQ"}
    assert not cloudy & {name for names in clear["data_sources"] for name in names["display_name"]}
    polar = read(url, ground={"programs": "themis-asi"},
                 space={"programs": "swarm", "metadata_filters": {"nbtrace_region": "north polar cap"}})  # fmt: skip
    assert 0 < len(polar) < len(every)


def test_a_metadata_filter_that_names_a_field_of_the_list_passes_the_check_of_names(url):
    sources = aurorax_pandas.read_aurorax_data_sources(api_url=url).set_index("display_name")
    fields = sources.loc["THEMIS-ASI GILL", "metadata_fields"].set_index("field_name")
    allowed = "classified as cloudy, classified as not cloudy, not classified"
    assert fields.loc["calgary_cloud_ml_v1", ["data_type", "allowed_values"]].tolist() == ["string", allowed]
    assert "made up" in fields.loc["calgary_cloud_ml_v1", "description"]


def test_lists_of_events_take_part(url):
    df = read(url, distance=1000, events={"platforms": "sandbox"}, space={"programs": "swarm"})
    assert len(df)
    assert {name for names in df["data_sources"] for name in names["program"]} == {"events", "swarm"}
    found = aurorax_pandas.read_aurorax_ephemeris("2020-01-01", "2020-01-01", programs="events", api_url=url)
    assert int(found["event_kind"].notnull().sum()) == 10


def test_the_bundled_ephemeris_has_nothing_made_up():
    sample = aurorax_pandas.load_sample_ephemeris()
    assert "event_list" not in sample["source_type"].values
    assert not any("calgary" in str(name) or "region" in str(name) for name in sample.data_vars)


def test_made_up_labels_are_told_where_cameras_operate_alone():
    from aurorax_pandas.sandbox.holdings import bundled_day

    day = bundled_day()
    assert "made up" in day.attrs["demonstration"]
    cameras = day.isel(source=(day["source_type"] == "ground").values)
    assert (cameras["calgary_cloud_ml_v1"].notnull() == cameras["geo_lat"].notnull()).all()
