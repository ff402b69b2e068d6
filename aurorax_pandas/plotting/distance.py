"""Distances over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.checks import as_list, checked_number, shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.provenance import step_of
from aurorax_pandas.plotting import colors, contract
from aurorax_pandas.plotting.legend import legend_above, looks_that_fit
from aurorax_pandas.plotting.picture import Picture, held_picture, picture_on
from aurorax_pandas.plotting.rows import drawn_rows, refuse_ages, refuse_endless, refuse_turned, tell_timeless
from aurorax_pandas.plotting.time_axis import date_numbers, draw_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

#: Elevations at which the second axis has ticks [degrees].
_ELEVATIONS: Final = (90.0, 60.0, 45.0, 30.0, 20.0, 15.0, 10.0, 7.0, 5.0, 3.0, 0.0)

#: From how many events on the marks are drawn in turns, from far to near, and in how many.
_MANY: Final = 500
_TURNS: Final = 24


@contract.shared_parameters
def plot_distance(
    df: pd.DataFrame,
    /,
    by: str = "spacecraft",
    ax: Axes | None = None,
    *,
    emission_altitude: float | None = None,
    elevations: Sequence[float] | None = None,
    palette: colors.Palette | None = None,
    figsize: Sequence[float] | None = None,
    title: str | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> Axes:
    """
    Draw the distance of each event over time: a bar from the least to the greatest, a mark at the closest epoch.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events of `explode_events`, or passes. With a column ``approach_distance``, as `closest_approach`
        adds it, the interpolated closest approach is drawn as an open diamond.
    by : {"spacecraft", "pair", "site", "station"} or a column, default "spacecraft"
        What a colour is; where there are more than the legend has room for, the most frequent have one.
    emission_altitude : float, optional
        Altitude [km] for which a second axis shows the elevation above the station's horizon [degrees].
    elevations : sequence of float, optional
        Elevations at which the second axis has ticks [degrees].
    **kwargs
        Properties of the marks, a `matplotlib.lines.Line2D`.

    Returns
    -------
    matplotlib.axes.Axes
        Distance [km] over time [UTC].

    Raises
    ------
    AuroraxInputError
        If a column is not there, an argument cannot be used, or the Axes hold another picture; or if a row ends before it
        starts, or has a distance that is none on Earth.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.distance()
    >>> ax.get_ylabel()
    'Distance [km]'
    """
    from matplotlib.lines import Line2D

    given = contract.checked_axes(ax)
    contract.check_words(title, legend)
    own = contract.checked_keywords(plot_distance, Line2D, kwargs, lambda **some: Line2D([], [], **some))
    chosen = colors.checked_palette(palette)
    angles = _checked_elevations(emission_altitude, elevations)
    held_picture(given, "distance")
    events, labels = drawn_rows(df, by, "distance", "approach_distance", "approach_time")
    refuse_ages("distance", events["start"], events["end"])
    refuse_turned("distance", events)
    refuse_endless("distance", events)
    tell_timeless("distance", events["start"], events["end"])
    axes = contract.new_axes(given, figsize, 4.2)
    picture = picture_on(axes, "distance")
    contract.name_axes(axes, y="Distance [km]")
    start, stop = events["start"].to_numpy(), events["end"].to_numpy()
    labels, looks = looks_that_fit(axes, labels, chosen)
    interpolated = {"approach_distance", "approach_time"} <= set(events.columns)
    size = float(np.clip(60.0 / np.sqrt(max(len(events), 1)), 1.2, 5.0))
    codes = labels.cat.codes.to_numpy()
    _draw_ranges(axes, events, codes, list(looks.values()), size, own.get("alpha"))
    # the farthest come first, so that later marks hide nothing that is closer
    order = np.argsort(-events["min_distance"].to_numpy(), kind="stable")
    for rows in np.array_split(order, 1 if len(order) < _MANY else _TURNS):
        # the others come before the groups that have a colour
        for number, look in reversed(list(enumerate(looks.values()))):
            mine = rows[codes[rows] == number]
            if len(mine):
                _draw_group(axes, events.iloc[mine], look, size, own, interpolated=interpolated, many=len(order))
    for name, look in looks.items():
        picture.colors[name] = Line2D(
            [], [], color=look.color, linewidth=2.5, marker=look.marker, markersize=5, markeredgewidth=0.8
        )
    contract.draw_grid(axes)
    if legend and len(events):
        _explain(axes, picture, _span_words(events), interpolated=interpolated)
        legend_above(axes, picture)
    draw_time(axes, start, stop)
    _hold_distances(axes, events)
    if len(events) and not np.isfinite(events[["min_distance", "max_distance"]].to_numpy(np.float64)).any():
        contract.draw_nothing(axes, "no distance is known")
    if angles is not None and emission_altitude is not None:
        _draw_elevation(axes, picture, float(emission_altitude), angles)
    return contract.finish(axes, title, figsize)


def _checked_elevations(altitude: Any, elevations: Any) -> list[float] | None:
    if altitude is None:
        if elevations is not None:
            raise AuroraxInputError(
                f"elevations={shown(elevations)} hold at an altitude; give emission_altitude= too [km]"
            )
        return None
    checked_number("emission_altitude", altitude, lambda km: 0 < km < np.inf, "an altitude above 0 [km], such as 110")
    wanted = "degrees from 0 to 90"
    return [
        checked_number("elevations", each, lambda angle: 0 <= angle <= 90, wanted)
        for each in (_ELEVATIONS if elevations is None else as_list(elevations))
    ]


def _places_along_x(events: pd.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return where events are along x, and which have a closest epoch: without one the middle stands for it."""
    start, stop, epoch = (events[name].to_numpy() for name in ("start", "end", "closest_epoch"))
    known: npt.NDArray[np.bool_] = ~np.isnat(epoch)
    return date_numbers(np.where(known, epoch, start + (stop - start) / 2)), known


def _draw_ranges(
    axes: Axes,
    events: pd.DataFrame,
    codes: npt.NDArray[Any],
    looks: list[colors.Look],
    size: float,
    alpha: float | None,
) -> None:
    """Draw a line from the least to the greatest distance of each event, under all marks."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba_array

    if not len(events):
        return
    x, low, high = _places_along_x(events)[0], events["min_distance"].to_numpy(), events["max_distance"].to_numpy()
    segments = np.stack([np.column_stack([x, low]), np.column_stack([x, high])], axis=1)
    order = np.argsort(-low, kind="stable")
    # where lines are many they give way to the marks
    faint = float(np.clip(25.0 / np.sqrt(len(events)), 0.08, 0.7))
    lines = LineCollection(
        list(segments[order]), colors=to_rgba_array([look.color for look in looks])[codes[order]],
        linewidths=max(0.35 * size, 0.5), alpha=faint if alpha is None else alpha,
        rasterized=len(events) > contract.RASTERISED_FROM,
    )  # fmt: skip
    axes.add_collection(lines, autolim=False)


def _draw_group(
    axes: Axes,
    events: pd.DataFrame,
    look: colors.Look,
    size: float,
    own: dict[str, Any],
    *,
    interpolated: bool,
    many: int,
) -> None:
    x, known = _places_along_x(events)
    low = events["min_distance"].to_numpy()
    rasterized = many > contract.RASTERISED_FROM
    marks: dict[str, Any] = {"linestyle": "none", "markersize": size, "color": look.color, "rasterized": rasterized}
    if known.any():
        axes.plot(x[known], low[known], **{**marks, "marker": look.marker, "markeredgewidth": 0.4, **own})
    # what has no closest epoch has a dash in place of a mark
    if not known.all():
        axes.plot(x[~known], low[~known], **{**marks, "marker": "_", "markeredgewidth": 1.5, **own})
    if interpolated:
        times = events["approach_time"].to_numpy()
        found = ~np.isnat(times)
        axes.plot(
            date_numbers(times[found]), events["approach_distance"].to_numpy()[found], linestyle="none", marker="D",
            markersize=size, markerfacecolor=axes.get_facecolor(), markeredgecolor=look.color, markeredgewidth=0.9,
            zorder=3, rasterized=rasterized,
        )  # fmt: skip


def _span_words(events: pd.DataFrame) -> str:
    """Return what a line from the least to the greatest distance is of: minutes, other epochs, or an exact span."""
    try:
        step = step_of(events, None)
    except AuroraxInputError:
        return "least to greatest"
    known = {pd.Timedelta(0): "exact span", pd.Timedelta("1min"): "minutes"}
    return f"{known.get(step, 'epochs')}: least to greatest"


def _explain(axes: Axes, picture: Picture, words: str, *, interpolated: bool) -> None:
    from matplotlib.lines import Line2D

    ink = colors.ink(axes)
    picture.marks[words] = Line2D([], [], color=ink, marker="o", markersize=4, linewidth=1)
    if interpolated:
        picture.marks["interpolated closest approach"] = Line2D(
            [], [], linestyle="none", marker="D", markersize=4, markerfacecolor=axes.get_facecolor(),
            markeredgecolor=ink, markeredgewidth=0.9,
        )  # fmt: skip


def _hold_distances(axes: Axes, events: pd.DataFrame) -> None:
    """Let the y axis hold zero and all distances; on a logarithmic one the least above zero counts."""
    numbers = events[["min_distance", "max_distance"]].to_numpy(np.float64).ravel()
    known = numbers[np.isfinite(numbers)]
    places = [0.0, float(known.max(initial=1.0)), *known[known > 0].min(initial=np.inf, keepdims=True)]
    contract.hold_on_y(axes, *(place for place in places if np.isfinite(place)))


def _draw_elevation(axes: Axes, picture: Picture, altitude: float, angles: list[float]) -> None:
    top = axes.get_ylim()[1]
    degrees = np.array(sorted(angles, reverse=True))
    distances = np.array([geometry.viewing_radius(each, altitude) for each in degrees])
    apart: list[int] = []
    for number in np.flatnonzero(distances <= top):
        # near the zenith the ticks crowd
        if not apart or distances[number] - distances[apart[-1]] > 0.04 * top:
            apart.append(int(number))
    if "elevation" in picture.held:
        picture.held["elevation"].remove()
    second = picture.held["elevation"] = axes.secondary_yaxis("right")
    second.set_yticks(distances[apart], [f"{each:g}" for each in degrees[apart]])
    second.tick_params(labelsize=contract.letter_size(axes, "ytick.labelsize"))
    second.set_ylabel(f"Elevation at {altitude:g} km [degrees]", fontsize=contract.letter_size(axes, "axes.labelsize"))
