"""Files of conjunctions, events and pair summaries that lose nothing, and the way back."""

from __future__ import annotations

import os
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import pandas as pd

from aurorax_pandas.checks import choice, flag, path_text
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.io import files
from aurorax_pandas.io.files import from_files

if TYPE_CHECKING:
    import dask.dataframe as dd

    from aurorax_pandas.frame.dataframe import AuroraxDataFrame

FormatName = Literal["parquet", "csv", "json", "netcdf"]
Path_ = str | os.PathLike[str]


def to_parquet(df: pd.DataFrame, path: Path_, *, overwrite: bool = False) -> None:
    """
    Write a frame as Parquet that any reader opens.

    The file is written beside its place, read back, compared with the frame and only then moved into place.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events` and `pair_summary`; columns of your own travel too.
    path : str or path
        Where to write.
    overwrite : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    AuroraxSchemaError
        If the frame breaks its schema.
    AuroraxInputError
        If the file exists, or the format cannot hold a column, which the message names.
    AuroraxDataError
        If the file does not give the frame back.
    OSError
        If the file cannot be written. Whatever fails, a file that was there before stays as it was.

    See Also
    --------
    load_conjunctions : the way back.

    Notes
    -----
    ``data_sources`` and ``events`` are lists of structs, which pandas without nested-pandas, pyarrow, DuckDB and
    polars read. The metadata block (``schema_version``, ``query``, ``request_ids``, …) is JSON under the key
    ``aurorax`` of the file's metadata.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_parquet("swarm.parquet", overwrite=True)
    >>> len(aurorax_pandas.load_conjunctions("swarm.parquet"))
    49
    """
    files.export(df, path, "parquet", overwrite=overwrite)


def to_csv(df: pd.DataFrame, path: Path_, *, overwrite: bool = False) -> None:
    """
    Write a frame as CSV, conjunctions with one row per event.

    The file is checked as by `to_parquet`.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events` and `pair_summary`; columns of numbers, text and times of your
        own travel too.
    path, overwrite
        As in `to_parquet`.

    Raises
    ------
    AuroraxSchemaError, AuroraxInputError, AuroraxDataError, OSError
        As `to_parquet`.

    Notes
    -----
    The metadata block stands before the table in lines that start with ``#``. A row has its ``conjunction`` (position,
    from 0), the number of its ``event``, ``source_count``, the columns of the conjunction, its sources
    (``source1_identifier`` …) and its event (``event_e1_identifier`` …, ``event_min_distance`` [km]). A conjunction
    without events has one row, with these left empty. Floats have the fewest digits that read back equal.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_csv("swarm.csv", overwrite=True)
    >>> pd.read_csv("swarm.csv", comment="#")["event_e2_display_name"].unique().tolist()
    ['Swarm A', 'Swarm C', 'Swarm B']
    """
    files.export(df, path, "csv", overwrite=overwrite)


def to_json(df: pd.DataFrame, path: Path_, *, api: bool = False, overwrite: bool = False) -> None:
    """
    Write a frame as JSON, conjunctions as the service's records.

    The file is checked as by `to_parquet`.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events` and `pair_summary`.
    path : str or path
        Where to write.
    api : bool, default False
        Whether to write conjunctions exactly as the service answers, ``{"result": [...]}`` without metadata. That has
        no place for columns of your own, which are refused, nor for the index, which is left out.
    overwrite : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    AuroraxInputError
        If with `api` the frame has columns of your own, and as `to_parquet`.
    AuroraxSchemaError, AuroraxDataError, OSError
        As `to_parquet`.

    Notes
    -----
    Without `api` the file is ``{"aurorax": {...}, "result": [...]}``: the metadata block, then the records, in which
    columns of your own are further keys. `as_conjunctions` reads both.

    Examples
    --------
    >>> import aurorax_pandas, pathlib
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_json("swarm.json", api=True, overwrite=True)
    >>> len(aurorax_pandas.as_conjunctions(pathlib.Path("swarm.json").read_bytes()))
    49
    """
    if flag("api", api):
        files.export_api(df, path, overwrite=overwrite)
    else:
        files.export(df, path, "json", overwrite=overwrite)


def to_netcdf(df: pd.DataFrame, path: Path_, *, overwrite: bool = False) -> None:
    """
    Write a frame as NetCDF 4: the Dataset of `to_xarray`.

    The file is checked as by `to_parquet`. Needs the extra ``netcdf`` (``pip install aurorax-pandas[netcdf]``).

    Parameters
    ----------
    df : pandas.DataFrame
        What `to_csv` takes.
    path, overwrite
        As in `to_parquet`.

    Raises
    ------
    AuroraxInputError
        If h5netcdf is not installed, and as `to_parquet`.
    AuroraxSchemaError, AuroraxDataError, OSError
        As `to_parquet`.

    Examples
    --------
    >>> import aurorax_pandas, xarray
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_netcdf("swarm.nc", overwrite=True)
    >>> with xarray.open_dataset("swarm.nc") as ds:
    ...     print(ds["min_distance"].units, float(ds["min_distance"].min()))
    km 53.391843
    """
    files.export(df, path, "netcdf", overwrite=overwrite)


@overload
def load_conjunctions(
    path: Path_, *, format: FormatName | None = ..., engine: Literal["pandas"] = ...
) -> AuroraxDataFrame: ...
@overload
def load_conjunctions(path: Path_, *, format: FormatName | None = ..., engine: Literal["dask"]) -> dd.DataFrame: ...
def load_conjunctions(
    path: Path_,
    *,
    format: FormatName | None = None,  # noqa: A002  (the name that pandas and xarray use)
    engine: Literal["pandas", "dask"] = "pandas",
) -> Any:
    """
    Load a file that `to_parquet`, `to_csv`, `to_json` or `to_netcdf` wrote.

    Parameters
    ----------
    path : str or path
        The file; with Dask a pattern of several (``"2020/*.parquet"``) too, in the order of their names.
    format : {"parquet", "csv", "json", "netcdf"}, optional
        By default the one that the suffix tells.
    engine : {"pandas", "dask"}, default "pandas"
        Whether to give a frame, or a Dask frame with one partition for each file, which is loaded when it is
        computed (needs the extra ``dask``).

    Returns
    -------
    pandas.DataFrame or dask.dataframe.DataFrame
        The frame that was written: columns, dtypes, index and attrs.

    Raises
    ------
    AuroraxInputError
        If there is no such file, or an argument is not valid.
    AuroraxDataError
        If a file is damaged, of another schema version, or none of ours. Nothing partial is returned, and nothing in
        a file is ever executed.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas.testing import assert_conjunctions_equal
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_json("swarm-all.json", overwrite=True)
    >>> assert_conjunctions_equal(aurorax_pandas.load_conjunctions("swarm-all.json"), df)
    """
    choice("engine", engine, ("pandas", "dask"))
    text = path_text("path", path)
    name = files.format_of(Path(text), format)
    if engine == "pandas":
        _check_file(text)
        return files.load(Path(text), name)
    # a pattern may be absolute, which Path.glob does not take
    found = sorted(glob(text)) if has_magic(text) and not Path(text).exists() else [text]  # noqa: PTH207
    if not found:
        raise AuroraxInputError(f"path={text!r} matches no file")
    for one in found:
        _check_file(one)
    return from_files(found, name, files.load, files.empty_like)


def _check_file(text: str) -> None:
    if not Path(text).is_file():
        raise AuroraxInputError(f"path={text!r} is no file; check the name, and the folder {str(Path.cwd())!r}")
