"""The `.aurorax` accessors: one-line delegations to the public functions of the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aurorax_pandas import criteria, dataset, links, local, plotting, provenance
from aurorax_pandas.transforms import events, intervals, pairs, selection
from aurorax_pandas.transforms.events import PairBy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from pandas.api.typing import DataFrameGroupBy


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

    def __call__(self, by: str = "pair", color: str | None = "min_distance", ax: Axes | None = None) -> Axes:
        """Draw the timeline; see `aurorax_pandas.timeline`."""
        return plotting.timeline(self._df, by, color, ax)

    def timeline(self, by: str = "pair", color: str | None = "min_distance", ax: Axes | None = None) -> Axes:
        """Draw when each pair was in conjunction; see `aurorax_pandas.timeline`."""
        return plotting.timeline(self._df, by, color, ax)


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
        """Give the conjunctions as a Dataset; see `aurorax_pandas.to_xarray`."""
        return dataset.to_xarray(self._df)

    def validate(self) -> pd.DataFrame:
        """Check the frame against its schema and give it back; see `aurorax_pandas.validate`."""
        from aurorax_pandas import schemas

        return schemas.validate(self._df)

    def swarmaurora_url(self) -> str:
        """Give the address that shows the search on Swarm-Aurora; see `aurorax_pandas.swarmaurora_url`."""
        return links.swarmaurora_url(self._df)


class AuroraxDatasetAccessor:
    """
    What an xarray Dataset can do: ``ds.aurorax``.

    Parameters
    ----------
    ds : xarray.Dataset
        An ephemeris.
    """

    __slots__ = ("_ds",)

    def __init__(self, ds: xr.Dataset) -> None:
        # xarray turns an AttributeError here into another error, so every method checks for itself
        self._ds = ds

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
