"""Rates: conjunctions per hour of operation, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aurorax_pandas.analysis.counts import daily_counts
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.events import require
from aurorax_pandas.plotting import colors, contract
from aurorax_pandas.plotting.legend import groups_that_fit, legend_above
from aurorax_pandas.plotting.picture import held_picture, picture_on
from aurorax_pandas.plotting.rows import refuse_ages, refuse_long_searches, refuse_summed
from aurorax_pandas.plotting.time_axis import date_numbers, draw_time
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@contract.shared_parameters
def plot_rate(
    df: pd.DataFrame,
    /,
    availability: pd.DataFrame,
    by: str | None = None,
    ax: Axes | None = None,
    *,
    freq: Span = "1D",
    palette: colors.Palette | None = None,
    figsize: Sequence[float] | None = None,
    title: str | None = None,
    legend: bool = True,
    **kwargs: Any,
) -> Axes:
    """
    Draw how many conjunctions there were per hour of operation, day by day.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    availability : pandas.DataFrame
        When sources operated, as for `daily_counts`.
    by : {"pair", "site", "spacecraft", "station"} or a column, optional
        What to count apart; where there are more than the legend has room for, the most frequent have a line. By default
        all rows together.
    freq : str or pandas.Timedelta, default "1D"
        Length of a day: a whole number of days.
    **kwargs
        Properties of the lines, a `matplotlib.lines.Line2D`.

    Returns
    -------
    matplotlib.axes.Axes
        Conjunctions per hour of a station [1/h] over time [UTC], a step a day; a day without operation is a gap.

    Raises
    ------
    AuroraxInputError
        If an argument cannot be used, or the Axes hold another picture.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> listed = pd.DataFrame({"identifier": [46], "source_type": "ground", "day": ["2020-01-01"], "records": [420]})
    >>> ax = df.aurorax.select_sources(site="GILL").aurorax.plot.rate(listed)
    >>> ax.get_ylabel()
    'Conjunctions per hour [1/h]'
    """
    from matplotlib.lines import Line2D

    given = contract.checked_axes(ax)
    contract.check_words(title, legend)
    own = contract.checked_keywords(plot_rate, Line2D, kwargs, lambda **some: Line2D([], [], **some))
    chosen = colors.checked_palette(palette)
    if not isinstance(availability, pd.DataFrame):
        raise AuroraxInputError(
            f"availability is a {type(availability).__name__}; give the frame of read_aurorax_availability"
        )
    if by is None:
        colors.tell_idle("by=None draws all in one colour; give by= what the palette names", palette=palette)
    every = span("freq", freq)
    held_picture(given, "rate")
    refuse_summed(df, "rate")
    refuse_ages("rate", require(df, "rate", "start")["start"])
    refuse_long_searches("rate", df)
    counted = daily_counts(df, by, freq, availability)
    axes = contract.new_axes(given, figsize, 3.8)
    picture = picture_on(axes, "rate")
    contract.name_axes(axes, y="Conjunctions per hour [1/h]")
    rates = counted[["rate"]].T if by is None else counted["rate"].unstack(sort=False)
    days = pd.DatetimeIndex(rates.columns)
    names = ["all"] if by is None else [str(name) for name in rates.index]
    total = (
        (counted["count"].to_frame().T if by is None else counted["count"].unstack(sort=False)).sum(axis=1).to_numpy()
    )
    colors.tell_misspelt(chosen, names)
    room = groups_that_fit(axes, names)
    # names for which the user chose a colour come before others
    unnamed = np.array([name not in chosen for name in names], bool)
    shown = np.sort(np.lexsort((-total, unnamed))[:room])
    edges = np.append(days.to_numpy(), days.to_numpy()[-1:] + every.to_timedelta64())
    left_out = len(names) - len(shown)
    looks = colors.looks([names[number] for number in shown], axes, chosen)
    for number, (name, look) in zip(shown, looks.items(), strict=True):
        values = rates.to_numpy(np.float64)[number]
        color = look.color if by is not None else colors.cycle()[0]
        line: dict[str, Any] = {"color": color, "linestyle": look.dashes, "linewidth": 1.3, **own}
        if len(values):
            axes.plot(date_numbers(edges), np.append(values, values[-1]), drawstyle="steps-post", **line)
        if by is not None:
            picture.colors[name] = Line2D([], [], **line)
    if left_out:
        picture.marks[f"{left_out} with fewer are not drawn"] = Line2D([], [], linestyle="none")
    contract.draw_grid(axes)
    if legend and len(days):
        legend_above(axes, picture)
    draw_time(axes, edges[:-1], edges[1:])
    if np.isfinite(rates.to_numpy(np.float64)).any():
        contract.hold_on_y(axes, 0.0)
    elif len(days):
        contract.draw_nothing(axes, "no operation")
    return contract.finish(axes, title, figsize)
