"""Events with a label to group, draw or count by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.pairs import pair_events
from aurorax_pandas.checks import nearest_name, one_name, shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.events import is_events, require, sides_of
from aurorax_pandas.sources import SPACECRAFT

#: Label of events that have none.
MISSING: Final = "missing"
#: Columns of events that pictures read.
DRAWN: Final = ("start", "end", "min_distance", "max_distance", "closest_epoch")
#: What adds a column that events do not have by themselves, by how its name begins.
_ADDED: Final = {
    ("approach_", "spacecraft_hemisphere", "footprint_uncertainty", "elevation_of"): "closest_approach(ephemeris)",
    ("sun_", "moon_"): "sky()",
    ("footprint_m", "footprint_dipole"): "magnetic(ephemeris)",
    ("mlat", "mlon", "mlt", "dipole_l"): "magnetic()",
}


def labelled_events(
    df: pd.DataFrame, by: str, verb: str, *columns: str | None, needs: Sequence[str] = DRAWN
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """
    Return the events of a frame, with columns of its own, and the label of each as `ordered_labels` has them.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    by : str
        ``"pair"``; ``"site"``, where cameras that share a site count as one; ``"spacecraft"`` or ``"station"``, the one
        side of a pair whatever the other is; or a column of the events or of the conjunctions.
    verb : str
        Who asks, for an error.
    *columns : str or None
        Further columns of the conjunctions that are wanted; those that are nowhere are left out.
    needs : sequence of str
        Columns that the events must have; by default those that pictures read.

    Raises
    ------
    AuroraxInputError
        If `by` is none of these, or the frame has no events.
    """
    one_name("by", by)
    if is_events(df):
        df = require(df, verb, *needs)
    events = pair_events(df, "site" if by == "site" else "pair", verb)
    if events is not df:
        for name in (by, *columns):
            if name is not None and name not in events.columns and name in df.columns:
                events = events.assign(**{name: df[name].take(events["conjunction"].to_numpy()).array})
    if by == "spacecraft":
        return events, ordered_labels(_side_labels(events, *spacecraft_sides(events)))
    if by == "station":
        first, second = ((types == "ground").to_numpy(bool) for types in sides_of(events, "source_type"))
        return events, ordered_labels(_side_labels(events, first, second))
    name = "pair" if by == "site" else by
    require_column(events, "by", name, "'pair', 'site', 'spacecraft', 'station'")
    return events, ordered_labels(events[name])


def ordered_labels(values: pd.Series[Any]) -> pd.Series[Any]:
    """
    Return a column as text to group by: a category whose categories stand in the order of the values.

    Numbers go by size, ordered categories by their order, all else by the alphabet; `MISSING` comes last.
    """
    ordered = isinstance(values.dtype, pd.CategoricalDtype) and values.cat.ordered
    if not (ordered or pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)):
        values = values.astype("str")
    codes, found = pd.factorize(values, sort=True)
    names = [str(name) for name in found]
    if (codes < 0).any():
        names.append(MISSING)
        codes = np.where(codes < 0, len(names) - 1, codes)
    # values that read the same are one label
    places, distinct = pd.factorize(pd.Index(names, dtype=object))
    labels = pd.Categorical.from_codes(places[codes], pd.Index(distinct, dtype="str"))
    return pd.Series(labels, index=values.index)


def require_column(events: pd.DataFrame, argument: str, name: str, choices: str = "") -> None:
    """Raise where an argument names no column, or one of tables."""
    one_name(argument, name)
    if name not in events.columns:
        if added := adder_of(name):
            raise AuroraxInputError(f"{argument}={name!r} is no column of the events yet; {added}")
        near = nearest_name(name, [*re.findall(r"'(\w+)'", choices), *map(str, events.columns)])
        if near is not None:
            raise AuroraxInputError(f"{argument}={shown(name)} is no column of the events; did you mean {near!r}?")
        also = f"{choices} or " if choices else ""
        raise AuroraxInputError(
            f"{argument}={shown(name)} is no column of the events; give {also}one of {', '.join(map(str, events.columns))}"
        )
    values = events[name]
    plain = (pd.StringDtype, pd.CategoricalDtype, np.dtype)
    if (values.dtype == object or not isinstance(values.dtype, plain)) and values.map(type).isin(
        [pd.DataFrame, list, dict]
    ).any():
        raise AuroraxInputError(
            f"{argument}={shown(name)} holds tables, not values; explode_events makes columns of them"
        )


def adder_of(column: object) -> str:
    """Return which verb adds a column, in words for an error; an empty text where none does."""
    verbs = (verb for beginnings, verb in _ADDED.items() if isinstance(column, str) and column.startswith(beginnings))
    return next((f"df.aurorax.{verb} adds it" for verb in verbs), "")


def spacecraft_sides(events: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Tell of each event whether its first and its second source is a spacecraft."""
    first, second = (types.isin(SPACECRAFT).to_numpy(bool) for types in sides_of(events, "source_type"))
    return first, second


def _side_labels(events: pd.DataFrame, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> pd.Series[Any]:
    """Label each event by its one source that is wanted, by its pair where both are or neither is."""
    name, other = (names.astype("str") for names in sides_of(events, "display_name"))
    return events["pair"].astype("str").mask(first & ~second, name).mask(second & ~first, other)
