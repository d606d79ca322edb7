"""A figure that a notebook shows by itself, without pyplot and its global state."""

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_DPI = 120


class MapFigure(Figure):
    """A matplotlib figure with a canvas of its own; the last line of a cell shows it."""

    @classmethod
    def of_size(cls, width_in: float, height_in: float) -> "MapFigure":
        """Return an empty figure of a size in inches."""
        figure = cls(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasAgg(figure)
        return figure

    def _repr_png_(self) -> bytes:
        """Return the figure as notebooks show it."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=_DPI)
        return buffer.getvalue()
