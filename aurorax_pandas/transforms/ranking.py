"""The order of rows by distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


def closest_positions(df: pd.DataFrame, group: npt.NDArray[Any], n: int = 1) -> npt.NDArray[np.int64]:
    """Give the positions of the `n` rows of least distance in each group, by group; ties by start, then position."""
    order = np.lexsort((df["start"].to_numpy(), df["min_distance"].to_numpy(), group))
    sorted_group = group[order]
    first = np.flatnonzero(np.r_[True, sorted_group[1:] != sorted_group[:-1]]) if len(order) else np.array([], np.int64)
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    chosen: npt.NDArray[np.int64] = order[rank < n]
    return chosen
