"""Where in the user's code a layer or an operation comes from."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Site:
    """An expression of the user's that is being executed.

    Attributes:
        file: absolute.
        line, column, end_line, end_column: where it stands, as `ast` counts: lines from 1, columns
            in bytes of UTF-8 from 0.
        owner: where the object was made whose method this is in, innermost first; empty for a
            function.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    owner: tuple[Site, ...] = ()

    @property
    def span(self) -> tuple[str, int, int, int, int]:
        """The expression itself, whoever executes it."""
        return self.file, self.line, self.column, self.end_line, self.end_column

    @property
    def text(self) -> str:
        """As it stands in the file; '' where that cannot be read, or it has more than one line."""
        if self.line != self.end_line:
            return ""
        raw = linecache.getline(self.file, self.line).encode()
        return raw[self.column : self.end_column].decode(errors="replace")

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Site:
        """Read what a graph's JSON holds."""
        return cls(**{**raw, "owner": tuple(cls.from_json(site) for site in raw["owner"])})


Sites = Mapping[str, tuple[Site, ...]]
"""Name of a layer or operation → the expression that it comes from, and who called that, and so on:
innermost first."""
