import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions
from aurorax_pandas.testing import assert_conjunctions_equal

VERBS = {
    "explode_events": lambda df: df.aurorax.explode_events().drop(columns="conjunction_label"),
    "groupby_pair": lambda df: df.aurorax.groupby_pair()["min_distance"].min(),
    "groupby_site": lambda df: df.aurorax.groupby_pair("site")["min_distance"].min(),
    "pair_summary": lambda df: df.aurorax.pair_summary(),
    "pair_summary by site": lambda df: df.aurorax.pair_summary("site"),
    "closest": lambda df: df.aurorax.closest(3),
    "closest by pair": lambda df: df.aurorax.closest(1, by="pair"),
    "closest by site": lambda df: df.aurorax.closest(1, by="site"),
    "closest by column": lambda df: df.aurorax.closest(2, by="conjunction_type"),
    "filter_closest_epoch": lambda df: df.aurorax.filter_closest_epoch("2020-01-01T02:00", max_distance=400),
    "filter near": lambda df: df.aurorax.filter_closest_epoch(near=["2020-01-01T01:46", "2020-01-01T05:00"]),
    "within": lambda df: df.aurorax.within(250),
    "minutes": lambda df: df.aurorax.minutes().reset_index(drop=True),
    "deduplicate": lambda df: df.aurorax.deduplicate(),
    "deduplicate by site": lambda df: df.aurorax.deduplicate("site"),
    "select_sources": lambda df: df.aurorax.select_sources(platform="swarma"),
    "validate": lambda df: df.aurorax.validate(),
}


def by_position(result):
    """Forget the index labels of rows."""
    if isinstance(result, pd.DataFrame) and result.index.name != "pair":
        return result.reset_index(drop=True)
    return result


def assert_same(left, right):
    if isinstance(left, pd.DataFrame) and "data_sources" in left:
        assert_conjunctions_equal(left, right, check_attrs=False)
    elif isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right)
    else:
        pd.testing.assert_series_equal(left, right)


@pytest.mark.parametrize("verb", list(VERBS))
@pytest.mark.parametrize("kind", ["text", "duplicate", "times", "multi"])
def test_verbs_do_not_depend_on_the_index(builders, sample, verb, kind):
    assert_same(by_position(VERBS[verb](builders.reindexed(sample, kind))), by_position(VERBS[verb](sample)))


@pytest.mark.parametrize("verb", list(VERBS))
def test_verbs_work_on_filtered_frames_as_on_frames_of_these_rows_alone(sample, verb):
    chosen = sample[sample["min_distance"] < 300].iloc[::-2]
    assert_same(by_position(VERBS[verb](chosen)), by_position(VERBS[verb](chosen.reset_index(drop=True))))


@pytest.mark.parametrize("verb", list(VERBS))
def test_verbs_work_on_concatenated_frames(sample, verb):
    parts = pd.concat([sample.iloc[30:], sample.iloc[:0], sample.iloc[:30]])
    whole = pd.concat([sample.iloc[30:], sample.iloc[:30]], ignore_index=True)
    assert_same(by_position(VERBS[verb](parts)), by_position(VERBS[verb](whole)))


@pytest.mark.parametrize("verb", list(VERBS))
def test_verbs_work_on_empty_frames(builders, sample, verb):
    for empty in (sample.iloc[:0], as_conjunctions([]), builders.reindexed(sample.iloc[:0], "multi")):
        result = VERBS[verb](empty)
        assert len(result) == 0
        full = VERBS[verb](sample)
        if isinstance(full, pd.DataFrame):
            assert result.drop(columns="pair", errors="ignore").dtypes.equals(
                full.drop(columns="pair", errors="ignore").dtypes
            )


@pytest.mark.parametrize("verb", list(VERBS))
def test_verbs_work_without_attrs(sample, verb):
    bare = sample.copy()
    bare.attrs = {}
    assert_same(VERBS[verb](bare), VERBS[verb](sample))


@pytest.mark.parametrize("verb", list(VERBS))
def test_verbs_do_not_change_their_input_and_leave_own_columns_alone(sample, verb):
    extended = sample.assign(kp=np.arange(49.0), note=[{"a": [number]} for number in range(49)], pair="mine")
    before = extended.copy(deep=True)
    result = VERBS[verb](extended)
    assert_conjunctions_equal(extended, before)
    if isinstance(result, pd.DataFrame) and "data_sources" in result:
        assert list(result.columns) == list(extended.columns)
        assert result["kp"].tolist() == result.index.tolist()
        assert [note["a"][0] for note in result["note"]] == result.index.tolist()
    plain = VERBS[verb](sample)
    assert len(result) == len(plain)


@pytest.mark.parametrize("verb", list(VERBS))
def test_changing_a_result_does_not_change_the_frame(sample, verb):
    before = sample.copy(deep=True)
    result = VERBS[verb](sample.copy(deep=False))
    if verb == "validate" or isinstance(result, pd.Series):
        return
    result["min_distance"] = -1.0
    assert_conjunctions_equal(sample, before)


def test_verbs_chain(builders, sample):
    chained = sample.query("min_distance < 300").aurorax.closest(1, by="pair").aurorax.explode_events()
    assert chained["pair"].is_unique
    assert (chained["min_distance"] < 300).all()
    assert list(chained.columns) == builders.EVENT_COLUMNS
    assert chained.attrs == sample.attrs


def test_functions_and_accessor_are_the_same(sample):
    pd.testing.assert_frame_equal(ap.explode_events(sample), sample.aurorax.explode_events())
    pd.testing.assert_frame_equal(ap.pair_summary(sample), sample.aurorax.pair_summary())
    assert_conjunctions_equal(ap.closest(sample, 2, by="pair"), sample.aurorax.closest(2, by="pair"))
    assert_conjunctions_equal(ap.within(sample, 200, how="any"), sample.aurorax.within(200, how="any"))


def test_accessor_refuses_frames_of_others():
    with pytest.raises(AttributeError, match="conjunctions"):
        pd.DataFrame({"a": [1]}).aurorax  # noqa: B018
    assert not hasattr(pd.DataFrame(), "aurorax")


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("validate", "minutes")])
def test_a_missing_column_is_named(sample, verb):
    lacking = sample.drop(columns=["events", "data_sources", "closest_epoch", "start"])
    with pytest.raises(ap.AuroraxInputError, match="needs the column"):
        VERBS[verb](lacking)


def test_categories_in_another_order_change_nothing(sample):
    near = sample.aurorax.closest_approach(ap.load_sample_ephemeris())
    turned = near.assign(
        spacecraft_hemisphere=near["spacecraft_hemisphere"].cat.reorder_categories(["southern", "northern"]),
        conjunction_type=near["conjunction_type"].cat.reorder_categories(["geographic", "sbtrace", "nbtrace"]),
    )
    assert len(turned.aurorax.overflights()) == len(near.aurorax.overflights()) == 20
    pd.testing.assert_frame_equal(
        turned.aurorax.passes().drop(columns="stations"), near.aurorax.passes().drop(columns="stations")
    )
    assert turned.aurorax.explode_events()["conjunction_type"].unique().tolist() == ["nbtrace"]


@pytest.mark.parametrize(
    ("verb", "lacking"),
    [
        (lambda df: df.aurorax.pair_summary(), "min_distance"),
        (lambda df: df.aurorax.groupby_pair("site"), "end"),
        (lambda df: df.aurorax.minutes(), "end"),
        (lambda df: df.aurorax.passes(), "closest_epoch"),
        (lambda df: df.aurorax.revisits(), "end"),
        (lambda df: df.aurorax.daily_counts(), "start"),
        (lambda df: df.aurorax.plot.timeline(), "start"),
        (lambda df: df.aurorax.plot.distance(), "max_distance"),
        (lambda df: df.aurorax.image_windows(), "closest_epoch"),
    ],
)
def test_a_column_of_events_that_is_missing_is_named(sample, verb, lacking):
    with pytest.raises(ap.AuroraxInputError, match=rf"needs the column\(s\) .*{lacking}"):
        verb(sample.aurorax.explode_events().drop(columns=lacking))


ELEMENTS = Path(__file__).with_name("data") / "swarm_20200101.tle"


def _of_query(df, query):
    other = df.copy(deep=False)
    other.attrs["aurorax"] = {**df.attrs["aurorax"], "query": query}
    return other


def _of_an_unknown_camera(builders):
    mine = builders.source(9000, "My camera", "ground", "mine")
    return as_conjunctions([builders.record(sources=(mine, builders.SWARM_A))])


WARNING = {
    "as_conjunctions of records": lambda b, df: as_conjunctions([b.record(low=-1.0)], on_bad_records="drop"),
    "as_conjunctions of a frame": lambda b, df: as_conjunctions(df.assign(min_distance=-1.0), on_bad_records="drop"),
    "as_conjunctions of trimmed": lambda b, df: as_conjunctions(
        [b.record(sources=({"identifier": 900_001}, b.SWARM_A))]
    ),
    "concat": lambda b, df: ap.concat([df, _of_query(df, {"start": "2021"})]),
    "passes": lambda b, df: df.aurorax.explode_events().assign(e2_source_type="satellite").aurorax.passes(),
    "sky": lambda b, df: _of_an_unknown_camera(b).aurorax.sky(),
    "magnetic": lambda b, df: ap.magnetic(_of_an_unknown_camera(b)),
    "observable": lambda b, df: _of_an_unknown_camera(b).aurorax.observable(),
    "overflights": lambda b, df: df.aurorax.overflights(ap.load_sample_ephemeris().isel(epoch=slice(0, 60))),
    "old elements": lambda b, df: ap.footprints_from_elements(
        ELEMENTS, "2020-03-01", "2020-03-01", "1D", external=None
    ),
}


@pytest.mark.parametrize("verb", WARNING)
def test_a_warning_tells_the_line_of_the_user(builders, sample, verb):
    if verb == "old elements":
        pytest.importorskip("sgp4")
    with pytest.warns(ap.AuroraxDataWarning) as caught:
        WARNING[verb](builders, sample)
    assert [warning.filename for warning in caught] == [__file__] * len(caught)


@pytest.mark.parametrize(("count", "more"), [(12, False), (13, True)])
def test_of_many_columns_a_dozen_are_named(count, more):
    df = pd.DataFrame([range(count)], columns=[f"column {number}" for number in range(count)])
    with pytest.raises(ap.AuroraxInputError, match=r"the frame has column 0, .*column 11") as caught:
        ap.closest(df)
    assert ("column 11, …;" in str(caught.value)) is more
    assert "column 12" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("filter", "did you mean filter_closest_epoch?"),
        ("group", "did you mean groupby_pair?"),
        ("explode", "explode_events"),
        ("timeline", "did you mean plot.timeline?"),
        ("save", "df.aurorax alone lists what it has"),
    ],
)
def test_a_verb_that_is_not_there_is_met_with_what_may_be_meant(sample, name, hint):
    with pytest.raises(AttributeError, match=re.escape(hint)):
        getattr(sample.aurorax, name)
    assert not hasattr(sample.aurorax, name)
    with pytest.raises(AttributeError, match=r"did you mean histogram\?"):
        sample.aurorax.plot.hist  # noqa: B018
