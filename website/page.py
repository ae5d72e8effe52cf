"""A page of the site, before MkDocs has made HTML of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        path: where it is on the site, ``lessons/tensors.md``.
        title: its name in the navigation.
        text: in the Markdown of MkDocs, from its heading on.
        folder: of the repository, from which the links of the text lead.
        part: of the navigation's column that it stands in; empty where it stands alone.
        settings: of the theme, for this page.
    """

    path: str
    title: str
    text: str
    folder: str
    part: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Its text behind its settings, as MkDocs reads it. (JSON is YAML, too.)"""
        head = f"---\n{json.dumps(dict(self.settings))}\n---\n\n" if self.settings else ""
        return f"{head}{self.text.strip()}\n"
