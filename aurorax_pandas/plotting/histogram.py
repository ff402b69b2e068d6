"""How often a number takes which value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.counts import minutes
from aurorax_pandas.analysis.labels import labelled_events, ordered_labels, require_column
from aurorax_pandas.checks import checked_number, choice, flag, one_name, shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.columns import first_line
from aurorax_pandas.plotting import colors, contract
from aurorax_pandas.plotting.legend import legend_above, looks_that_fit
from aurorax_pandas.plotting.picture import held_picture, picture_on
from aurorax_pandas.plotting.rows import drawn_rows, is_pair_summary, is_passes
from aurorax_pandas.plotting.words import column_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What `Axes.hist` takes besides properties of its bars.
_HIST: Final = ("cumulative", "density", "histtype", "log", "rwidth")
_TYPES_OF_BARS: Final = ("bar", "barstacked", "step", "stepfilled")
_MOST_BINS: Final = 1000


@contract.shared_parameters
def plot_histogram(
    df: pd.DataFrame,
    /,
    column: str = "min_distance",
    by: str | None = None,
    bins: int | Sequence[float] | None = None,
    ax: Axes | None = None,
    *,
    palette: colors.Palette | None = None,
    figsize: Sequence[float] | None = None,
    title: str | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> Axes:
    """
    Draw a histogram of the events.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events of `explode_events`, passes, or a pair summary, whose rows are counted.
    column : str, default "min_distance"
        Column of numbers, or ``"minutes"`` in conjunction.
    by : {"pair", "site", "spacecraft", "station"} or a column, optional
        What to stack in colours; where there are more than the legend has room for, the most frequent have one.
    bins : int or sequence of float, optional
        How many bins, or their edges; by default about as many as the square root of the number of events,
        for whole numbers one each, and those of the histogram that the Axes hold.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure. Where they hold a histogram, this one is drawn as outlines over it.
    **kwargs
        Properties of the bars, a `matplotlib.patches.Patch`; also ``cumulative``, ``density``, ``histtype``, ``log`` and
        ``rwidth`` of `matplotlib.axes.Axes.hist`.

    Returns
    -------
    matplotlib.axes.Axes
        Number of events over the column, with its unit.

    Raises
    ------
    AuroraxInputError
        If a column is not there or holds no numbers, or `bins` is neither their number nor edges in order; or if the
        Axes hold another picture.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.histogram()
    >>> int(sum(bar.get_height() for bar in ax.patches))
    49
    """
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    given = contract.checked_axes(ax)
    contract.check_words(title, legend)
    one_name("column", column)
    own = contract.checked_keywords(plot_histogram, Patch, kwargs, lambda **some: Patch(**some), _HIST)
    _check_hist(own)
    chosen = colors.checked_palette(palette)
    if by is None:
        colors.tell_idle("by=None draws all in one colour; give by= what the palette names", palette=palette)
    held = held_picture(given, "histogram")
    if held is not None and held.held["column"] != column:
        raise AuroraxInputError(f"ax counts {held.held['column']} already; give {column} its own Axes")
    rows, labels, what = _counted_rows(df, column, by)
    values = rows[column].to_numpy(dtype="float64", na_value=np.nan)
    known = np.isfinite(values)
    before = None if held is None else held.held["edges"]
    edges = _edges(values[known], bins) if before is None or bins is not None else _widened(before, values[known])
    axes = contract.new_axes(given, figsize, 3.8, 6.5)
    picture = picture_on(axes, "histogram")
    picture.held |= {"column": column, "edges": edges if known.any() else before}
    labels, looks = looks_that_fit(axes, labels[known], chosen)
    density = bool(own.get("density"))
    contract.name_axes(axes, column_label(column), "Density" if density else what)
    contract.trim(axes)
    if not known.any():
        contract.draw_nothing(axes, "no values" if len(rows) else "no conjunctions")
        axes.tick_params(
            labelbottom=picture.filled, labelleft=picture.filled, bottom=picture.filled, left=picture.filled
        )
        return contract.finish(axes, title, figsize)
    axes.tick_params(labelbottom=True, labelleft=True, bottom=True, left=True)
    values = values[known]
    groups: list[Any] = [values[(labels == name).to_numpy()] for name in looks]
    if picture.filled:
        own = {"histtype": "step", "linewidth": 1.5, **own}
    _draw_stack(axes, groups, edges, list(looks.values()), own)
    if not density:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins="auto", steps=[1, 2, 5, 10]))
    if (values == np.round(values)).all():
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.grid(axis="y", alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    if by is not None:
        for name, look in looks.items():
            picture.colors[name] = Patch(
                facecolor=look.color, hatch=look.hatch, edgecolor=axes.get_facecolor(), linewidth=0
            )
        if legend:
            legend_above(axes, picture)
    return contract.finish(axes, title, figsize)


def _check_hist(own: dict[str, Any]) -> None:
    """Check what `Axes.hist` takes besides properties of its bars."""
    if "histtype" in own:
        choice("histtype", own["histtype"], _TYPES_OF_BARS)
    for name in ("density", "log"):
        flag(name, own.get(name))
    cumulative = own.get("cumulative")
    if cumulative != -1:
        flag("cumulative", cumulative)
    if own.get("rwidth") is not None:
        checked_number("rwidth", own["rwidth"], lambda part: 0 < part <= 1, "a part of the bin above 0, at most 1")


def _counted_rows(df: pd.DataFrame, column: str, by: str | None) -> tuple[pd.DataFrame, pd.Series[Any], str]:
    """Return the rows to count, the label of each, and what they are."""
    if is_pair_summary(df) and not is_passes(df):
        if by is not None:
            raise AuroraxInputError(f"by={shown(by)}: a pair summary has one row a pair; leave it out")
        rows, labels, what = df, None, "Pairs"
    elif by is None:
        if is_passes(df):
            rows, labels, what = df, None, "Passes"
        else:
            rows, labels, what = labelled_events(df, "pair", "histogram", column)[0], None, "Events"
    else:
        rows, labels = drawn_rows(df, by, "histogram", column)
        what = "Passes" if is_passes(df) else "Events"
    if column == "minutes" and column not in rows.columns:
        rows = rows.assign(minutes=minutes(rows).to_numpy())
    require_column(rows, "column", column)
    if not pd.api.types.is_numeric_dtype(rows[column]):
        raise AuroraxInputError(f"column={shown(column)} holds no numbers but {rows[column].dtype}; give one that does")
    if labels is None:
        labels = ordered_labels(pd.Series("", index=rows.index, dtype="str"))
    return rows, labels, what


def _draw_stack(
    axes: Axes, groups: list[Any], edges: npt.NDArray[np.float64], looks: list[colors.Look], own: dict[str, Any]
) -> None:
    outline = own.get("histtype") == "step"
    keywords: dict[str, Any] = {"linewidth": 0.6, **own}
    if not outline:
        keywords = {"edgecolor": axes.get_facecolor(), **keywords}
    if not {"color", "facecolor"} & own.keys():
        keywords["color"] = [look.color for look in looks]
    else:
        keywords["color"] = [own.get("color", own.get("facecolor"))] * len(looks)
        keywords.pop("facecolor", None)
    hist: Any = axes.hist
    _, _, drawn = hist(groups, bins=edges.tolist(), stacked=True, **keywords)
    for look, bars in zip(looks, drawn if len(looks) > 1 else [drawn], strict=True):
        for bar in bars if look.hatch and not outline else ():
            bar.set_hatch(look.hatch)


def _widened(edges: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return edges with more bins of their widths at both ends, so that they hold all values."""
    if not len(values):
        return edges
    below, above = edges[1] - edges[0], edges[-1] - edges[-2]
    before = np.ceil(max((edges[0] - values.min()) / below, 0.0))
    after = np.ceil(max((values.max() - edges[-1]) / above, 0.0))
    if before + after > _MOST_BINS:
        raise AuroraxInputError(
            f"ax counts from {edges[0]:g} to {edges[-1]:g} in bins that are too narrow for {values.min():g} to "
            f"{values.max():g}; draw the wider frame first, or give both the same bins="
        )
    return np.concatenate([
        edges[0] - below * np.arange(before, 0, -1), edges, edges[-1] + above * np.arange(1, after + 1)
    ])  # fmt: skip


def _edges(values: npt.NDArray[np.float64], bins: Any) -> npt.NDArray[np.float64]:
    if bins is not None:
        try:
            if not isinstance(bins, str):
                # NumPy compares edges before it looks at what they are
                number = np.asarray(bins, float)
                if not np.isfinite(number).all():
                    raise ValueError("an edge is not finite")
                if number.ndim == 0 and number > _MOST_BINS:
                    raise ValueError(f"more than {_MOST_BINS} bins are narrower than a picture can show")
            return np.histogram_bin_edges(values, bins)
        except (TypeError, ValueError) as error:
            raise AuroraxInputError(
                f"bins={shown(bins)}: {first_line(error)}; give their number, or their edges in order"
            ) from None
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = values.min(), values.max()
    if high - low <= 50 and (values == np.round(values)).all():
        # whole numbers stand in the middle of their bars
        return np.arange(low - 0.5, high + 1.0)
    return np.histogram_bin_edges(values, int(np.clip(np.ceil(np.sqrt(len(values))), 5, 50)))
