"""`run`: forget something, and see before, after and gold."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearn_core.cli import _forget
from unlearn_core.cli._bar import Bar
from unlearn_core.domain.errors import BadKnob, StoreError

if TYPE_CHECKING:
    from unlearn_core.engine.execute import Finished

HELP = "Make a classifier forget classes or pictures, here and now, and compare before, after and gold."

SETS = {
    "forget_train": "forgotten, training",
    "forget_val": "forgotten, validation",
    "forget_test": "forgotten, test",
    "retain_train": "kept, training",
    "retain_val": "kept, validation",
    "retain_test": "kept, test",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.arguments(parser)
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
    from unlearn_core.engine.build_spec import spec
    from unlearn_core.engine.execute import unlearn

    wish = spec(
        args.classifier,
        method=args.method,
        classes=_forget.classes(args),
        images=_forget.images(args),
        preset=args.preset,
        seed=args.seed,
        knobs=dict(_knob(text) for text in args.set),
    )
    out = None if args.out is None else _empty(args.out.expanduser().resolve())
    with Bar() as bar:
        finished = unlearn(wish, device=args.device, listener=bar, out=out)
    print(json.dumps(as_json(finished), indent=1) if args.json else as_table(finished))
    return 0


def as_json(finished: "Finished") -> dict[str, Any]:
    """The run as plain values; an accuracy is a fraction, or null where the figure does not exist."""
    from unlearn_core.charts.text.warnings import flags

    spec = finished.report.spec
    return {
        "run": finished.run,
        "method": spec.method,
        "params": spec.params,
        "seconds": finished.headline["seconds"],
        **{model: {"accuracy": _accuracies(finished, model)} for model in ("before", "after", "gold")},
        "flags": [flag.kind for flag in flags(finished.report)],
        "report": str(finished.folder),
    }


def as_table(finished: "Finished") -> str:
    """The run as people read it: three columns, what they say and warn of, the seconds, where the report lies."""
    from unlearn_core.charts.drawing.wording import capital
    from unlearn_core.charts.text.verdict import verdicts
    from unlearn_core.charts.text.warnings import flags

    report, seconds = finished.report, finished.headline["seconds"]
    name = "" if finished.run is None else f"Run {finished.run}: "
    columns = [_accuracies(finished, model) for model in ("before", "after", "gold")]
    lines = [
        f"{name}{report.method} makes {report.classifier.title} forget {report.forgotten} (seed {report.spec.seed})",
        "",
        f"{'accuracy':<24}{'before':>9}{'after':>9}{'gold':>9}",
        *(f"{title:<24}" + "".join(_percent(column[key]) for column in columns) for key, title in SETS.items()),
        "",
        *(_plain(f"{one.title}: {one.words}") for one in verdicts(report)),
        *(_plain(f"Note: {capital(flag.title)}. {flag.words} {flag.doubt}") for flag in flags(report)),
        "",
        f"{seconds['total']:.1f} s in all: {seconds['forget']:.1f} s to forget, "
        f"{seconds['evaluate']:.1f} s to evaluate, {seconds['probes']:.1f} s to measure.",
        f"The report is in {finished.folder}.",
    ]
    return "\n".join([*lines, report.missing["gold"]] if "gold" in report.missing else lines)


def _plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def _accuracies(finished: "Finished", model: str) -> dict[str, float | None]:
    known = finished.headline["accuracy"].get(model) or {}
    return {key: known.get(key) for key in SETS}


def _percent(fraction: float | None) -> str:
    return f"{'-':>9}" if fraction is None else f"{fraction:>9.1%}"


def _knob(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadKnob(f"--set takes knob=value, and {text!r} is not: write for example --set batch=64.")
    return name.strip(), value.strip()


def _empty(folder: Path) -> Path:
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
