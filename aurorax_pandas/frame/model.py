"""The data model: columns, dtypes, units, the rules of a row, and how nested columns are built and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute
from nested_pandas import NestedDtype
from nested_pandas.series.ext_array import NestedExtensionArray

from aurorax_pandas.checks import check_frame
from aurorax_pandas.sources import CONJUNCTION_TYPES, HEMISPHERE

SCHEMA_VERSION: Final = 1

# Arrow's own pool keeps several times what a frame needs; the system's gives it back
_POOL: Final = pa.system_memory_pool()


class _Compute:
    """The functions of `pyarrow.compute`, with memory of the system."""

    def __getattr__(self, name: str) -> Any:
        return partial(getattr(pyarrow.compute, name), memory_pool=_POOL)


compute: Final = _Compute()

#: Columns of which each frame that has `.aurorax` has one.
MARKS: Final = frozenset({"min_distance", "data_sources", "events", "e1_identifier"})
#: What a file or a Dataset of ours can hold.
KEPT_KINDS: Final = ("conjunctions", "events", "pair_summary", "passes")


DATETIME: Final = "datetime64[us]"
CONJUNCTION_TYPE: Final = pd.CategoricalDtype(list(CONJUNCTION_TYPES))

SOURCE_FIELDS: Final[dict[str, pa.DataType]] = {
    "identifier": pa.int64(),
    "program": pa.string(),
    "platform": pa.string(),
    "instrument_type": pa.string(),
    "source_type": pa.string(),
    "display_name": pa.string(),
}
EVENT_FIELDS: Final[dict[str, pa.DataType]] = {
    "conjunction_type": pa.string(),
    **{f"{side}_{name}": arrow_type for side in ("e1", "e2") for name, arrow_type in SOURCE_FIELDS.items()},
    "start": pa.timestamp("us"),
    "end": pa.timestamp("us"),
    "min_distance": pa.float64(),
    "max_distance": pa.float64(),
}
STATION_FIELDS: Final[dict[str, pa.DataType]] = {
    "station": pa.string(),
    "closest_epoch": pa.timestamp("us"),
    "min_distance": pa.float64(),
}
DATA_SOURCES: Final = NestedDtype.from_columns(SOURCE_FIELDS)
EVENTS: Final = NestedDtype.from_columns(EVENT_FIELDS)
STATIONS: Final = NestedDtype.from_columns(STATION_FIELDS)

#: Columns of a conjunctions frame in the service's order, with their dtypes.
CONJUNCTION_COLUMNS: Final[dict[str, Any]] = {
    "conjunction_type": CONJUNCTION_TYPE,
    "start": DATETIME,
    "end": DATETIME,
    "data_sources": DATA_SOURCES,
    "min_distance": "float64",
    "max_distance": "float64",
    "events": EVENTS,
    "closest_epoch": DATETIME,
    "farthest_epoch": DATETIME,
}

#: Columns of an events frame with their dtypes; ``pair`` has the labels at hand as categories.
EVENT_COLUMNS: Final[dict[str, Any]] = {
    "conjunction": "int64",
    "conjunction_label": None,
    "conjunction_type": CONJUNCTION_TYPE,
    **{f"{side}_{name}": "Int64" if name == "identifier" else "str" for side in ("e1", "e2") for name in SOURCE_FIELDS},
    "pair": "category",
    "start": DATETIME,
    "end": DATETIME,
    "min_distance": "float64",
    "max_distance": "float64",
    "closest_epoch": DATETIME,
}

#: Columns of a pair summary with their dtypes; its index ``pair`` holds the labels.
PAIR_SUMMARY_COLUMNS: Final[dict[str, Any]] = {
    "count": "int64",
    "minutes": "float64",
    "min_distance": "float64",
    "median_distance": "float64",
    "closest_epoch": DATETIME,
    "first_start": DATETIME,
    "last_end": DATETIME,
}

#: Columns of a frame of passes with their dtypes; ``parents`` holds lists of row positions.
PASS_COLUMNS: Final[dict[str, Any]] = {
    "spacecraft": "str",
    "conjunction_type": CONJUNCTION_TYPE,
    "hemisphere": HEMISPHERE,
    "start": DATETIME,
    "end": DATETIME,
    "minutes": "float64",
    "stations": STATIONS,
    "closest_station": "str",
    "closest_epoch": DATETIME,
    "min_distance": "float64",
    "count": "int64",
    "parents": object,
}

#: Columns of a frame of data products with their dtypes; ``metadata`` is JSON text, as its keys are free.
DATA_PRODUCT_COLUMNS: Final[dict[str, Any]] = {
    **{name: "int64" if name == "identifier" else "str" for name in SOURCE_FIELDS},
    "data_product_type": "category",
    "start": DATETIME,
    "end": DATETIME,
    "url": "str",
    "metadata": "str",
}

#: Units of the columns that have one.
UNITS: Final[dict[str, str]] = {
    "min_distance": "km",
    "max_distance": "km",
    "median_distance": "km",
    "minutes": "min",
}


def nested_array(fields: Mapping[str, pa.Array], offsets: npt.NDArray[np.int64]) -> NestedExtensionArray:
    """
    Build a nested column from flat fields.

    Parameters
    ----------
    fields : mapping of str to pyarrow.Array
        Fields of the entries, all of one length.
    offsets : ndarray of int64, shape (rows + 1,)
        Row `i` holds the entries ``offsets[i]`` to ``offsets[i + 1]``.
    """
    entries = pa.StructArray.from_arrays(list(fields.values()), list(fields))
    return NestedExtensionArray(pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), entries))


@dataclass(frozen=True)
class Flat:
    """A nested column taken apart: the fields of all entries, and how many entries each row has."""

    fields: dict[str, pa.Array]
    lengths: npt.NDArray[np.int64]

    @cached_property
    def row(self) -> npt.NDArray[np.int64]:
        """The row that each entry belongs to."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where the entries of each row begin, and where the last end."""
        return _offsets(self.lengths)

    def column(self, name: str) -> pd.Series[Any]:
        """Return one field as a pandas column in the dtype of the data model."""
        return arrow_to_pandas(self.fields[name])

    def values(self, name: str) -> npt.NDArray[Any]:
        """Return one field of times or distances to read from: Arrow's own memory, unless some are missing."""
        values: npt.NDArray[Any] = self.fields[name].to_numpy(zero_copy_only=False)
        return values


def flatten(column: pd.Series[Any]) -> Flat:
    """Take a nested column apart, in row order; a null row counts as one without entries."""
    array = column.array
    if not isinstance(array, NestedExtensionArray):
        raise TypeError(f"column {column.name!r} is {column.dtype}, not nested")
    return flatten_lists(one_array(array.list_array))


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, which costs a copy only where it stands in several pieces."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def pandas_to_arrow(values: pd.Series[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return a flat pandas column as one Arrow array, missing values as null."""
    array = pa.array(values, kind, from_pandas=True)
    return one_array(array) if isinstance(array, pa.ChunkedArray) else array


def flatten_lists(lists: pa.Array) -> Flat:
    """Take an Arrow array of lists of structs apart, in row order."""
    lengths = lists.value_lengths().fill_null(0).to_numpy().astype(np.int64)
    entries = lists.flatten()
    fields = dict(zip((field.name for field in entries.type), entries.flatten(), strict=True))
    return Flat(fields, lengths)


def sorted_rows(flat: Flat, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """
    Return the values of each row in ascending order, as a matrix.

    Parameters
    ----------
    flat : Flat
        A nested column taken apart.
    values : ndarray of int64, one per entry
        A number for each entry, such as its identifier.

    Returns
    -------
    ndarray of int64, shape (most entries in a row, rows)
        Column `i` holds the values of row `i`; where it has fewer, the lowest int64 fills it up.
    """
    width = int(flat.lengths.max(initial=0))
    if (flat.lengths == width).all():
        return np.sort(values.reshape(len(flat.lengths), width), axis=1).T
    order = np.lexsort((values, flat.row))
    position = ranges(0, flat.lengths)
    matrix = np.full((width, len(flat.lengths)), np.iinfo(np.int64).min)
    matrix[position, flat.row] = values[order]
    return matrix


def arrow_to_pandas(array: pa.Array) -> pd.Series[Any]:
    """Return an Arrow array as a pandas column: Int64, str, datetime64[us] or float64."""
    if pa.types.is_integer(array.type):
        missing = array.is_null().to_numpy(zero_copy_only=False)
        known = array.fill_null(0) if array.null_count else array
        return pd.Series(pd.arrays.IntegerArray(known.to_numpy().astype(np.int64), missing))
    # a copy, for what Arrow holds cannot be written to
    if pa.types.is_timestamp(array.type):
        return pd.Series(array.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False).astype("M8[us]"))
    if pa.types.is_floating(array.type):
        return pd.Series(array.to_numpy(zero_copy_only=False).astype(np.float64))
    return pd.Series(pd.array(array.cast(pa.large_string(), memory_pool=_POOL), dtype="str"))


def assemble_conjunctions(
    column: dict[str, npt.NDArray[Any]], sources: Mapping[str, pa.Array], rows: npt.NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """
    Build a conjunctions frame of flat columns.

    Parameters
    ----------
    column : dict of str to ndarray
        For each conjunction ``conjunction_type`` (its code), ``start``, ``end``, ``min_distance``,
        ``max_distance``, ``closest_epoch``, ``farthest_epoch``, ``source_count``, ``event_count``; for each of
        their sources in turn ``sources``, its position in the table; for each of their events in turn
        ``event_type`` (a code, −1 for none), ``e1``, ``e2`` (positions in the table), ``event_start``,
        ``event_end``, ``event_min_distance`` and ``event_max_distance``. Emptied on the way, so that nothing is
        held twice.
    sources : mapping of str to pyarrow.Array
        The table of sources, by the names of `SOURCE_FIELDS`.
    rows : ndarray of int64, optional
        Which conjunctions the frame is to hold, in this order; by default all, as they are.

    Returns
    -------
    pandas.DataFrame
        The frame, with a fresh index.
    """
    places: dict[str, Any] = dict.fromkeys(("row", "source", "event"), slice(None))
    if rows is not None:
        places = {"row": rows} | {entry: entries_of(column[f"{entry}_count"], rows) for entry in ("source", "event")}

    def values(name: str) -> npt.NDArray[Any]:
        taken: npt.NDArray[Any] = column.pop(name)[places[_HELD_BY.get(name, "row")]]
        return taken

    def of_sources(name: str, prefix: str = "") -> dict[str, pa.Array]:
        taken = pa.array(values(name))
        return {f"{prefix}{field}": compute.take(known, taken) for field, known in sources.items()}

    # what is moved comes first, and the texts, which are most of a frame, when little else is left
    types = pd.Categorical.from_codes(values("conjunction_type"), dtype=CONJUNCTION_TYPE)
    flat = {
        name: values(name)
        for name in ("start", "end", "min_distance", "max_distance", "closest_epoch", "farthest_epoch")
    }
    measured = {
        name: pa.array(values(f"event_{name}"), EVENT_FIELDS[name])
        for name in ("start", "end", "min_distance", "max_distance")
    }
    event_types = values("event_type")
    data_sources = nested_array(of_sources("sources"), _offsets(values("source_count")))
    event_fields = {
        "conjunction_type": compute.take(pa.array(CONJUNCTION_TYPES), pa.array(event_types, mask=event_types < 0)),
        **of_sources("e1", "e1_"),
        **of_sources("e2", "e2_"),
        **measured,
    }
    events = nested_array(event_fields, _offsets(values("event_count")))
    columns = {"conjunction_type": types, "data_sources": data_sources, "events": events, **flat}
    return pd.DataFrame({name: columns[name] for name in CONJUNCTION_COLUMNS}, copy=False)


#: The flat columns that hold a value for each source or each event of a row; the others hold one for the row.
_HELD_BY: Final = {
    "sources": "source",
    **dict.fromkeys(
        ("event_type", "e1", "e2", "event_start", "event_end", "event_min_distance", "event_max_distance"), "event"
    ),
}


def ranges(first: npt.NDArray[np.int64] | int, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return ``counts[i]`` numbers from ``first[i]`` on, for each `i` in turn."""
    numbers: npt.NDArray[np.int64] = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - first, counts)
    return numbers


def entries_of(counts: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the positions of the entries of some rows, where row `i` has ``counts[i]`` of them."""
    return ranges((np.cumsum(counts) - counts)[rows], counts[rows])


def _offsets(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def category_codes(values: pd.Series[Any], dtype: pd.CategoricalDtype) -> npt.NDArray[np.int64]:
    """Return the code that each value has in a categorical dtype, −1 for none, however its own categories are ordered."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return dtype.categories.get_indexer(pd.Index(values, dtype=object)).astype(np.int64)
    known = dtype.categories.get_indexer(values.cat.categories)
    return np.append(known, -1)[values.cat.codes.to_numpy()].astype(np.int64)


def is_of_dtype(found: Any, wanted: Any) -> bool:
    """Tell whether a dtype is the one that the data model names; None is any, ``"category"`` any categories."""
    if wanted is None:
        return True
    # every categorical dtype equals the text "category", and so does no other
    if isinstance(wanted, str) and wanted == "category":
        return isinstance(found, pd.CategoricalDtype)
    return bool(found == wanted)


def kind_of(frame: pd.DataFrame) -> str:
    """Tell what a frame holds, by its columns: one of `KEPT_KINDS`, or ``data_products``."""
    check_frame(frame)
    columns = set(frame.columns)
    # conjunctions may carry columns of the user's own that have these names
    if {"data_sources", "events"} & columns:
        return "conjunctions"
    if {"spacecraft", "stations"} <= columns:
        return "passes"
    if {"data_product_type", "url"} <= columns:
        return "data_products"
    if "count" in columns and (frame.index.name == "pair" or {"pair", "median_distance"} <= columns):
        return "pair_summary"
    return "events" if {"pair", "e1_identifier"} & columns else "conjunctions"


def empty_conjunctions() -> pd.DataFrame:
    """Return a conjunctions frame without rows."""
    return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in CONJUNCTION_COLUMNS.items()})
