"""The submit of a search, after which its id is known, or may be."""

from __future__ import annotations

import logging
from typing import Any, Final

from aurorax_pandas.exceptions import AuroraxAPIError, AuroraxTimeoutError
from aurorax_pandas.options import id_in
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.transport import NOT_TAKEN, Answer, Transport

logger = logging.getLogger("aurorax_pandas")

_UNKNOWN: Final = "under an id that is not known here; ConjunctionSearch(...).run(request_id=...) knows it"


def submit(transport: Transport, kind: str, query: dict[str, Any], deadline: Deadline, chosen: str | None) -> str:
    """
    Submit a search and return its id.

    Parameters
    ----------
    transport : Transport
        The service.
    kind : str
        The kind of search, as in paths of the service.
    query : dict
        What is sent.
    deadline : Deadline
        By when the service must have answered.
    chosen : str, optional
        The id that the caller chose. With one the submit is repeated where its answer is lost.

    Raises
    ------
    AuroraxAPIError
        If the service does not take it, or does not say its id.
    """
    try:
        answer = transport.call(
            "POST",
            f"/api/v1/{kind}/search",
            payload=query if chosen is None else {**query, "request_id": chosen},
            deadline=deadline,
            request_id=chosen,
            repeatable=chosen is not None,
            read=False,
        )
    except (AuroraxAPIError, AuroraxTimeoutError) as error:
        if chosen is not None and error.status_code == 409:
            # the service has it from the submit whose answer was lost
            return chosen
        if chosen is None and _may_have_arrived(error):
            error.args = (f"{error}; the service may have taken the search {_UNKNOWN}",)
        raise
    except KeyboardInterrupt:
        known = f"as search {chosen}" if chosen else _UNKNOWN
        logger.warning("interrupted during the submit; the service may have taken it %s", known)
        raise
    return _id_in_answer(answer, transport, chosen)


def _may_have_arrived(error: AuroraxAPIError | AuroraxTimeoutError) -> bool:
    """Tell whether the service may have taken what it gave no answer to."""
    if isinstance(error, AuroraxTimeoutError):
        return True
    return error.sent and error.retryable and error.status_code not in NOT_TAKEN


def _id_in_answer(answer: Answer, transport: Transport, chosen: str | None) -> str:
    location = next((value for name, value in answer.headers.items() if name.lower() == "location"), "")
    shown = transport.mask(location)
    if answer.status_code != 202:
        raise AuroraxAPIError(
            f"the service did not take the search: status {answer.status_code}, location {shown!r}",
            status_code=answer.status_code,
            request_id=chosen,
        )
    found = id_in(location) or chosen
    if found is None:
        raise AuroraxAPIError(
            f"the service took the search, but gave no id to read it by: status 202, location {shown!r}; "
            "run it again with request_id= of your choice",
            status_code=answer.status_code,
        )
    return found
