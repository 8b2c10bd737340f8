"""A user's classifier: trained from the page, uploaded as a file, validated, confirmed, removed."""

import io
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit, turn
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.data import sandbox, user_catalog
from unlearn_core.domain.jobs import AddCheckpointSpec, TrainSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.run import Priority, Run
from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import bundled_models, user_models
from unlearn_core.models.upload import load_worker
from unlearn_core.store.queue.run_store import RunStore

ODD = "<b>cat</b> \u202egnp.exe ![x](http://evil)" + "x" * 300
QUICK = Recipe(epochs=2, batch=64, peak=0.1, augment="none")


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are converted in this process: that another one does so is tested where they are received."""
    monkeypatch.setattr(sandbox, "run", lambda function, job, limits: load_worker.convert(job, None))  # type: ignore


def weights() -> dict[str, torch.Tensor]:
    original = bundled_models.find_bundled("tiny", None, 0)
    assert original is not None
    return load(bundled_models.read_weights(original))


def opened(app: AppTest, part: str) -> AppTest:
    app.session_state[f"{part}-part"] = True
    return fine(app.run())


def work(store: RunStore, home: Path) -> Run:
    """Carries out the only run that waits, as a worker would."""
    run = store.execution.claim("w", device="cpu", kinds={"train", "add"})
    assert run is not None
    store.execution.finish(run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", home), NullListener()))
    return store.get(run.id)


def brought(app: AppTest, data: bytes, name: str = "mine.safetensors") -> AppTest:
    """The form, filled in for a tiny model on the shapes and sent."""
    app = opened(app, "bring")
    app.selectbox(key="bring-architecture").set_value("tiny")
    app.selectbox(key="bring-trained on").set_value("shapes")
    app.file_uploader(key="bring-file").set_value((name, data, "application/octet-stream"))
    return app.run().button(key="bring-go").click().run()


def test_a_training_is_requested_with_its_cost_and_followed(visit: Visit, store: RunStore, home: Path) -> None:
    app = opened(visit("classifier"), "train")
    app.selectbox(key="train-architecture").set_value("tiny")
    app.selectbox(key="train-pictures").set_value("shapes")
    app = fine(app.run())
    assert "**Estimated cost:** " in words(app) and " on a typical CPU." in words(app)
    app.number_input(key="train-tiny-True-400-epochs").set_value(2)
    app.text_input(key="train-name").set_value(ODD[:80])
    app = fine(app.run())
    app = app.button(key="train-go").click().run()
    (run,) = store.list_runs(kinds=("train",))
    assert isinstance(run.spec, TrainSpec) and run.spec.recipe.epochs == 2 and run.priority is Priority.BACKGROUND
    assert "\u202e" not in run.spec.name and "\u202e" not in run.title
    assert app.query_params["id"] == str(run.id)

    done = work(store, home)
    app = fine(visit("run", id=str(done.id)))
    assert "is now in the list of classifiers" in words(app) and "of the validation images" in words(app)
    assert "\\<b\\>cat" in words(app) and not without_words(app)
    app = fine(app.button(key="take-trained").click().run())
    assert app.query_params["classifier"] == done.metrics.classifier
    page = fine(turn(app, "classifier"))
    assert "2 epochs of stochastic gradient descent" in words(page) and "None yet" in words(page)
    assert len(page.dataframe[0].value) == 4, "its accuracy is shown class by class"


def test_the_smallest_architectures_come_first_and_their_size_is_shown(visit: Visit) -> None:
    app = opened(visit("classifier"), "train")
    choice = app.selectbox(key="train-architecture")
    places = [choice.options.index(title) for title in ("ResNet-8", "ResNet-20", "ResNet-110", "WideResNet-28-10")]
    assert choice.value == "resnet20" and places == sorted(places)
    choice.set_value("wide_resnet28_10")
    app.selectbox(key="train-pictures").set_value("cifar10-sample")
    app = fine(app.run())
    assert "36 million weights. Meant for a GPU. It takes 146 MB on disk" in words(app)
    assert "Training takes 0.6 GB of memory" in words(app) and "train-go" in [button.key for button in app.button]


def test_images_that_are_too_small_are_refused_before_training(visit: Visit) -> None:
    app = opened(visit("classifier"), "train")
    app.selectbox(key="train-architecture").set_value("resnet20")
    app.selectbox(key="train-pictures").set_value("moons")
    app = fine(app.run())
    assert "needs images of 8 pixels or more" in words(app)
    assert "train-go" not in [button.key for button in app.button]


def test_a_hostile_file_is_refused_on_the_page(visit: Visit, store: RunStore, home: Path) -> None:
    app = brought(visit("classifier"), b"<script>alert(1)</script>", f"{ODD}.pt")
    (said,) = app.error
    assert "was refused. This file is not a checkpoint" in said.value
    assert "\\<b\\>cat" in said.value and "x" * 100 not in said.value
    assert store.list_runs() == [] and not [path for path in (home / "trained").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("full_quota")
def test_a_visitor_with_too_much_may_not_upload_a_checkpoint(
    visit: Visit,
    store: RunStore,
    home: Path,
) -> None:
    (said,) = brought(visit("classifier"), b"0" * 1_000_000).error
    assert "take 5.0 GB, this file has 1.0 MB, and each visitor may have 5.0 GB" in said.value
    assert not store.list_runs() and not (home / "trained").exists(), "nothing was stored"


@pytest.mark.parametrize("name", ["best.pth.tar", "best.th", "best.ckpt", "best.bin", "best"])
def test_a_checkpoint_may_have_any_ending(visit: Visit, store: RunStore, name: str) -> None:
    buffer = io.BytesIO()
    torch.save({"epoch": 3, "state_dict": weights()}, buffer, _use_new_zipfile_serialization=len(name) % 2 == 0)
    app = fine(visit("classifier"))
    assert not opened(app, "bring").file_uploader(key="bring-file").proto.type, "the browser offers every file"
    fine(brought(app, buffer.getvalue(), name))
    (run,) = store.list_runs()
    assert isinstance(run.spec, AddCheckpointSpec) and run.spec.name == Path(name).stem


def test_a_checkpoint_is_validated_added_and_given_a_recipe(visit: Visit, store: RunStore, home: Path) -> None:
    wrapped = {f"module.{name}": value for name, value in weights().items()}
    fine(brought(visit("classifier"), save(wrapped | {"module.aux.<img>": torch.zeros(2)}), f"{ODD}.safetensors"))
    run = work(store, home)
    assert isinstance(run.spec, AddCheckpointSpec) and len(run.spec.name) <= 80
    name = run.metrics.classifier or ""
    assert not user_models.exists(name), "it waits until a person adds it"

    app = fine(visit("run", id=str(run.id)))
    tried, by_class, left = (frame.value for frame in app.dataframe)
    assert "fits" in words(app) and list(left["Name"]) == ["aux.<img>"]
    assert "1 of its" in words(app) and "tensors found no place" in words(app)
    assert len(by_class) == 4 and not without_words(app)
    assert "the data set's statistics" in list(tried["Normalisation"]) and "none" in list(tried["Normalisation"])
    read = dict(app.table[0].value.itertuples())
    assert read["Architecture"] == "Tiny, chosen" and "on 80 validation images" in read["Normalisation"]
    assert "always predicting the most frequent class gives 20" in words(app)
    app = fine(app.button(key="take-in").click().run())
    assert user_models.exists(name) and app.query_params["classifier"] == name
    assert "Its training recipe is unknown, so no retrained model can be made" in words(app)

    app = visit("classifier", classifier=name)
    app = fine(app.button(key="confirm-recipe").click().run())
    card = user_catalog.classifier_cards()[name]
    assert card.recipe is not None and not card.original_recipe
    assert "Its retrained models use a recipe that was chosen here" in words(app)
    app = fine(app.button(key="remove-classifier").click().run())
    assert user_catalog.classifier_cards() == {} and app.query_params["classifier"] == "resnet20"


def test_one_that_does_not_fit_says_what_does_not(visit: Visit, store: RunStore, home: Path) -> None:
    seven = weights() | {"head.weight": torch.zeros(7, 12), "head.bias": torch.zeros(7)}
    buffer = io.BytesIO()
    torch.save(seven, buffer)
    fine(brought(visit("classifier"), buffer.getvalue(), "seven.pt"))
    run = work(store, home)
    app = fine(visit("run", id=str(run.id)))
    assert "The checkpoint has 7 classes, but Shapes has 4" in words(app)
    assert "take-in" not in [button.key for button in app.button]
    assert list(app.dataframe[0].value["Name"]) == ["head.weight", "head.bias"]


def uploaded(app: AppTest, state: object, store: RunStore, home: Path) -> Run:
    """The finished validation of what torch saved; architecture and normalisation are left to be found."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    app = opened(app, "bring")
    assert app.selectbox(key="bring-architecture").value == ""
    app.selectbox(key="bring-trained on").set_value("shapes")
    app.file_uploader(key="bring-file").set_value(("mine.pth.tar", buffer.getvalue(), "application/octet-stream"))
    fine(app.run().button(key="bring-go").click().run())
    return work(store, home)


def test_an_entry_is_offered_and_validated(visit: Visit, store: RunStore, home: Path) -> None:
    still = {name: torch.zeros_like(value) for name, value in weights().items()}
    run = uploaded(visit("classifier"), {"model": still, "model_ema": weights()}, store, home)
    app = fine(visit("run", id=str(run.id)))
    assert "Tiny, found from the file" in app.table[0].value.to_string() and not without_words(app)
    assert "That proves no fit" in words(app) and app.button(key="take-in").label == "Add anyway"
    assert app.selectbox(key="other-entry").value == "model_ema"
    app = app.button(key="validate-entry").click().run()
    done = work(store, home)
    assert isinstance(done.spec, AddCheckpointSpec) and done.spec.entry == "model_ema" and done.title == run.title
    app = fine(visit("run", id=str(done.id)))
    assert app.button(key="take-in").label == "Add" and app.selectbox(key="other-entry").value == "model"
    assert dict(app.table[0].value.itertuples())["Entry"] == "'model\\_ema' (of 2)"


def test_another_order_of_the_classes_is_offered_and_applied_on_request(
    visit: Visit, store: RunStore, home: Path
) -> None:
    turned = {name: value[[1, 2, 3, 0]] if name.startswith("head.") else value for name, value in weights().items()}
    run = uploaded(visit("classifier"), turned, store, home)
    app = fine(visit("run", id=str(run.id)))
    assert "Its classes seem to be in another order" in words(app) and not without_words(app)
    app = app.button(key="reorder-classes").click().run()
    done = work(store, home)
    app = fine(visit("run", id=str(done.id)))
    assert "The outputs were put into another order" in words(app) and app.button(key="take-in").label == "Add"
    assert "reorder-classes" not in [button.key for button in app.button]


def test_normalisation_may_be_chosen_by_hand(visit: Visit) -> None:
    app = opened(visit("classifier"), "bring")
    assert "tried on up to 1,000 validation images" in words(app)
    app.segmented_control(key="bring-way").set_value("by other numbers")
    app = fine(app.run())
    app.number_input(key="bring-deviation-red").set_value(0.0)
    app = fine(app.run())
    assert "A standard deviation must be above 0" in words(app) and "standard deviation 1," in words(app)


def test_results_of_former_releases_are_still_shown(visit: Visit, store: RunStore, home: Path) -> None:
    run = uploaded(visit("classifier"), weights(), store, home)
    part = home / "runs" / str(run.id) / "parts" / "checkpoint.json"
    facts = json.loads(part.read_text())
    former = {
        "fits",
        "tensors",
        "ignored",
        "missing",
        "unexpected",
        "shapes",
        "counts",
        "why",
        "accuracies",
        "classifier",
    }
    part.write_text(json.dumps({name: value for name, value in facts.items() if name in former}))
    app = fine(visit("run", id=str(run.id)))
    assert "nothing proves that it fits" in words(app) and app.button(key="take-in").label == "Add anyway"
    assert not app.table


def test_it_is_not_removed_while_a_run_needs_it(visit: Visit, store: RunStore, home: Path) -> None:
    store.submit(TrainSpec(architecture="tiny", dataset="shapes", recipe=QUICK), title="Train")
    name = work(store, home).metrics.classifier or ""
    store.submit(TrainSpec(architecture="tiny", dataset="shapes", recipe=QUICK, start=name), title="Fine-tune")
    app = fine(visit("classifier", classifier=name))
    app = fine(app.button(key="remove-classifier").click().run())
    assert "need this classifier" in words(app) and user_models.exists(name)


def test_points_are_shown_as_points(visit: Visit) -> None:
    app = fine(visit("classifier", classifier="mlp-moons"))
    assert "The 1,200 training points" in words(app) and not without_words(app)
    app = fine(visit("forget", classifier="mlp-moons", images="3,9"))
    assert app.button(key="tick-points").disabled and not without_words(app)
