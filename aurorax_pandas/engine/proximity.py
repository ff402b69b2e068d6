"""When sources of two roles of a search are within a distance of each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from aurorax_pandas import geometry

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Positions:
    """Where the sources of a role are in a block of epochs; rows are sources, columns epochs."""

    sources: Ints
    lat: Floats
    lon: Floats
    present: Mask
    fixed: Mask


@dataclass
class Hits:
    """Epochs at which the sources of a pair of roles are within its limit, gathered block by block."""

    first: list[Ints] = field(default_factory=list)
    second: list[Ints] = field(default_factory=list)
    epoch: list[Ints] = field(default_factory=list)
    distance: list[Floats] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.epoch))


def find_near(one: Positions, other: Positions, limit: float, begin: int, hits: Hits) -> None:
    """Add the epochs of a block at which sources of two roles are within a limit."""
    for first, second, turned in _sides(one, other):
        row, column, epoch = _within_limit(first, second, limit)
        if turned:
            row, column = column, row
        keep = one.present[row, epoch] & other.present[column, epoch] & (one.sources[row] != other.sources[column])
        row, column, epoch = row[keep], column[keep], epoch[keep]
        distance = geometry.great_circle_distance(
            one.lat[row, epoch], one.lon[row, epoch], other.lat[column, epoch], other.lon[column, epoch]
        )
        inside = distance <= limit
        hits.first.append(one.sources[row[inside]])
        hits.second.append(other.sources[column[inside]])
        hits.epoch.append(epoch[inside] + begin)
        hits.distance.append(distance[inside])


@dataclass(frozen=True)
class _Side:
    """Some rows of the positions of a role, all fixed or all moving."""

    positions: Positions
    rows: Ints
    fixed: bool


def _sides(one: Positions, other: Positions) -> Iterator[tuple[_Side, _Side, bool]]:
    """Split a pair of roles by what moves; the fixed side comes first, and the last item says if that turned them."""
    for fixed_one, fixed_other in itertools.product((True, False), repeat=2):
        first, second = _side(one, fixed_one), _side(other, fixed_other)
        if len(first.rows) and len(second.rows):
            turned = fixed_other and not fixed_one
            yield (second, first, True) if turned else (first, second, False)


def _side(positions: Positions, fixed: bool) -> _Side:
    return _Side(positions, np.flatnonzero((positions.fixed == fixed) & positions.present.any(axis=1)), fixed)


def _within_limit(one: _Side, other: _Side, limit: float) -> tuple[Ints, Ints, Ints]:
    """Return rows of both sides and epochs that may be within a limit, and surely all that are."""
    epochs = one.positions.lat.shape[1]
    cosine = np.cos(min(limit / geometry.EARTH_RADIUS, np.pi)) - 1e-12
    if not one.fixed:
        found = [_near_moving(one, row, other, cosine) for row in one.rows]
        return tuple(np.concatenate(each) for each in zip(*found, strict=True))  # type: ignore[return-value]
    at = one.positions.present[one.rows].argmax(axis=1)
    lat, lon = one.positions.lat[one.rows, at], one.positions.lon[one.rows, at]
    if other.fixed:
        at = other.positions.present[other.rows].argmax(axis=1)
        theirs = geometry.unit_vectors(other.positions.lat[other.rows, at], other.positions.lon[other.rows, at])
        row, column = np.nonzero(geometry.unit_vectors(lat, lon).T @ theirs >= cosine)
        epoch = np.tile(np.arange(epochs), len(row))
        return one.rows[np.repeat(row, epochs)], other.rows[np.repeat(column, epochs)], epoch
    # nothing outside the band of latitudes around the fixed places can be near: most of an orbit is not computed
    reach = np.degrees(min(limit / geometry.EARTH_RADIUS, np.pi)) + 1e-6
    their_lat = other.positions.lat[other.rows].ravel()
    band = np.flatnonzero((their_lat >= lat.min() - reach) & (their_lat <= lat.max() + reach))
    theirs = geometry.unit_vectors(their_lat[band], other.positions.lon[other.rows].ravel()[band])
    hit = np.flatnonzero(geometry.unit_vectors(lat, lon).T @ theirs >= cosine)
    row, where = np.divmod(hit, max(len(band), 1))
    column, epoch = np.divmod(band[where], epochs)
    return one.rows[row], other.rows[column], epoch


def _near_moving(one: _Side, row: int, other: _Side, cosine: float) -> tuple[Ints, Ints, Ints]:
    mine = geometry.unit_vectors(one.positions.lat[row], one.positions.lon[row])
    theirs = geometry.unit_vectors(other.positions.lat[other.rows], other.positions.lon[other.rows])
    column, epoch = np.nonzero((mine[:, None, :] * theirs).sum(axis=0) >= cosine)
    return np.full(len(column), row), other.rows[column], epoch
