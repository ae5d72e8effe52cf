"""Where a file of the repository is on the site, and links that lead there.

A link to a page leads to the page, one to a file that the site has a copy of to the copy. Whatever
else the repository has is linked at its address, where `pyproject.toml` says one, and named where
not.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINK_OR_CODE = re.compile(
    r"^(?P<fence> *`{3,}).*?^(?P=fence) *$"
    r"|(?P<image>!?)\[(?P<label>(?:[^][]|\[[^][]*\])*)\]\((?P<target>[^()\s]+)\)"
    r"|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes:
        pages: file of the repository, with or without ``#anchor`` → page of the site.
        repository: address of the repository's files, or empty.
    """

    pages: Mapping[str, str]
    repository: str = ""

    def relinked(self, text: str, folder: str, path: str) -> str:
        """A text whose links lead from `folder` of the repository, as page `path` of the site."""

        def link(found: re.Match[str]) -> str:
            target = found["target"]
            if target is None or target.startswith("#") or ":" in target:
                return found[0]
            return self._link(found, folder, posixpath.dirname(path))

        return _LINK_OR_CODE.sub(link, text)

    def _link(self, found: re.Match[str], folder: str, here: str) -> str:
        target, _, anchor = found["target"].partition("#")
        named = posixpath.normpath(posixpath.join(folder, target))
        place = self.pages.get(f"{named}#{anchor}")
        if place is None and named in self.pages:
            place = self.pages[named] + (f"#{anchor}" if anchor else "")
        if place is not None:
            to = posixpath.relpath(place, here or ".")
            return f"{found['image']}[{found['label']}]({to})"
        if self.repository:
            return f"[{found['label']}]({self.repository}/{named})"
        label = found["label"].strip("`")
        return f"`{named}`" if named.endswith(label) else f"{found['label']} (`{named}`)"
