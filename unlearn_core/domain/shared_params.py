"""Knobs that most methods share: declared once, so that they mean the same everywhere."""

from typing import Any

from unlearn_core.domain.params import hyperparameter


def learning_rate(default: float, *, low: float = 1e-5, high: float = 0.5, explain: str) -> Any:
    """How far each step goes; what is too much and too little differs from method to method."""
    return hyperparameter(default, low=low, high=high, scale="log", title="Learning rate", symbol="η", explain=explain)


def linear_decay(default: bool = True) -> Any:
    """Whether the learning rate falls over the run."""
    return hyperparameter(
        default, title="Rate falls to zero", explain="Lets the rate fall in a straight line to 0.", advanced=True
    )


def momentum(default: float = 0.9) -> Any:
    """SGD's momentum."""
    return hyperparameter(
        default,
        low=0.0,
        high=0.99,
        title="Momentum",
        symbol="μ",
        explain="How much of the last step is carried on.",
        advanced=True,
    )


def weight_decay(default: float = 5e-4) -> Any:
    """SGD's weight decay."""
    return hyperparameter(
        default, low=0.0, high=0.01, title="Weight decay", explain="Pulls every weight towards zero.", advanced=True
    )


def augment(default: bool = True) -> Any:
    """Whether pictures are varied."""
    return hyperparameter(default, title="Crop and flip", explain="Shifts and mirrors the pictures.", advanced=True)


def batch_size(default: int = 128, *, title: str = "Batch", low: int = 16) -> Any:
    """Pictures in one optimiser step."""
    return hyperparameter(
        default,
        low=low,
        high=512,
        step=low,
        title=title,
        unit="pictures",
        explain="Pictures in one optimiser step.",
        advanced=True,
    )


def freeze_batchnorm(default: bool) -> Any:
    """Whether batch norm keeps the statistics of training."""
    return hyperparameter(
        default,
        title="Freeze batch norm",
        explain="Keeps the statistics of batch norm as they are, so that a few odd pictures cannot rewrite them.",
        advanced=True,
    )


def grad_clip(default: float = 0.0) -> Any:
    """The longest gradient that is followed."""
    return hyperparameter(
        default,
        low=0.0,
        high=10.0,
        step=0.1,
        title="Longest gradient",
        explain="Shortens a gradient that is longer than this; 0 follows each as it is.",
        advanced=True,
    )


def retain_per_class(default: int = 400) -> Any:
    """How much of the kept pictures is used; `Sizes.kept` says how many pictures that makes."""
    return hyperparameter(
        default,
        low=50,
        high=5000,
        step=50,
        title="Kept pictures a class",
        unit="pictures",
        symbol="|D_sub|",
        explain="How many training pictures of every kept class, on average, take part in each epoch.",
    )


def loss_cap(default: float) -> Any:
    """How wrong a forgotten picture is driven at most."""
    return hyperparameter(
        default,
        low=0.0,
        high=20.0,
        step=0.1,
        title="Wrong enough",
        unit="nats",
        explain="A picture with a larger error than this is not driven on; 0 drives all of them without end.",
    )
