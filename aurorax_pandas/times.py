"""Times as a caller gives them and as the service writes them, in UTC."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import as_number, invalid, shown
from aurorax_pandas.exceptions import AuroraxInputError

Times = npt.NDArray[np.datetime64]


_NO_UNIT: Final = re.compile(r"\s*[+-]?[\d.\s]+(?:[eE][+-]?\d+)?\s*", re.ASCII)


#: Dates that begin with the day or with the month, by who writes them.
_TWO_WAYS: Final = re.compile(r"\s*(\d{1,2})\s*([/.-])\s*(\d{1,2})\s*\2\s*\d{2,4}(?!\d)", re.ASCII)
_MONTHS: Final = 12
_YEAR: Final = re.compile(r"\d{4}")
#: Spans that begin where the calendar says.
CALENDAR: Final = (pd.offsets.MonthBegin, pd.offsets.QuarterBegin, pd.offsets.YearBegin)
#: The longest span of time: around an instant of any data there is no end of time within it.
_LONGEST: Final = pd.Timedelta("36525D")


def lacks_unit(text: str) -> bool:
    """Tell whether a text is a bare number, which pandas would take for a span of nanoseconds."""
    return _NO_UNIT.fullmatch(text) is not None


def to_utc(argument: str, value: Any, *, last: bool = False) -> pd.Timestamp:
    """
    Read an instant as naive UTC.

    Parameters
    ----------
    argument : str
        Name to use in an error.
    value : anything that `pandas.Timestamp` takes
        With a zone it is converted to UTC, without one it is UTC. A number is refused: it does not say since when and
        in what unit. A `pandas.Period` means its first second.
    last : bool, default False
        Whether what names a whole day, month or year (a text, `datetime.date`, `numpy.datetime64` of that unit) or a
        `pandas.Period` means its last second, as in pandas' label slicing.

    Raises
    ------
    AuroraxInputError
        If the value is no instant, lacks a year, or is a date whose day and month may be swapped.
    """
    if isinstance(value, int | float | np.number) and not isinstance(value, np.timedelta64):
        raise AuroraxInputError(f"{argument}={shown(value)} is a number, not an instant; give a date and time, UTC")
    if isinstance(value, str) and (found := _TWO_WAYS.match(value)):
        one, other = int(found[1]), int(found[3])
        if one != other and one <= _MONTHS and other <= _MONTHS:
            raise AuroraxInputError(
                f"{argument}={shown(value)} may be day {one} of month {other} or the other way round; write YYYY-MM-DD"
            )
    try:
        instant = pd.Timestamp(_last_second(value) if last else _first_second(value))
        if isinstance(instant, pd.Timestamp) and not (isinstance(value, str) and _lacks_year(value)):
            return (instant if instant.tzinfo is None else instant.tz_convert(None)).as_unit("us")
    except Exception:
        # pandas shows what it cannot read, and the repr of what others define may fail in any way
        raise AuroraxInputError(
            f"{argument}={shown(value)} is no instant that pandas.Timestamp understands; give a date and time, UTC"
        ) from None
    if isinstance(value, str) and _lacks_year(value):
        raise AuroraxInputError(f"{argument}={shown(value)} does not tell its year in four digits; write YYYY-MM-DD")
    raise AuroraxInputError(f"{argument}={shown(value)} is no instant; give a date and time, UTC")


def _lacks_year(text: str) -> bool:
    """Tell whether a text has no year of four digits: pandas would make one up, this year or the year 1."""
    return not _YEAR.search(text) and text.strip().lower() not in ("nat", "now", "today")


def _first_second(value: Any) -> Any:
    return value.start_time if isinstance(value, pd.Period) else value


def _last_second(value: Any) -> Any:
    """Return the last second of what is longer than an instant, and anything else as it is."""
    if isinstance(value, str) and re.fullmatch(r"\D*\d+(\D+\d+){0,2}\D*", value.strip()):
        period = pd.Period(value)
        return period.end_time.floor("s") if period.freqstr[0] in "DMQYW" else value
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return pd.Period(value, "D").end_time.floor("s")
    if isinstance(value, pd.Period):
        # one that is shorter than a second has none
        return max(value.end_time.floor("s"), value.start_time)
    if isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] in ("Y", "M", "W", "D"):
        unit: Any = np.datetime_data(value.dtype)
        return (value + np.timedelta64(1, unit)).astype("M8[s]") - np.timedelta64(1, "s")
    return value


def window(start: Any, end: Any) -> tuple[str, str]:
    """
    Return the window of a search as the service takes it: whole seconds, inside what was asked for.

    Raises
    ------
    AuroraxInputError
        If an end is missing or no instant, or the start is after the end.
    """
    for argument, value in (("start", start), ("end", end)):
        if value is None:
            raise AuroraxInputError(f"{argument} is missing; give an instant, UTC")
    first, last = to_utc("start", start).ceil("s"), to_utc("end", end, last=True).floor("s")
    if first > last:
        raise AuroraxInputError(f"start={first} is after end={last}; swap them")
    return first.isoformat(timespec="seconds"), last.isoformat(timespec="seconds")


#: What a span of time can be given as.
Span = str | pd.Timedelta | datetime.timedelta | np.timedelta64 | pd.offsets.BaseOffset


def span(argument: str, value: Any, *, zero: bool = False) -> pd.Timedelta:
    """Return a span of time that has a unit, above zero or, where allowed, zero."""
    delta = _delta(value)
    lowest = pd.Timedelta(0)
    if delta is None or delta < lowest or (delta == lowest and not zero):
        allowed = " or 0" if zero else " above zero"
        raise AuroraxInputError(
            f"{argument}={shown(value)} is not a span of time{allowed}; give a span with its unit, such as '5min'"
        )
    if delta > _LONGEST:
        raise AuroraxInputError(f"{argument}={shown(value)} is longer than {_LONGEST.days} days; give a shorter span")
    return delta


def seconds_of(argument: str, value: Any, *, none: str | None = None) -> float | None:
    """Return a positive number of seconds, from a number or a span of time; None where that means something."""
    if value is None and none is not None:
        return None
    if isinstance(value, str) and lacks_unit(value):
        raise AuroraxInputError(
            f"{argument}={shown(value)} has no unit; give a number, or a span with its unit such as '60s'"
        )
    seconds = as_number(value)
    if math.isnan(seconds) and (delta := _delta(value)) is not None:
        seconds = delta.total_seconds()
    if not (math.isfinite(seconds) and seconds > 0):
        extra = f", or None for {none}" if none else ""
        raise invalid(argument, value, f"seconds above 0 or a span such as '10min'{extra}")
    return seconds


def _delta(value: Any) -> pd.Timedelta | None:
    """Return a span of time that has a unit, None for what is no span."""
    try:
        delta = pd.Timedelta(value) if _has_unit(value) else None
    except (TypeError, ValueError, OverflowError):
        return None
    # NaT is a span for pandas
    return delta if isinstance(delta, pd.Timedelta) else None


def _has_unit(value: Any) -> bool:
    """Tell whether pandas would not take the value for nanoseconds; zero needs no unit."""
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, int | float | np.number) and not isinstance(value, np.timedelta64):
        return bool(value == 0)
    if isinstance(value, np.timedelta64) and np.datetime_data(value.dtype)[0] == "generic":
        return bool(value.astype(np.int64) == 0)
    return not (isinstance(value, str) and lacks_unit(value) and value.strip(" +-0."))


def nearest(instants: Times, times: Times) -> npt.NDArray[np.int64]:
    """
    Return for each time the position of the nearest instant; of two as near, that of the earlier.

    Parameters
    ----------
    instants : ndarray of datetime64
        At least one, ascending.
    times : ndarray of datetime64
        Those that are missing get a position too.
    """
    after = np.searchsorted(instants, times).clip(0, len(instants) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(instants[after] - times) < np.abs(times - instants[before]), after, before)
