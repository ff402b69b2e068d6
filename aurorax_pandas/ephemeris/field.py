"""The geomagnetic field: IGRF in solid harmonics and Tsyganenko 89, vectorised, with a level of disturbance per point."""

from __future__ import annotations

import functools
import math
from importlib import resources
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import checked_number
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.times import Times

#: Earth radius of both models [km].
FIELD_RADIUS: Final = 6371.2
#: Names of the models.
MAIN_FIELD: Final = "IGRF-14"
EXTERNAL_FIELD: Final = "Tsyganenko 89"
#: What Kp is where a caller gives none: the level that the service traces with.
DEFAULT_KP: Final = 3.0
#: The levels between whose footprints the uncertainty is measured.
UNCERTAINTY_LEVELS: Final = (2, 4)

#: The epoch J2000.
J2000: Final = np.datetime64("2000-01-01T12:00:00", "us")
# IGRF's degree and one more, for its derivatives
_DEGREE: Final = 14
# of a harmonic two degrees below, by order
_RECURSION: Final = tuple(
    np.array(
        [
            (degree + order - 1) * (degree - order - 1) / ((2 * degree - 1) * (2 * degree - 3))
            for order in range(degree - 1)
        ]
    )[:, None]
    for degree in range(_DEGREE + 1)
)
# few enough for their harmonics to stay in the processor's cache
_TILE: Final = 256
# Kp is published for every three hours
_KP_INTERVAL: Final = pd.Timedelta("3h")

_Array = npt.NDArray[np.float64]
_Levels = npt.NDArray[np.int64]


def sidereal_angle(epochs: Times) -> _Array:
    """Return Greenwich mean sidereal time [rad] of 1982 (Aoki et al., Astronomy and Astrophysics 105, 359)."""
    days = (epochs - J2000) / np.timedelta64(1, "D")
    century = days / 36525.0
    # the turn of whole days is taken out first, for precision
    seconds = (
        67310.54841 + 86400.0 * np.mod(days, 1.0) + (8640184.812866 + (0.093104 - 6.2e-6 * century) * century) * century
    )
    angle: _Array = np.mod(seconds / 86400.0, 1.0) * 2 * np.pi
    return angle


def _sun(epochs: Times) -> _Array:
    """Return unit vectors to the Sun, Earth-fixed, shape (3, epoch); The Astronomical Almanac's, good to 0.01 degrees."""
    days = (epochs - J2000) / np.timedelta64(1, "D")
    anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * days)
    x, y, z = np.cos(longitude), np.cos(tilt) * np.sin(longitude), np.sin(tilt) * np.sin(longitude)
    angle = sidereal_angle(epochs)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x + sin * y, cos * y - sin * x, z])


def t89_levels(kp: Any, epochs: Times) -> tuple[_Levels, float | str]:
    """
    Return the level of Tsyganenko 89 at each epoch, min(round(Kp) + 1, 7), and how to write down what was given.

    Parameters
    ----------
    kp : float or pandas.Series
        Kp, 0 to 9; or Kp over time (UTC): each value holds to the next, the last for as long as the one before it did.
    epochs : ndarray of datetime64
        The epochs, in order.

    Raises
    ------
    AuroraxInputError
        If a value is no Kp, the Series has no times in order, or an epoch is outside them.
    """
    if not isinstance(kp, pd.Series):
        number = checked_number("kp", kp, _is_kp, "a number from 0 to 9, or a Series of them over time")
        return np.full(len(epochs), _level_of(number)), number
    times = kp.index
    if not isinstance(times, pd.DatetimeIndex) or not len(times) or times.hasnans:
        raise AuroraxInputError("kp: the index of the Series must be times (UTC), at least one and none missing")
    if not (times.is_monotonic_increasing and times.is_unique):
        raise AuroraxInputError("kp: the times of the Series are not in order, or one stands twice; kp.sort_index()")
    values = [checked_number(f"kp at {time}", value, _is_kp, "a number from 0 to 9") for time, value in kp.items()]
    begins = (times if times.tz is None else times.tz_convert(None)).to_numpy("M8[us]")
    last = begins[-1] - begins[-2] if len(begins) > 1 else _KP_INTERVAL.to_timedelta64().astype("m8[us]")
    outside = (epochs < begins[0]) | (epochs >= begins[-1] + last)
    if outside.any():
        raise AuroraxInputError(
            f"kp: the Series covers {begins[0]} to before {begins[-1] + last}, not {epochs[outside][0]}; give it for all "
            "epochs"
        )
    serving = np.searchsorted(begins, epochs, side="right") - 1
    levels = np.array([_level_of(value) for value in values])
    used = np.array(values)[serving]
    return levels[serving], f"{used.min():.2f} to {used.max():.2f}, over time"


def _is_kp(value: float) -> bool:
    return 0.0 <= value <= 9.0


def _level_of(kp: float) -> int:
    return min(round(kp) + 1, 7)


class _MainField(NamedTuple):
    """Coefficients of IGRF at its instants, for the field's Cartesian components."""

    instants: Times
    #: of the real and the imaginary part of each harmonic: (instant, component, harmonic)
    real: _Array
    imaginary: _Array
    #: (instant, component), towards the dipole's southern pole
    dipole: _Array


def _harmonic_row(degree: int, order: int) -> int:
    return degree * (degree + 1) // 2 + order


@functools.cache
def _main_field() -> _MainField:
    """
    Read IGRF's coefficients of the potential, and turn them to those of the field.

    The derivatives of a solid harmonic are solid harmonics of the next degree: L. E. Cunningham, Celestial Mechanics 2,
    207 (1970); O. Montenbruck and E. Gill, "Satellite Orbits", Springer (2000), eq. 3.33.
    """
    with resources.files("aurorax_pandas").joinpath("data/igrf14.shc").open(encoding="ascii") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    instants = np.array([int(float(year)) - 1970 for year in lines[1]], "M8[Y]").astype("M8[us]")
    gauss = {(int(degree), int(order)): np.array(values, np.float64) for degree, order, *values in lines[2:]}
    made = np.zeros((len(instants), 3, _harmonic_row(_DEGREE + 1, 0)), np.complex128)
    for (degree, order), g in gauss.items():
        if order < 0:
            continue
        h = gauss[degree, -order] if order else 0.0
        up = degree + 1
        schmidt = math.sqrt((2 - (order == 0)) * math.factorial(degree - order) / math.factorial(degree + order))
        potential = schmidt * (g - 1j * h)
        raised = potential * _leading(up, order + 1) * (0.5 if order else 1.0)
        made[:, 0, _harmonic_row(up, order + 1)] += raised
        made[:, 1, _harmonic_row(up, order + 1)] -= 1j * raised
        made[:, 2, _harmonic_row(up, order)] += potential * _leading(up, order) * (up - order)
        if order:
            lowered = potential * _leading(up, order - 1) * (up - order) * (up - order + 1) / 2
            made[:, 0, _harmonic_row(up, order - 1)] -= lowered
            made[:, 1, _harmonic_row(up, order - 1)] -= 1j * lowered
    dipole = np.stack([gauss[1, 1], gauss[1, -1], gauss[1, 0]], axis=1)
    return _MainField(instants, made.real.copy(), -made.imag, dipole)


def _leading(degree: int, order: int) -> float:
    """Return the factor of a harmonic over the one whose highest power of z has the factor 1."""
    return float(math.prod(range(degree + 1, 2 * degree + 1)) / (2**degree * math.factorial(degree - order)))


def check_main_field_covers(epochs: Times, argument: str = "start and end") -> None:
    """Raise where IGRF has no coefficients for some of the epochs, which are in order."""
    first, *_, last = _main_field().instants
    if epochs[0] < first or epochs[-1] >= last:
        raise AuroraxInputError(
            f"{argument}: IGRF covers {first.astype('M8[D]')} to {last.astype('M8[D]')}, not {epochs[0]} to {epochs[-1]}"
        )


def _intervals(epochs: Times) -> tuple[npt.NDArray[np.int64], _Array]:
    """Return in which of IGRF's intervals epochs are, and at which fraction of it."""
    instants = _main_field().instants
    interval = (np.searchsorted(instants, epochs, side="right") - 1).clip(0, len(instants) - 2)
    begin, end = instants[interval], instants[interval + 1]
    return interval, (epochs - begin) / (end - begin)


def dipole_axis(epochs: Times) -> _Array:
    """Return unit vectors towards the northern pole of IGRF's dipole, Earth-fixed, shape (3, epoch)."""
    interval, fraction = _intervals(epochs)
    dipole = _main_field().dipole
    axis = dipole[interval].T + (dipole[interval + 1] - dipole[interval]).T * fraction
    # the dipole's own direction is south
    north: _Array = -axis / np.linalg.norm(axis, axis=0)
    return north


def _harmonics(points: _Array) -> tuple[_Array, _Array]:
    """
    Return the real and imaginary parts of the irregular solid harmonics up to IGRF's degree and one.

    The harmonic of a degree n and an order m is (x + iy)^m / r^(2m+1) times a polynomial in z / r² and 1 / r², by the
    recursion of the Legendre functions; each is divided by the factor of the highest power.
    """
    x, y, z = points
    square = 1.0 / (x * x + y * y + z * z)
    upward = z * square
    turn = (x + 1j * y) * square
    rows = _harmonic_row(_DEGREE + 1, 0)
    legendre = np.empty((rows, points.shape[1]))
    real, imaginary = np.empty_like(legendre), np.empty_like(legendre)
    powers = np.empty((_DEGREE + 1, points.shape[1]), np.complex128)
    powers[0] = 1.0
    for order in range(1, _DEGREE + 1):
        np.multiply(powers[order - 1], turn, out=powers[order])
    cosine, sine = powers.real.copy(), powers.imag.copy()
    inverse = np.sqrt(square)
    legendre[0] = inverse
    for degree in range(1, _DEGREE + 1):
        here, before = _harmonic_row(degree, 0), _harmonic_row(degree - 1, 0)
        mine = legendre[here : here + degree + 1]
        np.multiply(legendre[before:here], upward, out=mine[:degree])
        if degree > 1:
            earlier = legendre[_harmonic_row(degree - 2, 0) : before]
            mine[: degree - 1] -= _RECURSION[degree] * square * earlier
        mine[degree] = inverse
        np.multiply(mine, cosine[: degree + 1], out=real[here : here + degree + 1])
        np.multiply(mine, sine[: degree + 1], out=imaginary[here : here + degree + 1])
    real[0], imaginary[0] = inverse, 0.0
    return real, imaginary


@functools.cache
def _t89_coefficients() -> _Array:
    """Return the coefficients of Tsyganenko 89, shape (coefficient, level − 1)."""
    with resources.files("aurorax_pandas").joinpath("data/t89c.csv").open("rb") as file:
        return pd.read_csv(file, comment="#", index_col="name").to_numpy(np.float64)


def t89(levels: _Levels | int, tilt: _Array, points: _Array) -> _Array:
    """
    Return the external field of Tsyganenko 89 [nT].

    Parameters
    ----------
    levels : int or ndarray of int
        Level of disturbance, 1 to 7, of all points or of each.
    tilt : ndarray
        Tilt of the dipole towards the Sun at each point [rad].
    points : ndarray, shape (3, point)
        Where, in geocentric solar magnetospheric (GSM) coordinates [Earth radii]; the model holds to 70.

    Returns
    -------
    ndarray, shape (3, point)
        In GSM.

    References
    ----------
    N. A. Tsyganenko, "A magnetospheric magnetic field model with a warped tail current sheet", Planetary and Space
    Science 37, 5 (1989), with the changes of 1992 (T89c): two modes of the tail that vary with the tilt.
    """
    (
        tail_sharp, tail_broad, closure, closure_tilt, ring, bx_z, bx_tilt, bx_tilt_y2, bx_tilt_z2, by_yz, by_tilt_y,
        by_tilt_y3, by_tilt_yz2, bz, bz_y2, tail_sharp_tilt, tail_broad_tilt, shield_length, ring_radius, thickness,
        ring_growth, hinging, warping, tail_radius, tail_width, tail_growth_y, _, tail_edge, tail_growth, closure_width,
    ) = _t89_coefficients()[:, levels - 1]  # fmt: skip
    x, y, z = points
    sine, cosine = np.sin(tilt), np.cos(tilt)
    y2 = y * y
    # the tail and the ring current are those of solar magnetic coordinates
    along, up = x * cosine - z * sine, x * sine + z * cosine
    along2 = along * along
    across2 = along2 + y2

    # height of the current sheet, hinged along x and warped along y, and its slopes
    hinge = along + hinging
    hinge_root = np.sqrt(hinge * hinge + 16.0)
    bent = 0.5 * sine / cosine * (hinge - hinge_root)
    y4 = y2 * y2
    edge = sine * warping / (y4 + 1e4)
    above = up - bent + edge * y4
    slopes = -along * bent / hinge_root - y4 * edge * (4e4 / (y4 + 1e4))
    slopes *= above

    # ring current
    root2 = along2 + 25.0
    root = np.sqrt(root2)
    half = thickness + ring_growth * 0.5 * (1.0 + along / root)
    depth = np.sqrt(above * above + half * half)
    reach = ring_radius + depth
    fall2 = 1.0 / (reach * reach + across2)
    fall = ring * fall2 * fall2 * np.sqrt(fall2)
    shear = 3.0 * reach * fall / depth
    b_along = shear * above
    b_up = fall * (2.0 * reach * reach - across2) + shear * (
        slopes - half * ring_growth * 12.5 / (root2 * root) * along
    )

    # tail: a sharp and a broad mode of one sheet
    root2 = along2 + 40.0
    root = np.sqrt(root2)
    half = thickness + tail_growth_y * y2 + tail_growth * 0.5 * (1.0 + along / root)
    depth = np.sqrt(above * above + half * half)
    slopes -= half * (2.0 * tail_growth_y * y2 + along * tail_growth * 20.0 / (root2 * root))
    ahead = along - tail_edge
    root2 = ahead * ahead + 170.0
    root = np.sqrt(root2)
    wide = 1.0 / (1.0 + y2 / (tail_width * tail_width))
    cut = 0.5 * (1.0 - ahead / root) * wide
    thinning = -85.0 / (root2 * root) * wide * along - cut * 2.0 * wide * y2 / (tail_width * tail_width)
    reach = tail_radius + depth
    distance = np.sqrt(reach * reach + across2)
    tilt2 = tilt * tilt
    sharp, broad = tail_sharp + tail_sharp_tilt * tilt2, tail_broad + tail_broad_tilt * tilt2
    near = 1.0 / (distance + reach)
    # of both modes together
    first = sharp / distance * near + broad / (distance * distance * distance)
    second = cut / depth * first
    b_along += second * above
    b_up += cut / distance * (sharp + broad * reach / (distance * distance))
    b_up += thinning * near * (sharp + broad / distance) + second * slopes

    # closure of the tail's currents, in sheets 30 radii above and below
    ahead = x - 4.0
    root2 = ahead * ahead + 50.0
    root = np.sqrt(root2)
    width2 = closure_width * closure_width
    wide = 1.0 / (1.0 + y2 / width2)
    cut = 0.5 * (1.0 - ahead / root) * wide
    thinning = -25.0 / (root2 * root) * wide * x - 2.0 * y2 / width2 * cut * wide
    flat2 = x * x + y2
    over, under = closure + closure_tilt * sine, closure - closure_tilt * sine
    distance_over, distance_under = np.sqrt((z + 30.0) ** 2 + flat2), np.sqrt((z - 30.0) ** 2 + flat2)
    # a point on the axis is as good as one beside it
    near_over = 1.0 / np.maximum(distance_over + z + 30.0, 1e-9)
    near_under = 1.0 / np.maximum(distance_under - z + 30.0, 1e-9)
    over_cut, under_cut = over * cut / distance_over, under * cut / distance_under
    flat = over_cut * near_over - under_cut * near_under
    b_z = over_cut + under_cut + thinning * (over * near_over + under * near_under)

    # currents of the magnetopause and along field lines; the last four terms make it free of divergence
    decay = np.exp(x / shield_length)
    z2 = z * z
    b_x = decay * (bx_z * z * cosine + sine * (bx_tilt + bx_tilt_y2 * y2 + bx_tilt_z2 * z2))
    b_y = decay * y * (by_yz * z * cosine + sine * (by_tilt_y + by_tilt_y3 * y2 + by_tilt_yz2 * z2))
    b_z += decay * (
        cosine * (bz + bz_y2 * y2 - 0.5 * (bx_z / shield_length + by_yz) * z2)
        - sine
        * z
        * (
            bx_tilt / shield_length
            + by_tilt_y
            + (bx_tilt_y2 / shield_length + 3.0 * by_tilt_y3) * y2
            + (bx_tilt_z2 / shield_length + by_tilt_yz2) / 3.0 * z2
        )
    )
    b_along_x = b_along * along
    return np.stack(
        [
            b_x + b_along_x * cosine + b_up * sine + flat * x,
            b_y + b_along * y + flat * y,
            b_z + b_up * cosine - b_along_x * sine,
        ]
    )


class Field:
    """
    The field along lines, each of which has an epoch of its own.

    Parameters
    ----------
    epochs : ndarray of datetime64, shape (line,)
        UTC.
    levels : ndarray of int, shape (line,), optional
        Levels of Tsyganenko 89; without them there is no external field.
    """

    def __init__(self, epochs: Times, levels: _Levels | None = None) -> None:
        self._interval, self._fraction = _intervals(epochs)
        self._intervals = np.unique(self._interval)
        self._external = levels is not None
        if levels is not None:
            x = _sun(epochs)
            north = dipole_axis(epochs)
            y = np.cross(north, x, axis=0)
            y /= np.linalg.norm(y, axis=0)
            self._axes = np.stack([x, y, np.cross(x, y, axis=0)])
            self.tilt: _Array = np.arcsin((north * x).sum(axis=0))
            self._levels = levels
            self._one_level = int(levels[0]) if len(levels) and (levels == levels[0]).all() else None

    def at(self, points: _Array, lines: npt.NDArray[np.int64]) -> _Array:
        """Return the field [nT] at points [Earth radii] of lines: Earth-fixed, shape (3, point)."""
        field = self._main(points, lines)
        if self._external:
            axes = self._axes[:, :, lines]
            levels = self._levels[lines] if self._one_level is None else self._one_level
            external = t89(levels, self.tilt[lines], np.einsum("ijn,jn->in", axes, points))
            field += np.einsum("ijn,in->jn", axes, external)
        return field

    def _main(self, points: _Array, lines: npt.NDArray[np.int64]) -> _Array:
        main = _main_field()
        found = np.empty(points.shape)
        for interval in self._intervals:
            mine = slice(None) if len(self._intervals) == 1 else np.flatnonzero(self._interval[lines] == interval)
            both = slice(interval, interval + 2)
            coefficients = [part[both].reshape(6, -1) for part in (main.real, main.imaginary)]
            found[:, mine] = _main_field_at(points[:, mine], self._fraction[lines[mine]], *coefficients)
        return found


def _main_field_at(points: _Array, fraction: _Array, of_real: _Array, of_imaginary: _Array) -> _Array:
    """Return the main field at points and fractions of an interval, from the coefficients at both of its ends."""
    field = np.empty(points.shape)
    for begin in range(0, points.shape[1], _TILE):
        tile = slice(begin, begin + _TILE)
        real, imaginary = _harmonics(points[:, tile])
        ends = of_real @ real + of_imaginary @ imaginary
        field[:, tile] = ends[:3] + (ends[3:] - ends[:3]) * fraction[tile]
    return field
