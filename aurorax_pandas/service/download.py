"""The records of a finished search, whole or not at all."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any, Final, Literal, TypedDict

import msgspec
import tenacity

from aurorax_pandas.exceptions import AuroraxAPIError, AuroraxDataError, AuroraxDataWarning, callers_level
from aurorax_pandas.frame.answers import split_records
from aurorax_pandas.service.body import MOST_BYTES
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.transport import BACKOFF, Transport

logger = logging.getLogger("aurorax_pandas")

_DOWNLOADS: Final = 3
#: A result said to be larger than this is not believed [bytes].
_ABSURD: Final = 2**34


class ReadOptions(TypedDict, total=False):
    """How a result is read; each kind of search takes those that it names."""

    on_bad_records: Literal["raise", "drop"]


def download_records(
    transport: Transport,
    path: str,
    response_format: dict[str, Any],
    *,
    deadline: Deadline,
    announced: Any,
    file_size: Any,
    request_id: str,
    sleep: Callable[[float], None],
    exact: bool = True,
) -> list[msgspec.Raw]:
    """
    Download the records of a search, again where some are lost: a proxy may drop the end of a body without a word.

    Parameters
    ----------
    transport, path
        The service, and where the result is there.
    response_format : dict
        The fields wanted.
    deadline : Deadline
        By when it must be done.
    announced : int, optional
        How many records the service says that there are.
    file_size : int, optional
        How large the service says that the result is [bytes]; it may unpack to four times as much.
    request_id : str
        The search, for errors.
    sleep : callable
        Waits for a number of seconds.
    exact : bool, default True
        Whether a result of another length than announced is refused, in place of a warning.

    Raises
    ------
    AuroraxDataError
        If the result is damaged, or, unless not `exact`, is not as long as the service says.
    AuroraxAPIError
        If the service refuses, or cannot be reached.
    """
    told = isinstance(file_size, int) and not isinstance(file_size, bool) and 0 < file_size < _ABSURD
    most = max(MOST_BYTES, 4 * file_size) if told else MOST_BYTES
    attempts = 0

    def download() -> list[msgspec.Raw]:
        nonlocal attempts
        attempts += 1
        body = _body(transport, path, response_format, deadline, request_id, most)
        size = len(body)
        items = split_records(body)
        logger.info("search %s: %d bytes, %d records", request_id, size, len(items))
        if isinstance(announced, int) and len(items) != announced:
            if not exact and attempts >= _DOWNLOADS:
                warnings.warn(
                    f"the result of search {request_id} holds {len(items)} records, the service announced {announced}; "
                    "those that are there are kept",
                    AuroraxDataWarning,
                    stacklevel=callers_level(),
                )
                return items
            raise AuroraxDataError(
                f"the result of search {request_id} holds {len(items)} records, the service announced {announced}",
                retryable=True,
            )
        return items

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(AuroraxDataError),
        wait=lambda state: deadline.clip(BACKOFF(state)),
        stop=lambda state: state.attempt_number >= _DOWNLOADS or state.upcoming_sleep >= deadline.remaining(),
        before_sleep=tenacity.before_sleep_log(logger, logging.WARNING),
        sleep=sleep,
        reraise=True,
    )
    return retrying(download)


def _body(
    transport: Transport, path: str, response_format: dict[str, Any], deadline: Deadline, request_id: str, most: int
) -> bytes:
    try:
        answer = transport.call(
            "POST", path, payload=response_format, deadline=deadline, request_id=request_id, most=most
        )
    except AuroraxAPIError as error:
        if error.status_code not in (400, 405, 415, 422, 501):
            raise
        logger.info("the service takes no response format (%s); asking for all fields", error.status_code)
        answer = transport.call("GET", path, deadline=deadline, request_id=request_id, most=most)
    return answer.body
