"""From files and folders to frames: which files are meant, which rows and columns of them, and how they are one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from aurorax_pandas.checks import as_list, suggestion
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.concat import concat, merged_attrs
from aurorax_pandas.io import archive, files
from aurorax_pandas.io.files import from_files
from aurorax_pandas.times import to_utc

if TYPE_CHECKING:
    import dask.dataframe as dd

_SPAN = ("start", "end")


@dataclass(frozen=True)
class Choice:
    """
    Which columns and rows of files are wanted.

    Parameters
    ----------
    columns : tuple of str, optional
        The columns, in their order; by default all.
    start, end : pandas.Timestamp, optional
        Rows that share some time with this span, UTC; by default all.
    """

    columns: tuple[str, ...] | None = None
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None

    @classmethod
    def from_arguments(cls, columns: Any, start: Any, end: Any) -> Choice:
        """
        Return the choice that a caller has made.

        Raises
        ------
        AuroraxInputError
            If a column is no text, an end no instant, or the start after the end.
        """
        names = None if columns is None else tuple(dict.fromkeys(as_list(columns)))
        for name in names or ():
            if not isinstance(name, str):
                raise AuroraxInputError(f"columns: {name!r} is no name of a column; give text, or a list of texts")
        first = None if start is None else to_utc("start", start)
        last = None if end is None else to_utc("end", end, last=True)
        if first is not None and last is not None and first > last:
            raise AuroraxInputError(f"start={first} is after end={last}; swap them")
        return cls(names, first, last)

    @property
    def in_time(self) -> bool:
        """Whether rows are chosen by their time."""
        return self.start is not None or self.end is not None

    @property
    def needed(self) -> tuple[str, ...] | None:
        """The columns that must be read for it; None for all."""
        if self.columns is None:
            return None
        return tuple(dict.fromkeys((*self.columns, *_SPAN))) if self.in_time else self.columns

    def of(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return the rows and columns of a frame that are wanted; the rows have a fresh index where that was one."""
        for name in self.needed or (_SPAN if self.in_time else ()):
            if name not in df.columns:
                raise AuroraxInputError(
                    f"columns: there is no {name!r} in what is loaded; {suggestion(name, map(str, df.columns))}"
                )
        if self.in_time:
            kept = pd.Series(True, df.index)
            if self.start is not None:
                kept &= df["end"] >= self.start
            if self.end is not None:
                kept &= df["start"] <= self.end
            plain = isinstance(df.index, pd.RangeIndex)
            df = df[kept.to_numpy()]
            df = df.reset_index(drop=True) if plain else df
        return df if self.columns is None else df[list(self.columns)]

    def load(self, path: Path, name: str) -> pd.DataFrame:
        """Load what is wanted of a file."""
        outside = self.in_time and name == "parquet" and files.is_outside(path, self.start, self.end)
        if outside:
            return self.of(files.empty_like(path, name))
        return self.of(files.load(path, name, columns=self.needed))

    def empty_like(self, path: Path, name: str) -> pd.DataFrame:
        """Return the columns of a file that are wanted, without rows."""
        return self.of(files.empty_like(path, name))


def load_one(path: Any, name: str | None, choice: Choice) -> pd.DataFrame:
    """Load a file, several, or a folder, as a frame."""
    found = _files_of(path)
    if found.is_archive:
        paths = found.paths
        df = _folded([choice.load(one, "parquet") for one in paths]) if paths else choice.of(model.empty_conjunctions())
        archive.warn_of_missing(found.folder)
        return df
    if len(found.paths) == 1:
        return choice.load(found.paths[0], files.format_of(found.paths[0], name))
    # what several files have in common is told by whole rows
    frames = [files.load(one, files.format_of(one, name)) for one in found.paths]
    kinds = {model.kind_of(frame) for frame in frames}
    if len(kinds) > 1:
        raise AuroraxDataError(f"the files hold {' and '.join(sorted(kinds))}; load them apart")
    return choice.of(concat(frames) if kinds == {"conjunctions"} else _folded(frames))


def load_with_dask(path: Any, name: str | None, choice: Choice) -> dd.DataFrame:
    """Load a file, several, or a folder, as a Dask frame with one partition for each file."""
    found = _files_of(path)
    if found.is_archive and not found.paths:
        raise AuroraxDataError(f"{str(found.folder)!r}: no window is finished so far; the call that made it goes on")
    formats = {files.format_of(one, name) for one in found.paths}
    if len(formats) > 1:
        raise AuroraxInputError(f"the files are of several formats ({', '.join(sorted(formats))}); load them apart")
    made = from_files([str(one) for one in found.paths], formats.pop(), choice.load, choice.empty_like)
    if found.is_archive:
        archive.warn_of_missing(found.folder)
    return made


@dataclass(frozen=True)
class _Files:
    """The files that a caller means, and whether they are the data set of a folder."""

    paths: list[Path]
    folder: Path = Path()
    is_archive: bool = False


def _files_of(path: Any) -> _Files:
    given = list(path) if isinstance(path, Sequence) and not isinstance(path, str | bytes) else [path]
    if not given:
        raise AuroraxInputError("path=[] names no file; give one or more")
    if len(given) == 1 and (folder := _path_of(given[0])).is_dir():
        archive.check_archive(folder)
        return _Files(archive.data_set_files(folder), folder, is_archive=True)
    found = [one for each in given for one in _matches(each)]
    return _Files(list(dict.fromkeys(found)))


def _matches(given: Any) -> list[Path]:
    text = str(_path_of(given))
    # a pattern may be absolute, which Path.glob does not take
    if has_magic(text) and not Path(text).exists():
        found = sorted(glob(text, recursive=True))  # noqa: PTH207
        if not found:
            raise AuroraxInputError(f"path={text!r} matches no file")
    else:
        found = [text]
    for one in found:
        if not Path(one).is_file():
            raise AuroraxInputError(f"path={one!r} is no file; check the name, and the folder {str(Path.cwd())!r}")
    return [Path(one) for one in found]


def _path_of(given: Any) -> Path:
    return Path(os.fspath(given)).expanduser()


def _folded(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of several frames as they are, one after the other."""
    attrs = merged_attrs([frame.attrs for frame in frames])
    for frame in frames:
        # frames of different attrs would lose them
        frame.attrs = {}
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    plain = all(isinstance(frame.index, pd.RangeIndex) for frame in frames)
    df = pd.concat(filled, ignore_index=plain) if len(filled) > 1 else filled[0]
    df.attrs = attrs
    return df
