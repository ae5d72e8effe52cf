"""A run in which every constant of the user's code is off by half a unit of float32."""

import torch

from parity.checker.graph.nudge import nudged
from parity.torch_side.checker.calls import flatten, function_name, mapped
from parity.torch_side.checker.helpers import WIDE

_SIZES = frozenset(("interpolate", "grid_sample", "affine_grid", "rrelu", "dropout"))
"""Of these a number says how large, or how often."""


def arguments(t, func, args, kwargs):
    """What a call is given, where something computed is among it: its constants moved."""
    name = getattr(func, "__name__", "")
    writes = name.startswith("__i") or name == "__setitem__"
    writes |= name.endswith("_") and not name.endswith("__")
    tensors = list(flatten((args, kwargs)))
    if writes or function_name(func)[0] in _SIZES or all(t.fixed(x) for x in tensors):
        return args, kwargs

    def change(leaf):
        if isinstance(leaf, float):
            return float(nudged(leaf))
        return moved(t, leaf) if isinstance(leaf, torch.Tensor) and t.fixed(leaf) else leaf

    return mapped(args, change), mapped(kwargs, change)


def moved(t, tensor):
    """A constant moved, once; what shares memory with others, and whole numbers, stay."""
    known = id(tensor) in t.nudged or tensor.requires_grad
    if known or tensor.dtype not in (*WIDE, *WIDE.values()):
        return tensor
    other = torch.from_numpy(nudged(tensor.detach().numpy()))
    t.nudged[id(other)] = other
    return other


def weights(own, bindings, names):
    """Move weights of a model in place: `own` are its tensors by name."""
    with torch.no_grad():
        for behind in {n for name in names for n in bindings[name].names}:
            own[behind].copy_(torch.from_numpy(nudged(own[behind].detach().numpy())))
