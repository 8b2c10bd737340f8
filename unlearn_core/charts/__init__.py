"""The charts of a run: each module in `report` defines one as CHART, which answers one question. None needs torch."""

from unlearn_core.charts.chart import Chart, Section
from unlearn_core.plugins import cards


def charts() -> dict[str, Chart]:
    """Return all charts of runs by id."""
    return {chart.id: chart for chart in cards("charts.report", "CHART")}


def section_charts(section: Section) -> list[Chart]:
    """Return the charts of a section in their order; each chart is in one section."""
    own = (chart for chart in charts().values() if chart.section == section)
    return sorted(own, key=lambda chart: (chart.order, chart.id))
