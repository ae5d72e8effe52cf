"""Random architectures as a hypothesis strategy: one that fails shrinks to a small one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from parity_tests.check.random_models import drawn

T = TypeVar("T")
_FINE = 1 << 10


class Chooser:
    """What `random_models` asks of `random.Random`; hypothesis chooses, the simplest first."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def random(self) -> float:
        """From 0 up to below 1; shrinks upwards, for what is rare asks for a small number."""
        return (_FINE - 1 - int(self._draw(st.integers(0, _FINE - 1)))) / _FINE

    def randint(self, low: int, high: int) -> int:
        """A whole number; shrinks to the lowest."""
        return int(self._draw(st.integers(low, high)))

    def choice(self, among: Sequence[T]) -> T:
        """One of them; shrinks to the first."""
        return among[self.randint(0, len(among) - 1)]

    def choices(self, among: Sequence[T], weights: Sequence[int]) -> list[T]:
        """One of them, in a list; shrinks to the first."""
        return [self.choice([x for x, n in zip(among, weights, strict=True) for _ in range(n)])]

    def sample(self, among: Sequence[T], k: int) -> list[T]:
        """Several, each once."""
        left = list(among)
        return [left.pop(self.randint(0, len(left) - 1)) for _ in range(k)]


@st.composite
def architectures(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    """One architecture, as `random_models.architecture` draws it from a seed."""
    return drawn(Chooser(draw))  # type: ignore[arg-type]
