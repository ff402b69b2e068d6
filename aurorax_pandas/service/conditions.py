"""Conditions on metadata, held against what a service says of its metadata fields."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import pandas as pd

from aurorax_pandas.checks import suggestion
from aurorax_pandas.frame.answers import NamedSource

_NUMBERS: Final = frozenset({
    "int", "integer", "int32", "int64", "bigint", "smallint", "long", "short",
    "float", "float32", "float64", "real", "double", "decimal", "numeric", "number",
})  # fmt: skip
_MOST_LETTERS: Final = 500
_FLAGS: Final = frozenset({"bool", "boolean"})
_TIMES: Final = frozenset({"datetime", "timestamp", "date"})
_YES_OR_NO: Final = frozenset({"true", "false", "0", "1"})


class MetadataField(msgspec.Struct, gc=False):
    """What a service says of a metadata field."""

    field_name: str
    data_type: str | None = None
    description: str | None = None
    allowed_values: list[Any] | None = None


class ListedSource(NamedSource, gc=False, frozen=True):
    """A data source as the service lists it; its fields are None where they are not known."""

    ephemeris_metadata_schema: list[MetadataField] | None = None


def short_suggestion(name: str, known: Sequence[str]) -> str:
    """Return which known name may be meant, or which there are where that is not long."""
    said = suggestion(name, known)
    return said if len(said) < _MOST_LETTERS else "read_aurorax_data_sources() lists what there is"


def check_filter(
    filters: Mapping[str, Any], left: Sequence[ListedSource], sources: Sequence[ListedSource]
) -> Iterator[tuple[bool, str]]:
    """
    Look up the conditions of a filter among the metadata fields of the sources that a block leaves.

    Parameters
    ----------
    filters : mapping
        ``expressions`` and ``logical_operator``, as they are sent.
    left, sources : sequence
        The sources that are left, and all of the service; ``ephemeris_metadata_schema`` is None where it is not known.

    Yields
    ------
    bool, str
        Whether the filter can hold nowhere because of it; what is wrong, and the fix.
    """
    fields = {field.field_name for source in sources for field in source.ephemeris_metadata_schema or ()}
    if not fields:
        return
    expressions = filters["expressions"]
    is_any = filters.get("logical_operator") == "OR" and len(expressions) > 1
    reasons = [_fault(one, left, sources, fields) for one in expressions]
    faults = [reason for reason in reasons if reason]
    if faults and (not is_any or len(faults) == len(expressions)):
        yield True, faults[0]
        return
    for fault in faults:
        yield False, f"{fault}; the other conditions are joined by OR and are asked for alone"
    for one in expressions:
        yield from ((False, remark) for remark in _remarks(one, left))
    if not is_any and not any(_holds_together(source, expressions) for source in left):
        keys = ", ".join(repr(key) for key in dict.fromkeys(one["key"] for one in expressions))
        yield (
            True,
            (
                f"no source of this block can meet all conditions on {keys}; correct the values, or join the conditions by "
                "'logical_operator': 'OR'"
            ),
        )


def _field_of_source(source: ListedSource, key: str) -> MetadataField | None:
    return next((field for field in source.ephemeris_metadata_schema or () if field.field_name == key), None)


def _fault(
    expression: Mapping[str, Any], left: Sequence[ListedSource], sources: Sequence[ListedSource], fields: set[str]
) -> str | None:
    """Say why a condition holds for none of the sources that are left; None where it may for one."""
    key = expression["key"]
    if key not in fields:
        return f"the service has no metadata field {key!r}; {short_suggestion(key, sorted(fields))}"
    if any(source.ephemeris_metadata_schema is None for source in left):
        return None
    reasons = []
    for source in left:
        field = _field_of_source(source, key)
        if field is not None:
            reason = _fault_of_values(expression, field)
            if reason is None:
                return None
            reasons.append(reason)
    if reasons:
        return reasons[0]
    having = sorted({str(source.program) for source in sources if _field_of_source(source, key) is not None})
    own = sorted({field.field_name for source in left for field in source.ephemeris_metadata_schema or ()})
    there = f"theirs are {', '.join(own)}" if own else "they have none"
    return f"metadata field {key!r} is of {', '.join(having)}, not of the sources of this block: {there}"


def _fault_of_values(expression: Mapping[str, Any], field: MetadataField) -> str | None:
    """Say why a condition never holds for a field; None where it may."""
    key, operator, values = expression["key"], expression["operator"], expression["values"]
    read = _reader(field)
    if read is None:
        return None
    for value in values:
        try:
            read(value)
        except (ValueError, TypeError, OverflowError):
            return f"metadata field {key!r} is of type {field.data_type}, and {value!r} is none; correct the value"
    if operator == "between" and read(values[0]) > read(values[1]):
        return f"metadata field {key!r}: nothing is between {values[0]!r} and {values[1]!r}; give the lower one first"
    if _can_hold([expression], field):
        return None
    allowed = [str(value) for value in field.allowed_values or ()]
    what = "" if operator in ("=", "in") else f"{operator} "
    return f"metadata field {key!r} is never {what}{', '.join(map(repr, values))}; {suggestion(values[0], allowed)}"


def _remarks(expression: Mapping[str, Any], left: Sequence[ListedSource]) -> Iterator[str]:
    """Tell of values of a condition that no source that is left ever has."""
    key, operator = expression["key"], expression["operator"]
    fields = [field for source in left if (field := _field_of_source(source, key)) is not None]
    if operator not in ("in", "!=", "not in") or not fields or not all(field.allowed_values for field in fields):
        return
    allowed = sorted({str(value) for field in fields for value in field.allowed_values or ()})
    for value in expression["values"]:
        if value not in allowed:
            yield f"metadata field {key!r} is never {value!r}; {suggestion(value, allowed)}"


def _holds_together(source: ListedSource, expressions: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a source can meet all conditions at once."""
    if source.ephemeris_metadata_schema is None:
        return True
    for key in {one["key"] for one in expressions}:
        field = _field_of_source(source, key)
        if field is None:
            return False
        own = [one for one in expressions if one["key"] == key]
        if any(_fault_of_values(one, field) for one in own) or not _can_hold(own, field):
            return False
    return True


def _reader(field: MetadataField) -> Callable[[Any], Any] | None:
    """Return what reads a value of a field's type, None where the type is not known."""
    kind = str(field.data_type).lower()
    if kind in _NUMBERS:
        return _number_of
    if kind in _FLAGS:
        return _flag_of
    if kind in _TIMES:
        return _instant_of
    return str if kind in ("string", "str", "text") or field.allowed_values else None


def _number_of(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _instant_of(value: Any) -> pd.Timestamp:
    instant = pd.Timestamp(value)
    if not isinstance(instant, pd.Timestamp):
        raise ValueError
    return instant if instant.tzinfo is None else instant.tz_convert(None)


def _flag_of(value: Any) -> str:
    text = str(value).lower()
    if text not in _YES_OR_NO:
        raise ValueError
    return {"0": "false", "1": "true"}.get(text, text)


def _can_hold(expressions: Sequence[Mapping[str, Any]], field: MetadataField) -> bool:
    """Tell whether some value of a field meets all conditions on it."""
    read = _reader(field)
    if read is None:
        return True
    try:
        if field.allowed_values:
            candidates = [read(value) for value in field.allowed_values]
        elif read is _flag_of:
            candidates = ["false", "true"]
        else:
            candidates = _candidates([read(value) for one in expressions for value in one["values"]])
    except (ValueError, TypeError, OverflowError):
        # allowed values of another type than the field's, or instants at the end of time
        return True
    return any(all(_meets(each, one, read) for one in expressions) for each in candidates)


def _candidates(bounds: Sequence[Any]) -> list[Any]:
    """Return values of which one meets conditions with these bounds, if any value does."""
    points = sorted(set(bounds))
    if isinstance(points[0], str):
        return ["", *points, *(f"{point}\0" for point in points)]
    beyond: Any = pd.Timedelta("1D") if isinstance(points[0], pd.Timestamp) else 1.0
    between = [low + (high - low) / 2 for low, high in itertools.pairwise(points)]
    return [points[0] - beyond, *points, *between, points[-1] + beyond]


def _meets(value: Any, expression: Mapping[str, Any], read: Callable[[Any], Any]) -> bool:
    operator, bounds = expression["operator"], [read(bound) for bound in expression["values"]]
    if operator in ("in", "not in"):
        return bool((value in bounds) == (operator == "in"))
    if operator == "between":
        return bool(bounds[0] <= value <= bounds[1])
    bound = bounds[0]
    return bool(
        {
            "=": value == bound,
            "!=": value != bound,
            "<": value < bound,
            "<=": value <= bound,
            ">": value > bound,
            ">=": value >= bound,
        }[operator]
    )
