"""The order of rows by distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


def group_order(group: npt.NDArray[Any], start: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Give the order of rows by group, then start, then position."""
    # frames mostly stand in the order of their starts, and few groups sort by radix
    by_start = np.argsort(start, kind="stable")
    few = group.max(initial=0) < np.iinfo(np.int16).max
    codes = group.astype(np.int16, copy=False) if few else group
    order: npt.NDArray[np.int64] = by_start.take(np.argsort(codes.take(by_start), kind="stable"))
    return order


def group_bounds(ordered: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Give where each group begins in group order, with the number of rows as the last."""
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    bounds: npt.NDArray[np.int64] = np.r_[np.zeros(min(len(ordered), 1), np.int64), changes, len(ordered)]
    return bounds


def closest_positions(df: pd.DataFrame, group: npt.NDArray[Any], n: int = 1) -> npt.NDArray[np.int64]:
    """Give the positions of the `n` rows of least distance in each group, by group; ties by start, then position."""
    order = np.lexsort((df["start"].to_numpy(), df["min_distance"].to_numpy(), group))
    bounds = group_bounds(group[order])
    rank = np.arange(len(order)) - np.repeat(bounds[:-1], np.diff(bounds))
    chosen: npt.NDArray[np.int64] = order[rank < n]
    return chosen
