"""Hostile checkpoints run no code, write nothing outside their folder, and are refused with a reason."""

import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.data import hostile_files
from unlearn_core.data import sandbox, user_catalog
from unlearn_core.domain.errors import InvalidCheckpointError, InvalidSettingError
from unlearn_core.models.upload import entries, header_checks, load_worker, receive


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    user_catalog.set_data_dir(tmp_path / "home")
    (tmp_path / "home").mkdir()
    yield tmp_path / "home"
    user_catalog.set_data_dir(None)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", hostile_files.BY_HEADER)
def test_what_the_first_bytes_give_away(root: Path, name: str) -> None:
    data, reason = hostile_files.BY_HEADER[name]
    with pytest.raises(InvalidCheckpointError, match=reason):
        receive.receive(io.BytesIO(data))
    assert not files(root.parent), "nothing of it is kept"


@pytest.mark.parametrize("name", hostile_files.BY_CONTENT)
def test_what_only_loading_gives_away(name: str) -> None:
    made, reason = hostile_files.BY_CONTENT[name]
    with pytest.raises(InvalidCheckpointError, match=reason):
        load_worker.plain_tensors(entries.choose_entry(made())[0], 600)


def test_code_in_a_pickle_is_not_run(root: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    upload = receive.receive(io.BytesIO(hostile_files.saved({"w": hostile_files.Canary(canary)})))
    with pytest.raises(InvalidCheckpointError, match=r"would run posix\.system.*safetensors"):
        receive.convert(upload)
    assert not canary.exists() and not files(root), "it is gone, and so is what it wanted"


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
    weights = {f"module.{name}": value for name, value in hostile_files.good().items()}
    upload = receive.receive(io.BytesIO(hostile_files.saved({"epoch": 3, "state_dict": weights, "lr": 0.1})))
    assert receive.convert(upload) == {
        "tensors": {"weight": [20, 30], "bias": [20]},
        "ignored": [],
        "entry": "state_dict",
        "entries": [{"name": "state_dict", "tensors": 2}],
    }
    assert header_checks.check_header(receive.safetensors_path(upload)) == "safetensors"
    assert (
        "SECRET_OF_THE_SERVER" not in seen["env"]
        and "unlearn_core.models.upload.load_worker:convert" in seen["command"]
    )


def test_each_entry_has_a_file_of_its_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run", lambda function, job, limits: load_worker.convert(job, None))  # type: ignore
    average = {name: value + 1 for name, value in hostile_files.good().items()}
    upload = receive.receive(io.BytesIO(hostile_files.saved({"net": hostile_files.good(), "ema": average})))
    assert receive.convert(upload)["entry"] == "net" and receive.convert(upload, "ema")["entry"] == "ema"
    plain, averaged = (load_file(receive.safetensors_path(upload, entry)) for entry in ("", "ema"))
    assert plain["weight"].eq(1).all() and averaged["weight"].eq(2).all()


def test_the_process_has_limits(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "LOAD_FUNCTION", "tests.models.sandbox_torch_job:reports_torch_limits")
    monkeypatch.setenv("UNLEARN_MOST_CHECKPOINT_SECONDS", "70")
    got = receive.convert(receive.receive(io.BytesIO(hostile_files.saved(hostile_files.good()))))
    assert 0 < got["AS"][0] < 2**40 and got["CPU"][0] == 70 and got["FSIZE"][0] < 20 << 20 and got["CORE"][0] == 0
    assert "allocate" in got["torch"] and got["threads"] == 1, "four gigabytes are refused"


@pytest.mark.parametrize(
    ("job", "reason", "stays"),
    [
        ("exceeds_cpu", r"longer than 60 s.*UNLEARN_MOST_CHECKPOINT_SECONDS", True),
        ("is_killed", "far more memory than a checkpoint of its size may", False),
        ("segfaults", r"died \(signal 11: no output\): the file is damaged or malicious", False),
    ],
)
def test_a_process_that_ended_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch, job: str, reason: str, stays: bool
) -> None:
    monkeypatch.setattr(receive, "LOAD_FUNCTION", f"tests.data.sandbox.sandbox_jobs:{job}")
    upload = receive.receive(io.BytesIO(hostile_files.saved(hostile_files.good())))
    with pytest.raises(InvalidCheckpointError, match=reason):
        receive.convert(upload)
    assert bool(files(root)) == stays, "with more time it may load, so only then it stays"


def test_the_limits_are_settings(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_MOST_CHECKPOINT_MB", "1")
    big = hostile_files.saved({"w": torch.zeros(300_000)})
    with pytest.raises(InvalidCheckpointError, match=r"larger than 1 MB.*UNLEARN_MOST_CHECKPOINT_MB"):
        receive.receive(io.BytesIO(big))
    assert not files(root)
    monkeypatch.setenv("UNLEARN_MOST_CHECKPOINT_MB", "many")
    with pytest.raises(InvalidSettingError, match="'many': set it to a whole number"):
        receive.receive(io.BytesIO(big))
    monkeypatch.delenv("UNLEARN_MOST_CHECKPOINT_MB")
    monkeypatch.setenv("UNLEARN_MOST_TRAINED_GB", "1")
    with (root / "trained" / "x").open("wb") as sparse:
        sparse.truncate((1 << 30) + 1)
    with pytest.raises(InvalidCheckpointError, match=r"take 1\.0 GB, and the limit is 1 GB.*UNLEARN_MOST_TRAINED_GB"):
        receive.receive(io.BytesIO(big))


def test_uploads_that_nobody_came_back_for_are_swept(root: Path) -> None:
    upload = receive.receive(io.BytesIO(hostile_files.saved(hostile_files.good())))
    folder = root / "trained" / receive.UPLOADS_FOLDER / upload
    os.utime(folder, (0, 0))
    other = receive.receive(io.BytesIO(hostile_files.saved({"w": torch.ones(3)})))
    assert not folder.exists()
    with pytest.raises(InvalidCheckpointError, match="upload the file again"):
        receive.convert(upload)
    assert other != upload


def test_flipped_bytes_never_bring_down_more_than_the_child(root: Path) -> None:
    """Header checks pass a damaged file or refuse it with a sentence: they never raise anything else."""
    rng = torch.Generator().manual_seed(0)
    for data in (hostile_files.saved(hostile_files.good()), hostile_files.safetensors(hostile_files.ONE, bytes(8))):
        path = root / "file"
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(int(torch.randint(1, 5, (), generator=rng))):
                place = int(torch.randint(0, len(damaged), (), generator=rng))
                damaged[place] = int(torch.randint(0, 256, (), generator=rng))
            path.write_bytes(damaged)
            with suppress(InvalidCheckpointError):
                assert header_checks.check_header(path) in ("pt", "safetensors")
