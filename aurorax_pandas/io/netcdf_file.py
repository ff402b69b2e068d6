"""Conjunctions in NetCDF 4: the Dataset of `to_xarray` in a file."""

from __future__ import annotations

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError, AuroraxMissingExtraError
from aurorax_pandas.frame import provenance
from aurorax_pandas.io import layout, limits
from aurorax_pandas.io.variables import block_of, seconds_of_times, time_encoding
from aurorax_pandas.io.xarray import round_trip as round_trip
from aurorax_pandas.io.xarray import to_dataframe, to_xarray

if TYPE_CHECKING:
    import xarray as xr


#: Stands after the end of the HDF5 file, before the sum of its bytes.
_MARK: Final = b"aurorax sha256 "
_PART: Final = 2**22
_PER_VARIABLE: Final = 2**14
_LONGEST: Final = 60_000


def check_engine() -> None:
    """Raise where h5netcdf, or the h5py that it needs, is not installed."""
    for name in ("h5netcdf", "h5py"):
        if find_spec(name) is None:
            raise AuroraxMissingExtraError.of("NetCDF", name, "netcdf")


def names_taken(_parts: layout.Parts) -> set[str]:
    """Name the variables that are not columns of the frame; `to_xarray` checks them."""
    return set()


def write(path: Path, df: pd.DataFrame, block: layout.Block, _parts: layout.Parts) -> None:
    """Write a frame."""
    check_engine()
    ds = to_xarray(df)
    ds.attrs[provenance.KEY] = layout.dump_block(block)
    ds = ds.assign(
        {name: _numbered_times(variable) for name, variable in ds.variables.items() if variable.dtype.kind == "M"}
    )
    for variable in ds.variables.values():
        # a text variable without rows would become one of numbers
        if variable.dtype == object and not variable.size:
            variable.encoding["dtype"] = str
        elif variable.size and variable.dtype != object:
            variable.encoding |= {"zlib": True, "shuffle": True, "chunksizes": (min(variable.size, 100_000),)}
    _refuse_nul(ds)
    _reserve(path, ds)
    ds.to_netcdf(path, engine="h5netcdf")
    _with_characters(path)
    with path.open("r+b") as file:
        total = hashlib.file_digest(file, "sha256").digest()
        file.write(_MARK + total)


def _refuse_nul(ds: xr.Dataset) -> None:
    """Raise where a text has a NUL in it, at which the texts of the format end."""
    for name, variable in ds.variables.items():
        texts = [str(name), *map(str, variable.attrs.values()), *(variable.values if variable.dtype == object else ())]
        if any("\0" in text for text in texts if isinstance(text, str)):
            raise AuroraxInputError(
                f"to_netcdf: {'the index' if name in ds.dims else f'the column {shown(name)}'} has text with a NUL character "
                "(\\x00), which NetCDF cannot hold; remove it by .str.replace('\\0', ''), or write Parquet, CSV or JSON"
            )


def _reserve(path: Path, ds: xr.Dataset) -> None:
    """Raise OSError where a disk has no room, for a full one makes HDF5 take the whole process down."""
    size = 0
    for variable in ds.variables.values():
        texts = variable.values.tolist() if variable.dtype == object else []
        # a reference, the header of its heap and some padding
        size += variable.nbytes + _PER_VARIABLE + sum(len(text.encode()) + 48 for text in texts)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)


def _numbered_times(variable: xr.Variable) -> xr.Variable:
    """Write times as CF has them; xarray stumbles where all are missing."""
    import xarray as xr

    told = time_encoding(variable.values)
    encoding = {key: told[key] for key in ("units", "calendar", "_FillValue")}
    if told["dtype"] == "float64":
        values = seconds_of_times(variable.values)
    else:
        unit = "M8[s]" if told["units"].startswith("seconds") else variable.dtype
        values = variable.values.astype(unit).view(np.int64)
        if not np.isnat(variable.values).any():
            del encoding["_FillValue"]
    return xr.Variable(variable.dims, values, {**variable.attrs, **encoding})


def _with_characters(path: Path) -> None:
    """Write texts of attributes as characters: tools of the netCDF library do not read units that are strings."""
    import h5py

    with h5py.File(path, "r+") as file:
        for held in (file, *file.values()):
            for name, value in list(held.attrs.items()):
                text = value.encode() if isinstance(value, str) else b""
                # HDF5 keeps longer ones apart, as strings alone
                if 0 < len(text) < _LONGEST:
                    held.attrs.create(name, text, dtype=h5py.string_dtype("utf-8", len(text)))


def _check_bytes(path: Path) -> None:
    """Raise where a file is damaged, for HDF5 may search one without end; what others wrote has no sum to check."""
    size = path.stat().st_size - len(_MARK) - hashlib.sha256().digest_size
    with path.open("rb") as file:
        file.seek(max(size, 0))
        end = file.read()
        if not end.startswith(_MARK):
            return
        file.seek(0)
        total = hashlib.sha256()
        while size > 0 and (part := file.read(min(size, _PART))):
            total.update(part)
            size -= len(part)
    if end != _MARK + total.digest():
        raise AuroraxDataError("its contents are not what was written; it is damaged or was changed since")


def read_empty(path: Path) -> pd.DataFrame:
    """Read the columns and dtypes of a frame, without its rows."""
    with _opened_dataset(path) as ds:
        return layout.empty_frame(block_of(ds))


def read(path: Path) -> tuple[layout.Block, pd.DataFrame]:
    """Read a frame."""
    with _opened_dataset(path) as ds:
        return block_of(ds), to_dataframe(ds)


def _opened_dataset(path: Path) -> xr.Dataset:
    import xarray as xr

    check_engine()
    _check_bytes(path)
    _check_variables(path)
    # decoded, integers with missing values would be floats and times nanoseconds
    return xr.open_dataset(path, engine="h5netcdf", mask_and_scale=False, decode_times=False, cache=False)


def _check_variables(path: Path) -> None:
    """Raise where a file has more variables, or larger ones, than a frame of ours."""
    import h5py

    with h5py.File(path) as file:
        limits.check_columns(len(file))
        sizes = [one.size * one.dtype.itemsize for one in file.values() if isinstance(one, h5py.Dataset)]
    limits.check_bytes(sum(sizes), path)
