"""The contracts of plug-ins, as checks that the tests of other projects can call as well:

    from mine.methods.my_method import METHOD
    from unlearn_core.testing import check_method

    def test_my_method_keeps_the_contract() -> None:
        check_method(METHOD)

`check_measurement(PROBE)` and `check_chart(CHART, reports)` do the same for measurements and charts, and
`example_reports(folder)` makes reports for the latter. The lab must know their package: by an entry point, or by
UNLEARN_PLUGINS (which `tests/conftest.py` can set).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unlearn_core.testing.chart_contract import ChartReports, check_chart
    from unlearn_core.testing.measurement_contract import check_measurement
    from unlearn_core.testing.method_contract import check_method
    from unlearn_core.testing.tiny_reports import example_reports

__all__ = ["ChartReports", "check_chart", "check_measurement", "check_method", "example_reports"]

_MODULES = {
    "ChartReports": "chart_contract",
    "check_chart": "chart_contract",
    "check_measurement": "measurement_contract",
    "check_method": "method_contract",
    "example_reports": "tiny_reports",
}
"""Where each name comes from. They are imported lazily, because the package `tiny` below needs none of it."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
