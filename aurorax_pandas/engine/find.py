"""Conjunctions found on this machine, in any ephemeris, by the service's rules."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Unpack

import numpy as np
import pandas as pd

from aurorax_pandas.checks import suggestion
from aurorax_pandas.engine.joining import join_hits
from aurorax_pandas.engine.matching import block_mask, block_variables, matching_sources, named_sources, values_at
from aurorax_pandas.engine.proximity import Floats, Hits, Ints, Positions, find_near
from aurorax_pandas.ephemeris.coverage import check_window, holdings
from aurorax_pandas.ephemeris.dataset import (
    LOCATIONS,
    NO_IDENTIFIER,
    check_ephemeris,
    check_locations,
    densify,
    ephemeris_provenance,
    source_table,
    step_of_epochs,
)
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.stitch import stitch
from aurorax_pandas.query.query import Query, QueryArguments, block_names
from aurorax_pandas.signatures import showing
from aurorax_pandas.sources import SPACECRAFT

if TYPE_CHECKING:
    import xarray as xr

_BLOCK: Final = 8_192
_MAX_HITS: Final = 3_000_000
_EVERYWHERE: Final = 21_000.0
_SUBMINUTE: Final = np.timedelta64(30, "s")


@typed
@showing(Query.from_arguments)
def find_conjunctions(
    ephemeris: xr.Dataset,
    start: Any = None,
    end: Any = None,
    distance: float | Mapping[str, float | None] | None = None,
    **arguments: Unpack[QueryArguments],
) -> pd.DataFrame:
    """
    Find conjunctions in an ephemeris, without the service and by its rules.

    At each epoch of the Dataset in the window, locations of one source from each criteria block are compared:
    great-circle distances on a sphere of radius 6371 km, latitudes as they are. Consecutive epochs at which every pair
    of blocks is within its distance are one conjunction. A source without a location (NaN) is in none.

    Parameters
    ----------
    ephemeris : xarray.Dataset
        Who is where; see `check_ephemeris`. A chunked one (Dask) is read chunk by chunk, in parallel.
    start, end : anything that `pandas.Timestamp` takes, optional
        Window, inclusive, UTC; by default all of the ephemeris.
    distance : float or dict
        Largest distance [km] for every pair of blocks, or a dict of pairs; None means no limit.
    ground, space, events, custom_locations : criteria block, dict, or sequence of them
        Who takes part, as in `read_aurorax_conjunctions`. Metadata filters read variables of the Dataset.
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, optional
        Which locations are compared; by default ``"nbtrace"``. A finished query has its own.
    subminute_precision : bool, optional
        Whether locations are interpolated on the sphere to epochs every 30 s.
    query : dict, str or pathlib.Path, optional
        A finished query in place of all the above.

    Returns
    -------
    pandas.DataFrame
        The frame of `read_aurorax_conjunctions`, checked. ``events`` holds the pairs that have a limit. With three and
        more blocks the distance at an epoch is that of the widest of these pairs. That is a convention: the service
        does not say what its distance of three and more sources is, and one published search contradicts it. The
        events have the distances of each pair. Sources that meet in more than one role meet once.

    Raises
    ------
    AuroraxInputError
        If an argument, a name, a metadata variable or a trace is not there, or the ephemeris is not sound.
    AuroraxDataError
        If the ephemeris has no epoch in the window, or no source for a criteria block.

    Warns
    -----
    AuroraxDataWarning
        If a part of the window is outside the ephemeris, a spacecraft has no position at some of its epochs, or a name
        has no source while others of its block have one.

    Examples
    --------
    >>> import aurorax_pandas
    >>> sample = aurorax_pandas.load_sample_ephemeris()
    >>> df = aurorax_pandas.find_conjunctions(sample, "2020-01-01", "2020-01-01T06:59:59", 500,
    ...                                       ground={"programs": "themis-asi"}, space={"programs": "swarm"})
    >>> len(df)
    49
    """
    check_ephemeris(ephemeris)
    if arguments.get("query") is None:
        epochs = ephemeris["epoch"].values
        if len(epochs) == 0:
            raise AuroraxInputError("ephemeris: there are no epochs")
        # queries are in whole seconds
        start = epochs[0].astype("M8[s]") if start is None else start
        end = pd.Timestamp(epochs[-1]).ceil("s") if end is None else end
    payload = Query.from_arguments(start, end, distance, **arguments).payload
    plan = _plan(ephemeris, payload, lenient=True)
    _variables(ephemeris, plan)
    craft = np.unique(np.concatenate([role.sources for role in plan.roles]))
    craft = craft[np.isin(plan.table["source_type"].to_numpy(object)[craft], SPACECRAFT)]
    check_window(
        "find_conjunctions",
        ephemeris,
        plan.window.start,
        plan.window.stop,
        unmatched=plan.unmatched,
        craft=craft,
        between=plan.subminute,
    )
    return _searched(ephemeris, payload, plan)


def search_ephemeris(ephemeris: xr.Dataset, query: dict[str, Any]) -> pd.DataFrame:
    """Return the conjunctions of a query in an ephemeris, as `find_conjunctions`, which also checks what it covers."""
    return _searched(ephemeris, query, _plan(ephemeris, query))


def _searched(ephemeris: xr.Dataset, payload: dict[str, Any], plan: _Plan) -> pd.DataFrame:
    from aurorax_pandas.frame.validation import check_kind

    found = _run(ephemeris, plan)
    made = provenance.make_provenance(query=payload)
    step = min(step_of_epochs(ephemeris["epoch"].values), _SUBMINUTE) if plan.subminute else None
    found.attrs[provenance.KEY] = made | ephemeris_provenance(ephemeris, plan.window, step)
    return check_kind(found, "conjunctions")


@dataclass(frozen=True)
class _Role:
    """A criteria block of a search: the sources that can fill it, by their position in the search's table."""

    name: str
    sources: Ints
    block: Mapping[str, Any]


@dataclass(frozen=True)
class _Plan:
    """A search on an ephemeris: its table of sources, its roles, and the limit of each pair of roles [km]."""

    table: pd.DataFrame
    places: Floats
    roles: list[_Role]
    limits: dict[tuple[int, int], float]
    types: list[str]
    subminute: bool
    window: slice
    #: Names of blocks that none of their sources has.
    unmatched: list[str]


def check_searchable(ephemeris: xr.Dataset, query: dict[str, Any]) -> None:
    """Raise where a search of this query would be refused, without searching."""
    _variables(ephemeris, _plan(ephemeris, query))


def _run(ephemeris: xr.Dataset, plan: _Plan) -> pd.DataFrame:
    epochs = ephemeris["epoch"].values.astype("M8[us]")
    first = int(np.searchsorted(epochs, plan.window.start))
    last = int(np.searchsorted(epochs, plan.window.stop, side="right"))
    if plan.subminute:
        # what lies between epochs is interpolated from those around it
        first, last = max(first - 1, 0), last + 1
    names = _variables(ephemeris, plan)
    window = ephemeris[[*names, *model.SOURCE_FIELDS]].isel(epoch=slice(first, last))
    own = step_of_epochs(epochs)
    step = min(own, _SUBMINUTE) if plan.subminute else own
    pieces = list(_found_pieces(window, plan)) if not window.chunks else _chunked_pieces(window, plan)
    pieces = [piece for piece in pieces if len(piece)]
    if not pieces:
        return model.empty_conjunctions()
    return stitch(pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0], pd.Timedelta(step))


def _chunked_pieces(window: xr.Dataset, plan: _Plan) -> list[pd.DataFrame]:
    from dask.base import compute
    from dask.delayed import delayed

    edges = np.cumsum([0, *window.chunksizes["epoch"]])
    parts = []
    for begin, stop in itertools.pairwise(edges):
        # interpolation needs the first epoch of the next chunk; stitching takes the overlap away
        part = window.isel(epoch=slice(int(begin), int(stop) + int(plan.subminute)))
        parts.append(delayed(_piece)(part, plan))
    return list(compute(*parts))


def _piece(window: xr.Dataset, plan: _Plan) -> pd.DataFrame:
    pieces = [piece for piece in _found_pieces(window, plan) if len(piece)]
    return pd.concat(pieces, ignore_index=True) if pieces else model.empty_conjunctions()


def _plan(ephemeris: xr.Dataset, payload: dict[str, Any], lenient: bool = False) -> _Plan:
    """Make the plan of a search; a lenient one takes names without a source where others of the block have one."""
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
            else:
                if lenient:
                    sources, without = named_sources(table, block, kind, holdings(ephemeris))
                    unmatched += without
                else:
                    sources = matching_sources(table, block, kind)
            roles.append(_Role(next(names), sources, block))
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
    return _Plan(
        pd.concat([table, custom], ignore_index=True) if places else table,
        np.array(places, np.float64).reshape(-1, 2),
        roles,
        limits,
        payload["conjunction_types"],
        bool(payload.get("subminute_precision")),
        slice(np.datetime64(payload["start"], "us"), np.datetime64(payload["end"], "us")),
        unmatched,
    )


def _variables(ephemeris: xr.Dataset, plan: _Plan) -> list[str]:
    """Name the variables that a search reads; raise where one is not there."""
    names: list[str] = []
    for kind in plan.types:
        prefix = LOCATIONS[kind]
        if f"{prefix}_lat" not in ephemeris:
            raise AuroraxInputError(f"conjunction_types: {kind!r} needs {prefix}_lat and {prefix}_lon in the ephemeris")
        names += [f"{prefix}_lat", f"{prefix}_lon"]
        for role in plan.roles:
            if not _has_locations(ephemeris, plan, role, prefix):
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


def _has_locations(ephemeris: xr.Dataset, plan: _Plan, role: _Role, prefix: str) -> bool:
    count = ephemeris.sizes["source"]
    known = role.sources[role.sources < count]
    if len(known):
        return bool(ephemeris[f"{prefix}_lat"].isel(source=known).notnull().any())
    return bool(np.isfinite(_place_latitudes(plan.places[role.sources - count, 0], prefix)).any())


def _place_latitudes(lat: Floats, prefix: str) -> Floats:
    # a place on the ground has a trace in its own hemisphere alone, at the place itself
    own = {"nbtrace": lat >= 0, "sbtrace": lat < 0}.get(prefix, np.ones(len(lat), bool))
    return np.where(own, lat, np.nan)


def _found_pieces(window: xr.Dataset, plan: _Plan) -> Iterator[pd.DataFrame]:
    """Search block by block; a piece holds the conjunctions of as many blocks as have not too many hits."""
    if plan.subminute:
        window = densify(window, _SUBMINUTE).sel(epoch=plan.window)
    epochs = window["epoch"].values.astype("M8[us]")
    sources = [role.sources for role in plan.roles]
    isolated = sorted(set(range(len(plan.roles))) - set(itertools.chain(*plan.limits)))
    for kind in plan.types:
        hits = {pair: Hits() for pair in plan.limits}
        spells: dict[int, list[tuple[Ints, Ints]]] = {role: [] for role in isolated}
        for begin in range(0, len(epochs), _BLOCK):
            block = window.isel(epoch=slice(begin, begin + _BLOCK))
            positions = [_positions_of_role(block, plan, role, LOCATIONS[kind]) for role in plan.roles]
            for (one, other), limit in plan.limits.items():
                find_near(positions[one], positions[other], limit, begin, hits[one, other])
            for role in isolated:
                row, column = np.nonzero(positions[role].present)
                spells[role].append((positions[role].sources[row], column + begin))
            if begin + _BLOCK >= len(epochs) or sum(map(len, hits.values())) > _MAX_HITS:
                yield join_hits(kind, hits, spells, sources, plan.table, epochs)
                hits = {pair: Hits() for pair in plan.limits}
                spells = {role: [] for role in isolated}


def _positions_of_role(block: xr.Dataset, plan: _Plan, role: _Role, prefix: str) -> Positions:
    count = block.sizes["source"]
    if role.sources[0] >= count:
        places = plan.places[role.sources - count]
        shape = (len(places), block.sizes["epoch"])
        lat = np.broadcast_to(_place_latitudes(places[:, 0], prefix)[:, None], shape)
        lon = np.broadcast_to(places[:, 1, None], shape)
        present = np.isfinite(lat)
    else:
        # single precision would lose what is nearest
        lat, lon = (
            values_at(block, f"{prefix}_{part}", role.sources).astype(np.float64, copy=False) for part in ("lat", "lon")
        )
        present = check_locations(lat, lon, prefix)
    row = np.arange(len(lat))
    first = present.argmax(axis=1)
    still = (lat == lat[row, first][:, None]) & (lon == lon[row, first][:, None])
    fixed = (still | ~present).all(axis=1)
    present &= block_mask(block, role.sources, role.block)
    return Positions(role.sources, lat, lon, present, fixed)
