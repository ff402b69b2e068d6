"""The documentation keeps its word: its examples run and its reference is complete."""

import doctest
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import aurorax_pandas

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.rst") if "_build" not in page.parts)


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_a_page_run(page):
    if page == "howto/explore.rst":
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
        "quickstart.rst",
        "built.rst",
        "campaign.rst",
        "explanation.rst",
        "howto/chain.rst",
        "howto/explore.rst",
        "howto/images.rst",
        "howto/keep.rst",
        "howto/sandbox.rst",
    ],
)
def test_a_page_has_examples(page):
    assert doctest.DocTestParser().get_examples((DOCS / page).read_text(encoding="utf-8"))


def test_the_picture_of_the_layers_is_the_contract_of_imports():
    contracts = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = [contract["layers"] for contract in contracts["contracts"] if contract["type"] == "layers"]
    picture = "".join(f"    {layer}\n" for layer in layers)
    assert f"::\n\n{picture}\n" in (DOCS / "built.rst").read_text(encoding="utf-8")


def test_every_public_name_is_in_the_reference():
    words = " ".join((DOCS / "reference.rst").read_text(encoding="utf-8").split())
    modules = {name for name in aurorax_pandas.__all__ if isinstance(getattr(aurorax_pandas, name), ModuleType)}
    assert modules == {"exceptions", "sandbox", "testing"}
    assert [name for name in aurorax_pandas.__all__ if name not in modules and f":: {name}" not in words] == []


@pytest.mark.parametrize("module", ["aurorax_pandas.testing", "aurorax_pandas.sandbox"])
def test_public_modules_are_in_the_reference(module):
    assert f".. automodule:: {module}" in (DOCS / "reference.rst").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("prefix", "accessor"),
    [
        ("df.aurorax", aurorax_pandas.AuroraxDataFrameAccessor),
        ("df.aurorax.plot", aurorax_pandas.AuroraxPlotAccessor),
    ],
)
def test_every_verb_of_the_accessor_is_in_the_reference(prefix, accessor):
    text = (DOCS / "reference.rst").read_text(encoding="utf-8")
    verbs = [name for name in dir(accessor) if not name.startswith("_")]
    assert verbs
    assert [verb for verb in verbs if f"``{prefix}.{verb}" not in text] == []
