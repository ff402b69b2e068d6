"""Fixtures that several test modules share."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from hypothesis import Phase, settings

import aurorax_pandas
from aurorax_pandas import sandbox

# code for type checkers alone, and scripts that import each other as scripts do
collect_ignore = ["typing", "benchmarks"]

# a suite that passed passes again; `--hypothesis-profile=explore` tries other examples each time
settings.register_profile("suite", deadline=None, max_examples=20, database=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=20, database=None)
# the same examples, but a failure is reported as it was found: to make it small may take minutes of a machine's time
settings.register_profile("unattended", settings.get_profile("suite"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("unattended" if os.environ.get("CI") else "suite")


def _load(name: str) -> ModuleType:
    # --import-mode=importlib keeps this directory off sys.path
    spec = importlib.util.spec_from_file_location(
        f"_aurorax_pandas_tests_{name}", Path(__file__).with_name(f"{name}.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def builders() -> ModuleType:
    return _load("builders")


@pytest.fixture(scope="session")
def orbits() -> ModuleType:
    return _load("orbits")


@pytest.fixture(scope="session")
def _servers() -> ModuleType:
    return _load("servers")


@pytest.fixture
def faulty_server(_servers: ModuleType) -> Iterator[Callable]:
    running = []

    def start():
        running.append(_servers.FaultyServer())
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def server(faulty_server: Callable):
    return faulty_server()


@pytest.fixture
def box() -> Iterator[sandbox.Sandbox]:
    served = sandbox.serve()
    with served:
        yield served


@pytest.fixture
def closed_port_url(_servers: ModuleType) -> str:
    server = _servers.FaultyServer()
    server.close()
    return server.url


@pytest.fixture
def sample() -> pd.DataFrame:
    return aurorax_pandas.load_sample_conjunctions()


@pytest.fixture
def recorded_search() -> dict:
    return {
        "start": "2020-01-01",
        "end": "2020-01-01T06:59:59",
        "distance": 500,
        "ground": [{"programs": ["themis-asi"]}],
        "space": [{"programs": ["swarm"]}],
    }


_POLAR = {
    "logical_operator": "AND",
    "expressions": [{"key": "nbtrace_region", "operator": "=", "values": ["north polar cap"]}],
}
_SOUTH = {
    "logical_operator": "AND",
    "expressions": [{"key": "sbtrace_region", "operator": "=", "values": ["south polar cap"]}],
}

_QUADRUPLE = {
    "ground1-ground2": None,
    "ground1-space1": 500,
    "ground1-space2": 500,
    "ground2-space1": 500,
    "ground2-space2": 500,
    "space1-space2": None,
}

_NOTEBOOK = {
    "two sources": (
        {
            "start": "2020-01-01T00:00:00",
            "end": "2020-01-01T06:59:59",
            "distance": 500,
            "ground": [{"programs": ["themis-asi"]}],
            "space": [{"programs": ["swarm"]}],
        },
        {"ground1-space1": 500},
    ),
    "metadata filter": (
        {
            "start": "2019-02-01T00:00:00",
            "end": "2019-02-10T23:59:59",
            "distance": 500,
            "ground": [{"programs": ["themis-asi", "rego"]}],
            "space": [{"programs": ["swarm"], "ephemeris_metadata_filters": _POLAR}],
        },
        {"ground1-space1": 500},
    ),
    "four blocks": (
        {
            "start": "2020-01-01T00:00:00",
            "end": "2020-01-04T23:59:59",
            "distance": _QUADRUPLE,
            "ground": [{"programs": ["rego"]}, {"programs": ["trex"]}],
            "space": [{"programs": ["swarm"]}, {"programs": ["themis"]}],
        },
        _QUADRUPLE,
    ),
    "space only": (
        {
            "start": "2019-01-01T00:00:00",
            "end": "2019-01-01T23:59:59",
            "distance": 500,
            "space": [
                {"programs": ["themis"]},
                {
                    "programs": ["swarm"],
                    "platforms": ["swarma", "swarmb"],
                    "hemisphere": ["southern"],
                    "ephemeris_metadata_filters": _SOUTH,
                },
            ],
        },
        {"space1-space2": 500},
    ),
}


@pytest.fixture(params=list(_NOTEBOOK))
def notebook_search(request: pytest.FixtureRequest) -> tuple[dict, dict]:
    """Give the arguments of a search of the notebook, and the query that must go out."""
    arguments, distances = _NOTEBOOK[request.param]
    query = {
        "start": arguments["start"],
        "end": arguments["end"],
        "ground": arguments.get("ground", []),
        "space": arguments["space"],
        "events": [],
        "adhoc": [],
        "conjunction_types": ["nbtrace"],
        "max_distances": distances,
    }
    return arguments, query
