"""Network to frame in one call."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aurorax_pandas.checks import choice, either_word, flag, invalid
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.options import hidden
from aurorax_pandas.signatures import CALLS_OF_OTHERS, HOW_IT_GOES, meeting
from aurorax_pandas.sources import platform_named

if TYPE_CHECKING:
    import xarray as xr

    from aurorax_pandas.query.blocks import (
        CustomLocationsBlocks,
        EventsBlocks,
        GroundBlocks,
        SpaceBlocks,
    )
    from aurorax_pandas.query.filters import MetadataFilter
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
        A search that was run before, by anyone; its address works too, and so does the search itself.
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

        if flag("continuous", continuous):
            raise AuroraxInputError(
                "continuous=True is for the service; use find_conjunctions(ephemeris, continuous=True)"
            )
        return find_conjunctions(ephemeris, start, end, distance, **asked)
    flag("continuous", continuous)
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
        _check_continuous(continuous, wanted)
    connection = Connection.from_arguments(api_url, api_key, poll_interval=poll_interval, check_names=check_names)

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

    return read_between(wanted, search, timeout, api_url=api_url, api_key=api_key, poll_interval=poll_interval)


def _check_continuous(continuous: object, query: Query | None) -> None:
    """Raise where a search cannot be made between the minutes."""
    if continuous is not True:
        raise invalid("continuous", continuous, "True or False")
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


@meeting(
    verbose=HOW_IT_GOES,
    return_immediately="EphemerisSearch(...).execute() submits a search and returns",
    response_format="the Dataset has all variables; choose among them",
)
def read_aurorax_ephemeris(
    start: Any = None,
    end: Any = None,
    *,
    programs: str | Sequence[str] = (),
    platforms: str | Sequence[str] = (),
    instrument_types: str | Sequence[str] = (),
    metadata_filters: MetadataFilter | Mapping[str, Any] | None = None,
    request_id: str | None = None,
    api_url: str | None = None,
    api_key: str | None = None,
    poll_interval: float = 1.0,
    timeout: Timeout = 3600,
    progress: bool = False,
    check_names: bool = True,
    cancel_on_interrupt: bool = False,
) -> xr.Dataset:
    """
    Read where data sources were from the service, as an ephemeris Dataset.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window, inclusive, UTC; what names a whole day, month or year as `end` means its last second.
    programs, platforms, instrument_types : str or sequence of str
        Names of data sources; at least one of the three, or metadata filters.
    metadata_filters : MetadataFilter or dict, optional
        Conditions on the metadata of the records.
    request_id : str, optional
        A search that was run before, in place of all the above.
    api_url, api_key, poll_interval, timeout, progress, check_names, cancel_on_interrupt
        As in `read_aurorax_conjunctions`.

    Returns
    -------
    xarray.Dataset
        Positions and magnetic footprints [degrees] by ``source`` and ``epoch`` (UTC), see `check_ephemeris`; metadata
        as further variables. Latitudes of spacecraft are geocentric, of stations geodetic, as the service has them.

    Raises
    ------
    AuroraxError
        As `read_aurorax_conjunctions`.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url:
    ...     ds = aurorax_pandas.read_aurorax_ephemeris("2020-01-01", "2020-01-01T00:09", programs="swarm", api_url=url)
    >>> dict(ds.sizes)
    {'source': 3, 'epoch': 10}
    """
    from aurorax_pandas.service.search import EphemerisSearch

    api_key = hidden(api_key)
    with EphemerisSearch(
        start,
        end,
        programs=programs,
        platforms=platforms,
        instrument_types=instrument_types,
        metadata_filters=metadata_filters,
        request_id=request_id,
        api_url=api_url,
        api_key=api_key,
        poll_interval=poll_interval,
        check_names=check_names,
    ) as search:
        return search.run(timeout, progress=progress, cancel_on_interrupt=cancel_on_interrupt)


@meeting(
    verbose="progress=True shows how it goes",
    return_immediately="DataProductSearch(...).execute() submits a search and returns",
    data_product_types="write types={value!r}",
)
def read_aurorax_data_products(
    start: Any = None,
    end: Any = None,
    *,
    programs: str | Sequence[str] = (),
    platforms: str | Sequence[str] = (),
    instrument_types: str | Sequence[str] = (),
    types: str | Sequence[str] = (),
    metadata_filters: MetadataFilter | Mapping[str, Any] | None = None,
    request_id: str | None = None,
    api_url: str | None = None,
    api_key: str | None = None,
    poll_interval: float = 1.0,
    timeout: Timeout = 3600,
    progress: bool = False,
    check_names: bool = True,
    cancel_on_interrupt: bool = False,
) -> pd.DataFrame:
    """
    Read which data products the service knows: keograms, montages, movies and summary plots, with their addresses.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window, inclusive, UTC; what names a whole day, month or year as `end` means its last second.
    programs, platforms, instrument_types : str or sequence of str
        Names of data sources; at least one of the three, or `types`, or metadata filters.
    types : str or sequence of {"keogram", "montage", "movie", "summary_plot", "data_availability"}
        Kinds of data products; by default all.
    metadata_filters : MetadataFilter or dict, optional
        Conditions on the metadata of the products.
    request_id : str, optional
        A search that was run before, in place of all the above.
    api_url, api_key, poll_interval, timeout, progress, check_names, cancel_on_interrupt
        As in `read_aurorax_conjunctions`.

    Returns
    -------
    pandas.DataFrame
        One row per product: ``identifier``, ``program``, ``platform``, ``instrument_type``, ``source_type``,
        ``display_name`` of its data source, ``data_product_type`` (category), ``start``, ``end`` (UTC), ``url``, and
        ``metadata`` as JSON text, since its keys are free: ``df["metadata"].map(json.loads)`` gives dicts. Sorted by
        ``start``, then ``identifier`` and ``data_product_type``; see `DataProductSchema`.

    Raises
    ------
    AuroraxError
        As `read_aurorax_conjunctions`.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> from aurorax_pandas import sandbox
    >>> made = pd.DataFrame({
    ...     "identifier": [46], "program": ["themis-asi"], "platform": ["gillam"], "instrument_type": ["panchromatic ASI"],
    ...     "source_type": ["ground"], "display_name": ["THEMIS-ASI GILL"], "data_product_type": ["keogram"],
    ...     "start": ["2020-01-01"], "end": ["2020-01-01T23:59:59"], "url": ["https://example.org/keogram.png"]})
    >>> with sandbox.serve(data_products=made) as url:
    ...     df = aurorax_pandas.read_aurorax_data_products("2020-01-01", "2020-01-01", platforms="gillam",
    ...                                                    types="keogram", api_url=url)
    >>> df[["display_name", "url"]].values.tolist()
    [['THEMIS-ASI GILL', 'https://example.org/keogram.png']]
    """
    from aurorax_pandas.service.data_products import DataProductSearch

    api_key = hidden(api_key)
    with DataProductSearch(
        start,
        end,
        programs=programs,
        platforms=platforms,
        instrument_types=instrument_types,
        types=types,
        metadata_filters=metadata_filters,
        request_id=request_id,
        api_url=api_url,
        api_key=api_key,
        poll_interval=poll_interval,
        check_names=check_names,
    ) as search:
        return search.run(timeout, progress=progress, cancel_on_interrupt=cancel_on_interrupt)


@meeting(
    program="choose rows of the frame: .query('program == {value!r}')",
    platform="choose rows of the frame: .query('platform == {value!r}')",
    instrument_type="choose rows of the frame: .query('instrument_type == {value!r}')",
    source_type="choose rows of the frame: .query('source_type == {value!r}')",
)
def read_aurorax_data_sources(
    *, api_url: str | None = None, api_key: str | None = None, timeout: Timeout = 60
) -> pd.DataFrame:
    """
    Read the service's data sources, with the metadata that searches can filter by.

    Parameters
    ----------
    api_url, api_key, timeout
        As in `read_aurorax_conjunctions`; by default there is a minute for it.

    Returns
    -------
    pandas.DataFrame
        One row per data source: ``identifier``, ``program``, ``platform``, ``instrument_type``, ``source_type``,
        ``display_name``, ``site_code``, and the nested column ``metadata_fields``: ``field_name``, ``data_type``,
        ``description``, ``allowed_values``. Sorted by identifier.

    Raises
    ------
    AuroraxAPIError
        If the service refuses, or cannot be reached.
    AuroraxDataError
        If its answer holds no data sources, or one that fits no column.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url:
    ...     sources = aurorax_pandas.read_aurorax_data_sources(api_url=url)
    >>> sources.query("program == 'swarm'")["display_name"].tolist()
    ['Swarm A', 'Swarm B', 'Swarm C']
    """
    api_key = hidden(api_key)
    from aurorax_pandas.service import catalogue
    from aurorax_pandas.service.connection import Connection
    from aurorax_pandas.service.deadline import Deadline

    with Connection.from_arguments(api_url, api_key).opened() as transport:
        return catalogue.fetch_data_sources(transport, Deadline(timeout))


@meeting(verbose="leave it out", slow="leave it out", response_format="the frame has all fields; choose its columns")
def read_aurorax_availability(
    start: Any,
    end: Any,
    *,
    programs: str | Sequence[str] | None = None,
    platforms: str | Sequence[str] | None = None,
    instrument_types: str | Sequence[str] | None = None,
    source_types: str | Sequence[str] | None = None,
    program: str | Sequence[str] | None = None,
    platform: str | Sequence[str] | None = None,
    instrument_type: str | Sequence[str] | None = None,
    source_type: str | Sequence[str] | None = None,
    api_url: str | None = None,
    api_key: str | None = None,
    timeout: Timeout = 60,
) -> pd.DataFrame:
    """
    Read on which days the service has ephemeris of which data sources.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        First and last day, inclusive, UTC.
    programs, platforms, instrument_types, source_types : str or sequence of str, optional
        What the data sources must be; one of several names is enough, every argument that is given must hold. A
        platform that is a site may be given by its code (``"GILL"``).
    program, platform, instrument_type, source_type : str or sequence of str, optional
        The same in other words.
    api_url, api_key, timeout
        As in `read_aurorax_conjunctions`.

    Returns
    -------
    pandas.DataFrame
        One row per data source and day: ``identifier``, ``program``, ``platform``, ``instrument_type``,
        ``source_type``, ``display_name``, ``day`` and ``records`` (how many epochs; 0 for none).

    Raises
    ------
    AuroraxInputError
        If `start` or `end` is no instant, the first day is after the last or a century before it, a name is not text,
        or is misspelt.
    AuroraxAPIError
        If the service refuses, or cannot be reached.

    Warns
    -----
    AuroraxDataWarning
        If no source is known that has a name.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url, aurorax_pandas.set_options(api_url=url):
    ...     days = aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", programs="swarm")
    >>> days["records"].tolist()
    [1440, 1440, 1440]
    """
    api_key = hidden(api_key)
    from aurorax_pandas import times
    from aurorax_pandas.service import catalogue
    from aurorax_pandas.service.connection import Connection
    from aurorax_pandas.service.deadline import Deadline

    first, last = times.window(start, end)
    word, sites = either_word(platforms=platforms, platform=platform)
    names = {
        "program": either_word(programs=programs, program=program),
        "platform": (word, None if sites is None else list(map(platform_named, sites))),
        "instrument_type": either_word(instrument_types=instrument_types, instrument_type=instrument_type),
        "source_type": either_word(source_types=source_types, source_type=source_type),
    }
    with Connection.from_arguments(api_url, api_key).opened() as transport:
        return catalogue.fetch_availability(transport, Deadline(timeout), first[:10], last[:10], names)
