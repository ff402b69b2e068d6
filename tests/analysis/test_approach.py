import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import geometry
from aurorax_pandas.testing import assert_conjunctions_equal

ADDED = [
    "approach_time",
    "approach_distance",
    "approach_elevation",
    "elevation_of",
    "approach_at_edge",
    "spacecraft_hemisphere",
]
SWARM_A = """Swarm A
1 39452U 13067B   20003.12464490  .00000864  00000-0  17790-4 0  9991
2 39452  87.3638 191.1461 0002404  77.9900 282.1627 15.44245183343550"""


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def near(ephemeris):
    return ap.closest_approach(ap.load_sample_conjunctions(), ephemeris)


def test_interpolation_lowers_the_overflights_of_the_recording_by_29_km_in_the_median(near):
    lowered = near.aurorax.overflights().eval("min_distance - approach_distance")
    assert len(lowered) == 20
    assert lowered.median() == pytest.approx(29, abs=1)
    assert lowered.max() == pytest.approx(105, abs=4)


def test_the_two_closest_rows_change_places(near):
    first, second = near.aurorax.closest(2).itertuples()
    assert (round(first.min_distance), round(second.min_distance)) == (53, 89)
    assert (first.approach_distance, second.approach_distance) == (pytest.approx(49, abs=1), pytest.approx(30, abs=1))
    assert second.approach_elevation > first.approach_elevation > 60


def test_the_services_columns_never_change(sample, near):
    assert near.columns.tolist() == [*sample.columns, *ADDED]
    assert_conjunctions_equal(near[sample.columns], sample, check_attrs=False)


def test_a_dense_ephemeris_from_elements_says_the_same(sample):
    pytest.importorskip("sgp4")
    dense = ap.footprints_from_elements(SWARM_A, "2020-01-01T00:07", "2020-01-01T00:16", "5s")
    df = sample.aurorax.select_sources(platform="swarma").query("start < '2020-01-01T00:20'")
    fine, coarse = (df.aurorax.closest_approach(each) for each in (dense, dense.isel(epoch=slice(0, None, 12))))
    assert len(df) == 5
    assert (fine["approach_distance"] - coarse["approach_distance"]).abs().max() < 0.5
    assert (fine["approach_time"] - coarse["approach_time"]).abs().max() < pd.Timedelta("0.2s")


def track(rng, minutes=6):
    """Two sources that wander over the sphere, and the station between them."""
    lat, lon = 60 + np.cumsum(rng.normal(0, 3, minutes)), 20 + np.cumsum(rng.normal(0, 5, minutes))
    epochs = pd.date_range("2020-01-01", periods=minutes, freq="1min")
    table = pd.DataFrame({"epoch": epochs, "identifier": 3, "nbtrace_lat": lat, "nbtrace_lon": lon, "geo_lat": lat,
                          "geo_lon": lon})  # fmt: skip
    return ap.as_ephemeris(table)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), span=st.tuples(st.integers(0, 5), st.integers(0, 5)))
@example(seed=281166, span=(0, 3))
def test_closest_approach_is_that_of_a_slow_search_every_tenth_of_a_second(builders, seed, span):
    craft = track(np.random.default_rng(seed))
    first, last = sorted(span)
    df = ap.as_conjunctions([builders.record(first, last, sources=(builders.GILL, builders.SWARM_A))])
    (found,) = df.aurorax.closest_approach(craft).itertuples()
    station = ap.stations(craft["epoch"], platforms="GILL", programs="themis-asi")
    lat, lon = float(station["geo_lat"][0, 0]), float(station["geo_lon"][0, 0])
    vectors = geometry.unit_vectors(
        geometry.geodetic_latitude(craft["nbtrace_lat"].values[0]), craft["nbtrace_lon"].values[0]
    )
    low, high = max(first - 1, 0), min(last + 1, 5)

    def distance(minute, fraction):
        place = geometry.interpolate(vectors[:, minute], vectors[:, min(minute + 1, 5)], fraction)
        return float(geometry.great_circle_distance(lat, lon, *map(float, geometry.degrees(place))))

    best = min(
        distance(minute, fraction) for minute in range(low, max(high, low + 1)) for fraction in np.linspace(0, 1, 301)
    )
    assert found.approach_distance == pytest.approx(best, abs=0.05)
    assert found.approach_distance <= best + 1e-6
    # two minima can be alike, so the time is checked by the distance that it has
    nearest = (found.approach_time - pd.Timestamp("2020-01-01")) / pd.Timedelta("1min")
    minute = min(int(nearest), 5)
    assert distance(minute, nearest - minute) == pytest.approx(found.approach_distance, abs=0.05)
    assert low <= nearest <= max(high, low)


def test_stations_need_no_ephemeris(sample, ephemeris, near):
    alone = sample.aurorax.closest_approach(ephemeris.isel(source=slice(0, 3)))
    pd.testing.assert_frame_equal(alone[ADDED], near[ADDED])


def test_what_the_ephemeris_lacks_is_missing(sample, ephemeris):
    with pytest.warns(ap.AuroraxDataWarning, match="does not cover 36 of 49 rows"):
        only = sample.aurorax.closest_approach(ephemeris.isel(source=[0]).sel(epoch=slice("2020-01-01T01:00", None)))
    known = only["approach_time"].notna()
    assert only.loc[known, "start"].min() >= pd.Timestamp("2020-01-01T01:00")
    assert set(only[known].aurorax.explode_events()["e2_display_name"]) == {"Swarm A"}
    assert only.loc[~known, ADDED].isna().all(axis=None)
    assert known.sum() == 13


def test_nothing_is_interpolated_over_epochs_without_a_place(builders):
    lon = -94.64 + np.array([-20.0, -7.0, np.nan, 7.0, 20.0])
    table = pd.DataFrame({
        "epoch": pd.date_range("2020-01-01", periods=5, freq="1min"), "identifier": 3, "nbtrace_lat": 56.2 + 0 * lon,
        "nbtrace_lon": lon,
    })  # fmt: skip
    df = ap.as_conjunctions([builders.record(0, 4, sources=(builders.GILL, builders.SWARM_A))])
    (found,) = df.aurorax.closest_approach(ap.as_ephemeris(table)).itertuples()
    assert found.approach_time == pd.Timestamp(builders.at(1))
    assert found.approach_distance > 400


def test_without_own_positions_the_hemisphere_is_missing(sample, ephemeris):
    found = sample.aurorax.closest_approach(ephemeris.drop_vars(["geo_lat", "geo_lon"]))
    assert found["approach_distance"].notna().all()
    assert found["spacecraft_hemisphere"].isna().all()
    with pytest.raises(ap.AuroraxDataError, match="49 for a gap in the positions of"):
        sample.aurorax.overflights(ephemeris.drop_vars(["geo_lat", "geo_lon"]))


def test_overflights_are_the_20_northern_rows_however_they_are_asked_for(sample, ephemeris, near):
    rows = sample.aurorax.overflights(ephemeris)
    assert len(rows) == len(near.aurorax.overflights()) == 20
    assert len(sample.aurorax.explode_events().aurorax.overflights(ephemeris)) == 20
    assert_conjunctions_equal(rows, sample.loc[rows.index])
    with pytest.raises(ap.AuroraxInputError, match="closest_approach first"):
        sample.aurorax.overflights()


def test_geographic_conjunctions_are_overflights(builders, ephemeris):
    made = [builders.record(45, 46, conjunction_type=kind) for kind in ("nbtrace", "sbtrace", "geographic")]
    df = ap.as_conjunctions(made)
    assert df.aurorax.overflights(ephemeris)["conjunction_type"].tolist() == ["sbtrace", "geographic"]


def test_of_several_pairs_the_closest_counts(builders, ephemeris):
    sources = (builders.GILL, builders.ATHA, builders.SWARM_A)
    events = [builders.event(camera, builders.SWARM_A, 11, 13) for camera in sources[:2]]
    df = ap.as_conjunctions([builders.record(11, 13, sources=sources, events=events)])
    each = df.aurorax.explode_events().aurorax.closest_approach(ephemeris)
    (row,) = df.aurorax.closest_approach(ephemeris).itertuples()
    assert row.approach_distance == each["approach_distance"].min()
    assert each["approach_distance"].tolist() == [pytest.approx(30, abs=1), pytest.approx(1150, abs=200)]


@pytest.mark.parametrize("altitude", [0, -5, 2000, "high", float("nan"), True])
def test_an_altitude_that_is_none_is_refused(sample, ephemeris, altitude):
    with pytest.raises(ap.AuroraxInputError, match="emission_altitude="):
        sample.aurorax.closest_approach(ephemeris, emission_altitude=altitude)


FRAMES = {
    "filtered": lambda df: df[df["min_distance"] < 300].iloc[::-2],
    "reindexed": lambda df: df.set_axis(pd.Index([0] * len(df))),
    "concatenated": lambda df: pd.concat([df.head(10), df.tail(10)]),
    "without attrs": lambda df: df.reset_index(drop=True).copy().pipe(lambda each: each.attrs.clear() or each),
    "own columns": lambda df: df.assign(kp=3.0, approach_distance=-1.0),
    "empty": lambda df: df.iloc[:0],
}


@pytest.mark.parametrize("name", list(FRAMES))
@pytest.mark.parametrize("verb", ["closest_approach", "overflights", "image_windows"])
def test_verbs_take_any_frame_and_leave_it(sample, ephemeris, name, verb):
    df = FRAMES[name](sample)
    before, attrs = df.copy(deep=True), dict(df.attrs)
    found = getattr(df.aurorax, verb)(ephemeris)
    same = getattr(df.reset_index(drop=True).aurorax, verb)(ephemeris)
    flat = [column for column in found if column not in ("data_sources", "events")]
    pd.testing.assert_frame_equal(found[flat].reset_index(drop=True), same[flat].reset_index(drop=True))
    assert_conjunctions_equal(df, before, check_attrs=False)
    assert df.attrs == attrs
    if verb == "closest_approach":
        assert found.index.equals(df.index)


def test_image_windows_hold_what_image_tools_need(sample, ephemeris, near):
    windows = sample.aurorax.image_windows(ephemeris, emission_altitude=230)
    first = windows.iloc[0]
    assert (first["program"], first["site_code"], first["spacecraft"]) == ("themis-asi", "TALO", "Swarm A")
    assert first["start"] == sample.loc[0, "start"] - pd.Timedelta("1min")
    assert first["end"] == sample.loc[0, "end"] + pd.Timedelta("1min")
    assert windows["epoch"].tolist() == near["approach_time"].tolist()
    assert windows["altitude"].eq(230).all()
    assert windows[["footprint_lat", "footprint_lon"]].notna().all(axis=None)
    plain = sample.aurorax.image_windows(pad="0min")
    assert plain["epoch"].equals(sample["closest_epoch"].rename("epoch"))
    assert plain["footprint_lat"].isna().all()


def test_footprints_of_image_windows_lie_where_the_elevation_says(sample, ephemeris, near):
    windows = sample.aurorax.image_windows(ephemeris)
    stations = ap.stations(ephemeris["epoch"][:1], programs="themis-asi", platforms=sorted(set(windows["site_code"])))
    codes = {name.split()[-1]: number for number, name in enumerate(stations["display_name"].values)}
    at = [codes[code] for code in windows["site_code"]]
    seen = geometry.elevation(
        stations["geo_lat"].values[at, 0], stations["geo_lon"].values[at, 0],
        windows["footprint_lat"], windows["footprint_lon"], 110.0,
    )  # fmt: skip
    assert seen == pytest.approx(near["approach_elevation"].to_numpy(), abs=1e-6)


def test_a_winter_in_one_chain(orbits):
    winter, listed = orbits.polar_orbits(90), orbits.availability(90)
    df = ap.find_conjunctions(winter, distance=500, ground={"programs": "themis-asi"}, space={"programs": "swarm"})
    passes = df.aurorax.passes(ephemeris=winter)
    assert passes["count"].sum() == len(df)
    chosen = df.iloc[sorted(row for rows in passes.nlargest(200, "count")["parents"] for row in rows)]
    near = chosen.aurorax.closest_approach(winter)
    assert (near["approach_distance"] < near["min_distance"] + 25).all()
    ax = near.aurorax.plot.calendar(by="site", availability=listed)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["no conjunction", "no operation"]
    windows = near.aurorax.overflights().aurorax.image_windows(winter)
    assert 0 < len(windows) < len(near)
    counts = df.aurorax.daily_counts(availability=listed)
    assert len(counts) == 90
    assert counts["count"].isna().sum() == 18
    assert counts["count"].sum() == len(df)


def test_an_event_of_a_list_is_where_it_was_at_its_epoch():
    epochs = np.arange("2020-01-01T00:00", "2020-01-01T02:00", dtype="M8[m]").astype("M8[us]")
    onsets = {10: (61.0, 5.0), 60: (61.0, 30.0), 100: (61.0, 51.0)}
    craft = pd.DataFrame({
        "epoch": epochs, "identifier": 3, "program": "swarm", "platform": "swarma", "instrument_type": "footprint",
        "source_type": "leo", "display_name": "Swarm A", "nbtrace_lat": 60.0, "nbtrace_lon": 0.5 * np.arange(120),
    })  # fmt: skip
    listed = pd.DataFrame({
        "epoch": epochs[list(onsets)], "identifier": 9001, "program": "events", "platform": "list",
        "instrument_type": "substorm onset", "source_type": "event_list", "display_name": "Onsets",
        "nbtrace_lat": [lat for lat, _ in onsets.values()], "nbtrace_lon": [lon for _, lon in onsets.values()],
    })  # fmt: skip
    ephemeris = ap.as_ephemeris(pd.concat([craft, listed], ignore_index=True))
    df = ap.find_conjunctions(ephemeris, distance=200, events={"programs": "events"}, space={"programs": "swarm"})
    near = df.aurorax.closest_approach(ephemeris)
    places = np.array(list(onsets.values())).T
    below = geometry.geodetic_latitude(np.full(3, 60.0), 100.0)
    expected = geometry.great_circle_distance(*places, below, 0.5 * np.array(list(onsets)))
    assert near["approach_distance"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_a_custom_location_is_where_its_name_says(ephemeris):
    query = {"distance": 500, "space": {"programs": "swarm"}}
    near = ap.find_conjunctions(ephemeris, custom_locations={"locations": [(56.38, -94.64)]}, **query)
    near = near.aurorax.closest_approach(ephemeris)
    assert len(near) > 2
    assert near["approach_distance"].notna().all()
    assert (near["approach_distance"] <= near["min_distance"] + 20).all()


def craft(minutes=4, step="1min", **geo_lats):
    """Swarm A and Swarm B, whose footprints pass north of Gillam one behind the other."""
    frames = [
        pd.DataFrame({
            "epoch": pd.date_range("2020-01-01", periods=minutes, freq=step), "identifier": identifier,
            "geo_lat": geo_lats.get(name, 60.0), "geo_lon": -94.64, "nbtrace_lat": 58.0,
            "nbtrace_lon": -94.64 + 4.0 * (np.arange(minutes) - behind),
        })
        for name, identifier, behind in (("a", 3, 1.5), ("b", 29, 2.0))
    ]  # fmt: skip
    return ap.as_ephemeris(pd.concat(frames, ignore_index=True))


@pytest.mark.parametrize(("other", "known"), [(50.0, "northern"), (-50.0, None)])
def test_two_spacecraft_have_a_hemisphere_where_it_is_the_same_and_no_elevation(builders, other, known):
    df = ap.as_conjunctions([builders.record(0, 3, sources=(builders.SWARM_A, builders.SWARM_B))])
    near = df.aurorax.closest_approach(craft(b=other))
    assert near["spacecraft_hemisphere"].astype(object).where(lambda each: each.notna(), None).tolist() == [known]
    assert near["approach_distance"].notna().all()
    assert near["approach_elevation"].isna().all()
    assert len(near.aurorax.overflights()) == (known is not None)
    assert len(df.aurorax.overflights(craft(b=other))) == (known is not None)
    assert df.aurorax.image_windows(craft(b=other)).empty


def test_either_source_of_an_event_may_be_the_spacecraft(builders):
    pair = builders.GILL, builders.SWARM_A
    one, other = (ap.as_conjunctions([builders.record(0, 3, sources=each)]) for each in (pair, pair[::-1]))
    near, turned = (df.aurorax.closest_approach(craft()) for df in (one, other))
    pd.testing.assert_frame_equal(turned[ADDED], near[ADDED])
    windows, turned_windows = (df.aurorax.image_windows(craft()) for df in (one, other))
    pd.testing.assert_frame_equal(turned_windows, windows)
    assert windows[["program", "site_code", "spacecraft"]].to_numpy().tolist() == [["themis-asi", "GILL", "Swarm A"]]


def test_two_stations_are_nothing_for_images(builders):
    events = [builders.event(builders.GILL, builders.ATHA), builders.event(builders.GILL, builders.SWARM_A)]
    sources = (builders.GILL, builders.ATHA, builders.SWARM_A)
    df = ap.as_conjunctions([builders.record(sources=sources, events=events)])
    assert df.aurorax.image_windows()["spacecraft"].tolist() == ["Swarm A"]


def test_of_several_pairs_the_closest_between_epochs_counts(builders):
    pairs = [(builders.GILL, builders.SWARM_A, 200.0), (builders.ATHA, builders.SWARM_A, 50.0)]
    events = [builders.event(one, other, 0, 3, low, 500.0) for one, other, low in pairs]
    sources = (builders.GILL, builders.ATHA, builders.SWARM_A)
    df = ap.as_conjunctions([builders.record(0, 3, sources=sources, events=events, low=50.0, high=500.0)])
    each = df.aurorax.explode_events().aurorax.closest_approach(craft())["approach_distance"]
    assert each[0] < each[1]
    assert df.aurorax.closest_approach(craft())["approach_distance"].tolist() == [each[0]]


def test_a_step_before_and_after_the_span_is_searched(builders):
    sources = (builders.GILL, builders.SWARM_A)
    ephemeris = craft(step="2min")
    whole = ap.as_conjunctions([builders.record(0, 6, sources=sources)]).aurorax.closest_approach(ephemeris)
    for start, end in ((0, 2), (4, 6)):
        part = ap.as_conjunctions([builders.record(start, end, sources=sources)])
        pd.testing.assert_frame_equal(part.aurorax.closest_approach(ephemeris)[ADDED], whole[ADDED])


def test_an_image_without_a_place_is_of_the_closest_epoch(builders):
    df = ap.as_conjunctions([builders.record(60, 62, sources=(builders.GILL, builders.SWARM_A), closest=61)])
    with pytest.raises(ap.AuroraxDataError, match="image_windows: the ephemeris covers none of the 1 rows"):
        df.aurorax.image_windows(craft())
    windows = df.aurorax.image_windows()
    assert windows["epoch"].tolist() == [pd.Timestamp(builders.at(61))]
    assert windows["footprint_lat"].isna().all()


@pytest.mark.parametrize(
    ("closest", "start", "hemisphere"), [(None, 1, "northern"), (2, 1, "southern"), (4, 4, "northern")]
)
def test_the_hemisphere_is_that_at_the_closest_epoch_or_at_the_start(builders, closest, start, hemisphere):
    # the equator counts as north, an epoch for one step more
    ephemeris = craft(minutes=4, a=[1.0, 1.0, -1.0, 0.0])
    pair = builders.GILL, builders.SWARM_A
    df = ap.as_conjunctions([builders.record(start, 5, sources=pair, closest=closest)])
    assert len(df.aurorax.overflights(ephemeris)) == (hemisphere == "northern")
    assert df.aurorax.passes(ephemeris=ephemeris)["hemisphere"].tolist() == [hemisphere]


def test_a_hemisphere_two_steps_after_the_last_epoch_is_not_known(builders):
    df = ap.as_conjunctions([builders.record(5, 5, sources=(builders.GILL, builders.SWARM_A), closest=5)])
    for verb in (df.aurorax.overflights, lambda ephemeris: df.aurorax.passes(ephemeris=ephemeris)):
        with pytest.raises(ap.AuroraxDataError, match=r"covers none of the 1 rows .1 for epochs outside"):
            verb(craft(minutes=4))


def test_a_northern_station_has_no_southern_trace(builders):
    pair = builders.GILL, builders.SWARM_A
    made = [
        builders.record(0, 3, sources=pair, events=[{**builders.event(*pair, 0, 3), "conjunction_type": "sbtrace"}])
    ]
    north = craft()
    both = north.assign({f"sbtrace_{part}": north[f"nbtrace_{part}"] for part in ("lat", "lon")})
    with pytest.raises(ap.AuroraxDataError, match="1 for lack of a footprint of THEMIS-ASI GILL"):
        ap.as_conjunctions(made).aurorax.closest_approach(both)


def test_an_own_position_is_as_high_as_the_ephemeris_says(builders):
    pair = builders.GILL, builders.SWARM_A
    events = [{**builders.event(*pair, 0, 3), "conjunction_type": "geographic"}]
    df = ap.as_conjunctions([builders.record(0, 3, sources=pair, events=events)])
    high = craft().assign(radial_distance=(("source", "epoch"), np.full((2, 4), 30_000.0)))
    station = ap.stations(high["epoch"][:1], platforms="GILL", programs="themis-asi")
    for ephemeris, altitude in ((craft(), 100.0), (high, geometry.altitude_of(60.0, 30_000.0))):
        expected = geometry.great_circle_distance(
            float(station["geo_lat"][0, 0]), float(station["geo_lon"][0, 0]),
            geometry.geodetic_latitude(60.0, altitude), -94.64,
        )  # fmt: skip
        (found,) = df.aurorax.closest_approach(ephemeris)["approach_distance"]
        assert found == pytest.approx(float(expected), abs=1e-6)


@pytest.fixture
def uncertain(ephemeris):
    """The sample with an uncertainty that tells the source and the minute: 1000 times the row, and the minute."""
    rows, minutes = np.meshgrid(np.arange(16.0), np.arange(1440.0), indexing="ij")
    values = np.where(ephemeris["nbtrace_lat"].isnull() | (rows > 2), np.nan, 1000 * rows + minutes)
    return ephemeris.assign(nbtrace_uncertainty=(("source", "epoch"), values))


def test_an_approach_carries_the_greater_uncertainty_of_the_epochs_beside_it(sample, uncertain, near):
    found = sample.aurorax.closest_approach(uncertain)
    assert found.columns.tolist() == [*near.columns, "footprint_uncertainty"]
    assert_conjunctions_equal(found[near.columns], near)
    craft = found.aurorax.explode_events()["e2_display_name"].map({"Swarm A": 0, "Swarm B": 1, "Swarm C": 2})
    minute = (found["approach_time"] - pd.Timestamp("2020-01-01")) / pd.Timedelta("1min")
    np.testing.assert_array_equal(found["footprint_uncertainty"], 1000 * craft.to_numpy() + np.ceil(minute))


def test_overflights_carry_the_uncertainty_at_the_closest_epoch(sample, uncertain):
    rows = sample.aurorax.overflights(uncertain)
    assert_conjunctions_equal(rows[sample.columns], sample.loc[rows.index])
    craft = rows.aurorax.explode_events()["e2_display_name"].map({"Swarm A": 0, "Swarm B": 1, "Swarm C": 2})
    minute = (rows["closest_epoch"] - pd.Timestamp("2020-01-01")) // pd.Timedelta("1min")
    np.testing.assert_array_equal(rows["footprint_uncertainty"], 1000 * craft.to_numpy() + minute)
    events = sample.aurorax.explode_events().aurorax.overflights(uncertain)
    np.testing.assert_array_equal(events["footprint_uncertainty"], rows["footprint_uncertainty"])


def test_what_is_infinitely_uncertain_stays_so_and_what_has_no_footprint_is_unknown(sample, uncertain):
    infinite = uncertain.assign(nbtrace_uncertainty=uncertain["nbtrace_uncertainty"] * np.inf)
    assert np.isposinf(sample.aurorax.closest_approach(infinite)["footprint_uncertainty"]).all()
    events = sample.aurorax.explode_events()
    own = events.assign(conjunction_type=pd.Series("geographic", events.index, events["conjunction_type"].dtype))
    assert own.aurorax.closest_approach(uncertain)["footprint_uncertainty"].isna().all()
    assert own.aurorax.overflights(uncertain)["footprint_uncertainty"].isna().all()


# ---- the edge of what there is, and whose elevation it is ------------------------------------------------------------


def test_an_approach_in_the_middle_is_no_edge_and_one_at_a_missing_footprint_is(sample, ephemeris, near):
    assert near["approach_at_edge"].dtype == "boolean"
    (row,) = (sample[sample["min_distance"] == sample["min_distance"].min()]).index
    assert not near.loc[row, "approach_at_edge"]
    # the line opens just before the closest epoch
    bare = ephemeris.where(
        (ephemeris["epoch"] < sample.loc[row, "closest_epoch"]) | (ephemeris["source_type"] == "ground")
    )
    bare["geo_lat"], bare["geo_lon"] = ephemeris["geo_lat"], ephemeris["geo_lon"]
    with pytest.warns(ap.AuroraxDataWarning, match="for lack of a footprint of Swarm C"):
        found = (
            sample.loc[[row]]
            .aurorax.explode_events()
            .pipe(lambda events: pd.concat([events, sample.iloc[:1].aurorax.explode_events()]))
            .aurorax.closest_approach(bare)
        )
    assert found["approach_at_edge"].iloc[0]
    assert found["approach_distance"].iloc[0] > near.loc[row, "approach_distance"]


def test_where_there_is_no_approach_the_edge_is_missing(sample, ephemeris):
    with pytest.warns(ap.AuroraxDataWarning):
        found = sample.aurorax.closest_approach(ephemeris.isel(source=[0]))
    assert found.loc[found["approach_time"].isna(), ["approach_at_edge", "elevation_of"]].isna().all(axis=None)


def overhead(builders, altitude):
    """A spacecraft that goes north over Gillam at an altitude, and a geographic conjunction with it."""
    lat, lon = 56.3494, -94.7056
    steps = np.array([-1, 0, 1, 2])
    place = geometry.earth_fixed(lat + steps * 3.0, lon + np.zeros(4), altitude)
    geocentric = geometry.degrees(place)
    table = pd.DataFrame(
        {
            "epoch": pd.Timestamp("2020-01-01") + pd.to_timedelta(steps + 1, "min"),
            "identifier": 3,
            "geo_lat": geocentric[0],
            "geo_lon": geocentric[1],
            "radial_distance": np.linalg.norm(place, axis=0),
        }
    )
    pair = builders.GILL, builders.SWARM_A
    events = [{**builders.event(*pair, 0, 3), "conjunction_type": "geographic"}]
    df = ap.as_conjunctions([builders.record(0, 3, sources=pair, events=events, conjunction_type="geographic")])
    return df, ap.as_ephemeris(table)


@pytest.mark.parametrize("altitude", [300.0, 460.0, 800.0])
def test_geographic_elevation_is_that_of_the_spacecraft_itself(builders, altitude):
    df, ephemeris = overhead(builders, altitude)
    (row,) = df.aurorax.closest_approach(ephemeris).itertuples()
    assert row.elevation_of == "spacecraft"
    assert row.approach_elevation > 89
    # a spacecraft 1000 km away stands higher the higher it is
    far = ephemeris.assign_coords(epoch=ephemeris["epoch"] + np.timedelta64(4, "m")).isel(epoch=[3])
    moved = pd.DataFrame(df).assign(start=far["epoch"].values[0], end=far["epoch"].values[0])
    events = moved.aurorax.explode_events().assign(start=far["epoch"].values[0], end=far["epoch"].values[0])
    (row,) = events.aurorax.closest_approach(far).itertuples()
    angle = row.approach_distance / 6371
    up = np.degrees(np.arctan2(np.cos(angle) - 6371 / (6371 + altitude), np.sin(angle)))
    assert row.approach_elevation == pytest.approx(up, abs=1.0)


def test_without_an_altitude_no_elevation_of_a_spacecraft_is_made_up(builders):
    df, ephemeris = overhead(builders, 460.0)
    found = df.aurorax.closest_approach(ephemeris.drop_vars("radial_distance"))
    assert found["approach_distance"].notna().all()
    assert found[["approach_elevation", "elevation_of"]].isna().all(axis=None)
    alone = ephemeris.drop_vars("radial_distance").assign(
        geo_alt=(("source", "epoch"), np.full((1, ephemeris.sizes["epoch"]), 460.0))
    )
    given = df.aurorax.closest_approach(alone)
    expected = df.aurorax.closest_approach(ephemeris)
    np.testing.assert_allclose(given["approach_elevation"], expected["approach_elevation"], atol=0.1)


def test_a_closest_approach_of_several_pairs_is_not_passed_on_in_silence(ephemeris):
    df = ap.find_conjunctions(
        ephemeris, distance={"ground1-space1": 500, "ground1-space2": 500}, ground={"programs": "themis-asi"},
        space=[{"platforms": "swarma"}, {"platforms": "swarmc"}],
    )  # fmt: skip
    near = df.aurorax.closest_approach(ephemeris)
    with pytest.warns(
        ap.AuroraxDataWarning, match=f"closest approach of {len(df)} conjunctions .* explode the events first"
    ):
        near.aurorax.explode_events()
    with pytest.warns(ap.AuroraxDataWarning, match="explode the events first"):
        near.aurorax.plot.distance()
    near.aurorax.explode_events(columns=())
    df.aurorax.explode_events().aurorax.closest_approach(ephemeris).aurorax.plot.distance()
