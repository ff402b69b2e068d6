"""The map: stations with their fields of view, tracks of footprints, closest points; or stations with counts."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.approach import EMISSION_ALTITUDE, read_emission_altitude, rows_of_events, sources_of_sides
from aurorax_pandas.analysis.labels import labelled_events, spacecraft_sides
from aurorax_pandas.checks import as_list, checked_number
from aurorax_pandas.ephemeris.coverage import check_spans, telling_of_gaps
from aurorax_pandas.ephemeris.dataset import check_ephemeris
from aurorax_pandas.plotting import colors, contract, map_marks, scale
from aurorax_pandas.plotting.legend import colored_names, groups_that_fit, legend_above
from aurorax_pandas.plotting.map_tracks import (
    Points,
    events_on_map,
    points_on_map,
    sides_on_map,
    stations_on_map,
    tell_of_unplaced,
)
from aurorax_pandas.plotting.picture import Picture, held_picture, picture_on
from aurorax_pandas.plotting.projection import (
    Place,
    Projection,
    azimuthal,
    box,
    centre_of,
    circle,
    draw_coast,
    fit_to_places,
    map_projection,
)
from aurorax_pandas.plotting.room import make_room
from aurorax_pandas.plotting.rows import counted_things, refuse_summed, refuse_turned

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

#: A map: its Axes, what these hold, and its projection.
Panel = tuple["Axes", Picture, Projection]

_WIDTH = 7.6
_NO_STATION = "no pair of a station and a spacecraft"
_NO_PLACE = "the places of the stations are not known"


@contract.shared_parameters
@telling_of_gaps
def plot_map(
    df: pd.DataFrame,
    /,
    ephemeris: xr.Dataset | None = None,
    by: str = "spacecraft",
    ax: Axes | None = None,
    *,
    elevations: Sequence[float] = (10.0, 20.0),
    emission_altitude: float = EMISSION_ALTITUDE,
    palette: colors.Palette | None = None,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    figsize: Sequence[float] | None = None,
    title: str | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> Axes:
    """
    Draw a map: with an ephemeris the tracks of footprints over the stations, without one the stations with counts.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. With an ephemeris, pairs of a station and a spacecraft are drawn.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were. Stations that it lacks are taken from the service's table.
    by : {"spacecraft", "pair", "site", "station"} or a column, default "spacecraft"
        What colours the tracks; where there are more than the legend has room for, the most frequent have one.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into, plain ones or cartopy's; by default a new figure. Where they hold a map, tracks are added, and
        counts are summed up; what is in the other hemisphere gets a map of its own beside it, in half of its place.
    elevations : sequence of float, default (10, 20)
        Elevations above the horizon [degrees] to draw as circles around stations.
    emission_altitude : float, default 110.0
        Altitude [km] for which the circles hold; 230 for the red line.
    cmap : str or matplotlib.colors.Colormap, optional
        Colours of counts, without an ephemeris.
    vmin, vmax : float, optional
        Ends of the colour bar of counts.
    **kwargs
        Properties of the tracks, a `matplotlib.collections.LineCollection`; without an ephemeris of the stations, a
        `matplotlib.collections.PathCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        An azimuthal equidistant map in geodetic latitude, centred on the stations, with the coast: cartopy's Axes where
        it is installed, else plain ones. Where footprints are in both hemispheres, each has a map centred on its pole;
        the northern is returned, or the Axes that were given, and the southern is the next of the figure's Axes. Tracks end in an arrow head and tell
        some instants (UTC). Of conjugate conjunctions the tracks are dashed and the marks hollow. A ring is the
        published closest epoch, a diamond the interpolated closest approach.

    Raises
    ------
    AuroraxInputError
        If `by` names no column, an elevation is not from 0 to below 90, or `emission_altitude` is no altitude; or if
        the Axes hold another picture, or with an ephemeris a row ends before it starts.

    Warns
    -----
    AuroraxDataWarning
        If stations are left out without an ephemeris, since their place is not known.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(2)
    >>> ax = df.aurorax.plot.map(aurorax_pandas.load_sample_ephemeris())
    >>> [text.get_text() for text in ax.texts if text.get_text() == "GILL"]
    ['GILL']
    """
    from matplotlib.collections import LineCollection, PathCollection

    angles = [
        checked_number("elevations", each, lambda angle: 0 <= angle < 90, "degrees from 0 to below 90")
        for each in as_list(elevations)
    ]
    altitude = read_emission_altitude(emission_altitude)
    given = contract.checked_axes(ax, "map", even="xy")
    contract.check_words(title, legend)
    if ephemeris is None:
        own = contract.checked_keywords(
            plot_map, PathCollection, kwargs, lambda **some: PathCollection([], **some), ("norm",)
        )
    else:
        own = contract.checked_keywords(plot_map, LineCollection, kwargs, lambda **some: LineCollection([], **some))
        check_ephemeris(ephemeris)
    chosen = colors.checked_palette(palette)
    held_picture(given, "map")
    scaling = own.pop("norm", None)
    limits = scale.checked_limits(given, "map", "count", cmap, vmin, vmax, scaling)
    if ephemeris is None:
        colors.tell_idle("a map without ephemeris= draws counts; give cmap= for their colours", palette=palette)
    else:
        why = "a map with ephemeris= draws tracks and no counts; give palette= for their colours"
        colors.tell_idle(why, cmap=cmap, vmin=vmin, vmax=vmax)
    contract.checked_figsize(given, figsize)
    refuse_summed(df, "map")
    events, labels = labelled_events(df, by, "map")
    reach = max([geometry.viewing_radius(each, altitude) for each in angles], default=300.0)
    if ephemeris is None:
        earlier = held_picture(given, "map")
        what = counted_things(df, events, None if earlier is None else earlier.held.get("what"))
        stations = stations_on_map(events)
        lacking = tell_of_unplaced(sides_on_map(events))
        parts = {south: stations[stations["south"] == south] for south in sorted(set(stations["south"]))} or {
            False: stations
        }
        panels = _new_panels(given, {south: _held(part, None, reach) for south, part in parts.items()}, parts, figsize)
        for south, part in parts.items():
            panels[south][1].held["what"] = what
            nothing = _NO_PLACE if lacking else _NO_STATION if len(events) else "no conjunctions"
            _draw_counts(*panels[south], part, angles, altitude, limits, own, what if legend else None, nothing)
        return _finished(given, panels, title, figsize, legend=legend)
    first, second = spacecraft_sides(events)
    mixed = first != second
    refuse_turned("map", events[mixed])
    between = events[mixed]
    check_spans("map", between, rows_of_events(df, events)[mixed], ephemeris, sources_of_sides(between))
    everyone = [str(name) for name in labels.cat.categories]
    colors.tell_misspelt(chosen, everyone)
    labels, others = colors.foremost(
        labels, 8 if given is None else groups_that_fit(given, everyone), colored_names(given), chosen
    )
    found, tracks = events_on_map(events, labels.cat.codes.to_numpy().astype(np.int64), ephemeris, altitude)
    parts = {south: found[found["south"] == south] for south in sorted(set(found["south"]))} or {False: found}
    drawn = {south: points_on_map(part, tracks) for south, part in parts.items()}
    held = {south: _held(part, drawn[south], reach) for south, part in parts.items()}
    panels = _new_panels(given, held, parts, figsize)
    weight = float(np.clip(12.0 / np.sqrt(max(len(found), 1)), 0.35, 1.4))
    names = [str(name) for name in labels.cat.categories]
    for south, part in parts.items():
        axes, picture, project = panels[south]
        known = map_marks.known_stations(part)
        looks = colors.looks(names, axes, chosen, others)
        _name_colors(picture, looks)
        map_marks.draw_horizons(axes, picture, project, known, angles, altitude)
        map_marks.draw_stations(axes, picture, project, known)
        order = list(looks.values())
        map_marks.draw_tracks(
            axes, picture, project, drawn[south], order, own, weight * min(contract.panel_points(axes)[0] / 400.0, 1.0)
        )
        map_marks.draw_closest(axes, picture, project, part, order, weight)
        map_marks.draw_directions(axes, project, drawn[south], order)
        if not len(part):
            contract.draw_nothing(axes, _NO_STATION if len(events) else "no conjunctions")
    for south, part in parts.items():
        panels[south][1].held.setdefault("stations", []).append(map_marks.known_stations(part))
        panels[south][1].held.setdefault("points", []).append(drawn[south])
    return _finished(given, panels, title, figsize, legend=legend)


def _finished(given: Axes | None, panels: dict[bool, Panel], title: str | None, figsize: Any, *, legend: bool) -> Axes:
    """Write the legend, the title, names and instants, and return the Axes that were given, or else the first."""
    front = next(iter(panels.values()))[0] if given is None else given
    picture = _picture_of(front)
    for _, other, _ in panels.values():
        picture.marks |= other.marks
        picture.colors |= other.colors
    if legend:
        legend_above(front, picture)
    axes = contract.finish(front, title, figsize)
    for each in (front, *picture.held.get("beside", [])):
        held = _picture_of(each)
        map_marks.write_words(each, held, Projection(each, held.held["centre"]))
    return axes


def _picture_of(axes: Axes) -> Picture:
    """Return the map that Axes hold."""
    return cast("Picture", held_picture(axes, "map"))


def _name_colors(picture: Picture, looks: dict[str, colors.Look]) -> None:
    from matplotlib.lines import Line2D

    for name, look in looks.items():
        picture.colors[name] = Line2D([], [], color=look.color, linewidth=2, linestyle=look.dashes)


def _held(stations: pd.DataFrame, points: Points | None, reach: float) -> list[Place]:
    """Return the places [degrees] that a map must hold: horizons, minutes in range, closest points."""
    known = stations.dropna(subset=["station_lat"]).drop_duplicates(["station_lat", "station_lon"])
    lat, lon = known["station_lat"].to_numpy(), known["station_lon"].to_numpy()
    around = circle(lat, lon, 1.08 * reach)
    places = [(around[0].ravel(), around[1].ravel())]
    if points is not None:
        places.append((points.lat[points.inside], points.lon[points.inside]))
        for part in ("closest", "approach"):
            there = stations.dropna(subset=[f"{part}_lat"])
            places.append((there[f"{part}_lat"].to_numpy(), there[f"{part}_lon"].to_numpy()))
    if not any(len(each[0]) for each in places):
        pole = 90.0 if not stations.get("south", pd.Series(dtype=bool)).any() else -90.0
        places.append(circle(pole, 0.0, 3000.0))
    return places


def _new_panels(
    given: Axes | None, held: dict[bool, list[Place]], parts: dict[bool, pd.DataFrame], figsize: Any
) -> dict[bool, Panel]:
    """Return the map of each hemisphere that occurs: its Axes, what these hold, and its projection."""
    panels: dict[bool, Panel] = {}
    homes = _held_hemispheres(given)
    both = len({*held, *homes}) > 1
    for south, places in held.items():
        known = parts[south].dropna(subset=["station_lat"])
        middle = centre_of(known["station_lat"].to_numpy(), known["station_lon"].to_numpy())
        centre = ((-90.0 if south else 90.0), middle[1]) if both else middle
        # a frame of no place has no hemisphere, and is told of where it is drawn
        axes = given if not len(parts[south]) and homes else homes.get(south)
        if axes is None and homes:
            first = given if given is not None else next(iter(homes.values()))
            axes = _second_axes(first, centre)
        elif axes is None:
            left, right, bottom, top = box(places, functools.partial(azimuthal, centre=centre))
            height = min(_WIDTH * (top - bottom) / (right - left) / len(held) + 1.3, 9.0)
            axes = contract.new_axes(given, figsize, height, _WIDTH, **map_projection(centre))
        axes.set_aspect("equal")
        is_new = held_picture(axes, "map") is None
        picture = picture_on(axes, "map")
        if is_new:
            picture.held["ours"] = given is None
        elif len(parts[south]) and "south" not in picture.held:
            # a map of nothing has no place yet
            is_new = _turn(axes, picture, centre)
        centre = picture.held.setdefault("centre", centre)
        kept = picture.held.setdefault("places", [])
        if len(parts[south]):
            kept.extend(places)
        project = Projection(axes, centre)
        if is_new:
            draw_coast(axes, project)
        fit_to_places(axes, project, kept or places)
        panels[south] = axes, picture, project
        if len(parts[south]):
            homes[south] = axes
            picture.held["south"] = south
    if both:
        _name_hemispheres(homes)
    return panels


def _turn(axes: Any, picture: Picture, centre: tuple[float, float]) -> bool:
    """Centre a map on which nothing is, and take its coast away; tell whether it was done: projections of users stay."""
    if hasattr(axes, "projection"):
        if not picture.held["ours"]:
            return False
        axes.projection = map_projection(centre)["projection"]
    picture.held["centre"] = centre
    for old in [each for each in axes.collections if each.get_gid() == "coast"]:
        old.remove()
    return True


def _held_hemispheres(axes: Axes | None) -> dict[bool, Axes]:
    """Return the Axes of each hemisphere of a map of earlier calls: these, and those beside them."""
    picture = held_picture(axes, "map")
    found = [] if axes is None or picture is None else [axes, *picture.held.get("beside", [])]
    pictures = [(each, held_picture(each, "map")) for each in found]
    return {one.held["south"]: each for each, one in pictures if one is not None and "south" in one.held}


def _name_hemispheres(homes: dict[bool, Axes]) -> None:
    """Write on both maps of a pair which it is, let each know the other, and fit the one that was there to its new place."""
    for south, axes in homes.items():
        picture = _picture_of(axes)
        picture.held["beside"] = [each for each in homes.values() if each is not axes]
        if "words" in picture.held:
            continue
        picture.held["words"] = axes.text(
            0.02, 0.02, f"{'southern' if south else 'northern'} hemisphere", transform=axes.transAxes, zorder=6,
            fontsize=contract.letter_size(axes, "xtick.labelsize", 8.0),
            bbox={"facecolor": axes.get_facecolor(), "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        )  # fmt: skip
        fit_to_places(axes, Projection(axes, picture.held["centre"]), picture.held["places"])


def _second_axes(first: Axes, centre: tuple[float, float]) -> Axes:
    """Return Axes for the map of the other hemisphere, which have half of the first one's place."""
    figure = contract.figure_of(first)
    keywords = map_projection(centre) if hasattr(first, "projection") else {}
    place = first.get_subplotspec()
    if place is not None:
        halves = place.subgridspec(1, 2)
        first.set_subplotspec(halves[0])
        axes: Axes = figure.add_subplot(halves[1], **keywords)
        make_room(axes)
        return axes
    at = first.get_position(original=True)
    first.set_position((at.x0, at.y0, 0.47 * at.width, at.height))
    return figure.add_axes((at.x0 + 0.53 * at.width, at.y0, 0.47 * at.width, at.height), **keywords)


def _draw_counts(
    axes: Axes, picture: Picture, project: Projection, stations: pd.DataFrame, angles: Sequence[float], altitude: float,
    limits: scale.Limits, own: dict[str, Any], what: str | None, nothing: str,
) -> None:  # fmt: skip
    """Draw stations by their events in all calls, with a legend that says what these are, if asked; or why there are none."""
    if not len(stations):
        contract.draw_nothing(axes, nothing)
        return
    picture.held.setdefault("stations", []).append(stations)
    counted = map_marks.stations_of(picture).dropna(subset=["count"])
    map_marks.draw_horizons(axes, picture, project, stations, angles, altitude)
    counts = counted["count"].to_numpy(np.float64)
    x, y = project(counted["station_lat"].to_numpy(), counted["station_lon"].to_numpy())
    cmap, norm = scale.scaled(axes, picture, "count", np.append(counts, 1.0), limits)
    area = (30.0 + 130.0 * counts / max(counts.max(), 1.0)) * min(contract.panel_points(axes)[0] / 500.0, 1.0)
    look: dict[str, Any] = {"linewidths": 0.8, "edgecolors": colors.ink(axes), "zorder": 4}
    if "counts" in picture.held:
        picture.held["counts"].remove()
    drawn = picture.held["counts"] = axes.scatter(x, y, s=area, c=counts, cmap=cmap, norm=norm, **look)
    drawn.set(**own)
    if what is not None:
        scale.color_bar(axes, picture, what, counts)
