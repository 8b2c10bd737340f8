"""The section on single images that stochastic re-initialisation leaves known, and where that comes from."""

from collections.abc import Mapping, Sequence

from unlearn_core.benchmarks.reproduction.findings import Claim, combine, compare_means, shown
from unlearn_core.benchmarks.reproduction.passed_on import LAYERS, LEARNS, REQUESTS, SEEDS
from unlearn_core.charts.measured.noise_levels import Estimate

Row = Mapping[str, str]
COMMAND = "python -m unlearn_core reproduce --work reinit-images"


def passed_on_section(rows: Sequence[Row]) -> str:
    """Return how to read the table, the table, and what it shows."""
    if not rows:
        return f"Not measured yet: `{COMMAND}` measures it, in an hour of a CPU core."
    device = " and ".join(sorted({row["device"] for row in rows}))
    all_runs = len(REQUESTS) * len(LAYERS) * len(LEARNS) * len(SEEDS)
    lines = [
        "The preset `bundled` of stochastic re-initialisation on the standard requests of single images leaves more of "
        "them correctly classified than a retrained model. Either the weights that were not re-initialised know them, "
        "or the original, whose logits the model learns on retained images, passes them on. Here one or both are taken "
        "away: *drawn* layers as in the preset, or *all* of them with batch norm and head, for which there are 20 "
        "epochs; and the original's *logits*, or *labels* alone. *Excess* is how many points the accuracy on forget "
        "images is above the retrained model's, minus the same for retained test images, so that a model that is worse "
        "at everything has none. Accuracies in per cent, means over seeds ± standard errors; all runs of a request are "
        f"compared with one retrained model. Measured are {len(rows)} of {all_runs} runs (`{COMMAND}`). Measured on: "
        f"{device}.",
        "",
        "| images | layers | learns | runs | forget images | retrained | retained, test | retrained | excess |",
        "|---:|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for request, images in REQUESTS.items():
        for layers in LAYERS:
            for learns in LEARNS:
                own = _own(rows, request, layers, learns)
                if own:
                    lines.append(f"| {images} | {layers} | {learns} | {len(own)} | {_cells(own)} |")
    return "\n".join([*lines, "", *map(str, passed_on_claims(rows))])


def passed_on_claims(rows: Sequence[Row]) -> list[Claim]:
    """Return whether the original's logits pass on nothing of single images, and the drawn layers held all of it."""
    return [
        _claim(
            rows,
            "reinit-images-teacher",
            "With all layers re-initialised, learning the original's logits leaves no more of the forget images than "
            "learning labels (excess over the retrained model, points)",
            ("all", "logits"),
        ),
        _claim(
            rows,
            "reinit-images-weights",
            "Where labels are learned, re-initialising the drawn layers leaves no more of the forget images than "
            "re-initialising all (excess over the retrained model, points)",
            ("drawn", "labels"),
        ),
    ]


def _claim(rows: Sequence[Row], name: str, words: str, setting: tuple[str, str]) -> Claim:
    """Compare a setting with fresh weights that learn labels."""
    findings, figures = [], []
    for request, images in REQUESTS.items():
        own, fresh = (_excess(_own(rows, request, *one)) for one in (setting, ("all", "labels")))
        if not own or not fresh:
            continue
        difference = compare_means(fresh, own)
        findings.append(difference.finding)
        excess = {f"{setting[0]} layers, {setting[1]}": own, "all layers, labels": fresh}
        figures.append(f"{images} images: {shown(excess, 1)}; {difference.text(1)}")
    return Claim(name, words, combine(findings) if findings else "not measured", "; ".join(figures))


def _own(rows: Sequence[Row], request: str, layers: str, learns: str) -> list[Row]:
    return [row for row in rows if (row["request"], row["layers"], row["learns"]) == (request, layers, learns)]


def _excess(rows: Sequence[Row]) -> list[float]:
    """Return the excess of each run in points."""
    return [_above(row, "forget_train") - _above(row, "retain_test") for row in rows]


def _above(row: Row, name: str) -> float:
    """Return how many points an accuracy is above the retrained model's."""
    return 100 * (float(row[name]) - float(row[f"{name}_gold"]))


def _cells(rows: Sequence[Row]) -> str:
    cells: list[str] = []
    for name in ("forget_train", "retain_test"):
        cells += [_mean([100 * float(row[name]) for row in rows]), f"{100 * float(rows[0][f'{name}_gold']):.1f}"]
    return " | ".join([*cells, _mean(_excess(rows))])


def _mean(values: Sequence[float]) -> str:
    return str(Estimate.of(values)) if len(values) > 1 else f"{values[0]:.1f}"
