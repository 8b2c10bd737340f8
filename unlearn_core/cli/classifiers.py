"""`classifiers`: list the models that can unlearn; add a checkpoint as one, or remove your own."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli._terminal import ProgressBar
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
    add.add_argument("file", type=Path, help="weights: safetensors, or what torch.save wrote")
    add.add_argument(
        "--architecture", default="", metavar="ID", help="the architecture, such as resnet20 (found from the file)"
    )
    add.add_argument("--dataset", required=True, metavar="ID", help="the data set it was trained on")
    add.add_argument("--entry", default="", metavar="NAME", help="the entry of the file that holds the weights")
    add.add_argument(
        "--mean", metavar="R,G,B", help="mean subtracted from pixels in [0, 1] (the most accurate of the usual ones)"
    )
    add.add_argument(
        "--std", metavar="R,G,B", help="standard deviation that pixels are divided by (likewise; that of the data set)"
    )
    add.add_argument(
        "--reorder-classes", action="store_true", help="put its outputs into the order that fits the data set's classes"
    )
    add.add_argument("--name", default="", help="its name in the catalog (the file name)")
    add.add_argument("--anyway", action="store_true", help="add it even if its accuracy proves no fit")
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
    from unlearn_core.models.upload import receive
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

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
        entry=args.entry,
        reorder=args.reorder_classes,
    )
    with ProgressBar() as bar:
        number, metrics, result = add_locally(spec, device=args.device, data_dir=folder, listener=bar)
    print("\n".join(as_lines(number, result, args.dataset, reorder=spec.reorder)))
    if metrics.classifier is None:  # It does not fit.
        return 2
    if not result.is_proved and not args.anyway:
        print("The model was not added. Add it with --anyway if you know better.")
        return 2
    RunStore(folder).items.accept_classifier(metrics.classifier)
    print(f"It was added to the catalog as {metrics.classifier}.")
    return 0


def as_lines(number: int, result: "CheckpointResult", dataset: str, *, reorder: bool = False) -> list[str]:
    """Return the result as readable lines: how the file was read, what fits, the accuracies and what they prove."""
    from unlearn_core.charts.text import checkpoint_findings as findings
    from unlearn_core.data import datasets

    lines = [f"Run {number}: {result.tensors:,} tensors. {findings.fit_sentence(result)}".rstrip()]
    lines += [f"  {what:<14} {how}" for what, how in findings.reading_rows(result)]
    lines += [f"    {trial.title:<36}{trial.accuracy or 0:>7.1%}" for trial in result.trials]
    wrong_shapes = [f"{name} {list(found)}, not {list(expected)}" for name, expected, found in result.shape_mismatches]
    for title, names, count in (
        ("missing", result.missing, result.counts.missing),
        ("left over", result.unexpected, result.counts.unexpected),
        ("wrong shape", wrong_shapes, result.counts.shapes),
    ):
        shown = names[:MAX_TENSORS_SHOWN]
        if count:
            lines.append(f"  {title} ({count:,}): {', '.join(map(ascii, shown))}{' ...' if count > len(shown) else ''}")
    others = [entry.name for entry in result.entries if entry.name != result.entry]
    if others:
        lines.append(f"  other entries, for --entry: {', '.join(map(ascii, others[:MAX_TENSORS_SHOWN]))}")
    found = result.accuracies
    if found is None:
        return [*lines, result.reason]
    lines += [f"  {name:<24}{share:>7.1%}" for name, share in found.by_split.items() if share is not None]
    names = datasets.card(dataset).classes
    lines += [
        f"    {name:<22}{share:>7.1%}" for name, share in zip(names, found.by_class, strict=True) if share is not None
    ]
    return [*lines, findings.proof_sentence(result), *_order_lines(result, reorder)]


def _order_lines(result: "CheckpointResult", reorder: bool) -> list[str]:
    from unlearn_core.charts.text import checkpoint_findings as findings

    order = result.class_order
    if order is None:
        return ["No other order of the classes is clearly better, so the outputs stay as they are."] if reorder else []
    return [findings.order_sentence(order) + ("" if order.applied else " To reorder them, use --reorder-classes.")]


def _normalization(
    args: argparse.Namespace,
) -> tuple[tuple[float, float, float], tuple[float, float, float]] | tuple[None, None]:
    """Return the mean and standard deviation given, one that is missing from the data set; None if both are missing."""
    from unlearn_core.data import datasets
    from unlearn_core.data.pixel_statistics import channel_statistics

    given = [
        None if text is None else _parse_rgb(text, option)
        for option, text in (("--mean", args.mean), ("--std", args.std))
    ]
    if given == [None, None]:
        return None, None
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
