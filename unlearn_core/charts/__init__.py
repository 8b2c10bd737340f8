"""The charts of a run: each module in `report`, `privacy` and `artifacts` defines one as CHART. None needs torch.

Those in `artifacts` show what a single method stores, or what a run tried; those in `privacy` what attacks find, and
those in `report` all else that was measured.
"""

from unlearn_core.charts.chart import Chart, Section
from unlearn_core.plugins import cards

CHART_FOLDERS = ("charts.report", "charts.privacy", "charts.artifacts")
"""The plug-in folders of charts of runs."""


def every_chart() -> list[Chart]:
    """Return all charts of runs that are found."""
    return [chart for folder in CHART_FOLDERS for chart in cards(folder, "CHART")]


def charts() -> dict[str, Chart]:
    """Return all charts of runs by id."""
    return {chart.id: chart for chart in every_chart()}


def section_charts(section: Section) -> list[Chart]:
    """Return the charts of a section in their order; each chart is in one section."""
    own = (chart for chart in charts().values() if chart.section == section)
    return sorted(own, key=lambda chart: (chart.order, chart.id))
