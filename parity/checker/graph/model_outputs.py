"""Which output of one model is which of the other: by name where both have names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from parity.checker.graph import arrangement
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.graph import Graph
from parity.checker.graph.model_interface import Array

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


def output_order(left: Graph, right: Graph) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
    """For each output of the left the number of the right's; None where they go by position.

    Returns:
        The order, and what there is to be noted.
    """
    mine, theirs = left.output_names, right.output_names
    named = [any(not n.isdigit() for n in names) for names in (mine, theirs)]
    if len(mine) != len(theirs) or not any(named):
        return None, ()
    if all(named) and sorted(mine) == sorted(theirs):
        places = tuple(theirs.index(name) for name in mine)
        return (None if places == tuple(range(len(places))) else places), ()
    means = [[_MEANINGS.get(name, name) for name in names] for names in (mine, theirs)]
    if all(named) and sorted(means[0]) == sorted(means[1]) and len({*means[0]}) == len(mine):
        places = tuple(means[1].index(name) for name in means[0])
        told = ", ".join(f"{a}={theirs[k]}" for a, k in zip(mine, places, strict=True))
        return places, (f"The outputs go by name, PyTorch's first: {told}.",)
    pairs = ", ".join(f"{a} and {b}" for a, b in zip(mine, theirs, strict=True))
    return None, (f"The outputs have not the same names; they go by position: {pairs}.",)


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


def reordered(graph: Graph, wanted: Sequence[int] | None) -> Graph:
    """A graph with its outputs in the other's order."""
    if wanted is None:
        return graph
    names = tuple(graph.output_names[k] for k in wanted)
    return replace(graph, outputs=tuple(graph.outputs[k] for k in wanted), output_names=names)


def given_back(projections: Sequence[Array], wanted: Sequence[int] | None) -> list[Array]:
    """What belongs to the outputs, in the model's own order."""
    if wanted is None or not len(projections):
        return list(projections)
    return [projections[list(wanted).index(k)] for k in range(len(wanted))]


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

    def __init__(self, recorded: Mapping[str, Array], wanted: Sequence[int]) -> None:
        self._recorded = recorded
        self._own = {
            f"{stage}/{at}": f"{stage}/{k}" for stage in _NUMBERED for at, k in enumerate(wanted)
        }

    def __getitem__(self, key: str) -> Array:
        return self._recorded[self._own.get(key, key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._recorded)

    def __len__(self) -> int:
        return len(self._recorded)
