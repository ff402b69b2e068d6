"""The legend above a picture: the data's colours first, then what the marks mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.transforms import Bbox, ScaledTranslation

from aurorax_pandas.plotting import colors
from aurorax_pandas.plotting.contract import figure_of, letter_size, panel_points
from aurorax_pandas.plotting.picture import Picture
from aurorax_pandas.plotting.words import fitted, text_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

#: How many letters high a row of the legend is, and how many wide what stands beside the words is.
_ROW: Final = 1.55
_HANDLE: Final = 3.9
#: Smallest letters [points].
_LEAST: Final = 5.5
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


def looks_that_fit(
    axes: Axes, labels: pd.Series[Any], palette: Mapping[str, Any]
) -> tuple[pd.Series[Any], dict[str, colors.Look]]:
    """Return the labels of as many groups as a legend has room for, the rest as one, and the look of each group."""
    labels, others = colors.foremost(labels, groups_that_fit(axes, [str(name) for name in labels.cat.categories]))
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
    handles = [*picture.colors.values(), *picture.marks.values()]
    if not handles:
        return
    size = letter_size(axes, "legend.fontsize", 8.5)
    panel = panel_points(axes)[0]
    bar = 0.12 * panel if picture.bar is not None else 0.0
    room = 0.94 * panel - bar - 20
    beside = taken < 0.25 * panel
    if beside:
        room -= max(taken, 24)
    height = _SHARE * panel_points(axes)[1]
    # where a legend would be taller than its share its letters shrink, then what marks mean is left out, never a colour
    while True:
        names = fitted([*picture.colors, *picture.marks][: len(handles)], room - _HANDLE * size, size)
        columns = _columns_that_fit(names, room, size)
        if -(-len(names) // columns) * _ROW * size <= height or (
            size <= _LEAST and len(handles) <= len(picture.colors)
        ):
            break
        if size > _LEAST:
            size = max(size - 0.5, _LEAST)
        else:
            handles.pop()
    for handle, name in zip(handles, names, strict=True):
        handle.set_label(name)
    # the hours of a dial are named outside of it
    raised = 6.0 + 2.4 * letter_size(axes, "xtick.labelsize", 9.0) if axes.name == "polar" else 0.0
    legend = axes.legend(
        handles=handles, title=title, loc="lower left" if beside else "lower right",
        bbox_to_anchor=(0.0 if beside else 1.0, 1.0), ncols=columns, frameon=False, borderaxespad=0.2,
        columnspacing=1.2, handletextpad=0.6, handlelength=1.8, fontsize=size, title_fontsize=size, alignment="left",
        numpoints=1, bbox_transform=axes.transAxes + ScaledTranslation(0.0, raised / 72, figure_of(axes).dpi_scale_trans),
    )  # fmt: skip
    _raise_title(axes, picture, legend)


def _columns_that_fit(names: list[str], room: float, size: float) -> int:
    """Return in how many columns names fit side by side, filled one after the other as matplotlib does."""
    widths = [text_width(name, size) + _HANDLE * size for name in names]
    for columns in range(len(names), 1, -1):
        full, more = divmod(len(names), columns)
        ends = [full * (number + 1) + min(number + 1, more) for number in range(columns)]
        parts = [max(widths[begin:end]) for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
        if sum(parts) <= room:
            return columns
    return 1


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
