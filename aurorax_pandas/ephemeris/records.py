"""The service's ephemeris records as an ephemeris Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pandas as pd

from aurorax_pandas.ephemeris.dataset import LOCATIONS, ephemeris_of_table
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.answers import Int64, read_times

if TYPE_CHECKING:
    import xarray as xr

_PLACE: Final = {"lat": True, "lon": True}
RESPONSE_FORMAT: Final[dict[str, Any]] = {
    "data_source": dict.fromkeys(model.SOURCE_FIELDS, True),
    "epoch": True,
    "location_geo": _PLACE,
    "nbtrace": _PLACE,
    "sbtrace": _PLACE,
    "metadata": True,
}
#: In microseconds.
_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
#: As many minutes as twenty years have.
_MOST_EPOCHS: Final = 10_600_000
#: What the service calls the locations of each prefix.
WIRE_NAMES: Final = {"geo": "location_geo", "nbtrace": "nbtrace", "sbtrace": "sbtrace"}


class _Place(msgspec.Struct, gc=False):
    lat: float | None = None
    lon: float | None = None


_NOWHERE: Final = _Place()


class _PlacedSource(msgspec.Struct, gc=False, frozen=True):
    identifier: Int64
    program: str
    platform: str
    instrument_type: str
    source_type: str
    display_name: str


class _Record(msgspec.Struct, gc=False):
    data_source: _PlacedSource
    epoch: str
    location_geo: _Place | None = None
    nbtrace: _Place | None = None
    sbtrace: _Place | None = None
    metadata: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Record).decode


def ephemeris_from_items(items: list[msgspec.Raw]) -> xr.Dataset:
    """
    Make an ephemeris of the service's records.

    Parameters
    ----------
    items : list of msgspec.Raw
        The records, undecoded; see `answers.split_records`.

    Returns
    -------
    xarray.Dataset
        Positions and traces [degrees], and each metadata field that holds single values as a variable. Epochs between
        the first and the last that no source has are filled in, NaN, so that the step is regular.

    Raises
    ------
    AuroraxDataError
        If a record cannot be read; the message names it, counted from 0.
    """
    columns: dict[str, list[Any]] = {name: [] for name in ("epoch", *model.SOURCE_FIELDS, "metadata")}
    places: dict[str, list[tuple[float, float]]] = {prefix: [] for prefix in LOCATIONS.values()}
    for number, item in enumerate(items):
        try:
            record = _decode(item)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise AuroraxDataError(f"ephemeris record {number} of {len(items)} cannot be used: {error}") from None
        for name in model.SOURCE_FIELDS:
            columns[name].append(getattr(record.data_source, name))
        columns["epoch"].append(record.epoch)
        columns["metadata"].append(record.metadata or {})
        for prefix, name in WIRE_NAMES.items():
            place: _Place = getattr(record, name) or _NOWHERE
            lat, lon = place.lat, place.lon
            places[prefix].append((np.nan, np.nan) if lat is None or lon is None else (lat, lon))
    try:
        epochs = read_times(columns.pop("epoch"))
    except ValueError as error:
        raise AuroraxDataError(f"an epoch of an ephemeris record cannot be read: {error}") from None
    metadata = pd.DataFrame(columns.pop("metadata"), index=range(len(items)))
    frame = pd.DataFrame({"epoch": epochs, **columns})
    for prefix, pairs in places.items():
        frame[[f"{prefix}_lat", f"{prefix}_lon"]] = np.array(pairs, np.float64).reshape(-1, 2)
    single = [name for name in metadata if not metadata[name].map(lambda value: isinstance(value, list | dict)).any()]
    own = [name for name in single if name not in frame]
    try:
        return regular_ephemeris(pd.concat([frame, metadata[own]], axis=1))
    except AuroraxInputError as error:
        # what is wrong is the service's, not an argument
        raise AuroraxDataError(f"the service's ephemeris records cannot be used: {error}") from None


def regular_ephemeris(frame: pd.DataFrame) -> xr.Dataset:
    """
    Make an ephemeris of rows whose epochs may have gaps; these are filled with NaN, so that the step is regular.

    Of rows of one source and epoch each column takes the first value that is there.

    Raises
    ------
    AuroraxDataError
        If the gaps are too many to be filled.
    """
    return ephemeris_of_table(_filled(frame))


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    if frame.duplicated(["identifier", "epoch"]).any():
        frame = frame.groupby(["identifier", "epoch"], sort=False, as_index=False).first()
    epochs = np.unique(frame["epoch"].to_numpy())
    if len(epochs) < 2:
        return frame
    # the service's epochs stand a minute apart, or a part of it, however far apart those at hand are
    gaps = np.diff(epochs).astype("m8[us]").astype(np.int64)
    step = np.gcd.reduce([*gaps, _MINUTE])
    if step < _SECOND:
        return frame
    count = int((epochs[-1] - epochs[0]).astype("m8[us]").astype(np.int64) // step) + 1
    if count > _MOST_EPOCHS:
        raise AuroraxDataError(
            f"{len(epochs)} epochs from {epochs[0]} to {epochs[-1]} would take {count} to be regular, more than "
            f"{_MOST_EPOCHS}; read a shorter window"
        )
    every = np.arange(epochs[0], epochs[-1] + np.timedelta64(step, "us"), np.timedelta64(step, "us"))
    missing = pd.DataFrame({"epoch": np.setdiff1d(every, epochs)})
    first = frame.iloc[0]
    for name in model.SOURCE_FIELDS:
        missing[name] = first[name]
    return pd.concat([frame, missing], ignore_index=True)
