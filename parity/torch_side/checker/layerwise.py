"""Layers only, by hooks: for a model that runs, but not under the tracer."""

import contextlib

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from parity.checker.graph.layerwise import UNTRACED
from parity.torch_side.checker.calls import flatten
from parity.torch_side.checker.helpers import leaves
from parity.torch_side.checker.noise import DROPOUT
from parity.torch_side.checker.refs import Ref
from parity.torch_side.checker.tracer import Tracer

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)


def is_layer(module):
    """Whether PyTorch wrote what this module computes."""
    forward = next(c for c in type(module).__mro__ if "forward" in vars(c))
    own = forward.__module__.startswith("torch.nn.modules.") and forward is not nn.Module
    return own and not isinstance(module, CONTAINERS)


class Layerwise(Tracer):
    """Sees what runs within PyTorch's own layers, and nothing between them.

    What reaches a layer, and nobody saw it come, is what another layer gave if it is the same
    memory or the same numbers; else one untraced node of the tensors that autograd has on the way
    to it, or, where there is no autograd, of what no layer has taken yet.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._depth, self._begun = 0, []

    @contextlib.contextmanager
    def everywhere(self):
        """While the model runs: nothing is seen but by the hooks."""
        before = {name: getattr(F, name) for name in DROPOUT if hasattr(F, name)}
        try:
            for name, function in before.items():
                setattr(F, name, self._seen(function))
            yield self
        finally:
            for name, function in before.items():
                setattr(F, name, function)
            if self._depth:  # a layer has raised, so that its hook was not called
                self._depth = 0
                self.__exit__(None, None, None)

    def _seen(self, function):
        """A dropout that is called as a function: it must not drop, and its rate is compared."""

        def watched(input, *args, **kwargs):
            if self._depth or not _plain(input):
                return function(input, *args, **kwargs)
            self._resolve(input)
            return self.run(function, input, *args, **kwargs)

        return watched

    def enter(self, module, args):
        """A module begins; within PyTorch's own all is seen."""
        self._begun.append(len(self.steps))
        if self._depth or not is_layer(module) or not all(map(_plain, flatten(args))):
            self._depth += bool(self._depth)
            super().enter(module, args)
            return
        for tensor in flatten(args):
            self._resolve(tensor)
        super().enter(module, args)
        self._depth = 1
        self.__enter__()

    def leave(self, module, args, output):
        """A module ends; one in which no layer was seen is opaque, as the tracer has it."""
        begun = self._begun.pop() if self._begun else 0
        if self._depth:
            self._depth -= 1
            if not self._depth:
                self.__exit__(None, None, None)
        elif len(self.steps) > begun or self.frames[-1].module is self.model:
            output = None  # its layers were seen
        elif not all(map(_plain, flatten((args, leaves(output))))):
            args = output = None  # of what is no array nothing can be kept
        else:
            for tensor in flatten(args):
                self._resolve(tensor)
        super().leave(module, args, output)

    def outcome(self, tensor):
        """What a tensor is that the model returns."""
        self._resolve(tensor)
        return self.ref(tensor)

    def finish(self, outputs):
        """What a layer gave, and nobody is known to have taken, goes into what is unseen next."""
        taken = {id(ref.root) for step in self.steps for ref in step.sources}
        taken |= {id(ref.root) for ref in outputs}
        for place, step in enumerate(self.steps):
            lost = [r for r in step.outputs if id(r) not in taken]
            unseen = [s for s in self.steps[place:] if s.settings.get("name") == UNTRACED]
            if unseen and len(lost) == len(step.outputs):
                unseen[0].sources += [Ref(root, root.shape) for root in lost]
        # In the order of execution, by which the other side's are told apart.
        order = {id(step): place for place, step in enumerate(self.steps)}
        for step in self.steps:
            if step.settings.get("name") == UNTRACED:
                step.sources.sort(key=lambda ref: order.get(id(ref.root.step), -1))

    def _appeared(self, tensor):
        self._resolve(tensor)

    def _resolve(self, tensor):
        """Say of a tensor that nobody saw being made where it comes from."""
        if not _plain(tensor) or self.table.get(tensor) is not None:
            return
        twin = self._equal(tensor)
        if twin is not None:
            self.table.set(tensor, twin.moved(twin.index().reshape(tensor.shape)))
            return
        given = [] if tensor.grad_fn is None else self.made_of(tensor)
        self.unseen(tensor, given or self._untaken(), UNTRACED, UNTRACED)

    def _equal(self, tensor):
        """What holds the same numbers in the same order, whatever their type."""
        if tensor.numel() < 2 or bool((tensor == tensor.reshape(-1)[0]).all()):
            return None  # by chance, too
        numbers = tensor.detach().reshape(-1).double()
        for other, ref in self.table.computed():
            if other.numel() != tensor.numel() or not _plain(other):
                continue
            if torch.equal(numbers, other.detach().reshape(-1).double()):
                return ref
        return None

    def _untaken(self):
        """The values that nothing has taken yet; the inputs if there is none."""
        taken = {id(ref.root) for step in self.steps for ref in step.sources}
        found = {}
        for tensor, ref in self.table.computed():
            if ref.ids is None and id(ref.root) not in taken:
                found.setdefault(id(ref.root), tensor)
        inputs = [t for t, ref in self.table.computed() if ref.root.kind == "input"]
        return list(found.values())[::-1] or inputs[::-1]


def _plain(tensor):
    """Whether it lies in memory as an array does."""
    odd = tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested
    return not odd and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
