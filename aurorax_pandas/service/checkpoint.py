"""What a search in windows keeps on disk: its finished parts, and the ids of those that run."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.io import load_conjunctions, to_parquet

logger = logging.getLogger("aurorax_pandas")

_MANIFEST: Final = "search.json"


@dataclass(frozen=True)
class Part:
    """One window of a long search."""

    number: int
    start: str
    end: str


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
