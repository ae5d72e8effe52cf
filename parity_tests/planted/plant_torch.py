"""Faults in PyTorch programs. Each function returns a context in which the fault is there."""

from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side import named_weights
from parity.torch_side.optimizers import KerasAdam

from .plant_common import *  # noqa: F403
from .plant_common import replaced


def kernel_not_transposed(framework, twin):
    return mock.patch.object(
        named_weights.Named, "canonical", lambda self, t: t.detach().numpy().copy()
    )


def _with_layer(twin, name, change):
    original = twin.build_model

    def build_model():
        model = original()
        setattr(model, name, change(getattr(model, name)))
        return model

    return replaced(twin, "build_model", build_model)


def forward_transposes_kernel(framework, twin):
    def forward(self, x):
        weight = self.weight.t() if self.weight.shape == (16, 16) else self.weight
        return F.linear(x, weight, self.bias)

    return mock.patch.object(nn.Linear, "forward", forward)


def layers_swapped(framework, twin):
    def build_model():
        model = nn.Sequential()
        model.add_module("flatten", nn.Flatten())
        model.add_module("hidden", nn.Linear(784, 16))
        model.add_module("relu", nn.ReLU())
        model.add_module("second", nn.Linear(16, 16))
        model.add_module("first", nn.Linear(16, 16))
        model.add_module("logits", nn.Linear(16, 10))
        return model

    return replaced(twin, "build_model", build_model)


def leaky_relu(framework, twin):
    return _with_layer(twin, "relu", lambda old: nn.LeakyReLU(1e-4))


def _adam(twin, make):
    return replaced(twin, "keras_adam", lambda model: make(model.parameters()))


def learning_rate_1e6(framework, twin):
    return _adam(twin, lambda p: KerasAdam(p, lr=1e-3 * (1 + 1e-6)))


def beta1(framework, twin):
    return _adam(twin, lambda p: KerasAdam(p, betas=(0.91, 0.999)))


def beta2(framework, twin):
    return _adam(twin, lambda p: KerasAdam(p, betas=(0.9, 0.9991)))


def epsilon_placement(framework, twin):
    return _adam(twin, lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7))


def coupled_weight_decay(framework, twin):
    original = KerasAdam._update

    def update(self, parameter, gradient, group, state):
        original(self, parameter, gradient.add_(parameter, alpha=1e-4), group, state)

    return mock.patch.object(KerasAdam, "_update", update)


def _loss(twin, loss_of, *, clear=True, gradients_of=None):
    def loss_and_gradients(model, images, labels):
        if clear:
            model.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        gradients = [p.grad for p in model.parameters()]
        return loss, gradients_of(gradients) if gradients_of else gradients

    return replaced(twin, "loss_and_gradients", loss_and_gradients)


def _train_with(twin, loss_and_gradients):
    def train(model, batches, optimizer):
        for images, labels in batches:
            loss, _ = loss_and_gradients(model, images, labels)
            optimizer.step()
            yield loss

    return replaced(twin, "train", train)


def zero_grad_missing(framework, twin):
    def loss_and_gradients(model, images, labels):
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        return loss, None

    def train(model, batches, optimizer):
        model.zero_grad()
        for images, labels in batches:
            loss, _ = loss_and_gradients(model, images, labels)
            optimizer.step()
            yield loss

    return replaced(twin, "train", train)


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
    def train(model, batches, optimizer):
        for images, labels in batches:
            loss, _ = twin.loss_and_gradients(model, images, labels)
            optimizer.step()
            yield loss
        optimizer.step()
        yield loss

    return replaced(twin, "train", train)


def step_taken_twice(framework, twin):
    def train(model, batches, optimizer):
        for step, (images, labels) in enumerate(batches, 1):
            loss, _ = twin.loss_and_gradients(model, images, labels)
            optimizer.step()
            yield loss
            if step == 6:
                optimizer.step()

    return replaced(twin, "train", train)


NOISE = torch.Generator().manual_seed(20)
"""Every run goes on with it, so that no two have the same noise, and every test has."""


def unseeded_noise(framework, twin):
    def train(model, batches, optimizer):
        for images, labels in batches:
            loss, _ = twin.loss_and_gradients(model, images, labels)
            optimizer.step()
            yield loss
            with torch.no_grad():
                for parameter in model.parameters():
                    noise = torch.randn(parameter.shape, generator=NOISE, dtype=parameter.dtype)
                    parameter.add_(noise, alpha=1e-10)

    return replaced(twin, "train", train)


def evaluates_other_inputs(framework, twin):
    original = twin.evaluate
    return replaced(twin, "evaluate", lambda model, x, y: original(model, x * (1 + 1e-7), y))


def evaluates_in_bfloat16(framework, twin):
    original = twin.evaluate

    def evaluate(model, images, labels):
        if images.dtype == torch.float64:
            return original(model, images, labels)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            probabilities, loss = original(model, images, labels)
        return probabilities.float(), loss.float()

    return replaced(twin, "evaluate", evaluate)


def _from_step(twin, first, change):
    def train(model, batches, optimizer):
        for step, (images, labels) in enumerate(batches, 1):
            with change(step >= first and images.dtype == torch.float32, optimizer):
                loss, _ = twin.loss_and_gradients(model, images, labels)
            optimizer.step()
            yield loss

    return replaced(twin, "train", train)


def bfloat16_from_step_8(framework, twin):
    return _from_step(
        twin, 8, lambda on, _: torch.autocast("cpu", dtype=torch.bfloat16, enabled=on)
    )


def float32_rate_from_step_8(framework, twin):
    def change(on, optimizer):
        optimizer.param_groups[0]["lr"] = 0.9e-3 if on else 1e-3
        return mock.MagicMock()

    return _from_step(twin, 8, change)


def test_loss_accumulates(framework, twin):
    original, total = twin.evaluate, [0.0]

    def evaluate(model, images, labels):
        probabilities, loss = original(model, images, labels)
        total[0] += float(loss)
        return probabilities, loss * 0 + total[0]

    return replaced(twin, "evaluate", evaluate)


def smoothing_in_training_only(framework, twin):
    def train(model, batches, optimizer):
        for images, labels in batches:
            model.zero_grad()
            loss = F.cross_entropy(model(images), labels, label_smoothing=0.01)
            loss.backward()
            optimizer.step()
            yield loss

    return replaced(twin, "train", train)


def inplace_relu(framework, twin):
    """No fault: an honest variation that must agree."""
    return _with_layer(twin, "relu", lambda old: nn.ReLU(inplace=True))


def zero_grad_behind(framework, twin):
    """No fault: gradients cleared behind the step instead of before it."""

    def train(model, batches, optimizer):
        for images, labels in batches:
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            model.zero_grad()
            yield loss

    return replaced(twin, "train", train)


def one_hot_targets(framework, twin):
    """No fault: probabilities as targets instead of classes."""
    return _loss(
        twin, lambda logits, labels: F.cross_entropy(logits, F.one_hot(labels, 10).to(logits.dtype))
    )


def log_softmax_and_nll(framework, twin):
    """No fault: cross-entropy in two steps."""
    return _loss(twin, lambda logits, labels: F.nll_loss(F.log_softmax(logits, 1), labels))
