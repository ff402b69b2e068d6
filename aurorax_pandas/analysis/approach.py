"""Closest approaches between epochs, overflights told from conjugate conjunctions, and windows for images."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas import geometry
from aurorax_pandas.analysis.labels import spacecraft_sides
from aurorax_pandas.checks import checked_number
from aurorax_pandas.ephemeris.tracks import Floats, Ints, Tracks
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import as_events, is_events, require, source_sites
from aurorax_pandas.frame.intervals import closest_positions
from aurorax_pandas.sources import CONJUNCTION_TYPES, HEMISPHERE, SPACECRAFT
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    import xarray as xr

#: Altitude of the green and blue emissions [km]; the red line is at about 230 km.
EMISSION_ALTITUDE: Final = 110.0

_APPROACH_COLUMNS: Final[dict[str, Any]] = {
    "approach_time": model.DATETIME,
    "approach_distance": "float64",
    "approach_elevation": "float64",
    "spacecraft_hemisphere": HEMISPHERE,
}
_IMAGE_COLUMNS: Final[dict[str, Any]] = {
    "conjunction": "int64",
    "program": "str",
    "site_code": "str",
    "spacecraft": "str",
    "start": model.DATETIME,
    "end": model.DATETIME,
    "epoch": model.DATETIME,
    "footprint_lat": "float64",
    "footprint_lon": "float64",
    "altitude": "float64",
}
# the hemisphere in which the compared locations of a type lie; a spacecraft's own position is in its own
_OWN_HEMISPHERE: Final = {"nbtrace": "northern", "sbtrace": "southern"}
_MINUTE: Final = np.timedelta64(1, "m")
_SECTION: Final = (np.sqrt(5.0) - 1.0) / 2.0
# leaves less than a millisecond of a minute
_SECTIONS: Final = 24


@typed
def closest_approach(
    df: pd.DataFrame, ephemeris: xr.Dataset, emission_altitude: float = EMISSION_ALTITUDE
) -> pd.DataFrame:
    """
    Add the closest approach between epochs, found by interpolation on the sphere.

    ``min_distance`` is the least distance at whole minutes, so that it is an upper bound: the footprint of a low-orbit
    spacecraft moves about 7 km in a second.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Of a conjunction of several pairs the pair that comes closest
        counts; explode the events first to have each.
    ephemeris : xarray.Dataset
        Where the spacecraft were; see `check_ephemeris`. Stations that it lacks are taken from the service's table.
    emission_altitude : float, default 110.0
        Altitude at which the station looks at the footprint [km]; 230 for the red line.

    Returns
    -------
    pandas.DataFrame
        The frame with four columns more; the service's own columns never change. ``approach_time`` (UTC),
        ``approach_distance`` [km], ``approach_elevation`` (above the station's horizon, of the point at the emission
        altitude over the footprint) [degrees], ``spacecraft_hemisphere`` ("northern" or "southern", of the spacecraft
        itself). NaT or NaN where the ephemeris lacks a source or an epoch.

    Raises
    ------
    AuroraxInputError
        If the Dataset is no ephemeris, the altitude is none, or the frame has no events.

    Notes
    -----
    Both locations are interpolated along great circles [1]_ from one epoch of the ephemeris to the next, over the span
    of the event and one step (at least a minute) before and after it; the least distance is found by golden-section
    search. Against an ephemeris computed every second, one of every minute gives overflights of Swarm to 0.4 km and
    0.3 s; conjugate conjunctions, at the far ends of long field lines, to 2 km in the median, and to 79 to 227 km for
    the few whose field line opens before the next minute.

    Distances are great circles on a sphere of 6371 km, like the service's, but between geodetic latitudes: those of
    spacecraft and their footprints are converted on the WGS84 ellipsoid first. In the recorded search that moves
    distances by −18 to +20 km, so that a closest approach can lie a little above the minute's minimum.

    The footprint ends 100 km above the ellipsoid. Its field line is taken as vertical from there to the emission
    altitude: where it dips by 80 degrees that is wrong by 2 km for 110 km and by 23 km for 230 km.

    References
    ----------
    .. [1] K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH Computer Graphics 19, 245 (1985).

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.select_sources(site="GILL").head(2)
    >>> near = df.aurorax.closest_approach(aurorax_pandas.load_sample_ephemeris())
    >>> near["approach_time"].dt.strftime("%H:%M:%S").tolist()
    ['00:12:06', '00:12:15']
    """
    altitude = _emission_altitude(emission_altitude)
    events = as_events(df, "closest_approach", "conjunction_type", "start", "end")
    found = _approaches(events, ephemeris, altitude)
    if not is_events(df):
        parents = events["conjunction"].to_numpy()
        ranked = found.assign(min_distance=found["approach_distance"], start=found["approach_time"])
        nearest = closest_positions(ranked, parents)
        found = found.iloc[nearest].set_axis(parents[nearest]).reindex(range(len(df)))
    return df.assign(**{name: found[name].array for name in _APPROACH_COLUMNS})


def _emission_altitude(value: Any) -> float:
    return checked_number(
        "emission_altitude", value, lambda km: 0 < km < 2000, "an altitude of aurora such as 110 [km]"
    )


def _approaches(events: pd.DataFrame, ephemeris: xr.Dataset, altitude: float) -> pd.DataFrame:
    """Return the closest approach of each event, with the place of its spacecraft's location; NaN where unknown."""
    count = len(events)
    tracks = Tracks(ephemeris, _sources_of_sides(events))
    time = np.full(count, np.datetime64("NaT"), model.DATETIME)
    distance = np.full(count, np.nan)
    places = np.full((2, 2, count), np.nan)
    types = events["conjunction_type"].astype("str").to_numpy()
    # however dense the ephemeris is, the service looked at minutes
    beyond = max(tracks.step, _MINUTE)
    start, end = events["start"].to_numpy() - beyond, events["end"].to_numpy() + beyond
    for kind in CONJUNCTION_TYPES:
        rows = np.flatnonzero((types == kind) & ~np.isnat(start) & ~np.isnat(end))
        if not len(rows):
            continue
        event, at, sides = _places_at_epochs(tracks, kind, rows, count, start, end)
        found, offset, at, where = _least(event, at, sides)
        time[found] = tracks.epochs[at] + (np.round(offset * (tracks.step / np.timedelta64(1, "ms")))).astype("m8[ms]")
        places[:, :, found] = [geometry.degrees(side) for side in where]
        distance[found] = _apart(*where)
    first, second = spacecraft_sides(events)
    ground = first != second
    craft, station = (np.where(first, places[one], places[two]) for one, two in ((0, 1), (1, 0)))
    sight = geometry.elevation(station[0], station[1], craft[0], craft[1], altitude)
    return pd.DataFrame(
        {
            "approach_time": time,
            "approach_distance": distance,
            "approach_elevation": np.where(ground, sight, np.nan),
            "spacecraft_hemisphere": pd.Categorical.from_codes(
                _hemispheres_at(tracks, time, first, second), dtype=HEMISPHERE
            ),
            "footprint_lat": craft[0],
            "footprint_lon": craft[1],
        }
    )


def event_tracks(
    events: pd.DataFrame, ephemeris: xr.Dataset, emission_altitude: float = EMISSION_ALTITUDE
) -> pd.DataFrame:
    """
    Return the tracks that events of a ground source and a spacecraft have in common with their stations.

    Parameters
    ----------
    events : pandas.DataFrame
        Events of `explode_events`.
    ephemeris : xarray.Dataset
        Where the spacecraft were.
    emission_altitude : float, default 110.0
        Altitude of the closest approach [km].

    Returns
    -------
    pandas.DataFrame
        One row per event with a station and a spacecraft: ``event`` (its position), ``site``, ``station_lat``,
        ``station_lon``, ``closest_lat``, ``closest_lon`` (at the closest epoch), ``approach_lat``, ``approach_lon``
        (interpolated), and in lists ``lat``, ``lon`` of the spacecraft's location from two steps before to two after,
        with places between epochs, and ``minute``, where the epochs in range are among them. All geodetic [degrees].
    """
    first, second = spacecraft_sides(events)
    kept = np.flatnonzero(first != second)
    chosen, craft_side = events.iloc[kept], np.where(first[kept], 0, 1)
    count = len(chosen)
    found = _approaches(chosen, ephemeris, _emission_altitude(emission_altitude))
    tracks = Tracks(ephemeris, _sources_of_sides(chosen))
    types = chosen["conjunction_type"].astype("str").to_numpy()
    start: Any = chosen["start"].to_numpy()
    end: Any = chosen["end"].to_numpy()
    beyond = tracks.step + tracks.step
    first_at, stop_at = tracks.window(start - beyond, end + beyond)
    closest = chosen["closest_epoch"].to_numpy()
    rows = []
    for number in range(count):
        at = np.arange(first_at[number], stop_at[number])
        craft, station = (
            tracks.geodetic(types[number], np.full(len(at), number + side * count), at)
            for side in (craft_side[number], 1 - craft_side[number])
        )
        known = ~np.isnan(craft[0])
        at, lat, lon = at[known], craft[0][known], craft[1][known]
        epochs = tracks.epochs[at]
        dense, minute = _dense(lat, lon, (epochs >= start[number]) & (epochs <= end[number]))
        here = np.flatnonzero(epochs == closest[number])
        rows.append(
            (
                *(next(iter(part[~np.isnan(part)]), np.nan) for part in station),
                *(part[here[0]] if len(here) else np.nan for part in (lat, lon)),
                *dense,
                minute,
            )
        )
    names = ["station_lat", "station_lon", "closest_lat", "closest_lon", "lat", "lon", "minute"]
    made = pd.DataFrame(rows, columns=names, index=pd.RangeIndex(count))
    made[names[:4]] = made[names[:4]].astype("float64")
    return made.assign(
        event=kept,
        site=image_sites(chosen, craft_side == 1).to_numpy(),
        approach_lat=found["footprint_lat"],
        approach_lon=found["footprint_lon"],
    )


def _dense(
    lat: Floats, lon: Floats, inside: npt.NDArray[np.bool_], parts: int = 6
) -> tuple[tuple[Floats, Floats], Ints]:
    """Interpolate a track on the sphere, and give where the epochs in range are on it."""
    if len(lat) < 2:
        return (lat, lon), np.flatnonzero(inside)
    vectors = geometry.unit_vectors(lat, lon)
    at = np.arange((len(lat) - 1) * parts + 1)
    before = np.minimum(at // parts, len(lat) - 2)
    fraction = at / parts - before
    places = geometry.degrees(geometry.interpolate(vectors[:, before], vectors[:, before + 1], fraction))
    return places, np.flatnonzero(inside) * parts


def _sources_of_sides(events: pd.DataFrame) -> pd.DataFrame:
    """Return the sources of events in a frame: first those of all first sides, then those of all second sides."""
    names = ("identifier", "source_type", "display_name")
    sides = [events[[f"{side}_{name}" for name in names]].set_axis(list(names), axis=1) for side in ("e1", "e2")]
    return pd.concat(sides, ignore_index=True)


def _places_at_epochs(
    tracks: Tracks, kind: str, rows: Ints, count: int, start: Any, end: Any
) -> tuple[Ints, Ints, tuple[Floats, Floats]]:
    """Return for each event all epochs at which both of its sources are known, and their unit vectors there."""
    first, stop = tracks.window(start[rows], end[rows])
    lengths = np.maximum(stop - first, 0)
    event = np.repeat(rows, lengths)
    at = model.ranges(first, lengths)
    one, two = (geometry.unit_vectors(*tracks.geodetic(kind, event + side * count, at)) for side in (0, 1))
    known = ~(np.isnan(one) | np.isnan(two)).any(axis=0)
    return event[known], at[known], (one[:, known], two[:, known])


def _least(event: Ints, at: Ints, sides: tuple[Floats, Floats]) -> tuple[Ints, Floats, Ints, tuple[Floats, Floats]]:
    """Return the events found, and of each the least distance: its fraction of a step after an epoch, and both places."""
    one, two = sides
    # from each epoch to the next of its event; the last one goes nowhere
    follows = np.append((event[1:] == event[:-1]) & (at[1:] == at[:-1] + 1), False)[: len(event)]
    after = np.arange(len(event)) + follows
    here = _apart(one, two)
    travelled = _apart(one, one[:, after]) + _apart(two, two[:, after])
    bound = (here + here[after] - travelled) / 2
    least = pd.Series(here).groupby(event).transform("min").to_numpy() if len(event) else here
    tried = np.flatnonzero(bound <= least)
    ends = (one[:, tried], one[:, after[tried]], two[:, tried], two[:, after[tried]])
    # where nothing moves every fraction is as good, and the search may end at any
    fraction = np.where(follows[tried], _golden_section(*ends), 0.0)
    where = geometry.interpolate(ends[0], ends[1], fraction), geometry.interpolate(ends[2], ends[3], fraction)
    order = np.lexsort((at[tried], _apart(*where), event[tried]))
    chosen = order[np.flatnonzero(np.diff(event[tried][order], prepend=-1))]
    return event[tried][chosen], fraction[chosen], at[tried][chosen], (where[0][:, chosen], where[1][:, chosen])


def _golden_section(first: Floats, first_end: Floats, second: Floats, second_end: Floats) -> Floats:
    """Return the fraction of each step at which two places are closest; J. Kiefer, Proc. AMS 4, 502 (1953)."""

    def apart(fraction: Floats) -> Floats:
        return _apart(
            geometry.interpolate(first, first_end, fraction), geometry.interpolate(second, second_end, fraction)
        )

    low, high = np.zeros(first.shape[1]), np.ones(first.shape[1])
    left, right = high - _SECTION * (high - low), low + _SECTION * (high - low)
    at_left, at_right = apart(left), apart(right)
    for _ in range(_SECTIONS):
        nearer = at_left < at_right
        low, high = np.where(nearer, low, left), np.where(nearer, right, high)
        fresh = np.where(nearer, high - _SECTION * (high - low), low + _SECTION * (high - low))
        value = apart(fresh)
        left, right = np.where(nearer, fresh, right), np.where(nearer, left, fresh)
        at_left, at_right = np.where(nearer, value, at_right), np.where(nearer, at_left, value)
    candidates = np.stack([np.zeros_like(low), (low + high) / 2, np.ones_like(low)])
    best: Floats = np.take_along_axis(
        candidates, np.argmin([apart(each) for each in candidates], axis=0)[None], axis=0
    )[0]
    return best


def _apart(one: Floats, two: Floats) -> Floats:
    chord = np.linalg.norm(one - two, axis=0)
    return np.asarray(2 * geometry.EARTH_RADIUS * np.arcsin(np.minimum(chord / 2, 1.0)), np.float64)


def _hemispheres_at(
    tracks: Tracks, time: npt.NDArray[np.datetime64], first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int8]:
    count = len(time)
    one, two = (tracks.hemispheres(np.arange(count) + side * count, time) for side in (0, 1))
    # two spacecraft have a hemisphere where it is the same
    codes = np.where(first & second, np.where(one == two, one, -1), np.where(first, one, two))
    return np.where(np.isnat(time), -1, codes).astype(np.int8)


@typed
def overflights(df: pd.DataFrame, ephemeris: xr.Dataset | None = None) -> pd.DataFrame:
    """
    Keep the conjunctions whose spacecraft is in the footprint's own hemisphere.

    ``nbtrace`` and ``sbtrace`` say where a field line ends, not where the spacecraft is: the others are conjugate
    conjunctions, at the far end of the line.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were; the hemisphere is that of ``geo_lat`` at the closest epoch, or at `start` where there
        is none. By default the column ``spacecraft_hemisphere``, as `closest_approach` adds it, is read.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order. All spacecraft of a row must be in the footprint's hemisphere; a row of which
        that is not known is left out, a ``geographic`` one always stays.

    Raises
    ------
    AuroraxInputError
        If there is neither an ephemeris nor the column.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> len(df.aurorax.overflights(aurorax_pandas.load_sample_ephemeris()))
    20
    """
    require(df, "overflights", "conjunction_type")
    own = np.asarray(pd.Categorical(df["conjunction_type"].astype("str").map(_OWN_HEMISPHERE), dtype=HEMISPHERE).codes)
    always: npt.NDArray[np.bool_] = (df["conjunction_type"] == "geographic").to_numpy(bool)
    if ephemeris is None:
        if "spacecraft_hemisphere" not in df.columns:
            raise AuroraxInputError(
                "ephemeris: the frame has no column spacecraft_hemisphere; give an ephemeris, or call closest_approach first"
            )
        known = model.category_codes(df["spacecraft_hemisphere"], HEMISPHERE)
        return _taken_rows(df, always | ((known == own) & (own >= 0)))
    require(df, "overflights", "start", "closest_epoch")
    if is_events(df):
        sources, row = _sources_of_sides(df), np.tile(np.arange(len(df)), 2)
    else:
        require(df, "overflights", "data_sources")
        flat = model.flatten(df["data_sources"])
        sources = pd.DataFrame({name: flat.column(name) for name in ("identifier", "source_type", "display_name")})
        row = flat.row
    craft = sources["source_type"].isin(SPACECRAFT).to_numpy(bool)
    sources, row = sources[craft], row[craft]
    times = df["closest_epoch"].fillna(df["start"]).to_numpy()
    codes = Tracks(ephemeris, sources).hemispheres(np.arange(len(sources)), times[row])
    there = np.bincount(row, minlength=len(df))
    agree = np.bincount(row[(codes == own[row]) & (codes >= 0)], minlength=len(df))
    return _taken_rows(df, always | ((there > 0) & (agree == there)))


def _taken_rows(df: pd.DataFrame, keep: Any) -> pd.DataFrame:
    return df.iloc[np.flatnonzero(keep)]


def image_windows(
    df: pd.DataFrame,
    ephemeris: xr.Dataset | None = None,
    pad: Span = "2min",
    emission_altitude: float = EMISSION_ALTITUDE,
) -> pd.DataFrame:
    """
    Return the times and places that tools for all-sky images ask for.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Only pairs of a ground source and a spacecraft give a row.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were; without it there are no places.
    pad : str or pandas.Timedelta, default "2min"
        How much to add before `start` and after `end`.
    emission_altitude : float, default 110.0
        Altitude to map the images to [km]; 230 for the red line.

    Returns
    -------
    pandas.DataFrame
        One row per event, in the frame's order: ``conjunction`` (row position in `df`), ``program``, ``site_code`` (the
        platform where the site has no code), ``spacecraft``, ``start`` and ``end`` with the pad (UTC), ``epoch``: the
        time of the closest approach, without an ephemeris the closest epoch (UTC); ``footprint_lat``,
        ``footprint_lon``: the spacecraft's location then, geodetic [degrees]; ``altitude`` [km].

    Raises
    ------
    AuroraxInputError
        If an argument cannot be used, or the frame has no events.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1)
    >>> windows = df.aurorax.image_windows(aurorax_pandas.load_sample_ephemeris())
    >>> windows.loc[0, ["program", "site_code", "spacecraft"]].tolist()
    ['themis-asi', 'GILL', 'Swarm C']
    """
    altitude, wide = _emission_altitude(emission_altitude), span("pad", pad, zero=True)
    events = as_events(df, "image_windows", "conjunction_type", "start", "end", "closest_epoch")
    parents = np.arange(len(df)) if is_events(df) else events["conjunction"].to_numpy()
    first, second = spacecraft_sides(events)
    on_first = (events["e1_source_type"] == "ground").to_numpy(bool) & second
    kept = np.flatnonzero(on_first | ((events["e2_source_type"] == "ground").to_numpy(bool) & first))
    events, mine = events.iloc[kept], on_first[kept]
    found = None if ephemeris is None else _approaches(events, ephemeris, altitude)
    epoch = events["closest_epoch"].to_numpy()
    columns: dict[str, Any] = {
        "conjunction": parents[kept],
        "program": events["e1_program"].where(mine, events["e2_program"]).array,
        "site_code": image_sites(events, mine).array,
        "spacecraft": events["e2_display_name"].where(mine, events["e1_display_name"]).array,
        "start": (events["start"] - wide).array,
        "end": (events["end"] + wide).array,
        "epoch": epoch if found is None else found["approach_time"].fillna(pd.Series(epoch)),
        "footprint_lat": np.nan if found is None else found["footprint_lat"],
        "footprint_lon": np.nan if found is None else found["footprint_lon"],
        "altitude": altitude,
    }
    made = pd.DataFrame(columns, index=pd.RangeIndex(len(kept))).astype(_IMAGE_COLUMNS)
    made.attrs = copy.deepcopy(df.attrs)
    return made


def image_sites(events: pd.DataFrame, on_first: npt.NDArray[np.bool_]) -> pd.Series[str]:
    """Return the site code of the station of each event, its platform where the site has no code."""
    station = {
        name: model.pandas_to_arrow(events[f"e1_{name}"].where(on_first, events[f"e2_{name}"]), pa.string())
        for name in ("platform", "source_type")
    }
    return model.arrow_to_pandas(model.compute.coalesce(source_sites(station), station["platform"]))
