"""Retrain: exact unlearning by training from fresh weights on the retain set (Bourtoule et al., IEEE S&P 2021).

Idea. A model that never saw an image has nothing to forget. Train from fresh weights with the classifier's own recipe
on the retain set; the head keeps an output for every class. The result differs from a report's retrained model only
by its seed, so the two show how much two retraining runs differ.

Cost. A full training run: all epochs of the recipe over the retain set. All other methods exist to avoid this cost.

When it fails. Never at forgetting. A shortened recipe gives a weaker model, which is no valid reference.

Source. Bourtoule et al. 2021, section III (exact unlearning). Some public code re-initialises only the last layer here
and so keeps information that should be lost; a test checks that nothing of the original model remains.
"""

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.loops import train
from unlearn_core.training.problem import Problem


class Hyperparameters(BaseHyperparameters):
    """Retraining's only hyperparameter; all others come from the recipe."""

    share: float = hyperparameter(
        1.0,
        low=0.05,
        high=1.0,
        step=0.05,
        title="Share of the recipe",
        unit="of its epochs",
        explain="Share of the recipe's epochs to train, with a shortened schedule; only 1 gives a valid reference.",
    )


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Train `problem.model` from fresh weights; raises DivergedError if the loss is not finite."""
    retain, recipe = problem.retain, problem.classifier.required_recipe
    problem.model.load_state_dict(problem.fresh_model().state_dict())
    train(
        problem.model,
        recipe.model_copy(update={"epochs": _epochs(params, recipe.epochs)}),
        retain.images,
        retain.labels,
        retain.rows,
        seed=problem.seed,
        tracker=tracker,
    )


def _epochs(params: Hyperparameters, recipe: int) -> int:
    return max(1, round(params.share * recipe))


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    drops = sizes.retain >= sizes.batch  # The training loop drops an incomplete last batch.
    count = steps_in_epoch(sizes.retain, sizes.batch, drop_last=True) * sizes.batch if drops else sizes.retain
    return _epochs(params, sizes.epochs) * count


METHOD = Method(
    id="retrain",
    title="Retrain",
    group="Baselines",
    summary="retrain from scratch without the forget set · needs no forget data",
    idea="Trains the same architecture from fresh weights with the classifier's **own recipe**, on the retain set "
    "only. The model has never seen the forget set: all other methods try to reach this result in less time.",
    failure_modes="Never at forgetting, but it takes as long as the original training. With a shortened recipe the "
    "model is weaker than it should be and is no longer a valid reference.",
    paper=Reference("Bourtoule et al., Machine Unlearning, IEEE S&P 2021", "https://arxiv.org/abs/1912.03817"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "full recipe", "All epochs of the classifier's own recipe: minutes, not seconds.", Hyperparameters()
        ),
        "quick": Preset(
            "a quarter",
            "A quarter of the epochs: shows what a shortened retraining loses.",
            Hyperparameters(share=0.25),
        ),
    },
    needs=lambda params: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
