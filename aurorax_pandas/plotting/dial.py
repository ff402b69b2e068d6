"""The dial: magnetic local time around, magnetic latitude inward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.labels import adder_of, labelled_events, ordered_labels, require_column
from aurorax_pandas.checks import choice, one_name
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.plotting import colors, contract, scale
from aurorax_pandas.plotting.legend import legend_above, looks_that_fit
from aurorax_pandas.plotting.picture import Picture, held_picture, picture_on
from aurorax_pandas.plotting.rows import GROUPS, refuse_summed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

DialPlace = Literal["station", "footprint"]

#: Prefix of the columns of each place.
_PREFIXES: Final = {"station": "", "footprint": "footprint_"}
_LEAST_LATITUDE: Final = 50.0
_NO_VALUE: Final = "0.6"
#: By how much of its width a mark is wider for each that lies on it, and for how many at most.
_WIDER: Final = 0.6
_MOST_WIDER: Final = 3
#: From how many events on the marks are drawn in turns, and in how many.
_MANY: Final = 500
_TURNS: Final = 24


@contract.shared_parameters
def plot_dial(
    df: pd.DataFrame,
    /,
    color: str | None = "spacecraft",
    ax: Axes | None = None,
    *,
    at: DialPlace = "station",
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
    Draw where events were in magnetic latitude and magnetic local time.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions or events with columns ``mlat`` [degrees] and ``mlt`` [hours].
    color : {"spacecraft", "station", "pair", "site"}, a column, or None, default "spacecraft"
        What colours the marks, numbers by a colour bar and anything else by a legend; None for one colour.
    ax : matplotlib.axes.Axes, optional
        Polar Axes to draw into; by default a new figure.
    at : {"station", "footprint"}, default "station"
        Whose coordinates: those of the columns above, or of ``footprint_mlat`` and ``footprint_mlt``.
    **kwargs
        Properties of the marks, a `matplotlib.collections.PathCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        Polar Axes with midnight at the bottom and dawn at the right; the magnetic pole is in the middle. Latitudes are
        absolute: marks of the southern hemisphere are hollow. Where several groups have a mark at one place, as spacecraft
        side by side have at their station, those below are wider, so that each is seen.

    Raises
    ------
    AuroraxInputError
        If a column is not there, an argument cannot be used, or the Axes are not polar or hold another picture.

    Examples
    --------
    >>> import aurorax_pandas
    >>> events = aurorax_pandas.load_sample_conjunctions().aurorax.explode_events()
    >>> events = events.assign(mlat=66.0, mlt=(events["start"].dt.hour + 16.5) % 24)
    >>> ax = events.aurorax.plot.dial(color="min_distance")
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['00', '03', '06', '09', '12', '15', '18', '21']
    """
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D

    choice("at", at, tuple(_PREFIXES))
    given = contract.checked_axes(ax, "polar")
    contract.check_words(title, legend)
    own = contract.checked_keywords(
        plot_dial, PathCollection, kwargs, lambda **some: PathCollection([], **some), ("norm",)
    )
    chosen = colors.checked_palette(palette)
    refuse_summed(df, "dial")
    names = [f"{_PREFIXES[at]}{name}" for name in ("mlat", "mlt")]
    if color is not None:
        one_name("color", color)
    by = color if color in GROUPS else "pair"
    events, labels = labelled_events(df, by, "dial", color, *names)
    missing = [name for name in names if name not in events.columns]
    if missing:
        raise AuroraxInputError(
            f"dial: the column {missing[0]!r} is missing; it draws {names[0]} [degrees] and {names[1]} [hours]: "
            f"{adder_of(missing[0])}"
        )
    values = None
    if color is not None and color not in GROUPS:
        require_column(events, "color", color)
        values = events[color]
    numeric = values is not None and scale.holds_numbers(values)
    scaling = own.pop("norm", None)
    limits = scale.checked_limits(given, "dial", color if numeric else None, cmap, vmin, vmax, scaling)
    scale.tell_idle(color, numeric=numeric, palette=palette, cmap=cmap, vmin=vmin, vmax=vmax, norm=scaling)
    held_picture(given, "dial")
    axes = contract.new_axes(given, figsize, 6.0, 5.6, projection="polar")
    picture = picture_on(axes, "dial")
    lat, hours = (events[name].to_numpy(dtype="float64", na_value=np.nan) for name in names)
    known = np.isfinite(lat) & np.isfinite(hours)
    angle, radius, south = hours / 24 * 2 * np.pi, 90.0 - np.abs(lat), lat < 0
    size = float(np.clip(4000.0 / max(len(events), 1), 4.0, 36.0))
    if numeric and values is not None:
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        cmap_, norm = scale.scaled(axes, picture, str(color), numbers, limits, scale.query_distance(df))
        rows = np.flatnonzero(known & np.isfinite(numbers))
        # the greatest come first, so that they hide nothing that is closer
        rows = rows[np.argsort(-numbers[rows], kind="stable")]
        bare = np.flatnonzero(known & ~np.isfinite(numbers))
        sizes = _sizes(angle, radius, pd.factorize(numbers)[0], [bare, rows], size)
        if len(bare):
            _draw_marks(axes, angle[bare], radius[bare], south[bare], [_NO_VALUE], sizes[bare], "o", own)
            picture.marks["no value"] = Line2D([], [], linestyle="none", marker="o", markersize=5, color=_NO_VALUE)
        _draw_marks(axes, angle[rows], radius[rows], south[rows], cmap_(norm(numbers[rows])), sizes[rows], "o", own)
        if legend and len(rows):
            scale.color_bar(axes, picture, values=numbers[rows])
    else:
        _draw_named(axes, picture, (angle, radius, south, known), labels if values is None else ordered_labels(values),
                    None if color is None else chosen, size, own)  # fmt: skip
    if south[known].any():
        _explain_south(axes, picture)
    _draw_hours_around(axes, radius[known])
    if not known.any():
        contract.draw_nothing(axes, "no places" if len(events) else "no conjunctions")
    elif legend:
        legend_above(axes, picture)
    return contract.finish(axes, title, figsize)


def _draw_named(
    axes: Axes, picture: Picture, places: tuple[Any, ...], labels: pd.Series[Any], palette: dict[str, Any] | None,
    size: float, own: dict[str, Any],
) -> None:  # fmt: skip
    from matplotlib.lines import Line2D

    angle, radius, south, known = places
    if palette is None:
        sizes = np.full(int(known.sum()), size)
        _draw_marks(axes, angle[known], radius[known], south[known], [colors.cycle()[0]], sizes, "o", own)
        return
    labels, looks = looks_that_fit(axes, labels, palette)
    codes = labels.cat.codes.to_numpy()
    # where marks are many they come in turns, so that no group covers the others
    order = [
        (part[codes[part] == number], look)
        for part in np.array_split(np.flatnonzero(known), 1 if len(codes) < _MANY else _TURNS)
        for number, look in reversed(list(enumerate(looks.values())))
    ]
    sizes = _sizes(angle, radius, codes, [rows for rows, _ in order], size)
    for rows, look in order:
        _draw_marks(axes, angle[rows], radius[rows], south[rows], [look.color], sizes[rows], look.marker, own)
    for name, look in looks.items():
        picture.colors[name] = Line2D(
            [], [], linestyle="none", marker=look.marker, markersize=5, color=look.color, markeredgewidth=0.8
        )


def _sizes(
    angle: npt.NDArray[Any], radius: npt.NDArray[Any], group: npt.NDArray[Any], order: list[npt.NDArray[np.int64]], size: float
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Return the size of each mark, that of one below others wider by each group that is drawn on it."""
    turn = np.concatenate([np.empty(0, np.int64), *order])
    marks = pd.DataFrame({"angle": angle, "radius": radius, "group": group}).iloc[turn].round(6)
    marks["turn"] = np.arange(len(turn))
    places = marks.groupby(["angle", "radius"]).ngroup()
    last = marks.groupby([places, "group"])["turn"].transform("max")
    below = last.groupby(places).rank(method="dense", ascending=False) - 1
    sizes = np.full(len(angle), size)
    sizes[turn] *= (1 + _WIDER * np.minimum(below, _MOST_WIDER)) ** 2
    return sizes


def _draw_marks(
    axes: Axes, angle: npt.NDArray[Any], radius: npt.NDArray[Any], south: npt.NDArray[np.bool_], faces: Any,
    size: npt.NDArray[np.float64], marker: str, own: dict[str, Any],
) -> None:  # fmt: skip
    from matplotlib.colors import to_rgba_array

    edges: Any = np.resize(to_rgba_array(faces), (len(angle), 4)) if len(angle) else np.empty((0, 4))
    inner = np.where(south[:, None], to_rgba_array(axes.get_facecolor()), edges)
    drawn = axes.scatter(
        angle, radius, s=size, marker=marker, facecolors=inner, edgecolors=edges, linewidths=0.8, zorder=3,
        rasterized=len(angle) > contract.RASTERISED_FROM,
    )  # fmt: skip
    drawn.set(**own)


def _explain_south(axes: Axes, picture: Picture) -> None:
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 5, "markeredgewidth": 0.8}
    ink = colors.ink(axes)
    picture.marks["northern hemisphere"] = Line2D([], [], color=ink, **look)
    picture.marks["southern hemisphere"] = Line2D(
        [], [], markerfacecolor=axes.get_facecolor(), markeredgecolor=ink, **look
    )


def _draw_hours_around(axes: Any, radius: npt.NDArray[np.float64]) -> None:
    """Turn the dial so that midnight is at the bottom, and name hours and latitudes."""
    axes.set_theta_zero_location("S")
    hours = np.arange(0, 24, 3)
    size = contract.letter_size(axes, "xtick.labelsize", 9.0)
    axes.set_xticks(hours / 24 * 2 * np.pi, [f"{hour:02d}" for hour in hours])
    held = axes.get_rmax() if axes.get_gid() == "dial" else 0.0
    axes.set_gid("dial")
    reach = max(held, 90.0 - _LEAST_LATITUDE, float(np.ceil(radius.max(initial=0.0) / 10) * 10))
    axes.set_rmax(reach)
    axes.set_rmin(0.0)
    # circles are named as far apart as their names are high
    room = 0.2 * min(contract.panel_points(axes)) / (2.2 * size)
    step = next((each for each in (10, 20, 30) if reach / each <= room), 45)
    circles = np.arange(step, reach + 0.1, step)
    axes.set_yticks(circles, [f"{90 - each:.0f}°" for each in circles])
    axes.set_rlabel_position(22.5)
    axes.tick_params(labelsize=size)
    axes.grid(alpha=0.4, linewidth=0.6)
    contract.name_axes(axes, x="MLT [h], magnetic latitude [degrees]")
    axes.tick_params(labelsize=size)
