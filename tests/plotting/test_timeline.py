import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import dates
from matplotlib.collections import PolyCollection

import aurorax_pandas as ap
import aurorax_pandas.testing
from aurorax_pandas import as_conjunctions
from aurorax_pandas.plotting.bars import Bars


def bars_of(ax):
    (bars,) = [one for one in ax.collections if isinstance(one, PolyCollection)]
    return bars


def labels_of(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def drawn(ax):
    figure = ax.get_figure()
    figure.canvas.draw()
    return figure


def colorbars(ax):
    return [other for other in ax.get_figure().axes if other is not ax]


def test_each_pair_has_a_lane_and_each_event_a_bar(sample):
    ax = sample.aurorax.plot.timeline()
    assert labels_of(ax) == sample.aurorax.pair_summary().index.tolist()
    assert len(bars_of(ax).get_paths()) == 49


def test_a_bar_runs_from_start_to_a_minute_after_end_in_the_lane_of_its_pair(builders):
    df = as_conjunctions([builders.record(0, 4), builders.record(10, 10, sources=(builders.GILL, builders.SWARM_A))])
    ax = df.aurorax.plot.timeline()
    first, second = (path.get_extents() for path in bars_of(ax).get_paths())
    lanes = dict(zip(labels_of(ax), ax.get_yticks(), strict=True))
    for box, name, start, stop in (
        (first, "THEMIS-ASI ATHA & Swarm A", 0, 5),
        (second, "THEMIS-ASI GILL & Swarm A", 10, 11),
    ):
        assert box.x0 == pytest.approx(dates.date2num(pd.Timestamp(builders.at(start))))
        assert box.x1 == pytest.approx(dates.date2num(pd.Timestamp(builders.at(stop))))
        assert box.y0 < lanes[name] < box.y1
    assert first.y1 < second.y0


def test_axis_is_utc_with_concise_dates_and_holds_all_bars(sample):
    ax = sample.aurorax.plot.timeline()
    assert ax.get_xlabel() == "Time [UTC]"
    assert isinstance(ax.xaxis.get_major_formatter(), dates.ConciseDateFormatter)
    low, high = ax.get_xlim()
    assert low < dates.date2num(sample["start"].min())
    assert high > dates.date2num(sample["end"].max() + pd.Timedelta("1min"))


def test_color_bar_has_its_unit_and_its_range(sample):
    ax = sample.aurorax.plot.timeline()
    (bar,) = colorbars(ax)
    assert "[km]" in bar.get_ylabel()
    assert bars_of(ax).get_clim() == (0, 500)
    sample.attrs = {}
    unknown = sample.aurorax.plot.timeline()
    assert bars_of(unknown).get_clim() == (sample["min_distance"].min(), sample["min_distance"].max())
    assert bars_of(ax).get_array().tolist() == sample.aurorax.explode_events()["min_distance"].tolist()


def test_one_color_or_a_legend_of_categories(sample):
    plain = sample.aurorax.plot.timeline(color=None)
    assert colorbars(plain) == []
    assert plain.get_legend() is None
    named = sample.aurorax.plot.timeline(color="e2_display_name")
    assert [text.get_text() for text in named.get_legend().get_texts()] == ["Swarm A", "Swarm B", "Swarm C"]
    assert len({tuple(color) for color in bars_of(named).get_facecolor()}) == 3


def test_lanes_by_site_or_column(sample):
    by_site = sample.aurorax.plot.timeline(by="site")
    assert "GILL & Swarm C" in labels_of(by_site)
    by_column = sample.aurorax.plot.timeline(by="e2_display_name")
    assert labels_of(by_column) == ["Swarm A", "Swarm B", "Swarm C"]


@pytest.mark.parametrize("argument", ["by", "color"])
def test_a_column_that_is_not_there_is_refused_and_named(sample, argument):
    with pytest.raises(ap.AuroraxInputError, match=f"{argument}='speed'"):
        sample.aurorax.plot.timeline(**{argument: "speed"})
    assert plt.get_fignums() == []


def test_axes_given_are_drawn_into_and_returned(sample):
    figure, axes = plt.subplots(2)
    assert sample.aurorax.plot.timeline(ax=axes[1]) is axes[1]
    assert len(axes[0].collections) == 0
    assert plt.get_fignums() == [figure.number]


def test_plot_itself_is_the_timeline(sample):
    assert labels_of(sample.aurorax.plot()) == labels_of(ap.timeline(sample))


def test_events_are_drawn_as_they_are(sample):
    events = sample.aurorax.explode_events()
    chosen = events[events["e2_display_name"] == "Swarm A"]
    assert len(bars_of(chosen.aurorax.plot.timeline()).get_paths()) == len(chosen)


def test_own_columns_of_events_can_color(sample):
    events = sample.aurorax.explode_events().assign(kp=np.arange(49.0))
    ax = events.aurorax.plot.timeline(color="kp")
    assert bars_of(ax).get_array().tolist() == events["kp"].tolist()


def test_an_empty_frame_makes_a_picture_that_says_so(sample):
    ax = sample.iloc[:0].aurorax.plot.timeline()
    drawn(ax)
    assert [text.get_text() for text in ax.texts] == ["no conjunctions"]


def test_drawing_does_not_change_the_frame(sample):
    before = sample.copy(deep=True)
    sample.aurorax.plot.timeline()
    ap.testing.assert_conjunctions_equal(sample, before)


@pytest.mark.parametrize(("count", "pairs"), [(1, 1), (5, 5), (49, 30), (500, 60)])
def test_labels_are_whole_apart_and_legible(builders, count, pairs):
    df = as_conjunctions(builders.many(count, pairs, minutes=3 * 1440))
    ax = df.aurorax.plot.timeline()
    figure = drawn(ax)
    assert len(labels_of(ax)) == pairs
    frame = figure.bbox
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    for label in [
        *ax.get_yticklabels(),
        *ax.get_xticklabels(),
        ax.xaxis.label,
        *(one.yaxis.label for one in colorbars(ax)),
    ]:
        if label.get_text() and label.get_visible():
            box = label.get_window_extent()
            assert frame.x0 <= box.x0 < box.x1 <= frame.x1
            assert frame.y0 <= box.y0 < box.y1 <= frame.y1
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in itertools.pairwise(boxes))
    assert all(label.get_fontsize() >= 5 for label in ax.get_yticklabels())


def test_a_minute_is_visible_on_an_axis_of_days(builders):
    df = as_conjunctions([builders.record(0, 0), builders.record(5 * 1440, 5 * 1440)])
    ax = df.aurorax.plot.timeline()
    figure = drawn(ax)
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    color = np.rint(bars_of(ax).get_facecolor()[0][:3] * 255)
    x, y = ax.transData.transform((dates.date2num(df["start"].iloc[0]), 0.0))
    around = pixels[int(pixels.shape[0] - y), int(x) - 3 : int(x) + 4]
    assert (np.abs(around - color).max(axis=-1) < 40).any()


@pytest.mark.parametrize("height", [2.0, 4.0])
def test_many_lanes_in_small_axes_keep_labels_apart(builders, height):
    df = as_conjunctions(builders.many(120, 60))
    _, ax = plt.subplots(figsize=(8, height))
    df.aurorax.plot.timeline(ax=ax)
    drawn(ax)
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert len(boxes) >= 2
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in itertools.pairwise(boxes))


def test_an_exact_span_is_drawn_as_long_as_it_is():
    exact = ap.find_conjunctions(
        ap.load_sample_ephemeris(), distance=300, ground={"programs": "themis-asi"}, space={"programs": "swarm"},
        continuous=True,
    )  # fmt: skip
    one = exact.aurorax.closest(1)
    [bars] = [each for each in one.aurorax.plot.timeline().collections if isinstance(each, Bars)]
    days = (one["end"] - one["start"]).iloc[0] / pd.Timedelta("1D")
    assert bars.right[0] - bars.left[0] == pytest.approx(days, abs=1e-8)
