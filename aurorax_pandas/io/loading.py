"""From files and folders to frames: which files are meant, which rows and columns of them, and how they are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from aurorax_pandas.checks import as_list, shown, suggestion
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError, AuroraxMissingExtraError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.columns import columns_of_kind, in_model_dtypes
from aurorax_pandas.frame.concat import concat, merged_attrs
from aurorax_pandas.io import archive, files
from aurorax_pandas.io.places import Place, format_of, matches, place_of
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
        given = None if columns is None else as_list(columns)
        for name in given or ():
            if not isinstance(name, str):
                raise AuroraxInputError(f"columns: {shown(name)} is no name of a column; give text, or a list of texts")
        names = None if given is None else tuple(dict.fromkeys(given))
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
                    f"columns: there is no {shown(name)} in what is loaded; {suggestion(name, map(str, df.columns))}"
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

    def load(self, path: str, name: str) -> pd.DataFrame:
        """Load what is wanted of a file."""
        outside = self.in_time and name == "parquet" and files.is_outside(path, self.start, self.end)
        if outside:
            return self.of(files.empty_like(path, name))
        return self.of(files.load(path, name, columns=self.needed))

    def empty_like(self, path: str, name: str) -> pd.DataFrame:
        """Return the columns of a file that are wanted, without rows."""
        return self.of(files.empty_like(path, name))


def load_one(path: Any, name: str | None, wanted: Choice) -> pd.DataFrame:
    """Load a file, several, or a folder, as a frame."""
    found = _files_of(path, name)
    if found.folder is not None:
        pieces = [wanted.load(*one) for one in found.files]
        df = _folded(pieces) if pieces else wanted.of(model.empty_conjunctions())
        archive.warn_of_missing(found.folder)
        return df
    if len(found.files) == 1:
        return wanted.load(*found.files[0])
    # what several files have in common is told by whole rows
    frames = [files.load(*one) for one in found.files]
    kinds = {model.kind_of(frame) for frame in frames}
    if len(kinds) > 1:
        raise AuroraxDataError(f"the files hold {' and '.join(sorted(kinds))}; load them apart")
    return wanted.of(concat(frames) if kinds == {"conjunctions"} else _folded(frames))


def load_with_dask(path: Any, name: str | None, wanted: Choice) -> dd.DataFrame:
    """Load a file, several, or a folder, as a Dask frame with one partition for each file."""
    found = _files_of(path, name)
    if not found.files:
        raise AuroraxDataError(f"{str(found.folder)!r}: no window is finished so far; the call that made it goes on")
    formats = {format_ for _, format_ in found.files}
    if len(formats) > 1:
        raise AuroraxInputError(f"the files are of several formats ({', '.join(sorted(formats))}); load them apart")
    made = _dask_frame([text for text, _ in found.files], formats.pop(), wanted)
    if found.folder is not None:
        archive.warn_of_missing(found.folder)
    return made


def _dask_frame(paths: list[str], name: str, wanted: Choice) -> dd.DataFrame:
    if find_spec("dask") is None:
        raise AuroraxMissingExtraError.of("engine='dask'", "dask", "dask")
    import dask.dataframe as dd
    from dask import config
    from dask.dataframe.utils import clear_known_categories

    metas = [wanted.empty_like(path, name) for path in paths]
    kinds = [_names_and_dtypes(meta) for meta in metas]
    for path, kind in zip(paths, kinds, strict=True):
        if kind != kinds[0]:
            raise AuroraxDataError(f"{path!r} does not have the columns and dtypes of {paths[0]!r}; load them apart")
    # categories that differ from file to file, such as pairs, are known when computed
    differ = [column for column in metas[0] if any(meta[column].dtype != metas[0][column].dtype for meta in metas)]
    meta = clear_known_categories(metas[0], cols=differ)
    # Dask would give texts another dtype
    with config.set({"dataframe.convert-string": False}):
        frame: dd.DataFrame = dd.from_map(wanted.load, paths, args=[name], meta=meta)
    return frame


def _names_and_dtypes(meta: pd.DataFrame) -> list[tuple[str, Any]]:
    """Return the names and dtypes of the index and the columns, whatever categories they have."""
    levels = [(f"index {number}", meta.index.get_level_values(number).dtype) for number in range(meta.index.nlevels)]
    return [
        (str(name), "category" if isinstance(dtype, pd.CategoricalDtype) else dtype)
        for name, dtype in [*levels, *meta.dtypes.items()]
    ]


@dataclass(frozen=True)
class _Files:
    """The files that a caller means, with their formats, and the folder whose data set they are."""

    files: list[tuple[str, str]]
    folder: Path | None = None


def _files_of(path: Any, name: str | None) -> _Files:
    given = list(path) if isinstance(path, Sequence) and not isinstance(path, str | bytes) else [path]
    if not given:
        raise AuroraxInputError("path=[] names no file; give one or more")
    places = [place_of(one) for one in given]
    if len(places) == 1 and places[0].url is None and places[0].path.is_dir():
        folder = places[0].path
        archive.check_archive(folder)
        return _Files([(str(one), "parquet") for one in archive.data_set_files(folder)], folder)
    found = dict.fromkeys(text for place in places for text in _meant(place))
    return _Files([(text, format_of(place_of(text), name)) for text in found])


def _meant(place: Place) -> list[str]:
    """Return the files that a path, a pattern or a URL means."""
    if place.url is not None:
        found = matches(place) if has_magic(place.url) else [place.url]
    # a pattern may be absolute, which Path.glob does not take
    elif has_magic(str(place.path)) and not place.path.exists():
        found = sorted(glob(str(place.path), recursive=True))  # noqa: PTH207
    else:
        found = [str(place.path)]
    if not found:
        raise AuroraxInputError(f"path={shown(place.given)} matches no file")
    for one in found:
        if place.url is None and Path(one).is_dir():
            raise AuroraxInputError(
                f"path={shown(one)} is a folder, not one of several files; load it alone, and use concat"
            )
        if place.url is None and not Path(one).is_file():
            raise AuroraxInputError(
                f"path={shown(one)} is no file; check the name, and the folder {shown(str(Path.cwd()))}"
            )
    return found


def _folded(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of several frames as they are, one after the other."""
    attrs = merged_attrs([frame.attrs for frame in frames])
    for frame in frames:
        # frames of different attrs would lose them
        frame.attrs = {}
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    plain = all(isinstance(frame.index, pd.RangeIndex) for frame in frames)
    df = pd.concat(filled, ignore_index=plain) if len(filled) > 1 else filled[0]
    # pairs differ from file to file, and pandas makes text of categories that do
    df = in_model_dtypes(df, columns_of_kind(df))[0]
    df.attrs = attrs
    return df
