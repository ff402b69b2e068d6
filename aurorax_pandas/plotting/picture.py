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
        axes.add_artist(found)
        return found
    empty = [text for text in axes.texts if text.get_gid() == NOTHING]
    for text in empty:
        # whether there is nothing is for this call to say
        text.remove()
    found.filled = found.filled or not empty
    return found


def held_picture(axes: Axes | None, kind: str) -> Picture | None:
    """Return the picture that Axes hold, None where there is none; raise where it is of another kind."""
    if axes is None:
        return None
    found = next((artist for artist in axes.artists if isinstance(artist, Picture)), None)
    if found is not None and found.kind != kind:
        raise AuroraxInputError(f"ax holds a {found.kind} already, and this is a {kind}; give each its own Axes")
    return found
