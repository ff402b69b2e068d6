import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions

MINUTES = st.lists(st.integers(0, 20), max_size=6)


@given(
    starts=MINUTES,
    known=st.lists(st.integers(-5, 25), max_size=6, unique=True),
    direction=st.sampled_from(["backward", "forward", "nearest"]),
    reach=st.none() | st.integers(0, 5),
)
def test_values_are_those_of_a_slow_search(builders, starts, known, direction, reach):
    df = as_conjunctions([builders.record(start, start) for start in starts])
    values = pd.Series(np.array(known, float), [pd.Timestamp(builders.at(minute)) for minute in known], name="kp")
    values.index = pd.DatetimeIndex(values.index)

    def value(start):
        near = [
            (abs(minute - start), minute)
            for minute in known
            if (reach is None or abs(minute - start) <= reach)
            and (minute <= start if direction == "backward" else minute >= start if direction == "forward" else True)
        ]
        # of two that are as near the earlier one
        return float(min(near)[1]) if near else None

    tolerance = None if reach is None else f"{reach}min"
    found = df.aurorax.join_series(values, direction=direction, tolerance=tolerance)["kp"]
    assert [None if np.isnan(each) else each for each in found] == [value(start) for start in sorted(starts)]


def test_several_series_come_as_columns_and_keep_their_dtypes(sample):
    index = pd.date_range("2020-01-01", periods=2, freq="3h")
    values = pd.DataFrame({"kp": [0.3, 0.7], "storm": pd.array([True, None], "boolean"), "word": ["a", "b"]}, index)
    values["any"] = pd.Series([1, "two"], index, dtype=object)
    joined = sample.aurorax.join_series(values)
    assert joined[["kp", "storm", "word", "any"]].dtypes.equals(values.dtypes)
    assert joined["any"].iloc[[0, -1]].tolist() == [1, "two"]
    assert joined.aurorax.provenance == sample.aurorax.provenance
    assert joined[sample.columns].equals(sample)


def test_a_row_without_a_time_and_a_value_without_one_meet_nothing(sample):
    df = sample.assign(mine=sample["start"].where(sample.index > 0))
    values = pd.Series([1.0, 2.0], pd.DatetimeIndex(["2020-01-01", None]), name="kp")
    assert df.aurorax.join_series(values, on="mine", direction="nearest")["kp"].isna().tolist() == [True] + [False] * 48


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pd.Series([1.0], pd.DatetimeIndex(["2020-01-01"])), "no name.*rename"),
        (pd.DataFrame({1: [1.0]}, pd.DatetimeIndex(["2020-01-01"])), "text, each once"),
        (pd.DataFrame([[1, 2]], pd.DatetimeIndex(["2020-01-01"]), columns=["a", "a"]), "text, each once"),
        (pd.DataFrame(index=pd.DatetimeIndex(["2020-01-01"])), "text, each once"),
        (pd.Series([1.0], pd.DatetimeIndex(["2020-01-01"]), name="start"), "'start' already; rename"),
        (pd.Series([1.0], ["noon"], name="kp"), "values: its index holds no times.*UTC"),
        ([1.0], "values is a list"),
        (
            pd.Series(
                [1.0], pd.MultiIndex.from_tuples([(pd.Timestamp("2020-01-01"), "a")], names=["time", "of"]), name="kp"
            ),
            r"its index has 2 levels \('time', 'of'\); keep that of times alone, by values\.droplevel",
        ),
    ],
)
def test_series_that_cannot_be_joined_are_refused(sample, values, words):
    with pytest.raises(ap.AuroraxInputError, match=words):
        sample.aurorax.join_series(values)


def test_a_column_without_times_is_refused(sample):
    kp = pd.Series([1.0], pd.DatetimeIndex(["2020-01-01"]), name="kp")
    with pytest.raises(ap.AuroraxInputError, match="on: min_distance holds no times"):
        sample.aurorax.join_series(kp, on="min_distance")


@pytest.mark.parametrize(("direction", "place"), [("backward", -1), ("forward", 0)])
def test_of_several_values_at_one_time_the_order_in_which_they_are_given_tells(sample, direction, place):
    times = pd.date_range("2019-12-31", "2020-01-02", freq="10min").repeat(7)
    shuffled = np.random.default_rng(5).permutation(len(times))
    values = pd.Series(np.arange(len(times)), times[shuffled], name="number")
    found = sample.aurorax.join_series(values, direction=direction)["number"]
    for start, number in zip(sample["start"], found, strict=True):
        time = values.index[number]
        assert values[values.index == time].iloc[place] == number
        assert abs(time - start) < pd.Timedelta("10min")
