"""Interclass confusion: what a model keeps of training labels that were wrong, and what it loses by them.

Where labels of two classes A and B were swapped in training, three shares are measured for each model. Test images of A
and B that are classified correctly: what correction should bring back. Test images of A predicted as B and of B as A,
(C_AB + C_BA) / (n_A + n_B) of the confusion matrix C: what the model generalised from the wrong labels. And the
mislabelled images of the forget set whose prediction is their wrong label: what it memorised of them. Each has a 95 %
Wilson interval. Validation and test labels are right, so no wrong label enters the first two.

Source: Goel et al., Towards Adversarial Evaluations for Inexact Machine Unlearning, arXiv 2201.06640: the interclass
confusion (IC) test. The first share is the corrected accuracy of Goel et al., Corrective Machine Unlearning, arXiv
2402.14015, as in its code.
"""

import numpy as np

from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.measurement import Probe
from unlearn_core.domain.results.predictions import InterclassConfusionResult
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.common.statistics import score


def measure(context: ProbeContext) -> InterclassConfusionResult | str:
    """Return the three shares of each model, or the reason why there is nothing to measure."""
    wrong = np.flatnonzero(context.labels != (context.labels if context.true_labels is None else context.true_labels))
    if context.true_labels is None or not len(wrong):
        return "No label of this data set is known to be wrong, so no classes were confused."
    classes = np.unique(context.true_labels[wrong])
    test = np.sort(np.concatenate([context.split.forget_test, context.split.retain_test]))
    rows = test[np.isin(context.labels[test], classes)]
    if not len(rows):
        return "There are no test images of the classes with wrong labels, so their accuracy is unknown."
    swapped = np.zeros((len(context.dataset.classes),) * 2, bool)
    swapped[context.true_labels[wrong], context.labels[wrong]] = True
    forgotten = np.intersect1d(wrong, context.split.forget_train)
    logits = {model: context.evaluations[model].logits for model in MODELS if model in context.evaluations}
    predicted = {model: own[rows].argmax(1) for model, own in logits.items()}
    correct = {model: own == context.labels[rows] for model, own in predicted.items()}
    confused = {model: swapped[context.labels[rows], own] for model, own in predicted.items()}
    memorized = {model: own[forgotten].argmax(1) == context.labels[forgotten] for model, own in logits.items()}
    return InterclassConfusionResult(
        classes=classes.tolist(),
        num_mislabelled=len(wrong),
        num_forgotten=len(forgotten),
        accuracy={model: score(int(own.sum()), len(own)) for model, own in correct.items()},
        by_class={
            model: [score(int(own[at].sum()), int(at.sum())) for at in (context.labels[rows] == c for c in classes)]
            for model, own in correct.items()
        },
        confused={model: score(int(own.sum()), len(own)) for model, own in confused.items()},
        memorized={model: score(int(own.sum()), len(own)) for model, own in memorized.items()},
        correct={model: own.astype(np.uint8) for model, own in correct.items()},
        taken_for_other={model: own.astype(np.uint8) for model, own in confused.items()},
    )


PROBE = Probe(
    id="interclass_confusion",
    title="Interclass confusion",
    question="Does the accuracy on confused classes come back once their wrong labels are forgotten?",
    caveat="Such classes are confused even if every label is right, so no confusion at all is not the aim: the "
    "retrained model shows what is left without the wrong labels. It is trained on fewer images of these classes, so "
    "it may stay below a model whose labels were all right. Where only some of the wrong labels are forgotten, the "
    "retrained model learned the others as well, and is no reference for a full correction. Two classes have few test "
    "images: differences of a few points may be chance.",
    measure=measure,
    mislabelled_only=True,
    needs_all_images=False,
)
