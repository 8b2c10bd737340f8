"""Decision regions are the models' predictions, point by point; there are none for images of many pixels."""

import numpy as np
import torch

from tests.probes.small_context import scene
from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.explanations import RegionsResult
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
    found = PROBE.measure(scene)
    assert isinstance(found, RegionsResult)
    step = 255 / GRID_SIZE
    for row, column in ((0, 0), (5, 60), (63, 12)):
        x, y = (round((place + 0.5) * step) / 255 for place in (column, row))
        picture = torch.tensor([x, y, 0.0]).view(1, 3, 1, 1)
        with torch.inference_mode():
            shares = scene.models["after"](picture).softmax(1)[0]
        assert found.predictions["after"][row, column] == int(shares.argmax())
        assert abs(found.confidences["after"][row, column] - float(shares.max())) < 1e-3
    assert all(abs(sum(shares) - 1) < 1e-9 for shares in found.shares.values())
    same = (found.predictions["before"] == found.predictions["gold"]).mean()
    assert found.agreement["before-gold"] == same
    assert set(found.agreement) == {"before-after", "before-gold", "after-gold"}
    gone = found.forgotten == 1
    assert (found.labels[gone] == 4).all() and not (found.labels[~gone] == 4).any()
    again = PROBE.measure(scene)
    assert isinstance(again, RegionsResult) and again.to_part().facts == found.to_part().facts


def test_single_points_are_shown_themselves() -> None:
    wish = ForgetImages(images=(3, 9))
    found = PROBE.measure(plane("before", "after", forget=wish))
    assert isinstance(found, RegionsResult) and found.forgotten.sum() == 2
    points = datasets.load("blobs").images[[3, 9], 0, 0, :2]
    assert np.array_equal(found.points[found.forgotten == 1], points)


def test_images_of_many_pixels_have_no_such_map() -> None:
    said = PROBE.measure(scene("before", "after"))
    assert isinstance(said, str) and "images of many pixels" in said
