"""The model card that goes with weights: what the net is, what was done to it, how it fares, and what is not proven."""

import re

from unlearn_core.charts import verdict
from unlearn_core.charts.words import by_class, capital
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.export import command
from unlearn_core.export.subject import SETS, versions

_ACTIVE = re.compile(r"[\\`*_\[\]<>#|~!&]")


def card(report: Report) -> str:
    """The card as Markdown, with a head that model hubs read. Names of others are escaped."""
    net, data = report.classifier, report.dataset
    return "\n".join(
        [
            "---",
            "library_name: pytorch",
            "pipeline_tag: image-classification",
            "tags: [machine-unlearning, unlearn-lab]",
            "license: other",
            "---",
            f"# {_plain(net.title)} after forgetting {_plain(report.forgotten)}",
            "",
            f"{_plain(net.summary)} Trained on {_plain(data.title)}, then made to forget "
            f"{_what(report)} by {_plain(report.method)} with Unlearn Lab.",
            "",
            f"* **Input**: pictures of {data.size} × {data.size} pixels, RGB, values from 0 to 1; the first layer "
            f"normalises them (mean {_numbers(net.mean)}, standard deviation {_numbers(net.std)}).",
            f"* **Output**: {len(data.classes)} logits, in this order: {', '.join(map(_plain, data.classes))}.",
            f"* **Layers**: {', '.join(map(_plain, net.roles.layers))}.",
            "* **Format**: safetensors, a state dict in full precision; checksum of the weights "
            f"`{report.evaluations['after'].weights[:16]}`."
            if "after" in report.evaluations
            else "* **Format**: safetensors.",
            "",
            "## How it fares",
            "",
            *_table(report),
            "",
            *(f"* **{capital(one.title)}.** {_plain(one.words)}" for one in verdict.verdicts(report)),
            "",
            "## What this does not prove",
            "",
            f"{_plain(verdict.doubt(report))} These figures compare answers: they are no privacy guarantee, and say "
            "nothing about other nets or data. Do not rely on these weights where somebody's rights depend on it.",
            "",
            "## How to load it",
            "",
            "From the folder of Unlearn Lab:",
            "",
            "```python",
            "from safetensors.torch import load_file",
            "from unlearn_core.catalog import classifiers, datasets",
            "",
            f"card = classifiers.card({net.id!r})",
            "net = classifiers.build(card, datasets.card(card.dataset))",
            'net.load_state_dict(load_file("weights.safetensors"))',
            "```",
            "",
            "## How it was made",
            "",
            f"    {command.run(report.spec, data)}",
            "",
            f"Seed {report.spec.seed}; {_plain(versions(report))}.",
            "",
            "## Licence",
            "",
            f"* {_plain(net.title)}: {_plain(net.licence)} {_plain(net.source)}",
            f"* {_plain(data.title)}: {_plain(data.licence)} {_plain(data.source)}",
            "",
        ]
    )


def _what(report: Report) -> str:
    count = len(report.split.forget_train)
    pictures = "1 training picture" if count == 1 else f"{count:,} training pictures"
    return f"{_plain(report.forgotten)} ({pictures})" if by_class(report) else pictures


def _table(report: Report) -> list[str]:
    """The accuracies as a Markdown table, or the reason why there are none."""
    if "accuracy" not in report.parts:
        return [_plain(report.missing.get("accuracy", "Its accuracies were not measured."))]
    facts = report.parts["accuracy"].facts
    rows = ["| named rightly, % | before | after | gold | pictures |", "|---|---:|---:|---:|---:|"]
    for name, (side, which) in SETS.items():
        scores = [facts.get(model, {}).get(name) for model in MODELS]
        known = [score for score in scores if score and score["accuracy"] is not None]
        if known:
            cells = [f"{100 * one['accuracy']:.1f}" if one in known else "–" for one in scores]
            rows.append(f"| {side.lower()}, {which} | {' | '.join(cells)} | {known[0]['of']:,} |")
    return rows


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _plain(text: str) -> str:
    """Text that Markdown shows letter for letter."""
    return _ACTIVE.sub(r"\\\g<0>", " ".join(text.split()))
