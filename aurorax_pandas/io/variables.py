"""Columns of a frame as variables of a Dataset, by the CF conventions, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.io import layout
from aurorax_pandas.sources import CONJUNCTION_TYPES, SOURCE_TYPES

if TYPE_CHECKING:
    import xarray as xr

CONVENTIONS: Final = "CF-1.11"
DIMS: Final = {"conjunctions": "conjunction", "events": "event", "pair_summary": "pair", "passes": "pass"}
NESTED_ENTRIES: Final = {"data_sources": "source", "events": "event"}
#: The nested columns of each kind of frame that has any, with the dimensions that hold their entries.
ENTRIES_OF: Final = {"conjunctions": NESTED_ENTRIES, "passes": {"stations": "station", "parents": "parent"}}
POSITION: Final = "conjunction_position"
#: What the field of an entry is called that has the name of the entry itself.
_OWN_FIELD: Final = {"station": "name", "parent": "row"}
_UNKNOWN: Final = -1
#: Beyond this an integer that was decoded as a float may not be what it was.
_EXACT: Final = 2.0**53
_UNITS: Final = {"microseconds": "us", "nanoseconds": "ns", "milliseconds": "ms", "seconds": "s"}
_SINCE: Final = "{} since 1970-01-01T00:00:00Z"
_FLAGS: Final = {"conjunction_type": CONJUNCTION_TYPES, "source_type": SOURCE_TYPES}

#: Units of the columns that verbs add.
_UNITS_OF_VERBS: Final = {
    "approach_distance": "km",
    "footprint_uncertainty": "km",
    "approach_elevation": "degree",
    "sun_elevation": "degree",
    "moon_elevation": "degree",
    **dict.fromkeys(("mlat", "mlon", "footprint_mlat", "footprint_mlon"), "degree"),
    **dict.fromkeys(("mlt", "footprint_mlt"), "hour"),
}
_LONG_NAMES: Final = {
    "conjunction_type": "which locations were compared",
    "start": "first epoch in range, UTC",
    "end": "last epoch in range, UTC",
    "min_distance": "least great-circle distance",
    "max_distance": "largest great-circle distance",
    "median_distance": "median of the events' least great-circle distances",
    "closest_epoch": "epoch of the least distance, UTC",
    "farthest_epoch": "epoch of the largest distance, UTC",
    "first_start": "first epoch in range of all events, UTC",
    "last_end": "last epoch in range of all events, UTC",
    "minutes": "time in conjunction",
    "count": "number of events",
    "approach_time": "interpolated time of the least distance, UTC",
    "approach_distance": "interpolated least great-circle distance",
    "approach_elevation": "elevation seen from the station at the least distance",
    "elevation_of": "what the elevation is of",
    "approach_at_edge": "whether the least distance is at the edge of the ephemeris",
    "spacecraft_hemisphere": "hemisphere of the spacecraft",
    "footprint_uncertainty": "distance between the footprints under two external fields",
    "hemisphere": "hemisphere of the spacecraft",
    "spacecraft": "name of the spacecraft, or of the formation",
    "closest_station": "station of the least distance",
    "station": "name of the station",
    "parent": "position of a conjunction of the pass, from 0",
    "conjunction": "position of the conjunction, from 0",
    "conjunction_label": "label of the conjunction",
    "pair": "both data sources",
    "identifier": "identifier of the data source",
    "program": "program of the data source",
    "platform": "platform of the data source",
    "instrument_type": "instrument type of the data source",
    "source_type": "type of the data source",
    "display_name": "name of the data source",
}


def entry_name(entry: str, field: str) -> str:
    """Return the name of the variable that holds a field of the entries of a nested column."""
    return f"{entry}_{_OWN_FIELD.get(field, field) if field == entry else field}"


def position_of(dim: str) -> str:
    """Return the name of the variable by which the entries of a row name it."""
    return f"{dim}_position"


def ragged_variables(dim: str, entry: str, flat: model.Flat) -> dict[str, xr.Variable]:
    """Return the variables that hold a nested column."""
    import xarray as xr

    variables = {entry_name(entry, name): variable_of(entry, name, array) for name, array in flat.fields.items()}
    count = {"long_name": f"number of {entry}s", "sample_dimension": entry, "units": "1"}
    variables[f"{entry}_count"] = xr.Variable(dim, flat.lengths, count)
    parent = {"long_name": f"position of the {dim} that the {entry} belongs to, from 0", "units": "1"}
    variables[f"{entry}_{dim}"] = xr.Variable(entry, flat.row, parent)
    return variables


def variable_of(dim: str, field: str, array: pa.Array) -> xr.Variable:
    """Return a column as a variable along a dimension."""
    import xarray as xr

    values, attrs = encoded(field, array)
    if not values.flags.writeable:
        # what Arrow holds cannot be written to, and may be the frame's own
        values = values.copy()
    side, _, bare = field.partition("_")
    key = bare if side in ("e1", "e2") else field
    if key in _LONG_NAMES:
        attrs["long_name"] = _LONG_NAMES[key] + (f", {side}" if key != field else "")
    elif field:
        # a column of the user's own says what it is itself
        attrs["long_name"] = field.replace("_", " ")
    if values.dtype.kind in "iufb" and "flag_meanings" not in attrs:
        attrs["units"] = model.UNITS.get(field) or _UNITS_OF_VERBS.get(field, "1")
    encoding: dict[str, Any] = {}
    if values.dtype.kind == "M":
        attrs |= {"standard_name": "time", "units_metadata": "leap_seconds: none"}
        encoding = time_encoding(values)
        if values.size and np.isnat(values).all():
            # the same from 1582 on; xarray looks for a time before that, and fails where all are missing
            encoding["calendar"] = "proleptic_gregorian"
    elif values.dtype.kind == "f":
        encoding = {"_FillValue": None}
    # else xarray takes texts through pandas, which gives each its own memory
    return xr.Variable(dim, values, attrs, encoding, fastpath=True)


def time_encoding(values: npt.NDArray[np.datetime64]) -> dict[str, Any]:
    """
    Return how times are written: in whole seconds where all are, which every tool shows, else in seconds as floats.

    What a float cannot hold to the last digit is written in the unit that it has, as an integer.
    """
    unit = np.datetime_data(values.dtype)[0]
    told = {"calendar": "standard", "dtype": "int64", "_FillValue": np.iinfo(np.int64).min}
    # no integer can stand for a missing time that tools would not show as one
    a_second = max(int(np.timedelta64(1, "s") / np.ones((), f"m8[{unit}]")), 1)
    if not np.isnat(values).any() and not (values.view(np.int64) % a_second).any():
        return {**told, "units": _SINCE.format("seconds")}
    if unit in ("us", "ms", "s") and np.array_equal(
        times_of_seconds(seconds_of_times(values)), values.astype("M8[us]"), equal_nan=True
    ):
        return {**told, "units": _SINCE.format("seconds"), "dtype": "float64", "_FillValue": np.nan}
    return {**told, "units": _SINCE.format(next(name for name, code in _UNITS.items() if code == unit))}


#: What integers of microseconds can tell [s].
_FARTHEST: Final = 2**63 / 1e6


def seconds_of_times(times: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Return times as seconds since 1970, NaN for those that are missing."""
    microseconds = times.astype("M8[us]").view(np.int64)
    seconds: npt.NDArray[np.float64] = np.where(np.isnat(times), np.nan, microseconds / 1e6)
    return seconds


def times_of_seconds(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    """Return what `seconds_of_times` was given, to the microsecond."""
    missing = np.isnan(seconds)
    with np.errstate(invalid="ignore"):
        whole = np.where(missing, 0, np.round(seconds * 1e6)).astype(np.int64)
    whole[missing] = np.iinfo(np.int64).min
    return whole.view("M8[us]")


def encoded(field: str, array: pa.Array) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return a column as an array of a dtype that NetCDF has, and the attributes that give it back."""
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    kind = array.type
    if not layout.is_flat(kind):
        raise TypeError(f"{kind} is no number, text or time")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        known = _FLAGS.get(field.removeprefix("e1_").removeprefix("e2_"))
        return _flags(array, known) if known else _texts(array)
    if pa.types.is_timestamp(kind):
        return array.cast(pa.timestamp(kind.unit)).to_numpy(zero_copy_only=False), {}
    if pa.types.is_duration(kind):
        array = array.cast(pa.int64())
    if pa.types.is_float16(kind):
        raise TypeError("NetCDF has no float16")
    if pa.types.is_floating(kind):
        return array.to_numpy(zero_copy_only=False), {}
    if not array.null_count:
        return array.to_numpy(zero_copy_only=False), {}
    if pa.types.is_boolean(kind):
        array = array.cast(pa.int8())
    present = array.drop_null().to_numpy()
    limits = np.iinfo(present.dtype)
    free = next((value for value in (limits.max, limits.min, *range(1, 256)) if value not in present), None)
    if free is None:
        raise TypeError("no integer is left to mean missing")
    return array.fill_null(free).to_numpy(), {"missing_value": present.dtype.type(free)}


def _flags(array: pa.Array, known: tuple[str, ...]) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    other = sorted(set(array.unique().drop_null().to_pylist()) - set(known))
    # flag_meanings are parted by blanks
    if any(not text or any(map(str.isspace, text)) for text in other) or "unknown" in other:
        return _texts(array)
    meanings = [*known, *other]
    codes = model.compute.index_in(array, pa.array(meanings, array.type)).fill_null(_UNKNOWN).to_numpy()
    attrs = {
        "flag_values": np.arange(_UNKNOWN, len(meanings), dtype=np.int8),
        "flag_meanings": " ".join(["unknown", *meanings]),
    }
    return codes.astype(np.int8), attrs


def _texts(array: pa.Array) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    # texts repeat, so each stands in memory once
    encoded = model.compute.dictionary_encode(array)
    texts = encoded.dictionary.to_pylist()
    attrs = {}
    if array.null_count:
        missing = ""
        while missing in texts:
            missing += "?"
        attrs["missing_text"] = missing
        texts.append(missing)
    places = encoded.indices.fill_null(len(texts) - 1).to_numpy()
    return np.array(texts, object)[places], attrs


def block_of(ds: xr.Dataset) -> layout.Block:
    """Return the metadata block of a Dataset."""
    if not hasattr(ds, "attrs") or isinstance(ds, pd.DataFrame | pd.Series):
        raise AuroraxInputError(f"a Dataset of to_xarray is needed, not a {type(ds).__name__}")
    if not isinstance(ds.attrs.get(provenance.KEY), str):
        raise AuroraxDataError(
            "the Dataset has no attrs['aurorax'] of to_xarray; keep it in calculations with xarray's keep_attrs"
        )
    return layout.parse_block(ds.attrs[provenance.KEY])


def decoded(values: npt.NDArray[Any], attrs: dict[str, Any], kind: pa.DataType) -> pa.Array:
    """Return the values of a variable as the column of a type that they were."""
    if "flag_meanings" in attrs:
        meanings = pa.array(str(attrs["flag_meanings"]).split(), kind)
        known = pd.Index(np.asarray(attrs["flag_values"])).get_indexer(pd.Index(values))
        if (known < 0).any():
            raise ValueError(f"a value is none of flag_values {np.asarray(attrs['flag_values']).tolist()}")
        return meanings.take(pa.array(known, mask=values == _UNKNOWN))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = values.astype(object)
        return pa.array(texts, kind, mask=texts == attrs["missing_text"] if "missing_text" in attrs else None)
    if pa.types.is_timestamp(kind):
        if values.dtype.kind == "f":
            if (np.abs(values) >= _FARTHEST).any():
                raise ValueError("a time is too far from 1970 to be one in seconds")
            values = times_of_seconds(values)
        elif values.dtype.kind == "i":
            values = values.view(f"M8[{_UNITS[str(attrs['units']).partition(' ')[0]]}]")
        return pa.array(values.astype(f"M8[{kind.unit}]")).cast(pa.timestamp(kind.unit)).cast(kind)
    if "missing_value" in attrs and values.dtype.kind != "f":
        return pa.array(values, mask=values == attrs["missing_value"]).cast(kind)
    if values.dtype.kind == "f" and pa.types.is_integer(kind) and (np.abs(values) >= _EXACT).any():
        raise ValueError(
            "integers above 2**53 were read as floats; open the file with mask_and_scale=False or load_conjunctions"
        )
    array = pa.array(values, from_pandas=True)
    return array.cast(pa.int64()).cast(kind) if pa.types.is_duration(kind) else array.cast(kind)
