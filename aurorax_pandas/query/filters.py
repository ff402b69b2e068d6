"""Metadata filters, and how a block, a filter or a condition is read from a plain dict."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np

from aurorax_pandas.checks import as_list, invalid, known_name, shown, suggestion, whole_text
from aurorax_pandas.exceptions import AuroraxInputError

OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "between")

_SIGNS: Final = {"==": "=", "<>": "!="}
_LEADING_SIGN: Final = re.compile(r"\s*(<=|>=|==|!=|<>|=|<|>)\s*(\S.*)", re.DOTALL)

#: What is written in place of the key of a block, and the key.
_OTHER_WORDS: Final = {
    **dict.fromkeys(("program", "mission", "missions", "network"), "programs"),
    **dict.fromkeys(("platform", "site", "sites", "station", "stations", "spacecraft", "satellite", "satellites"), "platforms"),
    **dict.fromkeys(("instrument_type", "instrument", "instruments"), "instrument_types"),
    **dict.fromkeys(("location", "place", "places"), "locations"),
}  # fmt: skip

_T = TypeVar("_T")


def set_field(block: object, name: str, value: object) -> None:
    """Set a field of a frozen block: its own ``__post_init__`` puts in order what was given."""
    object.__setattr__(block, name, value)


@dataclass(frozen=True)
class MetadataFilterExpression:
    """
    One condition on the metadata of ephemeris records.

    Parameters
    ----------
    key : str
        Name of the metadata field, for example ``"nbtrace_region"``.
    values : str or sequence of str
        What to compare with; exactly two values for ``between``.
    operator : str, default "="
        One of ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in``, ``not in``, ``between``.

    Raises
    ------
    AuroraxInputError
        If a part is not valid, or a value begins with an operator; a text that does is compared by ``in``.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.MetadataFilterExpression("nbtrace_region", "north polar cap").values
    ('north polar cap',)
    """

    key: str
    values: Sequence[str] = ()
    operator: str = "="

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not self.key.strip():
            raise AuroraxInputError(f"key: {shown(self.key)} is not the name of a metadata field")
        known_name(f"operator of {self.key!r}", self.operator, OPERATORS)
        for value in as_list(self.values):
            # NaN and NaT are not equal to themselves
            if not isinstance(value, str | int | float | np.generic) or isinstance(value, bytes) or value != value:
                raise AuroraxInputError(f"values of {self.key!r}: {shown(value)} is neither text nor a number")
        whole_text("key", self.key)
        values = tuple(whole_text(f"values of {self.key!r}", str(value)) for value in as_list(self.values))
        set_field(self, "values", values)
        wanted = {"between": 2, "in": None, "not in": None}.get(self.operator, 1)
        if not values or (wanted is not None and len(values) != wanted):
            count = "at least 1" if wanted is None else str(wanted)
            raise AuroraxInputError(
                f"values of {self.key!r}: operator {self.operator!r} takes {count} value(s), {len(values)} given"
            )
        if wanted is not None:
            _refuse_signs(self.key, values)

    def to_query(self) -> dict[str, Any]:
        """Return the expression as the service takes it."""
        return {"key": self.key, "operator": self.operator, "values": list(self.values)}


def _refuse_signs(key: str, values: Sequence[Any]) -> None:
    """Raise where a value begins with an operator, which the service would compare as a text."""
    for value in values:
        found = _LEADING_SIGN.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            operator, rest = _SIGNS.get(found[1], found[1]), found[2].strip()
            if not any(letter.isalnum() for letter in rest):
                raise AuroraxInputError(f"values of {key!r}: {value!r} is no operator; {suggestion(value, OPERATORS)}")
            told = repr(rest) if np.isnan(_as_float(rest)) else rest
            raise AuroraxInputError(
                f"values of {key!r}: {value!r} holds an operator; write {{{key!r}: ({operator!r}, {told})}}, or, "
                f"where a text begins so, MetadataFilterExpression({key!r}, [{value!r}], 'in')"
            )


def _as_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


@dataclass(frozen=True)
class MetadataFilter:
    """
    Conditions on the metadata of ephemeris records, joined by AND or OR.

    Parameters
    ----------
    expressions : sequence of MetadataFilterExpression or dict
        The conditions.
    logical_operator : {"AND", "OR"}, default "AND"
        How they are joined.

    Examples
    --------
    >>> import aurorax_pandas
    >>> polar = aurorax_pandas.MetadataFilterExpression("nbtrace_region", "north polar cap")
    >>> aurorax_pandas.MetadataFilter([polar]).logical_operator
    'AND'
    """

    expressions: Sequence[MetadataFilterExpression | Mapping[str, Any]] = ()
    logical_operator: str = "AND"

    def __post_init__(self) -> None:
        if not isinstance(self.logical_operator, str) or self.logical_operator.upper() not in ("AND", "OR"):
            raise invalid("logical_operator", self.logical_operator, "'AND' or 'OR'")
        set_field(self, "logical_operator", self.logical_operator.upper())
        expressions = tuple(
            from_mapping("expressions", expression, MetadataFilterExpression)
            for expression in as_list(self.expressions)
        )
        if not expressions:
            raise AuroraxInputError("expressions: a metadata filter needs at least one expression")
        set_field(self, "expressions", expressions)

    def to_query(self) -> dict[str, Any]:
        """Return the filter as the service takes it."""
        expressions = [expression.to_query() for expression in self.expressions]  # type: ignore[union-attr]
        return {"logical_operator": self.logical_operator, "expressions": expressions}


def read_filter(given: Any) -> MetadataFilter | None:
    """Return the filter that was meant, or None where there is none."""
    if type(given).__name__ == MetadataFilterExpression.__name__ or _is_condition(given):
        given = [given]
    if isinstance(given, Sequence) and not isinstance(given, str):
        conditions = [
            one for each in given for one in (_conditions(each[0], list(each[1:])) if _is_condition(each) else [each])
        ]
        return MetadataFilter(conditions) if conditions else None
    if isinstance(given, Mapping):
        keys = set(given)
        # web queries send filters without expressions for "no filter"
        if keys <= {"logical_operator", "expressions"} and not given.get("expressions"):
            return None
        if "key" in keys:
            return MetadataFilter([given])
        if not keys & {"logical_operator", "expressions"}:
            return MetadataFilter([one for key, value in given.items() for one in _conditions(key, value)])
    return None if given is None else from_mapping("metadata_filters", given, MetadataFilter)


def _is_condition(given: object) -> bool:
    """Tell whether a tuple is a condition: name of a field, operator, value or values."""
    return isinstance(given, tuple) and len(given) > 2 and isinstance(given[0], str) and _is_operator(given[1])


def _is_operator(value: object) -> bool:
    return isinstance(value, str) and (value in OPERATORS or value in _SIGNS)


def _conditions(key: str, value: Any) -> list[MetadataFilterExpression]:
    """Return the conditions of a field, of a value, several, ``(operator, value)`` or ``{operator: value}``."""
    if isinstance(value, Mapping):
        return [MetadataFilterExpression(key, values, operator) for operator, values in value.items()]
    items = as_list(value)
    if len(items) > 1 and _is_operator(items[0]) and not isinstance(value, set | frozenset):
        values: Any = items[1] if len(items) == 2 else items[1:]
        return [MetadataFilterExpression(key, values, items[0])]
    _refuse_signs(key, items)
    return [MetadataFilterExpression(key, items, "in" if len(items) > 1 else "=")]


def _names_of_fields(kind: type) -> list[str]:
    """Return the keys that a dict of a class may have, as the service names them."""
    names = [field.name for field in dataclasses.fields(kind)]
    return ["ephemeris_metadata_filters" if name == "metadata_filters" else name for name in names]


def _fields_of_block(block: Any) -> dict[str, Any]:
    """Return what a block, filter or condition of another client holds, such as one of PyAuroraX."""
    names = (
        "programs",
        "platforms",
        "instrument_types",
        "metadata_filters",
        "hemisphere",
        "locations",
        "key",
        "values",
    )
    fields = {name: getattr(block, name) for name in names if hasattr(block, name)}
    if hasattr(block, "expressions"):
        return {"expressions": block.expressions, "logical_operator": block.operator}
    return fields | ({"operator": block.operator} if hasattr(block, "operator") else {})


def from_mapping(argument: str, value: Any, kind: type[_T]) -> _T:
    """Return a block, filter or expression of the class wanted, from one or from a plain dict."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping) and any(base.__name__ == kind.__name__ for base in type(value).__mro__):
        value = _fields_of_block(value)
    if not isinstance(value, Mapping):
        form = "; write {'name of a field': 'value'} or {'name of a field': ('>=', 95)}"
        hint = form if kind in (MetadataFilter, MetadataFilterExpression) else ""
        raise AuroraxInputError(f"{argument}: {shown(value)} is neither a {kind.__name__} nor a dict like one{hint}")
    fields: dict[str, Any] = {}
    known = _names_of_fields(kind)
    for key, item in value.items():
        name = "ephemeris_metadata_filters" if key == "metadata_filters" else key
        if name not in known:
            meant = _OTHER_WORDS.get(key)
            hint = f"write {{{meant!r}: {shown(item)}}}" if meant in known else suggestion(key, known)
            raise AuroraxInputError(f"{argument}: unknown key {shown(key)} in {shown(dict(value))}; {hint}")
        if name == "ephemeris_metadata_filters":
            name, item = "metadata_filters", read_filter(item)
            before = fields.get(name)
            if before is not None and item not in (None, before):
                raise AuroraxInputError(
                    f"{argument}: metadata_filters and ephemeris_metadata_filters name one field and differ; give one"
                )
            item = item or before
        fields[name] = item
    if kind is MetadataFilterExpression and "key" not in fields:
        raise AuroraxInputError(f"{argument}: 'key' is missing in {shown(dict(value))}")
    return kind(**fields)
