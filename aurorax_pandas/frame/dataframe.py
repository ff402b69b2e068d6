"""The frame as type checkers see it: a pandas DataFrame whose `.aurorax` is known to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, cast

import pandas as pd

P = ParamSpec("P")

if TYPE_CHECKING:
    from aurorax_pandas.accessors import AuroraxDataFrameAccessor

    class AuroraxDataFrame(pd.DataFrame):
        """A pandas DataFrame whose ``.aurorax`` type checkers know; at run time it is `pandas.DataFrame` itself."""

        @property
        def aurorax(self) -> AuroraxDataFrameAccessor:
            """What a frame of conjunctions, events or pair summaries can do."""
            ...

else:
    AuroraxDataFrame = pd.DataFrame


def typed(function: Callable[P, pd.DataFrame]) -> Callable[P, AuroraxDataFrame]:
    """Let type checkers know ``.aurorax`` on the frame that a function returns; at run time nothing changes."""
    return cast("Callable[P, AuroraxDataFrame]", function)
