"""Conjunctions found on this machine, in any ephemeris, by the service's rules."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas import criteria, model, provenance, queries, sphere
from aurorax_pandas.ephemeris import LOCATIONS, NO_IDENTIFIER, check_ephemeris, check_locations, densify, source_table
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.matching import block_mask, block_variables, matching_sources, values_at
from aurorax_pandas.transforms.stitch import stitch

if TYPE_CHECKING:
    import xarray as xr

_BLOCK: Final = 8_192
_MAX_HITS: Final = 3_000_000
_EVERYWHERE: Final = 21_000.0
_SUBMINUTE: Final = np.timedelta64(30, "s")

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


def find_conjunctions(
    ephemeris: xr.Dataset,
    start: Any = None,
    end: Any = None,
    distance: float | Mapping[str, float | None] | None = None,
    *,
    ground: criteria.GroundBlocks = (),
    space: criteria.SpaceBlocks = (),
    events: criteria.EventsBlocks = (),
    custom_locations: criteria.CustomLocationsBlocks = (),
    conjunction_types: str | Sequence[str] = ("nbtrace",),
    subminute_precision: bool | None = None,
    query: Mapping[str, Any] | str | Path | None = None,
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
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, default ("nbtrace",)
        Which locations are compared.
    subminute_precision : bool, optional
        Whether locations are interpolated on the sphere to epochs every 30 s.
    query : dict, str or pathlib.Path, optional
        A finished query in place of all the above.

    Returns
    -------
    pandas.DataFrame
        The frame of `read_aurorax_conjunctions`, checked. ``events`` holds the pairs that have a limit. The
        distance at an epoch is that of the widest of these; this is our reading of the service's published numbers
        for three and more sources, which do not settle it. Sources that meet in more than one role meet once.

    Raises
    ------
    AuroraxInputError
        If an argument, a source, a metadata variable or a trace is not there, or the ephemeris is not sound.

    Examples
    --------
    >>> import aurorax_pandas
    >>> sample = aurorax_pandas.load_sample_ephemeris()
    >>> df = aurorax_pandas.find_conjunctions(sample, "2020-01-01", "2020-01-01T06:59:59", 500,
    ...                                       ground={"programs": "themis-asi"}, space={"programs": "swarm"})
    >>> len(df)
    49
    """
    from aurorax_pandas import schemas

    check_ephemeris(ephemeris)
    epochs = ephemeris["epoch"].values
    if query is None and len(epochs) == 0:
        raise AuroraxInputError("ephemeris: there are no epochs")
    payload = queries.choose_query(
        epochs[0] if start is None and query is None else start,
        epochs[-1] if end is None and query is None else end,
        distance,
        ground=ground,
        space=space,
        events=events,
        custom_locations=custom_locations,
        conjunction_types=conjunction_types,
        subminute_precision=subminute_precision,
        query=query,
    )
    found = _run(ephemeris, payload)
    found.attrs[provenance.KEY] = provenance.make_provenance(query=payload)
    return schemas.validate(found, schemas.ConjunctionSchema)


@dataclass(frozen=True)
class _Role:
    """A criteria block of a search: the sources that can fill it, by their position in the search's table."""

    name: str
    sources: _Ints
    block: Mapping[str, Any]


@dataclass(frozen=True)
class _Plan:
    """A search on an ephemeris: its table of sources, its roles, and the limit of each pair of roles [km]."""

    table: pd.DataFrame
    places: _Floats
    roles: list[_Role]
    limits: dict[tuple[int, int], float]
    types: list[str]
    subminute: bool


@dataclass(frozen=True)
class _Tracks:
    """Where the sources of a role are in a block of epochs; rows are sources, columns epochs."""

    sources: _Ints
    lat: _Floats
    lon: _Floats
    present: _Mask
    fixed: _Mask


@dataclass
class _Hits:
    """Epochs at which the sources of a pair of roles are within its limit, gathered block by block."""

    first: list[_Ints] = field(default_factory=list)
    second: list[_Ints] = field(default_factory=list)
    epoch: list[_Ints] = field(default_factory=list)
    distance: list[_Floats] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.epoch))


def check_searchable(ephemeris: xr.Dataset, query: dict[str, Any]) -> None:
    """Raise where a search of this query would be refused, without searching."""
    _variables(ephemeris, _plan(ephemeris, query))


def _run(ephemeris: xr.Dataset, payload: dict[str, Any]) -> pd.DataFrame:
    plan = _plan(ephemeris, payload)
    epochs = ephemeris["epoch"].values.astype("M8[us]")
    first = int(np.searchsorted(epochs, np.datetime64(payload["start"], "us")))
    last = int(np.searchsorted(epochs, np.datetime64(payload["end"], "us"), side="right"))
    names = _variables(ephemeris, plan)
    window = ephemeris[[*names, *model.SOURCE_FIELDS]].isel(epoch=slice(first, last))
    own = epochs[1] - epochs[0] if len(epochs) > 1 else np.timedelta64(60, "s")
    step = min(own, _SUBMINUTE) if plan.subminute else own
    pieces = list(_pieces(window, plan)) if not window.chunks else _chunked_pieces(window, plan)
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
    pieces = [piece for piece in _pieces(window, plan) if len(piece)]
    return pd.concat(pieces, ignore_index=True) if pieces else model.empty_conjunctions()


def _plan(ephemeris: xr.Dataset, payload: dict[str, Any]) -> _Plan:
    table = source_table(ephemeris)
    count = len(table)
    places: list[tuple[float, float]] = []
    roles = []
    groups = {name: payload[name] for name in ("ground", "space", "events", "adhoc")}
    names = iter(queries.block_names(*map(len, groups.values())))
    for kind, blocks in groups.items():
        for block in blocks:
            if kind == "adhoc":
                sources = np.arange(len(places), len(places) + len(block["locations"])) + count
                places += [(place["lat"], place["lon"]) for place in block["locations"]]
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
            raise AuroraxInputError(f"ephemeris: there is no variable {name!r}; {criteria.suggestion(name, known)}")
    return list(dict.fromkeys(names))


def _has_locations(ephemeris: xr.Dataset, plan: _Plan, role: _Role, prefix: str) -> bool:
    count = ephemeris.sizes["source"]
    known = role.sources[role.sources < count]
    if len(known):
        return bool(ephemeris[f"{prefix}_lat"].isel(source=known).notnull().any())
    return bool(np.isfinite(_place_latitudes(plan.places[role.sources - count, 0], prefix)).any())


def _place_latitudes(lat: _Floats, prefix: str) -> _Floats:
    # a place on the ground has a trace in its own hemisphere alone, at the place itself
    own = {"nbtrace": lat >= 0, "sbtrace": lat < 0}.get(prefix, np.ones(len(lat), bool))
    return np.where(own, lat, np.nan)


def _pieces(window: xr.Dataset, plan: _Plan) -> Iterator[pd.DataFrame]:
    """Search block by block; a piece holds the conjunctions of as many blocks as have not too many hits."""
    if plan.subminute:
        window = densify(window, _SUBMINUTE)
    epochs = window["epoch"].values.astype("M8[us]")
    isolated = sorted(set(range(len(plan.roles))) - set(itertools.chain(*plan.limits)))
    for kind in plan.types:
        hits = {pair: _Hits() for pair in plan.limits}
        spells: dict[int, list[tuple[_Ints, _Ints]]] = {role: [] for role in isolated}
        for begin in range(0, len(epochs), _BLOCK):
            block = window.isel(epoch=slice(begin, begin + _BLOCK))
            tracks = [_tracks(block, plan, role, LOCATIONS[kind]) for role in plan.roles]
            for (one, other), limit in plan.limits.items():
                _find(tracks[one], tracks[other], limit, begin, hits[one, other])
            for role in isolated:
                row, column = np.nonzero(tracks[role].present)
                spells[role].append((tracks[role].sources[row], column + begin))
            if begin + _BLOCK >= len(epochs) or sum(map(len, hits.values())) > _MAX_HITS:
                yield _conjunctions(kind, hits, spells, plan, epochs)
                hits = {pair: _Hits() for pair in plan.limits}
                spells = {role: [] for role in isolated}


def _tracks(block: xr.Dataset, plan: _Plan, role: _Role, prefix: str) -> _Tracks:
    count = block.sizes["source"]
    if role.sources[0] >= count:
        places = plan.places[role.sources - count]
        shape = (len(places), block.sizes["epoch"])
        lat = np.broadcast_to(_place_latitudes(places[:, 0], prefix)[:, None], shape)
        lon = np.broadcast_to(places[:, 1, None], shape)
        present = np.isfinite(lat)
    else:
        lat, lon = (values_at(block, f"{prefix}_{part}", role.sources) for part in ("lat", "lon"))
        present = check_locations(lat, lon, prefix)
    row = np.arange(len(lat))
    first = present.argmax(axis=1)
    still = (lat == lat[row, first][:, None]) & (lon == lon[row, first][:, None])
    fixed = (still | ~present).all(axis=1)
    present &= block_mask(block, role.sources, role.block)
    return _Tracks(role.sources, lat, lon, present, fixed)


def _find(one: _Tracks, other: _Tracks, limit: float, begin: int, hits: _Hits) -> None:
    """Add the epochs of a block at which sources of two roles are within a limit."""
    for first, second, turned in _sides(one, other):
        row, column, epoch = _near(first, second, limit)
        if turned:
            row, column = column, row
        keep = one.present[row, epoch] & other.present[column, epoch] & (one.sources[row] != other.sources[column])
        row, column, epoch = row[keep], column[keep], epoch[keep]
        distance = sphere.great_circle_distance(
            one.lat[row, epoch], one.lon[row, epoch], other.lat[column, epoch], other.lon[column, epoch]
        )
        inside = distance <= limit
        hits.first.append(one.sources[row[inside]])
        hits.second.append(other.sources[column[inside]])
        hits.epoch.append(epoch[inside] + begin)
        hits.distance.append(distance[inside])


@dataclass(frozen=True)
class _Side:
    """Some rows of the tracks of a role, all fixed or all moving."""

    tracks: _Tracks
    rows: _Ints
    fixed: bool


def _sides(one: _Tracks, other: _Tracks) -> Iterator[tuple[_Side, _Side, bool]]:
    """Split a pair of roles by what moves; the fixed side comes first, and the last item says if that turned them."""
    for fixed_one, fixed_other in itertools.product((True, False), repeat=2):
        first, second = _side(one, fixed_one), _side(other, fixed_other)
        if len(first.rows) and len(second.rows):
            turned = fixed_other and not fixed_one
            yield (second, first, True) if turned else (first, second, False)


def _side(tracks: _Tracks, fixed: bool) -> _Side:
    return _Side(tracks, np.flatnonzero((tracks.fixed == fixed) & tracks.present.any(axis=1)), fixed)


def _near(one: _Side, other: _Side, limit: float) -> tuple[_Ints, _Ints, _Ints]:
    """Give rows of both sides and epochs that may be within a limit, and surely all that are."""
    epochs = one.tracks.lat.shape[1]
    cosine = np.cos(min(limit / sphere.EARTH_RADIUS, np.pi)) - 1e-12
    if not one.fixed:
        found = [_near_moving(one, row, other, cosine) for row in one.rows]
        return tuple(np.concatenate(each) for each in zip(*found, strict=True))  # type: ignore[return-value]
    at = one.tracks.present[one.rows].argmax(axis=1)
    lat, lon = one.tracks.lat[one.rows, at], one.tracks.lon[one.rows, at]
    if other.fixed:
        at = other.tracks.present[other.rows].argmax(axis=1)
        theirs = sphere.unit_vectors(other.tracks.lat[other.rows, at], other.tracks.lon[other.rows, at])
        row, column = np.nonzero(sphere.unit_vectors(lat, lon).T @ theirs >= cosine)
        epoch = np.tile(np.arange(epochs), len(row))
        return one.rows[np.repeat(row, epochs)], other.rows[np.repeat(column, epochs)], epoch
    # nothing outside the band of latitudes around the fixed places can be near: most of an orbit is not computed
    reach = np.degrees(min(limit / sphere.EARTH_RADIUS, np.pi)) + 1e-6
    their_lat = other.tracks.lat[other.rows].ravel()
    band = np.flatnonzero((their_lat >= lat.min() - reach) & (their_lat <= lat.max() + reach))
    theirs = sphere.unit_vectors(their_lat[band], other.tracks.lon[other.rows].ravel()[band])
    hit = np.flatnonzero(sphere.unit_vectors(lat, lon).T @ theirs >= cosine)
    row, where = np.divmod(hit, max(len(band), 1))
    column, epoch = np.divmod(band[where], epochs)
    return one.rows[row], other.rows[column], epoch


def _near_moving(one: _Side, row: int, other: _Side, cosine: float) -> tuple[_Ints, _Ints, _Ints]:
    mine = sphere.unit_vectors(one.tracks.lat[row], one.tracks.lon[row])
    theirs = sphere.unit_vectors(other.tracks.lat[other.rows], other.tracks.lon[other.rows])
    column, epoch = np.nonzero((mine[:, None, :] * theirs).sum(axis=0) >= cosine)
    return np.full(len(column), row), other.rows[column], epoch


@dataclass
class _Spans:
    """
    Runs of consecutive epochs, disjoint for each key and sorted by key, then start.

    ``key`` numbers a source or a pair of them; ``base`` is where the distances of a run stand, less its start.
    """

    key: _Ints
    start: _Ints
    end: _Ints
    base: _Ints
    distance: _Floats

    def overlapping(self, key: _Ints, start: _Ints, end: _Ints, epochs: int) -> tuple[_Ints, _Ints]:
        """Give the pairs of positions (of what is asked for, of a run) that overlap and have the same key."""
        first = np.searchsorted(self.key * epochs + self.end, key * epochs + start)
        stop = np.searchsorted(self.key * epochs + self.start, key * epochs + end, side="right")
        count = np.maximum(stop - first, 0)
        asked = np.repeat(np.arange(len(key)), count)
        run = np.arange(len(asked)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        return asked, run


def _spans(key: _Ints, epoch: _Ints, distance: _Floats | None = None) -> _Spans:
    order = np.lexsort((epoch, key))
    key, epoch = key[order], epoch[order]
    begins = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]) | (epoch[1:] != epoch[:-1] + 1)][: len(key)])
    ends = np.r_[begins[1:], len(key)][: len(begins)] - 1
    return _Spans(
        key[begins],
        epoch[begins],
        epoch[ends],
        begins - epoch[begins],
        np.array([]) if distance is None else distance[order],
    )


@dataclass
class _Rows:
    """Combinations of sources, one for each role joined so far, and the epochs that they have in common."""

    sources: dict[int, _Ints]
    start: _Ints
    end: _Ints
    base: dict[tuple[int, int], _Ints]

    def take(self, positions: _Ints) -> _Rows:
        """Give some of the rows."""
        return _Rows(
            {role: codes[positions] for role, codes in self.sources.items()},
            self.start[positions],
            self.end[positions],
            {pair: base[positions] for pair, base in self.base.items()},
        )

    def joined(self, spans: _Spans, key: _Ints, epochs: int, pair: tuple[int, int] | None) -> _Rows:
        """Give the rows cut down to the runs of their keys, once for each run that overlaps."""
        asked, run = spans.overlapping(key, self.start, self.end, epochs)
        rows = self.take(asked)
        rows.start = np.maximum(rows.start, spans.start[run])
        rows.end = np.minimum(rows.end, spans.end[run])
        if pair is not None:
            rows.base[pair] = spans.base[run]
        return rows

    def crossed(self, role: int, sources: _Ints) -> _Rows:
        """Give every row with every source for one more role, but for those that it has already."""
        rows = self.take(np.repeat(np.arange(len(self.start)), len(sources)))
        codes = np.tile(sources, len(self.start))
        fresh = np.ones(len(codes), bool)
        for taken in rows.sources.values():
            fresh &= taken != codes
        rows.sources[role] = codes
        return rows.take(np.flatnonzero(fresh))


def _conjunctions(
    kind: str,
    hits: dict[tuple[int, int], _Hits],
    spells: dict[int, list[tuple[_Ints, _Ints]]],
    plan: _Plan,
    epochs: npt.NDArray[np.datetime64],
) -> pd.DataFrame:
    """Join the runs of all pairs of roles into conjunctions."""
    size = len(plan.table)
    spans = {}
    for pair, found in hits.items():
        key = np.concatenate(found.first) * size + np.concatenate(found.second)
        spans[pair] = _spans(key, np.concatenate(found.epoch), np.concatenate(found.distance))
    rows = _joined(spans, spells, plan, len(epochs))
    if not len(rows.start):
        return model.empty_conjunctions()
    return _frame(kind, rows, spans, plan, epochs)


def _joined(
    spans: dict[tuple[int, int], _Spans],
    spells: dict[int, list[tuple[_Ints, _Ints]]],
    plan: _Plan,
    epochs: int,
) -> _Rows:
    size = len(plan.table)
    # the rarest pair first: every later join can only cut down what it leaves
    waiting = sorted(spans, key=lambda pair: len(spans[pair].key))
    seed = waiting.pop(0)
    first, second = np.divmod(spans[seed].key, size)
    rows = _Rows({seed[0]: first, seed[1]: second}, spans[seed].start, spans[seed].end, {seed: spans[seed].base})
    while waiting:
        # pairs whose roles both stand only filter, so they come before those that bring a role in
        pair = max(waiting, key=lambda pair: (pair[0] in rows.sources) + (pair[1] in rows.sources))
        waiting.remove(pair)
        for role in pair:
            if role not in rows.sources:
                rows = rows.crossed(role, plan.roles[role].sources)
        rows = rows.joined(spans[pair], rows.sources[pair[0]] * size + rows.sources[pair[1]], epochs, pair)
    for role, present in spells.items():
        source, epoch = (np.concatenate(part) for part in zip(*present, strict=True))
        rows = rows.crossed(role, plan.roles[role].sources)
        rows = rows.joined(_spans(source, epoch), rows.sources[role], epochs, None)
    return rows


def _frame(
    kind: str,
    rows: _Rows,
    spans: dict[tuple[int, int], _Spans],
    plan: _Plan,
    epochs: npt.NDArray[np.datetime64],
) -> pd.DataFrame:
    pairs = sorted(spans)
    roles = range(len(plan.roles))
    count, length = len(rows.start), rows.end - rows.start + 1
    offset = np.cumsum(length) - length
    row = np.repeat(np.arange(count), length)
    epoch = np.arange(len(row)) - np.repeat(offset - rows.start, length)
    by_pair = np.stack([spans[pair].distance[epoch + rows.base[pair][row]] for pair in pairs])
    widest = by_pair.max(axis=0)
    low, high = np.minimum.reduceat(widest, offset), np.maximum.reduceat(widest, offset)
    kind_code = model.CONJUNCTION_TYPES.index(kind)
    start, end = epochs[rows.start], epochs[rows.end]
    column = {
        "conjunction_type": np.full(count, kind_code, np.int8),
        "start": start,
        "end": end,
        "min_distance": low,
        "max_distance": high,
        "closest_epoch": epochs[epoch[_first_where(widest == low[row], row)]],
        "farthest_epoch": epochs[epoch[_first_where(widest == high[row], row)]],
        "source_count": np.full(count, len(roles)),
        "sources": np.stack([rows.sources[role] for role in roles], axis=1).ravel(),
        "event_count": np.full(count, len(pairs)),
        "event_type": np.full(count * len(pairs), kind_code, np.int8),
        "e1": np.stack([rows.sources[one] for one, _ in pairs], axis=1).ravel(),
        "e2": np.stack([rows.sources[other] for _, other in pairs], axis=1).ravel(),
        "event_start": np.repeat(start, len(pairs)),
        "event_end": np.repeat(end, len(pairs)),
        "event_min_distance": np.minimum.reduceat(by_pair, offset, axis=1).T.ravel(),
        "event_max_distance": np.maximum.reduceat(by_pair, offset, axis=1).T.ravel(),
    }
    table = {name: pa.array(plan.table[name].tolist(), arrow_type) for name, arrow_type in model.SOURCE_FIELDS.items()}
    return model.assemble_conjunctions(column, table)


def _first_where(condition: _Mask, row: _Ints) -> _Ints:
    """Give the first position of each row at which a condition holds."""
    found = np.flatnonzero(condition)
    first: _Ints = found[np.flatnonzero(np.r_[True, row[found][1:] != row[found][:-1]])]
    return first
