"""The one way out: check, write beside the target, read back, compare, move into place; and the way back of one file."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aurorax_pandas.checks import check_frame, flag
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxError, AuroraxInputError
from aurorax_pandas.frame import model, ordering
from aurorax_pandas.frame.citation import ACKNOWLEDGEMENT, acknowledgement
from aurorax_pandas.frame.columns import columns_of_kind, in_model_dtypes
from aurorax_pandas.frame.events import refuse_foreign_cells
from aurorax_pandas.frame.validation import check_kind
from aurorax_pandas.io import layout, parquet_file
from aurorax_pandas.io.durable import beside, file_to_disk, folder_to_disk, one_file_error
from aurorax_pandas.io.places import Place, pack, place_of, readable, send, target_of
from aurorax_pandas.testing import assert_conjunctions_equal

_MODULES: Final = {"parquet": "parquet_file", "csv": "csv_file", "json": "json_file", "netcdf": "netcdf_file"}
_PANDAS: Final = {
    "parquet": "parquet(path)",
    "csv": "csv(path)",
    "json": "json(path)",
    "netcdf": "xarray().to_netcdf(path)",
}


def format_module(name: str) -> Any:
    """Return the module of a format."""
    return import_module(f"aurorax_pandas.io.{_MODULES[name]}")


def export(df: pd.DataFrame, path: Any, name: str, *, overwrite: bool) -> None:
    """Write a frame in one of the formats, so that it loads equal."""
    where = f"to_{name}"
    check_frame(df, where)
    flag("overwrite", overwrite)
    if model.MARKS.isdisjoint(df.columns):
        raise AuroraxInputError(
            f"{where} keeps conjunctions, events, pair summaries and passes; this frame has none of their columns. Flat "
            f"frames, such as those of revisits, daily_counts and image_windows, are kept by pandas itself: df.to_{_PANDAS[name]}"
        )
    refuse_foreign_cells(df, where)
    target = target_of(path, name, overwrite=overwrite)
    # what other tools changed, times with a zone say, is kept as verbs read it
    df = in_model_dtypes(df, columns_of_kind(df))[0]
    check_kind(df, model.kind_of(df))
    block = layout.describe(df, where)
    if name != "netcdf":
        # a Dataset has an attribute of its own for it
        block[ACKNOWLEDGEMENT] = acknowledgement(df)[0]
    module = format_module(name)
    layout.check_own_columns(df, block, where, module.round_trip, nested=name == "parquet")
    parts = layout.take_apart(df)
    layout.check_column_names(df, module.names_taken(parts), where)
    block["digest"] = layout.digest(block, parts)

    def write(temporary: Path) -> None:
        module.write(temporary, df, block, parts)

    def check(temporary: Path) -> None:
        # the comparison sees every value, so the digest has nothing to add
        assert_conjunctions_equal(df, load(temporary, name, check_digest=False, packed=target.packed))

    write_checked(target, write, check, overwrite=overwrite)


def export_api(df: pd.DataFrame, path: Any, *, overwrite: bool) -> None:
    """Write conjunctions exactly as the service answers."""
    from aurorax_pandas.frame.convert import as_conjunctions
    from aurorax_pandas.io import json_file

    check_frame(df, "to_json")
    target = target_of(path, "json", overwrite=overwrite)
    check_kind(df, "conjunctions")
    own = [name for name in df.columns if name not in model.CONJUNCTION_COLUMNS]
    if own:
        raise AuroraxInputError(f"to_json(api=True) has no place for column {own[0]!r} of your own; drop it")
    expected = ordering.in_order(df[list(model.CONJUNCTION_COLUMNS)])

    def check(temporary: Path) -> None:
        with readable(replace(target, path=temporary, url=None)) as plain:
            back = as_conjunctions(plain.read_bytes())
        assert_conjunctions_equal(expected, back, check_attrs=False)

    write_checked(target, lambda temporary: json_file.write_api(temporary, df), check, overwrite=overwrite)


def write_checked(
    target: Place, write: Callable[[Path], None], check: Callable[[Path], None], *, overwrite: bool
) -> None:
    """
    Write a file beside its target, check it and move it into place; nothing stays behind where that fails.

    Raises
    ------
    AuroraxInputError
        If the format cannot hold the frame.
    AuroraxDataError
        If the file does not give the frame back.
    AuroraxFileError
        If the file cannot be written.
    """
    if target.url is None:
        with one_file_error(target.given, "what was there before is as it was"):
            _write_checked(target, target.path, write, check, overwrite=overwrite)
        return
    with tempfile.TemporaryDirectory(prefix="aurorax-") as folder:
        made = Path(folder) / target.path.name
        with one_file_error(target.given, "what was there before is as it was"):
            _write_checked(target, made, write, check, overwrite=overwrite)
            send(made, target)


def _write_checked(
    target: Place, path: Path, write: Callable[[Path], None], check: Callable[[Path], None], *, overwrite: bool
) -> None:
    plain = beside(path)
    temporary = beside(path) if target.packed else plain
    try:
        with plain.open("xb"):
            pass
        try:
            write(plain)
            if target.packed:
                pack(plain, temporary, target.packed, target.path.name.removesuffix(target.packed))
        except (AuroraxError, OSError, MemoryError):
            raise
        except Exception as error:
            raise AuroraxInputError(f"the frame cannot be written as {path.name!r}: {error}") from error
        file_to_disk(temporary)
        try:
            check(temporary)
        except (AssertionError, AuroraxDataError) as error:
            raise AuroraxDataError(f"{target.given!r} did not give the frame back and was not kept: {error}") from None
        _move(temporary, path, overwrite=overwrite)
        folder_to_disk(path.parent)
    finally:
        plain.unlink(missing_ok=True)
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


def load(
    path: str | Path,
    name: str,
    *,
    check_digest: bool = True,
    columns: Sequence[str] | None = None,
    packed: str | None = None,
) -> pd.DataFrame:
    """
    Read a file back; of Parquet only some columns, where these are named.

    Its compression is the one that its name tells, or the one of the suffix `packed`.

    Raises
    ------
    AuroraxDataError
        If the file is damaged, of another schema version, or not one of ours.
    """
    df: pd.DataFrame
    with _plain(path, name, packed) as plain:
        if name == "parquet" and not parquet_file.is_ours(plain):
            return parquet_file.read_foreign(plain)
        if name == "parquet" and columns is not None:
            # the sum is of all columns; each page has one of its own
            return parquet_file.read(plain, columns)[1]
        block, df = format_module(name).read(plain)
        if check_digest and block.get("digest") is None:
            raise AuroraxDataError(
                "it was written by xarray itself, without a sum to check; use xarray.open_dataset(path).aurorax.to_dataframe()"
            )
        if check_digest and layout.digest(block, layout.take_apart(df)) != block.get("digest"):
            raise AuroraxDataError("its contents are not what was written; it is damaged or was changed since")
    return df


def is_outside(path: str | Path, start: pd.Timestamp | None, end: pd.Timestamp | None) -> bool:
    """Tell whether no row of a Parquet file shares any time with a span, as far as the file tells without its rows."""
    with _plain(path, "parquet") as plain:
        begins, ends = parquet_file.reach(plain)
    return bool((end is not None and begins is not None and begins > end)
                or (start is not None and ends is not None and ends < start))  # fmt: skip


def empty_like(path: str | Path, name: str) -> pd.DataFrame:
    """
    Return the frame of a file without its rows.

    Raises
    ------
    AuroraxDataError
        As `load`.
    """
    with _plain(path, name) as plain:
        if name == "parquet" and not parquet_file.is_ours(plain):
            return parquet_file.read_foreign(plain, rows=False)
        empty: pd.DataFrame = format_module(name).read_empty(plain)
    return empty


@contextmanager
def _plain(path: str | Path, name: str, packed: str | None = None) -> Iterator[Path]:
    """Give a file that can be read as it is for a while, and make one error of ours of what is wrong with it."""
    place = place_of(path)
    with _one_error(path, name), readable(place if packed is None else replace(place, packed=packed)) as plain:
        yield plain


@contextmanager
def _one_error(path: str | Path, name: str) -> Iterator[None]:
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
