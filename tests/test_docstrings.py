"""Docstrings tell what every argument is."""

import inspect
import re

import pytest

import aurorax_pandas as ap
from aurorax_pandas import sandbox
from aurorax_pandas.signatures import describing

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


def test_what_functions_share_stands_in_each_docstring_once():
    told = describing(
        ["b : int\n    Shared.", "z : int\n    No parameter of it."],
        raises=["ValueError\n    Always."],
        warns=["UserWarning\n    Never."],
    )

    @told
    def shown(a, b, c):
        """
        Do it.

        Parameters
        ----------
        c : int
            Own.
        a : int
            Own.

        Raises
        ------
        TypeError
            Sometimes.

        Examples
        --------
        >>> 1
        1
        """

    assert inspect.getdoc(shown).split("\n\n") == [
        "Do it.",
        "Parameters\n----------\na : int\n    Own.\nb : int\n    Shared.\nc : int\n    Own.",
        "Raises\n------\nTypeError\n    Sometimes.\nValueError\n    Always.",
        "Warns\n-----\nUserWarning\n    Never.",
        "Examples\n--------\n>>> 1\n1",
    ]


def test_a_docstring_of_one_line_gets_a_section():
    @describing(["b : int\n    Shared."])
    def shown(b):
        """Do it."""

    assert inspect.getdoc(shown) == "Do it.\n\nParameters\n----------\nb : int\n    Shared."


def test_a_word_of_its_own_stays_in_place_of_the_shared_one():
    @describing(["b, c : int\n    Shared."])
    def shown(b, c):
        """
        Do it.

        Parameters
        ----------
        c : int
            Own.
        b : int
            Own.
        """

    assert "Shared" not in inspect.getdoc(shown)


def test_each_public_docstring_has_its_sections_in_order_and_once():
    titles = [
        "Parameters",
        "Attributes",
        "Returns",
        "Yields",
        "Raises",
        "Warns",
        "See Also",
        "Notes",
        "References",
        "Examples",
    ]
    for name, function in {**FUNCTIONS, **PICTURES}.items():
        found = re.findall(r"\n\n(\w[\w ]*)\n-{3,}\n", inspect.getdoc(function))
        assert found == sorted(set(found), key=titles.index), name


@pytest.mark.parametrize("name", [*FUNCTIONS, *PICTURES])
def test_what_is_raised_and_warned_of_has_a_name(name):
    documented = inspect.getdoc({**FUNCTIONS, **PICTURES}[name])
    for title, kind in (("Raises", Exception), ("Warns", Warning)):
        section = re.search(rf"\n\n{title}\n-+\n(.*?)(\n\n\w[^\n]*\n---|\Z)", documented, flags=re.DOTALL)
        entries = re.split(r"\n(?=\S)", section[1]) if section else []
        named = [word for entry in entries for word in entry.split("\n")[0].split(", ")]
        assert all(issubclass(getattr(ap, word), kind) for word in named), named


def test_pictures_tell_what_they_warn_of():
    assert all("AuroraxDataWarning" in inspect.getdoc(picture) for name, picture in PICTURES.items())
