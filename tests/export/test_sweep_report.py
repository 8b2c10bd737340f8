"""A sweep as a file for people."""

import json

from tests.charts.fake_reports import made_up_report
from tests.charts.fake_sweeps import KNOBS, swept
from unlearn_core.domain.sweeps.sweep import SweepFindings
from unlearn_core.export.html_report import render_report
from unlearn_core.export.sweep_report import sweep_section


def test_a_sweep_is_told_with_its_charts_and_every_trial() -> None:
    found = sweep_section(swept())
    assert found.title == "What does it cost to forget cat?"
    assert "24 runs of UNSIR, of which 22 finished" in found.words
    assert "its report follows" in found.words
    assert found.trials is not None and len(found.trials) == 24
    ids = [figure.id for figure in found.figures]
    assert len(ids) == len(set(ids)) == 10
    for figure in found.figures:
        assert json.loads(figure.figure)["data"] and figure.height > 100
        assert figure.summaries[0].endswith(".")
        assert figure.question.endswith("?") and not figure.title.endswith("?")
    html = render_report([made_up_report()], methods={}, image_datasets={}, extra=found)
    assert "What does it cost to forget cat?" in html
    assert "All trials" in html


def test_one_knob_and_no_finished_trial_are_told_too() -> None:
    assert sweep_section(swept(8, knobs=KNOBS[:1], findings=SweepFindings())).title == "Effect of impair: learning rate"
    nothing = sweep_section(swept(0, findings=SweepFindings()))
    assert nothing.figures == ()
    assert "of which 0 finished" in nothing.words
