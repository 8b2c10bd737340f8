"""`sweep`: queue a hyperparameter search for a method, and print its best trial."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any, get_args

from unlearn_core.cli import _forecast, _forget
from unlearn_core.domain.errors import InvalidHyperparameterError, InvalidRequestError, WorkerError
from unlearn_core.domain.sweeps.search_space import MAX_POINTS
from unlearn_core.domain.sweeps.sweep import MAX_MINUTES, MAX_TRIALS, ObjectiveId, Sampler, SweepState

if TYPE_CHECKING:
    from unlearn_core.domain.params import HyperparameterInfo
    from unlearn_core.domain.sweeps.search_space import SearchRange
    from unlearn_core.domain.sweeps.sweep import Sweep, SweepSpec
    from unlearn_core.engine.forecasts.duration import Forecast
    from unlearn_core.store.queue.run_store import RunStore

HELP = "Queue a sweep: runs of one method with different hyperparameters, chosen by Optuna."

PAUSE = 0.5
"""Seconds between two polls of the sweep."""
STOPPED = 130


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.add_request_arguments(parser)
    parser.add_argument("--method", required=True, metavar="ID", help="the unlearning method; `methods` lists them")
    parser.add_argument(
        "--preset", metavar="NAME", help="preset of all other hyperparameters (the first one of the method)"
    )
    swept = parser.add_mutually_exclusive_group(required=True)
    swept.add_argument(
        "--hyperparameter",
        action="append",
        metavar="NAME[=LOW:HIGH]",
        help="a hyperparameter to sweep, with its range or its values as in loss=mse,ce; repeatable",
    )
    swept.add_argument("--knob", action="append", dest="hyperparameter", help=argparse.SUPPRESS)  # of older releases
    parser.add_argument(
        "--sampler", choices=get_args(Sampler), help="the sampler (grid for one hyperparameter, otherwise tpe)"
    )
    parser.add_argument(
        "--points", type=int, metavar="N", help="grid values per hyperparameter (8 for one, 4 each for several)"
    )
    parser.add_argument(
        "--objective",
        action="append",
        choices=get_args(ObjectiveId),
        help="one or two objectives (distance if there is a retrained model, otherwise forget and retain)",
    )
    parser.add_argument(
        "--aim", action="append", choices=get_args(ObjectiveId), dest="objective", help=argparse.SUPPRESS
    )  # of older releases
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--trials", type=int, metavar="N", help=f"number of trials, at most {MAX_TRIALS} (24)")
    budget.add_argument("--minutes", type=float, metavar="M", help=f"minutes of computation, at most {MAX_MINUTES:g}")
    parser.add_argument("--seed", type=int, default=0, help="random seed of the sampler and of every run (0)")
    parser.add_argument("--no-early-stop", action="store_true", help="do not stop hopeless trials early")
    parser.add_argument("--wait", action="store_true", help="wait until it is done, and print the best hyperparameters")
    _forecast.add_yes(parser)


def run(args: argparse.Namespace) -> int:
    from unlearn_core.data import datasets
    from unlearn_core.domain.report import describe_forget_set
    from unlearn_core.methods import method
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    spec = _spec(args)
    forget_set = describe_forget_set(spec.request.forget, datasets.card(spec.request.dataset))
    store = RunStore(open_data_dir())
    _forecast.say_and_ask(_time(spec, store), yes=args.yes)
    number = store.sweeps.submit(spec, title=f"Forget {forget_set} with {method(spec.method).title}")
    budget = f"{spec.max_trials} trials" if spec.minutes is None else f"{spec.minutes:g} minutes of computation"
    print(f"Sweep {number} is queued with at most {budget}. A worker runs it; runs that people submit go first.")
    print(f"Its page in the web app: /sweep?sweep={number}", flush=True)
    return _wait(store, number) if args.wait else 0


def _time(spec: "SweepSpec", store: "RunStore") -> "Forecast | None":
    from unlearn_core.data import datasets
    from unlearn_core.engine.forecasts import duration
    from unlearn_core.engine.forecasts.here import of_run, spec_work
    from unlearn_core.models import classifiers

    if spec.minutes is not None:
        return duration.Forecast(60 * spec.minutes, 60 * spec.minutes, measured=True)
    card, data = classifiers.card(spec.request.classifier), datasets.card(spec.request.dataset)
    work = spec_work(spec.run_spec({}), card, data, datasets.load(data.id).labels)
    each = of_run(card, data, work, store)
    return None if each is None else each.times(spec.max_trials)


def _spec(args: argparse.Namespace) -> "SweepSpec":
    """Return the requested sweep.

    Raises InvalidHyperparameterError, NotFoundError, InvalidRequestError or NotSupportedError.
    """
    from pydantic import ValidationError

    from unlearn_core.domain.sweeps.objectives import validate_sweep
    from unlearn_core.domain.sweeps.sweep import SweepSpec
    from unlearn_core.engine.build_spec import run_spec
    from unlearn_core.methods import method
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files.golds import GoldStore

    base = run_spec(
        args.classifier,
        method=args.method,
        classes=_forget.forget_classes(args),
        images=_forget.forget_images(args),
        preset=args.preset,
        seed=args.seed,
    )
    chosen = method(base.method)
    hyperparameters = chosen.params.hyperparameters()
    points = args.points or (max(2, min(args.trials or 8, MAX_POINTS)) if len(args.hyperparameter) == 1 else 4)
    ranges = [_range(text, hyperparameters, base.params, points) for text in args.hyperparameter]
    gold = GoldStore(open_data_dir()).exists(base.request, 0)
    fields: dict[str, Any] = {
        "request": base.request,
        "method": base.method,
        "params": base.params,
        "ranges": ranges,
        "sampler": args.sampler or ("grid" if len(ranges) == 1 else "tpe"),
        "objectives": args.objective or (["distance"] if gold else ["forget", "retain"]),
        "trials": args.trials if args.trials or args.minutes else 24,
        "minutes": args.minutes,
        "seed": args.seed,
        "early": not args.no_early_stop,
    }
    try:
        spec = SweepSpec.model_validate(fields)
    except ValidationError as problem:
        error = problem.errors()[0]
        where = ".".join(str(part) for part in error["loc"])
        words = str(error["msg"]).removeprefix("Value error, ")
        raise InvalidRequestError(f"The sweep is not valid: {f'{where}: ' if where else ''}{words}.") from None
    validate_sweep(spec, chosen, gold=gold)
    return spec


def _range(
    text: str, hyperparameters: "dict[str, HyperparameterInfo]", params: dict[str, Any], points: int
) -> "SearchRange | dict[str, Any]":
    """Return the range from "lr", "lr=0.001:0.1" or "loss=mse,ce".

    Raises NotFoundError or InvalidHyperparameterError.
    """
    from unlearn_core.domain.sweeps.search_space import suggested_range
    from unlearn_core.plugins import lookup

    name, _, values = text.partition("=")
    info = lookup("hyperparameter", hyperparameters, name.strip())
    suggested = suggested_range(info, params[info.name])
    if suggested is None:
        raise InvalidHyperparameterError(
            f"{info.title} ({info.name}) is a list of numbers, which has no range: sweep another hyperparameter."
        )
    fields = suggested.model_dump() | {"points": points}
    if not values:
        return fields
    if suggested.is_choice:
        words = [part.strip() for part in values.split(",")]
        named = {"true": True, "on": True, "false": False, "off": False}
        return fields | {"values": [named.get(word.lower(), word) if info.kind == "bool" else word for word in words]}
    try:
        low, high = (float(part) for part in values.split(":"))
    except ValueError:
        raise InvalidHyperparameterError(
            f"{text!r} has no range: write for example --hyperparameter {name}=0.001:0.1."
        ) from None
    return fields | {"low": low, "high": high}


def _wait(store: "RunStore", number: int) -> int:
    """Print a line whenever a trial ends, until all have; Ctrl-C stops waiting, not the sweep."""
    shown = 0
    try:
        while not (sweep := store.sweeps.get(number)).state.is_finished:
            if not store.workers():
                raise WorkerError(
                    f"Sweep {number} is queued, but no worker is running. "
                    "Start one with `python -m unlearn_core worker` or `serve`."
                )
            finished = store.sweeps.finished_counts([number])[number]
            if finished > shown:
                shown = finished
                print(f"{finished} of {sweep.spec.max_trials} trials finished", file=sys.stderr, flush=True)
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        print(f"\nStopped waiting; sweep {number} continues.", file=sys.stderr)
        return STOPPED
    print(_summary(store, sweep))
    return 0 if sweep.state is SweepState.DONE else 1


def _summary(store: "RunStore", sweep: "Sweep") -> str:
    from unlearn_core.domain.sweeps.objectives import OBJECTIVES, objective_values, preferred_trial

    trials = store.sweeps.trials(sweep.id)
    chosen = preferred_trial(sweep.spec, trials)
    if chosen is None:
        return f"Sweep {sweep.id} is {sweep.state}: {sweep.error or 'no trial has values for all objectives.'}"
    values = zip(sweep.spec.objectives, objective_values(sweep.spec, chosen) or (), strict=True)
    objectives = ", ".join(f"{OBJECTIVES[name].title.lower()} {value:.4g}" for name, value in values)
    options = " ".join(f"--set {name}={value}" for name, value in chosen.params.items())
    best = f"The best of {len(trials)} trials is run {chosen.run}: {objectives}"
    return f"Sweep {sweep.id} is {sweep.state}. {best}\n{options}"
