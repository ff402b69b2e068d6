"""Altitude-adjusted corrected geomagnetic coordinates (AACGM-v2), made by their definition: field lines traced to the dipole's equator."""

from __future__ import annotations

import functools
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.sun_and_moon import sun_position
from aurorax_pandas.ephemeris.field import FIELD_RADIUS, Field, dipole_axis
from aurorax_pandas.ephemeris.tracing import trace
from aurorax_pandas.ephemeris.tracks import distinct_rows
from aurorax_pandas.times import Times

Floats = npt.NDArray[np.float64]

# altitude for which the coordinates of the aurora are made [km]
_AURORAL_ALTITUDE: Final = 110.0
# altitude at which the Sun's magnetic longitude is taken [km], as the reference implementation of AACGM-v2 does
_SUN_ALTITUDE: Final = 700.0
# of the grid on which that longitude is tabulated: enough for 0.001 hours
_LONGITUDES: Final = 24
_DECLINATIONS: Final = 8
_STEEPEST: Final = 24.0
_YEAR: Final = np.timedelta64(1, "Y")


class Coordinates(NamedTuple):
    """Magnetic latitude and longitude [degrees], and L of the dipole's line [Earth radii]."""

    mlat: Floats
    mlon: Floats
    dipole_l: Floats


def traced_coordinates(lat: Floats, lon: Floats, epochs: Times) -> Coordinates:
    """
    Return the coordinates of places 110 km above the ellipsoid at epochs, each of which costs a field line.

    The line of IGRF is followed from the place to the plane of the dipole's equator; the dipole's own line leads from
    there to the latitude at one Earth radius, cos² mlat = 1 / L. NaN where the line does not rise above the place, near
    the magnetic equator, for which the coordinates are not defined.

    Parameters
    ----------
    lat, lon : ndarray, shape (place,)
        Geodetic [degrees].
    epochs : ndarray of datetime64, shape (place,)
        UTC.

    References
    ----------
    S. G. Shepherd, "Altitude-adjusted corrected geomagnetic coordinates: Definition and functional approximations",
    Journal of Geophysical Research: Space Physics 119, 7501 (2014).
    """
    found = np.full((3, len(lat)), np.nan)
    known = np.flatnonzero(~(np.isnan(lat) | np.isnan(lon) | np.isnat(epochs)))
    ends, north = _equator(lat[known], lon[known], epochs[known], _AURORAL_ALTITUDE)
    shell = np.linalg.norm(ends.at, axis=0)
    risen = shell >= (FIELD_RADIUS + _AURORAL_ALTITUDE) / FIELD_RADIUS
    mlat = ends.side * np.degrees(np.arccos(np.sqrt(1.0 / np.maximum(shell, 1.0))))
    found[:, known] = np.where(risen, [mlat, _dipole_longitude(ends.at, north), shell], np.nan)
    return Coordinates(*found)


class _Equator(NamedTuple):
    """Where lines meet the plane of the dipole's equator [Earth radii], and on which side of it they began."""

    at: Floats
    side: Floats


def _equator(lat: Floats, lon: Floats, epochs: Times, altitude: float) -> tuple[_Equator, Floats]:
    north = dipole_axis(epochs)
    points = geometry.earth_fixed(lat, lon, altitude) / FIELD_RADIUS
    side = np.where((north * points).sum(axis=0) < 0, -1.0, 1.0)

    def above_the_plane(there: Floats, lines: npt.NDArray[np.int64]) -> Floats:
        return np.asarray((north[:, lines] * there).sum(axis=0) * side[lines], np.float64)

    # the field points to the north, away from the plane in the north and towards it in the south
    return _Equator(trace(points, -side, Field(epochs), above_the_plane, None), side), north


def _dipole_longitude(places: Floats, north: Floats) -> Floats:
    """Return longitudes about the dipole's axis [degrees], from the meridian that holds the geographic South Pole."""
    east = np.stack([-north[1], north[0], np.zeros_like(north[0])])
    east /= np.linalg.norm(east, axis=0)
    zero = np.cross(east, north, axis=0)
    return np.asarray(np.degrees(np.arctan2((east * places).sum(axis=0), (zero * places).sum(axis=0))), np.float64)


def station_coordinates(lat: Floats, lon: Floats, times: Times) -> Coordinates:
    """
    Return the coordinates of stations at times, for few field lines: two for each station and year.

    Between the beginnings of two years the coordinates change evenly, for IGRF does.
    """
    found = np.full((3, len(lat)), np.nan)
    known = np.flatnonzero(~(np.isnan(lat) | np.isnan(lon) | np.isnat(times)))
    year, fraction = _year_and_fraction(times[known])
    row, first = distinct_rows(lat[known], lon[known], year)
    vectors = []
    for instant in (year[first], year[first] + _YEAR):
        at_year = traced_coordinates(lat[known][first], lon[known][first], instant.astype("M8[us]"))
        vectors.append(geometry.unit_vectors(at_year.mlat, at_year.mlon)[:, row])
    mlat, mlon = geometry.degrees(vectors[0] * (1.0 - fraction) + vectors[1] * fraction)
    found[:, known] = mlat, mlon, 1.0 / np.cos(np.radians(mlat)) ** 2
    return Coordinates(*found)


def magnetic_local_time(mlon: Floats, times: Times) -> Floats:
    """
    Return magnetic local time [hours, 0 to 24] at magnetic longitudes [degrees].

    Noon is at the magnetic longitude of the point below the Sun, 700 km high.

    References
    ----------
    K. M. Laundal and A. D. Richmond, "Magnetic Coordinate Systems", Space Science Reviews 206, 27 (2017), section 5;
    the altitude is that of the reference implementation of AACGM-v2.
    """
    found = np.full(len(mlon), np.nan)
    known = np.flatnonzero(~(np.isnan(mlon) | np.isnat(times)))
    row, distinct = pd.factorize(times[known])
    found[known] = ((mlon[known] - _longitude_of_noon(distinct)[row]) / 15.0 + 12.0) % 24.0
    return found


def _longitude_of_noon(times: Times) -> Floats:
    """Return the magnetic longitude [degrees] of the point below the Sun."""
    declination, longitude = geometry.degrees(sun_position(times))
    year, fraction = _year_and_fraction(times)
    found = np.empty(len(times))
    for one in np.unique(year):
        mine = np.flatnonzero(year == one)
        found[mine] = _less_geographic(int(one.astype(int)), fraction[mine], declination[mine], longitude[mine])
    return longitude + found


def _less_geographic(year: int, fraction: Floats, declination: Floats, longitude: Floats) -> Floats:
    """Return the magnetic less the geographic longitude [degrees] of points 700 km high at fractions of a year."""
    bows = np.polynomial.chebyshev.chebvander(declination / _STEEPEST, _DECLINATIONS - 1)
    once = np.exp(1j * np.radians(longitude))
    # of both years at once: a table is linear in its coefficients
    mixed = np.stack([bows * (1.0 - fraction)[:, None], bows * fraction[:, None]], axis=1).reshape(len(bows), -1)
    tables = np.concatenate([_noon_table(year), _noon_table(year + 1)])
    summed: Any = np.zeros(len(once), np.complex128)
    for wave in tables.T[::-1]:
        summed = summed * once + (np.einsum("nd,d->n", mixed, wave.real) + 1j * np.einsum("nd,d->n", mixed, wave.imag))
    return np.asarray(summed.real, np.float64)


@functools.lru_cache(maxsize=256)
def _noon_table(year: int) -> npt.NDArray[np.complex128]:
    """Return coefficients of Chebyshev polynomials in declination and waves in longitude, for years since 1970."""
    nodes = np.cos(np.pi * (np.arange(_DECLINATIONS) + 0.5) / _DECLINATIONS)
    east = np.arange(_LONGITUDES) * 360.0 / _LONGITUDES
    lat, lon = (grid.ravel() for grid in np.meshgrid(nodes * _STEEPEST, east, indexing="ij"))
    epochs = np.full(len(lat), np.datetime64(year, "Y").astype("M8[us]"))
    ends, north = _equator(lat, lon, epochs, _SUN_ALTITUDE)
    # a point in the plane of the equator is its own end
    places = np.where(np.isnan(ends.at), geometry.earth_fixed(lat, lon, _SUN_ALTITUDE), ends.at)
    offset = (_dipole_longitude(places, north) - lon).reshape(len(nodes), -1)
    offset = np.degrees(np.unwrap(np.unwrap(np.radians(offset), axis=1), axis=0))
    waves: Any = np.fft.rfft(offset, axis=1) / _LONGITUDES
    waves[:, 1 : (_LONGITUDES + 1) // 2] *= 2
    table: npt.NDArray[np.complex128] = np.linalg.solve(
        np.polynomial.chebyshev.chebvander(nodes, _DECLINATIONS - 1), waves
    )
    return table


def _year_and_fraction(times: Times) -> tuple[npt.NDArray[np.datetime64], Floats]:
    year = times.astype("M8[Y]")
    begin, end = year.astype("M8[us]"), (year + _YEAR).astype("M8[us]")
    fraction: Floats = (times - begin) / (end - begin)
    return year, fraction
