"""`compare`: say which of several finished runs did better, and whether the difference is more than chance."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from unlearn_core.cli._finished_runs import RUN_HELP, load_report, report_folder
from unlearn_core.cli._terminal import aligned
from unlearn_core.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unlearn_core.charts.text.ranking_words import RankingText
    from unlearn_core.domain.report import Report
    from unlearn_core.domain.verdicts.run_ranking import Ranking

HELP = "Say which of two to six finished runs did better at forgetting, retaining and time, and if that is chance."
MAX_RUNS = 6


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help=f"{RUN_HELP}; two to six")
    parser.add_argument("--pairs", action="store_true", help="print every pair of runs as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.charts.text.ranking_words import ranking_text

    names = list(dict.fromkeys(args.runs))
    if not 2 <= len(names) <= MAX_RUNS:
        raise InvalidRequestError(f"A comparison takes two to {MAX_RUNS} different runs, not {len(names)}.")
    reports = [load_report(name, report_folder(name)) for name in names]
    text = ranking_text(reports)
    if args.json:
        print(json.dumps(as_json(text, reports), indent=1))
    else:
        lines = as_text(text, reports, with_pairs=args.pairs)
        print("\n".join(lines).replace("\N{NO-BREAK SPACE}", " "))
    return 0


def as_text(text: "RankingText", reports: "Sequence[Report]", *, with_pairs: bool) -> list[str]:
    """The comparison for people, in lines."""
    from unlearn_core.charts.comparison.ranking_tables import explanation, pairs_table, winners_table
    from unlearn_core.charts.text.run_comparison import differing_settings, mismatch_warning
    from unlearn_core.charts.text.score_words import score_lines
    from unlearn_core.methods import hyperparameter_titles

    lines = [text.lead, *filter(None, [text.chance, mismatch_warning(reports)]), ""]
    for card in text.cards:
        lines += [f"{card.title}. {card.words}", ""]
    lines += [*aligned(winners_table(text, reports)), explanation(reports[0].dataset.item_noun), ""]
    if with_pairs and text.rankings[0].tests:
        lines += [*aligned(pairs_table(text)), ""]
    if scores := score_lines(zip(text.labels, reports, strict=True)):
        lines += ["Scores of papers beside their parts:", *(f"  {line}" for line in scores), ""]
    titles = hyperparameter_titles(report.spec.method for report in reports)
    settings = differing_settings(reports, titles)
    lines += ["Settings that differ:" if settings else "The runs have the same settings."]
    lines += [f"  {title}: {' | '.join(values)}" for title, values in settings]
    return [*lines, "", text.note]


def as_json(text: "RankingText", reports: "Sequence[Report]") -> dict[str, Any]:
    """The comparison for programs, as plain values."""
    runs = [report.run for report in reports]
    return {
        "runs": [
            {"run": report.run, "name": name, "seed": report.spec.seed}
            for report, name in zip(reports, text.labels, strict=True)
        ],
        "summary": text.lead,
        "chance": text.chance,
        "questions": [
            _ranking_as_json(one, runs) | {"title": card.title, "words": card.words}
            for one, card in zip(text.rankings, text.cards, strict=True)
        ],
        "note": text.note,
    }


def _ranking_as_json(ranking: "Ranking", runs: "Sequence[int | None]") -> dict[str, Any]:
    return {
        "question": ranking.criterion,
        "values": list(ranking.values),
        "better": [runs[at] for own in ranking.winners for at in own],
        "pairs": [
            {
                "ahead": [runs[at] for at in pair.leader],
                "behind": [runs[at] for at in pair.other],
                "same_images": pair.on_same_images,
                "more_than_chance": pair.is_shown,
                "p": pair.p,
                "difference": None if pair.comparison is None else -pair.comparison.difference,
                "low": None if pair.comparison is None else -pair.comparison.high,
                "high": None if pair.comparison is None else -pair.comparison.low,
            }
            for pair in ranking.pairs
        ],
    }
