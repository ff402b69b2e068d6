"""What a page shows: which events, what is told of each, and how their rows are named in Python."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.labels import labelled_events, require_column
from aurorax_pandas.checks import names
from aurorax_pandas.frame.events import is_events
from aurorax_pandas.plotting.rows import refuse_ages, refuse_summed
from aurorax_pandas.plotting.words import column_words

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: How many events a page draws at most; of more the closest.
MOST_EVENTS: Final = 20_000
#: Columns that a page tells of each event, in this order; those after the fourth where they are there.
TOLD: Final = (
    "pair", "start", "end", "min_distance", "approach_time", "approach_distance", "approach_elevation",
    "footprint_uncertainty", "spacecraft_hemisphere", "sun_elevation", "moon_elevation", "moon_illumination", "mlat", "mlt",
)  # fmt: skip
_ALWAYS: Final = 4
_LABELS: Final = {
    "sun_elevation": "Sun elevation [degrees]", "moon_elevation": "Moon elevation [degrees]",
    "mlat": "Magnetic latitude [degrees]", "mlt": "Magnetic local time [hours]",
}  # fmt: skip
_ROW: Final = "row of the frame"
_MILLISECOND: Final = np.timedelta64(1, "ms")
_SECOND: Final = 1_000_000


class Drawn(NamedTuple):
    """
    The events of a page.

    ``events`` are numbered from 0, ``labels`` are those of their lanes, ``row`` is the position of the row of the frame
    that each is of, and ``left_out`` how many were too many.
    """

    events: pd.DataFrame
    labels: pd.Series[Any]
    row: Ints
    left_out: int


def drawn_events(df: pd.DataFrame, by: str, *columns: str | None) -> Drawn:
    """
    Return the events of a frame that a page draws, the closest where there are more than it can.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : str
        What a lane is; see `labelled_events`.
    *columns : str or None
        Further columns of the conjunctions that are wanted.
    """
    refuse_summed(df, "explore")
    numbered = df.assign(**{_ROW: np.arange(len(df))}) if is_events(df) else df
    events, labels = labelled_events(numbered, by, "explore", *columns)
    refuse_ages("explore", events["start"], events["end"])
    row = events[_ROW if is_events(df) else "conjunction"].to_numpy(np.int64)
    left_out = max(len(events) - MOST_EVENTS, 0)
    kept = np.arange(len(events))
    if left_out:
        closest = events["min_distance"].to_numpy().argsort(kind="stable")
        kept = np.sort(closest[:MOST_EVENTS])
    chosen = events.iloc[kept].drop(columns=_ROW, errors="ignore").reset_index(drop=True)
    shown = labels.iloc[kept].reset_index(drop=True).cat.remove_unused_categories()
    return Drawn(chosen, shown, row[kept], left_out)


def checked_tooltip(tooltip: Any) -> list[str]:
    """Return the columns that were asked for, none where the choice is left to the page."""
    return [] if tooltip is None else list(dict.fromkeys(names("tooltip", tooltip)))


def told_columns(events: pd.DataFrame, asked: Sequence[str], *also: str | None) -> list[str]:
    """
    Return the columns that a page tells of each event.

    Parameters
    ----------
    events : pandas.DataFrame
        The events.
    asked : sequence of str
        Those that the user wants; where there are none those of `TOLD`.
    *also : str or None
        Columns that lanes and colours stand for.
    """
    for name in asked:
        require_column(events, "tooltip", name)
    if asked:
        return list(asked)
    wanted = [*TOLD[:_ALWAYS], *(name for name in (*also, *TOLD[_ALWAYS:]) if name in events.columns)]
    return [str(name) for name in dict.fromkeys(wanted)]


def told_values(events: pd.DataFrame, name: str) -> dict[str, Any]:
    """
    Return the values of a column as a page reads them.

    Returns
    -------
    dict
        ``label``, with its unit; ``kind``: of ``"time"`` the values are milliseconds since 1970 (UTC) and ``digits`` are
        those of its seconds, of ``"number"`` they are numbers, of ``"text"`` positions among ``names``.
    """
    values = events[name]
    label = _LABELS.get(name) or column_words(name)
    if pd.api.types.is_datetime64_any_dtype(values):
        naive = values.dt.tz_convert(None) if values.dt.tz is not None else values
        times = naive.to_numpy("M8[us]")
        counted = times[~np.isnat(times)].view(np.int64)
        digits = 0 if (counted % _SECOND == 0).all() else 3 if (counted % 1000 == 0).all() else 6
        return {"label": f"{label} [UTC]", "kind": "time", "values": milliseconds(times), "digits": digits}
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return {"label": label, "kind": "number", "values": values.to_numpy("float64", na_value=np.nan)}
    codes, found = pd.factorize(values.astype(object).where(values.notna(), None))
    return {"label": label, "kind": "text", "values": codes.astype(np.int32), "names": [str(one) for one in found]}


def milliseconds(times: npt.NDArray[Any]) -> Floats:
    """Return instants as milliseconds since 1970 (UTC), NaN where there is none."""
    counted = (times - np.datetime64(0, "us")) / _MILLISECOND
    return np.asarray(counted, np.float64)


def row_names(df: pd.DataFrame) -> dict[str, Any]:
    """
    Return how Python names the rows of a frame: by ``df.loc`` where labels are unique numbers or texts, else ``df.iloc``.

    Returns
    -------
    dict
        ``indexer``, and ``labels``, Python's own words for each row; without these rows go by their numbers.
    """
    index = df.index
    if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return {"indexer": "loc", "labels": None}
    plain = all(type(label) is str for label in index) or pd.api.types.is_integer_dtype(index.dtype)
    if isinstance(index, pd.MultiIndex) or not index.is_unique or index.hasnans or not plain:
        return {"indexer": "iloc", "labels": None}
    return {"indexer": "loc", "labels": [repr(label) for label in index.tolist()]}


def packaged(name: str) -> str:
    """Return the text of a file of this room."""
    return resources.files("aurorax_pandas.interactive").joinpath(name).read_text(encoding="utf-8")
