"""The real PyAuroraX client against the sandbox; runs where the extra `pyaurorax` is installed."""

import datetime
import warnings

import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import sandbox
from aurorax_pandas.testing import assert_conjunctions_equal

pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pyaurorax = pytest.importorskip("pyaurorax", exc_type=ImportError)

START, END = datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, 11, 59, 59)
GROUND, SPACE = [{"programs": ["themis-asi"]}], [{"programs": ["swarm"]}]
SEARCHES = {
    "recorded": (datetime.datetime(2020, 1, 1, 6, 59, 59), 500, {"ground": GROUND, "space": SPACE}),
    "engine": (END, 500, {"ground": GROUND, "space": SPACE}),
    "advanced distances": (
        END,
        {"ground1-space1": 500, "ground1-space2": None, "space1-space2": 300},
        {"ground": GROUND, "space": [{"platforms": ["swarma"]}, {"platforms": ["swarmc"]}]},
    ),
    "metadata filter": (
        END,
        500,
        {
            "ground": GROUND,
            "space": [
                {
                    "programs": ["swarm"],
                    "hemisphere": ["northern"],
                    "ephemeris_metadata_filters": {
                        "logical_operator": "AND",
                        "expressions": [{"key": "radial_distance", "operator": "<", "values": ["6860"]}],
                    },
                }
            ],
        },
    ),
}


@pytest.fixture(scope="module")
def url():
    with sandbox.serve() as address:
        yield address


@pytest.fixture(scope="module")
def client(url, tmp_path_factory):
    return pyaurorax.PyAuroraX(api_base_url=url, download_output_root_path=str(tmp_path_factory.mktemp("data")))


def ours(url, end, distance, blocks):
    return aurorax_pandas.read_aurorax_conjunctions(START, end, distance, api_url=url, **blocks)


@pytest.mark.parametrize("name", SEARCHES)
def test_search_gives_our_readers_conjunctions(client, url, name):
    end, distance, blocks = SEARCHES[name]
    search = client.search.conjunctions.search(START, end, distance, poll_interval=0.01, **blocks)
    frame = aurorax_pandas.as_conjunctions(search.data)
    assert len(frame)
    assert_conjunctions_equal(frame, ours(url, end, distance, blocks), check_attrs=False)


def test_a_search_as_a_frame_is_the_same_search_as_ours(client, url):
    end, distance, _ = SEARCHES["recorded"]
    ground = [pyaurorax.search.GroundCriteriaBlock(programs=["themis-asi"])]
    space = [pyaurorax.search.SpaceCriteriaBlock(programs=["swarm"])]
    search = client.search.conjunctions.search(START, end, distance, ground, space, poll_interval=0.01)
    theirs, mine = aurorax_pandas.as_conjunctions(search), ours(url, end, distance, {"ground": GROUND, "space": SPACE})
    assert theirs.aurorax.provenance["query"] == search.query != mine.aurorax.provenance["query"]
    for one, other in ((mine, theirs), (theirs, mine)):
        assert [len(part) for part in aurorax_pandas.compare(one, other)] == [0, 0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_conjunctions_equal(aurorax_pandas.concat([mine, theirs]), mine, check_attrs=False)


def test_a_search_as_a_frame_knows_its_address_and_no_secret(url, tmp_path):
    end, distance, blocks = SEARCHES["recorded"]
    client = pyaurorax.PyAuroraX(api_base_url=url, api_key="a-secret", download_output_root_path=str(tmp_path))
    search = client.search.conjunctions.search(START, end, distance, poll_interval=0.01, **blocks)
    frame = aurorax_pandas.as_conjunctions(search)
    assert frame.aurorax.provenance["api_url"] == url
    assert "a-secret" not in str(frame.attrs)
    assert frame.aurorax.citation().table["name"].tolist() == ["swarm", "themis-asi", "sandbox", "aurorax_pandas"]


def test_custom_locations(client, url):
    place = pyaurorax.search.CustomLocationsCriteriaBlock(locations=[(56.4, -94.6)])
    craft = pyaurorax.search.SpaceCriteriaBlock(programs=["swarm"])
    search = client.search.conjunctions.search(
        START, END, 500, custom_locations=[place], space=[craft], poll_interval=0.01
    )
    mine = ours(url, END, 500, {"custom_locations": {"locations": [(56.4, -94.6)]}, "space": {"programs": "swarm"}})
    assert len(mine)
    assert_conjunctions_equal(aurorax_pandas.as_conjunctions(search.data), mine, check_attrs=False)


def test_step_by_step(client):
    search = pyaurorax.search.ConjunctionSearch(client, START, END, 500, ground=GROUND, space=SPACE)
    search.execute()
    search.wait(poll_interval=0.01)
    search.update_status()
    assert search.status["search_result"]["error_condition"] is False
    assert search.logs[-1]["summary"].startswith("Finished search in")
    search.get_data()
    assert len(search.data) == search.status["search_result"]["result_count"] > 0


def test_raw_query(client):
    query = {
        "start": "2020-01-01T00:00:00.000Z", "end": "2020-01-01T06:59:59.000Z", "ground": GROUND, "space": SPACE,
        "conjunction_types": ["nbtrace"], "max_distances": {"ground1-space1": 500}, "epoch_search_precision": 60,
    }  # fmt: skip
    assert len(client.search.conjunctions.search_from_raw_query(query, poll_interval=0.01).data) == 49


def test_response_format(client):
    wanted = {"start": True, "data_sources": {"identifier": True}}
    search = client.search.conjunctions.search(
        START, END, 500, ground=GROUND, space=SPACE, response_format=wanted, poll_interval=0.01
    )
    assert set(search.data[0]) == {"start", "data_sources"}
    assert set(search.data[0]["data_sources"][0]) == {"identifier"}


def test_describe_and_cancel(client):
    search = pyaurorax.search.ConjunctionSearch(client, START, END, 500, ground=GROUND, space=SPACE)
    assert client.search.conjunctions.describe(search).startswith("Find conjunctions of type (nbtrace)")
    search.execute()
    assert search.cancel() == 0


def test_sources_ephemeris_and_availability(client):
    assert [source.display_name for source in client.search.sources.list(program="swarm")] == [
        "Swarm A",
        "Swarm B",
        "Swarm C",
    ]
    found = client.search.ephemeris.search(
        START, datetime.datetime(2020, 1, 1, 0, 9), programs=["swarm"], platforms=["swarmb"], poll_interval=0.01
    )
    sample = aurorax_pandas.load_sample_ephemeris().sel(epoch=slice("2020-01-01T00:00", "2020-01-01T00:09"))
    swarm_b = sample.sel(source=sample["platform"] == "swarmb").isel(source=0)
    assert [record.location_geo.lat for record in found.data] == swarm_b["geo_lat"].values.tolist()
    assert pd.to_datetime([record.epoch for record in found.data]).tolist() == pd.to_datetime(swarm_b["epoch"]).tolist()
    counts = client.search.availability.ephemeris(START, END, program="swarm")
    assert [count.available_ephemeris for count in counts] == [{"2020-01-01": 1440}] * 3
