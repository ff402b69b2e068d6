"""How cells of nested columns read where a frame is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pandas as pd


def names_of_sources(cell: Any) -> str:
    """Return who met whom: ``THEMIS-ASI TALO, Swarm A``."""
    return _names_joined(cell.get("display_name"))


def count_of_events(cell: Any) -> str:
    """Return how many events there are: ``1 event``."""
    return f"{len(cell)} event{'' if len(cell) == 1 else 's'}"


def names_of_stations(cell: Any) -> str:
    """Return which stations a pass has, in its order."""
    return _names_joined(cell.get("station"))


def _names_joined(names: Any) -> str:
    return ", ".join(name if isinstance(name, str) else "?" for name in names)


@cache
def _reads() -> dict[tuple[str, ...], Callable[[Any], str]]:
    """Return what a cell reads, by the fields of its column."""
    # the model stands on nested-pandas, whose import calls for this module
    from aurorax_pandas.frame import model

    return {
        tuple(model.SOURCE_FIELDS): names_of_sources,
        tuple(model.EVENT_FIELDS): count_of_events,
        tuple(model.STATION_FIELDS): names_of_stations,
    }


def shorten_nested_cells(array_type: Any) -> None:
    """
    Let columns with our fields show their cells in words; other nested columns are shown as before.

    Called once more it changes nothing. It replaces ``_formatter``, the method by which pandas asks an array how its
    cells are shown, and with that nothing but what is shown: dtype and values stay as they are.

    Parameters
    ----------
    array_type : type
        nested-pandas' ``NestedExtensionArray``.
    """
    before = array_type._formatter  # noqa: SLF001  (pandas' interface for arrays of others)
    if getattr(before, "of_aurorax_pandas", False):
        return

    def _formatter(self: Any, boxed: bool = False) -> Callable[[Any], str | None]:
        read = _reads().get(tuple(self.dtype.column_dtypes)) if boxed else None
        if read is None:
            return before(self, boxed)  # type: ignore[no-any-return]
        return lambda cell: str(cell) if cell is None or cell is pd.NA else read(cell)

    _formatter.of_aurorax_pandas = True  # type: ignore[attr-defined]
    array_type._formatter = _formatter  # noqa: SLF001
