"""What the packages for measurements on spacecraft ask for: times, and their names for each spacecraft."""

from __future__ import annotations

import copy
import functools
from importlib import resources
from typing import Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.analysis.approach import rows_of_events
from aurorax_pandas.analysis.labels import spacecraft_sides
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import as_events, of_one_side
from aurorax_pandas.times import Span, span

_IN_SITU_COLUMNS: Final[dict[str, Any]] = {
    "conjunction": "int64",
    "spacecraft": "str",
    "start": model.DATETIME,
    "end": model.DATETIME,
    "vires_spacecraft": "str",
    "magnetic_collection": "str",
    "current_collection": "str",
    "plasma_collection": "str",
    "pyspedas_module": "str",
    "pyspedas_function": "str",
    "probe": "str",
}


def spacecraft_windows(df: pd.DataFrame, pad: Span = "1min") -> pd.DataFrame:
    """
    Return the times and names that packages for measurements on spacecraft ask for.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    pad : str or pandas.Timedelta, default "1min"
        How much to add before `start` and after `end`.

    Returns
    -------
    pandas.DataFrame
        One row per event and spacecraft, in the frame's order: ``conjunction`` (row position in `df`), ``spacecraft``,
        ``start`` and ``end`` with the pad (UTC); for viresclient ``vires_spacecraft`` (the letter),
        ``magnetic_collection`` (1 Hz), ``current_collection`` (field-aligned currents) and ``plasma_collection``
        (Langmuir probes); for pyspedas ``pyspedas_module``, ``pyspedas_function`` (the magnetometer's, where it has no
        magnetometer that of particles) and ``probe`` (missing where the function takes none). Names are missing where a
        package has no such data.

    Raises
    ------
    AuroraxInputError
        If `pad` is no span, or the frame has no events.

    Examples
    --------
    >>> import aurorax_pandas
    >>> windows = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1).aurorax.spacecraft_windows()
    >>> windows.loc[0, ["spacecraft", "magnetic_collection", "pyspedas_module", "probe"]].tolist()
    ['Swarm C', 'SW_OPER_MAGC_LR_1B', 'swarm', 'c']
    """
    wide = span("pad", pad, zero=True)
    events = as_events(df, "spacecraft_windows", "start", "end")
    parents = rows_of_events(df, events)
    # row by row, the first source of an event before the second
    event, side = np.nonzero(np.stack(spacecraft_sides(events), axis=1))
    chosen, first = events.iloc[event].reset_index(drop=True), side == 0
    identifiers = of_one_side(chosen, first, "identifier").fillna(-1).to_numpy(np.int64)
    columns = {
        "conjunction": parents[event],
        "spacecraft": of_one_side(chosen, first, "display_name"),
        "start": chosen["start"] - wide,
        "end": chosen["end"] + wide,
        **_in_situ_table().reindex(identifiers).reset_index(drop=True).to_dict("series"),
    }
    made = pd.DataFrame(columns, pd.RangeIndex(len(chosen)), list(_IN_SITU_COLUMNS)).astype(_IN_SITU_COLUMNS)
    made.attrs = copy.deepcopy(df.attrs)
    return made


@functools.cache
def _in_situ_table() -> pd.DataFrame:
    """Return what viresclient 0.16 and pyspedas 2.2 call the data of each of the service's spacecraft."""
    with resources.files("aurorax_pandas").joinpath("data/in_situ.csv").open("rb") as file:
        return pd.read_csv(file, dtype="str").astype({"identifier": "int64"}).set_index("identifier")
