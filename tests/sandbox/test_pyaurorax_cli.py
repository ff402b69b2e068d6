"""The command line of the real PyAuroraX client against the sandbox, one test per command that searches or reads."""

import json
import warnings

import pandas as pd
import pytest

from aurorax_pandas import sandbox
from aurorax_pandas.samples import recorded_query

pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("pyaurorax", exc_type=ImportError)
    testing = pytest.importorskip("click.testing")
    from pyaurorax.cli.cli import cli

KINDS = ("conjunctions", "ephemeris", "data_products")
BLOCK = {"programs": ["themis-asi"], "platforms": ["gillam"], "instrument_types": []}
NO_FILTER = {"expressions": [], "logical_operator": "AND"}
QUERIES = {
    "conjunctions": recorded_query(),
    "ephemeris": {
        "start": "2020-01-01T00:00:00", "end": "2020-01-01T00:09:59",
        "data_sources": {**BLOCK, "ephemeris_metadata_filters": NO_FILTER},
    },
    "data_products": {
        "start": "2020-01-01T00:00:00", "end": "2020-01-01T23:59:59",
        "data_sources": {**BLOCK, "data_product_metadata_filters": NO_FILTER},
        "data_product_type_filters": ["keogram"],
    },
}  # fmt: skip
COUNTS = {"conjunctions": 49, "ephemeris": 10, "data_products": 1}


@pytest.fixture(scope="module")
def url():
    made = pd.DataFrame({
        "identifier": [46], "program": ["themis-asi"], "platform": ["gillam"], "instrument_type": ["panchromatic ASI"],
        "source_type": ["ground"], "display_name": ["THEMIS-ASI GILL"], "data_product_type": ["keogram"],
        "start": ["2020-01-01"], "end": ["2020-01-01T23:59:59"], "url": ["https://example.org/keogram.png"],
        "metadata": [{"wavelength": "white light"}],
    })  # fmt: skip
    with sandbox.serve(data_products=made) as address:
        yield address


@pytest.fixture
def run(url, tmp_path):
    def call(*arguments, code=0):
        result = testing.CliRunner().invoke(cli, ["--api-base-url", url, *map(str, arguments)])
        assert result.exit_code == code, result.output + repr(result.exception)
        return result.output

    return call


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def infile(kind, tmp_path):
    path = tmp_path / "query.json"
    path.write_text(json.dumps(QUERIES[kind]))
    return path


@pytest.fixture
def request_id(run, kind, infile, tmp_path):
    said = run("search", kind, "search", infile, "--poll-interval", "0.01", "--outfile", tmp_path / "first.json")
    return next(line for line in said.splitlines() if "Request ID" in line).split()[-1]


def test_connectivity(run):
    assert "looks good" in run("--test-connectivity")


def test_search_saves_its_records(run, kind, infile, tmp_path):
    run("search", kind, "search", infile, "--poll-interval", "0.01", "--outfile", tmp_path / "data.json", "--quiet")
    assert len(json.loads((tmp_path / "data.json").read_text())) == COUNTS[kind]


def test_status_logs_query_and_data_of_a_search(run, kind, request_id, tmp_path):
    said = run("search", kind, "get_status", request_id, "--show-logs", "--show-query", "--table-max-width", "200")
    assert "Completed:\t\tTrue" in said
    assert f"Result count:\t\t{COUNTS[kind]}" in said
    assert "sandbox" in run("search", kind, "get_logs", request_id, "--table-max-width", "200")
    assert QUERIES[kind]["start"] in run("search", kind, "get_query", request_id)
    run("search", kind, "get_data", request_id, "--outfile", tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads((tmp_path / "first.json").read_text())
    assert "2020-01-01T" in run("search", kind, "get_data", request_id, "--output-to-terminal", "dict")


def test_a_search_is_submitted_again(run, kind, request_id):
    said = run("search", kind, "search_resubmit", request_id)
    new = said.split()[-1]
    assert new != request_id
    assert QUERIES[kind]["end"] in run("search", kind, "get_query", new)


def test_an_unknown_search_is_told(run, kind):
    for command in ("get_status", "get_logs", "get_query", "search_resubmit"):
        assert "request ID not found" in run("search", kind, command, "none", code=1)


def test_describe(run, kind, infile):
    assert run("search", kind, "describe", infile).startswith(
        {
            "conjunctions": "Find conjunctions",
            "ephemeris": "Find ephemeris for",
            "data_products": "Find data_products for",
        }[kind]
    )


@pytest.mark.parametrize("form", ["identifier_only", "basic_info", "with_metadata", "full_record"])
def test_one_source(run, form):
    by_id = run("search", "sources", "get_using_identifier", "46", "--format", form, "--include-stats")
    assert "Identifier:\t\t46" in by_id
    assert "Ephemeris Stats:\t827 (2020-01-01T00:00 to 2020-01-01T23:59)" in by_id
    assert "Data Product Stats:\t1 (2020-01-01T00:00 to 2020-01-01T23:59)" in by_id
    assert ("calgary_cloud_ml_v1" in by_id) == (form == "full_record")
    names = ("themis-asi", "gillam", "panchromatic ASI")
    assert run("search", "sources", "get", *names, "--format", form, "--include-stats") == by_id


def test_sources(run):
    listed = run("search", "sources", "list", "--program", "swarm", "--include-stats", "--order", "display_name")
    assert [name in listed for name in ("Swarm A", "Swarm B", "THEMIS-ASI GILL")] == [True, True, False]
    assert "Total Ephemeris records:\t4,320" in listed
    assert "sandbox" in run("search", "sources", "list", "--owner", "sandbox", "--source-type", "event_list")
    found = run("search", "sources", "search", "--programs", "swarm,themis-asi", "--platforms", "swarma,gillam")
    assert [name in found for name in ("Swarm A", "Swarm B", "THEMIS-ASI GILL")] == [True, False, True]


def test_availability(run):
    days = ("2020-01-01", "2020-01-02")
    assert "1,440" in run("search", "availability", "ephemeris", *days, "--program", "swarm")
    assert "THEMIS-ASI GILL" in run("search", "availability", "data_products", *days, "--program", "themis-asi")
    assert "No data products" in run("search", "availability", "data_products", *days, "--program", "swarm")
