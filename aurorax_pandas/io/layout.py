"""What a file or a Dataset must hold to give a frame back: flat Arrow columns, their dtypes and the metadata block."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype

from aurorax_pandas.checks import check_frame, whole_text
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import layouts, model, provenance
from aurorax_pandas.frame.rules import KINDS
from aurorax_pandas.io import limits

NESTED: Final = "nested"
#: The dtype of the column of passes that holds lists of numbers.
LISTS: Final = "lists"
#: The columns of ours that hold several entries in a row, with the fields of an entry.
NESTED_FIELDS: Final = {
    **layouts.NESTED_FIELDS,
    "stations": model.STATION_FIELDS,
    "parents": {"parent": pa.int64()},
}

#: Fields of the metadata block that anyone can read; ``frame`` and ``digest`` are for the way back.
BLOCK_KEYS: Final = (
    "schema_version", "kind", "query", "request_ids", "api_url", "retrieved_at", "package_version",
)  # fmt: skip

Block = dict[str, Any]
#: Gives a column that went through a format, or raises where the format cannot hold it.
RoundTrip = Callable[[pa.Array], pa.Array]


class Parts(NamedTuple):
    """A frame taken apart: flat columns, levels of the index (none for a range), nested columns."""

    columns: dict[str, pa.Array]
    levels: list[pa.Array]
    nested: dict[str, model.Flat]


def describe(df: pd.DataFrame, where: str) -> Block:
    """
    Make the metadata block of a frame.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events, a pair summary or passes.
    where : str
        What the frame is to become, for messages.

    Raises
    ------
    AuroraxInputError
        If a column, the index or attrs cannot be described; the message names it.
    """
    check_frame(df, where)
    strange = [name for name in df.columns if not isinstance(name, str)]
    if strange or df.columns.nlevels > 1:
        raise AuroraxInputError(f"{where} needs columns named by text; rename {(strange or list(df.columns))[0]!r}")
    if not df.columns.is_unique:
        raise AuroraxInputError(f"{where}: column {df.columns[df.columns.duplicated()][0]!r} is there twice")
    if len(df.columns) > limits.MOST_COLUMNS:
        raise AuroraxInputError(
            f"{where}: the frame has {len(df.columns)} columns, more than the {limits.MOST_COLUMNS} that are kept; drop some"
        )
    try:
        names = [df.columns.name, *df.index.names]
        text = json.dumps([df.attrs, names], allow_nan=False, ensure_ascii=False)
        if json.loads(text) != [df.attrs, names]:
            raise ValueError("a value does not come back from JSON")
    except (TypeError, ValueError, RecursionError) as error:
        raise AuroraxInputError(
            f"{where} needs attrs and names of the index that JSON can hold: {error}; remove what is not JSON"
        ) from None
    for name in df.columns:
        whole_text(f"{where}: the name of a column", name)
    whole_text(f"{where}: what stands in attrs and names of the index,", text)
    strange_attrs = limits.strange_attrs(df.attrs)
    if strange_attrs:
        raise AuroraxInputError(f"{where}: {strange_attrs}; df.attrs.pop('aurorax') drops it")
    kind = model.kind_of(df)
    if kind not in model.KEPT_KINDS:
        raise AuroraxInputError(
            f"{where} keeps {', '.join(model.KEPT_KINDS)}, not {kind}; keep the conjunctions, or write the {kind} by pandas"
        )
    lists = [name for name in df.columns if name == "parents" and kind == "passes"]
    frame = {
        "rows": len(df),
        "columns": [
            {"name": name, "dtype": LISTS} if name in lists else _spec(where, name, df[name]) for name in df.columns
        ],
        "columns_name": df.columns.name,
        "index": _index_spec(where, df.index),
        "attrs": df.attrs,
    }
    known = dict.fromkeys(BLOCK_KEYS) | provenance.make_provenance() | {"retrieved_at": None}
    told = (*BLOCK_KEYS, provenance.SAMPLE)
    known |= {key: value for key, value in provenance.get_provenance(df.attrs).items() if key in told}
    return {**known, "schema_version": model.SCHEMA_VERSION, "kind": kind, "frame": frame}


def _spec(where: str, name: Any, values: pd.Series[Any]) -> dict[str, Any]:
    if isinstance(values.dtype, NestedDtype):
        return {"name": name, "dtype": NESTED}
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return {"name": name, "dtype": str(values.dtype)}
    categories = values.dtype.categories
    listed = categories.tolist()
    if not all(isinstance(one, str | int | float | bool) for one in listed):
        raise AuroraxInputError(
            f"{where}: column {name!r} has categories of {categories.dtype}; only text and numbers can be kept, "
            f"convert it with astype('str')"
        )
    spec = {"name": name, "dtype": "category", "categories": listed, "categories_dtype": str(categories.dtype)}
    return {**spec, "ordered": bool(values.dtype.ordered)}


def _index_spec(where: str, index: pd.Index[Any]) -> dict[str, Any]:
    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "name": index.name}
    levels = [_spec(where, index.names[i], _index_level(index, i)) for i in range(index.nlevels)]
    return {"levels": levels, "multi": isinstance(index, pd.MultiIndex)}


def _index_level(index: pd.Index[Any], number: int) -> pd.Series[Any]:
    return pd.Series(index.get_level_values(number)).reset_index(drop=True)


def take_apart(df: pd.DataFrame) -> Parts:
    """Take a frame apart into Arrow columns."""
    nested = {name: model.flatten(df[name]) for name in df.columns if isinstance(df[name].dtype, NestedDtype)}
    if "parents" in df.columns and model.kind_of(df) == "passes":
        nested["parents"] = _flat_of_lists(df["parents"])
    index = df.index
    return Parts(
        {name: to_arrow(df[name]) for name in df.columns if name not in nested},
        [] if isinstance(index, pd.RangeIndex) else [to_arrow(_index_level(index, i)) for i in range(index.nlevels)],
        nested,
    )


def _flat_of_lists(values: pd.Series[Any]) -> model.Flat:
    try:
        lists = pa.array(values.tolist(), pa.list_(pa.int64()))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise AuroraxInputError(f"column {values.name!r} holds no lists of row positions: {error}") from None
    return model.Flat({"parent": lists.flatten()}, lists.value_lengths().fill_null(0).to_numpy().astype(np.int64))


def put_together(block: Block, parts: Parts) -> pd.DataFrame:
    """
    Build the frame that a metadata block describes.

    Raises
    ------
    AuroraxDataError
        If the columns are not those of the block.
    """
    frame = block["frame"]
    columns: dict[str, Any] = {}
    for spec in frame["columns"]:
        name = spec["name"]
        if spec["dtype"] == NESTED:
            flat = parts.nested[name]
            columns[name] = model.nested_array(flat.fields, flat.offsets)
        elif spec["dtype"] == LISTS:
            columns[name] = _lists_of_flat(parts.nested[name])
        else:
            columns[name] = from_arrow(parts.columns[name], spec)
        if len(columns[name]) != frame["rows"]:
            raise AuroraxDataError(f"column {name!r} has {len(columns[name])} rows in place of {frame['rows']}")
    df = pd.DataFrame(columns, index=_index_from_arrow(frame["index"], parts.levels), copy=False)
    for spec in frame["columns"]:
        if spec["dtype"] == "object":
            # pandas makes text of objects where it is not told
            df[spec["name"]] = pd.Series(columns[spec["name"]], df.index, dtype=object)
    df.columns.name = frame["columns_name"]
    df.attrs = dict(frame["attrs"])
    return df


def _lists_of_flat(flat: model.Flat) -> Any:
    lists = pa.ListArray.from_arrays(pa.array(flat.offsets.astype(np.int32)), flat.fields["parent"])
    return pd.Series(lists.to_pylist(), dtype=object).array


def is_nested(spec: Mapping[str, Any]) -> bool:
    """Tell whether a column holds several entries in a row, by its description."""
    return spec["dtype"] in (NESTED, LISTS)


def empty_frame(block: Block) -> pd.DataFrame:
    """Build the frame that a metadata block describes, without its rows."""
    block = without_rows(block)
    frame, none = block["frame"], np.zeros(0, np.int64)
    parts = Parts(
        {spec["name"]: pa.array([], arrow_type(spec)) for spec in frame["columns"] if not is_nested(spec)},
        [pa.array([], arrow_type(spec)) for spec in frame["index"].get("levels", ())],
        {
            name: model.Flat({field: pa.array([], kind) for field, kind in fields.items()}, none)
            for name, fields in NESTED_FIELDS.items()
        },
    )
    return put_together(block, parts)


def without_rows(block: Block) -> Block:
    """Return the metadata block of the same frame without rows."""
    frame = {**block["frame"], "rows": 0}
    if "range" in frame["index"]:
        frame["index"] = {**frame["index"], "range": [0, 0, 1]}
    return {**block, "frame": frame}


def _index_from_arrow(spec: dict[str, Any], levels: list[pa.Array]) -> pd.Index[Any]:
    if "range" in spec:
        start, stop, step = spec["range"]
        return pd.RangeIndex(start, stop, step, name=spec["name"])
    values = [
        pd.Index(from_arrow(level, one), dtype=object if one["dtype"] == "object" else None)
        for level, one in zip(levels, spec["levels"], strict=True)
    ]
    names = [one["name"] for one in spec["levels"]]
    return pd.MultiIndex.from_arrays(values, names=names) if spec["multi"] else values[0].rename(names[0])


def to_arrow(values: pd.Series[Any]) -> pa.Array:
    """Return a flat column as one Arrow array, missing values as null, categories as a dictionary."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy().astype(np.int32)
        categories = pa.array(values.dtype.categories, from_pandas=True)
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), categories)
    return model.pandas_to_arrow(values)


def from_arrow(array: pa.Array, spec: Mapping[str, Any]) -> Any:
    """Return an Arrow array as a column of the dtype that its description names."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if spec["dtype"] == "category":
        categories = pd.Index(spec["categories"], dtype=spec["categories_dtype"])
        known = pa.array(categories, from_pandas=True)
        codes = model.compute.index_in(array.cast(known.type), known)
        if codes.null_count != array.null_count:
            raise AuroraxDataError(f"column {spec['name']!r} holds a value that is none of its categories")
        return pd.Categorical.from_codes(
            codes.fill_null(-1).to_numpy(), dtype=pd.CategoricalDtype(categories, ordered=spec["ordered"])
        )
    dtype = pd.api.types.pandas_dtype(spec["dtype"])
    if dtype == np.dtype(object):
        return pd.Series(array.to_pylist(), dtype=object).array
    if not isinstance(dtype, np.dtype):
        return dtype.__from_arrow__(array)  # type: ignore[attr-defined]
    if array.null_count and dtype.kind in "biu":
        raise AuroraxDataError(f"column {spec['name']!r} lacks a value")
    return array.to_numpy(zero_copy_only=False).astype(dtype)


def arrow_type(spec: Mapping[str, Any]) -> pa.DataType:
    """Return the Arrow type of a flat column's values."""
    if spec["dtype"] == "category":
        return pa.array(pd.Index(spec["categories"], dtype=spec["categories_dtype"]), from_pandas=True).type
    # an object column that is flat holds text
    if spec["dtype"] == "object":
        return pa.string()
    return to_arrow(pd.Series([], dtype=spec["dtype"])).type


def is_flat(data_type: pa.DataType) -> bool:
    """Tell whether text can hold values of a type: numbers, text and times."""
    if pa.types.is_dictionary(data_type):
        data_type = data_type.value_type
    checks = ("boolean", "integer", "floating", "string", "large_string", "timestamp", "duration")
    return any(getattr(pa.types, f"is_{name}")(data_type) for name in checks)


def whole_seconds(times: pa.Array) -> pa.Array:
    """Return times without a fraction where none has one."""
    try:
        return times.cast(pa.timestamp("s", times.type.tz))
    except pa.ArrowInvalid:
        return times


def check_own_columns(df: pd.DataFrame, block: Block, where: str, round_trip: RoundTrip, *, nested: bool) -> None:
    """
    Check that a format can hold the user's own columns and the index.

    Raises
    ------
    AuroraxInputError
        If it cannot; the message names the first that it cannot hold.
    """
    ours = KINDS[block["kind"]].dtypes
    own = [(f"column {spec['name']!r}", df[spec["name"]], spec) for spec in block["frame"]["columns"]
           if spec["name"] not in ours or ours[spec["name"]] is None]  # fmt: skip
    own += [
        (f"level {number} of the index", _index_level(df.index, number), spec)
        for number, spec in enumerate(block["frame"]["index"].get("levels", ()))
    ]
    for name, values, spec in own:
        if spec["dtype"] == NESTED and nested:
            continue
        try:
            if spec["dtype"] == NESTED:
                raise TypeError("lists have no place there")
            written = to_arrow(values)
            back = pd.Series(from_arrow(round_trip(written), spec), index=values.index, dtype=values.dtype)
            if to_arrow(back).type != written.type:
                raise TypeError(f"{written.type} comes back as {to_arrow(back).type}")
            if spec["dtype"] == "object" and [*map(type, values.dropna())] != [*map(type, back.dropna())]:
                raise TypeError("objects come back as others")
            pd.testing.assert_series_equal(values, back, check_names=False, check_exact=True, check_freq=False)
        except Exception as error:
            # dtypes of others may raise whatever they like
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise AuroraxInputError(
                f"{where} cannot hold {name} of dtype {values.dtype} unchanged ({reason}); convert or drop it"
            ) from None


def check_column_names(df: pd.DataFrame, taken: set[str], where: str) -> None:
    """Raise where a column of the user's own has a name that the format needs for itself."""
    both = [name for name in df.columns if name in taken]
    if both:
        raise AuroraxInputError(f"{where} needs the name {both[0]!r} for a column of its own; rename yours")


def digest(block: Block, parts: Parts) -> str:
    """Sum up a metadata block and the contents of its frame, so that damage shows."""
    told = {key: value for key, value in block.items() if key != "digest"}
    arrays = [*parts.columns.values(), *parts.levels]
    names: list[Any] = [list(parts.columns)]
    for name, flat in parts.nested.items():
        arrays += [pa.array(flat.lengths), *flat.fields.values()]
        names.append([name, *flat.fields])
    with ThreadPoolExecutor() as pool:
        checksums = list(pool.map(_checksums, arrays))
    return hashlib.sha256(json.dumps([told, names, checksums], sort_keys=True).encode()).hexdigest()


def _checksums(array: pa.Array) -> list[int]:
    """Return the length of a column and the CRC-32 of what it holds: a third of the time of a hash."""
    parts: list[Any] = []
    if isinstance(array, pa.DictionaryArray):
        parts.append(json.dumps(array.dictionary.to_pylist()).encode())
        array = array.indices
    if array.null_count:
        parts.append(np.packbits(array.is_valid().to_numpy(zero_copy_only=False)))
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        parts += _text_of_column(array)
    elif is_flat(array.type):
        parts.append(np.ascontiguousarray(_numbers_of_column(array)).view(np.uint8))
    else:
        parts.append(json.dumps(array.to_pylist(), default=str).encode())
    return [len(array), *map(zlib.crc32, parts)]


def _text_of_column(array: pa.Array) -> tuple[npt.NDArray[np.int32], memoryview]:
    """Return the lengths of texts [bytes], and all of them in a row."""
    if not len(array):
        return np.empty(0, np.int32), memoryview(b"")
    array = (array.fill_null("") if array.null_count else array).cast(pa.large_string())
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    return np.diff(offsets).astype(np.int32), memoryview(array.buffers()[2] or b"")[offsets[0] : offsets[-1]]


def _numbers_of_column(array: pa.Array) -> npt.NDArray[Any]:
    if pa.types.is_timestamp(array.type) or pa.types.is_duration(array.type):
        array = array.cast(pa.int64())
    empty = pa.scalar(0).cast(array.type) if not pa.types.is_boolean(array.type) else False
    values: npt.NDArray[Any] = array.fill_null(empty).to_numpy(zero_copy_only=False)
    return values


def dump_block(block: Block) -> str:
    """Write a metadata block as JSON."""
    return json.dumps(block, ensure_ascii=False)


def parse_block(text: str | bytes) -> Block:
    """
    Read a metadata block.

    Raises
    ------
    AuroraxDataError
        If it is none, or of another schema version.
    """
    try:
        block = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AuroraxDataError(f"the metadata block is no JSON: {error}") from None
    if not isinstance(block, dict) or "schema_version" not in block:
        raise AuroraxDataError("the metadata block has no schema_version")
    if block["schema_version"] != model.SCHEMA_VERSION:
        raise AuroraxDataError(
            f"the file has schema_version {block['schema_version']!r}, this release of aurorax_pandas reads "
            f"{model.SCHEMA_VERSION}; use the release that wrote it (package_version "
            f"{block.get('package_version')!r}), or a later one"
        )
    if block.get("kind") not in model.KEPT_KINDS or "frame" not in block:
        raise AuroraxDataError(f"the metadata block is incomplete: kind {block.get('kind')!r}")
    limits.check_columns(len(block["frame"].get("columns", ())))
    told = limits.strange_attrs(block["frame"].get("attrs", {}))
    if told:
        raise AuroraxDataError(told)
    return block
