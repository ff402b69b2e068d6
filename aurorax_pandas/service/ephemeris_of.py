"""The ephemeris that the rows of a frame need, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aurorax_pandas.ephemeris.dataset import NO_IDENTIFIER, make_ephemeris
from aurorax_pandas.ephemeris.records import regular_ephemeris
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import require
from aurorax_pandas.frame.intervals import refuse_broken_spans
from aurorax_pandas.options import hidden, service_in_force
from aurorax_pandas.service.around import Ints, names_of, read_around, telling_of_origin
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.deadline import Timeout
from aurorax_pandas.service.search import EphemerisSearch
from aurorax_pandas.signatures import service_parameters
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    import xarray as xr


@service_parameters
def read_ephemeris_of(
    df: pd.DataFrame,
    pad: Span = "1min",
    *,
    api_url: str | None = None,
    api_key: str | None = None,
    timeout: Timeout = 3600,
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
    api_url, api_key : str, optional
        Service and key; by default those of `set_options` or of the environment, see `read_aurorax_conjunctions`. The address
        in the frame's provenance is not used: a frame can come from a file, and a key is not sent where a file says.

    Returns
    -------
    xarray.Dataset
        Ephemeris of the sources of the rows [degrees], see `check_ephemeris`; NaN outside the padded spans. Rows less
        than 12 hours apart are read by one search.

    Raises
    ------
    AuroraxInputError
        If the frame is empty, a row has no start or end or ends before it starts, or sources are none of the service's.
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
    refuse_broken_spans(df, "ephemeris")
    identifiers = model.flatten(df["data_sources"]).column("identifier")
    if (identifiers.fillna(NO_IDENTIFIER) < 0).any():
        raise AuroraxInputError(
            "some sources are places of your own; the service has no ephemeris of them, stations() makes it"
        )
    connection = Connection(service_in_force(api_url, api_key), poll_interval)
    with telling_of_origin(df, connection):
        return read_ephemeris_around(df, connection, timeout, pad)


def read_ephemeris_around(
    df: pd.DataFrame,
    connection: Connection,
    timeout: Timeout,
    pad: Span = "2min",
    *,
    window: tuple[pd.Timestamp, pd.Timestamp] | None = None,
) -> xr.Dataset:
    """Read the ephemeris, in a window, of those sources of conjunctions that the service holds, as `read_ephemeris_of`."""
    margin = span("pad", pad, zero=True)
    flat = model.flatten(df["data_sources"])
    sources = pd.DataFrame({name: flat.column(name) for name in model.SOURCE_FIELDS})
    held = (sources["identifier"].fillna(NO_IDENTIFIER) >= 0).to_numpy(bool)
    start = (df["start"] - margin).to_numpy()
    end = (df["end"] + margin).to_numpy()
    if window is not None:
        start, end = np.maximum(start, window[0].to_datetime64()), np.minimum(end, window[1].to_datetime64())

    def wanted(rows: Ints) -> pd.DataFrame:
        return sources[np.isin(flat.row, rows) & held].drop_duplicates("identifier")

    def search(rows: Ints, connection: Connection) -> EphemerisSearch:
        return EphemerisSearch.prepared(
            connection, start=start[rows].min(), end=end[rows].max(), **names_of(wanted(rows))
        )

    def made(rows: Ints, result: xr.Dataset) -> pd.DataFrame:
        found = _long(result)
        # names are ORed in each field, so a search can give more sources than it was meant to
        return found[found["identifier"].isin(wanted(rows)["identifier"])]

    found = read_around(start, end, search, made, connection, timeout)
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
