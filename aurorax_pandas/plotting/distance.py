"""Distances over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.checks import as_list, checked_number
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.plotting import colors, contract
from aurorax_pandas.plotting.legend import groups_that_fit, legend_above
from aurorax_pandas.plotting.picture import Picture, held_picture, picture_on
from aurorax_pandas.plotting.rows import drawn_rows
from aurorax_pandas.plotting.time_axis import date_numbers, draw_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

#: Elevations at which the second axis has ticks [degrees].
_ELEVATIONS: Final = (90.0, 60.0, 45.0, 30.0, 20.0, 15.0, 10.0, 7.0, 5.0, 3.0, 0.0)


def plot_distance(
    df: pd.DataFrame,
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
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure.
    emission_altitude : float, optional
        Altitude [km] for which a second axis shows the elevation above the station's horizon [degrees].
    elevations : sequence of float, optional
        Elevations at which the second axis has ticks [degrees].
    palette : dict of str to color, optional
        Colours by name. By default a name has the same colour in every picture.
    figsize : (float, float), optional
        Width and height of a new figure [inches].
    title : str, optional
        Title above the picture.
    legend : bool, default True
        Whether to draw the legend.
    **kwargs
        Properties of the marks, a `matplotlib.lines.Line2D`.

    Returns
    -------
    matplotlib.axes.Axes
        Distance [km] over time [UTC].

    Raises
    ------
    AuroraxInputError
        If a column is not there, an argument cannot be used, or the Axes hold another picture.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.distance()
    >>> ax.get_ylabel()
    'Distance [km]'
    """
    from matplotlib.lines import Line2D

    given = contract.checked_axes(ax)
    own = contract.checked_keywords(Line2D, kwargs, lambda **some: Line2D([], [], **some))
    chosen = colors.checked_palette(palette)
    angles = _checked_elevations(emission_altitude, elevations)
    held_picture(given, "distance")
    events, labels = drawn_rows(df, by, "distance", "approach_distance", "approach_time")
    axes = contract.new_axes(given, figsize, 4.2)
    picture = picture_on(axes, "distance")
    contract.name_axes(axes, y="Distance [km]")
    start, stop = events["start"].to_numpy(), events["end"].to_numpy()
    labels, others = colors.foremost(labels, groups_that_fit(axes, [str(name) for name in labels.cat.categories]))
    looks = colors.looks([str(name) for name in labels.cat.categories], axes, chosen, others)
    interpolated = {"approach_distance", "approach_time"} <= set(events.columns)
    size = float(np.clip(60.0 / np.sqrt(max(len(events), 1)), 2.0, 5.0))
    # the others come first, so that they cover nothing
    for name, look in reversed(looks.items()):
        _draw_group(axes, events[(labels == name).to_numpy()], look, size, own, interpolated=interpolated)
    for name, look in looks.items():
        picture.colors[name] = Line2D(
            [], [], color=look.color, linewidth=2.5, marker=look.marker, markersize=5, markeredgewidth=0.8
        )
    axes.grid(alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    contract.trim(axes)
    if legend:
        _explain(axes, picture, interpolated=interpolated and len(events) > 0)
    if legend and len(events):
        legend_above(axes, picture)
    contract.write_title(axes, title)
    draw_time(axes, start, stop)
    _hold_distances(axes, events)
    if angles is not None and emission_altitude is not None:
        _draw_elevation(axes, float(emission_altitude), angles)
    return axes


def _checked_elevations(altitude: Any, elevations: Any) -> list[float] | None:
    if altitude is None:
        if elevations is not None:
            raise AuroraxInputError(f"elevations={elevations!r} hold at an altitude; give emission_altitude= too [km]")
        return None
    checked_number("emission_altitude", altitude, lambda km: 0 < km < np.inf, "an altitude above 0 [km], such as 110")
    wanted = "degrees from 0 to 90"
    return [
        checked_number("elevations", each, lambda angle: 0 <= angle <= 90, wanted)
        for each in (_ELEVATIONS if elevations is None else as_list(elevations))
    ]


def _draw_group(
    axes: Axes, events: pd.DataFrame, look: colors.Look, size: float, own: dict[str, Any], *, interpolated: bool
) -> None:
    from matplotlib.collections import LineCollection

    # without a closest epoch the middle stands for it, and has a dash in place of a mark
    start, stop, epoch = (events[name].to_numpy() for name in ("start", "end", "closest_epoch"))
    known: npt.NDArray[np.bool_] = ~np.isnat(epoch)
    x = date_numbers(np.where(known, epoch, start + (stop - start) / 2))
    low, high = events["min_distance"].to_numpy(), events["max_distance"].to_numpy()
    many = len(events) > contract.RASTERISED_FROM
    bars = LineCollection(
        np.stack([np.column_stack([x, low]), np.column_stack([x, high])], axis=1),
        colors=[look.color], linewidths=0.35 * size, alpha=own.get("alpha", 0.7), rasterized=many,
    )  # fmt: skip
    axes.add_collection(bars, autolim=False)
    marks: dict[str, Any] = {"linestyle": "none", "markersize": size, "color": look.color, "rasterized": many}
    axes.plot(x[known], low[known], **{**marks, "marker": look.marker, "markeredgewidth": 0.4, **own})
    if not known.all():
        axes.plot(x[~known], low[~known], **{**marks, "marker": "_", "markeredgewidth": 1.5, **own})
    if interpolated:
        times = events["approach_time"].to_numpy()
        found = ~np.isnat(times)
        axes.plot(
            date_numbers(times[found]), events["approach_distance"].to_numpy()[found], linestyle="none", marker="D",
            markersize=size, markerfacecolor=axes.get_facecolor(), markeredgecolor=look.color, markeredgewidth=0.9,
            zorder=3, rasterized=many,
        )  # fmt: skip


def _explain(axes: Axes, picture: Picture, *, interpolated: bool) -> None:
    from matplotlib.lines import Line2D

    ink = colors.ink(axes)
    picture.marks["minutes: least to greatest"] = Line2D([], [], color=ink, marker="o", markersize=4, linewidth=1)
    if interpolated:
        picture.marks["interpolated closest approach"] = Line2D(
            [], [], linestyle="none", marker="D", markersize=4, markerfacecolor=axes.get_facecolor(),
            markeredgecolor=ink, markeredgewidth=0.9,
        )  # fmt: skip


def _hold_distances(axes: Axes, events: pd.DataFrame) -> None:
    """Let the y axis hold zero and all distances, and leave it to matplotlib: a logarithmic axis has no zero."""
    numbers = events[["min_distance", "max_distance"]].to_numpy(np.float64).ravel()
    known = numbers[np.isfinite(numbers)]
    x = axes.get_xlim()[0]
    places = [0.0, float(known.max(initial=1.0)), *known[known > 0].min(initial=np.inf, keepdims=True)]
    axes.update_datalim([(x, place) for place in places if np.isfinite(place)], updatex=False)
    axes.margins(y=0.03)
    axes.autoscale(axis="y")


def _draw_elevation(axes: Axes, altitude: float, angles: list[float]) -> None:
    top = axes.get_ylim()[1]
    degrees = np.array(sorted(angles, reverse=True))
    distances = np.array([geometry.viewing_radius(each, altitude) for each in degrees])
    apart: list[int] = []
    for number in np.flatnonzero(distances <= top):
        # near the zenith the ticks crowd
        if not apart or distances[number] - distances[apart[-1]] > 0.04 * top:
            apart.append(int(number))
    second = axes.secondary_yaxis("right")
    second.set_yticks(distances[apart], [f"{each:g}" for each in degrees[apart]])
    second.tick_params(labelsize=contract.letter_size(axes, "ytick.labelsize"))
    second.set_ylabel(f"Elevation at {altitude:g} km [degrees]", fontsize=contract.letter_size(axes, "axes.labelsize"))
