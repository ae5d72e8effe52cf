"""Gradients that one side stops where the other lets them pass; forwards the two agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from parity.checker.graph.graph import Graph
from parity.checker.judge.judging import CheckFindings
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import Finding
from parity.core.sides import Side
from parity.diagnosis.causes import Cause

Unstopped = Callable[[Mapping[Side, Sequence[str]]], CheckFindings]
"""Values of each side → what is found where their gradients pass though they are stopped."""
_MANY = 8
"""Of more stops it is not asked which of them are needed: each takes a run of both models."""


@dataclass(frozen=True)
class Stop:
    """Where one side stops a gradient and the other does not.

    Attributes:
        side: which stops it.
        values: of PyTorch and of Keras, by id: what the gradient does not reach.
        torch, keras: names of what gives them.
        finding: of the first gradient that diverges.
    """

    side: Side
    values: tuple[str, str]
    torch: str
    keras: str
    finding: Finding


def stops(comparison: ModelComparison, findings: CheckFindings, unstopped: Unstopped) -> list[Stop]:
    """The stops without which gradients agree, where they diverge and outputs do not.

    A stop may be written and make no difference, and gradients differ for another reason before
    it. So all that one side alone stops is let pass: if gradients then agree, it was that; and of
    several those count that are missed when they alone are stopped again.
    """
    apart = _apart(findings, "gradients")
    if not apart or _apart(findings, "outputs"):
        return []
    partners = comparison.axis_maps.partners.items()
    mine, theirs = (set(graph.stopped) for graph in comparison.graphs)
    only = []
    for left, right in partners:
        if (left in mine) != (right in theirs):
            torch, keras = map(_name, comparison.graphs, (left, right))
            side: Side = "torch" if left in mine else "keras"
            only.append(Stop(side, (left, right), torch, keras, apart[0]))
    if not only or not _agree(unstopped, only):
        return []
    if 1 < len(only) <= _MANY:
        for stop in tuple(only):
            others = [one for one in only if one is not stop]
            if others and _agree(unstopped, others):
                only = others
    return only


def _agree(unstopped: Unstopped, passing: Sequence[Stop]) -> bool:
    mine = [stop.values[0] for stop in passing if stop.side == "torch"]
    theirs = [stop.values[1] for stop in passing if stop.side == "keras"]
    found = unstopped({"torch": mine, "keras": theirs})
    return not any(_apart(found, stage) for stage in ("gradients", "outputs"))


def _apart(findings: CheckFindings, stage: str) -> list[Finding]:
    return [p.finding for p in findings.parts if p.stage == stage and not p.finding.agrees]


def gradient_causes(places: Sequence[Stop]) -> Iterator[Cause]:
    """One for each place."""
    for stop in places:
        texts = ["gradients are stopped behind it", "gradients pass"]
        left, right = texts if stop.side == "torch" else texts[::-1]
        fix = (
            f"x = keras.ops.stop_gradient(x)  # x is what {stop.keras} gives, where it is used"
            if stop.side == "torch"
            else f"# without stop_gradient of what {stop.keras} gives"
        )
        yield Cause(
            "stop_gradient",
            (stop.torch, left),
            (stop.keras, right),
            "confirmed",
            None,
            1.0,
            "settings",
            fix=fix,
        )


def _name(graph: Graph, value: str) -> str:
    made = {v.id: n.name for n in graph.nodes for v in n.values}
    return made.get(value, value.replace(":", " "))
