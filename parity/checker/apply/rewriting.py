"""Edits made in the user's files: one kind after the other."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import singledispatchmethod

import libcst as cst

from parity.checker.apply import loops
from parity.checker.apply.calls import grouped, operand_of
from parity.checker.apply.differences import differing, keywords
from parity.checker.apply.insertions import Insertions
from parity.checker.apply.line_changes import LineChanges
from parity.checker.apply.slots import argument
from parity.checker.apply.source import NotAppliedError, SourceFile
from parity.checker.apply.spelling import Spelling
from parity.checker.apply.user_code import UserCode
from parity.checker.apply.values import Values, returned_by
from parity.core.sites import Sites
from parity.diagnosis.edits import (
    ArgumentChange,
    AttributeChange,
    CallChange,
    Edit,
    Insertion,
    LineChange,
    OutputOrder,
    Removal,
    Reordering,
    Repetition,
    Replacement,
    Rewiring,
    Sharing,
    StepExchange,
    Wrapping,
)
from parity.operations import code as lines

_ROLES = {"query": 0, "value": 1, "key": 2}
"""Part of an attention layer → its place among what the layer is called with."""


class Rewriting:
    """Changes of the files of one side, edit by edit; arguments as of `UserCode`."""

    def __init__(
        self,
        made: Sites,
        called: Sites,
        codes: Mapping[str, str],
        read: Callable[[str], str],
        *,
        together: bool = False,
    ) -> None:
        self._code = UserCode(made, called, codes, read, together=together)
        self._spelling = Spelling(self._code)
        self._values = Values(self._code)
        self._lines = LineChanges(self._code, self._spelling)
        self._steps = Insertions(self._code, self._spelling, self._values, self._lines)

    def apply(self, edit: Edit, layers: Sequence[str]) -> None:
        """Make an edit for all layers that need it; all of them, or nothing.

        Raises:
            NotAppliedError: it cannot be made, and why.
        """
        known = self._code.made.keys() | self._code.called.keys()
        if isinstance(edit, LineChange) and edit.layer in known - {*layers}:
            layers = ()  # the line of another operation than the one that was told
        self._code.wrong = (frozenset(layers) | {self._of_name(edit)}) - {""}
        before = {path: changes.copy() for path, changes in self._code.changes.items()}
        try:
            self._apply(edit)
        except NotAppliedError:
            self._code.changes |= before
            raise
        except (cst.CSTValidationError, cst.ParserSyntaxError) as error:
            self._code.changes |= before
            raise NotAppliedError(f"what would be written is no code: {error}") from error

    def _of_name(self, edit: Edit) -> str:
        return edit.layers[0] if isinstance(edit, StepExchange) else edit.layer

    def taken_along(self) -> tuple[str, ...]:
        """Names of layers that were changed by a line of another's since this was last asked."""
        names, self._code.along = tuple(sorted(self._code.along)), set()
        return names

    def texts(self) -> dict[str, str]:
        """File → its text with all changes; those alone that are others then."""
        made = {path: changes.text() for path, changes in self._code.changes.items()}
        return {path: t for path, t in made.items() if t != self._code.changes[path].source.text}

    # One kind of edit after the other

    @singledispatchmethod
    def _apply(self, edit: Edit) -> None:
        raise AssertionError(edit)

    @_apply.register
    def _(self, edit: LineChange) -> None:
        first = lines.call(self._code.codes.get(edit.layer, ""))
        for layer in sorted(self._code.wrong):
            code = self._code.codes.get(layer, "")
            old, new = lines.call(code), lines.call(edit.line)
            if new is not None and isinstance(
                new.func, ast.Call
            ):  # how it is called, too: ``Dropout(0.3)(x, …)``
                _, called, stack = self._code.call_of(layer)
                for name, text in keywords(new):
                    self._lines.set_argument(stack, called, name, text)
                new = new.func
                if old is None or not list(differing(old, new)):
                    continue
            if old is None or new is None:
                self._lines.statement_part(layer, code, edit.line)
                continue
            if ast.unparse(old.func) == ast.unparse(new.func):
                # Of another layer with the same cause only what is wrong changes, not its width.
                alike = first is not None and ast.unparse(first.func) == ast.unparse(old.func)
                own = first if first is not None and alike else old
                self._lines.set_arguments(layer, list(differing(own, new)))
            else:
                self._lines.another(layer, old, new)

    @_apply.register
    def _(self, edit: ArgumentChange) -> None:
        self._lines.set_arguments(edit.layer, [(edit.argument, edit.value)])

    @_apply.register
    def _(self, edit: CallChange) -> None:
        part = next(
            (n for n in self._code.called if n == edit.layer or self._code.whole(n) == edit.layer),
            edit.layer,
        )
        source, call, stack = self._code.call_of(part)
        if edit.source:
            value = self._values.value(edit.source, stack, call)
            self._lines.set_argument(
                stack, call, edit.argument, edit.value.replace("{}", value), here=True
            )
            return
        if "{}" not in edit.value:
            self._lines.set_argument(stack, call, edit.argument, edit.value or None)
            return
        given = argument(call, edit.argument, ())
        if given is None:
            raise NotAppliedError(f"{edit.layer} is called without {edit.argument}")
        value = source.code(given.value)
        if edit.value == "~{}":
            text = value[1:] if value.startswith("~") else f"~{grouped(value)}"
        else:
            text = self._spelling.spelled(source, edit.value).replace("{}", value)
        self._code.changes_of(source.path).put(given.value, text)

    @_apply.register
    def _(self, edit: Replacement) -> None:
        source, call, stack = self._code.call_of(edit.layer)
        if len(self._values.operands(call, source)) != 1:
            raise NotAppliedError(f"which part of line {source.line(call)} it takes, is not seen")
        step = self._steps.step(source, stack, edit.layer, edit.line)
        self._code.changes_of(source.path).replace(
            call,
            lambda old: cst.parse_expression(step.replace("\0", source.code(operand_of(old)))),
        )

    @_apply.register
    def _(self, edit: Wrapping) -> None:
        stack = self._code.stack(self._code.called, edit.layer, "called")
        source = self._code.file(stack[0].file)
        node = source.expression(stack[0])
        self._code.expect_own(self._code.called, source, node)
        changes = self._code.changes_of(source.path)
        if changes.once("wrap", node, edit.line):
            changes.wrap(node, lambda text: edit.line.replace("x", grouped(text), 1))

    @_apply.register
    def _(self, edit: OutputOrder) -> None:
        stack = self._code.stack(self._code.called, edit.layer, "called")
        source = self._code.file(stack[-1].file)
        returned = returned_by(source, source.expression(stack[-1]), len(edit.order))
        texts = [source.code(one) for one in returned]
        for at, wanted in enumerate(edit.order):
            if at != wanted:
                self._code.changes_of(source.path).put(returned[at], texts[wanted])

    @_apply.register
    def _(self, edit: Sharing) -> None:
        self._code.wrong |= {*edit.layers}
        (source, first), *others = [self._code.callee(name) for name in edit.layers]
        for other, node in others:
            if other is not source or source.function(node) is not source.function(first):
                raise NotAppliedError("they are called in different functions")
        changes, name = self._code.changes_of(source.path), source.code(first)
        if isinstance(first, cst.Call):  # it is made where it is called
            line = source.statement(first)
            if line is None:
                raise NotAppliedError(f"{edit.layer} is made in the head of a statement")
            name = self._values.free(source, edit.layer)
            changes.lines(line, f"{name} = {source.code(first)}")
            changes.put(first, name)
        if not edit.weight:
            for _, node in others:
                changes.put(node, name)
            return
        weight = f"ops.transpose({name}.{edit.weight})"
        product = f"ops.matmul(\0, {weight})"
        if source.class_of_node(first) is None:  # by itself it would be computed once, as a table
            product = f"layers.Lambda(lambda x: ops.matmul(x, {weight}))(\0)"
        product = self._spelling.spelled(source, product)
        changes.replace(
            source.parents[others[0][1]],
            lambda old: cst.parse_expression(product.replace("\0", source.code(operand_of(old)))),
        )

    @_apply.register
    def _(self, edit: Repetition) -> None:
        for source, loop in loops.of_layer(self._code, edit.layer):
            count = loops.count_of(loop)
            if count is not None:
                self._code.changes_of(source.path).put(count, repr(edit.times))
                return
        raise NotAppliedError(f"{edit.layer} is in no loop of a stated number")

    @_apply.register
    def _(self, edit: Insertion) -> None:
        self._code.wrong |= {edit.layer}
        for layer in sorted(self._code.wrong):
            self._steps.insert(edit, layer)

    @_apply.register
    def _(self, edit: Removal) -> None:
        if self._code.maker_of(edit.layer) != edit.layer:
            raise NotAppliedError(f"it is a part of {self._code.maker_of(edit.layer)}")
        stack = self._code.made.get(edit.layer)
        if stack and (held := self._code.element(stack)):
            source, _, element = held
            self._code.expect_own(self._code.made, source, source.expression(stack[0]))
            self._code.changes_of(source.path).removed.add(element)
            return
        source, call, _ = self._code.call_of(edit.layer)
        taken = self._values.operands(call, source)
        if len(taken) != 1:
            raise NotAppliedError(f"{edit.layer} takes {len(taken)} things: which goes on?")
        line, parent = source.statement(call), source.parents.get(call)
        same = isinstance(parent, cst.Assign) and [source.code(t.target) for t in parent.targets]
        siblings = source.parents.get(line) if line is not None else None
        alone = len(getattr(siblings, "body", ())) < 2
        if line is not None and not alone and same == [source.code(taken[0])]:
            self._code.changes_of(source.path).removed.add(line)  # nothing is left but ``x = x``
            return
        self._code.changes_of(source.path).replace(call, operand_of)

    @_apply.register
    def _(self, edit: Rewiring) -> None:
        if not edit.wanted:
            raise NotAppliedError("what it must take is no value of this model that has a name")
        for layer in sorted(self._code.wrong):
            stack = self._code.stack(self._code.called, layer, "called")
            source = self._code.file(stack[0].file)
            node = source.expression(stack[0])
            self._code.expect_own(self._code.called, source, node)
            operands = self._values.operands(node, source)
            at = (
                _ROLES.get(layer.rpartition("/")[2], edit.operand) if "/" in layer else edit.operand
            )
            at = min(at, 1) if "/" in layer and len(operands) == 2 else at
            if not 0 <= at < len(operands):
                raise NotAppliedError(f"which part of line {source.line(node)} it is, is not seen")
            value = self._values.value(edit.wanted, stack, node) + edit.part
            self._code.changes_of(source.path).put(operands[at], value)

    @_apply.register
    def _(self, edit: Reordering) -> None:
        stack = self._code.stack(self._code.called, edit.layer, "called")
        source = self._code.file(stack[0].file)
        node = source.expression(stack[0])
        self._code.expect_own(self._code.called, source, node)
        operands = self._values.operands(node, source)
        if len(operands) != len(edit.order):
            raise NotAppliedError(f"which parts of line {source.line(node)} they are, is not seen")
        texts = [source.code(operand) for operand in operands]
        for at, wanted in enumerate(edit.order):
            if at != wanted:
                self._code.changes_of(source.path).put(operands[at], texts[wanted])

    @_apply.register
    def _(self, edit: StepExchange) -> None:
        self._code.wrong |= set(edit.layers)
        places = [self._code.callee(name) for name in edit.present]
        if len({id(node) for _, node in places}) < len(places):
            places = [self._code.maker(name) for name in edit.present]
        texts = {n: s.code(node) for n, (s, node) in zip(edit.present, places, strict=True)}
        for now, wanted, (source, node) in zip(edit.present, edit.layers, places, strict=True):
            if now != wanted:
                self._code.changes_of(source.path).put(node, texts[wanted])

    @_apply.register
    def _(self, edit: AttributeChange) -> None:
        for layer in sorted(self._code.wrong):
            stack = self._code.stack(self._code.made, layer, "made")
            source = self._code.file(stack[0].file)
            call = source.expression(stack[0])
            self._code.expect_own(self._code.made, source, call)
            for held in (source.expression(site) for site in stack if site.file == source.path):
                assigned = list(_attributes(source, held, edit.attribute))
                for value in assigned:
                    self._code.changes_of(source.path).put(value, edit.value)
                if assigned:
                    break
            else:
                self._lines.set_arguments(layer, [(edit.attribute, edit.value)])


def _attributes(
    source: SourceFile, made: cst.BaseExpression, attribute: str
) -> Iterator[cst.BaseExpression]:
    """What an attribute of the variable is set to, to which an expression is assigned."""
    parent = source.parents.get(made)
    if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
        return
    name = source.code(parent.targets[0].target)
    for node in source.inside(source.module, cst.Assign):
        assert isinstance(node, cst.Assign)
        same = source.function(node) is source.function(parent)
        if same and source.code(node.targets[0].target) == f"{name}.{attribute}":
            yield node.value
