"""One process at a time in a folder: a lock that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from aurorax_pandas.exceptions import AuroraxTimeoutError
from aurorax_pandas.service.deadline import Deadline

logger = logging.getLogger("aurorax_pandas")

#: How long to wait before the lock is tried again [s].
_PAUSE: Final = 0.2
_SOMEBODY: Final = "of another program"


class Lock:
    """
    The lock of a folder, which the system lets go where the process that holds it dies.

    Parameters
    ----------
    path : pathlib.Path
        The file that is locked; it stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self, deadline: Deadline, sleep: Callable[[float], None]) -> None:
        """
        Take the lock; wait for another process that has it.

        Raises
        ------
        AuroraxTimeoutError
            If that does not end before the deadline.
        OSError
            If the file cannot be opened.
        """
        file = self._path.open("a+", encoding="utf-8")
        try:
            told = False
            while not _try_to_lock(file):
                if not told:
                    logger.warning(
                        "%s: process %s works in this folder; waiting for it", self._path.parent, _holder(file)
                    )
                    told = True
                if deadline.remaining() <= 0:
                    raise AuroraxTimeoutError(
                        f"{str(self._path.parent)!r}: process {_holder(file)} works in this folder and did not end within "
                        f"timeout={deadline.timeout} s; the same call goes on after it",
                        retryable=True,
                    )
                sleep(max(min(_PAUSE, deadline.remaining()), 0))
        except BaseException:
            file.close()
            raise
        # for whoever waits: who has it
        with contextlib.suppress(OSError):
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        self._file = file

    def release(self) -> None:
        """Let the lock go, where it is held."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def _holder(file: IO[str]) -> str:
    # on Windows nobody else reads what is locked
    with contextlib.suppress(OSError):
        file.seek(0)
        return file.read(20).strip() or _SOMEBODY
    return _SOMEBODY


def _try_to_lock(file: IO[str]) -> bool:
    """Tell whether the lock could be taken; on a file system that has no locks it always can."""
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
