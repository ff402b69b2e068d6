"""Where two places that move along great circles come closest."""

from __future__ import annotations

from typing import Final

import numpy as np

from aurorax_pandas.ephemeris.arcs import ALIKE, ArcParts, Arcs, Floats, Ints, Mask, Way, apart, monotone_parts

# a cosine is not known better than this
_ROUNDING: Final = 1e-13
# of cosines that are further apart, the distances are no longer alike
_RIVALS: Final = 1e-12


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
