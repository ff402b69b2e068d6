import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas
from aurorax_pandas.testing import assert_conjunctions_equal

SAMPLE = aurorax_pandas.load_sample_ephemeris()
SEARCHES = {
    "pairs": {"distance": 900, "ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}},
    "triples": {"distance": 900, "ground": {"programs": "themis-asi"}, "space": [{"programs": "swarm"}] * 2},
}
WHOLE = {name: aurorax_pandas.find_conjunctions(SAMPLE, **search) for name, search in SEARCHES.items()}


@given(st.sampled_from(sorted(SEARCHES)), st.lists(st.integers(1, 1438), min_size=1, max_size=6, unique=True))
def test_searches_of_any_windows_stitched_equal_the_whole(name, cuts):
    edges = [0, *sorted(cuts), 1440]
    parts = [
        aurorax_pandas.find_conjunctions(SAMPLE.isel(epoch=slice(first, last)), **SEARCHES[name])
        for first, last in itertools.pairwise(edges)
        if SAMPLE["nbtrace_lat"].isel(epoch=slice(first, last), source=slice(3, None)).notnull().any()
        and SAMPLE["nbtrace_lat"].isel(epoch=slice(first, last), source=slice(0, 3)).notnull().any()
    ]
    stitched = aurorax_pandas.stitch(pd.concat(parts))
    assert_conjunctions_equal(stitched, WHOLE[name], check_attrs=False)


def test_stitching_twice_changes_nothing_more():
    doubled = pd.concat([WHOLE["triples"], WHOLE["triples"].sample(frac=0.5, random_state=1)])
    once = aurorax_pandas.stitch(doubled)
    assert_conjunctions_equal(once, WHOLE["triples"], check_attrs=False)
    assert_conjunctions_equal(aurorax_pandas.stitch(once), once)


def piece(start, end, low, high, closest, identifiers=(1, 2)):
    sources = [{"identifier": number, "display_name": f"S{number}", "source_type": "leo"} for number in identifiers]
    day = "2020-01-01T00:"
    return {
        "conjunction_type": "nbtrace", "start": f"{day}{start}:00", "end": f"{day}{end}:00", "min_distance": low,
        "max_distance": high, "closest_epoch": f"{day}{closest}:00", "farthest_epoch": f"{day}{start}:00",
        "data_sources": sources, "events": [{
            "conjunction_type": "nbtrace", "e1_source": sources[0], "e2_source": sources[1], "start": f"{day}{start}:00",
            "end": f"{day}{end}:00", "min_distance": low, "max_distance": high,
        }],
    }  # fmt: skip


def stitched(*pieces, **arguments):
    return aurorax_pandas.stitch(aurorax_pandas.as_conjunctions(list(pieces)), **arguments)


def test_earliest_epoch_wins_a_tie():
    df = stitched(piece("10", "12", 5.0, 9.0, "11"), piece("13", "14", 5.0, 8.0, "13"))
    assert df["closest_epoch"].tolist() == [pd.Timestamp("2020-01-01T00:11")]
    assert df[["min_distance", "max_distance"]].to_numpy().tolist() == [[5.0, 9.0]]
    assert len(df["events"].iloc[0]) == 1


@pytest.mark.parametrize("rows", [[0, 1], [1, 0]])
def test_earliest_epoch_wins_a_tie_whichever_row_comes_first(rows):
    pieces = [
        piece("10", "14", 5.0, 9.0, "14") | {"farthest_epoch": "2020-01-01T00:13:00"},
        piece("11", "12", 5.0, 9.0, "12") | {"farthest_epoch": "2020-01-01T00:11:00"},
    ]
    df = aurorax_pandas.stitch(aurorax_pandas.as_conjunctions(pieces).iloc[rows])
    assert df["closest_epoch"].tolist() == [pd.Timestamp("2020-01-01T00:12")]
    assert df["farthest_epoch"].tolist() == [pd.Timestamp("2020-01-01T00:11")]


def test_two_epochs_apart_stay_two():
    assert len(stitched(piece("10", "12", 5.0, 9.0, "11"), piece("14", "14", 5.0, 8.0, "14"))) == 2
    assert len(stitched(piece("10", "12", 5.0, 9.0, "11"), piece("14", "14", 5.0, 8.0, "14"), step="2min")) == 1


def test_other_sources_stay_apart_and_order_of_sources_does_not_matter():
    apart = stitched(piece("10", "12", 5.0, 9.0, "11"), piece("13", "14", 5.0, 8.0, "13", (1, 3)))
    assert len(apart) == 2
    turned = stitched(piece("10", "12", 5.0, 9.0, "11"), piece("13", "14", 5.0, 8.0, "13", (2, 1)))
    assert len(turned) == 1
    assert len(turned["events"].iloc[0]) == 1


def test_own_columns_and_attrs_are_kept():
    df = pd.concat([WHOLE["pairs"], WHOLE["pairs"]]).assign(note=lambda frame: np.arange(len(frame)))
    df.attrs = {"mine": 1}
    joined = aurorax_pandas.stitch(df)
    assert joined["note"].tolist() == list(range(len(WHOLE["pairs"])))
    assert joined.attrs == {"mine": 1}


def test_empty_frame_stays_empty():
    assert_conjunctions_equal(aurorax_pandas.stitch(WHOLE["pairs"].iloc[:0]), WHOLE["pairs"].iloc[:0])


def test_step_must_be_a_span():
    with pytest.raises(aurorax_pandas.AuroraxInputError, match="step="):
        aurorax_pandas.stitch(WHOLE["pairs"], step="soon")


@pytest.mark.parametrize("rows", [[0, 1], [1, 0]])
def test_columns_of_ones_own_are_those_of_the_earliest_row(rows):
    pieces = [piece("10", "12", 6.0, 9.0, "11"), piece("13", "14", 5.0, 8.0, "13")]
    df = aurorax_pandas.as_conjunctions(pieces).assign(note=["early", "late"])
    assert aurorax_pandas.stitch(df.iloc[rows])["note"].tolist() == ["early"]


def test_events_stay_in_the_order_in_which_they_come():
    first = piece("10", "14", 5.0, 9.0, "11", (1, 2, 3))
    pairs = [((1, 2), "10", "10"), ((1, 3), "11", "11"), ((1, 2), "13", "14")]
    events = [{**event, "max_distance": 6.0 + number} for number, (identifiers, start, end) in enumerate(pairs)
              for event in piece(start, end, 5.0, 9.0, start, identifiers)["events"]]  # fmt: skip
    last = piece("15", "15", 5.0, 7.0, "15", (1, 2, 3))
    df = stitched(first | {"events": events}, last)
    assert df["events"].iloc[0]["start"].dt.minute.tolist() == [10, 11, 13]
    assert df["events"].iloc[0]["end"].dt.minute.tolist() == [10, 11, 15]
    assert df["events"].iloc[0]["max_distance"].tolist() == [6.0, 7.0, 8.0]
    assert df["end"].dt.minute.tolist() == [15]


def test_events_stay_with_their_conjunctions_where_several_are_cut_at_one_time():
    pieces = []
    for start, end in (("10", "12"), ("13", "14")):
        for identifiers, pairs in (((1, 2, 3), [(1, 2), (1, 3)]), ((1, 2, 4), [(1, 2)])):
            events = [event for pair in pairs for event in piece(start, end, 5.0, 9.0, start, pair)["events"]]
            pieces.append(piece(start, end, 5.0, 9.0, start, identifiers) | {"events": events})
    df = stitched(*pieces)
    assert [len(sources) for sources in df["data_sources"]] == [3, 3]
    assert [len(events) for events in df["events"]] == [2, 1]
