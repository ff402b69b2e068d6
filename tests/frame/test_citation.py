"""Whom to acknowledge: every bundled program has a row, nothing is invented, and files carry it."""

import csv
import importlib.util
import json
import re
from importlib import resources
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest
import xarray
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas.frame.citation import ASK
from aurorax_pandas.sources import bundled_sources
from aurorax_pandas.testing import assert_conjunctions_equal

DATA = resources.files("aurorax_pandas") / "data"
SAMPLE = ap.load_sample_conjunctions()
COLUMNS = ["kind", "name", "provider", "acknowledge", "url", "doi", "source"]


@pytest.fixture(scope="module")
def rows():
    lines = (DATA / "citations.csv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@pytest.fixture(scope="module")
def references():
    entries = re.split(r"\n(?=@)", (DATA / "references.bib").read_text(encoding="utf-8"))
    return {re.match(r"@\w+\{([^,]+),", entry)[1]: entry for entry in entries}


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def found(ephemeris):
    """Return conjunctions that were found in the bundled ephemeris."""
    window = ephemeris.sel(epoch=slice("2020-01-01T00:00", "2020-01-01T02:00"))
    return ap.find_conjunctions(window, distance=500, ground={"programs": "themis-asi"}, space={"programs": "swarm"})


def names(cited, kind=None):
    table = cited.table
    return table.loc[table["kind"] == kind, "name"].tolist() if kind else table["name"].tolist()


def test_every_bundled_program_has_one_row(rows):
    programs = [row["name"] for row in rows if row["kind"] == "program"]
    assert set(bundled_sources()["program"]) <= set(programs)
    assert len(programs) == len(set(programs))


def test_a_row_that_tells_something_says_where_it_was_read(rows):
    for row in rows:
        told = row["provider"] or row["acknowledge"] or row["reference"]
        assert bool(told) == bool(row["source"]) or row["name"] == "custom", row["name"]
        for name in ("url", "source"):
            assert re.fullmatch(r"(https?://\S+)?", row[name]), row["name"]


def test_references_of_rows_are_there_and_whole(rows, references):
    wanted = {row["reference"] for row in rows} - {""}
    assert wanted == set(references)
    for key, entry in references.items():
        for field in ("author", "title", "year"):
            assert f"  {field} = {{" in entry, key
        assert key == "laakso2010" or re.search(r"\n  doi = \{10\.\d{4,}/\S+\}\n", entry), key


def test_no_row_holds_an_address_of_a_person(rows):
    assert not [row["name"] for row in rows if "@" in "".join(row.values())]


def test_a_citation_lists_programs_service_sample_and_software(sample):
    cited = sample.aurorax.citation()
    assert list(cited.table.columns) == COLUMNS
    assert set(cited.table.dtypes.astype(str)) == {"str"}
    assert names(cited, "program") == ["swarm", "themis-asi"]
    assert names(cited, "service") == ["AuroraX"]
    assert names(cited, "model") == []
    assert names(cited, "sample") == ["bundled data"]
    assert names(cited, "software") == ["aurorax_pandas"]
    assert "10.3389/fspas.2022.1009450" in cited.table["doi"].tolist()
    assert f"the version that was used, {ap.__version__}" in cited.text


def test_text_and_bibtex_say_the_same_as_the_table(sample, references):
    cited = sample.aurorax.citation()
    assert repr(cited) == str(cited) == cited.text
    assert all(name in cited.text for name in names(cited))
    assert all(f"doi:{doi}" in cited.text for doi in cited.table["doi"] if doi)
    assert references["mende2008"].strip() in cited.bibtex
    assert references["tsyganenko1989"] not in cited.bibtex
    assert f"version = {{{ap.__version__}}}" in cited.bibtex


def test_a_notebook_shows_links_and_nothing_of_a_source_as_markup(sample):
    name = "<b>mine</b>"
    events = sample.aurorax.explode_events().assign(e1_program=name)
    shown = events.aurorax.citation()._repr_html_()
    assert '<a href="https://aurorax.space">https://aurorax.space</a>;' in shown
    assert name not in shown
    assert "&lt;b&gt;mine&lt;/b&gt;" in shown


@pytest.mark.parametrize(
    "make",
    [
        lambda df: df.aurorax.explode_events(),
        lambda df: df.aurorax.pair_summary(),
        lambda df: df.aurorax.pair_summary(by="site"),
        lambda df: df.aurorax.pair_summary().reset_index(),
        lambda df: df.aurorax.passes(),
        lambda df: df.aurorax.to_xarray(),
        lambda df: df.drop(columns="data_sources"),
        lambda df: df.drop(columns="events"),
        lambda df: df.assign(program=[["of", "my", "own"]] * len(df)),
    ],
)
def test_what_verbs_make_of_a_frame_is_cited_as_the_frame(sample, make):
    assert names(make(sample).aurorax.citation()) == names(sample.aurorax.citation())


@pytest.mark.parametrize(
    "make",
    [
        lambda df: df.aurorax.image_windows(),
        lambda df: (
            df.aurorax.image_windows().drop(columns=["program", "spacecraft"]).assign(pair="THEMIS-ASI GILL & Swarm A")
        ),
        lambda df: df.aurorax.tracks(ap.load_sample_ephemeris()),
        lambda df: df.aurorax.spacecraft_windows(),
        lambda df: df.aurorax.report(ap.load_sample_ephemeris()),
        lambda df: df.aurorax.revisits(),
        lambda df: df.aurorax.daily_counts("pair"),
        lambda df: df.aurorax.daily_counts("site"),
        lambda df: df.aurorax.daily_counts("spacecraft"),
        lambda df: df.aurorax.daily_counts("station").reset_index(),
    ],
)
def test_tables_of_verbs_are_cited_as_the_frame_behind_them(sample, make):
    assert names(ap.citation(make(sample))) == names(sample.aurorax.citation())


@pytest.mark.parametrize("make", ["copy", "explode_events", "pair_summary", "passes"])
def test_a_dataset_is_cited_as_the_frame_in_it(sample, make):
    df = sample if make == "copy" else getattr(sample.aurorax, make)()
    dataset = df.aurorax.to_xarray()
    assert ap.citation(dataset).text == dataset.aurorax.citation().text == df.aurorax.citation().text
    assert ap.citation(xarray.DataTree(dataset)).text == df.aurorax.citation().text


@pytest.mark.parametrize("by", ["column", "index", "level"])
def test_a_site_is_no_program_where_nothing_tells_the_programs_of_its_cameras(sample, by):
    bare = sample.copy()
    bare.attrs = {}
    table = {
        "column": lambda: bare.aurorax.pair_summary("site").reset_index(),
        "index": lambda: bare.aurorax.pair_summary("site"),
        "level": lambda: bare.aurorax.daily_counts("site"),
    }[by]()
    cited = ap.citation(table)
    assert names(cited, "program") == ["swarm"]
    sites = names(cited, "site")
    assert sites == sorted({pair.split(" & ")[0] for pair in bare.aurorax.pair_summary("site").index})
    told = cited.table.set_index("name").loc["GILL"]
    assert "whose programs are not told here" in told["acknowledge"]
    assert not any(told[["provider", "url", "doi", "source"]])


def test_programs_that_a_query_names_in_part_alone_are_not_taken_for_all(sample):
    df = sample.copy()
    df.attrs["aurorax"]["query"]["ground"] = [{"platforms": ["gillam"]}]
    cited = df.aurorax.pair_summary("site").aurorax.citation()
    assert names(cited, "program") == ["swarm"]
    assert "GILL" in names(cited, "site")


def test_windows_of_images_tell_programs_without_provenance_and_a_source_of_ones_own_stands_by_its_name(builders):
    mine = builders.source(9000, "My camera", "ground", "mine")
    df = ap.as_conjunctions([builders.record(11, 13, sources=(mine, builders.SWARM_A))])
    df.attrs = {}
    assert names(ap.citation(df.aurorax.image_windows()), "program") == ["mine", "swarm"]
    assert names(df.aurorax.pair_summary().aurorax.citation(), "program") == ["My camera", "swarm"]


def test_a_program_that_nobody_knows_is_listed_to_be_asked_for(sample):
    events = sample.aurorax.explode_events().assign(e1_program="my-cameras")
    row = events.aurorax.citation().table.set_index("name").loc["my-cameras"]
    assert row.to_dict() == dict.fromkeys(COLUMNS[2:], "") | {"kind": "program", "acknowledge": ASK}


@given(st.lists(st.sampled_from([*bundled_sources()["program"].unique(), "mine", None]), min_size=1, max_size=8))
def test_all_programs_of_a_frame_are_listed_once_and_no_others(programs):
    events = SAMPLE.aurorax.explode_events().head(len(programs)).assign(e1_program=programs, e2_program=programs[::-1])
    listed = names(events.aurorax.citation(), "program")
    wanted = sorted({name for name in programs if name is not None})
    # where no program is known, the names of the sources are asked
    assert listed == (wanted or ["swarm", "themis-asi"])


def test_a_frame_of_the_local_engine_cites_models_and_not_the_service(found, ephemeris):
    cited = found.aurorax.citation()
    assert names(cited, "model") == ["IGRF", "SGP4", "SSCWeb", "Tsyganenko 89"]
    assert names(cited, "service") == []
    assert "1009450" not in cited.text
    assert names(ephemeris.aurorax.citation()) == names(cited)
    assert names(ap.citation(ephemeris)) == names(cited)


def test_without_an_external_field_only_the_main_field_is_cited():
    traced = ap.stations(["2020-01-01"], programs="themis-asi", platforms="GILL", conjugate=True, external=None)
    assert names(traced.aurorax.citation(), "model") == ["IGRF"]


def test_frames_put_together_cite_all_that_they_come_from(sample, found):
    both = ap.concat([sample, found.assign(mine=1)])
    cited = both.aurorax.citation()
    assert set(names(cited)) == {*names(sample.aurorax.citation()), *names(found.aurorax.citation())}
    again = ap.concat([found.head(3), found])
    assert again.aurorax.provenance["sample"] == found.aurorax.provenance["sample"]
    assert again.aurorax.provenance["kp"] == 3.0


def test_an_answer_of_this_machine_is_told_as_such(sample):
    df = sample.copy()
    del df.attrs["aurorax"]["sample"]
    df.attrs["aurorax"]["api_url"] = "http://127.0.0.1:8000"
    cited = df.aurorax.citation()
    assert names(cited, "sample") == ["sandbox"]
    assert names(cited, "service") == []
    assert "no answer of AuroraX" in cited.text
    df.attrs["aurorax"]["api_url"] = "https://api.aurorax.space"
    assert names(df.aurorax.citation(), "sample") == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ('{"api_url": "https://api.aurorax.space", "package_version": "0.0.9"}', ["AuroraX", "aurorax_pandas"]),
        ('{"api_url": "http://localhost:8000"}', ["sandbox", "aurorax_pandas"]),
        ("no JSON", ["aurorax_pandas"]),
        (1, ["aurorax_pandas"]),
        ("[1]", ["aurorax_pandas"]),
    ],
)
def test_an_ephemeris_that_was_read_tells_from_where(ephemeris, told, expected):
    read = ephemeris[["geo_lat"]].isel(source=[0])
    read.attrs = {"aurorax": told}
    cited = read.aurorax.citation()
    assert names(cited) == ["swarm", *expected]
    assert ("0.0.9" in cited.text) == ("0.0.9" in str(told))


def test_cells_of_other_tools_are_refused_with_the_cure(sample):
    cells = sample.assign(
        data_sources=[cell.to_dict("records") for cell in sample["data_sources"]],
        events=[cell.to_dict("records") for cell in sample["events"]],
    )
    with pytest.raises(ap.AuroraxInputError, match=r"as_conjunctions\(df\)"):
        cells.aurorax.citation()
    assert names(ap.as_conjunctions(cells).aurorax.citation(), "program") == ["swarm", "themis-asi"]


def test_a_frame_without_provenance_cites_its_programs_and_this_library(sample):
    df = sample.copy()
    df.attrs = {}
    assert names(df.aurorax.citation()) == ["swarm", "themis-asi", "aurorax_pandas"]


def test_an_empty_frame_cites_what_its_provenance_tells(sample):
    assert names(sample.head(0).aurorax.citation()) == ["AuroraX", "bundled data", "aurorax_pandas"]


@pytest.mark.parametrize("data", [pd.DataFrame({"min_distance": [1.0]}), [1], None, xarray.Dataset()])
def test_what_names_no_source_is_refused(data):
    with pytest.raises(ap.AuroraxInputError, match="citation needs"):
        ap.citation(data)


@pytest.mark.parametrize("kind", ["conjunctions", "events", "pair_summary", "passes"])
def test_files_carry_the_words_and_load_equal(sample, kind, tmp_path):
    verbs = {"events": "explode_events", "pair_summary": "pair_summary", "passes": "passes"}
    df = getattr(sample.aurorax, verbs[kind])() if kind in verbs else sample
    words = df.aurorax.citation().text
    places = {name: tmp_path / f"file.{name}" for name in ("parquet", "csv", "json", "nc")}
    df.aurorax.to_parquet(places["parquet"])
    df.aurorax.to_csv(places["csv"])
    df.aurorax.to_json(places["json"])
    df.aurorax.to_netcdf(places["nc"])
    told = {
        "parquet": json.loads(pyarrow.parquet.read_schema(places["parquet"]).metadata[b"aurorax"]),
        "csv": json.loads(places["csv"].read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")),
        "json": json.loads(places["json"].read_text(encoding="utf-8"))["aurorax"],
    }
    with xarray.open_dataset(places["nc"]) as ds:
        told["nc"] = dict(ds.attrs)
        assert "doi:10.3389/fspas.2022.1009450" in ds.attrs["references"]
        assert "acknowledgement" not in json.loads(ds.attrs["aurorax"])
    for name, path in places.items():
        assert told[name]["acknowledgement"] == words, name
        back = ap.load_conjunctions(path)
        assert back.attrs == df.attrs
        assert_conjunctions_equal(back, df)


def test_an_arrow_table_carries_the_words_beside_the_provenance(sample):
    table = sample.aurorax.to_arrow()
    assert table.schema.metadata[b"acknowledgement"].decode() == sample.aurorax.citation().text
    assert_conjunctions_equal(ap.as_conjunctions(table), sample)


def test_words_are_those_of_the_frame_that_is_written_and_not_of_the_file_that_was_read(sample, tmp_path):
    sample.aurorax.to_parquet(tmp_path / "all.parquet")
    mine = ap.load_conjunctions(tmp_path / "all.parquet")
    mine.attrs = {}
    mine.aurorax.to_parquet(tmp_path / "mine.parquet")
    block = json.loads(pyarrow.parquet.read_schema(tmp_path / "mine.parquet").metadata[b"aurorax"])
    assert "AuroraX (" not in block["acknowledgement"]
    assert "swarm" in block["acknowledgement"]


def test_the_page_on_citing_has_the_table_as_it_is():
    path = Path(__file__).resolve().parents[2] / "docs/tools/citation_table.py"
    spec = importlib.util.spec_from_file_location("citation_table", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.TARGET.read_text(encoding="utf-8") == tool.rendered()


def test_counts_and_changed_rows_and_lists_of_sources_are_cited(sample):
    programs = ["swarm", "themis-asi"]
    changed = ap.compare(sample, sample.assign(min_distance=sample["min_distance"] / 2)).changed
    availability = pd.DataFrame({"identifier": [3], "program": ["swarm"], "source_type": ["leo"], "records": [1440]})
    for table, named in ((ap.daily_counts(sample), programs), (changed, programs), (availability, ["swarm"])):
        found = ap.citation(table).table
        assert found.loc[found["kind"] == "program", "name"].tolist() == named


def test_tables_that_name_nobody_say_what_to_cite(sample):
    lost = ap.daily_counts(sample)
    lost.attrs = {}
    for table in (ap.overlaps(sample, sample), lost):
        with pytest.raises(ap.AuroraxInputError, match="cite the frames behind them"):
            ap.citation(table)
