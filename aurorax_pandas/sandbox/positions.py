"""The sandbox's searches for ephemeris, and on which days it has how much."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aurorax_pandas import times
from aurorax_pandas.engine.matching import block_mask, block_variables, fills_block, values_at
from aurorax_pandas.ephemeris.records import WIRE_NAMES
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.query.blocks import GroundCriteriaBlock, from_mapping
from aurorax_pandas.sandbox.holdings import Holdings
from aurorax_pandas.sandbox.jobs import Job, Work
from aurorax_pandas.sandbox.words import FILTERS

#: Availability is told of no longer a time than this.
MOST_DAYS: Final = 3_660


def read_records_query(path: str, body: Any) -> tuple[dict[str, Any], str, str]:
    """Return the block of a query of ephemeris or data products, and its window, inclusive, UTC; checked."""
    if not isinstance(body, dict) or not isinstance(body.get("data_sources"), dict):
        raise AuroraxInputError("the query needs 'start', 'end' and 'data_sources'")
    start, end = times.window(body.get("start"), body.get("end"))
    given = dict(body["data_sources"])
    if path == "data_products":
        given["ephemeris_metadata_filters"] = given.pop(FILTERS[path], None)
    # the service takes a hemisphere here and does nothing with it
    given.pop("hemisphere", None)
    return from_mapping("data_sources", given, GroundCriteriaBlock).to_query(), start, end


def ephemeris_work(held: Holdings, block: Mapping[str, Any], start: str, end: str) -> Work:
    """Return what searches for the records of a query of ephemeris, checked."""
    held.check_window(start, end)
    there = held.block(block)
    known = sorted({name for names in held.metadata for name in names})
    for name in block_variables(block):
        if name not in known:
            raise AuroraxInputError(f"there is no metadata {name!r}; there are {', '.join(known)}")

    def work(job: Job) -> list[dict[str, Any]]:
        job.log("info", "Answered from the sandbox's ephemeris")
        return [] if there is None else _ephemeris_records(held, there, start, end)

    return work


def _ephemeris_records(held: Holdings, block: Mapping[str, Any], start: str, end: str) -> list[dict[str, Any]]:
    epochs = held.ephemeris["epoch"].values
    during = slice(*np.searchsorted(epochs, np.array([start, end], "M8[us]") + np.array([0, 1], "m8[us]")))
    sources = np.flatnonzero(fills_block(held.table, block, None))
    window = held.ephemeris.isel(epoch=during)
    wanted = held.present[sources, during] & block_mask(window, sources, block)
    names = np.datetime_as_string(epochs[during], unit="s").tolist()
    table = held.table.to_dict("records")
    metadata = {name for source in sources for name in held.metadata[source]}
    locations = {
        wire: [window[f"{prefix}_{part}"].transpose("source", "epoch").values for part in ("lat", "lon")]
        for prefix, wire in WIRE_NAMES.items()
        if f"{prefix}_lat" in window
    }
    shape = (len(table), len(names))
    values = {name: np.broadcast_to(values_at(window, name, np.arange(len(table))), shape) for name in sorted(metadata)}
    records = []
    for row, column in zip(*np.nonzero(wanted), strict=True):
        at = int(sources[row]), int(column)
        # a place that is not there is a pair without numbers, as clients that look for these need it
        places: dict[str, dict[str, float | None]] = {
            name: {"lat": None, "lon": None} for name in (*WIRE_NAMES.values(), "location_gsm")
        }
        places |= {name: _lat_and_lon(lat[at], lon[at]) for name, (lat, lon) in locations.items()}
        found = {name: _json_value(grid[at]) for name, grid in values.items() if grid[at] == grid[at]}
        records.append({"data_source": table[at[0]], "epoch": names[at[1]], **places, "metadata": found})
    return records


def _json_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _lat_and_lon(lat: Any, lon: Any) -> dict[str, float | None]:
    known = bool(np.isfinite(lat) and np.isfinite(lon))
    return {"lat": float(lat) if known else None, "lon": float(lon) if known else None}


def read_days(first: Any, last: Any) -> list[str]:
    """Return the days from a first to a last one, or raise where they are none or too many."""
    refusal = AuroraxInputError(f"start and end are days, YYYY-MM-DD, in order, {MOST_DAYS} of them at most")
    try:
        begin = datetime.date.fromisoformat(first)
        count = (datetime.date.fromisoformat(last) - begin).days + 1
    except (TypeError, ValueError):
        raise refusal from None
    if not 0 < count <= MOST_DAYS:
        raise refusal
    return [str(begin + datetime.timedelta(days=number)) for number in range(count)]


def days_of_ephemeris(held: Holdings, days: list[str]) -> dict[int, dict[str, int]]:
    """Count the records of each source of the ephemeris, by its position, on each day."""
    there = np.datetime_as_string(held.ephemeris["epoch"].values, "D")
    distinct, at = np.unique(there, return_inverse=True)
    counts: list[npt.NDArray[np.int64]] = [
        np.bincount(at[present], minlength=len(distinct)) for present in held.present
    ]
    none = dict.fromkeys(days, 0)
    return {
        place: none | {day: int(count) for day, count in zip(distinct, each, strict=True) if day in none}
        for place, each in enumerate(counts)
    }
