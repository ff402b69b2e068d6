"""The page for those who come from PyAuroraX: what stands beside each other gives equal values."""

import doctest
import re
import warnings
from pathlib import Path

import pandas as pd
import pytest

from aurorax_pandas import sandbox

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "from-pyaurorax.rst").read_text(encoding="utf-8")
pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pyaurorax = pytest.importorskip("pyaurorax", exc_type=ImportError)


def steps():
    """Return the code of the page in its order, each with whose it is."""
    theirs = r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)"
    for found in re.finditer(rf"{theirs}|((?:^(?:>>>|\.\.\.).*\n)+)", PAGE, flags=re.MULTILINE):
        left, right = found.groups()
        yield ("theirs", re.sub("^   ", "", left, flags=re.MULTILINE)) if left else ("ours", right)


def test_each_pair_gives_equal_values(tmp_path):
    pairs = 0
    with sandbox.serve() as url:
        client = pyaurorax.PyAuroraX(api_base_url=url, download_output_root_path=str(tmp_path))
        names = {"pd": pd, "client": client}
        for whose, code in steps():
            if whose == "theirs":
                code = code.replace("pyaurorax.PyAuroraX()", "client").replace(".wait()", ".wait(poll_interval=0.01)")
            else:
                code = "".join(example.source for example in doctest.DocTestParser().get_examples(code))
            exec(code, names)
            if whose == "ours" and "ours =" in code:
                assert names["ours"] == names["theirs"], code
                pairs += 1
    assert pairs == PAGE.count("theirs =")
