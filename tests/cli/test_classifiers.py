"""What the command line says of a checkpoint: which tensors fit, which do not, and how accurate it is."""

from unlearn_core.cli.classifiers import MAX_TENSORS_SHOWN, as_lines
from unlearn_core.domain.results.checkpoint import CheckpointResult, MismatchCounts, ShapeMismatch
from unlearn_core.domain.results.metrics import SplitAccuracies

NAMES = [f"layer{number}.weight" for number in range(12)]
MISFIT = CheckpointResult(
    fits=False,
    tensors=2000,
    ignored=["epoch"],
    missing=NAMES,
    unexpected=["aux"],
    shape_mismatches=[ShapeMismatch("head.weight", [3, 12], [5, 12])],
    counts=MismatchCounts(12, 1, 1),
    reason="Choose the architecture that it was saved from.",
)
FIT = MISFIT.model_copy(
    update={
        "fits": True,
        "missing": [],
        "shape_mismatches": [],
        "counts": MismatchCounts(0, 1, 0),
        "reason": "",
        "accuracies": SplitAccuracies(train=0.9, val=None, test=0.8, by_class=[0.7, None, 0.9]),
        "classifier": "mine",
    }
)


def test_a_checkpoint_that_does_not_fit_says_what_does_not() -> None:
    shown = ", ".join(f"'{name}'" for name in NAMES[:MAX_TENSORS_SHOWN])
    assert as_lines(3, MISFIT, "rings") == [
        "Run 3: 2,000 tensors. ",
        f"  missing (12): {shown} ...",
        "  unexpected (1): 'aux'",
        "  wrong shape (1): 'head.weight [5, 12], not [3, 12]'",
        "Choose the architecture that it was saved from.",
    ]


def test_one_that_fits_says_its_accuracies_as_far_as_there_are_images() -> None:
    lines = as_lines(4, FIT, "rings")
    assert lines[0] == "Run 4: 2,000 tensors. All weights of the model are there."
    assert [line.split() for line in lines[2:]] == [
        ["train", "90.0%"],
        ["test", "80.0%"],
        ["inner", "70.0%"],
        ["outer", "90.0%"],
    ]
