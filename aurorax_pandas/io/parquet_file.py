"""Conjunctions in Parquet that any reader opens: lists of structs, and the metadata block as a key-value."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from aurorax_pandas.checks import shown, suggestion
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.io import layout, limits

KEY: Final = b"aurorax"
#: What a value takes in memory, whatever it takes in the file [bytes].
_VALUE: Final = 8


def round_trip(array: pa.Array) -> pa.Array:
    """Return a column as it comes back: Arrow holds it as it is."""
    return array


def names_taken(parts: layout.Parts) -> set[str]:
    """Name the columns of the file that are not columns of the frame."""
    return {f"__index_level_{number}__" for number in range(len(parts.levels))}


def write(path: Path, df: pd.DataFrame, block: layout.Block, parts: layout.Parts) -> None:
    """Write a frame."""
    import pyarrow.parquet

    told = _pandas_metadata(df, parts)
    columns = {name: _lists(parts.nested[name]) if name in parts.nested else parts.columns[name] for name in df.columns}
    columns |= dict(zip(_level_names(told), parts.levels, strict=True))
    table = pa.table(columns, metadata={KEY: layout.dump_block(block).encode(), b"pandas": json.dumps(told).encode()})
    # pyarrow's own types know of no names here
    options: dict[str, Any] = {
        # distances and times hardly ever repeat, and limits of what is in lists help no reader
        "use_dictionary": list(_repeating(table.schema)),
        "write_statistics": list(parts.columns),
    }
    pyarrow.parquet.write_table(table, path, compression="snappy", write_page_checksum=True, **options)


def _repeating(schema: pa.Schema) -> Iterator[str]:
    """Name the columns of the file that hold texts, identifiers and categories."""
    for field in schema:
        nested = pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type)
        for leaf in field.type.value_type if nested else [field]:
            if not pa.types.is_floating(leaf.type) and not pa.types.is_timestamp(leaf.type):
                yield f"{field.name}.list.element.{leaf.name}" if nested else field.name


def _lists(flat: model.Flat) -> pa.Array:
    names, values = list(flat.fields), list(flat.fields.values())
    entries = values[0] if names == ["parent"] else pa.StructArray.from_arrays(values, names)
    # plain lists: not every reader knows large ones
    return pa.ListArray.from_arrays(pa.array(flat.offsets.astype(np.int32)), entries)


def _pandas_metadata(df: pd.DataFrame, parts: layout.Parts) -> dict[str, Any]:
    # nested columns are called objects: a reader without nested-pandas does not know their dtype
    plain = df.assign(**dict.fromkeys(parts.nested)) if parts.nested else df
    if isinstance(df.index, pd.MultiIndex):
        # a level that is a range would be left out of the file
        levels = [df.index.get_level_values(number).to_numpy() for number in range(df.index.nlevels)]
        plain = plain.set_axis(pd.MultiIndex.from_arrays(levels, names=df.index.names))
    told: dict[str, Any] = json.loads(pa.Schema.from_pandas(plain).metadata[b"pandas"])
    return told


def _level_names(told: dict[str, Any]) -> list[str]:
    return [name for name in told["index_columns"] if isinstance(name, str)]


def is_ours(path: Path) -> bool:
    """Tell whether a file has a metadata block of ours; other writers, and tables of `to_arrow`, have none."""
    import pyarrow.parquet

    told = (pyarrow.parquet.read_schema(path).metadata or {}).get(KEY)
    return told is not None and b'"frame"' in told


def read_foreign(path: Path, *, rows: bool = True) -> pd.DataFrame:
    """
    Read conjunctions that another tool wrote.

    Raises
    ------
    AuroraxDataError
        If the file holds something else.
    """
    import pyarrow.parquet

    from aurorax_pandas.frame.convert import as_conjunctions

    _check_size(path)
    schema = pyarrow.parquet.read_schema(path)
    try:
        df = as_conjunctions(pyarrow.parquet.read_table(path) if rows else schema.empty_table())
    except (AuroraxDataError, AuroraxInputError) as error:
        raise AuroraxDataError(
            f"it is no file of aurorax_pandas, and no table of conjunctions: {error}; read it with pandas.read_parquet"
        ) from None
    if KEY not in (schema.metadata or {}):
        # what another tool has done to the rows is not known
        df.attrs.pop(KEY.decode(), None)
    if told := limits.strange_attrs(df.attrs):
        raise AuroraxDataError(told)
    return df


def _check_size(path: Path) -> None:
    """Raise where a file tells that it unpacks to far more than it should."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_metadata(path)
    limits.check_columns(metadata.num_columns)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    chunks = [group.column(number) for group in groups for number in range(metadata.num_columns)]
    limits.check_bytes(sum(max(chunk.total_uncompressed_size, _VALUE * chunk.num_values) for chunk in chunks), path)
    limits.check_bytes(_VALUE * sum(group.num_rows for group in groups), path)


def _block(schema: pa.Schema) -> layout.Block:
    if KEY not in (schema.metadata or {}):
        raise AuroraxDataError("the file has no metadata of aurorax_pandas; read it with pandas.read_parquet")
    return layout.parse_block(schema.metadata[KEY])


def reach(path: Path) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Return when the first row of a file begins and the last one ends, as its statistics tell; None where they do not."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_metadata(path)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    leaves = {metadata.schema.column(number).path: number for number in range(len(metadata.schema))}
    found: list[pd.Timestamp | None] = []
    for name, side, outermost in (("start", "min", min), ("end", "max", max)):
        told = [group.column(leaves[name]).statistics for group in groups] if name in leaves else []
        known = bool(told) and all(
            one is not None and one.has_min_max and isinstance(one.min, datetime.datetime) for one in told
        )
        found.append(outermost(pd.Timestamp(getattr(one, side)) for one in told) if known else None)
    return found[0], found[1]


def read(path: Path, columns: Sequence[str] | None = None) -> tuple[layout.Block, pd.DataFrame]:
    """Read a frame, or some of its columns."""
    import pyarrow.parquet

    _check_size(path)
    metadata = pyarrow.parquet.read_metadata(path)
    schema = metadata.schema.to_arrow_schema()
    block = _block(schema)
    told = None
    if columns is not None:
        frame = block["frame"]
        known = [spec["name"] for spec in frame["columns"]]
        for name in columns:
            if name not in known:
                raise AuroraxInputError(
                    f"columns: there is no {shown(name)} in {path.name!r}; {suggestion(name, known)}"
                )
        chosen = [spec for spec in frame["columns"] if spec["name"] in columns]
        block = {**block, "frame": {**frame, "columns": chosen}}
        levels = _level_names(json.loads(schema.metadata[b"pandas"]))
        told = [*(spec["name"] for spec in chosen), *levels]
    leaves = [metadata.schema.column(number) for number in range(len(metadata.schema))]
    # texts repeat, and are read four times faster as numbers of distinct ones
    texts = [leaf.path for leaf in leaves if leaf.logical_type.type == "STRING"]
    with pyarrow.parquet.ParquetFile(
        path, metadata=metadata, read_dictionary=texts, page_checksum_verification=True
    ) as file:
        # Arrow cannot read such columns from several groups of rows at once
        groups = [file.read_row_group(number, columns=told) for number in range(metadata.num_row_groups)]
    limits.check_bytes(sum(limits.bytes_of_texts(column) for group in groups for column in group.columns), path)
    return block, _frame_of_table(block, groups or [schema.empty_table()], schema)


def read_empty(path: Path) -> pd.DataFrame:
    """Read the columns and dtypes of a frame, without its rows."""
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(path)
    return _frame_of_table(layout.without_rows(_block(schema)), [schema.empty_table()], schema)


def _frame_of_table(block: layout.Block, groups: list[pa.Table], schema: pa.Schema) -> pd.DataFrame:
    told = json.loads(schema.metadata[b"pandas"])
    specs = block["frame"]["columns"]

    def column(name: str) -> pa.Array:
        return model.one_array(pa.concat_tables([group.select([name]) for group in groups]).column(0))

    parts = layout.Parts(
        {spec["name"]: column(spec["name"]) for spec in specs if not layout.is_nested(spec)},
        [column(name) for name in _level_names(told)],
        {name: _flat_lists([group.column(name) for group in groups], schema.field(name).type.value_type)
         for name in (spec["name"] for spec in specs if layout.is_nested(spec))},
    )  # fmt: skip
    return layout.put_together(block, parts)


def _flat_lists(groups: list[pa.ChunkedArray], entries: pa.DataType) -> model.Flat:
    if not pa.types.is_struct(entries):
        lists = [model.one_array(group) for group in groups]
        lengths = np.concatenate([one.value_lengths().fill_null(0).to_numpy() for one in lists]).astype(np.int64)
        return model.Flat({"parent": pa.concat_arrays([one.flatten() for one in lists])}, lengths)
    pieces = [model.flatten_lists(model.one_array(group)) for group in groups]

    def joined(entry: pa.Field) -> pa.Array:
        plain = [piece.fields[entry.name].cast(entry.type) for piece in pieces]
        return pa.concat_arrays(plain) if len(plain) > 1 else plain[0]

    with ThreadPoolExecutor() as pool:
        fields = dict(zip((entry.name for entry in entries), pool.map(joined, entries), strict=True))
    return model.Flat(fields, np.concatenate([piece.lengths for piece in pieces]))
