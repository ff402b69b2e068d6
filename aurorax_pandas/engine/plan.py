"""A search on an ephemeris: who takes part in which role, within which distances, and what it reads."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.checks import suggestion
from aurorax_pandas.engine.matching import block_variables, matching_sources, named_sources
from aurorax_pandas.engine.proximity import Floats, Ints
from aurorax_pandas.ephemeris.coverage import holdings
from aurorax_pandas.ephemeris.dataset import LOCATIONS, NO_IDENTIFIER, source_table
from aurorax_pandas.ephemeris.extents import Extents
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.query.query import block_names

if TYPE_CHECKING:
    import xarray as xr

_EVERYWHERE: Final = 21_000.0


@dataclass(frozen=True)
class Role:
    """A criteria block of a search: the sources that can fill it, by their position in the search's table."""

    name: str
    sources: Ints
    block: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """
    A search on an ephemeris.

    Parameters
    ----------
    table : pandas.DataFrame
        The sources of the ephemeris, then the search's own places.
    places : ndarray of float64, shape (place, 2)
        Where the search's own places are [degrees].
    roles : list of Role
        Who takes part.
    limits : dict of (int, int) to float
        The largest distance of each pair of roles that has one [km].
    types : list of str
        The conjunction types.
    subminute : bool
        Whether locations are interpolated to half-minutes.
    window : slice of datetime64
        First and last instant.
    unmatched : list of str
        Names of blocks that none of their sources has.
    continuous : bool
        Whether conjunctions begin and end between epochs.
    geodetic : bool
        Whether geodetic latitudes are compared.
    """

    table: pd.DataFrame
    places: Floats
    roles: list[Role]
    limits: dict[tuple[int, int], float]
    types: list[str]
    subminute: bool
    window: slice
    unmatched: list[str]
    continuous: bool = False
    geodetic: bool = False

    @property
    def interpolates(self) -> bool:
        """Whether locations between epochs are compared."""
        return self.subminute or self.continuous

    @property
    def isolated(self) -> list[int]:
        """The roles that are in no pair with a limit."""
        return sorted(set(range(len(self.roles))) - set(itertools.chain(*self.limits)))

    @property
    def once(self) -> bool:
        """Whether no data source can take part in two roles, or twice in one."""
        taking = self.table.iloc[np.concatenate([role.sources for role in self.roles])]
        return not taking[["identifier", "display_name"]].astype(str).duplicated().any()

    def extents(self, measured: Extents, kind: str) -> Extents:
        """Return how far the locations of a type reach, of the sources of the ephemeris and the search's own places."""
        lat, lon = place_latitudes(self.places[:, 0], LOCATIONS[kind]), self.places[:, 1]
        return measured.followed_by(Extents(lat, lat, lon, lon, np.zeros(len(lat), bool)))


def check_searchable(ephemeris: xr.Dataset, query: dict[str, Any]) -> None:
    """Raise where a search of this query would be refused, without searching."""
    variables_of(ephemeris, make_plan(ephemeris, query), {})


def make_plan(ephemeris: xr.Dataset, payload: dict[str, Any], *, lenient: bool = False) -> Plan:
    """
    Return the plan of a query; raise where the ephemeris has not what it names.

    A lenient one takes names without a source where others of the block have one.
    """
    table = source_table(ephemeris)
    count = len(table)
    places: list[tuple[float, float]] = []
    roles = []
    unmatched: list[str] = []
    groups = {name: payload[name] for name in ("ground", "space", "events", "adhoc")}
    names = iter(block_names(*map(len, groups.values())))
    for kind, blocks in groups.items():
        for block in blocks:
            if kind == "adhoc":
                sources = np.arange(len(places), len(places) + len(block["locations"])) + count
                places += [(place["lat"], place["lon"]) for place in block["locations"]]
            elif lenient:
                sources, without = named_sources(table, block, kind, holdings(ephemeris))
                unmatched += without
            else:
                sources = matching_sources(table, block, kind)
            roles.append(Role(next(names), sources, block))
    labels = [f"({lat}, {lon})" for lat, lon in places]
    custom = pd.DataFrame({
        "identifier": NO_IDENTIFIER, "program": "custom", "platform": labels, "instrument_type": "custom location",
        "source_type": "not_applicable", "display_name": labels,
    }, index=range(len(places)))  # fmt: skip
    distances = list(payload["max_distances"].values())
    pairs = list(itertools.combinations(range(len(roles)), 2))
    limits = {pair: float(limit) for pair, limit in zip(pairs, distances, strict=True) if limit is not None}
    # without any limit every pair counts, wherever its sources are
    limits = limits or dict.fromkeys(pairs, _EVERYWHERE)
    return Plan(
        pd.concat([table, custom], ignore_index=True) if places else table,
        np.array(places, np.float64).reshape(-1, 2),
        roles,
        limits,
        payload["conjunction_types"],
        bool(payload.get("subminute_precision")),
        slice(np.datetime64(payload["start"], "us"), np.datetime64(payload["end"], "us")),
        unmatched,
    )


def variables_of(ephemeris: xr.Dataset, plan: Plan, measured: Mapping[str, Extents]) -> list[str]:
    """Name the variables that a search reads, or raise where one is not there, or a role without any location."""
    names: list[str] = []
    for kind in plan.types:
        prefix = LOCATIONS[kind]
        if f"{prefix}_lat" not in ephemeris:
            raise AuroraxInputError(f"conjunction_types: {kind!r} needs {prefix}_lat and {prefix}_lon in the ephemeris")
        names += [f"{prefix}_lat", f"{prefix}_lon"]
        for role in plan.roles:
            if not _has_locations(ephemeris, plan, role, prefix, measured.get(prefix)):
                raise AuroraxInputError(
                    f"conjunction_types: no source of {role.name} has a {kind} location in the ephemeris; "
                    "leave the type or the block out"
                )
    names += [name for role in plan.roles for name in block_variables(role.block)]
    for name in names:
        if name not in ephemeris.data_vars:
            known = [str(known) for known in ephemeris.data_vars]
            raise AuroraxInputError(f"ephemeris: there is no variable {name!r}; {suggestion(name, known)}")
    return list(dict.fromkeys(names))


def _has_locations(ephemeris: xr.Dataset, plan: Plan, role: Role, prefix: str, measured: Extents | None) -> bool:
    count = ephemeris.sizes["source"]
    known = role.sources[role.sources < count]
    if len(known) and measured is not None:
        return bool(measured.known[known].any())
    if len(known):
        return bool(ephemeris[f"{prefix}_lat"].isel(source=known).notnull().any())
    return bool(np.isfinite(place_latitudes(plan.places[role.sources - count, 0], prefix)).any())


def place_latitudes(lat: Floats, prefix: str) -> Floats:
    """Return the latitudes of places [degrees], NaN where they have no location of a type."""
    # a place on the ground has a trace in its own hemisphere alone, at the place itself
    own = {"nbtrace": lat >= 0, "sbtrace": lat < 0}.get(prefix, np.ones(len(lat), bool))
    return np.where(own, lat, np.nan)
