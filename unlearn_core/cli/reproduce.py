"""`reproduce`: measure claims that need more than `results`: published settings, UNSIR's noise, L2UL along its runs."""

import argparse
import time
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from unlearn_core.cli._terminal import ProgressBar
from unlearn_core.installation import require_checkout

if TYPE_CHECKING:
    from unlearn_core.benchmarks.reproduction.l2ul.l2ul_draws import DrawnRun

HELP = (
    "Measure UNSIR and L2UL in their published settings on full CIFAR-10 and CIFAR-100 (for a GPU; a CPU needs three "
    "hours for the first), what UNSIR's noise does at six learning rates (three CPU hours), L2UL's variants along "
    "their runs (half a CPU hour), what each idea of stochastic re-initialisation adds (three CPU hours), what it "
    "leaves of single images and why (one CPU hour), or whether unlearning corrects wrong labels (one CPU hour). "
    "Resumable."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work", choices=list(MEASURED), default="published", help="what to measure (published)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no run after so many (no limit)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.cli.results import SCRATCH
    from unlearn_core.engine.devices import resolve_device

    require_checkout("`reproduce`")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    MEASURED[args.work](resolve_device(args.device), SCRATCH, time.monotonic() + 60 * args.minutes)
    print("`make results ARGS=--no-runs` writes the results into RESULTS.md and docs/reproduction.md.")
    return 0


def _published(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks import csv_tables
    from unlearn_core.benchmarks.csv_tables import PUBLISHED
    from unlearn_core.benchmarks.reproduction.published import published_rows

    known: dict[tuple[str, str], Mapping[str, str | float]] = {
        (row["name"], row["seed"]): row for row in csv_tables.read_table(PUBLISHED)
    }
    for setting, seed in published_rows.missing(csv_tables.read_table(PUBLISHED)):
        if time.monotonic() >= end:
            return
        with ProgressBar() as bar:
            row = published_rows.measure(setting, seed, device=device, data_dir=scratch, listener=bar)
        known[setting.name, str(seed)] = row
        csv_tables.write_rows(PUBLISHED, published_rows.COLUMNS, list(known.values()))
        print(f"{setting.name}, seed {seed}: {row}", flush=True)


def _unsir_noise(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks.reproduction.unsir import noise_runs
    from unlearn_core.charts.measured.noise_levels import KIND_LABELS, TABLE

    for count, row in _extended(TABLE, noise_runs, device, scratch, end):
        what = f"{row['class']}, {KIND_LABELS[row['noise']]}, rate {row['rate']}, seed {row['seed']}"
        print(f"{count}: {what}: {row['forget_train']} left, {row['retain_test']} retained", flush=True)


def _corrective(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks.reproduction import corrective_runs

    for count, row in _extended(corrective_runs.TABLE, corrective_runs, device, scratch, end):
        accuracy = " → ".join(row[f"accuracy_{model}"] for model in ("before", "after"))
        print(f"{count}: {row['method']}, {row['known']}: {accuracy}, retrained {row['accuracy_gold']}", flush=True)


def _l2ul(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks import csv_tables
    from unlearn_core.benchmarks.reproduction import l2ul_course

    cases = {l2ul_course.cache_key(case): case for case in l2ul_course.courses()}

    def new(known: Container[str]) -> Iterator[list[csv_tables.MeasuredRow]]:
        for _, case in csv_tables.pending(cases, known, seconds=end - time.monotonic()):
            yield l2ul_course.measure(case, device=device, data_dir=scratch)

    for _, own in csv_tables.extend_groups(csv_tables.COURSES, l2ul_course.COLUMNS, [*cases], new):
        print(f"{own[0]['preset']} on {own[0]['request']}, seed {own[0]['seed']}: {own[-1]['step']} steps", flush=True)


def _l2ul_search(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks.csv_tables import L2UL_SEARCH
    from unlearn_core.benchmarks.reproduction.l2ul import l2ul_search

    _draws(L2UL_SEARCH, l2ul_search.searched(), device, scratch, end, on_test=False)


def _l2ul_frontier(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks.reproduction.l2ul import l2ul_frontier
    from unlearn_core.charts.measured.l2ul_courses import TABLE

    _draws(TABLE, l2ul_frontier.reported(), device, scratch, end, on_test=True)


def _draws(
    path: Path, runs: "Mapping[str, DrawnRun]", device: str, scratch: Path, end: float, *, on_test: bool
) -> None:
    from unlearn_core.benchmarks import csv_tables
    from unlearn_core.benchmarks.reproduction.l2ul import l2ul_draws

    def new(known: Container[str]) -> Iterator[list[csv_tables.MeasuredRow]]:
        seconds = end - time.monotonic()
        return l2ul_draws.measure_missing(
            runs, known, on_test=on_test, seconds=seconds, device=device, data_dir=scratch
        )

    for count, own in csv_tables.extend_groups(path, l2ul_draws.COLUMNS, [*runs], new):
        last = own[-1]
        what = f"{last['setting']}, {last['images']} images, draw {last['draw']}"
        result = last["error"] or f"{last['forget_train']} left, {last['retain']} retained, {last['step']} steps"
        print(f"{count} of {len(runs)}: {what}: {result}", flush=True)


def _reinit_ladder(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks.reproduction.ladder import ladder_rows

    for said in ladder_rows.measure_all(ladder_rows.Ladder(device, scratch, end)):
        print(said, flush=True)


def _reinit_images(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks.csv_tables import REINIT_IMAGES
    from unlearn_core.benchmarks.reproduction import passed_on

    for count, row in _extended(REINIT_IMAGES, passed_on, device, scratch, end):
        what = f"{row['request']}, {row['layers']} layers, {row['learns']}, seed {row['seed']}"
        print(f"{count}: {what}: {row['forget_train']} left, {row['retain_test']} retained", flush=True)


def _extended(
    table: Path, runs: ModuleType, device: str, scratch: Path, end: float
) -> Iterator[tuple[str, dict[str, str]]]:
    """Measure the missing rows of a table by the module of its runs; yield "3 of 40" and the row after each."""
    from unlearn_core.benchmarks import csv_tables

    keys, seconds = list(runs.cases()), end - time.monotonic()
    for count, row in csv_tables.extend(
        table,
        runs.COLUMNS,
        keys,
        lambda known: runs.measure_missing(known, seconds=seconds, device=device, data_dir=scratch),
    ):
        yield f"{count} of {len(keys)}", row


MEASURED: dict[str, Callable[[str, Path, float], None]] = {
    "published": _published,
    "unsir-noise": _unsir_noise,
    "l2ul": _l2ul,
    "l2ul-search": _l2ul_search,
    "l2ul-frontier": _l2ul_frontier,
    "reinit-ladder": _reinit_ladder,
    "corrective": _corrective,
    "reinit-images": _reinit_images,
}
