"""How a model is run: under a tracer, and called as its author would."""

from __future__ import annotations

import inspect

from parity.keras_side.checker import failures


def run(owner, tracer, model, tensors, training):
    """Run a model under a tracer."""
    for i, x in enumerate(tensors):
        tracer.input(x, i)
    with (
        tracer.listening(),
        failures.naming_user_lines(f"{owner.title} cannot be run on these inputs"),
    ):
        return call(model, tensors, training)


def call(model, tensors, training):
    """Call a model as its author would."""
    mode = {"training": training}
    if len(tensors) == 1 and not isinstance(getattr(model, "_inputs_struct", None), dict):
        return model(tensors[0], **mode)
    structure = getattr(model, "_inputs_struct", None)
    if structure is not None:
        return model(_like(structure, list(tensors)), **mode)
    parameters = [
        p
        for p in inspect.signature(model.call).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        and p.name not in ("training", "mask")
    ]
    several = any(
        p.kind == p.VAR_POSITIONAL for p in inspect.signature(model.call).parameters.values()
    )
    if several or len(parameters) >= len(tensors):
        return model(*tensors, **mode)
    return model(list(tensors), **mode)


def _like(structure, tensors):
    if isinstance(structure, dict):
        return {key: _like(value, tensors) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)(_like(value, tensors) for value in structure)
    return tensors.pop(0)
