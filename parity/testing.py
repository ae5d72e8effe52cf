"""`assert_parity`: the check in people's own tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parity.api import check
from parity.checker.graph.model_inputs import InputLayout
from parity.checker.result import wording
from parity.checker.result.check_result import CheckResult
from parity.core.sides import Side


def assert_parity(
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
    """Assert that a Keras model computes what a PyTorch model does, to rounding.

    Takes what `parity.check` takes.

    Returns:
        What was found, where the two agree.

    Raises:
        AssertionError: they differ, or it could not be told; in the words of ``parity check``.
        ParityError: a model cannot be loaded or run, or what is asked contradicts itself.
    """
    __tracebackhide__ = True  # pytest shows the message, and not this function
    result = check(
        torch_model,
        keras_model,
        inputs,
        train=train,
        steps=steps,
        targets=targets,
        keep_weights=keep_weights,
        weights_from=weights_from,
        map=map,
        layout=layout,
        seed=seed,
    )
    if result.verdict != "agree":
        raise AssertionError("\n" + wording.plain(result))
    return result
