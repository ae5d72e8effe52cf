"""Where the user made each module."""

import functools
import weakref

from torch import nn

from parity.checker.graph import user_sites

_MADE = weakref.WeakKeyDictionary()
"""Module → where the user made it, innermost first."""


def remember_lines():
    """From now on remember where each module is made.

    Called once, in the process that serves a user's model.
    """
    make = nn.Module.__init__

    @functools.wraps(make)
    def remembering_place(self, *args, **kwargs):
        make(self, *args, **kwargs)
        _MADE[self] = user_sites.user_sites(made_at)

    nn.Module.__init__ = remembering_place


def made_at(module):
    """Where the user made a module; () where a library did, or nobody looked."""
    return _MADE.get(module, ()) if isinstance(module, nn.Module) else ()


def called_at():
    """What of the user's is being executed, innermost first."""
    return user_sites.user_sites(made_at)
