"""What is known of a kind of operation: the form in which each file of this package says it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from parity.core.sides import Side
from parity.operations.code import changed

Array = NDArray[Any]
Settings = Mapping[str, Any]
Arrays = Mapping[str, Array]
Shape = Sequence[int]

Compute = Callable[[Settings, Arrays, Sequence[Array]], "Array | tuple[Array, ...]"]
"""(settings, role → parameter, sources) → its values, in the precision of the sources."""

UNSTATED = object()
"""The default of a setting that means nothing where it is not stated."""


@dataclass(frozen=True)
class Setting:
    """A setting that two sides are compared by.

    Attributes:
        cause: kind of cause where it differs, a key of `parity.diagnosis.causes.KINDS`.
        default: what is meant where it is not stated.
        torch, keras: the argument of each framework's layer; '' where it is not one argument.
        roles: of the parameters that are replaced with it.
        group: settings of one group only make sense together, and are replaced together.
        say: value → how people say it; None for the value itself.
        argument: value → what the argument is given; None for the value itself.
    """

    cause: str
    default: Any = UNSTATED
    torch: str = ""
    keras: str = ""
    roles: tuple[str, ...] = ()
    group: str = ""
    say: Callable[[Any], str] | None = None
    argument: Callable[[Any], Any] | None = None

    def word(self, side: Side) -> str:
        """What a framework calls it."""
        return self.torch if side == "torch" else self.keras


@dataclass(frozen=True)
class Variation:
    """A mistake that people make with an operation, as other settings in place of its own.

    Attributes:
        cause: a key of `parity.diagnosis.causes.KINDS`.
        own, other: what it is, and what it would be.
        settings: those that change.
        sources: how many sources are left; None for all.
        after: what is done to the value that comes out.
    """

    cause: str
    own: Any
    other: Any
    settings: Settings
    sources: int | None = None
    after: Callable[[Array], Array] | None = None


@dataclass(frozen=True)
class Suspicion:
    """What differs in the settings of a matched pair, before anything is computed.

    Attributes:
        kind: a key of `parity.diagnosis.causes.KINDS`.
        left, right: the values, in canonical settings; None where there is none.
        keys: the settings that hold them, replaced together.
        roles: the parameters replaced with them.
        whole: the operations are of different kinds, so all of it is replaced.
    """

    kind: str
    left: Any
    right: Any
    keys: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class WrittenOperation:
    """An operation as one side has it in its code.

    Attributes:
        kind: of the operation.
        name: the layer's, or the path and the function.
        code: the call as one would write it.
        settings: canonical.
        shape: of its first source; empty without one.
        moved: its first source is seen in another order of its elements than it was made in.
        alone: the code is a whole line, before which others can stand; else part of a statement.
    """

    kind: str
    name: str
    code: str
    settings: Settings
    shape: Shape = ()
    moved: bool = False
    alone: bool = True


Correct = Callable[[WrittenOperation, WrittenOperation, Side], str | None]
"""(the one whose line is wrong, its counterpart, the framework of the line) → the corrected line.

'' where no line says it; None where it is said as for any operation.
"""


def with_arguments(
    settings: Mapping[str, Setting], mine: WrittenOperation, other: WrittenOperation, side: Side
) -> str:
    """The line with these settings as the other has them.

    Args:
        settings: by name; one that is no single argument of the framework's is left as it is.
        mine: the one whose line is wrong.
        other: its counterpart.
        side: the framework of the line.

    Returns:
        '' where nothing of it changes.
    """
    arguments = {}
    for key, setting in settings.items():
        word = setting.word(side)
        if word and key in other.settings and other.settings[key] != mine.settings.get(key):
            value = other.settings[key]
            arguments[word] = setting.argument(value) if setting.argument else value
    return changed(mine.code, arguments) if arguments else ""


def _as_stated(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    return settings


def _no_variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    return iter(())


@dataclass(frozen=True)
class Operation:
    """A kind of operation.

    Attributes:
        kind: a word of `parity.checker.graph.graph`, which lists its settings and roles.
        compute: its equation in NumPy; None where it is unknown.
        settings: those that are compared, the most telling first.
        category: a coarse word: what people put for each other has one. Its own kind where empty.
        family: operations of one family are told apart by this kind of cause.
        commutes: its operands have no order.
        has_channels: a setting ``channels`` says where its channel axis is.
        on_features: it works on the last axis, whose order its weights follow.
        weighted: its kernel meets the features that it is fed.
        steps_at_a_time: it cares for the order of samples and steps, too.
        per_axis: settings with an entry for every axis of the source.
        new_axes: how many axes its value has more than its sources.
        canonical: (settings, rank of the first source) → settings of which equal ones are equal.
        cause: (setting, canonical settings, shape of the first source) → kind of cause where it
            differs; None: as the setting says.
        compare: (left's and right's canonical settings, roles of their parameters, shape of the
            first source) → what differs; None: setting by setting.
        variations: (canonical settings, shape of the first source) → mistakes people make with it.
        lines: of each framework (canonical settings, shape of the first source) → the layer as one
            would write it.
        corrected: kind of cause → the line corrected, where the words of the settings that have
            this cause do not tell.
    """

    kind: str
    compute: Compute | None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    category: str = ""
    family: str = "operation"
    commutes: bool = False
    has_channels: bool = False
    on_features: bool = False
    weighted: bool = False
    steps_at_a_time: bool = False
    per_axis: tuple[str, ...] = ()
    new_axes: int = 0
    canonical: Callable[[dict[str, Any], int], dict[str, Any]] = _as_stated
    cause: Callable[[str, Settings, Shape], str] | None = None
    compare: Callable[[Settings, Settings, Collection[str], Shape], list[Suspicion]] | None = None
    variations: Callable[[Settings, Shape], Iterator[Variation]] = _no_variations
    lines: Mapping[Side, Callable[[Settings, Shape], str]] = field(default_factory=dict)
    corrected: Mapping[str, Correct] = field(default_factory=dict)

    @property
    def defaults(self) -> dict[str, Any]:
        """Setting → what is meant where it is not stated."""
        stated = ((name, s.default) for name, s in self.settings.items())
        return {name: value for name, value in stated if value is not UNSTATED}

    def differing(
        self, left: Settings, right: Settings, roles: Collection[str], shape: Shape
    ) -> list[Suspicion]:
        """What differs in the settings of two operations of this kind.

        Args:
            left, right: canonical; one that only one side states is known to differ nowhere.
            roles: of the parameters that either has.
            shape: of the left's first source.
        """
        if self.compare is not None:
            return self.compare(left, right, roles, shape)
        together: dict[tuple[str, str], list[str]] = {}
        for key, setting in self.settings.items():
            if key in left and key in right and not same(left[key], right[key]):
                cause = self.cause(key, left, shape) if self.cause else setting.cause
                together.setdefault((cause, setting.group or key), []).append(key)
        found = []
        for (cause, _), keys in together.items():
            mine, theirs = (self._said(settings, keys) for settings in (left, right))
            found.append(Suspicion(cause, mine, theirs, tuple(keys), self._replaced(keys, roles)))
        return found

    def _said(self, settings: Settings, keys: Sequence[str]) -> Any:
        if len(keys) > 1:
            return {key: settings[key] for key in keys}
        value, say = settings[keys[0]], self.settings[keys[0]].say
        return value if say is None else say(value)

    def _replaced(self, keys: Sequence[str], roles: Collection[str]) -> tuple[str, ...]:
        """Of the parameters that there are, those that go with these settings."""
        wanted = {role for key in keys for role in self.settings[key].roles}
        return tuple(
            sorted(
                role
                for role in roles
                if "*" in wanted or any(role == w or role.endswith(f"ward_{w}") for w in wanted)
            )
        )


def same(a: Any, b: Any) -> bool:
    """Equal settings: numbers to float32, sequences element by element; NaN is NaN."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    number = (int, float)
    if isinstance(a, number) and isinstance(b, number):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=0.0) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)
