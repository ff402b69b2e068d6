"""The whole of a page as one layout of Bokeh: views, form and table, and the script that they share."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.interactive import figures, rows
from aurorax_pandas.interactive.library import bokeh_models
from aurorax_pandas.interactive.paint import ROLES, craft_colors, craft_legend, painted
from aurorax_pandas.interactive.places import places_of
from aurorax_pandas.plotting import colors, scale
from aurorax_pandas.plotting.rows import conjugate_rows

if TYPE_CHECKING:
    import xarray as xr

_SORTS: Final = {"label": "label", "start": "first", "count": "count", "distance": "distance"}
_TABLE_HEIGHT: Final = 300


def sheet(
    df: pd.DataFrame,
    drawn: rows.Drawn,
    ephemeris: xr.Dataset | None,
    told: list[str],
    color: str | None,
    limits: scale.Limits,
    palette: dict[str, Any],
    title: str | None,
    width: int | None,
    height: int | None,
) -> Any:
    """
    Return the layout of a page.

    Parameters
    ----------
    df : pandas.DataFrame
        The frame that was given.
    drawn : Drawn
        Its events.
    ephemeris : xarray.Dataset or None
        Where the spacecraft were.
    told : list of str
        The columns that are told of each event.
    color : str or None
        The column that colours events.
    limits : Limits
        What the user said of the colour scale.
    palette : dict
        Colours that the user chose.
    title : str or None
        Title above all.
    width, height : int or None
        Width of the page and height of the timeline [pixels]; None for as much as there is, and for what the lanes need.
    """
    models = bokeh_models()
    events = drawn.events
    places = places_of(drawn, ephemeris)
    paint = painted(df, events, color, limits, palette)
    themed = figures.Themed()
    mapper = None
    if paint.ramps is not None:
        mapper = models.LinearColorMapper(palette=paint.ramps[0], low=paint.low, high=paint.high, nan_color="#999999")
    source = figures.event_source(drawn, places, paint)
    far = conjugate_rows(events)
    timeline = figures.timeline_figure(drawn, source, paint, far, height, themed, mapper)
    maps = [
        figures.map_figure(panel, number, places, source, themed, mapper) for number, panel in enumerate(places.panels)
    ]
    distances = events["min_distance"].to_numpy(np.float64)
    edges, bin_of = figures.distance_bins(distances, scale.query_distance(df))
    histogram = figures.histogram_figure(edges, bin_of, themed)
    columns = [rows.told_values(events, name) for name in told]
    style = models.InlineStyleSheet(css=rows.packaged("style.css"))
    form, buttons, places_in_form = _selection_form(drawn, places.sites, style)
    table, data, said, text = _event_table(columns, style)
    bars = timeline.held["bars"]
    lines = _line_data(places.tracks, palette)
    crafts = "" if lines is None else craft_legend(lines["names"], lines["colors"])
    colors.tell_misspelt(palette, [*paint.names, *(lines["names"] if lines is not None else ())])
    shared = {
        "events": source, "bars": bars, "timeline": timeline.figure, "ring": timeline.held["ring"],
        "whole": timeline.held["whole"], "bins": histogram.held["bins"], "table": data, "status": said, "text": text,
        "panels": [each.held for each in maps], "columns": columns, "sites": places.sites, "form": form,
        "lanes": {"orders": figures.lane_orders(drawn), "shown": timeline.held["order"]},
        "told": _asked_of_events(drawn, places.sides, distances, bin_of, len(places.sites)), "refs": rows.row_names(df),
        "tracks": lines, "themed": themed.found, "roles": ROLES, "mapper": mapper,
        "ramps": paint.ramps, "hovers": _hovers([timeline, *maps]),
    }  # fmt: skip
    core = models.CustomJS(args=shared, code=rows.packaged("script.js"))

    def act(what: str, **more: Any) -> Any:
        return models.CustomJS(
            args={"core": core, "more": more}, code=f"core.execute(cb_obj, {{...more, act: {what!r}}})"
        )

    timeline.figure.js_on_change("inner_width", act("start"))
    timeline.figure.js_on_event("selectiongeometry", act("time"))
    timeline.figure.js_on_event("tap", act("nothing"))
    histogram.figure.js_on_event("selectiongeometry", act("distance"))
    for each in maps:
        each.figure.js_on_event("tap", act("map", panel=each.held))
    source.selected.js_on_change("indices", act("selected"))
    data.selected.js_on_change("indices", act("row"))
    form["sort"].js_on_change("value", act("sort"))
    for what, button in buttons.items():
        button.js_on_event("button_click", act(what))
    head = _heading(title, [paint.legend, crafts], drawn, has_far=far is not None)
    parts = {
        "head": _html(head, style, "head"), "time": timeline.figure, "form": places_in_form,
        "side": _in_column([*(each.figure for each in maps), histogram.figure]), "said": _in_column([said, _in_row([text, buttons["copy"]], style)]),
        "rows": table,
    }  # fmt: skip
    for area, part in parts.items():
        part.styles = {"grid-area": area, "min-width": "0", "width": "100%"}
    return models.Column(
        children=list(parts.values()), stylesheets=[models.InlineStyleSheet(css=rows.packaged("frame.css"))], name="explore",
        **({"sizing_mode": "stretch_width"} if width is None else {"width": width}),
    )  # fmt: skip


def _asked_of_events(
    drawn: rows.Drawn, sides: rows.Ints, distances: rows.Floats, bin_of: Any, sites: int
) -> dict[str, Any]:
    """Return what selections ask of events; times are milliseconds since 1970 (UTC)."""
    counted = [np.unique(row[row >= 0]) for row in sides]
    by_site = np.bincount(np.concatenate(counted), minlength=sites) if counted else np.zeros(sites)
    return {
        "start": rows.milliseconds(drawn.events["start"].to_numpy("M8[us]")),
        "end": rows.milliseconds(drawn.events["end"].to_numpy("M8[us]")),
        "distance": distances, "bin": bin_of, "lane": drawn.labels.cat.codes.to_numpy(np.int32),
        "row": drawn.row.astype(np.int32), "side1": sides[:, 0].astype(np.int32), "side2": sides[:, 1].astype(np.int32),
        "bySite": by_site.astype(np.int32),
    }  # fmt: skip


def _line_data(tracks: dict[str, Any] | None, palette: dict[str, Any]) -> dict[str, Any] | None:
    if tracks is None:
        return None
    whole = {name: tracks[name].astype(np.int32) for name in ("craft", "first1", "length1", "first2", "length2")}
    told = {name: tracks[name].astype(np.uint8) for name in ("south", "conjugate", "joined")}
    places = {name: tracks[name].astype(np.float32) for name in ("x", "y")}
    return {**whole, **told, **places, "names": tracks["names"], "colors": craft_colors(tracks["names"], palette)}


def _hovers(shown: list[figures.Shown]) -> dict[str, list[Any]]:
    return {
        kind: [each.hovers[kind] for each in shown if kind in each.hovers] for kind in ("events", "stations", "lines")
    }


def _heading(title: str | None, legends: list[str], drawn: rows.Drawn, *, has_far: bool) -> str:
    """Return what stands above the views, as HTML."""
    lines = [f"<h1 style='font-size: 1.35em; margin: 0 0 4px'>{html.escape(title)}</h1>"] if title else []
    if drawn.left_out:
        count = len(drawn.events)
        lines.append(
            f"<p style='margin: 2px 0; font-weight: 600'>The closest {count:,} of {count + drawn.left_out:,} events are drawn; "
            "the others are not on this page.</p>"
        )
    keys = [legend for legend in legends if legend]
    if has_far:
        keys.append("<span>Hollow bars are conjugate.</span>")
    if keys:
        lines.append(f"<p style='margin: 2px 0'>{' &emsp;'.join(keys)}</p>")
    return "".join(lines) or " "


def _selection_form(drawn: rows.Drawn, sites: list[str], style: Any) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Return the fields of the form by name, all buttons by what they do, and the form."""
    models = bokeh_models()
    look: dict[str, Any] = {"stylesheets": [style], "styles": {"flex": "1 1 110px", "min-width": "0"}, "width": None}
    lanes = [str(name) for name in drawn.labels.cat.categories]
    form = {
        "from": models.TextInput(title="From [UTC]", placeholder="2020-01-01 03:00", **look),
        "to": models.TextInput(title="To [UTC]", placeholder="2020-01-01", **look),
        "near": models.NumericInput(title="From [km]", mode="float", **look),
        "far": models.NumericInput(title="To [km]", mode="float", **look),
        "site": models.Select(title="Station", value="", options=[("", "any"), *_options_of(sites)], **look),
        "lane": models.Select(title="Lane", value="", options=[("", "any"), *_options_of(lanes)], **look),
        "mode": models.Select(
            title="A selection", value="replace",
            options=[("replace", "replaces the last"), ("narrow", "narrows the last"), ("add", "is added to the last")], **look,
        ),
        "sort": models.Select(title="Lanes by", value="label", options=list(_SORTS.items()), **look),
    }  # fmt: skip
    for name, field in form.items():
        field.name = name
    small: dict[str, Any] = {"stylesheets": [style], "styles": {"flex": "1 1 auto"}, "width": None}
    words = {
        "form": "Select", "clear": "Clear", "to selection": "Zoom to selection", "all times": "All times",
        "earlier": "Earlier", "later": "Later", "closer": "Zoom in", "wider": "Zoom out",
    }  # fmt: skip
    buttons = {what: models.Button(label=label, **small) for what, label in words.items()}
    times = ("earlier", "later", "closer", "wider", "to selection", "all times")
    held = _in_column(
        [
            _in_row([buttons[what] for what in times], style),
            _in_row([form[name] for name in ("from", "to", "near", "far")], style),
            _in_row([form[name] for name in ("site", "lane", "mode", "sort")], style),
            _in_row([buttons["form"], buttons["clear"]], style),
        ]
    )
    buttons["copy"] = models.Button(label="Copy", stylesheets=[style], width=70)
    return form, buttons, held


def _options_of(names: list[str]) -> list[tuple[str, str]]:
    return [(str(number), name) for number, name in enumerate(names)]


def _event_table(columns: list[dict[str, Any]], style: Any) -> tuple[Any, Any, Any, Any]:
    """Return the table, its data, the line that tells how many events are selected, and the text that selects them."""
    models = bokeh_models()
    data = models.ColumnDataSource({"event": [], **{f"c{number}": [] for number in range(len(columns))}})
    shown = [
        models.TableColumn(
            field=f"c{number}",
            # headings are HTML there
            title=html.escape(column["label"]),
            formatter=models.NumberFormatter(format="0.[000]", nan_format="")
            if column["kind"] == "number"
            else models.StringFormatter(),
            width=_column_pixels(column),
        )
        for number, column in enumerate(columns)
    ]
    table = models.DataTable(
        source=data, columns=shown, height=_TABLE_HEIGHT, sizing_mode="stretch_width", index_position=None,
        autosize_mode="none", stylesheets=[style], name="table", selectable=True, reorderable=False,
    )  # fmt: skip
    text = models.TextAreaInput(
        title="The selected rows in Python", rows=2, max_length=None, stylesheets=[style],
        styles={"flex": "1 1 200px", "min-width": "0"}, width=None, name="text",
    )  # fmt: skip
    said = _html(" ", style, "status")
    return table, data, said, text


def _column_pixels(column: dict[str, Any]) -> int:
    """Return the width of a column [pixels]."""
    held = 20 + column["digits"] if column["kind"] == "time" else 8
    if column["kind"] == "text":
        held = max((len(name) for name in column["names"]), default=0)
    return int(np.clip(7 * max(held, len(column["label"])) + 16, 60, 260))


def _html(text: str, style: Any, name: str) -> Any:
    models = bokeh_models()
    return models.Div(text=text, name=name, disable_math=True, stylesheets=[style], sizing_mode="stretch_width")


def _in_row(children: list[Any], style: Any) -> Any:
    models = bokeh_models()
    wraps = models.InlineStyleSheet(css=":host { align-items: end; flex-wrap: wrap; gap: 6px 8px; width: 100%; }")
    return models.Row(children=children, stylesheets=[style, wraps], sizing_mode="stretch_width")


def _in_column(children: list[Any]) -> Any:
    models = bokeh_models()
    return models.Column(
        children=children, sizing_mode="stretch_width", stylesheets=[models.InlineStyleSheet(css=":host { gap: 8px; }")]
    )
