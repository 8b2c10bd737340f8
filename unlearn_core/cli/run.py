"""`run`: forget something, and see before, after and gold."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli import _forget
from unlearn_core.cli._bar import ProgressBar
from unlearn_core.domain.errors import InvalidHyperparameterError, StoreError

if TYPE_CHECKING:
    from unlearn_core.engine.execute import RunResult

HELP = "Make a classifier forget classes or pictures, here and now, and compare before, after and gold."

SET_LABELS = {
    "forget_train": "forgotten, training",
    "forget_val": "forgotten, validation",
    "forget_test": "forgotten, test",
    "retain_train": "kept, training",
    "retain_val": "kept, validation",
    "retain_test": "kept, test",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.add_request_arguments(parser)
    parser.add_argument("--method", required=True, metavar="ID", help="how to forget; `methods` lists them")
    parser.add_argument("--preset", metavar="NAME", help="knob settings with a name; the method's first by default")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", help="turn a knob on top of the preset; repeatable"
    )
    parser.add_argument("--seed", type=int, default=0, help="makes all random draws (0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report here, and leave the history alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.engine.build_spec import run_spec
    from unlearn_core.engine.execute import unlearn

    wish = run_spec(
        args.classifier,
        method=args.method,
        classes=_forget.class_names(args),
        images=_forget.image_numbers(args),
        preset=args.preset,
        seed=args.seed,
        overrides=dict(_parse_hyperparameter(text) for text in args.set),
    )
    out = None if args.out is None else _empty_dir(args.out.expanduser().resolve())
    with ProgressBar() as bar:
        finished = unlearn(wish, device=args.device, listener=bar, out=out)
    print(json.dumps(as_json(finished), indent=1) if args.json else as_table(finished))
    return 0


def as_json(result: "RunResult") -> dict[str, Any]:
    """The run as plain values; an accuracy is a fraction, or null where the figure does not exist."""
    from unlearn_core.charts.text.warnings import report_warnings

    spec = result.report.spec
    return {
        "run": result.run,
        "method": spec.method,
        "params": spec.params,
        "seconds": result.metrics["seconds"],
        **{model: {"accuracy": _accuracies(result, model)} for model in ("before", "after", "gold")},
        "flags": [flag.kind for flag in report_warnings(result.report)],
        "report": str(result.folder),
    }


def as_table(result: "RunResult") -> str:
    """The run as people read it: three columns, what they say and warn of, the seconds, where the report lies."""
    from unlearn_core.charts.drawing.wording import capitalize
    from unlearn_core.charts.text.verdict import verdicts
    from unlearn_core.charts.text.warnings import report_warnings

    report, seconds = result.report, result.metrics["seconds"]
    name = "" if result.run is None else f"Run {result.run}: "
    columns = [_accuracies(result, model) for model in ("before", "after", "gold")]
    lines = [
        f"{name}{report.method} makes {report.classifier.title} forget {report.forget_set_title} (seed {report.spec.seed})",
        "",
        f"{'accuracy':<24}{'before':>9}{'after':>9}{'gold':>9}",
        *(f"{title:<24}" + "".join(_percent(column[key]) for column in columns) for key, title in SET_LABELS.items()),
        "",
        *(_plain(f"{one.title}: {one.words}") for one in verdicts(report)),
        *(_plain(f"Note: {capitalize(flag.title)}. {flag.words} {flag.doubt}") for flag in report_warnings(report)),
        "",
        f"{seconds['total']:.1f} s in all: {seconds['forget']:.1f} s to forget, "
        f"{seconds['evaluate']:.1f} s to evaluate, {seconds['probes']:.1f} s to measure.",
        f"The report is in {result.folder}.",
    ]
    return "\n".join([*lines, report.missing["gold"]] if "gold" in report.missing else lines)


def _plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def _accuracies(result: "RunResult", model: str) -> dict[str, float | None]:
    known = result.metrics["accuracy"].get(model) or {}
    return {key: known.get(key) for key in SET_LABELS}


def _percent(fraction: float | None) -> str:
    return f"{'-':>9}" if fraction is None else f"{fraction:>9.1%}"


def _parse_hyperparameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InvalidHyperparameterError(
            f"--set takes knob=value, and {text!r} is not: write for example --set batch=64."
        )
    return name.strip(), value.strip()


def _empty_dir(folder: Path) -> Path:
    """The folder, made where it is missing. Raises StoreError where it holds something, or cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StoreError(
                f"{folder} is not empty: name a new folder for the report, so that nothing is overwritten."
            )
    except OSError as problem:
        raise StoreError(
            f"The report cannot be written to {folder} ({problem.strerror}). Name another folder."
        ) from None
    return folder
