"""The section on L2UL at equal forgetting: what its goals and safeguards retain, and what that shows."""

from collections.abc import Sequence
from statistics import mean

from unlearn_core.benchmarks.csv_tables import L2UL_SEARCH, Row, read_table
from unlearn_core.benchmarks.reproduction.l2ul.l2ul_comparisons import own_comparisons, published_comparisons
from unlearn_core.benchmarks.reproduction.l2ul.l2ul_draws import REPORTED_DRAWS, SEARCH_DRAWS, drawn_spec
from unlearn_core.benchmarks.reproduction.l2ul.l2ul_frontier import (
    MAIN_SIZE,
    NEAREST,
    PRESETS,
    RATES,
    preset_name,
    reported,
    settings,
)
from unlearn_core.benchmarks.reproduction.l2ul.l2ul_search import searched
from unlearn_core.charts.measured.l2ul_courses import (
    Courses,
    Draws,
    Mean,
    courses,
    retained,
)

COMMAND = "python -m unlearn_core reproduce --work l2ul-frontier"
SEARCH_COMMAND = "python -m unlearn_core reproduce --work l2ul-search"


def frontier_section(rows: Sequence[Row], *, root: str = "") -> str:
    """Return how to read the tables, one for each number of images, and what they show.

    `root` leads from the page to the root of the repository.
    """
    found = courses(rows)
    if not found:
        return f"Not measured yet: `{COMMAND}` measures it, in hours on a CPU."
    parts = [_how_to_read(rows, root)]
    for images in sorted({images for name, images in found if name in settings()}):
        parts += [f"**{images} image{'s' * (images > 1)}**", "\n".join(_table(found, images, [*settings()]))]
    presets = [preset_name(preset) for preset in PRESETS]
    if any((name, MAIN_SIZE) in found for name in presets):
        parts += [f"**Presets, {MAIN_SIZE} images of other draws**", "\n".join(_table(found, MAIN_SIZE, presets))]
    every = [*own_comparisons(rows), *published_comparisons(rows)]
    told = "\n".join(str(claim) for claim in every if claim.finding != "not measured")
    return "\n\n".join(part for part in (*parts, best_sentence(rows), told, missing_sentence(rows)) if part)


def missing_sentence(rows: Sequence[Row]) -> str:
    """Return how many runs were measured, and the command that measures the others."""
    done, every = len({row["key"] for row in rows}), len(reported())
    if done == every:
        return f"All {every} runs were measured."
    return f"Measured are {done} of {every} runs; `{COMMAND}` measures the others."


def best_sentence(rows: Sequence[Row]) -> str:
    """Return what the presets retain of 16 images on their own draws, at the ends of their runs; "" without runs."""
    found = courses(rows)
    own = {preset: found.get((preset_name(preset), MAIN_SIZE)) for preset in PRESETS}
    told = [
        f"`{preset}` {_ends(draws, 'retain')} % ({_ends(draws, 'forget')} % left, {len(draws)} draws)"
        for preset, draws in own.items()
        if draws
    ]
    if not told:
        return ""
    return (
        f"On draws of {MAIN_SIZE} images that nothing was searched or compared on, presets end with this accuracy on "
        f"retained test images: {', '.join(told)}."
    )


def _how_to_read(rows: Sequence[Row], root: str) -> str:
    device = " and ".join(sorted({row["device"] for row in rows}))
    rates = sorted({*RATES.values()})
    return (
        f"L2UL on {len(REPORTED_DRAWS)} draws of training images, that share no image with each other or with the "
        f"{len(SEARCH_DRAWS)} draws on which the learning rates were searched "
        f"([l2ul_search.csv]({root}assets/results/l2ul_search.csv), validation images only, {_searched()}). Each "
        f"goal and safeguard has its own rate ({rates[0]:g} to {rates[-1]:g}); the rest is that of the preset "
        f"`bundled`, but with both safeguards the goal *nearest label* has a weight regularisation of "
        f"{NEAREST['hold']:g}: under {drawn_spec(0, MAIN_SIZE, {}).params['hold']:g} two images of one of "
        "these draws stayed. The goals: *misclassify* increases the error, *random label* trains a wrong label that is "
        "drawn (the preset `relabel`), *nearest label* the wrong label that the original finds most likely (the preset "
        "`nearest`; it is not in the paper). *Retained images* trains on these too, in place of the safeguards. "
        "*Left* is the share of the forget images that are still classified as their label. Runs are compared where "
        "they first come down to the same share, *at 50 %* and *at 0 %*; a run that never comes down to 0 % has no "
        "figure there. Accuracies on retained test images in per cent, means over draws ± standard errors. Each point "
        f"is a row of [l2ul_frontier.csv]({root}assets/results/l2ul_frontier.csv). Measured on: {device}."
    )


def _searched() -> str:
    """Return how many trials of the search were run, and its command."""
    done = len({row["key"] for row in read_table(L2UL_SEARCH)})
    return f"{done} of {len(searched())} trials were run, `{SEARCH_COMMAND}`"


def _table(found: Courses, images: int, names: Sequence[str]) -> list[str]:
    lines = [
        "| goal, safeguards | draws | come down to 0 % | retained at 50 % | retained at 0 % | left at the end "
        "| retained at the end | steps | sample passes |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    measured = [(name, found[name, images]) for name in names if (name, images) in found]
    lines.append(f"| *original* | | | | | 100.0 | {_before(measured[0][1]):.1f} | | |")
    return lines + [_line(name, own) for name, own in measured]


def _line(name: str, draws: Draws) -> str:
    half, none = (retained(draws, level) for level in (0.5, 0.0))
    cells = [
        name,
        f"{len(draws)}",
        f"{len(none)}",
        str(Mean.of(half.values())) if half else "",
        str(Mean.of(none.values())) if none else "",
        _ends(draws, "forget"),
        _ends(draws, "retain"),
        f"{mean(own.steps for own in draws.values()):.0f}",
        f"{mean(own.passes for own in draws.values()):,.0f}",
    ]
    diverged = sum(bool(own.error) for own in draws.values())
    return f"| {' | '.join(cells)}{f' ({diverged} diverged)' if diverged else ''} |"


def _ends(draws: Draws, name: str) -> str:
    return str(Mean.of(100 * getattr(own.points[-1], name) for own in draws.values()))


def _before(draws: Draws) -> float:
    return mean(100 * own.points[0].retain for own in draws.values())
