"""What `import parity` offers: check two models, compare recordings, read and write them."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from parity.checker import check as checking
from parity.checker.graph import model_inputs as feeding
from parity.checker.graph import model_interface
from parity.checker.graph import training_recipe as reading
from parity.checker.graph.model_inputs import InputLayout
from parity.checker.graph.model_interface import Array
from parity.checker.graph.target import REFERENCE, Target, keep_out_triton
from parity.checker.graph.training_recipe import Recipe
from parity.checker.named import check_targets
from parity.checker.references.reference_model import ReferenceModel
from parity.checker.result.check_result import CheckResult
from parity.checker.result.html_page import ShownResult
from parity.checker.workers.fitting import fitted
from parity.checker.workers.request import CheckRequest
from parity.core.errors import UsageError
from parity.core.sides import SIDE_PACKAGES, SIDES, Side
from parity.recording import recording_file
from parity.recording.recording_file import Header, Recording
from parity.run import pipeline
from parity.spec.suite import Suite
from parity.verdict.judgement import PairVerdict

_CLASSES: dict[Side, str] = {"torch": "TorchModel", "keras": "KerasModel"}

_HERE = Target("", "model", {})
"""In place of a name: a model that exists."""

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Training:
    """How one side trains. What is left out, the check takes its own for, on both sides.

    Attributes:
        loss: named or given as a model is. PyTorch's is called with (output, target), Keras' with
            (target, output); ``"compiled"`` is what the Keras model was compiled with.
        optimizer: a class, or a function that takes the model's parameters; Keras' takes nothing.
            ``"compiled"`` as above.
        loss_args, optimizer_args: keyword arguments of what makes them.

    Raises:
        UsageError: arguments of nothing.
    """

    loss: Any = None
    optimizer: Any = None
    loss_args: Mapping[str, Any] = field(default_factory=dict)
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("loss", "optimizer"):
            if getattr(self, f"{name}_args") and getattr(self, name) is None:
                raise UsageError(f"{name}_args needs {name}, which names what takes them.")


@dataclass(frozen=True)
class Model:
    """A model, and what its name does not say.

    Attributes:
        target: ``"models.py:Net"``, ``"package.module:name"``, a class or function that makes a
            model, a model, or a reference (``"net.reference"``), which needs no framework. What
            can be named runs in a process of its own; a model that exists
            already runs in this one, which then holds both frameworks, but not triton. In Keras
            it must be one that can be built again in float64, as functional and `Sequential` can.
        args: keyword arguments of what makes the model.
        training: its own loss and optimizer.
    """

    target: Any
    args: Mapping[str, Any] = field(default_factory=dict)
    training: Training = field(default_factory=Training)


def check(
    torch_model: Any,
    keras_model: Any,
    inputs: str | Sequence[Any] | None = None,
    *,
    train: bool = False,
    steps: int = 3,
    targets: str | Sequence[str] | None = None,
    keep_weights: bool = False,
    weights_from: Side = "torch",
    map: Mapping[str, str] | None = None,
    layout: InputLayout = "auto",
    seed: int = 0,
) -> CheckResult:
    """Check whether a Keras model computes what a PyTorch model does, to rounding.

    Args:
        torch_model, keras_model: a `Model`, or the `Model.target` of one.
        inputs: as `parity check` has them, one text an input (``"8,3,64,64"``, ``"8,20:int"``), or
            arrays in PyTorch's layout; None where the Keras model states its shapes.
        train: also compare training: batch statistics, running statistics, steps of gradient
            descent. With a loss or an optimizer of the models' own in any case.
        steps: of training.
        targets: of the models' own loss, one text each, as `inputs`: ``"8:int<10"``.
        keep_weights: both have their weights already; otherwise they are taken across.
        weights_from: the side whose weights are taken.
        map: names of PyTorch's layers → names of Keras', where the alignment needs help.
        layout: ``moved`` where images are channels last in Keras, ``same`` where not.
        seed: of the inputs.

    Returns:
        The verdict, what was compared, and the causes. A notebook shows it as its page.

    Raises:
        ParityError: a model cannot be loaded or run, or what is asked contradicts itself.
    """
    torch, keras = (m if isinstance(m, Model) else Model(m) for m in (torch_model, keras_model))
    recipe = Recipe(_wishes(torch, keras, "loss"), _wishes(torch, keras, "optimizer"))
    if targets and not recipe.loss:
        raise UsageError("targets are for a loss. Expected a Training(loss=…) of both models, too.")
    wanted, given = _inputs(inputs)
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
    named = _named(torch.target, torch.args), _named(keras.target, keras.args)
    if named[0] is None or named[1] is None:
        texts = [t.title for t in named if t is not None and not t.is_reference]
        if texts:
            raise UsageError(
                f"'{texts[0]}' is named, the other model is not: both run in this process or both "
                "in processes of their own. Give both as names or both as models."
            )
        request = fitted(request, [target or _HERE for target in named])
        left, right = (
            _here(side, model) if target is None else _of_reference(target)
            for side, model, target in zip(SIDES, (torch, keras), named, strict=True)
        )
        return ShownResult.of(checking.check(left, right, request))
    wishes = (*recipe.loss.values(), *recipe.optimizer.values())
    if not all(isinstance(wish, (Target, str)) for wish in wishes):
        raise UsageError(
            "Models that are named run in processes of their own, where a loss or an optimizer "
            "that exists already is not. Name it, too: a text, or a class or function of a file."
        )
    return ShownResult.of(check_targets(named[0], named[1], request))


def compare(
    left: StrPath | Sequence[StrPath],
    right: StrPath | Sequence[StrPath],
    suite: Suite | None = None,
) -> PairVerdict:
    """Compare recordings of two programs, made anywhere, as ``parity diff`` does.

    Args:
        left, right: files of each side: one, or float32, float64 and nudged ones.
        suite: examples; a recording of one of them is asked what its spec asks.

    Raises:
        UsageError: the files of a side are not of one program, or there are none.
        RecordingError: a file cannot be read, or they answer different questions.
    """
    sides = (
        pipeline.one_side([read_recording(path) for path in _listed(paths)])
        for paths in (left, right)
    )
    return pipeline.judge_recordings(*pipeline.titled(*sides), suite)


def read_recording(path: StrPath) -> Recording:
    """Open a recording; an array is read from disk when it is asked for.

    Raises:
        RecordingError: no such file, not a complete recording, or a key outside the grammar.
    """
    return recording_file.read(Path(path))


def write_recording(path: StrPath, arrays: Mapping[str, Array], header: Header) -> None:
    """Write a recording whole or not at all; keys and layouts as in docs/recording.md.

    Raises:
        RecordingError: a key outside the grammar, an array that is no number, or a folder that
            cannot be written.
    """
    recording_file.write(Path(path), arrays, header)


def _listed(paths: StrPath | Sequence[StrPath]) -> Sequence[StrPath]:
    return [paths] if isinstance(paths, (str, os.PathLike)) else paths


def _wishes(torch: Model, keras: Model, name: str) -> dict[Side, Any]:
    """Both sides' loss or optimizer: a `Target` where it has a name."""
    sides: tuple[tuple[Side, Training], ...] = (
        ("torch", torch.training),
        ("keras", keras.training),
    )
    found: dict[Side, Any] = {}
    for side, training in sides:
        wish, arguments = getattr(training, name), getattr(training, f"{name}_args")
        if isinstance(wish, str):
            parsed = reading.parse(wish, "{}", f"--{side}-{name}")
            if isinstance(parsed, Target):
                parsed = replace(parsed, arguments=dict(arguments))
            elif arguments:
                raise UsageError(f"'{wish}' is a word and takes no {name}_args.")
            found[side] = parsed
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
    fed = feeding.of_arrays([np.asarray(a) for a in listed])
    return fed.inputs, fed.given


def _named(target: Any, arguments: Mapping[str, Any]) -> Target | None:
    """Where another process finds it; None where only this one has it."""
    if isinstance(target, os.PathLike):
        target = os.fspath(target)
    if isinstance(target, str) and target.endswith(REFERENCE):
        return Target.parse(target, json.dumps(dict(arguments)), "model")
    if isinstance(target, str):
        module, colon, name = target.rpartition(":")
        if not colon:
            raise UsageError(f"'{target}' names no model. Expected models.py:Net or package:name.")
        return replace(Target.parse(target, "{}", "model"), arguments=dict(arguments))
    name = getattr(target, "__qualname__", "")
    module = getattr(target, "__module__", "") or ""
    if not (inspect.isclass(target) or inspect.isfunction(target)) or "<" in name:
        return None
    file = getattr(sys.modules.get(module), "__file__", None)
    if module in ("__main__", "") or (file and "site-packages" not in file):
        return Target(file, name, dict(arguments)) if file else None
    return Target(module, name, dict(arguments))


def _of_reference(target: Target) -> model_interface.Model:
    model = ReferenceModel()
    model.load(target)
    return model


def _here(side: Side, model: Model) -> model_interface.Model:
    """The model in this process."""
    target = model.target
    keep_out_triton()
    make: Callable[..., model_interface.Model] = getattr(
        importlib.import_module(f"{SIDE_PACKAGES[side]}.checker"), _CLASSES[side]
    )
    title = getattr(target, "__name__", type(target).__name__)
    if model.args and callable(target):
        return make(lambda: target(**model.args), title)
    return make(target, title)
