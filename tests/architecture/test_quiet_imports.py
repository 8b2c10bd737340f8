"""Importing a module of the core changes nothing about the process that imports it."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LOOK = """
import importlib, json, os, random, signal, sys, threading
import numpy, torch

def state():
    return {
        "working directory": os.getcwd(),
        "environment": dict(os.environ),
        "torch's random state": torch.get_rng_state().sum().item(),
        "torch's seed": torch.initial_seed(),
        "python's random state": hash(random.getstate()),
        "numpy's random state": str(numpy.random.get_state()),
        "torch's threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "default dtype": str(torch.get_default_dtype()),
        "default device": str(torch.get_default_device()),
        "gradients": torch.is_grad_enabled(),
        "determinism": (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark),
        "CUDA": torch.cuda.is_initialized(),
        "running threads": sorted(t.name for t in threading.enumerate()),
        "recursion limit": sys.getrecursionlimit(),
        "signals": str([signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]),
    }

for library in "matplotlib streamlit pandas plotly sqlalchemy alembic pydantic torchvision PIL.Image".split():
    importlib.import_module(library)
before, noisy = state(), {}
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
    after = state()
    changed = [what for what in after if after[what] != before[what]]
    if changed:
        noisy[name] = changed
    before = after
print(json.dumps(noisy))
"""


def core_modules() -> list[str]:
    """Every module of the core but the migrations, which only Alembic can run."""
    files = sorted((ROOT / "unlearn_core").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files if "migrations" not in path.parts]
    return [name.removesuffix(".__init__") for name in names]


PLANTED = {
    "noisy_seed": "import torch; torch.manual_seed(3)",
    "noisy_folder": "import os; os.chdir('/')",
    "noisy_threads": "import torch; torch.set_num_threads(torch.get_num_threads() + 1)",
    "noisy_environment": "import os; os.environ['NOISE'] = '1'",
}


def test_importing_the_core_changes_nothing(tmp_path: Path) -> None:
    """All modules in one fresh process, and after them some that are noisy on purpose: only these may be named."""
    for name, text in PLANTED.items():
        (tmp_path / f"{name}.py").write_text(text)
    names = core_modules()
    assert len(names) > 50
    path = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]\n"
    words = [sys.executable, "-c", path + LOOK, json.dumps([*names, *PLANTED])]
    done = subprocess.run(words, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    noisy = json.loads(done.stdout)
    assert {name: what for name, what in noisy.items() if name not in PLANTED} == {}
    assert set(noisy) == set(PLANTED)
