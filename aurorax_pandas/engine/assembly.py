"""Rows of a search, with the distances of their epochs, made into a frame of conjunctions."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.engine.joining import Pair, Rows, Runs
from aurorax_pandas.engine.proximity import Floats, Ints, Mask
from aurorax_pandas.frame import model, ordering
from aurorax_pandas.sources import CONJUNCTION_TYPES
from aurorax_pandas.times import Times

# distances that are held at once while they are summed up
_DISTANCES: Final = 4_000_000


@dataclass(frozen=True)
class Found:
    """
    Conjunctions of one type, summed up.

    Parameters
    ----------
    kind : ndarray of int8, shape (row,)
        The code of the type.
    sources : ndarray of int64, shape (row, role)
        The data sources, by their position in the search's table.
    start, end, closest, farthest : ndarray of datetime64, shape (row,)
        The span, and the epochs of the extreme distances.
    low, high : ndarray of float64, shape (row,)
        The extreme distances of the widest pair [km].
    pair_low, pair_high : ndarray of float64, shape (row, pair)
        The extreme distances of each pair of roles that has a limit [km].
    """

    kind: npt.NDArray[np.int8]
    sources: Ints
    start: Times
    end: Times
    closest: Times
    farthest: Times
    low: Floats
    high: Floats
    pair_low: Floats
    pair_high: Floats

    def take(self, rows: Ints) -> Found:
        """Return some of the rows."""
        return Found(*(getattr(self, field.name)[rows] for field in fields(self)))


def sum_up(kind: str, rows: Rows, runs: dict[Pair, Runs], epochs: Times) -> Found:
    """
    Sum up the rows of a search.

    Parameters
    ----------
    kind : str
        The conjunction type.
    rows : Rows
        The combinations, by position in the table.
    runs : dict of Pair to Runs
        The distances of each pair of roles that has a limit.
    epochs : ndarray of datetime64
        The epochs that all the positions mean.
    """
    pairs = sorted(runs)
    length = rows.end - rows.start + 1
    cuts = np.flatnonzero(np.diff(np.cumsum(length) // _DISTANCES)) + 1
    pieces = [_measure(rows, runs, pairs, some) for some in np.split(np.arange(len(length)), cuts)]
    closest, farthest, low, high, pair_low, pair_high = (
        pieces[0] if len(pieces) == 1 else map(np.concatenate, zip(*pieces, strict=True))
    )
    return Found(
        np.full(len(length), CONJUNCTION_TYPES.index(kind), np.int8),
        np.stack([rows.sources[role] for role in sorted(rows.sources)], axis=1),
        epochs[rows.start],
        epochs[rows.end],
        epochs[closest],
        epochs[farthest],
        low,
        high,
        pair_low,
        pair_high,
    )


def _measure(rows: Rows, runs: dict[Pair, Runs], pairs: list[Pair], some: Ints) -> tuple[npt.NDArray[Any], ...]:
    """Return of some rows the epochs of the extreme distances, these, and those of each pair."""
    if not len(some):
        none, each = np.empty(0), np.empty((0, len(pairs)))
        return some, some, none, none, each, each
    length = rows.end[some] - rows.start[some] + 1
    offset = np.cumsum(length) - length
    row = np.repeat(np.arange(len(some)), length)
    epoch = model.ranges(rows.start[some], length)
    first = runs[pairs[0]]
    if rows.whole and first.stride is None:
        # of one pair the distances stand as the rows do
        begin = int(rows.start[some[0]] + first.base[some[0]])
        by_pair = first.distance[None, begin : begin + len(row)]
    else:
        by_pair = np.stack([runs[pair].distances(rows.run[pair][some][row], epoch) for pair in pairs])
    pair_low, pair_high = (bound.reduceat(by_pair, offset, axis=1) for bound in (np.minimum, np.maximum))
    if len(pairs) == 1:
        widest, low, high = by_pair[0], pair_low[0], pair_high[0]
    else:
        widest = by_pair.max(axis=0)
        low, high = (bound.reduceat(widest, offset) for bound in (np.minimum, np.maximum))
    closest, farthest = (epoch[_first_where(widest == extreme[row], row)] for extreme in (low, high))
    return closest, farthest, low, high, pair_low.T, pair_high.T


def _first_where(condition: Mask, row: Ints) -> Ints:
    """Return the first position of each row at which a condition holds."""
    found = np.flatnonzero(condition)
    first: Ints = found[np.flatnonzero(np.r_[True, row[found][1:] != row[found][:-1]])]
    return first


def assemble(
    pieces: list[Found], pairs: list[Pair], table: pd.DataFrame, step: np.timedelta64 | None = None
) -> pd.DataFrame:
    """
    Make a frame of conjunctions that were found.

    Parameters
    ----------
    pieces : list of Found
        The conjunctions, emptied on the way.
    pairs : list of (int, int)
        The pairs of roles that have a limit.
    table : pandas.DataFrame
        The sources that these mean, with the six fields of a data source.
    step : numpy.timedelta64, optional
        The span of time that lies between any two of the epochs a whole number of times. With it the rows stand in
        their total order, without it as they come.
    """
    if not any(len(piece.start) for piece in pieces):
        return model.empty_conjunctions()
    names = [field.name for field in fields(Found)]
    found = pieces[0] if len(pieces) == 1 else Found(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))  # fmt: skip
    pieces.clear()
    order = None if step is None else _order_by_number(found, table["identifier"].to_numpy(), step)
    if order is not None:
        found = found.take(order)
    texts = {name: pa.array(table[name].tolist(), arrow_type) for name, arrow_type in model.SOURCE_FIELDS.items()}
    column = _columns_of(found, sorted(pairs))
    if step is None or order is not None:
        return model.assemble_conjunctions(column, texts)
    return ordering.assemble_in_order(column, texts, np.ones(len(found.start), bool))


def _columns_of(found: Found, pairs: list[Pair]) -> dict[str, npt.NDArray[Any]]:
    """Return the flat columns that `model.assemble_conjunctions` takes."""
    (count, roles), events = found.sources.shape, len(pairs)
    return {
        "conjunction_type": found.kind,
        "start": found.start,
        "end": found.end,
        "min_distance": found.low,
        "max_distance": found.high,
        "closest_epoch": found.closest,
        "farthest_epoch": found.farthest,
        "source_count": np.full(count, roles),
        "sources": found.sources.ravel(),
        "event_count": np.full(count, events),
        "event_type": np.repeat(found.kind, events),
        "e1": found.sources[:, [one for one, _ in pairs]].ravel(),
        "e2": found.sources[:, [other for _, other in pairs]].ravel(),
        "event_start": np.repeat(found.start, events),
        "event_end": np.repeat(found.end, events),
        "event_min_distance": found.pair_low.ravel(),
        "event_max_distance": found.pair_high.ravel(),
    }


def _order_by_number(found: Found, identifier: npt.NDArray[Any], step: np.timedelta64) -> Ints | None:
    """Return the total order of rows where one number for each settles it, else None."""
    rank = np.unique(identifier, return_inverse=True)[1]
    start, later = found.start - found.start.min(), found.closest - found.start
    digits = [start // step, later // step, *np.sort(rank[found.sources], axis=1).T, found.kind]
    sizes = [int(digit.max()) + 1 for digit in digits]
    if math.prod(sizes) >= 2**63:
        return None
    number = np.zeros(len(start), np.int64)
    for digit, size in zip(digits, sizes, strict=True):
        number *= size
        number += digit
    order = np.argsort(number)
    ordered = number[order]
    return None if (ordered[1:] == ordered[:-1]).any() else order
