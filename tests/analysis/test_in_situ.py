"""Names of measurements on spacecraft, against the packages that are to understand them."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.analysis.in_situ import _in_situ_table
from aurorax_pandas.sources import SPACECRAFT, bundled_sources

COLLECTIONS = ["magnetic_collection", "current_collection", "plasma_collection"]


def imported(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, exc_type=ImportError)


def test_a_row_for_each_event_and_spacecraft(sample):
    windows = sample.aurorax.spacecraft_windows("90s")
    events = sample.aurorax.explode_events()
    assert windows["spacecraft"].tolist() == events["e2_display_name"].tolist()
    assert windows["conjunction"].tolist() == list(range(49))
    assert (events["start"] - windows["start"]).eq(pd.Timedelta("90s")).all()
    assert (windows["end"] - events["end"]).eq(pd.Timedelta("90s")).all()
    letters = windows["spacecraft"].str[-1]
    assert (windows["vires_spacecraft"] == letters).all()
    assert (windows["magnetic_collection"] == "SW_OPER_MAG" + letters + "_LR_1B").all()
    assert (windows["probe"] == letters.str.lower()).all()
    assert windows.attrs == sample.attrs


def test_of_two_spacecraft_each_has_a_row_and_one_of_your_own_no_names(builders):
    mine = builders.source(-1, "MyCube", "leo", "custom")
    events = [builders.event(builders.THEMIS_A, mine), builders.event(builders.ATHA, builders.GILL)]
    df = ap.as_conjunctions([builders.record(0, sources=(builders.THEMIS_A, mine), events=events)])
    for frame in (df, df.aurorax.explode_events()):
        windows = frame.aurorax.spacecraft_windows()
        assert windows["spacecraft"].tolist() == ["THEMIS-A", "MyCube"]
        assert windows["pyspedas_module"].tolist() == ["themis", np.nan]
        assert windows[["vires_spacecraft", *COLLECTIONS]].isna().all(axis=None)


def test_an_empty_frame_has_the_same_columns(sample):
    full, empty = sample.aurorax.spacecraft_windows(), sample.iloc[:0].aurorax.spacecraft_windows()
    assert empty.empty
    assert empty.dtypes.equals(full.dtypes)


@pytest.mark.parametrize("pad", [5, "-1min", "soon"])
def test_a_pad_that_is_no_span_is_refused(sample, pad):
    with pytest.raises(ap.AuroraxInputError, match="pad="):
        sample.aurorax.spacecraft_windows(pad)


def test_the_table_is_of_spacecraft_that_the_service_has():
    sources = bundled_sources().set_index("identifier")["source_type"]
    assert set(sources[_in_situ_table().index]) <= set(SPACECRAFT)
    assert _in_situ_table().index.is_unique


def test_viresclient_knows_the_collections():
    client = imported("viresclient._client_swarm")
    known = {name for names in client.SwarmWPSInputs.__init__.__globals__["SwarmRequest"].COLLECTIONS.values()
             for name in names}  # fmt: skip
    table = _in_situ_table()[["vires_spacecraft", *COLLECTIONS]].dropna()
    assert len(table) == 3
    assert set(table[COLLECTIONS].to_numpy().ravel()) <= known
    tags = {"A": "Alpha", "B": "Bravo", "C": "Charlie"}
    for row in table.itertuples():
        assert client.SwarmWPSInputs._spacecraft_from_collection(row.magnetic_collection) == tags[row.vires_spacecraft]
    assert {"start_time", "end_time"} <= set(inspect.signature(client.SwarmRequest.get_between).parameters)


def test_pyspedas_has_the_functions_and_probes():
    projects = imported("pyspedas.projects")
    for row in _in_situ_table().itertuples():
        module = imported(f"{projects.__name__}.{row.pyspedas_module}")
        parameters = inspect.signature(getattr(module, row.pyspedas_function)).parameters
        if row.pyspedas_function == "fgm" and row.pyspedas_module == "mms":
            parameters = inspect.signature(module.mms_load_fgm).parameters
        assert "trange" in parameters, row
        assert ("probe" in parameters) == isinstance(row.probe, str), row
    load = imported("pyspedas.projects.dmsp.load")
    dmsp = _in_situ_table().query("pyspedas_module == 'dmsp'")
    assert all(int(row.probe) in load._PROBES[row.pyspedas_function] for row in dmsp.itertuples())
