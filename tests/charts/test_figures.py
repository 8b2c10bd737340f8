"""What single charts must get right beyond what all promise."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.charts.fake_reports import UNCHANGED, accuracy_of, made_up_report, score
from tests.charts.layout import layout_of
from unlearn_core.charts.artifacts import reinitialized_layers, selected_weights, unsir_noise
from unlearn_core.charts.drawing.density import MAX_RUG_POINTS, AxisRange, density
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.drawing.wording import MODEL_LABELS, SET_LABELS, short_layers
from unlearn_core.charts.report import (
    accuracy,
    entropy,
    layer_shift,
    predictions,
    timing,
    true_logit,
)
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.course import PhaseTiming, RunSeconds, TimingsResult
from unlearn_core.domain.results.layer_comparison import WeightDistance, WeightDistanceResult
from unlearn_core.domain.results.method_artifacts import (
    Artifact,
    DampenedWeights,
    ForgetStepMask,
    NoiseErrors,
    NoiseImages,
    ReinitializedLayers,
    SaliencyMask,
    SelectedWeights,
)
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.predictions import AccuracyResult, DistanceToGold, PredictedClasses, PredictionsResult
from unlearn_core.domain.results.result import ReportPart

REPORT = made_up_report()
PICTURES = made_up_report(images=True)


def with_part(report: Report, name: str, part: ReportPart) -> Report:
    return replace(report, parts={**report.parts, name: part})


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def trace(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def test_accuracy_draws_what_was_measured() -> None:
    figure, scores = accuracy.figure([REPORT], LIGHT), REPORT[AccuracyResult].scores["after"]
    dots = trace(figure, "after")
    assert list(dots.x) == [scores[name].accuracy for name in SET_LABELS]
    low = [x - minus for x, minus in zip(dots.x, dots.error_x.arrayminus, strict=True)]
    high = [x + plus for x, plus in zip(dots.x, dots.error_x.array, strict=True)]
    assert low == pytest.approx([scores[name].low for name in SET_LABELS])
    assert high == pytest.approx([scores[name].high for name in SET_LABELS])


def test_accuracy_of_single_pictures_has_no_unseen_row() -> None:
    figure = accuracy.figure([PICTURES], LIGHT)
    assert list(layout_of(figure).yaxis.ticktext) == [
        "<b>forget set</b><br>training",
        "<b>retain set</b><br>training",
        "<b>retain set</b><br>test",
    ]


def test_accuracy_in_words() -> None:
    given = {"before": (150, 867), "after": (0, 862), "gold": (1, 877)}
    scores = {
        model: {
            **REPORT[AccuracyResult].scores[model],
            "forget_test": score(forget, 200),
            "retain_test": score(retain, 1000),
        }
        for model, (forget, retain) in given.items()
    }
    words = plain(accuracy.summary(REPORT.with_result(AccuracyResult(scores=scores))))
    assert words == (
        "Of the test images of cat, 75.0 % were classified correctly before and 0.0 % after (retrained model: 0.5 %, "
        "as intended). On test images of the other classes, the unlearned model lost 0.5 points; "
        "the retrained model gained 1.0 points. Bars are 95 % intervals."
    )


def counted(report: Report, after: Sequence[int], gold: Sequence[int], variation: float) -> Report:
    ours, golds = (PredictedClasses(counts=list(counts), entropy=None, top=0.0) for counts in (after, gold))
    distance = DistanceToGold(before=variation, after=variation)
    return report.with_result(
        PredictionsResult(
            sets={"forget_test": {"before": ours, "after": ours, "gold": golds}},
            total_variation={"forget_test": distance},
        )
    )


def test_predictions_in_words() -> None:
    after = [0, 0, 20, 0, 0, 90, 50, 20, 10, 10]
    gold = [0, 0, 20, 0, 0, 96, 44, 20, 10, 10]
    assert plain(predictions.summary(counted(REPORT, after, gold, 0.03))) == (
        "Mostly dog (45 %), frog (25 %) and bird (10 %). "
        "Total variation distance to the retrained model: 0.03 (0 is the same, 1 has nothing in common)."
    )
    stuck = [0, 0, 0, 100, 0, 100, 0, 0, 0, 0]
    words = plain(predictions.summary(counted(REPORT, stuck, gold, 0.52)))
    assert words.startswith("50.0 % are still predicted as a forgotten class. Mostly cat (50 %) and dog (50 %).")


def test_many_classes_share_a_row_and_none_is_lost() -> None:
    many = tuple(f"class {number}" for number in range(100))
    rng = np.random.default_rng(5)
    sets = {
        model: PredictedClasses(
            counts=rng.multinomial(200, rng.dirichlet(np.full(100, 0.2))).tolist(), entropy=None, top=0.0
        )
        for model in ("before", "after", "gold")
    }
    distance = DistanceToGold(before=0.4, after=0.4)
    result = PredictionsResult(sets={"forget_test": sets}, total_variation={"forget_test": distance})
    report = replace(REPORT.with_result(result), dataset=REPORT.dataset.model_copy(update={"classes": many}))
    figure = predictions.figure([report], LIGHT)
    assert len(layout_of(figure).yaxis.ticktext) == predictions.MAX_ROWS
    assert layout_of(figure).yaxis.ticktext[-1] == f"{101 - predictions.MAX_ROWS} others"
    for model in sets:
        assert sum(trace(figure, MODEL_LABELS[model]).x) == pytest.approx(1)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("values", [np.linspace(0.0, 0.3, 50), np.full(7, 0.5), np.array([0.9])])
def test_densities_have_area_one(values: np.ndarray, closed: bool) -> None:
    span = AxisRange(0, 1, is_closed=True) if closed else AxisRange(-2, 3, is_closed=False)
    at = np.linspace(span.low, span.high, 4001)
    assert np.trapezoid(density(values, at, span), at) == pytest.approx(1, abs=1e-3)


def test_few_pictures_are_drawn_one_by_one() -> None:
    rows = REPORT.split.forget_test[: MAX_RUG_POINTS // 2]
    few = replace(REPORT, split=REPORT.split._replace(forget_test=rows))
    ticks = trace(true_logit.figure([few], LIGHT), "after, each image")
    assert sorted(ticks.x) == pytest.approx(sorted(REPORT[LogitsResult].true_logit["after"][rows].tolist()))
    assert not [trace for trace in true_logit.figure([REPORT], LIGHT).data if "each" in trace.name]


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (0, "; retrained model: −4.7."),
        (-4, "; retrained model: −4.7, so it is far less confident than a model that was not trained on them."),
        (4, "; retrained model: −4.7, so it is far more confident than a model that was not trained on them."),
    ],
)
def test_confidence_is_told_beside_gold(shift: float, words: str) -> None:
    result = REPORT[LogitsResult]
    true = {**result.true_logit, "after": result.true_logit["gold"] + shift}
    report = REPORT.with_result(result.model_copy(update={"true_logit": true}))
    assert plain(true_logit.summary(report)).endswith(words)


def test_hesitation_is_a_share_of_the_highest_possible() -> None:
    result = REPORT[LogitsResult]
    entropies = {**result.entropy, "after": np.full_like(result.entropy["after"], np.log(10) * 1.0000001)}
    report = REPORT.with_result(result.model_copy(update={"entropy": entropies}))
    assert entropy.normalized_entropies(report)["after"].max() <= 1
    assert "to 100 %; retrained model: 53 %, so it is far more uncertain than" in plain(entropy.summary(report))
    entropies["after"] = np.zeros_like(result.entropy["after"])
    report = REPORT.with_result(result.model_copy(update={"entropy": entropies}))
    assert "so it is far less uncertain than" in plain(entropy.summary(report))
    entropies["after"] = result.entropy["gold"]
    report = REPORT.with_result(result.model_copy(update={"entropy": entropies}))
    assert plain(entropy.summary(report)).endswith("; retrained model: 53 %.")


def test_layers_that_stayed_are_drawn_apart_and_named() -> None:
    figure = layer_shift.CHART.figure([REPORT], LIGHT)
    moved, stayed = [trace for trace in figure.data if trace.name == "after"]
    shown = dict(zip(moved.x, moved.y, strict=True))
    assert [layer for layer, height in shown.items() if height is None] == list(UNCHANGED)
    assert [layer for layer, height in zip(stayed.x, stayed.y, strict=True) if height is not None] == list(UNCHANGED)
    height = next(height for height in stayed.y if height is not None)
    axis = layout_of(figure).yaxis
    assert dict(zip(axis.tickvals, axis.ticktext, strict=True))[height] == "unchanged"
    assert height < min(value for trace in figure.data for value in trace.y if value is not None and value != height)
    low, high = layout_of(figure).yaxis.range
    assert low < np.log10(height) < high
    assert layout_of(figure).xaxis.type == "category"
    assert "Unchanged: stem and stage1.0." in layer_shift.CHART.summary(REPORT)


def moved_by(share: float) -> Report:
    pairs = {"before-after": WeightDistance(l2=3 * share, relative=share)}
    result = REPORT[WeightDistanceResult]
    layers = [layer.model_copy(update={"pairs": pairs}) for layer in result.layers]
    moved = result.model_copy(update={"layers": layers, "total": pairs, "statistics": ()})
    return replace(REPORT, evaluations={}, lost=tuple(REPORT.evaluations)).with_result(moved)


def test_a_run_that_changed_nothing_can_be_drawn() -> None:
    report = moved_by(0.0)
    assert layer_shift.CHART.summary(report) == "No layer moved: all weights are exactly unchanged."
    (stayed,) = layer_shift.CHART.figure([report], LIGHT).data
    assert all(height > 0 for height in stayed.y)
    assert "unchanged" in layer_shift.CHART.alt_text(report)


def test_a_run_that_changed_all_has_no_line_for_unchanged() -> None:
    figure = layer_shift.CHART.figure([moved_by(0.02)], LIGHT)
    assert "unchanged" not in layout_of(figure).yaxis.ticktext
    assert "Unchanged" not in layer_shift.CHART.summary(moved_by(0.02))


def test_layer_names_are_shortened_only_where_they_stay_different() -> None:
    assert short_layers(["stem", "stage1.0", "head"]) == ["stem", "1.0", "head"]
    assert short_layers(["conv1", "bn1"]) == ["conv1", "bn1"]


def with_timings(**changes: Any) -> Report:
    return REPORT.with_result(REPORT[TimingsResult].model_copy(update=changes))


def test_every_second_is_accounted_for() -> None:
    seconds = REPORT[TimingsResult].seconds
    pieces = timing.time_segments(REPORT)
    assert sum(piece.seconds for piece in pieces) == pytest.approx(seconds.total, rel=0.02)
    assert [piece.start for piece in pieces[1:]] == pytest.approx(
        [piece.start + piece.seconds for piece in pieces[:-1]]
    )
    phases = ["noise", "impair", "repair"]
    assert [piece.name for piece in pieces] == ["loading", *phases, "evaluation", "other measurements"]
    unknown = seconds.model_copy(update={"load": 0.0})
    assert timing.time_segments(with_timings(seconds=unknown))[-1].name == "other"
    longer = seconds.model_copy(update={"forget": seconds.forget + 5, "total": seconds.total + 5})
    assert "between phases" in [piece.name for piece in timing.time_segments(with_timings(seconds=longer))]


def test_timing_in_words() -> None:
    seconds = RunSeconds(total=20.0, load=0.0, forget=10.0, evaluate=6.0, probes=4.0)
    phases = [
        PhaseTiming(name="impair", steps=10, done=10, seconds=7.0),
        PhaseTiming(name="repair", steps=5, done=5, seconds=3.0),
    ]
    assert plain(timing.summary(with_timings(seconds=seconds, phases=phases, images=5000))) == (
        "20.0 s in total on CPU: 10.0 s unlearning (50 %), most of it in impair (7.0 s). "
        "5,000 images were processed, 500 per second."
    )


def test_tiles_of_noise_are_pictures_of_it_enlarged() -> None:
    pictures = REPORT[NoiseImages].pixels
    shown = unsir_noise.noise_tiles(REPORT, count=3)
    assert [tile.shape for tile in shown] == [(128, 128, 3)] * 3
    assert (shown[0][::4, 1::4] == pictures[0]).all()
    assert (shown[-1][3::4, ::4] == pictures[-1]).all()
    assert len(unsir_noise.noise_tiles(REPORT, count=1_000)) == len(pictures)


def test_tiles_of_large_noise_keep_their_size() -> None:
    large = NoiseImages(classes=(3,), images_per_class=2, pixels=np.zeros((2, 224, 224, 3), np.uint8))
    report = REPORT.with_result(large)
    assert [tile.shape for tile in unsir_noise.noise_tiles(report)] == [(224, 224, 3)] * 2


def test_noise_tells_two_classes_apart() -> None:
    noise = REPORT[NoiseErrors]
    both = noise.model_copy(update={"classes": [3, 5], "errors": np.hstack([noise.errors, 0.1 * noise.errors])})
    report = REPORT.with_result(both)
    assert [trace.name for trace in unsir_noise.figure([report], LIGHT).data] == ["cat", "dog"]
    assert "(mean of 2 classes)" in unsir_noise.summary(report)


def saving(artifact: Artifact) -> Report:
    """The report of a method that saved only this."""
    return replace(REPORT, parts={**REPORT.parts, **stored(artifact)})


def chosen(kind: type[SelectedWeights], *shares: float, share: float) -> Report:
    layers, weights = ["stem", "body", "head"], [100, 1000, 50]
    return saving(kind(layers=layers, weights=weights, share=share, shares=np.array(shares, np.float32)))


def test_touched_draws_a_bar_a_layer_and_the_share_of_all() -> None:
    figure = selected_weights.figure([chosen(SaliencyMask, 0.25, 0.5, 0.75, share=0.49)], LIGHT)
    (bars,) = figure.data
    assert (list(bars.x), list(bars.y)) == (["stem", "body", "head"], [0.25, 0.5, 0.75])
    assert [line.y0 for line in layout_of(figure).shapes] == [0.49]
    low, high = layout_of(figure).yaxis.range
    assert (low, high) == pytest.approx((0, 0.84))
    frame = selected_weights.table([chosen(DampenedWeights, 0.25, 0.5, 0.75, share=0.49)])
    assert frame[["layer", "weights", "selected", "share"]].to_numpy().tolist()[1] == [
        "body",
        1000,
        "were dampened",
        0.5,
    ]


@pytest.mark.parametrize(
    ("kind", "shares", "share", "words"),
    [
        (
            SaliencyMask,
            (0.25, 0.5, 0.75),
            0.5,
            "50 % of all weights may change: most in head (75 %), fewest in stem (25 %).",
        ),
        (
            DampenedWeights,
            (0.0, 0.0, 0.021),
            0.0009,
            "0.09 % of all weights were dampened: most in head (2.1 %), fewest in stem and body (0 %).",
        ),
        (
            ForgetStepMask,
            (0.6, 0.4, 0.9),
            0.45,
            "45 % of all weights get the gradient of forget steps: most in head (90 %), fewest in body (40 %).",
        ),
        (
            ForgetStepMask,
            (0.0, 0.0, 0.0),
            0.0,
            "No weight passed the threshold: 0 % of all weights get the gradient of forget steps, and only repair "
            "steps changed the model.",
        ),
        (SaliencyMask, (1.0, 1.0, 1.0), 1.0, "100 % of all weights may change, a similar share in every layer."),
        (
            DampenedWeights,
            (0.0, 0.0, 0.0),
            0.0,
            "No weight passed the threshold: 0 % of all weights were dampened, and the model is unchanged.",
        ),
    ],
)
def test_touched_in_words(kind: type[SelectedWeights], shares: tuple[float, ...], share: float, words: str) -> None:
    report = chosen(kind, *shares, share=share)
    assert plain(selected_weights.summary(report)) == words
    assert len(selected_weights.figure([report], LIGHT).data) == 1


def test_touched_says_who_chooses() -> None:
    noisy = saving(REPORT[NoiseErrors])
    assert "SalUn, SFRon and SSD select weights." in str(selected_weights.applies(noisy))
    assert selected_weights.applies(noisy.with_result(REPORT[SaliencyMask])) is True


def test_accuracy_part_of_the_made_up_report_fits_its_answers() -> None:
    logits = {model: found.logits for model, found in REPORT.evaluations.items()}
    assert accuracy_of(logits, REPORT.labels, REPORT.split) == REPORT[AccuracyResult]


def redrew(counts: list[list[float]], *, of: str = "layers", choice: str = "random") -> Report:
    layers = ["stem.0", "a.conv1", "a.conv2"]
    return saving(ReinitializedLayers(layers=layers, granularity=of, choice=choice, counts=np.array(counts)))


def test_redrawn_layers_stand_where_and_when_they_were_drawn() -> None:
    report = redrew([[0, 2, 0], [1, 0, 0]])
    figure = reinitialized_layers.figure([report], LIGHT)
    dots, empty = trace(figure, "re-initialised"), trace(figure, "not re-initialised")
    assert sorted(zip(dots.x, dots.y, strict=True)) == [(1, 1), (2, 0)]
    assert len(empty.x) == 4 and not set(zip(empty.x, empty.y, strict=True)) & set(zip(dots.x, dots.y, strict=True))
    assert list(layout_of(figure).yaxis.ticktext) == ["stem.0", "a.conv1", "a.conv2"]
    low, high = layout_of(figure).yaxis.range
    assert low > high, "the first layer is on top"
    (twice,) = layout_of(figure).annotations
    assert (twice.text, twice.x, twice.y) == ("2×", 1, 1)
    assert reinitialized_layers.table([report])["times re-initialised"].tolist() == [0, 2, 0, 1, 0, 0]


def test_of_very_many_layers_only_the_redrawn_ones_are_drawn() -> None:
    layers = [f"stage1.{number}" for number in range(109)]
    counts = np.zeros((2, 109))
    counts[0, 40] = counts[1, 3] = 1
    made = ReinitializedLayers(layers=layers, granularity="layers", choice="random", counts=counts)
    figure = reinitialized_layers.figure([saving(made)], LIGHT)
    assert list(layout_of(figure).yaxis.ticktext) == ["stage1.3", "stage1.40"]
    dots, empty = trace(figure, "re-initialised"), trace(figure, "not re-initialised")
    assert sorted(zip(dots.x, dots.y, strict=True)) == [(1, 1), (2, 0)] and len(empty.x) == 2
    assert "107 layers were never re-initialised" in reinitialized_layers.summary(saving(made))


def test_redrawn_layers_in_words() -> None:
    assert reinitialized_layers.summary(redrew([[0, 2, 0], [1, 0, 0]])) == (
        "In 2 cycles, 3 draws re-initialised 2 of 3 layers, a.conv1 more than once. 1 layer was never re-initialised."
    )
    assert reinitialized_layers.summary(redrew([[1, 1, 1]], choice="fisher")) == (
        "In 1 cycle, 3 draws by Fisher information re-initialised 3 of 3 layers: stem.0, a.conv1 and a.conv2, none "
        "more than once. No layer kept its original weights."
    )
    assert "0 of 3 layers. 3 layers were never re-initialised" in reinitialized_layers.summary(redrew([[0, 0, 0]]))
    assert reinitialized_layers.alt_text(redrew([[0, 2, 0], [0, 0, 0]])).endswith(
        "Cycle 1: a.conv1 (re-initialised twice). Cycle 2: none."
    )


def test_redrawn_weights_are_told_as_shares() -> None:
    report = redrew([[0.25] * 3, [0.5] * 3], of="weights")
    assert plain(reinitialized_layers.summary(report)) == (
        "In 2 cycles, 25 % and 50 % of the weights of each of 3 layers were re-initialised at random."
    )
    figure = reinitialized_layers.figure([report], LIGHT)
    assert len(trace(figure, "re-initialised").x) == 6
    assert [plain(note.text) for note in layout_of(figure).annotations] == ["25 %", "50 %"]
    assert plain(reinitialized_layers.alt_text(report)).endswith("Cycle 2: 50.0 % of each layer's weights.")
