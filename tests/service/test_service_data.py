"""Data sources, availability and ephemeris of the service, and the check of names that stands on them."""

import json

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import AuroraxDataError, AuroraxInputError, EphemerisSearch, sandbox
from aurorax_pandas.ephemeris.records import ephemeris_from_items
from aurorax_pandas.frame import model
from aurorax_pandas.frame.answers import split_records
from aurorax_pandas.service import catalogue

EPHEMERIS = aurorax_pandas.load_sample_ephemeris()
BLOCKS = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}

SOURCES = [
    {
        "identifier": 3, "program": "swarm", "platform": "swarma", "instrument_type": "footprint", "source_type": "leo",
        "display_name": "Swarm A", "owner": "somebody@example.com",
        "ephemeris_metadata_schema": [
            {"field_name": "nbtrace_region", "data_type": "string", "description": "region of the trace",
             "allowed_values": ["north polar cap", "north cusp"], "additional_description": "new"},
        ],
    },
    {
        "identifier": 46, "program": "themis-asi", "platform": "gillam", "instrument_type": "panchromatic ASI",
        "source_type": "ground", "display_name": "THEMIS-ASI GILL",
        "ephemeris_metadata_schema": [{"field_name": "ml_cloud", "allowed_values": None}],
    },
]  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_remembered():
    # another test's server may have had the same port
    catalogue.forget_data_sources()


@pytest.fixture
def service(server):
    server.on("GET", "/api/v1/data_sources", server.Reply(200, SOURCES))
    return server


def submit(service, **change):
    search = {"start": "2020-01-01", "end": "2020-01-02", "distance": 500} | BLOCKS | change
    with aurorax_pandas.ConjunctionSearch(api_url=service.url, **search) as made:
        made.execute()


def test_data_sources_are_a_typed_frame_with_their_metadata(service):
    frame = aurorax_pandas.read_aurorax_data_sources(api_url=service.url)
    assert frame["identifier"].tolist() == [3, 46]
    assert frame["site_code"].tolist()[1] == "GILL"
    assert isinstance(frame["source_type"].dtype, pd.CategoricalDtype)
    assert frame["metadata_fields"].iloc[0]["allowed_values"].tolist() == ["north polar cap, north cusp"]
    assert frame["metadata_fields"].iloc[1]["field_name"].tolist() == ["ml_cloud"]


@pytest.mark.parametrize("body", [b"{}", b"[{}]", b"[", b'[{"identifier": "x"}]'])
def test_data_sources_that_are_none_are_an_error(service, body):
    service.on("GET", "/api/v1/data_sources", service.Reply(200, body))
    with pytest.raises(AuroraxDataError, match="data sources"):
        aurorax_pandas.read_aurorax_data_sources(api_url=service.url)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ground": {"programs": "themis-ais"}}, "no program 'themis-ais'; did you mean 'themis-asi'"),
        ({"ground": {"platforms": "gilam"}}, "no platform 'gilam'; did you mean 'gillam'"),
        ({"space": {"instrument_types": "footprints"}}, "no instrument_type 'footprints'; did you mean 'footprint'"),
        (
            {"space": {"metadata_filters": {"expressions": [{"key": "nbtrace_regoin", "values": ["x"]}]}}},
            "no metadata field 'nbtrace_regoin'; did you mean 'nbtrace_region'",
        ),
    ],
)
def test_unknown_names_are_refused_before_the_submit(service, change, says):
    with pytest.raises(AuroraxInputError, match=says):
        submit(service, **change)
    assert [asked.method for asked in service.asked] == ["GET"]


def test_known_names_pass_and_are_read_once_a_session(service):
    for _ in range(2):
        submit(service, space={"metadata_filters": {"expressions": [{"key": "nbtrace_region", "values": ["x"]}]}})
    assert [asked.method for asked in service.asked] == ["GET", "POST", "POST"]


def test_check_can_be_turned_off(service):
    submit(service, ground={"programs": "brand-new"}, check_names=False)
    assert [asked.method for asked in service.asked] == ["POST"]


def test_event_lists_keep_their_program(service):
    submit(service, ground=(), events={"platforms": "swarma"})
    assert service.asked[-1].body["events"] == [{"programs": ["events"], "platforms": ["swarma"]}]


def test_where_sources_cannot_be_read_the_bundled_list_only_warns(server, caplog):
    submit(server, ground={"programs": "themis-ais"})
    assert server.asked[-1].method == "POST"
    assert "did you mean 'themis-asi'" in caplog.text


def test_a_failure_to_read_them_is_remembered_for_a_while(server, clock):
    for now in (0, 100, 299, 301):
        clock.now = now
        with aurorax_pandas.ConjunctionSearch(
            "2020-01-01", "2020-01-02", 500, **BLOCKS, api_url=server.url, clock=clock.time, sleep=clock.sleep
        ) as search:
            search.execute()
    assert [asked.method for asked in server.asked] == ["GET", "POST", "POST", "POST", "GET", "POST"]


def test_the_check_takes_a_small_share_of_the_time(server, clock):
    def slow():
        clock.now += 4
        return server.Reply(502, b"")

    server.on("GET", "/api/v1/data_sources", slow)
    with aurorax_pandas.ConjunctionSearch(
        "2020-01-01", "2020-01-02", 500, **BLOCKS, api_url=server.url, clock=clock.time, sleep=clock.sleep
    ) as search:
        search.execute(timeout=60)
    assert search.executed
    assert clock.now < 12


@pytest.mark.parametrize("identifier", [2**63, 2**64, 10**30, -(2**63) - 1])
def test_identifiers_that_fit_no_column_are_an_error_of_ours_and_no_hindrance(server, identifier):
    source = {**SOURCES[0], "identifier": identifier}
    server.on("GET", "/api/v1/data_sources", server.Reply(200, [source]))
    days = {"data_source": source, "available_ephemeris": {"2020-01-01": 1}}
    server.on("GET", "/api/v1/availability/ephemeris", server.Reply(200, [days]))
    with pytest.raises(AuroraxDataError, match="data sources"):
        aurorax_pandas.read_aurorax_data_sources(api_url=server.url)
    with pytest.raises(AuroraxDataError, match="availability"):
        aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", api_url=server.url)
    submit(server)
    with pytest.raises(AuroraxDataError, match="record 0"):
        read_records(ephemeris_record("2020-01-01T00:00:00", identifier=identifier))


def test_counts_that_fit_no_column_are_an_error_of_ours(server):
    days = {"data_source": SOURCES[0], "available_ephemeris": {"2020-01-01": 2**63}}
    server.on("GET", "/api/v1/availability/ephemeris", server.Reply(200, [days]))
    with pytest.raises(AuroraxDataError, match="availability"):
        aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", api_url=server.url)


def test_a_filter_that_cannot_be_sent_is_refused(server):
    with pytest.raises(AuroraxInputError, match="cannot be sent"):
        aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", program="\ud800", api_url=server.url)
    assert server.asked == []


# ---- availability ------------------------------------------------------------------------------------------------


def test_availability_is_a_row_per_source_and_day():
    with sandbox.serve() as url:
        days = aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-02", program="themis-asi", api_url=url)
    gakona = days[days["platform"] == "gakona"]
    assert gakona["records"].tolist() == [1351, 0]
    assert gakona["day"].tolist() == [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")]
    assert days["day"].dtype == "datetime64[us]"


def test_availability_of_a_day_that_is_none_is_refused():
    with pytest.raises(AuroraxInputError, match="start="):
        aurorax_pandas.read_aurorax_availability("someday", "2020-01-02", api_url="http://127.0.0.1:9")


# ---- ephemeris ---------------------------------------------------------------------------------------------------


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
    source = {**{key: SOURCES[0][key] for key in model.SOURCE_FIELDS}, "identifier": identifier}
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


def test_gaps_between_records_are_filled(server):
    records = [
        {"data_source": {key: value for key, value in SOURCES[0].items() if key in
         ("identifier", "program", "platform", "instrument_type", "source_type", "display_name")},
         "epoch": f"2020-01-01T00:0{minute}:00", "location_geo": {"lat": 1.0, "lon": 2.0}, "nbtrace": None,
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
    found = ds.aurorax.find_conjunctions(distance=500, **BLOCKS)
    assert set(found["start"]) >= set(df["start"][df["closest_epoch"] < "2020-01-01T00:30"])


def test_an_empty_frame_needs_no_ephemeris():
    with pytest.raises(AuroraxInputError, match="empty"):
        aurorax_pandas.load_sample_conjunctions().iloc[:0].aurorax.ephemeris()


# ---- dry run -----------------------------------------------------------------------------------------------------


def test_dry_run_needs_no_service():
    search = aurorax_pandas.ConjunctionSearch(
        "2020-01-01", "2020-01-02", {"ground1-space1": 500, "space1-space2": 100}, ground={"programs": "rego"},
        space=[{"programs": "swarm"}, {"programs": "themis"}], api_url="http://127.0.0.1:9",
    )  # fmt: skip
    expected = [[np.nan, 500, np.inf], [500, np.nan, 100], [np.inf, 100, np.nan]]
    names = ["ground1", "space1", "space2"]
    pd.testing.assert_frame_equal(search.distances, pd.DataFrame(expected, names, names))
    assert search.describe(offline=True).endswith(
        "ground1-space1=500 km, ground1-space2=no limit, space1-space2=100 km."
    )
    search.close()


def test_sentence_of_the_recorded_search_is_the_services_own():
    from aurorax_pandas import samples
    from aurorax_pandas.query.query import describe_query

    logged = samples.recorded_status()["logs"][2]["summary"].partition("using query: ")[2]
    assert describe_query(samples.recorded_query()) == logged


@pytest.mark.parametrize("program", [["swarm"], 5, ""])
def test_availability_is_asked_of_one_name_at_a_time(program):
    with sandbox.serve() as url, pytest.raises(AuroraxInputError, match="program="):
        aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", program=program, api_url=url)
