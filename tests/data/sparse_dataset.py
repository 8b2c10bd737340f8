"""A data set with chosen numbers of images of each class in each split, none included, and a classifier for it."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.models import bundled_models, classifiers, user_models
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.testing.tiny_problem import tiny_spec

NAME = "sparse"
CLASSES = ("rows", "columns", "checks", "discs")
FULL: Mapping[str, Sequence[int]] = {"train": (30, 30, 30, 30), "val": (6, 6, 6, 6), "test": (9, 9, 9, 9)}


def bring(home: Path, counts: Mapping[str, Sequence[int]]) -> None:
    """Add images of the tiny classifier's data set, so many of each class in each split, and that classifier."""
    user_catalog.set_data_dir(home)
    shapes = datasets.load("shapes")
    labels = np.concatenate([np.repeat(np.arange(4), counts[split]) for split in ("train", "val", "test")])
    place = np.zeros(len(labels), int)
    for number in range(4):
        own = labels == number
        place[own] = np.flatnonzero(shapes.labels == number)[: own.sum()]
    train, val, test = (sum(counts[split]) for split in ("train", "val", "test"))
    card = DatasetCard(
        id=NAME, title="Sparse", summary="Some.", classes=CLASSES, size=16,
        train=train, val=val, test=test, licence="MIT.", source="Drawn.",
    )  # fmt: skip
    folder = home / "datasets" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / user_catalog.IMAGES_FILE, shapes.images[place])
    np.save(folder / user_catalog.LABELS_FILE, labels)
    (folder / user_catalog.CARD_FILE).write_text(card.model_dump_json())
    original = bundled_models.find_bundled("tiny", None, 0)
    assert original is not None
    model = classifiers.card("tiny").model_copy(update={"id": NAME, "dataset": NAME, "title": "Tiny · Sparse"})
    logits = bundled_models.read_logits(original)[place]
    files = {".safetensors": bundled_models.read_weights(original), ".npy": numpy_bytes(logits)}
    facts = {"seconds": 1.0, "made with": {}}
    user_models.add(model, weights=original.weights, files=files, facts=facts, pending=False)


def forget_images() -> None:
    """Clear what pages have cached of this data set: another test has other images of the same name."""
    import streamlit as st

    st.cache_data.clear()
    st.cache_resource.clear()
    user_catalog.set_data_dir(None)


def bring_gold(home: Path, forget: ForgetClasses) -> None:
    """Add a retrained model for a request: that of the tiny classifier without its second class."""
    model = bundled_models.find_bundled("tiny", ForgetClasses(classes=(1,)), bundled_models.GOLD_SEED_OFFSET)
    assert model is not None
    request = ForgetRequest(classifier=NAME, dataset=NAME, forget=forget)
    GoldStore(home).save(request, 0, weights=model.weights, data=bundled_models.read_weights(model), seconds=1.0)


def spec(forget: Forget) -> UnlearnSpec:
    """A run on this data set."""
    request = ForgetRequest(classifier=NAME, dataset=NAME, forget=forget)
    return tiny_spec("finetune").model_copy(update={"request": request})


def numpy_bytes(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()
