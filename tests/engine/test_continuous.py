import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas
from aurorax_pandas import AuroraxInputError, geometry
from aurorax_pandas.engine import continuous
from aurorax_pandas.testing import assert_conjunctions_equal

RECORDED = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}
ORIGIN = pd.Timestamp("2020-01-01")
LOCATIONS = {"nbtrace": "nbtrace", "sbtrace": "sbtrace", "geographic": "geo"}


@pytest.fixture(scope="module")
def sample():
    return aurorax_pandas.load_sample_ephemeris()


# ---- a walk in small strides, as the truth -----------------------------------------------------------------------


def walk(lat, lon, strides, step_minutes=1.0):
    """Unit vectors at every stride, NaN where there is no way: shape (3, (epochs - 1) * strides + 1)."""
    vectors = geometry.unit_vectors(lat, lon)
    before, after = vectors[:, :-1, None], vectors[:, 1:, None]
    across = np.linalg.norm(np.cross(before, after, axis=0), axis=0)
    moved = geometry.EARTH_RADIUS * np.arctan2(across, (before * after).sum(axis=0))
    between = geometry.interpolate(before, after, np.arange(1, strides) / strides)
    between = np.where(moved <= 900 * step_minutes, between, np.nan)
    path = np.concatenate([before, between], axis=2).reshape(3, -1)
    return np.concatenate([path, vectors[:, -1:]], axis=1)


def walked_distance(one, other):
    return 2 * geometry.EARTH_RADIUS * np.arcsin(np.minimum(np.linalg.norm(one - other, axis=0) / 2, 1))


def runs_of(inside):
    edges = np.flatnonzero(np.diff(np.r_[False, inside, False].astype(int)))
    return list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))


def sets_of(df):
    """The names of the sources of each row."""
    if df.empty:
        return pd.Series([], dtype=object)
    return df["data_sources"].nest["display_name"].groupby(level=0).agg(frozenset)


def spans_of(df, names):
    """Spans of a set of sources in seconds, with the extremes and when these are."""
    found = df[sets_of(df) == frozenset(names)] if len(df) else df

    def seconds(column):
        return ((found[column] - ORIGIN) / pd.Timedelta("1s")).tolist()

    return list(
        zip(
            seconds("start"), seconds("end"), found["min_distance"], found["max_distance"], seconds("closest_epoch"),
            seconds("farthest_epoch"), strict=True,
        )
    )  # fmt: skip


def assert_as_walked(df, names, distance, limit, stride, speed):
    """Compare the spans of a set of sources with the distances of a walk, NaN where there is no way."""
    spans = spans_of(df, names)
    slack = speed * stride + 1e-6
    with np.errstate(invalid="ignore"):
        walked = runs_of(distance <= limit)
    for first, last in walked:
        (span,) = (one for one in spans if one[0] <= first * stride + 2e-3 and one[1] >= last * stride - 2e-3)
        least, greatest = distance[first : last + 1].min(), distance[first : last + 1].max()
        assert span[2] <= least + 1e-4
        assert span[3] >= greatest - 1e-4
    for start, end, low, high, closest, farthest in spans:
        assert start <= closest <= end
        assert start <= farthest <= end
        assert low <= high <= limit
        inside = np.arange(int(np.ceil(start / stride - 1e-3)), int(np.floor(end / stride + 1e-3)) + 1)
        if len(inside):
            # all the way through, and no less than was walked by more than a stride can bring
            assert (distance[inside] <= limit + 8e-3 * speed).all()
            assert distance[inside].min() - low <= slack
            assert high - distance[inside].max() <= slack
            nearest = distance[min(max(round(closest / stride), 0), len(distance) - 1)]
            assert np.isnan(nearest) or abs(nearest - low) <= slack
        else:
            assert end - start <= stride


# ---- the recorded day --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walked(sample):
    """Distances of each spacecraft and camera at every second of the day, by conjunction type and names."""
    names, types = sample["display_name"].values, sample["source_type"].values
    found = {}
    for kind in ("nbtrace", "geographic"):
        lat, lon = (sample[f"{LOCATIONS[kind]}_{part}"].transpose("source", "epoch").values for part in ("lat", "lon"))
        paths = [walk(lat[row], lon[row], 60) for row in range(len(lat))]
        pairs = itertools.product(np.flatnonzero(types == "leo"), np.flatnonzero(types == "ground"))
        found[kind] = {(names[one], names[other]): walked_distance(paths[one], paths[other]) for one, other in pairs}
    return found


def least_beside(places, second):
    """The least distance in steps of a hundredth of a second, from the second before to the one after."""
    last = places[0].shape[1] - 1
    seconds = np.clip(np.linspace(second - 1, second + 1, 201), 0, 60 * last)
    minute = np.minimum(seconds // 60, last - 1).astype(int)
    ends = [(place[:, minute], place[:, minute + 1]) for place in places]
    distance = walked_distance(*(geometry.interpolate(*pair, seconds / 60 - minute) for pair in ends))
    steady = np.max([walked_distance(*pair) for pair in ends], axis=0) <= 900
    return np.min(distance[steady], initial=np.inf)


@pytest.mark.parametrize(
    ("kind", "limit"), [("nbtrace", 50.0), ("nbtrace", 200.0), ("nbtrace", 500.0), ("geographic", 200.0)]
)
def test_every_pass_of_the_recorded_day_against_one_second_steps(sample, walked, limit, kind):
    df = aurorax_pandas.find_conjunctions(sample, distance=limit, continuous=True, conjunction_types=kind, **RECORDED)
    parts = (sample[f"{LOCATIONS[kind]}_{part}"].transpose("source", "epoch").values for part in ("lat", "lon"))
    places = dict(zip(sample["display_name"].values, geometry.unit_vectors(*parts).swapaxes(0, 1), strict=True))
    pairs = seen = 0
    for names, distance in walked[kind].items():
        spans = spans_of(df, names)
        assert_as_walked(df, names, distance, limit, 1.0, 15.0)
        for first, last in runs_of(distance <= limit):
            (span,) = (one for one in spans if one[0] <= first + 2e-3 and one[1] >= last - 2e-3)
            # starts and ends to a second, the least distance to a tenth of a kilometre
            assert first - 1 < span[0]
            assert span[1] < last + 1
            nearest = first + int(np.argmin(distance[first : last + 1]))
            least = min(distance[nearest], least_beside([places[name] for name in names], nearest))
            assert span[2] == pytest.approx(least, abs=0.1)
            seen += 1
        pairs += len(spans)
    assert pairs == len(df) >= seen > 0
    # at its ends the distance is crossed, but where there is no way on
    assert (df["max_distance"] == limit).mean() > 0.8
    assert df.aurorax.provenance["precision"] == "continuous"


def test_the_table_of_passes_that_minutes_lose_is_made_anew(sample, walked):
    north = dict(
        zip(sample["display_name"].values, sample["geo_lat"].transpose("source", "epoch").values >= 0, strict=True)
    )
    page = (Path(__file__).parents[2] / "docs" / "every-pass.rst").read_text()
    for limit in (50, 100, 200, 300, 500):
        truth = []
        for (craft, _), distance in walked["nbtrace"].items():
            for first, last in runs_of(distance <= limit):
                nearest = first + int(np.argmin(distance[first : last + 1]))
                truth.append(north[craft][min(round(nearest / 60), sample.sizes["epoch"] - 1)])
        row = [f"{limit} km"]
        searches = [
            aurorax_pandas.find_conjunctions(sample, distance=limit, continuous=each, **RECORDED)
            for each in (False, True)
        ]
        for all_of_them, counts in (
            (sum(truth), [len(df.aurorax.overflights(sample)) for df in searches]),
            (len(truth), [len(df) for df in searches]),
        ):
            assert counts[0] < counts[1] == all_of_them
            row += [f"{count} of {all_of_them}" for count in counts]
        assert re.search(r"\s+".join(row) + r"\s", page), row


@pytest.mark.parametrize("kind", ["nbtrace", "geographic"])
def test_a_minimum_is_that_of_the_closest_approach_in_geodetic_latitude(sample, kind):
    df = aurorax_pandas.find_conjunctions(
        sample, distance=400, conjunction_types=kind, continuous=True, geodetic=True, **RECORDED
    )
    near = df.aurorax.closest_approach(sample)
    inside = (near["approach_time"] >= df["start"]) & (near["approach_time"] <= df["end"])
    assert inside.sum() > 0.9 * len(df)
    difference = (near["approach_distance"] - df["min_distance"])[inside]
    assert difference.abs().max() < 1e-5
    assert ((near["approach_time"] - df["closest_epoch"]).abs()[inside] <= pd.Timedelta("2ms")).all()


def test_an_altitude_goes_before_the_distance_from_the_centre(sample):
    blocks = {"distance": 400, "conjunction_types": "geographic", "continuous": True, "geodetic": True, **RECORDED}
    high = sample.assign(
        geo_alt=sample["radial_distance"].where(sample["epoch"] < np.datetime64("2020-01-01T02")) * 0 + 2000
    )
    df = aurorax_pandas.find_conjunctions(high, **blocks)
    near = df.aurorax.closest_approach(high)
    assert (near["approach_distance"] - df["min_distance"]).abs().max() < 1e-5
    assert not df["min_distance"].equals(aurorax_pandas.find_conjunctions(sample, **blocks)["min_distance"])


def test_distances_are_the_services_unless_they_are_asked_for_otherwise(sample):
    service = aurorax_pandas.find_conjunctions(sample, distance=500, continuous=True, **RECORDED)
    geodetic = aurorax_pandas.find_conjunctions(sample, distance=500, continuous=True, geodetic=True, **RECORDED)
    assert len(service) != len(geodetic) or not service["min_distance"].equals(geodetic["min_distance"])
    minutes = aurorax_pandas.find_conjunctions(sample, distance=500, **RECORDED)
    both = minutes.assign(names=sets_of(minutes)).merge(service.assign(names=sets_of(service)), how="cross")
    inside = (both["start_x"] >= both["start_y"]) & (both["end_x"] <= both["end_y"])
    both = both[inside & (both["names_x"] == both["names_y"])]
    # every conjunction of minutes lies in one, which comes no less near
    assert len(both) == len(minutes)
    assert (both["min_distance_y"] <= both["min_distance_x"] + 1e-6).all()


@pytest.mark.parametrize("geodetic", [False, True])
def test_a_frame_tells_which_latitudes_its_distances_are_of_and_keeps_to_them(sample, geodetic):
    df = aurorax_pandas.find_conjunctions(
        sample, "2020-01-01", "2020-01-01T03:00", 300, continuous=True, geodetic=geodetic, **RECORDED
    )
    again = df.aurorax.refine(sample)
    for each in (df, again):
        assert each.aurorax.provenance["latitudes"] == ("geodetic" if geodetic else "as the service has them")
    assert len(again) == len(df)
    assert (again["min_distance"] - df["min_distance"]).abs().max() < 1e-5


# ---- motion of any kind ------------------------------------------------------------------------------------------


def ephemeris_of(tracks, types, step="1min", prefix="nbtrace"):
    count = len(next(iter(tracks.values())))
    epochs = pd.date_range(ORIGIN, periods=count, freq=step)
    frames = [
        pd.DataFrame({
            "epoch": epochs, "identifier": number, "program": types[name], "platform": name, "instrument_type": "any",
            "source_type": "ground" if types[name] == "camera" else "leo", "display_name": name,
            f"{prefix}_lat": [place[0] for place in track], f"{prefix}_lon": [place[1] for place in track],
        })
        for number, (name, track) in enumerate(tracks.items(), 1)
    ]  # fmt: skip
    return aurorax_pandas.as_ephemeris(pd.concat(frames, ignore_index=True))


@st.composite
def great_circles(draw, count):
    """A place that goes around the world at some speed, with gaps and jumps."""
    inclination = draw(st.sampled_from([0.0, 60.0, 90.0]) | st.floats(0, 180))
    node, along = draw(st.sampled_from([0.0, 180.0]) | st.floats(-180, 180)), draw(st.floats(0, 360))
    speed = draw(st.sampled_from([0.0, 0.01, 3.8]) | st.floats(0, 7.5))
    angle = np.radians(along + speed * np.arange(count))
    x, y = np.cos(angle), np.sin(angle) * np.cos(np.radians(inclination))
    lat = np.degrees(np.arcsin(np.clip(np.sin(angle) * np.sin(np.radians(inclination)), -1, 1)))
    lon = (np.degrees(np.arctan2(y, x)) + node + 180) % 360 - 180
    for at in draw(st.lists(st.integers(0, count - 1), max_size=2)):
        lat[at], lon[at] = np.nan, np.nan
    for at in draw(st.lists(st.integers(0, count - 1), max_size=1)):
        lat[at:] = -lat[at:]
    return list(zip(lat.tolist(), lon.tolist(), strict=True))


@st.composite
def scenes(draw, cameras=1, craft=2):
    count = draw(st.integers(1, 8))
    tracks, types = {}, {}
    for number in range(craft):
        tracks[f"craft {number}"], types[f"craft {number}"] = draw(great_circles(count)), "craft"
    for number in range(cameras):
        # beside where somebody comes by
        near = tracks["craft 0"][draw(st.integers(0, count - 1))]
        place = (draw(st.floats(-80, 80)), draw(st.floats(-180, 180))) if np.isnan(near[0]) else near
        shifted = (float(np.clip(place[0] + draw(st.floats(-5, 5)), -90, 90)), place[1])
        track = [draw(st.sampled_from([shifted, shifted, shifted, (np.nan, np.nan)])) for _ in range(count)]
        tracks[f"camera {number}"], types[f"camera {number}"] = track, "camera"
    return tracks, types


pytestmark = pytest.mark.filterwarnings("ignore:find_conjunctions. the ephemeris covers a part only")


def complete(tracks, types):
    """Whether every kind of source is somewhere at some time."""
    return all(
        any(not np.isnan(place[0]) for name in tracks if types[name] == kind for place in tracks[name])
        for kind in set(types.values())
    )


def paths_of(tracks, strides, minutes=1.0):
    return {
        name: walk(*(np.array(part, np.float64) for part in zip(*track, strict=True)), strides, minutes)
        for name, track in tracks.items()
    }


@settings(max_examples=40)
@given(scenes(), st.sampled_from([30.0, 400.0, 3000.0]), st.sampled_from([1, 2]), st.sampled_from(list(LOCATIONS)))
def test_random_motion_is_found_as_it_is_walked(scene, limit, minutes, kind):
    tracks, types = scene
    if not complete(tracks, types):
        return
    df = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, types, f"{minutes}min", LOCATIONS[kind]), distance=limit, continuous=True,
        conjunction_types=kind, ground={"programs": "camera"}, space={"programs": "craft"},
    )  # fmt: skip
    df.aurorax.validate()
    paths = paths_of(tracks, 60 * minutes, minutes)
    for name in ("craft 0", "craft 1"):
        assert_as_walked(df, {name, "camera 0"}, walked_distance(paths[name], paths["camera 0"]), limit, 1.0, 15.0)


@settings(max_examples=30)
@given(scenes(cameras=0, craft=3), st.sampled_from([400.0, 5000.0, 21000.0]))
def test_spacecraft_meet_between_epochs_as_they_are_walked(scene, limit):
    tracks, types = scene
    if not complete(tracks, types):
        return
    df = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, types), distance=limit, continuous=True, space=[{"programs": "craft"}] * 2
    )
    paths = paths_of(tracks, 60)
    for one, other in itertools.combinations(tracks, 2):
        assert_as_walked(df, {one, other}, walked_distance(paths[one], paths[other]), limit, 1.0, 30.0)


@settings(max_examples=30)
@given(scenes(), st.sampled_from([500.0, 4000.0]), st.sampled_from([500.0, 8000.0, None]))
def test_three_blocks_are_the_common_time_of_their_limited_pairs(scene, first, second):
    tracks, types = scene
    if not all(any(not np.isnan(place[0]) for place in track) for track in tracks.values()):
        return
    df = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, types), distance={"ground1-space1": first, "ground1-space2": first, "space1-space2": second},
        continuous=True, ground={"programs": "camera"}, space=[{"platforms": "craft 0"}, {"platforms": "craft 1"}],
    )  # fmt: skip
    df.aurorax.validate()
    paths = paths_of(tracks, 60)
    pairs = {("camera 0", "craft 0"): first, ("camera 0", "craft 1"): first, ("craft 0", "craft 1"): second}
    apart = {pair: walked_distance(paths[pair[0]], paths[pair[1]]) for pair, limit in pairs.items() if limit}
    with np.errstate(invalid="ignore"):
        inside = np.all([values <= pairs[pair] for pair, values in apart.items()], axis=0)
    widest = np.where(inside, np.max(list(apart.values()), axis=0), np.nan)
    assert_as_walked(df, tracks, widest, max(filter(None, pairs.values())), 1.0, 30.0)
    for _, row in df.iterrows():
        start, end = ((row[name] - ORIGIN) / pd.Timedelta("1s") for name in ("start", "end"))
        inside = slice(int(np.ceil(start - 1e-3)), int(np.floor(end + 1e-3)) + 1)
        for _, event in row["events"].iterrows():
            pair = tuple(sorted((event["e1_display_name"], event["e2_display_name"])))
            walked = apart[pair][inside]
            if len(walked):
                assert event["min_distance"] <= walked.min() + 1e-2
                assert event["max_distance"] >= walked.max() - 1e-2
        assert row["min_distance"] >= row["events"]["min_distance"].max() - 1e-6
        assert row["max_distance"] == pytest.approx(row["events"]["max_distance"].max(), abs=1e-6)


# ---- meaning -----------------------------------------------------------------------------------------------------


def single(tracks, limit=500.0, step="1min", **arguments):
    types = {name: "camera" if name.startswith("camera") else "craft" for name in tracks}
    search = {"ground": {"programs": "camera"}, "space": {"programs": "craft"}, "distance": limit} | arguments
    return aurorax_pandas.find_conjunctions(ephemeris_of(tracks, types, step), continuous=True, **search)


def test_a_pass_between_two_minutes_is_found():
    tracks = {"camera": [(60.0, 0.0)] * 2, "craft": [(58.0, 0.0), (62.0, 0.0)]}
    (row,) = single(tracks, 50.0).itertuples()
    assert row.min_distance == pytest.approx(0.0, abs=1e-6)
    assert row.max_distance == 50.0
    assert row.closest_epoch == ORIGIN + pd.Timedelta("30s")
    # 4 degrees a minute
    half = np.degrees(50 / geometry.EARTH_RADIUS) / 4 * 60
    assert (row.closest_epoch - row.start) / pd.Timedelta("1s") == pytest.approx(half, abs=1e-3)
    assert (row.end - row.closest_epoch) / pd.Timedelta("1s") == pytest.approx(half, abs=1e-3)
    assert row.farthest_epoch == row.start


def test_there_is_no_way_over_a_gap_and_a_minute_beside_one_counts_for_itself():
    tracks = {
        "camera": [(60.0, 0.0)] * 5,
        "craft": [(np.nan, np.nan), (60.0, 1.0), (np.nan, np.nan), (60.0, -4.0), (60.0, 4.0)],
    }
    first, second = single(tracks, 100.0).itertuples()
    assert first.start == first.end == first.closest_epoch == ORIGIN + pd.Timedelta("1min")
    assert first.min_distance == first.max_distance
    assert second.start > ORIGIN + pd.Timedelta("3min")
    assert second.end < ORIGIN + pd.Timedelta("4min")


@pytest.mark.parametrize(("step", "spans"), [("1min", 2), ("2min", 1)])
def test_a_field_line_that_jumps_has_no_way_between(step, spans):
    # 1001 km
    tracks = {"camera": [(60.0, 0.0)] * 2, "craft": [(55.5, 0.0), (64.5, 0.0)]}
    df = single(tracks, 510.0, step)
    assert len(df) == spans
    assert (df["min_distance"].min() < 1) == (spans == 1)


def test_a_span_ends_with_the_window(sample):
    df = aurorax_pandas.find_conjunctions(
        sample, "2020-01-01T00:08:10", "2020-01-01T00:09:07", 500, continuous=True, **RECORDED
    )
    assert (df["start"].min(), df["end"].max()) == (
        pd.Timestamp("2020-01-01T00:08:10"), pd.Timestamp("2020-01-01T00:09:07"),
    )  # fmt: skip
    whole = aurorax_pandas.find_conjunctions(sample, distance=500, continuous=True, **RECORDED)
    assert whole["start"].min() < df["start"].min()
    assert (df["max_distance"] < 500).any()


def test_places_that_stand_still_are_near_while_both_are_there(sample):
    cameras = sample.isel(source=slice(3, None))
    minutes = aurorax_pandas.find_conjunctions(cameras, distance=1200, ground=[{"programs": "themis-asi"}] * 2)
    df = aurorax_pandas.find_conjunctions(
        cameras, distance=1200, continuous=True, ground=[{"programs": "themis-asi"}] * 2
    )
    assert_conjunctions_equal(df, minutes, check_attrs=False)


def test_a_distance_without_limits_lasts_as_long_as_both_are_somewhere(sample):
    query = {"distance": {"ground1-space1": None}, "ground": {"platforms": "gillam"}, "space": {"platforms": "swarma"}}
    df = aurorax_pandas.find_conjunctions(sample, continuous=True, **query)
    minutes = aurorax_pandas.find_conjunctions(sample, **query)
    assert df["end"].max() == minutes["end"].max()
    assert df["min_distance"].min() <= minutes["min_distance"].min()


@pytest.mark.parametrize(
    "blocks",
    [
        {"distance": 300, **RECORDED},
        {"distance": 900, "space": [{"programs": "swarm"}] * 2, "conjunction_types": ["nbtrace", "geographic"]},
        {"distance": 900, "ground": {"programs": "themis-asi"}, "space": [{"programs": "swarm"}] * 2},
        {"distance": 1200, "ground": [{"programs": "themis-asi"}] * 2, "space": {"programs": "swarm"}},
        {"distance": {"ground1-space1": 700}, "ground": {"programs": "themis-asi"}, "space": [{"programs": "swarm"}] * 2},
        {"distance": 500, "ground": {"programs": "themis-asi"}, "space": {"programs": "swarm", "hemisphere": "northern"}},
    ],
)  # fmt: skip
def test_stretches_and_chunks_do_not_show(sample, blocks, monkeypatch, builders):
    pytest.importorskip("dask")
    whole = aurorax_pandas.find_conjunctions(sample, continuous=True, **blocks)
    assert len(whole)
    chunked = aurorax_pandas.find_conjunctions(sample.chunk(epoch=211), continuous=True, **blocks)
    builders.assert_same_spans(chunked, whole)
    monkeypatch.setattr(continuous, "_STRETCH", 97)
    again = aurorax_pandas.find_conjunctions(sample, continuous=True, **blocks)
    builders.assert_same_spans(again, whole)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"continuous": "yes"}, "continuous='yes' is not valid; give True or False"),
        ({"continuous": True, "geodetic": 1}, "geodetic=1 is not valid; give True or False"),
        ({"geodetic": True}, "give continuous=True too"),
        ({"continuous": True, "subminute_precision": True}, "leave subminute_precision out"),
    ],
)
def test_arguments_that_contradict_are_refused(sample, arguments, says):
    with pytest.raises(AuroraxInputError, match=says):
        aurorax_pandas.find_conjunctions(sample, distance=500, **RECORDED, **arguments)


def test_the_widest_of_several_pairs_is_least_where_one_that_grows_meets_one_that_falls():
    tracks = {"camera": [(60.0, 0.0)] * 2, "craft a": [(61.0, 0.0), (64.0, 0.0)], "craft b": [(57.0, 0.0), (59.0, 0.0)]}
    (row,) = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, {"camera": "camera", "craft a": "craft", "craft b": "craft"}), continuous=True,
        distance={"ground1-space1": 400, "ground1-space2": 400}, ground={"programs": "camera"}, space=[{"platforms": "craft a"}, {"platforms": "craft b"}],
        conjunction_types="nbtrace",
    ).itertuples()  # fmt: skip
    # one is 1 + 3 t degrees away, the other 3 - 2 t
    degree = np.radians(1) * geometry.EARTH_RADIUS
    assert row.min_distance == pytest.approx(2.2 * degree, abs=1e-3)
    assert row.closest_epoch == ORIGIN + pd.Timedelta("24s")
    assert row.max_distance == pytest.approx(400, abs=0.02)


@pytest.mark.parametrize(
    ("types", "name"),
    [
        ("geographic", "geo_lat"),
        ("nbtrace", "nbtrace_lat"),
        (["geographic", "nbtrace"], "geo_lat"),
        (["nbtrace", "geographic"], "nbtrace_lat"),
    ],
)
def test_a_filter_by_latitude_compares_what_the_ephemeris_says_where_distances_are_geodetic(
    sample, builders, types, name
):
    some = sample.sel(epoch=slice("2020-01-01", "2020-01-01T04:00"))
    same = some.assign(copied=some[name])
    for bound in (52.1, 56.7, 61.3):
        found, expected = (
            aurorax_pandas.find_conjunctions(
                same,
                distance=1000,
                ground={"programs": "themis-asi"},
                space={"programs": "swarm", "metadata_filters": {key: (">=", bound)}},
                conjunction_types=types,
                continuous=True,
                geodetic=True,
            )
            for key in (name, "copied")
        )
        assert len(expected)
        assert_conjunctions_equal(found, expected, check_attrs=False)
        builders.assert_same_spans(found.aurorax.refine(same), found)
