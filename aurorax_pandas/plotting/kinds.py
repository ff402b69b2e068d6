"""All pictures by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd

from aurorax_pandas.checks import known_name
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.plotting.approach import plot_approach
from aurorax_pandas.plotting.calendar import plot_calendar
from aurorax_pandas.plotting.dial import plot_dial
from aurorax_pandas.plotting.distance import plot_distance
from aurorax_pandas.plotting.histogram import plot_histogram
from aurorax_pandas.plotting.map import plot_map
from aurorax_pandas.plotting.rate import plot_rate
from aurorax_pandas.plotting.timeline import timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["timeline", "distance", "calendar", "histogram", "map", "approach", "dial", "rate"]

_PICTURES: Final[dict[str, Callable[..., Any]]] = {
    "timeline": timeline,
    "distance": plot_distance,
    "calendar": plot_calendar,
    "histogram": plot_histogram,
    "map": plot_map,
    "approach": plot_approach,
    "dial": plot_dial,
    "rate": plot_rate,
}


def plot(df: pd.DataFrame, /, *args: Any, kind: Kind = "timeline", **kwargs: Any) -> Axes:
    """
    Draw a picture by its name.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions or events.
    *args
        What the picture takes.
    kind : {"timeline", "distance", "calendar", "histogram", "map", "approach", "dial", "rate"}, default "timeline"
        Which picture: `timeline`, `plot_distance`, `plot_calendar`, `plot_histogram`, `plot_map`, `plot_approach`,
        `plot_dial` or `plot_rate`.
    **kwargs
        What the picture takes by name.

    Returns
    -------
    matplotlib.axes.Axes
        The picture.

    Raises
    ------
    AuroraxInputError
        If there is no such picture, or it cannot use an argument.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ax = aurorax_pandas.load_sample_conjunctions().aurorax.plot(kind="distance", by="site")
    >>> ax.get_ylabel()
    'Distance [km]'
    """
    if args and isinstance(args[0], str) and args[0] in _PICTURES and args[0] not in df.columns:
        raise AuroraxInputError(f"plot takes the name of a picture as kind={args[0]!r}, or write plot.{args[0]}()")
    axes: Axes = _PICTURES[known_name("kind", kind, tuple(_PICTURES))](df, *args, **kwargs)
    return axes
