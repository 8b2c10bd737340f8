"""docs/reproduction.md: every claim has its finding, its command, and the same finding as in RESULTS.md."""

import re
import shlex

import pytest

from unlearn_core.__main__ import build_parser, commands
from unlearn_core.benchmarks import csv_tables, results_page
from unlearn_core.benchmarks.csv_tables import Tables
from unlearn_core.benchmarks.reproduction import page
from unlearn_core.benchmarks.reproduction.findings import Claim
from unlearn_core.benchmarks.reproduction.paper_claim import PaperClaim

WORKS = page.every_work()
CLAIMS = [(work.method, claim) for work in WORKS for claim in work.claims]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return csv_tables.read_tables()


@pytest.fixture(scope="module")
def text(tables: Tables) -> str:
    return page.reproduction_page(tables)


def test_results_and_reproduction_have_the_same_findings(tables: Tables, text: str) -> None:
    """Every finding that the page quotes stands in RESULTS.md in the same words, unless the code itself shows it."""
    results = results_page.render(tables, [])
    quoted = re.findall(r"^\* \*\*Measured here\*\*: (.+): \*([a-z ]+)\*( \(.+\))?\.$", text, re.MULTILINE)
    measured = [one for one in quoted if " runs without images of the " not in one[0]]
    assert len(measured) > 20
    for words, finding, figures in measured:
        assert f"* **{words}**: {finding}{figures}." in results or finding == "not measured"


@pytest.mark.parametrize("claim", [claim for _, claim in CLAIMS], ids=[f"{name}: {one.title}" for name, one in CLAIMS])
def test_every_claim_is_complete(claim: PaperClaim, tables: Tables) -> None:
    known = {one.id for one in page.every_finding(tables)}
    assert set(claim.evidence) <= known, "what it refers to exists"
    assert claim.says and claim.source and claim.setting
    assert claim.evidence or claim.missing, "it was measured, or it says that it was not"
    assert claim.commands
    for command in claim.commands:
        if command.startswith("python -m unlearn_core "):
            words = shlex.split(command)[3:]
            assert build_parser(commands()).parse_args(words).verb == words[0]


def test_every_finding_of_a_core_work_is_used(tables: Tables) -> None:
    used = {name for _, claim in CLAIMS for name in claim.evidence}
    assert {one.id for one in page.every_finding(tables)} - used == {"neggrad-unbounded"}, "which no work claims"


def test_without_measurements_only_the_code_shows_anything() -> None:
    findings = {one.id: one for one in page.every_finding(Tables())}
    shown = {claim.title for _, claim in CLAIMS if page.overall(claim, findings) != "not measured"}
    assert shown == {"No forget images", "No retained images"}


def test_what_is_not_measured_is_never_more_than_in_part() -> None:
    claim = PaperClaim("t", "s", "s", ("one",), "on", ("command",), missing="the rest")
    assert page.overall(claim, {"one": Claim("one", "words", "holds", "")}) == "holds in part"
    assert page.overall(claim, {"one": Claim("one", "words", "not shown", "")}) == "not shown"


def test_a_setting_that_breaks_the_model_is_said_first(text: str) -> None:
    own = text.split("## Stochastic re-init\n")[1].strip()
    assert own.startswith(
        "The last four steps use input noise of 0.1, under which the small original itself falls from"
    )
    assert "62.7% to 33.7%" in own.split(":")[0]
