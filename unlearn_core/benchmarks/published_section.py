"""The section that compares UNSIR's published results with ours."""

from collections.abc import Mapping

from unlearn_core.benchmarks.published_settings import PUBLISHED_RESULTS


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
        ]
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
