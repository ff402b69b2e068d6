"""Columns of Arrow and cells of Python in every dress, through the one door in."""

import datetime
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pytest

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal


@pytest.fixture
def table(sample):
    return sample.head(4).aurorax.to_arrow()


def with_column(table, name, column):
    at = table.column_names.index(name) if name in table.column_names else None
    return table.append_column(name, column) if at is None else table.set_column(at, name, column)


def entries_of(table, name, change=lambda entry: entry):
    return [[change(entry) for entry in cell] for cell in table.column(name).to_pylist()]


class Wrapped(pa.ExtensionType):
    """A type of somebody's own that stands on another."""

    def __init__(self, storage):
        super().__init__(storage, "aurorax_pandas.tests.wrapped")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage, _):
        return cls(storage)


def wrapped(column):
    array = column.combine_chunks()
    return pa.ExtensionArray.from_storage(Wrapped(array.type), array)


@pytest.mark.parametrize("name", ["start", "min_distance", "events"])
def test_types_of_ones_own_are_read_by_what_they_stand_on(sample, table, name):
    found = ap.as_conjunctions(with_column(table, name, wrapped(table.column(name))))
    assert_conjunctions_equal(found, sample.head(4))


def test_a_record_batch_and_a_column_of_nothing_are_read(sample, table):
    (batch,) = table.combine_chunks().to_batches()
    assert_conjunctions_equal(ap.as_conjunctions(batch), sample.head(4))
    nothing = ap.as_conjunctions(with_column(table, "farthest_epoch", pa.nulls(4)))
    assert_conjunctions_equal(nothing, sample.head(4).assign(farthest_epoch=pd.Series(pd.NaT, range(4), "M8[us]")))
    some = table.column("farthest_epoch").combine_chunks().cast(pa.timestamp("ms", "UTC"))
    some = pa.compute.if_else(pa.array([True, False, True, True]), some, None)
    found = ap.as_conjunctions(with_column(table, "farthest_epoch", some))
    assert found["farthest_epoch"].isna().tolist() == [False, True, False, False]
    no_events = ap.as_conjunctions(with_column(table, "events", pa.nulls(4)))
    assert no_events["events"].isna().all()
    assert no_events.aurorax.explode_events().empty


def test_a_field_that_no_entry_has_is_missing_in_all(sample, table):
    cells = [
        {name: [entry[name] for entry in cell] for name in cell[0] if name not in ("e1_platform", "closest_epoch")}
        for cell in table.column("events").to_pylist()
    ]
    found = ap.as_conjunctions(with_column(table, "events", pa.array(cells)))
    expected = sample.head(4).aurorax.explode_events()
    assert found.aurorax.explode_events().dtypes.equals(expected.dtypes)
    # the identifier tells the platform
    assert found.aurorax.explode_events()["e1_platform"].equals(expected["e1_platform"])
    assert found.aurorax.explode_events()["min_distance"].equals(expected["min_distance"])


def test_events_as_the_service_writes_them_are_read(sample, table):
    names = ("identifier", "program", "platform", "instrument_type", "source_type", "display_name")

    def nested(entry):
        sides = {f"{side}_source": {name: entry[f"{side}_{name}"] for name in names} for side in ("e1", "e2")}
        return {name: value for name, value in entry.items() if name[:3] not in ("e1_", "e2_")} | sides

    found = ap.as_conjunctions(with_column(table, "events", pa.array(entries_of(table, "events", nested))))
    assert_conjunctions_equal(found, sample.head(4))


def test_identifiers_that_became_floats_are_whole_again(sample, table):
    sources = entries_of(table, "data_sources", lambda entry: entry | {"identifier": float(entry["identifier"])})
    sources[0][0]["identifier"] = float("nan")
    found = ap.as_conjunctions(with_column(table, "data_sources", pa.array(sources)))
    assert found["data_sources"].iloc[0]["identifier"].isna().tolist() == [True, False]
    assert_conjunctions_equal(found.iloc[1:], sample.iloc[1:4])


def test_entries_in_a_dictionary_and_lists_of_nothing_are_read(sample, table):
    lists = table.column("data_sources").combine_chunks()
    coded = pa.DictionaryArray.from_arrays(pa.array(np.arange(len(lists.flatten()))), lists.flatten())
    found = ap.as_conjunctions(
        with_column(table, "data_sources", pa.LargeListArray.from_arrays(pa.array(np.arange(0, 9, 2)), coded))
    )
    assert_conjunctions_equal(found, sample.head(4))
    empty = ap.as_conjunctions(with_column(table, "events", pa.array([[], [], [], []])))
    assert empty["events"].nest.to_flat().empty


def test_lists_side_by_side_belong_to_one_row_each(table):
    ragged = pa.array([
        {"program": ["a", "b"], "platform": ["c"]}, {"program": ["d"], "platform": ["e", "f"]},
        {"program": ["g"], "platform": ["h"]}, {"program": ["i"], "platform": ["j"]},
    ])  # fmt: skip
    with pytest.raises(ap.AuroraxDataError, match="different lengths"):
        ap.as_conjunctions(with_column(table, "data_sources", ragged))


STRANGE = {
    "no time": ("start", pa.array([1.0] * 4), "no time; give times, UTC"),
    "no text": ("conjunction_type", pa.array([1] * 4), "int64 is no text"),
    "no number": ("min_distance", pa.array([True] * 4), "bool holds no numbers"),
    "no entries": ("events", pa.array([[1]] * 4), "its lists hold int64"),
    "no list": ("events", pa.array([1] * 4), "int64 is no list of entries"),
    "other lists": ("data_sources", pa.array([{"mine": [1]}] * 4), "none of them lists of identifier"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_columns_of_other_things_are_refused_by_name(table, name):
    column, values, says = STRANGE[name]
    with pytest.raises(ap.AuroraxDataError, match=f"(?s){column}.*{says}"):
        ap.as_conjunctions(with_column(table, column, values))


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["a", "b", "a", "c"], pa.string_view()),
        pa.array(["a", "b", "a", "c"], pa.string_view()).dictionary_encode(),
        pa.array([b"a", b"b", b"a", b"c"], pa.binary_view()),
        pa.RunEndEncodedArray.from_arrays(pa.array([2, 4], pa.int32()), pa.array([1.5, 2.5])),
        pa.array([["a"], ["b", "c"], [], ["d"]], pa.list_(pa.string_view())),
        pa.array([{"x": "a"}] * 4, pa.struct({"x": pa.string_view()})),
    ],
    ids=["views", "dictionary of views", "binary views", "run ends", "lists of views", "structs of views"],
)
def test_columns_of_ones_own_keep_their_values_whatever_their_layout(table, values):
    found = ap.as_conjunctions(with_column(table, "own", values))["own"]
    assert [list(one) if isinstance(one, np.ndarray) else one for one in found] == values.to_pylist()


# ---- cells of Python -----------------------------------------------------------------------------------------------


def of_cells(sample, change, name="events"):
    cells = [cell.to_dict("records") for cell in sample.head(4)[name]]
    return sample.head(4).assign(**{name: pd.Series([change(cell) for cell in cells], dtype=object)})


def test_an_entry_that_is_missing_among_others_stays_missing(sample):
    with pytest.warns(ap.AuroraxDataWarning, match="one without identifier"):
        found = ap.as_conjunctions(of_cells(sample, lambda cell: (*cell, None), "data_sources"))
    assert [len(cell) for cell in found["data_sources"]] == [3] * 4
    assert found["data_sources"].iloc[0]["program"].isna().tolist() == [False, False, True]
    source = {"e1_source": {"identifier": 3, "program": "swarm"}}
    with pytest.raises(ap.AuroraxSchemaError, match="in events: start is missing"):
        ap.as_conjunctions(of_cells(sample, lambda cell: [cell[0] | source, None]))


def test_cells_of_nothing_are_missing_whatever_pandas_writes_for_it(sample):
    nothing = iter([None, pd.NA, pd.NaT, float("nan")])
    found = ap.as_conjunctions(of_cells(sample, lambda _: next(nothing)))
    assert found["events"].isna().all()


def test_sources_of_events_may_be_objects_with_some_of_the_fields(sample):
    one, other = (types.SimpleNamespace(identifier=number, program=name) for number, name in ((46, "a"), (3, "b")))
    cells = of_cells(
        sample,
        lambda cell: [types.SimpleNamespace(**{**cell[0], "e1_source": one, "e2_source": other})],
    )
    events = ap.as_conjunctions(cells).aurorax.explode_events()
    assert events["e1_identifier"].tolist() == [46] * 4
    assert events["e2_program"].tolist() == ["b"] * 4
    assert events["e1_platform"].tolist() == ["gillam"] * 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _: 7, "a cell is a int, not a list of entries"),
        (lambda _: 7.5, "a cell is a float, not a list of entries"),
        (lambda cell: cell[0], "a cell is a dict, not a list of entries"),
        (lambda _: '{"a": 1}', "a cell is a dict, not a list of entries"),
        (lambda _: [{"mine": 1, "yours": 2}], "its entries have mine, yours, not"),
        (lambda _: [object()], "an entry is a object without"),
    ],
)
def test_cells_of_other_things_are_refused(sample, change, says):
    with pytest.raises(ap.AuroraxDataError, match=says):
        ap.as_conjunctions(of_cells(sample, change))


@pytest.mark.parametrize("value", [True, np.True_, datetime.timedelta(1), datetime.date(2020, 1, 1)])
def test_what_python_counts_with_is_no_distance(sample, value):
    df = sample.head(4).assign(min_distance=pd.Series([value, 1.0, 2.0, 3.0], dtype=object))
    with pytest.raises(ap.AuroraxDataError, match="is no number"):
        ap.as_conjunctions(df)


def test_types_in_text_of_arrow_are_read_and_others_refused(sample):
    of_arrow = sample.assign(
        conjunction_type=sample["conjunction_type"].astype("str").astype(pd.ArrowDtype(pa.string()))
    )
    assert_conjunctions_equal(ap.as_conjunctions(of_arrow), sample)
    wrong = of_arrow.assign(conjunction_type=of_arrow["conjunction_type"].str.upper())
    with pytest.raises(ap.AuroraxDataError, match="'NBTRACE' is none of nbtrace, sbtrace, geographic"):
        ap.as_conjunctions(wrong)
