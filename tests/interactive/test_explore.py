"""The page as an object: what it takes, refuses and writes; no browser."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap

needs_bokeh = pytest.mark.skipif(importlib.util.find_spec("bokeh") is None, reason="needs bokeh, the extra explore")


def model(page, name):
    return page.figure.select_one({"name": name})


def test_without_bokeh_the_message_is_that_of_a_missing_extra(sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(ImportError, match=r"explore needs bokeh: pip install .*bokeh.* \(the extra 'explore'\)"):
        sample.aurorax.explore()


def test_nothing_of_bokeh_is_imported_before_a_page_is_asked_for():
    code = "import sys, aurorax_pandas; aurorax_pandas.load_sample_conjunctions().aurorax.explore; print('bokeh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@needs_bokeh
def test_conjunctions_events_and_datasets_give_the_same_events(sample):
    frames = [sample, sample.aurorax.explode_events(), sample.aurorax.to_xarray()]
    pages = [frame.aurorax.explore() for frame in frames]
    assert [repr(page) for page in pages] == ["<ExplorePage of 49 events in 33 lanes>"] * 3
    starts = [model(page, "bars").data_source.data["left"].tolist() for page in pages]
    assert starts[0] == starts[1] == starts[2] == (sample["start"].to_numpy().astype("M8[ms]").astype(float)).tolist()


@needs_bokeh
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "pear"}, "by='pear' is no column"),
        ({"color": "colour"}, "color='colour' is no column"),
        ({"tooltip": "pear"}, "tooltip='pear' is no column"),
        ({"tooltip": [3]}, "tooltip: 3 is not a name"),
        ({"tooltip": "data_sources"}, "tooltip='data_sources' holds tables"),
        ({"by": "events"}, "by='events' holds tables"),
        ({"color": "events"}, "color='events' holds tables"),
        ({"vmin": 1e308}, "vmin=1e\\+308 is not valid"),
        ({"cmap": "viridid"}, "cmap='viridid' is no colour map; did you mean 'viridis'"),
        ({"vmin": 5, "vmax": 4}, "vmin=5 is not below vmax=4"),
        ({"palette": {"Swarm A": "nocolour"}}, "palette: 'nocolour'"),
        ({"width": "wide"}, "width='wide' is not valid; give 'stretch'"),
        ({"width": 0}, "width=0 is not valid"),
        ({"height": "tall"}, "height='tall' is not valid"),
        ({"title": 3}, "title=3 is not valid"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(sample, options, words):
    with pytest.raises(ap.AuroraxInputError, match=words):
        sample.aurorax.explore(**options)


@needs_bokeh
def test_summed_frames_are_refused_with_what_to_draw_instead(sample):
    with pytest.raises(ap.AuroraxInputError, match="explore: a pair summary has no events"):
        sample.aurorax.pair_summary().aurorax.explore()
    with pytest.raises(ap.AuroraxInputError, match="explore: a frame of passes has no pair events"):
        sample.aurorax.passes().aurorax.explore()


@needs_bokeh
def test_an_ephemeris_that_covers_nothing_is_an_error(sample):
    later = ap.load_sample_ephemeris()
    later = later.assign_coords(epoch=later["epoch"] + np.timedelta64(400, "D"))
    with pytest.raises(ap.AuroraxDataError, match="explore"):
        sample.aurorax.explore(later)


@needs_bokeh
def test_colours_of_numbers_end_where_the_query_does_and_where_the_user_says(sample):
    def scale(**options):
        mapper = model(sample.aurorax.explore(**options), "bars").glyph.fill_color.transform
        return mapper.low, mapper.high

    assert scale() == (0.0, 500.0)
    assert scale(vmin=50, vmax=200) == (50.0, 200.0)
    assert scale(color="max_distance", vmax=400) == (0.0, 400.0)


@needs_bokeh
def test_names_have_the_colours_that_they_have_in_every_picture(sample):
    events = sample.aurorax.explode_events()
    colors = model(events.aurorax.explore(color="e2_display_name"), "bars").data_source.data["color"]
    ax = sample.aurorax.plot.map(ap.load_sample_ephemeris(), legend=True)
    drawn = {
        text.get_text(): handle
        for text, handle in zip(ax.get_legend().get_texts(), ax.get_legend().legend_handles, strict=True)
    }
    from matplotlib.colors import to_hex

    for name, color in zip(events["e2_display_name"], colors, strict=True):
        assert to_hex(drawn[name].get_color()) == color


@needs_bokeh
def test_more_events_than_a_page_draws_are_the_closest_and_the_page_says_so(sample, monkeypatch):
    from aurorax_pandas.interactive import rows

    monkeypatch.setattr(rows, "MOST_EVENTS", 10)
    page = sample.aurorax.explore()
    drawn = model(page, "bars").data_source.data
    nearest = sample.nsmallest(10, "min_distance").sort_index()
    assert sorted(drawn["color"]) == sorted(nearest["min_distance"])
    page.save("page.html")
    assert "The closest 10 of 49 events are drawn" in Path("page.html").read_text(encoding="utf-8")


@needs_bokeh
def test_a_page_is_written_whole_or_not_at_all(sample, monkeypatch):
    page = sample.aurorax.explore(title="Mine & <yours>")
    page.save("page.html")
    first = Path("page.html").read_bytes()
    with pytest.raises(ap.AuroraxInputError, match="exists; give overwrite=True"):
        page.save("page.html")
    page.save(Path("page.html"), overwrite=True)
    with pytest.raises(ap.AuroraxInputError, match="there is no folder"):
        page.save("nowhere/page.html")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        page.save("page.html", overwrite=True)
    assert Path("page.html").stat().st_size == len(first)
    assert [path.name for path in Path().iterdir()] == ["page.html"]
    assert b"<title>Mine &amp; &lt;yours&gt;</title>" in first


@needs_bokeh
def test_provenance_and_citation_are_in_the_page(sample):
    sample.aurorax.explore().save("page.html")
    text = Path("page.html").read_text(encoding="utf-8")
    import html

    told = html.unescape(text.split('<pre id="provenance">')[1].split("</pre>")[0])
    assert json.loads(told) == sample.aurorax.provenance
    assert "acknowledge AuroraX" in text
    assert "doi:10.3389/fspas.2022.1009450" in text


@needs_bokeh
def test_names_cannot_leave_the_script_of_the_page(sample):
    name = "</script><script>alert(1)</script>"
    events = sample.aurorax.explode_events().assign(**{name: name})
    events.aurorax.explore(by=name, color=name, tooltip=["pair", name], title=name).save("page.html")
    assert name not in Path("page.html").read_text(encoding="utf-8")


@needs_bokeh
def test_a_layout_that_was_changed_is_saved_as_changed(sample):
    page = sample.aurorax.explore()
    model(page, "timeline").xaxis.axis_label = "Zulu"
    page.save("page.html")
    assert "Zulu" in Path("page.html").read_text(encoding="utf-8")


@needs_bokeh
def test_a_notebook_gets_a_frame_with_the_whole_page(sample):
    bundle = sample.aurorax.explore(title='"quoted"', width=900)._repr_mimebundle_()
    assert bundle["text/plain"] == "<ExplorePage of 49 events in 33 lanes>"
    assert bundle["text/html"].startswith('<iframe srcdoc="')
    assert 'title="&quot;quoted&quot;"' in bundle["text/html"]
    assert "width: 940px" in bundle["text/html"]


@needs_bokeh
@pytest.mark.parametrize("count", [0, 1])
def test_few_events_make_a_page_with_and_without_an_ephemeris(sample, count):
    for ephemeris in (None, ap.load_sample_ephemeris()):
        page = sample.head(count).aurorax.explore(ephemeris)
        page.save("page.html", overwrite=True)
        assert len(model(page, "bars").data_source.data["left"]) == count


@needs_bokeh
def test_twenty_thousand_events_stay_below_eight_megabytes_beside_bokeh(sample):
    random = np.random.default_rng(1)
    events = sample.aurorax.explode_events()
    many = events.iloc[random.integers(0, len(events), 20_000)].reset_index(drop=True)
    shift = pd.to_timedelta(random.integers(0, 600_000, 20_000), unit="min").as_unit("us")
    many = many.assign(
        start=many["start"] + shift, end=many["end"] + shift, closest_epoch=pd.NaT, min_distance=random.random(20_000)
    )
    sizes = []
    for frame in (events.head(0), many.astype({"closest_epoch": "datetime64[us]"})):
        frame.aurorax.explore().save("page.html", overwrite=True)
        sizes.append(Path("page.html").stat().st_size)
    assert sizes[1] - sizes[0] < 8e6


@needs_bokeh
@pytest.mark.parametrize("kind", ["text", "duplicate", "times", "multi"])
def test_rows_are_named_as_their_index_allows(builders, sample, kind):
    from aurorax_pandas.interactive.rows import row_names

    df = builders.reindexed(sample, kind)
    told = row_names(df)
    assert told["indexer"] == ("loc" if kind == "text" else "iloc")
    if told["labels"]:
        assert df.index[[3, 5]].tolist() == eval(f"[{told['labels'][3]}, {told['labels'][5]}]")


@needs_bokeh
def test_hemispheres_have_a_map_each(sample):
    both = sample.aurorax.explode_events()
    both["conjunction_type"] = pd.Categorical(
        np.where(both.index % 2, "sbtrace", "nbtrace"), categories=["nbtrace", "sbtrace", "geographic"]
    )
    with pytest.warns(ap.AuroraxDataWarning, match="explore: the ephemeris does not cover 24 of 49 rows"):
        page = both.aurorax.explore(ap.load_sample_ephemeris())
    assert model(page, "map1") is not None
    assert model(sample.aurorax.explore(), "map1") is None


@needs_bokeh
def test_tracks_are_where_the_ephemeris_has_the_footprints(sample):
    from aurorax_pandas.geometry import geodetic_latitude
    from aurorax_pandas.interactive.places import places_of
    from aurorax_pandas.interactive.rows import drawn_events

    ephemeris = ap.load_sample_ephemeris()
    swarm = [{"platforms": [platform]} for platform in ("swarma", "swarmb")]
    both = ap.find_conjunctions(ephemeris, distance=2000, space=swarm)
    minute = np.timedelta64(1, "m")
    for df, sides in ((sample, (2,)), (both, (1, 2))):
        drawn = drawn_events(df, "pair")
        tracks = places_of(drawn, ephemeris).tracks
        for side in sides:
            for number in range(0, len(drawn.events), 7):
                event = drawn.events.iloc[number]
                rows = slice(tracks[f"first{side}"][number], None)
                rows = slice(rows.start, rows.start + tracks[f"length{side}"][number])
                here = ephemeris.isel(source=ephemeris["display_name"].values == event[f"e{side}_display_name"])
                here = here.sel(epoch=slice(event["start"] - minute, event["end"] + minute)).isel(source=0)
                np.testing.assert_array_equal(tracks["lon"][rows], here["nbtrace_lon"].values)
                expected = geodetic_latitude(here["nbtrace_lat"].values, 100.0)
                np.testing.assert_allclose(tracks["lat"][rows], expected, atol=1e-9)
                assert {tracks["names"][code] for code in tracks["craft"][rows]} == {event[f"e{side}_display_name"]}


@needs_bokeh
def test_a_page_tells_of_stations_whose_place_is_not_known(builders):
    mine = builders.source(9000, "My camera", "ground", "mine")
    df = ap.as_conjunctions([builders.record(0, 1, sources=(mine, builders.SWARM_A))])
    with pytest.warns(ap.AuroraxDataWarning, match="the map lacks mycamera, whose place is not known") as told:
        df.aurorax.explore()
    assert [each.filename for each in told] == [__file__]


@needs_bokeh
def test_colours_that_a_page_cannot_use_are_told(sample):
    ephemeris = ap.load_sample_ephemeris()
    for options in ({"color": "e2_display_name"}, {"ephemeris": ephemeris}):
        with pytest.warns(
            ap.AuroraxDataWarning, match="'Swarm a' is not in the picture.*did you mean 'Swarm A'"
        ) as told:
            sample.aurorax.explore(palette={"Swarm a": "red", "Swarm B": "blue"}, **options)
        assert len(told) == 1
    with pytest.warns(ap.AuroraxDataWarning, match="palette=.* has no effect: color='min_distance' holds numbers"):
        sample.aurorax.explore(palette={"Swarm A": "red"})
    with pytest.warns(ap.AuroraxDataWarning, match="cmap='magma' has no effect: color='pair' holds names"):
        sample.aurorax.explore(color="pair", cmap="magma")


@needs_bokeh
def test_a_time_that_is_centuries_off_is_told(sample):
    events = sample.aurorax.explode_events()
    events["end"] = np.where(events.index == 0, np.datetime64("12000-01-01", "us"), events["end"].to_numpy())
    with pytest.raises(ap.AuroraxInputError, match=r"explore: times from .* leave out the rows"):
        events.aurorax.explore()


@needs_bokeh
@pytest.mark.parametrize("suffix", [".gz", ".html.gz", ".zip"])
def test_a_page_that_no_browser_opens_is_not_written(sample, tmp_path, suffix):
    with pytest.raises(ap.AuroraxInputError, match=r"browsers open no .*; give a name that ends in '\.html'"):
        sample.head(3).aurorax.explore().save(tmp_path / f"page{suffix}")
    assert not list(tmp_path.iterdir())
