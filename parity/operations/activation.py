"""A function with a name among layers: ReLU, GELU, softmax and their like."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from typing import Any

from parity.core.sides import Side
from parity.operations.code import argument, call, changed, function_name, named_as, written
from parity.operations.operation import (
    Operation,
    Settings,
    Shape,
    Suspicion,
    WrittenOperation,
    same,
)
from parity.reference import activations


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    """One name for what is the same function."""
    name = settings.get("name")
    unsaid = ("channels", "threshold") if name == "softplus" else ("channels",)
    shown = {k: settings[k] for k in unsaid if k in settings}
    wanted = activations.PARAMETERS.get(str(name), ())
    more = {
        **activations.DEFAULTS.get(str(name), {}),
        **{k: settings.get(k) for k in wanted if settings.get(k) is not None},
    }
    if name == "hard_tanh":
        name = "clip"
    if name == "clip":
        low, high = more.get("low"), more.get("high")
        limits = (0, None, 0, 6)
        if low == limits[0] and high is None:
            name, more = "relu", {}
        elif (low, high) == limits[2:]:
            name, more = "relu6", {}
        else:
            more = {"low": low, "high": high}
    if name == "leaky_relu" and more.get("slope") == 0:
        name, more = "relu", {}
    if name == "celu" and more.get("alpha") == 1:
        name = "elu"
    if name == "identity":
        name = "linear"
    return {"name": name, **more, **shown}


def _compare(a: Settings, b: Settings, roles: Collection[str], shape: Shape) -> list[Suspicion]:
    a, b = (activations.spoken(s) for s in (a, b))
    if same(a, b):
        return []
    keys = tuple(dict.fromkeys([*a, *b]))
    if a["name"] == b["name"] and {k for k in keys if not same(a.get(k), b.get(k))} == {"axis"}:
        return [Suspicion("axis", a["axis"], b["axis"], ("axis",))]
    learnt = ("alpha",) if "prelu" in (a["name"], b["name"]) else ()
    return [Suspicion("activation", a, b, keys, learnt)]


TORCH_ACTIVATIONS = {
    "relu": "nn.ReLU()",
    "relu6": "nn.ReLU6()",
    "selu": "nn.SELU()",
    "silu": "nn.SiLU()",
    "mish": "nn.Mish()",
    "sigmoid": "nn.Sigmoid()",
    "log_sigmoid": "nn.LogSigmoid()",
    "tanh": "nn.Tanh()",
    "softplus": "nn.Softplus()",
    "softsign": "nn.Softsign()",
    "hard_sigmoid": "nn.Hardsigmoid()",
    "hard_silu": "nn.Hardswish()",
    "tanh_shrink": "nn.Tanhshrink()",
    "linear": "nn.Identity()",
    "quick_gelu": "x * torch.sigmoid(1.702 * x)",
    "exponential": "torch.exp(x)",
}
KERAS_ACTIVATIONS = {
    **{
        name: name
        for name in (
            "relu",
            "relu6",
            "selu",
            "silu",
            "mish",
            "sigmoid",
            "log_sigmoid",
            "tanh",
            "softplus",
            "softsign",
            "hard_sigmoid",
            "hard_silu",
            "tanh_shrink",
            "linear",
            "exponential",
            "softmax",
            "log_softmax",
            "squareplus",
        )
    },
}


def line(settings: Mapping[str, Any], side: Side) -> str:
    """An activation as each framework spells it, as a layer."""
    name = str(settings["name"])
    arguments = {k: v for k, v in settings.items() if k not in ("name", "channels")}
    if side == "torch":
        own = {
            "leaky_relu": lambda: f"nn.LeakyReLU({arguments.get('slope', 0.01)!r})",
            "elu": lambda: f"nn.ELU({arguments.get('alpha', 1.0)!r})",
            "celu": lambda: f"nn.CELU({arguments.get('alpha', 1.0)!r})",
            "gelu": lambda: (
                'nn.GELU(approximate="tanh")' if arguments.get("approximate") else "nn.GELU()"
            ),
            "softmax": lambda: f"nn.Softmax(dim={arguments.get('axis', -1)})",
            "log_softmax": lambda: f"nn.LogSoftmax(dim={arguments.get('axis', -1)})",
            "hard_tanh": lambda: (
                f"nn.Hardtanh({arguments.get('low')!r}, {arguments.get('high')!r})"
            ),
            "clip": lambda: _clipped("torch", arguments.get("low"), arguments.get("high")),
            "prelu": lambda: "nn.PReLU()",
        }
        return _constructed(own, name, TORCH_ACTIVATIONS.get(name, f"{name}(x)"))
    own = {
        "leaky_relu": lambda: f"layers.LeakyReLU(negative_slope={arguments.get('slope', 0.01)!r})",
        "elu": lambda: f"layers.ELU(alpha={arguments.get('alpha', 1.0)!r})",
        "relu": lambda: "layers.ReLU()",
        "celu": lambda: f"ops.celu(x, alpha={arguments.get('alpha', 1.0)!r})",
        "gelu": lambda: f"ops.gelu(x, approximate={bool(arguments.get('approximate'))})",
        "softmax": lambda: f"layers.Softmax(axis={arguments.get('axis', -1)})",
        "log_softmax": lambda: f"ops.log_softmax(x, axis={arguments.get('axis', -1)})",
        "hard_tanh": lambda: f"ops.clip(x, {arguments.get('low')!r}, {arguments.get('high')!r})",
        "clip": lambda: _clipped("keras", arguments.get("low"), arguments.get("high")),
        "prelu": lambda: "layers.PReLU(shared_axes=[1, 2])",
        "quick_gelu": lambda: "x * ops.sigmoid(1.702 * x)",
    }
    return _constructed(own, name, f'layers.Activation("{KERAS_ACTIVATIONS.get(name, name)}")')


def _clipped(side: Side, low: float | None, high: float | None) -> str:
    """Cut off below, above, or both: neither `Hardtanh` nor TensorFlow takes None for an end."""
    if low is not None and high is not None:
        return (
            f"nn.Hardtanh({low!r}, {high!r})"
            if side == "torch"
            else f"ops.clip(x, {low!r}, {high!r})"
        )
    if side == "torch":
        return f"torch.clamp(x, min={low!r})" if high is None else f"torch.clamp(x, max={high!r})"
    return f"ops.maximum(x, {low!r})" if high is None else f"ops.minimum(x, {high!r})"


def _constructed(table: Mapping[str, Callable[[], str]], name: str, otherwise: str) -> str:
    return table[name]() if name in table else otherwise


def _corrected(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """The other function, as an argument of a layer or in place of the line."""
    settings, code = other.settings, mine.code
    if other.kind != "activation" or mine.settings == settings:
        return ""
    made = line(settings, side)
    if side == "torch":
        return made if code.startswith("nn.") else _as_function(made)
    both_leaky = settings["name"] == mine.settings["name"] == "leaky_relu"
    if both_leaky and function_name(code) == "leaky_relu":
        word = "alpha" if code.startswith("tf.nn.") else "negative_slope"
        return changed(code, {word: settings["slope"]})
    if "activation=" in code:
        return changed(code, {"activation": _as_argument(settings, made)})
    if settings["name"] == "clip" and function_name(code) in _LIMITS:
        return _limited(code, settings)
    return named_as(code, made)


_LIMITS = {"maximum": "low", "minimum": "high"}
"""Function of two operands → the limit of a clip that its second is."""


def _limited(code: str, settings: Settings) -> str:
    """A function that limits on one side, with another limit; '' where there are two."""
    own = _LIMITS[function_name(code)]
    limits = [key for key in ("low", "high") if settings.get(key) is not None]
    parsed = call(code)
    if parsed is None or len(parsed.args) != 2 or limits != [own]:
        return ""
    return f"{ast.unparse(parsed.func)}({ast.unparse(parsed.args[0])}, {settings[own]!r})"


def _as_function(made: str) -> str:
    """PyTorch's module as its function of ``x``; what has none is a module all the same."""
    parsed = call(made)
    name = function_name(made)
    if parsed is None or not made.startswith("nn.") or name in ("Identity", "PReLU"):
        return made
    words = [ast.unparse(a) for a in parsed.args]
    words += [f"{k.arg}={written(ast.literal_eval(k.value))}" for k in parsed.keywords]
    function = _FUNCTIONS.get(name, name.lower())
    return f"F.{function}({', '.join(['x', *words])})"


_FUNCTIONS = {"LeakyReLU": "leaky_relu", "LogSoftmax": "log_softmax"}
"""Module → its function, where that is not the same in small letters."""


def _as_argument(settings: Settings, made: str) -> str:
    """The function as Keras' ``activation=`` takes it; source code after a =."""
    name = settings["name"]
    if made.startswith('layers.Activation("'):
        return made.split('"')[1]
    if name == "relu" or (name == "gelu" and not settings.get("approximate")):
        return str(name)
    if name == "leaky_relu":
        return f"=keras.layers.LeakyReLU(negative_slope={settings['slope']!r})"
    return f"=lambda x: {made}" if "(x" in made else f"={made}"


def _axis(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """Along which axis; a softmax has it as an argument of its own."""
    axis = other.settings.get("axis")
    if "softmax" not in function_name(mine.code).lower():
        return ""
    if axis is not None and mine.moved:
        axis = _unswapped(axis, mine)
    word = "axis" if side == "keras" else "dim"
    return "" if axis is None else changed(mine.code, {word: axis})


def _unswapped(axis: int, mine: WrittenOperation) -> int | None:
    """An axis as the line counts it: TensorFlow's softmax swaps its own with the last one."""
    stated = argument(mine.code, "axis")
    if stated is None:
        return None
    try:
        own = int(ast.literal_eval(stated))
    except (TypeError, ValueError):
        return None
    last = len(mine.shape) - 1
    return last if axis == own % (last + 1) else axis


OPERATION = Operation(
    "activation",
    lambda s, p, x: activations.apply(s, p, x[0]),
    canonical=_canonical,
    compare=_compare,
    lines={
        "torch": lambda s, shape: line(s, "torch"),
        "keras": lambda s, shape: line(s, "keras"),
    },
    corrected={"activation": _corrected, "axis": _axis},
)
