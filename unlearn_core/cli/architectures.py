"""`architectures`: the kinds of nets that can be trained or loaded here."""

import argparse
import json

from unlearn_core.domain.cards import ArchitectureCard

HELP = "List the architectures on the shelf; or look at one, also one of torchvision's or timm's, by name."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="one of the list, torchvision:NAME or timm:NAME")
    parser.add_argument("--size", type=int, help="for pictures of so many pixels a side (the net's own size)")
    parser.add_argument("--json", action="store_true", help="print one JSON list")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.models import architectures, external

    found = [architectures.card(args.name, args.size)] if args.name else list(architectures.cards().values())
    if args.json:
        print(json.dumps([card.model_dump(mode="json") for card in found], indent=1))
        return 0
    for card in found:
        print(as_text(card, with_layers=bool(args.name)))
    if not args.name:
        counts = [f"{len(external.architectures(one)):,} of {one}'s ({one}:NAME)" for one in external.LIBRARIES]
        print(f"\nAnd by name {' and '.join(counts)}.")
    return 0


def as_text(card: ArchitectureCard, *, with_layers: bool) -> str:
    """A card as people read it; `whole` with its layers."""
    from unlearn_core.domain.recipe import describe_recipe

    own = card.roles
    lines = [
        f"{card.id}: {card.title}",
        f"  {card.summary}",
        f"  pictures of {card.smallest} pixels or more; usually trained by {describe_recipe(card.recipe)}",
    ]
    if with_layers:
        maps = (
            f"at {own.cam}, or any of {', '.join(own.explainable_layers)}"
            if own.cam
            else "nowhere: no layer has places"
        )
        lines += [
            f"  layers: {', '.join(own.layers)}",
            f"  head: {', '.join(own.head)}; projection shortcuts: {', '.join(own.shortcuts) or 'none'}",
            f"  GradCAM looks {maps}",
        ]
    return "\n".join([*lines, f"  source: {card.source}"])
