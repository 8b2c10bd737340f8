"""Writes the text and tables of RESULTS.md from the measured rows."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from statistics import mean

from unlearn_core.benchmarks import ablation_section, result_rows
from unlearn_core.benchmarks.csv_tables import Tables
from unlearn_core.benchmarks.reproduction import passed_on_section
from unlearn_core.benchmarks.reproduction.l2ul import l2ul_section
from unlearn_core.benchmarks.reproduction.ladder import ladder_section
from unlearn_core.benchmarks.reproduction.published import published_section
from unlearn_core.benchmarks.reproduction.unsir import noise_section
from unlearn_core.benchmarks.result_rows import REQUESTS, Row, mark, mean_and_deviation, mean_percent, mean_row
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
from unlearn_core.benchmarks.tuning import auto_section
from unlearn_core.methods import methods

Group = dict[tuple[str, str], list[Row]]

TUNED_ON = ("airplane", "dog")


def render(tables: Tables, missing: Iterable[BenchmarkCase], outdated: Container[str] = ()) -> str:
    """Return the page; rows whose key is in `outdated` are marked."""
    rows = tables.runs
    parts = [_head(rows, outdated)]
    parts += [f"## {title}\n\n{_table(rows, missing, request, outdated)}" for request, title in REQUESTS.items()]
    parts += ["## Where presets fall short", failures(rows)]
    parts += ["## Perfect accuracy, broken privacy", privacy_table(rows)]
    parts += ["## Comparison with published claims", published_pattern(tables)]
    parts += [
        "## Ablation of stochastic re-initialisation",
        ablation_section.ablation_section(tables.ladder, outdated, tables.printed),
    ]
    parts += ["## The same on an original that memorises", ladder_section.ladder_section(tables.memorised)]
    parts += [
        "## What re-initialisation leaves of single images",
        passed_on_section.passed_on_section(tables.passed_on),
    ]
    parts += ["## UNSIR and L2UL in their published settings", published_section.published_section(tables.published)]
    parts += ["## Single classes: UNSIR with and without noise", by_class(rows, outdated, tables.noise)]
    parts += ["## What UNSIR's noise does", noise_section.noise_section(tables.noise, outdated)]
    parts += ["## L2UL at equal forgetting", l2ul_section.frontier_section(tables.frontier)]
    parts += [f"## {auto_section.TITLE}", auto_section.auto_section(tables.auto, tables.runs)]
    return "\n\n".join(parts) + "\n"


def by_class(rows: Sequence[Row], outdated: Container[str] = (), noise: Sequence[Mapping[str, str]] = ()) -> str:
    """Return the table of UNSIR on each of the ten classes, with averages, and where its noise (`noise`) matters."""
    every = [result_rows.by_class(rows, preset) for preset in ("bundled", "no-noise")]
    tuned, bare = ({name: mean_row(own) for name, own in of_class.items()} for of_class in every)
    names = [name for name in tuned if name in bare]
    if len(names) < 10:
        return "Not measured yet: `make results` measures ten classes, with and without noise, and writes this table."
    lines = [
        "| class | forget set, test: original | UNSIR | without noise "
        "| retain set, test: original | UNSIR | without noise | retrained "
        "| UNSIR below retrained | without noise below retrained |",
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
        runs = [row for of_class in every for n in own for row in of_class[n]]
        lines.append(_class_line(name + mark(runs, outdated), with_noise, without))
    lines += [
        "",
        "Accuracies in per cent on test images (200 of the forgotten class, 1,800 of the others; the 95 % interval "
        f"of 80 % over 1,800 images is ± 1.8 points), {_seeds_sentence(*every)}. *Retrained* is one model retrained "
        f"without the class. The preset was tuned on {' and '.join(TUNED_ON)} with other seeds, on training and "
        f"validation images only. {limits_sentence(rows)}",
        "",
        f"{_noise([*tuned.values()], [*bare.values()])} {noise_section.noise_sentence(noise)}".rstrip(),
    ]
    return "\n".join(lines)


def _seeds_sentence(*every: dict[str, list[Row]]) -> str:
    """Return how many runs each class has, with and without noise, and their seeds."""
    counts = [{len(rows) for rows in of_class.values()} for of_class in every]
    if counts == [{1}, {1}]:
        return "one run each with seed 0"
    words = [f"{min(own)} to {max(own)}" if len(own) > 1 else f"{min(own)}" for own in counts]
    return f"means over {words[0]} runs of each class with noise and {words[1]} without, seeds from {SEEDS[0]}"


def limits_sentence(rows: Sequence[Row]) -> str:
    """Return the most that UNSIR's preset `bundled` leaves of a class, and the most that it retains too little."""
    classes = list(result_rows.by_class(rows, "bundled").values())
    own = [row for of_class in classes for row in of_class]
    if not own:
        return "Not measured yet: `make results` measures the preset `bundled` on ten classes."
    left = max(float(row[f"{name}_after"]) for row in own for name in ("forget_train", "forget_test"))
    below = [
        [float(row["retain_test_gold"]) - float(row["retain_test_after"]) for row in of_class] for of_class in classes
    ]
    return (
        f"In the {len(own)} runs with noise at most {100 * left:.1f} % of a class are left, on training or test "
        f"images. Retain accuracy is at most {100 * max(map(mean, below)):.1f} points below the retrained model's on "
        f"average over the runs of a class, and at most {100 * max(map(max, below)):.1f} in one run."
    )


def _noise(tuned: list[Row], bare: list[Row]) -> str:
    """Return a sentence on the effect of the noise images, over all classes."""
    forget, forget_bare = (mean_percent(rows, "forget_test_after") for rows in (tuned, bare))
    retain, retain_bare = (mean_percent(rows, "retain_test_after") for rows in (tuned, bare))
    equal = max(abs(forget - forget_bare), abs(retain - retain_bare)) < 1
    verdict = "at the learning rates of this preset the noise makes no difference" if equal else "the noise contributes"
    return (
        f"Effect of the noise: over the ten classes, forget accuracy is {forget:.1f} % with it and {forget_bare:.1f} % "
        f"without; retain accuracy is {retain:.1f} % and {retain_bare:.1f} %: {verdict}."
    )


def _class_line(name: str, tuned: list[Row], bare: list[Row]) -> str:
    gold, retain, retain_bare = (
        mean_percent(tuned, "retain_test_gold"),
        mean_percent(tuned, "retain_test_after"),
        mean_percent(bare, "retain_test_after"),
    )
    figures = [
        mean_percent(tuned, "forget_test_before"),
        mean_percent(tuned, "forget_test_after"),
        mean_percent(bare, "forget_test_after"),
        mean_percent(tuned, "retain_test_before"),
        retain,
        retain_bare,
        gold,
        gold - retain,
        gold - retain_bare,
    ]
    return f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |"


def _head(rows: Sequence[Row], outdated: Container[str]) -> str:
    devices = " and ".join(sorted({row["device"] for row in rows}))
    old = sum(row["key"] in outdated for row in rows)
    marked = (
        f"* {old} of {len(rows)} rows are *outdated*: their settings, method, training, evaluation or measurements "
        "have changed since. `make results` measures them again.\n"
        if old
        else ""
    )
    return f"""# Results

Every method of Unlearn Lab on the bundled ResNet-20 (10,000 CIFAR-10 images, 1,000 per class), with its preset
`bundled`. Measured by `make results` on: {devices}.
Each run is a row of [runs.csv](assets/results/runs.csv); it is only repeated if something that it depends on has
changed. The presets were tuned on other requests and other seeds, on
training and validation images only; [docs/tuning.md](docs/tuning.md) tries values around each of them
([tuning.csv](assets/results/tuning.csv)). Two of them were tuned after their results on this page were known. NegGrad+
had no settings for several classes, and its row showed it; they were then found on three other classes. Bad Teacher
lost too much retain accuracy on a class, and with one seed forgot nothing. Since then its learning rate decays, it
sees more retained images, and its teacher is chosen from five; all of this was found on two other classes.

How to read the tables:

* Accuracies are in per cent, mean ± standard deviation over the seeds; with one seed there is no deviation.
* *Distance to retrained* is the Jensen-Shannon divergence in bits between the outputs of the unlearned and the
  retrained model. It is the mean of two values: training images of the forget set and test images of the retain set.
  0 means equal outputs. The row *retrained, other seeds* is the same retraining from other seeds, and shows how much
  retrained models vary by chance.
* For single images the aim is the accuracy of the retrained model, not zero: it still classifies most of them
  correctly. L2UL and NegGrad aim at zero by design, so they may end further from the retrained model than the original.
* Seconds are those of unlearning alone in the fastest of the runs. They were measured on one or two CPU threads, mostly
  alongside other work, so they are upper bounds. Sample passes, the number of images that went forward and backward
  through the model, are means and can be compared.
* *Limits* are met or missed by the mean over the seeds. Accuracy on a forgotten class, on training and on test
  images, may be at most {MAX_FORGET_ACCURACY:.0%}. On single forgotten images it may be as high as that of the most
  accurate retrained model, or {100 * MAX_ABOVE_GOLD:.1f} points above the mean of all retrained models, and as low in
  the other direction: far below them reveals which images were forgotten. Accuracy on test images of the retain set may
  be at most {100 * MAX_BELOW_GOLD:.0f} points below that of the retrained model.
{marked}* None of this proves that no trace is left in the weights.

![Trade-off: forget against retain accuracy, one marker per method and request](assets/results/trade-off.svg)"""


def _table(rows: Sequence[Row], missing: Iterable[BenchmarkCase], request: str, outdated: Container[str]) -> str:
    here = [row for row in rows if row["request"] == request]
    groups: Group = defaultdict(list)
    for row in here:
        groups[row["method"], row["preset"]].append(row)
    forget_test = request in ("cat", "three-classes")
    lines = [
        "| method | seeds | forget set, training |"
        + (" forget set, test |" if forget_test else "")
        + " retain set, training | retain set, test | distance to retrained | seconds | sample passes | limits |",
        "|---|---:|" + "---:|" * (7 if forget_test else 6) + "---|",
    ]
    sets = ["forget_train", *(["forget_test"] if forget_test else []), "retain_train", "retain_test"]
    if here:
        lines += [
            _model_line(name, model, here[0], sets)
            for name, model in (("*original*", "before"), ("*retrained*", "gold"))
        ]
    ordered = sorted(groups.items(), key=_sort_key)
    golds = gold_accuracies(rows, request)
    lines += [_line(_name(*key) + mark(own, outdated), own, sets, golds) for key, own in ordered]
    for case in missing:
        if case.request == request and (case.method, case.preset) not in groups and case.seed == SEEDS[0]:
            lines.append(f"| {_name(case.method, case.preset)} | not run |{' |' * (len(sets) + 4)}")
    return "\n".join(lines)


def _sort_key(item: tuple[tuple[str, str], list[Row]]) -> tuple[object, ...]:
    """Sort key: retraining (gold from other seeds), core methods, other methods; presets after their method."""
    method, preset = item[0]
    return method != "retrain", method not in CORE_METHODS, preset != "bundled", item[0]


def _name(method: str, preset: str) -> str:
    title = "*retrained, other seeds* (Retrain)" if method == "retrain" else methods()[method].title
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
