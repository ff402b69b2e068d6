"""What every test and docstring example stands on: no display, no environment of the user."""

import signal
from importlib.metadata import version
from importlib.util import find_spec

import matplotlib as mpl
import pytest

mpl.use("Agg")


# its example needs the extra explore
collect_ignore = [] if find_spec("bokeh") else ["aurorax_pandas/interactive/explore.py"]


def pytest_configure(config: pytest.Config) -> None:
    """Let old pyarrow read the times of columns with a zone by a way that pandas will close."""
    if int(version("pyarrow").split(".")[0]) < 26:
        config.addinivalue_line("filterwarnings", "ignore:Series.values returning an ndarray that drops timezone")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite, and only it, on all cores, as ``-n auto`` does."""
    # a worker is asked for the whole suite too, and may not have workers of its own
    first = not hasattr(config, "workerinput") and config.pluginmanager.hasplugin("xdist")
    if first and config.args == config.getini("testpaths") and config.option.numprocesses is None:
        config.option.numprocesses = "auto"


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path):
    import matplotlib.pyplot as plt

    from aurorax_pandas import options
    from aurorax_pandas.service import catalogue

    catalogue.forget_data_sources()

    monkeypatch.delenv("AURORAX_API_URL", raising=False)
    monkeypatch.delenv("AURORAX_API_KEY", raising=False)
    monkeypatch.setattr(options, "_state", type(options._state)("options of a test"))  # noqa: SLF001
    monkeypatch.chdir(tmp_path)
    # a shell may start the suite with interrupts ignored, and a library may keep their handler
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    plt.close("all")
