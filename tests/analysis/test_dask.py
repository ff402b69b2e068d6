import itertools

import dask
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions
from aurorax_pandas.frame.ordering import in_order
from aurorax_pandas.io import loading
from aurorax_pandas.testing import assert_conjunctions_equal

dd = pytest.importorskip("dask.dataframe")

VERBS = {
    "within": lambda df: df.aurorax.within(2),
    "filter_closest_epoch": lambda df: df.aurorax.filter_closest_epoch("2020-01-01T00:02", max_distance=3),
    "select_sources": lambda df: df.aurorax.select_sources(site="ATHA"),
    "minutes": lambda df: df.aurorax.minutes(),
    "explode_events": lambda df: df.aurorax.explode_events(),
    "explode_events with a column": lambda df: df.assign(own=df["min_distance"] * 2).aurorax.explode_events("own"),
    "pair_summary": lambda df: df.aurorax.pair_summary(),
    "pair_summary by site": lambda df: df.aurorax.pair_summary("site"),
    "closest": lambda df: df.aurorax.closest(2),
    "closest by pair": lambda df: df.aurorax.closest(1, by="pair"),
    "closest by site": lambda df: df.aurorax.closest(1, by="site"),
    "closest by column": lambda df: df.aurorax.closest(1, by="conjunction_type"),
    "deduplicate": lambda df: df.aurorax.deduplicate(),
    "deduplicate by site": lambda df: df.aurorax.deduplicate("site"),
}


@pytest.fixture(autouse=True)
def _plain_dask():
    with dask.config.set(scheduler="sync", **{"dataframe.convert-string": False}):
        yield


def parted(df, cuts):
    bounds = [0, *sorted(cuts), len(df)]
    parts = [df.iloc[first:last] for first, last in itertools.pairwise(bounds)]
    return dd.from_map(lambda part: part, parts, meta=df.iloc[:0])


def normal(result):
    """Forget what a partition cannot know: the order of rows and which pairs there are elsewhere."""
    if isinstance(result, pd.DataFrame) and "e1_identifier" in result:
        pairs = result["pair"].cat.remove_unused_categories()
        result = result.assign(pair=pairs.cat.reorder_categories(sorted(pairs.cat.categories)))
    return result.sort_index()


@pytest.mark.filterwarnings("ignore:filter_closest_epoch")
@pytest.mark.parametrize("verb", VERBS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6)
@given(data=st.data())
def test_any_partitions_give_what_pandas_gives(builders, verb, data):
    df = as_conjunctions(data.draw(builders.tagged_records()))
    cuts = data.draw(st.lists(st.integers(0, len(df)), max_size=3))
    lazy = VERBS[verb](parted(df, cuts))
    assert dask.is_dask_collection(lazy)
    found, expected = normal(lazy.compute()), normal(VERBS[verb](df))
    if isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected)
    else:
        assert_conjunctions_equal(found, expected, check_attrs=False)


@pytest.mark.parametrize("by", ["source", "site"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6)
@given(data=st.data())
def test_deduplicate_keeps_the_order_and_the_columns_of_the_frame(builders, by, data):
    df = as_conjunctions(data.draw(builders.tagged_records(min_size=1)))
    numbers = data.draw(st.lists(st.integers(0, len(df) - 1), min_size=2, max_size=12))
    # parts of several searches, one after the other, in any order and with any index
    many = df.iloc[numbers].assign(own=np.arange(len(numbers))[::-1])
    cuts = data.draw(st.lists(st.integers(0, len(many)), max_size=4))
    found = parted(many, cuts).aurorax.deduplicate(by).compute()
    assert_conjunctions_equal(found, many.aurorax.deduplicate(by), check_attrs=False)


@pytest.mark.parametrize("by", ["pair", "site"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6)
@given(data=st.data())
def test_groups_of_pairs_are_those_of_pandas(builders, by, data):
    df = as_conjunctions(data.draw(builders.tagged_records()))
    cuts = data.draw(st.lists(st.integers(0, len(df)), max_size=3))
    functions = {"min_distance": ["count", "min", "sum"], "start": ["min"]}
    found = parted(df, cuts).aurorax.groupby_pair(by).agg(functions).compute()
    expected = df.aurorax.groupby_pair(by).agg(functions)
    found, expected = (frame.set_axis(frame.index.astype("str")).sort_index() for frame in (found, expected))
    pd.testing.assert_frame_equal(found, expected)


def test_events_are_grouped_too(sample):
    events = sample.aurorax.explode_events()
    found = parted(events, [10, 30]).aurorax.groupby_pair("site")["min_distance"].min().compute()
    expected = events.aurorax.groupby_pair("site")["min_distance"].min()
    assert found.rename(index=str).sort_index().to_dict() == expected.rename(index=str).to_dict()


@pytest.mark.parametrize("verb", ["minutes", "pair_summary", "pair_summary by site", "closest by site"])
def test_verbs_take_events_too(sample, verb):
    df = sample.aurorax.explode_events()
    found, expected = normal(VERBS[verb](parted(df, [10, 10, 30])).compute()), normal(VERBS[verb](df))
    (pd.testing.assert_series_equal if verb == "minutes" else assert_conjunctions_equal)(found, expected)


def test_without_dask_the_extra_is_named(sample, tmp_path, monkeypatch):
    sample.aurorax.to_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(ap.AuroraxInputError, match=r"needs dask: pip install .*dask.* \(the extra 'dask'\)"):
        ap.load_conjunctions(tmp_path / "*.parquet", engine="dask")


def test_files_are_partitions(sample, tmp_path):
    for number, part in enumerate([sample.iloc[:20], sample.iloc[20:20], sample.iloc[20:]]):
        part.aurorax.to_parquet(tmp_path / f"{number}.parquet")
    ddf = ap.load_conjunctions(tmp_path / "*.parquet", engine="dask")
    assert ddf.npartitions == 3
    assert_conjunctions_equal(ddf.compute(), sample)
    assert len(ddf) == 49
    assert_conjunctions_equal(ddf.aurorax.pair_summary().compute(), sample.aurorax.pair_summary())


def test_files_of_other_columns_and_no_files_are_refused(sample, tmp_path):
    sample.aurorax.to_parquet(tmp_path / "a.parquet")
    sample.assign(kp=1).aurorax.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ap.AuroraxDataError, match=r"b\.parquet"):
        ap.load_conjunctions(tmp_path / "*.parquet", engine="dask")
    with pytest.raises(ap.AuroraxInputError, match="no file"):
        ap.load_conjunctions(tmp_path / "*.csv", engine="dask")


def test_arguments_are_checked_before_anything_is_computed(sample):
    def fail(part):
        raise RuntimeError

    ddf = dd.from_map(fail, [0], meta=sample.iloc[:0])
    for call in (
        lambda: ddf.aurorax.within(-1),
        lambda: ddf.aurorax.closest(0),
        lambda: ddf.aurorax.pair_summary("nonsense"),
        lambda: ddf.aurorax.deduplicate("nonsense"),
    ):
        with pytest.raises(ap.AuroraxInputError):
            call()
    ddf.aurorax.explode_events()


def test_dask_knows_an_example_of_a_nested_column(sample):
    from dask.dataframe.dispatch import meta_nonempty

    assert len(meta_nonempty(sample.iloc[:0])) == 2


@pytest.mark.parametrize("suffix", ["parquet", "csv", "json", "nc"])
def test_files_of_events_with_other_pairs_are_partitions(sample, tmp_path, suffix):
    halves = [sample.iloc[:20].aurorax.explode_events(), sample.iloc[20:].aurorax.explode_events()]
    for number, half in enumerate(halves):
        getattr(half.aurorax, "to_netcdf" if suffix == "nc" else f"to_{suffix}")(tmp_path / f"{number}.{suffix}")
    lazy = ap.load_conjunctions(tmp_path / f"*.{suffix}", engine="dask")
    summary = lazy.aurorax.pair_summary().compute()
    assert_conjunctions_equal(summary, sample.aurorax.pair_summary(), check_attrs=False)
    assert dict(lazy._meta.dtypes)["start"] == "datetime64[us]"


def test_files_of_another_index_are_refused(sample, tmp_path):
    sample.aurorax.to_parquet(tmp_path / "0.parquet")
    sample.set_axis([f"row {number}" for number in range(49)]).aurorax.to_parquet(tmp_path / "1.parquet")
    with pytest.raises(ap.AuroraxDataError, match=r"1\.parquet"):
        ap.load_conjunctions(tmp_path / "*.parquet", engine="dask")


def test_a_column_with_a_name_that_is_needed_is_refused(sample):
    with pytest.raises(ap.AuroraxInputError, match="'_aurorax_key'"):
        parted(sample.assign(_aurorax_key=1), [10]).aurorax.deduplicate()


def test_groups_that_need_all_rows_at_once_are_refused(sample):
    ddf = parted(sample, [20])
    for by in (sample["start"], ["site", "conjunction_type"], [sample["start"], "pair"]):
        with pytest.raises(ap.AuroraxInputError, match="all rows at once"):
            ddf.aurorax.closest(by=by)


def test_a_column_with_a_name_that_concat_needs_is_refused(sample):
    taken = parted(sample.assign(_aurorax_frame=1), [20])
    with pytest.raises(ap.AuroraxInputError, match="'_aurorax_frame' is needed to tell frames apart"):
        taken.aurorax.concat([parted(sample, [20])])


def test_concat_names_itself_and_what_it_misses(sample):
    with pytest.raises(ap.AuroraxInputError, match=r"^concat needs the column\(s\) events"):
        parted(sample.drop(columns="events"), [20]).aurorax.concat([parted(sample, [20])])


def test_what_was_cut_is_joined_across_partitions(builders):
    df = as_conjunctions([builders.record(0, 5), builders.record(6, 9), builders.record(30, 31)])
    joined = parted(df, [1]).aurorax.stitch().compute()
    assert_conjunctions_equal(joined.sort_values("start", ignore_index=True), ap.stitch(df), check_attrs=False)
    assert len(joined) == 2


def test_arguments_by_name_reach_the_partitions(sample):
    near = parted(sample, [20]).aurorax.within(distance=200, how="any").compute()
    assert near.index.equals(sample.aurorax.within(200).index)
    assert 0 < len(near) < len(sample)


def test_keys_of_values_are_refused_whatever_holds_them(sample):
    frame = dd.from_pandas(sample, npartitions=2)
    for by in (frame["start"].dt.hour, sample["start"].dt.hour, np.arange(49)):
        with pytest.raises(ap.AuroraxInputError, match=f"^by=a {type(by).__name__} needs all rows"):
            frame.aurorax.closest(1, by=by)


def test_concat_takes_one_frame_and_refuses_what_is_none(sample):
    ddf = dd.from_pandas(sample, npartitions=2, sort=False)
    assert len(ddf.aurorax.concat(ddf).compute()) == len(sample)
    for others in ([sample], ["a"], 5):
        with pytest.raises(ap.AuroraxInputError, match=r"others holds a .*; give a list of Dask frames"):
            ddf.aurorax.concat(others)


def test_cameras_of_a_site_in_several_parts_are_one(builders):
    b = builders
    cameras = [
        b.source(number + 50 * (program == "rego"), f"{program} {number}", "ground", program, f"site {number}")
        for program in ("themis-asi", "rego")
        for number in range(100, 108)
    ]
    df = as_conjunctions([b.record(0, 1, sources=(one, b.SWARM_A), low=100.0 + n) for n, one in enumerate(cameras)])
    found = parted(df, range(2, 16, 2)).aurorax.deduplicate("site").compute()
    assert sorted(found["min_distance"]) == list(range(100, 108))


def test_functions_take_dask_frames_as_the_accessor_does(sample):
    whole = ap.stitch(parted(pd.concat([sample, sample]), [30])).compute()
    assert_conjunctions_equal(in_order(whole), sample, check_attrs=False)
