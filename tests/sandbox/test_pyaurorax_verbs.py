"""Each verb of the real PyAuroraX client's searches and sources, against the sandbox."""

import datetime
import warnings

import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import sandbox

pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pyaurorax = pytest.importorskip("pyaurorax", exc_type=ImportError)

START, END = datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, 6, 59, 59)
GROUND, SPACE = [{"programs": ["themis-asi"]}], [{"programs": ["swarm"]}]
KINDS = ("conjunctions", "ephemeris", "data_products")
COUNTS = {"conjunctions": 49, "ephemeris": 420, "data_products": 2}
TYPES = {"conjunctions": "conjunction", "ephemeris": "ephemeris", "data_products": "data_product"}
DATA = {"conjunctions": "Conjunction", "ephemeris": "EphemerisData", "data_products": "DataProductData"}
FORMATS = {"identifier_only": 1, "basic_info": 6, "with_metadata": 7, "full_record": 11}


@pytest.fixture(scope="module")
def made():
    return pd.DataFrame({
        "identifier": [46, 46], "program": "themis-asi", "platform": "gillam", "instrument_type": "panchromatic ASI",
        "source_type": "ground", "display_name": "THEMIS-ASI GILL", "data_product_type": ["keogram", "movie"],
        "start": ["2020-01-01T00:00:00", "2020-01-01T06:00:00"], "end": ["2020-01-01T23:59:59", "2020-01-01T06:59:59"],
        "url": ["https://example.org/keogram.png", "https://example.org/movie.mp4"],
        "metadata": [{"wavelength": "white light", "hours": 24}, {"wavelength": "white light", "hours": 1}],
    })  # fmt: skip


@pytest.fixture(scope="module")
def box(made):
    served = sandbox.serve(data_products=made)
    with served:
        yield served


@pytest.fixture(scope="module")
def connect(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("data"))
    return lambda url: pyaurorax.PyAuroraX(api_base_url=url, download_output_root_path=folder)


@pytest.fixture(scope="module")
def client(box, connect):
    return connect(box.url)


def search_of(client, kind):
    if kind == "conjunctions":
        return pyaurorax.search.ConjunctionSearch(client, START, END, 500, ground=GROUND, space=SPACE)
    if kind == "ephemeris":
        return pyaurorax.search.EphemerisSearch(client, START, END, programs=["swarm"], platforms=["swarmb"])
    return pyaurorax.search.DataProductSearch(client, START, END, programs=["themis-asi"])


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def done(client, kind):
    search = search_of(client, kind)
    search.execute()
    search.wait(poll_interval=0.01)
    return search


def test_submit_status_wait_data_and_logs(done, kind):
    done.update_status()
    assert done.check_for_data()
    assert done.status["search_result"]["error_condition"] is False
    assert done.status["search_result"]["result_count"] == COUNTS[kind]
    assert done.logs[-1]["summary"].endswith(f"found {COUNTS[kind]} records.")
    done.get_data()
    assert len(done.data) == COUNTS[kind]
    assert {type(record).__name__ for record in done.data} == {DATA[kind]}


def test_the_status_shows_the_query_with_all_its_keys(done, kind):
    query = done.status["search_request"]["query"]
    assert query["request_id"] is None
    assert done.status["search_request"]["request_type"] == TYPES[kind]
    if kind == "conjunctions":
        assert query == aurorax_pandas.samples.recorded_status()["search_request"]["query"]
    else:
        filters = f"{TYPES[kind]}_metadata_filters"
        assert query["data_sources"][filters] == {"expressions": [], "logical_operator": "AND"}
        assert query["data_sources"]["instrument_types"] == []


def test_requests_read_a_search_by_its_address(client, done, kind):
    requests = client.search.requests
    assert requests.get_status(done.request_url)["search_request"]["request_id"] == done.request_id
    assert requests.wait_for_data(done.request_url, poll_interval=0.01)["search_result"]["data_uri"] is not None
    assert len(requests.get_logs(done.request_url)) > 3
    for skip in (True, False):
        assert len(requests.get_data(f"{done.request_url}/data", skip_serializing=skip)) == COUNTS[kind]
    assert requests.cancel(done.request_url) == 0


def test_describe(client, done, kind):
    said = done.describe()
    assert said == getattr(client.search, kind).describe(done)
    assert said == getattr(client.search, kind).describe(query_dict=done.query)
    assert "2020-01-01T06:59:59" in said
    assert getattr(client.search, kind).get_request_url(done.request_id) == done.request_url


def test_ephemeris_is_described_in_the_services_words(client):
    search = pyaurorax.search.EphemerisSearch(
        client, datetime.datetime(2019, 1, 1), datetime.datetime(2019, 1, 1, 23, 59, 59),
        programs=["swarm"], platforms=["swarma"], instrument_types=["footprint"],
    )  # fmt: skip
    assert search.describe() == (
        "Find ephemeris for ((program in (swarm) AND platform in (swarma) AND instrument_type in (footprint) filtered by "
        "metadata ()) AND  ephemeris_metadata_filters [])  AND epoch between 2019-01-01T00:00 and 2019-01-01T23:59:59 UTC"
    )


@pytest.mark.parametrize("wait", [False, True])
def test_cancel(connect, made, kind, wait):
    with sandbox.serve(data_products=made, faults={"search": ["stall"]}) as url:
        search = search_of(connect(url), kind)
        search.execute()
        assert not search.check_for_data()
        assert search.cancel(wait=wait, poll_interval=0.01) == 0
        search.update_status()
        assert search.status["search_result"]["error_condition"] is True
        assert search.logs[-1]["level"] == "error"


def test_a_search_that_fails_ends(connect, made, kind):
    arguments = {"conjunctions": {"distance": 500, "ground": GROUND, "space": SPACE}}
    with sandbox.serve(data_products=made, faults={"search": ["fail"]}) as url:
        client = connect(url)
        asked = arguments.get(kind, {"programs": ["themis-asi"]})
        with pytest.raises(pyaurorax.AuroraXSearchError, match="was told to"):
            getattr(client.search, kind).search(START, END, poll_interval=0.01, **asked)


def test_search_in_one_call(client, kind):
    asked = {"conjunctions": {"distance": 500, "ground": GROUND, "space": SPACE}}
    asked = asked.get(kind, {"programs": ["themis-asi"], "platforms": ["gillam"]})
    verb = getattr(client.search, kind).search
    whole = verb(START, END, poll_interval=0.01, **asked)
    assert len(whole.data) == (420 if kind == "ephemeris" else COUNTS[kind])
    part = verb(START, END, poll_interval=0.01, response_format={"start": True, "epoch": True}, **asked)
    assert {key for record in part.data for key in record} == ({"epoch"} if kind == "ephemeris" else {"start"})
    assert verb(START, END, return_immediately=True, **asked).request_id


def test_data_products_are_filtered(client):
    def urls(**asked):
        found = client.search.data_products.search(START, END, poll_interval=0.01, **asked)
        return [record.url.rpartition(".")[2] for record in found.data]

    hours = pyaurorax.search.MetadataFilterExpression("hours", 12, operator=">")
    assert urls() == ["png", "mp4"]
    assert urls(data_product_types=["movie"]) == ["mp4"]
    assert urls(metadata_filters=pyaurorax.search.MetadataFilter([hours])) == ["png"]
    assert urls(programs=["rego"]) == []
    assert urls(programs=["rego", "themis-asi"]) == ["png", "mp4"]


def test_events_without_a_place_are_read(client):
    found = client.search.ephemeris.search(START, END, programs=["events"], poll_interval=0.01).data
    kinds = {record.metadata["event_kind"] for record in found}
    assert kinds == {"onset", "interval"}
    assert {record.location_geo.lat is None for record in found if record.metadata["event_kind"] == "interval"} == {
        True
    }


def test_ephemeris_is_filtered_by_metadata(client):
    def count(*expressions):
        asked = pyaurorax.search.MetadataFilter(
            [pyaurorax.search.MetadataFilterExpression(*one) for one in expressions]
        )
        found = client.search.ephemeris.search(
            START, END, programs=["themis-asi"], metadata_filters=asked, poll_interval=0.01
        )
        return len(found.data)

    clear = ("calgary_cloud_ml_v1", "classified as not cloudy", "=")
    sure = ("calgary_cloud_ml_v1_confidence", 95, ">=")
    assert 0 < count(clear, sure) < count(clear)


@pytest.mark.parametrize("form", FORMATS)
def test_sources_in_every_form(client, form):
    sources = client.search.sources
    listed = sources.list(program="themis-asi", platform="gillam", format=form, include_stats=True)
    names = ("themis-asi", "gillam", "panchromatic ASI")
    others = [
        sources.get(*names, format=form, include_stats=True),
        sources.get_using_identifier(46, format=form, include_stats=True),
        *sources.get_using_filters(program="themis-asi", platform="gillam", format=form, include_stats=True),
        *sources.search(programs=["themis-asi"], platforms=["gillam"], format=form, include_stats=True),
    ]
    assert len(listed) == 1
    assert len(others) == 4
    for source in [*listed, *others]:
        given = {name for name, value in vars(source).items() if value is not None} - {"stats", "format"}
        assert len(given) == FORMATS[form]
        assert source.identifier == 46
        assert (source.stats.ephemeris_count, source.stats.data_product_count) == (827, 2)
        assert source.stats.earliest_data_product_loaded == START
    assert sources.get_using_identifier(46, format=form).stats is None


def test_metadata_schemas(client):
    schema = client.search.metadata.get_ephemeris_schema(46)
    assert {field["field_name"]: field["data_type"] for field in schema} == {
        "calgary_cloud_ml_v1": "string", "calgary_cloud_ml_v1_confidence": "double",
        "calgary_apa_ml_v1": "string", "calgary_apa_ml_v1_confidence": "double",
    }  # fmt: skip
    assert set(schema[0]) == {
        "field_name", "description", "data_type", "allowed_values", "searchable", "additional_description",
    }  # fmt: skip
    products = client.search.metadata.get_data_products_schema(46)
    assert client.search.metadata.validate(products, {"wavelength": "white light", "hours": 1})
    assert client.search.metadata.get_data_products_schema(3) == []


def test_availability(client):
    days = (START, datetime.datetime(2020, 1, 2))
    (swarm_b,) = client.search.availability.ephemeris(*days, program="swarm", platform="swarmb", format="full_record")
    assert swarm_b.available_ephemeris == {"2020-01-01": 1440, "2020-01-02": 0}
    assert swarm_b.data_source.owner == "sandbox"
    (gillam,) = client.search.availability.data_products(*days, program="themis-asi")
    assert gillam.available_data_products == {"2020-01-01": 2, "2020-01-02": 0}
    assert gillam.available_ephemeris is None
    assert client.search.availability.data_products(*days, program="swarm") == []


def test_without_data_products_there_are_none(connect):
    with sandbox.serve() as url:
        client = connect(url)
        assert client.search.data_products.search(START, END, programs=["themis-asi"], poll_interval=0.01).data == []
        assert client.search.availability.data_products(START, END) == []


def test_what_is_not_there_is_told(client):
    with pytest.raises(pyaurorax.AuroraXAPIError, match="sandbox: no data source record found"):
        client.search.sources.get_using_identifier(123456)
    with pytest.raises(pyaurorax.AuroraXNotFoundError):
        client.search.sources.get("themis-asi", "gillam", "footprint")
    with pytest.raises(pyaurorax.AuroraXAPIError, match="sandbox: "):
        client.search.ephemeris.search(datetime.datetime(2008, 1, 1), datetime.datetime(2008, 1, 2), programs=["swarm"])


def test_nothing_can_be_written_or_administered(client):
    source = client.search.sources.get_using_identifier(46, format="full_record")
    for write in (
        lambda: client.search.sources.add(source),
        lambda: client.search.sources.update(46, program="rego"),
        lambda: client.search.sources.delete(46),
        lambda: client.search.ephemeris.delete(source, START, END),
        lambda: client.search.data_products.delete_urls(source, ["https://example.org/keogram.png"]),
        lambda: client.search.requests.list(),
        lambda: client.search.requests.delete("none"),
    ):
        with pytest.raises(pyaurorax.AuroraXUnauthorizedError):
            write()
