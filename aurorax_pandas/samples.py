"""The recorded search and the ephemeris that are bundled with the package."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.ephemeris.dataset import concat_sources, ephemeris_of_table
from aurorax_pandas.ephemeris.field import DEFAULT_KP, EXTERNAL_FIELD, MAIN_FIELD
from aurorax_pandas.ephemeris.stations import stations
from aurorax_pandas.frame import provenance
from aurorax_pandas.frame.convert import as_conjunctions
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.query.query import Query

if TYPE_CHECKING:
    import xarray as xr

#: Up to here the recorded search tells which cameras of the sample operated.
OPERATION_KNOWN_UNTIL: Final = np.datetime64("2020-01-01T06:59:00", "s")


def recorded_data() -> bytes:
    """Return the recorded result, as the service sent it."""
    return resources.files("aurorax_pandas").joinpath("data/recorded_search/data.json").read_bytes()


def recorded_status() -> dict[str, Any]:
    """Return the recorded status document, as the service sent it."""
    text = resources.files("aurorax_pandas").joinpath("data/recorded_search/status.json").read_text(encoding="utf-8")
    status: dict[str, Any] = json.loads(text)
    return status


def recorded_query() -> dict[str, Any]:
    """Return the query of the recorded search."""
    return Query.parse(recorded_status()["search_request"]["query"]).payload


@typed
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
    df = as_conjunctions(recorded_data())
    status = recorded_status()
    df.attrs[provenance.KEY] = provenance.make_provenance(
        request_ids=[status["search_request"]["request_id"]],
        query=recorded_query(),
        retrieved_at=f"{status['search_result']['completed_timestamp'][:19]}Z",
    )
    df.attrs[provenance.KEY][provenance.SAMPLE] = (
        "a recorded search that comes with aurorax_pandas: times, distances and cameras as published, the spacecraft inferred "
        "from orbits, the closest and farthest epochs of six records computed"
    )
    return df


def load_sample_ephemeris() -> xr.Dataset:
    """
    Load a day of ephemeris: Swarm A, B, C and the THEMIS-ASI cameras while they operated, 2020-01-01, every minute.

    Returns
    -------
    xarray.Dataset
        The ephemeris; its attributes say how it was computed. It is no archive product. Cameras do not operate where
        the Sun is above −12°; that they operate after 06:59 is assumed, and ``operation`` counts what rests on it.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.load_sample_ephemeris()["display_name"].values[:3].tolist()
    ['Swarm A', 'Swarm B', 'Swarm C']
    """
    data = resources.files("aurorax_pandas").joinpath("data")
    with data.joinpath("ephemeris_swarm_20200101.parquet").open("rb") as file:
        swarm = ephemeris_of_table(pd.read_parquet(file))
    with data.joinpath("operating_20200101.csv").open("rb") as file:
        operating = pd.read_csv(file, parse_dates=["start", "end"])
    cameras = stations(swarm["epoch"], programs="themis-asi", operating=operating)
    cameras = cameras.isel(source=np.isin(cameras["identifier"], operating["identifier"]))
    sample = concat_sources([swarm, cameras])
    there = cameras["geo_lat"].notnull()
    assumed = int(there.sel(epoch=cameras["epoch"] > OPERATION_KNOWN_UNTIL).sum())
    sample.attrs |= {
        "title": "Ephemeris of Swarm and THEMIS-ASI on 2020-01-01, a sample",
        "method": f"SGP4 from two-line elements, GMST rotation, {MAIN_FIELD} and {EXTERNAL_FIELD}, footprints 100 km above "
        "the ellipsoid; stations as published by the service, some to 0.01 degrees",
        "field": f"{MAIN_FIELD} and {EXTERNAL_FIELD}",
        "kp": DEFAULT_KP,
        "operation": "no camera operates where the Sun is above -12 degrees; when each had data is inferred from a recorded "
        f"search up to 06:59 and assumed after it, on which {assumed} of {int(there.sum())} rows of cameras rest",
        "operation_assumed_after": str(OPERATION_KNOWN_UNTIL),
        "caution": "computed, no archive product; not for science",
        provenance.SAMPLE: "an ephemeris that comes with aurorax_pandas: computed by SGP4 from two-line elements of the day for "
        "demonstrations, no archive product and not for science; when cameras had data is inferred or assumed",
    }
    return sample
