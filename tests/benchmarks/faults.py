"""
How a search ends where a server fails: once, and for ever.

Run ``python tests/benchmarks/faults.py``: it writes ``docs/tables/faults.txt``, a part of the page on trust. Each fault is put
in the place of one answer of the sandbox, then of every answer of that step. The clock is that of the search, so no wait is real.
"""

import logging
from pathlib import Path

import aurorax_pandas as ap
from aurorax_pandas import sandbox

TABLE = Path(__file__).parents[2] / "docs" / "tables" / "faults.txt"
STEPS = ("submit", "status", "data")
FAULTS = {
    401: "401, not authenticated",
    403: "403, not permitted",
    404: "404, not found",
    429: "429, too many requests",
    500: "500, server error",
    502: "502, bad gateway",
    503: "503, unavailable",
    504: "504, gateway timeout",
    "drop": "connection dropped",
    "half": "body cut short",
    "garbage": "body is no JSON",
    "html": "a page of HTML, with 200",
    "damaged_gzip": "compression damaged",
    "charset": "a charset in the content type",
    "unknown_state": "a state nobody knows",
    "redirect:https://example.org": "sent on to another host",
}
ITSELF = {"fail": "the search fails on the service", "stall": "the search never ends"}
SEARCH = {
    "start": "2020-01-01", "end": "2020-01-01T06:59:59", "distance": 500,
    "ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"},
}  # fmt: skip
HEAD = ["in the place of an answer", "once, submitting", "once, later", "always, submitting", "always, later"]


def end_of(faults: dict[str, list[object]]) -> str:
    """Run a search against these faults, and tell how it ended."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with (
        sandbox.serve(faults=faults) as url,
        ap.ConjunctionSearch(api_url=url, clock=lambda: now[0], sleep=sleep, check_names=False, **SEARCH) as search,
    ):
        try:
            df = search.run(timeout=1800)
        except ap.AuroraxError as error:
            return type(error).__name__.removeprefix("Aurorax").removesuffix("Error")
    ap.testing.assert_conjunctions_equal(df, ap.load_sample_conjunctions(), check_attrs=False)
    return "the frame"


def at_both(status: str, data: str) -> str:
    """Give one word for the ends of a search whose status or data failed."""
    return status if status == data else f"{status}; at the data {data}"


def row_of(fault: object) -> list[str]:
    """Give how a search ends with this fault: once and always, at the submission and after it."""
    if fault in ITSELF:
        return [ITSELF[fault], "", "", "", end_of({"search": [fault] * 9})]
    found = []
    for times in (1, 500):
        submit, status, data = (end_of({step: [fault] * times}) for step in STEPS)
        found += [submit, at_both(status, data)]
    return [FAULTS[fault], *found]


def table(found: list[list[str]]) -> str:
    """Write the rows as a table of reStructuredText."""
    text = ".. made by tests/benchmarks/faults.py\n\n.. list-table::\n   :header-rows: 1\n\n"
    for row in [HEAD, *found]:
        text += "".join(f"   {'*' if not number else ' '} - {cell}".rstrip() + "\n" for number, cell in enumerate(row))
    return text


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    text = table([row_of(fault) for fault in [*FAULTS, *ITSELF]])
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")
    print(text)
