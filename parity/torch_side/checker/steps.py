"""What the tracer keeps while a model runs."""

from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(eq=False)
class TracedStep:
    """A node in the making. `again` holds what `replay` needs: function and marked arguments."""

    name: str
    kind: str
    settings: dict
    sources: list
    outputs: list
    parameters: dict
    code: str
    again: Any


@dataclass(frozen=True)
class Slot:
    """Stands for a node's source in the arguments of its call."""

    place: int


@dataclass(frozen=True)
class Own:
    """Stands for a parameter, or what was moved out of it."""

    name: str
    ids: Any
    shape: tuple[int, ...]


@dataclass
class Frame:
    """A module that is running."""

    path: str
    module: nn.Module
    used: bool = False
