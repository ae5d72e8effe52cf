"""An operation computed in NumPy from settings, parameters and sources: the third opinion.

What a framework computed can be recomputed here, so that a setting can be replaced by another and
the effect of that one setting be measured. In float64 it agrees with both frameworks to rounding;
`parity_tests/check/test_reference.py` holds it against them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from parity.core.errors import ParityError
from parity.operations.known import KNOWN, operation
from parity.operations.operation import Array, Arrays, Settings, Variation

Mode = Literal["evaluate", "train"]


class NotInterpretable(ParityError):  # noqa: N818
    """An operation that the reference does not know, or whose settings or arrays do not fit."""


def apply(
    kind: str,
    settings: Settings,
    parameters: Arrays,
    sources: Sequence[Array],
    *,
    mode: Mode = "evaluate",
) -> Array:
    """Compute one operation.

    Args:
        kind: a word of `parity.checker.graph.graph`.
        settings: as a node has them.
        parameters: role → canonical array.
        sources: as the node sees them, in the layout that the settings name.
        mode: ``train`` takes a batch norm's statistics from the batch.

    Returns:
        The node's first value, in the precision of the sources.

    Raises:
        NotInterpretable: this kind or one of its settings is unknown here, or the arrays do not
            fit together.
    """
    return apply_all(kind, settings, parameters, sources, mode=mode)[0]


def apply_all(
    kind: str,
    settings: Settings,
    parameters: Arrays,
    sources: Sequence[Array],
    *,
    mode: Mode = "evaluate",
) -> tuple[Array, ...]:
    """All values of an operation; as `apply`. A recurrent layer also has its last state."""
    function = operation(kind).compute
    if function is None:
        known = sorted(word for word, known in KNOWN.items() if known.compute is not None)
        raise NotInterpretable(
            f"The reference has no '{kind}'. It knows {', '.join(known)}. "
            "Judge this operation by the values of both frameworks instead."
        )
    arrays = [np.asarray(source) for source in sources]
    # Integers beside floats (indices, masks) do not decide the precision.
    floats = [a.dtype for a in arrays if a.dtype.kind == "f"]
    kept = {}
    for role, array in parameters.items():
        if array.dtype.kind == "f" and (floats or kind != "embedding"):
            kept[role] = array.astype(np.result_type(*floats) if floats else np.float64, copy=False)
        else:
            kept[role] = array
    training = {"training": True} if mode == "train" and kind == "batch_norm" else {}
    try:
        with np.errstate(all="ignore"):
            found = function({**settings, **training}, kept, arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise NotInterpretable(
            f"A '{kind}' with settings {dict(settings)} on sources of shape {shapes} cannot be "
            f"computed: {type(error).__name__}: {error}. Expected are the settings and roles that "
            "parity/checker/graph/graph.py lists for this kind."
        ) from error
    return found if isinstance(found, tuple) else (found,)


@dataclass(frozen=True)
class Function:
    """An operation with all it is computed from."""

    kind: str
    settings: Mapping[str, Any]
    parameters: Mapping[str, Array]
    sources: tuple[Array, ...]
    mode: Mode = "evaluate"

    def __call__(self) -> Array | None:
        """Its value; None where the reference cannot compute it."""
        try:
            return apply(self.kind, self.settings, self.parameters, self.sources, mode=self.mode)
        except NotInterpretable:
            return None

    def setting(self, **changed: Any) -> Function:
        """The same with other settings."""
        return replace(self, settings={**self.settings, **changed})

    def parameter(self, changed: Mapping[str, Array]) -> Function:
        """The same with other parameters."""
        return replace(self, parameters={**self.parameters, **changed})

    def on(self, *sources: Array) -> Function:
        """The same on other sources."""
        return replace(self, sources=sources)

    def varied(self, variation: Variation) -> Array | None:
        """Its value with a mistake that people make with it."""
        changed = self.setting(**variation.settings)
        out = changed.on(*self.sources[: variation.sources])()
        return variation.after(out) if out is not None and variation.after else out
