"""What the pictures share: axes, lanes, time, colours and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import choice
from aurorax_pandas.frame import model

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

LANE_HEIGHT: Final = 0.21
MIN_LABEL_POINTS: Final = 5.0
MAX_LABEL_POINTS: Final = 9.0
MAX_FIGURE_HEIGHT: Final = 60.0
MAX_LABEL_LETTERS: Final = 50
LEGEND_ROW_POINTS: Final = 13.0
NARROW_POINTS: Final = 250.0
#: Colour of what has no value.
NO_VALUE: Final = "0.6"
#: Label of the groups that get no colour of their own.
OTHERS: Final = "others"

# M. Okabe and K. Ito, "Color universal design" (2008), without black and yellow
_PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F")
_LABELS: Final = {
    "min_distance": "Minimum distance",
    "max_distance": "Maximum distance",
    "approach_distance": "Closest approach",
    "approach_elevation": "Elevation at closest approach",
    "footprint_uncertainty": "Uncertainty of the footprint",
    "minutes": "Duration",
}
_UNITS: Final = model.UNITS | {
    "approach_distance": "km",
    "approach_elevation": "degrees",
    "footprint_uncertainty": "km",
}


def new_axes(ax: Axes | None, height: float, width: float = 9.0, **keywords: Any) -> Axes:
    """Return the axes to draw into, on a new figure where there are none; sizes in inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, min(height, MAX_FIGURE_HEIGHT)), layout="constrained")
    axes: Axes = figure.add_subplot(**keywords)
    return axes


def lane_height(lanes: int) -> float:
    """Return the height [inches] of a figure of lanes."""
    return 1.3 + LANE_HEIGHT * max(lanes, 5)


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes are in."""
    return cast("Figure", axes.get_figure(root=True))


def draw_lanes(axes: Axes, labels: Sequence[str], *, is_new: bool) -> None:
    """Draw one lane per label, from top to bottom."""
    from matplotlib.ticker import Formatter, Locator

    count = max(len(labels), 1)
    axes.set_ylim(count - 0.5, -0.5)

    def points() -> float:
        return float(axes.get_window_extent().height / figure_of(axes).dpi * 72 / count)

    # labels shrink to their lane, down to what can still be read; past that they are thinned
    fits = is_new and lane_height(count) <= MAX_FIGURE_HEIGHT
    size = MAX_LABEL_POINTS if fits else float(np.clip(0.85 * points(), MIN_LABEL_POINTS, MAX_LABEL_POINTS))

    class Lanes(Locator):
        def __call__(self) -> list[int]:
            # the layout is known only when the axes are drawn
            return list(range(0, len(labels), 1 if fits else max(1, int(np.ceil(size / 0.85 / points())))))

    class Names(Formatter):
        def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
            return shortened(labels[round(x)])

    axes.yaxis.set_major_locator(Lanes())
    axes.yaxis.set_major_formatter(Names())
    axes.tick_params(axis="y", length=0, labelsize=size)
    axes.set_axisbelow(True)
    axes.grid(axis="x", alpha=0.35, linewidth=0.6)
    axes.grid(axis="y", alpha=0.2, linewidth=0.5)
    trim(axes)


def shortened(label: str) -> str:
    """Return a label that leaves room for the picture."""
    return label if len(label) <= MAX_LABEL_LETTERS else label[: MAX_LABEL_LETTERS - 1] + "…"


def trim(axes: Axes) -> None:
    """Leave out the spines that bound nothing."""
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)


def sorted_lanes(events: pd.DataFrame, labels: pd.Series[Any], sort: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the lane of each event, and the labels of the lanes in their order; see `labels.ordered_labels`."""
    choice("sort", sort, ("label", "start", "count", "distance"))
    codes, names = labels.cat.codes.to_numpy(), labels.cat.categories
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
    """Return times as matplotlib counts them."""
    from matplotlib import dates

    return np.asarray(dates.date2num(times), np.float64)  # type: ignore[no-untyped-call]


def draw_time(axes: Axes, start: npt.NDArray[Any], stop: npt.NDArray[Any]) -> None:
    """Label the x axis as time, and let it hold all spans, beside what it held before."""
    # in a narrow picture the date, which stands at the right, needs the place
    narrow = axes.get_window_extent().width / figure_of(axes).dpi * 72 < NARROW_POINTS
    axes.set_xlabel("Time [UTC]", loc="left" if narrow else "center")
    if len(start) == 0:
        draw_nothing(axes)
        return
    axes.xaxis_date()
    name_times(axes)
    margin = max((stop.max() - start.min()) * 0.02, np.timedelta64(10, "m"))
    first, last = date_numbers(np.array([start.min() - margin, stop.max() + margin]))
    held = axes.dataLim.intervalx
    if np.isfinite(held).all():
        first, last = min(first, *held), max(last, *held)
    axes.update_datalim([(first, 0.0), (last, 0.0)], updatey=False)
    axes.set_xlim(first, last)


def name_times(axes: Axes) -> None:
    """Name times along the x axis, as many as there is room for when it is drawn."""
    from matplotlib import dates

    class Times(dates.AutoDateLocator):
        def get_locator(self, dmin: Any, dmax: Any) -> Any:
            points = axes.get_window_extent().width / figure_of(axes).dpi * 72
            most = int(np.clip(points // 48, 2, 9))
            # the concise formatter cannot format an axis without ticks
            self.minticks, self.maxticks = min(4, most), dict.fromkeys(self.maxticks, most)
            return super().get_locator(dmin, dmax)  # type: ignore[no-untyped-call]

    locator = Times(tz="UTC")  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz="UTC"))  # type: ignore[no-untyped-call]


def draw_nothing(axes: Axes, words: str = "no conjunctions") -> None:
    """Say that there is nothing to draw."""
    axes.set_xticks([])
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center")


def color_bar(axes: Axes, drawn: Any, label: str) -> Any:
    """Put a colour bar beside the axes; one as tall as many lanes is no help."""
    figure = figure_of(axes)
    shrink = min(1.0, 6.0 / figure.get_figheight())
    bar = figure.colorbar(drawn, ax=axes, pad=0.02, aspect=30, shrink=shrink)
    points = shrink * axes.get_window_extent().height / figure.dpi * 72
    bar.set_label(label, fontsize=float(np.clip(points / (0.6 * len(label)), MIN_LABEL_POINTS, 10.0)))
    return bar


def colormap(axes: Axes) -> Colormap:
    """Return viridis without the end that is near the background's own lightness."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    low, high = (0.25, 1.0) if is_dark(axes) else (0.0, 0.88)
    colors = mpl.colormaps["viridis"](np.linspace(low, high, 256))
    return ListedColormap(colors, name="viridis_on_background").with_extremes(bad=NO_VALUE)


def is_dark(axes: Axes) -> bool:
    """Tell whether the background is dark."""
    from matplotlib.colors import to_rgb

    return sum(to_rgb(axes.get_facecolor())) < 1.5


def palette() -> list[str]:
    """Return the colours of categories: the user's own cycle, or one that the colour-blind can tell apart."""
    import matplotlib as mpl

    cycle = mpl.rcParams["axes.prop_cycle"]
    if cycle == mpl.rcParamsDefault["axes.prop_cycle"]:
        return list(_PALETTE)
    colors: list[str] = cycle.by_key().get("color", list(_PALETTE))
    return colors


def foremost(labels: pd.Series[Any], most: int) -> pd.Series[Any]:
    """Keep the most frequent labels, as many as there are colours; the rest are `OTHERS`, and last."""
    counts = labels.value_counts(sort=False).sort_values(ascending=False, kind="stable")
    if len(counts) <= most:
        return labels
    kept = labels.cat.set_categories([name for name in labels.cat.categories if name in counts.index[: most - 1]])
    return kept.cat.add_categories(OTHERS).fillna(OTHERS)


def category_colors(labels: pd.Series[Any]) -> dict[str, Any]:
    """Return each label a colour; `OTHERS` are grey."""
    colors = palette()
    names = labels.cat.remove_unused_categories().cat.categories
    return {name: "0.55" if name == OTHERS else colors[number % len(colors)] for number, name in enumerate(names)}


def legend_above(axes: Axes, handles: Sequence[Any], title: str | None = None) -> None:
    """Put a legend above the axes, in as many columns as its words leave room for; a title stands above it."""
    if not handles:
        return
    from matplotlib.lines import Line2D

    for handle in handles:
        handle.set_label(shortened(str(handle.get_label())))
    longest = max(len(str(handle.get_label())) for handle in handles)
    extent = axes.get_window_extent()
    width, height = (side / figure_of(axes).dpi * 72 for side in (extent.width, extent.height))
    columns = max(1, min(len(handles), int(width // (4.6 * longest + 34))))
    # a legend that is taller than the picture would push it off its figure
    most = columns * max(1, int(0.5 * height // LEGEND_ROW_POINTS))
    shown = list(handles)
    if len(shown) > most:
        shown = [*shown[: most - 1], Line2D([], [], linestyle="none", label=f"and {len(shown) - most + 1} more")]
    legend = axes.legend(
        handles=shown, title=title, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, frameon=False,
        borderaxespad=0.2, columnspacing=1.4, handletextpad=0.6, fontsize="small",
        title_fontsize="small", alignment="left",
    )  # fmt: skip
    _raise_title(axes, legend)


def _raise_title(axes: Axes, legend: Any) -> None:
    # a title gives way to axes above it, so empty ones stand where the legend does
    from matplotlib.transforms import Bbox

    def place(_: Any, renderer: Any) -> Bbox:
        box, top = axes.get_window_extent(renderer), legend.get_window_extent(renderer).y1
        held = Bbox.from_extents(box.x0, box.y1, box.x1, max(top, box.y1 + 1))
        return held.transformed(figure_of(axes).transSubfigure.inverted())

    cover = axes.inset_axes((0.0, 1.0, 1.0, 0.1))
    cover.set_axis_off()
    cover.set_in_layout(False)
    cover.set_axes_locator(place)


def column_label(name: str) -> str:
    """Return the words for a column, with its unit."""
    unit = f" [{_UNITS[name]}]" if name in _UNITS else ""
    return _LABELS.get(name, name.replace("_", " ").capitalize()) + unit
