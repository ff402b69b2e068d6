import sys

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions


def failing(df, schema=None):
    with pytest.raises(ap.AuroraxSchemaError) as caught:
        ap.validate(df, schema)
    return caught.value


@pytest.mark.parametrize("rows", [slice(None), slice(0, 0), slice(10, 2, -3)])
def test_good_frames_pass_and_come_back_as_they_are(sample, rows):
    df = sample.iloc[rows]
    events, summary = df.aurorax.explode_events(), df.aurorax.pair_summary()
    assert df.aurorax.validate() is df or df.aurorax.validate().equals(df)
    assert ap.validate(df) is df
    assert ap.validate(events) is events
    assert ap.validate(summary) is summary


def test_schemas_do_not_change_a_frame(sample):
    extended = sample.assign(kp=1)
    extended.attrs["mine"] = 1
    ap.validate(extended)
    assert extended.attrs["mine"] == 1
    assert list(extended.columns)[-1] == "kp"


def test_own_columns_are_allowed_whatever_their_names(sample):
    ap.validate(sample.assign(kp=1, pair="mine", count=2))
    ap.validate(sample.aurorax.explode_events().assign(kp=1))
    ap.validate(sample.aurorax.pair_summary().assign(kp=1))


def test_all_that_is_wrong_is_listed_at_once(sample):
    broken = sample.astype({"start": "M8[ns]", "min_distance": "float32"}).drop(columns="closest_epoch")
    broken.loc[3, "max_distance"] = -1.0
    broken["end"] = broken["end"].astype("M8[s]")
    error = failing(broken, ap.ConjunctionSchema)
    text = str(error)
    assert {"start", "min_distance", "end"} <= set(error.failures["column"])
    for name in ("closest_epoch", "start", "min_distance", "end"):
        assert name in text
    assert len(error.failures) >= 4


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("start", pd.NaT, "start is missing"),
        ("end", pd.NaT, "end is missing"),
        ("end", pd.Timestamp("2019-01-01"), "end is before start"),
        ("min_distance", -1.0, "negative or not finite"),
        ("max_distance", np.inf, "negative or not finite"),
        ("min_distance", np.nan, "negative or not finite"),
        ("min_distance", 9999.0, "min_distance is above max_distance"),
        ("closest_epoch", pd.Timestamp("2019-01-01"), "closest_epoch is outside"),
        ("farthest_epoch", pd.Timestamp("2030-01-01"), "farthest_epoch is outside"),
        ("conjunction_type", None, "missing"),
    ],
)
def test_a_broken_row_is_found_and_named(sample, column, value, says):
    df = sample.set_axis([f"row {number}" for number in range(49)])
    df.loc["row 7", column] = value
    error = failing(df)
    assert says in str(error)
    assert "row 7" in str(error)
    assert set(error.failures["first"].dropna()) == {"row 7"}


@pytest.mark.parametrize("rows", [1, 3])
def test_failing_rows_are_counted(sample, rows):
    df = sample.copy()
    df.loc[: rows - 1, "min_distance"] = -1.0
    assert failing(df).failures["rows"].tolist() == [rows]


@pytest.mark.parametrize("column", ["start", "end", "closest_epoch", "farthest_epoch"])
@pytest.mark.parametrize("dtype", ["M8[ns]", "M8[ms]", "M8[s]"])
def test_the_unit_of_times_is_checked(sample, column, dtype):
    assert failing(sample.astype({column: dtype})).failures["column"].tolist() == [column]


@pytest.mark.parametrize(
    "change",
    [
        {"conjunction_type": "str"},
        {"conjunction_type": pd.CategoricalDtype(["nbtrace"])},
        {"min_distance": "Float64"},
        {"data_sources": object},
        {"events": object},
    ],
)
def test_other_dtypes_are_refused(sample, change):
    assert failing(sample.astype(change)).failures["column"].tolist() == list(change)


@pytest.mark.parametrize("column", ["conjunction_type", "start", "data_sources", "min_distance", "events"])
def test_a_missing_column_is_named(sample, column):
    assert column in str(failing(sample.drop(columns=column), ap.ConjunctionSchema))


def test_a_column_that_stands_twice_is_refused(sample):
    failing(pd.concat([sample, sample[["start"]]], axis=1))


def test_nested_events_keep_the_rules_too(builders):
    df = as_conjunctions([builders.record(), builders.record(3, 4)])
    flat = df["events"].nest.to_flat()
    broken = df.copy()
    broken["events"] = df["events"].nest.set_column("min_distance", [100.0, 9999.0])
    assert len(flat) == 2
    error = failing(broken)
    assert "in events: min_distance is above max_distance" in str(error)
    assert error.failures["first"].tolist() == [1]


def test_events_and_summaries_are_checked_by_their_own_schemas(sample):
    events, summary = sample.aurorax.explode_events(), sample.aurorax.pair_summary()
    assert "EventSchema" in str(failing(events.assign(min_distance=-1.0)))
    assert "EventSchema" in str(failing(events.drop(columns="e1_identifier")))
    assert "PairSummarySchema" in str(failing(summary.assign(minutes="many")))
    assert "last_end is before" in str(failing(summary.assign(last_end=pd.Timestamp("2019-01-01").as_unit("us"))))


def test_a_schema_can_be_chosen(sample):
    assert "EventSchema" in str(failing(sample, ap.EventSchema))


def test_a_schema_error_is_a_data_error_and_a_value_error(sample):
    error = failing(sample.drop(columns="events"), ap.ConjunctionSchema)
    assert isinstance(error, ap.AuroraxDataError)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("count", 0, "count is below 1"),
        ("minutes", -5.0, "minutes is negative"),
        ("min_distance", -1.0, "a distance is negative"),
        ("median_distance", 0.0, "min_distance is above median_distance"),
    ],
)
def test_a_pair_summary_keeps_its_rules(sample, column, value, says):
    with pytest.raises(ap.AuroraxSchemaError, match=says):
        ap.validate(sample.aurorax.pair_summary().assign(**{column: value}))


def test_a_debugger_that_looks_on_changes_nothing(sample):
    broken = sample.aurorax.select_sources(program="swarm")
    broken["events"] = broken["events"].nest.set_column("min_distance", [9999.0] * len(broken))
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        error = failing(broken)
    finally:
        sys.settrace(before)
    assert error.failures["rows"].tolist() == [len(broken)]


def test_a_summary_is_by_its_pairs_each_once(sample):
    summary = sample.aurorax.pair_summary()
    assert "the index is not named 'pair'" in str(failing(summary.rename_axis("mine"), ap.PairSummarySchema))
    assert "a label of the index is there twice" in str(failing(pd.concat([summary, summary]), ap.PairSummarySchema))
    assert "make it the index by set_index('pair')" in str(failing(summary.reset_index(), ap.PairSummarySchema))


def test_a_message_stays_short_and_the_failures_are_all_there(sample):
    wrong = sample.assign(
        conjunction_type="x", start=1, end=2, data_sources=1, min_distance="a", max_distance="b", events=1,
        closest_epoch=1, farthest_epoch=1,
    )  # fmt: skip
    for broken, count in ((wrong, 9), (sample[["start"]], 8), (sample.rename(columns=lambda name: name * 300), 9)):
        error = failing(broken, ap.ConjunctionSchema)
        assert len(error.failures) == count
        assert len(str(error)) < 600
    text = str(failing(wrong))
    assert "conjunction_type: dtype is str, not category" in text
    assert "data_sources: dtype is int64, not nested" in text
    assert text.endswith("as_conjunctions(df) makes columns typed")
    assert "columns that are not there: conjunction_type, end, data_sources" in str(failing(sample[["start"]]))


def test_own_rules_in_many_words_are_cut_and_the_rest_is_counted(sample):
    import pandera.pandas as pandera

    rules = {f"own{number}": pandera.Column(float, pandera.Check.ge(5, error="w" * 400)) for number in range(9)}
    error = failing(sample.assign(**dict.fromkeys(rules, 1.0)), pandera.DataFrameSchema(rules, name="n" * 400))
    assert len(str(error)) < 900
    assert "more; the error's failures is a frame of all" in str(error)
    assert len(error.failures) == 9
