"""Conjunctions of minutes made into those between the minutes, in the ephemeris of their sources."""

from __future__ import annotations

import copy
import datetime
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.checks import as_list, checked_number, refuse_farther
from aurorax_pandas.engine.continuous import in_epochs, unit_of
from aurorax_pandas.engine.envelope import Widest, widest_of_rows
from aurorax_pandas.engine.joining import Rows, Runs
from aurorax_pandas.engine.limits import admitted_sources, limits_of_events, source_of_side, warn_of_narrow_search
from aurorax_pandas.engine.spans import Legs, Spans, Steps, extremes, join_legs, legs_within, span_of_knot
from aurorax_pandas.ephemeris.arcs import ALIKE, Way, apart, longest_step
from aurorax_pandas.ephemeris.coverage import check_spans
from aurorax_pandas.ephemeris.tracks import Floats, Ints, Tracks
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model, ordering, provenance
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import explode_events, require
from aurorax_pandas.frame.intervals import refuse_broken_spans
from aurorax_pandas.sources import CONJUNCTION_TYPES
from aurorax_pandas.times import Times, to_utc

if TYPE_CHECKING:
    import xarray as xr

_EARLIEST: Final = np.datetime64(datetime.datetime.min, "us")
_LATEST: Final = np.datetime64(datetime.datetime.max, "us")


@typed
def refine(
    df: pd.DataFrame, ephemeris: xr.Dataset, distance: float | Mapping[str, float | None] | None = None
) -> pd.DataFrame:
    """
    Make conjunctions of minutes into those between the minutes.

    A search sees its epochs alone, while a footprint moves 400 km in a minute: `start` and `end` are up to a minute
    short, and the least distance lies between two epochs. Here locations are interpolated along great circles, as by
    ``find_conjunctions(..., continuous=True)``.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions; any selection of them.
    ephemeris : xarray.Dataset
        Where their sources were, from a step before to a step after each row: ``df.aurorax.ephemeris()``. Stations that
        it lacks are taken from the service's table.
    distance : float or dict, optional
        Largest distance [km] for every pair of blocks, or a dict of pairs as in the query; no more than the query's,
        which it is by default. What passes a little further away than the query's distance at the minutes, but comes
        nearer between them, is in the frame of a wider search alone: search with `distance` and 450 km more (for one
        spacecraft that moves, at one epoch a minute), and give the distance that you mean here.

    Returns
    -------
    pandas.DataFrame
        The conjunctions in their total order, with a fresh index: `start` and `end` where the distance is crossed (or
        where the window, a gap or a field line that jumps ends them), ``min_distance`` and ``closest_epoch`` the
        interpolated minimum, ``max_distance`` and ``farthest_epoch`` likewise, and the same of the events, of which those
        stay whose pair of blocks has a limit. A row becomes
        as many as there are spans in it and one epoch around it, or none where it never comes within the distance.
        Columns of your own go along.

    Raises
    ------
    AuroraxInputError
        If the frame is none of conjunctions, does not know its distances, a distance is above the query's, or the
        ephemeris lacks a variable that the query filters by.
    AuroraxDataError
        If the ephemeris covers no row.

    Warns
    -----
    AuroraxDataWarning
        If it covers some rows only; the others are not in the result. If the search was no wider than what is asked for
        here, as far as the provenance or the distances in the frame tell: passes that come near between epochs alone
        are missing.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1)
    >>> exact = df.aurorax.refine(aurorax_pandas.load_sample_ephemeris(), 50)
    >>> df["min_distance"].tolist(), exact["min_distance"].round(1).tolist()
    ([53.391843], [48.1])
    """
    df = require(df, "refine", *model.CONJUNCTION_COLUMNS)
    known = provenance.get_provenance(df.attrs)
    query = known.get("query")
    if not isinstance(distance, Mapping) and distance is not None:
        distance = checked_number("distance", distance, lambda km: 0 <= km < np.inf, "0 or more [km]")
        refuse_farther("distance", distance)
    events = explode_events(df)
    for rows in (df, events):
        refuse_broken_spans(rows, "refine")
    limits = limits_of_events(events, query, distance)
    warn_of_narrow_search(df, events, distance)
    limited = np.flatnonzero(np.isfinite(limits))
    events, limits = events.iloc[limited], limits[limited]
    made = df.iloc[:0]
    if len(df):
        if len(without := np.flatnonzero(np.bincount(events["conjunction"], minlength=len(df)) == 0)):
            raise AuroraxInputError(
                f"refine needs the pairs of each row; row {without[0]} has no event, as none of its distances has a limit"
            )
        _refuse_strange_rows(df, events)
        made = _refined(df, events, limited, ephemeris, limits, known)
    made.attrs = copy.deepcopy(df.attrs)
    made.attrs[provenance.KEY] = known | {
        "step": "0s",
        "precision": provenance.CONTINUOUS,
        "latitudes": known.get("latitudes", "as the service has them"),
    }
    return made


def _refuse_strange_rows(df: pd.DataFrame, events: pd.DataFrame) -> None:
    """Raise where a row has no type, or lies apart from its events, so that no span could be found for it."""
    unknown = np.flatnonzero(model.category_codes(df["conjunction_type"], model.CONJUNCTION_TYPE) < 0)
    if len(unknown):
        raise AuroraxInputError(f"refine needs the conjunction_type of each row; row {unknown[0]} has none; mend it")
    parents = events["conjunction"].to_numpy()
    start, end = (df[name].to_numpy()[parents] for name in ("start", "end"))
    apart_of = np.flatnonzero((events["start"].to_numpy() > end) | (events["end"].to_numpy() < start))
    if len(apart_of):
        raise AuroraxInputError(
            f"refine: row {parents[apart_of[0]]} has its start and end apart from those of its events; mend them, or give "
            "the frame as it was found"
        )


def _refined(
    df: pd.DataFrame,
    events: pd.DataFrame,
    limited: Ints,
    ephemeris: xr.Dataset,
    limits: Floats,
    known: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the rows of spans; `limited` says which events of the frame the events are."""
    sources = pd.concat([source_of_side(events, side) for side in ("e1", "e2")], ignore_index=True)
    parents = events["conjunction"].to_numpy()
    tracks = check_spans("refine", events, parents, ephemeris, sources)
    geodetic = known.get("latitudes") == "geodetic"
    found = _Refinement(tracks, events, limits, _bounds(df, known), geodetic)
    if (admitted := admitted_sources(sources, as_list(known.get("query")), ephemeris, tracks)) is not None:
        found.admitted = admitted
    counts = np.bincount(parents, minlength=len(df))
    types = model.category_codes(df["conjunction_type"], model.CONJUNCTION_TYPE)
    pieces = [
        found.rows(np.flatnonzero((types == number) & (counts == count)), kind, int(count))
        for (number, kind), count in itertools.product(enumerate(CONJUNCTION_TYPES), np.unique(counts))
        if ((types == number) & (counts == count)).any()
    ]
    return _assembled(df, limited, pieces, found.instant)


def _bounds(df: pd.DataFrame, known: Mapping[str, Any]) -> tuple[Times, Times]:
    """Return between which instants the spans of each row lie: up to the epochs around it, inside the window."""
    queries = as_list(known.get("query"))
    # ends are rounded to a millisecond
    beyond = pd.Timedelta("1ms")
    if known.get("precision") != provenance.CONTINUOUS:
        subminute = len(queries) == 1 and queries[0].get("subminute_precision")
        beyond = pd.Timedelta("30s") if subminute else provenance.step_of(df, None)
    start, end = ((df[name] + sign * beyond).to_numpy("M8[us]") for name, sign in (("start", -1), ("end", 1)))
    if not queries:
        return start, end
    # of several windows the outermost that reach a row
    begin, stop = np.full(len(df), _LATEST), np.full(len(df), _EARLIEST)
    for query in queries:
        first = to_utc("start", query["start"]).to_datetime64() if query.get("start") else _EARLIEST
        last = to_utc("end", query["end"]).to_datetime64() if query.get("end") else _LATEST
        reached = (start <= last) & (end >= first) | (len(queries) == 1)
        begin[reached], stop[reached] = np.minimum(begin[reached], first), np.maximum(stop[reached], last)
    return np.where(begin > stop, start, np.maximum(start, begin)), np.where(begin > stop, end, np.minimum(end, stop))


class _Refinement:
    """Events, where their sources were, and their limits; events are numbered by their position."""

    def __init__(
        self, tracks: Tracks, events: pd.DataFrame, limits: Floats, bounds: tuple[Times, Times], geodetic: bool
    ) -> None:
        self._tracks, self._limits, self._geodetic = tracks, limits, geodetic
        self._parents = events["conjunction"].to_numpy()
        self._begin, self._end = bounds
        self._longest, self._unit = longest_step(tracks.step), unit_of(tracks.step)
        self._units = int(tracks.step // self._unit)
        self._count = len(events)
        #: For each side of the events, whether the query's criteria hold at the epochs; by default always.
        self.admitted: npt.NDArray[np.bool_] | None = None

    def instant(self, time: Ints) -> Times:
        """Return the instants of units of time from the first epoch."""
        found: Times = self._tracks.epochs[:1] + time * self._unit.astype("m8[us]")
        return found

    def rows(self, rows: Ints, kind: str, count: int) -> _Piece:
        """Refine rows of one type that have the same number of events."""
        first_event = np.searchsorted(self._parents, rows)
        spans = [self._spans(first_event + slot, kind) for slot in range(count)]
        runs = [
            Runs(self._parents[each.pair], each.start, each.end, np.zeros_like(each.start), np.empty(0))
            for each in spans
        ]
        total = len(self._tracks.epochs) * self._units + 1
        joined = Rows({0: runs[0].key}, runs[0].start, runs[0].end, {(0, 0): np.arange(len(runs[0].key))})
        for slot in range(1, count):
            joined = joined.joined(runs[slot], joined.sources[0], total, (0, slot))
        parent = joined.sources[0]
        event = first_event[np.searchsorted(rows, parent)]
        if count == 1:
            one = spans[0]
            closest, low, farthest, high = extremes(span_of_knot(one), one.time, one.distance, len(one.pair))
            widest = Widest(closest, low, farthest, high, low[:, None], high[:, None])
        else:
            widest = widest_of_rows(
                joined.start,
                joined.end,
                spans,
                [joined.run[0, slot] for slot in range(count)],
                lambda slot, row, time: self._distance(event[row] + slot, kind, time),
            )
        return _Piece(parent, event, joined.start, joined.end, widest)

    def _places(self, event: Ints, side: int, kind: str, at: Ints) -> Floats:
        """Return unit vectors of a side of events at epochs, NaN where there is no location or no criterion holds."""
        source = event + side * self._count
        places = self._tracks.compared_vectors(kind, source, at, geodetic=self._geodetic)
        if self.admitted is not None:
            places[:, ~self.admitted[self._tracks.distinct(source), at]] = np.nan
        return places

    def _spans(self, events: Ints, kind: str) -> Spans:
        """Return the spans in which the sources of events are within their limits."""
        parents = self._parents[events]
        begins, stops = self._tracks.around(self._begin[parents], self._end[parents])
        event, at = np.repeat(events, stops - begins), model.ranges(begins, stops - begins)
        sides = [self._places(event, side, kind, at) for side in (0, 1)]
        limit = self._limits[event]
        begin, end = (self._in_units(edge)[self._parents[event]] for edge in (self._begin, self._end))
        distance, time = apart(*sides), at * self._units
        alone = np.flatnonzero((distance <= limit) & (time >= begin) & (time <= end))
        points = Legs(event[alone], time[alone], time[alone], distance[alone], distance[alone])
        moved = [apart(place[:, :-1], place[:, 1:]) for place in sides]
        # no nearer than this: what is neither beyond the limit nor across a jump remains
        nearest = (distance[:-1] + distance[1:] - moved[0] - moved[1]) / 2
        near = (nearest <= limit[:-1] + ALIKE) & (np.maximum(*moved) <= self._longest)
        before = np.flatnonzero((event[1:] == event[:-1]) & near)
        low, high = (((edge[before] - time[before]) / self._units).clip(0.0, 1.0) for edge in (begin, end))
        steps = Steps(event[before], at[before], limit[before], low, high)
        first, second = (
            Way.to(place[:, before], place[:, before + 1], length[before])
            for place, length in zip(sides, moved, strict=True)
        )
        return join_legs([points, legs_within(steps, first, second, self._units)])

    def _in_units(self, times: Times) -> Ints:
        since = (times - self._tracks.epochs[0]).astype("m8[us]")
        found: Ints = since // self._unit
        return found

    def _distance(self, event: Ints, kind: str, time: Floats) -> Floats:
        """Return the distance of events at instants [km], no more than their limits."""
        epoch, after, fraction = in_epochs(time, self._units)
        ends = [self._places(event, side, kind, at) for side in (0, 1) for at in (epoch, after)]
        found = apart(Way.to(ends[0], ends[1]).at(fraction), Way.to(ends[2], ends[3]).at(fraction))
        return np.minimum(found, self._limits[event])


class _Piece(NamedTuple):
    """Spans of rows with equally many events: the row and first event of each, when it is, and its extremes."""

    parent: Ints
    event: Ints
    start: Ints
    end: Ints
    widest: Widest

    @property
    def events(self) -> int:
        """How many events each has."""
        return int(self.widest.pair_low.shape[1])


def _assembled(
    df: pd.DataFrame, limited: Ints, pieces: Sequence[_Piece], instant: Callable[[Ints], Times]
) -> pd.DataFrame:
    """Return the rows of spans in their total order: what they are of, with their own times and distances."""

    def of_rows(value: Callable[[_Piece], Any]) -> npt.NDArray[Any]:
        return np.concatenate([value(piece) for piece in pieces])

    parent = of_rows(lambda piece: piece.parent)
    own: dict[str, npt.NDArray[Any]] = {
        "start": instant(of_rows(lambda piece: piece.start)),
        "end": instant(of_rows(lambda piece: piece.end)),
        "closest_epoch": instant(of_rows(lambda piece: piece.widest.closest)),
        "farthest_epoch": instant(of_rows(lambda piece: piece.widest.farthest)),
        "min_distance": of_rows(lambda piece: piece.widest.low),
        "max_distance": of_rows(lambda piece: piece.widest.high),
    }
    counts = of_rows(lambda piece: np.full(len(piece.parent), piece.events))
    # events of a frame stand in the order of its rows
    chosen = limited[of_rows(lambda piece: (piece.event[:, None] + np.arange(piece.events)).ravel())]
    of_events = {
        "start": np.repeat(own["start"], counts),
        "end": np.repeat(own["end"], counts),
        "min_distance": of_rows(lambda piece: piece.widest.pair_low.ravel()),
        "max_distance": of_rows(lambda piece: piece.widest.pair_high.ravel()),
    }
    fields = {name: values for name, values in model.flatten(df["events"]).fields.items() if name not in of_events}
    others, place = df.drop(columns="events"), int(cast("int", df.columns.get_loc("events")))

    def whole(rows: Ints) -> pd.DataFrame:
        made = others.iloc[parent[rows]].reset_index(drop=True)
        for name, values in own.items():
            made[name] = values[rows]
        entries = model.entries_of(counts, rows)
        taken = {name: values.take(pa.array(chosen[entries])) for name, values in fields.items()}
        taken |= {name: pa.array(values[entries], model.EVENT_FIELDS[name]) for name, values in of_events.items()}
        nested: Any = model.nested_array(
            {name: taken[name] for name in model.EVENT_FIELDS}, np.append(0, np.cumsum(counts[rows]))
        )
        made.insert(place, "events", nested)
        return made

    flat = pd.DataFrame({"conjunction_type": df["conjunction_type"].take(parent).array, **own})
    return whole(ordering.total_order(flat, whole))
