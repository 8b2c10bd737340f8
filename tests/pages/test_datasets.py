"""The page Datasets: existing data sets, imports and refusals, and removing and restoring."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.data.zips import faces, picture, write, write_named
from tests.pages.conftest import Visit
from tests.pages.finished_runs import started
from tests.pages.lab import gallery_steps
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.sources import sources
from unlearn_core.domain.jobs import ImportDatasetSpec, UnlearnSpec
from unlearn_core.domain.run import Phase, Progress, RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.queue.run_store import RunStore


@pytest.fixture
def zipped(tmp_path: Path) -> bytes:
    return write(tmp_path / "faces.zip", faces(each=8, top="faces/")).read_bytes()


def upload(app: AppTest, data: bytes, name: str = "my_faces.zip") -> AppTest:
    app.file_uploader(key="zip-0").set_value((name, data, "application/zip"))
    return app.run().button(key="add").click().run()


def work(store: RunStore) -> None:
    """Carries out the import that waits, as a worker does."""
    run = started(store, kinds=frozenset({"import"}))
    try:
        store.execution.finish(
            run.id, run.attempt, metrics=execute_job(run, ModelCache("cpu", store.data_dir), NullListener())
        )
    except Exception as problem:
        store.execution.fail(run.id, run.attempt, str(problem))


def added(visit: Visit, store: RunStore, data: bytes) -> AppTest:
    app = fine(upload(visit("datasets"), data))
    work(store)
    return fine(app.run())


def test_what_ships_is_shown_with_its_card(visit: Visit) -> None:
    app = fine(visit("datasets"))
    said = words(app)
    assert "CIFAR-10 sample" in said and "Krizhevsky" in said
    titles = [title.replace("\\", "") for title in app.radio(key="picture-set").options]
    assert titles[:3] == ["CIFAR-10 sample", "CIFAR-10 sample, mislabelled", "Shapes"], "points in the plane come last"
    assert sorted(titles) == sorted(card.title for card in datasets.cards().values())
    assert not without_words(app)
    app.radio(key="picture-set").set_value("shapes").run()
    assert app.query_params["dataset"] == "shapes"
    assert "Rows, columns, checks and discs" in words(fine(app))
    assert "Remove" not in [button.label for button in app.button], "what ships stays"


def test_all_images_are_in_a_gallery(visit: Visit) -> None:
    app = fine(visit("datasets", dataset="cifar10-sample"))
    gallery, card = "all-images-cifar10-sample", datasets.card("cifar10-sample")
    assert gallery_steps.listed(app, gallery) == list(range(card.train + card.val + card.test))
    app.selectbox(key=f"all-images-class-{card.id}").set_value(card.classes.index("ship")).run()
    listed = gallery_steps.listed(fine(app), gallery)
    assert len(listed) == 1_300 and all(label.startswith("ship ") for label in gallery_steps.labels(app, gallery)[:9])
    app.session_state[f"{gallery}-chosen"] = listed[-1]
    app.run()
    assert f"**ship {listed[-1]}**  \ntest image" in words(fine(app)) and not without_words(app)


def test_points_have_no_gallery(visit: Visit) -> None:
    assert not gallery_steps.keys(fine(visit("datasets", dataset="moons")))


def test_an_address_names_a_data_set_and_another_one_is_harmless(visit: Visit) -> None:
    assert "Rows, columns" in words(fine(visit("datasets", dataset="shapes")))
    assert "CIFAR-10 sample" in words(fine(visit("datasets", dataset="../../etc")))


def test_a_zip_comes_in_through_the_page(visit: Visit, store: RunStore, zipped: bytes) -> None:
    app = visit("datasets")
    assert app.button(key="add").disabled, "there is no file yet"
    app.text_input(key="title-zip").set_value("Three people")
    fine(upload(app, zipped))
    (run,) = store.list_runs(kinds=("import",))
    assert isinstance(run.spec, ImportDatasetSpec) and run.title == "Prepare Three people"
    assert "Importing." in words(app)
    assert "Queued: it is next." in next(bar.proto.text for bar in app.get("progress"))
    assert app.file_uploader(key="zip-1").value is None, "the field is empty again"

    claimed = started(store, kinds=frozenset({"import"}))
    store.execution.heartbeat(run.id, 1, progress=Progress((Phase("decode", 24, 6, 0.1),), "decode", None))
    assert "Decoding images, 6 of 24." in next(bar.proto.text for bar in app.run().get("progress"))
    store.execution.finish(run.id, 1, metrics=execute_job(claimed, ModelCache("cpu", store.data_dir), NullListener()))
    fine(app.run())
    assert "**Three people** is ready." in app.success[0].value
    fine(app.run())
    assert app.radio(key="picture-set").value == run.spec.dataset, "what came in is shown"
    assert app.query_params["dataset"] == run.spec.dataset
    said = words(app)
    assert "15 training, 3 validation and 6 test images of 3 classes, 64 pixels wide" in said
    assert all(name in said for name in ("anna", "ben", "carla"))
    assert not without_words(app)
    assert not list((store.data_dir / "uploads").iterdir()), "the zip is not kept"
    assert "Importing." not in said
    fine(app.button(key="train-on").click().run())
    assert app.selectbox(key="train-pictures").value == run.spec.dataset, "and a classifier can be trained on it"
    assert not app.warning, "its address is understood by the pages that come after"
    said = words(app)
    assert said.index("Train a classifier") < said.index("Or choose an existing one"), "the form stands first"
    assert app.number_input(key="train-resnet20-True-15-batch").value == 8, "the recipe suits fifteen pictures"
    assert "assumes more than 15 images" in said
    app = fine(app.button(key="train-not-now").click().run())
    assert not app.number_input, "and is gone again"


@pytest.mark.usefixtures("full_quota")
def test_a_visitor_with_too_much_is_refused_with_the_figures(
    visit: Visit,
    store: RunStore,
    zipped: bytes,
    come_as: Callable[[str], None],
) -> None:
    (said,) = upload(visit("datasets"), zipped).error
    assert "take 5.0 GB, this file has 0.1 MB, and each visitor may have 5.0 GB" in said.value
    assert not store.list_runs() and not list((store.data_dir / "uploads").iterdir()), "nothing was stored"
    come_as(OPERATOR.id)
    fine(upload(visit("datasets"), zipped))
    assert len(store.list_runs()) == 1


def test_the_same_zip_again_is_known(visit: Visit, store: RunStore, zipped: bytes) -> None:
    added(visit, store, zipped)
    app = upload(visit("datasets"), zipped)
    assert "already exists" in app.error[0].value
    assert len(store.list_runs(kinds=("import",))) == 1
    assert not list((store.data_dir / "uploads").iterdir())


def chosen(app: AppTest, file: Path, name: str = "my.zip") -> AppTest:
    """The page with a zip in its field."""
    app.file_uploader(key="zip-0").set_value((name, file.read_bytes(), "application/zip"))
    return app.run()


def test_what_is_refused_is_said_before_it_is_added(visit: Visit, store: RunStore, tmp_path: Path) -> None:
    name = "safe\u202egnp"
    bad = write(tmp_path / "bad.zip", faces() | {f"{name}/{n}.png": picture(n) for n in range(3)})
    app = chosen(visit("datasets"), bad)
    assert "invisible characters" in app.error[0].value and "\u202e" not in app.error[0].value
    assert app.button(key="add").disabled and not store.list_runs()
    assert not list((store.data_dir / "uploads").iterdir()), "looking into it leaves nothing"


def test_an_import_that_fails_is_said_and_can_be_dismissed(visit: Visit, store: RunStore, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.zip", faces() | {f"dora/{n}.png": b"x" for n in range(3)}).read_bytes()
    app = upload(visit("datasets"), bad, "![x](http:evil)<b>.zip")
    work(store)
    said = words(fine(app.run()))
    assert "3 of 21 images cannot be used" in said
    assert "![x]" not in said and "<b>" not in said
    (run,) = store.list_runs(kinds=("import",))
    app.button(key=f"dismiss-{run.id}").click().run()
    assert "cannot be used" not in words(fine(app)) and not store.list_runs(kinds=("import",))
    assert not list((store.data_dir / "datasets").iterdir()), "nothing half-made is left"


def test_what_a_zip_has_is_shown_before_it_is_added(visit: Visit, store: RunStore, tmp_path: Path) -> None:
    members = {f"{part}/{path}": data for part in ("train", "test") for path, data in faces().items()}
    members |= {"LICENSE": b"free", **{f"train/person {n}/{m}.png": picture(n) for n in range(12) for m in range(3)}}
    app = fine(chosen(visit("datasets"), write(tmp_path / "z.zip", members)))
    said = words(app)
    assert "**15 classes**, 72 images (54 training, 18 test): anna, ben, carla, person 0," in said
    assert "and 3 more." in said and "“LICENSE” is no image and is left out." in said
    app = fine(app.button(key="add").click().run())
    work(store)
    assert "“LICENSE” is no image" in fine(app.run()).success[0].value


def test_the_encoding_of_names_is_shown_and_chosen(visit: Visit, store: RunStore, tmp_path: Path) -> None:
    words_in = {f"{a}/{n}.png".encode("cp932"): picture(n) for a in ("猫", "犬") for n in range(3)}
    app = fine(chosen(visit("datasets"), write_named(tmp_path / "z.zip", words_in)))
    (box,) = [one for one in app.selectbox if one.label == "Encoding of names"]
    assert "犬, 猫 \u00b7 Japanese (Shift JIS)" in box.options
    app = fine(box.set_value("cp932").run())
    assert "**2 classes**, 6 images: 犬, 猫." in words(app)
    fine(app.button(key="add").click().run())
    work(store)
    (card,) = user_catalog.dataset_cards().values()
    assert card.classes == ("犬", "猫")


def test_folders_that_may_be_splits_or_classes_are_asked_about(visit: Visit, store: RunStore, tmp_path: Path) -> None:
    members = {f"{part}/{n}.png": picture(n) for part in ("train", "test") for n in range(3)}
    app = fine(chosen(visit("datasets"), write(tmp_path / "z.zip", members)))
    assert "“train” and “test” directly contain images" in app.warning[0].value
    assert app.button(key="add").disabled and "--set" not in words(app)
    (box,) = [one for one in app.checkbox if one.label == "These folders are classes"]
    app = fine(box.check().run())
    assert "**2 classes**, 6 images: test, train." in words(app)
    fine(app.button(key="add").click().run())
    work(store)
    assert [card.classes for card in user_catalog.dataset_cards().values()] == [("test", "train")]


def test_one_on_its_way_can_be_stopped(visit: Visit, store: RunStore, zipped: bytes) -> None:
    app = fine(upload(visit("datasets"), zipped))
    (run,) = store.list_runs(kinds=("import",))
    app.button(key=f"cancel-{run.id}").click().run()
    assert store.get(run.id).state is RunState.CANCELLED
    assert not fine(app.run()).get("progress")


def test_a_data_set_is_removed_and_restored(visit: Visit, store: RunStore, zipped: bytes) -> None:
    app = added(visit, store, zipped)
    (name,) = user_catalog.dataset_cards()
    fine(visit("datasets", dataset=name).button(key="remove").click().run())
    app = fine(visit("datasets"))
    assert name not in app.radio(key="picture-set").options and not user_catalog.dataset_cards()
    fine(app.button(key=f"restore-{name}").click().run())
    assert list(user_catalog.dataset_cards()) == [name]
    fine(visit("datasets", dataset=name).button(key="remove").click().run())
    app = fine(visit("datasets").button(key=f"delete-{name}").click().run())
    assert not (store.data_dir / "trash" / "datasets" / name).exists()


def test_one_that_runs_show_stays(visit: Visit, store: RunStore, zipped: bytes) -> None:
    added(visit, store, zipped)
    (name,) = user_catalog.dataset_cards()
    about = run_spec("tiny", method="finetune", images=[1])
    about = UnlearnSpec.model_validate(about.model_dump() | {"request": about.request.model_dump() | {"dataset": name}})
    number = store.submit(about, title="x")
    app = fine(visit("datasets", dataset=name))
    assert f"Runs use this data set ({number})" in words(app).replace("\\", "")
    assert "remove" not in [button.key for button in app.button]


def test_every_source_has_its_form_or_says_why_not(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNLEARN_DATA_ROOT", raising=False)
    app = visit("datasets")
    for name, source in sources().items():
        fine(app.selectbox(key="source").set_value(name).run())
        offered = "add" in [button.key for button in app.button]
        assert offered == (not source.unavailable_reason(None)), name
        assert offered or source.unavailable_reason(None).split(":")[0][:30] in app.info[0].value.replace("\\", "")
        assert (
            source.licence.split(",")[0].replace("(", "") in words(app).replace("\\", "").replace("(", "")
            or not offered
        )


def test_a_folder_on_the_server_is_chosen_from_those_below_the_root(
    visit: Visit, store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, data in faces(each=5).items():
        file = tmp_path / "root" / "people" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    monkeypatch.setenv("UNLEARN_DATA_ROOT", str(tmp_path / "root"))
    app = fine(visit("datasets").selectbox(key="source").set_value("folder").run())
    assert app.selectbox(key="folder-folder").options == ["people"]
    fine(app.button(key="add").click().run())
    work(store)
    fine(app.run())
    (card,) = user_catalog.dataset_cards().values()
    assert card.title == "A folder on the server" and card.classes == ("anna", "ben", "carla")


def test_the_url_of_an_import_opens_the_data_sets(visit: Visit, store: RunStore) -> None:
    number = store.submit(ImportDatasetSpec(dataset="x", title="X", source="zip", size=32), title="Prepare X")
    app = fine(visit("run", id=str(number)))
    assert app.title[0].value == "Which data sets are there?"
    assert "Prepare X" in words(app)
