"""What methods save is read by its type, stored as it was, and does not touch what else was saved."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.charts.fake_reports import made_up_report
from tests.store.former import unpacked
from unlearn_core.domain.report import Report, stored
from unlearn_core.domain.results.method_artifacts import (
    AdversarialPredictions,
    Artifact,
    DampenedWeights,
    ForgetStepMask,
    NearestClasses,
    NoiseErrors,
    NoiseImages,
    RewindErrors,
    SaliencyMask,
    StopRule,
)
from unlearn_core.domain.results.result import ReportPart
from unlearn_core.store.files import artifacts, reports

__all__ = ["unpacked"]

REPORT = made_up_report()
SHARES = np.array([0.5, 0.25], np.float32)
SAVED: tuple[Artifact, ...] = (
    DampenedWeights(layers=["a", "b"], weights=[10, 30], share=0.3, shares=SHARES),
    ForgetStepMask(layers=["a", "b"], weights=[10, 30], share=0.3, shares=SHARES),
    NearestClasses(success_rate=0.9, counts=np.array([0, 3, 1])),
    RewindErrors(reference=0.3, epoch=2, errors=SHARES),
    REPORT[AdversarialPredictions],
    REPORT[NoiseErrors],
    REPORT[SaliencyMask],
    REPORT[StopRule],
)
each = pytest.mark.parametrize("artifact", SAVED, ids=lambda artifact: artifact.name)


def bare(*saved: Artifact) -> Report:
    return replace(REPORT, parts=stored(*saved))


def test_reports_of_a_former_release_are_stored_as_they_were(unpacked: Path) -> None:
    folders = (reports.EXAMPLE_DIR, *sorted((unpacked / "home" / "runs").iterdir()))
    seen = set()
    for folder in folders:
        part = artifacts.read_part(folder, Artifact.part)
        if part is None:
            continue
        kinds = [kind for kind in (NoiseImages, NoiseErrors, RewindErrors) if kind.is_in({Artifact.part: part})]
        again = stored(*(kind.from_part(part) for kind in kinds))[Artifact.part]
        assert json.dumps(again.facts) == json.dumps(part.facts)
        assert again.arrays.keys() == part.arrays.keys()
        for name, array in part.arrays.items():
            assert again.arrays[name].dtype == array.dtype and np.array_equal(again.arrays[name], array)
        seen |= set(kinds)
    assert seen == {NoiseImages, NoiseErrors, RewindErrors}


@each
def test_an_artifact_is_read_by_its_type_beside_all_others(artifact: Artifact) -> None:
    report = bare(*SAVED)
    assert list(report.parts) == ["extras"] and len(report.parts["extras"].arrays) == len(SAVED)
    found = report[type(artifact)]
    assert found.model_dump(exclude=set(found._array_fields())) == artifact.model_dump(
        exclude=set(artifact._array_fields())
    )
    (array,) = found.to_part().arrays.values()
    assert np.array_equal(array, artifact.to_part().arrays[artifact.name])


@each
def test_one_that_was_not_saved_is_missing(artifact: Artifact) -> None:
    report = bare(*(one for one in SAVED if one is not artifact))
    assert type(artifact) not in report and "damaged" not in report.reason(type(artifact))


@each
def test_a_damaged_one_is_missing_with_a_reason(artifact: Artifact) -> None:
    facts, arrays = artifact.to_part()
    for lost in facts[artifact.name]:
        damaged = {name: value for name, value in facts[artifact.name].items() if name != lost}
        report = replace(REPORT, parts={"extras": ReportPart({artifact.name: damaged}, arrays)})
        assert report.get(type(artifact)) is None
        assert "damaged" in report.reason(type(artifact))


def test_a_newer_one_replaces_that_of_its_type_alone() -> None:
    newer = NearestClasses(success_rate=0.1, counts=np.array([4]))
    report = bare(*SAVED).with_result(newer)
    assert report[NearestClasses].success_rate == 0.1
    assert report[RewindErrors].epoch == 2
