"""The two models as they are compared: graphs, pairs of nodes, and how values go across."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parity.checker.align.matches import Link, Match, indices, value_name
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph import arrangement, model_outputs
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.graph import Graph, Source
from parity.checker.graph.model_interface import Array
from parity.checker.transfer.mapping import AxisMaps, WeightMapping
from parity.comparator.noise import U32
from parity.core.errors import UsageError
from parity.core.sides import Side

HALVES = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Units of rounding."""


@dataclass(frozen=True)
class ModelComparison:
    """The two models as they are compared.

    Attributes:
        torch, keras: their graphs.
        matches: pairs of nodes, in the order of the left's execution.
        left_only, right_only: nodes without a partner.
        axis_maps: how values and weights go from one to the other.
        weights: of each side, as they were when it was recorded.
        graphs: as they were traced.
        output_links: the models' outputs, by position.
        tables: ids of Keras' nodes that take a table of numbers that PyTorch rounded otherwise.
        remade: of these the ones whose weight is what the other side computes of its own, rounded
            to float32.
        strict: all the same, what the models yield is compared in float64.
        corrected: the side for which lines are written that repair a cause.
        output_layouts: number of an output → how it goes across, where the numbers say so.
    """

    torch: CanonicalGraph
    keras: CanonicalGraph
    matches: tuple[Match, ...]
    left_only: tuple[CanonicalNode, ...]
    right_only: tuple[CanonicalNode, ...]
    axis_maps: AxisMaps
    weights: tuple[Mapping[str, Array], Mapping[str, Array]]
    graphs: tuple[Graph, Graph]
    output_links: tuple[Link, ...] = ()
    tables: frozenset[str] = frozenset()
    remade: frozenset[str] = frozenset()
    strict: bool = False
    corrected: Side = "keras"
    output_layouts: Mapping[int, Arrangement] = field(default_factory=dict)

    def outputs(self) -> Iterator[tuple[Source, Source, Arrangement | None]]:
        """The models' outputs, by position, and how each goes across.

        Raises:
            UsageError: one model returns more than the other.
        """
        left, right = self.torch.outputs, self.keras.outputs
        if not left and not right:
            raise UsageError(
                f"{self.torch.title} and {self.keras.title} return no tensor. Expected a model "
                "whose call returns what it computes."
            )
        if len(left) != len(right):
            graphs = self.graphs
            raise UsageError(
                f"{self.torch.title} returns {model_outputs.words(graphs[0])} and "
                f"{self.keras.title} {model_outputs.words(graphs[1])}; expected as many on both "
                f"sides. {self._remedy()}"
                + (model_outputs.cache_hint(graphs[0]) or model_outputs.cache_hint(graphs[1]))
            )
        for i, (mine, theirs) in enumerate(zip(left, right, strict=True)):
            yield mine, theirs, self.output_layouts.get(i) or self._moved(mine, theirs)

    def _remedy(self) -> str:
        """What to do about outputs that one side has alone."""
        proposed = model_outputs.proposed(*self.graphs)
        if proposed:
            return f"By their names these are the same; {proposed} compares them alone."
        return "Wrap one so that it returns what the other does."

    def lone(self, side: Side, name: str) -> CanonicalNode:
        """The node without a partner that people call so.

        An activation that a layer has as an argument has the layer's name, too.
        """
        only, graph = (
            (self.left_only, self.torch) if side == "torch" else (self.right_only, self.keras)
        )
        return next(n for n in (*only, *graph.nodes) if n.name == name)

    def reordered(self) -> Iterator[tuple[str, str, str]]:
        """Outputs that are the same numbers in another order: names, and the kind of cause."""
        others = {self.axis_maps.partners.get(s.value) for s in self.torch.outputs}
        for mine, theirs, _ in self.outputs():
            root = self.axis_maps.values.get(mine.value)
            if root is None or self.axis_maps.partners.get(mine.value) != theirs.value:
                if theirs.value in others:  # it is another of the outputs
                    yield (
                        value_name(self.torch, mine.value),
                        value_name(self.keras, theirs.value),
                        "order",
                    )
                continue
            ids = indices(self.torch, mine), indices(self.keras, theirs)
            arranged = arrangement.of_sources(root, mine.shape, theirs.shape, *ids)
            if arranged is not None and self._in_place(mine.value, arranged):
                continue
            kind = "flatten_order" if arranged is not None and len(theirs.shape) == 2 else "order"
            kind = "axis" if arranged is not None and arranged.axes is not None else kind
            yield value_name(self.torch, mine.value), value_name(self.keras, theirs.value), kind

    def _moved(self, mine: Source, theirs: Source) -> Arrangement | None:
        root = self.axis_maps.values.get(mine.value)
        if root is not None and self.axis_maps.partners.get(mine.value) == theirs.value:
            arranged = arrangement.of_sources(
                root,
                mine.shape,
                theirs.shape,
                indices(self.torch, mine),
                indices(self.keras, theirs),
            )
            # In another order they are other outputs, though the same numbers.
            if arranged is not None and self._in_place(mine.value, arranged):
                return arranged
        return next(iter(arrangement.candidates(mine.shape, theirs.shape)), None)

    def output_options(self, mine: Source, theirs: Source) -> list[Arrangement]:
        """Layouts of which the shapes of an output allow each, and nothing says which it is.

        A model that moves the channels of an input may move those of an output. Which it does is
        not seen where the two are made by operations that have no partners.
        """
        known = self.axis_maps.partners.get(mine.value) == theirs.value
        inputs = (self.axis_maps.values.get(f"input:{i}") for i in range(len(self.torch.inputs)))
        if known or all(move is None or move.is_identity for move in inputs):
            return []
        return arrangement.layouts(mine.shape, theirs.shape)

    def _in_place(self, root: str, arranged: Arrangement) -> bool:
        """Whether an output's axes stand where a reader looks for them.

        Without this scores of 8 × 8 that are transposed on one side would pass for another layout
        of the same (``test_axes_that_change_places_unseen_by_the_shapes_are_other_outputs``).

        Axes change places only as the channels of images do, wherever the shapes allow that: of
        shapes that are alike, only where something has its channels moved; what was found by the
        numbers alone is no witness of that.
        """
        if arranged.axes is None:
            return len(arranged.left) != len(arranged.right) and arrangement.is_reshaped(arranged)
        if arranged.is_identity:
            return True
        if arranged.left != arranged.right:
            # A square image has room for its rows in the place of its columns.
            return arrangement.is_layout(arranged) or not arrangement.layouts(
                arranged.left, arranged.right
            )
        witnesses = [f"input:{i}" for i in range(len(self.torch.inputs))]
        witnesses += [root] if root not in self.axis_maps.known else []
        moved = [self.axis_maps.values.get(value) for value in witnesses]
        return arrangement.is_layout(arranged) and any(
            m is not None and not m.is_identity for m in moved
        )

    @property
    def exact(self) -> bool:
        """Whether what the models yield is the same in float64, if they are."""
        return not self.blunt() and (self.strict or not self.tables)

    def blunt(self) -> set[str]:
        """Ids of Keras' values behind an operation that TensorFlow computes in float32 always.

        Whatever comes behind has no more digits; held to float64's equation every right port that
        resizes an image would differ.
        """
        values: set[str] = set()
        for node in self.keras.nodes:
            if node.settings.get("single") or any(s.value in values for s in node.sources):
                values.update(value.id for value in node.values)
        return values

    def halved(self) -> dict[str, float]:
        """Keras' values that both sides compute in half precision, or behind such: id → unit.

        There each side rounds sums as its kernels have them, in float64's run as well.
        """
        units = {
            value.id: HALVES[value.dtype]
            for match in self.matches
            for mine, value in zip(match.left.values, match.right.values, strict=False)
            if mine.dtype == value.dtype in HALVES
            and match.right.settings.get("name") not in HALVES
        }
        for node in self.keras.nodes if units else ():
            unit = max((units.get(s.value, 0.0) for s in node.sources), default=0.0)
            units |= {v.id: max(unit, units.get(v.id, 0.0)) for v in node.values if unit}
        return units

    @property
    def held(self) -> dict[str, Any]:
        """What the models yield is held to: arguments of `parity.checker.judge.comparing`."""
        return {"exact": self.exact, "unit": max(self.halved().values(), default=U32)}


def unique_mappings(mappings: Sequence[WeightMapping]) -> list[WeightMapping]:
    """Each pair of weights once, however often it is used."""
    return list({(one.left.id, one.right.id): one for one in mappings}.values())
