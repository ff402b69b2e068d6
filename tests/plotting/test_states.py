"""What the pixels of a picture say: colours by name, states, what lies on top, how much is inked."""

import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

import aurorax_pandas as ap
from aurorax_pandas.plotting import colors
from aurorax_pandas.plotting.bars import bin_pixels
from aurorax_pandas.plotting.words import fitted, literal, text_width


def pixels_of(ax):
    figure = ax.get_figure()
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)


def pixels_at(ax, x, y):
    """Give the colours in the middle of a place of the data, as many as are there."""
    shown = pixels_of(ax)
    column, row = ax.transData.transform((x, y))
    return shown[shown.shape[0] - 1 - round(row), round(column)]


def rgb(color):
    return np.round(np.array(to_rgb(color)) * 255)


def days(number):
    return mpl.dates.date2num(np.datetime64("2020-01-01")) + number


@pytest.fixture
def three_days(builders):
    """Events on the first and fourth day, none on the third, and no operation on the second."""
    first = [builders.record(minute, minute) for minute in range(20)]
    df = ap.as_conjunctions([*first, builders.record(3 * 1440, 3 * 1440)])
    listed = pd.DataFrame({
        "identifier": 44, "source_type": "ground", "day": pd.date_range("2020-01-01", periods=4, unit="us"),
        "records": [9, 0, 9, 9],
    })  # fmt: skip
    return df, listed


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("values", ["count", "distance"])
def test_a_calendar_has_three_looks_and_its_legend_the_same(three_days, values, dark):
    df, listed = three_days
    with plt.style.context("dark_background" if dark else "default"):
        ax = df.aurorax.plot.calendar(availability=listed, values=values)
        seen = [pixels_at(ax, days(number + 0.5), 0.0) for number in range(4)]
        none, idle = ax.get_legend().legend_handles
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["no conjunction", "no operation"]
    hatched = [rgb(idle.get_facecolor()), rgb(idle.get_hatchcolor())]
    assert np.abs(seen[2] - rgb(none.get_facecolor())).max() <= 1
    low, high = np.min(hatched, axis=0), np.max(hatched, axis=0)
    assert ((low - 1 <= seen[1]) & (seen[1] <= high + 1)).all()
    (mesh,) = (one for one in ax.collections if one.get_array() is not None and one.get_cmap().N > 1)
    for number in (0, 3):
        assert np.ptp(seen[number]) > 40, "a colour of the bar is no grey"
    assert mesh.get_array()[0].tolist() == ([20, None, None, 1] if values == "count" else [100, None, None, 100])


def test_without_availability_nothing_is_said_to_be_idle(three_days):
    ax = three_days[0].aurorax.plot.calendar(values="distance")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["no conjunction"]
    assert (pixels_at(ax, days(1.5), 0) == pixels_at(ax, days(2.5), 0)).all()


def test_the_bar_of_counts_has_whole_numbers(three_days):
    for most in (1, 5, 20):
        ax = three_days[0].head(most).aurorax.plot.calendar(freq="D")
        (bar,) = (other for other in ax.figure.axes if other is not ax)
        ax.figure.canvas.draw()
        low, high = bar.get_ylim()
        ticks = [each for each in bar.get_yticks() if low <= each <= high]
        assert ticks
        assert all(tick == round(tick) >= 1 for tick in ticks)


def test_a_second_frame_has_lanes_of_its_own_and_shares_those_of_equal_label(sample):
    kian, gill = (sample.aurorax.select_sources(site=site) for site in ("KIAN", "GILL"))
    ax = kian.aurorax.plot.timeline(by="station", color=None)
    assert gill.aurorax.plot.timeline(by="station", color=None, ax=ax) is ax
    sample.aurorax.select_sources(site="ATHA").aurorax.plot.timeline(by="station", color=None, ax=ax)
    gill.aurorax.plot.timeline(by="station", color=None, ax=ax)
    ax.figure.canvas.draw()
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels == ["THEMIS-ASI KIAN", "THEMIS-ASI GILL", "THEMIS-ASI ATHA"]
    for df, lane in ((kian, 0), (gill, 1)):
        for start, end in zip(df["start"], df["end"], strict=True):
            middle = mpl.dates.date2num(start + (end + pd.Timedelta("1min") - start) / 2)
            assert (pixels_at(ax, middle, lane) == rgb(colors.PALETTE[0])).all()
            assert (pixels_at(ax, middle, 1 - lane) != rgb(colors.PALETTE[0])).any()


def test_a_second_frame_shares_the_colour_bar_and_the_legend(sample):
    early, late = sample.iloc[:20], sample.iloc[20:]
    ax = early.aurorax.plot.timeline()
    late.aurorax.plot.timeline(ax=ax)
    assert len(ax.figure.axes) == 2
    assert len({one.norm for one in ax.collections}) == 1
    named = early.aurorax.plot.distance()
    late.aurorax.plot.distance(ax=named)
    words = [text.get_text() for text in named.get_legend().get_texts()]
    assert words == ["Swarm A", "Swarm B", "Swarm C", "minutes: least to greatest"]
    with pytest.raises(ap.AuroraxInputError, match="ax holds a timeline already"):
        sample.aurorax.plot.distance(ax=ax)
    with pytest.raises(ap.AuroraxInputError, match="coloured by min_distance already"):
        sample.aurorax.plot.timeline(color="max_distance", ax=ax)
    ax.clear()
    sample.aurorax.plot.distance(ax=ax)


@pytest.mark.parametrize("first", ["near", "far"])
@pytest.mark.parametrize("calls", [1, 2])
def test_the_closer_of_two_bars_is_seen_whichever_comes_first(builders, first, calls):
    near, far = builders.record(0, 60, low=10, high=400), builders.record(0, 60, low=400, high=500)
    rows = [near, far] if first == "near" else [far, near]
    ax = None
    for part in [rows] if calls == 1 else [[one] for one in rows]:
        ax = ap.as_conjunctions(part).aurorax.plot.timeline(ax=ax, vmin=0, vmax=500)
    bars = next(one for one in ax.collections if hasattr(one, "together"))
    expected = np.array(bars.cmap(bars.norm(10.0))[:3]) * 255
    assert np.abs(pixels_at(ax, days(0.5 / 24), 0) - expected).max() <= 1


def test_long_windows_ink_what_is_occupied(builders):
    random = np.random.default_rng(3)
    made = builders.many(3000, 12, minutes=11 * 365 * 1440)
    random.shuffle(made)
    ax = ap.as_conjunctions(made).aurorax.plot.timeline(color=None, figsize=(9, 4))
    shown = pixels_of(ax)
    assert "a bar is" in ax.get_xlabel()
    bars = ax.collections[0]
    wide = bin_pixels(ax, False)
    inked, occupied, across = 0, 0, 0
    box = ax.get_window_extent()
    for lane in range(12):
        row = shown.shape[0] - 1 - round(ax.transData.transform((0, lane))[1])
        part = shown[row, int(box.x0) + 1 : int(box.x1)]
        inked += (np.abs(part - rgb(colors.PALETTE[0])).max(axis=-1) < 30).sum()
        mine = bars.lane == lane
        x = ax.transData.transform(np.column_stack([bars.left[mine], np.zeros(mine.sum())]))[:, 0]
        occupied += len(np.unique(x // wide)) * wide
        across += len(part)
    assert 1 / 1.5 < inked / occupied < 1.5
    assert inked / across < 0.9


def test_thinned_bars_are_the_pixels_of_all_bars(builders):
    df = ap.as_conjunctions(builders.many(4000, 4, minutes=4 * 1440))
    df["min_distance"] = np.random.default_rng(0).uniform(0, 500, len(df))
    full = pixels_of(df.aurorax.plot.timeline())
    # of each bin of a lane the closest alone
    ax = df.aurorax.plot.timeline()
    ax.figure.canvas.draw()
    bars = ax.collections[0]
    _, places, distance, *_ = bars.pixels(bin_pixels(ax, False))
    order = np.argsort(distance, kind="stable")
    first = np.unique(places[order], axis=0, return_index=True)[1]
    few = df.aurorax.explode_events().iloc[np.sort(order[first])]
    assert len(few) < len(df)
    alone = few.aurorax.plot.timeline()
    alone.set_xlim(ax.get_xlim())
    assert (pixels_of(alone) == full).mean() > 0.999


def shown_colors(ax):
    legend = ax.get_legend()
    return {
        text.get_text(): to_rgb(handle.get_color())
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
    }


def test_a_name_has_its_colour_in_every_picture_and_across_filters(sample):
    whole = shown_colors(sample.aurorax.plot.distance())
    part = shown_colors(sample.aurorax.select_sources(site="GILL").query("min_distance > 80").aurorax.plot.distance())
    assert {name: whole[name] for name in part} == part
    histogram = sample.aurorax.plot.histogram(by="spacecraft").get_legend()
    bars = {
        text.get_text(): to_rgb(handle.get_facecolor())
        for text, handle in zip(histogram.get_texts(), histogram.legend_handles, strict=True)
    }
    assert {name: whole[name] for name in bars} == bars
    own = shown_colors(sample.aurorax.plot.distance(palette={"Swarm A": "C3"}))
    assert own["Swarm A"] == to_rgb("C3")
    assert own["Swarm B"] == whole["Swarm B"]
    with pytest.raises(ap.AuroraxInputError, match="of 'Swarm A', is no colour"):
        sample.aurorax.plot.distance(palette={"Swarm A": "bleu"})


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=12))
def test_names_keep_their_colour_whatever_else_is_there_and_no_two_look_alike(names):
    ax = plt.figure().add_subplot()
    found = colors.looks(sorted(names), ax, {})
    assert len(set(found.values())) == len(names)
    for name in names:
        assert colors.looks([name], ax, {})[name].color == found[name].color
    plt.close("all")


def seen_by_deuteranopes(names):
    """Give colours as deuteranopes see them; G. M. Machado et al., IEEE Trans. Vis. Comput. Graph. 15, 1291 (2009)."""
    matrix = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )
    linear = np.array([to_rgb(name) for name in names])
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4) @ matrix.T
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("style", ["default", "dark_background", "grayscale", "seaborn-v0_8-poster", "ggplot"])
def test_others_are_told_by_lightness_in_print_and_by_deuteranopes(style):
    with plt.style.context(style):
        ax = plt.figure().add_subplot()
        known = colors.cycle()
        grey = colors.others_color(ax, known)
        for change in (lambda each: each, seen_by_deuteranopes):
            shades = colors.lightness(
                [tuple(each) if not isinstance(each, str) else each for each in change([*known, grey])]
            )
            least = 8.0 if style == "dark_background" else 10.0
            assert np.abs(shades[:-1] - shades[-1]).min() > least


names_of_all_kinds = st.text(min_size=1, max_size=60)


@given(st.lists(names_of_all_kinds, min_size=1, max_size=8, unique=True), st.floats(30, 200))
def test_fitted_labels_fit_and_stay_distinct(labels, room):
    plain = [literal(label) for label in labels]
    if len(set(plain)) < len(plain):
        return
    found = fitted(labels, room, 8.0)
    assert len(set(found)) == len(labels)
    for label, shown in zip(plain, found, strict=True):
        assert shown == label or "…" in shown
        assert shown != label or text_width(shown, 8.0) <= room


HOSTILE = ["$x^{$", "_x", "a\nb", r"\$5$", "$$", "%", "<b>&", r"\alpha", "{", "tab\there"]


@pytest.mark.parametrize("kind", ["timeline", "distance", "histogram", "calendar"])
def test_names_are_drawn_as_they_are(sample, kind):
    df = sample.assign(place=[HOSTILE[number % len(HOSTILE)] for number in range(49)])
    ax = getattr(df.aurorax.plot, kind)(by="place")
    ax.figure.canvas.draw()
    if kind in ("timeline", "calendar"):
        texts = [text.get_text() for text in ax.get_yticklabels()]
    else:
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
    expected = {label.replace("\n", r"\n").replace("\t", r"\t").replace("$", r"\$") for label in HOSTILE}
    assert expected & set(texts)
    assert set(texts) <= expected | {"others", "minutes: least to greatest"}
    assert all("\n" not in text for text in texts)


def test_big_pictures_are_pixels_in_a_file_of_vectors(builders):
    df = ap.as_conjunctions(builders.many(4000, 10, minutes=90 * 1440))
    for kind in ("timeline", "distance"):
        ax = getattr(df.aurorax.plot, kind)()
        kept = io.BytesIO()
        ax.figure.savefig(kept, format="svg")
        assert kept.tell() < 1_000_000
        assert b"<image" in kept.getvalue()


def test_a_map_tells_of_stations_whose_place_is_not_known(builders):
    mine = builders.source(9000, "My camera", "ground", "mine")
    unknown = builders.record(0, 1, sources=(mine, builders.SWARM_A))
    known = builders.record(0, 2, sources=(builders.GILL, builders.SWARM_A))
    with pytest.warns(
        ap.AuroraxDataWarning, match="the map lacks mycamera, whose place is not known; give the"
    ) as told:
        alone = ap.as_conjunctions([unknown]).aurorax.plot.map()
    assert [each.filename for each in told] == [__file__]
    assert [text.get_text() for text in alone.texts if "place" in text.get_text()] == [
        "the places of the stations are not known"
    ]
    with pytest.warns(ap.AuroraxDataWarning, match="mycamera"):
        both = ap.as_conjunctions([unknown, known]).aurorax.plot.map()
    assert any("GILL" in text.get_text() for text in both.texts)


@pytest.mark.parametrize(
    ("column", "verb"),
    [
        ("approach_elevation", r"closest_approach\(ephemeris\)"),
        ("sun_elevation", r"sky\(\)"),
        ("mlt", r"magnetic\(\)"),
        ("footprint_mlat", r"magnetic\(ephemeris\)"),
    ],
)
def test_a_column_that_a_verb_adds_is_met_with_the_verb(sample, column, verb):
    with pytest.raises(ap.AuroraxInputError, match=rf"{column}.*df\.aurorax\.{verb} adds it"):
        sample.aurorax.plot.histogram(column)
    with pytest.raises(ap.AuroraxInputError, match=r"df\.aurorax\.magnetic\(\) adds it"):
        sample.aurorax.plot.dial()


@pytest.mark.parametrize("copies", [1, 20])
def test_marks_at_one_place_of_a_dial_are_all_seen(sample, copies):
    events = sample.aurorax.explode_events().iloc[[9, 10]]
    assert events["e2_display_name"].tolist() == ["Swarm A", "Swarm C"]
    places = [events.assign(mlat=50 + number, mlt=float(number)) for number in range(copies)]
    ax = pd.concat(places * (1 if copies == 1 else 13), ignore_index=True).aurorax.plot.dial()
    widths = [np.sqrt(one.get_sizes()) for one in ax.collections if len(one.get_offsets())]
    assert max(each.max() for each in widths) > 1.4 * min(each.min() for each in widths)
    seen = {tuple(color) for color in pixels_of(ax).reshape(-1, 3).tolist()}
    assert {tuple(rgb(shown_colors(ax)[name])) for name in ("Swarm A", "Swarm C")} <= seen
    alone = events.head(1).assign(mlat=66.0, mlt=3.0).aurorax.plot.dial()
    assert {float(size) for one in alone.collections for size in one.get_sizes()} == {36.0}


def test_numbers_at_one_place_of_a_dial_are_all_seen(sample):
    events = sample.aurorax.explode_events().iloc[[9, 10]].assign(mlat=66.0, mlt=3.0)
    (marks,) = (one for one in events.aurorax.plot.dial("min_distance").collections if len(one.get_offsets()) == 2)
    # the closer is drawn last, and smaller
    assert marks.get_sizes()[0] > 1.4 * marks.get_sizes()[1]
    same = events.assign(min_distance=100.0).aurorax.plot.dial("min_distance")
    assert {float(size) for one in same.collections for size in one.get_sizes()} == {36.0}


@pytest.mark.parametrize("room", [300.0, 60.0])
def test_labels_that_surely_fit_are_not_measured(room, monkeypatch):
    from aurorax_pandas.plotting import words

    measured = []
    monkeypatch.setattr(words, "text_width", lambda text, size: measured.append(text) or text_width(text, size))
    labels = [f"CAMERA {number:03} & Swarm A" for number in range(100)]
    assert fitted(labels, room, 5.0) == (
        labels if room == 300 else [f"…{label.removeprefix('CAMERA ')}" for label in labels]
    )
    assert len(measured) == 0 if room == 300 else len(measured) > 0


@pytest.mark.parametrize("by_day", [False, True])
def test_a_timeline_of_nothing_is_drawn_where_all_figures_have_short_dates(sample, by_day):
    with plt.rc_context({"date.converter": "concise"}):
        ax = sample.head(0).aurorax.plot.timeline(by_day=by_day)
        ax.figure.canvas.draw()
        assert [text.get_text() for text in ax.texts] == ["no conjunctions"]
        # and holds what comes next
        again = sample.aurorax.plot.timeline(ax=ax, by_day=by_day)
        again.figure.canvas.draw()
        assert any(label.get_text() for label in again.get_xticklabels())
