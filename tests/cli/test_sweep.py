"""`sweep` queues a sweep that a worker runs, and explains each mistake in one sentence."""

import pytest

from tests.pages.page_sweeps import ME, metrics
from unlearn_core.__main__ import main
from unlearn_core.cli import sweep as verb
from unlearn_core.domain.sweeps.sweep import SweepState
from unlearn_core.store.queue.run_store import RunStore

SWEEP = ["sweep", "--classifier", "tiny", "--forget-classes", "discs", "--method", "unsir"]


def test_one_hyperparameter_is_a_grid_towards_gold(home, capsys) -> None:
    assert main([*SWEEP, "--hyperparameter", "impair_lr=0.001:0.01", "--points", "4"]) == 0
    (sweep,) = RunStore(home).sweeps.list_recent()
    spec = sweep.spec
    assert (spec.sampler, spec.objectives, spec.max_trials, sweep.title) == (
        "grid",
        ("distance",),
        4,
        "Forget discs with UNSIR",
    )
    assert spec.ranges[0].grid_values() == [0.001, 0.00215, 0.00464, 0.01]
    assert f"/sweep?sweep={sweep.id}" in capsys.readouterr().out


def test_everything_can_be_said(home) -> None:
    words = ["--hyperparameter", "repair_epochs", "--hyperparameter", "augment=on,off", "--sampler", "nsga2"]
    words += ["--objective", "forget", "--objective", "retain"]
    assert main([*SWEEP, *words, "--minutes", "2.5", "--seed", "3", "--no-early-stop"]) == 0
    spec = RunStore(home).sweeps.list_recent()[0].spec
    assert (spec.sampler, spec.objectives, spec.minutes, spec.trials) == ("nsga2", ("forget", "retain"), 2.5, None)
    assert (spec.seed, spec.early, spec.ranges[1].values) == (3, False, (True, False))


def test_options_of_older_releases_are_still_accepted(home, capsys) -> None:
    words = ["--knob", "repair_epochs", "--knob", "augment=on,off", "--aim", "forget", "--aim", "retain"]
    assert main([*SWEEP, *words]) == 0
    spec = RunStore(home).sweeps.list_recent()[0].spec
    assert ([one.knob for one in spec.ranges], spec.objectives) == (["repair_epochs", "augment"], ("forget", "retain"))
    with pytest.raises(SystemExit):
        main(["sweep", "--help"])
    shown = capsys.readouterr().out
    assert "--hyperparameter" in shown and "--knob" not in shown and "--aim" not in shown


def test_a_hyperparameter_is_required(home, capsys) -> None:
    with pytest.raises(SystemExit):
        main(SWEEP)
    assert "--hyperparameter is required" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hyperparameter", "speed"], "no hyperparameter called 'speed'"),
        (["--hyperparameter", "impair_lr=1"], "has no range"),
        (["--hyperparameter", "impair_lr=0.1:0.001"], "lower end of the range must be below the upper end"),
        (["--hyperparameter", "impair_lr=0.001:9"], "takes a number from"),
        (["--hyperparameter", "augment=on"], "at least two different values"),
        (["--hyperparameter", "impair_lr", "--trials", "1"], "trials: Input should be greater than or equal to 2"),
        (
            ["--hyperparameter", "impair_lr", "--objective", "forget", "--objective", "forget"],
            "two objectives must be different",
        ),
    ],
)
def test_a_mistake_is_a_sentence(home, capsys, words: list[str], said: str) -> None:
    assert main([*SWEEP, *words]) == 2
    assert said in capsys.readouterr().err
    assert RunStore(home).sweeps.list_recent() == []


def test_without_gold_distance_cannot_be_aimed_at(home, capsys) -> None:
    images = ["sweep", "--classifier", "tiny", "--forget-images", "3,7", "--method", "finetune"]
    images += ["--hyperparameter", "lr"]
    assert main([*images, "--objective", "distance"]) == 2
    assert "no retrained model for this request" in capsys.readouterr().err
    assert main(images) == 0
    assert RunStore(home).sweeps.list_recent()[0].spec.objectives == ("forget", "retain")


def test_waiting_without_a_worker_is_refused(home, capsys) -> None:
    assert main([*SWEEP, "--hyperparameter", "impair_lr", "--wait"]) == 2
    assert "no worker is running" in capsys.readouterr().err


def test_waiting_ends_with_the_best_settings(home, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(home)

    def works(_seconds: float) -> None:
        (sweep,) = store.sweeps.acquire_leases(ME)
        number = len(store.sweeps.trials(sweep.id))
        if number == 2:
            store.sweeps.end(sweep.id, ME, SweepState.DONE)
            return
        store.sweeps.add_trial(sweep, ME, number=number, params={"impair_lr": 0.001 * (number + 1)}, attributes={})
        run = store.execution.claim(ME, device="cpu", kinds={"unlearn"})
        assert run is not None
        store.execution.finish(run.id, run.attempt, metrics=metrics(number))

    store.execution.worker_heartbeat(ME, device="cpu", pid=1, code="", state="idle")
    monkeypatch.setattr(verb.time, "sleep", works)
    assert main([*SWEEP, "--hyperparameter", "impair_lr", "--wait"]) == 0
    said = capsys.readouterr()
    assert "The best of 2 trials is run 2: distance to retrained 0.27" in said.out
    assert "--set impair_lr=0.002" in said.out
    assert "1 of 8 trials finished" in said.err
