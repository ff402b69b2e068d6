"""Geometry on the WGS84 ellipsoid: geodetic latitudes, and how high a station sees a point in its sky."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from aurorax_pandas.sphere import EARTH_RADIUS, Array

#: Altitude above the ellipsoid at which the service's footprints lie [km].
FOOTPRINT_ALTITUDE: Final = 100.0

# WGS84: equatorial radius [km] and squared eccentricity (NGA.STND.0036, 2014)
EQUATORIAL_RADIUS: Final = 6378.137
_ECCENTRICITY_SQUARED: Final = 6.69437999014e-3
#: Polar radius of the WGS84 ellipsoid [km].
POLAR_RADIUS: Final = EQUATORIAL_RADIUS * (1 - _ECCENTRICITY_SQUARED) ** 0.5


def geodetic_latitude(lat: Any, altitude: Any = FOOTPRINT_ALTITUDE) -> Array:
    """
    Give geodetic latitudes [degrees] of geocentric ones [degrees] at an altitude above the ellipsoid [km].

    References
    ----------
    W. A. Heiskanen and H. Moritz, "Physical Geodesy", W. H. Freeman (1967), section 5-3: tan φ_geodetic =
    tan φ_geocentric (N + h) / (N (1 − e²) + h), solved by iteration.
    """
    geocentric = np.radians(lat)
    sine, cosine = np.sin(geocentric), np.cos(geocentric)
    phi = geocentric
    for _ in range(5):
        radius = _normal_radius(phi)
        phi = np.arctan2(sine * (radius + altitude), cosine * (radius * (1 - _ECCENTRICITY_SQUARED) + altitude))
    return np.asarray(np.degrees(phi), np.float64)


def geocentric_latitude(lat: Any, altitude: Any = FOOTPRINT_ALTITUDE) -> Array:
    """Give geocentric latitudes [degrees] of geodetic ones [degrees] at an altitude above the ellipsoid [km]."""
    x, _, z = _positions(lat, 0.0, altitude)
    return np.asarray(np.degrees(np.arctan2(z, x)), np.float64)


def altitude_of(lat: Any, radial_distance: Any) -> Array:
    """
    Give altitudes above the ellipsoid [km] of geocentric latitudes [degrees] and distances from the centre [km].

    Measured along the radius, which is less than 0.1 km from the altitude along the normal.
    """
    sine_squared = np.sin(np.radians(lat)) ** 2
    surface = EQUATORIAL_RADIUS * np.sqrt(
        (1 - _ECCENTRICITY_SQUARED) / (1 - _ECCENTRICITY_SQUARED * (1 - sine_squared))
    )
    return np.asarray(radial_distance - surface, np.float64)


def elevation(station_lat: Any, station_lon: Any, lat: Any, lon: Any, altitude: Any) -> Array:
    """
    Give the elevation above the horizon [degrees] at which stations on the ellipsoid see points in the sky.

    Parameters
    ----------
    station_lat, station_lon : array_like
        Stations, geodetic [degrees].
    lat, lon : array_like
        Points, geodetic [degrees].
    altitude : array_like
        Altitude of the points above the ellipsoid [km].
    """
    sight = _positions(lat, lon, altitude) - _positions(station_lat, station_lon, 0.0)
    phi, theta = np.radians(station_lat), np.radians(station_lon)
    up = sight[0] * np.cos(phi) * np.cos(theta) + sight[1] * np.cos(phi) * np.sin(theta) + sight[2] * np.sin(phi)
    return np.asarray(np.degrees(np.arctan2(up, np.sqrt(np.maximum((sight**2).sum(axis=0) - up**2, 0.0)))), np.float64)


def viewing_radius(elevation: float, altitude: float) -> float:
    """
    Give how far from a station [km] lies what it sees at an elevation [degrees] and an altitude [km].

    Measured along the ground, on a sphere of 6371 km: γ = arccos(R cos ε / (R + h)) − ε.
    """
    angle = np.radians(elevation)
    return float(EARTH_RADIUS * (np.arccos(EARTH_RADIUS * np.cos(angle) / (EARTH_RADIUS + altitude)) - angle))


def _normal_radius(phi: Any) -> Any:
    return EQUATORIAL_RADIUS / np.sqrt(1 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2)


def _positions(lat: Any, lon: Any, altitude: Any) -> Array:
    """Give Earth-fixed positions [km], laid along a new first axis, of geodetic ones."""
    phi, theta = np.radians(lat), np.radians(lon)
    radius = _normal_radius(phi)
    across = (radius + altitude) * np.cos(phi)
    up = (radius * (1 - _ECCENTRICITY_SQUARED) + altitude) * np.sin(phi)
    return np.stack(np.broadcast_arrays(across * np.cos(theta), across * np.sin(theta), up))
