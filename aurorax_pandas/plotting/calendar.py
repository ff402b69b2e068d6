"""The calendar: days, weeks, months or years against pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.counts import daily_counts
from aurorax_pandas.analysis.labels import labelled_events
from aurorax_pandas.checks import choice, invalid
from aurorax_pandas.plotting import colors, contract, lanes, scale
from aurorax_pandas.plotting.legend import legend_above
from aurorax_pandas.plotting.picture import Picture, held_picture, picture_on
from aurorax_pandas.plotting.rows import counted_things, refuse_ages, refuse_long_searches, refuse_summed, tell_timeless
from aurorax_pandas.plotting.time_axis import date_numbers, draw_no_times, make_room_for_date, name_times
from aurorax_pandas.plotting.words import text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

CalendarValues = Literal["count", "distance"]
CalendarFreq = Literal["D", "W", "MS", "YS"]

#: Periods of pandas by its aliases of what begins them, and their names.
_PERIODS: Final = {"D": ("D", "day", "%Y-%m-%d"), "W": ("W-SUN", "week", "%Y-%m-%d"), "MS": ("M", "month", "%Y-%m"),
                   "YS": ("Y", "year", "%Y")}  # fmt: skip
#: Least width of a cell that is chosen by itself, and from which cells have gaps between them [pixels].
_CELL_PIXELS: Final = 2.0
_GAP_PIXELS: Final = 8.0
#: Lightness of cells without a conjunction, with one of unknown distance, and without operation, on light and on dark backgrounds.
_NONE: Final = ("0.94", "0.14")
_UNKNOWN: Final = "0.6"
_IDLE: Final = ("0.78", "0.36")
_IDLE_LINES: Final = ("0.45", "0.62")

Floats = npt.NDArray[np.float64]


@contract.shared_parameters
def plot_calendar(
    df: pd.DataFrame,
    /,
    by: str = "pair",
    values: CalendarValues = "count",
    availability: pd.DataFrame | None = None,
    ax: Axes | None = None,
    *,
    freq: CalendarFreq | None = None,
    sort: str = "label",
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    figsize: Sequence[float] | None = None,
    title: str | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> Axes:
    """
    Draw a calendar: a line per pair, a cell per day, coloured by the count of conjunctions or their least distance.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : {"pair", "site", "spacecraft", "station"} or a column, default "pair"
        What a line is.
    values : {"count", "distance"}, default "count"
        What colours a cell: how many events, or their least distance [km].
    availability : pandas.DataFrame, optional
        When sources operated, as for `daily_counts`: cells of days without operation are hatched. Without it none are.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, as tall as the lines need. Where they hold a calendar, lines of the
        same label are shared and others are added below.
    freq : {"D", "W", "MS", "YS"}, optional
        What a cell is, by pandas' aliases: a day, a week from Monday, a month, a year. By default the shortest of which
        each cell is at least two pixels wide.
    sort : {"label", "start", "count", "distance"}, default "label"
        Order of the lines: by name, first start, most events, or least distance.
    vmin, vmax : float, optional
        Ends of the colour bar; by default the counts from 1 to the most, and the distances from 0 to the query's where
        that is known.
    **kwargs
        Properties of the cells, a `matplotlib.collections.QuadMesh`.

    Returns
    -------
    matplotlib.axes.Axes
        Time (UTC) along x. A cell with conjunctions has a colour of the colour bar, one without a pale one, and one of
        no operation is hatched; the legend tells which is which.

    Raises
    ------
    AuroraxInputError
        If `by` names no column, `values` or `sort` is none of its words, or `availability` is no such frame; or if the Axes hold
        another picture.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.calendar(by="spacecraft")
    >>> [lane.get_text() for lane in ax.get_yticklabels()]
    ['Swarm A', 'Swarm B', 'Swarm C']
    """
    from matplotlib.collections import QuadMesh

    choice("values", values, ("count", "distance"))
    choice("sort", sort, lanes.SORTS)
    if freq is not None and (not isinstance(freq, str) or freq not in _PERIODS):
        raise invalid("freq", freq, "'D', 'W', 'MS' or 'YS', a cell a day, week, month or year")
    given = contract.checked_axes(ax, even="xy")
    contract.check_words(title, legend)
    corner = np.zeros((2, 2, 2))
    own = contract.checked_keywords(plot_calendar, QuadMesh, kwargs, lambda **some: QuadMesh(corner, **some), ("norm",))
    column = "count" if values == "count" else "min_distance"
    limits = scale.checked_limits(given, "calendar", column, cmap, vmin, vmax, own.pop("norm", None))
    refuse_summed(df, "calendar")
    events, labels = labelled_events(df, by, "calendar")
    held = held_picture(given, "calendar")
    earlier = [] if held is None else [each.days for each in held.held.get("layers", [])]
    refuse_ages("calendar", events["start"], *earlier)
    refuse_long_searches("calendar", df)
    tell_timeless("calendar", events["start"])
    place, names = lanes.sorted_lanes(events, labels, sort)
    counted = daily_counts(df, by, availability=availability)["count"]
    days = pd.DatetimeIndex(counted.index.get_level_values("day").unique())
    axes = contract.new_axes(given, figsize, lanes.lane_height(len(set(names).union(held.lanes if held else ()))))
    picture = picture_on(axes, "calendar")
    lines = np.array(picture.place_lanes(names), np.int64)
    lanes.draw_lanes(axes, picture, is_new=ax is None)
    axes.grid(visible=False)
    taken = lanes.label_width(axes, picture.lanes)
    if not len(names) or not len(days):
        contract.name_axes(axes, x="Day [UTC]")
        if not picture.lanes:
            draw_no_times(axes)
        return contract.finish(axes, title, figsize)
    layers: list[_Layer] = picture.held.setdefault("layers", [])
    counts = counted.unstack().reindex(index=names, columns=days).to_numpy(np.float64)
    layers.append(
        _Layer(lines, days, counts, lines[place], events["start"].to_numpy(), events["min_distance"].to_numpy())
    )
    span = pd.date_range(min(each.days[0] for each in layers), max(each.days[-1] for each in layers), unit="us")
    width = max(0.76 * contract.panel_points(axes)[0] - taken, 30.0) * contract.figure_of(axes).dpi / 72
    chosen = freq or _freq_that_fits(span, width)
    cells = _summed_up(layers, span, chosen, len(picture.lanes))
    shown = cells.counts if values == "count" else cells.least
    shown = np.where(cells.counts > 0, shown, np.nan)
    cmap, norm = _scaled_cells(axes, picture, column, shown, limits, scale.query_distance(df))
    _draw_cells(axes, picture, cells, shown, cmap, norm, own, width)
    if legend:
        what = picture.held["what"] = counted_things(df, events, picture.held.get("what"))
        bar = f"{what} per {_PERIODS[chosen][1]}" if values == "count" else None
        scale.color_bar(axes, picture, bar, shown[np.isfinite(shown)])
        legend_above(axes, picture, taken=taken)
    _draw_days(axes, span, chosen, taken)
    return contract.finish(axes, title, figsize)


class _Layer(NamedTuple):
    """What one call brings: its lines, the days of its window, counts by line and day, and its events."""

    lines: npt.NDArray[np.int64]
    days: pd.DatetimeIndex
    counts: Floats
    line: npt.NDArray[np.int64]
    start: npt.NDArray[Any]
    distance: Floats


class _Cells(NamedTuple):
    """The cells of all lines: their edges, counts, least distances, and which were searched without operation."""

    edges: Floats
    counts: Floats
    least: Floats
    idle: npt.NDArray[np.bool_]


def _freq_that_fits(days: pd.DatetimeIndex, width: float) -> str:
    lengths = {"D": 1.0, "W": 7.0, "MS": 30.44}
    return next((alias for alias, length in lengths.items() if width / (len(days) / length) >= _CELL_PIXELS), "YS")


def _periods_of(days: pd.DatetimeIndex, freq: str) -> pd.PeriodIndex:
    alias = _PERIODS[freq][0]
    return pd.period_range(days[0].to_period(alias), days[-1].to_period(alias), freq=alias)


def _cell_edges(periods: pd.PeriodIndex) -> Floats:
    return date_numbers(np.append(periods.start_time.to_numpy(), (periods[-1:] + 1).start_time.to_numpy()))


def _summed_up(layers: list[_Layer], days: pd.DatetimeIndex, freq: str, count: int) -> _Cells:
    """Sum up all calls; a cell of which no day had operation is idle, and one that no call searched is nothing."""
    periods = _periods_of(days, freq)
    begin = periods.start_time.to_numpy().astype("M8[us]")
    counts, known, searched = (np.zeros((count, len(periods))) for _ in range(3))
    least = np.full(counts.shape, np.inf)
    for each in layers:
        cell = np.searchsorted(begin, each.days.to_numpy().astype("M8[us]"), side="right") - 1
        for sums, values in (
            (counts, np.nan_to_num(each.counts)), (known, ~np.isnan(each.counts)), (searched, np.ones(each.counts.shape)),
        ):  # fmt: skip
            np.add.at(sums, (each.lines[:, None], cell[None, :]), values)
        when = each.start.astype("M8[us]")
        cell = np.searchsorted(begin, when, side="right") - 1
        inside = ~np.isnat(when) & (cell >= 0)
        np.fmin.at(least, (each.line[inside], cell[inside]), each.distance[inside])
    idle = (known == 0) & (searched > 0)
    return _Cells(
        _cell_edges(periods), np.where(known > 0, counts, np.nan), np.where(np.isfinite(least), least, np.nan), idle
    )


def _scaled_cells(
    axes: Axes, picture: Picture, column: str, shown: Floats, limits: scale.Limits, top: float | None
) -> tuple[Any, Any]:
    if column != "count" or limits.norm is not None:
        return scale.scaled(axes, picture, column, shown, limits, top)
    fixed = picture.held.setdefault("limits", {})
    fixed |= {name: value for name, value in (("vmin", limits.vmin), ("vmax", limits.vmax)) if value is not None}
    least = int(np.floor(fixed.get("vmin", 1)))
    most = int(np.ceil(fixed.get("vmax", max(np.nanmax(shown, initial=1.0), least))))
    if limits.cmap is not None or "colors" not in picture.held:
        picture.held["colors"] = colors.colormap(axes, limits.cmap)
    picture.column = column
    picture.cmap, picture.norm = scale.counting(most, picture.held["colors"], min(least, most))
    return picture.cmap, picture.norm


def _draw_cells(
    axes: Axes, picture: Picture, cells: _Cells, shown: Floats, cmap: Any, norm: Any, own: dict[str, Any], width: float
) -> None:
    """Draw all cells anew, each of its three states with its own look."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    for old in picture.held.pop("meshes", []):
        old.remove()
    dark = int(colors.is_dark(axes))
    y = np.arange(len(cells.counts) + 1) - 0.5
    # cells have gaps between them as long as there is room, and hard edges where there is none
    look: dict[str, Any] = {
        "antialiased": False, "linewidth": 0.0, "rasterized": shown.size > contract.RASTERISED_FROM
    }  # fmt: skip
    if width / shown.shape[1] >= _GAP_PIXELS:
        look = {"antialiased": True, "edgecolor": axes.get_facecolor(), "linewidth": 0.6}
    drawn = []
    for words, cell, color in (
        ("no conjunction", cells.counts == 0, _NONE[dark]),
        ("distance not known", (cells.counts > 0) & np.isnan(shown), _UNKNOWN),
    ):
        if cell.any():
            drawn.append(
                axes.pcolormesh(cells.edges, y, np.ma.masked_where(~cell, cell), cmap=ListedColormap([color]), **look)
            )
            picture.marks[words] = Patch(facecolor=color, edgecolor=_IDLE[dark], linewidth=0.5)
    if cells.idle.any():
        drawn.append(_draw_idle(axes, cells, dark))
        picture.marks["no operation"] = Patch(
            facecolor=_IDLE[dark], hatch="//////", hatchcolor=_IDLE_LINES[dark], linewidth=0
        )
    seen = np.ma.masked_invalid(shown)
    drawn.append(axes.pcolormesh(cells.edges, y, seen, cmap=cmap, norm=norm, **{**look, **own}))
    picture.held["meshes"] = drawn


def _draw_idle(axes: Axes, cells: _Cells, dark: int) -> Any:
    """Hatch the cells that had no operation, those side by side as one."""
    from matplotlib.collections import PolyCollection

    edge = np.zeros((len(cells.idle), 1), bool)
    turns = np.diff(np.hstack([edge, cells.idle, edge]).astype(np.int8), axis=1)
    line, first = np.nonzero(turns == 1)
    left, right = cells.edges[first], cells.edges[np.nonzero(turns == -1)[1]]
    boxes = np.stack(
        [np.stack([x, y], axis=-1) for x, y in ((left, line - 0.5), (right, line - 0.5), (right, line + 0.5), (left, line + 0.5))],
        axis=1,
    )  # fmt: skip
    return axes.add_collection(
        PolyCollection(
            list(boxes), facecolors=_IDLE[dark], hatch="//////", hatchcolors=_IDLE_LINES[dark], linewidths=0.0,
            antialiaseds=False,
        ),
        autolim=False,
    )  # fmt: skip


def _draw_days(axes: Axes, days: pd.DatetimeIndex, freq: str, taken: float) -> None:
    """Name cells in their middle where there is room for all their names, else draw an axis of time."""
    _, word, style = _PERIODS[freq]
    cells = _periods_of(days, freq)
    edges = _cell_edges(cells)
    size = contract.letter_size(axes, "xtick.labelsize")
    names = cells.start_time.strftime(style)
    room = max(0.76 * contract.panel_points(axes)[0] - taken, 30.0)
    fits = int(room // (text_width(names[0], size) + 0.8 * size))
    named = len(cells) <= max(fits, 1)
    words = f"{word.capitalize() if named else 'Time'} [UTC]"
    contract.name_axes(axes, x=words)
    axes.xaxis_date()
    if named:
        axes.set_xticks((edges[1:] + edges[:-1]) / 2, list(names))
    else:
        name_times(axes)
        make_room_for_date(axes, taken)
    axes.set_xlim(edges[0], edges[-1])
