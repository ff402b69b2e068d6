"""Geometry on the sphere that the service measures distances on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Radius of the sphere of great-circle distances [km].
EARTH_RADIUS: Final = 6371.0

Array = npt.NDArray[np.float64]


def unit_vectors(lat: Any, lon: Any) -> Array:
    """Give the unit vectors, along a new first axis, of latitudes and longitudes [degrees]."""
    phi, theta = np.radians(lat), np.radians(lon)
    across = np.cos(phi)
    return np.stack([across * np.cos(theta), across * np.sin(theta), np.sin(phi)])


def degrees(vectors: Array) -> tuple[Array, Array]:
    """Give latitudes and longitudes (−180 to 180) [degrees] of vectors of any length, laid along the first axis."""
    x, y, z = vectors
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def great_circle_distance(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Array:
    """
    Give great-circle distances [km] between places [degrees] on the service's sphere, by the haversine formula.

    References
    ----------
    R. W. Sinnott, "Virtues of the haversine", Sky and Telescope 68, 159 (1984).
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    haversine = (
        np.sin((phi2 - phi1) / 2) ** 2
        + np.cos(phi1) * np.cos(phi2) * np.sin((np.radians(lon2) - np.radians(lon1)) / 2) ** 2
    )
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
    angle = np.arctan2(np.linalg.norm(np.cross(first, second, axis=0), axis=0), (first * second).sum(axis=0))
    still = angle < 1e-9
    sine = np.where(still, 1.0, np.sin(angle))
    before = np.where(still, 1.0 - fraction, np.sin((1.0 - fraction) * angle) / sine)
    after = np.where(still, fraction, np.sin(fraction * angle) / sine)
    between: Array = before * first + after * second
    return between
