"""Spec of the device examples: where tensors are, what meets what, and TF32."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known
from parity.spec.example import ExampleSpec
from shared.initial_weights import drawn

Array = NDArray[Any]
Arrays = dict[str, Array]
_X = ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
_KERNEL = ((1.0, 0.5), (0.0, 0.5), (1.0, 0.0))
_TWICE = tuple(tuple(2 * x for x in row) for row in _X)
_TORCH = "https://pytorch.org/docs/stable/notes/cuda.html"
_TENSORFLOW = "https://www.tensorflow.org/guide/gpu"


def _tf32(x: Array) -> Array:
    """10 bits of 23 behind the point, to nearest, ties to even."""
    mantissa, exponent = np.frexp(x.astype(np.float32).astype(np.float64))
    return np.asarray(np.ldexp(np.rint(mantissa * 2**11), exponent - 11))


def _reduced_precision(a: Array, b: Array) -> Arrays:
    return {"exact": a @ b, "tf32": _tf32(a) @ _tf32(b)}


DEVICES = ExampleSpec(
    name="devices",
    title="Devices and reduced precision",
    part="Training",
    summary=(
        "Where a tensor is, how it moves, and what happens when tensors of two devices meet: an "
        "error in PyTorch, a copy in TensorFlow. TF32, which accelerators may multiply with, is "
        "off in PyTorch and on in TensorFlow until you say otherwise. All of it runs on a CPU."
    ),
    cases=(
        Case(
            "placement",
            {"x": _X},
            {
                "made_on": "cpu",
                "same_if_already_there": True,
                "result_where_its_inputs_are": True,
                "doubled": _TWICE,
            },
        ),
        Case(
            "two_devices",
            {"x": _X},
            {"shape_elsewhere": (2, 3), "number_and_tensor": True, "sum": _TWICE},
        ),
        Case(
            "model_and_batch",
            {"x": _X, "kernel": _KERNEL},
            {"y": ((4.0, 1.5), (10.0, 4.5)), "same_model": True, "on_one_device": True},
            roles={"kernel": "dense/kernel"},
        ),
        Case("back_to_numpy", {"x": _X}, {"array": _TWICE}),
        Case(
            "reduced_precision",
            {"a": drawn("devices/a", (3, 5)), "b": drawn("devices/b", (5, 2))},
            reference=_reduced_precision,
            witness=(_tf32,),
        ),
    ),
    known=(
        Known(
            "values/placement/name",
            torch="cpu",
            keras="device:CPU:0",
            reason="a type, and a number where there are several, `cuda:0`; TensorFlow's name is "
            "of the machine in a cluster and ends in the type and the number",
            link="https://www.tensorflow.org/api_docs/python/tf/device",
        ),
        Known(
            "values/two_devices/adding",
            torch="RuntimeError",
            keras="moved for you",
            reason="PyTorch computes where its tensors are, and refuses two places; TensorFlow "
            "copies them to where it computes, which costs time and no line of code",
            link=_TORCH,
        ),
        Known(
            "values/model_and_batch/forgotten",
            torch="RuntimeError",
            keras="moved for you",
            reason="a batch that was left elsewhere",
            link=_TORCH,
        ),
        Known(
            "values/back_to_numpy/straight",
            torch="RuntimeError",
            keras="converted",
            reason="PyTorch wants `.detach().cpu()` said, because the array knows nothing of "
            "gradients or devices",
            link="https://pytorch.org/docs/stable/generated/torch.Tensor.numpy.html",
        ),
        Known(
            "values/reduced_precision/on_by_itself",
            torch="False",
            keras="True",
            reason="products of float32 matrices on an accelerator: full precision in PyTorch, "
            "TF32 in TensorFlow, about 1e-3 instead of 1e-7 for each factor",
            link=_TORCH,
        ),
        Known(
            "values/reduced_precision/word",
            torch="high",
            keras="True",
            reason="`torch.set_float32_matmul_precision` takes a word, "
            "`enable_tensor_float_32_execution` a yes or a no",
            link=_TENSORFLOW,
        ),
    ),
)
