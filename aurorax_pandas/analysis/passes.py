"""Passes of one spacecraft over several stations, how often they come again, and how many there are a day."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.analysis.approach import rows_of_events, sources_of_sides
from aurorax_pandas.analysis.labels import labelled_events, spacecraft_sides
from aurorax_pandas.checks import as_list, shown, suggestion
from aurorax_pandas.ephemeris.coverage import check_instants, telling_of_hemispheres, warn_of_unknown_types
from aurorax_pandas.ephemeris.tracks import TRACKED, Tracks
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import as_events, of_one_side
from aurorax_pandas.frame.intervals import (
    closest_positions,
    group_bounds,
    overlap_clusters,
    refuse_broken_spans,
    union_minutes,
)
from aurorax_pandas.frame.provenance import step_of
from aurorax_pandas.sources import CONJUNCTION_TYPES, HEMISPHERE, bundled_sources
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    import xarray as xr


@telling_of_hemispheres
def passes(
    df: pd.DataFrame,
    gap: Span = "10min",
    formation: Mapping[str, Sequence[str]] | None = None,
    ephemeris: xr.Dataset | None = None,
    step: Span | None = None,
) -> pd.DataFrame:
    """
    Put the conjunctions of one crossing of a spacecraft together, over however many stations.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Pairs without a spacecraft, and pairs of two, are left out.
    gap : str or pandas.Timedelta, default "10min"
        Longest time between the end of one conjunction and the start of the next in a pass.
    formation : mapping of str to sequence of str, optional
        Spacecraft that fly together and make one pass: ``{"Swarm A+C": ["Swarm A", "Swarm C"]}``.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were, to tell their hemisphere; a column ``spacecraft_hemisphere`` of the frame, as
        `closest_approach` adds it, is used without one.
    step : str or pandas.Timedelta, optional
        Distance between epochs; by default that of the ephemeris in which the conjunctions were found, as the frame's
        provenance has it, else that of its query (a minute, or 30 s); 0 where spans begin and end between epochs.

    Returns
    -------
    pandas.DataFrame
        One row per pass, by start: ``spacecraft`` (or the name of the formation), ``conjunction_type``,
        ``hemisphere`` of the spacecraft (missing where unknown), ``start``, ``end`` (UTC), ``minutes`` in conjunction
        with any station [min] (the union, both ends in range), ``stations`` (nested: ``station``, ``closest_epoch``,
        ``min_distance`` [km], in the order of these epochs, or of the starts where there is none),
        ``closest_station``, ``closest_epoch``, ``min_distance`` [km], ``count`` of events and ``parents`` (a list of
        row positions in `df`). A pass is of one spacecraft, one type and one hemisphere. For a high orbit the same
        thing is a dwell: it can last for hours.

    Raises
    ------
    AuroraxInputError
        If `gap` or `step` is no span of time, a spacecraft of `formation` is not known or is in two formations, the
        frame lacks a column of events, or an event has no start or no end.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> found = df.aurorax.passes()
    >>> len(found), found.loc[0, "stations"]["station"].str[-4:].tolist()
    (22, ['TALO', 'RANK', 'GILL', 'TPAS', 'PINA'])
    """
    longest = span("gap", gap, zero=True)
    events = as_events(df, "passes", "conjunction_type", "start", "end", "min_distance", "closest_epoch")
    refuse_broken_spans(events, "passes")
    delta = step_of(df, step)
    parents = rows_of_events(df, events)
    warn_of_unknown_types("passes", sources_of_sides(events))
    first, second = spacecraft_sides(events)
    one = first != second
    rows, on_first = np.flatnonzero(one), first[one]
    chosen = events.iloc[rows]
    craft, station = (
        pd.DataFrame({name: of_one_side(chosen, side, name) for name in TRACKED}).reset_index(drop=True)
        for side in (on_first, ~on_first)
    )
    hemisphere = _hemispheres_of_events(df, chosen, craft, parents[rows], ephemeris)
    spacecraft = _formations(craft["display_name"].astype("str"), formation)
    types = model.category_codes(chosen["conjunction_type"], model.CONJUNCTION_TYPE)
    start, end = chosen["start"].to_numpy(), chosen["end"].to_numpy()
    # sources without a name are one more, for a number below 0 would fall among those of others
    codes = pd.factorize(spacecraft, use_na_sentinel=False)[0]
    group = (codes * len(CONJUNCTION_TYPES) + types) * 3 + hemisphere + 1
    found = pd.DataFrame(
        {
            "pass": overlap_clusters(group, start, end, longest.to_timedelta64()),
            "spacecraft": spacecraft.to_numpy(),
            "type": types,
            "hemisphere": hemisphere,
            "station": station["display_name"].astype("str").to_numpy(),
            "start": start,
            "end": end,
            "min_distance": chosen["min_distance"].to_numpy(),
            "closest_epoch": chosen["closest_epoch"].to_numpy(),
            "parent": parents[rows],
        }
    )
    summed = _sum_up(found, delta)
    summed.attrs = copy.deepcopy(df.attrs)
    return summed


def _hemispheres_of_events(
    df: pd.DataFrame,
    events: pd.DataFrame,
    craft: pd.DataFrame,
    parents: npt.NDArray[np.int64],
    ephemeris: xr.Dataset | None,
) -> npt.NDArray[np.int8]:
    if ephemeris is not None:
        times = events["closest_epoch"].fillna(events["start"]).to_numpy()
        codes = Tracks(ephemeris, craft).hemispheres(np.arange(len(craft)), times)
        check_instants("passes", craft, parents, times, ephemeris, codes)
        return codes
    if "spacecraft_hemisphere" in df.columns:
        known = model.category_codes(df["spacecraft_hemisphere"], HEMISPHERE)
        return known[parents].astype(np.int8)
    return np.full(len(events), -1, np.int8)


def _formations(spacecraft: pd.Series[str], formation: Mapping[str, Sequence[str]] | None) -> pd.Series[str]:
    if formation is None:
        return spacecraft
    if not isinstance(formation, Mapping):
        raise AuroraxInputError(
            f'formation={shown(formation)} is no dict; give one such as {{"A+C": ["Swarm A", "Swarm C"]}}'
        )
    names: dict[str, str] = {}
    known = {*spacecraft, *bundled_sources()["display_name"]}
    for name, members in formation.items():
        for member in as_list(members):
            if not isinstance(member, str) or member not in known:
                raise AuroraxInputError(
                    f"formation: no spacecraft {shown(member)}; {suggestion(member, sorted(known))}"
                )
            if names.setdefault(member, name) != name:
                raise AuroraxInputError(
                    f"formation: {member!r} is in {names[member]!r} and in {name!r}; keep it in one"
                )
    return spacecraft.replace(names)


def _sum_up(found: pd.DataFrame, step: pd.Timedelta) -> pd.DataFrame:
    grouped = found.groupby("pass", sort=True)
    closest = found.iloc[closest_positions(found, found["pass"].to_numpy())].reset_index(drop=True)
    minutes = union_minutes(found["pass"].to_numpy(), found["start"].to_numpy(), found["end"].to_numpy(), step)
    columns: dict[str, Any] = {
        "spacecraft": closest["spacecraft"],
        "conjunction_type": pd.Categorical.from_codes(closest["type"].to_numpy(), dtype=model.CONJUNCTION_TYPE),
        "hemisphere": pd.Categorical.from_codes(closest["hemisphere"].to_numpy(), dtype=HEMISPHERE),
        "start": grouped["start"].min().to_numpy(),
        "end": grouped["end"].max().to_numpy(),
        "minutes": minutes.to_numpy(),
        "stations": _stations(found, len(closest)),
        "closest_station": closest["station"],
        "closest_epoch": closest["closest_epoch"],
        "min_distance": closest["min_distance"],
        "count": grouped.size().to_numpy(),
    }
    made = pd.DataFrame(columns)
    made["parents"] = pd.Series(_parents(found["pass"].to_numpy(), found["parent"].to_numpy()), dtype=object)
    made = made.astype({name: dtype for name, dtype in model.PASS_COLUMNS.items() if name != "stations"})
    return made.sort_values(["start", "spacecraft", "conjunction_type", "end"], kind="stable", ignore_index=True)


def _parents(number: npt.NDArray[np.int64], parent: npt.NDArray[np.int64]) -> list[list[int]]:
    """Return the distinct rows of each pass, in order."""
    order = np.lexsort((parent, number))
    number, parent = number[order], parent[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(number) != 0) | (np.diff(parent) != 0)
    rows, bounds = parent[fresh].tolist(), group_bounds(number[fresh]).tolist()
    return [rows[begin:end] for begin, end in itertools.pairwise(bounds)]


def _stations(found: pd.DataFrame, count: int) -> Any:
    codes = pd.factorize(found["station"], use_na_sentinel=False)[0]
    kept = found.iloc[closest_positions(found, found["pass"].to_numpy() * (codes.max(initial=0) + 1) + codes)]
    when = kept["closest_epoch"].fillna(kept["start"]).to_numpy()
    kept = kept.iloc[np.lexsort((kept["min_distance"].to_numpy(), when, kept["pass"].to_numpy()))]
    fields = {
        name: pa.array(kept[name] if name == "station" else kept[name].to_numpy(), kind)
        for name, kind in model.STATION_FIELDS.items()
    }
    offsets = np.r_[0, np.cumsum(np.bincount(kept["pass"].to_numpy(), minlength=count))]
    return model.nested_array(fields, offsets.astype(np.int64))


def revisits(df: pd.DataFrame, by: str = "pair", step: Span | None = None) -> pd.DataFrame:
    """
    Return how long it takes until the next conjunction.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : {"pair", "site", "spacecraft", "station"} or a column, default "pair"
        Whose successive conjunctions.
    step : str or pandas.Timedelta, optional
        Time between epochs; spans that overlap or are no further apart are one. By default that of the ephemeris in
        which the frame was found, else that of its query (a minute, or 30 s), and nothing where spans are exact (``continuous=True``).

    Returns
    -------
    pandas.DataFrame
        One row per group, its label the index: ``count`` of gaps, ``median`` and ``longest`` gap (Timedelta, NaT where
        there is none). A gap lasts from the last epoch of one conjunction to the first of the next.

    Raises
    ------
    AuroraxInputError
        If `by` names no column, `step` is no span of time, the frame lacks a column of events, or an event has no start
        or no end.

    Examples
    --------
    >>> import aurorax_pandas
    >>> again = aurorax_pandas.load_sample_conjunctions().aurorax.revisits()
    >>> str(again.loc["THEMIS-ASI GILL & Swarm C", "longest"])
    '0 days 03:38:00'
    """
    events, labels = labelled_events(df, by, "revisits", needs=("start", "end"))
    refuse_broken_spans(events, "revisits")
    delta = step_of(df, step)
    codes, names = labels.cat.codes.to_numpy(), labels.cat.categories
    start, end = events["start"].to_numpy(), events["end"].to_numpy()
    clusters = overlap_clusters(codes, start, end, delta.to_timedelta64())
    spans = pd.DataFrame({"code": codes, "start": start, "end": end}).groupby(clusters)
    merged = spans.agg({"code": "first", "start": "min", "end": "max"}).sort_values(["code", "start"])
    gaps = merged["start"] - merged["end"].shift()
    same = merged["code"].eq(merged["code"].shift())
    grouped = gaps[same].groupby(merged["code"][same])
    columns = {
        "count": grouped.size(),
        "median": grouped.median().astype("timedelta64[us]"),
        "longest": grouped.max().astype("timedelta64[us]"),
    }
    made = pd.DataFrame(columns).reindex(range(len(names)))
    made = made.fillna({"count": 0}).astype({"count": "int64"}).set_axis(pd.Index(names, dtype="str", name=by))
    made.attrs = copy.deepcopy(df.attrs)
    return made
