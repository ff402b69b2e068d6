"""Spans of time: minutes in conjunction, and which spans overlap."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.times import Span, span
from aurorax_pandas.transforms.events import require
from aurorax_pandas.transforms.ranking import Grouped, group_rows

_NO_GAP: Final = np.timedelta64(0)


def minutes(df: pd.DataFrame, step: Span = "1min") -> pd.Series[float]:
    """
    Count the minutes in conjunction of each row.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions or events.
    step : str or pandas.Timedelta, default "1min"
        Distance between epochs; ``"30s"`` for a search with sub-minute precision.

    Returns
    -------
    pandas.Series of float64
        ``end − start`` plus one step [min], since both ends are epochs in range; the frame's index.

    Examples
    --------
    >>> import aurorax_pandas
    >>> float(aurorax_pandas.load_sample_conjunctions().aurorax.minutes().sum())
    92.0
    """
    require(df, "minutes", "start", "end")
    return _in_minutes(df["end"] - df["start"] + span("step", step)).rename("minutes")


def _in_minutes(lengths: Any) -> pd.Series[float]:
    return cast("pd.Series[float]", (lengths / pd.Timedelta("1min")).astype("float64"))


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
    last: npt.NDArray[Any] = pd.Series(end[order]).groupby(number).cummax().to_numpy()
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(number) != 0) | (starts[1:] - last[:-1] > gap)
    clusters = np.empty(len(order), np.int64)
    clusters[order] = np.cumsum(fresh) - 1
    return clusters


def covered_minutes(grouped: Grouped, end: npt.NDArray[np.datetime64], step: pd.Timedelta) -> npt.NDArray[np.float64]:
    """
    Count the minutes that the spans of each group cover together [min].

    Parameters
    ----------
    grouped : Grouped
        The spans by group, then start.
    end : ndarray of datetime64
        Their ends in this order; both ends are inside.
    step : pandas.Timedelta
        Distance between epochs.
    """
    first, last = (times.astype("M8[us]", copy=False) for times in (grouped.start, end))
    length = step // pd.Timedelta("1us")
    covered = np.empty(len(grouped.bounds) - 1, np.float64)
    for number, rows in enumerate(grouped.groups):
        begin, reached = first[rows].view(np.int64), np.maximum.accumulate(last[rows]).view(np.int64)
        # what a span adds begins where the spans before it end
        added = reached[1:] - np.maximum(begin[1:] - length, reached[:-1])
        covered[number] = reached[0] - begin[0] + length + added.sum()
    return covered / 60e6


def union_minutes(
    group: npt.NDArray[np.int64],
    start: npt.NDArray[np.datetime64],
    end: npt.NDArray[np.datetime64],
    step: pd.Timedelta,
) -> pd.Series[float]:
    """Count the minutes that the spans of each group cover together, by group [min]."""
    grouped = group_rows(group, start)
    ordered = end[grouped.order]
    return pd.Series(covered_minutes(grouped, ordered, step), index=group[grouped.order[grouped.bounds[:-1]]])
