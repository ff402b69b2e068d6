"""A pass in detail: how far apart station and footprint are at every minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.approach import EMISSION_ALTITUDE, approaches_of, sources_of_sides
from aurorax_pandas.analysis.labels import labelled_events, spacecraft_sides
from aurorax_pandas.checks import checked_number
from aurorax_pandas.ephemeris.dataset import check_ephemeris
from aurorax_pandas.ephemeris.tracks import Tracks
from aurorax_pandas.frame import model
from aurorax_pandas.plotting import colors, contract, scale
from aurorax_pandas.plotting.legend import legend_above, looks_that_fit
from aurorax_pandas.plotting.map_tracks import dense, joined_epochs, places_by_type
from aurorax_pandas.plotting.picture import Picture, held_picture, picture_in, picture_on
from aurorax_pandas.plotting.rows import refuse_summed, refuse_turned
from aurorax_pandas.plotting.time_axis import date_numbers, draw_time
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

#: From which length on passes are laid on top of each other.
_LONG: Final = np.timedelta64(60, "m")
_MINUTE: Final = np.timedelta64(1, "m")
#: The kinds of picture: over time, and over minutes from the closest approach.
_KINDS: Final = ("approach", "approach over minutes")


@contract.shared_parameters
def plot_approach(
    df: pd.DataFrame,
    /,
    ephemeris: xr.Dataset,
    by: str = "pair",
    ax: Axes | None = None,
    *,
    pad: Span = "3min",
    limit: float | None = None,
    palette: colors.Palette | None = None,
    figsize: Sequence[float] | None = None,
    title: str | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> Axes:
    """
    Draw passes in detail: the distance at every minute, the query's limit, and the interpolated minimum.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`, best of a few passes. Pairs of a station and a spacecraft are drawn.
    ephemeris : xarray.Dataset
        Where the spacecraft were. Stations that it lacks are taken from the service's table.
    by : {"pair", "site", "spacecraft", "station"} or a column, default "pair"
        What a colour is; where there are more than the legend has room for, the most frequent have one.
    pad : str or pandas.Timedelta, default "3min"
        How much to draw before `start` and after `end`.
    limit : float, optional
        Distance [km] to draw as a line; by default the query's, where it is known.
    **kwargs
        Properties of the lines, a `matplotlib.collections.LineCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        Distance [km] over time [UTC]; over minutes from the closest approach where the passes lie more than an hour
        apart. A second call into the same Axes has along x what the first has. Lines and diamonds are between geodetic
        latitudes, as `closest_approach` has them; a ring is the least distance as the service published it, which may
        lie some km beside the line. Minutes in range are filled, the others hollow. A line ends where a field line jumps
        or the ephemeris has no data.

    Raises
    ------
    AuroraxInputError
        If an argument cannot be used, the Axes hold another picture, or a row ends before it starts.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(2)
    >>> ax = df.aurorax.plot.approach(aurorax_pandas.load_sample_ephemeris())
    >>> ax.get_ylabel()
    'Distance [km]'
    """
    from matplotlib.collections import LineCollection

    given = contract.checked_axes(ax)
    contract.check_words(title, legend)
    own = contract.checked_keywords(plot_approach, LineCollection, kwargs, lambda **some: LineCollection([], **some))
    chosen = colors.checked_palette(palette)
    wide = span("pad", pad, zero=True).to_timedelta64()
    if limit is not None:
        limit = checked_number("limit", limit, lambda km: 0 < km < np.inf, "a distance above 0 [km]")
    check_ephemeris(ephemeris)
    refuse_summed(df, "approach")
    events, labels = labelled_events(df, by, "approach")
    first, second = spacecraft_sides(events)
    events, labels = events[first != second], labels[first != second]
    refuse_turned("approach", events)
    lapsed = events["end"].max() - events["start"].min() if len(events) else pd.Timedelta(0)
    relative = bool(lapsed > pd.Timedelta(_LONG))
    earlier = None if given is None else picture_in(given)
    if earlier is not None and earlier.kind in _KINDS:
        # what the axes hold decides what lies along x
        relative = earlier.kind == _KINDS[True]
    kind = _KINDS[relative]
    held_picture(given, kind)
    axes = contract.new_axes(given, figsize, 4.2)
    picture = picture_on(axes, kind)
    labels, looks = looks_that_fit(axes, labels, chosen)
    tracks = Tracks(ephemeris, sources_of_sides(events))
    found = approaches_of(events, tracks, EMISSION_ALTITUDE)
    minutes = _minutes(events, tracks, wide)
    zero = np.zeros(len(events), "m8[us]")
    if relative:
        middle = found["approach_time"].fillna(events["closest_epoch"].reset_index(drop=True)).to_numpy()
        middle = np.where(np.isnat(middle), events["start"].to_numpy(), middle)
        zero = middle.astype("M8[us]") - np.datetime64(0, "us")
    contract.name_axes(axes, y="Distance [km]")
    codes = labels.cat.codes.to_numpy()
    # the others come first, so that they cover nothing
    for number, look in reversed(list(enumerate(looks.values()))):
        _draw_curves(axes, minutes, events, codes == number, look, zero, own, relative=relative)
        _draw_minima(axes, events, found, codes == number, look, zero, relative=relative)
    for name, look in looks.items():
        picture.colors[name] = _line(look)
    allowed = scale.query_distance(df) if limit is None else limit
    if allowed is not None:
        axes.axhline(allowed, color=colors.ink(axes), linewidth=0.9, linestyle=(0, (6, 3)))
    _explain_minutes(axes, picture, allowed, drawn=len(events) > 0)
    contract.draw_grid(axes)
    if legend and len(events):
        legend_above(axes, picture)
    if relative:
        contract.name_axes(axes, x="Minutes from the closest approach")
    else:
        draw_time(axes, events["start"].to_numpy() - wide, events["end"].to_numpy() + wide)
    contract.hold_on_y(axes, 0.0)
    return contract.finish(axes, title, figsize)


class _Minutes(NamedTuple):
    """Distances of events at epochs and between them: the event, instant, distance [km], run, and whether an epoch."""

    event: npt.NDArray[np.int64]
    time: npt.NDArray[Any]
    distance: npt.NDArray[np.float64]
    run: npt.NDArray[np.int64]
    epoch: npt.NDArray[np.bool_]


def _minutes(events: pd.DataFrame, tracks: Tracks, wide: np.timedelta64) -> _Minutes:
    count = len(events)
    types = model.category_codes(events["conjunction_type"], model.CONJUNCTION_TYPE).astype(np.int64)
    start: Any = events["start"].to_numpy()
    end: Any = events["end"].to_numpy()
    first, stop = tracks.window(start - wide, end + wide)
    lengths = np.maximum(stop - first, 0)
    event, at = np.repeat(np.arange(count), lengths), model.ranges(first, lengths)
    sides = [places_by_type(tracks, types[event], event + side * count, at) for side in (0, 1)]
    known = ~(np.isnan(sides[0][0]) | np.isnan(sides[1][0]))
    event, at = event[known], at[known]
    places = [(lat[known], lon[known]) for lat, lon in sides]
    joined = joined_epochs(tracks.step, event, at, *places[0]) & joined_epochs(tracks.step, event, at, *places[1])
    before, fraction = dense(joined)
    between = []
    for lat, lon in places:
        vectors = geometry.unit_vectors(lat, lon)
        between.append(
            geometry.degrees(geometry.interpolate(vectors[:, before], vectors[:, before + joined[before]], fraction))
        )
    time = tracks.epochs[at][before] + (fraction * (tracks.step / np.timedelta64(1, "us"))).astype("m8[us]")
    run = np.cumsum(np.append(0, ~joined[:-1])) if len(at) else np.empty(0, np.int64)
    return _Minutes(
        event[before], time, geometry.great_circle_distance(*between[0], *between[1]), run[before], fraction == 0
    )


def _x(times: npt.NDArray[Any], zero: npt.NDArray[Any], *, relative: bool) -> npt.NDArray[np.float64]:
    return (
        np.asarray((times - zero - np.datetime64(0, "us")) / _MINUTE, np.float64) if relative else date_numbers(times)
    )


def _draw_curves(
    axes: Axes, minutes: _Minutes, events: pd.DataFrame, mine: npt.NDArray[np.bool_], look: colors.Look,
    zero: npt.NDArray[Any], own: dict[str, Any], *, relative: bool,
) -> None:  # fmt: skip
    from matplotlib.collections import LineCollection

    rows = np.flatnonzero(mine[minutes.event])
    event, time = minutes.event[rows], minutes.time[rows]
    x = _x(time, zero[event], relative=relative)
    points = np.column_stack([x, minutes.distance[rows]])
    ends = np.flatnonzero(np.diff(minutes.run[rows])) + 1
    curves = LineCollection(
        np.split(points, ends), colors=[look.color], linestyles=[look.dashes], linewidths=1.2, alpha=0.9,
        rasterized=len(rows) > 10 * contract.RASTERISED_FROM,
    )  # fmt: skip
    curves.set(**own)
    axes.add_collection(curves, autolim=False)
    axes.update_datalim(points[np.isfinite(points).all(axis=1)] if len(points) else np.empty((0, 2)))
    inside = (events["start"].to_numpy()[event] <= time) & (time <= events["end"].to_numpy()[event])
    size = float(np.clip(40.0 / np.sqrt(max(len(events), 1)), 1.5, 4.5))
    for chosen, face in ((inside, look.color), (~inside, axes.get_facecolor())):
        shown = chosen & minutes.epoch[rows]
        axes.plot(
            x[shown], points[shown, 1], linestyle="none", marker=look.marker, markersize=size, markerfacecolor=face,
            markeredgecolor=look.color, markeredgewidth=0.7, rasterized=len(rows) > 10 * contract.RASTERISED_FROM,
        )  # fmt: skip


def _draw_minima(
    axes: Axes, events: pd.DataFrame, found: pd.DataFrame, mine: npt.NDArray[np.bool_], look: colors.Look,
    zero: npt.NDArray[Any], *, relative: bool,
) -> None:  # fmt: skip
    published = events["closest_epoch"].to_numpy(), events["min_distance"].to_numpy()
    shrink = float(np.clip(4.0 / np.sqrt(max(len(events), 1)), 0.25, 1.0))
    between = found["approach_time"].to_numpy(), found["approach_distance"].to_numpy()
    for (time, distance), marker, size, face in (
        (published, "o", 8.0, "none"), (between, "D", 5.0, axes.get_facecolor()),
    ):  # fmt: skip
        rows = mine & ~np.isnat(time)
        axes.plot(
            _x(time[rows], zero[rows], relative=relative), distance[rows], linestyle="none", marker=marker,
            markersize=size * shrink, markerfacecolor=face, markeredgecolor=look.color,
            markeredgewidth=1.0, zorder=3,
        )  # fmt: skip


def _line(look: colors.Look) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=look.color, linestyle=look.dashes, linewidth=1.5, marker=look.marker, markersize=4,
                  markeredgewidth=0.7)  # fmt: skip


def _explain_minutes(axes: Axes, picture: Picture, allowed: float | None, *, drawn: bool) -> None:
    from matplotlib.lines import Line2D

    ink, back = colors.ink(axes), axes.get_facecolor()
    look: dict[str, Any] = {"linestyle": "none", "markeredgecolor": ink, "markeredgewidth": 0.8}
    if drawn:
        picture.marks |= {
            "minute in range": Line2D([], [], marker="o", markersize=3.5, markerfacecolor=ink, **look),
            "minute out of range": Line2D([], [], marker="o", markersize=3.5, markerfacecolor=back, **look),
            "published least": Line2D([], [], marker="o", markersize=7, markerfacecolor="none", **look),
            "interpolated": Line2D([], [], marker="D", markersize=5, markerfacecolor=back, **look),
        }
    if allowed is not None:
        picture.marks[f"limit {allowed:g} km"] = Line2D([], [], color=ink, linewidth=0.9, linestyle=(0, (6, 3)))
