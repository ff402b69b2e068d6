"""Conjunctions along one dimension, their sources and events as JSON: the form in which xarray combines Datasets."""

from __future__ import annotations

import json
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.layouts import NESTED_FIELDS
from aurorax_pandas.io import layout
from aurorax_pandas.io.variables import DIMS, NESTED_ENTRIES, POSITION, block_of, decoded, ragged_variables

if TYPE_CHECKING:
    import xarray as xr

_DIM: Final = DIMS["conjunctions"]
#: Tells for each row which search it is of, for the attributes of a combined Dataset are those of the first.
_CHECKSUM: Final = "provenance_checksum"
#: Stands for a text of the user's that is missing; of several Datasets xarray keeps the attributes of the first alone.
_MISSING_TEXT: Final = "<missing>"


def is_along_conjunction(ds: xr.Dataset) -> bool:
    """Tell whether a Dataset has this form."""
    return all(name in ds.variables and ds[name].dims == (_DIM,) for name in NESTED_FIELDS)


def flatten_dataset(ds: xr.Dataset, df: pd.DataFrame) -> xr.Dataset:
    """Return a Dataset of conjunctions, and the frame in it, in this form."""
    import xarray as xr

    block = block_of(ds)
    entries = list(NESTED_ENTRIES.values())
    ours = {
        f"{entry}_{name}"
        for entry, fields in zip(entries, NESTED_FIELDS.values(), strict=True)
        for name in (_DIM, *fields)
    }
    lost = [name for name, variable in ds.variables.items() if set(entries) & set(variable.dims) and name not in ours]
    if lost:
        raise AuroraxInputError(
            f"the variable {lost[0]!r} along {ds[lost[0]].dims} has no place along {_DIM!r}; drop it"
        )
    made = ds.drop_dims(entries).drop_vars([POSITION, *(f"{entry}_count" for entry in entries)])
    for spec in block["frame"]["columns"]:
        if spec["name"] not in model.CONJUNCTION_COLUMNS:
            made[spec["name"]] = _without_own_marks(made[spec["name"]], spec)
    for column in NESTED_FIELDS:
        told = {"long_name": f"{column.replace('_', ' ')} of the {_DIM}, as JSON"}
        made[column] = xr.Variable(_DIM, _json_of_entries(model.flatten(df[column])), told)
    told = {"long_name": "CRC-32 of the provenance"}
    made[_CHECKSUM] = xr.Variable(_DIM, np.full(len(df), _checksum(block)), told)
    return made


def ragged(ds: xr.Dataset) -> xr.Dataset:
    """Return a Dataset of this form, which several may have been combined to, in the form of `to_xarray`."""
    import xarray as xr

    block = block_of(ds)
    variables: dict[str, Any] = {POSITION: xr.Variable(_DIM, np.arange(ds.sizes[_DIM]))}
    for column, entry in NESTED_ENTRIES.items():
        try:
            flat = _flat_of_texts(ds[column].values, NESTED_FIELDS[column])
        except (pa.ArrowException, AttributeError, LookupError, TypeError, ValueError) as error:
            raise AuroraxDataError(f"{column} is not the JSON that along_conjunction wrote: {error}") from error
        variables |= ragged_variables(_DIM, entry, flat)
    if _CHECKSUM not in ds.variables or not (ds[_CHECKSUM].values == _checksum(block)).all():
        # rows of several searches: the provenance of the first would be told of all
        attrs = {name: value for name, value in block["frame"]["attrs"].items() if name != provenance.KEY}
        block = {**block, "frame": {**block["frame"], "attrs": attrs}}
    made = ds.drop_vars([*NESTED_FIELDS, _CHECKSUM], errors="ignore").assign(variables)
    return made.assign_attrs({provenance.KEY: layout.dump_block(block)})


def _checksum(block: layout.Block) -> int:
    told = block["frame"]["attrs"].get(provenance.KEY)
    return zlib.crc32(json.dumps(told, sort_keys=True).encode())


def _without_own_marks(variable: xr.DataArray, spec: dict[str, Any]) -> xr.DataArray:
    """Return a column of the user's with the same marks of missing values in every Dataset."""
    kind = layout.arrow_type(spec)
    attrs = {**variable.encoding, **variable.attrs}
    marked = next((name for name in ("missing_text", "missing_value") if name in attrs), None)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_whole = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    if not is_text and (not is_whole or isinstance(pd.api.types.pandas_dtype(spec["dtype"]), np.dtype)):
        return variable
    values = np.array(variable.values)
    if values.dtype == bool:
        values = values.astype(np.int8)
    mark = (
        _MISSING_TEXT
        if is_text
        else np.iinfo(values.dtype).min
        if values.dtype.kind == "i"
        else np.iinfo(values.dtype).max
    )
    if "flag_meanings" in attrs:
        values = np.array(decoded(values, attrs, kind).to_pylist(), object)
        gone = np.array([value is None for value in values], bool)
    else:
        gone = values == attrs[marked] if marked else np.zeros(len(values), bool)
    if (values[~gone] == mark).any():
        raise AuroraxInputError(f"column {variable.name!r} holds {mark!r}, which stands for a missing value; change it")
    values[gone] = mark
    kept = {name: value for name, value in variable.attrs.items() if not name.startswith("flag_")}
    made = variable.copy(data=values)
    made.attrs = {**kept, "missing_text" if is_text else "missing_value": mark}
    made.encoding = {}
    return made


def _json_of_entries(flat: model.Flat) -> npt.NDArray[Any]:
    columns = {
        name: (array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array).to_pylist()
        for name, array in flat.fields.items()
    }
    entries = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    bounds = flat.offsets.tolist()
    texts = [json.dumps(entries[first:stop], ensure_ascii=False) for first, stop in pairwise(bounds)]
    return np.array(texts, object)


def _flat_of_texts(texts: npt.NDArray[Any], fields: dict[str, pa.DataType]) -> model.Flat:
    cells = [json.loads(text) for text in texts]
    entries = [entry for cell in cells for entry in cell]
    made = {}
    for name, kind in fields.items():
        written = pa.int64() if pa.types.is_timestamp(kind) else kind
        made[name] = pa.array([entry[name] for entry in entries], written).cast(kind)
    return model.Flat(made, np.array([len(cell) for cell in cells], np.int64))
