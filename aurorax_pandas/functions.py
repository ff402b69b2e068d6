"""The public functions and classes, each imported with its module when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aurorax_pandas.approach import closest_approach, image_windows, overflights
    from aurorax_pandas.dataset import to_dataframe, to_xarray
    from aurorax_pandas.ephemeris import check_ephemeris, ephemeris_from_dataframe, load_sample_ephemeris, stations
    from aurorax_pandas.export import load_conjunctions, to_csv, to_json, to_netcdf, to_parquet
    from aurorax_pandas.frame.events import explode_events
    from aurorax_pandas.frame.provenance import get_provenance, swarmaurora_url
    from aurorax_pandas.frame.records import conjunctions_from_records, records_from_conjunctions
    from aurorax_pandas.frame.schema import ConjunctionSchema, EventSchema, PairSummarySchema, validate
    from aurorax_pandas.frame.stitch import stitch
    from aurorax_pandas.local import find_conjunctions
    from aurorax_pandas.needs import read_ephemeris_of
    from aurorax_pandas.orbit import footprints_from_tle
    from aurorax_pandas.plotting import plot_calendar, plot_distance, plot_histogram, plot_map, timeline
    from aurorax_pandas.query.blocks import (
        CustomLocationsCriteriaBlock,
        EventsCriteriaBlock,
        GroundCriteriaBlock,
        MetadataFilter,
        MetadataFilterExpression,
        SpaceCriteriaBlock,
    )
    from aurorax_pandas.samples import load_sample_conjunctions
    from aurorax_pandas.search import ConjunctionSearch, EphemerisSearch
    from aurorax_pandas.tables import style_pair_summary
    from aurorax_pandas.transforms.compare import at_window_edge, compare, overlaps
    from aurorax_pandas.transforms.counts import daily_counts, minutes
    from aurorax_pandas.transforms.pairs import groupby_pair, pair_summary
    from aurorax_pandas.transforms.passes import passes, revisits
    from aurorax_pandas.transforms.selection import closest, deduplicate, filter_closest_epoch, select_sources, within

__all__ = [
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
    "read_ephemeris_of",
    "records_from_conjunctions",
    "revisits",
    "select_sources",
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

# importing the package stays cheap, whatever its functions stand on
MODULES: Final = {
    "ConjunctionSchema": "frame.schema",
    "ConjunctionSearch": "search",
    "CustomLocationsCriteriaBlock": "query.blocks",
    "EphemerisSearch": "search",
    "EventSchema": "frame.schema",
    "EventsCriteriaBlock": "query.blocks",
    "GroundCriteriaBlock": "query.blocks",
    "MetadataFilter": "query.blocks",
    "MetadataFilterExpression": "query.blocks",
    "PairSummarySchema": "frame.schema",
    "SpaceCriteriaBlock": "query.blocks",
    "at_window_edge": "transforms.compare",
    "check_ephemeris": "ephemeris",
    "closest": "transforms.selection",
    "closest_approach": "approach",
    "compare": "transforms.compare",
    "conjunctions_from_records": "frame.records",
    "daily_counts": "transforms.counts",
    "deduplicate": "transforms.selection",
    "ephemeris_from_dataframe": "ephemeris",
    "explode_events": "frame.events",
    "filter_closest_epoch": "transforms.selection",
    "find_conjunctions": "local",
    "footprints_from_tle": "orbit",
    "get_provenance": "frame.provenance",
    "groupby_pair": "transforms.pairs",
    "image_windows": "approach",
    "load_conjunctions": "export",
    "load_sample_conjunctions": "samples",
    "load_sample_ephemeris": "ephemeris",
    "minutes": "transforms.counts",
    "overflights": "approach",
    "overlaps": "transforms.compare",
    "pair_summary": "transforms.pairs",
    "passes": "transforms.passes",
    "plot_calendar": "plotting",
    "plot_distance": "plotting",
    "plot_histogram": "plotting",
    "plot_map": "plotting",
    "read_ephemeris_of": "needs",
    "records_from_conjunctions": "frame.records",
    "revisits": "transforms.passes",
    "select_sources": "transforms.selection",
    "stations": "ephemeris",
    "stitch": "frame.stitch",
    "style_pair_summary": "tables",
    "swarmaurora_url": "frame.provenance",
    "timeline": "plotting",
    "to_csv": "export",
    "to_dataframe": "dataset",
    "to_json": "export",
    "to_netcdf": "export",
    "to_parquet": "export",
    "to_xarray": "dataset",
    "validate": "frame.schema",
    "within": "transforms.selection",
}


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return getattr(import_module(f"aurorax_pandas.{MODULES[name]}"), name)
    raise AttributeError(f"module 'aurorax_pandas' has no attribute {name!r}")
