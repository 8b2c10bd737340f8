"""The sentence, the cards, the table, the figure and the command line say the same of a comparison of runs."""

import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.charts.compared_runs import FIRST_RUN, FORGET, RETAIN, RunPlan, compared_runs
from tests.charts.predictions import first
from unlearn_core.charts.comparison import ranking_tables, run_multiples
from unlearn_core.charts.drawing.theme import LIGHT
from unlearn_core.charts.text.ranking_words import EQUAL, NO_DIFFERENCE, ONLY_SEEDS, ranking_text, winner_text
from unlearn_core.charts.text.score_words import score_lines
from unlearn_core.cli import compare
from unlearn_core.domain.errors import InvalidRequestError

CRITERIA = ("Forgetting", "Retaining", "Time")


@st.composite
def plans(draw: st.DrawFn) -> list[RunPlan]:
    """Two to six runs of up to three methods, two seeds and two classifiers; some have no retrained model."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return [
        RunPlan(
            draw(st.sampled_from(["UNSIR", "SSD", "Fine-tune"])),
            draw(st.integers(0, 1)),
            rng.random(draw(st.sampled_from([20, FORGET]))) < draw(st.sampled_from([0.2, 0.5, 0.9])),
            rng.random(RETAIN) < draw(st.sampled_from([0.6, 0.85, 1.0])),
            draw(st.sampled_from([1.0, 1.1, 8.0])),
            draw(st.sampled_from(["made-up-model"] * 4 + ["another"])),
            draw(st.sampled_from([True] * 5 + [False])),
        )
        for _ in range(draw(st.integers(2, 6)))
    ]


@given(chosen=plans())
@settings(max_examples=25, deadline=None)
def test_sentence_cards_table_figure_and_command_line_never_disagree(chosen: list[RunPlan]) -> None:
    reports = compared_runs(chosen)
    text = ranking_text(reports)
    table = ranking_tables.winners_table(text, reports)
    printed = compare.as_json(text, reports)
    lines = "\n".join(compare.as_text(text, reports, with_pairs=True))
    assert text.lead in lines and text.lead == printed["summary"]
    assert all(line in lines for line in score_lines(zip(text.labels, reports, strict=True)))
    for row, (ranking, card, name) in enumerate(zip(text.rankings, text.cards, CRITERIA, strict=True)):
        said = winner_text(ranking, text)
        assert card.title == f"{name}: {said}" and card.title in lines and card.words in lines
        assert (table["question"][row], table["better"][row]) == (name, said)
        assert said[:1].upper() + said[1:] in text.lead or said in text.lead
        better = {place for runs in ranking.winners for place in runs}
        question = printed["questions"][row]
        assert question["better"] == [FIRST_RUN + place for runs in ranking.winners for place in runs]
        assert (question["title"], question["words"]) == (card.title, card.words)
        sure = str(table["more than chance?"].iloc[row])
        assert sure.startswith(("yes", "measured once")) if better else not sure.startswith("yes")
        assert better == set() or card.tone == "good"
        behind = {run for group in ranking.groups for runs in group.behind for run in runs}
        assert not better & behind
        assert f"Better: {said}." in run_multiples.alt_text(ranking, text)
    drawn = run_multiples.figure(text.rankings[0], text, reports, LIGHT)
    (dots,) = (trace for trace in drawn.data if trace.mode == "markers")
    colours = zip(dots.customdata, dots.marker.color, strict=True)
    hollow = {name for (name, _), colour in colours if colour == LIGHT.page}
    groups = text.rankings[0].groups
    assert hollow == {text.labels[run] for group in groups for runs in group.behind for run in runs}
    pairs = ranking_tables.pairs_table(text)
    shown = [one for one in (pairs["finding"] if len(pairs) else ()) if "ahead by" in str(one)]
    assert len(shown) == sum(pair.is_shown for ranking in text.rankings[:2] for pair in ranking.pairs)


def plan(method: str, seed: int = 0, agrees: int = 100, correct: int = 300, seconds: float = 1.0) -> RunPlan:
    return RunPlan(method, seed, first(agrees, FORGET), first(correct, RETAIN), seconds)


def test_four_runs_of_which_two_differ_by_chance_only() -> None:
    reports = compared_runs(
        [
            plan("UNSIR", agrees=180),
            plan("UNSIR", seed=1, agrees=181),
            plan("SSD", agrees=20, correct=390),
            plan("SCRUB", agrees=100, seconds=9.0),
        ]
    )
    text = ranking_text(reports)
    assert text.lead == (
        "UNSIR · runs 42 and 43 forget most like the retrained model; SSD retains most; UNSIR · runs 42 and "
        "43 and SSD are fastest."
    )
    assert text.chance == (
        "UNSIR · runs 42 and 43 differ only in their seed. Two seeds: this is chance. They count as one, with their "
        "spread."
    )
    assert text.cards[0].title == "Forgetting: UNSIR · runs 42 and 43"
    assert "SCRUB 50.0\N{NO-BREAK SPACE}%, SSD 10.0\N{NO-BREAK SPACE}%" in text.cards[0].words
    assert "Behind another run by more than chance explains: SCRUB and SSD." in text.cards[0].words
    assert "adjusted for 6 comparisons (Holm)" in text.note and "add repeats" in text.note


@pytest.mark.parametrize(
    ("other", "lead"),
    [
        (plan("UNSIR", seed=1, agrees=20), f"Forgetting, retaining and time: {ONLY_SEEDS}."),
        (plan("SSD", agrees=104, correct=301), f"Forgetting and time: {NO_DIFFERENCE}. Retaining: {EQUAL}."),
        (
            plan("SSD", agrees=180),
            f"SSD forgets most like the retrained model. Retaining: {EQUAL}. Time: {NO_DIFFERENCE}.",
        ),
    ],
)
def test_two_runs(other: RunPlan, lead: str) -> None:
    assert ranking_text(compared_runs([plan("UNSIR"), other])).lead == lead


def test_runs_that_cannot_be_compared_say_why() -> None:
    other = plan("SSD")._replace(classifier="another")
    text = ranking_text(compared_runs([plan("UNSIR"), other]))
    assert text.lead == "Forgetting, retaining and time: cannot tell."
    assert all("The classifiers differ, so a paired test" in card.words for card in text.cards)
    assert text.note == "There was nothing to test."
    one, another = compared_runs([plan("UNSIR", correct=400), plan("SSD", correct=200)])
    fewer = replace(another, split=another.split._replace(retain_test=another.split.retain_test[50:]))
    assert "a paired test is not possible: they are independent samples" in ranking_text([one, fewer]).cards[1].words
    gone = ranking_text(compared_runs([plan("UNSIR"), plan("SSD")._replace(has_gold=False)]))
    assert "SSD has no retrained model yet" in gone.cards[0].words


def test_few_images_are_counted() -> None:
    few = [plan(name)._replace(agrees=first(agrees, 20)) for name, agrees in (("UNSIR", 12), ("SSD", 10))]
    words = ranking_text(compared_runs(few)).cards[0].words
    assert "UNSIR 12, SSD 10" in words and "+2 images, may be chance" in words


def test_the_command_prints_one_json_object(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = dict(zip("ab", compared_runs([plan("UNSIR", agrees=180), plan("SSD")]), strict=True))
    monkeypatch.setattr(compare, "report_folder", lambda name: name)
    monkeypatch.setattr(compare, "load_report", lambda name, _: reports[name])
    assert compare.run(argparse.Namespace(runs=["a", "b", "a"], json=True, pairs=False)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [one["better"] for one in printed["questions"]] == [[FIRST_RUN], [], []]
    assert printed["questions"][0]["pairs"][0]["more_than_chance"] is True


def test_the_command_knows_the_runs_that_ship_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    runs = ["unsir-ship", "unsir-ship-no-noise"]
    assert compare.run(argparse.Namespace(runs=runs, json=True, pairs=False)) == 0
    forgetting = json.loads(capsys.readouterr().out)["questions"][0]
    assert forgetting["better"] == [-2] and forgetting["pairs"][0]["more_than_chance"] is True


@pytest.mark.parametrize("runs", [["1"], ["1", "1"], list("1234567")])
def test_the_command_takes_two_to_six_runs(runs: list[str]) -> None:
    with pytest.raises(InvalidRequestError, match="two to 6 different runs"):
        compare.run(argparse.Namespace(runs=runs, json=False, pairs=False))
