"""`runs`: list the runs of the history, show, cancel or delete some, and export them as a table or a script."""

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli.run import accuracy_lines
from unlearn_core.domain.errors import InvalidRequestError, StoreError
from unlearn_core.domain.run import Run, RunFilter, RunState

if TYPE_CHECKING:
    from unlearn_core.store.queue.run_store import RunStore

HELP = "List the runs of the history, show, cancel or delete them, and export them as one CSV or a Python script."

KINDS = ("unlearn", "gold", "train", "add", "import", "measure")
"""The kinds of jobs that are listed: all but Grad-CAM queries."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[state.value for state in RunState],
        help="only runs in this state; repeatable",
    )
    parser.add_argument(
        "--method", action="append", default=[], metavar="ID", help="only runs of this method; repeatable"
    )
    parser.add_argument(
        "--classifier", action="append", default=[], metavar="ID", help="only runs of this classifier; repeatable"
    )
    parser.add_argument(
        "--owner", action="append", default=[], metavar="NAME", help="only runs of this owner; repeatable"
    )
    parser.add_argument("--text", default="", metavar="WORDS", help="only runs with these words in title or note")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="list at most the N newest (50)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON list")
    output.add_argument("--csv", metavar="FILE", help="write all these unlearning runs as one table; - prints it")
    actions = parser.add_subparsers(metavar="ACTION", dest="action")
    show = _action(actions, "show", "show one run with its settings and metrics")
    show.add_argument("run", type=int, metavar="RUN")
    show.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")
    _action(actions, "cancel", "cancel queued or running runs").add_argument("runs", type=int, nargs="+", metavar="RUN")
    delete = _action(actions, "delete", "delete finished runs permanently, with reports and weights")
    delete.add_argument("runs", type=int, nargs="+", metavar="RUN")
    delete.add_argument("--yes", action="store_true", help="delete without asking")
    script = _action(actions, "script", "print a Python script that makes a run again")
    script.add_argument("run", type=int, metavar="RUN")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    store = RunStore(open_data_dir())
    match args.action:
        case "show":
            _show(store.get(args.run), as_json=args.json)
        case "cancel":
            _cancel(store, args.runs)
        case "delete":
            return _delete(store, args.runs, confirmed=args.yes)
        case "script":
            print(_script(store, args.run), end="")
        case _ if args.csv is not None:
            _write_csv(store, args)
        case _:
            _list(store, args)
    return 0


def _filter(args: argparse.Namespace) -> RunFilter:
    return RunFilter(
        states=tuple(RunState(name) for name in args.state),
        methods=tuple(args.method),
        classifiers=tuple(args.classifier),
        owners=tuple(args.owner),
        text=args.text,
    )


def _list(store: "RunStore", args: argparse.Namespace) -> None:
    if args.limit < 1:
        raise InvalidRequestError("--limit takes a whole number above 0.")
    found = store.list_runs(kinds=KINDS, matching=_filter(args), limit=args.limit + 1)
    shown = found[: args.limit]
    if args.json:
        print(json.dumps([_as_dict(run) for run in shown], indent=1))
        return
    if shown:
        print(f"{'run':>6}  {'state':<10} {'created, UTC':<17} {'forget':>7} {'retain':>7}  title")
    for run in shown:
        accuracy = [_accuracy(run, side) for side in ("forget", "retain")]
        print(f"{run.id:>6}  {run.state:<10} {_time(run.created):<17} {accuracy[0]:>7} {accuracy[1]:>7}  {run.title}")
    if not shown:
        print("There is no such run.")
    if len(found) > args.limit:
        print(f"There are more: add --limit {2 * args.limit}, or a filter.")


def _accuracy(run: Run, side: str) -> str:
    """The accuracy of the unlearned model on the test images of a side, else on its training images."""
    found = run.metrics.first_accuracy("after", f"{side}_test", f"{side}_train")
    return "" if found is None else f"{found:.1%}"


def _show(run: Run, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_as_dict(run), indent=1))
        return
    print(f"Run {run.id}: {run.title}")
    lines = {
        "state": "running, being cancelled" if run.cancelling and not run.state.is_finished else run.state,
        "owner": run.owner,
        **{
            name: getattr(run, name) and f"{_time(getattr(run, name))} UTC"
            for name in ("created", "started", "finished")
        },
        "device": run.device,
        "note": run.note,
        "error": run.error,
        **_settings(run),
        "distance": _distance(run),
        "seconds": _seconds(run),
    }
    for name, value in lines.items():
        if value not in (None, ""):
            print(f"  {name:<20} {value}")
    if run.metrics.accuracy:
        print("", *accuracy_lines(run.metrics.accuracy, run.metrics.balanced), sep="\n  ")


def _settings(run: Run) -> dict[str, Any]:
    """The settings of an unlearning run, by hyperparameter; of another job all in one."""
    from unlearn_core.domain.jobs import UnlearnSpec

    if not isinstance(run.spec, UnlearnSpec):
        return {"settings": run.spec.model_dump_json()}
    request, start = run.spec.request, run.spec.start
    first = {"classifier": request.classifier, "method": run.spec.method, "seed": run.spec.seed}
    return first | {"continues": None if start is None else f"run {start}"} | run.params


def _distance(run: Run) -> str:
    """The distance to the retrained model on test images, if there is one."""
    found = run.metrics.distance_to_gold("test")
    return "" if found is None else f"{found:.4f} bits to the retrained model"


def _seconds(run: Run) -> str:
    spent = run.metrics.seconds
    if spent is None or spent.forget is None:
        return ""
    return f"{spent.forget:.1f} to unlearn, {spent.total:.1f} in total"


def _as_dict(run: Run) -> dict[str, Any]:
    """A run as plain values: `spec` are its settings, `metrics` its accuracies (0 to 1), distances and seconds."""
    fields = run.model_dump(mode="json", exclude={"priority", "attempt", "progress", "metrics"})
    return {"run": fields.pop("id"), "kind": run.spec.kind, **fields, "metrics": run.metrics.to_dict()}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _cancel(store: "RunStore", numbers: list[int]) -> None:
    for run in [store.get(number) for number in numbers]:
        has_me, others = store.readers(run.id)
        store.cancel(run.id)
        now = store.get(run.id)
        if has_me and others and not run.state.is_finished:
            print(f"Run {run.id} goes on for others: to end it for them too, cancel it again.")
        elif run.state.is_finished:
            print(f"Run {run.id} was {run.state} already.")
        else:
            print(f"Run {run.id} {'was cancelled' if now.state.is_finished else 'will stop at its next step'}.")


def _delete(store: "RunStore", numbers: list[int], *, confirmed: bool) -> int:
    found = [store.get(number) for number in dict.fromkeys(numbers)]
    unfinished = [str(run.id) for run in found if not run.state.is_finished]
    if unfinished:
        raise StoreError(f"These runs are not finished: {', '.join(unfinished)}. Cancel them first, then delete them.")
    if not confirmed:
        if not sys.stdin.isatty():
            raise InvalidRequestError("Deleted runs cannot be restored: confirm it with --yes.")
        for run in found:
            print(f"Run {run.id}: {run.title}")
        if input("Delete permanently, with reports and weights? [y/N] ").strip().lower() not in ("y", "yes"):
            print("Nothing was deleted.")
            return 1
    for run in found:
        has_me, others = store.readers(run.id)
        store.delete(run.id)
        kept = has_me and others
        print(f"Run {run.id} {'stays for others: to delete it for them too, do so again' if kept else 'was deleted'}.")
    return 0


def _script(store: "RunStore", number: int) -> str:
    """Return the script of a run. Raises InvalidRequestError, or StoreError if an earlier run was deleted."""
    from unlearn_core.data import datasets
    from unlearn_core.domain.jobs import UnlearnSpec
    from unlearn_core.export.run_script import run_script
    from unlearn_core.store.run_chain import run_chain

    found = store.get(number)
    if not isinstance(found.spec, UnlearnSpec):
        raise InvalidRequestError(f"Run {number} ({found.title}) has no script: only unlearning runs have one.")
    return run_script(
        run_chain(store, found.spec),
        datasets.card(found.spec.request.dataset),
        name=f"Run {number}: {found.title}",
        weights=found.metrics.weights,
    )


def _write_csv(store: "RunStore", args: argparse.Namespace) -> None:
    from unlearn_core.export.runs_csv import runs_csv

    runs = store.list_runs(kinds=("unlearn",), matching=_filter(args), limit=None)
    text = runs_csv(runs)
    if args.csv == "-":
        print(text, end="")
        return
    path = Path(args.csv).expanduser()
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise StoreError(f"{path} already exists: choose another file, so that nothing is overwritten.") from None
    except OSError as problem:
        raise StoreError(f"Cannot write {path} ({problem.strerror}). Choose another file.") from None
    print(f"{path}: {len(runs)} run{'' if len(runs) == 1 else 's'}, one in each row.")


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str
) -> argparse.ArgumentParser:
    return actions.add_parser(name, help=words, description=words, allow_abbrev=False)
