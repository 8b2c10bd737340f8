"""Writes the pages of docs that are made from cards, settings, measured tables and runs that ship: `make docs`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic.fields import FieldInfo

from unlearn_core.benchmarks.csv_tables import RESULTS_DIR
from unlearn_core.benchmarks.reproduction import work_pages
from unlearn_core.benchmarks.reproduction.corrective_section import corrective_page
from unlearn_core.benchmarks.reproduction.l2ul import l2ul_run_plot
from unlearn_core.benchmarks.reproduction.page import reproduction_page
from unlearn_core.benchmarks.reproduction.unsir import unsir_run_plot
from unlearn_core.benchmarks.tuning.auto_page import auto_page
from unlearn_core.benchmarks.tuning.page import tuning_page
from unlearn_core.charts import charts
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.method import Method
from unlearn_core.domain.params import HyperparameterInfo
from unlearn_core.engine.jobs import on_demand_measurements
from unlearn_core.engine.measuring.measurement_infos import measurement_infos
from unlearn_core.installation import ROOT
from unlearn_core.methods import methods
from unlearn_core.settings import Settings, allowed_values, variable

GENERATED = "<!-- Made by `make docs`: edit the code instead. -->"
LIMITS = ("most_", "least_")
"""How the names of limits begin: they stand last in the table of settings."""


def methods_page() -> str:
    """Return docs/methods.md."""
    lines = [
        "# Methods",
        "",
        GENERATED,
        "",
        "[RESULTS.md](../RESULTS.md) shows the results of each, beside the retrained model. The first preset of a "
        "method is the default for the bundled ResNet-20. For all other classifiers it is `auto`: the run tries a few "
        "strengths at its start ([Settings that fit](auto.md)). The docstring of a method's file says how it differs "
        "from its paper and the official code.",
        "",
        "| method | forgets | summary |",
        "|---|---|---|",
        *(
            f"| `{method.id}` {method.title} | {_supported(method)} | {method.summary} |"
            for method in methods().values()
        ),
        "",
    ]
    return "\n".join([*lines, *(line for method in methods().values() for line in _method_lines(method))])


def _supported(method: Method) -> str:
    kinds = {"classes": "classes", "images": "single images"}
    return ", ".join(label for kind, label in kinds.items() if kind in method.supports)


def _method_lines(method: Method) -> list[str]:
    infos = method.params.hyperparameters().values()
    return [
        f"## {method.title}",
        "",
        f"{method.idea} **When it fails.** {method.failure_modes} Source: [{method.paper.title}]({method.paper.url}).",
        "",
        "| preset | what it is for |",
        "|---|---|",
        *(f"| `{name}` | {_cell(preset.summary)} |" for name, preset in method.presets.items()),
        *([f"| `auto` | Found by the run: {_cell(method.tuning.rule)} |"] if method.tuning else []),
        "",
        "| hyperparameter | default | range | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{info.name}` {info.title} | {info.default} | {_range(info)} | {_cell(info.explain)} |"
            for info in infos
        ),
        "",
    ]


def _range(info: HyperparameterInfo) -> str:
    if info.choices:
        return ", ".join(info.choices)
    if info.low is None or info.high is None:
        return {"bool": "true, false", "numbers": "integers"}.get(info.kind, "")
    return f"{info.low:g} to {info.high:g}{f' {info.unit}' if info.unit else ''}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def measures_page() -> str:
    """Return docs/measures.md."""
    on_request = on_demand_measurements()
    lines = [
        "# Measurements",
        "",
        GENERATED,
        "",
        "Every report shows them for the original, the unlearned and the retrained model. Those *on request* cost more "
        "than all others together, and are made when somebody asks for them. The page *Measures* shows each with a "
        "real example.",
        "",
    ]
    for info in sorted(measurement_infos(charts()).values(), key=lambda info: info.title):
        lines += [
            f"## {info.title}{', on request' if info.part in on_request else ''}",
            "",
            f"*{info.question}*",
            "",
            *(line for paragraph in info.paragraphs for line in (paragraph, "")),
            f"**What it does not say.** {info.caveat}",
            "",
        ]
    return "\n".join(lines)


def settings_page() -> str:
    """Return docs/settings.md, with the limits last."""
    lines = [
        "# Settings",
        "",
        GENERATED,
        "",
        "Environment variables set how the lab runs. An empty variable counts as unset. A value that is not allowed "
        "stops a command with a sentence and exit code 2, and every page shows that sentence.",
        "",
        "| variable | values | default | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{variable(name)}` | {allowed_values(name)} | {_default(field)} | {field.description} |"
            for name, field in sorted(Settings.model_fields.items(), key=lambda item: item[0].startswith(LIMITS))
        ),
    ]
    return "\n".join([*lines, ""])


def _default(field: FieldInfo) -> str:
    if isinstance(field.default, int):  # a switch too: 1 or 0
        return f"{int(field.default):,}"
    return field.default or "unset"


PAGES: dict[str, Callable[[], str]] = {
    "methods.md": methods_page,
    "measures.md": measures_page,
    "settings.md": settings_page,
    "reproduction.md": reproduction_page,
    "tuning.md": tuning_page,
    "auto.md": auto_page,
    "corrective.md": corrective_page,
    **{f"{name}.md": partial(work_pages.work_page, name) for name in work_pages.work_ids()},
}


def main(folder: Path = ROOT / "docs") -> None:
    """Write all of them, and the plots of runs that they show."""
    for name, page in PAGES.items():
        atomic_write(folder / name, page().encode())
    unsir_run_plot.write_plot(RESULTS_DIR / "unsir-run.svg")
    l2ul_run_plot.write_plot(RESULTS_DIR / "l2ul-run.svg")


if __name__ == "__main__":
    main()
