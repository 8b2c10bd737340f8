"""Ten kills each of child, supervisor and web server at random moments; docs/operations.md has fifty of each."""

import re
from statistics import median

import pytest

from tests.worker.faults import kills


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("target", "seconds"), [("child", 2.0), ("supervisor", 10.0), ("web", 10.0)])
def test_nothing_is_lost(target: str, seconds: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = kills.session(target, 10, tmp_path_factory.mktemp("kills"), seed=0)
    assert found["problems"] == []
    assert len(found["kills"]) == 10
    assert found["done"] == found["runs"]
    assert median(kill.recovery for kill in found["kills"]) < seconds


def test_the_published_figures_are_those_that_were_measured() -> None:
    lines = kills.read_lines()
    assert "\n".join(kills.summary(lines)) in kills.DOCS.read_text()
    assert {line["target"] for line in lines} == set(kills.TARGETS)


def test_the_table_of_faults_names_tests_that_exist() -> None:
    table = kills.DOCS.read_text().partition("## What goes wrong")[2].partition("\n\nTemporary files")[0]
    named = re.findall(r"`([a-z_/]+\.py)`", table)
    assert len(named) > 15
    assert [name for name in named if not (kills.DOCS.parents[1] / "tests" / name).is_file()] == []
