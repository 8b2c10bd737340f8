"""`reproduce`: measure claims that need more than `results`: UNSIR's setting and its noise, L2UL along its runs."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from unlearn_core.cli._bar import ProgressBar
from unlearn_core.installation import require_checkout

HELP = (
    "Measure UNSIR's published settings on full CIFAR-10 and CIFAR-100 (one CPU hour each), what its noise does at six "
    "learning rates (three CPU hours), or L2UL's variants along their runs (half a CPU hour). Resumable."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work", choices=list(MEASURED), default="unsir", help="whose claims to measure (unsir)")
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


def _unsir(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks import csv_tables, published_settings
    from unlearn_core.benchmarks.csv_tables import PUBLISHED

    known = csv_tables.read_rows(PUBLISHED, "name")
    for experiment in published_settings.PUBLISHED_RESULTS:
        if experiment.name in known or time.monotonic() >= end:
            continue
        with ProgressBar() as bar:
            row = published_settings.measure(experiment, device=device, data_dir=scratch, listener=bar)
        known[experiment.name] = row
        csv_tables.write_rows(PUBLISHED, published_settings.COLUMNS, list(known.values()))
        print(f"{experiment.name}: {row}", flush=True)


def _unsir_noise(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks import csv_tables
    from unlearn_core.benchmarks.reproduction import noise_runs
    from unlearn_core.charts.measured.noise_levels import KIND_LABELS, TABLE

    keys, seconds = list(noise_runs.cases()), end - time.monotonic()
    measured = csv_tables.extend(
        TABLE,
        noise_runs.COLUMNS,
        keys,
        lambda known: noise_runs.measure_missing(known, seconds=seconds, device=device, data_dir=scratch),
    )
    for count, row in measured:
        what = f"{row['class']}, {KIND_LABELS[row['noise']]}, rate {row['rate']}, seed {row['seed']}"
        print(f"{count} of {len(keys)}: {what}: {row['forget_train']} left, {row['retain_test']} retained", flush=True)


def _l2ul(device: str, scratch: Path, end: float) -> None:
    from unlearn_core.benchmarks import csv_tables
    from unlearn_core.benchmarks.csv_tables import COURSES
    from unlearn_core.benchmarks.reproduction import l2ul_course

    keys = {l2ul_course.cache_key(case): case for case in l2ul_course.courses()}
    known: dict[str, list[csv_tables.MeasuredRow]] = {key: [] for key in keys}
    for row in csv_tables.read_table(COURSES):
        known.get(row["key"], []).append({**row})
    for key, case in keys.items():
        if known[key] or time.monotonic() >= end:
            continue
        known[key] = own = l2ul_course.measure(case, device=device, data_dir=scratch)
        csv_tables.write_rows(COURSES, l2ul_course.COLUMNS, [row for rows in known.values() for row in rows])
        print(f"{case.preset} on {case.request}, seed {case.seed}: {own[-1]['step']} steps", flush=True)


MEASURED: dict[str, Callable[[str, Path, float], None]] = {"unsir": _unsir, "unsir-noise": _unsir_noise, "l2ul": _l2ul}
