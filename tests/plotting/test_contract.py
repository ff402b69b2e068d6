"""What all pictures take alike, and how they look in a column and on a page."""

import io
import itertools
import pickle
import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

import aurorax_pandas as ap
from aurorax_pandas.plotting.bars import Bars, bin_pixels
from aurorax_pandas.plotting.projection import coastline


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def listed():
    identifiers = ap.load_sample_conjunctions().aurorax.explode_events()["e1_identifier"].unique()
    return pd.DataFrame({"identifier": identifiers, "source_type": "ground", "day": "2020-01-01", "records": 420})


def magnetic(df):
    events = df.aurorax.explode_events()
    return events.assign(mlat=np.where(events.index % 3, 66.5, -70.0), mlt=(events["start"].dt.hour + 17.5) % 24)


PICTURES = {
    "timeline": lambda df, ephemeris, listed, **options: df.aurorax.plot.timeline(markers=True, **options),
    "distance": lambda df, ephemeris, listed, **options: df.aurorax.plot.distance(emission_altitude=110, **options),
    "calendar": lambda df, ephemeris, listed, **options: df.aurorax.plot.calendar(availability=listed, **options),
    "histogram": lambda df, ephemeris, listed, **options: df.aurorax.plot.histogram(by="pair", **options),
    "map": lambda df, ephemeris, listed, **options: df.aurorax.plot.map(ephemeris, **options),
    "map_counts": lambda df, ephemeris, listed, **options: df.aurorax.plot.map(**options),
    "approach": lambda df, ephemeris, listed, **options: df.aurorax.plot.approach(ephemeris, **options),
    "dial": lambda df, ephemeris, listed, **options: magnetic(df).aurorax.plot.dial(**options),
    "rate": lambda df, ephemeris, listed, **options: df.aurorax.plot.rate(listed, "spacecraft", **options),
}
every_picture = pytest.mark.parametrize("name", list(PICTURES))


@every_picture
def test_a_keyword_that_is_not_known_is_refused_with_the_nearest_before_anything_is_drawn(
    sample, ephemeris, listed, name
):
    with pytest.raises(ap.AuroraxInputError, match=r"alhpa=0.5: \w+ takes no such keyword; did you mean 'alpha'"):
        PICTURES[name](sample, ephemeris, listed, alhpa=0.5)
    with pytest.raises(ap.AuroraxInputError, match="alpha='much' cannot be used"):
        PICTURES[name](sample, ephemeris, listed, alpha="much")
    assert plt.get_fignums() == []


@every_picture
def test_keywords_reach_what_is_drawn(sample, ephemeris, listed, name):
    ax = PICTURES[name](sample, ephemeris, listed, alpha=0.33, title="A title", figsize=(5, 4), legend=False)
    drawn = [*ax.collections, *ax.lines, *ax.patches]
    assert 0.33 in [artist.get_alpha() for artist in drawn]
    assert ax.get_title() == "A title"
    assert ax.figure.get_size_inches().tolist() == [5, 4]
    assert ax.get_legend() is None
    assert [other for other in ax.figure.axes if other is not ax] == []


@every_picture
def test_axes_that_do_not_fit_are_refused(sample, ephemeris, listed, name):
    _, grid = plt.subplots(2)
    with pytest.raises(ap.AuroraxInputError, match="ax is a ndarray, no Axes; give one of the Axes in it"):
        PICTURES[name](sample, ephemeris, listed, ax=grid)
    other = plt.figure().add_subplot(projection=None if name == "dial" else "polar")
    with pytest.raises(ap.AuroraxInputError, match="polar"):
        PICTURES[name](sample, ephemeris, listed, ax=other)
    assert not other.has_data()
    with pytest.raises(ap.AuroraxInputError, match="figsize="):
        PICTURES[name](sample, ephemeris, listed, figsize=(0, 3))
    right = plt.figure().add_subplot(projection="polar" if name == "dial" else None)
    with pytest.raises(ap.AuroraxInputError, match="figsize="):
        PICTURES[name](sample, ephemeris, listed, figsize=(3, 3), ax=right)


def boxes_of(ax):
    """Give the words around a picture that are drawn, with their boxes."""
    found = []
    for each in ax.figure.axes:
        if hasattr(each, "projection"):
            continue
        for axis, limits in ((each.xaxis, each.get_xlim()), (each.yaxis, each.get_ylim())):
            low, high = min(limits), max(limits)
            shown = [low - 1e-9 <= place <= high + 1e-9 for place in axis.get_ticklocs()]
            found += [*itertools.compress(axis.get_ticklabels(), shown), axis.label, axis.get_offset_text()]
        found.append(each.title)
    legend = ax.get_legend()
    found += [] if legend is None else [*legend.get_texts()]
    found = [text for text in found if text.get_text() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent()) for text in found if text.axes is None or text.axes.axison]


def overlaps_of(boxes):
    for (one, first), (two, second) in itertools.combinations(boxes, 2):
        if first.shrunk(1, 1).padded(-0.8).overlaps(second.padded(-0.8)):
            yield one, two


@pytest.mark.parametrize("size", [(3.3, 2.8), (7.0, 4.6)], ids=["column", "page"])
@pytest.mark.parametrize("style", ["default", "seaborn-v0_8-poster"])
@every_picture
def test_words_do_not_overlap_and_stay_on_the_figure(sample, ephemeris, listed, name, style, size):
    with plt.style.context(style):
        ax = PICTURES[name](sample, ephemeris, listed, figsize=size, title="A title")
        ax.figure.canvas.draw()
        boxes = boxes_of(ax)
        assert list(overlaps_of(boxes)) == []
        frame = ax.figure.bbox
        for text, box in boxes:
            assert frame.x0 - 1.5 <= box.x0 < box.x1 <= frame.x1 + 1.5, text
            assert frame.y0 - 1.5 <= box.y0 < box.y1 <= frame.y1 + 1.5, text
        assert ax.get_window_extent().height > 0.2 * frame.height


@pytest.mark.parametrize("size", [(3.3, 2.8), (7.0, 4.6)], ids=["column", "page"])
@pytest.mark.parametrize("style", ["default", "seaborn-v0_8-poster"])
@pytest.mark.parametrize("content", ["few", "many", "tracks"])
def test_names_and_times_on_a_map_stand_apart(sample, ephemeris, content, style, size):
    df = pd.concat([sample] * 400) if content == "many" else sample
    with plt.style.context(style):
        ax = df.aurorax.plot.map(ephemeris if content == "tracks" else None, figsize=size)
        ax.figure.canvas.draw()
        boxes = [(text.get_text(), text.get_window_extent()) for text in ax.texts if "°" not in text.get_text()]
        assert {name.split()[0] for name, _ in boxes} >= {"GILL", "KIAN", "SNKQ", "KAPU"}
        assert list(overlaps_of(boxes)) == []
        frame = ax.get_window_extent()
        for text, box in boxes:
            assert frame.x0 <= box.x0 < box.x1 <= frame.x1, text
            assert frame.y0 <= box.y0 < box.y1 <= frame.y1, text


def test_counts_stand_behind_names_where_there_is_room(sample):
    wide = sample.aurorax.plot.map(figsize=(9, 6))
    counts = sample.aurorax.explode_events()["e1_display_name"].str.split().str[-1].value_counts()
    assert {f"{site} {count}" for site, count in counts.items()} <= {text.get_text() for text in wide.texts}
    narrow = pd.concat([sample] * 400).aurorax.plot.map(figsize=(3.3, 2.8))
    assert {"GILL", "KAPU"} <= {text.get_text() for text in narrow.texts}


@pytest.mark.parametrize("style", ["default", "seaborn-v0_8-poster"])
def test_first_and_last_bars_are_seen_whole(sample, ephemeris, style):
    with plt.style.context(style):
        df = sample.aurorax.closest_approach(ephemeris)
        ax = df.aurorax.plot.timeline(by="station", figsize=(3.3, 2.8))
        ax.figure.canvas.draw()
        [bars] = [each for each in ax.collections if isinstance(each, Bars)]
        corners, *_ = bars.pixels(bin_pixels(ax, True))
        assert ax.bbox.x0 <= corners[..., 0].min() < corners[..., 0].max() <= ax.bbox.x1


def test_noon_is_told_in_a_column(sample):
    ax = sample.aurorax.plot.timeline(by="spacecraft", by_day=True, figsize=(3.3, 2.8))
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["00:00", "12:00", "00:00"]
    assert not list(overlaps_of(boxes_of(ax)))


@pytest.mark.parametrize("rows", [0, 1, 49])
@every_picture
def test_no_picture_warns_in_a_column(sample, ephemeris, listed, name, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = PICTURES[name](sample.head(rows), ephemeris, listed, figsize=(3.3, 2.4))
        for form in ("png", "svg"):
            ax.figure.savefig(io.BytesIO(), format=form)


@pytest.mark.parametrize("length", ["1min", "7min", "3h", "5D", "40D", "300D", "4000D", "30000D"])
def test_every_window_has_ticks_that_fit(sample, length):
    df = sample.iloc[[0, 1]].copy()
    df["start"] = [df["start"].iloc[0], df["start"].iloc[0] + pd.Timedelta(length)]
    df["end"] = df["start"]
    df["closest_epoch"] = df["start"]
    for size in ((3.3, 2.4), (9, 3)):
        ax = df.aurorax.plot.timeline(figsize=size)
        ax.figure.canvas.draw()
        low, high = ax.get_xlim()
        inside = [tick for tick in ax.get_xticks() if low <= tick <= high]
        assert 1 <= len(inside) <= 9
        assert not list(overlaps_of(boxes_of(ax)))


@pytest.mark.parametrize("kind", ["distance", "histogram", "rate"])
def test_axes_can_be_made_logarithmic(sample, listed, kind):
    given = (listed,) if kind == "rate" else ()
    ax = getattr(sample.aurorax.plot, kind)(*given)
    ax.set_yscale("log")
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    assert 0 < low < high
    if kind == "distance":
        assert low <= sample["min_distance"].min()
        assert high >= sample["max_distance"].max()
    if kind == "histogram":
        ax.set_xscale("log")
        ax.figure.canvas.draw()
        assert ax.get_xlim()[0] > 0


def test_any_picture_is_drawn_by_its_kind(sample, ephemeris, listed):
    assert sample.aurorax.plot(kind="distance").get_ylabel() == "Distance [km]"
    assert sample.aurorax.plot(ephemeris, kind="map").get_legend() is not None
    assert ap.plot(sample, "site").get_xlabel() == "Time [UTC]"
    with pytest.raises(ap.AuroraxInputError, match="kind: 'timelin' is not known; did you mean 'timeline'"):
        sample.aurorax.plot(kind="timelin")


def test_limits_and_colour_maps_reach_the_bar(sample):
    ax = sample.aurorax.plot.timeline(cmap="magma", vmin=100, vmax=400)
    assert (ax.collections[0].get_cmap().name, ax.collections[0].get_clim()) == ("magma", (100, 400))
    sample.attrs["aurorax"]["query"]["max_distances"] = {"ground1-space1": 300}
    (bar,) = (other for other in sample.aurorax.plot.timeline().figure.axes if "[km]" in other.get_ylabel())
    assert bar.get_ylim() == (0, 300)
    norm = mpl.colors.LogNorm(10, 1000)
    assert sample.aurorax.plot.timeline(norm=norm).collections[0].norm is norm
    with pytest.raises(ap.AuroraxInputError, match="norm= brings its own limits"):
        sample.aurorax.plot.timeline(norm=norm, vmin=3)


def test_a_figure_can_be_pickled_and_drawn_again(sample):
    ax = sample.aurorax.plot.timeline(color="e2_display_name")
    again = pickle.loads(pickle.dumps(ax.figure))
    again.canvas.draw()
    assert [text.get_text() for text in again.axes[0].get_yticklabels()] == [
        text.get_text() for text in ax.get_yticklabels()
    ]


def test_the_dial_has_midnight_at_the_bottom_and_the_pole_in_the_middle(sample):
    df = magnetic(sample)
    ax = df.aurorax.plot.dial("min_distance")
    angle, radius = np.concatenate([np.asarray(one.get_offsets()) for one in ax.collections]).T
    assert np.sort(radius) == pytest.approx(np.sort(90 - np.abs(df["mlat"].to_numpy())))
    assert np.sort(angle) == pytest.approx(np.sort(df["mlt"].to_numpy() / 24 * 2 * np.pi))
    centre, midnight, dawn = (ax.transData.transform(place) for place in ((0, 0), (0, 30), (np.pi / 2, 30)))
    assert midnight[1] < centre[1]
    assert dawn[0] > centre[0]
    hollow = sum((one.get_facecolor()[:, :3] == 1).all(axis=1).sum() for one in ax.collections)
    assert hollow == (df["mlat"] < 0).sum()
    with pytest.raises(ap.AuroraxInputError, match="the column 'mlat' is missing"):
        sample.aurorax.plot.dial()
    with pytest.raises(ap.AuroraxInputError, match="the column 'footprint_mlat' is missing"):
        df.aurorax.plot.dial(at="footprint")


def test_rates_are_those_of_the_daily_counts(sample, listed):
    ax = sample.aurorax.plot.rate(listed)
    rate = sample.aurorax.daily_counts(availability=listed)["rate"].item()
    assert set(ax.lines[0].get_ydata()) == {rate}
    with pytest.raises(ap.AuroraxInputError, match="availability is a NoneType"):
        sample.aurorax.plot.rate(None)


def test_a_pass_in_detail_has_all_minutes_the_limit_and_both_minima(sample, ephemeris):
    df = sample.aurorax.select_sources(site="GILL").head(1)
    ax = df.aurorax.plot.approach(ephemeris, pad="2min")
    near = df.aurorax.closest_approach(ephemeris).iloc[0]
    places = {
        line.get_marker(): line.get_xydata()
        for line in ax.lines
        if len(line.get_xydata()) == 1 and line.get_marker() != "None"
    }
    assert places["D"][0].tolist() == pytest.approx(
        [mpl.dates.date2num(near["approach_time"]), near["approach_distance"]]
    )
    minutes = np.concatenate([line.get_xdata() for line in ax.lines if line.get_markersize() == 4.5])
    assert len(minutes) == len(
        pd.date_range(near["start"] - pd.Timedelta("2min"), near["end"] + pd.Timedelta("2min"), freq="1min")
    )
    assert [500, 500] in [list(line.get_ydata()) for line in ax.lines]
    (curve,) = (one for one in ax.collections if isinstance(one, LineCollection))
    assert near["approach_distance"] <= min(line[:, 1].min() for line in curve.get_segments())
    again = df.aurorax.plot.approach(ephemeris, limit=250)
    assert "limit 250 km" in [text.get_text() for text in again.get_legend().get_texts()]


def test_passes_and_summaries_have_the_pictures_that_fit_them(sample, ephemeris):
    passes = sample.aurorax.passes(ephemeris=ephemeris)
    ax = passes.aurorax.plot()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Swarm A", "Swarm B", "Swarm C"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["overflight", "conjugate"]
    passes.aurorax.plot.distance()
    assert passes.aurorax.plot.histogram("count").get_ylabel() == "Passes"
    for kind, words in (("calendar", "has no pair events"), ("map", "has no pair events")):
        with pytest.raises(ap.AuroraxInputError, match=words):
            getattr(passes.aurorax.plot, kind)()
    summary = sample.aurorax.pair_summary()
    assert summary.aurorax.plot.histogram("minutes").get_ylabel() == "Pairs"
    for kind in ("timeline", "distance", "calendar", "map"):
        with pytest.raises(ap.AuroraxInputError, match="a pair summary has no events to draw"):
            getattr(summary.aurorax.plot, kind)()
    with pytest.raises(ap.AuroraxInputError, match=r"df.aurorax.plot.map\(ephemeris\)"):
        _ = ephemeris.aurorax.plot


def test_the_coast_is_no_seam_and_no_pole():
    lat, lon, line = coastline()
    assert 3000 < len(lat) < 8000
    assert (np.abs(lon) <= 180).all()
    assert lat.min() > -89
    same = np.diff(line) == 0
    on_seam = np.abs(lon) >= 179.99
    assert not (same & on_seam[1:] & on_seam[:-1]).any()
    assert np.abs(np.diff(lon))[same].max() < 90


def segments_of(ax):
    return [
        line
        for one in ax.collections
        if isinstance(one, LineCollection) and one.get_visible()
        for line in one.get_segments()
        if len(line) > 1
    ]


@pytest.mark.parametrize("projection", ["plain", "PlateCarree", "NorthPolarStereo", "Mercator", "Orthographic"])
def test_no_line_runs_around_the_world(sample, ephemeris, projection):
    # stations and tracks moved to the seam
    moved = ephemeris.copy()
    for name in ("geo_lon", "nbtrace_lon", "sbtrace_lon"):
        moved[name] = (moved[name] + 80 + 180) % 360 - 180
    if projection == "plain":
        ax = plt.figure().add_subplot()
        width = 40_000.0
    else:
        crs = pytest.importorskip("cartopy.crs")
        ax = plt.figure().add_subplot(projection=getattr(crs, projection)())
        width = np.ptp(ax.projection.x_limits)
    sample.aurorax.plot.map(moved, ax=ax)
    lines = [one for one in ax.collections if isinstance(one, LineCollection) and one.get_gid() != "graticule"]
    for one in lines:
        for line in one.get_segments():
            assert len(line) < 2 or np.abs(np.diff(line[:, 0])).max() <= 0.26 * width


def test_each_hemisphere_has_a_map_of_its_own(ephemeris):
    df = ap.find_conjunctions(
        ephemeris, distance=3000, conjunction_types=["nbtrace", "sbtrace"],
        custom_locations={"locations": [[62.0, -95.0], [-62.0, 120.0]]}, space={"programs": "swarm"},
    )  # fmt: skip
    if df["conjunction_type"].nunique() < 2:
        pytest.skip("the sample has no such day")
    figure = plt.figure(layout="constrained")
    ax = df.aurorax.plot.map(ephemeris, ax=figure.add_subplot())
    figure.canvas.draw()
    assert len(figure.axes) == 2
    north, south = figure.axes
    assert north is ax
    assert north.get_window_extent().x1 <= south.get_window_extent().x0 + 1
    assert [
        next(text.get_text() for text in each.texts if "hemisphere" in text.get_text()) for each in (north, south)
    ] == ["northern hemisphere", "southern hemisphere"]


@pytest.mark.parametrize("counts", [True, False])
def test_a_second_map_of_the_other_hemisphere_gets_a_map_beside_the_first(ephemeris, counts):
    df = ap.find_conjunctions(
        ephemeris, distance=3000, conjunction_types=["nbtrace", "sbtrace"],
        custom_locations={"locations": [[62.0, -95.0], [-62.0, 120.0]]}, space={"programs": "swarm"},
    )  # fmt: skip
    north, south = (df[df["conjunction_type"] == kind].head(3) for kind in ("nbtrace", "sbtrace"))
    with_it = None if counts else ephemeris
    ax = north.aurorax.plot.map(with_it, ax=plt.figure().add_subplot())
    width = np.ptp(ax.get_xlim())
    for part in (south, north, south, north.head(0)):
        assert part.aurorax.plot.map(with_it, ax=ax) is ax
    maps = [each for each in ax.figure.axes if any("hemisphere" in text.get_text() for text in each.texts)]
    assert maps[0] is ax
    assert [[text.get_text() for text in each.texts if "hemisphere" in text.get_text()] for each in maps] == [
        ["northern hemisphere"], ["southern hemisphere"]
    ]  # fmt: skip
    assert np.ptp(ax.get_xlim()) == pytest.approx(width)
    assert not any(text.get_text().startswith("no ") for each in maps for text in each.texts)
    assert north.aurorax.plot.map(with_it, ax=maps[1]) is maps[1]
    assert len([each for each in ax.figure.axes if each.get_aspect() == 1.0 and each.collections]) == 2


@pytest.fixture
def both_hemispheres(ephemeris):
    return ap.find_conjunctions(
        ephemeris, distance=3000, conjunction_types=["nbtrace", "sbtrace"],
        custom_locations={"locations": [[62.0, -95.0], [-62.0, 120.0]]}, space={"programs": "swarm"},
    )  # fmt: skip


def test_a_second_frame_of_the_south_is_drawn_into_the_southern_map(both_hemispheres, ephemeris):
    north = both_hemispheres.aurorax.plot.map(ephemeris, ax=plt.figure().add_subplot())
    south = north.figure.axes[1]
    before, lines = len(north.collections), len(south.collections)
    view = south.get_xlim()
    far = both_hemispheres.query("conjunction_type == 'sbtrace'").head(3)
    assert far.aurorax.plot.map(ephemeris, ax=north) is north
    assert len(north.figure.axes) == 2
    assert len(north.collections) == before
    assert len(south.collections) > lines
    assert south.get_xlim() == view


@pytest.mark.parametrize("kind", ["nbtrace", "sbtrace"])
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("counts", [True, False])
def test_a_map_after_an_empty_frame_is_as_alone(both_hemispheres, ephemeris, kind, plain, counts):
    df = both_hemispheres[both_hemispheres["conjunction_type"] == kind].head(3)
    with_it = None if counts else ephemeris

    def axes():
        return plt.figure().add_subplot() if plain else None

    alone = df.aurorax.plot.map(with_it, ax=axes())
    after = df.aurorax.plot.map(with_it, ax=df.head(0).aurorax.plot.map(with_it, ax=axes()))
    assert (after.get_xlim(), after.get_ylim()) == (alone.get_xlim(), alone.get_ylim())
    coasts = [[each for each in ax.collections if each.get_gid() == "coast"] for ax in (alone, after)]
    assert [len(each) for each in coasts] == [1, 1]
    np.testing.assert_array_equal(*(np.concatenate(each[0].get_segments()) for each in coasts))


def test_the_projection_of_a_users_map_stays(both_hemispheres, ephemeris):
    crs = pytest.importorskip("cartopy.crs")
    ax = plt.figure().add_subplot(projection=crs.NorthPolarStereo())
    own = ax.projection
    both_hemispheres.head(0).aurorax.plot.map(ephemeris, ax=ax)
    both_hemispheres.head(3).aurorax.plot.map(ephemeris, ax=ax)
    assert ax.projection is own


def test_an_empty_frame_leaves_a_map_as_wide_as_it_is(sample, ephemeris):
    ax = sample.head(1).aurorax.plot.map(ephemeris, ax=plt.figure().add_subplot())
    width = np.ptp(ax.get_xlim())
    sample.head(0).aurorax.plot.map(ephemeris, ax=ax)
    assert np.ptp(ax.get_xlim()) == width


def test_a_jump_of_a_field_line_is_a_gap(sample, ephemeris):
    broken = ephemeris.copy(deep=True)
    craft = (broken["source_type"] == "leo").values
    odd = np.arange(broken.sizes["epoch"]) % 2 == 1
    broken["nbtrace_lat"].values[np.ix_(craft, odd)] *= 0.0
    ax = sample.aurorax.plot.map(broken, ax=plt.figure().add_subplot())
    tracks = [one for one in ax.collections if isinstance(one, LineCollection) and one.get_zorder() == 2]
    colored = [line for one in tracks for line in one.get_segments() if len(line) not in (121,)]
    assert max((len(line) for line in colored), default=0) <= 1


def test_conjugate_footprints_are_dashed_and_hollow(sample, ephemeris):
    ax = sample.aurorax.plot.map(ephemeris)
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[:3] == ["Swarm A", "Swarm B", "Swarm C"]
    handle = ax.get_legend().legend_handles[words.index("conjugate")]
    assert handle.is_dashed()
    hollow = [
        line
        for line in ax.lines
        if line.get_marker() == "D" and line.get_markerfacecolor() != line.get_markeredgecolor()
    ]
    assert sum(len(line.get_xdata()) for line in hollow) == 29


def test_without_an_ephemeris_the_map_counts_stations(sample):
    ax = sample.aurorax.plot.map()
    counts = sample.aurorax.explode_events().groupby("e1_platform").size()
    written = sorted(
        int(text.get_text().split()[-1])
        for text in ax.texts
        if text.get_text()[:1].isupper() and text.get_text()[-1].isdigit()
    )
    assert written == sorted(counts)


def test_accessors_and_comparisons_show_what_they_hold(sample):
    assert repr(sample.aurorax).startswith("<.aurorax of 49 rows>\n  at_window_edge, citation, closest")
    assert "timeline" in repr(sample.aurorax.plot)
    assert "<code>.closest</code>" in sample.aurorax._repr_html_()
    assert "<code>.map</code>" in sample.aurorax.plot._repr_html_()
    gained, lost, changed = found = sample.aurorax.compare(sample.head(40))
    assert (len(gained), len(lost), len(changed)) == (0, 9, 0)
    assert repr(found) == "Comparison: 0 gained, 9 lost, 0 changed; .gained, .lost and .changed are frames"
    assert "<td>9</td>" in found._repr_html_()


def test_a_second_histogram_counts_all_of_its_events(sample):
    ax = sample.aurorax.within(150).aurorax.plot.histogram()
    first = sum(bar.get_height() for bar in ax.patches)
    assert first < 49
    sample.aurorax.plot.histogram(ax=ax, cumulative=True)
    assert (
        max(bar.get_xy()[:, 1].max() for bar in ax.patches if hasattr(bar, "get_xy") and np.ndim(bar.get_xy()) == 2)
        == 49
    )
    low, high = ax.get_xlim()
    assert low <= sample["min_distance"].min() < sample["min_distance"].max() <= high


def test_bins_too_narrow_for_a_second_histogram_are_refused(sample):
    ax = sample.head(2).assign(ae=[100.0, 100.001]).aurorax.plot.histogram("ae")
    with pytest.raises(ap.AuroraxInputError, match="draw the wider frame first"):
        sample.assign(ae=np.linspace(0.0, 900.0, 49)).aurorax.plot.histogram("ae", ax=ax)


@pytest.mark.parametrize("name", ["timeline", "distance", "calendar", "histogram", "map"])
def test_no_conjunctions_is_said_only_where_there_are_none(sample, name):
    def words(ax):
        return [text.get_text() for text in ax.texts if text.get_text().startswith("no ")]

    empty_first = getattr(sample.head(0).aurorax.plot, name)()
    assert len(words(empty_first)) == 1
    getattr(sample.head(0).aurorax.plot, name)(ax=empty_first)
    assert len(words(empty_first)) == 1
    getattr(sample.aurorax.plot, name)(ax=empty_first)
    assert words(empty_first) == []
    full_first = getattr(sample.aurorax.plot, name)()
    getattr(sample.head(0).aurorax.plot, name)(ax=full_first)
    assert words(full_first) == []


def test_a_histogram_after_an_empty_one_is_as_alone(sample):
    ax = sample.head(0).aurorax.plot.histogram()
    sample.aurorax.plot.histogram(ax=ax)
    alone = sample.aurorax.plot.histogram()
    assert [bar.get_height() for bar in ax.patches] == [bar.get_height() for bar in alone.patches]
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        label.get_text() for label in alone.get_xticklabels()
    ]
    assert all(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks())


def test_a_misspelt_argument_of_all_pictures_is_known(sample):
    with pytest.raises(ap.AuroraxInputError, match="did you mean 'figsize'"):
        sample.aurorax.plot.timeline(figsiz=(3, 3))


@pytest.mark.parametrize(("kind", "words"), [("map", "{}"), ("calendar", "{} per day")])
def test_a_colour_bar_says_what_is_counted(sample, ephemeris, kind, words):
    df = ap.find_conjunctions(
        ephemeris,
        distance=500,
        ground={"programs": "themis-asi"},
        space=[{"platforms": "swarma"}, {"platforms": "swarmc"}],
    )
    for frame, what in ((sample, "Conjunctions"), (df, "Pair events"), (df.aurorax.explode_events(), "Pair events")):
        bar = getattr(frame.aurorax.plot, kind)().figure.axes[-1]
        assert bar.get_ylabel() == words.format(what)
