"""Elementwise operations, reductions, products: everything that is no layer."""

import math

import torch
import torch.nn.functional as F  # noqa: N812

from parity.torch_side.checker.calls import flatten, split_names
from parity.torch_side.checker.tracer import handles

BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "pow": "power",
    "maximum": "maximum",
    "minimum": "minimum",
}
UNARY = split_names(
    "exp log sqrt rsqrt square abs neg sin cos tan asin acos atan sinh cosh asinh acosh atanh erf "
    "erfc erfinv expm1 log1p log2 log10 exp2 reciprocal sign floor ceil round trunc frac sgn "
    "digamma lgamma logit sinc deg2rad rad2deg nan_to_num isnan isinf isfinite logical_not "
    "bitwise_not tril triu softshrink hardshrink tanhshrink i0 argsort sort unique"
)
COMPARE = split_names(
    "eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or "
    "bitwise_xor isclose"
)
OTHER_BINARY = split_names("remainder fmod floor_divide atan2 hypot logaddexp xlogy cross copysign")
REDUCE = {
    "mean": "mean",
    "sum": "sum",
    "amax": "max",
    "amin": "min",
    "prod": "prod",
    "logsumexp": "logsumexp",
    "argmax": "argmax",
    "argmin": "argmin",
    "all": "all",
    "any": "any",
    "nanmean": "nanmean",
    "nansum": "nansum",
    "count_nonzero": "count_nonzero",
}


def two(t, c, left, right, settings):
    """Settings and sources of an operation on two operands, either of which may be a number."""
    number = t.scalar(right, left if isinstance(left, torch.Tensor) else None)
    if number is not None and isinstance(left, torch.Tensor) and not t.fixed(left):
        return {**settings, "scalar": number}, [left]
    number = t.scalar(left, right if isinstance(right, torch.Tensor) else None)
    if number is not None and isinstance(right, torch.Tensor):
        return {**settings, "scalar": number, "scalar_left": True}, [right]
    return settings, [left, right]


@handles(*BINARY)
def binary(t, c):
    """``x + y``, ``x * 2``, ``1 - x``."""
    left, right = c.operands
    alpha = c.kwargs.get("alpha", 1)
    inplace = c.func.__name__.endswith("_") and not c.func.__name__.endswith("__")
    if alpha != 1 and not inplace:
        if c.func.__name__ == "rsub":
            left = t.run(torch.mul, left, alpha)
        else:
            right = t.run(torch.mul, right, alpha)
        return t.run(getattr(torch, c.name), left, right)
    settings = {} if alpha == 1 else {"alpha": alpha}
    kind = BINARY[c.name]
    rounding = c.kwargs.get("rounding_mode")
    if rounding:
        kind, settings = "opaque", {"name": f"{rounding}_divide"}
    settings, sources = two(t, c, left, right, settings)
    return t.step(c, kind, settings, sources)


@handles(*COMPARE)
def compare(t, c):
    """Comparisons and logic."""
    settings, sources = two(t, c, *c.operands, {"name": c.name})
    return t.step(c, "compare", settings, sources)


@handles(*OTHER_BINARY)
def other_binary(t, c):
    """Two operands, not in the vocabulary."""
    settings, sources = two(t, c, *c.operands, {"name": c.name})
    return t.step(c, "opaque", settings, sources)


@handles(*UNARY)
def unary(t, c):
    """One tensor, elementwise."""
    extra = {f"argument_{k}": a for k, a in enumerate(c.args[1:]) if isinstance(a, (int, float))}
    extra |= {k: v for k, v in c.kwargs.items() if isinstance(v, (int, float, str))}
    kind = "opaque" if c.name in ("sort", "argsort", "unique") else "unary"
    return t.step(c, kind, {"name": c.name, **extra}, [c.tensors[0]])


@handles("clamp_min", "clamp_max", "clamp", "relu")
def clamp(t, c):
    """Clipping by numbers or tensors."""
    if c.name == "relu":
        return t.step(c, "activation", {"name": "relu"}, [c.tensors[0]])
    if c.name == "clamp":
        a = c.bind("input min=None max=None")
        low, high = a.min, a.max
    else:
        bound = c.args[1] if len(c.args) > 1 else c.kwargs.get(c.name[-3:])
        low, high = (bound, None) if c.name == "clamp_min" else (None, bound)
    x = c.args[0] if c.args else c.tensors[0]
    numbers = [None if b is None else t.scalar(b) for b in (low, high)]
    if all((b is None) == (n is None) for b, n in zip((low, high), numbers, strict=True)):
        settings = {"name": "clip", "low": numbers[0], "high": numbers[1]}
        if numbers == [0, None]:
            settings = {"name": "relu"}
        elif numbers == [0, 6]:
            settings = {"name": "relu6"}
        return t.step(c, "activation", settings, [x], name=settings["name"])
    for function, bound in ((torch.maximum, low), (torch.minimum, high)):
        if bound is not None:
            x = t.run(function, x, torch.as_tensor(bound, dtype=x.dtype))
    return x


def axes_of(dim, rank):
    """Axes as a sorted list of non-negative numbers; all of them for None."""
    if dim is None or dim == ():
        return list(range(rank))
    return sorted(d % max(rank, 1) for d in ([dim] if isinstance(dim, int) else dim))


@handles(*REDUCE)
def reduce(t, c):
    """Mean, sum and the like."""
    a = c.bind("input dim=None keepdim=False")
    dim = None if isinstance(a.dim, torch.dtype) else a.dim
    settings = {
        "mode": REDUCE[c.name],
        "axes": axes_of(dim, a.input.dim()),
        "keepdims": bool(a.keepdim),
    }
    return t.step(c, "reduce", settings, [a.input])


@handles("max", "min", "median", "mode", "kthvalue")
def extreme(t, c):
    """One name for three things: of all, along an axis with the places, of two tensors."""
    second = c.args[1] if len(c.args) > 1 else c.kwargs.get("other")
    if isinstance(second, torch.Tensor):
        return t.run(torch.maximum if c.name == "max" else torch.minimum, *c.tensors[:2])
    if c.name in ("mode", "kthvalue"):
        return t.step(c, "opaque", {"name": c.name}, c.tensors)
    a = c.bind("input dim=None keepdim=False")
    settings = {"mode": c.name, "axes": axes_of(a.dim, a.input.dim()), "keepdims": bool(a.keepdim)}
    return t.step(c, "reduce", settings, [a.input])


@handles("var", "std", "var_mean", "std_mean")
def spread(t, c):
    """Variance and standard deviation: `correction` 1 is the unbiased one, PyTorch's default."""
    a = c.bind("input dim=None")
    rest = c.args[2:]
    dim, correction = a.dim, c.kwargs.get("correction", 1)
    if isinstance(dim, bool):
        dim, correction = None, int(dim)
    if rest and isinstance(rest[0], bool):
        correction = int(rest[0])
    if "unbiased" in c.kwargs:
        correction = int(c.kwargs["unbiased"])
    keepdim = bool(c.kwargs.get("keepdim", rest[1] if len(rest) > 1 else False))
    if c.name.endswith("_mean"):
        own = {"dim": dim, "correction": correction, "keepdim": keepdim}
        first = t.run(getattr(torch, c.name[:3]), a.input, **own)
        every = axes_of(dim, a.input.dim())
        return first, t.run(torch.mean, a.input, every, keepdim)
    settings = {
        "mode": "variance" if c.name == "var" else "std",
        "keepdims": keepdim,
        "axes": axes_of(dim, a.input.dim()),
        "correction": correction,
    }
    return t.step(c, "reduce", settings, [a.input])


@handles("norm", "vector_norm", "linalg_vector_norm", "linalg_norm")
def norm(t, c):
    """A norm of the elements, not of a matrix."""
    first = "p='fro'" if c.name == "norm" else "ord=2" if "vector" in c.name else "ord=None"
    a = c.bind(f"input {first} dim=None keepdim=False")
    order = a.p if c.name == "norm" else a.ord
    if order in (None, "fro"):
        order = 2
    rank = a.input.dim()
    axes = axes_of(a.dim, rank)
    if not isinstance(order, (int, float)) or (
        c.name == "linalg_norm" and len(axes) == 2 and a.ord is not None
    ):
        return t.step(c, "opaque", {"name": c.name}, [a.input])
    settings = {"mode": "norm", "axes": axes, "keepdims": bool(a.keepdim), "order": float(order)}
    return t.step(c, "reduce", settings, [a.input])


@handles("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp")
def cumulative(t, c):
    """Running sums and the like."""
    a = c.bind("input dim")
    settings = {"name": c.name, "axis": a.dim % max(a.input.dim(), 1)}
    return t.step(c, "cumulative", settings, [a.input])


@handles("where")
def where(t, c):
    """``where(condition, x, y)``; either may be a number."""
    if len(c.args) + len(c.kwargs) == 1:
        return t.step(c, "opaque", {"name": "nonzero"}, c.tensors)
    if isinstance(c.args[0], torch.Tensor) and c.func is torch.Tensor.where:
        condition, x, y = c.args[1], c.args[0], c.args[2]
    else:
        a = c.bind("condition input other")
        condition, x, y = a.condition, a.input, a.other
    return _where(t, c, condition, x, y)


def _where(t, c, condition, x, y):
    settings, sources = {}, [condition]
    for key, value in (("then", x), ("otherwise", y)):
        settings[key] = t.scalar(value)
        if settings[key] is None:
            sources.append(value)
    return t.step(c, "where", settings, sources)


@handles("masked_fill")
def masked_fill(t, c):
    """A number where the mask is true."""
    a = c.bind("input mask value")
    return _where(t, c, a.mask, a.value, a.input)


@handles("matmul", "mm", "bmm", "mv", "dot", "inner", "vdot")
def matmul(t, c):
    """Products; with a plain parameter on the right a dense layer without a bias."""
    left, right = c.operands if c.name == "matmul" else c.args[:2]
    if c.name == "inner" and right.dim() > 1:
        right = t.run(torch.transpose, right, -1, -2)
        return t.run(torch.matmul, left, right)
    ref = t.ref(right)
    if right.dim() == 2 and left.dim() >= 2 and ref.root.kind == "parameter":
        binding = t.bindings.product(ref)
        if binding is not None:
            settings = {"units": right.shape[1], "bias": False}
            return t.step(c, "dense", settings, [left], bound={"kernel": binding})
    settings = {"transpose_left": False, "transpose_right": False, "scale": 1.0}
    return t.step(c, "matmul", settings, [left, right])


@handles("addmm", "baddbmm", "addmv", "addbmm", "addr")
def added_product(t, c):
    """A product and a sum in one call."""
    if c.name in ("addbmm", "addr"):
        return t.step(c, "opaque", {"name": c.name}, c.tensors)
    x, left, right = c.tensors[:3] if len(c.args) < 3 else c.args[:3]
    product = t.run(torch.matmul, left, right)
    alpha, beta = c.kwargs.get("alpha", 1), c.kwargs.get("beta", 1)
    if alpha != 1:
        product = t.run(torch.mul, product, alpha)
    if beta == 0:
        return product
    if beta != 1:
        x = t.run(torch.mul, x, beta)
    return t.run(torch.add, product, x)


@handles("addcmul", "addcdiv", "lerp")
def combined(t, c):
    """Two operations in one call."""
    first, second, third = c.args[:3]
    if c.name == "lerp":
        apart = t.run(torch.sub, second, first)
        return t.run(torch.add, first, t.run(torch.mul, apart, third))
    inner = t.run(torch.mul if c.name == "addcmul" else torch.div, second, third)
    if c.kwargs.get("value", 1) != 1:
        inner = t.run(torch.mul, inner, c.kwargs["value"])
    return t.run(torch.add, first, inner)


@handles("einsum")
def einsum(t, c):
    """A product of two becomes moves and a matmul; what is more stays an einsum."""
    equation = c.args[0]
    operands = c.args[1] if isinstance(c.args[1], (list, tuple)) else c.args[1:]
    plan = _product_plan(equation, operands) if isinstance(equation, str) else None
    if plan is None:
        return t.step(c, "einsum", {"equation": str(equation)}, list(flatten(operands)))
    batch, rows, inner, columns, left, right, out = plan
    sizes = dict(zip(left, operands[0].shape, strict=True))
    sizes |= dict(zip(right, operands[1].shape, strict=True))

    def arranged(x, have, apart, *joined):
        x = t.run(torch.Tensor.permute, x, [have.index(k) for k in apart + "".join(joined)])
        shape = [sizes[k] for k in apart] + [math.prod(sizes[k] for k in g) for g in joined]
        return t.run(torch.reshape, x, shape)

    # Without a batch the left keeps its axes, as under a dense layer.
    a = arranged(operands[0], left, *((batch, rows) if batch else (rows,)), inner)
    b = arranged(operands[1], right, batch, inner, columns)
    product = t.run(torch.matmul, a, b)
    whole = batch + rows + columns
    product = t.run(torch.reshape, product, [sizes[k] for k in whole])
    return t.run(torch.Tensor.permute, product, [whole.index(k) for k in out])


def _product_plan(equation, operands):
    equation = equation.replace(" ", "")
    if len(operands) != 2 or "." in equation or "->" not in equation:
        return None
    terms, out = equation.split("->")
    left, right = terms.split(",")
    if any(len(set(x)) != len(x) for x in (left, right, out)):
        return None
    batch = "".join(k for k in left if k in right and k in out)
    inner = "".join(k for k in left if k in right and k not in out)
    rows = "".join(k for k in left if k not in right)
    columns = "".join(k for k in right if k not in left)
    if not inner or not set(rows + columns) <= set(out) or not set(out) <= set(left + right):
        return None
    return batch, rows, inner, columns, left, right, out


@handles("glu")
def glu(t, c):
    """Half of it times the sigmoid of the other half."""
    a = c.bind("input dim=-1")
    first, second = t.run(torch.chunk, a.input, 2, a.dim)
    return t.run(torch.mul, first, t.run(torch.sigmoid, second))


@handles("softmin")
def softmin(t, c):
    """Softmax of the negative."""
    a = c.bind("input dim=-1")
    return t.run(F.softmax, t.run(torch.neg, a.input), dim=a.dim)
