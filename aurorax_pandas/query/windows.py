"""The windows of a long search: how a span of time is split, also one that grows later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from pandas.tseries.frequencies import to_offset

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.times import CALENDAR, span

#: A search is split into no more windows than this.
MAX_WINDOWS: Final = 10_000
#: The finest step of epochs: a shorter window may hold none.
SHORTEST_WINDOW: Final = pd.Timedelta("30s")
_SECOND: Final = pd.Timedelta("1s")

#: How long a window is: a span of time, or months, quarters or years of the calendar.
Chunk = pd.Timedelta | pd.offsets.BaseOffset
#: The first and the last second of a span, inclusive, UTC.
Ends = tuple[str, str]


@dataclass(frozen=True)
class Part:
    """One window of a long search, inclusive, in whole seconds, UTC."""

    number: int
    start: str
    end: str

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{self.start}_{self.end}".replace(":", "")

    @property
    def ends(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Its first and its last second."""
        return pd.Timestamp(self.start), pd.Timestamp(self.end)


def read_chunk(chunk: Any, start: str, end: str) -> Chunk:
    """
    Return the length of the windows that a caller wants; all of a search is one where that is None.

    Raises
    ------
    AuroraxInputError
        If it is neither a span of time, 30 s or more, nor ``"MS"``, ``"QS"`` or ``"YS"``.
    """
    whole = pd.Timestamp(end) - pd.Timestamp(start) + _SECOND
    if chunk is None:
        return whole
    offset = _calendar_of(chunk)
    if offset is not None:
        return offset
    try:
        length = span("chunk", chunk).ceil("s")
    except AuroraxInputError as error:
        said = str(error).partition(";")[0]
        raise AuroraxInputError(f"{said}; give a span with its unit such as '30D', or 'MS', 'QS' or 'YS'") from None
    if length < min(SHORTEST_WINDOW, whole):
        raise AuroraxInputError(f"chunk={chunk!r} is shorter than 30 s, the finest step of epochs; give a longer one")
    return length


def _calendar_of(chunk: Any) -> pd.offsets.BaseOffset | None:
    try:
        offset = to_offset(chunk) if isinstance(chunk, str | pd.offsets.BaseOffset) else None
    except (ValueError, TypeError):
        return None
    return offset if isinstance(offset, CALENDAR) and offset.n > 0 else None


def chunk_to_text(chunk: Chunk) -> str:
    """Write the length of windows down."""
    return chunk.isoformat() if isinstance(chunk, pd.Timedelta) else str(chunk.freqstr)


def chunk_of_text(text: str) -> Chunk:
    """Read what `chunk_to_text` wrote."""
    offset = _calendar_of(text)
    return pd.Timedelta(text) if offset is None else offset


def windows_of(spans: Sequence[Ends], chunk: Chunk, overlap: pd.Timedelta) -> list[Part]:
    """
    Return the windows of a search in their order; of one that has grown those of its earlier spans are as they were.

    Parameters
    ----------
    spans : sequence of (str, str)
        What was searched first, then what was added, each next to all before it; inclusive, in whole seconds, UTC.
    chunk : pandas.Timedelta or pandas.offsets.BaseOffset
        Length of the windows; of the calendar, the first of a span may be shorter.
    overlap : pandas.Timedelta
        How far each window but the last reaches into the next.

    Raises
    ------
    AuroraxInputError
        If a span makes too many.
    """
    first, last = map(pd.Timestamp, spans[0])
    found = _split_span(first, last, chunk, overlap, last)
    for begin, end in [tuple(map(pd.Timestamp, one)) for one in spans[1:]]:
        if begin > last:
            added = _split_span(begin, end, chunk, overlap, end)
            # what was the last window does not reach into this one, so this one reaches back
            added[0] = (max(begin - overlap, first), added[0][1])
            found, last = found + added, end
        else:
            found, first = _split_span(begin, end, chunk, overlap, last) + found, begin
    return [Part(number, begin.isoformat(), end.isoformat()) for number, (begin, end) in enumerate(found)]


def _split_span(
    first: pd.Timestamp, last: pd.Timestamp, chunk: Chunk, overlap: pd.Timedelta, limit: pd.Timestamp
) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Split a span; the ends of its windows go no further than a limit."""
    if isinstance(chunk, pd.Timedelta):
        if (last - first) // chunk >= MAX_WINDOWS:
            raise AuroraxInputError(
                f"chunk={str(chunk)!r} makes more than {MAX_WINDOWS} windows of {first.isoformat()} to "
                f"{last.isoformat()}; give a longer one"
            )
        begins = list(pd.date_range(first, last, freq=chunk))
    else:
        begins = [first, *(one for one in pd.date_range(first.normalize(), last, freq=chunk) if one > first)]
    following = [*begins[1:], last + _SECOND]
    return [(begin, min(after - _SECOND + overlap, limit)) for begin, after in zip(begins, following, strict=True)]


def grown(spans: Sequence[Ends], start: str, end: str) -> list[Ends] | None:
    """Return the spans of a search that is now to reach from start to end; None where it would shrink."""
    first, last = pd.Timestamp(min(one for one, _ in spans)), pd.Timestamp(max(one for _, one in spans))
    begin, stop = pd.Timestamp(start), pd.Timestamp(end)
    if begin > first or stop < last:
        return None
    added = list(spans)
    if stop > last:
        added.append(((last + _SECOND).isoformat(), stop.isoformat()))
    if begin < first:
        added.append((begin.isoformat(), (first - _SECOND).isoformat()))
    return added
