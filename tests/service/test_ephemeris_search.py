"""Ephemeris of the service, asked for as it is and for the rows of a frame."""

import json

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import AuroraxDataError, AuroraxInputError, EphemerisSearch, sandbox
from aurorax_pandas.ephemeris.records import ephemeris_from_items
from aurorax_pandas.frame.answers import split_records

EPHEMERIS = aurorax_pandas.load_sample_ephemeris()
BLOCKS = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}
SWARM_A = {
    "identifier": 3, "program": "swarm", "platform": "swarma", "instrument_type": "footprint", "source_type": "leo",
    "display_name": "Swarm A",
}  # fmt: skip


def test_ephemeris_of_the_service_equals_its_own():
    with sandbox.serve() as url:
        ds = aurorax_pandas.read_aurorax_ephemeris("2020-01-01", "2020-01-01T00:29", programs="swarm", api_url=url)
    own = EPHEMERIS.isel(source=slice(0, 3), epoch=slice(0, 30))
    for name in own.data_vars:
        np.testing.assert_array_equal(ds[name], own[name])
    assert json.loads(ds.attrs["aurorax"])["query"]["data_sources"] == {"programs": ["swarm"]}
    assert "geocentric" in ds.attrs["latitudes"]


def test_ephemeris_can_be_searched_in_at_once():
    with sandbox.serve() as url:
        ds = aurorax_pandas.read_aurorax_ephemeris(
            "2020-01-01", "2020-01-01T06:59:59", programs=["swarm", "themis-asi"], api_url=url
        )
    df = ds.aurorax.find_conjunctions(distance=500, **BLOCKS)
    assert len(df) == 49


def test_metadata_filters_reach_the_service():
    low = {"expressions": [{"key": "radial_distance", "operator": "<", "values": ["6810"]}]}
    with sandbox.serve() as url:
        ds = aurorax_pandas.read_aurorax_ephemeris(
            "2020-01-01", "2020-01-01T03:00", programs="swarm", metadata_filters=low, api_url=url
        )
    assert float(ds["radial_distance"].max()) < 6810


def test_ephemeris_can_be_read_again_by_its_id():
    box = sandbox.serve()
    with box as url, EphemerisSearch("2020-01-01", "2020-01-01T00:09", platforms="swarmb", api_url=url) as search:
        ds = search.run()
        again = aurorax_pandas.read_aurorax_ephemeris(request_id=search.request_id, api_url=url)
    assert again.drop_attrs().equals(ds.drop_attrs())


def ephemeris_record(epoch, identifier=3, place=(1.0, 2.0), **metadata):
    source = {**SWARM_A, "identifier": identifier}
    where = None if place is None else dict(zip(("lat", "lon"), place, strict=True))
    return {"data_source": source, "epoch": epoch, "location_geo": where, "metadata": metadata}


def read_records(*records):
    return ephemeris_from_items(split_records(json.dumps(records).encode()))


@pytest.mark.parametrize(
    ("epochs", "count"),
    [
        (("00:00:00", "00:07:00", "00:17:00"), 18),
        (("00:00:00", "05:00:00", "10:00:00", "15:00:00"), 901),
        (("00:00:00", "00:05:00", "00:10:00", "00:15:00"), 16),
        (("00:00:00", "00:00:30", "00:02:00"), 5),
    ],
)
def test_event_lists_stand_on_a_minute_or_a_part_of_it(epochs, count):
    ds = read_records(*[ephemeris_record(f"2020-01-01T{epoch}") for epoch in epochs])
    step = np.timedelta64(30 if "00:00:30" in epochs else 60, "s")
    assert (np.diff(ds["epoch"].values) == step).all()
    assert ds.sizes["epoch"] == count
    assert int(ds["geo_lat"].notnull().sum()) == len(epochs)


@pytest.mark.parametrize(
    ("epochs", "says"),
    [
        (("2020-01-01T00:00:00", "2020-01-01T00:00:00.001", "2020-01-01T12:00:00"), "irregular steps"),
        (("2020-01-01T00:00:00", "2020-01-01T00:00:01", "2021-01-01T00:00:00"), "read a shorter window"),
        (("1970-01-01T00:00:00", "2020-01-01T00:00:00"), "read a shorter window"),
    ],
)
def test_epochs_that_would_take_millions_to_fill_are_refused(epochs, says):
    with pytest.raises(AuroraxDataError, match=says):
        read_records(*map(ephemeris_record, epochs))


@pytest.mark.parametrize("place", [(91, 0), (-90.5, 0), (0, 361), (0, -181)])
def test_a_place_off_the_map_is_the_services_fault(place):
    with pytest.raises(AuroraxDataError, match="service's ephemeris records"):
        read_records(ephemeris_record("2020-01-01T00:00:00", place=place))


def test_of_records_that_stand_twice_the_first_that_is_there_wins():
    minute = "2020-01-01T00:00:00"
    ds = read_records(
        ephemeris_record(minute, place=None, region=None),
        ephemeris_record(minute, place=(1.0, 2.0), region="cusp", kp=1.0),
        ephemeris_record(minute, place=(3.0, 4.0), region="cap", kp=2.0),
        ephemeris_record("2020-01-01T00:01:00", place=(5.0, 6.0), region="oval", kp=3.0),
    )
    assert ds["geo_lat"].values.tolist() == [[1.0, 5.0]]
    assert ds["geo_lon"].values.tolist() == [[2.0, 6.0]]
    assert ds["region"].values.tolist() == [["cusp", "oval"]]
    assert ds["kp"].values.tolist() == [[1.0, 3.0]]


@pytest.mark.parametrize("identifier", [2**63, 2**64, 10**30, -(2**63) - 1])
def test_an_identifier_that_fits_no_column_is_an_error_of_ours(identifier):
    with pytest.raises(AuroraxDataError, match="record 0"):
        read_records(ephemeris_record("2020-01-01T00:00:00", identifier=identifier))


def test_gaps_between_records_are_filled(server):
    records = [
        {"data_source": SWARM_A, "epoch": f"2020-01-01T00:0{minute}:00", "location_geo": {"lat": 1.0, "lon": 2.0}, "nbtrace": None,
         "sbtrace": {"lat": None, "lon": None}, "location_gsm": None, "metadata": {"region": "cusp", "many": [1, 2]}}
        for minute in (0, 1, 4)
    ]  # fmt: skip
    ds = ephemeris_from_items(split_records(json.dumps(records).encode()))
    assert ds["geo_lat"].values.tolist()[0][:2] == [1.0, 1.0]
    assert np.isnan(ds["geo_lat"].values[0][2:4]).all()
    assert "region" in ds
    assert "many" not in ds


def test_a_byte_order_mark_before_records_is_passed_over():
    assert split_records(b"\xef\xbb\xbf[]") == []


def test_empty_ephemeris_is_an_empty_dataset():
    assert dict(ephemeris_from_items([]).sizes) == {"source": 0, "epoch": 0}


@pytest.mark.parametrize("record", [b"{}", b'{"data_source": {}, "epoch": "x"}', b"3"])
def test_bad_ephemeris_records_are_named(record):
    with pytest.raises(AuroraxDataError, match="record 0"):
        ephemeris_from_items(split_records(b"[" + record + b"]"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "give either"),
        ({"start": "2020", "end": "2021"}, "programs="),
        ({"start": "2020", "programs": "swarm"}, "end is missing"),
        ({"start": "2020", "end": "2021", "programs": "swarm", "request_id": "a"}, "give either"),
    ],
)
def test_bad_ephemeris_searches_are_refused(arguments, says):
    with pytest.raises(AuroraxInputError, match=says):
        EphemerisSearch(api_url="http://127.0.0.1:9", **arguments)


def test_rows_fetch_only_what_they_need():
    df = aurorax_pandas.load_sample_conjunctions().aurorax.select_sources(platform=["gillam", "fort simpson"])
    box = sandbox.serve()
    with box as url, aurorax_pandas.set_options(api_url=url):
        ds = df.aurorax.ephemeris(pad="2min")
    searches = [request for request in box.requests if request.path.endswith("/search")]
    assert len(searches) == 1
    assert set(ds["platform"].values) == {"gillam", "fort simpson", "swarma", "swarmb", "swarmc"}
    known = ds["epoch"].values[ds["nbtrace_lat"].notnull().any("source").values]
    inside = [
        ((df["start"] - pd.Timedelta("2min") <= epoch) & (epoch <= df["end"] + pd.Timedelta("2min"))).any()
        for epoch in pd.to_datetime(known)
    ]
    assert all(inside)
    assert len(known) < 180
    with pytest.warns(aurorax_pandas.AuroraxDataWarning, match="covers a part only"):
        found = ds.aurorax.find_conjunctions(distance=500, **BLOCKS)
    assert set(found["start"]) >= set(df["start"][df["closest_epoch"] < "2020-01-01T00:30"])


def test_an_empty_frame_needs_no_ephemeris():
    with pytest.raises(AuroraxInputError, match="empty"):
        aurorax_pandas.load_sample_conjunctions().iloc[:0].aurorax.ephemeris()


@pytest.mark.parametrize("verb", ["ephemeris", "data_products"])
@pytest.mark.parametrize(("origin", "told"), [("https://aurora.example", True), ("http://127.0.0.1:1", False)])
def test_an_error_tells_that_the_frame_was_read_at_another_service(server, sample, verb, origin, told):
    server.on("POST", f"/api/v1/{verb}/search", server.Reply(400, {"error_message": "no"}))
    df = sample.aurorax.closest(1)
    df.attrs["aurorax"] = {**df.attrs["aurorax"], "api_url": origin}
    with pytest.raises(aurorax_pandas.AuroraxAPIError) as caught:
        getattr(df.aurorax, verb)(api_url=server.url)
    notes = getattr(caught.value, "__notes__", [])
    assert any(f"give api_url={origin!r}" in note for note in notes) == told
