"""Type checkers follow a frame through pandas' own methods, and refuse what is misspelt."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CODE = Path(__file__).parent / "typing"
ROOT = Path(__file__).resolve().parents[1]
REFUSED = [number for number, line in enumerate((CODE / "bad.py").read_text().split("\n"), 1) if "# refused" in line]

COMMANDS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file="],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
}


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def said(request, tmp_path_factory):
    """What a type checker says of both files, by file and line."""
    if find_spec(request.param) is None or find_spec("pandas-stubs") is None:
        pytest.skip(f"{request.param} and pandas-stubs are not installed")
    if request.param == "pyright" and shutil.which("node") is None:
        pytest.skip("pyright needs node")
    place = tmp_path_factory.mktemp("user")
    names = ["good.py", "bad.py"]
    for name in names:
        shutil.copy(CODE / name, place / name)
    command = [*COMMANDS[request.param], *names]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, env=_environment())
    found = re.findall(r"(good|bad)\.py:(\d+)(?::\d+)?(?: -|:) error", done.stdout)
    assert found, done.stdout + done.stderr
    return {(name, int(line)) for name, line in found}, done.stdout


def _environment():
    return {**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}


def test_what_users_write_type_checks(said):
    found, text = said
    assert sorted(line for name, line in found if name == "good") == [], text


def test_what_is_misspelt_is_refused(said):
    found, text = said
    assert sorted(line for name, line in found if name == "bad") == REFUSED, text
