"""An answer of the service, split into its records; a damaged one is told apart by record and byte."""

from __future__ import annotations

import codecs
import json
import re
from typing import Annotated, Final

import msgspec

from aurorax_pandas.exceptions import AuroraxAPIError, AuroraxDataError

#: What fits an identifier column.
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


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
    if envelope.error is not None:
        code, message = envelope.error.error_code, envelope.error.error_message
        raise AuroraxAPIError(f"the service answered with an error, {code}: {message}", error_code=code)
    if envelope.result is None:
        raise AuroraxDataError(
            "the records hold neither 'result' nor an array; give the answer of the service as it is"
        )
    items: list[msgspec.Raw] = envelope.result
    return items


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
