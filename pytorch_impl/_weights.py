"""Parameters by neutral name and layout: the one place where axes are converted."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn

from shared.errors import RecordingError
from shared.layouts import LAYOUTS, permute


class Named(NamedTuple):
    """A parameter, its neutral name ``hidden/kernel``, and the role that fixes its layout."""

    name: str
    role: str
    tensor: torch.Tensor


# Module type → attribute → (neutral name, role). A role that is not in LAYOUTS keeps its axes.
_ROLES = {
    nn.Linear: {"weight": ("kernel", "dense/kernel"), "bias": ("bias", "")},
    nn.Conv2d: {"weight": ("kernel", "conv2d/kernel"), "bias": ("bias", "")},
}


def named(model: nn.Module) -> Iterator[Named]:
    """Every parameter, in the order of ``model.parameters()``."""
    for path, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        roles = _ROLES.get(type(module), {name: (name, "") for name in own})
        for attribute, parameter in own.items():
            name, role = roles[attribute]
            yield Named(f"{path.replace('.', '_')}/{name}" if path else name, role, parameter)


def to_canonical(tensor, role):
    """A tensor as an array in canonical layout."""
    array = tensor.detach().cpu().numpy()
    return permute(array, LAYOUTS[role].torch, LAYOUTS[role].keras) if role in LAYOUTS else array


def from_canonical(array, role):
    """An array in canonical layout as PyTorch has it."""
    return permute(array, LAYOUTS[role].keras, LAYOUTS[role].torch) if role in LAYOUTS else array


@torch.no_grad()
def load(model, weights):
    """Copy arrays in canonical layout into the model's parameters.

    Raises:
        RecordingError: names or shapes that do not fit.
    """
    parameters = {p.name: p for p in named(model)}
    if set(parameters) != set(weights):
        raise RecordingError(
            f"The PyTorch model has parameters {sorted(parameters)}, the spec {sorted(weights)}: "
            "name the modules as the spec names its layers."
        )
    for name, (_, role, tensor) in parameters.items():
        array = from_canonical(weights[name], role)
        if array.shape != tuple(tensor.shape):
            raise RecordingError(
                f"{name} is {tuple(tensor.shape)} in the PyTorch model and {array.shape} in the "
                f"spec after conversion from {weights[name].shape}: mend one of them."
            )
        tensor.copy_(torch.from_numpy(array.copy()))
