"""The documentation keeps its word: its examples run and its reference is complete."""

import collections
import contextlib
import doctest
import functools
import inspect
import re
import runpy
import sys
import textwrap
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock, call

import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import sandbox

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.rst") if "_build" not in page.parts)
REFERENCE = {page.stem: page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.rst")}


def examples_of(page):
    return doctest.DocTestParser().get_examples((DOCS / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_a_page_run(page):
    if page == "explore.rst":
        pytest.importorskip("bokeh", reason="needs bokeh, the extra explore")
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    text = (DOCS / page).read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    report = []
    runner.run(examples, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize(
    "page",
    [
        "built.rst",
        "campaign.rst",
        "every-pass.rst",
        "explanation.rst",
        "explore.rst",
        "howto/chain.rst",
        "howto/dask.rst",
        "howto/figures.rst",
        "howto/images.rst",
        "howto/keep.rst",
        "howto/offline.rst",
        "howto/sandbox.rst",
        "install.rst",
        "trust.rst",
        "tutorial.rst",
    ],
)
def test_a_page_has_examples(page):
    assert examples_of(page)


def blocks_of(page):
    """Give the blocks of Python that stand on a page without prompts."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, flags=re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def run_blocks(page, namespace):
    for number, block in enumerate(blocks_of(page), start=1):
        exec(compile(block, f"{page}, block {number}", "exec"), namespace)


def test_only_known_pages_have_blocks_without_prompts():
    # each is run by a test of its own, those of from-pyaurorax.rst beside the client
    assert [page for page in PAGES if blocks_of(page)] == [
        "from-pyaurorax.rst",
        "howto/images.rst",
        "howto/long.rst",
        "howto/sandbox.rst",
    ]


def test_the_fixture_of_the_page_on_the_sandbox_serves(monkeypatch):
    monkeypatch.setattr(pytest, "fixture", lambda function: function)
    namespace = {}
    run_blocks("howto/sandbox.rst", namespace)
    with contextlib.contextmanager(namespace["service"])() as url:
        assert aurorax_pandas.get_options()["api_url"] == url


def test_the_function_for_processes_of_their_own_registers_the_accessor(monkeypatch):
    class Parallel:
        def __init__(self, n_jobs):
            assert n_jobs == 2

        def __call__(self, jobs):
            return [job() for job in jobs]

    def delayed(function):
        return lambda *arguments: functools.partial(function, *arguments)

    monkeypatch.setitem(sys.modules, "joblib", SimpleNamespace(Parallel=Parallel, delayed=delayed))
    df = aurorax_pandas.load_sample_conjunctions()
    namespace = {"frames": [df, df.tail(3)]}
    run_blocks("howto/long.rst", namespace)
    assert [len(found) for found in namespace["found"]] == [1, 1]


def test_the_code_for_other_packages_uses_what_the_windows_hold(monkeypatch):
    """The packages themselves need a network; what stands in for them takes whatever it is given."""
    names = (
        "pyaurorax",
        "asilib",
        "asilib.asi",
        "viresclient",
        "pyspedas",
        "pyspedas.projects",
        "pyspedas.projects.swarm",
    )
    others = {name: MagicMock(name=name) for name in names}
    for name, module in others.items():
        monkeypatch.setitem(sys.modules, name, module)
    others["asilib"].asi = others["asilib.asi"]
    camera = others["asilib.asi"].themis
    camera.return_value.data.time = [0, 1]
    others["asilib"].Conjunction.return_value.intensity.return_value = [2, 3]
    request = others["viresclient"].SwarmRequest.return_value
    request.get_between.return_value.as_xarray.return_value = {"Timestamp": [0, 1], "B_NEC_res_CHAOS": [4, 5]}
    namespace = {}
    for example in examples_of("howto/images.rst"):
        exec(compile(example.source, "howto/images.rst", "single"), namespace)
    with sandbox.serve() as url, aurorax_pandas.set_options(api_url=url):
        run_blocks("howto/images.rst", namespace)

    download = others["pyaurorax"].PyAuroraX.return_value.data.ucalgary.download
    start, end = pd.Timestamp("2020-01-01T00:10"), pd.Timestamp("2020-01-01T00:14")
    assert download.call_args.kwargs == {
        "dataset_name": "THEMIS_ASI_RAW",
        "start": start,
        "end": end,
        "site_uid": "gill",
    }
    assert camera.call_args == call("GILL", time_range=(start, end), alt=110)
    assert request.set_collection.call_args == call("SW_OPER_MAGC_LR_1B")
    load = others["pyspedas.projects.swarm"].mag
    assert load.call_args == call(trange=[str(start), str(end)], probe="c", time_clip=True)
    assert len(namespace["shown"]) == 0


def test_the_tutorial_is_as_short_as_it_says_and_accounts_for_every_cell_of_the_older_notebook():
    text = (DOCS / "tutorial.rst").read_text(encoding="utf-8")
    lines = sum(len(example.source.splitlines()) for example in examples_of("tutorial.rst"))
    assert lines <= 60
    assert f"in {lines} lines of code" in " ".join(text.split())
    told = {int(number) for number in re.findall(r"In \[(\d+)\]", text)}
    assert told | set(range(16, 24)) >= {1, *range(3, 8), *range(9, 24)}


def test_the_commands_of_the_readme_are_those_of_the_page_on_installing():
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    page = (DOCS / "install.rst").read_text(encoding="utf-8")
    commands = re.findall(r"^```sh\n(.*?)\n```$", readme, flags=re.DOTALL | re.MULTILINE)
    assert commands
    assert [command for command in commands if f"   {command}\n" not in page] == []


def test_every_extra_is_in_the_table_of_extras():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (DOCS / "install.rst").read_text(encoding="utf-8")
    assert [extra for extra in project["optional-dependencies"] if f"\n``{extra}``" not in page] == []


def test_the_picture_of_the_layers_is_the_contract_of_imports():
    contracts = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = [contract["layers"] for contract in contracts["contracts"] if contract["type"] == "layers"]
    picture = "".join(f"    {layer}\n" for layer in layers)
    assert f"::\n\n{picture}\n" in (DOCS / "built.rst").read_text(encoding="utf-8")


def test_every_picture_of_the_gallery_has_a_thumbnail_that_leads_to_it():
    text = (DOCS / "gallery.rst").read_text(encoding="utf-8")
    sections = [title.lower().replace(" ", "-") for title in re.findall(r"^(.+)\n-+\n", text, flags=re.MULTILINE)]
    shown = re.findall(r'<a href="#([\w-]+)"><img src="_images/(gallery-\w+)\.png"', text)
    assert [anchor for anchor, _ in shown] == sections[-len(shown) :]
    assert [image for _, image in shown] == re.findall(r":filename-prefix: (gallery-\w+)", text)
    drawn = set(re.findall(r"\.plot\.(\w+)\(", text))
    assert drawn == {name for name in dir(aurorax_pandas.AuroraxPlotAccessor) if not name.startswith("_")}


def benchmark(name):
    return runpy.run_path(str(DOCS.parent / "tests" / "benchmarks" / f"{name}.py"))


def test_the_table_of_faults_is_as_its_command_makes_it():
    made = benchmark("faults")
    table = (DOCS / "tables" / "faults.txt").read_text(encoding="utf-8")
    assert table.count("   * -") == 1 + len(made["FAULTS"]) + len(made["ITSELF"])
    rows = [made["row_of"](fault) for fault in (404, "half", "stall")]
    for line in made["table"](rows).split("   * - ")[2:]:
        assert f"   * - {line}" in table


def test_the_table_of_truth_is_as_its_command_makes_it():
    made = benchmark("truth")
    table = (DOCS / "tables" / "truth.txt").read_text(encoding="utf-8")
    for line in made["table"]([*made["searches"](), *made["minutes"]()]).split("   * - ")[2:]:
        assert f"   * - {line}" in table


def test_every_public_name_is_in_the_reference_once():
    modules = {name for name in aurorax_pandas.__all__ if isinstance(getattr(aurorax_pandas, name), ModuleType)}
    assert modules == {"exceptions", "sandbox", "testing"}
    described = re.findall(
        r"^\.\. auto(?:function|class|exception):: (\w+)$", "\n".join(REFERENCE.values()), re.MULTILINE
    )
    counts = collections.Counter(described)
    assert {name: counts[name] for name in aurorax_pandas.__all__ if name not in modules and counts[name] != 1} == {}


def test_every_name_on_a_page_of_the_reference_is_in_the_summary_above():
    for topic, text in REFERENCE.items():
        described = re.findall(r"^\.\. auto(?:function|class|exception):: (\w+)$", text, re.MULTILINE)
        summed_up = "".join(
            re.findall(r"^\.\. autosummary::\n   :nosignatures:\n\n((?:   \w+\n)+)", text, re.MULTILINE)
        ).split()
        assert sorted(described) == sorted(summed_up), topic


def test_every_page_of_the_reference_is_in_its_contents():
    assert [topic for topic in REFERENCE if f"   {topic}\n" not in REFERENCE["index"]] == ["index"]


@pytest.mark.parametrize("module", ["testing", "sandbox"])
def test_public_modules_are_in_the_reference(module):
    assert f".. automodule:: aurorax_pandas.{module}" in REFERENCE[module]


@pytest.mark.parametrize(
    ("prefix", "accessor"),
    [
        ("df.aurorax", aurorax_pandas.AuroraxDataFrameAccessor),
        ("df.aurorax.plot", aurorax_pandas.AuroraxPlotAccessor),
    ],
)
def test_every_verb_of_the_accessor_is_in_the_reference(prefix, accessor):
    verbs = [name for name in dir(accessor) if not name.startswith("_")]
    assert verbs
    shown = prefix.removeprefix("df.aurorax")
    page = re.sub(r":func:(?=`\w+`)", "", REFERENCE["accessor"])
    for verb in verbs:
        (said,) = re.findall(rf"^   \* - :func:`{shown}\.{verb}(?:\(\))? <\w+>`\n     - (.*)\n", page, re.MULTILINE)
        if verb not in ("plot", "provenance"):
            assert inspect.getdoc(getattr(accessor, verb)).split("\n")[0].rstrip(".") in said
            taken = inspect.signature(getattr(accessor, verb)).parameters.get("ephemeris")
            assert said.endswith((" Takes an ephemeris.", " Needs an ephemeris.", " before.")) == (taken is not None), (
                verb
            )
