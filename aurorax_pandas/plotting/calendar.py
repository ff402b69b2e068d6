"""The calendar: days against pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.counts import daily_counts
from aurorax_pandas.analysis.labels import labelled_events
from aurorax_pandas.checks import choice
from aurorax_pandas.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CalendarValues = Literal["count", "distance"]

MOST_APART: Final = 120
_DAY: Final = np.timedelta64(1, "D")
_NOON: Final = np.timedelta64(12, "h")


def plot_calendar(
    df: pd.DataFrame,
    by: str = "pair",
    values: CalendarValues = "count",
    availability: pd.DataFrame | None = None,
    ax: Axes | None = None,
    *,
    sort: str = "label",
) -> Axes:
    """
    Draw a calendar: a line per pair, a cell per day, coloured by the count of conjunctions or their least distance.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : {"pair", "site", "spacecraft"} or a column, default "pair"
        What a line is.
    values : {"count", "distance"}, default "count"
        What colours a cell: how many events, or their least distance [km].
    availability : pandas.DataFrame, optional
        When sources operated, as for `daily_counts`: days without operation are grey. Without it none are; a cell
        without a conjunction is empty.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, as tall as the lines need.
    sort : {"label", "start", "count", "distance"}, default "label"
        Order of the lines: by name, first start, most events, or least distance.

    Returns
    -------
    matplotlib.axes.Axes
        Days (UTC) along x.

    Raises
    ------
    AuroraxInputError
        If `by` names no column, `values` or `sort` is none of its words, or `availability` is no such frame.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.calendar(by="spacecraft")
    >>> [lane.get_text() for lane in ax.get_yticklabels()]
    ['Swarm A', 'Swarm B', 'Swarm C']
    """
    choice("values", values, ("count", "distance"))
    events, labels = labelled_events(df, by, "calendar")
    lane, names = style.sorted_lanes(events, labels, sort)
    counted = daily_counts(df, by, availability=availability)["count"]
    days = pd.DatetimeIndex(counted.index.get_level_values("day").unique())
    counts = counted.unstack().reindex(index=names, columns=days).to_numpy(np.float64)
    axes = style.new_axes(ax, style.lane_height(len(names)))
    style.draw_lanes(axes, names, is_new=ax is None)
    axes.grid(visible=False)
    if len(names) and len(days):
        shown = counts if values == "count" else _distances(events, lane, len(names), days)
        _draw_cells(axes, days, shown, counts, values)
        _draw_days(axes, days)
    else:
        style.draw_nothing(axes)
    axes.set_xlabel("Day [UTC]")
    return axes


def _draw_days(axes: Axes, days: pd.DatetimeIndex) -> None:
    """Name days in the middle of their cells, as many as there is room for."""
    if len(days) > MOST_APART:
        axes.xaxis_date()
        style.name_times(axes)
    else:
        points = axes.get_window_extent().width / style.figure_of(axes).dpi * 72
        step = int(np.ceil(len(days) / max(points // 75, 1)))
        chosen = days[::step]
        axes.set_xticks(style.date_numbers(chosen.to_numpy() + _NOON), list(chosen.strftime("%Y-%m-%d")))
    first, last = style.date_numbers(np.array([days.to_numpy()[0], days.to_numpy()[-1] + _DAY]))
    axes.set_xlim(first, last)


def _distances(
    events: pd.DataFrame, lane: npt.NDArray[np.int64], count: int, days: pd.DatetimeIndex
) -> npt.NDArray[np.float64]:
    least = np.full((count, len(days)), np.inf)
    day = days.get_indexer(events["start"].dt.normalize())
    np.fmin.at(least, (lane[day >= 0], day[day >= 0]), events["min_distance"].to_numpy()[day >= 0])
    return np.where(np.isfinite(least), least, np.nan)


def _draw_cells(
    axes: Axes,
    days: pd.DatetimeIndex,
    shown: npt.NDArray[np.float64],
    counts: npt.NDArray[np.float64],
    values: CalendarValues,
) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    edges = style.date_numbers(np.append(days.to_numpy(), days.to_numpy()[-1] + _DAY))
    lines = np.arange(len(counts) + 1) - 0.5
    idle = np.isnan(counts)
    # cells have gaps between them as long as there is room, and are never narrower than can be seen
    look: dict[str, Any] = {"edgecolor": axes.get_facecolor(), "linewidth": 0.6}
    if len(days) > MOST_APART:
        look = {"edgecolor": "face", "linewidth": 0.8}
    handles = []
    if idle.any():
        grey = "0.35" if style.is_dark(axes) else "0.8"
        axes.pcolormesh(edges, lines, np.ma.masked_where(~idle, idle), cmap=ListedColormap([grey]), **look)
        handles.append(Patch(facecolor=grey, label="no operation"))
    cells = np.ma.masked_where(idle | np.isnan(shown) | ((shown == 0) & (values == "count")), shown)
    most = int(cells.max()) if cells.count() else 1
    colors = style.colormap(axes)
    if values == "count" and most <= 12:
        # few counts have a colour each
        colors = ListedColormap(colors(np.linspace(0.0, 1.0, most)))
    mesh = axes.pcolormesh(edges, lines, cells, cmap=colors, **look)
    label = "Conjunctions per day" if values == "count" else style.column_label("min_distance")
    bar = style.color_bar(axes, mesh, label)
    if values == "count":
        mesh.set_clim(0.5, most + 0.5)
        bar.locator = MaxNLocator(nbins=6, integer=True)
        bar.update_ticks()
        bar.minorticks_off()
    style.legend_above(axes, handles)
