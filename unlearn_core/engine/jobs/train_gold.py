"""Gold: the same classifier, retrained by its own recipe without the forgotten data."""

from typing import Any

from unlearn_core.domain.jobs import GoldSpec, MeasureSpec, RunSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.domain.split import cut
from unlearn_core.engine.initial_weights import untrained
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.resumable_training import train_on
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate, weights


def train_gold(spec: GoldSpec, warm: Warm, listener: Listener) -> dict[str, Any]:
    """Trains a gold, or goes on with one, and queues the measuring of every run that waits for it.

    The state is saved after every epoch; where something more urgent waits then, GaveWay is raised, and the next call
    ends with the same bits as if there had been no interruption.
    """
    card = classifiers.card(spec.request.classifier)
    recipe = card.trained_by
    data = warm.data(card.dataset)
    found = warm.gold(card, spec.request, spec.seed)
    if found is not None:
        queue_measures(spec, warm)
        return {"gold": found.weights, "seconds": {"total": 0.0}, "note": f"This gold was there already: {found.name}."}
    rows = cut(data.card, data.pictures.labels, spec.request.forget).retain_train
    file = warm.golds.folder(spec.request, spec.seed) / "state.pt"
    seed = bundled_models.GOLD_SEED + spec.seed
    net = untrained(card, seed, warm)
    spent = train_on(net, recipe, data, rows, seed=seed, file=file, listener=listener)
    sha = weights.checksum(net)
    warm.evaluations.put(Evaluation(sha, card.dataset, evaluate.logits(net, data.images)))
    warm.golds.keep(spec.request, spec.seed, weights=sha, data=weights.to_bytes(net), seconds=spent.seconds)
    queue_measures(spec, warm)
    return {"gold": sha, "seconds": {"total": spent.seconds}, "seconds_per_picture": spent.pace}


def queue_measures(spec: GoldSpec, warm: Warm) -> None:
    """Queues one measuring for every finished run of this request that this gold completes.

    The first gold is what a report's third column needs; the second tells how far two golds are apart, and is of no
    use without the first. More of them are kept, and shown nowhere.
    """
    needed = {0: "gold", 1: "twin"}.get(spec.seed)
    if needed is None or not warm.golds.is_there(spec.request, 0):
        return
    store = RunStore(warm.home)
    waiting = [
        run
        for run in store.list(kinds=("unlearn",), states=(RunState.DONE,), limit=10_000)
        if isinstance(run.spec, RunSpec)
        and run.spec.request == spec.request
        and run.spec.start is None
        and needed not in run.headline.get("evaluations", {})
    ]
    for run in waiting:
        store.submit(
            MeasureSpec(run=run.id),
            title=f"Add gold to run {run.id}",
            owner=run.owner,
            priority=Priority.INTERACTIVE,
            parent=run.id,
        )
