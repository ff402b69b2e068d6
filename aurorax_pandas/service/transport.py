"""One HTTP exchange with the service: deadline, retries, and every failure as one of our errors."""

from __future__ import annotations

import codecs
import contextlib
import email.utils
import logging
import time
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import tenacity
import urllib3

from aurorax_pandas.exceptions import (
    AuroraxAPIError,
    AuroraxAuthorizationError,
    AuroraxDataError,
    AuroraxError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxRateLimitError,
    AuroraxUnavailableError,
)
from aurorax_pandas.options import Secret, origin
from aurorax_pandas.service.body import MOST_BYTES, read_body
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.network import certificates, fault_of, proxies_for
from aurorax_pandas.service.status import one_line
from aurorax_pandas.service.watch import Watch, WatchedAdapter

logger = logging.getLogger("aurorax_pandas")

API_KEY_HEADER: Final = "x-aurorax-api-key"
CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 60.0
MAX_ATTEMPTS: Final = 8
MAX_WAIT: Final = 60.0
MAX_REDIRECTS: Final = 5

_Value = TypeVar("_Value")


class Answer(NamedTuple):
    """An answer of the service that is no error."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


class _Session(requests.Session):
    """A session that leaves redirects alone: of one that it only looks at it reads the body, however long that takes."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class Transport:
    """
    Exchanges with one service, over one `requests.Session`.

    Parameters
    ----------
    api_url : str
        Address of the service, checked.
    api_key : str, optional
        Key to send to it.
    key_held_back : bool, default False
        Whether there is a key that is not sent, since it was set for another address; a refusal says so.
    sleep : callable, optional
        Waits for a number of seconds.
    """

    def __init__(
        self,
        api_url: str,
        api_key: str | None = None,
        *,
        key_held_back: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.api_url = api_url
        self._key_held_back = key_held_back
        self._api_key = None if api_key is None else Secret(api_key)
        self._sleep = sleep
        self._session = _Session()
        self._session.headers["User-Agent"] = (
            f"aurorax_pandas/{version('aurorax-pandas')} requests/{requests.__version__}"
        )
        self._session.headers["Accept-Encoding"] = "gzip"
        # credentials of a .netrc are for nobody here; proxies and certificates are chosen for each address
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter(pool_maxsize=1))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def mask(self, value: _Value) -> _Value:
        """Return a text, or a JSON value, of the service fit to be shown: without the key and control characters."""
        masked: _Value = _masked(value, None if self._api_key is None else self._api_key.reveal())
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
        read: bool = True,
        most: int = MOST_BYTES,
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
        read : bool, default True
            Whether the body is read of an answer that is no error; else it is left, and so is what is wrong with it.
        most : int
            The most bytes that the answer may have, unpacked.

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
            refused = (not error.sent and error.retryable) or error.status_code in NOT_TAKEN
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
            answer: Answer = retrying(self._exchange, method, path, text, deadline, request_id, most if read else 0)
        except AuroraxAPIError as error:
            if method == "DELETE" and error.status_code == 404 and lost:
                # the one whose answer was lost has been carried out
                return Answer(204, {}, b"")
            if again(error) and retrying.statistics["attempt_number"] < MAX_ATTEMPTS:
                raise deadline.passed(request_id, _why_in_vain(error)) from error
            raise
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        text: bytes | None,
        deadline: Deadline,
        request_id: str | None,
        most: int,
    ) -> Answer:
        body = b""
        fault: BaseException
        watch = Watch(deadline.remaining())
        try:
            with watch, self._follow(method, path, text, deadline, request_id) as response:
                taken = response.status_code in _TAKEN
                if taken and most:
                    body = read_body(response, deadline, request_id, most).removeprefix(codecs.BOM_UTF8)
                elif not taken or response.headers.get("Content-Length") == "0":
                    # what an error says is of less use than its status; a connection that is read out serves again
                    with contextlib.suppress(*_FAULTS, AuroraxDataError):
                        body = read_body(response, deadline, request_id, MOST_BYTES).removeprefix(codecs.BOM_UTF8)
        except AuroraxError:
            raise
        except _FAULTS as error:
            # the text of such an error can repeat headers of ours; its kind says enough
            means, again = fault_of(error, self.api_url)
            fault = AuroraxUnavailableError(
                f"no full answer from {self.api_url} to {method} {path} ({type(error).__name__}); {means}",
                request_id=request_id,
                retryable=again,
                sent=not _never_connected(error),
            )
            if watch.expired:
                fault = deadline.passed(request_id, f"{self.api_url} had not ended its answer to {method} {path}")
        except KeyboardInterrupt:
            fault = KeyboardInterrupt()
        else:
            if watch.expired:
                # what the end of a connection cuts off can look like the end of a body
                raise deadline.passed(request_id)
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
                raise deadline.passed(request_id)
            headers = {} if text is None else {"Content-Type": "application/json"}
            if key is not None:
                headers[API_KEY_HEADER] = key.reveal()
            response = self._session.request(
                method,
                url,
                data=text,
                headers=headers,
                timeout=(min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, left)),
                proxies=proxies_for(url),
                verify=certificates(),
                stream=True,
                allow_redirects=False,
            )
            target = requests.Session.get_redirect_target(self._session, response)
            if target is None:
                return response
            response.close()
            before, url = url, requests.utils.requote_uri(urljoin(url, target))
            if urlsplit(before).scheme == "https" and urlsplit(url).scheme != "https":
                raise requests.exceptions.InvalidURL("https is not left for http")
            if origin(url) != origin(self.api_url):
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
        text = one_line(self.mask(refusal.error_message or response.reason or "no reason given"))
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
        if status == 404 and "/requests/" not in path:
            # there is no search that it could not know
            advice = f"{self.api_url} has no AuroraX search API; check api_url"
        if status in (401, 403) and self._key_held_back:
            advice = (
                f"no API key was sent: the one that is set belongs to another address than {self.api_url}; give it as "
                "api_key=, or set both together with set_options"
            )
        if advice is None:
            advice = "try again later" if status >= 500 else "the service did not take the request"
        return kind(
            f"{advice} ({method} {path} answered {status}: {text})",
            status_code=status,
            error_code=None if refusal.error_code is None else one_line(self.mask(refusal.error_code)),
            request_id=request_id,
            retryable=status in _PASSING,
            retry_after=_retry_after(response.headers.get("Retry-After"), response.headers.get("Date")),
        )


_FAULTS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, ValueError, OSError)
_TAKEN: Final = (200, 201, 202, 203, 204)
#: What may pass; 520 to 524 are a proxy's words for trouble behind it.
_PASSING: Final = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
#: What the service says of a request that it has not looked at.
NOT_TAKEN: Final = (425, 429, 503)


def _encode(payload: Any) -> bytes:
    try:
        return msgspec.json.encode(payload)
    except (ValueError, TypeError, OverflowError) as error:
        raise AuroraxInputError(f"the request cannot be written as JSON: {error}; correct its texts") from None


def _masked(value: Any, secret: str | None) -> Any:
    """Return a text, or the texts of a JSON value, fit to be shown: without the key, control characters escaped."""
    if isinstance(value, str):
        text = value if secret is None else value.replace(secret, "***")
        return text if text.isprintable() else "".join(map(_printable, text))
    if isinstance(value, list):
        return [_masked(item, secret) for item in value]
    if isinstance(value, dict):
        return {name: _masked(item, secret) for name, item in value.items()}
    return value


def _printable(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1]


def _never_connected(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


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


def _why_in_vain(error: AuroraxAPIError) -> str:
    """Say why there is no time left for another attempt."""
    asked = f"; it asks to be left alone for {error.retry_after:.0f} s" if error.retry_after else ""
    return f"{error}{asked}"


def _retry_after(header: str | None, date: str | None) -> float | None:
    """Return for how many seconds the service asks to be left alone, None where it does not say so."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        # the longest that a year has; Python refuses to read thousands of digits
        return float(header.strip()[:9])
    instant, now = _seconds_of_date(header), _seconds_of_date(date)
    if instant is None:
        return None
    # the service's own clock tells when that is
    return max(0.0, instant - (time.time() if now is None else now))


def _seconds_of_date(header: str | None) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(header or "").timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
