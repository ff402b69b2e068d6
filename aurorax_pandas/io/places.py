"""Where a file is: a path, a path in a home, or a URL; which format and which compression its name tells."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from aurorax_pandas.checks import choice, reason_of, shown
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.io.limits import most_bytes

#: Formats by name: the suffixes that they go by.
SUFFIXES: Final = {
    "parquet": (".parquet", ".pq"),
    "csv": (".csv",),
    "json": (".json",),
    "netcdf": (".nc", ".nc4", ".netcdf"),
}
#: Suffixes of formats that nothing here writes.
_OTHERS: Final = (
    ".arrow", ".cdf", ".feather", ".h5", ".hdf5", ".ipc", ".ods", ".orc", ".pickle", ".pkl", ".xls", ".xlsx", ".zarr",
)  # fmt: skip
#: Suffixes of compressed files, the longest first, with the method by pandas' name and how an archive is opened.
_COMPRESSED: Final = {
    ".tar.gz": ("tar", "gz"), ".tar.bz2": ("tar", "bz2"), ".tar.xz": ("tar", "xz"), ".tar": ("tar", ""),
    ".gz": ("gzip", ""), ".bz2": ("bz2", ""), ".zip": ("zip", ""), ".xz": ("xz", ""), ".zst": ("zstd", ""),
}  # fmt: skip
#: Formats whose files may be compressed; the others are so inside.
_TEXT: Final = ("csv", "json")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PIECE: Final = 2**20


@dataclass(frozen=True)
class Place:
    """
    Where a file is, as a caller gave it.

    Parameters
    ----------
    given : str
        The caller's own words.
    path : pathlib.Path
        The path, or the name alone of what a URL points to.
    url : str, optional
        The URL, where it is one.
    suffix : str
        What the name ends with, in small letters, without that of a compression.
    packed : str
        The suffix of the compression, empty for none.
    """

    given: str
    path: Path
    url: str | None
    suffix: str
    packed: str

    @property
    def format(self) -> str | None:
        """The format that the suffix tells, None where it tells none."""
        return next((name for name, suffixes in SUFFIXES.items() if self.suffix in suffixes), None)


def place_of(path: Any) -> Place:
    """
    Read what a caller gave as a path.

    Raises
    ------
    AuroraxInputError
        If it is a file object, or no text that can be a path.
    """
    if hasattr(path, "read") or hasattr(path, "write"):
        raise AuroraxInputError(
            f"path is a file object ({type(path).__name__}); give the path of a file, or a URL: a file object cannot be read "
            "back and moved into place"
        )
    try:
        given = os.fspath(path)
    except TypeError:
        given = path
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise AuroraxInputError(f"path={shown(path)} is no path; give the name of a file as text, without NUL")
    url = given if _URL.match(given) else None
    if url is not None and urlsplit(url).scheme == "file":
        local, url = Path(unquote(urlsplit(url).path)), None
    elif url is not None:
        local = Path(url.partition("?")[0].rpartition("/")[2] or "file")
    else:
        try:
            local = Path(given).expanduser()
            # a name that is too long is told here
            local.exists()
        except (OSError, RuntimeError) as error:
            raise AuroraxInputError(f"path={shown(given)} is no path: {reason_of(error)}") from None
    name = local.name.lower()
    packed = next((end for end in _COMPRESSED if name.endswith(end)), "")
    return Place(given, local, url, Path(name.removesuffix(packed)).suffix, packed)


def format_of(place: Place, name: str | None) -> str:
    """
    Return the format by its name, or by the suffix of the file.

    Raises
    ------
    AuroraxInputError
        If the name is that of no format, or neither tells.
    """
    if name is not None:
        return choice("format", name, list(SUFFIXES))
    if place.format is None:
        raise AuroraxInputError(
            f"path={shown(place.given)} does not tell the format; give format= {' or '.join(map(repr, SUFFIXES))}"
        )
    return place.format


def target_of(path: Any, name: str, *, overwrite: bool) -> Place:
    """
    Return the place of a file that is to be written, with links followed, or raise where it may not be.

    Raises
    ------
    AuroraxInputError
        If the name is one of another format, there is a file that may not be replaced, or no folder for it.
    """
    place = place_of(path)
    # a page is no format of frames
    if name in SUFFIXES:
        _check_suffix(place, name)
    there = f"path={shown(place.given)} exists; give overwrite=True to replace it, or another name"
    if place.url is not None:
        with _remote(place) as (system, where):
            if not overwrite and system.exists(where):
                raise AuroraxInputError(there)
        return place
    try:
        target = Path(os.path.realpath(place.path))
        mode = target.stat().st_mode if target.exists() else None
        has_folder = target.parent.is_dir()
    except (OSError, ValueError) as error:
        raise AuroraxInputError(f"path={shown(place.given)} cannot be a file: {reason_of(error)}") from None
    if mode is not None and not overwrite:
        raise AuroraxInputError(there)
    if mode is not None and not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise AuroraxInputError(f"path={shown(place.given)} is {kind}; give the name of a file")
    if not has_folder:
        raise AuroraxInputError(
            f"path={shown(place.given)}: there is no folder {shown(str(target.parent))}; make it first"
        )
    return Place(place.given, target, None, place.suffix, place.packed)


def _check_suffix(place: Place, name: str) -> None:
    if place.packed and name not in _TEXT:
        raise AuroraxInputError(
            f"path={shown(place.given)}: {name} is compressed inside, so that {place.packed!r} would mislead; leave it out"
        )
    other = place.format
    if other is not None and other != name:
        raise AuroraxInputError(
            f"path={shown(place.given)} ends with {place.suffix!r}, but to_{name} writes {name}; use to_{other}, or end it with "
            f"{SUFFIXES[name][0]!r}"
        )
    if place.suffix in _OTHERS:
        raise AuroraxInputError(
            f"path={shown(place.given)} ends with {place.suffix!r}, which is another format; to_{name} writes {name}, end it with "
            f"{SUFFIXES[name][0]!r}"
        )


def pack(plain: Path, packed: Path, suffix: str, name: str) -> None:
    """Compress a file; an archive holds it by its name."""
    method, inner = _COMPRESSED[suffix]
    # the types of tarfile know whole words alone
    mode: Any = f"w:{inner}"
    if method == "zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(plain, name)
    elif method == "tar":
        with tarfile.open(packed, mode) as tar:
            tar.add(plain, name)
    else:
        with plain.open("rb") as source, _opener(suffix)(packed, "wb") as target:
            shutil.copyfileobj(source, target, _PIECE)


def _opener(suffix: str) -> Callable[[Path, str], Any]:
    """Return what opens a compressed file, by the suffix of that."""
    method = _COMPRESSED[suffix][0]
    known: dict[str, Callable[[Path, str], Any]] = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    if method in known:
        return known[method]
    module = next((one for one in ("zstandard", "compression.zstd") if _is_there(one)), None)
    if module is None:
        raise AuroraxInputError(
            f"{suffix!r} needs the package zstandard; install it, or give another suffix, such as '.gz'"
        )
    opened: Callable[[Path, str], Any] = import_module(module).open
    return opened


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@contextmanager
def readable(place: Place) -> Iterator[Path]:
    """Give a local file without compression for a while: the file itself, or a copy."""
    if place.url is None and not place.packed:
        yield place.path
        return
    with tempfile.TemporaryDirectory(prefix="aurorax-") as folder:
        local = place.path
        if place.url is not None:
            local = Path(folder) / "fetched"
            with _remote(place) as (system, where):
                system.get_file(where, str(local))
        if place.packed:
            plain = Path(folder) / "plain"
            _unpack(local, plain, place.packed)
            local = plain
        yield local


@contextmanager
def _opened_content(packed: Path, suffix: str) -> Iterator[Any]:
    """Open what a compressed file holds, or the one file in an archive, to be read piece by piece."""
    method = _COMPRESSED[suffix][0]
    if method == "zip":
        with zipfile.ZipFile(packed) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise AuroraxDataError(f"it is an archive of {len(names)} files; give one of a single file")
            with archive.open(names[0]) as file:
                yield file
    elif method == "tar":
        with tarfile.open(packed, "r:*") as archive:
            member = archive.next()
            held = None if member is None else archive.extractfile(member)
            if held is None:
                raise AuroraxDataError("it is an archive of no file; give one of a single file")
            yield held
            # to look for another earlier would unpack all of the first
            if archive.next() is not None:
                raise AuroraxDataError("it is an archive of several files; give one of a single file")
    else:
        with _opener(suffix)(packed, "rb") as file:
            yield file


def _unpack(packed: Path, plain: Path, suffix: str) -> None:
    most = most_bytes(packed)
    with _opened_content(packed, suffix) as source, plain.open("wb") as target:
        while piece := source.read(_PIECE):
            target.write(piece)
            most -= len(piece)
            if most < 0:
                raise AuroraxDataError(
                    f"it has {packed.stat().st_size} bytes and unpacks to more than {target.tell()}, which no table of "
                    "conjunctions does; unpack it by hand if you trust it"
                )


def send(local: Path, place: Place) -> None:
    """
    Send a file to a URL, and read it back.

    Raises
    ------
    AuroraxDataError
        If what comes back is not what was sent; it is removed again.
    """
    with _remote(place) as (system, where), tempfile.TemporaryDirectory(prefix="aurorax-") as folder:
        back = Path(folder) / "back"
        beside = f"{where}.{os.urandom(6).hex()}.part"
        try:
            system.put_file(str(local), beside)
            system.get_file(beside, str(back))
            if back.read_bytes() != local.read_bytes():
                raise AuroraxDataError(f"{shown(place.given)} did not give back what was sent, and was not kept")
            system.mv(beside, where)
        finally:
            if system.exists(beside):
                system.rm_file(beside)


def matches(place: Place) -> list[str]:
    """Return the URLs that a pattern means, in the order of their names."""
    with _remote(place) as (system, where):
        return [system.unstrip_protocol(one) for one in sorted(system.glob(where))]


@contextmanager
def _remote(place: Place) -> Iterator[tuple[Any, str]]:
    """Give the file system of a URL and the path there; what it raises becomes one error that names the URL."""
    if find_spec("fsspec") is None:
        raise AuroraxInputError(f"path={shown(place.given)} needs the package fsspec; install it, or give a local path")
    from fsspec.core import url_to_fs

    try:
        system, where = url_to_fs(place.url)
    except (ImportError, ValueError) as error:
        raise AuroraxInputError(f"path={shown(place.given)} cannot be opened: {reason_of(error)}") from None
    try:
        yield system, where
    except FileNotFoundError:
        raise AuroraxInputError(f"path={shown(place.given)} is no file; check the name") from None
