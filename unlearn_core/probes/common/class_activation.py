"""Class activation maps by seven algorithms, raw: on the scale that the algorithm gives them, never rescaled.

They are computed with pytorch-grad-cam. A transformer's tokens are arranged as the image that they were cut from, so
that all algorithms apply to them.

Sources: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; Chattopadhay et al., Grad-CAM++, WACV 2018, equations
8 and 19; Muhammad and Yeasin, Eigen-CAM, IJCNN 2020; Jiang et al., LayerCAM, TIP 2021, equations 4 and 5; Draelos and
Carin, HiResCAM, 2020, equation 2; Wang et al., Score-CAM, CVPR Workshops 2020, algorithm 1; Zhang et al., Finer-CAM,
CVPR 2025.
"""

import copy
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from functools import partial
from importlib import import_module
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import CamAlgorithm
from unlearn_core.models.spatial import to_spatial
from unlearn_core.training.batches import to_floats

MAX_SCORED = 1 << 20
"""The most pixels, over all channels, of the images that ScoreCAM evaluates for one map: many seconds on one core."""
NUM_COMPARED = 3
"""The number of similar classes that FinerCAM compares a class with, as in the paper."""

Score = Callable[[Tensor], Tensor]
"""What a map explains: a number from the logits (C,) of one image."""


def explain(
    models: Mapping[str, nn.Module],
    images: Tensor,
    targets: Sequence[int],
    layer: str | None,
    *,
    algorithm: CamAlgorithm = "gradcam",
    prefix_tokens: int | None = None,
    compared: Sequence[Sequence[int]] = (),
) -> dict[str, np.ndarray]:
    """Return raw maps of images (K, H, W, 3) uint8 at a layer, per model: (K, h, w) float32, at least 0.

    `targets` are K classes, the same for every model (EigenCAM does not use them). FinerCAM also needs the classes that
    each of them is `compared` with. The maps are as large as the layer's output and not rescaled one by one, so they
    are comparable. For layers that give tokens, `prefix_tokens` is the number of tokens before those of the image. The
    models are not changed. Raises InvalidRequestError if `layer` is None, if its output has no height and width, or if
    it has too many channels for ScoreCAM.
    """
    layer = require_layer(layer)
    to_map = partial(_spatial_output, layer=layer, prefix_tokens=prefix_tokens)
    scores = _scores(targets, compared if algorithm == "finercam" else ())
    return {name: _maps(model, images, scores, layer, algorithm, to_map) for name, model in models.items()}


def similar_classes(logits: np.ndarray, target: int) -> list[int]:
    """Return the classes whose logits (C,) are closest to that of the target: those that FinerCAM compares it with."""
    order = np.argsort(np.abs(logits - logits[target]), kind="stable")
    return [int(one) for one in order if one != target][:NUM_COMPARED]


def _scores(targets: Sequence[int], compared: Sequence[Sequence[int]]) -> list[Score]:
    """Return what is explained of each image: a logit, or how far it is ahead of those of similar classes."""
    from pytorch_grad_cam.utils import model_targets  # pyright: ignore[reportMissingTypeStubs] -- It has no types.

    if not compared:
        return [partial(_logit, target=target) for target in targets]
    return [
        cast("Score", model_targets.FinerWeightedTarget(target, others, 1))
        for target, others in zip(targets, compared, strict=True)
    ]


def _logit(logits: Tensor, *, target: int) -> Tensor:
    return logits[target]


def require_layer(layer: str | None) -> str:
    """Return the layer of an architecture's maps. Raises InvalidRequestError if it has none."""
    if layer is None:
        raise InvalidRequestError("This architecture has no spatial layers, so Grad-CAM is not available.")
    return layer


def _spatial_output(output: Tensor, *, layer: str, prefix_tokens: int | None) -> Tensor:
    spatial = to_spatial(output, prefix_tokens=prefix_tokens)
    if spatial is None:
        raise InvalidRequestError(f"{layer} gives no map: its output has no height and width. Choose an earlier layer.")
    return spatial


def preload() -> None:
    """Import the Grad-CAM library, which takes seconds, before a run needs it."""
    import_module("pytorch_grad_cam")


def _maps(
    model: nn.Module,
    images: Tensor,
    scores: Sequence[Score],
    layer: str,
    algorithm: CamAlgorithm,
    to_map: Callable[[Tensor], Tensor],
) -> np.ndarray:
    import pytorch_grad_cam as library  # pyright: ignore[reportMissingTypeStubs] -- It has no types.

    algorithm_class = {
        "gradcam": library.GradCAM,
        "gradcam++": library.GradCAMPlusPlus,
        "layercam": library.LayerCAM,
        "hirescam": library.HiResCAM,
        "scorecam": library.ScoreCAM,
        "eigencam": library.EigenCAM,
        "finercam": library.GradCAM,  # It differs in what is explained.
    }[algorithm]
    # The library adds hooks to the model and fills its gradients, so it gets a copy.
    hooked = copy.deepcopy(model).float().requires_grad_(False)
    module = hooked.get_submodule(layer)
    # Gradients begin here: earlier layers need none, which makes a map as cheap as a forward pass.
    module.register_forward_hook(lambda _module, _inputs, output: output.detach().requires_grad_())
    with torch.enable_grad(), torch.autocast(images.device.type, enabled=False):
        inputs = to_floats(images)
        cam: Any = algorithm_class(hooked, [module], reshape_transform=to_map)
        # It stores a view of the layer's output, which a later in-place operation would overwrite.
        module.register_forward_hook(lambda _module, _inputs, output: output.clone())
        # Calling `cam` itself would rescale every map to [0, 1], which would hide that evidence is gone.
        recorded = cam.activations_and_grads
        try:
            outputs = recorded(inputs)
            activations: np.ndarray = recorded.activations[0].numpy()
            gradients = None
            if cam.uses_gradients:
                explained = torch.stack([score(own) for score, own in zip(scores, outputs, strict=True)]).sum()
                explained.backward()  # pyright: ignore[reportUnknownMemberType] -- Its annotations are partial.
                gradients = recorded.gradients[0].numpy()
            if algorithm == "scorecam":
                _require_few_channels(layer, activations.shape[1], inputs.shape[-1])
            if algorithm == "eigencam":
                raw = _first_component(activations)
            else:
                with redirect_stderr(io.StringIO()):  # ScoreCAM prints progress.
                    raw = cam.get_cam_image(inputs, module, scores, activations, gradients, False)
        finally:
            recorded.release()
    return np.maximum(raw, 0).astype(np.float32)


def _require_few_channels(layer: str, channels: int, side: int) -> None:
    if channels * side * side > MAX_SCORED:
        raise InvalidRequestError(
            f"ScoreCAM evaluates the model once per channel. The {channels:,} channels of {layer} take too long for "
            f"images of {side} pixels: choose another algorithm, or a layer with fewer channels."
        )


def _first_component(activations: np.ndarray) -> np.ndarray:
    """Return the first principal component (K, h, w) of activations (K, C, h, w), with a sign that follows them.

    The library's own function gives it any sign, and needs GBs for early layers of photographs.
    """
    places = torch.as_tensor(activations).flatten(2).transpose(1, 2)
    places = places - places.mean(1, keepdim=True)
    directions = cast("Tensor", torch.linalg.svd(places, full_matrices=False).Vh)  # pyright: ignore[reportUnknownMemberType]
    components = (places @ directions[:, 0, :, None])[..., 0]
    against = (components * places.mean(2)).sum(1, keepdim=True) < 0
    return torch.where(against, -components, components).numpy().reshape(-1, *activations.shape[2:])
