"""Rows of several pairs between the epochs: when the widest of their pairs is least, and how wide each gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from aurorax_pandas.engine.proximity import Floats, Ints
from aurorax_pandas.engine.spans import Spans, extremes, knots_inside, span_of_knot
from aurorax_pandas.ephemeris.arcs import ALIKE

_HALVINGS: Final = 40

#: Returns the distance [km] of the pair of a given position of some rows at instants (in units of time, fractions too).
Apart = Callable[[int, Ints, Floats], Floats]


@dataclass(frozen=True)
class Widest:
    """
    The extremes of rows, the distance at an instant being that of the widest pair.

    Parameters
    ----------
    closest, farthest : ndarray of int64, shape (row,)
        Instants, in units of time from the first epoch.
    low, high : ndarray of float64, shape (row,)
        The distances then [km].
    pair_low, pair_high : ndarray of float64, shape (row, pair)
        The extremes of each pair [km].
    """

    closest: Ints
    low: Floats
    farthest: Ints
    high: Floats
    pair_low: Floats
    pair_high: Floats


def widest_of_rows(start: Ints, end: Ints, spans: list[Spans], span: list[Ints], distance: Apart) -> Widest:
    """
    Return the extremes of rows that have several pairs in common.

    Parameters
    ----------
    start, end : ndarray of int64, shape (row,)
        The spans of the rows, in units of time from the first epoch.
    spans : list of Spans
        Those of each pair.
    span : list of ndarray of int64, shape (row,)
        The one of each pair that a row lies in.
    distance : callable
        Returns the distance [km] of the pair of a position, of rows, at instants.
    """
    count = len(start)
    parts = [(np.arange(count), start), (np.arange(count), end)]
    parts += [knots_inside(one, at, start, end) for one, at in zip(spans, span, strict=True)]
    row, time = np.unique(np.stack([np.concatenate(each) for each in zip(*parts, strict=True)]), axis=1)
    by_pair = np.stack([
        _known(one, at[row], time, distance(number, row, time.astype(np.float64)))
        for number, (one, at) in enumerate(zip(spans, span, strict=True))
    ])  # fmt: skip
    each = [extremes(row, time, values, count) for values in by_pair]
    _, _, farthest, high = extremes(row, time, by_pair.max(axis=0), count)
    crossing_row, crossing, crossed = _crossings(row, time, by_pair, distance)
    all_row, all_time = np.concatenate([row, crossing_row]), np.concatenate([time, crossing])
    order = np.lexsort((all_time, all_row))
    closest, low, _, _ = extremes(
        all_row[order], all_time[order], np.concatenate([by_pair.max(axis=0), crossed])[order], count
    )
    pair_low, pair_high = (
        np.stack(values, axis=1) for values in ([low for _, low, _, _ in each], [high for *_, high in each])
    )
    return Widest(closest, low, farthest, high, pair_low, pair_high)


def _known(spans: Spans, span: Ints, time: Ints, distance: Floats) -> Floats:
    """Return distances at instants of spans, those of knots as they were measured."""
    width = int(spans.time.max(initial=0)) + 1
    knot = span_of_knot(spans) * width + spans.time
    wanted = span * width + time
    at = np.searchsorted(knot, wanted).clip(max=max(len(knot) - 1, 0))
    return np.where(knot[at] == wanted, spans.distance[at], distance)


def _crossings(row: Ints, time: Ints, by_pair: Floats, distance: Apart) -> tuple[Ints, Ints, Floats]:
    """
    Return the rows, instants and distances at which the widest of the pairs turns from falling to growing.

    Between two instants that follow each other every pair only grows or only falls, so that the widest of those that
    grow meets the widest of those that fall at most once.
    """
    before = np.flatnonzero(row[1:] == row[:-1])
    # what stays as it is counts as growing
    grows = by_pair[:, before + 1] >= by_pair[:, before] - ALIKE

    def lead(values: Floats, growing: np.ndarray) -> Floats:
        rising = np.where(growing, values, -np.inf).max(axis=0)
        falling = np.where(growing, -np.inf, values).max(axis=0)
        found: Floats = rising - falling
        return found

    with np.errstate(invalid="ignore"):
        turns = (lead(by_pair[:, before], grows) < 0) & (lead(by_pair[:, before + 1], grows) > 0)
    some, grows = before[turns], grows[:, turns]
    low, high = time[some].astype(np.float64), time[some + 1].astype(np.float64)

    def at(instant: Floats) -> Floats:
        return np.stack([distance(number, row[some], instant) for number in range(len(by_pair))])

    for _ in range(_HALVINGS if len(some) else 0):
        middle = (low + high) / 2
        after = lead(at(middle), grows) < 0
        low, high = np.where(after, middle, low), np.where(after, high, middle)
    instant = (low + high) / 2
    widest = at(instant).max(axis=0) if len(some) else instant
    return row[some], np.rint(instant).astype(np.int64), widest
