"""The body of an answer: read in time, unpacked, whole, and no larger than it may be."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import requests

from aurorax_pandas.exceptions import AuroraxDataError
from aurorax_pandas.service.deadline import Deadline

#: Most bytes of an answer, unpacked; a result may be larger where the service announced more.
MOST_BYTES: Final = 64 * 2**20

_PIECE: Final = 1 << 18


def read_body(response: requests.Response, deadline: Deadline, request_id: str | None, most: int) -> bytes:
    """
    Read a body to its end, unpack it, and let nothing pass that is damaged, cut short or too large.

    Parameters
    ----------
    response : requests.Response
        The answer, whose head has been read.
    deadline : Deadline
        By when it must be there.
    request_id : str, optional
        The search, for errors.
    most : int
        The most bytes that it may have, unpacked.

    Raises
    ------
    AuroraxDataError
        If it is larger.
    AuroraxTimeoutError
        If the deadline passes.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise requests.exceptions.ContentDecodingError(f"unknown encoding {encoding!r}")
    pieces = _pieces_of_body(response, deadline, request_id)
    # gives up its bytes without a copy
    body = io.BytesIO()
    for piece in pieces if encoding in ("", "identity") else _unpacked(pieces, encoding):
        if body.tell() + len(piece) > most:
            raise AuroraxDataError(
                f"the answer is larger than {most / 2**20:.0f} MB, unpacked; it is not read further. Shorten the window "
                "of the search, or split it with chunk=",
                request_id=request_id,
            )
        body.write(piece)
    return body.getvalue()


def _pieces_of_body(response: requests.Response, deadline: Deadline, request_id: str | None) -> Iterator[bytes]:
    while piece := response.raw.read1(_PIECE, decode_content=False):
        yield piece
        if deadline.remaining() <= 0:
            raise deadline.passed(request_id)


def _unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Unpack gzip, of one member or several, or deflate, with a zlib header or without; a piece at a time."""
    stream: Any = None
    for each in pieces:
        piece = each
        while piece:
            if stream is None:
                bare = encoding == "deflate" and piece[0] & 0x0F != zlib.DEFLATED
                stream = zlib.decompressobj(-15 if bare else 15 if encoding == "deflate" else 31)
            elif stream.eof:
                piece = piece.lstrip(b"\0")
                if not piece:
                    break
                stream = zlib.decompressobj(31)
            # a kilobyte may unpack to gigabytes, so no more than a piece is made at once
            yield stream.decompress(piece, _PIECE)
            while stream.unconsumed_tail:
                yield stream.decompress(stream.unconsumed_tail, _PIECE)
            piece = stream.unused_data
    # only the end of a stream holds its checksum
    if stream is not None and not stream.eof:
        yield stream.flush()
        if not stream.eof:
            raise zlib.error("the stream ends early")
