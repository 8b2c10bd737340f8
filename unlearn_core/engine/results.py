"""What the presets do on the bundled classifier, class by class: the figures that the README shows."""

import csv
import hashlib
import inspect
import io
from pathlib import Path
from typing import Any

from unlearn_core.catalog import classifiers, datasets
from unlearn_core.catalog.files import write_whole
from unlearn_core.domain.method import Preset
from unlearn_core.domain.request import ForgetClasses, ForgetRequest
from unlearn_core.domain.run import RunSpec
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.listener import Nobody
from unlearn_core.methods import method as find_method

COLUMNS: tuple[str, ...] = (
    "key",
    "method",
    "preset",
    "class",
    "seed",
    "forget_before",
    "forget_after",
    "retain_before",
    "retain_after",
    "retain_gold",
    "seconds_forget",
    "seconds_total",
    "device",
)
"""The table's columns; accuracies are fractions on test pictures."""


def specs(classifier: str, method: str, presets: tuple[str, ...], seed: int) -> list[tuple[str, str, RunSpec]]:
    """Preset, class and spec of every run of the table."""
    card, chosen = classifiers.card(classifier), find_method(method)
    names = datasets.card(card.dataset).classes
    return [
        (preset, name, _spec(classifier, card.dataset, number, method, chosen.presets[preset], seed))
        for preset in presets
        for number, name in enumerate(names)
    ]


def key_of(spec: RunSpec) -> str:
    """What a row depends on: the spec and the method's own source; a change of either makes the row out of date."""
    source = inspect.getsource(inspect.getmodule(find_method(spec.method).forget) or find_method)
    return hashlib.sha256((spec.model_dump_json() + source).encode()).hexdigest()[:16]


def read(path: Path) -> dict[str, dict[str, str]]:
    """The rows that are there, by key."""
    if not path.exists():
        return {}
    return {row["key"]: row for row in csv.DictReader(io.StringIO(path.read_text()))}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes the table."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(path, text.getvalue().encode())


def measure(preset: str, name: str, spec: RunSpec, *, device: str, scratch: Path) -> dict[str, Any]:
    """One run, as a row of the table."""
    done = unlearn(spec, device=device, listener=Nobody(), out=scratch / key_of(spec))
    accuracy, seconds = done.headline["accuracy"], done.headline["seconds"]
    return {
        "key": key_of(spec),
        "method": spec.method,
        "preset": preset,
        "class": name,
        "seed": spec.seed,
        "forget_before": accuracy["before"]["forget_test"],
        "forget_after": accuracy["after"]["forget_test"],
        "retain_before": accuracy["before"]["retain_test"],
        "retain_after": accuracy["after"]["retain_test"],
        "retain_gold": accuracy["gold"]["retain_test"] if "gold" in accuracy else None,
        "seconds_forget": round(seconds["forget"], 2),
        "seconds_total": round(seconds["total"], 2),
        "device": done.report.parts["timings"].facts["device"],
    }


def _spec(classifier: str, dataset: str, number: int, method: str, preset: Preset, seed: int) -> RunSpec:
    forget = ForgetClasses(classes=(number,))
    request = ForgetRequest(classifier=classifier, dataset=dataset, forget=forget)
    return RunSpec(request=request, method=method, params=preset.params_for(forget).model_dump(), seed=seed)
