"""The page in a real browser with the network off: brushed, clicked, hovered and read as a reader would."""

import html
import json

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap

HEADINGS = {
    "pair": "Pair",
    "start": "Start [UTC]",
    "end": "End [UTC]",
    "min_distance": "Minimum distance [km]",
    "approach_time": "Approach time [UTC]",
    "approach_distance": "Closest approach [km]",
    "approach_elevation": "Elevation at closest approach [degrees]",
    "spacecraft_hemisphere": "Spacecraft hemisphere",
}
NASTY = ["<script>alert(1)</script>", '"onmouseover=', "$x^{$", "$$x^2$$", "a & b &amp; c"]


@pytest.fixture(scope="module")
def near():
    found = ap.load_sample_conjunctions().aurorax.closest_approach(ap.load_sample_ephemeris())
    # each conjunction has one event
    sky = found.aurorax.sky()
    return found.assign(**{name: sky[name].array for name in ("sun_elevation", "moon_elevation", "moon_illumination")})


@pytest.fixture(scope="module")
def saved(near, tmp_path_factory, _browser):
    path = tmp_path_factory.mktemp("page") / "supplement.html"
    near.aurorax.explore(ap.load_sample_ephemeris(), title="THEMIS-ASI and Swarm").save(path)
    return path


def ms(instant):
    return pd.Timestamp(instant).value / 1e6


def shown(values):
    """Write values as the page does: times to the digits that they have, numbers to three."""
    if pd.api.types.is_datetime64_any_dtype(values):
        exact = (values.dropna().dt.microsecond == 0).all()
        return values.dt.strftime("%Y-%m-%d %H:%M:%S" + ("" if exact else ".%f")).tolist()
    return values.astype("str").tolist() if not pd.api.types.is_numeric_dtype(values) else values.tolist()


def assert_table_is(reader, expected):
    table = reader.table()
    assert set(HEADINGS.values()) < set(table)
    for name, heading in HEADINGS.items():
        found = table[heading]
        if name == "approach_time":
            pd.testing.assert_series_equal(
                pd.Series(pd.to_datetime(found)).dt.as_unit("us").dt.floor("ms"),
                expected["approach_time"].dt.floor("ms").reset_index(drop=True),
                check_names=False,
            )
        else:
            assert found == shown(expected[name])


def assert_text_gives(reader, df, expected):
    pd.testing.assert_index_equal(eval(reader.text, {"df": df}).index, expected.index)


def test_brushes_clicks_and_the_text_agree_with_pandas(near, saved, reader):
    events = near.aurorax.explode_events()
    reader.open(saved)
    assert reader.status == "All 49 events."
    assert_table_is(reader, events)
    assert_text_gives(reader, near, near)

    first, last = pd.Timestamp("2020-01-01 01:44"), pd.Timestamp("2020-01-01 03:00")
    reader.brush("timeline", ms(first), ms(last), 5.0)
    low, high = (pd.Timestamp(text) for text in reader.run("return [model('from').value, model('to').value]"))
    assert abs(low - first) < pd.Timedelta("2min")
    assert abs(high - last) < pd.Timedelta("2min")
    inside = (events["start"] <= high) & (events["end"] >= low)
    assert 0 < inside.sum() < 49
    assert_table_is(reader, events[inside])
    assert_text_gives(reader, near, near[inside.to_numpy()])
    assert reader.cells()[0] == events[inside]["pair"].iloc[0]
    assert reader.status == f"{inside.sum()} of 49 events selected."

    reader.brush("histogram", 100.0, 220.0, 1.0)
    low, high = reader.run("return [model('near').value, model('far').value]")
    inside = events["min_distance"].between(low, high)
    assert 0 < inside.sum() < 49
    assert_table_is(reader, events[inside])
    assert_text_gives(reader, near, near[inside.to_numpy()])
    assert (
        reader.run("return Array.from(model('histogram').renderers[1].data_source.data.picked)")
        == np.histogram(events["min_distance"][inside], np.linspace(0, 500, 41))[0].tolist()
    )

    sites, x, y = reader.run(
        "const {name, x, y} = model('stations0').data_source.data;"
        "return [Array.from(name), Array.from(x), Array.from(y)]"
    )
    here = sites.index("GILL")
    assert reader.hover("map0", x[here], y[here]).splitlines()[0] == "GILL"
    reader.click("map0", x[here], y[here])
    inside = events["pair"].str.contains("GILL")
    assert_table_is(reader, events[inside])
    assert_text_gives(reader, near, near[inside.to_numpy()])

    assert reader.complaints() == []
    assert [url for url in reader.requests() if not url.startswith(("file:", "data:", "blob:"))] == []


def test_what_hovers_over_an_event_is_its_row(near, saved, reader):
    reader.open(saved)
    event = near.aurorax.explode_events().iloc[10]
    lane = reader.run("const d = model('bars').data_source.data; return [d.left[10], d.right[10], d.y[10]]")
    told = reader.hover("timeline", (lane[0] + lane[1]) / 2, lane[2]).splitlines()
    told = dict(zip(told[::2], told[1::2], strict=True))
    assert told["Pair"] == event["pair"]
    assert told["Start [UTC]"] == f"{event['start']}"
    assert told["End [UTC]"] == f"{event['end']}"
    for name in ("min_distance", "approach_distance", "approach_elevation"):
        assert float(told[HEADINGS[name]]) == pytest.approx(event[name], abs=5e-4)
    assert float(told["Sun elevation [degrees]"]) == pytest.approx(event["sun_elevation"], abs=5e-4)
    assert float(told["Moon elevation [degrees]"]) == pytest.approx(event["moon_elevation"], abs=5e-4)


def test_selections_narrow_and_add_and_an_empty_one_is_empty(near, saved, reader):
    events = near.aurorax.explode_events()
    reader.open(saved)
    reader.brush("histogram", 100.0, 300.0, 1.0)
    first = events["min_distance"].between(*reader.run("return [model('near').value, model('far').value]"))
    reader.run("model('mode').value = 'narrow'")
    reader.brush("timeline", ms("2020-01-01 00:00"), ms("2020-01-01 01:30"), 5.0)
    low, high = (pd.Timestamp(text) for text in reader.run("return [model('from').value, model('to').value]"))
    both = first & (events["start"] <= high) & (events["end"] >= low)
    assert 0 < both.sum() < first.sum()
    assert_text_gives(reader, near, near[both.to_numpy()])
    reader.run("model('mode').value = 'add'")
    reader.brush("histogram", 400.0, 480.0, 1.0)
    more = events["min_distance"].between(*reader.run("return [model('near').value, model('far').value]"))
    assert_text_gives(reader, near, near[(both | more).to_numpy()])
    reader.run("model('mode').value = 'replace'")
    reader.brush("histogram", 5.0, 25.0, 1.0)
    assert reader.status == "0 of 49 events selected."
    assert reader.table()["Pair"] == []
    assert len(eval(reader.text, {"df": near})) == 0
    reader.click("timeline", ms("2020-01-01 05:30"), 30.0)
    assert reader.status == "All 49 events."
    assert reader.complaints() == []


def test_a_keyboard_reaches_the_form_the_buttons_and_the_table(near, saved, reader):
    events = near.aurorax.explode_events()
    reader.open(saved)
    reached = set()
    for _ in range(60):
        reader.key("Tab")
        reached.add(
            reader.run(
                """
                let each = document.activeElement
                while (each.shadowRoot?.activeElement) each = each.shadowRoot.activeElement
                return each.localName == "button" ? each.innerText.trim() : each.closest(".bk-input-group")?.innerText?.split("\\n")[0] ?? each.className
                """
            )
        )
    wanted = {
        "From [UTC]",
        "To [UTC]",
        "From [km]",
        "To [km]",
        "Station",
        "Lane",
        "A selection",
        "Lanes by",
        "Select",
        "Clear",
    }
    assert wanted | {"Earlier", "Later", "Zoom in", "Zoom out", "Zoom to selection", "All times", "Copy"} <= reached
    reader.write("From [UTC]", "2020-01-01 02:00")
    reader.write("To [UTC]", "2020-01-01 04:10Z")
    reader.press("Select")
    inside = (events["start"] <= "2020-01-01 04:10") & (events["end"] >= "2020-01-01 02:00")
    assert_text_gives(reader, near, near[inside.to_numpy()])
    before = reader.run("return [model('timeline').x_range.start, model('timeline').x_range.end]")
    reader.press("Zoom to selection")
    after = reader.run("return [model('timeline').x_range.start, model('timeline').x_range.end]")
    assert before[0] < after[0] < ms(events["start"][inside].min())
    assert ms(events["end"][inside].max()) < after[1] < before[1]
    reader.write("From [UTC]", "yesterday")
    reader.press("Select")
    assert reader.status == "“yesterday” is no instant; write it as 2020-01-01 03:00 (UTC)."
    reader.press("Clear")
    assert reader.status == "All 49 events."


def test_the_zone_of_the_browser_changes_nothing(saved, reader):
    seen = []
    for zone in ("UTC", "America/Edmonton"):
        reader.open(saved, zone=zone)
        assert (reader.run("return new Date(2020, 0, 1).getTimezoneOffset()") != 0) == (zone != "UTC")
        ticks = reader.run(
            "const axis = view('timeline').axis_views.find((v) => v.model.axis_label == 'Time [UTC]');"
            "return axis.compute_labels(axis.tick_coords.major[0]).items.map((each) => each.text.trim())"
        )
        reader.write("To [UTC]", "2020-01-01 02:00")
        reader.press("Select")
        seen.append((ticks, reader.table(), reader.text, reader.hover("timeline", ms("2020-01-01 00:08:50"), 28.0)))
    assert seen[0] == seen[1]
    assert "01:00" in "".join(seen[0][0])


def test_names_are_text_wherever_they_stand(near, tmp_path, reader):
    events = near.aurorax.explode_events().head(10)
    events = events.assign(pair=pd.Categorical([NASTY[number % len(NASTY)] for number in range(10)]))
    events[NASTY[0]] = NASTY[2]
    events.aurorax.explore(by="pair", color="pair", tooltip=["pair", NASTY[0]], title=NASTY[0]).save(
        tmp_path / "page.html"
    )
    reader.open(tmp_path / "page.html")
    table = reader.table()
    headings = list(table)
    assert table[headings[0]] == events["pair"].tolist()
    assert headings[1].lower() == NASTY[0]
    assert reader.cells()[:4] == [NASTY[0], NASTY[2], NASTY[1], NASTY[2]]
    assert reader.browser.title == NASTY[0]
    words = reader.run("return view('head').el.shadowRoot.querySelector('h1').innerText")
    assert words == NASTY[0]
    legend = reader.run("return view('head').el.shadowRoot.querySelector('p').innerText")
    assert all(name in legend for name in NASTY)
    lanes = reader.run(
        "const axis = view('timeline').axis_views.find((v) => v.model.axis_label != 'Time [UTC]');"
        "return axis.compute_labels([0, 1, 2, 3, 4]).items.map((each) => each.text.trim())"
    )
    assert sorted(lanes) == sorted(NASTY)
    told = reader.hover(
        "timeline", *reader.run("const d = model('bars').data_source.data; return [d.left[0] + 3e4, d.y[0]]")
    )
    assert told.splitlines()[1] == NASTY[0]
    assert reader.complaints() == []
    assert [url for url in reader.requests() if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("dark", [False, True])
def test_colours_follow_the_page_and_a_narrow_one_is_stacked(saved, reader, dark):
    reader.open(saved, width=390, height=844, dark=dark)
    ink = reader.run(
        "return model('timeline').yaxis?.major_label_text_color ?? model('timeline').left[0].major_label_text_color"
    )
    paper = reader.run("return getComputedStyle(document.body).backgroundColor")
    assert (ink, paper) == (("#e3e6ea", "rgb(22, 25, 29)") if dark else ("#1f2328", "rgb(255, 255, 255)"))
    boxes = reader.run(
        "return ['timeline', 'map0', 'histogram', 'table'].map((name) => view(name).el.getBoundingClientRect()).map((b) => [b.left, b.right, b.top])"
    )
    assert all(left >= 0 and right <= 390 for left, right, _ in boxes)
    assert [top for *_, top in boxes] == sorted(top for *_, top in boxes)
    assert reader.run("return document.documentElement.scrollWidth") == 390


def test_lanes_are_sorted_by_label_first_and_count(near, saved, reader):
    events = near.aurorax.explode_events()
    reader.open(saved)

    def lanes():
        return reader.run(
            "const axis = view('timeline').axis_views.find((v) => v.model.axis_label != 'Time [UTC]');"
            "return axis.compute_labels(Array.from({length: 33}, (_, i) => i)).items.map((each) => each.text.trim())"
        )

    grouped = events.groupby("pair", observed=True)
    assert lanes() == sorted(events["pair"].unique())
    for sort, expected in (("start", grouped["start"].min()), ("count", -grouped.size())):
        reader.run("model('sort').value = arguments[0]", sort)
        reader.settle()
        assert lanes() == expected.sort_values(kind="stable").index.tolist()
        y = reader.run("return Array.from(model('bars').data_source.data.y)")
        assert [lanes()[int(place)] for place in y] == events["pair"].tolist()


def test_tracks_of_the_selection_are_drawn_dashed_where_conjugate(near, saved, reader):
    events = near.aurorax.explode_events()
    far = (events["spacecraft_hemisphere"] == "southern").to_numpy()
    reader.open(saved)
    drawn = (
        "const lines = model('map0').renderers.filter((r) => r.data_source.data.name && r.data_source.data.xs);"
        "return lines.map((r) => r.data_source.data.xs.length)"
    )
    for number in (int(np.flatnonzero(far)[0]), int(np.flatnonzero(~far)[0])):
        reader.run("model('bars').data_source.selected.indices = [arguments[0]]", number)
        reader.settle()
        assert reader.run(drawn) == ([0, 1] if far[number] else [1, 0])
        assert reader.status == "1 of 49 events selected."


def test_the_output_of_a_notebook_shows_again_from_the_file(tmp_path, reader):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    source = "import aurorax_pandas\naurorax_pandas.load_sample_conjunctions().aurorax.explore()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    [output] = nbformat.read(tmp_path / "notebook.ipynb", 4).cells[0].outputs
    assert output.data["text/plain"] == "<ExplorePage of 49 events in 33 lanes>"
    # a front end puts an output into a page of its own, whose scripts it does not run
    page = f"""<!doctype html><meta charset="utf-8"><body style="background: #111"><script>
    document.body.innerHTML = {json.dumps(output.data["text/html"]).replace("</", "<" + chr(92) + "/")}
    </script>"""
    (tmp_path / "front_end.html").write_text(page, encoding="utf-8")
    reader.open(tmp_path / "front_end.html", frame=True)
    assert reader.run("return model('text').value") == "df.loc[[*range(0, 49)]]"
    assert reader.run("return model('timeline').left[0].major_label_text_color") == "#e3e6ea"
    reader.browser.switch_to.default_content()
    height = reader.browser.execute_script("return document.querySelector('iframe').getBoundingClientRect().height")
    assert height > 1000
    assert html.unescape(output.data["text/html"]).count("<iframe") == 1


def test_a_row_is_ringed_a_click_selects_one_and_the_text_is_copied(near, saved, reader):
    reader.open(saved)
    event = near.aurorax.explode_events().iloc[10]
    left, right, y = reader.run("const d = model('bars').data_source.data; return [d.left[10], d.right[10], d.y[10]]")
    reader.click("timeline", (left + right) / 2, y)
    assert reader.status == "1 of 49 events selected."
    assert reader.table()["Pair"] == [event["pair"]]
    reader.run("model('table').source.selected.indices = [0]")
    reader.settle()
    assert reader.run("return Array.from(model('ring').data_source.data.x)") == [(left + right) / 2]
    assert reader.run("return Array.from(model('ring0').data_source.data.x)")[0] == pytest.approx(
        reader.run("return model('bars').data_source.data.x0[10]")
    )
    reader.do("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    reader.press("Copy")
    assert reader.status == "Copied."
    assert reader.text == "df.loc[[10]]"
    reader.key("Escape")
    reader.settle()
    assert reader.status == "All 49 events."


def test_twenty_thousand_events_pan_about_as_lightly_as_few(near, saved, tmp_path, reader):
    random = np.random.default_rng(1)
    events = near.aurorax.explode_events()
    many = events.iloc[random.integers(0, len(events), 20_000)].reset_index(drop=True)
    shift = pd.to_timedelta(random.integers(0, 600_000, 20_000), unit="min").as_unit("us")
    many = many.assign(**{name: many[name] + shift for name in ("start", "end", "closest_epoch")})
    many.aurorax.explore().save(tmp_path / "many.html")
    costs = []
    for path in (saved, tmp_path / "many.html"):
        reader.open(path)
        reader.do("Performance.enable", timeDomain="threadTicks")
        reader.run(
            "for (const tool of model('timeline').toolbar.tools) if (tool.type == 'PanTool') tool.active = true;"
            "else if (tool.type == 'BoxSelectTool') tool.active = false"
        )
        low, high = reader.run("return [model('timeline').x_range.start, model('timeline').x_range.end]")
        x, y = reader.at("timeline", (low + high) / 2, 15.0)
        reader.mouse("mouseMoved", x, y)
        reader.mouse("mousePressed", x, y)
        reader.mouse("mouseMoved", x - 5, y)
        before = reader.spent()
        for step in range(10):
            reader.mouse("mouseMoved", x - 10 - 5 * step, y)
        costs.append(reader.spent() - before)
        reader.mouse("mouseReleased", x - 55, y)
        assert reader.run("return model('timeline').x_range.start") > low
    assert costs[1] < 2.5 * costs[0]
