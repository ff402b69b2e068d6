"""Geometry on the sphere that the service measures distances on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Radius of the sphere of great-circle distances [km].
EARTH_RADIUS: Final = 6371.0
#: The way around that sphere [km], twice the greatest of these distances.
CIRCUMFERENCE: Final = float(2 * np.pi * EARTH_RADIUS)

Array = npt.NDArray[np.float64]


def unit_vectors(lat: Any, lon: Any) -> Array:
    """Return the unit vectors, along a new first axis, of latitudes and longitudes [degrees]."""
    phi, theta = np.radians(lat), np.radians(lon)
    across = np.cos(phi)
    found = np.empty((3, *np.shape(across)), np.result_type(across, theta))
    # written where they stay
    np.multiply(across, np.cos(theta), out=found[0, ...])
    np.multiply(across, np.sin(theta), out=found[1, ...])
    np.sin(phi, out=found[2, ...])
    return found


def degrees(vectors: Array) -> tuple[Array, Array]:
    """Return latitudes and longitudes (−180 to 180) [degrees] of vectors of any length, laid along the first axis."""
    x, y, z = vectors
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def great_circle_distance(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Array:
    """
    Return great-circle distances [km] between places [degrees] on the service's sphere, by the haversine formula.

    References
    ----------
    R. W. Sinnott, "Virtues of the haversine", Sky and Telescope 68, 159 (1984).
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    turn = np.radians(lon2) - np.radians(lon1)
    return arc_of_haversine(haversine(phi2 - phi1, turn, np.cos(phi1) * np.cos(phi2)))


def haversine(rise: Any, turn: Any, across: Any) -> Array:
    """
    Return the haversine of the arc between places.

    Parameters
    ----------
    rise, turn : array_like
        Differences of their latitudes and of their longitudes [radians].
    across : array_like
        Product of the cosines of their latitudes.
    """
    found: Array = np.sin(rise / 2) ** 2 + across * np.sin(turn / 2) ** 2
    return found


def arc_of_haversine(haversine: Array) -> Array:
    """Return the length [km] of the arcs of some haversines on the service's sphere."""
    distance: Array = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))
    return distance


def interpolate(first: Array, second: Array, fraction: Any) -> Array:
    """
    Interpolate between unit vectors along their great circle (spherical linear interpolation).

    Parameters
    ----------
    first, second : ndarray of float64, shape (3, …)
        Unit vectors less than half a turn apart.
    fraction : float or ndarray
        0 for the first, 1 for the second.

    References
    ----------
    K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH Computer Graphics 19, 245 (1985).
    """
    (x, y, z), (u, v, w) = first, second
    # component by component, which is twice as fast
    sine = np.sqrt((y * w - z * v) ** 2 + (z * u - x * w) ** 2 + (x * v - y * u) ** 2)
    angle = np.arctan2(sine, x * u + y * v + z * w)
    still = angle < 1e-9
    sine = np.where(still, 1.0, np.sin(angle))
    before = np.where(still, 1.0 - fraction, np.sin((1.0 - fraction) * angle) / sine)
    after = np.where(still, fraction, np.sin(fraction * angle) / sine)
    between: Array = before * first + after * second
    return between


#: Altitude above the ellipsoid at which the service's footprints lie [km].
FOOTPRINT_ALTITUDE: Final = 100.0

# WGS84: equatorial radius [km] and squared eccentricity (NGA.STND.0036, 2014)
EQUATORIAL_RADIUS: Final = 6378.137
_ECCENTRICITY_SQUARED: Final = 6.69437999014e-3
#: Polar radius of the WGS84 ellipsoid [km].
POLAR_RADIUS: Final = EQUATORIAL_RADIUS * (1 - _ECCENTRICITY_SQUARED) ** 0.5


def geodetic_latitude(lat: Any, altitude: Any = FOOTPRINT_ALTITUDE) -> Array:
    """
    Return geodetic latitudes [degrees] of geocentric ones [degrees] at an altitude above the ellipsoid [km].

    References
    ----------
    W. A. Heiskanen and H. Moritz, "Physical Geodesy", W. H. Freeman (1967), section 5-3: tan φ_geodetic =
    tan φ_geocentric (N + h) / (N (1 − e²) + h), solved by iteration.
    """
    geocentric = np.radians(lat)
    sine, cosine = np.sin(geocentric), np.cos(geocentric)
    phi = geocentric
    for _ in range(5):
        radius = _normal_radius(np.sin(phi))
        phi = np.arctan2(sine * (radius + altitude), cosine * (radius * (1 - _ECCENTRICITY_SQUARED) + altitude))
    return np.asarray(np.degrees(phi), np.float64)


def altitude_of(lat: Any, radial_distance: Any) -> Array:
    """
    Return altitudes above the ellipsoid [km] of geocentric latitudes [degrees] and distances from the centre [km].

    Measured along the radius, which is less than 0.1 km from the altitude along the normal.
    """
    sine_squared = np.sin(np.radians(lat)) ** 2
    surface = EQUATORIAL_RADIUS * np.sqrt(
        (1 - _ECCENTRICITY_SQUARED) / (1 - _ECCENTRICITY_SQUARED * (1 - sine_squared))
    )
    return np.asarray(radial_distance - surface, np.float64)


def elevation(station_lat: Any, station_lon: Any, lat: Any, lon: Any, altitude: Any) -> Array:
    """
    Return the elevation above the horizon [degrees] at which stations on the ellipsoid see points in the sky.

    Parameters
    ----------
    station_lat, station_lon : array_like
        Stations, geodetic [degrees].
    lat, lon : array_like
        Points, geodetic [degrees].
    altitude : array_like
        Altitude of the points above the ellipsoid [km].
    """
    return horizontal(station_lat, station_lon, earth_fixed(lat, lon, altitude))[1]


def horizontal(station_lat: Any, station_lon: Any, places: Array) -> tuple[Array, Array, Array]:
    """
    Return azimuth (from north over east, 0 to 360) and elevation [degrees] and distance [km] of places in the sky.

    Parameters
    ----------
    station_lat, station_lon : array_like
        Stations on the ellipsoid, geodetic [degrees].
    places : ndarray of float64, shape (3, …)
        Earth-fixed positions [km], laid along the first axis.
    """
    sin_phi, cos_phi, sin_theta, cos_theta = turns = _turns(station_lat, station_lon)
    x, y, z = (place - own for place, own in zip(places, _components(*turns, 0.0), strict=True))
    outwards = x * cos_theta + y * sin_theta
    up = x * cos_phi * cos_theta + y * cos_phi * sin_theta + z * sin_phi
    squared = x**2 + y**2 + z**2
    height = np.degrees(np.arctan2(up, np.sqrt(np.maximum(squared - up**2, 0.0))))
    azimuth = np.degrees(np.arctan2(y * cos_theta - x * sin_theta, z * cos_phi - outwards * sin_phi)) % 360.0
    return np.asarray(azimuth, np.float64), np.asarray(height, np.float64), np.asarray(np.sqrt(squared), np.float64)


def viewing_radius(elevation: float, altitude: float) -> float:
    """
    Return how far from a station [km] lies what it sees at an elevation [degrees] and an altitude [km].

    Measured along the ground, on a sphere of 6371 km: γ = arccos(R cos ε / (R + h)) − ε.
    """
    angle = np.radians(elevation)
    return float(EARTH_RADIUS * (np.arccos(EARTH_RADIUS * np.cos(angle) / (EARTH_RADIUS + altitude)) - angle))


def _normal_radius(sine: Any) -> Any:
    return EQUATORIAL_RADIUS / np.sqrt(1 - _ECCENTRICITY_SQUARED * sine**2)


def earth_fixed(lat: Any, lon: Any, altitude: Any) -> Array:
    """Return Earth-fixed positions [km], laid along a new first axis, of geodetic ones."""
    return np.stack(np.broadcast_arrays(*_components(*_turns(lat, lon), altitude)))


def _turns(lat: Any, lon: Any) -> tuple[Any, Any, Any, Any]:
    """Return sine and cosine of latitudes, then of longitudes [degrees]."""
    phi, theta = np.radians(lat), np.radians(lon)
    return np.sin(phi), np.cos(phi), np.sin(theta), np.cos(theta)


def _components(sin_phi: Any, cos_phi: Any, sin_theta: Any, cos_theta: Any, altitude: Any) -> tuple[Any, Any, Any]:
    """Return the components of Earth-fixed positions [km]."""
    radius = _normal_radius(sin_phi)
    across = (radius + altitude) * cos_phi
    return across * cos_theta, across * sin_theta, (radius * (1 - _ECCENTRICITY_SQUARED) + altitude) * sin_phi
