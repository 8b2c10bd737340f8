"""The scenes of the playground: finished runs that ship with their frames, so that they show at once."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.results.point_runs import REVISION, PointsSpec
from unlearn_core.engine.playground import point_settings
from unlearn_core.methods import method as find_method


class Scene(NamedTuple):
    """A run on a bundled data set: a class, or the training points within a circle of the unit square."""

    title: str
    lesson: str
    """What to look at, in a sentence or two."""
    dataset: str
    what: int | tuple[float, float, float]
    """A class; or x, y and radius."""
    method: str
    values: Mapping[str, Any] = {}

    @property
    def forget(self) -> Forget:
        """The forget request of the scene."""
        if isinstance(self.what, int):
            return ForgetClasses(classes=(self.what,))
        data, (x, y, radius) = datasets.load(self.dataset), self.what
        places = data.images[: data.train, 0, 0, :2] / 255
        inside = np.flatnonzero(np.linalg.norm(places - [x, y], axis=1) <= radius)
        return ForgetImages(images=tuple(int(place) for place in inside))

    def spec(self) -> PointsSpec:
        """The spec of its unlearned model, as the page makes it."""
        method, forget = find_method(self.method), self.forget
        params = point_settings.start_values(method, forget.kind).updated(dict(self.values)).model_dump()
        return PointsSpec(
            part="unlearn",
            dataset=self.dataset,
            forget=forget,
            method=method.id,
            params=params,
            revision=f"{REVISION}.{method.revision}",
        )


SCENES = (
    Scene(
        "Noise instead of points",
        "UNSIR never sees the points that it forgets. It learns noise instead, the diamonds: watch where they go.",
        "moons",
        1,
        "unsir",
    ),
    Scene(
        "Adversarial points",
        "L2UL misclassifies each circled point, though their neighbours teach the same. Its adversarial points, the "
        "diamonds, should hold the rest.",
        "moons",
        (0.2, 0.8, 0.06),
        "l2ul",
    ),
    Scene(
        "One step too far",
        "Gradient ascent increases the loss on one ring until nothing of it is left, and its neighbours pay.",
        "rings",
        1,
        "neggrad",
        {"lr": 0.03},
    ),
    Scene(
        "What neighbours teach",
        "A model that never saw the circled points predicts them correctly all the same: little is to be forgotten.",
        "moons",
        (0.3, 0.75, 0.1),
        "finetune",
    ),
    Scene(
        "A ring between two",
        "Wrong labels push the class away. The retrained model shares its ring out between the neighbours.",
        "rings",
        1,
        "random_labels",
    ),
)
"""All scenes; a visit without a link begins with the first."""
