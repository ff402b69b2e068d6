import itertools
import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas
from aurorax_pandas import AuroraxInputError
from aurorax_pandas.engine import assembly, find, grid, matching, plan, stage
from aurorax_pandas.ephemeris import dataset, extents
from aurorax_pandas.frame import intervals
from aurorax_pandas.frame.ordering import in_order
from aurorax_pandas.geometry import EARTH_RADIUS
from aurorax_pandas.testing import assert_conjunctions_equal

RADIUS = 6371.0
RECORDED = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}


@pytest.fixture(scope="module")
def sample():
    return aurorax_pandas.load_sample_ephemeris()


@pytest.fixture(scope="module")
def found(sample):
    return aurorax_pandas.find_conjunctions(sample, "2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED)


def labelled(df):
    return df.assign(pair=df.aurorax.explode_events()["pair"].astype("str").to_numpy())


# ---- truth: the recorded search ----------------------------------------------------------------------------------


def test_recorded_search_is_found_again(sample, found, capsys):
    recorded = aurorax_pandas.load_sample_conjunctions()
    both = labelled(recorded).merge(labelled(found), on="pair", suffixes=("", "_found"), how="left")
    both = both[(both["start"] - both["start_found"]).abs() <= pd.Timedelta("3min")]
    position = sample["geo_lat"].sel(epoch=both["closest_epoch_found"].to_numpy())
    names = [label.split(" & ")[1] for label in both["pair"]]
    row = pd.Index(sample["display_name"].values).get_indexer(names)
    both["north"] = position.values[row, np.arange(len(both))] >= 0
    both["min_difference"] = (both["min_distance_found"] - both["min_distance"]).abs()
    both["max_difference"] = (both["max_distance_found"] - both["max_distance"]).abs()
    both["same_span"] = (both["start"] == both["start_found"]) & (both["end"] == both["end_found"])
    columns = ["pair", "start", "north", "same_span", "min_difference", "max_difference"]
    with capsys.disabled():
        print("\n" + both[columns].to_string(index=False, float_format="%.2f"))

    assert len(found) == len(recorded) == len(both) == 49
    assert both["same_span"].sum() == 47
    north, south = both[both["north"]], both[~both["north"]]
    assert len(north) == 20
    assert north["same_span"].all()
    assert north[["min_difference", "max_difference"]].max().max() < 2
    same = both[both["same_span"]]
    assert same[["min_difference", "max_difference"]].max().max() < 74
    # two far ends in the evening are in range for a minute more or less: their greatest distance is of another minute
    other = both[~both["same_span"]]
    assert other["min_difference"].max() < 34
    assert other["max_difference"].max() < 286
    assert south["min_difference"].median() < 3.5
    assert south["max_difference"].median() < 3.6


def test_frame_is_the_readers_own(found):
    recorded = aurorax_pandas.load_sample_conjunctions()
    assert found.dtypes.equals(recorded.dtypes)
    assert found.aurorax.provenance["query"] == recorded.aurorax.provenance["query"]
    assert found.aurorax.validate() is found


def test_reader_runs_the_engine_behind_the_same_signature(sample, found):
    df = pd.read_aurorax_conjunctions(
        "2020-01-01", "2020-01-01T06:59:59", 500, engine="local", ephemeris=sample, **RECORDED
    )
    assert_conjunctions_equal(df, found, check_attrs=False)


def test_dataset_accessor_runs_the_engine(sample, found):
    df = sample.aurorax.find_conjunctions("2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED)
    assert_conjunctions_equal(df, found, check_attrs=False)


def test_finished_query_can_be_given(sample, found):
    query = found.aurorax.provenance["query"]
    assert_conjunctions_equal(aurorax_pandas.find_conjunctions(sample, query=query), found, check_attrs=False)


# ---- a slow, obvious reference -----------------------------------------------------------------------------------


def reference_distance(one, other):
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * RADIUS * math.asin(math.sqrt(min(h, 1.0)))


def reference(tracks, roles, limits):
    """Every combination, every minute: the least and greatest distance of each run of minutes in range."""
    rows = set()
    names = list(tracks)
    for combination in itertools.product(*([name for name in names if name in role] for role in roles)):
        if len(set(combination)) < len(combination):
            continue
        pairs = [pair for pair in itertools.combinations(range(len(roles)), 2) if limits[pair] is not None]
        pairs = pairs or list(itertools.combinations(range(len(roles)), 2))
        run = []
        for minute in range(len(tracks[names[0]]) + 1):
            widest = None
            if minute < len(tracks[names[0]]):
                places = [tracks[name][minute] for name in combination]
                if all(place is not None for place in places):
                    distances = {pair: reference_distance(places[pair[0]], places[pair[1]]) for pair in pairs}
                    if all(limits[pair] is None or distances[pair] <= limits[pair] for pair in pairs):
                        widest = max(distances.values())
            if widest is not None:
                run.append((minute, widest))
            elif run:
                low, high = min(value for _, value in run), max(value for _, value in run)
                closest = next(minute for minute, value in run if value == low)
                rows.add((frozenset(combination), run[0][0], run[-1][0], round(low, 6), round(high, 6), closest))
                run = []
    return rows


def ephemeris_of(tracks, ground):
    count = len(next(iter(tracks.values())))
    epochs = pd.date_range("2020-01-01", periods=count, freq="1min")
    frames = [
        pd.DataFrame(
            {
                "epoch": epochs,
                "identifier": number,
                "program": "camera" if name in ground else "craft",
                "platform": name,
                "instrument_type": "any",
                "source_type": "ground" if name in ground else "leo",
                "display_name": name,
                "nbtrace_lat": [np.nan if place is None else place[0] for place in track],
                "nbtrace_lon": [np.nan if place is None else place[1] for place in track],
            }
        )
        for number, (name, track) in enumerate(tracks.items(), 1)
    ]
    return aurorax_pandas.as_ephemeris(pd.concat(frames, ignore_index=True))


def as_rows(df):
    start = pd.Timestamp("2020-01-01")

    def minute(column):
        return ((df[column] - start) / pd.Timedelta("1min")).astype(int)

    return {
        (frozenset(sources["display_name"]), first, last, round(low, 6), round(high, 6), closest)
        for sources, first, last, low, high, closest in zip(
            df["data_sources"], minute("start"), minute("end"), df["min_distance"], df["max_distance"],
            minute("closest_epoch"), strict=True,
        )
    }  # fmt: skip


# places that provoke: poles, the date line, the same place twice, missing minutes
latitudes = st.sampled_from([-90.0, -60.0, 0.0, 55.0, 58.0, 60.0, 63.0, 89.5, 90.0]) | st.floats(50, 70)
longitudes = st.sampled_from([-180.0, -179.0, -95.0, -90.0, 0.0, 179.5, 180.0]) | st.floats(-180, 180)
places = st.none() | st.tuples(latitudes, longitudes)


@st.composite
def scenes(draw):
    minutes = draw(st.integers(1, 12))
    ground = [f"camera {number}" for number in range(draw(st.integers(1, 2)))]
    craft = [f"craft {number}" for number in range(draw(st.integers(1, 3)))]
    tracks = {}
    for name in ground:
        # a camera stands still, but not always; and it does not always operate
        place = draw(st.tuples(latitudes, longitudes))
        still = draw(st.booleans())
        tracks[name] = [draw(st.sampled_from([place, place, None]) if still else places) for _ in range(minutes)]
    for name in craft:
        near = draw(st.sampled_from(ground))
        tracks[name] = [draw(places | st.just(tracks[near][minute])) for minute in range(minutes)]
    return tracks, ground, craft


def away_from(limit, tracks):
    """Whether no distance is so near the limit that the last digit of a sine decides."""
    columns = zip(*tracks.values(), strict=True)
    known = ([place for place in column if place is not None] for column in columns)
    return all(
        abs(reference_distance(one, other) - limit) > 1e-3
        for column in known
        for one, other in itertools.combinations(column, 2)
    )


@settings(max_examples=60, deadline=None)
@given(scenes(), st.sampled_from([200.0, 500.0, 2000.0, 20100.0]))
def test_pairs_agree_with_the_slow_reference(scene, limit):
    tracks, ground, craft = scene
    if not (away_from(limit, tracks) and has_data(tracks, ground) and has_data(tracks, craft)):
        return
    df = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, ground), distance=limit, ground={"programs": "camera"}, space={"programs": "craft"}
    )
    assert as_rows(df) == reference(tracks, [ground, craft], {(0, 1): limit})


def has_data(tracks, names):
    return any(place is not None for name in names for place in tracks[name])


@settings(max_examples=60, deadline=None)
@given(scenes(), st.sampled_from([300.0, 3000.0]), st.sampled_from([300.0, 3000.0, None]), st.booleans())
def test_triples_agree_with_the_slow_reference(scene, first, second, free):
    tracks, ground, craft = scene
    if not (has_data(tracks, ground) and has_data(tracks, craft)):
        return
    if not all(away_from(limit, tracks) for limit in (first, second) if limit):
        return
    limits = {(0, 1): first, (0, 2): None if free else second, (1, 2): second}
    names = dict(zip(("ground1-space1", "ground1-space2", "space1-space2"), limits.values(), strict=True))
    df = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, ground), distance=names,
        ground={"programs": "camera"}, space=[{"programs": "craft"}, {"programs": "craft"}],
    )  # fmt: skip
    expected = merged(reference(tracks, [ground, craft, craft], limits))
    assert {row[:4] for row in as_rows(df)} == {row[:4] for row in expected}


def merged(rows):
    """Sources that meet in more than one role meet once: runs of one set that touch are one."""
    result = []
    for sources, group in itertools.groupby(sorted(rows, key=lambda row: (sorted(row[0]), row[1])), lambda row: row[0]):
        runs = []
        for _, start, end, low, high, closest in group:
            if runs and start <= runs[-1][1] + 1:
                last = runs[-1]
                low, closest = min((last[2], last[4]), (low, closest))
                runs[-1] = (last[0], max(last[1], end), low, max(last[3], high), closest)
            else:
                runs.append((start, end, low, high, closest))
        result += [(sources, *run) for run in runs]
    return set(result)


# ---- invariants --------------------------------------------------------------------------------------------------


def test_order_of_sources_does_not_matter(sample, found):
    turned = sample.isel(source=slice(None, None, -1))
    df = aurorax_pandas.find_conjunctions(turned, "2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED)
    assert_conjunctions_equal(df, found, check_attrs=False)


@pytest.mark.parametrize("shift", [90.0, 180.0])
def test_longitudes_may_be_turned(sample, found, shift):
    turned = sample.copy()
    turned["nbtrace_lon"] = (sample["nbtrace_lon"] + shift + 180) % 360 - 180
    df = aurorax_pandas.find_conjunctions(turned, "2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED)
    assert (df["start"].to_numpy() == found["start"].to_numpy()).all()
    np.testing.assert_allclose(df["min_distance"], found["min_distance"], atol=1e-6)


@pytest.mark.parametrize("subminute", [None, True])
@pytest.mark.parametrize(
    "blocks",
    [
        {"distance": 500, **RECORDED},
        {"distance": 800, "ground": {"programs": "themis-asi"}, "space": [{"programs": "swarm"}] * 2},
        {
            "distance": {"ground1-space1": 700},
            "ground": {"programs": "themis-asi"},
            "space": [{"programs": "swarm"}] * 2,
        },
    ],
)
def test_blocks_of_time_and_chunks_do_not_show(sample, blocks, subminute, monkeypatch):
    pytest.importorskip("dask")
    whole = aurorax_pandas.find_conjunctions(sample, subminute_precision=subminute, **blocks)
    assert len(whole)
    chunked = aurorax_pandas.find_conjunctions(sample.chunk(epoch=211), subminute_precision=subminute, **blocks)
    assert_conjunctions_equal(chunked, whole, check_attrs=False)
    monkeypatch.setattr(stage, "_BLOCK", 97)
    monkeypatch.setattr(stage, "_MAX_HITS", 50)
    assert_conjunctions_equal(
        aurorax_pandas.find_conjunctions(sample, subminute_precision=subminute, **blocks), whole, check_attrs=False
    )


def test_chunks_are_searched_on_a_cluster(sample, found):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        df = aurorax_pandas.find_conjunctions(
            sample.chunk(epoch=240), "2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED
        )
    assert_conjunctions_equal(df, found, check_attrs=False)


def test_ten_sources_in_four_blocks_do_not_explode():
    minutes = 1440
    tracks = {
        f"craft {number}": [(60 + number / 50, -95 + minute / 2000) for minute in range(minutes)]
        for number in range(10)
    }
    dataset = ephemeris_of(tracks, [])
    df = aurorax_pandas.find_conjunctions(dataset, distance=500, space=[{"programs": "craft"}] * 4)
    # 10 choose 4 sets, each once, though every set meets in 24 roles at 1440 minutes
    assert len(df) == 210
    assert (df.aurorax.minutes() == minutes).all()


# ---- meaning -----------------------------------------------------------------------------------------------------


def single(tracks, ground=("camera",), **arguments):
    arguments = {"distance": 500, "ground": {"programs": "camera"}, "space": {"programs": "craft"}} | arguments
    return aurorax_pandas.find_conjunctions(ephemeris_of(tracks, ground), **arguments)


def test_distance_at_the_limit_is_inside():
    tracks = {"camera": [(60.0, 0.0)] * 2, "craft": [(62.0, 0.0), (65.0, 0.0)]}
    limit = single(tracks, distance=1000)["min_distance"].iloc[0]
    assert len(single(tracks, distance=float(limit))) == 1
    assert len(single(tracks, distance=math.nextafter(float(limit), 0))) == 0


def test_window_is_inclusive_at_both_ends():
    tracks = {"camera": [(60.0, 0.0)] * 6, "craft": [(60.0, 1.0)] * 6}
    df = single(tracks, start="2020-01-01T00:02", end="2020-01-01T00:04")
    assert df[["start", "end"]].iloc[0].tolist() == [pd.Timestamp("2020-01-01T00:02"), pd.Timestamp("2020-01-01T00:04")]


def test_missing_minute_splits_a_conjunction():
    tracks = {"camera": [(60.0, 0.0)] * 3, "craft": [(60.0, 1.0), None, (60.0, 1.0)]}
    assert len(single(tracks)) == 2


def test_earliest_of_equal_epochs_is_the_closest():
    tracks = {"camera": [(60.0, 0.0)] * 3, "craft": [(60.0, 1.0)] * 3}
    df = single(tracks)
    assert df["closest_epoch"].iloc[0] == df["farthest_epoch"].iloc[0] == pd.Timestamp("2020-01-01")


def test_nothing_found_is_an_empty_typed_frame(found):
    df = single({"camera": [(60.0, 0.0)] * 3, "craft": [(0.0, 1.0)] * 3})
    assert df.empty
    assert df.dtypes.equals(found.dtypes)


def test_hemisphere_is_where_the_spacecraft_is(sample):
    both = aurorax_pandas.find_conjunctions(sample, distance=500, **RECORDED)
    halves = [
        aurorax_pandas.find_conjunctions(
            sample, distance=500, ground={"programs": "themis-asi"}, space={"programs": "swarm", "hemisphere": half}
        )
        for half in ("northern", "southern")
    ]
    assert 0 < len(halves[0]) < len(both)
    assert sum(map(len, halves)) == len(both)


def test_equator_is_northern(sample):
    still = sample.copy()
    still["geo_lat"] = still["geo_lat"] * 0
    north = aurorax_pandas.find_conjunctions(
        still, distance=500, ground={"programs": "themis-asi"}, space={"programs": "swarm", "hemisphere": "northern"}
    )
    assert len(north) == len(aurorax_pandas.find_conjunctions(still, distance=500, **RECORDED))


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "radial_distance", "operator": ">", "values": ["6810"]}, lambda ds: ds["radial_distance"] > 6810),
        (
            {"key": "radial_distance", "operator": "between", "values": ["6800", "6808"]},
            lambda ds: (ds["radial_distance"] >= 6800) & (ds["radial_distance"] <= 6808),
        ),
        ({"key": "region", "operator": "=", "values": ["cusp"]}, lambda ds: ds["region"] == "cusp"),
        ({"key": "region", "operator": "not in", "values": ["cusp", "cap"]}, lambda ds: ds["region"] == "oval"),
        ({"key": "quiet", "operator": "=", "values": ["true"]}, lambda ds: ds["region"] == "cusp"),
        ({"key": "quiet", "operator": "!=", "values": ["True"]}, lambda ds: ds["region"] != "cusp"),
    ],
)
def test_metadata_filters_read_the_dataset(sample, expression, holds):
    regions = np.array(["cusp", "oval", "cap"], dtype=object)[np.arange(1440) // 30 % 3]
    dataset = sample.assign(region=("epoch", regions), quiet=("epoch", regions == "cusp"))
    block = {"programs": "swarm", "metadata_filters": {"expressions": [expression]}}
    filtered = aurorax_pandas.find_conjunctions(dataset, distance=500, ground={"programs": "themis-asi"}, space=block)
    masked = dataset.copy()
    keep = holds(dataset) | (dataset["source_type"] == "ground")
    for name in ("nbtrace_lat", "nbtrace_lon"):
        masked[name] = masked[name].where(keep)
    expected = aurorax_pandas.find_conjunctions(masked, distance=500, **RECORDED)
    assert 0 < len(filtered) < len(aurorax_pandas.find_conjunctions(dataset, distance=500, **RECORDED))
    assert_conjunctions_equal(filtered, expected, check_attrs=False)


def place_of_camera(sample):
    return sample.isel(source=(sample["platform"] == "gillam").values).isel(source=0)


def test_custom_location_is_a_place_that_stands_still(sample):
    place = place_of_camera(sample).isel(epoch=0)
    location = (place["geo_lat"].item(), place["geo_lon"].item())
    there = aurorax_pandas.find_conjunctions(
        sample, distance=500, custom_locations={"locations": [location]}, space={"programs": "swarm"}
    )
    camera = aurorax_pandas.find_conjunctions(
        sample, distance=500, ground={"platforms": "gillam"}, space={"programs": "swarm"}
    )
    # the camera does not operate by day
    night = place_of_camera(sample)["nbtrace_lat"].dropna("epoch")["epoch"].values
    by_night = there["start"].isin(night) & there["end"].isin(night)
    assert there["min_distance"][by_night].tolist() == camera["min_distance"].tolist()
    assert 0 < len(camera) < len(there)
    assert there["data_sources"].iloc[0]["source_type"].tolist() == ["leo", "not_applicable"]


def test_free_pair_has_no_limit_but_needs_data(sample):
    free = {"ground1-space1": 500, "ground1-space2": None, "space1-space2": None}
    df = aurorax_pandas.find_conjunctions(
        sample,
        distance=free,
        ground={"programs": "themis-asi"},
        space=[{"platforms": "swarma"}, {"platforms": "swarmb"}],
    )
    traced = sample.copy()
    has_trace = sample["nbtrace_lat"].sel(source=sample["platform"] == "swarmb").isel(source=0).notnull()
    for name in ("nbtrace_lat", "nbtrace_lon"):
        traced[name] = traced[name].where(has_trace)
    pairs = aurorax_pandas.find_conjunctions(
        traced, distance=500, ground={"programs": "themis-asi"}, space={"platforms": "swarma"}
    )
    # the distance is that of the limited pair, wherever Swarm B is
    assert df["max_distance"].max() <= 500
    assert df.aurorax.minutes().sum() == pairs.aurorax.minutes().sum()
    gone = sample.copy()
    for name in ("nbtrace_lat", "nbtrace_lon"):
        gone[name] = gone[name].where(
            (gone["platform"] != "swarmb") | (gone["epoch"] < np.datetime64("2020-01-01T04:00"))
        )
    fewer = aurorax_pandas.find_conjunctions(
        gone, distance=free, ground={"programs": "themis-asi"}, space=[{"platforms": "swarma"}, {"platforms": "swarmb"}]
    )
    assert fewer["end"].max() < pd.Timestamp("2020-01-01T04:00")
    assert len(fewer) == (df["start"] < "2020-01-01T04:00").sum()


def test_half_minutes_are_interpolated_on_the_sphere():
    tracks = {"camera": [(60.0, 0.0)] * 3, "craft": [(60.0, -10.0), (60.0, 10.0), (60.0, 30.0)]}
    df = single(tracks, distance=300, subminute_precision=True)
    assert df["start"].tolist() == [pd.Timestamp("2020-01-01T00:00:30")]
    # half way along the great circle between 10 degrees west and 10 degrees east
    middle = math.degrees(
        math.atan2(math.sin(math.radians(60)), math.cos(math.radians(60)) * math.cos(math.radians(10)))
    )
    assert df["min_distance"].iloc[0] == pytest.approx(math.radians(middle - 60) * RADIUS)


# ---- bad input ---------------------------------------------------------------------------------------------------


def test_southern_trace_of_northern_cameras_is_refused(sample):
    with pytest.raises(AuroraxInputError, match=r"ground1 has a sbtrace location"):
        aurorax_pandas.find_conjunctions(sample, distance=500, conjunction_types="sbtrace", **RECORDED)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"space": {"programs": "swram"}}, "did you mean 'swarm'"),
        ({"ground": {"platforms": "gilam"}}, "did you mean 'gillam'"),
        ({"space": {"programs": "themis-asi"}}, "no source with program 'themis-asi'"),
        ({"ground": {"programs": "themis-asi", "instrument_types": "footprint"}}, "no source with instrument_type"),
        (
            {"space": {"programs": "swarm", "metadata_filters": {"expressions": [{"key": "nbtrace_region", "values": ["x"]}]}}},
            "no variable 'nbtrace_region'",
        ),
        (
            {"space": {"programs": "swarm", "metadata_filters": {"expressions": [{"key": "radial_distance", "values": ["x"]}]}}},
            "holds numbers",
        ),
        ({"distance": -1}, "0 or more"),
        ({"start": "2020-01-02", "end": "2020-01-01"}, "swap them"),
    ],
)  # fmt: skip
def test_bad_queries_are_refused_by_name(sample, change, says):
    with pytest.raises(AuroraxInputError, match=says):
        aurorax_pandas.find_conjunctions(sample, **({"distance": 500} | RECORDED | change))


@pytest.mark.parametrize(
    "arguments",
    [{"engine": "local"}, {"ephemeris": xr.Dataset()}, {"engine": "remote"}],
)
def test_engine_and_ephemeris_go_together(arguments):
    with pytest.raises(AuroraxInputError, match="engine="):
        pd.read_aurorax_conjunctions("2020", "2021", 500, **RECORDED, **arguments)


def test_local_engine_has_no_request_ids(sample):
    with pytest.raises(AuroraxInputError, match="request_id"):
        pd.read_aurorax_conjunctions(request_id="abc", engine="local", ephemeris=sample)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_url", "http://127.0.0.1:9"),
        ("api_key", "secret"),
        ("poll_interval", 5),
        ("timeout", 10),
        ("timeout", None),
        ("progress", True),
        ("on_bad_records", "drop"),
        ("check_names", False),
        ("cancel_on_interrupt", True),
        ("chunk", "6h"),
        ("checkpoint", "kept"),
        ("max_workers", 2),
        ("overlap", pd.Timedelta("2h")),
    ],
)
def test_arguments_of_the_service_are_refused_by_the_local_engine(sample, name, value):
    with pytest.raises(AuroraxInputError, match=f"{name}= is for the service"):
        pd.read_aurorax_conjunctions(
            "2020-01-01", "2020-01-01", 500, engine="local", ephemeris=sample, **RECORDED, **{name: value}
        )


def test_defaults_that_are_said_are_no_arguments_of_the_service(sample, found):
    df = pd.read_aurorax_conjunctions(
        "2020-01-01", "2020-01-01T06:59:59", 500, engine="local", ephemeris=sample, timeout=3600.0, overlap="1h",
        max_workers=4, poll_interval=1, **RECORDED,
    )  # fmt: skip
    assert_conjunctions_equal(df, found, check_attrs=False)


# ---- edges of windows and of data --------------------------------------------------------------------------------


def test_a_window_that_is_not_given_is_the_whole_ephemeris_whatever_its_fractions():
    tracks = {"camera": [(60.0, 0.0)] * 5, "craft": [(60.0, 1.0)] * 5}
    dataset = ephemeris_of(tracks, ["camera"])
    epochs = pd.Timestamp("2020-01-01T00:00:00.5") + pd.to_timedelta(np.arange(5), "s")
    df = aurorax_pandas.find_conjunctions(
        dataset.assign_coords(epoch=epochs.as_unit("us")), distance=500,
        ground={"programs": "camera"}, space={"programs": "craft"},
    )  # fmt: skip
    assert df[["start", "end"]].to_numpy().tolist() == [[epochs[0], epochs[-1]]]


@pytest.mark.parametrize("chunks", [None, 7, 9])
@pytest.mark.parametrize(
    ("start", "end"),
    [("2020-01-01T00:00", "2020-01-01T00:09:30"), ("2020-01-01T00:07:30", "2020-01-01T00:59")],
)
def test_half_minutes_at_the_edge_of_a_window_are_inside(sample, start, end, chunks):
    if chunks is not None:
        pytest.importorskip("dask")
        sample = sample.chunk(epoch=chunks)
    df = aurorax_pandas.find_conjunctions(sample, start, end, 500, subminute_precision=True, **RECORDED)
    first = df.iloc[0]
    assert (first["start"], first["end"]) == (pd.Timestamp("2020-01-01T00:07:30"), pd.Timestamp("2020-01-01T00:09:30"))


@pytest.mark.parametrize("chunks", [None, 1])
def test_a_window_between_two_half_minutes_has_no_epoch(sample, chunks):
    if chunks is not None:
        pytest.importorskip("dask")
        sample = sample.isel(epoch=slice(10)).chunk(epoch=chunks)
    arguments = {"distance": 500, "subminute_precision": True, **RECORDED}
    with pytest.raises(aurorax_pandas.AuroraxDataError, match="no epoch in the window"):
        aurorax_pandas.find_conjunctions(sample, "2020-01-01T00:08:10", "2020-01-01T00:08:20", **arguments)
    found = aurorax_pandas.find_conjunctions(sample, "2020-01-01T00:08:10", "2020-01-01T00:08:40", **arguments)
    assert {*found["start"], *found["end"]} == {pd.Timestamp("2020-01-01T00:08:30")}
    # what is not looked at first is empty where it has no epoch
    query = found.aurorax.provenance["query"] | {"start": "2020-01-01T00:08:10", "end": "2020-01-01T00:08:20"}
    assert find.search_ephemeris(sample, query).empty


def test_variables_may_be_chunked_each_in_its_own_way(sample, found):
    pytest.importorskip("dask")
    chunked = sample.chunk(epoch=100)
    chunked["quality"] = (sample["geo_lat"] * 0 + 1).chunk(epoch=77)
    space = {"programs": "swarm", "metadata_filters": {"quality": 1}}
    window = ("2020-01-01", "2020-01-01T06:59:59")
    df = aurorax_pandas.find_conjunctions(chunked, *window, 500, ground=RECORDED["ground"], space=space)
    assert_conjunctions_equal(df, found, check_attrs=False)


def test_a_hemisphere_goes_with_half_minutes(sample):
    df = aurorax_pandas.find_conjunctions(
        sample, "2020-01-01", "2020-01-01", 500, subminute_precision=True,
        ground={"programs": "themis-asi"}, space={"programs": ["swarm"], "hemisphere": ["northern"]},
    )  # fmt: skip
    assert len(df) == 61


def test_a_camera_that_did_not_operate_meets_nobody(sample):
    pytest.importorskip("dask")
    kiana = {"ground": {"programs": "themis-asi", "platforms": "kiana"}, "space": {"programs": "swarm"}}
    none = aurorax_pandas.find_conjunctions(sample, "2020-01-01T00:00", "2020-01-01T02:00", 500, **kiana)
    assert none.empty
    assert none.dtypes.equals(aurorax_pandas.load_sample_conjunctions().dtypes)
    whole = aurorax_pandas.find_conjunctions(sample, "2020-01-01", "2020-01-01", 500, **kiana)
    chunked = aurorax_pandas.find_conjunctions(sample.chunk(epoch=60), "2020-01-01", "2020-01-01", 500, **kiana)
    assert len(whole) == 7
    assert_conjunctions_equal(chunked, whole, check_attrs=False)


def test_single_precision_gives_the_same_rows(sample):
    single_precision = sample.copy()
    for name in ("nbtrace_lat", "nbtrace_lon", "sbtrace_lat", "sbtrace_lon", "geo_lat", "geo_lon"):
        single_precision[name] = sample[name].astype("float32")
    search = {"start": "2020-01-01", "end": "2020-01-01", "distance": 500, **RECORDED}
    rough, exact = (aurorax_pandas.find_conjunctions(one, **search) for one in (single_precision, sample))
    columns = ["start", "end", "closest_epoch", "farthest_epoch"]
    pd.testing.assert_frame_equal(rough[columns], exact[columns], check_flags=False)
    np.testing.assert_allclose(rough["min_distance"], exact["min_distance"], atol=0.01)
    np.testing.assert_allclose(rough["max_distance"], exact["max_distance"], atol=0.01)


# ---- what a block asks for ---------------------------------------------------------------------------------------


STILL = {"camera": [(60.0, 0.0)] * 4, "craft": [(60.0, 1.0)] * 4}


def minutes_with(dataset, **filters):
    df = aurorax_pandas.find_conjunctions(
        dataset, distance=500, ground={"programs": "camera"}, space={"programs": "craft", "metadata_filters": filters}
    )
    return sorted(minute for _, first, last, *_ in as_rows(df) for minute in range(first, last + 1))


@pytest.mark.parametrize(
    ("operator", "values", "minutes"),
    [
        ("<", ["2"], [0]),
        ("<=", ["2"], [0, 1]),
        (">", ["2"], [2]),
        (">=", ["2"], [1, 2]),
        ("=", ["2"], [1]),
        ("!=", ["2"], [0, 2]),
        ("in", ["1", "3"], [0, 2]),
        ("not in", ["1", "3"], [1]),
        ("between", ["1", "2"], [0, 1]),
        ("between", ["2", "3"], [1, 2]),
    ],
)
def test_every_operator_of_a_filter_and_what_is_missing(operator, values, minutes):
    dataset = ephemeris_of(STILL, ["camera"]).assign(kp=("epoch", [1.0, 2.0, 3.0, np.nan]))
    expressions = [{"key": "kp", "operator": operator, "values": values}]
    assert minutes_with(dataset, expressions=expressions) == minutes


@pytest.mark.parametrize(("word", "minutes"), [("AND", [0]), ("OR", [0, 1, 2])])
def test_expressions_of_a_filter_hold_together_or_one_by_one(word, minutes):
    dataset = ephemeris_of(STILL, ["camera"]).assign(
        kp=("epoch", [1, 1, 5, 5]), region=("epoch", np.array(["cusp", "cap", "cusp", "cap"], dtype=object))
    )
    expressions = [{"key": "kp", "operator": "<", "values": ["3"]}, {"key": "region", "values": ["cusp"]}]
    assert minutes_with(dataset, logical_operator=word, expressions=expressions) == minutes


@pytest.mark.parametrize("source_type", ["leo", "heo", "lunar"])
def test_a_space_block_takes_spacecraft_of_every_orbit(source_type):
    dataset = ephemeris_of(STILL, ["camera"]).assign_coords(source_type=("source", ["ground", source_type]))
    df = aurorax_pandas.find_conjunctions(
        dataset, distance=500, ground={"programs": "camera"}, space={"programs": "craft"}
    )
    assert df["data_sources"].iloc[0]["source_type"].tolist() == ["ground", source_type]


def test_an_events_block_takes_lists_of_events_alone():
    dataset = ephemeris_of(STILL, ["camera"]).assign_coords(program=("source", ["events", "craft"]))
    query = {"distance": 500, "events": {"programs": "events"}, "space": {"programs": "craft"}}
    with pytest.raises(AuroraxInputError, match="events: the ephemeris has no source"):
        aurorax_pandas.find_conjunctions(dataset, **query)
    listed = dataset.assign_coords(source_type=("source", ["event_list", "leo"]))
    assert len(aurorax_pandas.find_conjunctions(listed, **query)) == 1


@pytest.mark.parametrize(("lat", "trace"), [(10.0, "nbtrace"), (0.0, "nbtrace"), (-10.0, "sbtrace")])
def test_a_place_has_a_trace_in_its_own_hemisphere_alone(lat, trace):
    dataset = ephemeris_of({"craft": [(lat, 1.0)] * 2}, [])
    both = dataset.assign({f"sbtrace_{part}": dataset[f"nbtrace_{part}"] for part in ("lat", "lon")})
    query = {"distance": 500, "custom_locations": {"locations": [(lat, 0.0)]}, "space": {"programs": "craft"}}
    assert len(aurorax_pandas.find_conjunctions(both, conjunction_types=trace, **query)) == 1
    (other,) = {"nbtrace", "sbtrace"} - {trace}
    with pytest.raises(AuroraxInputError, match=rf"adhoc1 has a {other} location"):
        aurorax_pandas.find_conjunctions(both, conjunction_types=other, **query)


# ---- what a row says ---------------------------------------------------------------------------------------------


def test_without_any_limit_the_other_end_of_the_world_is_near_enough():
    tracks = {"camera": [(60.0, 0.0)] * 2, "craft": [(-60.0, 180.0)] * 2}
    df = single(tracks, distance={"ground1-space1": None})
    assert df["min_distance"].tolist() == [pytest.approx(math.pi * RADIUS)]


def test_half_minutes_are_joined_by_half_minutes():
    tracks = {"camera": [(60.0, 0.0)] * 3, "craft": [(58.0, 0.0), (66.0, 0.0), (58.0, 0.0)]}
    df = single(tracks, distance=300, subminute_precision=True)
    assert df["end"].iloc[0] == pd.Timestamp("2020-01-01T00:00:30")
    assert df["start"].iloc[1] == pd.Timestamp("2020-01-01T00:01:30")


def test_closest_and_farthest_epoch_are_where_these_distances_occur():
    tracks = {"camera": [(60.0, 0.0)] * 5, "craft": [(60.0, lon) for lon in (2.0, 1.0, 3.0, 1.0, 3.0)]}
    (row,) = single(tracks).itertuples()
    assert (row.closest_epoch, row.farthest_epoch) == (
        pd.Timestamp("2020-01-01T00:01"),
        pd.Timestamp("2020-01-01T00:02"),
    )


def test_events_are_the_pairs_of_blocks_in_their_order_each_with_its_own_distances():
    tracks = {
        "camera": [(60.0, 0.0)] * 4,
        "craft a": [(60.0, 1.0), (60.0, 1.5), (0.0, 0.0), (60.0, 1.0)],
        "craft b": [(60.0, -2.0), (60.0, -4.0), (60.0, -2.0), (60.0, -2.0)],
    }
    df = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, ["camera"]), distance=500,
        ground={"programs": "camera"}, space=[{"platforms": "craft a"}, {"platforms": "craft b"}],
    )  # fmt: skip
    assert len(df) == 2
    for _, row in df.iterrows():
        assert row["data_sources"]["display_name"].tolist() == list(tracks)
        first = int((row["start"] - pd.Timestamp("2020-01-01")) / pd.Timedelta("1min"))
        last = int((row["end"] - pd.Timestamp("2020-01-01")) / pd.Timedelta("1min"))
        pairs = list(zip(row["events"]["e1_display_name"], row["events"]["e2_display_name"], strict=True))
        assert pairs == list(itertools.combinations(tracks, 2))
        for (one, other), low, high in zip(
            pairs, row["events"]["min_distance"], row["events"]["max_distance"], strict=True
        ):
            apart = [reference_distance(tracks[one][at], tracks[other][at]) for at in range(first, last + 1)]
            assert (low, high) == (pytest.approx(min(apart)), pytest.approx(max(apart)))


# ---- checks and short cuts ---------------------------------------------------------------------------------------


def test_a_dataset_that_was_changed_between_two_calls_is_checked_again(sample):
    changed = sample.copy(deep=True)
    search = {"distance": 500, **RECORDED}
    before = aurorax_pandas.find_conjunctions(changed, **search)
    row = changed["platform"].values.tolist().index("swarma")
    changed["nbtrace_lat"].values[row, :] += 0.5
    after = aurorax_pandas.find_conjunctions(changed, **search)
    assert not after["min_distance"].equals(before["min_distance"])
    changed["nbtrace_lat"].values[row, 3] = 91.0
    with pytest.raises(AuroraxInputError, match="outside −90 to 90"):
        aurorax_pandas.find_conjunctions(changed, **search)


def test_locations_are_checked_once_in_a_call(sample, monkeypatch):
    seen = []

    def counted(lat, lon, name):
        seen.append(name)
        return extents.measure_extents(lat, lon, name)

    for module in (dataset, find):
        monkeypatch.setattr(module, "measure_extents", counted)
    aurorax_pandas.find_conjunctions(sample, distance=500, conjunction_types=["nbtrace", "geographic"], **RECORDED)
    assert sorted(seen) == ["geo", "nbtrace", "sbtrace"]


@pytest.mark.parametrize("bad", [(91.0, 0.0), (0.0, 361.0), (np.nan, 0.0), (np.inf, 0.0)])
def test_chunks_are_checked_when_they_are_read(sample, bad):
    pytest.importorskip("dask")
    wrong = sample.copy(deep=True)
    for name, value in zip(("nbtrace_lat", "nbtrace_lon"), bad, strict=True):
        wrong[name].values[0, 700] = value
    for subminute in (None, True):
        with pytest.raises(AuroraxInputError, match="nbtrace_l"):
            aurorax_pandas.find_conjunctions(
                wrong.chunk(epoch=97), distance=500, subminute_precision=subminute, **RECORDED
            )


@settings(max_examples=200)
@given(
    st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=5),
    st.lists(st.tuples(latitudes, longitudes | st.floats(180, 360)), min_size=1, max_size=30),
    st.sampled_from([0.0, 1.0, 300.0, 5000.0, 25000.0]),
)
def test_a_grid_leaves_out_no_place_that_is_near(stations, points, limit):
    lat, lon = np.array(stations).T
    point_lat, point_lon = np.array(points).T
    laid = grid.PlaceGrid(lat, lon, limit)
    inside = np.flatnonzero((point_lat >= laid.south) & (point_lat <= laid.north))
    point, place = laid.candidates(point_lat[inside], point_lon[inside])
    near = {
        (one, other)
        for one, at in enumerate(points)
        for other, there in enumerate(stations)
        if reference_distance(at, there) <= limit
    }
    found = list(zip(inside[point].tolist(), place.tolist(), strict=True))
    assert near <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("limit", [100.0, 500.0, 2500.0])
def test_a_grid_reaches_as_far_as_the_distance_in_every_direction(limit):
    bearing = np.radians(np.arange(0, 360, 5))
    arc = limit * (1 - 1e-9) / EARTH_RADIUS
    for lat, lon in itertools.product([-75.0, -3.3, 0.0, 41.9, 60.0], [-180.0, -91.1, 0.0, 33.7, 179.5]):
        turn, start = np.radians(lat), np.radians(lon)
        point_lat = np.arcsin(np.sin(turn) * np.cos(arc) + np.cos(turn) * np.sin(arc) * np.cos(bearing))
        along = np.sin(bearing) * np.sin(arc) * np.cos(turn), np.cos(arc) - np.sin(turn) * np.sin(point_lat)
        point_lon = (np.degrees(start + np.arctan2(*along)) + 180) % 360 - 180
        laid = grid.PlaceGrid(np.array([lat]), np.array([lon]), limit)
        assert len(laid.candidates(np.degrees(point_lat), point_lon)[0]) == len(bearing)


@settings(max_examples=60)
@given(scenes(), st.sampled_from([300.0, 3000.0]))
def test_stations_near_each_other_are_joined_as_at_every_epoch(scene, limit):
    tracks, ground, craft = scene
    if not (has_data(tracks, ground) and has_data(tracks, craft) and away_from(limit, tracks)):
        return
    df = aurorax_pandas.find_conjunctions(
        ephemeris_of(tracks, ground), distance=limit, ground=[{"programs": "camera"}] * 2, space={"programs": "craft"}
    )
    expected = merged(reference(tracks, [ground, ground, craft], dict.fromkeys([(0, 1), (0, 2), (1, 2)], limit)))
    assert {row[:4] for row in as_rows(df)} == {row[:4] for row in expected}


@settings(max_examples=100)
@given(st.lists(st.integers(0, 2**40), max_size=50), st.sampled_from([2, 70_000, 2**40]))
def test_order_by_digits_is_stable(numbers, size):
    values = np.array(numbers, np.int64) % size
    assert intervals.stable_order(values).tolist() == np.argsort(values, kind="stable").tolist()


def test_two_orders_of_dimensions_are_one_search(sample, found):
    turned = sample.transpose("epoch", "source")
    df = aurorax_pandas.find_conjunctions(turned, "2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED)
    assert_conjunctions_equal(df, found, check_attrs=False)


def test_a_place_that_is_named_twice_meets_once(sample):
    block = {"locations": [(58.0, -94.0), (58.0, -94.0)]}
    twice, once = (
        aurorax_pandas.find_conjunctions(
            sample, distance=500, custom_locations={"locations": places}, space={"programs": "swarm"}
        )
        for places in (block["locations"], block["locations"][:1])
    )
    assert_conjunctions_equal(twice, once, check_attrs=False)


def test_earlier_pieces_do_not_matter_to_rows_of_places_alone(sample):
    cameras = sample.isel(source=slice(3, None))
    df = aurorax_pandas.find_conjunctions(cameras, distance=1200, ground=[{"programs": "themis-asi"}] * 2)
    assert (df["min_distance"] == df["max_distance"]).all()
    assert (df["closest_epoch"] == df["start"]).all()


def test_what_an_ephemeris_does_not_hold_cannot_be_searched(sample):
    with pytest.raises(AuroraxInputError, match="there are no epochs"):
        aurorax_pandas.find_conjunctions(sample.isel(epoch=slice(0, 0)), distance=500, **RECORDED)
    bare = sample.drop_vars(["sbtrace_lat", "sbtrace_lon"])
    with pytest.raises(AuroraxInputError, match="'sbtrace' needs sbtrace_lat and sbtrace_lon"):
        aurorax_pandas.find_conjunctions(bare, distance=500, conjunction_types="sbtrace", **RECORDED)


def test_a_service_refuses_what_a_search_of_ones_own_leaves_out(sample):
    found = aurorax_pandas.find_conjunctions(sample, distance=500, **RECORDED)
    query = found.aurorax.provenance["query"]
    strict = find.search_ephemeris(sample, query)
    assert strict.equals(found)
    plan.check_searchable(sample, query)
    query["space"] = [{"programs": ["swarm", "grace"]}]
    with pytest.raises(AuroraxInputError, match="no source with program 'grace'"):
        plan.check_searchable(sample, query)
    query["space"] = [{"programs": ["swarm"], "platforms": ["gillam"]}]
    with pytest.raises(AuroraxInputError, match="no source with platform 'gillam'"):
        find.search_ephemeris(sample, query)


def test_names_that_no_source_of_a_table_has_can_be_left_out_of_a_block(sample):
    table = dataset.source_table(sample)
    block = {"programs": ["swarm", "grace"], "platforms": [], "instrument_types": ["footprint"]}
    assert matching.block_at_hand(table, block, "space") == {**block, "programs": ["swarm"]}
    assert matching.block_at_hand(table, {"programs": ["grace"]}, "space") is None
    with pytest.raises(AuroraxInputError, match="no source that matches"):
        matching.matching_sources(
            table, {"programs": ["swarm"], "instrument_types": ["footprint"], "platforms": ["gillam"]}
        )


def test_rows_stand_in_their_order_however_many_digits_that_takes():
    times = np.array(["2300-01-01", "1700-01-01", "2000-01-01", "1700-01-01"], "M8[us]")
    ends = np.full(4, np.datetime64("2400-01-01", "us"))
    sources = np.array([[0, 1], [1, 2], [0, 2], [0, 2]])
    zeros = np.zeros(4)
    pieces = (zeros.astype(np.int8), sources, times, ends, ends, ends, zeros, zeros, zeros[:, None], zeros[:, None])
    table = pd.DataFrame({"identifier": [7, 8, 9], "program": "p", "platform": "q", "instrument_type": "r",
                          "source_type": ["ground", "leo", "leo"], "display_name": ["a", "b", "c"]})  # fmt: skip
    fine, coarse = (
        assembly.assemble([assembly.Found(*pieces)], [(0, 1)], table, step)
        for step in (np.timedelta64(1, "us"), np.timedelta64(86400, "s"))
    )
    assert_conjunctions_equal(fine, coarse)
    assert [cell["display_name"].tolist() for cell in fine["data_sources"]] == [
        ["a", "c"],
        ["b", "c"],
        ["a", "c"],
        ["a", "b"],
    ]


def test_rows_are_summed_up_in_pieces_as_in_one(sample, found, monkeypatch):
    monkeypatch.setattr(assembly, "_DISTANCES", 7)
    pieces = aurorax_pandas.find_conjunctions(sample, "2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED)
    assert_conjunctions_equal(pieces, found, check_attrs=False)


def test_a_site_of_ones_own_is_found_by_its_name_where_it_has_its_code(sample):
    site = aurorax_pandas.stations(sample["epoch"], locations={"GILL": (56.4, -94.6)})
    both = xr.concat([sample.sel(source=sample["source_type"] == "leo"), site], dim="source")
    by_name, by_code = (
        aurorax_pandas.find_conjunctions(both, distance=500, ground={"platforms": name}, space={"programs": "swarm"})
        for name in ("gillam", "GILL")
    )
    assert len(by_name)
    assert_conjunctions_equal(by_name, by_code, check_attrs=False)


def test_a_spacecraft_that_stands_still_beside_one_that_moves_has_distances_of_its_own():
    tracks = {
        "camera": [(60.0, 0.0)] * 3,
        "craft still": [(61.0, 0.0)] * 3,
        "craft moving": [(62.0, 0.0), (61.5, 0.0), (63.0, 0.0)],
    }
    both = single(tracks).aurorax.pair_summary()["min_distance"]
    for name in ("craft still", "craft moving"):
        alone = single({each: tracks[each] for each in ("camera", name)}).aurorax.pair_summary()["min_distance"]
        assert both[alone.index].equals(alone)


@pytest.mark.parametrize("types", [["nbtrace"], ["nbtrace", "geographic"], ["nbtrace", "sbtrace", "geographic"]])
def test_a_search_of_several_types_is_the_searches_of_each(sample, types):
    both = {"distance": 900, "space": [{"platforms": "swarma"}, {"platforms": "swarmb"}]}
    whole = aurorax_pandas.find_conjunctions(sample, conjunction_types=types, **both)
    each = [aurorax_pandas.find_conjunctions(sample, conjunction_types=one, **both) for one in types]
    assert all(map(len, each))
    assert_conjunctions_equal(whole, in_order(pd.concat(each)), check_attrs=False)
