import subprocess
import sys

import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype
from nested_pandas.series.ext_array import NestedExtensionArray

import aurorax_pandas as ap


def test_a_frame_shows_who_met_whom(sample):
    with pd.option_context("display.width", 300, "display.max_columns", 20, "display.max_colwidth", None):
        for text in (repr(sample.head(2)), sample.head(2).to_string(), sample.head(2).to_html()):
            assert "THEMIS-ASI TALO, Swarm A" in text
            assert "1 event" in text
            assert "1 events" not in text
        passes = repr(sample.aurorax.passes().head(1))
    assert "THEMIS-ASI TALO, THEMIS-ASI RANK, THEMIS-ASI GILL" in passes
    assert isinstance(sample["events"].dtype, NestedDtype)


def test_rows_with_several_events_with_none_and_without_names(builders):
    sources = (builders.ATHA, {**builders.SWARM_A, "identifier": 900003, "display_name": None})
    pair = builders.event(*sources)
    df = ap.as_conjunctions([builders.record(sources=sources, events=[pair, pair]), builders.record(1, 2, events=[])])
    df.loc[len(df)] = [None] * df.shape[1]
    assert repr(df["events"]).splitlines()[:3] == ["0    2 events", "1    0 events", "2        None"]
    assert "THEMIS-ASI ATHA, ?" in repr(df["data_sources"])


def test_other_nested_columns_are_shown_as_before():
    other = pd.Series(NestedExtensionArray(pa.array([[{"a": 1, "b": 2.5}], None])))
    assert repr(other).splitlines()[:2] == ["0    [{a: 1, b: 2.5}]", "1                None"]


def test_registering_again_changes_nothing(sample):
    before = NestedExtensionArray._formatter
    ap.register()
    assert NestedExtensionArray._formatter is before


def test_cells_read_so_whichever_package_comes_first():
    for imports in ("import nested_pandas, aurorax_pandas", "import aurorax_pandas, nested_pandas"):
        code = f"{imports}; print(aurorax_pandas.load_sample_conjunctions()['events'].head(1))"
        done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("0    1 event\n")
