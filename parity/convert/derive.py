"""The map of a check: for every weight of a file of one side, what it is of the other side's file.

A check knows weights in its own layout, and takes them across by functions. Fed with places in
place of numbers these functions say what they do (`parity.convert.places`): first across, from the
check's weights of one side to those of the other; then with each side's own files at both ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from parity.checker.canonical import split_layers
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph.graph import Parameter, Source
from parity.checker.graph.storage import LazyArrays
from parity.checker.transfer import mapping
from parity.checker.transfer.comparison import ModelComparison
from parity.checker.transfer.mapping import WeightMapping
from parity.convert.expressions import (
    Add,
    Array,
    Concatenate,
    Constant,
    Expression,
    Kept,
    Shape,
    Weight,
    evaluated,
    weights_of,
    with_weights,
)
from parity.convert.places import KEPT, Indices, InexpressibleError, Places, merged
from parity.convert.stored import Stored
from parity.core.sides import Side


@dataclass(frozen=True)
class Across:
    """What a check takes across, in its own words.

    Attributes:
        weights: id of a weight that gets numbers → what it is, said of the other side's.
        computed: id of one that gets what the other side computes of its weights → of which.
        shapes: of all of them.
    """

    weights: Mapping[str, Expression]
    computed: Mapping[str, str]
    shapes: Mapping[str, Shape]


def across(comparison: ModelComparison, source: Side) -> Across:
    """Every weight that goes from a side to the other.

    Args:
        comparison: of the two models.
        source: the side that the weights are of.
    """
    graphs = comparison.torch, comparison.keras
    traced, other = comparison.graphs
    if source == "keras":
        graphs, traced, other = graphs[::-1], other, traced
    crossing = _Crossing(source, *graphs, traced.parameters)
    groups: dict[str, list[WeightMapping]] = {}
    computed: dict[str, str] = {}
    for one in comparison.axis_maps.weight_mappings:
        taken, whole = crossing.taken(one), _whole(graphs[1], crossing.taken(one).id)
        if one.index is None or taken.computed or not mapping.is_transferred(one):
            continue
        if whole not in other.parameters:
            continue
        if crossing.behind(one) <= set(traced.parameters):
            groups.setdefault(whole, []).append(one)
        else:
            origin = crossing.origin(one)
            computed[whole] = ", ".join(origin.names) or origin.id
    weights: dict[str, Expression] = {}
    for whole, mappings in groups.items():
        try:
            weights[whole] = crossing.expression(whole, other.parameters[whole].shape, mappings)
        except InexpressibleError:
            computed[whole] = crossing.origin(mappings[0]).id
    rest = {whole: names for whole, names in computed.items() if whole not in weights}
    return Across(weights, rest, {w: other.parameters[w].shape for w in (*weights, *rest)})


def _whole(graph: CanonicalGraph, name: str) -> str:
    """The weight of the model that a weight of the canonical graph is a part of."""
    name = name.removeprefix("parameter:")
    piece = graph.pieces.get(f"parameter:{name}")
    return name if piece is None else piece.value.removeprefix("parameter:")


@dataclass(frozen=True)
class _Crossing:
    """How weights go from one side to the other.

    Attributes:
        source: the side that they come from.
        mine, theirs: graph of that side, and of the other.
        parameters: of that side's model.
    """

    source: Side
    mine: CanonicalGraph
    theirs: CanonicalGraph
    parameters: Mapping[str, Parameter]

    def origin(self, one: WeightMapping) -> Parameter:
        """The weight of the two that numbers come from."""
        return one.left if self.source == "torch" else one.right

    def taken(self, one: WeightMapping) -> Parameter:
        """The weight of the two that they go to."""
        return one.right if self.source == "torch" else one.left

    def behind(self, one: WeightMapping) -> set[str]:
        """Weights of the model that the numbers come from in the end."""
        return {_whole(self.mine, term.value) for term in self._terms(self.origin(one).id)}

    def expression(self, whole: str, shape: Shape, mappings: list[WeightMapping]) -> Expression:
        """One weight of the other side, said of this side's.

        Args:
            whole: its id.
            shape: of it.
            mappings: all that goes into it.

        Raises:
            InexpressibleError: there are no words for it.
        """
        names = dict.fromkeys(name for one in mappings for name in sorted(self.behind(one)))
        places = Places({name: self.parameters[name].shape for name in names})
        # One more than the place everywhere, so that a zero is none.
        raised = {name: partial(_raised, places, name) for name in names}
        own = split_layers.spread_weights(self.mine, LazyArrays(raised))
        origins = [self.origin(one).id for one in mappings]
        made = []
        for number in range(max(len(self._terms(origin)) for origin in origins)):
            weights = {origin: partial(self._term, own, origin, number) for origin in origins}
            moved = mapping.transfer_weights(mappings, LazyArrays(weights), source=self.source)
            now = {whole: np.full(shape, 0 if number else KEPT + 1, np.int64)}
            gathered = split_layers.gather_weights(self.theirs, moved, now)
            made.append(gathered[whole].astype(np.int64) - 1)
        parts = tuple(places.expression(part, kept=_kept(whole)) for part in merged(made))
        return parts[0] if len(parts) == 1 else Add(parts)

    def _terms(self, name: str) -> tuple[Source, ...]:
        """What a weight is the sum of."""
        return self.mine.sums.get(name, (Source(f"parameter:{name}", ()),))

    def _term(self, own: Mapping[str, Array], name: str, number: int) -> Array:
        """One of them; zeros where there are not as many."""
        terms = self._terms(name)
        if number >= len(terms):
            return np.zeros_like(self._term(own, name, 0))
        array = own[terms[number].value.removeprefix("parameter:")]
        picks = terms[number].ids
        return array.reshape(-1)[self.mine.ids[picks]] if picks else array


def _raised(places: Places, name: str) -> Indices:
    return places.of(name) + 1


# With both sides' files


@dataclass(frozen=True)
class Derived:
    """The map of a check.

    Attributes:
        weights: name in the new file → what it is, said of the old one's.
        computed: name in the new file → of what the other model computes it, which no map says.
        unused: names in the old file that go nowhere.
    """

    weights: Mapping[str, Expression]
    computed: Mapping[str, str]
    unused: tuple[str, ...]


def derive(taken: Across, source: Stored, target: Stored) -> Derived:
    """The map from one file to another.

    Args:
        taken: what the check takes across.
        source: the side that the weights are of.
        target: the other; written is what `taken` has.
    """
    places = Places({name: tensor.shape for name, tensor in source.tensors.items()})
    weights: dict[str, Expression] = {}
    computed: dict[str, str] = {}
    for name, tensor in target.tensors.items():
        written = target.written.get(target.alike.get(name, name))
        if written is None:
            weights[name] = Kept(name)
            continue
        behind = set(weights_of(written))
        made = [taken.computed[part] for part in behind if part in taken.computed]
        try:
            if made:
                raise InexpressibleError("")
            known = {part: with_weights(taken.weights[part], source.read) for part in behind}
            shapes = {_kept(part): taken.shapes[part] for part in behind}
            shapes |= {target.alike.get(name, name): tensor.shape}
            whole = with_weights(written, known)
            weights[name] = _said(places, _Terms(places, shapes).of(whole), tensor.dtype, name)
        except InexpressibleError:
            computed[name] = ", ".join(made) or name
    used = {source.alike.get(n, n) for one in weights.values() for n in weights_of(one)}
    rest = () if computed else source.tensors
    unused = tuple(name for name in rest if source.alike.get(name, name) not in used)
    return Derived(weights, computed, unused)


def _kept(name: str) -> str:
    """What a weight of the check is called where some of it is kept."""
    return f"parameter:{name}"


def _said(places: Places, terms: list[Indices], dtype: str, name: str) -> Expression:
    parts = tuple(places.expression(term, dtype, kept=name) for term in merged(terms))
    return parts[0] if len(parts) == 1 else Add(parts)


@dataclass(frozen=True)
class _Terms:
    """The terms of the sum that an expression is, as numbers of places.

    Attributes:
        places: of the weights.
        kept: name of what may be kept → its shape.
    """

    places: Places
    kept: Mapping[str, Shape]

    def of(self, expression: Expression) -> list[Indices]:
        """One array for each."""
        return [np.asarray(term).astype(np.int64) - 1 for term in self._raised(expression)]

    def _raised(self, expression: Expression) -> list[Array]:
        """The same, one more everywhere, so that a zero is none."""
        match expression:
            case Add(parts):
                return list(itertools.chain(*map(self._raised, parts)))
            case Concatenate(parts, axis):
                rows = [self._raised(part) for part in parts]
                count = max(map(len, rows))
                padded = [row + [np.zeros_like(row[0])] * (count - len(row)) for row in rows]
                return [np.concatenate(row, axis) for row in zip(*padded, strict=True)]
            case Weight(name):
                return [self.places.of(name) + 1]
            case Kept(name):
                return [np.full(self.kept[name], KEPT + 1, np.int64)]
            case Constant(_, shape, _):
                return [np.zeros(shape, np.int64)]
            case _:
                alone = replace(expression, of=Weight(""))
                terms = self._raised(expression.of)
                return [evaluated(alone, {"": term}.__getitem__, self._none) for term in terms]

    @staticmethod
    def _none(name: str) -> Array:
        raise KeyError(name)
