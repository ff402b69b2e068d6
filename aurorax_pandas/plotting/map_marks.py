"""Marks of the map: stations and their horizons, tracks with their directions and times, closest points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.plotting import colors, contract
from aurorax_pandas.plotting.map_tracks import Points
from aurorax_pandas.plotting.picture import Picture
from aurorax_pandas.plotting.projection import Projection, circle
from aurorax_pandas.plotting.words import literal, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS: Final = ("-", (0, (4, 2)), ":", "-.")
#: Most tracks that have arrows, and most times that are written along them.
_MOST_ARROWS: Final = 250
_MOST_TIMES: Final = 24
_DASHED: Final = (0, (2.5, 1.5))

Array = npt.NDArray[np.float64]


def draw_horizons(
    axes: Axes,
    picture: Picture,
    project: Projection,
    stations: pd.DataFrame,
    elevations: Sequence[float],
    altitude: float,
) -> None:
    """Draw circles around stations, where they see the sky at elevations [degrees] and an altitude [km]."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    grey = "0.65" if colors.is_dark(axes) else "0.45"
    places = stations[["station_lat", "station_lon"]].to_numpy(np.float64)
    for number, elevation in enumerate(elevations if len(places) else ()):
        lat, lon = circle(places[:, 0], places[:, 1], geometry.viewing_radius(elevation, altitude))
        run = np.repeat(np.arange(len(places)), lat.shape[1])
        lines, _ = project.lines(lat.ravel(), lon.ravel(), run)
        look: dict[str, Any] = {"linestyle": _STEPS[number % len(_STEPS)], "linewidth": 0.8}
        axes.add_collection(LineCollection(lines, colors=grey, **look), autolim=False)
        picture.marks[f"elevation {elevation:g}° ({altitude:g} km)"] = Line2D([], [], color=grey, **look)


def draw_stations(axes: Axes, picture: Picture, project: Projection, stations: pd.DataFrame) -> None:
    """Draw a triangle for each station, with its name."""
    from matplotlib.lines import Line2D

    ink = colors.ink(axes)
    if len(stations):
        x, y = project(stations["station_lat"].to_numpy(), stations["station_lon"].to_numpy())
        look: dict[str, Any] = {
            "linestyle": "none",
            "marker": "^",
            "markersize": 5,
            "color": ink,
            "markeredgewidth": 0.5,
        }
        axes.plot(x, y, zorder=4, **look)
        picture.marks["station"] = Line2D([], [], **look)
        write_names(axes, x, y, stations["site"].astype("str").tolist())


def write_names(axes: Axes, x: Array, y: Array, names: Sequence[str], beside: float = 4.0) -> None:
    """
    Write names beside places, each name once, where there is room around its place.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The map.
    x, y : ndarray of float64
        The places on it.
    names : sequence of str
        Their names.
    beside : float, default 4.0
        How far beside [points].
    """
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.0, foreground=axes.get_facecolor())]
    size = contract.letter_size(axes, "xtick.labelsize", 7.0)
    points = 0.8 * contract.panel_points(axes)[0] / np.ptp(axes.get_xlim())
    view = tuple(side * points for side in (*axes.get_xlim(), *axes.get_ylim()))
    seen: dict[tuple[float, float], str] = {}
    for east, north, name in zip(x.tolist(), y.tolist(), names, strict=True):
        seen.setdefault((round(east, -1), round(north, -1)), name)
    taken = [(east * points - 3, north * points - 3, east * points + 3, north * points + 3) for east, north in seen]
    for place, name in seen.items():
        width = text_width(name, size)
        boxes = {
            (right, up): _name_box(place[0] * points, place[1] * points, width, size, right * beside, up * beside)
            for right, up in ((1, 1), (-1, 1), (1, -1), (-1, -1))
        }
        free = (
            each
            for each, found in boxes.items()
            if _within(found, view) and not any(_overlap(found, one) for one in taken)
        )
        side = next(free, (1, 1))
        taken.append(boxes[side])
        axes.annotate(
            literal(name), place, (side[0] * beside, side[1] * beside), textcoords="offset points", fontsize=size,
            ha="left" if side[0] > 0 else "right", va="bottom" if side[1] > 0 else "top", color=colors.ink(axes), zorder=5,
            clip_on=True, annotation_clip=True, path_effects=halo,
        )  # fmt: skip


def _name_box(
    x: float, y: float, width: float, height: float, dx: float, dy: float
) -> tuple[float, float, float, float]:
    left, low = x + dx - (width if dx < 0 else 0.0), y + dy - (height if dy < 0 else 0.0)
    return left, low, left + width, low + height


def _within(one: tuple[float, float, float, float], view: tuple[float, ...]) -> bool:
    return view[0] < one[0] and one[2] < view[1] and view[2] < one[1] and one[3] < view[3]


def _overlap(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def draw_tracks(
    axes: Axes, picture: Picture, project: Projection, points: Points, looks: Sequence[colors.Look], own: dict[str, Any],
    weight: float,
) -> None:  # fmt: skip
    """Draw tracks, a dot at each minute in range; those of conjugate conjunctions dashed and hollow."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    lines, starts = project.lines(points.lat, points.lon, points.run)
    label, far = points.label[starts], points.conjugate[starts]
    rasterized = len(points.lat) > 10 * contract.RASTERISED_FROM
    back = axes.get_facecolor()
    x, y = project(points.lat, points.lon)
    dot = 1.9 * weight + 0.3
    for number, look in enumerate(looks):
        for conjugate in (False, True):
            mine = [lines[each] for each in np.flatnonzero((label == number) & (far == conjugate))]
            if not mine:
                continue
            dashes = _DASHED if conjugate else look.dashes
            given: dict[str, Any] = {"colors": [look.color], "linewidths": weight, "linestyles": [dashes], "alpha": 0.9}
            drawn = LineCollection(mine, rasterized=rasterized, **given)
            drawn.set(**own)
            axes.add_collection(drawn, autolim=False)
            inside = points.inside & (points.label == number) & (points.conjugate == conjugate)
            axes.plot(
                x[inside], y[inside], linestyle="none", marker="o", markersize=dot + 0.9 * conjugate,
                markerfacecolor=back if conjugate else look.color, markeredgecolor=look.color, markeredgewidth=0.6,
                rasterized=rasterized,
            )  # fmt: skip
    ink = colors.ink(axes)
    if (~far).any() and far.any():
        picture.marks["overflight"] = Line2D([], [], color=ink, linewidth=1.2)
    if far.any():
        picture.marks["conjugate"] = Line2D(
            [], [], color=ink, linewidth=1.2, linestyle=_DASHED, marker="o", markersize=4, markerfacecolor=back,
            markeredgewidth=0.8,
        )  # fmt: skip
    if points.inside.any():
        picture.marks["each minute"] = Line2D(
            [], [], linestyle="none", marker="o", markersize=2.5, color=ink, markeredgewidth=0.5
        )


def draw_directions(
    axes: Axes,
    project: Projection,
    points: Points,
    looks: Sequence[colors.Look],
    view: tuple[float, float, float, float],
) -> None:
    """Draw an arrow head at the end of each track, and write some instants along them."""
    lines, starts = project.lines(points.lat, points.lon, points.run)
    long = [number for number, line in enumerate(lines) if len(line) > 1]
    if long and len(long) <= _MOST_ARROWS:
        ends, before = (np.array([lines[number][at] for number in long]) for at in (-1, -2))
        along = ends - before
        along = along / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
        axes.quiver(
            ends[:, 0], ends[:, 1], along[:, 0], along[:, 1], angles="xy", units="inches", scale=12.0,
            scale_units="inches", color=[looks[each].color for each in points.label[starts[long]]], width=0.014,
            headwidth=5.0, headlength=5.5, headaxislength=5.0, minlength=0.0, pivot="mid", zorder=3,
        )  # fmt: skip
    _write_times(axes, project, points, view)


def _write_times(axes: Axes, project: Projection, points: Points, view: tuple[float, float, float, float]) -> None:
    """Write for each run the instant of its first minute in range that no other instant or name is near."""
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Annotation

    rows = np.flatnonzero(points.inside)
    x, y = project(points.lat[rows], points.lon[rows])
    size = contract.letter_size(axes, "xtick.labelsize", 6.0)
    scale = 0.8 * contract.panel_points(axes)[0] / (view[1] - view[0])
    width = text_width("00:00", size)
    taken = []
    for text in axes.texts:
        if isinstance(text, Annotation):
            each, (right, up) = float(text.get_fontsize()), text.xyann
            words = text_width(text.get_text(), each)
            taken.append(_name_box(text.xy[0] * scale, text.xy[1] * scale, words, each, float(right), float(up)))
    halo = [withStroke(linewidth=1.6, foreground=axes.get_facecolor())]
    times: Any = points.time
    written: list[tuple[float, float]] = []
    told: set[int] = set()
    for row, place in zip(rows.tolist(), zip(x.tolist(), y.tolist(), strict=True), strict=True):
        run = int(points.run[row])
        inside = view[0] < place[0] < view[1] and view[2] < place[1] < view[3]
        if not inside or run in told:
            continue
        box = _name_box(place[0] * scale, place[1] * scale, width, size, 3, -3 - size)
        apart = all(np.hypot(place[0] - a, place[1] - b) * scale > 1.2 * width for a, b in written)
        if apart and not any(_overlap(box, one) for one in taken):
            told.add(run)
            written.append(place)
            axes.annotate(
                f"{pd.Timestamp(times[row]):%H:%M}", place, (3, -3), textcoords="offset points", va="top",
                fontsize=size, color=colors.ink(axes), alpha=0.85, zorder=4, clip_on=True, annotation_clip=True,
                path_effects=halo,
            )  # fmt: skip
        if len(written) >= _MOST_TIMES:
            return


def draw_closest(
    axes: Axes, picture: Picture, project: Projection, found: pd.DataFrame, looks: Sequence[colors.Look], weight: float
) -> None:
    """Draw the published closest epochs and the interpolated closest approaches; hollow where conjugate."""
    from matplotlib.lines import Line2D

    ink, back = colors.ink(axes), axes.get_facecolor()
    shrink = float(np.sqrt(weight / 1.4) * np.clip(contract.panel_points(axes)[0] / 500.0, 0.5, 1.0))
    for part, marker, size, words in (
        ("closest", "o", 7.0, "closest epoch"), ("approach", "D", 4.0, "interpolated"),
    ):  # fmt: skip
        names = [f"{part}_lat", f"{part}_lon"]
        # many events have one place, which is drawn once
        places = found[[*names, "label", "conjugate"]].dropna(subset=names).drop_duplicates()
        x, y = project(places[names[0]].to_numpy(), places[names[1]].to_numpy())
        known = np.isfinite(x)
        label, far = places["label"].to_numpy(), places["conjugate"].to_numpy(bool)
        for number, look in enumerate(looks):
            for conjugate in (False, True):
                rows = known & (label == number) & (far == conjugate)
                face = back if marker == "D" and conjugate else look.color if marker == "D" else "none"
                axes.plot(
                    x[rows], y[rows], linestyle="none", marker=marker, markersize=size * shrink, markerfacecolor=face,
                    markeredgecolor=look.color, markeredgewidth=0.9, zorder=3,
                    rasterized=len(found) > contract.RASTERISED_FROM,
                )  # fmt: skip
        if known.any():
            picture.marks[words] = Line2D(
                [], [], linestyle="none", marker=marker, markersize=min(size, 5.5), markerfacecolor="none",
                markeredgecolor=ink, markeredgewidth=0.9,
            )  # fmt: skip
