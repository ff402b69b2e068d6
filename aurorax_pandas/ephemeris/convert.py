"""One door in for ephemerides: a table, PyAuroraX's objects, the service's JSON, or a Dataset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from aurorax_pandas.checks import reason_of, shown
from aurorax_pandas.ephemeris.dataset import check_ephemeris, ephemeris_of_table
from aurorax_pandas.ephemeris.records import WIRE_NAMES, ephemeris_from_items
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame.answers import split_records
from aurorax_pandas.frame.model import SOURCE_FIELDS
from aurorax_pandas.times import to_utc

if TYPE_CHECKING:
    import xarray as xr


def as_ephemeris(data: Any) -> xr.Dataset:
    """
    Return an ephemeris Dataset of what holds where sources were.

    Parameters
    ----------
    data : pandas.DataFrame, xarray.Dataset, bytes, str, pathlib.Path, mapping or iterable
        A frame with one row per source and epoch: ``epoch`` (UTC), ``identifier``, and locations in pairs, ``geo_lat``
        and ``geo_lon``, ``nbtrace_lat`` and ``nbtrace_lon``, ``sbtrace_lat`` and ``sbtrace_lon`` [degrees], NaN where
        there is none; ``program``, ``platform``, ``instrument_type``, ``source_type`` and ``display_name`` where they
        are given, else from the service's table of sources; any other column becomes a variable to filter by.
        Or what the service answers to an ephemeris search: as JSON (bytes, text, or the path of a file that holds it),
        or parsed, ``{"result": [...]}`` or the array alone. Or the ``EphemerisSearch`` of PyAuroraX, or a list of its
        ``EphemerisData`` objects. An ephemeris Dataset is checked and given back, its epochs in
        UTC if they have a zone.

    Returns
    -------
    xarray.Dataset
        The ephemeris, checked; see `check_ephemeris`. Epochs that a source lacks are NaN. Epochs, latitudes,
        longitudes and units are marked by the CF conventions.

    Raises
    ------
    AuroraxInputError
        If a column is missing or wrong, or this is none of these.
    AuroraxDataError
        If a record of the service cannot be used; the message names it, counted from 0.
    AuroraxAPIError
        If the answer holds an error of the service in place of a result.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> track = pd.DataFrame({"epoch": pd.date_range("2020-01-01", periods=3, freq="1min"), "identifier": 3,
    ...                       "nbtrace_lat": [56.0, 60.0, 64.0], "nbtrace_lon": [-94.0, -94.5, -95.0]})
    >>> aurorax_pandas.as_ephemeris(track)["display_name"].item()
    'Swarm A'
    """
    import xarray as xr

    if isinstance(data, xr.Dataset):
        epochs = data.indexes.get("epoch")
        if isinstance(epochs, pd.DatetimeIndex) and epochs.tz is not None:
            data = data.assign_coords(epoch=("epoch", epochs.tz_convert(None), data["epoch"].attrs))
    if isinstance(data, xr.Dataset | xr.DataArray):
        given: Any = data
        return check_ephemeris(given)
    if isinstance(data, pd.DataFrame):
        return ephemeris_of_table(data)
    if isinstance(data, str | Path) and not (isinstance(data, str) and data.lstrip("\ufeff \n\r\t")[:1] in ("[", "{")):
        data = _content(Path(data))
    if isinstance(data, str):
        data = data.encode()
    if isinstance(data, bytes):
        return ephemeris_from_items(split_records(data))
    return ephemeris_from_items(split_records(_json_of(data)))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise AuroraxInputError(
            f"data={shown(str(path))} is neither JSON text nor a file that can be read: {reason_of(error)}"
        ) from None


def _json_of(data: Any) -> bytes:
    """Return parsed records, or objects like them, as JSON."""
    if not isinstance(data, Mapping):
        # a search of PyAuroraX holds its records
        records = getattr(data, "data", data)
        if not isinstance(records, Iterable) or isinstance(records, memoryview):
            raise AuroraxInputError(
                f"data is a {type(data).__name__}; give a frame, the service's records or PyAuroraX's ephemeris"
            )
        data = [record if isinstance(record, Mapping) else _record_of(record) for record in records]
    try:
        return json.dumps(data, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise AuroraxDataError(f"the records cannot be read as the service's: {error}") from None


def _record_of(thing: Any) -> dict[str, Any]:
    """Return an object of PyAuroraX as the record that it was made of."""
    try:
        record: dict[str, Any] = {
            "data_source": {name: getattr(thing.data_source, name) for name in SOURCE_FIELDS},
            "epoch": to_utc("epoch", thing.epoch).isoformat(),
            "metadata": thing.metadata,
        }
        for name in WIRE_NAMES.values():
            place = getattr(thing, name)
            record[name] = None if place is None else {"lat": place.lat, "lon": place.lon}
    except AttributeError as error:
        raise AuroraxInputError(f"data holds a {type(thing).__name__}, which is no ephemeris record: {error}") from None
    return record
