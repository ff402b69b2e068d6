import numpy as np
import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import AuroraxDataError, AuroraxDataWarning, AuroraxInputError
from aurorax_pandas.testing import assert_conjunctions_equal

RECORDED = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}
NARROW = "refine: the frame is of a search within"
SEVERAL = {
    "pair": RECORDED,
    "two types": {**RECORDED, "conjunction_types": ["nbtrace", "geographic"]},
    "spacecraft": {"space": [{"platforms": "swarma"}, {"platforms": ["swarmb", "swarmc"]}]},
    "three": {"ground": {"programs": "themis-asi"}, "space": [{"platforms": "swarma"}, {"platforms": "swarmc"}]},
    "hemisphere": {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm", "hemisphere": "northern"}},
    "metadata": {
        "ground": {"programs": "themis-asi"},
        "space": {
            "programs": "swarm",
            "metadata_filters": {"expressions": [{"key": "radial_distance", "operator": ">", "values": ["6810"]}]},
        },
    },
    "place": {"custom_locations": {"locations": [(58.0, -94.0)]}, "space": {"programs": "swarm"}},
}


@pytest.fixture(scope="module")
def sample():
    return aurorax_pandas.load_sample_ephemeris()


def find(sample, distance, blocks, **arguments):
    return aurorax_pandas.find_conjunctions(sample, distance=distance, **blocks, **arguments)


@pytest.mark.parametrize("name", list(SEVERAL))
def test_a_wider_search_of_minutes_refined_is_the_continuous_search(sample, name, builders):
    blocks = SEVERAL[name]
    margin = 450 * len(np.atleast_1d(blocks["space"]))
    limit = 400 if name != "spacecraft" else 1500
    wide = find(sample, limit + margin, blocks)
    exact = find(sample, limit, blocks, continuous=True)
    assert len(exact)
    refined = wide.aurorax.refine(sample, limit)
    builders.assert_same_spans(refined, exact)
    refined.aurorax.validate()
    assert refined.aurorax.provenance["precision"] == "continuous"
    # and again it stays what it is
    builders.assert_same_spans(refined.aurorax.refine(sample, limit), refined)


def test_rows_of_the_service_reach_beyond_their_minutes(sample):
    df = aurorax_pandas.load_sample_conjunctions()
    with pytest.warns(AuroraxDataWarning, match=NARROW):
        refined = df.aurorax.refine(sample)
    assert len(refined) == len(df)
    both = refined.merge(df, how="cross", suffixes=("", "_minutes"))
    inside = (both["start"] <= both["start_minutes"]) & (both["end"] >= both["end_minutes"])
    assert inside.sum() >= 0.85 * len(df)
    assert (refined["end"] - refined["start"] > pd.Timedelta(0)).all()
    assert refined["max_distance"].max() <= 500


def test_distance_is_the_querys_where_it_is_not_given(sample):
    df = find(sample, {"ground1-space1": 500, "ground1-space2": 700, "space1-space2": 900}, SEVERAL["three"])
    with pytest.warns(AuroraxDataWarning, match=NARROW):
        refined = df.aurorax.refine(sample)
    assert refined["events"].nest["max_distance"].groupby(level=0).max().max() <= 900
    by_pair = refined.aurorax.explode_events()
    ground = by_pair["e1_source_type"].eq("ground")
    assert by_pair["max_distance"][ground & by_pair["e2_platform"].eq("swarma")].max() <= 500
    assert 500 < by_pair["max_distance"][ground & by_pair["e2_platform"].eq("swarmc")].max() <= 700
    with pytest.warns(AuroraxDataWarning, match=NARROW):
        narrower = df.aurorax.refine(sample, {"ground1-space1": 300, "ground1-space2": 700, "space1-space2": 900})
    assert 0 < len(narrower) < len(refined)


def test_columns_of_ones_own_and_the_selection_go_along(sample):
    df = find(sample, 950, RECORDED).assign(number=lambda frame: np.arange(len(frame)))
    chosen = df.iloc[10:40]
    refined = chosen.aurorax.refine(sample, 500)
    assert set(refined["number"]) <= set(chosen["number"])
    whole = df.aurorax.refine(sample, 500)
    assert_conjunctions_equal(
        refined, whole[whole["number"].isin(chosen["number"])].reset_index(drop=True), check_attrs=False
    )
    assert list(refined.columns) == list(df.columns)


def test_what_never_comes_near_goes(sample):
    df = find(sample, 950, RECORDED)
    refined = df.aurorax.refine(sample, 1)
    assert len(refined) < 3
    none = df.aurorax.refine(sample, 0)
    assert none.empty
    assert none.dtypes.equals(df.dtypes)
    assert none.aurorax.provenance["precision"] == "continuous"
    assert df.iloc[:0].aurorax.refine(sample, 100).empty


def test_the_window_of_the_query_ends_a_span(sample):
    df = aurorax_pandas.find_conjunctions(sample, "2020-01-01T00:08", "2020-01-01T00:09", 500, **RECORDED)
    with pytest.warns(AuroraxDataWarning, match=NARROW):
        refined = df.aurorax.refine(sample)
    assert refined["start"].min() == pd.Timestamp("2020-01-01T00:08")
    assert refined["end"].max() == pd.Timestamp("2020-01-01T00:09")


def test_a_row_at_a_seam_of_two_windows_reaches_back_into_the_earlier_one(sample):
    limit, wide = 400, 900
    exact = find(sample, limit, RECORDED, continuous=True)["start"].iloc[0]
    # one window ends at the minute before, the next one begins with the minute after
    seam = exact.ceil("min")
    before = find(sample, wide, RECORDED, end=seam - pd.Timedelta("1min"))
    after = find(sample, wide, RECORDED, start=seam)
    after.attrs["aurorax"]["query"] = [before.attrs["aurorax"]["query"], after.attrs["aurorax"]["query"]]
    assert exact in set(after.aurorax.refine(sample, limit)["start"])


@pytest.mark.parametrize(
    ("change", "distance", "says"),
    [
        (lambda df: df, 501, "above the 500 km of the query"),
        (lambda df: df, -1, "distance=-1 is not valid"),
        (lambda df: df, {"ground1-space7": 3}, "no pair 'ground1-space7'"),
        (lambda df: df.drop(columns="events"), None, r"needs the column\(s\) events"),
    ],
)
def test_a_distance_that_cannot_be_is_refused(sample, change, distance, says):
    df = change(find(sample, 500, RECORDED))
    with pytest.raises(AuroraxInputError, match=says):
        aurorax_pandas.refine(df, sample, distance)


def test_a_frame_that_has_lost_its_query_needs_a_distance(sample, builders):
    df = find(sample, 950, RECORDED)
    df.attrs = {}
    with pytest.raises(AuroraxInputError, match="distance is missing"):
        df.aurorax.refine(sample)
    with pytest.raises(AuroraxInputError, match="names blocks"):
        df.aurorax.refine(sample, {"ground1-space1": 500})
    builders.assert_same_spans(df.aurorax.refine(sample, 300), find(sample, 300, RECORDED, continuous=True))


def test_sources_that_fill_blocks_of_several_distances_are_refused(sample):
    df = find(sample, {"ground1-space1": 500, "ground1-space2": 700, "space1-space2": 900}, {
        "ground": {"programs": "themis-asi"}, "space": [{"programs": "swarm"}] * 2
    })  # fmt: skip
    with pytest.raises(AuroraxInputError, match="has none, or several"):
        df.aurorax.refine(sample)
    with pytest.warns(AuroraxDataWarning, match=NARROW):
        assert len(df.aurorax.refine(sample, 400))


def test_a_place_fills_its_block_where_limits_differ(sample, builders):
    blocks = {
        "custom_locations": {"locations": [(58.0, -94.0)]},
        "space": [{"platforms": "swarma"}, {"platforms": "swarmc"}],
    }
    limits = {"space1-adhoc1": 900, "space2-adhoc1": 950, "space1-space2": None}
    wide = find(sample, limits, blocks)
    assert len(wide)
    exact = {name: limit and limit - 500 for name, limit in limits.items()}
    refined = wide.aurorax.refine(sample, exact)
    assert len(refined)
    builders.assert_same_spans(refined, find(sample, exact, blocks, continuous=True))


def test_rows_without_a_limited_pair_are_refused(sample, builders):
    df = aurorax_pandas.as_conjunctions([builders.record(events=[])])
    with pytest.raises(AuroraxInputError, match="row 0 has no event"):
        df.aurorax.refine(sample, 300)


@pytest.mark.parametrize(
    ("name", "searched", "wanted", "needed"),
    [
        ("pair", 500, None, 950),
        ("pair", 500, 51, 501),
        ("pair", {"ground1-space1": 500}, {"space1-ground1": 400}, 850),
        ("spacecraft", 1500, 700, 1600),
        ("place", 500, 100, 550),
        ("three", {"ground1-space1": None, "ground1-space2": 900, "space1-space2": 950}, 100, 1000),
    ],
)
def test_a_search_that_was_too_narrow_warns_with_what_it_needs(sample, name, searched, wanted, needed):
    df = find(sample, searched, SEVERAL[name])
    for frame in (df, df.head(1), df.iloc[:0]):
        with pytest.warns(AuroraxDataWarning, match=f"{NARROW} .* search with {needed} km or more") as caught:
            frame.aurorax.refine(sample, wanted)
        assert len(caught) == 1
        assert caught[0].filename == __file__


def test_what_the_warning_asks_for_finds_what_is_missing(sample):
    exact = find(sample, 100, RECORDED, continuous=True)
    with pytest.warns(AuroraxDataWarning, match="search with 550 km or more and give distance=100 here"):
        short = find(sample, 100, RECORDED).aurorax.refine(sample)
    assert len(short) < len(exact)
    # errors are raised for warnings here
    assert len(find(sample, 550, RECORDED).aurorax.refine(sample, distance=100)) == len(exact)


@pytest.mark.parametrize(("step", "margin"), [("30s", 225), ("2min", 900)])
def test_the_margin_is_half_of_the_longest_step_between_the_epochs_of_the_frame(sample, step, margin):
    every = sample.interp(epoch=pd.date_range(*sample["epoch"].values[[0, 400]], freq=step))
    for name in ("program", "platform", "instrument_type", "source_type", "display_name", "identifier"):
        every = every.assign_coords({name: sample[name]})
    df = find(every, 100 + margin, RECORDED, **({"subminute_precision": True} if step == "30s" else {}))
    assert len(df)
    df.aurorax.refine(every, 100)
    with pytest.warns(AuroraxDataWarning, match=f"search with {101 + margin} km or more"):
        df.aurorax.refine(every, 101)


def test_exact_spans_and_several_searches_of_which_each_was_wide_do_not_warn(sample):
    exact = find(sample, 500, RECORDED, continuous=True)
    exact.aurorax.refine(sample)
    lost = exact.copy(deep=False)
    lost.attrs = {}
    lost.aurorax.refine(sample, 400)
    with pytest.warns(AuroraxDataWarning, match="2 queries"):
        both = aurorax_pandas.concat([find(sample, 900, RECORDED), find(sample, 500, RECORDED)])
    both.aurorax.refine(sample, 50)
    with pytest.warns(AuroraxDataWarning, match=f"{NARROW} 500 km"):
        both.aurorax.refine(sample, 60)


def test_a_frame_without_its_query_tells_by_its_distances_how_wide_the_search_was(sample):
    df = find(sample, 500, RECORDED)
    df.attrs = {}
    farthest = df["max_distance"].max()
    df.aurorax.refine(sample, farthest - 450)
    with pytest.warns(AuroraxDataWarning, match="does not know its search, and holds distances within"):
        df.aurorax.refine(sample, farthest - 449)


@pytest.mark.parametrize("kind", ["nbtrace", "geographic"])
def test_geodetic_distances_are_refined_as_such(sample, builders, kind):
    blocks = {**RECORDED, "conjunction_types": kind, "continuous": True, "geodetic": True}
    refined = find(sample, 500, blocks).aurorax.refine(sample, 400)
    builders.assert_same_spans(refined, find(sample, 400, blocks))


def test_a_filter_needs_its_variable(sample):
    df = find(sample, 900, SEVERAL["metadata"])
    with pytest.raises(AuroraxInputError, match="no variable 'radial_distance', which the query filters by"):
        df.aurorax.refine(sample.drop_vars("radial_distance"), 400)


def test_an_ephemeris_that_covers_a_part_warns_and_one_that_covers_none_is_refused(sample):
    df = find(sample, 950, RECORDED)
    early = sample.sel(epoch=slice("2020-01-01T00:00", "2020-01-01T05:00"))
    with pytest.warns(AuroraxDataWarning, match="^refine: .*does not cover"):
        refined = df.aurorax.refine(early, 500)
    assert len(refined) > 0
    assert refined["end"].max() <= pd.Timestamp("2020-01-01T05:00")
    with pytest.raises(AuroraxDataError, match="covers none"):
        df.aurorax.refine(sample.assign_coords(epoch=sample["epoch"] + pd.Timedelta("100D")), 500)


# ---- exact spans are counted as such -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exact(sample):
    return find(sample, 500, RECORDED, continuous=True)


@pytest.mark.parametrize("known", [True, False])
def test_exact_spans_have_no_step(exact, known):
    df = exact if known else exact.set_flags()
    if not known:
        df.attrs = {}
    lengths = (df["end"] - df["start"]) / pd.Timedelta("1min")
    np.testing.assert_allclose(df.aurorax.minutes(), lengths)
    assert df.aurorax.minutes(step="0s").equals(df.aurorax.minutes())
    assert df.aurorax.pair_summary()["minutes"].sum() == pytest.approx(lengths.sum())
    assert df.aurorax.passes()["minutes"].sum() <= lengths.sum() + 1e-6
    assert len(aurorax_pandas.stitch(df)) == len(df)
    gaps = df.aurorax.revisits()
    assert gaps["count"].sum() == len(df) - len(gaps)


def test_exact_spans_and_spans_of_minutes_are_not_counted_together(sample, exact):
    mixed = pd.concat([exact, find(sample, 500, RECORDED)], ignore_index=True)
    mixed.attrs = {}
    for verb in ("minutes", "pair_summary", "passes", "revisits"):
        with pytest.raises(AuroraxInputError, match="apart, or give step="):
            getattr(mixed.aurorax, verb)()
    with pytest.raises(AuroraxInputError, match="apart, or give step="):
        aurorax_pandas.stitch(mixed)
    assert len(mixed.aurorax.minutes(step="1min")) == len(mixed)


def test_exact_spans_are_put_together_with_their_like_alone(sample, exact):
    halves = aurorax_pandas.concat([exact.iloc[:70], exact.iloc[60:]])
    assert_conjunctions_equal(halves, exact, check_attrs=False)
    assert halves.aurorax.minutes().sum() == pytest.approx(exact.aurorax.minutes().sum())
    minutes = find(sample, 500, RECORDED)
    lost = exact.set_flags()
    lost.attrs = {}
    for others in ([exact, minutes], [minutes, lost]):
        with pytest.raises(AuroraxInputError, match=r"1 of 2 hold exact spans.*df\.aurorax\.refine"):
            aurorax_pandas.concat(others)
    with pytest.warns(AuroraxDataWarning, match=NARROW):
        refined = minutes.aurorax.refine(sample)
    both = aurorax_pandas.concat([exact, refined])
    assert both["start"].eq(exact["start"].iloc[0]).any()
    assert len(aurorax_pandas.concat([exact, minutes.iloc[:0]])) == len(exact)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "json", "nc"])
def test_exact_spans_go_through_files(exact, tmp_path, suffix):
    path = tmp_path / f"exact.{suffix}"
    getattr(exact.aurorax, f"to_{'netcdf' if suffix == 'nc' else suffix}")(path)
    loaded = aurorax_pandas.load_conjunctions(path)
    assert_conjunctions_equal(loaded, exact)
    assert loaded.aurorax.provenance["precision"] == "continuous"


@pytest.mark.parametrize("picture", ["timeline", "distance", "histogram", "calendar"])
def test_pictures_take_exact_spans(exact, picture):
    axes = getattr(exact.aurorax.plot, picture)()
    assert axes.collections or axes.patches or axes.lines


def test_a_row_without_a_type_is_told_instead_of_left_out(sample):
    df = aurorax_pandas.load_sample_conjunctions()
    for missing in (df.index == 3, df.index >= 0):
        changed = df.assign(conjunction_type=df["conjunction_type"].where(~missing))
        with pytest.raises(AuroraxInputError, match="conjunction_type of each row; row "):
            aurorax_pandas.refine(changed, sample, 50)


@pytest.mark.parametrize("shift", [pd.Timedelta("2h"), np.timedelta64(365_000, "D")])
def test_rows_apart_from_their_events_are_refused(sample, shift):
    df = aurorax_pandas.load_sample_conjunctions()
    moved = df.assign(start=df["start"] + shift, end=df["end"] + shift)
    with pytest.raises(AuroraxInputError, match="row 0 has its start and end apart from those of its events"):
        aurorax_pandas.refine(moved, sample, 50)


def test_an_ephemeris_of_no_source_covers_none(sample):
    with pytest.raises(AuroraxDataError, match="holds no source"):
        aurorax_pandas.refine(aurorax_pandas.load_sample_conjunctions(), sample.isel(source=[]), 50)
