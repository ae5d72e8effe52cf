"""What pages are made of, in the Markdown of MkDocs: code, tabs, folded text."""

from __future__ import annotations

import textwrap

from parity.report.formatting import fence

BOTH = "Both"
"""Label of the tab that shows the other two; `theme` does it."""

_SIDE = '{: .side data-search-exclude="" }'
"""Marks the words above a program that say whose it is, where it is not alone."""


def code(text: str) -> str:
    """A block of Python; an empty text says that there is none."""
    if not text:
        return "*Nothing of this name.*"
    return f"{fence(text)}python\n{text}\n{fence(text)}"


def twins(torch: str, keras: str, labels: tuple[str, str] = ("PyTorch", "Keras")) -> str:
    """Two pieces of code in tabs, of which one shows both.

    A choice of a label holds for all tabs of the site that have it.
    """
    tabs = [
        f"=== {_quoted(label)}\n\n" + _inside(f"{label}\n{_SIDE}\n\n{code(text)}")
        for label, text in zip(labels, (torch, keras), strict=True)
    ]
    return "\n\n".join([*tabs, f"===+ {_quoted(BOTH)}"])


def folded(title: str, text: str, kind: str = "note") -> str:
    """Text that a click opens."""
    return f"??? {kind} {_quoted(title)}\n\n{_inside(text)}"


def unsearched(text: str) -> str:
    """Text that the search of the site passes over: numbers and proof, which bury what it finds."""
    return f'<div data-search-exclude="" markdown>\n\n{text}\n\n</div>' if text else ""


def boxed(title: str, text: str, kind: str = "note") -> str:
    """Text in a box."""
    return f"!!! {kind} {_quoted(title)}\n\n{_inside(text)}"


def _inside(text: str) -> str:
    return textwrap.indent(text.strip("\n"), "    ")


def _quoted(title: str) -> str:
    return '"' + title.replace('"', '\\"') + '"'
