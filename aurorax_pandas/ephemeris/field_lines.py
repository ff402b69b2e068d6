"""The geomagnetic field of IGRF and Tsyganenko 89, and its lines traced to the altitude of footprints."""

from __future__ import annotations

import datetime
import functools
import types
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.geometry import EQUATORIAL_RADIUS, FOOTPRINT_ALTITUDE, POLAR_RADIUS

#: Earth radius of both field models [km]
FIELD_RADIUS: Final = 6371.2
_IOPT: Final = 3
_OUTERMOST: Final = 40.0
_TOLERANCE: Final = 1e-6
_MAX_STEPS: Final = 600
_J2000: Final = np.datetime64("2000-01-01T12:00:00", "us")

_Array = npt.NDArray[np.float64]
_Times = npt.NDArray[np.datetime64]


def sidereal_angle(epochs: _Times) -> _Array:
    """Return Greenwich mean sidereal time [rad] of 1982 (Aoki et al., Astronomy and Astrophysics 105, 359)."""
    days = (epochs - _J2000) / np.timedelta64(1, "D")
    century = days / 36525.0
    # the turn of whole days is taken out first, for precision
    seconds = (
        67310.54841 + 86400.0 * np.mod(days, 1.0) + (8640184.812866 + (0.093104 - 6.2e-6 * century) * century) * century
    )
    angle: _Array = np.mod(seconds / 86400.0, 1.0) * 2 * np.pi
    return angle


def _sun(epochs: _Times) -> _Array:
    """Return unit vectors to the Sun, Earth-fixed, shape (3, epoch); The Astronomical Almanac's, good to 0.01 degrees."""
    days = (epochs - _J2000) / np.timedelta64(1, "D")
    anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * days)
    x, y, z = np.cos(longitude), np.cos(tilt) * np.sin(longitude), np.sin(tilt) * np.sin(longitude)
    angle = sidereal_angle(epochs)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x + sin * y, cos * y - sin * x, z])


def check_models_cover(epochs: _Times) -> None:
    """Raise where IGRF has no coefficients for some of the epochs, which are in order."""
    from ppigrf.ppigrf import read_shc

    known = read_shc()[0].index
    if epochs[0] < known[0] or epochs[-1] >= known[-1]:
        raise AuroraxInputError(
            f"start and end: IGRF covers {known[0]:%Y-%m-%d} to {known[-1]:%Y-%m-%d}, not {epochs[0]} to {epochs[-1]}"
        )


@functools.lru_cache(maxsize=4)
def _main_field(year: int) -> tuple[Any, _Array]:
    """
    Return ppigrf's field and dipole at the start of a year and how much they change in it.

    The field is a spline of 1/r [1/Earth radius], colatitude and longitude [degrees]: Cartesian components × r³
    [nT], which are smooth at the poles and polynomials in 1/r.
    """
    from ppigrf import igrf_gc
    from scipy.interpolate import NdBSpline, make_interp_spline

    dates = [datetime.datetime(when, 1, 1) for when in (year, year + 1)]
    inverse = np.linspace(0.004, 1.06, 16)
    colatitude, longitude = np.arange(2.5, 180, 5.0), np.arange(0, 360, 5.0)
    theta, phi = np.radians(colatitude)[:, None], np.radians(longitude)
    layers = []
    for one in inverse:
        radial, south, east = igrf_gc(FIELD_RADIUS / one, colatitude[:, None], longitude, dates)
        across = radial * np.sin(theta) + south * np.cos(theta)
        along = radial * np.cos(theta) - south * np.sin(theta)
        components = (across * np.cos(phi) - east * np.sin(phi), across * np.sin(phi) + east * np.cos(phi), along)
        layers.append(np.stack(components, axis=-1) / one**3)
    field = np.stack(layers, axis=1)
    # rows beyond a pole are those of the opposite meridian
    opposite = np.roll(field, len(longitude) // 2, axis=3)
    field = np.concatenate([opposite[:, :, 3::-1], field, opposite[:, :, :-5:-1]], axis=2)
    field = np.concatenate([field[:, :, :, -4:], field, field[:, :, :, :4]], axis=3)
    axes = (inverse, np.arange(-17.5, 200, 5.0), np.arange(-20, 380, 5.0))
    values = np.concatenate([field[0], field[1] - field[0]], axis=-1)
    knots = []
    for axis, nodes in enumerate(axes):
        spline = make_interp_spline(nodes, values, k=5, axis=axis)
        values = np.moveaxis(spline.c, 0, axis)
        knots.append(spline.t)
    # the dipole's radial field on the surface is twice its component there
    radial = igrf_gc(FIELD_RADIUS, np.array([90.0, 90.0, 45.0]), np.array([0.0, 90.0, 0.0]), dates, max_degree=1)[0] / 2
    dipole = np.stack([radial[:, 0], radial[:, 1], radial[:, 2] * np.sqrt(2) - radial[:, 0]], axis=1)
    return NdBSpline(tuple(knots), np.ascontiguousarray(values), 5), np.stack([dipole[0], dipole[1] - dipole[0]])


class _RoomForPoints:
    """NumPy, but for arrays of zeros, which get a last axis of points."""

    def __init__(self, points: int) -> None:
        self._points = points

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, shape: tuple[int, ...]) -> _Array:
        return np.zeros((*shape, self._points))


def _t89(tilt: _Array, points: _Array) -> _Array:
    """
    Run geopack's T89 on many points at once: GSM [Earth radii], shape (3, point), to nT.

    Its formulas take arrays as they are; only its work array has no room for points, so its code runs here with a
    NumPy that makes room.
    """
    from geopack import t89

    names = vars(t89) | {"np": _RoomForPoints(points.shape[1])}
    extern = types.FunctionType(t89.extern.__code__, names)
    model = types.FunctionType(t89.t89.__code__, names | {"extern": extern})
    field: _Array = np.stack(model(_IOPT, tilt, *points))
    return field


class FieldModels:
    """The field at a block of epochs; a point is given with the epoch that it is of."""

    def __init__(self, epochs: _Times, external: bool) -> None:
        year = epochs[0].astype("M8[Y]")
        self._fraction = (epochs - year) / (year + 1 - year.astype("M8[us]"))
        self._spline, dipole = _main_field(int(year.astype(int)) + 1970)
        self._external = external
        if external:
            # the dipole's own direction is south
            north = -(dipole[0][:, None] + dipole[1][:, None] * self._fraction)
            north /= np.linalg.norm(north, axis=0)
            x = _sun(epochs)
            y = np.cross(north, x, axis=0)
            y /= np.linalg.norm(y, axis=0)
            self._axes = np.stack([x, y, np.cross(x, y, axis=0)])
            self._tilt = np.arcsin((north * x).sum(axis=0))

    def direction(self, points: _Array, at: npt.NDArray[np.int64]) -> _Array:
        """Return the field's direction at Earth-fixed points [Earth radii], shape (3, point)."""
        x, y, z = points
        across = np.hypot(x, y)
        inverse = 1.0 / np.hypot(across, z)
        colatitude = np.degrees(np.arctan2(across, z))
        longitude = np.degrees(np.arctan2(y, x)) % 360.0
        where = np.stack([inverse.clip(0.004, 1.06), colatitude, longitude], axis=1)
        both = self._spline(where).T
        field = (both[:3] + both[3:] * self._fraction[at]) * inverse**3
        if self._external:
            axes = self._axes[:, :, at]
            external = _t89(self._tilt[at], np.einsum("ijn,jn->in", axes, points))
            field += np.einsum("ijn,in->jn", axes, external)
        direction: _Array = field / np.maximum(np.linalg.norm(field, axis=0), 1e-9)
        return direction


def _height(points: _Array) -> _Array:
    """Return altitudes [km] above the ellipsoid along the radius of points [Earth radii]; within 1 m up to 150 km."""
    x, y, z = points * FIELD_RADIUS
    distance = np.sqrt(x * x + y * y + z * z)
    on_ellipsoid = (x * x + y * y) / EQUATORIAL_RADIUS**2 + z * z / POLAR_RADIUS**2
    altitude: _Array = distance - distance / np.sqrt(on_ellipsoid)
    return altitude


_NODES: Final = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERRORS: Final = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def trace(points: _Array, sign: float, models: FieldModels) -> _Array:
    """
    Follow field lines along (sign 1) or against (−1) the field to the height of footprints.

    Parameters
    ----------
    points : ndarray, shape (3, epoch)
        Where they start [Earth radii], one per epoch of the models.

    Returns
    -------
    ndarray, shape (3, epoch)
        Where they end [Earth radii]; NaN where they do not.
    """
    ends = np.full(points.shape, np.nan)
    at = np.flatnonzero(_height(points) > FOOTPRINT_ALTITUDE)
    here = points[:, at]
    if not len(at):
        return ends
    slope = sign * models.direction(here, at)
    step = np.full(len(at), 0.02)
    crossed: list[tuple[Any, ...]] = []
    for _ in range(_MAX_STEPS):
        slopes = [slope]
        there = here
        for node in _NODES:
            there = here + step * sum(weight * one for weight, one in zip(node, slopes, strict=True) if weight)
            slopes.append(sign * models.direction(there, at))
        distance = np.linalg.norm(here, axis=0)
        wrong = sum(weight * one for weight, one in zip(_ERRORS, slopes, strict=True) if weight)
        ratio = np.linalg.norm(step * wrong, axis=0) / (_TOLERANCE * distance)
        good = ratio <= 1.0
        below = good & (_height(there) <= FOOTPRINT_ALTITUDE)
        if below.any():
            crossed.append((at[below], step[below], *(one[:, below] for one in (here, there, slope, slopes[-1]))))
        factor = (0.9 * np.maximum(ratio, 1e-10) ** -0.2).clip(0.2, 4.0)
        here = np.where(good, there, here)
        slope = np.where(good, slopes[-1], slope)
        distance = np.linalg.norm(here, axis=0)
        # a step never jumps over the top or the foot of a low line
        step = np.minimum(step * factor, 0.06 * distance**2)
        stay = ~below & (distance < _OUTERMOST)
        at, here, slope, step = at[stay], here[:, stay], slope[:, stay], step[stay]
        if not len(at):
            break
    if crossed:
        parts = [np.concatenate(one, axis=-1) for one in zip(*crossed, strict=True)]
        ends[:, parts[0]] = _crossing(*parts[1:])
    return ends


def _crossing(step: _Array, first: _Array, last: _Array, leaving: _Array, arriving: _Array) -> _Array:
    """Return where steps cross the height of footprints: bisection of the cubic through their ends and slopes."""
    low, high = np.zeros(len(step)), np.ones(len(step))

    def place(part: _Array) -> _Array:
        rest = 1.0 - part
        return (
            rest * rest * (1.0 + 2.0 * part) * first
            + part * part * (3.0 - 2.0 * part) * last
            + step * part * rest * (rest * leaving - part * arriving)
        )

    for _ in range(30):
        middle = (low + high) / 2
        above = _height(place(middle)) > FOOTPRINT_ALTITUDE
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return place(high)
