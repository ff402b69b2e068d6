"""
AuroraX conjunction searches as typed pandas DataFrames.

Importing the package registers ``pandas.read_aurorax_conjunctions`` and the accessor ``DataFrame.aurorax``; every
method of the accessor is a function here as well.
"""

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from aurorax_pandas import functions as _functions
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
from aurorax_pandas.options import get_options, set_options
from aurorax_pandas.readers import (
    read_aurorax_availability,
    read_aurorax_conjunctions,
    read_aurorax_data_sources,
    read_aurorax_ephemeris,
)
from aurorax_pandas.register import register

if TYPE_CHECKING:
    from aurorax_pandas.functions import (
        ConjunctionSchema,
        ConjunctionSearch,
        EphemerisSearch,
        EventSchema,
        PairSummarySchema,
        at_window_edge,
        check_ephemeris,
        closest,
        closest_approach,
        compare,
        conjunctions_from_records,
        daily_counts,
        deduplicate,
        ephemeris_from_dataframe,
        explode_events,
        filter_closest_epoch,
        find_conjunctions,
        footprints_from_tle,
        get_provenance,
        groupby_pair,
        image_windows,
        load_conjunctions,
        load_sample_conjunctions,
        load_sample_ephemeris,
        minutes,
        overflights,
        overlaps,
        pair_summary,
        passes,
        plot_calendar,
        plot_distance,
        plot_histogram,
        plot_map,
        read_ephemeris_of,
        records_from_conjunctions,
        revisits,
        select_sources,
        stations,
        stitch,
        style_pair_summary,
        swarmaurora_url,
        timeline,
        to_csv,
        to_dataframe,
        to_json,
        to_netcdf,
        to_parquet,
        to_xarray,
        validate,
        within,
    )

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


def __getattr__(name: str) -> Any:
    return getattr(_functions, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_functions.MODULES})


register()
