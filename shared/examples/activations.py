"""Spec of the activations: values and slopes, on a grid and at the extremes."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Curves, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers
from shared.initial_weights import drawn

Array = NDArray[Any]
Reference = Callable[..., Mapping[str, Any]]

_GRID = tuple(i / 4 for i in range(-20, 21))
_EXTREMES = ("-inf", -88.0, -10.0, -0.0, 0.0, 10.0, 88.0, "inf", "nan")
_TORCH = "https://pytorch.org/docs/stable/generated/torch.nn."


def _single(value: float) -> float:
    """The float32 number nearest to `value`."""
    return float(np.float32(value))


_erfc = np.vectorize(math.erfc)
_ROOT = math.sqrt(2 / math.pi)


def _sigmoid(x: Array) -> tuple[Array, Array]:
    small = np.exp(-np.abs(x))
    y = np.where(x > 0, 1 / (1 + small), small / (1 + small))
    return y, small / (1 + small) ** 2


def _tanh(x: Array) -> tuple[Array, Array]:
    small = np.exp(-2 * np.abs(x))
    return np.tanh(x), 4 * small / (1 + small) ** 2


def _relu(x: Array) -> tuple[Array, Array]:
    return np.maximum(x, 0), np.where(x > 0, 1.0, 0.0)


def _leaky_relu(x: Array) -> tuple[Array, Array]:
    slope = np.where(x > 0, 1.0, 0.125)
    return slope * x, slope


def _elu(x: Array) -> tuple[Array, Array]:
    low = np.minimum(x, 0)
    return np.where(x <= 0, np.expm1(low), x), np.where(x <= 0, np.exp(low), 1.0)


def _gelu(x: Array, scale: float = math.sqrt(0.5)) -> tuple[Array, Array]:
    cumulated = _erfc(-x * scale) / 2
    density = np.exp(-((x * scale) ** 2)) * scale / math.sqrt(math.pi)
    return x * cumulated, cumulated + x * density


def _gelu_tanh(x: Array, cubic: float = 0.044715) -> tuple[Array, Array]:
    y, slope = _tanh(_ROOT * (x + cubic * x**3))
    inner = _ROOT * (1 + 3 * cubic * x**2)
    return x * (1 + y) / 2, (1 + y) / 2 + x * slope * inner / 2


def _silu(x: Array) -> tuple[Array, Array]:
    y, slope = _sigmoid(x)
    return x * y, y + x * slope


def _softplus(x: Array) -> tuple[Array, Array]:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), _sigmoid(x)[0]


def _both(function: Callable[[Array], tuple[Array, Array]], *gone: str) -> Reference:
    """Value and slope in NumPy; `gone` are results on which the sides differ as listed."""

    def reference(x: Array, extremes: Array) -> dict[str, Array]:
        with np.errstate(all="ignore"):
            (y, slope), (y_extreme, slope_extreme) = function(x), function(extremes)
        found = {"y": y, "dy_dx": slope, "y_extreme": y_extreme, "dy_dx_extreme": slope_extreme}
        return {name: value for name, value in found.items() if name not in gone}

    return reference


def _stacked_linear(
    x: Array, first_kernel: Array, first_bias: Array, second_kernel: Array, second_bias: Array
) -> dict[str, Array]:
    inner = x @ first_kernel + first_bias
    stacked = inner @ second_kernel + second_bias
    bent = np.maximum(inner, 0) @ second_kernel + second_bias
    return {"stacked": stacked, "one_layer": stacked, "with_relu_between": bent}


def _step(x: Array, extremes: Array) -> dict[str, Array]:
    return {"y": np.where(x >= 0, 1.0, 0.0), "y_extreme": np.where(extremes >= 0, 1.0, 0.0)}


def _softmax(x: Array, weights: Array, extremes: Array) -> dict[str, Array]:
    def log(x: Array) -> Array:
        shifted = x - x.max(axis=-1, keepdims=True)
        normed: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return normed

    y = np.exp(log(x))
    with np.errstate(all="ignore"):
        log_extreme = log(extremes)
    return {
        "y": y,
        "sum": np.ones(len(x)),
        "gradient": y * (weights - (weights * y).sum(axis=-1, keepdims=True)),
        "log": log(x),
        "y_extreme": np.exp(log_extreme),
        "log_extreme": log_extreme,
    }


def _case(name: str, reference: Reference, extremes: Numbers = _EXTREMES) -> Case:
    return Case(name, {"x": _GRID, "extremes": extremes}, reference=reference, curves=_CURVES)


def _gelu_known(
    name: str, function: Callable[..., tuple[Array, Array]], constant: float, what: str
) -> list[Known]:
    """The two rows of one GELU: both sides are what the formula gives, one with `constant`
    rounded to float32."""
    x = np.array(_GRID)
    pairs = zip(function(x, constant), function(x, _single(constant)), strict=True)
    return [
        Known(
            f"values/{name}/{key}",
            torch=as_numbers(torch),
            keras=as_numbers(keras),
            reason=f"TensorFlow rounds {what} to float32, in float64 too: the float64 values are "
            "no better than float32. Reproduced in NumPy with the rounded constant",
            link="https://www.tensorflow.org/api_docs/python/tf/nn/gelu",
        )
        for key, (torch, keras) in zip(("y", "dy_dx"), pairs, strict=True)
    ]


_CURVES = Curves(x="x", values="y", slopes="dy_dx")
# GELU(∞) in float32 is NaN in PyTorch on CPUs with AVX-512 and ∞ on others: no fact to assert.
_NO_INFINITY = tuple(x for x in _EXTREMES if x != "inf")
_WHOLE = (
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "gelu_tanh",
    "silu",
    "softplus",
    "sigmoid",
    "tanh",
)

ACTIVATIONS = ExampleSpec(
    name="activations",
    title="Activations",
    part="Neurons, activations, losses",
    summary=(
        "Without something that bends between them, two linear layers are one. Eleven activations "
        "with their gradients, on a grid from −5 to 5 and at ±0, ±10, ±88, ±∞ and NaN, against "
        "NumPy. The curves are the same on both sides; constants that you do not pass are not, nor "
        "is what becomes of NaN and ∞."
    ),
    cases=(
        Case(
            "stacked_linear",
            {
                "x": drawn("activations/linear/x", (4, 3)),
                "first_kernel": drawn("activations/linear/first_kernel", (3, 5)),
                "first_bias": drawn("activations/linear/first_bias", (5,)),
                "second_kernel": drawn("activations/linear/second_kernel", (5, 2)),
                "second_bias": drawn("activations/linear/second_bias", (2,)),
            },
            {"are_the_same": True, "with_relu_are_the_same": False},
            roles={"first_kernel": "dense/kernel", "second_kernel": "dense/kernel"},
            reference=_stacked_linear,
        ),
        Case(
            "step",
            {"x": _GRID, "extremes": _EXTREMES},
            {"has_gradient": False},
            reference=_step,
            curves=Curves(x="x", values="y"),
        ),
        _case("sigmoid", _both(_sigmoid)),
        _case("tanh", _both(_tanh)),
        _case("relu", _both(_relu, "dy_dx_extreme")),
        Case("relu_example", {"x": (2.0, -4.0)}, {"function": (2.0, 0.0), "layer": (2.0, 0.0)}),
        _case("leaky_relu", _both(_leaky_relu)),
        _case("elu", _both(_elu)),
        _case("gelu", _both(_gelu, "y", "dy_dx"), _NO_INFINITY),
        Case(
            "gelu_by_hand",
            {"x": _GRID},
            reference=lambda x: dict(zip(("y", "dy_dx"), _gelu(x), strict=True)),
        ),
        _case("gelu_tanh", _both(_gelu_tanh, "y", "dy_dx")),
        _case("silu", _both(_silu)),
        _case("softplus", _both(_softplus)),
        Case(
            "softmax",
            {
                "x": drawn("activations/softmax/x", (2, 5), 2.0),
                "weights": drawn("activations/softmax/weights", (2, 5)),
                "extremes": (
                    (1000.0, 1001.0, 1002.0),
                    (-88.0, 0.0, 88.0),
                    ("-inf", 0.0, 1.0),
                ),
            },
            reference=_softmax,
        ),
        Case(
            "defaults",
            {"x": (-2.0, -1.0, 0.5), "large": (19.0, 21.0, 25.0)},
            {
                "elu": (math.expm1(-2), math.expm1(-1), 0.5),
                "hard_sigmoid": (1 / 6, 2 / 6, 3.5 / 6),
            },
        ),
    ),
    known=(
        *_gelu_known("gelu", _gelu, math.sqrt(0.5), "the constant 1/√2"),
        *_gelu_known("gelu_tanh", _gelu_tanh, 0.044715, "the constant 0.044715"),
        Known(
            "values/relu/dy_dx_extreme",
            torch=(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0),
            keras=(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0),
            reason="the slope at NaN, the last of the nine: PyTorch blocks the gradient where "
            "y ≤ 0, TensorFlow passes it where y > 0, and NaN is neither",
            link=_TORCH + "ReLU.html",
        ),
        Known(
            "values/defaults/leaky_relu_function",
            torch=(-0.02, -0.01, 0.5),
            keras=(-2 * _single(0.2), -_single(0.2), 0.5),
            reason="the slope below 0 is 0.01 in PyTorch and 0.2 in `keras.activations`",
            link="https://keras.io/api/layers/activations/#leakyrelu-function",
        ),
        Known(
            "values/defaults/leaky_relu_layer",
            torch=(-0.02, -0.01, 0.5),
            keras=(-2 * _single(0.3), -_single(0.3), 0.5),
            reason="0.01 in PyTorch, 0.3 in `keras.layers`, not even that of Keras' own function",
            link="https://keras.io/api/layers/activation_layers/leaky_relu/",
        ),
        Known(
            "values/defaults/leaky_relu_tenth",
            torch=(-0.2, -0.1, 0.5),
            keras=(-2 * _single(0.1), -_single(0.1), 0.5),
            reason="TensorFlow keeps the slope as a float32 number, 0.100000001490116, in float64 "
            "too. A slope that float32 holds exactly, such as 1/8, shows no difference",
            link="https://www.tensorflow.org/api_docs/python/tf/nn/leaky_relu",
        ),
        Known(
            "values/defaults/prelu",
            torch=(-0.5, -0.25, 0.5),
            keras=(0.0, 0.0, 0.5),
            reason="PReLU starts from one shared slope of 0.25 in PyTorch, from a slope of 0 for "
            "every element in Keras",
            link="https://keras.io/api/layers/activation_layers/prelu/",
        ),
        Known(
            "values/defaults/softplus",
            torch=(19 + math.log1p(math.exp(-19)), 21.0, 25.0),
            keras=tuple(x + math.log1p(math.exp(-x)) for x in (19.0, 21.0, 25.0)),
            reason="above its threshold of 20 PyTorch returns x itself; 8·10⁻¹⁰ too little at 21, "
            "which float32 does not see",
            link=_TORCH + "Softplus.html",
        ),
    ),
    nonfinite=(
        *(f"values/{name}/{key}" for name in _WHOLE for key in ("y_extreme", "dy_dx_extreme")),
        "values/softmax/log_extreme",
    ),
)
