"""Native against matched: which defaults a training has, and what each of them does.

`settings` says what there is to train, `run` (called in a side's process) trains one of them, and
a `Summary` is what is kept of it. Knows no framework.
"""

from shared.native.attribution import Attribution, Change, Step, attribute
from shared.native.defaults import NORMS, Choice, Default, Norm
from shared.native.running import Native, run
from shared.native.settings import Plan, Setting, examples, plan, settings
from shared.native.summary import Key, Summary

__all__ = [
    "NORMS",
    "Attribution",
    "Change",
    "Choice",
    "Default",
    "Key",
    "Native",
    "Norm",
    "Plan",
    "Setting",
    "Step",
    "Summary",
    "attribute",
    "examples",
    "plan",
    "run",
    "settings",
]
