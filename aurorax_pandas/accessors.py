"""The `.aurorax` accessor of pandas: one-line delegations to the public functions of the same names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aurorax_pandas import functions

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from pandas.api.typing import DataFrameGroupBy
    from pandas.io.formats.style import Styler

    from aurorax_pandas.frame.events import PairBy
    from aurorax_pandas.plotting import CalendarValues
    from aurorax_pandas.times import Span
    from aurorax_pandas.transforms.compare import CompareOn, Comparison, OverlapOn
    from aurorax_pandas.transforms.selection import How


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
        return functions.timeline(self._df, by, color, ax, sort=sort, markers=markers, by_day=by_day)

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
        return functions.timeline(self._df, by, color, ax, sort=sort, markers=markers, by_day=by_day)

    def distance(self, by: str = "pair", ax: Axes | None = None, *, elevation: float | None = None) -> Axes:
        """Draw distances over time [km]; see `aurorax_pandas.plot_distance`."""
        return functions.plot_distance(self._df, by, ax, elevation=elevation)

    def calendar(
        self,
        by: str = "pair",
        values: CalendarValues = "count",
        availability: pd.DataFrame | None = None,
        ax: Axes | None = None,
        *,
        sort: str = "label",
    ) -> Axes:
        """Draw days against pairs; see `aurorax_pandas.plot_calendar`."""
        return functions.plot_calendar(self._df, by, values, availability, ax, sort=sort)

    def histogram(
        self,
        column: str = "min_distance",
        by: str | None = None,
        bins: int | Sequence[float] | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw how often a number takes which value; see `aurorax_pandas.plot_histogram`."""
        return functions.plot_histogram(self._df, column, by, bins, ax)

    def map(
        self,
        ephemeris: xr.Dataset,
        by: str = "spacecraft",
        ax: Axes | None = None,
        *,
        elevations: Sequence[float] = (10.0, 20.0),
        emission_altitude: float = 110.0,
    ) -> Axes:
        """Draw stations, fields of view and tracks; see `aurorax_pandas.plot_map`."""
        return functions.plot_map(
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
        return functions.get_provenance(self._df.attrs)

    def explode_events(self) -> pd.DataFrame:
        """Give one row per pair event; see `aurorax_pandas.explode_events`."""
        return functions.explode_events(self._df)

    def groupby_pair(self, by: PairBy = "pair") -> DataFrameGroupBy[Any, Any]:
        """Group the events by pair of data sources; see `aurorax_pandas.groupby_pair`."""
        return functions.groupby_pair(self._df, by)

    def pair_summary(self, by: PairBy = "pair", step: Span = "1min") -> pd.DataFrame:
        """Sum up each pair of data sources; see `aurorax_pandas.pair_summary`."""
        return functions.pair_summary(self._df, by, step)

    def closest(self, n: int = 1, by: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Keep the conjunctions of least distance; see `aurorax_pandas.closest`."""
        return functions.closest(self._df, n, by)

    def filter_closest_epoch(
        self,
        start: Any = None,
        end: Any = None,
        near: Any = None,
        tolerance: Span = "5min",
        max_distance: float | None = None,
    ) -> pd.DataFrame:
        """Keep the conjunctions by their closest epoch; see `aurorax_pandas.filter_closest_epoch`."""
        return functions.filter_closest_epoch(self._df, start, end, near, tolerance, max_distance)

    def within(self, distance: float, how: How = "all") -> pd.DataFrame:
        """Keep the conjunctions whose pairs come within a distance [km]; see `aurorax_pandas.within`."""
        return functions.within(self._df, distance, how)

    def select_sources(
        self,
        *,
        program: str | Sequence[str] | None = None,
        platform: str | Sequence[str] | None = None,
        source_type: str | Sequence[str] | None = None,
        display_name: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        how: How = "any",
    ) -> pd.DataFrame:
        """Keep the conjunctions of some data sources; see `aurorax_pandas.select_sources`."""
        return functions.select_sources(
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
        return functions.deduplicate(self._df, by)

    def minutes(self, step: Span = "1min") -> pd.Series[float]:
        """Count the minutes in conjunction of each row [min]; see `aurorax_pandas.minutes`."""
        return functions.minutes(self._df, step)

    def to_xarray(self) -> xr.Dataset:
        """Give the frame as a Dataset; see `aurorax_pandas.to_xarray`."""
        return functions.to_xarray(self._df)

    def to_parquet(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write Parquet that any reader opens; see `aurorax_pandas.to_parquet`."""
        functions.to_parquet(self._df, path, overwrite=overwrite)

    def to_csv(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write CSV, one row per event; see `aurorax_pandas.to_csv`."""
        functions.to_csv(self._df, path, overwrite=overwrite)

    def to_json(self, path: str | os.PathLike[str], *, api: bool = False, overwrite: bool = False) -> None:
        """Write JSON, the service's records; see `aurorax_pandas.to_json`."""
        functions.to_json(self._df, path, api=api, overwrite=overwrite)

    def to_netcdf(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write NetCDF by the CF conventions; see `aurorax_pandas.to_netcdf`."""
        functions.to_netcdf(self._df, path, overwrite=overwrite)

    def validate(self) -> pd.DataFrame:
        """Check the frame against its schema and give it back; see `aurorax_pandas.validate`."""
        return functions.validate(self._df)

    def ephemeris(self, pad: Span = "2min") -> xr.Dataset:
        """Read where the sources were around the rows; see `aurorax_pandas.read_ephemeris_of`."""
        return functions.read_ephemeris_of(self._df, pad)

    def passes(
        self,
        gap: Span = "10min",
        formation: Mapping[str, Sequence[str]] | None = None,
        ephemeris: xr.Dataset | None = None,
        step: Span = "1min",
    ) -> pd.DataFrame:
        """Put the conjunctions of one crossing together; see `aurorax_pandas.passes`."""
        return functions.passes(self._df, gap, formation, ephemeris, step)

    def revisits(self, by: str = "pair", step: Span = "1min") -> pd.DataFrame:
        """Give how long it takes until the next conjunction; see `aurorax_pandas.revisits`."""
        return functions.revisits(self._df, by, step)

    def daily_counts(
        self,
        by: str | None = None,
        freq: Span = "1D",
        availability: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Count conjunctions by day; see `aurorax_pandas.daily_counts`."""
        return functions.daily_counts(self._df, by, freq, availability)

    def closest_approach(self, ephemeris: xr.Dataset, emission_altitude: float = 110.0) -> pd.DataFrame:
        """Add the closest approach between epochs; see `aurorax_pandas.closest_approach`."""
        return functions.closest_approach(self._df, ephemeris, emission_altitude)

    def overflights(self, ephemeris: xr.Dataset | None = None) -> pd.DataFrame:
        """Keep what is no conjugate conjunction; see `aurorax_pandas.overflights`."""
        return functions.overflights(self._df, ephemeris)

    def image_windows(
        self,
        ephemeris: xr.Dataset | None = None,
        pad: Span = "2min",
        emission_altitude: float = 110.0,
    ) -> pd.DataFrame:
        """Give what tools for images ask for; see `aurorax_pandas.image_windows`."""
        return functions.image_windows(self._df, ephemeris, pad, emission_altitude)

    def overlaps(self, other: pd.DataFrame, on: OverlapOn = "space", tolerance: Span = "0min") -> pd.DataFrame:
        """Find which conjunctions coincide with another frame's; see `aurorax_pandas.overlaps`."""
        return functions.overlaps(self._df, other, on, tolerance)

    def compare(self, other: pd.DataFrame, on: CompareOn | None = None) -> Comparison:
        """Tell what a second read gained, lost and changed; see `aurorax_pandas.compare`."""
        return functions.compare(self._df, other, on)

    def at_window_edge(self, start: Any = None, end: Any = None, step: Span = "1min") -> pd.Series[bool]:
        """Tell which conjunctions the window may have cut; see `aurorax_pandas.at_window_edge`."""
        return functions.at_window_edge(self._df, start, end, step)

    def style(self) -> Styler:
        """Give a pair summary as a table for notebooks; see `aurorax_pandas.style_pair_summary`."""
        return functions.style_pair_summary(self._df)

    def swarmaurora_url(self) -> str:
        """Give the address that shows the search on Swarm-Aurora; see `aurorax_pandas.swarmaurora_url`."""
        return functions.swarmaurora_url(self._df)
