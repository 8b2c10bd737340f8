"""Untrained classifiers of any architecture on a few small images, in a data folder."""

import io
from pathlib import Path

import numpy as np
import torch

from unlearn_core.data import user_catalog
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.models import architectures, classifiers, user_models
from unlearn_core.training import evaluate, weights
from unlearn_core.training.seeding import seeded

DATASET = DatasetCard(
    id="stripes",
    title="Stripes",
    summary="Stripes of four directions under noise.",
    classes=("lying", "standing", "rising", "falling"),
    size=32,
    train=24,
    val=8,
    test=8,
    licence="MIT, the licence of Unlearn Lab.",
    source="Drawn by the tests.",
)


def pictures(size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """The images (40, size, size, 3) uint8 and their labels (40,) int64; the same ones every time."""
    rng = np.random.default_rng(5)
    labels = np.arange(DATASET.train + DATASET.val + DATASET.test) % len(DATASET.classes)
    y, x = np.mgrid[:size, :size]
    stripes = np.stack([np.sin((a * y + b * x + 1) * 0.8) for a, b in ((1, 0), (0, 1), (1, 1), (1, -1))])
    noisy = 0.5 + 0.3 * stripes[labels][..., None] * rng.uniform(0.5, 1, (len(labels), 1, 1, 3))
    noisy += rng.normal(0, 0.1, noisy.shape)
    return (noisy.clip(0, 1) * 255).astype(np.uint8), labels.astype(np.int64)


def bring(architecture: str, home: Path, size: int = 32) -> ClassifierCard:
    """Add an untrained model of this architecture to the catalog of a data folder, with its images of `size` pixels."""
    dataset = DATASET if size == 32 else DATASET.model_copy(update={"id": f"stripes{size}", "size": size})
    user_catalog.set_data_dir(home)
    known = user_catalog.classifier_cards().get(_id(architecture, dataset))
    if known is not None:
        return known
    images, labels = pictures(size)
    folder = user_catalog.user_dataset_dir(dataset.id)
    assert folder is not None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / user_catalog.CARD_FILE).write_text(dataset.model_dump_json())
    np.save(folder / user_catalog.IMAGES_FILE, images)
    np.save(folder / user_catalog.LABELS_FILE, labels)
    kind = architectures.card(architecture, size)
    card = ClassifierCard(
        id=_id(architecture, dataset),
        title=f"{kind.title} · Stripes",
        summary=kind.summary,
        architecture=architecture,
        dataset=dataset.id,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        roles=kind.roles,
        recipe=kind.recipe.model_copy(update={"epochs": 1, "batch": 16, "augment": "none"}),
        seed=0,
        licence="MIT, the licence of Unlearn Lab.",
        source="Not trained at all.",
    )
    with seeded(0, "brought"):
        net = classifiers.build(card, dataset).eval()
    logits = evaluate.logits(net, torch.from_numpy(images))
    buffer = io.BytesIO()
    np.save(buffer, logits)
    files = {".safetensors": weights.to_bytes(net), ".npy": buffer.getvalue()}
    facts = {"seconds": 1.0, "made with": {"torch": "any"}}
    user_models.add(card, weights=weights.checksum(net), files=files, facts=facts, pending=False)
    return card


def _id(architecture: str, dataset: DatasetCard) -> str:
    return user_models.make_id(architecture, dataset.id, "000000")
