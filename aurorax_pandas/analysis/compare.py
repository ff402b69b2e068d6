"""Two frames side by side: which conjunctions coincide, what a later read changed, what the window cut."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.checks import as_list, choice
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.asked import differing
from aurorax_pandas.frame.events import SEPARATOR, require, source_names, source_sites
from aurorax_pandas.frame.identity import joint_codes, source_set_codes
from aurorax_pandas.frame.provenance import get_provenance, query_windows, step_of
from aurorax_pandas.sources import SPACECRAFT
from aurorax_pandas.times import Span, Times, span

OverlapOn = Literal["space", "site", "time"]
CompareOn = Literal["source", "site"]

_VALUES: Final = ("start", "end", "min_distance", "max_distance", "closest_epoch", "farthest_epoch")

Ints = npt.NDArray[np.int64]


class Comparison(NamedTuple):
    """
    What differs between two reads.

    Parameters
    ----------
    gained : pandas.DataFrame
        Rows of the second frame that the first lacks.
    lost : pandas.DataFrame
        Rows of the first frame that the second lacks.
    changed : pandas.DataFrame
        Rows that are in both with other values: ``conjunction`` and ``other`` (their positions), ``sources``, and
        ``start`` … ``farthest_epoch`` of the first and, with the suffix ``_other``, of the second frame.
    """

    gained: pd.DataFrame
    lost: pd.DataFrame
    changed: pd.DataFrame

    def __repr__(self) -> str:
        return f"Comparison: {self._counts()}; .gained, .lost and .changed are frames"

    def _repr_html_(self) -> str:
        parts = (
            f"<tr><th>{name}</th><td>{len(frame)}</td></tr>" for name, frame in zip(self._fields, self, strict=True)
        )
        return f"<table><caption>Comparison of two reads, rows</caption>{''.join(parts)}</table>"

    def _counts(self) -> str:
        return ", ".join(f"{len(frame)} {name}" for name, frame in zip(self._fields, self, strict=True))


def overlaps(df: pd.DataFrame, other: pd.DataFrame, on: OverlapOn = "space", tolerance: Span = "0min") -> pd.DataFrame:
    """
    Find which conjunctions of one frame coincide with another's.

    Parameters
    ----------
    df, other : pandas.DataFrame
        Conjunctions, for example of two searches with different cameras or spacecraft.
    on : {"space", "site", "time"}, default "space"
        What they must share besides time: a spacecraft, a site of a ground source, or nothing.
    tolerance : str or pandas.Timedelta, default "0min"
        How far apart the spans may be; at zero they share at least one epoch.

    Returns
    -------
    pandas.DataFrame
        One row per coincidence: ``conjunction`` and ``other`` (row positions), ``shared`` (the spacecraft or sites),
        ``start`` and ``end`` of the common span (UTC; NaT where only the tolerance joins the two). Keep the rows of
        `df` that coincide by ``df.iloc[found["conjunction"].unique()]``.

    Raises
    ------
    AuroraxInputError
        If `on` is none of the three, `tolerance` is no span of time, or a column is missing.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> gillam = df.aurorax.select_sources(site="GILL")
    >>> rankin = df.aurorax.select_sources(site="RANK")
    >>> gillam.aurorax.overlaps(rankin)["shared"].tolist()
    ['Swarm C']
    """
    choice("on", on, ("space", "site", "time"))
    slack = span("tolerance", tolerance, zero=True).to_timedelta64()
    columns = ("start", "end") if on == "time" else ("start", "end", "data_sources")
    df, other = (require(frame, "overlaps", *columns) for frame in (df, other))
    left, right = _entries(df, on), _entries(other, on)
    names = pd.Index(sorted({*left.names, *right.names}), dtype="str")
    left, right = (each.numbered(names.get_indexer(pd.Index(each.names)).astype(np.int64)) for each in (left, right))
    mine, theirs = _coincident(left, right, slack)
    made = _shared(left.row[mine], right.row[theirs], left.code[mine], names)
    row, column = made["conjunction"].to_numpy(), made["other"].to_numpy()
    start = np.maximum(df["start"].to_numpy()[row], other["start"].to_numpy()[column])
    end = np.minimum(df["end"].to_numpy()[row], other["end"].to_numpy()[column])
    apart = start > end
    for name, values in (("start", start), ("end", end)):
        made[name] = np.where(apart, np.datetime64("NaT", "us"), values).astype(model.DATETIME)
    return made.astype({"conjunction": "int64", "other": "int64", "shared": "str"})


class _Entries(NamedTuple):
    """One entry per conjunction and thing to share: its row, the number of the thing among the names, its span."""

    row: Ints
    code: Ints
    start: Times
    end: Times
    names: list[str]

    def numbered(self, numbers: Ints) -> _Entries:
        """Return the entries with other numbers for the names."""
        return self._replace(code=numbers[self.code])

    def take(self, entries: Ints) -> _Entries:
        """Return some of the entries."""
        return _Entries(self.row[entries], self.code[entries], self.start[entries], self.end[entries], self.names)


def _entries(df: pd.DataFrame, on: OverlapOn) -> _Entries:
    start, end = (df[name].to_numpy("M8[us]") for name in ("start", "end"))
    if on == "time":
        rows, codes, names = np.arange(len(df)), np.zeros(len(df), np.int64), [""]
    else:
        flat = model.flatten(df["data_sources"])
        types = flat.fields["source_type"]
        if on == "space":
            texts = source_names(flat.fields)
            wanted = model.compute.is_in(types, pa.array(SPACECRAFT))
        else:
            sites = model.compute.coalesce(source_sites(flat.fields), flat.fields["platform"])
            texts = sites.fill_null("")
            wanted = model.compute.equal(types, "ground")
        chosen = np.flatnonzero(wanted.fill_null(False).to_numpy(zero_copy_only=False))
        encoded = texts.take(pa.array(chosen)).dictionary_encode()
        names = encoded.dictionary.to_pylist()
        rows, codes = flat.row[chosen], encoded.indices.to_numpy().astype(np.int64)
        # two cameras of one site in one conjunction are one
        once = ~pd.Series(rows * max(len(names), 1) + codes).duplicated().to_numpy()
        rows, codes = rows[once], codes[once]
    entries = _Entries(rows, codes, start[rows], end[rows], names)
    return entries.take(np.flatnonzero(~(np.isnat(entries.start) | np.isnat(entries.end))))


def _coincident(left: _Entries, right: _Entries, slack: np.timedelta64) -> tuple[Ints, Ints]:
    """Return the pairs of entries that share a thing and are no further apart than the slack."""
    if not len(left.row) or not len(right.row):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first = min(left.start.min(), right.start.min())
    wide = int(slack // np.timedelta64(1, "us"))
    length = int((max(left.end.max(), right.end.max()) - first).astype(np.int64)) + 1
    # things one after the other on one line of time, so that one search finds those of all
    joint = np.union1d(left.code, right.code)
    if length > np.iinfo(np.int64).max // (len(joint) + 1):
        raise AuroraxInputError(f"the conjunctions span {pd.Timedelta(length, 'us')}; compare shorter parts")
    begins, ends, bases = [], [], []
    for side in (left, right):
        base = np.searchsorted(joint, side.code) * length
        bases.append(base)
        begins.append((side.start - first).astype(np.int64))
        ends.append((side.end - first).astype(np.int64))
    order = np.lexsort((begins[1], bases[1]))
    start, end = (bases[1] + begins[1])[order], (bases[1] + ends[1])[order]
    low = np.searchsorted(np.maximum.accumulate(end), bases[0] + np.maximum(begins[0] - wide, 0), side="left")
    high = np.searchsorted(start, bases[0] + np.minimum(ends[0] + wide, length - 1), side="right")
    counts = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(low)), counts)
    candidate = model.ranges(low, counts)
    reach = end[candidate] >= (bases[0] + np.maximum(begins[0] - wide, 0))[which]
    return which[reach], order[candidate[reach]]


def _shared(row: Ints, other: Ints, code: Ints, names: pd.Index[Any]) -> pd.DataFrame:
    """Return one row per pair of conjunctions, with the names of what they share, in alphabetical order."""
    order = np.lexsort((code, other, row))
    row, other, code = row[order], other[order], code[order]
    first = np.flatnonzero(np.r_[True, (row[1:] != row[:-1]) | (other[1:] != other[:-1])][: len(row)])
    counts = np.diff(first, append=len(row))
    texts = names.to_numpy(object)
    shared = texts[code[first]]
    for count in np.unique(counts[counts > 1]):
        at = np.flatnonzero(counts == count)
        together = code[first[at][:, None] + np.arange(count)]
        kinds = joint_codes(list(together.T))
        joined = [SEPARATOR.join(texts[together[one]]) for one in np.unique(kinds, return_index=True)[1]]
        shared[at] = np.array(joined, object)[kinds]
    return pd.DataFrame({"conjunction": row[first], "other": other[first], "shared": pd.Series(shared, dtype="str")})


def compare(df: pd.DataFrame, other: pd.DataFrame, on: CompareOn | None = None) -> Comparison:
    """
    Tell what a second read of a search gained, lost and changed.

    Parameters
    ----------
    df, other : pandas.DataFrame
        Conjunctions, the earlier and the later read.
    on : {"source", "site"}, optional
        Compare results of different queries all the same: rows belong together that have the same type and the same
        data sources, or the same sites and spacecraft. By default the query must be the same, and sources are
        compared; a frame that has lost its query is trusted.

    Returns
    -------
    Comparison
        ``gained``, ``lost`` and ``changed``, three frames. Rows of the same sources are one conjunction if their spans
        are equal or, failing that, share an epoch, each with one at most, by start. Numbers are compared to the last
        digit.

    Raises
    ------
    AuroraxInputError
        If the queries differ and `on` is not given, `on` is neither of the two, or a column is missing.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> gained, lost, changed = df.head(40).aurorax.compare(df.tail(45))
    >>> len(gained), len(lost), len(changed)
    (9, 4, 0)
    """
    choice("on", on, (None, "source", "site"))
    df, other = (require(frame, "compare", *model.CONJUNCTION_COLUMNS) for frame in (df, other))
    first, second = (get_provenance(frame.attrs).get("query") for frame in (df, other))
    if on is None and first and second and (differ := _difference(as_list(first), as_list(second))):
        raise AuroraxInputError(
            f"other is of another query (they differ in {differ}); give on='source' or on='site' to compare"
        )
    needed = ["conjunction_type", "data_sources"]
    both = pd.concat([df[needed], other[needed]], ignore_index=True)
    codes = source_set_codes(both, on or "source")
    mine, theirs = _matched(df, other, codes[: len(df)], codes[len(df) :])
    gained = other.iloc[np.setdiff1d(np.arange(len(other)), theirs)]
    lost = df.iloc[np.setdiff1d(np.arange(len(df)), mine)]
    return Comparison(gained, lost, _changed(df, other, mine, theirs))


def _difference(queries: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    """Return what the queries of two reads differ in; empty where both ask for the same."""
    if len(queries) != len(others):
        return "their number"
    return ", ".join(sorted(set().union(*map(differing, queries, others))))


def _matched(df: pd.DataFrame, other: pd.DataFrame, codes: Ints, other_codes: Ints) -> tuple[Ints, Ints]:
    sides = []
    for frame, numbers in ((df, codes), (other, other_codes)):
        spans = pd.DataFrame({"row": np.arange(len(frame)), "code": numbers})
        sides.append(spans.assign(start=frame["start"].to_numpy(), end=frame["end"].to_numpy()))
    left, right = sides
    keys = ["code", "start", "end"]
    for side in sides:
        # equal rows pair off in turn
        side["turn"] = side.groupby(keys).cumcount()
    same = left.merge(right, on=[*keys, "turn"], suffixes=("", "_other"))
    left = left[~left["row"].isin(same["row"])]
    right = right[~right["row"].isin(same["row_other"])]
    found = list(zip(same["row"], same["row_other"], strict=True))
    one, two = _coincident(_as_entries(left), _as_entries(right), np.timedelta64(0, "us"))
    mine, theirs = left.iloc[one], right.iloc[two]
    order = np.lexsort((theirs["row"], mine["row"], theirs["start"], mine["start"], mine["code"]))
    taken: set[int] = set()
    used: set[int] = set()
    for row, match in zip(
        mine["row"].to_numpy()[order].tolist(), theirs["row"].to_numpy()[order].tolist(), strict=True
    ):
        if row not in taken and match not in used:
            taken.add(row)
            used.add(match)
            found.append((row, match))
    found.sort()
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _as_entries(spans: pd.DataFrame) -> _Entries:
    row, code, start, end = (spans[name].to_numpy() for name in ("row", "code", "start", "end"))
    return _Entries(row, code, start, end, [])


def _changed(df: pd.DataFrame, other: pd.DataFrame, mine: Ints, theirs: Ints) -> pd.DataFrame:
    columns: dict[str, Any] = {"conjunction": mine, "other": theirs}
    differs = np.zeros(len(mine), bool)
    for name in _VALUES:
        one, two = df[name].to_numpy()[mine], other[name].to_numpy()[theirs]
        differs |= ~((one == two) | (pd.isna(one) & pd.isna(two)))
        columns |= {name: one, f"{name}_other": two}
    changed = pd.DataFrame(columns)[differs].reset_index(drop=True)
    flat = model.flatten(df["data_sources"].iloc[mine[differs]])
    names = pd.Series(source_names(flat.fields).to_pylist(), dtype=object).groupby(flat.row).agg(SEPARATOR.join)
    changed.insert(2, "sources", names.reindex(range(len(changed)), fill_value="").astype("str").to_numpy())
    return changed.astype({"sources": "str"})


def at_window_edge(df: pd.DataFrame, start: Any = None, end: Any = None, step: Span | None = None) -> pd.Series[bool]:
    """
    Tell which conjunctions the window of the search may have cut.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`, of one search.
    start, end : anything that `pandas.Timestamp` takes, optional
        Window of the search, inclusive, UTC; by default that of the query which the frame comes from.
    step : str or pandas.Timedelta, optional
        Distance between epochs; by default that of the ephemeris in which the conjunctions were found, as the frame's
        provenance has it, else that of its query (a minute, or 30 s); 0 where spans begin and end between epochs.

    Returns
    -------
    pandas.Series of bool
        Whether a conjunction starts at the first epoch of the window or ends at the last (or, where spans are exact, at
        its bounds): it may go on outside, and its duration and least distance are not final. The frame's index.

    Raises
    ------
    AuroraxInputError
        If the frame does not know its query and the window is not given, or `step` is no span of time, or not given for a
        frame put together of frames with different steps.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> int(df.aurorax.at_window_edge().sum()), int(df.aurorax.at_window_edge(start="2020-01-01T00:08").sum())
    (0, 2)
    """
    df = require(df, "at_window_edge", "start", "end")
    # what is exact ends at the bound itself, what is of epochs at the last of them before it
    delta = max(step_of(df, step), pd.Timedelta("1us"))
    windows = query_windows(df, start, end) or [(None, None)]
    edge = pd.Series(False, index=df.index)
    for first, last in windows:
        if first is None or last is None:
            missing = "start" if first is None else "end"
            raise AuroraxInputError(f"{missing}: the frame does not know its query; give the window as start= and end=")
        if first > last:
            raise AuroraxInputError(f"start={first} is after end={last}; swap them")
        # of several windows each cuts the rows that it holds
        inside = (df["end"] >= first) & (df["start"] <= last) | (len(windows) == 1)
        edge |= inside & ((df["start"] - delta < first) | (df["end"] + delta > last))
    return edge.rename("at_window_edge")
