"""The unlearning problem that a method gets: models, data subsets, sizes and random streams."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import UndeclaredDataAccessError
from unlearn_core.domain.method import ProblemSize
from unlearn_core.training.batches import epoch_batches, steps_in_epoch, to_floats
from unlearn_core.training.losses import wrong_labels
from unlearn_core.training.seeding import random_generator


@dataclass(frozen=True)
class ImageSubset:
    """A subset of the images on the device, accessed in batches.

    images (N, H, W, 3) uint8 and labels (N,) int64 are those of the whole data set; rows (n,) int64 is the subset.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def batches(
        self, batch_size: int, generator: torch.Generator, *, augment: bool = True
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled pass: float images (B, 3, H, W) in [0, 1] and labels (B,) int64."""
        return epoch_batches(
            self.images, self.labels, self.rows, batch_size=batch_size, generator=generator, augment=augment
        )

    def num_batches(self, batch_size: int) -> int:
        """The number of batches in one pass."""
        return steps_in_epoch(len(self), batch_size)

    def tensors(self) -> tuple[Tensor, Tensor]:
        """All images of this subset at once and in order: floats (n, 3, H, W) in [0, 1] and labels (n,)."""
        return to_floats(self.images[self.rows]), self.labels[self.rows]

    def sample(self, count: int, generator: torch.Generator) -> "ImageSubset":
        """A random subset of at most `count` images."""
        order = torch.randperm(len(self.rows), generator=generator)[:count].to(self.rows.device)
        return ImageSubset(self.images, self.labels, self.rows[order].sort().values)

    def select_classes(self, classes: Tensor) -> "ImageSubset":
        """The images whose label is among these classes."""
        return ImageSubset(self.images, self.labels, self.rows[torch.isin(self.labels[self.rows], classes)])

    def sample_per_class(self, per_class: int, generator: torch.Generator) -> "ImageSubset":
        """A random subset with at most `per_class` images of each class."""
        rows = self.rows[torch.randperm(len(self.rows), generator=generator).to(self.rows.device)]
        labels = self.labels[rows]
        chosen = [rows[labels == number][:per_class] for number in labels.unique()]
        return ImageSubset(self.images, self.labels, torch.cat(chosen).sort().values)

    def with_wrong_labels(self, allowed: Tensor, generator: torch.Generator) -> "ImageSubset":
        """The same images, each with a wrong label, uniform over the allowed classes (k,)."""
        return self.with_labels(wrong_labels(self.labels[self.rows], allowed, generator))

    def with_labels(self, own: Tensor) -> "ImageSubset":
        """The same images with these labels (n,), in the order of `rows`."""
        labels = self.labels.clone()
        labels[self.rows] = own
        return ImageSubset(self.images, labels, self.rows)


@dataclass(frozen=True)
class Problem:
    """One forget request, prepared for a method.

    `model` is what the method changes in place; `original_model` is a frozen copy in eval mode. `forget` and `retain`
    are the training images of the forget set and the retain set, `validation` the validation images of both; each
    raises UndeclaredDataAccessError if the method declared that it does not need them.
    """

    model: nn.Module
    original_model: nn.Module
    classifier: ClassifierCard
    classes: int
    forgotten_classes: tuple[int, ...]
    """Empty for a request to forget single images."""
    image_shape: tuple[int, int, int]
    sizes: ProblemSize
    device: torch.device
    seed: int
    make_fresh_model: Callable[[int], nn.Module]
    forget_subset: ImageSubset | None
    retain_subset: ImageSubset | None
    validation_subset: ImageSubset | None
    previously_forgotten: tuple[int, ...] = ()
    """Classes forgotten by the earlier run that this run starts from; here they are neither forgotten nor retained."""

    @property
    def forget(self) -> ImageSubset:
        if self.forget_subset is None:
            raise UndeclaredDataAccessError(
                "This method declared that it needs no forget images, so it cannot access them."
            )
        return self.forget_subset

    @property
    def retain(self) -> ImageSubset:
        if self.retain_subset is None:
            raise UndeclaredDataAccessError(
                "This method declared that it needs no retained images, so it cannot access them."
            )
        return self.retain_subset

    @property
    def validation(self) -> ImageSubset:
        if self.validation_subset is None:
            raise UndeclaredDataAccessError(
                "This method declared that it needs no validation images, so it cannot access them."
            )
        return self.validation_subset

    @property
    def retained_classes(self) -> Tensor:
        """The classes (k,) int64 that are not forgotten, on the device; all of them for a request to forget images."""
        gone = {*self.forgotten_classes, *self.previously_forgotten}
        return torch.tensor([own for own in range(self.classes) if own not in gone], device=self.device)

    def random_generator(self, *purpose: str | int) -> torch.Generator:
        """A random stream of this run's seed for one purpose."""
        return random_generator(self.seed, *purpose)

    def epochs(
        self, subset: ImageSubset, numbers: Iterable[int], batch_size: int, *, augment: bool, purpose: str = "epoch"
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of the epochs with these numbers; each epoch has its own random stream of this purpose."""
        for number in numbers:
            yield from subset.batches(batch_size, self.random_generator(purpose, number), augment=augment)

    def retain_in_epoch(self, number: int, *, per_class: int) -> ImageSubset:
        """The random retained images of one epoch, `per_class` for each retained class on average."""
        return self.retain.sample(self.sizes.retain_used(per_class), self.random_generator("kept", number))

    def fresh_model(self, number: int = 0) -> nn.Module:
        """The same architecture with fresh weights from this run's seed, on the device; each number has its own.

        They are independent of an original model's initial weights, whatever the seeds. If the classifier's training
        started from published or another model's weights, only the head is fresh, as at the start of retraining.
        """
        return self.make_fresh_model(number)
