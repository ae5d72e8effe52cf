"""Variables by neutral name. The canonical layout is Keras' own, so nothing is converted here."""

from shared.errors import RecordingError


def named(model):
    """Neutral name ``hidden/kernel`` → variable, in the order of ``model.weights``."""
    return {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}


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
