"""`methods`: what can forget, with every knob and preset."""

import argparse
import json
from typing import Any

from unlearn_core.domain.method import Method
from unlearn_core.domain.params import Knob

HELP = "List the unlearning methods, with their knobs, ranges and presets."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.methods import methods

    found = methods().values()
    if args.json:
        print(json.dumps([_plain(method) for method in found], indent=1))
    else:
        print("\n\n".join(_text(method) for method in found))
    return 0


def _plain(method: Method) -> dict[str, Any]:
    return {
        "id": method.id,
        "title": method.title,
        "group": method.group,
        "summary": method.summary,
        "idea": method.idea,
        "fails": method.fails,
        "paper": method.paper._asdict(),
        "supports": sorted(method.supports),
        "knobs": [knob._asdict() for knob in method.params.knobs().values()],
        "presets": {
            name: {
                "title": preset.title,
                "summary": preset.summary,
                "params": preset.params.model_dump(),
                "fitted": {scale: params.model_dump() for scale, params in preset.fitted.items()},
            }
            for name, preset in method.presets.items()
        },
    }


def _text(method: Method) -> str:
    forgets = " and ".join(
        {"classes": "whole classes", "images": "single pictures"}[kind] for kind in sorted(method.supports)
    )
    return "\n".join(
        [
            f"{method.id}: {method.title} ({method.summary})",
            f"  Forgets {forgets}. {method.paper.title}",
            "  knobs",
            *(f"    {_knob(knob)}" for knob in method.params.knobs().values()),
            "  presets",
            *(f"    {name:<16} {preset.summary}" for name, preset in method.presets.items()),
        ]
    )


def _knob(knob: Knob) -> str:
    if knob.choices:
        span = " | ".join(knob.choices)
    elif knob.kind == "bool":
        span = "true | false"
    elif knob.kind == "numbers":
        span = "whole numbers, with commas"
    else:
        span = f"{knob.low:g} to {knob.high:g}"
    unit = f" {knob.unit}" if knob.unit else ""
    return f"{knob.name:<16} {knob.default!s:<8} {span + unit:<24} {knob.title}"
