"""Values at the edge of what there is: half characters, far times, huge distances, names that cannot be shown."""

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap

SAMPLE = ap.load_sample_conjunctions()
EPHEMERIS = ap.load_sample_ephemeris()
HALF = "\ud800x"
SEARCH = {
    "start": "2020-01-01", "end": "2020-01-01T00:05", "distance": 300, "ground": {"programs": "themis-asi"},
    "space": {"programs": "swarm"},
}  # fmt: skip


def refused(call_it, match, kind=ap.AuroraxInputError):
    with pytest.raises(kind, match=match) as caught:
        call_it()
    assert len(str(caught.value)) < 600
    return str(caught.value)


@pytest.mark.parametrize(
    ("call_it", "named"),
    [
        (lambda: ap.select_sources(SAMPLE, programs=HALF), "programs"),
        (lambda: ap.select_sources(SAMPLE, sites=["GILL", HALF]), "sites"),
        (lambda: ap.find_conjunctions(EPHEMERIS, **{**SEARCH, "ground": {"programs": HALF}}), "programs"),
        (lambda: ap.MetadataFilterExpression("key", [HALF]), "values of 'key'"),
        (lambda: ap.stations(EPHEMERIS["epoch"].values[:2], locations={HALF: (51, -114)}), "locations"),
    ],
)  # fmt: skip
def test_half_a_character_in_a_name_is_told(call_it, named):
    assert "half of a character" in refused(call_it, f"^{named}")


def with_half_in_name():
    df = SAMPLE.assign(mine=1)
    return df.set_axis(pd.Index([*df.columns[:-1], HALF], dtype=object), axis=1)


def test_half_a_character_in_a_frame_is_told(tmp_path):
    events = SAMPLE.aurorax.explode_events()
    cut = events.assign(e1_display_name=pd.Series([HALF] * len(events), dtype=object))
    labelled = SAMPLE.set_index(pd.Index([f"{HALF}{row}" for row in range(len(SAMPLE))], dtype=object))
    marked = SAMPLE.copy()
    marked.attrs["aurorax"]["request_ids"] = [HALF]
    for verb in (ap.explode_events, ap.passes, ap.to_arrow, ap.minutes):
        refused(lambda verb=verb: verb(with_half_in_name()), "the name of a column")
    for verb in (ap.passes, ap.magnetic, ap.report):
        refused(
            lambda verb=verb: verb(cut, **({} if verb is ap.passes else {"ephemeris": EPHEMERIS})), "e1_display_name"
        )
    refused(lambda: ap.to_arrow(labelled), "level 0 of the index")
    refused(lambda: ap.swarmaurora_url(marked), "request_id")
    refused(lambda: ap.to_csv(marked, tmp_path / "a.csv"), "to_csv: what stands in attrs")
    refused(lambda: ap.to_json(with_half_in_name(), tmp_path / "a.json"), "to_json: the name of a column")
    assert not list(tmp_path.iterdir())


def test_the_cure_that_is_named_mends_the_text():
    events = SAMPLE.aurorax.explode_events()
    cut = events.assign(e1_display_name=pd.Series([HALF] * len(events), dtype=object))
    mended = cut.assign(e1_display_name=cut["e1_display_name"].str.replace("[\ud800-\udfff]", "?", regex=True))
    assert ap.daily_counts(mended)["count"].sum() == len(events)


def moved(frame, **ticks):
    return frame.assign(**{name: np.full(len(frame), np.datetime64(tick, "us")) for name, tick in ticks.items()})


@pytest.mark.parametrize("verb", ["minutes", "pair_summary", "passes", "revisits"])
@pytest.mark.parametrize("ticks", [{"start": -(2**62)}, {"start": -(2**62) - 2**61, "end": 2**62 + 2**61}])
def test_times_that_are_too_far_to_count_by_are_told(verb, ticks):
    events = moved(SAMPLE.aurorax.explode_events(), **ticks)
    assert "70 000 years" in refused(lambda: getattr(ap, verb)(events), f"{verb}: the start -")


def test_spans_of_many_thousand_years_are_counted():
    found = ap.minutes(moved(SAMPLE, start=-(2**60), end=2**60), step="1min")
    assert found.tolist() == [2**61 / 60e6 + 1] * len(SAMPLE)
    assert ap.minutes(SAMPLE, step="1500ns").iloc[0] == (60e9 + 1500) / 60e9


def test_a_long_step_of_many_events_is_counted():
    many = pd.concat([SAMPLE.aurorax.explode_events().query("pair == 'THEMIS-ASI GILL & Swarm C'")] * 2000)
    assert ap.pair_summary(many, step="36000D")["minutes"].tolist() == [
        36000 * 1440.0 + (many["end"].max() - many["start"].min()) / pd.Timedelta("1min")
    ]


def test_distances_near_the_largest_float_have_a_median():
    events = SAMPLE.aurorax.explode_events().assign(min_distance=1.5e308, max_distance=1.7e308)
    assert (ap.pair_summary(events)["median_distance"] == 1.5e308).all()


class Shy:
    def __repr__(self):
        raise RuntimeError("not shown")


class ShyText(str):
    __slots__ = ()

    def __repr__(self):
        raise RuntimeError("not shown")


@pytest.mark.parametrize("thing", [Shy(), ShyText("zzz"), [Shy()], {Shy(): 1}, {"programs": ShyText("zzz")}])
@pytest.mark.parametrize(
    "argument", ["ground", "space", "events", "start", "end", "distance", "conjunction_types", "max_distances"]
)
def test_what_cannot_be_shown_is_told_by_its_type(argument, thing):
    refused(lambda: ap.find_conjunctions(EPHEMERIS, **{**SEARCH, argument: thing}), r".")


def test_names_of_files_stay_short_in_messages():
    for length in (300, 5000):
        refused(lambda length=length: ap.read_aurorax_conjunctions(query="x" * length), "query=")
        refused(lambda length=length: ap.as_ephemeris("x" * length), "data=")
        refused(
            lambda length=length: ap.footprints_from_elements("x" * length, "2020-01-01", "2020-01-01"), "elements="
        )
        refused(lambda length=length: ap.to_csv(SAMPLE, f"{'x' * length}.csv"), "path=")
    refused(lambda: ap.EventsCriteriaBlock(programs="x" * 5000), "programs")


@pytest.mark.parametrize(
    ("wide", "every"), [("36525D", "3s"), ("1W", "1s"), ("10s", "1ms")]
)  # fmt: skip
def test_tracks_of_too_many_points_are_refused_before_they_take_their_memory(wide, every):
    many = pd.concat([SAMPLE] * (10 if wide == "10s" else 1))
    text = refused(lambda: ap.tracks(many, EPHEMERIS, pad=wide, cadence=every), "tracks: cadence=")
    assert "give a longer cadence" in text


def test_months_that_do_not_go_on_are_no_length_of_a_day():
    for months in (0, -1):
        refused(lambda months=months: ap.daily_counts(SAMPLE, freq=pd.offsets.MonthBegin(months)), "freq=")


JUNK = [5, 1.5, np.nan, b"x", ["x"], [5], {"a": 1}, pd.NA, pd.NaT, np.zeros((2, 2)), SAMPLE, len, 10**400, slice(1), HALF, "x" * 3000, [("A", 1)]]  # fmt: skip


@pytest.mark.parametrize("argument", ["programs", "platforms", "locations", "conjugate", "operating", "kp"])
def test_whatever_stations_are_given_is_used_or_told(argument):
    usual = {"programs": "themis-asi", "platforms": "GILL", "conjugate": True}
    for junk in JUNK:
        try:
            ap.stations(EPHEMERIS["epoch"].values[:2], **{**usual, argument: junk})
        except ap.AuroraxInputError as error:
            assert len(str(error)) < 600  # noqa: PT017  (what is used raises nothing)


def test_epochs_that_are_none_are_told_in_short():
    for junk in ("x" * 3000, EPHEMERIS, SAMPLE, {"a": 1}):
        refused(lambda junk=junk: ap.stations(junk, platforms="GILL"), "epochs")


def test_instants_at_the_end_of_all_times_come_back():
    far = moved(SAMPLE, start=-(2**63) + 2, end=2**63 - 1)
    ap.testing.assert_conjunctions_equal(ap.to_dataframe(ap.to_xarray(far)), far)


def test_stations_by_position_or_in_another_word_are_met():
    epochs = EPHEMERIS["epoch"].values[:2]
    refused(
        lambda: ap.stations(epochs, "gillam"), "stations takes epochs by position; write the others by name: programs="
    )
    refused(lambda: ap.stations(epochs, site="GILL"), "write platforms='GILL'")
    refused(lambda: ap.footprints_from_elements([], "2020-01-01", "2020-01-01", progress=pd.NA), r".")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("list_data_sources", "read_aurorax_data_sources"), ("load_sample", "load_sample_conjunctions"),
     ("read_data_products", "read_aurorax_data_products"), ("set_option", "set_options")],
)  # fmt: skip
def test_a_function_of_another_name_is_suggested_by_its_words(name, meant):
    with pytest.raises(AttributeError, match=f"did you mean .*'{meant}'"):
        getattr(ap, name)


def test_the_accessor_tells_columns_and_functions_that_are_no_verbs():
    with pytest.raises(AttributeError, match=r"the column is df\['data_sources'\]"):
        _ = SAMPLE.aurorax.data_sources
    with pytest.raises(AttributeError, match=r"did you mean aurorax_pandas\.read_aurorax_data_sources\?"):
        _ = SAMPLE.aurorax.list_data_sources
