"""Files of conjunctions, events, pair summaries and passes that lose nothing, and the way back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import pandas as pd

from aurorax_pandas.checks import choice, flag
from aurorax_pandas.io import files

if TYPE_CHECKING:
    import dask.dataframe as dd

    from aurorax_pandas.frame.dataframe import AuroraxDataFrame

FormatName = Literal["parquet", "csv", "json", "netcdf"]
FilePath = str | os.PathLike[str]


def to_parquet(df: pd.DataFrame, path: FilePath, *, overwrite: bool = False) -> None:
    """
    Write a frame as Parquet that any reader opens.

    The file is written beside its place, read back, compared with the frame and only then moved into place.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events`, `pair_summary` and `passes`; columns of your own travel too.
        Flat frames, such as those of `revisits`, `daily_counts` and `image_windows`, are kept by pandas' own writers.
    path : str or path
        Where to write; ``~`` is the home, and a URL (``s3://…``, ``memory://…``) is opened by the package fsspec.
    overwrite : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    AuroraxSchemaError
        If the frame breaks its schema.
    AuroraxInputError
        If the file exists, the path is no place for a file of this format, or the format cannot hold a column, which
        the message names.
    AuroraxDataError
        If the file does not give the frame back.
    AuroraxFileError
        If the file cannot be written (an OSError). Whatever fails, a file that was there before stays as it was.

    See Also
    --------
    load_conjunctions : the way back.

    Notes
    -----
    ``data_sources`` and ``events`` are lists of structs, which pandas without nested-pandas, pyarrow, DuckDB and
    polars read. The metadata block (``schema_version``, ``query``, ``request_ids``, ``acknowledgement`` as of
    `citation`, …) is JSON under the key ``aurorax`` of the file's metadata.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_parquet("swarm.parquet", overwrite=True)
    >>> len(aurorax_pandas.load_conjunctions("swarm.parquet"))
    49
    """
    files.export(df, path, "parquet", overwrite=overwrite)


def to_csv(df: pd.DataFrame, path: FilePath, *, overwrite: bool = False) -> None:
    """
    Write a frame as CSV, conjunctions with one row per event.

    The file is checked as by `to_parquet`.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events`, `pair_summary` and `passes`; columns of numbers, text and times
        of your own travel too.
    path, overwrite
        As in `to_parquet`. What pandas takes for compressed (``.csv.gz``, ``.csv.zip``, …) is compressed.

    Raises
    ------
    AuroraxSchemaError, AuroraxInputError, AuroraxDataError, AuroraxFileError
        As `to_parquet`.

    Notes
    -----
    The metadata block, with query, provenance and acknowledgement, stands before the table in one line that starts with ``#``. A row has its ``conjunction`` (position,
    from 0), the number of its ``event``, ``source_count``, the columns of the conjunction, its sources
    (``source1_identifier`` …) and its event (``event_e1_identifier`` …, ``event_min_distance`` [km]). A conjunction
    without events has one row, with these left empty. A file of passes has one row per station (``station_name`` …),
    and its ``parents`` as numbers with blanks between. Floats have the fewest digits that read back equal. Times are UTC and do not say so:
    tell readers that take them for local time (R: ``tz="UTC"``).

    Texts are written as they are. A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@`` as a formula: import
    such columns as text where you do not know who wrote them.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_csv("swarm.csv", overwrite=True)
    >>> pd.read_csv("swarm.csv", comment="#")["event_e2_display_name"].unique().tolist()
    ['Swarm A', 'Swarm C', 'Swarm B']
    """
    files.export(df, path, "csv", overwrite=overwrite)


def to_json(df: pd.DataFrame, path: FilePath, *, api: bool = False, overwrite: bool = False) -> None:
    """
    Write a frame as JSON, conjunctions as the service's records.

    The file is checked as by `to_parquet`.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events`, `pair_summary` and `passes`.
    path : str or path
        Where to write, as in `to_parquet`; ``.json.gz`` and the like are compressed.
    api : bool, default False
        Whether to write conjunctions exactly as the service answers, ``{"result": [...]}`` without metadata. That has
        no place for columns of your own, which are refused, nor for the index, which is left out.
    overwrite : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    AuroraxInputError
        If with `api` the frame has columns of your own, and as `to_parquet`.
    AuroraxSchemaError, AuroraxDataError, AuroraxFileError
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


def to_netcdf(df: pd.DataFrame, path: FilePath, *, overwrite: bool = False) -> None:
    """
    Write a frame as NetCDF 4: the Dataset of `to_xarray`.

    The file is checked as by `to_parquet`. Needs the extra ``netcdf``: h5netcdf and h5py.

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
    AuroraxSchemaError, AuroraxDataError, AuroraxFileError
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
    path: FilePath | Sequence[FilePath],
    *,
    format: FormatName | None = ...,
    engine: Literal["pandas"] = ...,
    columns: str | Sequence[str] | None = ...,
    start: Any = ...,
    end: Any = ...,
) -> AuroraxDataFrame: ...
@overload
def load_conjunctions(
    path: FilePath | Sequence[FilePath],
    *,
    format: FormatName | None = ...,
    engine: Literal["dask"],
    columns: str | Sequence[str] | None = ...,
    start: Any = ...,
    end: Any = ...,
) -> dd.DataFrame: ...
def load_conjunctions(
    path: FilePath | Sequence[FilePath],
    *,
    format: FormatName | None = None,  # noqa: A002  (the name that pandas and xarray use)
    engine: Literal["pandas", "dask"] = "pandas",
    columns: str | Sequence[str] | None = None,
    start: Any = None,
    end: Any = None,
) -> Any:
    """
    Load what `to_parquet`, `to_csv`, `to_json` or `to_netcdf` wrote, or the folder of a long search.

    Parameters
    ----------
    path : str or path, or sequence of them
        A file, several, or a pattern (``"2020/*.parquet"``), also as URLs; or the folder that ``checkpoint=`` of
        `read_aurorax_conjunctions` has made, of which the data set ``conjunctions/year=YYYY/*.parquet`` is read.
        Several files of conjunctions are put together as by `concat`, each conjunction once; with Dask their rows stay
        as they are.
    format : {"parquet", "csv", "json", "netcdf"}, optional
        By default the one that the suffix tells.
    engine : {"pandas", "dask"}, default "pandas"
        Whether to give a frame, or a Dask frame with one partition for each file, which is loaded when it is
        computed (needs the extra ``dask``).
    columns : str or sequence of str, optional
        Which columns to give, in this order; of Parquet no others are read. By default all.
    start, end : anything that `pandas.Timestamp` takes, optional
        Only rows that share some time with this span, inclusive, UTC; each is given whole. What names a whole day,
        month or year as `end` means its last second.

    Returns
    -------
    pandas.DataFrame or dask.dataframe.DataFrame
        The frame that was written: columns, dtypes, index and attrs. Parquet of conjunctions that pandas, DuckDB or
        polars wrote is read by `as_conjunctions`, without a provenance. Of a folder, the conjunctions of the search, in
        the order of a read, with a fresh index.

    Raises
    ------
    AuroraxInputError
        If there is no such file, a folder is none of a long search, or an argument is not valid.
    AuroraxDataError
        If a file is damaged, of another schema version, or none of ours. Nothing partial is returned, and nothing in
        a file is ever executed.

    Warns
    -----
    AuroraxDataWarning
        If windows of a folder's search are missing: how many, and which. What is there then are the conjunctions that
        these cannot change.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas.testing import assert_conjunctions_equal
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.to_json("swarm-all.json", overwrite=True)
    >>> assert_conjunctions_equal(aurorax_pandas.load_conjunctions("swarm-all.json"), df)
    >>> aurorax_pandas.load_conjunctions("swarm-all.json", columns=["start", "min_distance"], end="2020-01-01T00:09")
                    start  min_distance
    0 2020-01-01 00:08:00    192.029390
    1 2020-01-01 00:08:00    206.588207
    """
    from aurorax_pandas.io.loading import Choice, load_one, load_with_dask

    choice("engine", engine, ("pandas", "dask"))
    chosen = Choice.from_arguments(columns, start, end)
    return load_one(path, format, chosen) if engine == "pandas" else load_with_dask(path, format, chosen)
