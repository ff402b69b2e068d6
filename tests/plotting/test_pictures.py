import itertools
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from matplotlib.axes._secondary_axes import SecondaryAxis
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_rgb

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal

BASELINE = Path(__file__).with_name("baseline")
BLOCK = 8


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def near(ephemeris):
    return ap.closest_approach(ap.load_sample_conjunctions(), ephemeris)


PICTURES = {
    "timeline": lambda df, ephemeris, ax: df.aurorax.plot.timeline(ax=ax, markers=True, sort="start"),
    "lanes_by_day": lambda df, ephemeris, ax: df.aurorax.plot(by="spacecraft", by_day=True, color=None, ax=ax),
    "distance": lambda df, ephemeris, ax: df.aurorax.plot.distance(ax=ax, emission_altitude=110.0),
    "calendar": lambda df, ephemeris, ax: df.aurorax.plot.calendar("site", ax=ax),
    "histogram": lambda df, ephemeris, ax: df.aurorax.plot.histogram("approach_distance", by="spacecraft", ax=ax),
    "map": lambda df, ephemeris, ax: df.aurorax.plot.map(ephemeris, ax=ax),
}


def drawn(ax):
    ax.figure.canvas.draw()
    return ax.figure


def words(ax):
    """Give every text that is drawn outside of the plot itself; ticks beyond the limits are not drawn."""
    legend = ax.get_legend()
    texts = [] if legend is None else list(legend.get_texts())
    for each in [] if hasattr(ax, "projection") else ax.figure.axes:
        for axis, limits in ((each.xaxis, each.get_xlim()), (each.yaxis, each.get_ylim())):
            shown = [min(limits) <= place <= max(limits) for place in axis.get_ticklocs()]
            texts += itertools.compress(axis.get_ticklabels(), shown)
            texts += [axis.label, axis.get_offset_text()]
    return [text for text in texts if text.get_text() and text.get_visible()]


@pytest.mark.parametrize("name", list(PICTURES))
def test_pictures_are_as_they_were_when_looked_at(near, ephemeris, name):
    # means of blocks without words: fonts and anti-aliasing differ between versions of matplotlib, layouts do not
    with mpl.rc_context(mpl.rcParamsDefault | {"backend": mpl.rcParams["backend"]}):
        figure = plt.figure(figsize=(6.4, 4.8), dpi=100)
        ax = PICTURES[name](near, ephemeris, figure.add_axes((0.1, 0.1, 0.6, 0.7)))
        for text in figure.findobj(mpl.text.Text):
            text.set_visible(False)
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(float)
    assert ax.figure is figure
    blocks = pixels.reshape(480 // BLOCK, BLOCK, 640 // BLOCK, BLOCK, 3).mean(axis=(1, 3))
    path = BASELINE / f"{name}.png"
    if not path.exists():
        image.imsave(path, blocks.round().astype(np.uint8))
        pytest.fail(f"{path.name} was not there; it is now: look at the picture, then run again")
    before = image.imread(path)[..., :3] * 255
    assert np.sqrt(((blocks - before) ** 2).mean()) < 6


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", list(PICTURES))
def test_words_are_on_the_picture(near, ephemeris, name, dark):
    with plt.style.context("dark_background" if dark else "default"):
        ax = PICTURES[name](near, ephemeris, None)
        frame = drawn(ax).bbox
        for text in words(ax):
            box = text.get_window_extent()
            assert frame.x0 - 1 <= box.x0 < box.x1 <= frame.x1 + 1, text.get_text()
            assert frame.y0 - 1 <= box.y0 < box.y1 <= frame.y1 + 1, text.get_text()


@pytest.mark.parametrize("name", list(PICTURES))
def test_an_empty_frame_gives_labelled_empty_axes(near, ephemeris, name):
    ax = PICTURES[name](near.iloc[:0], ephemeris, None)
    drawn(ax)
    assert "no conjunctions" in [text.get_text() for text in ax.texts]
    assert name == "map" or ax.get_xlabel()


@pytest.mark.parametrize("name", list(PICTURES))
def test_axes_given_are_drawn_into_and_the_frame_is_left(near, ephemeris, name):
    figure, axes = plt.subplots(1, 2)
    before = near.copy(deep=True)
    assert PICTURES[name](near, ephemeris, axes[1]) is axes[1]
    assert not axes[0].has_data()
    assert plt.get_fignums() == [figure.number]
    assert_conjunctions_equal(near, before)


def test_overflights_are_filled_and_conjugate_rows_hollow(near):
    ax = near.aurorax.plot.timeline()
    (bars,) = (one for one in ax.collections if isinstance(one, PolyCollection))
    assert (len(bars.get_paths()), bars.hollow.sum()) == (49, 29)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["overflight", "conjugate"]


def test_lanes_are_sorted_as_asked(sample):
    summary = sample.aurorax.pair_summary()
    for sort, column, ascending in (
        ("start", "first_start", True), ("count", "count", False), ("distance", "min_distance", True),
    ):  # fmt: skip
        labels = [text.get_text() for text in sample.aurorax.plot.timeline(sort=sort).get_yticklabels()]
        assert labels == summary.sort_values(column, ascending=ascending, kind="stable").index.tolist()
    with pytest.raises(ap.AuroraxInputError, match="sort='size'"):
        sample.aurorax.plot.timeline(sort="size")


def test_lanes_break_at_midnight(builders):
    df = ap.as_conjunctions([builders.record(1438, 1442, closest=1441), builders.record(5, 6)])
    ax = df.aurorax.plot.timeline(by_day=True, markers=True)
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels == ["THEMIS-ASI ATHA & Swarm A  2020-01-01", "THEMIS-ASI ATHA & Swarm A  2020-01-02"]
    (bars,) = (one for one in ax.collections if isinstance(one, PolyCollection))
    spans = sorted(tuple(np.round(path.get_extents().intervalx * 1440, 6)) for path in bars.get_paths())
    assert spans == [(0, 3), (5, 7), (1438, 1440)]
    (marks,) = ax.lines
    assert np.round(np.sort(marks.get_xdata()) * 1440, 6).tolist() == [1, 5]
    assert ax.get_xlabel() == "Time of day [UTC]"


def test_markers_stand_at_closest_epochs(sample):
    (marks,) = sample.aurorax.plot.timeline(markers=True).lines
    assert sorted(marks.get_xdata()) == sorted(mpl.dates.date2num(sample["closest_epoch"]))


def test_own_columns_of_conjunctions_can_be_lanes_and_colours(sample):
    ax = sample.assign(kp=np.arange(49) % 3, storm="yes").aurorax.plot.timeline(by="kp", color="storm")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1", "2"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["yes"]


def test_distances_run_from_least_to_greatest(sample):
    ax = sample.aurorax.plot.distance("spacecraft")
    lines = np.concatenate([one.get_segments() for one in ax.collections if isinstance(one, LineCollection)])
    assert sorted(lines[:, 0, 1]) == sorted(sample["min_distance"])
    assert sorted(lines[:, 1, 1]) == sorted(sample["max_distance"])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("Distance [km]", "Time [UTC]")


def test_where_there_are_more_groups_than_colours_the_rest_is_grey(sample):
    ax = sample.aurorax.plot.distance("pair")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[-2:] == ["others", "minutes: least to greatest"]
    assert len(set(labels)) == len(labels) >= 8
    shown = {handle.get_color() for handle in ax.get_legend().legend_handles[:-2]}
    assert to_rgb(ax.get_legend().legend_handles[-2].get_color()) not in {to_rgb(each) for each in shown}


def test_elevation_axis_is_that_of_the_emission_altitude(sample):
    ax = sample.aurorax.plot.distance(emission_altitude=110.0)
    (second,) = (one for one in ax.child_axes if isinstance(one, SecondaryAxis))
    ticks = dict(zip((text.get_text() for text in second.get_yticklabels()), second.get_yticks(), strict=True))
    assert ticks["10"] == pytest.approx(501, abs=2)
    assert ticks["90"] == pytest.approx(0, abs=1e-3)
    assert second.get_ylabel() == "Elevation at 110 km [degrees]"


def test_calendar_counts_each_pair(sample):
    ax = sample.aurorax.plot.calendar("site")
    (cells,) = (one.get_array() for one in ax.collections if isinstance(one, QuadMesh))
    labels = [text.get_text() for text in ax.get_yticklabels()]
    counts = sample.aurorax.groupby_pair("site").size()
    assert dict(zip(labels, cells.ravel().tolist(), strict=True)) == counts.to_dict()
    assert ax.get_xlabel() == "Day [UTC]"


def test_calendar_refuses_what_it_cannot_show(sample):
    for options in ({"values": "sum"}, {"freq": "h"}, {"sort": "size"}, {"vmin": 3, "vmax": 2}, {"cmap": "virids"}):
        with pytest.raises(ap.AuroraxInputError, match=f"{next(iter(options))}="):
            sample.aurorax.plot.calendar(**options)
    assert plt.get_fignums() == []


def test_histogram_counts_every_event_once(near):
    ax = near.aurorax.plot.histogram(by="spacecraft", bins=[0, 100, 300, 500])
    assert sum(patch.get_height() for patch in ax.patches) == 49
    assert near.aurorax.plot.histogram("minutes").get_xlabel() == "Duration [min]"
    with pytest.raises(ap.AuroraxInputError, match="holds no numbers"):
        near.aurorax.plot.histogram("pair")


@pytest.mark.parametrize("cartopy", [True, False])
def test_map_shows_stations_circles_tracks_and_closest_points(near, ephemeris, cartopy, monkeypatch):
    if cartopy:
        pytest.importorskip("cartopy")
    else:
        monkeypatch.setitem(sys.modules, "cartopy", None)
        monkeypatch.setitem(sys.modules, "cartopy.crs", None)
    df = near.aurorax.select_sources(site="GILL")
    ax = df.aurorax.plot.map(ephemeris)
    drawn(ax)
    assert hasattr(ax, "projection") == cartopy
    lines = [line for one in ax.collections if isinstance(one, LineCollection) for line in one.get_segments()]
    ring, _ = (line for line in lines if len(line) == 121)
    scale = 1000 if cartopy else 1
    centre = ring[:-1].mean(axis=0)
    assert np.hypot(*(ring - centre).T).mean() / scale == pytest.approx(501, rel=0.01)
    assert "GILL" in [text.get_text() for text in ax.texts]
    diamonds = [line for line in ax.lines if line.get_marker() == "D" and len(line.get_xdata())]
    found = np.concatenate([np.hypot(*(line.get_xydata() - centre).T) for line in diamonds]) / scale
    assert np.sort(found) == pytest.approx(np.sort(df["approach_distance"]), rel=0.01, abs=3)


@pytest.mark.parametrize(("count", "pairs"), [(5, 5), (49, 30), (500, 60), (2000, 150)])
@pytest.mark.parametrize("name", ["timeline", "calendar"])
def test_lanes_are_apart_from_5_to_2000_rows(builders, name, count, pairs):
    df = ap.as_conjunctions(builders.many(count, pairs, minutes=9 * 1440))
    ax = getattr(df.aurorax.plot, name)()
    drawn(ax)
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in itertools.pairwise(boxes))
    ticks = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert all(left.x1 <= right.x0 + 1 for left, right in itertools.pairwise(ticks))


def test_colours_are_the_users_own_where_there_are_some(sample):
    with mpl.rc_context({"axes.prop_cycle": mpl.cycler(color=["red", "blue", "black"])}):
        ax = sample.aurorax.plot.timeline(color="e2_display_name")
    (bars,) = (one for one in ax.collections if isinstance(one, PolyCollection))
    assert {tuple(color[:3]) for color in bars.get_facecolor()} == {to_rgb(each) for each in ("red", "blue", "black")}


def test_style_is_a_table_with_units(sample):
    pytest.importorskip("jinja2")
    html = sample.aurorax.pair_summary().aurorax.style().to_html()
    assert "min_distance [km]" in html
    assert "53.4" in html
    assert "last_end [UTC]" in html
    assert "ATHA &amp; Swarm A" in html
    with pytest.raises(ap.AuroraxInputError, match="pair_summary"):
        ap.style_pair_summary(sample)


def missing_and_numbers(sample):
    hour = sample["start"].dt.hour
    return sample.assign(
        night=hour.map(lambda one: "early" if one < 2 else "late" if one < 4 else None),
        hour=hour.astype("Int64").where(hour < 4) * 4,
        near=pd.cut(sample["min_distance"], [0, 150, 300, 500], labels=["near", "middle", "far"]),
    )


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("night", ["early", "late", "missing"]),
        ("hour", ["0", "4", "8", "12", "missing"]),
        ("near", ["near", "middle", "far"]),
    ],
)
def test_labels_keep_their_order_and_missing_ones_have_a_lane_of_their_own(sample, by, labels):
    df = missing_and_numbers(sample)
    ax = df.aurorax.plot.timeline(by=by, color=None if by == "hour" else by)
    assert [text.get_text() for text in ax.get_yticklabels()] == labels
    if by != "hour":
        assert [text.get_text() for text in ax.get_legend().get_texts()] == labels
    counts = df.aurorax.daily_counts(by)["count"].groupby(level=0, sort=False).sum()
    expected = df[by].value_counts(dropna=False).rename(lambda one: "missing" if pd.isna(one) else str(one))
    assert counts.to_dict() == expected.to_dict()
    assert counts.index.tolist() == labels
    for draw in (df.aurorax.plot.calendar, df.aurorax.plot.distance, df.aurorax.plot.histogram):
        draw(by=by)


@pytest.mark.parametrize("kind", ["distance", "histogram"])
def test_a_title_stands_above_the_legend(sample, kind):
    ax = getattr(sample.aurorax.plot, kind)(by="spacecraft")
    ax.set_title("A title")
    ax.get_figure().canvas.draw()
    assert ax.title.get_window_extent().y0 >= ax.get_legend().get_window_extent().y1 - 1


def test_what_was_in_the_axes_before_stays_in_sight(sample):
    ax = plt.figure().add_subplot()
    day = np.array(["2020-01-01", "2020-01-02"], "M8[us]")
    ax.plot(day, [0, 1])
    sample.aurorax.plot.timeline(ax=ax)
    low, high = ax.get_xlim()
    assert low <= mpl.dates.date2num(day[0])
    assert high >= mpl.dates.date2num(day[1])


def test_bars_without_a_value_are_seen_and_named(sample):
    df = sample.assign(kp=sample["min_distance"].where(sample["min_distance"] > 200))
    ax = df.aurorax.plot.timeline(color="kp")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["no value"]
    (bars,) = (one for one in ax.collections if isinstance(one, PolyCollection))
    ax.get_figure().canvas.draw()
    assert (bars.get_facecolor()[:, 3] == 1).all()
    plain = df.assign(kp=np.nan).aurorax.plot.timeline(color="kp")
    assert len(plain.get_figure().axes) == 1


def test_minutes_without_a_closest_epoch_have_a_dash(sample):
    df = sample[sample["start"] == sample["end"]].assign(closest_epoch=pd.NaT)
    ax = df.aurorax.plot.distance("spacecraft")
    dashes = [line for line in ax.lines if line.get_marker() == "_"]
    assert sorted(np.concatenate([line.get_ydata() for line in dashes])) == sorted(df["min_distance"])


@pytest.mark.parametrize(("years", "words"), [(0.1, "day"), (1.5, "week"), (5, "month"), (200, "year")])
def test_cells_of_a_calendar_are_as_wide_as_can_be_seen(builders, years, words):
    last = int(years * 365)
    df = ap.as_conjunctions([builders.record(day * 1440, day * 1440 + 1) for day in range(0, last, max(last // 18, 1))])
    ax = df.aurorax.plot.calendar()
    ax.figure.canvas.draw()
    cells = [one for one in ax.collections if isinstance(one, QuadMesh)][-1]
    edges = ax.transData.transform(cells.get_coordinates()[0])[:, 0]
    assert np.diff(edges).min() >= 1
    (bar,) = (other for other in ax.figure.axes if other is not ax)
    assert bar.get_ylabel() == f"Conjunctions per {words}"
    assert len(df) == cells.get_array().filled(0).sum()


@pytest.mark.parametrize("kind", ["timeline", "distance", "histogram", "calendar"])
def test_small_axes_draw_without_a_warning(sample, kind):
    figure, ax = plt.subplots(figsize=(3, 2), layout="constrained")
    getattr(sample.aurorax.plot, kind)(ax=ax)
    figure.canvas.draw()
    assert ax.get_window_extent().height > 0.2 * figure.bbox.height


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("distance", {"emission_altitude": -5}),
        ("distance", {"emission_altitude": "a"}),
        ("distance", {"elevations": [10]}),
        ("histogram", {"bins": -3}),
        ("histogram", {"bins": [3, 2, 1]}),
        ("map", {"elevations": "abc"}),
        ("map", {"elevations": [95]}),
    ],
)
def test_an_option_that_cannot_be_used_is_named_and_opens_no_figure(sample, kind, options):
    given = (ap.load_sample_ephemeris(),) if kind == "map" else ()
    with pytest.raises(ap.AuroraxInputError, match=next(iter(options))):
        getattr(sample.aurorax.plot, kind)(*given, **options)
    assert plt.get_fignums() == []


def test_the_map_holds_every_minute_in_range(sample):
    ephemeris = ap.load_sample_ephemeris()
    df = ap.find_conjunctions(
        ephemeris, distance=2000, ground={"platforms": "gillam"}, space={"programs": "swarm"}
    ).nlargest(1, "min_distance")
    ax = df.aurorax.plot.map(ephemeris)
    left, right, bottom, top = *ax.get_xlim(), *ax.get_ylim()
    marks = np.concatenate([line.get_xydata() for line in ax.lines])
    marks = marks[np.isfinite(marks).all(axis=1)]
    assert len(marks) > 2
    assert ((left < marks[:, 0]) & (marks[:, 0] < right) & (bottom < marks[:, 1]) & (marks[:, 1] < top)).all()
