"""A lesson's training in PyTorch: its public functions, called as its own `main` calls them.

What the lesson does not bring, because no learner needs it, is brought here: another framework's
equations, a gradient to look at, a look after every step.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from unittest import mock

from parity.torch_side import layers, named_weights, optimizers


class Feed(NamedTuple):
    """What a training is fed.

    Attributes:
        batches: tensors of every step of all epochs, in their order.
        validation: held-out batches, for a loop that stops by them.
        epochs: how often the data is gone through.
        steps, samples: of one epoch.
    """

    batches: Iterable
    validation: Sequence
    epochs: int
    steps: int
    samples: int


class Program:
    """One way of training a lesson.

    Args:
        lesson: its module.
        way: which of its functions, and whose equations.
        training: names the layers, and those of dropout whose masks come with each batch.
    """

    def __init__(self, lesson, way, training):
        self._lesson, self._way = lesson, way
        self._names = named_weights.Names.of_training(training)
        self._dropped = [mask.name for mask in training.masks]
        self._own_step = getattr(lesson, way.step)

    def model(self):
        """A new model."""
        model = getattr(self._lesson, self._way.model)()
        if self._way.batch_norm_as == "keras":
            model = layers.as_keras(model)
        paths = {name: path for path, name in self._names.of(model).items()}
        for name in self._dropped:
            model.set_submodule(paths[name], layers.MaskedDropout())
        return model

    def drop(self, model, masks):
        """Let dropout multiply by these masks from now on."""
        dropping = [m for m in model.modules() if isinstance(m, layers.MaskedDropout)]
        for module, kept in zip(dropping, masks, strict=True):
            module.kept = kept

    def _step(self, model, optimizer, images, labels, *masks):
        self.drop(model, masks)
        return self._own_step(model, optimizer, images, labels)

    def optimizer(self, model):
        """A new optimizer for it."""
        made = getattr(self._lesson, self._way.makes_optimizer)(model)
        return optimizers.as_keras(made) if self._way.optimizer_as == "keras" else made

    def loss_and_gradients(self, model, *batch):
        """Loss of a batch, and a gradient for every parameter, None for one that is frozen."""
        model.train()
        loss = self._step(model, _Still(model), *batch)
        return loss, [parameter.grad for parameter in model.parameters()]

    def take_step(self, model, optimizer, *batch):
        """One step on a batch; the loss before it."""
        return self._step(model, optimizer, *batch)

    def train(self, model, optimizer, feed, on_step):
        """All steps.

        Args:
            model, optimizer: of this program.
            feed: what it trains on.
            on_step: called with (steps taken, loss before the last of them).
        """
        taken = 0

        def step(model, optimizer, *batch):
            nonlocal taken
            loss = self._step(model, optimizer, *batch)
            taken += 1
            on_step(taken, loss.item())
            return loss

        model.train()
        if not self._way.loop:
            for batch in feed.batches:
                step(model, optimizer, *batch)
                model.train()  # a look at the model may have left it in evaluation mode
            return
        with mock.patch.object(self._lesson, self._way.step, step):
            loop = getattr(self._lesson, self._way.loop)
            loop(model, optimizer, _Epochs(feed), feed.validation, feed.epochs)

    def predict(self, model, images, labels):
        """Probabilities of a batch and its mean loss."""
        predicted = getattr(self._lesson, self._way.predict)(model, images)
        loss, _ = getattr(self._lesson, self._way.evaluate)(model, [(images, labels)])
        return predicted, loss


class _Still:
    """An optimizer that moves nothing: what is left of a step are its gradients."""

    def __init__(self, model):
        self._model = model

    def zero_grad(self):
        """As every optimizer's."""
        self._model.zero_grad()

    def step(self):
        """Nothing."""


class _Epochs:
    """A loader that gives the next epoch each time it is gone through.

    Attributes:
        dataset: as long as that of a `DataLoader`.
    """

    def __init__(self, feed):
        self.dataset = range(feed.samples)
        self._batches, self._steps = iter(feed.batches), feed.steps

    def __len__(self):
        return self._steps

    def __iter__(self):
        return itertools.islice(self._batches, self._steps)
