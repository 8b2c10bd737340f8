"""The likelihood-ratio attack on a run: K shadow nets of either kind are made, then after and gold are held to them."""

from typing import Any

import numpy as np

from unlearn_core.domain.measurement import Part
from unlearn_core.engine.jobs.ensemble import GOLDS, SHADOWS, Crowd
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.measure import Reopened, attach, reopen
from unlearn_core.engine.model_cache import Warm
from unlearn_core.probes.common.likelihood_ratio import called, fit, held_out, interval
from unlearn_core.probes.common.neurips_score import phi


def add(run: int, nets: int, warm: Warm, listener: Listener) -> dict[str, Any]:
    """Adds the part "lira" to a finished run's report, or the reason for its absence; gives what the row keeps."""
    listener.check()
    finished = reopen(run, warm)
    found = measure(finished, nets, warm, listener)
    attach(finished, "lira", found, warm)
    kept = ("nets", "told", "low", "high", "after", "gold")
    return {"lira": None if isinstance(found, str) else {name: found.facts[name] for name in kept}}


def measure(finished: Reopened, nets: int, warm: Warm, listener: Listener) -> Part | str:
    """What the attack comes to with `nets` shadow nets of either kind, or why it cannot be tried.

    In the facts `told`, `low` and `high` are the share (0 to 1) of tries in which it tells a net that was made to
    forget from a gold, and its 95 % interval over nets; `after` and `gold` are the shares of forgotten pictures that it
    calls seen. In the arrays `seen` and `unseen` (K,) are these shares for its own shadow nets. The gold is the first
    one, which is no shadow; nor is the classifier itself, from which the run began.
    """
    crowd = Crowd(finished, warm, listener)
    if crowd.why_none is not None:
        return crowd.why_none
    numbers = range(nets + 1)
    crowd.plan({SHADOWS: numbers[:nets], GOLDS: numbers})
    shadows, golds = crowd.shadows(numbers[:nets]), crowd.golds(numbers)
    report, rows = finished.report, finished.layout.split.forget_train
    labels = report.labels[rows]
    seen, unseen = phi(shadows.logits, labels), phi(golds.logits, labels)
    held, attack = held_out(seen, unseen[1:]), fit(seen, unseen[1:])
    told, low, high = interval(held.told)
    facts = {
        "nets": nets,
        "told": told,
        "low": low,
        "high": high,
        "after": called(attack.ratio(phi(report.evaluations["after"].logits[rows], labels))),
        "gold": called(attack.ratio(unseen[0])),
    }
    return Part(facts, {"seen": held.seen.astype(np.float32), "unseen": held.unseen.astype(np.float32)})
