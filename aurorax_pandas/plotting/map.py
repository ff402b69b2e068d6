"""The map: stations with their fields of view, tracks of footprints, closest points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.approach import EMISSION_ALTITUDE, rows_of_events, sources_of_sides
from aurorax_pandas.analysis.images import event_tracks
from aurorax_pandas.analysis.labels import labelled_events, spacecraft_sides
from aurorax_pandas.checks import as_list, checked_number
from aurorax_pandas.ephemeris.coverage import check_spans
from aurorax_pandas.plotting import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]
Project = Callable[[Any, Any], tuple[Array, Array]]

_STEPS: Final = ("-", (0, (4, 2)), ":", "-.")


def plot_map(
    df: pd.DataFrame,
    ephemeris: xr.Dataset,
    by: str = "spacecraft",
    ax: Axes | None = None,
    *,
    elevations: Sequence[float] = (10.0, 20.0),
    emission_altitude: float = EMISSION_ALTITUDE,
) -> Axes:
    """
    Draw stations with their fields of view, tracks of footprints with a dot a minute, and the closest points.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Pairs of a ground source and a spacecraft are drawn.
    ephemeris : xarray.Dataset
        Where the spacecraft were. Stations that it lacks are taken from the service's table.
    by : {"spacecraft", "pair", "site"} or a column, default "spacecraft"
        What colours the tracks; where there are more than colours, the most frequent have one.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into, plain ones or cartopy's; by default a new figure.
    elevations : sequence of float, default (10, 20)
        Elevations above the horizon [degrees] to draw as circles around stations.
    emission_altitude : float, default 110.0
        Altitude [km] for which the circles hold; 230 for the red line.

    Returns
    -------
    matplotlib.axes.Axes
        An azimuthal equidistant map in geodetic latitude, centred on the stations: cartopy's axes where it is
        installed (with coastlines where it has them on disk; ``ax.coastlines()`` downloads them), else plain ones with a
        graticule. A large ring is the published closest epoch, a diamond the interpolated closest approach.

    Raises
    ------
    AuroraxInputError
        If `by` names no column, an elevation is not from 0 to below 90, or `emission_altitude` is no altitude.
    AuroraxDataError
        If the ephemeris covers no row.

    Warns
    -----
    AuroraxDataWarning
        If the ephemeris covers some rows only: how many it does not, and why.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(2)
    >>> ax = df.aurorax.plot.map(aurorax_pandas.load_sample_ephemeris())
    >>> [text.get_text() for text in ax.texts if text.get_text() == "GILL"]
    ['GILL']
    """
    angles = [
        checked_number("elevations", each, lambda angle: 0 <= angle < 90, "degrees from 0 to below 90")
        for each in as_list(elevations)
    ]
    events, labels = labelled_events(df, by, "map")
    first, second = spacecraft_sides(events)
    drawn = events[first != second]
    check_spans("map", drawn, rows_of_events(df, events)[first != second], ephemeris, sources_of_sides(drawn))
    tracks = event_tracks(events, ephemeris, emission_altitude)
    labels = style.foremost(labels, len(style.palette())).iloc[tracks["event"].to_numpy()].reset_index(drop=True)
    stations = tracks.dropna(subset=["station_lat"]).drop_duplicates(["site", "station_lat", "station_lon"])
    centre = _centre(stations)
    reach = max([geometry.viewing_radius(each, emission_altitude) for each in angles], default=300.0)
    held = [_circle(lat, lon, 1.08 * reach) for lat, lon in _places(stations)] or [_circle(*centre, 3000.0)]
    held += _in_range(tracks)
    left, right, bottom, top = _box(held, lambda lat, lon: _azimuthal(lat, lon, centre))
    axes, project = _new_map(ax, centre, (top - bottom) / (right - left))
    handles = _draw_stations(axes, project, stations, angles, emission_altitude)
    colors = style.category_colors(labels)
    handles += _draw_tracks(axes, project, tracks, labels, colors)
    _fit_to_places(axes, project, held)
    if not len(tracks):
        axes.text(0.5, 0.5, "no conjunctions", transform=axes.transAxes, ha="center", va="center")
    style.legend_above(axes, handles, f"Fields of view at {emission_altitude:g} km")
    return axes


def _centre(stations: pd.DataFrame) -> tuple[float, float]:
    if stations.empty:
        return 90.0, 0.0
    mean = geometry.unit_vectors(stations["station_lat"], stations["station_lon"]).mean(axis=1)
    lat, lon = geometry.degrees(mean)
    return float(np.round(lat)), float(np.round(lon))


def _places(stations: pd.DataFrame) -> Array:
    return stations[["station_lat", "station_lon"]].to_numpy(np.float64)


def _in_range(tracks: pd.DataFrame) -> list[tuple[Array, Array]]:
    """Return the places [degrees] of the conjunctions: each minute, closest epochs, closest approaches."""
    places = [(lat[at], lon[at]) for lat, lon, at in zip(tracks["lat"], tracks["lon"], tracks["minute"], strict=True)]
    for part in ("closest", "approach"):
        known = tracks.dropna(subset=[f"{part}_lat"])
        places.append((known[f"{part}_lat"].to_numpy(), known[f"{part}_lon"].to_numpy()))
    return places


def _new_map(ax: Axes | None, centre: tuple[float, float], ratio: float) -> tuple[Axes, Project]:
    """Return the axes, and what turns latitudes and longitudes into their coordinates."""
    axes, height = ax, min(7.2 * ratio + 1.3, 9.0)
    if axes is None:
        try:
            from cartopy.crs import AzimuthalEquidistant
        except ImportError:
            axes = style.new_axes(None, height, 7.6)
        else:
            axes = style.new_axes(
                None,
                height,
                7.6,
                projection=AzimuthalEquidistant(central_longitude=centre[1], central_latitude=centre[0]),
            )
    axes.set_aspect("equal")
    projection: Any = getattr(axes, "projection", None)
    if projection is None:
        return axes, lambda lat, lon: _azimuthal(lat, lon, centre)
    from cartopy.crs import Geodetic

    def project(lat: Any, lon: Any) -> tuple[Array, Array]:
        lats, lons = np.broadcast_arrays(np.asarray(lat, np.float64), np.asarray(lon, np.float64))
        points = projection.transform_points(Geodetic(), lons, lats)
        return points[..., 0], points[..., 1]

    return axes, project


def _azimuthal(lat: Any, lon: Any, centre: tuple[float, float]) -> tuple[Array, Array]:
    """Project onto the azimuthal equidistant map [km]; J. P. Snyder, USGS Professional Paper 1395, p. 195 (1987)."""
    vectors = geometry.unit_vectors(lat, lon)
    up = geometry.unit_vectors(*centre)
    lam, phi = np.radians(centre[1]), np.radians(centre[0])
    east = np.array([-np.sin(lam), np.cos(lam), 0.0])
    north = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    x, y, z = (np.tensordot(axis, vectors, 1) for axis in (east, north, up))
    across = np.hypot(x, y)
    scale = geometry.EARTH_RADIUS * np.arctan2(across, z) / np.where(across > 0, across, 1.0)
    return x * scale, y * scale


def _circle(lat: float, lon: float, radius: float) -> tuple[Array, Array]:
    """Return the places [degrees] at a distance [km] from one."""
    bearing, angle = np.linspace(0.0, 2 * np.pi, 121), radius / geometry.EARTH_RADIUS
    phi, lam = np.radians(lat), np.radians(lon)
    latitude = np.arcsin(np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing))
    turned = np.arctan2(np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * np.sin(latitude))
    return np.degrees(latitude), np.degrees(lam + turned)


def _draw_stations(
    axes: Axes, project: Project, stations: pd.DataFrame, elevations: Sequence[float], altitude: float
) -> list[Any]:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.0, foreground=axes.get_facecolor())]
    grey = "0.65" if style.is_dark(axes) else "0.45"
    ink = axes.xaxis.label.get_color()
    handles = []
    places = _places(stations)
    for number, elevation in enumerate(elevations):
        radius = geometry.viewing_radius(elevation, altitude)
        lines = [np.stack(project(*_circle(lat, lon, radius)), axis=-1) for lat, lon in places]
        look: dict[str, Any] = {"linestyle": _STEPS[number % len(_STEPS)], "linewidth": 0.8}
        axes.add_collection(LineCollection(lines, colors=grey, **look), autolim=False)
        if lines:
            handles.append(Line2D([], [], color=grey, label=f"elevation {elevation:g}°", **look))
    if len(places):
        x, y = project(places[:, 0], places[:, 1])
        axes.plot(x, y, linestyle="none", marker="^", markersize=5, color=ink, zorder=4)
        handles.append(Line2D([], [], linestyle="none", marker="^", markersize=5, color=ink, label="station"))
        sites: dict[tuple[float, float], str] = {}
        for (east, north), site in zip(np.stack([x, y], axis=-1).tolist(), stations["site"], strict=True):
            sites.setdefault((round(east, -1), round(north, -1)), str(site))
        for place, site in sites.items():
            axes.annotate(
                site, place, (4, 4), textcoords="offset points", fontsize=7, color=ink, zorder=5, clip_on=True,
                path_effects=halo,
            )  # fmt: skip
    return handles


def _draw_tracks(
    axes: Axes, project: Project, tracks: pd.DataFrame, labels: pd.Series[str], colors: dict[str, Any]
) -> list[Any]:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    handles = []
    weight = float(np.clip(12.0 / np.sqrt(max(len(tracks), 1)), 0.35, 1.4))
    for name, color in colors.items():
        mine = tracks[(labels == name).to_numpy()]
        lines, dots = [], []
        for lat, lon, minute in zip(mine["lat"], mine["lon"], mine["minute"], strict=True):
            x, y = project(lat, lon)
            lines.append(np.stack([x, y], axis=-1))
            dots.append(lines[-1][minute])
        axes.add_collection(LineCollection(lines, colors=[color], linewidths=weight, alpha=0.9), autolim=False)
        if dots:
            minutes = np.concatenate(dots)
            axes.plot(minutes[:, 0], minutes[:, 1], linestyle="none", marker="o", markersize=1.9 * weight, color=color)
        for part, marker, size, face in (("closest", "o", 7.0, "none"), ("approach", "D", 4.0, axes.get_facecolor())):
            x, y = project(mine[f"{part}_lat"].to_numpy(), mine[f"{part}_lon"].to_numpy())
            axes.plot(
                x, y, linestyle="none", marker=marker, markersize=size * np.sqrt(weight / 1.4), markerfacecolor=face,
                markeredgecolor=color, zorder=3,
            )  # fmt: skip
        handles.append(Line2D([], [], color=color, linewidth=2, label=name))
    ink = axes.xaxis.label.get_color()
    known = {"each minute": tracks["minute"].map(len) > 0, "closest epoch": tracks["closest_lat"].notna(),
             "interpolated": tracks["approach_lat"].notna()}  # fmt: skip
    for marker, size, words in (("o", 2.5, "each minute"), ("o", 7.0, "closest epoch"), ("D", 4.5, "interpolated")):
        if known[words].any():
            face = ink if size < 3 else "none"
            handles.append(
                Line2D([], [], linestyle="none", marker=marker, markersize=size, markerfacecolor=face,
                       markeredgecolor=ink, label=words)
            )  # fmt: skip
    return handles


def _box(places: Sequence[tuple[Array, Array]], project: Project) -> tuple[float, float, float, float]:
    """Return the left, right, bottom and top that hold all places."""
    x, y = (np.concatenate(parts) for parts in zip(*(project(*each) for each in places), strict=True))
    # a narrow map would leave no room for the words above it
    half = max(np.ptp(x), np.ptp(y)) * 0.35
    sides = []
    for values in (x, y):
        middle, reach = (values.min() + values.max()) / 2, max(0.53 * np.ptp(values), half)
        sides += [float(middle - reach), float(middle + reach)]
    return sides[0], sides[1], sides[2], sides[3]


def _fit_to_places(axes: Axes, project: Project, places: Sequence[tuple[Array, Array]]) -> None:
    """Let the map hold all places, and draw the graticule."""
    left, right, bottom, top = _box(places, project)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    if hasattr(axes, "projection"):
        _draw_cartopy(axes)
    else:
        lats = np.concatenate([lat for lat, _ in places])
        _draw_graticule(axes, project, 5 if np.ptp(lats) < 30 else 10)


def _draw_cartopy(axes: Any) -> None:
    from pathlib import Path

    import cartopy

    look = {"size": 7, "color": axes.xaxis.label.get_color()}
    lines = axes.gridlines(
        draw_labels={"left": "y", "bottom": "x"}, linewidth=0.5, alpha=0.4, xlabel_style=look, ylabel_style=look
    )
    lines.rotate_labels = False
    # cartopy would download the coastlines while it draws
    folders = [cartopy.config["data_dir"], cartopy.config["pre_existing_data_dir"]]
    name = Path("shapefiles/natural_earth/physical/ne_110m_coastline.shp")
    if any(folder and (Path(folder) / name).exists() for folder in folders):
        axes.coastlines("110m", linewidth=0.6, color="0.5")


def _draw_graticule(axes: Axes, project: Project, step: int) -> None:
    from matplotlib.collections import LineCollection

    axes.set_xticks([])
    axes.set_yticks([])
    box = (*axes.get_xlim(), *axes.get_ylim())
    along = np.linspace(-180.0, 180.0, 721)
    up = np.linspace(-90.0, 90.0, 721)
    lines = []
    for lat in range(-90 + step, 90, step):
        line = np.stack(project(np.full(721, float(lat)), along), axis=-1)
        lines.append(line)
        _write_graticule(axes, line, box, "left", f"{abs(lat)}°{'N' if lat > 0 else 'S' if lat < 0 else ''}")
    for lon in range(-180, 180, 2 * step):
        line = np.stack(project(np.where(np.abs(up) <= 90 - step, up, np.nan), np.full(721, float(lon))), axis=-1)
        lines.append(line)
        _write_graticule(axes, line, box, "bottom", f"{abs(lon)}°{'E' if lon > 0 else 'W' if lon < 0 else ''}")
    axes.add_collection(
        LineCollection(lines, colors=axes.xaxis.label.get_color(), linewidths=0.5, alpha=0.25, zorder=0), autolim=False
    )


def _write_graticule(axes: Axes, line: Array, box: tuple[float, ...], side: str, words: str) -> None:
    """Write the words where a line of the graticule crosses a side of the box."""
    left, right, bottom, top = box
    across, along = (0, 1) if side == "left" else (1, 0)
    edge = left if side == "left" else bottom
    low, high = (bottom, top) if side == "left" else (left, right)
    before, after = line[:-1], line[1:]
    # a line that jumps through the far side of the Earth does not cross
    near = np.hypot(*(after - before).T) < 0.2 * (right - left)
    crossing = np.flatnonzero(near & ((before[:, across] - edge) * (after[:, across] - edge) <= 0))
    for at in crossing:
        place = line[at, along]
        if low + 0.02 * (high - low) < place < high - 0.02 * (high - low):
            where = (edge, place) if side == "left" else (place, edge)
            offset = (-3, 0) if side == "left" else (0, -3)
            look: dict[str, Any] = {"ha": "right", "va": "center"} if side == "left" else {"ha": "center", "va": "top"}
            axes.annotate(words, where, offset, textcoords="offset points", fontsize=7, **look)
            return
