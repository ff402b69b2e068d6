import datetime
import itertools
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions
from aurorax_pandas.frame.schema import EventSchema, PairSummarySchema, validate
from aurorax_pandas.testing import assert_conjunctions_equal

EVENT_COLUMNS = [
    "conjunction", "conjunction_label", "conjunction_type",
    "e1_identifier", "e1_program", "e1_platform", "e1_instrument_type", "e1_source_type", "e1_display_name",
    "e2_identifier", "e2_program", "e2_platform", "e2_instrument_type", "e2_source_type", "e2_display_name",
    "pair", "start", "end", "min_distance", "max_distance", "closest_epoch",
]  # fmt: skip

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


def reindexed(df, kind):
    count = len(df)
    return df.set_axis(
        {
            "text": pd.Index([f"row {number}" for number in range(count)], dtype="str"),
            "duplicate": pd.Index([0] * count),
            "times": pd.DatetimeIndex(df["start"]),
            "multi": pd.MultiIndex.from_arrays([["a"] * count, np.arange(count)[::-1]], names=["x", "y"]),
        }[kind]
    )


@pytest.mark.parametrize("verb", list(VERBS))
@pytest.mark.parametrize("kind", ["text", "duplicate", "times", "multi"])
def test_verbs_do_not_depend_on_the_index(sample, verb, kind):
    assert_same(by_position(VERBS[verb](reindexed(sample, kind))), by_position(VERBS[verb](sample)))


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
def test_verbs_work_on_empty_frames(sample, verb):
    for empty in (sample.iloc[:0], as_conjunctions([]), reindexed(sample.iloc[:0], "multi")):
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


def test_verbs_chain(sample):
    chained = sample.query("min_distance < 300").aurorax.closest(1, by="pair").aurorax.explode_events()
    assert chained["pair"].is_unique
    assert (chained["min_distance"] < 300).all()
    assert list(chained.columns) == EVENT_COLUMNS
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


# explode_events


def label(e1, e2):
    return " & ".join(
        source["display_name"]
        for source in sorted([e1, e2], key=lambda source: (source["source_type"] != "ground", source["display_name"]))
    )


def reference_events(records):
    for number, record in enumerate(records):
        for event in record["events"]:
            epoch = record["closest_epoch"]
            certain = len(record["events"]) == 1 or event["min_distance"] == record["min_distance"]
            known = epoch is not None and certain and event["start"] <= epoch <= event["end"]
            yield {
                "conjunction": number,
                "conjunction_type": event["conjunction_type"],
                **{f"{side}_{name}": value for side in ("e1", "e2") for name, value in event[f"{side}_source"].items()},
                "pair": label(event["e1_source"], event["e2_source"]),
                "start": pd.Timestamp(event["start"]),
                "end": pd.Timestamp(event["end"]),
                "min_distance": event["min_distance"],
                "max_distance": event["max_distance"],
                "closest_epoch": pd.Timestamp(epoch) if known else None,
            }


@given(data=st.data())
def test_events_are_those_of_the_records_in_their_order(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    df = df.iloc[data.draw(st.permutations(range(len(df))))]
    events = df.aurorax.explode_events()
    assert list(events.columns) == EVENT_COLUMNS
    wanted = list(reference_events(builders.in_row_order(df, made)))
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


def test_exploded_events_are_written_to_without_touching_their_parents(sample):
    before = sample.copy()
    events = sample.aurorax.explode_events()
    for name in events.columns.drop(["conjunction_type", "pair"]):
        events.loc[0, name] = events.loc[48, name]
    assert events.loc[0, "e1_display_name"] == events.loc[48, "e1_display_name"]
    assert events.loc[0, "min_distance"] == events.loc[48, "min_distance"]
    assert_conjunctions_equal(sample, before)


def test_labels_of_parents_are_carried_to_events(sample):
    events = reindexed(sample, "multi").aurorax.explode_events()
    assert events["conjunction_label"].tolist() == [("a", number) for number in range(48, -1, -1)]
    joined = events.merge(sample.assign(kp=1.5)[["kp"]], left_on="conjunction", right_index=True)
    assert (joined["kp"] == 1.5).all()


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


@pytest.mark.parametrize("kind", ["nbtrace", "sbtrace", "geographic"])
def test_an_event_without_a_type_is_of_its_conjunctions_type(builders, kind):
    untyped = {**builders.event(builders.ATHA, builders.SWARM_A), "conjunction_type": None}
    df = as_conjunctions([builders.record(events=[untyped], conjunction_type=kind)])
    assert df["events"].iloc[0]["conjunction_type"].isna().all()
    assert df.aurorax.explode_events()["conjunction_type"].tolist() == [kind]
    assert df.aurorax.passes()["conjunction_type"].tolist() == [kind]


@pytest.mark.filterwarnings("ignore:.* data source:aurorax_pandas.AuroraxDataWarning")
def test_a_source_without_a_name_still_has_a_label(builders):
    nameless = {**builders.ATHA, "display_name": None}
    bare = {"identifier": 7}
    df = as_conjunctions(
        [builders.record(sources=(nameless, builders.SWARM_A)), builders.record(2, 3, sources=(bare, {}))]
    )
    first, second = df.aurorax.explode_events()["pair"]
    assert first == "themis-asi athabasca & Swarm A"
    assert second == "source 7 & unknown source"


# pairs


def pair_lists(records):
    pairs = {}
    for event in reference_events(records):
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
    pairs = pair_lists(builders.in_row_order(df, made))
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
    pairs = pair_lists(builders.in_row_order(df, made))
    groups = {name: group["start"].tolist() for name, group in df.aurorax.groupby_pair()}
    assert groups == {name: [event["start"] for event in events] for name, events in pairs.items()}
    assert df.aurorax.groupby_pair().ngroups == len(pairs)


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


@pytest.mark.parametrize("step", ["0min", "-1min", "soon", True, None, []])
@pytest.mark.parametrize("verb", ["minutes", "pair_summary"])
def test_what_is_no_step_is_refused(sample, verb, step):
    with pytest.raises(ap.AuroraxInputError, match="step"):
        getattr(sample.aurorax, verb)(step=step)


def test_pair_verbs_take_events_too(sample):
    events = sample.aurorax.explode_events()
    pd.testing.assert_frame_equal(events.aurorax.pair_summary(), sample.aurorax.pair_summary())
    filtered = events[events["min_distance"] < 200]
    assert filtered.aurorax.pair_summary()["count"].sum() == len(filtered)


# closest


@given(data=st.data(), n=st.integers(1, 4))
def test_closest_overall_by_pair_and_by_columns(builders, data, n):
    made = data.draw(builders.tagged_records(max_size=10))
    df = as_conjunctions(made)
    df = df.iloc[data.draw(st.permutations(range(len(df))))].assign(kind=df["conjunction_type"].astype("str"))
    records = builders.in_row_order(df, made)

    def least(rows):
        return sorted(rows, key=lambda row: (row[1]["min_distance"], pd.Timestamp(row[1]["start"]), row[0]))[:n]

    rows = list(enumerate(records))
    assert df.aurorax.closest(n).index.tolist() == df.index[sorted(row[0] for row in least(rows))].tolist()
    chosen = set()
    for kind in ("nbtrace", "sbtrace"):
        chosen |= {row[0] for row in least([row for row in rows if row[1]["conjunction_type"] == kind])}
    for by in ("conjunction_type", ["kind"], ["kind", "conjunction_type"]):
        assert df.aurorax.closest(n, by=by).index.tolist() == df.index[sorted(chosen)].tolist()
    events = list(enumerate(reference_events(records)))
    parents = set()
    for pair in {event["pair"] for _, event in events}:
        parents |= {event["conjunction"] for _, event in least([one for one in events if one[1]["pair"] == pair])}
    assert df.aurorax.closest(n, by="pair").index.tolist() == df.index[sorted(parents)].tolist()


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3", None])
def test_closest_needs_a_whole_number(sample, n):
    with pytest.raises(ap.AuroraxInputError, match="n="):
        sample.aurorax.closest(n)


@pytest.mark.parametrize("by", ["par", ["start", "par"], []])
def test_closest_by_a_column_that_is_not_there_is_refused(sample, by):
    with pytest.raises(ap.AuroraxInputError, match="by="):
        sample.aurorax.closest(1, by=by)


def test_closest_takes_numpy_numbers_and_gives_all_rows_where_there_are_fewer(sample):
    assert len(sample.aurorax.closest(np.int64(100))) == 49


def test_closest_groups_rows_with_a_missing_value_together(sample):
    tagged = sample.assign(kp=[None, 1.0] * 24 + [None])
    assert len(tagged.aurorax.closest(1, by="kp")) == 2


def test_closest_of_events_gives_events(sample):
    events = sample.aurorax.explode_events()
    nearest = events.aurorax.closest(1, by="pair")
    assert nearest["pair"].is_unique
    assert (
        nearest.groupby("pair", observed=True)["min_distance"]
        .min()
        .equals(events.groupby("pair", observed=True)["min_distance"].min())
    )


# filter_closest_epoch, within, select_sources


INSTANTS = st.integers(-60, 20 * 60).map(lambda s: datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=s))


@given(
    data=st.data(),
    start=st.none() | INSTANTS,
    end=st.none() | INSTANTS,
    near=st.none() | INSTANTS | st.lists(INSTANTS, max_size=5),
    tolerance=st.sampled_from(["0s", "30s", "2min"]),
    max_distance=st.none() | st.integers(0, 5),
)
def test_filter_by_closest_epoch(builders, data, start, end, near, tolerance, max_distance):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    if start is not None and end is not None and start > end:
        start, end = end, start

    def stays(record):
        epoch = record["closest_epoch"] and pd.Timestamp(record["closest_epoch"])
        if epoch is None and (start, end, near) != (None, None, None):
            return False
        times = near if isinstance(near, list) else [near]
        return (
            (start is None or start <= epoch)
            and (end is None or epoch <= end)
            and (near is None or any(abs(epoch - time) <= pd.Timedelta(tolerance) for time in times))
            and (max_distance is None or record["min_distance"] <= max_distance)
        )

    wanted = [number for number, record in enumerate(builders.in_row_order(df, made)) if stays(record)]
    forms = [
        near,
        *([np.array(near, "M8[us]"), pd.Series(near, dtype="M8[us]"), tuple(near)] if isinstance(near, list) else []),
    ]
    for form in forms:
        assert df.aurorax.filter_closest_epoch(start, end, form, tolerance, max_distance).index.tolist() == wanted


def test_filter_bounds_are_inclusive_and_read_as_in_a_search(sample):
    epoch = sample["closest_epoch"].iloc[10]
    assert 10 in sample.aurorax.filter_closest_epoch(epoch, epoch).index
    assert len(sample.aurorax.filter_closest_epoch(end="2020-01-01")) == sample["closest_epoch"].notna().sum()
    aware = epoch.tz_localize("UTC").tz_convert("America/Edmonton")
    assert 10 in sample.aurorax.filter_closest_epoch(aware, aware).index
    assert 10 in sample.aurorax.filter_closest_epoch(near=aware, tolerance="0s").index
    zoned = pd.DatetimeIndex([aware])
    assert 10 in sample.aurorax.filter_closest_epoch(near=zoned, tolerance="0s").index


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_epoch_as_far_from_an_instant_as_is_tolerated_stays(sample, sign):
    row = sample.iloc[[10]]
    near = row["closest_epoch"].iloc[0] + sign * pd.Timedelta("5min")
    beyond = near + sign * pd.Timedelta("1us")
    far = [near - pd.Timedelta("1D"), near + pd.Timedelta("1D")]
    assert len(row.aurorax.filter_closest_epoch(near=near)) == 1
    assert len(row.aurorax.filter_closest_epoch(near=[near, *far])) == 1
    assert len(row.aurorax.filter_closest_epoch(near=[beyond, *far])) == 0


def test_filter_works_on_events(sample):
    events = sample.aurorax.explode_events()
    near = sample["closest_epoch"].iloc[[0]]
    assert len(events.aurorax.filter_closest_epoch(near=near)) == len(sample.aurorax.filter_closest_epoch(near=near))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"start": "2020-01-02", "end": "2020-01-01"}, "swap"),
        ({"start": "noon-ish"}, "start"),
        ({"near": ["2020-01-01", "x"]}, "near"),
        ({"near": "x"}, "near"),
        ({"near": "2020-01-01", "tolerance": "-1min"}, "tolerance"),
        ({"near": "2020-01-01", "tolerance": "soon"}, "tolerance"),
        ({"max_distance": -1}, "max_distance"),
        ({"max_distance": "500"}, "max_distance"),
    ],
)
def test_filters_that_cannot_be_used_are_refused(sample, arguments, word):
    with pytest.raises(ap.AuroraxInputError, match=word):
        sample.aurorax.filter_closest_epoch(**arguments)


@given(data=st.data(), distance=st.integers(0, 5))
def test_within_asks_all_pairs_or_any(builders, data, distance):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    lists = [[event["min_distance"] <= distance for event in one["events"]] for one in builders.in_row_order(df, made)]
    for how, test in (("all", lambda hits: bool(hits) and all(hits)), ("any", any)):
        wanted = [number for number, hits in enumerate(lists) if test(hits)]
        assert df.aurorax.within(distance, how=how).index.tolist() == wanted


@pytest.mark.parametrize("bad", [-1, "500", None, float("nan"), True])
def test_within_needs_a_distance(sample, bad):
    with pytest.raises(ap.AuroraxInputError, match="distance"):
        sample.aurorax.within(bad)


def test_how_is_any_or_all(sample):
    with pytest.raises(ap.AuroraxInputError, match="'some'"):
        sample.aurorax.within(5, how="some")
    with pytest.raises(ap.AuroraxInputError, match="'some'"):
        sample.aurorax.select_sources(program="swarm", how="some")


@given(
    data=st.data(),
    wanted=st.fixed_dictionaries(
        {},
        optional={
            "program": st.sampled_from(["swarm", "rego", ["themis", "rego"]]),
            "platform": st.sampled_from(["athabasca", ("swarma", "gillam")]),
            "source_type": st.sampled_from(["ground", ["leo", "heo"]]),
            "display_name": st.sampled_from(["Swarm A", ["REGO ATHA", "Swarm B"]]),
        },
    ).filter(bool),
    how=st.sampled_from(["any", "all"]),
)
def test_select_sources(builders, data, wanted, how):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)

    def hit(source):
        return all(source[name] in ([given] if isinstance(given, str) else given) for name, given in wanted.items())

    rows = [
        number
        for number, record in enumerate(builders.in_row_order(df, made))
        if {"any": any, "all": all}[how](map(hit, record["data_sources"]))
    ]
    assert df.aurorax.select_sources(**wanted, how=how).index.tolist() == rows


def test_a_site_is_known_by_name_and_code_and_is_on_the_ground(builders):
    b = builders
    in_orbit = b.source(999, "Gillam-1", "leo", platform="gillam")
    pairs = [(b.ATHA, b.SWARM_A), (b.REGO_ATHA, b.SWARM_A), (b.GILL, b.SWARM_A), (in_orbit, b.SWARM_A)]
    df = as_conjunctions([b.record(number, number, sources=pair) for number, pair in enumerate(pairs)])
    for site, rows in (("athabasca", [0, 1]), ("ATHA", [0, 1]), ("gillam", [2]), (["GILL", "athabasca"], [0, 1, 2])):
        assert df.aurorax.select_sources(site=site).index.tolist() == rows


@pytest.mark.parametrize("arguments", [{}, {"program": 5}, {"site": []}, {"platform": ["swarma", None]}])
def test_select_sources_needs_names(sample, arguments):
    with pytest.raises(ap.AuroraxInputError):
        sample.aurorax.select_sources(**arguments)


# deduplicate, minutes


def identity(record):
    sources = sorted((source["identifier"], source["display_name"]) for source in record["data_sources"])
    return record["conjunction_type"], sources, record["start"], record["end"]


@given(data=st.data())
def test_deduplicate_by_source_keeps_the_first_of_each(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    positions = data.draw(st.lists(st.integers(0, len(df) - 1), max_size=12)) if len(df) else []
    repeated = df.iloc[positions].assign(position=range(len(positions)))
    seen, wanted = [], []
    for position, record in enumerate(builders.in_row_order(repeated, made)):
        if identity(record) not in seen:
            seen.append(identity(record))
            wanted.append(position)
    assert repeated.aurorax.deduplicate()["position"].tolist() == wanted


def overlapping(rows):
    """Join rows whose spans overlap, directly or through others."""
    clusters = []
    for row in rows:
        touching = [
            one
            for one in clusters
            if any(row[1]["start"] <= other["end"] and other["start"] <= row[1]["end"] for _, other in one)
        ]
        clusters = [one for one in clusters if one not in touching] + [[row, *itertools.chain(*touching)]]
    return clusters


@given(data=st.data())
def test_deduplicate_by_site_keeps_the_closest_of_overlapping_rows(builders, data):
    pool = (builders.ATHA, builders.REGO_ATHA, builders.GILL)
    made = [
        {**one, "data_sources": [data.draw(st.sampled_from(pool)), builders.SWARM_A], "max_distance": 1000.0 + number}
        for number, one in enumerate(data.draw(st.lists(builders.records(), max_size=10)))
    ]
    df = as_conjunctions(made)
    rows = list(enumerate(builders.in_row_order(df, made)))
    wanted = []
    for kind in ("nbtrace", "sbtrace"):
        for site in ("athabasca", "gillam"):
            alike = [
                row for row in rows
                if row[1]["conjunction_type"] == kind and row[1]["data_sources"][0]["platform"] == site
            ]  # fmt: skip
            wanted.extend(
                min(cluster, key=lambda row: (row[1]["min_distance"], row[1]["start"], row[0]))[0]
                for cluster in overlapping(alike)
            )
    assert df.aurorax.deduplicate("site").index.tolist() == sorted(wanted)


def test_deduplicate_undoes_a_concat(sample):
    assert_conjunctions_equal(pd.concat([sample, sample]).aurorax.deduplicate(), sample)


def test_deduplicate_is_by_source_or_site(sample):
    with pytest.raises(ap.AuroraxInputError, match="'pair'"):
        sample.aurorax.deduplicate("pair")


@given(data=st.data())
def test_minutes_count_both_ends(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    wanted = [
        (pd.Timestamp(one["end"]) - pd.Timestamp(one["start"])).total_seconds() / 60 + 1
        for one in builders.in_row_order(df, made)
    ]
    found = df.aurorax.minutes()
    assert found.tolist() == wanted
    assert (found.name, found.dtype) == ("minutes", np.dtype("float64"))


def test_minutes_keep_the_index_and_sum_to_the_recorded_count(sample):
    found = reindexed(sample, "text").aurorax.minutes()
    assert found.index[0] == "row 0"
    assert found.sum() == 92


# links


def test_swarmaurora_url_of_one_search(sample):
    (request_id,) = sample.aurorax.provenance["request_ids"]
    assert sample.aurorax.swarmaurora_url().endswith(f"aurorax_request_id={request_id}")


def test_swarmaurora_url_needs_exactly_one_search(sample):
    sample.attrs["aurorax"]["request_ids"] = ["first-id", "second-id"]
    with pytest.raises(ap.AuroraxInputError, match="first-id, second-id"):
        sample.aurorax.swarmaurora_url()
    sample.attrs.clear()
    with pytest.raises(ap.AuroraxInputError, match="no search"):
        sample.aurorax.swarmaurora_url()


# what others may do to a frame


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
        (lambda df: df.aurorax.groupby_pair(), "pair"),
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


@pytest.mark.parametrize(
    ("wanted", "count"),
    [({"site": "gill"}, 5), ({"site": "Gillam"}, 5), ({"program": "Swarm"}, 49), ({"display_name": "swarm b"}, 8)],
)
def test_names_of_sources_may_be_in_any_case(sample, wanted, count):
    assert len(sample.aurorax.select_sources(**wanted)) == count


def test_two_cameras_of_a_site_in_one_conjunction_are_one(builders):
    b = builders
    df = as_conjunctions(
        [
            b.record(0, 2, sources=(b.ATHA, b.REGO_ATHA, b.SWARM_A), low=120.0),
            b.record(1, 3, sources=(b.ATHA, b.SWARM_A), low=110.0),
        ]
    )
    assert df.aurorax.deduplicate("site").index.tolist() == [1]
    assert df.aurorax.deduplicate().index.tolist() == [0, 1]


@pytest.mark.parametrize(
    "change", [{"identifier": None}, {"identifier": None, "display_name": "(1, 2)"}, {"identifier": 7}]
)
def test_sources_are_told_apart_by_identifier_and_by_name(builders, change):
    named = {**builders.ATHA, "identifier": None, "display_name": "(56, -94)"}
    for one, other in (
        (builders.ATHA, {**builders.ATHA, **change}),
        (named, {**named, **change, "display_name": "(1, 2)"}),
    ):
        made = [builders.record(sources=(source, builders.SWARM_A)) for source in (one, other, one)]
        assert len(as_conjunctions(made).aurorax.deduplicate()) == 2
        assert len(ap.stitch(as_conjunctions(made))) == 2


@pytest.mark.filterwarnings("ignore:.* data source:aurorax_pandas.AuroraxDataWarning")
def test_a_source_that_says_nothing_is_not_selected(builders):
    bare = {"identifier": 7}
    df = as_conjunctions([builders.record(sources=(bare, {}), events=[])])
    for name in ("program", "platform", "source_type", "display_name", "site"):
        for how in ("any", "all"):
            assert df.aurorax.select_sources(**{name: "ground"}, how=how).empty


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
