"""`assert_parity`: the check in people's own tests."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.checker.check import check, check_targets
from parity.checker.graph import model_inputs as feeding
from parity.checker.graph import training_recipe as reading
from parity.checker.graph.model_interface import Array, Model
from parity.checker.graph.target import Target, keep_out_triton
from parity.checker.graph.training_recipe import Recipe
from parity.checker.result import wording
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.request import CheckRequest
from parity.core.errors import UsageError
from parity.core.sides import SIDE_PACKAGES, Side

_CLASSES: dict[Side, str] = {"torch": "TorchModel", "keras": "KerasModel"}


def assert_parity(
    torch_model: Any,
    keras_model: Any,
    inputs: str | Sequence[Any] | None = None,
    *,
    torch_args: Mapping[str, Any] | None = None,
    keras_args: Mapping[str, Any] | None = None,
    train: bool = False,
    torch_loss: Any = None,
    keras_loss: Any = None,
    torch_optimizer: Any = None,
    keras_optimizer: Any = None,
    torch_loss_args: Mapping[str, Any] | None = None,
    keras_loss_args: Mapping[str, Any] | None = None,
    torch_optimizer_args: Mapping[str, Any] | None = None,
    keras_optimizer_args: Mapping[str, Any] | None = None,
    targets: str | Sequence[str] | None = None,
    steps: int = 3,
    keep_weights: bool = False,
    weights_from: Side = "torch",
    map: Mapping[str, str] | None = None,
    layout: feeding.InputLayout = "auto",
    seed: int = 0,
) -> CheckResult:
    """Assert that a Keras model computes what a PyTorch model does, to rounding.

    Args:
        torch_model: ``"models.py:Net"``, ``"package.module:name"``, a class or function that makes
            a model, or a model. What can be named runs in a process of its own; a model that
            exists already runs in this one, which then holds both frameworks, but not triton.
        keras_model: the same on the other side. A model that exists already must be one that Keras
            can build again in float64, as it can functional and `Sequential` ones.
        inputs: as `parity check` has them, one text an input (``"8,3,64,64"``, ``"8,20:int"``), or
            arrays in PyTorch's layout; None where the Keras model states its shapes.
        torch_args, keras_args: keyword arguments of what makes a model.
        train: also compare training: batch statistics, running statistics, steps of gradient
            descent.
        torch_loss, keras_loss: train with these, named or given as the models are. PyTorch's is
            called with (output, target), Keras' with (target, output); ``"compiled"`` takes what
            the Keras model was compiled with.
        torch_optimizer, keras_optimizer: step with these: a class, or a function that takes the
            model's parameters; Keras' takes nothing. ``"compiled"`` as above.
        torch_loss_args, keras_loss_args, torch_optimizer_args, keras_optimizer_args: keyword
            arguments of what makes them.
        targets: of the loss, one text each, as `inputs`: ``"8:int<10"``.
        steps: of training.
        keep_weights: both have their weights already; otherwise they are taken across.
        weights_from: the side whose weights are taken.
        map: names of PyTorch's layers → names of Keras', where the alignment needs help.
        layout: ``moved`` where images are channels last in Keras, ``same`` where not.
        seed: of the inputs.

    Returns:
        What was found, where the two agree.

    Raises:
        AssertionError: they differ, or it could not be told; in the words of ``parity check``.
        ParityError: a model cannot be loaded or run.
    """
    __tracebackhide__ = True  # pytest shows the message, and not this function
    wanted, given = _inputs(inputs)
    recipe = Recipe(
        _recipe(torch_loss, torch_loss_args, keras_loss, keras_loss_args, "loss"),
        _recipe(
            torch_optimizer,
            torch_optimizer_args,
            keras_optimizer,
            keras_optimizer_args,
            "optimizer",
        ),
    )
    listed = [targets] if isinstance(targets, str) else list(targets or [])
    request = CheckRequest(
        recipe=recipe,
        targets=tuple(feeding.parse(t, "targets") for t in listed),
        steps=steps,
        inputs=wanted,
        given=given,
        train=train or bool(recipe),
        keep_weights=keep_weights,
        weights_from=weights_from,
        pairs=dict(map or {}),
        layout=layout,
        seed=seed,
    )
    named = _named(torch_model, torch_args), _named(keras_model, keras_args)
    apart = all(
        isinstance(w, (Target, str)) for w in (*recipe.loss.values(), *recipe.optimizer.values())
    )
    if named[0] is not None and named[1] is not None and not apart:
        raise UsageError(
            "Models that are named run in processes of their own, where a loss or an optimizer "
            "that exists already is not. Name it, too: a text, or a class or function of a file."
        )
    if named[0] is not None and named[1] is not None:
        result = check_targets(named[0], named[1], request)
    else:
        result = check(
            _here("torch", torch_model, torch_args),
            _here("keras", keras_model, keras_args),
            request,
        )
    if result.verdict != "agree":
        raise AssertionError("\n" + wording.plain(result))
    return result


def _recipe(
    torch: Any,
    torch_args: Mapping[str, Any] | None,
    keras: Any,
    keras_args: Mapping[str, Any] | None,
    name: str,
) -> dict[Side, Any]:
    """Both sides' loss or optimizer: by name where there is one."""
    if torch is None and keras is None:
        return {}
    found: dict[Side, Any] = {}
    given: tuple[tuple[Side, Any, Any], ...] = (
        ("torch", torch, torch_args),
        ("keras", keras, keras_args),
    )
    for side, wish, arguments in given:
        option = f"--{side}-{name}"
        if isinstance(wish, str):
            parsed = reading.parse(wish, "{}", option)
            whole = isinstance(parsed, Target) and arguments
            found[side] = replace(parsed, arguments=dict(arguments or {})) if whole else parsed
        elif wish is not None:
            found[side] = _named(wish, arguments) or wish
    return found


def _inputs(
    given: str | Sequence[Any] | None,
) -> tuple[tuple[feeding.Input, ...] | None, tuple[Array, ...] | None]:
    """Texts to be drawn from, or arrays."""
    if given is None:
        return None, None
    listed: Sequence[Any] = [given] if isinstance(given, str) or hasattr(given, "shape") else given
    if all(isinstance(text, str) for text in listed):
        return tuple(feeding.parse(text) for text in listed), None
    if listed and all(isinstance(n, int) for n in listed):
        raise UsageError(
            f"inputs={given!r} is a row of numbers. Expected a text for each input "
            f'("{",".join(map(str, listed))}"), or arrays.'
        )
    arrays = tuple(np.asarray(a) for a in listed)
    kinds = {"f": "float", "i": "int", "u": "int", "b": "bool"}
    odd = next((a for a in arrays if a.dtype.kind not in kinds or a.ndim == 0), None)
    if odd is not None:
        raise UsageError(
            f"An input has dtype {odd.dtype} and shape {odd.shape}. Expected arrays of floats, "
            "whole numbers or booleans, batch first."
        )
    wanted = tuple(feeding.Input(a.shape, kinds[a.dtype.kind]) for a in arrays)  # type: ignore[arg-type]
    return wanted, arrays


def _named(model: Any, arguments: Mapping[str, Any] | None) -> Target | None:
    """Where another process finds what makes the model; None where only this one has it."""
    if isinstance(model, str):
        module, colon, name = model.rpartition(":")
        if not colon:
            raise UsageError(f"'{model}' names no model. Expected models.py:Net or package:name.")
        parsed = Target.parse(model, "{}", "model")
        return Target(parsed.module, parsed.name, dict(arguments or {}))
    name = getattr(model, "__qualname__", "")
    module = getattr(model, "__module__", "") or ""
    if not (inspect.isclass(model) or inspect.isfunction(model)) or "<" in name:
        return None
    file = getattr(sys.modules.get(module), "__file__", None)
    if module in ("__main__", "") or (file and "site-packages" not in file):
        return Target(file, name, dict(arguments or {})) if file else None
    return Target(module, name, dict(arguments or {}))


def _here(side: Side, model: Any, arguments: Mapping[str, Any] | None) -> Model:
    """The model in this process."""
    if isinstance(model, str):
        raise UsageError(
            f"'{model}' is named, the other model is not: both run in this process or both in "
            "processes of their own. Give both as names or both as models."
        )
    keep_out_triton()
    make: Callable[..., Model] = getattr(
        importlib.import_module(f"{SIDE_PACKAGES[side]}.checker"), _CLASSES[side]
    )
    title = getattr(model, "__name__", type(model).__name__)
    if arguments and callable(model):
        made, keywords = model, dict(arguments)
        return make(lambda: made(**keywords), title)
    return make(model, title)
