"""`bench` measures real runs."""

import json

import pytest

from unlearn_core.__main__ import main
from unlearn_core.benchmarks.speed import neighbours
from unlearn_core.store.queue.cpu_load import usable_cores
from unlearn_core.training import cpu_threads


@pytest.mark.slow
def test_figures_belong_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--classifier", "tiny", "--forget-class", "rows", "--method", "finetune", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    parts = said["  forgetting (s)"] + said["  evaluating (s)"] + said["  measuring (s)"]
    assert 0 < parts <= said["warm run (s)"]
    probes = [value for name, value in said.items() if name.startswith("    ")]
    assert len(probes) > 8 and probes == sorted(probes, reverse=True)
    assert said["bare steps / method"] == pytest.approx(
        said["bare training steps: pictures a second"] / said["method: pictures a second"]
    )
    assert said["PGD batched vs one by one (times as fast)"] > 1
    assert said["importance vectorised vs loop (times as fast)"] > 0
    assert said["trials side by side vs one by one (times as fast)"] > 0


@pytest.mark.slow
def test_the_verdict_comes_before_the_whole_report(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--classifier", "tiny", "--forget-class", "rows", "--method", "finetune", "--device", "cpu"]
    assert main(["bench", "--verdict", *options, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert 0 < said["from forgetting to the verdict (s)"] < said["from forgetting to the whole report (s)"]


@pytest.mark.slow
def test_a_run_is_measured_beside_busy_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in cpu_threads.COUNT_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(neighbours, "ROUNDS", 1)
    options = ["--classifier", "tiny", "--forget-class", "rows", "--method", "finetune", "--json"]
    assert main(["bench", "--neighbours", *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["device"] == "CPU" and said["beside 2 busy programs: threads"] <= max(1, usable_cores() - 1)
    alone, before = said["alone (s)"], said["alone, threads that spin (s)"]
    assert said["alone: now / with threads that spin (at most 1.03)"] == pytest.approx(alone / before)
    assert said["beside 2 busy programs / alone (at most 4)"] > 0


def test_an_architecture_is_measured_on_images_of_a_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--architecture", "resnet8", "--size", "40", "--device", "cpu", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    rates = [value for name, value in said.items() if "images per second" in name]
    assert len(rates) == 3 and min(rates) > 0
    assert 0 < said["memory before the first image (MB)"] <= said["memory at most (MB)"]
    assert said["a data set of 10,000 such images (MB)"] == pytest.approx(48)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("resnet8", "--size", "0"), "1 to 1024 pixels"),
        (("nothing",), "There is no architecture"),
        (("mobilenet_v2", "--size", "2"), "needs images of"),
    ],
)
def test_what_cannot_be_measured_is_said(
    options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--architecture", *options]) == 2
    assert words in capsys.readouterr().err
