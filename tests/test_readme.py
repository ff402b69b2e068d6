"""The README keeps its word: its snippets run, its commands stand where the checks look for them."""

import re
from pathlib import Path

import pytest

import aurorax_pandas
from aurorax_pandas import sandbox

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    "python3 -m venv .venv && .venv/bin/python -m pip install -q -e . && .venv/bin/python examples/quickstart.py\n",
    'python3 -m venv .venv && .venv/bin/python -m pip install -q -e ".[test]" && .venv/bin/python -m pytest -q\n',
]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def test_python_blocks_run_in_order_in_one_namespace():
    namespace = {}
    with sandbox.serve() as url, aurorax_pandas.set_options(api_url=url):
        for number, block in enumerate(blocks("python"), start=1):
            exec(compile(block, f"README.md, python block {number}", "exec"), namespace)
    assert len(namespace["again"]) == 49
    assert len(namespace["df"]) == 119
    assert namespace["s"].data is not None
    assert namespace["events"]["pair"].is_unique
    assert Path("timeline.png").stat().st_size > 0


def test_exactly_the_two_commands_are_shell_blocks():
    assert blocks("sh") == COMMANDS


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) > 20
    assert [link for link in links if not link.startswith("https://") and not (ROOT / link).exists()] == []


def test_it_is_read_in_a_few_minutes():
    assert len(README.splitlines()) <= 150


def test_a_picture_stands_in_the_first_ten_lines():
    [picture] = re.findall(r"!\[[^]]+\]\(([^)]+)\)", "\n".join(README.splitlines()[:10]))
    assert 0 < (ROOT / picture).stat().st_size < 150_000


@pytest.mark.parametrize("column", aurorax_pandas.load_sample_conjunctions().columns)
def test_every_column_is_in_the_table(column):
    table = [line for line in README.splitlines() if line.startswith("|")]
    assert any(f"`{column}`" in line.split("|")[1] for line in table)
