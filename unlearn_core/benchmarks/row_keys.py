"""The key of a measured row: a hash of everything its figures depend on. A row with another key is outdated."""

import hashlib
import json
from collections.abc import Mapping

from unlearn_core import training
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.methods import method
from unlearn_core.models import bundled_models, classifiers
from unlearn_core.training import evaluate


def row_key(spec: UnlearnSpec, measurements: Mapping[str, int], **more: int | str) -> str:
    """Return the key of a run's figures from these measurements (each with its revision) and whatever more."""
    card = classifiers.cards().get(spec.request.classifier)  # The id of one that is trained first says how.
    original = None if card is None else bundled_models.find_bundled(card.id, None, card.seed)
    revisions = {"method": method(spec.method).revision, "training": training.REVISION, "evaluation": evaluate.REVISION}
    whole = {
        "spec": spec.model_dump(mode="json"),
        "weights": original.weights if original else None,
        "revisions": revisions | {"measurements": dict(measurements)},
        **more,
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]
