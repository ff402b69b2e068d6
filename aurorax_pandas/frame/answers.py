"""An answer of the service: split into its records, a damaged one told apart by record and byte, and its times."""

from __future__ import annotations

import codecs
import json
import re
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import AuroraxAPIError, AuroraxDataError
from aurorax_pandas.times import Times

#: What fits an identifier column.
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TWICE: Final = 2


class NamedSource(msgspec.Struct, gc=False, frozen=True):
    """A data source in a record that is of no use without its identifier."""

    identifier: Int64
    program: str | None = None
    platform: str | None = None
    instrument_type: str | None = None
    source_type: str | None = None
    display_name: str | None = None


class _Failure(msgspec.Struct):
    error_code: str | None = None
    error_message: str | None = None


class _Envelope(msgspec.Struct):
    result: list[msgspec.Raw] | None = None
    error: _Failure | None = None


_decode_envelope = msgspec.json.Decoder(_Envelope | list[msgspec.Raw]).decode


def split_records(body: bytes) -> list[msgspec.Raw]:
    """
    Split an answer into its records, undecoded.

    Raises
    ------
    AuroraxDataError
        If this is no JSON, or holds no records.
    AuroraxAPIError
        If it holds an error of the service.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        envelope = _decode_envelope(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AuroraxDataError(
            f"the records are not the service's JSON ({len(body)} bytes): {error}{_first_unreadable(body)}"
        ) from None
    if isinstance(envelope, list):
        return envelope
    check_once(body, "result")
    if envelope.error is not None:
        code, message = envelope.error.error_code, envelope.error.error_message
        raise AuroraxAPIError(f"the service answered with an error, {code}: {message}", error_code=code)
    if envelope.result is None:
        raise AuroraxDataError(
            "the records hold neither 'result' nor an array; give the answer of the service as it is"
        )
    items: list[msgspec.Raw] = envelope.result
    return items


def check_once(body: bytes, *names: str) -> None:
    """
    Raise where a key of a JSON object is there twice: readers take the last, and would lose what the first holds.

    Raises
    ------
    AuroraxDataError
        If it is.
    """
    for name in names:
        if body.count(json.dumps(name).encode()) < _TWICE:
            continue
        # the outermost object is the last to be made
        pairs = json.loads(body, object_pairs_hook=lambda each: each)
        keys = [key for key, _ in pairs]
        if keys.count(name) >= _TWICE:
            raise AuroraxDataError(
                f"the key {name!r} is there {keys.count(name)} times; join what they hold, or split the file"
            )


def _first_unreadable(body: bytes) -> str:
    """Say which record of a damaged answer is the first that cannot be read, and where it begins."""
    # one character for each byte, so that places are those of the bytes
    text = body.decode("latin-1")
    begin = _LIST_BEGINS.match(text)
    if begin is None:
        return ""
    place, number = begin.end(), 0
    while not text.startswith("]", place):
        try:
            end = _decode_any(text, place)[1]
        except (ValueError, RecursionError):
            return f"; record {number} (counted from 0), from byte {place} on, is the first that cannot be read"
        place = _BETWEEN_RECORDS.match(text, end).end()  # type: ignore[union-attr]
        number += 1
    return f"; its {number} records can be read, what follows them from byte {place} on cannot"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_LIST_BEGINS: Final = re.compile(r'\s*(?:\{.*?"result"\s*:\s*)?\[\s*', re.DOTALL)
_BETWEEN_RECORDS: Final = re.compile(r"\s*,?\s*")
_decode_any: Final = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode


def read_times(texts: list[Any]) -> Times:
    """Read the service's times as datetime64[us], UTC; None becomes NaT, what is no time raises ValueError."""
    if None in texts:
        times = np.full(len(texts), "NaT", "M8[us]")
        given = [position for position, text in enumerate(texts) if text is not None]
        times[given] = read_times([texts[position] for position in given])
        return times
    if set(map(len, texts)) == {_FORM.size} and (joined := "".join(texts)).isascii():
        # Arrow reads this one form fastest, but reads others too, so the form is checked first
        grid = np.frombuffer(joined.encode(), np.uint8).reshape(len(texts), _FORM.size)
        if (grid - _FORM <= _FREEDOM).all():
            offsets = np.arange(len(texts) + 1, dtype=np.int64) * _FORM.size
            array = pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(grid))
            try:
                read: Times = array.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
            except pa.ArrowInvalid as error:
                raise ValueError(str(error)) from None
            return read
    for text in texts:
        # pandas also reads words ("now")
        if not text[:1].isdigit():
            raise ValueError(f"{text!r} is no time")
    try:
        return pd.to_datetime(texts, format="ISO8601", utc=True).tz_localize(None).as_unit("us").to_numpy()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"a time cannot be read: {error}") from None


#: The least byte that may stand at each place of a time, and by how much another may be above it.
_FORM: Final = np.frombuffer(b"0000-00-00T00:00:00", np.uint8)
_FREEDOM: Final = np.where(ord("0") == _FORM, 9, 0).astype(np.uint8)


def write_times(times: Times) -> list[str | None]:
    """Write times as the service does, with a fraction only where there is one."""
    whole = times.astype("M8[s]")
    texts = np.where(whole == times, np.datetime_as_string(whole), np.datetime_as_string(times)).tolist()
    return [None if missing else text for text, missing in zip(texts, np.isnat(times).tolist(), strict=True)]
