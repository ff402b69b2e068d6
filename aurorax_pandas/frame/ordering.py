"""The total order of conjunctions: two reads of one search give equal frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.frame import model

_Rows = npt.NDArray[np.int64]


def in_order(df: pd.DataFrame) -> pd.DataFrame:
    """
    Put conjunctions into their total order, with a fresh index.

    The order is ``start``, ``closest_epoch`` (NaT last), the sources' identifiers, ``conjunction_type``, ``end``,
    and where all these are equal the distances.
    """
    order = total_order(df, lambda rows: df.iloc[rows])
    if (order[1:] > order[:-1]).all():
        return df.reset_index(drop=True)
    return df.take(order).reset_index(drop=True)


def total_order(df: pd.DataFrame, whole: Callable[[_Rows], pd.DataFrame]) -> _Rows:
    """
    Return the total order of conjunctions, of which the nested columns need not be there yet.

    Parameters
    ----------
    df : pandas.DataFrame
        Their flat columns.
    whole : callable
        Returns some rows, by position, with their nested columns: for those that the flat ones do not put in order.
    """

    def identifiers(rows: _Rows) -> _Rows:
        flat = model.flatten(whole(rows)["data_sources"])
        return model.sorted_rows(flat, flat.fields["identifier"].fill_null(-1).to_numpy())

    column = {name: df[name].to_numpy() for name in ("start", "closest_epoch", "end", "min_distance", "max_distance")}
    column["conjunction_type"] = model.category_codes(df["conjunction_type"], model.CONJUNCTION_TYPE)
    return _order(column, identifiers, lambda rows: _contents(whole(rows)))


def assemble_in_order(
    column: dict[str, npt.NDArray[Any]], sources: Mapping[str, pa.Array], keep: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """
    Build a conjunctions frame of flat columns in total order; the columns are emptied on the way.

    Parameters
    ----------
    column, sources
        As for `model.assemble_conjunctions`.
    keep : ndarray of bool, one per conjunction
        Which of them the frame is to hold.
    """
    numbers = sources["identifier"].fill_null(-1).to_numpy()

    def identifiers(rows: _Rows) -> _Rows:
        lengths = column["source_count"][rows]
        flat = model.Flat({}, lengths)
        return model.sorted_rows(flat, numbers[column["sources"][model.entries_of(column["source_count"], rows)]])

    order = _order(
        column, identifiers, lambda rows: _contents(model.assemble_conjunctions(dict(column), sources, rows))
    )
    return model.assemble_conjunctions(column, sources, order[keep[order]])


def _contents(df: pd.DataFrame) -> list[str]:
    """Write what the nested columns hold, for rows that differ in nothing else."""
    lists = [df[name].array.list_array.to_pylist() for name in ("data_sources", "events")]
    return [str(row) for row in zip(*lists, strict=True)]


def _order(
    column: Mapping[str, npt.NDArray[Any]],
    identifiers: Callable[[_Rows], _Rows],
    contents: Callable[[_Rows], list[str]],
) -> _Rows:
    keys = [column[name] for name in ("closest_epoch", "start")]
    order = np.lexsort(keys)
    # most rows are alone in their minute, so only the others are looked at more closely
    if len(tied := _tied(keys, order)):
        order[tied] = _full_order(column, identifiers, contents, order[tied])
    return order


def _full_order(
    column: Mapping[str, npt.NDArray[Any]],
    identifiers: Callable[[_Rows], _Rows],
    contents: Callable[[_Rows], list[str]],
    rows: _Rows,
) -> _Rows:
    """Put some rows into the total order, by all that they hold."""
    keys = [
        *(column[name][rows] for name in ("max_distance", "min_distance", "end", "conjunction_type")),
        *identifiers(rows)[::-1],
        *(column[name][rows] for name in ("closest_epoch", "start")),
    ]
    order = np.lexsort(keys)
    if len(tied := _tied(keys, order)):
        equal = order[tied]
        content = pd.factorize(pd.Series(contents(rows[equal])), sort=True)[0]
        order[tied] = equal[np.lexsort([content, *(key[equal] for key in keys)])]
    return rows[order]


def _tied(keys: Sequence[npt.NDArray[Any]], order: _Rows) -> _Rows:
    """Return the places of an order at which neighbours are equal in all keys; NaT is equal to NaT."""
    equal = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        values = key[order]
        missing = np.isnat(values) if values.dtype.kind == "M" else np.zeros(len(values), bool)
        equal &= (values[1:] == values[:-1]) | (missing[1:] & missing[:-1])
    same = np.flatnonzero(equal)
    return np.union1d(same, same + 1)
