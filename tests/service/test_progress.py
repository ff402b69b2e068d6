"""Progress bars in a console and in a notebook without ipywidgets."""

import sys
import warnings
from types import ModuleType

import pytest

from aurorax_pandas.service import progress


@pytest.mark.parametrize("notebook", [False, True])
def test_a_bar_without_widgets_is_text_and_warns_of_nothing(notebook, monkeypatch, capsys):
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    else:
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(progress.importlib.util, "find_spec", lambda name: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with progress.progress_bar(total=3, desc="windows", mininterval=0) as bar:
            bar.update(3)
    said = capsys.readouterr().err
    assert "windows" in said
    # a cell of a notebook keeps no line of it
    assert said.count("\n") == (0 if notebook else 1)
