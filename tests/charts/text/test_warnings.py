"""Flags are raised where chance does not explain what was found, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from tests.charts.fake_reports import attack_metrics, made_up_report
from tests.charts.predictions import first, with_correct, with_images
from unlearn_core.charts.privacy import retained_membership
from unlearn_core.charts.text.attack_claims import exposure_claim
from unlearn_core.charts.text.claims import forget_claims
from unlearn_core.charts.text.forget_card import forget_card
from unlearn_core.charts.text.opening import privacy_line
from unlearn_core.charts.text.retain_card import retain_card
from unlearn_core.charts.text.warnings import (
    collateral_damage,
    exposed_images,
    no_warning_text,
    over_forgetting,
    report_warnings,
    residual_knowledge,
)
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.privacy import AttackedSide, MembershipResult, RetainedMembershipResult, RmiaResult

REPORT = made_up_report()


def attacks(after: float, gold: float | None, *, half: float = 0.05) -> MembershipResult:
    """One attack with these AUCs, with intervals of this half width."""
    aucs = {"before": 0.6, "after": after} | ({} if gold is None else {"gold": gold})
    found = {model: {"loss": attack_metrics(auc, half)} for model, auc in aucs.items()}
    return REPORT[MembershipResult].model_copy(update={"attacks": found})


def apart(side: AttackedSide, after: float, gold: float, *, half: float = 0.05) -> AttackedSide:
    """The attack with these AUCs, and a difference, with intervals of this half width."""
    models = {
        model: side.models[model].model_copy(update={"auc": auc, "auc_low": auc - half, "auc_high": auc + half})
        for model, auc in (("before", 0.6), ("after", after), ("gold", gold))
    }
    own = {"difference": after - gold, "low": after - gold - half, "high": after - gold + half}
    differences = {**side.differences, "after-gold": side.differences["after-gold"].model_copy(update=own)}
    return side.model_copy(update={"models": models, "differences": differences})


def with_reference_models(report: Report, after: float, gold: float) -> Report:
    result = REPORT[RmiaResult]
    return report.with_result(result.model_copy(update={"attacked": apart(result.attacked, after, gold)}))


def with_retained(report: Report, after: float, gold: float, *, forget: tuple[float, float] = (0.5, 0.5)) -> Report:
    result = REPORT[RetainedMembershipResult]
    aucs = {"retain": (after, gold), "forget": forget}
    sides = {side: apart(result.sides[side], *pair) for side, pair in aucs.items()}
    return report.with_result(result.model_copy(update={"sides": sides}))


def attacked(after: float, gold: float | None) -> Report:
    """A report in which one attack has these AUCs, and nothing else was measured."""
    return retaining(860, 860, None if gold is None else 870).with_result(attacks(after, gold))


def retaining(before: int, after: int, gold: int | None) -> Report:
    """A report in which so many of 1,000 retained test images are classified correctly, and nothing was measured."""
    report = with_images(made_up_report(gold=gold is not None), retain_test=1000)
    given = {"before": before, "after": after} | ({} if gold is None else {"gold": gold})
    gone = {"forget_test": first(0, 200), "forget_train": first(0, 300)}
    known = {"forget_test": first(190, 200), "forget_train": first(290, 300)}
    sets = {
        model: {"retain_test": first(correct, 1000), **(known if model == "before" else gone)}
        for model, correct in given.items()
    }
    return replace(with_correct(report, **sets), parts={})


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("after", "gold", "kinds"),
    [
        (0.5, 0.5, []),
        (0.3, 0.5, ["beyond"]),
        (0.3, 0.32, []),  # Gold finds them as strange.
        (0.47, 0.6, []),  # The interval still holds one half.
        (0.4, None, ["beyond"]),
        (0.7, 0.5, ["left"]),
        (0.7, 0.68, []),
        (0.53, 0.4, []),
        (0.7, None, ["left"]),
    ],
)
def test_attacks_raise_a_flag_in_either_direction(after: float, gold: float | None, kinds: list[str]) -> None:
    report = attacked(after, gold)
    assert [flag.kind for flag in (residual_knowledge(report), over_forgetting(report)) if flag] == kinds


def test_words_name_the_figure_gold_and_what_is_not_proved() -> None:
    flag = over_forgetting(attacked(0.3, 0.5))
    assert flag is not None and flag.title == "over-forgetting"
    assert plain(flag.words) == (
        "Membership inference finds forget images less familiar than held-out images, which itself reveals them: by "
        "loss, a forget image looks more familiar in only 30 % of all pairs (retrained model: 50 %) (the Streisand "
        "effect)."
    )
    assert "does not follow" in flag.doubt
    without = residual_knowledge(attacked(0.7, None))
    assert without is not None and "no retrained model yet" in without.words and "does not show" in without.doubt


@pytest.mark.parametrize(
    ("before", "after", "gold", "words"),
    [
        (
            860,
            700,
            870,
            "On test images of the other classes, the unlearned model lost 16.0 points; "
            "the retrained model gained 1.0 points",
        ),
        (860, 700, None, "On test images of the other classes, the unlearned model lost 16.0 points"),
        (860, 860, 870, None),  # Equal within three points.
        (
            700,
            705,
            860,
            "On test images of the other classes, the unlearned model gained 0.5 points; "
            "the retrained model gained 16.0 points",
        ),
        (860, 900, 870, None),
    ],
)
def test_damage_is_more_than_chance_explains(before: int, after: int, gold: int | None, words: str | None) -> None:
    flag = collateral_damage(retaining(before, after, gold))
    assert (flag and plain(flag.words).split("; the worst class")[0].removesuffix(".")) == words


def test_damage_names_the_class_that_is_worst_off() -> None:
    report = retaining(950, 950, 950)
    rows = report.split.retain_test
    ships = report.labels[rows] == report.dataset.classes.index("ship")
    after = first(950, 1000) & (~ships | (np.cumsum(ships) <= 20))
    flag = collateral_damage(with_correct(report, after={"retain_test": after}))
    gold = 100 * first(950, 1000)[ships].mean()
    assert flag is not None and plain(flag.words).endswith(
        f"; the worst class is ship ({2000 / ships.sum():.0f} %, retrained {gold:.0f} %)."
    )


def test_hesitation_tells_where_no_attack_was_tried() -> None:
    untried = replace(REPORT, parts={name: part for name, part in REPORT.parts.items() if name != "membership"})
    result = REPORT[LogitsResult]

    def with_entropy(value: float) -> Report:
        entropy = {**result.entropy, "after": np.full_like(result.entropy["after"], value)}
        return untried.with_result(result.model_copy(update={"entropy": entropy}))

    flag = over_forgetting(with_entropy(2.2))
    assert flag is not None and "above 2.20 nats" in flag.words
    assert over_forgetting(with_entropy(0.01)) is None
    bare = made_up_report(gold=False)
    assert over_forgetting(replace(bare, parts=stored(bare[LogitsResult]))) is None


def test_reference_models_change_the_verdict_where_they_show_more_or_less() -> None:
    forgotten = retaining(860, 865, 870)
    left, less, same = (with_reference_models(forgotten, after, 0.5) for after in (0.7, 0.3, 0.52))
    assert [forget_card(report).title for report in (left, less, same)] == [
        "something is left",
        "more than retraining would",
        "forgotten as by retraining",
    ]
    assert [[flag.kind for flag in report_warnings(report)] for report in (left, less, same)] == [
        ["left"],
        ["beyond"],
        [],
    ]
    assert plain(privacy_line(left)) == (
        "An attack with 1 reference model finds something left: a forget image ranks above a held-out image in 70 % of "
        "all pairs (retrained model: 50 %)."
    )
    assert privacy_line(same) == "Reference models found no difference to the retrained model."


def test_exposed_retained_images_are_a_warning_and_no_matter_of_the_forget_set() -> None:
    report = with_retained(retaining(860, 865, 870), 0.62, 0.55)
    (flag,) = report_warnings(report)
    assert (flag.kind, flag.title) == ("exposed", "exposed retained images")
    words = (
        "Retained images are more exposed to membership inference than after retraining (AUC 0.620, retrained model "
        "0.550)."
    )
    assert plain(flag.words) == words and plain(privacy_line(report)).endswith(words)
    assert forget_card(report).title == "forgotten as by retraining"
    calm = with_retained(retaining(860, 865, 870), 0.56, 0.55)
    assert report_warnings(calm) == [] and "membership of retained images" in no_warning_text(calm)


def test_no_flag_is_no_proof() -> None:
    fine = retaining(860, 865, 870)
    assert report_warnings(fine) == []
    assert no_warning_text(fine) == (
        "No warning by accuracy on the retain set and accuracy on the forget set. More images or a stronger attack "
        "might find something."
    )
    both = fine.with_result(attacked(0.5, 0.5)[MembershipResult])
    assert report_warnings(both) == [] and "membership inference on the forget set" in no_warning_text(both)
    assert "None of the checks" in no_warning_text(replace(fine, parts={}, evaluations={}))


def test_the_most_serious_comes_first() -> None:
    worse = retaining(860, 500, 870).with_result(attacked(0.7, 0.5)[MembershipResult])
    assert [flag.kind for flag in report_warnings(worse)] == ["damage", "left"]


def test_what_is_still_classified_correctly_is_left_whatever_attacks_say() -> None:
    report = with_correct(retaining(860, 865, 870), after={"forget_test": first(190, 200)})
    assert [flag.kind for flag in report_warnings(report)] == ["left"]
    assert plain(report_warnings(report)[0].words) == "Accuracy finds 95.0 %, retrained 0.0 %."


def shares(report: Report) -> set[str]:
    """What the warnings, the cards and the claims say of the forget set, as directions."""
    told = {claim.direction for claim in forget_claims(report)} - {"unclear", "alike"}
    raised = {flag.kind for flag in report_warnings(report)} & {"left", "beyond"}
    assert raised == told & {"left", "beyond"}, "warnings say what the claims say"
    card = forget_card(report)
    if card.tone == "good":
        assert not told, "a good verdict has no evidence against it"
    if card.tone == "bad":
        assert "left" in told
    damage = any(flag.kind == "damage" for flag in report_warnings(report))
    assert damage == (retain_card(report).tone in ("middling", "bad"))
    exposed = exposure_claim(report)
    is_exposed = exposed is not None and exposed.direction == "left"
    assert is_exposed == (exposed_images(report) is not None) == ("are more exposed" in privacy_line(report))
    return told | ({"exposed"} if is_exposed else set())


def test_no_report_contradicts_itself() -> None:
    """A thousand generated reports: card, warnings and claims agree, and no kind of evidence is told twice."""
    rng, seen = np.random.default_rng(7), set[str]()
    reports = [retaining(860, 860, gold) for gold in (870, None)]
    for number in range(1000):
        report = reports[number % 2]
        for model in report.evaluations:
            sets = {
                name: rng.random(len(getattr(report.split, name))) < rng.choice([0.0, 0.02, 0.5, 0.86, 0.9])
                for name in ("forget_test", "forget_train", "retain_test")
            }
            report = with_correct(report, **{model: sets})
        if rng.random() < 0.7:
            gold = float(rng.uniform(0.4, 0.6)) if "gold" in report.evaluations else None
            report = report.with_result(attacks(float(rng.uniform(0.2, 0.8)), gold))
        if "gold" in report.evaluations and rng.random() < 0.5:
            report = with_reference_models(report, *rng.uniform(0.3, 0.7, 2).tolist())
        if "gold" in report.evaluations and rng.random() < 0.5:
            retained, forget = rng.uniform(0.3, 0.7, (2, 2)).tolist()
            report = with_retained(report, *retained, forget=forget)
            told = [claim.direction for claim in forget_claims(report) if claim.evidence == "membership inference"]
            said = retained_membership.CHART.variants["Forget images"].summary(report)
            assert told != ["unclear"] or "forget images are more exposed" not in said
        told = [claim.evidence for claim in forget_claims(report)]
        assert len(told) == len(set(told))
        seen |= shares(report)
    assert seen == {"left", "beyond", "exposed"}
