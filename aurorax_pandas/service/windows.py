"""A long search in windows: split, searched side by side, kept on disk, resumed and put together."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from aurorax_pandas.checks import whole_number
from aurorax_pandas.exceptions import (
    AuroraxAuthorizationError,
    AuroraxBulkError,
    AuroraxDataError,
    AuroraxError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxSearchError,
    AuroraxTimeoutError,
)
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.records import check_on_bad_records
from aurorax_pandas.frame.stitch import stitch
from aurorax_pandas.io import load_conjunctions, to_parquet
from aurorax_pandas.options import DEFAULT_API_URL, get_option, service_of
from aurorax_pandas.service import catalogue
from aurorax_pandas.service.progress import progress_bar
from aurorax_pandas.service.search import ConjunctionSearch
from aurorax_pandas.service.transport import Deadline, open_transport
from aurorax_pandas.service.workers import Workers
from aurorax_pandas.times import Span, span

logger = logging.getLogger("aurorax_pandas")

#: Windows whose search fails are searched this often in all, each time by a new search.
ATTEMPTS: Final = 3
#: A search is split into no more windows than this.
MAX_WINDOWS: Final = 10_000
#: The finest step of epochs: a shorter window may hold none.
SHORTEST_WINDOW: Final = pd.Timedelta("30s")
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

    Raises
    ------
    AuroraxInputError
        If there are too many.
    """
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    if (last - first) // chunk >= MAX_WINDOWS:
        raise AuroraxInputError(
            f"chunk={str(chunk)!r} makes more than {MAX_WINDOWS} windows of {start} to {end}; give a longer one"
        )
    begins = list(pd.date_range(first, last, freq=chunk))
    return [
        Part(number, begin.isoformat(), min(begin + chunk - _SECOND + overlap, last).isoformat())
        for number, begin in enumerate(begins)
    ]


class Checkpoint:
    """
    A directory that keeps the finished parts of one search, and the ids of those that run.

    Nothing is written before `begin`.

    Parameters
    ----------
    directory : str or pathlib.Path
        Where; made where it is not there.
    search : dict
        What is searched for, where and how, as JSON values.

    Attributes
    ----------
    is_new : bool
        Whether it holds nothing yet.

    Raises
    ------
    AuroraxInputError
        If the directory holds another search, or something else, or is none.
    """

    def __init__(self, directory: str | Path, search: dict[str, Any]) -> None:
        self._name = f"checkpoint={str(directory) if isinstance(directory, Path) else directory!r}"
        self._manifest = {"schema_version": model.SCHEMA_VERSION, **search}
        try:
            self._directory = Path(directory)
            there = {path.name for path in self._directory.iterdir()}
        except FileNotFoundError:
            there = set()
        except (OSError, TypeError, ValueError) as error:
            raise AuroraxInputError(f"{self._name} is no directory: {error}; give the path of one") from None
        self.is_new = _MANIFEST not in there
        if not self.is_new:
            self._check()
        elif there:
            raise AuroraxInputError(f"{self._name} is not empty and no checkpoint; give another directory")

    def _check(self) -> None:
        found = _without_nesting(_read_json(self._directory / _MANIFEST))
        # parts that lost no record are as good where records may be dropped
        if found.get("on_bad_records") == "raise":
            found["on_bad_records"] = self._manifest["on_bad_records"]
        wanted = _without_nesting(self._manifest)
        other = [name for name in wanted | found if found.get(name) != wanted.get(name)]
        if other:
            shown = "; ".join(f"{name} is {found.get(name)!r} there, {wanted.get(name)!r} here" for name in other)
            raise AuroraxInputError(
                f"{self._name} holds another search ({shown}); give another directory, or what is there to go on with it"
            )

    def begin(self) -> None:
        """Write down what is searched for."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            _write_json(self._directory / _MANIFEST, self._manifest)
        except OSError as error:
            raise AuroraxInputError(f"{self._name} cannot be written: {error}") from None
        self.is_new = False

    def _path(self, part: Part, suffix: str) -> Path:
        return self._directory / f"part-{part.number:05d}{suffix}"

    def load(self, part: Part) -> pd.DataFrame | None:
        """Return a finished part; None where it is not there, or not whole."""
        path = self._path(part, ".parquet")
        if not path.exists():
            return None
        try:
            df = load_conjunctions(path)
        except AuroraxDataError as error:
            logger.warning("%s; its window is searched again", error)
            return None
        windows = provenance.get_provenance(df.attrs).get("windows")
        held = [(one.get("start"), one.get("end")) for one in windows or () if isinstance(one, dict)]
        if not set(model.CONJUNCTION_COLUMNS) <= set(df.columns) or held != [(part.start, part.end)]:
            logger.warning("%s is not of %s to %s; this window is searched again", path, part.start, part.end)
            return None
        return df

    def save(self, part: Part, df: pd.DataFrame) -> None:
        """Keep a finished part."""
        to_parquet(df, self._path(part, ".parquet"), overwrite=True)
        self.forget(part)

    def request_id(self, part: Part) -> str | None:
        """Return the id that a part was submitted with, None where it was not."""
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


def _without_nesting(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of the query beside the rest, so that a difference can be named."""
    query = manifest.get("query")
    inside = {f"query {name!r}": value for name, value in query.items()} if isinstance(query, dict) else {}
    return {name: value for name, value in manifest.items() if name != "query"} | inside


def _write_json(path: Path, content: dict[str, Any]) -> None:
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    beside.write_text(json.dumps(content, indent=1), encoding="utf-8")
    beside.replace(path)


def read_in_parts(
    query: dict[str, Any],
    *,
    chunk: Span | None,
    overlap: Span,
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
    AuroraxInputError
        If an argument cannot be used; nothing is sent or written then.
    AuroraxTimeoutError
        If the deadline is all that windows fail for.
    AuroraxBulkError
        If windows fail for good, after the others have been finished; it lists them.
    """
    whole_number("max_workers", max_workers)
    whole = pd.Timestamp(query["end"]) - pd.Timestamp(query["start"]) + _SECOND
    length = whole if chunk is None else span("chunk", chunk).ceil("s")
    if length < min(SHORTEST_WINDOW, whole):
        raise AuroraxInputError(f"chunk={chunk!r} is shorter than 30 s, the finest step of epochs; give a longer one")
    shared = span("overlap", overlap, zero=True).ceil("s")
    parts = split_window(query["start"], query["end"], length, shared)
    check_on_bad_records(on_bad_records)
    deadline = Deadline(timeout)
    # what one search is refused for, all are
    ConjunctionSearch(query=query, **connection).close()
    keeper = None
    if checkpoint is not None:
        search = {
            "query": query,
            "chunk": length.isoformat(),
            "overlap": shared.isoformat(),
            "service": service_of(get_option("api_url", connection.get("api_url")) or DEFAULT_API_URL),
            "on_bad_records": on_bad_records,
        }
        keeper = Checkpoint(checkpoint, search)
        if keeper.is_new and connection.get("check_names", True):
            with open_transport(connection.get("api_url"), connection.get("api_key")) as transport:
                catalogue.check_names(query, transport, deadline)
        keeper.begin()
    workers = Workers(cancel_on_interrupt)
    reader = _Reader(query, keeper, deadline, on_bad_records, workers, connection)
    finished, failed = _search(parts, reader, workers, max_workers, progress)
    frames = [finished[part] for part in parts if part in finished]
    df = _together(frames, query)
    if failed:
        error = _bulk_error(failed, df, len(parts), checkpoint)
        if all(isinstance(one, AuroraxTimeoutError) for one in failed.values()):
            raise _too_late(failed, len(parts), deadline, checkpoint) from error
        raise error
    return df


class _Reader:
    """Reads parts; each by a connection of its own."""

    def __init__(
        self,
        query: dict[str, Any],
        checkpoint: Checkpoint | None,
        deadline: Deadline,
        on_bad_records: Literal["raise", "drop"],
        workers: Workers,
        connection: dict[str, Any],
    ) -> None:
        self._query = query
        self._checkpoint = checkpoint
        self._deadline = deadline
        self._on_bad_records: Literal["raise", "drop"] = on_bad_records
        self._workers = workers
        self._connection = {**connection, "sleep": workers.sleep}

    def run(self, part: Part) -> pd.DataFrame:
        """Return the conjunctions of a part, from the checkpoint where it has them."""
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
                # a record that breaks the schema does so each time
                lasting = isinstance(error, AuroraxDataError) and not error.retryable
                if lasting or attempt == ATTEMPTS or self._workers.stopped:
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
            with ConjunctionSearch(request_id=request_id, **self._connection) as search:
                try:
                    return self._read(search, part, None)
                except AuroraxNotFoundError:
                    logger.info("search %s of a window is gone; it is run again", request_id)
        chosen = str(uuid.uuid4())
        if self._checkpoint is not None:
            self._checkpoint.remember(part, chosen)
        window = {**self._query, "start": part.start, "end": part.end}
        with ConjunctionSearch(query=window, **self._connection) as search:
            return self._read(search, part, chosen)

    def _read(self, search: ConjunctionSearch, part: Part, chosen: str | None) -> pd.DataFrame:
        with self._workers.watching(search, chosen):
            df = search.run(self._deadline, request_id=chosen, on_bad_records=self._on_bad_records)
        found = df.attrs[provenance.KEY]
        found["windows"] = [{"request_id": search.request_id, "start": part.start, "end": part.end}]
        return df


def _search(
    parts: list[Part], reader: _Reader, workers: Workers, count: int, progress: bool
) -> tuple[dict[Part, pd.DataFrame], dict[Part, AuroraxError]]:
    finished: dict[Part, pd.DataFrame] = {}
    failed: dict[Part, AuroraxError] = {}
    with workers, progress_bar(total=len(parts), disable=not progress, unit="window") as bar:
        for part, result in workers.map(reader.run, parts, count):
            bar.update()
            # what one window is refused for, all are
            if isinstance(result, AuroraxInputError | AuroraxAuthorizationError):
                raise result
            if isinstance(result, AuroraxError):
                failed[part] = result
            else:
                finished[part] = result
    return finished, failed


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
