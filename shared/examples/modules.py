"""Spec of the module examples: stacking layers, models of one's own, weights, files, freezing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers, numbers
from shared import numpy_reference
from shared.initial_weights import drawn

Array = NDArray[Any]
Arrays = dict[str, Array]
_TORCH_MODULE = "https://pytorch.org/docs/stable/generated/torch.nn.Module.html"
_KERAS_LAYER = "https://keras.io/api/layers/base_layer/"
_DENSE = "dense/kernel"
_SHAPES = {"first": (3, 2), "second": (2, 3), "third": (3, 4)}
_RATE = 0.5


def _weights() -> dict[str, Numbers]:
    """Three dense layers, 3 → 2 → 3 → 4; biases above zero keep the ReLUs alive."""
    found = {}
    for layer, shape in _SHAPES.items():
        found[f"{layer}_kernel"] = drawn(f"modules/{layer}/kernel", shape, 0.5)
        bias = np.abs(numbers(drawn(f"modules/{layer}/bias", shape[1:]))) + 1
        found[f"{layer}_bias"] = as_numbers(bias.astype(np.float32))
    return found


def _hidden(x: Array, layers: tuple[str, ...], weights: Arrays) -> Array:
    for layer in layers:
        z = x @ weights[f"{layer}_kernel"] + weights[f"{layer}_bias"]
        x = np.where(z.real > 0, z, 0)
    return x


def _forward(x: Array, **weights: Array) -> Array:
    hidden = _hidden(x, ("first", "second"), weights)
    return np.asarray(hidden @ weights["third_kernel"] + weights["third_bias"])


def _three_ways(x: Array, **weights: Array) -> Arrays:
    y = _forward(x, **weights)
    after_pop = _hidden(x, ("first", "second"), weights)
    return {"from_list": y, "one_by_one": y, "by_hand": y, "after_pop": after_pop}


def _own_model(x: Array, upstream: Array, **weights: Array) -> Arrays:
    arguments = {"x": x, **weights}
    return {"y": _forward(**arguments)} | numpy_reference.gradients(_forward, arguments, upstream)


def _same(x: Array, **weights: Array) -> Arrays:
    return {"y": _forward(x, **weights)}


def _class_and_graph(x: Array, **weights: Array) -> Arrays:
    y = _forward(x, **weights)
    return {"y": y, "graph_y": y, "hidden": _hidden(x, ("first", "second"), weights)}


def _call_and_forward(x: Array, **weights: Array) -> Arrays:
    y = _forward(x, **weights)
    return {"y": y, "forward_y": y}


def _one_weight(x: Array, **weights: Array) -> Arrays:
    inner = _hidden(x, ("first", "second"), weights)
    gradient = np.repeat(inner.sum(axis=0)[:, None], 4, axis=1)
    halved = weights["third_kernel"] / 2
    return {
        "gradient": gradient,
        "halved": halved,
        "y_after": _forward(x, **weights | {"third_kernel": halved}),
    }


def _lazy(x: Array, **weights: Array) -> Arrays:
    for layer in _SHAPES:
        x = x @ weights[f"{layer}_kernel"] + weights[f"{layer}_bias"]
    return {"y": x}


def _saved(x: Array, **weights: Array) -> Arrays:
    y = _forward(x, **weights)
    return {"from_weights": y, "from_whole": y}


def _freezing(x: Array, **weights: Array) -> Arrays:
    def loss(**some: Array) -> Array:
        return np.asarray((_forward(x, **some) ** 2).mean())

    slopes = numpy_reference.gradients(loss, weights, np.ones(()))
    moved = {n: weights[n] - _RATE * slopes[f"d{n}"] for n in ("second_kernel", "third_kernel")}
    return {"loss": loss(**weights), "first_kernel": weights["first_kernel"], **moved}


_WEIGHTS = _weights()
_X = drawn("modules/x", (5, 3))
_GIVEN: dict[str, Numbers] = {"x": _X, **_WEIGHTS}
_KERNELS = {f"{layer}_kernel": _DENSE for layer in _SHAPES}
_NAMES = ("kernel", "bias")

MODULES = ExampleSpec(
    name="modules",
    title="Modules and models",
    part="Layers and modules",
    summary=(
        "Three ways to stack layers, a model of one's own, its names, weights, files and frozen "
        "parts: `nn.Module` against `keras.Model`. PyTorch knows weights by name and is told the "
        "size of every input; Keras knows them by order and finds the sizes out."
    ),
    cases=(
        Case(
            "three_ways",
            {"x": ((1.0,) * 3,) * 3, **_WEIGHTS},
            {"dense_layers": 3, "dense_layers_after_pop": 2},
            roles=_KERNELS,
            reference=_three_ways,
        ),
        Case(
            "own_model",
            {"x": _X, **_WEIGHTS, "upstream": drawn("modules/upstream", (5, 4))},
            {"children": ("first", "second", "third"), "parameters": 33},
            roles=_KERNELS | {f"d{name}": role for name, role in _KERNELS.items()},
            reference=_own_model,
        ),
        Case("inside", {}, {"children": ("body", "head")}),
        Case("class_and_graph", _GIVEN, roles=_KERNELS, reference=_class_and_graph),
        Case("call_and_forward", _GIVEN, roles=_KERNELS, reference=_call_and_forward),
        Case(
            "one_weight",
            _GIVEN,
            {"wants_gradient": True},
            roles=_KERNELS | {"gradient": _DENSE, "halved": _DENSE},
            reference=_one_weight,
        ),
        Case(
            "weights_out_and_in",
            _GIVEN,
            {"arrays": 6, "equal_before": False, "equal_after": True},
            roles=_KERNELS,
            reference=_same,
        ),
        Case("other_names", _GIVEN, {"unknown": 6}, roles=_KERNELS, reference=_same),
        Case("saving_and_loading", _GIVEN, roles=_KERNELS, reference=_saved),
        Case(
            "freezing",
            _GIVEN,
            {"trainable": 25, "of": 33},
            roles=_KERNELS,
            reference=_freezing,
        ),
        Case(
            "lazy",
            _GIVEN,
            {"weights_before": 0, "weights_after": 6},
            roles=_KERNELS,
            reference=_lazy,
        ),
    ),
    known=(
        Known(
            "values/own_model/names",
            torch=tuple(f"{layer}.{name}" for layer in _SHAPES for name in ("weight", "bias")),
            keras=tuple(f"three/{layer}/{name}" for layer in _SHAPES for name in _NAMES),
            reason="PyTorch names a weight by the attributes that lead to it, Keras by the names "
            "of its layers; a matrix is a weight here and a kernel there",
            link=_TORCH_MODULE,
        ),
        Known(
            "values/own_model/shapes",
            torch=tuple(s for a, b in _SHAPES.values() for s in ((b, a), (b,))),
            keras=tuple(s for a, b in _SHAPES.values() for s in ((a, b), (b,))),
            reason="`Linear` stores (out, in) and multiplies by its transpose, `Dense` (in, out)",
            link="https://pytorch.org/docs/stable/generated/torch.nn.Linear.html",
        ),
        Known(
            "values/inside/modules",
            torch=("Nested", "Sequential", "Linear", "Linear", "Linear"),
            keras=("Nested", "Sequential", "Dense", "Dense", "Dense"),
            reason="`modules()` walks all levels, the model first; Keras' `layers` is one level, "
            "and what is inside is asked of each",
            link=_TORCH_MODULE + "#torch.nn.Module.modules",
        ),
        Known(
            "values/class_and_graph/graph",
            torch=("x", "first", "relu", "second", "relu_1", "third", "output"),
            keras=("InputLayer", "Dense", "Dense", "Dense"),
            reason="PyTorch writes down every operation of one run, a Keras functional model the "
            "layers that it was made of",
            link="https://keras.io/guides/functional_api/",
        ),
        Known(
            "values/call_and_forward/left_out",
            torch="hooks",
            keras="building",
            reason="`model(x)` does more than `forward` and `call`: it runs hooks in PyTorch, and "
            "in Keras it builds the model, casts what comes in and keeps masks and losses",
            link=_KERAS_LAYER,
        ),
        Known(
            "values/one_weight/gradient_before",
            torch="None",
            keras="no such attribute",
            reason="PyTorch keeps the gradient beside the numbers, None until `backward`; Keras "
            "keeps none, the tape gives it",
            link="https://pytorch.org/docs/stable/generated/torch.Tensor.grad.html",
        ),
        Known(
            "values/other_names/loading",
            torch="RuntimeError",
            keras="taken",
            reason="`load_state_dict` goes by names, and with `strict=False` leaves out what it "
            "does not know; `set_weights` goes by order and asks for no name",
            link=_TORCH_MODULE + "#torch.nn.Module.load_state_dict",
        ),
        Known(
            "values/lazy/first_shape",
            torch=(2, 3),
            keras=(3, 2),
            reason="found out at the first call by `LazyLinear` and by every Keras layer; stored "
            "as (out, in) and (in, out)",
            link="https://pytorch.org/docs/stable/generated/torch.nn.LazyLinear.html",
        ),
        Known(
            "values/weights_out_and_in/wrong_shape",
            torch="RuntimeError",
            keras="ValueError",
            reason="both refuse weights of another shape, with errors of another class",
            link=_KERAS_LAYER,
        ),
        Known(
            "values/freezing/frozen_gradient",
            torch="none",
            keras="on request",
            reason="a frozen tensor in PyTorch is not tracked at all; a frozen Keras layer is only "
            "left out of `trainable_weights`, and a tape that is asked still has its gradient",
            link="https://keras.io/guides/transfer_learning/",
        ),
    ),
)
