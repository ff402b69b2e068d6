"""What the sandbox's searches do: their states, log lines and results."""

from __future__ import annotations

import datetime
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas import times
from aurorax_pandas.analysis.counts import minutes
from aurorax_pandas.engine.find import search_ephemeris
from aurorax_pandas.engine.matching import block_mask, block_variables, matching_sources, values_at
from aurorax_pandas.engine.plan import check_searchable
from aurorax_pandas.ephemeris.dataset import LOCATIONS, source_table
from aurorax_pandas.exceptions import AuroraxError, AuroraxInputError
from aurorax_pandas.frame.events import explode_events
from aurorax_pandas.frame.model import SOURCE_FIELDS
from aurorax_pandas.frame.written import records_from_conjunctions
from aurorax_pandas.query.blocks import SpaceCriteriaBlock, from_mapping
from aurorax_pandas.query.query import describe_query
from aurorax_pandas.samples import recorded_data, recorded_query

if TYPE_CHECKING:
    import xarray as xr

DEMONSTRATION: Final = "This is the aurorax_pandas sandbox, a demonstration on this machine, not the AuroraX service"

_RESULT: Final = (
    "completed_timestamp",
    "data_uri",
    "error_condition",
    "file_size",
    "query_duration",
    "result_count",
    "result_file_deleted_timestamp",
)
_PATHS: Final = {"conjunction": "conjunctions", "ephemeris": "ephemeris", "data_product": "data_products"}


class CancelledSearch(Exception):  # noqa: N818  (not an error: somebody asked for it)
    """The search was cancelled while it ran."""


def now() -> str:
    """Return the time as the service writes it."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat()


class Job:
    """
    One search on the server; `start` runs it in the background.

    Parameters
    ----------
    kind : {"conjunction", "ephemeris", "data_product"}
        What is searched for.
    query : dict
        The query as it came.
    work : callable
        Does the search: takes the job, gives the records.
    """

    def __init__(self, kind: str, query: Mapping[str, Any], work: Callable[[Job], list[dict[str, Any]]]) -> None:
        self.kind = kind
        self.request_id = str(query.get("request_id") or uuid.uuid4())
        self.records: list[dict[str, Any]] | None = None
        self.stalled = False
        self._work = work
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._request = {
            "query": dict(query),
            "request_id": self.request_id,
            "request_type": kind,
            "requested": now(),
        }
        self._result: dict[str, Any] = dict.fromkeys(_RESULT)
        self._logs: list[dict[str, str]] = []
        self.log("info", DEMONSTRATION)
        self.log("debug", "Search request arrived and saved")

    def log(self, level: str, summary: str) -> None:
        """Add a line to the log, and stop here if the search has been cancelled."""
        self._logs.append({"level": level, "summary": summary, "timestamp": now()})
        if self._cancelled.is_set() and not self._ended.is_set():
            raise CancelledSearch

    def start(self, *, fail: str | None = None, stall: bool = False) -> None:
        """Run the search in the background; `fail` ends it with that line, `stall` leaves it running."""
        threading.Thread(target=self._run, args=(fail, stall), name=f"search {self.request_id}", daemon=True).start()

    def _run(self, fail: str | None, stall: bool) -> None:
        begun = time.monotonic()
        try:
            self.log("info", f"Starting {self.kind} search for query {self.request_id}")
            if stall:
                self.stalled = True
                self._cancelled.wait()
            records = self._work(self)
            self.log("debug", "Saving results")
            if fail is not None:
                raise AuroraxError(fail)
        except CancelledSearch:
            self._end({"error_condition": True}, "error", "Search was cancelled")
        except Exception as error:
            # a search that ended without a word would be waited for for ever
            self._end({"error_condition": True}, "error", str(error) or type(error).__name__)
        else:
            seconds = time.monotonic() - begun
            self.records = records
            self.log("info", "Search completed")
            size = len(json.dumps({"result": records}))
            self.log("debug", f"File size is {size} bytes.")
            result = {
                "data_uri": f"/api/v1/{_PATHS[self.kind]}/requests/{self.request_id}/data",
                "error_condition": False,
                "file_size": size,
                "query_duration": round(1000 * seconds),
                "result_count": len(records),
            }
            self._end(result, "info", f"Finished search in {seconds:.2f} seconds and found {len(records)} records.")

    def _end(self, result: dict[str, Any], level: str, summary: str) -> None:
        self._ended.set()
        self.log(level, summary)
        self._result = {**self._result, **result, "completed_timestamp": now()}

    @property
    def is_done(self) -> bool:
        """Whether it has ended with a result."""
        return self._result["data_uri"] is not None

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        return {"search_request": self._request, "search_result": self._result, "logs": list(self._logs)}

    def cancel(self) -> None:
        """Stop it, and wait until it has."""
        self._cancelled.set()
        self._ended.wait(10)

    def delete_data(self) -> None:
        """Forget the result."""
        self.records = None
        self._result = {**self._result, "data_uri": None, "result_file_deleted_timestamp": now()}


def check_covered(ephemeris: xr.Dataset, start: str, end: str) -> None:
    """Raise where a window is not inside the ephemeris, so that no answer is made up."""
    epochs = ephemeris["epoch"].values
    step = epochs[1] - epochs[0] if len(epochs) > 1 else np.timedelta64(60, "s")
    if np.datetime64(start) < epochs[0] or np.datetime64(end) >= epochs[-1] + step:
        first, last = (np.datetime_as_string(epoch, "s") for epoch in epochs[[0, -1]])
        raise AuroraxInputError(
            f"the sandbox is a demonstration and has ephemeris from {first} to {last} only, no recording of "
            f"{start} to {end}"
        )


def conjunction_work(ephemeris: xr.Dataset, query: dict[str, Any]) -> Callable[[Job], list[dict[str, Any]]]:
    """Return what answers a query, checked: the recording where it is the recorded one, else the engine."""
    if query == recorded_query():
        return _recorded
    check_covered(ephemeris, query["start"], query["end"])
    # what the engine would refuse is refused before the search is taken
    check_searchable(ephemeris, query)

    def work(job: Job) -> list[dict[str, Any]]:
        job.log("info", "Answered by the local engine from the sandbox's ephemeris")
        for kind in query["conjunction_types"]:
            sentence = describe_query(query)
            job.log("debug", f"Start search for {kind} conjunctions using query: {sentence}")
        job.log(
            "debug",
            "Querying the database 1 times for this overall combination of criteria blocks and conjunction types. "
            "This log message will repeat 1 times during this search.",
        )
        df = search_ephemeris(ephemeris, query)
        step = pd.Timedelta(seconds=30 if query.get("subminute_precision") else 60)
        events = explode_events(df)
        epochs = round(float(minutes(events, step).sum()) * (pd.Timedelta("1min") / step))
        job.log("debug", f"Found {epochs} single epoch events")
        job.log("debug", f"Reduced single events into {len(events)} continuous intervals")
        job.log("debug", f"Found {len(df)} super events")
        return records_from_conjunctions(df)

    return work


def _recorded(job: Job) -> list[dict[str, Any]]:
    job.log("info", "Answered from a recorded search")
    records: list[dict[str, Any]] = json.loads(recorded_data())["result"]
    return records


def ephemeris_work(ephemeris: xr.Dataset, body: Any) -> Callable[[Job], list[dict[str, Any]]]:
    """Return what searches for the records of an ephemeris query, checked."""
    if not isinstance(body, dict) or not isinstance(body.get("data_sources"), dict):
        raise AuroraxInputError("an ephemeris query needs 'start', 'end' and 'data_sources'")
    start, end = (times.to_utc(name, body.get(name)) for name in ("start", "end"))
    check_covered(ephemeris, start.isoformat(), end.isoformat())
    block = from_mapping("data_sources", body["data_sources"], SpaceCriteriaBlock).to_query()
    sources = matching_sources(source_table(ephemeris), block)
    for name in block_variables(block):
        if name not in ephemeris.data_vars:
            raise AuroraxInputError(f"metadata: there is no {name!r}")

    def work(job: Job) -> list[dict[str, Any]]:
        job.log("info", "Answered from the sandbox's ephemeris")
        window = ephemeris.sel(epoch=slice(start.to_datetime64(), end.to_datetime64()))
        return _ephemeris_records(window, sources, block)

    return work


def _ephemeris_records(
    window: xr.Dataset, sources: np.ndarray[Any, Any], block: Mapping[str, Any]
) -> list[dict[str, Any]]:
    table = source_table(window)[list(SOURCE_FIELDS)].to_dict("records")
    epochs = np.datetime_as_string(window["epoch"].values, unit="s").tolist()
    names = {"geo": "location_geo", "nbtrace": "nbtrace", "sbtrace": "sbtrace"}
    locations = {
        names[prefix]: np.stack(
            [window[f"{prefix}_{part}"].transpose("source", "epoch").values for part in ("lat", "lon")], -1
        )
        for prefix in LOCATIONS.values()
        if f"{prefix}_lat" in window
    }
    every, shape = np.arange(window.sizes["source"]), (window.sizes["source"], window.sizes["epoch"])
    metadata = {
        name: np.broadcast_to(values_at(window, str(name), every), shape)
        for name in window.data_vars
        if not str(name).endswith(("_lat", "_lon"))
    }
    known = np.any([np.isfinite(pairs[..., 0]) for pairs in locations.values()], axis=0)[sources]
    wanted = known & block_mask(window, sources, block)
    records = []
    for row, column in zip(*np.nonzero(wanted), strict=True):
        source = int(sources[row])
        record: dict[str, Any] = {
            "data_source": table[source],
            "epoch": epochs[column],
            "location_gsm": _location([np.nan, np.nan]),
        }
        record |= {name: _location(pairs[source, column]) for name, pairs in locations.items()}
        values = {str(name): grid[source, column] for name, grid in metadata.items()}
        record["metadata"] = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in values.items()
            if value == value
        }
        records.append(record)
    return records


def _location(pair: Any) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else float(value) for name, value in zip(("lat", "lon"), pair, strict=True)}


def availability(ephemeris: xr.Dataset, start: str, end: str) -> list[dict[str, Any]]:
    """Count the ephemeris records of each source and day."""
    window = ephemeris.sel(epoch=slice(np.datetime64(start, "D"), np.datetime64(end, "D") + np.timedelta64(86399, "s")))
    days = window["epoch"].values.astype("M8[D]")
    known = np.any(
        [
            np.isfinite(window[f"{prefix}_lat"].transpose("source", "epoch").values)
            for prefix in LOCATIONS.values()
            if f"{prefix}_lat" in window
        ],
        axis=0,
    )
    asked = np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + 1)
    return [
        {
            "data_source": source,
            "available_ephemeris": {str(day): int(has[days == day].sum()) for day in asked},
            "available_data_products": None,
        }
        for source, has in zip(source_table(window).to_dict("records"), known, strict=True)
    ]
