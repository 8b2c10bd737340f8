"""A run as a short Python script that makes it again through the public API."""

import json
from collections.abc import Sequence
from itertools import pairwise
from textwrap import fill, indent
from typing import Any

from unlearn_core.data import user_catalog
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.plugins import plugin_packages
from unlearn_core.store.image_lists import spans

WIDTH = 100
"""The most characters in a line of a script, as far as values permit."""
_TAB = " " * 4


def run_script(chain: Sequence[UnlearnSpec], dataset: DatasetCard, *, name: str, weights: str | None) -> str:
    """Return a script that makes a run again, with every hyperparameter that it does not find itself.

    `chain` is the run's spec after those of the earlier runs that it continues (store/run_chain.py). `name` says in
    a comment which run it is. `weights` is the checksum of its model, with which the script compares its own; None if
    the run has none.
    """
    # Names from users stand in comments below the second line: above, Python would read an encoding in them.
    head = ['"""Make a run of Unlearn Lab again, by the same hyperparameters and the same seed."""', ""]
    head += [_comment(line) for line in (name, *_needs(chain[-1]))]
    steps = [_step(spec, dataset, f"run_{following.start}") for spec, following in pairwise(chain)]
    return "\n".join(
        [*head, "", "import unlearn_core as lab", "", *steps, _step(chain[-1], dataset, "result"), *_end(weights)]
    )


def _needs(spec: UnlearnSpec) -> list[str]:
    """Say what must be on the machine besides Unlearn Lab."""
    classifier, dataset = spec.request.classifier, spec.request.dataset
    lines = ["The run joins the history of the data folder. The same machine and versions give the same weights."]
    for what, own, folder, added in (
        ("classifier", classifier, "trained", user_catalog.classifier_cards()),
        ("data set", dataset, "datasets", user_catalog.dataset_cards()),
    ):
        if own in added:
            place = f"{folder}/{own} in the data folder (UNLEARN_HOME)"
            lines.append(f"The {what} {own} was added by a user: its folder must be {place}.")
    packages = ",".join(plugin_packages())
    return [*lines, f"If a name is not found, load the plug-ins: UNLEARN_PLUGINS={packages}"] if packages else lines


def _step(spec: UnlearnSpec, dataset: DatasetCard, variable: str) -> str:
    """One run as a statement that assigns its result to a variable."""
    forget = spec.request.forget
    chosen = (
        f"classes={_literal([_class(index, dataset.classes) for index in forget.classes])}"
        if forget.kind == "classes"
        else _images(forget.images)
    )
    values = [f"{_TAB}{_literal(key)}: {_literal(value)}," for key, value in spec.fixed.items()]
    arguments = [
        _literal(spec.request.classifier),
        f"method={_literal(spec.method)}",
        chosen,
        *(['preset="auto"'] if spec.auto else []),
        f"seed={spec.seed}",
        *([] if spec.start is None else [f"start=run_{spec.start}.run"]),
        "\n".join(["overrides={", *values, "}"]),
    ]
    lines = indent("\n".join(f"{one}," for one in arguments), 2 * _TAB)
    return f"{variable} = lab.unlearn(\n    lab.spec(\n{lines}\n    )\n)"


def _class(index: int, classes: Sequence[str]) -> str | int:
    """The name of a class, or its number if other classes have the same name."""
    return classes[index] if classes.count(classes[index]) == 1 else index


def _images(images: Sequence[int]) -> str:
    """The forget set's images as a list, in which ranges are ranges."""
    found = [
        f"*range({first}, {last + 1})" if last > first + 1 else ", ".join(map(str, range(first, last + 1)))
        for first, last in spans(images)
    ]
    text = ", ".join(found)
    if len(text) < WIDTH - 20:
        return f"images=[{text}]"
    return f"images=[\n{fill(f'{text},', WIDTH - 12, initial_indent=_TAB, subsequent_indent=_TAB)}\n]"


def _end(weights: str | None) -> list[str]:
    """Print the checksum of the weights, and whether it is the run's."""
    lines = ["", 'weights = result.report.evaluations["after"].weights', 'print("Checksum of the weights:", weights)']
    if weights is None:
        return [*lines, ""]
    return [*lines, f'print("The same as the first time:", weights == "{weights}")', ""]


def _literal(value: Any) -> str:
    """A value as Python source; printable text with double quotes, as JSON and formatters write it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) and value.isprintable() else repr(value)


def _comment(text: str) -> str:
    """Text as one line of comment, whatever is in it."""
    return "# " + " ".join("".join(one if one.isprintable() else " " for one in text).split())
