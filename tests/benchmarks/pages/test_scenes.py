"""The scenes ship, and show what the code still makes; settings name what their methods have."""

import pytest
import torch

from unlearn_core.benchmarks.pages.make_scenes import shipped_specs
from unlearn_core.charts.text.boundary_words import Subject, boundary_words
from unlearn_core.domain.method import Method
from unlearn_core.domain.results.boundary_frames import BoundaryFrames
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.playground import point_settings, scenes
from unlearn_core.engine.playground.point_models import make_frames
from unlearn_core.methods import methods
from unlearn_core.store.files import playground_results

MAX_KILOBYTES = 150


def test_every_scene_ships_and_nothing_else() -> None:
    files = {playground_results.shipped_path(spec) for spec in shipped_specs()}
    assert files == set(playground_results.SHIPPED.glob("*.json.gz"))
    assert sum(path.stat().st_size for path in files) < 1000 * MAX_KILOBYTES
    assert len({scene.title for scene in scenes.SCENES}) == len(scenes.SCENES)


OUTCOMES = {
    "Noise instead of points": "It forgot as much as retraining would",
    "Adversarial points": "It forgot more than retraining would, and the rest paid for it",
    "One step too far": "It forgot as much as retraining would, but the rest paid for it",
    "What neighbours teach": "No difference to retraining is shown",
    "A ring between two": "It forgot as much as retraining would",
}
"""What is said about the run of each scene, and what its lesson rests on."""


def test_what_a_scene_teaches_is_what_its_run_did(tmp_path) -> None:
    told = {}
    for scene in scenes.SCENES:
        spec = scene.spec()
        texts = [playground_results.find(tmp_path, one) for one in (spec, spec.retrained)]
        after, retrained = (BoundaryFrames.model_validate_json(text or b"") for text in texts)
        told[scene.title] = boundary_words(Subject("it" * isinstance(scene.what, int), True), after, retrained).title
        if scene.method in ("unsir", "l2ul"):
            assert after.made, "the diamonds that the lesson speaks of"
        if scene.title in ("Adversarial points", "What neighbours teach"):
            assert retrained.forget[-1] == retrained.forget_points
    assert told == OUTCOMES


@pytest.mark.parametrize("part", ["train", "unlearn"])
def test_a_shipped_run_is_what_the_code_makes(part: str, tmp_path) -> None:
    torch.set_num_threads(1)
    spec = next(spec for spec in shipped_specs() if spec.part == part)
    found = playground_results.find(tmp_path, spec)
    assert found is not None
    shipped, made = (
        BoundaryFrames.model_validate_json(found),
        make_frames(spec, ModelCache("cpu", tmp_path), NullListener()),
    )
    assert (shipped.steps, shipped.phases) == (made.steps, made.phases)
    # Another processor may round otherwise.
    same = (shipped.log_probabilities().argmax(1) == made.log_probabilities().argmax(1)).mean()
    assert same > 0.98


@pytest.mark.parametrize("method", methods().values(), ids=lambda method: method.id)
def test_settings_are_found_and_within_the_bounds_of_the_page(method: Method) -> None:
    shown = point_settings.shown_hyperparameters(method)
    assert 1 <= len(shown) <= 3
    for kind in method.supports:
        values = point_settings.start_values(method, kind)
        assert values.model_dump() in point_settings._settings()[method.id].values()
        assert not point_settings.out_of_bounds(method, {info.name: getattr(values, info.name) for info in shown})


def test_values_out_of_bounds_are_named() -> None:
    method = methods()["finetune"]
    wrong = point_settings.out_of_bounds(method, {"lr": "0.9", "epochs": "20", "batch": "16", "weight_decay": "x"})
    assert len(wrong) == 4
    assert "epochs" in wrong[1] and "from 1 to 15" in wrong[1]
