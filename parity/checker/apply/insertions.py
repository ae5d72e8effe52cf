"""Steps that are put in: into a list of layers, around what a layer takes or gives."""

from __future__ import annotations

import ast
import re

import libcst as cst

from parity.checker.apply.line_changes import LineChanges
from parity.checker.apply.slots import argument
from parity.checker.apply.source import NotAppliedError, SourceFile, elements_of
from parity.checker.apply.spelling import Spelling, is_layer, quoted, snake
from parity.checker.apply.user_code import Stack, UserCode
from parity.checker.apply.values import Values, assigned_to
from parity.diagnosis.edits import Insertion
from parity.operations import code as lines


class Insertions:
    """Puts steps in."""

    def __init__(
        self, code: UserCode, spelling: Spelling, values: Values, line_changes: LineChanges
    ) -> None:
        self._code, self._spelling = code, spelling
        self._values, self._lines = values, line_changes

    def insert(self, edit: Insertion, layer: str) -> None:
        """Put a step in beside a layer."""
        made = self._code.made.get(self._code.maker_of(layer))
        if made and (held := self._code.element(made)) and not edit.operands:
            source, sequence, element = held
            self._code.expect_own(self._code.made, source, source.expression(made[0]))
            at = list(elements_of(sequence)).index(element) + (edit.where == "behind")
            new = cst.parse_expression(
                self._spelling.as_layer(source, self._spelling.told_apart(source, edit.line))
            )
            changes = self._code.changes_of(source.path)
            if changes.once("element", sequence, at, edit.line):
                changes.inserted.setdefault((sequence, at), []).append(new)
            return
        if self._code.maker_of(layer) != layer and "." in layer.rpartition("/")[2]:
            raise NotAppliedError(f"it belongs into {self._code.maker_of(layer)}")
        stack = self._code.stack(self._code.called, layer, "called")
        source = self._code.file(stack[0].file)
        node = source.expression(stack[0])
        self._code.expect_own(self._code.called, source, node)
        changes, target = self._code.changes_of(source.path), node
        if edit.where == "before":
            operands = self._values.operands(node, source)
            at = edit.operand if len(operands) > 1 else 0
            if at >= len(operands):
                raise NotAppliedError(f"which part of line {source.line(node)} it is, is not seen")
            target = operands[at]
            if "ZeroPad" in edit.line and self._pads(edit.line, stack, target):
                return
            if ".pad(" in edit.line and self._pads_as(edit.line, stack, target):
                return
        if not changes.once("insert", target, edit.line, layer):
            return
        if edit.operands:
            taken = ", ".join(self._values.value(name, stack, node) for name in edit.operands)
            step = self.step(source, stack, layer, edit.line)
            changes.put(target, step.replace("\0", f"[{taken}]"))
        else:
            step = self.step(source, stack, layer, edit.line)
            changes.wrap(target, lambda text: step.replace("\0", text))

    def step(self, source: SourceFile, stack: Stack, layer: str, line: str) -> str:
        """What is written around an operand, which stands as a zero character in it."""
        if not is_layer(line):
            tree = ast.parse(line, mode="eval").body
            spelled = self._spelling.spelled(source, line)
            if isinstance(tree, ast.Call) and tree.args and ast.unparse(tree.args[0]) == "x":
                return re.sub(r"\(x\b", "(\0", spelled, count=1)
            raise NotAppliedError(f"{line} is no function of one thing")
        new = self._spelling.spelled(source, self._spelling.told_apart(source, line))
        method = source.function(source.expression(stack[0]))
        kind = None if method is None else source.class_of(method)
        if kind is None:
            return f"{new}(\0)"
        return f"self.{self._held(source, kind, layer, new)}(\0)"

    def _held(self, source: SourceFile, kind: cst.ClassDef, layer: str, new: str) -> str:
        """A layer of a model's own is made once, beside the one that it goes with."""
        name = snake(new.partition("(")[0].rpartition(".")[2])
        taken, number = {n.attr.value for n in source.inside(kind, cst.Attribute)}, 1  # type: ignore[attr-defined]
        own = name
        while (
            own in taken
            or (source.path, kind.name.value, own) in self._code.changes_of(source.path).made
        ):
            own, number = f"{name}_{number}", number + 1
        self._code.changes_of(source.path).once(source.path, kind.name.value, own)
        self._code.changes_of(source.path).made.add((source.path, kind.name.value, own))
        made = self._code.made.get(layer, ())
        line = source.statement(source.expression(made[0])) if made else None
        if line is None or kind not in set(source.around(line)):
            initial = next(
                (
                    f
                    for f in source.inside(kind, cst.FunctionDef)
                    if f.name.value == "__init__" and source.class_of(f) is kind  # type: ignore[attr-defined, arg-type]
                ),
                None,
            )
            if not isinstance(initial, cst.FunctionDef):
                raise NotAppliedError(f"{kind.name.value} has no __init__ to make a layer in")
            body = list(initial.body.body)
            first = next((s for s in body if "super().__init__" in source.code(s)), body[0])
            self._code.changes_of(source.path).lines(first, f"self.{own} = {new}", after=True)
            return own
        self._code.changes_of(source.path).lines(line, f"self.{own} = {new}")
        return own

    def _pads(self, line: str, stack: Stack, operand: cst.BaseExpression) -> bool:
        """Padding where a layer that pads stands already: that one is changed."""
        source = self._code.file(stack[0].file)
        value = assigned_to(source, operand) if isinstance(operand, cst.Name) else operand
        if isinstance(value, cst.Call) and re.search(r"\.pad$", source.code(value.func)):
            if line.startswith("nn."):
                sizes = ast.unparse(_parsed(line).args[0])
                given = argument(value, "pad", ("input", "pad"))
                if given is not None:
                    self._code.changes_of(source.path).put(given.value, sizes)
                return given is not None
            widths = argument(value, "pad_width", ("x", "pad_width|paddings"))
            sizes = ast.literal_eval(ast.unparse(_parsed(line).args[0]))
            pairs = [sizes] if isinstance(sizes[0], int) else sizes
            if widths is None:
                return False
            every = [[0, 0], *map(list, pairs), [0, 0]]
            self._code.changes_of(source.path).put(widths.value, repr(every))
            return True
        if not isinstance(value, cst.Call):
            return False
        names = self._code.sharing(self._code.called, source, value) & self._code.made.keys()
        if len(names) != 1:
            return False
        (name,) = names
        made = self._code.made[name]
        maker = self._code.file(made[0].file).expression(made[0])
        if not isinstance(maker, cst.Call) or "ZeroPad" not in source.code(maker.func):
            return False
        self._code.wrong |= {name}
        pads = ast.unparse(_parsed(line).args[0])
        self._lines.set_argument(made, maker, "padding", pads)
        return True

    def _pads_as(self, line: str, stack: Stack, operand: cst.BaseExpression) -> bool:
        """Another mode of padding where a layer of the user's own pads already."""
        source = self._code.file(stack[0].file)
        value = assigned_to(source, operand) if isinstance(operand, cst.Name) else operand
        if not isinstance(value, cst.Call):
            return False
        mode = next(k.value for k in _parsed(line).keywords if k.arg == "mode")
        for name, made in self._code.made.items():
            padding = self._code.called.get(f"{name}.pad", ())
            makers = [source.expression(s) for s in made[:2] if s.file == source.path]
            if padding and value.func in makers:
                call = self._code.file(padding[0].file).expression(padding[0])
                if isinstance(call, cst.Call):
                    self._code.wrong |= {f"{name}.pad"}
                    self._lines.set_argument(padding, call, "mode", quoted(ast.unparse(mode)))
                    return True
        return False


def _parsed(code: str) -> ast.Call:
    found = lines.call(code)
    assert found is not None
    return found
