"""`auto`: measure how often the preset `auto` succeeds, on a grid of classifiers, methods and requests."""

import argparse

from unlearn_core.installation import require_checkout

HELP = "Measure how often the preset `auto` succeeds on a grid of cases. Resumable."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="CLASSIFIER", nargs="+", help="cases of these classifiers only")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no case after so many (no limit)")
    parser.add_argument("--jobs", type=int, default=1, help="parallel runs (1, for accurate timings)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import csv_tables
    from unlearn_core.benchmarks.tuning import auto_grid, grid_classifiers
    from unlearn_core.cli.results import SCRATCH
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.plugins import lookup

    require_checkout("`auto`")
    for name in args.only or ():
        lookup("classifier", grid_classifiers.grid_classifiers(), name)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    keys, device = list(auto_grid.cases()), resolve_device(args.device)
    measured = csv_tables.extend(
        csv_tables.AUTO,
        auto_grid.COLUMNS,
        keys,
        lambda known: auto_grid.measure_missing(
            known, only=args.only, seconds=60 * args.minutes, device=device, data_dir=SCRATCH, jobs=args.jobs
        ),
    )
    for count, row in measured:
        what = f"{row['method']}, {row['request']} of {row['classifier']}"
        print(f"{count} of {len(keys)}: {what}: {auto_grid.why_failed(row) or 'succeeded'}", flush=True)
    known = csv_tables.read_rows(csv_tables.AUTO, "key")
    print(f"{sum(key in known for key in keys)} of {len(keys)} cases are measured.")
    print("`make results ARGS=--no-runs` writes them into RESULTS.md.")
    return 0
