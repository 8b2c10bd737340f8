"""`classifiers`: the nets that can be made to forget; also takes in a checkpoint, and removes what was taken in."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli._bar import ProgressBar
from unlearn_core.domain.errors import InvalidCheckpointError, InvalidRequestError

if TYPE_CHECKING:
    from unlearn_core.domain.measurement import ReportPart

HELP = "List the classifiers and which golds ship with them; `add` takes in a checkpoint, `remove` removes your own."

NAMES_SHOWN = 8
"""How many names of a kind are printed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    doing = parser.add_subparsers(dest="doing", metavar="add | remove")
    add = doing.add_parser("add", help="look a checkpoint over, and take it in if it fits", allow_abbrev=False)
    add.add_argument("file", type=Path, help=".safetensors, or .pt and .pth that hold plain weights")
    add.add_argument("--architecture", required=True, metavar="ID", help="which kind of net it is, such as resnet20")
    add.add_argument("--dataset", required=True, metavar="ID", help="which pictures it was trained on")
    add.add_argument("--mean", metavar="R,G,B", help="what was subtracted from pixels in [0, 1] (the data set's mean)")
    add.add_argument("--std", metavar="R,G,B", help="what they were divided by (the data set's deviation)")
    add.add_argument("--name", default="", help="what to call it (the file's name)")
    add.add_argument("--anyway", action="store_true", help="take it in even if it is no better than chance")
    add.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    remove = doing.add_parser("remove", help="remove one that was trained or brought here", allow_abbrev=False)
    remove.add_argument("id")


def run(args: argparse.Namespace) -> int:
    if args.doing == "add":
        return _add(args)
    if args.doing == "remove":
        return _remove(args.id)
    found = _found_classifiers()
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


def _found_classifiers() -> list[dict[str, Any]]:
    """Every card, with the nets that ship: an original saw every class, a gold never saw some."""
    from unlearn_core.data import datasets
    from unlearn_core.domain.report import describe_forget_set
    from unlearn_core.models import bundled_models, classifiers

    found = []
    for card in classifiers.cards().values():
        dataset = datasets.card(card.dataset)
        shipped = [
            {"name": net.name, "forget": net.forget and describe_forget_set(net.forget, dataset), "seed": net.seed}
            for net in bundled_models.bundled(card.id)
        ]
        found.append({**card.model_dump(mode="json"), "nets": shipped})
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
        raise InvalidCheckpointError(f"{args.file} cannot be read ({problem.strerror}). Name the file.") from None
    spec = AddCheckpointSpec(
        upload=upload,
        architecture=args.architecture,
        dataset=args.dataset,
        name=args.name or args.file.stem,
        mean=mean,
        std=std,
    )
    with ProgressBar() as bar:
        number, headline, part = add_locally(spec, device=args.device, data_dir=folder, listener=bar)
    print("\n".join(as_lines(number, headline, part, args.dataset)))
    if not headline["fits"]:
        return 2
    best = headline["accuracies"]["val"] or headline["accuracies"]["test"] or 0.0
    if best <= 1.5 * headline["chance"] and not args.anyway:
        print("That is hardly better than chance, so it was not taken in: look at --mean, --std, and the order of the")
        print("classes. To take it in nevertheless, say so with --anyway.")
        return 2
    user_models.accept(headline["classifier"])
    print(f"It is in the catalog as {headline['classifier']}.")
    return 0


def as_lines(number: int, headline: dict[str, Any], part: "ReportPart", dataset: str) -> list[str]:
    """What was found, as people read it: what fits, what does not, how good it is."""
    from unlearn_core.data import datasets

    facts = part.facts
    lines = [f"Run {number}: {facts['tensors']:,} tensors. " + ("All of the net is there." if facts["fits"] else "")]
    for name, count in zip(("missing", "unexpected", "shapes"), facts["counts"], strict=True):
        shown = [
            one if isinstance(one, str) else f"{one[0]} {one[2]}, not {one[1]}" for one in facts[name][:NAMES_SHOWN]
        ]
        if count:
            title = {"shapes": "of another shape"}.get(name, name)
            lines.append(f"  {title} ({count:,}): {', '.join(map(ascii, shown))}{' ...' if count > len(shown) else ''}")
    if not facts["fits"]:
        return [*lines, facts["why"]]
    found = headline["accuracies"]
    lines += [f"  {name:<24}{found[name]:>7.1%}" for name in ("train", "val", "test") if found[name] is not None]
    names = datasets.card(dataset).classes
    return lines + [
        f"    {name:<22}{share:>7.1%}" for name, share in zip(names, found["classes"], strict=True) if share is not None
    ]


def _normalization(args: argparse.Namespace) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and deviation as they were said, else those of the data set's pictures."""
    from unlearn_core.data import datasets
    from unlearn_core.data.pixel_statistics import channel_statistics

    said = [
        None if text is None else _parse_rgb(text, option)
        for option, text in (("--mean", args.mean), ("--std", args.std))
    ]
    if None in said:
        usual = channel_statistics(datasets.load(args.dataset))
        said = [own or one for own, one in zip(said, usual, strict=True)]
    mean, std = said
    assert mean is not None and std is not None
    if min(std) <= 0:
        raise InvalidRequestError(
            "--std is three numbers above 0: with anything less, pixels could not be divided by it."
        )
    return mean, std


def _parse_rgb(text: str, option: str) -> tuple[float, float, float]:
    import math

    try:
        red, green, blue = (float(one) for one in text.split(","))
    except ValueError:
        red = green = blue = math.nan
    if not all(math.isfinite(one) for one in (red, green, blue)):
        raise InvalidRequestError(f"{option} takes three numbers, such as 0.49,0.48,0.45; {text[:40]!r} is not that.")
    return red, green, blue


def _remove(name: str) -> int:
    from unlearn_core.store import deletion
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    deletion.delete_classifier(RunStore(open_data_dir()), name)
    print(f"{name} is gone, and its golds with it. Reports of its runs stay.")
    return 0
