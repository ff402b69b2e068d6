"""The folder of a long search: where its data set and its parts lie, and how it is read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxError, AuroraxInputError, callers_level
from aurorax_pandas.io.durable import read_json
from aurorax_pandas.query.windows import Part, chunk_of_text, windows_of

#: The data set: ``year=YYYY/*.parquet``, whose names are in the order of time.
DATA_SET: Final = "conjunctions"
#: What resuming needs: the search, its finished windows, and the identifiers of those that run.
PARTS: Final = "parts"
SEARCH: Final = "search.json"
#: Which windows are in the data set, and what files that has.
INDEX: Final = "data-set.json"
_SHOWN: Final = 3


@dataclass(frozen=True)
class Manifest:
    """
    What a folder's search is: its question, and how it is split.

    Parameters
    ----------
    search : dict
        ``query`` without its window, ``service``, ``on_bad_records``, ``chunk``, ``overlap``, …: JSON values.
    spans : tuple of (str, str)
        What was searched first, then what was added.
    """

    search: dict[str, Any]
    spans: tuple[tuple[str, str], ...]

    @classmethod
    def of_json(cls, content: Any) -> Manifest | None:
        """Return what `as_json` wrote; None for anything else."""
        try:
            spans = tuple((str(first), str(last)) for first, last in content["spans"])
            found = cls({name: value for name, value in content.items() if name != "spans"}, spans)
            return found if isinstance(found.search["query"], dict) and found.windows() else None
        except (AttributeError, LookupError, TypeError, ValueError):
            return None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**self.search, "spans": [list(one) for one in self.spans]}

    def windows(self) -> list[Part]:
        """Return the windows of the search, in their order."""
        overlap = pd.Timedelta(self.search["overlap"])
        return windows_of(self.spans, chunk_of_text(self.search["chunk"]), overlap)

    @property
    def ends(self) -> tuple[str, str]:
        """The first and the last second of all of it."""
        return min(first for first, _ in self.spans), max(last for _, last in self.spans)

    @property
    def query(self) -> dict[str, Any]:
        """The query of all of it."""
        start, end = self.ends
        return {"start": start, "end": end, **self.search["query"]}


def included_windows(index: dict[str, Any], windows: Sequence[Part]) -> set[Part]:
    """Return the windows that an index has in the data set: those of its runs, from one name to another."""
    places = {part.name: place for place, part in enumerate(windows)}
    try:
        runs = [(places.get(first), places.get(last)) for first, last in index.get("windows") or ()]
    except (TypeError, ValueError):
        return set()
    known = [(first, last) for first, last in runs if first is not None and last is not None]
    return {part for first, last in known for part in windows[first : last + 1]}


def runs_of(included: set[Part], windows: Sequence[Part]) -> list[list[str]]:
    """Return the runs of windows that are in the data set, for its index."""
    runs: list[list[str]] = []
    before = False
    for part in windows:
        if part in included:
            if before:
                runs[-1][1] = part.name
            else:
                runs.append([part.name, part.name])
        before = part in included
    return runs


def data_set_files(folder: Path) -> list[Path]:
    """Return the files of a folder's data set, in the order of their rows."""
    return sorted((folder / DATA_SET).glob("*/*.parquet"))


def is_archive(path: Path) -> bool:
    """Tell whether a folder is one of a long search."""
    return (path / DATA_SET).is_dir() or (path / PARTS).is_dir()


def check_archive(folder: Path) -> None:
    """
    Raise where a folder is none of a long search.

    Raises
    ------
    AuroraxInputError
        If it is another folder; the message says what to give.
    """
    if is_archive(folder):
        return
    if is_older_form(folder):
        raise AuroraxInputError(f"path={str(folder)!r} is {OLDER_FORM}")
    raise AuroraxInputError(
        f"path={str(folder)!r} is a folder, but none that read_aurorax_conjunctions(..., checkpoint=) has made; give a "
        f"file, a list of files, or a pattern such as {str(folder / '*.parquet')!r}"
    )


OLDER_FORM: Final = (
    "a checkpoint of an older form, whose parts overlap; give another directory, or put its parts together by "
    "load_conjunctions of the pattern '<folder>/part-*.parquet', which gives each conjunction once"
)


def is_older_form(folder: Path) -> bool:
    """Tell whether a folder holds parts side by side, as they were kept before."""
    return (folder / SEARCH).exists() or any(folder.glob("part-[0-9]*.parquet"))


def warn_of_missing(folder: Path) -> None:
    """Warn where windows of a folder's search are not in its data set, where nothing tells, or it is no result yet."""
    manifest = Manifest.of_json(read_json(folder / PARTS / SEARCH))
    if manifest is not None and manifest.search.get("continuous"):
        warnings.warn(
            f"{str(folder)!r} holds the wider search of minutes that continuous=True refines; the result is what the call of "
            "read_aurorax_conjunctions returned: keep that by to_parquet",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
    if manifest is None:
        said = f"nothing in {str(folder / PARTS)!r} tells whether windows are missing in the data set"
    else:
        try:
            windows = manifest.windows()
        except AuroraxError:
            windows = []
        included = included_windows(read_json(folder / PARTS / INDEX), windows)
        missing = [part for part in windows if part not in included]
        if not missing:
            return
        shown = ", ".join(f"{part.start} to {part.end}" for part in missing[:_SHOWN])
        more = f", and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        said = (
            f"{len(missing)} of {len(windows)} windows of {str(folder)!r} are missing ({shown}{more}); what is there are the "
            "conjunctions that these cannot change"
        )
    warnings.warn(
        f"{said}; the call of read_aurorax_conjunctions that made the folder goes on with what is missing",
        AuroraxDataWarning,
        stacklevel=callers_level(),
    )
