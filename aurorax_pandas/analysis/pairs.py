"""Events grouped and summed up by pair of data sources."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from aurorax_pandas.analysis.tables import styled_table
from aurorax_pandas.checks import choice, flag
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import (
    SIDE_COLUMNS,
    PairBy,
    as_events,
    first_in_label,
    label_events,
    require,
)
from aurorax_pandas.frame.intervals import (
    Grouped,
    closest_positions,
    covered_minutes,
    group_rows,
    overlap_clusters,
    refuse_broken_spans,
)
from aurorax_pandas.frame.provenance import step_of
from aurorax_pandas.sources import CONJUNCTION_TYPES
from aurorax_pandas.times import Span

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_SUMMED: Final = ("start", "end", "min_distance", "closest_epoch")

_FORMATS: Final[dict[str, str]] = {
    "minutes": "{:.0f}",
    "min_distance": "{:.1f}",
    "median_distance": "{:.1f}",
    **dict.fromkeys(("closest_epoch", "first_start", "last_end"), "{:%Y-%m-%d %H:%M}"),
}


def pair_events(df: pd.DataFrame, by: PairBy = "pair", verb: str = "groupby_pair") -> pd.DataFrame:
    """
    Return the events with the pair label to group by.

    With ``by="site"`` the label names the site of a ground source, and of events that several cameras of one
    site saw at one time the closest stays.
    """
    choice("by", by, ("pair", "site"))
    events = as_events(df, verb, "pair", *(("conjunction_type", *_SUMMED, *SIDE_COLUMNS) if by == "site" else ()))
    if by == "pair":
        return events
    refuse_broken_spans(events, verb)
    return _closest_at_site(events.assign(pair=label_events(events, "site")))


def _closest_at_site(events: pd.DataFrame) -> pd.DataFrame:
    """Keep the closest of the events that cameras of one site saw at overlapping times."""
    types = model.category_codes(events["conjunction_type"], model.CONJUNCTION_TYPE)
    codes = events["pair"].cat.codes.to_numpy().astype(np.int64) * len(CONJUNCTION_TYPES) + types
    clusters = overlap_clusters(codes, events["start"].to_numpy(), events["end"].to_numpy())
    return events.iloc[np.sort(closest_positions(events, clusters))]


def groupby_pair(df: pd.DataFrame, by: PairBy = "pair") -> DataFrameGroupBy[Any, Any]:
    """
    Group the events by pair of data sources, whichever comes first in an event.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : {"pair", "site"}, default "pair"
        With ``"site"`` cameras that share a site count as one: labels name the site (``"GILL & Swarm A"``), and of
        events that they saw at overlapping times the closest stays.

    Returns
    -------
    pandas.api.typing.DataFrameGroupBy
        An ordinary pandas grouping of the events; its keys are the pairs at hand.

    Raises
    ------
    AuroraxInputError
        If `by` is neither, the frame has no events, or by site one has no start or no end.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> float(df.aurorax.groupby_pair()["min_distance"].min()["THEMIS-ASI GILL & Swarm C"])
    53.391843
    """
    events = pair_events(df, by)
    # by its values, for a level of the index may have that name too
    return events.groupby(events["pair"], observed=True, sort=True)


@typed
def pair_summary(
    df: pd.DataFrame, by: PairBy = "pair", step: Span | None = None, *, sources: bool = False
) -> pd.DataFrame:
    """
    Sum up each pair of data sources.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : {"pair", "site"}, default "pair"
        Whether cameras that share a site count as one; see `groupby_pair`.
    step : str or pandas.Timedelta, optional
        Distance between epochs; by default that of the ephemeris in which the conjunctions were found, as the frame's
        provenance has it, else that of its query (a minute, or 30 s); 0 where spans begin and end between epochs.
    sources : bool, default False
        Whether to add who the pair is.

    Returns
    -------
    pandas.DataFrame
        One row per pair, indexed by its label ``pair``, in alphabetical order: ``count`` of events, ``minutes`` in
        conjunction [min] (the union of the spans, of all cameras of a site), ``min_distance`` [km],
        ``median_distance`` (of the events' ``min_distance``) [km], ``closest_epoch`` (of the closest event; ties by start), ``first_start``,
        ``last_end``. With `sources` also ``e1_identifier`` … ``e1_display_name`` and ``e2_…``, in the order of the label;
        what the cameras of one site do not share is missing.

    Raises
    ------
    AuroraxInputError
        If `by` is neither, `step` is no span of time, the frame lacks a column of events, or one has no start or no end.

    Examples
    --------
    >>> import aurorax_pandas
    >>> summary = aurorax_pandas.load_sample_conjunctions().aurorax.pair_summary()
    >>> summary.loc["THEMIS-ASI GILL & Swarm C", ["count", "minutes", "min_distance"]].tolist()
    [2.0, 5.0, 53.391843]
    """
    choice("by", by, ("pair", "site"))
    with_sources = flag("sources", sources)
    events = as_events(df, "pair_summary", "pair", *_SUMMED)
    refuse_broken_spans(events, "pair_summary")
    if by == "pair":
        kept = spans = _by_pair(events)
    else:
        # of what several cameras of a site saw at one time one event counts, but all the time that any saw it
        kept, spans = _by_pair(pair_events(events, by)), _by_pair(events.assign(pair=label_events(events, "site")))
    columns = {
        "count": np.diff(kept.grouped.bounds), **_sum_up_times(spans, step_of(df, step)), **_sum_up_distances(kept),
    }  # fmt: skip
    typed_columns = {
        name: columns[name].astype(dtype, copy=False) for name, dtype in model.PAIR_SUMMARY_COLUMNS.items()
    }
    summary = pd.DataFrame(typed_columns, pd.Index(kept.labels, dtype="str", name="pair"))
    if with_sources:
        summary = summary.assign(**_sources_of_pairs(events, by, summary.index))
    summary.attrs = copy.deepcopy(df.attrs)
    return summary


def _sources_of_pairs(events: pd.DataFrame, by: PairBy, pairs: pd.Index[Any]) -> dict[str, Any]:
    """Return the fields of both sources of each pair, in the order of its label; missing where its events differ."""
    events = require(events, "pair_summary", *SIDE_COLUMNS)
    events = events.assign(pair=label_events(events, by))
    fields = {name: model.pandas_to_arrow(events[name], model.EVENT_FIELDS[name]) for name in SIDE_COLUMNS}
    first = first_in_label(fields, by)
    codes = pairs.get_indexer(pd.Index(events["pair"].astype("str")))
    made: dict[str, Any] = {}
    for side, other in (("e1", "e2"), ("e2", "e1")):
        for name in model.SOURCE_FIELDS:
            values = events[f"{side}_{name}"].where(first, events[f"{other}_{name}"])
            grouped = values.groupby(codes)
            same = grouped.nunique(dropna=False) == 1
            made[f"{side}_{name}"] = grouped.first().where(same).reindex(range(len(pairs))).array
    return made


class _Pairs(NamedTuple):
    """Events by pair: the labels in alphabetical order, the order of the events, their columns."""

    labels: pd.Index[Any]
    grouped: Grouped
    column: dict[str, npt.NDArray[Any]]


def _by_pair(events: pd.DataFrame) -> _Pairs:
    pair = events["pair"].cat
    if not pair.categories.is_monotonic_increasing:
        pair = pair.reorder_categories(pair.categories.sort_values()).cat
    codes = pair.codes.to_numpy()
    column = {name: events[name].to_numpy() for name in _SUMMED}
    # as in a grouping of pandas, events without a label are in no pair
    if (unlabelled := codes < 0).any():
        codes, column = codes[~unlabelled], {name: values[~unlabelled] for name, values in column.items()}
    grouped = group_rows(codes, column["start"])
    return _Pairs(pair.categories[codes[grouped.order[grouped.bounds[:-1]]]], grouped, column)


def _sum_up_times(pairs: _Pairs, step: pd.Timedelta) -> dict[str, npt.NDArray[Any]]:
    minutes, last = covered_minutes(pairs.grouped, pairs.column["end"], step)
    return {"minutes": minutes, "first_start": pairs.grouped.start[pairs.grouped.bounds[:-1]], "last_end": last}


def _sum_up_distances(pairs: _Pairs) -> dict[str, npt.NDArray[Any]]:
    order, groups = pairs.grouped.order, pairs.grouped.groups
    closest = np.empty(len(groups), np.int64)
    middle = np.empty((2, len(groups)))
    for number, rows in enumerate(groups):
        distance = pairs.column["min_distance"].take(order[rows])
        # in group order the first of the closest events is the earliest
        nearest = int(distance.argmin())
        if np.isnan(distance[nearest]) and not np.isnan(distance).all():
            # a distance that is not known is no least one
            nearest, distance = int(np.nanargmin(distance)), distance[~np.isnan(distance)]
        closest[number] = order[rows.start + nearest]
        half = len(distance) // 2
        distance.partition(half)
        # of an even number the largest of the lower half is a middle too
        middle[:, number] = distance[half] if len(distance) % 2 else distance[:half].max(), distance[half]
    return {
        "min_distance": pairs.column["min_distance"][closest],
        # halves first, for the sum of two may be beyond all floats
        "median_distance": (middle / 2).sum(axis=0),
        "closest_epoch": pairs.column["closest_epoch"][closest],
    }


def style_pair_summary(summary: pd.DataFrame) -> Styler:
    """
    Return a pair summary as a compact table for a notebook: rounded, with units, bars in the distances.

    Parameters
    ----------
    summary : pandas.DataFrame
        The frame of `pair_summary`; columns of your own are shown as they are.

    Returns
    -------
    pandas.io.formats.style.Styler
        The table, which a notebook shows; ``to_html()`` gives its text, ``to_latex()`` that of a plain table for LaTeX.

    Raises
    ------
    AuroraxInputError
        If the frame is no pair summary.
    AuroraxMissingExtraError
        If jinja2, which the Styler stands on, is not installed.

    Examples
    --------
    >>> import aurorax_pandas
    >>> table = aurorax_pandas.load_sample_conjunctions().aurorax.pair_summary().aurorax.style()
    >>> "min_distance [km]" in table.to_html()
    True
    """
    missing = [name for name in model.PAIR_SUMMARY_COLUMNS if name not in summary.columns]
    if missing:
        raise AuroraxInputError(f"summary: the column {missing[0]!r} is missing; give the frame of pair_summary")
    times = dict.fromkeys(("closest_epoch", "first_start", "last_end"), "UTC")
    return styled_table(summary, _FORMATS, {**model.UNITS, **times}, index=True, bars="min_distance")
