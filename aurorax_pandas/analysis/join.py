"""Time series (Kp, AE, solar wind) attached to conjunctions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import choice, one_name
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.columns import UNREADABLE, first_line, times_of
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import require
from aurorax_pandas.times import Span, Times, nearest, span

Direction = Literal["backward", "forward", "nearest"]


@typed
def join_series(
    df: pd.DataFrame,
    values: pd.Series[Any] | pd.DataFrame,
    on: str = "start",
    direction: Direction = "backward",
    tolerance: Span | None = None,
) -> pd.DataFrame:
    """
    Attach a time series to the rows of a frame: Kp, AE, the solar wind.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events or a pair summary.
    values : pandas.Series or pandas.DataFrame
        The series, or several as columns, by time: an index of times of any unit or zone (without one they are UTC),
        of periods, or of text by ISO 8601; in any order. A series needs a name, which its column gets.
    on : str, default "start"
        The column of times of `df` at which values are looked up.
    direction : {"backward", "forward", "nearest"}, default "backward"
        Whether the value is the last one before that time, the next one after it, or the nearest (of two the earlier);
        one at that very time always is. Of several at one time it is the last that is given, the first of those after.
    tolerance : str or pandas.Timedelta, optional
        How far away a value may be, inclusive; by default any distance.

    Returns
    -------
    pandas.DataFrame
        The frame with one column more for each series; rows, index, dtypes and provenance stay. A row without a time,
        or without a value in reach, has a missing one.

    Raises
    ------
    AuroraxInputError
        If an argument cannot be used, or the frame has a column of that name.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> kp = pd.Series([0.3, 0.7, 1.0], pd.date_range("2020-01-01", periods=3, freq="3h", tz="UTC"), name="kp")
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.join_series(kp)["kp"].value_counts().to_dict()
    {0.3: 29, 0.7: 16, 1.0: 4}
    """
    choice("direction", direction, ("backward", "forward", "nearest"))
    reach = None if tolerance is None else span("tolerance", tolerance, zero=True)
    df = require(df, "join_series", one_name("on", on))
    columns = _series_by_name(values)
    taken = [name for name in columns if name in df.columns]
    if taken:
        raise AuroraxInputError(f"values: the frame has a column {taken[0]!r} already; rename the series")
    if isinstance(values.index, pd.MultiIndex):
        levels = ", ".join(map(repr, values.index.names))
        raise AuroraxInputError(
            f"values: its index has {values.index.nlevels} levels ({levels}); keep that of times alone, by "
            "values.droplevel(...), or unstack the others to columns"
        )
    times = _times("on", on, df[on])
    known = _times("values", "its index", values.index)
    order = np.argsort(known, kind="stable")
    # NaT sorts last, and is no time
    order = order[: len(order) - int(np.isnat(known).sum())]
    places = _places_of_values(known[order], times, direction, reach)
    rows = np.where(places < 0, -1, order[np.maximum(places, 0)]) if len(order) else np.full(len(df), -1)
    return df.assign(**{str(name): _taken_values(column, rows) for name, column in columns.items()})


def _series_by_name(values: Any) -> dict[str, pd.Series[Any]]:
    if isinstance(values, pd.Series):
        if not isinstance(values.name, str):
            raise AuroraxInputError("values: the series has no name for its column; give one by values.rename('kp')")
        return {values.name: values}
    if isinstance(values, pd.DataFrame):
        strange = [name for name in values.columns if not isinstance(name, str)]
        if strange or not values.columns.is_unique or not len(values.columns):
            raise AuroraxInputError("values: its columns need names that are text, each once")
        return {name: values[name] for name in values.columns}
    raise AuroraxInputError(
        f"values is a {type(values).__name__}; give a pandas Series with a name, or a DataFrame, by time"
    )


def _times(argument: str, name: str, values: Any) -> Times:
    try:
        return times_of(values)
    except UNREADABLE as error:
        raise AuroraxInputError(f"{argument}: {name} holds no times ({first_line(error)}); give times, UTC") from None


def _places_of_values(known: Times, times: Times, direction: str, reach: pd.Timedelta | None) -> npt.NDArray[np.int64]:
    """Return for each time the place of its value among ascending times, −1 for none."""
    if not len(known):
        return np.full(len(times), -1)
    if direction == "backward":
        places = np.searchsorted(known, times, side="right") - 1
    elif direction == "forward":
        places = np.searchsorted(known, times, side="left")
        places[places == len(known)] = -1
    else:
        places = nearest(known, times)
    places[np.isnat(times)] = -1
    if reach is not None:
        places[np.abs(known[places] - times) > reach.to_timedelta64()] = -1
    return places.astype(np.int64)


def _taken_values(column: pd.Series[Any], rows: npt.NDArray[np.int64]) -> Any:
    """Return the values of a series in some rows, missing where a row is −1."""
    taken = pd.api.extensions.take(column.array, rows, allow_fill=True)
    # objects stay objects, which pandas would guess a dtype for
    return pd.Series(taken, dtype=object).array if column.dtype == np.dtype(object) else taken
