"""The one way out: check, write beside the target, read back, compare, move into place."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aurorax_pandas import layout
from aurorax_pandas.checks import choice
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxError, AuroraxInputError
from aurorax_pandas.frame import model, ordering
from aurorax_pandas.testing import assert_conjunctions_equal

#: Formats by name: the suffixes that they go by, and the module that reads and writes them.
FORMATS: Final = {
    "parquet": ((".parquet", ".pq"), "parquet_file"),
    "csv": ((".csv",), "csv_file"),
    "json": ((".json",), "json_file"),
    "netcdf": ((".nc", ".nc4", ".netcdf"), "netcdf_file"),
}


def format_module(name: str) -> Any:
    """Give the module of a format."""
    return import_module(f"aurorax_pandas.export.{FORMATS[name][1]}")


def format_of(path: Path, name: str | None) -> str:
    """Give the format by its name, or by the suffix of the file."""
    if name is None:
        found = [one for one, (suffixes, _) in FORMATS.items() if path.suffix.lower() in suffixes]
        if not found:
            raise AuroraxInputError(f"path={str(path)!r} does not tell the format; give format={tuple(FORMATS)}")
        return found[0]
    return choice("format", name, list(FORMATS))


def export(df: pd.DataFrame, path: str | os.PathLike[str], name: str, *, overwrite: bool) -> None:
    """Write a frame in one of the formats, so that it loads equal."""
    from aurorax_pandas.frame.schema import validate

    target = check_target(path, overwrite=overwrite)
    validate(df)
    where = f"to_{name}"
    block = layout.describe(df, where)
    module = format_module(name)
    layout.check_own_columns(df, block, where, module.round_trip, nested=name == "parquet")
    parts = layout.take_apart(df)
    layout.check_names(df, module.names_taken(parts), where)
    block["digest"] = layout.digest(block, parts)

    def write(temporary: Path) -> None:
        module.write(temporary, df, block, parts)

    def check(temporary: Path) -> None:
        # the comparison sees every value, so the digest has nothing to add
        assert_conjunctions_equal(df, load(temporary, name, check_digest=False))

    write_checked(target, write, check, overwrite=overwrite)


def export_api(df: pd.DataFrame, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write conjunctions exactly as the service answers."""
    from aurorax_pandas.export import json_file
    from aurorax_pandas.frame.records import conjunctions_from_records
    from aurorax_pandas.frame.schema import ConjunctionSchema, validate

    target = check_target(path, overwrite=overwrite)
    validate(df, ConjunctionSchema)
    own = [name for name in df.columns if name not in model.CONJUNCTION_COLUMNS]
    if own:
        raise AuroraxInputError(f"to_json(api=True) has no place for column {own[0]!r} of your own; drop it")
    expected = ordering.in_order(df[list(model.CONJUNCTION_COLUMNS)])

    def check(temporary: Path) -> None:
        back = conjunctions_from_records(temporary.read_bytes())
        assert_conjunctions_equal(expected, back, check_attrs=False)

    write_checked(target, lambda temporary: json_file.write_api(temporary, df), check, overwrite=overwrite)


def check_target(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Check that a file may be written there, and give its place with links followed."""
    target = Path(os.path.realpath(path))
    if target.exists() and not overwrite:
        raise AuroraxInputError(f"path={os.fspath(path)!r} exists; give overwrite=True to replace it, or another name")
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "no regular file"
        raise AuroraxInputError(f"path={os.fspath(path)!r} is {kind}; give the name of a file")
    if not target.parent.is_dir():
        raise AuroraxInputError(f"path={os.fspath(path)!r}: there is no folder {str(target.parent)!r}; make it first")
    return target


def write_checked(
    target: Path, write: Callable[[Path], None], check: Callable[[Path], None], *, overwrite: bool
) -> None:
    """
    Write a file beside its target, check it and move it into place; nothing stays behind where that fails.

    Raises
    ------
    AuroraxInputError
        If the format cannot hold the frame.
    AuroraxDataError
        If the file does not give the frame back.
    OSError
        If the file cannot be written.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb"):
            pass
        try:
            write(temporary)
        except (AuroraxError, OSError, MemoryError):
            raise
        except Exception as error:
            raise AuroraxInputError(f"the frame cannot be written as {target.name!r}: {error}") from error
        _to_disk(temporary)
        try:
            check(temporary)
        except (AssertionError, AuroraxDataError) as error:
            raise AuroraxDataError(f"{target.name!r} did not give the frame back and was not kept: {error}") from None
        _move(temporary, target, overwrite=overwrite)
    finally:
        temporary.unlink(missing_ok=True)


def _move(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if target.exists():
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    if not overwrite:
        try:
            # unlike a move, a link never replaces what has come there since
            target.hardlink_to(temporary)
        except FileExistsError:
            raise AuroraxInputError(
                f"path={str(target)!r} has come to exist; give overwrite=True to replace it, or another name"
            ) from None
        except OSError:
            temporary.replace(target)
        return
    temporary.replace(target)


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def load(path: Path, name: str, *, check_digest: bool = True) -> pd.DataFrame:
    """
    Read a file back.

    Raises
    ------
    AuroraxDataError
        If the file is damaged, of another schema version, or not one of ours.
    """
    df: pd.DataFrame
    with _one_error(path, name):
        block, df = format_module(name).read(path)
        if check_digest and block.get("digest") is None:
            raise AuroraxDataError(
                "it was written by xarray itself, without a sum to check; use xarray.open_dataset(path).aurorax.to_dataframe()"
            )
        if check_digest and layout.digest(block, layout.take_apart(df)) != block.get("digest"):
            raise AuroraxDataError("its contents are not what was written; it is damaged or was changed since")
    return df


def empty_like(path: Path, name: str) -> pd.DataFrame:
    """
    Give the frame of a file without its rows.

    Raises
    ------
    AuroraxDataError
        As `load`.
    """
    with _one_error(path, name):
        empty: pd.DataFrame = format_module(name).read_empty(path)
    return empty


@contextmanager
def _one_error(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except AuroraxDataError as error:
        raise AuroraxDataError(f"{str(path)!r} cannot be loaded as {name}: {error}") from None
    except AuroraxInputError:
        raise
    except Exception as error:
        # every reader below has errors of its own for a damaged file
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise AuroraxDataError(f"{str(path)!r} cannot be loaded as {name}: {reason}") from error
