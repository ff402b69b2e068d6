"""What all pictures take alike: Axes, sizes, a title, and keywords that go on to what is drawn."""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from aurorax_pandas.checks import checked_number, flag, invalid, shown, suggestion
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.plotting.picture import NOTHING, Picture, picture_in
from aurorax_pandas.plotting.room import make_room
from aurorax_pandas.plotting.words import text_of, wrapped
from aurorax_pandas.signatures import describing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_FIGURE_HEIGHT: Final = 60.0
#: Largest side of a figure, and up to which side it may be too small for its words [inches].
_LARGEST: Final = 100.0
_SMALL: Final = 1.5
#: From how many things on a picture is drawn in pixels in a file of vectors.
RASTERISED_FROM: Final = 2000
#: Says in a picture's docstring what the parameters of all pictures are.
shared_parameters: Final = describing(
    [
        """ax : matplotlib.axes.Axes, optional
    Axes to draw into; by default a new figure.""",
        """palette : dict of str to color, optional
    Colours by name for what is in the legend. By default a name has the same colour in every picture. A name that
    is not in the picture and near to one that is may be misspelt, which a warning tells.""",
        """cmap : str or matplotlib.colors.Colormap, optional
    Colours of numbers.""",
        """vmin, vmax : float, optional
    Ends of the colour bar; by default 0 and the query's distance [km] for distances where that is known, else the
    least and greatest value.""",
        """figsize : (float, float), optional
    Width and height of a new figure [inches].""",
        """title : str, optional
    Title above the picture.""",
        """legend : bool, default True
    Whether to draw the legend, and the colour bar of a picture that has one.""",
    ],
    warns=[
        """AuroraxDataWarning
    If an argument of colours has no effect, a name in `palette` may be misspelt, or a picture over time leaves out rows
    that have none."""
    ],
)
#: How much of the width of a picture the words of its x axis may have in one line.
_LABEL_SHARE: Final = 0.66
#: Largest letters [points] for each inch of width.
_POINTS_AN_INCH: Final = 2.4
#: What hatches are made of, and how many lines a title may have.
_HATCHES: Final = "-+x\\/|oO.*"
_MOST_LINES: Final = 10
#: How keywords end that are sizes.
_SIZES: Final = ("linewidth", "linewidths", "markersize", "edgewidth")
#: How much of what matplotlib says of a keyword is told.
_MOST_LETTERS: Final = 200

# what the data decide, or the picture itself
_OWN: Final = frozenset(
    [
        "array",
        "axes",
        "clim",
        "cmap",
        "data",
        "figure",
        "label",
        "offset_transform",
        "offsets",
        "paths",
        "segments",
        "sizes",
        "transform",
        "transOffset",
        "urls",
        "verts",
        "verts_and_codes",
        "xdata",
        "ydata",
        "lines",
        "agg_filter",
        "bounds",
        "height",
        "width",
        "x",
        "y",
        "xy",
        "UVC",
        "clip_box",
        "clip_on",
        "clip_path",
    ]
)


def checked_axes(ax: Any, kind: str = "rectilinear", even: str = "") -> Axes | None:
    """
    Return Axes that can be drawn into, or None for a new figure.

    Parameters
    ----------
    ax : object
        What the user gave.
    kind : {"rectilinear", "polar", "map"}
        What the picture is drawn into.
    even : str
        Letters of the axes whose scale must be linear.

    Raises
    ------
    AuroraxInputError
        If they are no Axes, or Axes of another kind or scale.
    """
    if ax is None:
        return None
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        hint = "one of the Axes in it" if hasattr(ax, "__len__") or hasattr(ax, "axes") else "Axes of matplotlib"
        raise AuroraxInputError(f"ax is a {type(ax).__name__}, no Axes; give {hint}")
    is_map = hasattr(ax, "projection")
    if ax.get_figure() is None:
        raise AuroraxInputError("ax has been removed from its figure; give Axes that are in one")
    plain = ax.name == "rectilinear"
    suits = {"rectilinear": plain and not is_map, "polar": ax.name == "polar"}
    if not suits.get(kind, plain or is_map):
        words = {"polar": "polar Axes, plt.subplot(projection='polar')", "map": "plain Axes, or cartopy's"}
        found = "a map" if is_map else "plain" if ax.name == "rectilinear" else ax.name
        raise AuroraxInputError(f"ax is {found}; give {words.get(kind, 'plain Axes, plt.subplot()')}")
    for letter in even:
        scale = getattr(ax, f"get_{letter}scale")()
        if scale != "linear":
            raise AuroraxInputError(
                f"ax has a {scale} {letter} axis, on which this picture has no place; call ax.set_{letter}scale('linear') before"
            )
    return ax


def new_axes(
    ax: Axes | None, figsize: Sequence[float] | None, height: float, width: float = 9.0, **keywords: Any
) -> Axes:
    """Return the Axes to draw into, on a new figure where there are none; sizes in inches."""
    size = checked_figsize(ax, figsize)
    if ax is not None:
        make_room(ax)
        return ax
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=size or (width, min(height, MAX_FIGURE_HEIGHT)), layout="constrained")
    axes: Axes = figure.add_subplot(**keywords)
    return axes


def checked_figsize(ax: Axes | None, figsize: Any) -> tuple[float, float] | None:
    """Return the size of a new figure [inches], None where none was given."""
    if figsize is None:
        return None
    if ax is not None:
        raise AuroraxInputError(f"figsize={shown(figsize)} is for a new figure; leave it out where ax= is given")
    try:
        width, height = figsize
    except (TypeError, ValueError):
        raise invalid("figsize", figsize, "width and height in inches, such as (7, 4)") from None
    wanted = "width and height in inches, such as (7, 4)"
    sides = [checked_number("figsize", side, lambda inches: 0 < inches < np.inf, wanted) for side in (width, height)]
    if max(sides) > _LARGEST:
        raise AuroraxInputError(
            f"figsize={shown(figsize)} is {sides[0]:g} by {sides[1]:g} inches, larger than any page; figsize is in inches, "
            "which are 25.4 mm or 2.54 cm each"
        )
    return sides[0], sides[1]


def checked_keywords(
    picture: Any, artist: Any, keywords: Mapping[str, Any], make: Any = None, also: Sequence[str] = ()
) -> dict[str, Any]:
    """
    Return keywords for what is drawn, by their full names, before anything is drawn.

    Parameters
    ----------
    picture : callable
        Function that draws the picture, whose own arguments may be meant.
    artist : type
        Class of matplotlib that takes them.
    keywords : mapping of str to object
        What the user gave.
    make : callable, optional
        Makes such a thing with no data of the keywords, which tells whether the values can be used.
    also : sequence of str
        Keywords that the drawing function takes besides.

    Raises
    ------
    AuroraxInputError
        If one is not known or cannot be used; it names the nearest that is known.
    """
    if not keywords:
        return {}
    aliases = _aliases(artist)
    known = sorted({*aliases.values(), *also} - _OWN)
    found: dict[str, Any] = {}
    for name, value in keywords.items():
        full = name if name in also else aliases.get(name, name)
        if full not in known:
            kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
            mine = [each.name for each in inspect.signature(picture).parameters.values() if each.kind in kinds]
            raise AuroraxInputError(
                f"{name}={shown(value)}: {artist.__name__} takes no such keyword; {suggestion(name, [*mine, *known])}"
            )
        if full in found:
            raise AuroraxInputError(f"{name}={shown(value)}: {full} is given twice; give it once")
        found[full] = value
    made = {name: value for name, value in found.items() if name not in also}
    # one by one, to name the one that cannot be used, then together
    for some in [*({name: value} for name, value in made.items()), made]:
        try:
            _check_drawable(some)
            if make is not None:
                make(**some)
        except Exception as error:
            # matplotlib does not look at what it is given before it uses it, which may fail in any way
            words = ", ".join(f"{name}={shown(value)}" for name, value in some.items())
            raise AuroraxInputError(f"{words} cannot be used: {_short(error)}") from None
    return found


def _check_drawable(some: Mapping[str, Any]) -> None:
    """Raise where a number of a keyword would leave nothing to see, or fail when the figure is drawn."""
    from matplotlib.patheffects import AbstractPathEffect

    for name, value in some.items():
        if name == "hatch" and isinstance(value, str) and set(value) - set(_HATCHES):
            raise ValueError(f"hatches are made of {' '.join(_HATCHES)}")
        if name == "path_effects" and not all(isinstance(one, AbstractPathEffect) for one in value or ()):
            raise ValueError("give a list of matplotlib.patheffects")
        if name == "snap" and not (value is None or isinstance(value, bool)):
            raise ValueError("give True, False or None")
        each = value.ravel().tolist() if isinstance(value, np.ndarray) else value
        numbers = [one for one in (each if isinstance(each, list | tuple) else [each]) if isinstance(one, Real)]
        if not all(math.isfinite(one) for one in numbers):
            raise ValueError("give finite numbers")
        if name.endswith(_SIZES) and any(one < 0 for one in numbers):
            raise ValueError("a size is not below 0")


def _short(error: Exception) -> str:
    """Return what an error of matplotlib says, as far as that is short."""
    words = text_of(error) or ""
    return words.partition("\n")[0][:_MOST_LETTERS] or type(error).__name__


@functools.cache
def _aliases(artist: Any) -> dict[str, str]:
    """Return the full name of each keyword of an artist, by it and by each of its short names."""
    from matplotlib.artist import ArtistInspector

    inspector = ArtistInspector(artist)
    found: dict[str, str] = {name: name for name in inspector.get_setters()}
    return found | {alias: name for name, others in inspector.aliasd.items() for alias in others}


def figure_of(axes: Axes) -> Figure:
    """Return the figure that Axes are in."""
    return cast("Figure", axes.get_figure(root=True))


def panel_points(axes: Axes) -> tuple[float, float]:
    """Return the width and height [points] of the part of the figure that Axes and the words around them have."""
    figure: Any = axes.get_figure(root=False)
    width, height = (side * 72 / figure_of(axes).dpi for side in figure.bbox.size)
    picture = picture_in(axes)
    # a colour bar may have taken a part of the place that the picture had
    place = axes.get_subplotspec() if picture is None or picture.bar is None else picture.held.get("place")
    if place is None:
        box = axes.get_position(original=True)
        return width * min(box.width * 1.25, 1.0), height * min(box.height * 1.25, 1.0)
    outer = place.get_topmost_subplotspec()
    grid = outer.get_gridspec()
    across, up = _share(grid.get_width_ratios(), outer.colspan), _share(grid.get_height_ratios(), outer.rowspan)
    inner, whole = place.get_position(figure), outer.get_position(figure)
    return width * across * inner.width / whole.width, height * up * inner.height / whole.height


def _share(ratios: Any, taken: range) -> float:
    return float(sum(ratios[number] for number in taken) / sum(ratios))


def letter_size(axes: Axes, name: str, most: float = 100.0) -> float:
    """Return the size [points] of letters that a setting of matplotlib asks for, no larger than a narrow picture bears."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties

    settings: Any = mpl.rcParams
    size = float(FontProperties(size=settings[name]).get_size_in_points())
    return min(size, most, max(_POINTS_AN_INCH * panel_points(axes)[0] / 72, 5.0))


def name_axes(axes: Axes, x: str | None = None, y: str | None = None) -> None:
    """Write what lies along the axes, in letters that fit."""
    size = letter_size(axes, "axes.labelsize")
    if x is not None:
        # the axis of a narrow picture is shorter than its words
        axes.set_xlabel(wrapped(x, _LABEL_SHARE * panel_points(axes)[0], size), fontsize=size)
        axes.tick_params(axis="x", labelsize=letter_size(axes, "xtick.labelsize"))
    if y is not None:
        axes.set_ylabel(y, fontsize=size)
        axes.tick_params(axis="y", labelsize=letter_size(axes, "ytick.labelsize"))


def check_words(title: Any, legend: Any) -> None:
    """Raise where the title cannot be drawn, or where it cannot be told whether a legend is wanted."""
    import matplotlib as mpl
    from matplotlib.cbook import is_math_text
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    flag("legend", legend)
    if isinstance(title, bool) or not (title is None or isinstance(title, str | Real | date)):
        raise invalid("title", title, "a text")
    lines = str(title).count("\n") + 1
    if lines > _MOST_LINES:
        raise AuroraxInputError(
            f"title={shown(title)} has {lines} lines, which leave no room for the picture; give at most {_MOST_LINES}"
        )
    settings: Any = mpl.rcParams
    if title is None or settings["text.usetex"] or not settings["text.parse_math"]:
        return
    for line in str(title).split("\n"):
        if is_math_text(line):
            try:
                text_to_path.get_text_width_height_descent(line, FontProperties(), ismath=True)
            except ValueError as error:
                why = str(error).strip().splitlines()[-1]
                raise AuroraxInputError(
                    f"title={shown(title)} cannot be drawn ({why}); mathematics stands between dollars, and a dollar itself "
                    r"is written \$"
                ) from None


def finish(axes: Axes, title: str | None, figsize: Sequence[float] | None) -> Axes:
    """
    Write a title above the Axes, where there is one, when all other words are there, and return the Axes.

    Raises
    ------
    AuroraxInputError
        If a new figure is so small that the words leave no room for the picture; it is closed.
    """
    if title is not None:
        axes.set_title(title, fontsize=letter_size(axes, "axes.titlesize"), wrap=True)
    if figsize is None or min(figsize) >= _SMALL:
        return axes
    import matplotlib.pyplot as plt

    figure: Any = figure_of(axes)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        figure.get_layout_engine().execute(figure)
    if told:
        plt.close(figure)
        raise AuroraxInputError(
            f"figsize={shown(figsize)} [inches] leaves no room for the picture beside its words; give a larger one"
        )
    return axes


def trim(axes: Axes) -> None:
    """Leave out the spines that bound nothing."""
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)


def draw_grid(axes: Axes) -> None:
    """Draw pale lines behind what is in a picture, and leave out the spines that bound nothing."""
    axes.grid(alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    trim(axes)


def hold_on_y(axes: Axes, *places: float) -> None:
    """Let the y axis hold some places and what is drawn, and leave it to matplotlib: a logarithmic axis has no zero."""
    x = axes.get_xlim()[0]
    axes.update_datalim([(x, place) for place in places], updatex=False)
    axes.margins(y=0.03)
    axes.autoscale(axis="y")


def draw_nothing(axes: Axes, words: str = "no conjunctions") -> None:
    """Say that there is nothing to draw, unless earlier calls have drawn something."""
    if not any(isinstance(artist, Picture) and artist.filled for artist in axes.artists):
        axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", gid=NOTHING)
