"""The logistic attack: membership probabilities from a logistic regression on several signals, cross-validated.

It is scikit-learn's, which is slow to import; `preload` imports it before a run needs it.
"""

import numpy as np

FOLDS = 5


def preload() -> None:
    """Import scikit-learn, which takes seconds."""
    import sklearn.linear_model
    import sklearn.model_selection  # noqa: F401


def cross_validated_scores(
    members: np.ndarray, non_members: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the membership probability of each member (n, k) and non-member (n, k) by a fit without it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    signals, is_member = np.concatenate([members, non_members]), np.repeat([1, 0], [len(members), len(non_members)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = np.asarray(cross_val_predict(model, signals, is_member, cv=folds, method="predict_proba"))[:, 1]
    return scores[: len(members)], scores[len(members) :]
