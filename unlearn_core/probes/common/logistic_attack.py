"""The logistic attack: membership probabilities from a logistic regression on several signals, cross-validated.

It is scikit-learn's, which is slow to import; `preload` imports it before a run needs it.
"""

from importlib import import_module

import numpy as np

FOLDS = 5


def preload() -> None:
    """Import scikit-learn, which takes seconds."""
    import_module("sklearn.linear_model")
    import_module("sklearn.model_selection")


def cross_validated_scores(
    members: np.ndarray, non_members: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the membership probability of each member (n, k) and non-member (n, k) by a fit without it."""
    # scikit-learn has no types.
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]
    from sklearn.model_selection import (  # pyright: ignore[reportMissingTypeStubs]
        StratifiedKFold,
        cross_val_predict,  # pyright: ignore[reportUnknownVariableType]
    )
    from sklearn.pipeline import make_pipeline  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
    from sklearn.preprocessing import StandardScaler  # pyright: ignore[reportMissingTypeStubs]

    signals, is_member = np.concatenate([members, non_members]), np.repeat([1, 0], [len(members), len(non_members)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = np.asarray(cross_val_predict(model, signals, is_member, cv=folds, method="predict_proba"))[:, 1]
    return scores[: len(members)], scores[len(members) :]
