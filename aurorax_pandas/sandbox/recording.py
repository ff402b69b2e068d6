"""The recorded search, minute by minute, so that any window of it has its part of the recorded rows."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aurorax_pandas.frame.answers import write_times
from aurorax_pandas.geometry import great_circle_distance
from aurorax_pandas.samples import OPERATION_KNOWN_UNTIL, load_sample_ephemeris, recorded_data, recorded_query

#: The first instant after the recording.
RECORDED_BEFORE: Final = OPERATION_KNOWN_UNTIL + np.timedelta64(60, "s")

_MINUTE: Final = np.timedelta64(60, "s")


@dataclass(frozen=True)
class _RecordedRow:
    """A record, its minutes, and the distance at each [km]: recorded where it is the least or the greatest."""

    record: dict[str, Any]
    epochs: npt.NDArray[np.datetime64]
    distances: npt.NDArray[np.float64]


def is_recorded(payload: Mapping[str, Any]) -> bool:
    """Tell whether a search is the recorded one, whatever its window."""
    return _timeless(payload) == _timeless(recorded_query())


def _timeless(payload: Mapping[str, Any]) -> dict[str, Any]:
    # that half-minutes are not wanted is what the service does unasked
    left_out = {"start", "end", *(() if payload.get("subminute_precision") else ("subminute_precision",))}
    return {name: value for name, value in payload.items() if name not in left_out}


def recorded_rows(start: str, end: str) -> list[dict[str, Any]]:
    """Return the records of the recorded search in a window; one that the window cuts has the minutes inside it."""
    first, last = np.datetime64(start, "s"), np.datetime64(end, "s")
    found = []
    for row in _recorded_minutes():
        inside = (row.epochs >= first) & (row.epochs <= last)
        if inside.any():
            found.append(copy.deepcopy(row.record) if inside.all() else _row_inside(row, inside))
    return found


def _row_inside(row: _RecordedRow, inside: npt.NDArray[np.bool_]) -> dict[str, Any]:
    epochs, distances = row.epochs[inside], row.distances[inside]
    near, far = int(np.argmin(distances)), int(np.argmax(distances))
    start, end, closest, farthest = write_times(epochs[[0, -1, near, far]])
    span = {"start": start, "end": end, "min_distance": distances[near].item(), "max_distance": distances[far].item()}
    return {
        **copy.deepcopy(row.record),
        **span,
        "closest_epoch": closest,
        "farthest_epoch": farthest,
        "events": [{**event, **span} for event in copy.deepcopy(row.record["events"])],
    }


@functools.cache
def _recorded_minutes() -> list[_RecordedRow]:
    sample = load_sample_ephemeris()
    lat, lon = (sample[f"nbtrace_{part}"].transpose("source", "epoch").values for part in ("lat", "lon"))
    place = {identifier: number for number, identifier in enumerate(sample["identifier"].values.tolist())}
    times = sample["epoch"].values
    rows = []
    for record in json.loads(recorded_data())["result"]:
        epochs = np.arange(np.datetime64(record["start"], "s"), np.datetime64(record["end"], "s") + _MINUTE, _MINUTE)
        at = np.searchsorted(times, epochs)
        one, other = (place[source["identifier"]] for source in record["data_sources"])
        computed = great_circle_distance(lat[one, at], lon[one, at], lat[other, at], lon[other, at])
        least, greatest = record["min_distance"], record["max_distance"]
        # between the two that were recorded, so that parts of a row join to the row itself
        distances = np.clip(computed, np.nextafter(least, np.inf), np.nextafter(greatest, -np.inf))
        distances[epochs == np.datetime64(record["farthest_epoch"], "s")] = greatest
        distances[epochs == np.datetime64(record["closest_epoch"], "s")] = least
        rows.append(_RecordedRow(record, epochs, distances))
    return rows
