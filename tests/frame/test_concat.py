"""Several reads become one: each row once, what the edge of a window cut joined, one provenance."""

import itertools
import warnings

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas.frame.ordering import in_order
from aurorax_pandas.testing import assert_conjunctions_equal

EPHEMERIS = ap.load_sample_ephemeris()
SEARCH = {"distance": 500, "ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}
ORIGIN = pd.Timestamp("2020-01-01")


def found(first, last, ephemeris=EPHEMERIS, **changes):
    return ap.find_conjunctions(ephemeris, first, last, **{**SEARCH, **changes})


def in_windows(*cuts, end="2020-01-01T02:59:59", **changes):
    bounds = [ORIGIN, *cuts, pd.Timestamp(end) + pd.Timedelta("1s")]
    return [found(first, stop - pd.Timedelta("1s"), **changes) for first, stop in itertools.pairwise(bounds)]


def asked(df, **query):
    """The frame as one that a query of its own gave."""
    return df.assign().pipe(lambda one: _with_origin(one, query))


def _with_origin(df, query):
    df.attrs = {"aurorax": {"request_ids": [query.pop("name", "a")], "query": query or None}}
    return df


@given(cut=st.integers(5, 175), continuous=st.booleans())
@settings(max_examples=12)
def test_windows_put_together_are_the_search_of_all(cut, continuous):
    instant = ORIGIN + pd.Timedelta(cut, "min")
    whole = found(ORIGIN, "2020-01-01T02:59:59", continuous=continuous)
    together = ap.concat(in_windows(instant, continuous=continuous))
    if not continuous:
        # an epoch belongs to one window
        assert_conjunctions_equal(together, whole, check_attrs=False)
    # the second between the windows is not searched, and bridged
    assert len(together) == len(whole)
    assert (together["start"] - whole["start"]).abs().max() <= pd.Timedelta("1s")
    assert together.aurorax.provenance["query"] == whole.aurorax.provenance["query"]
    assert together.aurorax.provenance["step"] == ("0s" if continuous else "60s")
    windows = together.aurorax.provenance["windows"]
    last = instant - pd.Timedelta("1s")
    assert [(one["start"], one["end"]) for one in windows] == [
        ("2020-01-01T00:00:00", last.isoformat()),
        (instant.isoformat(), "2020-01-01T02:59:59"),
    ]


def test_windows_that_lie_apart_are_not_joined_and_both_queries_stay():
    first, second = found("2020-01-01", "2020-01-01T00:30"), found("2020-01-01T01:00", "2020-01-01T02:00")
    df = ap.concat([second, first])
    assert_conjunctions_equal(df, in_order(pd.concat([first, second])), check_attrs=False)
    assert [one["start"] for one in df.aurorax.provenance["query"]] == ["2020-01-01T01:00:00", "2020-01-01T00:00:00"]


# ---- steps -------------------------------------------------------------------------------------------------------


def row(builders, first, last, step, window, start=None):
    """A frame of one conjunction [minutes], found with a step [s] in a window [minutes]."""
    df = ap.as_conjunctions([builders.record(first, last, closest=None)])
    query = {name: builders.at(minute) for name, minute in zip(("start", "end"), window, strict=True)}
    return _with_step(df, {"query": query, "request_ids": [], "step": step})


def _with_step(df, origin):
    df.attrs = {"aurorax": origin}
    return df


@pytest.mark.parametrize(
    ("early", "late", "rows"),
    [
        # what is in the last epoch of minutes, and in the first of ten seconds, goes on
        ((50, 59, "60s", (0, 59.9)), (60, 63, "10s", (60, 120)), 1),
        ((50, 58, "60s", (0, 59.9)), (60, 63, "10s", (60, 120)), 2),
        # and the other way about: half a minute before the edge it was over
        ((50, 59.5, "10s", (0, 59.9)), (60, 63, "60s", (60, 120)), 2),
        ((50, 60 - 1 / 6, "10s", (0, 59.9)), (60, 63, "60s", (60, 120)), 1),
        # a step longer than a minute
        ((50, 58, "120s", (0, 59.9)), (60, 63, "60s", (60, 120)), 1),
        # exact spans
        ((50, 60 - 1 / 60, "0s", (0, 60 - 1 / 60)), (60, 63, "0s", (60, 120)), 1),
        ((50, 59.9, "0s", (0, 60 - 1 / 60)), (60, 63, "0s", (60, 120)), 2),
    ],
)
def test_a_conjunction_goes_on_a_step_later(builders, early, late, rows):
    frames = [row(builders, *early), row(builders, *late)]
    for df in (ap.concat(frames), ap.concat(frames[::-1])):
        assert len(df) == rows
        assert len(ap.explode_events(df)) == rows


def test_frames_of_two_steps_know_both_and_ask_for_one(builders):
    frames = [row(builders, 1, 2, "60s", (0, 9.9)), row(builders, 20, 22, "10s", (10, 30))]
    df = ap.concat(frames)
    assert df.aurorax.provenance["step"] == ["60s", "10s"]
    with pytest.raises(ap.AuroraxInputError, match=r"different steps \(60s, 10s\); give step="):
        df.aurorax.minutes()
    assert df.aurorax.minutes("10s").tolist() == [1 + 1 / 6, 2 + 1 / 6]


def test_a_minute_told_in_two_ways_is_one_step(sample, builders):
    frame = row(builders, 900, 902, "60s", (800, 1000))
    with pytest.warns(ap.AuroraxDataWarning, match="differ in"):
        df = ap.concat([sample, frame])
    assert df.aurorax.minutes().iloc[-1] == 3
    assert pd.Timedelta(df.aurorax.provenance["step"]) == pd.Timedelta("1min")


def test_a_frame_of_half_minutes_tells_its_step_beside_one_of_an_ephemeris(sample, builders):
    sample.attrs["aurorax"]["query"] |= {"subminute_precision": True}
    with pytest.warns(ap.AuroraxDataWarning, match="differ in"):
        df = ap.concat([row(builders, 900, 902, "60s", (800, 1000)), sample])
    assert df.aurorax.provenance["step"] == ["60s", "30s"]


# ---- rows --------------------------------------------------------------------------------------------------------


@given(data=st.data())
def test_parts_of_a_frame_that_overlap_give_the_frame(builders, data):
    records = data.draw(st.lists(builders.records(), min_size=1, max_size=6))
    whole = ap.concat([asked(ap.as_conjunctions(records), start="2020-01-01", end="2020-01-02")])
    parts = data.draw(st.lists(st.lists(st.sampled_from(range(len(whole))), unique=True), min_size=1, max_size=3))
    frames = [whole.iloc[[*part, *rest]] for part, rest in zip(parts, [range(len(whole)), *[[]] * 3], strict=False)]
    assert_conjunctions_equal(ap.concat(frames), whole, check_attrs=False)


def test_rows_of_one_key_and_other_distances_both_stay(sample):
    other = sample.assign(min_distance=sample["min_distance"] / 2)
    df = ap.concat([sample, other])
    assert len(df) == 98
    assert sorted(df["min_distance"]) == sorted([*sample["min_distance"], *other["min_distance"]])


def test_own_columns_stay_and_are_missing_where_a_frame_lacks_them(sample):
    df = ap.concat([sample.head(10).assign(kp=1.5), sample.tail(10)])
    assert df["kp"].tolist()[:10] == [1.5] * 10
    assert df["kp"].isna().sum() == 10
    assert df.index.equals(pd.RangeIndex(20))


def test_frames_may_be_whatever_holds_conjunctions(sample):
    parts = [ap.records_from_conjunctions(sample[:20]), sample[20:30].aurorax.to_arrow(), sample[30:]]
    assert_conjunctions_equal(ap.concat(iter(parts)), sample, check_attrs=False)
    zoned = sample[20:].assign(start=sample["start"].dt.tz_localize("UTC"))
    assert_conjunctions_equal(ap.concat([sample[:20], zoned]), sample, check_attrs=False)


def test_empty_frames_add_nothing(sample):
    assert_conjunctions_equal(ap.concat([sample.head(0), sample, sample.head(0)]), sample, check_attrs=False)
    assert len(ap.concat([sample.head(0)])) == 0


# ---- provenance --------------------------------------------------------------------------------------------------


def test_queries_that_differ_are_told_once_and_listed(sample):
    query = sample.aurorax.provenance["query"]
    other = asked(sample, name="b", **{**query, "max_distances": {"ground1-space1": 300}})
    with pytest.warns(ap.AuroraxDataWarning, match="2 queries, which differ in max_distances") as caught:
        df = ap.concat([sample, other])
    assert [each.filename for each in caught] == [__file__]
    assert df.aurorax.provenance["query"] == [query, other.aurorax.provenance["query"]]
    assert df.aurorax.provenance["request_ids"] == [*sample.aurorax.provenance["request_ids"], "b"]
    filters = {"expressions": [{"key": "nbtrace_region", "operator": "=", "values": ["cusp"]}]}
    filtered = asked(
        sample, name="c", **{**query, "space": [query["space"][0] | {"ephemeris_metadata_filters": filters}]}
    )
    with pytest.warns(ap.AuroraxDataWarning, match="2 queries, which differ in space"):
        ap.concat([sample, filtered])
    # a further one knows them again
    with pytest.warns(ap.AuroraxDataWarning):
        again = ap.concat([df, sample])
    assert again.aurorax.provenance["query"] == df.aurorax.provenance["query"]


def test_a_frame_of_no_query_leaves_none_for_all_and_no_warning(sample):
    df = ap.concat([sample[:20], asked(sample[20:])])
    assert df.aurorax.provenance["query"] is None
    assert df.aurorax.provenance["request_ids"] == [*sample.aurorax.provenance["request_ids"], "a"]
    lost = pd.DataFrame({name: sample[name] for name in sample})
    assert_conjunctions_equal(ap.concat([lost[:20], lost[20:]]), lost)


# ---- other forms -------------------------------------------------------------------------------------------------


def test_datasets_and_dask_frames_are_put_together_as_frames_are(sample):
    parts = [sample[:30].reset_index(drop=True), sample[20:].reset_index(drop=True)]
    whole = ap.concat(parts)
    datasets = ap.concat([part.aurorax.to_xarray() for part in parts])
    assert isinstance(datasets, xr.Dataset)
    assert_conjunctions_equal(datasets.aurorax.to_dataframe(), whole, check_attrs=False)
    lazy = ap.concat([dd.from_pandas(part, npartitions=2, sort=False) for part in parts])
    computed = lazy.compute()
    assert_conjunctions_equal(in_order(computed), whole, check_attrs=False)
    assert computed.aurorax.provenance["request_ids"] == sample.aurorax.provenance["request_ids"]


def test_dask_frames_are_joined_at_the_edge_too():
    windows = in_windows(ORIGIN + pd.Timedelta("1h10min"), ORIGIN + pd.Timedelta("2h"))
    lazy = ap.concat([dd.from_pandas(frame, npartitions=2, sort=False) for frame in windows])
    assert_conjunctions_equal(in_order(lazy.compute()), ap.concat(windows), check_attrs=False)


@pytest.mark.parametrize("continuous", [False, True])
def test_minutes_of_dask_frames_follow_the_step(continuous):
    df = found(ORIGIN, "2020-01-01T02:59:59", continuous=continuous)
    coarse = found(ORIGIN, "2020-01-01T02:59:59", EPHEMERIS.isel(epoch=slice(None, None, 2)))
    # partitions that lose their attrs on the way are counted by those of the whole
    halves = dd.from_pandas(coarse, npartitions=2, sort=False)
    lost = halves.map_partitions(lambda part: pd.DataFrame({name: part[name] for name in part}), meta=halves._meta)
    np.testing.assert_array_equal(lost.aurorax.minutes().compute(), coarse.aurorax.minutes())
    lazy = dd.from_pandas(df, npartitions=3, sort=False)
    np.testing.assert_array_equal(lazy.aurorax.minutes().compute(), df.aurorax.minutes())
    # the attrs may be lost on the way, and the rows tell it
    bare = dd.from_pandas(pd.DataFrame({name: df[name] for name in df}), npartitions=3, sort=False)
    np.testing.assert_array_equal(bare.aurorax.minutes().compute(), df.aurorax.minutes())
    pd.testing.assert_frame_equal(bare.aurorax.pair_summary().compute(), df.aurorax.pair_summary())


@pytest.mark.parametrize("frames", [[], None, 5, "ab", pd.DataFrame()])
def test_what_is_no_list_of_frames_is_refused(frames):
    with pytest.raises(ap.AuroraxInputError, match="frames"):
        ap.concat(frames)


def test_frames_of_several_forms_and_other_kinds_are_refused(sample):
    with pytest.raises(ap.AuroraxInputError, match="all in one form"):
        ap.concat([sample, sample.aurorax.to_xarray()])
    with pytest.raises(ap.AuroraxInputError, match="a frame of events"):
        ap.concat([sample, sample.aurorax.explode_events()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(ap.concat([sample, sample])) == 49
