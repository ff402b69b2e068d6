"""
Change the code a little, many times, and see whether the tests notice.

``python tests/tools/mutants.py`` draws mutants of the rooms that compute, by the operators of mutmut (which itself leaves
decorated functions out, and so most verbs), and runs each against the tests that reach its line. It needs mutmut 3.8 and
coverage, works on a copy of what git knows, and uses one process at a time: some four seconds a mutant, after some minutes
in which it learns which test reaches which line (kept in ``--map``). It is run by hand; pytest does not collect it.

A mutant that no test notices is a test that is missing, unless it changes nothing that can be seen: those that were looked
at are in ``mutants_that_change_nothing.json`` beside this file, each with the reason.
"""

import argparse
import contextlib
import functools
import importlib
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ROOMS = ("frame", "analysis", "engine", "ephemeris")
SAME = Path(__file__).with_name("mutants_that_change_nothing.json")
# the tests that a mutant meets: the nearest first, and no more than these
MOST_TESTS, MOST_SECONDS, DEADLINE = 80, 60.0, 300.0
QUIET = ["-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:randomly"]
# the libraries are there before pytest is
QUIET += ["-W", "ignore::pytest.PytestAssertRewriteWarning", "--no-header", "--no-summary"]


@dataclass(frozen=True)
class Mutant:
    """One change of one file: the lines that it touches, before and after."""

    path: str
    line: int
    last_line: int
    body_line: int
    before: str
    after: str
    source: str


def mutants_of(path: str) -> list[Callable[[], Mutant | None]]:
    """Return what makes each mutant of the functions of a file; the words of an error and decorators stay."""
    import libcst as cst
    from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
    from mutmut.mutation.mutators import mutation_operators

    source = (ROOT / path).read_text()
    wrapper = MetadataWrapper(cst.parse_module(source))
    module = wrapper.module
    position = wrapper.resolve(PositionProvider)
    parent = wrapper.resolve(ParentNodeProvider)
    lines = source.splitlines()
    found: list[Callable[[], Mutant | None]] = []

    def visit(node: cst.CSTNode, function: cst.FunctionDef | None, statement: Any, words: bool) -> None:
        if isinstance(node, cst.Annotation | cst.Decorator):
            return
        if isinstance(node, cst.FunctionDef):
            function = function or node
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            statement = node
        words = words or isinstance(node, cst.Raise | cst.FormattedString)
        documents = isinstance(parent.get(node), cst.Expr)
        if function is not None and not (isinstance(node, cst.SimpleString) and (words or documents)):
            for kind, operator in mutation_operators:
                changes = operator(node) if isinstance(node, kind) else ()
                found.extend(functools.partial(made, node, changed, function, statement) for changed in changes)
        for child in node.children:
            visit(child, function, statement, words)

    def made(node: cst.CSTNode, changed: cst.CSTNode, function: cst.FunctionDef, statement: Any) -> Mutant | None:
        text = module.deep_replace(node, changed).code
        try:
            compile(text, path, "exec")
        except SyntaxError:
            return None
        after = text.splitlines()
        head = next((n for n, (a, b) in enumerate(zip(lines, after, strict=False)) if a != b), None)
        if head is None:
            return None
        tail = 0
        while tail < min(len(lines), len(after)) - head and lines[-1 - tail] == after[-1 - tail]:
            tail += 1
        texts = ["\n".join(each[head : len(each) - tail]).strip() for each in (lines, after)]
        if is_assertion(*texts):
            return None
        end = position[statement if isinstance(statement, cst.SimpleStatementLine) else node].end.line
        first = position[function.body].start.line
        return Mutant(path, position[statement].start.line, max(end, head + 1), first, texts[0], texts[1], text)

    visit(module, None, None, False)
    return found


def is_assertion(before: str, after: str) -> bool:
    """Tell whether a change is one of ``strict=`` alone, which holds by how the lengths are made."""
    bare = [re.sub(r",\s*(strict=\w+)?(?=\s*\))", "", text) for text in (before, after)]
    return bare[0] == bare[1]


def drawn_from(makers: list[Callable[[], Mutant | None]], count: int, seed: str) -> Iterator[Mutant]:
    """Draw so many different mutants; where count is 0, all of them."""
    seen: set[str] = set()
    for maker in random.Random(seed).sample(makers, len(makers)):
        if count and len(seen) == count:
            return
        mutant = maker()
        if mutant and mutant.source not in seen:
            seen.add(mutant.source)
            yield mutant


def mutant_again(told: dict[str, Any]) -> Mutant | None:
    """Return a mutant of an earlier run in the code as it is now, None where that line is no longer there."""
    before, source = told["before"], (ROOT / told["path"]).read_text()
    lines = {
        source.count("\n", 0, found.start()) + 1: found.start() for found in re.finditer(re.escape(before), source)
    }
    if not lines:
        print(f"no longer there: {told['path']}: {before}")
        return None
    line = min(lines, key=lambda each: abs(each - told["line"]))
    changed = source[: lines[line]] + told["after"] + source[lines[line] + len(before) :]
    return Mutant(told["path"], line, line + before.count("\n"), line, before, told["after"], changed)


def copy_of_checkout(folder: Path) -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def load_libraries() -> None:
    """Import once what each run needs, so that a fork has it."""
    for name in (
        "hypothesis",
        "matplotlib.pyplot",
        "nested_pandas",
        "pandera.pandas",
        "pyarrow.parquet",
        "pytest",
        "requests",
        "scipy.optimize",
        "xarray",
        "dask.dataframe",
        "distributed",
        "duckdb",
        "polars",
        "zarr",
        "geopandas",
        "sgp4.api",
    ):
        # what is not installed here its tests skip
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def in_child(folder: Path, work: Any, deadline: float) -> int | None:
    """Return what work returns in a fork that stands in a folder, None where it takes too long."""
    child = os.fork()
    if not child:
        code = 99
        try:
            os.setsid()
            os.chdir(folder)
            sys.path.insert(0, str(folder))
            os.environ |= {"PYTHONPATH": str(folder), "CI": "true", "MPLBACKEND": "Agg"}
            code = int(work())
        finally:
            os._exit(code)
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def forget() -> None:
    """Empty the caches of the package's functions."""
    for module in [each for name, each in sys.modules.items() if name.startswith("aurorax_pandas.")]:
        for held in list(vars(module).values()):
            if hasattr(held, "cache_clear"):
                held.cache_clear()


class Watch:
    """A plugin of pytest that keeps which test ran which line, and how long it took."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        # what an earlier test left in a cache this one would not reach
        forget()
        self.coverage.switch_context(nodeid)
        self.started = time.perf_counter()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.seconds[nodeid] = time.perf_counter() - self.started
        self.coverage.switch_context("")


def learn(folder: Path, tests: list[str], kept: Path) -> int:
    """Run the tests of the rooms once, and keep which of them reach which line."""
    import pytest
    from coverage import Coverage

    coverage = Coverage(data_file=None, source=[str(folder / "aurorax_pandas" / room) for room in ROOMS])
    watch = Watch(coverage)
    coverage.start()
    code = pytest.main([*(each for each in QUIET if each != "-x"), *tests], plugins=[watch])
    coverage.stop()
    data = coverage.get_data()
    reached = {
        str(Path(file).relative_to(folder)): {
            line: [each for each in names if each] for line, names in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    kept.write_text(json.dumps({"seconds": watch.seconds, "reached": reached}))
    return int(code)


class Names:
    """A plugin of pytest that keeps the names of the tests that there are."""

    def __init__(self, kept: Path) -> None:
        self.kept = kept

    def pytest_collection_finish(self, session: Any) -> None:
        self.kept.write_text(json.dumps([item.nodeid for item in session.items]))


def places_of_tests() -> list[str]:
    rooms = [f"{top}/{room}" for top in ("tests", "aurorax_pandas") for room in ROOMS]
    # what holds for every verb is tested above the rooms
    return [*rooms, *(f"tests/test_{name}.py" for name in ("accessors", "ordinary_operations", "wrong_types"))]


def tests_that_are_there(folder: Path) -> set[str]:
    """Return the names of all tests of the rooms: one that is gone would look like a failure."""
    kept = folder / "names.json"
    if run_tests(folder, ["--collect-only", *places_of_tests()], Names(kept)) != 0:
        sys.exit("the tests cannot be collected")
    return set(json.loads(kept.read_text()))


def tests_of(mutant: Mutant, known: dict[str, Any], also: list[str], *, all_of_them: bool) -> list[str]:
    """Return the tests that reach a mutant: those that are given for its room, of its own file, then the short ones."""
    lines = known["reached"].get(mutant.path, {})

    def reaching(first: int, last: int) -> set[str]:
        return {test for line in range(first, last + 1) for test in lines.get(str(line), ())}

    # a line that runs at import is reached by whoever calls the function
    tests = reaching(mutant.line, mutant.last_line) or reaching(mutant.body_line, mutant.body_line)
    own = f"test_{Path(mutant.path).stem}.py"
    seconds = known["seconds"]

    def nearness(test: str) -> tuple[bool, float, str]:
        return f"/{own}::" not in test, seconds.get(test, 0.0), test

    # a line may be reached by a fixture of the whole file, which is known of the first test alone
    beside = {test for test in seconds if f"/{own}::" in test} - tests
    order = [*sorted(tests, key=nearness), *sorted(beside, key=nearness)]
    room = mutant.path.split("/")[1]
    chosen = [test for test in also if test.split("/")[1] == room or test.count("/") == 1]
    if all_of_them:
        return [*chosen, *order]
    spent = 0.0
    for test in order[:MOST_TESTS]:
        spent += seconds.get(test, 0.0)
        if chosen and spent > MOST_SECONDS:
            break
        chosen.append(test)
    return chosen


def run_tests(folder: Path, tests: list[str], *plugins: Any) -> int | None:
    """Return the exit code of pytest for some tests, None where they take too long."""

    def work() -> int:
        import pytest

        with (
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            return int(pytest.main([*QUIET, *tests], plugins=list(plugins)))

    return in_child(folder, work, DEADLINE)


def run(mutant: Mutant, tests: list[str], folder: Path, number: int) -> str:
    """Return what became of a mutant: killed, survived, or untested where no test reaches it."""
    if not tests:
        return "untested"
    place = folder / mutant.path
    original, times = place.read_text(), place.stat()

    try:
        place.write_text(mutant.source)
        # a time of its own, or Python would take what it compiled of another mutant of this length
        os.utime(place, (number, number))
        code = run_tests(folder, tests)
    finally:
        place.write_text(original)
        os.utime(place, (times.st_atime, times.st_mtime))
    return "survived" if code == 0 else "killed"


def interval(hits: int, tries: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 % of a share."""
    z = 1.96
    share = hits / tries
    middle = (share + z * z / (2 * tries)) / (1 + z * z / tries)
    half = z * math.sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries)) / (1 + z * z / tries)
    return max(0.0, middle - half), min(1.0, middle + half)


def explained_mutants() -> set[tuple[str, str, str]]:
    return {(each["path"], each["before"], each["after"]) for each in json.loads(SAME.read_text())}


def report(results: list[dict[str, Any]], sizes: dict[str, int]) -> None:
    same = explained_mutants()
    print(
        f"{'room':<10} {'mutants':>8} {'tried':>6} {'killed':>7} {'change nothing':>15} {'unexplained':>12}  share, 95 %"
    )
    for room in ROOMS:
        mine = [each for each in results if each["path"].split("/")[1] == room]
        if not mine:
            continue
        counted = Counter(
            "killed" if r["fate"] == "killed" else "same" if (r["path"], r["before"], r["after"]) in same else "left"
            for r in mine
        )
        low, high = interval(counted["left"], len(mine))
        print(
            f"{room:<10} {sizes.get(room, 0):>8} {len(mine):>6} {counted['killed']:>7} {counted['same']:>15} "
            f"{counted['left']:>12}  {counted['left'] / len(mine):.1%} ({low:.1%} to {high:.1%})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], help="a module, as engine/refine; default: all rooms")
    parser.add_argument("--count", type=int, default=60, help="how many mutants of each room; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--map", type=Path, default=Path(tempfile.gettempdir()) / "aurorax_reached_lines.json")
    parser.add_argument("--learn", action="store_true", help="learn anew which tests reach which lines")
    parser.add_argument("--again", type=Path, help="results of a run whose survivors meet all tests now")
    parser.add_argument("--also", action="append", default=[], help="tests that each mutant meets first, as new ones")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "aurorax_mutants.json")
    given = parser.parse_args()

    rooms: dict[str, list[Callable[[], Mutant | None]]] = {}
    for room in ROOMS:
        paths = sorted(each.relative_to(ROOT).as_posix() for each in (ROOT / "aurorax_pandas" / room).glob("*.py"))
        if given.only:
            paths = [path for path in paths if f"{room}/{Path(path).stem}" in given.only]
        rooms[room] = [maker for path in paths for maker in mutants_of(path)]
    sizes = {room: len(makers) for room, makers in rooms.items()}
    print("mutants:", sizes, flush=True)
    results: list[dict[str, Any]] = []
    drawn: list[Mutant] = []
    if given.again:
        explained = explained_mutants()
        for told in json.loads(given.again.read_text()):
            if is_assertion(told["before"], told["after"]):
                continue
            if told["fate"] == "killed" or (told["path"], told["before"], told["after"]) in explained:
                results.append(told)
            elif mutant := mutant_again(told):
                drawn.append(mutant)
    else:
        for room, makers in rooms.items():
            drawn += drawn_from(makers, given.count, f"{given.seed} {room}")
    # a run that is stopped has tried some of each room
    random.Random(given.seed).shuffle(drawn)
    load_libraries()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        copy_of_checkout(folder)
        wanted = given.learn or not given.map.exists()
        if wanted and in_child(folder, lambda: learn(folder, places_of_tests(), given.map), 3600) != 0:
            sys.exit("the tests do not pass as they are")
        known = json.loads(given.map.read_text())
        there = tests_that_are_there(folder)
        if given.also and run_tests(folder, given.also) != 0:
            sys.exit("the tests given do not pass as they are")
        for number, mutant in enumerate(drawn, 1):
            begun = time.monotonic()
            reaching = tests_of(mutant, known, given.also, all_of_them=bool(given.again))
            tests = [test for test in reaching if test in there or test in given.also]
            fate = run(mutant, tests, folder, number)
            told = {
                name: value for name, value in asdict(mutant).items() if name in ("path", "line", "before", "after")
            }
            results.append(told | {"fate": fate, "tests": len(tests)})
            given.out.write_text(json.dumps(results, indent=1))
            print(
                f"{number}/{len(drawn)} {fate} {time.monotonic() - begun:.1f}s {mutant.path}:{mutant.line}", flush=True
            )
            if fate != "killed":
                print(f"    - {mutant.before}\n    + {mutant.after}", flush=True)
    report(results, sizes)


if __name__ == "__main__":
    main()
