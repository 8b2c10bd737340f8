"""What L2UL's charts say is what it kept: adversarial pictures, importances, and why it stopped."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.layout import layout_of
from tests.charts.test_figures import plain, trace
from unlearn_core.charts.artifacts import adversarial_examples, stop_rule, weight_importance
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.method_artifacts import (
    AdversarialImages,
    AdversarialOriginals,
    AdversarialPredictions,
    Artifact,
    StopRule,
    WeightImportance,
)

REPORT = made_up_report()


def saving(artifact: Artifact, report: Report = REPORT) -> Report:
    """The report of a method that saved only this."""
    return replace(report, parts={**report.parts, **stored(artifact)})


def attack(answers: list[tuple[int, int, int, int]]) -> AdversarialPredictions:
    """Adversarial pictures with these labels, targets and answers before and after."""
    return AdversarialPredictions(mean_distance=1.25, radius=2.0, classes=np.array(answers, np.int16))


def attacked(answers: list[tuple[int, int, int, int]]) -> Report:
    return saving(attack(answers))


def test_shares_are_those_of_the_answers() -> None:
    report = attacked([(0, 3, 3, 3), (0, 3, 3, 0), (1, 3, 1, 3), (1, 5, 5, 5)])
    assert adversarial_examples.target_rows(report) == [
        adversarial_examples.TargetRow("all", 4, 0.75, 0.75),
        adversarial_examples.TargetRow("cat", 3, 2 / 3, 2 / 3),
        adversarial_examples.TargetRow("dog", 1, 1.0, 1.0),
    ]
    assert adversarial_examples.table([report])["images"].tolist() == [4, 3, 1]
    figure = adversarial_examples.figure([report], LIGHT)
    assert list(trace(figure, "before").x) == pytest.approx([0.75, 2 / 3, 1.0])
    assert list(layout_of(figure).yaxis.ticktext) == ["<b>all</b>", "cat", "dog"]


def test_of_many_targets_those_held_worst_are_named() -> None:
    names = tuple(f"class {number}" for number in range(30))
    wide = replace(REPORT, dataset=REPORT.dataset.model_copy(update={"classes": names}))
    answers = [(29, number, number, number if number < 18 else 29) for number in range(29) for _ in range(2)]
    shown = adversarial_examples.target_rows(saving(attack(answers), wide))
    assert [row.name for row in shown] == ["all", *names[18:29], "18 others"]
    assert shown[-1] == adversarial_examples.TargetRow("18 others", 36, 1.0, 1.0)


def test_the_attack_in_words() -> None:
    held = attacked([(0, 3, 3, 3)] * 19 + [(0, 3, 0, 0)])
    assert plain(adversarial_examples.summary(held)) == (
        "95.0 % of 20 adversarial images deceived the original model, each 1.25 of at most 2 away from the original "
        "image. After unlearning, 95.0 % are predicted as their target: the decision boundary held."
    )
    weak = adversarial_examples.summary(attacked([(0, 3, 3, 0)] + [(0, 3, 0, 0)] * 3))
    assert "so the guard trained on many labels that the model had not predicted" in weak
    assert weak.endswith("the decision boundary moved.")


def test_a_pair_shows_the_original_then_the_attacked_one_then_the_change() -> None:
    (first, *others) = adversarial_examples.image_pairs(REPORT)
    assert len(others) == 11
    assert first.image.dtype == np.uint8 and first.image.shape == (160, 496, 4)
    solid = (first.image[..., 3] == 255).all(axis=0).tolist()
    assert not any(solid[160:168] + solid[328:336]), "one sees the page between them, light or dark"
    assert sum(solid) == 480
    for side, kind in ((first.image[:, :160], AdversarialOriginals), (first.image[:, 168:328], AdversarialImages)):
        coarse = side[..., :3].reshape(32, 5, 32, 5, 3).mean((1, 3))
        own = REPORT[kind].pixels[0].astype(float)
        assert np.corrcoef(coarse.ravel(), own.ravel())[0, 1] > 0.9


def test_the_change_of_a_pair_is_amplified_around_grey() -> None:
    """The largest change of all pairs reaches white or black; an unchanged pixel is grey."""
    originals = np.full((2, 32, 32, 3), 100, np.uint8)
    made = originals.copy()
    made[0, :16] += 4
    made[1, :, 16:] -= 2
    report = attacked([(3, 5, 5, 3), (3, 5, 3, 3)]).with_result(AdversarialOriginals(pixels=originals))
    report = report.with_result(AdversarialImages(rows=[0, 1], pixels=made))
    assert adversarial_examples.change_gain(report) == 127 / 4
    up, down = (pair.image[:, 336:, :3].astype(int) for pair in adversarial_examples.image_pairs(report))
    assert (up[:60] == 254).all() and (up[100:] == 127).all(), "brighter above, unchanged below"
    assert (down[:, :60] == 127).all() and (abs(down[:, 100:] - 63.5) <= 0.5).all(), "half as much darker on the right"


def test_a_pair_in_words() -> None:
    pixels = REPORT[AdversarialImages].pixels[:2]
    report = attacked([(3, 5, 5, 3), (3, 5, 3, 3)]).with_result(AdversarialOriginals(pixels=pixels))
    report = report.with_result(AdversarialImages(rows=[0, 1], pixels=pixels))
    hit, missed = adversarial_examples.image_pairs(report)
    assert hit.caption == "cat, attacked: dog, after unlearning: cat"
    assert missed.caption == "cat, attacked: cat (target: dog), after unlearning: cat"


def weighed(values: list[float]) -> Report:
    layers = [f"layer{number}" for number in range(len(values))]
    return saving(WeightImportance(layers=layers, images=16, means=np.array(values, np.float32)))


def test_importance_by_layer() -> None:
    report = weighed([0.1, 0.4, 0.02])
    bars = trace(weight_importance.figure([report], LIGHT), "importance")
    assert list(bars.x) == pytest.approx([0.1, 0.4, 0.02])
    assert [plain(text) for text in bars.text] == ["10 %", "40 %", "2.0 %"]
    assert weight_importance.table([report])["hold"].tolist() == pytest.approx([0.9, 0.6, 0.98])
    assert plain(weight_importance.summary(report)) == (
        "Weights of layer1 mattered most for 16 forget images (on average 40.0 % of the most important one), "
        "those of layer2 least (2.0 %), so layer2 is held most strongly."
    )
    assert "has a mean importance of" in weight_importance.summary(weighed([0.3]))


def ended(left: list[float], *, goal: str = "misclassify", done: bool = True) -> Report:
    return saving(StopRule(goal=goal, done=done, max_steps=400, remaining=np.array(left, np.float32)))


def test_why_it_stopped_in_words() -> None:
    said = plain(stop_rule.summary(ended([1, 0.5, 0])))
    assert said.startswith(
        "It stopped after 2 steps of at most 400 because it reached its goal: 0.0 % of the forget images are still "
        "classified correctly. The retrained model, which was not trained on them, classifies "
    )
    assert plain(stop_rule.summary(ended([1, 0.25], done=False, goal="relabel"))).startswith(
        "It ran all 1 step without reaching its goal: "
        "25.0 % of the forget images are not yet predicted as their new label. The retrained model, "
    )
    assert plain(stop_rule.alt_text(ended([1, 0.5, 0]))).endswith(
        "still classified correctly: 100.0 % after 0 steps, 50.0 % after 1 step, 0.0 % after 2 steps."
    )


def test_the_line_has_a_point_before_the_first_step_and_one_after_each() -> None:
    line = trace(stop_rule.figure([ended([1, 0.5, 0])], LIGHT), "remaining")
    assert list(zip(line.x, line.y, strict=True)) == [(0, 1.0), (1, 0.5), (2, 0.0)]
