"""Two places between epochs, each on its great circle: how far apart they are, when they cross a distance, what jumps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
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
#: Distances that are no further apart are one [km].
ALIKE: Final = 1e-9
# halves so small that nothing happens in them
_HALVES: Final = 50
_STEPS: Final = 60
# steps that are so small find the same
_FOUND: Final = 1e-13


def longest_step(step: np.timedelta64) -> float:
    """Return how far a location can move in a step [km]; what goes further has jumped, and has no way between."""
    return FASTEST * float(step / _MINUTE)


def apart(one: Floats, other: Floats) -> Floats:
    """Return great-circle distances [km] between unit vectors, laid along the first axis."""
    (x, y, z), (other_x, other_y, other_z) = one, other
    # component by component, which is twice as fast as a sum along the axis
    chord = np.sqrt((x - other_x) ** 2 + (y - other_y) ** 2 + (z - other_z) ** 2)
    distance: Floats = 2 * geometry.EARTH_RADIUS * np.arcsin(np.minimum(chord / 2, 1.0))
    return distance


@dataclass(frozen=True)
class Way:
    """
    The ways of places along great circles, each at its own even speed.

    Parameters
    ----------
    start : ndarray of float64, shape (3, step)
        Where they begin, as unit vectors.
    angle : ndarray of float64, shape (step,)
        How far they lead [radians], less than half a turn.
    side : ndarray of float64, shape (3, step)
        The unit vectors a quarter of a turn on along them; zero where they lead nowhere.
    """

    start: Floats
    angle: Floats
    side: Floats

    @classmethod
    def to(cls, start: Floats, end: Floats, length: Floats | None = None) -> Way:
        """Return the ways from some unit vectors to others, whose lengths [km] may be known already."""
        angle = (apart(start, end) if length is None else length) / geometry.EARTH_RADIUS
        still = angle < 1e-9
        if still.all():
            return cls(start, np.zeros_like(angle), np.zeros_like(start))
        side = (end - np.cos(angle) * start) / np.where(still, 1.0, np.sin(angle))
        return cls(start, np.where(still, 0.0, angle), np.where(still, 0.0, side))

    def take(self, steps: Ints) -> Way:
        """Return some of the ways."""
        return Way(self.start[:, steps], self.angle[steps], self.side[:, steps])

    def at(self, fraction: Floats) -> Floats:
        """Return the unit vectors at fractions of the ways."""
        if not self.angle.any():
            return self.start
        along = self.angle * fraction
        place: Floats = np.cos(along) * self.start + np.sin(along) * self.side
        return place


def _product(one: Floats, other: Floats) -> Floats:
    """Return the scalar products of vectors, laid along the first axis."""
    (x, y, z), (other_x, other_y, other_z) = one, other
    found: Floats = x * other_x + y * other_y + z * other_z
    return found


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
    sign : {1, −1, 0}
        Whether the slow frequencies are the fast ones, as none of the second places moves, or their negatives, as none
        of the first does, or neither.
    """

    slow: Floats
    fast: Floats
    slow_cosine: Floats
    slow_sine: Floats
    fast_cosine: Floats
    fast_sine: Floats
    sign: int = 0

    @classmethod
    def between(cls, first: Way, second: Way) -> Arcs:
        """Return the arcs of two places on their ways from one epoch to the next."""
        both, mixed = _product(first.start, second.start), _product(first.side, second.side)
        before, after = _product(first.start, second.side), _product(first.side, second.start)
        return cls(
            first.angle - second.angle,
            first.angle + second.angle,
            (both + mixed) / 2,
            (after - before) / 2,
            (both - mixed) / 2,
            (after + before) / 2,
            1 if not second.angle.any() else -1 if not first.angle.any() else 0,
        )

    def take(self, arcs: Ints) -> Arcs:
        """Return some of the arcs."""
        return Arcs(
            self.slow[arcs],
            self.fast[arcs],
            self.slow_cosine[arcs],
            self.slow_sine[arcs],
            self.fast_cosine[arcs],
            self.fast_sine[arcs],
            self.sign,
        )

    def _waves(self, fraction: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        fast = self.fast * fraction
        cosine, sine = np.cos(fast), np.sin(fast)
        if self.sign:
            return cosine, sine if self.sign > 0 else -sine, cosine, sine
        slow = self.slow * fraction
        return np.cos(slow), np.sin(slow), cosine, sine

    def cosine(self, fraction: Floats) -> Floats:
        """Return the cosine at fractions of the step."""
        return self._cosine(*self._waves(fraction))

    def _cosine(self, cos_slow: Floats, sin_slow: Floats, cos_fast: Floats, sin_fast: Floats) -> Floats:
        found: Floats = (
            self.slow_cosine * cos_slow
            + self.slow_sine * sin_slow
            + self.fast_cosine * cos_fast
            + self.fast_sine * sin_fast
        )
        return found

    def _slope(self, cos_slow: Floats, sin_slow: Floats, cos_fast: Floats, sin_fast: Floats) -> Floats:
        found: Floats = self.slow * (self.slow_sine * cos_slow - self.slow_cosine * sin_slow) + self.fast * (
            self.fast_sine * cos_fast - self.fast_cosine * sin_fast
        )
        return found

    def cosine_and_slope(self, fraction: Floats) -> tuple[Floats, Floats]:
        """Return the cosine and its first derivative by the fraction."""
        waves = self._waves(fraction)
        return self._cosine(*waves), self._slope(*waves)

    def slope(self, fraction: Floats) -> Floats:
        """Return the first derivative of the cosine by the fraction."""
        return self._slope(*self._waves(fraction))

    def slopes(self, fraction: Floats) -> tuple[Floats, Floats]:
        """Return the first and second derivatives of the cosine by the fraction."""
        return self.cosine_and_slopes(fraction)[1:]

    def cosine_and_slopes(self, fraction: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the cosine and its first and second derivatives by the fraction."""
        cos_slow, sin_slow, cos_fast, sin_fast = waves = self._waves(fraction)
        second = -(self.slow**2) * (self.slow_cosine * cos_slow + self.slow_sine * sin_slow) - self.fast**2 * (
            self.fast_cosine * cos_fast + self.fast_sine * sin_fast
        )
        return self._cosine(*waves), self._slope(*waves), second

    @functools.cached_property
    def _amplitudes(self) -> tuple[Floats, Floats]:
        return np.hypot(self.slow_cosine, self.slow_sine), np.hypot(self.fast_cosine, self.fast_sine)

    def bound(self, order: int) -> Floats:
        """Return what a derivative of the cosine is nowhere above, nor below its negative."""
        slow, fast = self._amplitudes
        found: Floats = slow * np.abs(self.slow) ** order + fast * np.abs(self.fast) ** order
        return found


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
