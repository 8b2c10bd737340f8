"""Lets the probes look: when a run ends, and again when a gold that it lacked is there."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import BadRequest
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.jobs import RunSpec
from unlearn_core.domain.measurement import Part
from unlearn_core.domain.report import Evaluation, Report, headline_of
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.model_cache import Trained, Warm
from unlearn_core.engine.setup import Layout, lay_out, why_no_gold
from unlearn_core.probes import probes
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.common.context import Scene
from unlearn_core.store.files import artifacts, reports


def models_of(spec: RunSpec, layout: Layout, warm: Warm, after: Trained, missing: dict[str, str]) -> dict[str, Trained]:
    """Before, after, and as far as they exist gold, a twin of gold and one of the original from other seeds.

    What does not exist gets its reason in `missing`.
    """
    models = {"before": layout.before, "after": after}
    gold = None if spec.start is not None else warm.gold(layout.card, spec.request, 0)
    if gold is None:
        missing["gold"] = why_no_gold(spec.request, spec.start, layout.card)
    else:
        models["gold"] = gold
        twin = warm.gold(layout.card, spec.request, 1)
        if twin is None:
            missing["twin"] = "There is one gold for this request, so how far two golds are apart is not known."
        else:
            models["twin"] = twin
    other = warm.original(layout.card, other_seed=True)
    if other is None:
        missing["other"] = f"{layout.card.title} ships with one original only, so the spread between seeds is unknown."
    else:
        models["other"] = other
    return models


def look_at_all(
    spec: RunSpec,
    layout: Layout,
    models: Mapping[str, Trained],
    evaluations: Mapping[str, Evaluation],
    missing: dict[str, str],
    *,
    only: Collection[str] | None = None,
) -> dict[str, Part]:
    """Every probe's part, or those named; what a probe cannot measure here gets its reason in `missing`."""
    wish = spec.request.forget
    scene = Scene(
        spec=spec,
        card=layout.card,
        dataset=layout.data.card,
        images=layout.data.images,
        labels=layout.data.pictures.labels,
        split=layout.split,
        evaluations=evaluations,
        nets={name: one.net for name, one in models.items()},
        forgotten_classes=wish.classes if isinstance(wish, ForgetClasses) else (),
    )
    parts = {}
    for name, probe in probes().items():
        if (only is not None and name not in only) or (probe.of_points and not layout.data.card.is_points):
            continue
        part = probe.measure(scene)
        if isinstance(part, Part):
            parts[name] = part
        else:
            missing[name] = part
    return parts


class Reopened(NamedTuple):
    """A finished run with everything that measuring it again needs."""

    folder: Path
    report: Report
    layout: Layout
    after: Trained


def reopen(run: int, warm: Warm) -> Reopened:
    """Loads a finished run. Raises BadRequest where it kept no weights, StoreError where its report is damaged."""
    folder = artifacts.folder_of(warm.home, run)
    if not (folder / artifacts.WEIGHTS).exists():
        raise BadRequest(f"Run {run} kept no weights, so nothing can be measured any more.")
    report = reports.read(warm.home, run)
    layout = lay_out(report.spec, warm)
    after = warm.from_bytes(layout.card, "after", (folder / artifacts.WEIGHTS).read_bytes())
    return Reopened(folder, report, layout, after)


def attach(finished: Reopened, name: str, found: Part | str, warm: Warm) -> None:
    """Puts a part that somebody asked for into a finished run's report, or the reason for its absence."""
    if isinstance(found, Part):
        artifacts.write_part(finished.folder, name, found)
        return
    missing = {**finished.report.missing, name: found}
    reports.write(replace(finished.report, parts={}, missing=missing), finished.folder, pool=warm.evaluations)


def add_what_is_new(run: int, warm: Warm, listener: Listener) -> dict[str, Any]:
    """Measures a finished run once more, now with what exists by now; gives the run's new headline.

    Only the probes' parts are written anew: what was recorded while the run went on stays as it is, but for gold's
    maps beside it.
    """
    listener.check()
    folder, old, layout, after = reopen(run, warm)
    missing: dict[str, str] = {}
    models = models_of(old.spec, layout, warm, after, missing)
    evaluations = {name: warm.evaluation(one, layout.card) for name, one in models.items() if name != "other"}
    parts = look_at_all(old.spec, layout, models, evaluations, missing)
    if "snapshots" in old.parts:
        parts["snapshots"] = old.parts["snapshots"]
        add_gold_to_replay(parts, layout, models)
    new = Report(
        run=run,
        spec=old.spec,
        classifier=layout.card,  # Its recipe may have been confirmed since.
        dataset=old.dataset,
        method=old.method,
        labels=old.labels,
        split=old.split,
        evaluations=evaluations,
        parts=parts,
        missing=missing,
    )
    reports.write(new, folder, pool=warm.evaluations)
    return headline_of(parts, {model: one.weights for model, one in evaluations.items()})


def add_gold_to_replay(parts: dict[str, Part], layout: Layout, models: Mapping[str, Trained]) -> None:
    """Puts gold's maps of the pictures that were watched beside those of the run, where both exist."""
    part = parts.get("snapshots")
    if part is None or "gold" not in models or part.facts.get("no_maps", "recorded by an older release"):
        return
    pictures = torch.from_numpy(part.arrays["pictures"]).to(layout.data.images.device)
    targets = layout.data.pictures.labels[part.arrays["shown"]].tolist()
    gold, prefix = {"gold": models["gold"].net}, layout.card.roles.prefix_tokens
    maps = class_activation.explain(gold, pictures, targets, part.facts["layer"], prefix_tokens=prefix)["gold"]
    parts["snapshots"] = Part(part.facts, part.arrays | {"gold_maps": maps.astype(np.float16)})
