"""Pictures in figures of a user's own: several calls into the same Axes, shared axes, panels without a layout."""

import matplotlib.pyplot as plt
import pytest

import aurorax_pandas as ap


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


def stations_of(df):
    return set(df.aurorax.explode_events()["e1_display_name"].str.split().str[-1])


def names_on(ax):
    return sorted(text.get_text() for text in ax.texts if text.get_text()[:4].isupper())


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


@pytest.mark.parametrize("size", [(3.3, 3), (7, 5), (9, 6)])
def test_meridians_at_the_lower_edge_are_named_whatever_the_size(sample, ephemeris, size):
    gridliner = pytest.importorskip("cartopy.mpl.gridliner")
    ax = sample.head(20).aurorax.plot.map(ephemeris, figsize=size)
    sample.aurorax.plot.map(ephemeris, ax=ax)
    ax.figure.canvas.draw()
    (lines,) = (each for each in ax.artists if isinstance(each, gridliner.Gridliner))
    assert {text.get_text() for text in lines.bottom_label_artists if text.get_visible()} >= {"120°W", "90°W"}
