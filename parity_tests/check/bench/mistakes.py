"""A fault said in a line."""

from __future__ import annotations

import re

from .pairs import CORRECT, KEPT_CORRECT
from .rows import Cause, Fault, names, place


def wrong(  # noqa: PLR0917, a row of a table
    base: str,
    keras: str,
    torch_layers: str,
    keras_layers: str,
    kinds: str,
    why: str,
    also: tuple[str, str, str] | None = None,
    *,
    torch: str = "",
    train: bool = False,
    inputs: tuple[str, ...] = (),
) -> Fault:
    """A fault in a line: what is not said is the base's.

    Args:
        base: name of the pair that would be right.
        keras: the wrong port, ``images:small_cnn``; empty where PyTorch's side is the wrong one.
        torch_layers, keras_layers, kinds: of `Cause`, as words.
        why: of `Fault`.
        also: the second mistake's layers and kinds.
        torch: the wrong port, where it is PyTorch's.
        train: of `Fault`.
        inputs: where they are not the base's.
    """
    pair = next(pair for pair in (*CORRECT, *KEPT_CORRECT) if pair.name == base)
    causes = [Cause(names(torch_layers), names(keras_layers), names(kinds))]
    if also:
        causes.append(Cause(*(names(words) for words in also)))
    return Fault(
        name=re.sub("(?<!^)(?=[A-Z])", "_", (keras or torch).split(":")[1]).lower(),
        base=base,
        torch=place("torch", torch) if torch else pair.torch,
        keras=place("keras", f"faults_{keras}" if "kept" not in keras else keras)
        if keras
        else pair.keras,
        inputs=inputs or pair.inputs,
        train=train,
        causes=tuple(causes),
        why=why,
        keras_inputs=pair.keras_inputs,
    )
