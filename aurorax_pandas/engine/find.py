"""Conjunctions found on this machine, in any ephemeris, by the service's rules."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Unpack

import numpy as np
import pandas as pd

from aurorax_pandas.engine.assembly import Found, assemble
from aurorax_pandas.engine.plan import Plan, make_plan, variables_of
from aurorax_pandas.engine.stage import Stage
from aurorax_pandas.ephemeris.dataset import LOCATIONS, densify, locations_of, measured_ephemeris
from aurorax_pandas.ephemeris.extents import Extents, measure_extents
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.stitch import stitch
from aurorax_pandas.query.query import Query, QueryArguments
from aurorax_pandas.signatures import showing

if TYPE_CHECKING:
    import xarray as xr

_SUBMINUTE: Final = np.timedelta64(30, "s")


@typed
@showing(Query.from_arguments)
def find_conjunctions(
    ephemeris: xr.Dataset,
    start: Any = None,
    end: Any = None,
    distance: float | Mapping[str, float | None] | None = None,
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
        Largest distance [km] for every pair of blocks, or a dict of pairs; None means no limit.
    ground, space, events, custom_locations : criteria block, dict, or sequence of them
        Who takes part, as in `read_aurorax_conjunctions`. Metadata filters read variables of the Dataset.
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, optional
        Which locations are compared; by default ``"nbtrace"``. A finished query has its own.
    subminute_precision : bool, optional
        Whether locations are interpolated on the sphere to epochs every 30 s.
    query : dict, str or pathlib.Path, optional
        A finished query in place of all the above.

    Returns
    -------
    pandas.DataFrame
        The frame of `read_aurorax_conjunctions`, checked. ``events`` holds the pairs that have a limit. The
        distance at an epoch is that of the widest of these; this is our reading of the service's published numbers
        for three and more sources, which do not settle it. Sources that meet in more than one role meet once.

    Raises
    ------
    AuroraxInputError
        If an argument, a source, a metadata variable or a trace is not there, or the ephemeris is not sound.

    Examples
    --------
    >>> import aurorax_pandas
    >>> sample = aurorax_pandas.load_sample_ephemeris()
    >>> df = aurorax_pandas.find_conjunctions(sample, "2020-01-01", "2020-01-01T06:59:59", 500,
    ...                                       ground={"programs": "themis-asi"}, space={"programs": "swarm"})
    >>> len(df)
    49
    """
    from aurorax_pandas.frame.schema import ConjunctionSchema, validate

    measured = measured_ephemeris(ephemeris)
    if arguments.get("query") is None:
        epochs = ephemeris["epoch"].values
        if len(epochs) == 0:
            raise AuroraxInputError("ephemeris: there are no epochs")
        # queries are in whole seconds
        start = epochs[0].astype("M8[s]") if start is None else start
        end = pd.Timestamp(epochs[-1]).ceil("s") if end is None else end
    payload = Query.from_arguments(start, end, distance, **arguments).payload
    found = _run(ephemeris, payload, measured)
    found.attrs[provenance.KEY] = provenance.make_provenance(query=payload)
    return validate(found, ConjunctionSchema)


def _run(ephemeris: xr.Dataset, payload: dict[str, Any], measured: Mapping[str, Extents]) -> pd.DataFrame:
    plan = make_plan(ephemeris, payload)
    epochs = ephemeris["epoch"].values.astype("M8[us]")
    first = int(np.searchsorted(epochs, np.datetime64(payload["start"], "us")))
    last = int(np.searchsorted(epochs, np.datetime64(payload["end"], "us"), side="right"))
    if plan.subminute:
        # what lies between epochs is interpolated from those around it
        first, last = max(first - 1, 0), last + 1
    names = variables_of(ephemeris, plan, measured)
    window = ephemeris[[*names, *model.SOURCE_FIELDS]].isel(epoch=slice(first, last))
    own = epochs[1] - epochs[0] if len(epochs) > 1 else np.timedelta64(60, "s")
    step = min(own, _SUBMINUTE) if plan.subminute else own
    if window.chunks:
        pieces = [piece for piece in _chunked_pieces(window, plan) if len(piece)]
        return stitch(pd.concat(pieces), pd.Timedelta(step)) if pieces else model.empty_conjunctions()
    found = _found(window, plan, measured)
    if plan.once and len(found) == len(plan.types):
        return assemble(found, list(plan.limits), plan.table, step)
    # rows that were cut, or that hold the same sources in other roles, are one
    return stitch(assemble(found, list(plan.limits), plan.table), pd.Timedelta(step))


def _chunked_pieces(window: xr.Dataset, plan: Plan) -> list[pd.DataFrame]:
    from dask.base import compute
    from dask.delayed import delayed

    edges = np.cumsum([0, *window.chunksizes["epoch"]])
    parts = []
    for begin, stop in itertools.pairwise(edges):
        # interpolation needs the first epoch of the next chunk; stitching takes the overlap away
        part = window.isel(epoch=slice(int(begin), int(stop) + int(plan.subminute)))
        parts.append(delayed(_piece)(part, plan))
    return list(compute(*parts))


def _piece(window: xr.Dataset, plan: Plan) -> pd.DataFrame:
    # what is chunked has not been looked at before
    for kind in plan.types if plan.subminute else ():
        measure_extents(*locations_of(window, LOCATIONS[kind]), LOCATIONS[kind])
    return assemble(_found(window, plan, {}), list(plan.limits), plan.table)


def _found(window: xr.Dataset, plan: Plan, measured: Mapping[str, Extents]) -> list[Found]:
    """Search each type; locations that are not measured yet are so here."""
    if plan.subminute:
        window, measured = densify(window, _SUBMINUTE).sel(epoch=plan.window), {}
    found: list[Found] = []
    for kind in plan.types:
        prefix = LOCATIONS[kind]
        reach = measured.get(prefix) or measure_extents(*locations_of(window, prefix), prefix)
        found += Stage(window, plan, kind, reach).search()
    return found
