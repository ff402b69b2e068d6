"""A search of the service made into conjunctions between its minutes: wider, with the ephemeris, refined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from aurorax_pandas.engine.refine import refine
from aurorax_pandas.ephemeris.arcs import longest_step
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import ordering, provenance
from aurorax_pandas.query.query import Query
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.deadline import Timeout, deadline_of
from aurorax_pandas.service.ephemeris_of import read_ephemeris_around

_MINUTE: Final = np.timedelta64(1, "m")
# rows whose ephemeris is held at once
_WINDOW: Final = pd.Timedelta("10D")


def read_between(
    query: Query, search: Callable[[Query, Timeout], pd.DataFrame], connection: Connection, timeout: Timeout
) -> pd.DataFrame:
    """
    Return the conjunctions of a query between the minutes.

    Who comes within the distance between two minutes is within half a step more of it at the nearer one, for each
    source that moves; so the search is wider by half of the largest step.

    Parameters
    ----------
    query : Query
        What is asked for.
    search : callable
        Searches a query within a limit of time.
    connection : Connection
        The service that has the ephemeris.
    timeout : float, str, pandas.Timedelta or Deadline
        Seconds, or a span of time, for all of it; None for no limit.

    Raises
    ------
    AuroraxInputError
        If no pair of blocks has a limit; nothing is sent then.
    """
    deadline = deadline_of(timeout)
    payload = query.payload
    if all(distance is None for distance in payload["max_distances"].values()):
        raise AuroraxInputError(
            "continuous=True needs a distance to cross; no pair of blocks has a limit, give one [km]"
        )
    # the service knows whole numbers
    margin = round(longest_step(_MINUTE) / 2)
    wider = {
        pair: None
        if distance is None
        else distance + margin * sum(name.startswith("space") for name in pair.split("-"))
        for pair, distance in payload["max_distances"].items()
    }
    df = search(replace(query, max_distances=wider), deadline)
    origin = df.attrs[provenance.KEY]
    pieces = [df.iloc[:0]]
    # spans end with the window, so that only the minutes around its ends are needed beyond it
    window = pd.Timestamp(query.start).floor("min"), pd.Timestamp(query.end).ceil("min")
    for rows in _windows(df):
        ephemeris = read_ephemeris_around(rows, connection, deadline, window=window)
        pieces.append(refine(rows, ephemeris, payload["max_distances"]))
    found = ordering.in_order(pd.concat(pieces) if len(pieces) > 1 else pieces[0])
    found.attrs[provenance.KEY] = origin | {
        "query": payload,
        "step": "0s",
        "precision": provenance.CONTINUOUS,
        "margin": margin,
        "latitudes": "as the service has them",
    }
    return found


def _windows(df: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows in parts, so that no more ephemeris is held at once than one part needs."""
    part = (df["start"] - df["start"].min()) // _WINDOW
    return [rows for _, rows in df.groupby(part, sort=True)]
