"""A function that one side calls by its name and the other writes out, with another number in it.

What lies between two values that both sides have is then one node here and ten there, and no piece
of the ten is a counterpart of the one. They are taken as one function of the value they begin with,
and its numbers are changed until it gives what the other side has.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parity.checker.align.matches import indices
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.diagnose.other_inputs import as_node
from parity.checker.diagnose.settings import canonical
from parity.checker.diagnose.statement_edit import Part, all_replaced, number_in
from parity.checker.graph.arrangement import Arrangement, Shape, identity
from parity.checker.graph.graph import Source
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import LayerAttribution, source_array
from parity.checker.judge.regions import Region
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import U32
from parity.diagnosis.array_hypotheses import apart, solve
from parity.diagnosis.causes import Cause, value_text
from parity.diagnosis.constants import numbers
from parity.operations.function import Function

_NUMBERS = {"affine": {"scale": 1.0, "offset": 0.0}}
"""Settings that hold a number of the code → what it is where none is written."""
_WRITTEN = 4 * U32
"""Relative to the largest value: a number of the code is read with float32's digits, and several go
into it."""

Constants = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Chain:
    """Operations of one side without weights, as a function of the values they begin with."""

    graph: CanonicalGraph
    nodes: tuple[CanonicalNode, ...]

    @property
    def constants(self) -> Constants:
        """(id of a node, setting) → the number written there."""
        found: Constants = {}
        for node in self.nodes:
            neutral = {"scalar": None, **_NUMBERS.get(node.kind, {})}
            for key, none in neutral.items():
                number = node.settings.get(key)
                if isinstance(number, int | float) and number != none and key in node.settings:
                    found[node.id, key] = float(number)
        return found

    @property
    def begins(self) -> set[str]:
        """Ids of the values that they take and do not make."""
        inner = {value.id for node in self.nodes for value in node.values}
        return {s.value for node in self.nodes for s in node.sources} - inner

    def __call__(self, fed: Mapping[str, Array], changed: Constants) -> Array | None:
        """What they make of these values, some numbers being others."""
        made = dict(fed)
        for node in self.nodes:
            settings = canonical(as_node(node))
            settings |= {key: x for (name, key), x in changed.items() if name == node.id}
            sources = [self._seen(source, made) for source in node.sources]
            if any(array is None for array in sources):
                return None
            taken = tuple(array for array in sources if array is not None)
            out = Function(node.kind, settings, {}, taken)()
            if out is None:
                return None
            made[node.value] = out
        return made[self.nodes[-1].value]

    def _seen(self, source: Source, made: dict[str, Array]) -> Array | None:
        array, ids = made.get(source.value), indices(self.graph, source)
        if array is None:
            return None
        return array.reshape(source.shape) if ids is None else array.reshape(-1)[ids]


def causes(attribution: LayerAttribution) -> Iterator[tuple[set[str], Cause]]:
    """For each function that only one side writes out: the names of all that it is made of, and
    why the two differ, which stands for whatever was found of these one by one."""
    for region in attribution.unlike:
        names = {node.name for node in (*region.left, *region.right)}
        yield names, _cause(attribution, region)


def _cause(attribution: LayerAttribution, region: Region) -> Cause:
    comparison, best = attribution.comparison, attribution.recorded.best
    graphs = comparison.torch, comparison.keras
    chains = [Chain(g, n) for g, n in zip(graphs, (region.left, region.right), strict=True)]
    left, right = (chain.nodes[-1] for chain in chains)
    fed = _fed(attribution, chains)
    mine = _value(attribution, left.value)
    theirs = attribution.replay_region(region, Source(right.value, right.values[0].shape))
    if fed is not None and mine is not None and theirs is not None:
        # An end without a partner has no arrangement; element by element it is what it begins with.
        move = comparison.axis_maps.values.get(left.value) or fed[2].get(mine.shape)
        if move is not None and move.right == theirs[best].shape:
            ways = (
                (1, fed[1], identity(theirs[best].shape), theirs[best], move(mine)),
                (0, fed[0], move, move(mine), theirs[best]),
            )
            for at, values, arrange, own, other in ways:
                found = _repaired(chains[at], values, arrange, own, other)
                if found:
                    return _constant(comparison, chains, at, found)
    texts = [", then ".join(_said(node) for node in chain.nodes) for chain in chains]
    return Cause("operation", (left.name, texts[0]), (right.name, texts[1]))


def _fed(
    attribution: LayerAttribution, chains: Sequence[Chain]
) -> tuple[dict[str, Array], dict[str, Array], dict[Shape, Arrangement]] | None:
    """The left's values that both sides begin with, as each side has them, and how they go across;
    None where they begin with others."""
    maps = attribution.comparison.axis_maps
    pairs = {left: maps.partners.get(left, "") for left in chains[0].begins}
    if set(pairs.values()) != chains[1].begins or not set(pairs) <= set(maps.values):
        return None
    mine = {left: _value(attribution, left) for left in pairs}
    arrays = {left: array for left, array in mine.items() if array is not None}
    if len(arrays) < len(pairs):
        return None
    theirs = {pairs[left]: maps.values[left](array) for left, array in arrays.items()}
    return arrays, theirs, {maps.values[left].left: maps.values[left] for left in pairs}


def _value(attribution: LayerAttribution, value: str) -> Array | None:
    """A value of the left's."""
    graph, recorded = attribution.comparison.torch, attribution.recorded
    shapes = {v.id: v.shape for v in graph.inputs}
    shapes |= {v.id: v.shape for node in graph.nodes for v in node.values}
    if value not in shapes:
        return None
    source = Source(value, tuple(shapes[value]))
    return source_array(graph, source, recorded.best, recorded, attribution.comparison.weights[0])


def _repaired(
    chain: Chain,
    fed: Mapping[str, Array],
    arrange: Arrangement,
    own: Array,
    target: Array,
) -> Constants:
    """Numbers with which the chain gives the target: two exchanged, or one that is another."""
    numbers = chain.constants
    scale = float(np.max(np.abs(target), initial=0.0))

    def computed(changed: Constants) -> Array | None:
        out = chain(fed, changed)
        return arrange(out) if out is not None and out.shape == arrange.left else None

    def fits(changed: Constants, wanted: Array, bound: float) -> bool:
        out = computed(changed)
        return out is not None and apart(out, wanted) <= bound * scale

    def with_number(at: tuple[str, str]) -> Callable[[float], Array | None]:
        # `solve` looks among positive numbers only.
        return lambda size: computed({at: math.copysign(size, numbers[at])})

    if not fits({}, own, _WRITTEN):
        return {}
    for one, other in itertools.combinations(numbers, 2):
        swapped = {one: numbers[other], other: numbers[one]}
        if numbers[one] != numbers[other] and fits(swapped, target, _WRITTEN):
            return swapped
    for at, number in numbers.items():
        size = solve(with_number(at), target, abs(number))
        found = {} if size is None else {at: math.copysign(size, number)}
        if found and fits(found, target, _WRITTEN):
            return found
    return {}


def _constant(
    comparison: ModelComparison, chains: Sequence[Chain], at: int, found: Constants
) -> Cause:
    """Numbers of one side that have to be others."""
    mine = chains[at]
    places = [next(n for n in mine.nodes if n.id == name) for name, _ in found]
    now = ", ".join(value_text(mine.constants[key]) for key in found)
    wanted = ", ".join(value_text(number) for number in found.values())
    other = chains[1 - at].nodes[-1]
    texts = ((other.name, wanted), (places[0].name, now))
    left, right = texts if at == 1 else texts[::-1]
    code = places[0].code
    # The other side calls the function by its name, and cannot be told another number.
    line = _line(comparison, at, places, mine.constants, found) if code else ""
    line = line or (f"# {code}: {now} in it must be {wanted}" if code else "")
    return Cause(
        "constant",
        left,
        right,
        "confirmed",
        0.0,
        1.0,
        "recomputed",
        fix=line,
        fix_side="right" if at == 1 else "left",
    )


def _line(
    comparison: ModelComparison,
    side: int,
    places: Sequence[CanonicalNode],
    present: Constants,
    found: Constants,
) -> str:
    """The statement with its numbers changed, or two of them exchanged; '' if that is not seen."""
    if len({node.code for node in places}) > 1:
        return ""
    sites = comparison.graphs[side].called.get(places[0].name, ())
    file = sites[0].file if sites else ""
    seen: list[Part] = []
    texts = []
    for key, wanted in found.items():
        for sign in (1, -1):  # what is subtracted, or turned round, is a number below zero here
            part = number_in(places[0].code, sign * present[key], file)
            if part is not None:
                seen.append(part)
                texts.append(numbers(np.asarray(sign * wanted)))
                break
    if len(seen) < len(found):
        return ""
    return all_replaced(seen, [p.text for p in reversed(seen)] if len(seen) > 1 else texts)


def _said(node: CanonicalNode) -> str:
    return str(node.settings.get("name") or node.kind)
