"""`storage`: what costs disk, what is stored of a visitor, the deletion of everything of theirs, and retention."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from unlearn_core.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from unlearn_core.store.housekeeping.erasure import Erasure
    from unlearn_core.store.queue.run_store import RunStore

HELP = "Show what costs disk and what retention deletes next; delete everything of a visitor."


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    for name, words in (
        ("of", "list what is stored of a visitor, and what of it others use"),
        ("delete", "delete everything of a visitor permanently, but for what others use"),
    ):
        action = actions.add_parser(name, help=words, description=words, allow_abbrev=False)
        action.add_argument(
            "owner", metavar="ID", help="the visitor, as `serve --visitors` lists them; local is the operator"
        )
        action.add_argument("--json", action="store_true", help="print one JSON object")
        if name == "delete":
            action.add_argument("--yes", action="store_true", help="delete without asking")
    words = "measure what the data folder takes, by kind and by owner"
    use = actions.add_parser("use", help=words, description=words, allow_abbrev=False)
    use.add_argument("--json", action="store_true", help="print one JSON object")
    words = "list the runs that retention deletes next; UNLEARN_KEEP_DAYS, _RUNS and _GB switch it on"
    retention = actions.add_parser("retention", help=words, description=words, allow_abbrev=False)
    retention.add_argument("--now", action="store_true", help="first delete what is due, as a worker does each hour")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.access.actor import actor_of
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.housekeeping.erasure import Erasure, erase
    from unlearn_core.store.housekeeping.footprint import footprint
    from unlearn_core.store.queue.run_store import RunStore

    if args.action == "use":
        return _use(RunStore(open_data_dir()), as_json=args.json)
    if args.action == "retention":
        return _retention(RunStore(open_data_dir()), now=args.now)
    store = RunStore(open_data_dir()).acting_as(actor_of(args.owner))
    found = footprint(store)
    stored = Erasure(found.amounts, found.staying)
    if args.action == "of":
        _print(stored, as_json=args.json, none=f"Nothing is stored of {args.owner}.")
        return 0
    if not args.yes:
        if not sys.stdin.isatty():
            raise InvalidRequestError("What is deleted cannot be restored: confirm it with --yes.")
        _print(stored, as_json=False, none=f"Nothing is stored of {args.owner}, except perhaps a name.")
        if input("Cancel unfinished runs, and delete all of this permanently? [y/N] ").strip().lower() not in (
            "y",
            "yes",
        ):
            print("Nothing was deleted.")
            return 1
    _print(erase(store), as_json=args.json, none="There was nothing to delete.", first="Deleted:")
    return 0


def _use(store: "RunStore", *, as_json: bool) -> int:
    from unlearn_core.store.housekeeping import disk_use
    from unlearn_core.store.housekeeping.footprint import megabytes

    found = disk_use.measure(store)
    if as_json:
        owners = {owner: [one._asdict() for one in own] for owner, own in found.owners.items()}
        facts = {"measured": found.measured, "bytes": found.bytes, "owners": owners}
        print(json.dumps(facts | {"kinds": [one._asdict() for one in found.kinds]}, indent=1))
        return 0
    print(f"The data folder takes {megabytes(found.bytes)}.")
    for one in found.kinds:
        print(f"{megabytes(one.bytes):>10} {one.number:>8,}  {one.title}")
    print("Of that, these would free by deleting everything of theirs:")
    called = store.visitors.labels(found.owners)
    for owner in sorted(found.owners, key=found.owner_bytes, reverse=True):
        print(f"{megabytes(found.owner_bytes(owner)):>10}  {owner}  {called[owner]}")
    return 0


def _retention(store: "RunStore", *, now: bool) -> int:
    from unlearn_core.store.housekeeping import notices, retention

    rules = notices.rules()
    if not rules:
        print("Retention is off: set UNLEARN_KEEP_DAYS, UNLEARN_KEEP_RUNS or UNLEARN_KEEP_GB.")
        return 0
    print(rules)
    for one in retention.carry_out(store) if now else []:
        print(f"Deleted {'run' if one.what == 'run' else 'the weights of run'} {one.run}: {one.why}.")
    planned = notices.planned(store)
    for one in planned:
        print(f"{notices.day(one.due):>17}  {one.what:<7} {one.run:>6}  {one.why}")
    if not planned:
        print("Nothing will be deleted within the next days.")
    return 0


def _print(found: "Erasure", *, as_json: bool, none: str, first: str = "") -> None:
    """Print amounts and what stays."""
    if as_json:
        amounts = [amount._asdict() for amount in found.amounts]
        print(json.dumps({"amounts": amounts, "stays": list(found.staying)}, indent=1))
        return
    lines = [amount.text() for amount in found.amounts]
    print(*([first] if first and lines else []), *(lines or [none]), *found.staying, sep="\n")
