"""The site: all pages, written as Markdown, and made into HTML by MkDocs."""

from __future__ import annotations

import logging
import posixpath
import shutil
import tomllib
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from parity import notebooks
from parity.core.errors import UsageError
from parity.core.sides import LESSON_PACKAGES, SIDES, TITLES
from parity.spec.example import ExampleSpec
from website import differences, guides, home, lessons
from website.links import Places
from website.page import Page

_HERE = Path(__file__).parent
COLUMNS = {
    "": "Start",
    "lessons": "Learn",
    "differences": "Differences",
    "port": "Port",
    "decide": "Decide",
}
"""Folder of the site → its name in the navigation."""
_COPIES = {
    "lessons": [f"{LESSON_PACKAGES[side]}/*.py" for side in SIDES],
    "reports": ["reports/*.json", "reports/figures/*.png"],
    "docs": ["docs/*.yml"],
}
"""Folder of the site → files of the repository that lie there as they are."""


def build(root: Path, specs: Sequence[ExampleSpec], folder: Path) -> Path:
    """Make the site.

    Args:
        root: of the repository.
        specs: the lessons, in the order of the course.
        folder: for the site, in ``site``, and for the Markdown that it is made of, in ``pages``;
            both are made anew.

    Returns:
        The folder with ``index.html``.

    Raises:
        UsageError: MkDocs or nbformat is not installed, or a link leads nowhere.
    """
    source, target = folder / "pages", folder / "site"
    shutil.rmtree(source, ignore_errors=True)
    found, copied, books = pages(root, specs), _copies(root), _notebooks(root, specs)
    made = {name: f"lessons/{name}" for name in books}
    places = Places({**copied, **made, **_places(root, specs)}, _address(root))
    for page in found:
        file = source / page.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(places.relinked(page.file, page.folder, page.path), "utf-8")
    for name, place in copied.items():
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, source / place)
    for name, place in made.items():
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        (source / place).write_text(books[name], "utf-8")
    shutil.copytree(_HERE / "theme", source / "theme")
    to_html(source, target, navigation(found))
    return target


def pages(root: Path, specs: Sequence[ExampleSpec]) -> list[Page]:
    """Every page, in the order of the navigation."""
    reports = root / "reports"
    return [
        home.page(specs, reports, len(differences.rows(reports))),
        *lessons.pages(specs, reports),
        *differences.pages(reports),
        *guides.pages(root, _guides(root, specs)),
    ]


def navigation(pages: Iterable[Page]) -> list[dict[str, Any]]:
    """The pages in columns, those of a part below its name."""
    columns: dict[str, list[dict[str, Any]]] = {title: [] for title in COLUMNS.values()}
    for (folder, part), group in groupby(pages, lambda p: (posixpath.dirname(p.path), p.part)):
        entries: list[dict[str, Any]] = [{page.title: page.path} for page in group]
        columns[COLUMNS[folder]] += [{part: entries}] if part else entries
    return [{title: column} for title, column in columns.items()]


def _guides(root: Path, specs: Sequence[ExampleSpec]) -> dict[str, str]:
    return guides.places(root, [f"reports/{name}.md" for name in _own_pages(specs)])


def _own_pages(specs: Sequence[ExampleSpec]) -> list[str]:
    return [*(spec.name for spec in specs), "differences"]


def _places(root: Path, specs: Sequence[ExampleSpec]) -> dict[str, str]:
    """File of the repository → page of the site that says what it says."""
    anchors = differences.anchors(root / "reports")
    return {
        "README.md": "index.md",
        "reports/differences.md": "differences/index.md",
        **dict.fromkeys(LESSON_PACKAGES.values(), "lessons/index.md"),
        **{f"{p}/differences": "differences/index.md" for p in LESSON_PACKAGES.values()},
        **{f"reports/{spec.name}.md": f"lessons/{spec.name}.md" for spec in specs},
        **{f"reports/differences.md#{anchor}": place for anchor, place in anchors.items()},
        **_guides(root, specs),
    }


def _copies(root: Path) -> dict[str, str]:
    """File of the repository → where it lies on the site, as it is."""
    return {
        name: f"{folder}/{name.removeprefix(f'{folder}/')}"
        for folder, patterns in _COPIES.items()
        for pattern in patterns
        for name in sorted(f.relative_to(root).as_posix() for f in root.glob(pattern))
    }


def _notebooks(root: Path, specs: Sequence[ExampleSpec]) -> dict[str, str]:
    """Every lesson of both sides: the notebook's name → its text."""
    return {
        lessons.notebook(spec.name, side): notebooks.notebook(
            (root / LESSON_PACKAGES[side] / f"{spec.name}.py").read_text("utf-8"),
            f"{spec.title}, in {TITLES[side].partition(' ')[0]}",
        )
        for spec in specs
        for side in SIDES
    }


def _address(root: Path) -> str:
    """Of the repository's files, where its owner says one."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    address = project.get("urls", {}).get("Repository", "").rstrip("/")
    return f"{address}/blob/main" if address else ""


class _Complaints(logging.Handler):
    """Keeps what MkDocs warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.messages.append(record.getMessage())


def to_html(source: Path, target: Path, nav: list[dict[str, Any]]) -> None:
    """Make HTML of a folder of Markdown.

    Raises:
        UsageError: MkDocs is not installed, or a link leads nowhere.
    """
    try:
        from mkdocs.commands import build as mkdocs  # noqa: PLC0415
        from mkdocs.config import load_config  # noqa: PLC0415
        from mkdocs.exceptions import MkDocsException  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            "The site needs MkDocs, which is not installed here: expected the packages of the "
            "extra `site`. Run `make site`, or `pip install -c constraints.txt -e '.[site]'`."
        ) from error
    complaints = _Complaints()
    logging.getLogger("mkdocs").addHandler(complaints)
    try:
        config = load_config(
            str(_HERE / "mkdocs.yml"), docs_dir=str(source), site_dir=str(target), nav=nav
        )
        config.plugins.on_startup(command="build", dirty=False)
        mkdocs.build(config)
        config.plugins.on_shutdown()
    except MkDocsException as error:
        told = "\n".join(complaints.messages) or str(error)
        raise UsageError(
            f"The site was not made; expected links that all lead somewhere:\n{told}"
        ) from error
    finally:
        logging.getLogger("mkdocs").removeHandler(complaints)
