"""Parts of arcs on which the distance only grows or only falls: its minimum, and the pieces within a distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from aurorax_pandas import geometry
from aurorax_pandas.ephemeris.arcs import ALIKE, Arcs, Floats, Ints, Mask, Way, apart

# a cosine is not known better than this
_SLACK: Final = 1e-15
_ROUNDING: Final = 1e-13
# of cosines that are further apart, the distances are no longer alike
_RIVALS: Final = 1e-12
# halves so small that nothing happens in them
_HALVES: Final = 50
_STEPS: Final = 60
# steps that are so small find the same
_FOUND: Final = 1e-13


@dataclass(frozen=True)
class ArcParts:
    """
    Parts of arcs on which the distance only grows or only falls, by arc, then along it.

    Parameters
    ----------
    arc : ndarray of int64
        The arc of each part.
    low, high : ndarray of float64
        Where it begins and ends, as fractions of the step.
    """

    arc: Ints
    low: Floats
    high: Floats


def monotone_parts(arcs: Arcs, low: Floats, high: Floats, within: Floats | None = None) -> ArcParts:
    """
    Divide arcs into parts on which the distance only grows or only falls.

    Halved are those of which neither the first nor the second derivative is seen to keep its sign, by bounds of the
    second and third; where the second keeps it, there is at most one turning point, which is then found.

    Parameters
    ----------
    arcs : Arcs
        The arcs.
    low, high : ndarray of float64, shape (arc,)
        What of each arc is asked for, as fractions of the step.
    within : ndarray of float64, shape (arc,), optional
        Cosines of the distances of interest: parts that are further apart throughout are left out.
    """
    arc, begin, end, some = np.arange(len(low)), low, high, arcs
    found: list[tuple[Ints, Floats, Floats]] = []
    for halves in range(_HALVES + 1):
        middle, half = (begin + end) / 2, (end - begin) / 2
        cosine, slope, bend = some.cosine_and_slopes(middle)
        if within is not None:
            near = np.flatnonzero(cosine + some.bound(1) * half >= within[arc] - _SLACK)
            if len(near) < len(arc):
                arc, begin, end, middle, half = arc[near], begin[near], end[near], middle[near], half[near]
                slope, bend, some = slope[near], bend[near], some.take(near)
        keeps = (np.abs(slope) >= some.bound(2) * half) | (some.bound(1) * half <= _SLACK)
        if halves == _HALVES:
            keeps[:] = True
        found.append((arc[keeps], begin[keeps], end[keeps]))
        turns = np.flatnonzero(~keeps & (np.abs(bend) > some.bound(3) * half))
        if len(turns):
            found += _divided(arcs, arc[turns], begin[turns], end[turns])
            keeps[turns] = True
        left = np.flatnonzero(~keeps)
        if not len(left):
            break
        arc = np.repeat(arc[left], 2)
        begin, end = (
            np.stack([begin[left], middle[left]], axis=1).ravel(),
            np.stack([middle[left], end[left]], axis=1).ravel(),
        )
        some = arcs.take(arc)
    all_arc, all_begin, all_end = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((all_begin, all_arc))
    return ArcParts(all_arc[order], all_begin[order], all_end[order])


def _divided(arcs: Arcs, arc: Ints, begin: Floats, end: Floats) -> list[tuple[Ints, Floats, Floats]]:
    """Divide parts on which the slope only grows or only falls where it is zero."""
    some = arcs.take(arc)
    before, after = some.slope(begin), some.slope(end)
    turns = np.flatnonzero((before < 0) != (after < 0))
    keeps = np.flatnonzero((before < 0) == (after < 0))
    level = np.zeros(len(turns))
    at = _root(arcs.take(arc[turns]), Arcs.slopes, begin[turns], end[turns], before[turns] < 0, level)
    return [
        (arc[keeps], begin[keeps], end[keeps]),
        (arc[turns], begin[turns], at),
        (arc[turns], at, end[turns]),
    ]


def _root(
    arcs: Arcs,
    function: Callable[[Arcs, Floats], tuple[Floats, Floats]],
    low: Floats,
    high: Floats,
    rising: Mask,
    wanted: Floats,
) -> Floats:
    """Return where arcs have a wanted value, once between two fractions, by Newton's steps kept inside the bracket."""
    found = (low + high) / 2
    # what is found is left out, so that it does not depend on what is looked for beside it
    sought, at = np.arange(len(found)), found.copy()
    for _ in range(_STEPS):
        value, slope = function(arcs, at)
        value = value - wanted
        before = (value < 0) == rising
        low, high = np.where(before, at, low), np.where(before, high, at)
        with np.errstate(divide="ignore", invalid="ignore"):
            stepped = at - value / slope
        following = np.where((stepped >= low) & (stepped <= high), stepped, (low + high) / 2)
        left = np.flatnonzero(np.abs(following - at) > _FOUND)
        found[sought] = following
        if not len(left):
            break
        arcs, sought, at = arcs.take(left), sought[left], following[left]
        low, high, rising, wanted = low[left], high[left], rising[left], wanted[left]
    return found


def least_fraction(first: Way, second: Way, group: Ints) -> tuple[Ints, Floats, Floats, Floats, Floats]:
    """
    Return where two places are closest on the ways of each group, the earliest of several.

    Parameters
    ----------
    first, second : Way
        The ways.
    group : ndarray of int64, shape (step,)
        The group of each way; ways stand by group.

    Returns
    -------
    step : ndarray of int64, shape (group,)
        The way.
    fraction : ndarray of float64, shape (group,)
        The fraction of it.
    one, other : ndarray of float64, shape (3, group)
        Where they are then, as unit vectors.
    distance : ndarray of float64, shape (group,)
        How far apart [km].
    """
    count = len(group)
    arcs = Arcs.between(first, second)
    parts = monotone_parts(arcs, np.zeros(count), np.ones(count))
    arc, at, cosine = _ends_of_parts(arcs, parts)
    highest = _best(np.maximum, cosine, arc)
    # to find the places takes longest, so that it is done for what a cosine does not rule out
    rivals = highest >= _spread(np.maximum, highest, group) - _RIVALS
    close = np.flatnonzero((cosine >= highest[arc] - _ROUNDING) & rivals[arc])
    arc, at = arc[close], at[close]
    # a cosine says little of the smallest distances
    one, other = first.take(arc).at(at), second.take(arc).at(at)
    distance = apart(one, other)
    chosen = _first_of_each(arc, distance <= _spread(np.minimum, distance, arc) + ALIKE)
    least = distance[chosen]
    chosen = chosen[_first_of_each(group[arc[chosen]], least == _spread(np.minimum, least, group[arc[chosen]]))]
    return arc[chosen], at[chosen], one.take(chosen, axis=1), other.take(chosen, axis=1), distance[chosen]


def _ends_of_parts(arcs: Arcs, parts: ArcParts) -> tuple[Ints, Floats, Floats]:
    """Return the arc of each end of parts, where it is, and the cosine there; where parts meet there is one."""
    last = np.diff(parts.arc, append=-1) != 0
    arc, at = np.repeat(parts.arc, 1 + last), np.repeat(parts.low, 1 + last)
    begins, ends = np.flatnonzero(np.diff(arc, prepend=-1)), np.flatnonzero(np.diff(arc, append=-1))
    at[ends] = parts.high[last]
    cosine = np.empty(len(at))
    # where a step begins there is no wave to look up
    cosine[begins] = arcs.slow_cosine + arcs.fast_cosine
    cosine[ends] = arcs.cosine(at[ends])
    inner = np.ones(len(at), bool)
    inner[begins] = inner[ends] = False
    cosine[inner] = arcs.take(arc[inner]).cosine(at[inner])
    return arc, at, cosine


def _cosines_of_parts(arcs: Arcs, parts: ArcParts) -> tuple[Floats, Floats]:
    """Return the cosines where parts begin and where they end; where one begins as another ends they are one."""
    low = np.empty(len(parts.arc))
    at_start = parts.low == 0
    low[at_start] = (arcs.slow_cosine + arcs.fast_cosine)[parts.arc[at_start]]
    inner = np.flatnonzero(~at_start)
    low[inner] = arcs.take(parts.arc[inner]).cosine(parts.low[inner])
    meets = np.zeros(len(low), bool)
    meets[:-1] = (parts.arc[1:] == parts.arc[:-1]) & (parts.low[1:] == parts.high[:-1])
    high, alone = np.append(low[1:], np.nan)[: len(low)], np.flatnonzero(~meets)
    high[alone] = arcs.take(parts.arc[alone]).cosine(parts.high[alone])
    return low, high


def _first_of_each(group: Ints, wanted: Mask) -> Ints:
    """Return the first place of each group that is wanted; they stand by group."""
    found = np.flatnonzero(wanted)
    return found[np.flatnonzero(np.diff(group[found], prepend=-1))]


def _spread(extreme: np.ufunc, values: Floats, group: Ints) -> Floats:
    """Return for each value the extreme of its group; they stand by group."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    return np.repeat(_best(extreme, values, group), np.diff(first, append=len(group)))


def _best(extreme: np.ufunc, values: Floats, arc: Ints) -> Floats:
    """Return the extreme of the values of each arc; they stand by arc."""
    found: Floats = extreme.reduceat(values, np.flatnonzero(np.diff(arc, prepend=-1))) if len(arc) else values
    return found


@dataclass(frozen=True)
class Pieces:
    """
    Parts of arcs on which two places are within a distance, and that distance only grows or only falls.

    Parameters
    ----------
    arc : ndarray of int64
        The arc of each piece.
    low, high : ndarray of float64
        Where it begins and ends, as fractions of the step.
    enters, leaves : ndarray of bool
        Whether the distance is crossed where it begins, and where it ends.
    """

    arc: Ints
    low: Floats
    high: Floats
    enters: Mask
    leaves: Mask


def pieces_within(arcs: Arcs, distance: Floats, low: Floats, high: Floats) -> Pieces:
    """
    Return where places are within a distance.

    Parameters
    ----------
    arcs : Arcs
        The arcs.
    distance : ndarray of float64, shape (arc,)
        The distance [km].
    low, high : ndarray of float64, shape (arc,)
        What of each arc is asked for, as fractions of the step.
    """
    limit = np.cos(np.minimum(distance / geometry.EARTH_RADIUS, np.pi)) - _SLACK
    parts = monotone_parts(arcs, low, high, limit)
    within = limit[parts.arc]
    begins, ends = (cosine >= within for cosine in _cosines_of_parts(arcs, parts))
    crossed = np.flatnonzero(begins != ends)
    at = _root(
        arcs.take(parts.arc[crossed]),
        Arcs.cosine_and_slope,
        parts.low[crossed],
        parts.high[crossed],
        ends[crossed],
        within[crossed],
    )
    begin, end = parts.low.copy(), parts.high.copy()
    enters, leaves = ends & ~begins, begins & ~ends
    begin[crossed] = np.where(ends[crossed], at, begin[crossed])
    end[crossed] = np.where(ends[crossed], end[crossed], at)
    kept = begins | ends
    return Pieces(parts.arc[kept], begin[kept], end[kept], enters[kept], leaves[kept])
