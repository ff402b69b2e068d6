"""Names of image data sets and tracks for images, against the packages that are to understand them."""

import datetime
import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import geometry
from aurorax_pandas.analysis.images import TRACK_STATES, _image_table
from aurorax_pandas.sources import bundled_sources

NAMES = ["dataset_name", "skymap_dataset_name", "site_uid", "asilib_array", "location_code"]


def imported(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, exc_type=ImportError)


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def sky_tracks(ephemeris):
    return ap.tracks(ap.load_sample_conjunctions(), ephemeris)


def conjunctions_of(builders, *cameras):
    events = [builders.event(camera, builders.SWARM_A) for camera in cameras]
    return ap.as_conjunctions([builders.record(0, sources=(*cameras, builders.SWARM_A), events=events)])


def camera(builders, name):
    row = bundled_sources().query("display_name == @name").iloc[0]
    return builders.source(int(row["identifier"]), name, "ground", row["program"], row["platform"]) | {
        "instrument_type": row["instrument_type"]
    }


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("THEMIS-ASI GILL", ["THEMIS_ASI_RAW", "THEMIS_ASI_SKYMAP_IDLSAV", "gill", "themis", "GILL"]),
        ("THEMIS-ASI PINA", ["THEMIS_ASI_RAW", "THEMIS_ASI_SKYMAP_IDLSAV", "pina", None, None]),
        ("REGO RESU", ["REGO_RAW", "REGO_SKYMAP_IDLSAV", "resu", "rego", "RESU"]),
        ("TREx RGB PINA", ["TREX_RGB_RAW_NOMINAL", "TREX_RGB_SKYMAP_IDLSAV", "pina", "trex_rgb", "PINA"]),
        ("TREx NIR RABB", ["TREX_NIR_RAW", "TREX_NIR_SKYMAP_IDLSAV", "rabb", "trex_nir", "RABB"]),
        ("TREx Blue GILL", ["TREX_BLUE_RAW", "TREX_BLUE_SKYMAP_IDLSAV", "gill", None, None]),
        ("TREx Spectrograph LUCK", ["TREX_SPECT_RAW", "TREX_SPECT_SKYMAP_IDLSAV", "luck", None, None]),
        ("Rainbow GILL", [None] * 5),
        ("AuroraMAX", [None] * 5),
        ("UNIS/KHO Sony A7S", [None] * 5),
    ],
)
def test_a_window_names_what_the_packages_have_and_nothing_else(builders, name, wanted):
    windows = conjunctions_of(builders, camera(builders, name)).aurorax.image_windows()
    found = windows.loc[0, NAMES]
    assert [name if isinstance(name, str) else None for name in found] == wanted
    assert windows.loc[0, "instrument_type"] == camera(builders, name)["instrument_type"]


def test_cameras_of_one_site_and_type_have_the_names_of_their_own_programs(builders):
    b = builders
    df = ap.as_conjunctions([b.record(0, 1, sources=(camera, b.SWARM_A)) for camera in (b.ATHA, b.REGO_ATHA)])
    windows = df.aurorax.image_windows().set_index("program")
    assert windows.loc["themis-asi", "dataset_name"] == "THEMIS_ASI_RAW"
    # of this program the table has cameras of another type alone
    assert pd.isna(windows.loc["rego", "dataset_name"])


def test_names_go_with_their_rows(builders):
    names = ["TREx NIR GILL", "Rainbow GILL", "REGO GILL"]
    windows = conjunctions_of(builders, *(camera(builders, name) for name in names)).aurorax.image_windows()
    assert windows["asilib_array"].tolist() == ["trex_nir", np.nan, "rego"]
    assert windows["site_uid"].tolist() == ["gill", np.nan, "gill"]


@pytest.mark.filterwarnings("ignore")
def test_pyaurorax_reads_the_data_sets_and_takes_a_row_as_arguments(sample):
    pyaurorax = imported("pyaurorax")
    data = pyaurorax.PyAuroraX().data.ucalgary
    table = _image_table()
    known = set(data.list_supported_read_datasets())
    assert set(table["dataset_name"]) | set(table["skymap_dataset_name"]) <= known
    row = sample.aurorax.image_windows().loc[0]
    arguments = row[["dataset_name", "start", "end", "site_uid"]].to_dict()
    inspect.signature(data.download).bind(**arguments)
    assert isinstance(arguments["start"], datetime.datetime)
    inspect.signature(data.download_best_skymap).bind(row["skymap_dataset_name"], row["site_uid"], row["start"])


@pytest.mark.filterwarnings("ignore")
def test_asilib_has_the_arrays_and_their_locations(sample):
    asi = imported("asilib.asi")
    for row in _image_table().dropna(subset="asilib_array").itertuples():
        assert set(getattr(asi, f"{row.asilib_array}_info")()["location_code"]) == set(row.asilib_locations.split())
    row = sample.aurorax.image_windows().loc[0]
    inspect.signature(getattr(asi, row["asilib_array"])).bind(
        row["location_code"], time_range=(row["start"], row["end"]), alt=int(row["altitude"])
    )


# tracks


def test_tracks_have_a_row_for_each_event_and_instant(sample, sky_tracks):
    assert list(sky_tracks.columns) == [
        "lat", "lon", "alt", "azimuth", "elevation", "distance", "spacecraft", "station", "state"
    ]  # fmt: skip
    assert [sum(part in name for name in sky_tracks.columns) for part in ("lat", "lon", "alt")] == [1, 1, 1]
    assert sky_tracks.index.names == ["event", "time"]
    assert sky_tracks.index.is_unique
    windows = sample.aurorax.image_windows()
    for event, rows in sky_tracks.groupby("event"):
        times = rows.index.get_level_values("time")
        assert (times[0], times[-1]) == (windows.loc[event, "start"], windows.loc[event, "end"])
        assert (np.diff(times) == np.timedelta64(3, "s")).all()
        assert set(rows["spacecraft"]) == {windows.loc[event, "spacecraft"]}
    assert sky_tracks.attrs == sample.attrs


def test_a_track_passes_through_the_closest_approach(sample, ephemeris):
    near = sample.aurorax.closest_approach(ephemeris)
    fine = sample.aurorax.tracks(ephemeris, "100ms")
    windows = sample.aurorax.image_windows(ephemeris)
    for event in (4, 5, 30, 48):
        track = fine.loc[event]
        (at,) = track.index.get_indexer([near.loc[event, "approach_time"]], method="nearest")
        assert track["elevation"].iloc[at] == pytest.approx(near.loc[event, "approach_elevation"], abs=0.1)
        place = windows.loc[event, ["footprint_lat", "footprint_lon"]].tolist()
        assert track[["lat", "lon"]].iloc[at].tolist() == pytest.approx(place, abs=0.02)


def test_every_image_of_an_overflight_has_a_place(sample, ephemeris):
    over = sample.aurorax.overflights(ephemeris)
    assert over.aurorax.tracks(ephemeris)[["lat", "lon", "elevation"]].notna().all(axis=None)


def test_an_end_between_two_instants_is_an_instant(sample, ephemeris):
    track = sample.iloc[[4]].aurorax.tracks(ephemeris, "50s", pad="1s").loc[0]
    assert track.index[-1] == sample.loc[4, "end"] + pd.Timedelta("1s")
    assert np.diff(track.index).tolist() == pd.to_timedelta([50, 50, 22], unit="s").as_unit("us").tolist()


@pytest.fixture
def fake_imager():
    """Make asilib's own fake camera, at the place of THEMIS-ASI GILL."""
    asilib, fake = imported("asilib"), imported("asilib.asi.fake_asi")

    def make(start, end):
        meta = {
            "array": "fake_asi", "location": "GILL", "lat": 56.376723, "lon": -94.643664, "alt": 0.0, "cadence": 10,
            "resolution": (512, 512), "acknowledgment": "",
        }  # fmt: skip
        skymap = fake.get_skymap(meta, alt=110)
        return asilib.Imager(fake.get_file_info(meta, time_range=(start, end)), meta, skymap)

    return make


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pad", ["1min", "2min"])
def test_asilib_finds_a_pixel_for_every_image(sample, ephemeris, fake_imager, pad):
    asilib = imported("asilib")
    df = sample.aurorax.overflights(ephemeris).aurorax.select_sources(site="GILL")
    windows, tracks = df.aurorax.image_windows(pad=pad), df.aurorax.tracks(ephemeris, pad=pad)
    assert len(windows) == 2
    for event, row in windows.iterrows():
        imager = fake_imager(row["start"].to_pydatetime(), row["end"].to_pydatetime())
        azel, pixels = asilib.Conjunction(imager, tracks.loc[event, ["lat", "lon", "alt"]]).map_azel()
        seen = (tracks.loc[event, "state"] == "in view").to_numpy()
        assert seen.all() or pad == "2min"
        assert azel[seen] == pytest.approx(tracks.loc[event, ["azimuth", "elevation"]].to_numpy()[seen], abs=1e-6)
        assert np.isfinite(pixels[seen]).all()
        assert np.isnan(pixels[~seen]).all()
        times, _ = imager.data
        # what takes places alone takes three columns; what interpolates finds them among the others
        placed = asilib.Conjunction(imager, tracks.loc[event]).interp_sat()
        assert len(placed) == len(times) > 15
        assert placed.notna().all(axis=None)
        brightness = asilib.Conjunction(imager, tracks.loc[event, ["lat", "lon", "alt"]]).intensity()
        assert np.isfinite(brightness).all() or not seen.all()


def drifting(lat, lon, gaps=(), geo=True):
    """An ephemeris of Swarm A, a place a minute, its footprint missing at some."""
    epochs = pd.date_range("2020-01-01", periods=len(lat), freq="1min")
    table = pd.DataFrame({"epoch": epochs, "identifier": 3, "nbtrace_lat": lat, "nbtrace_lon": lon})
    table.loc[list(gaps), ["nbtrace_lat", "nbtrace_lon"]] = np.nan
    return ap.as_ephemeris(table.assign(geo_lat=lat, geo_lon=lon) if geo else table)


def test_what_has_no_place_says_why(builders):
    df = ap.as_conjunctions([builders.record(2, 4, sources=(builders.GILL, builders.SWARM_A))])
    lat, lon = np.array([56.4, 56.4, 56.4, 56.4, 30.0, 30.0]), np.full(6, -94.6)
    track = df.aurorax.tracks(drifting(lat, lon), "30s", pad="3min").loc[0]
    assert track["state"].tolist() == (
        ["no ephemeris"] * 2 + ["in view"] * 7 + ["below horizon"] * 4 + ["no ephemeris"] * 4
    )
    assert (track.loc[track["state"] == "below horizon", "elevation"] < 0).all()
    assert list(track["state"].cat.categories) == list(TRACK_STATES)
    torn = df.aurorax.tracks(drifting(lat, lon, gaps=[2]), "30s", pad="0min").loc[0]
    assert torn["state"].tolist()[:3] == ["no footprint"] * 2 + ["in view"]
    blind = df.aurorax.tracks(drifting(lat, lon, gaps=[2], geo=False), "30s", pad="0min").loc[0]
    assert blind["state"].tolist()[:3] == ["no ephemeris"] * 2 + ["in view"]
    for each in (track, torn, blind):
        lost = each["state"].isin(["no footprint", "no ephemeris"])
        assert each.loc[lost, ["lat", "lon", "alt", "azimuth", "elevation", "distance"]].isna().all(axis=None)
        assert each.loc[~lost].notna().all(axis=None)


@settings(max_examples=10)
@given(
    lats=st.lists(st.floats(-89, 89), min_size=2, max_size=5),
    east=st.floats(-30, 30),
    seconds=st.sampled_from([5, 20, 60]),
)
def test_places_lie_on_the_great_circles_between_epochs(builders, lats, east, seconds):
    lon = (170.0 + east * np.arange(len(lats)) + 180.0) % 360.0 - 180.0
    craft = drifting(np.array(lats), lon)
    df = ap.as_conjunctions([builders.record(0, len(lats) - 1, sources=(builders.GILL, builders.SWARM_A))])
    track = df.aurorax.tracks(craft, f"{seconds}s", pad="0s").loc[0]
    assert track["lon"].between(-180, 180).all()
    geodetic = geometry.geodetic_latitude(np.array(lats))
    on_epoch = track.index.second == 0
    assert track["lat"][on_epoch].to_numpy() == pytest.approx(geodetic, abs=1e-6)
    legs = geometry.great_circle_distance(geodetic[:-1], lon[:-1], geodetic[1:], lon[1:])
    places = track[["lat", "lon"]].to_numpy().T
    steps = geometry.great_circle_distance(*places[:, :-1], *places[:, 1:])
    assert steps.sum() == pytest.approx(legs.sum(), rel=1e-6, abs=1e-3)


def test_many_events_have_the_tracks_of_each(sample, ephemeris):
    many = pd.concat([sample] * 4, ignore_index=True)
    found = many.aurorax.tracks(ephemeris, cadence="60s")
    few = sample.aurorax.tracks(ephemeris, cadence="60s")
    assert len(many) > 128
    assert found.index.get_level_values("event").nunique() == len(many)
    last = found.loc[len(sample) * 3 :].reset_index()
    pd.testing.assert_frame_equal(last.drop(columns="event"), few.reset_index().drop(columns="event"))


def test_a_custom_location_has_tracks_and_two_spacecraft_have_none(builders, ephemeris):
    place = builders.source(-1, "(56.38, -94.64)", "not_applicable", "custom")
    events = [
        builders.event(builders.SWARM_A, place, 11, 13),
        builders.event(builders.SWARM_A, builders.SWARM_B, 11, 12),
    ]
    sources = (place, builders.SWARM_A, builders.SWARM_B)
    df = ap.as_conjunctions([builders.record(11, 13, sources=sources, events=events)])
    track = df.aurorax.tracks(ephemeris)
    assert set(track.index.get_level_values("event")) == {0}
    assert track["elevation"].max() > 70


@pytest.mark.parametrize(
    "wrong",
    [{"cadence": "0s"}, {"cadence": 3}, {"cadence": "10us"}, {"pad": "-1min"}, {"emission_altitude": -1}],
)
def test_what_cannot_be_used_is_refused(sample, ephemeris, wrong):
    with pytest.raises(ap.AuroraxInputError, match=f"{next(iter(wrong))}="):
        sample.aurorax.tracks(ephemeris, **wrong)


def test_an_empty_frame_has_the_same_columns_of_tracks(sample, ephemeris, sky_tracks):
    empty = sample.iloc[:0].aurorax.tracks(ephemeris)
    assert empty.empty
    assert empty.dtypes.equals(sky_tracks.dtypes)
