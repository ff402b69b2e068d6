import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas.analysis.observable import _inside
from aurorax_pandas.testing import assert_conjunctions_equal


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


def test_all_of_the_recording_was_dark_and_37_rows_high(sample, ephemeris):
    assert_conjunctions_equal(sample.aurorax.observable(), sample)
    high = sample.aurorax.observable(elevation_above=20, ephemeris=ephemeris)
    assert len(high) == 37
    assert len(high.aurorax.overflights(ephemeris)) == 15
    near = sample.aurorax.closest_approach(ephemeris)
    assert near.aurorax.observable(elevation_above=20).index.equals(high.index)


def test_each_condition_is_that_of_the_verb_that_adds_its_column(sample):
    seen = sample.aurorax.sky().aurorax.magnetic()
    for condition, wanted in {
        "sun_below": seen["sun_elevation"] < -30,
        "moon_below": seen["moon_elevation"] < 5,
    }.items():
        asked = {"sun_below": None, condition: -30 if condition == "sun_below" else 5}
        assert sample.aurorax.observable(**asked).index.equals(sample.index[wanted])
    dusk = sample.aurorax.observable(mlt=(17, 19.5))
    assert dusk.index.equals(sample.index[seen["mlt"].between(17, 19.5)])
    night = sample.aurorax.observable(-30, mlt=(21, 3))
    assert night.index.equals(sample.index[(seen["mlt"] >= 21) & (seen["sun_elevation"] < -30)])


@given(
    first=st.floats(0, 24), last=st.floats(0, 24), hours=st.lists(st.floats(0, 24, exclude_max=True), min_size=1),
)  # fmt: skip
def test_a_sector_and_the_rest_of_the_day_make_a_day(first, last, hours):
    values = np.array([*hours, np.nan])
    inside, rest = _inside(values, first, last), _inside(values, last, first)
    edge = np.isin(values, [first, last])
    assert inside[-1] == rest[-1] == 0
    if first != last:
        assert (inside[:-1] == -rest[:-1])[~edge[:-1]].all()
    assert (inside[edge] == 1).all()
    assert (rest[edge] == 1).all()


def test_of_several_events_one_is_enough_or_each_must_do(builders, ephemeris):
    cameras = (builders.GILL, builders.ATHA)
    events = [builders.event(camera, builders.SWARM_A, 11, 13) for camera in cameras]
    df = ap.as_conjunctions(
        [builders.record(11, 13, sources=(*cameras, builders.SWARM_A), events=events)]
    )  # fmt: skip
    asked = {"elevation_above": 20, "ephemeris": ephemeris}
    assert len(df.aurorax.observable(**asked)) == 1
    assert len(df.aurorax.observable(**asked, how="all")) == 0
    assert df.aurorax.explode_events().aurorax.observable(**asked)["e1_display_name"].tolist() == ["THEMIS-ASI GILL"]


def test_what_cannot_be_known_is_left_out_and_counted_once(builders, ephemeris):
    mine = builders.source(9000, "My camera", "ground", "mine")
    pairs = [(mine, builders.SWARM_A), (builders.SWARM_A, builders.SWARM_B), (builders.GILL, builders.SWARM_A)]
    df = ap.as_conjunctions([builders.record(11, 12 + row, sources=pair) for row, pair in enumerate(pairs)])
    with pytest.warns(ap.AuroraxDataWarning, match="2 of 3 rows are left out") as caught:
        kept = df.aurorax.observable()
    assert [each.filename for each in caught] == [__file__]
    assert kept["data_sources"].iloc[0]["display_name"].tolist() == ["THEMIS-ASI GILL", "Swarm A"]
    with pytest.warns(ap.AuroraxDataWarning, match="1 of 3 rows"):
        assert len(df.aurorax.observable(stations={"My camera": (56.4, -94.6)})) == 2
    gillam = df.aurorax.select_sources(site="GILL")
    with pytest.raises(ap.AuroraxDataError):
        gillam.aurorax.observable(elevation_above=0, ephemeris=ephemeris.isel(epoch=slice(900, None)))
    near = gillam.assign(approach_elevation=np.nan)
    with pytest.warns(ap.AuroraxDataWarning, match="1 of 1 rows"):
        assert near.aurorax.observable(elevation_above=0).empty
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # a Sun that is too high is known to be too high
        assert gillam.aurorax.observable(-80, elevation_above=0, ephemeris=ephemeris).empty


@pytest.mark.parametrize(
    "wrong",
    [
        {"sun_below": "dark"},
        {"moon_below": 91},
        {"elevation_above": float("nan")},
        {"mlt": 21},
        {"mlt": (21, 25)},
        {"mlt": (1, 2, 3)},
        {"mlt": {21, 3}},
        {"how": "most"},
    ],
)
def test_what_is_no_condition_is_refused(sample, wrong):
    with pytest.raises(ap.AuroraxInputError, match=f"{next(iter(wrong))}="):
        sample.aurorax.observable(**wrong)


def test_conditions_that_have_nothing_to_go_by_are_refused(sample):
    with pytest.raises(ap.AuroraxInputError, match="all are None"):
        sample.aurorax.observable(None)
    with pytest.raises(ap.AuroraxInputError, match="closest_approach first"):
        sample.aurorax.observable(elevation_above=20)


def test_observable_keeps_what_the_frame_has(sample):
    own = sample.assign(kp=2.0).iloc[::-1]
    kept = own.aurorax.observable()
    pd.testing.assert_series_equal(kept["kp"], own["kp"])
    assert kept.attrs == sample.attrs
    assert sample.iloc[:0].aurorax.observable().empty


def test_an_ephemeris_that_is_none_is_told_where_no_condition_reads_it(sample):
    for thing in ("a.nc", sample, 5):
        with pytest.raises(ap.AuroraxInputError, match=r"ephemeris is a .*; give an xarray Dataset"):
            sample.aurorax.observable(ephemeris=thing)
