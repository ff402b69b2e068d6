"""The service's JSON records, and objects like them, as a typed conjunctions frame."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.checks import choice
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxDataWarning, callers_level
from aurorax_pandas.frame import model, ordering, rules
from aurorax_pandas.frame.answers import Int64, read_times
from aurorax_pandas.frame.validation import check_kind
from aurorax_pandas.sources import CONJUNCTION_TYPES

OnBadRecords = Literal["raise", "drop"]

_CHUNK: Final = 500
_SHOWN: Final = 5
_KEYS_OF_OBJECTS: Final = (*model.CONJUNCTION_COLUMNS, "e1_source", "e2_source", *model.SOURCE_FIELDS)

_T = TypeVar("_T")


class _SourceRecord(msgspec.Struct, gc=False, frozen=True):
    identifier: Int64 | None = None
    program: str | None = None
    platform: str | None = None
    instrument_type: str | None = None
    source_type: str | None = None
    display_name: str | None = None


_S = TypeVar("_S")
_Ls = TypeVar("_Ls")


class _Event(msgspec.Struct, Generic[_S], gc=False):
    start: str
    end: str
    min_distance: float
    max_distance: float
    e1_source: _S = None  # type: ignore[assignment]
    e2_source: _S = None  # type: ignore[assignment]
    conjunction_type: str | None = None


class _Conjunction(msgspec.Struct, Generic[_Ls, _S], gc=False):
    conjunction_type: str
    start: str
    end: str
    min_distance: float | None = None
    max_distance: float | None = None
    data_sources: _Ls = None  # type: ignore[assignment]
    events: list[_Event[_S]] | None = None
    closest_epoch: str | None = None
    farthest_epoch: str | None = None


# the text of short sources is looked up faster than it is read; that of long ones, with their schemas, is not
_LONG_RECORD: Final = 4_000
_decode_by_text = msgspec.json.Decoder(_Conjunction[msgspec.Raw, msgspec.Raw]).decode
_decode_by_value = msgspec.json.Decoder(_Conjunction[list[_SourceRecord | None] | None, _SourceRecord | None]).decode
_decode_source = msgspec.json.Decoder(_SourceRecord | None).decode
_decode_sources = msgspec.json.Decoder(list[_SourceRecord | None] | None).decode


_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, ValueError)


class _Sources(dict[_SourceRecord | bytes | None, int]):
    """Distinct data sources, numbered as they turn up, by value or by text."""

    def __init__(self) -> None:
        super().__init__()
        self._table: list[_SourceRecord] = []

    def __missing__(self, source: _SourceRecord | bytes | None) -> int:
        if isinstance(source, _SourceRecord):
            code = len(self._table)
            self._table.append(source)
        else:
            code = self[(None if source is None else _decode_source(source)) or _SourceRecord()]
        self[source] = code
        return code

    def fields(self) -> dict[str, pa.Array]:
        """Return the table of distinct sources."""
        return {
            name: pa.array([getattr(source, name) for source in self._table], arrow_type)
            for name, arrow_type in model.SOURCE_FIELDS.items()
        }


class _SourceLists(dict[bytes | None, list[int]]):
    """The numbers of the sources that a text lists."""

    def __init__(self, sources: _Sources) -> None:
        super().__init__()
        self._sources = sources

    def __missing__(self, text: bytes | None) -> list[int]:
        found = (None if text is None else _decode_sources(text)) or ()
        self[text] = numbers = list(map(self._sources.__getitem__, found))
        return numbers


def _texts_of_items(items: Iterable[msgspec.Raw | None]) -> list[bytes | None]:
    return [None if item is None else bytes(item) for item in items]


class _Columns:
    """Columns of the records read so far; each chunk makes every one of them longer."""

    def __init__(self, by_text: bool) -> None:
        self.decode: Callable[[msgspec.Raw], _Conjunction[Any, Any]] = _decode_by_text if by_text else _decode_by_value
        self.sources = _Sources()
        self._lists = _SourceLists(self.sources)
        self._by_text = by_text
        # bytes grow in place, where pieces would leave holes in memory behind
        self._bytes: dict[str, bytearray] = {}
        self._dtypes: dict[str, np.dtype[Any]] = {}
        # columns without rows have their dtypes
        self.add([], [])

    def add(self, numbers: list[int], records: list[_Conjunction[Any, Any]]) -> None:
        """Add a chunk, or raise and add nothing."""
        sources = self._numbers([record.data_sources for record in records])
        by_record = [record.events or () for record in records]
        events = list(chain.from_iterable(by_record))
        piece: dict[str, npt.NDArray[Any]] = {
            "number": np.array(numbers, np.int32),
            "conjunction_type": _type_codes([record.conjunction_type for record in records], _TYPE_CODES),
            "min_distance": _distances_of(records, "min_distance"),
            "max_distance": _distances_of(records, "max_distance"),
            "sources": np.array(list(chain.from_iterable(sources)), np.int32),
            "source_count": np.array(list(map(len, sources)), np.int32),
            "event_count": np.array(list(map(len, by_record)), np.int32),
            "event_type": _type_codes([event.conjunction_type for event in events], _EVENT_TYPE_CODES),
            "event_min_distance": np.array([event.min_distance for event in events], np.float64),
            "event_max_distance": np.array([event.max_distance for event in events], np.float64),
            "e1": self._number([event.e1_source for event in events]),
            "e2": self._number([event.e2_source for event in events]),
        }
        texts: dict[str, list[str | None]] = {
            "start": [record.start for record in records],
            "end": [record.end for record in records],
            "closest_epoch": [record.closest_epoch for record in records],
            "farthest_epoch": [record.farthest_epoch for record in records],
            "event_start": [event.start for event in events],
            "event_end": [event.end for event in events],
        }
        # one call for all, since each costs as much as a hundred times
        times = read_times(list(chain.from_iterable(texts.values())))
        piece |= zip(texts, np.split(times, np.cumsum(list(map(len, texts.values())))[:-1]), strict=True)
        for name, values in piece.items():
            self._bytes.setdefault(name, bytearray()).extend(values.view(np.uint8))
            self._dtypes[name] = values.dtype

    def _numbers(self, lists: list[Any]) -> list[list[int]]:
        if self._by_text:
            return list(map(self._lists.__getitem__, _texts_of_items(lists)))
        return [list(map(self.sources.__getitem__, sources or ())) for sources in lists]

    def _number(self, sources: list[Any]) -> npt.NDArray[np.int32]:
        keys = _texts_of_items(sources) if self._by_text else sources
        return np.array(list(map(self.sources.__getitem__, keys)), np.int32)

    def joined(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, pa.Array]]:
        """Return the columns and the table of sources as `model.assemble_conjunctions` takes them; nothing is left here."""
        names = list(self._bytes)
        column = {name: np.frombuffer(self._bytes.pop(name), self._dtypes[name]) for name in names}
        return column, self.sources.fields()


_TYPE_CODES: Final[dict[str | None, int]] = {name: code for code, name in enumerate(CONJUNCTION_TYPES)}
_EVENT_TYPE_CODES: Final[dict[str | None, int]] = {**_TYPE_CODES, None: -1}


def conjunctions_from_items(
    items: list[msgspec.Raw],
    *,
    on_bad_records: OnBadRecords = "raise",
    fill: Callable[[dict[str, pa.Array]], dict[str, pa.Array]] = dict,
) -> pd.DataFrame:
    """
    Make a typed conjunctions frame of records that are split but not decoded; the list is emptied on the way.

    Parameters
    ----------
    items : list of msgspec.Raw
        The records.
    on_bad_records : {"raise", "drop"}, default "raise"
        As for `as_conjunctions`.
    fill : callable, optional
        Completes the table of sources, whose fields it takes and returns.
    """
    total = len(items)
    bad: dict[int, str] = {}
    column, sources = _columns_of_records(items, bad, keep=False).joined()
    sources = fill(sources)
    numbers = column.pop("number")
    keep = np.ones(len(numbers), bool)
    for rule in rules.CONJUNCTION_RULES:
        holds = rule.holds(column)
        bad.update((int(number), rule.says) for number in numbers[keep & ~holds])
        keep &= holds
    events = {name: column[f"event_{name}"] for name in ("start", "end", "min_distance", "max_distance")}
    events |= rules.spans_of_events(column["start"], column["end"], column["event_count"])
    for rule in rules.NESTED_EVENT_RULES:
        holds = rule.holds(events)
        if not holds.all():
            broken = (
                np.bincount(np.repeat(np.arange(len(keep)), column["event_count"])[~holds], minlength=len(keep)) > 0
            )
            bad.update((int(number), f"in events: {rule.says}") for number in numbers[keep & broken])
            keep &= ~broken
    if bad:
        _report_bad(bad, total, on_bad_records)
    frame = ordering.assemble_in_order(column, sources, keep)
    return check_kind(frame, "conjunctions")


def check_on_bad_records(on_bad_records: Any) -> None:
    """Raise where this is no way to deal with bad records."""
    choice("on_bad_records", on_bad_records, ("raise", "drop"))


def conjunctions_in_order_received(items: list[msgspec.Raw]) -> pd.DataFrame:
    """
    Make a frame of records as they stand: neither sorted nor checked against the rules of a row.

    Raises
    ------
    AuroraxDataError
        If a record cannot be read.
    """
    bad: dict[int, str] = {}
    columns = _columns_of_records(items, bad, keep=True)
    if bad:
        _report_bad(bad, len(items), "raise")
    return model.assemble_conjunctions(*columns.joined())


def json_of_records(records: Any) -> bytes:
    """
    Return records as JSON, from JSON in bytes or text, what was parsed of it, or objects with its fields.

    Raises
    ------
    AuroraxDataError
        If they hold what is no JSON.
    """
    if isinstance(records, bytes | bytearray | memoryview):
        return bytes(records)
    if isinstance(records, str):
        return records.encode("utf-8", "surrogatepass")
    if isinstance(records, Iterable) and not isinstance(records, Mapping | list | tuple):
        records = list(records)
    try:
        return msgspec.json.encode(records, enc_hook=_plain_record)
    except (TypeError, ValueError, RecursionError) as error:
        raise AuroraxDataError(f"records cannot be read as the service's JSON: {error}") from None


def _plain_record(value: Any) -> Any:
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.DataFrame):
        # a nested cell of ours
        return value.to_dict("records")
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value.astype("M8[us]"))
    if isinstance(value, np.generic):
        return value.item()
    fields = {name: getattr(value, name) for name in _KEYS_OF_OBJECTS if hasattr(value, name)}
    if not fields:
        raise TypeError(f"{type(value).__name__} is neither JSON nor an object with fields of a conjunction")
    return fields


def _columns_of_records(items: list[msgspec.Raw], bad: dict[int, str], *, keep: bool) -> _Columns:
    """Read records in chunks; without `keep` the list lets go of each that is read."""
    some = [len(bytes(item)) for item in items[:_SHOWN]]
    columns = _Columns(by_text=sum(some) < _LONG_RECORD * len(some))
    numbered = enumerate(items if keep else _emptied(items))
    while chunk := list(islice(numbered, _CHUNK)):
        _add(columns, chunk, bad)
    return columns


def _emptied(items: list[_T]) -> Iterator[_T]:
    items.reverse()
    while items:
        yield items.pop()


def _add(columns: _Columns, chunk: list[tuple[int, msgspec.Raw]], bad: dict[int, str]) -> None:
    try:
        columns.add([number for number, _ in chunk], [columns.decode(item) for _, item in chunk])
    except _UNREADABLE as error:
        if len(chunk) == 1:
            bad[chunk[0][0]] = str(error)
            return
        # something in this chunk cannot be read: find its records by halves
        middle = len(chunk) // 2
        _add(columns, chunk[:middle], bad)
        _add(columns, chunk[middle:], bad)


def _distances_of(records: Sequence[_Conjunction[Any, Any]], name: str) -> npt.NDArray[np.float64]:
    """Return a distance of each record, or raise; one that is trimmed is that of its single event."""
    found = [getattr(record, name) for record in records]
    if None in found:
        for number, record in enumerate(records):
            if found[number] is None:
                if record.events is None or len(record.events) != 1:
                    raise ValueError(f"Object missing required field `{name}`, and no single event to take it from")
                found[number] = getattr(record.events[0], name)
    return np.array(found, np.float64)


def _type_codes(names: Sequence[str | None], known: Mapping[str | None, int]) -> npt.NDArray[np.int8]:
    try:
        return np.array([known[name] for name in names], np.int8)
    except KeyError as error:
        raise ValueError(f"conjunction_type {error.args[0]!r} is not known") from None


def _report_bad(bad: dict[int, str], total: int, on_bad_records: OnBadRecords) -> None:
    shown = "; ".join(f"record {number}: {bad[number]}" for number in sorted(bad)[:_SHOWN])
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    if on_bad_records == "drop":
        text = f"{len(bad)} of {total} records left out: {shown}{more}"
        warnings.warn(text, AuroraxDataWarning, stacklevel=callers_level())
        return
    raise AuroraxDataError(
        f"{len(bad)} of {total} records cannot be used (counted from 0): {shown}{more}. "
        "on_bad_records='drop' keeps the others"
    )
