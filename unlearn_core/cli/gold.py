"""`gold`: have a classifier retrained without the forgotten data, as the yardstick for everything else."""

import argparse
import sys
import time
from typing import TYPE_CHECKING

from unlearn_core.cli import _forget
from unlearn_core.cli._bar import ProgressBar
from unlearn_core.domain.errors import InvalidRequestError, WorkerError
from unlearn_core.domain.jobs import TrainGoldSpec
from unlearn_core.domain.run import Priority, RunState

if TYPE_CHECKING:
    from unlearn_core.store.queue.run_store import RunStore

HELP = "Queue the retraining of a gold: the same classifier without the forgotten data."

MAX_GOLDS = 1000
PAUSE = 0.5
"""Seconds between two looks at the queue."""
STOPPED = 130


def arguments(parser: argparse.ArgumentParser) -> None:
    _forget.add_request_arguments(parser)
    parser.add_argument("--seed", type=int, default=0, help="which gold of this request: 0 is the first, 1 the second")
    parser.add_argument("--wait", action="store_true", help="wait until it is done")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.queue.run_store import RunStore

    spec = _spec(args)
    ready = _existing_gold(spec)
    if ready:
        print(f"This gold is there already ({ready}): every run of this request is compared with it.")
        return 0
    store = RunStore(open_data_dir())
    number, shared = store.submit_unique(spec, title=_title(spec), priority=Priority.BACKGROUND)
    if shared:
        print(f"Run {number} is about this gold already.", flush=True)
    else:
        print(f"Run {number} is queued: it trains while nothing more urgent waits.", flush=True)
    return _wait(store, number) if args.wait else 0


def _spec(args: argparse.Namespace) -> TrainGoldSpec:
    """The gold that is asked for. Raises BadRequest where nothing would be left to train on."""
    from unlearn_core.data import datasets
    from unlearn_core.domain.split import make_split

    if not 0 <= args.seed < MAX_GOLDS:
        raise InvalidRequestError(f"There is no gold number {args.seed}: they are counted from 0 to {MAX_GOLDS - 1}.")
    request = _forget.forget_request(args)
    make_split(datasets.card(request.dataset), datasets.load(request.dataset).labels, request.forget)
    return TrainGoldSpec(request=request, seed=args.seed)


def _existing_gold(spec: TrainGoldSpec) -> str | None:
    """The name of this gold where it ships or was trained here."""
    from unlearn_core.models import bundled_models
    from unlearn_core.store.data_folder import open_data_dir
    from unlearn_core.store.files.golds import GoldStore

    shipped = bundled_models.find_bundled(
        spec.request.classifier, spec.request.forget, bundled_models.GOLD_SEED_OFFSET + spec.seed
    )
    if shipped is not None:
        return f"{shipped.name}, which ships"
    trained = GoldStore(open_data_dir()).find(spec.request, spec.seed)
    return None if trained is None else trained.name


def _title(spec: TrainGoldSpec) -> str:
    from unlearn_core.data import datasets
    from unlearn_core.domain.report import gold_title

    return gold_title(spec, datasets.card(spec.request.dataset))


def _wait(store: "RunStore", number: int) -> int:
    """Shows how the run goes until it is over; Ctrl-C ends the waiting and not the run."""
    bar = ProgressBar()
    try:
        while not (run := store.get(number)).state.is_finished:
            if not store.workers():
                raise WorkerError(
                    f"Run {number} waits, and no worker is there to do it. "
                    "Start one: `python -m unlearn_core worker`, or `make run`."
                )
            if run.progress is not None:
                bar.progress(run.progress)
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        print(f"\nNo longer waiting; run {number} goes on.", file=sys.stderr)
        return STOPPED
    finally:
        bar.clear()
    if run.state is RunState.DONE:
        print(f"Run {number} is done: gold is ready.")
        return 0
    print(f"Run {number} is {run.state}: {run.error or 'somebody cancelled it'}", file=sys.stderr)
    return 1
