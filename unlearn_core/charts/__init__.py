"""Charts: each file in `report` has a CHART that answers one question. None needs torch."""

from unlearn_core.charts.chart import Chart
from unlearn_core.plugins import cards


def charts() -> dict[str, Chart]:
    """Every chart of runs by its id."""
    return {chart.id: chart for chart in cards("charts.report", "CHART")}
