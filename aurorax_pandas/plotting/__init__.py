"""Pictures of conjunctions with matplotlib: one module per picture, `style` for what they share."""

from aurorax_pandas.plotting.distances import plot_distance
from aurorax_pandas.plotting.heatmap import CalendarValues, plot_calendar
from aurorax_pandas.plotting.histograms import plot_histogram
from aurorax_pandas.plotting.lanes import timeline
from aurorax_pandas.plotting.maps import plot_map

__all__ = ["CalendarValues", "plot_calendar", "plot_distance", "plot_histogram", "plot_map", "timeline"]
