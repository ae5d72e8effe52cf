"""Small things that the tracer asks of calls, tensors and modules."""

import torch

from parity.torch_side.checker.calls import function_name, mapped

WIDE = {torch.float32: torch.float64, torch.complex64: torch.complex128}
HALVES = (torch.float16, torch.bfloat16)


def versions(tensors):
    """(tensor, version) of each, to see later which were written in place."""
    return [(t, t._version) for t in tensors if not t.is_inference()]


def changed(before):
    """Tensors that were written since."""
    return [t for t, version in before or () if t._version != version]


def is_leaf(module):
    """A layer of ``torch.nn``, or one derived from it, that holds no others."""
    return not list(module.children()) and any(
        kind.__module__.startswith("torch.nn.modules.")
        and kind.__module__ not in ("torch.nn.modules.module", "torch.nn.modules.container")
        for kind in type(module).__mro__
    )


def slopes(loss, wanted, taken=None):
    """The gradient of each, None where there is none.

    Args:
        loss: a number.
        wanted: tensors.
        taken: place in `wanted` → function that is given that gradient as soon as it is there; what
            is returned in its place has its shape, and takes no memory.
    """
    if not loss.requires_grad:
        return [None] * len(wanted)
    if not _reentrant(loss):
        hooks = [wanted[k].register_hook(_taken(take)) for k, take in (taken or {}).items()]
        try:
            return list(torch.autograd.grad(loss, wanted, allow_unused=True))
        finally:
            for hook in hooks:
                hook.remove()
    for x in wanted:  # such a checkpoint knows of no gradients but those that tensors keep
        x.grad = None
        x.retain_grad()
    loss.backward()
    found = [x.grad for x in wanted]
    for x in wanted:
        x.grad = None
    for k, take in (taken or {}).items():
        if found[k] is not None:
            take(found[k])
    return found


def _taken(take):
    def hook(slope):
        take(slope)
        return slope.new_zeros(()).expand(slope.shape)

    return hook


def _reentrant(loss):
    """Whether a part of it is computed again on the way back, by a backward of its own."""
    waiting, seen = [loss.grad_fn], set()
    while waiting:
        function = waiting.pop()
        if function is None or function in seen:
            continue
        if type(function).__name__ == "CheckpointFunctionBackward":
            return True
        seen.add(function)
        waiting += [f for f, _ in function.next_functions]
    return False


def module_code(module):
    """``nn.BatchNorm2d(64, eps=1e-05, …)``."""
    text = " ".join(repr(module).split())
    return f"nn.{text}" if type(module).__module__.startswith("torch.nn.") else text


def plain_arguments(call):
    words = {f"argument_{k}": v for k, v in enumerate(call.args)} | call.kwargs
    return {k: v for k, v in words.items() if isinstance(v, (bool, int, float, str))}


def _hard_sigmoid(x, inplace=False):
    """Its own way back takes a sixth that float32 has rounded."""
    return torch.clamp(x + 3, 0, 6) / 6


def _softplus(x, beta=1.0, threshold=20.0):
    """Above 20 it is linear: two billionths off, which float64 sees and float32 does not."""
    return torch.logaddexp(beta * x, torch.zeros_like(x)) / beta


def _celu(x, alpha=1.0, inplace=False):
    """Its own way back takes one over alpha that float32 has rounded."""
    return torch.clamp(x, min=0) + alpha * torch.expm1(torch.clamp(x, max=0) / alpha)


EXACT = {"hardsigmoid": _hard_sigmoid, "softplus": _softplus, "celu": _celu}
for _name, _function in EXACT.items():
    _function.__name__ = _name  # what they stand for


def widened(func, args, kwargs):
    """A call that asks for float32 by name asks for float64; half precision stays what it is."""

    def change(leaf):
        return WIDE.get(leaf, leaf) if isinstance(leaf, torch.dtype) else leaf

    func = EXACT.get(function_name(func)[0], func)
    if func is torch.Tensor.float:
        func = torch.Tensor.double
    return func, mapped(args, change), mapped(kwargs, change)


class Label:
    """While this lasts, nodes and parameters are called so."""

    def __init__(self, labels, label):
        self.labels, self.label = labels, label

    def __enter__(self):
        self.labels.append(self.label)

    def __exit__(self, *_):
        self.labels.pop()


def overwritten(old, new, hits):
    """What is left of a tensor that was written through another."""
    return torch.where(hits >= 0, new.reshape(-1)[hits.clamp(min=0)], old)


def not_alone():
    """In place of a function that was not seen."""
    raise RuntimeError("the function that computes it was not seen")


def joined(*parts):
    """A path of those that are not empty."""
    return ".".join(p for p in parts if p)


def leaves(output):
    """What may hold tensors in what a module returns."""
    if isinstance(output, (torch.Tensor, list, tuple, dict)):
        return output
    return list(vars(output).values()) if hasattr(output, "__dict__") else []
