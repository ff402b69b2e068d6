"""Two frames side by side: which conjunctions coincide, what a later read changed, what the window cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import choice
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import SEPARATOR, require, source_names, source_sites
from aurorax_pandas.frame.identity import source_set_codes
from aurorax_pandas.frame.provenance import get_provenance, query_windows
from aurorax_pandas.sources import SPACECRAFT
from aurorax_pandas.times import Span, span

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
        If an argument cannot be used, or a column is missing.

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
    found = [np.empty((0, 2), np.int64)]
    names: list[str] = []
    theirs = {str(key): rows for key, rows in right.groupby("key")}
    for key, mine in left.groupby("key"):
        if str(key) in theirs:
            both = _coincident(mine, theirs[str(key)], slack)
            found.append(both)
            names += [str(key)] * len(both)
    pairs = pd.DataFrame(np.concatenate(found), columns=["conjunction", "other"]).assign(
        shared=pd.Series(names, dtype="str")
    )
    shared = pairs.groupby(["conjunction", "other"], sort=True)["shared"].agg(
        lambda texts: SEPARATOR.join(sorted(texts))
    )
    made: pd.DataFrame = shared.reset_index()
    row, column = made["conjunction"].to_numpy(), made["other"].to_numpy()
    start = np.maximum(df["start"].to_numpy()[row], other["start"].to_numpy()[column])
    end = np.minimum(df["end"].to_numpy()[row], other["end"].to_numpy()[column])
    apart = start > end
    for name, values in (("start", start), ("end", end)):
        made[name] = np.where(apart, np.datetime64("NaT"), values).astype(model.DATETIME)
    return made.astype({"conjunction": "int64", "other": "int64", "shared": "str"})


def _entries(df: pd.DataFrame, on: OverlapOn) -> pd.DataFrame:
    """Return one row per conjunction and thing to share: ``row``, ``key``, ``start``, ``end``."""
    if on == "time":
        rows, keys = np.arange(len(df)), pd.Series("", index=range(len(df)), dtype="str")
    else:
        flat = model.flatten(df["data_sources"])
        if on == "space":
            names = source_names(flat.fields).to_pylist()
            wanted = flat.column("source_type").isin(SPACECRAFT).to_numpy(bool)
        else:
            sites = model.compute.coalesce(source_sites(flat.fields), flat.fields["platform"])
            names = sites.fill_null("").to_pylist()
            wanted = (flat.column("source_type") == "ground").to_numpy(bool)
        rows, keys = flat.row[wanted], pd.Series(names, dtype="str")[wanted]
    entries = pd.DataFrame({"row": rows, "key": keys.to_numpy()}).drop_duplicates()
    at = entries["row"].to_numpy()
    return entries.assign(start=df["start"].to_numpy()[at], end=df["end"].to_numpy()[at]).dropna()


def _coincident(mine: pd.DataFrame, theirs: pd.DataFrame, slack: np.timedelta64) -> Ints:
    """Return the row positions of spans that are no further apart than the slack."""
    theirs = theirs.sort_values("start", kind="stable")
    start, end = theirs["start"].to_numpy(), theirs["end"].to_numpy()
    latest = np.maximum.accumulate(end)
    low = np.searchsorted(latest, mine["start"].to_numpy() - slack, side="left")
    high = np.searchsorted(start, mine["end"].to_numpy() + slack, side="right")
    counts = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(mine)), counts)
    candidate = model.ranges(low, counts)
    reach = end[candidate] >= mine["start"].to_numpy()[which] - slack
    return np.stack([mine["row"].to_numpy()[which[reach]], theirs["row"].to_numpy()[candidate[reach]]], axis=1)


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
        If the queries differ and `on` is not given, or an argument cannot be used.

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
    if on is None and first and second and first != second:
        differ = "they differ in their number"
        if isinstance(first, dict) and isinstance(second, dict):
            keys = sorted(key for key in {*first, *second} if first.get(key) != second.get(key))
            differ = f"they differ in {', '.join(keys)}"
        raise AuroraxInputError(f"other is of another query ({differ}); give on='source' or on='site' to compare")
    needed = ["conjunction_type", "data_sources"]
    both = pd.concat([df[needed], other[needed]], ignore_index=True)
    codes = source_set_codes(both, on or "source")
    mine, theirs = _matched(df, other, codes[: len(df)], codes[len(df) :])
    gained = other.iloc[np.setdiff1d(np.arange(len(other)), theirs)]
    lost = df.iloc[np.setdiff1d(np.arange(len(df)), mine)]
    return Comparison(gained, lost, _changed(df, other, mine, theirs))


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
    theirs: dict[Any, pd.DataFrame] = dict(list(right.groupby("code")))
    found = list(zip(same["row"], same["row_other"], strict=True))
    for code, rows in left.groupby("code"):
        if code not in theirs:
            continue
        taken: set[int] = set()
        used: set[int] = set()
        candidates = _coincident(rows, theirs[code], np.timedelta64(0, "us"))
        for one, two in sorted(candidates.tolist(), key=lambda pair: _starts(df, other, pair)):
            if one not in taken and two not in used:
                taken.add(one)
                used.add(two)
                found.append((one, two))
    found.sort()
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _starts(df: pd.DataFrame, other: pd.DataFrame, pair: Sequence[int]) -> tuple[Any, ...]:
    return df["start"].iloc[pair[0]], other["start"].iloc[pair[1]], *pair


def _changed(df: pd.DataFrame, other: pd.DataFrame, mine: Ints, theirs: Ints) -> pd.DataFrame:
    flat = model.flatten(df["data_sources"])
    names = pd.Series(source_names(flat.fields).to_pylist(), dtype=object).groupby(flat.row).agg(SEPARATOR.join)
    columns: dict[str, Any] = {
        "conjunction": mine,
        "other": theirs,
        "sources": names.reindex(mine, fill_value="").astype("str").to_numpy(),
    }
    differs = np.zeros(len(mine), bool)
    for name in _VALUES:
        one, two = df[name].to_numpy()[mine], other[name].to_numpy()[theirs]
        differs |= ~((one == two) | (pd.isna(one) & pd.isna(two)))
        columns |= {name: one, f"{name}_other": two}
    return pd.DataFrame(columns).astype({"sources": "str"})[differs].reset_index(drop=True)


def at_window_edge(df: pd.DataFrame, start: Any = None, end: Any = None, step: Span = "1min") -> pd.Series[bool]:
    """
    Tell which conjunctions the window of the search may have cut.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    start, end : anything that `pandas.Timestamp` takes, optional
        Window of the search, inclusive, UTC; by default that of the query which the frame comes from.
    step : str or pandas.Timedelta, default "1min"
        Distance between epochs.

    Returns
    -------
    pandas.Series of bool
        Whether a conjunction starts at the first epoch of the window or ends at the last: it may go on outside, and
        its duration and least distance are not final. The frame's index.

    Raises
    ------
    AuroraxInputError
        If the frame does not know its query and the window is not given.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> int(df.aurorax.at_window_edge().sum()), int(df.aurorax.at_window_edge(start="2020-01-01T00:08").sum())
    (0, 2)
    """
    df = require(df, "at_window_edge", "start", "end")
    delta = span("step", step)
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
