"""Pictures in figures of a user's own: several calls into the same Axes, shared axes, panels without a layout."""

import io
import itertools
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.plotting.contract import panel_points


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


def stations_of(df):
    return set(df.aurorax.explode_events()["e1_display_name"].str.split().str[-1])


def names_on(ax):
    # degrees at meridians are texts too where cartopy is not there
    return sorted(
        text.get_text() for text in ax.texts if text.get_text()[:4].isalpha() and text.get_text()[:4].isupper()
    )


def test_counts_of_a_second_map_are_added_and_each_name_stands_once(sample):
    whole = sample.aurorax.plot.map(figsize=(9, 6))
    ax = sample.head(20).aurorax.plot.map(figsize=(9, 6))
    sample.tail(29).aurorax.plot.map(ax=ax)
    assert names_on(ax) == names_on(whole)
    marks, alone = ([each for each in one.collections if each.get_array() is not None] for one in (ax, whole))
    assert len(marks) == 1
    assert sorted(marks[0].get_array()) == sorted(alone[0].get_array())
    assert marks[0].get_clim() == alone[0].get_clim()


def test_a_map_says_pair_events_where_one_of_two_frames_counts_them(sample, ephemeris):
    several = ap.find_conjunctions(
        ephemeris, distance=500, ground={"programs": "themis-asi"},
        space=[{"platforms": "swarma"}, {"platforms": "swarmc"}],
    )  # fmt: skip
    for first, second in ((sample, several), (several, sample)):
        ax = first.aurorax.plot.map()
        second.aurorax.plot.map(ax=ax)
        assert ax.figure.axes[-1].get_ylabel() == "Pair events"


def test_tracks_added_to_a_map_write_no_name_and_no_instant_on_another(sample, ephemeris):
    ax = sample.head(20).aurorax.plot.map(ephemeris, figsize=(9, 6))
    sample.aurorax.plot.map(ephemeris, ax=ax)
    sample.aurorax.plot.map(ax=ax)
    ax.figure.canvas.draw()
    shown = [text for text in ax.texts if "°" not in text.get_text()]
    assert [name.split()[0] for name in names_on(ax)] == sorted(stations_of(sample))
    assert len({text.xy for text in shown}) == len(shown)


def test_circles_of_other_elevations_have_lines_of_their_own(sample):
    ax = sample.aurorax.plot.map(elevations=[10])
    sample.aurorax.plot.map(elevations=[30], ax=ax)
    handles = ax.get_legend().legend_handles
    assert len({handle.get_linestyle() for handle in handles}) == len(handles) == 2


@pytest.mark.parametrize("shared", ["sharex", "sharey"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_map_refuses_an_axis_that_others_share_and_names_the_cure(sample, shared, first):
    _, axes = plt.subplots(2, 1, **{shared: True})
    if first:
        sample.aurorax.plot.timeline(ax=axes[0])
    with pytest.raises(ap.AuroraxInputError, match=f"make the Axes without {shared}="):
        sample.aurorax.plot.map(ax=axes[first])
    assert not axes[first].has_data()


def test_lanes_that_are_shared_hold_the_labels_of_both(sample):
    gill, kian = (sample.aurorax.select_sources(site=site) for site in ("GILL", "KIAN"))
    figure, (left, right) = plt.subplots(1, 2, sharey=True)
    gill.aurorax.plot.timeline(ax=left, by="station")
    kian.aurorax.plot.calendar(ax=right, by="station")
    figure.canvas.draw()
    assert [text.get_text() for text in left.get_yticklabels()] == ["THEMIS-ASI GILL", "THEMIS-ASI KIAN"]
    assert set(left.collections[0].lane) == {0}
    assert right.collections[-1].get_array()[0].count() == 0
    assert right.collections[-1].get_array()[1].count() > 0


def test_pictures_share_an_axis_along_which_the_same_lies(sample):
    figure, (above, below) = plt.subplots(2, 1, sharex=True)
    sample.aurorax.plot.timeline(ax=above)
    sample.aurorax.plot.distance(ax=below)
    figure.canvas.draw()
    assert above.get_xlim() == below.get_xlim()
    _, (above, below) = plt.subplots(2, 1, sharex=True)
    sample.aurorax.plot.timeline(ax=above)
    with pytest.raises(ap.AuroraxInputError, match="shares its x axis with a timeline, which has times along it"):
        sample.aurorax.plot.histogram(ax=below)


@pytest.mark.parametrize("size", [(3.3, 3), (7, 5)])
def test_meridians_at_the_lower_edge_are_named_whatever_the_size(sample, ephemeris, size):
    gridliner = pytest.importorskip("cartopy.mpl.gridliner")
    ax = sample.head(20).aurorax.plot.map(ephemeris, figsize=size)
    sample.aurorax.plot.map(ephemeris, ax=ax)
    ax.figure.canvas.draw()
    (lines,) = (each for each in ax.artists if isinstance(each, gridliner.Gridliner))
    assert {text.get_text() for text in lines.bottom_label_artists if text.get_visible()} >= {"120°W", "90°W"}


def drawn_words(ax):
    """Give all words of Axes that are drawn, of the colour bar too, with their boxes."""
    picture = next(each for each in ax.artists if hasattr(each, "lanes"))
    found = []
    for each in [ax] if picture.bar is None else [ax, picture.bar.ax]:
        if not hasattr(each, "projection"):
            for axis, limits in ((each.xaxis, sorted(each.get_xlim())), (each.yaxis, sorted(each.get_ylim()))):
                ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
                found += [text for place, text in ticks if limits[0] - 1e-9 <= place <= limits[1] + 1e-9]
                found.append(axis.get_offset_text())
            found.append(each.yaxis.label)
    found += ax.get_legend().get_texts() if ax.get_legend() else []
    return [(text.get_text(), text.get_window_extent()) for text in found if text.get_text() and text.get_visible()]


PANELS = {
    "map": lambda df, ephemeris, ax: df.aurorax.plot.map(ephemeris, ax=ax),
    "counts": lambda df, _, ax: df.aurorax.plot.map(ax=ax),
    "timeline": lambda df, _, ax: df.aurorax.plot.timeline(ax=ax, by="station"),
    "pairs": lambda df, _, ax: df.aurorax.plot.distance("pair", ax=ax),
    "approach": lambda df, ephemeris, ax: df.aurorax.plot.approach(ephemeris, ax=ax),
    "calendar": lambda df, _, ax: df.aurorax.plot.calendar(by="station", ax=ax),
}


GRIDS = {
    "maps": ((1, 2), (7, 3.3), ("map", "counts")),
    "column": ((1, 2), (3.3, 2.4), ("map", "map")),
    "page": ((2, 2), (7, 6), ("timeline", "map", "counts", "pairs")),
    "others": ((2, 2), (7, 6), ("map", "timeline", "approach", "calendar")),
    "stack": ((2, 1), (3.3, 5), ("timeline", "pairs")),
}


@pytest.mark.parametrize(
    ("name", "layout"),
    [*((name, None) for name in GRIDS), *(("page", each) for each in ("constrained", "tight", "after"))],
)
def test_words_of_panels_stay_on_the_figure_and_off_each_other(sample, ephemeris, name, layout):
    grid, size, names = GRIDS[name]
    figure, axes = plt.subplots(*grid, figsize=size, squeeze=False, layout=None if layout == "after" else layout)
    for kind, ax in zip(names, axes.flat, strict=True):
        PANELS[kind](sample, ephemeris, ax)
    if layout == "after":
        figure.tight_layout()
    figure.canvas.draw()
    words = [drawn_words(ax) for ax in axes.flat]
    for text, box in (each for panel in words for each in panel):
        assert figure.bbox.x0 - 2 <= box.x0 < box.x1 <= figure.bbox.x1 + 2, text
        assert figure.bbox.y0 - 2 <= box.y0 < box.y1 <= figure.bbox.y1 + 2, text
    for (one, first), (two, second) in itertools.combinations(zip(axes.flat, words, strict=True), 2):
        for text, box in first:
            assert not box.padded(-1).overlaps(two.get_window_extent()), text
            for other, beside in second:
                assert not box.padded(-1).overlaps(beside.padded(-1)), (text, other)
        for text, box in second:
            assert not box.padded(-1).overlaps(one.get_window_extent()), text
    for ax in axes.flat:
        assert ax.get_window_extent().height > 0.25 * figure.bbox.height / grid[0] / 2


def test_a_twin_keeps_to_axes_that_made_room(sample):
    _, (_, ax) = plt.subplots(1, 2, figsize=(5, 3))
    sample.aurorax.plot.timeline(ax=ax)
    twin = ax.twinx()
    twin.plot(ax.get_xlim(), [0, 1])
    for _ in range(2):
        ax.figure.canvas.draw()
        assert np.allclose(twin.get_window_extent().get_points(), ax.get_window_extent().get_points())


def test_axes_placed_by_hand_stay_there(sample, ephemeris):
    figure = plt.figure(figsize=(4, 3))
    ax = figure.add_axes((0.3, 0.2, 0.4, 0.4))
    sample.aurorax.plot.distance(ax=ax)
    figure.canvas.draw()
    assert ax.get_position().bounds == pytest.approx((0.3, 0.2, 0.4, 0.4))


def test_a_legend_in_a_small_panel_cuts_no_words_and_says_what_it_lacks(sample, ephemeris):
    _, axes = plt.subplots(2, 2, figsize=(3.6, 4.5), layout="constrained")
    ax = sample.aurorax.plot.distance(ax=axes[0, 0])
    assert [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()][-1] == (
        "minutes: least to greatest"
    )
    whole = [text.get_text() for text in sample.aurorax.plot.map(ephemeris, figsize=(9, 6)).get_legend().get_texts()]
    ax = sample.aurorax.plot.map(ephemeris, ax=axes[1, 1])
    *shown, last = [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]
    assert shown == whole[: len(shown)]
    assert last == f"and {len(whole) - len(shown)} more"


def test_lanes_of_pairs_in_a_column_tell_station_and_spacecraft(sample):
    ax = sample.aurorax.plot.timeline(figsize=(3.3, 5))
    ax.figure.canvas.draw()
    lanes = [text.get_text() for text in ax.get_yticklabels()]
    whole = sample.aurorax.pair_summary().index
    assert [lane.removeprefix("…") for lane in lanes] == [name.removeprefix("THEMIS-ASI ") for name in whole]


@pytest.mark.parametrize("days", [12, 30, 4000])
def test_ticks_of_a_column_tell_at_least_two_times(sample, days):
    df = sample.head(2).assign(start=sample["start"].iloc[0] + pd.to_timedelta([0, days], unit="D").as_unit("us"))
    df["end"] = df["closest_epoch"] = df["start"]
    ax = df.aurorax.plot.timeline(figsize=(3.3, 4))
    ax.figure.canvas.draw()
    assert len(ax.get_xticks()) >= 2


def test_a_figure_that_made_room_is_saved_tight_and_kept(sample, ephemeris):
    figure, axes = plt.subplots(1, 2, figsize=(7, 3.3))
    sample.aurorax.plot.map(ephemeris, ax=axes[0])
    sample.aurorax.plot.timeline(ax=axes[1])
    figure.canvas.draw()
    before = [ax.get_window_extent().bounds for ax in figure.axes]
    figure.savefig(io.BytesIO(), bbox_inches="tight")
    again = pickle.loads(pickle.dumps(figure))
    for one in (figure, again):
        one.canvas.draw()
        assert [ax.get_window_extent().bounds for ax in one.axes] == [pytest.approx(each) for each in before]


def test_panels_of_unequal_widths_and_of_parts_of_figures_are_measured_as_they_are(sample):
    figure = plt.figure(figsize=(10, 4))
    narrow, wide = figure.subfigures(1, 2, width_ratios=[1, 4])
    sizes = [panel_points(part.subplots()) for part in (narrow, wide)]
    assert sizes == [pytest.approx((144, 288)), pytest.approx((576, 288))]
    _, axes = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[1, 4])
    assert [panel_points(ax) for ax in axes] == [pytest.approx(each) for each in sizes]
    before = panel_points(axes[1])
    sample.aurorax.plot.timeline(ax=axes[1])
    assert panel_points(axes[1]) == pytest.approx(before)


def test_degrees_beside_a_small_map_stand_apart_and_hemispheres_are_named_alike(ephemeris):
    df = ap.find_conjunctions(
        ephemeris, distance=3000, conjunction_types=["nbtrace", "sbtrace"],
        custom_locations={"locations": [[62.0, -95.0], [-62.0, 120.0]]}, space={"programs": "swarm"},
    )  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(9, 4))
    df.aurorax.plot.map(ax=axes[1])
    figure.canvas.draw()
    maps = [ax for ax in figure.axes if any("hemisphere" in text.get_text() for text in ax.texts)]
    assert len(maps) == 2
    for ax in maps:
        degrees = [text.get_window_extent() for text in ax.texts if "°" in text.get_text()]
        assert len(degrees) >= 4
        assert not any(one.overlaps(other) for one, other in itertools.combinations(degrees, 2))
    assert len({text.get_fontsize() for ax in maps for text in ax.texts if "hemisphere" in text.get_text()}) == 1
