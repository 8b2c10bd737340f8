"""Makes the frames of the playground's scenes that ship: `python -m unlearn_core.benchmarks.pages.make_scenes`.

It takes some seconds on one core. Frames of scenes that are no more are removed.
"""

import tempfile
from pathlib import Path

import torch

from unlearn_core.data import playground_points
from unlearn_core.domain.results.boundary_frames import BoundaryFrames
from unlearn_core.domain.results.point_runs import REVISION, PointsSpec
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.playground import scenes
from unlearn_core.engine.playground.point_models import make_frames
from unlearn_core.installation import require_checkout
from unlearn_core.store.files import playground_results


def shipped_specs() -> list[PointsSpec]:
    """Return the specs of all frames that ship: of the scenes, their retrained models, and all bundled classifiers."""
    found: list[PointsSpec] = []
    for scene in scenes.SCENES:
        spec = scene.spec()
        found += [spec, spec.retrained]
    names = playground_points.point_datasets()
    return found + [PointsSpec(part="train", dataset=name, revision=str(REVISION)) for name in names]


def main() -> None:
    """Make the frames of every scene, and print their sizes."""
    require_checkout("Making scenes")
    torch.set_num_threads(1)
    specs = shipped_specs()
    wanted = {playground_results.shipped_path(spec) for spec in specs}
    for path in playground_results.SHIPPED.glob("*.json.gz"):
        if path not in wanted:
            path.unlink()
    with tempfile.TemporaryDirectory() as folder:
        model_cache = ModelCache("cpu", Path(folder))
        for spec in specs:
            frames = make_frames(spec, model_cache, NullListener())
            playground_results.ship(spec, frames)
            print(f"{spec.part} {spec.dataset} {spec.method}: {_told(frames)}")
    size = sum(path.stat().st_size for path in wanted)
    print(f"{size / 1000:.0f} kB in all")


def _told(frames: BoundaryFrames) -> str:
    forget, retain = f"{frames.forget[-1]}/{frames.forget_points}", f"{frames.retain[-1]}/{frames.retain_points}"
    return f"{len(frames.steps)} frames, {len(frames.fields) / 1000:.0f} kB, forget {forget}, retain {retain}"


if __name__ == "__main__":
    main()
