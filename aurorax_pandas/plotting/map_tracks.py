"""What a map draws: tracks of footprints with the minutes in range, stations, and closest points."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.approach import approaches_of, sources_of_sides
from aurorax_pandas.analysis.images import image_sites
from aurorax_pandas.analysis.labels import spacecraft_sides
from aurorax_pandas.ephemeris.arcs import longest_step
from aurorax_pandas.ephemeris.tracks import Tracks, named_place
from aurorax_pandas.exceptions import AuroraxDataWarning, callers_level
from aurorax_pandas.frame import model
from aurorax_pandas.frame.intervals import overlap_clusters
from aurorax_pandas.sources import CONJUNCTION_TYPES, SPACECRAFT, bundled_sources

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Between which lengths [km] the farthest that a location goes in a step stays, however short or long the step is.
_LEAST_JUMP: Final = 300.0
_MOST_JUMP: Final = 5000.0
#: In how many parts a step is drawn.
_PARTS: Final = 6
_TYPES: Final = np.array([*CONJUNCTION_TYPES, ""])


class Points(NamedTuple):
    """
    Places along tracks, in order: geodetic [degrees], instants, and what they belong to.

    A run is a part of a track without a gap; ``inside`` tells the epochs of the ephemeris that are in range.
    """

    lat: Floats
    lon: Floats
    time: npt.NDArray[np.datetime64]
    label: Ints
    run: Ints
    conjugate: Bools
    inside: Bools


def events_on_map(
    events: pd.DataFrame, label: Ints, ephemeris: xr.Dataset, altitude: float
) -> tuple[pd.DataFrame, Tracks]:
    """
    Return the events of a station and a spacecraft with their places, and the tracks that these are from.

    Parameters
    ----------
    events : pandas.DataFrame
        Events of `explode_events`.
    label : ndarray of int64
        The number of the label of each.
    ephemeris : xarray.Dataset
        Where the spacecraft were.
    altitude : float
        Emission altitude of the closest approach [km].

    Returns
    -------
    DataFrame, Tracks
        ``label``, ``start``, ``end``, ``site``, ``station_lat``, ``station_lon``, ``closest_lat``, ``closest_lon`` (at the
        closest epoch), ``approach_lat``, ``approach_lon`` (interpolated), geodetic [degrees]; ``conjugate``; ``source``,
        the number of the spacecraft among the tracks; ``type``, the number of the conjunction type; ``south``.
    """
    first, second = spacecraft_sides(events)
    kept = np.flatnonzero(first != second)
    chosen, on_first = events.iloc[kept], first[kept]
    count = len(chosen)
    tracks = Tracks(ephemeris, sources_of_sides(chosen))
    craft = np.arange(count) + np.where(on_first, 0, count)
    station = np.arange(count) + np.where(on_first, count, 0)
    types = model.category_codes(chosen["conjunction_type"], model.CONJUNCTION_TYPE).astype(np.int64)
    start, stop = tracks.window(chosen["start"].to_numpy(), chosen["end"].to_numpy())
    last = max(len(tracks.epochs) - 1, 0)
    closest = chosen["closest_epoch"].to_numpy()
    at, beyond = tracks.window(closest, closest)
    found = approaches_of(chosen, tracks, altitude)
    columns: dict[str, Any] = {
        "label": label[kept],
        "start": chosen["start"].to_numpy(),
        "end": chosen["end"].to_numpy(),
        "site": image_sites(chosen, ~on_first).to_numpy(),
        "source": craft,
        "type": types,
        "conjugate": is_conjugate(tracks, types, craft, ((start + stop) // 2).clip(0, last)),
        "approach_lat": found["footprint_lat"].to_numpy(),
        "approach_lon": found["footprint_lon"].to_numpy(),
    }
    known = (beyond > at) & ~np.isnat(closest)
    for name, source, epoch, there in (("station", station, start, known | True), ("closest", craft, at, known)):
        places = places_by_type(tracks, types, source, epoch.clip(0, last))
        columns |= {
            f"{name}_{part}": np.where(there, each, np.nan) for part, each in zip(("lat", "lon"), places, strict=True)
        }
    columns["south"] = is_south(types, columns["station_lat"])
    return pd.DataFrame(columns), tracks


def is_south(types: Ints, lat: Floats) -> Bools:
    """Tell of each row, by the number of its type and a latitude [degrees], whether the southern map shows it."""
    names = _TYPES[types]
    south: Bools = (names == "sbtrace") | ((names == "geographic") & (lat < 0))
    return south


def places_by_type(tracks: Tracks, types: Ints, source: Ints, at: Ints) -> tuple[Floats, Floats]:
    """Return the geodetic latitudes and longitudes [degrees] of the locations that each row's type compares."""
    lat, lon = np.full(len(source), np.nan), np.full(len(source), np.nan)
    for number, name in enumerate(CONJUNCTION_TYPES):
        rows = np.flatnonzero(types == number)
        if len(rows):
            lat[rows], lon[rows] = tracks.geodetic(name, source[rows], at[rows])
    return lat, lon


def is_conjugate(tracks: Tracks, types: Ints, source: Ints, at: Ints) -> Bools:
    """Tell where a spacecraft is in the other hemisphere than its footprint; not where that is unknown."""
    if not len(tracks.epochs):
        return np.zeros(len(source), bool)
    hemisphere, names = tracks.hemispheres(source, tracks.epochs[at]), _TYPES[types]
    far: Bools = ((names == "nbtrace") & (hemisphere == 1)) | ((names == "sbtrace") & (hemisphere == 0))
    return far


def points_on_map(found: pd.DataFrame, tracks: Tracks) -> Points:
    """
    Return the tracks of events, from two steps before each to two after; those that overlap are one.

    Parameters
    ----------
    found : pandas.DataFrame
        The events, as `events_on_map` gives them.
    tracks : Tracks
        What their ``source`` counts.
    """
    start: Any = found["start"].to_numpy()
    end: Any = found["end"].to_numpy()
    source, types, label = (found[name].to_numpy() for name in ("source", "type", "label"))
    # events of one spacecraft, type and label share their tracks
    craft = tracks.distinct(source)
    key = pd.factorize((label * (craft.max(initial=0) + 1) + craft) * len(_TYPES) + types)[0].astype(np.int64)
    beyond = tracks.step + tracks.step
    clusters = overlap_clusters(key, start - beyond, end + beyond, tracks.step)
    spans = pd.DataFrame({"start": start - beyond, "end": end + beyond, "row": np.arange(len(found))})
    merged = spans.groupby(clusters).agg({"start": "min", "end": "max", "row": "first"})
    first, stop = tracks.window(merged["start"].to_numpy(), merged["end"].to_numpy())
    lengths = np.maximum(stop - first, 0)
    row, cluster = np.repeat(merged["row"].to_numpy(), lengths), np.repeat(np.arange(len(merged)), lengths)
    at = model.ranges(first, lengths)
    lat, lon = places_by_type(tracks, types[row], source[row], at)
    known = ~np.isnan(lat)
    row, cluster, at, lat, lon = row[known], cluster[known], at[known], lat[known], lon[known]
    far = is_conjugate(tracks, types[row], source[row], at)
    inside = _in_spans(key[row], tracks.epochs[at], key, start, end)
    joined = joined_epochs(tracks.step, 2 * cluster + far, at, lat, lon)
    before, fraction = dense(joined)
    vectors = geometry.unit_vectors(lat, lon)
    places = geometry.degrees(geometry.interpolate(vectors[:, before], vectors[:, before + joined[before]], fraction))
    run = np.cumsum(np.append(0, ~joined[:-1])) if len(at) else np.empty(0, np.int64)
    return Points(
        places[0], places[1], tracks.epochs[at][before], label[row][before], run[before].astype(np.int64), far[before],
        inside[before] & (fraction == 0),
    )  # fmt: skip


def joined_epochs(step: np.timedelta64, track: Ints, at: Ints, lat: Floats, lon: Floats) -> Bools:
    """
    Tell which epochs a line joins with the next: of one track, without a gap, without a jump of the field line.

    Parameters
    ----------
    step : numpy.timedelta64
        Distance between epochs.
    track, at : ndarray of int64
        The track and the epoch, by its position, of each place.
    lat, lon : ndarray of float64
        The places [degrees].
    """
    joined = np.zeros(len(at), bool)
    if len(at):
        apart = geometry.great_circle_distance(lat[:-1], lon[:-1], lat[1:], lon[1:])
        limit = np.clip(longest_step(step), _LEAST_JUMP, _MOST_JUMP)
        joined[:-1] = (np.diff(track) == 0) & (np.diff(at) == 1) & (apart <= limit)
    return joined


def dense(joined: Bools) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Return places between epochs that a line joins: the epoch before each, and the fraction of a step after it."""
    parts = np.where(joined, _PARTS, 1)
    return np.repeat(np.arange(len(joined)), parts), model.ranges(0 * parts, parts) / _PARTS


def _in_spans(key: Ints, time: npt.NDArray[Any], keys: Ints, start: npt.NDArray[Any], end: npt.NDArray[Any]) -> Bools:
    """Tell of each instant whether a span of its key holds it."""
    # numbers of key and instant in one; earlier keys have as many starts as ends, which cancel
    moments, place = np.unique(np.concatenate([time, start, end]), return_inverse=True)
    numbers = np.concatenate([key, keys, keys]) * len(moments) + place
    at, begin, stop = np.split(numbers, [len(time), len(time) + len(start)])
    inside: Bools = np.searchsorted(np.sort(begin), at, "right") > np.searchsorted(np.sort(stop), at, "left")
    return inside


def stations_on_map(events: pd.DataFrame) -> pd.DataFrame:
    """
    Return the stations of events: ``site``, ``station_lat``, ``station_lon`` [degrees], ``count`` of events, ``south``.

    Positions are those of `sides_on_map`; a station without one is left out.
    """
    found = sides_on_map(events).dropna(subset=["station_lat"])
    grouped = found.groupby(["site", "station_lat", "station_lon", "south"], dropna=False)
    return grouped.size().rename("count").reset_index()


def tell_of_unplaced(sides: pd.DataFrame) -> bool:
    """Warn of stations of `sides_on_map` that a map lacks since nobody knows where they are; tell whether there are any."""
    names = sorted(set(sides.loc[sides["station_lat"].isna(), "site"].dropna().astype("str")))
    if names:
        text = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        warnings.warn(
            f"the map lacks {text}, whose place is not known; give the ephemeris that has it",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
    return bool(names)


def sides_on_map(events: pd.DataFrame) -> pd.DataFrame:
    """
    Return the sides of events that do not move: ``event``, ``site``, ``station_lat``, ``station_lon`` [degrees], ``south``.

    Positions are the service's table's, or those in the names of custom locations, NaN where there is none; ``event`` is
    the row of the event.
    """
    table = bundled_sources().set_index("identifier")[["geodetic_lat", "geodetic_lon"]].astype("float64")
    sides = []
    for side in ("e1", "e2"):
        still = ~events[f"{side}_source_type"].isin([*SPACECRAFT, "event_list"]).to_numpy(bool, na_value=False)
        chosen = events[still]
        identifiers = pd.to_numeric(chosen[f"{side}_identifier"]).astype("Int64").fillna(-1).astype("int64")
        codes, names = pd.factorize(chosen[f"{side}_display_name"], use_na_sentinel=False)
        named = np.array([named_place(name) for name in names]).reshape(-1, 2)[codes]
        places = table.reindex(identifiers).to_numpy()
        places = np.where(np.isnan(places), named, places)
        types = model.category_codes(chosen["conjunction_type"], model.CONJUNCTION_TYPE).astype(np.int64)
        columns: dict[str, Any] = {
            "event": np.flatnonzero(still),
            "site": image_sites(chosen, np.full(len(chosen), side == "e1")).to_numpy(),
            "station_lat": places[:, 0],
            "station_lon": places[:, 1],
            "south": is_south(types, places[:, 0]),
        }
        sides.append(pd.DataFrame(columns))
    return pd.concat(sides, ignore_index=True)
