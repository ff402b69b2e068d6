"""Lanes: one for each label, from top to bottom, kept on the Axes from call to call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.ticker import Formatter, Locator

from aurorax_pandas.checks import choice
from aurorax_pandas.plotting.contract import MAX_FIGURE_HEIGHT, figure_of, letter_size, panel_points, trim
from aurorax_pandas.plotting.picture import Picture
from aurorax_pandas.plotting.words import fitted, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LANE_HEIGHT: Final = 0.21
MIN_LABEL_POINTS: Final = 5.0
MAX_LABEL_POINTS: Final = 9.0
#: How much of the width of a picture its labels may have.
LABEL_SHARE: Final = 0.38
#: How much of a lane its label is high.
_FILL: Final = 0.85
#: What lanes can be sorted by.
SORTS: Final = ("label", "start", "count", "distance")


def lane_height(lanes: int) -> float:
    """Return the height [inches] of a figure of lanes."""
    return 1.3 + LANE_HEIGHT * max(lanes, 5)


def sorted_lanes(events: pd.DataFrame, labels: pd.Series[Any], sort: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the place of each event's label, and the labels in their order; see `labels.ordered_labels`."""
    choice("sort", sort, SORTS)
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


def lane_points(axes: Axes, picture: Picture) -> float:
    """Return the height of a lane [points] as the Axes are now."""
    return float(axes.get_window_extent().height / figure_of(axes).dpi * 72 / max(len(picture.lanes), 1))


def label_width(axes: Axes, names: Sequence[str]) -> float:
    """Return the width [points] that the labels of lanes take, 0 where Axes that share them have them."""
    if not axes.yaxis.get_tick_params(which="major").get("labelleft", True):
        return 0.0
    size = letter_size(axes, "ytick.labelsize", MAX_LABEL_POINTS)
    room = LABEL_SHARE * panel_points(axes)[0]
    return min(max((text_width(name, size) for name in names[:200]), default=0.0), room)


def draw_lanes(axes: Axes, picture: Picture, *, is_new: bool) -> None:
    """Label the lanes of a picture."""
    count = max(len(picture.lanes), 1)
    axes.set_ylim(count - 0.5, -0.5)
    most = letter_size(axes, "ytick.labelsize", MAX_LABEL_POINTS)
    # labels shrink to their lane, down to what can still be read; past that they are thinned
    fits = is_new and panel_points(axes)[1] / 72 >= min(lane_height(count), MAX_FIGURE_HEIGHT) - 0.01
    fits = fits and lane_height(count) <= MAX_FIGURE_HEIGHT
    size = most if fits else float(np.clip(_FILL * lane_points(axes, picture), MIN_LABEL_POINTS, most))
    axes.yaxis.set_major_locator(_Lanes(axes, picture, size, fits=fits))
    axes.yaxis.set_major_formatter(_Names(axes, picture, size))
    axes.tick_params(axis="y", length=0, labelsize=size)
    axes.set_axisbelow(True)
    axes.grid(axis="x", alpha=0.35, linewidth=0.6)
    axes.grid(axis="y", alpha=0.2, linewidth=0.5)
    trim(axes)


class _Lanes(Locator):
    """Where labels stand: at each lane, or at as many as there is room for when the Axes are drawn."""

    def __init__(self, axes: Axes, picture: Picture, size: float, *, fits: bool) -> None:
        self._axes, self._picture, self._size, self._fits = axes, picture, size, fits

    def __call__(self) -> list[int]:
        # the layout is known only when the Axes are drawn
        points = max(lane_points(self._axes, self._picture), 0.01)
        step = 1 if self._fits else max(1, int(np.ceil(self._size / _FILL / points)))
        return list(range(0, len(self._picture.lanes), step))


class _Names(Formatter):
    """The labels, no wider than their share of the picture."""

    def __init__(self, axes: Axes, picture: Picture, size: float) -> None:
        self._axes, self._picture, self._size = axes, picture, size
        self._fitted: dict[tuple[int, float], list[str]] = {}

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels at places along y."""
        # the room is measured once for all labels
        room = LABEL_SHARE * panel_points(self._axes)[0]
        key = (len(self._picture.lanes), room)
        if key not in self._fitted:
            self._fitted = {key: fitted(self._picture.lanes, room, self._size)}
        names = self._fitted[key]
        return [names[round(place)] if 0 <= round(place) < len(names) else "" for place in values]
