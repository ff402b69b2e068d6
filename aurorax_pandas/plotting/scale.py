"""Colour scales: one for each Axes, from the limits that are given, the query's, or the data's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import checked_number, invalid, shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.provenance import get_provenance
from aurorax_pandas.plotting import colors
from aurorax_pandas.plotting.contract import figure_of, letter_size, panel_points
from aurorax_pandas.plotting.picture import Picture, held_picture
from aurorax_pandas.plotting.room import follow
from aurorax_pandas.plotting.words import column_label, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

#: Columns of distances that a query limits.
_DISTANCES: Final = ("min_distance", "max_distance", "approach_distance", "median_distance")
_BAR_INCHES: Final = 6.0
_FEW: Final = 12
#: Beyond this ends of a scale and the ticks between them are not told apart.
_MOST: Final = 1e15


class Limits(NamedTuple):
    """What a user said of a colour scale."""

    cmap: Colormap | None
    vmin: float | None
    vmax: float | None
    norm: Any = None


def holds_numbers(values: pd.Series[Any]) -> bool:
    """Tell whether a column is coloured along a scale."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def checked_limits(
    axes: Axes | None,
    kind: str,
    column: str | None,
    cmap: Any,
    vmin: float | None,
    vmax: float | None,
    norm: Any = None,
) -> Limits:
    """Check what a user said of a colour scale, before anything is drawn."""
    from matplotlib.colors import Normalize

    numbers = {
        name: None
        if value is None
        else checked_number(name, value, lambda end: abs(end) <= _MOST, f"a number from -{_MOST:g} to {_MOST:g}")
        for name, value in (("vmin", vmin), ("vmax", vmax))
    }
    low, high = numbers["vmin"], numbers["vmax"]
    if low is not None and high is not None and low >= high:
        raise AuroraxInputError(f"vmin={shown(vmin)} is not below vmax={shown(vmax)}; swap them")
    if norm is not None and not isinstance(norm, Normalize):
        raise invalid("norm", norm, "a scale of matplotlib, such as matplotlib.colors.LogNorm()")
    if norm is not None and not (low is None and high is None):
        raise AuroraxInputError("norm= brings its own limits; leave vmin= and vmax= out")
    held = held_picture(axes, kind)
    if held is not None and column is not None and held.column not in (None, column):
        raise AuroraxInputError(
            f"ax is coloured by {held.column} already, which {column} cannot share; give each its own Axes"
        )
    return Limits(colors.checked_colormap(cmap), low, high, norm)


def tell_idle(color: Any, *, numeric: bool, palette: Any, cmap: Any, vmin: Any, vmax: Any, norm: Any = None) -> None:
    """Warn of colours of names beside a column of numbers, of those of numbers beside names, and of all beside none."""
    if color is None:
        colors.tell_idle(
            "color=None draws all in one colour; give color= a column",
            palette=palette, cmap=cmap, vmin=vmin, vmax=vmax, norm=norm,
        )  # fmt: skip
    elif numeric:
        colors.tell_idle(
            f"color={shown(color)} holds numbers; give cmap= for their colours, or color= a column of names",
            palette=palette,
        )  # fmt: skip
    else:
        colors.tell_idle(
            f"color={shown(color)} holds names; give palette= for their colours, or color= a column of numbers",
            cmap=cmap, vmin=vmin, vmax=vmax, norm=norm,
        )  # fmt: skip


def query_distance(df: pd.DataFrame) -> float | None:
    """Return the greatest distance [km] that the query of a frame allows, None where there is none or it is unknown."""
    query = get_provenance(df.attrs).get("query")
    # a frame of several searches has a list of queries
    limits = (query.get("max_distances") or {}) if isinstance(query, dict) else {}
    values = list(limits.values())
    known = [value for value in values if isinstance(value, int | float) and value > 0]
    # a pair without a limit, between spacecraft and others, leaves the others' limits alone only in other pairs
    return float(max(known)) if known and len(known) == len(values) else None


def color_ends(column: str, values: npt.NDArray[np.float64], limits: Limits, top: float | None) -> tuple[float, float]:
    """Return the ends of a colour scale that holds one set of numbers; the arguments are those of `scaled`."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if column in _DISTANCES and top is not None:
        low, high = 0.0, top
    low = low if limits.vmin is None else limits.vmin
    high = high if limits.vmax is None else limits.vmax
    if low < high:
        return low, high
    return (high - 1.0, high) if limits.vmin is None and limits.vmax is not None else (low, low + 1.0)


def scaled(
    axes: Axes, picture: Picture, column: str, values: npt.NDArray[Any], limits: Limits, top: float | None = None
) -> tuple[Colormap, Normalize]:
    """
    Return the colours of numbers, the same for all that is in the Axes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where they are drawn.
    picture : Picture
        What the Axes hold.
    column : str
        What the numbers are.
    values : ndarray of float64
        The numbers, NaN where there is none.
    limits : Limits
        What the user said.
    top : float, optional
        The query's distance [km]: the scale of distances goes from 0 to it.
    """
    from matplotlib.colors import Normalize

    known = values[np.isfinite(values)]
    first = picture.norm is None
    norm: Any = picture.norm or limits.norm or Normalize()
    if limits.norm is not None:
        norm.autoscale_None(known)
    else:
        by_query = column in _DISTANCES and top is not None
        if by_query and first:
            norm.vmin, norm.vmax = 0.0, top
        fixed = picture.held.setdefault("limits", {})
        fixed |= {name: value for name, value in (("vmin", limits.vmin), ("vmax", limits.vmax)) if value is not None}
        # a scale of the data grows to hold what a later call brings
        reach = [each for each in (norm.vmin, norm.vmax) if each is not None] + (
            [] if by_query or not len(known) else [float(known.min()), float(known.max())]
        )
        norm.vmin = fixed.get("vmin", min(reach, default=0.0))
        norm.vmax = fixed.get("vmax", max(reach, default=1.0))
        if norm.vmin > norm.vmax:
            norm.vmin, norm.vmax = (norm.vmin, norm.vmin + 1.0) if "vmin" in fixed else (norm.vmax - 1.0, norm.vmax)
    if picture.cmap is None or limits.cmap is not None:
        picture.cmap = colors.colormap(axes, limits.cmap)
    picture.norm, picture.column = norm, column
    return picture.cmap, norm


def color_bar(axes: Axes, picture: Picture, label: str | None = None, values: npt.NDArray[Any] | None = None) -> None:
    """Put the colour bar of a picture beside its Axes, once; one as tall as many lanes is no help."""
    from matplotlib.cm import ScalarMappable

    mappable = ScalarMappable(picture.norm, picture.cmap)
    words = column_label(str(picture.column)) if label is None else label
    known = np.array([]) if values is None else values[np.isfinite(values)]
    if picture.bar is not None:
        picture.bar.update_normal(mappable)
        picture.bar.ax.yaxis.label.set_text(words)
        _count_on(picture, known)
        return
    figure = figure_of(axes)
    height = panel_points(axes)[1] / 72
    # a map leaves some of its place empty
    shrink = min(1.0, _BAR_INCHES / height)
    if axes.get_aspect() != "auto" and figure.get_layout_engine() is not None:
        shrink *= 0.8
    norm: Any = picture.norm
    below, above = (known < norm.vmin).any(), (known > norm.vmax).any()
    extend = "both" if below and above else "min" if below else "max" if above else "neither"
    panel = panel_points(axes)[0]
    picture.held["place"] = axes.get_subplotspec()
    bar = figure.colorbar(
        mappable, ax=axes, pad=0.02, aspect=30, shrink=shrink, extend=extend, fraction=0.15 if panel > 300 else 0.1
    )
    room = shrink * 0.72 * height * 72
    size = letter_size(axes, "axes.labelsize", 10.0)
    bar.set_label(words, fontsize=float(np.clip(size * room / max(text_width(words, size), 1.0), 4.5, size)))
    bar.ax.tick_params(labelsize=letter_size(axes, "ytick.labelsize", 9.0))
    picture.bar = bar
    _count_on(picture, known)
    if bar.ax.get_subplotspec() is not None:
        follow(axes, bar)


def _count_on(picture: Picture, known: npt.NDArray[Any]) -> None:
    """Let a colour bar of whole numbers have ticks at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    bar, norm = picture.bar, picture.norm
    whole = len(known) > 0 and bool((known == np.round(known)).all())
    if whole and norm is not None and norm.vmin is not None and norm.vmax is not None and norm.vmax - norm.vmin < 1000:
        bar.locator = MaxNLocator(nbins=6, integer=True, min_n_ticks=1)
        bar.update_ticks()
        bar.minorticks_off()


def counting(most: int, cmap: Colormap, least: int = 1) -> tuple[Colormap, Normalize]:
    """Return the colours of counts: few have one each, and all have limits between whole numbers."""
    from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize

    steps = most - least + 1
    if steps <= _FEW:
        return ListedColormap(cmap(np.linspace(0.0, 1.0, steps))), BoundaryNorm(
            np.arange(least - 0.5, most + 1.0), steps
        )
    return cmap, Normalize(least - 0.5, most + 0.5)
