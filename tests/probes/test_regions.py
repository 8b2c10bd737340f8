"""Decision regions are the models' predictions, point by point; there are none for images of many pixels."""

import numpy as np
import torch

from tests.probes.small_context import scene
from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.domain.split import make_split
from unlearn_core.models import classifiers
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.regions import GRID_SIZE, PROBE
from unlearn_core.training import evaluate
from unlearn_core.training.seeding import seeded


def plane(*models: str, forget: Forget) -> ProbeContext:
    """A context on the blobs, each model drawn from its own seed."""
    card, data = classifiers.card("mlp-blobs"), datasets.load("blobs")
    nets = {}
    for seed, model in enumerate(models):
        with seeded(seed, "plane"):
            nets[model] = classifiers.build(card, datasets.card("blobs")).eval()
    images = torch.from_numpy(data.images)
    return ProbeContext(
        spec=UnlearnSpec(
            request=ForgetRequest(classifier=card.id, dataset="blobs", forget=forget), method="any", params={}
        ),
        classifier=card,
        dataset=datasets.card("blobs"),
        images=images,
        labels=data.labels,
        split=make_split(datasets.card("blobs"), data.labels, forget),
        evaluations={name: Evaluation(name, "blobs", evaluate.logits(net, images)) for name, net in nets.items()},
        models=nets,
        forgotten_classes=getattr(forget, "classes", ()),
    )


def test_each_point_has_the_prediction_of_the_model() -> None:
    scene = plane("before", "after", "gold", forget=ForgetClasses(classes=(4,)))
    part = PROBE.measure(scene)
    assert isinstance(part, ReportPart)
    step = 255 / GRID_SIZE
    for row, column in ((0, 0), (5, 60), (63, 12)):
        x, y = (round((place + 0.5) * step) / 255 for place in (column, row))
        picture = torch.tensor([x, y, 0.0]).view(1, 3, 1, 1)
        with torch.inference_mode():
            shares = scene.models["after"](picture).softmax(1)[0]
        assert part.arrays["after"][row, column] == int(shares.argmax())
        assert abs(part.arrays["sure-after"][row, column] - float(shares.max())) < 1e-3
    assert all(abs(sum(shares) - 1) < 1e-9 for shares in part.facts["plane"].values())
    same = (part.arrays["before"] == part.arrays["gold"]).mean()
    assert part.facts["alike"]["before-gold"] == same and set(part.facts["alike"]) == {
        "before-after",
        "before-gold",
        "after-gold",
    }
    gone = part.arrays["forgotten"] == 1
    assert (part.arrays["labels"][gone] == 4).all() and not (part.arrays["labels"][~gone] == 4).any()
    again = PROBE.measure(scene)
    assert isinstance(again, ReportPart) and again.facts == part.facts


def test_single_points_are_shown_themselves() -> None:
    wish = ForgetImages(images=(3, 9))
    part = PROBE.measure(plane("before", "after", forget=wish))
    assert isinstance(part, ReportPart) and part.arrays["forgotten"].sum() == 2
    points = datasets.load("blobs").images[[3, 9], 0, 0, :2]
    assert np.array_equal(part.arrays["points"][part.arrays["forgotten"] == 1], points)


def test_images_of_many_pixels_have_no_such_map() -> None:
    said = PROBE.measure(scene("before", "after"))
    assert isinstance(said, str) and "images of many pixels" in said
