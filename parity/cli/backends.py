"""``--keras-backend``: which examples Keras trains on other backends, and the page of them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from parity.core import sides
from parity.core.errors import UsageError
from parity.core.sides import PACKAGES, TITLES, Side
from parity.spec.backends import on_backends

if TYPE_CHECKING:
    from parity.run.pipeline import RunOutcome
    from parity.spec.example import ExampleSpec


def portable(
    specs: Sequence[ExampleSpec], backends: Sequence[str], python: str | None = None
) -> tuple[ExampleSpec, ...]:
    """The examples as they are on these backends; says which are left out.

    Args:
        specs: as chosen.
        backends: as typed.
        python: the interpreter that was named for Keras.

    Raises:
        UsageError: no such backend, it is not installed, or nothing is left.
    """
    chosen = [sides.on_backend(backend) for backend in dict.fromkeys(backends)]
    if python is None:
        for side in chosen:
            _expect_installed(side)
    there = {spec.name: on_backends(spec, chosen) for spec in specs}
    left_out = [name for name, found in there.items() if found is None]
    found = tuple(found for found in there.values() if found is not None)
    words = (
        f"{', '.join(left_out)}: on TensorFlow alone, for the Keras program is written in it "
        "(tf.), and no part is trained by fit"
    )
    if not found:
        raise UsageError(f"{words}. Leave --keras-backend out, or name another example.")
    if left_out:
        print(f"Left out, {words}.", file=sys.stderr)
    return found


def _expect_installed(side: Side) -> None:
    for package in PACKAGES[side]:
        if importlib.util.find_spec(package) is None:
            raise UsageError(
                f"{TITLES[side]} needs the package {package}, which is not installed here. In the "
                "repository: pip install --editable '.[backends]'. Or name an interpreter that "
                "has it: --keras-python PATH."
            )


def drawn(result: RunOutcome, folder: Path) -> list[Path]:
    """Write the page of the backends and its JSON twin."""
    from parity import report as pages

    results = [
        pages.ReportInput(v, result.runs[v.spec.name], result.data[v.spec.name])
        for v in result.verdicts
    ]
    return pages.write_backends(results, folder)
