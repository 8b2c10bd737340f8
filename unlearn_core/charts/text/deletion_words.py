"""The words of the deletion test: the number beside each heat map, and what all of them say together."""

from collections.abc import Sequence

from unlearn_core.charts.drawing.wording import MODEL_LABELS, join_words, percent
from unlearn_core.domain.report import MODELS
from unlearn_core.domain.results.explanations import DeletionTest, ExplainedImage

LEAST = 0.01
"""A probability below this cannot fall much further, so the test says nothing."""

COLORS = (
    "**Colours.** All maps of a row share one scale: bright is evidence for the class. In a difference, blue is where "
    "the unlearned model has more, and gold where it has less."
)
DEFINITION = (
    "**Deletion test.** The strongest fifth of each map is covered with the image's mean colour. *Covered* is the "
    "probability of the explained class then. *Random* is its mean when a patch of the same shape covers random places "
    "instead. A map that marks nothing special lowers the probability more than about half of them. Only one that does "
    "so more than nearly all of them shows what the model uses."
)
DOUBT = (
    "Any patch disturbs a model that has never seen one, so compare with the random places. They may overlap what is "
    "marked, which makes the test cautious. One image proves little. After RISE (Petsiuk et al., BMVC 2018); for its "
    "limits see Gomez et al., 2022 (arXiv 2201.13291)."
)


def note(test: DeletionTest | None) -> str:
    """The numbers beside one map, in two lines at most."""
    if test is None:
        return "marks nothing"
    change = f"{100 * test.uncovered:.0f} → {percent(test.covered, 0)}"
    return f"covered: {change}\nrandom: {percent(test.random, 0)}"


def summary(shown: ExplainedImage, classes: Sequence[str]) -> str:
    """What the tests of all models say; "" where every map marks nothing."""
    target = classes[shown.target]
    tests = {
        model: test for model in MODELS if model in shown.models and (test := shown.models[model].deletion) is not None
    }
    told = {model: test for model, test in tests.items() if test.uncovered >= LEAST}
    low = [MODEL_LABELS[model] for model in tests if model not in told]
    said: list[str] = []
    if told:
        counts = ", ".join(
            f"{MODEL_LABELS[model]} {test.places - test.as_low} of {test.places}" for model, test in told.items()
        )
        said.append(f"Covering what lights up lowers {target} more than random places do: {counts}.")
    changed = [
        f"{MODEL_LABELS[model]} then predicts {classes[test.predicted]}"
        for model, test in told.items()
        if test.predicted != shown.models[model].predicted
    ]
    if changed:
        said.append(f"The answer changes: {join_words(changed)}.")
    if low:
        said.append(f"There is nothing to lower, because {target} has under 1 %: {join_words(low)}.")
    return " ".join(said)
