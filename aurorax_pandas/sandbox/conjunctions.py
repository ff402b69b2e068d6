"""The sandbox's searches for conjunctions: the recorded rows where there are any, else the engine's."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from aurorax_pandas.engine.find import search_ephemeris
from aurorax_pandas.engine.plan import check_searchable
from aurorax_pandas.ephemeris.coverage import holdings
from aurorax_pandas.frame.written import records_from_conjunctions
from aurorax_pandas.query.query import Query, block_names, describe_query
from aurorax_pandas.sandbox.holdings import Holdings
from aurorax_pandas.sandbox.jobs import Job, Work
from aurorax_pandas.sandbox.recording import RECORDED_BEFORE, is_recorded, recorded_rows

_KINDS = ("ground", "space", "events", "adhoc")

logger = logging.getLogger("aurorax_pandas.sandbox")


def conjunction_work(held: Holdings, query: Query) -> Work:
    """
    Return what answers a query, checked.

    Raises
    ------
    AuroraxInputError
        If it names what nobody has, asks for metadata or locations that the sandbox has not, or, where the sandbox is
        strict, for other times.
    """
    payload = query.payload
    held.check_window(payload["start"], payload["end"])
    names = block_names(*(len(payload[kind]) for kind in _KINDS))
    blocks: dict[str, list[Any]] = {kind: [held.block(block, kind) for block in payload[kind]] for kind in _KINDS[:3]}
    blocks["adhoc"] = payload["adhoc"]
    empty = [
        name
        for name, block in zip(names, (block for kind in _KINDS for block in blocks[kind]), strict=True)
        if not block
    ]
    wanted = {**payload, **blocks}
    recorded = held.bundled and is_recorded(payload)
    start = max(payload["start"], str(RECORDED_BEFORE)) if recorded else payload["start"]
    searched = not empty and held.has_epochs(start, payload["end"], query.subminute_precision)
    if not empty:
        # what the engine would refuse is refused before the search is taken
        check_searchable(held.ephemeris, wanted)

    def work(job: Job) -> list[dict[str, Any]]:
        if recorded:
            job.log("info", "Answered from a recorded search")
        if empty:
            job.log("info", f"sandbox: there is no data of {', '.join(empty)}")
            # who does not read the log of the search would take the empty frame for an answer
            logger.warning(
                "no rows for search %s: the sandbox has no data of %s; it holds %s",
                job.request_id, ", ".join(empty), holdings(held.ephemeris),
            )  # fmt: skip
        if searched:
            job.log("info", "Answered by the local engine from the sandbox's ephemeris")
        for kind in payload["conjunction_types"]:
            job.log("debug", f"Start search for {kind} conjunctions using query: {describe_query(payload)}")
        job.log(
            "debug",
            "Querying the database 1 times for this overall combination of criteria blocks and conjunction types. "
            "This log message will repeat 1 times during this search.",
        )
        records = recorded_rows(payload["start"], payload["end"]) if recorded else []
        if searched:
            records += records_from_conjunctions(search_ephemeris(held.ephemeris, {**wanted, "start": start}))
        _log_counts(job, records, np.timedelta64(30 if query.subminute_precision else 60, "s"))
        assumed = _resting_on_assumption(records, held.ephemeris.attrs.get("operation_assumed_after"))
        if assumed:
            job.log(
                "info",
                f"That cameras operate after {held.ephemeris.attrs['operation_assumed_after']} is assumed: "
                f"{assumed} of {len(records)} rows rest on it",
            )
        return records

    return work


def _log_counts(job: Job, records: list[dict[str, Any]], step: np.timedelta64) -> None:
    events = [event for record in records for event in record["events"]]
    starts, ends = (np.array([event[name] for event in events], "M8[us]") for name in ("start", "end"))
    epochs = int(np.round((ends - starts) / step).sum()) + len(events)
    job.log("debug", f"Found {epochs} single epoch events")
    job.log("debug", f"Reduced single events into {len(events)} continuous intervals")
    job.log("debug", f"Found {len(records)} super events")


def _resting_on_assumption(records: list[dict[str, Any]], known_until: str | None) -> int:
    """Count the records with a camera of which nobody knows whether it operated."""
    return sum(
        known_until is not None
        and record["start"] > known_until
        and any(source["source_type"] == "ground" for source in record["data_sources"])
        for record in records
    )
