"""Where the command line gets the examples from: the one place of the tool that knows them.

They belong to the repository, in a package named `shared`, and not to the installed tool. A user's
own project may have a package of that name too: which one it is, is seen without importing it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from shared.errors import UsageError

if TYPE_CHECKING:
    from shared.suite_spec import Suite

_PACKAGE, _SUITE, _BESIDE = "shared", "suite.py", "pytorch_impl"
_NEXT = (
    "The examples belong to the repository of this tool, and not to what is installed of it. Clone "
    "the repository and run there; parity check and parity diff work everywhere."
)


def suite() -> Suite:
    """The examples and all that they share.

    Raises:
        UsageError: they are not here.
    """
    _look()
    from shared.suite import SUITE  # noqa: PLC0415  # only where it is theirs

    return SUITE


def datasets() -> ModuleType:
    """The package of the datasets.

    Raises:
        UsageError: the examples and their data are not here.
    """
    _look()
    from shared import data  # noqa: PLC0415  # only where it is theirs

    return data


def _look() -> None:
    """Refuse a package that is not there, or is not the examples'."""
    places = _places()
    if not places:
        raise UsageError(
            f"The examples are not here: expected their package `{_PACKAGE}` beside "
            f"`{_BESIDE}`, but no package of that name can be imported. {_NEXT}"
        )
    if not any((p / _SUITE).is_file() and (p.parent / _BESIDE).is_dir() for p in places):
        raise UsageError(
            f"The examples are not here: the package `{_PACKAGE}` at {places[0]} is another one, "
            f"expected one with a file {_SUITE} beside `{_BESIDE}`. {_NEXT}"
        )


def _places() -> list[Path]:
    """Where the package of this name is, found without running anything of it."""
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except ValueError:  # something put into sys.modules by hand
        spec = None
    if spec is None:
        return []
    # A module that is a single file has no locations to search.
    return [Path(p) for p in spec.submodule_search_locations or [spec.origin or _PACKAGE]]
