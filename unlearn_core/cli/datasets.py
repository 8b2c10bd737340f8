"""`datasets`: list the data sets; add, remove, restore or delete your own."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli._terminal import ProgressBar
from unlearn_core.domain.errors import InvalidDatasetError, StoreError

if TYPE_CHECKING:
    from unlearn_core.data.duplicates import Duplicates

HELP = "List the data sets with their classes and licences; add, remove, restore or delete your own."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    actions = parser.add_subparsers(metavar="ACTION", dest="what")
    listed = actions.add_parser("sources", help="list the sources of data sets, with their options")
    listed.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON list")
    add = actions.add_parser("add", help="import a data set now", allow_abbrev=False)
    add.add_argument("source", metavar="SOURCE", help="where it comes from; `datasets sources` lists them")
    add.add_argument("--file", type=Path, metavar="ZIP", help="a zip with one folder per class, for the source zip")
    add.add_argument("--root", type=Path, metavar="DIR", help="the folder with the files, instead of UNLEARN_DATA_ROOT")
    add.add_argument(
        "--set", action="append", default=[], metavar="OPTION=VALUE", help="set an option of the source; repeatable"
    )
    add.add_argument(
        "--encoding", metavar="NAME", help="how names are written that are not UTF-8: gb18030, cp932, cp1252"
    )
    add.add_argument("--size", type=int, metavar="PIXELS", help="resize images to this width (the original size)")
    add.add_argument("--fit", choices=("crop", "pad"), help="crop images to squares, or pad them with black")
    add.add_argument("--name", default="", help="its name in the catalog")
    copies = actions.add_parser("duplicates", help="list exact and near copies, and what else may mislead")
    copies.add_argument("dataset", metavar="ID")
    copies.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")
    for name, words in (
        ("remove", "remove a data set of your own; it can be restored"),
        ("restore", "restore a removed data set"),
        ("delete", "delete a removed data set permanently"),
    ):
        actions.add_parser(name, help=words).add_argument("dataset", metavar="ID")


def run(args: argparse.Namespace) -> int:
    match args.what:
        case "sources":
            return _sources(args.json)
        case "add":
            return _add(args)
        case "duplicates":
            return _duplicates(args.dataset, args.json)
        case "remove" | "restore" | "delete":
            return _move(args.what, args.dataset)
    from unlearn_core.data.class_lists import quoted
    from unlearn_core.data.datasets import cards

    if args.json:
        print(json.dumps([card.model_dump(mode="json") for card in cards().values()], indent=1))
        return 0
    for card in cards().values():
        print(f"{card.id}: {card.title}")
        print(f"  {card.summary}")
        unit = "points" if card.is_points else f"images, {card.size} pixels wide"
        print(f"  {card.train:,} training, {card.val:,} validation and {card.test:,} test {unit}")
        print(f"  classes: {', '.join(quoted(name) if ',' in name else name for name in card.classes)}")
        print(f"  licence: {card.licence}")
    return 0


def _sources(as_json: bool) -> int:
    from unlearn_core.data.sources import data_root, sources

    root, found = data_root(), []
    for source in sources().values():
        options = [
            option._asdict() | {"choices": source.choices(root).get(option.name, option.choices)}
            for option in source.options
        ]
        fields = ("id", "title", "summary", "needs", "size", "licence", "origin")
        found.append(
            {name: getattr(source, name) for name in fields}
            | {"options": options, "why_not": source.unavailable_reason(root)}
        )
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    for entry in found:
        print(f"{entry['id']}: {entry['title']}")
        print(f"  {entry['summary']}")
        if entry["needs"] == "upload":
            print("  --file ZIP: a zip with one folder per class")
        for option in entry["options"]:
            if option["name"] == "upload":
                continue
            values = ", ".join(option["choices"]) if option["choices"] else "a number" if option["high"] else "text"
            print(f"  --set {option['name']}={option['default']}: {option['explain']} ({values})")
        print(f"  licence: {entry['licence']}")
        if entry["why_not"]:
            print(f"  not available: {entry['why_not']}")
    return 0


def _add(args: argparse.Namespace) -> int:
    from unlearn_core.data.ingest import upload_store
    from unlearn_core.data.ingest.import_spec import build_import_spec, title_from_filename
    from unlearn_core.data.ingest.layout.name_encodings import canonical
    from unlearn_core.data.ingest.source import ENCODING
    from unlearn_core.data.sources import source
    from unlearn_core.engine.jobs.import_dataset import import_locally
    from unlearn_core.settings import settings
    from unlearn_core.store.data_folder import open_data_dir

    chosen, answers, title = source(args.source), dict(map(_option, args.set)), args.name
    if args.encoding is not None:
        answers[ENCODING.name] = canonical(args.encoding)
    if chosen.needs == "upload":
        if args.file is None:
            raise InvalidDatasetError("This source needs a zip with one folder per class: add --file faces.zip.")
        try:
            with args.file.expanduser().open("rb") as file:
                answers["upload"] = upload_store.save(open_data_dir(), file, settings())
        except OSError as problem:
            raise StoreError(f"Cannot read {args.file} ({problem.strerror}). Choose another file.") from None
        title = title or title_from_filename(args.file.name)
    spec = build_import_spec(chosen, answers, title=title, size=args.size, fit=args.fit)
    root = None if args.root is None else args.root.expanduser().resolve()
    with ProgressBar() as bar:
        metrics = import_locally(spec, open_data_dir(), bar, root=root)
    print(
        f"{spec.dataset}: {spec.title} is ready, {metrics.num_images:,} images in {metrics.num_classes:,} classes "
        f"in {metrics.total_seconds:.1f} s."
    )
    if metrics.note:
        print(metrics.note)
    if metrics.num_skipped:
        print(f"Skipped: {metrics.num_skipped:,}.")
        for path, reason in metrics.skipped:
            print(f"  {path!a} {reason}")
    _, notes = _notes(spec.dataset)
    for note in notes:
        print(f"Note: {note}")
    return 0


def _notes(name: str) -> tuple["Duplicates", list[str]]:
    """Return the copies in a data set, which are looked for if they are not recorded, and what may mislead."""
    from unlearn_core.data import datasets
    from unlearn_core.data.dataset_notes import dataset_notes
    from unlearn_core.data.duplicates.record import dataset_duplicates

    card = datasets.card(name)
    found = dataset_duplicates(card)
    every = datasets.load(name)
    return found, dataset_notes(card, every.labels, found, num_mislabelled=len(every.mislabelled))


def _duplicates(name: str, as_json: bool) -> int:
    """Print what may mislead in a data set, and each group of copies on a line."""
    from unlearn_core.data import datasets
    from unlearn_core.data.duplicates import NO_GROUP

    (found, notes), card, labels = _notes(name), datasets.card(name), datasets.load(name).labels
    starts = {"test": card.train + card.val, "validation": card.train, "training": 0}
    groups: list[dict[str, Any]] = []
    for group in found.groups():
        same = found.identical[group]
        images: list[dict[str, Any]] = []
        for number in group.tolist():
            split, start = next((split, start) for split, start in starts.items() if number >= start)
            images.append({"split": split, "image": number - start, "class": card.classes[labels[number]]})
        groups.append({"identical": bool((same == same[0]).all() and same[0] != NO_GROUP), "images": images})
    if as_json:
        print(json.dumps({"dataset": name, "notes": notes, "groups": groups}, indent=1))
        return 0
    for note in notes:
        print(f"Note: {note}")
    print(f"{card.title}: groups of copies: {len(groups):,}.")
    for group in groups:
        shown = ", ".join(f"{one['split']} {one['image']} ({one['class']})" for one in group["images"])
        print(f"  {'identical' if group['identical'] else 'similar'}: {shown}")
    return 0


def _move(what: str, name: str) -> int:
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.deletion import deletion_blocker
    from unlearn_core.store.queue.run_store import RunStore

    store = RunStore(open_data_dir())
    if what == "remove":
        reason = deletion_blocker(store, name)
        if reason:
            raise StoreError(reason)
        store.items.remove_dataset(name)
        print(
            f"{name} was removed. `datasets restore {name}` restores it; `datasets delete {name}` frees the disk space."
        )
        return 0
    (store.items.restore_dataset if what == "restore" else store.items.delete_dataset)(name)
    print(f"{name} was {'restored' if what == 'restore' else 'deleted permanently'}.")
    return 0


def _option(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InvalidDatasetError(
            f"--set takes OPTION=VALUE, not {text[:60]!r}: write for example --set labels=coarse."
        )
    return name.strip(), value.strip()
