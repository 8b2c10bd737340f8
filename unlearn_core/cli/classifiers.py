"""`classifiers`: the nets that can be made to forget."""

import argparse
import json
from typing import Any

HELP = "List the classifiers, what they were trained on, and which golds ship with them."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    found = _found()
    if args.json:
        print(json.dumps(found, indent=1))
        return 0
    for one in found:
        print(f"{one['id']}: {one['title']}")
        print(f"  {one['summary']}")
        print(f"  trained on {one['dataset']}: {one['source']}")
        for net in one["nets"]:
            what = f"never saw {net['forget']}" if net["forget"] else "saw every class"
            print(f"  {net['name']:<20} {what}, seed {net['seed']}")
        print(f"  licence: {one['licence']}")
    return 0


def _found() -> list[dict[str, Any]]:
    """Every card, with the nets that ship: an original saw every class, a gold never saw some."""
    from unlearn_core.catalog import classifiers, datasets, nets
    from unlearn_core.domain.report import in_words

    found = []
    for card in classifiers.cards().values():
        dataset = datasets.card(card.dataset)
        shipped = [
            {"name": net.name, "forget": net.forget and in_words(net.forget, dataset), "seed": net.seed}
            for net in nets.shipped(card.id)
        ]
        found.append({**card.model_dump(mode="json"), "nets": shipped})
    return found
