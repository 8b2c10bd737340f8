"""Odd batches, single images and both precisions: oneDNN 3.12 crashes the process in some strided convolutions."""

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
size, in_bfloat16 = int(sys.argv[2]), sys.argv[3] == "bfloat16"
model = architectures.build(sys.argv[1], 10, size, Normalize((0.5,) * 3, (0.2,) * 3)).train()
model = model.to(memory_format=torch.channels_last)
for count in (3, 7, 16, 25):
    images = torch.rand(count, 3, size, size).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=in_bfloat16):
        loss = F.cross_entropy(model(images), torch.zeros(count, dtype=torch.long))
    loss.backward()
"""


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(("name", "size"), [("resnet8", "32"), ("resnet8", "64"), ("resnet20", "32")])
def test_training_steps_on_any_batch_do_not_crash(name: str, size: str, precision: str) -> None:
    assert name in architectures.cards()
    steps = [sys.executable, "-c", STEPS, name, size, precision]
    done = subprocess.run(steps, capture_output=True, text=True, check=False)
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
