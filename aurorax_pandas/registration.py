"""Registration with pandas and xarray: the reader and the accessors."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
import wrapt

from aurorax_pandas.exceptions import AuroraxDataWarning
from aurorax_pandas.readers import read_aurorax_conjunctions


@pd.api.extensions.register_extension_dtype
class _NestedDtypeByName(pd.api.extensions.ExtensionDtype):
    """Let pandas read ``nested<...>`` in its own files; nested-pandas is imported when it does."""

    name = "nested"

    @classmethod
    def construct_from_string(cls, string: str) -> Any:
        if not isinstance(string, str) or not string.startswith("nested<"):
            raise TypeError(f"{string!r} is not the name of a nested dtype")
        from nested_pandas import NestedDtype

        return NestedDtype.construct_from_string(string)


def register() -> None:
    """
    Register ``pandas.read_aurorax_conjunctions`` and the accessors ``.aurorax`` of pandas, xarray and Dask.

    Done on import, and harmless when repeated. xarray, Dask and nested-pandas are not imported for it; their accessors
    are registered when they are, and cells of nested columns with our fields then read ``THEMIS-ASI TALO, Swarm A``
    and ``1 event`` where a frame is shown.

    Warns
    -----
    AuroraxDataWarning
        If another library holds one of the names; it is left as it is, and the functions of this package still work.
    """
    if _is_free(pd, "read_aurorax_conjunctions", read_aurorax_conjunctions):
        setattr(pd, "read_aurorax_conjunctions", read_aurorax_conjunctions)  # noqa: B010  (unknown to pandas' stubs)
    if _is_free(pd.DataFrame, "aurorax", _dataframe_accessor):
        pd.api.extensions.register_dataframe_accessor("aurorax")(_dataframe_accessor)  # type: ignore[type-var]
    wrapt.register_post_import_hook(_register_dataset_accessor, "xarray")
    wrapt.register_post_import_hook(_register_dask_accessor, "dask.dataframe")
    wrapt.register_post_import_hook(_shorten_nested_cells, "nested_pandas.series.ext_array")


def _dataframe_accessor(df: pd.DataFrame) -> Any:
    # what the accessor stands on is imported when it is first used
    from aurorax_pandas.accessors import AuroraxDataFrameAccessor

    return AuroraxDataFrameAccessor(df)


def _register_dataset_accessor(xarray: Any) -> None:
    if _is_free(xarray.Dataset, "aurorax", _dataset_accessor):
        xarray.register_dataset_accessor("aurorax")(_dataset_accessor)
    if _is_free(xarray.DataTree, "aurorax", _node_accessor):
        xarray.register_datatree_accessor("aurorax")(_node_accessor)


def _dataset_accessor(ds: Any) -> Any:
    from aurorax_pandas.accessors import AuroraxDatasetAccessor

    return AuroraxDatasetAccessor(ds)


def _node_accessor(node: Any) -> Any:
    return _dataset_accessor(node.to_dataset())


def _register_dask_accessor(dataframe: Any) -> None:
    from dask.dataframe.extensions import register_dataframe_accessor

    from aurorax_pandas.accessors import AuroraxDaskAccessor
    from aurorax_pandas.analysis.dask import register_nested_dtype

    if _is_free(dataframe.DataFrame, "aurorax", AuroraxDaskAccessor):
        register_dataframe_accessor("aurorax")(AuroraxDaskAccessor)
        register_nested_dtype()


def _shorten_nested_cells(ext_array: Any) -> None:
    from aurorax_pandas.frame.printing import shorten_nested_cells

    shorten_nested_cells(ext_array.NestedExtensionArray)


def _is_free(owner: Any, name: str, ours: Any) -> bool:
    """Tell whether a name is to be registered; one of this package's own, imported before, makes room."""
    found = getattr(owner, name, None)
    if found is None or found is ours:
        return found is None
    if str(getattr(found, "__module__", "")).partition(".")[0] == __name__.partition(".")[0]:
        # the package was purged and imported again, or reloaded; registering over a name would warn
        delattr(owner, name)
        return True
    warnings.warn(
        f"{owner.__name__}.{name} belongs to another library; it is left alone, use aurorax_pandas' functions",
        AuroraxDataWarning,
        stacklevel=3,
    )
    return False
