"""A user's file as a syntax tree that keeps every comment and blank, and what is changed in it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

from parity.core.errors import ParityError
from parity.core.sites import Site

Replace = Callable[[cst.CSTNode], cst.CSTNode]
Layers = cst.List | cst.Tuple | cst.Call
"""What layers are written in, one after the other: ``[a, b]``, ``nn.Sequential(a, b)``."""
Spot = tuple[int, int]
"""Line from 1, column in characters from 0."""


class NotAppliedError(ParityError):
    """Why an edit is not made: what is there that nobody can change without knowing more."""


class SharedLineError(NotAppliedError):
    """A line makes other layers, too, which are not known to be wrong."""


class SourceFile:
    """One file's text, its tree, and where each node of it stands.

    Args:
        path: of the file.
        text: what it holds.

    Raises:
        NotAppliedError: it cannot be parsed.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        try:
            self.wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        except cst.ParserSyntaxError as error:
            raise NotAppliedError(f"{path} cannot be parsed: {error.message}") from None
        self.module = self.wrapper.module
        self.positions = self.wrapper.resolve(PositionProvider)
        self.parents = self.wrapper.resolve(ParentNodeProvider)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The same, as Python has it."""
        return ast.parse(self.text)

    @cached_property
    def _by_end(self) -> Mapping[Spot, Sequence[cst.BaseExpression]]:
        found: dict[Spot, list[cst.BaseExpression]] = {}
        for node, place in self.positions.items():
            if isinstance(node, cst.BaseExpression):
                found.setdefault((place.end.line, place.end.column), []).append(node)
        return found

    def spot(self, line: int, column: int) -> Spot:
        """A place as `ast` counts it, in characters."""
        return line, len(self._lines[line - 1].encode()[:column].decode(errors="ignore"))

    def span(self, node: cst.CSTNode) -> tuple[Spot, Spot]:
        """Where a node begins and ends."""
        place = self.positions[node]
        return (place.start.line, place.start.column), (place.end.line, place.end.column)

    def at(self, node: ast.expr) -> cst.BaseExpression:
        """The same node in this tree."""
        return self._at(
            self.spot(node.lineno, node.col_offset),
            self.spot(node.end_lineno or node.lineno, node.end_col_offset or 0),
        )

    def expression(self, site: Site) -> cst.BaseExpression:
        """The expression of a site.

        Raises:
            NotAppliedError: there is none.
        """
        return self._at(
            self.spot(site.line, site.column), self.spot(site.end_line, site.end_column)
        )

    def _at(self, begin: Spot, end: Spot) -> cst.BaseExpression:
        nodes = self._by_end.get(end, ())
        for node in nodes:
            if self.span(node)[0] == begin:
                return node
        # Of a call on several lines Python may say where its attribute begins.
        calls = [n for n in nodes if isinstance(n, cst.Call) and self.span(n)[0] <= begin]
        if not calls:
            raise NotAppliedError(f"{self.path}:{begin[0]} is not what was run.")
        return max(calls, key=lambda n: self.span(n)[0])

    def line(self, node: cst.CSTNode) -> int:
        """Where a node begins."""
        return int(self.positions[node].start.line)

    def code(self, node: cst.CSTNode) -> str:
        """A node's text."""
        return self.module.code_for_node(node)

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """What a node lies in, the nearest first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The function whose own line a node is in; None at the top and in a lambda."""
        for one in self.around(node):
            if isinstance(one, cst.Lambda | cst.ClassDef):
                return None
            if isinstance(one, cst.FunctionDef):
                return one
        return None

    def element(self, node: cst.CSTNode) -> tuple[Layers, cst.BaseElement | cst.Arg] | None:
        """The list of layers that one is written in; None where it is in none.

        ``a, b = A(), B()`` is no list of layers.
        """
        element = self.parents.get(node)
        around = None if element is None else self.parents.get(element)
        if isinstance(element, cst.Element) and isinstance(around, cst.List | cst.Tuple):
            outer = self.parents.get(around)
            unpacked = isinstance(outer, cst.Assign) and any(
                isinstance(t.target, cst.Tuple | cst.List) for t in outer.targets
            )
            named = isinstance(around, cst.Tuple) and isinstance(outer, cst.Element)
            return None if unpacked or named else (around, element)
        if isinstance(element, cst.Arg) and isinstance(around, cst.Call):
            chain = self.code(around.func).rpartition(".")[2] == "Sequential"
            plain = element.keyword is None and not element.star
            return (around, element) if chain and plain else None
        return None

    def statement(self, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
        """The line that a node is in; None within the head of a compound statement."""
        for one in self.around(node):
            if isinstance(one, cst.SimpleStatementLine):
                return one
            if isinstance(one, cst.BaseCompoundStatement):
                return None
        return None

    def class_of(self, function: cst.FunctionDef) -> cst.ClassDef | None:
        """The class whose method a function is."""
        outer = next(
            (n for n in self.around(function) if isinstance(n, cst.FunctionDef | cst.ClassDef)),
            None,
        )
        return outer if isinstance(outer, cst.ClassDef) else None

    def class_of_node(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """The class in whose method a node is."""
        function = self.function(node)
        return None if function is None else self.class_of(function)

    def inside(self, node: cst.CSTNode, kind: type | tuple[type, ...]) -> Iterator[cst.CSTNode]:
        """All nodes of a kind in a node, itself among them."""
        waiting = [node]
        while waiting:
            one = waiting.pop(0)
            if isinstance(one, kind):
                yield one
            waiting[:0] = one.children


@dataclass
class Changes:
    """What is to be changed in one file; all of it is said of the tree as it is.

    Attributes:
        source: the file.
        replaced: node → what becomes of it, one after the other, inner nodes first.
        before, after: line → new lines beside it.
        inserted: (list, number) → elements that go before that one.
        removed: elements of lists, and lines.
        made: keys of what is done already, so that two causes of one line are one change.
    """

    source: SourceFile
    replaced: dict[cst.CSTNode, list[Replace]] = field(default_factory=dict)
    before: dict[cst.CSTNode, list[cst.SimpleStatementLine]] = field(default_factory=dict)
    after: dict[cst.CSTNode, list[cst.SimpleStatementLine]] = field(default_factory=dict)
    inserted: dict[tuple[cst.CSTNode, int], list[cst.BaseExpression]] = field(default_factory=dict)
    removed: set[cst.CSTNode] = field(default_factory=set)
    made: set[object] = field(default_factory=set)

    def copy(self) -> Changes:
        """As they are now, whatever is asked for later."""
        return Changes(
            self.source,
            {node: [*all_] for node, all_ in self.replaced.items()},
            {node: [*all_] for node, all_ in self.before.items()},
            {node: [*all_] for node, all_ in self.after.items()},
            {place: [*all_] for place, all_ in self.inserted.items()},
            {*self.removed},
            {*self.made},
        )

    def once(self, *key: object) -> bool:
        """Whether this was not asked for before."""
        new = key not in self.made
        self.made.add(key)
        return new

    def replace(self, node: cst.CSTNode, change: Replace) -> None:
        """Let this become of a node."""
        self.replaced.setdefault(node, []).append(change)

    def put(self, node: cst.BaseExpression, text: str) -> None:
        """Write another expression in place of one.

        Raises:
            NotAppliedError: something else was written there already.
        """
        if self.once("put", node, text):
            if any(key[:2] == ("put", node) and key[2] != text for key in self._puts()):
                raise NotAppliedError(
                    f"line {self.source.line(node)} would have to be two things at once"
                )
            self.replace(node, lambda old: _expression(text))

    def _puts(self) -> list[tuple[object, ...]]:
        return [key for key in self.made if isinstance(key, tuple) and key[0] == "put"]

    def wrap(self, node: cst.BaseExpression, make: Callable[[str], str]) -> None:
        """Write something around an expression, of its text."""
        self.replace(node, lambda old: _expression(make(self.source.code(old))))

    def lines(self, place: cst.CSTNode, text: str, *, after: bool = False) -> None:
        """Write a line beside another."""
        if self.once("line", place, text, after):
            new = cst.parse_statement(text, config=self.source.module.config_for_parsing)
            assert isinstance(new, cst.SimpleStatementLine)
            (self.after if after else self.before).setdefault(place, []).append(new)

    def text(self) -> str:
        """The whole file with everything changed."""
        changed = self.source.module.visit(_Rewriter(self))
        return changed.code


def _expression(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


class _Rewriter(cst.CSTTransformer):
    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self._changes = changes

    def on_leave(self, original_node, updated_node):  # type: ignore[no-untyped-def]
        changes = self._changes
        updated: Any = super().on_leave(original_node, updated_node)
        if isinstance(original_node, Layers):
            updated = self._with_elements(original_node, updated)
        for change in changes.replaced.get(original_node, ()):
            new = change(updated)
            if getattr(updated, "lpar", ()) and not getattr(new, "lpar", ()):
                new = new.with_changes(lpar=updated.lpar, rpar=updated.rpar)
            updated = new
        if original_node in changes.removed and isinstance(original_node, cst.SimpleStatementLine):
            return cst.RemoveFromParent()
        before, after = changes.before.get(original_node, ()), changes.after.get(original_node, ())
        return cst.FlattenSentinel([*before, updated, *after]) if before or after else updated

    def _with_elements(self, original: Layers, updated: Any) -> Any:
        changes = self._changes
        if not any(key[0] is original for key in changes.inserted) and not any(
            element in changes.removed for element in elements_of(original)
        ):
            return updated
        if isinstance(original, cst.Call):
            return self._with_layers(original, updated)
        elements = []
        for at, (old, new) in enumerate(zip(original.elements, updated.elements, strict=True)):
            for one in changes.inserted.get((original, at), ()):
                elements.append(cst.Element(one, comma=_comma(original)))
            if old not in changes.removed:
                elements.append(new)
        bracket = "rbracket" if isinstance(updated, cst.List) else "rpar"
        end = getattr(updated, bracket)
        if original.elements[-1] in changes.removed and elements:
            first = _first_line(elements[-1].comma)
            elements[-1] = elements[-1].with_changes(comma=original.elements[-1].comma)
            end = _ended(end, first)
        for one in changes.inserted.get((original, len(original.elements)), ()):
            between, first = _comma(original), _first_line(end)
            if first is not None and _first_line(between) is not None:
                blank = between.whitespace_after.with_changes(first_line=first)
                between = between.with_changes(whitespace_after=blank)
                end = _ended(end, first.with_changes(comment=None))
            comma = elements[-1].comma
            elements[-1] = elements[-1].with_changes(comma=between)
            elements.append(cst.Element(one, comma=comma))
        return updated.with_changes(elements=elements, **{bracket: end})

    def _with_layers(self, original: cst.Call, updated: Any) -> Any:
        """``nn.Sequential`` with others among what it is given."""
        changes, layers = self._changes, list[cst.Arg]()
        for at, (old, new) in enumerate(zip(original.args, updated.args, strict=True)):
            for one in changes.inserted.get((original, at), ()):
                layers.append(cst.Arg(one, comma=_comma(original)))
            if old not in changes.removed:
                layers.append(new)
        last = original.args[-1]
        if last in changes.removed and layers:
            blank = last.whitespace_after_arg
            layers[-1] = layers[-1].with_changes(comma=last.comma, whitespace_after_arg=blank)
        for one in changes.inserted.get((original, len(original.args)), ()):
            between, comma = around_last(layers[-1].comma, _comma(original))
            blank = layers[-1].whitespace_after_arg
            layers[-1] = layers[-1].with_changes(
                comma=between, whitespace_after_arg=cst.SimpleWhitespace("")
            )
            layers.append(cst.Arg(one, comma=comma, whitespace_after_arg=blank))
        return updated.with_changes(args=layers)


def elements_of(sequence: Layers) -> Sequence[cst.BaseElement | cst.Arg]:
    """What is written one after the other."""
    return sequence.args if isinstance(sequence, cst.Call) else sequence.elements


def _first_line(place: Any) -> cst.TrailingWhitespace | None:
    """What stands on the line of a comma, or before a closing bracket: where a comment is."""
    blank = getattr(place, "whitespace_after", None) or getattr(place, "whitespace_before", None)
    return blank.first_line if isinstance(blank, cst.ParenthesizedWhitespace) else None


def _ended(bracket: Any, first: cst.TrailingWhitespace | None) -> Any:
    """A closing bracket before which something else stands on the last element's line."""
    blank = getattr(bracket, "whitespace_before", None)
    if first is None or not isinstance(blank, cst.ParenthesizedWhitespace):
        return bracket
    return bracket.with_changes(whitespace_before=blank.with_changes(first_line=first))


def _comma(sequence: Layers) -> cst.Comma:
    """As the first of a list is written; a comment there is about that one."""
    elements = elements_of(sequence)
    first = elements[0].comma if elements else None
    if len(elements) < 2 or not isinstance(first, cst.Comma):
        return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return first.with_changes(whitespace_after=uncommented(first.whitespace_after))


def around_last(
    last: cst.Comma | cst.MaybeSentinel, between: cst.Comma
) -> tuple[cst.Comma, cst.Comma | cst.MaybeSentinel]:
    """Commas of what was last, and of what comes behind it now: its comment stays with it.

    Args:
        last: behind what was last; none of its own where it had none.
        between: as the others are written.
    """
    if not isinstance(last, cst.Comma):
        return between, cst.MaybeSentinel.DEFAULT
    behind, inner = last.whitespace_after, between.whitespace_after
    if isinstance(behind, cst.ParenthesizedWhitespace) and isinstance(
        inner, cst.ParenthesizedWhitespace
    ):
        between = between.with_changes(
            whitespace_after=inner.with_changes(first_line=behind.first_line)
        )
    return between, last.with_changes(whitespace_after=uncommented(behind))


def uncommented(
    blank: cst.BaseParenthesizableWhitespace,
) -> cst.BaseParenthesizableWhitespace:
    """A break between two things without the comment in it."""
    if not isinstance(blank, cst.ParenthesizedWhitespace):
        return blank
    bare = blank.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
    return blank.with_changes(first_line=bare, empty_lines=[])
