"""
AuroraX conjunction searches as typed pandas DataFrames.

Importing the package registers ``pandas.read_aurorax_conjunctions`` and the accessor ``DataFrame.aurorax``; every
method of the accessor is a function here as well.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from aurorax_pandas import functions as _functions
from aurorax_pandas.exceptions import (
    AuroraxAPIError,
    AuroraxAuthorizationError,
    AuroraxBulkError,
    AuroraxDataError,
    AuroraxDataWarning,
    AuroraxError,
    AuroraxInputError,
    AuroraxNotFoundError,
    AuroraxRateLimitError,
    AuroraxSchemaError,
    AuroraxSearchError,
    AuroraxStateError,
    AuroraxTimeoutError,
    AuroraxUnavailableError,
)
from aurorax_pandas.options import get_options, set_options
from aurorax_pandas.readers import (
    read_aurorax_availability,
    read_aurorax_conjunctions,
    read_aurorax_data_sources,
    read_aurorax_ephemeris,
)
from aurorax_pandas.register import register

if TYPE_CHECKING:
    from aurorax_pandas import sandbox, testing  # noqa: F401
    from aurorax_pandas.functions import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        if name in ("sandbox", "testing"):
            return _import_module(f"{__name__}.{name}")
        return getattr(_functions, name)


__version__ = _version("aurorax-pandas")

__all__ = [
    "AuroraxAPIError",
    "AuroraxAuthorizationError",
    "AuroraxBulkError",
    "AuroraxDataError",
    "AuroraxDataWarning",
    "AuroraxError",
    "AuroraxInputError",
    "AuroraxNotFoundError",
    "AuroraxRateLimitError",
    "AuroraxSchemaError",
    "AuroraxSearchError",
    "AuroraxStateError",
    "AuroraxTimeoutError",
    "AuroraxUnavailableError",
    "get_options",
    "read_aurorax_availability",
    "read_aurorax_conjunctions",
    "read_aurorax_data_sources",
    "read_aurorax_ephemeris",
    "register",
    "set_options",
]
__all__ += _functions.__all__


def __dir__() -> list[str]:
    return sorted({*globals(), *_functions.MODULES, "sandbox", "testing"})


register()
