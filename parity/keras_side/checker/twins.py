"""The same model in float64."""

from __future__ import annotations

import contextlib

import keras
import numpy as np
import tensorflow as tf

from parity.core.errors import ParityError
from parity.keras_side.checker.marks import swapped


def make(model, build):
    """A copy of a model, or the model built once more, under a policy set before.

    Returns:
        The model itself where Keras cannot copy it: it has to be `converted` for a while.
    """
    if build is not None:
        twin = build()
        widen(twin)
        return twin
    try:
        config = keras.saving.serialize_keras_object(model)
        twin = keras.saving.deserialize_keras_object(_float64(config))
    except Exception:  # whatever the user's get_config does
        return model
    described = isinstance(model, keras.Sequential | keras.src.models.Functional)
    return twin if described else model


@contextlib.contextmanager
def converted(model):
    """A model in float64 for a while: its layers' policies and its variables' values."""
    layers = [model, *model._flatten_layers(include_self=False)]
    policy = keras.DTypePolicy("float64")
    with contextlib.ExitStack() as stack:
        for layer in {id(x): x for x in layers}.values():
            if layer.dtype_policy.name == "float32":
                stack.enter_context(swapped(layer, _dtype_policy=policy))
            if _is_input(layer) and layer._dtype == "float32":
                stack.enter_context(swapped(layer, _dtype="float64"))
            for x in getattr(layer, "_inputs", ()) or ():  # of a functional model within
                if x.dtype == "float32":
                    stack.enter_context(swapped(x, _dtype="float64"))
        for variable in model.variables:
            if variable.dtype == "float32":
                value = tf.Variable(
                    np.array(variable._value).astype("float64"), trainable=variable.trainable
                )
                stack.enter_context(swapped(variable, _dtype="float64", _value=value))
        yield


def widen(model):
    """Make float64 of what asks for float32 by name, as ``keras.Input(shape, dtype="float32")``.

    What asks for less than float32 keeps it: that is a difference of its own.
    """
    policy = keras.DTypePolicy("float64")
    layers = [model, *model._flatten_layers(include_self=False)]
    for layer in [*layers, *(x._functional for x in layers if getattr(x, "_functional", None))]:
        if layer.dtype_policy.name == "float32":
            layer._dtype_policy = policy
        if _is_input(layer) and layer._dtype == "float32":
            layer._dtype = "float64"
        for x in getattr(layer, "_inputs", ()) or ():
            if x.dtype == "float32":
                x._dtype = "float64"
        for variable in layer._trainable_variables + layer._non_trainable_variables:
            if variable.dtype == "float32" and variable._value is not None:
                value = np.array(variable._value).astype("float64")
                variable._dtype = "float64"
                variable._value = tf.Variable(value, trainable=variable.trainable)


def _is_input(layer):
    """A sequential model converts what it is given to its input layer's own dtype."""
    return isinstance(layer, keras.layers.InputLayer)


def _float64(config):
    """A description of a model in which float64 stands for float32."""
    if isinstance(config, list | tuple):
        return type(config)(_float64(value) for value in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("DTypePolicy", "FloatDTypePolicy"):
        single = config["config"].get("name") == "float32"
        return {**config, "config": {"name": "float64"}} if single else config
    changed = {}
    for key, value in config.items():
        single = key == "dtype" and value == "float32"
        changed[key] = "float64" if single else _float64(value)
    return changed


def carry(source, target, pagings=(None, None), places=None):
    """Give one model the weights of another, by position.

    Args:
        source, target: models.
        pagings: of both models' weights, where they are in files.
        places: of those that have changed; None: all.
    """
    here, there = source.weights, target.weights
    shapes = [tuple(v.shape) for v in here], [tuple(v.shape) for v in there]
    if shapes[0] != shapes[1]:
        raise ParityError(
            f"Built a second time, the model has {len(there)} weights with other shapes than the "
            f"{len(here)} before. The function that builds it must build the same every time."
        )
    for place in range(len(here)) if places is None else places:
        array = np.asarray(here[place])
        if pagings[1] is None:
            there[place].assign(array.astype("float64"))
        else:
            pagings[1].assign(there[place], array)
        if pagings[0] is not None:
            pagings[0].touch(here[place])
