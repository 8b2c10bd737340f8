"""`classifiers`: list the models that can unlearn; add a checkpoint as one, or remove your own."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli._bar import ProgressBar
from unlearn_core.domain.errors import InvalidCheckpointError, InvalidRequestError

if TYPE_CHECKING:
    from unlearn_core.domain.results.checkpoint import CheckpointResult

HELP = "List the classifiers and their bundled retrained models; add a checkpoint, or remove your own classifiers."

MAX_TENSORS_SHOWN = 8
"""How many tensor names of each kind are printed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    doing = parser.add_subparsers(dest="doing", metavar="add | remove")
    add = doing.add_parser("add", help="validate a checkpoint, and add it if it fits", allow_abbrev=False)
    add.add_argument("file", type=Path, help=".safetensors, or .pt or .pth with weights only")
    add.add_argument(
        "--architecture", required=True, metavar="ID", help="the architecture of the model, such as resnet20"
    )
    add.add_argument("--dataset", required=True, metavar="ID", help="the data set it was trained on")
    add.add_argument("--mean", metavar="R,G,B", help="mean subtracted from pixels in [0, 1] (that of the data set)")
    add.add_argument(
        "--std", metavar="R,G,B", help="standard deviation that pixels are divided by (that of the data set)"
    )
    add.add_argument("--name", default="", help="its name in the catalog (the file name)")
    add.add_argument("--anyway", action="store_true", help="add it even if its accuracy is no better than chance")
    add.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    remove = doing.add_parser("remove", help="remove a classifier that you trained or uploaded", allow_abbrev=False)
    remove.add_argument("id", metavar="ID")


def run(args: argparse.Namespace) -> int:
    if args.doing == "add":
        return _add(args)
    if args.doing == "remove":
        return _remove(args.id)
    found = _found_classifiers()
    if args.json:
        print(json.dumps(found, indent=1))
        return 0
    for classifier in found:
        print(f"{classifier['id']}: {classifier['title']}")
        print(f"  {classifier['summary']}")
        print(f"  data set {classifier['dataset']}; source: {classifier['source']}")
        for model in classifier["nets"]:
            training = f"retrained without {model['forget']}" if model["forget"] else "trained on all classes"
            print(f"  {model['name']:<20} {training}, seed {model['seed']}")
        print(f"  licence: {classifier['licence']}")
    return 0


def _found_classifiers() -> list[dict[str, Any]]:
    """Return every card with its bundled models: originals, and models retrained without a class."""
    from unlearn_core.data import datasets
    from unlearn_core.domain.report import describe_forget_set
    from unlearn_core.models import bundled_models, classifiers

    found = []
    for card in classifiers.cards().values():
        dataset = datasets.card(card.dataset)
        bundled = [
            {
                "name": model.name,
                "forget": model.forget and describe_forget_set(model.forget, dataset),
                "seed": model.seed,
            }
            for model in bundled_models.bundled(card.id)
        ]
        found.append({**card.model_dump(mode="json"), "nets": bundled})
    return found


def _add(args: argparse.Namespace) -> int:
    from unlearn_core.domain.jobs import AddCheckpointSpec
    from unlearn_core.engine.jobs.add_checkpoint import add_locally
    from unlearn_core.models import user_models
    from unlearn_core.models.upload import receive
    from unlearn_core.store.data_folder import open_data_dir

    folder = open_data_dir()
    mean, std = _normalization(args)
    try:
        with args.file.expanduser().open("rb") as file:
            upload = receive.receive(file)
    except OSError as problem:
        raise InvalidCheckpointError(f"Cannot read {args.file} ({problem.strerror}). Check the path.") from None
    spec = AddCheckpointSpec(
        upload=upload,
        architecture=args.architecture,
        dataset=args.dataset,
        name=args.name or args.file.stem,
        mean=mean,
        std=std,
    )
    with ProgressBar() as bar:
        number, metrics, result = add_locally(spec, device=args.device, data_dir=folder, listener=bar)
    print("\n".join(as_lines(number, result, args.dataset)))
    if metrics.classifier is None or metrics.accuracies is None:  # It does not fit.
        return 2
    best = metrics.accuracies.val or metrics.accuracies.test or 0.0
    if best <= 1.5 * (metrics.chance or 0.0) and not args.anyway:
        print(
            "The accuracy is hardly better than chance, so the model was not added. Check --mean, --std and the order"
        )
        print("of the classes, or add it with --anyway.")
        return 2
    user_models.accept(metrics.classifier)
    print(f"It was added to the catalog as {metrics.classifier}.")
    return 0


def as_lines(number: int, result: "CheckpointResult", dataset: str) -> list[str]:
    """Return the result as readable lines: which tensors fit, which do not, and the accuracies."""
    from unlearn_core.data import datasets

    lines = [
        f"Run {number}: {result.tensors:,} tensors. " + ("All weights of the model are there." if result.fits else "")
    ]
    wrong_shapes = [f"{name} {list(found)}, not {list(expected)}" for name, expected, found in result.shape_mismatches]
    for title, names, count in (
        ("missing", result.missing, result.counts.missing),
        ("unexpected", result.unexpected, result.counts.unexpected),
        ("wrong shape", wrong_shapes, result.counts.shapes),
    ):
        shown = names[:MAX_TENSORS_SHOWN]
        if count:
            lines.append(f"  {title} ({count:,}): {', '.join(map(ascii, shown))}{' ...' if count > len(shown) else ''}")
    found = result.accuracies
    if found is None:
        return [*lines, result.reason]
    lines += [f"  {name:<24}{share:>7.1%}" for name, share in found.by_split.items() if share is not None]
    names = datasets.card(dataset).classes
    return lines + [
        f"    {name:<22}{share:>7.1%}" for name, share in zip(names, found.by_class, strict=True) if share is not None
    ]


def _normalization(args: argparse.Namespace) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return the mean and standard deviation given, or else those of the data set's images."""
    from unlearn_core.data import datasets
    from unlearn_core.data.pixel_statistics import channel_statistics

    given = [
        None if text is None else _parse_rgb(text, option)
        for option, text in (("--mean", args.mean), ("--std", args.std))
    ]
    if None in given:
        defaults = channel_statistics(datasets.load(args.dataset))
        given = [value or default for value, default in zip(given, defaults, strict=True)]
    mean, std = given
    assert mean is not None and std is not None
    if min(std) <= 0:
        raise InvalidRequestError("--std takes three numbers above 0, because pixels are divided by them.")
    return mean, std


def _parse_rgb(text: str, option: str) -> tuple[float, float, float]:
    import math

    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        red = green = blue = math.nan
    if not all(math.isfinite(value) for value in (red, green, blue)):
        raise InvalidRequestError(f"{option} takes three numbers, such as 0.49,0.48,0.45, not {text[:40]!r}.")
    return red, green, blue


def _remove(name: str) -> int:
    from unlearn_core.store import deletion
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    deletion.delete_classifier(RunStore(open_data_dir()), name)
    print(f"{name} and its retrained models were removed. Reports of its runs stay.")
    return 0
