"""Look around in a search: one interactive page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pandas as pd

from aurorax_pandas.analysis.approach import sources_of_sides
from aurorax_pandas.analysis.labels import require_column, spacecraft_sides
from aurorax_pandas.checks import invalid, one_name, whole_number
from aurorax_pandas.ephemeris.coverage import check_spans, telling_of_gaps
from aurorax_pandas.ephemeris.dataset import check_ephemeris
from aurorax_pandas.exceptions import AuroraxMissingExtraError
from aurorax_pandas.frame.citation import acknowledgement
from aurorax_pandas.frame.provenance import get_provenance
from aurorax_pandas.interactive.page import ExplorePage
from aurorax_pandas.interactive.rows import checked_tooltip, drawn_events, told_columns
from aurorax_pandas.interactive.sheet import sheet
from aurorax_pandas.plotting import colors, contract, scale

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.colors import Colormap


@contract.shared_parameters
@telling_of_gaps
def explore(
    df: pd.DataFrame,
    /,
    ephemeris: xr.Dataset | None = None,
    *,
    by: str = "pair",
    color: str | None = "min_distance",
    palette: colors.Palette | None = None,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    tooltip: str | Sequence[str] | None = None,
    title: str | None = None,
    width: int | str = "stretch",
    height: int | None = None,
) -> ExplorePage:
    """
    Look around in a search: a timeline, maps, a histogram and a table on one page, which share a selection.

    Needs the extra ``explore``, which brings Bokeh. The page needs no server and no network.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Of more than 20 000 events the closest are drawn, and the page says so.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were: the maps then show the tracks of what is selected, dashed where conjugate, and the
        closest epochs.
    by : {"pair", "site", "spacecraft", "station"} or a column, default "pair"
        What a lane of the timeline is.
    color : str or None, default "min_distance"
        Column that colours events, numbers along a scale and anything else by name; None for one colour.
    tooltip : str or list of str, optional
        Columns to tell of each event, where the mouse is and in the table; by default pair, start, end and least distance,
        and what there is of approach, elevation, Sun, Moon and magnetic local time.
    title : str, optional
        Title of the page.
    width : "stretch" or int, default "stretch"
        Width of the page [pixels]; "stretch" for as much as there is.
    height : int, optional
        Height of the timeline [pixels]; by default as high as the lanes need, up to 640.

    Returns
    -------
    ExplorePage
        Shown by itself in a notebook; ``save`` writes it as one HTML file, ``figure`` is the layout of Bokeh.

    Raises
    ------
    AuroraxMissingExtraError
        If Bokeh is not installed.
    AuroraxInputError
        If a column is not there, an argument cannot be used, or the frame has no events.

    Warns
    -----
    AuroraxDataWarning
        If the maps lack stations whose place is not known.

    Notes
    -----
    A brush on the timeline takes the events with an epoch inside it, its ends included; one on the histogram those with a
    least distance inside it; a click on a station those of the station. Above the table stands Python that takes the rows
    of the selected events out of the frame. All times are UTC, whatever the browser's zone is.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> page = df.aurorax.explore(aurorax_pandas.load_sample_ephemeris(), title="THEMIS-ASI and Swarm")
    >>> page
    <ExplorePage of 49 events in 33 lanes>
    >>> page.save("supplement.html")
    """
    asked = checked_tooltip(tooltip)
    chosen = colors.checked_palette(palette)
    if title is not None and not isinstance(title, str):
        raise invalid("title", title, "a text")
    if isinstance(width, str) and width != "stretch":
        raise invalid("width", width, "'stretch', or a whole number of pixels")
    pixels = None if isinstance(width, str) else whole_number("width", width)
    tall = None if height is None else whole_number("height", height)
    if ephemeris is not None:
        check_ephemeris(ephemeris)
    if color is not None:
        one_name("color", color)
    drawn = drawn_events(df, by, color, *asked)
    if color is not None:
        require_column(drawn.events, "color", color)
    if ephemeris is not None:
        first, second = spacecraft_sides(drawn.events)
        moving = first | second
        tracked = drawn.events[moving]
        check_spans("explore", tracked, drawn.row[moving], ephemeris, sources_of_sides(tracked))
    limits = scale.checked_limits(None, "explore", color, cmap, vmin, vmax)
    numeric = color is not None and scale.holds_numbers(drawn.events[color])
    # tracks have the colours of their spacecraft, whatever colours the events
    idle = palette if ephemeris is None else None
    scale.tell_idle(color, numeric=numeric, palette=idle, cmap=cmap, vmin=vmin, vmax=vmax)
    own = by if by in drawn.events.columns else None
    told = told_columns(drawn.events, asked, own, color)
    if find_spec("bokeh") is None:
        raise AuroraxMissingExtraError.of("explore", "bokeh", "explore")
    layout = sheet(df, drawn, ephemeris, told, color, limits, chosen, title, pixels, tall)
    count, lanes = len(drawn.events), len(drawn.labels.cat.categories)
    words = f"{count} {'event' if count == 1 else 'events'} in {lanes} {'lane' if lanes == 1 else 'lanes'}"
    return ExplorePage(layout, title, get_provenance(df.attrs), acknowledgement(df)[0], words, pixels)
