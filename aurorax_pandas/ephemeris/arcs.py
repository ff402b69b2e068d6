"""Two places between epochs, each on its great circle: how far apart they are, when they cross a distance, what jumps."""

from __future__ import annotations

import functools
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
#: Distances that are no further apart are one [km].
ALIKE: Final = 1e-9


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
