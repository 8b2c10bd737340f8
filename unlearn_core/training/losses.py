"""Losses that several methods share: distillation, capped cross-entropy, and wrong labels."""

import torch
from torch import Tensor
from torch.nn import functional as F


def distillation(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Distillation loss of softened outputs: tau^2 KL(teacher || student), mean over images.

    Logits (B, C) each, gradient to the student only; nats. Source: Hinton et al. 2015; Kurmanji et al. 2023.
    """
    targets = F.log_softmax(teacher.detach() / temperature, 1)
    outputs = F.log_softmax(student / temperature, 1)
    return F.kl_div(outputs, targets, reduction="batchmean", log_target=True) * temperature**2


def capped_cross_entropy(logits: Tensor, labels: Tensor, *, cap: float = 0.0) -> Tensor:
    """Mean cross-entropy (nats) of logits (B, C) against labels (B,), for *increasing* it by gradient ascent.

    Cross-entropy is unbounded, so images with a loss above `cap` (0 for no cap) give no gradient.
    """
    error = F.cross_entropy(logits, labels, reduction="none")
    return torch.where(error < cap, error, error.detach()).mean() if cap else error.mean()


def wrong_labels(labels: Tensor, allowed: Tensor, generator: torch.Generator) -> Tensor:
    """For each label (B,) a different class, uniform over `allowed` (k,) without the label itself.

    Raises ValueError if there is no other class for a label.
    """
    classes = allowed.cpu()
    choices = (classes[None, :] != labels.cpu()[:, None]).float()
    if not choices.sum(1).all():
        raise ValueError("There is no other class to choose a wrong label from.")
    return classes[torch.multinomial(choices, 1, generator=generator).squeeze(1)].to(labels.device)
