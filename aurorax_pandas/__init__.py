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
from aurorax_pandas.export import load_conjunctions, to_csv, to_json, to_netcdf, to_parquet
from aurorax_pandas.links import swarmaurora_url
from aurorax_pandas.options import get_options, set_options
from aurorax_pandas.provenance import get_provenance
from aurorax_pandas.readers import (
    read_aurorax_availability,
    read_aurorax_conjunctions,
    read_aurorax_data_sources,
    read_aurorax_ephemeris,
)
from aurorax_pandas.register import register
from aurorax_pandas.transforms.compare import at_window_edge, compare, overlaps
from aurorax_pandas.transforms.counts import daily_counts
from aurorax_pandas.transforms.events import explode_events
from aurorax_pandas.transforms.intervals import minutes
from aurorax_pandas.transforms.pairs import groupby_pair, pair_summary
from aurorax_pandas.transforms.passes import passes, revisits
from aurorax_pandas.transforms.selection import closest, deduplicate, filter_closest_epoch, select_sources, within
from aurorax_pandas.transforms.stitch import stitch

if TYPE_CHECKING:
    from aurorax_pandas.approach import closest_approach, image_windows, overflights
    from aurorax_pandas.dataset import to_dataframe, to_xarray
    from aurorax_pandas.ephemeris import check_ephemeris, ephemeris_from_dataframe, load_sample_ephemeris, stations
    from aurorax_pandas.local import find_conjunctions
    from aurorax_pandas.needs import read_ephemeris_of
    from aurorax_pandas.orbit import footprints_from_tle
    from aurorax_pandas.plotting import plot_calendar, plot_distance, plot_histogram, plot_map, timeline
    from aurorax_pandas.records import conjunctions_from_records, records_from_conjunctions
    from aurorax_pandas.samples import load_sample_conjunctions
    from aurorax_pandas.schemas import ConjunctionSchema, EventSchema, PairSummarySchema, validate
    from aurorax_pandas.search import ConjunctionSearch, EphemerisSearch
    from aurorax_pandas.tables import style_pair_summary

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
    "ConjunctionSchema",
    "ConjunctionSearch",
    "CustomLocationsCriteriaBlock",
    "EphemerisSearch",
    "EventSchema",
    "EventsCriteriaBlock",
    "GroundCriteriaBlock",
    "MetadataFilter",
    "MetadataFilterExpression",
    "PairSummarySchema",
    "SpaceCriteriaBlock",
    "at_window_edge",
    "check_ephemeris",
    "closest",
    "closest_approach",
    "compare",
    "conjunctions_from_records",
    "daily_counts",
    "deduplicate",
    "ephemeris_from_dataframe",
    "explode_events",
    "filter_closest_epoch",
    "find_conjunctions",
    "footprints_from_tle",
    "get_options",
    "get_provenance",
    "groupby_pair",
    "image_windows",
    "load_conjunctions",
    "load_sample_conjunctions",
    "load_sample_ephemeris",
    "minutes",
    "overflights",
    "overlaps",
    "pair_summary",
    "passes",
    "plot_calendar",
    "plot_distance",
    "plot_histogram",
    "plot_map",
    "read_aurorax_availability",
    "read_aurorax_conjunctions",
    "read_aurorax_data_sources",
    "read_aurorax_ephemeris",
    "read_ephemeris_of",
    "records_from_conjunctions",
    "register",
    "revisits",
    "select_sources",
    "set_options",
    "stations",
    "stitch",
    "style_pair_summary",
    "swarmaurora_url",
    "timeline",
    "to_csv",
    "to_dataframe",
    "to_json",
    "to_netcdf",
    "to_parquet",
    "to_xarray",
    "validate",
    "within",
]

# what stands on pandera, requests, msgspec or matplotlib is imported when it is first asked for
_DEFERRED = {
    "ConjunctionSchema": "schemas",
    "ConjunctionSearch": "search",
    "EphemerisSearch": "search",
    "read_ephemeris_of": "needs",
    "footprints_from_tle": "orbit",
    "EventSchema": "schemas",
    "PairSummarySchema": "schemas",
    "conjunctions_from_records": "records",
    "records_from_conjunctions": "records",
    "load_sample_conjunctions": "samples",
    "plot_calendar": "plotting",
    "plot_distance": "plotting",
    "plot_histogram": "plotting",
    "plot_map": "plotting",
    "timeline": "plotting",
    "closest_approach": "approach",
    "image_windows": "approach",
    "overflights": "approach",
    "style_pair_summary": "tables",
    "to_dataframe": "dataset",
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
