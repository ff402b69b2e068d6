"""The lifecycle of one search: submit, wait, download, cancel; and reading one that was run before."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, Self

import msgspec
import pandas as pd

from aurorax_pandas import criteria, model, provenance, records
from aurorax_pandas.exceptions import (
    AuroraxAPIError,
    AuroraxDataError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxSearchError,
    AuroraxStateError,
    AuroraxTimeoutError,
)
from aurorax_pandas.options import DEFAULT_API_URL, get_option
from aurorax_pandas.transport import Deadline, Transport, seconds_of

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger("aurorax_pandas")

Timeout = float | str | pd.Timedelta | Deadline | None

FIRST_PAUSE: Final = 0.1
MAX_POLL_INTERVAL: Final = 15.0
_UNKNOWN_STATES: Final = 5

_SOURCE_FORMAT: Final = dict.fromkeys(model.SOURCE_FIELDS, True)
#: The fields that a conjunctions frame holds; asking for these alone spares most of the bytes.
RESPONSE_FORMAT: Final[dict[str, Any]] = {
    **dict.fromkeys(model.CONJUNCTION_COLUMNS, True),
    "data_sources": _SOURCE_FORMAT,
    "events": {
        "e1_source": _SOURCE_FORMAT,
        "e2_source": _SOURCE_FORMAT,
        **dict.fromkeys(("conjunction_type", "start", "end", "min_distance", "max_distance"), True),
    },
}


class ConjunctionSearch:
    """
    One conjunction search on the service, step by step.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window of the search, inclusive, UTC; an aware value is converted. A text that names a whole day, month or
        year as `end` means its last second.
    distance : float or dict
        Largest distance [km] for every pair of criteria blocks, or a dict of pairs (``"ground1-space1"``), where
        None and a missing pair mean no limit.
    ground, space, events, custom_locations : criteria block, dict, or sequence of them
        Who takes part; 2 to 10 blocks in all.
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, default ("nbtrace",)
        Which locations are compared.
    subminute_precision : bool, optional
        Whether epochs every 30 s are searched.
    query : dict, str or pathlib.Path, optional
        A finished query in place of all the above: a dict, its JSON text, or a file.
    request_id : str, optional
        A search that was run before, by anyone, in place of all the above; its address works too.
    api_url, api_key : str, optional
        Service and key; by default those of `set_options`, the environment, or ``https://api.aurorax.space``
        without a key.
    poll_interval : float, default 1.0
        Seconds between questions for the status; the first come sooner, later ones up to 15 s apart.
    clock, sleep : callable, optional
        Sources of time, for tests.

    Attributes
    ----------
    query : dict
        What is, or was, sent; empty for a `request_id` whose status has not been read.
    request_id, request_url : str
        Identifier and address on the service; empty before `execute`.
    executed, completed : bool
        Whether it has been submitted; whether its result can be downloaded.
    status : dict
        The service's status document as last read.
    logs : list of dict
        The service's log lines in it.
    data : pandas.DataFrame or None
        The result, once downloaded.

    Raises
    ------
    AuroraxInputError
        If an argument cannot be used; nothing is sent then.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url:
    ...     s = aurorax_pandas.ConjunctionSearch(
    ...         "2020-01-01", "2020-01-01T06:59:59", 500,
    ...         ground=[{"programs": ["themis-asi"]}], space=[{"programs": ["swarm"]}], api_url=url)
    ...     s.execute()
    ...     s.wait()
    ...     len(s.get_data())
    49
    """

    def __init__(
        self,
        start: Any = None,
        end: Any = None,
        distance: float | Mapping[str, float | None] | None = None,
        *,
        ground: criteria.GroundBlocks = (),
        space: criteria.SpaceBlocks = (),
        events: criteria.EventsBlocks = (),
        custom_locations: criteria.CustomLocationsBlocks = (),
        conjunction_types: str | Sequence[str] = ("nbtrace",),
        subminute_precision: bool | None = None,
        query: Mapping[str, Any] | str | Path | None = None,
        request_id: str | None = None,
        api_url: str | None = None,
        api_key: str | None = None,
        poll_interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        window = {"start": start, "end": end, "distance": distance}
        blocks = {"ground": ground, "space": space, "events": events, "custom_locations": custom_locations}
        given = [name for name, value in (window | blocks).items() if value is not None and value != ()]
        self.query: dict[str, Any] = {}
        self.request_id = ""
        if (query is not None) + (request_id is not None) + bool(given) != 1:
            raise AuroraxInputError(
                "give exactly one of: start, end, distance and criteria blocks; query=; request_id="
                f" (given: {', '.join([*given, *(['query'] * (query is not None)), *(['request_id'] * (request_id is not None))]) or 'none'})"
            )
        if query is not None:
            self.query = criteria.parse_query(query)
        elif request_id is not None:
            self.request_id = _check_request_id(request_id)
        else:
            self.query = criteria.build_query(
                start,
                end,
                distance,
                **blocks,
                conjunction_types=conjunction_types,
                subminute_precision=subminute_precision,
            )
        self._poll_interval = seconds_of("poll_interval", poll_interval) or 1.0
        self._clock = clock
        self._sleep = sleep
        self._transport = Transport(
            get_option("api_url", api_url) or DEFAULT_API_URL, get_option("api_key", api_key), sleep=sleep
        )
        self.executed = bool(self.request_id)
        self.completed = False
        self.status: dict[str, Any] = {}
        self.data: pd.DataFrame | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"ConjunctionSearch(executed={self.executed}, completed={self.completed}, request_id={self.request_id!r})"
        )

    def _repr_html_(self) -> str:
        shown = {
            "executed": self.executed,
            "completed": self.completed,
            "request": self.request_url,
            "window": " to ".join(str(self.query[name]) for name in ("start", "end") if name in self.query),
            "max_distances [km]": str(self.query.get("max_distances", "")),
            "last log line": self.logs[-1].get("summary", "") if self.logs else "",
            "rows": "" if self.data is None else len(self.data),
        }
        table = pd.DataFrame({"ConjunctionSearch": shown.values()}, index=list(shown))
        return str(table.to_html(render_links=True))

    @property
    def request_url(self) -> str:
        """Address of the search on the service; empty before `execute`."""
        return self._transport.api_url + self._path() if self.request_id else ""

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Log lines of the service as last read: ``level``, ``summary``, ``timestamp``."""
        logs = self.status.get("logs")
        return logs if isinstance(logs, list) else []

    @property
    def _result(self) -> dict[str, Any]:
        result = self.status.get("search_result")
        return result if isinstance(result, dict) else {}

    def _path(self, below: str = "") -> str:
        return f"/api/v1/conjunctions/requests/{self.request_id}{below}"

    def _need(self, verb: str, *, executed: bool = False, completed: bool = False) -> None:
        if executed and not self.executed:
            raise AuroraxStateError(f"{verb}() needs a search that has been submitted; call execute() first")
        if completed and not self.completed:
            raise AuroraxStateError(
                f"{verb}() needs a search that has finished; call wait() first", request_id=self.request_id
            )

    def _deadline(self, timeout: Timeout) -> Deadline:
        return timeout if isinstance(timeout, Deadline) else Deadline(timeout, self._clock)

    def execute(self, *, timeout: Timeout = 60) -> None:
        """
        Submit the search.

        Parameters
        ----------
        timeout : float, str or pandas.Timedelta, default 60
            Seconds, or a span of time, after which to give up; None for no limit.

        Raises
        ------
        AuroraxStateError
            If it has been submitted before.
        AuroraxAPIError
            If the service does not take it.
        """
        if self.executed:
            raise AuroraxStateError("the search has been submitted already", request_id=self.request_id)
        logger.info("conjunction search from %s to %s UTC", self.query["start"], self.query["end"])
        # a second submit would start a second job, so only what the service cannot have taken is sent again
        answer = self._transport.call(
            "POST",
            "/api/v1/conjunctions/search",
            payload=self.query,
            deadline=self._deadline(timeout),
            repeatable=False,
        )
        location = next((value for name, value in answer.headers.items() if name.lower() == "location"), "")
        request_id = location.rstrip("/").rpartition("/")[2]
        if answer.status_code != 202 or not _REQUEST_ID.fullmatch(request_id):
            raise AuroraxAPIError(
                f"the service did not take the search: status {answer.status_code}, location {location!r}",
                status_code=answer.status_code,
            )
        self.request_id = request_id
        self.executed = True
        logger.info("conjunction search submitted, request_id %s", request_id)

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
        self._need("update_status", executed=True)
        answer = self._transport.call("GET", self._path(), deadline=self._deadline(timeout), request_id=self.request_id)
        try:
            self.status = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise AuroraxDataError(
                f"the status of search {self.request_id} is no JSON object: {error}", request_id=self.request_id
            ) from None
        if not self.query:
            self.query = self._query_on_service()
        result = self._result
        if result.get("error_condition"):
            lines = [str(line.get("summary")) for line in self.logs if line.get("level") == "error"]
            raise AuroraxSearchError(
                f"search {self.request_id} failed on the service: {'; '.join(lines) or 'no reason given'}",
                request_id=self.request_id,
            )
        if result.get("result_file_deleted_timestamp"):
            raise AuroraxNotFoundError(
                f"the result of search {self.request_id} was deleted at {result['result_file_deleted_timestamp']}; "
                "run the search again, its query is in .query",
                request_id=self.request_id,
            )
        self.completed = result.get("data_uri") is not None

    def _query_on_service(self) -> dict[str, Any]:
        request = self.status.get("search_request")
        found = request.get("query") if isinstance(request, dict) else None
        if not isinstance(found, dict):
            return {}
        try:
            return criteria.parse_query(found)
        except AuroraxInputError:
            # another client's query may hold what we would not send; it is kept as it is
            return found

    def check_for_data(self, *, timeout: Timeout = 60) -> bool:
        """
        Read the status and tell whether the result can be downloaded; raises what `update_status` raises.

        Returns
        -------
        bool
            The same as ``completed``.
        """
        self._need("check_for_data", executed=True)
        self.update_status(timeout=timeout)
        return self.completed

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
        self._need("wait", executed=True)
        deadline = self._deadline(timeout)
        pauses = self._pauses()
        strange = 0
        with _bar(self.request_id) if progress else contextlib.nullcontext() as bar:
            while True:
                self.update_status(timeout=deadline)
                if bar is not None and self.logs:
                    bar.set_description_str(str(self.logs[-1].get("summary", ""))[:100])
                if self.completed:
                    return
                strange = 0 if self._is_running() else strange + 1
                if strange >= _UNKNOWN_STATES:
                    raise AuroraxDataError(
                        f"search {self.request_id} is in no known state: search_result is {self._result!r}",
                        request_id=self.request_id,
                    )
                pause = next(pauses)
                if deadline.remaining() <= pause:
                    raise self._too_late(deadline)
                self._sleep(pause)

    def _pauses(self) -> Iterator[float]:
        # many searches take a fraction of a second, some take many minutes
        pause = min(FIRST_PAUSE, self._poll_interval)
        while True:
            yield pause
            pause = min(pause * 2, self._poll_interval) if pause < self._poll_interval else pause * 1.5
            pause = min(pause, max(MAX_POLL_INTERVAL, self._poll_interval))

    def _is_running(self) -> bool:
        result = self._result
        return "data_uri" in result and result.get("completed_timestamp") is None

    def _too_late(self, deadline: Deadline) -> AuroraxTimeoutError:
        return AuroraxTimeoutError(
            f"search {self.request_id} had no result within timeout={deadline.timeout} s and goes on; read it later "
            f"with aurorax_pandas.read_aurorax_conjunctions(request_id={self.request_id!r}, "
            f"api_url={self._transport.api_url!r})",
            request_id=self.request_id,
            retryable=True,
        )

    def get_data(self, *, on_bad_records: Literal["raise", "drop"] = "raise", timeout: Timeout = 3600) -> pd.DataFrame:
        """
        Download the result.

        Parameters
        ----------
        on_bad_records : {"raise", "drop"}, default "raise"
            What to do with records that break the schema; see `conjunctions_from_records`.
        timeout : float, str or pandas.Timedelta, default 3600
            Seconds, or a span of time, after which to give up; None for no limit.

        Returns
        -------
        pandas.DataFrame
            The conjunctions, also in ``data``: distances in [km], times in UTC.

        Raises
        ------
        AuroraxStateError
            If the search has not finished; call `wait` first.
        AuroraxDataError
            If the result is damaged, or is not as long as the service says.
        """
        self._need("get_data", executed=True, completed=True)
        body = self._download(self._deadline(timeout))
        announced = self._result.get("result_count")
        if isinstance(announced, int) and (found := records.count_records(body)) != announced:
            raise AuroraxDataError(
                f"the result of search {self.request_id} holds {found} records, the service announced {announced}; "
                "read it again",
                request_id=self.request_id,
                retryable=True,
            )
        frame = records.conjunctions_from_records(body, on_bad_records=on_bad_records)
        frame.attrs[provenance.KEY] = provenance.make_provenance(
            request_ids=[self.request_id], query=self.query, api_url=self._transport.api_url
        )
        self.data = frame
        return frame

    def _download(self, deadline: Deadline) -> bytes:
        path = self._path("/data")
        try:
            answer = self._transport.call(
                "POST", path, payload=RESPONSE_FORMAT, deadline=deadline, request_id=self.request_id
            )
        except AuroraxAPIError as error:
            if error.status_code not in (400, 405, 415, 422, 501):
                raise
            logger.info("the service takes no response format (%s); asking for all fields", error.status_code)
            answer = self._transport.call("GET", path, deadline=deadline, request_id=self.request_id)
        return answer.body

    def run(
        self,
        timeout: Timeout = 3600,
        *,
        progress: bool = False,
        on_bad_records: Literal["raise", "drop"] = "raise",
    ) -> pd.DataFrame:
        """
        Do all steps that are still to do: `execute`, `wait`, `get_data`, within one deadline.

        Returns
        -------
        pandas.DataFrame
            The conjunctions, as from `get_data`.
        """
        if on_bad_records not in ("raise", "drop"):
            raise AuroraxInputError(f"on_bad_records={on_bad_records!r} is not valid; give 'raise' or 'drop'")
        deadline = self._deadline(timeout)
        if not self.executed:
            self.execute(timeout=deadline)
        self.wait(timeout=deadline, progress=progress)
        return self.get_data(on_bad_records=on_bad_records, timeout=deadline)

    def cancel(self, *, timeout: Timeout = 60) -> None:
        """
        Stop the search on the service; one that had finished loses its result there.

        Raises
        ------
        AuroraxStateError
            If the search has not been submitted.
        """
        self._need("cancel", executed=True)
        self._transport.call("DELETE", self._path(), deadline=self._deadline(timeout), request_id=self.request_id)
        self.completed = False

    def describe(self, *, timeout: Timeout = 60) -> str:
        """
        Ask the service for the query in its own words.

        Returns
        -------
        str
            A sentence: types, criteria blocks, window and distances [km].
        """
        if not self.query:
            self._need("describe", executed=True)
            self.update_status(timeout=timeout)
        answer = self._transport.call(
            "POST",
            "/api/v1/utils/describe/query/conjunction",
            payload=self.query,
            deadline=self._deadline(timeout),
        )
        try:
            sentences = msgspec.json.decode(answer.body, type=str | list[str])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AuroraxDataError(f"the service's description is no text: {error}") from None
        return sentences if isinstance(sentences, str) else "\n".join(sentences)

    def close(self) -> None:
        """Close the connections; the search on the service is not touched."""
        self._transport.close()


_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def _bar(description: str) -> tqdm[NoReturn]:
    from tqdm.auto import tqdm

    return tqdm(total=None, bar_format="{desc} [{elapsed}]", desc=description)


def _check_request_id(request_id: object) -> str:
    text = request_id.strip().rstrip("/").rpartition("/")[2] if isinstance(request_id, str) else ""
    if not _REQUEST_ID.fullmatch(text):
        raise AuroraxInputError(
            f"request_id={request_id!r} is not valid; give the identifier of a search, or its address"
        )
    return text
