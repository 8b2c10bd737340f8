"""How a file's tensors find their place: prefixes, orders, leftovers, classes and channels; and never a wrong place."""

import random
from collections.abc import Mapping

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.matching import public_models as public
from tests.models.matching.test_public_models import OBJECTS, found, load, shapes
from unlearn_core.domain.errors import NotFoundError, NotSupportedError
from unlearn_core.models.architectures import vit_tiny
from unlearn_core.models.matching import find
from unlearn_core.models.matching.find import Found, find_matches
from unlearn_core.models.matching.misfit import misfit_reason
from unlearn_core.models.matching.spelling import MAX_PREFIXES, MAX_SPELLED_LENGTH, RESNET, prefixes, respell
from unlearn_core.models.matching.target import Shapes, build_target, is_weight

QUICK = settings(max_examples=30, deadline=None)
OURS = build_target("resnet8", 10, 32).shapes
TORCHVISION = shapes(public.projected((1, 1, 1), 8).state_dict())
SHORTCUT_FIRST = shapes(public.projected((1, 1, 1), 8, first=True).state_dict())
RIGHT = dict(find_matches(TORCHVISION, OBJECTS, architecture="resnet8").candidates[0].sources)
WORDS = st.from_regex(r"[a-z]{5,9}", fullmatch=True)


def sources(file: Shapes, architecture: str = "resnet8") -> dict[str, tuple[str, ...]]:
    """Which tensor of the file is which of ours, without counters; empty if nothing fits."""
    match = find_matches(file, OBJECTS, architecture=architecture)
    if not match.candidates:
        return {}
    return {name: parts for name, parts in match.candidates[0].sources.items() if is_weight(name)}


def renamed(file: Shapes, names: Mapping[str, str]) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[str, ...]]]:
    """The file under other names, and where each of its tensors belongs."""
    places = {ours: tuple(names[part] for part in parts) for ours, parts in RIGHT.items() if is_weight(ours)}
    return {names[name]: shape for name, shape in file.items()}, places


def reworded(file: Shapes, words: list[str], *, keep_numbers: bool) -> dict[str, str]:
    """New names: every word in a module's name becomes another one, with the number at its end or without."""
    table: dict[str, str] = {}
    spare = iter(words)

    def part(text: str) -> str:
        stem = text.rstrip("0123456789")
        key = stem if keep_numbers else text
        if stem and key not in table:
            table[key] = next(spare)
        return table.get(key, text) + (text[len(stem) :] if stem and keep_numbers else "")

    return {name: ".".join([*map(part, name.split(".")[:-1]), name.rpartition(".")[2]]) for name in file}


def test_our_own_names_and_torchvisions_match() -> None:
    assert sources(OURS) == {name: (name,) for name in OURS if is_weight(name)}
    assert len(RIGHT) == len(OURS)


@QUICK
@given(st.lists(st.from_regex(r"[a-z_]{1,9}|[0-9]", fullmatch=True), min_size=1, max_size=4))
def test_whatever_prefix_the_names_share_is_removed(parts: list[str]) -> None:
    prefix = ".".join(parts) + "."
    file, places = renamed(TORCHVISION, {name: prefix + name for name in TORCHVISION})
    assert sources(file) == places
    beside = {**file, "normalize.scale": (3,), "ema.decay": ()}
    assert sources(beside) == places, "also if other tensors of the file do not share it"


@QUICK
@given(st.randoms(use_true_random=False))
def test_known_names_match_in_any_order(draw: random.Random) -> None:
    order = list(TORCHVISION)
    draw.shuffle(order)
    assert sources({name: TORCHVISION[name] for name in order}) == {n: p for n, p in RIGHT.items() if is_weight(n)}


NEW_WORDS = st.lists(WORDS, min_size=9, max_size=9, unique=True)


@QUICK
@given(NEW_WORDS, st.booleans(), st.booleans())
def test_unknown_names_match_in_the_order_of_the_code(words: list[str], first: bool, keep_numbers: bool) -> None:
    given_file = SHORTCUT_FIRST if first else TORCHVISION
    file, places = renamed(given_file, reworded(given_file, words, keep_numbers=keep_numbers))
    assert sources(file) == places


@QUICK
@given(NEW_WORDS, st.booleans(), st.none() | st.randoms(use_true_random=False))
def test_unknown_names_in_another_order_match_rightly_or_not_at_all(
    words: list[str], keep_numbers: bool, draw: random.Random | None
) -> None:
    file, places = renamed(TORCHVISION, reworded(TORCHVISION, words, keep_numbers=keep_numbers))
    order = sorted(file)
    if draw is not None:
        draw.shuffle(order)
    assert sources({name: file[name] for name in order}) in (places, {})


@pytest.mark.parametrize("repository", ["layer-fc", "layer-linear", "blocks", "sequential"])
@pytest.mark.parametrize("in_order", [True, False], ids=["as saved by torch", "as saved by safetensors"])
def test_a_bundled_model_under_the_names_of_others_gives_the_same_outputs(repository: str, in_order: bool) -> None:
    theirs = public.shaken(
        public.projected((1, 1, 1), 8, shortcut="shortcut" if repository == "layer-linear" else "downsample")
    )
    state = dict(theirs.state_dict())
    if repository == "layer-linear":
        state = {name.replace("fc.", "linear."): value for name, value in state.items()}
    if repository == "blocks":
        table = {"layer1.0": "blocks.0", "layer2.0": "blocks.1", "layer3.0": "blocks.2"}
        table |= {"conv1.weight": "stem.0.weight", "bn1.": "stem.1."}
        state = {_moved(name, table): value for name, value in state.items()}
    if repository == "sequential":
        state = {f"1.{name}": value for name, value in state.items()}
    if not in_order:
        state = {name: state[name] for name in sorted(state)}
    (match,) = found(state).candidates
    ours, architecture, how = load(match, state), match.target.architecture, match.how
    images = torch.rand(4, 3, 32, 32)
    normalize = ours.get_submodule("normalise")
    assert architecture == "resnet8" and ("by order" in how) == (repository == "blocks")
    with torch.inference_mode():
        assert torch.allclose(ours(images), theirs(normalize(images)), atol=1e-5)


def _moved(name: str, table: Mapping[str, str]) -> str:
    start = next((start for start in table if name.startswith(start)), "")
    return table[start] + name.removeprefix(start) if start else name


def test_counters_may_be_missing_and_what_profilers_leave_is_no_weight() -> None:
    file = {name: shape for name, shape in TORCHVISION.items() if is_weight(name)} | {
        "layer1.0.total_ops": (1,),
        "layer1.0.total_params": (1,),
    }
    (match,) = find_matches(file, OBJECTS).candidates
    assert match.complete and not match.leftover


@pytest.mark.parametrize("blocks", [(5, 5, 5), (4, 3, 3)])
def test_a_larger_model_is_never_called_complete(blocks: tuple[int, ...]) -> None:
    file = shapes(public.projected(blocks, 16).state_dict())
    chosen = find_matches(file, OBJECTS, architecture="resnet20")
    assert not chosen.candidates and chosen.nearest.complete and chosen.nearest.is_larger
    assert said(chosen).startswith("The file is a larger model than ResNet-20")
    assert said(chosen.__class__((), chosen.nearest)).count("found no place, such as 'layer1.3.conv1.weight'") == 1
    found_one = find_matches(file, OBJECTS)
    assert all(len(match.sources) == len(file) for match in found_one.candidates)


def test_other_weights_of_the_file_are_left_over_and_listed() -> None:
    file = {**TORCHVISION, "projector.0.weight": (128, 32), "projector.0.bias": (128,)}
    (match,) = find_matches(file, OBJECTS).candidates
    assert match.target.architecture == "resnet8" and not match.is_larger
    assert list(match.leftover) == ["projector.0.weight", "projector.0.bias"]


def test_layers_with_a_bias_that_ours_do_not_have_are_not_ours() -> None:
    file = {**TORCHVISION, "layer1.0.conv1.bias": (8,)}
    match = find_matches(file, OBJECTS, architecture="resnet8")
    assert not match.candidates and "no place, such as 'layer1.0.conv1.bias'" in said(match)
    assert not find_matches(file, OBJECTS).candidates


def test_a_layer_without_a_bias_has_one_of_zeros() -> None:
    theirs = public.shaken(public.LiuVgg(5))
    biases = [name for name, value in theirs.named_parameters() if name.endswith("bias") and "bn" not in name]
    weights = dict(theirs.named_parameters())
    biases = [name for name in biases if weights[f"{name[:-4]}weight"].ndim > 1]
    assert len(biases) == 14
    file = {name: value for name, value in theirs.state_dict().items() if name not in biases}
    match = found(file, "vgg16_bn").candidates[0]
    assert not match.missing and all(not match.state(file)[name].any() for name in biases)
    without_norm = {name: shape for name, shape in TORCHVISION.items() if name != "bn1.bias"}
    assert not find_matches(without_norm, OBJECTS, architecture="resnet8").candidates


def test_padded_and_projected_shortcuts_are_distinguished() -> None:
    plain = shapes(public.akamaster(20).state_dict())
    projected = shapes(public.projected((3, 3, 3), 16).state_dict())
    assert find_matches(plain, OBJECTS).nearest.target.architecture == "resnet20_plain"
    assert find_matches(projected, OBJECTS).nearest.target.architecture == "resnet20"
    wrong = find_matches(projected, OBJECTS, architecture="resnet20_plain")
    assert not wrong.candidates and wrong.other is not None
    assert "Its tensors are those of ResNet-20, not of ResNet-20, plain shortcuts" in said(wrong)
    missing = find_matches(plain, OBJECTS, architecture="resnet20")
    assert not missing.candidates and "those of ResNet-20, plain shortcuts" in said(missing)


def said(match: Found) -> str:
    return misfit_reason(match, OBJECTS, requested=True)


@pytest.mark.parametrize("architecture", ["", "resnet8"])
def test_another_number_of_classes_is_said(architecture: str) -> None:
    file = shapes(public.projected((1, 1, 1), 8, classes=100).state_dict())
    match = find_matches(file, OBJECTS, architecture=architecture)
    assert not match.candidates
    assert said(match) == (
        "The checkpoint has 100 classes, but Objects has 10. Choose the data set that it was trained on."
    )


def test_what_fits_nothing_is_said_with_the_nearest_one() -> None:
    file = {name: shape if "bn" in name else (3, *shape) for name, shape in TORCHVISION.items()}
    match = find_matches(file, OBJECTS)
    reason = misfit_reason(match, OBJECTS, requested=False)
    assert not match.candidates and "No built-in architecture has these tensors" in reason
    assert "choose that by its name" in reason
    chosen = find_matches(file, OBJECTS, architecture="resnet8")
    assert "These are not the tensors of ResNet-8" in said(chosen)
    assert "Choose the architecture that it was saved from" in said(chosen)


def test_what_has_nothing_in_common_is_compared_with_nothing() -> None:
    match = find_matches({"gru.weight_ih": (7, 5, 3)}, OBJECTS)
    assert "No built-in architecture has tensors of these names" in misfit_reason(match, OBJECTS, requested=False)


def test_an_unknown_or_unfit_architecture_is_refused() -> None:
    with pytest.raises(NotFoundError):
        find_matches(TORCHVISION, OBJECTS, architecture="nothing")
    with pytest.raises(NotSupportedError):
        find_matches(TORCHVISION, OBJECTS.model_copy(update={"size": 4}), architecture="resnet8")


def test_without_any_architecture_for_these_images_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find.architectures, "cards", lambda: {"vit_tiny": vit_tiny.CARD})
    with pytest.raises(NotSupportedError, match="No built-in architecture supports images of 18 pixels"):
        find_matches({"head.weight": (10, 10**8)}, OBJECTS.model_copy(update={"size": 18}))


def test_one_channel_is_repeated_over_three() -> None:
    theirs = public.shaken(public.projected((1, 1, 1), 8))
    grey = dict(theirs.state_dict())
    grey["conv1.weight"] = grey["conv1.weight"].sum(1, keepdim=True)
    match = found(grey).candidates[0]
    assert match.target.architecture == "resnet8" and match.target.one_channel == "stem.0.weight"
    ours = match.state(grey)["stem.0.weight"]
    assert ours.shape == (8, 3, 3, 3)
    image = torch.rand(2, 1, 9, 9)
    one, three = (
        torch.nn.functional.conv2d(image.expand(-1, w.shape[1], -1, -1), w) for w in (grey["conv1.weight"], ours)
    )
    assert torch.allclose(one, three, atol=1e-5)


def test_a_linear_head_may_be_a_convolution_of_one_place() -> None:
    file = {**TORCHVISION, "fc.weight": (10, 32, 1, 1)}
    (match,) = find_matches(file, OBJECTS).candidates
    state = match.state({name: torch.zeros(shape) for name, shape in file.items()})
    assert state["head.weight"].shape == (10, 32)


def test_prefixes_are_few_however_a_file_names_its_tensors() -> None:
    assert prefixes([f"{'a.' * 300}w{number}" for number in range(9)])[:3] == ["", "a.", "a.a."]
    assert len(prefixes([f"{'a.' * 300}w{number}" for number in range(9)])) == MAX_PREFIXES
    assert prefixes([]) == [""]


def test_rules_are_not_tried_on_names_that_nobody_gives() -> None:
    short, long = (f"{'a' * length}.bn_1.weight" for length in (9, MAX_SPELLED_LENGTH))
    assert list(respell({short: short}, RESNET) or ()) == ["a" * 9 + ".bn1.weight"]
    assert list(respell({long: long}, RESNET) or ()) == [long]
