"""The ephemeris that the rows of a frame need, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.ephemeris.dataset import NO_IDENTIFIER, make_ephemeris
from aurorax_pandas.ephemeris.records import regular_ephemeris
from aurorax_pandas.exceptions import AuroraxError, AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import require
from aurorax_pandas.frame.intervals import overlap_clusters
from aurorax_pandas.options import hidden
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.search import EphemerisSearch
from aurorax_pandas.service.workers import Workers
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    import xarray as xr

#: Spans no further apart than this are read by one search.
MERGED_GAP: Final = np.timedelta64(12, "h")
MAX_WORKERS: Final = 4


def read_ephemeris_of(
    df: pd.DataFrame,
    pad: Span = "1min",
    *,
    api_url: str | None = None,
    api_key: str | None = None,
    timeout: Any = 3600,
    poll_interval: float = 1.0,
) -> xr.Dataset:
    """
    Read from the service where the sources of conjunctions were, around these.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions.
    pad : str, pandas.Timedelta or other span of time, default "1min"
        How much before the start and after the end of each row.
    api_url, api_key, timeout, poll_interval
        As in `read_aurorax_conjunctions`. The address in the frame's provenance is not used: a frame can come from a
        file, and a key is not sent where a file says.

    Returns
    -------
    xarray.Dataset
        Ephemeris of the sources of the rows [degrees], see `check_ephemeris`; NaN outside the padded spans. Rows less
        than 12 hours apart are read by one search.

    Raises
    ------
    AuroraxInputError
        If the frame is empty, or has sources that the service does not hold.
    AuroraxError
        As `read_aurorax_ephemeris`.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1)
    >>> with sandbox.serve() as url:
    ...     ds = aurorax_pandas.read_ephemeris_of(df, api_url=url)
    >>> ds["display_name"].values.tolist()
    ['Swarm C', 'THEMIS-ASI GILL']
    """
    api_key = hidden(api_key)
    df = require(df, "ephemeris", "data_sources", "start", "end")
    span("pad", pad, zero=True)
    if df.empty:
        raise AuroraxInputError("the frame is empty: there is nothing to read ephemeris of")
    identifiers = model.flatten(df["data_sources"]).column("identifier")
    if (identifiers.fillna(NO_IDENTIFIER) < 0).any():
        raise AuroraxInputError(
            "some sources are places of your own; the service has no ephemeris of them, stations() makes it"
        )
    return read_ephemeris_around(
        df, pad, api_url=api_url, api_key=api_key, timeout=timeout, poll_interval=poll_interval
    )


def read_ephemeris_around(
    df: pd.DataFrame,
    pad: Span = "2min",
    *,
    window: tuple[pd.Timestamp | None, pd.Timestamp | None] = (None, None),
    api_url: str | None = None,
    api_key: str | None = None,
    timeout: Any = 3600,
    poll_interval: float = 1.0,
) -> xr.Dataset:
    """Read the ephemeris, in a window, of those sources of conjunctions that the service holds, as `read_ephemeris_of`."""
    margin = span("pad", pad, zero=True)
    flat = model.flatten(df["data_sources"])
    sources = pd.DataFrame({name: flat.column(name) for name in model.SOURCE_FIELDS})
    held = (sources["identifier"].fillna(NO_IDENTIFIER) >= 0).to_numpy(bool)
    start = (df["start"] - margin).to_numpy()
    end = (df["end"] + margin).to_numpy()
    if window[0] is not None and window[1] is not None:
        start, end = np.maximum(start, window[0].to_datetime64()), np.minimum(end, window[1].to_datetime64())
    clusters = overlap_clusters(np.zeros(len(df), np.int64), start, end, MERGED_GAP)
    deadline = Deadline(timeout)
    workers = Workers()

    def read(cluster: int) -> pd.DataFrame:
        rows = clusters == cluster
        wanted = sources[rows[flat.row] & held].drop_duplicates("identifier")
        programs, platforms, instrument_types = (
            sorted(wanted[column].dropna().unique()) for column in ("program", "platform", "instrument_type")
        )
        with (
            EphemerisSearch(
                start[rows].min(),
                end[rows].max(),
                programs=programs,
                platforms=platforms,
                instrument_types=instrument_types,
                api_url=api_url,
                api_key=api_key,
                poll_interval=poll_interval,
                check_names=False,
                sleep=workers.sleep,
            ) as search,
            workers.watching(search),
        ):
            found = _long(search.run(deadline))
        # names are ORed in each field, so a search can give more sources than it was meant to
        return found[found["identifier"].isin(wanted["identifier"])]

    frames: dict[int, pd.DataFrame] = {}
    with workers:
        for cluster, result in workers.map(read, range(int(clusters.max()) + 1), MAX_WORKERS):
            if isinstance(result, AuroraxError):
                raise result
            frames[cluster] = result
    found = pd.concat([frames[cluster] for cluster in sorted(frames)], ignore_index=True)
    if found.empty:
        return make_ephemeris(found[list(model.SOURCE_FIELDS)], [], {})
    return regular_ephemeris(found[_near_spans(found["epoch"].to_numpy(), start, end)])


def _long(dataset: xr.Dataset) -> pd.DataFrame:
    frame = dataset.to_dataframe().reset_index()
    positions = [name for name in frame if str(name).endswith(("_lat", "_lon"))]
    return frame.drop(columns="source").dropna(subset=positions, how="all")


def _near_spans(epochs: Any, start: Any, end: Any) -> Any:
    order = np.argsort(start)
    reached = np.maximum.accumulate(end[order])
    before = np.searchsorted(start[order], epochs, side="right") - 1
    return (before >= 0) & (epochs <= reached[np.maximum(before, 0)])
