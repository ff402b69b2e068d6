"""Docstrings tell what every argument is."""

import inspect
import re

import pytest

import aurorax_pandas as ap
from aurorax_pandas import sandbox

FUNCTIONS = {name: getattr(ap, name) for name in ap.__all__ if inspect.isroutine(getattr(ap, name))}
PICTURES = {
    f"plot.{name}": picture
    for name, picture in vars(ap.AuroraxPlotAccessor).items()
    if not name.startswith("_") and inspect.isfunction(picture)
}


def described(function):
    """Return the names that a docstring's section of parameters tells of."""
    documented = inspect.getdoc(function)
    section = re.search(r"\nParameters\n-+\n(.*?)(\n\n\w[^\n]*\n---|\Z)", documented, flags=re.DOTALL)
    lines = re.findall(r"^[*\w].*$", section[1], flags=re.MULTILINE) if section else []
    return {name.strip("* ") for line in lines for name in line.split(" : ")[0].split(",")}


@pytest.mark.parametrize("name", [*FUNCTIONS, *PICTURES, "serve"])
def test_every_argument_is_described(name):
    function = {**FUNCTIONS, **PICTURES, "serve": sandbox.serve}[name]
    wanted = set(inspect.signature(function).parameters) - {"self"}
    missing = wanted - described(function)
    assert not missing
