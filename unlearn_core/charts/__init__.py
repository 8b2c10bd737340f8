"""The shelf of charts: each file with a CHART answers one question. None needs torch."""

from unlearn_core.charts.chart import Chart
from unlearn_core.plugins import modules


def charts() -> dict[str, Chart]:
    """Every chart by its id; a module without one (the theme) is none."""
    found = [module.CHART for module in modules("charts.report").values() if hasattr(module, "CHART")]
    return {chart.id: chart for chart in found}
