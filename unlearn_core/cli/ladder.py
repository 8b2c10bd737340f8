"""`ladder`: score each step of stochastic re-initialisation as in the NeurIPS 2023 unlearning challenge."""

import argparse
import os

from unlearn_core.installation import require_checkout

HELP = (
    "Score each step of stochastic re-initialisation with 64 unlearned and 64 retrained models (CPU hours). Resumable."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument(
        "--noise", type=float, choices=(0.1, 0.01), default=0.1, help="input noise of the last four steps (0.1)"
    )
    parser.add_argument("--jobs", type=int, help="parallel models (one per core; on a GPU, one)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import ablation, csv_tables
    from unlearn_core.benchmarks.csv_tables import LADDER, LADDER_PRINTED
    from unlearn_core.cli.results import SCRATCH
    from unlearn_core.engine.devices import describe_device, resolve_device

    require_checkout("`ladder`")
    device = resolve_device(args.device)
    jobs = args.jobs or (1 if device != "cpu" else os.cpu_count() or 1)
    threads = max(1, (os.cpu_count() or 1) // jobs)
    table, steps = LADDER if args.noise == ablation.NOISE else LADDER_PRINTED, ablation.steps(args.noise)
    known = csv_tables.read_rows(table, "step")
    for step in steps:
        if known.get(step.name, {}).get("key") == ablation.cache_key(step):
            continue
        for result in ablation.measure(step, scratch=SCRATCH, device=device, threads=threads, jobs=jobs):
            if isinstance(result, dict):
                known[step.name] = {name: str(value) for name, value in result.items()} | {
                    "device": describe_device(device)
                }
                print(f"{step.name}: {result['score']} (published {step.published_score})", flush=True)
            else:
                print(f"{step.name}: model {result} of {ablation.NUM_MODELS}", flush=True)
        csv_tables.write_rows(table, ablation.COLUMNS, [known[item.name] for item in steps if item.name in known])
    rows = [known[step.name] for step in steps]
    csv_tables.write_rows(table, ablation.COLUMNS, [*rows, ablation.gold_ceiling()])
    print("All steps are measured. `make results ARGS=--no-runs` writes them into RESULTS.md.")
    return 0
