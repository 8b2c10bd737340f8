"""`sweep`: try many settings of a method, and see which come nearest to what you want."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any, get_args

from unlearn_core.cli import _forget
from unlearn_core.domain.errors import InvalidHyperparameterError, InvalidRequestError, WorkerError
from unlearn_core.domain.search_space import MAX_POINTS
from unlearn_core.domain.sweep import MAX_MINUTES, MAX_TRIALS, ObjectiveId, Sampler, SweepState

if TYPE_CHECKING:
    from unlearn_core.domain.params import HyperparameterInfo
    from unlearn_core.domain.search_space import SearchRange
    from unlearn_core.domain.sweep import Sweep, SweepSpec
    from unlearn_core.store.queue.run_store import RunStore

HELP = "Queue a sweep: many runs of one method that differ in some knobs, chosen by Optuna as they end."

PAUSE = 0.5
"""Seconds between two looks at the sweep."""
STOPPED = 130


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.add_request_arguments(parser)
    parser.add_argument("--method", required=True, metavar="ID", help="how to forget; `methods` lists them")
    parser.add_argument("--preset", metavar="NAME", help="where the other knobs stand; the method's first by default")
    parser.add_argument(
        "--knob",
        action="append",
        required=True,
        metavar="NAME[=LOW:HIGH]",
        help="what to sweep: a knob with its range, or its values as in loss=mse,ce; repeatable",
    )
    parser.add_argument("--sampler", choices=get_args(Sampler), help="who chooses: grid for one knob, else tpe")
    parser.add_argument(
        "--points", type=int, metavar="N", help="how many values of a knob a grid takes (8 of one, 4 of each)"
    )
    parser.add_argument(
        "--aim",
        action="append",
        choices=get_args(ObjectiveId),
        help="what to aim at, one or two; distance where there is gold, else forget and retain",
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--trials", type=int, metavar="N", help=f"how many runs, at most {MAX_TRIALS} (24)")
    budget.add_argument("--minutes", type=float, metavar="M", help=f"how long they may work, at most {MAX_MINUTES:g}")
    parser.add_argument("--seed", type=int, default=0, help="of every run, and of the sampler (0)")
    parser.add_argument("--no-early-stop", action="store_true", help="carry hopeless trials to their end")
    parser.add_argument("--wait", action="store_true", help="wait until it is done, and print the best settings")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.data import datasets
    from unlearn_core.domain.report import describe_forget_set
    from unlearn_core.methods import method
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    spec = _spec(args)
    what = describe_forget_set(spec.request.forget, datasets.card(spec.request.dataset))
    store = RunStore(open_data_dir())
    number = store.sweeps.submit(spec, title=f"Forget {what} with {method(spec.method).title}")
    most = f"{spec.max_trials} trials" if spec.minutes is None else f"{spec.minutes:g} minutes of work"
    print(f"Sweep {number} is queued, {most} at the most. A worker carries it out, and every person's run goes first.")
    print(f"In the lab its page is /sweep?sweep={number}.", flush=True)
    return _wait(store, number) if args.wait else 0


def _spec(args: argparse.Namespace) -> "SweepSpec":
    """The sweep that is asked for. Raises BadKnob, UnknownName, BadRequest or NotSupported."""
    from pydantic import ValidationError

    from unlearn_core.domain.objectives import validate_sweep
    from unlearn_core.domain.sweep import SweepSpec
    from unlearn_core.engine.build_spec import run_spec as run_spec
    from unlearn_core.methods import method
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files.golds import GoldStore

    one = run_spec(
        args.classifier,
        method=args.method,
        classes=_forget.class_names(args),
        images=_forget.image_numbers(args),
        preset=args.preset,
        seed=args.seed,
    )
    chosen = method(one.method)
    knobs = chosen.params.hyperparameters()
    points = args.points or (max(2, min(args.trials or 8, MAX_POINTS)) if len(args.knob) == 1 else 4)
    ranges = [_range(text, knobs, one.params, points) for text in args.knob]
    gold = GoldStore(open_data_dir()).exists(one.request, 0)
    fields: dict[str, Any] = {
        "request": one.request,
        "method": one.method,
        "params": one.params,
        "ranges": ranges,
        "sampler": args.sampler or ("grid" if len(ranges) == 1 else "tpe"),
        "objectives": args.aim or (["distance"] if gold else ["forget", "retain"]),
        "trials": args.trials if args.trials or args.minutes else 24,
        "minutes": args.minutes,
        "seed": args.seed,
        "early": not args.no_early_stop,
    }
    try:
        wanted = SweepSpec.model_validate(fields)
    except ValidationError as problem:
        said = problem.errors()[0]
        where = ".".join(str(part) for part in said["loc"])
        words = str(said["msg"]).removeprefix("Value error, ")
        raise InvalidRequestError(f"This cannot be swept: {f'{where}: ' if where else ''}{words}.") from None
    validate_sweep(wanted, chosen, gold=gold)
    return wanted


def _range(
    text: str, hyperparameters: "dict[str, HyperparameterInfo]", params: dict[str, Any], points: int
) -> "SearchRange | dict[str, Any]":
    """A knob's range from "lr", "lr=0.001:0.1" or "loss=mse,ce". Raises UnknownName or BadKnob."""
    from unlearn_core.domain.search_space import suggested_range
    from unlearn_core.plugins import lookup

    name, _, said = text.partition("=")
    knob = lookup("hyperparameter", hyperparameters, name.strip())
    usual = suggested_range(knob, params[knob.name])
    if usual is None:
        raise InvalidHyperparameterError(
            f"{knob.title} ({knob.name}) is a list of numbers, which has no range: sweep another knob."
        )
    fields = usual.model_dump() | {"points": points}
    if not said:
        return fields
    if usual.is_choice:
        words = [part.strip() for part in said.split(",")]
        named = {"true": True, "on": True, "false": False, "off": False}
        return fields | {"values": [named.get(word.lower(), word) if knob.kind == "bool" else word for word in words]}
    try:
        low, high = (float(part) for part in said.split(":"))
    except ValueError:
        raise InvalidHyperparameterError(
            f"--knob {text!r} names no range: write for example --knob {name}=0.001:0.1."
        ) from None
    return fields | {"low": low, "high": high}


def _wait(store: "RunStore", number: int) -> int:
    """Says when a trial ends, until all are over; Ctrl-C ends the waiting and not the sweep."""
    told = 0
    try:
        while not (sweep := store.sweeps.get(number)).state.is_finished:
            if not store.workers():
                raise WorkerError(
                    f"Sweep {number} waits, and no worker is there to do it. "
                    "Start one: `python -m unlearn_core worker`, or `make run`."
                )
            over = store.sweeps.finished_counts([number])[number]
            if over > told:
                told = over
                print(f"{over} of {sweep.spec.max_trials} trials are over", file=sys.stderr, flush=True)
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        print(f"\nNo longer waiting; sweep {number} goes on.", file=sys.stderr)
        return STOPPED
    print(_summary(store, sweep))
    return 0 if sweep.state is SweepState.DONE else 1


def _summary(store: "RunStore", sweep: "Sweep") -> str:
    from unlearn_core.domain.objectives import OBJECTIVES, objective_values, preferred_trial

    trials = store.sweeps.trials(sweep.id)
    chosen = preferred_trial(sweep.spec, trials)
    if chosen is None:
        return f"Sweep {sweep.id} is {sweep.state}: {sweep.error or 'no trial has all the figures that it aims at.'}"
    figures = zip(sweep.spec.objectives, objective_values(sweep.spec, chosen) or (), strict=True)
    aims = ", ".join(f"{OBJECTIVES[name].title.lower()} {value:.4g}" for name, value in figures)
    turned = " ".join(f"--set {name}={value}" for name, value in chosen.params.items())
    return f"Sweep {sweep.id} is {sweep.state}. The best of {len(trials)} trials is run {chosen.run}: {aims}\n{turned}"
