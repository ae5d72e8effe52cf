"""What a training is fed, step by step: scaled images, labels, masks, and what is held out."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import zlib
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.example import Mask, Size, Training, TrainingVariant
from parity.spec.suite import Dataset
from parity.training.batch_order import batch_indices, dropout_mask, held_out

Array = NDArray[Any]


@dataclasses.dataclass
class Batches:
    """The batches of a training in their order, and a checksum of each that was delivered.

    Attributes:
        images: ``(n, 28, 28)`` uint8, or another dataset's inputs.
        labels: ``(n,)`` int64.
        order: one array of indices a step.
        precision: dtype of the images handed out.
        epochs: how often the data is gone through.
        training: says how the images are scaled, and which masks are drawn.
        seed: of the masks.
        held: indices of the samples held out.
        checksums: CRC-32 of what each step was fed, in the order of feeding.
    """

    images: Array
    labels: Array
    order: list[NDArray[np.int64]]
    precision: str
    epochs: int
    training: Training
    seed: int = 0
    held: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.arange(0))
    checksums: list[int] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        return len(self.order)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one epoch."""
        return len(self.order) // self.epochs

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        """Images, labels and the masks of every step."""
        for step, chosen in enumerate(self.order):
            images = scaled(self.images[chosen], self.training, self.precision)
            masks = (self._mask(mask, step) for mask in self.training.masks)
            yield images, self.labels[chosen], *masks

    @property
    def everything(self) -> Array:
        """All images, scaled; `order` indexes them."""
        return scaled(self.images, self.training, self.precision)

    def stretches(self, pauses: Collection[int], longest: int) -> Iterator[tuple[int, int]]:
        """Steps that may be taken in one go, as ``order[start:stop]``.

        Their batches are of one size, at most `longest` of them, and each step in `pauses`
        (counted from 1) is the last of its stretch.
        """
        start, total = 0, len(self)
        for stop in range(1, total + 1):
            last = stop == total or len(self.order[stop]) != len(self.order[start])
            if last or stop in pauses or stop - start == longest:
                yield start, stop
                start = stop

    def masks(self, start: int, stop: int) -> list[Array]:
        """The masks of these steps, each ``(steps, batch, …)``."""
        return [
            np.stack([self._mask(mask, step) for step in range(start, stop)])
            for mask in self.training.masks
        ]

    def _mask(self, mask: Mask, step: int) -> Array:
        shape = (len(self.order[step]), *mask.shape)
        drawn = dropout_mask(mask.name, shape, mask.rate, seed=self.seed, step=step + 1)
        return drawn.astype(self.precision)

    @property
    def validation(self) -> tuple[Array, Array]:
        """The held-out images and labels."""
        images = scaled(self.images[self.held], self.training, self.precision)
        return images, self.labels[self.held]

    def fed(self, images: Array, labels: Array, *masks: Array) -> None:
        """Note what a step was really fed, whatever stood between the order and the model."""
        exact = (np.ascontiguousarray(a, np.float32) for a in (images, *masks))
        first, *others = (a.tobytes() for a in exact)
        parts = (first, np.ascontiguousarray(labels).tobytes(), *others)
        self.checksums.append(functools.reduce(lambda crc, part: zlib.crc32(part, crc), parts, 0))

    def feed_the_rest(self, taken: int) -> None:
        """Note what would have been fed after so many steps, had the training not stopped.

        When it stops is no property of the batches. (A framework's own loop may have fetched one
        more than it trained on; that one is noted as planned, too.)
        """
        del self.checksums[taken:]
        for images, labels, *masks in itertools.islice(self, taken, None):
            self.fed(images, labels, *masks)

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        training: Training,
        way: TrainingVariant,
        size: Size,
        *,
        seed: int,
        precision: str,
    ) -> Batches:
        """All batches of a training done in one way."""
        kept, held = held_out(len(dataset.train_labels), training.held(size), seed)
        samples, epochs = len(kept), size.epochs * way.repeat
        batch_size = training.batch_size if way.batch_size is None else way.batch_size
        chosen = batch_indices(samples, batch_size or samples, epochs, seed)
        order = [kept[indices] for indices in chosen]
        images, labels = dataset.train_images, dataset.train_labels
        return cls(images, labels, order, precision, epochs, training, seed, held)


def scaled(images: Array, training: Training, precision: str) -> Array:
    """Inputs as the models take them, in canonical layout.

    Computed in float32 in both precisions, so that the inputs of both are equal.
    """
    values = images.astype(np.float32)
    if training.input_shape is not None:
        values = values.reshape(-1, *training.input_shape)
    if training.scaling != "none":
        values = values / np.float32(255)
    if training.scaling == "standard":
        mean, deviation = (np.array(v, np.float32) for v in (training.mean, training.deviation))
        values = (values - mean) / deviation
    return values.astype(precision)
