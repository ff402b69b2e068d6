"""Conjunctions between the epochs: every span in which interpolated locations are within the distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aurorax_pandas import geometry
from aurorax_pandas.engine.assembly import Found
from aurorax_pandas.engine.envelope import widest_of_rows
from aurorax_pandas.engine.joining import Pair, Rows, Runs, join_runs, runs_of_places, runs_of_presence
from aurorax_pandas.engine.plan import Plan
from aurorax_pandas.engine.proximity import Floats, Hits, Ints, Mask, Scene, find_near
from aurorax_pandas.engine.spans import Legs, Spans, Steps, extremes, join_legs, legs_within, span_of_knot
from aurorax_pandas.engine.stage import Stage
from aurorax_pandas.ephemeris.arcs import Way, apart, longest_step
from aurorax_pandas.ephemeris.dataset import LOCATIONS
from aurorax_pandas.ephemeris.extents import Extents
from aurorax_pandas.sources import CONJUNCTION_TYPES, SPACECRAFT
from aurorax_pandas.times import Times

if TYPE_CHECKING:
    import xarray as xr

# epochs that are compared together
_STRETCH: Final = 4_096
_MILLISECOND: Final = np.timedelta64(1, "ms")
_MICROSECOND: Final = np.timedelta64(1, "us")


def unit_of(step: np.timedelta64) -> np.timedelta64:
    """Return the unit that instants between epochs are counted in: it divides the step."""
    return _MILLISECOND if step % _MILLISECOND == np.timedelta64(0, "us") else _MICROSECOND


class Between(Stage):
    """
    The locations of one conjunction type in the window of a search, and between its epochs.

    Parameters
    ----------
    window : xarray.Dataset
        The ephemeris in the window and, where that begins or ends between epochs, one beyond; not chunked.
    plan, kind, measured, asked
        As in `Stage`.
    step : numpy.timedelta64
        The span of time from one epoch to the next.
    """

    def __init__(
        self, window: xr.Dataset, plan: Plan, kind: str, measured: Extents, asked: xr.Dataset, step: np.timedelta64
    ) -> None:
        super().__init__(window, plan, kind, measured, asked)
        self._longest = longest_step(step)
        self._unit = unit_of(step)
        self._units = int(step // self._unit)
        first = self._epochs[0] if len(self._epochs) else plan.window.start
        begin, end = (
            int((edge - first).astype("m8[us]") // self._unit) for edge in (plan.window.start, plan.window.stop)
        )
        self._begin, self._end = max(begin, 0), min(end, (len(self._epochs) - 1) * self._units)
        reach = [self._largest_step(party.sources[party.moving]) / 2 for party in self._parties]
        # who comes within the limit between two epochs is within this of it at the nearer one
        self._wide = {pair: limit + reach[pair[0]] + reach[pair[1]] for pair, limit in plan.limits.items()}

    def between(self) -> Found:
        """Search, and return the conjunctions with instants between epochs."""
        count, grids = len(self._epochs), self._grids(self._wide)
        legs: dict[Pair, list[Legs]] = {pair: [] for pair in self._plan.limits}
        present: dict[int, list[Mask]] = {role: [] for role in self._watched}
        for begin in range(0, max(count - 1, min(count, 1)), _STRETCH):
            # the last epoch of a stretch is the first of the next
            stop = min(begin + _STRETCH + 1, count)
            scenes = self._scenes(begin, stop)
            for pair, limit in self._wide.items():
                hits = Hits()
                find_near(scenes[pair[0]], scenes[pair[1]], limit, grids[pair], begin, hits)
                legs[pair] += self._legs(pair, hits, scenes, begin, stop)
            for role, masks in present.items():
                masks.append(self._present(role, begin, stop if stop == count else stop - 1))
        return self._sum_up(legs, present)

    def _largest_step(self, sources: Ints) -> float:
        """Return the largest step of sources that is no jump [km]."""
        largest = 0.0
        for begin in range(0, len(self._epochs), _STRETCH):
            lat, lon = (part[:, begin : begin + _STRETCH + 1][sources] for part in (self._lat, self._lon))
            places = geometry.unit_vectors(lat.astype(np.float64), lon.astype(np.float64))
            moved = apart(places[..., :-1], places[..., 1:])
            largest = max(largest, float(moved[moved <= self._longest].max(initial=0.0)))
        return largest

    def _places(self, source: Ints, epoch: Ints) -> Floats:
        """Return unit vectors of sources at epochs, NaN where they have no location."""
        listed = source < len(self._lat)
        row = np.where(listed, source, 0)
        lat, lon = (
            np.where(listed, part[row, epoch] if len(part) else np.nan, own[source])
            for part, own in ((self._lat, self._extents.south), (self._lon, self._extents.west))
        )
        return geometry.unit_vectors(lat.astype(np.float64), lon.astype(np.float64))

    def _legs(self, pair: Pair, hits: Hits, scenes: list[Scene], begin: int, stop: int) -> list[Legs]:
        """Return what of a stretch lies within the limit of a pair of roles."""
        one, other = (scenes[role] for role in pair)
        size, limit = len(other.party.sources), self._plan.limits[pair]
        key, at, distance = hits.joined()
        number, epoch = key.astype(np.int64), at.astype(np.int64)
        time = epoch * self._units
        # an epoch counts for itself, whatever is beside it
        alone = np.flatnonzero((distance <= limit) & (time >= self._begin) & (time <= self._end))
        points = Legs(number[alone], time[alone], time[alone], distance[alone], distance[alone])
        count = len(self._epochs)
        ahead, behind = (number * count + epoch)[epoch < stop - 1], (number * count + epoch - 1)[epoch > begin]
        number, epoch = np.divmod(np.unique(np.concatenate([ahead, behind])), count)
        row, column = np.divmod(number, size)
        kept = np.ones(len(number), bool)
        for scene, position in ((one, row), (other, column)):
            if scene.admitted is not None:
                kept &= scene.admitted[position, epoch - begin] & scene.admitted[position, epoch - begin + 1]
        number, epoch, row, column = number[kept], epoch[kept], row[kept], column[kept]
        ends = [
            [self._places(scene.party.sources[position], at) for at in (epoch, epoch + 1)]
            for scene, position in ((one, row), (other, column))
        ]
        moved = np.stack([apart(start, end) for start, end in ends])
        # a field line that jumps has no way
        steady = np.flatnonzero(moved.max(axis=0) <= self._longest)
        first, second = (
            Way.to(start[:, steady], end[:, steady], length[steady])
            for (start, end), length in zip(ends, moved, strict=True)
        )
        number, epoch = number[steady], epoch[steady]
        low, high = (
            ((edge - epoch * self._units) / self._units).clip(0.0, 1.0) for edge in (self._begin, self._end)
        )  # fmt: skip
        steps = Steps(number, epoch, np.full(len(number), limit), low, high)
        return [points, legs_within(steps, first, second, self._units)]

    def _sum_up(self, legs: dict[Pair, list[Legs]], present: dict[int, list[Mask]]) -> Found:
        plan, size, units = self._plan, len(self._plan.table), self._units
        count = len(self._epochs)
        seen = {
            role: self._in_time(runs_of_presence(self._parties[role].sources, np.concatenate(masks, axis=1), 0))
            for role, masks in present.items()
            if masks
        }
        spans, runs = {}, {}
        for pair, limit in plan.limits.items():
            one, other = (self._parties[role] for role in pair)
            pieces = [self._by_source(pair, each) for each in legs[pair]]
            if pair in self._still and seen:
                both = (seen[pair[0]], seen[pair[1]])
                still = runs_of_places(one, other, limit, both, size, count * units)
                apart_always = still.distance[still.base]
                pieces.append(Legs(still.key, still.start, still.end, apart_always, apart_always))
            spans[pair] = join_legs(pieces)
            runs[pair] = _as_runs(spans[pair])
        free = [(role, seen[role]) for role in plan.isolated]
        rows = join_runs(runs, free, [role.sources for role in plan.roles], size, count * units)
        return self._found(rows, spans)

    def _by_source(self, pair: Pair, legs: Legs) -> Legs:
        """Return legs whose pairs are numbered by the search's table."""
        row, column = np.divmod(legs.pair, len(self._parties[pair[1]].sources))
        first, second = (self._parties[role].sources[at] for role, at in zip(pair, (row, column), strict=True))
        return Legs(first * len(self._plan.table) + second, legs.start, legs.end, legs.first, legs.last)

    def _in_time(self, runs: Runs) -> Runs:
        """Return runs of epochs as runs of instants, cut to the window."""
        start, end = np.maximum(runs.start * self._units, self._begin), np.minimum(runs.end * self._units, self._end)
        kept = start <= end
        return Runs(runs.key[kept], start[kept], end[kept], runs.base[kept], runs.distance)

    def _found(self, rows: Rows, spans: dict[Pair, Spans]) -> Found:
        pairs = sorted(spans)
        if rows.whole:
            one = spans[pairs[0]]
            closest, low, farthest, high = extremes(span_of_knot(one), one.time, one.distance, len(one.pair))
            pair_low, pair_high = low[:, None], high[:, None]
        else:
            widest = widest_of_rows(
                rows.start,
                rows.end,
                [spans[pair] for pair in pairs],
                [rows.run[pair] for pair in pairs],
                lambda number, row, time: self._distance(pairs[number], rows, row, time),
            )
            closest, low, farthest, high = widest.closest, widest.low, widest.farthest, widest.high
            pair_low, pair_high = widest.pair_low, widest.pair_high
        return Found(
            np.full(len(rows.start), CONJUNCTION_TYPES.index(self._kind), np.int8),
            np.stack([rows.sources[role] for role in sorted(rows.sources)], axis=1),
            self._instants(rows.start),
            self._instants(rows.end),
            self._instants(closest),
            self._instants(farthest),
            low,
            high,
            pair_low,
            pair_high,
        )

    def _instants(self, time: Ints) -> Times:
        first = self._epochs[0] if len(self._epochs) else np.datetime64(0, "us")
        found: Times = first + time * self._unit.astype("m8[us]")
        return found

    def _distance(self, pair: Pair, rows: Rows, row: Ints, time: Floats) -> Floats:
        """Return the distance of the sources of two roles of rows at instants [km], no more than their limit."""
        epoch, after, fraction = in_epochs(time, self._units)
        first, second = (rows.sources[role][row] for role in pair)
        ends = [self._places(source, at) for source in (first, second) for at in (epoch, after)]
        found = apart(Way.to(ends[0], ends[1]).at(fraction), Way.to(ends[2], ends[3]).at(fraction))
        return np.minimum(found, self._plan.limits[pair])


def in_epochs(time: Floats, units: int) -> tuple[Ints, Ints, Floats]:
    """Return the epochs before and after instants in units of time, and which fraction of the step has passed."""
    epoch = (time // units).astype(np.int64)
    fraction = time / units - epoch
    return epoch, np.where(fraction == 0, epoch, epoch + 1), fraction


def _as_runs(spans: Spans) -> Runs:
    return Runs(spans.pair, spans.start, spans.end, np.zeros_like(spans.start), np.empty(0))


def in_geodetic_latitude(ephemeris: xr.Dataset, kind: str) -> xr.Dataset:
    """Return an ephemeris in which the spacecraft's locations of a type have geodetic latitudes; not chunked."""
    prefix = LOCATIONS[kind]
    moves = np.isin(ephemeris["source_type"].values.astype(str), SPACECRAFT)
    lat = ephemeris[f"{prefix}_lat"].transpose("source", "epoch")
    altitude: Any = geometry.FOOTPRINT_ALTITUDE
    # as elsewhere, an altitude that is told goes before one that is computed
    for name in reversed(heights_of(ephemeris)) if kind == "geographic" else ():
        own = ephemeris[name].broadcast_like(lat).transpose(*lat.dims).values
        own = geometry.altitude_of(lat.values, own) if name == "radial_distance" else own
        altitude = np.where(np.isnan(own), altitude, own)
    values = np.where(moves[:, None], geometry.geodetic_latitude(lat.values, altitude), lat.values)
    return ephemeris.assign({f"{prefix}_lat": (lat.dims, values, lat.attrs)})


def heights_of(ephemeris: xr.Dataset) -> list[str]:
    """Name the variables of an ephemeris that tell how high spacecraft are."""
    return [name for name in ("geo_alt", "radial_distance") if name in ephemeris]
