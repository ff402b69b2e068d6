"""Pandera schemas of the frames, and one check that lists all that is wrong with a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pandera.pandas as pandera
from pandera.errors import SchemaError, SchemaErrors

from aurorax_pandas import model
from aurorax_pandas.exceptions import AuroraxSchemaError


def _is_dtype(found: Any, wanted: Any) -> bool:
    # categories at hand differ from frame to frame; only their presence is fixed where the model names none
    # (every categorical dtype equals the text "category")
    if isinstance(wanted, str) and wanted == "category":
        return isinstance(found, pd.CategoricalDtype)
    return bool(found == wanted)


def _has_dtype(wanted: Any) -> pandera.Check:
    return pandera.Check(lambda column: _is_dtype(column.dtype, wanted), name="dtype", error=f"dtype is not {wanted}")


def _keeps(rule: model.RowRule, dtypes: Mapping[str, Any]) -> pandera.Check:
    def check(frame: pd.DataFrame) -> Any:
        # a column that is missing or of another dtype is reported once, by its own check
        if not all(name in frame and _is_dtype(frame[name].dtype, dtypes[name]) for name in rule.columns):
            return True
        return pd.Series(rule.holds(frame), index=frame.index)

    return pandera.Check(check, name=rule.name, error=rule.says)


def _nested_events_keep(rule: model.RowRule) -> pandera.Check:
    def check(frame: pd.DataFrame) -> Any:
        if "events" not in frame or frame["events"].dtype != model.EVENTS:
            return True
        flat = model.flatten(frame["events"])
        holds = rule.holds(pd.DataFrame({name: flat.column(name) for name in rule.columns}))
        broken = np.bincount(flat.row[~holds], minlength=len(frame)) > 0
        return pd.Series(~broken, index=frame.index)

    return pandera.Check(check, name=f"events_{rule.name}", error=f"in events: {rule.says}")


def _no_null(column: pd.Series[Any]) -> Any:
    return column.notna()


def _schema(
    name: str,
    dtypes: Mapping[str, Any],
    rules: tuple[model.RowRule, ...],
    *,
    required: Mapping[str, Callable[..., Any]],
    extra: list[pandera.Check],
    index: pandera.Index | None = None,
) -> pandera.DataFrameSchema:
    columns = {}
    for column, dtype in dtypes.items():
        checks = [] if dtype is None else [_has_dtype(dtype)]
        if column in required:
            # pandera leaves missing values out of a check unless told not to
            checks.append(pandera.Check(required[column], name="not_null", error="a value is missing", ignore_na=False))
        columns[column] = pandera.Column(None, checks=checks, nullable=True)
    return pandera.DataFrameSchema(
        columns,
        checks=[*(_keeps(rule, dtypes) for rule in rules), *extra],
        index=index,
        name=name,
        unique_column_names=True,
    )


#: Schema of a conjunctions frame: the nine columns of the service, typed, every row keeping the rules of the model.
ConjunctionSchema: Final = _schema(
    "ConjunctionSchema",
    model.CONJUNCTION_COLUMNS,
    model.CONJUNCTION_RULES,
    required={"conjunction_type": _no_null},
    extra=[_nested_events_keep(rule) for rule in model.EVENT_RULES],
)

#: Schema of the frame of `explode_events`: one row per pair event.
EventSchema: Final = _schema(
    "EventSchema",
    model.EVENT_COLUMNS,
    model.CONJUNCTION_RULES[:-1],
    required={"conjunction_type": _no_null, "pair": _no_null},
    extra=[],
)

#: Schema of the frame of `pair_summary`: one row per pair, whose label is the index.
PairSummarySchema: Final = _schema(
    "PairSummarySchema",
    model.PAIR_SUMMARY_COLUMNS,
    (model.RowRule("start_before_end", ("first_start", "last_end"), "last_end is before first_start"),),
    required={},
    extra=[],
    index=pandera.Index(None, name="pair", unique=True),
)


def schema_of(frame: pd.DataFrame) -> pandera.DataFrameSchema:
    """Choose the schema that a frame is meant for, by its columns."""
    if frame.index.name == "pair" and "count" in frame:
        return PairSummarySchema
    columns = set(frame.columns)
    # conjunctions may carry a column "pair" of the user's own
    is_events = {"pair", "e1_identifier"} & columns and not {"data_sources", "events"} & columns
    return EventSchema if is_events else ConjunctionSchema


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
        chosen.validate(frame, lazy=True)
    except SchemaErrors as error:
        found = [_failure(frame, one) for one in error.schema_errors]
        failures = pd.DataFrame(found, columns=["column", "check", "says", "rows", "first"], dtype=object)
        lines = [_sentence(failure) for failure in found]
        message = f"the frame breaks {chosen.name} in {len(lines)} way(s):\n" + "\n".join(f"- {line}" for line in lines)
        raise AuroraxSchemaError(message, failures) from None
    return frame


def _failure(frame: pd.DataFrame, error: SchemaError) -> dict[str, Any]:
    column = error.schema.name if isinstance(error.schema, pandera.Column) else ""
    if not isinstance(error.check, pandera.Check):
        # pandera's own checks: a column that is missing or stands twice, an index that is not unique
        return {"column": column, "check": str(error.check), "says": str(error).partition(" Columns in")[0], "rows": 0}
    output = error.check_output
    failing = np.flatnonzero(~output.to_numpy(dtype=bool)) if isinstance(output, pd.Series) else np.array([], int)
    failure = {"column": column, "check": error.check.name, "says": error.check.error, "rows": len(failing)}
    return failure | ({"first": frame.index[failing[0]]} if len(failing) else {})


def _sentence(failure: dict[Any, Any]) -> str:
    where = f"{failure['column']}: " if failure["column"] else ""
    rows = f" ({failure['rows']} row(s), first at index {failure['first']!r})" if failure["rows"] else ""
    return f"{where}{failure['says']}{rows}"
