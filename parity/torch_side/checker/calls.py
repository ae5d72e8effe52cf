"""One call of a torch function: its plain name, its arguments by name, and how one writes it."""

import ast
import functools
import numbers
import types

import torch

SWAPPED = {
    "rsub": "sub",
    "rtruediv": "div",
    "rdiv": "div",
    "rpow": "pow",
    "rmatmul": "matmul",
    "rfloordiv": "floor_divide",
    "rmod": "remainder",
}
RENAMED = {
    "truediv": "div",
    "true_divide": "div",
    "divide": "div",
    "multiply": "mul",
    "subtract": "sub",
    "radd": "add",
    "rmul": "mul",
    "iadd": "add",
    "isub": "sub",
    "imul": "mul",
    "itruediv": "div",
    "idiv": "div",
    "ipow": "pow",
    "imatmul": "matmul",
    "mod": "remainder",
    "floordiv": "floor_divide",
    "negative": "neg",
    "absolute": "abs",
    "fix": "trunc",
    "clip": "clamp",
    "concat": "cat",
    "concatenate": "cat",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "moveaxis": "movedim",
    "logsigmoid": "log_sigmoid",
    "special_expit": "sigmoid",
    "special_softmax": "softmax",
    "_softmax": "softmax",
    "log_softmax_": "log_softmax",
    "special_log_softmax": "log_softmax",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "not_equal": "ne",
    "upsample": "interpolate",
    "arctan": "atan",
    "special_erf": "erf",
    "float_power": "pow",
    "row_stack": "vstack",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "invert": "bitwise_not",
    "iand": "bitwise_and",
    "ior": "bitwise_or",
}
ALIASES = {"axis": "dim", "self": "input", "keepdims": "keepdim", "dims": "dim"}
KEPT = frozenset(
    (
        "getitem",
        "setitem",
        "iter",
        "bool",
        "int",
        "float",
        "long",
        "index",
        "len",
        "complex",
        "contains",
        "array",
        "format",
        "repr",
        "hash",
        "reversed",
    )
)
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@", "pow": "**"}


def split_names(text):
    """A list of names, written as one line."""
    return text.split()


@functools.cache
def function_name(func):
    """``__radd__``, ``add_``, ``torch.add`` are all ``add``; also whether operands are swapped."""
    name = str(getattr(func, "__name__", type(func).__name__)).split(".", maxsplit=1)[0]
    if name in ("__get__", "__set__"):
        owner = getattr(getattr(func, "__self__", None), "__name__", "attribute")
        return (owner if name == "__get__" else f"set {owner}"), False
    if name.startswith("__") and name.endswith("__"):
        core = name[2:-2]
        if core in KEPT:
            return name, False
        name = core
    elif name.endswith("_") and len(name) > 1:
        name = name[:-1]
    swapped = name in SWAPPED
    return SWAPPED.get(name, RENAMED.get(name, name)), swapped


@functools.cache
def _parsed(spec):
    fields = []
    for word in spec.split():
        name, _, default = word.partition("=")
        fields.append((name, bool(default), ast.literal_eval(default) if default else None))
    return tuple(fields)


def flatten(tree):
    """Every tensor in nested lists, tuples, dictionaries and slices, in order."""
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, (list, tuple)):
        for part in tree:
            yield from flatten(part)
    elif isinstance(tree, dict):
        # As Keras does, so that two dictionaries are compared key by key.
        for key in sorted(tree, key=str):
            yield from flatten(tree[key])
    elif isinstance(tree, slice):
        yield from flatten((tree.start, tree.stop, tree.step))


def mapped(tree, change):
    """The same nest with every leaf changed; what holds none that changes is itself."""
    if isinstance(tree, torch.Size):
        return tree
    if isinstance(tree, (list, tuple)):
        parts = [mapped(part, change) for part in tree]
        if _same(parts, tree):
            return tree
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, dict):
        parts = [mapped(part, change) for part in tree.values()]
        return tree if _same(parts, tree.values()) else dict(zip(tree, parts, strict=True))
    if isinstance(tree, slice):
        return slice(*(mapped(p, change) for p in (tree.start, tree.stop, tree.step)))
    return change(tree)


def _same(parts, before):
    return all(a is b for a, b in zip(parts, before, strict=True))


class Call:
    """A function and the arguments it was called with."""

    def __init__(self, func, args, kwargs):
        self.func, self.args, self.kwargs = func, tuple(args), dict(kwargs)
        self.name, self.swapped = function_name(func)
        seen = {}
        for tensor in flatten((self.args, self.kwargs)):
            seen.setdefault(id(tensor), tensor)
        self.tensors = list(seen.values())

    def __call__(self):
        """Do it, unseen by any tracer."""
        return self.func(*self.args, **self.kwargs)

    def bind(self, spec):
        """Arguments by name: ``call.bind("input dim=None keepdim=False")``."""
        named = {ALIASES.get(key, key): value for key, value in self.kwargs.items()}
        out = types.SimpleNamespace()
        for place, (name, optional, default) in enumerate(_parsed(spec)):
            if place < len(self.args):
                value = self.args[place]
            elif name in named:
                value = named[name]
            elif optional:
                value = default
            else:
                raise TypeError(f"{self.name}() lacks the argument {name}")
            setattr(out, name, value)
        return out

    @property
    def operands(self):
        """The two operands of a binary operation, left first."""
        values = [*self.args, *(v for k, v in self.kwargs.items() if k in ("other", "exponent"))]
        left, right = values[:2]
        return (right, left) if self.swapped else (left, right)

    def code(self):
        """The call as one would write it, tensors as x, y, z."""
        letters = iter("xyzuvwabcdefgh")
        names = {id(t): next(letters, "t") for t in self.tensors}

        def show(value):
            if isinstance(value, torch.Tensor):
                return names[id(value)]
            if isinstance(value, (list, tuple)) and any(True for _ in flatten(value)):
                return "[" + ", ".join(show(v) for v in value[:6]) + "]"
            text = repr(value)
            return text if len(text) <= 40 else text[:37] + "..."

        if self.name in SYMBOLS and len(self.args) == 2 and not self.kwargs:
            left, right = self.operands
            return f"{show(left)} {SYMBOLS[self.name]} {show(right)}"
        split_names = [show(a) for a in self.args]
        split_names += [f"{k}={show(v)}" for k, v in self.kwargs.items() if v is not None]
        return f"{_prefix(self.func)}{self.name}({', '.join(split_names)})"


def _prefix(func):
    module = getattr(func, "__module__", "") or ""
    if module == "torch.nn.functional" or "torch._C._nn" in str(getattr(func, "__self__", "")):
        return "F."
    return "torch."


def number(value):
    """A Python number, or None."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, numbers.Number) and not isinstance(value, complex):
        return value
    return None


@functools.cache
def opened(func):
    """A copy of a Python function of torch that does not hand itself over to the tracer.

    Calling it with the tracer on shows what it is made of. None for what is not Python.
    """
    if not isinstance(func, types.FunctionType):
        return None
    blind = {
        name: (lambda *_: False)
        for name in func.__globals__
        if name.startswith("has_torch_function")
    }
    if not blind:
        return None
    copy = types.FunctionType(
        func.__code__,
        {**func.__globals__, **blind},
        func.__name__,
        func.__defaults__,
        func.__closure__,
    )
    copy.__kwdefaults__ = func.__kwdefaults__
    return copy
