import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions

FORMATION = {"Swarm A+C": ["Swarm A", "Swarm C"]}


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


def slow_passes(records, gap):
    """Chain one record after the other; the service's own words, no NumPy."""
    rows = []
    for number, record in enumerate(records):
        for event in record["events"]:
            sides = [event["e1_source"], event["e2_source"]]
            craft = [one for one in sides if one["source_type"] in ("leo", "heo")]
            if len(craft) == 1:
                key = craft[0]["display_name"], event["conjunction_type"]
                rows.append((key, pd.Timestamp(event["start"]), pd.Timestamp(event["end"]), number))
    found = []
    for key, group in itertools.groupby(sorted(rows, key=lambda row: row[:3]), key=lambda row: row[0]):
        for _, start, end, number in group:
            if found and found[-1][0] == key and start - found[-1][2] <= gap:
                found[-1][2] = max(found[-1][2], end)
                found[-1][3].add(number)
            else:
                found.append([key, start, end, {number}])
    return sorted((key[0], key[1], start, end, tuple(sorted(rows))) for key, start, end, rows in found)


@given(data=st.data(), gap=st.integers(0, 4))
def test_passes_are_those_of_a_slow_chain(builders, data, gap):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    in_order = builders.in_row_order(df, made)
    found = df.aurorax.passes(gap=f"{gap}min")
    mine = sorted(
        zip(
            found["spacecraft"], found["conjunction_type"], found["start"], found["end"],
            map(tuple, found["parents"]), strict=True,
        )
    )  # fmt: skip
    for record in in_order:
        for event in record["events"]:
            event["conjunction_type"] = event["conjunction_type"] or record["conjunction_type"]
    assert mine == slow_passes(in_order, pd.Timedelta(minutes=gap))
    assert found["count"].sum() == sum(
        (one["e1_source"]["source_type"] == "ground") != (one["e2_source"]["source_type"] == "ground")
        for record in made
        for one in record["events"]
    )


def test_recorded_search_has_22_passes(sample, ephemeris):
    found = sample.aurorax.passes(ephemeris=ephemeris)
    assert len(found) == 22
    assert found["hemisphere"].value_counts().to_dict() == {"southern": 13, "northern": 9}
    assert sorted(row for rows in found["parents"] for row in rows) == list(range(49))
    assert found["minutes"].sum() == 82


def test_hemispheres_come_from_the_column_too(sample, ephemeris):
    known = sample.aurorax.closest_approach(ephemeris)
    pd.testing.assert_frame_equal(
        known.aurorax.passes().drop(columns="stations"),
        sample.aurorax.passes(ephemeris=ephemeris).drop(columns="stations"),
    )


def test_a_pass_is_of_one_hemisphere(builders):
    df = as_conjunctions([builders.record(0, 1), builders.record(3, 4)])
    assert len(df.aurorax.passes()) == 1
    found = df.assign(spacecraft_hemisphere=["northern", "southern"]).aurorax.passes()
    assert found["hemisphere"].tolist() == ["northern", "southern"]
    assert found["parents"].tolist() == [[0], [1]]


def test_a_pass_is_of_one_type(builders):
    events = [
        {**builders.event(builders.ATHA, builders.SWARM_A, start, start + 1), "conjunction_type": kind}
        for start, kind in ((0, "nbtrace"), (0, "sbtrace"), (3, "nbtrace"))
    ]
    found = as_conjunctions([builders.record(0, 4, events=events)]).aurorax.passes()
    assert found[["conjunction_type", "minutes"]].to_numpy().tolist() == [["nbtrace", 4.0], ["sbtrace", 2.0]]


def test_first_pass_names_its_stations_in_order(sample, ephemeris):
    first = sample.aurorax.passes(ephemeris=ephemeris).iloc[0]
    assert first["stations"]["station"].str[-4:].tolist() == ["TALO", "RANK", "GILL", "TPAS", "PINA"]
    assert first["stations"]["closest_epoch"].is_monotonic_increasing
    assert (first["closest_station"], first["min_distance"]) == ("THEMIS-ASI GILL", 89.436436)
    assert (first["minutes"], first["count"], first["parents"]) == (8.0, 5, [0, 2, 5, 6, 7])


def test_a_formation_is_one_spacecraft_and_others_stay_apart(sample, ephemeris):
    alone, together = (sample.aurorax.passes(formation=each, ephemeris=ephemeris) for each in (None, FORMATION))
    assert set(alone["spacecraft"]) == {"Swarm A", "Swarm B", "Swarm C"}
    assert together["spacecraft"].value_counts().to_dict() == {"Swarm A+C": 9, "Swarm B": 4}


@pytest.mark.parametrize(
    ("formation", "words"),
    [
        ({"AC": ["Swarm X"]}, "did you mean"),
        ({"AC": ["Swarm A"], "AB": ["Swarm A"]}, "keep it in one"),
        (["Swarm A"], "is no dict"),
    ],
)
def test_a_formation_that_cannot_be_is_refused(sample, formation, words):
    with pytest.raises(ap.AuroraxInputError, match=words):
        sample.aurorax.passes(formation=formation)


def test_high_orbits_dwell(builders):
    records = [builders.record(0, 300, sources=(builders.ATHA, builders.THEMIS_A))]
    assert as_conjunctions(records).aurorax.passes().loc[0, "minutes"] == 301


FRAMES = {
    "filtered": lambda df: df[df["min_distance"] < 300].iloc[::-2],
    "reindexed": lambda df: df.set_axis(pd.Index([0] * len(df))),
    "concatenated": lambda df: pd.concat([df.head(10), df.tail(10)]),
    "without attrs": lambda df: df.reset_index(drop=True).copy().pipe(lambda each: each.attrs.clear() or each),
    "own columns": lambda df: df.assign(kp=3.0, pair="mine", minutes=1, hemisphere="?"),
    "empty": lambda df: df.iloc[:0],
}


@pytest.mark.parametrize("name", list(FRAMES))
@pytest.mark.parametrize("verb", ["passes", "revisits", "daily_counts"])
def test_verbs_take_any_frame_and_leave_it(sample, name, verb):
    df = FRAMES[name](sample)
    before, attrs = df.copy(deep=True), dict(df.attrs)
    found = getattr(df.aurorax, verb)()
    same = getattr(df.reset_index(drop=True).aurorax, verb)()
    assert found.dtypes.equals(same.dtypes)
    assert found.drop(columns="stations", errors="ignore").equals(same.drop(columns="stations", errors="ignore"))
    ap.testing.assert_conjunctions_equal(df[before.columns], before, check_attrs=False)
    assert df.attrs == attrs
    if name == "empty":
        assert found.dtypes.equals(getattr(sample.aurorax, verb)().dtypes)


def test_events_give_the_passes_of_their_conjunctions(sample):
    columns = ["spacecraft", "start", "end", "min_distance", "parents"]
    assert sample.aurorax.explode_events().aurorax.passes()[columns].equals(sample.aurorax.passes()[columns])


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), min_size=1, max_size=8))
def test_revisits_are_the_gaps_between_spans(builders, spans):
    df = as_conjunctions([builders.record(start, start + length) for start, length in spans])
    minutes = sorted({minute for start, length in spans for minute in range(start, start + length + 1)})
    gaps = [later - earlier for earlier, later in itertools.pairwise(minutes) if later - earlier > 1]
    (row,) = df.aurorax.revisits().itertuples()
    assert row.count == len(gaps)
    if gaps:
        assert row.longest == pd.Timedelta(minutes=max(gaps))
        assert row.median == pd.Timedelta(minutes=float(np.median(gaps)))
    else:
        assert pd.isna(row.longest)
        assert pd.isna(row.median)


def test_revisits_by_spacecraft_site_and_column(sample):
    assert sample.aurorax.revisits("spacecraft")["count"].to_dict() == {"Swarm A": 9, "Swarm B": 3, "Swarm C": 8}
    assert "GILL & Swarm C" in sample.aurorax.revisits("site").index
    assert sample.assign(kp=1).aurorax.revisits("kp").index.tolist() == ["1"]
    with pytest.raises(ap.AuroraxInputError, match="by='speed'"):
        sample.aurorax.revisits("speed")


@pytest.mark.parametrize(("seconds", "hemisphere"), [(29, "northern"), (30, "northern"), (31, "southern")])
def test_a_time_midway_between_two_epochs_counts_to_the_earlier(builders, seconds, hemisphere):
    epochs = pd.date_range("2020-01-01", periods=3, freq="1min")
    ephemeris = ap.as_ephemeris(
        pd.DataFrame({"epoch": epochs, "identifier": 3, "geo_lat": [1.0, 1.0, -1.0], "geo_lon": 0.0})
    )
    df = as_conjunctions([builders.record(1, 2, closest=1 + seconds / 60)])
    assert df.aurorax.passes(ephemeris=ephemeris)["hemisphere"].tolist() == [hemisphere]
    assert len(df.aurorax.overflights(ephemeris)) == (hemisphere == "northern")


@pytest.mark.parametrize(("start", "count"), [(11, 1), (11.5, 2)])
def test_a_pass_goes_on_after_ten_minutes_without_a_station(builders, start, count):
    df = as_conjunctions([builders.record(0, 1), builders.record(start, 12)])
    assert len(ap.passes(df)) == len(df.aurorax.passes()) == count


def test_minutes_of_a_pass_are_counted_by_the_step(builders):
    df = as_conjunctions([builders.record(0, 1), builders.record(3, 4)])
    assert [df.aurorax.passes(step=step).loc[0, "minutes"] for step in ("1min", "30s")] == [4.0, 3.0]


def test_passes_that_start_together_are_in_alphabetical_order(builders):
    pairs = [(builders.ATHA, craft) for craft in (builders.THEMIS_A, builders.SWARM_B, builders.SWARM_A)]
    records = [builders.record(0, 1, sources=pair, closest=0.1 * number) for number, pair in enumerate(pairs)]
    found = as_conjunctions(records).aurorax.passes()
    assert found["spacecraft"].tolist() == ["Swarm A", "Swarm B", "THEMIS-A"]


def test_a_conjunction_of_several_stations_is_one_parent(builders):
    sources = (builders.ATHA, builders.GILL, builders.SWARM_A)
    events = [builders.event(camera, builders.SWARM_A) for camera in sources[:2]]
    found = as_conjunctions([builders.record(sources=sources, events=events)]).aurorax.passes()
    assert (found.loc[0, "parents"], found.loc[0, "count"]) == ([0], 2)


def test_stations_of_a_pass_are_in_the_order_of_epochs_else_of_starts_else_of_distances(builders):
    made = [
        builders.record(0, 9, sources=(builders.ATHA, builders.SWARM_A), closest=5, low=120.0),
        builders.record(3, 9, sources=(builders.GILL, builders.SWARM_A), closest=None, low=130.0),
        builders.record(1, 9, sources=(builders.REGO_ATHA, builders.SWARM_A), closest=5, low=110.0),
    ]
    (stations,) = as_conjunctions(made).aurorax.passes()["stations"]
    assert stations["station"].tolist() == ["THEMIS-ASI GILL", "REGO ATHA", "THEMIS-ASI ATHA"]


def test_a_station_without_a_name_takes_none_from_another_pass(sample):
    events = sample.aurorax.explode_events()
    for row in (0, 43, 44):
        named = events["e1_display_name"].mask(events.index == row)
        stations = events.assign(e1_display_name=named).aurorax.passes()["stations"]
        assert sum(map(len, stations)) == 49


def test_labels_of_numbers_go_by_size_and_what_has_none_comes_last(builders):
    df = as_conjunctions([builders.record(minute, minute) for minute in (0, 10, 20, 30)])
    found = df.assign(kp=[10.0, np.nan, 2.0, 2.0]).aurorax.revisits("kp")
    assert found["count"].to_dict() == {"2.0": 1, "10.0": 0, "missing": 0}
    assert found.index.tolist() == ["2.0", "10.0", "missing"]


def test_verbs_of_events_name_themselves_and_need_no_more_than_they_read(sample):
    events = sample.aurorax.explode_events()
    for verb in ("passes", "revisits", "daily_counts"):
        with pytest.raises(ap.AuroraxInputError, match=f"^{verb} needs the column.* start"):
            getattr(events.drop(columns="start").aurorax, verb)()
    distances = events.drop(columns=["end", "min_distance", "max_distance", "closest_epoch"])
    assert distances.aurorax.daily_counts("pair").equals(events.aurorax.daily_counts("pair"))
    with pytest.raises(ap.AuroraxInputError, match=r"^pair_summary needs the column.* e1_platform"):
        events.drop(columns="e1_platform").aurorax.pair_summary(sources=True)


def test_revisits_of_a_column_of_ones_own_are_those_of_its_rows_apart(sample):
    groups = np.where(np.arange(len(sample)) % 2, "odd", "even")
    found = sample.assign(mine=groups).aurorax.revisits("mine")
    for name in ("odd", "even"):
        apart = sample[groups == name].assign(mine=name).aurorax.revisits("mine")
        assert found.loc[[name]].equals(apart)


def test_revisits_by_a_column_that_events_lack_are_of_the_rows_with_its_value(sample):
    found = sample.aurorax.revisits("farthest_epoch")
    assert found["count"].sum() == sample.assign(mine=sample["farthest_epoch"]).aurorax.revisits("mine")["count"].sum()
    assert len(found) == sample["farthest_epoch"].nunique()
