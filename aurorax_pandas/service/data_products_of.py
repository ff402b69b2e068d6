"""The data products that show the events of a frame, in as few searches as it takes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.approach import rows_of_events
from aurorax_pandas.analysis.stations import of_side, station_sides
from aurorax_pandas.checks import known_name, names
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import SIDE_COLUMNS, as_events
from aurorax_pandas.frame.intervals import refuse_broken_spans
from aurorax_pandas.frame.products import DATA_PRODUCT_TYPES
from aurorax_pandas.options import hidden, service_in_force
from aurorax_pandas.service.around import Ints, names_of, read_around, telling_of_origin
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.data_products import DataProductSearch
from aurorax_pandas.service.deadline import Timeout
from aurorax_pandas.signatures import service_parameters

#: What shows an event: all kinds but the availability of data.
SHOWING: Final = ("keogram", "montage", "movie", "summary_plot")

_DAY: Final = np.timedelta64(1, "D")
_SECOND: Final = np.timedelta64(1, "s")


@service_parameters
def read_data_products_of(
    df: pd.DataFrame,
    types: str | Sequence[str] = SHOWING,
    *,
    api_url: str | None = None,
    api_key: str | None = None,
    timeout: Timeout = 3600,
    poll_interval: float = 1.0,
) -> pd.DataFrame:
    """
    Read from the service the keograms, montages, movies and summary plots that show conjunctions.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    types : str or sequence of str, default ("keogram", "montage", "movie", "summary_plot")
        Kinds of data products.
    api_url, api_key : str, optional
        Service and key; by default those of `set_options` or of the environment, see `read_aurorax_conjunctions`. The address
        in the frame's provenance is not used: a frame can come from a file, and a key is not sent where a file says.

    Returns
    -------
    pandas.DataFrame
        One row per event and product of its station (its ground source; of two the first in the pair's label) that
        shares some time with it: ``event`` (row position among the events), ``conjunction`` (row position in `df`),
        ``pair``, then the columns of `read_aurorax_data_products`, of which ``start`` and ``end`` are those of the
        product (UTC). Events without a ground source, or without any product, have no row. Days on which there are
        events are searched as a whole; those less than 12 hours apart by one search.

    Raises
    ------
    AuroraxInputError
        If no event has a ground source, a row has no start or end or ends before it starts, or a kind is not known.
    AuroraxError
        As `read_aurorax_data_products`.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> from aurorax_pandas import sandbox
    >>> made = pd.DataFrame({
    ...     "identifier": [46], "program": ["themis-asi"], "platform": ["gillam"], "instrument_type": ["panchromatic ASI"],
    ...     "source_type": ["ground"], "display_name": ["THEMIS-ASI GILL"], "data_product_type": ["keogram"],
    ...     "start": ["2020-01-01"], "end": ["2020-01-01T23:59:59"], "url": ["https://example.org/keogram.png"]})
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(2)
    >>> with sandbox.serve(data_products=made) as url:
    ...     shown = df.aurorax.data_products(api_url=url)
    >>> shown[["event", "data_product_type", "url"]].values.tolist()
    [[0, 'keogram', 'https://example.org/keogram.png'], [1, 'keogram', 'https://example.org/keogram.png']]
    """
    api_key = hidden(api_key)
    kinds = [known_name("types", kind, DATA_PRODUCT_TYPES) for kind in names("types", types)]
    if not kinds:
        raise AuroraxInputError(f"types is empty; give some of {', '.join(DATA_PRODUCT_TYPES)}")
    events = as_events(df, "data_products", "start", "end", "pair", *SIDE_COLUMNS)
    sides = station_sides(events)
    on_ground = of_side(events, sides, "source_type").eq("ground").to_numpy(bool)
    shown = np.flatnonzero(on_ground & of_side(events, sides, "identifier").notna().to_numpy(bool))
    if not len(shown):
        raise AuroraxInputError("no event of the frame has a ground source, so there is nothing that shows it")
    refuse_broken_spans(events.iloc[shown], "data_products")
    parents = rows_of_events(df, events)
    events, sides = events.iloc[shown], sides[shown]
    stations = pd.DataFrame({name: of_side(events, sides, name).array for name in model.SOURCE_FIELDS})
    begin, end = (events[name].to_numpy("M8[us]") for name in ("start", "end"))
    # of the service nobody knows whether it finds what reaches beyond a window, as the keogram of a day does
    first, last = begin.astype("M8[D]"), end.astype("M8[D]") + _DAY

    def search(rows: Ints, connection: Connection) -> DataProductSearch:
        return DataProductSearch.prepared(
            connection,
            start=first[rows].min(),
            end=last[rows].max().astype("M8[s]") - _SECOND,
            types=kinds,
            **names_of(stations.iloc[rows]),
        )

    def joined(rows: Ints, found: pd.DataFrame) -> pd.DataFrame:
        identifiers = stations["identifier"].to_numpy(np.int64)[rows]
        event, product = _shared_time(identifiers, begin[rows], end[rows], found)
        made = found.iloc[product].reset_index(drop=True)
        at = rows[event]
        made.insert(0, "event", shown[at].astype(np.int64))
        made.insert(1, "conjunction", parents[shown[at]].astype(np.int64))
        made.insert(2, "pair", events["pair"].iloc[at].array)
        made.attrs = {}
        return made

    connection = Connection(service_in_force(api_url, api_key), poll_interval)
    with telling_of_origin(df, connection):
        made = read_around(first.astype("M8[us]"), last.astype("M8[us]"), search, joined, connection, timeout)
    made["data_product_type"] = made["data_product_type"].astype("category")
    made = made.sort_values("event", kind="stable", ignore_index=True)
    made.attrs = copy.deepcopy(df.attrs)
    return made


def _shared_time(
    identifiers: npt.NDArray[np.int64], begin: npt.NDArray[Any], end: npt.NDArray[Any], products: pd.DataFrame
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the positions of each event and product of one source that share some time, in the events' order."""
    events, found = [np.array([], np.int64)], [np.array([], np.int64)]
    of_source = products["identifier"].to_numpy(np.int64)
    starts, ends = (products[name].to_numpy("M8[us]") for name in ("start", "end"))
    for identifier in np.unique(identifiers):
        mine = np.flatnonzero(identifiers == identifier)
        # products are sorted by their start; before the latest end so far reaches an event, none does
        its = np.flatnonzero(of_source == identifier)
        low = np.searchsorted(np.maximum.accumulate(ends[its]), begin[mine])
        count = np.maximum(np.searchsorted(starts[its], end[mine], side="right") - low, 0)
        at = np.repeat(np.arange(len(mine)), count)
        product = its[np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count) + low[at]]
        shared = ends[product] >= begin[mine[at]]
        events.append(mine[at[shared]])
        found.append(product[shared])
    event, product = np.concatenate(events), np.concatenate(found)
    order = np.argsort(event, kind="stable")
    return event[order], product[order]
