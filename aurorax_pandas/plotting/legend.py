"""The legend above a picture: the data's colours first, then what the marks mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.transforms import Bbox, ScaledTranslation

from aurorax_pandas.plotting import colors
from aurorax_pandas.plotting.contract import figure_of, letter_size, panel_points
from aurorax_pandas.plotting.picture import Picture, picture_in
from aurorax_pandas.plotting.words import fitted, text_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

#: How many letters high a row of the legend is, and how many wide what stands beside the words is.
_ROW: Final = 1.55
_HANDLE: Final = 3.9
_OTHERS: Final = (colors.OTHERS, f"all {colors.OTHERS}")
#: Smallest letters [points].
_LEAST: Final = 5.5
#: Up to which width of a picture [points] the legend stands above the labels beside the Axes too.
_NARROW: Final = 180.0
#: How much of the height of a picture its legend may have.
_SHARE: Final = 0.36


def groups_that_fit(axes: Axes, names: list[str]) -> int:
    """Return how many groups a legend has room for; what it cannot name must not have a colour of its own."""
    size = letter_size(axes, "legend.fontsize", 8.5)
    width, height = panel_points(axes)
    widest = max((text_width(name, size) for name in names[:200]), default=0.0)
    columns = max(1, int(0.8 * width // (min(widest, 0.75 * width) + _HANDLE * size)))
    rows = max(1, int(_SHARE * height // (_ROW * size)) - 1)
    return int(min(colors.MOST_GROUPS, max(3, columns * rows)))


def colored_names(axes: Axes | None) -> list[str]:
    """Return the names that have a colour of their own in Axes from earlier calls, which later ones keep."""
    picture = None if axes is None else picture_in(axes)
    return [] if picture is None else [name for name in picture.colors if name not in _OTHERS]


def looks_that_fit(
    axes: Axes, labels: pd.Series[Any], palette: Mapping[str, Any]
) -> tuple[pd.Series[Any], dict[str, colors.Look]]:
    """Return the labels of as many groups as a legend has room for, the rest as one, and the look of each group."""
    everyone = [str(name) for name in labels.cat.categories]
    colors.tell_misspelt(palette, everyone)
    labels, others = colors.foremost(labels, groups_that_fit(axes, everyone), colored_names(axes), palette)
    return labels, colors.looks([str(name) for name in labels.cat.categories], axes, palette, others)


def legend_above(axes: Axes, picture: Picture, title: str | None = None, taken: float = 0.0) -> None:
    """
    Put a legend of all that is in a picture above the Axes; a title stands above it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The Axes.
    picture : Picture
        What they hold.
    title : str, optional
        Words above the legend.
    taken : float, default 0.0
        How much of the width of the picture [points] the labels beside the Axes have; a legend may stand above these.
    """
    from matplotlib.lines import Line2D

    for name in _OTHERS:
        if name in picture.colors:
            # they come last, whatever later calls have added
            picture.colors[name] = picture.colors.pop(name)
    handles = [*picture.colors.values(), *picture.marks.values()]
    if not handles:
        return
    size = letter_size(axes, "legend.fontsize", 8.5)
    panel = panel_points(axes)[0]
    bar = 0.12 * panel if picture.bar is not None else 0.0
    # beside other panels a map leaves some of its place empty
    is_among = axes.get_aspect() != "auto" and _stands_with_others(axes)
    room = (0.88 if is_among else 0.94) * panel - bar - 20
    # a narrow legend needs what is above the labels too
    beside = taken < 0.25 * panel and panel > _NARROW
    room -= max(taken, 24) if beside else 0.12 * panel if panel <= _NARROW else 0.0
    height = _SHARE * panel_points(axes)[1]
    # where a legend would be taller than its share its letters shrink, then what marks mean is left out, never a colour
    left_out = 0
    while True:
        names = _names(picture, left_out, room - _HANDLE * size, size)
        columns = _columns_that_fit(names, room, size)
        if _legend_rows(names, columns) * _ROW * size <= height or (size <= _LEAST and left_out >= len(picture.marks)):
            break
        if size > _LEAST:
            size = max(size - 0.5, _LEAST)
        else:
            left_out += 1
    if left_out:
        handles = [*handles[: len(names) - 1], Line2D([], [], linestyle="none")]
    for handle, name in zip(handles, names, strict=True):
        handle.set_label(name)
    # the hours of a dial are named outside of it
    raised = 6.0 + 2.4 * letter_size(axes, "xtick.labelsize", 9.0) if axes.name == "polar" else 0.0
    side: Any = "lower left" if beside else "lower right"
    anchor = 0.0 if beside else 1.0
    if is_among or (axes.get_aspect() != "auto" and _width(names, columns, size) > _map_width(axes)):
        # a map is in the middle of its place, and may be narrower than its legend
        side, anchor = "lower center", 0.5
    legend = axes.legend(
        handles=handles, title=title, loc=side, bbox_to_anchor=(anchor, 1.0), ncols=columns, frameon=False, borderaxespad=0.2,
        columnspacing=1.2, handletextpad=0.6, handlelength=1.8, fontsize=size, title_fontsize=size, alignment="left",
        numpoints=1, bbox_transform=axes.transAxes + ScaledTranslation(0.0, raised / 72, figure_of(axes).dpi_scale_trans),
    )  # fmt: skip
    _raise_title(axes, picture, legend)


def _stands_with_others(axes: Axes) -> bool:
    place = axes.get_subplotspec()
    return place is not None and place.get_topmost_subplotspec().get_gridspec().get_geometry() != (1, 1)


def _names(picture: Picture, left_out: int, room: float, size: float) -> list[str]:
    """Return the words of a legend: names cut where they are too wide, marks in several lines, and how many are not there."""
    marks = list(picture.marks)[: len(picture.marks) - left_out]
    told = [wrapped(f"and {left_out} more", room, size)] if left_out else []
    return [*fitted(list(picture.colors), room, size), *(wrapped(words, room, size) for words in marks), *told]


def _parts(count: int, columns: int) -> list[tuple[int, int]]:
    """Return where each column begins and ends, filled one after the other as matplotlib does."""
    full, more = divmod(count, columns)
    ends = [full * (number + 1) + min(number + 1, more) for number in range(columns)]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _legend_rows(names: list[str], columns: int) -> int:
    """Return how many lines of words the tallest column has."""
    lines = [name.count("\n") + 1 for name in names]
    return max(sum(lines[begin:end]) for begin, end in _parts(len(names), columns))


def _columns_that_fit(names: list[str], room: float, size: float) -> int:
    """Return in how many columns names fit side by side."""
    return next((columns for columns in range(len(names), 1, -1) if _width(names, columns, size) <= room), 1)


def _width(names: list[str], columns: int, size: float) -> float:
    """Return how wide names in columns are [points]."""
    widths = [max(text_width(line, size) for line in name.split("\n")) + _HANDLE * size for name in names]
    return sum(max(widths[begin:end]) for begin, end in _parts(len(names), columns))


def _map_width(axes: Axes) -> float:
    """Return about how wide Axes of equal units are drawn [points], beside and below their words."""
    across, up = panel_points(axes)
    shape = 1.0 if axes.name == "polar" else float(np.ptp(axes.get_xlim()) / np.ptp(axes.get_ylim()))
    return min(0.85 * across, 0.8 * up * shape)


def _raise_title(axes: Axes, picture: Picture, legend: Any) -> None:
    # a title gives way to Axes above it, so empty ones stand where the legend does
    cover = picture.held.get("cover")
    if cover is None:
        cover = picture.held["cover"] = axes.inset_axes((0.0, 1.0, 1.0, 0.1))
        cover.set_axis_off()
        cover.set_in_layout(False)
    cover.set_axes_locator(_Cover(axes, legend))


class _Cover:
    """Where the legend is when it is drawn."""

    def __init__(self, axes: Axes, legend: Any) -> None:
        self._axes, self._legend = axes, legend

    def __call__(self, _: Any, renderer: Any) -> Bbox:
        box = self._axes.get_window_extent(renderer)
        top = self._legend.get_window_extent(renderer).y1
        held = Bbox.from_extents(box.x0, box.y1, box.x1, max(top, box.y1 + 1))
        return held.transformed(figure_of(self._axes).transSubfigure.inverted())
