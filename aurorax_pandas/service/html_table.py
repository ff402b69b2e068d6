"""A search as a table for notebooks, whose texts are never taken for HTML."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurorax_pandas.service.job import Search


def search_table(search: Search[Any]) -> str:
    """Return a table of what is known of a search; its address is a link."""
    shown = {
        "executed": search.executed,
        "completed": search.completed,
        "request": search.request_url,
        "window": " to ".join(str(search.query[name]) for name in ("start", "end") if name in search.query),
        "max_distances [km]": search.query.get("max_distances", ""),
        "last log line": search.logs[-1].get("summary", "") if search.logs else "",
    }
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in shown.items())
    return f"<table><caption>{type(search).__name__}</caption>{rows}</table>"


def _cell(value: object) -> str:
    text = html.escape(str(value), quote=True)
    return f'<a href="{text}">{text}</a>' if str(value).startswith(("http://", "https://")) else text
