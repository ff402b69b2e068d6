"""Spans of time: minutes in conjunction, and which spans overlap."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model

_NO_GAP: Final = np.timedelta64(0, "us")
_FARTHEST: Final = 2**61


def refuse_broken_spans(df: pd.DataFrame, verb: str) -> None:
    """Raise where a row has no start or no end, or ends before it starts: nothing can be counted by such a span."""
    broken = int(np.count_nonzero(~(df["start"].to_numpy() <= df["end"].to_numpy())))
    if broken:
        raise AuroraxInputError(
            f"{verb}: {broken} of {len(df)} rows have no start or end, or end before they start; mend them, or leave them "
            'out by df.query("start <= end")'
        )
    refuse_far_times(df, verb)


def refuse_far_times(df: pd.DataFrame, verb: str) -> None:
    """Raise where a start or an end lies so far away that the time between it and others cannot be counted."""
    for name in ("start", "end"):
        for found in (df[name].min(), df[name].max()):
            # integers of microseconds: the difference of two such is one, too
            if not pd.isna(found) and abs(found.to_datetime64().astype("M8[us]").view(np.int64)) > _FARTHEST:
                raise AuroraxInputError(
                    f"{verb}: the {name} {np.datetime_as_string(found.to_datetime64(), unit='D')} is more than 70 000 years "
                    f"from 1970; mend it, or leave such rows out"
                )


def overlap_clusters(
    group: npt.NDArray[Any],
    start: npt.NDArray[np.datetime64],
    end: npt.NDArray[np.datetime64],
    gap: np.timedelta64 = _NO_GAP,
) -> npt.NDArray[np.int64]:
    """
    Number the clusters of spans that overlap, directly or through others, inside each group.

    Parameters
    ----------
    group : ndarray of int
        Spans of different groups are never together.
    start, end : ndarray of datetime64
        The spans, both ends inside.
    gap : numpy.timedelta64, default 0
        Spans no further apart than this are together too.

    Returns
    -------
    ndarray of int64
        The cluster of each span; numbered by group, then start.
    """
    order, bounds, starts = group_rows(group, start)
    number = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    last = _latest(number, end[order])
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(number) != 0) | (starts[1:] - last[:-1] > gap)
    clusters = np.empty(len(order), np.int64)
    clusters[order] = np.cumsum(fresh) - 1
    return clusters


def covered_minutes(
    grouped: Grouped, end: npt.NDArray[np.datetime64], step: pd.Timedelta
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.datetime64]]:
    """
    Count the minutes that the spans of each group cover together [min], and find where the last of them ends.

    Parameters
    ----------
    grouped : Grouped
        The spans by group, then start.
    end : ndarray of datetime64
        The end of each span, in the order of the rows; both ends are inside.
    step : pandas.Timedelta
        Distance between epochs.
    """
    first, last = (times.astype("M8[us]", copy=False).view(np.int64) for times in (grouped.start, end))
    length = step // pd.Timedelta("1us")
    covered = np.empty(len(grouped.bounds) - 1, np.float64)
    latest = np.empty(len(covered), np.int64)
    for number, rows in enumerate(grouped.groups):
        begin, reached = first[rows], last.take(grouped.order[rows])
        np.maximum.accumulate(reached, out=reached)
        # from the first start to the last end, without what lies between a span and all those before it
        between = begin[1:] - reached[:-1] - length
        np.maximum(between, 0, out=between)
        covered[number] = reached[-1] - begin[0] + length - between.sum()
        latest[number] = reached[-1]
    return covered / 60e6, latest.view("M8[us]")


def union_minutes(
    group: npt.NDArray[np.int64],
    start: npt.NDArray[np.datetime64],
    end: npt.NDArray[np.datetime64],
    step: pd.Timedelta,
) -> pd.Series[float]:
    """Count the minutes that the spans of each group cover together, by group [min]."""
    grouped = group_rows(group, start)
    return pd.Series(covered_minutes(grouped, end, step)[0], index=group[grouped.order[grouped.bounds[:-1]]])


class Grouped(NamedTuple):
    """Rows by group, then start, then position: their order, where each group begins (and the last ends), their starts."""

    order: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]
    start: npt.NDArray[Any]

    @property
    def groups(self) -> list[slice]:
        """The places of each group in the order."""
        return list(map(slice, self.bounds[:-1].tolist(), self.bounds[1:].tolist()))


def group_rows(group: npt.NDArray[Any], start: npt.NDArray[Any]) -> Grouped:
    """Order rows by group, then start, then position."""
    low = min(int(group.min(initial=0)), 0)
    numbers = group.astype(np.int64) - low if low else group
    # few groups are moved, and sorted, as bytes
    if numbers.max(initial=0) <= np.iinfo(np.uint8).max:
        numbers = numbers.astype(np.uint8)
    # rows mostly stand in the order of their starts, and numbers sort by digits; a missing start is the last
    if (start[1:] >= start[:-1]).all():
        order = stable_order(numbers)
    else:
        order = np.argsort(start, kind="stable")
        order = order.take(stable_order(numbers.take(order)))
    return Grouped(order, group_bounds(numbers.take(order)), start.take(order))


def stable_order(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the order of numbers from 0 on that keeps equal ones as they stand, by digits of 16 bits."""
    if numbers.dtype == np.uint8:
        return np.argsort(numbers, kind="stable")
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    highest = int(numbers.max(initial=0)) >> 16
    digits = numbers
    while highest:
        digits = digits >> 16
        order = order[np.argsort(digits[order].astype(np.uint16), kind="stable")]
        highest >>= 16
    return order


def _latest(number: npt.NDArray[np.int64], end: npt.NDArray[np.datetime64]) -> npt.NDArray[Any]:
    """Return the latest end so far in each group; rows stand by group."""
    microseconds = end.astype("M8[us]", copy=False).view(np.int64)
    first = microseconds.min(initial=np.iinfo(np.int64).max)
    length = int(microseconds.max(initial=first)) - int(first) + 1
    if np.isnat(end).any() or length > np.iinfo(np.int64).max // (int(number.max(initial=0)) + 1):
        latest: npt.NDArray[Any] = pd.Series(end).groupby(number).cummax().to_numpy()
        return latest
    # later groups are above all ends of those before
    base = number * length
    reached: npt.NDArray[Any] = np.maximum.accumulate(base + (microseconds - first)) - base + first
    return reached.view("M8[us]")


def group_bounds(ordered: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return where each group begins in group order, with the number of rows as the last."""
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    bounds: npt.NDArray[np.int64] = np.r_[np.zeros(min(len(ordered), 1), np.int64), changes, len(ordered)]
    return bounds


def closest_positions(df: pd.DataFrame, group: npt.NDArray[Any], n: int = 1) -> npt.NDArray[np.int64]:
    """Return the positions of the `n` rows of least distance in each group, by group; ties by start, then position."""
    distance, start = df["min_distance"].to_numpy(), df["start"].to_numpy()
    # few rows have the least distances of their group, and to sort the others takes most of the time
    limit: npt.NDArray[Any] | float = np.inf
    if len(group) and (group == group[0]).all():
        limit = np.partition(distance, min(n, len(group)) - 1)[min(n, len(group)) - 1]
    elif n == 1:
        limit = pd.Series(distance).groupby(group).transform("min").to_numpy()
    # what is not a number is not above any
    rows = np.flatnonzero(~(distance > limit))
    order = rows[np.lexsort((start[rows], distance[rows]))]
    order = order[stable_order(group[order])]
    rank = model.ranges(0, np.diff(group_bounds(group[order])))
    chosen: npt.NDArray[np.int64] = order[rank < n]
    return chosen
