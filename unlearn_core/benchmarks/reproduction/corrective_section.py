"""Writes docs/corrective.md: what corrective unlearning is, how to see it in the lab, and which methods correct."""

from collections import Counter
from collections.abc import Mapping, Sequence

from unlearn_core.benchmarks.csv_tables import Row, read_table
from unlearn_core.benchmarks.reproduction.corrective_runs import TABLE
from unlearn_core.data.datasets import cifar10_sample_mislabelled as data
from unlearn_core.methods import methods
from unlearn_core.models.classifiers.resnet8_mislabelled import CARD

COMMAND = "python -m unlearn_core reproduce --work corrective"
GENERATED = "<!-- Made by `make docs` from the table assets/results/corrective.csv: edit the code instead. -->"
_HEAD = f"""# Corrective unlearning

{GENERATED}

Unlearning is not only for privacy. A model may have learned from data that are *wrong*, such as mislabelled images,
and the mistakes are found when it is already in use. Training again without them would undo the damage. Corrective
unlearning asks whether unlearning can do the same, although often only a part of the wrong data is known.

## See it in the lab

1. On the page Classifier, choose *{CARD.title}*. It was trained on the data set *{data.CARD.title}*:
   {data.PER_CLASS} of 1,000 training images of each of the classes {data.SWAPPED[0]} and {data.SWAPPED[1]} have the
   label of the other class. All validation and test labels are right.
2. On the page Forget, choose *Single images*. One click selects all {2 * data.PER_CLASS} mislabelled images, another
   one half of them. The gallery shows the true label of each beside its given one.
3. Choose a method and run it. The report says under *Interclass confusion* whether the accuracy on the two classes
   comes back, beside a model that was retrained without the forget set. It ships for both requests.

## What is measured

* **Accuracy on the confused classes.** The share of test images of the two classes that are classified correctly:
  what the wrong labels cost, and what should come back.
* **Taken for each other.** The share of the same images that are predicted as the other of the two classes.
* **Wrong label predicted.** The share of the mislabelled forget images that are predicted with their wrong label.
  That is memorised. Here a correct prediction, in the sense of the given label, is a wrong one.

The second and third are the interclass confusion test of [Goel et al., Towards Adversarial Evaluations for Inexact
Machine Unlearning](https://arxiv.org/abs/2201.06640), the first is the corrected accuracy of [Goel et al.,
Corrective Machine Unlearning](https://arxiv.org/abs/2402.14015). Whether the accuracy rises, and whether it reaches
that of the retrained model, is decided by paired tests on the same images ([verdicts](verdicts.md)).
"""


def corrective_page(rows: Sequence[Row] | None = None) -> str:
    """Return docs/corrective.md from the rows of the table, by default the committed one."""
    every = read_table(TABLE) if rows is None else rows
    lines = [_HEAD, "## What the wrong labels cost, and what retraining brings back", "", _costs(every), ""]
    for known, title in (("all", "All wrong labels are known"), ("half", "Only half of them are known")):
        lines += [f"## {title}", "", *_table([row for row in every if row["known"] == known]), ""]
    return "\n".join([*lines, _how_to_read(every), ""])


def finding(row: Row) -> str:
    """Return whether the accuracy on the confused classes came back, by the paired tests of a row."""
    rises, to_retrained = row["to_original"] == "higher", row["to_retrained"]
    if not int(row["can_come_back"]):
        return "retraining raises nothing"
    if row["to_original"] in ("lower", "lost"):
        return "fell"
    if to_retrained in ("lower", "lost"):
        return "came back in part" if rises else "did not come back"
    if not rises:
        return "cannot tell"
    return "rises, and no difference from retraining is shown" if to_retrained == "unclear" else "came back"


def _costs(rows: Sequence[Row]) -> str:
    found = {row["known"]: row for row in rows}
    if not {"all", "half"} <= found.keys():
        return f"Not measured yet: `{COMMAND}` measures it."
    every, half = found["all"], found["half"]
    return (
        f"With the wrong labels, the classifier is right about {_percent(every, 'accuracy_before')} of the test images "
        f"of the two classes, and takes {_percent(every, 'confused_before')} of them for the other one. Retrained "
        f"without the {int(every['images'])} mislabelled images it is right about {_percent(every, 'accuracy_gold')}, "
        f"and confuses {_percent(every, 'confused_gold')}. Retrained without half of them, about "
        f"{_percent(half, 'accuracy_gold')} and {_percent(half, 'confused_gold')}: where wrong labels stay unknown, "
        "even retraining is no full correction."
    )


def _table(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return [f"Not measured yet: `{COMMAND}` measures it."]
    head = (
        "| method | accuracy on the two classes | taken for each other | wrong label predicted | accuracy on the other "
        "classes | came back? |"
    )
    lines = [head, "|---|---:|---:|---:|---:|---|"]
    reference = {share: _percent(rows[0], f"{share}_gold") for share in _SHARES}
    before = {share: _percent(rows[0], f"{share}_before") for share in _SHARES}
    lines += [_line("*original*", before, ""), _line("*retrained*", reference, "")]
    lines += [
        _line(
            methods()[row["method"]].title, {share: _percent(row, f"{share}_after") for share in _SHARES}, finding(row)
        )
        for row in rows
    ]
    counts = Counter(finding(row) for row in rows)
    found = "; ".join(f"{words}: {count}" for words, count in counts.most_common())
    return [*lines, "", f"Of {len(rows)} methods, by finding: {found}."]


_SHARES = ("accuracy", "confused", "memorized", "others")


def _line(name: str, cells: Mapping[str, str], last: str) -> str:
    return f"| {' | '.join([name, *(cells[share] for share in _SHARES), last])} |"


def _percent(row: Row, column: str) -> str:
    return f"{100 * float(row[column]):.1f} %"


def _how_to_read(rows: Sequence[Row]) -> str:
    device = " and ".join(sorted({row["device"] for row in rows})) or "nothing yet"
    return (
        "Each method ran once, with seed 0 and its first preset for this classifier, and each row of "
        "[corrective.csv](../assets/results/corrective.csv) is one run. The two classes have 400 test images, so a "
        "difference of some points may be chance; *came back?* says what the paired tests show. The preset `auto` "
        "looks for settings that forget the images and retain accuracy on the rest; nothing of what it looks at is the "
        f"accuracy on these two classes. Measured on: {device}. `{COMMAND}` measures "
        "what is missing."
    )
