"""The search that is bundled with the package, as recorded."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pandas as pd

from aurorax_pandas.frame import provenance
from aurorax_pandas.frame.records import conjunctions_from_records
from aurorax_pandas.query.query import parse_query


def recorded_data() -> bytes:
    """Give the recorded result, as the service sent it."""
    return resources.files("aurorax_pandas").joinpath("data/recorded_search/data.json").read_bytes()


def recorded_status() -> dict[str, Any]:
    """Give the recorded status document, as the service sent it."""
    text = resources.files("aurorax_pandas").joinpath("data/recorded_search/status.json").read_text(encoding="utf-8")
    status: dict[str, Any] = json.loads(text)
    return status


def recorded_query() -> dict[str, Any]:
    """Give the query of the recorded search."""
    return parse_query(recorded_status()["search_request"]["query"])


def load_sample_conjunctions() -> pd.DataFrame:
    """
    Load a recorded search: THEMIS-ASI and Swarm, 2020-01-01 00:00:00 to 06:59:59, 500 km, nbtrace.

    Returns
    -------
    pandas.DataFrame
        49 conjunctions, as from `read_aurorax_conjunctions`: distances in [km], times in UTC. Times, distances and
        cameras are as the service published them. The published tables leave out the spacecraft, which was inferred
        from the orbits, and the closest and farthest epochs of six records were computed.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.load_sample_conjunctions().shape
    (49, 9)
    """
    df = conjunctions_from_records(recorded_data())
    status = recorded_status()
    df.attrs[provenance.KEY] = provenance.make_provenance(
        request_ids=[status["search_request"]["request_id"]],
        query=recorded_query(),
        retrieved_at=f"{status['search_result']['completed_timestamp'][:19]}Z",
    )
    return df
