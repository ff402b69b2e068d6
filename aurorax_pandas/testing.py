"""Equality of conjunctions frames, for tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
from nested_pandas import NestedDtype

from aurorax_pandas.frame import model


def assert_conjunctions_equal(left: pd.DataFrame, right: pd.DataFrame, *, check_attrs: bool = True) -> None:
    """
    Assert that two conjunctions frames are equal: index, columns in order, dtypes, values, nested cells, attrs.

    Parameters
    ----------
    left, right : pandas.DataFrame
        The frames; NaN equals NaN, NaT equals NaT, floats must be equal to the last digit.
    check_attrs : bool, default True
        Whether ``attrs``, and so the provenance, must be equal too.

    Raises
    ------
    AssertionError
        If they differ; the message says where.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas.testing import assert_conjunctions_equal
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> assert_conjunctions_equal(df, df.copy())
    """
    if list(left.columns) != list(right.columns):
        raise AssertionError(f"columns differ: {list(left.columns)} and {list(right.columns)}")
    nested = [name for name in left.columns if isinstance(left[name].dtype, NestedDtype)]
    # pandas' own comparison can say where columns differ, but takes ten times longer to see whether
    same = [name for name in left.columns if name not in nested and _is_same(left[name], right[name])]
    rest = left.columns.drop([*nested, *same])
    pd.testing.assert_frame_equal(left[rest], right[rest], check_exact=True, check_freq=False)
    for name in nested:
        _assert_nested_equal(name, left[name], right[name])
    if check_attrs and left.attrs != right.attrs:
        raise AssertionError(f"attrs differ:\n{left.attrs}\nand\n{right.attrs}")


def _is_same(left: pd.Series, right: pd.Series) -> bool:
    if left.dtype != right.dtype or left.dtype == np.dtype(object):
        return False
    if isinstance(left.dtype, pd.CategoricalDtype):
        alike = (
            left.cat.categories.equals(right.cat.categories) and left.cat.categories.dtype == right.cat.categories.dtype
        )
        return alike and np.array_equal(left.cat.codes, right.cat.codes)
    return bool(left.array.equals(right.array))


def _assert_nested_equal(name: str, left: pd.Series, right: pd.Series) -> None:
    if left.dtype != right.dtype:
        raise AssertionError(f"column {name}: dtypes differ: {left.dtype} and {right.dtype}")
    one, other = model.flatten(left), model.flatten(right)
    if not np.array_equal(one.lengths, other.lengths):
        row = int(np.flatnonzero(one.lengths != other.lengths)[0])
        raise AssertionError(f"column {name}: row {row} holds {one.lengths[row]} entries and {other.lengths[row]}")
    for field in one.fields:
        # Arrow compares ten times faster, but cannot say where
        if one.fields[field].equals(other.fields.get(field)):
            continue
        pd.testing.assert_series_equal(one.column(field), other.column(field), check_exact=True, obj=f"{name}.{field}")
