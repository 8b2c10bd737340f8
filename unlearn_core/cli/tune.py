"""`tune`: try hyperparameters around each preset, on requests and images that no result is reported on."""

import argparse

from unlearn_core.installation import require_checkout

HELP = (
    "Try hyperparameters around each method's preset `bundled`, on training and validation images of other requests "
    "than the reported ones, and write docs/tuning.md. Resumable."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="METHOD", help="trials of this method only")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no trial after so many (no limit)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import csv_tables
    from unlearn_core.benchmarks.tuning import page, trials
    from unlearn_core.cli.results import SCRATCH
    from unlearn_core.data.atomic_files import atomic_write
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.installation import ROOT
    from unlearn_core.plugins import lookup

    require_checkout("`tune`")
    if args.only is not None:
        lookup("method", dict(trials.VARIED), args.only)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    keys, device = list(trials.trials_by_key()), resolve_device(args.device)
    measured = csv_tables.extend(
        csv_tables.TUNING,
        trials.COLUMNS,
        keys,
        lambda known: trials.measure_missing(
            known, method=args.only, seconds=60 * args.minutes, device=device, data_dir=SCRATCH
        ),
    )
    for count, row in measured:
        what = f"{row['method']} on {row['request']}, {row['hyperparameters']}"
        print(f"{count} of {len(keys)}: {what}: {row['error'] or row['objective']}", flush=True)
    atomic_write(ROOT / "docs" / "tuning.md", page.tuning_page().encode())
    known = csv_tables.read_rows(csv_tables.TUNING, "key")
    print(f"{sum(key in known for key in keys)} of {len(keys)} trials are measured. docs/tuning.md was written.")
    return 0
