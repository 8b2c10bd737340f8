"""Small reports from random logits, measured by the real measurements, with every result that needs a model made up."""

from dataclasses import replace
from functools import cache

import numpy as np

from tests.charts.fake_reports import CLASSIFIER, made_up_report
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation, Report
from unlearn_core.domain.results.copies import CopiesResult
from unlearn_core.domain.results.layer_comparison import CkaResult, FeatureGap
from unlearn_core.domain.results.outputs import FurtherGolds
from unlearn_core.domain.split import make_split
from unlearn_core.engine.measuring.recompute import measure_outputs

NASTY = '<b>ca&t</b> "x" \'\x1b[31m'
"""A class, with markup and a character that acts on a terminal."""
BY_OUTPUTS = (
    *("accuracy", "closeness", "confusion", "distance", "logits", "membership", "predictions"),
    *("retained_membership", "rmia"),
)
BY_MODELS = ("relearn", "lira", "score", "representation", "timings")

DATASET = DatasetCard(
    id="small",
    title="Small & <i>sharp</i>",
    summary="",
    classes=("disc", NASTY, "ring"),
    size=4,
    train=240,
    val=60,
    test=120,
    licence="MIT",
    source="tests",
)


def small_report(
    seed: int = 0,
    *,
    gold: bool = True,
    twin: bool = False,
    further: bool = False,
    images: int = 0,
    measured: bool = True,
) -> Report:
    """The second of three classes is forgotten, or so many images; with `measured` there are attacks by models too.

    With `further`, the outputs of two more retrained models are there.
    """
    rng = np.random.default_rng(seed)
    count = DATASET.train + DATASET.val + DATASET.test
    labels = rng.integers(0, 3, count)
    forget = ForgetImages(images=tuple(range(0, 3 * images, 3))) if images else ForgetClasses(classes=(1,))
    split = make_split(DATASET, labels, forget)
    models = ("before", "after", *(["gold"] if gold else []), *(["twin"] if twin else []))
    evaluations = {}
    for model in models:
        logits = rng.normal(0, 1, (count, 3))
        logits[np.arange(count), labels] += rng.choice([0.5, 2, 4])
        if model != "before" and not images and rng.random() < 0.8:
            logits[:, 1] -= rng.choice([2, 9])
        evaluations[model] = Evaluation(f"{seed:063d}{models.index(model)}", DATASET.id, logits.astype(np.float32))
    made_up = _made_up(gold)
    extra = {part: made_up.parts[part] for part in BY_MODELS if measured and part in made_up.parts}
    report = Report(
        run=7,
        spec=UnlearnSpec(
            request=ForgetRequest(classifier=CLASSIFIER.id, dataset=DATASET.id, forget=forget),
            method="finetune",
            params={"lr": 0.01, "augment": True},
            seed=seed,
        ),
        classifier=CLASSIFIER.model_copy(update={"title": "A <b>classifier</b>"}),
        dataset=DATASET,
        method="Fine-tune",
        labels=labels,
        split=split,
        evaluations=evaluations,
        parts=extra,
        missing={} if gold else {"gold": "It is being trained & takes long."},
    )
    if measured:
        copies = {"retain_train": 2, "retain_val": 0, "retain_test": 1}
        report = report.with_result(CopiesResult(counts=copies, forget_images=2))
    if further:
        rows = np.sort(np.concatenate([getattr(split, name) for name in split._fields if name != "retain_train"]))
        logits = np.stack([evaluations["gold"].logits[rows] + rng.normal(0, 1, (len(rows), 3)) for _ in range(2)])
        report = report.with_result(FurtherGolds(numbers=[1, 2], rows=rows, logits=logits.astype(np.float16)))
    if twin:
        gap = FeatureGap(layer="head", after_gold=0.4, gold_twin=0.9, error=0.02)
        report = report.with_result(CkaResult(images=9, forget_images=3, layers=[], reasons={}, gap=gap))
    return measure_outputs(report, only=BY_OUTPUTS)


@cache
def _made_up(gold: bool) -> Report:
    return made_up_report(gold=gold)


def few_test_images(report: Report) -> Report:
    """The same report on a data set in which nearly all test images are validation images."""
    data = report.dataset.model_copy(update={"val": 170, "test": 10})
    split = make_split(data, report.labels, report.spec.request.forget)
    return measure_outputs(replace(report, dataset=data, split=split), only=BY_OUTPUTS)


def pixels(report: Report) -> ImageDataset:
    """Images for it, the same every time."""
    shape = (len(report.labels), 4, 4, 3)
    images = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    return ImageDataset(images, report.labels, report.dataset.train, report.dataset.val, report.dataset.test)
