"""Cells of lists of dicts, objects or JSON, as pandas, DuckDB and PyAuroraX give them, in flat columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from operator import methodcaller
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.frame import columns, model

_SIDES: Final = ("e1", "e2")
_DTYPES: Final = {pa.int64(): "Int64", pa.string(): "str", pa.float64(): "float64", pa.timestamp("us"): model.DATETIME}


def flat_of_cells(
    values: pd.Series[Any], fields: Mapping[str, pa.DataType]
) -> tuple[model.Flat, npt.NDArray[np.bool_]]:
    """
    Take a column of Python objects apart, and tell which rows are missing.

    Parameters
    ----------
    values : pandas.Series
        Lists, tuples or arrays of dicts or objects; nested cells; or such lists as JSON text.
    fields : mapping of str to pyarrow.DataType
        The fields of an entry; one that is not there is missing in all of them.

    Raises
    ------
    pyarrow.ArrowException, TypeError, ValueError
        If a cell is none of these.
    """
    held = values.astype(object).tolist()
    missing = np.fromiter((_is_missing(cell) for cell in held), bool, len(held))
    lists = [() if none else _entries_of_cell(cell) for cell, none in zip(held, missing.tolist(), strict=True)]
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    return model.Flat(_fields_of_entries(list(chain.from_iterable(lists)), fields), lengths), missing


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def _entries_of_cell(cell: Any) -> list[Any]:
    if type(cell) is list or type(cell) is np.ndarray:
        # what nearly all cells are, told at once
        return list(cell)
    if isinstance(cell, pd.DataFrame):
        return cell.to_dict("records")
    if isinstance(cell, str | bytes):
        try:
            cell = msgspec.json.decode(cell)
        except msgspec.DecodeError:
            raise ValueError(
                f"a cell is the text {str(cell)[:40]!r}, which is no JSON and cannot be read back; write files by "
                ".aurorax.to_parquet or .aurorax.to_csv"
            ) from None
    if isinstance(cell, Mapping) or not isinstance(cell, Iterable):
        raise TypeError(f"a cell is a {type(cell).__name__}, not a list of entries")
    return list(cell)


def _fields_of_entries(entries: list[Any], fields: Mapping[str, pa.DataType]) -> dict[str, pa.Array]:
    if not _are_plain(entries):
        entries = [_plain_entry(entry, fields) for entry in entries]
    filled = list(filter(None, entries))
    if filled and all(map(fields.keys().isdisjoint, filled)):
        held = sorted({str(name) for entry in filled for name in entry})
        raise TypeError(f"its entries have {', '.join(held[:3])}, not {', '.join(list(fields)[:3])} …")
    for name in [name for name, kind in fields.items() if pa.types.is_timestamp(kind)]:
        held_times = list(map(methodcaller("get", name), filled))
        kinds = tuple(kind for kind in set(map(type, held_times)) if issubclass(kind, int | float | np.number))
        # a missing one may be NaN
        if kinds and any(isinstance(value, kinds) and value == value for value in held_times):
            raise TypeError("a time is a number, which does not say since when; give times, UTC")
    try:
        structs = pa.array(entries, pa.struct(list(fields.items())), from_pandas=True)
    except columns.UNREADABLE:
        # times as text or with a zone, and whole numbers that are floats
        return {name: _field([entry and entry.get(name) for entry in entries], kind) for name, kind in fields.items()}
    return dict(zip(fields, structs.flatten(), strict=True))


def _are_plain(entries: list[Any]) -> bool:
    # what is told of types, not of entries, takes a fifth of the time
    if not set(map(type, entries)) <= {dict, type(None)}:
        return False
    return not any("e1_source" in entry or "e2_source" in entry for entry in filter(None, entries))


def _plain_entry(entry: Any, fields: Mapping[str, pa.DataType]) -> dict[str, Any] | None:
    """Return an entry as one dict, its sources spread over fields of their own."""
    if entry is None:
        return None
    names = (*fields, *(f"{side}_source" for side in _SIDES))
    made = dict(entry) if isinstance(entry, Mapping) else {n: getattr(entry, n) for n in names if hasattr(entry, n)}
    if not made:
        raise TypeError(f"an entry is a {type(entry).__name__} without {', '.join(list(fields)[:3])} …")
    for side in _SIDES:
        source = made.pop(f"{side}_source", None)
        for name in model.SOURCE_FIELDS if source is not None else ():
            value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
            made[f"{side}_{name}"] = value
    return made


def _field(held: list[Any], kind: pa.DataType) -> pa.Array:
    read = columns.in_dtype(pd.Series(held, dtype=object), _DTYPES[kind])
    return model.pandas_to_arrow(pd.Series(read), kind)
