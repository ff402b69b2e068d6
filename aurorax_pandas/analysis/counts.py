"""Conjunctions counted by day, with days without operation told apart from days without conjunctions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.labels import labelled_events
from aurorax_pandas.checks import invalid, shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.columns import UNREADABLE, first_line, in_dtype, times_of
from aurorax_pandas.frame.events import require, sides_of
from aurorax_pandas.frame.intervals import refuse_far_times
from aurorax_pandas.frame.provenance import get_provenance, step_of, windows_of
from aurorax_pandas.sources import SPACECRAFT, bundled_sources
from aurorax_pandas.times import CALENDAR, Span, span

_DAY: Final = pd.Timedelta("1D")
_CENTURY: Final = pd.Timedelta("36525D")
_SHORTEST_MONTH: Final = pd.Timedelta("28D")
#: Eight bytes each, and as many again in the frame.
_MOST_COUNTS: Final = 50_000_000
_AVAILABILITY: Final = ("identifier", "source_type", "day", "records")

Array = npt.NDArray[Any]
Windows = Sequence[tuple[pd.Timestamp, pd.Timestamp]]


def daily_counts(
    df: pd.DataFrame,
    by: str | None = None,
    freq: Span = "1D",
    availability: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """
    Count conjunctions by day.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`; a conjunction counts on the day of its `start` (UTC).
    by : {"pair", "site", "spacecraft", "station"} or a column, optional
        What to count apart; then pair events are counted. By default all rows together.
    freq : str, pandas.Timedelta or pandas offset, default "1D"
        Length of a day: any span, with `availability` a whole number of days; or ``"MS"``, ``"QS"``, ``"YS"`` for
        months, quarters and years by the calendar.
    availability : pandas.DataFrame, optional
        When sources operated, one row per source and day: ``identifier``, ``source_type``, ``day`` and ``records``,
        the number of epochs with data, one a minute, as from `read_aurorax_availability`. A day that is not listed had
        none. Records of a whole day also count where the window of the search holds a part of it: cut them first.

    Returns
    -------
    pandas.DataFrame
        By ``day``, or by label and ``day``, over the window of the search (without one, from the first row to the
        last): ``count``, 0 on a day without conjunctions. With `availability` also ``minutes`` [min], which stations
        observed, summed over stations (those of the group, or all of the availability frame), and ``rate``,
        conjunctions per hour of a station [1/h]. A day without operation, or between the windows of several searches
        that `concat` put together, has NaN, never 0.

    Raises
    ------
    AuroraxInputError
        If `freq` is no span of time, makes more than 50 million counts, or is with `availability` no whole number of
        days; if `by` names no column; or if `availability` lacks a column, lists a source twice for a day, or has a row
        without an identifier, a day or a number of records.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.load_sample_conjunctions().aurorax.daily_counts()["count"].tolist()
    [49.0]
    """
    every = _day_length(freq)
    if availability is not None:
        availability = _checked_availability(availability, every)
    df = require(df, "daily_counts", "start")
    if by is None:
        events, names = df, pd.Index(["all"], dtype="str")
        codes: Array = np.zeros(len(df), np.int64)
    else:
        events, labels = labelled_events(df, by, "daily_counts", needs=("start",))
        codes, names = labels.cat.codes.to_numpy(), labels.cat.categories
    windows = windows_of(get_provenance(df.attrs))
    days = _days(pd.concat([df["start"], events["start"]], ignore_index=True), every, windows, freq, len(names))
    starts = events["start"].to_numpy()
    number = np.searchsorted(days.to_numpy(), starts, side="right") - 1
    inside = ~np.isnat(starts)
    counts = np.zeros((len(names), len(days)))
    np.add.at(counts, (codes[inside], number[inside]), 1)
    counts[:, _not_searched(days, every, windows) & (counts.sum(axis=0) == 0)] = np.nan
    columns = {"count": counts}
    if availability is not None:
        minutes = _observed(events, codes, len(names), days, every, availability, by)
        columns["count"] = np.where((minutes > 0) | (counts > 0), counts, np.nan)
        columns["minutes"] = np.where(minutes > 0, minutes, np.nan)
        columns["rate"] = columns["count"] / (columns["minutes"] / 60)
    made = pd.DataFrame(
        {name: values.ravel() for name, values in columns.items()},
        index=days if by is None else pd.MultiIndex.from_product([names, days], names=[by, "day"]),
    )
    made.attrs = copy.deepcopy(df.attrs)
    return made


def _day_length(freq: Any) -> Span:
    """Return how long a day is: a span, or months, quarters or years by the calendar."""
    offset = freq
    if isinstance(freq, str):
        try:
            # pandas takes no class of one's own for text
            offset = pd.tseries.frequencies.to_offset(str(freq))
        except ValueError:
            offset = None
    if isinstance(offset, CALENDAR):
        if offset.n < 1:
            raise invalid("freq", freq, "a span above zero, such as '1D' or 'MS'")
        return offset
    try:
        length = span("freq", freq)
    except AuroraxInputError as error:
        raise AuroraxInputError(f"{error}, or 'MS', 'QS' or 'YS' for months, quarters or years") from None
    if length < pd.Timedelta("1us"):
        raise AuroraxInputError(f"freq={shown(freq)} is shorter than a microsecond; give a longer one, such as '1D'")
    return length


def _days(starts: pd.Series[Any], every: Any, windows: Windows, freq: Any, rows: int) -> pd.DatetimeIndex:
    """Return the days from the first to the last, or raise where there would be too many of them for so many rows each."""
    known = starts.dropna()
    ends = [each for window in windows for each in window] + ([] if known.empty else [known.min(), known.max()])
    if not ends:
        return pd.DatetimeIndex([], dtype=model.DATETIME, name="day")
    begin = min(ends).normalize()
    if not isinstance(every, pd.Timedelta):
        begin = every.rollback(begin)
    last = max(*ends, begin)
    length = every if isinstance(every, pd.Timedelta) else _SHORTEST_MONTH
    # in the unit of the times, for spans of more than 292 years
    count = int((last.to_datetime64() - begin.to_datetime64()) / length.to_timedelta64()) + 1
    if count * max(rows, 1) > _MOST_COUNTS:
        raise AuroraxInputError(
            f"freq={shown(freq)} makes {count} steps from {begin} to {last}, for {rows} groups; give a longer one, or "
            "leave out rows whose start is wrong"
        )
    return pd.date_range(begin, last, freq=every, name="day", unit="us")


def _not_searched(days: pd.DatetimeIndex, every: Any, windows: Windows) -> npt.NDArray[np.bool_]:
    """Tell which days lie between the windows of several searches, so that nothing is known of them."""
    missed = np.full(len(days), len(windows) > 1)
    for first, last in windows:
        missed &= np.asarray((days > last) | (days + every <= first))
    return missed


def _checked_availability(availability: pd.DataFrame, every: Any) -> pd.DataFrame:
    """Return a frame of availability with its days in UTC and its numbers of records as float64."""
    if not isinstance(availability, pd.DataFrame):
        raise invalid("availability", availability, "the frame of read_aurorax_availability")
    missing = [name for name in _AVAILABILITY if name not in availability.columns]
    if missing:
        raise AuroraxInputError(
            f"availability: the column {missing[0]!r} is missing; it needs {', '.join(_AVAILABILITY)}, one row per source "
            "and day"
        )
    try:
        twice = availability.duplicated(["identifier", "day"])
    except TypeError:
        raise AuroraxInputError("availability: its column 'identifier' holds what cannot name a source") from None
    if twice.any():
        raise AuroraxInputError(
            "availability: a source stands twice for a day; sum its records, and give stations of your own identifiers"
        )
    if isinstance(every, pd.Timedelta) and every % _DAY:
        raise AuroraxInputError(f"freq={str(every)!r} is no whole number of days, which availability is by")
    days = _read_column(availability, "day", times_of, "days; give dates, UTC")
    records = _read_column(availability, "records", lambda column: in_dtype(column, "float64"), "numbers")
    wrong = np.isnat(days) | ~(records >= 0) | np.isinf(records) | availability["identifier"].isna().to_numpy(bool)
    if wrong.any():
        first = int(np.argmax(wrong))
        told = ", ".join(f"{name}={availability[name].iloc[first]}" for name in ("identifier", "day", "records"))
        raise AuroraxInputError(
            f"availability: {wrong.sum()} of {len(wrong)} rows have no identifier, no day, or no number of records of 0 "
            f"or more; the first is row {first}, with {told}"
        )
    return availability.assign(day=days, records=records)


def _read_column(availability: pd.DataFrame, name: str, read: Callable[[pd.Series[Any]], Array], what: str) -> Array:
    try:
        return read(availability[name])
    except UNREADABLE as error:
        raise AuroraxInputError(
            f"availability: its column {name!r} does not hold {what} ({first_line(error)})"
        ) from None


def _observed(
    events: pd.DataFrame,
    codes: Array,
    count: int,
    days: pd.DatetimeIndex,
    every: Any,
    availability: pd.DataFrame,
    by: str | None,
) -> npt.NDArray[np.float64]:
    """Return the minutes that the stations of each group observed on each day, 0 where no spacecraft had data."""
    dates = availability["day"].to_numpy()
    number = np.searchsorted(days.to_numpy(), dates, side="right") - 1
    inside = (number >= 0) & (dates < ((days[-1] + every).to_datetime64() if len(days) else dates))
    sources, known = pd.factorize(availability["identifier"])
    records = np.zeros((len(known), len(days)))
    np.add.at(records, (sources[inside], number[inside]), availability["records"].to_numpy()[inside])
    kinds = availability.drop_duplicates("identifier")["source_type"].isin(SPACECRAFT).to_numpy(bool)
    place = np.arange(len(known))
    if by == "site":
        # cameras of one site watch the same sky, so that the one that worked longest tells
        platforms = bundled_sources().set_index("identifier")["platform"].reindex(known)
        place = pd.factorize(platforms.where(~kinds).fillna(pd.Series(place, known).astype("str")))[0]
    watched = np.zeros((int(place.max(initial=-1)) + 1, len(days)))
    np.maximum.at(watched, place, records)
    if by is None:
        member = np.ones((1, len(known)), bool)
    else:
        member = np.zeros((count, len(known)), bool)
        for identifiers in sides_of(events, "identifier"):
            found = pd.Index(known).get_indexer(pd.Index(identifiers))
            member[codes[found >= 0], found[found >= 0]] = True
    listed = member & kinds
    # spacecraft that the frame of availability does not list are taken to have had data
    operates = (listed @ (records > 0).astype(np.float64) > 0) | ~listed.any(axis=1, keepdims=True)
    places = np.zeros((len(member), len(watched)), bool)
    group, source = np.nonzero(member & ~kinds)
    places[group, place[source]] = True
    return np.asarray(places @ watched * operates, np.float64)


def minutes(df: pd.DataFrame, step: Span | None = None) -> pd.Series[float]:
    """
    Count the minutes in conjunction of each row.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions or events.
    step : str or pandas.Timedelta, optional
        Distance between epochs; by default that of the ephemeris in which the conjunctions were found, as the frame's
        provenance has it, else a minute, or 30 s where its query asked for sub-minute precision; 0 where spans begin and
        end between epochs.

    Returns
    -------
    pandas.Series of float64
        ``end − start`` plus one step [min], since both ends are epochs in range; the frame's index.

    Raises
    ------
    AuroraxInputError
        If `step` is no span of time, or not given for a frame put together of frames with different steps.

    Examples
    --------
    >>> import aurorax_pandas
    >>> float(aurorax_pandas.load_sample_conjunctions().aurorax.minutes().sum())
    92.0
    """
    df = require(df, "minutes", "start", "end")
    refuse_far_times(df, "minutes")
    lengths: Any = df["end"] - df["start"]
    between = step_of(df, step)
    if not between.nanoseconds or lengths.max() > _CENTURY:
        # pandas would have the sum in the finer unit, which holds no more than 292 years
        between = between.as_unit("us")
    in_minutes = (lengths + between) / pd.Timedelta("1min").as_unit("us")
    return cast("pd.Series[float]", in_minutes.astype("float64").rename("minutes"))
