"""The search of one conjunction type through a window, block by block of epochs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aurorax_pandas.engine.assembly import Found, sum_up
from aurorax_pandas.engine.joining import (
    Pair,
    Runs,
    join_runs,
    runs_of_hits,
    runs_of_places,
    runs_of_presence,
)
from aurorax_pandas.engine.matching import block_mask, block_variables
from aurorax_pandas.engine.plan import Plan
from aurorax_pandas.engine.proximity import Grids, Hits, Ints, Mask, Party, Scene, find_near, place_grids
from aurorax_pandas.ephemeris.dataset import LOCATIONS, locations_of
from aurorax_pandas.ephemeris.extents import Extents

if TYPE_CHECKING:
    import xarray as xr

# epochs that are compared together
_BLOCK: Final = 4_096
# hits that are held at once; what lies on both sides of a cut is stitched afterwards
_MAX_HITS: Final = 12_000_000


class Stage:
    """
    The locations of one conjunction type in the window of a search.

    Parameters
    ----------
    window : xarray.Dataset
        The ephemeris in the window, not chunked.
    plan : Plan
        The search.
    kind : str
        The conjunction type.
    measured : Extents
        How far the locations of the ephemeris's sources reach.
    asked : xarray.Dataset, optional
        The same as it was given, where locations of the window have been converted: what criteria ask about.
    """

    def __init__(
        self, window: xr.Dataset, plan: Plan, kind: str, measured: Extents, asked: xr.Dataset | None = None
    ) -> None:
        self._asked, self._plan, self._kind = window if asked is None else asked, plan, kind
        self._epochs = window["epoch"].values.astype("M8[us]")
        self._lat, self._lon = locations_of(window, LOCATIONS[kind])
        extents = plan.extents(measured, kind)
        self._parties = [Party.of_role(role.sources, extents) for role in plan.roles]
        self._extents = extents
        # pairs of roles that both have sources that stand still
        self._still = [
            pair for pair in plan.limits if all(len(self._parties[role].still) for role in pair)
        ]  # fmt: skip
        self._watched = {*plan.isolated, *(role for pair in self._still for role in pair)}

    def search(self) -> Iterator[Found]:
        """Search; each piece holds the conjunctions of as many blocks as have not too many hits."""
        count, first = len(self._epochs), 0
        grids = self._grids(self._plan.limits)
        hits, present = self._nothing()
        for begin in range(0, count, _BLOCK):
            stop = min(begin + _BLOCK, count)
            scenes = self._scenes(begin, stop)
            for pair, limit in self._plan.limits.items():
                find_near(scenes[pair[0]], scenes[pair[1]], limit, grids[pair], begin, hits[pair])
            for role, masks in present.items():
                masks.append(self._present(role, begin, stop))
            if stop == count or sum(map(len, hits.values())) > _MAX_HITS:
                yield self._joined(hits, present, first)
                first = stop
                hits, present = self._nothing()

    def _grids(self, limits: dict[Pair, float]) -> dict[Pair, Grids]:
        return {
            pair: place_grids(self._parties[pair[0]], self._parties[pair[1]], limit) for pair, limit in limits.items()
        }

    def _nothing(self) -> tuple[dict[Pair, Hits], dict[int, list[Mask]]]:
        return {pair: Hits() for pair in self._plan.limits}, {role: [] for role in self._watched}

    def _scenes(self, begin: int, stop: int) -> list[Scene]:
        scenes: list[Scene] = []
        for role, party in enumerate(self._parties):
            admitted = self._admitted(role, begin, stop)
            alike = (
                scene
                for scene in scenes
                if admitted is None and scene.admitted is None and np.array_equal(scene.party.sources, party.sources)
            )
            scenes.append(next(alike, None) or self._scene(party, admitted, begin, stop))
        return scenes

    def _scene(self, party: Party, admitted: Mask | None, begin: int, stop: int) -> Scene:
        moving = party.sources[party.moving]
        # single precision would lose what is nearest
        lat, lon = (
            part[:, begin:stop][moving].astype(np.float64, copy=False) for part in (self._lat, self._lon)
        )  # fmt: skip
        return Scene(party, lat, lon, admitted)

    def _criteria(self, role: int, begin: int, stop: int) -> Any:
        """Tell when the hemisphere and the metadata of a role are as asked for; true where nothing is asked."""
        block = self._plan.roles[role].block
        if not block_variables(block):
            return np.True_
        return block_mask(self._asked.isel(epoch=slice(begin, stop)), self._parties[role].sources, block)

    def _admitted(self, role: int, begin: int, stop: int) -> Mask | None:
        party, criteria = self._parties[role], self._criteria(role, begin, stop)
        if criteria is np.True_ and not party.gaps:
            return None
        admitted = np.broadcast_to(criteria, (len(party.sources), stop - begin))
        if party.gaps:
            admitted = admitted.copy()
            admitted[party.still] &= self._has_location(party.sources[party.still], begin, stop)
        return admitted

    def _present(self, role: int, begin: int, stop: int) -> Mask:
        criteria = self._criteria(role, begin, stop)
        present: Mask = self._has_location(self._parties[role].sources, begin, stop) & criteria
        return present

    def _has_location(self, sources: Ints, begin: int, stop: int) -> Mask:
        listed = sources < len(self._lat)
        found = np.repeat(self._extents.known[sources][:, None], stop - begin, axis=1)
        found[listed] = ~np.isnan(self._lat[:, begin:stop][sources[listed]])
        return found

    def _joined(self, hits: dict[Pair, Hits], present: dict[int, list[Mask]], first: int) -> Found:
        plan, size, count = self._plan, len(self._plan.table), len(self._epochs)
        seen = {
            role: runs_of_presence(self._parties[role].sources, np.concatenate(masks, axis=1), first)
            for role, masks in present.items()
        }
        runs: dict[Pair, Runs] = {}
        for pair, limit in plan.limits.items():
            one, other = (self._parties[role] for role in pair)
            runs[pair] = runs_of_hits(hits[pair], one, other, size)
            if pair in self._still:
                still = runs_of_places(one, other, limit, (seen[pair[0]], seen[pair[1]]), size, count)
                runs[pair] = runs[pair].joined(still)
        free = [(role, seen[role]) for role in plan.isolated]
        rows = join_runs(runs, free, [role.sources for role in plan.roles], size, count)
        return sum_up(self._kind, rows, runs, self._epochs)
