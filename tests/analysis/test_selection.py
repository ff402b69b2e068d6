import datetime
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions
from aurorax_pandas.testing import assert_conjunctions_equal

dd = pytest.importorskip("dask.dataframe")


@given(data=st.data(), n=st.integers(1, 4))
def test_closest_overall_by_pair_and_by_columns(builders, data, n):
    made = data.draw(builders.tagged_records(max_size=10))
    df = as_conjunctions(made)
    df = df.iloc[data.draw(st.permutations(range(len(df))))].assign(kind=df["conjunction_type"].astype("str"))
    records = builders.in_row_order(df, made)

    def least(rows):
        return sorted(rows, key=lambda row: (row[1]["min_distance"], pd.Timestamp(row[1]["start"]), row[0]))[:n]

    rows = list(enumerate(records))
    assert df.aurorax.closest(n).index.tolist() == df.index[sorted(row[0] for row in least(rows))].tolist()
    chosen = set()
    for kind in ("nbtrace", "sbtrace"):
        chosen |= {row[0] for row in least([row for row in rows if row[1]["conjunction_type"] == kind])}
    for by in ("conjunction_type", ["kind"], ["kind", "conjunction_type"]):
        assert df.aurorax.closest(n, by=by).index.tolist() == df.index[sorted(chosen)].tolist()
    events = list(enumerate(builders.reference_events(records)))
    parents = set()
    for pair in {event["pair"] for _, event in events}:
        parents |= {event["conjunction"] for _, event in least([one for one in events if one[1]["pair"] == pair])}
    assert df.aurorax.closest(n, by="pair").index.tolist() == df.index[sorted(parents)].tolist()


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3", None])
def test_closest_needs_a_whole_number(sample, n):
    with pytest.raises(ap.AuroraxInputError, match="n="):
        sample.aurorax.closest(n)


@pytest.mark.parametrize("by", ["spacecraft", "station"])
def test_closest_by_one_side_is_met_with_the_columns_of_events(sample, by):
    with pytest.raises(ap.AuroraxInputError, match=r"explode_events\(\), by='e1_display_name' or 'e2_display_name'"):
        sample.aurorax.closest(1, by=by)


@pytest.mark.parametrize("by", ["par", ["start", "par"], []])
def test_closest_by_a_column_that_is_not_there_is_refused(sample, by):
    with pytest.raises(ap.AuroraxInputError, match="by="):
        sample.aurorax.closest(1, by=by)


def test_closest_by_an_array_is_by_a_value_for_each_row_as_in_pandas(sample):
    hour = sample["start"].dt.hour
    expected = sample.aurorax.closest(1, by=hour)
    for by in (hour.to_numpy(), pd.Index(hour), pd.Categorical(hour), [hour.to_numpy()]):
        pd.testing.assert_frame_equal(sample.aurorax.closest(1, by=by), expected)
    both = sample.aurorax.closest(1, by=["pair", hour.to_numpy()])
    pd.testing.assert_frame_equal(both, sample.aurorax.closest(1, by=["pair", hour]))
    # what holds names alone names columns
    by_names = sample.aurorax.closest(1, by=np.array(["pair", "day"]))
    pd.testing.assert_frame_equal(by_names, sample.aurorax.closest(1, by=["pair", "day"]))
    none = sample.iloc[:0]
    assert len(none.aurorax.closest(1, by=none["start"].dt.hour.to_numpy())) == 0


def test_closest_by_a_mapping_groups_the_labels_of_the_index_as_in_pandas(sample):
    halves = {label: label < 20 for label in sample.index}
    expected = sample.groupby(halves)["min_distance"].idxmin().sort_values().tolist()
    assert sample.aurorax.closest(1, by=halves).index.tolist() == expected


@pytest.mark.parametrize("values", [["start", "end"], ["end", "end"], ["pair", "day"], ["site", "pair"]])
def test_closest_by_an_array_as_long_as_the_frame_is_by_its_values_even_where_these_are_names(sample, values):
    two = sample.iloc[[3, 4]].assign(kp=1.0)
    expected = two.groupby(np.array(values))["min_distance"].idxmin().sort_values().tolist()
    for by in (np.array(values), pd.Index(values), pd.array(values, dtype="str"), pd.Series(values, two.index)):
        assert two.aurorax.closest(1, by=by).index.tolist() == expected
    # a list is of names, as it is there
    by_names = two.groupby(["start", "end"])["min_distance"].idxmin().sort_values().tolist()
    assert two.aurorax.closest(1, by=["start", "end"]).index.tolist() == by_names == [3, 4]


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (np.arange(3), r"by= is an array of shape \(3,\), and the frame has 49 rows; give a value for each row"),
        (np.zeros((49, 2)), r"shape \(49, 2\)"),
        (
            list(range(49)),
            "by=0: no such column; give 'pair', 'site', 'day', columns of the frame, a value for each row",
        ),
        (pd.DataFrame({"kp": range(49)}), "by=<DataFrame>: no such column; give 'pair'"),
        ([["pair"]], "no such column"),
    ],
)
def test_what_closest_cannot_group_by_is_told_with_what_it_takes(sample, by, said):
    with pytest.raises(ap.AuroraxInputError, match=said):
        sample.aurorax.closest(1, by=by)


def test_closest_takes_numpy_numbers_and_gives_all_rows_where_there_are_fewer(sample):
    assert len(sample.aurorax.closest(np.int64(100))) == 49


def test_closest_groups_rows_with_a_missing_value_together(sample):
    tagged = sample.assign(kp=[None, 1.0] * 24 + [None])
    assert len(tagged.aurorax.closest(1, by="kp")) == 2


def test_closest_of_events_gives_events(sample):
    events = sample.aurorax.explode_events()
    nearest = events.aurorax.closest(1, by="pair")
    assert nearest["pair"].is_unique
    assert (
        nearest.groupby("pair", observed=True)["min_distance"]
        .min()
        .equals(events.groupby("pair", observed=True)["min_distance"].min())
    )


def test_closest_of_a_summary_is_by_its_pair_column_or_index(sample):
    summary = sample.aurorax.pair_summary()
    assert len(summary.aurorax.closest(1, by="pair")) == len(summary)
    twice = pd.concat([summary.reset_index()] * 2, ignore_index=True)
    assert twice.aurorax.closest(1, by="pair")["pair"].tolist() == list(summary.index)


def test_closest_by_pair_goes_by_sources_where_there_are_no_events(sample, builders):
    bare = sample.drop(columns="events")
    assert bare.aurorax.closest(1, by="pair").index.equals(sample.aurorax.closest(1, by="pair").index)
    assert bare.aurorax.closest(1, by="site").index.equals(sample.aurorax.closest(1, by="site").index)
    three = as_conjunctions([builders.record(sources=(builders.ATHA, builders.GILL, builders.SWARM_A))])
    with pytest.raises(ap.AuroraxInputError, match=r"needs the column\(s\) events"):
        three.drop(columns="events").aurorax.closest(1, by="pair")


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (["pair", "site"], "two ways to name one thing"),
        (pd.Series(["a"], [999]), "a series that lacks labels of the frame's index"),
        ({}, "a mapping that lacks labels of the frame's index"),
        ({0: "a"}, "a mapping that lacks labels of the frame's index"),
        (pd.Grouper(key="min_distance", freq="1D"), "groups no rows of the frame"),
        (pd.Grouper(key="nowhere"), "groups no rows of the frame"),
    ],
)
def test_closest_by_what_groups_nothing_is_refused(sample, by, words):
    with pytest.raises(ap.AuroraxInputError, match=words):
        sample.aurorax.closest(1, by=by)


@pytest.mark.parametrize(
    "by",
    [
        dd.from_pandas(pd.Series(range(49)), npartitions=2),
        dd.from_pandas(pd.Series(range(49)), npartitions=2).to_dask_array(),
        pd.Grouper(key="nowhere", freq="1D"),
        pd.Grouper(freq="1D"),
        [pd.Grouper(key="nowhere", freq="1D")],
        lambda label: label // 0,
    ],
    ids=["series of Dask", "array of Dask", "grouper", "grouper of the index", "groupers", "function"],
)
def test_by_what_has_first_to_be_computed_is_told_in_a_short_line(sample, by):
    with pytest.raises(ap.AuroraxInputError, match=r"^by=") as caught:
        sample.aurorax.closest(1, by=by)
    assert len(str(caught.value)) < 300
    for verb in ("daily_counts", "pair_summary", "deduplicate", "groupby_pair"):
        with pytest.raises(
            ap.AuroraxInputError, match=r"^by=<(Series|Array|TimeGrouper|list|function)> is not valid"
        ) as caught:
            getattr(sample.aurorax, verb)(by=by)
        assert len(str(caught.value)) < 120


def test_by_something_of_dask_says_to_compute_it(sample):
    lazy = dd.from_pandas(sample["start"].dt.hour, npartitions=2)
    for by in (lazy, [lazy], lazy.to_frame()):
        with pytest.raises(
            ap.AuroraxInputError, match=r"of Dask, whose values are not there yet; give its \.compute\(\)"
        ):
            sample.aurorax.closest(1, by=by)
    assert len(sample.aurorax.closest(1, by=lazy.compute())) == 7


INSTANTS = st.integers(-60, 20 * 60).map(lambda s: datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=s))


@given(
    data=st.data(),
    start=st.none() | INSTANTS,
    end=st.none() | INSTANTS,
    near=st.none() | INSTANTS | st.lists(INSTANTS, max_size=5),
    tolerance=st.sampled_from(["0s", "30s", "2min"]),
    max_distance=st.none() | st.integers(0, 5),
)
@pytest.mark.filterwarnings("ignore:filter_closest_epoch")
def test_filter_by_closest_epoch(builders, data, start, end, near, tolerance, max_distance):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    if start is not None and end is not None and start > end:
        start, end = end, start

    def stays(record):
        epoch = record["closest_epoch"] and pd.Timestamp(record["closest_epoch"])
        if epoch is None and (start, end, near) != (None, None, None):
            return False
        times = near if isinstance(near, list) else [near]
        return (
            (start is None or start <= epoch)
            and (end is None or epoch <= end)
            and (near is None or any(abs(epoch - time) <= pd.Timedelta(tolerance) for time in times))
            and (max_distance is None or record["min_distance"] <= max_distance)
        )

    wanted = [number for number, record in enumerate(builders.in_row_order(df, made)) if stays(record)]
    forms = [
        near,
        *([np.array(near, "M8[us]"), pd.Series(near, dtype="M8[us]"), tuple(near)] if isinstance(near, list) else []),
    ]
    for form in forms:
        assert df.aurorax.filter_closest_epoch(start, end, form, tolerance, max_distance).index.tolist() == wanted


def test_filter_bounds_are_inclusive_and_read_as_in_a_search(sample):
    epoch = sample["closest_epoch"].iloc[10]
    assert 10 in sample.aurorax.filter_closest_epoch(epoch, epoch).index
    assert len(sample.aurorax.filter_closest_epoch(end="2020-01-01")) == sample["closest_epoch"].notna().sum()
    aware = epoch.tz_localize("UTC").tz_convert("America/Edmonton")
    assert 10 in sample.aurorax.filter_closest_epoch(aware, aware).index
    assert 10 in sample.aurorax.filter_closest_epoch(near=aware, tolerance="0s").index
    zoned = pd.DatetimeIndex([aware])
    assert 10 in sample.aurorax.filter_closest_epoch(near=zoned, tolerance="0s").index


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_epoch_as_far_from_an_instant_as_is_tolerated_stays(sample, sign):
    row = sample.iloc[[10]]
    near = row["closest_epoch"].iloc[0] + sign * pd.Timedelta("5min")
    beyond = near + sign * pd.Timedelta("1us")
    far = [near - pd.Timedelta("1D"), near + pd.Timedelta("1D")]
    assert len(row.aurorax.filter_closest_epoch(near=near)) == 1
    assert len(row.aurorax.filter_closest_epoch(near=[near, *far])) == 1
    assert len(row.aurorax.filter_closest_epoch(near=[beyond, *far])) == 0


def test_filter_works_on_events(sample):
    events = sample.aurorax.explode_events()
    near = sample["closest_epoch"].iloc[[0]]
    assert len(events.aurorax.filter_closest_epoch(near=near)) == len(sample.aurorax.filter_closest_epoch(near=near))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"start": "2020-01-02", "end": "2020-01-01"}, "swap"),
        ({"start": "noon-ish"}, "start"),
        ({"near": ["2020-01-01", "x"]}, "near"),
        ({"near": "x"}, "near"),
        ({"near": "2020-01-01", "tolerance": "-1min"}, "tolerance"),
        ({"near": "2020-01-01", "tolerance": "soon"}, "tolerance"),
        ({"max_distance": -1}, "max_distance"),
        ({"max_distance": 4e7}, "^max_distance: 40000000 km"),
        ({"max_distance": "500"}, "max_distance"),
    ],
)
def test_filters_that_cannot_be_used_are_refused(sample, arguments, word):
    with pytest.raises(ap.AuroraxInputError, match=word):
        sample.aurorax.filter_closest_epoch(**arguments)


@given(data=st.data(), distance=st.integers(0, 5))
def test_within_asks_all_pairs_or_any(builders, data, distance):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    lists = [[event["min_distance"] <= distance for event in one["events"]] for one in builders.in_row_order(df, made)]
    for how, test in (("all", lambda hits: bool(hits) and all(hits)), ("any", any)):
        wanted = [number for number, hits in enumerate(lists) if test(hits)]
        assert df.aurorax.within(distance, how=how).index.tolist() == wanted


@pytest.mark.parametrize("bad", [-1, "500", None, float("nan"), True])
def test_within_needs_a_distance(sample, bad):
    with pytest.raises(ap.AuroraxInputError, match="distance"):
        sample.aurorax.within(bad)


def test_how_is_any_or_all(sample):
    with pytest.raises(ap.AuroraxInputError, match="'some'"):
        sample.aurorax.within(5, how="some")
    with pytest.raises(ap.AuroraxInputError, match="'some'"):
        sample.aurorax.select_sources(program="swarm", how="some")


@given(
    data=st.data(),
    wanted=st.fixed_dictionaries(
        {},
        optional={
            "program": st.sampled_from(["swarm", "rego", ["themis", "rego"]]),
            "platform": st.sampled_from(["athabasca", ("swarma", "gillam")]),
            "source_type": st.sampled_from(["ground", ["leo", "heo"]]),
            "display_name": st.sampled_from(["Swarm A", ["REGO ATHA", "Swarm B"]]),
        },
    ).filter(bool),
    how=st.sampled_from(["any", "all"]),
)
def test_select_sources(builders, data, wanted, how):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)

    def hit(source):
        return all(source[name] in ([given] if isinstance(given, str) else given) for name, given in wanted.items())

    rows = [
        number
        for number, record in enumerate(builders.in_row_order(df, made))
        if {"any": any, "all": all}[how](map(hit, record["data_sources"]))
    ]
    assert df.aurorax.select_sources(**wanted, how=how).index.tolist() == rows


def test_a_site_is_known_by_name_and_code_and_is_on_the_ground(builders):
    b = builders
    in_orbit = b.source(999, "Gillam-1", "leo", platform="gillam")
    pairs = [(b.ATHA, b.SWARM_A), (b.REGO_ATHA, b.SWARM_A), (b.GILL, b.SWARM_A), (in_orbit, b.SWARM_A)]
    df = as_conjunctions([b.record(number, number, sources=pair) for number, pair in enumerate(pairs)])
    for site, rows in (("athabasca", [0, 1]), ("ATHA", [0, 1]), ("gillam", [2]), (["GILL", "athabasca"], [0, 1, 2])):
        assert df.aurorax.select_sources(site=site).index.tolist() == rows


@pytest.mark.parametrize(
    ("wanted", "count"),
    [({"site": "gill"}, 5), ({"site": "Gillam"}, 5), ({"program": "Swarm"}, 49), ({"display_name": "swarm b"}, 8)],
)
def test_names_of_sources_may_be_in_any_case(sample, wanted, count):
    assert len(sample.aurorax.select_sources(**wanted)) == count


@pytest.mark.filterwarnings("ignore:.*no source that is known here")
@pytest.mark.filterwarnings("ignore:.* data source:aurorax_pandas.AuroraxDataWarning")
def test_a_source_that_says_nothing_is_not_selected(builders):
    bare = {"identifier": 7}
    df = as_conjunctions([builders.record(sources=(bare, {}), events=[])])
    for name in ("program", "platform", "source_type", "display_name", "site"):
        for how in ("any", "all"):
            assert df.aurorax.select_sources(**{name: "ground"}, how=how).empty


@pytest.mark.parametrize("arguments", [{}, {"program": 5}, {"site": []}, {"platform": ["swarma", None]}])
def test_select_sources_needs_names(sample, arguments):
    with pytest.raises(ap.AuroraxInputError):
        sample.aurorax.select_sources(**arguments)


def identity(record):
    sources = sorted((source["identifier"], source["display_name"]) for source in record["data_sources"])
    return record["conjunction_type"], sources, record["start"], record["end"]


@given(data=st.data())
def test_deduplicate_by_source_keeps_the_first_of_each(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    positions = data.draw(st.lists(st.integers(0, len(df) - 1), max_size=12)) if len(df) else []
    repeated = df.iloc[positions].assign(position=range(len(positions)))
    seen, wanted = [], []
    for position, record in enumerate(builders.in_row_order(repeated, made)):
        if identity(record) not in seen:
            seen.append(identity(record))
            wanted.append(position)
    assert repeated.aurorax.deduplicate()["position"].tolist() == wanted


def overlapping(rows):
    """Join rows whose spans overlap, directly or through others."""
    clusters = []
    for row in rows:
        touching = [
            one
            for one in clusters
            if any(row[1]["start"] <= other["end"] and other["start"] <= row[1]["end"] for _, other in one)
        ]
        clusters = [one for one in clusters if one not in touching] + [[row, *itertools.chain(*touching)]]
    return clusters


@given(data=st.data())
def test_deduplicate_by_site_keeps_the_closest_of_overlapping_rows(builders, data):
    pool = (builders.ATHA, builders.REGO_ATHA, builders.GILL)
    made = [
        {**one, "data_sources": [data.draw(st.sampled_from(pool)), builders.SWARM_A], "max_distance": 1000.0 + number}
        for number, one in enumerate(data.draw(st.lists(builders.records(), max_size=10)))
    ]
    df = as_conjunctions(made)
    rows = list(enumerate(builders.in_row_order(df, made)))
    wanted = []
    for kind in ("nbtrace", "sbtrace"):
        for site in ("athabasca", "gillam"):
            alike = [
                row for row in rows
                if row[1]["conjunction_type"] == kind and row[1]["data_sources"][0]["platform"] == site
            ]  # fmt: skip
            wanted.extend(
                min(cluster, key=lambda row: (row[1]["min_distance"], row[1]["start"], row[0]))[0]
                for cluster in overlapping(alike)
            )
    assert df.aurorax.deduplicate("site").index.tolist() == sorted(wanted)


def test_two_cameras_of_a_site_in_one_conjunction_are_one(builders):
    b = builders
    df = as_conjunctions(
        [
            b.record(0, 2, sources=(b.ATHA, b.REGO_ATHA, b.SWARM_A), low=120.0),
            b.record(1, 3, sources=(b.ATHA, b.SWARM_A), low=110.0),
        ]
    )
    assert df.aurorax.deduplicate("site").index.tolist() == [1]
    assert df.aurorax.deduplicate().index.tolist() == [0, 1]


def test_deduplicate_undoes_a_concat(sample):
    assert_conjunctions_equal(pd.concat([sample, sample]).aurorax.deduplicate(), sample)


def test_deduplicate_is_by_source_or_site(sample):
    with pytest.raises(ap.AuroraxInputError, match="'pair'"):
        sample.aurorax.deduplicate("pair")


@pytest.mark.parametrize(
    "change", [{"identifier": None}, {"identifier": None, "display_name": "(1, 2)"}, {"identifier": 7}]
)
def test_sources_are_told_apart_by_identifier_and_by_name(builders, change):
    named = {**builders.ATHA, "identifier": None, "display_name": "(56, -94)"}
    for one, other in (
        (builders.ATHA, {**builders.ATHA, **change}),
        (named, {**named, **change, "display_name": "(1, 2)"}),
    ):
        made = [builders.record(sources=(source, builders.SWARM_A)) for source in (one, other, one)]
        assert len(as_conjunctions(made).aurorax.deduplicate()) == 2
        assert len(ap.stitch(as_conjunctions(made))) == 2


@pytest.mark.parametrize(
    ("word", "value"),
    [("program", "swarm"), ("platform", "swarma"), ("instrument_type", "footprint"), ("source_type", "leo"),
     ("display_name", "Swarm A"), ("site", "GILL")],
)  # fmt: skip
def test_sources_are_chosen_by_either_word_one_name_or_several(sample, word, value):
    kept = sample.aurorax.select_sources(**{word: value})
    assert 0 < len(kept) <= len(sample)
    for other in ({word: [value]}, {f"{word}s": value}, {f"{word}s": (value,)}):
        assert sample.aurorax.select_sources(**other).index.equals(kept.index)
    with pytest.raises(ap.AuroraxInputError, match=f"{word}s= and {word}= mean one thing"):
        sample.aurorax.select_sources(**{word: value, f"{word}s": value})


def test_a_misspelt_word_names_the_right_one(sample):
    with pytest.raises(ap.AuroraxInputError, match="takes no progams=; did you mean 'programs'"):
        sample.aurorax.select_sources(progams="swarm")
    with pytest.raises(ap.AuroraxInputError, match="display_names="):
        sample.aurorax.select_sources(identifier=3)
    dd = pytest.importorskip("dask.dataframe")
    with pytest.raises(ap.AuroraxInputError, match="takes no progams=; did you mean 'programs'"):
        dd.from_pandas(sample, npartitions=2).aurorax.select_sources(progams="swarm")


def test_sources_of_one_name_and_three_numbers_are_three(builders):
    sources = [builders.source(number, "MY CAMERA", "ground", "mine") for number in (7, 8, 9)]
    df = as_conjunctions([builders.record(sources=(one, builders.SWARM_A)) for one in (*sources, sources[1])])
    kept = df.aurorax.deduplicate()
    assert sorted(cell["identifier"].tolist()[0] for cell in kept["data_sources"]) == [7, 8, 9]


def test_rows_without_a_closest_epoch_are_told_where_a_bound_leaves_them_out(sample):
    some = sample.copy()
    some.loc[:3, "closest_epoch"] = pd.NaT
    with pytest.warns(ap.AuroraxDataWarning, match="4 of 49 rows have no closest epoch") as caught:
        found = some.aurorax.filter_closest_epoch(near="2020-01-01T03:00", tolerance="4h")
    assert len(found) == 45
    assert [each.filename for each in caught] == [__file__]
    assert len(some.aurorax.filter_closest_epoch(max_distance=1000)) == 49
