"""Room for the words around a picture, in figures that have no layout of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.transforms import Bbox

from aurorax_pandas.plotting.picture import picture_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How often the room is measured again after Axes have shrunk, since ticks change with them.
_TURNS: Final = 3
#: Distance from words to what is beside them [points].
_APART: Final = 3.0
#: Up to which change of the place [parts of the figure] it is measured no more.
_SAME: Final = 1e-4
#: How much of their place Axes keep at least, however long the words are.
_LEAST: Final = 0.3


def make_room(axes: Axes) -> None:
    """
    Let Axes of a grid without a layout shrink, when they are drawn, by what the words around them lack.

    Axes that have been placed by hand, or by others, stay where they are.
    """
    if axes.get_subplotspec() is not None and axes.get_axes_locator() is None:
        axes.set_axes_locator(_Room(axes))


def settle(axes: Axes) -> None:
    """Place Axes as they would be drawn now."""
    locator: Any = axes.get_axes_locator()
    axes.apply_aspect(None if locator is None else locator(axes, None))


def follow(axes: Axes, bar: Any) -> None:
    """Let a colour bar keep beside its Axes, wherever these are drawn."""
    bar.ax.set_axes_locator(_Beside(axes, bar.ax.get_axes_locator()))


class _Room:
    """Where Axes stand: in their place of the grid, less what the words around them need beyond the free space there."""

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        #: The last place, and whether it stands while something is measured.
        self._held: Bbox | None = None
        self.measured = False

    def get_subplotspec(self) -> Any:
        """Return the place in the grid, which layouts ask for."""
        return self._axes.get_subplotspec()

    def __call__(self, axes: Any, renderer: Any) -> Bbox:
        """Return where to draw the Axes, or their twin [parts of the figure]."""
        whole: Bbox = axes.get_position(original=True)
        figure: Any = axes.get_figure(root=True)
        engine = figure.get_layout_engine()
        if not (engine is None or isinstance(engine, PlaceHolderLayoutEngine)):
            self._held = None
            return whole
        if self._held is not None and (self.measured or axes is not self._axes):
            return self._held
        self.measured, self._held = True, whole
        try:
            place = self._fit(whole, renderer)
        finally:
            self.measured = False
        self._lead_twins()
        return place

    def _fit(self, whole: Bbox, renderer: Any) -> Bbox:
        axes = self._axes
        bar = getattr(picture_in(axes), "bar", None)
        parts = [axes, *([] if bar is None else [bar.ax])]
        figure: Any = axes.get_figure(root=False)
        scale = figure.transSubfigure
        box = Bbox.union([each.get_position(original=True) for each in parts]).transformed(scale)
        free = self._free(parts, box, renderer)
        place = whole.transformed(scale)
        pad = _APART * figure.get_figure(root=True).dpi / 72
        found = whole
        for _ in range(_TURNS):
            before = found.get_points()
            words = Bbox.union([_extent(each, renderer) for each in parts])
            drawn = axes.get_window_extent(renderer)
            left, right = drawn.x0 - words.x0, words.x1 - drawn.x1
            below, above = drawn.y0 - words.y0, words.y1 - drawn.y1
            x0, x1 = _between(place.x0, place.x1, free.x0 + pad + left, free.x1 - pad - right)
            y0, y1 = _between(place.y0, place.y1, free.y0 + pad + below, free.y1 - pad - above)
            self._held = found = Bbox.from_extents(x0, y0, x1, y1).transformed(scale.inverted())
            if abs(found.get_points() - before).max() < _SAME:
                break
        return found

    def _free(self, parts: list[Axes], box: Bbox, renderer: Any) -> Bbox:
        """Return the space [pixels] between the neighbours: beside what they hold, or beside those that give way."""
        figure: Any = self._axes.get_figure(root=False)
        edge = figure.bbox
        bounds = {"left": edge.x0, "right": edge.x1, "below": edge.y0, "above": edge.y1}
        near: dict[str, list[tuple[float, Axes]]] = {side: [] for side in bounds}
        for each in figure.axes:
            other = each.get_position(original=True).transformed(figure.transSubfigure)
            if each in parts or not each.get_visible():
                continue
            if other.y0 < box.y1 - 1 and box.y0 + 1 < other.y1:
                near["left"] += [(other.x1, each)] if other.x1 <= box.x0 + 1 else []
                near["right"] += [(-other.x0, each)] if other.x0 >= box.x1 - 1 else []
            elif other.x0 < box.x1 - 1 and box.x0 + 1 < other.x1:
                near["below"] += [(other.y1, each)] if other.y1 <= box.y0 + 1 else []
                near["above"] += [(-other.y0, each)] if other.y0 >= box.y1 - 1 else []
        for side, found in near.items():
            nearest = max((place for place, _ in found), default=0.0)
            for place, each in found:
                if place < nearest - 1:
                    continue
                # of two pictures the lower and the right one gives way
                yields = side in ("right", "below") and picture_in(each) is not None
                held = _measured_extent(each, renderer) if not yields else None
                if side == "left":
                    bounds[side] = max(bounds[side], place if held is None else held.x1)
                elif side == "right":
                    bounds[side] = min(bounds[side], -place if held is None else held.x0)
                elif side == "below":
                    bounds[side] = max(bounds[side], place if held is None else held.y1)
                else:
                    bounds[side] = min(bounds[side], -place if held is None else held.y0)
        return Bbox.from_extents(bounds["left"], bounds["below"], bounds["right"], bounds["above"])

    def _lead_twins(self) -> None:
        """Let Axes that were laid over these with an axis of their own stand where these do."""
        axes = self._axes
        groups: tuple[Any, Any] = axes.get_shared_x_axes(), axes.get_shared_y_axes()
        for each in [other for group in groups for other in group.get_siblings(axes)]:
            if each.get_subplotspec() == axes.get_subplotspec() and each.get_axes_locator() is None:
                each.set_axes_locator(self)


class _Beside:
    """Where a colour bar stands: as far from its Axes as it was made, and as high as these are drawn."""

    def __init__(self, axes: Axes, inner: Any) -> None:
        self._axes, self._inner = axes, inner

    def get_subplotspec(self) -> Any:
        """Return the place in the grid, which layouts ask for."""
        return self._inner.get_subplotspec()

    def __call__(self, bar: Any, renderer: Any) -> Bbox:
        """Return where to draw the bar [parts of the figure]."""
        made = self._inner(bar, renderer)
        whole, drawn = self._axes.get_position(original=True), self._axes.get_position()
        shrunk = drawn.height / whole.height
        moved = drawn.x1 - whole.x1
        return Bbox.from_extents(
            made.x0 + moved, drawn.y0 + (made.y0 - whole.y0) * shrunk,
            made.x1 + moved, drawn.y0 + (made.y1 - whole.y0) * shrunk,
        )  # fmt: skip


def _between(low: float, high: float, least: float, most: float) -> tuple[float, float]:
    """Return a span cut to limits, as long as enough of it is left."""
    first, last = max(low, least), min(high, most)
    lacking = _LEAST * (high - low) - (last - first)
    if lacking <= 0:
        return first, last
    # what is cut off on both sides is given back in equal parts
    cut = (first - low) + (high - last)
    return first - lacking * (first - low) / cut, last + lacking * (high - last) / cut


def _extent(axes: Axes, renderer: Any) -> Bbox:
    """Return the box [pixels] of Axes and the words around them."""
    found = axes.get_tightbbox(renderer, for_layout_only=True)
    return axes.bbox.frozen() if found is None else Bbox(found.get_points())


def _measured_extent(axes: Axes, renderer: Any) -> Bbox:
    """Return the box [pixels] of other Axes as they stand, without asking them to fit again."""
    room: Any = axes.get_axes_locator()
    if not isinstance(room, _Room):
        return _extent(axes, renderer)
    before, room.measured = room.measured, True
    try:
        return _extent(axes, renderer)
    finally:
        room.measured = before
