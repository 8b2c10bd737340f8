"""Many nets of one kind: golds of a request, or what a method makes of a classifier from seed after seed.

Each is trained, asked and thrown away; only its answers are kept, a file a net, so that nothing is done twice. On two
CPU cores two trainings of one thread each are faster than one of two threads, and than several nets stacked in one
(5,100 against 3,700 and 4,300 pictures a second for a ResNet-8 of width 8, bfloat16).
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from unlearn_core.data.atomic_files import write_whole
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.forget_request import ForgetRequest
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.domain.split import Split, cut
from unlearn_core.domain.tracker import Silent, Tracker
from unlearn_core.engine.initial_weights import untrained
from unlearn_core.engine.model_cache import Data, Trained, Warm, after_of
from unlearn_core.engine.setup import lay_out, problem_of
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.models.ensembles import Population
from unlearn_core.probes.common.neurips_score import Score, phi, scored
from unlearn_core.training import evaluate
from unlearn_core.training.loops import train


class Order(NamedTuple):
    """One net of a population: a gold of a request, or what a spec's method makes from that many seeds on."""

    what: ForgetRequest | RunSpec
    number: int
    folder: Path
    """Where its answers are kept."""
    home: Path
    device: str
    threads: int


def make_all(orders: list[Order], jobs: int) -> Iterator[Order]:
    """Makes those nets that are missing, `jobs` of them side by side, and gives each order as it is done, in order."""
    todo = [order for order in orders if not _file(order.folder, order.number).exists()]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_make, todo)


def _make(order: Order) -> Order:
    if torch.get_num_threads() != order.threads:
        torch.set_num_threads(order.threads)
    make = gold if isinstance(order.what, ForgetRequest) else unlearned
    keep(order.folder, order.number, make(order.what, order.number, _warm(order.device, order.home), Silent()))  # pyright: ignore[reportArgumentType]
    return order


@cache
def _warm(device: str, home: Path) -> Warm:
    """One a process, so that data and nets are loaded once."""
    return Warm(device, home)


def gold(request: ForgetRequest, number: int, warm: Warm, track: Tracker) -> Population:
    """One gold's answers; the very net that the run of kind gold with this number would give."""
    card = classifiers.card(request.classifier)
    data = warm.data(card.dataset)
    split = cut(data.card, data.pictures.labels, request.forget)
    return asked(_trained(card, split.retain_train, bundled_models.GOLD_SEED + number, warm, track), data, split)


def original(request: ForgetRequest, number: int, warm: Warm, track: Tracker) -> nn.Module:
    """A net that the classifier's recipe makes of all training pictures from another seed than the classifier's."""
    card = classifiers.card(request.classifier)
    data = warm.data(card.dataset)
    split = cut(data.card, data.pictures.labels, request.forget)
    rows = np.sort(np.concatenate([split.forget_train, split.retain_train]))
    return _trained(card, rows, bundled_models.SHADOW_SEED + number, warm, track)


def _trained(card: ClassifierCard, rows: np.ndarray, seed: int, warm: Warm, track: Tracker) -> nn.Module:
    data, net = warm.data(card.dataset), untrained(card, seed, warm)
    where = torch.from_numpy(rows).to(warm.device)
    train(net, card.trained_by, data.images, data.labels, where, seed=seed, track=track)
    return net.eval()


def unlearned(spec: RunSpec, number: int, warm: Warm, track: Tracker, before: Trained | None = None) -> Population:
    """The answers of what the spec's method makes of its classifier, or of `before`, `number` seeds on."""
    layout = lay_out(spec.model_copy(update={"seed": spec.seed + number}), warm)
    if before is not None:
        layout = layout._replace(before=before)
    problem = problem_of(layout, warm)
    layout.method.forget(problem, layout.knobs, track)
    return asked(after_of(problem.net).net, layout.data, layout.split)


def asked(net: nn.Module, data: Data, split: Split) -> Population:
    """What one net answers to the forgotten pictures, and how often it is right about the kept ones."""

    def answers(rows: np.ndarray) -> np.ndarray:
        return evaluate.logits(net, data.images[torch.from_numpy(rows).to(data.images.device)])

    labels = data.pictures.labels
    right = [
        float((answers(rows).argmax(1) == labels[rows]).mean()) for rows in (split.retain_train, split.retain_test)
    ]
    return Population(answers(split.forget_train)[None], *(np.array([share], np.float32) for share in right))


def score(ours: Population, golds: Population, labels: np.ndarray) -> Score:
    """The challenge's score of nets against equally many golds; labels (S,) are the forgotten pictures'."""
    return scored(
        phi(ours.logits, labels),
        phi(golds.logits, labels),
        retain=(float(ours.retain.mean()), float(golds.retain.mean())),
        test=(float(ours.test.mean()), float(golds.test.mean())),
    )


def kept(folder: Path, number: int) -> Population | None:
    """The answers of a net that were kept there; None where nobody has made it yet."""
    path = _file(folder, number)
    return Population.from_bytes(path.read_bytes()) if path.exists() else None


def keep(folder: Path, number: int, one: Population) -> Population:
    """Keeps a net's answers, and gives them as they were kept: in 16 bits."""
    data = one.to_bytes()
    write_whole(_file(folder, number), data)
    return Population.from_bytes(data)


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:03d}.npz"
