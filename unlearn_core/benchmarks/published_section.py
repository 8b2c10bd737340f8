"""The section that compares UNSIR's published results with ours."""

from collections.abc import Mapping

from unlearn_core.benchmarks.published_claims import UNSIR_FORGET
from unlearn_core.benchmarks.published_settings import PUBLISHED_RESULTS, TEST_IMAGES, PublishedResult
from unlearn_core.benchmarks.reproduction.findings import Claim
from unlearn_core.probes.common.statistics import wilson_interval


def published_section(rows: Mapping[str, Mapping[str, str]]) -> str:
    """Return the table, its conditions, and what differs from the paper."""
    if not rows:
        return "Not measured yet: `python -m unlearn_core reproduce` measures it, in an hour of CPU time per row."
    lines = [
        "| setting | | retain, before | retain, after | forget, before | forget, after | seconds |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for result in PUBLISHED_RESULTS:
        published = [*result.retain, *result.forget]
        lines.append(f"| {result.name} | published | {' | '.join(_figure(value) for value in published)} | |")
        own = rows.get(result.name)
        if own is None:
            lines.append("| | here | not run | | | | |")
            continue
        names = ("retain_before", "retain_after", "forget_before", "forget_after")
        lines.append(f"| | here | {' | '.join(f'{100 * float(own[name]):.2f}' for name in names)} | {own['seconds']} |")
    measured = sorted({row["device"] for row in rows.values()})
    notes = " ".join(result.note for result in PUBLISHED_RESULTS if result.note and result.name in rows)
    return "\n".join(
        [
            "The preset `paper` of UNSIR on torchvision's ResNet-18 at 32 pixels, trained for 40 epochs on the whole "
            "data set without augmentation. Accuracies in per cent on 8,000 test images (the other 2,000 of the test "
            "set are for validation), one run each with seed 0; there is no retrained model here. The paper does not "
            "name the forgotten classes: here they are the first ones. Our training recipe is one cycle of AdamW; the "
            f"paper uses Adam with a learning rate that is lowered on plateaus. {notes} Seconds are for unlearning, "
            "alongside other work on the machine. Measured on: "
            f"{', '.join(measured)}.",
            "",
            *lines,
            "",
            *map(str, published_setting_claims(rows)),
        ]
    )


def published_setting_claims(rows: Mapping[str, Mapping[str, str]]) -> list[Claim]:
    """Return whether the forgotten classes are gone, and whether the retained ones lose no more than published.

    There is one run of each, so the intervals are over test images only (95 %, Wilson).
    """
    found: list[Claim] = []
    for result in PUBLISHED_RESULTS:
        row = rows.get(result.name)
        loss = result.retain[0] - result.retain[1]
        gone = f"{result.name}: forget accuracy is at most {UNSIR_FORGET:.0f} % on test images"
        retained = (
            f"{result.name}: retain accuracy on test images falls by no more than the published {loss:.2f} points"
        )
        if row is None:
            found += [
                Claim(f"unsir-forget-{result.dataset}", gone, "not measured", ""),
                Claim(f"unsir-retain-{result.dataset}", retained, "not measured", ""),
            ]
            continue
        low, high, words = _interval(row, "forget", result)
        finding = "holds" if high <= UNSIR_FORGET else "does not hold" if low > UNSIR_FORGET else "not shown"
        found.append(Claim(f"unsir-forget-{result.dataset}", gone, finding, words))
        low, high, words = _interval(row, "retain", result)
        least = 100 * float(row["retain_before"]) - loss
        finding = "holds" if low >= least else "does not hold" if high < least else "not shown"
        words = (
            f"from {100 * float(row['retain_before']):.2f} to {words}; no more than published is {least:.2f} % or above"
        )
        found.append(Claim(f"unsir-retain-{result.dataset}", retained, finding, words))
    return found


def _interval(row: Mapping[str, str], side: str, result: PublishedResult) -> tuple[float, float, str]:
    """Return the interval of an accuracy after unlearning in per cent, and accuracy and interval in words."""
    share = result.classes / result.all_classes
    images = round(TEST_IMAGES * (share if side == "forget" else 1 - share))
    after = float(row[f"{side}_after"])
    low, high = (100 * end for end in wilson_interval(round(images * after), images))
    words = f"{100 * after:.2f} %, 95 % interval {low:.2f} to {high:.2f} over {images:,} images, 1 run"
    return low, high, words


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
