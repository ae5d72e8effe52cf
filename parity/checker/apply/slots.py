"""Where a value is decided: in the call that takes it, or where a caller or an attribute says so.

``layers.Activation(act)`` in ``def block(act)`` is no place to write "relu" if other blocks are
made by the same line. The value comes from ``block(act="tanh")``: that is the place.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from parity.checker.apply.source import SourceFile
from parity.core.sites import Site
from parity.operations import code as lines

Files = Callable[[str], SourceFile]
Names = frozenset[str]


@dataclass(frozen=True)
class Slot:
    """A place at which a value is written.

    Attributes:
        file: in which.
        value: what stands there; None where an argument must be added.
        call: the call that is given it, and by which name; None where it is no argument.
        name: of the argument.
        layers: names of all that get their value from there.
    """

    file: SourceFile
    value: cst.BaseExpression | None
    call: cst.Call | None
    name: str
    layers: Names

    @property
    def line(self) -> int:
        """Where it is."""
        node = self.value if self.value is not None else self.call
        assert node is not None
        return self.file.line(node)


def argument(call: cst.Call, name: str, positions: Sequence[str]) -> cst.Arg | None:
    """The argument of this name, given by its name or by its place."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg
    at = next((i for i, n in enumerate(positions) if name in n.split("|")), None)
    at = int(name) if name.isdigit() else at
    plain = [a for a in call.args if a.keyword is None]
    if at is None or at >= len(plain) or any(a.star for a in plain[: at + 1]):
        return None
    return plain[at]


def positions_of(source: SourceFile, call: cst.Call) -> tuple[str, ...]:
    """Names of a framework's class or function's arguments by place, as far as they are known."""
    parsed = lines.call(source.code(call))
    return lines.positions(parsed) if parsed is not None else ()


class Slots:
    """All places at which one argument of one call may be decided, the farthest first.

    Args:
        files: path → the file.
        stacks: name of every layer and operation → its sites.
    """

    def __init__(self, files: Files, stacks: Sequence[tuple[str, tuple[Site, ...]]]) -> None:
        self._files, self._stacks = files, stacks

    def of_argument(self, stack: tuple[Site, ...], call: cst.Call, name: str) -> list[Slot]:
        """Of an argument of the call at the innermost site."""
        source = self._files(stack[0].file)
        found = argument(call, name, positions_of(source, call))
        value = None if found is None else found.value
        first = Slot(source, value, call, name, self._made_by(source, call))
        return [*self._farther(stack, value), first]

    def of_value(self, stack: tuple[Site, ...], value: cst.BaseExpression) -> list[Slot]:
        """Of an expression at the innermost site."""
        source = self._files(stack[0].file)
        layers = self._nearest(source, value)
        return [*self._farther(stack, value), Slot(source, value, None, "", layers)]

    def _made_by(self, source: SourceFile, node: cst.BaseExpression) -> Names:
        """Everything whose innermost expression is this one."""
        span = source.span(node)
        return frozenset(
            name
            for name, stack in self._stacks
            if stack and stack[0].file == source.path and _span(source, stack[0]) == span
        )

    def _nearest(self, source: SourceFile, value: cst.BaseExpression) -> Names:
        """Everything that is the smallest expression with this one in it."""
        around = [value, *source.around(value)]
        found: dict[cst.CSTNode, set[str]] = {}
        for name, stack in self._stacks:
            if stack and stack[0].file == source.path:
                found.setdefault(source.expression(stack[0]), set()).add(name)
        return frozenset(next((found[node] for node in around if node in found), ()))

    def _within(self, source: SourceFile, wanted: Callable[[cst.BaseExpression], bool]) -> Names:
        """Everything with an expression among its sites of which something is true."""
        return frozenset(
            name
            for name, stack in self._stacks
            for site in stack[:1]
            if site.file == source.path and wanted(source.expression(site))
        )

    def _farther(self, stack: tuple[Site, ...], value: cst.BaseExpression | None) -> Iterator[Slot]:
        if isinstance(value, cst.Name):
            yield from self._of_parameter(stack, value)
        elif isinstance(value, cst.Attribute) and stack[0].owner:
            yield from self._of_attribute(stack, value)

    def _of_parameter(self, stack: tuple[Site, ...], value: cst.Name) -> Iterator[Slot]:
        source = self._files(stack[0].file)
        function = source.function(value)
        if function is None or len(stack) < 2 or _is_assigned(source, function, value.value):
            return
        names = _parameters(function)
        if value.value not in names:
            return
        outer = self._files(stack[1].file)
        call = outer.expression(stack[1])
        if not isinstance(call, cst.Call):
            return
        bound = names[1:] if source.class_of(function) is not None else names
        given = argument(call, value.value, bound)
        if given is None and any(arg.star for arg in call.args):
            return
        uses = [n for n in source.inside(function.body, cst.Name) if n.value == value.value]  # type: ignore[attr-defined]
        layers = frozenset(
            name
            for name, other in self._stacks
            for inner, caller in itertools.pairwise(other)
            if caller.span == stack[1].span
            and inner.file == source.path
            and any(use in set(source.inside(source.expression(inner), cst.Name)) for use in uses)
        )
        farther = None if given is None else given.value
        yield from self._farther(stack[1:], farther)
        yield Slot(outer, farther, call, value.value, layers)

    def _of_attribute(self, stack: tuple[Site, ...], value: cst.Attribute) -> Iterator[Slot]:
        if not isinstance(value.value, cst.Name) or value.value.value != "self":
            return
        owner, name = stack[0].owner, value.attr.value
        source = self._files(owner[0].file)
        initial = source.function(source.expression(owner[0]))
        if initial is None or initial.name.value != "__init__":
            return
        assigned = list(_assigned(source, initial, name))
        if len(assigned) != 1:
            return
        layers = self._within(
            source,
            lambda node: any(
                n.attr.value == name  # type: ignore[attr-defined]
                for n in source.inside(node, cst.Attribute)
            ),
        )
        same = {name for name, stack in self._stacks if stack and stack[0].owner == owner}
        yield from (
            Slot(s.file, s.value, s.call, s.name, s.layers | (layers & same))
            for s in self._farther(owner, assigned[0])
        )
        yield Slot(source, assigned[0], None, name, layers)


def _span(source: SourceFile, site: Site) -> object:
    return source.spot(site.line, site.column), source.spot(site.end_line, site.end_column)


def _parameters(function: cst.FunctionDef) -> list[str]:
    given = function.params
    return [p.name.value for p in (*given.posonly_params, *given.params, *given.kwonly_params)]


def _is_assigned(source: SourceFile, function: cst.FunctionDef, name: str) -> bool:
    """Whether a function gives a name of its own another value."""
    kinds = (cst.AssignTarget, cst.AugAssign, cst.For, cst.NamedExpr)
    for node in source.inside(function.body, kinds):
        target = node.target  # type: ignore[attr-defined]
        parts = [target]
        if isinstance(target, cst.Tuple | cst.List):
            parts = [element.value for element in target.elements]
        if name in map(source.code, parts):
            return True
    return False


def _assigned(
    source: SourceFile, function: cst.FunctionDef, name: str
) -> Iterator[cst.BaseExpression]:
    """What ``self.name`` is set to, one by one or in a row."""
    for node in source.inside(function.body, cst.Assign):
        assert isinstance(node, cst.Assign)
        for target in node.targets:
            left, right = target.target, node.value
            pairs: list[tuple[cst.CSTNode, cst.BaseExpression]] = [(left, right)]
            if isinstance(left, cst.Tuple) and isinstance(right, cst.Tuple):
                pairs = [
                    (a.value, b.value) for a, b in zip(left.elements, right.elements, strict=False)
                ]
            for one, value in pairs:
                if source.code(one) == f"self.{name}":
                    yield value
