"""From the rows of a frame to searches for what they need: those near in time by one search, several at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxAPIError, AuroraxError
from aurorax_pandas.frame.intervals import overlap_clusters
from aurorax_pandas.frame.provenance import get_provenance
from aurorax_pandas.options import service_of
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.deadline import Timeout, deadline_of
from aurorax_pandas.service.source_search import SourceSearch
from aurorax_pandas.service.workers import Workers
from aurorax_pandas.sources import NAMED_BY

#: Spans no further apart than this are read by one search.
MERGED_GAP: Final = np.timedelta64(12, "h")
MAX_WORKERS: Final = 4

_Result = TypeVar("_Result")
Ints = npt.NDArray[np.int64]


def read_around(
    start: npt.NDArray[Any],
    end: npt.NDArray[Any],
    search: Callable[[Ints, Connection], SourceSearch[_Result]],
    made: Callable[[Ints, _Result], pd.DataFrame],
    connection: Connection,
    timeout: Timeout,
) -> pd.DataFrame:
    """
    Search around spans of time and return what is made of the results, in the order of time.

    Parameters
    ----------
    start, end : ndarray of datetime64
        The spans, at least one.
    search : callable
        Returns the search for what the spans of some positions need.
    made : callable
        Returns the frame of the result of a search, of the same positions.
    connection : Connection
        The service.
    timeout : float, str, pandas.Timedelta or Deadline
        Seconds, or a span of time, for all searches together; None for no limit.

    Raises
    ------
    AuroraxError
        If a search fails; the others are stopped.
    """
    clusters = overlap_clusters(np.zeros(len(start), np.int64), start, end, MERGED_GAP)
    deadline = deadline_of(timeout)
    workers = Workers()
    # the names are those of sources that a frame has, so they are not looked up
    connection = replace(connection, check_names=False, sleep=workers.sleep)

    def read(cluster: int) -> pd.DataFrame:
        positions = np.flatnonzero(clusters == cluster)
        with search(positions, connection) as one, workers.watching(one):
            return made(positions, one.run(deadline))

    frames: dict[int, pd.DataFrame] = {}
    with workers:
        for cluster, result in workers.map(read, range(int(clusters.max()) + 1), MAX_WORKERS):
            if isinstance(result, AuroraxError):
                raise result
            frames[cluster] = result
    return pd.concat([frames[cluster] for cluster in sorted(frames)], ignore_index=True)


@contextlib.contextmanager
def telling_of_origin(df: pd.DataFrame, connection: Connection) -> Iterator[None]:
    """Add to an error of a service that the frame was read at another one, which is not asked unless it is given."""
    try:
        yield
    except AuroraxAPIError as error:
        origin = get_provenance(df.attrs).get("api_url")
        if isinstance(origin, str) and service_of(origin) != service_of(connection.api_url):
            error.add_note(f"The frame was read at another service; to ask that one, give api_url={shown(origin)}")
        raise


def names_of(sources: pd.DataFrame) -> dict[str, list[str]]:
    """Return the names by which data sources are searched for, each once, by the argument that takes them."""
    return {argument: sorted(sources[field].dropna().unique()) for argument, field in NAMED_BY.items()}
