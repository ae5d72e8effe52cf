"""Trainings with PyTorch's own defaults: `parity.native.running.Native`, function by function.

What a user's program would have: layers initialise themselves, `DataLoader` shuffles, Adam is
`torch.optim.Adam`, BatchNorm and dropout are `torch.nn`'s.
"""

import importlib

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from parity.core.sides import LESSON_PACKAGES
from parity.native.running import run_training
from parity.native.summary import Summary
from parity.torch_side import layers, optimizers
from parity.torch_side.fast_path import LONGEST, Steps


def train_setting(suite, framework, example, setting, *, seed, size, **more) -> Summary:
    """Train one setting of an example; `run_training` takes the rest."""
    twin = importlib.import_module(f"{LESSON_PACKAGES[framework.side]}.{example}")
    return run_training(
        suite, framework, Native(), twin, setting, example=example, seed=seed, size=size, **more
    )


class Native:
    """PyTorch's defaults."""

    def build(self, build, *, seed, initialiser, norm, dropout_seed):
        """A model whose modules have initialised themselves."""
        torch.manual_seed(seed)
        model = build()
        if initialiser == "other":
            torch.manual_seed(seed)
            model.apply(_as_keras)
        for name, module in list(model.named_modules()):
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and norm:
                model.set_submodule(name, _normalised(module, **norm))
        return model

    def optimizer(self, made, choice):
        """The optimizer of the twin's name and learning rate, as imported; or Keras' equation."""
        if choice == "matched":
            return made
        name = type(made).__name__.removeprefix("Keras")
        kind = getattr(torch.optim, name)
        if choice == "other":
            kind = getattr(optimizers, f"Keras{name}")
        group = made.param_groups[0]
        return kind(group["params"], lr=group["lr"])

    def order(self, samples, epochs, seed, choice):
        """`DataLoader`'s permutations; or, as with a seeded `fit`, the first of them again."""
        torch.manual_seed(seed)
        loader = DataLoader(range(samples), batch_size=samples, shuffle=True, collate_fn=np.array)
        rows = [next(iter(loader)) for _ in range(1 if choice == "other" else epochs)]
        return np.stack(rows * (epochs // len(rows)))

    def step(self, gradients, model, optimizer, *batch):
        """One step on one batch."""
        gradients(model, *batch)
        optimizer.step()

    def train(self, feed, model, optimizer):
        """All steps, by the fast path."""
        batches, losses = feed.batches, []
        images, labels = torch.from_numpy(batches.everything), torch.from_numpy(batches.labels)
        steps = Steps(
            feed.program.loss_and_gradients,
            model,
            optimizer,
            images,
            labels,
            channels_last=feed.fast.channels_last,
        )
        torch.manual_seed(feed.seed)
        for start, stop in batches.stretches({1}, LONGEST):
            masks = batches.masks(start, stop) if feed.masked else []
            order = torch.from_numpy(np.stack(batches.order[start:stop]))
            losses.append(steps(order, [torch.from_numpy(mask) for mask in masks]).numpy())
            if start == 0:
                feed.on_first()
            feed.progress(stop, len(batches))
        return feed.epoch_losses(np.concatenate(losses))


def _as_keras(module):
    """Glorot-uniform kernel, zero bias."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _normalised(old, epsilon=None, momentum=None, unbiased=None):
    """A BatchNorm with other settings and the same weights."""
    biased = type(old).__name__.startswith("Keras") if unbiased is None else not unbiased
    dimensions = 1 if isinstance(old, nn.BatchNorm1d) else 2
    kind = getattr(layers if biased else nn, f"{'Keras' * biased}BatchNorm{dimensions}d")
    new = kind(
        old.num_features,
        eps=old.eps if epsilon is None else epsilon,
        momentum=old.momentum if momentum is None else momentum,
    )
    new.load_state_dict(old.state_dict())
    new.train(old.training)
    for parameter, own in zip(old.parameters(), new.parameters(), strict=True):
        own.requires_grad_(parameter.requires_grad)
    return new
