import copy
import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas.query.query import Query, describe_query

GROUND = {"programs": ["themis-asi"]}
SPACE = {"programs": ["swarm"]}


def build_query(*arguments, **keywords):
    return Query.from_arguments(*arguments, **keywords).payload


def parse_query(query):
    return Query.parse(query).payload


def query(start="2020-01-01", end="2020-01-01T06:59:59", distance=500, **changes):
    blocks = {"ground": [GROUND], "space": [SPACE]} | changes
    return build_query(start, end, distance, **blocks)


def web_query(**changes):
    made = {
        "start": "2020-01-01T00:00:00.000Z",
        "end": "2020-01-01T06:59:59.000Z",
        "ground": [
            {"programs": ["themis-asi"], "platforms": [], "instrument_types": [], "ephemeris_metadata_filters": None}
        ],
        "space": [
            {
                "programs": ["swarm"],
                "platforms": [],
                "instrument_types": [],
                "hemisphere": [],
                "ephemeris_metadata_filters": {"logical_operator": "AND", "expressions": []},
            }
        ],
        "events": [],
        "adhoc": [],
        "conjunction_types": ["nbtrace"],
        "max_distances": {"ground1-space1": 500},
        "epoch_search_precision": 60,
        "request_id": "8d69dfe3-b865-4507-a0b2-d44c342b5857",
    }
    return made | changes


def test_notebook_searches_become_queries_with_the_blocks_as_given(notebook_search):
    arguments, expected = notebook_search
    made = build_query(**arguments)
    assert made == expected
    assert list(made) == ["start", "end", "ground", "space", "events", "adhoc", "conjunction_types", "max_distances"]


def test_classes_and_dicts_make_the_same_query(notebook_search):
    arguments, expected = notebook_search
    kinds = {"ground": ap.GroundCriteriaBlock, "space": ap.SpaceCriteriaBlock}
    renamed = {"ephemeris_metadata_filters": "metadata_filters"}
    classes = {
        name: [kind(**{renamed.get(key, key): value for key, value in block.items()}) for block in arguments[name]]
        for name, kind in kinds.items()
        if name in arguments
    }
    assert build_query(**arguments | classes) == expected


def test_filter_classes_make_the_filter_of_the_dicts():
    polar = ap.MetadataFilterExpression("nbtrace_region", ["north polar cap"], "in")
    block = ap.SpaceCriteriaBlock("swarm", metadata_filters=ap.MetadataFilter([polar], "or"))
    assert block.to_query() == {
        "programs": ["swarm"],
        "ephemeris_metadata_filters": {
            "logical_operator": "OR",
            "expressions": [{"key": "nbtrace_region", "operator": "in", "values": ["north polar cap"]}],
        },
    }


POLAR = {"key": "nbtrace_region", "operator": "=", "values": ["north polar cap"]}


@pytest.mark.parametrize(
    "given",
    [
        {"nbtrace_region": "north polar cap"},
        {"key": "nbtrace_region", "values": "north polar cap"},
        [{"key": "nbtrace_region", "values": "north polar cap"}],
        ap.MetadataFilterExpression("nbtrace_region", "north polar cap"),
        [ap.MetadataFilterExpression("nbtrace_region", "north polar cap")],
    ],
)
def test_a_filter_may_be_given_short(given):
    sent = ap.SpaceCriteriaBlock("swarm", metadata_filters=given).to_query()["ephemeris_metadata_filters"]
    assert sent == {"logical_operator": "AND", "expressions": [POLAR]}


def test_a_short_filter_joins_its_keys_and_takes_any_of_several_values():
    block = ap.SpaceCriteriaBlock(metadata_filters={"nbtrace_region": ["north polar cap", "north cusp"], "kp": 3})
    expressions = block.to_query()["ephemeris_metadata_filters"]["expressions"]
    assert [(one["key"], one["operator"], one["values"]) for one in expressions] == [
        ("nbtrace_region", "in", ["north polar cap", "north cusp"]),
        ("kp", "=", ["3"]),
    ]


@pytest.mark.parametrize("key", ["ephemeris_metadata_filters", "metadata_filters"])
def test_filter_in_a_dict_block_is_sent_under_either_name(key):
    polar = {"expressions": [{"key": "nbtrace_region", "values": "north polar cap"}]}
    sent = query(space=[{"programs": ["swarm"], key: polar}])["space"][0]["ephemeris_metadata_filters"]
    assert sent["expressions"] == [{"key": "nbtrace_region", "operator": "=", "values": ["north polar cap"]}]


@pytest.mark.parametrize(
    "given_blocks",
    [
        (GROUND, {"programs": ["rego"]}),
        [ap.GroundCriteriaBlock("themis-asi"), {"programs": ("rego",)}],
        (GROUND, ap.GroundCriteriaBlock(programs=np.array(["rego"]))),
        [{"programs": "themis-asi"}, {"programs": pd.Index(["rego"])}],
        np.array([GROUND, {"programs": ["rego"]}], dtype=object),
    ],
)
def test_blocks_come_in_any_sequence_mixed_at_will(given_blocks):
    assert query(ground=given_blocks)["ground"] == [{"programs": ["themis-asi"]}, {"programs": ["rego"]}]


def test_one_block_needs_no_list():
    assert query(ground=GROUND, space=ap.SpaceCriteriaBlock("swarm")) == query()


def test_numpy_values_are_sent_as_plain_json():
    made = build_query(
        np.datetime64("2020-01-01"),
        np.datetime64("2020-01-01T06:59:59"),
        np.float64(500),
        ground={"programs": np.array(["themis-asi"])},
        custom_locations={"locations": [(np.float32(51.0), np.float64(-114.0)), {"lat": np.int64(10), "lon": 20}]},
        conjunction_types=np.array(["nbtrace", "sbtrace"]),
    )
    assert json.loads(json.dumps(made)) == made
    assert made["max_distances"]["ground1-adhoc1"] == 500
    assert made["conjunction_types"] == ["nbtrace", "sbtrace"]


def test_custom_locations_go_out_as_adhoc():
    block = ap.CustomLocationsCriteriaBlock([(51.05, -114.07), {"lat": -10, "lon": 180}])
    made = query(ground=(), custom_locations=block)
    assert made["adhoc"] == [{"locations": [{"lat": 51.05, "lon": -114.07}, {"lat": -10.0, "lon": 180.0}]}]
    assert made["max_distances"] == {"space1-adhoc1": 500}


def test_one_place_alone_is_one_location():
    assert ap.CustomLocationsCriteriaBlock((51.05, -114.07)).locations == ((51.05, -114.07),)


@pytest.mark.parametrize(
    "given",
    [
        (np.int64(51), np.int64(-114)),
        [51, -114.0],
        np.array([51, -114]),
        np.array([51, -114], np.float32),
        pd.Series([51, -114]),
        pd.Series({"lon": -114, "lat": 51}),
        [pd.Series({"lon": -114, "lat": 51})],
        np.array([[51, -114]]),
        {"lat": np.float32(51), "lon": -114},
    ],
)
def test_a_place_is_any_pair_of_numbers(given):
    assert ap.CustomLocationsCriteriaBlock(given).locations == ((51.0, -114.0),)


@pytest.mark.parametrize(
    "bad",
    [
        ["51"],
        [(True, False)],
        (True, False),
        [("51", "-114")],
        {"lat": 51, "lon": -114, "alt": 2},
        {"latt": 51, "lon": -114},
        pd.Series({"lon": -114, "lat": 51, "alt": 2}),
        [(10**400, 5)],
        [(pd.NA, 5)],
        {51.0, -114.0},
        frozenset({51.0, -114.0}),
        np.array(51),
        b"51",
    ],
)
def test_what_is_no_place_is_refused(bad):
    with pytest.raises(ap.AuroraxInputError, match="locations"):
        ap.CustomLocationsCriteriaBlock(bad)


def test_a_series_is_a_list():
    made = query(
        ground={"programs": pd.Series(["themis-asi"])},
        space={"programs": pd.Series(["swarm"], index=["b"]), "hemisphere": pd.Series(["northern"])},
        conjunction_types=pd.Series(["nbtrace", "sbtrace"]),
    )
    assert made["space"] == [{"programs": ["swarm"], "hemisphere": ["northern"]}]
    assert made["conjunction_types"] == ["nbtrace", "sbtrace"]


@pytest.mark.parametrize(
    "bad", [None, float("nan"), np.nan, pd.NA, np.datetime64("NaT", "us"), {"a": 1}, b"x", [["x"]]]
)
def test_a_value_of_a_filter_that_says_nothing_is_refused(bad):
    with pytest.raises(ap.AuroraxInputError, match="values of 'kp'"):
        ap.MetadataFilterExpression("kp", [bad], "in")
    with pytest.raises(ap.AuroraxInputError, match="'kp'"):
        query(space={"programs": "swarm", "metadata_filters": {"kp": (value for value in [bad])}})


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("nothing", [None, {"logical_operator": "AND", "expressions": []}, []])
def test_of_the_two_names_of_a_filter_the_one_with_a_filter_counts(order, nothing):
    block = {"metadata_filters": {"nbtrace_region": "north polar cap"}, "ephemeris_metadata_filters": nothing}
    sent = query(space=dict(list(block.items())[::order]))["space"][0]
    assert sent["ephemeris_metadata_filters"]["expressions"] == [POLAR]


def test_two_filters_that_differ_are_refused():
    same = {"metadata_filters": {"nbtrace_region": "north polar cap"}, "ephemeris_metadata_filters": POLAR}
    assert query(space=same)["space"][0]["ephemeris_metadata_filters"]["expressions"] == [POLAR]
    with pytest.raises(ap.AuroraxInputError, match="differ"):
        query(space=same | {"metadata_filters": {"nbtrace_region": "north cusp"}})


def test_events_block_always_has_its_program():
    made = query(ground=(), events={"instrument_types": ["substorm onset"]})
    assert made["events"] == [{"programs": ["events"], "instrument_types": ["substorm onset"]}]
    with pytest.raises(ap.AuroraxInputError, match="events"):
        ap.EventsCriteriaBlock(programs=["swarm"])


def test_a_pair_of_one_distance_is_filled_in_for_all_pairs():
    distances = query(ground=[GROUND, GROUND], space=[SPACE, SPACE], distance=300.5)["max_distances"]
    assert distances == dict.fromkeys(
        ["ground1-ground2", "ground1-space1", "ground1-space2", "ground2-space1", "ground2-space2", "space1-space2"],
        300.5,
    )


@pytest.mark.parametrize("key", ["ground1-space1", "space1-ground1", " ground1 - space1 "])
def test_a_distance_pair_is_read_in_either_order_and_missing_pairs_mean_no_limit(key):
    distances = query(ground=[GROUND, GROUND], distance={key: np.int64(500)})["max_distances"]
    assert distances == {"ground1-ground2": None, "ground1-space1": 500, "ground2-space1": None}


def test_block_numbers_are_not_matched_by_substring():
    blocks = [GROUND] * 9
    distances = query(ground=blocks, distance={"ground1-space1": 500})["max_distances"]
    assert [pair for pair, value in distances.items() if value is not None] == ["ground1-space1"]
    with pytest.raises(ap.AuroraxInputError, match="ground10-space1"):
        query(ground=blocks, distance={"ground10-space1": 500})


@pytest.mark.parametrize(
    ("key", "meant"),
    [("ground1-spcae1", "ground1-space1"), ("Ground1-Space1 x", "ground1-space1"), ("ground-space1", "ground1-space1")],
)
def test_misspelt_distance_key_is_refused_with_a_suggestion(key, meant):
    with pytest.raises(ap.AuroraxInputError) as caught:
        query(distance={key: 500})
    assert repr(key) in str(caught.value)
    assert meant in str(caught.value)


def test_a_pair_given_twice_is_refused():
    with pytest.raises(ap.AuroraxInputError, match="twice"):
        query(distance={"ground1-space1": 500, "space1-ground1": 400})


@pytest.mark.parametrize(
    "bad", [-1, -0.001, float("nan"), float("inf"), True, "500", [500], np.nan, object(), np.True_]
)
@pytest.mark.parametrize("as_pair", [False, True])
def test_what_is_no_distance_is_refused(bad, as_pair):
    with pytest.raises(ap.AuroraxInputError, match="distance"):
        query(distance={"ground1-space1": bad} if as_pair else bad)


@pytest.mark.parametrize("metres", [500_000, 40_031, 1e9])
def test_a_distance_in_metres_is_refused_wherever_one_is_read(sample, metres):
    says = rf"distance.*: {metres:.12g} km is farther than .* 40030 km; distances are in \[km\]: give {metres / 1000:.12g} "
    blocks = {"ground": GROUND, "space": SPACE}
    sky, of_unknown_origin = ap.load_sample_ephemeris(), sample.copy(deep=False)
    of_unknown_origin.attrs = {}
    for call in (
        lambda: query(distance=metres),
        lambda: query(distance={"ground1-space1": metres}),
        lambda: ap.read_aurorax_conjunctions("2020-01-01", "2020-01-02", metres, **blocks),
        lambda: ap.read_aurorax_conjunctions(query={**query(), "max_distances": {"ground1-space1": metres}}),
        lambda: ap.ConjunctionSearch("2020-01-01", "2020-01-02", metres, **blocks),
        lambda: ap.find_conjunctions(sky, distance=metres, **blocks),
        lambda: sample.aurorax.within(metres),
        lambda: sample.aurorax.filter_closest_epoch(max_distance=metres),
        lambda: of_unknown_origin.aurorax.refine(sky, metres),
    ):
        with pytest.raises(ap.AuroraxInputError, match=says):
            call()


def test_any_distance_around_the_earth_and_what_the_service_tells_is_taken(sample):
    for farthest in (20_016, 30_000, 40_030):
        assert query(distance=farthest)["max_distances"] == {"ground1-space1": farthest}
        assert len(sample.aurorax.within(farthest)) == len(sample)
    told = {**query(), "max_distances": {"ground1-space1": 500_000}}
    assert parse_query(told)["max_distances"] == {"ground1-space1": 500_000}


@pytest.mark.parametrize(
    "bad",
    [
        10**400,
        pytest.param(10**5000, id="huge"),
        b"5",
        bytearray(b"5"),
        np.bytes_(b"5"),
        np.array(5).view("m8")[()],
        pd.NA,
        np.array([5.0]),
        pd.Series([5.0]),
    ],
)
@pytest.mark.parametrize("as_pair", [False, True])
def test_what_only_looks_like_a_distance_is_refused(bad, as_pair):
    with pytest.raises(ap.AuroraxInputError, match="distance"):
        query(distance={"ground1-space1": bad} if as_pair else bad)


@pytest.mark.parametrize("given", [500, np.int64(500), np.float32(500), np.array(500), decimal.Decimal(500)])
def test_any_number_is_a_distance(given):
    assert query(distance=given)["max_distances"] == {"ground1-space1": 500}


def test_zero_is_a_distance():
    assert query(distance=0)["max_distances"] == {"ground1-space1": 0}


@pytest.mark.parametrize("argument", ["start", "end", "distance"])
def test_a_missing_argument_is_named(argument):
    given_arguments = {"start": "2020-01-01", "end": "2020-01-02", "distance": 5} | {argument: None}
    with pytest.raises(ap.AuroraxInputError, match=argument):
        build_query(**given_arguments, ground=GROUND, space=SPACE)


@pytest.mark.parametrize(
    "blocks",
    [
        {},
        {"ground": [GROUND]},
        {"space": [SPACE]},
        {"ground": [GROUND] * 6, "space": [SPACE] * 5},
    ],
)
def test_fewer_than_two_or_more_than_ten_blocks_are_refused(blocks):
    with pytest.raises(ap.AuroraxInputError, match="2 to 10"):
        build_query("2020-01-01", "2020-01-02", 500, **blocks)


def test_ten_blocks_are_allowed():
    made = build_query("2020-01-01", "2020-01-02", 500, ground=[GROUND] * 5, space=[SPACE] * 5)
    assert len(made["max_distances"]) == 45


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ground": [{"program": ["themis-asi"]}]}, ["ground", "'program'", "'programs'"]),
        ({"ground": [{"hemisphere": ["northern"]}]}, ["ground", "'hemisphere'"]),
        ({"space": [{"programs": [5]}]}, ["programs", "5"]),
        ({"space": [{"programs": [""]}]}, ["programs"]),
        ({"space": [{"hemisphere": ["nothern"]}]}, ["hemisphere", "'nothern'", "'northern'"]),
        ({"space": ["swarm"]}, ["space", "'swarm'"]),
        ({"space": [ap.GroundCriteriaBlock("swarm")]}, ["space"]),
        ({"conjunction_types": "nbtraces"}, ["conjunction_types", "'nbtraces'", "'nbtrace'"]),
        ({"conjunction_types": ()}, ["conjunction_types"]),
        ({"conjunction_types": [None]}, ["conjunction_types"]),
        ({"conjunction_types": pd.NA}, ["conjunction_types", "<NA>"]),
        ({"conjunction_types": np.array([["nbtrace"]])}, ["conjunction_types"]),
        ({"space": [{"hemisphere": pd.NA}]}, ["hemisphere", "<NA>"]),
        ({"space": [{"programs": np.array([["swarm", "themis"]])}]}, ["programs"]),
        ({"space": [{"metadata_filters": {"key": "a", "operator": pd.NA, "values": "x"}}]}, ["operator", "<NA>"]),
        ({"subminute_precision": 30}, ["subminute_precision", "30"]),
        ({"custom_locations": [(51.05, -114.07)]}, ["custom_locations", "51.05"]),
        ({"custom_locations": {"locations": []}}, ["locations"]),
        ({"custom_locations": {"locations": [(91, 0)]}}, ["locations", "91"]),
        ({"custom_locations": {"locations": [(0, -180.5)]}}, ["locations", "-180.5"]),
        ({"custom_locations": {"locations": [(float("nan"), 0)]}}, ["locations"]),
        ({"custom_locations": {"locations": [(1, 2, 3)]}}, ["locations"]),
        ({"custom_locations": {"locations": [{"lat": 1}]}}, ["locations"]),
        ({"space": [{"metadata_filters": {"expressions": [{"values": ["x"]}]}}]}, ["key"]),
        ({"space": [{"metadata_filters": {"logical_operator": "AND", "expression": [POLAR]}}]}, ["'expression'", "did you mean"]),
        ({"space": [{"metadata_filters": {"expression": [POLAR]}}]}, ["'expression'"]),
        ({"space": [{"metadata_filters": {"nbtrace_region": None}}]}, ["'nbtrace_region'"]),
        ({"space": [{"metadata_filters": {"logical_operator": "XOR", "expressions": [{"key": "a", "values": "x"}]}}]}, ["XOR"]),
        ({"space": [{"metadata_filters": {"expressions": [{"key": "a", "operator": "==", "values": "x"}]}}]}, ["'=='"]),
        ({"space": [{"metadata_filters": {"expressions": [{"key": "a", "operator": "between", "values": ["x"]}]}}]}, ["between"]),
        ({"space": [{"metadata_filters": {"expressions": [{"key": "a", "values": []}]}}]}, ["values"]),
    ],
)  # fmt: skip
def test_bad_blocks_are_refused_by_argument_value_and_fix(changes, words):
    with pytest.raises(ap.AuroraxInputError) as caught:
        query(**changes)
    for word in words:
        assert word in str(caught.value)


def test_every_refusal_is_a_value_error():
    with pytest.raises(ValueError, match="distance"):
        query(distance=-1)


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">=", "in", "not in", "between"])
def test_every_operator_of_the_service_is_taken(operator):
    values = ("1", "2") if operator == "between" else ("1",)
    sent = ap.MetadataFilterExpression("radial_distance", values, operator).to_query()
    assert sent == {"key": "radial_distance", "operator": operator, "values": list(values)}


def test_filter_values_are_sent_as_text():
    assert ap.MetadataFilterExpression("radial_distance", [np.float64(6.5), 7], "between").to_query()["values"] == [
        "6.5",
        "7",
    ]


def test_start_after_end_is_refused():
    with pytest.raises(ap.AuroraxInputError, match="swap"):
        query(start="2020-01-02", end="2020-01-01T00:00:00")


def test_start_and_end_may_be_equal():
    made = query(start="2020-01-01T05:00:00", end="2020-01-01T05:00:00")
    assert made["start"] == made["end"] == "2020-01-01T05:00:00"


@pytest.mark.parametrize(
    ("end", "sent"),
    [
        ("2020-01-01", "2020-01-01T23:59:59"),
        ("2020-02", "2020-02-29T23:59:59"),
        ("2020", "2020-12-31T23:59:59"),
        ("20200101", "2020-01-01T23:59:59"),
        ("1 Jan 2020", "2020-01-01T23:59:59"),
        ("2020-01-01T00:00:00", "2020-01-01T00:00:00"),
        ("2020-01-01 00:00", "2020-01-01T00:00:00"),
        ("2020-01-01T12", "2020-01-01T12:00:00"),
        (pd.Timestamp("2020-01-01"), "2020-01-01T00:00:00"),
        (datetime.datetime(2020, 1, 1), "2020-01-01T00:00:00"),
        (np.datetime64("2020-01-01T00", "h"), "2020-01-01T00:00:00"),
        (np.datetime64("2020-01-01", "us"), "2020-01-01T00:00:00"),
        (datetime.date(2020, 1, 1), "2020-01-01T23:59:59"),
        (np.datetime64("2020-01-01"), "2020-01-01T23:59:59"),
        (np.datetime64("2020-02"), "2020-02-29T23:59:59"),
        (np.datetime64("2020"), "2020-12-31T23:59:59"),
        (np.datetime64("2020-01-02", "W"), "2020-01-08T23:59:59"),
        (pd.Period("2020-01-01"), "2020-01-01T23:59:59"),
        (pd.Period("2020-02"), "2020-02-29T23:59:59"),
        (pd.Period("2020Q1"), "2020-03-31T23:59:59"),
        (pd.Period("2020-01-01T05", "h"), "2020-01-01T05:59:59"),
        (pd.Period("2020-01-01T05:00:00.250", "ms"), "2020-01-01T05:00:00"),
    ],
)
def test_a_whole_day_month_or_year_as_end_means_its_last_second(end, sent):
    assert query(start="2019-12-01", end=end)["end"] == sent


@pytest.mark.parametrize(
    "start",
    [
        "2020-01-01",
        "2020-01",
        "2020",
        datetime.date(2020, 1, 1),
        np.datetime64("2020-01"),
        pd.Period("2020-01-01"),
        pd.Period("2020Q1"),
    ],
)
def test_a_whole_day_month_or_year_as_start_means_its_first_second(start):
    assert query(start=start, end="2021")["start"] == "2020-01-01T00:00:00"


@pytest.mark.parametrize("bad", [20200102, 0, 1577836800.0, np.int64(5), np.float32(5), True])
@pytest.mark.parametrize("argument", ["start", "end"])
def test_a_number_is_no_instant(argument, bad):
    with pytest.raises(ap.AuroraxInputError, match=argument):
        query(**{argument: bad})


def test_fractions_never_widen_the_window():
    made = query(start="2020-01-01T00:00:00.5", end="2020-01-01T00:00:02.9")
    assert (made["start"], made["end"]) == ("2020-01-01T00:00:01", "2020-01-01T00:00:02")


@pytest.mark.parametrize(
    "bad", ["", "yesterdayish", "2020-13-01", np.datetime64(2**60, "Y"), pd.NaT, float("nan"), [], {}, object(), "NaT"]
)
@pytest.mark.parametrize("argument", ["start", "end"])
def test_what_is_no_instant_is_refused(argument, bad):
    with pytest.raises(ap.AuroraxInputError, match=argument):
        query(**{argument: bad})


@given(
    st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    st.integers(-14 * 60, 14 * 60),
)
def test_aware_times_are_converted_to_utc(naive, offset):
    aware = naive.replace(tzinfo=datetime.timezone(datetime.timedelta(minutes=offset)))
    utc = (naive - datetime.timedelta(minutes=offset)).isoformat()
    for form in (aware, pd.Timestamp(aware), aware.isoformat()):
        made = query(start=form, end=form)
        assert made["start"] == made["end"] == utc


def test_a_zone_with_summer_time_is_converted():
    assert query(start=pd.Timestamp("2020-07-01", tz="America/Edmonton"), end="2021")["start"] == "2020-07-01T06:00:00"


def test_conjunction_types_are_sent_once_each_in_the_order_given():
    assert query(conjunction_types=["sbtrace", "nbtrace", "sbtrace"])["conjunction_types"] == ["sbtrace", "nbtrace"]


@pytest.mark.parametrize("flag", [True, False])
def test_subminute_precision_is_sent_only_where_asked_for(flag):
    assert query(subminute_precision=flag)["subminute_precision"] is flag
    assert not {"subminute_precision", "epoch_search_precision"} & query().keys()


def test_searches_share_no_state_with_each_other_or_with_their_arguments():
    expressions = [{"key": "nbtrace_region", "operator": "=", "values": ["north polar cap"]}]
    space = [{"programs": ["swarm"], "metadata_filters": {"logical_operator": "AND", "expressions": expressions}}]
    before = copy.deepcopy(space)
    first, second = query(space=space), query(space=space)
    first["ground"][0]["programs"].append("rego")
    first["space"][0]["ephemeris_metadata_filters"]["expressions"][0]["values"].append("x")
    first["max_distances"]["ground1-space1"] = 1
    assert space == before
    assert second == query(space=before)
    expressions[0]["values"].append("y")
    space.append(SPACE)
    assert second == query(space=before)


def test_blocks_are_frozen():
    block = ap.GroundCriteriaBlock("themis-asi")
    with pytest.raises(AttributeError):
        block.programs = ("rego",)
    assert hash(block) == hash(ap.GroundCriteriaBlock(["themis-asi"]))


@pytest.mark.parametrize("stop", ["Z", "", ".000Z", ".000", "+00:00"])
def test_pasted_web_query_is_read_with_and_without_zone(stop):
    assert parse_query(web_query(start=f"2020-01-01T00:00:00{stop}", end=f"2020-01-01T06:59:59{stop}")) == query()


def test_pasted_query_is_read_as_dict_text_and_file(tmp_path):
    file = tmp_path / "query.json"
    file.write_text(json.dumps(web_query()), encoding="utf-8")
    assert parse_query(web_query()) == query()
    assert parse_query("\n " + json.dumps(web_query(), indent=2)) == query()
    assert parse_query(file) == query()
    assert parse_query(str(file)) == query()


def test_a_byte_order_mark_before_a_query_is_read_over(tmp_path):
    file = tmp_path / "query.json"
    file.write_text(json.dumps(web_query()), encoding="utf-8-sig")
    assert parse_query(file) == query()
    assert parse_query("\ufeff" + json.dumps(web_query())) == query()


@pytest.mark.parametrize(
    ("given_distances", "ground_pair"),
    [({}, 0), ({"ground1-ground2": None}, None), ({"ground2-ground1": 300}, 300), ({"ground1 - ground2": 300}, 300)],
)
def test_a_pair_of_ground_blocks_that_a_pasted_query_leaves_out_is_zero(given_distances, ground_pair):
    ground = [{"programs": ["themis-asi"]}, {"programs": ["rego"]}]
    limits = {"ground1-space1": 500, **given_distances}
    distances = parse_query(web_query(ground=ground, max_distances=limits))["max_distances"]
    assert distances == {"ground1-ground2": ground_pair, "ground1-space1": 500, "ground2-space1": None}


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_a_pasted_query_without_types_is_of_the_default(nothing):
    assert parse_query(web_query(conjunction_types=nothing))["conjunction_types"] == ["nbtrace"]


def test_pasted_query_keeps_null_distances():
    assert parse_query(web_query(max_distances={"ground1-space1": None}))["max_distances"] == {"ground1-space1": None}


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        ({"epoch_search_precision": 60}, None),
        ({"epoch_search_precision": 30}, True),
        ({"epoch_search_precision": None, "subminute_precision": True}, True),
        ({"epoch_search_precision": None, "subminute_precision": False}, False),
    ],
)
def test_pasted_query_with_either_precision_key(keys, sent):
    assert parse_query(web_query(**keys)).get("subminute_precision") is sent


def test_what_we_build_can_be_pasted(notebook_search):
    arguments, expected = notebook_search
    assert parse_query(build_query(**arguments)) == expected


def test_pasted_query_is_not_changed():
    pasted = web_query()
    before = copy.deepcopy(pasted)
    parse_query(pasted)
    assert pasted == before


@pytest.mark.parametrize(
    ("pasted", "word"),
    [
        ("{not json", "JSON"),
        ("no such file.json", "no such file"),
        ("", "neither"),
        (5, "5"),
        (web_query(max_distances=None), "max_distances"),
        (web_query(start=None), "start"),
        (web_query(epoch_search_precision=45), "45"),
        (web_query(epoch_search_precision=True), "epoch_search_precision"),
        (web_query(epoch_search_precision=pd.NA), "epoch_search_precision"),
        (web_query(epoch_search_precision=30, subminute_precision=False), "contradict"),
        (web_query(conjunction_types=0), "conjunction_types"),
        (web_query(conjunction_types=False), "conjunction_types"),
        (web_query(maxdistances={}), "max_distances"),
        (web_query(space=[]), "2 to 10"),
        (web_query(max_distances=[]), "distance"),
        (web_query(max_distances="500"), "distance"),
        (web_query(ground="themis-asi"), "ground"),
        (web_query(adhoc=[{"locations": None}]), "locations"),
    ],
)
def test_a_pasted_query_that_cannot_be_sent_is_refused(pasted, word):
    with pytest.raises(ap.AuroraxInputError, match=word):
        parse_query(pasted)


def test_a_file_with_an_array_is_refused(tmp_path):
    (tmp_path / "query.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ap.AuroraxInputError, match="object"):
        parse_query(tmp_path / "query.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from(sorted(web_query())), value=JSON)
def test_a_damaged_query_is_read_or_refused_and_never_crashes(key, value):
    try:
        made = parse_query(web_query(**{key: value}))
    except ap.AuroraxInputError:
        return
    assert json.loads(json.dumps(made, allow_nan=False)) == made


@pytest.mark.parametrize("types", ["nbtrace", ["nbtrace"], np.array(["nbtrace"]), "sbtrace"])
def test_types_beside_a_finished_query_are_refused(types):
    pasted = web_query(conjunction_types=["sbtrace"])
    with pytest.raises(ap.AuroraxInputError, match=r"exactly one of.*given: conjunction_types, query"):
        build_query(query=pasted, conjunction_types=types)
    for types_of_the_reader in (types, ("nbtrace",)):
        with pytest.raises(ap.AuroraxInputError, match=r"given: conjunction_types, query"):
            ap.read_aurorax_conjunctions(query=pasted, conjunction_types=types_of_the_reader)


def test_a_finished_query_has_its_own_types():
    pasted = web_query(conjunction_types=["sbtrace"])
    assert build_query(query=pasted)["conjunction_types"] == ["sbtrace"]
    assert query(conjunction_types=None)["conjunction_types"] == ["nbtrace"]


def test_describe_says_the_search_in_the_words_of_the_service():
    assert describe_query(query()) == (
        "Find conjunctions of type (nbtrace) with epoch precision of 60 seconds between data sources of "
        "ground1=(program in (themis-asi)) AND space1=(program in (swarm)) WHERE epochs are between "
        "2020-01-01T00:00:00 AND 2020-01-01T06:59:59 UTC HAVING max distances between location points of "
        "ground1-space1=500 km."
    )


def test_sentence_of_the_recorded_search_is_the_services_own():
    from aurorax_pandas import samples
    from aurorax_pandas.query.query import describe_query

    logged = samples.recorded_status()["logs"][2]["summary"].partition("using query: ")[2]
    assert describe_query(samples.recorded_query()) == logged


def test_an_operator_that_is_none_is_told_as_such():
    with pytest.raises(ap.AuroraxInputError, match=r"'<<' is no operator; .*<"):
        ap.SpaceCriteriaBlock(metadata_filters={"radial_distance": ("<<", 6860)})
