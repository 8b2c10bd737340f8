"""Machine unlearning of image classifiers: methods, measurements, runs, charts, pages and command line.

The names below are the public interface for notebooks and scripts; each is imported when it is first used:

    import unlearn_core as lab

    result = lab.unlearn(lab.spec("mlp-moons", classes=["night"], method="finetune"))
    lab.report_file([result.report], "report.html")

* `spec(classifier, method=..., classes=..., ...)` builds an `UnlearnSpec`, and `unlearn(spec)` executes it.
* `read_report(folder)` reads the `Report` of a finished run, `verdict(report)` judges it in three sentences, and
  `report_file(reports, file)` writes one or several as a self-contained HTML file.
* `runs()` is a table (pandas) of all unlearning runs of the data folder; docs/runs.md describes its columns.
* `methods`, `measurements`, `charts`, `classifiers` and `datasets` are modules: `methods.methods()`,
  `measurements.probes()`, `charts.charts()`, `classifiers.cards()` and `datasets.cards()` list what there is, by id.
"""

import importlib
from typing import TYPE_CHECKING, Any

from unlearn_core.installation import VERSION as __version__

if TYPE_CHECKING:
    from unlearn_core import charts, methods
    from unlearn_core import probes as measurements
    from unlearn_core.charts.text.verdict import verdicts as verdict
    from unlearn_core.data import datasets
    from unlearn_core.domain.jobs import UnlearnSpec
    from unlearn_core.domain.report import Report
    from unlearn_core.engine.build_spec import run_spec as spec
    from unlearn_core.engine.execute import unlearn
    from unlearn_core.export.report_file import report_file
    from unlearn_core.export.runs_csv import recorded_runs as runs
    from unlearn_core.models import classifiers
    from unlearn_core.store.files.reports import read_folder as read_report

__all__ = [
    "Report",
    "UnlearnSpec",
    "__version__",
    "charts",
    "classifiers",
    "datasets",
    "measurements",
    "methods",
    "read_report",
    "report_file",
    "runs",
    "spec",
    "unlearn",
    "verdict",
]

_ORIGINS = {
    "Report": "domain.report:Report",
    "UnlearnSpec": "domain.jobs:UnlearnSpec",
    "charts": "charts",
    "classifiers": "models.classifiers",
    "datasets": "data.datasets",
    "measurements": "probes",
    "methods": "methods",
    "read_report": "store.files.reports:read_folder",
    "report_file": "export.report_file:report_file",
    "runs": "export.runs_csv:recorded_runs",
    "spec": "engine.build_spec:run_spec",
    "unlearn": "engine.execute:unlearn",
    "verdict": "charts.text.verdict:verdicts",
}
"""Where each public name comes from: a module, or `module:attribute`."""
_CATALOGS = {"classifiers", "datasets", "spec"}
"""Names that know, once they are used, the classifiers and data sets in the data folder too."""


def __getattr__(name: str) -> Any:
    if name not in _ORIGINS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _ORIGINS[name].partition(":")
    found: Any = importlib.import_module(f"{__name__}.{module}")
    if attribute:
        found = getattr(found, attribute)
    if name in _CATALOGS:
        _find_what_users_added()
    globals()[name] = found
    return found


def _find_what_users_added() -> None:
    from unlearn_core.data import user_catalog
    from unlearn_core.store.data_folder import data_dir_path

    user_catalog.set_data_dir(data_dir_path())


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
