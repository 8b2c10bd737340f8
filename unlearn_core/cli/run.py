"""`run`: unlearn now, and compare the model before and after with the retrained model."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli import _forecast, _forget
from unlearn_core.cli._terminal import ProgressBar
from unlearn_core.domain.errors import InvalidHyperparameterError, StoreError
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.found_settings import TuningResult
from unlearn_core.domain.split import SET_LABELS, set_label

if TYPE_CHECKING:
    from unlearn_core.domain.jobs import UnlearnSpec
    from unlearn_core.engine.execute import RunResult
    from unlearn_core.engine.forecasts.duration import Forecast

HELP = "Make a classifier forget classes or images now, and compare it before and after with the retrained model."


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.add_request_arguments(parser)
    parser.add_argument("--method", required=True, metavar="ID", help="the unlearning method; `methods` lists them")
    parser.add_argument("--preset", metavar="NAME", help="a preset of hyperparameters (auto; for resnet20 bundled)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="override a hyperparameter; repeatable"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report to DIR instead of the history")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _forecast.add_yes(parser)


def run(args: argparse.Namespace) -> int:
    _forecast.adapt_threads()
    from unlearn_core.engine.build_spec import caution, run_spec
    from unlearn_core.engine.execute import unlearn

    spec = run_spec(
        args.classifier,
        method=args.method,
        classes=_forget.forget_classes(args),
        images=_forget.forget_images(args),
        preset=args.preset,
        seed=args.seed,
        overrides=dict(_parse_hyperparameter(text) for text in args.set),
    )
    out = None if args.out is None else _empty_dir(args.out.expanduser().resolve())
    if expected := caution(spec):
        print(f"Note: this is not expected to work. {expected}", file=sys.stderr, flush=True)
    _forecast.say_and_ask(_time(spec, args.device), yes=args.yes)
    with ProgressBar() as bar:
        result = unlearn(spec, device=args.device, listener=bar, out=out)
    print(json.dumps(as_json(result), indent=1) if args.json else as_table(result))
    return 0


def _time(spec: "UnlearnSpec", device: str) -> "Forecast | None":
    from unlearn_core.data import datasets
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.engine.forecasts.here import of_run, spec_work, this_machine
    from unlearn_core.models import classifiers
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    store, card = RunStore(open_data_dir()), classifiers.card(spec.request.classifier)
    data, machine = datasets.card(spec.request.dataset), this_machine(store, resolve_device(device))
    work = spec_work(spec, card, data, datasets.load(data.id).labels)
    return of_run(card, data, work, store, machine=machine)


def as_json(result: "RunResult") -> dict[str, Any]:
    """Return the run as plain values; an accuracy is a fraction, or null if it does not exist."""
    from unlearn_core.charts.text.warnings import report_warnings

    spec = result.report.spec
    return {
        "run": result.run,
        "method": spec.method,
        "params": result.report.params,
        "seconds": result.report[TimingsResult].seconds.model_dump(),
        **{
            model: {"accuracy": _accuracies(result, model)} | _balanced(result, model)
            for model in ("before", "after", "gold")
        },
        "flags": [flag.kind for flag in report_warnings(result.report)],
        "report": str(result.folder),
    }


def as_table(result: "RunResult") -> str:
    """Return the run as readable text: accuracies, verdicts, warnings, seconds and the folder of the report."""
    from unlearn_core.charts.artifacts import tried_settings
    from unlearn_core.charts.drawing.wording import capitalize
    from unlearn_core.charts.text.verdict import verdicts
    from unlearn_core.charts.text.warnings import report_warnings

    report, seconds = result.report, result.report[TimingsResult].seconds
    name = "" if result.run is None else f"Run {result.run}: "
    lines = [
        f"{name}Forget {report.forget_set_title} with {report.method}"
        f" ({report.classifier.title}, seed {report.spec.seed})",
        "",
        *accuracy_lines(result.metrics.accuracy, result.metrics.balanced),
        "",
        *(_plain(f"{capitalize(verdict.title)}: {verdict.words}") for verdict in verdicts(report)),
        *([_plain(f"Settings: {tried_settings.summary(report)}")] if TuningResult in report else []),
        *(_plain(f"Note: {capitalize(flag.title)}. {flag.words} {flag.doubt}") for flag in report_warnings(report)),
        "",
        f"{seconds.total:.1f} s in total: {seconds.forget:.1f} s to unlearn, "
        f"{seconds.evaluate:.1f} s to evaluate, {seconds.probes:.1f} s to measure.",
        f"The report is in {result.folder}.",
    ]
    return "\n".join([*lines, report.missing["gold"]] if "gold" in report.missing else lines)


def accuracy_lines(
    accuracy: Mapping[str, Mapping[str, float | None]], balanced: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """Return a table of accuracies, which are fractions by model and set: a heading, and a line for each set.

    A set that has balanced accuracies has a second line.
    """
    lines = [f"{'accuracy':<24}{'before':>11}{'after':>11}{'retrained':>11}"]
    for key in SET_LABELS:
        lines.append(f"{set_label(key):<24}{_columns(accuracy, key)}")
        if any(key in own for own in balanced.values()):
            lines.append(f"{'  balanced accuracy':<24}{_columns(balanced, key)}")
    return lines


def _columns(fractions: Mapping[str, Mapping[str, float | None]], key: str) -> str:
    return "".join(_percent((fractions.get(model) or {}).get(key)) for model in ("before", "after", "gold"))


def _balanced(result: "RunResult", model: str) -> dict[str, Any]:
    found = result.metrics.balanced.get(model)
    return {"balanced_accuracy": dict(found)} if found else {}


def _plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def _accuracies(result: "RunResult", model: str) -> dict[str, float | None]:
    known = result.metrics.accuracy.get(model, {})
    return {key: known.get(key) for key in SET_LABELS}


def _percent(fraction: float | None) -> str:
    return f"{'-':>11}" if fraction is None else f"{fraction:>11.1%}"


def _parse_hyperparameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InvalidHyperparameterError(f"--set takes NAME=VALUE, not {text!r}: write for example --set batch=64.")
    return name.strip(), value.strip()


def _empty_dir(folder: Path) -> Path:
    """Create the folder if it is missing. Raises StoreError if it is not empty or cannot be created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StoreError(
                f"{folder} is not empty: choose a new folder for the report, so that nothing is overwritten."
            )
    except OSError as problem:
        raise StoreError(f"Cannot write the report to {folder} ({problem.strerror}). Choose another folder.") from None
    return folder
