"""Faults in the plumbing, of either framework, and twins with other words in them."""

import contextlib
import importlib
import linecache
import types
from unittest import mock

import numpy as np

from parity.recording import provenance
from parity.training import batches, recorder


def twin_with(package, example, changes):
    """The twin as a module of its own, with pieces of its text replaced."""
    text = (provenance.ROOT / package / f"{example}.py").read_text()
    for old, new in changes:
        assert old in text, f"{package}/{example}.py has no '{old}' any more: mend the fault"
        text = text.replace(old, new)
    name = f"<{package}.{example} with {len(changes)} changes: {hash(changes)}>"
    # TensorFlow's AutoGraph reads the source again; this is where it looks.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = types.ModuleType(f"{package}.{example}")
    module.__package__ = package
    exec(compile(text, name, "exec"), module.__dict__)
    return module


def planted(row, framework):
    """A context in which the plumbing's fault of a row is there, if it has one."""
    return globals()[row.plant](framework) if row and row.plant else contextlib.nullcontext()


def _in(module, name, replacement):
    """In the tool's part of a framework, which is imported where it is there."""
    return mock.patch.object(
        importlib.import_module(f"parity.torch_side.{module}"), name, replacement
    )


def rows_not_permuted(framework):
    """The kernel behind Flatten is taken over as it is."""
    names = importlib.import_module("parity.torch_side.named_weights").Names
    return mock.patch.object(names, "of_training", lambda training: names(training.layers))


def batch_norm_as_it_is(framework):
    """PyTorch's running variance where Keras' is asked for."""
    return _in("layers", "as_keras", lambda model: model)


def adam_with_epsilon(framework):
    """PyTorch's Adam with Keras' epsilon where Keras' Adam is asked for."""

    def as_keras(optimizer):
        (group,) = optimizer.param_groups
        group["eps"] = 1e-7
        return optimizer

    return _in("optimizers", "as_keras", as_keras)


def dropout_left_on(framework):
    """Half of the numbers are dropped in evaluation too."""
    masked = importlib.import_module("parity.torch_side.layers").MaskedDropout
    dropped = importlib.import_module("torch").nn.functional.dropout

    def forward(self, x):
        return x * self.kept if self.training else dropped(x, 0.5)

    return mock.patch.object(masked, "forward", forward)


def dropout_unscaled(framework):
    """Masks of 0 and 1."""
    masked = importlib.import_module("parity.torch_side.layers").MaskedDropout

    def forward(self, x):
        return x * (self.kept > 0) if self.training else x

    return mock.patch.object(masked, "forward", forward)


def copied_deviations(framework):
    """CIFAR-10 with deviations that are in wide use and are not those of the data set."""
    original = batches.scaled
    other, own = np.array([0.2023, 0.1994, 0.2010]), np.array([0.24703, 0.24349, 0.26159])

    def scaled(images, training, precision):
        return (original(images, training, precision) * (own / other)).astype(precision)

    stack = contextlib.ExitStack()
    for module in (batches, recorder):
        stack.enter_context(mock.patch.object(module, "scaled", scaled))
    return stack
