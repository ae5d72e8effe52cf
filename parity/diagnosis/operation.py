"""An operation with all it is computed from, to be changed and computed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from parity.reference import operations

Array = NDArray[Any]


@dataclass(frozen=True)
class Function:
    """An operation with all it is computed from."""

    kind: str
    settings: Mapping[str, Any]
    parameters: Mapping[str, Array]
    sources: tuple[Array, ...]
    mode: operations.Mode = "evaluate"

    def __call__(self) -> Array | None:
        """Its value; None where the reference cannot compute it."""
        try:
            return operations.apply(
                self.kind, self.settings, self.parameters, self.sources, mode=self.mode
            )
        except operations.NotInterpretable:
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
