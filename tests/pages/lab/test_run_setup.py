"""The setup of the next run: read from a URL, also from one with nonsense in it, and written into one."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unlearn_core import methods
from unlearn_core.domain.errors import InvalidRequestError, NotFoundError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import ProblemSize
from unlearn_core.models import user_models
from unlearn_core.store import image_lists
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.shell import run_setup as setups
from unlearn_core.ui.shell.run_setup import RunSetup

KEYS = ["classifier", "forget", "images", "set", "method", "preset", "seed", "start", "impair_lr", "batch", "id", "x"]


def test_nothing_said_means_cats_by_unsir() -> None:
    setup, trouble = setups.from_params({})
    assert not trouble
    now = run_plan.resolve(setup)
    assert now.title() == "Forget cat with UNSIR"
    assert now.params == next(iter(now.method.presets.values())).params
    assert now.sizes == ProblemSize(1000, 9000, 1, 9, 10, 40, 128, layers=10)


@pytest.mark.parametrize(
    "setup",
    [
        setups.default_setup(),
        RunSetup(classes=(1, 9), method="finetune", preset="gentle", params={"epochs": 3, "falls": False}, seed=7),
        RunSetup(by="images", images=(0, 1, 2, 40, 9999), method="finetune", params={"lr": 0.003}),
        RunSetup(by="images", images=tuple(range(0, 9000, 2)), start=4),
        RunSetup(classes=()),
        RunSetup(by="images"),
        RunSetup(classifier="tiny", dataset="shapes", classes=(2,)),
    ],
)
def test_an_address_brings_the_same_setup_back(setup: RunSetup, home: Path) -> None:
    said = setups.to_params(setup)
    back, trouble = setups.from_params(said)
    assert not trouble
    assert setups.to_params(back) == said
    assert (back.forget, dict(back.params), back.seed, back.start) == (
        setup.forget,
        dict(setup.params),
        setup.seed,
        setup.start,
    )
    assert len("&".join(said.values())) < 2_000


def test_a_long_list_is_kept_under_a_name(home: Path) -> None:
    said = setups.to_params(RunSetup(by="images", images=tuple(range(0, 9000, 2))))
    assert "images" not in said
    assert (home / "requests" / f"{said['set']}.txt").exists()


def test_a_list_that_was_kept_elsewhere_is_missed_in_a_sentence(home: Path) -> None:
    _, trouble = setups.from_params({"set": "0123456789abcdef"})
    assert trouble == [
        "The data folder has no list of images '0123456789abcdef': the link was created elsewhere. "
        "Select the images again, or use a link that contains their indices."
    ]


@pytest.mark.parametrize("name", ["../../etc/passwd", "0123456789abcdeg", "", "0123456789abcdef\n"])
def test_a_kept_list_has_no_other_names(name: str, home: Path) -> None:
    (home / "requests").mkdir()
    with pytest.raises(InvalidRequestError):
        image_lists.load(home, name, upper_bound=10)


@pytest.mark.parametrize("text", ["-1", "5-3", "1,,2", "10", "3-10", "1e3", "\uff11", "a", "0-999999999999"])
def test_a_list_of_images_is_read_strictly(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        image_lists.parse_ranges(text, upper_bound=10)


@given(st.sets(st.integers(0, 400)).map(lambda found: tuple(sorted(found))).filter(bool))
def test_ranges_say_what_they_were_given(pictures: tuple[int, ...]) -> None:
    assert image_lists.parse_ranges(image_lists.format_ranges(pictures), upper_bound=401) == pictures


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(said=st.dictionaries(st.sampled_from(KEYS), st.text(max_size=60) | st.just("x" * 10_000), max_size=5))
def test_no_address_whatever_ends_in_a_traceback(said: dict[str, str], home: Path) -> None:
    setup, trouble = setups.from_params(said)
    assert all(isinstance(sentence, str) and len(sentence) < 500 for sentence in trouble)
    run_plan.resolve(replace(setup, start=None))


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"classifier": "vgg"}, "no classifier called 'vgg'"),
        ({"forget": "cat,unicorn"}, "no class called 'unicorn'"),
        ({"images": "99999"}, "from 0 to 9,999"),
        ({"method": "magic"}, "no method called 'magic'"),
        ({"preset": "best"}, "no preset called 'best'"),
        ({"impair_lr": "9"}, "cannot be '9': it takes a number from 0.0001 to 0.05"),
        ({"seed": "-3"}, "The seed '-3' is invalid"),
        ({"start": "x"}, "The start 'x' is invalid"),
    ],
)
def test_what_an_address_says_wrongly_is_named_and_the_rest_is_used(said: dict[str, str], part: str) -> None:
    setup, trouble = setups.from_params({"seed": "5"} | said)
    assert len(trouble) == 1
    assert part in trouble[0]
    assert setup.forget == setups.default_setup().forget
    assert setup.method == "unsir"
    assert setup.seed == (5 if "seed" not in said and "start" not in said else 0)


def test_the_longest_name_of_a_users_classifier_is_read_whole(home: Path) -> None:
    longest = user_models.make_id("torchvision:mobilenet_v3_large", "photographs-of-many-things-483259", "9e046e7c")
    assert len(longest) == 67
    _, trouble = setups.from_params({"classifier": longest})
    assert len(trouble) == 1 and f"'{longest}'" in trouble[0]


def _spec(**params: object) -> UnlearnSpec:
    request = ForgetRequest(classifier="resnet20", dataset="cifar10-sample", forget=ForgetClasses(classes=(8,)))
    return UnlearnSpec(request=request, method="unsir", params=params, seed=3)


def test_a_run_becomes_the_setup_that_makes_it_again() -> None:
    presets = methods.method("unsir").presets
    of_paper = _spec(**presets["paper"].params.model_dump())
    assert (setups.from_spec(of_paper).preset, setups.from_spec(of_paper).params) == ("paper", {})
    turned = _spec(**presets["bundled"].params.model_dump() | {"impair_lr": 0.01})
    assert (setups.from_spec(turned).preset, setups.from_spec(turned).params) == ("", {"impair_lr": 0.01})
    for spec in (of_paper, turned):
        assert run_plan.resolve(setups.from_spec(spec)).spec == spec


def test_single_images_become_a_setup_too() -> None:
    forget = ForgetImages(images=(3, 1))
    request = ForgetRequest(classifier="resnet20", dataset="cifar10-sample", forget=forget)
    setup = setups.from_spec(UnlearnSpec(request=request, method="finetune", params={}))
    assert (setup.by, setup.images, setup.classes) == ("images", (1, 3), ())


def test_a_run_of_a_method_that_is_gone_cannot_be_taken() -> None:
    with pytest.raises(NotFoundError, match="no method called 'gone'"):
        setups.from_spec(_spec().model_copy(update={"method": "gone"}))


def test_a_run_that_starts_from_one_that_does_not_exist_is_trouble(home: Path) -> None:
    assert "no run called 77" in (run_plan.resolve(replace(setups.default_setup(), start=77)).error or "")
