"""A recorded graph computed in NumPy: what each node makes of what it takes, without a framework.

What NumPy computes is taken for a framework's own only where a recording says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from parity.checker.graph.graph import Node, Source
from parity.checker.graph.model_interface import Array, Mode, Traced
from parity.comparator.noise import SHRINK, U32, C
from parity.core import blockwise
from parity.operations.function import NotInterpretable, apply_all

PART = 1 / 4
"""Of the bound of float64, what recomputing may add to a value's own rounding."""


def value_bound(noise: float, scale: float) -> float:
    """How far a recomputed value may be from the recorded one, both in float64.

    Args:
        noise: of the recorded one: float32's distance from float64.
        scale: its largest size.
    """
    return PART * C * SHRINK * max(noise, U32 * scale)


def is_same(recomputed: Array | None, recorded: Array, noise: float) -> bool:
    """Whether NumPy gives what was recorded in float64: to its rounding, or the very same."""
    if recomputed is None or recomputed.shape != recorded.shape:
        return False
    if recorded.dtype.kind != "f" or recomputed.dtype.kind != "f":
        return recomputed.dtype == recorded.dtype and np.array_equal(recomputed, recorded)
    odd = ~np.isfinite(recorded)
    if not np.array_equal(~np.isfinite(recomputed), odd) or not np.array_equal(
        recomputed[odd], recorded[odd], equal_nan=True
    ):
        return False
    bound = value_bound(noise, blockwise.largest(recorded))
    return blockwise.apart(recomputed, recorded) <= bound


def node_values(
    node: Node, sources: Sequence[Array], weights: Mapping[str, Array], mode: Mode = "evaluate"
) -> dict[str, Array]:
    """What a node yields: root value → array, in float64 and of whole numbers as they come.

    Args:
        node: as it was traced.
        sources: as it sees them.
        weights: id → canonical array.
        mode: ``train`` takes a batch norm's statistics from the batch.

    Raises:
        NotInterpretable: NumPy does not know this operation, or not on these.
    """
    missing = [name for name in node.parameters.values() if name not in weights]
    if missing:
        raise NotInterpretable(f"{node.name} takes {missing[0]}, which was not recorded.")
    own = {role: np.asarray(weights[name]) for role, name in node.parameters.items()}
    made = apply_all(node.kind, node.settings, own, sources, mode=mode)
    return {value.id: array for value, array in zip(node.values, made, strict=False)}


def seen(source: Source, ids: Mapping[str, Array], root: Array) -> Array:
    """A root value as a source sees it.

    Raises:
        NotInterpretable: the value has another shape than when the model was traced.
    """
    places = ids[source.ids] if source.ids else None
    if places is None and root.shape == source.shape:
        return root
    if places is None or (places.size and int(places.max()) >= root.size):
        raise NotInterpretable(f"{source.value} was traced in another shape.")
    taken: Array = root.reshape(-1)[places]
    return taken.reshape(source.shape)


class Recomputed(dict[str, Array]):
    """Root values of one run in float64; each node's are computed from those before it.

    Args:
        traced: the model.
        inputs: one array an input, in this side's layout.
        weights: id → canonical array.
        mode: of the run.
    """

    def __init__(
        self,
        traced: Traced,
        inputs: Sequence[Array],
        weights: Mapping[str, Array],
        mode: Mode = "evaluate",
    ) -> None:
        super().__init__({f"input:{i}": np.asarray(array) for i, array in enumerate(inputs)})
        self._traced, self._weights, self._mode = traced, weights, mode

    def root(self, name: str) -> Array:
        """A root value that is known by now.

        Raises:
            NotInterpretable: it is not.
        """
        kind, _, rest = name.partition(":")
        if kind == "parameter" and rest in self._weights:
            return np.asarray(self._weights[rest])
        for key in (name, rest):
            if key in self:
                return self[key]
        raise NotInterpretable(f"{name} was not recorded, and cannot be recomputed.")

    def source(self, source: Source) -> Array:
        """What a node takes; see `seen`."""
        return seen(source, self._traced.ids, self.root(source.value))

    def node(self, node: Node) -> dict[str, Array]:
        """What a node makes of what is known; nothing where NumPy cannot tell."""
        try:
            fed = [self.source(source) for source in node.sources]
            return node_values(node, fed, self._weights, self._mode)
        except NotInterpretable:
            return {}
