"""`datasets`: the pictures that there are; `datasets add` brings more, `datasets remove` puts some away."""

import argparse
import json
from pathlib import Path

from unlearn_core.cli._bar import ProgressBar
from unlearn_core.domain.errors import InvalidDatasetError, StoreError

HELP = "List the data sets, with their classes and terms; add one, remove one."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    acts = parser.add_subparsers(metavar="WHAT", dest="what")
    listed = acts.add_parser("sources", help="list where data sets can be had from, with their options")
    listed.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON list")
    add = acts.add_parser("add", help="prepare a data set, here and now", allow_abbrev=False)
    add.add_argument("source", metavar="SOURCE", help="where it comes from; `datasets sources` lists them")
    add.add_argument("--file", type=Path, metavar="ZIP", help="the zip of class folders, for the source zip")
    add.add_argument("--root", type=Path, metavar="DIR", help="where files lie, instead of UNLEARN_DATA_ROOT")
    add.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="choose an option; repeatable")
    add.add_argument("--size", type=int, metavar="PIXELS", help="how wide the pictures become (the source's own size)")
    add.add_argument("--fit", choices=("crop", "pad"), help="cut pictures square, or add black beside them")
    add.add_argument("--name", default="", help="what it is called")
    for name, words in (
        ("remove", "put a data set of your own away"),
        ("restore", "bring one back that was removed"),
        ("delete", "delete one for good that was removed"),
    ):
        acts.add_parser(name, help=words).add_argument("dataset", metavar="ID")


def run(args: argparse.Namespace) -> int:
    match args.what:
        case "sources":
            return _sources(args.json)
        case "add":
            return _add(args)
        case "remove" | "restore" | "delete":
            return _move(args.what, args.dataset)
    from unlearn_core.data.datasets import cards

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


def _sources(as_json: bool) -> int:
    from unlearn_core.data.sources import data_root, sources

    root, found = data_root(), []
    for one in sources().values():
        options = [
            option._asdict() | {"choices": one.choices(root).get(option.name, option.choices)} for option in one.options
        ]
        fields = ("id", "title", "summary", "needs", "size", "licence", "origin")
        found.append(
            {name: getattr(one, name) for name in fields}
            | {"options": options, "why_not": one.unavailable_reason(root)}
        )
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    for one in found:
        print(f"{one['id']}: {one['title']}")
        print(f"  {one['summary']}")
        if one["needs"] == "upload":
            print("  --file ZIP: a zip of class folders")
        for option in one["options"] if one["needs"] != "upload" else ():
            ways = ", ".join(option["choices"]) if option["choices"] else "a number" if option["high"] else "words"
            print(f"  --set {option['name']}={option['default']}: {option['explain']} ({ways})")
        print(f"  terms: {one['licence']}")
        if one["why_not"]:
            print(f"  not here: {one['why_not']}")
    return 0


def _add(args: argparse.Namespace) -> int:
    from unlearn_core.data.ingest import upload_store
    from unlearn_core.data.ingest.import_spec import build_import_spec, title_from_filename
    from unlearn_core.data.ingest.upload_limits import limits
    from unlearn_core.data.sources import source
    from unlearn_core.engine.jobs.import_dataset import import_locally
    from unlearn_core.store.data_folder import open_data_dir

    wanted, answers, title = source(args.source), dict(map(_option, args.set)), args.name
    if wanted.needs == "upload":
        if args.file is None:
            raise InvalidDatasetError("Name the zip of class folders: --file faces.zip.")
        try:
            with args.file.expanduser().open("rb") as file:
                answers["upload"] = upload_store.save(open_data_dir(), file, limits())
        except OSError as problem:
            raise StoreError(f"{args.file} cannot be read ({problem.strerror}). Name another file.") from None
        title = title or title_from_filename(args.file.name)
    spec = build_import_spec(wanted, answers, title=title, size=args.size, fit=args.fit)
    root = None if args.root is None else args.root.expanduser().resolve()
    with ProgressBar() as bar:
        headline = import_locally(spec, open_data_dir(), bar, root=root)
    print(
        f"{spec.dataset}: {spec.title} is ready, {headline['pictures']:,} pictures of {headline['classes']:,} classes "
        f"in {headline['seconds']['total']:.1f} s."
    )
    if headline["left"]:
        print(f"Left out: {headline['left']:,}.")
        for path, reason in headline["named"]:
            print(f"  {path!a} {reason}")
    return 0


def _move(what: str, name: str) -> int:
    from unlearn_core.data.ingest import trash
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore
    from unlearn_core.store.uses import deletion_blocker

    if what == "remove":
        why = deletion_blocker(RunStore(open_data_dir()), name)
        if why:
            raise StoreError(why)
        trash.remove(open_data_dir(), name)
        print(f"{name} is removed; `datasets restore {name}` brings it back, `datasets delete {name}` frees its disk.")
        return 0
    getattr(trash, what)(open_data_dir(), name)
    print(f"{name} is {'back' if what == 'restore' else 'deleted for good'}.")
    return 0


def _option(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InvalidDatasetError(
            f"--set takes option=value, and {text[:60]!r} is not: write for example --set labels=coarse."
        )
    return name.strip(), value.strip()
