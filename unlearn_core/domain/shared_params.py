"""Hyperparameters that most methods share: declared once, so that they mean the same everywhere."""

from typing import Any

from unlearn_core.domain.params import hyperparameter


def learning_rate(default: float, *, low: float = 1e-5, high: float = 0.5, explain: str) -> Any:
    """The optimiser's step size; the useful range differs between methods."""
    return hyperparameter(default, low=low, high=high, scale="log", title="Learning rate", symbol="η", explain=explain)


MOST_EPOCHS = 20
"""The most passes over a set, unless a method has another bound."""


def epochs(default: int, *, high: int = MOST_EPOCHS, over: str) -> Any:
    """How often a method goes over the images named by `over`."""
    return hyperparameter(default, low=1, high=high, title="Epochs", unit="epochs", explain=f"Passes over {over}.")


def wrong_labels() -> Any:
    """Whether the wrong labels of the forget set are drawn once or in every epoch."""
    return hyperparameter(
        "redrawn",
        choices=("redrawn", "fixed"),
        title="Wrong labels",
        explain="Redrawn gives every image a new wrong label in each epoch; fixed keeps the first one.",
    )


def linear_decay(default: bool = True) -> Any:
    """Whether the learning rate decays over the run."""
    return hyperparameter(
        default, title="Linear decay", explain="Decays the learning rate linearly to 0.", advanced=True
    )


def momentum(default: float = 0.9) -> Any:
    """SGD's momentum."""
    return hyperparameter(
        default,
        low=0.0,
        high=0.99,
        title="Momentum",
        symbol="μ",
        explain="How much of the previous step is carried over.",
        advanced=True,
    )


def weight_decay(default: float = 5e-4) -> Any:
    """SGD's weight decay."""
    return hyperparameter(
        default,
        low=0.0,
        high=0.01,
        title="Weight decay",
        explain="Pulls every weight towards zero.",
        advanced=True,
    )


def augment(default: bool = True) -> Any:
    """Whether images are augmented."""
    return hyperparameter(default, title="Crop and flip", explain="Shifts and mirrors images at random.", advanced=True)


def batch_size(default: int = 128, *, title: str = "Batch size", low: int = 16) -> Any:
    """Images per optimiser step."""
    return hyperparameter(
        default,
        low=low,
        high=512,
        step=low,
        title=title,
        unit="images",
        explain="Images per optimiser step.",
        advanced=True,
    )


def freeze_batchnorm(default: bool) -> Any:
    """Whether batch norm keeps its running statistics from training."""
    return hyperparameter(
        default,
        title="Freeze batch norm",
        explain="Keeps the running statistics of batch norm fixed, so that a few unusual images cannot change them.",
        advanced=True,
    )


def grad_clip(default: float = 0.0) -> Any:
    """The norm to which gradients are clipped."""
    return hyperparameter(
        default,
        low=0.0,
        high=10.0,
        step=0.1,
        title="Gradient clipping",
        explain="Scales down gradients whose L2 norm is larger than this; 0 disables clipping.",
        advanced=True,
    )


def retain_per_class(default: int = 400) -> Any:
    """How much of the retain set is used; `ProblemSize.retain_used` gives the number of images."""
    return hyperparameter(
        default,
        low=50,
        high=5000,
        step=50,
        title="Retained images per class",
        unit="images",
        symbol="|D_sub|",
        explain="Training images per retained class, on average, that are used in each epoch.",
    )


def loss_cap(default: float) -> Any:
    """The loss above which a forget image is no longer pushed."""
    return hyperparameter(
        default,
        low=0.0,
        high=20.0,
        step=0.1,
        title="Loss cap",
        unit="nats",
        explain="Images with a larger loss than this are not pushed further; 0 disables the cap.",
    )


def early_stop() -> Any:
    """Whether the run watches validation images while the method trains (engine/tuning/early_stop.py)."""
    return hyperparameter(
        False,
        title="Stop early",
        explain="Watches validation images during the last phase: keeps the state that fits best, and stops when "
        "further steps bring none that fits better.",
        advanced=True,
        came_later=True,
    )
