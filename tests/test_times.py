"""Spans of time as callers give them: each has a unit."""

import datetime

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.times import nearest, span, to_utc


@pytest.mark.parametrize(
    "given",
    [
        "5min",
        "00:05:00",
        "PT5M",
        pd.Timedelta("5min"),
        datetime.timedelta(minutes=5),
        np.timedelta64(5, "m"),
        pd.offsets.Minute(5),
    ],
)
def test_a_span_is_anything_that_has_a_unit(given):
    assert span("gap", given) == pd.Timedelta("5min")


@pytest.mark.parametrize(
    "bad",
    [
        5,
        0.5,
        np.int64(5),
        np.float32(5),
        True,
        "5",
        " +5 ",
        "06",
        np.array(5).view("m8")[()],
        "",
        None,
        "NaT",
        [5],
        "often",
    ],
)
@pytest.mark.parametrize("zero", [False, True])
def test_what_has_no_unit_is_refused(bad, zero):
    with pytest.raises(ap.AuroraxInputError, match=r"gap=.* give a span with its unit, such as '5min'"):
        span("gap", bad, zero=zero)


@pytest.mark.parametrize("nothing", [0, 0.0, "0", "0s", np.int64(0), datetime.timedelta(0)])
def test_zero_needs_no_unit_where_it_is_allowed(nothing):
    assert span("gap", nothing, zero=True) == pd.Timedelta(0)
    with pytest.raises(ap.AuroraxInputError, match="above zero"):
        span("gap", nothing)


@pytest.mark.parametrize(
    ("method", "arguments", "named"),
    [
        ("filter_closest_epoch", {"near": "2020-01-01T03:00", "tolerance": 5}, "tolerance=5"),
        ("passes", {"gap": 10}, "gap=10"),
        ("passes", {"gap": "6"}, "gap='6'"),
        ("minutes", {"step": 60}, "step=60"),
        ("pair_summary", {"step": 60}, "step=60"),
    ],
)
def test_methods_take_no_bare_number_for_nanoseconds(sample, method, arguments, named):
    with pytest.raises(ap.AuroraxInputError, match=named):
        getattr(sample.aurorax, method)(**arguments)


def test_of_two_instants_as_near_the_earlier_is_nearest():
    minutes = np.array(["2020-01-01T00:00", "2020-01-01T00:01", "2020-01-01T00:03"], "M8[us]")
    times = np.array(
        ["2019-12-31", "2020-01-01T00:00:30", "2020-01-01T00:00:31", "2020-01-01T00:02", "2020-01-02"], "M8[us]"
    )
    assert nearest(minutes, times).tolist() == [0, 0, 1, 1, 2]
    assert nearest(minutes[:1], times).tolist() == [0] * 5


@pytest.mark.parametrize("text", ["0s", "1M", "10h", "10am", "Jan", "10:30", "3 March", "01/13/20", "13 Jan 20"])
def test_an_instant_without_a_year_is_refused(sample, text):
    with pytest.raises(ap.AuroraxInputError, match=r"start='.*' does not tell its year"):
        to_utc("start", text)
    with pytest.raises(ap.AuroraxInputError, match=r"near='.*' does not tell its year"):
        sample.aurorax.filter_closest_epoch(near=text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("2020", "2020-01-01"), ("1 Jan 2020", "2020-01-01"), ("01/13/2020", "2020-01-13"),
     ("20200113T0102", "2020-01-13T01:02")],
)  # fmt: skip
def test_an_instant_with_a_year_is_read_in_any_form(text, meant):
    assert to_utc("start", text) == pd.Timestamp(meant)
