"""What has been drawn into Axes, kept on the Axes, so that a second call adds to it and never contradicts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.artist import Artist

from aurorax_pandas.exceptions import AuroraxInputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

#: What tells the words of an empty picture from others.
NOTHING: Final = "nothing"
_LANES: Final = "lanes"
#: What lies along x and y of each kind of picture that can share an axis with others.
_ALONG: Final = {
    "timeline": ("times", _LANES),
    "timeline by day": ("times of day", _LANES),
    "calendar": ("times", _LANES),
    "distance": ("times", "distances"),
    "approach": ("times", "distances"),
    "approach over minutes": ("minutes", "distances"),
    "rate": ("times", "rates"),
    "histogram": ("values", "numbers of events"),
    "dial": ("hours", "latitudes"),
}


class Picture(Artist):
    """
    The lanes, colours and words of a picture; it draws nothing itself, and goes where its Axes are cleared.

    Parameters
    ----------
    kind : str
        Which picture: two kinds do not share Axes.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        #: Labels of the lanes, from top to bottom.
        self.lanes: list[str] = []
        #: Legend handles of the data's colours, and of the marks, by their words.
        self.colors: dict[str, Any] = {}
        self.marks: dict[str, Any] = {}
        #: The column that a colour bar stands for, its scale and the bar.
        self.column: str | None = None
        self.norm: Normalize | None = None
        self.cmap: Colormap | None = None
        self.bar: Any = None
        #: Whether an earlier call has drawn something.
        self.filled = False
        #: What else a kind of picture keeps.
        self.held: dict[str, Any] = {}
        self.set_in_layout(False)
        self.set_visible(False)

    def place_lanes(self, names: list[str]) -> list[int]:
        """Return the lane of each name; a new name gets a new one below."""
        known = {name: number for number, name in enumerate(self.lanes)}
        for name in names:
            if name not in known:
                known[name] = len(known)
                self.lanes.append(name)
        return [known[name] for name in names]


def picture_on(axes: Axes, kind: str) -> Picture:
    """
    Return what the Axes hold; new Axes, or others' own, hold nothing yet.

    Raises
    ------
    AuroraxInputError
        If they hold a picture of another kind, whose axes mean something else.
    """
    found = held_picture(axes, kind)
    if found is None:
        found = Picture(kind)
        for other in _sharing(axes, 1):
            if _ALONG.get(kind, ("", ""))[1] == _LANES:
                # Axes that share their lanes have one list of them
                found.lanes = other.lanes
        axes.add_artist(found)
        return found
    empty = [text for text in axes.texts if text.get_gid() == NOTHING]
    for text in empty:
        # whether there is nothing is for this call to say
        text.remove()
    found.filled = found.filled or not empty
    return found


def held_picture(axes: Axes | None, kind: str) -> Picture | None:
    """
    Return the picture that Axes hold, None where there is none.

    Raises
    ------
    AuroraxInputError
        If it is of another kind, or if the Axes share an axis with a picture along which something else lies.
    """
    if axes is None:
        return None
    found = picture_in(axes)
    if found is not None and found.kind != kind:
        raise AuroraxInputError(f"ax holds a {found.kind} already, and this is a {kind}; give each its own Axes")
    for number, name in enumerate(("x", "y")):
        cure = f"make the Axes without share{name}="
        if kind not in _ALONG and len(_siblings(axes, number)) > 1:
            raise AuroraxInputError(
                f"ax shares its {name} axis with other Axes, and a {kind} has a scale of its own; {cure}"
            )
        for other in _sharing(axes, number):
            mine, others = _ALONG.get(kind, ("", ""))[number], _ALONG.get(other.kind, ("", ""))[number]
            if mine != others:
                raise AuroraxInputError(
                    f"ax shares its {name} axis with a {other.kind}, which has {others} along it, and a {kind} has "
                    f"{mine}; {cure}"
                )
    return found


def picture_in(axes: Axes) -> Picture | None:
    """Return what Axes hold, None where they hold no picture."""
    return next((artist for artist in axes.artists if isinstance(artist, Picture)), None)


def _siblings(axes: Axes, number: int) -> list[Axes]:
    """Return all Axes that share the x axis (0) or the y axis (1) with some, these too."""
    group: Any = axes.get_shared_x_axes() if number == 0 else axes.get_shared_y_axes()
    return list(group.get_siblings(axes))


def _sharing(axes: Axes, number: int) -> list[Picture]:
    """Return the pictures in the other Axes that share an axis with some."""
    found = [picture_in(each) for each in _siblings(axes, number) if each is not axes]
    return [picture for picture in found if picture is not None]
