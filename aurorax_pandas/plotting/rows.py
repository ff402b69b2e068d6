"""Which rows a picture draws: the events of a frame, or passes; and what it says of frames it cannot draw."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.labels import labelled_events, ordered_labels
from aurorax_pandas.checks import check_frame, shown
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame import model
from aurorax_pandas.frame.provenance import get_provenance, step_of, windows_of
from aurorax_pandas.sources import HEMISPHERE

#: Words that a picture can group by, beside columns.
GROUPS: Final = ("pair", "site", "spacecraft", "station")
_PAIR_EVENTS: Final = "Pair events"
#: Beyond which a distance is no distance of two places [km]: the Earth is 40 030 km around.
_NOT_ON_EARTH: Final = 1e6
#: How many years a picture of times may span, and the microseconds of one.
_MOST_YEARS: Final = 200
_YEAR: Final = 365.25 * 86400e6
_PASS: Final = ("spacecraft", "stations", "closest_station", "start", "end")


def is_passes(df: pd.DataFrame) -> bool:
    """Tell whether this is a frame of `passes`."""
    check_frame(df, "the picture")
    return set(_PASS) <= set(df.columns)


def is_pair_summary(df: pd.DataFrame) -> bool:
    """Tell whether this is a frame of `pair_summary`."""
    check_frame(df, "the picture")
    return set(model.PAIR_SUMMARY_COLUMNS) <= set(df.columns)


def refuse_summed(df: pd.DataFrame, verb: str, *, passes: bool = False) -> None:
    """
    Raise where a frame of passes or a pair summary lacks what a picture draws.

    Parameters
    ----------
    df : pandas.DataFrame
        The frame.
    verb : str
        The picture.
    passes : bool, default False
        Whether it draws passes.
    """
    check_frame(df, verb)
    if is_pair_summary(df):
        raise AuroraxInputError(
            f"{verb}: a pair summary has no events to draw; draw the frame that it sums up, "
            "or plot.histogram of the summary's numbers"
        )
    if is_passes(df) and not passes:
        raise AuroraxInputError(
            f"{verb}: a frame of passes has no pair events; draw the conjunctions that they are made of, "
            "or plot.timeline, plot.distance or plot.histogram of the passes"
        )


def drawn_rows(df: pd.DataFrame, by: str, verb: str, *columns: str | None) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Return the rows to draw, with columns of their own, and the label of each; see `labelled_events`."""
    refuse_summed(df, verb, passes=True)
    if not is_passes(df):
        return labelled_events(df, by, verb, *columns)
    names = {"pair": "spacecraft", "station": "closest_station"}
    name = names.get(by, by)
    if name == "site" or name not in df.columns:
        raise AuroraxInputError(
            f"by={shown(by)}: passes are drawn by 'spacecraft', by 'station' (the closest), or by a column of the frame"
        )
    rows = df.assign(max_distance=df["min_distance"], spacecraft_hemisphere=df["hemisphere"])
    if df["hemisphere"].isna().all():
        rows = rows.drop(columns="spacecraft_hemisphere")
    return rows, ordered_labels(df[name])


def refuse_ages(verb: str, *times: Any, cure: str = "leave out the rows whose time is wrong") -> None:
    """
    Raise where instants lie farther apart than anything has flown: an axis of time would show nothing but the gap.

    Parameters
    ----------
    verb : str
        The picture.
    *times : Series, array or sequence of datetime64
        Instants (UTC).
    cure : str
        What to do about it.
    """
    known = np.concatenate([np.asarray(each).astype("M8[us]") for each in times])
    known = known[~np.isnat(known)]
    if not len(known):
        return
    first, last = known.min(), known.max()
    # as floats: a difference of the farthest instants is beyond whole numbers
    years = int((float(last.astype(np.int64)) - float(first.astype(np.int64))) / _YEAR)
    if years > _MOST_YEARS:
        raise AuroraxInputError(
            f"{verb}: times from {pd.Timestamp(first)} to {pd.Timestamp(last)} are {years} years apart, and nothing has been in "
            f"orbit so long; {cure}"
        )


def refuse_turned(verb: str, events: pd.DataFrame) -> None:
    """Raise where a row ends before it starts: a picture of spans would show a span that is none."""
    turned = int(np.count_nonzero(events["end"].to_numpy() < events["start"].to_numpy()))
    if turned:
        raise AuroraxInputError(
            f"{verb}: {turned} of {len(events)} rows end before they start; mend them, or leave them out by "
            'df.query("start <= end")'
        )


def refuse_endless(verb: str, events: pd.DataFrame) -> None:
    """Raise where a distance is none on Earth: beside it all others would lie on zero."""
    names = [name for name in ("min_distance", "max_distance", "approach_distance") if name in events.columns]
    for name in names:
        numbers = events[name].to_numpy(np.float64, na_value=np.nan)
        far = np.isfinite(numbers) & (np.abs(numbers) > _NOT_ON_EARTH)
        if far.any():
            raise AuroraxInputError(
                f"{verb}: {name} is {numbers[far][0]:g} km in {far.sum()} of {len(far)} rows, farther than anything on Earth; "
                "mend them, or leave these rows out"
            )


def tell_timeless(verb: str, *times: pd.Series[Any]) -> None:
    """Warn of rows that an axis of time cannot show, since one of their instants is not known."""
    lacking = np.logical_or.reduce([each.isna().to_numpy(bool) for each in times])
    if lacking.any():
        warnings.warn(
            f"{verb}: {lacking.sum()} of {len(lacking)} rows are not drawn, since they have no "
            f"{' or '.join(str(each.name) for each in times)}; mend them, or leave them out",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )


def refuse_long_searches(verb: str, df: pd.DataFrame) -> None:
    """Raise where a picture of all days of a search would have those of centuries."""
    cure = "search a shorter span, or take the search off the frame by df.attrs.clear()"
    refuse_ages(f"{verb}: the search", *windows_of(get_provenance(df.attrs)), [], cure=cure)


def stops_of(events: pd.DataFrame) -> npt.NDArray[Any]:
    """Return until when each row lasts: the end of its last epoch, or of its exact span."""
    try:
        step = step_of(events, None)
    except AuroraxInputError:
        # frames of several steps were put together, and most of them are of minutes
        step = pd.Timedelta("1min")
    return events["end"].to_numpy("M8[us]") + step.to_timedelta64()


def counted_things(df: pd.DataFrame, events: pd.DataFrame, held: str | None = None) -> str:
    """
    Return what a picture counts: conjunctions, or their pair events where some have several.

    Parameters
    ----------
    df, events : pandas.DataFrame
        The frame and its events.
    held : str, optional
        What earlier calls counted into the same picture.
    """
    parents = events["conjunction"] if "conjunction" in events.columns else pd.Series(dtype="int64")
    several = len(df) != len(events) or bool(parents.duplicated().any())
    return _PAIR_EVENTS if several or held == _PAIR_EVENTS else "Conjunctions"


def conjugate_rows(events: pd.DataFrame) -> npt.NDArray[np.bool_] | None:
    """Tell which events are conjugate, where the spacecraft's hemisphere is known."""
    if "spacecraft_hemisphere" not in events.columns:
        return None
    hemisphere = events["spacecraft_hemisphere"].astype(HEMISPHERE)
    types = events["conjunction_type"].astype("str")
    far = ((types == "nbtrace") & (hemisphere == "southern")) | ((types == "sbtrace") & (hemisphere == "northern"))
    return far.to_numpy(bool)
