"""What the pictures share: axes, lanes, time, colours and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import model
from aurorax_pandas.exceptions import AuroraxInputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

LANE_HEIGHT: Final = 0.21
MIN_LABEL_POINTS: Final = 5.0
MAX_LABEL_POINTS: Final = 9.0
MAX_FIGURE_HEIGHT: Final = 60.0
#: Label of the groups that get no colour of their own.
OTHERS: Final = "others"

# M. Okabe and K. Ito, "Color universal design" (2008), without black and yellow
_PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F")
_LABELS: Final = {
    "min_distance": "Minimum distance",
    "max_distance": "Maximum distance",
    "approach_distance": "Closest approach",
    "approach_elevation": "Elevation at closest approach",
    "minutes": "Duration",
}
_UNITS: Final = model.UNITS | {"approach_distance": "km", "approach_elevation": "degrees"}
_SORTS: Final = ("label", "start", "count", "distance")


def new_axes(ax: Axes | None, height: float, width: float = 9.0, **keywords: Any) -> Axes:
    """Give the axes to draw into, on a new figure where there are none; sizes in inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, min(height, MAX_FIGURE_HEIGHT)), layout="constrained")
    axes: Axes = figure.add_subplot(**keywords)
    return axes


def lane_height(lanes: int) -> float:
    """Give the height [inches] of a figure of lanes."""
    return 1.3 + LANE_HEIGHT * max(lanes, 5)


def figure_of(axes: Axes) -> Figure:
    """Give the figure that axes are in."""
    return cast("Figure", axes.get_figure(root=True))


def draw_lanes(axes: Axes, labels: Sequence[str], *, is_new: bool) -> None:
    """Draw one lane per label, from top to bottom."""
    count = max(len(labels), 1)
    axes.set_ylim(count - 0.5, -0.5)
    points = axes.get_window_extent().height / figure_of(axes).dpi * 72 / count
    # labels shrink to their lane, down to what can still be read; past that they are thinned
    crowded = is_new and lane_height(count) > MAX_FIGURE_HEIGHT
    fits = is_new and not crowded
    size = MAX_LABEL_POINTS if fits else float(np.clip(0.85 * points, MIN_LABEL_POINTS, MAX_LABEL_POINTS))
    thin = 1 if fits else max(1, int(np.ceil(size / 0.85 / points)))
    axes.set_yticks(range(0, len(labels), thin), labels[::thin], fontsize=size)
    axes.tick_params(axis="y", length=0)
    axes.set_axisbelow(True)
    axes.grid(axis="x", alpha=0.35, linewidth=0.6)
    axes.grid(axis="y", alpha=0.2, linewidth=0.5)
    trim(axes)


def trim(axes: Axes) -> None:
    """Leave out the spines that bound nothing."""
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)


def sorted_lanes(events: pd.DataFrame, labels: pd.Series[str], sort: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Give the lane of each event, and the labels of the lanes in their order."""
    if sort not in _SORTS:
        raise AuroraxInputError(f"sort={sort!r} is not valid; give one of {', '.join(map(repr, _SORTS))}")
    codes, names = pd.factorize(labels, sort=True)
    grouped = events.groupby(codes)
    keys: dict[str, Callable[[], npt.NDArray[Any]]] = {
        "label": lambda: np.arange(len(names)),
        "start": lambda: grouped["start"].min().to_numpy(),
        "count": lambda: -grouped.size().to_numpy(),
        "distance": lambda: grouped["min_distance"].min().to_numpy(),
    }
    order = np.argsort(keys[sort](), kind="stable")
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    return place[codes], [str(names[number]) for number in order]


def date_numbers(times: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Give times as matplotlib counts them."""
    from matplotlib import dates

    return np.asarray(dates.date2num(times), np.float64)  # type: ignore[no-untyped-call]


def draw_time(axes: Axes, start: npt.NDArray[Any], stop: npt.NDArray[Any]) -> None:
    """Label the x axis as time, and let it hold all spans."""
    from matplotlib import dates

    axes.set_xlabel("Time [UTC]")
    if len(start) == 0:
        draw_nothing(axes)
        return
    axes.xaxis_date()
    # the concise formatter cannot format an axis without ticks
    locator = dates.AutoDateLocator(minticks=4, maxticks=9, tz="UTC")  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz="UTC"))  # type: ignore[no-untyped-call]
    first, last = start.min(), stop.max()
    margin = max((last - first) * 0.02, np.timedelta64(10, "m"))
    axes.set_xlim(first - margin, last + margin)


def draw_nothing(axes: Axes) -> None:
    """Say that there is nothing to draw."""
    axes.set_xticks([])
    axes.text(0.5, 0.5, "no conjunctions", transform=axes.transAxes, ha="center", va="center")


def colormap(axes: Axes) -> Colormap:
    """Give viridis without the end that is near the background's own lightness."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    low, high = (0.25, 1.0) if is_dark(axes) else (0.0, 0.88)
    return ListedColormap(mpl.colormaps["viridis"](np.linspace(low, high, 256)), name="viridis_on_background")


def is_dark(axes: Axes) -> bool:
    """Tell whether the background is dark."""
    from matplotlib.colors import to_rgb

    return sum(to_rgb(axes.get_facecolor())) < 1.5


def palette() -> list[str]:
    """Give the colours of categories: the user's own cycle, or one that the colour-blind can tell apart."""
    import matplotlib as mpl

    cycle = mpl.rcParams["axes.prop_cycle"]
    if cycle == mpl.rcParamsDefault["axes.prop_cycle"]:
        return list(_PALETTE)
    colors: list[str] = cycle.by_key().get("color", list(_PALETTE))
    return colors


def foremost(labels: pd.Series[str], most: int) -> pd.Series[str]:
    """Keep the most frequent labels, as many as there are colours; the rest are `OTHERS`."""
    counts = labels.value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    if len(counts) <= most:
        return labels
    return labels.where(labels.isin(counts.index[: most - 1]), OTHERS)


def category_colors(labels: pd.Series[str]) -> dict[str, Any]:
    """Give each label a colour; `OTHERS` are grey and last."""
    names = sorted(set(labels) - {OTHERS})
    colors = palette()
    found: dict[str, Any] = {name: colors[number % len(colors)] for number, name in enumerate(names)}
    return found | ({OTHERS: "0.55"} if OTHERS in set(labels) else {})


def legend_above(axes: Axes, handles: Sequence[Any], title: str | None = None) -> None:
    """Put a legend above the axes, in as many columns as its words leave room for."""
    if not handles:
        return
    longest = max(len(str(handle.get_label())) for handle in handles)
    points = axes.get_window_extent().width / figure_of(axes).dpi * 72
    columns = max(1, min(len(handles), int(points // (4.6 * longest + 34))))
    axes.legend(
        handles=list(handles), title=title, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, frameon=False,
        borderaxespad=0.2, columnspacing=1.4, handletextpad=0.6, fontsize="small",
        title_fontsize="small", alignment="left",
    )  # fmt: skip


def column_label(name: str) -> str:
    """Give the words for a column, with its unit."""
    unit = f" [{_UNITS[name]}]" if name in _UNITS else ""
    return _LABELS.get(name, name.replace("_", " ").capitalize()) + unit
