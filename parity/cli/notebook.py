"""The options of ``parity notebook``, and what it does with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from parity.cli.options import AsJson


def notebook(
    name: Annotated[str, typer.Argument(help="Name of a lesson; parity list shows them.")],
    side: Annotated[Literal["torch", "keras"], typer.Option(help="Whose program.")],
    out: Annotated[
        Path | None, typer.Option(help="The file. Default: NAME-SIDE.ipynb in this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a lesson as a Jupyter notebook, to be run in a clone of the project."""
    from parity import notebooks
    from parity.cli import lessons
    from parity.cli.writable import expect_file
    from parity.core.errors import UsageError
    from parity.core.json_format import JSON_FORMAT
    from parity.core.sides import LESSON_PACKAGES, TITLES

    suite = lessons.suite()
    spec = lessons.example(suite, name)
    if spec not in suite.examples:
        raise UsageError(f"'{name}' is a table and no program. parity list shows the lessons.")
    path = out or Path(f"{name}-{side}.ipynb")
    expect_file(path, "--out")
    if path.exists():
        raise UsageError(
            f"'{path}' is there already, and may hold work of yours: it stays. Name another file "
            "with --out, or remove it first."
        )
    program = lessons.ROOT / LESSON_PACKAGES[side] / f"{name}.py"
    text = notebooks.notebook(
        program.read_text("utf-8"), f"{spec.title}, in {TITLES[side].partition(' ')[0]}"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    if as_json:
        print(json.dumps({"format": JSON_FORMAT, "notebook": str(path)}, indent=2))
    else:
        print(f"Written: {path}. Open it with Jupyter, in a clone of the project.")
