"""Which layout Keras' inputs have, and both graphs aligned in it.

A model that states no shapes is built by its first call, and may run in the wrong layout, too, on
steps for channels. Its weights tell, which then do not fit PyTorch's; it is built again and asked
in another layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from parity.checker.align import derived_weights
from parity.checker.align.alignment import Alignment
from parity.checker.align.matches import Match, matches
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph import model_outputs
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.model_interface import Array, Model, Traced
from parity.checker.graph.model_outputs import OutputOrder
from parity.checker.graph.target import ModelError
from parity.checker.transfer import mapping
from parity.checker.transfer.mapping import AxisMaps

Rebuild = Callable[[], None]
Settle = Callable[[Traced, Traced, Sequence[Arrangement]], tuple[Traced, Traced]]
"""Both graphs without what changes nothing that is fed (see `parity.checker.canonical.settled`)."""
_OTHER = (
    "The Keras model could not be run on inputs in the layout that was tried first; --layout says "
    "which is meant."
)
_FITS = (
    "The weights of the Keras model fit those of PyTorch in another layout of the inputs than the "
    "one tried first; --layout says which is meant."
)


@dataclass(frozen=True)
class AlignedGraphs:
    """Two graphs and all that belongs to the layout they were aligned in.

    `whole` is the left with all its outputs, and those in its own order.
    """

    moves: list[Arrangement]
    whole: Traced
    left: Traced
    right: Traced
    output_order: OutputOrder
    torch: CanonicalGraph
    keras: CanonicalGraph
    alignment: Alignment
    matched: tuple[Match, ...]
    axis_maps: AxisMaps
    notes: tuple[str, ...]

    @property
    def misfits(self) -> int:
        """Weights whose partner's shape allows no rearrangement, or that have no partner."""
        mappings = [m for m in self.axis_maps.weight_mappings if m.index is not None]
        weights = len(self.torch.parameters) + len(self.keras.parameters)
        return weights - len({t.left.id for t in mappings}) - len({t.right.id for t in mappings})

    @property
    def strain(self) -> tuple[int, int]:
        """How much speaks against the layout: `misfits`, then what is seen in a scrambled order.

        A reshape into patches runs on images in either layout, and the kernel behind it fits.
        """
        return self.misfits, len(self.axis_maps.scrambled)


def align_in_best_layout(
    left: Traced,
    right: Traced,
    moves: list[Arrangement],
    pairs: Mapping[str, str],
    settle: Settle = lambda left, right, moves: (left, right),
    *,
    output_pairs: Mapping[str, str] = MappingProxyType({}),
) -> AlignedGraphs:
    """Align the graphs with the inputs moved so."""
    order, notes = model_outputs.output_order(left.graph, right.graph, output_pairs)
    whole = left
    left, right = (
        replace(traced, graph=model_outputs.reordered(traced.graph, chosen))
        for traced, chosen in zip((left, right), order, strict=True)
    )
    settled = settle(left, right, moves)
    notes = (*notes, *settled[0].graph.notes, *settled[1].graph.notes)
    torch, keras, alignment = derived_weights.align_best(*settled, pairs)
    matched = matches(alignment, torch, keras)
    axis_maps = mapping.map_axes(matched, torch, keras, moves)
    return AlignedGraphs(
        moves, whole, left, right, order, torch, keras, alignment, matched, axis_maps, notes
    )


def tries(options: Sequence[Sequence[Arrangement]]) -> Iterator[list[Arrangement]]:
    """The likeliest layout, then those in which one input has another, then all."""
    first = [choice[0] for choice in options]
    yield first
    for i, choice in enumerate(options):
        yield from ([*first[:i], other, *first[i + 1 :]] for other in choice[1:])
    last = [choice[-1] for choice in options]
    if sum(a is not b for a, b in zip(first, last, strict=True)) > 1:
        yield last


def traced(
    keras: Model,
    arrays: Sequence[Array],
    wanted: Sequence[list[Arrangement]],
    rebuild: Rebuild | None,
) -> tuple[Traced, list[Arrangement], tuple[str, ...]]:
    """The first layout that Keras' model can be run on.

    Raises:
        ModelError: there is none.
    """
    failure: ModelError | None = None
    for moves in wanted:
        if failure is not None and rebuild is not None:
            rebuild()
        try:
            graph = keras.trace([m(a) for m, a in zip(moves, arrays, strict=True)])
        except ModelError as error:
            failure = failure or error
            continue
        return graph, moves, (_OTHER,) if failure is not None else ()
    assert failure is not None
    raise failure


def fitting(
    first: AlignedGraphs,
    keras: Model,
    arrays: Sequence[Array],
    wanted: Sequence[list[Arrangement]],
    *,
    rebuild: Rebuild | None,
    pairs: Mapping[str, str],
    settle: Settle,
    output_pairs: Mapping[str, str] = MappingProxyType({}),
) -> AlignedGraphs:
    """That layout, or another in which more of the weights find their partners.

    The first layout stays where it is as good. A causal convolution runs in both, on steps for
    channels; its kernel's shape tells (``test_what_is_built_in_the_wrong_layout_is_built_again``).

    Raises:
        ModelError: the model could not be built again.
    """
    # A model that is there already cannot be built again, and each other layout costs a trace.
    others = [moves for moves in wanted if moves is not first.moves]
    if rebuild is None or not others or not any(first.strain):
        return first
    best, now = first, first
    for moves in others:
        rebuild()
        try:
            right, *_ = traced(keras, arrays, [moves], None)
        except ModelError:
            continue
        now = align_in_best_layout(
            first.whole, right, moves, pairs, settle, output_pairs=output_pairs
        )
        if now.strain < best.strain:
            best = replace(now, notes=(*now.notes, _FITS))
    rebuild()
    right, *_ = traced(keras, arrays, [best.moves], None)
    again = align_in_best_layout(
        first.whole, right, best.moves, pairs, settle, output_pairs=output_pairs
    )
    return replace(again, notes=best.notes)
