"""Which conjunctions to keep: the closest, those near an epoch, within a distance, of some sources, each one once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.analysis.grouping import GroupBy, grouped_rows
from aurorax_pandas.checks import as_list, checked_number, choice, either_word, refuse_farther, suggestion, whole_number
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import is_events, require, source_sites
from aurorax_pandas.frame.identity import source_set_codes
from aurorax_pandas.frame.intervals import closest_positions, overlap_clusters, refuse_broken_spans
from aurorax_pandas.signatures import meeting
from aurorax_pandas.sources import known_sources, site_platforms, tell_of_unknown
from aurorax_pandas.times import Span, span, to_utc

How = Literal["any", "all"]

#: What sources are chosen by, in the singular.
_CHOSEN_BY: Final = ("program", "platform", "instrument_type", "source_type", "display_name", "site")


@typed
def closest(df: pd.DataFrame, n: int = 1, by: GroupBy | None = None) -> pd.DataFrame:
    """
    Keep the conjunctions of least distance.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events of `explode_events`, or a pair summary.
    n : int, default 1
        How many, overall or of each group.
    by : str, pandas.Series, array, pandas.Grouper or sequence of these, optional
        None for overall; ``"pair"`` for each pair of data sources (or ``"site"``, where cameras of one site count
        as one): the pair's `n` events of least distance, of which the parent rows stay, each once; ``"day"`` for each
        UTC day of ``start``; columns of the frame; a value for each of its rows, as a series with its index or as an
        array of its length (a list holds names); a grouper. Several of these for each combination: ``["pair", "day"]``.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order. Ties go to the earlier start, then to the earlier row.

    Raises
    ------
    AuroraxInputError
        If `n` is no whole number above 0, a column is not there, an array has not a value for each row, or by site an
        event has no start or no end.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.closest(2)["min_distance"].tolist()
    [53.391843, 89.436436]
    >>> len(df.aurorax.closest(by=["pair", "day"])), len(df.aurorax.closest(by=df["start"].dt.hour))
    (33, 7)
    """
    count = whole_number("n", n)
    start = "first_start" if "first_start" in getattr(df, "columns", ()) and "start" not in df.columns else "start"
    df = require(df, "closest", "min_distance", start)
    if by is None:
        rows, group, parent = df, np.zeros(len(df), np.int64), None
    else:
        rows, group, parent = grouped_rows(df, by, "closest")
    ranked = rows if start == "start" else rows.assign(start=rows[start])
    chosen = np.sort(closest_positions(ranked, group, count))
    if parent is not None:
        return df.iloc[np.unique(parent[chosen])]
    return (rows if is_events(df) else df).iloc[chosen]


@typed
def filter_closest_epoch(
    df: pd.DataFrame,
    start: Any = None,
    end: Any = None,
    near: Any = None,
    tolerance: Span = "5min",
    max_distance: float | None = None,
) -> pd.DataFrame:
    """
    Keep the conjunctions whose closest epoch lies where you want it.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    start, end : anything that `pandas.Timestamp` takes, optional
        Earliest and latest closest epoch, inclusive, UTC; a text that names a whole day, month or year as `end` means
        its last second.
    near : instant or sequence of instants, optional
        Times of interest, UTC (substorm onsets, say): a row stays that is within `tolerance` of any of them.
    tolerance : str or pandas.Timedelta, default "5min"
        How far from `near` a closest epoch may be, inclusive.
    max_distance : float, optional
        Largest ``min_distance`` [km], inclusive.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order. A row without a closest epoch never matches a bound on it.

    Raises
    ------
    AuroraxInputError
        If a time is no instant, `start` is after `end`, `tolerance` is no span of time, or `max_distance` no number
        from 0 on.

    Warns
    -----
    AuroraxDataWarning
        If rows have no closest epoch, so that a bound on it leaves them out.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> len(df.aurorax.filter_closest_epoch("2020-01-01T01:00", "2020-01-01T02:00", max_distance=300))
    4
    """
    df = require(df, "filter_closest_epoch", "closest_epoch", "min_distance")
    epochs = df["closest_epoch"].to_numpy()
    keep = np.ones(len(df), bool)
    first = None if start is None else to_utc("start", start)
    last = None if end is None else to_utc("end", end, last=True)
    if first is not None and last is not None and first > last:
        raise AuroraxInputError(f"start={first} is after end={last}; swap them")
    if first is not None:
        keep &= epochs >= first.to_datetime64()
    if last is not None:
        keep &= epochs <= last.to_datetime64()
    if near is not None:
        instants = [to_utc("near", instant).to_datetime64() for instant in as_list(near)]
        known = pd.DatetimeIndex(np.unique(np.array(instants, "M8[us]")))
        keep &= _near_instants(df["closest_epoch"], known, span("tolerance", tolerance, zero=True))
    bounded = first is not None or last is not None or near is not None
    if bounded and (unknown := int(np.isnat(epochs).sum())):
        warnings.warn(
            f"filter_closest_epoch: {unknown} of {len(df)} rows have no closest epoch and are left out; "
            "query on start and end keeps them",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
    if max_distance is not None:
        keep &= df["min_distance"].to_numpy() <= _kilometres_within("max_distance", max_distance)
    return df[keep]


def _near_instants(
    epochs: pd.Series[Any], instants: pd.DatetimeIndex, tolerance: pd.Timedelta
) -> npt.NDArray[np.bool_]:
    found = instants.get_indexer(pd.DatetimeIndex(epochs), method="nearest", tolerance=tolerance)
    return (found >= 0) & epochs.notna().to_numpy(bool)


def _kilometres_within(argument: str, value: Any) -> float:
    return refuse_farther(argument, checked_number(argument, value, lambda km: km >= 0, "a distance of 0 or more [km]"))


def _kept_rows(flat: model.Flat, hit: npt.NDArray[np.bool_], every: bool) -> npt.NDArray[np.bool_]:
    hits = np.bincount(flat.row[hit], minlength=len(flat.lengths))
    return (hits == flat.lengths) & (flat.lengths > 0) if every else hits > 0


@typed
def within(df: pd.DataFrame, distance: float, how: How = "all") -> pd.DataFrame:
    """
    Keep the conjunctions whose pairs come within a distance.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions.
    distance : float
        Largest ``min_distance`` of a pair event [km], inclusive.
    how : {"all", "any"}, default "all"
        Whether all pairs must, or one is enough. ``df.query("min_distance < 200")`` asks only for the least
        distance of the conjunction, which is that of *some* pair.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order; a row without events never stays.

    Raises
    ------
    AuroraxInputError
        If `distance` is no number from 0 on, or `how` neither of the two.

    Examples
    --------
    >>> import aurorax_pandas
    >>> len(aurorax_pandas.load_sample_conjunctions().aurorax.within(100))
    2
    """
    every = choice("how", how, ("any", "all")) == "all"
    df = require(df, "within", "events")
    flat = model.flatten(df["events"])
    hit = flat.values("min_distance") <= _kilometres_within("distance", distance)
    return df[_kept_rows(flat, hit, every)]


@typed
@meeting(identifier="choose by display_names=")
def select_sources(
    df: pd.DataFrame,
    *,
    programs: str | Sequence[str] | None = None,
    platforms: str | Sequence[str] | None = None,
    instrument_types: str | Sequence[str] | None = None,
    source_types: str | Sequence[str] | None = None,
    display_names: str | Sequence[str] | None = None,
    sites: str | Sequence[str] | None = None,
    how: How = "any",
    program: str | Sequence[str] | None = None,
    platform: str | Sequence[str] | None = None,
    instrument_type: str | Sequence[str] | None = None,
    source_type: str | Sequence[str] | None = None,
    display_name: str | Sequence[str] | None = None,
    site: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """
    Keep the conjunctions in which some data sources take part.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions.
    programs, platforms, instrument_types, source_types, display_names : str or sequence of str, optional
        What a source must be, in upper or lower case; one of several values is enough, every argument that is given
        must hold. A platform that is a site may be given by its code (``"GILL"``).
    sites : str or sequence of str, optional
        Site of a ground source: its platform name (``"gillam"``) or its code (``"GILL"``).
    how : {"any", "all"}, default "any"
        Whether one source of a conjunction is enough, or all must match.
    program, platform, instrument_type, source_type, display_name, site : str or sequence of str, optional
        The same in other words.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order; a row without sources never stays.

    Raises
    ------
    AuroraxInputError
        If no argument but `how` is given, one is not text or is given in both words, `how` is neither of the two, or
        a value is the misspelt name of a source in the frame, in the bundled table or in a list of sources that was
        read in this session.

    Warns
    -----
    AuroraxDataWarning
        If a value is none of these names, and near to none. A known name of which the frame has no row gives no row.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> len(df.aurorax.select_sources(sites="GILL").aurorax.select_sources(platforms="swarmc"))
    2
    """
    values, every = wanted_values(
        how,
        programs=programs,
        platforms=platforms,
        instrument_types=instrument_types,
        source_types=source_types,
        display_names=display_names,
        sites=sites,
        program=program,
        platform=platform,
        instrument_type=instrument_type,
        source_type=source_type,
        display_name=display_name,
        site=site,
    )
    df = require(df, "select_sources", "data_sources")
    if len(df):
        _check_values(values, model.flatten(df["data_sources"]).fields)
    return rows_of_sources(df, values, every)


def wanted_values(how: str, **wanted: Any) -> tuple[dict[str, list[str]], bool]:
    """Return the values of `select_sources` by field of a source, and whether all sources of a row must have them."""
    every = choice("how", how, ("any", "all")) == "all"
    for word in wanted:
        if word.removesuffix("s") not in _CHOSEN_BY:
            known = [f"{field}s" for field in _CHOSEN_BY]
            raise AuroraxInputError(f"select_sources takes no {word}=; {suggestion(word, known)}")
    values = {}
    for field in _CHOSEN_BY:
        _, names = either_word(**{word: wanted.get(word) for word in (f"{field}s", field)})
        if names is not None:
            values[field] = names
    if not values:
        raise AuroraxInputError(f"select_sources needs {'=, '.join(f'{field}s' for field in _CHOSEN_BY)}=")
    return values, every


def rows_of_sources(df: pd.DataFrame, values: Mapping[str, Sequence[str]], every: bool) -> pd.DataFrame:
    """Return the rows in which some source, or every one, has the values; names are not looked up."""
    df = require(df, "select_sources", "data_sources")
    flat = model.flatten(df["data_sources"])
    hit = np.ones(len(flat.row), bool)
    for name, each in values.items():
        texts = pa.array([text.lower() for text in each], pa.string())
        found = _is_in(flat.fields["platform" if name == "site" else name], texts)
        if name in ("site", "platform"):
            found = model.compute.or_kleene(found, _is_in(source_sites(flat.fields), texts))
        if name == "site":
            found = model.compute.and_(model.compute.equal(flat.fields["source_type"], "ground"), found)
        hit &= found.fill_null(False).to_numpy(zero_copy_only=False)
    return df[_kept_rows(flat, hit, every)]


def _check_values(values: Mapping[str, Sequence[str]], fields: dict[str, pa.Array]) -> None:
    """Raise or warn where a value is no name of a source."""
    held = pd.DataFrame({name: field.to_pandas() for name, field in fields.items() if name != "identifier"})
    listed = pd.concat([known_sources(), held.drop_duplicates()])
    for argument, wanted in values.items():
        column = "platform" if argument == "site" else argument
        sources = listed[listed["source_type"] == "ground"] if argument == "site" else listed
        known = set(map(str, sources[column].dropna()))
        if column == "platform":
            known |= set(site_platforms())
        folded = {name.lower() for name in known}
        for value in wanted:
            if value.lower() not in folded:
                tell_of_unknown(argument, value, known, "no source that is known here")


def _is_in(values: pa.Array, lowered: pa.Array) -> pa.Array:
    return model.compute.is_in(model.compute.utf8_lower(values), lowered)


@typed
def deduplicate(df: pd.DataFrame, by: Literal["source", "site"] = "source") -> pd.DataFrame:
    """
    Keep each conjunction once.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, for example of several searches put together by `pandas.concat`.
    by : {"source", "site"}, default "source"
        ``"source"``: rows of one type, one set of data sources and one span are one conjunction; the first stays.
        ``"site"``: cameras that share a site count as one, too: of rows of one type between the same sites and
        spacecraft whose spans overlap, the closest stays (ties by start, then position).

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order.

    Raises
    ------
    AuroraxInputError
        If `by` is neither, the frame lacks a column that is compared, or by site a row has no start or no end.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> len(pd.concat([df, df]).aurorax.deduplicate())
    49
    """
    choice("by", by, ("source", "site"))
    df = require(df, "deduplicate", "data_sources", "conjunction_type", "start", "end", "min_distance")
    group = source_set_codes(df, by)
    start, end = df["start"].to_numpy(), df["end"].to_numpy()
    if by == "source":
        once = ~pd.DataFrame({"group": group, "start": start, "end": end}).duplicated().to_numpy()
        return df[once]
    refuse_broken_spans(df, "deduplicate")
    return df.iloc[np.sort(closest_positions(df, overlap_clusters(group, start, end)))]
