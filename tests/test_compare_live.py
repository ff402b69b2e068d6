"""The comparison of a live search with the recording, run against the sandbox."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import aurorax_pandas as ap
from aurorax_pandas import sandbox

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "compare_live.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("compare_live", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_finds_that_all_agrees_with_the_sandbox(tmp_path):
    with sandbox.serve() as url:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(SCRIPT)],
            cwd=tmp_path,
            env={**os.environ, "AURORAX_API_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 0
    assert f"asked {url}" in done.stdout
    assert "the sandbox, not the service" in done.stdout
    assert "49 agree in all values" in done.stdout
    assert done.stdout.endswith("All agrees.\n")
    assert list(tmp_path.iterdir()) == []


def test_where_no_answer_is_to_be_had_the_script_says_why(script, capsys):
    with sandbox.serve(faults={"search": ["fail"]}) as url, ap.set_options(api_url=url):
        assert script.main() == 2
    assert capsys.readouterr().out.startswith("No answer to compare: ")


def test_what_differs_is_told_by_kind(script, sample):
    live = sample.iloc[3:].reset_index(drop=True)
    live.loc[0, "min_distance"] += 0.5
    live.loc[1, "closest_epoch"] = None
    live = live.drop(index=5).reset_index(drop=True)
    words, agrees = script.report(sample, live)
    assert not agrees
    assert "49 conjunctions were recorded, 45 were read now" in words
    assert "43 agree in all values" in words
    assert "2 are in both with other values" in words
    assert "min_distance: in 1 of them, by 0.500000 km at most" in words
    assert "closest_epoch: in 1 of them, where one has none" in words
    assert "4 are only in the recording:" in words
    assert "only in what was read now" not in words


def test_more_rows_than_recorded_are_no_agreement(script, sample):
    words, agrees = script.report(sample.head(40), sample)
    assert not agrees
    assert "40 agree in all values" in words
    assert "9 are only in what was read now:" in words
