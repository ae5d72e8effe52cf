"""The same model in float64."""

from __future__ import annotations

import keras
import numpy as np

from shared.errors import ParityError


def make(model, build, title):
    """A copy of a model, or the model built once more, under a policy set before."""
    if build is not None:
        return build()
    try:
        config = keras.saving.serialize_keras_object(model)
        return keras.saving.deserialize_keras_object(_float64(config))
    except Exception as error:
        raise ParityError(
            f"{title} cannot be copied in float64: {type(error).__name__}: {error}. A model with a "
            "`call` of its own has no description to copy from: give a function that builds it."
        ) from error


def _float64(config):
    """A description of a model in which every dtype policy is float64."""
    if isinstance(config, list | tuple):
        return type(config)(_float64(value) for value in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("DTypePolicy", "FloatDTypePolicy"):
        return {**config, "config": {"name": "float64"}}
    changed = {}
    for key, value in config.items():
        floating = isinstance(value, str) and value in ("float32", "float16", "bfloat16")
        changed[key] = "float64" if key == "dtype" and floating else _float64(value)
    return changed


def carry(source, target):
    """Give one model the weights of another, by position."""
    here, there = source.weights, target.weights
    shapes = [tuple(v.shape) for v in here], [tuple(v.shape) for v in there]
    if shapes[0] != shapes[1]:
        raise ParityError(
            f"Built a second time, the model has {len(there)} weights with other shapes than the "
            f"{len(here)} before. The function that builds it must build the same every time."
        )
    for a, b in zip(here, there, strict=True):
        b.assign(np.asarray(a).astype("float64"))
