"""The schemas as users of pandera use them."""

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.errors import SchemaError, SchemaErrors
from pandera.typing import DataFrame, Series

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal

SCHEMAS = {
    "conjunctions": (ap.ConjunctionSchema, lambda df: df),
    "events": (ap.EventSchema, lambda df: df.aurorax.explode_events()),
    "pair_summary": (ap.PairSummarySchema, lambda df: df.aurorax.pair_summary()),
    "passes": (ap.PassSchema, lambda df: df.aurorax.passes()),
}


class WithKp(ap.ConjunctionSchema):
    kp: Series[float] = pandera.Field(ge=0, le=9)


class Coercing(ap.ConjunctionSchema):
    class Config:
        coerce = True


@pytest.fixture(params=list(SCHEMAS))
def kind(request, sample):
    schema, made = SCHEMAS[request.param]
    return schema, made(sample)


def failing(df, schema=None):
    with pytest.raises(ap.AuroraxSchemaError) as caught:
        ap.validate(df, schema)
    return caught.value


def test_each_schema_takes_its_frame_by_pandera_and_by_ours(kind):
    schema, df = kind
    assert issubclass(schema, pandera.DataFrameModel)
    for rows in (slice(None), slice(0, 0), slice(10, 2, -3)):
        some = df.iloc[rows]
        pd.testing.assert_index_equal(schema.validate(some).index, some.index)
        assert ap.validate(some) is some
        assert ap.validate(some, schema) is some
        assert ap.validate(some, schema.to_schema()) is some


def test_a_schema_comes_back_equal_from_yaml_and_json(kind):
    schema, df = kind
    for back in (schema.from_yaml(schema.to_yaml()), schema.from_json(schema.to_json())):
        assert back == schema.to_schema()
        back.validate(df)
        with pytest.raises(SchemaErrors):
            back.validate(df.assign(min_distance=-1.0), lazy=True)


def test_a_schema_of_ones_own_comes_back_equal_from_yaml(sample):
    back = WithKp.from_yaml(WithKp.to_yaml())
    assert back == WithKp.to_schema()
    with pytest.raises(SchemaError, match="kp"):
        back.validate(sample.assign(kp=10.0))


def test_pandera_raises_its_own_errors(kind):
    schema, df = kind
    with pytest.raises(SchemaError):
        schema.validate(df.astype({"min_distance": "float32"}))
    with pytest.raises(SchemaErrors):
        schema.validate(df.drop(columns="min_distance"), lazy=True)
    with pytest.raises(SchemaError, match="breaks a rule"):
        schema.validate(df.assign(min_distance=np.inf))


def test_typed_functions_are_checked(sample):
    @pandera.check_types
    def near(df: DataFrame[ap.ConjunctionSchema]) -> DataFrame[ap.ConjunctionSchema]:
        return df[df["min_distance"] < 200]

    @pandera.check_types
    def rated(df: DataFrame[ap.ConjunctionSchema]) -> DataFrame[WithKp]:
        return df.assign(kp=1.0)

    assert len(near(sample)) == len(sample.aurorax.within(200))
    assert len(rated(sample)) == 49
    for broken in (sample.drop(columns="events"), sample.assign(min_distance=-1.0), sample.astype({"start": "M8[ns]"})):
        with pytest.raises(SchemaError):
            near(broken)


@pytest.mark.parametrize("dtype", ["M8[ns]", "M8[s]"])
def test_a_frame_of_a_schema_is_checked_not_taken_on_trust(sample, dtype):
    assert len(DataFrame[ap.ConjunctionSchema](sample)) == 49
    with pytest.raises(SchemaError, match="start"):
        DataFrame[ap.ConjunctionSchema](sample.astype({"start": dtype}))


def test_own_columns_that_fail_are_named(sample):
    assert ap.validate(sample.assign(kp=1.0), WithKp) is not None
    df = sample.assign(kp=1.0).set_axis([f"row {number}" for number in range(49)])
    df.loc[["row 3", "row 5"], "kp"] = -1.0
    df.loc["row 4", "min_distance"] = -1.0
    error = failing(df, WithKp)
    assert error.failures["column"].tolist() == ["kp", ""]
    assert error.failures["first"].tolist() == ["row 3", "row 4"]
    assert error.failures["rows"].tolist() == [2, 1]
    assert "WithKp" in str(error)
    assert "a distance is negative" in str(error)
    assert failing(sample, WithKp).failures["column"].tolist() == ["kp"]
    assert failing(sample.assign(kp=1), WithKp).failures["column"].tolist() == ["kp"]


def test_a_schema_with_nothing_of_ours_can_be_used():
    schema = pandera.DataFrameSchema({"kp": pandera.Column(float, pandera.Check.ge(0))}, name="mine")
    assert "mine" in str(failing(pd.DataFrame({"kp": [1.0, -1.0]}), schema))


@pytest.mark.parametrize("schema", ["conjunctions", 3, pd.DataFrame, pd.DataFrame()])
def test_what_is_no_schema_is_refused(sample, schema):
    with pytest.raises(ap.AuroraxInputError, match="schema="):
        ap.validate(sample, schema)


MIXED_UP = {
    "a summary whose label is a column": (
        lambda df: df.aurorax.pair_summary().reset_index(),
        None,
        r"set_index\('pair'\)",
    ),
    "a summary for events": (
        lambda df: df.aurorax.pair_summary().reset_index(),
        ap.EventSchema,
        "holds a pair summary, not events",
    ),
    "passes for conjunctions": (
        lambda df: df.aurorax.passes(),
        ap.ConjunctionSchema,
        "holds passes, not conjunctions",
    ),
    "events for conjunctions": (
        lambda df: df.aurorax.explode_events(),
        ap.ConjunctionSchema,
        "holds events of explode_events, not conjunctions",
    ),
    "conjunctions for my own": (lambda df: df.aurorax.passes(), WithKp, "holds passes, not conjunctions"),
}


@pytest.mark.parametrize("name", list(MIXED_UP))
def test_a_frame_of_another_kind_is_told_as_such_and_nothing_else_is(sample, name):
    made, schema, says = MIXED_UP[name]
    error = failing(made(sample), schema)
    assert error.failures["check"].tolist() == ["kind"]
    with pytest.raises(ap.AuroraxSchemaError, match=says):
        ap.validate(made(sample), schema)


def test_passes_keep_their_rules(sample):
    found = sample.aurorax.passes()
    for column, value, says in [
        ("count", 0, "count is below 1"),
        ("minutes", -1.0, "minutes is negative"),
        ("min_distance", np.nan, "min_distance is negative or not finite"),
        ("closest_epoch", pd.Timestamp("2019-01-01").as_unit("us"), "closest_epoch is outside"),
        ("stations", 1, "dtype"),
    ]:
        with pytest.raises(ap.AuroraxSchemaError, match=says):
            ap.validate(found.assign(**{column: value}))


COERCED = {
    "nested as dicts": lambda df: df.assign(
        **{
            name: pd.Series([cell.to_dict("records") for cell in df[name]], df.index, dtype=object)
            for name in ("data_sources", "events")
        }
    ),
    "nested as Arrow": lambda df: df.assign(
        **{
            name: pd.Series(pd.arrays.ArrowExtensionArray(df[name].array.list_array), df.index)
            for name in ("data_sources", "events")
        }
    ),
    "other units": lambda df: df.astype({"start": "M8[ns]", "end": "M8[ms]"}),
    "zones": lambda df: df.assign(
        start=df["start"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"), end=df["end"].dt.tz_localize("UTC")
    ),
    "text": lambda df: df.assign(
        start=df["start"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), closest_epoch=df["closest_epoch"].astype("str")
    ),
    "objects": lambda df: df.assign(
        start=df["start"].astype(object), conjunction_type=df["conjunction_type"].astype("str")
    ),
    "the service's records": lambda df: pd.DataFrame(ap.records_from_conjunctions(df)),
}


@pytest.mark.parametrize("name", list(COERCED))
def test_what_can_be_meant_in_one_way_is_coerced(sample, name):
    made = Coercing.validate(COERCED[name](sample))
    assert_conjunctions_equal(made, sample, check_attrs=False)


def test_what_is_coerced_is_another_frame(sample):
    given_, before = sample.astype({"start": "M8[ns]"}), sample.astype({"start": "M8[ns]"})
    made = Coercing.validate(given_)
    assert made["start"].dtype == "M8[us]"
    made.loc[0, "min_distance"] = 1.0
    assert_conjunctions_equal(given_, before)
    assert Coercing.validate(given_, inplace=True)["start"].dtype == "M8[us]"


@given(data=st.data())
def test_records_are_coerced_to_the_frame_that_reading_gives(builders, data):
    records = data.draw(st.lists(builders.records(max_sources=2), min_size=1, max_size=5))
    expected = ap.as_conjunctions(records)
    missing = data.draw(st.lists(st.booleans(), min_size=len(expected), max_size=len(expected)))
    raw = pd.DataFrame(ap.records_from_conjunctions(expected))
    raw["events"] = pd.Series(
        [None if gone else cell for gone, cell in zip(missing, raw["events"], strict=True)], dtype=object
    )
    made = Coercing.validate(raw)
    assert made["events"].isna().tolist() == missing
    kept = ~np.array(missing)
    assert_conjunctions_equal(made[kept], expected[kept], check_attrs=False)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("start", 1577836800),
        ("start", "01/02/2020"),
        ("conjunction_type", "polar"),
        ("data_sources", "many"),
        ("events", [{"start": "2020-01-01"}]),
        ("events", ["GILL"]),
    ],
)
def test_what_may_mean_anything_is_not_coerced(sample, column, value):
    df = sample.assign(**{column: pd.Series([value] * 49, dtype=object).infer_objects()})
    with pytest.raises((SchemaError, SchemaErrors)):
        Coercing.validate(df)
    assert column in str(failing(df, Coercing))


@given(data=st.data())
def test_ours_and_panderas_agree(builders, data):
    records = data.draw(st.lists(builders.records(max_sources=2), max_size=6))
    columns = ["start", "end", "min_distance", "max_distance", "closest_epoch", "farthest_epoch"]
    column, value = data.draw(st.sampled_from(columns)), data.draw(st.sampled_from([None, 0, 1]))
    df = ap.as_conjunctions(records)
    if len(df):
        row = data.draw(st.integers(0, len(df) - 1))
        times = {None: pd.NaT, 0: pd.Timestamp("2019-01-01"), 1: pd.Timestamp("2021-01-01")}
        distances = {None: np.nan, 0: -1.0, 1: 5.0}
        df.loc[row, column] = (distances if "distance" in column else times)[value]
    ours = theirs = True
    try:
        ap.validate(df)
    except ap.AuroraxSchemaError:
        ours = False
    try:
        ap.ConjunctionSchema.validate(df)
    except SchemaError:
        theirs = False
    assert ours == theirs


def test_many_broken_rows_are_told_as_fast_as_one(sample):
    df = sample.loc[np.arange(5000) % 49].reset_index(drop=True).assign(min_distance=-1.0)
    with pytest.raises(SchemaErrors) as caught:
        ap.ConjunctionSchema.validate(df, lazy=True)
    assert len(caught.value.failure_cases) < 100
    assert failing(df).failures["rows"].tolist() == [5000]


def test_an_event_shares_time_with_its_conjunction_and_may_reach_beyond(builders):
    inside = builders.record(10, 12, events=[builders.event(builders.ATHA, builders.SWARM_A, 5, 10)])
    apart = builders.record(10, 12, events=[builders.event(builders.ATHA, builders.SWARM_A, 13, 15)])
    df = ap.as_conjunctions([inside])
    assert len(df) == 1
    with pytest.raises(ap.AuroraxDataError, match="shares no time"):
        ap.as_conjunctions([inside, apart])
    moved = df.assign(start=df["start"] + pd.Timedelta("10min"), end=df["end"] + pd.Timedelta("10min"))
    error = failing(moved.assign(closest_epoch=moved["start"], farthest_epoch=moved["start"]))
    assert error.failures["check"].tolist() == ["events_span_shared"]
