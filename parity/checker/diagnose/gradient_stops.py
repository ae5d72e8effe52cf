"""Gradients that one side stops where the other lets them pass; forwards the two agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph.graph import Graph
from parity.checker.judge.judging import CheckFindings
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import Finding
from parity.core.sides import Side
from parity.diagnosis.causes import Cause


@dataclass(frozen=True)
class Stop:
    """Where one side stops a gradient and the other does not.

    Attributes:
        side: which stops it.
        torch, keras: names of what the gradient does not reach.
        finding: of the first gradient that diverges.
        sure: no gradient diverges but of what lies before this place.
    """

    side: Side
    torch: str
    keras: str
    finding: Finding
    sure: bool


def stops(comparison: ModelComparison, findings: CheckFindings) -> list[Stop]:
    """Every such place, where gradients diverge and outputs do not."""
    parted = [p for p in findings.parts if p.stage == "gradients" and not p.finding.agrees]
    if not parted or any(p.stage == "outputs" and not p.finding.agrees for p in findings.parts):
        return []
    partners = dict(comparison.axis_maps.partners)
    back = {right: left for left, right in partners.items()}
    mine, theirs = (set(graph.stopped) for graph in comparison.graphs)
    only: list[tuple[Side, str, str]] = [
        *(("torch", v, partners[v]) for v in mine if v in partners and partners[v] not in theirs),
        *(("keras", back[v], v) for v in theirs if v in back and back[v] not in mine),
    ]
    places = []
    for side, left, right in only:
        behind = _before(comparison.torch, left) | _before(comparison.keras, right)
        names = [(p.torch.replace("input ", "input:"), p.keras) for p in parted]
        sure = all(a in behind or b in behind for a, b in names)
        places.append(
            Stop(
                side,
                _name(comparison.graphs[0], left),
                _name(comparison.graphs[1], right),
                parted[0].finding,
                sure,
            )
        )
    return places


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
            "confirmed" if stop.sure else "suspected",
            None,
            1.0 if stop.sure else None,
            "settings",
            fix=fix,
        )


def _before(graph: CanonicalGraph, value: str) -> set[str]:
    """Weights and inputs that a value depends on."""
    weights: set[str] = set()
    waiting, seen = [value], set[str]()
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        maker = graph.producers.get(value)
        if maker is None:
            weights.add(value.removeprefix("parameter:"))
            continue
        weights |= set(maker.parameters.values())
        waiting += [s.value for s in maker.sources]
    return weights


def _name(graph: Graph, value: str) -> str:
    made = {v.id: n.name for n in graph.nodes for v in n.values}
    return made.get(value, value.replace(":", " "))
