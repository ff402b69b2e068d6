"""Maps to draw on: plain Axes or cartopy's, the coast, and lines that no edge of a map sends around the world."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from aurorax_pandas import geometry
from aurorax_pandas.plotting import colors, contract

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]
Place = tuple[Array, Array]

_COAST_SCALE: Final = 100.0
#: Steps between meridians [degrees].
_MERIDIANS: Final = (90.0, 60.0, 30.0, 20.0, 15.0, 10.0, 5.0, 2.0, 1.0)
#: How far along a map two neighbours may be [parts of its width]; a line between others would cross the map.
_LONGEST: Final = 0.25


class Projection:
    """
    What turns latitudes and longitudes [degrees] into the coordinates of a map.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Plain Axes, with an azimuthal equidistant map in km, or cartopy's with their own.
    centre : (float, float)
        Latitude and longitude of the middle of the plain map [degrees].
    """

    def __init__(self, axes: Axes, centre: tuple[float, float]) -> None:
        self._own: Any = getattr(axes, "projection", None)
        self._centre = centre
        width = 2 * np.pi * geometry.EARTH_RADIUS if self._own is None else float(np.ptp(self._own.x_limits))
        self._longest = _LONGEST * width

    def __call__(self, lat: Any, lon: Any) -> Place:
        """Return the coordinates of places on the map."""
        if self._own is None:
            return azimuthal(lat, lon, self._centre)
        from cartopy.crs import Geodetic

        lats, lons = np.broadcast_arrays(np.asarray(lat, np.float64), np.asarray(lon, np.float64))
        points = self._own.transform_points(Geodetic(), lons, lats)
        return points[..., 0], points[..., 1]

    def lines(
        self, lat: Array, lon: Array, run: npt.NDArray[np.int64] | None = None
    ) -> tuple[list[Array], npt.NDArray[np.int64]]:
        """
        Return lines on the map, cut where a run ends and where they would cross the map, and where each begins.

        Parameters
        ----------
        lat, lon : ndarray of float64
            Places [degrees].
        run : ndarray of int64, optional
            Places of the same number are one line; by default all.
        """
        if not len(lat):
            return [], np.empty(0, np.int64)
        points = np.column_stack(self(lat, lon))
        far = ~(np.hypot(*np.diff(points, axis=0).T) <= self._longest)
        ends = far if run is None else far | (np.diff(run) != 0)
        starts = np.append(0, np.flatnonzero(ends) + 1)
        return np.split(points, starts[1:]), starts


def azimuthal(lat: Any, lon: Any, centre: tuple[float, float]) -> Place:
    """Project onto the azimuthal equidistant map [km]; J. P. Snyder, USGS Professional Paper 1395, p. 195 (1987)."""
    vectors = geometry.unit_vectors(lat, lon)
    up = geometry.unit_vectors(*centre)
    lam, phi = np.radians(centre[1]), np.radians(centre[0])
    east = np.array([-np.sin(lam), np.cos(lam), 0.0])
    north = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    x, y, z = (np.tensordot(axis, vectors, 1) for axis in (east, north, up))
    across = np.hypot(x, y)
    scale = geometry.EARTH_RADIUS * np.arctan2(across, z) / np.where(across > 0, across, 1.0)
    return x * scale, y * scale


def circle(lat: Any, lon: Any, radius: float) -> Place:
    """Return the places [degrees] at a distance [km] from others, along a new last axis of 121."""
    bearing, angle = np.linspace(0.0, 2 * np.pi, 121), radius / geometry.EARTH_RADIUS
    phi, lam = np.radians(np.asarray(lat, np.float64))[..., None], np.radians(np.asarray(lon, np.float64))[..., None]
    latitude = np.arcsin(np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing))
    turned = np.arctan2(np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * np.sin(latitude))
    return np.degrees(latitude), np.degrees(lam + turned)


@functools.cache
def coastline() -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """
    Return the coast of the world: latitudes, longitudes [degrees], and the number of the line that each place is on.

    Of Natural Earth, 1:50 m, in the public domain, simplified to 0.25 degrees; the file names its source.
    """
    with resources.files("aurorax_pandas").joinpath("data/coastline.npz").open("rb") as file, np.load(file) as data:
        points, lengths = data["points"] / _COAST_SCALE, data["lengths"].astype(np.int64)
    return points[:, 1], points[:, 0], np.repeat(np.arange(len(lengths)), lengths)


def draw_coast(axes: Axes, project: Projection) -> None:
    """Draw the coast."""
    from matplotlib.collections import LineCollection

    lines, _ = project.lines(*coastline())
    grey = "0.5" if colors.is_dark(axes) else "0.62"
    drawn = LineCollection(lines, colors=grey, linewidths=0.6, zorder=0.5)
    drawn.set_gid("coast")
    axes.add_collection(drawn, autolim=False)


def centre_of(lat: Array, lon: Array) -> tuple[float, float]:
    """Return the middle of places, in whole degrees; the North Pole where there are none."""
    if not len(lat):
        return 90.0, 0.0
    mean = geometry.degrees(geometry.unit_vectors(lat, lon).mean(axis=1))
    return float(np.round(mean[0])), float(np.round(mean[1]))


def box(places: Sequence[Place], project: Callable[[Any, Any], Place]) -> tuple[float, float, float, float]:
    """Return the left, right, bottom and top that hold all places."""
    x, y = (np.concatenate(parts) for parts in zip(*(project(*each) for each in places), strict=True))
    # what a projection does not show has no place
    shown = np.isfinite(x) & np.isfinite(y)
    x, y = (x[shown], y[shown]) if shown.any() else (np.array([-1e6, 1e6]), np.array([-1e6, 1e6]))
    # a narrow map would leave no room for the words above it
    half = max(np.ptp(x), np.ptp(y)) * 0.35
    sides = []
    for values in (x, y):
        middle, reach = (values.min() + values.max()) / 2, max(0.53 * np.ptp(values), half)
        sides += [float(middle - reach), float(middle + reach)]
    return sides[0], sides[1], sides[2], sides[3]


def map_projection(centre: tuple[float, float]) -> dict[str, Any]:
    """Return the keywords of new Axes for a map: cartopy's projection where cartopy is installed."""
    try:
        from cartopy.crs import AzimuthalEquidistant
    except ImportError:
        return {}
    return {"projection": AzimuthalEquidistant(central_longitude=centre[1], central_latitude=centre[0])}


def fit_to_places(axes: Axes, project: Projection, places: Sequence[Place]) -> None:
    """Let the map hold all places, and draw the graticule."""
    left, right, bottom, top = box(places, project)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    size = contract.letter_size(axes, "xtick.labelsize", 7.0)
    if hasattr(axes, "projection"):
        _draw_gridlines(axes, size)
    else:
        _draw_graticule(axes, project, size)


def _draw_gridlines(axes: Any, size: float) -> None:
    from cartopy.mpl.gridliner import Gridliner
    from cartopy.mpl.ticker import LatitudeLocator, LongitudeLocator
    from matplotlib.ticker import FixedLocator

    for old in [each for each in axes.artists if isinstance(each, Gridliner)]:
        old.remove()
    look = {"size": size, "color": colors.ink(axes)}
    lines = axes.gridlines(
        draw_labels={"left": "y", "bottom": "x"}, linewidth=0.5, alpha=0.4, xlabel_style=look, ylabel_style=look,
        x_inline=False, y_inline=False,
    )  # fmt: skip
    lines.rotate_labels = False
    # degrees with a half are longer than the two letters of most
    across, up = (points / (5.5 * size) for points in contract.panel_points(axes))
    meridians = _meridians(axes)
    lines.xlocator = (
        LongitudeLocator(nbins=int(np.clip(0.7 * across, 2, 8)))
        if meridians is None
        else FixedLocator(meridians.tolist())
    )
    lines.ylocator = LatitudeLocator(nbins=int(np.clip(up, 3, 8)))


def _meridians(axes: Any) -> Array | None:
    """Return as few meridians [degrees] as name two at the lower edge, None where that edge is outside of the world."""
    from cartopy.crs import PlateCarree

    left, right = axes.get_xlim()
    x = np.linspace(left, right, 61)
    edge = PlateCarree().transform_points(axes.projection, x, np.full(61, axes.get_ylim()[0]))[:, 0]
    if not np.isfinite(edge).all():
        return None
    # names at the very corners would not fit
    edge = np.unwrap(edge, period=360.0)[2:-2]
    for step in _MERIDIANS:
        if np.floor(edge.max() / step) - np.ceil(edge.min() / step) >= 1:
            return np.arange(-180.0, 180.1, step)
    return None


def _draw_graticule(axes: Axes, project: Projection, size: float) -> None:
    from matplotlib.collections import LineCollection

    for old in [each for each in (*axes.collections, *axes.texts) if each.get_gid() == "graticule"]:
        old.remove()
    axes.set_xticks([])
    axes.set_yticks([])
    view = (*axes.get_xlim(), *axes.get_ylim())
    across = max(view[1] - view[0], view[3] - view[2]) / 111.2
    step = next((each for each in (1, 2, 5, 10) if across / each <= 8), 15)
    along, up = np.linspace(-180.0, 180.0, 721), np.linspace(-90.0, 90.0, 721)
    lines = []
    for lat in range(-90 + step, 90, step):
        line = np.stack(project(np.full(721, float(lat)), along), axis=-1)
        lines.append(line)
        _write_graticule(axes, line, view, "left", f"{abs(lat)}°{'N' if lat > 0 else 'S' if lat < 0 else ''}", size)
    for lon in range(-180, 180, min(3 * step, 30)):
        line = np.stack(project(np.where(np.abs(up) <= 90 - step, up, np.nan), np.full(721, float(lon))), axis=-1)
        lines.append(line)
        _write_graticule(axes, line, view, "bottom", f"{abs(lon)}°{'E' if lon > 0 else 'W' if lon < 0 else ''}", size)
    drawn = LineCollection(lines, colors=colors.ink(axes), linewidths=0.5, alpha=0.25, zorder=0)
    drawn.set_gid("graticule")
    axes.add_collection(drawn, autolim=False)


def _write_graticule(axes: Axes, line: Array, view: tuple[float, ...], side: str, words: str, size: float) -> None:
    """Write the words where a line of the graticule crosses a side of the view."""
    left, right, bottom, top = view
    across, along = (0, 1) if side == "left" else (1, 0)
    edge = left if side == "left" else bottom
    low, high = (bottom, top) if side == "left" else (left, right)
    before, after = line[:-1], line[1:]
    # a line that jumps through the far side of the Earth does not cross
    near = np.hypot(*(after - before).T) < 0.2 * (right - left)
    for at in np.flatnonzero(near & ((before[:, across] - edge) * (after[:, across] - edge) <= 0)):
        place = line[at, along]
        if low + 0.02 * (high - low) < place < high - 0.02 * (high - low):
            where = (edge, place) if side == "left" else (place, edge)
            offset = (-3, 0) if side == "left" else (0, -3)
            look: dict[str, Any] = {"ha": "right", "va": "center"} if side == "left" else {"ha": "center", "va": "top"}
            text = axes.annotate(words, where, offset, textcoords="offset points", fontsize=size, **look)
            text.set_gid("graticule")
            return
