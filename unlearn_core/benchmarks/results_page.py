"""RESULTS.md in words and tables, from the rows that were measured."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from statistics import mean

from unlearn_core.benchmarks import ablation_section, published_section
from unlearn_core.benchmarks.result_rows import REQUESTS, Row, mark, mean_and_deviation, mean_percent
from unlearn_core.benchmarks.results import (
    CORE_METHODS,
    MAX_ABOVE_GOLD,
    MAX_BELOW_GOLD,
    MAX_FORGET_ACCURACY,
    SEEDS,
    BenchmarkCase,
    gold_accuracies,
    missed_limit,
)
from unlearn_core.benchmarks.results_findings import failures, privacy_table, published_pattern
from unlearn_core.methods import methods

Group = dict[tuple[str, str], list[Row]]

TUNED_ON = ("airplane", "dog")


def render(
    rows: Sequence[Row],
    missing: Iterable[BenchmarkCase],
    ladder: Mapping[str, Row],
    published: Mapping[str, Row],
    outdated: Container[str] = (),
) -> str:
    """The page; `outdated` holds the keys of those rows that are marked as such."""
    parts = [_head(rows, outdated)]
    parts += [f"## {title}\n\n{_table(rows, missing, request, outdated)}" for request, title in REQUESTS.items()]
    parts += ["## Where presets fall short", failures(rows)]
    parts += ["## Perfect accuracy, broken privacy", privacy_table(rows)]
    parts += ["## Against the published pattern", published_pattern(rows)]
    parts += ["## The ladder of stochastic re-initialisation", ablation_section.ablation_section(ladder, outdated)]
    parts += ["## UNSIR in its own setting", published_section.published_section(published)]
    parts += ["## Each class alone: UNSIR with and without noise", by_class(rows, outdated)]
    return "\n\n".join(parts) + "\n"


def by_class(rows: Sequence[Row], outdated: Container[str] = ()) -> str:
    """UNSIR on each of the ten classes, with its averages."""
    tuned, bare = (
        {row["request"]: row for row in rows if (row["method"], row["preset"]) == ("unsir", preset)}
        for preset in ("bundled", "no-noise")
    )
    names = [name for name in tuned if name in bare]
    if len(names) < 10:
        return "Not measured yet: `make results` measures ten classes, with and without noise, and writes this table."
    lines = [
        "| class | forgotten class, unseen: before | UNSIR | without noise "
        "| other classes, unseen: before | UNSIR | without noise | gold "
        "| UNSIR under gold | without noise under gold |",
        "|---|" + "---:|" * 9,
    ]
    untouched = [name for name in names if name not in TUNED_ON]
    groups = {
        **{name: [name] for name in names},
        "**mean of ten**": names,
        "**mean of the eight not tuned on**": untouched,
    }
    for name, own in groups.items():
        with_noise, without = [tuned[n] for n in own], [bare[n] for n in own]
        lines.append(_class_line(name + mark([*with_noise, *without], outdated), with_noise, without))
    lines += [
        "",
        "Accuracies in per cent on test pictures (200 of the forgotten class, 1,800 of the others; the 95 % interval "
        "of 80 % over 1,800 pictures is ± 1.8 points), one run each with seed 0. Gold is one net retrained without the "
        f"class. The preset was tuned on {' and '.join(TUNED_ON)} with other seeds, by training and validation "
        "pictures only.",
        "",
        _noise(list(tuned.values()), list(bare.values())),
    ]
    return "\n".join(lines)


def _noise(tuned: list[Row], bare: list[Row]) -> str:
    """What the noise pictures did, over all classes."""
    left, left_bare = (mean_percent(rows, "forget_test_after") for rows in (tuned, bare))
    kept, kept_bare = (mean_percent(rows, "retain_test_after") for rows in (tuned, bare))
    alike = max(abs(left - left_bare), abs(kept - kept_bare)) < 1
    verdict = "what forgets here is training at a high rate without the class" if alike else "the noise has its part"
    return (
        f"What the noise does: over the ten classes {left:.1f} % of the forgotten pictures are still named with it and "
        f"{left_bare:.1f} % without, and the others reach {kept:.1f} % and {kept_bare:.1f} %: {verdict}."
    )


def _class_line(name: str, tuned: list[Row], bare: list[Row]) -> str:
    gold, kept, kept_bare = (
        mean_percent(tuned, "retain_test_gold"),
        mean_percent(tuned, "retain_test_after"),
        mean_percent(bare, "retain_test_after"),
    )
    figures = [
        mean_percent(tuned, "forget_test_before"),
        mean_percent(tuned, "forget_test_after"),
        mean_percent(bare, "forget_test_after"),
        mean_percent(tuned, "retain_test_before"),
        kept,
        kept_bare,
        gold,
        gold - kept,
        gold - kept_bare,
    ]
    return f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |"


def _head(rows: Sequence[Row], outdated: Container[str]) -> str:
    devices = " and ".join(sorted({row["device"] for row in rows}))
    old = sum(row["key"] in outdated for row in rows)
    marked = (
        f"* {old} of {len(rows)} rows are *outdated*: since they were measured, their settings, method, training, "
        "evaluation or measurements changed. `make results` measures them anew.\n"
        if old
        else ""
    )
    return f"""# Results

Every method of the lab on the bundled ResNet-20 (10,000 CIFAR-10 pictures, 1,000 a class), with its preset `bundled`.
Measured by `make results` on: {devices}. Each run is a row of [runs.csv](assets/results/runs.csv); what a change did
not touch is not run again. The presets were tuned on other requests and other seeds, by training and validation
pictures only. Two of them were tuned after a look at this page: NegGrad+ had no settings for several classes, and its
line there showed it; they were then found on three other classes. Bad Teacher kept too little without a class, and with
one seed forgot nothing; since then its rate falls, it sees more kept pictures, and its teacher is one of five, all of
which was found on two other classes.

How to read the tables:

* Accuracies in per cent, mean ± standard deviation over the seeds; with one seed there is no deviation to show.
* *Distance to gold* is the Jensen-Shannon divergence in bits between the answers of after and gold, the mean of two
  values: the forgotten training pictures and the kept test pictures. 0 is the same answers. The row *gold, from
  other seeds* is the same retraining begun from other seeds, and says how far golds are apart by chance alone.
* For single pictures the aim is gold's accuracy on them, not zero: a net that never saw them still recognises most.
  L2UL and NegGrad aim at zero by design, and so may end further from gold than they began.
* Seconds are those of forgetting alone in the fastest of the runs: on one or two CPU threads and most of them beside
  other work, so they are upper bounds. Sample passes, the pictures that went forward and backward through the net,
  are means and compare fairly.
* *Limits*, met or not by the mean over the seeds: of a forgotten class at most {MAX_FORGET_ACCURACY:.0%} may still be named,
  trained on or unseen; forgotten single pictures may be named as often as by the gold that names most of them, or
  {100 * MAX_ABOVE_GOLD:.1f} points more often than by the mean of all golds; kept unseen pictures at most
  {100 * MAX_BELOW_GOLD:.0f} points less often than by gold.
{marked}* None of this proves that no trace is left in the weights.

![Trade-off: forgotten against kept, one mark a method and request](assets/results/trade-off.svg)"""


def _table(rows: Sequence[Row], missing: Iterable[BenchmarkCase], request: str, outdated: Container[str]) -> str:
    here = [row for row in rows if row["request"] == request]
    groups: Group = defaultdict(list)
    for row in here:
        groups[row["method"], row["preset"]].append(row)
    forget_test = request in ("cat", "three-classes")
    lines = [
        "| method | seeds | forget, trained on |"
        + (" forget, unseen |" if forget_test else "")
        + " retain, trained on | retain, unseen | distance to gold | seconds | sample passes | limits |",
        "|---|---:|" + "---:|" * (7 if forget_test else 6) + "---|",
    ]
    sets = ["forget_train", *(["forget_test"] if forget_test else []), "retain_train", "retain_test"]
    if here:
        lines += [
            _model_line(name, model, here[0], sets) for name, model in (("*before*", "before"), ("*gold*", "gold"))
        ]
    ordered = sorted(groups.items(), key=_place)
    golds = gold_accuracies(rows, request)
    lines += [_line(_name(*key) + mark(own, outdated), own, sets, golds) for key, own in ordered]
    for case in missing:
        if case.request == request and (case.method, case.preset) not in groups and case.seed == SEEDS[0]:
            lines.append(f"| {_name(case.method, case.preset)} | not run |{' |' * (len(sets) + 4)}")
    return "\n".join(lines)


def _place(item: tuple[tuple[str, str], list[Row]]) -> tuple[object, ...]:
    """Retraining first, which is gold from other seeds; then the core, then the others; presets behind their method."""
    method, preset = item[0]
    return method != "retrain", method not in CORE_METHODS, preset != "bundled", item[0]


def _name(method: str, preset: str) -> str:
    title = "*gold, from other seeds* (Retrain)" if method == "retrain" else methods()[method].title
    return title if preset == "bundled" else f"{title}, preset {preset}"


def _model_line(name: str, model: str, row: Row, sets: list[str]) -> str:
    figures = [f"{100 * float(row[f'{one}_{model}']):.1f}" if row[f"{one}_{model}"] else "" for one in sets]
    distance = {"before": row["distance_before"], "gold": "0"}[model]
    return f"| {name} | | {' | '.join(figures)} | {f'{float(distance):.3f}' if distance else ''} | | | |"


def _line(name: str, rows: list[Row], sets: list[str], golds: list[float]) -> str:
    done = [row for row in rows if not row["error"]]
    if not done:
        return f"| {name} | {len(rows)} | diverged |{' |' * (len(sets) + 3)}"
    cells = [mean_and_deviation(done, f"{one}_after", 100, 1) for one in sets]
    cells.append(mean_and_deviation(done, "distance_after", 1, 3))
    seconds, passes = min(float(row["seconds"]) for row in done), mean(float(row["passes"]) for row in done)
    cells += [f"{seconds:.1f}", f"{passes:,.0f}", missed_limit(rows, golds) or "met"]
    return f"| {name} | {len(done)} | {' | '.join(cells)} |"
