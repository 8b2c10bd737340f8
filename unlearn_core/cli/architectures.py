"""`architectures`: list the model architectures that can be trained or loaded."""

import argparse
import json

from unlearn_core.domain.cards import ArchitectureCard

HELP = "List the built-in architectures, or show one by name, including any of torchvision or timm."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="a built-in architecture, torchvision:NAME or timm:NAME"
    )
    parser.add_argument(
        "--size", type=int, help="image size in pixels (default: the size the architecture was made for)"
    )
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
        counts = [f"{len(external.architectures(name)):,} from {name} ({name}:NAME)" for name in external.LIBRARIES]
        print(f"\nBy name also: {' and '.join(counts)}.")
    return 0


def as_text(card: ArchitectureCard, *, with_layers: bool) -> str:
    """Return a card as readable text, on request with its layers."""
    from unlearn_core.domain.recipe import describe_recipe

    roles, size = card.roles, "any size" if card.smallest == 1 else f"{card.smallest} pixels or more"
    lines = [
        f"{card.id}: {card.title}",
        f"  {card.summary}",
        f"  images of {size}; default recipe: {describe_recipe(card.recipe)}",
    ]
    if with_layers:
        maps = (
            f"{roles.cam} by default, or any of {', '.join(roles.explainable_layers)}"
            if roles.cam
            else "not available, because no layer has spatial positions"
        )
        lines += [
            f"  layers: {', '.join(roles.layers)}",
            f"  head: {', '.join(roles.head)}; projection shortcuts: {', '.join(roles.shortcuts) or 'none'}",
            f"  Grad-CAM layer: {maps}",
        ]
    return "\n".join([*lines, f"  source: {card.source}"])
