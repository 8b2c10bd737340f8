"""`compare-methods`: run every method on one forget request now, and print all of them beside the retrained model."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.cli import _forecast, _forget
from unlearn_core.cli._terminal import ProgressBar, aligned
from unlearn_core.domain.errors import CancelledError, InvalidRequestError

if TYPE_CHECKING:
    from unlearn_core.charts.comparison.method_results import MethodResults
    from unlearn_core.domain.forget_request import ForgetRequest
    from unlearn_core.domain.jobs import UnlearnSpec
    from unlearn_core.domain.run import Run
    from unlearn_core.engine.forecasts.duration import Forecast
    from unlearn_core.store.queue.run_store import RunStore

HELP = "Run every method on one forget request now, with the preset auto, and compare all with the retrained model."


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.add_request_arguments(parser)
    parser.add_argument("--methods", metavar="a,b", help="only these methods (all that can forget it)")
    parser.add_argument("--seed", type=int, default=0, help="random seed of every run (0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to FILE as well, with all numbers")
    _forecast.add_yes(parser)


def run(args: argparse.Namespace) -> int:
    _forecast.adapt_threads()
    from unlearn_core.charts.comparison import method_results
    from unlearn_core.data.atomic_files import atomic_write
    from unlearn_core.engine.method_comparison import compare_methods
    from unlearn_core.export.safe_csv import to_csv
    from unlearn_core.methods import method
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    request, store = _forget.forget_request(args), RunStore(open_data_dir())
    only = [] if args.methods is None else [name.strip() for name in args.methods.split(",")]
    comparison = compare_methods(request, seed=args.seed, only=only)
    for reason in comparison.left_out.values():
        print(f"Left out: {reason}", file=sys.stderr)
    if not comparison.specs:
        raise InvalidRequestError("None of these methods can forget this. Choose others with --methods.")
    specs = {method(name).title: spec for name, spec in comparison.specs.items()}
    errors = _run_missing(specs, store, args)
    done = _done(specs, store)
    results = _results(done, request, store)
    if args.csv is not None:
        atomic_write(args.csv.expanduser(), to_csv(method_results.table(results)).encode())
    if args.json:
        print(json.dumps(_as_json(results, errors), indent=1))
    else:
        print(_as_text(results, errors, request, searched=any(spec.auto for spec in specs.values())))
    return 1 if errors else 0


def _run_missing(specs: "dict[str, UnlearnSpec]", store: "RunStore", args: argparse.Namespace) -> dict[str, str]:
    """Run every spec that has no finished run; return the errors by the method's title."""
    from unlearn_core.engine.execute import unlearn
    from unlearn_core.store.queue.method_runs import method_group

    done, errors = _done(specs, store), dict[str, str]()
    missing = {title: spec for title, spec in specs.items() if title not in done}
    if missing:
        _forecast.say_and_ask(_time(list(missing.values()), store, args.device), yes=args.yes)
    for number, (title, spec) in enumerate(specs.items(), 1):
        place = f"{number} of {len(specs)}: {title}"
        if title in done:
            print(f"{place}: run {done[title].id} exists already", file=sys.stderr, flush=True)
            continue
        print(place, file=sys.stderr, flush=True)
        try:
            with ProgressBar() as bar:
                unlearn(spec, device=args.device, listener=bar, group=method_group(spec))
        except CancelledError:
            raise
        except Exception as problem:  # noqa: BLE001 (one method must not end the others; its run has the bug report)
            (failed,) = store.method_runs.runs_of([spec])
            errors[title] = (failed and failed.error) or str(problem)
            print(errors[title], file=sys.stderr, flush=True)
    return errors


def _done(specs: "dict[str, UnlearnSpec]", store: "RunStore") -> "dict[str, Run]":
    from unlearn_core.domain.run import RunState

    found = zip(specs, store.method_runs.runs_of(specs.values()), strict=True)
    return {title: run for title, run in found if run is not None and run.state is RunState.DONE}


def _time(specs: "list[UnlearnSpec]", store: "RunStore", device: str) -> "Forecast | None":
    from unlearn_core.data import datasets
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.engine.forecasts.here import of_run, spec_work, this_machine
    from unlearn_core.models import classifiers

    card = classifiers.card(specs[0].request.classifier)
    data, machine = datasets.card(card.dataset), this_machine(store, resolve_device(device))
    labels = datasets.load(data.id).labels
    return of_run(card, data, [spec_work(spec, card, data, labels) for spec in specs], store, machine=machine)


def _results(done: "dict[str, Run]", request: "ForgetRequest", store: "RunStore") -> "MethodResults":
    from unlearn_core.charts.comparison import method_results
    from unlearn_core.data import datasets
    from unlearn_core.domain.jobs import TrainGoldSpec
    from unlearn_core.domain.report import describe_forget_set
    from unlearn_core.domain.results.privacy import MembershipResult
    from unlearn_core.store.files import artifacts

    card = datasets.card(request.dataset)
    folders = {run.id: artifacts.run_dir(store.data_dir, run.id) for run in done.values()}
    (gold_run,) = store.method_runs.runs_of([TrainGoldSpec(request=request)])
    return method_results.method_results(
        done,
        {
            run: method_results.attacks(artifacts.read_result(folder, MembershipResult))
            for run, folder in folders.items()
        },
        forgotten=describe_forget_set(request.forget, card),
        noun=card.item_noun,
        gold_run=gold_run,
    )


def _as_json(results: "MethodResults", errors: dict[str, str]) -> dict[str, object]:
    from unlearn_core.charts.comparison.method_results import table

    records = str(table(results).to_json(orient="records"))  # It turns nan into null, which plain json does not.
    return {"models": json.loads(records), "errors": errors}


def _as_text(results: "MethodResults", errors: dict[str, str], request: "ForgetRequest", *, searched: bool) -> str:
    from unlearn_core.charts.comparison import method_results
    from unlearn_core.data import datasets
    from unlearn_core.domain.jobs import TrainGoldSpec
    from unlearn_core.export.cli_command import gold_command

    lines = [f"All methods on {results.forgotten} ({request.classifier})", ""]
    if results.methods:
        lines += [*aligned(method_results.shown_table(results)), "", method_results.summary(results)]
        lines += [method_results.caveat(results.noun, searched=searched).replace("*", "")]
    lines += [f"{title} failed: {error}" for title, error in errors.items()]
    if results.gold is None:
        command = gold_command(TrainGoldSpec(request=request), datasets.card(request.dataset))
        lines.append(f"This trains the retrained model: {command}")
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")
