"""What ``parity record`` does with its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parity.checker import self_check
from parity.checker.graph.target import REFERENCE, Target
from parity.checker.workers.request import CheckRequest
from parity.cli.check_command import fed, layout_named, telling
from parity.cli.writable import expect_file
from parity.core.errors import InterruptionError, UsageError
from parity.core.sides import Side, side_named


def record_command(
    *,
    models: Mapping[Side, tuple[str | None, str]],
    inputs: Sequence[str],
    files: Sequence[Path],
    also: Sequence[str],
    out: Path,
    whole: bool,
    layout: str,
    pythons: Mapping[str, str | None],
    **rest: Any,
) -> None:
    """Write a reference, and say what is in it.

    Args:
        models: side → name and keyword arguments, as they were typed; one of them is named.
        inputs, files, also, layout: as they were typed.
        out: the new file.
        whole: keep every number.
        pythons: interpreters.
        **rest: fields of `CheckRequest`.

    Raises:
        UsageError: an option is not of its form.
        InterruptionError: somebody stopped it.
    """
    named = [(side, name, words) for side, (name, words) in models.items() if name is not None]
    if len(named) != 1:
        raise UsageError(
            f"{'Two models were' if named else 'No model was'} named. Expected the one to be "
            "recorded: --torch models.py:Net or --keras models.py:Net"
        )
    ((side, name, words),) = named
    if out.suffix != REFERENCE:
        raise UsageError(
            f"--out '{out}': by its name parity check knows a reference. Expected "
            f"{out.with_suffix(REFERENCE).name}"
        )
    if not out.absolute().parent.is_dir():
        raise UsageError(f"--out '{out}': there is no folder '{out.parent}'.")
    expect_file(out, "--out")
    target = Target.parse(name, words, f"--{side}")
    if target.is_reference:
        raise UsageError(f"--{side} '{name}' is a reference already.")
    if side == "torch" and not inputs and not files:
        raise UsageError(
            "What is the model fed? Give one --input for each of its inputs, batch first "
            "(--input 8,3,64,64), or --inputs batch.npz"
        )
    request = CheckRequest(
        **fed(inputs, files, also),
        layout=layout_named(layout),
        pythons={side_named(s): p for s, p in pythons.items() if p},
        **rest,
    )
    try:
        with telling() as say:
            header = self_check.record(side, target, request, out, say, compact=not whole).header
    except KeyboardInterrupt:
        raise InterruptionError(
            "Interrupted. Nothing was written; the same command begins it again."
        ) from None
    versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
    print(
        f"{out}: {header.title} on {'; then '.join(map(str, header.fed))}"
        f"{', with training' if header.train else ''}, by {versions}; "
        f"{out.stat().st_size / 1e3:.0f} kB.\n"
        f"parity check --{side} {out} --{'keras' if side == 'torch' else 'torch'} models.py:Net"
    )
