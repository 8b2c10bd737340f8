"""`datasets`: the pictures that there are."""

import argparse
import json

HELP = "List the data sets, with their classes and terms."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.catalog.datasets import cards

    if args.json:
        print(json.dumps([card.model_dump(mode="json") for card in cards().values()], indent=1))
        return 0
    for card in cards().values():
        print(f"{card.id}: {card.title}")
        print(f"  {card.summary}")
        counts = f"{card.train:,} training, {card.val:,} validation and {card.test:,} test pictures"
        print(f"  {counts}, {card.size} pixels wide")
        print(f"  classes: {', '.join(card.classes)}")
        print(f"  terms: {card.licence}")
    return 0
