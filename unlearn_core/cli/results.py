"""`results`: measure every method on the bundled classifier, and write RESULTS.md and the README's table."""

import argparse
from collections.abc import Mapping

from unlearn_core.benchmarks.csv_tables import LADDER, RESULTS_DIR, TABLE
from unlearn_core.installation import ROOT, require_checkout

HELP = (
    "Measure the methods on the bundled classifier (only what changed) and write RESULTS.md, docs/reproduction.md and "
    "the README's table."
)

PLOT = RESULTS_DIR / "trade-off.svg"
SCRATCH = ROOT / "build" / "results"
MARKS = "<!-- results -->", "<!-- /results -->"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")
    parser.add_argument("--jobs", type=int, default=1, help="parallel runs (1, for accurate timings)")
    parser.add_argument("--only", metavar="METHOD", help="measure this method only; all existing rows are written")
    parser.add_argument("--no-runs", action="store_true", help="only write the tables, from the existing rows")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.benchmarks import ablation, csv_tables, results, results_page, tradeoff_plot
    from unlearn_core.benchmarks.reproduction import page, work_pages
    from unlearn_core.benchmarks.reproduction.l2ul import l2ul_plot
    from unlearn_core.benchmarks.reproduction.unsir import noise_plot, noise_runs
    from unlearn_core.charts.measured.l2ul_courses import courses

    require_checkout("`results`")
    cases = results.benchmark_cases()
    keys = {case.name: results.cache_key(case.spec) for case in cases}
    known = {results.name_of(row): row for row in csv_tables.read_rows(TABLE, "key").values()}
    steps = csv_tables.read_rows(LADDER, "step")
    current = {*keys.values(), *map(ablation.cache_key, ablation.STEPS), *noise_runs.cases()}
    outdated = {row["key"] for row in (*known.values(), *steps.values(), *csv_tables.read_tables().noise)} - current
    todo = [
        case
        for case in cases
        if (case.name not in known or known[case.name]["key"] in outdated)
        and not args.no_runs
        and args.only in (None, case.method)
    ]
    for number, row in enumerate(results.measure_all(todo, device=args.device, data_dir=SCRATCH, jobs=args.jobs), 1):
        new = {name: str(value) for name, value in row.items()}
        known[results.name_of(new)] = new
        csv_tables.write_rows(TABLE, results.COLUMNS, [known[name] for name in keys if name in known])
        what = f"{row['method']} ({row['preset']}) on {row['request']}, seed {row['seed']}"
        print(f"{number} of {len(todo)}: {what}: {row['error'] or _status(row)}", flush=True)
    rows = [known[name] for name in keys if name in known]
    csv_tables.write_rows(TABLE, results.COLUMNS, rows)
    missing = [case for case in cases if case.name not in known]
    tables = csv_tables.read_tables()._replace(runs=rows)
    tradeoff_plot.write_plot(PLOT, rows)
    if tables.noise:
        noise_plot.write_plot(PLOT.with_name("unsir-noise.svg"), tables.noise)
    if tables.frontier:
        l2ul_plot.write_plot(PLOT.with_name("l2ul-frontier.svg"), courses(tables.frontier))
    (ROOT / "RESULTS.md").write_text(results_page.render(tables, missing, outdated))
    (ROOT / "docs" / "reproduction.md").write_text(page.reproduction_page(tables))
    for name in work_pages.work_ids():
        (ROOT / "docs" / f"{name}.md").write_text(work_pages.work_page(name, tables))
    head, rest = (ROOT / "README.md").read_text().split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    classes = results_page.by_class(rows, outdated, tables.noise)
    (ROOT / "README.md").write_text(f"{head}{MARKS[0]}\n{classes}\n{MARKS[1]}{tail}")
    old = sum(row["key"] in outdated for row in rows)
    summary = f"{len(rows)} of {len(cases)} rows are measured" + (f", {old} of them outdated" if old else "")
    print(f"{summary}. RESULTS.md, docs/reproduction.md and the README's table were written.")
    return 0


def _status(row: Mapping[str, str | float]) -> str:
    test = "" if row["forget_test_after"] == "" else f", test {row['forget_test_after']}"
    return (
        f"forget set: training {row['forget_train_after']}{test}; retain set: test {row['retain_test_after']}; "
        f"distance {row['distance_after'] or '-'}, {row['seconds']} s"
    )
