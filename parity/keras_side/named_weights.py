"""Variables by neutral name. The canonical layout is Keras' own, so nothing is converted here."""

import keras

from parity.core.errors import RecordingError


def leaves(model, prefix=""):
    """Neutral name → layer, in order; layers of a model within the model are ``outer_inner``."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer, f"{prefix}{layer.name}_")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield f"{prefix}{layer.name}", layer


def named(model):
    """Neutral name ``hidden/kernel`` → variable, in the order of ``model.weights``."""
    return {f"{name}/{v.name}": v for name, layer in leaves(model) for v in layer.weights}


def named_trainable(model):
    """The same for what the optimizer moves, in the order of ``model.trainable_variables``."""
    trainable = {id(v) for v in model.trainable_variables}
    return {name: v for name, v in named(model).items() if id(v) in trainable}


def load(model, weights):
    """Assign arrays to the model's variables.

    Raises:
        RecordingError: names or shapes that do not fit.
    """
    variables = named(model)
    if set(variables) != set(weights):
        raise RecordingError(
            f"The Keras model has variables {sorted(variables)}, the spec {sorted(weights)}: "
            "name the layers as the spec does."
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != weights[name].shape:
            raise RecordingError(
                f"{name} is {tuple(variable.shape)} in the Keras model and {weights[name].shape} "
                "in the spec: mend one of them."
            )
        variable.assign(weights[name])
