"""A weights file in Keras, and nothing of this project: run as a script, in a fresh process.

Standard input is a JSON document: ``module``, ``name`` and ``arguments`` of the model; ``weights``,
the file; ``inputs``, an ``.npz`` of arrays 0, 1 …; ``names`` of the inputs, or null; ``outputs``,
where the outputs go, as ``inputs``.
"""

import dataclasses
import importlib
import importlib.util
import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf


def main():
    """Load, run, write what the model returns."""
    asked = json.loads(sys.stdin.read())
    keras.utils.set_random_seed(0)
    model = made(asked["module"], asked["name"], asked["arguments"])
    with np.load(asked["inputs"]) as file:
        inputs = [tf.constant(file[key]) for key in file.files]
    if asked["weights"].endswith(".keras"):
        model = keras.models.load_model(asked["weights"])
    else:
        called(model, inputs, asked["names"])  # builds what is built by a call
        load(model, asked["weights"])
    outputs = list(tensors(called(model, inputs, asked["names"])))
    np.savez(asked["outputs"], **{str(k): as_array(x) for k, x in enumerate(outputs)})


def made(module, name, arguments):
    """The model, as ``module:name`` says."""
    if module.endswith(".py") or "/" in module:
        path = Path(module)
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(f"_loaded_{path.stem}", path)
        found = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = found
        spec.loader.exec_module(found)
    else:
        sys.path.append("")
        found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found if isinstance(found, keras.layers.Layer) else found(**arguments)


def load(model, path):
    """The weights of a file: of a safetensors file by the variables' paths."""
    if not path.endswith(".safetensors"):
        model.load_weights(path)
        return
    from safetensors.numpy import load_file  # noqa: PLC0415

    weights, seen = load_file(path), {}
    for variable in model.weights:
        path = variable.path.removeprefix(f"{model.name}/")
        n = seen[path] = seen.get(path, 0) + 1
        variable.assign(weights[path if n == 1 else f"{path}_{n - 1}"])


def called(model, inputs, names):
    """What the model returns."""
    structure = getattr(model, "_inputs_struct", None)
    if names is not None:
        named = dict(zip(names, inputs, strict=True))
        if structure is not None:
            return model(named, training=False)
        try:
            return model(**named, training=False)
        except TypeError:  # it takes one dictionary
            return model(named, training=False)
    if structure is not None and (len(inputs) > 1 or isinstance(structure, dict)):
        return model(filled(structure, list(inputs)), training=False)
    if len(inputs) == 1:
        return model(inputs[0], training=False)
    try:
        return model(*inputs, training=False)
    except TypeError:
        return model(inputs, training=False)


def filled(structure, inputs):
    """The model's own lists and dictionaries with the inputs in them, in order."""
    if isinstance(structure, dict):
        return {key: filled(value, inputs) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)(filled(value, inputs) for value in structure)
    return inputs.pop(0)


def tensors(structure):
    """Tensors that a model returns, in order."""
    if tf.is_tensor(structure):
        yield structure
    elif isinstance(structure, dict):
        for value in structure.values():
            yield from tensors(value)
    elif isinstance(structure, list | tuple):
        for value in structure:
            yield from tensors(value)
    elif dataclasses.is_dataclass(structure):
        for field in dataclasses.fields(structure):
            yield from tensors(getattr(structure, field.name))


def as_array(tensor):
    """In a type that NumPy has."""
    half = tensor.dtype in (tf.float16, tf.bfloat16)
    return (tf.cast(tensor, tf.float32) if half else tensor).numpy()


if __name__ == "__main__":
    main()
