"""`ladder`: scores the steps of stochastic re-initialisation as the NeurIPS challenge of 2023 would."""

import argparse
import os

HELP = (
    "Score each idea of stochastic re-initialisation by 64 nets against 64 golds (hours of CPU); goes on where it was."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0")
    parser.add_argument("--jobs", type=int, help="nets side by side (one a core, on a GPU one)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import ablation, csv_tables
    from unlearn_core.cli.results import LADDER, SCRATCH
    from unlearn_core.engine.devices import describe_device, resolve_device

    device = resolve_device(args.device)
    jobs = args.jobs or (1 if device != "cpu" else os.cpu_count() or 1)
    threads = max(1, (os.cpu_count() or 1) // jobs)
    known = csv_tables.read_rows(LADDER, "step")
    for step in ablation.STEPS:
        if known.get(step.name, {}).get("key") == ablation.cache_key(step):
            continue
        for found in ablation.measure(step, scratch=SCRATCH, device=device, threads=threads, jobs=jobs):
            if isinstance(found, dict):
                known[step.name] = found | {"device": describe_device(device)}
                print(f"{step.name}: {found['score']} (published {step.published_score})", flush=True)
            else:
                print(f"{step.name}: net {found} of {ablation.NUM_MODELS}", flush=True)
        csv_tables.write_rows(
            LADDER, ablation.COLUMNS, [known[one.name] for one in ablation.STEPS if one.name in known]
        )
    rows = [known[step.name] for step in ablation.STEPS]
    csv_tables.write_rows(LADDER, ablation.COLUMNS, [*rows, ablation.gold_ceiling()])
    print("The ladder is complete: `make results ARGS=--no-runs` writes it into RESULTS.md.")
    return 0
