"""Times, devices, commands and the smallest charts, as a person reads them."""

import shlex
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from unlearn_core.charts.drawing.theme import DARK, LIGHT
from unlearn_core.cli import _forget
from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.export import cli_command
from unlearn_core.ui.pages.history import sparkline
from unlearn_core.ui.shell import formatting

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1.94, "1.9 s"), (9.96, "10 s"), (14.2, "14 s"), (95, "2 minutes"), (3 * 3600, "3.0 hours")],
)
def test_lasting(seconds: float, said: str) -> None:
    assert formatting.format_duration(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "about 1 s"), (12.4, "about 12 s"), (600, "about 10 minutes")])
def test_about(seconds: float, said: str) -> None:
    assert formatting.format_estimate(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "just now"),
        (8, "8 s ago"),
        (60, "1 minute ago"),
        (7300, "2 hours ago"),
        (86_400 * 3, "on 18 November 2026"),
    ],
)
def test_ago(seconds: float, said: str) -> None:
    assert formatting.format_age(NOW - timedelta(seconds=seconds), NOW) == said


def test_devices_and_shares() -> None:
    assert [formatting.device_name(name) for name in ("cpu", "cuda:1", "cuda", None)] == [
        "CPU",
        "GPU 1",
        "GPU 0",
        "no device yet",
    ]
    assert [formatting.format_share(value) for value in (0.8625, 0.0, None)] == ["86.2 %", "0.0 %", "–"]
    assert [formatting.pluralize(number, "run") for number in (1, 2, 1200)] == ["1 run", "2 runs", "1,200 runs"]


@pytest.mark.parametrize("forget", [ForgetClasses(classes=(0, 3)), ForgetImages(images=(4, 5, 6, 40))])
def test_the_command_asks_for_the_same(forget: ForgetClasses | ForgetImages) -> None:
    import argparse

    request = ForgetRequest(classifier="tiny", dataset="shapes", forget=forget)
    card = datasets.card("shapes")
    said = shlex.split(cli_command.gold_command(TrainGoldSpec(request=request), card))
    parser = argparse.ArgumentParser()
    _forget.add_request_arguments(parser)
    assert said[:4] == ["python", "-m", "unlearn_core", "gold"]
    assert _forget.forget_request(parser.parse_args(said[4:])) == request
    assert cli_command.gold_command(TrainGoldSpec(request=request, seed=1), card).endswith(" --seed 1")
    spec = UnlearnSpec(request=request, method="unsir", params={"batch": 64, "augment": False}, seed=7)
    assert cli_command.run_command(spec, card).endswith("--method unsir --set batch=64 --set augment=False --seed 7")


def test_a_dumbbell_has_its_marks_where_the_shares_are() -> None:
    found = sparkline.dumbbell((1.0, 0.0, 0.5), LIGHT)
    assert found is not None
    drawing = unquote(found.partition(",")[2])
    assert f"<circle cx='{sparkline.WIDTH - sparkline.EDGE:.1f}'" in drawing
    assert f"<circle cx='{sparkline.EDGE:.1f}'" in drawing
    assert f"<path d='M{sparkline.WIDTH / 2:.1f} 6l" in drawing
    assert ElementTree.fromstring(drawing).attrib == {"width": str(sparkline.WIDTH), "height": str(sparkline.HEIGHT)}
    assert len(found) < 600, "a page of the history has hundreds of them"
    assert LIGHT.gold in drawing
    assert LIGHT.gold not in unquote(sparkline.dumbbell((1.0, 0.0, None), LIGHT) or "")
    assert sparkline.dumbbell((1.0, 0.0, 0.5), DARK) != found
    assert sparkline.dumbbell((None, None, None), LIGHT) is None


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (None, "30 November 2026, 23:09"),
        ("Europe/Berlin", "1 December 2026, 00:09"),
        ("nowhere/at-all", "30 November 2026, 23:09"),
        ("../../etc/passwd", "30 November 2026, 23:09"),
    ],
)
def test_a_moment_is_in_the_time_zone_of_the_visitor(zone: str | None, said: str) -> None:
    assert formatting.format_moment(datetime(2026, 11, 30, 23, 9), zone) == said
