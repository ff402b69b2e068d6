"""A long search in windows: split, searched side by side and put together."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from aurorax_pandas.checks import whole_number
from aurorax_pandas.exceptions import (
    AuroraxAuthorizationError,
    AuroraxBulkError,
    AuroraxDataError,
    AuroraxError,
    AuroraxFileError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxSearchError,
    AuroraxTimeoutError,
)
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.records import check_on_bad_records
from aurorax_pandas.frame.stitch import stitch
from aurorax_pandas.io.data_set import provenance_of_windows
from aurorax_pandas.options import service_of
from aurorax_pandas.query.query import Query
from aurorax_pandas.query.windows import Part, chunk_to_text, read_chunk, windows_of
from aurorax_pandas.service import catalogue
from aurorax_pandas.service.checkpoint import Checkpoint
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.deadline import Deadline, Timeout, deadline_of
from aurorax_pandas.service.progress import progress_bar
from aurorax_pandas.service.search import ConjunctionSearch
from aurorax_pandas.service.workers import Workers
from aurorax_pandas.times import Span, span

logger = logging.getLogger("aurorax_pandas")

#: Windows whose search fails are searched this often in all, each time by a new search.
ATTEMPTS: Final = 3
#: What the whole search is refused for: what one window meets, all do.
_OF_ALL: Final = (AuroraxInputError, AuroraxAuthorizationError, AuroraxFileError)


def read_in_parts(
    query: Query,
    connection: Connection,
    *,
    chunk: Span | None,
    overlap: Span,
    max_workers: int,
    checkpoint: str | Path | None,
    timeout: Timeout,
    progress: bool,
    on_bad_records: Literal["raise", "drop"],
    cancel_on_interrupt: bool,
    continuous: bool = False,
) -> pd.DataFrame:
    """
    Run a search in windows; see `read_aurorax_conjunctions` for the arguments.

    Raises
    ------
    AuroraxInputError
        If `chunk` or `overlap` is no span of time that can be used, `max_workers` no whole number above 0, or the
        folder of `checkpoint` holds something else; nothing is sent or written then.
    AuroraxFileError
        If the folder cannot be written to.
    AuroraxTimeoutError
        If the deadline is all that windows fail for, or another process works in the folder until then.
    AuroraxBulkError
        If windows fail for good, after the others have been finished; it lists them.
    """
    whole_number("max_workers", max_workers)
    length = read_chunk(chunk, query.start, query.end)
    shared = span("overlap", overlap, zero=True).ceil("s")
    parts = windows_of([(query.start, query.end)], length, shared)
    check_on_bad_records(on_bad_records)
    deadline = deadline_of(timeout)
    workers = Workers(cancel_on_interrupt)
    if checkpoint is None:
        if connection.check_names:
            _check_names(query, connection, deadline)
        # what the windows name is looked up once, for all of them
        connection = replace(connection, check_names=False)
        reader = _Reader(query, None, deadline, on_bad_records, workers, connection)
        finished, failed = _search(parts, {}, reader, workers, max_workers, progress)
        return _result(parts, finished, failed, query, deadline, None)
    search = {
        "query": {name: value for name, value in query.payload.items() if name not in ("start", "end")},
        "chunk": chunk_to_text(length),
        "overlap": shared.isoformat(),
        "service": service_of(connection.api_url),
        "on_bad_records": on_bad_records,
        # its rows are not the result yet, which the folder must say
        **({"continuous": True} if continuous else {}),
    }
    keeper = Checkpoint(checkpoint, search, query.start, query.end)
    if keeper.is_new and connection.check_names:
        _check_names(query, connection, deadline)
    connection = replace(connection, check_names=False)
    keeper.begin(deadline, connection.sleep)
    try:
        # a search that has grown has windows of its own
        parts = keeper.manifest.windows()
        kept = _finished_parts(parts, keeper, workers, max_workers)
        keeper.take_up(kept, provenance.step_of_query(query.payload))
        reader = _Reader(query, keeper, deadline, on_bad_records, workers, connection)
        finished, failed = _search(parts, kept, reader, workers, max_workers, progress)
    finally:
        keeper.release()
    return _result(parts, finished, failed, query, deadline, checkpoint)


def _check_names(query: Query, connection: Connection, deadline: Deadline) -> None:
    with connection.opened() as transport:
        catalogue.check_names(query.payload, transport, deadline)


def _finished_parts(parts: list[Part], keeper: Checkpoint, workers: Workers, count: int) -> dict[Part, pd.DataFrame]:
    """Return the parts that are finished already."""
    found = {}
    with workers:
        for part, result in workers.map(keeper.load, parts, count):
            if isinstance(result, AuroraxError):
                raise result
            if result is not None:
                found[part] = result
    return found


class _Reader:
    """Reads parts; each by a connection of its own."""

    def __init__(
        self,
        query: Query,
        checkpoint: Checkpoint | None,
        deadline: Deadline,
        on_bad_records: Literal["raise", "drop"],
        workers: Workers,
        connection: Connection,
    ) -> None:
        self._query = query
        self._checkpoint = checkpoint
        self._deadline = deadline
        self._on_bad_records: Literal["raise", "drop"] = on_bad_records
        self._workers = workers
        self._connection = replace(connection, sleep=workers.sleep)
        # by part the id of the search that may be running
        self._ids: dict[Part, str] = {}

    def run(self, part: Part) -> pd.DataFrame:
        """Return the conjunctions of a part."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                df = self._search(part)
            except (*_OF_ALL, AuroraxTimeoutError):
                raise
            except AuroraxError as error:
                # a record that breaks the schema does so each time
                damaged = isinstance(error, AuroraxDataError)
                lasting = damaged and not error.retryable
                # any other search may still run, and is read again
                if isinstance(error, AuroraxSearchError | AuroraxNotFoundError) or (damaged and not lasting):
                    self._forget(part)
                if lasting or attempt == ATTEMPTS or self._workers.stopped:
                    raise
                logger.warning("window %s to %s: %s; it is tried again", part.start, part.end, error)
            else:
                if self._checkpoint is not None:
                    self._checkpoint.save(part, df)
                return df
        raise AssertionError

    def finished(self, part: Part, df: pd.DataFrame) -> None:
        """Add a part to the data set, where there is one."""
        if self._checkpoint is not None:
            self._checkpoint.add(part, df)

    def _forget(self, part: Part) -> None:
        self._ids.pop(part, None)
        if self._checkpoint is not None:
            self._checkpoint.forget(part)

    def _search(self, part: Part) -> pd.DataFrame:
        request_id = self._ids.get(part) if self._checkpoint is None else self._checkpoint.request_id(part)
        if request_id is not None:
            with ConjunctionSearch.prepared(None, self._connection, request_id) as search:
                try:
                    return self._read(search, part, None)
                except AuroraxNotFoundError:
                    logger.info("search %s of a window is gone; it is run again", request_id)
        chosen = self._ids[part] = str(uuid.uuid4())
        if self._checkpoint is not None:
            self._checkpoint.remember(part, chosen)
        window = self._query.of_window(part.start, part.end)
        with ConjunctionSearch.prepared(window, self._connection) as search:
            return self._read(search, part, chosen)

    def _read(self, search: ConjunctionSearch, part: Part, chosen: str | None) -> pd.DataFrame:
        with self._workers.watching(search, chosen):
            df = search.run(self._deadline, request_id=chosen, on_bad_records=self._on_bad_records)
        found = df.attrs[provenance.KEY]
        found["windows"] = [{"request_id": search.request_id, "start": part.start, "end": part.end}]
        return df


def _search(
    parts: list[Part],
    kept: dict[Part, pd.DataFrame],
    reader: _Reader,
    workers: Workers,
    count: int,
    progress: bool,
) -> tuple[dict[Part, pd.DataFrame], dict[Part, AuroraxError]]:
    finished, failed = dict(kept), {}
    missing = [part for part in parts if part not in kept]
    bar = progress_bar(total=len(parts), initial=len(kept), disable=not progress, unit="window")
    with workers, bar:
        for part, result in workers.map(reader.run, missing, count):
            bar.update()
            if isinstance(result, _OF_ALL):
                raise result
            if isinstance(result, AuroraxError):
                failed[part] = result
            else:
                finished[part] = result
                reader.finished(part, result)
    return finished, failed


def _result(
    parts: list[Part],
    finished: dict[Part, pd.DataFrame],
    failed: dict[Part, AuroraxError],
    query: Query,
    deadline: Deadline,
    checkpoint: str | Path | None,
) -> pd.DataFrame:
    df = _stitched([finished[part] for part in parts if part in finished], query)
    if failed:
        error = _bulk_error(failed, df, len(parts), checkpoint)
        if all(isinstance(one, AuroraxTimeoutError) for one in failed.values()):
            raise _too_late(failed, len(parts), deadline, checkpoint) from error
        raise error
    return df


def _stitched(frames: list[pd.DataFrame], query: Query) -> pd.DataFrame:
    found = provenance_of_windows([frame.attrs for frame in frames], query.payload)
    for frame in frames:
        frame.attrs = {}
    filled = [frame for frame in frames if len(frame)]
    df = (
        stitch(pd.concat(filled, ignore_index=True), provenance.step_of_query(query.payload))
        if filled
        else model.empty_conjunctions()
    )
    df.attrs[provenance.KEY] = found
    return df


def _bulk_error(
    failed: dict[Part, AuroraxError], df: pd.DataFrame, total: int, checkpoint: str | Path | None
) -> AuroraxBulkError:
    failed = dict(sorted(failed.items(), key=lambda item: item[0].number))
    windows = pd.DataFrame(
        [(part.start, part.end, error.request_id, str(error)) for part, error in failed.items()],
        columns=["start", "end", "request_id", "error"],
    )
    kept = (
        f"the others are kept in {str(checkpoint)!r}: the same call asks for what is missing"
        if checkpoint is not None
        else "the others are in .data of this error; checkpoint= would have kept them on disk"
    )
    shown = "; ".join(f"{part.start} to {part.end}: {error}" for part, error in list(failed.items())[:3])
    return AuroraxBulkError(f"{len(failed)} of {total} windows failed ({shown}); {kept}", windows, df)


def _too_late(
    failed: dict[Part, AuroraxError], total: int, deadline: Deadline, checkpoint: str | Path | None
) -> AuroraxTimeoutError:
    kept = (
        f"the others are kept in {str(checkpoint)!r}: the same call goes on with what is missing"
        if checkpoint is not None
        else "the others are in .__cause__.data of this error; checkpoint= would have kept them on disk"
    )
    only = next(iter(failed.values())).request_id if len(failed) == 1 else None
    return AuroraxTimeoutError(
        f"{len(failed)} of {total} windows had no result within timeout={deadline.timeout} s; {kept}",
        request_id=only,
        retryable=True,
    )
