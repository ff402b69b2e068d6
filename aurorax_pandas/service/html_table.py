"""A table of names and values for notebooks, whose texts are never taken for HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping


def html_table(title: str, values: Mapping[str, object]) -> str:
    """Return a table with a row for each value; an address is a link."""
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in values.items())
    return f"<table><caption>{html.escape(title)}</caption>{rows}</table>"


def _cell(value: object) -> str:
    text = html.escape(str(value), quote=True)
    return f'<a href="{text}">{text}</a>' if str(value).startswith(("http://", "https://")) else text
