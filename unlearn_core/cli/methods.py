"""`methods`: list the unlearning methods with their hyperparameters and presets."""

import argparse
import json
from typing import Any

from unlearn_core.domain.method import Method, kind_title
from unlearn_core.domain.params import HyperparameterInfo

HELP = "List the unlearning methods with their hyperparameters, ranges and presets."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.methods import methods

    found = methods().values()
    if args.json:
        print(json.dumps([_as_dict(method) for method in found], indent=1))
    else:
        print("\n\n".join(_text(method) for method in found))
    return 0


def _as_dict(method: Method) -> dict[str, Any]:
    return {
        "id": method.id,
        "title": method.title,
        "group": method.group,
        "summary": method.summary,
        "idea": method.idea,
        "fails": method.failure_modes,
        "paper": method.paper._asdict(),
        "supports": sorted(method.supports),
        "knobs": [info._asdict() for info in method.params.hyperparameters().values()],
        "presets": {
            name: {
                "title": preset.title,
                "summary": preset.summary,
                "params": preset.params.model_dump(),
                "fitted": {scale: params.model_dump() for scale, params in preset.by_request_size.items()},
            }
            for name, preset in method.presets.items()
        },
        "auto": None if method.tuning is None else {"finds": method.tuning.finds, "rule": method.tuning.rule},
    }


def _text(method: Method) -> str:
    forgets = " and ".join(kind_title(kind) for kind in sorted(method.supports))
    return "\n".join(
        [
            f"{method.id}: {method.title} ({method.summary})",
            f"  Forgets {forgets}. {method.paper.title}",
            "  hyperparameters",
            *(f"    {_hyperparameter_text(info)}" for info in method.params.hyperparameters().values()),
            "  presets",
            *(f"    {name:<16} {preset.summary}" for name, preset in method.presets.items()),
            *([f"    {'auto':<16} Found by the run: {method.tuning.rule}"] if method.tuning else []),
        ]
    )


def _hyperparameter_text(info: HyperparameterInfo) -> str:
    if info.choices:
        span = " | ".join(info.choices)
    elif info.kind == "bool":
        span = "true | false"
    elif info.kind == "numbers":
        span = "integers separated by commas"
    else:
        span = f"{info.low:g} to {info.high:g}"
    unit = f" {info.unit}" if info.unit else ""
    return f"{info.name:<16} {info.default!s:<8} {span + unit:<24} {info.title}"
