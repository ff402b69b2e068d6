"""The service's data sources: read, remembered for the session, and used to check names before a search."""

from __future__ import annotations

import logging
import math
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import (
    AuroraxDataError,
    AuroraxDataWarning,
    AuroraxError,
    AuroraxInputError,
    callers_level,
)
from aurorax_pandas.frame import model
from aurorax_pandas.frame.answers import Int64
from aurorax_pandas.service.conditions import ListedSource
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.names import findings
from aurorax_pandas.service.transport import Transport
from aurorax_pandas.sources import (
    SOURCE_TYPES,
    bundled_sources,
    forget_sources,
    known_sources,
    remember_sources,
    site_codes,
    tell_of_unknown,
)

logger = logging.getLogger("aurorax_pandas")

_PATH: Final = "/api/v1/data_sources"
#: How long a check of names may take at most [s], and which part of the time that is left.
_PATIENCE: Final = 10.0
_SHARE: Final = 0.1
#: How long a failure is remembered [s].
_MEMORY: Final = 300.0
#: Most days that availability is read of at once.
_MOST_DAYS: Final = 36_525

#: Fields of one metadata field of a source.
METADATA_FIELDS: Final[dict[str, pa.DataType]] = {
    "field_name": pa.string(),
    "data_type": pa.string(),
    "description": pa.string(),
    "allowed_values": pa.string(),
}


_decode = msgspec.json.Decoder(list[ListedSource]).decode
_remembered: dict[str, list[ListedSource]] = {}
_failed_until: dict[str, float] = {}
_lock = threading.Lock()


def fetch_data_sources(transport: Transport, deadline: Deadline) -> pd.DataFrame:
    """
    Read all data sources of a service.

    Returns
    -------
    pandas.DataFrame
        ``identifier``, ``program``, ``platform``, ``instrument_type``, ``source_type`` (category), ``display_name``,
        ``site_code``, and the nested column ``metadata_fields`` (``field_name``, ``data_type``, ``description``,
        ``allowed_values`` joined by commas), sorted by identifier.

    Raises
    ------
    AuroraxAPIError
        If the service refuses, or cannot be reached.
    AuroraxDataError
        If its answer is no list of data sources.
    """
    sources = _sources_listed(transport, deadline)
    frame = pd.DataFrame(
        {
            name: pd.array([getattr(source, name) for source in sources], "int64" if name == "identifier" else "str")
            for name in model.SOURCE_FIELDS
        }
    )
    known = pd.CategoricalDtype(sorted({*SOURCE_TYPES, *frame["source_type"].dropna()}))
    frame["source_type"] = frame["source_type"].astype(known)
    sites = frame["platform"].map(site_codes()).astype("str")
    frame["site_code"] = sites.where(frame["source_type"] == "ground")
    fields = [source.ephemeris_metadata_schema or [] for source in sources]
    flat = [field for each in fields for field in each]
    columns = {
        name: pa.array([_joined_text(getattr(field, name)) for field in flat], kind)
        for name, kind in METADATA_FIELDS.items()
    }
    offsets = np.cumsum([0, *map(len, fields)]).astype(np.int64)
    frame["metadata_fields"] = model.nested_array(columns, offsets)
    return frame


def _sources_listed(transport: Transport, deadline: Deadline) -> list[ListedSource]:
    """Read all data sources of a service, and remember their names."""
    answer = transport.call("GET", f"{_PATH}?format=full_record", deadline=deadline)
    try:
        sources = sorted(_decode(answer.body), key=lambda source: source.identifier)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AuroraxDataError(f"the service's data sources cannot be read: {error}") from None
    remember_sources(
        pd.DataFrame({name: [getattr(source, name) for source in sources] for name in model.SOURCE_FIELDS})
    )
    return sources


def _joined_text(value: Any) -> str | None:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


class _Availability(msgspec.Struct, gc=False):
    data_source: ListedSource
    available_ephemeris: dict[str, Int64 | None] | None = None


_decode_availability = msgspec.json.Decoder(list[_Availability]).decode


def fetch_availability(
    transport: Transport, deadline: Deadline, start: str, end: str, names: Mapping[str, tuple[str, list[str] | None]]
) -> pd.DataFrame:
    """
    Read how many ephemeris records a service has by data source and day; see `read_aurorax_availability`.

    Parameters
    ----------
    transport, deadline
        The service, and by when it must have answered.
    start, end : str
        First and last day.
    names : mapping
        By field of a source the word that the caller used for it, and the names given by it, None for all.
    """
    if (pd.Timestamp(end) - pd.Timestamp(start)).days >= _MOST_DAYS:
        raise AuroraxInputError(f"start={start} to end={end} are more than {_MOST_DAYS} days; give a shorter span")
    filters = {field: wanted for field, (_, wanted) in names.items() if wanted is not None}
    # the service takes one name of each; of several the answer is looked through
    single = {field: wanted[0] for field, wanted in filters.items() if len(wanted) == 1}
    asked = urlencode({"start": start, "end": end, **single})
    answer = transport.call("GET", f"/api/v1/availability/ephemeris?{asked}", deadline=deadline)
    try:
        found = _decode_availability(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AuroraxDataError(f"the service's availability cannot be read: {error}") from None
    for field, allowed in filters.items():
        found = [each for each in found if getattr(each.data_source, field) in allowed]
        held = {getattr(each.data_source, field) for each in found}
        _tell_of_unknown(names[field][0], field, [name for name in allowed if name not in held])
    days = pd.date_range(start, end, freq="D", unit="us")
    rows = [
        (
            *(getattr(each.data_source, name) for name in model.SOURCE_FIELDS),
            day,
            (each.available_ephemeris or {}).get(str(day.date())) or 0,
        )
        for each in sorted(found, key=lambda each: each.data_source.identifier)
        for day in days
    ]
    frame = pd.DataFrame(rows, columns=[*model.SOURCE_FIELDS, "day", "records"])
    return frame.astype({"identifier": "int64", "day": model.DATETIME, "records": "int64"})


def _tell_of_unknown(word: str, field: str, names: Sequence[str]) -> None:
    """Raise where a name of which there is nothing is misspelt, warn where no source is known to have it."""
    known = set(known_sources()[field].dropna())
    for name in names:
        if name not in known:
            tell_of_unknown(word, name, known, "no source that the service lists")


def check_names(query: Mapping[str, Any], transport: Transport, deadline: Deadline) -> None:
    """
    Look up what a query names among the service's data sources.

    They are fetched once a session. Where they cannot be, the bundled snapshot, which does not hold all of them, only
    warns in the log; they are asked for again after some minutes.

    Raises
    ------
    AuroraxInputError
        If the query can match nothing: a block's names, metadata keys or values are of no source that can fill it; with
        a suggestion.

    Warns
    -----
    AuroraxDataWarning
        If a name or a value adds nothing beside others that do.
    """
    sources = _sources_on_service(transport, deadline)
    if sources is None:
        for finding in findings(query, _bundled()):
            logger.warning("%s, as far as the bundled list of data sources goes", finding.message)
        return
    found = list(findings(query, sources))
    for lasting, message in found:
        if lasting:
            raise AuroraxInputError(f"{transport.mask(message)} (check_names=False sends it all the same)")
    for finding in found:
        warnings.warn(transport.mask(finding.message), AuroraxDataWarning, stacklevel=callers_level())


def _bundled() -> list[ListedSource]:
    table = bundled_sources()[list(model.SOURCE_FIELDS)].astype(object)
    return [ListedSource(*row) for row in table.where(table.notna(), None).itertuples(index=False)]


def _sources_on_service(transport: Transport, deadline: Deadline) -> Sequence[ListedSource] | None:
    with _lock:
        url = transport.api_url
        if url not in _remembered:
            if deadline.now() < _failed_until.get(url, -math.inf):
                return None
            # a hint is not worth more of the caller's time
            try:
                found = _sources_listed(transport, deadline.share(_SHARE, _PATIENCE))
            except AuroraxError as error:
                logger.info("data sources cannot be read, names are checked against the bundled list: %s", error)
                found = []
            if not found:
                _failed_until[url] = deadline.now() + _MEMORY
                return None
            _remembered[url] = found
        return _remembered[url]


def forget_data_sources() -> None:
    """Forget the data sources read so far, so that the next check reads them again."""
    with _lock:
        _remembered.clear()
        _failed_until.clear()
    forget_sources()
