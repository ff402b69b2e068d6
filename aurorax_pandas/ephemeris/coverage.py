"""Whether an ephemeris covers what is asked of it: rows of a frame, or the window and sources of a search."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import listed
from aurorax_pandas.ephemeris.dataset import source_table, step_of_epochs
from aurorax_pandas.ephemeris.tracks import Ints, Tracks
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxDataWarning, callers_level
from aurorax_pandas.frame import model
from aurorax_pandas.signatures import describing
from aurorax_pandas.sources import CONJUNCTION_TYPES, SOURCE_TYPES, SPACECRAFT
from aurorax_pandas.times import Times

if TYPE_CHECKING:
    import xarray as xr

_Codes = npt.NDArray[np.int8]

#: Why an ephemeris does not cover a row, by code; the least counts.
_COVERED, _NO_TIME, _MISSING, _OUTSIDE, _GAP, _NO_FOOTPRINT = range(-1, 5)
_SHOWN: Final = 6
_MICROSECOND: Final = np.timedelta64(1, "us")
_NONE: Final = ["AuroraxDataError\n    If the ephemeris covers no row."]
_SOME: Final = "AuroraxDataWarning\n    If the ephemeris covers some rows only: how many it does not, and why"
#: Says in a docstring what comes of an ephemeris that does not cover all rows.
telling_of_gaps: Final = describing(raises=_NONE, warns=[f"{_SOME}."])
#: The same of verbs that tell hemispheres, for which they must know what a spacecraft is.
telling_of_hemispheres: Final = describing(raises=_NONE, warns=[f"{_SOME}; if the type of a source is unknown."])


@telling_of_gaps
def check_spans(verb: str, events: pd.DataFrame, rows: Ints, ephemeris: xr.Dataset, sources: pd.DataFrame) -> Tracks:
    """
    Check that an ephemeris covers events of a frame: each of their instants is within one step of an epoch with both places.

    Parameters
    ----------
    verb : str
        Who asks, for the messages.
    events : pandas.DataFrame
        Events with ``conjunction_type``, ``start`` and ``end``.
    rows : ndarray of int64
        The row of the user's frame that each event is of.
    ephemeris : xarray.Dataset
        An ephemeris.
    sources : pandas.DataFrame
        The sources of all first sides, then of all second sides.

    Returns
    -------
    Tracks
        Where the sources are in the ephemeris, which is checked.
    """
    tracks = Tracks(ephemeris, sources)
    if not len(events):
        return tracks
    count = len(events)
    start, end = (events[name].to_numpy("M8[us]") for name in ("start", "end"))
    reasons = np.full(2 * count, _COVERED, np.int8)
    types = model.category_codes(events["conjunction_type"], model.CONJUNCTION_TYPE)
    for number, kind in enumerate(CONJUNCTION_TYPES):
        chosen = np.flatnonzero(types == number)
        if len(chosen):
            for side in (0, count):
                reasons[chosen + side] = _reasons_of_spans(tracks, kind, chosen + side, start[chosen], end[chosen])
    # a row without a type either is of nothing at all
    reasons[np.tile((types >= 0) & (np.isnat(start) | np.isnat(end)), 2)] = _NO_TIME
    _report_uncovered(verb, ephemeris, sources, np.tile(rows, 2), reasons, (np.fmin.reduce(start), np.fmax.reduce(end)))
    return tracks


@telling_of_gaps
def check_instants(
    verb: str, sources: pd.DataFrame, rows: Ints, times: Times, ephemeris: xr.Dataset, hemispheres: _Codes
) -> None:
    """
    Check that an ephemeris has the hemispheres of spacecraft at instants; `hemispheres` are its codes, −1 where unknown.

    Parameters
    ----------
    verb : str
        Who asks, for the messages.
    sources : pandas.DataFrame
        The spacecraft, one for each instant.
    rows : ndarray of int64
        The row of the user's frame that each instant is of.
    times : ndarray of datetime64
        The instants.
    ephemeris : xarray.Dataset
        An ephemeris.
    hemispheres : ndarray of int8
        What `Tracks.hemispheres` gives at the instants.
    """
    if not len(sources):
        return
    tracks = Tracks(ephemeris, sources)
    reasons = np.full(len(sources), _COVERED, np.int8)
    reasons[hemispheres < 0] = _GAP
    reasons[(hemispheres < 0) & _is_outside(tracks, times, times)] = _OUTSIDE
    reasons[(hemispheres < 0) & tracks.lacks(np.arange(len(sources)))] = _MISSING
    reasons[(hemispheres < 0) & np.isnat(times)] = _NO_TIME
    _report_uncovered(verb, ephemeris, sources, rows, reasons, (np.fmin.reduce(times), np.fmax.reduce(times)))


def _is_outside(
    tracks: Tracks, start: Times, end: Times, beyond: np.timedelta64 | None = None
) -> npt.NDArray[np.bool_]:
    """Tell which spans lie beyond the epochs, by more than a step where nothing else is said."""
    if not len(tracks.epochs):
        return np.ones(len(start), bool)
    reach = tracks.step if beyond is None else beyond
    outside: npt.NDArray[np.bool_] = (start < tracks.epochs[0] - reach) | (end > tracks.epochs[-1] + reach)
    return outside


def _reasons_of_spans(tracks: Tracks, kind: str, source: Ints, start: Times, end: Times) -> _Codes:
    """Return why the places of sources over spans are not all known."""
    reasons = np.full(len(source), _COVERED, np.int8)
    # what stands still has a place at all epochs, so that only the others are looked at
    sought = np.flatnonzero(~tracks.stands(kind, source) | _is_outside(tracks, start, end, np.timedelta64(0, "us")))
    sought = sought[~_knows_all(tracks, kind, source[sought], start[sought], end[sought])]
    if len(sought):
        reasons[sought] = _reasons_of_moving(tracks, kind, source[sought], start[sought], end[sought])
    return reasons


def _knows_all(tracks: Tracks, kind: str, source: Ints, start: Times, end: Times) -> npt.NDArray[np.bool_]:
    """Tell of which sources the place is known at each epoch of a span and of a step around it, as of most."""
    step = tracks.step
    first, stop = tracks.window(start - step, end + step)
    found = tracks.complete(kind, source, first, stop) & (first < stop)
    inside = np.flatnonzero(found)
    found[inside] = (tracks.epochs[first[inside]] - start[inside] <= step) & (
        end[inside] - tracks.epochs[stop[inside] - 1] <= step
    )
    return found


def _reasons_of_moving(tracks: Tracks, kind: str, source: Ints, start: Times, end: Times) -> _Codes:
    count, step = len(source), tracks.step
    first, stop = tracks.window(start - step, end + step)
    lengths = np.maximum(stop - first, 0)
    item = np.repeat(np.arange(count), lengths)
    at = model.ranges(first, lengths)
    known = tracks.known(kind, source[item], at)
    kept, times = item[known], tracks.epochs[at[known]]
    # too long without a place: from the start to the first, between two, from the last to the end
    lost = (_gaps(times, kept, start, -1) > step) | (_gaps(times, kept, end, 1) > step)
    lost[kept[1:][(kept[1:] == kept[:-1]) & (np.diff(times) // 2 > step)]] = True
    there = np.bincount(kept, minlength=count) > 0
    # an event of a list has a place at its own epoch alone
    bad = ~there | (lost & ~tracks.listed[source])
    reasons = np.full(count, _COVERED, np.int8)
    if not bad.any():
        return reasons
    placed = tracks.known("geographic", source[item], at)
    # without own positions a gap cannot be told from a line that does not return
    gap = (np.bincount(item[~placed], minlength=count) > 0) & tracks.has_positions
    reasons[bad] = np.where(gap[bad], _GAP, _NO_FOOTPRINT)
    reasons[bad & _is_outside(tracks, start, end)] = _OUTSIDE
    reasons[bad & tracks.lacks(source)] = _MISSING
    return reasons


def _gaps(times: Times, item: Ints, edge: Times, sign: int) -> npt.NDArray[np.timedelta64]:
    """Return how far the first (−1) or last (1) place of each item is from an edge of its span, outwards to inwards."""
    found = np.full(len(edge), np.timedelta64(0, "us"), "m8[us]")
    ends = np.flatnonzero(np.diff(item, prepend=-1) if sign < 0 else np.diff(item, append=len(edge)))
    chosen = item[ends]
    found[chosen] = (times[ends] - edge[chosen]) * -sign
    return found


def _report_uncovered(
    verb: str, ephemeris: xr.Dataset, sources: pd.DataFrame, rows: Ints, reasons: _Codes, span: tuple[Any, Any]
) -> None:
    """Raise or warn where rows are not covered."""
    wrong = reasons != _COVERED
    if not wrong.any():
        return
    distinct = np.unique(rows)
    frame = pd.DataFrame({"row": rows[wrong], "reason": reasons[wrong], "name": _names_of_sources(sources)[wrong]})
    least = frame.loc[frame.groupby("row")["reason"].idxmin()]
    counts = np.bincount(least["reason"], minlength=_NO_FOOTPRINT + 1)
    said = []
    for reason in np.flatnonzero(counts):
        names = _listed(frame.loc[frame["reason"] == reason, "name"])
        words = {
            _NO_TIME: "whose own time is missing",
            _MISSING: f"for lack of {names}",
            _OUTSIDE: "for epochs outside",
            _GAP: f"for a gap in the positions of {names}",
            _NO_FOOTPRINT: f"for lack of a footprint of {names}",
        }[int(reason)]
        said.append(f"{counts[reason]} {words}")
    held = f"it holds {holdings(ephemeris)}"
    if len(least) == len(distinct):
        moving_first = np.argsort(~sources["source_type"].isin(SPACECRAFT).to_numpy(bool), kind="stable")
        raise AuroraxDataError(
            f"{verb}: the ephemeris covers none of the {len(distinct)} rows ({'; '.join(said)}): {held}; the rows are of "
            f"{_listed(_names_of_sources(sources)[moving_first])} from {_text(span[0])} to {_text(span[1])}"
        )
    warnings.warn(
        f"{verb}: the ephemeris does not cover {len(least)} of {len(distinct)} rows ({'; '.join(said)}): {held}",
        AuroraxDataWarning,
        stacklevel=callers_level(),
    )


def _names_of_sources(sources: pd.DataFrame) -> npt.NDArray[Any]:
    return sources["display_name"].fillna("a source without a name").astype("str").to_numpy(object)


def _listed(names: Iterable[Any]) -> str:
    """Write names out, each once, the first few of many."""
    return listed(list(dict.fromkeys(map(str, names))), _SHOWN) or "no source"


def holdings(ephemeris: xr.Dataset) -> str:
    """Say which sources an ephemeris holds, and from when to when."""
    return f"{_listed(source_table(ephemeris)['display_name'])} from {_span_of(ephemeris)}"


def _span_of(ephemeris: xr.Dataset) -> str:
    epochs = ephemeris["epoch"].values
    return f"{_text(epochs[0])} to {_text(epochs[-1])}" if len(epochs) else "no epoch to none"


def _text(instant: Any) -> str:
    return pd.Timestamp(instant).isoformat(sep=" ", timespec="auto")


def check_window(
    verb: str,
    ephemeris: xr.Dataset,
    start: np.datetime64,
    end: np.datetime64,
    *,
    unmatched: Sequence[str],
    craft: Ints,
    step: np.timedelta64,
) -> None:
    """
    Check that an ephemeris covers the window of a search, and warn of names in it that have no source.

    Parameters
    ----------
    verb : str
        Who asks, for the messages.
    ephemeris : xarray.Dataset
        An ephemeris.
    start, end : numpy.datetime64
        The window, inclusive, UTC.
    unmatched : sequence of str
        Names of criteria blocks that no source of the ephemeris has, while others of the block have one.
    craft : ndarray of int64
        Positions of the spacecraft that take part.
    step : numpy.timedelta64
        Time between the instants that are searched, from the first epoch on; zero for all instants.

    Raises
    ------
    AuroraxDataError
        If it covers no instant of the window that is searched.

    Warns
    -----
    AuroraxDataWarning
        If it covers a part of the window, if a spacecraft has no position at some epochs, or a name no source.
    """
    epochs = ephemeris["epoch"].values.astype("M8[us]")
    wanted = f"{_text(start)} to {_text(end)}"
    begin, stop = (edge - epochs[0] for edge in (max(start, epochs[0]), min(end, epochs[-1])))
    if stop // max(step, _MICROSECOND) <= (begin - _MICROSECOND) // max(step, _MICROSECOND):
        raise AuroraxDataError(
            f"{verb}: the ephemeris has no epoch in the window {wanted}: it holds {holdings(ephemeris)}"
        )
    said = [f"no source has the name {name}" for name in unmatched]
    outside, own = 0, step_of_epochs(epochs)
    if start < epochs[0] - own:
        outside += int(np.ceil((epochs[0] - start) / own))
    if end > epochs[-1] + own:
        outside += int((end - epochs[-1]) / own)
    if outside:
        every = int((end - start) / own) + 1
        said.append(f"{outside} of the {every} epochs of the window {wanted} are outside {_span_of(ephemeris)}")
    said += _gaps_of_window(ephemeris, start, end, craft)
    if said:
        warnings.warn(
            f"{verb}: the ephemeris covers a part only: {'; '.join(said)}",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )


def _gaps_of_window(ephemeris: xr.Dataset, start: np.datetime64, end: np.datetime64, craft: Ints) -> list[str]:
    if "geo_lat" not in ephemeris or not len(craft):
        return []
    window = ephemeris["geo_lat"].isel(source=craft).sel(epoch=slice(start, end))
    missing = window.isnull().sum("epoch").values
    count = window.sizes["epoch"]
    names = window["display_name"].values
    told = [
        f"{name} has no position at {number} of {count} epochs"
        for name, number in zip(names[missing > 0], missing[missing > 0], strict=True)
    ]
    more = len(told) - _SHOWN
    return told[:_SHOWN] + ([f"{more} more have gaps"] if more > 0 else [])


def warn_of_unknown_types(verb: str, sources: pd.DataFrame) -> None:
    """Warn of sources whose type is unknown, since none of them counts as a spacecraft."""
    unknown = ~sources["source_type"].isin(SOURCE_TYPES).to_numpy(bool)
    if unknown.any():
        warnings.warn(
            f"{verb}: the source_type of {_listed(_names_of_sources(sources)[unknown])} is unknown, so that it is taken for no "
            f"spacecraft; give it one of {', '.join(SPACECRAFT)} if it is one",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
