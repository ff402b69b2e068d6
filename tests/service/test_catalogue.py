"""Data sources and availability of the service, and the check of names that stands on them."""

from functools import partial

import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import AuroraxDataError, AuroraxDataWarning, AuroraxInputError, sandbox, sources
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


def test_data_sources_that_are_read_again_are_remembered_once(service):
    aurorax_pandas.read_aurorax_data_sources(api_url=service.url)
    known = len(sources.known_sources())
    aurorax_pandas.read_aurorax_data_sources(api_url=service.url)
    assert len(sources.known_sources()) == known


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
        submit(service, space={"metadata_filters": {"nbtrace_region": "north cusp"}})
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


def test_counts_that_fit_no_column_are_an_error_of_ours(server):
    days = {"data_source": SOURCES[0], "available_ephemeris": {"2020-01-01": 2**63}}
    server.on("GET", "/api/v1/availability/ephemeris", server.Reply(200, [days]))
    with pytest.raises(AuroraxDataError, match="availability"):
        aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", api_url=server.url)


def test_a_filter_that_cannot_be_sent_is_refused(server):
    with pytest.raises(AuroraxInputError, match="half of a character"):
        aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", program="\ud800", api_url=server.url)
    assert server.asked == []


# ---- availability ------------------------------------------------------------------------------------------------


def test_availability_is_a_row_per_source_and_day():
    with sandbox.serve() as url:
        days = aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-02", program="themis-asi", api_url=url)
    gakona = days[days["platform"] == "gakona"]
    assert gakona["records"].tolist() == [872, 0]
    assert gakona["day"].tolist() == [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")]
    assert days["day"].dtype == "datetime64[us]"


def test_availability_of_a_day_that_is_none_is_refused():
    with pytest.raises(AuroraxInputError, match="start="):
        aurorax_pandas.read_aurorax_availability("someday", "2020-01-02", api_url="http://127.0.0.1:9")


@pytest.mark.parametrize("bad", [5, "", [], ["swarm", None], pd.NA])
@pytest.mark.parametrize("word", ["program", "programs", "platform", "instrument_types", "source_type"])
def test_availability_is_asked_of_names(server, word, bad):
    with pytest.raises(AuroraxInputError, match=f"{word}="):
        aurorax_pandas.read_aurorax_availability("2020-01-01", "2020-01-01", **{word: bad}, api_url=server.url)
    assert server.asked == []


def test_availability_takes_both_words_and_one_name_or_several():
    with sandbox.serve() as url, aurorax_pandas.set_options(api_url=url):
        read = partial(aurorax_pandas.read_aurorax_availability, "2020-01-01", "2020-01-01")
        for one in ({"program": "swarm"}, {"programs": "swarm"}, {"programs": ["swarm"]}, {"source_types": ["leo"]}):
            assert read(**one)["platform"].tolist() == ["swarma", "swarmb", "swarmc"]
        for several in ({"platforms": ["swarma", "GILL"]}, {"platform": ("gillam", "swarma")}):
            assert read(**several)["platform"].tolist() == ["swarma", "gillam"]
        with pytest.raises(AuroraxInputError, match="program= mean one thing"):
            read(program="swarm", programs="swarm")
        with pytest.raises(AuroraxInputError, match="takes no progams=; did you mean 'programs'"):
            read(progams="swarm")
        with pytest.raises(AuroraxInputError, match="programs: no source has 'swrm'; did you mean 'swarm'"):
            read(programs=["swrm", "themis-asi"])
        with pytest.warns(AuroraxDataWarning, match="'qqqqq', so that no row has it"):
            assert read(programs=["swarm", "qqqqq"])["platform"].tolist() == ["swarma", "swarmb", "swarmc"]


def test_availability_of_a_thousand_years_is_refused(server):
    with pytest.raises(AuroraxInputError, match="shorter span"):
        aurorax_pandas.read_aurorax_availability("1000-01-01", "2020-01-01", api_url=server.url)
    assert server.asked == []
