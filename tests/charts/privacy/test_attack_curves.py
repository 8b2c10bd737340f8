"""Attack curves: what is concluded, and only where the interval says so; no zero on a logarithmic axis."""

import pytest

from tests.charts.fake_reports import attack_metrics, made_up_report
from tests.charts.layout import layout_of
from tests.charts.report.test_model_similarity import drawn
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.privacy import retained_membership, rmia
from unlearn_core.charts.text.attack_claims import exposure_claim, membership_claim, reference_model_claim
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import AttackedSide, MembershipResult, RetainedMembershipResult, RmiaResult

REPORT = made_up_report()


def exposed(low: float, high: float) -> Report:
    result = REPORT[RetainedMembershipResult]
    side = result.sides["retain"]
    gap = side.differences["after-gold"].model_copy(update={"difference": (low + high) / 2, "low": low, "high": high})
    changed = side.model_copy(update={"differences": {**side.differences, "after-gold": gap}})
    return REPORT.with_result(result.model_copy(update={"sides": {**result.sides, "retain": changed}}))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.03, "(+0.010 to +0.030): retained images are more exposed than after retraining."),
        (-0.03, -0.01, "(−0.030 to −0.010): retained images are less exposed than after retraining."),
        (-0.01, 0.02, "(−0.010 to +0.020): no difference from the retrained model is shown."),
    ],
)
def test_exposure_is_concluded_only_where_the_interval_excludes_none(low: float, high: float, words: str) -> None:
    assert retained_membership.CHART.summary(exposed(low, high)).endswith(words)


def test_attack_curves_have_the_line_of_chance_and_no_zero() -> None:
    marks = drawn(retained_membership.CHART, REPORT)
    assert list(marks["chance"].x) == list(marks["chance"].y) == [1 / 300, 1]
    curve = REPORT[RetainedMembershipResult].curves["retain_after"]
    assert [value or 0 for value in marks["after"].y] == pytest.approx(curve.tolist())
    layout = layout_of(retained_membership.CHART.figure([REPORT], LIGHT))
    assert (layout.xaxis.type, layout.yaxis.type) == ("log", "log")


def test_a_side_with_too_few_images_says_so() -> None:
    result = REPORT[RetainedMembershipResult]
    lacking = REPORT.with_result(result.model_copy(update={"sides": {"retain": result.sides["retain"]}}))
    forget = retained_membership.CHART.variants["Forget images"]
    assert "too few of these images" in str(forget.applies(lacking))
    assert forget.applies(REPORT) is True
    assert retained_membership.CHART.applies(lacking) is True


# RMIA.


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def side_with(side: AttackedSide, low: float, high: float, gap: tuple[float, float] | None) -> AttackedSide:
    """The attack in which the AUC after unlearning, and its difference from that of gold, have these intervals."""
    after = side.models["after"].model_copy(update={"auc": (low + high) / 2, "auc_low": low, "auc_high": high})
    models, differences = {**side.models, "after": after}, dict(side.differences)
    if gap is None:
        models.pop("gold")
        differences = {"after-before": differences["after-before"]}
    else:
        own = {"difference": sum(gap) / 2, "low": gap[0], "high": gap[1]}
        differences["after-gold"] = differences["after-gold"].model_copy(update=own)
    return side.model_copy(update={"models": models, "differences": differences})


def attacked(low: float, high: float, gap: tuple[float, float] | None) -> Report:
    """A report with such an attack with reference models."""
    result = REPORT[RmiaResult]
    changed = {"attacked": side_with(result.attacked, low, high, gap), "reference_golds": [1] if gap else [0]}
    return REPORT.with_result(result.model_copy(update=changed))


@pytest.mark.parametrize(
    ("low", "high", "gap", "direction"),
    [
        (0.55, 0.65, (0.02, 0.1), "left"),
        (0.55, 0.65, (-0.02, 0.1), "unclear"),
        (0.48, 0.65, (0.02, 0.1), "unclear"),
        (0.35, 0.45, (-0.1, -0.02), "beyond"),
        (0.35, 0.45, (0.02, 0.1), "unclear"),
        (0.55, 0.65, None, "left"),
        (0.35, 0.45, None, "beyond"),
        (0.45, 0.55, None, "unclear"),
    ],
)
def test_rmia_concludes_only_beyond_chance_and_beyond_the_retrained_model(low, high, gap, direction: str) -> None:
    report = attacked(low, high, gap)
    claim = reference_model_claim(report)
    assert claim is not None and claim.direction == direction
    words = {
        "left": "forget images are more familiar than unseen ones.",
        "beyond": "forget images are less familiar than unseen ones, which reveals them just as well.",
        "unclear": "nothing is shown to be left.",
    }
    control = "" if gap else f" {rmia.NO_CONTROL}"
    said = f": {words[direction]}{control} 1 reference model, 150 population images."
    assert rmia.CHART.summary(report).endswith(said)
    assert ("retrained model" in claim.words) == (gap is not None and direction != "unclear")


def test_rmia_in_words() -> None:
    claim = reference_model_claim(attacked(0.55, 0.65, (0.02, 0.1)))
    gold = round(100 * REPORT[RmiaResult].attacked.models["gold"].auc)
    assert claim is not None and plain(claim.words) == (
        "an attack with 1 reference model finds something left: a forget image ranks above a held-out image in 60 % "
        f"of all pairs (retrained model: {gold} %)"
    )
    table = rmia.CHART.table([REPORT])
    assert table["model"].tolist() == ["before", "after", "retrained"]
    assert set(table["reference models"]) == {1} and set(table["population"]) == {150}


def test_exposed_retained_images_are_claimed_as_the_chart_says() -> None:
    for low, high, direction in ((0.01, 0.03, "left"), (-0.03, -0.01, "beyond"), (-0.01, 0.02, "unclear")):
        claim = exposure_claim(exposed(low, high))
        assert claim is not None and claim.direction == direction
    assert exposure_claim(made_up_report(gold=False)) is None


@pytest.mark.parametrize(
    ("low", "high", "gap", "direction", "words"),
    [
        (0.52, 0.6, (0.01, 0.1), "left", "forget images are more exposed than after retraining"),
        (0.4, 0.48, (-0.1, -0.01), "beyond", "forget images are less exposed than after retraining"),
        (0.48, 0.56, (0.01, 0.1), "unclear", "more than after retraining, but it is not shown to do better than"),
        (0.46, 0.54, (-0.1, -0.01), "unclear", "less than after retraining, but it is not shown to do worse than"),
        (0.52, 0.6, (-0.01, 0.1), "unclear", "no difference from the retrained model is shown"),
    ],
)
def test_a_difference_on_the_same_images_is_claimed_where_no_interval_shows_it(
    low, high, gap, direction, words
) -> None:
    result, attacks = REPORT[RetainedMembershipResult], REPORT[MembershipResult]
    sides = {**result.sides, "forget": side_with(result.sides["forget"], low, high, gap)}
    calm = {model: {"loss": attack_metrics(0.5)} for model in ("before", "after", "gold")}
    report = REPORT.with_result(result.model_copy(update={"sides": sides}))
    report = report.with_result(attacks.model_copy(update={"attacks": calm}))
    claim = membership_claim(report)
    assert claim is not None and claim.direction == direction
    assert ("by confidence" in claim.words) == (direction != "unclear")
    assert f": {words}" in retained_membership.CHART.variants["Forget images"].summary(report)
