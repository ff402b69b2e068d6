"""The colours of a page: of numbers along a scale, of names as in every picture, and of all else by the background."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.labels import ordered_labels
from aurorax_pandas.plotting import colors, scale
from aurorax_pandas.plotting.words import column_words

#: Colours by what they are for, on a light and on a dark background.
ROLES: Final = {
    "paper": ("#ffffff", "#16191d"),
    "ink": ("#1f2328", "#e3e6ea"),
    "soft": ("#59636e", "#9aa4af"),
    "grid": ("#e4e7ea", "#2c3238"),
    "coast": ("#a3abb3", "#5b656f"),
    "faint": ("#c9ced4", "#3c444c"),
    "mark": ("#0072B2", "#56B4E9"),
}
_OTHERS: Final = "#8c8c8c"
_ONE: Final = "#0072B2"
#: Bokeh's patterns and CSS's in the order of `colors.HATCHES`.
_PATTERNS: Final = (" ", "/", "\\", "x", ".", "-", "|", "+")
_STRIPES: Final = ("45deg", "-45deg", "45deg", "90deg", "0deg", "90deg", "0deg")


class Paint(NamedTuple):
    """
    The colours of events.

    ``values`` are numbers along the scale from ``low`` to ``high``, or colours; ``ramps`` are the colours of the scale on
    light and on dark, None where there is no scale; ``hatch`` are patterns, None where no colour comes twice; ``legend`` is
    HTML; ``names`` are all that a palette may name.
    """

    values: Any
    low: float
    high: float
    ramps: tuple[list[str], list[str]] | None
    hatch: list[str] | None
    legend: str
    names: Sequence[str] = ()


def painted(
    df: pd.DataFrame, events: pd.DataFrame, color: str | None, limits: scale.Limits, palette: dict[str, Any]
) -> Paint:
    """
    Return the colours of events.

    Parameters
    ----------
    df : pandas.DataFrame
        The frame, whose query limits distances.
    events : pandas.DataFrame
        The events.
    color : str or None
        The column that colours them.
    limits : Limits
        What the user said of the scale.
    palette : dict
        Colours that the user chose, by name.
    """
    from matplotlib.colors import to_hex

    if color is None:
        chosen = _ONE if colors.cycle() == list(colors.PALETTE) else to_hex(colors.cycle()[0])
        return Paint([chosen] * len(events), 0.0, 1.0, None, None, "")
    values = events[color]
    words = html.escape(column_words(color))
    if scale.holds_numbers(values):
        numbers = values.to_numpy("float64", na_value=np.nan)
        low, high = scale.color_ends(color, numbers, limits, scale.query_distance(df))
        ramps = _ramp(limits.cmap, dark=False), _ramp(limits.cmap, dark=True)
        return Paint(numbers, low, high, ramps, None, f"<span>Colour: {words}</span>")
    labels = ordered_labels(values)
    everyone = [str(name) for name in labels.cat.categories]
    labels, others = colors.foremost(labels, named=palette)
    names = [str(name) for name in labels.cat.categories if name != others]
    looks = colors.looks(names, None, palette)
    known: dict[Any, str] = {name: to_hex(look.color) for name, look in looks.items()}
    codes: dict[Any, int] = {name: look.code for name, look in looks.items()}
    if others is not None:
        known[others], codes[others] = _OTHERS, 0
    swatches = [_named_swatch(name, known[name], codes[name]) for name in known]
    hatch = [_PATTERNS[codes[name] % len(_PATTERNS)] for name in labels] if any(codes.values()) else None
    legend = " &ensp;".join([f"<span>{words}:</span>", *swatches])
    return Paint([known[name] for name in labels], 0.0, 1.0, None, hatch, legend, everyone)


def craft_colors(names: list[str], palette: dict[str, Any]) -> list[str]:
    """Return the colours of spacecraft, which are theirs in every picture."""
    from matplotlib.colors import to_hex

    return [to_hex(look.color) for look in colors.looks(names, None, palette).values()]


def craft_legend(names: list[str], shades: list[str]) -> str:
    """Return what the colours of tracks mean, as HTML."""
    swatches = [_named_swatch(name, shade, 0) for name, shade in zip(names, shades, strict=True)]
    return " &ensp;".join(["<span>Tracks, dashed where conjugate:</span>", *swatches]) if swatches else ""


def _ramp(cmap: Any, *, dark: bool) -> list[str]:
    from matplotlib.colors import to_hex

    chosen = colors.colormap_on(dark=dark) if cmap is None else cmap
    shades: npt.NDArray[np.float64] = chosen(np.linspace(0.0, 1.0, 256))
    return [to_hex(shade) for shade in shades]


def _named_swatch(name: str, color: str, code: int) -> str:
    return f'<span style="white-space: nowrap"><i style="{_swatch(color, code)}"></i> {html.escape(name)}</span>'


def _swatch(color: str, code: int) -> str:
    """Return the CSS of a patch of a colour, striped where the colour comes twice."""
    look = f"display: inline-block; width: 1.1em; height: 0.8em; background-color: {color};"
    if code:
        angle, width = _STRIPES[(code - 1) % len(_STRIPES)], 1 + (code + 1) // 2
        look += f" background-image: repeating-linear-gradient({angle}, #fff 0 1px, transparent 1px {width + 2}px);"
    return look
