"""`bench`: measure how long a run takes here, relative to bare training steps on this machine.

With `--architecture`, it measures what a model costs on images of a size instead, before there are any; with
`--neighbours`, how much slower a run is beside other programs.

Seconds depend on the machine and its load; ratios are measured within one process and compare better.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

HELP = "Measure a warm run, its parts, and how much slower it is than bare optimiser steps on this machine."

MAX_SIDE = 1024
"""The largest images to measure an architecture on, in pixels."""

LABELS = {
    "method: pictures a second": "method: images per second",
    "bare training steps: pictures a second": "bare training steps: images per second",
    "one pass over all pictures (s)": "one pass over all images (s)",
    "trials side by side vs one by one (times as fast)": "trials stacked vs one by one (times as fast)",
}
"""What is printed for the keys of --json that older releases have fixed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", default="resnet20", metavar="ID", help="the classifier (resnet20)")
    parser.add_argument("--forget-class", default="cat", metavar="NAME", help="the class to forget (cat)")
    parser.add_argument("--method", default="unsir", metavar="ID", help="the unlearning method (unsir)")
    parser.add_argument(
        "--architecture",
        metavar="NAME",
        help="measure training, evaluation and memory of this architecture instead, such as torchvision:mobilenet_v2",
    )
    parser.add_argument("--size", type=int, default=224, metavar="PIXELS", help="with --architecture: image size (224)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument(
        "--verdict",
        action="store_true",
        help="measure only the seconds from the end of forgetting to the verdict and to the whole report",
    )
    parser.add_argument(
        "--neighbours", action="store_true", help="measure a run on the CPU alone and beside busy programs instead"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks.speed import neighbours, run_speed
    from unlearn_core.engine.build_spec import run_spec
    from unlearn_core.engine.devices import describe_device, resolve_device

    device = resolve_device(args.device)
    figures: dict[str, Any] = {"device": describe_device(device)}
    if args.architecture:
        figures |= _measure_architecture(args.architecture, args.size, device)
    else:
        spec = run_spec(args.classifier, method=args.method, classes=[args.forget_class])
        if args.neighbours:
            figures |= {"device": "CPU"} | neighbours.measure(spec)
        else:
            with tempfile.TemporaryDirectory(prefix="unlearn-bench-") as folder:
                measure = run_speed.measure_report if args.verdict else run_speed.measure
                figures |= measure(spec, device, Path(folder))
    if args.json:
        print(json.dumps(figures, indent=1))
    else:
        for name, value in figures.items():
            print(f"{LABELS.get(name, name):<44} {value if isinstance(value, str) else f'{value:,.2f}'}")
    return 0


def _measure_architecture(name: str, size: int, device: str) -> dict[str, float]:
    """Return what it costs on images of that size. Raises InvalidRequestError, NotFoundError and NotSupportedError."""
    import torch

    from unlearn_core.benchmarks.speed import image_size
    from unlearn_core.domain.errors import InvalidRequestError

    if not 1 <= size <= MAX_SIDE:
        raise InvalidRequestError(f"--size can be 1 to {MAX_SIDE} pixels, not {size}.")
    return {"threads": float(torch.get_num_threads())} | image_size.measure(name, size, torch.device(device))
