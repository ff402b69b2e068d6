"""The service's status document of a search, read whatever is in it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger("aurorax_pandas")


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


def error_lines(status: Mapping[str, Any]) -> str:
    """Return what the error lines of a log say."""
    lines = [one_line(line.get("summary")) for line in log_lines(status) if str(line.get("level")).lower() == "error"]
    return "; ".join(lines) or "no reason given"


def tell_new_lines(request_id: str, status: Mapping[str, Any], told: int) -> int:
    """Write to our log what is new in the service's, and return how many lines have been told."""
    lines = log_lines(status)
    for line in lines[told if told <= len(lines) else 0 :]:
        logger.info("search %s: %s", request_id, one_line(line.get("summary")))
    return len(lines)
