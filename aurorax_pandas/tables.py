"""Tables for notebooks, through the Styler of pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_FORMATS: Final[dict[str, Any]] = {
    "minutes": "{:.0f}",
    "min_distance": "{:.1f}",
    "median_distance": "{:.1f}",
    **dict.fromkeys(("closest_epoch", "first_start", "last_end"), "{:%Y-%m-%d %H:%M}"),
}


def style_pair_summary(summary: pd.DataFrame) -> Styler:
    """
    Give a pair summary as a compact table for a notebook: rounded, with units, bars in the distances.

    Parameters
    ----------
    summary : pandas.DataFrame
        The frame of `pair_summary`; columns of your own are shown as they are.

    Returns
    -------
    pandas.io.formats.style.Styler
        The table, which a notebook shows; ``to_html()`` gives its text.

    Raises
    ------
    AuroraxInputError
        If the frame is no pair summary.
    ImportError
        If jinja2, which the Styler stands on, is not installed.

    Examples
    --------
    >>> import aurorax_pandas
    >>> table = aurorax_pandas.load_sample_conjunctions().aurorax.pair_summary().aurorax.style()
    >>> "min_distance [km]" in table.to_html()
    True
    """
    missing = [name for name in model.PAIR_SUMMARY_COLUMNS if name not in summary.columns]
    if missing:
        raise AuroraxInputError(f"summary: the column {missing[0]!r} is missing; give the frame of pair_summary")
    try:
        styler = summary.style
    except (ImportError, AttributeError) as error:
        raise ImportError('style_pair_summary needs jinja2: pip install "aurorax-pandas[style]"') from error
    least = summary["min_distance"]
    table = styler.format({name: text for name, text in _FORMATS.items() if name in summary}, na_rep="–", escape="html")
    if least.notna().any():
        table = table.bar(subset=["min_distance"], color="#9ecae1", vmin=0.0, vmax=float(least.max()))
    names: dict[Any, str] = {
        name: f"{name} [{model.UNITS[name]}]" if name in model.UNITS else str(name) for name in summary.columns
    }
    times = ("closest_epoch", "first_start", "last_end")
    names |= {name: f"{name} [UTC]" for name in times}
    return table.format_index(escape="html").format_index(lambda name: names[name], axis=1)
