"""Writes docs/reproduction.md: every claim of the three works, what was measured of it, and what was found."""

from collections.abc import Mapping

from unlearn_core.benchmarks import csv_tables
from unlearn_core.benchmarks.ablation import PRINTED_NOISE
from unlearn_core.benchmarks.ablation_section import ladder_claims
from unlearn_core.benchmarks.csv_tables import Tables
from unlearn_core.benchmarks.published_claims import published_claims
from unlearn_core.benchmarks.reproduction.findings import Claim, Finding, combine
from unlearn_core.benchmarks.reproduction.l2ul.l2ul_comparisons import published_comparisons
from unlearn_core.benchmarks.reproduction.l2ul_claims import l2ul
from unlearn_core.benchmarks.reproduction.paper_claim import PaperClaim, Work
from unlearn_core.benchmarks.reproduction.passed_on_section import passed_on_claims
from unlearn_core.benchmarks.reproduction.published.published_section import published_setting_claims
from unlearn_core.benchmarks.reproduction.reinit_claims import REINIT
from unlearn_core.benchmarks.reproduction.unsir.noise_section import noise_claims
from unlearn_core.benchmarks.reproduction.unsir_claims import UNSIR
from unlearn_core.installation import ASSETS
from unlearn_core.methods import methods

WORKS_DIR = ASSETS / "works"
"""The texts of the pages on single works, by the id of the method."""

WORDS: dict[Finding, str] = {
    "holds": "*holds*",
    "holds in part": "*holds in part*",
    "does not hold": "*does not hold here*",
    "not shown": "*not measured* well enough to tell",
    "not measured": "*not measured*",
}
"""How the page puts a finding for a whole claim."""
WITHOUT = (
    ("unsir-without-forget", "unsir", "forget", ("bundled", "no-noise", "paper")),
    ("l2ul-without-retain", "l2ul", "retain", ("bundled", "adv", "neggrad", "paper")),
    ("reinit-without-forget", "reinit", "forget", ("bundled", "paper-1", "paper-2")),
)
"""Methods that work without a set: the id of the finding, the method, the set and its presets."""


_HEAD = """# Reproduction

<!-- Made by `make docs` from the tables in assets/results: edit the code or measure instead. -->

What three works claim, and what was measured of it here. The findings are those of [RESULTS.md](../RESULTS.md), made
by the same code from the same tables; [how results were measured](results.md) explains the rest.

* *Holds*: everything that was measured of the claim shows it.
* *Holds in part*: some of it is shown, and some is not shown, contradicted or not measured. The lines below say which.
* *Does not hold here*: the figures contradict it, and none show it.
* *Not measured*: nothing measures it, or what was measured leaves it open (*well enough to tell*). The command does.

Intervals of 90 % are over runs or classes, or for scores over images; a one-sided test at 5 % agrees with them.
Intervals of 95 % are over the test images of a single run. Published figures are those that the papers' abstracts, the
report, the authors' blog and code, and public summaries give, as named with each. Tables that could not be read are not
quoted. In commands, `CLASSIFIER` is the id that `train` prints.
"""


def reproduction_page(tables: Tables | None = None) -> str:
    """Return docs/reproduction.md from these tables, by default the committed ones."""
    findings = {claim.id: claim for claim in every_finding(tables or csv_tables.read_tables())}
    return "\n".join([_HEAD, *(line for work in every_work() for line in _work_lines(work, findings))])


def every_work() -> tuple[Work, ...]:
    """Return the three works with their claims."""
    return UNSIR, l2ul(), REINIT


def every_finding(tables: Tables) -> list[Claim]:
    """Return all findings that RESULTS.md prints, from the same tables, and those that the code itself shows."""
    return [
        *published_claims(tables.runs, tables.courses),
        *ladder_claims(tables.ladder),
        *ladder_claims(tables.printed, PRINTED_NOISE),
        *published_setting_claims(tables.published),
        *passed_on_claims(tables.passed_on),
        *noise_claims(tables.noise),
        *published_comparisons(tables.frontier),
        *(_without(*needless) for needless in WITHOUT),
    ]


def overall(claim: PaperClaim, findings: Mapping[str, Claim]) -> Finding:
    """Return the finding for a claim of a work: over all that belongs to it, including what was not measured."""
    parts: list[Finding] = [findings[name].finding for name in claim.evidence]
    if claim.missing:
        parts.append("not measured")
    return combine(parts)


def _without(name: str, method: str, needless: str, presets: tuple[str, ...]) -> Claim:
    """Return whether a method declares that it does not use a set; it then does not get it."""
    own = methods()[method]
    uses = [preset for preset in presets if getattr(own.needs(own.presets[preset].params), needless)]
    words = f"{own.title} runs without images of the {needless} set (presets {', '.join(presets)})"
    return Claim(
        name, words, "does not hold" if uses else "holds", "declared in its file; it gets no undeclared images"
    )


def _work_lines(work: Work, findings: Mapping[str, Claim]) -> list[str]:
    method = methods()[work.method]
    lines = [f"## {method.title}", "", work.first, "", f"Source: [{method.paper.title}]({method.paper.url}).", ""]
    if (WORKS_DIR / f"{work.method}.md").exists():
        lines += [
            f"[{method.title}: idea, what happens in the model, where it works and where it fails]({work.method}.md)",
            "",
        ]
    return [
        *lines,
        "| | claim | finding |",
        "|---:|---|---|",
        *(
            f"| {number} | {claim.title} | {WORDS[overall(claim, findings)]} |"
            for number, claim in enumerate(work.claims, 1)
        ),
        "",
        *(line for number, claim in enumerate(work.claims, 1) for line in _claim_lines(number, claim, findings)),
    ]


def claims_table(method: str, tables: Tables) -> str:
    """Return the claims of a method's work as a table: what it says, what was found, and what is not measured."""
    findings = {claim.id: claim for claim in every_finding(tables)}
    (work,) = (work for work in every_work() if work.method == method)
    lines = ["| claim | published | here | not measured |", "|---|---|---|---|"]
    lines += [
        f"| {claim.title} | {claim.says} | {WORDS[overall(claim, findings)]} | {claim.missing} |"
        for claim in work.claims
    ]
    return "\n".join(lines)


def _claim_lines(number: int, claim: PaperClaim, findings: Mapping[str, Claim]) -> list[str]:
    measured = [findings[name] for name in claim.evidence]
    lines = [f"### {number}. {claim.title}: {WORDS[overall(claim, findings)]}", "", f"* **Published**: {claim.says}"]
    lines[-1] += f" Source: {claim.source}."
    lines += [f"* **Measured here**: {one.words}: *{one.finding}*{_in_brackets(one.figures)}." for one in measured]
    lines.append(f"* **On**: {claim.setting}.")
    lines += [f"* **Not measured**: {claim.missing}."] if claim.missing else []
    lines += [f"* **Note**: {claim.note}"] if claim.note else []
    lines.append(f"* **Command**: {', then '.join(f'`{command}`' for command in claim.commands)}")
    return [*lines, ""]


def _in_brackets(figures: str) -> str:
    return f" ({figures})" if figures else ""
