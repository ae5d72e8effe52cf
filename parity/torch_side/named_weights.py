"""Parameters by neutral name and layout: the one place where axes are converted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from parity.core.axis_layouts import LAYOUTS, permute
from parity.core.errors import RecordingError
from parity.spec.example import Training

IMAGES = LAYOUTS["images"]


class Named(NamedTuple):
    """A parameter or buffer with all that its layout depends on.

    Attributes:
        name: neutral name ``hidden/kernel``.
        role: role in LAYOUTS; one that is not there keeps its axes.
        tensor: the parameter itself.
        trainable: a parameter with a gradient; buffers and what is frozen have none.
        flattened: ``(h, w, channel)`` of the image whose flattened rows a dense kernel takes.
    """

    name: str
    role: str
    tensor: torch.Tensor
    trainable: bool
    flattened: tuple[int, int, int] | None

    def canonical(self, tensor):
        """A tensor shaped as this parameter, as an array of its own in canonical layout."""
        array = tensor.detach().cpu().numpy()
        if self.flattened is not None:
            h, w, c = self.flattened
            array = array.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(len(array), -1)
        if self.role in LAYOUTS:
            array = permute(array, LAYOUTS[self.role].torch, LAYOUTS[self.role].keras)
        return np.array(array)

    def native(self, array):
        """An array in canonical layout as PyTorch has it."""
        if self.role in LAYOUTS:
            array = permute(array, LAYOUTS[self.role].keras, LAYOUTS[self.role].torch)
        if self.flattened is not None:
            h, w, c = self.flattened
            array = array.reshape(-1, h, w, c).transpose(0, 3, 1, 2).reshape(len(array), -1)
        return np.array(array)


_NORMALISATION = {
    "weight": ("gamma", ""),
    "bias": ("beta", ""),
    "running_mean": ("moving_mean", ""),
    "running_var": ("moving_variance", ""),
}
# Module type → attribute → (neutral name, role); a subclass has its base's.
_ROLES = {
    nn.Linear: {"weight": ("kernel", "dense/kernel"), "bias": ("bias", "")},
    nn.Conv2d: {"weight": ("kernel", "conv2d/kernel"), "bias": ("bias", "")},
    nn.BatchNorm1d: _NORMALISATION,
    nn.BatchNorm2d: _NORMALISATION,
}


@dataclass(frozen=True)
class Names:
    """What the layers of a model are called on both sides.

    Attributes:
        layers: neutral names in the order of the model's layers; a lesson need not know them.
        flattened: name of a dense kernel → ``(h, w, channel)`` of the flattened image before it.
    """

    layers: tuple[str, ...] = ()
    flattened: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    @classmethod
    def of_training(cls, training: Training) -> Names:
        """The names that a spec gives."""
        flattened = {p.name: p.flattened for p in training.parameters if p.flattened}
        return cls(training.layers, flattened)

    def of(self, model: nn.Module) -> dict[str, str]:
        """Path of every layer, a module without modules of its own → its neutral name.

        Raises:
            RecordingError: the model has not as many layers as there are names.
        """
        leaves = [path for path, m in model.named_modules() if path and not list(m.children())]
        own = [path.replace(".", "_") for path in leaves]
        if not self.layers or set(own) <= set(self.layers):  # its own attributes say the same
            return dict(zip(leaves, own, strict=True))
        if len(own) != len(self.layers):
            raise RecordingError(
                f"The PyTorch model has the layers {own}, the spec {list(self.layers)}: mend one "
                "of them; they are paired in order."
            )
        return dict(zip(leaves, self.layers, strict=True))


def named(model: nn.Module, names: Names) -> Iterator[Named]:
    """Every parameter, in the order of ``model.parameters()``, with the buffers of its module."""
    layers = names.of(model)
    for path, module in model.named_modules():
        roles = next((r for kind, r in _ROLES.items() if isinstance(module, kind)), {})
        parameters = dict(module.named_parameters(recurse=False))
        # A count of batches is no statistic that both frameworks keep.
        buffers = {k: b for k, b in module.named_buffers(recurse=False) if k in roles}
        for attribute, tensor in (parameters | buffers).items():
            own, role = roles.get(attribute, (attribute, ""))
            name = f"{layers.get(path, path.replace('.', '_'))}/{own}" if path else own
            trainable = attribute in parameters and tensor.requires_grad
            yield Named(name, role, tensor, trainable, names.flattened.get(name))


@torch.no_grad()
def load(model, weights, names):
    """Copy arrays in canonical layout into the model's parameters and buffers.

    Raises:
        RecordingError: names or shapes that do not fit.
    """
    parameters = {p.name: p for p in named(model, names)}
    if set(parameters) != set(weights):
        raise RecordingError(
            f"The PyTorch model has parameters {sorted(parameters)}, the spec {sorted(weights)}: "
            "mend one of them."
        )
    for name, parameter in parameters.items():
        array = parameter.native(weights[name])
        if array.shape != tuple(parameter.tensor.shape):
            raise RecordingError(
                f"{name} is {tuple(parameter.tensor.shape)} in the PyTorch model and "
                f"{array.shape} in the spec after conversion from {weights[name].shape}: mend one "
                "of them."
            )
        parameter.tensor.copy_(torch.from_numpy(array))


def channels_first(array):
    """Images ``(batch, h, w, channel)`` as PyTorch has them; other arrays as they are."""
    return permute(array, IMAGES.keras, IMAGES.torch) if array.ndim == 4 else array


def channels_last(array):
    """Images ``(batch, channel, h, w)`` in canonical layout; other arrays as they are."""
    return permute(array, IMAGES.torch, IMAGES.keras) if array.ndim == 4 else array


def canonical_output(module, taken, given):
    """A module's output in canonical layout; flattened images are flattened in that order."""
    if isinstance(module, nn.Flatten) and taken.ndim == 4:
        last = channels_last(taken.detach().cpu().numpy())
        return np.array(last.reshape(len(last), -1))
    return np.array(channels_last(given.detach().cpu().numpy()))
