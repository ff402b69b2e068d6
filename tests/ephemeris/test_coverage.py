"""What an ephemeris does not cover is an error or one warning; where all is well nothing is said."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas as ap
from aurorax_pandas.ephemeris import coverage

ASKED = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


def shifted(ephemeris, days=1):
    return ephemeris.assign_coords(epoch=ephemeris["epoch"] + np.timedelta64(days, "D"))


VERBS = {
    "closest_approach": lambda df, ds: df.aurorax.closest_approach(ds),
    "overflights": lambda df, ds: df.aurorax.overflights(ds),
    "passes": lambda df, ds: df.aurorax.passes(ephemeris=ds),
    "image_windows": lambda df, ds: df.aurorax.image_windows(ds),
    "map": lambda df, ds: df.aurorax.plot.map(ds),
}


@pytest.mark.parametrize("verb", VERBS)
def test_an_ephemeris_of_another_day_covers_nothing(verb, sample, ephemeris):
    says = (
        rf"{verb}: the ephemeris covers none of the 49 rows \(49 for epochs outside\): it holds Swarm A, Swarm B, .* "
        r"from 2020-01-02 00:00:00 to 2020-01-02 23:59:00; the rows are of .*Swarm A.* to 2020-01-01 06:56:00"
    )
    with pytest.raises(ap.AuroraxDataError, match=says):
        VERBS[verb](sample, shifted(ephemeris))


@pytest.mark.parametrize("verb", VERBS)
def test_a_source_that_is_missing_is_named_with_the_count(verb, sample, ephemeris):
    without = ephemeris.isel(source=slice(1, None))
    count = (sample.aurorax.explode_events()["pair"].str.endswith("Swarm A")).sum()
    says = rf"{verb}: the ephemeris does not cover {count} of 49 rows \({count} for lack of Swarm A\): it holds Swarm B"
    with pytest.warns(ap.AuroraxDataWarning, match=says) as caught:
        VERBS[verb](sample, without)
    assert len(caught) == 1


@pytest.mark.parametrize("verb", VERBS)
def test_rows_after_the_last_epoch_are_counted(verb, sample, ephemeris):
    cut = ephemeris.sel(epoch=slice(None, "2020-01-01T03:00"))
    late = (sample["end"] > pd.Timestamp("2020-01-01T03:01")).sum()
    assert 0 < late < 49
    with pytest.warns(ap.AuroraxDataWarning, match=rf"not cover {late} of 49 rows \({late} for epochs outside\)"):
        VERBS[verb](sample, cut)


@pytest.mark.parametrize("verb", VERBS)
def test_gaps_are_told_from_epochs_outside(verb, sample, ephemeris):
    hole = ephemeris.where(
        (ephemeris["epoch"] < pd.Timestamp("2020-01-01T01:00")) | (ephemeris["source_type"] == "ground")
    )
    with pytest.warns(ap.AuroraxDataWarning, match=r"\d+ for a gap in the positions of Swarm"):
        VERBS[verb](sample, hole)


def test_a_footprint_that_is_missing_is_no_gap(sample, ephemeris):
    bare = ephemeris.copy()
    craft = bare["display_name"] == "Swarm A"
    for part in ("lat", "lon"):
        bare[f"nbtrace_{part}"] = bare[f"nbtrace_{part}"].where(~craft)
    with pytest.warns(ap.AuroraxDataWarning, match=r"21 of 49 rows \(21 for lack of a footprint of Swarm A\)"):
        sample.aurorax.closest_approach(bare)


@pytest.mark.parametrize("verb", VERBS)
def test_the_sample_with_its_own_ephemeris_is_silent(verb, sample, ephemeris):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        VERBS[verb](sample, ephemeris)
        # stations and cameras that did not operate are no gaps
        VERBS[verb](sample, ephemeris.isel(source=slice(3)))


@pytest.mark.parametrize("verb", VERBS)
def test_an_empty_frame_gives_an_empty_result(verb, sample, ephemeris):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        VERBS[verb](sample.iloc[:0], shifted(ephemeris))


def test_sources_of_an_unknown_type_are_said(sample, ephemeris):
    events = sample.aurorax.explode_events()
    events["e2_source_type"] = "satellite"
    with pytest.warns(ap.AuroraxDataWarning, match="passes: the source_type of Swarm A, Swarm C, Swarm B is unknown"):
        assert len(events.aurorax.passes()) == 0
    with pytest.warns(ap.AuroraxDataWarning, match="overflights: the source_type of Swarm A"):
        events.aurorax.overflights(ephemeris)


# ---- searches --------------------------------------------------------------------------------------------------------


def find(ephemeris, start="2020-01-01", end="2020-01-01T06:59:59", **asked):
    return ap.find_conjunctions(ephemeris, start, end, 500, **(ASKED | asked))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2020-01-01", "2020-01-01T06:59:59"),
        ("2020-01-01", "2020-01-01"),
        (None, None),
        ("2020-01-01T05", "2020-01-01T06"),
    ],
)
def test_searches_inside_are_silent(ephemeris, start, end):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(find(ephemeris, start, end))


def test_a_window_without_an_epoch_is_an_error(ephemeris):
    says = r"no epoch in the window 2019-01-01 00:00:00 to 2019-01-01 23:59:59: it holds Swarm A, .* from 2020-01-01 00:00:00"
    with pytest.raises(ap.AuroraxDataError, match=says):
        find(ephemeris, "2019-01-01", "2019-01-01")


def test_the_day_after_has_no_epoch_either(ephemeris):
    with pytest.raises(ap.AuroraxDataError, match="no epoch in the window 2020-01-02"):
        find(ephemeris, "2020-01-02", "2020-01-02")


def test_a_window_that_reaches_outside_is_said(ephemeris):
    says = r"1440 of the 2880 epochs of the window .* are outside 2020-01-01 00:00:00 to 2020-01-01 23:59:00"
    with pytest.warns(ap.AuroraxDataWarning, match=says):
        find(ephemeris, "2019-12-31", "2020-01-01")


def test_gaps_in_a_window_are_said(ephemeris):
    late = ephemeris["epoch"] >= pd.Timestamp("2020-01-01T00:10")
    hole = ephemeris.where(late | (ephemeris["display_name"] != "Swarm B"))
    with pytest.warns(ap.AuroraxDataWarning, match="Swarm B has no position at 10 of 420 epochs"):
        find(hole)


def test_no_more_gaps_are_told_than_can_be_read_but_how_many_there_are(ephemeris, monkeypatch):
    monkeypatch.setattr(coverage, "_SHOWN", 1)
    late = ephemeris["epoch"] >= pd.Timestamp("2020-01-01T00:10")
    hole = ephemeris.where(late | ~ephemeris["display_name"].isin(["Swarm B", "Swarm C"]))
    with pytest.warns(ap.AuroraxDataWarning, match="Swarm B has no position at 10 of 420 epochs; 1 more have gaps"):
        find(hole)


def test_a_block_without_a_source_is_an_error_that_says_what_is_there(ephemeris):
    says = r"space: the ephemeris has no source that matches .*'themis'.*: it holds Swarm A, .* from 2020-01-01"
    with pytest.raises(ap.AuroraxDataError, match=says):
        find(ephemeris, space={"programs": "themis"})


def test_a_misspelt_name_is_an_argument_that_cannot_be_used(ephemeris):
    with pytest.raises(ap.AuroraxInputError, match="did you mean 'swarm'"):
        find(ephemeris, space={"programs": "swram"})


def test_a_name_without_a_source_beside_others_is_named(ephemeris, sample):
    with pytest.warns(ap.AuroraxDataWarning, match="no source has the name 'themis'") as caught:
        df = find(ephemeris, space={"programs": ["swarm", "themis"]})
    assert len(df) == len(sample)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_sites_are_found_by_name_and_code(ephemeris):
    by_code, by_name = (find(ephemeris, ground={"platforms": site}) for site in ("GILL", "gillam"))
    assert len(by_code) == len(by_name) > 0
    own = ap.stations(ephemeris["epoch"], locations={"GILL": (56.35, -94.66)})
    both = xr.concat([ephemeris.isel(source=slice(3)), own], dim="source")
    assert len(find(both, ground={"platforms": "GILL"})) > 0


def test_blocks_send_sites_by_their_names():
    block = ap.GroundCriteriaBlock(platforms=["GILL", "gillam", "somewhere"])
    assert block.to_query() == {"platforms": ["gillam", "somewhere"]}


# ---- select_sources --------------------------------------------------------------------------------------------------


def test_a_misspelt_site_is_an_error_with_a_suggestion(sample):
    with pytest.raises(ap.AuroraxInputError, match="site: no source has 'GIL'; did you mean 'GILL'"):
        sample.aurorax.select_sources(site="GIL")
    with pytest.raises(ap.AuroraxInputError, match="program: no source has 'swrm'; did you mean 'swarm'"):
        sample.aurorax.select_sources(program=["swarm", "swrm"])


def test_a_name_that_is_near_to_none_is_said_and_gives_no_row(sample):
    with pytest.warns(ap.AuroraxDataWarning, match="display_name: no source that is known here has 'Qqqqq'"):
        assert len(sample.aurorax.select_sources(display_name="Qqqqq")) == 0


def test_a_known_name_without_rows_gives_none_in_silence(sample):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(sample.aurorax.select_sources(site="RESU")) == 0
        assert len(sample.aurorax.select_sources(program="dmsp")) == 0
        assert len(sample.iloc[:0].aurorax.select_sources(program="swrm")) == 0


def test_names_of_a_list_read_in_this_session_are_known(sample):
    from aurorax_pandas import sources

    sources.remember_sources(sources.bundled_sources().assign(program="zzzzz"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(sample.aurorax.select_sources(program="zzzzz")) == 0
    finally:
        sources.forget_sources()


def test_platforms_are_taken_by_site_code(sample):
    by_code, by_name = (sample.aurorax.select_sources(platform=name) for name in ("GILL", "gillam"))
    assert len(by_code) == len(by_name) > 0


def test_partitions_of_a_dask_frame_do_not_miss_each_others_names(sample):
    dd = pytest.importorskip("dask.dataframe")
    assert len(dd.from_pandas(sample, npartitions=3).aurorax.select_sources(platform="swarmb").compute()) == 8


def test_epochs_after_the_last_one_are_counted(ephemeris):
    half = ephemeris.isel(epoch=slice(0, 720))
    with pytest.warns(ap.AuroraxDataWarning, match="13 of the 73 epochs of the window"):
        find(half, "2020-01-01T11:00", "2020-01-01T12:12")


def test_no_epoch_at_all_covers_nothing(sample, ephemeris):
    with pytest.raises(ap.AuroraxDataError, match="covers none"):
        sample.aurorax.overflights(ephemeris.isel(epoch=slice(0, 0)))


def without_time(sample, name, rows):
    events = sample.aurorax.explode_events()
    return events.assign(**{name: events[name].mask(events.index.isin(rows))})


@pytest.mark.parametrize("name", ["start", "end"])
@pytest.mark.parametrize("verb", ["closest_approach", "image_windows", "magnetic", "report"])
def test_a_row_whose_own_time_is_missing_is_told_as_such(verb, name, sample, ephemeris):
    says = rf"^{verb}: the ephemeris does not cover 2 of 49 rows \(2 whose own time is missing\): it holds"
    with pytest.warns(ap.AuroraxDataWarning, match=says) as caught:
        getattr(without_time(sample, name, [3, 7]).aurorax, verb)(ephemeris=ephemeris)
    assert len(caught) == 1
    with pytest.raises(ap.AuroraxDataError, match=rf"^{verb}: .* none of the 49 rows \(49 whose own time is missing\)"):
        getattr(without_time(sample, name, range(49)).aurorax, verb)(ephemeris=ephemeris)


def test_an_instant_that_is_missing_is_told_as_such(sample, ephemeris):
    events = without_time(sample, "start", [3])
    events.loc[3, "closest_epoch"] = pd.NaT
    with pytest.warns(ap.AuroraxDataWarning, match=r"overflights: .* 1 of 49 rows \(1 whose own time is missing\)"):
        events.aurorax.overflights(ephemeris)


@pytest.mark.parametrize("verb", ["report", "observable"])
def test_who_was_called_is_who_tells(verb, sample, ephemeris):
    arguments = {"elevation_above": 20} if verb == "observable" else {}
    with pytest.raises(ap.AuroraxDataError, match=f"^{verb}: the ephemeris covers none of the 49 rows"):
        getattr(sample.aurorax, verb)(ephemeris=shifted(ephemeris), **arguments)


def test_a_warning_tells_the_line_of_the_user_where_pandas_makes_the_call(sample, ephemeris):
    cut = ephemeris.sel(epoch=slice(None, "2020-01-01T03:00"))
    with pytest.warns(ap.AuroraxDataWarning, match="does not cover") as caught:
        sample.pipe(ap.closest_approach, cut).pipe(lambda df: df.pipe(ap.report, ephemeris=cut))
    assert [each.filename for each in caught] == [__file__] * 2
