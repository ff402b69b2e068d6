"""How far the locations of each source reach, measured in one pass that also checks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aurorax_pandas.exceptions import AuroraxInputError

_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]

# epochs that are looked at together: what is read twice stands in the processor's cache
_EPOCHS: Final = 8_192


@dataclass(frozen=True)
class Extents:
    """
    How far the locations of each source reach.

    Parameters
    ----------
    south, north, west, east : ndarray of float64, shape (source,)
        Least and greatest latitudes and longitudes [degrees]; NaN for a source that has no location.
    gaps : ndarray of bool, shape (source,)
        Whether a location is missing at any epoch.
    """

    south: _Floats
    north: _Floats
    west: _Floats
    east: _Floats
    gaps: _Mask

    @property
    def fixed(self) -> _Mask:
        """Whether a source has one location and no other."""
        fixed: _Mask = (self.south == self.north) & (self.west == self.east)
        return fixed

    @property
    def known(self) -> _Mask:
        """Whether a source has any location."""
        return ~np.isnan(self.south)

    def followed_by(self, other: Extents) -> Extents:
        """Return the extents of these sources and of others after them."""
        names = ("south", "north", "west", "east", "gaps")
        return Extents(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


def measure_extents(lat: npt.NDArray[Any], lon: npt.NDArray[Any], name: str) -> Extents:
    """
    Measure how far locations reach; raise where a latitude or longitude is none.

    Parameters
    ----------
    lat, lon : ndarray of float, shape (source, epoch)
        Latitudes −90 to 90 and longitudes −180 to 360 [degrees]; NaN in both or in neither.
    name : str
        Name of the locations, for an error.

    Raises
    ------
    AuroraxInputError
        If a value is off the map, or is missing in one of the two alone.
    """
    low, high = np.full((2, len(lat)), np.nan), np.full((2, len(lat)), np.nan)
    gaps = np.zeros(len(lat), bool)
    for begin in range(0, lat.shape[1], _EPOCHS):
        both = [_by_rows(part[:, begin : begin + _EPOCHS]) for part in (lat, lon)]
        least, greatest = (np.array([bound(part, axis=1) for part in both], np.float64) for bound in (np.min, np.max))
        # a missing value spreads to the least and the greatest
        odd = np.flatnonzero(~_on_map(least, greatest))
        gaps[odd] = True
        for row in odd:
            one, other = both[0][row], both[1][row]
            missing = np.isnan(one)
            if not np.array_equal(missing, np.isnan(other)):
                raise _unsound(lat, lon, name)
            if missing.all():
                continue
            for part, values in enumerate((one, other)):
                least[part, row], greatest[part, row] = np.fmin.reduce(values), np.fmax.reduce(values)
            if not _on_map(least[:, row], greatest[:, row]):
                raise _unsound(lat, lon, name)
        np.fmin(low, least, out=low)
        np.fmax(high, greatest, out=high)
    return Extents(low[0], high[0], low[1], high[1], gaps)


def _by_rows(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array of which rows can be read fast."""
    return part if part.strides[1] == part.itemsize else np.ascontiguousarray(part)


def _on_map(least: _Floats, greatest: _Floats) -> Any:
    return (least[0] >= -90) & (greatest[0] <= 90) & (least[1] >= -180) & (greatest[1] <= 360)


def _unsound(lat: npt.NDArray[Any], lon: npt.NDArray[Any], name: str) -> AuroraxInputError:
    """Return the error that says what is wrong with locations."""
    if not ((np.abs(lat) <= 90) | np.isnan(lat)).all():
        return AuroraxInputError(f"ephemeris: {name}_lat has values outside −90 to 90 degrees")
    if (np.isnan(lon) != np.isnan(lat)).any():
        return AuroraxInputError(f"ephemeris: {name}_lat and {name}_lon are not missing at the same epochs")
    return AuroraxInputError(f"ephemeris: {name}_lon has values outside −180 to 360 degrees")
