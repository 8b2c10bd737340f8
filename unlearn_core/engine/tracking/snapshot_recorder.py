"""Snapshots: what a model gives on a few fixed images at some moments of a run, for the replay and the live curve."""

import time
from collections.abc import Mapping
from math import nan
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from unlearn_core.domain.cards import LayerRoles
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.probes.common import class_activation
from unlearn_core.probes.regions import GRID_SIZE, plane_grid
from unlearn_core.training.batches import to_floats
from unlearn_core.training.evaluate import eval_mode, images_per_batch
from unlearn_core.training.precision import autocast

CAM_IMAGES = 4
"""How many images have a Grad-CAM map in each snapshot."""


class Snapshot(NamedTuple):
    """The outputs of a model on the monitored images at one moment.

    Logits (n, C) float16, raw Grad-CAM maps (k, h, w) float16 of the shown images, and the accuracies (0 to 1) of the
    curve on the forget and the retain side. For points, the predicted class on the grid of the plane (G, G) uint8.
    """

    logits: np.ndarray
    maps: np.ndarray
    forget: float
    retain: float
    regions: np.ndarray | None


class SnapshotRecorder:
    """Records the outputs of a model on a few fixed images while a method changes it.

    `sets` gives positions in the data set for sets of the split, none of them test images; `roles` gives the Grad-CAM
    layer. The model is evaluated by the recorder, not by the method, in eval mode, and the logits are in the training
    precision: a live display, not a measurement. `no_maps` is the reason if the layer gives no maps. Of a data set of
    points, decision regions are recorded too.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: np.ndarray,
        sets: Mapping[str, np.ndarray],
        roles: LayerRoles,
        *,
        is_points: bool = False,
    ) -> None:
        self.ids, self.layer = np.concatenate(list(sets.values())), roles.cam
        self.sizes = {name: len(ids) for name, ids in sets.items()}
        self.cam_rows = choose_cam_images(sets)
        self.eval_rows = {
            "forget": np.isin(self.ids, sets["forget_val"] if len(sets["forget_val"]) else sets["forget_train"]),
            "retain": np.isin(self.ids, sets["retain_val"]),
        }
        self.cam_images = images[torch.from_numpy(self.cam_rows).to(images.device)]
        self.targets, self.no_maps = labels[self.cam_rows].tolist(), ""
        self.seconds = 0.0
        self._prefix = roles.prefix_tokens
        self._model, self._labels = model, labels[self.ids]
        self._images = images[torch.from_numpy(self.ids).to(images.device)]
        self._per_batch = images_per_batch(images.shape[1])
        self._grid = plane_grid(images.device) if is_points else None
        self._last: tuple[int, Snapshot | None] = (-1, None)

    def capture(self) -> Snapshot:
        """Return a snapshot of the model as it is now."""
        version, (last_version, snapshot) = self._version(), self._last
        if snapshot is not None and version == last_version:  # An unchanged model gives the same outputs.
            return snapshot
        began = time.perf_counter()
        with torch.inference_mode(), eval_mode(self._model), autocast(self._images.device):
            parts = [self._model(to_floats(part)) for part in self._images.split(self._per_batch)]
            logits = torch.cat(parts).half().cpu().numpy()
            regions = None if self._grid is None else self._model(to_floats(self._grid)).argmax(1).cpu().numpy()
        correct = logits.argmax(1) == self._labels
        forget, retain = (float(correct[rows].mean()) if rows.any() else nan for rows in self.eval_rows.values())
        if regions is not None:
            regions = regions.reshape(GRID_SIZE, GRID_SIZE).astype(np.uint8)
        snapshot = Snapshot(logits, self._maps(), forget, retain, regions)
        self._last = version, snapshot
        self.seconds += time.perf_counter() - began
        return snapshot

    def has_changed(self) -> bool:
        """Whether the model was changed since the last snapshot, as far as its tensors count their changes."""
        return self._version() != self._last[0]

    def _version(self) -> int:
        return sum(tensor._version for tensor in self._model.state_dict(keep_vars=True).values())

    def _maps(self) -> np.ndarray:
        if not self.no_maps:
            try:
                maps = class_activation.explain(
                    {"now": self._model}, self.cam_images, self.targets, self.layer, prefix_tokens=self._prefix
                )["now"]
            except InvalidRequestError as problem:
                self.no_maps = str(problem)
            else:
                with np.errstate(over="ignore"):  # A diverged model is rejected at the end, not here.
                    return maps.astype(np.float16)
        return np.zeros((len(self.cam_rows), 0, 0), np.float16)


def choose_cam_images(sets: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return positions of up to CAM_IMAGES monitored images for Grad-CAM: forget set first, retain set last."""
    limits = (("forget_train", 2), ("forget_val", 1), ("forget_train", CAM_IMAGES - 1), ("retain_val", CAM_IMAGES))
    found: list[int] = []
    for name, limit in limits:
        ids = [row for row in sets[name].tolist() if row not in found]
        room = min(limit, (CAM_IMAGES if name == "retain_val" else CAM_IMAGES - 1) - len(found), len(ids))
        found += [ids[place] for place in np.linspace(0, len(ids) - 1, room).round().astype(int)] if room > 0 else []
    return np.array(found, np.int64)
