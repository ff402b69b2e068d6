"""The pictures of a page: the timeline, a map for each hemisphere, and the histogram."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from aurorax_pandas.interactive.library import bokeh_models, new_figure
from aurorax_pandas.interactive.paint import ROLES, Paint
from aurorax_pandas.interactive.places import Panel, Places
from aurorax_pandas.interactive.rows import Drawn, milliseconds, packaged
from aurorax_pandas.plotting import lanes
from aurorax_pandas.plotting.rows import stops_of

_LANE_PIXELS: Final = 19
_BINS: Final = 40
#: About how many bars are drawn while the timeline moves; all are drawn where it rests.
_DRAWN_IN_MOTION: Final = 1000
#: Muted: what is not selected.
_FAINT: Final = 0.16


class Themed:
    """Collects what has a colour for the background: models, properties, and what for."""

    def __init__(self) -> None:
        self.found: list[list[Any]] = []

    def add(self, model: Any, role: str, *names: str, spec: bool = False) -> None:
        """Give properties the colour of a role; `spec` tells those that may differ from point to point."""
        for name in names:
            setattr(model, name, ROLES[role][0])
            self.found.append([model, name, role, spec])

    def add_figure(self, figure: Any) -> None:
        """Give a figure its colours."""
        # the page shows through
        figure.update(background_fill_color=None, border_fill_color=None)
        self.add(figure, "faint", "outline_line_color")
        for axis in figure.axis:
            self.add(axis, "ink", "major_label_text_color", "axis_label_text_color")
            self.add(axis, "soft", "axis_line_color", "major_tick_line_color", "minor_tick_line_color")
        for grid in figure.grid:
            self.add(grid, "grid", "grid_line_color")


class Shown(NamedTuple):
    """A picture: its figure, what hovers over it, and what the script needs of it by name."""

    figure: Any
    hovers: dict[str, Any]
    held: dict[str, Any]


def event_source(drawn: Drawn, places: Places, paint: Paint) -> Any:
    """Return the events as Bokeh draws them; `y` is the place of the lane."""
    models = bokeh_models()
    from aurorax_pandas.plotting.projection import azimuthal

    events = drawn.events
    data: dict[str, Any] = {
        "y": drawn.labels.cat.codes.to_numpy(np.float32),
        "left": milliseconds(events["start"].to_numpy("M8[us]")),
        "right": milliseconds(stops_of(events)),
        "color": paint.values,
    }
    if paint.hatch is not None:
        data["hatch"] = paint.hatch
    if places.closest is not None:
        for number, panel in enumerate(places.panels):
            x, y = azimuthal(places.closest[0], places.closest[1], panel.centre)
            here = places.south == panel.south
            data |= {f"x{number}": np.where(here, x, np.nan), f"y{number}": np.where(here, y, np.nan)}
    return models.ColumnDataSource(data)


def lane_orders(drawn: Drawn) -> dict[str, list[int]]:
    """Return the lanes in each order that the timeline knows."""
    spans = drawn.events[["start", "min_distance"]]
    known = {str(name): number for number, name in enumerate(drawn.labels.cat.categories)}
    return {
        sort: [known[name] for name in lanes.sorted_lanes(spans, drawn.labels, sort)[1]] if len(spans) else []
        for sort in lanes.SORTS
    }


def timeline_figure(
    drawn: Drawn, source: Any, paint: Paint, far: Any, height: int | None, themed: Themed, mapper: Any
) -> Shown:
    """Return the timeline: a lane for each label, a bar for each event, from its start to a minute after its end."""
    models = bokeh_models()
    names = [str(name) for name in drawn.labels.cat.categories]
    count = max(len(names), 1)
    pixels = height or int(np.clip(95 + _LANE_PIXELS * count, 170, 640))
    low, high = _whole_time(source)
    shown = new_figure(
        height=pixels, sizing_mode="stretch_width", tools=[], x_axis_type="datetime",
        x_range=models.Range1d(low, high), y_range=models.Range1d(count - 0.4, -0.6), min_border_right=12, name="timeline",
        toolbar_location="above", lod_threshold=_DRAWN_IN_MOTION, lod_timeout=250,
        lod_factor=max(2, len(drawn.events) // _DRAWN_IN_MOTION),
    )  # fmt: skip
    bars = shown.hbar(
        y="y", left="left", right="right", height=0.78, source=source, fill_color=_color(mapper),
        line_color=_color(mapper), line_width=1.5, name="bars",
    )  # fmt: skip
    if paint.hatch is not None:
        bars.glyph.update(hatch_pattern="hatch", hatch_color="#ffffff", hatch_weight=1.0, hatch_scale=6.0)
    if far is not None:
        source.data["fill"] = np.where(far, 0.0, 1.0).astype(np.float32)
        bars.glyph.fill_alpha = "fill"
    faint = {"fill_alpha": _FAINT, "line_alpha": _FAINT}
    for name in ("nonselection_glyph", "muted_glyph"):
        setattr(bars, name, bars.glyph.clone(**faint))
    bars.selection_glyph = bars.glyph.clone()
    ring = models.ColumnDataSource({"x": [], "y": []})
    around = shown.scatter("x", "y", source=ring, size=15, fill_color=None, line_width=2.5, name="ring")
    themed.add(around.glyph, "ink", "line_color", spec=True)
    hover = models.HoverTool(renderers=[bars], tooltips=[("event", "$index")], point_policy="follow_mouse", limit=1)
    brush = models.BoxSelectTool(dimensions="width", renderers=[], description="Select by time")
    pan, wheel = models.PanTool(dimensions="width"), models.WheelZoomTool(dimensions="width", modifiers="ctrl")
    shown.add_tools(brush, pan, wheel, models.TapTool(renderers=[bars]), hover, models.ResetTool(), models.SaveTool())
    shown.toolbar.active_drag, shown.toolbar.active_scroll, shown.toolbar.logo = brush, wheel, None
    clock, day = "%H:%M", "%Y-%m-%d"
    dated = dict.fromkeys(("microseconds", "milliseconds", "seconds", "minsec", "minutes", "hourmin", "hours"), day)
    shown.xaxis.formatter = models.DatetimeTickFormatter(
        seconds="%H:%M:%S", minsec="%H:%M:%S", minutes=clock, hourmin=clock, hours=clock, days="%b %d", months="%Y-%m",
        context=models.DatetimeTickFormatter(**dated, days="%Y", months="", years=""), context_which="start",
        hide_repeats=True,
    )  # fmt: skip
    shown.xaxis.axis_label = "Time [UTC]"
    if not len(drawn.events):
        # no day is the day of nothing
        shown.xaxis.ticker = []
    order = models.ColumnDataSource({"lane": list(range(len(names)))})
    shown.yaxis.ticker = models.AdaptiveTicker(
        desired_num_ticks=max(1, min(count, (pixels - 90) // 15)),
        min_interval=1,
        num_minor_ticks=0,
        mantissas=[1, 2, 5],
    )
    shown.yaxis.formatter = models.CustomJSTickFormatter(
        args={"names": names, "order": order, "figure": shown}, code=packaged("lane_names.js")
    )
    shown.yaxis.major_tick_line_width = 0
    shown.axis.major_label_text_font_size = "11px"
    shown.ygrid.grid_line_alpha = 0.6
    themed.add_figure(shown)
    if mapper is not None and len(drawn.events):
        bar = models.ColorBar(color_mapper=mapper, height=9, padding=2, margin=0, major_label_text_font_size="10px")
        bar.background_fill_alpha = 0.0
        themed.add(bar, "ink", "major_label_text_color")
        shown.add_layout(bar, "above")
    return Shown(shown, {"events": hover}, {"bars": bars, "ring": ring, "order": order, "whole": [low, high]})


def _whole_time(source: Any) -> tuple[float, float]:
    """Return the ends of the time that holds all events [ms]."""
    left, right = source.data["left"], source.data["right"]
    if not np.isfinite(left).any() or not np.isfinite(right).any():
        return 0.0, 86_400_000.0
    low, high = float(np.nanmin(left)), float(np.nanmax(right))
    margin = max(0.02 * (high - low), 60_000.0)
    return low - margin, high + margin


def _color(mapper: Any) -> Any:
    return "color" if mapper is None else {"field": "color", "transform": mapper}


def map_figure(panel: Panel, number: int, places: Places, source: Any, themed: Themed, mapper: Any) -> Shown:
    """Return the map of a hemisphere: coast, graticule, stations and, with an ephemeris, tracks and closest epochs."""
    models = bokeh_models()
    left, right, bottom, top = panel.view
    shown = new_figure(
        sizing_mode="stretch_width", aspect_ratio=float(np.clip((right - left) / (top - bottom), 0.9, 1.6)), tools=[],
        x_range=models.Range1d(left, right), y_range=models.Range1d(bottom, top), match_aspect=True, name=f"map{number}",
        toolbar_location="above", lod_threshold=None, min_border=4,
    )  # fmt: skip
    shown.axis.visible = False
    shown.grid.visible = False
    for lines, role, width in ((panel.graticule, "grid", 1.0), (panel.coast, "coast", 0.8)):
        drawn = shown.multi_line([each[:, 0] for each in lines], [each[:, 1] for each in lines], line_width=width)
        themed.add(drawn.glyph, role, "line_color", spec=True)
    x, y, words = ([each[part] for each in panel.parallels] for part in range(3))
    written = shown.text(x, y, words, text_font_size="9px", text_align="center", text_baseline="middle")
    themed.add(written.glyph, "soft", "text_color", spec=True)
    empty: dict[str, Any] = {"xs": [], "ys": [], "color": [], "name": []}
    solid, dashed = models.ColumnDataSource(empty), models.ColumnDataSource(empty)
    hovers: dict[str, Any] = {}
    tools: list[Any] = []
    closest = None
    if places.tracks is not None:
        tracks = [
            shown.multi_line("xs", "ys", source=each, line_color="color", line_width=1.4, line_dash=dash)
            for each, dash in ((solid, "solid"), (dashed, [5, 4]))
        ]
        closest = shown.scatter(
            f"x{number}", f"y{number}", source=source, size=6, fill_color=_color(mapper), line_width=0.6, name="closest",
            nonselection_fill_alpha=0.0, nonselection_line_alpha=0.0, muted_fill_alpha=0.0, muted_line_alpha=0.0,
        )  # fmt: skip
        themed.add(closest.glyph, "paper", "line_color", spec=True)
        hovers = {
            "lines": models.HoverTool(renderers=tracks, tooltips=[("track", "$index")], limit=1),
            "events": models.HoverTool(renderers=[closest], tooltips=[("event", "$index")], limit=1),
        }
        tools += list(hovers.values())
    ring = models.ColumnDataSource({"x": [], "y": []})
    around = shown.scatter("x", "y", source=ring, size=16, fill_color=None, line_width=2.5, name=f"ring{number}")
    themed.add(around.glyph, "ink", "line_color", spec=True)
    rows = len(panel.stations)
    stations = models.ColumnDataSource(
        {name: panel.stations[name].to_numpy() for name in ("x", "y")}
        | {
            "site": panel.stations["site"].to_numpy(np.int32),
            "name": [places.sites[each] for each in panel.stations["site"]],
        }
        | {"picked": np.zeros(rows, np.int32), "size": np.full(rows, 6.0), "alpha": np.full(rows, 1.0)}
    )
    marks = shown.scatter(
        "x",
        "y",
        source=stations,
        size="size",
        fill_alpha="alpha",
        marker="square",
        line_width=1.0,
        name=f"stations{number}",
    )
    themed.add(marks.glyph, "ink", "fill_color", spec=True)
    themed.add(marks.glyph, "paper", "line_color", spec=True)
    names = shown.text(
        "x", "y", "name", source=stations, text_font_size="10px", x_offset=7, y_offset=-3, text_alpha=0.9,
    )  # fmt: skip
    themed.add(names.glyph, "ink", "text_color", spec=True)
    hovers["stations"] = models.HoverTool(renderers=[marks], tooltips=[("station", "$index")], limit=1)
    wheel, pan = models.WheelZoomTool(modifiers="ctrl"), models.PanTool()
    shown.add_tools(pan, wheel, hovers["stations"], *tools, models.ResetTool(), models.SaveTool())
    shown.toolbar.active_drag, shown.toolbar.active_scroll, shown.toolbar.logo = pan, wheel, None
    themed.add_figure(shown)
    held = {
        "figure": shown, "stations": stations, "lines": solid, "dashed": dashed, "ring": ring, "south": int(panel.south),
        "closest": closest,
    }  # fmt: skip
    return Shown(shown, hovers, held)


def distance_bins(distances: Any, top: float | None) -> tuple[Any, Any]:
    """Return the edges of the histogram's bins [km], and the bin of each distance, −1 where there is none."""
    known = distances[np.isfinite(distances)]
    high = max(float(known.max(initial=0.0)), top or 0.0)
    low = min(float(known.min(initial=0.0)), 0.0)
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    found = np.searchsorted(edges, distances, side="right") - 1
    # the last bin holds its upper end too
    return edges, np.where(np.isfinite(distances), np.minimum(found, _BINS - 1), -1).astype(np.int32)


def histogram_figure(edges: Any, bin_of: Any, themed: Themed) -> Shown:
    """Return the histogram of distances, of all events and of those selected."""
    models = bokeh_models()
    counts = np.bincount(bin_of[bin_of >= 0], minlength=len(edges) - 1)
    bins = models.ColumnDataSource(
        {
            "left": edges[:-1],
            "right": edges[1:],
            "top": counts.astype(np.int32),
            "picked": np.zeros(len(counts), np.int32),
        }
    )
    margin = 0.02 * (edges[-1] - edges[0])
    shown = new_figure(
        height=230, sizing_mode="stretch_width", tools=[], x_range=models.Range1d(edges[0] - margin, edges[-1] + margin),
        y_range=models.Range1d(0, 1.08 * max(int(counts.max(initial=0)), 1)), name="histogram", min_border_right=12,
        toolbar_location="above",
    )  # fmt: skip
    every = shown.quad(left="left", right="right", bottom=0, top="top", source=bins, line_width=0.5)
    chosen = shown.quad(left="left", right="right", bottom=0, top="picked", source=bins, line_width=0.5)
    themed.add(every.glyph, "faint", "fill_color", spec=True)
    themed.add(chosen.glyph, "mark", "fill_color", spec=True)
    for drawn in (every, chosen):
        themed.add(drawn.glyph, "paper", "line_color", spec=True)
        drawn.nonselection_glyph = None
    hover = models.HoverTool(
        renderers=[every], tooltips=[("km", "@left{0.#} to @right{0.#}"), ("events", "@top"), ("selected", "@picked")]
    )
    brush = models.BoxSelectTool(dimensions="width", renderers=[], description="Select by distance")
    shown.add_tools(brush, hover, models.ResetTool(), models.SaveTool())
    shown.toolbar.active_drag, shown.toolbar.logo = brush, None
    shown.xaxis.axis_label, shown.yaxis.axis_label = "Minimum distance [km]", "Events"
    shown.yaxis.ticker.min_interval = 1
    shown.yaxis.ticker.num_minor_ticks = 0
    themed.add_figure(shown)
    return Shown(shown, {}, {"bins": bins})
