"""`train`: a classifier of one's own, here and now."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli._bar import ProgressBar
from unlearn_core.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from unlearn_core.domain.recipe import Recipe

HELP = "Train a classifier here and now; it then stands in the catalog with its recipe, so that gold is defined."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--classifier", required=True, metavar="ID", help="which architecture, such as resnet20 or timm:resnet26"
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="on which pictures; `datasets` lists them")
    parser.add_argument("--name", default="", help="what to call it")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="ID",
        help="a classifier to begin with, its head replaced; or weights such as timm:NAME",
    )
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--batch", type=int, help="pictures a step, instead of the recipe's")
    parser.add_argument("--peak", type=float, help="highest learning rate, instead of the recipe's")
    parser.add_argument("--seed", type=int, default=0, help="makes all random draws (0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from pydantic import ValidationError

    from unlearn_core.domain.jobs import TrainSpec
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.engine.jobs.train_classifier import train_locally
    from unlearn_core.store.data_folder import open_data_dir

    device = resolve_device(args.device)
    try:
        spec = TrainSpec(
            architecture=args.classifier,
            dataset=args.dataset,
            name=args.name,
            recipe=_recipe(args, device),
            seed=args.seed,
            start=args.start,
        )
    except ValidationError as problem:
        first = problem.errors()[0]
        raise InvalidRequestError(f"--{first['loc'][-1]}: {first['msg'].lower()}.") from None
    with ProgressBar() as bar:
        number, headline = train_locally(spec, device=device, data_dir=open_data_dir(), listener=bar)
    print(json.dumps({"run": number} | headline, indent=1) if args.json else as_text(number, headline, open_data_dir()))
    return 0


def _recipe(args: argparse.Namespace, device: str) -> "Recipe":
    """The architecture's recipe, or on a GPU its fast one, suited to few pictures, with what was said otherwise."""
    from unlearn_core.data import datasets
    from unlearn_core.domain.recipe import GPU_RECIPES, Recipe, adapt_to_size
    from unlearn_core.models import architectures

    data = datasets.card(args.dataset)
    usual = architectures.card(args.classifier, data.size).recipe
    recipe = adapt_to_size(GPU_RECIPES.get(args.classifier, usual) if device != "cpu" else usual, data.train)
    said = {name: getattr(args, name) for name in ("epochs", "batch", "peak")}
    return Recipe.model_validate(recipe.model_dump() | {name: one for name, one in said.items() if one is not None})


def as_text(number: int, headline: dict[str, Any], data_dir: Path) -> str:
    """What came of it, as people read it."""
    if "accuracies" not in headline:
        return f"{headline['classifier']} was trained already, by the same recipe from the same seed."
    found = headline["accuracies"]
    shares = [f"{found[name]:.1%} of the {what}" for name, what in _SPLITS.items() if found[name] is not None]
    return (
        f"Run {number}: {headline['classifier']} is right about {', '.join(shares)} pictures "
        f"({headline['seconds']['total']:.1f} s).\nNow make it forget: "
        f"`python -m unlearn_core run --classifier {headline['classifier']} ...`. It lies in {data_dir / 'trained'}."
    )


_SPLITS = {"train": "training", "val": "validation", "test": "test"}
