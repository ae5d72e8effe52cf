"""The line that makes a weight of others in another way: along other axes, with another number.

Where both models make a kernel of their weights, normalised or standardised, and the two kernels
differ, the right's own steps are computed again on its own weights, with one of them changed, until
they give the left's kernel.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.checker.align.matches import Match
from parity.checker.canonical.folding import COMPUTED
from parity.checker.diagnose.settings import canonical
from parity.checker.diagnose.statement_edit import Part, call_in, expression_in, number_in
from parity.checker.graph.graph import Graph, Node
from parity.checker.graph.model_interface import Array
from parity.checker.transfer.comparison import ModelComparison
from parity.checker.transfer.mapping import WeightMapping
from parity.diagnosis.array_hypotheses import apart, solve
from parity.diagnosis.constants import numbers
from parity.diagnosis.edits import LineChange
from parity.operations.code import written
from parity.operations.function import Function
from parity.operations.known import operation

_SAME = 1e-9
"""Relative to the largest number: both sides compute these in float64."""
_START = 1e-6
"""An epsilon to begin with where none is written."""

Settings = dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """The steps in which a model makes one weight of its others.

    Attributes:
        graph: as it was traced.
        nodes: the steps, in their order.
        weights: id → array, of those that they begin with.
        value: what the last of them gives.
    """

    graph: Graph
    nodes: tuple[Node, ...]
    weights: Mapping[str, Array]
    value: str

    def __call__(
        self, changed: Mapping[str, Settings] | None = None, added: tuple[str, float] = ("", 0.0)
    ) -> Array | None:
        """What they make.

        Args:
            changed: id of a node → settings that are others.
            added: id of a node, and what is added to what it gives.

        Returns:
            None where a step is not known, or takes what is no weight.
        """
        made: dict[str, Array] = {f"parameter:{k}": w for k, w in self.weights.items()}
        for node in self.nodes:
            if any(source.ids for source in node.sources):
                return None
            sources = [made.get(source.value) for source in node.sources]
            if any(array is None for array in sources):
                return None
            settings = {**canonical(node), **(changed or {}).get(node.id, {})}
            taken = tuple(array for array in sources if array is not None)
            try:
                out = Function(node.kind, settings, {}, taken)()
            except (KeyError, ValueError, IndexError):
                return None  # these settings go with no such array
            if out is None:
                return None
            made[node.values[0].id] = out + added[1] if node.id == added[0] else out
        return made.get(self.value)


def correction(comparison: ModelComparison, match: Match) -> LineChange | None:
    """The line of the right's that makes a weight of this pair otherwise; None if it is not found.

    Args:
        comparison: the two models.
        match: a pair that takes weights which both models make of others.
    """
    for one in comparison.axis_maps.weight_mappings:
        if one.pair is match and one.left.computed and one.right.computed:
            recipe = _recipe(comparison, one)
            own, theirs = (
                np.asarray(weights[weight.id], np.float64)
                for weights, weight in zip(comparison.weights, (one.left, one.right), strict=True)
            )
            wanted = one.to_right(own, theirs)
            if recipe is None or not _alike(recipe(), theirs) or _alike(wanted, theirs):
                continue
            for node, line in _lines(recipe, wanted):
                if line and line != node.code:
                    return LineChange(node.name, line)
    return None


def _recipe(comparison: ModelComparison, one: WeightMapping) -> Recipe | None:
    """None where the weight is a part of what is made, or laid out otherwise."""
    graph, name = comparison.graphs[1], one.right.id
    if not name.startswith(COMPUTED) or f"parameter:{name}" in comparison.keras.pieces:
        return None
    makers = {value.id: node for node in graph.nodes for value in node.values}
    waiting, needed = [name.removeprefix(COMPUTED)], set[str]()
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker.id not in needed:
            needed.add(maker.id)
            waiting += [source.value for source in maker.sources]
    nodes = tuple(node for node in graph.nodes if node.id in needed)
    weights = {
        key: np.asarray(comparison.weights[1][key], np.float64)
        for key in graph.parameters
        if key in comparison.weights[1]
    }
    return Recipe(graph, nodes, weights, name.removeprefix(COMPUTED))


def _alike(array: Array | None, other: Array) -> bool:
    return (
        array is not None
        and array.shape == other.shape
        and apart(array, other) <= _SAME * float(np.max(np.abs(other), initial=0.0))
    )


def _lines(recipe: Recipe, wanted: Array) -> Iterator[tuple[Node, str]]:
    """Steps that, changed so, give the wanted weight, and their lines."""
    for rule in _RULES:
        for node in recipe.nodes:
            for line in rule(recipe, node, wanted):
                yield node, line


def _along_others(recipe: Recipe, node: Node, wanted: Array) -> Iterator[str]:
    """A reduction along other axes."""
    axes = canonical(node).get("axes")
    if axes is None or not node.sources:
        return
    rank = len(node.sources[0].shape)
    for count in range(1, rank + 1):
        for other in itertools.combinations(range(rank), count):
            if other != tuple(axes) and _alike(recipe({node.id: {"axes": other}}), wanted):
                yield _with_axes(node, tuple(axes), other)


def _by_another_function(recipe: Recipe, node: Node, wanted: Array) -> Iterator[str]:
    """A mistake that people make with such an operation: a mean for a sum."""
    settings = canonical(node)
    shape = node.sources[0].shape if node.sources else ()
    for one in operation(node.kind).variations(settings, shape):
        key, value = next(iter(one.settings.items()), ("", None))
        part = _executed(recipe, node)
        if len(one.settings) == 1 and part and _alike(recipe({node.id: {key: value}}), wanted):
            yield part.replaced(part.text.replace(f".{settings[key]}(", f".{value}(", 1))


def _with_another_number(recipe: Recipe, node: Node, wanted: Array) -> Iterator[str]:
    """Another number of the code's."""
    present = node.settings.get("scalar")
    if not isinstance(present, int | float):
        return
    found = _solved(lambda n: recipe({node.id: {"scalar": n}}), wanted, float(present))
    part = None if found is None else number_in(node.code, float(present))
    if part is not None and found is not None:
        yield part.replaced(numbers(np.asarray(found)))


def _with_a_summand(recipe: Recipe, node: Node, wanted: Array) -> Iterator[str]:
    """An epsilon that is not added."""
    found = _solved(lambda n: recipe(added=(node.id, n)), wanted, _START)
    part = None if found is None else _executed(recipe, node)
    if part is not None and found is not None:
        yield part.replaced(f"({part.text} + {numbers(np.asarray(found))})")


def _solved(function: Callable[[float], Array | None], wanted: Array, start: float) -> float | None:
    """The number that gives what is wanted; None where none does."""
    found = solve(function, wanted, start)
    return found if found and _alike(function(found), wanted) else None


def _executed(recipe: Recipe, node: Node) -> Part | None:
    """The expression of the step's statement that is the step, and no other one."""
    called = recipe.graph.called
    sites = [called[n.name][0].span for n in recipe.nodes if called.get(n.name)]
    own = called.get(node.name, ())
    if own and sites.count(own[0].span) > 1:  # mean and variance come from one call
        return None
    known = expression_in(node.code, recipe.graph.executed(node.name))
    return known or call_in(node.code, {node.name.rpartition(".")[2]})


def _with_axes(node: Node, present: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """The statement along other axes, where it says them once."""
    rank = len(node.sources[0].shape)
    found = []
    for call in ast.walk(ast.parse(node.code)):
        for keyword in call.keywords if isinstance(call, ast.Call) else ():
            if keyword.arg in ("axis", "axes"):
                try:
                    stated = np.atleast_1d(ast.literal_eval(keyword.value))
                except ValueError:
                    stated = np.array(present)  # by a name: the one that the step was called with
                if tuple(sorted(int(a) % rank for a in stated)) == tuple(sorted(present)):
                    found.append(Part(node.code, keyword.value))
    return found[0].replaced(written(wanted)) if len(found) == 1 else ""


_RULES: tuple[Callable[[Recipe, Node, Array], Iterator[str]], ...] = (
    _along_others,
    _by_another_function,
    _with_another_number,
    _with_a_summand,
)
"""What may be another: the first that gives the wanted weight is said."""
