"""UNSIR's published rows beside ours, in words."""

from collections.abc import Mapping

from unlearn_core.benchmarks.published_settings import PUBLISHED_RESULTS


def published_section(rows: Mapping[str, Mapping[str, str]]) -> str:
    """The table, its terms, and what differs from the paper."""
    if not rows:
        return "Not measured yet: `python -m unlearn_core reproduce` measures it, in an hour of CPU a row."
    lines = [
        "| setting | | kept, before | kept, after | forgotten, before | forgotten, after | seconds |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for one in PUBLISHED_RESULTS:
        told = [one.retain[0], one.retain[1], one.forget[0], one.forget[1]]
        lines.append(f"| {one.name} | published | {' | '.join(_figure(value) for value in told)} | |")
        own = rows.get(one.name)
        if own is None:
            lines.append("| | here | not run | | | | |")
            continue
        names = ("retain_before", "retain_after", "forget_before", "forget_after")
        lines.append(f"| | here | {' | '.join(f'{100 * float(own[name]):.2f}' for name in names)} | {own['seconds']} |")
    measured = sorted({row["device"] for row in rows.values()})
    notes = " ".join(one.note for one in PUBLISHED_RESULTS if one.note and one.name in rows)
    return "\n".join(
        [
            "The preset `paper` of UNSIR on torchvision's ResNet-18 at 32 pixels, trained for 40 epochs on the whole "
            "data set without augmentation. Accuracies in per cent on 8,000 unseen pictures (the other 2,000 of the "
            "test set are for validation), one run each with seed 0; there is no gold here. The paper does not say "
            "which classes it forgot: here they are the first ones. "
            f"Our training recipe is one cycle of AdamW, theirs Adam lowered where it stalls. {notes} Seconds are "
            "those of forgetting, with whatever else the machine was doing. Measured on: "
            f"{', '.join(measured)}.",
            "",
            *lines,
        ]
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
