"""What pictures say of what they cannot draw, and what they refuse before anything is drawn."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

import aurorax_pandas as ap


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def exact(ephemeris):
    return ap.find_conjunctions(
        ephemeris, distance=300, ground={"programs": "themis-asi"}, space={"programs": "swarm"}, continuous=True
    )


def magnetic(df):
    return df.aurorax.explode_events().assign(mlat=66.0, mlt=22.0)


def legend_words(ax):
    return [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]


DRAW = {
    "timeline": lambda df, _, **options: df.aurorax.plot.timeline(**options),
    "distance": lambda df, _, **options: df.aurorax.plot.distance(**options),
    "calendar": lambda df, _, **options: df.aurorax.plot.calendar(**options),
    "histogram": lambda df, _, **options: df.aurorax.plot.histogram(**options),
    "map": lambda df, ephemeris, **options: df.aurorax.plot.map(ephemeris, **options),
    "approach": lambda df, ephemeris, **options: df.aurorax.plot.approach(ephemeris, **options),
    "dial": lambda df, _, **options: magnetic(df).aurorax.plot.dial(**options),
    "rate": lambda df, _, **options: df.aurorax.plot.rate(
        pd.DataFrame({"identifier": [46], "source_type": "ground", "day": ["2020-01-01"], "records": [420]}), **options
    ),
}
every_picture = pytest.mark.parametrize("name", list(DRAW))


def test_distances_say_what_a_line_is_of(sample, exact):
    assert legend_words(sample.aurorax.plot.distance())[-1] == "minutes: least to greatest"
    assert legend_words(exact.aurorax.plot.distance())[-1] == "exact span: least to greatest"
    both = sample.aurorax.plot.distance()
    exact.aurorax.plot.distance(ax=both)
    assert legend_words(both)[-2:] == ["minutes: least to greatest", "exact span: least to greatest"]


def test_distances_that_nobody_knows_are_told(sample):
    unknown = sample.aurorax.explode_events().assign(min_distance=np.nan, max_distance=np.nan)
    ax = unknown.aurorax.plot.distance()
    assert [text.get_text() for text in ax.texts] == ["no distance is known"]
    sample.aurorax.plot.distance(ax=ax)
    assert not ax.texts
    unknown.aurorax.plot.distance(ax=ax)
    assert not ax.texts


def test_a_day_whose_distance_nobody_knows_is_not_said_to_have_no_conjunction(sample):
    ax = sample.aurorax.explode_events().assign(min_distance=np.nan).aurorax.plot.calendar(values="distance")
    assert legend_words(ax) == ["distance not known"]


def test_marks_of_a_dial_without_a_value_are_seen_and_named(sample):
    df = magnetic(sample)
    ax = df.assign(kp=df["min_distance"].where(df["min_distance"] > 200)).aurorax.plot.dial("kp")
    assert legend_words(ax)[0] == "no value"
    assert sum(len(one.get_offsets()) for one in ax.collections) == 49


@every_picture
def test_a_title_that_cannot_be_drawn_is_refused_at_once(sample, ephemeris, name):
    for title in (r"$\frac{$", "above\n$x^{$"):
        with pytest.raises(ap.AuroraxInputError, match=r"title='.*' cannot be drawn"):
            DRAW[name](sample, ephemeris, title=title)
    assert plt.get_fignums() == []
    ax = DRAW[name](sample, ephemeris, title=r"Costs of \$5, $x^2$ and one $")
    ax.figure.canvas.draw()


@every_picture
def test_sizes_that_no_page_has_are_refused(sample, ephemeris, name):
    with pytest.raises(ap.AuroraxInputError, match=r"figsize=\(180, 120\) is 180 by 120 inches, larger than any page"):
        DRAW[name](sample, ephemeris, figsize=(180, 120))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ap.AuroraxInputError, match=r"figsize=\(0.5, 0.5\) \[inches\] leaves no room"):
            DRAW[name](sample, ephemeris, figsize=(0.5, 0.5))
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", ["timeline", "distance", "histogram", "dial", "map", "approach", "rate"])
def test_a_misspelt_name_of_a_palette_is_told_once(sample, ephemeris, name):
    options = {
        "timeline": {"color": "e2_display_name"}, "histogram": {"by": "spacecraft"}, "approach": {"by": "spacecraft"},
        "rate": {"by": "spacecraft"},
    }.get(name, {})  # fmt: skip
    df = sample.aurorax.select_sources(site="GILL")
    with pytest.warns(ap.AuroraxDataWarning, match="'Swarm a' is not in the picture.*did you mean 'Swarm A'") as told:
        DRAW[name](df, ephemeris, palette={"Swarm a": "red", "Swarm B": "blue"}, **options)
    assert len(told) == 1


def test_a_palette_of_a_whole_campaign_is_no_mistake(sample):
    events = sample.aurorax.explode_events()
    df = events[events["e2_display_name"] == "Swarm A"]
    campaign = {"Swarm B": "blue", "Swarm C": "green", "THEMIS-A": "red", "RBSP A": "black"}
    handle = df.aurorax.plot.distance(palette=campaign).get_legend().legend_handles[0]
    assert to_rgb(handle.get_color()) != to_rgb("blue")
    pairs = {"THEMIS-ASI GILL & Swarm A": "red", "THEMIS-ASI FSIM & Swarm A": "blue"}
    events[events["e1_platform"] == "fort simpson"].aurorax.plot.distance("pair", palette=pairs)
    numbered = sample.assign(run="run 4")
    numbered.aurorax.plot.distance("run", palette={"run 1": "red", "run 3": "blue"})


def test_a_colour_bar_of_counts_has_whole_numbers_after_a_second_call(sample):
    for kind in ("calendar", "map"):
        ax = getattr(sample.head(20).aurorax.plot, kind)()
        getattr(sample.tail(29).aurorax.plot, kind)(ax=ax)
        ax.figure.canvas.draw()
        bar = ax.figure.axes[-1]
        ticks = [tick for tick in bar.get_yticks() if bar.get_ylim()[0] <= tick <= bar.get_ylim()[1]]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)


def test_elevations_stand_once_beside_distances(sample):
    ax = sample.head(20).aurorax.plot.distance(emission_altitude=110)
    sample.aurorax.plot.distance(ax=ax, emission_altitude=230)
    assert [each.get_ylabel() for each in ax.child_axes if each.get_ylabel()] == ["Elevation at 230 km [degrees]"]


def test_a_name_that_has_a_colour_keeps_it_when_a_second_frame_has_more_names(sample):
    _, axes = plt.subplots(2, 2, figsize=(7, 6))
    ax = sample.aurorax.select_sources(site="GILL").aurorax.plot.distance("pair", ax=axes[0, 0])
    first = legend_words(ax)[:-1]
    sample.aurorax.plot.distance("pair", ax=ax)
    words = legend_words(ax)
    assert words[:3] == first == [f"THEMIS-ASI GILL & Swarm {craft}" for craft in "ABC"]
    assert words[-2:] == ["others", "minutes: least to greatest"]
    for name, handle in zip(words[:3], ax.get_legend().legend_handles, strict=False):
        events = sample.aurorax.explode_events()
        mine = events["e1_display_name"].str.cat(events["e2_display_name"], " & ") == name
        drawn = [len(line.get_xdata()) for line in ax.lines if line.get_color() == handle.get_color()]
        assert sum(drawn) == 2 * mine.sum()


def test_a_second_approach_has_along_x_what_the_first_has(sample, ephemeris):
    gill = sample.aurorax.select_sources(site="GILL")
    for first, words in ((gill.head(1), "Time [UTC]"), (gill, "Minutes from the closest approach")):
        ax = first.aurorax.plot.approach(ephemeris)
        for other in (gill, gill.head(1)):
            other.aurorax.plot.approach(ephemeris, ax=ax)
        assert ax.get_xlabel() == words
    with pytest.raises(ap.AuroraxInputError, match="ax holds an approach over minutes already, and this is a distance"):
        sample.aurorax.plot.distance(ax=ax)


@pytest.mark.parametrize("size", [(3.3, 2.6), (10, 6)])
def test_the_legend_of_a_map_of_one_station_stays_on_the_figure(sample, ephemeris, size):
    ax = sample.head(1).aurorax.plot.map(ephemeris, figsize=size)
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    assert -1 <= box.x0 < box.x1 <= ax.figure.bbox.x1 + 1


def test_a_timeline_whose_ticks_are_taken_away_is_drawn(sample):
    ax = sample.aurorax.plot.timeline()
    ax.set_xticks([])
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.get_xticklabels()] == []


IDLE = {
    "timeline": ({"palette": {"Swarm A": "red"}}, "palette=.* color='min_distance' holds numbers; give cmap="),
    "dial": ({"vmin": 3}, "vmin=3 has no effect: color='spacecraft' holds names; give palette="),
    "histogram": ({"palette": {"Swarm A": "red"}}, "palette=.* has no effect: by=None .* give by="),
    "rate": ({"palette": {"Swarm A": "red"}}, "palette=.* has no effect: by=None .* give by="),
    "map": ({"cmap": "magma"}, "cmap='magma' has no effect: a map with ephemeris= draws tracks"),
}


@pytest.mark.parametrize("name", list(IDLE))
def test_colours_that_have_no_effect_are_told(sample, ephemeris, name):
    options, words = IDLE[name]
    with pytest.warns(ap.AuroraxDataWarning, match=words) as told:
        DRAW[name](sample, ephemeris, **options)
    assert [each.filename for each in told] == [__file__]


def test_a_group_for_which_a_colour_was_chosen_has_it_though_it_is_rare(sample):
    pairs = sample.aurorax.explode_events()["pair"].value_counts()
    rare = str(pairs.index[-1])
    assert len(pairs) > 12
    ax = sample.aurorax.plot.distance("pair", palette={rare: "red"})
    found = dict(zip(legend_words(ax), ax.get_legend().legend_handles, strict=True))
    assert to_rgb(found[rare].get_color()) == to_rgb("red")


@pytest.mark.parametrize("year", ["12000", "0900"])
def test_a_time_that_is_centuries_off_is_told(sample, ephemeris, year):
    events = sample.aurorax.explode_events()
    wrong = np.datetime64(f"{year}-01-01", "us")
    events["start"] = np.where(events.index == 0, wrong, events["start"].to_numpy())
    events["end"] = np.where(events.index == 0, wrong, events["end"].to_numpy())
    for name in ("timeline", "distance", "calendar", "rate"):
        with pytest.raises(ap.AuroraxInputError, match=rf"{name}: times from .* years apart.*leave out the rows"):
            DRAW[name](events, ephemeris)
    assert plt.get_fignums() == []


def test_a_search_of_centuries_is_told_by_a_calendar(sample):
    long = sample.copy()
    long.attrs = {"aurorax": {"query": {"start": "0001-01-01T00:00:00", "end": "9999-12-31T00:00:00"}}}
    with pytest.raises(ap.AuroraxInputError, match=r"calendar: the search: times from .* df\.attrs\.clear\(\)"):
        long.aurorax.plot.calendar()


class Wordless:
    def __repr__(self):
        raise RuntimeError("no words")

    __str__ = __repr__


@every_picture
@pytest.mark.parametrize("argument", ["title", "figsize", "palette", "alpha", "nothing", "by", "legend"])
def test_what_has_no_words_is_told_by_its_type(sample, ephemeris, name, argument):
    with pytest.raises(ap.AuroraxInputError, match=f"^{argument}=<Wordless>"):
        DRAW[name](sample, ephemeris, **{argument: Wordless()})
    assert plt.get_fignums() == []


def test_colours_and_names_without_words_are_told(sample):
    for palette in ({"Swarm A": Wordless()}, {Wordless(): "red"}):
        with pytest.raises(ap.AuroraxInputError, match="palette: <Wordless>"):
            sample.aurorax.plot.distance(palette=palette)
    for bins in (Wordless(), [Wordless()]):
        with pytest.raises(ap.AuroraxInputError, match=r"bins=<(Wordless|list)>"):
            sample.aurorax.plot.histogram(bins=bins)


def test_a_misspelt_argument_of_a_picture_is_met_with_the_right_one(sample):
    for kind, wrong, right in (
        ("timeline", "colour", "color"),
        ("calendar", "frequ", "freq"),
        ("histogram", "bin", "bins"),
    ):
        with pytest.raises(ap.AuroraxInputError, match=rf"{wrong}=1: .* did you mean '{right}'\?"):
            getattr(sample.aurorax.plot, kind)(**{wrong: 1})


@pytest.mark.parametrize("lacking", [3, 49])
def test_rows_without_a_time_are_told_and_not_drawn(sample, ephemeris, lacking):
    events = sample.aurorax.explode_events()
    events.loc[events.index < lacking, ["start", "end"]] = pd.NaT
    for name in ("timeline", "distance", "calendar"):
        with pytest.warns(ap.AuroraxDataWarning, match=rf"{name}: {lacking} of 49 rows are not drawn.* no start"):
            DRAW[name](events, ephemeris).figure.canvas.draw()


def test_a_dial_of_nothing_is_drawn(sample):
    ax = magnetic(sample.head(0)).aurorax.plot.dial()
    assert [text.get_text() for text in ax.texts] == ["no conjunctions"]


def test_axes_that_cannot_be_drawn_into_are_told(sample):
    removed = plt.figure().add_subplot()
    removed.remove()
    with pytest.raises(ap.AuroraxInputError, match="ax has been removed from its figure"):
        sample.aurorax.plot.distance(ax=removed)
    for kind in ("distance", "timeline", "map"):
        with pytest.raises(ap.AuroraxInputError, match="ax is mollweide; give plain Axes"):
            getattr(sample.aurorax.plot, kind)(ax=plt.figure().add_subplot(projection="mollweide"))


@pytest.mark.parametrize(("name", "letter"), [("timeline", "y"), ("calendar", "x"), ("calendar", "y"), ("map", "x"), ("map", "y")])  # fmt: skip
def test_axes_that_are_not_linear_are_refused_where_a_picture_has_no_place_on_them(sample, ephemeris, name, letter):
    ax = plt.figure().add_subplot(**{f"{letter}scale": "log"})
    with pytest.raises(ap.AuroraxInputError, match=rf"ax has a log {letter} axis.*set_{letter}scale\('linear'\)"):
        DRAW[name](sample, ephemeris, ax=ax)
    assert not ax.artists


@pytest.mark.parametrize(
    ("name", "keyword", "value"),
    [
        ("timeline", "linewidth", np.inf),
        ("calendar", "linewidth", -1),
        ("map", "linewidth", np.nan),
        ("approach", "linewidth", [1, np.nan]),
        ("distance", "markersize", np.nan),
        ("distance", "markersize", -1),
        ("rate", "linewidth", np.float64("inf")),
        ("histogram", "zorder", np.nan),
    ],
)
def test_numbers_with_which_nothing_would_be_seen_are_refused(sample, ephemeris, name, keyword, value):
    with pytest.raises(
        ap.AuroraxInputError, match=rf"^{keyword}=.* cannot be used: (give finite numbers|a size is not)"
    ):
        DRAW[name](sample.head(3), ephemeris, **{keyword: value})
    assert plt.get_fignums() == []


def test_dashes_are_no_sizes(sample, ephemeris):
    ax = DRAW["rate"](sample, ephemeris, linestyle=(0, (6, 3)), linewidth=0)
    assert ax.get_lines()[0].get_linewidth() == 0


@pytest.mark.parametrize("bins", [[0, 1, np.inf], 10**9, 1e9, np.nan])
def test_bins_that_no_picture_has_are_refused(sample, bins):
    with pytest.raises(ap.AuroraxInputError, match=r"^bins=.*give their number, or their edges in order"):
        sample.aurorax.plot.histogram(bins=bins)


@pytest.mark.parametrize("name", ["timeline", "distance", "approach", "map"])
def test_rows_that_end_before_they_start_are_refused_where_spans_are_drawn(sample, ephemeris, name):
    events = sample.aurorax.explode_events()
    events.loc[2, "end"] = events.loc[2, "start"] - pd.Timedelta("1h")
    with pytest.raises(ap.AuroraxInputError, match=rf"{name}: 1 of \d+ rows end before they start.*start <= end"):
        DRAW[name](events, ephemeris)
    assert plt.get_fignums() == []
    DRAW[name](events.query("start <= end").head(5), ephemeris)


@pytest.mark.parametrize("column", ["min_distance", "max_distance", "approach_distance"])
def test_distances_that_are_none_on_earth_are_refused(sample, column):
    events = sample.aurorax.explode_events().assign(approach_distance=1.0, approach_time=sample["start"])
    events.loc[2, column] = 1e308
    with pytest.raises(ap.AuroraxInputError, match=rf"distance: {column} is 1e\+308 km in 1 of 49 rows"):
        events.aurorax.plot.distance()


def test_rates_of_times_with_a_zone_are_those_without(sample, ephemeris):
    zoned = sample.assign(start=sample["start"].dt.tz_localize("UTC"), end=sample["end"].dt.tz_localize("UTC"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, other = (DRAW["rate"](each, ephemeris).get_lines()[0].get_xydata() for each in (sample, zoned))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "keyword", "value", "why"),
    [
        ("timeline", "vmin", 1e308, "give a number from -1e"),
        ("calendar", "vmax", -1e300, "give a number from -1e"),
        ("timeline", "norm", 5, "give a scale of matplotlib"),
        ("calendar", "norm", "log", "give a scale of matplotlib"),
        ("histogram", "histtype", "bogus", "give 'bar', 'barstacked', 'step' or 'stepfilled'"),
        ("histogram", "rwidth", "x", "a part of the bin"),
        ("histogram", "rwidth", -1, "a part of the bin"),
        ("histogram", "density", "x", "give True or False"),
        ("histogram", "log", "x", "give True or False"),
        ("histogram", "cumulative", "x", "give True or False"),
        ("timeline", "hatch", "zz", "cannot be used: hatches are made of"),
        ("map", "path_effects", 5, "cannot be used: "),
        ("rate", "path_effects", [5], "cannot be used: give a list of"),
        ("dial", "snap", "x", "cannot be used: give True, False or None"),
    ],
)
def test_keywords_that_would_fail_when_the_figure_is_drawn_are_refused(sample, ephemeris, name, keyword, value, why):
    with pytest.raises(ap.AuroraxInputError, match=rf"^{keyword}\b.*{why}"):
        DRAW[name](sample.head(3), ephemeris, **{keyword: value})
    assert plt.get_fignums() == []


def test_what_a_histogram_takes_reaches_its_bars(sample):
    ax = sample.aurorax.plot.histogram(histtype="stepfilled", density=True, cumulative=-1, log=True)
    assert ax.get_yscale() == "log"
    with_gaps = sample.aurorax.plot.histogram(rwidth=0.5, hatch="//").patches
    assert with_gaps[0].get_width() == pytest.approx(0.5 * (with_gaps[1].get_x() - with_gaps[0].get_x()))


@every_picture
def test_a_title_of_very_many_lines_is_refused(sample, ephemeris, name):
    with pytest.raises(ap.AuroraxInputError, match=r"has 51 lines.*give at most 10"):
        DRAW[name](sample.head(3), ephemeris, title="\n" * 50)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("argument", ["by", "color"])
def test_a_column_of_tables_is_no_label(sample, argument):
    with pytest.raises(ap.AuroraxInputError, match=f"{argument}='events' holds tables, not values"):
        sample.aurorax.plot.timeline(**{argument: "events"})
