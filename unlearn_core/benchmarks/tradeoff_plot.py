"""Plots the trade-off between forget and retain accuracy of all methods, from the measured rows."""

from collections.abc import Sequence
from pathlib import Path

from unlearn_core.benchmarks.result_rows import REQUESTS, Row
from unlearn_core.benchmarks.svg_plots import write_svg
from unlearn_core.methods import methods


def write_plot(path: Path, rows: Sequence[Row]) -> None:
    """Write retain against forget accuracy as SVG, one panel per request, with the retrained model as a star."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.6), layout="constrained")
    axes = figure.subplots(1, len(REQUESTS), sharey=True)
    names = sorted({row["method"] for row in rows if row["preset"] == "bundled"})
    colours = {name: colormaps["tab20"](number % 20) for number, name in enumerate(names)}
    for axis, (request, title) in zip(axes, REQUESTS.items(), strict=True):
        here = [r for r in rows if r["request"] == request and r["preset"] == "bundled" and not r["error"]]
        for name in names:
            own = [row for row in here if row["method"] == name]
            if own:
                x, y = ([100 * float(row[f"{one}_after"]) for row in own] for one in ("forget_train", "retain_test"))
                axis.scatter(x, y, s=26, color=colours[name], label=methods()[name].title)
        if here:
            for model, label, mark in (("before", "original", "o"), ("gold", "retrained", "*")):
                x, y = (100 * float(here[0][f"{one}_{model}"] or "nan") for one in ("forget_train", "retain_test"))
                axis.scatter(x, y, marker=mark, s=170, facecolors="none", edgecolors="black", label=label)
        axis.set(title=title.split(":")[0].split(",")[0], xlabel="forget set, training (%)")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("retain set, test (%)")
    labelled = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(labelled.values(), labelled.keys(), loc="outside lower center", ncols=8, fontsize=8)
    write_svg(figure, path)
