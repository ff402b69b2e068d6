"""Pictures of conjunctions with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import model
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.transforms.pairs import pair_events

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

LANE_HEIGHT: Final = 0.21
BAR_HEIGHT: Final = 0.72
MIN_BAR_POINTS: Final = 1.6
MIN_LABEL_POINTS: Final = 5.0
MAX_LABEL_POINTS: Final = 9.0
MAX_FIGURE_HEIGHT: Final = 60.0

_LABELS: Final = {"min_distance": "Minimum distance", "max_distance": "Maximum distance", "minutes": "Duration"}
_MINUTE: Final = np.timedelta64(1, "m")


def timeline(df: pd.DataFrame, by: str = "pair", color: str | None = "min_distance", ax: Axes | None = None) -> Axes:
    """
    Draw when each pair of data sources was in conjunction: one lane per pair, one bar per event.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : {"pair", "site"} or a column of the events, default "pair"
        What a lane is; with ``"site"`` cameras that share a site are one.
    color : str or None, default "min_distance"
        Column that colours the bars, numbers by a colour bar and anything else by a legend; None for one colour.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, as tall as the lanes need.

    Returns
    -------
    matplotlib.axes.Axes
        Time [UTC] along x, from `start` to one minute after `end`, since both are epochs in range.

    Raises
    ------
    AuroraxInputError
        If a column is not there.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.timeline()
    >>> ax.get_xlabel()
    'Time [UTC]'
    """
    events = pair_events(df, "site" if by == "site" else "pair", "timeline")
    lane = "pair" if by == "site" else by
    for argument, name in (("by", lane), ("color", color)):
        if name is not None and name not in events.columns:
            raise AuroraxInputError(
                f"{argument}={name!r} is no column of the events; there are {', '.join(map(str, events.columns))}"
            )
    codes, labels = pd.factorize(events[lane].astype("str"), sort=True)
    axes = _axes(ax, len(labels))
    _draw_lanes(axes, [str(label) for label in labels], is_new=ax is None)
    start = events["start"].to_numpy()
    bars = _bars(axes, codes, start, events["end"].to_numpy() + _MINUTE)
    _color_bars(axes, bars, None if color is None else events[color])
    _draw_time(axes, start, events["end"].to_numpy() + _MINUTE)
    return axes


def _axes(ax: Axes | None, lanes: int) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    height = min(1.3 + LANE_HEIGHT * max(lanes, 5), MAX_FIGURE_HEIGHT)
    return plt.subplots(figsize=(9.0, height), layout="constrained")[1]


def _draw_lanes(axes: Axes, labels: list[str], *, is_new: bool) -> None:
    count = max(len(labels), 1)
    axes.set_ylim(count - 0.5, -0.5)
    points = axes.get_window_extent().height / cast("Figure", axes.get_figure(root=True)).dpi * 72 / count
    # labels shrink to their lane, down to what can still be read; past that they are thinned
    size = MAX_LABEL_POINTS if is_new else float(np.clip(0.85 * points, MIN_LABEL_POINTS, MAX_LABEL_POINTS))
    thin = 1 if is_new else max(1, int(np.ceil(size / 0.85 / points)))
    axes.set_yticks(range(0, len(labels), thin), labels[::thin], fontsize=size)
    axes.tick_params(axis="y", length=0)
    axes.set_axisbelow(True)
    axes.grid(axis="x", alpha=0.35, linewidth=0.6)
    axes.grid(axis="y", alpha=0.2, linewidth=0.5)
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)


def _date_numbers(times: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    from matplotlib import dates

    return np.asarray(dates.date2num(times), np.float64)  # type: ignore[no-untyped-call]


def _bars(axes: Axes, lane: npt.NDArray[np.int64], start: npt.NDArray[Any], stop: npt.NDArray[Any]) -> Any:
    from matplotlib.collections import PolyCollection

    axes.xaxis_date()
    left, right = _date_numbers(start), _date_numbers(stop)
    top, bottom = lane - BAR_HEIGHT / 2, lane + BAR_HEIGHT / 2
    corners = np.stack(
        [np.stack([x, y], axis=-1) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))], axis=1
    )
    # the outline keeps a minute visible where the axis spans days
    bars = PolyCollection(list(corners), linewidths=MIN_BAR_POINTS, joinstyle="miter")
    axes.add_collection(bars, autolim=False)
    return bars


def _color_bars(axes: Axes, bars: Any, values: pd.Series[Any] | None) -> None:
    from matplotlib.lines import Line2D

    if values is None:
        bars.set(facecolor="C0", edgecolor="C0")
        return
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        name = str(values.name)
        bars.set(array=values.to_numpy(dtype="float64", na_value=np.nan), cmap=_colormap(axes), edgecolor="face")
        if len(values) == 0:
            bars.set_clim(0.0, 1.0)
        unit = f" [{model.UNITS[name]}]" if name in model.UNITS else ""
        label = _LABELS.get(name, name.replace("_", " ").capitalize()) + unit
        if len(values):
            cast("Figure", axes.get_figure(root=False)).colorbar(bars, ax=axes, label=label, pad=0.02, aspect=30)
        return
    codes, names = pd.factorize(values.astype("str"), sort=True)
    colors = np.array([f"C{code % 10}" for code in codes], dtype=object)
    bars.set(facecolor=list(colors), edgecolor=list(colors))
    handles = [
        Line2D([], [], color=f"C{number % 10}", linewidth=6, label=str(name)) for number, name in enumerate(names)
    ]
    if handles:
        axes.legend(
            handles=handles, title=str(values.name), loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False
        )


def _colormap(axes: Axes) -> Colormap:
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap, to_rgb

    # the end of viridis that is near the background's own lightness is left out, so that every bar stands out
    dark = sum(to_rgb(axes.get_facecolor())) < 1.5
    low, high = (0.25, 1.0) if dark else (0.0, 0.88)
    return ListedColormap(mpl.colormaps["viridis"](np.linspace(low, high, 256)), name="viridis_on_background")


def _draw_time(axes: Axes, start: npt.NDArray[Any], stop: npt.NDArray[Any]) -> None:
    from matplotlib import dates

    axes.set_xlabel("Time [UTC]")
    if len(start) == 0:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no conjunctions", transform=axes.transAxes, ha="center", va="center")
        return
    # the concise formatter cannot format an axis without ticks
    locator = dates.AutoDateLocator(minticks=4, maxticks=9, tz="UTC")  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz="UTC"))  # type: ignore[no-untyped-call]
    first, last = start.min(), stop.max()
    margin = max((last - first) * 0.02, np.timedelta64(10, "m"))
    axes.set_xlim(first - margin, last + margin)
