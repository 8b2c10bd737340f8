"""`train`: train your own classifier now, without the queue."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.cli import _forecast
from unlearn_core.cli._terminal import ProgressBar
from unlearn_core.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from unlearn_core.domain.jobs import TrainSpec
    from unlearn_core.domain.recipe import Recipe
    from unlearn_core.domain.results.metrics import RunMetrics
    from unlearn_core.engine.forecasts.duration import Forecast

HELP = "Train a classifier now and add it to the catalog with its recipe, so that it can also be retrained."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--classifier", required=True, metavar="ID", help="the architecture, such as resnet20 or timm:resnet26"
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="the data set; `datasets` lists them")
    parser.add_argument("--name", default="", help="its name in the catalog")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="ID",
        help="start from this classifier with a new head, or from weights such as timm:NAME",
    )
    parser.add_argument("--epochs", type=int, help="number of epochs (from the recipe)")
    parser.add_argument("--batch", type=int, help="batch size (from the recipe)")
    parser.add_argument("--peak", type=float, help="peak learning rate (from the recipe)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _forecast.add_yes(parser)


def run(args: argparse.Namespace) -> int:
    _forecast.adapt_threads()
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
    _forecast.say_and_ask(_time(spec, device), yes=args.yes)
    with ProgressBar() as bar:
        number, metrics = train_locally(spec, device=device, data_dir=open_data_dir(), listener=bar)
    as_json = {"run": number} | metrics.to_dict()
    print(json.dumps(as_json, indent=1) if args.json else as_text(number, metrics, open_data_dir()))
    return 0


def _time(spec: "TrainSpec", device: str) -> "Forecast | None":
    from unlearn_core.data import datasets
    from unlearn_core.engine.forecasts.here import of_training
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    store = RunStore(open_data_dir())
    return of_training(spec.architecture, datasets.card(spec.dataset), spec.recipe, store, device=device)


def _recipe(args: argparse.Namespace, device: str) -> "Recipe":
    """Return the architecture's recipe (on a GPU its fast one), adapted to small data sets, with the options given."""
    from unlearn_core.data import datasets
    from unlearn_core.domain.recipe import GPU_RECIPES, Recipe, adapt_to_size
    from unlearn_core.models import architectures

    data = datasets.card(args.dataset)
    default = architectures.card(args.classifier, data.size).recipe
    recipe = adapt_to_size(GPU_RECIPES.get(args.classifier, default) if device != "cpu" else default, data.train)
    given = {name: getattr(args, name) for name in ("epochs", "batch", "peak")}
    return Recipe.model_validate(
        recipe.model_dump() | {name: value for name, value in given.items() if value is not None}
    )


def as_text(number: int, metrics: "RunMetrics", data_dir: Path) -> str:
    """Return the result as readable text."""
    if metrics.accuracies is None:
        return f"{metrics.classifier} is already trained, with the same recipe and seed."
    found = metrics.accuracies.by_split.items()
    shares = [f"{_SPLITS[name]} {share:.1%}" for name, share in found if share is not None]
    return (
        f"Run {number}: accuracy of {metrics.classifier}: {', '.join(shares)} "
        f"({metrics.total_seconds:.1f} s).\nNext, unlearn with it: "
        f"`python -m unlearn_core run --classifier {metrics.classifier} ...`. "
        f"Its weights are in {data_dir / 'trained'}."
    )


_SPLITS = {"train": "training", "val": "validation", "test": "test"}
