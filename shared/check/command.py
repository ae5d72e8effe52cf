"""What ``parity check`` does with its options."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from rich.console import Console

from shared.check import inputs, words
from shared.check.both import Say
from shared.check.result import Result
from shared.check.session import Request, check_targets
from shared.check.target import Target
from shared.errors import UsageError
from shared.session import side_named


def carry_out(
    *,
    torch: tuple[str, str],
    keras: tuple[str, str],
    inputs: Sequence[str],
    pairs: Sequence[str],
    report: Path | None,
    quiet: bool,
    pythons: Mapping[str, str | None],
    layout: str,
    weights_from: str,
    **rest: Any,
) -> Result:
    """Check two named models, print the result unless `quiet`, and write the page if asked.

    Args:
        torch, keras: name and keyword arguments, as they were typed.
        inputs, pairs, layout, weights_from: as they were typed.
        report: path of the Markdown page.
        quiet: print nothing on standard output.
        pythons: interpreters.
        **rest: fields of `Request`.

    Raises:
        UsageError: an option is not of its form.
    """
    targets = Target.parse(*torch, "--torch"), Target.parse(*keras, "--keras")
    if report is not None and report.suffix != ".md":
        raise UsageError(f"--report '{report}' is no Markdown page. Expected a name like check.md.")
    request = Request(
        inputs=_inputs(inputs),
        pairs=_pairs(pairs),
        layout=_layout(layout),
        weights_from=side_named(weights_from),
        pythons={side_named(s): p for s, p in pythons.items() if p},
        **rest,
    )
    with _telling() as say:
        result = check_targets(*targets, request, say)
    if not quiet:
        console = Console()
        for part in words.screen(result):
            console.print(part, highlight=False)
    if report is not None:
        from shared.report import checks  # noqa: PLC0415  # Matplotlib is slow to import

        written = checks.write(result, report)
        if not quiet:
            print("Written: " + ", ".join(str(path) for path in written))
    return result


def _inputs(texts: Sequence[str]) -> tuple[inputs.Input, ...] | None:
    return tuple(inputs.parse(text) for text in texts) or None


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        left, equals, right = text.partition("=")
        if not (left and equals and right):
            raise UsageError(
                f"--map '{text}' pairs nothing. Expected a name on each side: --map conv1=conv_1"
            )
        pairs[left.strip()] = right.strip()
    return pairs


def _layout(text: str) -> inputs.Layout:
    for known in get_args(inputs.Layout):
        if text == known:
            found: inputs.Layout = known
            return found
    raise UsageError(f"--layout '{text}': expected {', '.join(get_args(inputs.Layout))}.")


@contextlib.contextmanager
def _telling() -> Iterator[Say]:
    """Say on standard error what is being done: a line that moves in a terminal, else nothing."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("starting …") as status:
        yield lambda words: status.update(f"{words} …")
