"""Where the command line gets the examples from: the one place of the tool that knows them.

They belong to the repository, in a package named `shared`, and not to the installed tool: they are
here only where this file lies in a checkout. A user's own package of that name is never touched.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from parity.core.errors import UsageError

if TYPE_CHECKING:
    from parity.spec.example import ExampleSpec
    from parity.spec.suite import Suite

ROOT = Path(__file__).resolve().parents[2]
"""Of the checkout, where there is one."""


def suite() -> Suite:
    """The examples and all that they share.

    Raises:
        UsageError: they are not here.
    """
    _find()
    from shared.suite import SUITE  # only where it is theirs

    return SUITE


def example(suite: Suite, name: str) -> ExampleSpec:
    """The example of a name that somebody typed.

    Raises:
        UsageError: there is none; the message names a near one, if there is any.
    """
    from parity.core.text import did_you_mean

    names = [spec.name for spec in (*suite.examples, suite.differences)]
    if name not in names:
        hint = did_you_mean(name, names) or "parity list shows all of them."
        raise UsageError(f"No example named '{name}'. {hint}")
    return suite.find(name)


def datasets() -> ModuleType:
    """The package of the datasets.

    Raises:
        UsageError: the examples and their data are not here.
    """
    _find()
    from shared import data  # only where it is theirs

    return data


def _find() -> None:
    """Put the checkout on the path, before a user's own package of the same name."""
    if not (ROOT / "shared" / "suite.py").is_file():
        raise UsageError(
            f"The examples are not here: expected a folder `shared` with a file suite.py in {ROOT},"
            " beside the package `parity`. They belong to the repository of this tool, and not to "
            "what is installed of it. Clone the repository, install it there (make, or pip install "
            "--editable '.[lessons]') and run again; parity check and parity diff work everywhere."
        )
    if sys.path[:1] != [str(ROOT)]:
        sys.path.insert(0, str(ROOT))
