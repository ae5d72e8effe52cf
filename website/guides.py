"""Documents and reports that are on the site as they are in the repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from website.dialect import converted, lines_outside_code
from website.page import Page

LEARN = {
    "docs/learn.md": "How to read them",
    "docs/coverage.md": "What they cover",
}
PORT = {
    "docs/port.md": "Port a model",
    "docs/porting.md": "Port a model in an hour",
    "docs/check.md": "Check a port",
    "docs/convert.md": "Convert a checkpoint",
    "docs/reference.md": "With one framework at a time",
    "reports/ports.md": "Right and wrong ports",
    "reports/zoo.md": "Real models",
}
DECIDE = {
    "docs/decide.md": "Which of the two?",
    "reports/README.md": "All results",
    "reports/performance.md": "Speed",
    "reports/defaults.md": "What a default costs",
    "reports/backends.md": "Keras on its backends",
    "reports/upstream.md": "Where its backends part",
    "docs/verdict.md": "When two numbers are equal",
    "reports/planted.md": "Mistakes made on purpose",
    "docs/bench.md": "How speed is measured",
    "docs/native.md": "Own defaults",
    "docs/sweep.md": "Many seeds",
    "docs/recording.md": "What is recorded",
    "docs/commands.md": "The command line",
}


def places(root: Path, elsewhere: Iterable[str]) -> dict[str, str]:
    """File of the repository → page of the site; what no list here names, comes last.

    Args:
        root: of the repository.
        elsewhere: files that are on the site in another form.
    """
    taken = {*LEARN, *PORT, *DECIDE, *elsewhere}
    found = sorted(
        f.relative_to(root).as_posix() for d in ("docs", "reports") for f in (root / d).glob("*.md")
    )
    listed = {file: f"lessons/{Path(file).name}" for file in LEARN if (root / file).is_file()}
    listed |= {file: f"port/{Path(file).name}" for file in PORT}
    listed |= {file: f"decide/{Path(file).name}" for file in DECIDE}
    listed["reports/README.md"] = "decide/results.md"
    return listed | {file: f"decide/{Path(file).name}" for file in found if file not in taken}


def pages(root: Path, places: dict[str, str]) -> list[Page]:
    """A page for each of them."""
    return [_page(file, (root / file).read_text("utf-8"), path) for file, path in places.items()]


def _page(file: str, text: str, path: str) -> Page:
    heading = next(
        line for line, is_text in lines_outside_code(text) if is_text and line.startswith("# ")
    )
    title = (LEARN | PORT | DECIDE).get(file) or heading.removeprefix("# ")
    return Page(path, title, converted(_with_one_title(text)), Path(file).parent.as_posix())


def _with_one_title(text: str) -> str:
    """A text whose headings stand below its first one, where it has more of the highest."""
    lines = lines_outside_code(text)
    titles = [line for line, is_text in lines if is_text and line.startswith("# ")]
    if len(titles) == 1:
        return text
    return "\n".join(
        f"#{line}" if is_text and line.startswith("#") and line != titles[0] else line
        for line, is_text in lines
    )
