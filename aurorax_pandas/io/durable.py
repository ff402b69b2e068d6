"""Files that a crash leaves whole: written beside their place, on the disk before they are moved there."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from aurorax_pandas.exceptions import AuroraxError, AuroraxFileError

logger = logging.getLogger("aurorax_pandas")

_PART: Final = ".part"
_MEGABYTE: Final = 2**20
#: What the system says where there is no room: none on the disk, none for this user, none for a file so long.
_FULL: Final = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


def beside(target: Path) -> Path:
    """Return the name of a file that is to become another; `remove_leftovers` knows it again."""
    return target.with_name(f".{target.name}.{secrets.token_hex(6)}{_PART}")


def file_to_disk(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def folder_to_disk(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    # Windows opens no folders, and some file systems know no such thing
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    temporary = beside(path)
    try:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
        file_to_disk(temporary)
        clear_place(path)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder_to_disk(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds; nothing where it is not there, or no object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def clear_place(path: Path) -> None:
    """Move a folder out of the way that stands where a file belongs."""
    if path.is_dir() and not path.is_symlink():
        aside = path.with_name(f"{path.name}.aside-{secrets.token_hex(3)}")
        path.replace(aside)
        logger.warning("%s is a folder where a file belongs; it is now %s", path, aside)


def remove_leftovers(folder: Path) -> None:
    """Remove what a crash left of files that were being written in a folder."""
    for path in folder.glob(f".*{_PART}"):
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def one_file_error(path: Path | str, then: str) -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into an error that names it, and the room there."""
    try:
        yield
    except AuroraxFileError as error:
        # it names the file already
        raise AuroraxFileError(f"{error}; {then}", errno=error.errno, retryable=True) from error
    except AuroraxError:
        # a deadline that has passed is an error of the system's kind too
        raise
    except OSError as error:
        said = error.strerror or str(error) or type(error).__name__
        room = _room(Path(path)) if error.errno in _FULL else ""
        raise AuroraxFileError(
            f"{str(path)!r} cannot be written: {said}{room}; {then}", errno=error.errno, retryable=True
        ) from error


def _room(path: Path) -> str:
    there = next((one for one in (path, *path.parents) if one.is_dir()), None)
    try:
        return "" if there is None else f" ({shutil.disk_usage(there).free // _MEGABYTE} MB are free there)"
    except OSError:
        return ""
