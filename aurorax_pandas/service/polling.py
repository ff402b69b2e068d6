"""How a search is waited for: the pauses between questions, and a bar that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aurorax_pandas.service.progress import progress_bar

FIRST_PAUSE: Final = 0.1
MAX_POLL_INTERVAL: Final = 15.0
_SHOWN_LETTERS: Final = 100


def pauses(poll_interval: float) -> Iterator[float]:
    """Return the pauses between questions for a status [s], without end."""
    # many searches take a fraction of a second, some take many minutes
    pause = min(FIRST_PAUSE, poll_interval)
    while True:
        yield pause
        pause = min(pause * 2, poll_interval) if pause < poll_interval else pause * 1.5
        pause = min(pause, max(MAX_POLL_INTERVAL, poll_interval))


@contextmanager
def telling_bar(description: str, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """Show a bar with the time that passes, for the time of a ``with`` block, and return what changes its text."""
    if not shown:
        yield lambda _: None
        return
    with progress_bar(total=None, bar_format="{desc} [{elapsed}]", desc=description) as bar:
        yield lambda text: bar.set_description_str(text[:_SHOWN_LETTERS])
