"""Trains the models of the tiny classifier into the assets beside this file: run it when its card or data change."""

import os
from pathlib import Path

if __name__ == "__main__":
    os.environ["UNLEARN_PLUGINS"] = "unlearn_core.testing.tiny"

    from unlearn_core.benchmarks.make_bundle import build_all, plan_tasks

    assets = Path(__file__).parent / "assets"
    build_all(plan_tasks("tiny", num_golds=1, assets=assets, scratch=assets, device="cpu", jobs=1), 1)
