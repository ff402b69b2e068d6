"""Bars in lanes: one for each pixel of a lane where they are narrower, the least distance on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.artist import allow_rasterization
from matplotlib.collections import PolyCollection
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from aurorax_pandas.frame.model import ranges
from aurorax_pandas.plotting.contract import RASTERISED_FROM, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR_HEIGHT: Final = 0.72
#: Least width of a bar, and of one whose hollow inside is to be seen [points].
MIN_BAR_POINTS: Final = 1.6
HOLLOW_POINTS: Final = 3.6
_OUTLINE_POINTS: Final = 0.9

Floats = npt.NDArray[np.float64]


class Bars(PolyCollection):
    """
    Bars of events, kept in full and drawn as the pixels have room.

    Parameters
    ----------
    lane : ndarray of int64
        Lane of each bar.
    left, right : ndarray of float64
        Where it begins and ends along x.
    distance : ndarray of float64
        Of two bars in one place the one with the lesser is seen.
    hollow : ndarray of bool
        Which bars are drawn as outlines.
    **keywords
        Properties of the collection.
    """

    def __init__(
        self,
        lane: npt.NDArray[np.int64],
        left: Floats,
        right: Floats,
        distance: Floats,
        hollow: npt.NDArray[np.bool_],
        **keywords: Any,
    ) -> None:
        super().__init__([], rasterized=len(lane) > RASTERISED_FROM, **keywords)
        self.lane, self.left, self.right, self.hollow = lane, left, right, hollow
        # what has no distance covers nothing
        self.distance = np.where(np.isnan(distance), np.inf, distance)
        self.hatches = np.full(len(lane), "", object)
        #: The bars of all calls that share the Axes, this one's among them.
        self.together: list[Bars] = [self]

    def get_paths(self) -> list[Path]:
        """Return the outline of every bar, in the coordinates of the data."""
        top, bottom = self.lane - BAR_HEIGHT / 2, self.lane + BAR_HEIGHT / 2
        corners = _corners(self.left, self.right, top, bottom)
        return [Path(one, closed=True) for one in np.concatenate([corners, corners[:, :1]], axis=1)]

    @allow_rasterization  # type: ignore[untyped-decorator]
    def draw(self, renderer: Any) -> None:
        """Draw the bars that can be seen, with those of earlier and later calls, the nearest on top."""
        together = [bars for bars in self.together if bars.axes is not None and bars.get_visible() and len(bars.lane)]
        if not together or together[0] is not self or self.axes is None:
            return
        axes: Any = self.axes
        wide = bin_pixels(axes, any(bars.hollow.any() for bars in together))
        parts = [bars.pixels(wide) for bars in together]
        corners, places, distance, faces, edges, lines, hatches = (
            np.concatenate(columns) for columns in zip(*parts, strict=True)
        )
        order = np.argsort(distance, kind="stable")
        if not len(order):
            return
        smooth = bool(any(bars.hollow.any() for bars in together))
        if len(order) > RASTERISED_FROM and not smooth and not hatches.any():
            self._paint(renderer, corners[order], faces[order])
            return
        # of the bars that share a bin of their lane the nearest is drawn, and it is drawn last
        narrow = order[places[order, 1] >= 0]
        _, first = np.unique(places[narrow], axis=0, return_index=True)
        kept = np.ones(len(order), bool)
        kept[narrow] = False
        kept[narrow[first]] = True
        order = order[kept[order]][::-1]
        # one collection has one pattern
        ends = np.flatnonzero(hatches[order][1:] != hatches[order][:-1]) + 1
        for rows in np.split(order, ends):
            drawn = PolyCollection(
                list(corners[rows]), facecolors=faces[rows], edgecolors=edges[rows], linewidths=lines[rows],
                hatch=hatches[rows[0]] or None, joinstyle="miter", antialiaseds=smooth, transform=IdentityTransform(),
            )  # fmt: skip
            drawn.set_hatchcolor(axes.get_facecolor())
            drawn.axes = axes
            drawn.set_figure(figure_of(axes))
            drawn.set_clip_path(axes.patch)
            drawn.draw(renderer)

    def _paint(self, renderer: Any, corners: Floats, faces: Floats) -> None:
        """Paint bars, the nearest first, as an image: of all that cover a pixel the nearest is seen."""
        axes: Any = self.axes
        left, bottom = (int(np.floor(side)) for side in axes.bbox.min)
        right, top = (int(np.ceil(side)) for side in axes.bbox.max)
        width = right - left
        first, stop = (np.clip(corners[:, at, 0] - left, 0, width).astype(np.int64) for at in (0, 1))
        low, high = (np.clip(corners[:, at, 1] - bottom, 0, top - bottom).astype(np.int64) for at in (0, 2))
        # lanes are few and bars are many
        keys, band = np.unique(low * (top - bottom + 1) + high, return_inverse=True)
        bands = np.column_stack(np.divmod(keys, top - bottom + 1))
        nearest = np.full((len(bands), width), len(corners))
        lengths = stop - first
        pixels = np.repeat(band * width + first, lengths) + ranges(0 * lengths, lengths)
        np.minimum.at(nearest.reshape(-1), pixels, np.repeat(np.arange(len(corners)), lengths))
        shades = np.vstack([np.round(faces * 255), np.zeros((1, 4))]).astype(np.uint8)
        image = np.zeros((top - bottom, width, 4), np.uint8)
        for (begin, end), row in zip(bands.tolist(), nearest, strict=True):
            image[begin:end] = shades[row]
        gc = renderer.new_gc()
        gc.set_clip_rectangle(axes.bbox)
        renderer.draw_image(gc, left, bottom, image)
        gc.restore()

    def pixels(self, wide: int) -> tuple[npt.NDArray[Any], ...]:
        """
        Return the bars in sight as they are drawn: corners [pixels], lane and bin, distance, and how they look.

        The bin is negative for a bar that is wider than one.
        """
        axes: Any = self.axes
        self.update_scalarmappable()
        transform = axes.transData
        left, y = transform.transform(np.column_stack([self.left, self.lane])).T
        right = transform.transform(np.column_stack([self.right, self.lane]))[:, 0]
        left, right = np.minimum(left, right), np.maximum(left, right)
        height = abs(float(np.diff(transform.transform([(0, 0), (0, BAR_HEIGHT)])[:, 1])[0]))
        narrow = right - left < wide
        bins = np.maximum(np.floor((left + right) / 2 / wide), 0)
        left = np.where(narrow, bins * wide, np.round(left))
        right = np.where(narrow, left + wide, np.round(right))
        box = axes.bbox
        rows = np.flatnonzero((right > box.x0) & (left < box.x1) & (y + height > box.y0) & (y - height < box.y1))
        low, high = np.round(y - height / 2)[rows], np.round(y + height / 2)[rows]
        faces, edges = (
            _of_each(colors, len(self.lane))[rows] for colors in (self.get_facecolor(), self.get_edgecolor())
        )
        hollow = self.hollow[rows][:, None]
        back = np.array([*axes.get_facecolor()[:3], 1.0])
        line = np.resize(np.asarray(self.get_linewidth(), np.float64), len(self.lane))[rows]
        return (
            _corners(left[rows], right[rows], low, np.maximum(high, low + 1)),
            np.column_stack([self.lane, np.where(narrow, bins, -1)])[rows],
            self.distance[rows],
            np.where(hollow, back, faces),
            np.where(hollow, faces, edges),
            np.where(hollow[:, 0], np.maximum(line, _OUTLINE_POINTS), line),
            self.hatches[rows] if self.get_hatch() is None else np.full(len(rows), self.get_hatch(), object),
        )


def bin_pixels(axes: Axes, hollow: bool) -> int:
    """Return how many pixels wide the narrowest bar is drawn."""
    return max(1, round((HOLLOW_POINTS if hollow else MIN_BAR_POINTS) * figure_of(axes).dpi / 72))


def _corners(left: Any, right: Any, low: Any, high: Any) -> Floats:
    corners: Floats = np.stack(
        [np.stack([x, y], axis=-1) for x, y in ((left, low), (right, low), (right, high), (left, high))], axis=1
    )
    return corners


def _of_each(colors: Any, count: int) -> Floats:
    """Return a colour for each of a number of bars."""
    found = np.asarray(colors, np.float64).reshape(-1, 4)
    return np.resize(found, (count, 4)) if len(found) else np.zeros((count, 4))
