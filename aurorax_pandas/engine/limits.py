"""Which distances and criteria of a query the events of a frame were found by."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import as_list, suggestion
from aurorax_pandas.engine.matching import block_mask, block_variables, fills_block
from aurorax_pandas.ephemeris.arcs import ALIKE, longest_step
from aurorax_pandas.ephemeris.tracks import Floats, Tracks
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame import provenance
from aurorax_pandas.frame.model import SOURCE_FIELDS
from aurorax_pandas.query.query import Query, block_names
from aurorax_pandas.sources import SPACECRAFT

if TYPE_CHECKING:
    import xarray as xr

_Mask = npt.NDArray[np.bool_]

_CURE: Final = "give distance= as one number [km]"
#: The argument of each kind of block in a query.
_ARGUMENTS: Final = {"ground": "ground", "space": "space", "events": "events", "custom_locations": "adhoc"}
#: What a whole query holds.
_WHOLE: Final = {"start", "end", "max_distances", *_ARGUMENTS.values()}


def limits_of_events(
    events: pd.DataFrame, query: Mapping[str, Any] | None, distance: float | Mapping[str, float | None] | None
) -> Floats:
    """
    Return the largest distance of each event [km]; infinite where its pair of blocks has none.

    Parameters
    ----------
    events : pandas.DataFrame
        Events of `explode_events`.
    query : mapping, optional
        The query that they come from.
    distance : float or mapping, optional
        Distances to take in place of the query's: one for all, or a dict of pairs of blocks.

    Raises
    ------
    AuroraxInputError
        If they are not known or not clear, or above the query's.
    """
    if query is not None and not (isinstance(query, Mapping) and set(query) >= _WHOLE):
        # one of a foreign file, or of several searches
        query = None
    if distance is None and not query:
        raise AuroraxInputError(f"distance is missing, and the frame does not know its query; {_CURE}")
    known = _limits_by_query(events, query["max_distances"], query) if query else np.full(len(events), np.inf)
    if distance is None:
        wanted = known
    elif isinstance(distance, Mapping):
        if not query:
            raise AuroraxInputError(
                f"distance={dict(distance)!r} names blocks of a query that the frame does not know; {_CURE}"
            )
        wanted = _limits_by_query(events, _named_distances(query, distance), query)
    else:
        wanted = np.full(len(events), float(distance))
    if np.isnan(wanted).any():
        raise AuroraxInputError(
            f"distance: the query has none, or several, for {events['pair'][np.isnan(wanted)].iloc[0]}; {_CURE}"
        )
    if (wanted > known).any():
        above = int(np.argmax(wanted > known))
        raise AuroraxInputError(
            f"distance={wanted[above]:g} is above the {known[above]:g} km of the query: what lies between is not in the "
            "frame; search with the greater distance"
        )
    return wanted


def _named_distances(query: Mapping[str, Any], distance: Mapping[str, float | None]) -> Mapping[str, float | None]:
    """Return distances by the pairs of blocks of a query, as the query writes these."""
    blocks = {argument: query[name] for argument, name in _ARGUMENTS.items()}
    return Query.from_arguments(query["start"], query["end"], distance, **blocks).max_distances


def warn_of_narrow_search(
    df: pd.DataFrame, events: pd.DataFrame, distance: float | Mapping[str, float | None] | None
) -> None:
    """
    Warn where a search of epochs was no wider than what is asked for between them.

    Who comes within a distance between two epochs is within half the longest step more of it at the nearer one, for each
    source of a pair that moves.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions.
    events : pandas.DataFrame
        Their events.
    distance : float or mapping, optional
        The distances that are asked for, as in `limits_of_events`.

    Warns
    -----
    AuroraxDataWarning
        If the provenance does not show a search that was wider by that, nor, where it does not know the search, the
        distances of the events.
    """
    known = provenance.get_provenance(df.attrs)
    # what begins or ends between epochs was looked for there
    if known.get("precision") == provenance.CONTINUOUS or provenance.spans_are_exact(df):
        return
    queries = [query for query in as_list(known.get("query")) if set(query) >= _WHOLE]
    if not queries and not len(events):
        return
    margin = longest_step(provenance.step_of(df, None).to_timedelta64()) / 2
    searched = (
        _searched_distances(queries, distance) if queries else _seen_distances(events, float(cast("float", distance)))
    )
    for reached, wanted, moving in searched:
        needed = wanted + margin * moving
        if reached < needed - ALIKE:
            told = "the frame is of a search" if queries else "the frame does not know its search, and holds distances"
            warnings.warn(
                f"refine: {told} within {reached:.6g} km at its epochs, so that what comes within {wanted:.6g} km between two "
                f"of them alone may be missing; search with {needed:.6g} km or more and give distance={wanted:.6g} here, or "
                "search with continuous=True",
                AuroraxDataWarning,
                stacklevel=callers_level(),
            )
            return


def _searched_distances(
    queries: Iterable[Mapping[str, Any]], distance: float | Mapping[str, float | None] | None
) -> Iterator[tuple[float, float, int]]:
    """Return the distance of each limited pair of blocks, the one that is asked for, and how many of the two move."""
    for query in queries:
        named = _named_distances(query, distance) if isinstance(distance, Mapping) else None
        for pair, limit in query["max_distances"].items():
            wanted = limit if distance is None else named[pair] if named is not None else cast("float", distance)
            if limit is not None and wanted is not None:
                yield float(limit), float(wanted), sum(name.startswith("space") for name in pair.split("-"))


def _seen_distances(events: pd.DataFrame, distance: float) -> Iterator[tuple[float, float, int]]:
    """Return the same by the greatest distances of events, for a search cannot have been narrower."""
    moving = sum(events[f"{side}_source_type"].isin(SPACECRAFT).to_numpy(np.int64) for side in ("e1", "e2"))
    for count in np.unique(moving):
        yield float(events["max_distance"].to_numpy()[moving == count].max()), distance, int(count)


def _limits_by_query(events: pd.DataFrame, distances: Mapping[str, Any], query: Mapping[str, Any]) -> Floats:
    """Return the limit of each event by the blocks that its sources fill; NaN where these are none, or differ."""
    every = [float(limit) for limit in distances.values() if limit is not None]
    if len(every) == len(distances) and len(set(every)) == 1:
        return np.full(len(events), every[0])
    fills = [
        [fills_block(source_of_side(events, side), block, kind) for kind, block in _blocks(query)]
        for side in ("e1", "e2")
    ]
    names = block_names(*(len(query[name]) for name in ("ground", "space", "events", "adhoc")))
    low, high = np.full(len(events), np.inf), np.full(len(events), -1.0)
    for (one, first), (other, second) in itertools.combinations(enumerate(names), 2):
        given = distances.get(f"{first}-{second}")
        limit = np.inf if given is None else float(given)
        held = (fills[0][one] & fills[1][other]) | (fills[0][other] & fills[1][one])
        low[held], high[held] = np.minimum(low[held], limit), np.maximum(high[held], limit)
    return np.where(low == high, low, np.nan)


def _blocks(query: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(kind, block) for kind in ("ground", "space", "events", "adhoc") for block in query.get(kind) or ()]


def source_of_side(events: pd.DataFrame, side: str) -> pd.DataFrame:
    """Return the sources of one side of events, e1 or e2, by the six fields of a data source."""
    return events[[f"{side}_{name}" for name in SOURCE_FIELDS]].set_axis(list(SOURCE_FIELDS), axis=1)


def admitted_sources(
    sources: pd.DataFrame, queries: Iterable[Mapping[str, Any]], ephemeris: xr.Dataset, tracks: Tracks
) -> _Mask | None:
    """
    Tell at which epochs sources meet the criteria of a query, of several those of any.

    Parameters
    ----------
    sources : pandas.DataFrame
        The sources, by the six fields of a data source.
    queries : iterable of mapping
        The queries.
    ephemeris : xarray.Dataset
        An ephemeris.
    tracks : Tracks
        Where the sources are in it.

    Returns
    -------
    ndarray of bool, shape (source, epoch), optional
        For each distinct source, as the tracks number these; None where no query asks for a hemisphere or filters by metadata.

    Raises
    ------
    AuroraxInputError
        If the ephemeris lacks a variable that it filters by.
    """
    blocks = [block for query in queries for block in _blocks(query)]
    if not any(block_variables(block) for _, block in blocks):
        return None
    distinct, first = np.unique(tracks.distinct(np.arange(len(sources))), return_index=True)
    rows = tracks.rows(first)
    admitted = np.zeros((len(distinct), len(tracks.epochs)), bool)
    for kind, block in blocks:
        names = block_variables(block)
        for name in names:
            if name not in ephemeris.data_vars:
                raise AuroraxInputError(
                    f"ephemeris: there is no variable {name!r}, which the query filters by; "
                    f"{suggestion(name, [str(known) for known in ephemeris.data_vars])}"
                )
        filled = np.flatnonzero(fills_block(sources.iloc[first], block, kind))
        if not names:
            admitted[filled] = True
            continue
        held = filled[rows[filled] >= 0]
        admitted[held] |= np.broadcast_to(block_mask(ephemeris, rows[held], block), (len(held), len(tracks.epochs)))
    return admitted
