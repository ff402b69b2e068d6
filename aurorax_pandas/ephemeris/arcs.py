"""Two places between epochs, each on its great circle: how near they come, when they cross a distance, what jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from aurorax_pandas import geometry

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: The fastest that a location moves [km/min]; a field line whose end goes further has jumped.
FASTEST: Final = 900.0

_MINUTE: Final = np.timedelta64(1, "m")
# a cosine is not known better than this
_SLACK: Final = 1e-15
_ROUNDING: Final = 1e-13
#: Distances that are no further apart are one [km].
ALIKE: Final = 1e-9
# halves so small that nothing happens in them
_HALVES: Final = 50
_STEPS: Final = 60


def longest_step(step: np.timedelta64) -> float:
    """Return how far a location can move in a step [km]; what goes further has jumped, and has no way between."""
    return FASTEST * float(step / _MINUTE)


def apart(one: Floats, other: Floats) -> Floats:
    """Return great-circle distances [km] between unit vectors, laid along the first axis."""
    chord = np.sqrt(((one - other) ** 2).sum(axis=0))
    distance: Floats = 2 * geometry.EARTH_RADIUS * np.arcsin(np.minimum(chord / 2, 1.0))
    return distance


@dataclass(frozen=True)
class Arcs:
    """
    The cosine of the angle between two places that move along great circles, each at its own even speed.

    With a(s) = a₀ cos αs + a₁ sin αs and b(s) likewise, for the fraction s of a step, a·b is the sum of a slow wave of
    frequency α − β and a fast one of α + β, so that it has derivatives in closed form, and bounds of these.

    Parameters
    ----------
    slow, fast : ndarray of float64, shape (arc,)
        The frequencies [radians a step].
    slow_cosine, slow_sine, fast_cosine, fast_sine : ndarray of float64, shape (arc,)
        The amplitudes of the two waves.
    """

    slow: Floats
    fast: Floats
    slow_cosine: Floats
    slow_sine: Floats
    fast_cosine: Floats
    fast_sine: Floats

    @classmethod
    def between(cls, first: Floats, first_end: Floats, second: Floats, second_end: Floats) -> Arcs:
        """
        Return the arcs from where two places are at one epoch to where they are at the next.

        Parameters
        ----------
        first, first_end, second, second_end : ndarray of float64, shape (3, arc)
            Unit vectors; those of one place less than half a turn apart.
        """
        angle, side = _turn(first, first_end)
        other_angle, other_side = _turn(second, second_end)
        both, mixed = (first * second).sum(axis=0), (side * other_side).sum(axis=0)
        before, after = (first * other_side).sum(axis=0), (side * second).sum(axis=0)
        return cls(
            angle - other_angle,
            angle + other_angle,
            (both + mixed) / 2,
            (after - before) / 2,
            (both - mixed) / 2,
            (after + before) / 2,
        )

    def take(self, arcs: Ints) -> Arcs:
        """Return some of the arcs."""
        return Arcs(*(getattr(self, field.name)[arcs] for field in fields(self)))

    def cosine(self, fraction: Floats) -> Floats:
        """Return the cosine at fractions of the step."""
        slow, fast = self.slow * fraction, self.fast * fraction
        found: Floats = (
            self.slow_cosine * np.cos(slow)
            + self.slow_sine * np.sin(slow)
            + self.fast_cosine * np.cos(fast)
            + self.fast_sine * np.sin(fast)
        )
        return found

    def slopes(self, fraction: Floats) -> tuple[Floats, Floats]:
        """Return the first and second derivatives of the cosine by the fraction."""
        slow, fast = self.slow * fraction, self.fast * fraction
        (cos_slow, sin_slow), (cos_fast, sin_fast) = ((np.cos(angle), np.sin(angle)) for angle in (slow, fast))
        first = self.slow * (self.slow_sine * cos_slow - self.slow_cosine * sin_slow) + self.fast * (
            self.fast_sine * cos_fast - self.fast_cosine * sin_fast
        )
        second = -(self.slow**2) * (self.slow_cosine * cos_slow + self.slow_sine * sin_slow) - self.fast**2 * (
            self.fast_cosine * cos_fast + self.fast_sine * sin_fast
        )
        return first, second

    def bound(self, order: int) -> Floats:
        """Return what a derivative of the cosine is nowhere above, nor below its negative."""
        slow, fast = (
            np.hypot(self.slow_cosine, self.slow_sine),
            np.hypot(self.fast_cosine, self.fast_sine),
        )
        found: Floats = slow * np.abs(self.slow) ** order + fast * np.abs(self.fast) ** order
        return found


def _turn(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Return the angle from one unit vector to another, and the unit vector a quarter of a turn on along the way."""
    angle = apart(start, end) / geometry.EARTH_RADIUS
    still = angle < 1e-9
    side = (end - np.cos(angle) * start) / np.where(still, 1.0, np.sin(angle))
    return np.where(still, 0.0, angle), np.where(still, 0.0, side)


@dataclass(frozen=True)
class Parts:
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


def monotone_parts(arcs: Arcs, low: Floats, high: Floats, within: Floats | None = None) -> Parts:
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
    arc, begin, end = np.arange(len(low)), low, high
    found: list[tuple[Ints, Floats, Floats]] = []
    for halves in range(_HALVES + 1):
        some = arcs.take(arc)
        middle, half = (begin + end) / 2, (end - begin) / 2
        if within is not None:
            near = some.cosine(middle) + some.bound(1) * half >= within[arc] - _SLACK
            arc, begin, end, middle, half = arc[near], begin[near], end[near], middle[near], half[near]
            some = arcs.take(arc)
        slope, bend = some.slopes(middle)
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
    all_arc, all_begin, all_end = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((all_begin, all_arc))
    return Parts(all_arc[order], all_begin[order], all_end[order])


def _divided(arcs: Arcs, arc: Ints, begin: Floats, end: Floats) -> list[tuple[Ints, Floats, Floats]]:
    """Divide parts on which the slope only grows or only falls where it is zero."""
    some = arcs.take(arc)
    before, after = some.slopes(begin)[0], some.slopes(end)[0]
    turns = np.flatnonzero((before < 0) != (after < 0))
    keeps = np.flatnonzero((before < 0) == (after < 0))
    at = _root(arcs.take(arc[turns]).slopes, begin[turns], end[turns], before[turns] < 0)
    return [
        (arc[keeps], begin[keeps], end[keeps]),
        (arc[turns], begin[turns], at),
        (arc[turns], at, end[turns]),
    ]


def _root(
    function: Callable[[Floats], tuple[Floats, Floats]], low: Floats, high: Floats, rising: Mask
) -> Floats:  # fmt: skip
    """Return the one zero between two fractions, by Newton's steps kept inside the bracket, of values with slopes."""
    low, high = low.copy(), high.copy()
    at = (low + high) / 2
    done = np.zeros(len(at), bool)
    for _ in range(_STEPS):
        value, slope = function(at)
        before = (value < 0) == rising
        low, high = np.where(before, at, low), np.where(before, high, at)
        with np.errstate(divide="ignore", invalid="ignore"):
            stepped = at - value / slope
        following = np.where((stepped >= low) & (stepped <= high), stepped, (low + high) / 2)
        # what is found stays, so that it does not depend on what is looked for beside it
        following = np.where(done, at, following)
        done |= np.abs(following - at) <= 1e-13
        at = following
        if done.all():
            break
    return at


def least_fraction(first: Floats, first_end: Floats, second: Floats, second_end: Floats) -> Floats:
    """
    Return the fraction of each step at which two places are closest, the earliest of several.

    Parameters
    ----------
    first, first_end, second, second_end : ndarray of float64, shape (3, step)
        Unit vectors of two places at the beginning and at the end.
    """
    count = first.shape[1]
    arcs = Arcs.between(first, first_end, second, second_end)
    parts = monotone_parts(arcs, np.zeros(count), np.ones(count))
    # a part is nearest at one of its ends, and every arc begins with one
    arc, at = np.repeat(parts.arc, 2), np.stack([parts.low, parts.high], axis=1).ravel()
    cosine = arcs.take(arc).cosine(at)
    close = np.flatnonzero(cosine >= _best(np.maximum, cosine, arc)[arc] - _ROUNDING)
    arc, at = arc[close], at[close]
    # a cosine says little of the smallest distances
    ends = first[:, arc], first_end[:, arc], second[:, arc], second_end[:, arc]
    distance = apart(*places_between(*ends, at))
    nearest = np.flatnonzero(distance <= _best(np.minimum, distance, arc)[arc] + ALIKE)
    return at[nearest[np.flatnonzero(np.diff(arc[nearest], prepend=-1))]]


def places_between(
    first: Floats, first_end: Floats, second: Floats, second_end: Floats, fraction: Floats
) -> tuple[Floats, Floats]:
    """Return where two places are at fractions of their steps, as unit vectors."""
    return geometry.interpolate(first, first_end, fraction), geometry.interpolate(second, second_end, fraction)


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
    some, within = arcs.take(parts.arc), limit[parts.arc]
    begins, ends = some.cosine(parts.low) >= within, some.cosine(parts.high) >= within
    crossed = np.flatnonzero(begins != ends)
    crossing, bound = some.take(crossed), within[crossed]

    def above(fraction: Floats) -> tuple[Floats, Floats]:
        return crossing.cosine(fraction) - bound, crossing.slopes(fraction)[0]

    at = _root(above, parts.low[crossed], parts.high[crossed], ends[crossed])
    begin, end = parts.low.copy(), parts.high.copy()
    enters, leaves = ends & ~begins, begins & ~ends
    begin[crossed] = np.where(ends[crossed], at, begin[crossed])
    end[crossed] = np.where(ends[crossed], end[crossed], at)
    kept = begins | ends
    return Pieces(parts.arc[kept], begin[kept], end[kept], enters[kept], leaves[kept])
