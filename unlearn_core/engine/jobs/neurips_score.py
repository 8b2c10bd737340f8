"""The NeurIPS challenge's score of a run: N nets that its method makes against N golds, and golds against golds."""

from typing import Any

import numpy as np

from unlearn_core.domain.measurement import Part
from unlearn_core.engine.jobs import ensemble_members
from unlearn_core.engine.jobs.ensemble import GOLDS, UNLEARNED, Crowd
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.measure import Reopened, attach, reopen
from unlearn_core.engine.model_cache import Warm
from unlearn_core.probes.common.neurips_score import BUCKET, Score, last_bucket, standard_error


def add(run: int, nets: int, warm: Warm, listener: Listener) -> dict[str, Any]:
    """Adds the part "score" to a finished run's report, or the reason for its absence; gives what the row keeps."""
    listener.check()
    finished = reopen(run, warm)
    found = measure(finished, nets, warm, listener)
    attach(finished, "score", found, warm)
    if isinstance(found, str):
        return {"score": None}
    return {"score": {"nets": nets, "ours": found.facts["after"]["score"], "ceiling": found.facts["ceiling"]["score"]}}


def measure(finished: Reopened, nets: int, warm: Warm, listener: Listener) -> Part | str:
    """The score of `nets` nets, and the same of as many other golds, with every picture's epsilon; or why not.

    In the facts "after" and "ceiling" have score, forgetting, error (the standard error of forgetting over pictures),
    retain and test (accuracies relative to gold); in the arrays each has its epsilons (S,), nan where none is defined.
    """
    crowd = Crowd(finished, warm, listener)
    if crowd.why_none is not None:
        return crowd.why_none
    crowd.plan({UNLEARNED: range(nets), GOLDS: range(2 * nets)})
    ours, every = crowd.unlearned(range(nets)), crowd.golds(range(2 * nets))
    labels = finished.report.labels[finished.layout.split.forget_train]
    facts: dict[str, Any] = {"nets": nets, "bucket": BUCKET, "last": last_bucket(nets)}
    arrays = {}
    for name, some in (("after", ours), ("ceiling", every.part(nets, 2 * nets))):
        score = ensemble_members.score(some, every.part(0, nets), labels)
        facts[name] = _facts(score, nets)
        arrays[name] = score.epsilons.astype(np.float32)
    return Part(facts, arrays)


def _facts(score: Score, nets: int) -> dict[str, float]:
    return {
        "score": score.final,
        "forgetting": score.forgetting,
        "error": standard_error(score.epsilons, nets),
        "retain": score.retain,
        "test": score.test,
    }
