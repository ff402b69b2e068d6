"""The sandbox's searches: their states, log lines and results, and which of them are kept."""

from __future__ import annotations

import datetime
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from aurorax_pandas.exceptions import AuroraxError, AuroraxInputError

DEMONSTRATION: Final = "This is the aurorax_pandas sandbox, a demonstration on this machine, not the AuroraX service"

#: How many searches are kept, and how many bytes of results.
MOST_JOBS: Final = 200
MOST_BYTES: Final = 64 * 2**20
#: As long is waited for searches that run when the server ends [s].
_LAST_MOMENT: Final = 1.0

_RESULT: Final = (
    "completed_timestamp",
    "data_uri",
    "error_condition",
    "file_size",
    "query_duration",
    "result_count",
    "result_file_deleted_timestamp",
)
_TYPES: Final = {"conjunctions": "conjunction", "ephemeris": "ephemeris", "data_products": "data_product"}
# it goes into an address and a header of the answer
_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z._~-]{1,200}")

#: Does a search: takes the job, gives the records.
Work = Callable[["Job"], list[dict[str, Any]]]


class CancelledSearch(Exception):  # noqa: N818  (not an error: somebody asked for it)
    """The search was cancelled while it ran."""


def now() -> str:
    """Return the time as the service writes it."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat()


class Job:
    """
    One search on the server; `start` runs it in the background.

    Parameters
    ----------
    path : {"conjunctions", "ephemeris", "data_products"}
        What is searched for.
    query : mapping
        The query with all its keys, as the status document shows it.
    sentence : str
        The query in words.
    work : callable
        Does the search: takes the job, gives the records.

    Raises
    ------
    AuroraxInputError
        If the client's own request id cannot stand in an address.
    """

    def __init__(self, path: str, query: Mapping[str, Any], sentence: str, work: Work) -> None:
        chosen = query.get("request_id")
        if chosen is not None and not (isinstance(chosen, str) and _REQUEST_ID.fullmatch(chosen)):
            raise AuroraxInputError(
                "request_id may hold letters, digits and ._~- alone, 200 of them at most; leave it out to be given one"
            )
        self.path = path
        self.request_id = chosen or str(uuid.uuid4())
        #: The result as JSON, None where there is none (yet).
        self.body: bytes | None = None
        self.stalled = False
        self._work = work
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._request = {
            "query": dict(query),
            "request_id": self.request_id,
            "request_type": _TYPES[path],
            "requested": now(),
        }
        self._result: dict[str, Any] = dict.fromkeys(_RESULT)
        self._logs: list[dict[str, str]] = []
        self.log("info", DEMONSTRATION)
        self.log("debug", "Search request arrived and saved")
        self._begun = (
            ("info", f"Starting conjunction search for query {self.request_id}")
            if path == "conjunctions"
            else ("debug", f"Starting {self.request_id} for query {sentence}")
        )

    def log(self, level: str, summary: str) -> None:
        """Add a line to the log, and stop here if the search has been cancelled."""
        self._write(level, summary)
        if self._cancelled.is_set():
            raise CancelledSearch

    def _write(self, level: str, summary: str) -> None:
        self._logs.append({"level": level, "summary": summary, "timestamp": now()})

    def start(self, *, fail: str | None = None, stall: bool = False) -> None:
        """Run the search in the background; `fail` ends it with that line, `stall` leaves it running."""
        threading.Thread(target=self._run, args=(fail, stall), name=f"search {self.request_id}", daemon=True).start()

    def _run(self, fail: str | None, stall: bool) -> None:
        begun = time.monotonic()
        try:
            self.log(*self._begun)
            if stall:
                self.stalled = True
                self._cancelled.wait()
            records = self._work(self)
            self.log("debug", "Saving results")
            if fail is not None:
                raise AuroraxError(fail)
            body = json.dumps({"result": records}).encode()
            if len(body) > MOST_BYTES:
                raise AuroraxError(
                    f"sandbox: the result is larger than {MOST_BYTES // 2**20} MB; ask for a shorter window"
                )
            self.log("info", "Search completed")
            self.log("debug", f"File size is {len(body)} bytes.")
        except CancelledSearch:
            self._end(begun, "error", "Search was cancelled")
        except Exception as error:
            # a search that ended without a word would be waited for for ever
            self._end(begun, "error", str(error) or type(error).__name__)
        else:
            seconds = time.monotonic() - begun
            words = f"Finished search in {seconds:.2f} seconds and found {len(records)} records."
            self._end(begun, "info", words, body, len(records))

    def _end(self, begun: float, level: str, summary: str, body: bytes | None = None, count: int = 0) -> None:
        self._write(level, summary)
        self.body = body
        # a failed one has an address of data too, as clients that wait for one alone need it
        self._result = {
            **self._result,
            "completed_timestamp": now(),
            "data_uri": f"/api/v1/{self.path}/requests/{self.request_id}/data",
            "error_condition": body is None,
            "file_size": len(body or b""),
            "query_duration": round(1000 * (time.monotonic() - begun)),
            "result_count": count,
        }
        # whoever waits for the end sees all of it
        self._ended.set()

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        return {"search_request": self._request, "search_result": self._result, "logs": list(self._logs)}

    def stop(self) -> None:
        """Let it end at its next line of the log."""
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, as long as that."""
        self._ended.wait(seconds)

    def cancel(self) -> None:
        """Stop it, and wait until it has."""
        self.stop()
        self.wait(10)

    def delete_data(self) -> None:
        """Forget the result."""
        self.body = None
        self._result = {**self._result, "data_uri": None, "result_file_deleted_timestamp": now()}


class Jobs:
    """The searches at hand: the newest `MOST_JOBS`, and no more than `MOST_BYTES` of results."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], Job] = {}
        self._lock = threading.Lock()

    def add(self, job: Job) -> bool:
        """Keep a search, and let the oldest go; return whether its id is new."""
        with self._lock:
            if (job.path, job.request_id) in self._jobs:
                return False
            self._jobs[job.path, job.request_id] = job
            held = sum(len(each.body or b"") for each in self._jobs.values())
            for key, oldest in list(self._jobs.items())[:-1]:
                if len(self._jobs) <= MOST_JOBS and held <= MOST_BYTES:
                    break
                held -= len(oldest.body or b"")
                oldest.stop()
                del self._jobs[key]
            return True

    def get(self, path: str, request_id: str) -> Job | None:
        """Return a search that is at hand."""
        with self._lock:
            return self._jobs.get((path, request_id))

    def values(self) -> list[Job]:
        """Return all of them, the oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def stop(self) -> None:
        """Stop all of them, and wait a moment for those that end."""
        deadline = time.monotonic() + _LAST_MOMENT
        for job in self.values():
            job.stop()
        for job in self.values():
            job.wait(max(deadline - time.monotonic(), 0))
