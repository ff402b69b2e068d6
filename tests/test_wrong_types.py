"""Wrong types are told, not tripped over: an AuroraxInputError each, that names the argument."""

import contextlib
import inspect
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap

SAMPLE = ap.load_sample_conjunctions()
EPHEMERIS = ap.load_sample_ephemeris()
KP = pd.Series([1.0], pd.DatetimeIndex(["2020-01-01"]), name="kp")
AVAILABILITY = pd.DataFrame(
    {
        "identifier": [46], "program": "themis-asi", "platform": "gillam", "instrument_type": "panchromatic ASI",
        "source_type": "ground", "display_name": "THEMIS-ASI GILL", "day": pd.to_datetime(["2020-01-01"]),
        "records": 3,
    }
)  # fmt: skip
#: What verbs need beside the frame.
NEEDS = {
    "closest_approach": {"ephemeris": EPHEMERIS}, "overflights": {"ephemeris": EPHEMERIS},
    "refine": {"ephemeris": EPHEMERIS, "distance": 50}, "tracks": {"ephemeris": EPHEMERIS},
    "magnetic": {"ephemeris": EPHEMERIS}, "report": {"ephemeris": EPHEMERIS},
    "plot_approach": {"ephemeris": EPHEMERIS}, "within": {"distance": 100}, "select_sources": {"site": "GILL"},
    "compare": {"other": SAMPLE}, "overlaps": {"other": SAMPLE}, "join_series": {"other": KP},
    "plot_rate": {"availability": AVAILABILITY}, "swarmaurora_url": {}, "to_csv": {"path": "a.csv"},
    "to_json": {"path": "a.json"}, "to_parquet": {"path": "a.parquet"}, "to_netcdf": {"path": "a.nc"},
    "read_ephemeris_of": {"api_url": "http://127.0.0.1:9"},
    "read_data_products_of": {"api_url": "http://127.0.0.1:9"},
}  # fmt: skip
PLOTS = sorted({name for name in ap.__all__ if name.startswith("plot")} | {"timeline"})
VERBS = sorted(
    {"ephemeris": "read_ephemeris_of", "data_products": "read_data_products_of"}.get(name, name)
    for name in dir(ap.AuroraxDataFrameAccessor)
    if not name.startswith("_") and name not in ("plot", "provenance")
)


def call(name, df, **change):
    function = getattr(ap, name)
    needed = {
        list(inspect.signature(function).parameters)[1] if key == "other" else key: value
        for key, value in NEEDS.get(name, {}).items()
    }
    return function(df, **{**needed, **change})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


NO_FRAMES = {"text": "abc", "None": None, "Series": SAMPLE["start"], "list": [1], "dict": {}, "array": np.zeros(3)}


@pytest.mark.parametrize("name", [*VERBS, *PLOTS, "stitch"])
def test_a_verb_on_what_is_no_frame(name):
    for given_frame in NO_FRAMES.values():
        with pytest.raises(ap.AuroraxInputError, match="DataFrame"):
            call(name, given_frame)


@pytest.mark.parametrize("thing", [SAMPLE, None, "abc", [1], SAMPLE["start"]], ids=str)
def test_a_verb_of_datasets_on_what_is_none(thing):
    with pytest.raises(ap.AuroraxInputError, match="Dataset"):
        ap.to_dataframe(thing)


SEVERAL = [["pair", "site"], [], {"pair"}, {"pair": 1}, np.array(["pair"]), SAMPLE, pd.NA]


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        *((name, "by") for name in PLOTS if "by" in inspect.signature(getattr(ap, name)).parameters and name != "plot"),
        ("daily_counts", "by"), ("revisits", "by"), ("pair_summary", "by"), ("groupby_pair", "by"),
        ("timeline", "color"), ("plot_dial", "color"), ("plot_histogram", "column"), ("join_series", "on"),
        ("magnetic", "at"), ("plot_calendar", "freq"),
    ],
)  # fmt: skip
def test_several_names_where_one_is_meant(name, argument):
    for several in SEVERAL:
        with pytest.raises(ap.AuroraxInputError, match=f"{argument}[=:]") as caught:
            call(name, SAMPLE, **{argument: several})
        assert len(str(caught.value)) < 700


@pytest.mark.parametrize("name", VERBS)
def test_columns_that_are_there_twice(name):
    twice = pd.concat([SAMPLE, SAMPLE[["start", "min_distance", "events", "data_sources"]]], axis=1)
    if name in ("swarmaurora_url", "to_arrow", "style"):
        pytest.skip("looks at no column, or at others")
    with pytest.raises(ap.AuroraxError, match=r"twice|unique|once") as caught:
        call(name, twice)
    assert isinstance(caught.value, ap.AuroraxInputError | ap.AuroraxSchemaError)


#: What verbs call themselves in messages: on the accessor two have another name.
OWN_NAMES = {"read_data_products_of": "data_products", "read_ephemeris_of": "ephemeris"}


@pytest.mark.parametrize(
    "name", sorted({*VERBS, "stitch"} - {"citation", "style", "swarmaurora_url", "to_arrow", "validate"})
)
def test_a_verb_names_itself_and_the_columns_that_it_misses(name):
    with pytest.raises(ap.AuroraxInputError, match=f"^{OWN_NAMES.get(name, name)} (needs|keeps) "):
        call(name, SAMPLE[["farthest_epoch"]])


@pytest.mark.parametrize("name", [name for name in PLOTS if name != "plot"])
def test_axes_that_are_none(name):
    figure, panels = plt.subplots(2)
    for axes in (figure, panels, "ax", 5, panels.tolist(), plt):
        with pytest.raises(ap.AuroraxInputError, match="no Axes"):
            call(name, SAMPLE, ax=axes)


READ_ATTRS = (
    "at_window_edge", "citation", "compare", "daily_counts", "explode_events", "minutes", "pair_summary", "passes", "refine", "revisits",
    "swarmaurora_url", "to_arrow", "to_csv", "to_json", "to_xarray", "stitch", "concat", "plot_calendar", "timeline",
)  # fmt: skip
ATTRS = [
    "text", 5, None, ["x"], {"query": "x"}, {"query": ["x", 5]}, {"query": {"start": 5, "end": []}},
    {"step": {"a": 1}}, {"step": "long"}, {"request_ids": 5}, {"request_ids": [None, 3]}, {"schema_version": "x"},
    {"query": {"start": "2020", "end": "2021", "max_distances": "far"}}, {"windows": 5}, {"elements_age": "old"},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::aurorax_pandas.AuroraxDataWarning")
@pytest.mark.parametrize("held", ATTRS, ids=str)
def test_attrs_of_a_foreign_file_that_hold_other_things(held):
    foreign = SAMPLE.copy()
    foreign.attrs = {"aurorax": held}
    for name in READ_ATTRS:
        with contextlib.suppress(ap.AuroraxInputError, ap.AuroraxDataError):
            call(name, [foreign, SAMPLE] if name == "concat" else foreign)
        plt.close("all")


@pytest.mark.parametrize("span", [pd.Timedelta.max, "200000D", np.timedelta64(2**62, "us"), pd.Timedelta("40000D")])
@pytest.mark.parametrize(
    ("name", "argument"),
    [("tracks", "pad"), ("image_windows", "pad"), ("spacecraft_windows", "pad"), ("minutes", "step"), ("passes", "gap"),
     ("at_window_edge", "step"), ("daily_counts", "freq"), ("read_ephemeris_of", "pad"), ("join_series", "tolerance"),
     ("filter_closest_epoch", "tolerance"), ("stitch", "step")],
)  # fmt: skip
def test_spans_that_are_huge(name, argument, span):
    near = {"near": "2020-01-01"} if name == "filter_closest_epoch" else {}
    with pytest.raises(ap.AuroraxInputError, match=f"{argument}="):
        call(name, SAMPLE, **{argument: span}, **near)


@pytest.mark.parametrize("name", ["to_csv", "to_json", "to_parquet", "to_netcdf"])
@pytest.mark.parametrize(
    "path", ["a\0b", 5, None, ["a"], b"a", np.nan, SAMPLE, "."], ids=lambda path: type(path).__name__
)
def test_names_of_files_that_are_none(name, path):
    with pytest.raises(ap.AuroraxInputError, match="path="):
        call(name, SAMPLE, path=path)
    with pytest.raises(ap.AuroraxInputError, match="path="):
        ap.load_conjunctions(path)


@pytest.mark.parametrize("path", ["a\0b.json", ".", "/"])
def test_names_of_files_of_others_that_are_none(path):
    with pytest.raises(ap.AuroraxInputError, match="query="):
        ap.read_aurorax_conjunctions(query=path)
    with pytest.raises(ap.AuroraxInputError):
        ap.footprints_from_elements(path, "2020-01-01", "2020-01-02")
    with pytest.raises(ap.AuroraxInputError):
        ap.as_ephemeris(path)


def test_a_checkpoint_that_is_no_folder(tmp_path, recorded_search):
    (tmp_path / "file").write_text("x")
    for checkpoint in (tmp_path / "file", "a\0b", 5, ["a"]):
        with pytest.raises(ap.AuroraxInputError, match="checkpoint"):
            ap.read_aurorax_conjunctions(
                **recorded_search, checkpoint=checkpoint, api_url="http://127.0.0.1:9", check_names=False
            )


@pytest.mark.parametrize(
    ("package", "call_it"),
    [
        ("h5netcdf", lambda: ap.to_netcdf(SAMPLE, "a.nc")),
        ("jinja2", lambda: ap.style(ap.pair_summary(SAMPLE))),
        ("sgp4", lambda: ap.footprints_from_elements({"NORAD_CAT_ID": 1}, "2020-01-01", "2020-01-01")),
        ("dask", lambda: ap.load_conjunctions("a.parquet", engine="dask")),
    ],
)  # fmt: skip
def test_a_missing_extra_is_one_kind_of_error(package, call_it, monkeypatch):
    ap.to_parquet(SAMPLE, "a.parquet")
    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ap.AuroraxMissingExtraError, match=rf"needs {package}: pip install") as caught:
        call_it()
    assert isinstance(caught.value, ImportError)


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.sets(st.integers(), max_size=2),
    st.sampled_from(
        [pd.NA, pd.NaT, np.nan, np.zeros((2, 2)), np.array([]), SAMPLE, KP, object(), len, type, pd.Timedelta.max,
         pd.Timestamp.max, 10**400, np.datetime64("NaT", "us"), slice(1), EPHEMERIS, 1j, range(3), {"a": {}}]
    ),
)  # fmt: skip
OFFLINE = [name for name in (*VERBS, *PLOTS) if name not in ("read_ephemeris_of", "read_data_products_of")]
PARAMETERS = [
    (name, parameter.name)
    for name in OFFLINE
    for parameter in list(inspect.signature(getattr(ap, name)).parameters.values())[1:]
    if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PARAMETERS), JUNK)
@example(("daily_counts", "by"), type)
@example(("explore", "color"), [])
@example(("explore", "width"), pd.NA)
def test_whatever_is_given_is_used_or_told(where, junk):
    name, argument = where
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ap.AuroraxDataWarning)
        try:
            call(name, SAMPLE, **{argument: junk})
        except ap.AuroraxInputError:
            return
        finally:
            plt.close("all")


SEARCH = {
    "start": "2020-01-01", "end": "2020-01-01T00:05", "distance": 300, "ground": {"programs": "themis-asi"},
    "space": {"programs": "swarm"},
}  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(inspect.signature(ap.ConjunctionSearch).parameters)), JUNK)
def test_whatever_a_search_is_given_is_used_or_told(argument, junk):
    if argument in ("clock", "sleep"):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ap.AuroraxDataWarning)
        try:
            ap.ConjunctionSearch(**{**SEARCH, argument: junk}).close()
        except ap.AuroraxInputError:
            return


LONG = ["z" * 5000, list(range(5000)), 10**5000, np.zeros((2, 2)), SAMPLE, EPHEMERIS]


@pytest.mark.parametrize(
    "call_it",
    [
        lambda value: ap.filter_closest_epoch(SAMPLE, start=value),
        lambda value: ap.filter_closest_epoch(SAMPLE, near=[value]),
        lambda value: ap.explode_events(SAMPLE, columns=[value]),
        lambda value: ap.join_series(SAMPLE, KP, on=value),
        lambda value: ap.passes(SAMPLE, formation={"A": [value]}),
        lambda value: ap.load_conjunctions("a.parquet", columns=[value]),
        lambda value: ap.find_conjunctions(EPHEMERIS, **{**SEARCH, "ground": [value]}),
        lambda value: ap.find_conjunctions(EPHEMERIS, **{**SEARCH, "conjunction_types": [value]}),
        lambda value: ap.read_aurorax_conjunctions(**SEARCH, checkpoint=value, api_url="http://127.0.0.1:9", check_names=False),
        lambda value: ap.read_aurorax_ephemeris("2020-01-01", "2020-01-02", programs=[value], api_url=value),
    ],
)  # fmt: skip
def test_a_message_stays_short_whatever_was_given(call_it):
    for value in LONG:
        with pytest.raises(ap.AuroraxInputError) as caught:
            call_it(value)
        assert len(str(caught.value)) < 600
        assert "\n" not in str(caught.value)


def test_a_number_below_all_floats_is_below_0():
    with pytest.raises(ap.AuroraxInputError, match="distance="):
        ap.within(SAMPLE, -(10**400))
    with pytest.raises(ap.AuroraxInputError, match="max_distance="):
        ap.filter_closest_epoch(SAMPLE, max_distance=-(10**400))
    assert len(ap.within(SAMPLE, 10**400)) == len(SAMPLE)


# newer NumPy has no such spans for long
@pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")
def test_a_span_without_a_unit_is_no_name():
    for name, argument in (("explode_events", "columns"), ("closest", "by"), ("join_series", "on")):
        with pytest.raises(ap.AuroraxInputError, match=argument):
            call(name, SAMPLE, **{argument: np.timedelta64(5)})
