"""Conjunctions found on this machine, in any ephemeris, by the service's rules."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Unpack

import numpy as np
import pandas as pd

from aurorax_pandas.checks import invalid
from aurorax_pandas.engine.assembly import Found, assemble
from aurorax_pandas.engine.continuous import Between, heights_of, in_geodetic_latitude, unit_of
from aurorax_pandas.engine.plan import Plan, make_plan, variables_of
from aurorax_pandas.engine.stage import Stage
from aurorax_pandas.ephemeris.coverage import check_window
from aurorax_pandas.ephemeris.dataset import (
    LOCATIONS,
    densify,
    ephemeris_provenance,
    locations_of,
    measured_ephemeris,
    step_of_epochs,
)
from aurorax_pandas.ephemeris.extents import Extents, measure_extents
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.stitch import stitch_within
from aurorax_pandas.query.query import Query, QueryArguments
from aurorax_pandas.signatures import CALLS_OF_OTHERS, meeting, showing
from aurorax_pandas.sources import SPACECRAFT

if TYPE_CHECKING:
    import xarray as xr

_SUBMINUTE: Final = np.timedelta64(30, "s")


@typed
@meeting(**CALLS_OF_OTHERS)
@showing(Query.from_arguments)
def find_conjunctions(
    ephemeris: xr.Dataset,
    start: Any = None,
    end: Any = None,
    distance: float | Mapping[str, float | None] | None = None,
    *,
    continuous: bool = False,
    geodetic: bool = False,
    **arguments: Unpack[QueryArguments],
) -> pd.DataFrame:
    """
    Find conjunctions in an ephemeris, without the service and by its rules.

    At each epoch of the Dataset in the window, locations of one source from each criteria block are compared:
    great-circle distances on a sphere of radius 6371 km, latitudes as they are. Consecutive epochs at which every pair
    of blocks is within its distance are one conjunction. A source without a location (NaN) is in none.

    Parameters
    ----------
    ephemeris : xarray.Dataset
        Who is where; see `check_ephemeris`. A chunked one (Dask) is read chunk by chunk, in parallel.
    start, end : anything that `pandas.Timestamp` takes, optional
        Window, inclusive, UTC; by default all of the ephemeris.
    distance : float or dict
        Largest distance [km] for every pair of blocks, or a dict of pairs; None means no limit. It is compared at the
        epochs alone: at one a minute most passes closer than 100 km are lost between them, see `continuous`.
    ground, space, events, custom_locations : criteria block, dict, or sequence of them
        Who takes part, as in `read_aurorax_conjunctions`. Metadata filters read variables of the Dataset.
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, optional
        Which locations are compared; by default ``"nbtrace"``. A finished query has its own.
    subminute_precision : bool, optional
        Whether locations are interpolated on the sphere to epochs every 30 s.
    continuous : bool, default False
        Whether to find every span in which locations interpolated along great circles are within the distance, between
        epochs too, in place of the epochs alone: at one epoch a minute, most close passes lie between them. There is no
        way over a gap, nor over a step of more than 900 km a minute, which is a field line that jumps; an epoch beside
        one counts for itself. `start` and `end` are where the distance is crossed, to a millisecond; ``min_distance``
        and ``closest_epoch`` the interpolated minimum, ``max_distance`` the greatest distance of the span. Of three and
        more blocks the spans of all pairs that have a limit are intersected. Criteria hold from one epoch to the next
        where they hold at both.
    geodetic : bool, default False
        With `continuous`, whether to compare geodetic latitudes, as `closest_approach` does, in place of those that the
        service has.
    query : dict, str or pathlib.Path, optional
        A finished query in place of all the above.

    Returns
    -------
    pandas.DataFrame
        The frame of `read_aurorax_conjunctions`, checked. ``events`` holds the pairs that have a limit. With three and
        more blocks the distance at an epoch is that of the widest of these pairs. That is a convention: the service
        does not say what its distance of three and more sources is, and one published search contradicts it. The
        events have the distances of each pair. Sources that meet in more than one role meet once.

    Raises
    ------
    AuroraxInputError
        If an argument, a name, a metadata variable or a trace is not there, or the ephemeris is not sound.
    AuroraxDataError
        If the ephemeris has no epoch in the window, or no source for a criteria block.

    Warns
    -----
    AuroraxDataWarning
        If a part of the window is outside the ephemeris, a spacecraft has no position at some of its epochs, or a name
        has no source while others of its block have one.

    Examples
    --------
    >>> import aurorax_pandas
    >>> sample = aurorax_pandas.load_sample_ephemeris()
    >>> df = aurorax_pandas.find_conjunctions(sample, "2020-01-01", "2020-01-01T06:59:59", 500,
    ...                                       ground={"programs": "themis-asi"}, space={"programs": "swarm"})
    >>> len(df)
    49
    """
    measured = measured_ephemeris(ephemeris)
    epochs = ephemeris["epoch"].values
    if len(epochs) == 0:
        raise AuroraxInputError("ephemeris: there are no epochs")
    if arguments.get("query") is None:
        # queries are in whole seconds
        start = epochs[0].astype("M8[s]") if start is None else start
        end = pd.Timestamp(epochs[-1]).ceil("s") if end is None else end
    payload = Query.from_arguments(start, end, distance, **arguments).payload
    if not isinstance(continuous, bool) or not isinstance(geodetic, bool):
        argument, value = ("geodetic", geodetic) if isinstance(continuous, bool) else ("continuous", continuous)
        raise invalid(argument, value, "True or False")
    if geodetic and not continuous:
        raise AuroraxInputError("geodetic=True compares between epochs alone; give continuous=True too")
    if continuous and payload.get("subminute_precision"):
        raise AuroraxInputError(
            "continuous=True finds what lies between half-minutes too; leave subminute_precision out"
        )
    plan = replace(make_plan(ephemeris, payload, lenient=True), continuous=continuous, geodetic=geodetic)
    variables_of(ephemeris, plan, measured)
    craft = np.unique(np.concatenate([role.sources for role in plan.roles]))
    craft = craft[np.isin(plan.table["source_type"].to_numpy(object)[craft], SPACECRAFT)]
    check_window(
        "find_conjunctions",
        ephemeris,
        plan.window.start,
        plan.window.stop,
        unmatched=plan.unmatched,
        craft=craft,
        step=_step_searched(ephemeris, plan),
    )
    return _searched(ephemeris, payload, plan, measured)


def search_ephemeris(ephemeris: xr.Dataset, query: dict[str, Any]) -> pd.DataFrame:
    """Return the conjunctions of a query in an ephemeris, as `find_conjunctions`, which also checks what it covers."""
    return _searched(ephemeris, query, make_plan(ephemeris, query), measured_ephemeris(ephemeris))


def _searched(
    ephemeris: xr.Dataset, payload: dict[str, Any], plan: Plan, measured: Mapping[str, Extents]
) -> pd.DataFrame:
    from aurorax_pandas.frame.validation import check_kind

    found = _run_plan(ephemeris, plan, measured)
    origin = provenance.make_provenance(query=payload)
    origin |= ephemeris_provenance(ephemeris, plan.window, _step_searched(ephemeris, plan))
    if plan.continuous:
        latitudes = "geodetic" if plan.geodetic else "as the service has them"
        origin |= {"precision": provenance.CONTINUOUS, "latitudes": latitudes}
    found.attrs[provenance.KEY] = origin
    return check_kind(found, "conjunctions")


def _step_searched(ephemeris: xr.Dataset, plan: Plan) -> np.timedelta64:
    """Return the time between the instants that are searched, zero for all instants."""
    if plan.continuous:
        return np.timedelta64(0, "us")
    own = step_of_epochs(ephemeris["epoch"].values)
    return min(own, _SUBMINUTE) if plan.subminute else own


def _run_plan(ephemeris: xr.Dataset, plan: Plan, measured: Mapping[str, Extents]) -> pd.DataFrame:
    epochs = ephemeris["epoch"].values.astype("M8[us]")
    first = int(np.searchsorted(epochs, plan.window.start))
    last = int(np.searchsorted(epochs, plan.window.stop, side="right"))
    if plan.interpolates:
        # what lies between epochs is interpolated from those around it
        first, last = max(first - 1, 0), last + 1
    names = variables_of(ephemeris, plan, measured)
    if plan.geodetic and "geographic" in plan.types:
        names = list(dict.fromkeys([*names, *heights_of(ephemeris)]))
    # variables may be chunked each in its own way
    window = ephemeris[[*names, *model.SOURCE_FIELDS]].isel(epoch=slice(first, last)).unify_chunks()
    own = step_of_epochs(epochs)
    # spans that are exact and touch are one; those of epochs reach from one to the next
    gap = _step_searched(ephemeris, plan)
    if "epoch" in window.chunksizes:
        pieces = [piece for piece in _chunked_pieces(window, plan, own) if len(piece)]
        return stitch_within(pd.concat(pieces), gap) if pieces else model.empty_conjunctions()
    found = _found(window, plan, measured, own)
    if plan.once and len(found) == len(plan.types):
        return assemble(found, list(plan.limits), plan.table, unit_of(own) if plan.continuous else gap)
    # rows that were cut, or that hold the same sources in other roles, are one
    return stitch_within(assemble(found, list(plan.limits), plan.table), gap)


def _chunked_pieces(window: xr.Dataset, plan: Plan, step: np.timedelta64) -> list[pd.DataFrame]:
    from dask.base import compute
    from dask.delayed import delayed

    edges = np.cumsum([0, *window.chunksizes["epoch"]])
    parts = []
    for begin, stop in itertools.pairwise(edges):
        # interpolation needs the first epoch of the next chunk; stitching takes the overlap away
        part = window.isel(epoch=slice(int(begin), int(stop) + int(plan.interpolates)))
        parts.append(delayed(_piece)(part, plan, step))
    return list(compute(*parts))


def _piece(window: xr.Dataset, plan: Plan, step: np.timedelta64) -> pd.DataFrame:
    # what is chunked has not been looked at before
    for kind in plan.types if plan.subminute else ():
        measure_extents(*locations_of(window, LOCATIONS[kind]), LOCATIONS[kind])
    return assemble(_found(window, plan, {}, step), list(plan.limits), plan.table)


def _found(window: xr.Dataset, plan: Plan, measured: Mapping[str, Extents], step: np.timedelta64) -> list[Found]:
    """Search each type; locations that are not measured yet are so here."""
    if plan.subminute:
        window, measured = densify(window, _SUBMINUTE).sel(epoch=plan.window), {}
    found: list[Found] = []
    for kind in plan.types:
        prefix = LOCATIONS[kind]
        reach = measured.get(prefix) or measure_extents(*locations_of(window, prefix), prefix)
        compared = window
        if plan.geodetic:
            # criteria ask about the ephemeris as it was given
            compared = in_geodetic_latitude(window, kind)
            reach = measure_extents(*locations_of(compared, prefix), prefix)
        if plan.continuous:
            found.append(Between(compared, plan, kind, reach, window, step).between())
        else:
            found += Stage(window, plan, kind, reach).search()
    return found
