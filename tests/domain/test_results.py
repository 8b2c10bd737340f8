"""Every result is read from the reports that ship and from those of a former release, and stored as it was."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.store.former import unpacked
from unlearn_core.domain.results.checkpoint import CheckpointResult
from unlearn_core.domain.results.course import CurvesResult, SeedsResult, TimingsResult, TrainingResult
from unlearn_core.domain.results.explanations import CamResult, RegionsResult, SnapshotsResult
from unlearn_core.domain.results.layer_comparison import CkaResult, WeightDistanceResult
from unlearn_core.domain.results.outputs import ClosenessResult, DistanceResult, LogitsResult, ZrfResult
from unlearn_core.domain.results.predictions import AccuracyResult, ConfusionResult, PredictionsResult
from unlearn_core.domain.results.privacy import LiraResult, MembershipResult, NeuripsScoreResult, RelearnResult
from unlearn_core.domain.results.result import ReportPart, Result, Stored
from unlearn_core.store.files import artifacts, reports

__all__ = ["unpacked"]

KINDS: tuple[type[Result], ...] = (
    *(AccuracyResult, ConfusionResult, PredictionsResult),
    *(CamResult, RegionsResult, SnapshotsResult),
    *(ClosenessResult, DistanceResult, LogitsResult, ZrfResult),
    *(LiraResult, MembershipResult, NeuripsScoreResult, RelearnResult),
    *(CkaResult, WeightDistanceResult),
    *(CheckpointResult, CurvesResult, SeedsResult, TimingsResult, TrainingResult),
)
NOT_IN_REPORTS: dict[type[Result], ReportPart] = {
    CheckpointResult: ReportPart(
        {
            "fits": True,
            "tensors": 2,
            "ignored": ["epoch"],
            "missing": [],
            "unexpected": ["aux.weight"],
            "shapes": [["head.weight", [4, 12], [5, 12]]],
            "counts": [0, 1, 1],
            "why": "",
            "accuracies": {"train": 0.9, "val": None, "test": 0.8, "classes": [0.7, None]},
            "classifier": "tiny-x-1",
        },
        {},
    ),
    SeedsResult: ReportPart(
        {
            "runs": [
                {
                    "run": 7,
                    "seed": seed,
                    "accuracy": {"after": {"retain_test": 0.8}},
                    "distance": {"before": 0.4, "after": None},
                    "privacy": None,
                    "seconds": 1.5,
                }
                for seed in range(2)
            ]
        },
        {"step_1": np.array([0, 4]), "forget_1": np.array([0.9, 0.1]), "retain_1": np.array([0.9, 0.8])},
    ),
}
"""What the reports of the test do not hold, in the form in which it is stored."""
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def stored_parts(kind: type[Result], former: Path) -> list[ReportPart]:
    """What reports have stored of a result: the bundled ones and those of a former release."""
    bundled = (reports.EXAMPLE_DIR, reports.ENSEMBLE_EXAMPLE_DIR)
    folders = (*bundled, former / "report", *sorted((former / "home" / "runs").iterdir()))
    parts = [artifacts.read_part(folder, kind.part) for folder in folders]
    return [part for part in parts if part is not None] or [NOT_IN_REPORTS[kind]]


@every_kind
def test_a_result_is_stored_as_it_was(kind: type[Result], unpacked: Path) -> None:
    parts = stored_parts(kind, unpacked)
    assert parts
    for part in parts:
        again = kind.from_part(part).to_part()
        assert json.dumps(again.facts) == json.dumps(part.facts)
        assert again.arrays.keys() == part.arrays.keys()
        for name, array in part.arrays.items():
            assert again.arrays[name].dtype == array.dtype
            assert np.array_equal(again.arrays[name], array, equal_nan=array.dtype.kind == "f")


def damaged(kind: type[Result], part: ReportPart) -> Iterator[ReportPart]:
    """The part without one of the fields that it needs, one after the other."""
    for name, field in kind.model_fields.items():
        stored = next((note for note in field.metadata if isinstance(note, Stored)), None)
        if not field.is_required():
            continue
        if stored is not None:
            kept = {key: array for key, array in part.arrays.items() if stored.key(key) is None}
            yield ReportPart(part.facts, kept)
        elif kind.root is not None:
            yield ReportPart(dict.fromkeys(part.facts), part.arrays)
        else:
            yield ReportPart(
                {key: value for key, value in part.facts.items() if key != (field.alias or name)}, part.arrays
            )


@every_kind
def test_a_damaged_result_is_missing_with_a_reason(kind: type[Result], unpacked: Path) -> None:
    whole, parts = reports.read_folder(reports.EXAMPLE_DIR), stored_parts(kind, unpacked)
    broken = list(damaged(kind, parts[0]))
    assert broken
    for part in broken:
        report = replace(whole, parts={kind.part: part})
        assert report.get(kind) is None and kind not in report
        assert "damaged" in report.reason(kind)
        with pytest.raises(KeyError, match="damaged"):
            report[kind]
