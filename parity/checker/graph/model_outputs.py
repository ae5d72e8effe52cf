"""Which output of one model is which of the other: by name where both have names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from parity.checker.graph import arrangement
from parity.checker.graph.arrangement import Arrangement, Shape
from parity.checker.graph.graph import Graph
from parity.checker.graph.model_interface import Array
from parity.core.errors import UsageError

_NUMBERED = ("outputs", "after")
_SAME = (
    ("last_hidden_state", "sequence_output", "sequence", "encoder_sequence_output"),
    ("pooler_output", "pooled_output", "pooled"),
    ("logits", "predictions", "scores"),
)
"""Names of outputs that mean the same."""
_MEANINGS = {name: group[0] for group in _SAME for name in group}
_CACHES = ("past_key_values", "past_key_value", "cache", "mems")
_SHOWN = 6


@dataclass(frozen=True)
class Chosen:
    """Outputs of a side that are compared, in the other's order.

    Attributes:
        places: their numbers.
        shapes: of all that the model returns.
    """

    places: tuple[int, ...]
    shapes: tuple[Shape, ...]

    def given_back(self, projections: Sequence[Array]) -> list[Array]:
        """What belongs to the outputs, in the model's own order; zeros for those left out."""
        if not len(projections):
            return []
        own = dict(zip(self.places, projections, strict=True))
        return [own[k] if k in own else np.zeros(s) for k, s in enumerate(self.shapes)]


OutputOrder = tuple[Chosen | None, Chosen | None]
"""Of each side; None where it is all of them, as they are."""


def output_order(
    left: Graph, right: Graph, pairs: Mapping[str, str] = MappingProxyType({})
) -> tuple[OutputOrder, tuple[str, ...]]:
    """Which output of one model is which of the other.

    Args:
        left, right: the two.
        pairs: names on the left → names on the right, by hand; what is in no pair and has no other
            of its meaning is left out.

    Returns:
        The order, and what there is to be noted.

    Raises:
        UsageError: a name is none of the outputs'.
    """
    if pairs:
        return _paired(left, right, pairs)
    mine, theirs = left.output_names, right.output_names
    named = [any(not n.isdigit() for n in names) for names in (mine, theirs)]
    if len(mine) != len(theirs) or not any(named):
        return (None, None), ()
    if all(named) and sorted(mine) == sorted(theirs):
        return (None, _chosen(right, [theirs.index(name) for name in mine])), ()
    means = [[_MEANINGS.get(name, name) for name in names] for names in (mine, theirs)]
    if all(named) and sorted(means[0]) == sorted(means[1]) and len({*means[0]}) == len(mine):
        places = [means[1].index(name) for name in means[0]]
        told = ", ".join(f"{a}={theirs[k]}" for a, k in zip(mine, places, strict=True))
        note = f"The outputs go by name, PyTorch's first: {told}."
        return (None, _chosen(right, places)), (note,)
    words = ", ".join(f"{a} and {b}" for a, b in zip(mine, theirs, strict=True))
    return (None, None), (f"The outputs have not the same names; they go by position: {words}.",)


def _chosen(graph: Graph, places: Sequence[int]) -> Chosen | None:
    if tuple(places) == tuple(range(len(graph.outputs))):
        return None
    return Chosen(tuple(places), tuple(source.shape for source in graph.outputs))


def _paired(
    left: Graph, right: Graph, pairs: Mapping[str, str]
) -> tuple[OutputOrder, tuple[str, ...]]:
    for number, graph in enumerate((left, right)):
        for pair in pairs.items():
            if pair[number] not in graph.output_names:
                raise UsageError(
                    f"--pair-output {pair[0]}={pair[1]}: {graph.title} returns {words(graph)}, "
                    f"and none that is called '{pair[number]}'."
                )
    every = dict(pairs) | {
        a: b for a, b in _alike(left, right) if a not in pairs and b not in pairs.values()
    }
    places = [
        [g.output_names.index(p[k]) for p in every.items()] for k, g in ((0, left), (1, right))
    ]
    order = _chosen(left, places[0]), _chosen(right, places[1])
    told = ", ".join(f"{a}={b}" for a, b in every.items())
    notes = [f"The outputs go by name, PyTorch's first: {told}."]
    for number, graph in enumerate((left, right)):
        known = {pair[number] for pair in every.items()}
        rest = [name for name in graph.output_names if name not in known]
        if rest:
            notes.append(f"Not compared, for it is in no pair: {graph.title}: {', '.join(rest)}.")
    return order, tuple(notes)


def _alike(left: Graph, right: Graph) -> list[tuple[str, str]]:
    """Names that mean the same, each once on its side."""
    means = [
        {_MEANINGS.get(name, name): name for name in graph.output_names if not name.isdigit()}
        for graph in (left, right)
    ]
    return [(name, means[1][word]) for word, name in means[0].items() if word in means[1]]


def proposed(left: Graph, right: Graph) -> str:
    """What to type so that the outputs of one meaning are compared; empty where there are none."""
    alike = _alike(left, right)
    return " ".join(f"--pair-output {a}={b}" for a, b in alike)


def words(graph: Graph) -> str:
    """What a model returns, in order: ``2 outputs (logits 2 × 11 × 8, cache.0 2 × 4)``."""
    if not graph.outputs:
        return "no tensor"
    shapes = [" × ".join(map(str, source.shape)) for source in graph.outputs]
    names = graph.output_names or ("",) * len(shapes)
    told = [f"{name} {shape}".strip() for name, shape in zip(names, shapes, strict=True)]
    more = ", …" if len(told) > _SHOWN else ""
    count = f"{len(told)} output{'' if len(told) == 1 else 's'}"
    return f"{count} ({', '.join(told[:_SHOWN])}{more})"


def cache_hint(graph: Graph) -> str:
    """How to leave out what is kept for the next step, where that is among the outputs."""
    if not any(name.startswith(_CACHES) for name in graph.output_names):
        return ""
    return " A cache is among them; where the model has use_cache, set it to false to leave it out."


def reordered(graph: Graph, chosen: Chosen | None) -> Graph:
    """A graph with its outputs in the other's order."""
    if chosen is None:
        return graph
    return replace(
        graph,
        outputs=tuple(graph.outputs[k] for k in chosen.places),
        output_names=tuple(graph.output_names[k] for k in chosen.places),
    )


def layout_notes(moves: Iterable[Arrangement | None]) -> Iterator[str]:
    """What is to be noted of outputs whose axes stand elsewhere, and not as images have them.

    Args:
        moves: how each output goes across.
    """
    for at, move in enumerate(moves):
        if move is None or move.is_identity:
            continue
        left, right = (" × ".join(map(str, shape)) for shape in (move.left, move.right))
        if move.axes is None and arrangement.is_reshaped(move):
            yield (
                f"Output {at} is {left} in PyTorch and {right} in Keras: the same numbers in the "
                "same order, in another shape."
            )
        elif move.axes is not None and (not arrangement.is_layout(move) or move.left == move.right):
            yield (
                f"Output {at} is {left} in PyTorch and {right} in Keras, where its axes stand in "
                f"the order {', '.join(map(str, move.axes))} of PyTorch's; it is compared so."
            )


class Reordered(Mapping[str, Array]):
    """What a side recorded, its outputs in the other's order."""

    def __init__(self, recorded: Mapping[str, Array], chosen: Chosen) -> None:
        self._recorded = recorded
        self._own = {
            f"{stage}/{at}": f"{stage}/{k}"
            for stage in _NUMBERED
            for at, k in enumerate(chosen.places)
        }

    def __getitem__(self, key: str) -> Array:
        return self._recorded[self._own.get(key, key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._recorded)

    def __len__(self) -> int:
        return len(self._recorded)
