"""What would be run, as one value: from an address, from a run, and back into an address."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from unlearn_core.data import datasets
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import BadRequest, UnknownName, UnlearnError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.store import image_lists
from unlearn_core.store.data_folder import home

CLASSIFIER, DATASET, CLASS, METHOD = "resnet20", "cifar10-sample", "cat", "unsir"
"""What a newcomer finds set up."""

LONGEST = 1_500
"""Characters of picture numbers that an address carries; longer lists are kept in the data folder."""

LONGEST_NAME = 40
"""Characters of a name or number in an address; nothing that exists is called anything longer."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What would be run now.

    `classes` and `images` are both remembered, and `by` says which of them is meant. `preset` is "" for a method's
    first; `params` holds only the knobs that differ from it.
    """

    classifier: str = CLASSIFIER
    dataset: str = DATASET
    by: Literal["classes", "images"] = "classes"
    classes: tuple[int, ...] = ()
    images: tuple[int, ...] = ()
    method: str = METHOD
    preset: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    start: int | None = None

    @property
    def forget(self) -> Forget | None:
        """What is to be forgotten, or None while nothing is chosen."""
        if self.by == "classes":
            return ForgetClasses(classes=self.classes) if self.classes else None
        return ForgetImages(images=self.images) if self.images else None


def default() -> Setup:
    """The setup of somebody who has chosen nothing yet."""
    return Setup(classes=(datasets.card(DATASET).classes.index(CLASS),))


def of(spec: RunSpec) -> Setup:
    """The setup that makes this run again: a preset where one fits, else a method's first and what differs from it.

    Raises UnknownName or BadKnob where the run cannot be made any more.
    """
    from unlearn_core import methods  # Imports torch, which the history does without until somebody clicks.
    from unlearn_core.models import classifiers

    classifiers.card(spec.request.classifier)
    method = methods.method(spec.method)
    knobs = method.params.parse(spec.params)
    forget = spec.request.forget
    fitting = next((name for name, preset in method.presets.items() if preset.params_for(forget) == knobs), None)
    first = next(iter(method.presets))
    base = method.presets[fitting or first].params_for(forget).model_dump()
    return Setup(
        classifier=spec.request.classifier,
        dataset=spec.request.dataset,
        by=forget.kind,
        classes=forget.classes if forget.kind == "classes" else (),
        images=forget.images if forget.kind == "images" else (),
        method=spec.method,
        preset="" if fitting in (None, first) else fitting or "",
        params={name: value for name, value in knobs.model_dump().items() if value != base[name]},
        seed=spec.seed,
        start=spec.start,
    )


def link(setup: Setup) -> dict[str, str]:
    """The setup as query parameters. Knobs that stand as their preset has them are left out."""
    card = datasets.card(setup.dataset)
    said = {"classifier": setup.classifier}
    if setup.by == "classes":
        said["forget"] = ",".join(card.classes[number] for number in setup.classes)
    else:
        text = image_lists.as_ranges(setup.images)
        said |= {"images": text} if len(text) <= LONGEST else {"set": image_lists.keep(home(), setup.images)}
    said["method"] = setup.method
    said |= {"preset": setup.preset} if setup.preset else {}
    said |= {name: str(value) for name, value in setup.params.items()}
    said |= {"seed": str(setup.seed)} if setup.seed else {}
    return said | ({} if setup.start is None else {"start": str(setup.start)})


def read(said: dict[str, str]) -> tuple[Setup, list[str]]:
    """A setup from query parameters, which anybody may have written, and what of them could not be used."""
    setup, trouble = default(), []
    said = {name: text if name in ("forget", "images") else text[:LONGEST_NAME] for name, text in said.items()}
    for part in (_classifier, _forget, _method, _seed):
        try:
            setup = part(setup, said)
        except UnlearnError as problem:
            trouble.append(str(problem))
    return setup, trouble


def _classifier(setup: Setup, said: dict[str, str]) -> Setup:
    if said.get("classifier", setup.classifier) == setup.classifier:
        return setup
    from unlearn_core.models import classifiers  # Imports torch, which the first page does without.

    card = classifiers.card(said["classifier"])
    return replace(setup, classifier=card.id, dataset=card.dataset, classes=())


def _forget(setup: Setup, said: dict[str, str]) -> Setup:
    card = datasets.card(setup.dataset)
    if said.get("set"):
        return replace(setup, by="images", images=image_lists.read(home(), said["set"], most=card.train))
    if said.get("images"):
        return replace(setup, by="images", images=image_lists.from_ranges(said["images"], most=card.train))
    if "images" in said:
        return replace(setup, by="images")
    if "forget" in said:
        return replace(setup, classes=_class_numbers(said["forget"], card))
    return setup


def _class_numbers(text: str, card: DatasetCard) -> tuple[int, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in card.classes:
            raise UnknownName("class", name[:LONGEST_NAME], list(card.classes))
    return tuple(sorted({card.classes.index(name) for name in names}))


def _method(setup: Setup, said: dict[str, str]) -> Setup:
    if not said.keys() - {"classifier", "forget", "images", "set", "seed", "start", "id"}:
        return setup
    from unlearn_core import methods  # Imports torch, which the first page does without.

    method = methods.method(said.get("method", setup.method))
    preset = said.get("preset", "")
    if preset and preset not in method.presets:
        raise UnknownName("preset", preset, list(method.presets))
    first = next(iter(method.presets))
    base = method.presets[preset or first].params_for(setup.forget)
    values = base.with_values({name: said[name] for name in method.params.knobs() if name in said}).model_dump()
    params = {name: value for name, value in values.items() if value != getattr(base, name)}
    return replace(setup, method=method.id, preset="" if preset == first else preset, params=params)


def _seed(setup: Setup, said: dict[str, str]) -> Setup:
    numbers = {name: said[name] for name in ("seed", "start") if name in said}
    for name, text in numbers.items():
        if not (text.isascii() and text.isdecimal() and int(text) < 2**31):
            raise BadRequest(f"{text!r} is no {name}: it is a whole number from 0 on.")
    return replace(setup, **{name: int(text) for name, text in numbers.items()})
