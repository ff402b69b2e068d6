"""Colours by name: a spacecraft, station or pair has the same in every picture."""

from __future__ import annotations

import functools
import itertools
import warnings
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import invalid, nearest_name, shown, suggestion
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.plotting.words import text_of
from aurorax_pandas.sources import SPACECRAFT, bundled_sources

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Palette = Mapping[str, Any]

#: M. Okabe and K. Ito, "Color universal design" (2008), without black and yellow, and an indigo.
PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#5D3A9B")
#: Label of the groups that get no colour of their own.
OTHERS: Final = "others"
#: Most groups with a colour of their own.
MOST_GROUPS: Final = 12
#: Second codes, for names that would share a colour in one picture.
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: Final[tuple[Any, ...]] = (
    "-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (2.5, 1)), (0, (8, 2.5)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 2.5)),
)  # fmt: skip
HATCHES: Final = ("", "////", "\\\\\\\\", "xxxx", "....", "----", "||||", "++++")
#: How much two greys must differ in lightness (L* of CIE 1976) to be told apart in print.
LIGHTNESS_APART: Final = 12.0


class Look(NamedTuple):
    """How what bears a name is drawn: its colour, and a second code where another of that picture has the same colour."""

    color: Any
    code: int

    @property
    def marker(self) -> str:
        """Marker of points."""
        return MARKERS[self.code % len(MARKERS)]

    @property
    def dashes(self) -> Any:
        """Style of lines."""
        return DASHES[self.code % len(DASHES)]

    @property
    def hatch(self) -> str:
        """Pattern of areas."""
        return HATCHES[self.code % len(HATCHES)]


@functools.cache
def _bundled_places() -> dict[str, int]:
    """Number the names of the bundled sources: spacecraft, and apart from them stations, whose site codes count too."""
    table = bundled_sources()
    places: dict[str, int] = {}
    craft = table["source_type"].isin(SPACECRAFT)
    for names in (table["display_name"][craft], table["display_name"][table["source_type"] == "ground"]):
        places |= {str(name): number for number, name in enumerate(dict.fromkeys(names.dropna()))}
    sites = table["site_code"].dropna().drop_duplicates()
    return places | {str(code): number for number, code in enumerate(sites)}


def color_place(name: str) -> int:
    """Return the place of a name in the order of colours, by the name alone; a palette repeats past its end."""
    place = _bundled_places().get(name)
    # Python's own hash of a text differs from run to run
    return zlib.crc32(name.encode()) if place is None else place


def cycle() -> list[Any]:
    """Return the colours of categories: the user's own cycle, or one that the colour-blind can tell apart."""
    import matplotlib as mpl

    chosen = mpl.rcParams["axes.prop_cycle"]
    if chosen == mpl.rcParamsDefault["axes.prop_cycle"]:
        return list(PALETTE)
    return list(chosen.by_key().get("color", PALETTE))


def checked_palette(palette: Palette | None) -> dict[str, Any]:
    """Return a palette of the user's own, or raise where it holds what is no colour."""
    if palette is None:
        return {}
    if not isinstance(palette, Mapping):
        raise invalid("palette", palette, "a dict of colours by name, such as {'Swarm A': 'C3'}")
    found = {}
    for name, color in palette.items():
        if text_of(name) is None:
            raise AuroraxInputError(f"palette: {shown(name)} is not a name; give text")
        if not _is_color(color):
            raise AuroraxInputError(f"palette: {shown(color)}, of {shown(name)}, is no colour that matplotlib knows")
        found[str(name)] = color
    return found


def _is_color(value: Any) -> bool:
    """Tell whether matplotlib can draw in something."""
    from matplotlib.colors import to_rgba

    try:
        to_rgba(value)
    except Exception:
        # matplotlib asks what was given for its words, which may fail in any way
        return False
    return True


def tell_idle(why: str, **given: Any) -> None:
    """Warn of each argument of colours that has no effect, and why."""
    for name, value in given.items():
        if value is not None:
            warnings.warn(f"{name}={shown(value)} has no effect: {why}", AuroraxDataWarning, stacklevel=callers_level())


def tell_misspelt(palette: Mapping[str, Any], names: Sequence[str]) -> None:
    """Warn of each name of a palette that is not there, and may mean one that is and has no colour of the user's."""
    bare = [name for name in names if name not in palette]
    for name in palette:
        near = None if name in names or _is_known(name) else nearest_name(name, bare)
        if near is not None and not _are_numbered(name, near):
            warnings.warn(
                f"palette: {shown(name)} is not in the picture, and {shown(near)} has no colour in the palette; did you mean "
                f"{shown(near)}?",
                AuroraxDataWarning,
                stacklevel=callers_level(),
            )


def _is_known(name: str) -> bool:
    """Tell whether a name is one of the bundled sources, or a pair of them, that another frame may hold."""
    places = _bundled_places()
    return all(part in places for part in name.split(" & "))


def _are_numbered(one: str, other: str) -> bool:
    """Tell whether two names differ in numbers or single letters alone, as those of one series do."""
    pairs = list(itertools.zip_longest(one.split(), other.split(), fillvalue=""))
    apart = [pair for pair in pairs if pair[0].lower() != pair[1].lower()]
    return bool(apart) and all(len(word) == 1 or word.isdigit() for pair in apart for word in pair)


def looks(
    names: Sequence[str], axes: Axes | None, palette: Mapping[str, Any], others: str | None = None
) -> dict[str, Look]:
    """
    Return each name its look.

    Parameters
    ----------
    names : sequence of str
        All names of a picture.
    axes : matplotlib.axes.Axes or None
        Where they are drawn; None where there are no `others`.
    palette : mapping of str to color
        Colours that the user chose.
    others : str, optional
        The name, among these, of all that get no colour of their own.
    """
    from matplotlib.colors import to_hex

    colors = cycle()
    found: dict[str, Look] = {}
    taken: dict[str, int] = {}
    for name in sorted(names, key=lambda each: (each not in _bundled_places(), color_place(each), each)):
        if name != others:
            color = palette.get(name, colors[color_place(name) % len(colors)])
            same = to_hex(color)
            found[name] = Look(color, taken.get(same, 0))
            taken[same] = found[name].code + 1
    if others is not None and axes is not None:
        found[others] = Look(others_color(axes, [look.color for look in found.values()]), 0)
    return {name: found[name] for name in names}


def others_color(axes: Axes, colors: Sequence[Any]) -> str:
    """Return the grey that is told from all colours, and from the background, by its lightness alone."""
    known = lightness([*colors, axes.get_facecolor()])
    greys = np.linspace(0.0, 1.0, 101)
    shades = lightness([f"{grey:.2f}" for grey in greys])
    apart = np.abs(shades[:, None] - known[None, :]).min(axis=1)
    # near the background the others stand back; where there is no room, anywhere
    near = (shades > known[:-1].max(initial=0.0)) if not is_dark(axes) else (shades < known[:-1].min(initial=100.0))
    chosen = np.where(near, apart, -1.0) if apart[near].max(initial=0.0) >= LIGHTNESS_APART else apart
    return f"{greys[int(chosen.argmax())]:.2f}"


def lightness(colors: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Return the lightness of colours, L* of CIE 1976 (CIE 15, 2004), from 0 for black to 100 for white."""
    from matplotlib.colors import to_rgba_array

    encoded = to_rgba_array(list(colors))[:, :3]
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    cube = np.where(luminance > (6 / 29) ** 3, np.cbrt(luminance), luminance / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.asarray(116 * cube - 16, np.float64)


def is_dark(axes: Axes) -> bool:
    """Tell whether the background is dark."""
    from matplotlib.colors import to_rgb

    return sum(to_rgb(axes.get_facecolor())) < 1.5


def ink(axes: Axes) -> Any:
    """Return the colour of words and marks."""
    return axes.xaxis.label.get_color()


def checked_colormap(cmap: Any) -> Colormap | None:
    """Return a colour map of a user's own, None where none was asked for, or raise where there is no such."""
    import matplotlib as mpl
    from matplotlib.colors import Colormap

    if cmap is None or isinstance(cmap, Colormap):
        return cmap
    if not isinstance(cmap, str) or cmap not in mpl.colormaps:
        raise AuroraxInputError(f"cmap={shown(cmap)} is no colour map; {suggestion(cmap, sorted(mpl.colormaps))}")
    return mpl.colormaps[cmap]


def colormap(axes: Axes, cmap: Colormap | None = None) -> Colormap:
    """Return a colour map: the one asked for, or the one for the background."""
    return colormap_on(dark=is_dark(axes)) if cmap is None else cmap


def colormap_on(*, dark: bool) -> Colormap:
    """Return viridis without the end that is near the background's own lightness."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    low, high = (0.25, 1.0) if dark else (0.0, 0.88)
    return ListedColormap(mpl.colormaps["viridis"](np.linspace(low, high, 256)), name="viridis_on_background")


def foremost(
    labels: pd.Series[Any], most: int = MOST_GROUPS, held: Collection[str] = (), named: Collection[str] = ()
) -> tuple[pd.Series[Any], str | None]:
    """
    Keep the most frequent labels, those that are named before others; the rest have one label, which is returned too, and
    come last.

    Parameters
    ----------
    labels : Series
        The labels, categorical.
    most : int, default 12
        How many there may be.
    held : collection of str
        Those that the picture has already, which are kept, and leave less room for others.
    named : collection of str
        Those for which the user chose a colour.
    """
    labels = labels.cat.remove_unused_categories()
    counts = labels.value_counts(sort=False).sort_values(ascending=False, kind="stable")
    fresh = sorted((name for name in counts.index if str(name) not in held), key=lambda name: str(name) not in named)
    room = max(most - len(held), 0)
    if len(fresh) <= room:
        return labels, None
    others = OTHERS if OTHERS not in counts.index else f"all {OTHERS}"
    rest = set(fresh[max(room - 1, 0) :])
    kept = labels.cat.set_categories([name for name in labels.cat.categories if name not in rest])
    return kept.cat.add_categories(others).fillna(others), others
