"""`reproduce`: measure UNSIR in its published setting, full CIFAR and torchvision's ResNet-18."""

import argparse

from unlearn_core.cli._bar import ProgressBar
from unlearn_core.installation import require_checkout

HELP = "Measure UNSIR's published settings on full CIFAR-10 and CIFAR-100 (one CPU hour each). Resumable."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import csv_tables, published_settings
    from unlearn_core.cli.results import PUBLISHED, SCRATCH
    from unlearn_core.engine.devices import resolve_device

    require_checkout("`reproduce`")
    device, known = resolve_device(args.device), csv_tables.read_rows(PUBLISHED, "name")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    for experiment in published_settings.PUBLISHED_RESULTS:
        if experiment.name in known:
            continue
        with ProgressBar() as bar:
            row = published_settings.measure(experiment, device=device, data_dir=SCRATCH, listener=bar)
        known[experiment.name] = row
        csv_tables.write_rows(PUBLISHED, published_settings.COLUMNS, list(known.values()))
        print(f"{experiment.name}: {row}", flush=True)
    print("`make results ARGS=--no-runs` writes the results into RESULTS.md.")
    return 0
