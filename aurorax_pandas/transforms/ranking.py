"""The order of rows by distance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import model


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
    few = group.max(initial=0) < np.iinfo(np.int16).max
    # few groups sort by radix, and inside a group rows mostly stand in the order of their starts
    order = np.argsort(group.astype(np.int16, copy=False), kind="stable") if few else np.lexsort((start, group))
    grouped = Grouped(order, group_bounds(group.take(order)), start.take(order))
    if few:
        for rows in grouped.groups:
            starts = grouped.start[rows]
            if not (starts[1:] >= starts[:-1]).all():
                by_start = np.argsort(starts, kind="stable")
                order[rows], grouped.start[rows] = order[rows].take(by_start), starts.take(by_start)
    return grouped


def group_bounds(ordered: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Give where each group begins in group order, with the number of rows as the last."""
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    bounds: npt.NDArray[np.int64] = np.r_[np.zeros(min(len(ordered), 1), np.int64), changes, len(ordered)]
    return bounds


def closest_positions(df: pd.DataFrame, group: npt.NDArray[Any], n: int = 1) -> npt.NDArray[np.int64]:
    """Give the positions of the `n` rows of least distance in each group, by group; ties by start, then position."""
    order = np.lexsort((df["start"].to_numpy(), df["min_distance"].to_numpy(), group))
    rank = model.ranges(0, np.diff(group_bounds(group[order])))
    chosen: npt.NDArray[np.int64] = order[rank < n]
    return chosen
