"""Odd batches, and single images: oneDNN 3.12 crashes the process in some strided convolutions."""

import subprocess
import sys

import pytest
import torch
from torch.nn.functional import cross_entropy

from unlearn_core.models import architectures
from unlearn_core.models.normalize import Normalize
from unlearn_core.training.importance import per_sample_gradients

STEPS = """
import sys
import torch
from torch.nn import functional as F
from unlearn_core.models import architectures
from unlearn_core.models.normalize import Normalize

torch.set_num_threads(2)
model = architectures.build(sys.argv[1], 10, 32, Normalize((0.5,) * 3, (0.2,) * 3)).train()
model = model.to(memory_format=torch.channels_last)
for count in (3, 7, 25):
    images = torch.rand(count, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        loss = F.cross_entropy(model(images), torch.zeros(count, dtype=torch.long))
    loss.backward()
"""


@pytest.mark.parametrize("name", ["resnet8", "resnet20"])
def test_a_training_step_on_an_odd_batch_does_not_crash(name: str) -> None:
    assert name in architectures.cards()
    done = subprocess.run([sys.executable, "-c", STEPS, name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("name", ["resnet8", "resnet20"])
def test_single_images_have_gradients_of_their_own(name: str) -> None:
    """Fisher forgetting and L2UL measure weights one image at a time, inside vmap."""
    model = architectures.build(name, 10, 32, Normalize((0.5,) * 3, (0.2,) * 3)).eval()
    gradients = per_sample_gradients(model, cross_entropy)(torch.rand(2, 3, 32, 32), torch.zeros(2, dtype=torch.long))
    assert {name: slopes.shape[1:] for name, slopes in gradients.items()} == {
        name: weight.shape for name, weight in model.named_parameters()
    }
    assert all(slopes.isfinite().all() for slopes in gradients.values())
