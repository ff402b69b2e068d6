import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions
from aurorax_pandas.frame.schema import EventSchema
from aurorax_pandas.frame.validation import validate
from aurorax_pandas.testing import assert_conjunctions_equal


@given(data=st.data())
def test_events_are_those_of_the_records_in_their_order(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    df = df.iloc[data.draw(st.permutations(range(len(df))))]
    events = df.aurorax.explode_events()
    assert list(events.columns) == builders.EVENT_COLUMNS
    wanted = list(builders.reference_events(builders.in_row_order(df, made)))
    found = events.drop(columns="conjunction_label").astype(object)
    found = found.where(found.notna(), None).to_dict("records")
    assert found == wanted
    assert events["conjunction_label"].tolist() == df.index[events["conjunction"]].tolist()
    validate(events, EventSchema)


def test_events_are_typed(sample):
    events = sample.aurorax.explode_events()
    assert events["e1_identifier"].dtype == "Int64"
    assert events["e2_display_name"].dtype == "str"
    assert isinstance(events["pair"].dtype, pd.CategoricalDtype)
    assert {events[name].dtype for name in ("start", "end", "closest_epoch")} == {np.dtype("M8[us]")}
    assert len(events.query("pair == 'THEMIS-ASI ATHA & Swarm A'")) > 0
    assert list(sample.iloc[:0].aurorax.explode_events().columns) == list(events.columns)


def test_exploded_events_are_written_to_without_touching_their_parents(sample):
    before = sample.copy()
    events = sample.aurorax.explode_events()
    for name in events.columns.drop(["conjunction_type", "pair"]):
        events.loc[0, name] = events.loc[48, name]
    assert events.loc[0, "e1_display_name"] == events.loc[48, "e1_display_name"]
    assert events.loc[0, "min_distance"] == events.loc[48, "min_distance"]
    assert_conjunctions_equal(sample, before)


def test_labels_of_parents_are_carried_to_events(builders, sample):
    events = builders.reindexed(sample, "multi").aurorax.explode_events()
    assert events["conjunction_label"].tolist() == [("a", number) for number in range(48, -1, -1)]
    joined = events.merge(sample.assign(kp=1.5)[["kp"]], left_on="conjunction", right_index=True)
    assert (joined["kp"] == 1.5).all()


OWN = {
    "number": lambda count: np.arange(count) * 1.5,
    "text": lambda count: pd.array(["a", None] * count, dtype="str")[:count],
    "whole": lambda count: pd.array([1, None] * count, dtype="Int64")[:count],
    "time": lambda count: pd.date_range("2020-01-01", periods=count, tz="America/Winnipeg"),
    "night": lambda count: pd.Categorical.from_codes(np.arange(count) % 3, ["x", "y", "z"], ordered=True),
    "object": lambda count: pd.Series([[number] for number in range(count)]).array,
}


@given(data=st.data())
def test_columns_of_your_own_travel_to_each_event(builders, data):
    df = as_conjunctions(data.draw(builders.tagged_records()))
    tagged = df.assign(**{name: make(len(df)) for name, make in OWN.items()})
    tagged = tagged.iloc[data.draw(st.permutations(range(len(df))))]
    events = tagged.aurorax.explode_events()
    assert list(events.columns) == [*builders.EVENT_COLUMNS, *OWN]
    joined = tagged[list(OWN)].iloc[events["conjunction"].to_numpy()].reset_index(drop=True)
    pd.testing.assert_frame_equal(events[list(OWN)], joined)
    pd.testing.assert_frame_equal(events[builders.EVENT_COLUMNS], tagged.aurorax.explode_events(columns=()))
    for chosen in (["whole"], ["time", "farthest_epoch"], "text"):
        names = [chosen] if isinstance(chosen, str) else chosen
        assert set(tagged.aurorax.explode_events(chosen).columns[len(builders.EVENT_COLUMNS) :]) == set(names)
    validate(events, EventSchema)


def test_what_an_event_has_of_its_own_stays_with_the_parents(builders, sample):
    tagged = sample.assign(pair="mine", e1_program="mine", kp=2.0)
    events = tagged.aurorax.explode_events()
    assert list(events.columns) == [*builders.EVENT_COLUMNS, "kp"]
    assert "mine" not in set(events["pair"])
    for wanted in ("pair", ["kp", "min_distance"], ["events"], "data_sources"):
        with pytest.raises(ap.AuroraxInputError, match="of its own"):
            tagged.aurorax.explode_events(wanted)
    with pytest.raises(ap.AuroraxInputError, match="'dst' is no column"):
        tagged.aurorax.explode_events(["dst"])


def test_columns_that_are_called_alike_travel_both(sample):
    twice = pd.concat([sample.assign(kp=1.0), pd.Series(2.0, sample.index, name="kp")], axis=1)
    assert twice.aurorax.explode_events()["kp"].iloc[0].tolist() == [1.0, 2.0]


def test_columns_travel_through_the_verbs_of_events(sample):
    ephemeris = ap.load_sample_ephemeris()
    near = sample.aurorax.closest_approach(ephemeris).assign(kp=np.arange(49.0))
    events = near.aurorax.explode_events()
    assert events["approach_time"].equals(near["approach_time"])
    assert near.aurorax.groupby_pair()["kp"].max().max() == 48
    assert near.aurorax.sky("approach_time")["kp"].tolist() == near["kp"].tolist()


def test_an_epoch_that_may_belong_to_another_pair_is_not_guessed(builders):
    b = builders
    events = [
        b.event(b.ATHA, b.SWARM_A, 0, 4, 50.0),
        b.event(b.ATHA, b.SWARM_B, 0, 4, 60.0),
        b.event(b.SWARM_A, b.SWARM_B, 0, 1, 50.0),
    ]
    record = b.record(0, 4, sources=(b.ATHA, b.SWARM_A, b.SWARM_B), events=events, low=50.0, closest=3)
    epochs = as_conjunctions([record]).aurorax.explode_events()["closest_epoch"]
    assert epochs.isna().tolist() == [False, True, True]


def test_events_know_their_pair_by_their_sources_alone(sample):
    events = sample.aurorax.explode_events()
    bare = events.drop(columns="pair")
    assert bare.aurorax.pair_summary().equals(events.aurorax.pair_summary())
    assert bare.aurorax.closest(1, by="pair")["pair"].tolist() == events.aurorax.closest(1, by="pair")["pair"].tolist()


def test_columns_of_several_levels_are_met_with_what_to_do(sample):
    nested = pd.concat({"mine": sample}, axis=1)
    with pytest.raises(ap.AuroraxInputError, match="columns of several levels; choose one level"):
        ap.closest(nested, 1)


@pytest.mark.parametrize("kind", ["nbtrace", "sbtrace", "geographic"])
def test_an_event_without_a_type_is_of_its_conjunctions_type(builders, kind):
    untyped = {**builders.event(builders.ATHA, builders.SWARM_A), "conjunction_type": None}
    df = as_conjunctions([builders.record(events=[untyped], conjunction_type=kind)])
    assert df["events"].iloc[0]["conjunction_type"].isna().all()
    assert df.aurorax.explode_events()["conjunction_type"].tolist() == [kind]
    assert df.aurorax.passes()["conjunction_type"].tolist() == [kind]


@pytest.mark.filterwarnings("ignore:.* data source:aurorax_pandas.AuroraxDataWarning")
def test_a_source_without_a_name_still_has_a_label(builders):
    # no table knows the names of these
    nameless = {**builders.ATHA, "identifier": 900044, "display_name": None}
    bare = {"identifier": 900007}
    df = as_conjunctions(
        [builders.record(sources=(nameless, builders.SWARM_A)), builders.record(2, 3, sources=(bare, {}))]
    )
    first, second = df.aurorax.explode_events()["pair"]
    assert first == "themis-asi athabasca & Swarm A"
    assert second == "source 900007 & unknown source"


BROKEN = {"no start": {"start": pd.NaT}, "no end": {"end": pd.NaT}, "swapped": {"end": pd.Timestamp("2019-12-31")}}


@pytest.mark.parametrize("change", BROKEN.values(), ids=list(BROKEN))
@pytest.mark.parametrize(
    "verb",
    ["pair_summary", "passes", "stitch", "refine", "tracks", "revisits", "deduplicate", "groupby_pair", "closest"],
)
def test_a_row_without_a_span_is_named_and_not_counted(sample, verb, change):
    ephemeris = ap.load_sample_ephemeris()
    calls = {
        "pair_summary": lambda df: df.aurorax.explode_events().assign(**edited).aurorax.pair_summary(),
        "passes": lambda df: df.aurorax.explode_events().assign(**edited).aurorax.passes(),
        "stitch": lambda df: ap.stitch(df.assign(**edited)),
        "refine": lambda df: df.assign(**edited).aurorax.refine(ephemeris),
        "tracks": lambda df: df.aurorax.explode_events().assign(**edited).aurorax.tracks(ephemeris),
        "revisits": lambda df: df.aurorax.explode_events().assign(**edited).aurorax.revisits(),
        "deduplicate": lambda df: df.assign(**edited).aurorax.deduplicate("site"),
        "groupby_pair": lambda df: df.aurorax.explode_events().assign(**edited).aurorax.groupby_pair("site"),
        "closest": lambda df: df.aurorax.explode_events().assign(**edited).aurorax.closest(by="site"),
    }
    edited = {name: sample[name].mask(sample.index == 3, value) for name, value in change.items()}
    with pytest.raises(ap.AuroraxInputError, match=rf"^{verb}: 1 of 49 rows have no start or end"):
        calls[verb](sample)


@pytest.mark.parametrize("column", ["e1_source_type", "e2_display_name"])
def test_events_that_lack_a_source_are_told(sample, column):
    ephemeris = ap.load_sample_ephemeris()
    verbs = sample.aurorax.explode_events().drop(columns=column).aurorax
    calls = [
        lambda: verbs.closest_approach(ephemeris),
        lambda: verbs.overflights(ephemeris),
        lambda: verbs.passes(),
        lambda: verbs.sky(),
        lambda: verbs.image_windows(),
        lambda: verbs.spacecraft_windows(),
        lambda: verbs.revisits("spacecraft"),
        lambda: verbs.daily_counts("station"),
    ]
    for call in calls:
        with pytest.raises(ap.AuroraxInputError, match=rf"the events lack the column\(s\) {column}, which tell"):
            call()


def test_a_distance_that_is_not_known_leaves_the_others_of_its_pair(sample):
    events = sample.aurorax.explode_events()
    pair = events["pair"].value_counts().index[0]
    first = events.index[events["pair"] == pair][0]
    some = events.assign(min_distance=events["min_distance"].mask(events.index == first))
    told = some.aurorax.pair_summary().loc[pair]
    expected = some.loc[some["pair"] == pair].dropna(subset="min_distance")
    assert told["min_distance"] == expected["min_distance"].min()
    assert told["median_distance"] == expected["min_distance"].median()
    assert told["closest_epoch"] == expected.loc[expected["min_distance"].idxmin(), "closest_epoch"]
