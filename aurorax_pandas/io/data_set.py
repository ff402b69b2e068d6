"""The data set of a long search, kept up with its finished windows: each conjunction once, as far as it is sure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.identity import source_set_codes
from aurorax_pandas.frame.intervals import overlap_clusters
from aurorax_pandas.frame.stitch import stitch_within
from aurorax_pandas.io import files
from aurorax_pandas.io.archive import DATA_SET, INDEX, PARTS, Manifest, included_windows, runs_of
from aurorax_pandas.io.durable import clear_place, folder_to_disk, read_json, remove_leftovers, write_json
from aurorax_pandas.query.windows import Part
from aurorax_pandas.times import Times

_DAY: Final = pd.Timedelta("1D")


class DataSet:
    """
    The data set of a folder: a file for each month, or for each day where windows are shorter than that.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the search.
    manifest : Manifest
        What is searched.
    step : pandas.Timedelta
        Distance between epochs: rows no further apart than this are one.
    """

    def __init__(self, folder: Path, manifest: Manifest, step: pd.Timedelta) -> None:
        self._folder = folder
        self._windows = manifest.windows()
        self._query = manifest.query
        self._spans = [list(one) for one in manifest.spans]
        self._gap = step.to_timedelta64()
        # the length of files may not change where a search grows
        chunk = manifest.search["chunk"]
        self._unit: Literal["D", "M"] = "D" if chunk.startswith("P") and pd.Timedelta(chunk) < _DAY else "M"
        self._unit_type = f"M8[{self._unit}]"
        self._one = np.timedelta64(1, self._unit)
        self._frames: dict[Part, pd.DataFrame] = {}
        self._reach: dict[Part, tuple[np.datetime64, np.datetime64]] = {}
        self._included: set[Part] = set()
        self._files: dict[str, int] = {}

    def begin(self, frames: Mapping[Part, pd.DataFrame]) -> None:
        """
        Take up the windows that are finished already.

        What a crash, a lost file or a search that has grown left behind is mended. The index says so only after
        `commit`: what the data set holds is sure at each instant, whatever the search is said to be.
        """
        index = read_json(self._folder / PARTS / INDEX)
        known = index.get("files")
        self._files = {str(name): size for name, size in known.items()} if isinstance(known, dict) else {}
        for part, frame in frames.items():
            self._take(part, frame)
        for place in (self._folder / DATA_SET).glob("*/"):
            remove_leftovers(place)
        there = included_windows(index, self._windows)
        self._included = there & set(frames)
        dirty = {
            period for name, size in self._files.items() if self._size(name) != size for period in self._named(name)
        }
        # rows next to a window that is new, or has been lost, are sure no longer
        missing = set(self._windows) - set(frames)
        for part in missing if index.get("spans") != self._spans else missing & there:
            dirty |= {period for period in self._affected(part) if self._path(period) in self._files}
        outdated = {part for part in self._included if dirty & self._affected(part)} if dirty else set()
        waiting = (set(frames) - self._included) | outdated
        if outdated:
            self._included -= outdated
            self._write_index()
        self._refresh(waiting, dirty)
        self._included |= waiting

    def commit(self) -> None:
        """Write down which windows the data set holds."""
        self._write_index()

    def add(self, part: Part, frame: pd.DataFrame) -> None:
        """Add a window that is finished now."""
        self._take(part, frame)
        self._refresh([part], [])
        self._included.add(part)
        self._write_index()

    def _take(self, part: Part, frame: pd.DataFrame) -> None:
        begin, end = (one.to_datetime64() for one in part.ends)
        self._frames[part] = frame
        if len(frame):
            begin, end = min(begin, frame["start"].to_numpy().min()), max(end, frame["end"].to_numpy().max())
        self._reach[part] = begin - self._gap, end + self._gap

    def _zone(self, part: Part) -> tuple[np.datetime64, np.datetime64]:
        """Return between which times a row may be changed by a window."""
        begin, end = (one.to_datetime64() for one in part.ends)
        return self._reach.get(part, (begin - self._gap, end + self._gap))

    def _affected(self, part: Part) -> set[np.datetime64]:
        """Return the periods whose files a window may change: its own, and those in which what reaches it begins."""
        begin, end = (one.to_datetime64().astype(self._unit_type) for one in part.ends)
        _, spans = self._clusters(*self._zone(part))
        return {
            *np.arange(begin, end + self._one),
            *spans[:, 0].astype(self._unit_type),
        }

    def _path(self, period: np.datetime64) -> str:
        return f"year={str(period)[:4]}/{period}.parquet"

    def _named(self, name: str) -> list[np.datetime64]:
        """Return the period that a file of this name holds, none where it is no such name."""
        try:
            period = np.datetime64(Path(name).stem, self._unit)
        except ValueError:
            return []
        return [period] if self._path(period) == name else []

    def _size(self, name: str) -> int:
        path = self._folder / DATA_SET / name
        return path.stat().st_size if path.is_file() else -1

    def _write_index(self) -> None:
        windows = runs_of(self._included, self._windows)
        content = {"spans": self._spans, "windows": windows, "files": self._files}
        write_json(self._folder / PARTS / INDEX, content)

    def _refresh(self, parts: Iterable[Part], periods: Iterable[np.datetime64]) -> None:
        """Write the files anew that windows may have changed, and those of some periods."""
        for period in sorted({*periods, *(one for part in parts for one in self._affected(part))}):
            self._write(period)

    def _write(self, period: np.datetime64) -> None:
        first, last = (one.astype("M8[us]") for one in (period, period + self._one))
        df = self._rows(first, last)
        held = [
            part for part in self._windows
            if part in self._frames and part.ends[0].to_datetime64() < last and part.ends[1].to_datetime64() >= first
        ]  # fmt: skip
        df.attrs = {provenance.KEY: provenance_of_windows([self._frames[part].attrs for part in held], self._query)}
        name = self._path(period)
        path = self._folder / DATA_SET / name
        if not path.parent.is_dir():
            clear = path.parent.parent
            path.parent.mkdir(parents=True, exist_ok=True)
            folder_to_disk(clear)
        clear_place(path)
        files.export(df, path, "parquet", overwrite=True)
        self._files[name] = path.stat().st_size

    def _rows(self, first: np.datetime64, last: np.datetime64) -> pd.DataFrame:
        """Return the conjunctions that begin from one time to before another and that no missing window can change."""
        rows, spans = self._clusters(first, last)
        begins, ends = spans[:, 0], spans[:, 1]
        kept = (begins >= first) & (begins < last) & ~self._touch_missing(begins, ends)
        if not kept.any():
            return model.empty_conjunctions()
        return stitch_within(rows[kept], self._gap)

    def _clusters(self, first: np.datetime64, last: np.datetime64) -> tuple[pd.DataFrame, Times]:
        """Return the rows of windows of conjunctions that reach a span, and how far each whole conjunction goes."""
        low, high = first - self._gap, last + self._gap
        while True:
            rows = self._touching(low, high)
            clusters = overlap_clusters(
                source_set_codes(rows), rows["start"].to_numpy(), rows["end"].to_numpy(), self._gap
            )
            grouped = rows[["start", "end"]].groupby(clusters)
            begins = grouped["start"].transform("min").to_numpy()
            ends = grouped["end"].transform("max").to_numpy()
            chosen = (begins <= last) & (ends >= first)
            wider = (
                np.append(begins[chosen] - self._gap, low).min(),
                np.append(ends[chosen] + self._gap, high).max(),
            )
            if wider == (low, high):
                return rows[chosen], np.stack([begins[chosen], ends[chosen]], axis=1)
            low, high = wider

    def _touching(self, low: np.datetime64, high: np.datetime64) -> pd.DataFrame:
        """Return the rows of finished windows that reach a span, in the order of the windows."""
        found = []
        for part in self._windows:
            frame = self._frames.get(part)
            if frame is None or not len(frame) or self._reach[part][1] < low or self._reach[part][0] > high:
                continue
            inside = (frame["start"].to_numpy() <= high) & (frame["end"].to_numpy() >= low)
            if inside.any():
                taken = frame[inside]
                # frames of different attrs would be compared at length
                taken.attrs = {}
                found.append(taken)
        return pd.concat(found, ignore_index=True) if found else model.empty_conjunctions()

    def _touch_missing(self, begins: Times, ends: Times) -> npt.NDArray[np.bool_]:
        missing = [self._zone(part) for part in self._windows if part not in self._frames]
        touched = np.zeros(len(begins), bool)
        for first, last in _joined_spans(missing):
            touched |= (begins <= last) & (ends >= first)
        return touched


def _joined_spans(spans: Sequence[tuple[np.datetime64, np.datetime64]]) -> list[tuple[np.datetime64, np.datetime64]]:
    """Return spans, those that overlap as one."""
    joined: list[tuple[np.datetime64, np.datetime64]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def provenance_of_windows(attrs: Sequence[Mapping[Any, Any]], query: dict[str, Any]) -> dict[str, Any]:
    """Return the provenance of what several windows of one search hold together."""
    sources = [provenance.get_provenance(one) for one in attrs]
    found = provenance.make_provenance(
        request_ids=[name for source in sources for name in source.get("request_ids", ())],
        query=query,
        api_url=next((source["api_url"] for source in sources if source.get("api_url")), None),
        retrieved_at=max((source["retrieved_at"] for source in sources if source.get("retrieved_at")), default=None),
    )
    found["windows"] = [window for source in sources for window in source.get("windows", ())]
    return found
