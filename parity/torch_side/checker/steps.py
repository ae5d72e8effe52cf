"""What the tracer keeps while a model runs."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from parity.core.sites import Site


@dataclass(eq=False)
class TracedStep:
    """A node in the making.

    Attributes:
        again: what `replay` needs: function and marked arguments.
        called: where the user called it, as `parity.core.sites.Sites` has it.
    """

    name: str
    kind: str
    settings: dict
    sources: list
    outputs: list
    parameters: dict
    code: str
    again: Any
    called: tuple[Site, ...] = ()


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
