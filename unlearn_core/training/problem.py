"""All that a method is given to work with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import DataNotGranted
from unlearn_core.domain.method import Sizes
from unlearn_core.training.batches import epoch, steps_in_epoch, to_floats
from unlearn_core.training.seeding import stream


@dataclass(frozen=True)
class Pool:
    """Pictures on the device, seen through batches.

    images (N, H, W, 3) uint8 and labels (N,) int64 are the whole data set's; rows (n,) int64 are the ones in this pool.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def epoch(self, batch: int, generator: torch.Generator, *, augment: bool = True) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled pass: float pictures (B, 3, H, W) in [0, 1] and labels (B,) int64."""
        return epoch(self.images, self.labels, self.rows, batch=batch, generator=generator, augment=augment)

    def steps(self, batch: int) -> int:
        """How many batches one pass has."""
        return steps_in_epoch(len(self), batch)

    def all(self) -> tuple[Tensor, Tensor]:
        """All pictures of this pool at once and in order: floats (n, 3, H, W) in [0, 1] and labels (n,)."""
        return to_floats(self.images[self.rows]), self.labels[self.rows]

    def sample(self, count: int, generator: torch.Generator) -> "Pool":
        """A random subset of at most so many pictures."""
        order = torch.randperm(len(self.rows), generator=generator)[:count].to(self.rows.device)
        return Pool(self.images, self.labels, self.rows[order].sort().values)

    def of_classes(self, classes: Tensor) -> "Pool":
        """The pictures whose label is among these."""
        return Pool(self.images, self.labels, self.rows[torch.isin(self.labels[self.rows], classes)])

    def at_most(self, per_class: int, generator: torch.Generator) -> "Pool":
        """A random subset with at most so many pictures of each class."""
        rows = self.rows[torch.randperm(len(self.rows), generator=generator).to(self.rows.device)]
        own = self.labels[rows]
        kept = [rows[own == number][:per_class] for number in own.unique()]
        return Pool(self.images, self.labels, torch.cat(kept).sort().values)


@dataclass(frozen=True)
class Problem:
    """One forget request, laid out for a method.

    `net` is what the method changes, in place; `original` a frozen copy in eval mode. `forget` and `retain` are the
    training pictures of either side, `validation` the validation pictures of both; each raises DataNotGranted where
    the method declared that it does without.
    """

    net: nn.Module
    original: nn.Module
    card: ClassifierCard
    classes: int
    forgotten_classes: tuple[int, ...]
    """Empty where single pictures are forgotten."""
    image_shape: tuple[int, int, int]
    sizes: Sizes
    device: torch.device
    seed: int
    build: Callable[[int], nn.Module]
    forget_pool: Pool | None
    retain_pool: Pool | None
    validation_pool: Pool | None
    gone_classes: tuple[int, ...] = ()
    """Classes that an earlier run forgot, from which this one goes on; they are neither forgotten nor kept here."""

    @property
    def forget(self) -> Pool:
        if self.forget_pool is None:
            raise DataNotGranted("This method declared that it needs no forgotten pictures, so it is handed none.")
        return self.forget_pool

    @property
    def retain(self) -> Pool:
        if self.retain_pool is None:
            raise DataNotGranted("This method declared that it needs no kept pictures, so it is handed none.")
        return self.retain_pool

    @property
    def validation(self) -> Pool:
        if self.validation_pool is None:
            raise DataNotGranted("This method declared that it needs no validation pictures, so it is handed none.")
        return self.validation_pool

    @property
    def kept_classes(self) -> Tensor:
        """The classes (k,) int64 that are not forgotten, on the device; all of them where pictures are."""
        gone = {*self.forgotten_classes, *self.gone_classes}
        return torch.tensor([own for own in range(self.classes) if own not in gone], device=self.device)

    def stream(self, *purpose: str | int) -> torch.Generator:
        """A random stream of this run's seed, for one purpose."""
        return stream(self.seed, *purpose)

    def fresh(self, number: int = 0) -> nn.Module:
        """The same architecture with new weights, drawn from this run's seed, on the device; each number has its own.

        They share no draw with an original's, whatever the seeds. Where the classifier's recipe begins with published
        or another net's weights, only the head is drawn: a net that knows nothing of these pictures, as gold at first.
        """
        return self.build(number)
