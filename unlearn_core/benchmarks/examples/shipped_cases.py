"""What ships as finished runs, and why each of them: the lessons need them, and together they can be compared."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from unlearn_core.data import datasets
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import SweepSpec
from unlearn_core.engine.build_spec import request_spec
from unlearn_core.methods import method

CLASSIFIER, DATASET = "resnet20", "cifar10-sample"

GENTLE = {"impair_lr": 1e-3, "repair_lr": 1e-3, "kept_per_class": 400, "noise_pictures": 256, "noise_steps": 20}
"""Settings of UNSIR at which the noise matters: at higher rates, training without the class forgets it alone."""


class ShippedCase(NamedTuple):
    """One run: its forget set by name, its method and settings, and what it leaves out to stay small."""

    forget: str
    """A standard request, or a class."""
    method: str
    preset: str | None = None
    overrides: Mapping[str, Any] = {}
    seed: int = 0
    leaves_out: tuple[str, ...] = ("snapshots",)
    images: int = 6
    """How many images it has with heat maps."""

    def spec(self) -> UnlearnSpec:
        """Return the spec of the run."""
        card = datasets.card(DATASET)
        named = standard_requests(card)
        forget = named.get(self.forget) or ForgetClasses(classes=(card.classes.index(self.forget),))
        request = ForgetRequest(classifier=CLASSIFIER, dataset=DATASET, forget=forget)
        return request_spec(
            request, method(self.method), preset=self.preset, seed=self.seed, overrides=dict(self.overrides)
        )


CASES: Mapping[str, ShippedCase] = {
    "unsir-ship": ShippedCase("ship", "unsir", overrides=GENTLE, leaves_out=()),
    "unsir-ship-no-noise": ShippedCase("ship", "unsir", overrides=GENTLE | {"noise_pictures": 0}),
    "unsir-ship-seed-1": ShippedCase("ship", "unsir", overrides=GENTLE, seed=1),
    "random-labels-cat": ShippedCase("cat", "random_labels"),
    "l2ul-16": ShippedCase("16-pictures", "l2ul"),
    "reinit-200": ShippedCase("200-pictures", "reinit"),
    "neggrad-ship": ShippedCase(
        "ship", "neggrad", preset="unbounded", overrides={"lr": 1e-3, "epochs": 4}, leaves_out=()
    ),
}
"""By the name that lessons use. The order gives the numbers: the example on the start page is the first, -1."""


def sweep_spec() -> SweepSpec:
    """Return the sweep: learning rates of UNSIR's impair, with and without noise images."""
    base = CASES["unsir-ship"].spec()
    return SweepSpec(
        request=base.request,
        method=base.method,
        params=base.params,
        sampler="grid",
        trials=10,
        early=False,
        objectives=("distance",),
        ranges=(
            SearchRange(knob="impair_lr", low=0.0005, high=0.002, log=True, points=5),
            SearchRange(knob="noise_pictures", low=0, high=256, whole=True, step=16, points=2),
        ),
    )
