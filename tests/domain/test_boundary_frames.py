"""Frames survive their storage, and what they show is said in words that follow from their figures."""

import base64
import os
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.charts.text.boundary_words import Subject, boundary_words
from unlearn_core.domain.results.boundary_frames import FLOOR, GRID_SIZE, LEVELS, BoundaryFrames, pack_places
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.store.files import playground_results


def frames(*, forget: int = 0, retain: int = 600, note: str = "", count: int = 3, top: int = 0) -> BoundaryFrames:
    """Frames whose plane is all of one class."""
    field = np.full((3, GRID_SIZE, GRID_SIZE), -6.0)
    field[top] = -0.01
    return BoundaryFrames.of(
        [field] * count,
        phases=("before",) * count,
        steps=tuple(range(count)),
        forget=(200,) * (count - 1) + (forget,),
        retain=(600,) * (count - 1) + (retain,),
        forget_points=200,
        retain_points=600,
        seconds=0.1,
        note=note,
    )


def test_fields_survive_within_half_a_level() -> None:
    rng = np.random.default_rng(0)
    fields = [np.log(rng.dirichlet([0.3] * 4, (GRID_SIZE, GRID_SIZE)).transpose(2, 0, 1)) for _ in range(5)]
    made = BoundaryFrames.of(
        fields, phases=("a",) * 5, steps=(0, 1, 2, 3, 4), forget=(0,) * 5, retain=(0,) * 5, forget_points=1,
        retain_points=1, seconds=0.0,
    )  # fmt: skip
    found = BoundaryFrames.model_validate_json(made.model_dump_json()).log_probabilities()
    assert np.abs(found - np.stack(fields).clip(-FLOOR, 0)).max() <= FLOOR / (LEVELS - 1) / 2 + 1e-5


def test_places_beyond_the_border_are_on_it() -> None:
    assert [*base64.b64decode(pack_places(np.array([[-3.0, 0.5], [7.0, 1.0]])))] == [0, 128, 255, 255]


NOON, SOME = Subject("noon", has_test=True), Subject("", has_test=True)


@pytest.mark.parametrize(
    ("subject", "after", "retrained", "title"),
    [
        (NOON, frames(), frames(), "It forgot as much as retraining would"),
        (NOON, frames(retain=500), frames(), "It forgot as much as retraining would, but the rest paid for it"),
        (NOON, frames(forget=60), frames(), "It still knows noon"),
        (NOON, frames(forget=60, retain=400), frames(), "It still knows noon, and the rest paid for it"),
        (SOME, frames(forget=10), frames(forget=190), "It forgot more than retraining would"),
        (SOME, frames(forget=199), frames(forget=200), "It forgot as much as retraining would"),
        (SOME, frames(forget=195), frames(forget=190), "No difference to retraining is shown"),
        (NOON, frames(retain=585), frames(), "It forgot as much as retraining would, but the rest paid a little"),
        (SOME, frames(forget=200), frames(forget=100), "It still knows the forgotten points"),
        (NOON, frames(note="The loss is no longer a number."), frames(), "The run broke down"),
        (NOON, frames(), None, "Forgotten. And retraining?"),
    ],
)
def test_the_title_follows_from_the_figures(
    subject: Subject, after: BoundaryFrames, retrained: BoundaryFrames | None, title: str
) -> None:
    assert boundary_words(subject, after, retrained).title == title


def test_the_sentence_holds_the_figures_of_both_models() -> None:
    said = boundary_words(NOON, frames(forget=12, retain=588), frames(top=1)).sentence.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "12 of 200 test points of noon correctly, and 98.0 % of the test points of the other classes" in said
    assert "The retrained model: 0 of 200 and 100.0 %. In 0 % of the plane both predict the same class." in said
    some = boundary_words(SOME, frames(forget=12), frames(forget=190)).sentence
    assert "12 of 200 forgotten points" in some and "their neighbours teach the same" in some
    assert "neighbours" not in boundary_words(SOME, frames(), frames(forget=20)).sentence


def test_the_oldest_results_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playground_results, "MAX_RESULTS", 10)
    specs = [PointsSpec(part="train", dataset="moons", seed=seed) for seed in range(11)]
    for age, spec in enumerate(specs):
        playground_results.save(tmp_path, spec, frames(count=1))
        file = tmp_path / "playground" / f"{spec.fingerprint()}.json"
        if file.exists():
            os.utime(file, (age, age))
    left = [spec.seed for spec in specs if playground_results.find(tmp_path, spec) is not None]
    assert left == list(range(1, 11))
