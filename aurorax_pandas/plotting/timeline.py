"""The timeline: one lane per pair, one bar per event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.labels import ordered_labels, require_column
from aurorax_pandas.checks import choice, flag, one_name
from aurorax_pandas.frame import model
from aurorax_pandas.frame.intervals import refuse_broken_spans
from aurorax_pandas.plotting import colors, contract, lanes, scale
from aurorax_pandas.plotting.bars import HOLLOW_POINTS, MIN_BAR_POINTS, Bars
from aurorax_pandas.plotting.legend import legend_above, looks_that_fit
from aurorax_pandas.plotting.picture import Picture, held_picture, picture_on
from aurorax_pandas.plotting.rows import (
    conjugate_rows,
    drawn_rows,
    refuse_ages,
    refuse_endless,
    refuse_turned,
    stops_of,
    tell_timeless,
)
from aurorax_pandas.plotting.time_axis import date_numbers, draw_no_times, draw_time, make_room_for_date, name_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

_DAY: Final = np.timedelta64(1, "D")
_ORIGIN: Final[Any] = np.datetime64("1970-01-01", "D")
_NO_VALUE: Final = "0.6"
_DEFAULT: Final = "#0072B2"


@contract.shared_parameters
def timeline(
    df: pd.DataFrame,
    /,
    by: str = "pair",
    color: str | None = "min_distance",
    ax: Axes | None = None,
    *,
    sort: str = "label",
    markers: bool = False,
    by_day: bool = False,
    palette: colors.Palette | None = None,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    figsize: Sequence[float] | None = None,
    title: str | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> Axes:
    """
    Draw when each pair of data sources was in conjunction: one lane per pair, one bar per event.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events of `explode_events`, or passes (one lane per spacecraft). With a column
        ``spacecraft_hemisphere``, as `closest_approach` adds it, the bars of overflights are filled and those of
        conjugate conjunctions hollow.
    by : {"pair", "site", "spacecraft", "station"} or a column, default "pair"
        What a lane is; with ``"site"`` cameras that share a site are one, with ``"station"`` a lane is a ground source,
        whichever spacecraft it sees.
    color : str or None, default "min_distance"
        Column that colours the bars, numbers by a colour bar and anything else by a legend; None for one colour.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, as tall as the lanes need. Where they hold a timeline, lanes of the
        same label are shared and others are added below.
    sort : {"label", "start", "count", "distance"}, default "label"
        Order of the lanes: by name, first start, most events, or least distance.
    markers : bool, default False
        Whether to mark the closest epochs.
    by_day : bool, default False
        Whether to break the lanes at midnight: each day of a lane has a line of its own, and x is the time of day.
    **kwargs
        Properties of the bars, a `matplotlib.collections.PolyCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        Time [UTC] along x, from `start` to one minute after `end`, since both are epochs in range. A bar is never
        narrower than can be seen; where that makes bars wider than their spans, the words of the x axis say how wide
        they are drawn. Of bars that share such a place the one with the least distance is seen.

    Raises
    ------
    AuroraxInputError
        If a column is not there, an argument cannot be used, or the Axes hold another picture; or if a row ends before it
        starts, or has a distance that is none on Earth.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.timeline()
    >>> ax.get_xlabel()
    'Time [UTC]'
    """
    from matplotlib.collections import PolyCollection

    choice("sort", sort, lanes.SORTS)
    kind = "timeline by day" if flag("by_day", by_day) else "timeline"
    given = contract.checked_axes(ax, even="y")
    look = contract.checked_keywords(
        timeline, PolyCollection, kwargs, lambda **some: PolyCollection([], **some), ("norm",)
    )
    chosen_colors = colors.checked_palette(palette)
    if color is not None:
        one_name("color", color)
    flag("markers", markers)
    contract.check_words(title, legend)
    events, labels = drawn_rows(df, by, "timeline", color, "spacecraft_hemisphere")
    refuse_ages("timeline", events["start"], events["end"])
    if not by_day:
        tell_timeless("timeline", events["start"], events["end"])
    if color is not None:
        require_column(events, "color", color)
    numeric = color is not None and scale.holds_numbers(events[color])
    norm = look.pop("norm", None)
    limits = scale.checked_limits(given, kind, color if numeric else None, cmap, vmin, vmax, norm)
    scale.tell_idle(color, numeric=numeric, palette=palette, cmap=cmap, vmin=vmin, vmax=vmax, norm=norm)
    spans = pd.DataFrame(
        {
            "event": np.arange(len(events)),
            "start": events["start"].to_numpy(),
            "stop": stops_of(events),
            "closest": events["closest_epoch"].to_numpy(),
            "min_distance": events["min_distance"].to_numpy(),
            "label": labels.array,
        }
    )
    refuse_turned("timeline", events)
    refuse_endless("timeline", events)
    if by_day:
        refuse_broken_spans(events, "timeline")
        spans = _by_day(spans)
    place, names = lanes.sorted_lanes(spans, spans["label"], sort)
    held = held_picture(given, kind)
    count = len(set(names).union(held.lanes if held else ()))
    axes = contract.new_axes(given, figsize, lanes.lane_height(count))
    picture = picture_on(axes, kind)
    lane = np.array(picture.place_lanes(names), np.int64)[place] if len(names) else place
    lanes.draw_lanes(axes, picture, is_new=ax is None)
    taken = lanes.label_width(axes, picture.lanes)
    chosen = events.iloc[spans["event"].to_numpy()]
    far = conjugate_rows(chosen)
    # where bars are many to a lane, their outlines and marks give way
    width = contract.panel_points(axes)[0] - taken
    room = float(np.clip(0.1 * width * len(names) / max(len(spans), 1), 0.0, 1.0))
    start, stop = spans["start"].to_numpy(), spans["stop"].to_numpy()
    bars = _new_bars(axes, picture, lane, spans, far)
    values = None if color is None else chosen[color]
    if values is None:
        bars.set(facecolor=_DEFAULT if colors.cycle() == list(colors.PALETTE) else colors.cycle()[0])
    elif numeric:
        _color_by_number(axes, picture, bars, values, limits, scale.query_distance(df))
    else:
        _color_by_name(axes, picture, bars, values, chosen_colors)
    bars.set(**look)
    if numeric and values is not None and legend:
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        if np.isfinite(numbers).any():
            scale.color_bar(axes, picture, values=numbers)
    if far is not None:
        _explain_hollow(axes, picture)
    if markers:
        _draw_markers(axes, picture, lane, spans["closest"].to_numpy(), far, room)
    if legend:
        legend_above(axes, picture, taken=taken)
    if by_day:
        _draw_hours(axes, drawn=len(spans) > 0)
    else:
        draw_time(axes, start, stop, taken)
        _tell_width(axes, picture, stop - start, taken)
    return contract.finish(axes, title, figsize)


def _by_day(spans: pd.DataFrame) -> pd.DataFrame:
    """Cut spans at midnight and lay all days on the first day of 1970, with the day in the label."""
    first, last = (spans[name].to_numpy().astype("M8[D]") for name in ("start", "stop"))
    # a span that stops at midnight does not reach into the day
    last = np.maximum(first, np.where(spans["stop"].to_numpy() == last, last - _DAY, last))
    counts = (last - first).astype(np.int64) + 1
    cut = spans.iloc[np.repeat(np.arange(len(spans)), counts)].reset_index(drop=True)
    day = np.repeat(first, counts) + model.ranges(0, counts)
    lapsed = (day - _ORIGIN).astype("m8[us]")
    start = np.maximum(cut["start"].to_numpy(), day)
    stop = np.minimum(cut["stop"].to_numpy(), day + _DAY)
    closest = cut["closest"].to_numpy()
    closest = np.where(closest.astype("M8[D]") == day, closest, np.datetime64("NaT", "us"))
    days = pd.MultiIndex.from_arrays([cut["label"].cat.codes, day])
    codes, found = days.factorize(sort=True)
    names = [f"{cut['label'].cat.categories[code]}  {pd.Timestamp(date):%Y-%m-%d}" for code, date in found]
    return cut.assign(
        start=start - lapsed,
        stop=stop - lapsed,
        closest=closest - lapsed,
        label=pd.Categorical.from_codes(codes, pd.Index(names, dtype="str")),
    )


def _draw_hours(axes: Axes, *, drawn: bool) -> None:
    from matplotlib import dates

    contract.name_axes(axes, x="Time of day [UTC]")
    if not drawn:
        draw_no_times(axes)
        return
    name_times(axes, both_ends=True)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz="UTC"))  # type: ignore[no-untyped-call]
    axes.set_xlim(0.0, 1.0)


def _new_bars(
    axes: Axes,
    picture: Picture,
    lane: npt.NDArray[np.int64],
    spans: pd.DataFrame,
    far: npt.NDArray[np.bool_] | None,
) -> Bars:
    axes.xaxis_date()
    left, right = (date_numbers(spans[name].to_numpy()) for name in ("start", "stop"))
    hollow = np.zeros(len(lane), bool) if far is None else far
    bars = Bars(lane, left, right, spans["min_distance"].to_numpy(), hollow, linewidths=0.0)
    axes.add_collection(bars, autolim=False)
    bars.together = picture.held.setdefault("bars", [])
    bars.together.append(bars)
    return bars


def _color_by_number(
    axes: Axes, picture: Picture, bars: Bars, values: pd.Series[Any], limits: scale.Limits, top: float | None
) -> None:
    from matplotlib.lines import Line2D

    numbers = np.ma.masked_invalid(values.to_numpy(dtype="float64", na_value=np.nan))
    cmap, norm = scale.scaled(axes, picture, str(values.name), numbers.filled(np.nan), limits, top)
    bars.set(array=numbers, cmap=cmap.with_extremes(bad=_NO_VALUE), norm=norm, edgecolor="none")
    if len(numbers) > numbers.count():
        picture.marks["no value"] = Line2D([], [], color=_NO_VALUE, linewidth=6)


def _color_by_name(axes: Axes, picture: Picture, bars: Bars, values: pd.Series[Any], palette: dict[str, Any]) -> None:
    from matplotlib.patches import Patch

    labels, looks = looks_that_fit(axes, ordered_labels(values), palette)
    bars.set_facecolor([looks[label].color for label in labels])
    bars.hatches = np.array([look.hatch for look in looks.values()], object)[labels.cat.codes.to_numpy()]
    for name, look in looks.items():
        picture.colors[name] = Patch(
            facecolor=look.color, hatch=look.hatch, edgecolor=axes.get_facecolor(), linewidth=0
        )


def _explain_hollow(axes: Axes, picture: Picture) -> None:
    from matplotlib.patches import Patch

    back, edge = axes.get_facecolor(), colors.ink(axes)
    picture.marks["overflight"] = Patch(facecolor=edge, edgecolor=edge)
    picture.marks["conjugate"] = Patch(facecolor=back, edgecolor=edge)


def _draw_markers(
    axes: Axes,
    picture: Picture,
    lane: npt.NDArray[np.int64],
    closest: npt.NDArray[Any],
    far: npt.NDArray[np.bool_] | None,
    room: float,
) -> None:
    """Mark the closest epochs."""
    from matplotlib.lines import Line2D

    ink, back = colors.ink(axes), axes.get_facecolor()
    hollow = np.zeros(len(lane), bool) if far is None else far
    # a mark is no higher than a part of its lane, and never so large that it hides the bars
    size = float(np.clip(0.35 * lanes.lane_points(axes, picture), 0.8, 1.8 + 1.7 * room))
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": size, "markeredgewidth": 0.2 * size}
    # a mark has an edge of the other lightness, so that it shows on any bar
    for rows, face, edge in ((~hollow, ink, back), (hollow, back, ink)):
        shown = rows & ~np.isnat(closest)
        if shown.any():
            axes.plot(
                date_numbers(closest[shown]), lane[shown], markerfacecolor=face, markeredgecolor=edge, zorder=3,
                rasterized=len(lane) > contract.RASTERISED_FROM, **look,
            )  # fmt: skip
            picture.marks["closest epoch"] = Line2D([], [], color=ink, markeredgecolor=back, **look)


def _tell_width(axes: Axes, picture: Picture, lengths: npt.NDArray[Any], taken: float) -> None:
    """Say in the picture how wide bars are drawn, where that is much wider than they are."""
    if not len(lengths):
        return
    hollow = any(bars.hollow.any() for bars in picture.held["bars"])
    points = HOLLOW_POINTS if hollow else MIN_BAR_POINTS
    low, high = axes.get_xlim()
    width = max(0.78 * contract.panel_points(axes)[0] - taken, 20.0)
    drawn = pd.Timedelta(days=(high - low) * points / width)
    if drawn > 2 * pd.Timedelta(np.median(lengths)):
        words = f"Time [UTC], a bar is {_rounded(drawn)} or longer"
        contract.name_axes(axes, x=words)
        make_room_for_date(axes, taken)


def _rounded(length: pd.Timedelta) -> str:
    """Return a span of time in words, to one digit."""
    for unit, name in ((pd.Timedelta("1D"), "d"), (pd.Timedelta("1h"), "h"), (pd.Timedelta("1min"), "min")):
        if length >= unit:
            return f"{max(1, round(length / unit))} {name}"
    return f"{max(1, round(length.total_seconds()))} s"
