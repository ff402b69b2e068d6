"""Conjunctions, events and pair summaries as xarray Datasets by the CF conventions, and back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.checks import check_frame
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model, provenance, rules
from aurorax_pandas.frame.citation import ACKNOWLEDGEMENT, acknowledgement
from aurorax_pandas.frame.columns import columns_of_kind, in_model_dtypes
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import refuse_foreign_cells
from aurorax_pandas.io import layout, one_dimension
from aurorax_pandas.io.variables import (
    CONVENTIONS,
    DIMS,
    ENTRIES_OF,
    POSITION,
    block_of,
    decoded,
    encoded,
    entry_name,
    position_of,
    ragged_variables,
    variable_of,
)

if TYPE_CHECKING:
    import xarray as xr


_OPEN_SEVERAL: Final = (
    "open them by xarray.open_mfdataset(paths, preprocess=aurorax_pandas.along_conjunction, combine='nested', "
    "concat_dim='conjunction'), or put the frames of load_conjunctions together by concat"
)


def _held_columns(df: pd.DataFrame) -> pd.DataFrame:
    """
    Return a frame with those columns of the data model converted that NetCDF has no dtype for: objects, decimals.

    Raises
    ------
    AuroraxInputError
        If one cannot be converted.
    """
    if not df.columns.is_unique:
        return df
    wanted = {
        name: dtype
        for name, dtype in columns_of_kind(df).items()
        if name in df.columns and dtype is not None and not _is_held(df[name].dtype, dtype)
    }
    held, wrong = in_model_dtypes(df, wanted)
    for name, reason in wrong.items():
        raise AuroraxInputError(f"to_xarray cannot hold column {name!r} of dtype {df[name].dtype} ({reason}); mend it")
    return held


def _is_held(dtype: Any, wanted: Any) -> bool:
    """Tell whether NetCDF has a dtype, and it holds what the data model wants: times, numbers or texts."""
    if wanted == model.DATETIME:
        return isinstance(dtype, pd.DatetimeTZDtype) or (isinstance(dtype, np.dtype) and dtype.kind == "M")
    if wanted == "float64":
        return isinstance(dtype, np.dtype) and dtype.kind in "iuf" and dtype != np.float16
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iuf"
    return not isinstance(dtype, pd.SparseDtype | pd.ArrowDtype | pd.PeriodDtype)


def to_xarray(df: pd.DataFrame) -> xr.Dataset:
    """
    Return a frame as an xarray Dataset that follows the CF conventions.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events`, `pair_summary` and `passes`.

    Returns
    -------
    xarray.Dataset
        Conjunctions have the dimensions ``conjunction``, ``source`` and ``event``. ``source_count`` and
        ``event_count`` say how many entries of these belong to each conjunction, in order (contiguous ragged
        arrays); ``source_conjunction`` and ``event_conjunction`` give the position of the parent. Distances in
        [km], times in UTC; ``conjunction_type`` and ``source_type`` are integers with ``flag_meanings``. A missing
        integer is the variable's ``missing_value``, a missing text its ``missing_text``. ``conjunction_position`` keeps
        the first order of the conjunctions, so that they can be chosen and sorted by xarray's own methods too. The
        index is the coordinate of the first dimension, or one coordinate for each level. ``attrs["acknowledgement"]`` says
        whom to acknowledge, as `citation` does; ``attrs["aurorax"]`` holds the provenance and
        what `to_dataframe` needs, as JSON. Passes have the dimensions ``pass``, ``station`` and ``parent`` in the same
        way, the other frames one, ``event`` or ``pair``.

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

    check_frame(df, "to_xarray")
    refuse_foreign_cells(df, "to_xarray")
    df = _held_columns(df)
    block = layout.describe(df, "to_xarray")
    kind = block["kind"]
    missing = [name for name in rules.KINDS[kind].dtypes if name not in df.columns]
    if missing:
        raise AuroraxInputError(f"to_xarray needs the column(s) {', '.join(missing)}; they are not in the frame")
    layout.check_own_columns(df, block, "to_xarray", round_trip, nested=False)
    parts = layout.take_apart(df)
    layout.check_column_names(df, names_taken(kind, parts), "to_xarray")
    dim = DIMS[kind]
    variables = {name: variable_of(dim, name, array) for name, array in parts.columns.items()}
    entries = ENTRIES_OF.get(kind, {})
    if entries:
        told = {
            "long_name": f"position of the {dim}, from 0, by which its {'s and '.join(entries.values())}s name it",
            "units": "1",
        }
        variables[position_of(dim)] = xr.Variable(dim, np.arange(len(df)), told)
    for column, entry in entries.items():
        if column in parts.nested:
            variables |= ragged_variables(dim, entry, parts.nested[column])
    if parts.levels:
        coordinates = {_level_name(dim, block, n): variable_of(dim, "", level)
                       for n, level in enumerate(parts.levels)}  # fmt: skip
    else:
        coordinates = {dim: xr.Variable(dim, df.index.to_numpy())}
    for number, variable in enumerate(coordinates.values()):
        variable.attrs.setdefault("long_name", str(df.index.names[number] or f"label of the {dim}"))
        if variable.dtype.kind in "iufb":
            variable.attrs.setdefault("units", "1")
    words, dois = acknowledgement(df)
    attrs = {
        "Conventions": CONVENTIONS,
        "title": f"AuroraX {kind.replace('_', ' ')}",
        "history": _history(block),
        "source": f"AuroraX conjunction search, {block['api_url'] or 'address unknown'}",
        "references": "; ".join(["https://docs.aurorax.space", *(f"doi:{doi}" for doi in dois)]),
        ACKNOWLEDGEMENT: words,
        provenance.KEY: layout.dump_block(block),
    }
    return xr.Dataset(variables, coordinates, attrs)


def _history(block: layout.Block) -> str:
    """Return what was done to make a Dataset, by the provenance; the time of a call would make each differ."""
    made = f"aurorax_pandas {block['package_version']}"
    read = block["retrieved_at"]
    return f"{read}: retrieved by {made}" if read else f"made by {made}"


def round_trip(array: pa.Array) -> pa.Array:
    """Return a column as it comes back from a Dataset."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    values, attrs = encoded("", array)
    return decoded(values, attrs, kind)


def names_taken(kind: str, parts: layout.Parts) -> set[str]:
    """Name the variables and dimensions that are not columns of the frame."""
    dim = DIMS[kind]
    levels = {f"{dim}_level_{number}" for number in range(len(parts.levels))}
    entries = ENTRIES_OF.get(kind, {})
    if not entries:
        return {dim, *levels} - set(rules.KINDS[kind].dtypes)
    ours = {f"{entry}_{name}" for entry in entries.values() for name in ("count", dim)}
    fields = {entry_name(entry, name) for column, entry in entries.items() for name in layout.NESTED_FIELDS[column]}
    return {dim, position_of(dim), *entries.values(), *levels, *ours, *fields}


def _level_name(dim: str, block: layout.Block, number: int) -> str:
    return f"{dim}_level_{number}" if block["frame"]["index"]["multi"] else dim


@typed
def to_dataframe(ds: xr.Dataset) -> pd.DataFrame:
    """
    Return the frame that a Dataset of `to_xarray` was made from.

    Parameters
    ----------
    ds : xarray.Dataset or xarray.DataTree
        The Dataset, in memory, from a file or backed by Dask, or a node of a tree that holds one.

    Returns
    -------
    pandas.DataFrame
        The same frame: columns, dtypes, index and attrs. Variables and coordinates that you added along its first
        dimension are further columns. After xarray's ``swap_dims`` it is the same frame too.

    Raises
    ------
    AuroraxDataError
        If the Dataset is none of `to_xarray`, or its variables no longer belong together: xarray's ``where`` and
        ``open_mfdataset`` can do that, and the message says what to use.

    See Also
    --------
    along_conjunction : the form in which xarray combines several Datasets.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas.testing import assert_conjunctions_equal
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> assert_conjunctions_equal(df.aurorax.to_xarray().aurorax.to_dataframe(), df)
    """
    ds = as_made(ds)
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
    dim, frame = DIMS[block["kind"]], block["frame"]
    lacking = [name for name in _names_along(block, dim) if name not in ds.variables]
    if dim not in ds.dims:
        raise AuroraxDataError(
            f"the Dataset has no dimension {dim!r}, but {', '.join(map(str, ds.dims)) or 'none'}; give the dimension of its "
            f"rows that name again, by xarray's rename, and choose one row by a list, isel({dim}=[0])"
        )
    if lacking:
        raise AuroraxDataError(
            f"the Dataset lacks the variable {lacking[0]!r}; give it back by xarray's assign, or leave out the rename, drop or "
            "set_index that took it"
        )
    for name in _names_along(block, dim):
        _check_shape(ds, name, dim)
    specs = {spec["name"]: spec for spec in frame["columns"]}
    columns = {
        name: _column(ds, name, layout.arrow_type(spec)) for name, spec in specs.items() if not layout.is_nested(spec)
    }
    nested = {column: _flat_of_dataset(ds, entry, column, dim)
              for column, entry in ENTRIES_OF.get(block["kind"], {}).items() if column in specs}  # fmt: skip
    if block["kind"] == "conjunctions":
        _check_not_mixed(ds, [name for name in columns if name in model.CONJUNCTION_COLUMNS], nested["events"])
    index, levels = _index_of_dataset(ds, dim, block)
    rows = ds.sizes[dim]
    frame = {**frame, "rows": rows, "index": index}
    df = layout.put_together({**block, "frame": frame}, layout.Parts(columns, levels, nested))
    for own in added(ds, block):
        values = ds[own].values
        df[own] = pd.Series(values, dtype="str" if values.dtype.kind in "UT" else None).to_numpy()
    return df


def as_made(ds: Any) -> xr.Dataset:
    """Return the Dataset of a node of a tree, in the dimensions of `to_xarray`, which ``swap_dims`` may have changed."""
    import xarray as xr

    made: xr.Dataset = ds.to_dataset() if isinstance(ds, xr.DataTree) else ds
    dim = DIMS[block_of(made)["kind"]]
    if dim not in made.dims and dim in made.coords and made[dim].ndim == 1:
        made = made.swap_dims({made[dim].dims[0]: dim})
    return one_dimension.ragged(made) if one_dimension.is_along_conjunction(made) else made


def _names_along(block: layout.Block, dim: str) -> list[str]:
    names = [spec["name"] for spec in block["frame"]["columns"] if not layout.is_nested(spec)]
    if block["kind"] in ENTRIES_OF:
        names.append(position_of(dim))
    for column, entry in ENTRIES_OF.get(block["kind"], {}).items():
        fields = (entry_name(entry, name) for name in layout.NESTED_FIELDS[column])
        names += [f"{entry}_count", f"{entry}_{dim}", *fields]
    names += [_level_name(dim, block, n) for n in range(len(block["frame"]["index"].get("levels", ())))]
    return names


def added(ds: xr.Dataset, block: layout.Block) -> list[Hashable]:
    """Name the variables and coordinates along the first dimension that are not of `to_xarray`."""
    dim, known = DIMS[block["kind"]], all_names(block)
    return [name for name, variable in ds.variables.items() if variable.dims == (dim,) and name not in known]


def all_names(block: layout.Block) -> set[str]:
    """Name the variables and coordinates that `to_xarray` made."""
    dim = DIMS[block["kind"]]
    return {dim, *_names_along(block, dim)}


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


def _check_shape(ds: xr.Dataset, name: str, dim: str) -> None:
    if ds[name].ndim != 1:
        raise AuroraxDataError(
            f"the variable {name!r} has the dimensions {ds[name].dims} in place of one: after xarray's where, choose by "
            f"isel({dim}=numpy.flatnonzero(condition)) or the methods of .aurorax instead; after expand_dims, one of the "
            f"others; of several files, {_OPEN_SEVERAL}"
        )


def _check_not_mixed(ds: xr.Dataset, columns: list[str], events: model.Flat) -> None:
    """Raise where rows of several Datasets share the sources and events of one, as xarray's concatenation leaves them."""
    positions = ds[POSITION].values
    first, inverse = np.unique(positions, return_index=True, return_inverse=True)[1:]
    mixed = False
    if len(first) < len(positions):
        for name in (*columns, "source_count", "event_count"):
            values = ds[name].values
            twin = values[first[inverse]]
            mixed |= bool(((values != twin) & ~(pd.isna(values) & pd.isna(twin))).any())
    read = {name: events.values(name) for name in ("start", "end")}
    spans = {name: _column(ds, name, pa.timestamp("us")).to_numpy(zero_copy_only=False) for name in ("start", "end")}
    read |= rules.spans_of_events(spans["start"], spans["end"], events.lengths)
    if mixed or not rules.NESTED_EVENT_RULES[-1].holds(read).all():
        raise AuroraxDataError(
            "conjunctions of several Datasets or files have been put together, but their sources and events have not; "
            f"{_OPEN_SEVERAL}"
        )


def _column(ds: xr.Dataset, name: str, kind: pa.DataType) -> pa.Array:
    variable = ds[name]
    return decoded(variable.values, {**variable.encoding, **variable.attrs}, kind)


def entry_places(
    ds: xr.Dataset, entry: str, dim: str = "conjunction"
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how many sources or events each conjunction has, and where these stand, in the order of conjunctions."""
    lengths = np.asarray(ds[f"{entry}_count"].values, np.int64)
    parents = np.asarray(ds[f"{entry}_{dim}"].values, np.int64)
    positions = np.asarray(ds[position_of(dim)].values, np.int64)
    # conjunctions and entries are found by their positions, for xarray may have chosen or sorted either
    order = np.argsort(parents, kind="stable")
    first, stop = (np.searchsorted(parents, positions, side=side, sorter=order) for side in ("left", "right"))
    if not np.array_equal(stop - first, lengths):
        raise AuroraxDataError(
            f"{entry}_count and the dimension {entry!r} do not belong together; choose {dim}s, or choose "
            f"{entry}s with the methods of .aurorax"
        )
    return lengths, order[model.ranges(first, lengths)]


def _flat_of_dataset(ds: xr.Dataset, entry: str, column: str, dim: str) -> model.Flat:
    lengths, places = entry_places(ds, entry, dim)
    taken = pa.array(places)
    fields = layout.NESTED_FIELDS[column]
    made = {name: _column(ds, entry_name(entry, name), kind).take(taken) for name, kind in fields.items()}
    return model.Flat(made, lengths)
