"""What is to go wrong with the sandbox's answers, on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aurorax_pandas.checks import suggestion
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.sandbox.replies import Reply, failure

#: Steps that can go wrong on demand: a request of the client, or the search itself.
STEPS: Final = ("submit", "status", "data", "cancel", "describe", "data_sources", "availability", "search")
FAULTS: Final = ("drop", "half", "garbage", "html", "damaged_gzip", "charset", "unknown_state")
SEARCH_FAULTS: Final = ("fail", "stall")

_CODES: Final = {
    401: "NotAuthenticated",
    403: "NotPermitted",
    404: "NotFound",
    429: "ToManyRequests",
    503: "Unavailable",
}


class Faults:
    """
    The faults that are still to come, by step.

    Parameters
    ----------
    wanted : mapping of str to iterable
        As in `serve`.
    """

    def __init__(self, wanted: Mapping[str, Iterable[Any]]) -> None:
        self._waiting = {step: _checked_faults(step, faults) for step, faults in wanted.items()}
        self._lock = threading.Lock()

    def take(self, step: str) -> Any:
        """Take the next fault of a step, None where all is to go well."""
        with self._lock:
            waiting = self._waiting.get(step)
            return waiting.pop(0) if waiting else None


def _checked_faults(step: str, faults: Iterable[Any]) -> list[Any]:
    if step not in STEPS:
        raise AuroraxInputError(f"faults: no step {step!r}; {suggestion(step, STEPS)}")
    known = SEARCH_FAULTS if step == "search" else FAULTS
    checked = list(faults)
    for fault in checked:
        of_requests = (isinstance(fault, int) and 100 <= fault <= 599) or str(fault).startswith("redirect:")
        if not (fault is None or fault in known or (of_requests and step != "search")):
            raise AuroraxInputError(f"faults: {fault!r} of {step!r} is not known; {suggestion(fault, known)}")
    return checked


def reply_instead(fault: Any, target: str) -> Reply | None:
    """Return the reply that a fault puts in the place of an answer, None where it spoils the answer itself."""
    if isinstance(fault, int):
        if fault in (502, 504):
            return Reply(fault, f"<html><body>{fault} Bad Gateway</body></html>".encode())
        headers = (("Retry-After", "1"),) if fault == 429 else ()
        told = failure(fault, _CODES.get(fault, "ApplicationError"), f"it was told to answer {fault}")
        return told._replace(headers=headers)
    if isinstance(fault, str) and fault.startswith("redirect:"):
        return Reply(307, None, (("location", fault.removeprefix("redirect:") + target),))
    return None
