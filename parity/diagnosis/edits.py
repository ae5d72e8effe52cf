"""What is to be changed in the code, as data; `text` is how people are told.

An edit names layers and operations as the check does, and code as one would write it. Where in
whose file that is, is not its business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LineChange:
    """A layer's or an operation's own line.

    Attributes:
        layer: its name.
        line: as it should be.
    """

    layer: str
    line: str

    @property
    def text(self) -> str:
        """The line."""
        return self.line


@dataclass(frozen=True)
class Insertion:
    """A step that is missing.

    Attributes:
        layer: the neighbour; empty for the end of a model that has no other name.
        line: what makes the step, ``layers.ReLU()``; or a function of ``x``, ``ops.gelu(x)``.
        where: on which side of the neighbour.
        operand: which of the neighbour's operands goes into the step, if it stands before.
        operands: of a step that takes several: names of what gives them, ``input:0`` for an input;
            empty where the neighbour's operand is all.
        at_end: nothing comes behind the neighbour.
    """

    layer: str
    line: str
    where: Literal["before", "behind"]
    operand: int = 0
    operands: tuple[str, ...] = ()
    at_end: bool = False

    @property
    def text(self) -> str:
        """The line, and where it belongs."""
        place = "at the end" if self.at_end else f"{self.where} {self.layer}"
        taken = f", of {' and '.join(self.operands)}" if self.operands else ""
        return f"{self.line}  # {place}{taken}"


@dataclass(frozen=True)
class Removal:
    """A step that is too many: what it takes goes on as it is."""

    layer: str
    code: str

    @property
    def text(self) -> str:
        """Without it."""
        return f"# without {self.code or self.layer}"


@dataclass(frozen=True)
class Rewiring:
    """An operand that must be another.

    Attributes:
        layer, code: what takes it.
        operand: which one.
        wanted: name of what gives the right one, ``input:0`` for an input; empty where no value of
            the model is it.
        words: what to take, as people are told, and what it takes instead.
        part: which numbers of it, ``[:, -1]``; empty for all of them.
    """

    layer: str
    code: str
    operand: int
    wanted: str
    words: tuple[str, str]
    part: str = ""

    @property
    def text(self) -> str:
        """What to take instead of what."""
        wanted, present = self.words
        return f"# {self.code}: take {wanted} instead of {present}" if self.code else ""


@dataclass(frozen=True)
class Reordering:
    """Operands in another order.

    Attributes:
        layer, code: what takes them.
        order: place of each in the order as it is.
    """

    layer: str
    code: str
    order: tuple[int, ...]

    @property
    def text(self) -> str:
        """The order."""
        said = f"its operands must stand in this order [{', '.join(map(str, self.order))}]"
        return f"# {self.code}: {said} (no argument says so)"


@dataclass(frozen=True)
class StepExchange:
    """Steps of a chain in another order.

    Attributes:
        layers: names, as they should stand.
        present: names, as they stand.
        lines: of each of `layers`.
    """

    layers: tuple[str, ...]
    present: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines."""
        return "\n".join(self.lines) if all(self.lines) else ""


@dataclass(frozen=True)
class AttributeChange:
    """An attribute of a layer that must be set: ``encoder.trainable = False``."""

    layer: str
    attribute: str
    value: str

    @property
    def text(self) -> str:
        """The assignment."""
        return f"{self.layer}.{self.attribute} = {self.value}"


@dataclass(frozen=True)
class ArgumentChange:
    """An argument of the line that makes a layer, which is told of a part of the layer.

    Attributes:
        layer: its name.
        argument, value: name and source code.
    """

    layer: str
    argument: str
    value: str

    @property
    def text(self) -> str:
        """What the line must be given."""
        return f"# {self.layer}: make it with {self.argument}={self.value}"


@dataclass(frozen=True)
class CallChange:
    """An argument that a layer is called with.

    Attributes:
        layer: its name.
        argument, value: name and source code, in which ``{}`` stands for what is given now; no
            value: it must not be given.
        source: name of what ``{}`` stands for instead, ``input:1`` for an input.
    """

    layer: str
    argument: str
    value: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        """How it must be called."""
        if not self.value:
            return f"# {self.layer}: call it without {self.argument}"
        value = self.value.format(self.source or self.argument)
        return f"# {self.layer}: call it with {self.argument}={value}"


@dataclass(frozen=True)
class Replacement:
    """An operation in a statement that must be another, on what it takes now.

    Attributes:
        layer: its name.
        line: a layer, or a function of ``x``.
        text: as people are told.
    """

    layer: str
    line: str
    text: str


@dataclass(frozen=True)
class OutputOrder:
    """What the model returns, in another order.

    Attributes:
        layer: name of one of the operations that are returned.
        order: place of each in the order as it is.
    """

    layer: str
    order: tuple[int, ...]

    @property
    def text(self) -> str:
        """The order."""
        return f"# the model must return its outputs in this order: {list(self.order)}"


@dataclass(frozen=True)
class Sharing:
    """Layers that must be one.

    Attributes:
        layers: names; the first stays.
        text: as people are told.
        weight: of the first, by which, transposed, the others multiply; empty where they are called
            as the first is.
    """

    layers: tuple[str, ...]
    text: str
    weight: str = ""

    @property
    def layer(self) -> str:
        """The one that stays."""
        return self.layers[0]


@dataclass(frozen=True)
class Repetition:
    """A loop that runs too seldom or too often.

    Attributes:
        layer: name of an operation that is called in it, or of a layer that is made there.
        times: how often it is to run.
    """

    layer: str
    times: int

    @property
    def text(self) -> str:
        """How often."""
        return f"# the loop of {self.layer} must run {self.times} times"


@dataclass(frozen=True)
class Wrapping:
    """What an operation in a statement gives, with something done to it.

    Attributes:
        layer: its name.
        line: of ``x``: ``x * 0.5``.
        text: as people are told.
    """

    layer: str
    line: str
    text: str


Edit = (
    ArgumentChange
    | CallChange
    | Replacement
    | LineChange
    | Insertion
    | Removal
    | Rewiring
    | Reordering
    | StepExchange
    | AttributeChange
    | Wrapping
    | OutputOrder
    | Sharing
    | Repetition
)
