"""How often a number takes which value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.counts import minutes
from aurorax_pandas.analysis.labels import labelled_events, ordered_labels, require_column
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_histogram(
    df: pd.DataFrame,
    column: str = "min_distance",
    by: str | None = None,
    bins: int | Sequence[float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Draw a histogram of the events.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    column : str, default "min_distance"
        Column of numbers, or ``"minutes"`` in conjunction.
    by : {"pair", "site", "spacecraft"} or a column, optional
        What to stack in colours; where there are more than colours, the most frequent have one.
    bins : int or sequence of float, optional
        How many bins, or their edges; by default about as many as the square root of the number of events,
        for whole numbers one each.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Number of events over the column, with its unit.

    Raises
    ------
    AuroraxInputError
        If a column is not there or holds no numbers, or `bins` is neither their number nor edges in order.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot.histogram()
    >>> int(sum(bar.get_height() for bar in ax.patches))
    49
    """
    from matplotlib.ticker import MaxNLocator

    if by is None:
        events = labelled_events(df, "pair", "histogram", column)[0]
        labels = ordered_labels(pd.Series("", index=events.index, dtype="str"))
    else:
        events, labels = labelled_events(df, by, "histogram", column)
    if column == "minutes" and column not in events.columns:
        events = events.assign(minutes=minutes(events).to_numpy())
    require_column(events, "column", column)
    if not pd.api.types.is_numeric_dtype(events[column]):
        raise AuroraxInputError(f"column={column!r} holds no numbers but {events[column].dtype}; give one that does")
    values = events[column].to_numpy(dtype="float64", na_value=np.nan)
    known = np.isfinite(values)
    labels = style.foremost(labels, len(style.palette()))[known]
    colors = style.category_colors(labels)
    edges = _edges(values[known], bins)
    axes = style.new_axes(ax, 3.8, 6.5)
    axes.set_xlabel(style.column_label(column))
    axes.set_ylabel("Events")
    style.trim(axes)
    if not known.any():
        style.draw_nothing(axes, "no values" if len(events) else "no conjunctions")
        axes.set_yticks([])
        return axes
    values = values[known]
    groups: list[Any] = [values[(labels == name).to_numpy()] for name in colors]
    axes.hist(
        groups, bins=edges.tolist(), stacked=True, color=list(colors.values()), label=list(colors),
        edgecolor=axes.get_facecolor(), linewidth=0.6,
    )  # fmt: skip
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins="auto", steps=[1, 2, 5, 10]))
    if (values == np.round(values)).all():
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.grid(axis="y", alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    if by is not None:
        style.legend_above(axes, axes.get_legend_handles_labels()[0])
    return axes


def _edges(values: npt.NDArray[np.float64], bins: int | Sequence[float] | None) -> npt.NDArray[np.float64]:
    if bins is not None:
        try:
            return np.histogram_bin_edges(values, bins)
        except (TypeError, ValueError) as error:
            raise AuroraxInputError(f"bins={bins!r}: {error}; give their number, or their edges in order") from None
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = values.min(), values.max()
    if high - low <= 50 and (values == np.round(values)).all():
        # whole numbers stand in the middle of their bars
        return np.arange(low - 0.5, high + 1.0)
    return np.histogram_bin_edges(values, int(np.clip(np.ceil(np.sqrt(len(values))), 5, 50)))
