"""Measures the published settings, resumably: trains each model, retrains it without the forget set, and unlearns."""

from collections.abc import Sequence
from pathlib import Path

from unlearn_core.benchmarks.csv_tables import MeasuredRow, Row
from unlearn_core.benchmarks.reproduction.published.published_settings import PublishedSetting, published_settings
from unlearn_core.benchmarks.results import SEEDS
from unlearn_core.data import datasets, sources, user_catalog
from unlearn_core.data.ingest.import_spec import build_import_spec
from unlearn_core.domain.jobs import TrainGoldSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.layer_comparison import WeightDistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult, PredictionsResult
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.execute import unlearn
from unlearn_core.engine.jobs import import_dataset
from unlearn_core.engine.jobs.train_classifier import train_locally
from unlearn_core.engine.jobs.train_gold import train_gold
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models import architectures

COLUMNS = (
    "name", "seed", "retain_before", "retain_after", "retain_gold", "forget_before", "forget_after", "forget_gold",
    "moved_after", "moved_gold", "evenness_after", "evenness_gold", "passes", "gold_passes", "seconds", "gold_seconds",
    "trained_in", "device",
)  # fmt: skip
"""Accuracies as fractions, on test images; single forget images are training images.

`moved` is the mean over layers of how far the weights are from the original's, relative to these; `evenness` how evenly
the predictions for the forget set spread over the other classes (0 to 1). `passes` are images through the model.
`seconds` are of unlearning, `gold_seconds` of retraining, and `trained_in` those of training the original, "" if it was
there before. The retrained model's are "" in rows of former releases.
"""


def missing(rows: Sequence[Row]) -> list[tuple[PublishedSetting, int]]:
    """Return the settings and seeds whose row is missing or has no retrained model: all of one seed, then the next."""
    known = {(row["name"], int(row["seed"])) for row in rows if row["retain_gold"]}
    every = [(setting, seed) for seed in SEEDS for setting in published_settings().values()]
    return [(setting, seed) for setting, seed in every if (setting.name, seed) not in known]


def measure(
    setting: PublishedSetting,
    seed: int,
    *,
    device: str,
    data_dir: Path,
    listener: RunListener,
    recipe: Recipe | None = None,
) -> MeasuredRow:
    """Prepare the data set, train the original and retrain it (or resume that), unlearn, and return the row.

    `recipe` replaces that of the architecture, so that a test is over soon.
    """
    user_catalog.set_data_dir(data_dir)
    spec = TrainSpec(
        architecture=setting.architecture,
        dataset=_prepared(setting.dataset, data_dir, listener),
        recipe=recipe or architectures.card(setting.architecture).recipe,
        seed=seed,
    )
    _, trained = train_locally(spec, device=device, data_dir=data_dir, listener=listener)
    assert trained.classifier is not None, "a training ends with a classifier"
    run = _run(setting, trained.classifier, seed)
    model_cache = ModelCache(device, data_dir)
    train_gold(TrainGoldSpec(request=run.request), model_cache, listener)
    report = unlearn(run, device=device, data_dir=data_dir, listener=listener).report
    return {
        "name": setting.name,
        "seed": seed,
        **_figures(report, "forget_train" if setting.images else "forget_test"),
        "gold_passes": spec.recipe.epochs * len(report.split.retain_train),
        "gold_seconds": round(model_cache.golds.seconds(run.request, 0), 1),
        "trained_in": round(trained.total_seconds) or "",
        "device": describe_device(device),
    }


def _run(setting: PublishedSetting, classifier: str, seed: int) -> UnlearnSpec:
    card = datasets.card(setting.dataset)
    return run_spec(
        classifier,
        method=setting.method,
        preset="paper",
        classes=[*card.classes[: setting.classes]],
        images=setting.chosen_images(card, seed),
        seed=seed,
        overrides=setting.changes,
    )


def _figures(report: Report, forget_set: str) -> MeasuredRow:
    """Return what a report says of the unlearned and the retrained model."""
    scores, timings = report[AccuracyResult].scores, report[TimingsResult]
    moved, predicted = report[WeightDistanceResult].mean, report[PredictionsResult].sets[forget_set]
    accuracies = {
        f"{side}_{model}": round(scores[model][name].accuracy, 5)
        for side, name in (("retain", "retain_test"), ("forget", forget_set))
        for model in ("before", "after", "gold")
    }
    evenness = {model: predicted[model].entropy for model in ("after", "gold")}
    return {
        **accuracies,
        **{f"moved_{model}": round(moved[f"before-{model}"].relative, 5) for model in ("after", "gold")},
        **{f"evenness_{model}": "" if one is None else round(one, 5) for model, one in evenness.items()},
        "passes": timings.images,
        "seconds": round(timings.seconds.forget, 1),
    }


def _prepared(dataset: str, data_dir: Path, listener: RunListener) -> str:
    """Return the id of a data set, which is prepared if it was not."""
    if dataset not in datasets.cards():
        import_dataset.import_dataset(build_import_spec(sources.source(dataset), {}), data_dir, listener)
    return dataset
