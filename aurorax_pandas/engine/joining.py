"""Runs of epochs at which pairs are near, joined into conjunctions of all roles of a search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.engine.proximity import Floats, Hits, Ints, Mask
from aurorax_pandas.frame import model
from aurorax_pandas.sources import CONJUNCTION_TYPES

Pair = tuple[int, int]


@dataclass
class _Spans:
    """
    Runs of consecutive epochs, disjoint for each key and sorted by key, then start.

    ``key`` numbers a source or a pair of them; ``base`` is where the distances of a run stand, less its start.
    """

    key: Ints
    start: Ints
    end: Ints
    base: Ints
    distance: Floats

    def overlapping(self, key: Ints, start: Ints, end: Ints, epochs: int) -> tuple[Ints, Ints]:
        """Return the pairs of positions (of what is asked for, of a run) that overlap and have the same key."""
        first = np.searchsorted(self.key * epochs + self.end, key * epochs + start)
        stop = np.searchsorted(self.key * epochs + self.start, key * epochs + end, side="right")
        count = np.maximum(stop - first, 0)
        return np.repeat(np.arange(len(key)), count), model.ranges(first, count)


def _spans(key: Ints, epoch: Ints, distance: Floats | None = None) -> _Spans:
    order = np.lexsort((epoch, key))
    key, epoch = key[order], epoch[order]
    begins = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]) | (epoch[1:] != epoch[:-1] + 1)][: len(key)])
    ends = np.r_[begins[1:], len(key)][: len(begins)] - 1
    return _Spans(
        key[begins],
        epoch[begins],
        epoch[ends],
        begins - epoch[begins],
        np.array([]) if distance is None else distance[order],
    )


@dataclass
class _Rows:
    """Combinations of sources, one for each role joined so far, and the epochs that they have in common."""

    sources: dict[int, Ints]
    start: Ints
    end: Ints
    base: dict[Pair, Ints]

    def take(self, positions: Ints) -> _Rows:
        """Return some of the rows."""
        return _Rows(
            {role: codes[positions] for role, codes in self.sources.items()},
            self.start[positions],
            self.end[positions],
            {pair: base[positions] for pair, base in self.base.items()},
        )

    def joined(self, spans: _Spans, key: Ints, epochs: int, pair: Pair | None) -> _Rows:
        """Return the rows cut down to the runs of their keys, once for each run that overlaps."""
        asked, run = spans.overlapping(key, self.start, self.end, epochs)
        rows = self.take(asked)
        rows.start = np.maximum(rows.start, spans.start[run])
        rows.end = np.minimum(rows.end, spans.end[run])
        if pair is not None:
            rows.base[pair] = spans.base[run]
        return rows

    def crossed(self, role: int, sources: Ints) -> _Rows:
        """Return every row with every source for one more role, but for those that it has already."""
        rows = self.take(np.repeat(np.arange(len(self.start)), len(sources)))
        codes = np.tile(sources, len(self.start))
        fresh = np.ones(len(codes), bool)
        for taken in rows.sources.values():
            fresh &= taken != codes
        rows.sources[role] = codes
        return rows.take(np.flatnonzero(fresh))


def join_hits(
    kind: str,
    hits: dict[Pair, Hits],
    spells: dict[int, list[tuple[Ints, Ints]]],
    sources: list[Ints],
    table: pd.DataFrame,
    epochs: npt.NDArray[np.datetime64],
) -> pd.DataFrame:
    """
    Join the epochs at which pairs of roles are near into conjunctions.

    Parameters
    ----------
    kind : str
        The conjunction type.
    hits : dict of pair to Hits
        When the sources of each pair of roles that has a limit are within it.
    spells : dict of int to list
        For each role that is in no such pair, its sources and the epochs at which these are present.
    sources : list of ndarray of int64
        The sources of each role, by their position in the table.
    table : pandas.DataFrame
        The sources, with the six fields of a data source.
    epochs : ndarray of datetime64
        The epochs that all the positions mean.
    """
    if not all(map(len, hits.values())):
        return model.empty_conjunctions()
    spans = {}
    for pair, found in hits.items():
        key = np.concatenate(found.first) * len(table) + np.concatenate(found.second)
        spans[pair] = _spans(key, np.concatenate(found.epoch), np.concatenate(found.distance))
    rows = _joined(spans, spells, sources, len(table), len(epochs))
    if not len(rows.start):
        return model.empty_conjunctions()
    return _frame_of_rows(kind, rows, spans, table, epochs)


def _joined(
    spans: dict[Pair, _Spans],
    spells: dict[int, list[tuple[Ints, Ints]]],
    sources: list[Ints],
    size: int,
    epochs: int,
) -> _Rows:
    # the rarest pair first: every later join can only cut down what it leaves
    waiting = sorted(spans, key=lambda pair: len(spans[pair].key))
    seed = waiting.pop(0)
    first, second = np.divmod(spans[seed].key, size)
    rows = _Rows({seed[0]: first, seed[1]: second}, spans[seed].start, spans[seed].end, {seed: spans[seed].base})
    while waiting:
        # pairs whose roles both stand only filter, so they come before those that bring a role in
        pair = max(waiting, key=lambda pair: (pair[0] in rows.sources) + (pair[1] in rows.sources))
        waiting.remove(pair)
        for role in pair:
            if role not in rows.sources:
                rows = rows.crossed(role, sources[role])
        rows = rows.joined(spans[pair], rows.sources[pair[0]] * size + rows.sources[pair[1]], epochs, pair)
    for role, present in spells.items():
        source, epoch = (np.concatenate(part) for part in zip(*present, strict=True))
        rows = rows.crossed(role, sources[role])
        rows = rows.joined(_spans(source, epoch), rows.sources[role], epochs, None)
    return rows


def _frame_of_rows(
    kind: str,
    rows: _Rows,
    spans: dict[Pair, _Spans],
    table: pd.DataFrame,
    epochs: npt.NDArray[np.datetime64],
) -> pd.DataFrame:
    pairs = sorted(spans)
    roles = sorted(rows.sources)
    count, length = len(rows.start), rows.end - rows.start + 1
    offset = np.cumsum(length) - length
    row = np.repeat(np.arange(count), length)
    epoch = model.ranges(rows.start, length)
    by_pair = np.stack([spans[pair].distance[epoch + rows.base[pair][row]] for pair in pairs])
    widest = by_pair.max(axis=0)
    low, high = np.minimum.reduceat(widest, offset), np.maximum.reduceat(widest, offset)
    kind_code = CONJUNCTION_TYPES.index(kind)
    start, end = epochs[rows.start], epochs[rows.end]
    column = {
        "conjunction_type": np.full(count, kind_code, np.int8),
        "start": start,
        "end": end,
        "min_distance": low,
        "max_distance": high,
        "closest_epoch": epochs[epoch[_first_where(widest == low[row], row)]],
        "farthest_epoch": epochs[epoch[_first_where(widest == high[row], row)]],
        "source_count": np.full(count, len(roles)),
        "sources": np.stack([rows.sources[role] for role in roles], axis=1).ravel(),
        "event_count": np.full(count, len(pairs)),
        "event_type": np.full(count * len(pairs), kind_code, np.int8),
        "e1": np.stack([rows.sources[one] for one, _ in pairs], axis=1).ravel(),
        "e2": np.stack([rows.sources[other] for _, other in pairs], axis=1).ravel(),
        "event_start": np.repeat(start, len(pairs)),
        "event_end": np.repeat(end, len(pairs)),
        "event_min_distance": np.minimum.reduceat(by_pair, offset, axis=1).T.ravel(),
        "event_max_distance": np.maximum.reduceat(by_pair, offset, axis=1).T.ravel(),
    }
    fields = {name: pa.array(table[name].tolist(), arrow_type) for name, arrow_type in model.SOURCE_FIELDS.items()}
    return model.assemble_conjunctions(column, fields)


def _first_where(condition: Mask, row: Ints) -> Ints:
    """Return the first position of each row at which a condition holds."""
    found = np.flatnonzero(condition)
    first: Ints = found[np.flatnonzero(np.r_[True, row[found][1:] != row[found][:-1]])]
    return first
