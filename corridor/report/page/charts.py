"""Charts as the page wants them: as wide as their column, quiet, readable in print."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

CHART_HEIGHT_PX: Final = 300
FONT_PX: Final = "12px"


def new_chart(
    title: str,
    *,
    x_title: str,
    y_title: str,
    height_px: int = CHART_HEIGHT_PX,
    factors: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> "Figure":
    """Return an empty chart.

    Parameters
    ----------
    title
        What it shows.
    x_title, y_title
        Axes with their units.
    height_px
        Height [pixels].
    factors
        Names on the vertical axis from bottom to top; None is numbers.
    columns
        Names on the horizontal axis; None is numbers.
    """
    from bokeh.models import DataRange1d, FactorRange
    from bokeh.plotting import figure

    fig = figure(
        title=title,
        height=height_px,
        sizing_mode="stretch_width",
        toolbar_location=None,
        tools="",
        x_axis_label=x_title,
        y_axis_label=y_title or None,
        x_range=DataRange1d() if columns is None else FactorRange(*columns),
        y_range=DataRange1d() if factors is None else FactorRange(*factors),
    )
    fig.title.text_font_size = "14px"
    fig.axis.axis_label_text_font_style = "normal"
    fig.axis.axis_label_text_font_size = FONT_PX
    fig.axis.major_label_text_font_size = FONT_PX
    fig.axis.minor_tick_line_color = None
    fig.outline_line_color = None
    fig.background_fill_color = None
    fig.border_fill_color = None
    return fig


def legend_below(fig: "Figure") -> None:
    """Put the legend of a chart under it, in as many rows as it takes."""
    for legend in list(fig.legend):
        fig.add_layout(legend, "below")
        legend.orientation = "horizontal"
        legend.ncols = "auto"
        legend.border_line_color = None
        legend.label_text_font_size = FONT_PX
        legend.spacing = 4
        legend.padding = 2
