"""The far end: ``python -m parity_tests.backends.serve torch`` evaluates calls on that backend.

A call is a Python expression, `ops.flip(normal((2, 3), 0))`: what crosses the border is its source,
and what a finding shows is what was run. It may say

- ``ops``, ``layers``, ``np``;
- ``normal``, ``unit``, ``positive``, ``grid``, ``special``: floating arrays of a shape and a seed,
  in the precision of the run, and the same numbers in both: each is one of float32;
- ``integers``, ``booleans``, ``spd``, ``simplex``: what their names say;
- ``run(layer, *inputs)``: a layer with drawn weights.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.workers import channel

Array = NDArray[Any]
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5)
ALIKE = 6
"""So many outputs and gradients of one call are sent with their numbers at most."""


@dataclass(frozen=True)
class Job:
    """One expression to evaluate.

    Attributes:
        id: of the job.
        call: the expression.
        precision: ``float32`` or ``float64``, Keras' `floatx` too.
        nudged: whether every continuous input is moved by one unit of rounding.
        gradient: whether the gradient is wanted, too.
    """

    id: str
    call: str
    precision: str
    nudged: bool = False
    gradient: bool = True


@dataclass
class Evaluation:
    """The names that an expression may use; floating inputs and weights are collected as leaves.

    Evaluated a second time, with `given` leaves, it uses them: so it is a function of them.
    """

    keras: Any
    job: Job
    leaves: list[Any] = field(default_factory=list)
    hosted: list[Array] = field(default_factory=list)
    built: list[Any] = field(default_factory=list)
    given: list[Any] | None = None
    layers_given: list[Any] | None = None

    def again(self, leaves: Sequence[Any]) -> Any:
        """The value of the expression at other leaves."""
        return type(self)(
            self.keras, self.job, given=list(leaves), layers_given=list(self.built)
        ).value()

    def value(self) -> Any:
        """Of the expression."""
        names = {
            name: getattr(self, name)
            for name in ("normal", "unit", "positive", "grid", "special", "integers", "booleans")
        }
        names |= {"spd": self.spd, "simplex": self.simplex, "run": self.run, "np": np}
        names |= {"ops": self.keras.ops, "layers": self.keras.layers, "keras": self.keras}
        return eval(self.job.call, names)  # our own expressions

    def normal(self, shape: Sequence[int], seed: int) -> Any:
        """Numbers around zero."""
        return self._leaf(_rng(seed).normal(size=shape))

    def unit(self, shape: Sequence[int], seed: int) -> Any:
        """Numbers between −0.95 and 0.95."""
        return self._leaf(_rng(seed).uniform(-0.95, 0.95, shape))

    def positive(self, shape: Sequence[int], seed: int) -> Any:
        """Numbers between 0.1 and 2."""
        return self._leaf(_rng(seed).uniform(0.1, 2.0, shape))

    def simplex(self, shape: Sequence[int], seed: int) -> Any:
        """Positive numbers whose last axis sums to one."""
        drawn = _rng(seed).uniform(0.1, 1.0, shape)
        return self._leaf(drawn / drawn.sum(-1, keepdims=True))

    def spd(self, shape: Sequence[int], seed: int) -> Any:
        """Symmetric positive definite matrices."""
        drawn = np.float32(_rng(seed).normal(size=shape)).astype("float64")
        return self._leaf(drawn @ np.swapaxes(drawn, -1, -2) + np.eye(shape[-1]), nudged=False)

    def grid(self, shape: Sequence[int], seed: int) -> Any:
        """Halves between −3 and 3: exact, with ties; not nudged."""
        return self._leaf(_rng(seed).integers(-6, 7, shape) / 2, nudged=False)

    def special(self, shape: Sequence[int], seed: int) -> Any:
        """NaN, infinities, zeros of both signs."""
        return self._leaf(_rng(seed).choice(SPECIAL, shape), nudged=False)

    def integers(
        self, shape: Sequence[int], seed: int, low: int = -3, high: int = 5, dtype: str = "int32"
    ) -> Any:
        """Whole numbers from `low` up to, but not, `high`."""
        return self._tensor(_rng(seed).integers(low, high, shape), dtype)

    def booleans(self, shape: Sequence[int], seed: int) -> Any:
        """True and False."""
        return self._tensor(_rng(seed).integers(0, 2, shape).astype(bool), "bool")

    def run(self, layer: Any, *inputs: Any, **options: Any) -> Any:
        """What a layer gives, and what it leaves in its state."""
        if self.layers_given is None:
            self.build(layer, *inputs, **options)
            self.built.append(layer)
        else:
            layer = self.layers_given.pop(0)
        weights = [
            self._leaf(_weight(v.path, v.shape, place))
            for place, v in enumerate(layer.trainable_variables)
        ]
        state = [
            self._tensor(_weight(v.path, v.shape, 100 + place), v.dtype) if _floats(v) else v.value
            for place, v in enumerate(layer.non_trainable_variables)
        ]
        out, left = layer.stateless_call(weights, state, *inputs, **options)
        return out, [
            value
            for v, value in zip(layer.non_trainable_variables, left, strict=True)
            if _floats(v)
        ]

    def build(self, layer: Any, *inputs: Any, **options: Any) -> None:
        """Make its weights."""
        layer(*inputs, **options)

    def _leaf(self, values: Array, *, nudged: bool = True) -> Any:
        if self.given is not None:
            return self.given.pop(0)
        exact = np.asarray(values, "float32").astype(self.job.precision)
        if self.job.nudged and nudged:
            towards = np.where(_rng(exact.size).integers(0, 2, exact.shape), np.inf, -np.inf)
            exact = np.nextafter(exact, towards.astype(exact.dtype))
        self.hosted.append(exact)
        self.leaves.append(self._tensor(exact, self.job.precision))
        return self.leaves[-1]

    def _tensor(self, values: Array, dtype: str) -> Any:
        return self.keras.ops.convert_to_tensor(values, dtype=dtype)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _floats(variable: Any) -> bool:
    return "float" in variable.dtype


def _weight(path: str, shape: Sequence[int], seed: int) -> Array:
    """A weight's numbers: positive where it is a scale or a variance."""
    if path.endswith(("gamma", "variance", "scale")):
        return _rng(seed).uniform(0.5, 1.5, shape)
    return _rng(seed).normal(size=shape) / 2


def gradients(backend: str) -> Callable[[Callable[[list[Any]], list[Any]], list[Any]], list[Any]]:
    """How this backend differentiates.

    Returns:
        (function of leaves to its floating outputs, leaves) → a gradient for each leaf, of the
        outputs times fixed numbers (`cotangent`), summed; None where there is none.
    """
    if backend == "tensorflow":
        import tensorflow as tf

        def of_tensorflow(function, leaves):
            with tf.GradientTape() as tape:
                tape.watch(leaves)
                outputs = function(leaves)
                total = [tf.reduce_sum(o * tf.cast(cotangent(o), o.dtype)) for o in outputs]
            return tape.gradient(total, leaves)

        return of_tensorflow
    if backend == "torch":
        import torch

        def of_torch(function, leaves):
            leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
            outputs = function(leaves)
            total = sum((o * torch.as_tensor(cotangent(o), dtype=o.dtype)).sum() for o in outputs)
            if not (isinstance(total, torch.Tensor) and total.requires_grad):
                return [None] * len(leaves)
            found = torch.autograd.grad(total, leaves, allow_unused=True)
            return list(found)

        return of_torch
    import jax

    def of_jax(function, leaves):
        outputs, back = jax.vjp(function, leaves)
        return back([jax.numpy.asarray(cotangent(o), o.dtype) for o in outputs])[0]

    return of_jax


class Traced(Evaluation):
    """On JAX: first traced without numbers, then compiled whole, with its gradient.

    One compilation takes a tenth of what those of its operations take, one by one; and it is how
    Keras trains on JAX.
    """

    def build(self, layer: Any, *inputs: Any, **options: Any) -> None:
        """Make its weights, outside the trace."""
        import jax

        def symbol(x: Any) -> Any:
            if isinstance(x, (list, tuple)):
                return type(x)(map(symbol, x))
            if not hasattr(x, "shape"):
                return x
            return self.keras.KerasTensor(x.shape, self.keras.backend.standardize_dtype(x.dtype))

        with jax.ensure_compile_time_eval():
            layer(*map(symbol, inputs), **{name: symbol(x) for name, x in options.items()})

    def answer(self, compiled: dict[tuple[str, str], Any]) -> dict[str, Any]:
        """The outputs and the gradients.

        Args:
            compiled: the last function that was compiled, under its call and precision.
        """
        import jax

        words: list[Any] = []

        def traced() -> list[Any]:
            words[:] = flattened(self.keras, self.value())
            return [w for w in words if self.keras.ops.is_tensor(w)]

        shapes = jax.eval_shape(traced)
        floating = [i for i, o in enumerate(shapes) if "float" in str(o.dtype)]
        graded = self.job.gradient and floating and self.hosted

        def outputs(leaves: list[Any]) -> tuple[list[Any], list[Any]]:
            found = flattened(self.keras, self.again(leaves))
            found = [f for f in found if self.keras.ops.is_tensor(f)]
            return [found[i] for i in floating], found

        def both(leaves: list[Any]) -> tuple[list[Any], list[Any]]:
            if not graded:
                return outputs(leaves)[1], []
            some, back, every = jax.vjp(outputs, leaves, has_aux=True)
            return every, back([jax.numpy.asarray(cotangent(o), o.dtype) for o in some])[0]

        key = self.job.call, self.job.precision
        if key not in compiled:
            compiled.clear()
            compiled[key] = jax.jit(both)
        every, found = compiled[key](self.hosted)
        numbers = iter(every)
        told = [next(numbers) if self.keras.ops.is_tensor(w) else w for w in words]
        return {
            "outputs": [sent(self.keras, o) for o in told[:ALIKE]],
            "count": len(told),
            **({"gradients": [sent(self.keras, g) for g in found[:ALIKE]]} if graded else {}),
        }


def cotangent(output: Any) -> Array:
    """What an output is multiplied with before its gradient is taken; the same everywhere."""
    return _rng(7).uniform(0.5, 1.5, tuple(int(n) for n in output.shape)).astype("float32")


def main(backend: str) -> None:
    """Serve expressions on a backend until told to quit."""
    os.environ |= {"KERAS_BACKEND": backend, "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    state: dict[str, Any] = {}
    compiled: dict[Any, Any] | None = {} if backend == "jax" else None

    def hello() -> dict[str, Any]:
        import keras
        from keras.src.backend.common import dtypes

        state["narrowed"], state["bits"] = dtypes.BIT64_TO_BIT32_DTYPE, contextlib.nullcontext
        if backend == "jax":
            import jax

            state["bits"] = jax.enable_x64
        state.update(keras=keras, gradients=gradients(backend))
        return {"versions": versions(backend), "signatures": signatures(keras)}

    def handle(job: Job, _: channel.Progress) -> dict[str, Any]:
        # Off TensorFlow Keras makes float64 float32 in most of its functions, which is one known
        # fault (keras-team/keras#23223, #23704) and would hide all others: in float64 it is off.
        wide = backend == "tensorflow" or job.precision == "float64"
        state["narrowed"]["float64"] = "float64" if wide else "float32"
        # JAX with its 64 bits on only where they are asked for: else it is not what people run.
        with state["bits"](job.precision == "float64"):
            return answer(state["keras"], state["gradients"], job, compiled)

    channel.serve(hello, handle, lambda line: Job(**json.loads(line)))


def answer(keras: Any, differentiate: Any, job: Job, compiled: Any = None) -> dict[str, Any]:
    """The outputs of one expression and the gradients of its leaves; or what was raised."""
    keras.config.set_floatx(job.precision)
    keras.config.set_dtype_policy(job.precision)
    keras.utils.set_random_seed(0)
    if compiled is not None:
        try:
            return Traced(keras, job).answer(compiled)
        except Exception:  # what needs numbers, or what is an error: say it without a trace
            compiled.clear()
    evaluation = Evaluation(keras, job)
    try:
        outputs = flattened(keras, evaluation.value())
        told = {"outputs": [sent(keras, o) for o in outputs[:ALIKE]], "count": len(outputs)}
    except Exception as error:
        return {"raised": said(error)}
    floating = [i for i, o in enumerate(outputs) if _is_real(keras, o)]
    if not (job.gradient and floating and evaluation.leaves):
        return told

    def function(leaves: list[Any]) -> list[Any]:
        found = flattened(keras, evaluation.again(leaves))
        return [found[i] for i in floating]

    try:
        found = differentiate(function, evaluation.leaves)
        told["gradients"] = [
            sent(keras, leaf * 0 if g is None else g)
            for leaf, g in zip(evaluation.leaves[:ALIKE], found, strict=False)
        ]
        told["disconnected"] = [g is None for g in found[:ALIKE]]
    except Exception as error:
        told["gradient_raised"] = said(error)
    return told


def said(error: Exception) -> str:
    """An exception in one line of at most 300 letters."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def flattened(keras: Any, value: Any) -> list[Any]:
    """The leaves of a nest of outputs, in order."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in flattened(keras, part)]
    return [value]


def _is_real(keras: Any, value: Any) -> bool:
    return keras.ops.is_tensor(value) and "float" in keras.backend.standardize_dtype(value.dtype)


def sent(keras: Any, value: Any) -> dict[str, Any]:
    """One output as what crosses the border: its dtype, shape and bytes; or, of no array, words."""
    if hasattr(value, "value") and hasattr(value, "assign"):
        value = value.value
    if not (keras.ops.is_tensor(value) or isinstance(value, (np.ndarray, np.generic))):
        return {"words": f"{type(value).__name__} {value!r}"[:200]}
    dtype = keras.backend.standardize_dtype(value.dtype)
    array = np.asarray(keras.ops.convert_to_numpy(value))
    if dtype in ("float16", "bfloat16"):
        array = array.astype("float32")
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], -1)
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": dtype, "kept": array.dtype.str, "shape": array.shape, "data": data}


def versions(backend: str) -> dict[str, str]:
    """Of Keras and of what computes."""
    from importlib.metadata import version

    return {name: version(name) for name in ("keras", backend)}


def signatures(keras: Any) -> dict[str, list[list[Any]]]:
    """Every public function and layer → its parameters: name, whether required, the default.

    A name that stands for another's object is given as that name.
    """
    import inspect

    rooms = (("ops.", keras.ops), ("ops.image.", keras.ops.image), ("layers.", keras.layers))
    found: dict[str, Any] = {}
    for prefix, room in rooms:
        for name in dir(room):
            thing = getattr(room, name)
            wanted = isinstance(thing, type) if room is keras.layers else callable(thing)
            if name.startswith("_") or not wanted:
                continue
            if name != thing.__name__ and getattr(room, thing.__name__, None) is thing:
                found[prefix + name] = prefix + thing.__name__
                continue
            found[prefix + name] = [
                [p.name, p.kind.name, p.default is p.empty, _plain(p.default)]
                for p in inspect.signature(thing).parameters.values()
            ]
    return found


def _plain(default: Any) -> Any:
    return default if isinstance(default, (int, float, str, bool)) else None


if __name__ == "__main__":
    main(sys.argv[1])
