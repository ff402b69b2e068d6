"""One door in for ephemerides."""

import datetime
import json
import types

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas as ap

SOURCE = {
    "identifier": 3,
    "program": "swarm",
    "platform": "swarma",
    "instrument_type": "footprint",
    "source_type": "leo",
    "display_name": "Swarm A",
}


def record(minute):
    return {
        "data_source": SOURCE,
        "epoch": f"2020-01-01T00:0{minute}:00",
        "location_geo": {"lat": 1.0 + minute, "lon": 2.0},
        "location_gsm": {"lat": None, "lon": None},
        "nbtrace": {"lat": 60.0, "lon": -95.0},
        "sbtrace": {"lat": None, "lon": None},
        "metadata": {"nbtrace_region": "cusp"},
    }


RECORDS = [record(minute) for minute in range(3)]


def as_object(one):
    """Return a record as PyAuroraX has it."""
    place = {name: types.SimpleNamespace(**one[name]) for name in ("location_geo", "nbtrace", "sbtrace")}
    return types.SimpleNamespace(
        data_source=types.SimpleNamespace(**SOURCE, full_record=None),
        epoch=datetime.datetime.fromisoformat(one["epoch"]),
        metadata=one["metadata"],
        **place,
    )


@pytest.fixture
def expected():
    return ap.as_ephemeris({"result": RECORDS})


def forms(tmp_path):
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"result": RECORDS}))
    objects = [as_object(one) for one in RECORDS]
    return {
        "array": RECORDS,
        "text": json.dumps(RECORDS),
        "text of an answer": " " + json.dumps({"result": RECORDS}),
        "bytes": json.dumps({"result": RECORDS}).encode(),
        "path": path,
        "name of a file": str(path),
        "objects": objects,
        "search": types.SimpleNamespace(data=objects),
        "generator": (one for one in objects),
    }


@pytest.mark.parametrize(
    "form", ["array", "text", "text of an answer", "bytes", "path", "name of a file", "objects", "search", "generator"]
)
def test_every_form_is_the_same_ephemeris(form, expected, tmp_path):
    xr.testing.assert_identical(ap.as_ephemeris(forms(tmp_path)[form]), expected)


def test_the_ephemeris_holds_what_the_records_do(expected):
    np.testing.assert_array_equal(expected["geo_lat"], [[1.0, 2.0, 3.0]])
    assert expected["nbtrace_region"].values.tolist() == [["cusp"] * 3]
    assert ap.as_ephemeris(expected) is expected


@pytest.mark.filterwarnings("ignore")
def test_objects_of_pyaurorax_are_taken(expected):
    pytest.importorskip("pyaurorax", exc_type=ImportError)
    from pyaurorax.search.ephemeris.classes.ephemeris import EphemerisData
    from pyaurorax.search.location import Location
    from pyaurorax.search.sources.classes.data_source import DataSource

    objects = [
        EphemerisData(
            data_source=DataSource(**SOURCE),
            epoch=datetime.datetime.fromisoformat(one["epoch"]),
            location_geo=Location(**one["location_geo"]),
            nbtrace=Location(**one["nbtrace"]),
            metadata=one["metadata"],
        )
        for one in RECORDS
    ]
    xr.testing.assert_identical(ap.as_ephemeris(objects), expected)


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (3, ap.AuroraxInputError, "data is a int"),
        ([3], ap.AuroraxInputError, "data holds a int, which is no ephemeris record"),
        ("nowhere.json", ap.AuroraxInputError, "neither JSON text nor a file"),
        ({"result": [{}]}, ap.AuroraxDataError, "ephemeris record 0 of 1"),
        ({"error": {"error_code": "E", "error_message": "m"}}, ap.AuroraxAPIError, "E: m"),
        (pd.DataFrame({"epoch": []}), ap.AuroraxInputError, "'identifier' is missing"),
    ],
)
def test_what_is_no_ephemeris_is_refused(data, error, says):
    with pytest.raises(error, match=says):
        ap.as_ephemeris(data)


def test_cf_xarray_finds_times_latitudes_longitudes_and_units(expected):
    pytest.importorskip("cf_xarray")
    assert expected.cf["time"].name == "epoch"
    names = expected.cf.standard_names
    assert set(names["latitude"]) >= {"geo_lat", "nbtrace_lat", "sbtrace_lat"}
    assert set(names["longitude"]) >= {"geo_lon", "nbtrace_lon", "sbtrace_lon"}
    assert expected["geo_lat"].attrs["units"] == "degrees_north"
    assert expected["geo_lon"].attrs["units"] == "degrees_east"
