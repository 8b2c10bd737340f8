"""Problems on the tiny classifier, for tests of methods."""

from unlearn_core.testing.tiny_problem import FORGET, tiny_problem, tiny_spec

__all__ = ["FORGET", "STRONG", "tiny_problem", "tiny_spec"]

STRONG = {
    "batch": 16,
    "impair_lr": 0.02,
    "impair_epochs": 3,
    "repair_lr": 0.005,
    "noise_pictures": 64,
    "noise_repeats": 1,
}
"""UNSIR's hyperparameters with which the tiny classifier really forgets; the presets are made for a larger one."""
