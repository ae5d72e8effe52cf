"""How the pages of `reports/` read: what scrolls sideways, where code begins, which words they use.

``python -m parity_tests.reading 17fbf80`` prints the pages of a commit beside those of the working
tree. The pages are shown in Debian's chromium, without a window, as GitHub shows them, with
`WIDTH` pixels of content.
"""

import io
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
WIDTH = 900
PAGES = ("tensors", "losses", "iris_mlp", "fashion_mlp", "transfer_learning")
"""Whose first line of code is looked for."""
LONG = 30
"""Words of a sentence that is long; it has more."""
STYLE = f"""
body {{ width: {WIDTH}px; margin: 0; font: 16px/1.5 "Noto Sans", Helvetica, Arial, sans-serif }}
pre {{ padding: 16px; overflow: auto; font-size: 85%; line-height: 1.45 }}
code, pre {{ font-family: "DejaVu Sans Mono", monospace }}
:not(pre) > code {{ font-size: 85%; padding: .2em .4em; white-space: break-spaces }}
table {{ display: block; width: max-content; max-width: 100%; overflow: auto }}
table {{ border-collapse: collapse }}
th, td {{ padding: 6px 13px; border: 1px solid }}
img {{ max-width: 100% }}
"""
_TABLES = "tables => tables.map(t => t.scrollWidth > t.clientWidth + 1)"
_FENCED = re.compile(r"^(`{3,})[^\n]*\n.*?^\1$", re.MULTILINE | re.DOTALL)
_NO_PROSE = re.compile(r"^(?:\||#|!\[|<(?!details)|- \[|\s*$)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_END = re.compile(r"(?<=[.!?:])[*_)\"”]*\s+(?=[^a-z])")


def prose(text):
    """The paragraphs of a page, without code, tables, headings, figures and addresses."""
    lines = _FENCED.sub("", text).splitlines()
    kept = [re.sub(r"<[^>]*>", " ", line) for line in lines if not _NO_PROSE.match(line)]
    return [_LINK.sub(r"\1", line).lstrip("> *-") for line in kept]


def sentences(text):
    """The sentences of a page; what stands behind a colon counts as one of its own."""
    return [s for line in prose(text) for s in _END.split(line) if s.strip()]


def long_sentences(text):
    """Those of more than `LONG` words; a formula or a name in code is a word."""
    return [s for s in sentences(text) if len(re.sub(r"`[^`]*`", "x", s).split()) > LONG]


def html(text):
    """A page as GitHub shows it, about."""
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}"


def shown(browser, folder):
    """Page → whether each of its tables scrolls, and the pixel of its first line of Python."""
    found = {}
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    for path in sorted(folder.glob("*.md")):
        file = folder / f".{path.stem}.html"
        file.write_text(html(path.read_text("utf-8")), "utf-8")
        page.goto(file.as_uri())
        code = page.locator("code.language-python")
        first = code.first.evaluate("c => c.getBoundingClientRect().top") if code.count() else None
        page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
        found[path.stem] = (page.eval_on_selector_all("table", _TABLES), first)
        file.unlink()
    page.close()
    return found


def measured(browser, folder):
    """What is told of a folder of pages: words → number."""
    seen = shown(browser, folder)
    texts = {path.stem: path.read_text("utf-8") for path in folder.glob("*.md")}
    tables = [scrolls for some, _ in seen.values() for scrolls in some]
    said = [text.count("bit for bit") for text in texts.values()]
    long = [len(long_sentences(text)) for text in texts.values()]
    every = sum(len(sentences(text)) for text in texts.values())
    pixels = {
        f"pixel of the first line of code: {name}": f"{seen[name][1]:,.0f}"
        for name in PAGES
        if name in seen and seen[name][1] is not None
    }
    return {
        "pages": f"{len(texts)}",
        "tables that scroll sideways": f"{sum(tables)} of {len(tables)}",
        **pixels,
        '"bit for bit", all pages': f"{sum(said)}",
        '"bit for bit" a page, mean and most': f"{statistics.mean(said):.1f}, {max(said)}",
        f"sentences over {LONG} words": f"{sum(long)} of {every:,}",
    }


def of_commit(commit, folder):
    """Lay the reports of a commit into a folder."""
    command = ["git", "-C", str(ROOT), "archive", commit, "reports"]
    archive = subprocess.run(command, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder / "reports"


def main(commits):
    """Print a table with a column a commit, and one of the working tree."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        columns = {c: measured(browser, of_commit(c, Path(folder) / c)) for c in commits}
        now = shutil.copytree(ROOT / "reports", Path(folder) / "now")
        columns["now"] = measured(browser, now)
        browser.close()
    print(f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for words in columns["now"]:
        print(f"| {words} | {' | '.join(c.get(words, '–') for c in columns.values())} |")


if __name__ == "__main__":
    main(sys.argv[1:])
