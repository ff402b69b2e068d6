"""Frames as tables to look at: rounded, with units in the headings, in notebooks and in LaTeX."""

from __future__ import annotations

import functools
import html
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd

from aurorax_pandas.exceptions import AuroraxMissingExtraError

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_BAR_COLOR: Final = "#9ecae1"
_LATEX: Final = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
    }
)


def styled_table(
    frame: pd.DataFrame, formats: Mapping[str, str], units: Mapping[str, str], *, index: bool, bars: str
) -> Styler:
    """
    Return a frame as a table that prints well in notebooks, and whose LaTeX compiles.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame; columns without a format are shown as they are.
    formats, units : mapping of str to str
        How to write the values of columns, and what to put behind their names.
    index : bool
        Whether the index is part of the table.
    bars : str
        Column of distances whose cells hold bars.

    Raises
    ------
    AuroraxMissingExtraError
        If jinja2 is not installed.
    """
    table: Styler = _table_class()(frame)
    vars(table)["told"] = (formats, units)
    _write(table, frame, formats, units, "html", "–")
    if not index:
        table.hide(axis="index")
    if bars in frame and (longest := frame[bars].max()) > 0:
        table.bar(subset=[bars], color=_BAR_COLOR, vmin=0.0, vmax=float(longest))
    return table


def _write(
    table: Styler,
    frame: pd.DataFrame,
    formats: Mapping[str, str],
    units: Mapping[str, str],
    escape: Literal["html", "latex"],
    missing: str,
) -> None:
    """Say how a table writes its values and headings."""
    headings = [f"{name} [{units[name]}]" if units.get(name) else str(name) for name in frame.columns]
    table.format({name: text for name, text in formats.items() if name in frame}, na_rep=missing, escape=escape)
    table.format_index(escape=escape, axis=0)
    table.format_index_names(escape=escape, axis=0)
    # pandas looks headings up after it has escaped them, which would lose their units; it takes braces for fields
    escaped = [html.escape(one) if escape == "html" else one.translate(_LATEX) for one in headings]
    table.relabel_index([one.replace("{", "{{").replace("}", "}}") for one in escaped], axis=1)


def _table_class() -> Any:
    """Return the class of tables, which stands on jinja2."""
    if find_spec("jinja2") is None:
        raise AuroraxMissingExtraError.of("a table with a style", "jinja2", "style")
    return _made_class()


@functools.cache
def _made_class() -> Any:
    from pandas.io.formats.style import Styler

    class Table(Styler):
        """A table whose LaTeX is made anew: that of a notebook's table holds what only a browser understands."""

        told: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})

        def to_latex(self, buf: Any = None, **options: Any) -> Any:
            """Return the table as LaTeX; the options are those of `pandas.io.formats.style.Styler.to_latex`."""
            frame: pd.DataFrame = vars(self)["data"]
            plain = Styler(frame)
            _write(plain, frame, *self.told, "latex", "--")
            for name in ("caption", "hide_index_", "hidden_columns", "hidden_rows"):
                setattr(plain, name, getattr(self, name))
            return plain.to_latex(buf, **options)

    return Table
