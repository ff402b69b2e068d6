"""The accessors `.aurorax` of pandas, xarray and Dask: each method is the public function of its name."""

from __future__ import annotations

import html
import importlib
import inspect
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

import pandas as pd

from aurorax_pandas.analysis import dask
from aurorax_pandas.analysis.approach import closest_approach
from aurorax_pandas.analysis.compare import at_window_edge, compare, overlaps
from aurorax_pandas.analysis.counts import daily_counts, minutes
from aurorax_pandas.analysis.images import image_windows, tracks
from aurorax_pandas.analysis.in_situ import spacecraft_windows
from aurorax_pandas.analysis.join import join_series
from aurorax_pandas.analysis.magnetic import magnetic
from aurorax_pandas.analysis.observable import observable
from aurorax_pandas.analysis.overflights import overflights
from aurorax_pandas.analysis.pairs import groupby_pair, pair_summary
from aurorax_pandas.analysis.passes import passes, revisits
from aurorax_pandas.analysis.report import report, style
from aurorax_pandas.analysis.selection import closest, deduplicate, filter_closest_epoch, select_sources, within
from aurorax_pandas.analysis.sky import sky
from aurorax_pandas.checks import names_with_words, nearest_name
from aurorax_pandas.engine.find import find_conjunctions
from aurorax_pandas.engine.refine import refine
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.arrow import to_arrow
from aurorax_pandas.frame.citation import Citation, citation
from aurorax_pandas.frame.events import explode_events
from aurorax_pandas.frame.model import MARKS
from aurorax_pandas.frame.provenance import get_provenance, swarmaurora_url
from aurorax_pandas.frame.validation import validate
from aurorax_pandas.interactive.explore import explore
from aurorax_pandas.io import to_csv, to_json, to_netcdf, to_parquet
from aurorax_pandas.io.together import along_conjunction, keep_together
from aurorax_pandas.io.xarray import to_dataframe, to_xarray
from aurorax_pandas.plotting.approach import plot_approach
from aurorax_pandas.plotting.calendar import plot_calendar
from aurorax_pandas.plotting.dial import plot_dial
from aurorax_pandas.plotting.distance import plot_distance
from aurorax_pandas.plotting.histogram import plot_histogram
from aurorax_pandas.plotting.kinds import plot
from aurorax_pandas.plotting.map import plot_map
from aurorax_pandas.plotting.rate import plot_rate
from aurorax_pandas.plotting.timeline import timeline
from aurorax_pandas.service.data_products_of import read_data_products_of
from aurorax_pandas.service.ephemeris_of import read_ephemeris_of
from aurorax_pandas.signatures import as_method

if TYPE_CHECKING:
    import dask.dataframe as dd
    import xarray as xr


P = ParamSpec("P")
R = TypeVar("R")


def verb(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return the method that calls a function with what the accessor holds."""
    return as_method(function, lambda held, *args, **kwargs: function(held, *args, **kwargs))


def dataset_verb(function: Callable[Concatenate[Any, P], pd.DataFrame]) -> Callable[Concatenate[Any, P], xr.Dataset]:
    """Return the method that calls a function with the frame in a Dataset and makes a Dataset of its result."""
    return as_method(function, lambda held, *args, **kwargs: keep_together(held, function, *args, **kwargs))


def frame_verb(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return the method that calls a function with the frame in a Dataset."""
    return as_method(function, lambda held, *args, **kwargs: function(to_dataframe(held), *args, **kwargs))


def two_frames_verb(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return the method that calls a function with the frames in two Datasets, or in one and another frame."""

    def call(held: Any, other: Any, *args: Any, **kwargs: Any) -> R:
        frame = other if isinstance(other, pd.DataFrame) else to_dataframe(other)
        return cast("Callable[..., R]", function)(to_dataframe(held), frame, *args, **kwargs)

    return as_method(function, call)


def dask_verb(function: Callable[Concatenate[Any, P], pd.DataFrame]) -> Callable[Concatenate[Any, P], dd.DataFrame]:
    """Return the method that calls a function with each partition of a Dask frame."""
    return as_method(function, lambda held, *args, **kwargs: dask.map_rows(held, function, *args, **kwargs))


class _Described:
    """What shows itself in a console and in a notebook: what it holds, and what it can do."""

    __slots__ = ("_obj",)
    _obj: pd.DataFrame
    _words: ClassVar[str]

    def _verbs(self) -> dict[str, str]:
        """Return the first line of the docstring of each public name."""
        names = [name for name in dir(type(self)) if not name.startswith("_")]
        found = {name: inspect.getdoc(getattr(type(self), name)) or "" for name in names}
        return {name: doc.strip().split("\n")[0] for name, doc in found.items()}

    def _held(self) -> str:
        return f"{len(self._obj)} rows"

    def __repr__(self) -> str:
        lines = textwrap.wrap(", ".join(self._verbs()), 96, initial_indent="  ", subsequent_indent="  ")
        return "\n".join([f"<{self._words} of {self._held()}>", *lines])

    if not TYPE_CHECKING:
        # type checkers are to know the verbs that there are, and no others

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"{self._words} has no {name!r}; {self._meant_by(name)}")

    def _meant_by(self, name: str) -> str:
        """Return what a name may mean, a column, verbs, pictures or functions, or else how verbs are listed."""
        if name in self._obj.columns:
            return f"the column is df[{name!r}]"
        words = {each: each for each in self._verbs()}
        if "plot" in words:
            words |= {f"plot.{each}": each for each in dir(AuroraxPlotAccessor) if not each.startswith("_")}
        meant = [each for each, word in words.items() if name in (*word.split("_"), word[: len(name)])]
        if not meant and (functions := names_with_words(name, importlib.import_module("aurorax_pandas").__all__)):
            return f"did you mean {' or '.join(f'aurorax_pandas.{each}' for each in functions)}?"
        near = nearest_name(name, words.values())
        meant = [each for each, word in words.items() if word == near or each in meant]
        if not meant and callable(getattr(pd.DataFrame, name, None)):
            return f"pandas has it: df.{name}"
        return f"did you mean {' or '.join(meant)}?" if meant else f"df{self._words} alone lists what it has"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'><code>.{name}</code></td><td style='text-align:left'>{html.escape(doc)}</td></tr>"
            for name, doc in self._verbs().items()
        )
        return f"<table><caption>{html.escape(f'{self._words} of {self._held()}')}</caption>{rows}</table>"


class AuroraxPlotAccessor(_Described):
    """
    Pictures of a frame of conjunctions: ``df.aurorax.plot``; called itself it draws the one of ``kind=``, the timeline.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions or events.
    """

    __slots__ = ()
    _words = ".aurorax.plot"

    def __init__(self, df: pd.DataFrame) -> None:
        self._obj = df

    __call__ = verb(plot)
    approach = verb(plot_approach)
    calendar = verb(plot_calendar)
    dial = verb(plot_dial)
    distance = verb(plot_distance)
    histogram = verb(plot_histogram)
    map = verb(plot_map)
    rate = verb(plot_rate)
    timeline = verb(timeline)


class AuroraxDataFrameAccessor(_Described):
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

    __slots__ = ()
    _words = ".aurorax"

    def __init__(self, df: pd.DataFrame) -> None:
        if MARKS.isdisjoint(df.columns):
            raise AttributeError(
                "'.aurorax' needs a frame of conjunctions, events or pair summaries: none of the columns "
                "min_distance, data_sources, events is there"
            )
        self._obj = df

    @property
    def plot(self) -> AuroraxPlotAccessor:
        """Pictures; ``plot()`` is ``plot.timeline()``."""
        return AuroraxPlotAccessor(self._obj)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the frame came from; empty where that is lost. See `aurorax_pandas.get_provenance`."""
        return get_provenance(self._obj.attrs)

    at_window_edge = verb(at_window_edge)
    citation = verb(citation)
    closest = verb(closest)
    closest_approach = verb(closest_approach)
    compare = verb(compare)
    daily_counts = verb(daily_counts)
    data_products = verb(read_data_products_of)
    deduplicate = verb(deduplicate)
    ephemeris = verb(read_ephemeris_of)
    explode_events = verb(explode_events)
    explore = verb(explore)
    filter_closest_epoch = verb(filter_closest_epoch)
    groupby_pair = verb(groupby_pair)
    image_windows = verb(image_windows)
    join_series = verb(join_series)
    magnetic = verb(magnetic)
    minutes = verb(minutes)
    observable = verb(observable)
    overflights = verb(overflights)
    overlaps = verb(overlaps)
    pair_summary = verb(pair_summary)
    passes = verb(passes)
    refine = verb(refine)
    report = verb(report)
    revisits = verb(revisits)
    select_sources = verb(select_sources)
    sky = verb(sky)
    spacecraft_windows = verb(spacecraft_windows)
    style = verb(style)
    swarmaurora_url = verb(swarmaurora_url)
    to_arrow = verb(to_arrow)
    to_csv = verb(to_csv)
    to_json = verb(to_json)
    to_netcdf = verb(to_netcdf)
    to_parquet = verb(to_parquet)
    to_xarray = verb(to_xarray)
    tracks = verb(tracks)
    validate = verb(validate)
    within = verb(within)


class AuroraxDatasetAccessor:
    """
    What an xarray Dataset can do: ``ds.aurorax``.

    Parameters
    ----------
    ds : xarray.Dataset
        An ephemeris, or a Dataset of `to_xarray`.
    """

    __slots__ = ("_obj",)

    def __init__(self, ds: xr.Dataset) -> None:
        # xarray turns an AttributeError here into another error, so every method checks for itself
        self._obj = ds

    @property
    def plot(self) -> AuroraxPlotAccessor:
        """Pictures; ``plot()`` is ``plot.timeline()``."""
        if "epoch" in self._obj.dims:
            raise AuroraxInputError(
                "an ephemeris is drawn with its conjunctions: df.aurorax.plot.map(ephemeris), plot.approach(ephemeris)"
            )
        return AuroraxPlotAccessor(self.to_dataframe())

    def validate(self) -> xr.Dataset:
        """Check the frame in the Dataset against its schema and return the Dataset; see `aurorax_pandas.validate`."""
        validate(self.to_dataframe())
        return self._obj

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the frame came from; empty where that is lost. See `aurorax_pandas.get_provenance`."""
        return get_provenance(self.to_dataframe().attrs)

    def citation(self) -> Citation:
        """Return whom to acknowledge for an ephemeris, or for the frame in the Dataset; see `aurorax_pandas.citation`."""
        return citation(self._obj)

    along_conjunction = verb(along_conjunction)
    at_window_edge = frame_verb(at_window_edge)
    closest = dataset_verb(closest)
    closest_approach = dataset_verb(closest_approach)
    compare = two_frames_verb(compare)
    daily_counts = frame_verb(daily_counts)
    data_products = frame_verb(read_data_products_of)
    deduplicate = dataset_verb(deduplicate)
    ephemeris = frame_verb(read_ephemeris_of)
    explode_events = dataset_verb(explode_events)
    explore = frame_verb(explore)
    filter_closest_epoch = dataset_verb(filter_closest_epoch)
    find_conjunctions = verb(find_conjunctions)
    groupby_pair = frame_verb(groupby_pair)
    image_windows = frame_verb(image_windows)
    join_series = dataset_verb(join_series)
    magnetic = dataset_verb(magnetic)
    minutes = frame_verb(minutes)
    observable = dataset_verb(observable)
    overflights = dataset_verb(overflights)
    overlaps = two_frames_verb(overlaps)
    pair_summary = dataset_verb(pair_summary)
    passes = frame_verb(passes)
    refine = dataset_verb(refine)
    report = frame_verb(report)
    revisits = frame_verb(revisits)
    select_sources = dataset_verb(select_sources)
    sky = dataset_verb(sky)
    spacecraft_windows = frame_verb(spacecraft_windows)
    style = frame_verb(style)
    swarmaurora_url = frame_verb(swarmaurora_url)
    to_arrow = frame_verb(to_arrow)
    to_csv = frame_verb(to_csv)
    to_dataframe = verb(to_dataframe)
    to_json = frame_verb(to_json)
    to_netcdf = frame_verb(to_netcdf)
    to_parquet = frame_verb(to_parquet)
    tracks = frame_verb(tracks)
    within = dataset_verb(within)


class AuroraxDaskAccessor:
    """
    What a Dask frame of conjunctions or events can do, lazily: ``ddf.aurorax``.

    Parameters
    ----------
    ddf : dask.dataframe.DataFrame
        The frame.
    """

    __slots__ = ("_obj",)

    def __init__(self, ddf: dd.DataFrame) -> None:
        self._obj = ddf

    closest = verb(dask.closest)
    concat = verb(dask.concat)
    deduplicate = verb(dask.deduplicate)
    explode_events = verb(dask.explode_events)
    filter_closest_epoch = dask_verb(filter_closest_epoch)
    groupby_pair = verb(dask.groupby_pair)
    join_series = dask_verb(join_series)
    minutes = verb(dask.minutes)
    pair_summary = verb(dask.pair_summary)
    select_sources = verb(dask.select_sources)
    stitch = verb(dask.stitch)
    within = dask_verb(within)
