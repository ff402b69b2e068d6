"""Pandera schemas of the frames, and one check that lists all that is wrong with a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pandera
from pandera.errors import SchemaError, SchemaErrors

from aurorax_pandas.exceptions import AuroraxSchemaError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed


def _is_dtype(found: Any, wanted: Any) -> bool:
    # categories at hand differ from frame to frame; only their presence is fixed where the model names none
    # (every categorical dtype equals the text "category")
    if isinstance(wanted, str) and wanted == "category":
        return isinstance(found, pd.CategoricalDtype)
    return bool(found == wanted)


@dataclass(frozen=True)
class _Model:
    """What a kind of frame must keep; its pandera checks are few, because each costs as much as thousands of rows."""

    dtypes: Mapping[str, Any]
    rules: tuple[model.RowRule, ...]
    required: tuple[str, ...] = ()
    event_rules: tuple[model.RowRule, ...] = ()

    def wrong_dtypes(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return the columns that have another dtype than they should, with that."""
        # a column that stands twice is reported as that
        once = set(frame.columns[~frame.columns.duplicated(keep=False)])
        return {
            name: dtype
            for name, dtype in self.dtypes.items()
            if name in once and dtype is not None and not _is_dtype(frame[name].dtype, dtype)
        }

    def broken_rows(self, frame: pd.DataFrame) -> Iterator[tuple[str, str, str, npt.NDArray[np.bool_]]]:
        """Return each rule that rows break: the column, the name of the rule, what it says, and the rows."""
        wrong = self.wrong_dtypes(frame)
        once = set(frame.columns[~frame.columns.duplicated(keep=False)])
        sound = [name for name in self.dtypes if name in once and name not in wrong]
        for column in self.required:
            if column in sound and (missing := frame[column].isna().to_numpy()).any():
                yield column, "not_null", "a value is missing", missing
        # a column that is missing or of another dtype is reported once, by its own check
        rules = [rule for rule in self.rules if set(rule.columns) <= set(sound)]
        values = {name: frame[name].to_numpy() for name in model.columns_read(rules)}
        for rule in rules:
            if not (holds := rule.holds(values)).all():
                yield "", rule.name, rule.says, ~holds
        if self.event_rules and "events" in sound:
            flat = model.flatten(frame["events"])
            events = {name: flat.values(name) for name in model.columns_read(self.event_rules)}
            for rule in self.event_rules:
                if not (holds := rule.holds(events)).all():
                    broken = np.bincount(flat.row[~holds], minlength=len(frame)) > 0
                    yield "", f"events_{rule.name}", f"in events: {rule.says}", broken

    def sound_rows(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Tell which rows keep every rule."""
        sound = np.ones(len(frame), bool)
        for *_, broken in self.broken_rows(frame):
            sound &= ~broken
        return pd.Series(sound, index=frame.index)

    def schema(self, name: str, index: pandera.Index | None = None) -> pandera.DataFrameSchema:
        """Return the pandera schema."""
        checks = [
            pandera.Check(lambda frame: not self.wrong_dtypes(frame), name="dtype", error="a column has another dtype"),
            pandera.Check(self.sound_rows, name="rows", error="a row breaks a rule", ignore_na=False),
        ]
        columns = {column: pandera.Column(None, nullable=True) for column in self.dtypes}
        return pandera.DataFrameSchema(
            columns, checks=checks, index=index, name=name, unique_column_names=True, metadata={"model": self}
        )


#: Schema of a conjunctions frame: the nine columns of the service, typed, every row keeping the rules of the model.
ConjunctionSchema: Final = _Model(
    model.CONJUNCTION_COLUMNS,
    model.CONJUNCTION_RULES,
    required=("conjunction_type",),
    event_rules=model.EVENT_RULES,
).schema("ConjunctionSchema")

#: Schema of the frame of `explode_events`: one row per pair event.
EventSchema: Final = _Model(
    model.EVENT_COLUMNS, model.CONJUNCTION_RULES[:-1], required=("conjunction_type", "pair")
).schema("EventSchema")

#: Schema of the frame of `pair_summary`: one row per pair, whose label is the index.
PairSummarySchema: Final = _Model(
    model.PAIR_SUMMARY_COLUMNS,
    model.PAIR_SUMMARY_RULES,
).schema("PairSummarySchema", pandera.Index(None, name="pair", unique=True))


def schema_of(frame: pd.DataFrame) -> pandera.DataFrameSchema:
    """Choose the schema that a frame is meant for, by its columns."""
    schemas = {"conjunctions": ConjunctionSchema, "events": EventSchema, "pair_summary": PairSummarySchema}
    return schemas[model.kind_of(frame)]


@typed
def validate(frame: pd.DataFrame, schema: pandera.DataFrameSchema | None = None) -> pd.DataFrame:
    """
    Check a frame of conjunctions, events or pair summaries against its schema.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame; columns of your own are allowed and not looked at.
    schema : pandera.DataFrameSchema, optional
        The schema to check against; by default the one that the columns call for.

    Returns
    -------
    pandas.DataFrame
        The same frame, unchanged, so that the call can stand in a chain.

    Raises
    ------
    AuroraxSchemaError
        If any check fails. The message lists all of them, ``failures`` holds them as a frame.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> aurorax_pandas.validate(df) is df
    True
    """
    chosen = schema_of(frame) if schema is None else schema
    try:
        # no value is changed, so none need be copied; pandera leaves its schema in the attrs of what it checks
        chosen.validate(frame.copy(deep=False), lazy=True, inplace=True)
    except SchemaErrors as error:
        found = [failure for one in error.schema_errors for failure in _failures(frame, chosen, one)]
        failures = pd.DataFrame(found, columns=["column", "check", "says", "rows", "first"], dtype=object)
        lines = [_sentence(failure) for failure in found]
        message = f"the frame breaks {chosen.name} in {len(lines)} way(s):\n" + "\n".join(f"- {line}" for line in lines)
        raise AuroraxSchemaError(message, failures) from None
    return frame


def _failures(frame: pd.DataFrame, schema: pandera.DataFrameSchema, error: SchemaError) -> Iterator[dict[str, Any]]:
    kept = (schema.metadata or {}).get("model")
    check = error.check
    if not isinstance(check, pandera.Check):
        # pandera's own checks: a column that is missing or stands twice, an index that is not unique
        column = error.schema.name if isinstance(error.schema, pandera.Column) else ""
        says = str(error).partition(" Columns in")[0]
        yield {"column": column, "check": str(check), "says": says, "rows": 0}
    elif isinstance(kept, _Model) and check.name == "dtype":
        for column, dtype in kept.wrong_dtypes(frame).items():
            yield {"column": column, "check": "dtype", "says": f"dtype is not {dtype}", "rows": 0}
    elif isinstance(kept, _Model) and check.name == "rows":
        for column, name, says, broken in kept.broken_rows(frame):
            failing = np.flatnonzero(broken)
            first = frame.index[failing[0]]
            yield {"column": column, "check": name, "says": says, "rows": len(failing), "first": first}
    else:
        yield {"column": "", "check": str(check.name), "says": str(check.error), "rows": 0}


def _sentence(failure: dict[Any, Any]) -> str:
    where = f"{failure['column']}: " if failure["column"] else ""
    rows = f" ({failure['rows']} row(s), first at index {failure['first']!r})" if failure["rows"] else ""
    return f"{where}{failure['says']}{rows}"
