"""Pandera schemas of the frames: models with typed columns, open for columns of the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final, Self

import pandas as pd
import pandera.pandas as pandera
from pandera.api.extensions import register_check_method
from pandera.api.pandas.model_config import BaseConfig
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors
from pandera.typing import DataFrame, Index, Series

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import dtypes
from aurorax_pandas.frame.rules import KINDS, Failure, Kind


def aurorax_rows(frame: pd.DataFrame, *, kind: str) -> pd.Series[Any]:
    """Tell which rows keep the rules of a kind of frame: the check that pandera calls, and writes to files by name."""
    return pd.Series(KINDS[kind].sound_rows(frame), index=frame.index)


register_check_method(aurorax_rows, statistics=["kind"], supported_types=pd.DataFrame)


def _rows(kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "error": f"a row breaks a rule of {KINDS[kind].says}, which aurorax_pandas.validate names",
        "ignore_na": False,
        # pandera lists each value of each row that fails, which takes seconds for thousands
        "n_failure_cases": 3,
    }


class _FrameModel(pandera.DataFrameModel):
    @classmethod
    def validate(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        check_obj: pd.DataFrame,
        head: int | None = None,
        tail: int | None = None,
        sample: int | None = None,
        random_state: int | None = None,
        lazy: bool = False,
        inplace: bool = False,
    ) -> DataFrame[Self]:
        """Validate a frame as pandera does: return it, coerced where the model says so, or raise pandera's errors."""
        if isinstance(check_obj, pd.DataFrame) and not inplace and cls.to_schema().strict != "filter":
            # pandas copies on write, so that this is as safe as pandera's deep copies
            check_obj, inplace = check_obj.copy(deep=False), True
        return super().validate(check_obj, head, tail, sample, random_state, lazy, inplace)


class ConjunctionSchema(_FrameModel):
    """
    Conjunctions: the nine columns of the service, typed, and the rules of every row.

    ``start`` is not after ``end``, ``min_distance`` [km] is not above ``max_distance`` [km], neither is negative, both
    epochs lie from ``start`` to ``end`` (UTC); the same holds inside ``events``, and each of these shares some time
    with its conjunction. A pandera model: more columns are allowed, a subclass names them.

    Examples
    --------
    >>> import aurorax_pandas, pandera.pandas as pandera
    >>> from pandera.typing import Series
    >>> class WithKp(aurorax_pandas.ConjunctionSchema):
    ...     kp: Series[float] = pandera.Field(ge=0, le=9)
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> WithKp.validate(df.assign(kp=2.3)).shape
    (49, 10)
    """

    conjunction_type: Series[dtypes.ConjunctionType]
    start: Series[dtypes.UTC]
    end: Series[dtypes.UTC]
    data_sources: Series[dtypes.DataSources] = pandera.Field(nullable=True)
    min_distance: Series[float]
    max_distance: Series[float]
    events: Series[dtypes.Events] = pandera.Field(nullable=True)
    closest_epoch: Series[dtypes.UTC] = pandera.Field(nullable=True)
    farthest_epoch: Series[dtypes.UTC] = pandera.Field(nullable=True)

    class Config(BaseConfig):
        """What pandera is told of all columns together."""

        name = "ConjunctionSchema"
        unique_column_names = True
        aurorax_rows: ClassVar = _rows("conjunctions")


class EventSchema(_FrameModel):
    """
    Events: the frame of `explode_events`, one row per pair event, and the rules of every row.

    They are those of `ConjunctionSchema`. A pandera model: more columns are allowed, a subclass names them.
    """

    conjunction: Series[int]
    conjunction_label: Series[Any] = pandera.Field(nullable=True)
    conjunction_type: Series[dtypes.ConjunctionType]
    e1_identifier: Series[pd.Int64Dtype] = pandera.Field(nullable=True)
    e1_program: Series[dtypes.Text] = pandera.Field(nullable=True)
    e1_platform: Series[dtypes.Text] = pandera.Field(nullable=True)
    e1_instrument_type: Series[dtypes.Text] = pandera.Field(nullable=True)
    e1_source_type: Series[dtypes.Text] = pandera.Field(nullable=True)
    e1_display_name: Series[dtypes.Text] = pandera.Field(nullable=True)
    e2_identifier: Series[pd.Int64Dtype] = pandera.Field(nullable=True)
    e2_program: Series[dtypes.Text] = pandera.Field(nullable=True)
    e2_platform: Series[dtypes.Text] = pandera.Field(nullable=True)
    e2_instrument_type: Series[dtypes.Text] = pandera.Field(nullable=True)
    e2_source_type: Series[dtypes.Text] = pandera.Field(nullable=True)
    e2_display_name: Series[dtypes.Text] = pandera.Field(nullable=True)
    pair: Series[dtypes.Label]
    start: Series[dtypes.UTC]
    end: Series[dtypes.UTC]
    min_distance: Series[float]
    max_distance: Series[float]
    closest_epoch: Series[dtypes.UTC] = pandera.Field(nullable=True)

    class Config(BaseConfig):
        """What pandera is told of all columns together."""

        name = "EventSchema"
        unique_column_names = True
        aurorax_rows: ClassVar = _rows("events")


class PairSummarySchema(_FrameModel):
    """
    Pair summaries: the frame of `pair_summary`, one row per pair, whose label is the index.

    There is at least one event, ``minutes`` [min] and distances [km] are not negative. A pandera model: more columns
    are allowed, a subclass names them.
    """

    count: Series[int]
    minutes: Series[float]
    min_distance: Series[float]
    median_distance: Series[float]
    closest_epoch: Series[dtypes.UTC] = pandera.Field(nullable=True)
    first_start: Series[dtypes.UTC]
    last_end: Series[dtypes.UTC]
    pair: Index[Any] = pandera.Field(unique=True, check_name=True)

    class Config(BaseConfig):
        """What pandera is told of all columns together."""

        name = "PairSummarySchema"
        unique_column_names = True
        aurorax_rows: ClassVar = _rows("pair_summary")


class PassSchema(_FrameModel):
    """
    Passes: the frame of `passes`, one row per crossing of a spacecraft.

    ``start`` is not after ``end``, ``closest_epoch`` lies between them (UTC), there is at least one event,
    ``minutes`` [min] and ``min_distance`` [km] are not negative. A pandera model: more columns are allowed, a subclass
    names them.
    """

    spacecraft: Series[dtypes.Text]
    conjunction_type: Series[dtypes.ConjunctionType]
    hemisphere: Series[dtypes.Hemisphere] = pandera.Field(nullable=True)
    start: Series[dtypes.UTC]
    end: Series[dtypes.UTC]
    minutes: Series[float]
    stations: Series[dtypes.Stations]
    closest_station: Series[dtypes.Text] = pandera.Field(nullable=True)
    closest_epoch: Series[dtypes.UTC] = pandera.Field(nullable=True)
    min_distance: Series[float]
    count: Series[int]
    parents: Series[object]

    class Config(BaseConfig):
        """What pandera is told of all columns together."""

        name = "PassSchema"
        unique_column_names = True
        aurorax_rows: ClassVar = _rows("passes")


class DataProductSchema(_FrameModel):
    """
    Data products: the frame of `read_aurorax_data_products`, one row per product.

    ``start`` is not after ``end`` (UTC); kind, address and metadata are there. A pandera model: more columns are
    allowed, a subclass names them.
    """

    identifier: Series[int]
    program: Series[dtypes.Text] = pandera.Field(nullable=True)
    platform: Series[dtypes.Text] = pandera.Field(nullable=True)
    instrument_type: Series[dtypes.Text] = pandera.Field(nullable=True)
    source_type: Series[dtypes.Text] = pandera.Field(nullable=True)
    display_name: Series[dtypes.Text] = pandera.Field(nullable=True)
    data_product_type: Series[dtypes.Label]
    start: Series[dtypes.UTC]
    end: Series[dtypes.UTC]
    url: Series[dtypes.Text]
    metadata: Series[dtypes.Text]

    class Config(BaseConfig):
        """What pandera is told of all columns together."""

        name = "DataProductSchema"
        unique_column_names = True
        aurorax_rows: ClassVar = _rows("data_products")


#: The kinds of frames that the models themselves, no subclass of theirs, stand for.
KIND_OF_MODEL: Final[dict[Any, str]] = {
    ConjunctionSchema: "conjunctions",
    EventSchema: "events",
    PairSummarySchema: "pair_summary",
    PassSchema: "passes",
    DataProductSchema: "data_products",
}


def check_by_pandera(frame: pd.DataFrame, schema: Any) -> tuple[str, list[Failure]]:
    """Return the name of a schema, and all that it finds wrong with a frame."""
    if not isinstance(schema, pandera.DataFrameSchema):
        if not (isinstance(schema, type) and issubclass(schema, pandera.DataFrameModel)):
            raise AuroraxInputError(
                f"schema={shown(schema)} is no pandera schema; give a DataFrameModel or a DataFrameSchema"
            )
        schema = schema.to_schema()
    ours = next(
        (KINDS[check.statistics["kind"]] for check in schema.checks or () if check.name == aurorax_rows.__name__), None
    )
    if ours is not None and (mixed_up := ours.mix_up(frame)) is not None:
        return str(schema.name), [Failure("", "kind", mixed_up)]
    try:
        # no value is changed, so none need be copied; pandera leaves its schema in the attrs of what it checks
        schema.validate(frame.copy(deep=False), lazy=True, inplace=True)
    except SchemaErrors as errors:
        return str(schema.name), [
            failure for one in errors.schema_errors for failure in _failures(ours, one, errors.data)
        ]
    return str(schema.name), []


def _failures(kind: Kind | None, error: SchemaError, checked: pd.DataFrame) -> Iterator[Failure]:
    check = error.check
    column = str(error.schema.name) if isinstance(error.schema, pandera.Column) else ""
    if isinstance(check, pandera.Check):
        if kind is not None and check.name == aurorax_rows.__name__:
            # named one by one, as pandera cannot
            yield from kind.broken_rows(checked)
            return
        output = error.check_output
        broken = ~output.to_numpy(bool) if isinstance(output, pd.Series) and len(output) == len(checked) else None
        yield Failure(column, str(check.name), str(check.error or check.name), broken)
    else:
        # pandera's own checks: a column that is missing, of another dtype or stands twice, an index that is not unique
        if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
            column = str(error.failure_cases)
        yield Failure(column, str(check).partition("(")[0], str(error).partition(" Columns in")[0])
