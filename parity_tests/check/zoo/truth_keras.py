"""Keras' side of `truth`: ported weights, outputs and gradients."""

import contextlib
import importlib
import sys
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.ops import math_ops

from parity_tests.check.zoo.pair import Pair, Port, port_of
from parity_tests.check.zoo.truth import PRECISIONS, draws, each, projection

_UNPORTED = ("num_batches_tracked", "inv_freq", "position_ids", "seed_generator_state")


@contextlib.contextmanager
def widened():
    """In a float64 run float32 asked for by name is float64, on both sides, or rounding remains."""
    cast = math_ops.cast

    def cast64(x, dtype, name=None):
        wide = tf.as_dtype(dtype) in (tf.float32, tf.float64)
        if wide and isinstance(x, float):
            return tf.constant(x, tf.float64)
        return cast(x, tf.float64 if wide else dtype, name)

    math_ops.cast = tf.cast = cast64
    try:
        yield
    finally:
        math_ops.cast = tf.cast = cast


def work(pair: Pair, folder: Path) -> dict[str, np.ndarray]:
    """Outputs and gradients by precision."""
    state = dict(np.load(folder / f"{pair.name}.weights.npz"))
    shapes = {k: v.shape for k, v in np.load(folder / f"{pair.name}.torch.npz").items()}
    port = Port(state)
    port_of(pair)(port)
    unused = [n for n in state if n not in port.used and not n.endswith(_UNPORTED)]
    if unused:
        raise ValueError(f"weights of PyTorch that do not go across: {unused}")
    found = {}
    for precision in PRECISIONS:
        keras.backend.clear_session()
        keras.config.set_floatx(precision)
        keras.config.set_dtype_policy(precision)
        try:
            with widened() if precision == "float64" else contextlib.nullcontext():
                found |= run(pair, port, shapes, precision)
        except Exception:
            if precision == "float32":
                raise  # in float64: a package that has float32 weights in every precision
        finally:
            keras.config.set_floatx("float32")
            keras.config.set_dtype_policy("float32")
    return found


def run(pair, port, shapes, precision):
    """One precision."""
    keras.utils.set_random_seed(0)
    model = importlib.import_module(pair.module).keras_model(**pair.keras)
    found = {}
    for number, arrays in enumerate(draws(pair)):
        given = [prepared(a, precision, model, i) for i, a in enumerate(arrays)]
        if number == 0:
            call(model, given)
            names = set_weights(model, port)
        with tf.GradientTape() as tape:
            outputs = flat(call(model, given))
            total = 0.0
            for place, y in enumerate(outputs):
                found[f"{precision}/out{number}.{place}"] = np.array(y)
                wanted = shapes[f"{precision}/out{number}.{place}"]
                weights = projection(wanted, place)
                if len(wanted) == len(y.shape) and wanted != tuple(y.shape):
                    weights = np.moveaxis(weights, 1, -1)
                total += tf.reduce_sum(y * tf.constant(weights.reshape(y.shape), y.dtype))
        if number:
            continue
        variables = [v for v in model.trainable_variables if id(v) in names]
        slopes = tape.gradient(total, [v.value for v in variables])
        for variable, slope in zip(variables, slopes, strict=True):
            dense = tf.zeros_like(variable.value) if slope is None else slope
            name = names[id(variable)]
            found[f"{precision}/gradient/{name}"] = tf.convert_to_tensor(dense).numpy()
    return found


def set_weights(model, port):
    """Set every weight by its path; the k-th of a path where paths come twice."""
    times, names = Counter(), {}
    arrays = defaultdict(list, {path: list(found) for path, found in port.found.items()})
    for variable in unique(model.weights):
        path = variable.path.removeprefix(f"{model.name}/")
        number = times[path]
        times[path] += 1
        if path.endswith(_UNPORTED):
            continue
        if arrays[path]:
            array = arrays[path].pop(0)
            if array is not None:
                if array.size != int(np.prod(variable.shape)):
                    raise ValueError(f"{path}: {tuple(variable.shape)}, not {array.shape}")
                variable.assign(array.reshape(variable.shape))
                names[id(variable)] = f"{path}:{number}"
            continue
        values = [value for pattern, value in port.filled if fnmatchcase(path, pattern)]
        if not values:
            raise ValueError(f"no weight of PyTorch goes to {path} {tuple(variable.shape)}")
        variable.assign(np.full(variable.shape, values[0]))
    left = [path for path, more in arrays.items() if any(a is not None for a in more)]
    if left:
        raise ValueError(f"Keras has no {left}; it has {sorted(times)}")
    return names


def unique(variables):
    return list({id(v): v for v in variables}.values())


def prepared(array, precision, model, place):
    """An input in Keras' layout: images and spectra with their channels last."""
    if np.issubdtype(array.dtype, np.floating):
        array = array.astype(precision)
        structure = getattr(model, "_inputs_struct", None)
        taken = list(structure.values()) if isinstance(structure, dict) else model.inputs
        moved = np.moveaxis(array, 1, -1) if array.ndim > 2 else array
        if not fits(array, taken[place].shape) and fits(moved, taken[place].shape):
            array = moved
    return tf.constant(array)


def fits(array, declared):
    """Whether an array has the shape that a model states."""
    return all(want in (None, have) for have, want in zip(array.shape, declared, strict=True))


def call(model, given):
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, dict):
        return model(dict(zip(structure, given, strict=True)), training=False)
    return model(given[0] if len(given) == 1 else given, training=False)


def flat(outputs):
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    if isinstance(outputs, list | tuple):
        return [y for part in outputs for y in flat(part)]
    return [outputs]


if __name__ == "__main__":
    each(Path(sys.argv[1]), work)
