"""Columns as they come back from other tools, in the dtypes of the data model; only where their meaning is certain."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import layouts, model
from aurorax_pandas.frame.answers import read_times
from aurorax_pandas.frame.rules import KINDS
from aurorax_pandas.times import Times

#: What a value of a column may raise where it is not what the column should hold.
UNREADABLE: Final = (ValueError, TypeError, OverflowError, ArithmeticError, pa.ArrowException)


def columns_of_kind(df: pd.DataFrame) -> Mapping[str, Any]:
    """Return the columns that the data model names for a frame of this kind, with their dtypes."""
    return KINDS[model.kind_of(df)].dtypes


def in_model_dtypes(df: pd.DataFrame, wanted: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, str]]:
    """
    Return a frame with its flat columns in the dtypes of the data model, and what is wrong with those that cannot be.

    Parameters
    ----------
    df : pandas.DataFrame
        The frame; it is not changed, and returned itself where all is as it should be.
    wanted : mapping of str to dtype
        The columns, as in `columns_of_kind`. Nested columns are left to `as_conjunctions`.
    """
    other = {
        name: wanted[name]
        for name, dtype in zip(df.columns, df.dtypes, strict=True)
        if isinstance(name, str) and name in wanted and not model.is_of_dtype(dtype, wanted[name])
    }
    changed: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, dtype in other.items():
        values = df[name]
        # one that stands twice is the caller's to tell
        if isinstance(dtype, NestedDtype) or isinstance(values, pd.DataFrame):
            continue
        try:
            changed[name] = in_dtype(values, dtype)
        except UnicodeEncodeError:
            # every verb that reads the column, whether it names it or not, would stumble
            raise AuroraxInputError(
                f"the column {name} holds text with half of a character (a surrogate); mend it, for example by "
                r".str.replace('[\ud800-\udfff]', '?', regex=True)"
            ) from None
        except UNREADABLE as error:
            wrong[name] = first_line(error)
    return (df.assign(**changed) if changed else df), wrong


def in_dtype(values: pd.Series[Any], dtype: Any) -> Any:
    """
    Return a column in a dtype of the data model.

    Raises
    ------
    ValueError, TypeError
        If a value is none of this dtype, or may mean several things.
    """
    if isinstance(dtype, pd.CategoricalDtype):
        return _in_categories(values, dtype)
    if dtype == model.DATETIME:
        return times_of(values)
    if dtype == "category":
        return pd.Categorical(_texts_of(values))
    if dtype == "str":
        return _texts_of(values)
    numbers = _numbers_of(values)
    return numbers if dtype == "float64" else _whole(numbers, values, dtype)


def times_of(values: pd.Series[Any] | pd.Index[Any]) -> Times:
    """
    Read a column of times as datetime64[us], UTC: of any unit and zone, periods, or text by ISO 8601.

    Raises
    ------
    ValueError, TypeError
        If a value is no time; a number is none, for it does not say since when.
    """
    values = pd.Series(values)
    dtype = values.dtype
    if isinstance(dtype, pd.PeriodDtype):
        begun: Times = values.dt.start_time.to_numpy().astype("M8[us]")
        return begun
    if isinstance(dtype, pd.DatetimeTZDtype):
        in_utc: Times = values.dt.tz_convert(None).to_numpy().astype("M8[us]")
        return in_utc
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return values.to_numpy().astype("M8[us]")
    if isinstance(dtype, pd.ArrowDtype):
        column = layouts.flat_array(pa.array(values), pa.timestamp("us"))
        times: Times = column.to_numpy(zero_copy_only=False).astype("M8[us]")
        return times
    held = values.astype(object).to_numpy()
    missing = pd.isna(values).to_numpy(bool)
    made = np.full(len(values), "NaT", "M8[us]")
    is_text = np.fromiter((isinstance(value, str) for value in held), bool, len(held)) & ~missing
    if is_text.any():
        made[is_text] = read_times(held[is_text].tolist())
    rest = ~is_text & ~missing
    if rest.any():
        strange = [value for value in held[rest] if not isinstance(value, datetime.date | np.datetime64)]
        if strange:
            raise ValueError(f"{strange[0]!r} is no time; give times, UTC")
        # of several zones in one column each is converted, one without a zone is UTC
        read = pd.to_datetime(pd.Series(held[rest], dtype=object), utc=True)
        made[rest] = read.dt.tz_localize(None).to_numpy().astype("M8[us]")
    return made


def _numbers_of(values: pd.Series[Any]) -> npt.NDArray[np.float64]:
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return values.to_numpy(np.float64)
    if isinstance(dtype, pd.ArrowDtype):
        return np.asarray(
            layouts.flat_array(pa.array(values), pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
        )
    if (
        pd.api.types.is_bool_dtype(dtype)
        or pd.api.types.is_complex_dtype(dtype)
        or not (
            pd.api.types.is_numeric_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype) or _is_text_or_object(dtype)
        )
    ):
        raise TypeError(f"{dtype} holds no numbers")
    if not pd.api.types.is_numeric_dtype(dtype):
        values = values.astype(object)
        strange = [
            one
            for one in values.dropna()
            if isinstance(
                one, bool | np.bool_ | complex | np.complexfloating | bytes | datetime.date | datetime.timedelta
            )
        ]
        if strange:
            raise TypeError(f"{strange[0]!r} is no number")
        values = pd.to_numeric(values.where(values.notna(), None))
    return values.to_numpy(np.float64, na_value=np.nan)


def _whole(numbers: npt.NDArray[np.float64], values: pd.Series[Any], dtype: Any) -> Any:
    missing = np.isnan(numbers)
    if (numbers[~missing] % 1).any() or (np.abs(numbers[~missing]) >= 2.0**53).any():
        # floats do not hold such numbers, other columns may
        if pd.api.types.is_integer_dtype(values.dtype):
            return values.astype("Int64").astype(dtype).array
        raise ValueError("a value is no whole number that a float holds")
    return (
        pd.Series(pd.arrays.IntegerArray(np.where(missing, 0, numbers).astype(np.int64), missing)).astype(dtype).array
    )


def _texts_of(values: pd.Series[Any]) -> Any:
    dtype = values.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return model.arrow_to_pandas(layouts.flat_array(pa.array(values), pa.string())).array
    if not isinstance(dtype, pd.StringDtype):
        held = values.cat.categories if isinstance(dtype, pd.CategoricalDtype) else values.dropna().unique()
        strange = [one for one in held if not isinstance(one, str)]
        if strange:
            raise TypeError(f"{strange[0]!r} is no text")
    return values.astype(object).where(values.notna(), None).astype("str").array


def _in_categories(values: pd.Series[Any], dtype: pd.CategoricalDtype) -> pd.Categorical:
    if isinstance(values.dtype, pd.ArrowDtype):
        values = pd.Series(_texts_of(values))
    codes = model.category_codes(values, dtype)
    unknown = (codes < 0) & values.notna().to_numpy(bool)
    if unknown.any():
        raise ValueError(f"{values.iloc[int(np.flatnonzero(unknown)[0])]!r} is none of {', '.join(dtype.categories)}")
    return pd.Categorical.from_codes(codes, dtype=dtype)


def _is_text_or_object(dtype: Any) -> bool:
    return isinstance(dtype, pd.StringDtype) or dtype == np.dtype(object)


def kind_by_names(names: AbstractSet[Any]) -> str:
    """Tell what a table holds by the names of its columns alone: conjunctions, events, pair_summary or passes."""
    if {"data_sources", "events"} & names:
        return "conjunctions"
    if {"spacecraft", "stations"} <= names:
        return "passes"
    if {"count", "median_distance"} <= names:
        return "pair_summary"
    return "events" if {"e1_identifier", "e1_display_name"} & names else "conjunctions"


def first_line(error: Exception) -> str:
    """Return what an error of another library says, without what it says below that."""
    return str(error).partition("\n")[0]
