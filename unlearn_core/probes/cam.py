"""Where each model looks: GradCAM of the same pictures, for the same class, on one scale.

Source: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; the computing is pytorch-grad-cam's.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.report import MODELS, Part, Probe
from unlearn_core.domain.split import Split
from unlearn_core.probes.scene import Scene
from unlearn_core.training.batches import to_floats
from unlearn_core.training.seeding import stream

PER_SIDE = 6
"""How many forgotten and how many kept pictures are shown."""


class Choice(NamedTuple):
    """A picture, by its position in the data set, and the set that it is from."""

    picture: int
    set: str


def measure(scene: Scene) -> Part:
    """Raw maps of a few forgotten and kept pictures for each model, and what the model says to them."""
    models = [model for model in MODELS if model in scene.nets and model in scene.evaluations]
    choices = choose(scene.split, scene.spec.request.fingerprint())
    rows = np.array([choice.picture for choice in choices])
    # The label is the forgotten class for a picture of one, and every model must be asked about the same class.
    targets = scene.labels[rows].tolist()
    pictures = scene.images[torch.from_numpy(rows).to(scene.images.device)]
    layer = scene.card.roles.cam
    maps = explain({model: scene.nets[model] for model in models}, pictures, targets, layer)
    cards = [
        {
            "picture": choice.picture,
            "set": choice.set,
            "label": target,
            "target": target,
            "models": {
                model: answer(scene.evaluations[model].logits[choice.picture], target)
                | {"peak": float(maps[model][number].max())}
                for model in models
            },
        }
        for number, (choice, target) in enumerate(zip(choices, targets, strict=True))
    ]
    return Part({"cards": cards, "layer": layer}, {"pictures": pictures.cpu().numpy(), **maps})


def choose(split: Split, request: str) -> list[Choice]:
    """A few pictures of either side, drawn at random, the same ones whenever this request is measured.

    Test pictures where there are any; where single pictures are forgotten, those themselves.
    """
    choices = []
    for side in ("forget", "retain"):
        name = next(name for name in (f"{side}_test", f"{side}_train") if len(getattr(split, name)))
        rows = getattr(split, name)
        drawn = torch.randperm(len(rows), generator=stream(0, "cam", request, side))[:PER_SIDE]
        choices += [Choice(int(row), name) for row in np.sort(rows[drawn.numpy()])]
    return choices


def answer(logits: np.ndarray, target: int) -> dict[str, Any]:
    """What a model says to one picture, from its logits (C,): the class, how surely, and how surely the target."""
    shares = np.exp(logits.astype(np.float64) - logits.max())
    shares /= shares.sum()
    said = int(shares.argmax())
    return {"predicted": said, "probability": float(shares[said]), "target_probability": float(shares[target])}


def explain(nets: Mapping[str, nn.Module], images: Tensor, targets: Sequence[int], layer: str) -> dict[str, np.ndarray]:
    """Raw GradCAM maps of pictures (K, H, W, 3) uint8 at a layer, each (K, h, w) float32, at least 0, by model.

    `targets` are K classes, the same for every net. The maps are as large as the layer's output and on the scale of
    the logits: they are not stretched one by one, so they compare. The nets stay as they are.
    """
    return {name: _maps(net, images, targets, layer) for name, net in nets.items()}


def prepare() -> None:
    """Loads the GradCAM library, which takes seconds, before somebody waits for a map."""
    import pytorch_grad_cam  # noqa: F401


def _maps(net: nn.Module, images: Tensor, targets: Sequence[int], layer: str) -> np.ndarray:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    # The library hooks the net that it is given and fills its gradients, so it is given one of its own.
    own = copy.deepcopy(net).float()
    # It keeps a view of what the layer returns, which an operation in place behind the layer would overwrite.
    for module in own.modules():
        vars(module)["inplace"] = False
    place = own.get_submodule(layer)
    wishes: list[Any] = [ClassifierOutputTarget(target) for target in targets]
    with torch.enable_grad(), torch.autocast(images.device.type, enabled=False):
        pictures = to_floats(images).requires_grad_()
        cam = GradCAM(own, [place])
        try:
            # What this returns is stretched to [0, 1] map by map, which would hide that evidence is gone; the
            # activations and gradients that it leaves behind are not.
            cam(pictures, wishes)
            seen = cam.activations_and_grads
            raw = cam.get_cam_image(pictures, place, wishes, seen.activations[0], seen.gradients[0].numpy())
        finally:
            cam.activations_and_grads.release()
    return np.maximum(raw, 0).astype(np.float32)


PROBE = Probe(
    id="cam",
    title="Where the model looks",
    question="Which parts of a picture speak for its class, before and after?",
    caveat="The pictures are drawn at random, and the class is the same for every model: the picture's own, which for "
    "a forgotten picture is the forgotten one. Colours share one scale, so a dark map means that little speaks for the "
    "class, not that the model sees nothing. A map shows what raises a logit at one layer; it neither proves nor rules "
    "out that something is remembered.",
    measure=measure,
)
