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


def _copied(x: Array, **weights: Array) -> Arrays:
    return {"y": _forward(x, **weights)}


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
        Case(
            "weights_out_and_in",
            {"x": _X, **_WEIGHTS},
            {"arrays": 6, "equal_before": False, "equal_after": True},
            roles=_KERNELS,
            reference=_copied,
        ),
        Case("saving_and_loading", {"x": _X, **_WEIGHTS}, roles=_KERNELS, reference=_saved),
        Case(
            "freezing",
            {"x": _X, **_WEIGHTS},
            {"trainable": 25, "of": 33},
            roles=_KERNELS,
            reference=_freezing,
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
