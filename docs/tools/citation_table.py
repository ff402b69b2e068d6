"""
Write the table of the page on citing, ``docs/citations.inc``, from what the package brings.

Run it when ``aurorax_pandas/data/citations.csv`` has changed::

    python docs/tools/citation_table.py
"""

from __future__ import annotations

import re
from pathlib import Path

from aurorax_pandas.frame.citation import ASK, known_rows

TARGET = Path(__file__).resolve().parents[1] / "citations.inc"


def rendered() -> str:
    """Return the table as reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 15 30 35 20", ""]
    cells = [["name", "provider", "acknowledge", "links"]]
    for row in known_rows():
        told = [("page", row["url"]), (f"doi:{row['doi']}", row["doi"] and f"https://doi.org/{row['doi']}")]
        links = [*told, ("source", row["source"])]
        named = ", ".join(f"`{words} <{url}>`__" for words, url in links if url)
        # an initial is no number of a list
        words = [re.sub(r"^(?=[A-Z]\. )", r"\\", row[name]) for name in ("name", "provider", "acknowledge")]
        cells.append([*words[:2], words[2] or ASK, named])
    for row in cells:
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}".rstrip() for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
