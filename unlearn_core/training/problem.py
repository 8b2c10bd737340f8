"""All that a method is given to work with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import UndeclaredDataAccessError
from unlearn_core.domain.method import ProblemSize
from unlearn_core.training.batches import epoch_batches, steps_in_epoch, to_floats
from unlearn_core.training.seeding import random_generator


@dataclass(frozen=True)
class ImageSubset:
    """Pictures on the device, seen through batches.

    images (N, H, W, 3) uint8 and labels (N,) int64 are the whole data set's; rows (n,) int64 are the ones in this pool.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def batches(
        self, batch_size: int, generator: torch.Generator, *, augment: bool = True
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled pass: float pictures (B, 3, H, W) in [0, 1] and labels (B,) int64."""
        return epoch_batches(
            self.images, self.labels, self.rows, batch_size=batch_size, generator=generator, augment=augment
        )

    def num_batches(self, batch_size: int) -> int:
        """How many batches one pass has."""
        return steps_in_epoch(len(self), batch_size)

    def tensors(self) -> tuple[Tensor, Tensor]:
        """All pictures of this pool at once and in order: floats (n, 3, H, W) in [0, 1] and labels (n,)."""
        return to_floats(self.images[self.rows]), self.labels[self.rows]

    def sample(self, count: int, generator: torch.Generator) -> "ImageSubset":
        """A random subset of at most so many pictures."""
        order = torch.randperm(len(self.rows), generator=generator)[:count].to(self.rows.device)
        return ImageSubset(self.images, self.labels, self.rows[order].sort().values)

    def select_classes(self, classes: Tensor) -> "ImageSubset":
        """The pictures whose label is among these."""
        return ImageSubset(self.images, self.labels, self.rows[torch.isin(self.labels[self.rows], classes)])

    def sample_per_class(self, per_class: int, generator: torch.Generator) -> "ImageSubset":
        """A random subset with at most so many pictures of each class."""
        rows = self.rows[torch.randperm(len(self.rows), generator=generator).to(self.rows.device)]
        own = self.labels[rows]
        kept = [rows[own == number][:per_class] for number in own.unique()]
        return ImageSubset(self.images, self.labels, torch.cat(kept).sort().values)


@dataclass(frozen=True)
class Problem:
    """One forget request, laid out for a method.

    `net` is what the method changes, in place; `original` a frozen copy in eval mode. `forget` and `retain` are the
    training pictures of either side, `validation` the validation pictures of both; each raises DataNotGranted where
    the method declared that it does without.
    """

    model: nn.Module
    original_model: nn.Module
    classifier: ClassifierCard
    classes: int
    forgotten_classes: tuple[int, ...]
    """Empty where single pictures are forgotten."""
    image_shape: tuple[int, int, int]
    sizes: ProblemSize
    device: torch.device
    seed: int
    make_fresh_model: Callable[[int], nn.Module]
    forget_subset: ImageSubset | None
    retain_subset: ImageSubset | None
    validation_subset: ImageSubset | None
    previously_forgotten: tuple[int, ...] = ()
    """Classes that an earlier run forgot, from which this one goes on; they are neither forgotten nor kept here."""

    @property
    def forget(self) -> ImageSubset:
        if self.forget_subset is None:
            raise UndeclaredDataAccessError(
                "This method declared that it needs no forgotten pictures, so it is handed none."
            )
        return self.forget_subset

    @property
    def retain(self) -> ImageSubset:
        if self.retain_subset is None:
            raise UndeclaredDataAccessError(
                "This method declared that it needs no kept pictures, so it is handed none."
            )
        return self.retain_subset

    @property
    def validation(self) -> ImageSubset:
        if self.validation_subset is None:
            raise UndeclaredDataAccessError(
                "This method declared that it needs no validation pictures, so it is handed none."
            )
        return self.validation_subset

    @property
    def retained_classes(self) -> Tensor:
        """The classes (k,) int64 that are not forgotten, on the device; all of them where pictures are."""
        gone = {*self.forgotten_classes, *self.previously_forgotten}
        return torch.tensor([own for own in range(self.classes) if own not in gone], device=self.device)

    def random_generator(self, *purpose: str | int) -> torch.Generator:
        """A random stream of this run's seed, for one purpose."""
        return random_generator(self.seed, *purpose)

    def fresh_model(self, number: int = 0) -> nn.Module:
        """The same architecture with new weights, drawn from this run's seed, on the device; each number has its own.

        They share no draw with an original's, whatever the seeds. Where the classifier's recipe begins with published
        or another net's weights, only the head is drawn: a net that knows nothing of these pictures, as gold at first.
        """
        return self.make_fresh_model(number)
