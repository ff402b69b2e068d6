"""Runs of epochs at which pairs are near, joined into conjunctions of all roles of a search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aurorax_pandas import geometry
from aurorax_pandas.engine.proximity import Floats, Hits, Ints, Mask, Party
from aurorax_pandas.frame import model
from aurorax_pandas.frame.intervals import stable_order

Pair = tuple[int, int]


@dataclass(frozen=True)
class Runs:
    """
    Runs of consecutive epochs, disjoint for each key and sorted by key, then start.

    Parameters
    ----------
    key : ndarray of int64
        Number of the source, or of the pair of sources, of each run.
    start, end : ndarray of int64
        First and last epoch.
    base, stride : ndarray of int64
        The distance at an epoch stands at ``base + stride * epoch``; without strides these are 1.
    distance : ndarray of float64
        Distances [km]; a pair that stands still has one for all its epochs.
    """

    key: Ints
    start: Ints
    end: Ints
    base: Ints
    distance: Floats
    stride: Ints | None = None

    def overlapping(self, key: Ints, start: Ints, end: Ints, epochs: int) -> tuple[Ints, Ints]:
        """Return the pairs of positions (of what is asked for, of a run) that overlap and have the same key."""
        first = np.searchsorted(self.key * epochs + self.end, key * epochs + start)
        stop = np.searchsorted(self.key * epochs + self.start, key * epochs + end, side="right")
        count = np.maximum(stop - first, 0)
        return np.repeat(np.arange(len(key)), count), model.ranges(first, count)

    def distances(self, run: Ints, epoch: Ints) -> Floats:
        """Return the distances of some runs at epochs of theirs."""
        along = epoch if self.stride is None else epoch * self.stride[run]
        found: Floats = self.distance[along + self.base[run]]
        return found

    def joined(self, other: Runs) -> Runs:
        """Return the runs of both, which have no key in common."""
        key = np.concatenate([self.key, other.key])
        order = np.argsort(key, kind="stable")
        strides = [np.ones(len(runs.key), np.int64) if runs.stride is None else runs.stride for runs in (self, other)]
        return Runs(
            key[order],
            np.concatenate([self.start, other.start])[order],
            np.concatenate([self.end, other.end])[order],
            np.concatenate([self.base, other.base + len(self.distance)])[order],
            np.concatenate([self.distance, other.distance]),
            np.concatenate(strides)[order],
        )


def runs_of_hits(hits: Hits, one: Party, other: Party, size: int) -> Runs:
    """Return the runs of the hits of two roles; a key is the first source times the size of the table plus the second."""
    pair, epoch, distance = hits.joined()
    order = stable_order(pair)
    pair, epoch = pair[order], epoch[order]
    begins = np.flatnonzero(np.r_[True, (pair[1:] != pair[:-1]) | (epoch[1:] != epoch[:-1] + 1)][: len(pair)])
    ends = np.r_[begins[1:], len(pair)][: len(begins)] - 1
    first, second = np.divmod(pair[begins].astype(np.int64), len(other.sources))
    start = epoch[begins].astype(np.int64)
    return Runs(
        one.sources[first] * size + other.sources[second],
        start,
        epoch[ends].astype(np.int64),
        begins - start,
        distance[order],
    )


def runs_of_presence(sources: Ints, present: Mask, begin: int) -> Runs:
    """Return the runs of epochs, counted from `begin`, at which sources are present; their key is the source."""
    edges = np.diff(present.astype(np.int8), axis=1, prepend=0, append=0)
    row, start = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1] - 1
    return Runs(sources[row], start + begin, end + begin, np.zeros_like(start), np.empty(0))


def runs_of_places(one: Party, other: Party, limit: float, present: tuple[Runs, Runs], size: int, epochs: int) -> Runs:
    """Return the runs of pairs of sources that stand still within a limit of each other, while both are present."""
    distance = geometry.great_circle_distance(one.lat[:, None], one.lon[:, None], other.lat, other.lon)
    first, second = np.nonzero(distance <= limit)
    distance = distance[first, second]
    mine, theirs = one.sources[one.still[first]], other.sources[other.still[second]]
    differ = mine != theirs
    mine, theirs, distance = mine[differ], theirs[differ], distance[differ]
    begin, stop = (np.searchsorted(present[0].key, mine, side=side) for side in ("left", "right"))
    pair = np.repeat(np.arange(len(mine)), stop - begin)
    run = model.ranges(begin, stop - begin)
    asked, with_run = present[1].overlapping(theirs[pair], present[0].start[run], present[0].end[run], epochs)
    pair, run = pair[asked], run[asked]
    return Runs(
        mine[pair] * size + theirs[pair],
        np.maximum(present[0].start[run], present[1].start[with_run]),
        np.minimum(present[0].end[run], present[1].end[with_run]),
        pair,
        distance,
        np.zeros(len(pair), np.int64),
    )


@dataclass
class Rows:
    """
    Combinations of sources, one for each role joined so far, and the epochs that they have in common.

    Parameters
    ----------
    sources : dict of int to ndarray of int64
        The source of each role.
    start, end : ndarray of int64
        First and last epoch.
    run : dict of Pair to ndarray of int64
        The run of each pair of roles that the row lies in.
    whole : bool
        Whether each row is the run of the same position, whole, of the one pair of roles that there is.
    """

    sources: dict[int, Ints]
    start: Ints
    end: Ints
    run: dict[Pair, Ints]
    whole: bool = False

    def take(self, positions: Ints) -> Rows:
        """Return some of the rows."""
        return Rows(
            {role: codes[positions] for role, codes in self.sources.items()},
            self.start[positions],
            self.end[positions],
            {pair: run[positions] for pair, run in self.run.items()},
        )

    def joined(self, runs: Runs, key: Ints, epochs: int, pair: Pair | None) -> Rows:
        """Return the rows cut down to the runs of their keys, once for each run that overlaps."""
        asked, run = runs.overlapping(key, self.start, self.end, epochs)
        rows = self.take(asked)
        rows.start = np.maximum(rows.start, runs.start[run])
        rows.end = np.minimum(rows.end, runs.end[run])
        if pair is not None:
            rows.run[pair] = run
        return rows

    def crossed(self, role: int, sources: Ints) -> Rows:
        """Return every row with every source for one more role, but for those that it has already."""
        rows = self.take(np.repeat(np.arange(len(self.start)), len(sources)))
        codes = np.tile(sources, len(self.start))
        fresh = np.ones(len(codes), bool)
        for taken in rows.sources.values():
            fresh &= taken != codes
        rows.sources[role] = codes
        return rows.take(np.flatnonzero(fresh))


def join_runs(
    runs: dict[Pair, Runs], free: Iterable[tuple[int, Runs]], sources: list[Ints], size: int, epochs: int
) -> Rows:
    """
    Join runs of pairs of roles into combinations of all roles.

    Parameters
    ----------
    runs : dict of Pair to Runs
        For each pair of roles that has a limit.
    free : iterable of (int, Runs)
        For each role that is in no such pair, when its sources are present.
    sources : list of ndarray of int64
        The sources of each role, by their position in the table.
    size : int
        The length of the table.
    epochs : int
        One more than the last epoch.
    """
    # the rarest pair first: every later join can only cut down what it leaves
    waiting = sorted(runs, key=lambda pair: len(runs[pair].key))
    seed = waiting.pop(0)
    first, second = np.divmod(runs[seed].key, size)
    every = np.arange(len(first))
    rows = Rows({seed[0]: first, seed[1]: second}, runs[seed].start, runs[seed].end, {seed: every}, whole=True)
    while waiting:
        # pairs whose roles both stand only filter, so they come before those that bring a role in
        pair = max(waiting, key=lambda pair: (pair[0] in rows.sources) + (pair[1] in rows.sources))
        waiting.remove(pair)
        for role in pair:
            if role not in rows.sources:
                rows = rows.crossed(role, sources[role])
        rows = rows.joined(runs[pair], rows.sources[pair[0]] * size + rows.sources[pair[1]], epochs, pair)
    for role, present in free:
        rows = rows.crossed(role, sources[role])
        rows = rows.joined(present, rows.sources[role], epochs, None)
    return rows
