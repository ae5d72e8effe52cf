"""Settings: which defaults are the framework's own in a training, and which are matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parity.core.errors import UsageError
from parity.core.sides import Side
from parity.native.defaults import Choice, Default, defaults, find, pairs
from parity.spec.example import ExampleSpec
from parity.spec.suite import Suite


@dataclass(frozen=True)
class Setting:
    """One training to be measured.

    Attributes:
        name: unique for an example and side: ``matched``, ``native``, the defaults that are
            native joined by ``+``, or ``native~initialiser`` where one is the other framework's.
        native: defaults that are this framework's.
        other: defaults that are the other framework's.
    """

    name: str
    native: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def of(self, default: str) -> Choice:
        """Whose a default is in this training."""
        if default in self.other:
            return "other"
        return "native" if default in self.native else "matched"


@dataclass(frozen=True)
class NativePlan:
    """Everything there is to train on one side of an example.

    Attributes:
        example, pair, side: of what.
        defaults: in their fixed order; the chain goes through those that move.
        chain: from native to matched, one default at a time.
        alone: default → matched but for it.
        given: default → native, but with that of the other framework: the mistake of a port.
    """

    example: str
    pair: str
    side: Side
    defaults: tuple[Default, ...]
    chain: tuple[Setting, ...]
    alone: Mapping[str, Setting]
    given: Mapping[str, Setting]

    @property
    def native(self) -> Setting:
        """Everything as the framework has it."""
        return self.chain[0]

    @property
    def matched(self) -> Setting:
        """Nothing as the framework has it, where the frameworks differ."""
        return self.chain[-1]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """All of them, each once: matched and native first."""
        some = (self.matched, self.native, *self.chain, *self.alone.values(), *self.given.values())
        return tuple(dict.fromkeys(some))

    def find(self, name: str) -> Setting:
        """The setting of this name.

        Raises:
            UsageError: there is none.
        """
        found = {setting.name: setting for setting in self.settings}
        if name not in found:
            raise UsageError(
                f"{self.example} has no setting '{name}' in {self.side}; expected one of: "
                f"{', '.join(found)}."
            )
        return found[name]


def examples(suite: Suite) -> tuple[ExampleSpec, ...]:
    """The examples that have a native division: all that train to the end."""
    return tuple(spec for spec in suite.examples if pairs(spec))


def plan(suite: Suite, example: str, side: Side, pair: str = "") -> NativePlan:
    """What there is to train.

    Args:
        suite: that the example is of.
        example: name of a trained example.
        side: ``torch`` or ``keras``.
        pair: name of the pair whose matched programs are the end of the chain; the headline's.

    Raises:
        UsageError: no such example, or it has no native division.
    """
    spec = suite.find(example)
    found = find(spec, pair)
    known = defaults(spec, side, found)
    moving = tuple(d.name for d in known if d.moves)
    chain = tuple(_setting(moving[at:], moving) for at in range(len(moving) + 1))
    return NativePlan(
        example,
        found.name,
        side,
        known,
        chain,
        {name: _setting((name,), moving) for name in moving},
        {d.name: _given(d.name, moving) for d in known if d.other},
    )


def settings(suite: Suite, example: str, side: Side, pair: str = "") -> tuple[Setting, ...]:
    """Every setting of a side of an example, each once; see `plan`."""
    return plan(suite, example, side, pair).settings


def _setting(native: tuple[str, ...], everything: tuple[str, ...]) -> Setting:
    if not native:
        return Setting("matched")
    return Setting("native" if native == everything else "+".join(native), native)


def _given(name: str, everything: tuple[str, ...]) -> Setting:
    rest = tuple(n for n in everything if n != name)
    return Setting(f"native~{name}", rest, (name,))
