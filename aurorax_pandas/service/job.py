"""The lifecycle that all searches on the service share: submit, wait, download, cancel, and read again."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, Unpack

import msgspec

from aurorax_pandas.checks import flag
from aurorax_pandas.exceptions import (
    AuroraxAPIError,
    AuroraxDataError,
    AuroraxError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxStateError,
    AuroraxTimeoutError,
)
from aurorax_pandas.options import check_request_id
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.deadline import Deadline, Timeout, deadline_of
from aurorax_pandas.service.download import ReadOptions, download_records
from aurorax_pandas.service.html_table import search_table
from aurorax_pandas.service.polling import pauses, telling_bar
from aurorax_pandas.service.status import (
    decode_status,
    failure_in,
    log_lines,
    one_line,
    query_part,
    result_part,
    tell_new_lines,
    unknown_state,
    with_query,
)
from aurorax_pandas.service.submission import submit
from aurorax_pandas.signatures import HOW_IT_GOES, meeting

logger = logging.getLogger("aurorax_pandas")

_UNKNOWN_STATES: Final = 5
_Result = TypeVar("_Result")

_waiting = meeting(
    poll_interval="give it to the search itself, as ConjunctionSearch(..., poll_interval=5)", verbose=HOW_IT_GOES
)


class Search(ABC, Generic[_Result]):
    """
    One search on the service; what its result is, a subclass says.

    Parameters
    ----------
    query : dict
        What to send, checked; empty for a `request_id`.
    connection : Connection
        The service, and how it is asked.
    request_id : str, optional
        A search that was run before.
    """

    #: Name of the kind of search in paths of the service, and of the reader that reads one again.
    path: ClassVar[str]
    reader: ClassVar[str]
    response_format: ClassVar[dict[str, Any]]
    #: Options that say how the result is read.
    read_options: ClassVar[frozenset[str]] = frozenset()

    # a search whose arguments are refused is shown in tracebacks too
    request_id: str = ""
    executed: bool = False
    completed: bool = False

    def __init__(self, query: dict[str, Any], connection: Connection, request_id: str | None = None) -> None:
        self.query: dict[str, Any] = query
        self.request_id = "" if request_id is None else check_request_id(request_id, connection.api_url)
        self._connection = connection
        self._submitting = threading.Lock()
        self._transport = connection.transport()
        self.executed = bool(self.request_id)
        self.status: dict[str, Any] = {}
        self._lines_told = 0
        self.data: _Result | None = None

    @abstractmethod
    def _decode(self, items: list[msgspec.Raw], **options: Unpack[ReadOptions]) -> _Result:
        """Make the result of its records."""

    @abstractmethod
    def _read_query(self, found: dict[str, Any]) -> dict[str, Any]:
        """Read a query that the service holds."""

    def _check(self, deadline: Deadline) -> None:
        """Check what only the service can tell, before anything is submitted."""

    def _check_options(self, **options: Unpack[ReadOptions]) -> None:
        """Check how the result is to be read, before anything is sent."""
        for name in options.keys() - self.read_options:
            allowed = " and ".join(["timeout", *sorted(self.read_options)])
            raise TypeError(f"{type(self).__name__} takes no option {name!r} to read its result; it takes {allowed}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(executed={self.executed}, completed={self.completed}, "
            f"request_id={self.request_id!r})"
        )

    def _repr_html_(self) -> str:
        return search_table(self)

    @property
    def request_url(self) -> str:
        """Address of the search on the service; empty before `execute`."""
        return self._transport.api_url + self._path() if self.request_id else ""

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Log lines of the service as last read: ``level``, ``summary``, ``timestamp``."""
        return log_lines(self.status)

    @property
    def _result(self) -> dict[str, Any]:
        return result_part(self.status)

    def _path(self, below: str = "") -> str:
        return f"/api/v1/{self.path}/requests/{self.request_id}{below}"

    def _need(self, verb: str, *, completed: bool = False) -> None:
        if not self.executed:
            raise AuroraxStateError(f"{verb}() needs a search that has been submitted; call execute() first")
        if completed and not self.completed:
            raise AuroraxStateError(
                f"{verb}() needs a search that has finished; call wait() first", request_id=self.request_id
            )

    def _deadline(self, timeout: Timeout) -> Deadline:
        return deadline_of(timeout, self._connection.clock)

    def execute(self, *, timeout: Timeout = 60, request_id: str | None = None) -> None:
        """
        Submit the search.

        Parameters
        ----------
        timeout : float, str or pandas.Timedelta, default 60
            Seconds, or a span of time, after which to give up; None for no limit.
        request_id : str, optional
            An identifier of your choice, never used before. With one, a submit whose answer was lost is repeated: the
            service takes it once. Without one the service chooses it, and a submit that it may have taken is
            not repeated, so that no second job arises.

        Raises
        ------
        AuroraxStateError
            If it has been submitted before.
        AuroraxInputError
            If it names what the service does not have.
        AuroraxAPIError
            If the service does not take it.
        """
        with self._submitting:
            self._submit(self._deadline(timeout), request_id)

    def _submit(self, deadline: Deadline, request_id: str | None) -> None:
        if self.executed:
            raise AuroraxStateError("the search has been submitted already", request_id=self.request_id)
        chosen = None if request_id is None else check_request_id(request_id, self._transport.api_url)
        self._check(deadline)
        window = f"{self.query['start']} to {self.query['end']} UTC"
        logger.info("%s from %s at %s", type(self).__name__, window, self._transport.api_url)
        self.request_id = submit(self._transport, self.path, self.query, deadline, chosen)
        self.executed = True
        logger.info("%s submitted, request_id %s, %s", type(self).__name__, self.request_id, self.request_url)

    def update_status(self, *, timeout: Timeout = 60) -> None:
        """
        Read the status and the log lines.

        Raises
        ------
        AuroraxStateError
            If the search has not been submitted.
        AuroraxSearchError
            If the search failed on the service; the message holds its error lines.
        AuroraxNotFoundError
            If the service does not know it, or has deleted its result.
        """
        self._need("update_status")
        answer = self._transport.call("GET", self._path(), deadline=self._deadline(timeout), request_id=self.request_id)
        self.status = decode_status(answer.body, self.request_id, self._transport.mask)
        self._lines_told = tell_new_lines(self.request_id, self.status, self._lines_told)
        if not self.query:
            self.query = self._query_on_service()
        failure = failure_in(self.status, self.request_id, self.query)
        if failure is not None:
            raise failure
        self.completed = self._result.get("data_uri") is not None

    def _query_on_service(self) -> dict[str, Any]:
        found = query_part(self.status)
        if found is None:
            return {}
        try:
            return self._read_query(found)
        except AuroraxInputError:
            # another client's query may hold what we would not send; it is kept as it is
            return found

    def check_for_data(self, *, timeout: Timeout = 60) -> bool:
        """Read the status and return whether the result can be downloaded; raises what `update_status` raises."""
        self.update_status(timeout=timeout)
        return self.completed

    @_waiting
    def wait(self, *, timeout: Timeout = 3600, progress: bool = False) -> None:
        """
        Wait until the result can be downloaded.

        Parameters
        ----------
        timeout : float, str or pandas.Timedelta, default 3600
            Seconds, or a span of time, after which to give up waiting; None for no limit. The search goes on.
        progress : bool, default False
            Whether to show a bar with the time and the service's latest log line.

        Raises
        ------
        AuroraxTimeoutError
            If the deadline passes; read the result later by ``request_id``.
        AuroraxSearchError, AuroraxNotFoundError, AuroraxStateError
            As `update_status`.
        """
        self._need("wait")
        deadline = self._deadline(timeout)
        waits = pauses(self._connection.poll_interval)
        strange = 0
        with self._telling(), telling_bar(self.request_id, shown=progress) as tell:
            while True:
                error = self._update_status_in_time(deadline)
                if self.logs:
                    tell(one_line(self.logs[-1].get("summary", "")))
                if self.completed:
                    return
                running = "data_uri" in self._result and self._result.get("completed_timestamp") is None
                strange = 0 if error is None and running else strange + 1
                if strange >= _UNKNOWN_STATES:
                    raise error or unknown_state(self.status, self.request_id)
                if deadline.remaining() <= 0:
                    raise self._too_late(deadline)
                self._connection.sleep(deadline.clip(next(waits)))

    def _update_status_in_time(self, deadline: Deadline) -> AuroraxDataError | None:
        """Read the status; a damaged one is given back, since the next may be sound."""
        try:
            self.update_status(timeout=deadline)
        except AuroraxTimeoutError as error:
            raise self._too_late(deadline, error.reason) from error
        except AuroraxDataError as error:
            return error
        return None

    def _too_late(self, deadline: Deadline, reason: str = "") -> AuroraxTimeoutError:
        last = f" (last: {reason})" if reason else ""
        missed = f"search {self.request_id} had no result within timeout={deadline.timeout} s and goes on{last}"
        again = f"{missed}; {self._again()}"
        return AuroraxTimeoutError(again, request_id=self.request_id, retryable=True, reason=reason)

    def _again(self) -> str:
        known = f"request_id={self.request_id!r}, api_url={self._transport.api_url!r}"
        return f"read it later with aurorax_pandas.{self.reader}({known})"

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Make errors say which search they are of and how to read it again: it may have taken hours."""
        try:
            yield
        except AuroraxNotFoundError as error:
            with_query(error, self.query)
            raise
        except (AuroraxAPIError, AuroraxDataError) as error:
            error.request_id = self.request_id
            error.error_code = self._transport.mask(error.error_code)
            message, again = self._transport.mask(str(error)), self._again()
            error.args = (message if again in message else f"{message}; {again}",)
            raise

    def get_data(self, *, timeout: Timeout = 3600, **options: Unpack[ReadOptions]) -> _Result:
        """
        Download the result; it is also in ``data``.

        Parameters
        ----------
        timeout : float, str or pandas.Timedelta, default 3600
            Seconds, or a span of time, after which to give up; None for no limit.
        **options
            How to read it, as the subclass says.

        Raises
        ------
        AuroraxStateError
            If the search has not finished; call `wait` first.
        AuroraxDataError
            If the result is damaged, or is not as long as the service says; with ``on_bad_records="drop"`` a warning
            tells of records that are missing.
        AuroraxInputError, TypeError
            If an option is not valid, or not one of this search; nothing is sent then.
        """
        self._check_options(**options)
        self._need("get_data", completed=True)
        deadline = self._deadline(timeout)
        with self._telling():
            try:
                items = download_records(
                    self._transport,
                    self._path("/data"),
                    self.response_format,
                    deadline=deadline,
                    announced=self._result.get("result_count"),
                    file_size=self._result.get("file_size"),
                    request_id=self.request_id,
                    sleep=self._connection.sleep,
                    exact=options.get("on_bad_records", "raise") == "raise",
                )
            except AuroraxTimeoutError as error:
                raise self._too_late(deadline, error.reason) from error
            self.data = self._decode(items, **options)
        return self.data

    @_waiting
    def run(
        self,
        timeout: Timeout = 3600,
        *,
        progress: bool = False,
        cancel_on_interrupt: bool = False,
        request_id: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> _Result:
        """
        Do all steps that are still to do: `execute`, `wait`, `get_data`, within one deadline.

        Parameters
        ----------
        timeout : float, str or pandas.Timedelta, default 3600
            Seconds, or a span of time, for all of it; None for no limit.
        progress : bool, default False
            Whether to show a bar.
        cancel_on_interrupt : bool, default False
            Whether Ctrl-C cancels the search on the service; by default it goes on, and its id is logged.
        request_id : str, optional
            An identifier of your choice; see `execute`.
        **options
            How to read the result; see `get_data`.

        Raises
        ------
        AuroraxStateError
            If it has been submitted, by another identifier than `request_id`.
        """
        self._check_options(**options)
        flag("cancel_on_interrupt", cancel_on_interrupt)
        if request_id is not None and self.executed:
            chosen = check_request_id(request_id, self._transport.api_url)
            if chosen != self.request_id:
                raise AuroraxStateError(
                    f"request_id={request_id!r} comes too late, this search has been submitted as {self.request_id}; "
                    "leave request_id= out, or make a new search",
                    request_id=self.request_id,
                )
        deadline = self._deadline(timeout)
        try:
            if not self.executed:
                if request_id is None and cancel_on_interrupt:
                    # an interrupted submit can be cancelled only by an id that is known
                    request_id = str(uuid.uuid4())
                self.execute(timeout=deadline, request_id=request_id)
            self.wait(timeout=deadline, progress=progress)
            return self.get_data(timeout=deadline, **options)
        except KeyboardInterrupt:
            if cancel_on_interrupt and request_id is not None and not self.executed:
                # the service may have it, though its answer is not here
                self.request_id, self.executed = request_id, True
            self.interrupted(cancel_on_interrupt)
            raise

    def interrupted(self, cancel: bool) -> None:
        """Say in the log how to read the search later, or cancel it."""
        if not self.executed:
            return
        if cancel:
            with contextlib.suppress(AuroraxError):
                self.cancel(timeout=10)
                logger.warning("interrupted; search %s is cancelled", self.request_id)
                return
        logger.warning("interrupted; search %s goes on: %s", self.request_id, self._again())

    @meeting(
        wait="the service answers when it has stopped the search",
        poll_interval="the service answers at once, leave it out",
        verbose="leave it out",
    )
    def cancel(self, *, timeout: Timeout = 60) -> None:
        """
        Stop the search on the service; one that had finished loses its result there.

        Raises
        ------
        AuroraxStateError
            If the search has not been submitted.
        """
        self._need("cancel")
        self._transport.call("DELETE", self._path(), deadline=self._deadline(timeout), request_id=self.request_id)
        self.completed = False

    def close(self) -> None:
        """Close the connections; the search on the service is not touched."""
        self._transport.close()
