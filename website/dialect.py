"""GitHub's Markdown, in which documents and reports are written, as MkDocs reads it.

MkDocs has Python-Markdown, which wants a list behind an empty line and what belongs to an item four
blanks in, and has other words for boxes and for what is folded.
"""

from __future__ import annotations

import re

from website.blocks import boxed, folded

_FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,})")
_ALERT = re.compile(r"^> \[!(\w+)\]\n((?:^>.*\n?)+)", re.MULTILINE)
_ALERTS = {"CAUTION": "danger", "WARNING": "warning", "IMPORTANT": "warning", "TIP": "tip"}
DETAILS = re.compile(
    r"^<details[^>]*><summary>(.*?)</summary>\n(.*?)^</details>$", re.MULTILINE | re.DOTALL
)
"""What a click opens: its title, and its text."""
_ITEM = re.compile(r"^(?:[-*]|\d+\.) +")


def converted(text: str) -> str:
    """A text of the repository as MkDocs reads it."""
    text = _ALERT.sub(_alert, text)
    text = DETAILS.sub(lambda found: folded(found[1], found[2]), text)
    return _lists(text)


def lines_outside_code(text: str) -> list[tuple[str, bool]]:
    """Every line, and whether it is text: no line of a block of code, nor its fence."""
    found: list[tuple[str, bool]] = []
    opened = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        found.append((line, not opened and not mark))
        if mark and not opened:
            opened = mark["mark"]
        elif mark and line.strip() == opened:
            opened = ""
    return found


def _alert(found: re.Match[str]) -> str:
    words = re.sub(r"^> ?", "", found[2], flags=re.MULTILINE)
    return boxed(found[1].capitalize(), words, _ALERTS.get(found[1], "note")) + "\n"


def _lists(text: str) -> str:
    lines: list[str] = []
    width = 0  # of the mark of the list's item that the line may belong to
    for line, is_text in lines_outside_code(text):
        before = lines[-1] if lines else ""
        item = _ITEM.match(line) if is_text else None
        if item:
            if before and not width:
                lines.append("")
            width = len(item[0])
        elif width and line[:width].isspace():
            lines.append(f"    {line[width:]}")
            continue
        elif line and not line[0].isspace() and (not before or not is_text):
            width = 0
        lines.append(line)
    return "\n".join(lines)
