"""The timeline: one lane per pair, one bar per event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.labels import labelled_events, ordered_labels, require_column
from aurorax_pandas.frame import model
from aurorax_pandas.plotting import style
from aurorax_pandas.sources import HEMISPHERE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR_HEIGHT: Final = 0.72
MIN_BAR_POINTS: Final = 1.6
HOLLOW_POINTS: Final = 3.2

_MINUTE: Final = np.timedelta64(1, "m")
_DAY: Final = np.timedelta64(1, "D")
_ORIGIN: Final[Any] = np.datetime64("1970-01-01", "D")


def timeline(
    df: pd.DataFrame,
    by: str = "pair",
    color: str | None = "min_distance",
    ax: Axes | None = None,
    *,
    sort: str = "label",
    markers: bool = False,
    by_day: bool = False,
) -> Axes:
    """
    Draw when each pair of data sources was in conjunction: one lane per pair, one bar per event.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. With a column ``spacecraft_hemisphere``, as `closest_approach`
        adds it, the bars of overflights are filled and those of conjugate conjunctions hollow.
    by : {"pair", "site", "spacecraft"} or a column, default "pair"
        What a lane is; with ``"site"`` cameras that share a site are one.
    color : str or None, default "min_distance"
        Column that colours the bars, numbers by a colour bar and anything else by a legend; None for one colour.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, as tall as the lanes need.
    sort : {"label", "start", "count", "distance"}, default "label"
        Order of the lanes: by name, first start, most events, or least distance.
    markers : bool, default False
        Whether to mark the closest epochs.
    by_day : bool, default False
        Whether to break the lanes at midnight: each day of a lane has a line of its own, and x is the time of day.

    Returns
    -------
    matplotlib.axes.Axes
        Time [UTC] along x, from `start` to one minute after `end`, since both are epochs in range. A bar is never
        narrower than can be seen.

    Raises
    ------
    AuroraxInputError
        If a column is not there, or `sort` is none of the above.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.timeline()
    >>> ax.get_xlabel()
    'Time [UTC]'
    """
    events, labels = labelled_events(df, by, "timeline", color, "spacecraft_hemisphere")
    if color is not None:
        require_column(events, "color", color)
    spans = pd.DataFrame(
        {
            "event": np.arange(len(events)),
            "start": events["start"].to_numpy(),
            "stop": events["end"].to_numpy() + _MINUTE,
            "closest": events["closest_epoch"].to_numpy(),
            "min_distance": events["min_distance"].to_numpy(),
            "label": labels.array,
        }
    )
    if by_day:
        spans = _by_day(spans)
    lane, names = style.sorted_lanes(spans, spans["label"], sort)
    axes = style.new_axes(ax, style.lane_height(len(names)))
    style.draw_lanes(axes, names, is_new=ax is None)
    chosen = events.iloc[spans["event"].to_numpy()]
    start, stop = spans["start"].to_numpy(), spans["stop"].to_numpy()
    values = None if color is None else chosen[color]
    conjugate = _conjugate(chosen)
    # where bars are many to a lane, their outlines and marks give way
    room = float(np.clip(60.0 * len(names) / max(len(spans), 1), 0.0, 1.0))
    handles = _draw_bars(axes, _corners(lane, start, stop), values, conjugate, room)
    if markers:
        handles += _draw_markers(axes, lane, spans["closest"].to_numpy(), conjugate, room)
    style.legend_above(axes, handles)
    style.draw_time(axes, start, stop)
    if by_day and len(spans):
        _draw_hours(axes)
    return axes


def _by_day(spans: pd.DataFrame) -> pd.DataFrame:
    """Cut spans at midnight and lay all days on the first day of 1970, with the day in the label."""
    first, last = (spans[name].to_numpy().astype("M8[D]") for name in ("start", "stop"))
    # a span that stops at midnight does not reach into the day
    last = np.maximum(first, np.where(spans["stop"].to_numpy() == last, last - _DAY, last))
    counts = (last - first).astype(np.int64) + 1
    cut = spans.iloc[np.repeat(np.arange(len(spans)), counts)].reset_index(drop=True)
    day = np.repeat(first, counts) + model.ranges(0, counts)
    lapsed = (day - _ORIGIN).astype("m8[us]")
    start = np.maximum(cut["start"].to_numpy(), day)
    stop = np.minimum(cut["stop"].to_numpy(), day + _DAY)
    closest = cut["closest"].to_numpy()
    closest = np.where(closest.astype("M8[D]") == day, closest, np.datetime64("NaT"))
    lanes = pd.MultiIndex.from_arrays([cut["label"].cat.codes, day])
    codes, found = lanes.factorize(sort=True)
    names = [f"{cut['label'].cat.categories[code]}  {pd.Timestamp(date):%Y-%m-%d}" for code, date in found]
    return cut.assign(
        start=start - lapsed,
        stop=stop - lapsed,
        closest=closest - lapsed,
        label=pd.Categorical.from_codes(codes, pd.Index(names, dtype="str")),
    )


def _draw_hours(axes: Axes) -> None:
    from matplotlib import dates

    axes.set_xlabel("Time of day [UTC]")
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks(np.arange(0, 25, 3) / 24)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz="UTC"))  # type: ignore[no-untyped-call]


def _conjugate(events: pd.DataFrame) -> npt.NDArray[np.bool_] | None:
    """Tell which events are conjugate, where the spacecraft's hemisphere is known."""
    if "spacecraft_hemisphere" not in events.columns:
        return None
    hemisphere = events["spacecraft_hemisphere"].astype(HEMISPHERE)
    types = events["conjunction_type"].astype("str")
    far = ((types == "nbtrace") & (hemisphere == "southern")) | ((types == "sbtrace") & (hemisphere == "northern"))
    return far.to_numpy(bool)


def _corners(lane: npt.NDArray[np.int64], start: npt.NDArray[Any], stop: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    left, right = style.date_numbers(start), style.date_numbers(stop)
    middle = lane.astype(np.float64)
    top, bottom = middle - BAR_HEIGHT / 2, middle + BAR_HEIGHT / 2
    corners: npt.NDArray[np.float64] = np.stack(
        [np.stack([x, y], axis=-1) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))], axis=1
    )
    return corners


def _draw_bars(
    axes: Axes,
    corners: npt.NDArray[np.float64],
    values: pd.Series[Any] | None,
    conjugate: npt.NDArray[np.bool_] | None,
    room: float,
) -> list[Any]:
    """Draw the bars, and return the handles of a legend."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    axes.xaxis_date()
    width = MIN_BAR_POINTS if conjugate is None else MIN_BAR_POINTS + room * (HOLLOW_POINTS - MIN_BAR_POINTS)
    # the outline keeps a minute visible where the axis spans days
    bars = PolyCollection(list(corners), linewidths=width, joinstyle="miter")
    axes.add_collection(bars, autolim=False)
    handles = _color_bars(axes, bars, values)
    if conjugate is not None:
        back = axes.get_facecolor()
        # the inside of a hollow bar is painted over it, so that it shows however narrow the bar is
        axes.add_collection(
            PolyCollection(list(corners[conjugate]), linewidths=0.2 + 0.4 * room, facecolor=back, edgecolor=back),
            autolim=False,
        )
        edge = axes.xaxis.label.get_color()
        handles += [
            Patch(facecolor=edge, edgecolor=edge, label="overflight"),
            Patch(facecolor=back, edgecolor=edge, label="conjugate"),
        ]
    return handles


def _color_bars(axes: Axes, bars: Any, values: pd.Series[Any] | None) -> list[Any]:
    """Colour the bars, and return the handles of a legend where they need one."""
    from matplotlib.lines import Line2D

    if values is None:
        color = style.palette()[0]
        bars.set(facecolor=color, edgecolor=color)
        return []
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = np.ma.masked_invalid(values.to_numpy(dtype="float64", na_value=np.nan))
        bars.set(array=numbers, cmap=style.colormap(axes), edgecolor="face")
        if numbers.count():
            style.color_bar(axes, bars, style.column_label(str(values.name)))
        else:
            bars.set_clim(0.0, 1.0)
        unknown = len(numbers) > numbers.count()
        return [Line2D([], [], color=style.NO_VALUE, linewidth=6, label="no value")] if unknown else []
    labels = style.foremost(ordered_labels(values), len(style.palette()))
    colors = style.category_colors(labels)
    drawn = [colors[label] for label in labels]
    bars.set(facecolor=drawn, edgecolor=drawn)
    return [Line2D([], [], color=color, linewidth=6, label=name) for name, color in colors.items()]


def _draw_markers(
    axes: Axes,
    lane: npt.NDArray[np.int64],
    closest: npt.NDArray[Any],
    conjugate: npt.NDArray[np.bool_] | None,
    room: float,
) -> list[Any]:
    """Mark the closest epochs, and return the handles of a legend."""
    from matplotlib.lines import Line2D

    ink, back = axes.xaxis.label.get_color(), axes.get_facecolor()
    hollow = np.zeros(len(lane), bool) if conjugate is None else conjugate
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 1.8 + 1.7 * room, "markeredgewidth": 0.7}
    # a mark has an edge of the other lightness, so that it shows on any bar
    for rows, face, edge in ((~hollow, ink, back), (hollow, back, ink)):
        shown = rows & ~np.isnat(closest)
        if shown.any():
            x = style.date_numbers(closest[shown])
            axes.plot(x, lane[shown], markerfacecolor=face, markeredgecolor=edge, zorder=3, **look)
    marked = not np.isnat(closest).all()
    return [Line2D([], [], color=ink, markeredgecolor=back, label="closest epoch", **look)] if marked else []
