"""Conjunctions, events and pair summaries as xarray Datasets by the CF conventions, and back."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.io import layout
from aurorax_pandas.sources import CONJUNCTION_TYPES, SOURCE_TYPES

if TYPE_CHECKING:
    import xarray as xr

CONVENTIONS: Final = "CF-1.11"

_DIMS: Final = {"conjunctions": "conjunction", "events": "event", "pair_summary": "pair"}
_NESTED: Final = {"data_sources": "source", "events": "event"}
_POSITION: Final = "conjunction_position"
_UNKNOWN: Final = -1
#: Beyond this an integer that was decoded as a float may not be what it was.
_EXACT: Final = 2.0**53
_UNITS: Final = {"microseconds": "us", "nanoseconds": "ns", "milliseconds": "ms", "seconds": "s"}
_FLAGS: Final = {"conjunction_type": CONJUNCTION_TYPES, "source_type": SOURCE_TYPES}

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
    "pair": "both data sources",
    "identifier": "identifier of the data source",
    "program": "program of the data source",
    "platform": "platform of the data source",
    "instrument_type": "instrument type of the data source",
    "source_type": "type of the data source",
    "display_name": "name of the data source",
}


def to_xarray(df: pd.DataFrame) -> xr.Dataset:
    """
    Return a frame as an xarray Dataset that follows the CF conventions.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events` and `pair_summary`.

    Returns
    -------
    xarray.Dataset
        Conjunctions have the dimensions ``conjunction``, ``source`` and ``event``. ``source_count`` and
        ``event_count`` say how many entries of these belong to each conjunction, in order (contiguous ragged
        arrays); ``source_conjunction`` and ``event_conjunction`` give the position of the parent. Distances in
        [km], times in UTC; ``conjunction_type`` and ``source_type`` are integers with ``flag_meanings``. A missing
        integer is the variable's ``missing_value``, a missing text its ``missing_text``. ``conjunction_position`` keeps
        the first order of the conjunctions, so that they can be chosen and sorted by xarray's own methods too. The
        index is the coordinate of the first dimension, or one coordinate for each level. ``attrs["aurorax"]`` holds the
        provenance and what `to_dataframe` needs, as JSON. The other frames have one dimension, ``event`` or ``pair``.

    Raises
    ------
    AuroraxInputError
        If a column is missing or cannot be kept.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ds = aurorax_pandas.load_sample_conjunctions().aurorax.to_xarray()
    >>> dict(ds.sizes), float(ds["min_distance"].min())
    ({'conjunction': 49, 'source': 98, 'event': 49}, 53.391843)
    >>> ds["event_e1_display_name"].values[0]
    'THEMIS-ASI TALO'
    """
    import xarray as xr

    block = layout.describe(df, "to_xarray")
    kind = block["kind"]
    missing = [name for name in layout.columns_of(kind) if name not in df.columns]
    if missing:
        raise AuroraxInputError(f"to_xarray needs the column(s) {', '.join(missing)}; they are not in the frame")
    layout.check_own_columns(df, block, "to_xarray", round_trip, nested=False)
    parts = layout.take_apart(df)
    layout.check_column_names(df, names_taken(kind, parts), "to_xarray")
    dim = _DIMS[kind]
    variables = {name: _variable(dim, name, array) for name, array in parts.columns.items()}
    if kind == "conjunctions":
        told = {"long_name": "position of the conjunction, from 0, by which its sources and events name it"}
        variables[_POSITION] = xr.Variable(dim, np.arange(len(df)), told)
    for column, entry in _NESTED.items():
        if column in parts.nested:
            variables |= _ragged(dim, entry, parts.nested[column])
    if parts.levels:
        coordinates = {_level_name(dim, block, n): _variable(dim, "", level)
                       for n, level in enumerate(parts.levels)}  # fmt: skip
    else:
        coordinates = {dim: xr.Variable(dim, df.index.to_numpy())}
    for number, (name, variable) in enumerate(coordinates.items()):
        variable.attrs.setdefault("long_name", str(df.index.names[number] or f"label of the {dim}"))
        coordinates[name] = variable
    attrs = {
        "Conventions": CONVENTIONS,
        "title": f"AuroraX {kind.replace('_', ' ')}",
        provenance.KEY: layout.dump_block(block),
    }
    return xr.Dataset(variables, coordinates, attrs)


def round_trip(array: pa.Array) -> pa.Array:
    """Return a column as it comes back from a Dataset."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    values, attrs = _values("", array)
    return _arrow(values, attrs, kind)


def names_taken(kind: str, parts: layout.Parts) -> set[str]:
    """Name the variables and dimensions that are not columns of the frame."""
    dim = _DIMS[kind]
    levels = {f"{dim}_level_{number}" for number in range(len(parts.levels))}
    if kind != "conjunctions":
        return {dim, *levels} - set(layout.columns_of(kind))
    ours = {f"{entry}_{name}" for entry in _NESTED.values() for name in ("count", "conjunction")}
    fields = {f"{_NESTED[column]}_{name}" for column in _NESTED for name in parts.nested[column].fields}
    return {dim, _POSITION, *_NESTED.values(), *levels, *ours, *fields}


def _level_name(dim: str, block: layout.Block, number: int) -> str:
    return f"{dim}_level_{number}" if block["frame"]["index"]["multi"] else dim


def _ragged(dim: str, entry: str, flat: model.Flat) -> dict[str, xr.Variable]:
    import xarray as xr

    variables = {f"{entry}_{name}": _variable(entry, name, array) for name, array in flat.fields.items()}
    count = {"long_name": f"number of {entry}s", "sample_dimension": entry}
    variables[f"{entry}_count"] = xr.Variable(dim, flat.lengths, count)
    parent = {"long_name": f"position of the {dim} that the {entry} belongs to, from 0"}
    variables[f"{entry}_{dim}"] = xr.Variable(entry, flat.row, parent)
    return variables


def _variable(dim: str, field: str, array: pa.Array) -> xr.Variable:
    import xarray as xr

    values, attrs = _values(field, array)
    side, _, bare = field.partition("_")
    key = bare if side in ("e1", "e2") else field
    if key in _LONG_NAMES:
        attrs["long_name"] = _LONG_NAMES[key] + (f", {side}" if key != field else "")
    if field in model.UNITS:
        attrs["units"] = model.UNITS[field]
    encoding: dict[str, Any] = {}
    if values.dtype.kind == "M":
        attrs["standard_name"] = "time"
        unit = next(name for name, code in _UNITS.items() if code == np.datetime_data(values.dtype)[0])
        encoding = {
            "units": f"{unit} since 1970-01-01T00:00:00Z",
            "calendar": "standard",
            "dtype": "int64",
            "_FillValue": np.iinfo(np.int64).min,
        }
    elif values.dtype.kind == "f":
        encoding = {"_FillValue": None}
    # else xarray takes texts through pandas, which gives each its own memory
    return xr.Variable(dim, values, attrs, encoding, fastpath=True)


def _values(field: str, array: pa.Array) -> tuple[npt.NDArray[Any], dict[str, Any]]:
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


@typed
def to_dataframe(ds: xr.Dataset) -> pd.DataFrame:
    """
    Return the frame that a Dataset of `to_xarray` was made from.

    Parameters
    ----------
    ds : xarray.Dataset
        The Dataset, in memory, from a file or backed by Dask.

    Returns
    -------
    pandas.DataFrame
        The same frame: columns, dtypes, index and attrs. Variables that you added along its first dimension are
        further columns.

    Raises
    ------
    AuroraxDataError
        If the Dataset is none of `to_xarray`, or its variables no longer belong together.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas.testing import assert_conjunctions_equal
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> assert_conjunctions_equal(df.aurorax.to_xarray().aurorax.to_dataframe(), df)
    """
    block = block_of(ds)
    try:
        return _put_together(ds, block)
    except AuroraxDataError:
        raise
    except (pa.ArrowException, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # what may have been done to a Dataset knows no end
        raise AuroraxDataError(
            f"the Dataset is not as to_xarray made it: {error}; keep its dimensions, dtypes and attributes"
        ) from error


def _put_together(ds: xr.Dataset, block: layout.Block) -> pd.DataFrame:
    dim, frame = _DIMS[block["kind"]], block["frame"]
    lacking = [name for name in _names(block, dim) if name not in ds.variables]
    if lacking:
        raise AuroraxDataError(f"the Dataset lacks the variable {lacking[0]!r}")
    specs = {spec["name"]: spec for spec in frame["columns"]}
    columns = {
        name: _column(ds, name, layout.arrow_type(spec))
        for name, spec in specs.items()
        if spec["dtype"] != layout.NESTED
    }
    nested = {column: _flat_of_dataset(ds, entry, column) for column, entry in _NESTED.items()
              if specs.get(column, {}).get("dtype") == layout.NESTED}  # fmt: skip
    index, levels = _index_of_dataset(ds, dim, block)
    rows = ds.sizes[dim]
    frame = {**frame, "rows": rows, "index": index}
    df = layout.put_together({**block, "frame": frame}, layout.Parts(columns, levels, nested))
    for name in _added(ds, dim, block):
        values = ds[name].values
        df[name] = pd.Series(values, dtype="str" if values.dtype.kind in "UT" else None).to_numpy()
    return df


def keep_together(ds: xr.Dataset, verb: Callable[..., pd.DataFrame], *args: Any, **kwargs: Any) -> xr.Dataset:
    """Choose conjunctions of a Dataset by a verb for frames, its dimensions kept together."""
    return to_xarray(verb(to_dataframe(ds), *args, **kwargs))


def block_of(ds: xr.Dataset) -> layout.Block:
    """Return the metadata block of a Dataset."""
    if not isinstance(ds.attrs.get(provenance.KEY), str):
        raise AuroraxDataError(
            "the Dataset has no attrs['aurorax'] of to_xarray; keep it in calculations with xarray's keep_attrs"
        )
    return layout.parse_block(ds.attrs[provenance.KEY])


def _names(block: layout.Block, dim: str) -> list[str]:
    names = [spec["name"] for spec in block["frame"]["columns"] if spec["dtype"] != layout.NESTED]
    if block["kind"] == "conjunctions":
        names.append(_POSITION)
        for column, entry in _NESTED.items():
            fields = model.SOURCE_FIELDS if column == "data_sources" else model.EVENT_FIELDS
            names += [f"{entry}_count", f"{entry}_{dim}", *(f"{entry}_{name}" for name in fields)]
    names += [_level_name(dim, block, n) for n in range(len(block["frame"]["index"].get("levels", ())))]
    return names


def _added(ds: xr.Dataset, dim: str, block: layout.Block) -> list[Hashable]:
    known = set(_names(block, dim))
    return [name for name, variable in ds.data_vars.items() if variable.dims == (dim,) and name not in known]


def _index_of_dataset(ds: xr.Dataset, dim: str, block: layout.Block) -> tuple[dict[str, Any], list[pa.Array]]:
    spec: dict[str, Any] = block["frame"]["index"]
    if "levels" in spec:
        names = [_level_name(dim, block, number) for number in range(len(spec["levels"]))]
        types = [layout.arrow_type(one) for one in spec["levels"]]
        return spec, [_column(ds, name, kind) for name, kind in zip(names, types, strict=True)]
    labels = ds[dim].values if dim in ds.coords else np.arange(ds.sizes[dim])
    if np.array_equal(labels, np.arange(*spec["range"])):
        return spec, []
    level = pd.Series(labels, dtype="str" if labels.dtype.kind in "UTO" else None)
    return {"levels": [{"name": spec["name"], "dtype": str(level.dtype)}], "multi": False}, [layout.to_arrow(level)]


def _column(ds: xr.Dataset, name: str, kind: pa.DataType) -> pa.Array:
    variable = ds[name]
    if variable.ndim != 1:
        raise AuroraxDataError(
            f"the variable {name!r} has the dimensions {variable.dims} in place of one; choose by isel, or by the methods of "
            ".aurorax"
        )
    return _arrow(variable.values, {**variable.encoding, **variable.attrs}, kind)


def _arrow(values: npt.NDArray[Any], attrs: dict[str, Any], kind: pa.DataType) -> pa.Array:
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
        if values.dtype.kind == "i":
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


def _flat_of_dataset(ds: xr.Dataset, entry: str, column: str) -> model.Flat:
    lengths = np.asarray(ds[f"{entry}_count"].values, np.int64)
    parents = np.asarray(ds[f"{entry}_conjunction"].values, np.int64)
    positions = np.asarray(ds[_POSITION].values, np.int64)
    # conjunctions and entries are found by their positions, for xarray may have chosen or sorted either
    order = np.argsort(parents, kind="stable")
    first, stop = (np.searchsorted(parents, positions, side=side, sorter=order) for side in ("left", "right"))
    if not np.array_equal(stop - first, lengths):
        raise AuroraxDataError(
            f"{entry}_count and the dimension {entry!r} do not belong together; choose conjunctions, or choose "
            f"{entry}s with the methods of .aurorax"
        )
    taken = pa.array(order[model.ranges(first, lengths)])
    fields = model.SOURCE_FIELDS if column == "data_sources" else model.EVENT_FIELDS
    made = {name: _column(ds, f"{entry}_{name}", kind).take(taken) for name, kind in fields.items()}
    return model.Flat(made, lengths)
