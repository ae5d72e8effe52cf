"""How a model is run: under a tracer, and called as its author would."""

from __future__ import annotations

import contextlib
import inspect

from parity.checker.graph.input_names import Argument, Signature
from parity.keras_side.checker import failures


def run(owner, tracer, model, tensors, training):
    """Run a model under a tracer."""
    for i, x in enumerate(tensors):
        tracer.input(x, i)
    with (
        tracer.listening(),
        failures.naming_user_lines(f"{owner.title} cannot be run on these inputs"),
    ):
        return call(model, tensors, training, owner.names)


def call(model, tensors, training, names=None):
    """Call a model as its author would."""
    mode = {"training": training}
    structure = getattr(model, "_inputs_struct", None)
    if structure is not None and (len(tensors) > 1 or isinstance(structure, dict)):
        given = list(tensors)
        if names is not None:
            given = [given[names.index(name)] for name, _ in leaves(structure)]
        return model(_like(structure, given), **mode)
    takes = signature(model)
    if names is not None and structure is None:
        named = dict(zip(names, tensors, strict=True))
        bundle = takes is not None and takes.bundle
        return model(named, **mode) if bundle else model(**named, **mode)
    if len(tensors) == 1:
        return model(tensors[0], **mode)
    if takes is None or len(takes.arguments) >= len(tensors):
        return model(*tensors, **mode)
    return model(list(tensors), **mode)


def leaves(structure, name=""):
    """Inputs of a functional model in the order in which they are filled in, with their names."""
    if isinstance(structure, dict):
        return [leaf for key, value in structure.items() for leaf in leaves(value, str(key))]
    if isinstance(structure, list | tuple):
        return [leaf for value in structure for leaf in leaves(value)]
    return [(name or structure.name, structure)]


def signature(model):
    """What a model takes; None where it does not say."""
    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        with contextlib.suppress(AttributeError, ValueError):  # not built yet
            structure = list(model.inputs or ()) or None
    if structure is not None:
        arguments = [Argument(n, True, tuple(x.shape), x.dtype) for n, x in leaves(structure)]
        return Signature(tuple(arguments), exact=True)
    fields = list(inspect.signature(model.call).parameters.values())
    if any(f.kind == f.VAR_POSITIONAL for f in fields):
        return None
    fields = [f for f in fields if f.kind != f.VAR_KEYWORD and not _given_by_keras(f)]
    arguments = tuple(Argument(f.name, f.default is f.empty) for f in fields)
    return Signature(arguments, bundle=len(arguments) == 1)


def _given_by_keras(field):
    """What Keras passes on by itself: the mode, and a mask that may be left out."""
    return field.name == "training" or (field.name == "mask" and field.default is not field.empty)


def _like(structure, tensors):
    if isinstance(structure, dict):
        return {key: _like(value, tensors) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)(_like(value, tensors) for value in structure)
    return tensors.pop(0)
