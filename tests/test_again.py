"""Ordinary interpreters: the package imported again, reloaded, and reloaded as it is edited."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import aurorax_pandas

PURGED = """
import sys, warnings
warnings.simplefilter("error")
import pandas as pd, xarray as xr, dask.dataframe as dd
import aurorax_pandas as before
before.set_options(api_url="http://127.0.0.1:9", api_key="a-key")
df = before.load_sample_conjunctions()
before.validate(df), df.aurorax.closest(2), df.aurorax.to_xarray().aurorax.closest(1)
for name in [name for name in sys.modules if name.partition(".")[0] == "aurorax_pandas"]:
    del sys.modules[name]
import aurorax_pandas as after
assert after is not before
assert pd.read_aurorax_conjunctions is after.read_aurorax_conjunctions
assert type(df.aurorax) is after.AuroraxDataFrameAccessor
assert type(df.aurorax.to_xarray().aurorax) is after.AuroraxDatasetAccessor
assert len(after.validate(df).aurorax.closest(2)) == 2
assert len(after.ConjunctionSchema.validate(df)) == 49
assert len(dd.from_pandas(df, npartitions=2).aurorax.closest(1).compute()) == 1
assert after.get_options() == {"api_url": "http://127.0.0.1:9", "api_key": "***"}
before.set_options(api_key="", api_url="http://127.0.0.1:10")
assert after.get_options() == {"api_url": "http://127.0.0.1:10", "api_key": None}
import importlib
importlib.reload(after)
assert type(df.aurorax) is after.AuroraxDataFrameAccessor
print("well")
"""

EDITED = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def run(code):
    shell.run_cell(code).raise_error()
run("%load_ext autoreload")
run("%autoreload 2")
run("import sys, warnings; warnings.simplefilter('error'); import pandas as pd, xarray, aurorax_pandas as ap")
run("assert ap.__file__.startswith(sys.argv[1]), ap.__file__")
run("ap.set_options(api_url='http://127.0.0.1:9', api_key='a-key'); df = ap.load_sample_conjunctions()")
run("assert len(df.aurorax.closest(2)) == 2; df.aurorax.to_xarray()")
import os, pathlib
for name, old, new in (
    ("analysis/selection.py", 'count = whole_number("n", n)', 'count = whole_number("n", n) + 1'),
    ("options.py", "https://api.aurorax.space", "https://api.aurorax.example"),
    ("registration.py", "Done on import", "It is done on import"),
):
    path = pathlib.Path(sys.argv[1], "aurorax_pandas", name)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, (2e9, 2e9))
run("1")
run("assert len(df.aurorax.closest(2)) == 3, len(df.aurorax.closest(2))")
run("assert ap.get_options() == {'api_url': 'http://127.0.0.1:9', 'api_key': '***'}, ap.get_options()")
run("ap.set_options(api_url=None, api_key=None); assert 'example' in ap.get_options()['api_url'], ap.get_options()")
run("ap.register(); assert pd.read_aurorax_conjunctions is ap.read_aurorax_conjunctions")
run("assert len(ap.validate(df.aurorax.to_xarray().aurorax.to_dataframe())) == 49")
print("well")
"""


def run(code, *arguments, cwd=None):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.stdout.strip().endswith("well"), done.stdout + done.stderr
    return done


def test_a_package_that_is_purged_and_imported_again_registers_again_and_keeps_its_options():
    pytest.importorskip("dask")
    assert run(PURGED).stderr == ""


def test_the_package_is_reloaded_as_it_is_edited(tmp_path):
    pytest.importorskip("IPython")
    # a copy of the package, since the test edits it
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(aurorax_pandas.__file__).parent, tmp_path / "aurorax_pandas", ignore=ignored)
    done = run(EDITED, tmp_path, cwd=tmp_path)
    assert "error" not in done.stdout.lower()
