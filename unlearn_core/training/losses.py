"""Losses beside torch's own that several methods share."""

import torch
from torch import Tensor
from torch.nn import functional as F


def distillation(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """How far a student's softened answers are from its teacher's: tau^2 KL(teacher || student), mean over pictures.

    Logits (B, C) each, gradient to the student only; nats. Source: Hinton et al. 2015; Kurmanji et al. 2023.
    """
    taught = F.log_softmax(teacher.detach() / temperature, 1)
    learnt = F.log_softmax(student / temperature, 1)
    return F.kl_div(learnt, taught, reduction="batchmean", log_target=True) * temperature**2


def capped_cross_entropy(logits: Tensor, labels: Tensor, *, cap: float = 0.0) -> Tensor:
    """Mean cross-entropy (nats) of logits (B, C) against labels (B,), to be driven *up* by its negative.

    It has no upper bound, so pictures whose own is above `most` (0 for no bound) give no gradient any more.
    """
    error = F.cross_entropy(logits, labels, reduction="none")
    return torch.where(error < cap, error, error.detach()).mean() if cap else error.mean()


def wrong_labels(labels: Tensor, allowed: Tensor, generator: torch.Generator) -> Tensor:
    """For each label (B,) another class, uniform over `allowed` (k,) without the label itself.

    Raises ValueError where a label has no other class to go to.
    """
    taken = allowed.cpu()
    own = taken[None, :] == labels.cpu()[:, None]
    choices = (~own).float()
    if not choices.sum(1).all():
        raise ValueError("No other class is left.")
    return taken[torch.multinomial(choices, 1, generator=generator).squeeze(1)].to(labels.device)
