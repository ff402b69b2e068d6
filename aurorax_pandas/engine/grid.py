"""Places that stand still, by the cells of the map from which they can be near."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aurorax_pandas import geometry
from aurorax_pandas.frame.model import ranges

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]

#: Side of a cell [degrees], which divides a turn.
_CELL: Final = 2.0
_COLUMNS: Final = int(360 / _CELL)


class PlaceGrid:
    """
    For each cell of the map, the places that may be within a distance of some point of it.

    Parameters
    ----------
    lat, lon : ndarray of float64, shape (place,)
        The places [degrees].
    distance : float
        The distance [km].
    """

    def __init__(self, lat: _Floats, lon: _Floats, distance: float) -> None:
        arc = min(distance / geometry.EARTH_RADIUS, np.pi)
        reach = float(np.degrees(arc)) + 1e-6
        #: Latitudes between which all that can be near lies [degrees].
        self.south, self.north = max(lat.min() - reach, -90.0), min(lat.max() + reach, 90.0)
        rows = int((self.north - self.south) / _CELL) + 1
        middle = self.south + (np.arange(rows) + 0.5) * _CELL, -180 + (np.arange(_COLUMNS) + 0.5) * _CELL
        centres = np.meshgrid(*middle, indexing="ij")
        # every point of a cell is within half its diagonal of the centre
        widest = np.cos(min(arc + np.radians(_CELL * np.sqrt(0.5)) + 1e-9, np.pi)) - 1e-12
        cosine = np.tensordot(geometry.unit_vectors(*centres), geometry.unit_vectors(lat, lon), axes=(0, 0))
        cell, self._places = np.nonzero(cosine.reshape(-1, len(lat)) >= widest)
        self._counts = np.bincount(cell, minlength=rows * _COLUMNS)
        self._first = np.cumsum(self._counts) - self._counts

    def candidates(self, lat: Any, lon: Any) -> tuple[_Ints, _Ints]:
        """
        Return the pairs of points and places that may be near each other.

        Parameters
        ----------
        lat, lon : ndarray of float64, shape (point,)
            Points [degrees]; latitudes from `south` to `north`, longitudes −180 to 360.

        Returns
        -------
        points, places : ndarray of int64
            Their positions, by point.
        """
        column = ((lon + 180.0) * (1 / _CELL)).astype(np.int32)
        column -= np.int32(_COLUMNS) * (column >= _COLUMNS)
        cell = ((lat - self.south) * (1 / _CELL)).astype(np.int32) * np.int32(_COLUMNS) + column
        counts = self._counts[cell]
        points = np.repeat(np.arange(len(cell)), counts)
        return points, self._places[ranges(self._first[cell], counts)]
