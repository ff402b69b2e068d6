"""When sources of two roles of a search are within a distance of each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from aurorax_pandas import geometry
from aurorax_pandas.engine.grid import PlaceGrid
from aurorax_pandas.ephemeris.extents import Extents

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Party:
    """
    The sources of a role.

    Parameters
    ----------
    sources : ndarray of int64
        Their positions in the search's table, ascending.
    still, moving : ndarray of int64
        Positions in `sources` of those that stand still and of those that move; the others have no location.
    lat, lon : ndarray of float64
        Where those that stand still are [degrees].
    gaps : bool
        Whether any of those that stand still lacks a location at some epoch.
    """

    sources: Ints
    still: Ints
    moving: Ints
    lat: Floats
    lon: Floats
    gaps: bool

    @classmethod
    def of_role(cls, sources: Ints, extents: Extents) -> Party:
        """Return the party of some sources, by how far the locations of all sources reach."""
        fixed, known = extents.fixed[sources], extents.known[sources]
        still = np.flatnonzero(fixed)
        places = sources[still]
        moving = np.flatnonzero(known & ~fixed)
        return cls(
            sources, still, moving, extents.south[places], extents.west[places], bool(extents.gaps[places].any())
        )


@dataclass(frozen=True)
class Scene:
    """
    A role in a block of epochs.

    Parameters
    ----------
    party : Party
        Its sources.
    lat, lon : ndarray of float64, shape (moving source, epoch)
        Where those that move are [degrees].
    admitted : ndarray of bool, shape (source, epoch), optional
        When the role's criteria hold and, of those that stand still, there is a location; by default always.
    """

    party: Party
    lat: Floats
    lon: Floats
    admitted: Mask | None

    @cached_property
    def angles(self) -> tuple[Floats, Floats, Floats]:
        """Latitudes and longitudes [radians] of those that move, and cosines of the latitudes."""
        phi = np.radians(self.lat)
        return phi, np.radians(self.lon), np.cos(phi)

    @cached_property
    def vectors(self) -> Floats:
        """Unit vectors of those that move, shape (3, moving source, epoch)."""
        phi, theta, across = self.angles
        return np.stack([across * np.cos(theta), across * np.sin(theta), np.sin(phi)])


@dataclass
class Hits:
    """
    Epochs at which the sources of a pair of roles are within its limit, gathered block by block.

    ``pair`` numbers the two sources: the position of the first in its role times the size of the second's role, plus
    the position of the second. The epochs of a pair stand in ascending order.
    """

    pair: list[npt.NDArray[np.int32 | np.int64]] = field(default_factory=list)
    epoch: list[npt.NDArray[np.int32]] = field(default_factory=list)
    distance: list[Floats] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.epoch))

    def joined(self) -> tuple[npt.NDArray[np.int32 | np.int64], npt.NDArray[np.int32], Floats]:
        """Return pairs, epochs and distances of all; nothing is left here."""
        if not self.epoch:
            self.add(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        pair, epoch, distance = np.concatenate(self.pair), np.concatenate(self.epoch), np.concatenate(self.distance)
        for pieces in (self.pair, self.epoch, self.distance):
            pieces.clear()
        return pair, epoch, distance

    def add(self, pair: Ints, epoch: Ints, distance: Floats) -> None:
        """Add some of one block."""
        self.pair.append(pair.astype(np.int32 if pair.max(initial=0) < 2**31 else np.int64))
        self.epoch.append(epoch.astype(np.int32))
        self.distance.append(distance)


#: For each side of a pair of roles the grid of its places, where the other side has sources that move.
Grids = tuple[PlaceGrid | None, PlaceGrid | None]


def place_grids(one: Party, other: Party, limit: float) -> Grids:
    """Return the grid of each side's places, where the other side has sources that move."""
    first = PlaceGrid(one.lat, one.lon, limit) if len(one.still) and len(other.moving) else None
    second = PlaceGrid(other.lat, other.lon, limit) if len(other.still) and len(one.moving) else None
    return first, second


def find_near(one: Scene, other: Scene, limit: float, grids: Grids, begin: int, hits: Hits) -> None:
    """Add the epochs of a block at which sources of two roles, of which at least one moves, are within a limit."""
    size = len(other.party.sources)
    if grids[0] is not None:
        row, column, epoch, distance = _near_places(one, other, grids[0], limit)
        hits.add(row * size + column, epoch + begin, distance)
    if grids[1] is not None:
        column, row, epoch, distance = _near_places(other, one, grids[1], limit)
        hits.add(row * size + column, epoch + begin, distance)
    if len(one.party.moving) and len(other.party.moving):
        _add_near_moving(one, other, limit, begin, hits)


def _near_places(still: Scene, moving: Scene, grid: PlaceGrid, limit: float) -> tuple[Ints, Ints, Ints, Floats]:
    """Return positions in the roles of those that stand still and of those that move, epochs, and distances."""
    epochs = moving.lat.shape[1]
    lat, lon = moving.lat.ravel(), moving.lon.ravel()
    # a missing latitude is in no band; most of an orbit is left out here
    inside = (lat >= grid.south) & (lat <= grid.north)
    if moving.admitted is not None:
        inside &= moving.admitted[moving.party.moving].ravel()
    at = np.flatnonzero(inside)
    lat, lon = lat[at], lon[at]
    point, place = grid.candidates(lat, lon)
    if still.admitted is not None:
        keep = still.admitted[still.party.still[place], at[point] % epochs]
        point, place = point[keep], place[keep]
    phi, theta = np.radians(lat), np.radians(lon)
    across = np.cos(phi)
    own_phi, own_theta = np.radians(still.party.lat), np.radians(still.party.lon)
    found, distance = _within(
        own_phi[place] - phi[point],
        own_theta[place] - theta[point],
        np.cos(own_phi)[place] * across[point],
        limit,
    )
    row, epoch = np.divmod(at[point[found]], epochs)
    first, second = still.party.still[place[found]], moving.party.moving[row]
    # a source stands still or moves, so that none is near itself here
    return first, second, epoch, distance


def _within(rise: Any, turn: Any, across: Any, limit: float) -> tuple[Ints, Floats]:
    """Return which arcs are within a limit, and how long these are [km]."""
    haversine = geometry.haversine(rise, turn, across)
    # the length of an arc is dear, so only those are measured that may be within
    highest = np.sin(min(limit / (2 * geometry.EARTH_RADIUS), np.pi / 2)) ** 2
    found = np.flatnonzero(haversine <= highest * (1 + 1e-9) + 1e-30)
    distance = geometry.arc_of_haversine(haversine[found])
    inside = distance <= limit
    return (found, distance) if inside.all() else (found[inside], distance[inside])


def _add_near_moving(one: Scene, other: Scene, limit: float, begin: int, hits: Hits) -> None:
    cosine = np.cos(min(limit / geometry.EARTH_RADIUS, np.pi)) - 1e-12
    mine, theirs = one.party.moving, other.party.moving
    sources, others = one.party.sources[mine], other.party.sources[theirs]
    # of the same sources on both sides each two are compared once
    same = np.array_equal(sources, others)
    epochs, size = one.lat.shape[1], len(other.party.sources)
    (phi, theta, across), (their_phi, their_theta, their_across) = one.angles, other.angles
    for row in range(len(mine)):
        start = row + 1 if same else 0
        if start == len(theirs):
            continue
        product = one.vectors[0, row] * other.vectors[0, start:]
        product += one.vectors[1, row] * other.vectors[1, start:]
        product += one.vectors[2, row] * other.vectors[2, start:]
        column, epoch = np.divmod(np.flatnonzero(product >= cosine), epochs)
        column += start
        found, distance = _within(
            their_phi[column, epoch] - phi[row, epoch],
            their_theta[column, epoch] - theta[row, epoch],
            their_across[column, epoch] * across[row, epoch],
            limit,
        )
        column, epoch = column[found], epoch[found]
        for turned in (False, True)[: 1 + same]:
            first, second = (mine[column], np.full(len(column), theirs[row])) if turned else (
                np.full(len(column), mine[row]), theirs[column]
            )  # fmt: skip
            keep = one.party.sources[first] != other.party.sources[second]
            for scene, position in ((one, first), (other, second)):
                if scene.admitted is not None:
                    keep &= scene.admitted[position, epoch]
            hits.add((first * size + second)[keep], epoch[keep] + begin, distance[keep])
