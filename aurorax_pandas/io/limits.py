"""How much a file may unpack to: bounds that no table of conjunctions reaches, so that a trap is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FREE: Final = 2**27
_RATIO: Final = 200


def most_bytes(path: Path) -> int:
    """Return how many bytes a file may become when it is unpacked: 200 times its own, and 128 MB in any case."""
    return _FREE + _RATIO * path.stat().st_size
