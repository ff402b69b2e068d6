"""One HTTP exchange with the service: deadline, retries, and every failure as one of our errors."""

from __future__ import annotations

import codecs
import contextlib
import email.utils
import io
import logging
import math
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter

from aurorax_pandas.exceptions import (
    AuroraxAPIError,
    AuroraxAuthorizationError,
    AuroraxError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxRateLimitError,
    AuroraxTimeoutError,
    AuroraxUnavailableError,
)
from aurorax_pandas.options import Secret
from aurorax_pandas.times import seconds_of

logger = logging.getLogger("aurorax_pandas")

API_KEY_HEADER: Final = "x-aurorax-api-key"
CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 60.0
MAX_ATTEMPTS: Final = 8
MAX_WAIT: Final = 60.0
MAX_REDIRECTS: Final = 5
#: How long before a deadline something is asked for at the latest [s].
LAST_QUESTION: Final = 1.0

_PIECE: Final = 1 << 18

_Value = TypeVar("_Value")


class Deadline:
    """
    The instant by which a series of steps must be done.

    Parameters
    ----------
    timeout : float, str, datetime.timedelta, pandas.Timedelta or None
        Seconds, or a span of time; None for no deadline.
    clock : callable, optional
        Gives the time in seconds.
    """

    def __init__(self, timeout: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout = seconds_of("timeout", timeout, none="no deadline")
        self._clock = clock
        self._end = math.inf if self.timeout is None else clock() + self.timeout

    def remaining(self) -> float:
        """Return the seconds that are left; infinite without a deadline, negative once it has passed."""
        return self._end - self._clock()

    def clip(self, pause: float) -> float:
        """Return a pause, or as much of it as leaves time for one more question; near the end, all that is left."""
        left = self.remaining()
        if pause < left:
            return pause
        return left - LAST_QUESTION if left > LAST_QUESTION else left

    def now(self) -> float:
        """Return the time that it is measured by [s]."""
        return self._clock()

    def share(self, part: float, most: float) -> Deadline:
        """Return an earlier deadline: after a part of the time that is left, and after `most` seconds at the latest."""
        return Deadline(max(min(most, part * self.remaining()), 0.1), self._clock)


class Answer(NamedTuple):
    """An answer of the service that is no error."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


class _Session(requests.Session):
    """A session that leaves redirects alone: of one that it only looks at it reads the body, however long that takes."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


def _origin(url: str | None) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url or "")
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


class Transport:
    """
    Exchanges with one service, over one `requests.Session`.

    Parameters
    ----------
    api_url : str
        Address of the service, checked.
    api_key : str, optional
        Key to send to it.
    sleep : callable, optional
        Waits for a number of seconds.
    """

    def __init__(
        self, api_url: str, api_key: str | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.api_url = api_url
        self._api_key = None if api_key is None else Secret(api_key)
        self._sleep = sleep
        self._session = _Session()
        self._session.headers["User-Agent"] = (
            f"aurorax_pandas/{version('aurorax-pandas')} requests/{requests.__version__}"
        )
        self._session.headers["Accept-Encoding"] = "gzip"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=1))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def mask(self, value: _Value) -> _Value:
        """Return a text, or a JSON value, without the key: a service that repeats it does not get it shown."""
        if self._api_key is None:
            return value
        masked: _Value = _replaced(value, self._api_key.reveal(), repr(self._api_key))
        return masked

    def call(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        payload: Any = None,
        request_id: str | None = None,
        repeatable: bool = True,
        read_body: bool = True,
    ) -> Answer:
        """
        Ask the service, again where that may help, until the deadline.

        Parameters
        ----------
        method, path : str
            HTTP method, and path below the address of the service.
        deadline : Deadline
            When to give up.
        payload : JSON value, optional
            Body of the request.
        request_id : str, optional
            Identifier to put into errors.
        repeatable : bool, default True
            Whether a second request does no harm where the first may have been carried out. Without it only
            requests are repeated that the service cannot have taken.
        read_body : bool, default True
            Whether the body is read of an answer that is no error; else it is left, and so is what is wrong with it.

        Raises
        ------
        AuroraxInputError
            If the payload cannot be sent.
        AuroraxAPIError
            If the service answers with an error, or cannot be reached.
        AuroraxTimeoutError
            If the deadline passes.
        """
        text = None if payload is None else _encode(payload)
        lost = False

        def again(error: BaseException) -> bool:
            nonlocal lost
            if not isinstance(error, AuroraxAPIError):
                return False
            refused = not error.sent or error.status_code in _NOT_TAKEN
            repeat = (error.retryable and repeatable) or refused
            lost |= repeat and not refused
            return repeat

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(again),
            wait=lambda state: max(_asked_pause(state), deadline.clip(BACKOFF(state))),
            stop=lambda state: state.attempt_number >= MAX_ATTEMPTS or state.upcoming_sleep >= deadline.remaining(),
            sleep=self._sleep,
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            answer: Answer = retrying(self._exchange, method, path, text, deadline, request_id, read_body)
        except AuroraxAPIError as error:
            if method == "DELETE" and error.status_code == 404 and lost:
                # the one whose answer was lost has been carried out
                return Answer(204, {}, b"")
            if again(error) and retrying.statistics["attempt_number"] < MAX_ATTEMPTS:
                raise _timeout(deadline, request_id) from error
            raise
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        text: bytes | None,
        deadline: Deadline,
        request_id: str | None,
        read_body: bool,
    ) -> Answer:
        body = b""
        try:
            with self._follow(method, path, text, deadline, request_id) as response:
                taken = response.status_code in _TAKEN
                if taken and read_body:
                    body = _read(response, deadline, request_id).removeprefix(codecs.BOM_UTF8)
                elif not taken or response.headers.get("Content-Length") == "0":
                    # what an error says is of less use than its status; a connection that is read out serves again
                    with contextlib.suppress(*_FAULTS):
                        body = _read(response, deadline, request_id).removeprefix(codecs.BOM_UTF8)
        except AuroraxError:
            raise
        except _FAULTS as error:
            # the text of such an error can repeat headers of ours; its kind says enough
            fault = AuroraxUnavailableError(
                f"no full answer from {self.api_url} to {method} {path} ({type(error).__name__}); "
                "check the network and try again",
                request_id=request_id,
                retryable=not isinstance(error, _LASTING_FAULTS),
                sent=not _never_connected(error),
            )
        else:
            return self._answer(method, path, response, body, request_id)
        # raised out here, so that it does not carry the error of below along, headers and all
        raise fault

    def _answer(
        self, method: str, path: str, response: requests.Response, body: bytes, request_id: str | None
    ) -> Answer:
        if response.status_code not in _TAKEN:
            raise self._error(method, path, response, body, request_id)
        if body[:64].lstrip().startswith(b"<"):
            raise AuroraxUnavailableError(
                f"{self.api_url} answered {method} {path} with a page in place of data; check api_url, or try again later",
                status_code=response.status_code,
                request_id=request_id,
                retryable=True,
            )
        return Answer(response.status_code, response.headers, body)

    def _follow(
        self, method: str, path: str, text: bytes | None, deadline: Deadline, request_id: str | None
    ) -> requests.Response:
        """Send a request, and after it where redirects lead, up to the head of the last answer."""
        url, key = self.api_url + path, self._api_key
        for _ in range(MAX_REDIRECTS + 1):
            left = deadline.remaining()
            if left <= 0:
                raise _timeout(deadline, request_id)
            headers = {} if text is None else {"Content-Type": "application/json"}
            if key is not None:
                headers[API_KEY_HEADER] = key.reveal()
            response = self._session.request(
                method,
                url,
                data=text,
                headers=headers,
                timeout=(min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, left)),
                stream=True,
                allow_redirects=False,
            )
            target = requests.Session.get_redirect_target(self._session, response)
            if target is None:
                return response
            response.close()
            url = requests.utils.requote_uri(urljoin(url, target))
            if _origin(url) != _origin(self.api_url):
                # nor does the key come back after a detour
                key = None
            if response.status_code in (302, 303) or (response.status_code == 301 and method == "POST"):
                method = "GET"
            if response.status_code not in (307, 308):
                text = None
        raise requests.TooManyRedirects

    def _error(
        self, method: str, path: str, response: requests.Response, body: bytes, request_id: str | None
    ) -> AuroraxAPIError:
        status = response.status_code
        try:
            refusal = _decode_refusal(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            refusal = _Refusal()
        text = self.mask(refusal.error_message or response.reason or "no reason given")
        maintenance = status == 503 and "maintenance mode" in text.lower()
        kind: type[AuroraxAPIError] = AuroraxAPIError
        if status in (401, 403):
            kind = AuroraxAuthorizationError
        elif status == 404:
            kind = AuroraxNotFoundError
        elif status == 429:
            kind = AuroraxRateLimitError
        elif status >= 500:
            kind = AuroraxUnavailableError
        advice = "the service is in maintenance; try again later" if maintenance else _ADVICE.get(status)
        if advice is None:
            advice = "try again later" if status >= 500 else "the service did not take the request"
        return kind(
            f"{advice} ({method} {path} answered {status}: {text})",
            status_code=status,
            error_code=self.mask(refusal.error_code),
            request_id=request_id,
            retryable=status in _PASSING,
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )


_FAULTS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, ValueError, OSError)
_LASTING_FAULTS: Final = (
    requests.exceptions.SSLError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.TooManyRedirects,
)


_TAKEN: Final = (200, 201, 202, 203, 204)
#: What may pass; 520 to 524 are a proxy's words for trouble behind it.
_PASSING: Final = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
#: What the service says of a request that it has not looked at.
_NOT_TAKEN: Final = (425, 429, 503)


def _encode(payload: Any) -> bytes:
    try:
        return msgspec.json.encode(payload)
    except (ValueError, TypeError, OverflowError) as error:
        raise AuroraxInputError(f"the request cannot be written as JSON: {error}; correct its texts") from None


def _replaced(value: Any, text: str, by: str) -> Any:
    if isinstance(value, str):
        return value.replace(text, by)
    if isinstance(value, list):
        return [_replaced(item, text, by) for item in value]
    if isinstance(value, dict):
        return {name: _replaced(item, text, by) for name, item in value.items()}
    return value


def _read(response: requests.Response, deadline: Deadline, request_id: str | None) -> bytes:
    """Read a body to its end, unpack it, and let nothing pass that is damaged or cut short."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise requests.exceptions.ContentDecodingError(f"unknown encoding {encoding!r}")
    pieces = _pieces_of_body(response, deadline, request_id)
    # gives up its bytes without a copy
    body = io.BytesIO()
    for piece in pieces if encoding in ("", "identity") else _unpacked(pieces, encoding):
        body.write(piece)
    return body.getvalue()


def _pieces_of_body(response: requests.Response, deadline: Deadline, request_id: str | None) -> Iterator[bytes]:
    while piece := response.raw.read1(_PIECE, decode_content=False):
        yield piece
        if deadline.remaining() <= 0:
            raise _timeout(deadline, request_id)


def _unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Unpack gzip, of one member or several, or deflate, with a zlib header or without."""
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
            yield stream.decompress(piece)
            piece = stream.unused_data
    # only the end of a stream holds its checksum
    if stream is not None and not stream.eof:
        raise zlib.error("the stream ends early")


def _never_connected(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _timeout(deadline: Deadline, request_id: str | None) -> AuroraxTimeoutError:
    what = f"search {request_id}" if request_id else "the request"
    return AuroraxTimeoutError(
        f"no result of {what} within timeout={deadline.timeout} s", request_id=request_id, retryable=True
    )


BACKOFF: Final = tenacity.wait_random_exponential(multiplier=1, max=MAX_WAIT)


def _asked_pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, AuroraxAPIError) else None
    return asked or 0.0


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("%s; attempt %d follows in %.1f s", error, state.attempt_number + 1, state.upcoming_sleep)


class _Refusal(msgspec.Struct):
    error_code: str | None = None
    error_message: str | None = None


_decode_refusal = msgspec.json.Decoder(_Refusal).decode

_ADVICE: Final = {
    400: "the service refused the request; check the query",
    401: "give a valid API key as api_key= or in AURORAX_API_KEY",
    403: "this API key may not do that",
    404: "the service does not know it, or its result has been deleted; run the search again",
    409: "the service holds such a request already",
    413: "the search is too large; shorten its window",
    429: "the service asks for fewer requests; try again later",
}


def _retry_after(header: str | None) -> float | None:
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        instant = email.utils.parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, instant - time.time())
