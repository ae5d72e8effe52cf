"""A model's large weights in files, in either precision; see `PagedWeights`."""

from collections import Counter

import torch
from torch import nn

from parity.checker.graph.storage import LARGE, PagedWeights

_WIDE = 2


class Paging:
    """The large weights of one model.

    Args:
        model: whose weights are in a file from now on.
        folder: where files may lie.
    """

    def __init__(self, model, folder):
        self.own = _large(model)
        room = sum(PagedWeights.room(p.nbytes) for p in self.own.values())
        self._single = PagedWeights(folder, room)
        self._double = PagedWeights(folder, _WIDE * room)
        self._twins, self._stale = {}, set(self.own)
        for parameter in self.own.values():
            parameter.data = self._filed(self._single, parameter, "float32")

    def changed(self, names=None):
        """These weights were written to, or any may have been."""
        self._stale |= set(self.own) if names is None else set(names) & set(self.own)

    def twins(self):
        """id of a weight → the same weight in float64: the memo of a deep copy of the model."""
        for name in self._stale:
            parameter, twin = self.own[name], self._twins.get(name)
            if twin is None:
                data = self._filed(self._double, parameter, "float64")
                self._twins[name] = nn.Parameter(data, requires_grad=parameter.requires_grad)
            else:
                with torch.no_grad():
                    twin.copy_(parameter)
                self.touch(twin)
            self.touch(parameter)
        self._stale = set()
        for name, twin in self._twins.items():
            twin.requires_grad_(self.own[name].requires_grad)
        return {id(self.own[name]): twin for name, twin in self._twins.items()}

    def touch(self, tensor):
        """A weight, or what lies beside it, was looked at."""
        pages = self._double if tensor.dtype == torch.float64 else self._single
        pages.touch(tensor.nbytes)

    def used(self, weights, output):
        """A module has run: its weights were looked at, and are once more on the way back."""
        weights = tuple(weights)

        def look(slope=None):
            for weight in weights:
                self.touch(weight)

        look()
        if weights and isinstance(output, torch.Tensor) and output.grad_fn is not None:
            output.register_hook(look)

    def _filed(self, pages, parameter, dtype):
        made = torch.from_numpy(pages.take(tuple(parameter.shape), dtype))
        made.copy_(parameter.detach())
        pages.touch(made.nbytes)
        return made


def _large(model):
    """Name → large weight whose memory nothing else of the model shares."""
    every = [v for m in model.modules() for v in vars(m).values() if isinstance(v, torch.Tensor)]
    every += [*model.parameters(), *model.buffers()]
    shared = Counter(place for t in {id(t): t for t in every}.values() if (place := _memory(t)))
    return {
        name: p
        for name, p in model.named_parameters()
        if type(p) is nn.Parameter
        and (p.dtype, p.device.type, p.layout) == (torch.float32, "cpu", torch.strided)
        and p.is_contiguous()
        and p.nbytes >= LARGE
        and p.untyped_storage().nbytes() == p.nbytes
        and shared[_memory(p)] == 1
    }


def _memory(tensor):
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError, ValueError):  # not made yet, or not in memory
        return 0
