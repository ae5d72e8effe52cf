"""Templates to text, and text to disk: whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from parity.core.errors import UsageError
from parity.recording import provenance
from parity.report import formatting

_FENCE = re.compile(r"`{3,}")
_LINK = re.compile(r"\]\(\.\./(?=(?:docs|parity|pytorch_impl|keras_impl)/)")


def render(template: str, **context: Any) -> str:
    """Fill in a template of this package.

    Args:
        template: file name without its ``.md.j2``.
        **context: what it needs; a name that is missing is an error.
    """
    # Only Markdown needs it: a page of HTML is written without.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the output is Markdown; cells and code are escaped by filters
    )
    names = ("number", "ratio", "fraction", "count", "cell", "code", "prose", "fence")
    environment.filters.update({name: getattr(formatting, name) for name in names})
    return tidy(environment.get_template(f"{template}.md.j2").render(**context))


def tidy(text: str) -> str:
    """No trailing blanks and no more than one empty line, except inside code."""
    lines: list[str] = []
    inside = ""
    for raw in text.splitlines():
        mark = _FENCE.match(raw)
        if mark and not inside:
            inside = mark[0]
        elif mark and raw.rstrip() == inside:
            inside = ""
        line = raw if inside else raw.rstrip()
        if line or inside or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n") + "\n"


def linked(text: str, folder: Path) -> str:
    """A page with its links into the repository as they lead there from the page's folder.

    The templates say them as from ``reports/``; a folder outside the repository keeps them so.
    """
    if not folder.resolve().is_relative_to(provenance.ROOT):
        return text
    root = Path(os.path.relpath(provenance.ROOT, folder.resolve())).as_posix()
    return _LINK.sub(lambda _: f"]({root}/", text)


def save(path: Path, content: str | bytes) -> Path:
    """Write a file under a temporary name and rename it; of a page the links are made to lead.

    Raises:
        UsageError: the folder cannot be written, or the disk is full.
    """
    if isinstance(content, str):
        content = linked(content, path.parent) if path.suffix == ".md" else content
        content = content.encode()
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner may read
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise UsageError(
            f"Cannot write {path}: {error.strerror}; what was there is unchanged. Free space, or "
            "choose another folder."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return path
