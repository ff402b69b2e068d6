"""What a release tells of itself is told once, or the same everywhere."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
RECIPE = yaml.safe_load((ROOT / ".github/conda/recipe.yaml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
#: conda-forge's names where they are others.
OF_CONDA = {"matplotlib": "matplotlib-base"}


def files():
    """Return the files of the project that hold text, but for this one and the one that has the address."""
    folders = [ROOT / name for name in (".github", "aurorax_pandas", "docs", "examples", "tests")]
    found = [*ROOT.glob("*.*"), *(path for folder in folders for path in folder.rglob("*.*"))]
    others = (".png", ".npz", ".parquet", ".pyc", "pyproject.toml", Path(__file__).name)
    return [path for path in found if path.is_file() and "_build" not in path.parts and not path.name.endswith(others)]


def test_the_version_is_the_same_everywhere():
    dated = re.search(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert PROJECT["version"] == CITATION["version"] == RECIPE["context"]["version"] == dated[1]
    assert CITATION["date-released"] == dated[2]


def test_the_changelog_begins_with_what_is_unreleased():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings.count("Unreleased") == 1
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", one) for one in headings[1:])


def test_code_names_no_version_of_its_own():
    found = [
        path.name
        for path in (ROOT / "aurorax_pandas").rglob("*.py")
        if re.search(r"__version__ = ", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_citation_file_has_what_its_format_asks_for():
    assert {"cff-version", "message", "title", "authors", "type", "version", "date-released", "license"} <= set(
        CITATION
    )
    assert CITATION["authors"] == [{"name": PROJECT["authors"][0]["name"]}]
    assert CITATION["license"] == PROJECT["license"]
    [paper] = CITATION["references"]
    bibtex = (ROOT / "aurorax_pandas/data/references.bib").read_text(encoding="utf-8")
    entry = re.search(r"@article\{shumko2022,.*?\n\}", bibtex, re.DOTALL)[0]
    assert f"doi = {{{paper['doi']}}}" in entry
    authors = " and ".join(f"{one['family-names']}, {one['given-names']}" for one in paper["authors"])
    assert f"author = {{{authors}}}" in entry


def test_the_recipe_needs_what_the_project_needs():
    ours = [Requirement(one) for one in PROJECT["dependencies"]]
    expected = {(OF_CONDA.get(one.name, one.name), one.specifier) for one in ours}
    expected.add(("python", SpecifierSet(PROJECT["requires-python"])))
    assert {(one.name, one.specifier) for one in map(Requirement, RECIPE["requirements"]["run"])} == expected


def test_the_address_of_the_repository_is_left_to_fill_in_in_one_place():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert len(re.findall(r"^# FILL IN: ", text, re.MULTILINE)) == 1
    address = re.compile(r"https?://[^\s\"'<>)]*aurorax[-_]pandas", re.IGNORECASE)
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8", errors="replace") for path in files()}
    told = [name for name, content in texts.items() if address.search(content)]
    assert len(texts) > 300
    assert told == []


def test_licences_of_what_is_bundled_go_with_it():
    assert PROJECT["license-files"] == ["LICENSE", "aurorax_pandas/data/NOTICE"]
    notice = (ROOT / "aurorax_pandas/data/NOTICE").read_text(encoding="utf-8")
    bundled = {path.name for path in (ROOT / "aurorax_pandas/data").iterdir()} - {"NOTICE", "__pycache__"}
    assert [name for name in sorted(bundled) if name not in notice] == []


def test_the_workflow_runs_all_pythons_systems_and_both_ends_of_the_bounds():
    matrix = WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]
    named = {one.rpartition(" ")[2] for one in PROJECT["classifiers"] if ":: Python :: 3." in one}
    assert set(matrix["python"]) == named == {"3.11", "3.12", "3.13", "3.14"}
    assert {one.partition("-")[0] for one in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert set(matrix["resolution"]) == {"lowest-direct", "highest"}
    assert all(set(one) <= set(matrix) for one in matrix["exclude"])
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    # YAML takes a plain `on` for a truth
    assert set(WORKFLOW[True]) == {"push", "pull_request"}
    assert WORKFLOW["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "PULL_REQUEST_TEMPLATE.md"])
def test_links_of_community_files_lead_somewhere(name):
    text = (ROOT / ".github" / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or (ROOT / ".github" / link).is_file(), link


@pytest.mark.parametrize("form", sorted((ROOT / ".github/ISSUE_TEMPLATE").iterdir()), ids=lambda path: path.stem)
def test_forms_have_what_their_format_asks_for(form):
    told = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(told)
    for part in told["body"]:
        assert part["type"] in ("markdown", "textarea", "input", "dropdown", "checkboxes")
        assert part["attributes"]["label"]


def test_the_paper_cites_what_its_references_hold_and_nothing_else():
    text = (ROOT / "docs/paper/paper.md").read_text(encoding="utf-8")
    bibtex = (ROOT / "docs/paper/paper.bib").read_text(encoding="utf-8")
    entries = {re.match(r"@\w+\{([^,]+),", entry)[1]: entry.strip() for entry in re.split(r"\n(?=@)", bibtex)}
    body = text.split("\n---\n", 1)[1]
    assert set(re.findall(r"@([a-z]+\d*)", body)) == set(entries)
    assert all(re.search(r"\n  doi = \{10\.\d{4,}/\S+\}\n", entry) for entry in entries.values())
    bundled = (ROOT / "aurorax_pandas/data/references.bib").read_text(encoding="utf-8")
    shared = [key for key in entries if f"{{{key},\n" in bundled]
    assert shared
    assert all(entries[key] in bundled for key in shared)
    assert [
        f"# {title}" in body for title in ("Summary", "Statement of need", "State of the field", "Acknowledgements")
    ]
    told = yaml.safe_load(text.split("---\n")[1])
    assert [author["name"] for author in told["authors"]] == [PROJECT["authors"][0]["name"]]
