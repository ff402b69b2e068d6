import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions


@given(data=st.data())
def test_minutes_count_both_ends(builders, data):
    made = data.draw(builders.tagged_records())
    df = as_conjunctions(made)
    wanted = [
        (pd.Timestamp(one["end"]) - pd.Timestamp(one["start"])).total_seconds() / 60 + 1
        for one in builders.in_row_order(df, made)
    ]
    found = df.aurorax.minutes()
    assert found.tolist() == wanted
    assert (found.name, found.dtype) == ("minutes", np.dtype("float64"))


def test_minutes_keep_the_index_and_sum_to_the_recorded_count(builders, sample):
    found = builders.reindexed(sample, "text").aurorax.minutes()
    assert found.index[0] == "row 0"
    assert found.sum() == 92


def test_every_day_of_the_window_counts_from_zero(builders):
    df = as_conjunctions([builders.record(0, 1), builders.record(2 * 1440, 2 * 1440)])
    assert df.aurorax.daily_counts()["count"].tolist() == [1, 0, 1]
    df.attrs["aurorax"] = {"query": {"start": "2019-12-31T00:00:00", "end": "2020-01-04T23:59:59"}}
    assert df.aurorax.daily_counts()["count"].tolist() == [0, 1, 0, 1, 0]
    assert df.aurorax.daily_counts(freq="2D")["count"].tolist() == [1, 1, 0]
    assert df.aurorax.daily_counts("pair")["count"].tolist() == [0, 1, 0, 1, 0]


def test_days_without_operation_are_missing_and_rates_are_per_hour(builders):
    df = as_conjunctions([builders.record(0, 1), builders.record(10, 10), builders.record(3 * 1440, 3 * 1440)])
    days = pd.date_range("2020-01-01", periods=4, unit="us")
    cameras = pd.DataFrame({"identifier": 44, "source_type": "ground", "day": days, "records": [600, 0, 300, 60]})
    craft = pd.DataFrame({"identifier": 3, "source_type": "leo", "day": days, "records": [1440, 1440, 0, 1440]})
    both = pd.concat([cameras, craft], ignore_index=True)
    for by, wanted in ((None, both), ("pair", both), ("spacecraft", both)):
        found = df.aurorax.daily_counts(by, availability=wanted)
        assert found["count"].tolist()[:1] + found["count"].tolist()[3:] == [2, 1]
        assert found["count"].isna().tolist() == [False, True, True, False]
        assert found["minutes"].dropna().tolist() == [600, 60]
        assert found["rate"].dropna().tolist() == [0.2, 1.0]
    alone = df.aurorax.daily_counts(availability=cameras)
    assert alone["count"].fillna(-1).tolist() == [2, -1, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"freq": "0D"}, "freq"),
        ({"by": "speed"}, "by='speed'"),
        ({"availability": pd.DataFrame({"identifier": [1]})}, "'source_type' is missing"),
    ],
)
def test_counts_refuse_what_they_cannot_use(sample, arguments, words):
    with pytest.raises(ap.AuroraxInputError, match=words):
        sample.aurorax.daily_counts(**arguments)


def test_cameras_of_one_site_watch_the_same_sky(builders):
    rego = {**builders.GILL, "identifier": 81, "program": "rego", "display_name": "REGO GILL"}
    df = as_conjunctions(
        [builders.record(60 * number, sources=(camera, builders.SWARM_A), end=60 * number + 1)
         for number, camera in enumerate((builders.GILL, rego, builders.GILL))]
    )  # fmt: skip
    day = pd.Timestamp("2020-01-01")
    availability = pd.DataFrame({"identifier": [46, 81], "source_type": "ground", "day": day, "records": [1200, 1440]})
    found = df.aurorax.daily_counts("site", availability=availability).loc["GILL & Swarm A"].iloc[0]
    assert (found["count"], found["minutes"]) == (3, 1440)
    assert found["rate"] == pytest.approx(3 / 24)
    with pytest.raises(ap.AuroraxInputError, match="stands twice"):
        df.aurorax.daily_counts(availability=pd.concat([availability, availability]))


AVAILABILITY = pd.DataFrame(
    {"identifier": [46, 81], "source_type": "ground", "day": ["2020-01-01", "2020-01-02"], "records": [1200, 1440]}
)


@pytest.mark.parametrize(
    "day",
    [
        pd.to_datetime(["2020-01-01", "2020-01-02"]),
        pd.to_datetime(["2020-01-01", "2020-01-02"]).tz_localize("UTC"),
        pd.to_datetime(["2020-01-01T09:00", "2020-01-02T09:00"]).tz_localize("Asia/Tokyo"),
        pd.period_range("2020-01-01", periods=2, freq="D"),
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)],
    ],
    ids=["times", "UTC", "another zone", "periods", "dates"],
)
def test_days_of_availability_may_be_of_any_kind(sample, day):
    expected = sample.aurorax.daily_counts(availability=AVAILABILITY)
    assert expected["minutes"].tolist() == [1200]
    pd.testing.assert_frame_equal(sample.aurorax.daily_counts(availability=AVAILABILITY.assign(day=day)), expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"day": ["2020-01-01", "someday"]},
            "its column 'day' does not hold days; give dates, UTC \\('someday' is no time",
        ),
        ({"day": ["2020-01-01", "1.2.2020x"]}, "its column 'day' does not hold days; give dates, UTC \\(a time cannot"),
        ({"day": [18262, 18263]}, "its column 'day' does not hold days"),
        (
            {"day": ["2020-01-01", None]},
            "1 of 2 rows have no .* row 1, with identifier=81, day=(None|nan), records=1440",
        ),
        ({"records": ["many", 3]}, "its column 'records' does not hold numbers"),
        ({"records": [[1], [2]]}, "its column 'records' does not hold numbers"),
        ({"records": [1, -1]}, "no number of records of 0 or more; the first is row 1.*records=-1"),
        ({"records": [float("nan"), float("inf")]}, "2 of 2 rows have no identifier, no day, or no number.* row 0"),
        ({"identifier": [46, None]}, "1 of 2 rows have no identifier.* row 1, with identifier=nan"),
        ({"identifier": [[1], [2]]}, "its column 'identifier' holds what cannot name a source"),
    ],
)
def test_availability_that_cannot_be_read_is_refused_in_one_line(sample, change, words):
    with pytest.raises(ap.AuroraxInputError, match=f"^availability: .*{words}") as caught:
        sample.aurorax.daily_counts(availability=AVAILABILITY.assign(**change))
    assert "\n" not in str(caught.value)


def test_days_after_the_window_are_counted_where_there_are_rows(builders):
    df = as_conjunctions([builders.record(0, 1), builders.record(2 * 1440, 2 * 1440)])
    df.attrs["aurorax"] = {"query": {"start": "2020-01-01T00:00:00", "end": "2020-01-01T23:59:59"}}
    assert df.aurorax.daily_counts()["count"].tolist() == [1, 0, 1]


def test_availability_of_other_days_does_not_count(builders):
    df = as_conjunctions([builders.record(0, 1)])
    days = pd.date_range("2019-12-31", periods=3, unit="us")
    cameras = pd.DataFrame({"identifier": 44, "source_type": "ground", "day": days, "records": [7, 600, 5]})
    assert df.aurorax.daily_counts(availability=cameras)["minutes"].tolist() == [600]


@pytest.mark.parametrize(
    ("freq", "days", "counts"),
    [
        ("MS", ["2020-01-01", "2020-02-01", "2020-03-01"], [2, 0, 1]),
        ("QS", ["2020-01-01"], [3]),
        (pd.offsets.YearBegin(), ["2020-01-01"], [3]),
    ],
)
def test_months_quarters_and_years_begin_by_the_calendar(builders, freq, days, counts):
    starts = (14 * 1440, 30 * 1440, 70 * 1440)
    found = as_conjunctions([builders.record(start, start) for start in starts]).aurorax.daily_counts(freq=freq)
    assert found.index.equals(pd.DatetimeIndex(days, name="day").as_unit("us"))
    assert found["count"].tolist() == counts


def test_without_rows_and_without_a_search_there_are_no_days(builders):
    empty = as_conjunctions([])
    assert empty.aurorax.daily_counts().empty
    assert empty.aurorax.daily_counts("pair").index.names == ["pair", "day"]
    day = pd.DataFrame({"identifier": 44, "source_type": "ground", "day": [pd.Timestamp("2020-01-01")], "records": 9})
    assert list(empty.aurorax.daily_counts(availability=day)) == ["count", "minutes", "rate"]


@pytest.mark.parametrize("freq", ["soon", "ME"])
def test_a_length_of_day_that_is_none_is_refused_with_the_choice(sample, freq):
    with pytest.raises(ap.AuroraxInputError, match=r"freq.*'MS', 'QS' or 'YS'"):
        sample.aurorax.daily_counts(freq=freq)


def test_availability_counts_whole_days_only(sample):
    day = pd.DataFrame({"identifier": 44, "source_type": "ground", "day": [pd.Timestamp("2020-01-01")], "records": 9})
    with pytest.raises(ap.AuroraxInputError, match="no whole number of days"):
        sample.aurorax.daily_counts(freq="36h", availability=day)
    with pytest.raises(ap.AuroraxInputError, match="read_aurorax_availability"):
        sample.aurorax.daily_counts(availability=[day])


def test_counts_by_station_by_a_column_and_of_pairs_without_a_station(builders):
    b = builders
    df = as_conjunctions(
        [b.record(), b.record(5, 6, sources=(b.SWARM_B, b.GILL)), b.record(8, 8, sources=(b.SWARM_A, b.THEMIS_A))]
    )
    by_station = df.aurorax.daily_counts("station")["count"]
    assert by_station.droplevel("day").to_dict() == {
        "THEMIS-ASI ATHA": 1,
        "THEMIS-ASI GILL": 1,
        "Swarm A & THEMIS-A": 1,
    }
    own = df.assign(kp=[2, 10, 2]).aurorax.daily_counts("kp")["count"]
    assert own.droplevel("day").to_dict() == {"2": 2, "10": 1}
    assert own.index.names == ["kp", "day"]


def test_an_event_before_its_conjunction_counts_on_its_own_day_and_one_without_a_start_on_none(builders):
    early = builders.event(builders.ATHA, builders.SWARM_A, -10, 1)
    df = as_conjunctions([builders.record(0, 1, events=[early]), builders.record(1440, 1440)])
    assert df.aurorax.daily_counts("pair")["count"].tolist() == [1, 0, 1]
    assert df.aurorax.daily_counts()["count"].tolist() == [1, 1]
    lacking = df.assign(start=df["start"].where(df.index == 0))
    assert lacking.aurorax.daily_counts()["count"].tolist() == [1]


def test_a_column_that_is_not_there_is_told_with_all_choices(sample):
    with pytest.raises(
        ap.AuroraxInputError, match="give 'pair', 'site', 'spacecraft', 'station' or one of conjunction,"
    ):
        sample.aurorax.daily_counts("speed")


@pytest.mark.parametrize(
    ("change", "freq"),
    [
        (lambda df: df, "1us"),
        (lambda df: df.assign(start=df["start"].dt.as_unit("s") + np.timedelta64(28_000 * 365, "D")), "1s"),
        (lambda df: df.assign(start=df["start"].where(df.index > 0, pd.Timestamp("0001-01-01"))), "1min"),
    ],
)
def test_more_counts_than_memory_holds_are_refused(sample, change, freq):
    with pytest.raises(ap.AuroraxInputError, match=f"freq='{freq}' makes .* steps from .* to"):
        ap.daily_counts(change(sample), freq=freq)


def test_a_step_shorter_than_the_times_is_refused(sample):
    with pytest.raises(ap.AuroraxInputError, match="freq='1ns' is shorter than a microsecond"):
        sample.aurorax.daily_counts(freq="1ns")


def test_a_class_of_text_is_a_step(sample):
    text = type("Text", (str,), {})("1h")
    pd.testing.assert_frame_equal(sample.aurorax.daily_counts(freq=text), sample.aurorax.daily_counts(freq="1h"))


@pytest.mark.parametrize("lacking", ["start", "end"])
def test_minutes_need_both_ends(sample, lacking):
    with pytest.raises(ap.AuroraxInputError, match=f"minutes needs the column.s. {lacking};"):
        sample.drop(columns=lacking).aurorax.minutes()
