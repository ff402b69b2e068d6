import statistics

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions
from aurorax_pandas.frame.schema import PairSummarySchema
from aurorax_pandas.frame.validation import validate


def pair_lists(events):
    pairs = {}
    for event in events:
        pairs.setdefault(event["pair"], []).append(event)
    return dict(sorted(pairs.items()))


def minute_set(event):
    first, last = (int((event[name] - pd.Timestamp("2020-01-01")).total_seconds() // 60) for name in ("start", "end"))
    return set(range(first, last + 1))


@given(data=st.data())
def test_pair_summary_sums_up_each_pair(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    summary = df.aurorax.pair_summary()
    pairs = pair_lists(builders.reference_events(builders.in_row_order(df, made)))
    assert summary.index.tolist() == list(pairs)
    for name, events in pairs.items():
        row = summary.loc[name]
        best = min(events, key=lambda event: (event["min_distance"], event["start"]))
        assert row["count"] == len(events)
        assert row["minutes"] == len(set().union(*map(minute_set, events)))
        assert row["min_distance"] == best["min_distance"]
        assert row["median_distance"] == statistics.median(event["min_distance"] for event in events)
        assert row["first_start"] == min(event["start"] for event in events)
        assert row["last_end"] == max(event["end"] for event in events)
        assert (
            row["closest_epoch"] is pd.NaT
            if best["closest_epoch"] is None
            else row["closest_epoch"] == best["closest_epoch"]
        )
    validate(summary, PairSummarySchema)


def test_pair_summary_of_the_recorded_search(sample):
    summary = sample.aurorax.pair_summary()
    assert summary["count"].sum() == 49
    assert summary["minutes"].sum() == 92
    assert summary.loc["THEMIS-ASI GILL & Swarm C", "min_distance"] == 53.391843
    assert sample.aurorax.pair_summary(step="30s")["minutes"].sum() == 92 - 49 / 2


@given(data=st.data())
def test_groups_hold_the_events_of_each_pair(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    pairs = pair_lists(builders.reference_events(builders.in_row_order(df, made)))
    groups = {name: group["start"].tolist() for name, group in df.aurorax.groupby_pair()}
    assert groups == {name: [event["start"] for event in events] for name, events in pairs.items()}
    assert df.aurorax.groupby_pair().ngroups == len(pairs)


def test_a_level_of_the_index_may_be_called_pair_too(sample):
    events = sample.aurorax.explode_events()
    for by in ("pair", "site"):
        expected = events.aurorax.groupby_pair(by)["min_distance"].min()
        named = events.set_index("pair", drop=False).aurorax.groupby_pair(by)["min_distance"].min()
        pd.testing.assert_series_equal(named, expected)


def test_pairs_ignore_which_source_comes_first(builders):
    b = builders
    made = [
        b.record(0, 1, events=[b.event(b.ATHA, b.SWARM_A)]),
        b.record(0, 1, events=[b.event(b.SWARM_A, b.ATHA)], high=201.0),
    ]
    summary = as_conjunctions(made).aurorax.pair_summary()
    assert summary["count"].to_dict() == {"THEMIS-ASI ATHA & Swarm A": 2}
    assert summary["minutes"].tolist() == [2.0]


def test_cameras_of_one_site_count_once(builders):
    b = builders
    made = [
        b.record(0, 3, sources=(b.ATHA, b.SWARM_A), low=100.0),
        b.record(1, 4, sources=(b.REGO_ATHA, b.SWARM_A), low=90.0),
        b.record(9, 9, sources=(b.REGO_ATHA, b.SWARM_A), low=95.0),
        b.record(0, 3, sources=(b.GILL, b.SWARM_A), low=50.0),
    ]
    df = as_conjunctions(made)
    summary = df.aurorax.pair_summary(by="site")
    assert summary["count"].to_dict() == {"ATHA & Swarm A": 2, "GILL & Swarm A": 1}
    assert summary["min_distance"].tolist() == [90.0, 50.0]
    assert df.aurorax.groupby_pair("site").ngroups == 2
    assert df.aurorax.groupby_pair().ngroups == 3


@pytest.mark.parametrize("verb", ["groupby_pair", "pair_summary"])
def test_pairs_are_by_pair_or_site_only(sample, verb):
    with pytest.raises(ap.AuroraxInputError, match="'camera'"):
        getattr(sample.aurorax, verb)("camera")


@pytest.mark.parametrize("step", ["-1min", "soon", True, []])
@pytest.mark.parametrize("verb", ["minutes", "pair_summary"])
def test_what_is_no_step_is_refused(sample, verb, step):
    with pytest.raises(ap.AuroraxInputError, match="step"):
        getattr(sample.aurorax, verb)(step=step)


def test_spans_that_are_exact_have_a_step_of_zero(sample):
    spans = (sample["end"] - sample["start"]).dt.total_seconds() / 60
    assert sample.aurorax.minutes(step="0min").tolist() == spans.tolist()
    assert sample.aurorax.pair_summary(step="0min")["minutes"].sum() == spans.sum()


def test_pair_verbs_take_events_too(sample):
    events = sample.aurorax.explode_events()
    pd.testing.assert_frame_equal(events.aurorax.pair_summary(), sample.aurorax.pair_summary())
    filtered = events[events["min_distance"] < 200]
    assert filtered.aurorax.pair_summary()["count"].sum() == len(filtered)


def test_events_without_a_pair_are_in_no_summary(sample):
    events = sample.aurorax.explode_events()
    kept = events["pair"] != events.loc[0, "pair"]
    summary = events.assign(pair=events["pair"].where(kept)).aurorax.pair_summary()
    pd.testing.assert_frame_equal(summary, events[kept].aurorax.pair_summary())


def test_events_put_together_of_pieces_are_labelled_by_site(sample):
    events = sample.aurorax.explode_events()
    pieces = pd.concat([events.iloc[:20], events.iloc[20:]])
    pd.testing.assert_frame_equal(pieces.aurorax.pair_summary("site"), events.aurorax.pair_summary("site"))


def test_summaries_are_in_alphabetical_order_whatever_that_of_the_categories(sample):
    events = sample.aurorax.explode_events()
    turned = events.assign(pair=events["pair"].cat.reorder_categories(events["pair"].cat.categories[::-1]))
    pd.testing.assert_frame_equal(turned.aurorax.pair_summary(), events.aurorax.pair_summary())


def test_the_minutes_of_a_site_are_those_that_any_of_its_cameras_saw(builders):
    rego = {**builders.GILL, "identifier": 900, "program": "rego", "display_name": "REGO GILL"}
    df = as_conjunctions(
        [
            builders.record(11, 12, sources=(builders.GILL, builders.SWARM_A), low=200.0, high=210.0),
            builders.record(12, 14, sources=(rego, builders.SWARM_A), low=100.0, high=110.0),
        ]
    )
    summary = df.aurorax.pair_summary(by="site").loc["GILL & Swarm A"]
    assert (summary["count"], summary["minutes"], summary["min_distance"]) == (1, 4, 100)
    assert summary["first_start"] == pd.Timestamp(builders.at(11))


def test_spans_closer_than_a_step_are_counted_once(builders):
    df = as_conjunctions([builders.record(0, 1), builders.record(1.5, 2)])
    assert df.aurorax.pair_summary()["minutes"].tolist() == [3.0]


def test_types_of_one_site_stay_apart(builders):
    made = [
        builders.record(0, 1, conjunction_type=kind, events=[
            {**builders.event(builders.ATHA, builders.SWARM_A), "conjunction_type": kind}
        ])
        for kind in ("nbtrace", "sbtrace")
    ]  # fmt: skip
    df = as_conjunctions(made)
    assert df.aurorax.pair_summary("site")["count"].to_dict() == {"ATHA & Swarm A": 2}
    assert len(df.aurorax.deduplicate("site")) == 2


def test_sources_of_a_summary_stand_in_the_order_of_its_labels_whichever_comes_first(builders):
    b = builders
    turned = [b.event(b.SWARM_A, b.ATHA, 0, 1), b.event(b.ATHA, b.SWARM_A, 5, 6), b.event(b.SWARM_B, b.GILL, 0, 1)]
    df = as_conjunctions([b.record(0, 6, sources=(b.ATHA, b.GILL, b.SWARM_A, b.SWARM_B), events=turned)])
    summary = df.aurorax.pair_summary(sources=True)
    assert summary["e1_display_name"].tolist() == ["THEMIS-ASI ATHA", "THEMIS-ASI GILL"]
    assert summary["e2_display_name"].tolist() == ["Swarm A", "Swarm B"]
    assert summary["e2_identifier"].tolist() == [3, 29]
