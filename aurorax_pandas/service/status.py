"""The service's status document of a search, read whatever is in it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from aurorax_pandas.exceptions import AuroraxDataError, AuroraxNotFoundError, AuroraxSearchError

logger = logging.getLogger("aurorax_pandas")


def decode_status(body: bytes, request_id: str, mask: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return the status document in an answer, fit to be shown, or raise where there is none."""
    try:
        return mask(msgspec.json.decode(body, type=dict[str, Any]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AuroraxDataError(
            f"the status of search {request_id} is no JSON object: {error}", request_id=request_id
        ) from None


def log_lines(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the log lines of a status: ``level``, ``summary``, ``timestamp``."""
    logs = status.get("logs")
    return [line for line in logs if isinstance(line, dict)] if isinstance(logs, list) else []


def result_part(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a status says of the result."""
    result = status.get("search_result")
    return result if isinstance(result, dict) else {}


def query_part(status: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the query that a status holds, as the service has it."""
    request = status.get("search_request")
    found = request.get("query") if isinstance(request, dict) else None
    return found if isinstance(found, dict) else None


def one_line(text: object) -> str:
    """Return a text of a service as one line, so that a line of a log or a message is of one author."""
    return str(text).replace("\n", "\\n")


def failure_in(
    status: Mapping[str, Any], request_id: str, query: dict[str, Any]
) -> AuroraxSearchError | AuroraxNotFoundError | None:
    """Return the error of a search that failed on the service, or whose result is no longer there; else None."""
    result = result_part(status)
    if result.get("error_condition"):
        return AuroraxSearchError(
            f"search {request_id} failed on the service: {_error_lines(status)}", request_id=request_id
        )
    deleted = result.get("result_file_deleted_timestamp")
    if deleted:
        gone = f"the result of search {request_id} was deleted at {one_line(deleted)}; run the search again"
        return with_query(AuroraxNotFoundError(gone, request_id=request_id), query)
    return None


def unknown_state(status: Mapping[str, Any], request_id: str) -> AuroraxDataError:
    """Return the error of a search that neither runs nor has a result."""
    said = f"search_result is {result_part(status)!r}"
    return AuroraxDataError(f"search {request_id} is in no known state: {said}", request_id=request_id)


def with_query(error: AuroraxNotFoundError, query: dict[str, Any]) -> AuroraxNotFoundError:
    """Return an error that leaves nothing but to run the search again with the query, where that is known."""
    if query and error.query is None:
        error.query = copy.deepcopy(query)
        error.args = (f"{error}; the query is in .query of this error, to be given as query=",)
    return error


def _error_lines(status: Mapping[str, Any]) -> str:
    """Return what the error lines of a log say."""
    lines = [one_line(line.get("summary")) for line in log_lines(status) if str(line.get("level")).lower() == "error"]
    return "; ".join(lines) or "no reason given"


def tell_new_lines(request_id: str, status: Mapping[str, Any], told: int) -> int:
    """Write to our log what is new in the service's, and return how many lines have been told."""
    lines = log_lines(status)
    for line in lines[told if told <= len(lines) else 0 :]:
        logger.info("search %s: %s", request_id, one_line(line.get("summary")))
    return len(lines)
