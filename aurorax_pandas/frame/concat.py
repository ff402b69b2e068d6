"""Several frames of conjunctions put together: each row once, what a window cut joined, one provenance."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame import ordering, provenance
from aurorax_pandas.frame.asked import as_asked, differing
from aurorax_pandas.frame.convert import as_conjunctions
from aurorax_pandas.frame.identity import source_set_codes
from aurorax_pandas.frame.intervals import overlap_clusters
from aurorax_pandas.frame.stitch import is_dask_frame, join_clusters
from aurorax_pandas.times import span

Ints = npt.NDArray[np.int64]

_MINUTE: Final = np.timedelta64(60, "s")
#: The parts of a query by which several of one search differ.
_WINDOW: Final = ("start", "end")
#: Windows that meet are a second apart, in which exact spans are cut.
_SECOND: Final = np.timedelta64(1, "s")
#: What two equal rows share beside their sources.
_SAME: Final = ("start", "end", "min_distance", "max_distance", "closest_epoch", "farthest_epoch")


class _Read(NamedTuple):
    """What a frame's provenance says of its search: what was asked, but for the window, the windows, the step."""

    query: dict[str, Any] | None
    windows: tuple[tuple[pd.Timestamp, pd.Timestamp], ...]
    step: np.timedelta64


def concat(frames: Iterable[Any]) -> Any:
    """
    Put several frames of conjunctions together, each conjunction once.

    Parameters
    ----------
    frames : iterable of pandas.DataFrame, xarray.Dataset or dask.dataframe.DataFrame
        Conjunctions, all in one form; frames may be whatever `as_conjunctions` takes.

    Returns
    -------
    pandas.DataFrame, xarray.Dataset or dask.dataframe.DataFrame
        The conjunctions in their total order (those of Dask in the order of their sources), with a fresh index.
        Rows that are equal stand once. What the edge of a window has cut is joined as `stitch` does, where the frames
        are of one query but for the window. Rows of the same sources and span whose distances differ both stay.
        Columns of your own are kept, missing where a frame lacks them. The provenance holds all ``request_ids`` and
        ``windows``; ``query`` is that of all where their windows meet, else the list of the queries.

    Raises
    ------
    AuroraxInputError
        If there is no frame, they are of several forms, or some hold exact spans (of ``continuous=True``) and others
        spans of epochs.
    AuroraxDataError
        If one holds no conjunctions.

    Warns
    -----
    AuroraxDataWarning
        If the queries differ in more than their window.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> len(aurorax_pandas.concat([df.head(30), df.tail(30)]))
    49
    """
    given = list(frames) if isinstance(frames, Iterable) and not isinstance(frames, pd.DataFrame | str | bytes) else []
    if not given:
        raise AuroraxInputError("frames: give a list of frames, at least one")
    forms = {_form(frame) for frame in given}
    if len(forms) > 1:
        raise AuroraxInputError(f"frames: some are {' and some '.join(sorted(forms))}; give all in one form")
    if forms == {"of Dask"}:
        return given[0].aurorax.concat(given[1:])
    df = concat_frames([as_conjunctions(frame) for frame in given])
    # a Dataset is above frames, and knows its own way
    return df.aurorax.to_xarray() if forms == {"Datasets"} else df


def _form(frame: Any) -> str:
    if is_dask_frame(frame):
        return "of Dask"
    return "Datasets" if hasattr(frame, "data_vars") else "frames"


def concat_frames(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put typed frames together; see `concat`."""
    exact = [provenance.spans_are_exact(frame) for frame in frames if len(frame)]
    if any(exact) and not all(exact):
        raise AuroraxInputError(
            f"frames: {sum(exact)} of {len(exact)} hold exact spans, found by continuous=True, the others spans of epochs, "
            "which cannot be counted together; make the others exact by df.aurorax.refine(ephemeris), or keep them apart"
        )
    attrs = merged_attrs([frame.attrs for frame in frames])
    reads = [read_of(frame.attrs) for frame in frames]
    plain = [frame.copy(deep=False) for frame in frames]
    for frame in plain:
        frame.attrs = {}
    filled = [frame for frame in plain if len(frame)] or plain[:1]
    number = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    df = each_once(pd.concat(filled, ignore_index=True), number, reads)
    df.attrs = attrs
    return df


def each_once(df: pd.DataFrame, number: Ints, reads: Sequence[_Read]) -> pd.DataFrame:
    """
    Return rows of several frames, each once and those that a window cut joined, in their total order.

    Parameters
    ----------
    df : pandas.DataFrame
        The rows of all frames.
    number : ndarray of int64
        Which frame each row comes from.
    reads : sequence
        What is known of the search of each frame, as `read_of` tells.
    """
    codes = source_set_codes(df)
    told = pd.DataFrame({name: df[name].to_numpy() for name in _SAME}).assign(code=codes)
    once = ~told.duplicated().to_numpy()
    df, codes, number, told = df[once], codes[once], number[once], told[once]
    # equal spans that differ in what was measured are two answers, not two parts
    apart = ~told.duplicated(["code", "start", "end"], keep=False).to_numpy()
    cut = np.flatnonzero(apart & _at_bounds(told, number, reads))
    queries = _query_numbers(reads)
    group = codes[cut] * (queries.max(initial=0) + 1) + queries[number[cut]]
    # what goes on in the next window does so a step later, a step of the window in which it began
    reach = np.maximum(_steps(reads)[number[cut]], _SECOND)
    clusters = overlap_clusters(group, told["start"].to_numpy()[cut], told["end"].to_numpy()[cut] + reach)
    parts = pd.Series(number[cut]).groupby(clusters).transform("nunique").to_numpy(np.int64) > 1
    if parts.any():
        joined = join_clusters(df.iloc[cut[parts]], clusters[parts], reach[parts])
        rest = df.iloc[np.setdiff1d(np.arange(len(df)), cut[parts])]
        df = pd.concat([rest, joined]) if len(rest) else joined
    return ordering.in_order(df)


def _at_bounds(rows: pd.DataFrame, number: Ints, reads: Sequence[_Read]) -> npt.NDArray[np.bool_]:
    """Tell which rows reach a bound of any window: both parts of what that cut do. Without a window, any row may."""
    unknown = np.array([not read.windows for read in reads])
    reaches: npt.NDArray[np.bool_] = unknown[number]
    reach = np.maximum(_steps(reads)[number], _MINUTE)
    start, end = rows["start"].to_numpy() - reach, rows["end"].to_numpy() + reach
    for bound in {bound.to_datetime64() for read in reads for window in read.windows for bound in window}:
        reaches |= (start <= bound) & (bound <= end)
    return reaches


def read_of(attrs: Mapping[Any, Any]) -> _Read:
    """Return what the attrs of a frame tell of its search."""
    found = provenance.get_provenance(attrs)
    query = found.get("query")
    asked = _without_window(as_asked(query)) if isinstance(query, dict) else None
    steps = [span("step", each, zero=True).to_timedelta64() for each in provenance.steps_told(found)]
    return _Read(asked, tuple(provenance.windows_of(found)), max(steps))


def _steps(reads: Sequence[_Read]) -> npt.NDArray[np.timedelta64]:
    return np.array([read.step for read in reads], "m8[us]")


def _without_window(query: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if key not in _WINDOW}


def _query_numbers(reads: Sequence[_Read]) -> Ints:
    known = [read.query for read in reads if read.query is not None]
    distinct = [query for position, query in enumerate(known) if query not in known[:position]]
    # a frame that has lost its query is taken to be of the only one that there is
    numbers = [0 if len(distinct) < 2 else -1 if read.query is None else distinct.index(read.query) for read in reads]
    return np.array(numbers, np.int64) + 1


def merged_attrs(attrs: Sequence[Mapping[Any, Any]]) -> dict[Any, Any]:
    """
    Return the attrs of frames that are put together: what they share, and one provenance.

    Warns
    -----
    AuroraxDataWarning
        If their queries differ in more than the window.
    """
    shared = {
        key: value
        for key, value in attrs[0].items()
        if key != provenance.KEY and all(key in one and one[key] == value for one in attrs[1:])
    }
    every = [provenance.get_provenance(one) for one in attrs]
    found = [one for one in every if one]
    if not found:
        return shared
    merged = provenance.make_provenance(
        request_ids=list(dict.fromkeys(name for one in found for name in one.get("request_ids") or ())),
        query=_merged_query([one.get("query") for one in every]),
        api_url=next((one["api_url"] for one in found if one.get("api_url")), None),
        retrieved_at=max((one["retrieved_at"] for one in found if one.get("retrieved_at")), default=None),
    )
    windows = [window for one in found for window in _windows_of_read(one)]
    merged |= _merged_steps(every)
    merged["windows"] = [window for position, window in enumerate(windows) if window not in windows[:position]]
    return {**shared, provenance.KEY: merged}


def _merged_steps(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the step of all where a frame tells one, of those that do not by their queries; the models, and what all share."""
    merged: dict[str, Any] = {}
    if any("step" in one for one in found):
        told = chain.from_iterable(map(provenance.steps_told, found))
        # a minute may be told in several ways
        steps = list({span("step", each, zero=True): each for each in told}.values())
        merged["step"] = steps[0] if len(steps) == 1 else steps
    for key in ("field", provenance.SAMPLE):
        # whom to acknowledge is told of each
        words = list(dict.fromkeys(one[key] for one in found if one.get(key)))
        if words:
            merged[key] = "; ".join(
                each for each in words if not any(each in other for other in words if other != each)
            )
    ages = [one["elements_age"] for one in found if one.get("elements_age") is not None]
    merged |= {"elements_age": max(ages)} if ages else {}
    levels = [one["kp"] for one in found if "kp" in one]
    if levels and all(level == levels[0] for level in levels):
        merged["kp"] = levels[0]
    for key in ("precision", "latitudes"):
        if key in found[0] and all(one.get(key) == found[0][key] for one in found):
            merged[key] = found[0][key]
    return merged


def _windows_of_read(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    if found.get("windows"):
        return list(found["windows"])
    names = found.get("request_ids") or []
    name = names[0] if len(names) == 1 else None
    return [
        {"request_id": name, "start": first.isoformat(), "end": last.isoformat()}
        for first, last in provenance.windows_of(found)
    ]


def _merged_query(queries: Sequence[Any]) -> Any:
    """Return the query of all, over the windows together where these meet, else the list of the queries."""
    # where one is not known, none can be said of all
    if not all(queries):
        return None
    every = list(chain.from_iterable(query if isinstance(query, list) else [query] for query in queries))
    asked = [as_asked(query) for query in every]
    distinct = [query for position, query in enumerate(every) if asked[position] not in asked[:position]]
    parts = sorted(set().union(*(differing(query, distinct[0]) for query in distinct)) - {*_WINDOW})
    if parts:
        warnings.warn(
            f"the frames are of {len(distinct)} queries, which differ in {', '.join(parts)}; the provenance lists them",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
        return distinct
    windows = sorted(provenance.windows_of({"query": distinct}))
    reached = windows[0][1]
    for first, last in windows[1:]:
        if first - reached > pd.Timedelta(_MINUTE):
            return distinct
        reached = max(reached, last)
    return {**distinct[0], "start": windows[0][0].isoformat(), "end": reached.isoformat()}
