"""What a search in windows keeps on disk: its finished parts, the ids of those that run, and its data set."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.io import files
from aurorax_pandas.io.archive import DATA_SET, OLDER_FORM, PARTS, SEARCH, Manifest, is_older_form
from aurorax_pandas.io.data_set import DataSet
from aurorax_pandas.io.durable import clear_place, one_file_error, read_json, remove_leftovers, write_json
from aurorax_pandas.query.windows import Part, grown
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.lock import Lock

logger = logging.getLogger("aurorax_pandas")

_LOCK: Final = "lock"
#: Stands in the provenance of a part: the search that it is of.
_SEARCH_KEY: Final = "search"
_LEFT_OVER: Final = re.compile(r"search\.json\.[0-9a-f]+|\..*\.part")
_GOES_ON: Final = "make room there or mend it, then the same call goes on with what is missing"


class Checkpoint:
    """
    A folder that keeps the finished parts of one search, the ids of those that run, and the data set of them all.

    Nothing is written before `begin`.

    Parameters
    ----------
    directory : str or pathlib.Path
        Where; made where it is not there.
    search : dict
        What is searched for, where and how, as JSON values: ``query`` without its window, ``chunk``, ``overlap``, ….
    start, end : str
        The window of the search; that of a search which is there already may only grow.

    Attributes
    ----------
    is_new : bool
        Whether it holds nothing yet.
    manifest : Manifest
        The search with all its spans.

    Raises
    ------
    AuroraxInputError
        If the folder holds another search, or something else, or is none.
    """

    def __init__(self, directory: str | Path, search: dict[str, Any], start: str, end: str) -> None:
        self._name = f"checkpoint={str(directory) if isinstance(directory, Path) else shown(directory)}"
        self._search = {"schema_version": model.SCHEMA_VERSION, **search}
        self._window = start, end
        try:
            self._folder = Path(directory).expanduser()
        except (TypeError, ValueError, RuntimeError) as error:
            raise self._no_folder(error) from None
        self._parts = self._folder / PARTS
        self._lock = Lock(self._parts / _LOCK)
        self._found: Manifest | None = None
        self.manifest = self._examine()
        self.is_new = self._found is None
        self._data_set: DataSet | None = None

    def _no_folder(self, error: Exception) -> AuroraxInputError:
        reason = getattr(error, "strerror", None) or error
        return AuroraxInputError(f"{self._name} is no directory: {reason}; give the path of one")

    def _examine(self) -> Manifest:
        """Look into the folder and return the search with all its spans; raise where that does not belong there."""
        try:
            there = {path.name for path in self._folder.iterdir()}
        except FileNotFoundError:
            there = set()
        except (OSError, ValueError) as error:
            raise self._no_folder(error) from None
        if PARTS in there:
            self._found = self._known()
        elif is_older_form(self._folder):
            raise AuroraxInputError(f"{self._name} is {OLDER_FORM}")
        foreign = [name for name in there - {PARTS, DATA_SET} if not _LEFT_OVER.fullmatch(name)]
        if self._found is None and foreign and not any(self._parts.glob("*.parquet")):
            raise AuroraxInputError(f"{self._name} is not empty and no checkpoint; give another directory")
        return Manifest(self._search, tuple(self._spans()))

    def _known(self) -> Manifest | None:
        """Return the search that is written down, or that a finished part knows; None where there is none."""
        found = Manifest.of_json(read_json(self._parts / SEARCH))
        if found is not None:
            return found
        held = [each for path in self._parts.glob("*.parquet") if (each := _search_of_part(path)) is not None]
        # the last to be written knows the longest search
        return max(held, key=lambda each: len(each.spans), default=None)

    def _spans(self) -> list[tuple[str, str]]:
        if self._found is None:
            return [self._window]
        other = self._differences(self._found)
        if other:
            raise AuroraxInputError(
                f"{self._name} holds another search ({'; '.join(other)}); give another directory, or what is there to go on "
                "with it"
            )
        spans = grown(self._found.spans, *self._window)
        if spans is None:
            first, last = self._found.ends
            raise AuroraxInputError(
                f"{self._name} holds another search (it reaches from {first} to {last}, which {self._window[0]} to "
                f"{self._window[1]} does not cover); it can only grow: give a window that covers it, or another directory; "
                "load_conjunctions(folder, start=, end=) gives a part of it"
            )
        return spans

    def _differences(self, found: Manifest) -> list[str]:
        """Say in what a search that is there differs from the one that is wanted."""
        there, here = _without_nesting(found.search), _without_nesting(self._search)
        # parts that lost no record are as good where records may be dropped
        if there.get("on_bad_records") == "raise":
            there["on_bad_records"] = here["on_bad_records"]
        names = [name for name in here | there if there.get(name) != here.get(name)]
        return [f"{name} is {there.get(name)!r} there, {here.get(name)!r} here" for name in names]

    def begin(self, deadline: Deadline, sleep: Callable[[float], None]) -> None:
        """
        Take the folder for this process, and clear away what a crash has left.

        Raises
        ------
        AuroraxInputError
            If the folder cannot be made, or holds another search by now.
        AuroraxFileError
            If it cannot be written to.
        AuroraxTimeoutError
            If another process works in it and does not end before the deadline.
        """
        try:
            self._parts.mkdir(parents=True, exist_ok=True)
            (self._folder / DATA_SET).mkdir(exist_ok=True)
        except (PermissionError, NotADirectoryError, FileExistsError) as error:
            raise AuroraxInputError(f"{self._name} cannot be written: {error}") from None
        except OSError as error:
            with self._going_on(self._folder):
                raise error from None
        with self._going_on(self._parts):
            self._lock.acquire(deadline, sleep)
        try:
            # another process may have worked in it meanwhile
            self.manifest = self._examine()
            remove_leftovers(self._parts)
            for path in self._folder.glob("search.json.*"):
                if _LEFT_OVER.fullmatch(path.name) and path.is_file():
                    path.unlink(missing_ok=True)
        except BaseException:
            self._lock.release()
            raise

    def take_up(self, frames: dict[Part, pd.DataFrame], step: pd.Timedelta) -> None:
        """Write down what is searched for, and bring the data set up to the windows that are finished."""
        with self._going_on(self._folder):
            self._data_set = DataSet(self._folder, self.manifest, step)
            self._data_set.begin(frames)
            if self._found is None or self._found.as_json() != self.manifest.as_json() or not self._is_written():
                write_json(self._parts / SEARCH, self.manifest.as_json())
            self._data_set.commit()

    def _is_written(self) -> bool:
        return Manifest.of_json(read_json(self._parts / SEARCH)) is not None

    def release(self) -> None:
        """Leave the folder to other processes."""
        self._lock.release()

    def add(self, part: Part, df: pd.DataFrame) -> None:
        """Add a finished window to the data set."""
        if self._data_set is not None:
            with self._going_on(self._folder):
                self._data_set.add(part, df)

    @contextmanager
    def _going_on(self, path: Path) -> Iterator[None]:
        with one_file_error(path, _GOES_ON):
            yield

    def _path(self, part: Part, suffix: str) -> Path:
        return self._parts / f"{part.name}{suffix}"

    def load(self, part: Part) -> pd.DataFrame | None:
        """Return a finished part; None where it is not there, or not whole."""
        path = self._path(part, ".parquet")
        if not path.is_file():
            return None
        try:
            df = files.load(path, "parquet")
        except AuroraxDataError as error:
            logger.warning("%s; its window is searched again", error)
            return None
        found = provenance.get_provenance(df.attrs)
        held = [(one.get("start"), one.get("end")) for one in found.get("windows") or () if isinstance(one, dict)]
        search = Manifest.of_json(found.pop(_SEARCH_KEY, None))
        known = search is not None and not self._differences(search)
        if not known or not set(model.CONJUNCTION_COLUMNS) <= set(df.columns) or held != [(part.start, part.end)]:
            logger.warning("%s is not of %s to %s; this window is searched again", path, part.start, part.end)
            return None
        df.attrs[provenance.KEY] = found
        return df

    def save(self, part: Part, df: pd.DataFrame) -> None:
        """Keep a finished part, which knows the search that it is of."""
        kept = df.copy(deep=False)
        kept.attrs = {provenance.KEY: {**provenance.get_provenance(df.attrs), _SEARCH_KEY: self.manifest.as_json()}}
        path = self._path(part, ".parquet")
        with self._going_on(path):
            clear_place(path)
            files.export(kept, path, "parquet", overwrite=True)
        self.forget(part)

    def request_id(self, part: Part) -> str | None:
        """Return the id that a part was submitted with, None where it was not."""
        found = read_json(self._path(part, ".json")).get("request_id")
        return found if isinstance(found, str) else None

    def remember(self, part: Part, request_id: str) -> None:
        """Keep the id of a part that is about to be submitted."""
        path = self._path(part, ".json")
        with self._going_on(path):
            write_json(path, {"request_id": request_id, "start": part.start, "end": part.end})

    def forget(self, part: Part) -> None:
        """Forget the id of a part."""
        path = self._path(part, ".json")
        if path.is_file():
            with self._going_on(path):
                path.unlink(missing_ok=True)


def _search_of_part(path: Path) -> Manifest | None:
    """Return the search that a part is of, None where it cannot be told."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
        block = json.loads(metadata[provenance.KEY.encode()])
        return Manifest.of_json(block["frame"]["attrs"][provenance.KEY][_SEARCH_KEY])
    except (OSError, LookupError, TypeError, ValueError, RecursionError, pa.ArrowException):
        return None


def _without_nesting(search: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of the query beside the rest, so that a difference can be named."""
    query = search.get("query")
    inside = {f"query {name!r}": value for name, value in query.items()} if isinstance(query, dict) else {}
    return {name: value for name, value in search.items() if name != "query"} | inside
