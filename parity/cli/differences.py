"""The options of ``parity differences``."""

from __future__ import annotations

from typing import Annotated

import typer

from parity.cli.options import AsJson


def differences(
    words: Annotated[
        list[str], typer.Argument(help="Words that a row has to hold, in any case: all of them.")
    ],
    as_json: AsJson = False,
) -> None:
    """Known differences: what PyTorch and Keras do unlike each other, and what makes it equal."""
    from parity.cli import differences_command, lessons

    differences_command.differences_command(lessons.suite().sections, words, as_json=as_json)
