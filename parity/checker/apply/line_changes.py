"""A layer's own line changed: its arguments, another class in its place, a part of a statement."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import libcst as cst

from parity.checker.apply.calls import operand_of, substituted, with_argument, without_argument
from parity.checker.apply.differences import called_by, differing, names_in, parting, statement_of
from parity.checker.apply.slots import Slot, argument
from parity.checker.apply.source import NotAppliedError, SourceFile
from parity.checker.apply.spelling import Spelling, is_layer, quoted, quoted_all
from parity.checker.apply.user_code import Stack, UserCode
from parity.core.sites import Site
from parity.operations import code as lines


class LineChanges:
    """Changes lines of layers."""

    def __init__(self, code: UserCode, spelling: Spelling) -> None:
        self._code, self._spelling = code, spelling

    def set_arguments(self, layer: str, arguments: Sequence[tuple[str, str | None]]) -> None:
        """Give the call that makes a layer, or is the operation, other arguments."""
        if not arguments:
            raise NotAppliedError(f"the line of {layer} is as it should be")
        layer = self._code.maker_of(layer)
        sites = (
            self._code.made
            if layer in self._code.made or layer not in self._code.called
            else self._code.called
        )
        stack = self._code.stack(sites, layer, "made")
        source = self._code.file(stack[0].file)
        call = source.expression(stack[0])
        if not isinstance(call, cst.Call):
            raise NotAppliedError(f"{layer} is no call in line {stack[0].line}")
        for name, text in arguments:
            try:
                self.set_argument(stack, call, name, text)
            except NotAppliedError:
                if not self._in_place_of_a_helper(stack, layer, arguments):
                    raise
                return

    def set_argument(
        self, stack: Stack, call: cst.Call, name: str, text: str | None, *, here: bool = False
    ) -> None:
        """Give a call another argument, where that is decided, or `here`; None: take it away."""
        slots = self._code.slots().of_argument(stack, call, name)
        if slots[-1].value is None and any(arg.star for arg in call.args):
            raise NotAppliedError(
                f"line {stack[0].line} is given arguments that are not seen there"
            )
        if text is None or here:
            slots = slots[-1:]
        self._write(slots, text)

    def _write(self, slots: Sequence[Slot], text: str | None) -> None:
        """Write a value at the farthest place by which nothing else is decided."""
        refused: NotAppliedError | None = None
        if self._code.together:
            slots = sorted(slots, key=lambda slot: len(slot.layers - self._code.wrong))
        for slot in slots:
            try:
                self._code.alone(slot.layers, slot.line)
            except NotAppliedError as error:
                refused = error
                continue
            self._fill(slot, text)
            return
        raise refused or NotAppliedError("nothing decides it")

    def _fill(self, slot: Slot, text: str | None) -> None:
        changes = self._code.changes_of(slot.file.path)
        if text is None:
            assert slot.call is not None
            if changes.once("drop", slot.call, slot.name):
                changes.replace(slot.call, lambda old: without_argument(old, slot.name))
        elif slot.value is not None:
            changes.put(slot.value, self._spelling.spelled(slot.file, text))
        else:
            assert slot.call is not None
            if changes.once("add", slot.call, slot.name):
                spelled = self._spelling.spelled(slot.file, text)
                changes.replace(slot.call, lambda old: with_argument(old, slot.name, spelled))

    def _in_place_of_a_helper(
        self, stack: Stack, layer: str, arguments: Sequence[tuple[str, str | None]]
    ) -> bool:
        """Write the whole line where a helper that makes the layer, and others, is called."""
        source = self._code.file(stack[0].file)
        if len(stack) < 2 or not self._code.returned(source, source.expression(stack[0])):
            return False
        outer = self._code.file(stack[1].file)
        call, code = outer.expression(stack[1]), self._code.codes.get(layer, "")
        if not isinstance(call, cst.Call) or lines.call(code) is None:
            return False
        if self._others_behind(stack[1]):
            return False
        line = lines.changed(code, {n: t if t is None else f"={t}" for n, t in arguments})
        self._code.changes_of(outer.path).put(call, self._spelling.spelled(outer, line))
        return True

    def _others_behind(self, site: Site) -> bool:
        """Whether a call of the user's makes layers that are right."""
        return any(
            self._code.whole(name) not in self._code.wrong
            and any(s.span == site.span for s in stack)
            for name, stack in self._code.made.items()
        )

    def another(self, layer: str, old: ast.Call, new: ast.Call) -> None:
        """Another class or function in place of a layer's, or of a function that is called."""
        layer = self._code.maker_of(layer)
        stack = self._code.stack(self._code.made, layer, "made")
        source = self._code.file(stack[0].file)
        call = source.expression(stack[0])
        if not isinstance(call, cst.Call):
            raise NotAppliedError(f"{layer} is no call in line {stack[0].line}")
        self._code.expect_own(self._code.made, source, call)
        changes = self._code.changes_of(source.path)
        if not is_layer(ast.unparse(new)):
            self._function(source, call, layer, ast.unparse(new))
            return
        function = self._spelling.spelled(source, ast.unparse(new.func), like=call.func)
        if not list(differing(old, new, function=False)):
            changes.put(call.func, function)
            return
        name = argument(call, "name", ())
        given = [k for k in new.keywords if k.arg != "name"]
        texts = [lines.written(f"={ast.unparse(a)}") for a in new.args]
        texts += [f"{k.arg}={quoted(ast.unparse(k.value))}" for k in given]
        texts += [f"name={source.code(name.value)}"] if name is not None else []
        changes.put(call, f"{function}({', '.join(texts)})")

    def _function(self, source: SourceFile, call: cst.Call, layer: str, text: str) -> None:
        """A function of ``x`` in place of a layer: on what the layer is called with."""
        changes = self._code.changes_of(source.path)
        spelled = self._spelling.spelled(source, quoted_all(text))
        outer = source.parents.get(call)
        if isinstance(outer, cst.Call) and outer.func is call and len(outer.args) == 1:
            changes.replace(outer, lambda old: substituted(spelled, old.args[0].value))  # type: ignore[attr-defined]
        elif layer in self._code.called and not self._code.element(self._code.made[layer]):
            source, outer, _ = self._code.call_of(layer)
            changes = self._code.changes_of(source.path)
            changes.replace(outer, lambda old: substituted(spelled, operand_of(old)))
        else:
            name = argument(call, "name", ())
            more = f", name={source.code(name.value)}" if name is not None else ""
            made = self._spelling.spelled(source, "layers.Lambda")
            changes.put(call, f"{made}(lambda x: {spelled}{more})")

    def statement_part(self, layer: str, code: str, line: str) -> None:
        """The one part of a statement that is another in the corrected one."""
        stack = self._code.stack(self._code.called, layer, "called")
        source = self._code.file(stack[0].file)
        statement = next(
            (
                s
                for s in ast.walk(source.tree)
                if isinstance(s, ast.stmt)
                and not hasattr(s, "body")
                and s.lineno <= stack[0].line <= (s.end_lineno or 0)
            ),
            None,
        )
        if not code and statement is not None:  # of what is no layer of the check
            code = ast.unparse(statement)
        trees = [statement_of(code), statement_of(line)]
        if statement is None or None in trees or ast.dump(statement) != ast.dump(trees[0]):  # type: ignore[arg-type]
            raise NotAppliedError(f"line {stack[0].line} is not one statement by itself")
        mine, _, new = parting(statement, trees[0], trees[1])
        if not isinstance(mine, ast.expr) or not isinstance(new, ast.expr):
            raise NotAppliedError(f"more than one part of line {stack[0].line} is to be changed")
        calls = called_by(statement, mine), called_by(trees[1] or new, new)
        if calls[0] and calls[1] and source.class_of_node(source.at(mine)) is None:
            wanted = ast.get_source_segment(line, calls[1]) or ast.unparse(calls[1])
            renamed = self._spelling.renamed(source, wanted)
            if renamed != wanted:
                changes = self._code.changes_of(source.path)
                changes.put(source.at(calls[0]), self._spelling.spelled(source, renamed))
                return
        if isinstance(mine, ast.Call) and isinstance(new, ast.Call):
            arguments = list(differing(mine, new, function=False))
            same = ast.dump(mine.func) == ast.dump(new.func)
            if same and arguments and len(mine.args) == len(new.args):
                call = source.at(mine)
                assert isinstance(call, cst.Call)
                for name, text in arguments:
                    self.set_argument(stack, call, name, text)
                return
        text = ast.get_source_segment(line, new) or ast.unparse(new)
        slots = self._code.slots().of_value(stack, source.at(mine))
        if names_in(mine) & names_in(new):  # of this place, which a caller does not know
            slots = slots[-1:]
        self._write(slots, self._spelling.spelled(source, text))
