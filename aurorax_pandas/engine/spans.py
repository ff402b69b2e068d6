"""Spans of time in which two places are within a distance, between the epochs too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from aurorax_pandas.engine.proximity import Floats, Ints
from aurorax_pandas.ephemeris.arc_parts import pieces_within
from aurorax_pandas.ephemeris.arcs import ALIKE, Arcs, Way, apart
from aurorax_pandas.frame import model


@dataclass(frozen=True)
class Steps:
    """
    Pairs of places from one epoch to the next.

    Parameters
    ----------
    pair : ndarray of int64, shape (step,)
        A number for the pair.
    epoch : ndarray of int64, shape (step,)
        The position of the epoch at which the step begins.
    limit : ndarray of float64, shape (step,)
        The distance of interest [km].
    low, high : ndarray of float64, shape (step,)
        What of the step is asked for, as fractions of it.
    """

    pair: Ints
    epoch: Ints
    limit: Floats
    low: Floats
    high: Floats

    def take(self, steps: Ints) -> Steps:
        """Return some of the steps."""
        return Steps(*(getattr(self, field.name)[steps] for field in fields(self)))


@dataclass(frozen=True)
class Legs:
    """
    What lies within a distance, cut where the distance turns from falling to growing and at each epoch.

    Parameters
    ----------
    pair : ndarray of int64, shape (leg,)
        A number for the pair.
    start, end : ndarray of int64, shape (leg,)
        When it begins and ends, in units of time from the first epoch.
    first, last : ndarray of float64, shape (leg,)
        The distances then [km].
    """

    pair: Ints
    start: Ints
    end: Ints
    first: Floats
    last: Floats


@dataclass(frozen=True)
class Spans:
    """
    Spans within a distance, disjoint for each pair and sorted by pair, then start.

    Parameters
    ----------
    pair : ndarray of int64, shape (span,)
        A number for the pair.
    start, end : ndarray of int64, shape (span,)
        When it begins and ends, in units of time from the first epoch.
    knot : ndarray of int64, shape (span + 1,)
        Where its knots begin, and where the last ones end.
    time, distance : ndarray, shape (knot,)
        Instants between which the distance only grows or only falls, in order, and the distances then [km].
    """

    pair: Ints
    start: Ints
    end: Ints
    knot: Ints
    time: Ints
    distance: Floats


def legs_within(steps: Steps, first: Way, second: Way, units: int) -> Legs:
    """
    Return the legs of some steps on which two places are within a distance.

    Parameters
    ----------
    steps : Steps
        The steps, none of which is a jump.
    first, second : Way
        The ways of the two places.
    units : int
        Units of time in a step.
    """
    asked = np.flatnonzero(steps.low < steps.high)
    if len(asked) < len(steps.low):
        steps, first, second = steps.take(asked), first.take(asked), second.take(asked)
    found = pieces_within(Arcs.between(first, second), steps.limit, steps.low, steps.high)
    steps = steps.take(found.arc)
    times: list[Ints] = []
    distances: list[Floats] = []
    for fraction, crossed in ((found.low, found.enters), (found.high, found.leaves)):
        times.append(steps.epoch * units + np.rint(fraction * units).astype(np.int64))
        distance = steps.limit.copy()
        free = np.flatnonzero(~crossed)
        there = apart(*(way.take(found.arc[free]).at(fraction[free]) for way in (first, second)))
        distance[free] = np.minimum(there, distance[free])
        distances.append(distance)
    return Legs(steps.pair, times[0], times[1], distances[0], distances[1])


def join_legs(legs: Sequence[Legs]) -> Spans:
    """Return the spans that legs make together."""
    pair, start, end, first, last = (
        np.concatenate([getattr(each, field.name) for each in legs]) for field in fields(Legs)
    )
    # legs of a pair have no more than their ends in common, so that both ends ascend
    order = _order_of_legs(pair, start, end)
    pair, start, end = pair[order], start[order], end[order]
    begins = np.flatnonzero(np.r_[True, (pair[1:] != pair[:-1]) | (start[1:] > end[:-1])][: len(pair)])
    stops = np.append(begins[1:], len(pair))[: len(begins)]
    return Spans(
        pair[begins],
        start[begins],
        end[stops - 1],
        2 * np.append(begins, len(pair)),
        np.stack([start, end], axis=1).ravel(),
        np.stack([first[order], last[order]], axis=1).ravel(),
    )


def _order_of_legs(pair: Ints, start: Ints, end: Ints) -> Ints:
    """Return the order of legs by pair, start and end."""
    first, length = int(start.min(initial=0)), int(start.max(initial=0)) + 1
    if (int(pair.max(initial=0)) + 1) * (length - first) <= np.iinfo(np.int64).max:
        # what stands in order in few pieces, as legs do, is merged
        key = pair * (length - first) + (start - first)
        order = np.argsort(key, kind="stable")
        same = np.flatnonzero(np.diff(key[order]) == 0)
        if (end[order[same]] <= end[order[same + 1]]).all():
            return order
    return np.lexsort((end, start, pair))


def extremes(group: Ints, time: Ints, distance: Floats, count: int) -> tuple[Ints, Floats, Ints, Floats]:
    """Return of each group the earliest time of its least distance, this, and the same of its greatest; by group."""
    first = np.searchsorted(group, np.arange(count))
    found: list[np.ndarray] = []
    for bound in (np.minimum, np.maximum):
        extreme = bound.reduceat(distance, first) if count else distance
        at = np.flatnonzero(np.abs(distance - extreme[group]) <= ALIKE)
        found += [time[at[np.flatnonzero(np.diff(group[at], prepend=-1))]], extreme]
    return found[0], found[1], found[2], found[3]


def span_of_knot(spans: Spans) -> Ints:
    """Return the span that each knot belongs to."""
    return np.repeat(np.arange(len(spans.pair)), np.diff(spans.knot))


def knots_inside(spans: Spans, span: Ints, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Return for parts of spans the positions of the parts and the instants of the knots strictly inside them."""
    count = np.diff(spans.knot)[span]
    part = np.repeat(np.arange(len(span)), count)
    time = spans.time[model.ranges(spans.knot[span], count)]
    inside = (time > start[part]) & (time < end[part])
    return part[inside], time[inside]
