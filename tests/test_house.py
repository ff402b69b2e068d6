"""The house itself: modules of a size that is read at once, and helpers whose name says which one is meant."""

import ast
from collections import Counter
from pathlib import Path

import aurorax_pandas

MODULES = sorted(Path(aurorax_pandas.__file__).parent.rglob("*.py"))


def test_no_module_is_longer_than_is_read_at_once():
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 430} == {}


def test_the_name_of_a_private_helper_stands_once():
    names = Counter(
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
