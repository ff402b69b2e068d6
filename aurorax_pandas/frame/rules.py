"""What each kind of frame must keep: its columns, and the rules of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from nested_pandas import NestedDtype

from aurorax_pandas.checks import cut, shown
from aurorax_pandas.frame import model


class RowRule(NamedTuple):
    """A rule that every row of a frame keeps: the columns it reads, and what it says of a row that breaks it."""

    name: str
    columns: tuple[str, ...]
    says: str

    def holds(self, column: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
        """Tell for each row whether the rule holds."""
        holds: npt.NDArray[np.bool_] = _RULES[self.name](*(column[name] for name in self.columns))
        return holds


def columns_read(rules: Iterable[RowRule]) -> set[str]:
    """Name the columns that some rules read."""
    return {name for rule in rules for name in rule.columns}


def _ticks(times: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    # integers are compared in a fraction of the time; a missing time is the lowest of them
    return times.view(np.int64)


_MISSING: Final = np.iinfo(np.int64).min
#: How many rows are checked at once with their events.
_BLOCK: Final = 16384


def _is_set(times: npt.NDArray[Any]) -> Any:
    return _ticks(times) != _MISSING


def _or_missing(holds: Any, times: npt.NDArray[Any]) -> Any:
    # to look for times that are missing costs as much as a rule, and where all rows keep it there is no need
    return holds if holds.all() else holds | ~_is_set(times)


def _starts_before(start: npt.NDArray[Any], end: npt.NDArray[Any]) -> Any:
    return _or_missing(_ticks(start) <= _ticks(end), end)


def _epoch_inside(epoch: npt.NDArray[Any], start: npt.NDArray[Any], end: npt.NDArray[Any]) -> Any:
    ticks = _ticks(epoch)
    return _or_missing((_ticks(start) <= ticks) & (ticks <= _ticks(end)) & _is_set(start), epoch)


def _valid(*distances: npt.NDArray[Any]) -> Any:
    # what is not a number is not below infinity
    return reduce(np.logical_and, [(one >= 0) & (one < np.inf) for one in distances])


def _shares_time(
    start: npt.NDArray[Any], end: npt.NDArray[Any], first: npt.NDArray[Any], last: npt.NDArray[Any]
) -> Any:
    return _or_missing(_ticks(first) <= _ticks(end), end) & _or_missing(_ticks(start) <= _ticks(last), last)


_RULES: Final[dict[str, Any]] = {
    "start_set": _is_set,
    "end_set": _is_set,
    "start_before_end": _starts_before,
    "distances_valid": _valid,
    "min_below_max": lambda low, high: ~(low > high),
    "count_valid": lambda count: count >= 1,
    "minutes_valid": _valid,
    "closest_epoch_inside": _epoch_inside,
    "farthest_epoch_inside": _epoch_inside,
    "span_shared": _shares_time,
}

_SPAN: Final = (
    RowRule("start_set", ("start",), "start is missing"),
    RowRule("end_set", ("end",), "end is missing"),
    RowRule("start_before_end", ("start", "end"), "end is before start"),
)
_DISTANCES: Final = (
    RowRule("distances_valid", ("min_distance", "max_distance"), "a distance is negative or not finite"),
    RowRule("min_below_max", ("min_distance", "max_distance"), "min_distance is above max_distance"),
)
_CLOSEST: Final = RowRule(
    "closest_epoch_inside", ("closest_epoch", "start", "end"), "closest_epoch is outside start to end"
)
_COUNTS: Final = (
    RowRule("count_valid", ("count",), "count is below 1"),
    RowRule("minutes_valid", ("minutes",), "minutes is negative or not finite"),
)
#: Rules of the events inside a conjunction. An event may reach beyond its conjunction, which the service does not
#: always clip it to, but it shares some time with it.
NESTED_EVENT_RULES: Final = (
    *_SPAN,
    *_DISTANCES,
    RowRule(
        "span_shared",
        ("start", "end", "conjunction_start", "conjunction_end"),
        "the event shares no time with its conjunction",
    ),
)
CONJUNCTION_RULES: Final = (
    *_SPAN,
    *_DISTANCES,
    _CLOSEST,
    RowRule("farthest_epoch_inside", ("farthest_epoch", "start", "end"), "farthest_epoch is outside start to end"),
)


def spans_of_events(
    start: npt.NDArray[Any], end: npt.NDArray[Any], lengths: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """Return the span of the conjunction that each event belongs to, as `NESTED_EVENT_RULES` read it."""
    if not (lengths == 1).all():
        # most frames have one event a row, and what is not copied costs nothing
        rows = np.repeat(np.arange(len(lengths)), lengths)
        start, end = start.take(rows), end.take(rows)
    return {"conjunction_start": start, "conjunction_end": end}


class Failure(NamedTuple):
    """A way in which a frame is not what it should be; ``broken`` tells the rows, None where it is of a column."""

    column: str
    check: str
    says: str
    broken: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Kind:
    """What a kind of frame must keep."""

    name: str
    says: str
    dtypes: Mapping[str, Any]
    rules: tuple[RowRule, ...]
    required: tuple[str, ...] = ()
    event_rules: tuple[RowRule, ...] = ()
    index: str | None = None

    def failures(self, frame: pd.DataFrame) -> Iterator[Failure]:
        """Find all that is wrong with a frame."""
        mixed_up = self.mix_up(frame)
        if mixed_up is not None:
            # that each column of the other kind is missing would hide it
            yield Failure("", "kind", mixed_up)
            return
        yield from self.wrong_columns(frame)
        yield from self.broken_rows(frame)

    def mix_up(self, frame: pd.DataFrame) -> str | None:
        """Tell what a frame is where it lacks columns of this kind and is of another, or None."""
        found = KINDS[model.kind_of(frame)]
        if found is not self and not set(self.dtypes) <= set(frame.columns):
            return f"the frame holds {found.says}, not {self.says}"
        if self.index and frame.index.name != self.index and self.index in frame.columns:
            return (
                f"the label {self.index!r} of {self.says} is a column; make it the index by set_index({self.index!r})"
            )
        return None

    def wrong_columns(self, frame: pd.DataFrame) -> Iterator[Failure]:
        """Find the columns that are missing, stand twice or have another dtype, and an index that is not right."""
        twice = dict.fromkeys(frame.columns[frame.columns.duplicated()])
        for name in twice:
            yield Failure(str(name), "unique_column_names", f"the column {shown(name)} is there twice")
        found = dict(zip(frame.columns, frame.dtypes, strict=True))
        for name, dtype in self.dtypes.items():
            if name not in found:
                yield Failure(name, "column_in_dataframe", f"the column {name!r} is not there")
            elif name not in twice and not model.is_of_dtype(found[name], dtype):
                yield Failure(name, "dtype", _other_dtype(found[name], dtype))
        if self.index and frame.index.name != self.index:
            yield Failure("", "field_name", f"the index is not named {self.index!r}")
        if self.index and not frame.index.is_unique:
            yield Failure("", "field_uniqueness", "a label of the index is there twice")

    def broken_rows(self, frame: pd.DataFrame) -> Iterator[Failure]:
        """Find the rules that rows break; a column that is not as it should be is passed over."""
        if frame.attrs:
            # pandas copies attrs deeply for each column that is taken
            frame = frame.copy(deep=False)
            frame.attrs = {}
        twice = set(frame.columns[frame.columns.duplicated()])
        found = {name: dtype for name, dtype in zip(frame.columns, frame.dtypes, strict=True) if name not in twice}
        sound = {name for name, dtype in self.dtypes.items() if name in found and model.is_of_dtype(found[name], dtype)}
        for column in self.required:
            if column in sound and (missing := frame[column].isna().to_numpy()).any():
                yield Failure(column, "not_null", "a value is missing", missing)
        rules = [rule for rule in self.rules if set(rule.columns) <= sound]
        values = {name: frame[name].to_numpy() for name in columns_read(rules)}
        for rule in rules:
            if not (holds := rule.holds(values)).all():
                yield Failure("", rule.name, rule.says, ~holds)
        if self.event_rules and "events" in sound:
            spans = {name: frame[name].to_numpy() for name in ("start", "end") if {"start", "end"} <= sound}
            for rule, broken in _broken_by_events(self.event_rules, model.flatten(frame["events"]), spans):
                yield Failure("", f"events_{rule.name}", f"in events: {rule.says}", broken)

    def sound_rows(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Tell which rows keep every rule."""
        sound = np.ones(len(frame), bool)
        for failure in self.broken_rows(frame):
            sound &= ~np.asarray(failure.broken)
        return sound


def _other_dtype(found: Any, wanted: Any) -> str:
    """Say what a dtype is and should be, without the fields of nested ones."""
    nested = [isinstance(dtype, NestedDtype) for dtype in (found, wanted)]
    if all(nested):
        return "its nested entries have other fields"
    names = ["nested" if one else cut(dtype) for one, dtype in zip(nested, (found, wanted), strict=True)]
    return f"dtype is {names[0]}, not {names[1]}"


def _broken_by_events(
    rules: Iterable[RowRule], flat: model.Flat, spans: Mapping[str, npt.NDArray[Any]]
) -> Iterator[tuple[RowRule, npt.NDArray[np.bool_]]]:
    """Find the rules that events break, and the rows that hold these; `spans` are of the rows, where they are known."""
    known = {"conjunction_start", "conjunction_end"} if spans else set()
    rules = [rule for rule in rules if set(rule.columns) <= known | set(flat.fields)]
    events = {name: flat.values(name) for name in columns_read(rules) - known}
    broken: dict[RowRule, npt.NDArray[np.bool_]] = {}
    bounds = flat.offsets
    # large arrays for the moment would be asked of the system, and given back, with each check
    for first in range(0, len(flat.lengths), _BLOCK):
        rows = slice(first, first + _BLOCK)
        lengths = flat.lengths[rows]
        entries = slice(bounds[first], bounds[first + len(lengths)])
        block = {name: values[entries] for name, values in events.items()}
        if spans:
            block |= spans_of_events(spans["start"][rows], spans["end"][rows], lengths)
        for rule in rules:
            if not (holds := rule.holds(block)).all():
                if rule not in broken:
                    broken[rule] = np.zeros(len(flat.lengths), bool)
                broken[rule][np.repeat(np.arange(first, first + len(lengths)), lengths)[~holds]] = True
    yield from ((rule, broken[rule]) for rule in rules if rule in broken)


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind(
            "conjunctions",
            "conjunctions",
            model.CONJUNCTION_COLUMNS,
            CONJUNCTION_RULES,
            required=("conjunction_type",),
            event_rules=NESTED_EVENT_RULES,
        ),
        Kind(
            "events",
            "events of explode_events",
            model.EVENT_COLUMNS,
            (*_SPAN, *_DISTANCES, _CLOSEST),
            required=("conjunction_type", "pair"),
        ),
        Kind(
            "pair_summary",
            "a pair summary",
            model.PAIR_SUMMARY_COLUMNS,
            (
                *_COUNTS,
                RowRule("distances_valid", ("min_distance", "median_distance"), "a distance is negative or not finite"),
                RowRule("min_below_max", ("min_distance", "median_distance"), "min_distance is above median_distance"),
                RowRule("start_before_end", ("first_start", "last_end"), "last_end is before first_start"),
                RowRule(
                    "closest_epoch_inside",
                    ("closest_epoch", "first_start", "last_end"),
                    "closest_epoch is outside the span",
                ),
            ),
            index="pair",
        ),
        Kind(
            "passes",
            "passes",
            model.PASS_COLUMNS,
            (
                *_SPAN,
                RowRule("distances_valid", ("min_distance",), "min_distance is negative or not finite"),
                *_COUNTS,
                _CLOSEST,
            ),
            required=("spacecraft", "conjunction_type"),
        ),
        Kind(
            "data_products",
            "data products",
            model.DATA_PRODUCT_COLUMNS,
            _SPAN,
            required=("data_product_type", "url", "metadata"),
        ),
    )
}
