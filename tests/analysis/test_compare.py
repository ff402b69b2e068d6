import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions


def sources(record, kind):
    ground = {one["platform"] for one in record["data_sources"] if one["source_type"] == "ground"}
    craft = {one["display_name"] for one in record["data_sources"] if one["source_type"] != "ground"}
    return {"space": craft, "site": ground, "time": {""}}[kind]


@given(data=st.data(), on=st.sampled_from(["space", "site", "time"]), tolerance=st.integers(0, 3))
def test_overlaps_are_those_of_two_nested_loops(builders, data, on, tolerance):
    made, others = (data.draw(builders.tagged_records(max_size=6)) for _ in range(2))
    df, other = as_conjunctions(made), as_conjunctions(others)
    slack = pd.Timedelta(minutes=tolerance)
    expected = {
        (row, column)
        for row, one in enumerate(builders.in_row_order(df, made))
        for column, two in enumerate(builders.in_row_order(other, others))
        if sources(one, on) & sources(two, on)
        and pd.Timestamp(one["start"]) <= pd.Timestamp(two["end"]) + slack
        and pd.Timestamp(two["start"]) <= pd.Timestamp(one["end"]) + slack
    }
    found = df.aurorax.overlaps(other, on=on, tolerance=f"{tolerance}min")
    assert len(found) == len(expected)
    assert set(zip(found["conjunction"], found["other"], strict=True)) == expected
    common = found.dropna(subset=["start"])
    assert (common["start"] <= common["end"]).all()
    assert len(common) == len(found) or tolerance


def test_overlaps_say_what_is_shared_and_when(sample):
    gillam, rankin = (sample.aurorax.select_sources(site=site) for site in ("GILL", "RANK"))
    (found,) = gillam.aurorax.overlaps(rankin).itertuples(index=False)
    assert (found.shared, str(found.start), str(found.end)) == ("Swarm C", "2020-01-01 00:11:00", "2020-01-01 00:11:00")
    assert len(gillam.aurorax.overlaps(rankin, tolerance="1min")) == 5
    assert gillam.aurorax.overlaps(rankin, on="site").empty
    assert sample.iloc[:0].aurorax.overlaps(sample).dtypes.equals(gillam.aurorax.overlaps(rankin).dtypes)
    with pytest.raises(ap.AuroraxInputError, match="on='source'"):
        gillam.aurorax.overlaps(rankin, on="source")


def test_what_is_shared_is_named_once_and_in_alphabetical_order(builders):
    b = builders
    sources = (b.REGO_ATHA, b.GILL, b.ATHA, b.SWARM_B, b.SWARM_A)
    df = as_conjunctions([b.record(sources=sources)])
    assert df.aurorax.overlaps(df, on="space")["shared"].tolist() == ["Swarm A & Swarm B"]
    assert df.aurorax.overlaps(df, on="site")["shared"].tolist() == ["ATHA & GILL"]
    assert df.aurorax.overlaps(df, on="time")["shared"].tolist() == [""]


def test_overlaps_in_time_need_no_sources(sample):
    spans = sample[["start", "end"]]
    pd.testing.assert_frame_equal(ap.overlaps(spans, spans, on="time"), ap.overlaps(sample, sample, on="time"))
    with pytest.raises(ap.AuroraxInputError, match="data_sources"):
        ap.overlaps(spans, spans)


def test_equal_reads_differ_in_nothing(sample):
    assert [len(part) for part in sample.aurorax.compare(sample.iloc[::-1])] == [0, 0, 0]
    assert [len(part) for part in sample.iloc[:0].aurorax.compare(sample.iloc[:0])] == [0, 0, 0]


def test_each_of_equal_rows_counts(sample):
    row, four = sample.iloc[[7]], sample.iloc[[7, 7, 7, 7]]
    assert [len(part) for part in four.aurorax.compare(row)] == [0, 3, 0]
    assert [len(part) for part in row.aurorax.compare(four)] == [3, 0, 0]
    assert [len(part) for part in four.aurorax.compare(four)] == [0, 0, 0]


def test_gained_lost_and_changed(sample):
    later = sample.drop(index=[7]).copy()
    later.loc[3, "min_distance"] = 40.0
    later.loc[5, "end"] += pd.Timedelta("1min")
    gained, lost, changed = sample.drop(index=[20]).aurorax.compare(later)
    assert (gained.index.tolist(), lost.index.tolist()) == ([20], [7])
    assert changed.columns[:3].tolist() == ["conjunction", "other", "sources"]
    assert changed["sources"].tolist() == ["THEMIS-ASI RANK & Swarm C", "THEMIS-ASI GILL & Swarm A"]
    assert changed["min_distance_other"].tolist() == [40.0, 89.436436]
    assert (changed["end_other"] - changed["end"]).dt.total_seconds().tolist() == [0.0, 60.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", pd.Timestamp("2020-01-01T00:01")),
        ("end", pd.Timestamp("2020-01-01T00:09")),
        ("min_distance", 99.0),
        ("max_distance", 201.0),
        ("closest_epoch", pd.NaT),
        ("farthest_epoch", pd.Timestamp("2020-01-01T00:03")),
    ],
)
def test_every_value_can_change(builders, name, value):
    df = as_conjunctions([builders.record(0, 4, closest=2)])
    (changed,) = df.aurorax.compare(df.assign(**{name: value})).changed.to_dict("records")
    assert changed[f"{name}_other"] is value or changed[f"{name}_other"] == value
    others = [each for each in ("start", "end", "min_distance", "max_distance") if each != name]
    assert all(changed[each] == changed[f"{each}_other"] for each in others)


def test_a_changed_row_without_sources_names_none(builders):
    df = ap.as_conjunctions([builders.record(0, 1, sources=(), events=[]), builders.record(5, 6)])
    changed = df.aurorax.compare(df.assign(max_distance=df["max_distance"] + 1)).changed
    assert changed["sources"].tolist() == ["", "THEMIS-ASI ATHA & Swarm A"]


def test_changed_rows_are_in_the_order_of_the_frame(sample):
    later = sample.copy()
    later.loc[3, "end"] += pd.Timedelta("1min")
    later.loc[5, "min_distance"] = 40.0
    assert sample.aurorax.compare(later).changed["conjunction"].tolist() == [3, 5]


def test_of_several_rows_that_share_an_epoch_the_earliest_are_one_conjunction(builders):
    long = as_conjunctions([builders.record(0, 9)])
    parts = as_conjunctions([builders.record(1, 4), builders.record(6, 8)]).iloc[::-1]
    gained, lost, changed = long.aurorax.compare(parts)
    assert (gained["start"].tolist(), len(lost)) == ([pd.Timestamp(builders.at(6))], 0)
    assert changed["start_other"].tolist() == [pd.Timestamp(builders.at(1))]
    gained, lost, changed = parts.aurorax.compare(long)
    assert (len(gained), lost["start"].tolist()) == (0, [pd.Timestamp(builders.at(6))])


@given(data=st.data())
def test_every_row_is_gained_lost_or_matched_once(builders, data):
    df, other = (as_conjunctions(data.draw(builders.tagged_records())) for _ in range(2))
    gained, lost, changed = df.aurorax.compare(other)
    assert len(df) - len(lost) == len(other) - len(gained)
    assert changed["conjunction"].is_unique
    assert changed["other"].is_unique
    assert not set(changed["other"]) & set(gained.index)


def test_different_queries_are_refused_unless_asked_for(sample):
    other = sample.copy()
    other.attrs["aurorax"] = {**other.attrs["aurorax"], "query": {**sample.aurorax.provenance["query"], "end": "x"}}
    with pytest.raises(ap.AuroraxInputError, match="differ in end"):
        sample.aurorax.compare(other)
    assert [len(part) for part in sample.aurorax.compare(other, on="source")] == [0, 0, 0]
    other.attrs.clear()
    assert [len(part) for part in sample.aurorax.compare(other)] == [0, 0, 0]


def with_query(df, **changes):
    made = df.copy(deep=False)
    made.attrs = {"aurorax": {**df.aurorax.provenance, "query": {**df.aurorax.provenance["query"], **changes}}}
    return made


@pytest.mark.parametrize(
    "changes",
    [
        {"ground": [{"programs": ["themis-asi"], "platforms": [], "ephemeris_metadata_filters": None}]},
        {"space": [{"programs": ["swarm"], "hemisphere": [], "instrument_types": []}]},
        {"space": [{"programs": ["swarm"], "ephemeris_metadata_filters": {"logical_operator": "AND"}}]},
        {"conjunction_types": []},
        {"events": None, "adhoc": None},
        {"request_id": None, "epoch_search_precision": 60},
        {"subminute_precision": False},
    ],
)
def test_queries_that_write_nothing_in_other_ways_are_one(sample, changes):
    other = with_query(sample, **changes)
    assert [len(part) for part in sample.aurorax.compare(other)] == [0, 0, 0]
    assert [len(part) for part in other.aurorax.compare(sample)] == [0, 0, 0]
    together = ap.concat([sample, other]).aurorax.provenance["query"]
    assert together == sample.aurorax.provenance["query"]


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("ground", {"ground": [{"programs": ["themis-asi"], "platforms": ["gillam"]}]}),
        ("ground", {"ground": [{"programs": ["themis-asi"]}, {}]}),
        ("conjunction_types", {"conjunction_types": ["sbtrace"]}),
        ("subminute_precision", {"epoch_search_precision": 30}),
        ("max_distances", {"max_distances": {"ground1-space1": None}}),
    ],
)
def test_queries_that_ask_for_other_things_stay_two(sample, part, changes):
    other = with_query(sample, **changes)
    with pytest.raises(ap.AuroraxInputError, match=f"differ in {part}\\)"):
        sample.aurorax.compare(other)
    with pytest.warns(ap.AuroraxDataWarning, match=f"2 queries, which differ in {part};"):
        ap.concat([sample, other])


def test_queries_that_differ_in_their_number_are_refused(sample):
    other = sample.copy(deep=False)
    query = sample.aurorax.provenance["query"]
    other.attrs = {"aurorax": {**sample.aurorax.provenance, "query": [query, {**query, "end": "2020-01-02T00:00:00"}]}}
    with pytest.raises(ap.AuroraxInputError, match="differ in their number"):
        sample.aurorax.compare(other)


def test_sites_match_cameras_that_share_them(builders):
    one = as_conjunctions([builders.record(sources=(builders.ATHA, builders.SWARM_A))])
    two = as_conjunctions([builders.record(sources=(builders.REGO_ATHA, builders.SWARM_A))])
    assert [len(part) for part in one.aurorax.compare(two)] == [1, 1, 0]
    assert [len(part) for part in one.aurorax.compare(two, on="site")] == [0, 0, 0]


def test_window_edges(sample):
    assert not sample.aurorax.at_window_edge().any()
    cut = sample.aurorax.at_window_edge(start="2020-01-01T00:08", end="2020-01-01T06:56:30")
    assert np.flatnonzero(cut).tolist() == [0, 1, 47, 48]
    bare = sample.set_axis([0] * 49).copy()
    bare.attrs.clear()
    with pytest.raises(ap.AuroraxInputError, match="give the window"):
        bare.aurorax.at_window_edge()
    assert bare.aurorax.at_window_edge(start="2020-01-01", end="2020-01-01T06:59:59").index.equals(bare.index)
    with pytest.raises(ap.AuroraxInputError, match="swap"):
        sample.aurorax.at_window_edge(start="2021")


@pytest.mark.parametrize("step", ["30s", "1min"])
def test_a_step_away_from_the_edge_of_the_window_nothing_is_cut(builders, step):
    df = as_conjunctions([builders.record(10, 20)])
    start, end = df["start"].iloc[0], df["end"].iloc[0]
    away, less = pd.Timedelta(step), pd.Timedelta(step) - pd.Timedelta("1s")

    def cut(first, last):
        return bool(df.aurorax.at_window_edge(start=start - first, end=end + last, step=step).iloc[0])

    assert not cut(away, away)
    assert cut(less, away)
    assert cut(away, less)


@pytest.mark.parametrize("kind", ["minutes", "every other minute", "half-minutes", "exact spans"])
def test_what_a_window_cuts_is_at_its_edge_whatever_the_step_of_the_frame(kind):
    ephemeris = ap.load_sample_ephemeris()
    if kind == "every other minute":
        ephemeris = ephemeris.isel(epoch=slice(None, None, 2))
    search = {"distance": 1000, "ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}
    search |= {"continuous": kind == "exact spans"} | ({"subminute_precision": True} if kind == "half-minutes" else {})

    def found(start, end):
        df = ap.find_conjunctions(ephemeris, f"2020-01-01T{start}", f"2020-01-01T{end}", **search)
        return df.assign(pair=df.aurorax.explode_events()["pair"].array)

    wide = found("00:00", "00:30")
    for start, end in (("00:08:30", "00:11:00"), ("00:09:00", "00:12:20"), ("00:10:10", "00:13:30")):
        df = found(start, end)
        both = df[["pair", "start", "end"]].merge(wide[["pair", "start", "end"]], on="pair", suffixes=("", "_wide"))
        assert len(both) == len(df) > 2
        cut = (both["start"] != both["start_wide"]) | (both["end"] != both["end_wide"])
        edge = df.set_index("pair").aurorax.at_window_edge()[both["pair"]].array
        assert cut.any()
        # what begins or ends right there may go on, what does go on is told
        assert edge[cut.to_numpy()].all()
        inside = (both["start_wide"] > both["start"].min()) & (both["end_wide"] < both["end"].max())
        assert not edge[inside.to_numpy()].any()


def test_a_frame_of_several_steps_needs_one_to_tell_its_edges(sample):
    df = sample.copy(deep=False)
    df.attrs = {"aurorax": {**sample.aurorax.provenance, "step": ["60s", "120s"]}}
    with pytest.raises(ap.AuroraxInputError, match="give step="):
        df.aurorax.at_window_edge()
    assert not df.aurorax.at_window_edge(step="1min").any()


def test_a_comparison_shows_how_many_rows_differ(sample):
    found = sample.head(40).aurorax.compare(sample.tail(45))
    assert repr(found).startswith("Comparison: 9 gained, 4 lost, 0 changed;")
    assert "<th>gained</th><td>9</td>" in found._repr_html_()


def test_an_unlike_provenance_is_another_query(sample):
    joined = sample.copy(deep=False)
    joined.attrs["aurorax"] = {**sample.attrs["aurorax"], "query": [sample.attrs["aurorax"]["query"]] * 2}
    with pytest.raises(ap.AuroraxInputError, match="differ in their number"):
        sample.aurorax.compare(joined)


def test_spans_beyond_what_integers_hold_are_refused(builders):
    names = tuple(builders.source(number, f"CAMERA {number}", "ground") for number in range(200))
    now = builders.record(sources=names, events=[], closest=None)
    df = as_conjunctions([now, {**now, "start": "0001-01-01T00:00:00", "end": "0001-01-01T00:00:00"}])
    with pytest.raises(ap.AuroraxInputError, match="compare shorter parts"):
        df.aurorax.overlaps(df, on="site")


def test_of_several_windows_each_cuts_the_rows_that_it_holds(builders):
    df = as_conjunctions([builders.record(start, end) for start, end in ((0, 2), (5, 7), (7, 10), (11, 20), (30, 40))])
    days = [("00:02", "00:05"), ("00:20", "00:31")]
    query = [{"start": f"2020-01-01T{first}", "end": f"2020-01-01T{last}"} for first, last in days]
    df.attrs["aurorax"] = {"query": query}
    # rows that only touch a window are cut by it, those between two are not
    assert df.aurorax.at_window_edge().tolist() == [True, True, False, True, True]
