"""Faults in PyTorch programs. Each function returns a context in which the fault is there."""

import contextlib
import itertools
from collections import OrderedDict
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side import named_weights, optimizers
from parity.torch_side.optimizers import KerasAdam
from parity.torch_side.program import Program

from .plant_common import *  # noqa: F403
from .plant_common import replaced


def kernel_not_transposed(framework, twin):
    return mock.patch.object(
        named_weights.Named, "canonical", lambda self, t: t.detach().numpy().copy()
    )


def _with_relu(twin, relu):
    original = twin.build_model

    def build_model():
        model = original()
        model[2] = relu
        return model

    return replaced(twin, "build_model", build_model)


def forward_transposes_kernel(framework, twin):
    def forward(self, x):
        weight = self.weight.t() if self.weight.shape == (16, 16) else self.weight
        return F.linear(x, weight, self.bias)

    return mock.patch.object(nn.Linear, "forward", forward)


def layers_swapped(framework, twin):
    def build_model():
        return nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),
                hidden=nn.Linear(784, 16),
                relu=nn.ReLU(),
                second=nn.Linear(16, 16),
                first=nn.Linear(16, 16),
                logits=nn.Linear(16, 10),
            )
        )

    return replaced(twin, "build_model", build_model)


def leaky_relu(framework, twin):
    return _with_relu(twin, nn.LeakyReLU(1e-4))


def _adam(make):
    return mock.patch.object(
        optimizers, "as_keras", lambda own: make(own.param_groups[0]["params"])
    )


def learning_rate_1e6(framework, twin):
    return _adam(lambda p: KerasAdam(p, lr=1e-3 * (1 + 1e-6)))


def beta1(framework, twin):
    return _adam(lambda p: KerasAdam(p, betas=(0.91, 0.999)))


def beta2(framework, twin):
    return _adam(lambda p: KerasAdam(p, betas=(0.9, 0.9991)))


def epsilon_placement(framework, twin):
    return _adam(lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7))


def coupled_weight_decay(framework, twin):
    original = KerasAdam._update

    def update(self, parameter, gradient, group, state):
        original(self, parameter, gradient.add_(parameter, alpha=1e-4), group, state)

    return mock.patch.object(KerasAdam, "_update", update)


def _loss(twin, loss_of, *, gradients_of=None):
    def train_step(model, optimizer, images, labels):
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        if gradients_of:
            every = list(model.parameters())
            for parameter, gradient in zip(
                every, gradients_of([p.grad for p in every]), strict=True
            ):
                parameter.grad = gradient
        optimizer.step()
        return loss

    return replaced(twin, "train_step", train_step)


def _in_training(change):
    """The fault is in the training alone, not in the first look at loss and gradients.

    Args:
        change: given the lesson's step, the step of one training.
    """
    original = Program.train

    def train(self, *args):
        step = change(self._own_step)
        with mock.patch.object(self, "_own_step", step):
            original(self, *args)

    return mock.patch.object(Program, "train", train)


def zero_grad_missing(framework, twin):
    def train_step(model, optimizer, images, labels):
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return replaced(twin, "train_step", train_step)


def labels_shifted_in_loss(framework, twin):
    return _loss(twin, lambda logits, labels: F.cross_entropy(logits, labels.roll(1)))


def softmax_twice(framework, twin):
    return _loss(twin, lambda logits, labels: F.cross_entropy(logits.softmax(1), labels))


def sum_instead_of_mean(framework, twin):
    return _loss(twin, lambda logits, labels: F.cross_entropy(logits, labels, reduction="sum"))


def nan_in_loss(framework, twin):
    return _loss(twin, lambda logits, labels: F.cross_entropy(logits, labels) * float("nan"))


def bias_gradient_dropped(framework, twin):
    return _loss(twin, F.cross_entropy, gradients_of=lambda g: [*g[:-1], None])


def bias_gradient_zero(framework, twin):
    return _loss(
        twin, F.cross_entropy, gradients_of=lambda g: [*g[:3], torch.zeros_like(g[3]), *g[4:]]
    )


def bfloat16_products(framework, twin):
    original = nn.Linear.forward

    def forward(self, x):
        if x.dtype == torch.float64:
            return original(self, x)
        return F.linear(x.bfloat16(), self.weight.bfloat16()).float() + self.bias

    return mock.patch.object(nn.Linear, "forward", forward)


def extra_step(framework, twin):
    original = Program.train

    def train(self, model, optimizer, feed, on_step):
        losses = []

        def seen(step, loss):
            losses.append(loss)
            on_step(step, loss)

        original(self, model, optimizer, feed, seen)
        optimizer.step()
        on_step(len(losses) + 1, losses[-1])

    return mock.patch.object(Program, "train", train)


def step_taken_twice(framework, twin):
    def change(step):
        count = itertools.count(1)

        def twice(model, optimizer, *batch):
            if next(count) == 7:  # once more what the sixth did
                optimizer.step()
            return step(model, optimizer, *batch)

        return twice

    return _in_training(change)


NOISE = torch.Generator().manual_seed(20)
"""Every run goes on with it, so that no two have the same noise, and every test has."""


def unseeded_noise(framework, twin):
    def change(step):
        count = itertools.count(1)

        def noisy(model, optimizer, *batch):
            if next(count) > 1:  # behind the step before
                with torch.no_grad():
                    for parameter in model.parameters():
                        noise = torch.randn(parameter.shape, generator=NOISE, dtype=parameter.dtype)
                        parameter.add_(noise, alpha=1e-10)
            return step(model, optimizer, *batch)

        return noisy

    return _in_training(change)


@contextlib.contextmanager
def evaluates_other_inputs(framework, twin):
    evaluate, predict = twin.evaluate, twin.predict

    def off(x):
        return x * (1 + 1e-7)

    def other(model, loader):
        return evaluate(model, [(off(x), y) for x, y in loader])

    with mock.patch.multiple(twin, evaluate=other, predict=lambda m, x: predict(m, off(x))):
        yield


def evaluates_in_bfloat16(framework, twin):
    original = twin.predict

    def predict(model, images):
        if images.dtype == torch.float64:
            return original(model, images)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return original(model, images).float()

    return replaced(twin, "predict", predict)


def bfloat16_from_step_8(framework, twin):
    def change(step):
        count = itertools.count(1)

        def coarse(model, optimizer, images, labels):
            on = next(count) >= 8 and images.dtype == torch.float32
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=on):
                return step(model, optimizer, images, labels)

        return coarse

    return _in_training(change)


def float32_rate_from_step_8(framework, twin):
    def change(step):
        count = itertools.count(1)

        def slower(model, optimizer, images, labels):
            if next(count) == 8 and images.dtype == torch.float32:
                optimizer.param_groups[0]["lr"] = 0.9e-3
            return step(model, optimizer, images, labels)

        return slower

    return _in_training(change)


def test_loss_accumulates(framework, twin):
    original, total = twin.evaluate, [0.0]

    def evaluate(model, loader):
        loss, accuracy = original(model, loader)
        total[0] += loss
        return total[0], accuracy

    return replaced(twin, "evaluate", evaluate)


def smoothing_in_training_only(framework, twin):
    def smoothed(model, optimizer, images, labels):
        loss = F.cross_entropy(model(images), labels, label_smoothing=0.01)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return _in_training(lambda step: smoothed)


def inplace_relu(framework, twin):
    """No fault: an honest variation that must agree."""
    return _with_relu(twin, nn.ReLU(inplace=True))


def zero_grad_behind(framework, twin):
    """No fault: gradients cleared behind the step instead of before it."""

    def cleared(model, optimizer, images, labels):
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return _in_training(lambda step: cleared)


def one_hot_targets(framework, twin):
    """No fault: probabilities as targets instead of classes."""
    return _loss(
        twin, lambda logits, labels: F.cross_entropy(logits, F.one_hot(labels, 10).to(logits.dtype))
    )


def log_softmax_and_nll(framework, twin):
    """No fault: cross-entropy in two steps."""
    return _loss(twin, lambda logits, labels: F.nll_loss(F.log_softmax(logits, 1), labels))
