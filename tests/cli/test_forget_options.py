"""What to forget, as options: any class names, in URL, script and settings file too; and lists of file names."""

import argparse
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from unittest import mock
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as drawn
from hypothesis import strategies as st

import unlearn_core as lab
from tests.data import own_dataset
from tests.data.test_class_lists import CATALOGS
from unlearn_core.__main__ import main
from unlearn_core.cli import _forget
from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.export.cli_command import gold_command, run_command
from unlearn_core.export.import_settings import read_spec
from unlearn_core.export.run_script import run_script
from unlearn_core.models import classifiers
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell import run_setup


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    user_catalog.set_data_dir(None)


def parsed(words: Sequence[str]) -> ForgetRequest:
    """The request of the words of a command."""
    parser = argparse.ArgumentParser()
    _forget.add_request_arguments(parser)
    return _forget.forget_request(parser.parse_known_args(words)[0])


def executed(script: str) -> UnlearnSpec:
    """The spec that a script runs."""
    made: list[UnlearnSpec] = []

    def record(spec: UnlearnSpec) -> SimpleNamespace:
        made.append(spec)
        return SimpleNamespace(report=SimpleNamespace(evaluations={"after": SimpleNamespace(weights="")}))

    with mock.patch.object(lab, "unlearn", record, create=True):
        exec(compile(script, "script", "exec"), {})
    return made[0]


@given(data=st.data())
@drawn(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_request_comes_back_from_whatever_it_is_written_to(data: st.DataObject, home: Path) -> None:
    card = own_dataset.card_of(data.draw(CATALOGS))
    numbers = data.draw(st.sets(st.integers(0, len(card.classes) - 1), min_size=1))
    real = datasets.card
    classifier = classifiers.card("tiny").model_copy(update={"id": "own", "dataset": card.id})
    with (
        mock.patch.object(datasets, "card", lambda name: card if name == card.id else real(name)),
        mock.patch.object(classifiers, "card", return_value=classifier),
    ):
        spec = run_spec("own", method="finetune", classes=sorted(numbers))
        assert spec.request.forget == ForgetClasses(classes=tuple(numbers))
        assert parsed(shlex.split(run_command(spec, card))[3:]) == spec.request
        setup, trouble = run_setup.from_params(
            dict(parse_qsl(urlencode(run_setup.to_params(run_setup.from_spec(spec)))))
        )
        assert (setup.forget, trouble) == (spec.request.forget, [])
        assert read_spec(spec.model_dump_json(indent=1).encode()) == spec
        assert executed(run_script([spec], card, name="Run 1", weights=None)) == spec


NAMES = ("tench, Tinca tinca", "dog", "Dog", "-x", " dog", "naïve/😀")


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (["--forget-classes", "tench, Tinca tinca"], (0,)),
        (["--forget-classes", "dog", "--forget-classes", "tench, Tinca tinca"], (0, 1)),
        (["--forget-classes", "Dog,dog"], (1, 2)),
        (["--forget-classes=-x"], (3,)),
        (["--forget-classes", "#4,#5"], (4, 5)),
        (["--forget-classes", " dog"], (4,)),
    ],
)
def test_classes_on_the_command_line(home: Path, words: list[str], classes: tuple[int, ...]) -> None:
    name = own_dataset.add(home, NAMES)
    assert main(["gold", "--classifier", name, *words]) == 0
    (run,) = RunStore(home).list_runs()
    assert run.spec.request.forget == ForgetClasses(classes=classes)  # type: ignore[union-attr]


def test_a_class_that_is_not_clear_is_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = own_dataset.add(home, NAMES)
    assert main(["gold", "--classifier", name, "--forget-classes", "Dog, dog"]) == 2
    assert "can mean different classes: write each name in double quotes" in capsys.readouterr().err


PATHS = [f"top/{'abcdef'[number % 6]}/{number}.png" for number in range(36)]


def listed(folder: Path, *names: str) -> list[str]:
    (folder / "list.txt").write_text("\n".join(names))
    return ["--classifier", own_dataset.add(folder, NAMES, PATHS), "--forget-files", str(folder / "list.txt")]


def test_images_are_forgotten_by_file_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gold", *listed(home, "top/c/2.png", "19.png")]) == 0
    (run,) = RunStore(home).list_runs()
    assert run.spec.request.forget == ForgetImages(images=(2, 19))  # type: ignore[union-attr]
    *said, forecast = capsys.readouterr().err.splitlines()
    assert said == [
        "2 file names lead to 2 training images: 1 by their path, 1 by the end of it.",
        "  '19.png' is training image 19",
    ]
    assert forecast.startswith("It takes ")


def test_nothing_runs_without_a_name_that_is_not_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = listed(home, "2.png", "e\u0301.png", "30.png", *(f"lost {number}.png" for number in range(11)))
    assert main(["gold", *words]) == 2
    said = capsys.readouterr().err
    assert "12 of the file names are not in the data set: 'e\u0301.png', 'lost 0.png'" in said
    assert (
        " and 2 more. 1 of the file names is not of training images but of validation or test images" in said
        and "'30.png'" in said
    )
    assert "Nothing was run: correct the list, or add --skip-missing to go on with the 1 that were found." in said
    assert not RunStore(home).list_runs()
    assert main(["gold", *words, "--skip-missing"]) == 0
    assert "They are skipped." in capsys.readouterr().err
    (run,) = RunStore(home).list_runs()
    assert run.spec.request.forget == ForgetImages(images=(2,))  # type: ignore[union-attr]


def test_a_list_of_which_nothing_is_found_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gold", *listed(home, "lost.png"), "--skip-missing"]) == 2
    assert "Nothing was run: correct the list.\n" in capsys.readouterr().err


def test_a_gold_command_leads_to_the_same_request(home: Path) -> None:
    card = own_dataset.card_of(NAMES)
    name = own_dataset.add(home, NAMES)
    request = ForgetRequest(classifier=name, dataset=card.id, forget=ForgetClasses(classes=(0, 3, 4)))
    assert parsed(shlex.split(gold_command(TrainGoldSpec(request=request, seed=0), card))[3:]) == request
