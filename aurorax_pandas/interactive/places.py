"""Where the events of a page are: stations, tracks of footprints and closest epochs, on a polar map for each hemisphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from aurorax_pandas.analysis.approach import sources_of_sides
from aurorax_pandas.analysis.labels import spacecraft_sides
from aurorax_pandas.ephemeris.tracks import Tracks
from aurorax_pandas.frame import model
from aurorax_pandas.interactive.rows import Drawn, Floats, Ints
from aurorax_pandas.plotting.map_tracks import (
    is_conjugate,
    is_south,
    joined_epochs,
    places_by_type,
    sides_on_map,
    tell_of_unplaced,
)
from aurorax_pandas.plotting.projection import azimuthal, box, coastline

if TYPE_CHECKING:
    import xarray as xr

#: How far from its pole a map shows the coast [degrees].
_REACH: Final = 75.0
_TYPES: Final = 4


class Panel(NamedTuple):
    """
    The map of one hemisphere.

    ``stations`` has a row for each place: ``site``, the number of its name, ``x``, ``y`` [km]; ``view`` are the left, right,
    bottom and top of what is shown; ``coast`` and ``graticule`` are lines; ``parallels`` are the words at some circles.
    """

    south: bool
    centre: tuple[float, float]
    stations: pd.DataFrame
    view: tuple[float, float, float, float]
    coast: list[Floats]
    graticule: list[Floats]
    parallels: list[tuple[float, float, str]]


class Places(NamedTuple):
    """
    All that maps show.

    ``sites`` are the names of stations, ``sides`` (shape (events, 2)) their numbers for each event, −1 where a side moves or
    has no place; ``closest`` (shape (2, events)) geodetic places [degrees] of the spacecraft at the closest epochs;
    ``tracks`` is what `_tracks` gives. Without an ephemeris the last two are None.
    """

    sites: list[str]
    sides: Ints
    panels: list[Panel]
    closest: Floats | None
    south: Any
    tracks: dict[str, Any] | None


def places_of(drawn: Drawn, ephemeris: xr.Dataset | None) -> Places:
    """Return where events are; with an ephemeris also the tracks of their spacecraft."""
    events = drawn.events
    stations = sides_on_map(events)
    stations["south"] = stations["station_lat"] < 0
    closest, south, tracks = None, np.zeros(len(events), bool), None
    if ephemeris is not None:
        closest, south, tracks, there = _on_ephemeris(events, ephemeris)
        # the ephemeris knows stations that the table lacks, and the conjugate points of the others
        at = there.reindex(stations["event"])
        for name in ("station_lat", "station_lon"):
            stations[name] = np.where(at["station_lat"].isna(), stations[name], at[name])
        stations["south"] = np.where(at["station_lat"].isna(), stations["south"], at["south"] == True)  # noqa: E712
    tell_of_unplaced(stations)
    stations = stations.dropna(subset=["station_lat", "site"])
    codes, names = pd.factorize(stations["site"], sort=True)
    stations["number"] = codes
    sides = np.full((len(events), 2), -1, np.int64)
    second = stations["event"].duplicated().to_numpy()
    sides[stations["event"].to_numpy(), second.astype(int)] = codes
    panels = []
    seen = set(stations["south"]) | (set(tracks["south"]) if tracks is not None else set())
    for part in sorted(seen) or [False]:
        there = stations[stations["south"] == part].drop_duplicates(["number"])
        rows = np.empty((2, 0)) if closest is None else closest[:, south == part]
        panels.append(_panel(bool(part), there, rows))
    if tracks is not None:
        _project(tracks, panels)
    return Places([str(name) for name in names], sides, panels, closest, south, tracks)


def _on_ephemeris(events: pd.DataFrame, ephemeris: xr.Dataset) -> tuple[Floats, Any, dict[str, Any], pd.DataFrame]:
    """Return the closest places, whether these are on the southern map, the tracks, and the places of stations."""
    first, second = spacecraft_sides(events)
    kept = np.flatnonzero(first | second)
    chosen, row = events.iloc[kept], np.arange(len(kept))
    tracks = Tracks(ephemeris, sources_of_sides(chosen))
    types = model.category_codes(chosen["conjunction_type"], model.CONJUNCTION_TYPE).astype(np.int64)
    last = max(len(tracks.epochs) - 1, 0)
    on_first, mixed = first[kept], (first != second)[kept]
    begin, _ = tracks.window(chosen["start"].to_numpy(), chosen["end"].to_numpy())
    station = np.where(on_first, row + len(kept), row)
    there = np.where(mixed, places_by_type(tracks, types, station, begin.clip(0, last)), np.nan)
    epochs = chosen["closest_epoch"].to_numpy()
    at, beyond = tracks.window(epochs, epochs)
    known = (beyond > at) & ~np.isnat(epochs)
    craft = np.where(on_first, row, row + len(kept))
    closest, south = np.full((2, len(events)), np.nan), np.zeros(len(events), bool)
    closest[:, kept] = np.where(known, places_by_type(tracks, types, craft, at.clip(0, last)), np.nan)
    south[kept] = is_south(types, np.where(mixed, there[0], closest[0, kept]))
    places = pd.DataFrame({"station_lat": there[0], "station_lon": there[1], "south": south[kept]}, index=kept)
    return closest, south, _tracks(chosen, kept, len(events), types, tracks), places


def _tracks(chosen: pd.DataFrame, kept: Ints, count: int, types: Ints, tracks: Tracks) -> dict[str, Any]:
    """
    Return the tracks of the spacecraft of events, one epoch before each to one after, each epoch of a spacecraft once.

    Returns
    -------
    dict
        Of places ``lat``, ``lon`` [degrees], ``south``, ``conjugate``, ``craft`` (a number among ``names``) and ``joined``
        (whether a line goes on to the next); of events ``first1`` and ``length1`` of the places of their first source,
        ``first2`` and ``length2`` of those of their second.
    """
    sides = spacecraft_sides(chosen)
    event = np.concatenate([np.flatnonzero(side) for side in sides])
    source = np.concatenate([np.flatnonzero(side) + number * len(chosen) for number, side in enumerate(sides)])
    start, stop = (chosen[name].to_numpy("M8[us]")[event] for name in ("start", "end"))
    first, past = tracks.window(start - tracks.step, stop + tracks.step)
    lengths = np.maximum(past - first, 0)
    begins = np.cumsum(lengths) - lengths
    epochs = max(len(tracks.epochs), 1)
    key = np.repeat((tracks.distinct(source) * _TYPES + types[event]) * epochs + first - begins, lengths)
    places, row, where = np.unique(key + np.arange(lengths.sum()), return_index=True, return_inverse=True)
    of = np.repeat(np.arange(len(source)), lengths)[row]
    kind, epoch = types[event[of]], places % epochs
    lat, lon = places_by_type(tracks, kind, source[of], epoch)
    far, south = is_conjugate(tracks, kind, source[of], epoch), is_south(kind, lat)
    line = (tracks.distinct(source[of]) * _TYPES + kind) * 4 + 2 * far + south
    of_events: dict[str, Any] = {}
    for number, side in enumerate(sides):
        rows = slice(0, sides[0].sum()) if number == 0 else slice(sides[0].sum(), None)
        sizes, starts = lengths[rows], begins[rows]
        whole = np.zeros((2, count), np.int64)
        whole[0, kept[side]] = sizes
        whole[1, kept[side][sizes > 0]] = where[starts[sizes > 0]]
        of_events |= {f"length{number + 1}": whole[0], f"first{number + 1}": whole[1]}
    names = np.concatenate([chosen[f"e{number + 1}_display_name"].astype("str") for number in (0, 1)])
    codes, crafts = pd.factorize(names[source[of]], sort=True)
    return {
        "lat": lat, "lon": lon, "south": south, "conjugate": far, "craft": codes, "names": [str(name) for name in crafts],
        "joined": joined_epochs(tracks.step, line, epoch, lat, lon), **of_events,
    }  # fmt: skip


def _project(tracks: dict[str, Any], panels: list[Panel]) -> None:
    """Put the places of tracks on the maps that show them [km]."""
    x, y = np.full(len(tracks["lat"]), np.nan), np.full(len(tracks["lat"]), np.nan)
    for panel in panels:
        rows = tracks["south"] == panel.south
        x[rows], y[rows] = azimuthal(tracks["lat"][rows], tracks["lon"][rows], panel.centre)
    tracks["x"], tracks["y"] = x, y


def _panel(south: bool, stations: pd.DataFrame, closest: Floats) -> Panel:
    pole = -90.0 if south else 90.0
    lat, lon = stations["station_lat"].to_numpy(np.float64), stations["station_lon"].to_numpy(np.float64)
    turned = np.radians(lon)
    middle = float(np.degrees(np.arctan2(np.sin(turned).sum(), np.cos(turned).sum()))) if len(lon) else 0.0
    centre = (pole, middle)
    x, y = azimuthal(lat, lon, centre)
    around = np.linspace(-180.0, 180.0, 73)
    # some land around a station, and the pole, tell where it is
    margin = [(np.clip(lat + shift, -89.9, 89.9), lon) for shift in (-6.0, 6.0)]
    held = [(np.array([pole]), np.array([0.0])), *margin, (closest[0], closest[1])]
    if not len(lat) and not np.isfinite(closest).any():
        held = [(np.full(73, np.sign(pole) * 55.0), around)]
    view = box(held, lambda lats, lons: azimuthal(lats, lons, centre))
    graticule, parallels = [], []
    for each in range(10, 90, 10):
        circle = np.full(73, np.sign(pole) * each)
        graticule.append(np.column_stack(azimuthal(circle, around, centre)))
        at = azimuthal(circle[:1], np.array([middle]), centre)
        parallels.append((float(at[0][0]), float(at[1][0]), f"{each}°{'S' if south else 'N'}"))
    for each in range(-180, 180, 30):
        up = np.sign(pole) * np.linspace(10.0, 80.0, 15)
        graticule.append(np.column_stack(azimuthal(up, np.full(15, float(each)), centre)))
    shown = pd.DataFrame({"site": stations["number"].to_numpy(np.int64), "x": x, "y": y})
    return Panel(south, centre, shown, view, _coast(centre), graticule, parallels)


def _coast(centre: tuple[float, float]) -> list[Floats]:
    lat, lon, line = coastline()
    near = np.abs(lat - centre[0]) < _REACH
    points = np.column_stack(azimuthal(lat[near], lon[near], centre))
    # a coast that leaves the map and comes back is two lines
    cut = (np.diff(line[near]) != 0) | (np.diff(np.flatnonzero(near)) != 1)
    return [part for part in np.split(points, np.flatnonzero(cut) + 1) if len(part) > 1]
