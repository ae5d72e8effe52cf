"""The user's own loss and optimizer: what is asked for, and how a side makes it. No framework."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parity.checker.graph.target import ModelError, Target, find
from parity.core.errors import UsageError
from parity.core.sides import SIDES, Side

COMPILED = "compiled"
"""In place of a name: what the Keras model was compiled with."""
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Recipe:
    """How both sides are trained; None: the check's own loss, or plain gradient descent.

    Attributes:
        loss, optimizer: side → a `Target`, a word that Keras knows, or an object.
    """

    loss: Mapping[Side, Any] = field(default_factory=dict)
    optimizer: Mapping[Side, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, sides in (("loss", self.loss), ("optimizer", self.optimizer)):
            lacking = [side for side in SIDES if sides and sides.get(side) is None]
            if lacking:
                raise UsageError(
                    f"Only one side has its own {name}. Expected --{lacking[0]}-{name}, too."
                )

    def __bool__(self) -> bool:
        return bool(self.loss or self.optimizer)


def parse(text: str, arguments: str, option: str) -> Any:
    """Read what was typed: ``FILE.py:NAME``, ``PACKAGE.MODULE:NAME``, or a word of Keras'.

    Raises:
        UsageError: it is not of that form.
    """
    if option.startswith("--keras") and text.isidentifier():
        if arguments not in ("", "{}"):
            raise UsageError(f"{option} '{text}' is a word and takes no {option}-args.")
        return text
    return Target.parse(text, arguments, option)


def required(made: Callable[..., Any], arguments: Mapping[str, Any]) -> list[str] | None:
    """Names of the positional parameters that have to be given yet; None where it is not told."""
    try:
        parameters = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        p.name
        for p in parameters
        if p.kind in _POSITIONAL and p.default is p.empty and p.name not in arguments
    ]


def resolve(wish: Any) -> tuple[Any, dict[str, Any]]:
    """What a wish names, and its keyword arguments."""
    if isinstance(wish, Target):
        return find(wish), dict(wish.arguments)
    return wish, {}


def title(wish: Any) -> str:
    """How people call it."""
    if isinstance(wish, Target):
        return wish.title
    return wish if isinstance(wish, str) else getattr(wish, "__name__", type(wish).__name__)


def loss_function(loss: Any, arguments: Mapping[str, Any], ready: tuple[type, ...]) -> Any:
    """A function of two arguments: what was found, or what it makes.

    Args:
        loss: an object, class or function.
        arguments: keyword arguments.
        ready: classes of which an instance is a loss.

    Raises:
        ModelError: it is none.
    """
    if isinstance(loss, ready):
        return loss
    if not callable(loss):
        raise ModelError(f"A loss was expected, this is a {type(loss).__name__}.")
    if not inspect.isclass(loss):
        needed = required(loss, arguments)
        if needed is None or len(needed) >= 2:
            return functools.partial(loss, **arguments) if arguments else loss
    made = loss(**arguments)
    if not callable(made):
        raise ModelError(
            f"{getattr(loss, '__name__', loss)} gives a {type(made).__name__}. Expected a loss: "
            "something that can be called with outputs and targets."
        )
    return made
