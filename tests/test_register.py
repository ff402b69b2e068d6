import inspect
import subprocess
import sys

import pandas as pd
import pytest

import aurorax_pandas as ap


def run(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_costs_little_beyond_pandas():
    code = "import time, pandas; t = time.process_time(); import aurorax_pandas; print(time.process_time() - t)"
    assert min(float(run(code)) for _ in range(3)) < 0.25


def test_import_leaves_heavy_packages_alone():
    heavy = [
        "nested_pandas",
        "requests",
        "pandera",
        "matplotlib.pyplot",
        "xarray",
        "msgspec",
        "tenacity",
        "tqdm",
        "http.server",
    ]
    code = f"import sys, aurorax_pandas; print([name for name in {heavy} if name in sys.modules])"
    assert run(code) == "[]"


def test_import_registers_reader_and_accessor():
    code = (
        "import pandas as pd, aurorax_pandas as ap;"
        "print(pd.read_aurorax_conjunctions is ap.read_aurorax_conjunctions, 'aurorax' in dir(pd.DataFrame))"
    )
    assert run(code) == "True True"


def test_pandas_reads_nested_columns_of_its_own_files_after_the_import(tmp_path, sample):
    sample.to_parquet(tmp_path / "result.parquet")
    code = (
        "import sys, pandas as pd, aurorax_pandas;"
        f"frame = pd.read_parquet({str(tmp_path / 'result.parquet')!r});"
        "print(frame['events'].dtype.name[:7], len(frame.aurorax.explode_events()))"
    )
    assert run(code) == "nested< 49"


def test_registering_again_changes_nothing():
    reader, accessor = pd.read_aurorax_conjunctions, pd.DataFrame.aurorax
    ap.register()
    ap.register()
    assert pd.read_aurorax_conjunctions is reader
    assert pd.DataFrame.aurorax is accessor


@pytest.mark.parametrize("owner", ["pandas", "pandas.DataFrame"])
def test_a_name_that_is_taken_is_left_alone_with_a_warning(monkeypatch, owner):
    place, name = (pd, "read_aurorax_conjunctions") if owner == "pandas" else (pd.DataFrame, "aurorax")

    def theirs():
        pass

    monkeypatch.setattr(place, name, theirs)
    with pytest.warns(ap.AuroraxDataWarning, match=name) as caught:
        ap.register()
    assert len(caught) == 1
    assert getattr(place, name) is theirs


def test_import_steps_aside_too():
    code = (
        "import warnings, pandas as pd; pd.read_aurorax_conjunctions = len; warnings.simplefilter('always');"
        "import aurorax_pandas as ap; print(pd.read_aurorax_conjunctions is len, callable(ap.read_aurorax_conjunctions))"
    )
    assert run(code) == "True True"


def test_every_public_name_is_there():
    missing = [name for name in ap.__all__ if not hasattr(ap, name)]
    assert missing == []
    assert set(ap.__all__) <= set(dir(ap))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        ap.nonsense  # noqa: B018


def test_every_method_of_the_accessor_is_a_public_function(sample):
    methods = [name for name in dir(sample.aurorax) if not name.startswith("_") and name not in ("plot", "provenance")]
    assert methods
    # a module has the one name, and a word alone would not say what it is of the other
    functions = {"data_products": "read_data_products_of", "ephemeris": "read_ephemeris_of"}
    assert [name for name in methods if not callable(getattr(ap, functions.get(name, name), None))] == []


def test_testing_and_sandbox_are_there_after_a_plain_import():
    assert ap.testing.assert_conjunctions_equal
    assert ap.sandbox.serve
    assert {"sandbox", "testing"} <= set(dir(ap))


VERBS = [
    (accessor, name)
    for accessor in (ap.AuroraxDataFrameAccessor, ap.AuroraxDatasetAccessor)
    for name in vars(accessor)
    if not name.startswith("_")
    and name != "validate"
    and callable(getattr(ap, name, None))
    and not isinstance(vars(accessor)[name], property)
]


@pytest.mark.parametrize(("accessor", "name"), VERBS)
def test_verbs_have_the_parameters_and_defaults_of_their_functions(accessor, name):
    verb, function = (
        [(each.name, each.default, each.kind) for each in inspect.signature(one).parameters.values()][1:]
        for one in (getattr(accessor, name), getattr(ap, name))
    )
    assert verb == function
