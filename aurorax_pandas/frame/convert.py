"""The one door in: whatever holds conjunctions becomes a typed frame."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype

from aurorax_pandas.exceptions import (
    AuroraxDataError,
    AuroraxDataWarning,
    AuroraxInputError,
    AuroraxSchemaError,
    callers_level,
)
from aurorax_pandas.frame import arrow, cells, columns, layouts, model, ordering, provenance
from aurorax_pandas.frame.answers import split_records
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.records import OnBadRecords, check_on_bad_records, conjunctions_from_items, json_of_records
from aurorax_pandas.frame.rules import KINDS
from aurorax_pandas.frame.trimmed import KnownSources
from aurorax_pandas.frame.validation import check_kind
from aurorax_pandas.options import public_address

#: Columns without which a table holds no conjunctions, beside one of the nested ones.
_NEEDED: Final = ("conjunction_type", "start", "end")
_DISTANCES: Final = ("min_distance", "max_distance")
#: How one of our events is written in a list that is not the service's.
_FLAT_EVENT: Final = b'"e1_identifier"'
_OTHER_KINDS: Final = {
    "events": "a frame of events (explode_events)",
    "pair_summary": "a pair summary (pair_summary)",
    "passes": "a frame of passes (passes)",
}


@typed
def as_conjunctions(data: Any, *, on_bad_records: OnBadRecords = "raise", data_sources: Any = None) -> pd.DataFrame:
    """
    Make a typed frame of conjunctions of whatever holds them.

    Parameters
    ----------
    data : object
        What the service answers, as JSON (bytes or text) or parsed: ``{"result": [...]}`` or the array alone. An
        iterable of PyAuroraX ``Conjunction`` objects, or the search that holds them, from which the frame then knows
        query and address. A DataFrame: nested cells may be lists or arrays of dicts or objects, JSON text, or of any
        Arrow type, as `pandas.read_parquet`, DuckDB, polars and pyarrow give them. Anything with
        ``__arrow_c_stream__`` (a table of pyarrow or polars, a relation of DuckDB). A Dataset of `to_xarray`.
    on_bad_records : {"raise", "drop"}, default "raise"
        What to do where a record lacks something or contradicts itself (``end`` before ``start``, say): refuse
        all, or leave the record out and warn once with the count.
    data_sources : pandas.DataFrame or list, optional
        What is known of data sources, by ``identifier``, such as the frame of `read_aurorax_data_sources`: it goes
        before the bundled table where a response format trimmed the sources.

    Returns
    -------
    pandas.DataFrame
        One row per conjunction, distances in [km], times in UTC without a zone, checked against `ConjunctionSchema`.
        Records are sorted by ``start``, ``closest_epoch``, the identifiers of the sources, type and ``end``; a table
        keeps its order, its index and columns of your own, and one that is typed already is returned itself.

    Raises
    ------
    AuroraxDataError
        If this holds no conjunctions, or a record is refused; the message names the record, counted from 0.
    AuroraxInputError
        If it is a frame of events or a pair summary, or something that has first to be computed.
    AuroraxAPIError
        If the answer holds an error of the service in place of a result.

    Warns
    -----
    AuroraxDataWarning
        Of sources that stay incomplete, and of records that are left out.

    Notes
    -----
    Times with a zone are converted to UTC, those without one are UTC, also where a column holds both. A record without
    distances takes those of its event, where it has exactly one. Sources of which only the identifier is there are
    filled from the table of sources.

    Examples
    --------
    >>> import aurorax_pandas
    >>> record = {"conjunction_type": "nbtrace", "start": "2020-01-01T00:08:00", "end": "2020-01-01T00:09:00",
    ...           "min_distance": 206.6, "max_distance": 260.8, "data_sources": [{"identifier": 3}], "events": []}
    >>> df = aurorax_pandas.as_conjunctions({"result": [record]})
    >>> df[["start", "min_distance"]]
                    start  min_distance
    0 2020-01-01 00:08:00         206.6
    >>> df.loc[0, "data_sources"]["display_name"].tolist()
    ['Swarm A']
    """
    check_on_bad_records(on_bad_records)
    known = KnownSources(data_sources)
    df = _made_of(data, on_bad_records, known)
    known.warn()
    return df


def _made_of(data: Any, on_bad_records: OnBadRecords, known: KnownSources) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return _of_frame(data, on_bad_records, known)
    if hasattr(data, "data_vars"):
        # a node of a tree holds a Dataset, which knows the way to a frame itself
        dataset = data.to_dataset() if hasattr(data, "to_dataset") else data
        return _of_frame(dataset.aurorax.to_dataframe(), on_bad_records, known)
    if first := _first_call(data):
        raise AuroraxInputError(f"data is a {type(data).__name__}, whose rows are not there yet; give its {first}")
    if isinstance(data, pd.Series) and data.dtype == np.dtype(object):
        data = data.tolist()
    if hasattr(data, "__arrow_c_stream__") or isinstance(data, pa.RecordBatch):
        return _of_stream(data, on_bad_records, known)
    if hasattr(data, "request_id") and hasattr(data, "data"):
        return _of_search(data, on_bad_records, known)
    body = json_of_records(data)
    if _FLAT_EVENT in body:
        rows = [msgspec.json.decode(item) for item in split_records(body)]
        return ordering.in_order(_of_frame(pd.DataFrame(rows, dtype=object), on_bad_records, known))
    return conjunctions_from_items(split_records(body), on_bad_records=on_bad_records, fill=known.fill)


def _first_call(data: Any) -> str:
    """Return the call that gives the rows of what holds none so far; empty where they are there."""
    if hasattr(data, "collect_schema") and hasattr(data, "collect"):
        return ".collect()"
    return ".compute()" if hasattr(data, "__dask_graph__") else ""


def _of_search(search: Any, on_bad_records: OnBadRecords, known: KnownSources) -> pd.DataFrame:
    found = search.data
    if isinstance(found, pd.DataFrame):
        return found
    result = (search.status or {}).get("search_result") or {}
    if found is None or not (len(found) or (search.completed and not result.get("result_count"))):
        raise AuroraxInputError("data is a search without a result so far; call its wait() and get_data() first")
    df = _made_of(list(found), on_bad_records, known)
    df.attrs[provenance.KEY] = provenance.make_provenance(
        request_ids=[search.request_id] if search.request_id else [],
        query=msgspec.json.decode(msgspec.json.encode(search.query)),
        api_url=_address_of(search),
    )
    return df


def _address_of(search: Any) -> str | None:
    """Return the address of the service that a search was sent to, None where it does not tell."""
    # the client that a search of PyAuroraX holds, under a name of its own, knows it
    told = [getattr(part, "api_base_url", None) for part in getattr(search, "__dict__", {}).values()]
    told += [str(getattr(search, "request_url", "")).partition("/api/")[0]]
    return next(filter(None, map(public_address, told)), None)


def _of_stream(data: Any, on_bad_records: OnBadRecords, known: KnownSources) -> pd.DataFrame:
    try:
        table = data if isinstance(data, pa.Table) else _table_of(data)
    except columns.UNREADABLE:
        # what Arrow says of it would hold the whole type of a nested column
        raise AuroraxDataError(
            f"data is a {type(data).__name__}, which is no table; give a table of conjunctions"
        ) from None
    try:
        df, ours = arrow.frame_of_table(table)
    except columns.UNREADABLE as error:
        raise AuroraxDataError(
            f"a column of data cannot be kept: {columns.first_line(error)[:200]}; leave it out"
        ) from None
    # what stands twice is told by name
    order = [name for name in table.column_names if name in ours or name in df.columns]
    return _of_columns(df, ours, order, on_bad_records, known)


def _table_of(data: Any) -> pa.Table:
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    return pa.RecordBatchReader.from_stream(data).read_all()


def _of_frame(df: pd.DataFrame, on_bad_records: OnBadRecords, known: KnownSources) -> pd.DataFrame:
    names = list(df.columns)
    ours = {name: df[name] for name in names if name in model.CONJUNCTION_COLUMNS} if df.columns.is_unique else {}
    return _of_columns(df, ours, names, on_bad_records, known)


def _of_columns(
    df: pd.DataFrame, ours: Mapping[Any, Any], order: list[Any], on_bad_records: OnBadRecords, known: KnownSources
) -> pd.DataFrame:
    """Return a typed frame of our columns, in pandas or in Arrow, and of those of a frame that has the index."""
    _check_columns(order)
    made: dict[str, Any] = {}
    nested: dict[str, model.Flat] = {}
    for name, dtype in model.CONJUNCTION_COLUMNS.items():
        try:
            if isinstance(dtype, NestedDtype):
                made[name], nested[name] = _nested_column_of(name, ours.get(name), len(df), known)
            else:
                made[name] = _flat(ours.get(name), dtype, len(df))
        except columns.UNREADABLE as error:
            raise AuroraxDataError(f"column {name!r} cannot be read: {columns.first_line(error)}") from None
    for name in _DISTANCES:
        made[name] = _with_single_events(name, made[name], nested["events"])
    if any(values is not ours.get(name) for name, values in made.items()):
        whole = [*order, *(name for name in made if name not in order)]
        whole_columns = {name: made[name] if name in made else df[name] for name in whole}
        attrs, label = df.attrs, df.columns.name
        df = pd.DataFrame(whole_columns, index=df.index, columns=pd.Index(whole, dtype=object), copy=False)
        df.columns = pd.Index(whole, name=label)
        df.attrs = attrs
    return _checked_conjunctions(df, on_bad_records)


def _check_columns(names: Sequence[Any]) -> None:
    held = set(names)
    kind = columns.kind_by_names(held)
    if kind != "conjunctions":
        raise AuroraxInputError(
            f"data is {_OTHER_KINDS[kind]}, not conjunctions; verbs, files and load_conjunctions take it as it is"
        )
    twice = [name for name in held if list(names).count(name) > 1]
    if twice:
        raise AuroraxDataError(f"the column {twice[0]!r} is there twice; drop or rename one")
    lacking = [name for name in _NEEDED if name not in held]
    if not {"data_sources", "events"} & held:
        lacking += ["data_sources", "events"]
    if lacking:
        raise AuroraxDataError(
            f"data holds no conjunctions, for it lacks the column(s) {', '.join(lacking)}; files that aurorax_pandas "
            "wrote are read by load_conjunctions"
        )


def _flat(values: Any, dtype: Any, length: int) -> Any:
    if values is None:
        values = pd.Series(np.full(length, np.nan))
    if isinstance(values, pd.Series):
        return values if model.is_of_dtype(values.dtype, dtype) else columns.in_dtype(values, dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        return columns.in_dtype(pd.Series(model.arrow_to_pandas(layouts.flat_array(values, pa.string()))), dtype)
    kind = pa.timestamp("us") if dtype == model.DATETIME else pa.float64()
    return model.arrow_to_pandas(layouts.flat_array(values, kind)).array


def _nested_column_of(name: str, values: Any, length: int, known: KnownSources) -> tuple[Any, model.Flat]:
    fields = layouts.NESTED_FIELDS[name]
    if values is None:
        values = pa.nulls(length)
    is_typed = isinstance(values, pd.Series) and values.dtype == model.CONJUNCTION_COLUMNS[name]
    if is_typed:
        flat, missing = model.flatten(values), values.isna().to_numpy(bool)
    elif isinstance(values, pd.Series) and not isinstance(values.dtype, pd.ArrowDtype | NestedDtype):
        flat, missing = cells.flat_of_cells(values, fields)
    else:
        flat, missing = layouts.nested_of(pa.array(values) if isinstance(values, pd.Series) else values, fields)
    filled = flat.fields
    for prefix in ("",) if name == "data_sources" else ("e1_", "e2_"):
        filled = known.fill(filled, prefix)
    if is_typed and all(filled[field] is flat.fields[field] for field in fields):
        return values, flat
    flat = model.Flat({field: filled[field] for field in fields}, flat.lengths)
    return layouts.nested_column(flat, missing), flat


def _with_single_events(name: str, values: Any, events: model.Flat) -> Any:
    """Return distances with those that are missing taken from the events of rows that have one event each."""
    taken = np.asarray(values, np.float64)
    alone = np.flatnonzero(np.isnan(taken) & (events.lengths == 1))
    if not len(alone):
        return values
    taken = taken.copy()
    taken[alone] = events.values(name)[events.offsets[alone]]
    return taken


def _checked_conjunctions(df: pd.DataFrame, on_bad_records: OnBadRecords) -> pd.DataFrame:
    try:
        return check_kind(df, "conjunctions")
    except AuroraxSchemaError as error:
        if on_bad_records == "raise":
            raise
        sound = KINDS["conjunctions"].sound_rows(df)
        said = "; ".join(error.failures["says"].astype("str").unique())
    text = f"{len(df) - int(sound.sum())} of {len(df)} records left out: {said}"
    warnings.warn(text, AuroraxDataWarning, stacklevel=callers_level())
    return df[sound]
