"""The charts of a run: each module in `report` defines one as CHART, which answers one question. None needs torch."""

from unlearn_core.charts.chart import Chart, Section
from unlearn_core.plugins import cards


def charts() -> dict[str, Chart]:
    """Return all charts of runs by id."""
    return {chart.id: chart for chart in cards("charts.report", "CHART")}


def section_charts(section: Section) -> list[Chart]:
    """Return the charts of a section in their order; the Overview also has charts of other sections."""
    places = {
        chart.id: chart.overview_order if section == "Overview" and chart.section != section else chart.order
        for chart in charts().values()
        if chart.section == section or (section == "Overview" and chart.overview_order is not None)
    }
    return [charts()[name] for name in sorted(places, key=lambda name: (places[name], name))]
