"""Conjunctions in JSON: the service's own records, with the metadata block beside them."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import AuroraxDataError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.answers import check_once
from aurorax_pandas.frame.records import conjunctions_in_order_received
from aurorax_pandas.frame.written import records_to_encode
from aurorax_pandas.io import layout

_ROWS: Final = 5_000
_LEVELS: Final = "index"


def round_trip(array: pa.Array) -> pa.Array:
    """Return a column as it comes back from JSON."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    kind = kind if layout.is_flat(kind) else None
    return _from_json(json.loads(json.dumps(_to_json(array), allow_nan=False)), kind)


def _to_json(array: pa.Array) -> list[Any]:
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type):
        # the instant in UTC, as text to the last digit
        array = layout.whole_seconds(array.cast(pa.timestamp(array.type.unit)))
        texts: list[Any] = model.compute.strftime(array, "%Y-%m-%dT%H:%M:%S").to_pylist()
        return texts
    values: list[Any] = (array.cast(pa.int64()) if pa.types.is_duration(array.type) else array).to_pylist()
    return values


def _from_json(values: list[Any], kind: pa.DataType | None) -> pa.Array:
    if kind is None:
        return pa.array(values)
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.string()).cast(pa.timestamp(kind.unit)).cast(kind)
    return pa.array(values, pa.int64()).cast(kind) if pa.types.is_duration(kind) else pa.array(values, kind)


def names_taken(_parts: layout.Parts) -> set[str]:
    """Name the keys of a record that are not columns of the frame: none."""
    return set()


def write(path: Path, df: pd.DataFrame, block: layout.Block, parts: layout.Parts) -> None:
    """Write a frame with its metadata block."""
    head = {**block, _LEVELS: [_to_json(level) for level in parts.levels]}
    with path.open("r+b") as file:
        file.write(b'{"aurorax": ' + layout.dump_block(head).encode() + b',\n"result": [')
        _write_rows(file, df, parts)
        file.write(b"\n]}\n")


def write_api(path: Path, df: pd.DataFrame) -> None:
    """Write conjunctions exactly as the service answers."""
    with path.open("r+b") as file:
        file.write(b'{"result": [')
        _write_rows(file, df, layout.Parts({}, [], {}))
        file.write(b"\n]}\n")


def _write_rows(file: Any, df: pd.DataFrame, parts: layout.Parts) -> None:
    encoder = msgspec.json.Encoder()
    for first in range(0, len(df), _ROWS):
        rows = _rows_of_records(df.iloc[first : first + _ROWS], parts, first)
        # texts hold no line ends of their own in JSON
        file.write((b",\n" if first else b"\n") + encoder.encode_lines(rows)[:-1].replace(b"\n", b",\n"))


def _rows_of_records(df: pd.DataFrame, parts: layout.Parts, first: int) -> list[Any]:
    is_nested = model.kind_of(df) == "conjunctions"
    made: list[Any] = records_to_encode(df) if is_nested else []
    own = {
        name: _to_json(parts.columns[name].slice(first, len(df)))
        for name in parts.columns
        if not (is_nested and name in model.CONJUNCTION_COLUMNS)
    }
    if is_nested and not own:
        return made
    if not is_nested:
        own |= {name: _entries_to_json(flat, first, len(df)) for name, flat in parts.nested.items()}
    rows = [dict(zip(own, row, strict=True)) for row in zip(*own.values(), strict=True)]
    return [msgspec.structs.asdict(record) | row for record, row in zip(made, rows, strict=True)] if is_nested else rows


def _entries_to_json(flat: model.Flat, first: int, count: int) -> list[list[Any]]:
    """Return the entries of some rows: numbers where they have one field, else objects."""
    bounds = flat.offsets[first : first + count + 1]
    values = {name: _to_json(array.slice(bounds[0], bounds[-1] - bounds[0])) for name, array in flat.fields.items()}
    entries = (
        values["parent"]
        if list(values) == ["parent"]
        else [dict(zip(values, entry, strict=True)) for entry in zip(*values.values(), strict=True)]
    )
    return [entries[begin - bounds[0] : end - bounds[0]] for begin, end in pairwise(bounds)]


def _entries_of_json(cells: list[list[Any]], fields: Mapping[str, pa.DataType]) -> model.Flat:
    entries = [entry for cell in cells for entry in cell]
    made = {
        name: _from_json(entries if name == "parent" else [entry[name] for entry in entries], kind)
        for name, kind in fields.items()
    }
    return model.Flat(made, np.array([len(cell) for cell in cells], np.int64))


def _envelope(path: Path) -> tuple[layout.Block, msgspec.Raw]:
    body = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    envelope = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    records = bytes(envelope.get("result", b""))
    # the keys around the records are few, and rows of our own hold such names too
    check_once(body.replace(records, b"0", 1) if records.startswith(b"[") else body, "result", "aurorax")
    if "aurorax" not in envelope:
        raise AuroraxDataError(
            "the file has no metadata of aurorax_pandas; read the service's own records with "
            "as_conjunctions(pathlib.Path(path).read_bytes())"
        )
    return layout.parse_block(bytes(envelope["aurorax"])), envelope["result"]


def read_empty(path: Path) -> pd.DataFrame:
    """Read the columns and dtypes of a frame, without its rows."""
    return layout.empty_frame(_envelope(path)[0])


def read(path: Path) -> tuple[layout.Block, pd.DataFrame]:
    """Read a frame."""
    block, result = _envelope(path)
    stored = block.pop(_LEVELS)
    levels = [_from_json(values, layout.arrow_type(spec)) for values, spec in
              zip(stored, block["frame"]["index"].get("levels", ()), strict=True)]  # fmt: skip
    items = msgspec.json.decode(result, type=list[msgspec.Raw])
    nested = [spec["name"] for spec in block["frame"]["columns"] if layout.is_nested(spec)]
    columns: dict[str, pa.Array] = {}
    flat: dict[str, model.Flat] = {}
    if block["kind"] == "passes":
        decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
        rows = [decode(item) for item in items]
        for name in nested:
            flat[name] = _entries_of_json([msgspec.json.decode(row[name]) for row in rows], layout.NESTED_FIELDS[name])
    elif nested:
        df = conjunctions_in_order_received(items)
        taken = layout.take_apart(df)
        columns, flat = taken.columns, taken.nested
    own = [spec for spec in block["frame"]["columns"] if spec["name"] not in nested and spec["name"] not in columns]
    columns |= _own_columns(items, own)
    return block, layout.put_together(block, layout.Parts(columns, levels, flat))


def _own_columns(items: list[msgspec.Raw], specs: list[dict[str, Any]]) -> dict[str, pa.Array]:
    decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
    rows = [decode(item) for item in items] if specs else []
    return {
        spec["name"]: _from_json(
            [msgspec.json.decode(row[spec["name"]]) for row in rows],
            None if spec["dtype"] == "object" else layout.arrow_type(spec),
        )
        for spec in specs
    }
