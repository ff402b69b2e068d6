"""Distances over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.labels import labelled_events
from aurorax_pandas.checks import checked_number
from aurorax_pandas.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_distance(
    df: pd.DataFrame, by: str = "pair", ax: Axes | None = None, *, elevation: float | None = None
) -> Axes:
    """
    Draw the distance of each event over time: a bar from the least to the greatest, a dot at the closest epoch.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. With a column ``approach_distance``, as `closest_approach` adds
        it, the interpolated closest approach is drawn as a diamond.
    by : {"pair", "site", "spacecraft"} or a column, default "pair"
        What a colour is; where there are more than colours, the most frequent have one.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure.
    elevation : float, optional
        Emission altitude [km] for which a second axis shows the elevation above the station's horizon [degrees].

    Returns
    -------
    matplotlib.axes.Axes
        Distance [km] over time [UTC].

    Raises
    ------
    AuroraxInputError
        If a column is not there, or `elevation` is no altitude.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.distance(by="spacecraft")
    >>> ax.get_ylabel()
    'Distance [km]'
    """
    if elevation is not None:
        elevation = checked_number(
            "elevation", elevation, lambda km: 0 < km < np.inf, "an altitude above 0 [km], such as 110"
        )
    events, labels = labelled_events(df, by, "distance", "approach_distance", "approach_time")
    axes = style.new_axes(ax, 4.2)
    axes.set_ylabel("Distance [km]")
    start, stop = events["start"].to_numpy(), events["end"].to_numpy()
    labels = style.foremost(labels, len(style.palette()))
    # without a closest epoch the middle stands for it, and has a dash in place of a dot
    epoch = events["closest_epoch"].to_numpy()
    place = np.where(np.isnat(epoch), start + (stop - start) / 2, epoch)
    interpolated = "approach_distance" in events.columns and "approach_time" in events.columns
    colors = style.category_colors(labels)
    size = float(np.clip(60.0 / np.sqrt(max(len(events), 1)), 2.0, 5.0))
    # the others come first, so that they cover nothing
    for name, color in reversed(colors.items()):
        group = (labels == name).to_numpy()
        _draw_group(axes, events[group], place[group], ~np.isnat(epoch[group]), color, size, interpolated=interpolated)
    axes.grid(alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    style.trim(axes)
    style.draw_time(axes, start, stop)
    top = float(np.nanmax(events["max_distance"].to_numpy(), initial=1.0))
    # a mark at zero is not cut in half
    axes.set_ylim(-0.02 * top, top * 1.05)
    if elevation is not None:
        _draw_elevation(axes, elevation, top * 1.05)
    style.legend_above(axes, _handles(axes, colors, interpolated=interpolated) if len(events) else [])
    return axes


def _draw_group(
    axes: Axes,
    events: pd.DataFrame,
    place: npt.NDArray[Any],
    known: npt.NDArray[np.bool_],
    color: Any,
    size: float,
    *,
    interpolated: bool,
) -> None:
    x, low = style.date_numbers(place), events["min_distance"].to_numpy()
    axes.vlines(x, low, events["max_distance"].to_numpy(), color=color, linewidth=0.35 * size, alpha=0.7)
    axes.plot(x[known], low[known], linestyle="none", marker="o", markersize=size, color=color)
    if not known.all():
        axes.plot(
            x[~known], low[~known], linestyle="none", marker="_", markersize=size, markeredgewidth=1.5, color=color
        )
    if interpolated:
        times = events["approach_time"].to_numpy()
        found = ~np.isnat(times)
        axes.plot(
            style.date_numbers(times[found]), events["approach_distance"].to_numpy()[found], linestyle="none",
            marker="D", markersize=size, markerfacecolor=axes.get_facecolor(), markeredgecolor=color, zorder=3,
        )  # fmt: skip


def _handles(axes: Axes, colors: dict[str, Any], *, interpolated: bool) -> list[Any]:
    from matplotlib.lines import Line2D

    ink = axes.xaxis.label.get_color()
    marks = [Line2D([], [], color=ink, marker="o", markersize=4, linewidth=1, label="minutes: least to greatest")]
    if interpolated:
        marks.append(
            Line2D([], [], linestyle="none", marker="D", markersize=4, markerfacecolor=axes.get_facecolor(),
                   markeredgecolor=ink, label="interpolated closest approach")
        )  # fmt: skip
    return [Line2D([], [], color=color, linewidth=4, label=name) for name, color in colors.items()] + marks


def _draw_elevation(axes: Axes, altitude: float, top: float) -> None:
    degrees = np.array([90.0, 60.0, 45.0, 30.0, 20.0, 15.0, 10.0, 7.0, 5.0, 3.0, 0.0])
    distances = np.array([geometry.viewing_radius(each, altitude) for each in degrees])
    shown = np.flatnonzero(distances <= top)
    # near the zenith the ticks crowd
    apart = [each for each in shown if each == shown[0] or distances[each] - distances[each - 1] > 0.035 * top]
    second = axes.secondary_yaxis("right")
    second.set_yticks(distances[apart], [f"{each:.0f}" for each in degrees[apart]])
    second.set_ylabel(f"Elevation at {altitude:g} km [degrees]")
