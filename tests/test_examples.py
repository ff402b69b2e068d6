"""The examples run from top to bottom, without a network."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

import aurorax_pandas

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


def live_check(capsys):
    """Run the comparison with the service, and give how it ended and what it printed."""
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLES / "live_check.py"))
    return ended.value.code, capsys.readouterr().out


def test_the_live_check_ends_well_where_the_service_has_what_is_recorded(box, capsys):
    with box as url, aurorax_pandas.set_options(api_url=url):
        code, printed = live_check(capsys)
    assert code == 0
    assert "49 rows live, 49 recorded: 0 gained, 0 lost, 0 changed" in printed


def test_the_live_check_tells_what_the_service_has_gained_lost_and_changed(server, capsys):
    records = aurorax_pandas.records_from_conjunctions(aurorax_pandas.load_sample_conjunctions())
    for each in (records[0], *records[0]["events"]):
        each["min_distance"] -= 2
    for each in (records[1], *records[1]["events"]):
        each |= {"start": "2020-01-01T06:50:00", "end": "2020-01-01T06:52:00"}
    records[1] |= {"closest_epoch": "2020-01-01T06:51:00", "farthest_epoch": "2020-01-01T06:52:00"}
    server.routes["POST", f"{server.REQUEST}/data"] = [server.Reply(200, {"result": records})]
    with aurorax_pandas.set_options(api_url=server.url):
        code, printed = live_check(capsys)
    assert code == "the live service differs from the recording"
    assert "49 rows live, 49 recorded: 1 gained, 1 lost, 1 changed" in printed
    assert "min_distance of the changed rows: 2 km in the median, 2 km at most" in printed


def test_the_live_check_says_why_there_is_nothing_to_compare(closed_port_url, capsys):
    with aurorax_pandas.set_options(api_url=closed_port_url):
        code, _ = live_check(capsys)
    assert code.startswith("no answer to compare, AuroraxUnavailableError: ")


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
