"""Of what is many alike a run tests some, drawn by ``PARITY_SEED``; with ``PARITY_LONG`` all.

Every kind is in every draw, so that a mistake of any kind is seen by the first run that has it;
`test_draws` holds that for all that is drawn with `draw`.
"""

import os
import random
import subprocess
from collections.abc import Callable, Collection, Hashable, Sequence
from pathlib import Path
from typing import TypeVar

LONG = bool(os.environ.get("PARITY_LONG"))


def _commit() -> int:
    """Another number for every commit; 0 where this is no checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    head = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(head.stdout[:7], 16) if head.returncode == 0 else 0


# The processes that xdist starts inherit it.
SEED = int(os.environ.setdefault("PARITY_SEED", str(_commit())))
Item = TypeVar("Item")


def draw(
    items: Sequence[Item],
    kinds: Callable[[Item], Collection[Hashable]],
    share: float = 0.0,
    *,
    seed: int | None = None,
) -> tuple[Item, ...]:
    """Of every kind one item at least, and so many more that they are `share` of all.

    Args:
        items: in an order that they keep.
        kinds: item → the kinds that it stands for.
        share: of all items, 0…1.
        seed: another draw than this run's, and a draw even where everything is tested.
    """
    if LONG and seed is None:
        return tuple(items)
    order = list(range(len(items)))
    random.Random(SEED if seed is None else seed).shuffle(order)
    chosen: list[int] = []
    seen: set[Hashable] = set()
    for place in order:
        if not seen.issuperset(kinds(items[place])):
            chosen.append(place)
            seen.update(kinds(items[place]))
    more = [place for place in order if place not in chosen]
    chosen += more[: max(0, round(share * len(items)) - len(chosen))]
    return tuple(items[place] for place in sorted(chosen))
