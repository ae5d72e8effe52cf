"""Variables by neutral name. The canonical layout is Keras' own, so nothing is converted here."""

from typing import NamedTuple

import keras

from parity.core.errors import RecordingError


class Named(NamedTuple):
    """A layer and what it is called on both sides.

    Attributes:
        name: neutral name.
        layer: itself.
        activation: neutral name of the activation that the layer applies to its own output; the
            other side has it as a layer. Empty where there is none.
    """

    name: str
    layer: keras.layers.Layer
    activation: str = ""


def leaves(model, prefix=""):
    """Own name and layer, in order; layers of a model within the model are ``outer_inner``."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer, f"{prefix}{layer.name}_")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield f"{prefix}{layer.name}", layer


def named_layers(model, names=()):
    """Every layer by its neutral name.

    Args:
        model: of a lesson, which need not know the names.
        names: neutral names in the order of the layers, an activation after its layer; none where
            the model's own are wanted.

    Raises:
        RecordingError: the model has not as many layers as there are names.
    """
    own = list(leaves(model))
    activated = [_activates(layer) for _, layer in own]
    if not names or (not any(activated) and {name for name, _ in own} <= set(names)):
        return [Named(name, layer) for name, layer in own]
    if len(own) + sum(activated) != len(names):
        raise RecordingError(
            f"The Keras model has the layers {[name for name, _ in own]}, {sum(activated)} of them "
            f"with an activation, the spec {list(names)}: mend one of them; they are paired in "
            "order."
        )
    order = iter(names)
    return [
        Named(next(order), layer, next(order) if activates else "")
        for (_, layer), activates in zip(own, activated, strict=True)
    ]


def _activates(layer):
    """Whether a layer with a kernel applies an activation to what it computes."""
    own = getattr(layer, "activation", None)
    return hasattr(layer, "kernel") and own not in (None, keras.activations.linear)


def named(model, names=()):
    """Neutral name ``hidden/kernel`` → variable, in the order of ``model.weights``."""
    return {f"{n.name}/{v.name}": v for n in named_layers(model, names) for v in n.layer.weights}


def named_trainable(model, names=()):
    """The same for what the optimizer moves, in the order of ``model.trainable_variables``."""
    trainable = {id(v) for v in model.trainable_variables}
    return {name: v for name, v in named(model, names).items() if id(v) in trainable}


def load(model, weights, names=()):
    """Assign arrays to the model's variables.

    Raises:
        RecordingError: names or shapes that do not fit.
    """
    variables = named(model, names)
    if set(variables) != set(weights):
        raise RecordingError(
            f"The Keras model has variables {sorted(variables)}, the spec {sorted(weights)}: "
            "mend one of them."
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != weights[name].shape:
            raise RecordingError(
                f"{name} is {tuple(variable.shape)} in the Keras model and {weights[name].shape} "
                "in the spec: mend one of them."
            )
        variable.assign(weights[name])
