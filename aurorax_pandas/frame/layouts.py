"""Arrow columns of any layout, in the types of the data model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from nested_pandas.series.ext_array import NestedExtensionArray

from aurorax_pandas.frame import model
from aurorax_pandas.frame.answers import read_times

#: The nested columns of conjunctions, with the fields of their entries.
NESTED_FIELDS: Final = {"data_sources": model.SOURCE_FIELDS, "events": model.EVENT_FIELDS}


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
        array = model.one_array(array)
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
        array = model.one_array(array)
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
    if not all(np.array_equal(own, lengths) for own, _ in known.values()):
        raise ValueError("the lists of its fields have different lengths")
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
