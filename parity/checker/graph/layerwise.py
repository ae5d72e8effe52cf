"""Where a tracer fails on a model that runs: layers only, and what the reader must know of it.

Used by both sides; knows no framework.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.graph.graph import Graph
from parity.checker.graph.target import bare
from parity.core.errors import ParityError

UNTRACED = "untraced"
"""Name of an opaque node for what runs between two layers, where only these are seen."""
_REASON = 160
"""So many letters of why a model cannot be traced."""

Arrays = Sequence[NDArray[Any]]


def note(side: str, error: BaseException, layers: int) -> str:
    """What is lost where a model runs but cannot be traced, in words for the reader.

    Args:
        side: which framework.
        error: why it cannot be traced.
        layers: how many were seen instead.
    """
    seen = {0: "no layer at all", 1: "its one layer"}.get(layers, f"its {layers} layers")
    return (
        f"The {side} model runs, but cannot be traced ({_reason(error)}). It is seen layer by "
        f"layer instead: {seen}. What is lost: what runs between layers (functions, operators, "
        "layers that are not the framework's own) is an untraced node, of which no setting is "
        "compared and no cause named; what a layer takes is known where it is just what another "
        "gave, and else guessed by order and gradients, so that layers are paired by order, kind "
        "and shape. Outputs, loss and gradients are compared as always."
    )


def _reason(error: BaseException) -> str:
    """Class and message of the exception behind it, on one line."""
    behind = error.__cause__ or error
    reason = bare(str(behind)).partition("\n\nArguments received by")[0].strip()
    # Within a compiled function the lines of the user's come first, and last what went wrong.
    text = " ".join(reason.splitlines()[-1:] if "in user code:" in reason else reason.split())
    text = f"{text.strip()[:_REASON]} …" if len(text) > _REASON else text.strip()
    name = type(behind).__name__
    if isinstance(behind, ParityError) or text.startswith(name):
        return text.rstrip(".:")
    return f"{name}: {text}" if text else name


def with_hidden_uses(graph: Graph) -> Graph:
    """Without a word about unused weights, where an untraced node may use them."""
    hidden = any(node.settings.get("name") == UNTRACED for node in graph.nodes)
    return replace(graph, unused=()) if hidden else graph


def reversed_inputs(inputs: Arrays) -> list[NDArray[Any]]:
    """Other inputs of the same kind: the same numbers from last to first."""
    return [np.flip(np.asarray(array)).copy() for array in inputs]


def expect_fixed(one: Arrays, other: Arrays, layer: str) -> None:
    """What a trace took for constants must be the same on other inputs.

    Args:
        one, other: the constants that reach an output, on inputs and on others.
        layer: one that reaches no output.

    Raises:
        ParityError: they are not: numbers have left their tensors and come back.
    """
    if len(one) == len(other) and all(map(np.array_equal, one, other)):
        return
    raise ParityError(
        f"what {layer} computes leaves its tensors, so that its way to the outputs is not seen"
    )
