"""Times as a caller gives them, in UTC."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from aurorax_pandas.exceptions import AuroraxInputError


def to_utc(argument: str, value: Any, *, last: bool = False) -> pd.Timestamp:
    """
    Read an instant as naive UTC.

    Parameters
    ----------
    argument : str
        Name to use in an error.
    value : anything that `pandas.Timestamp` takes
        With a zone it is converted to UTC, without one it is UTC.
    last : bool, default False
        Whether a text that names a whole day, month or year means its last second, as in pandas' label slicing.

    Raises
    ------
    AuroraxInputError
        If the value is no instant.
    """
    try:
        if last and isinstance(value, str) and re.fullmatch(r"\D*\d+(\D+\d+){0,2}\D*", value.strip()):
            period = pd.Period(value)
            if period.freqstr[0] in "DMQYW":
                return period.end_time.floor("s").as_unit("us")
        instant = pd.Timestamp(value)
    except (ValueError, TypeError, OverflowError):
        raise AuroraxInputError(f"{argument}={value!r} is no instant that pandas.Timestamp understands") from None
    if not isinstance(instant, pd.Timestamp):
        raise AuroraxInputError(f"{argument}={value!r} is no instant; give a date and time, UTC")
    if instant.tzinfo is not None:
        instant = instant.tz_convert("UTC").tz_localize(None)
    return instant.as_unit("us")


def window(start: Any, end: Any) -> tuple[str, str]:
    """
    Check the window of a search and give it as the service takes it, in whole seconds inside what was asked for.

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
