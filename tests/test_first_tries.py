"""What someone writes on the first day, and is told what to write instead."""

import pandas as pd
import pytest

import aurorax_pandas as ap

TRIES = {
    "an ephemeris left out": (
        lambda df: df.aurorax.report(),
        r"report needs ephemeris=; df\.aurorax\.ephemeris\(\) reads",
    ),
    "of a picture": (lambda df: df.aurorax.plot.approach(), r"needs ephemeris=; df\.aurorax\.ephemeris\(\)"),
    "availability left out": (lambda df: df.aurorax.plot.rate(), r"needs availability=; .*read_aurorax_availability"),
    "a distance left out": (lambda df: df.aurorax.within(), "within needs distance=; give kilometres"),
    "a file left out": (lambda df: df.aurorax.to_csv(), "to_csv needs path=; give the name of a file"),
    "another frame left out": (lambda df: df.aurorax.overlaps(), "needs other=; give the frame"),
    "left out for a Dataset": (lambda df: df.aurorax.to_xarray().aurorax.within(), "within needs distance="),
    "a misspelt keyword": (
        lambda df: df.aurorax.select_sources(program_s="swarm"),
        "no program_s=; did you mean 'programs'",
    ),
    "a keyword of pandas": (lambda df: df.aurorax.to_csv("a.csv", index=False), "no index=; valid: path, overwrite"),
    "a misspelt label": (
        lambda df: df.aurorax.plot.timeline(by="pairs"),
        "by='pairs' is no column .* did you mean 'pair'",
    ),
    "a misspelt column": (lambda df: df.aurorax.plot.timeline(color="min_distanc"), "did you mean 'min_distance'"),
    "a column of no likeness": (
        lambda df: df.aurorax.plot.timeline(by="foo"),
        "give 'pair', 'site', .* or one of conj",
    ),
    "a picture by position": (lambda df: df.aurorax.plot("map"), r"write plot\.map\(\)|kind='map'"),
    "a column dropped": (
        lambda df: df.drop(columns="events").aurorax.explode_events(),
        "needs the column.s. events; the frame has conjunction_type, .* before columns are dropped",
    ),
    "a column renamed": (
        lambda df: df.rename(columns={"min_distance": "distance"}).aurorax.closest(1),
        "needs the column.s. min_distance; .* rename back",
    ),
    "ids as they stand in the provenance": (
        lambda df: pd.read_aurorax_conjunctions(request_id=["0123-abcd"]),
        "request_id= is a list; write request_id='0123-abcd'",
    ),
    "a whole provenance": (
        lambda df: ap.ConjunctionSearch(query=df.aurorax.provenance),
        r"write query=df\.aurorax\.provenance\['query'\]",
    ),
    "a block's name in the singular": (
        lambda df: ap.SpaceCriteriaBlock(program="swarm"),
        "SpaceCriteriaBlock takes no program=; write programs='swarm'",
    ),
    "a block's misspelt name": (
        lambda df: ap.SpaceCriteriaBlock("swarm", hemispheres="northern"),
        "takes no hemispheres=; did you mean 'hemisphere'",
    ),
    "a block's unknown name": (
        lambda df: ap.CustomLocationsCriteriaBlock(where=[(51, -114)]),
        "takes no where=; valid: locations",
    ),
    "stop for end": (
        lambda df: pd.read_aurorax_conjunctions("2020-01-01", stop="2020-01-02"),
        "takes no stop=; write end='2020-01-02'",
    ),
}


@pytest.mark.parametrize(("attempt", "message"), TRIES.values(), ids=TRIES)
def test_a_first_try_is_told_what_to_write(sample, attempt, message):
    with pytest.raises(ap.AuroraxInputError, match=message):
        attempt(sample)


def test_keywords_that_only_a_function_knows_reach_it(sample):
    ephemeris = ap.load_sample_ephemeris()
    with pytest.raises(ap.AuroraxInputError, match="write conjunction_types='nbtrace'"):
        ephemeris.aurorax.find_conjunctions(conjunction_type="nbtrace")
    with pytest.raises(ap.AuroraxInputError, match="PolyCollection takes no such keyword; did you mean 'color'"):
        sample.aurorax.plot.timeline(colour="min_distance")
    assert sample.aurorax.plot.timeline(linewidth=2).collections


def test_arguments_reach_a_method_by_position_and_by_name(sample):
    assert len(sample.aurorax.within(200)) == len(sample.aurorax.within(distance=200)) == 19
    assert len(sample.aurorax.compare(other=sample).gained) == 0


def test_a_picture_that_bears_the_name_of_a_column_is_labelled_by_it(sample):
    labelled = sample.aurorax.explode_events().assign(map="polar")
    assert [text.get_text() for text in labelled.aurorax.plot("map").get_yticklabels()] == ["polar"]


def test_a_method_of_pandas_is_found_where_it_is(sample):
    with pytest.raises(AttributeError, match=r"no 'to_excel'; pandas has it: df\.to_excel"):
        sample.aurorax.to_excel("table.xlsx")


def test_a_file_of_csv_that_pandas_read_goes_to_the_loader(sample, tmp_path):
    sample.aurorax.to_csv(tmp_path / "kept.csv")
    read = pd.read_csv(tmp_path / "kept.csv", comment="#")
    with pytest.raises(ap.AuroraxInputError, match=r"file of to_csv as others read it; load_conjunctions"):
        read.aurorax.explode_events()
    assert len(ap.load_conjunctions(tmp_path / "kept.csv").aurorax.explode_events()) == 49


def test_a_file_of_csv_that_pandas_wrote_is_not_ours(sample, tmp_path):
    sample.to_csv(tmp_path / "plain.csv")
    with pytest.raises(ap.AuroraxDataError, match=r"\.aurorax\.to_csv did not write it"):
        ap.load_conjunctions(tmp_path / "plain.csv")
