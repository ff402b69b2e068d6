import copy
import datetime
import io
import json
import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions
from aurorax_pandas.frame import model
from aurorax_pandas.samples import recorded_data
from aurorax_pandas.testing import assert_conjunctions_equal

BODY = recorded_data()
DTYPES = {
    "conjunction_type": pd.CategoricalDtype(["nbtrace", "sbtrace", "geographic"]),
    "start": np.dtype("M8[us]"),
    "end": np.dtype("M8[us]"),
    "min_distance": np.dtype("float64"),
    "max_distance": np.dtype("float64"),
    "closest_epoch": np.dtype("M8[us]"),
    "farthest_epoch": np.dtype("M8[us]"),
}
COLUMNS = [
    "conjunction_type", "start", "end", "data_sources", "min_distance", "max_distance", "events",
    "closest_epoch", "farthest_epoch",
]  # fmt: skip


def assert_typed(df):
    assert list(df.columns) == COLUMNS
    assert {name: df[name].dtype for name in DTYPES} == DTYPES
    assert list(df["data_sources"].nest.columns) == list(model.SOURCE_FIELDS)
    assert list(df["events"].nest.columns) == list(model.EVENT_FIELDS)
    assert df.index.equals(pd.RangeIndex(len(df)))


def test_recorded_search_becomes_a_typed_frame():
    df = as_conjunctions(BODY)
    assert_typed(df)
    assert len(df) == 49
    assert ((df["end"] - df["start"]) / pd.Timedelta("1min") + 1).sum() == 92
    assert len(df["events"].nest.to_flat()) == 49
    assert df["start"].is_monotonic_increasing


def test_every_value_of_a_record_is_in_its_row(builders):
    record = builders.record(
        3, 7, low=1.23456789012345, high=499.000000000001, closest=5, farthest_epoch=builders.at(7)
    )
    row = as_conjunctions([record]).iloc[0]
    assert row["conjunction_type"] == "nbtrace"
    for name in ("start", "end", "closest_epoch", "farthest_epoch"):
        assert row[name] == pd.Timestamp(record[name])
    assert (row["min_distance"], row["max_distance"]) == (record["min_distance"], record["max_distance"])
    assert row["data_sources"].to_dict("records") == record["data_sources"]
    (event,) = row["events"].to_dict("records")
    wire = record["events"][0]
    assert event == {
        "conjunction_type": "nbtrace",
        **{f"{side}_{name}": wire[f"{side}_source"][name] for side in ("e1", "e2") for name in model.SOURCE_FIELDS},
        "start": pd.Timestamp(wire["start"]),
        "end": pd.Timestamp(wire["end"]),
        "min_distance": wire["min_distance"],
        "max_distance": wire["max_distance"],
    }


@pytest.mark.parametrize(
    "form",
    [
        lambda parsed: json.dumps(parsed).encode(),
        lambda parsed: json.dumps(parsed),
        lambda parsed: bytearray(json.dumps(parsed).encode()),
        lambda parsed: memoryview(json.dumps(parsed["result"]).encode()),
        lambda parsed: json.dumps(parsed["result"]),
        lambda parsed: parsed,
        lambda parsed: parsed["result"],
        lambda parsed: tuple(parsed["result"]),
        lambda parsed: iter(parsed["result"]),
    ],
)
def test_all_forms_of_an_answer_give_the_same_frame(form):
    assert_conjunctions_equal(as_conjunctions(form(json.loads(BODY))), as_conjunctions(BODY))


def test_objects_of_another_client_give_the_same_frame():
    def objects(parsed):
        for record in parsed["result"]:
            events = [
                {**event, **{side: SimpleNamespace(**event[side]) for side in ("e1_source", "e2_source")}}
                for event in record["events"]
            ]
            times = {
                name: datetime.datetime.fromisoformat(record[name])
                for name in ("start", "end", "closest_epoch", "farthest_epoch")
            }
            sources = [SimpleNamespace(**source, owner=None, metadata={}) for source in record["data_sources"]]
            yield SimpleNamespace(**{**record, **times, "data_sources": sources, "events": events})

    assert_conjunctions_equal(as_conjunctions(objects(json.loads(BODY))), as_conjunctions(BODY))


def test_numpy_and_pandas_values_in_parsed_records_are_read(builders):
    record = builders.record(low=np.float64(5.5), start=0)
    record |= {"start": pd.Timestamp(record["start"]), "end": np.str_(record["end"])}
    assert as_conjunctions([record])["min_distance"].tolist() == [5.5]


@pytest.mark.parametrize("empty", [[], {"result": []}, b"[]", '{"result": []}', iter(())])
def test_an_empty_result_has_all_columns_and_dtypes(empty):
    df = as_conjunctions(empty)
    assert len(df) == 0
    assert_typed(df)


def test_an_empty_result_equals_a_full_one_in_dtypes(sample):
    assert as_conjunctions([]).dtypes.equals(sample.dtypes)


def test_unknown_fields_are_passed_over_at_every_level(builders):
    plain = builders.record()
    extended = copy.deepcopy(plain) | {"quality": {"flag": [1, None]}, "tags": None}
    extended["data_sources"][0]["owner"] = "somebody"
    extended["data_sources"][1]["metadata"] = {"a": {"b": 1}}
    extended["events"][0]["generated_e1_ephemeris_query"] = {"start": "x"}
    extended["events"][0]["e1_source"]["maintainers"] = []
    assert_conjunctions_equal(as_conjunctions([extended]), as_conjunctions([plain]))
    wrapped = {"result": [extended], "next_page": None}
    assert_conjunctions_equal(as_conjunctions(wrapped), as_conjunctions([plain]))


@pytest.mark.parametrize("how", ["null", "missing"])
def test_epochs_that_a_record_lacks_are_nat(builders, how):
    lacking = builders.record(2, 3)
    for name in ("closest_epoch", "farthest_epoch"):
        lacking[name] = None
        if how == "missing":
            del lacking[name]
    df = as_conjunctions([lacking, builders.record(0, 1)])
    assert df["closest_epoch"].isna().tolist() == [False, True]
    assert df["farthest_epoch"].isna().all()
    assert_typed(df)


@pytest.mark.parametrize("stop", ["Z", ".0", ".000Z", ".123456", ".1Z", "+00:00"])
def test_zone_letters_and_fractions_are_read(builders, stop):
    record = builders.record(closest=None) | {
        "start": f"2020-01-01T00:00:00{stop}",
        "end": f"2020-01-01T00:10:00{stop}",
    }
    df = as_conjunctions([record])
    digits = stop.strip("Z").removesuffix("+00:00").strip(".") or "0"
    assert df["start"].tolist() == [pd.Timestamp("2020-01-01") + pd.Timedelta(f"0.{digits}s")]
    assert_typed(df)


def test_forms_of_time_may_vary_from_record_to_record(builders):
    records = [builders.record(minute, minute + 1, closest=None) for minute in range(4)]
    for record, stop in zip(records, ["", "Z", ".000000", ".000Z"], strict=True):
        record["start"] += stop
    assert as_conjunctions(records)["start"].tolist() == [pd.Timestamp(builders.at(minute)) for minute in range(4)]


def test_times_with_a_zone_are_converted_to_utc(builders):
    record = builders.record(0, 120, closest=None) | {"start": "2020-01-01T02:30:00+02:00"}
    assert as_conjunctions([record])["start"].tolist() == [pd.Timestamp("2020-01-01T00:30:00")]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("20200101T000800.000", "2020-01-01T00:08:00"),
        ("2020-01-01T00:08+01", "2019-12-31T23:08:00"),
        ("2020-01-01T00:08-01", "2020-01-01T01:08:00"),
        ("2020-01-01 00:08:00", "2020-01-01T00:08:00"),
    ],
)
def test_other_forms_of_time_are_read_though_they_are_as_long(builders, text, meant):
    record = builders.record(0, 120, closest=None) | {"start": text}
    assert len(text) == len(record["end"])
    assert as_conjunctions([record])["start"].tolist() == [pd.Timestamp(meant)]


def test_null_sources_events_and_fields_are_kept_as_missing(builders):
    record = builders.record() | {"data_sources": None, "events": None}
    with pytest.warns(ap.AuroraxDataWarning, match="1 data source.* lack .* one without identifier"):
        df = as_conjunctions([record, builders.record(2, 3, sources=({"identifier": None}, {}), events=[])])
    assert len(df.iloc[0]["data_sources"]) == 0
    assert len(df.iloc[0]["events"]) == 0
    assert df.iloc[1]["data_sources"]["display_name"].isna().all()


BAD = {
    "end is before start": {"start": "2020-01-01T00:05:00"},
    "above max": {"min_distance": 900.0},
    "negative": {"min_distance": -1.0},
    "start is missing|start": {"start": None},
    "closest_epoch is outside": {"closest_epoch": "2020-01-02T00:00:00"},
    "farthest_epoch is outside": {"farthest_epoch": "2019-01-01T00:00:00"},
    "not known": {"conjunction_type": "mbtrace"},
    "time|date": {"start": "2020-01-32T00:00:00"},
    "time": {"start": "now", "end": "today", "closest_epoch": None},
    "read": {"end": "2020-01-01T00:00:00 or so"},
    "str": {"start": 5},
    "min_distance": {"min_distance": "near"},
}


@pytest.mark.parametrize("reason", list(BAD))
def test_a_record_that_breaks_the_rules_is_refused_with_its_number_and_reason(builders, reason):
    records = [builders.record(), builders.record() | BAD[reason], builders.record(2, 3, closest=2)]
    with pytest.raises(ap.AuroraxDataError, match=rf"(?s)record 1\b.*({reason})") as caught:
        as_conjunctions(records)
    assert "record 0" not in str(caught.value)
    assert "record 2" not in str(caught.value)


@pytest.mark.parametrize("name", ["start", "end", "min_distance", "max_distance", "conjunction_type"])
def test_a_record_without_a_required_field_is_refused_by_name(builders, name):
    # with no single event that a distance could be taken from
    record = builders.record(events=[])
    del record[name]
    with pytest.raises(ap.AuroraxDataError, match=rf"record 0\b.*{name}"):
        as_conjunctions([record])


def test_bad_records_can_be_dropped_with_one_warning_that_counts_them(builders):
    good = [builders.record(minute, minute + 1, closest=minute) for minute in (0, 4)]
    bad = [builders.record() | change for change in BAD.values()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        df = as_conjunctions([good[1], *bad, good[0]], on_bad_records="drop")
    assert [warning.category for warning in caught] == [ap.AuroraxDataWarning]
    assert f"{len(bad)} of {len(bad) + 2}" in str(caught[0].message)
    assert_conjunctions_equal(df, as_conjunctions(good))


def test_all_records_bad_leaves_a_typed_empty_frame(builders):
    with pytest.warns(ap.AuroraxDataWarning, match="1 of 1"):
        df = as_conjunctions([builders.record() | {"min_distance": -5.0}], on_bad_records="drop")
    assert len(df) == 0
    assert_typed(df)


def test_good_records_make_no_warning_where_bad_ones_may_be_dropped(builders):
    assert len(as_conjunctions([builders.record()], on_bad_records="drop")) == 1


def test_an_event_that_breaks_the_rules_does_not_pass(builders):
    record = builders.record(events=[builders.event(builders.ATHA, builders.SWARM_A, 0, 1, 500.0, 100.0)])
    with pytest.raises(ap.AuroraxDataError, match="min_distance is above max_distance"):
        as_conjunctions([record])


@pytest.mark.parametrize("bad", ["keep", None, True])
def test_on_bad_records_takes_two_words_only(bad):
    with pytest.raises(ap.AuroraxInputError, match="on_bad_records"):
        as_conjunctions([], on_bad_records=bad)


@pytest.mark.parametrize("text", [b"", b"{", b"null", b"5", b'"x"', b"<html></html>", b"\xff\xfe", "\ud800", b"{}"])
def test_what_is_no_answer_is_refused(text):
    with pytest.raises(ap.AuroraxDataError):
        as_conjunctions(text)


@pytest.mark.parametrize("thing", [5, None, object(), [object()], {"result": 5}, [{1, 2}], 1.5])
def test_what_holds_no_records_is_refused(thing):
    with pytest.raises(ap.AuroraxDataError):
        as_conjunctions(thing)


def test_an_error_in_place_of_a_result_is_raised_as_the_error_of_the_service():
    body = {"error": {"error_code": "ApplicationError", "error_message": "disk full"}}
    with pytest.raises(ap.AuroraxAPIError, match="disk full") as caught:
        as_conjunctions(body)
    assert caught.value.error_code == "ApplicationError"


def sort_key(record):
    types = ["nbtrace", "sbtrace", "geographic"]
    epoch = record["closest_epoch"]
    return (
        record["start"],
        (epoch is None, epoch or ""),
        sorted(source["identifier"] for source in record["data_sources"]),
        types.index(record["conjunction_type"]),
        record["end"],
        record["min_distance"],
        record["max_distance"],
    )


@given(data=st.data())
def test_rows_are_in_one_order_whatever_the_order_of_the_records(builders, data):
    records = data.draw(st.lists(builders.records(), max_size=8, unique_by=lambda one: repr(sort_key(one))))
    shuffled = data.draw(st.permutations(records))
    df = as_conjunctions(records)
    assert_conjunctions_equal(df, as_conjunctions(shuffled))
    wanted = sorted(records, key=sort_key)
    assert df["start"].tolist() == [pd.Timestamp(record["start"]) for record in wanted]
    assert df["end"].tolist() == [pd.Timestamp(record["end"]) for record in wanted]
    assert df["closest_epoch"].fillna(pd.Timestamp(0)).tolist() == [
        pd.Timestamp(record["closest_epoch"] or 0) for record in wanted
    ]
    assert df["conjunction_type"].tolist() == [record["conjunction_type"] for record in wanted]


def in_turn(builders, name):
    """Two records in their order: a key tells them apart, and the keys that come after it say the contrary."""
    low, high, later = (builders.ATHA, builders.SWARM_A), (builders.GILL, builders.THEMIS_A), builders.at(3)
    nameless = {**builders.THEMIS_A, "identifier": None}
    last = {"sources": high, "conjunction_type": "sbtrace", "end": later, "low": 150.0, "high": 300.0}
    first, second = {
        "start": ({**last, "start": 0, "closest": 2}, {"start": 1, "closest": 1}),
        "closest_epoch": ({**last, "closest": 0}, {"closest": 1}),
        "a missing closest_epoch": ({**last, "closest": 1}, {"closest": None}),
        "identifiers": ({**last, "sources": low}, {"sources": high}),
        "the lowest identifier": ({**last, "sources": (builders.GILL, builders.SWARM_A)},
                                  {"sources": (builders.ATHA, builders.SWARM_B)}),
        "the next identifier": ({**last, "sources": (builders.ATHA, builders.SWARM_A)},
                                {"sources": (builders.SWARM_A, builders.GILL)}),
        "a missing identifier": ({**last, "sources": (builders.GILL, nameless)}, {"sources": low}),
        "type": ({**last, "sources": low, "conjunction_type": "nbtrace"}, {"conjunction_type": "sbtrace"}),
        "end": ({"low": 150.0, "high": 300.0}, {"end": later}),
        "min_distance": ({"high": 300.0}, {"low": 150.0}),
        "max_distance": ({}, {"high": 300.0}),
    }[name]  # fmt: skip
    made = []
    for each in (first, second):
        changes = dict(each)
        start, end = changes.pop("start", 0), changes.pop("end", builders.at(2))
        made.append(builders.record(start, 2, **changes) | {"end": end})
    return made


@pytest.mark.parametrize(
    "name",
    [
        "start", "closest_epoch", "a missing closest_epoch", "identifiers", "the lowest identifier",
        "the next identifier", "a missing identifier", "type", "end", "min_distance", "max_distance",
    ],
)  # fmt: skip
def test_the_keys_of_the_order_come_one_after_the_other(builders, name):
    first, second = in_turn(builders, name)
    alone = pd.concat([as_conjunctions([each]) for each in (first, second)], ignore_index=True)
    for records in ([first, second], [second, first]):
        assert_conjunctions_equal(as_conjunctions(records), alone)
    if name not in ("end", "min_distance", "max_distance"):
        # what differs in nothing else is one conjunction there
        assert_conjunctions_equal(ap.stitch(alone.iloc[::-1]), alone)


def test_ties_at_several_times_stay_apart(builders):
    records = [
        builders.record(start, 2, closest=closest, sources=(camera, builders.SWARM_A))
        for start, closest in ((0, 2), (1, 1))
        for camera in (builders.ATHA, builders.GILL)
    ]
    df = as_conjunctions(records[::-1])
    assert df["start"].tolist() == [pd.Timestamp(record["start"]) for record in records]


def test_records_that_differ_in_their_contents_alone_have_an_order_too(builders):
    names = ["Swarm A", "Swarm Alpha"]
    records = [builders.record(sources=(builders.ATHA, {**builders.SWARM_A, "display_name": name})) for name in names]
    assert_conjunctions_equal(as_conjunctions(records), as_conjunctions(records[::-1]))


def test_a_long_result_is_read_whole_and_in_order(builders):
    made = builders.many(4_500, pairs=7, minutes=100_000)
    df = as_conjunctions(made)
    assert len(df) == 4_500
    assert df["min_distance"].tolist() == [record["min_distance"] for record in sorted(made, key=sort_key)]
    made[3_210]["start"] = "never"
    with pytest.raises(ap.AuroraxDataError, match=r"1 of 4500 .*record 3210\b"):
        as_conjunctions(made)


@pytest.mark.parametrize("rows", [slice(None), slice(3, 4)])
def test_the_own_parquet_feather_and_pickle_round_trips_are_equal(sample, tmp_path, rows):
    df = sample.iloc[rows].reset_index(drop=True)
    df.to_parquet(tmp_path / "df.parquet")
    assert_conjunctions_equal(pd.read_parquet(tmp_path / "df.parquet"), df)
    df.to_feather(tmp_path / "df.feather")
    assert_conjunctions_equal(pd.read_feather(tmp_path / "df.feather"), df)
    assert_conjunctions_equal(pickle.loads(pickle.dumps(df)), df)


def test_frame_goes_through_the_everyday_verbs_of_pandas(sample):
    doubled = pd.concat([sample, sample.iloc[:0]])
    assert_conjunctions_equal(doubled, sample)
    assert len(sample[sample["min_distance"] < 200]) == (sample["min_distance"] < 200).sum()
    assert_conjunctions_equal(sample.sample(frac=1, random_state=1).sort_index(), sample)
    grouped = sample.groupby(sample["start"].dt.hour).first()
    assert grouped["data_sources"].dtype == model.DATA_SOURCES
    assert len(sample.to_csv(io.StringIO()) or "") == 0


def never_anything_but_our_errors(records, **options):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ap.AuroraxDataWarning)
            df = as_conjunctions(records, **options)
    except ap.AuroraxError:
        return
    assert_typed(df)


@settings(max_examples=40)
@given(
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.none() | st.integers(0, 4000),
    on_bad_records=st.sampled_from(["raise", "drop"]),
)
def test_a_damaged_body_gives_a_frame_or_one_of_our_errors(changes, cut, on_bad_records):
    body = bytearray(BODY[:4000].rpartition(b",\n")[0] + b"]}")
    for position, value in changes:
        body[position % len(body)] = value
    never_anything_but_our_errors(bytes(body[:cut]), on_bad_records=on_bad_records)


@pytest.mark.parametrize("envelope", [b'{"took": 3, "result" : [ %s]}', b"[%s]"])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda record: record[:20], "record 2"),
        (lambda record: record.replace(b":", b";", 1), "record 2"),
        (lambda record: record.replace(b'"nbtrace"', b"NaN", 1), "record 2"),
        (lambda record: record + b"]", "its 3 records can be read"),
    ],
)
def test_damage_is_said_by_record_and_place(envelope, damage, says):
    record = b'{"conjunction_type": "nbtrace", "note": "[{\xc3\xa9"}'
    body = envelope % b", ".join([record, record, damage(record)])
    with pytest.raises(ap.AuroraxDataError, match=says) as caught:
        as_conjunctions(body)
    if says == "record 2":
        begin = envelope.index(b"%s") + 2 * len(record + b", ")
        assert f"from byte {begin} on" in str(caught.value)


ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["2020-01-01T00:00:00", "0000-01-01T00:00:00", "9999-12-31T23:59:59Z", "NaT", "", "nbtrace", -1e400])
)  # fmt: skip
ANY_JSON = st.recursive(
    ODD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["result", "error", "start", "end", "events", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(value=ANY_JSON)
def test_any_json_gives_a_frame_or_one_of_our_errors(value):
    never_anything_but_our_errors(json.dumps(value))
    never_anything_but_our_errors(value)


@settings(max_examples=60)
@given(data=st.data())
def test_a_record_with_any_field_replaced_gives_a_frame_or_one_of_our_errors(builders, data):
    record = builders.record()
    parts = [record, record["events"][0], record["events"][0]["e1_source"], record["data_sources"][0]]
    part = data.draw(st.sampled_from(range(len(parts))))
    parts[part][data.draw(st.sampled_from(sorted(parts[part])))] = data.draw(ANY_JSON)
    option = data.draw(st.sampled_from(["raise", "drop"]))
    never_anything_but_our_errors(json.dumps([builders.record(2, 3, closest=2), record]), on_bad_records=option)


def test_deep_nesting_is_refused():
    with pytest.raises(ap.AuroraxDataError):
        as_conjunctions(b"[" * 100_000)
    with pytest.raises(ap.AuroraxDataError):
        as_conjunctions(b"[" + b'{"x":' * 100_000 + b"1" + b"}" * 100_000 + b"]")


def test_a_record_whose_event_breaks_a_rule_is_named_or_dropped(builders):
    late = {**builders.event(builders.ATHA, builders.SWARM_A), "end": "1999-01-01T00:00:00"}
    records = [builders.record(5, 6), builders.record(0, 1, events=[late])]
    with pytest.raises(ap.AuroraxDataError, match="record 1: in events: end is before start"):
        as_conjunctions(records)
    with pytest.warns(ap.AuroraxDataWarning, match="1 of 2 records left out") as caught:
        kept = as_conjunctions(records, on_bad_records="drop")
    assert [each.filename for each in caught] == [__file__]
    assert_conjunctions_equal(kept, as_conjunctions(records[:1]))


def test_times_of_numpy_are_read_in_every_unit(builders):
    record = builders.record(5, 6)
    times = {name: np.datetime64(record[name], "ns") for name in ("start", "end", "farthest_epoch")}
    found = as_conjunctions([{**record, **times, "closest_epoch": np.datetime64("NaT", "us")}])
    expected = as_conjunctions([{**record, "closest_epoch": None}])
    assert_conjunctions_equal(found, expected)


def test_what_a_record_says_of_itself_comes_before_what_its_events_say(builders):
    late = {**builders.event(builders.ATHA, builders.SWARM_A), "end": "1999-01-01T00:00:00"}
    with pytest.raises(ap.AuroraxDataError, match="record 0: min_distance is above max_distance"):
        as_conjunctions([builders.record(events=[late], low=900.0)])


def test_the_first_five_bad_records_are_shown_and_the_others_counted(builders):
    changes = [{"min_distance": 900.0}, {"start": None}] * 4
    with pytest.raises(ap.AuroraxDataError) as caught:
        as_conjunctions([builders.record() | change for change in changes])
    assert [f"record {number}:" in str(caught.value) for number in range(8)] == [True] * 5 + [False] * 3
    assert "; and 3 more" in str(caught.value)


def test_records_of_a_frame_are_those_it_was_made_of(builders):
    bare = {**dict.fromkeys(model.SOURCE_FIELDS), "identifier": 7}
    nameless = {**bare, "identifier": None, "program": "custom"}
    records = [
        builders.record(0, 1) | {"start": "2020-01-01T00:00:00.500000", "closest_epoch": "2020-01-01T00:00:30"},
        builders.record(1, 2, sources=(bare, builders.SWARM_A)),
        builders.record(2, 3, sources=(nameless, bare), closest=None),
        builders.record(3, 4, events=[]),
        builders.record(4, 5, sources=(), events=[{**builders.event(bare, nameless, 4, 5), "conjunction_type": None}]),
    ]
    with pytest.warns(ap.AuroraxDataWarning, match="2 data source.*: 7, one of custom;"):
        df = as_conjunctions(records)
    assert ap.records_from_conjunctions(df) == records


def test_each_record_of_a_frame_has_sources_of_its_own(builders):
    df = as_conjunctions([builders.record(0, 1), builders.record(2, 3)])
    first, second = ap.records_from_conjunctions(df)
    first["data_sources"][0]["platform"] = first["events"][0]["e1_source"]["platform"] = "changed"
    assert second == builders.record(2, 3)


@pytest.mark.parametrize("dtype", ["category", "str", object])
def test_codes_of_categories_are_minus_one_for_others_and_for_none(dtype):
    values = pd.Series(["sbtrace", "other", None, "nbtrace"]).astype(dtype)
    assert model.category_codes(values, model.CONJUNCTION_TYPE).tolist() == [1, -1, -1, 0]


def test_rows_of_one_minute_go_by_the_numbers_of_their_sources_the_least_first(builders):
    b = builders
    pairs = [(10, 29), (9, 30), (9, 4), (100, 3)]
    rows = [
        b.record(0, 1, sources=(b.source(one, f"camera {one}", "ground"), b.source(other, f"craft {other}")))
        for one, other in pairs
    ]
    found = as_conjunctions(rows)["data_sources"]
    assert [tuple(sorted(cell["identifier"])) for cell in found] == [(3, 100), (4, 9), (9, 30), (10, 29)]
