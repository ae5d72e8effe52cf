"""What a row of the bench says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FOLDER = "parity_tests/check/bench"


@dataclass(frozen=True)
class Pair:
    """Two models that compute the same, given the same weights.

    Attributes:
        name: unique.
        torch, keras: ``folder/file.py:callable``; or of a model that exists.
        inputs: as PyTorch takes them, batch first: ``2,3,12,10``, ``2,11:int<50``, ``2,11:bool``.
        train: whether training is compared, too.
        keras_inputs: as Keras takes them where that is not the usual (images channels last, all
            else as it is); empty otherwise.
        torch_arguments, keras_arguments: keyword arguments of the callables.
    """

    name: str
    torch: str
    keras: str
    inputs: tuple[str, ...]
    train: bool = False
    keras_inputs: tuple[str, ...] = ()
    torch_arguments: Mapping[str, Any] = field(default_factory=dict)
    keras_arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """One mistake: where it may be seen first, and what it may be called.

    Attributes:
        torch, keras: names of layers or operations; any of them is right, and so is whatever lies
            in one of them (``attn`` also says ``attn/query``). Empty: that side has no such layer.
        kinds: words for the cause, any of them is right.
    """

    torch: tuple[str, ...]
    keras: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """A port with one mistake, or two.

    Attributes:
        name: unique.
        base: the pair that would be right.
        torch, keras, inputs, train, keras_inputs: as `Pair`'s.
        causes: one a mistake, the first to be met first.
        why: what went wrong, as its author would say it.
    """

    name: str
    base: str
    torch: str
    keras: str
    inputs: tuple[str, ...]
    train: bool
    causes: tuple[Cause, ...]
    why: str
    keras_inputs: tuple[str, ...] = ()


def place(side: str, short: str) -> str:
    """``images:small_cnn`` as one names it from the root of the repository."""
    file, name = short.split(":")
    return f"{FOLDER}/{side}_{file}.py:{name}"


def names(text: str) -> tuple[str, ...]:
    """Words of a line."""
    return tuple(text.split())
