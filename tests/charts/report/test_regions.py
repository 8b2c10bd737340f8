"""The map of answers as it is drawn: one colour a class in every panel, and the figures of the probe in words."""

from dataclasses import replace
from typing import Any

import numpy as np

from tests.probes.test_regions import plane
from unlearn_core.charts.chart import NO_GOLD
from unlearn_core.charts.drawing.theme import DARK, LIGHT
from unlearn_core.charts.report.regions import CHART
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.explanations import RegionsResult
from unlearn_core.probes.regions import PROBE


def report(*models: str, forget: Forget) -> Report:
    scene = plane(*models, forget=forget)
    found = PROBE.measure(scene)
    assert isinstance(found, RegionsResult)
    return Report(
        run=1,
        spec=scene.spec,
        classifier=scene.classifier,
        dataset=scene.dataset,
        method="Any",
        labels=scene.labels,
        split=scene.split,
        evaluations=scene.evaluations,
        parts=stored(found),
    )


CLASS, POINTS = ForgetClasses(classes=(4,)), ForgetImages(images=(3, 9))
WHOLE = report("before", "after", "gold", forget=CLASS)
HALF = report("before", "after", forget=POINTS)


def test_all_panels_share_one_scale() -> None:
    for theme in (LIGHT, DARK):
        traces: Any = CHART.figure([WHOLE, HALF], theme).data
        maps = [trace for trace in traces if trace.type == "heatmap"]
        assert len(maps) == 5
        assert {(trace.zmin, trace.zmax, str(trace.colorscale)) for trace in maps} == {
            (-0.5, 4.5, str(maps[0].colorscale))
        }
        assert np.array_equal(maps[1].z, WHOLE[RegionsResult].predictions["after"])


def test_the_sentence_has_the_figures_of_the_probe() -> None:
    found = WHOLE[RegionsResult]
    said = CHART.summary(WHOLE).replace("\N{NO-BREAK SPACE}", " ")
    for model in ("before", "after", "gold"):
        assert f"{100 * found.shares[model][4]:.1f} %" in said
    assert f"agrees with the retrained model on {100 * found.agreement['after-gold']:.1f} % of the plane" in said
    alone = CHART.summary(HALF)
    assert NO_GOLD in alone and "was predicted as" not in alone
    assert "middle" in CHART.alt_text(WHOLE) and len(CHART.table([WHOLE])) == 15


def test_reports_without_the_map_say_why() -> None:

    bare = replace(WHOLE, parts={}, missing={"regions": "CIFAR has pictures of many pixels."})
    assert CHART.applies(bare) == "CIFAR has pictures of many pixels."
    assert "no record of its regions" in str(CHART.applies(replace(bare, missing={})))
