"""The user's files of one side while they are edited: what each layer's expressions are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import libcst as cst

from parity.checker.apply.slots import Names, Slots
from parity.checker.apply.source import (
    Changes,
    Layers,
    NotAppliedError,
    SharedLineError,
    SourceFile,
)
from parity.core.sites import Site, Sites

Stack = tuple[Site, ...]
_SHOWN = 4


class UserCode:
    """Files with their changes, and where in them each layer is made and called.

    Args:
        made, called: where each layer was made, and each operation called.
        codes: name of a layer or operation → its line as it is, as one would write it.
        read: path → what the file holds.
        together: change a line also where it makes other layers: a trial, to be believed only if
            the two agree with it.

    Attributes:
        changes: path → what is to be changed in that file.
        wrong: names of the layers that the edit at hand is for.
        along: names of those that were changed with them by the same line.
    """

    def __init__(
        self,
        made: Sites,
        called: Sites,
        codes: Mapping[str, str],
        read: Callable[[str], str],
        *,
        together: bool = False,
    ) -> None:
        self.made, self.called, self.codes, self.read = made, called, codes, read
        self.together, self.along = together, set[str]()
        self.changes: dict[str, Changes] = {}
        self.wrong: Names = frozenset()

    def file(self, path: str) -> SourceFile:
        """A file, parsed once."""
        return self.changes_of(path).source

    def changes_of(self, path: str) -> Changes:
        """What is to be changed in a file."""
        if path not in self.changes:
            self.changes[path] = Changes(SourceFile(path, self.read(path)))
        return self.changes[path]

    def stack(self, sites: Sites, layer: str, what: str) -> Stack:
        """Where a layer is made, or called; what it is part of, if it has no place of its own."""
        stack = sites.get(layer) or sites.get(layer.partition("/")[0], ())
        if not stack:
            raise NotAppliedError(
                f"where {layer} is {what} is not known, or is more than one place"
            )
        return stack

    def call_of(self, layer: str) -> tuple[SourceFile, cst.Call, Stack]:
        """The call of a layer or function, if that is one line's own."""
        stack = self.stack(self.called, layer, "called")
        source = self.file(stack[0].file)
        node = source.expression(stack[0])
        if not isinstance(node, cst.Call):
            raise NotAppliedError(f"{layer} is no call in line {stack[0].line}")
        self.expect_own(self.called, source, node)
        return source, node, stack

    def sharing(self, sites: Sites, source: SourceFile, node: cst.BaseExpression) -> Names:
        """What has this very expression for its own."""
        span = source.span(node)
        return frozenset(
            name
            for name, stack in sites.items()
            if stack[0].file == source.path and source.span(source.expression(stack[0])) == span
        )

    def expect_own(self, sites: Sites, source: SourceFile, node: cst.BaseExpression) -> None:
        """Refuse an expression by which layers are made, or called, that are right."""
        self.alone(self.sharing(sites, source, node), source.line(node))

    def alone(self, layers: Names, line: int) -> None:
        """Refuse a line by which layers are made that are right."""
        wrong = {self.whole(name) for name in self.wrong}
        others = sorted({self.whole(name) for name in layers} - wrong)
        if others and self.together:
            self.along |= set(others)
        elif others:
            shown = ", ".join(others[:_SHOWN]) + (" …" if len(others) > _SHOWN else "")
            raise SharedLineError(f"line {line} is also {shown}, not known to be wrong")

    def maker_of(self, name: str) -> str:
        """The layer whose line it is: the operation's own where it is one of its own."""
        return name if name in self.made else self.whole(name)

    def whole(self, name: str) -> str:
        """The layer that an operation is part of: ``attn`` of ``attn/query`` and ``attn.add``."""
        layer, dot, _ = name.rpartition(".")
        if dot and layer in self.made:
            return layer
        layer, slash, _ = name.rpartition("/")
        if not slash or layer not in self.made:
            return name
        own, whole = self.made.get(name, ()), {self.made[layer][0].span}
        for part, stack in self.called.items():
            if part.startswith((f"{layer}/", f"{layer}.")):
                whole.add(stack[0].span)
        return layer if not own or own[0].span in whole else name

    def slots(self) -> Slots:
        """Where values are decided."""
        return Slots(self.file, [*self.made.items(), *self.called.items()])

    def element(self, stack: Stack) -> tuple[SourceFile, Layers, cst.BaseElement | cst.Arg] | None:
        """The list of layers that a layer is written in; none if it is called there."""
        for site in stack[:2]:
            source = self.file(site.file)
            if found := source.element(source.expression(site)):
                return source, *found
        return None

    def callee(self, layer: str) -> tuple[SourceFile, cst.BaseExpression]:
        """What is called where a layer is: ``self.norm``, or what makes it."""
        source, call, _ = self.call_of(layer)
        return source, call.func

    def maker(self, layer: str) -> tuple[SourceFile, cst.BaseExpression]:
        """What makes a layer: its own constructor, or the call of a helper that does."""
        stack = self.stack(self.made, layer, "made")
        for site in stack:
            source = self.file(site.file)
            node = source.expression(site)
            if not self.sharing(self.made, source, node) - {layer}:
                if self.returned(source, node) and len(stack) > 1 and site is stack[0]:
                    continue
                return source, node
        raise NotAppliedError(f"{layer} is not made by a line of its own")

    def returned(self, source: SourceFile, node: cst.BaseExpression) -> bool:
        """Whether it is what a function returns."""
        return isinstance(source.parents.get(node), cst.Return)
