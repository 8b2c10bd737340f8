"""`classifiers add`: how it reads a checkpoint, what it says of it, and when it adds it."""

import io
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from unlearn_core.__main__ import main
from unlearn_core.cli.classifiers import MAX_TENSORS_SHOWN, as_lines
from unlearn_core.data import sandbox, user_catalog
from unlearn_core.domain.results.checkpoint import (
    AccuracyTest,
    CheckpointResult,
    ClassOrder,
    Entry,
    MismatchCounts,
    NormalizationTrial,
    ShapeMismatch,
)
from unlearn_core.domain.results.metrics import SplitAccuracies
from unlearn_core.models import bundled_models
from unlearn_core.models.upload import load_worker

NAMES = [f"layer{number}.weight" for number in range(12)]
MISFIT = CheckpointResult(
    fits=False,
    tensors=2000,
    ignored=["epoch"],
    missing=NAMES,
    unexpected=["aux\x1b[2J"],
    shape_mismatches=[ShapeMismatch("head.weight", [3, 12], [5, 12])],
    counts=MismatchCounts(12, 1, 1),
    reason="Choose the architecture that it was saved from.",
)
FIT = MISFIT.model_copy(
    update={
        "fits": True,
        "missing": [],
        "unexpected": [],
        "shape_mismatches": [],
        "counts": MismatchCounts(0, 0, 0),
        "reason": "",
        "accuracies": SplitAccuracies(train=0.9, val=None, test=0.8, by_class=[0.7, None, 0.9]),
        "classifier": "mine",
        "architecture": "ResNet-20",
        "architecture_found": True,
        "matched": "by order and shape",
        "accuracy_test": AccuracyTest("test", 600, 480, 0.4, 1e-9),
    }
)
NONE = NormalizationTrial("none", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0.75)


def test_a_checkpoint_that_does_not_fit_says_what_does_not() -> None:
    shown = ", ".join(f"'{name}'" for name in NAMES[:MAX_TENSORS_SHOWN])
    assert as_lines(3, MISFIT, "rings") == [
        "Run 3: 2,000 tensors.",
        f"  missing (12): {shown} ...",
        "  left over (1): 'aux\\x1b[2J'",
        "  wrong shape (1): 'head.weight [5, 12], not [3, 12]'",
        "Choose the architecture that it was saved from.",
    ]


def test_one_that_fits_says_how_it_was_read_and_what_its_accuracy_proves() -> None:
    lines = as_lines(4, FIT, "rings")
    assert lines[0] == (
        "Run 4: 2,000 tensors. It has all weights of ResNet-20, and each of its 2,000 tensors found its place. "
        "Its names are unknown, so they were matched by order: compare its accuracy with what its source says."
    )
    assert [line.split() for line in lines[1:7]] == [
        ["Architecture", "ResNet-20,", "found", "from", "the", "file"],
        ["Matched", "by", "order", "and", "shape"],
        ["train", "90.0%"],
        ["test", "80.0%"],
        ["inner", "70.0%"],
        ["outer", "90.0%"],
    ]
    assert lines[7:] == [
        "Of 600 test images, 480 are classified correctly; always predicting the most frequent class gives 240 "
        "(p < 0.001)."
    ]


def test_weights_that_found_no_place_are_never_called_complete() -> None:
    lines = as_lines(4, FIT.model_copy(update={"unexpected": ["aux"], "counts": MismatchCounts(0, 1, 0)}), "rings")
    assert "1 of its 2,000 tensors found no place" in lines[0] and "each of its" not in lines[0]
    assert "  left over (1): 'aux'" in lines


def test_everything_that_was_tried_is_said() -> None:
    more = {
        "one_channel": True,
        "normalization": NONE,
        "trials": [NONE, NONE._replace(title="0.5 and 0.5", accuracy=0.5)],
        "trial_images": 300,
        "entry": "model\x1b",
        "entries": [Entry("model\x1b", 2000), Entry("ema\x1b", 2000)],
        "alternatives": [("ResNet-20, plain shortcuts, names as they are", 0.1)],
        "class_order": ClassOrder([1, 0, 2], 0.3, 0.8, 1e-5),
        "accuracy_test": AccuracyTest("val", 300, 121, 0.4, 0.47),
    }
    text = "\n".join(as_lines(4, FIT.model_copy(update=more), "rings"))
    assert "\x1b" not in text
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    for part in (
        "repeated over three channels and divided by three",
        "none, the most accurate of 2 on 300 validation images: mean 0, standard deviation 1",
        "0.5 and 0.5",
        "'model\\x1b' (of 2)",
        "other entries, for --entry: 'ema\\x1b'",
        "ResNet-20, plain shortcuts, names as they are: 10.0 %",
        "That proves no fit: of 300 validation images, 121 are classified correctly",
        "gives 120 (p = 0.47, and p < 0.01 is needed)",
        "its accuracy rises from 30.0 % to 80.0 %",
        "use --reorder-classes",
    ):
        assert part in text, part


def test_a_request_to_reorder_says_what_came_of_it() -> None:
    assert "so the outputs stay as they are" in as_lines(4, FIT, "rings", reorder=True)[-1]
    applied = FIT.model_copy(update={"class_order": ClassOrder([1, 0, 2], 0.3, 0.8, 1e-5, applied=True)})
    assert "The outputs were put into another order" in as_lines(4, applied, "rings", reorder=True)[-1]


def test_without_images_to_prove_it_that_is_said() -> None:
    assert "nothing proves that it fits" in as_lines(4, FIT.model_copy(update={"accuracy_test": None}), "rings")[-1]


@pytest.fixture
def checkpoint(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the tiny model's weights, averaged ones beside them, and a normalising layer's prefix."""
    monkeypatch.setattr(sandbox, "run", lambda function, job, limits: load_worker.convert(job, None))  # type: ignore
    original = bundled_models.find_bundled("tiny", None, 0)
    assert original is not None
    weights = {f"1.{name}": value for name, value in load(bundled_models.read_weights(original)).items()}
    buffer = io.BytesIO()
    torch.save({"model": weights, "model_ema": {name: torch.zeros_like(one) for name, one in weights.items()}}, buffer)
    path = tmp_path / "mine.th"
    path.write_bytes(buffer.getvalue())
    return path


def add(path: Path, *options: str) -> int:
    return main(["classifiers", "add", str(path), "--dataset", "shapes", "--device", "cpu", *options])


def test_a_checkpoint_is_added_without_naming_its_architecture(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(checkpoint, "--name", "mine") == 0
    said = capsys.readouterr().out
    assert "Tiny, found from the file" in said and "without '1.'" in said and "It was added to the catalog" in said
    (card,) = user_catalog.classifier_cards().values()
    assert card.title == "mine" and card.architecture == "tiny"


@pytest.mark.parametrize("ending", [".pth.tar", ".ckpt", ".bin", ""])
def test_the_legacy_format_is_added_under_any_ending(checkpoint: Path, ending: str) -> None:
    saved = torch.load(checkpoint, weights_only=True)
    path = checkpoint.with_name(f"best{ending}")
    torch.save(saved["model"], path, _use_new_zipfile_serialization=False)
    assert add(path) == 0 and len(user_catalog.classifier_cards()) == 1


def test_a_git_lfs_pointer_is_refused_as_one(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 1100000\n")
    assert add(checkpoint) == 2
    assert "it is a Git LFS pointer" in capsys.readouterr().err


def test_one_whose_accuracy_proves_nothing_is_added_only_anyway(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(checkpoint, "--entry", "model_ema") == 2
    said = capsys.readouterr().out
    assert "That proves no fit" in said and "--anyway" in said and not user_catalog.classifier_cards()
    assert add(checkpoint, "--entry", "model_ema", "--anyway") == 0
    assert len(user_catalog.classifier_cards()) == 1


def test_a_normalisation_may_be_given_and_is_completed_from_the_data_set(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(checkpoint, "--architecture", "tiny", "--mean", "0.4,0.4,0.4") == 0
    said = capsys.readouterr().out
    assert "chosen: mean 0.4, standard deviation" in said and "Tiny, chosen" in said
    (card,) = user_catalog.classifier_cards().values()
    assert card.mean == (0.4, 0.4, 0.4) and card.std != (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--architecture", "nothing"), "nothing"),
        (("--mean", "1,2"), "--mean takes three numbers"),
        (("--std", "0,1,1"), "--std takes three numbers above 0"),
        (("--entry", "optimizer"), "no entry optimizer"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], reason: str
) -> None:
    assert add(checkpoint, *options) == 2
    assert reason in capsys.readouterr().err and not user_catalog.classifier_cards()


RESNETS = {"stem.0": "conv1", "stem.1": "bn1", "stage": "layer", "norm": "bn", "shortcut": "downsample", "head": "fc"}
LIU = {**RESNETS, "shortcut": "shortcut", "head": "linear"}
BLOCKS = {**RESNETS, "stem": "stem", "stage1.0": "blocks.0", "stage2.0": "blocks.1", "stage3.0": "blocks.2"}


def respelled(table: dict[str, str]) -> dict[str, torch.Tensor]:
    """The weights of the bundled ResNet-8 under other names."""
    original = bundled_models.find_bundled("resnet8", None, 0)
    assert original is not None
    state = load(bundled_models.read_weights(original))
    for ours in sorted(table, key=len, reverse=True):
        state = {name.replace(ours, table[ours]): value for name, value in state.items()}
    return state


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", ["layer-fc", "layer-linear", "blocks", "prefix", "module", "bfloat16", "hundred classes"]
)
def test_a_trained_resnet_as_people_have_it(
    case: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = respelled({"layer-fc": RESNETS, "layer-linear": LIU, "blocks": BLOCKS}.get(case, {}))
    prefix = {"prefix": "1.", "module": "module."}.get(case, "")
    state = {prefix + name: value for name, value in state.items()}
    if case == "bfloat16":
        state = {name: value.bfloat16() if value.is_floating_point() else value for name, value in state.items()}
    if case == "hundred classes":
        state |= {"head.weight": torch.zeros(100, 32), "head.bias": torch.zeros(100)}
    path = tmp_path / "net.pt"
    torch.save({"state_dict": state, "best_prec1": 60.0} if case == "module" else state, path)
    code = main(["classifiers", "add", str(path), "--dataset", "cifar10-sample", "--device", "cpu"])
    said = capsys.readouterr().out
    if case == "hundred classes":
        assert code == 2 and "The checkpoint has 100 classes, but CIFAR-10 sample has 10" in said
        return
    (card,) = user_catalog.classifier_cards().values()
    added = bundled_models.find_bundled(card.id, None, 0)
    assert code == 0 and card.architecture == "resnet8" and added is not None
    ours, theirs = load(bundled_models.read_weights(added)), respelled({})
    assert all(torch.allclose(ours[name].float(), theirs[name].float(), atol=0.05) for name in theirs)
