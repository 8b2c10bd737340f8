"""Class activation maps by five algorithms, raw: on the scale that the algorithm gives them, never stretched.

The computing is pytorch-grad-cam's. Sources: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; Chattopadhay et
al., Grad-CAM++, WACV 2018, equations 8 and 19; Muhammad and Yeasin, Eigen-CAM, IJCNN 2020; Jiang et al., LayerCAM, TIP
2021, equations 4 and 5; Draelos and Carin, HiResCAM, 2020, equation 2. A transformer's tokens are laid out as the
picture they were cut from, which all of these then take for a layer's output.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import CamAlgorithm
from unlearn_core.models.spatial import to_spatial
from unlearn_core.training.batches import to_floats


def explain(
    models: Mapping[str, nn.Module],
    images: Tensor,
    targets: Sequence[int],
    layer: str | None,
    *,
    algorithm: CamAlgorithm = "gradcam",
    prefix_tokens: int | None = None,
) -> dict[str, np.ndarray]:
    """Raw maps of pictures (K, H, W, 3) uint8 at a layer, each (K, h, w) float32, at least 0, by model.

    `targets` are K classes, the same for every net (EigenCAM does not ask for them). The maps are as large as the
    layer's output and not stretched one by one, so they compare. Where layers give tokens, `prefix_tokens` says how
    many come before the picture's own. The nets stay as they are. Raises BadRequest where the layer's output has no
    height and width, and where there is no layer to look at.
    """
    if layer is None:
        raise InvalidRequestError(
            "This kind of net looks at a picture as a whole: no layer of it has places to point at."
        )
    laid_out = partial(_as_places, layer=layer, prefix_tokens=prefix_tokens)
    return {name: _maps(net, images, targets, layer, algorithm, laid_out) for name, net in models.items()}


def _as_places(output: Tensor, *, layer: str, prefix_tokens: int | None) -> Tensor:
    places = to_spatial(output, prefix_tokens=prefix_tokens)
    if places is None:
        raise InvalidRequestError(f"{layer} gives no map: its output has no height and width. Choose an earlier layer.")
    return places


def preload() -> None:
    """Loads the GradCAM library, which takes seconds, before somebody waits for a map."""
    import pytorch_grad_cam  # noqa: F401


def _maps(
    model: nn.Module,
    images: Tensor,
    targets: Sequence[int],
    layer: str,
    algorithm: CamAlgorithm,
    laid_out: Callable[[Tensor], Tensor],
) -> np.ndarray:
    import pytorch_grad_cam as library

    made = {
        "gradcam": library.GradCAM,
        "gradcam++": library.GradCAMPlusPlus,
        "layercam": library.LayerCAM,
        "hirescam": library.HiResCAM,
        "eigencam": library.EigenCAM,
    }[algorithm]
    # The library hooks the net that it is given and fills its gradients, so it is given one of its own.
    own = copy.deepcopy(model).float().requires_grad_(False)
    place = own.get_submodule(layer)
    # Gradients begin here: what lies before the layer needs none, which makes a map as cheap as a forward pass.
    place.register_forward_hook(lambda module, given, output: output.detach().requires_grad_())
    with torch.enable_grad(), torch.autocast(images.device.type, enabled=False):
        pictures, cam = to_floats(images), made(own, [place], reshape_transform=laid_out)
        # It keeps a view of what the layer returns, which an operation in place behind the layer would overwrite.
        place.register_forward_hook(lambda module, given, output: output.clone())
        # Calling the object itself would stretch every map to [0, 1], which would hide that evidence is gone.
        seen = cam.activations_and_grads
        try:
            outputs = seen(pictures)
            activations = seen.activations[0].numpy()
            outputs[range(len(targets)), list(targets)].sum().backward()
            given: list[Any] = [pictures, place, targets, activations, seen.gradients[0].numpy(), False]
            raw = cam.get_cam_image(*given)
        finally:
            seen.release()
    if algorithm == "eigencam":
        raw = _turned(raw, activations)
    return np.maximum(raw, 0).astype(np.float32)


def _turned(raw: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Maps (K, h, w) with the sign by which more activation (K, C, h, w) is more: a principal component has none."""
    strength = activations.mean(1)
    strength = strength - strength.mean((1, 2), keepdims=True)
    return np.where(((raw * strength).sum((1, 2)) < 0)[:, None, None], -raw, raw)
