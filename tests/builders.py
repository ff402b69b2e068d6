"""Records of the service, single ones and strategies for many, and the events that they are to give."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

ORIGIN = datetime(2020, 1, 1)
EVENT_COLUMNS = [
    "conjunction", "conjunction_label", "conjunction_type",
    "e1_identifier", "e1_program", "e1_platform", "e1_instrument_type", "e1_source_type", "e1_display_name",
    "e2_identifier", "e2_program", "e2_platform", "e2_instrument_type", "e2_source_type", "e2_display_name",
    "pair", "start", "end", "min_distance", "max_distance", "closest_epoch",
]  # fmt: skip


def source(
    identifier: int, display_name: str, source_type: str = "leo", program: str = "swarm", platform: str = ""
) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "program": program,
        "platform": platform or display_name.lower().replace(" ", ""),
        "instrument_type": "panchromatic ASI" if source_type == "ground" else "footprint",
        "source_type": source_type,
        "display_name": display_name,
    }


ATHA = source(44, "THEMIS-ASI ATHA", "ground", "themis-asi", "athabasca")
REGO_ATHA = source(80, "REGO ATHA", "ground", "rego", "athabasca")
GILL = source(46, "THEMIS-ASI GILL", "ground", "themis-asi", "gillam")
SWARM_A = source(3, "Swarm A")
SWARM_B = source(29, "Swarm B")
THEMIS_A = source(33, "THEMIS-A", "heo", "themis")
ALL_SOURCES = [ATHA, REGO_ATHA, GILL, SWARM_A, SWARM_B, THEMIS_A]


def at(minute: float) -> str:
    return (ORIGIN + timedelta(minutes=minute)).isoformat()


def event(e1: dict, e2: dict, start: int = 0, end: int = 1, low: float = 100.0, high: float = 200.0) -> dict[str, Any]:
    return {
        "conjunction_type": "nbtrace",
        "e1_source": dict(e1),
        "e2_source": dict(e2),
        "start": at(start),
        "end": at(end),
        "min_distance": low,
        "max_distance": high,
    }


def record(
    start: int = 0,
    end: int = 1,
    *,
    sources: tuple[dict, ...] = (ATHA, SWARM_A),
    events: list[dict] | None = None,
    low: float = 100.0,
    high: float = 200.0,
    closest: int | str | None = "start",
    **changes: Any,
) -> dict[str, Any]:
    if events is None:
        events = [event(*sources[:2], start, end, low, high)]
    made = {
        "conjunction_type": "nbtrace",
        "start": at(start),
        "end": at(end),
        "data_sources": [dict(one) for one in sources],
        "min_distance": low,
        "max_distance": high,
        "events": events,
        "closest_epoch": None if closest is None else at(start if closest == "start" else closest),
        "farthest_epoch": None,
    }
    return {**made, **changes}


def many(count: int, pairs: int = 1, minutes: int = 600) -> list[dict[str, Any]]:
    """Records of one minute each, spread evenly over a number of pairs and minutes."""
    made = []
    for number in range(count):
        ground = source(1000 + number % pairs, f"CAMERA {number % pairs:03}", "ground", "cameras")
        start = number * minutes // count
        made.append(record(start, start, sources=(ground, SWARM_A), low=float(number % 500), high=600.0, closest=start))
    return made


@st.composite
def records(draw: st.DrawFn, max_sources: int = 3, pool: tuple[dict, ...] = tuple(ALL_SOURCES)) -> dict[str, Any]:
    # few values, so that ties and overlaps are common
    start = draw(st.integers(0, 12))
    end = start + draw(st.integers(0, 4))
    sources = draw(
        st.lists(st.sampled_from(pool), min_size=2, max_size=max_sources, unique_by=lambda s: s["identifier"])
    )
    events = []
    for pair in itertools.combinations(sources, 2):
        for _ in range(draw(st.integers(0, 2))):
            first, last = sorted(draw(st.tuples(st.integers(start, end), st.integers(start, end))))
            low = float(draw(st.integers(1, 4)))
            events.append(event(*draw(st.permutations(pair)), first, last, low, low + 5))
    return record(
        start,
        end,
        sources=tuple(sources),
        events=events,
        low=min((e["min_distance"] for e in events), default=2.0),
        high=10.0,
        closest=draw(st.none() | st.integers(start, end)),
        conjunction_type=draw(st.sampled_from(["nbtrace", "sbtrace"])),
    )


@st.composite
def tagged_records(draw: st.DrawFn, max_size: int = 8, min_size: int = 0, **kwargs: Any) -> list[dict[str, Any]]:
    """Records that max_distance tells apart, so that a row can be traced to its record."""
    made = draw(st.lists(records(**kwargs), min_size=min_size, max_size=max_size))
    return [{**one, "max_distance": 1000.0 + number} for number, one in enumerate(made)]


def in_row_order(df: Any, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [made[int(tag) - 1000] for tag in df["max_distance"]]


def reindexed(df: pd.DataFrame, kind: str) -> pd.DataFrame:
    count = len(df)
    return df.set_axis(
        {
            "text": pd.Index([f"row {number}" for number in range(count)], dtype="str"),
            "duplicate": pd.Index([0] * count),
            "times": pd.DatetimeIndex(df["start"]),
            "multi": pd.MultiIndex.from_arrays([["a"] * count, np.arange(count)[::-1]], names=["x", "y"]),
        }[kind]
    )


def pair_label(e1: dict[str, Any], e2: dict[str, Any]) -> str:
    return " & ".join(
        source["display_name"]
        for source in sorted([e1, e2], key=lambda source: (source["source_type"] != "ground", source["display_name"]))
    )


def reference_events(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the events of records one by one, as `explode_events` has them."""
    for number, record in enumerate(records):
        for event in record["events"]:
            epoch = record["closest_epoch"]
            certain = len(record["events"]) == 1 or event["min_distance"] == record["min_distance"]
            known = epoch is not None and certain and event["start"] <= epoch <= event["end"]
            yield {
                "conjunction": number,
                "conjunction_type": event["conjunction_type"],
                **{f"{side}_{name}": value for side in ("e1", "e2") for name, value in event[f"{side}_source"].items()},
                "pair": pair_label(event["e1_source"], event["e2_source"]),
                "start": pd.Timestamp(event["start"]),
                "end": pd.Timestamp(event["end"]),
                "min_distance": event["min_distance"],
                "max_distance": event["max_distance"],
                "closest_epoch": pd.Timestamp(epoch) if known else None,
            }


def assert_same_spans(left: Any, right: Any) -> None:
    """Check that two frames of conjunctions are equal, but for the last digits of distances and a millisecond."""
    assert len(left) == len(right)
    assert left.dtypes.equals(right.dtypes)
    for name in ("start", "end", "closest_epoch", "farthest_epoch"):
        assert ((left[name] - right[name]).abs() <= timedelta(milliseconds=1)).all()
    for one, other in ((left, right), (left.aurorax.explode_events(), right.aurorax.explode_events())):
        for name in ("min_distance", "max_distance"):
            assert (one[name] - other[name]).abs().max() <= 1e-6
        assert one["conjunction_type"].equals(other["conjunction_type"])
    assert left.aurorax.explode_events()["pair"].astype(str).equals(right.aurorax.explode_events()["pair"].astype(str))
