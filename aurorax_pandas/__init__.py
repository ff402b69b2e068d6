"""
AuroraX conjunction searches as typed pandas DataFrames.

Importing the package registers ``pandas.read_aurorax_conjunctions`` and the accessor ``DataFrame.aurorax``; every
method of the accessor is a function here as well.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from aurorax_pandas.criteria import (
    CustomLocationsCriteriaBlock,
    EventsCriteriaBlock,
    GroundCriteriaBlock,
    MetadataFilter,
    MetadataFilterExpression,
    SpaceCriteriaBlock,
)
from aurorax_pandas.exceptions import (
    AuroraxAPIError,
    AuroraxAuthorizationError,
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
from aurorax_pandas.links import swarmaurora_url
from aurorax_pandas.options import get_options, set_options
from aurorax_pandas.provenance import get_provenance
from aurorax_pandas.readers import read_aurorax_conjunctions
from aurorax_pandas.register import register
from aurorax_pandas.transforms.events import explode_events
from aurorax_pandas.transforms.intervals import minutes
from aurorax_pandas.transforms.pairs import groupby_pair, pair_summary
from aurorax_pandas.transforms.selection import closest, deduplicate, filter_closest_epoch, select_sources, within
from aurorax_pandas.transforms.stitch import stitch

if TYPE_CHECKING:
    from aurorax_pandas.dataset import to_xarray
    from aurorax_pandas.ephemeris import check_ephemeris, ephemeris_from_dataframe, load_sample_ephemeris, stations
    from aurorax_pandas.local import find_conjunctions
    from aurorax_pandas.plotting import timeline
    from aurorax_pandas.records import conjunctions_from_records, records_from_conjunctions
    from aurorax_pandas.samples import load_sample_conjunctions
    from aurorax_pandas.schemas import ConjunctionSchema, EventSchema, PairSummarySchema, validate
    from aurorax_pandas.search import ConjunctionSearch

__version__ = _version("aurorax-pandas")

__all__ = [
    "AuroraxAPIError",
    "AuroraxAuthorizationError",
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
    "ConjunctionSchema",
    "ConjunctionSearch",
    "CustomLocationsCriteriaBlock",
    "EventSchema",
    "EventsCriteriaBlock",
    "GroundCriteriaBlock",
    "MetadataFilter",
    "MetadataFilterExpression",
    "PairSummarySchema",
    "SpaceCriteriaBlock",
    "check_ephemeris",
    "closest",
    "conjunctions_from_records",
    "deduplicate",
    "ephemeris_from_dataframe",
    "explode_events",
    "filter_closest_epoch",
    "find_conjunctions",
    "get_options",
    "get_provenance",
    "groupby_pair",
    "load_sample_conjunctions",
    "load_sample_ephemeris",
    "minutes",
    "pair_summary",
    "read_aurorax_conjunctions",
    "records_from_conjunctions",
    "register",
    "select_sources",
    "set_options",
    "stations",
    "stitch",
    "swarmaurora_url",
    "timeline",
    "to_xarray",
    "validate",
    "within",
]

# what stands on pandera, requests, msgspec or matplotlib is imported when it is first asked for
_DEFERRED = {
    "ConjunctionSchema": "schemas",
    "ConjunctionSearch": "search",
    "EventSchema": "schemas",
    "PairSummarySchema": "schemas",
    "conjunctions_from_records": "records",
    "records_from_conjunctions": "records",
    "load_sample_conjunctions": "samples",
    "timeline": "plotting",
    "to_xarray": "dataset",
    "validate": "schemas",
    "check_ephemeris": "ephemeris",
    "ephemeris_from_dataframe": "ephemeris",
    "load_sample_ephemeris": "ephemeris",
    "stations": "ephemeris",
    "find_conjunctions": "local",
}


def __getattr__(name: str) -> Any:
    if name in _DEFERRED:
        return getattr(_import_module(f"aurorax_pandas.{_DEFERRED[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_DEFERRED})


register()
