"""What the service has of its sources, in one call: ephemeris, data products, the list, availability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from aurorax_pandas.checks import either_word
from aurorax_pandas.options import hidden, service_in_force
from aurorax_pandas.signatures import HOW_IT_GOES, meeting, service_parameters
from aurorax_pandas.sources import platform_named
from aurorax_pandas.times import window

if TYPE_CHECKING:
    import xarray as xr

    from aurorax_pandas.query.filters import MetadataFilter
    from aurorax_pandas.service.deadline import Timeout


@meeting(
    verbose=HOW_IT_GOES,
    return_immediately="EphemerisSearch(...).execute() submits a search and returns",
    response_format="the Dataset has all variables; choose among them",
)
@service_parameters
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
    verbose=HOW_IT_GOES,
    return_immediately="DataProductSearch(...).execute() submits a search and returns",
    data_product_types="write types={value}",
)
@service_parameters
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
    **{
        f"{name}{plural}": f'choose rows of the frame: .query("{name} == {{value}}")'
        for name in ("program", "platform", "instrument_type", "source_type")
        for plural in ("", "s")
    },
)
@service_parameters
def read_aurorax_data_sources(
    *, api_url: str | None = None, api_key: str | None = None, timeout: Timeout = 60
) -> pd.DataFrame:
    """
    Read the service's data sources, with the metadata that searches can filter by.

    Parameters
    ----------
    timeout : float, str or pandas.Timedelta, default 60
        Seconds, or a span of time, after which to give up; None for no limit.

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
    from aurorax_pandas.service.deadline import deadline_of

    with Connection(service_in_force(api_url, api_key)).opened() as transport:
        return catalogue.fetch_data_sources(transport, deadline_of(timeout))


@meeting(verbose="leave it out", slow="leave it out", response_format="the frame has all fields; choose its columns")
@service_parameters
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
    timeout : float, str or pandas.Timedelta, default 60
        Seconds, or a span of time, after which to give up; None for no limit.

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
    from aurorax_pandas.service import catalogue
    from aurorax_pandas.service.connection import Connection
    from aurorax_pandas.service.deadline import deadline_of

    first, last = window(start, end)
    word, sites = either_word(platforms=platforms, platform=platform)
    names = {
        "program": either_word(programs=programs, program=program),
        "platform": (word, None if sites is None else list(map(platform_named, sites))),
        "instrument_type": either_word(instrument_types=instrument_types, instrument_type=instrument_type),
        "source_type": either_word(source_types=source_types, source_type=source_type),
    }
    with Connection(service_in_force(api_url, api_key)).opened() as transport:
        return catalogue.fetch_availability(transport, deadline_of(timeout), first[:10], last[:10], names)
