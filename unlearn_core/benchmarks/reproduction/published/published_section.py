"""The section on published settings: what the papers print, what was measured here, and the retrained models."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, stdev

from unlearn_core.benchmarks.published_claims import UNSIR_FORGET
from unlearn_core.benchmarks.reproduction.findings import Claim, Finding, at_most, shown
from unlearn_core.benchmarks.reproduction.published.published_settings import (
    NUM_CLASSES,
    TEST_IMAGES,
    PublishedResult,
    PublishedSetting,
    published_settings,
)
from unlearn_core.probes.common.statistics import wilson_interval

Row = Mapping[str, str]
COMMAND = "python -m unlearn_core reproduce"


def published_section(rows: Sequence[Row]) -> str:
    """Return the table, its conditions, what was not run, and what differs from the papers."""
    settings = published_settings().values()
    measured = [setting for setting in settings if _own(rows, setting)]
    others = [setting.name for setting in settings if setting not in measured]
    missing = f"Not measured: {'; '.join(others)}. `{COMMAND}` measures them, on a GPU in slices of a few minutes."
    if not measured:
        return missing
    alone = [setting.name for setting in measured if not any(row["retain_gold"] for row in _own(rows, setting))]
    unjudged = f"Without a retrained model: {'; '.join(alone)}. " if alone else ""
    notes = " ".join(setting.published.note for setting in measured if setting.published and setting.published.note)
    devices = sorted({row["device"] for row in rows})
    lines = [
        "| setting | model | retain | forget | weights moved | evenness | sample passes | seconds |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
        *(line for setting in measured for line in _lines(setting, _own(rows, setting))),
    ]
    return "\n".join(
        [
            "UNSIR's preset `paper` on torchvision's ResNet-18 at 32 pixels, and L2UL's on a ResNet-18 for small "
            "images, with the whole data set. Accuracies in per cent on 8,000 test images (the other 2,000 of the "
            "test set are for validation); single forget images are training images. Where several seeds were run, "
            "means with standard errors: each seed has an original and a retrained model of its own. *Weights moved*: "
            "how far from the original's, relative to these, mean over layers. *Evenness*: how evenly the predictions "
            "for the forget set spread over the other classes, from 0 to 1. UNSIR's paper does not name the "
            "forgotten classes: here they are the first ones. Our training recipe is one cycle of AdamW; its paper "
            f"uses Adam with a learning rate that is lowered on plateaus. {notes} {unjudged}Seconds are of the named "
            f"device, alongside other work on a CPU. Measured on: {', '.join(devices)}.",
            "",
            *lines,
            "",
            *([missing, ""] if others else []),
            *map(str, published_setting_claims(rows)),
        ]
    )


def published_setting_claims(rows: Sequence[Row]) -> list[Claim]:
    """Return whether the forgotten classes are gone, and whether the retained ones lose no more than published.

    Over several seeds by their spread; of a single run the intervals are over test images only (95 %, Wilson).
    """
    found: list[Claim] = []
    for setting in published_settings().values():
        if setting.published is None:
            continue
        loss = setting.published.retain[0] - setting.published.retain[1]
        name, own = setting.name, _own(rows, setting)
        gone = f"{name}: forget accuracy is at most {UNSIR_FORGET:.0f} % on test images"
        retained = f"{name}: retain accuracy on test images falls by no more than the published {loss:.2f} points"
        forget = [100 * float(row["forget_after"]) for row in own]
        fallen = [100 * (float(row["retain_before"]) - float(row["retain_after"])) for row in own]
        found += [
            _claim(f"unsir-forget-{setting.dataset}", gone, setting, "forget", forget, forget, UNSIR_FORGET),
            _claim(
                f"unsir-retain-{setting.dataset}", retained, setting, "retain",
                fallen, [100 * float(row["retain_after"]) for row in own], loss,
            ),
        ]  # fmt: skip
    return found


def _claim(
    name: str, words: str, setting: PublishedSetting, side: str, values: Sequence[float], after: Sequence[float],
    limit: float,
) -> Claim:  # fmt: skip
    """Return whether `values` are at most `limit`; `after` are the accuracies in per cent that they come from."""
    if not values:
        return Claim(name, words, "not measured", "")
    if len(values) > 1:
        return Claim(name, words, at_most(values, limit), shown({"here": [*values]}, 2, intervals=True))
    share = setting.classes / NUM_CLASSES[setting.dataset]
    images = round(TEST_IMAGES * (share if side == "forget" else 1 - share))
    low, high = (100 * end for end in wilson_interval(round(images * after[0] / 100), images))
    # A value falls as the accuracy rises where it is a loss, and is the accuracy itself otherwise.
    ends = (low, high) if side == "forget" else (values[0] + after[0] - high, values[0] + after[0] - low)
    finding: Finding = "holds" if ends[1] <= limit else "does not hold" if ends[0] > limit else "not shown"
    start = "" if side == "forget" else f"from {values[0] + after[0]:.2f} to "
    interval = f"95 % interval {low:.2f} to {high:.2f} over {images:,} images, 1 run"
    return Claim(name, words, finding, f"{start}{after[0]:.2f} %, {interval}")


def _own(rows: Sequence[Row], setting: PublishedSetting) -> list[Row]:
    return [row for row in rows if row["name"] == setting.name]


def _lines(setting: PublishedSetting, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a setting: as published, and the three models here."""
    first = f"{setting.work}: {setting.name}"
    if setting.published is not None:
        for number, model in enumerate(("before", "after")):
            yield f"| {first} | published, {model} | {_published(setting.published, number)} | | | | |"
            first = ""
    for model, title in (("before", "before"), ("after", "after"), ("gold", "retrained")):
        own = "" if model == "before" else model
        seconds = {"before": "trained_in", "after": "seconds", "gold": "gold_seconds"}[model]
        passes = {"before": "", "after": "passes", "gold": "gold_passes"}[model]
        cells = [
            _cell(rows, f"retain_{model}", 100, 2),
            _cell(rows, f"forget_{model}", 100, 2),
            _cell(rows, own and f"moved_{own}", 1, 2),
            _cell(rows, own and f"evenness_{own}", 1, 2),
            _cell(rows, passes, 1, 0),
            _cell(rows, seconds, 1, 1),
        ]
        if any(cells):
            yield f"| {first} | {title} | {' | '.join(cells)} |"
            first = ""


def _cell(rows: Sequence[Row], column: str, scale: float, digits: int) -> str:
    """Return the mean of a column with its standard error; "" where nothing was measured."""
    values = [scale * float(row[column]) for row in rows if row.get(column)]
    if not values:
        return ""
    error = f" ± {stdev(values) / len(values) ** 0.5:.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):,.{digits}f}{error}"


def _published(result: PublishedResult, number: int) -> str:
    return " | ".join("-" if pair[number] is None else f"{pair[number]:.2f}" for pair in (result.retain, result.forget))
