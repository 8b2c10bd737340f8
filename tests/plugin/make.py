"""Trains the models of the tiny classifier into tests/plugin/assets: run it when its card or data change."""

import os
from pathlib import Path

os.environ["UNLEARN_PLUGINS"] = "tests.plugin"

if __name__ == "__main__":
    from unlearn_core.benchmarks.make_bundle import build_all, plan_tasks

    here = Path(__file__).parent
    build_all(plan_tasks("tiny", num_golds=1, assets=here / "assets", scratch=here / "assets", device="cpu", jobs=1), 1)
