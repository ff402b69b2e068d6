"""Groups of rows by what `by=` names: pairs, sites, days, columns, series and groupers of pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray

from aurorax_pandas.analysis.pairs import pair_events
from aurorax_pandas.checks import as_list, shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.columns import UNREADABLE, first_line
from aurorax_pandas.frame.events import is_events, pair_labels, require

#: What rows can be grouped by: names, or what pandas groups by.
GroupBy = str | pd.Series | pd.Index | pd.Grouper | ExtensionArray | npt.NDArray[Any] | Sequence[Any]

_PAIRS: Final = ("pair", "site")
_DAY: Final = "day"
_WAYS: Final = (
    "'pair', 'site', 'day', columns of the frame, a value for each row (a Series or an array), a pandas.Grouper, or a "
    "list of these"
)


class GroupedRows(NamedTuple):
    """Rows to choose among, the group of each, and the row of the frame that each is of (None for itself)."""

    rows: pd.DataFrame
    group: npt.NDArray[np.int64]
    parent: npt.NDArray[np.int64] | None


def grouped_rows(df: pd.DataFrame, by: GroupBy, verb: str) -> GroupedRows:
    """
    Group the rows of a frame, or its events where pairs are asked for.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events or a pair summary, typed.
    by : str, pandas.Series, array, pandas.Grouper or sequence of these
        ``"pair"``, ``"site"``, ``"day"`` (the UTC day of ``start``), columns, series with the frame's index, arrays of a
        value for each row.
    verb : str
        Who asks, for an error.

    Raises
    ------
    AuroraxInputError
        If a key is none of these.
    """
    keys = keys_of(df, by)
    if not keys:
        raise AuroraxInputError(f"by={shown(by)} names nothing; give {_WAYS}")
    alone = isinstance(by, str)
    # in a list a column of the user's own goes first, as it always has
    own = set() if alone or is_events(df) else set(df.columns)
    pairs = [key for key in keys if isinstance(key, str) and key in _PAIRS and key not in own]
    if len(set(pairs)) > 1:
        raise AuroraxInputError(f"by={shown(by)}: 'pair' and 'site' are two ways to name one thing; give one")
    rows, parent = _rows_of_pairs(df, pairs[0], verb) if pairs else (df, None)
    codes = []
    for key in keys:
        if isinstance(key, str) and key in pairs:
            codes.append(pd.factorize(rows["pair"])[0])
        elif isinstance(key, str) and key == _DAY and key not in df.columns:
            codes.append(pd.factorize(_starts_of(rows, verb).astype("M8[D]"))[0])
        else:
            of_frame = _codes_by_pandas(df, key)
            codes.append(of_frame if parent is None else of_frame[parent])
    group = codes[0].astype(np.int64) + 1
    for one in codes[1:]:
        group = pd.factorize(group * (int(one.max(initial=0)) + 2) + one + 1)[0].astype(np.int64)
    return GroupedRows(rows, group, parent)


def keys_of(df: pd.DataFrame, by: GroupBy) -> list[Any]:
    """
    Return what `by=` names, key by key.

    An array as long as the frame is one key, of a value for each row, whatever these are, as in pandas' groupby; one of
    another length, which pandas refuses, may hold names. A list holds keys.
    """
    if isinstance(by, pd.Series | pd.Grouper):
        return [by]
    keys = as_list(by)
    named = bool(keys) and all(_is_name(df, key) for key in keys)
    if holds_values(by) and (np.shape(by)[:1] == (len(df),) or not named):
        return [by]
    return keys


def holds_values(key: object) -> bool:
    """Tell whether a key is no name, but a value for each row."""
    return isinstance(key, pd.Series | pd.Index | ExtensionArray | np.ndarray)


def _is_name(df: pd.DataFrame, value: object) -> bool:
    return isinstance(value, str) and (value in (*_PAIRS, _DAY) or value in df.columns)


def _starts_of(rows: pd.DataFrame, verb: str) -> npt.NDArray[np.datetime64]:
    return require(rows, verb, "start")["start"].to_numpy()


def _rows_of_pairs(df: pd.DataFrame, by: Any, verb: str) -> tuple[pd.DataFrame, npt.NDArray[np.int64] | None]:
    if is_events(df) or "events" in df.columns:
        events = pair_events(df, by, verb)
        return events, None if is_events(df) else events["conjunction"].to_numpy()
    if by == "pair" and "pair" in df.columns:
        return df, None
    if by == "pair" and df.index.name == "pair":
        return df.assign(pair=df.index), None
    flat = model.flatten(
        require(df, verb, "data_sources" if "data_sources" in df.columns else "events")["data_sources"]
    )
    if not (flat.lengths == 2).all():
        # only the events tell which of three sources met
        require(df, verb, "events")
    fields = {
        f"e{number + 1}_{name}": values.take(np.arange(number, len(values), 2))
        for number in (0, 1)
        for name, values in flat.fields.items()
    }
    return df.assign(pair=pair_labels(fields, by)), None


def _codes_by_pandas(df: pd.DataFrame, key: Any) -> npt.NDArray[np.int64]:
    if isinstance(key, pd.Series | Mapping):
        if not df.index.isin(list(key.keys())).all():
            kind = "series" if isinstance(key, pd.Series) else "mapping"
            raise AuroraxInputError(
                f"by= is a {kind} that lacks labels of the frame's index; make it of the frame, or reindex it"
            )
    elif holds_values(key):
        if np.shape(key) != (len(df),):
            raise AuroraxInputError(
                f"by= is an array of shape {np.shape(key)}, and the frame has {len(df)} rows; give a value for each row"
            )
    elif hasattr(type(key), "__dask_graph__"):
        raise AuroraxInputError(
            f"by= is a {type(key).__name__} of Dask, whose values are not there yet; give its .compute()"
        )
    elif not isinstance(key, pd.Grouper) and not callable(key) and not _is_column(df, key):
        sides = "df.aurorax.explode_events(), by='e1_display_name' or 'e2_display_name'"
        ways = f"the events have it: {sides}" if str(key) in ("spacecraft", "station") else f"give {_WAYS}"
        raise AuroraxInputError(f"by={shown(key)}: no such column; {ways}")
    try:
        grouped = df.groupby([key], observed=True, dropna=False, sort=False)
        # a grouper leaves times that are missing out
        codes: npt.NDArray[np.int64] = grouped.ngroup().fillna(-1).to_numpy().astype(np.int64)
        return codes
    except (*UNREADABLE, KeyError, AttributeError) as error:
        raise AuroraxInputError(
            f"by={shown(key)} groups no rows of the frame: {first_line(error)}; give {_WAYS}"
        ) from None


def _is_column(df: pd.DataFrame, key: Any) -> bool:
    try:
        return key in df.columns
    except (TypeError, ValueError):
        # a list in a list, or a span of time without a unit
        return False
