"""A long search in windows: split, searched side by side, kept on disk, resumed and put together."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from aurorax_pandas import model, provenance
from aurorax_pandas.exceptions import (
    AuroraxAuthorizationError,
    AuroraxBulkError,
    AuroraxDataError,
    AuroraxError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxSearchError,
    AuroraxStateError,
    AuroraxTimeoutError,
)
from aurorax_pandas.export import load_conjunctions, to_parquet
from aurorax_pandas.search import ConjunctionSearch
from aurorax_pandas.transforms.intervals import span
from aurorax_pandas.transforms.stitch import stitch
from aurorax_pandas.transport import Deadline

logger = logging.getLogger("aurorax_pandas")

#: Windows whose search fails are searched this often in all, each time by a new search.
ATTEMPTS: Final = 3
_MANIFEST: Final = "search.json"
_SECOND: Final = pd.Timedelta("1s")


@dataclass(frozen=True)
class Part:
    """One window of a long search."""

    number: int
    start: str
    end: str


def split_window(start: str, end: str, chunk: pd.Timedelta, overlap: pd.Timedelta) -> list[Part]:
    """
    Split a window into parts of one length; each but the last reaches into the next by the overlap.

    Parameters
    ----------
    start, end : str
        The window, inclusive, in whole seconds, UTC.
    chunk, overlap : pandas.Timedelta
        Length of the parts, and of what two neighbours share.
    """
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    begins = list(pd.date_range(first, last, freq=chunk))
    return [
        Part(number, begin.isoformat(), min(begin + chunk - _SECOND + overlap, last).isoformat())
        for number, begin in enumerate(begins)
    ]


class Checkpoint:
    """
    A directory that keeps the finished parts of one search, and the ids of those that run.

    Parameters
    ----------
    directory : str or pathlib.Path
        Where; made where it is not there.
    query : dict
        The whole search.
    chunk, overlap : pandas.Timedelta
        How it is split.

    Raises
    ------
    AuroraxInputError
        If the directory holds another search, or something else.
    """

    def __init__(
        self, directory: str | Path, query: dict[str, Any], chunk: pd.Timedelta, overlap: pd.Timedelta
    ) -> None:
        self._directory = Path(directory)
        manifest = {
            "schema_version": model.SCHEMA_VERSION,
            "query": query,
            "chunk": chunk.isoformat(),
            "overlap": overlap.isoformat(),
        }
        path = self._directory / _MANIFEST
        if path.exists():
            if _read_json(path) != manifest:
                raise AuroraxInputError(
                    f"checkpoint={str(directory)!r} holds another search (see {_MANIFEST} in it); give another directory"
                )
        elif self._directory.exists() and any(self._directory.iterdir()):
            raise AuroraxInputError(
                f"checkpoint={str(directory)!r} is not empty and no checkpoint; give another directory"
            )
        else:
            try:
                self._directory.mkdir(parents=True, exist_ok=True)
                _write_json(path, manifest)
            except OSError as error:
                raise AuroraxInputError(f"checkpoint={str(directory)!r} cannot be written: {error}") from None

    def _path(self, part: Part, suffix: str) -> Path:
        return self._directory / f"part-{part.number:05d}{suffix}"

    def load(self, part: Part) -> pd.DataFrame | None:
        """Give a finished part; None where it is not there, or not whole."""
        path = self._path(part, ".parquet")
        if not path.exists():
            return None
        try:
            return load_conjunctions(path)
        except AuroraxDataError as error:
            logger.warning("%s; its window is searched again", error)
            return None

    def save(self, part: Part, df: pd.DataFrame) -> None:
        """Keep a finished part."""
        to_parquet(df, self._path(part, ".parquet"), overwrite=True)
        self.forget(part)

    def request_id(self, part: Part) -> str | None:
        """Give the id that a part was submitted with, None where it was not."""
        path = self._path(part, ".json")
        return _read_json(path).get("request_id") if path.exists() else None

    def remember(self, part: Part, request_id: str) -> None:
        """Keep the id of a part that is about to be submitted."""
        _write_json(self._path(part, ".json"), {"request_id": request_id, "start": part.start, "end": part.end})

    def forget(self, part: Part) -> None:
        """Forget the id of a part."""
        self._path(part, ".json").unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    beside.write_text(json.dumps(content, indent=1), encoding="utf-8")
    beside.replace(path)


def read_in_parts(
    query: dict[str, Any],
    *,
    chunk: str | pd.Timedelta | None,
    overlap: str | pd.Timedelta,
    max_workers: int,
    checkpoint: str | Path | None,
    timeout: Any,
    progress: bool,
    on_bad_records: Literal["raise", "drop"],
    cancel_on_interrupt: bool,
    **connection: Any,
) -> pd.DataFrame:
    """
    Run a search in windows; see `read_aurorax_conjunctions` for the arguments.

    Raises
    ------
    AuroraxBulkError
        If windows fail for good, after the others have been finished; it lists them.
    """
    if isinstance(max_workers, bool) or not isinstance(max_workers, int) or max_workers < 1:
        raise AuroraxInputError(f"max_workers={max_workers!r} is not valid; give a whole number above 0")
    whole = pd.Timestamp(query["end"]) - pd.Timestamp(query["start"]) + _SECOND
    length = whole if chunk is None else span("chunk", chunk).ceil("s")
    shared = span("overlap", overlap, zero=True).ceil("s")
    parts = split_window(query["start"], query["end"], length, shared)
    keeper = None if checkpoint is None else Checkpoint(checkpoint, query, length, shared)
    worker = _Worker(query, keeper, Deadline(timeout), on_bad_records, cancel_on_interrupt, connection)
    finished, failed = _search(parts, worker, max_workers, progress)
    frames = [finished[part] for part in parts if part in finished]
    df = _together(frames, query)
    if failed:
        raise _bulk_error(failed, df, len(parts), checkpoint)
    return df


class _Worker:
    """Searches parts; each by a connection of its own."""

    def __init__(
        self,
        query: dict[str, Any],
        checkpoint: Checkpoint | None,
        deadline: Deadline,
        on_bad_records: Literal["raise", "drop"],
        cancel_on_interrupt: bool,
        connection: dict[str, Any],
    ) -> None:
        self._query = query
        self._checkpoint = checkpoint
        self._deadline = deadline
        self._on_bad_records = on_bad_records
        self._cancel_on_interrupt = cancel_on_interrupt
        self._connection = connection
        self._running: dict[int, ConjunctionSearch] = {}
        self._stopped = threading.Event()

    def run(self, part: Part) -> pd.DataFrame:
        """Give the conjunctions of a part, from the checkpoint where it has them."""
        if self._checkpoint is not None and (kept := self._checkpoint.load(part)) is not None:
            return kept
        for attempt in range(1, ATTEMPTS + 1):
            try:
                df = self._search(part)
            except (AuroraxInputError, AuroraxAuthorizationError, AuroraxTimeoutError):
                raise
            except AuroraxError as error:
                if self._checkpoint is not None and isinstance(error, AuroraxSearchError | AuroraxNotFoundError):
                    self._checkpoint.forget(part)
                if attempt == ATTEMPTS or self._stopped.is_set():
                    raise
                logger.warning("window %s to %s: %s; searching it again", part.start, part.end, error)
            else:
                if self._checkpoint is not None:
                    self._checkpoint.save(part, df)
                return df
        raise AssertionError

    def _search(self, part: Part) -> pd.DataFrame:
        request_id = None if self._checkpoint is None else self._checkpoint.request_id(part)
        if request_id is not None:
            with ConjunctionSearch(request_id=request_id, sleep=self._sleep, **self._connection) as search:
                try:
                    return self._read(search, part, None)
                except AuroraxNotFoundError:
                    logger.info("search %s of a window is gone; it is run again", request_id)
        chosen = str(uuid.uuid4())
        if self._checkpoint is not None:
            self._checkpoint.remember(part, chosen)
        window = {**self._query, "start": part.start, "end": part.end}
        with ConjunctionSearch(query=window, sleep=self._sleep, **self._connection) as search:
            return self._read(search, part, chosen)

    def _read(self, search: ConjunctionSearch, part: Part, chosen: str | None) -> pd.DataFrame:
        self._running[part.number] = search
        try:
            df = search.run(self._deadline, request_id=chosen, on_bad_records=self._on_bad_records)
        finally:
            self._running.pop(part.number, None)
        found = df.attrs[provenance.KEY]
        found["windows"] = [{"request_id": search.request_id, "start": part.start, "end": part.end}]
        return df

    def _sleep(self, seconds: float) -> None:
        # a thread that waits for the service must not outlive the call
        if self._stopped.wait(seconds):
            raise AuroraxStateError("the search in windows was stopped")

    def stop(self) -> None:
        """Begin no further attempts; cancel what runs where that is wanted."""
        self._stopped.set()
        for search in list(self._running.values()):
            search.interrupted(self._cancel_on_interrupt)


def _search(
    parts: list[Part], worker: _Worker, max_workers: int, progress: bool
) -> tuple[dict[Part, pd.DataFrame], dict[Part, AuroraxError]]:
    finished: dict[Part, pd.DataFrame] = {}
    failed: dict[Part, AuroraxError] = {}
    pool = ThreadPoolExecutor(min(max_workers, len(parts)), thread_name_prefix="aurorax")
    waiting: dict[Future[pd.DataFrame], Part] = {pool.submit(worker.run, part): part for part in parts}
    try:
        for future in _as_completed(waiting, len(parts), progress):
            part = waiting[future]
            try:
                finished[part] = future.result()
            except AuroraxError as error:
                failed[part] = error
                # what one window is refused for, all are
                if isinstance(error, AuroraxInputError | AuroraxAuthorizationError):
                    raise
    except BaseException:
        worker.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return finished, failed


def _as_completed(
    waiting: dict[Future[pd.DataFrame], Part], total: int, progress: bool
) -> Iterator[Future[pd.DataFrame]]:
    from tqdm import tqdm

    pending = set(waiting)
    with tqdm(total=total, disable=not progress, unit="window") as bar:
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda future: waiting[future].number):
                bar.update()
                yield future


def _together(frames: list[pd.DataFrame], query: dict[str, Any]) -> pd.DataFrame:
    sources = [frame.attrs.get(provenance.KEY, {}) for frame in frames]
    for frame in frames:
        frame.attrs = {}
    step = pd.Timedelta("30s" if query.get("subminute_precision") else "1min")
    filled = [frame for frame in frames if len(frame)]
    df = stitch(pd.concat(filled, ignore_index=True), step) if filled else model.empty_conjunctions()
    found = provenance.make_provenance(
        request_ids=[name for source in sources for name in source.get("request_ids", ())],
        query=query,
        api_url=next((source["api_url"] for source in sources if source.get("api_url")), None),
    )
    found["windows"] = [window for source in sources for window in source.get("windows", ())]
    df.attrs[provenance.KEY] = found
    return df


def _bulk_error(
    failed: dict[Part, AuroraxError], df: pd.DataFrame, total: int, checkpoint: str | Path | None
) -> AuroraxBulkError:
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
