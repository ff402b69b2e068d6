"""One check that lists all that is wrong with a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.checks import cut, listed, shown
from aurorax_pandas.exceptions import AuroraxSchemaError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.rules import KINDS, Failure

if TYPE_CHECKING:
    import pandera.pandas as pandera

_NOT_THERE: Final = "column_in_dataframe"
_MOST_LETTERS: Final = 450
#: What the schemas of the kinds of frames are called.
SCHEMA_NAMES: Final = {
    "conjunctions": "ConjunctionSchema",
    "events": "EventSchema",
    "pair_summary": "PairSummarySchema",
    "passes": "PassSchema",
    "data_products": "DataProductSchema",
}


@typed
def validate(
    frame: pd.DataFrame, schema: type[pandera.DataFrameModel] | pandera.DataFrameSchema | None = None
) -> pd.DataFrame:
    """
    Check a frame of conjunctions, events, pair summaries, passes or data products against its schema.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame; columns of your own are allowed and not looked at.
    schema : pandera.DataFrameModel or pandera.DataFrameSchema, optional
        The schema to check against, ours or one of your own; by default ours for the columns that the frame has.

    Returns
    -------
    pandas.DataFrame
        The same frame, unchanged, so that the call can stand in a chain. What a schema of yours coerces is coerced
        for the check alone; the schema's own ``validate`` returns the frame that it makes.

    Raises
    ------
    AuroraxSchemaError
        If any check fails. The message lists all of them, ``failures`` holds them as a frame.
    AuroraxInputError
        If `schema` is no pandera schema.

    See Also
    --------
    ConjunctionSchema, EventSchema, PairSummarySchema, PassSchema, DataProductSchema : the schemas, with pandera's ways to use them.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> aurorax_pandas.validate(df) is df
    True
    """
    if schema is None:
        return check_kind(frame, model.kind_of(frame))
    from aurorax_pandas.frame import schema as schemas

    if isinstance(schema, type) and schema in schemas.KIND_OF_MODEL:
        return check_kind(frame, schemas.KIND_OF_MODEL[schema])
    name, failures = schemas.check_by_pandera(frame, schema)
    return _told(frame, name, failures)


def check_kind(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Raise where a frame is not what a kind of frame must be, which needs no pandera; else return it."""
    return _told(frame, SCHEMA_NAMES[kind], KINDS[kind].failures(frame))


def _told(frame: pd.DataFrame, name: str, failures: Iterable[Failure]) -> pd.DataFrame:
    found = [_row_of_failure(frame, failure) for failure in failures]
    if found:
        table = pd.DataFrame(found, columns=["column", "check", "says", "rows", "first"], dtype=object)
        lines = "\n".join(f"- {line}" for line in _lines_of(found))
        if name == SCHEMA_NAMES["conjunctions"] and any(failure["check"] == "dtype" for failure in found):
            lines += "\nas_conjunctions(df) makes columns typed"
        raise AuroraxSchemaError(f"the frame breaks {cut(name)} in {len(found)} way(s):\n{lines}", table)
    return frame


def _lines_of(found: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong in few lines: columns that are not there in one, and no more than can be read at once."""
    missing = [cut(failure["column"]) for failure in found if failure["check"] == _NOT_THERE]
    lines = [_sentence(failure) for failure in found if failure["check"] != _NOT_THERE or len(missing) == 1]
    if len(missing) > 1:
        lines.insert(0, f"columns that are not there: {listed(missing)}")
    for last in range(1, len(lines)):
        if sum(map(len, lines[: last + 1])) > _MOST_LETTERS:
            return [*lines[:last], f"and {len(lines) - last} more; the error's failures is a frame of all"]
    return lines


def _row_of_failure(frame: pd.DataFrame, failure: Failure) -> dict[str, Any]:
    told = {"column": failure.column, "check": failure.check, "says": failure.says, "rows": 0}
    if failure.broken is None:
        return told
    failing = np.flatnonzero(failure.broken)
    return {**told, "rows": len(failing), "first": frame.index[failing[0]]}


def _sentence(failure: dict[str, Any]) -> str:
    where = f"{cut(failure['column'])}: " if failure["column"] else ""
    rows = f" ({failure['rows']} row(s), first at index {shown(failure['first'])})" if failure["rows"] else ""
    return f"{where}{cut(failure['says'], 2)}{rows}"
