"""Conjunctions in CSV: a header block that starts with ``#``, then one row per event."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import AuroraxDataError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.intervals import group_bounds
from aurorax_pandas.io import layout, limits

_ROWS: Final = 20_000
_BLOCK: Final = 2**23
_MARK: Final = "# "
_COUNTS: Final = ("conjunction", "event", "source_count")
#: In a file of passes: the position of the pass, and the number of its station.
_STATION_COUNTS: Final = ("pass", "station")
_PARENTS: Final = "parents"


def round_trip(array: pa.Array) -> pa.Array:
    """Return a column as it comes back from text."""
    if not layout.is_flat(array.type) or pa.types.is_float16(array.type):
        raise TypeError(f"{array.type} is no number, text or time that CSV is read as")
    return array


def write(path: Path, df: pd.DataFrame, block: layout.Block, parts: layout.Parts) -> None:
    """Write a frame."""
    import pyarrow.csv

    with path.open("r+b") as file:
        file.write(f"{_MARK}{layout.dump_block(block)}\n".encode())
        header = True
        for table in _tables(df, parts, _level_columns(block)):
            options = pyarrow.csv.WriteOptions(include_header=header)
            pyarrow.csv.write_csv(table, file, options)
            header = False


def names_taken(parts: layout.Parts) -> set[str]:
    """Name the columns of the file that are not columns of the frame."""
    levels = set(map(_level_column, range(len(parts.levels))))
    if "stations" in parts.nested:
        return {*levels, *_STATION_COUNTS, *map(_station, model.STATION_FIELDS)}
    if not parts.nested:
        return levels
    most = int(parts.nested["data_sources"].lengths.max(initial=0))
    sources = {_source_column(number, name) for number in range(most) for name in model.SOURCE_FIELDS}
    return {*levels, *_COUNTS, *map(_event, model.EVENT_FIELDS), *sources}


def _level_columns(block: layout.Block) -> list[str]:
    """Return the columns of the index: that of a pair summary by its name, others by their number."""
    levels = block["frame"]["index"].get("levels", ())
    columns = [spec["name"] for spec in block["frame"]["columns"]]
    if block["kind"] == "pair_summary" and [spec["name"] for spec in levels] == ["pair"] and "pair" not in columns:
        return ["pair"]
    return [_level_column(number) for number in range(len(levels))]


def _level_column(number: int) -> str:
    return f"index_{number + 1}"


def _source_column(number: int, name: str) -> str:
    return f"source{number + 1}_{name}"


def _station(name: str) -> str:
    return f"station_{name}" if name != "station" else "station_name"


def _event(name: str) -> str:
    return f"event_{name}"


def _tables(df: pd.DataFrame, parts: layout.Parts, names: list[str]) -> Iterator[pa.Table]:
    """Return the rows of the file piece by piece, at least one piece."""
    flat = dict(zip(names, parts.levels, strict=True))
    flat |= {name: parts.columns[name] for name in df.columns if name in parts.columns}
    flat = {name: _readable(array) for name, array in flat.items()}
    if "stations" in parts.nested:
        rows = _station_rows(flat, parts)
    else:
        rows = _event_rows(flat, parts) if parts.nested else lambda rows: _taken(flat, rows)
    for first in range(0, max(len(df), 1), _ROWS):
        yield pa.table(rows(np.arange(first, min(first + _ROWS, len(df)))))


def _taken(columns: dict[str, pa.Array], rows: Any) -> dict[str, pa.Array]:
    places = rows if isinstance(rows, pa.Array) else pa.array(rows)
    return {name: array.take(places) for name, array in columns.items()}


def _event_rows(
    flat: dict[str, pa.Array], parts: layout.Parts
) -> Callable[[npt.NDArray[np.int64]], dict[str, pa.Array]]:
    sources, events = parts.nested["data_sources"], parts.nested["events"]
    fields = {_event(name): _readable(array) for name, array in events.fields.items()}
    first_source, first_event = (np.cumsum(one.lengths) - one.lengths for one in (sources, events))
    most = int(sources.lengths.max(initial=0))

    def columns(rows: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
        # a conjunction without events has one row too
        counts = np.maximum(events.lengths[rows], 1)
        row = np.repeat(rows, counts)
        number = model.ranges(0, counts)
        none = events.lengths[row] == 0
        made = {
            "conjunction": pa.array(row),
            "event": pa.array(number, mask=none),
            "source_count": pa.array(sources.lengths[row]),
            **_taken(flat, row),
        }
        for place in range(most):
            taken = pa.array(first_source[row] + place, mask=sources.lengths[row] <= place)
            made |= {_source_column(place, name): array.take(taken) for name, array in sources.fields.items()}
        return made | _taken(fields, pa.array(first_event[row] + number, mask=none))

    return columns


def _station_rows(
    flat: dict[str, pa.Array], parts: layout.Parts
) -> Callable[[npt.NDArray[np.int64]], dict[str, pa.Array]]:
    stations = parts.nested["stations"]
    fields = {_station(name): _readable(array) for name, array in stations.fields.items()}
    first = np.cumsum(stations.lengths) - stations.lengths
    if _PARENTS in parts.nested:
        texts = parts.nested[_PARENTS].fields["parent"].cast(pa.string())
        lists = pa.ListArray.from_arrays(pa.array(parts.nested[_PARENTS].offsets.astype(np.int32)), texts)
        flat = {**flat, _PARENTS: model.compute.binary_join(lists, " ")}

    def columns(rows: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
        counts = np.maximum(stations.lengths[rows], 1)
        row = np.repeat(rows, counts)
        number = model.ranges(0, counts)
        none = stations.lengths[row] == 0
        made = {"pass": pa.array(row), "station": pa.array(number, mask=none), **_taken(flat, row)}
        return made | _taken(fields, pa.array(first[row] + number, mask=none))

    return columns


def _plain_table(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array


def _readable(array: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(array.type):
        return layout.whole_seconds(array)
    array = _plain_table(array)
    return array.cast(pa.int64()) if pa.types.is_duration(array.type) else array


def read_block(file: IO[bytes]) -> layout.Block:
    """Read the metadata block, and leave the file at its first row."""
    # editors of text write one
    if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        file.seek(0)
    lines = []
    while (line := file.readline()).startswith(b"#"):
        lines.append(line[len(_MARK) :])
    file.seek(-len(line), 1)
    if not lines:
        raise AuroraxDataError(
            "the file has no '#' lines with the metadata of aurorax_pandas, for .aurorax.to_csv did not write it; "
            "pandas.read_csv reads flat rows"
        )
    return layout.parse_block(b"".join(lines))


def read_empty(path: Path) -> pd.DataFrame:
    """Read the columns and dtypes of a frame, without its rows."""
    with path.open("rb") as file:
        return layout.empty_frame(read_block(file))


def read(path: Path) -> tuple[layout.Block, pd.DataFrame]:
    """Read a frame."""
    with path.open("rb") as file:
        block = read_block(file)
        specs = {spec["name"]: spec for spec in block["frame"]["columns"] if not layout.is_nested(spec)}
        levels = dict(zip(_level_columns(block), block["frame"]["index"].get("levels", ()), strict=True))
        types = {name: layout.arrow_type(spec) for name, spec in {**levels, **specs}.items()}
        table = _read_table(file, types)
    nested: dict[str, model.Flat] = {}
    number = {"conjunctions": "conjunction", "passes": "pass"}.get(block["kind"])
    row = np.arange(len(table)) if number is None else _one(table, number).to_numpy()
    first = table if number is None else table.take(pa.array(group_bounds(row)[:-1]))
    if block["kind"] == "conjunctions":
        nested["data_sources"] = _sources_of_rows(first)
        nested["events"] = _flat_of_rows(table, row, "event", _event, model.EVENT_FIELDS)
    elif block["kind"] == "passes":
        nested["stations"] = _flat_of_rows(table, row, "station", _station, model.STATION_FIELDS)
        if _PARENTS in table.column_names:
            nested[_PARENTS] = _numbers_of_texts(_plain_table(_one(first, _PARENTS)))
    column = {name: _typed(_one(first, name), kind) for name, kind in types.items()}
    parts = layout.Parts({name: column[name] for name in specs}, [column[name] for name in levels], nested)
    return block, layout.put_together(block, parts)


def _read_table(file: IO[bytes], types: dict[str, pa.DataType]) -> pa.Table:
    import pyarrow.csv

    place = file.tell()
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    header = next(csv.reader(text), [])
    text.detach()
    file.seek(place)
    limits.check_columns(len(header))
    known = dict.fromkeys((*_COUNTS, *_STATION_COUNTS), pa.int64()) | {
        _event(name): kind for name, kind in model.EVENT_FIELDS.items()
    }
    for name in header:
        if name.startswith("source") and name not in types:
            known[name] = model.SOURCE_FIELDS.get(name.partition("_")[2], pa.int64())
    known |= {_station(name): kind for name, kind in model.STATION_FIELDS.items()} | {_PARENTS: pa.string()}
    known |= types
    # texts repeat from row to row, so their distinct values are enough
    told = {name: pa.dictionary(pa.int32(), kind) if _is_text(kind) else _stored(kind) for name, kind in known.items()}
    return pyarrow.csv.read_csv(
        file,
        # a row may be long
        read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=told, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    ).unify_dictionaries()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _stored(kind: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_duration(kind) else kind


def _one(table: pa.Table, name: str) -> pa.Array:
    if name not in table.column_names:
        raise AuroraxDataError(f"the file lacks the column {name!r}")
    return model.one_array(table.column(name))


def _typed(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return _plain_table(array).cast(kind)


def _sources_of_rows(first: pa.Table) -> model.Flat:
    """Return the sources of conjunctions, of the first row of each."""
    lengths = _one(first, "source_count").to_numpy().astype(np.int64)
    most = int(lengths.max(initial=0))
    if lengths.min(initial=0) < 0 or most > len(first.column_names):
        raise AuroraxDataError(f"a row tells of {most} sources, for which the file has no columns")
    row = np.repeat(np.arange(len(lengths)), lengths)
    taken = pa.array(model.ranges(0, lengths) * len(lengths) + row)
    fields = {}
    for name, kind in model.SOURCE_FIELDS.items():
        pieces: list[Any] = [_typed(_one(first, _source_column(number, name)), kind) for number in range(most)]
        fields[name] = pa.concat_arrays(pieces).take(taken) if pieces else pa.array([], kind)
    return model.Flat(fields, lengths)


def _flat_of_rows(
    table: pa.Table,
    row: npt.NDArray[np.int64],
    number: str,
    column: Callable[[str], str],
    kinds: Mapping[str, pa.DataType],
) -> model.Flat:
    """Return the entries of a nested column, one in each row of the file that has a number of it."""
    present = _one(table, number).is_valid()
    fields = {name: _typed(_one(table, column(name)).filter(present), kind) for name, kind in kinds.items()}
    parents = np.cumsum(np.r_[0, row[1:] != row[:-1]][: len(row)])
    lengths = np.bincount(parents[present.to_numpy(zero_copy_only=False)], minlength=len(np.unique(row)))
    return model.Flat(fields, lengths.astype(np.int64))


def _numbers_of_texts(texts: pa.Array) -> model.Flat:
    lists = [[int(word) for word in (text or "").split()] for text in texts.to_pylist()]
    numbers = pa.array([number for one in lists for number in one], pa.int64())
    return model.Flat({"parent": numbers}, np.array([len(one) for one in lists], np.int64))
