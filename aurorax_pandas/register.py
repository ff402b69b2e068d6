"""Registration with pandas: the reader and the accessor."""

from __future__ import annotations

import warnings

import pandas as pd

from aurorax_pandas.accessors import AuroraxDataFrameAccessor
from aurorax_pandas.exceptions import AuroraxDataWarning
from aurorax_pandas.readers import read_aurorax_conjunctions


def register() -> None:
    """
    Register ``pandas.read_aurorax_conjunctions`` and ``DataFrame.aurorax``; done on import, harmless when repeated.

    Warns
    -----
    AuroraxDataWarning
        If another library holds one of the names; it is left as it is, and the functions of this package still work.
    """
    for owner, name, ours in (
        (pd, "read_aurorax_conjunctions", read_aurorax_conjunctions),
        (pd.DataFrame, "aurorax", AuroraxDataFrameAccessor),
    ):
        found = getattr(owner, name, None)
        if found is None:
            if owner is pd:
                setattr(pd, name, ours)
            else:
                pd.api.extensions.register_dataframe_accessor(name)(AuroraxDataFrameAccessor)
        elif found is not ours:
            warnings.warn(
                f"{owner.__name__}.{name} belongs to another library; it is left alone, use aurorax_pandas' functions",
                AuroraxDataWarning,
                stacklevel=2,
            )
