"""Arrow tables of any tool, and the plain one that a frame becomes: text, lists of structs, microseconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype
from nested_pandas.series.ext_array import NestedExtensionArray

from aurorax_pandas.checks import reason_of
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import layouts, model, provenance
from aurorax_pandas.frame.citation import ACKNOWLEDGEMENT, acknowledgement
from aurorax_pandas.frame.events import require

_KEY: Final = provenance.KEY.encode()
_PANDAS: Final = b"pandas"


def to_arrow(df: pd.DataFrame) -> pa.Table:
    """
    Return a frame as an Arrow table that DuckDB, polars and pandas take.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or the frames of `explode_events` and `pair_summary`; columns of your own travel too.

    Returns
    -------
    pyarrow.Table
        The columns in their order: categories of ours as text, ``data_sources`` and ``events`` as lists of structs,
        times in microseconds (UTC), distances in [km]. An index that is no plain range comes last, as columns. The
        schema's metadata holds the provenance under ``aurorax`` (JSON), whom to acknowledge, and what pandas needs. `as_conjunctions`
        gives the frame back.

    Raises
    ------
    AuroraxInputError
        If Arrow cannot hold a column, or a column has no name that is text.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas.testing import assert_conjunctions_equal
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> table = df.aurorax.to_arrow()
    >>> str(table.schema.field("start").type), table["events"][0][0]["e2_display_name"].as_py()
    ('timestamp[us]', 'Swarm A')
    >>> assert_conjunctions_equal(aurorax_pandas.as_conjunctions(table), df)
    """
    # what other tools changed, times with a zone say, goes out as verbs read it
    df = require(df, "to_arrow")
    names = list(df.columns)
    if not all(isinstance(name, str) for name in names) or not df.columns.is_unique:
        raise AuroraxInputError("to_arrow needs columns named by text, each once; rename the others")
    columns: dict[str, Any] = {}
    for name in names:
        try:
            columns[name] = _exported(df[name])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise AuroraxInputError(
                f"to_arrow cannot hold column {name!r} ({reason_of(error)}); convert or drop it"
            ) from None
    if not _has_plain_index(df):
        for number in range(df.index.nlevels):
            level = pd.Series(df.index.get_level_values(number)).reset_index(drop=True)
            try:
                columns[_index_column(number)] = model.pandas_to_arrow(level)
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                raise AuroraxInputError(
                    f"to_arrow cannot hold level {number} of the index ({reason_of(error)}); df.reset_index(drop=True) drops it"
                ) from None
    table = pa.table(columns)
    return table.replace_schema_metadata(_schema_metadata(df))


def _has_plain_index(df: pd.DataFrame) -> bool:
    index = df.index
    return isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(df))) and index.name is None


def _index_column(number: int) -> str:
    return f"__index_level_{number}__"


def _exported(values: pd.Series[Any]) -> pa.Array:
    if isinstance(values.array, NestedExtensionArray):
        lists = model.one_array(values.array.list_array)
        # plain lists: not every tool knows large ones
        return lists.cast(pa.list_(lists.type.value_type))
    if isinstance(values.dtype, pd.CategoricalDtype) and values.name in ("conjunction_type", "pair"):
        codes = values.cat.codes.to_numpy()
        texts = pa.array(values.dtype.categories, pa.string(), from_pandas=True)
        return texts.take(pa.array(codes, mask=codes < 0))
    array = model.pandas_to_arrow(values)
    return array.cast(pa.string()) if pa.types.is_large_string(array.type) else array


def _schema_metadata(df: pd.DataFrame) -> dict[bytes, bytes]:
    # nested columns are called objects: a reader without nested-pandas does not know their dtype
    plain = df.iloc[:0]
    nested = [name for name in df.columns if isinstance(df[name].dtype, NestedDtype)]
    texts = [name for name in ("conjunction_type", "pair") if name in df.columns]
    plain = plain.assign(**dict.fromkeys(nested), **{name: pd.Series([], dtype="str") for name in texts})
    plain.attrs = _kept_attrs(df.attrs)
    told = json.loads(pa.Schema.from_pandas(plain).metadata[_PANDAS])
    if _has_plain_index(df):
        told["index_columns"] = [{"kind": "range", "name": None, "start": 0, "stop": len(df), "step": 1}]
    else:
        index = df.index
        names = [str(name) if name is not None else None for name in index.names]
        levels = pd.DataFrame({_index_column(n): index.get_level_values(n)[:0] for n in range(index.nlevels)})
        spec = json.loads(pa.Schema.from_pandas(levels, preserve_index=False).metadata[_PANDAS])["columns"]
        told["index_columns"] = [_index_column(number) for number in range(index.nlevels)]
        columns = [one for one in told["columns"] if not str(one["field_name"]).startswith("__index_level_")]
        told["columns"] = columns + [one | {"name": name} for one, name in zip(spec, names, strict=True)]
    known = {_KEY: json.dumps(found).encode()} if (found := provenance.get_provenance(df.attrs)) else {}
    return {**known, ACKNOWLEDGEMENT.encode(): acknowledgement(df)[0].encode(), _PANDAS: json.dumps(told).encode()}


def _kept_attrs(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    try:
        same = json.loads(json.dumps(dict(attrs))) == attrs
    except (TypeError, ValueError, RecursionError):
        same = False
    return dict(attrs) if same else {}


def attrs_of_schema(schema: pa.Schema) -> dict[Any, Any]:
    """Return the attrs of the frame that a table was made from, as far as its metadata tells."""
    metadata = schema.metadata or {}
    told = json.loads(metadata[_PANDAS]) if _PANDAS in metadata else {}
    attrs: dict[str, Any] = dict(told.get("attributes") or {})
    if provenance.KEY not in attrs and _KEY in metadata:
        attrs[provenance.KEY] = json.loads(metadata[_KEY])
    return attrs


def frame_of_table(table: pa.Table) -> tuple[pd.DataFrame, dict[str, pa.ChunkedArray]]:
    """
    Return the columns of a table that pandas has a dtype for, with their index and attrs, and the others by name.

    Parameters
    ----------
    table : pyarrow.Table
        Of any tool; columns of the data model's names come back as they are, for `as_conjunctions` to read.
    """
    ours = {name: table.column(name) for name in table.column_names if name in model.CONJUNCTION_COLUMNS}
    own = [name for name in table.column_names if name not in ours]
    df = pd.DataFrame(index=pd.RangeIndex(table.num_rows))
    if own:
        settled = {name: layouts.settled(table.column(name)) for name in own}
        df = pa.table(settled, metadata=table.schema.metadata).to_pandas()
        levels = [name for name in df.columns if str(name).startswith("__index_level_")]
        # other tools drop what tells pandas that these are the index
        if levels:
            df = df.set_index(levels)
            df.index.names = [None] * len(levels)
    df.attrs = attrs_of_schema(table.schema)
    return df, ours
