"""The examples run from top to bottom, without a network."""

import os
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOK = EXAMPLES / "walkthrough.ipynb"
OBSERVATION = EXAMPLES / "observation.ipynb"


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """Start the quickstart, which runs beside the notebook."""
    folder = tmp_path_factory.mktemp("quickstart")
    users = ("DISPLAY", "AURORAX_API_URL", "AURORAX_API_KEY")
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLES / "quickstart.py")],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in users},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process, folder
        process.kill()


def run(path, folder):
    """Execute a notebook as a user would, in an empty folder."""
    notebook = nbformat.read(path, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder / name.lower()))
        # a test run's own choices would keep pictures out of the notebook, or its searches out of the sandbox
        for name in ("MPLBACKEND", "AURORAX_API_URL", "AURORAX_API_KEY"):
            patch.delenv(name, raising=False)
        nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


@pytest.fixture(scope="module")
def executed(quickstart, tmp_path_factory):
    return run(NOTEBOOK, tmp_path_factory.mktemp("notebook"))


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_notebook_runs_and_shows_frames_refusals_and_a_picture(executed):
    found = outputs(executed)
    assert not [output for output in found if output.output_type == "error"]
    printed = "".join(output.text for output in found if output.output_type == "stream")
    assert printed.count("sandbox: it is a demonstration and") == 3
    assert "ConjunctionSearch(executed=False, completed=False, request_id='')" in printed
    data = [output.data for output in found if "data" in output]
    assert sum("image/png" in one for one in data) == 1
    assert sum("49 rows" in one.get("text/html", "") for one in data) == 2


def test_notebook_prints_no_warning(executed):
    assert not [output.text for output in outputs(executed) if output.get("name") == "stderr"]


def test_quickstart_prints_the_main_job_and_saves_the_timeline(quickstart):
    process, folder = quickstart
    printed, complaints = process.communicate(timeout=120)
    assert process.returncode == 0, complaints
    assert "49 conjunctions" in printed
    assert "THEMIS-ASI GILL & Swarm C" in printed
    assert "aurorax_timeline.png" in printed
    assert (folder / "aurorax_timeline.png").read_bytes().startswith(b"\x89PNG")


def lines_of_code(notebook):
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return [line for line in code.splitlines() if line.strip()]


def test_the_walkthrough_is_shorter_than_the_older_notebook_of_88_lines():
    assert len(lines_of_code(nbformat.read(NOTEBOOK, as_version=4))) <= 60


def test_observation_goes_from_search_to_table_and_figure_in_25_lines(tmp_path):
    executed = run(OBSERVATION, tmp_path)
    found = outputs(executed)
    assert not [output for output in found if output.output_type in ("error", "stream")]
    data = [output.data for output in found]
    assert [one["text/plain"] for one in data if one["text/plain"].startswith("(")] == ["(49, 20, 15)"]
    assert sum("image/png" in one for one in data) == 1
    assert sum("30.3" in one.get("text/html", "") for one in data) == 1
    assert len(lines_of_code(executed)) <= 25


@pytest.mark.parametrize("path", [NOTEBOOK, OBSERVATION], ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert not outputs(notebook)
    assert not [cell for cell in notebook.cells if cell.get("execution_count")]


@pytest.mark.parametrize("number", [1, *range(3, 8), *range(9, 17), *range(18, 24)])
def test_notebook_accounts_for_every_cell_of_the_older_one(number):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert f"`In [{number}]`" in "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
