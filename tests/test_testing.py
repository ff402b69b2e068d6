import numpy as np
import pandas as pd
import pytest

from aurorax_pandas import as_conjunctions, load_sample_conjunctions
from aurorax_pandas.testing import assert_conjunctions_equal


def test_equal_frames_pass(sample):
    assert_conjunctions_equal(sample, load_sample_conjunctions(), check_attrs=False)
    assert_conjunctions_equal(sample, sample.copy())
    assert_conjunctions_equal(sample.iloc[:0], sample.iloc[:0])


@pytest.mark.filterwarnings("ignore:.* data source:aurorax_pandas.AuroraxDataWarning")
def test_missing_values_equal_missing_values(builders):
    made = [builders.record(closest=None, data_sources=[{"identifier": None}], events=None)]
    assert_conjunctions_equal(as_conjunctions(made), as_conjunctions(made))


def test_nested_columns_are_compared_by_value_whatever_their_chunks(sample):
    parts = pd.concat([sample.iloc[:10], sample.iloc[10:10], sample.iloc[10:]])
    assert_conjunctions_equal(parts, sample)


@pytest.mark.parametrize(
    "change",
    [
        lambda df: df.assign(min_distance=df["min_distance"] + 1e-9),
        lambda df: df.assign(start=df["start"] + pd.Timedelta("1us")),
        lambda df: df.astype({"start": "M8[ns]"}),
        lambda df: df.iloc[::-1],
        lambda df: df.iloc[:-1],
        lambda df: df.set_axis(range(1, 50)),
        lambda df: df[df.columns[::-1]],
        lambda df: df.assign(kp=1),
        lambda df: df.drop(columns="events"),
        lambda df: df.assign(closest_epoch=pd.NaT),
        lambda df: df.assign(conjunction_type=df["conjunction_type"].astype("str")),
        lambda df: df.assign(events=df["events"].nest.set_column("min_distance", np.arange(49.0))),
        lambda df: df.assign(events=df["events"].iloc[::-1].set_axis(df.index)),
        lambda df: df.assign(data_sources=df["data_sources"].nest.set_column("identifier", pd.array([None] * 98, "Int64"))),
        lambda df: df.assign(events=df["events"].nest.drop("start")),
        lambda df: df.assign(events=df["events"].astype(object)),
    ],
)  # fmt: skip
def test_any_difference_is_an_assertion_error(sample, change):
    with pytest.raises(AssertionError):
        assert_conjunctions_equal(sample, change(sample), check_attrs=False)
    with pytest.raises(AssertionError):
        assert_conjunctions_equal(change(sample), sample, check_attrs=False)


def test_a_null_inside_a_cell_is_a_difference_of_its_own(builders):
    # one that no table fills
    mine = {**builders.ATHA, "identifier": 9044}
    full = as_conjunctions([builders.record(data_sources=[mine, builders.SWARM_A])])
    null = as_conjunctions([builders.record(data_sources=[{**mine, "display_name": None}, builders.SWARM_A])])
    with pytest.raises(AssertionError, match="display_name"):
        assert_conjunctions_equal(full, null)


def test_fewer_entries_in_a_cell_are_named_by_row(builders):
    two = as_conjunctions([builders.record(), builders.record(4, 5)])
    one = as_conjunctions([builders.record(), builders.record(4, 5, events=[])])
    with pytest.raises(AssertionError, match="row 1 holds 1 entries and 0"):
        assert_conjunctions_equal(two, one)


def test_attrs_count_unless_told_otherwise(sample):
    other = sample.copy()
    other.attrs = {}
    assert_conjunctions_equal(sample, other, check_attrs=False)
    with pytest.raises(AssertionError, match="attrs"):
        assert_conjunctions_equal(sample, other)
