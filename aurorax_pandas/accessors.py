"""The `.aurorax` accessors: one-line delegations to the public functions of the same names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aurorax_pandas import approach, criteria, dask_frames, dataset, export, links, local, plotting, provenance, tables
from aurorax_pandas.transforms import compare, counts, events, intervals, pairs, passes, selection
from aurorax_pandas.transforms.compare import CompareOn, Comparison, OverlapOn
from aurorax_pandas.transforms.events import PairBy

if TYPE_CHECKING:
    import dask.dataframe as dd
    import xarray as xr
    from matplotlib.axes import Axes
    from pandas.api.typing import DataFrameGroupBy
    from pandas.io.formats.style import Styler


class AuroraxPlotAccessor:
    """
    Pictures of a frame of conjunctions: ``df.aurorax.plot``.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions or events.
    """

    __slots__ = ("_df",)

    def __init__(self, df: pd.DataFrame) -> None:
        self._df = df

    def __call__(
        self,
        by: str = "pair",
        color: str | None = "min_distance",
        ax: Axes | None = None,
        *,
        sort: str = "label",
        markers: bool = False,
        by_day: bool = False,
    ) -> Axes:
        """Draw the timeline; see `aurorax_pandas.timeline`."""
        return plotting.timeline(self._df, by, color, ax, sort=sort, markers=markers, by_day=by_day)

    def timeline(
        self,
        by: str = "pair",
        color: str | None = "min_distance",
        ax: Axes | None = None,
        *,
        sort: str = "label",
        markers: bool = False,
        by_day: bool = False,
    ) -> Axes:
        """Draw when each pair was in conjunction; see `aurorax_pandas.timeline`."""
        return plotting.timeline(self._df, by, color, ax, sort=sort, markers=markers, by_day=by_day)

    def distance(self, by: str = "pair", ax: Axes | None = None, *, elevation: float | None = None) -> Axes:
        """Draw distances over time [km]; see `aurorax_pandas.plot_distance`."""
        return plotting.plot_distance(self._df, by, ax, elevation=elevation)

    def calendar(
        self,
        by: str = "pair",
        values: plotting.CalendarValues = "count",
        availability: pd.DataFrame | None = None,
        ax: Axes | None = None,
        *,
        sort: str = "label",
    ) -> Axes:
        """Draw days against pairs; see `aurorax_pandas.plot_calendar`."""
        return plotting.plot_calendar(self._df, by, values, availability, ax, sort=sort)

    def histogram(
        self,
        column: str = "min_distance",
        by: str | None = None,
        bins: int | Sequence[float] | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw how often a number takes which value; see `aurorax_pandas.plot_histogram`."""
        return plotting.plot_histogram(self._df, column, by, bins, ax)

    def map(
        self,
        ephemeris: xr.Dataset,
        by: str = "spacecraft",
        ax: Axes | None = None,
        *,
        elevations: Sequence[float] = (10.0, 20.0),
        emission_altitude: float = approach.EMISSION_ALTITUDE,
    ) -> Axes:
        """Draw stations, fields of view and tracks; see `aurorax_pandas.plot_map`."""
        return plotting.plot_map(
            self._df, ephemeris, by, ax, elevations=elevations, emission_altitude=emission_altitude
        )


class AuroraxDataFrameAccessor:
    """
    What a frame of conjunctions, events or pair summaries can do: ``df.aurorax``.

    Parameters
    ----------
    df : pandas.DataFrame
        The frame.

    Raises
    ------
    AttributeError
        If the frame has no column of ours.
    """

    __slots__ = ("_df",)

    def __init__(self, df: pd.DataFrame) -> None:
        if not {"min_distance", "data_sources", "events", "e1_identifier"}.intersection(df.columns):
            raise AttributeError(
                "'.aurorax' needs a frame of conjunctions, events or pair summaries: none of the columns "
                "min_distance, data_sources, events is there"
            )
        self._df = df

    @property
    def plot(self) -> AuroraxPlotAccessor:
        """Pictures; ``plot()`` is ``plot.timeline()``."""
        return AuroraxPlotAccessor(self._df)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the frame came from; empty where that is lost. See `aurorax_pandas.get_provenance`."""
        return provenance.get_provenance(self._df.attrs)

    def explode_events(self) -> pd.DataFrame:
        """Give one row per pair event; see `aurorax_pandas.explode_events`."""
        return events.explode_events(self._df)

    def groupby_pair(self, by: PairBy = "pair") -> DataFrameGroupBy[Any, Any]:
        """Group the events by pair of data sources; see `aurorax_pandas.groupby_pair`."""
        return pairs.groupby_pair(self._df, by)

    def pair_summary(self, by: PairBy = "pair", step: str | pd.Timedelta = "1min") -> pd.DataFrame:
        """Sum up each pair of data sources; see `aurorax_pandas.pair_summary`."""
        return pairs.pair_summary(self._df, by, step)

    def closest(self, n: int = 1, by: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Keep the conjunctions of least distance; see `aurorax_pandas.closest`."""
        return selection.closest(self._df, n, by)

    def filter_closest_epoch(
        self,
        start: Any = None,
        end: Any = None,
        near: Any = None,
        tolerance: str | pd.Timedelta = "5min",
        max_distance: float | None = None,
    ) -> pd.DataFrame:
        """Keep the conjunctions by their closest epoch; see `aurorax_pandas.filter_closest_epoch`."""
        return selection.filter_closest_epoch(self._df, start, end, near, tolerance, max_distance)

    def within(self, distance: float, how: selection.How = "all") -> pd.DataFrame:
        """Keep the conjunctions whose pairs come within a distance [km]; see `aurorax_pandas.within`."""
        return selection.within(self._df, distance, how)

    def select_sources(
        self,
        *,
        program: str | Sequence[str] | None = None,
        platform: str | Sequence[str] | None = None,
        source_type: str | Sequence[str] | None = None,
        display_name: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        how: selection.How = "any",
    ) -> pd.DataFrame:
        """Keep the conjunctions of some data sources; see `aurorax_pandas.select_sources`."""
        return selection.select_sources(
            self._df,
            program=program,
            platform=platform,
            source_type=source_type,
            display_name=display_name,
            site=site,
            how=how,
        )

    def deduplicate(self, by: Literal["source", "site"] = "source") -> pd.DataFrame:
        """Keep each conjunction once; see `aurorax_pandas.deduplicate`."""
        return selection.deduplicate(self._df, by)

    def minutes(self, step: str | pd.Timedelta = "1min") -> pd.Series[float]:
        """Count the minutes in conjunction of each row [min]; see `aurorax_pandas.minutes`."""
        return intervals.minutes(self._df, step)

    def to_xarray(self) -> xr.Dataset:
        """Give the frame as a Dataset; see `aurorax_pandas.to_xarray`."""
        return dataset.to_xarray(self._df)

    def to_parquet(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write Parquet that any reader opens; see `aurorax_pandas.to_parquet`."""
        export.to_parquet(self._df, path, overwrite=overwrite)

    def to_csv(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write CSV, one row per event; see `aurorax_pandas.to_csv`."""
        export.to_csv(self._df, path, overwrite=overwrite)

    def to_json(self, path: str | os.PathLike[str], *, api: bool = False, overwrite: bool = False) -> None:
        """Write JSON, the service's records; see `aurorax_pandas.to_json`."""
        export.to_json(self._df, path, api=api, overwrite=overwrite)

    def to_netcdf(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write NetCDF by the CF conventions; see `aurorax_pandas.to_netcdf`."""
        export.to_netcdf(self._df, path, overwrite=overwrite)

    def validate(self) -> pd.DataFrame:
        """Check the frame against its schema and give it back; see `aurorax_pandas.validate`."""
        from aurorax_pandas import schemas

        return schemas.validate(self._df)

    def ephemeris(self, pad: str | pd.Timedelta = "2min") -> xr.Dataset:
        """Read where the sources were around the rows; see `aurorax_pandas.read_ephemeris_of`."""
        from aurorax_pandas import needs

        return needs.read_ephemeris_of(self._df, pad)

    def passes(
        self,
        gap: str | pd.Timedelta = "10min",
        formation: Mapping[str, Sequence[str]] | None = None,
        ephemeris: xr.Dataset | None = None,
        step: str | pd.Timedelta = "1min",
    ) -> pd.DataFrame:
        """Put the conjunctions of one crossing together; see `aurorax_pandas.passes`."""
        return passes.passes(self._df, gap, formation, ephemeris, step)

    def revisits(self, by: str = "pair", step: str | pd.Timedelta = "1min") -> pd.DataFrame:
        """Give how long it takes until the next conjunction; see `aurorax_pandas.revisits`."""
        return passes.revisits(self._df, by, step)

    def daily_counts(
        self,
        by: str | None = None,
        freq: str | pd.Timedelta = "1D",
        availability: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Count conjunctions by day; see `aurorax_pandas.daily_counts`."""
        return counts.daily_counts(self._df, by, freq, availability)

    def closest_approach(
        self, ephemeris: xr.Dataset, emission_altitude: float = approach.EMISSION_ALTITUDE
    ) -> pd.DataFrame:
        """Add the closest approach between epochs; see `aurorax_pandas.closest_approach`."""
        return approach.closest_approach(self._df, ephemeris, emission_altitude)

    def overflights(self, ephemeris: xr.Dataset | None = None) -> pd.DataFrame:
        """Keep what is no conjugate conjunction; see `aurorax_pandas.overflights`."""
        return approach.overflights(self._df, ephemeris)

    def image_windows(
        self,
        ephemeris: xr.Dataset | None = None,
        pad: str | pd.Timedelta = "2min",
        emission_altitude: float = approach.EMISSION_ALTITUDE,
    ) -> pd.DataFrame:
        """Give what tools for images ask for; see `aurorax_pandas.image_windows`."""
        return approach.image_windows(self._df, ephemeris, pad, emission_altitude)

    def overlaps(
        self, other: pd.DataFrame, on: OverlapOn = "space", tolerance: str | pd.Timedelta = "0min"
    ) -> pd.DataFrame:
        """Find which conjunctions coincide with another frame's; see `aurorax_pandas.overlaps`."""
        return compare.overlaps(self._df, other, on, tolerance)

    def compare(self, other: pd.DataFrame, on: CompareOn | None = None) -> Comparison:
        """Tell what a second read gained, lost and changed; see `aurorax_pandas.compare`."""
        return compare.compare(self._df, other, on)

    def at_window_edge(self, start: Any = None, end: Any = None, step: str | pd.Timedelta = "1min") -> pd.Series[bool]:
        """Tell which conjunctions the window may have cut; see `aurorax_pandas.at_window_edge`."""
        return compare.at_window_edge(self._df, start, end, step)

    def style(self) -> Styler:
        """Give a pair summary as a table for notebooks; see `aurorax_pandas.style_pair_summary`."""
        return tables.style_pair_summary(self._df)

    def swarmaurora_url(self) -> str:
        """Give the address that shows the search on Swarm-Aurora; see `aurorax_pandas.swarmaurora_url`."""
        return links.swarmaurora_url(self._df)


class AuroraxDatasetAccessor:
    """
    What an xarray Dataset can do: ``ds.aurorax``.

    Parameters
    ----------
    ds : xarray.Dataset
        An ephemeris, or a Dataset of `to_xarray`.
    """

    __slots__ = ("_ds",)

    def __init__(self, ds: xr.Dataset) -> None:
        # xarray turns an AttributeError here into another error, so every method checks for itself
        self._ds = ds

    def to_dataframe(self) -> pd.DataFrame:
        """Give the frame that the Dataset was made from; see `aurorax_pandas.to_dataframe`."""
        return dataset.to_dataframe(self._ds)

    @property
    def plot(self) -> AuroraxPlotAccessor:
        """Pictures; ``plot()`` is ``plot.timeline()``."""
        return AuroraxPlotAccessor(self.to_dataframe())

    def validate(self) -> xr.Dataset:
        """Check the frame in the Dataset against its schema and give the Dataset; see `aurorax_pandas.validate`."""
        from aurorax_pandas import schemas

        schemas.validate(self.to_dataframe())
        return self._ds

    def explode_events(self) -> xr.Dataset:
        """Give one entry per pair event; see `aurorax_pandas.explode_events`."""
        return dataset.keep_together(self._ds, events.explode_events)

    def pair_summary(self, by: PairBy = "pair", step: str | pd.Timedelta = "1min") -> xr.Dataset:
        """Sum up each pair of data sources; see `aurorax_pandas.pair_summary`."""
        return dataset.keep_together(self._ds, pairs.pair_summary, by, step)

    def closest(self, n: int = 1, by: str | Sequence[str] | None = None) -> xr.Dataset:
        """Keep the conjunctions of least distance; see `aurorax_pandas.closest`."""
        return dataset.keep_together(self._ds, selection.closest, n, by)

    def filter_closest_epoch(
        self,
        start: Any = None,
        end: Any = None,
        near: Any = None,
        tolerance: str | pd.Timedelta = "5min",
        max_distance: float | None = None,
    ) -> xr.Dataset:
        """Keep the conjunctions by their closest epoch; see `aurorax_pandas.filter_closest_epoch`."""
        return dataset.keep_together(self._ds, selection.filter_closest_epoch, start, end, near, tolerance, max_distance)

    def within(self, distance: float, how: selection.How = "all") -> xr.Dataset:
        """Keep the conjunctions whose pairs come within a distance [km]; see `aurorax_pandas.within`."""
        return dataset.keep_together(self._ds, selection.within, distance, how)

    def select_sources(
        self,
        *,
        program: str | Sequence[str] | None = None,
        platform: str | Sequence[str] | None = None,
        source_type: str | Sequence[str] | None = None,
        display_name: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        how: selection.How = "any",
    ) -> xr.Dataset:
        """Keep the conjunctions of some data sources; see `aurorax_pandas.select_sources`."""
        return dataset.keep_together(
            self._ds,
            selection.select_sources,
            program=program,
            platform=platform,
            source_type=source_type,
            display_name=display_name,
            site=site,
            how=how,
        )

    def deduplicate(self, by: Literal["source", "site"] = "source") -> xr.Dataset:
        """Keep each conjunction once; see `aurorax_pandas.deduplicate`."""
        return dataset.keep_together(self._ds, selection.deduplicate, by)

    def to_parquet(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write Parquet that any reader opens; see `aurorax_pandas.to_parquet`."""
        export.to_parquet(self.to_dataframe(), path, overwrite=overwrite)

    def to_csv(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write CSV, one row per event; see `aurorax_pandas.to_csv`."""
        export.to_csv(self.to_dataframe(), path, overwrite=overwrite)

    def to_json(self, path: str | os.PathLike[str], *, api: bool = False, overwrite: bool = False) -> None:
        """Write JSON, the service's records; see `aurorax_pandas.to_json`."""
        export.to_json(self.to_dataframe(), path, api=api, overwrite=overwrite)

    def to_netcdf(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write NetCDF by the CF conventions; see `aurorax_pandas.to_netcdf`."""
        export.to_netcdf(self.to_dataframe(), path, overwrite=overwrite)

    def find_conjunctions(
        self,
        start: Any = None,
        end: Any = None,
        distance: float | Mapping[str, float | None] | None = None,
        *,
        ground: criteria.GroundBlocks = (),
        space: criteria.SpaceBlocks = (),
        events: criteria.EventsBlocks = (),
        custom_locations: criteria.CustomLocationsBlocks = (),
        conjunction_types: str | Sequence[str] = ("nbtrace",),
        subminute_precision: bool | None = None,
        query: Mapping[str, Any] | str | Path | None = None,
    ) -> pd.DataFrame:
        """Find conjunctions in this ephemeris; see `aurorax_pandas.find_conjunctions`."""
        return local.find_conjunctions(
            self._ds,
            start,
            end,
            distance,
            ground=ground,
            space=space,
            events=events,
            custom_locations=custom_locations,
            conjunction_types=conjunction_types,
            subminute_precision=subminute_precision,
            query=query,
        )


class AuroraxDaskAccessor:
    """
    What a Dask frame of conjunctions or events can do, lazily: ``ddf.aurorax``.

    Parameters
    ----------
    ddf : dask.dataframe.DataFrame
        The frame.
    """

    __slots__ = ("_ddf",)

    def __init__(self, ddf: dd.DataFrame) -> None:
        self._ddf = ddf

    def filter_closest_epoch(
        self,
        start: Any = None,
        end: Any = None,
        near: Any = None,
        tolerance: str | pd.Timedelta = "5min",
        max_distance: float | None = None,
    ) -> dd.DataFrame:
        """Keep the conjunctions by their closest epoch; see `aurorax_pandas.filter_closest_epoch`."""
        return dask_frames.map_rows(self._ddf, selection.filter_closest_epoch, start, end, near, tolerance, max_distance)

    def within(self, distance: float, how: selection.How = "all") -> dd.DataFrame:
        """Keep the conjunctions whose pairs come within a distance [km]; see `aurorax_pandas.within`."""
        return dask_frames.map_rows(self._ddf, selection.within, distance, how)

    def select_sources(
        self,
        *,
        program: str | Sequence[str] | None = None,
        platform: str | Sequence[str] | None = None,
        source_type: str | Sequence[str] | None = None,
        display_name: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        how: selection.How = "any",
    ) -> dd.DataFrame:
        """Keep the conjunctions of some data sources; see `aurorax_pandas.select_sources`."""
        return dask_frames.map_rows(
            self._ddf,
            selection.select_sources,
            program=program,
            platform=platform,
            source_type=source_type,
            display_name=display_name,
            site=site,
            how=how,
        )

    def minutes(self, step: str | pd.Timedelta = "1min") -> dd.Series:
        """Count the minutes in conjunction of each row [min]; see `aurorax_pandas.minutes`."""
        return dask_frames.map_rows(self._ddf, intervals.minutes, step)

    def explode_events(self) -> dd.DataFrame:
        """Give one row per pair event; see `aurorax_pandas.explode_events`."""
        return dask_frames.explode_events(self._ddf)

    def pair_summary(self, by: PairBy = "pair", step: str | pd.Timedelta = "1min") -> dd.DataFrame:
        """Sum up each pair of data sources, shuffled by pair; see `aurorax_pandas.pair_summary`."""
        return dask_frames.pair_summary(self._ddf, by, step)

    def closest(self, n: int = 1, by: str | Sequence[str] | None = None) -> dd.DataFrame:
        """Keep the conjunctions of least distance; see `aurorax_pandas.closest`."""
        return dask_frames.closest(self._ddf, n, by)

    def deduplicate(self, by: Literal["source", "site"] = "source") -> dd.DataFrame:
        """Keep each conjunction once, shuffled by sources; see `aurorax_pandas.deduplicate`."""
        return dask_frames.deduplicate(self._ddf, by)
