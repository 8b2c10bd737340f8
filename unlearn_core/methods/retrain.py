"""Retrain: the classifier's own recipe from fresh weights, without the forgotten data: gold, as a method.

Idea. What a net never saw it need not forget. Fresh weights, all of the recipe's epochs, kept pictures only; the head
keeps its place for every class. It differs from the gold beside a report by its seed alone, so the two show how far
two retrainings are apart.

Cost. A whole training: the recipe's epochs over all kept pictures. All else exists to avoid this.

When it fails. Never at forgetting. A shortened recipe gives a weaker net, with which nothing else should be compared.

Source: Bourtoule et al. 2021, section III (exact unlearning). Some public code redraws the last layer alone here and
so keeps what it should have lost; a test holds that nothing of the original is left.
"""

from unlearn_core.domain.method import DataAccess, Method, Preset, ProblemSize, Reference
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter
from unlearn_core.domain.tracker import Tracker
from unlearn_core.training.batches import steps_in_epoch
from unlearn_core.training.loops import train
from unlearn_core.training.problem import Problem


class Hyperparameters(BaseHyperparameters):
    """Retraining's only hyper-parameter: all others are the recipe's."""

    share: float = hyperparameter(
        1.0,
        low=0.05,
        high=1.0,
        step=0.05,
        title="Share of the recipe",
        unit="of its epochs",
        explain="How many of the recipe's epochs are trained, the rates squeezed into them; only all of them is gold.",
    )


def forget(problem: Problem, params: Hyperparameters, tracker: Tracker) -> None:
    """Trains `problem.net` from fresh weights; raises Diverged where the loss is no longer a number."""
    kept, recipe = problem.retain, problem.classifier.required_recipe
    problem.model.load_state_dict(problem.fresh_model().state_dict())
    train(
        problem.model,
        recipe.model_copy(update={"epochs": _epochs(params, recipe.epochs)}),
        kept.images,
        kept.labels,
        kept.rows,
        seed=problem.seed,
        tracker=tracker,
    )


def _epochs(params: Hyperparameters, recipe: int) -> int:
    return max(1, round(params.share * recipe))


def _images_processed(params: Hyperparameters, sizes: ProblemSize) -> int:
    whole = sizes.retain >= sizes.batch  # The loop leaves out a short last batch.
    seen = steps_in_epoch(sizes.retain, sizes.batch, drop_last=True) * sizes.batch if whole else sizes.retain
    return _epochs(params, sizes.epochs) * seen


METHOD = Method(
    id="retrain",
    title="Retrain",
    group="Yardsticks",
    summary="begin again without them, slowly · sees no forgotten picture",
    idea="Trains the same net anew by the classifier's **own recipe**, on the kept pictures alone. What it never saw "
    "it need not forget: this is what all other methods try to reach in less time.",
    failure_modes="Never at forgetting; it takes as long as the first training did. With a shortened recipe the net is weaker "
    "than it should be, and no yardstick any more.",
    paper=Reference("Bourtoule et al., Machine Unlearning, IEEE S&P 2021", "https://arxiv.org/abs/1912.03817"),
    supports=frozenset({"classes", "images"}),
    params=Hyperparameters,
    presets={
        "bundled": Preset(
            "whole recipe", "The classifier's own recipe, every epoch of it: minutes, not seconds.", Hyperparameters()
        ),
        "quick": Preset(
            "a quarter", "A quarter of the epochs: what a retraining in a hurry loses.", Hyperparameters(share=0.25)
        ),
    },
    needs=lambda knobs: DataAccess(forget=False, retain=True),
    images_processed=_images_processed,
    forget=forget,
)
