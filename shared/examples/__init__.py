"""All examples, in teaching order. A new one is a line here; nothing else needs an edit."""

import difflib

from shared.errors import UsageError
from shared.examples.activations import ACTIVATIONS
from shared.examples.autograd import AUTOGRAD
from shared.examples.fashion_mlp import FASHION_MLP
from shared.examples.losses import LOSSES
from shared.examples.optimizers import OPTIMIZERS
from shared.spec import ExampleSpec

ALL: tuple[ExampleSpec, ...] = (
    AUTOGRAD,
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    FASHION_MLP,
)


def find(name: str) -> ExampleSpec:
    """The example of this name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    names = [example.name for example in ALL]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"Did you mean '{near[0]}'?" if near else "parity list shows all of them."
        raise UsageError(f"No example named '{name}'. {hint}")
    return ALL[names.index(name)]
