"""Arrow tables of any tool in, and a plain one out: text, lists of structs, microseconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype
from nested_pandas.series.ext_array import NestedExtensionArray

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.answers import read_times

#: The nested columns of conjunctions, with the fields of their entries.
NESTED_FIELDS: Final = {"data_sources": model.SOURCE_FIELDS, "events": model.EVENT_FIELDS}
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
        schema's metadata holds the provenance under ``aurorax`` (JSON), and what pandas needs. `as_conjunctions`
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
    names = list(df.columns)
    if not all(isinstance(name, str) for name in names) or not df.columns.is_unique:
        raise AuroraxInputError("to_arrow needs columns named by text, each once; rename the others")
    columns: dict[str, Any] = {}
    for name in names:
        try:
            columns[name] = _exported(df[name])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            reason = str(error).partition("\n")[0]
            raise AuroraxInputError(f"to_arrow cannot hold column {name!r} ({reason}); convert or drop it") from None
    index = df.index
    if not (isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(df))) and index.name is None):
        for number in range(index.nlevels):
            level = pd.Series(index.get_level_values(number)).reset_index(drop=True)
            columns[_index_column(number)] = model.pandas_to_arrow(level)
    table = pa.table(columns)
    return table.replace_schema_metadata(_schema_metadata(df))


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
    index = df.index
    if isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(df))) and index.name is None:
        told["index_columns"] = [{"kind": "range", "name": None, "start": 0, "stop": len(df), "step": 1}]
    else:
        names = [str(name) if name is not None else None for name in index.names]
        levels = pd.DataFrame({_index_column(n): index.get_level_values(n)[:0] for n in range(index.nlevels)})
        spec = json.loads(pa.Schema.from_pandas(levels, preserve_index=False).metadata[_PANDAS])["columns"]
        told["index_columns"] = [_index_column(number) for number in range(index.nlevels)]
        columns = [one for one in told["columns"] if not str(one["field_name"]).startswith("__index_level_")]
        told["columns"] = columns + [one | {"name": name} for one, name in zip(spec, names, strict=True)]
    known = {_KEY: json.dumps(found).encode()} if (found := provenance.get_provenance(df.attrs)) else {}
    return {**known, _PANDAS: json.dumps(told).encode()}


def _kept_attrs(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    try:
        same = json.loads(json.dumps(dict(attrs))) == attrs
    except (TypeError, ValueError, RecursionError):
        same = False
    return dict(attrs) if same else {}


def attrs_of_schema(schema: pa.Schema) -> dict[str, Any]:
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
    rest = table.select(own)
    rest = pa.table({name: settled(rest.column(name)) for name in own}, metadata=table.schema.metadata) if own else None
    if rest is None:
        df = pd.DataFrame(index=pd.RangeIndex(table.num_rows))
    else:
        df = rest.to_pandas()
        levels = [name for name in df.columns if str(name).startswith("__index_level_")]
        # other tools drop what tells pandas that these are the index
        if levels:
            df = df.set_index(levels)
            df.index.names = [None] * len(levels)
    df.attrs = attrs_of_schema(table.schema)
    return df, ours


def settled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in a layout that pandas knows: no views, no run ends."""
    if pa.types.is_run_end_encoded(column.type):
        column = pa.chunked_array([model.compute.run_end_decode(chunk) for chunk in column.chunks])
    if pa.types.is_dictionary(column.type) and _is_view(column.type.value_type):
        pieces = [
            pa.DictionaryArray.from_arrays(
                chunk.indices, chunk.dictionary.cast(pa.large_string()), ordered=chunk.type.ordered
            )
            for chunk in column.chunks
        ]
        kind = pa.dictionary(column.type.index_type, pa.large_string(), column.type.ordered)
        return pa.chunked_array(pieces, kind)
    kind = _settled_type(column.type)
    return column if kind == column.type else column.cast(kind)


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind))


def _settled_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _settled_type(kind.value_type)
        return kind if inner == kind.value_type else pa.large_list(inner)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_settled_type(field.type)) for field in kind])
    return kind


def flat_array(array: Any, kind: pa.DataType) -> pa.Array:
    """
    Return a column of any layout as one plain array of a type of the data model.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Numbers, text or times. Times with a zone are instants, so that they become UTC; text is read by ISO 8601.
    kind : pyarrow.DataType
        What to make of it.

    Raises
    ------
    pyarrow.ArrowException, TypeError, ValueError
        If a value is none of this type, or may mean several things.
    """
    if isinstance(array, pa.ChunkedArray):
        array = model.one_array(array) if array.num_chunks else pa.array([], array.type)
    found = array.type
    if found == kind:
        return array
    if isinstance(found, pa.BaseExtensionType):
        return flat_array(array.storage, kind)
    if pa.types.is_dictionary(found):
        return flat_array(array.dictionary, kind).take(array.indices)
    if pa.types.is_run_end_encoded(found):
        return flat_array(model.compute.run_end_decode(array), kind)
    if pa.types.is_null(found):
        return pa.nulls(len(array), kind)
    text = pa.types.is_string(found) or pa.types.is_large_string(found) or _is_view(found)
    if pa.types.is_timestamp(kind):
        if text:
            return pa.array(read_times(array.to_pylist()), kind)
        if not (pa.types.is_timestamp(found) or pa.types.is_date(found)):
            raise TypeError(f"{found} is no time; give times, UTC")
        # Arrow keeps instants in UTC, whatever their zone
        times = array.to_numpy(zero_copy_only=False).astype("M8[us]")
        return pa.array(times, kind)
    if pa.types.is_string(kind):
        if not text:
            raise TypeError(f"{found} is no text")
        return array.cast(kind)
    numeric = pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found)
    if not (numeric or text):
        raise TypeError(f"{found} holds no numbers")
    if pa.types.is_floating(found) and pa.types.is_integer(kind):
        # what pandas makes of whole numbers with missing ones among them
        array = pa.array(array.to_numpy(zero_copy_only=False), from_pandas=True)
    return array.cast(kind)


def nested_of(array: Any, fields: Mapping[str, pa.DataType]) -> tuple[model.Flat, npt.NDArray[np.bool_]]:
    """
    Take lists of entries apart, of any layout, and tell which rows are missing.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Lists, large or fixed-size lists, list views or structs of lists; in a list of the service's own events the
        sources are structs.
    fields : mapping of str to pyarrow.DataType
        The fields of an entry; one that is not there is missing in all of them.

    Raises
    ------
    pyarrow.ArrowException, TypeError, ValueError
        If this is no list of such entries.
    """
    if isinstance(array, pa.ChunkedArray):
        array = model.one_array(array) if array.num_chunks else pa.array([], array.type)
    kind = array.type
    missing = array.is_null().to_numpy(zero_copy_only=False)
    if isinstance(kind, pa.BaseExtensionType):
        return nested_of(array.storage, fields)
    if pa.types.is_null(kind):
        none = {name: pa.array([], one) for name, one in fields.items()}
        return model.Flat(none, np.zeros(len(array), np.int64)), missing
    if pa.types.is_struct(kind):
        return _nested_of_struct(array, fields), missing
    lengths, entries = _entries_of_lists(array)
    if pa.types.is_dictionary(entries.type):
        entries = entries.dictionary_decode()
    if pa.types.is_null(entries.type):
        entries = pa.nulls(len(entries), pa.struct([]))
    if not pa.types.is_struct(entries.type):
        raise TypeError(f"its lists hold {entries.type}, not entries with {', '.join(list(fields)[:2])} …")
    return model.Flat(_entry_fields(entries, fields), lengths), missing


def _entries_of_lists(array: pa.Array) -> tuple[npt.NDArray[np.int64], pa.Array]:
    kind = array.type
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        present = array.is_valid().to_numpy(zero_copy_only=False)
        lengths = np.where(present, array.sizes.to_numpy(), 0).astype(np.int64)
        # Arrow's own cast to lists reads views in another order as if they stood one after the other
        return lengths, array.values.take(pa.array(model.ranges(array.offsets.to_numpy().astype(np.int64), lengths)))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        lengths = array.value_lengths().fill_null(0).to_numpy().astype(np.int64)
        return lengths, array.flatten()
    raise TypeError(f"{kind} is no list of entries")


def _nested_of_struct(array: pa.Array, fields: Mapping[str, pa.DataType]) -> model.Flat:
    """Take structs of lists apart, as nested-pandas also keeps them."""
    columns = dict(zip((field.name for field in array.type), array.flatten(), strict=True))
    known = {name: _entries_of_lists(column) for name, column in columns.items() if name in fields}
    if not known:
        raise TypeError(f"{array.type.num_fields} fields, none of them lists of {', '.join(list(fields)[:2])} …")
    lengths = next(iter(known.values()))[0]
    total = int(lengths.sum())
    made = {
        name: flat_array(known[name][1], kind) if name in known else pa.nulls(total, kind)
        for name, kind in fields.items()
    }
    return model.Flat(made, lengths)


def _entry_fields(entries: pa.StructArray, fields: Mapping[str, pa.DataType]) -> dict[str, pa.Array]:
    columns = dict(zip((field.name for field in entries.type), entries.flatten(), strict=True))
    for side in ("e1", "e2"):
        source = columns.get(f"{side}_source")
        if source is not None and pa.types.is_struct(source.type):
            columns |= {
                f"{side}_{field.name}": column for field, column in zip(source.type, source.flatten(), strict=True)
            }
    return {
        name: flat_array(columns[name], kind) if name in columns else pa.nulls(len(entries), kind)
        for name, kind in fields.items()
    }


def nested_column(flat: model.Flat, missing: npt.NDArray[np.bool_]) -> NestedExtensionArray:
    """Return a nested column of its parts; a row that is missing stays so, which is not the same as an empty one."""
    if not missing.any():
        return model.nested_array(flat.fields, flat.offsets)
    entries = pa.StructArray.from_arrays(list(flat.fields.values()), list(flat.fields))
    return NestedExtensionArray(
        pa.LargeListArray.from_arrays(pa.array(flat.offsets, pa.int64()), entries, mask=pa.array(missing))
    )
