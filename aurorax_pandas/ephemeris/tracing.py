"""Field lines traced to the altitude of footprints, or to wherever a caller says."""

from __future__ import annotations

import concurrent.futures.process
import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from aurorax_pandas import geometry
from aurorax_pandas.ephemeris.field import FIELD_RADIUS, UNCERTAINTY_LEVELS, Field
from aurorax_pandas.exceptions import AuroraxStateError
from aurorax_pandas.geometry import EQUATORIAL_RADIUS, FOOTPRINT_ALTITUDE, POLAR_RADIUS
from aurorax_pandas.times import Times

#: Along the field for the northern trace, against it for the southern.
_SIGNS: Final = {"nbtrace": 1.0, "sbtrace": -1.0}
# distance beyond which a line counts as open [Earth radii]
_OUTERMOST: Final = 40.0
_TOLERANCE: Final = 1e-6
_MAX_STEPS: Final = 600
# a field that has no direction [nT]
_FAINTEST: Final = 1e-300
# epochs of one block: many enough for NumPy, few enough for memory
_BLOCK: Final = 4_096

_Array = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]

#: What tells how far points of lines are from where lines end: above 0 before, 0 there, below 0 beyond.
Remaining = Callable[[_Array, _Ints], _Array]


class _Block(NamedTuple):
    """Points of one satellite or several, each with its epoch, to be traced in one go."""

    points: _Array
    epochs: Times
    levels: npt.NDArray[np.int64] | None
    uncertainty: bool


def trace_footprints(
    positions: _Array,
    epochs: Times,
    levels: npt.NDArray[np.int64] | None,
    *,
    uncertainty: bool = False,
    max_workers: int = 1,
    progress: bool = False,
) -> dict[str, _Array]:
    """
    Trace the footprints of satellites.

    Parameters
    ----------
    positions : ndarray, shape (satellite, epoch, 3)
        Earth-fixed [km].
    epochs : ndarray of datetime64, shape (epoch,)
        UTC.
    levels : ndarray of int, shape (epoch,), or None
        Levels of Tsyganenko 89; None for the main field alone.
    uncertainty : bool, default False
        Whether to add the distance between the footprints at the levels 2 and 4.
    max_workers : int, default 1
        Processes that share the work; 1 works in this one.
    progress : bool, default False
        Whether to show a bar.

    Returns
    -------
    dict
        Arrays of shape (satellite, epoch): ``nbtrace_lat``, ``nbtrace_lon``, ``sbtrace_lat``, ``sbtrace_lon``
        [geocentric degrees], NaN where a line does not return, and ``nbtrace_uncertainty``, ``sbtrace_uncertainty``
        [km] where asked for.
    """
    shape = positions.shape[:2]
    points = positions.reshape(-1, 3).T / FIELD_RADIUS
    at = np.tile(np.arange(shape[1]), shape[0])
    blocks = []
    # without any epoch there is one block of none
    for begin in range(0, max(len(at), 1), _BLOCK):
        mine = slice(begin, begin + _BLOCK)
        blocks.append(
            _Block(points[:, mine], epochs[at[mine]], None if levels is None else levels[at[mine]], uncertainty)
        )
    traced = list(_trace_blocks(blocks, min(max_workers, len(blocks)), progress))
    return {name: np.concatenate([part[name] for part in traced]).reshape(shape) for name in traced[0]}


def _trace_blocks(blocks: list[_Block], max_workers: int, progress: bool) -> Iterator[dict[str, _Array]]:
    """Trace blocks here or in processes, and give what they have in their order."""
    from tqdm.auto import tqdm

    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(
            tqdm(total=sum(len(block.epochs) for block in blocks), disable=not progress, unit="epoch")
        )
        traced: Iterator[dict[str, _Array]] = map(_trace_block, blocks)
        if max_workers > 1:
            # a process that is forked from one with threads may hang
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(concurrent.futures.ProcessPoolExecutor(max_workers, context))
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            traced = pool.map(_trace_block, blocks)
        for block in blocks:
            try:
                yield next(traced)
            except concurrent.futures.process.BrokenProcessPool as error:
                raise AuroraxStateError(
                    f"max_workers={max_workers}: the processes cannot start or were killed ({error}); a script has to make "
                    "the call under if __name__ == '__main__':, and max_workers=1 needs no processes"
                ) from None
            bar.update(len(block.epochs))


def _trace_block(block: _Block) -> dict[str, _Array]:
    """Return the variables of a block, shape (point,)."""
    ends = {0: _trace_both_ways(block, block.levels)}
    for level in UNCERTAINTY_LEVELS if block.uncertainty else ():
        same = block.levels is not None and (block.levels == level).all()
        ends[level] = ends[0] if same else _trace_both_ways(block, np.full(len(block.epochs), level))
    made: dict[str, _Array] = {}
    for number, prefix in enumerate(_SIGNS):
        places = {level: geometry.degrees(both[number]) for level, both in ends.items()}
        made |= {f"{prefix}_{part}": values for part, values in zip(("lat", "lon"), places[0], strict=True)}
        if block.uncertainty:
            one, other = (places[level] for level in UNCERTAINTY_LEVELS)
            apart = geometry.great_circle_distance(*one, *other)
            # there is a footprint, but none to compare it with
            apart = np.where(np.isnan(apart), np.inf, apart)
            made[f"{prefix}_uncertainty"] = np.where(np.isnan(places[0][0]), np.nan, apart)
    return made


def _trace_both_ways(block: _Block, levels: npt.NDArray[np.int64] | None) -> tuple[_Array, _Array]:
    field = Field(np.tile(block.epochs, 2), None if levels is None else np.tile(levels, 2))
    signs = np.repeat(list(_SIGNS.values()), len(block.epochs))
    ends = trace(np.tile(block.points, 2), signs, field)
    return ends[:, : len(block.epochs)], ends[:, len(block.epochs) :]


def height_above_footprints(points: _Array, lines: _Ints) -> _Array:  # noqa: ARG001 - is the same for all lines
    """
    Return how far points [Earth radii] are above the height of footprints [km].

    Measured along the radius; within 1 m of the altitude above the ellipsoid up to 150 km.
    """
    x, y, z = points * FIELD_RADIUS
    distance = np.sqrt(x * x + y * y + z * z)
    on_ellipsoid = (x * x + y * y) / EQUATORIAL_RADIUS**2 + z * z / POLAR_RADIUS**2
    altitude: _Array = distance - distance / np.sqrt(on_ellipsoid)
    return altitude - FOOTPRINT_ALTITUDE


_NODES: Final = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERRORS: Final = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def trace(
    points: _Array,
    sign: float | _Array,
    field: Field,
    remaining: Remaining = height_above_footprints,
    outermost: float | None = _OUTERMOST,
) -> _Array:
    """
    Follow field lines along (sign 1) or against (−1) the field to where they end.

    A Runge-Kutta pair of the orders 5 and 4, with a step of its own for each line: J. R. Dormand, P. J. Prince, Journal
    of Computational and Applied Mathematics 6, 19 (1980).

    Parameters
    ----------
    points : ndarray, shape (3, line)
        Where they start, Earth-fixed [Earth radii], one per line of the field.
    sign : float or ndarray, shape (line,)
        Of all lines or of each.
    field : Field
        The field at the epochs of the lines.
    remaining : callable, default `height_above_footprints`
        Tells of points and the numbers of their lines how far they are from the end: above 0 before it, 0 there.
    outermost : float or None, default 40.0
        Distance [Earth radii] beyond which a line is open; None for no limit.

    Returns
    -------
    ndarray, shape (3, line)
        Where they end [Earth radii]; NaN where they do not, or start beyond the end.
    """
    limit = np.inf if outermost is None else outermost
    ends = np.full(points.shape, np.nan)
    at = np.flatnonzero(remaining(points, np.arange(points.shape[1])) > 0)
    signs = np.broadcast_to(np.asarray(sign, np.float64), points.shape[1:])

    def direction(there: _Array) -> _Array:
        vectors = field.at(there, at)
        along: _Array = vectors * (signs[at] / np.maximum(np.linalg.norm(vectors, axis=0), _FAINTEST))
        return along

    crossed: list[tuple[Any, ...]] = []
    # where nothing limits a line, its numbers may grow beyond all bounds before it is given up
    with np.errstate(over="ignore", invalid="ignore"):
        here = points[:, at]
        slope = direction(here)
        step = np.full(len(at), 0.02)
        for _ in range(_MAX_STEPS):
            if not len(at):
                break
            slopes = [slope]
            there = here
            for node in _NODES:
                there = here + step * sum(weight * one for weight, one in zip(node, slopes, strict=True) if weight)
                slopes.append(direction(there))
            distance = np.linalg.norm(here, axis=0)
            wrong = sum(weight * one for weight, one in zip(_ERRORS, slopes, strict=True) if weight)
            ratio = np.linalg.norm(step * wrong, axis=0) / (_TOLERANCE * distance)
            good = ratio <= 1.0
            below = good & (remaining(there, at) <= 0)
            if below.any():
                crossed.append((at[below], step[below], *(one[:, below] for one in (here, there, slope, slopes[-1]))))
            factor = (0.9 * np.maximum(ratio, 1e-10) ** -0.2).clip(0.2, 4.0)
            here = np.where(good, there, here)
            slope = np.where(good, slopes[-1], slope)
            distance = np.linalg.norm(here, axis=0)
            # a step never jumps over the top or the foot of a low line
            step = np.minimum(step * factor, 0.06 * distance**2)
            stay = ~below & (distance < limit) & np.isfinite(step)
            at, here, slope, step = at[stay], here[:, stay], slope[:, stay], step[stay]
    if crossed:
        lines, *parts = (np.concatenate(one, axis=-1) for one in zip(*crossed, strict=True))
        ends[:, lines] = _crossing(remaining, lines, *parts)
    return ends


def _crossing(
    remaining: Remaining, lines: _Ints, step: _Array, first: _Array, last: _Array, leaving: _Array, arriving: _Array
) -> _Array:
    """Return where steps cross the end of their lines: bisection of the cubic through the step's ends and slopes."""
    low, high = np.zeros(len(step)), np.ones(len(step))

    def place(part: _Array) -> _Array:
        rest = 1.0 - part
        return (
            rest * rest * (1.0 + 2.0 * part) * first
            + part * part * (3.0 - 2.0 * part) * last
            + step * part * rest * (rest * leaving - part * arriving)
        )

    for _ in range(30):
        middle = (low + high) / 2
        before = remaining(place(middle), lines) > 0
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return place(high)
