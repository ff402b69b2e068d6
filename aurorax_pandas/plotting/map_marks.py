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
from aurorax_pandas.plotting.room import settle
from aurorax_pandas.plotting.words import literal, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS: Final = ("-", (0, (4, 2)), ":", "-.")
#: Most tracks that have arrows, and most times that are written along them.
_MOST_ARROWS: Final = 250
_MOST_TIMES: Final = 24
#: How far beside its place a name stands [points].
_BESIDE: Final = 4.5
#: What tells names and instants from other words.
_WORDS: Final = "word"
_DASHED: Final = (0, (2.5, 1.5))

Place = tuple[float, float]


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
    known = [tuple(each) for each in stations[["station_lat", "station_lon"]].to_numpy(np.float64).tolist()]
    drawn: dict[str, set[Any]] = picture.held.setdefault("horizons", {})
    for elevation in elevations if known else ():
        words = f"elevation {elevation:g}° ({altitude:g} km)"
        before = drawn.setdefault(words, set())
        number = list(drawn).index(words)
        places = np.array([each for each in known if each not in before]).reshape(-1, 2)
        before.update(known)
        lat, lon = circle(places[:, 0], places[:, 1], geometry.viewing_radius(elevation, altitude))
        run = np.repeat(np.arange(len(places)), lat.shape[1])
        lines, _ = project.lines(lat.ravel(), lon.ravel(), run)
        look: dict[str, Any] = {"linestyle": _STEPS[number % len(_STEPS)], "linewidth": 0.8}
        axes.add_collection(LineCollection(lines, colors=grey, **look), autolim=False)
        picture.marks[words] = Line2D([], [], color=grey, **look)


def draw_stations(axes: Axes, picture: Picture, project: Projection, stations: pd.DataFrame) -> None:
    """Draw a triangle for each station."""
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


def known_stations(found: pd.DataFrame) -> pd.DataFrame:
    """Return the stations of a map, each place once."""
    return found.dropna(subset=["station_lat"]).drop_duplicates(["site", "station_lat", "station_lon"])


def stations_of(picture: Picture) -> pd.DataFrame:
    """Return the stations of all calls: ``site``, places [degrees] and the sum of their counts, NaN where none counted."""
    columns = ["site", "station_lat", "station_lon", "count"]
    held = [part.reindex(columns=columns) for part in picture.held.get("stations", []) if len(part)]
    if not held:
        return pd.DataFrame(columns=columns)
    every = pd.concat([part.astype({"site": "str", "count": "float64"}) for part in held], ignore_index=True)
    counts: pd.Series[float] = every.groupby(columns[:3], sort=False)["count"].sum(min_count=1)
    return counts.reset_index()


def write_words(axes: Axes, picture: Picture, project: Projection) -> None:
    """Write the names and instants of all calls, as the last thing that is drawn; none stands on another."""
    for text in [each for each in axes.texts if each.get_gid() == _WORDS]:
        text.remove()
    known = stations_of(picture)
    _write_names(axes, project, known)
    for points in picture.held.get("points", []):
        _write_instants(axes, project, points, np.column_stack(project(known["station_lat"], known["station_lon"])))


def _write_names(axes: Axes, project: Projection, known: pd.DataFrame) -> None:
    """Write the names of stations where there is room; counts stand behind them, unless one finds no room so."""
    from matplotlib.patheffects import withStroke

    if not len(known):
        return
    x, y = project(known["station_lat"].to_numpy(), known["station_lon"].to_numpy())
    places = list(zip(x.round(-1).tolist(), y.round(-1).tolist(), strict=True))
    names = known["site"].astype("str").tolist()
    size = contract.letter_size(axes, "xtick.labelsize", 7.0)
    points = _points_of(axes)
    sides: dict[tuple[Place, str], Place] = {}
    fits = False
    if known["count"].notna().any():
        longer = [
            name if np.isnan(count) else f"{name} {count:.0f}"
            for name, count in zip(names, known["count"], strict=True)
        ]
        sides, fits = _sides(axes, points, places, longer, size)
    if not fits:
        sides, _ = _sides(axes, points, places, names, size)
    halo = [withStroke(linewidth=2.0, foreground=axes.get_facecolor())]
    for (place, name), (right, up) in sides.items():
        axes.annotate(
            literal(name), place, (right, up), textcoords="offset points", fontsize=size,
            ha="left" if right > 0 else "right", va="center" if up == 0 else "bottom" if up > 0 else "top",
            color=colors.ink(axes), zorder=5, clip_on=True, annotation_clip=True, path_effects=halo, gid=_WORDS,
        )  # fmt: skip


def _sides(
    axes: Axes, points: float, places: Sequence[Place], names: Sequence[str], size: float
) -> tuple[dict[tuple[Place, str], Place], bool]:
    """Return beside which side of its place each name stands [points], and whether each has room there."""
    view = tuple(side * points for side in (*axes.get_xlim(), *axes.get_ylim()))
    seen: dict[Place, str] = {}
    for place, name in zip(places, names, strict=True):
        seen.setdefault(place, name)
    taken = [(east * points - 3, north * points - 3, east * points + 3, north * points + 3) for east, north in seen]
    sides: dict[tuple[Place, str], Place] = {}
    fits = True
    for place, name in seen.items():
        width = text_width(name, size)
        boxes = {
            (right * _BESIDE, up * _BESIDE): _name_box(
                place[0] * points, place[1] * points, width, size, right * _BESIDE, up * _BESIDE
            )
            for right, up in ((1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0))
        }
        inside = {each: found for each, found in boxes.items() if _lies_in_view(found, view)} or boxes
        covered = {each: sum(_shared_area(found, one) for one in taken) for each, found in inside.items()}
        side = min(covered, key=covered.__getitem__)
        fits = fits and covered[side] == 0 and inside is not boxes
        sides[place, name] = side
        taken.append(inside[side])
    return sides, fits


def _points_of(axes: Axes) -> float:
    """Return how many points a unit of a map has, as it stands now."""
    figure: Any = contract.figure_of(axes)
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
    settle(axes)
    return float(axes.get_window_extent().width / figure.dpi * 72 / np.ptp(axes.get_xlim()))


def _name_box(x: float, y: float, width: float, size: float, dx: float, dy: float) -> tuple[float, float, float, float]:
    """Return the room that a word beside a place takes, halo and line height with it [points]."""
    width, height = width + 2.0, 1.2 * size
    left, low = x + dx - (width if dx < 0 else 0.0), y + dy - (height if dy < 0 else height / 2 if dy == 0 else 0.0)
    return left, low, left + width, low + height


def _lies_in_view(one: tuple[float, float, float, float], view: tuple[float, ...]) -> bool:
    return view[0] < one[0] and one[2] < view[1] and view[2] < one[1] and one[3] < view[3]


def _shared_area(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> float:
    wide, high = min(one[2], two[2]) - max(one[0], two[0]), min(one[3], two[3]) - max(one[1], two[1])
    return max(wide, 0.0) * max(high, 0.0)


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
) -> None:
    """Draw an arrow head at the end of each track."""
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


def _write_instants(axes: Axes, project: Projection, points: Points, stations: npt.NDArray[np.float64]) -> None:
    """Write for each run the instant of its first minute in range that no other instant, name or station is near."""
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Annotation

    rows = np.flatnonzero(points.inside)
    x, y = project(points.lat[rows], points.lon[rows])
    size = contract.letter_size(axes, "xtick.labelsize", 6.0)
    scale = _points_of(axes)
    view = tuple(side * scale for side in (*axes.get_xlim(), *axes.get_ylim()))
    width = text_width("00:00", size)
    taken = [(east - 3, north - 3, east + 3, north + 3) for east, north in (stations * scale).tolist()]
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
        if run in told:
            continue
        box = _name_box(place[0] * scale, place[1] * scale, width, size, 3.0, -3.0)
        apart = all(np.hypot(place[0] - a, place[1] - b) * scale > 1.2 * width for a, b in written)
        if apart and _lies_in_view(box, view) and not any(_shared_area(box, one) for one in taken):
            told.add(run)
            written.append(place)
            axes.annotate(
                f"{pd.Timestamp(times[row]):%H:%M}", place, (3, -3), textcoords="offset points", va="top",
                fontsize=size, color=colors.ink(axes), alpha=0.85, zorder=4, clip_on=True, annotation_clip=True,
                path_effects=halo, gid=_WORDS,
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
