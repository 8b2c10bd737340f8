"""The charts of a run: each module in `report` defines one as CHART, which answers one question. None needs torch."""

from unlearn_core.charts.chart import Chart
from unlearn_core.plugins import cards


def charts() -> dict[str, Chart]:
    """Return all charts of runs by id."""
    return {chart.id: chart for chart in cards("charts.report", "CHART")}
