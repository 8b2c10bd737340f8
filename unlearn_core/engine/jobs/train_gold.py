"""Trains a gold: the same classifier, retrained by its own recipe without the forget set."""

from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.domain.split import trainable_split
from unlearn_core.engine.initial_weights import initial_model
from unlearn_core.engine.job import Job
from unlearn_core.engine.jobs.common.resumable_training import train_resumable
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import folding, weights


def train_gold(spec: TrainGoldSpec, model_cache: ModelCache, listener: RunListener) -> RunMetrics:
    """Train a gold, or resume its training, and queue the measuring of every run that waits for it.

    The state is saved after every epoch. If a more urgent job is queued then, PreemptedError is raised; the next call
    continues, and the result is bit-identical to that of an uninterrupted training.
    """
    card = classifiers.card(spec.request.classifier)
    recipe = card.required_recipe
    data = model_cache.dataset(card.dataset)
    found = model_cache.gold(card, spec.request, spec.seed)
    if found is not None:
        queue_remeasure(spec, model_cache)
        note = f"This retrained model exists already: {found.name}."
        return RunMetrics(gold=found.weights, seconds=JobSeconds(total=0.0), note=note)
    rows = trainable_split(data.card, data.image_dataset.labels, spec.request.forget).retain_train
    file = model_cache.golds.folder(spec.request, spec.seed) / "state.pt"
    seed = bundled_models.GOLD_SEED_OFFSET + spec.seed
    model = initial_model(card, seed, model_cache)
    spent = train_resumable(model, recipe, data, rows, seed=seed, file=file, listener=listener)
    sha = weights.checksum(model)
    model_cache.evaluations.put(Evaluation(sha, card.dataset, folding.logits(model, data.images)))
    model_cache.golds.save(spec.request, spec.seed, weights=sha, data=weights.to_bytes(model), seconds=spent.seconds)
    queue_remeasure(spec, model_cache)
    return RunMetrics(gold=sha, seconds=JobSeconds(total=spent.seconds), seconds_per_image=spent.seconds_per_image)


def queue_remeasure(spec: TrainGoldSpec, model_cache: ModelCache) -> None:
    """Queue one measuring for every finished run of this request that lacks this gold.

    The first gold fills a report's third column. The second shows the variation between golds, and is of no use without
    the first. Further golds are stored but not shown.
    """
    needed = {0: "gold", 1: "twin"}.get(spec.seed)
    if needed is None or not model_cache.golds.exists(spec.request, 0):
        return
    store = RunStore(model_cache.data_dir)
    waiting = [
        run
        for run in store.list_runs(kinds=("unlearn",), states=(RunState.DONE,), limit=10_000)
        if isinstance(run.spec, UnlearnSpec)
        and run.spec.request == spec.request
        and run.spec.start is None
        and needed not in run.metrics.evaluations
    ]
    for run in waiting:
        store.submit(
            MeasureSpec(run=run.id),
            title=f"Add the retrained model to run {run.id}",
            owner=run.owner,
            priority=Priority.INTERACTIVE,
            parent=run.id,
        )


JOB = Job(spec=TrainGoldSpec, execute=lambda spec, context: train_gold(spec, context.model_cache, context.listener))
