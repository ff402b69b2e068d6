"""The dtypes of the data model as pandera knows them, so that its schemas have typed columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype
from nested_pandas.series.ext_array import NestedExtensionArray
from pandera.engines import pandas_engine

from aurorax_pandas.frame import model
from aurorax_pandas.sources import HEMISPHERE


class _ExactDtype(pandas_engine.DataType):
    """A dtype that a column has or has not; pandera's own know neither the unit of times nor nested columns."""

    name: ClassVar[str] = ""
    type: Any = None

    def __init__(self) -> None:
        # pandera's dtypes are frozen and warn of those that they do not know
        pass

    def check(self, pandera_dtype: Any, data_container: Any = None) -> bool:
        """Tell whether a column has this dtype."""
        found = getattr(pandera_dtype, "type", None) if data_container is None else data_container.dtype
        return model.is_of_dtype(found, self.type)

    def coerce(self, data_container: Any) -> Any:
        """Return a column in this dtype."""
        return data_container.astype(self.type)

    def coerce_value(self, value: Any) -> Any:
        """Return a value as a column of this dtype holds it."""
        return self.coerce(pd.Series([value], dtype=object)).iloc[0]

    def __str__(self) -> str:
        return self.name or str(self.type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ExactDtype) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


@pandas_engine.Engine.register_dtype
class NestedColumn(_ExactDtype):
    """Any nested column; this is what pandera makes of a `NestedDtype` that it meets."""

    def __init__(self, dtype: NestedDtype | None = None) -> None:
        object.__setattr__(self, "type", dtype)

    @classmethod
    def from_parametrized_dtype(cls, dtype: NestedDtype) -> _ExactDtype:
        """Return the dtype for a `NestedDtype`."""
        return cls(dtype)

    def coerce(self, data_container: Any) -> Any:
        """Return lists of dicts, or another nested column, as a nested column of these fields."""
        return _as_nested(data_container, {field.name: field.type.value_type for field in self.type.pyarrow_dtype})


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.utc"])
class UTC(_ExactDtype):
    """Times in UTC without a zone, in microseconds; coerces text (ISO 8601), zones and other units."""

    name = "aurorax.utc"
    type = np.dtype(model.DATETIME)

    def coerce(self, data_container: Any) -> Any:
        """Return times in UTC, those without a zone as they are."""
        if pd.api.types.is_numeric_dtype(data_container.dtype):
            raise TypeError("a number is no time; make it one by pandas.to_datetime(..., unit=)")
        if not pd.api.types.is_datetime64_any_dtype(data_container.dtype):
            data_container = pd.to_datetime(data_container, utc=True, format="ISO8601")
        if data_container.dt.tz is not None:
            data_container = data_container.dt.tz_convert("UTC").dt.tz_localize(None)
        return data_container.astype(model.DATETIME)


class _CategoryDtype(_ExactDtype):
    def coerce(self, data_container: Any) -> Any:
        """Return a categorical column; a value that is no category is refused, where pandas drops it."""
        made = data_container.astype(self.type)
        if (lost := made.isna() & data_container.notna()).any():
            raise ValueError(f"{data_container[lost].iloc[0]!r} is none of {made.cat.categories.tolist()}")
        return made


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.conjunction_type", model.CONJUNCTION_TYPE])
class ConjunctionType(_CategoryDtype):
    """The type of a conjunction: nbtrace, sbtrace, geographic."""

    name = "aurorax.conjunction_type"
    type = model.CONJUNCTION_TYPE


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.hemisphere", HEMISPHERE])
class Hemisphere(_CategoryDtype):
    """The hemisphere of a spacecraft."""

    name = "aurorax.hemisphere"
    type = HEMISPHERE


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.label"])
class Label(_ExactDtype):
    """Labels such as those of pairs: any categories."""

    name = "aurorax.label"
    type = "category"


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.text"])
class Text(_ExactDtype):
    """Text, pandas' ``str``."""

    name = "aurorax.text"
    type = pd.api.types.pandas_dtype("str")


class _OurNestedDtype(_ExactDtype):
    fields: ClassVar[Mapping[str, pa.DataType]]

    def coerce(self, data_container: Any) -> Any:
        """Return lists of dicts, or another nested column, as a nested column of our fields."""
        return _as_nested(data_container, self.fields)


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.data_sources", model.DATA_SOURCES])
class DataSources(_OurNestedDtype):
    """The data sources of a conjunction; coerces lists of dicts."""

    name = "aurorax.data_sources"
    type = model.DATA_SOURCES
    fields = model.SOURCE_FIELDS


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.events", model.EVENTS])
class Events(_OurNestedDtype):
    """The pair events of a conjunction; coerces lists of dicts, of flat fields or as the service has them."""

    name = "aurorax.events"
    type = model.EVENTS
    fields = model.EVENT_FIELDS


@pandas_engine.Engine.register_dtype(equivalents=["aurorax.stations", model.STATIONS])
class Stations(_OurNestedDtype):
    """The stations of a pass; coerces lists of dicts."""

    name = "aurorax.stations"
    type = model.STATIONS
    fields = model.STATION_FIELDS


def _as_nested(column: pd.Series[Any], fields: Mapping[str, pa.DataType]) -> pd.Series[Any]:
    """Return a column of lists of dicts, of Arrow lists or a nested one as a nested column of some fields."""
    if isinstance(column.array, NestedExtensionArray):
        lists = model.one_array(column.array.list_array)
    elif isinstance(column.dtype, pd.ArrowDtype):
        lists = model.pandas_to_arrow(column)
    else:
        # the text of a time is read by pandas, as that of the other columns is
        lists = _lists_of_objects(column, fields)
    flat = model.flatten_lists(lists)
    lacking = [name for name in fields if name not in flat.fields]
    if lacking and len(flat.row):
        raise ValueError(f"the entries of {column.name!r} have no {', '.join(lacking)}")
    made = {name: _cast(flat.fields.get(name, pa.nulls(0)), kind) for name, kind in fields.items()}
    entries = pa.StructArray.from_arrays(list(made.values()), list(made))
    missing = lists.is_null() if lists.null_count else None
    rebuilt = pa.LargeListArray.from_arrays(pa.array(flat.offsets, pa.int64()), entries, mask=missing)
    return pd.Series(NestedExtensionArray(rebuilt), index=column.index, name=column.name)


def _lists_of_objects(column: pd.Series[Any], fields: Mapping[str, pa.DataType]) -> pa.Array:
    cells = [_dicts_of_cell(cell) for cell in column]
    entries = [entry for cell in cells if cell is not None for entry in cell]
    known = {name: [entry.get(name) for entry in entries] for name in fields if any(name in one for one in entries)}
    arrays = {name: _array(values, fields[name]) for name, values in known.items()}
    struct = pa.StructArray.from_arrays(list(arrays.values()), list(arrays)) if arrays else pa.array([], pa.struct([]))
    lengths = [len(cell or ()) for cell in cells]
    mask = pa.array([cell is None for cell in cells])
    return pa.LargeListArray.from_arrays(pa.array(np.r_[0, np.cumsum(lengths)], pa.int64()), struct, mask=mask)


def _dicts_of_cell(cell: Any) -> list[dict[str, Any]] | None:
    if isinstance(cell, pd.DataFrame):
        return [{str(name): value for name, value in entry.items()} for entry in cell.to_dict("records")]
    if isinstance(cell, list | tuple | np.ndarray):
        return [_flat_entry(entry) for entry in cell]
    if pd.isna(cell):
        return None
    raise TypeError(f"{cell!r} is no list of dicts")


def _flat_entry(entry: Any) -> dict[str, Any]:
    """Return an entry with the sources of an event, which are dicts in the service's records, as fields of its own."""
    if not isinstance(entry, Mapping):
        raise TypeError(f"{entry!r} is no dict")
    flat = dict(entry)
    for side in ("e1", "e2"):
        source = flat.pop(f"{side}_source", None)
        if isinstance(source, Mapping):
            flat |= {f"{side}_{name}": value for name, value in source.items()}
    return flat


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(UTC().coerce(pd.Series(values, dtype=object)), kind, from_pandas=True)
    return pa.array(values, kind, from_pandas=True)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(array.type) and pa.types.is_timestamp(kind):
        # Arrow refuses to leave out the zone of a time, and keeps its instant in UTC
        return array.cast(pa.timestamp(array.type.unit)).cast(kind, safe=False)
    return array.cast(kind)
