"""Conjunctions that were cut in time, put together again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.frame import model, ordering
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import require
from aurorax_pandas.frame.identity import event_pair_codes, source_set_codes
from aurorax_pandas.frame.intervals import group_bounds, overlap_clusters, refuse_broken_spans
from aurorax_pandas.frame.provenance import step_of
from aurorax_pandas.times import Span


@typed
def stitch(df: pd.DataFrame, step: Span | None = None) -> pd.DataFrame:
    """
    Join conjunctions that a cut in time has split.

    Parameters
    ----------
    df : pandas.DataFrame or dask.dataframe.DataFrame
        Conjunctions, for example those of several windows put together by `pandas.concat`.
    step : str or pandas.Timedelta, optional
        Distance between epochs: rows of one type between the same sources that overlap, or are no further apart
        than this, are one conjunction. By default that of the ephemeris in which they were found, as the frame's
        provenance has it, else that of its query (a minute, or 30 s); 0 where spans begin and end between epochs.

    Returns
    -------
    pandas.DataFrame or dask.dataframe.DataFrame
        The conjunctions in their total order (those of Dask in the order of their sources), with a fresh index. A joined one lasts from the first `start` to the
        last `end`; its ``min_distance`` [km] is the least, with the ``closest_epoch`` of the row that had it (of
        several the earliest), its ``max_distance`` [km] likewise; its events are joined in the same way. Columns of
        your own keep the value of the earliest row.

    Raises
    ------
    AuroraxInputError
        If a column is missing, a row has no start or no end, or `step` is no span of time.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> len(aurorax_pandas.stitch(pd.concat([df, df])))
    49
    """
    if is_dask_frame(df):
        return df.aurorax.stitch(step)  # type: ignore[no-any-return]
    df = require(df, "stitch", *model.CONJUNCTION_COLUMNS)
    refuse_broken_spans(df, "stitch")
    return stitch_within(df, step_of(df, step).to_timedelta64())


def stitch_within(df: pd.DataFrame, gap: np.timedelta64) -> pd.DataFrame:
    """Join conjunctions of one type between the same sources that are no further apart than a gap."""
    codes = source_set_codes(df)
    clusters = overlap_clusters(codes, df["start"].to_numpy(), df["end"].to_numpy(), gap)
    split = np.bincount(clusters)[clusters] > 1
    if not split.any():
        return ordering.in_order(df)
    joined = join_clusters(df[split], clusters[split], gap)
    whole = pd.concat([df[~split], joined]) if not split.all() else joined
    whole.attrs = df.attrs
    return ordering.in_order(whole)


def join_clusters(
    df: pd.DataFrame, clusters: npt.NDArray[np.int64], gap: np.timedelta64 | npt.NDArray[np.timedelta64]
) -> pd.DataFrame:
    """
    Join the rows of each cluster into one.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions.
    clusters : ndarray of int64
        The cluster of each row.
    gap : numpy.timedelta64 or ndarray of it
        Events of one pair no further apart than this, that of the row of the earlier, are one.
    """
    clusters = np.unique(clusters, return_inverse=True)[1]
    order = np.lexsort((df["start"].to_numpy(), clusters))
    joined = df.iloc[order[group_bounds(clusters[order])[:-1]]].copy()
    merged = _merged(df, clusters)
    for name, values in merged.items():
        joined[name] = values
    flat = model.flatten(df["events"])
    events = pd.DataFrame({name: flat.column(name) for name in ("start", "end", "min_distance", "max_distance")})
    pairs = event_pair_codes(flat.fields)
    group = clusters[flat.row] * (int(pairs.max(initial=0)) + 1) + pairs
    reach = np.broadcast_to(gap, len(df))[flat.row]
    spans = overlap_clusters(group, events["start"].to_numpy(), (events["end"] + reach).to_numpy())
    # events stay in the order in which their conjunction first has them
    first = pd.Series(np.arange(len(spans))).groupby(spans).min().to_numpy()
    parent = clusters[flat.row[first]]
    kept = np.lexsort((first, parent))
    summed = _merged(events, spans)
    fields = {name: values.take(first[kept]) for name, values in flat.fields.items()}
    for name in ("start", "end", "min_distance", "max_distance"):
        fields[name] = pa.array(summed[name][kept], model.EVENT_FIELDS[name])
    offsets = np.r_[0, np.cumsum(np.bincount(parent, minlength=len(joined)))]
    joined["events"] = model.nested_array(fields, offsets.astype(np.int64))
    return joined


def is_dask_frame(data: Any) -> bool:
    """Tell whether this is a frame of Dask, which has verbs of its own; Dask is not imported for it."""
    return hasattr(data, "__dask_graph__") and hasattr(data, "map_partitions")


def _merged(df: pd.DataFrame, clusters: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """Merge rows by cluster: the outermost span, the extreme distances, and the epochs of these."""
    spans = df[["start", "end"]].groupby(clusters)
    merged = {"start": spans["start"].min().to_numpy(), "end": spans["end"].max().to_numpy()}
    for distance, epoch, sign in (("min_distance", "closest_epoch", 1), ("max_distance", "farthest_epoch", -1)):
        values = df[distance].to_numpy()
        epochs = df[epoch].to_numpy() if epoch in df else df["start"].to_numpy()
        order = np.lexsort((epochs, sign * values, clusters))
        extreme = order[group_bounds(clusters[order])[:-1]]
        merged[distance] = values[extreme]
        if epoch in df:
            merged[epoch] = epochs[extreme]
    return merged
