"""Conjunctions of the service, or of an ephemeris, in one call."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aurorax_pandas.checks import choice, flag
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.options import hidden, service_in_force
from aurorax_pandas.signatures import CALLS_OF_OTHERS, HOW_IT_GOES, meeting

if TYPE_CHECKING:
    import xarray as xr

    from aurorax_pandas.query.blocks import (
        CustomLocationsBlocks,
        EventsBlocks,
        GroundBlocks,
        SpaceBlocks,
    )
    from aurorax_pandas.query.query import Query, QueryArguments, QueryLike
    from aurorax_pandas.service.deadline import Timeout
    from aurorax_pandas.times import Span


@typed
@meeting(
    verbose=HOW_IT_GOES,
    return_immediately="ConjunctionSearch(...).execute() submits a search and returns",
    response_format="the frame has all fields; choose its columns",
    **CALLS_OF_OTHERS,
)
def read_aurorax_conjunctions(
    start: Any = None,
    end: Any = None,
    distance: float | Mapping[str, float | None] | None = None,
    *,
    ground: GroundBlocks = (),
    space: SpaceBlocks = (),
    events: EventsBlocks = (),
    custom_locations: CustomLocationsBlocks = (),
    conjunction_types: str | Sequence[str] | None = None,
    subminute_precision: bool | None = None,
    continuous: bool = False,
    query: QueryLike | None = None,
    request_id: str | None = None,
    api_url: str | None = None,
    api_key: str | None = None,
    poll_interval: float = 1.0,
    timeout: Timeout = 3600,
    progress: bool = False,
    on_bad_records: Literal["raise", "drop"] = "raise",
    engine: Literal["service", "local"] = "service",
    ephemeris: xr.Dataset | None = None,
    check_names: bool = True,
    cancel_on_interrupt: bool = False,
    chunk: Span | None = None,
    max_workers: int = 4,
    checkpoint: str | Path | None = None,
    overlap: Span = "1h",
) -> pd.DataFrame:
    """
    Search for conjunctions on the AuroraX service and return them as a typed frame.

    Also registered as ``pandas.read_aurorax_conjunctions``. Give either `start`, `end`, `distance` and criteria
    blocks, or `query`, or `request_id`.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window of the search, inclusive, UTC; an aware value is converted. What names a whole day, month or year
        as `end` (a text, a `datetime.date`, a `pandas.Period`) means its last second (``"2020-01-01"`` is
        2020-01-01 23:59:59), as in pandas' label slicing.
    distance : float or dict
        Largest distance [km] for every pair of criteria blocks, or a dict of pairs (``{"ground1-space1": 500}``),
        where None and a missing pair mean no limit. It is compared at whole minutes, in which a footprint moves 400 km:
        see `continuous`.
    ground, space, events, custom_locations : criteria block, dict, or sequence of them
        Who takes part: all blocks at once, from each block any of its sources; 2 to 10 blocks in all. Plain dicts,
        blocks of PyAuroraX, or `GroundCriteriaBlock`, `SpaceCriteriaBlock`, `EventsCriteriaBlock`, `CustomLocationsCriteriaBlock`.
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, optional
        Which locations are compared: magnetic footprints in the northern or southern hemisphere, or positions; by
        default ``"nbtrace"``. A finished query has its own.
    subminute_precision : bool, optional
        Whether epochs every 30 s are searched; by default the service's own minute.
    continuous : bool, default False
        Whether to return every span in which sources come within the distance, between the minutes too: the search is
        made 450 km wider for each source of a pair that moves, the ephemeris of what is found is read, and `refine` does
        the rest. By default what lies between two minutes is lost: of passes of Swarm within 50 km of a camera, 13 in 14.
    query : dict, str, pathlib.Path or search, optional
        A finished query, such as one from the AuroraX web page: a dict, its JSON text, a file, or a search (of
        PyAuroraX too) that sends it.
    request_id : str or search, optional
        A search that was run before, by anyone; its address works too, that of Swarm-Aurora's page which shows it, and
        the search itself.
    api_url, api_key : str, optional
        Service and key; by default those of `set_options`, then ``AURORAX_API_URL`` and ``AURORAX_API_KEY``,
        then ``https://api.aurorax.space`` without a key.
    poll_interval : float, default 1.0
        Seconds between questions for the status; the first come sooner, later ones up to 15 s apart.
    timeout : float, str or pandas.Timedelta, default 3600
        Seconds, or a span of time, for all of it: submitting, waiting, downloading. None for no limit.
    progress : bool, default False
        Whether to show a bar with the time and the service's latest log line.
    on_bad_records : {"raise", "drop"}, default "raise"
        What to do with records that break the schema: refuse the result, or leave them out with one warning.
    engine : {"service", "local"}, default "service"
        Who searches: the service, or `find_conjunctions` on this machine in `ephemeris`; nothing is sent then, and
        arguments about the service are refused.
    ephemeris : xarray.Dataset, optional
        Where the sources are, for the local engine.
    check_names : bool, default True
        Whether programs, platforms, instrument types and metadata keys are looked up among the service's data sources
        (read once a session) before anything is submitted.
    cancel_on_interrupt : bool, default False
        Whether Ctrl-C cancels the search on the service; by default it goes on, and the log says how to read it later.
    chunk : str, pandas.Timedelta or other span of time, optional
        Length of the windows that a long search is split into, ``"30D"`` for example, 30 s or more, or ``"MS"``,
        ``"QS"``, ``"YS"`` for months, quarters and years of the calendar; they are searched side by side and put
        together by `stitch`.
    max_workers : int, default 4
        How many windows of `chunk` are searched at a time.
    checkpoint : str or pathlib.Path, optional
        Folder that keeps each finished window, so that the same call after a crash or an interrupt asks only for what
        is missing, and goes on waiting for searches that still run. The same call with a later `end` or an earlier
        `start` extends it. ``conjunctions/year=YYYY/*.parquet`` in it is the data set: each conjunction once, whole,
        in the order of a read, for `load_conjunctions` of the folder and any other engine; while windows are missing,
        what these cannot change. One folder is for one search on one service, and for one process at a time.
    overlap : str, pandas.Timedelta or other span of time, default "1h"
        How far a window reaches into the next one. Conjunctions of pairs are exact without any; those of more sources
        are exact as long as they last no longer than this.

    Returns
    -------
    pandas.DataFrame
        One row per conjunction with the nine columns of the service: ``conjunction_type``, ``start``, ``end``,
        ``data_sources``, ``min_distance`` [km], ``max_distance`` [km], ``events``, ``closest_epoch``,
        ``farthest_epoch``; times in UTC. Sorted by ``start``, then ``closest_epoch``. Its origin is in
        ``df.aurorax.provenance``.

    Raises
    ------
    AuroraxInputError
        If an argument is missing, is not valid, or does not go with another; the message names it and the fix. Nothing
        is sent then.
    AuroraxAPIError
        If the service refuses, or cannot be reached.
    AuroraxSearchError
        If the search fails on the service.
    AuroraxTimeoutError
        If `timeout` passes; the error's ``request_id`` reads the result later. With `checkpoint` the same call goes on.
    AuroraxDataError
        If the result is damaged.
    AuroraxFileError
        If the folder of `checkpoint` cannot be written to; the same call goes on.
    AuroraxBulkError
        If windows of `chunk` or `checkpoint` fail for other reasons too, after the others have been finished; it lists
        them, and holds what was found.

    Warns
    -----
    AuroraxDataWarning
        If a criteria block names nothing, a name or a value adds nothing beside others, or records are left out or
        missing with ``on_bad_records="drop"``; with an `ephemeris` as `find_conjunctions`.

    Examples
    --------
    >>> import pandas as pd, aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url:
    ...     df = pd.read_aurorax_conjunctions(
    ...         "2020-01-01", "2020-01-01T06:59:59", 500,
    ...         ground=[{"programs": ["themis-asi"]}], space=[{"programs": ["swarm"]}], api_url=url)
    >>> len(df)
    49
    """
    api_key = hidden(api_key)
    choice("engine", engine, ("service", "local"))
    continuous = flag("continuous", continuous)
    if (engine == "local") != (ephemeris is not None):
        raise AuroraxInputError("engine='local' and ephemeris= go together; give both or neither")
    of_windows = {"max_workers": max_workers, "overlap": overlap}
    if ephemeris is not None:
        of_service = {
            "request_id": request_id, "api_url": api_url, "api_key": api_key, "poll_interval": poll_interval,
            "timeout": timeout, "progress": progress, "on_bad_records": on_bad_records, "check_names": check_names,
            "cancel_on_interrupt": cancel_on_interrupt, "chunk": chunk, "checkpoint": checkpoint,
        }  # fmt: skip
        _refuse_set("is for the service; the local engine takes none, leave it out", of_service | of_windows)
    asked: QueryArguments = {
        "ground": ground, "space": space, "events": events, "custom_locations": custom_locations,
        "conjunction_types": conjunction_types, "subminute_precision": subminute_precision, "query": query,
    }  # fmt: skip
    if ephemeris is not None:
        from aurorax_pandas.engine.find import find_conjunctions

        if continuous:
            raise AuroraxInputError(
                "continuous=True is for the service; use find_conjunctions(ephemeris, continuous=True)"
            )
        return find_conjunctions(ephemeris, start, end, distance, **asked)
    flag("cancel_on_interrupt", cancel_on_interrupt)
    in_windows = chunk is not None or checkpoint is not None
    if not in_windows:
        _refuse_set("is for a search in windows; give chunk= or checkpoint= too", of_windows)
    elif request_id is not None:
        raise AuroraxInputError("chunk= and checkpoint= split a new search; request_id= names one that was run")
    from aurorax_pandas.query.query import Query
    from aurorax_pandas.service.connection import Connection

    wanted = Query.unless_read(request_id, start, end, distance, **asked)
    if continuous:
        _check_continuous(wanted)
    connection = Connection(service_in_force(api_url, api_key), poll_interval, check_names)

    def search(query: Query | None, timeout: Timeout) -> pd.DataFrame:
        if in_windows and query is not None:
            from aurorax_pandas.service.windows import read_in_parts

            return read_in_parts(
                query,
                connection,
                chunk=chunk,
                overlap=overlap,
                max_workers=max_workers,
                checkpoint=checkpoint,
                timeout=timeout,
                progress=progress,
                on_bad_records=on_bad_records,
                cancel_on_interrupt=cancel_on_interrupt,
                continuous=continuous,
            )
        from aurorax_pandas.service.search import ConjunctionSearch

        with ConjunctionSearch.prepared(query, connection, request_id) as job:
            return job.run(
                timeout, progress=progress, cancel_on_interrupt=cancel_on_interrupt, on_bad_records=on_bad_records
            )

    if not continuous or wanted is None:
        return search(wanted, timeout)
    from aurorax_pandas.service.between import read_between

    return read_between(wanted, search, connection, timeout)


def _check_continuous(query: Query | None) -> None:
    """Raise where a search cannot be made between the minutes."""
    if query is None:
        raise AuroraxInputError(
            "request_id= names a search of minutes; read it, then df.aurorax.refine(df.aurorax.ephemeris(), distance)"
        )
    if query.subminute_precision:
        raise AuroraxInputError(
            "continuous=True finds what lies between half-minutes too; leave subminute_precision out"
        )


def _refuse_set(why: str, arguments: dict[str, Any]) -> None:
    """Raise where one of these arguments of the reader is not its default, since it would be of no effect."""
    parameters = inspect.signature(read_aurorax_conjunctions).parameters
    for name, value in arguments.items():
        plain = value is None or isinstance(value, str | int | float)
        if not (plain and value == parameters[name].default):
            raise AuroraxInputError(f"{name}= {why}")
