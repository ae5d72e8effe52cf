"""What the check says of a row of the bench, against what the row expects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.remote_model import RemoteModel
from parity.checker.workers.request import CheckRequest
from parity.core.sides import Side
from parity_tests.check.bench.rows import Cause, Fault, Pair
from parity_tests.check.written_cases import unwritten

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Score:
    """What was right about the answer to a fault.

    Attributes:
        caught: the verdict is "differ".
        layer: the first divergence is where the fault is.
        named: a cause of the right kind is among the causes; of two faults both.
        confirmed: and it is confirmed.
    """

    caught: bool
    layer: bool
    named: bool
    confirmed: bool


def answer(
    remotes: tuple[RemoteModel, RemoteModel],
    row: Pair | Fault,
    *,
    kept: bool,
    corrected: Side = "keras",
) -> CheckResult:
    """Check a row in processes that are there."""
    request = CheckRequest(
        inputs=tuple(model_inputs.parse(text) for text in row.inputs),
        train=row.train,
        keep_weights=kept,
        corrected=corrected,
    )
    targets = (
        target(row.torch, getattr(row, "torch_arguments", {})),
        target(row.keras, getattr(row, "keras_arguments", {})),
    )
    result = check_in(remotes, targets, request)
    expect_repaired(result)
    assert not unwritten(result)
    return result


def expect_repaired(result: CheckResult) -> None:
    """What is confirmed, repaired, is within the bound: a proof says so by its own number."""
    for cause in result.causes:
        if cause.confirmed and cause.residual_ratio is not None:
            assert cause.residual_ratio <= 1, cause


def target(text, arguments):
    """A row's model."""
    file, name = text.rsplit(":", 1)
    return Target(str(ROOT / file), name, dict(arguments))


def score(result: CheckResult, fault: Fault) -> Score:
    """Compare an answer with what the row expects."""
    first = result.first
    layer = first is not None and any(
        within(first.torch, c.torch) or within(first.keras, c.keras) for c in fault.causes
    )
    named = [[c for c in result.causes if fits(c.kind, cause)] for cause in fault.causes]
    return Score(
        caught=result.verdict == "differ",
        layer=layer,
        named=all(named),
        confirmed=all(any(c.confirmed for c in some) for some in named),
    )


def fits(kind: str, cause: Cause) -> bool:
    """Whether it is one of the words for this cause."""
    return kind in cause.kinds


def within(name: str | None, accepted: tuple[str, ...]) -> bool:
    """Whether a layer is one of these, or lies in one of them."""
    return name is not None and any(
        name == one
        or name.startswith((f"{one}/", f"{one}."))
        or name.endswith(f".{one}")
        or name.rpartition("_")[0] == one
        for one in accepted
    )
