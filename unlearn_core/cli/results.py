"""`results`: measures the presets on every bundled class and writes the README's table."""

import argparse
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

HELP = "Measure UNSIR's presets on the ten bundled classes (only what changed) and write the README's table."

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "assets" / "results" / "unsir.csv"
MARKS = "<!-- results -->", "<!-- /results -->"
TUNED_ON = {"airplane", "dog"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.engine import results

    known, rows = results.read(TABLE), []
    for preset, name, spec in results.specs("resnet20", "unsir", ("bundled", "no-noise"), 0):
        row = known.get(results.key_of(spec))
        if row is None:
            with tempfile.TemporaryDirectory() as scratch:
                row = results.measure(preset, name, spec, device=args.device, scratch=Path(scratch))
            print(f"{preset}: {name}: forget {row['forget_after']:.1%}, retain {row['retain_after']:.1%}", flush=True)
        rows.append(row)
        results.write(TABLE, [*rows, *(old for key, old in known.items() if key not in {one["key"] for one in rows})])
    results.write(TABLE, rows)
    write_table(ROOT / "README.md", text_of(results.read(TABLE)))
    return 0


def text_of(rows: dict[str, dict[str, Any]]) -> str:
    """The table in Markdown, with its averages and the sentence that says how it was made."""
    by_preset: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows.values():
        by_preset.setdefault(row["preset"], {})[row["class"]] = row
    tuned, bare = by_preset["bundled"], by_preset["no-noise"]
    lines = [
        "| class | forgotten class, unseen: before | UNSIR | without noise "
        "| other classes, unseen: before | UNSIR | without noise | gold "
        "| UNSIR under gold | without noise under gold |",
        "|---|" + "---:|" * 9,
    ]
    lines += [_line(name, [tuned[name]], [bare[name]]) for name in tuned]
    untouched = [name for name in tuned if name not in TUNED_ON]
    lines.append(_line("**mean of ten**", list(tuned.values()), list(bare.values())))
    lines.append(
        _line("**mean of the eight not tuned on**", [tuned[n] for n in untouched], [bare[n] for n in untouched])
    )
    devices = ", ".join(sorted({row["device"] for row in rows.values()}))
    lines += [
        "",
        "Accuracies in per cent on test pictures (200 of the forgotten class, 1,800 of the others; the 95 % interval "
        "of 80 % over 1,800 pictures is ± 1.8 points), one run each with seed 0. Gold is one net retrained without the "
        f"class. The preset was tuned on {' and '.join(sorted(TUNED_ON))}, by validation pictures only. "
        f"Measured by `python -m unlearn_core results` on: {devices}.",
    ]
    return "\n".join(lines)


def write_table(readme: Path, text: str) -> None:
    """Puts the table between its marks."""
    head, rest = readme.read_text().split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    readme.write_text(f"{head}{MARKS[0]}\n{text}\n{MARKS[1]}{tail}")


def _line(name: str, tuned: list[dict[str, Any]], bare: list[dict[str, Any]]) -> str:
    def share(rows: list[dict[str, Any]], column: str) -> float:
        return 100 * mean(float(row[column]) for row in rows)

    gold = share(tuned, "retain_gold")
    kept, kept_bare = share(tuned, "retain_after"), share(bare, "retain_after")
    figures = [
        share(tuned, "forget_before"),
        share(tuned, "forget_after"),
        share(bare, "forget_after"),
        share(tuned, "retain_before"),
        kept,
        kept_bare,
        gold,
        gold - kept,
        gold - kept_bare,
    ]
    return f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |"
