"""One HTTP exchange with the service: deadline, retries, and every failure as one of our errors."""

from __future__ import annotations

import contextlib
import email.utils
import io
import logging
import math
import numbers
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
import numpy as np
import pandas as pd
import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter

from aurorax_pandas.exceptions import (
    AuroraxAPIError,
    AuroraxAuthorizationError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxRateLimitError,
    AuroraxTimeoutError,
    AuroraxUnavailableError,
)
from aurorax_pandas.options import DEFAULT_API_URL, Secret, get_option

logger = logging.getLogger("aurorax_pandas")

API_KEY_HEADER: Final = "x-aurorax-api-key"
CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 60.0
MAX_ATTEMPTS: Final = 8
MAX_WAIT: Final = 60.0

_PIECE: Final = 1 << 18


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
        """Give the seconds that are left; infinite without a deadline, negative once it has passed."""
        return self._end - self._clock()


_NO_UNIT: Final = re.compile(r"\s*[+-]?[\d.\s]+(?:[eE][+-]?\d+)?\s*", re.ASCII)


def seconds_of(argument: str, value: Any, *, none: str | None = None) -> float | None:
    """Read a positive number of seconds, or a span of time, as seconds."""
    if value is None and none is not None:
        return None
    # NumPy counts a span of time among the whole numbers
    number = isinstance(value, numbers.Real) and not isinstance(value, bool | np.timedelta64)
    if isinstance(value, str) and _NO_UNIT.fullmatch(value):
        raise AuroraxInputError(
            f"{argument}={value!r} has no unit; give a number, or a span with its unit such as '60s'"
        )
    seconds = math.nan
    if value is not None and not isinstance(value, bool):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            span = pd.Timedelta(float(value), unit="s") if number else pd.Timedelta(value)
            seconds = span.total_seconds()
    if not (math.isfinite(seconds) and seconds > 0):
        extra = f", or None for {none}" if none else ""
        raise AuroraxInputError(
            f"{argument}={value!r} is not valid; give seconds above 0 or a span such as '10min'{extra}"
        )
    return seconds


@contextlib.contextmanager
def open_transport(api_url: str | None, api_key: str | None) -> Iterator[Transport]:
    """Open a transport to a service, by default that of the options, for the time of a ``with`` block."""
    transport = Transport(get_option("api_url", api_url) or DEFAULT_API_URL, get_option("api_key", api_key))
    try:
        yield transport
    finally:
        transport.close()


class Answer(NamedTuple):
    """An answer of the service that is no error."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


class _Session(requests.Session):
    """A session that sends the API key to the service's own scheme, host and port alone, also on redirects."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        if _origin(prepared_request.url) != _origin(response.request.url):
            prepared_request.headers.pop(API_KEY_HEADER, None)


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

    def call(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        payload: Any = None,
        request_id: str | None = None,
        repeatable: bool = True,
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

        Raises
        ------
        AuroraxAPIError
            If the service answers with an error, or cannot be reached.
        AuroraxTimeoutError
            If the deadline passes.
        """

        def again(error: BaseException) -> bool:
            if not isinstance(error, AuroraxAPIError):
                return False
            return (error.retryable and repeatable) or not error.sent or error.status_code in (429, 503)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(again),
            wait=_wait,
            stop=lambda state: state.attempt_number >= MAX_ATTEMPTS or state.upcoming_sleep >= deadline.remaining(),
            sleep=self._sleep,
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            answer: Answer = retrying(self._exchange, method, path, payload, deadline, request_id)
        except AuroraxAPIError as error:
            if again(error) and retrying.statistics["attempt_number"] < MAX_ATTEMPTS:
                raise _timeout(deadline, request_id) from error
            raise
        return answer

    def _exchange(self, method: str, path: str, payload: Any, deadline: Deadline, request_id: str | None) -> Answer:
        left = deadline.remaining()
        if left <= 0:
            raise _timeout(deadline, request_id)
        headers = {} if payload is None else {"Content-Type": "application/json"}
        if self._api_key is not None:
            headers[API_KEY_HEADER] = self._api_key.reveal()
        try:
            with self._session.request(
                method,
                self.api_url + path,
                data=None if payload is None else msgspec.json.encode(payload),
                headers=headers,
                timeout=(min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, left)),
                stream=True,
            ) as response:
                body = _read(response, deadline, request_id)
        except _FAULTS as error:
            # the text of such an error can repeat headers of ours; its kind says enough
            raise AuroraxUnavailableError(
                f"no full answer from {self.api_url} to {method} {path} ({type(error).__name__}); "
                "check the network and try again",
                request_id=request_id,
                retryable=not isinstance(error, _LASTING_FAULTS),
                sent=not _never_connected(error),
            ) from None
        if response.status_code not in (200, 201, 202, 204):
            raise self._error(method, path, response, body, request_id)
        if body[:64].lstrip().startswith(b"<"):
            raise AuroraxUnavailableError(
                f"{self.api_url} answered {method} {path} with a page in place of data; check api_url, or try again later",
                status_code=response.status_code,
                request_id=request_id,
                retryable=True,
            )
        return Answer(response.status_code, response.headers, body)

    def _error(
        self, method: str, path: str, response: requests.Response, body: bytes, request_id: str | None
    ) -> AuroraxAPIError:
        status = response.status_code
        try:
            refusal = _decode_refusal(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            refusal = _Refusal()
        text = refusal.error_message or response.reason or "no reason given"
        if self._api_key is not None:
            # a service that repeats the key does not get it into our messages
            text = text.replace(self._api_key.reveal(), repr(self._api_key))
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
            error_code=refusal.error_code,
            request_id=request_id,
            retryable=status in (429, 500, 502, 503, 504),
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )


_FAULTS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, ValueError, OSError)
_LASTING_FAULTS: Final = (
    requests.exceptions.SSLError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.TooManyRedirects,
)


def _read(response: requests.Response, deadline: Deadline, request_id: str | None) -> bytes:
    """Read a body to its end, unpack it, and let nothing pass that is damaged or cut short."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise requests.exceptions.ContentDecodingError(f"unknown encoding {encoding!r}")
    unpacker = None if encoding == "identity" else zlib.decompressobj(wbits=31)
    # gives up its bytes without a copy
    body = io.BytesIO()
    while piece := response.raw.read1(_PIECE, decode_content=False):
        body.write(piece if unpacker is None else unpacker.decompress(piece))
        if deadline.remaining() <= 0:
            raise _timeout(deadline, request_id)
    # only the end of a gzip stream holds its checksum
    if unpacker is not None and body.tell() and not unpacker.eof:
        raise zlib.error("the stream ends early")
    return body.getvalue()


def _never_connected(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _timeout(deadline: Deadline, request_id: str | None) -> AuroraxTimeoutError:
    what = f"search {request_id}" if request_id else "the request"
    return AuroraxTimeoutError(
        f"no result of {what} within timeout={deadline.timeout} s", request_id=request_id, retryable=True
    )


_backoff: Final = tenacity.wait_random_exponential(multiplier=1, max=MAX_WAIT)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, AuroraxAPIError) else None
    return max(asked or 0.0, _backoff(state))


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
