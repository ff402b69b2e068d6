"""Network to frame in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aurorax_pandas import criteria
from aurorax_pandas.exceptions import AuroraxInputError

if TYPE_CHECKING:
    import xarray as xr

    from aurorax_pandas.search import Timeout


def read_aurorax_conjunctions(
    start: Any = None,
    end: Any = None,
    distance: float | Mapping[str, float | None] | None = None,
    *,
    ground: criteria.GroundBlocks = (),
    space: criteria.SpaceBlocks = (),
    events: criteria.EventsBlocks = (),
    custom_locations: criteria.CustomLocationsBlocks = (),
    conjunction_types: str | Sequence[str] = ("nbtrace",),
    subminute_precision: bool | None = None,
    query: Mapping[str, Any] | str | Path | None = None,
    request_id: str | None = None,
    api_url: str | None = None,
    api_key: str | None = None,
    poll_interval: float = 1.0,
    timeout: Timeout = 3600,
    progress: bool = False,
    on_bad_records: Literal["raise", "drop"] = "raise",
    engine: Literal["service", "local"] = "service",
    ephemeris: xr.Dataset | None = None,
) -> pd.DataFrame:
    """
    Search for conjunctions on the AuroraX service and give them as a typed frame.

    Also registered as ``pandas.read_aurorax_conjunctions``. Give either `start`, `end`, `distance` and criteria
    blocks, or `query`, or `request_id`.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window of the search, inclusive, UTC; an aware value is converted. A text that names a whole day, month or
        year as `end` means its last second (``"2020-01-01"`` is 2020-01-01 23:59:59), as in pandas' label slicing.
    distance : float or dict
        Largest distance [km] for every pair of criteria blocks, or a dict of pairs (``{"ground1-space1": 500}``),
        where None and a missing pair mean no limit.
    ground, space, events, custom_locations : criteria block, dict, or sequence of them
        Who takes part: all blocks at once, from each block any of its sources; 2 to 10 blocks in all. Plain dicts
        or `GroundCriteriaBlock`, `SpaceCriteriaBlock`, `EventsCriteriaBlock`, `CustomLocationsCriteriaBlock`.
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, default ("nbtrace",)
        Which locations are compared: magnetic footprints in the northern or southern hemisphere, or positions.
    subminute_precision : bool, optional
        Whether epochs every 30 s are searched; by default the service's own minute.
    query : dict, str or pathlib.Path, optional
        A finished query, such as one from the AuroraX web page: a dict, its JSON text, or a file.
    request_id : str, optional
        A search that was run before, by anyone; its address works too.
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
        Who searches: the service, or `find_conjunctions` on this machine in `ephemeris`; nothing is sent then.
    ephemeris : xarray.Dataset, optional
        Where the sources are, for the local engine.

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
        If an argument cannot be used; nothing is sent then.
    AuroraxAPIError
        If the service refuses, or cannot be reached.
    AuroraxSearchError
        If the search fails on the service.
    AuroraxTimeoutError
        If `timeout` passes; the error's ``request_id`` reads the result later.
    AuroraxDataError
        If the result is damaged.

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
    if engine not in ("service", "local"):
        raise AuroraxInputError(f"engine={engine!r} is not valid; give 'service' or 'local'")
    if (engine == "local") != (ephemeris is not None):
        raise AuroraxInputError("engine='local' and ephemeris= go together; give both or neither")
    if ephemeris is not None:
        from aurorax_pandas.local import find_conjunctions

        if request_id is not None:
            raise AuroraxInputError("request_id= names a search on the service; the local engine has none")
        return find_conjunctions(
            ephemeris,
            start,
            end,
            distance,
            ground=ground,
            space=space,
            events=events,
            custom_locations=custom_locations,
            conjunction_types=conjunction_types,
            subminute_precision=subminute_precision,
            query=query,
        )
    from aurorax_pandas.search import ConjunctionSearch

    with ConjunctionSearch(
        start,
        end,
        distance,
        ground=ground,
        space=space,
        events=events,
        custom_locations=custom_locations,
        conjunction_types=conjunction_types,
        subminute_precision=subminute_precision,
        query=query,
        request_id=request_id,
        api_url=api_url,
        api_key=api_key,
        poll_interval=poll_interval,
    ) as search:
        return search.run(timeout, progress=progress, on_bad_records=on_bad_records)
