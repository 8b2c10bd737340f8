"""Nothing of a hostile checkpoint runs, nothing outside its own folder is written, and its refusal says why."""

import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from tests.catalog import hostile
from unlearn_core.catalog import checkpoints, headers, own, unpacked
from unlearn_core.domain.errors import BadUpload


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    own.use(tmp_path / "home")
    (tmp_path / "home").mkdir()
    yield tmp_path / "home"
    own.use(None)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", hostile.BY_HEADER)
def test_what_the_first_bytes_give_away(root: Path, name: str) -> None:
    data, reason = hostile.BY_HEADER[name]
    with pytest.raises(BadUpload, match=reason):
        checkpoints.receive(io.BytesIO(data))
    assert not files(root.parent), "nothing of it is kept"


@pytest.mark.parametrize("name", hostile.BY_CONTENT)
def test_what_only_loading_gives_away(name: str) -> None:
    made, reason = hostile.BY_CONTENT[name]
    with pytest.raises(BadUpload, match=reason):
        unpacked.plain(made(), 600)


def test_code_in_a_pickle_is_not_run(root: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    upload = checkpoints.receive(io.BytesIO(hostile.saved({"w": hostile.Canary(canary)})))
    with pytest.raises(BadUpload, match=r"asks for \w+.system to be run.*safetensors"):
        checkpoints.convert(upload)
    assert not canary.exists() and not files(root), "it is gone, and so is what it wanted"


def test_a_whole_module_is_refused_with_what_to_save_instead(root: Path) -> None:
    upload = checkpoints.receive(io.BytesIO(hostile.saved(hostile.Net(2, 2))))
    with pytest.raises(BadUpload, match=r"state_dict\(\)"):
        checkpoints.convert(upload)


def test_a_good_one_is_unwrapped_and_converted_in_a_limited_process(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "1")
    seen: dict = {}
    begun = subprocess.Popen

    def watched(command: list[str], **how: object) -> subprocess.Popen:
        seen.update(how, command=command)
        return begun(command, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", watched)
    weights = {f"module.{name}": value for name, value in hostile.good().items()}
    upload = checkpoints.receive(io.BytesIO(hostile.saved({"epoch": 3, "state_dict": weights, "lr": 0.1})))
    assert checkpoints.convert(upload) == {"tensors": {"weight": [20, 30], "bias": [20]}, "ignored": []}
    assert headers.check(checkpoints.plain(upload)) == "safetensors"
    assert "SECRET_OF_THE_SERVER" not in seen["env"] and "unlearn_core.catalog.unpacked" in seen["command"]


def test_the_process_has_limits(tmp_path: Path) -> None:
    script = (
        "import json, resource, sys; from unlearn_core.catalog import unpacked; unpacked._confine(1000, 7);"
        "print(json.dumps([resource.getrlimit(getattr(resource, n))[0] for n in"
        " ('RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_CORE')]));"
        "import torch; torch.zeros(10**9)"
    )
    import sys

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    memory, seconds, written, core = map(int, done.stdout.strip("[]\n").split(","))
    assert 0 < memory < 2**40 and seconds == 7 and written < 20 << 20 and core == 0
    assert done.returncode and "allocate" in done.stderr, "four gigabytes are refused"


def test_the_limits_are_settings(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_MOST_CHECKPOINT_MB", "1")
    big = hostile.saved({"w": torch.zeros(300_000)})
    with pytest.raises(BadUpload, match=r"larger than 1 MB.*UNLEARN_MOST_CHECKPOINT_MB"):
        checkpoints.receive(io.BytesIO(big))
    assert not files(root)
    monkeypatch.setenv("UNLEARN_MOST_CHECKPOINT_MB", "many")
    with pytest.raises(BadUpload, match="'many': set it to a whole number"):
        checkpoints.receive(io.BytesIO(big))
    monkeypatch.setattr(checkpoints, "limits", lambda: checkpoints.Limits(trained_gb=0))
    (root / "trained" / "x").write_bytes(b"1")
    with pytest.raises(BadUpload, match="Own classifiers take"):
        checkpoints.receive(io.BytesIO(big))


def test_uploads_that_nobody_came_back_for_are_swept(root: Path) -> None:
    upload = checkpoints.receive(io.BytesIO(hostile.saved(hostile.good())))
    folder = root / "trained" / checkpoints.UPLOADS / upload
    os.utime(folder, (0, 0))
    other = checkpoints.receive(io.BytesIO(hostile.saved({"w": torch.ones(3)})))
    assert not folder.exists()
    with pytest.raises(BadUpload, match="bring the file again"):
        checkpoints.convert(upload)
    assert other != upload


def test_flipped_bytes_never_bring_down_more_than_the_child(root: Path) -> None:
    """Every header check either passes a damaged file on or refuses it with a sentence: it never raises otherwise."""
    rng = torch.Generator().manual_seed(0)
    for data in (hostile.saved(hostile.good()), hostile.safetensors(hostile.ONE, bytes(8))):
        path = root / "file"
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(int(torch.randint(1, 5, (), generator=rng))):
                place = int(torch.randint(0, len(damaged), (), generator=rng))
                damaged[place] = int(torch.randint(0, 256, (), generator=rng))
            path.write_bytes(damaged)
            with suppress(BadUpload):
                assert headers.check(path) in ("pt", "safetensors")
