"""The setup of the next run as one value, which is read from a URL or from a run and written into URLs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from unlearn_core.data import datasets
from unlearn_core.data.class_lists import format_classes, parse_classes
from unlearn_core.domain.errors import InvalidRequestError, UnlearnError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.store import image_lists
from unlearn_core.store.data_folder import open_data_dir

DEFAULT_CLASSIFIER, DEFAULT_DATASET, DEFAULT_CLASS, DEFAULT_METHOD = "resnet20", "cifar10-sample", "cat", "unsir"
"""The setup of a new session."""

MAX_IMAGES_LENGTH = 1_500
"""The most characters of image numbers in a URL; longer lists are saved in the data folder."""

MAX_NAME_LENGTH = 80
"""The most characters of a name or number in a URL; ids of users' classifiers have up to 67."""


@dataclass(frozen=True, kw_only=True)
class RunSetup:
    """What the button Run would run.

    `classes` and `images` are both remembered, and `by` says which of them is used. `preset` is "" for a method's
    first; `params` holds only the hyperparameters that differ from it.
    """

    classifier: str = DEFAULT_CLASSIFIER
    dataset: str = DEFAULT_DATASET
    by: Literal["classes", "images"] = "classes"
    classes: tuple[int, ...] = ()
    images: tuple[int, ...] = ()
    method: str = DEFAULT_METHOD
    preset: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    start: int | None = None

    @property
    def forget(self) -> Forget | None:
        """The classes or images to forget; None while nothing is selected."""
        if self.by == "classes":
            return ForgetClasses(classes=self.classes) if self.classes else None
        return ForgetImages(images=self.images) if self.images else None


def default_setup() -> RunSetup:
    """The setup before anything has been chosen."""
    return RunSetup(classes=(datasets.card(DEFAULT_DATASET).classes.index(DEFAULT_CLASS),))


def from_spec(spec: UnlearnSpec) -> RunSetup:
    """The setup that repeats a run: the preset with these values, else the method's first and what differs from it.

    Raises NotFoundError or InvalidHyperparameterError if the run cannot be made any more.
    """
    from unlearn_core import methods  # Imports torch, which the history does not need before a click.
    from unlearn_core.models import classifiers

    classifiers.card(spec.request.classifier)
    method = methods.method(spec.method)
    params = method.params.parse(spec.params)
    forget = spec.request.forget
    presets = methods.presets(method, spec.request.classifier)
    first, named = next(iter(presets)), {name: preset for name, preset in presets.items() if preset.auto == spec.auto}
    fitting = next((name for name, preset in named.items() if preset.for_request(forget) == params), None)
    # Of a search, only some hyperparameters may be left: the others are changes of the preset that searches for all.
    searching = next((name for name, preset in presets.items() if set(spec.auto) <= set(preset.auto)), first)
    base_name = fitting or (searching if spec.auto else next(iter(named), first))
    base = presets[base_name].for_request(forget)
    fixed = set(presets[base_name].auto) - set(spec.auto)
    return replace(
        request_setup(spec),
        method=spec.method,
        preset="" if base_name == first else base_name,
        params={
            name: getattr(params, name)
            for name in params.hyperparameters()
            if getattr(params, name) != getattr(base, name) or name in fixed
        },
    )


def to_params(setup: RunSetup) -> dict[str, str]:
    """The setup as query parameters. Hyperparameters with the value of their preset are left out."""
    said = _forget_params(setup) | {"method": setup.method} | ({"preset": setup.preset} if setup.preset else {})
    return said | {name: str(value) for name, value in setup.params.items()} | _start_params(setup)


def request_params(setup: RunSetup) -> dict[str, str]:
    """The request, seed and starting point of a setup as query parameters, without the method."""
    return _forget_params(setup) | _start_params(setup)


def _forget_params(setup: RunSetup) -> dict[str, str]:
    card = datasets.card(setup.dataset)
    said = {"classifier": setup.classifier}
    if setup.by == "classes":
        return said | {"forget": format_classes(setup.classes, card.classes)}
    text = image_lists.format_ranges(setup.images)
    if len(text) <= MAX_IMAGES_LENGTH:
        return said | {"images": text}
    return said | {"set": image_lists.save(open_data_dir(), setup.images)}


def _start_params(setup: RunSetup) -> dict[str, str]:
    said = {"seed": str(setup.seed)} if setup.seed else {}
    return said | ({} if setup.start is None else {"start": str(setup.start)})


def request_setup(spec: UnlearnSpec) -> RunSetup:
    """The setup that has a run's request, seed and starting point, with the usual method."""
    forget = spec.request.forget
    return RunSetup(
        classifier=spec.request.classifier,
        dataset=spec.request.dataset,
        by=forget.kind,
        classes=forget.classes if forget.kind == "classes" else (),
        images=forget.images if forget.kind == "images" else (),
        seed=spec.seed,
        start=spec.start,
    )


def from_params(url_params: dict[str, str]) -> tuple[RunSetup, list[str]]:
    """A setup from untrusted query parameters, and sentences about those that could not be used."""
    setup, trouble = default_setup(), []
    url_params = {
        name: text if name in ("forget", "images") else text[:MAX_NAME_LENGTH] for name, text in url_params.items()
    }
    for part in (_classifier, _forget, _method, _seed):
        try:
            setup = part(setup, url_params)
        except UnlearnError as problem:
            trouble.append(str(problem))
    return setup, trouble


def _classifier(setup: RunSetup, url_params: dict[str, str]) -> RunSetup:
    if url_params.get("classifier", setup.classifier) == setup.classifier:
        return setup
    from unlearn_core.models import classifiers  # Imports torch, which the first page does without.

    card = classifiers.card(url_params["classifier"])
    return replace(setup, classifier=card.id, dataset=card.dataset, classes=())


def _forget(setup: RunSetup, url_params: dict[str, str]) -> RunSetup:
    card = datasets.card(setup.dataset)
    if url_params.get("set"):
        return replace(
            setup, by="images", images=image_lists.load(open_data_dir(), url_params["set"], upper_bound=card.train)
        )
    if url_params.get("images"):
        return replace(
            setup, by="images", images=image_lists.parse_ranges(url_params["images"], upper_bound=card.train)
        )
    if "images" in url_params:
        return replace(setup, by="images")
    if "forget" in url_params:
        return replace(setup, classes=parse_classes(url_params["forget"], card.classes))
    return setup


def _method(setup: RunSetup, url_params: dict[str, str]) -> RunSetup:
    if not url_params.keys() - {"classifier", "forget", "images", "set", "seed", "start", "id", "level"}:
        return setup
    from unlearn_core import methods  # Imports torch, which the first page does without.

    method = methods.method(url_params.get("method", setup.method))
    name = url_params.get("preset", "")
    preset = methods.preset(method, setup.classifier, name)
    base = preset.for_request(setup.forget)
    given = {name: url_params[name] for name in method.params.hyperparameters() if name in url_params}
    params = base.updated(given)
    # A hyperparameter that the run would find is fixed by naming it, whatever its value.
    own = {
        name: getattr(params, name)
        for name in params.hyperparameters()
        if getattr(params, name) != getattr(base, name) or (name in given and name in preset.auto)
    }
    is_first = preset == next(iter(methods.presets(method, setup.classifier).values()))
    return replace(setup, method=method.id, preset="" if is_first else name, params=own)


def _seed(setup: RunSetup, url_params: dict[str, str]) -> RunSetup:
    numbers = {name: url_params[name] for name in ("seed", "start") if name in url_params}
    for name, text in numbers.items():
        if not (text.isascii() and text.isdecimal() and int(text) < 2**31):
            raise InvalidRequestError(f"The {name} {text!r} is invalid: use a whole number from 0.")
    return replace(setup, **{name: int(text) for name, text in numbers.items()})
