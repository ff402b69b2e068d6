"""Time along x, in UTC, with as many ticks as there is room for when it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib import dates
from matplotlib.ticker import NullFormatter

from aurorax_pandas.plotting.contract import draw_nothing, figure_of, letter_size, name_axes, panel_points
from aurorax_pandas.plotting.words import text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86400.0
#: Steps between ticks [s] up to a day; beyond it days of the month, months and years are told.
_SECONDS: Final = (
    *(step * 10.0**power for power in range(-6, 0) for step in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(step * _MINUTE for step in (1, 2, 5, 10, 15, 30)),
    *(step * _HOUR for step in (1, 2, 3, 6, 12)),
    _DAY,
)  # fmt: skip
_DAYS: Final = ((2, tuple(range(1, 31, 2))), (4, tuple(range(1, 29, 4))), (7, (1, 8, 15, 22)), (14, (1, 15)))
_MONTHS: Final = (1, 2, 3, 4, 6)
_MONTH: Final = 30.44
_YEAR: Final = 365.25
#: Room for the words of a time of day and of a date, and what is between two [letters high].
_TIME: Final = 3.9
_DATE: Final = 3.3
#: Width of the widest mark at an instant [points].
_MARK_POINTS: Final = 3.6
#: Words of the longest date that stands at the end of the axis.
_LONGEST: Final = "2020-Jan-01 00:00"


def date_numbers(times: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return times as matplotlib counts them."""
    return np.asarray(dates.date2num(times), np.float64)  # type: ignore[no-untyped-call]


class TimeTicks(dates.DateLocator):
    """
    Ticks at round times, no more than there is room for.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes whose x axis it is.
    size : float
        Size of the letters [points].
    both_ends : bool, default False
        Whether the axis begins and ends at a tick, so that half of each of these two words lies beyond it.
    """

    def __init__(self, axes: Axes, size: float, both_ends: bool = False) -> None:
        super().__init__(tz="UTC")  # type: ignore[no-untyped-call]
        self._axes, self._size, self._both_ends = axes, size, both_ends

    def __call__(self) -> Sequence[float]:
        """Return the ticks in sight."""
        low, high = sorted(self._axes.get_xlim())
        return self.tick_values(low, high)

    def tick_values(self, vmin: Any, vmax: Any) -> Sequence[float]:
        """Return the ticks between two instants, as matplotlib counts days."""
        points = self._axes.get_window_extent().width / figure_of(self._axes).dpi * 72
        first, last = float(vmin), float(vmax)
        # days, months and years have shorter words than times of day
        most, dates_ = (
            int(np.clip(points // (letters * self._size) + self._both_ends, 1, 9)) for letters in (_TIME, _DATE)
        )
        ticks = _round_times(first, last, most, dates_)
        # an axis without a tick says nothing
        found: list[float] = ticks.tolist() if len(ticks) else [(first + last) / 2]
        return found


class _Dates(dates.ConciseDateFormatter):
    """Words of ticks; one that stands alone has no neighbours to tell its date, and says it itself."""

    _alone: str | None = None

    def format_ticks(self, values: Any) -> list[str]:
        """Return the words of ticks, as matplotlib counts days."""
        self._alone = None
        if not len(values):
            # matplotlib stumbles where an axis has no ticks
            return []
        words: list[str] = super().format_ticks(values)  # type: ignore[no-untyped-call]
        if len(values) == 1:
            when = dates.num2date(values[0], tz="UTC")  # type: ignore[no-untyped-call]
            is_day = values[0] == np.round(values[0])
            words = [f"{when:%Y-%m-%d}" if is_day else f"{when:%H:%M}"]
            self._alone = "" if is_day else f"{when:%Y-%b-%d}"
        return words

    def get_offset(self) -> str:
        """Return what stands at the end of the axis."""
        return str(super().get_offset()) if self._alone is None else self._alone  # type: ignore[no-untyped-call]


def _round_times(first: float, last: float, times: int, dates_: int) -> npt.NDArray[np.float64]:
    """Return round instants between two [days], no more than asked for of times of day and of dates."""
    length = (last - first) * _DAY
    for step in _SECONDS:
        most = dates_ if step == _DAY else times
        if length / step < most + 1:
            numbers = np.arange(np.ceil(first * _DAY / step - 1e-9), np.floor(last * _DAY / step + 1e-9) + 1)
            if len(numbers) <= most:
                return np.asarray(numbers * step / _DAY, np.float64)
    days, most = last - first, dates_
    for step, chosen in _DAYS:
        if days / step < most + 1:
            found = [day for month in _months(first, last, 1) for day in _days_of(month, chosen)]
            inside = _dates_inside(found, first, last)
            if len(inside) <= most:
                return inside
    for step in _MONTHS:
        if days / _MONTH / step < most + 1:
            inside = _dates_inside(_months(first, last, step), first, last)
            if len(inside) <= most:
                return inside
    for step in (number * 10**power for power in range(5) for number in (1, 2, 5)):
        if days / _YEAR / step < most + 1:
            begin, end = _year(first), _year(last)
            years = np.arange(-(-begin // step) * step, end + 1, step)
            inside = _dates_inside(
                [np.datetime64(f"{year:04d}", "D") for year in years if 0 < year < 10000], first, last
            )
            if len(inside) <= most:
                return inside
    return np.array([])


def _year(number: float) -> int:
    return int(np.datetime64(int(np.floor(number)), "D").astype("M8[Y]").astype(int)) + 1970


def _months(first: float, last: float, step: int) -> list[Any]:
    begin = np.datetime64(int(np.floor(first)), "D").astype("M8[M]").astype(int)
    end = np.datetime64(int(np.ceil(last)), "D").astype("M8[M]").astype(int)
    return [np.datetime64(int(month), "M").astype("M8[D]") for month in range(begin, end + 1) if month % step == 0]


def _days_of(month: Any, chosen: tuple[int, ...]) -> list[Any]:
    return [month + np.timedelta64(day - 1, "D") for day in chosen]


def _dates_inside(found: list[Any], first: float, last: float) -> npt.NDArray[np.float64]:
    numbers = date_numbers(np.array(found, "M8[D]")) if found else np.array([])
    return numbers[(numbers >= first) & (numbers <= last)]


def name_times(axes: Axes, both_ends: bool = False) -> None:
    """Name times along the x axis, which may begin and end at one."""
    size = letter_size(axes, "xtick.labelsize")
    axes.xaxis_date()
    locator = TimeTicks(axes, size, both_ends)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_Dates(locator, tz="UTC"))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_fontsize(size)


def draw_no_times(axes: Axes) -> None:
    """Say that there is nothing to draw, on a time axis without ticks."""
    axes.set_xticks([])
    # the short words of dates, which may be chosen for all figures, stumble where there are no ticks
    axes.xaxis.set_major_formatter(NullFormatter())
    draw_nothing(axes)


def draw_time(
    axes: Axes, start: npt.NDArray[Any], stop: npt.NDArray[Any], taken: float = 0.0, words: str = "Time [UTC]"
) -> None:
    """
    Label the x axis as time, and let it hold all spans, beside what it held before.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The Axes.
    start, stop : ndarray of datetime64
        The spans (UTC).
    taken : float, default 0.0
        How much of the width of the picture [points] the labels beside the Axes have.
    words : str
        What lies along x.
    """
    name_axes(axes, x=words)
    known = ~(np.isnat(start) | np.isnat(stop))
    if not known.any():
        if not np.isfinite(axes.dataLim.intervalx).all():
            draw_no_times(axes)
        return
    held = tuple(axes.dataLim.intervalx)
    name_times(axes)
    make_room_for_date(axes, taken)
    begin, end = start[known].min(), stop[known].max()
    # a bar or a mark at either end is seen whole, in a narrow picture too
    beside = max(0.02, _MARK_POINTS / max(0.78 * panel_points(axes)[0] - taken, 20.0))
    margin = max((end - begin) * beside, np.timedelta64(30, "s"))
    first, last = date_numbers(np.array([begin - margin, end + margin]))
    if np.isfinite(held).all() and held[0] > 0:
        first, last = min(first, *held), max(last, *held)
    axes.update_datalim([(first, 0.0), (last, 0.0)], updatey=False)
    axes.set_xlim(first, last)


def make_room_for_date(axes: Axes, taken: float) -> None:
    """Put the words of the x axis under the date at its end, where both do not fit side by side."""
    size = letter_size(axes, "axes.labelsize")
    dated = letter_size(axes, "xtick.labelsize")
    room = 0.8 * panel_points(axes)[0] - taken
    # the words stand in the middle, the date at the right
    lines = axes.get_xlabel().split("\n")
    if room / 2 - max(text_width(line, size) for line in lines) / 2 < text_width(_LONGEST, dated) + 6:
        axes.xaxis.labelpad = 1.3 * dated + 2
