"""Edits made in the user's files: which node of the tree each is, and what becomes of it."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import singledispatchmethod

import libcst as cst

from parity.checker.apply.slots import Names, Slot, Slots, argument
from parity.checker.apply.source import (
    Changes,
    NotAppliedError,
    SharedLineError,
    SourceFile,
    around_last,
    uncommented,
)
from parity.core.sites import Site, Sites
from parity.diagnosis.edits import (
    ArgumentChange,
    AttributeChange,
    CallChange,
    Edit,
    Insertion,
    LineChange,
    Removal,
    Reordering,
    Replacement,
    Rewiring,
    StepExchange,
)
from parity.operations import code as lines

Stack = tuple[Site, ...]
_ROLES = {"query": 0, "value": 1, "key": 2}
"""Part of an attention layer → its place among what the layer is called with."""
_SHOWN = 4


class Rewriting:
    """Changes of the files of one side, edit by edit.

    Args:
        made, called: where each layer was made, and each operation called.
        codes: name of a layer or operation → its line as it is, as one would write it.
        read: path → what the file holds.
        together: change a line also where it makes other layers: a trial, to be believed only if
            the two agree with it.
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
        self._together, self.along = together, set[str]()
        self._made, self._called, self._codes, self._read = made, called, codes, read
        self.changes: dict[str, Changes] = {}
        self._wrong: Names = frozenset()

    def apply(self, edit: Edit, layers: Sequence[str]) -> None:
        """Make an edit for all layers that need it; all of them, or nothing.

        Raises:
            NotAppliedError: it cannot be made, and why.
        """
        self._wrong = (frozenset(layers) | {self._of_name(edit)}) - {""}
        before = {path: changes.copy() for path, changes in self.changes.items()}
        try:
            self._apply(edit)
        except NotAppliedError:
            self.changes |= before
            raise
        except (cst.CSTValidationError, cst.ParserSyntaxError) as error:
            self.changes |= before
            raise NotAppliedError(f"what would be written is no code: {error}") from error

    def _of_name(self, edit: Edit) -> str:
        return edit.layers[0] if isinstance(edit, StepExchange) else edit.layer

    def texts(self) -> dict[str, str]:
        """File → its text with all changes; those alone that are others then."""
        made = {path: changes.text() for path, changes in self.changes.items()}
        return {path: t for path, t in made.items() if t != self.changes[path].source.text}

    # Files and places

    def file(self, path: str) -> SourceFile:
        """A file, parsed once."""
        return self._changes(path).source

    def _changes(self, path: str) -> Changes:
        if path not in self.changes:
            self.changes[path] = Changes(SourceFile(path, self._read(path)))
        return self.changes[path]

    def _stack(self, sites: Sites, layer: str, what: str) -> Stack:
        stack = sites.get(layer) or sites.get(layer.partition("/")[0], ())
        if not stack:
            raise NotAppliedError(
                f"where {layer} is {what} is not known, or is more than one place"
            )
        return stack

    def _call_of(self, layer: str) -> tuple[SourceFile, cst.Call, Stack]:
        """The call of a layer or function, if that is one line's own."""
        stack = self._stack(self._called, layer, "called")
        source = self.file(stack[0].file)
        node = source.expression(stack[0])
        if not isinstance(node, cst.Call):
            raise NotAppliedError(f"{layer} is no call in line {stack[0].line}")
        self._alone(self._sharing(self._called, source, node), source.line(node))
        return source, node, stack

    def _sharing(self, sites: Sites, source: SourceFile, node: cst.BaseExpression) -> Names:
        """What has this very expression for its own."""
        span = source.span(node)
        return frozenset(
            name
            for name, stack in sites.items()
            if stack[0].file == source.path and source.span(source.expression(stack[0])) == span
        )

    def _alone(self, layers: Names, line: int) -> None:
        """Refuse a line by which layers are made that are right."""
        wrong = {self._whole(name) for name in self._wrong}
        others = sorted({self._whole(name) for name in layers} - wrong)
        if others and self._together:
            self.along |= set(others)
        elif others:
            shown = ", ".join(others[:_SHOWN]) + (" …" if len(others) > _SHOWN else "")
            raise SharedLineError(f"line {line} is also {shown}, not known to be wrong")

    def _maker_of(self, name: str) -> str:
        """The layer whose line it is: the operation's own where it is one of its own."""
        return name if name in self._made else self._whole(name)

    def _whole(self, name: str) -> str:
        """The layer that an operation is part of: ``attn`` of ``attn/query`` and ``attn.add``."""
        layer, dot, _ = name.rpartition(".")
        if dot and layer in self._made:
            return layer
        layer, slash, _ = name.rpartition("/")
        if not slash or layer not in self._made:
            return name
        own, whole = self._made.get(name, ()), {self._made[layer][0].span}
        for part, stack in self._called.items():
            if part.startswith((f"{layer}/", f"{layer}.")):
                whole.add(stack[0].span)
        return layer if not own or own[0].span in whole else name

    # One kind of edit after the other

    @singledispatchmethod
    def _apply(self, edit: Edit) -> None:
        raise AssertionError(edit)

    @_apply.register
    def _(self, edit: LineChange) -> None:
        for layer in sorted(self._wrong):
            code = self._codes.get(layer, "")
            old, new = lines.call(code), lines.call(edit.line)
            if new is not None and isinstance(
                new.func, ast.Call
            ):  # how it is called, too: ``Dropout(0.3)(x, …)``
                _, called, stack = self._call_of(layer)
                for name, text in _arguments(new):
                    self._set_argument(stack, called, name, text)
                new = new.func
                if old is None or not list(_differing(old, new)):
                    continue
            if old is None or new is None:
                self._statement(layer, code, edit.line)
                continue
            if ast.unparse(old.func) == ast.unparse(new.func):
                self._set(layer, list(_differing(old, new)))
            else:
                self._another(layer, old, new)

    @_apply.register
    def _(self, edit: ArgumentChange) -> None:
        self._set(edit.layer, [(edit.argument, edit.value)])

    @_apply.register
    def _(self, edit: CallChange) -> None:
        part = next(
            (n for n in self._called if n == edit.layer or self._whole(n) == edit.layer), edit.layer
        )
        source, call, stack = self._call_of(part)
        if "{}" not in edit.value:
            self._set_argument(stack, call, edit.argument, edit.value or None)
            return
        given = argument(call, edit.argument, ())
        if given is None:
            raise NotAppliedError(f"{edit.layer} is called without {edit.argument}")
        text = self._spelled(source, edit.value).replace("{}", source.code(given.value))
        self._changes(source.path).put(given.value, text)

    @_apply.register
    def _(self, edit: Replacement) -> None:
        source, call, stack = self._call_of(edit.layer)
        if len(self._operands(call, source)) != 1:
            raise NotAppliedError(f"which part of line {source.line(call)} it takes, is not seen")
        step = self._step(source, stack, edit.layer, edit.line)
        self._changes(source.path).replace(
            call,
            lambda old: cst.parse_expression(step.replace("\0", source.code(_operand_of(old)))),
        )

    @_apply.register
    def _(self, edit: Insertion) -> None:
        self._wrong |= {edit.layer}
        for layer in sorted(self._wrong):
            self._insert(edit, layer)

    @_apply.register
    def _(self, edit: Removal) -> None:
        if self._maker_of(edit.layer) != edit.layer:
            raise NotAppliedError(f"it is a part of {self._maker_of(edit.layer)}")
        stack = self._made.get(edit.layer)
        if stack and (held := self._element(stack)):
            source, _, element = held
            self._alone(
                self._sharing(self._made, source, source.expression(stack[0])), stack[0].line
            )
            self._changes(source.path).removed.add(element)
            return
        source, call, _ = self._call_of(edit.layer)
        taken = self._operands(call, source)
        if len(taken) != 1:
            raise NotAppliedError(f"{edit.layer} takes {len(taken)} things: which goes on?")
        line, parent = source.statement(call), source.parents.get(call)
        same = isinstance(parent, cst.Assign) and [source.code(t.target) for t in parent.targets]
        siblings = source.parents.get(line) if line is not None else None
        alone = len(getattr(siblings, "body", ())) < 2
        if line is not None and not alone and same == [source.code(taken[0])]:
            self._changes(source.path).removed.add(line)  # nothing is left but ``x = x``
            return
        self._changes(source.path).replace(call, _operand_of)

    @_apply.register
    def _(self, edit: Rewiring) -> None:
        if not edit.wanted:
            raise NotAppliedError("what it must take is no value of this model that has a name")
        for layer in sorted(self._wrong):
            stack = self._stack(self._called, layer, "called")
            source = self.file(stack[0].file)
            node = source.expression(stack[0])
            self._alone(self._sharing(self._called, source, node), source.line(node))
            operands = self._operands(node, source)
            at = (
                _ROLES.get(layer.rpartition("/")[2], edit.operand) if "/" in layer else edit.operand
            )
            at = min(at, 1) if "/" in layer and len(operands) == 2 else at
            if not 0 <= at < len(operands):
                raise NotAppliedError(f"which part of line {source.line(node)} it is, is not seen")
            value = self._value(edit.wanted, stack, node) + edit.part
            self._changes(source.path).put(operands[at], value)

    @_apply.register
    def _(self, edit: Reordering) -> None:
        stack = self._stack(self._called, edit.layer, "called")
        source = self.file(stack[0].file)
        node = source.expression(stack[0])
        self._alone(self._sharing(self._called, source, node), source.line(node))
        operands = self._operands(node, source)
        if len(operands) != len(edit.order):
            raise NotAppliedError(f"which parts of line {source.line(node)} they are, is not seen")
        texts = [source.code(operand) for operand in operands]
        for at, wanted in enumerate(edit.order):
            if at != wanted:
                self._changes(source.path).put(operands[at], texts[wanted])

    @_apply.register
    def _(self, edit: StepExchange) -> None:
        self._wrong |= set(edit.layers)
        places = [self._callee(name) for name in edit.present]
        if len({id(node) for _, node in places}) < len(places):
            places = [self._maker(name) for name in edit.present]
        texts = {n: s.code(node) for n, (s, node) in zip(edit.present, places, strict=True)}
        for now, wanted, (source, node) in zip(edit.present, edit.layers, places, strict=True):
            if now != wanted:
                self._changes(source.path).put(node, texts[wanted])

    @_apply.register
    def _(self, edit: AttributeChange) -> None:
        for layer in sorted(self._wrong):
            stack = self._stack(self._made, layer, "made")
            source = self.file(stack[0].file)
            call = source.expression(stack[0])
            self._alone(self._sharing(self._made, source, call), source.line(call))
            for held in (source.expression(site) for site in stack if site.file == source.path):
                assigned = list(self._attributes(source, held, edit.attribute))
                for value in assigned:
                    self._changes(source.path).put(value, edit.value)
                if assigned:
                    break
            else:
                self._set(layer, [(edit.attribute, edit.value)])

    # Arguments and constructors

    def _set(self, layer: str, arguments: Sequence[tuple[str, str | None]]) -> None:
        """Give the call that makes a layer, or is the operation, other arguments."""
        if not arguments:
            raise NotAppliedError(f"the line of {layer} is as it should be")
        layer = self._maker_of(layer)
        sites = self._made if layer in self._made or layer not in self._called else self._called
        stack = self._stack(sites, layer, "made")
        source = self.file(stack[0].file)
        call = source.expression(stack[0])
        if not isinstance(call, cst.Call):
            raise NotAppliedError(f"{layer} is no call in line {stack[0].line}")
        for name, text in arguments:
            try:
                self._set_argument(stack, call, name, text)
            except NotAppliedError:
                if not self._in_place_of_a_helper(stack, layer, arguments):
                    raise
                return

    def _slots(self) -> Slots:
        return Slots(self.file, [*self._made.items(), *self._called.items()])

    def _set_argument(self, stack: Stack, call: cst.Call, name: str, text: str | None) -> None:
        slots = self._slots().of_argument(stack, call, name)
        if slots[-1].value is None and any(arg.star for arg in call.args):
            raise NotAppliedError(
                f"line {stack[0].line} is given arguments that are not seen there"
            )
        if text is None:
            slots = slots[-1:]
        self._write(slots, text)

    def _write(self, slots: Sequence[Slot], text: str | None) -> None:
        """Write a value at the farthest place by which nothing else is decided."""
        refused: NotAppliedError | None = None
        if self._together:
            slots = sorted(slots, key=lambda slot: len(slot.layers - self._wrong))
        for slot in slots:
            try:
                self._alone(slot.layers, slot.line)
            except NotAppliedError as error:
                refused = error
                continue
            self._fill(slot, text)
            return
        raise refused or NotAppliedError("nothing decides it")

    def _fill(self, slot: Slot, text: str | None) -> None:
        changes = self._changes(slot.file.path)
        if text is None:
            assert slot.call is not None
            if changes.once("drop", slot.call, slot.name):
                changes.replace(slot.call, lambda old: _without(old, slot.name))
        elif slot.value is not None:
            changes.put(slot.value, self._spelled(slot.file, text))
        else:
            assert slot.call is not None
            if changes.once("add", slot.call, slot.name):
                spelled = self._spelled(slot.file, text)
                changes.replace(slot.call, lambda old: _with(old, slot.name, spelled))

    def _in_place_of_a_helper(
        self, stack: Stack, layer: str, arguments: Sequence[tuple[str, str | None]]
    ) -> bool:
        """Write the whole line where a helper that makes the layer, and others, is called."""
        source = self.file(stack[0].file)
        if len(stack) < 2 or not self._returned(source, source.expression(stack[0])):
            return False
        outer = self.file(stack[1].file)
        call, code = outer.expression(stack[1]), self._codes.get(layer, "")
        if not isinstance(call, cst.Call) or lines.call(code) is None:
            return False
        if self._others_behind(stack[1]):
            return False
        line = lines.changed(code, {n: t if t is None else f"={t}" for n, t in arguments})
        self._changes(outer.path).put(call, self._spelled(outer, line))
        return True

    def _others_behind(self, site: Site) -> bool:
        """Whether a call of the user's makes layers that are right."""
        return any(
            self._whole(name) not in self._wrong and any(s.span == site.span for s in stack)
            for name, stack in self._made.items()
        )

    def _another(self, layer: str, old: ast.Call, new: ast.Call) -> None:
        """Another class or function in place of a layer's."""
        layer = self._maker_of(layer)
        stack = self._stack(self._made, layer, "made")
        source = self.file(stack[0].file)
        call = source.expression(stack[0])
        if not isinstance(call, cst.Call):
            raise NotAppliedError(f"{layer} is no call in line {stack[0].line}")
        self._alone(self._sharing(self._made, source, call), source.line(call))
        changes = self._changes(source.path)
        if not ast.unparse(new.func).startswith("layers."):
            self._function(source, call, layer, ast.unparse(new))
            return
        function = self._spelled(source, ast.unparse(new.func), like=call.func)
        if not list(_differing(old, new, function=False)):
            changes.put(call.func, function)
            return
        name = argument(call, "name", ())
        given = [k for k in new.keywords if k.arg != "name"]
        texts = [lines.written(f"={ast.unparse(a)}") for a in new.args]
        texts += [f"{k.arg}={_quoted(ast.unparse(k.value))}" for k in given]
        texts += [f"name={source.code(name.value)}"] if name is not None else []
        changes.put(call, f"{function}({', '.join(texts)})")

    def _function(self, source: SourceFile, call: cst.Call, layer: str, text: str) -> None:
        """A function of ``x`` in place of a layer: on what the layer is called with."""
        changes = self._changes(source.path)
        spelled = self._spelled(source, _quoted_all(text))
        outer = source.parents.get(call)
        if isinstance(outer, cst.Call) and outer.func is call and len(outer.args) == 1:
            changes.replace(outer, lambda old: _substituted(spelled, old.args[0].value))  # type: ignore[attr-defined]
        elif layer in self._called and not self._element(self._made[layer]):
            source, outer, _ = self._call_of(layer)
            changes = self._changes(source.path)
            changes.replace(outer, lambda old: _substituted(spelled, _operand_of(old)))
        else:
            name = argument(call, "name", ())
            more = f", name={source.code(name.value)}" if name is not None else ""
            made = self._spelled(source, "layers.Lambda")
            changes.put(call, f"{made}(lambda x: {spelled}{more})")

    def _statement(self, layer: str, code: str, line: str) -> None:
        """The one part of a statement that is another in the corrected one."""
        stack = self._stack(self._called, layer, "called")
        source = self.file(stack[0].file)
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
        trees = [_tree(code), _tree(line)]
        if statement is None or None in trees or ast.dump(statement) != ast.dump(trees[0]):  # type: ignore[arg-type]
            raise NotAppliedError(f"line {stack[0].line} is not one statement by itself")
        mine, _, new = _parting(statement, trees[0], trees[1])
        if not isinstance(mine, ast.expr) or not isinstance(new, ast.expr):
            raise NotAppliedError(f"more than one part of line {stack[0].line} is to be changed")
        if isinstance(mine, ast.Call) and isinstance(new, ast.Call):
            arguments = list(_differing(mine, new, function=False))
            same = ast.dump(mine.func) == ast.dump(new.func)
            if same and arguments and len(mine.args) == len(new.args):
                call = source.at(mine)
                assert isinstance(call, cst.Call)
                for name, text in arguments:
                    self._set_argument(stack, call, name, text)
                return
        text = ast.get_source_segment(line, new) or ast.unparse(new)
        slots = self._slots().of_value(stack, source.at(mine))
        if _names(mine) & _names(new):  # of this place, which a caller does not know
            slots = slots[-1:]
        self._write(slots, self._spelled(source, text))

    # Steps that are put in

    def _insert(self, edit: Insertion, layer: str) -> None:
        made = self._made.get(self._maker_of(layer))
        if made and (held := self._element(made)) and not edit.operands:
            source, sequence, element = held
            self._alone(self._sharing(self._made, source, source.expression(made[0])), made[0].line)
            at = list(sequence.elements).index(element) + (edit.where == "behind")
            new = cst.parse_expression(self._as_layer(source, self._told_apart(source, edit.line)))
            changes = self._changes(source.path)
            if changes.once("element", sequence, at, edit.line):
                changes.inserted.setdefault((sequence, at), []).append(new)
            return
        if self._maker_of(layer) != layer and "." in layer.rpartition("/")[2]:
            raise NotAppliedError(f"it belongs into {self._maker_of(layer)}")
        stack = self._stack(self._called, layer, "called")
        source = self.file(stack[0].file)
        node = source.expression(stack[0])
        self._alone(self._sharing(self._called, source, node), source.line(node))
        changes, target = self._changes(source.path), node
        if edit.where == "before":
            operands = self._operands(node, source)
            at = edit.operand if len(operands) > 1 else 0
            if at >= len(operands):
                raise NotAppliedError(f"which part of line {source.line(node)} it is, is not seen")
            target = operands[at]
            if "ZeroPadding" in edit.line and self._pads(edit.line, stack, target):
                return
            if ".pad(" in edit.line and self._pads_as(edit.line, stack, target):
                return
        if not changes.once("insert", target, edit.line, layer):
            return
        if edit.operands:
            taken = ", ".join(self._value(name, stack, node) for name in edit.operands)
            step = self._step(source, stack, layer, edit.line)
            changes.put(target, step.replace("\0", f"[{taken}]"))
        else:
            step = self._step(source, stack, layer, edit.line)
            changes.wrap(target, lambda text: step.replace("\0", text))

    def _step(self, source: SourceFile, stack: Stack, layer: str, line: str) -> str:
        """What is written around an operand, which stands as a zero character in it."""
        if not line.startswith("layers."):
            tree = ast.parse(line, mode="eval").body
            spelled = self._spelled(source, line)
            if isinstance(tree, ast.Call) and tree.args and ast.unparse(tree.args[0]) == "x":
                return re.sub(r"\(x\b", "(\0", spelled, count=1)
            raise NotAppliedError(f"{line} is no function of one thing")
        new = self._spelled(source, self._told_apart(source, line))
        method = source.function(source.expression(stack[0]))
        kind = None if method is None else source.class_of(method)
        if kind is None:
            return f"{new}(\0)"
        return f"self.{self._held(source, kind, layer, new)}(\0)"

    def _held(self, source: SourceFile, kind: cst.ClassDef, layer: str, new: str) -> str:
        """A layer of a model's own is made once, beside the one that it goes with."""
        name = _snake(new.partition("(")[0].rpartition(".")[2])
        taken, number = {n.attr.value for n in source.inside(kind, cst.Attribute)}, 1  # type: ignore[attr-defined]
        own = name
        while (
            own in taken or (source.path, kind.name.value, own) in self._changes(source.path).made
        ):
            own, number = f"{name}_{number}", number + 1
        self._changes(source.path).once(source.path, kind.name.value, own)
        self._changes(source.path).made.add((source.path, kind.name.value, own))
        made = self._made.get(layer, ())
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
            self._changes(source.path).lines(first, f"self.{own} = {new}", after=True)
            return own
        self._changes(source.path).lines(line, f"self.{own} = {new}")
        return own

    def _pads(self, line: str, stack: Stack, operand: cst.BaseExpression) -> bool:
        """Padding where a layer that pads stands already: that one is changed."""
        source = self.file(stack[0].file)
        value = self._assigned_to(source, operand) if isinstance(operand, cst.Name) else operand
        if isinstance(value, cst.Call) and re.search(r"\.pad$", source.code(value.func)):
            widths = argument(value, "pad_width", ("x", "pad_width|paddings"))
            sizes = ast.literal_eval(ast.unparse(_parsed(line).args[0]))
            pairs = [sizes] if isinstance(sizes[0], int) else sizes
            if widths is None:
                return False
            every = [[0, 0], *map(list, pairs), [0, 0]]
            self._changes(source.path).put(widths.value, repr(every))
            return True
        if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Call):
            return False
        if "ZeroPadding" not in source.code(value.func.func):
            return False
        made = [
            (n, s)
            for n, s in self._made.items()
            if s[0].file == source.path and source.expression(s[0]) is value.func
        ]
        if len(made) != 1:
            return False
        pads = ast.unparse(_parsed(line).args[0])
        found = argument(value.func, "padding", ("padding",))
        if found is None:
            return False
        self._wrong |= {made[0][0]}
        self._changes(source.path).put(found.value, pads)
        return True

    def _pads_as(self, line: str, stack: Stack, operand: cst.BaseExpression) -> bool:
        """Another mode of padding where a layer of the user's own pads already."""
        source = self.file(stack[0].file)
        value = self._assigned_to(source, operand) if isinstance(operand, cst.Name) else operand
        if not isinstance(value, cst.Call):
            return False
        mode = next(k.value for k in _parsed(line).keywords if k.arg == "mode")
        for name, made in self._made.items():
            padding = self._called.get(f"{name}.pad", ())
            makers = [source.expression(s) for s in made[:2] if s.file == source.path]
            if padding and value.func in makers:
                call = self.file(padding[0].file).expression(padding[0])
                if isinstance(call, cst.Call):
                    self._wrong |= {f"{name}.pad"}
                    self._set_argument(padding, call, "mode", _quoted(ast.unparse(mode)))
                    return True
        return False

    def _assigned_to(self, source: SourceFile, name: cst.Name) -> cst.BaseExpression | None:
        """What a variable was last set to, in the lines before, if that is told by their order."""
        function, found = source.function(name), None
        here = source.span(name)[0]
        body = source.module if function is None else function.body
        for node in source.inside(body, cst.Assign):
            assert isinstance(node, cst.Assign)
            if source.span(node)[1] < here and any(
                source.code(t.target) == name.value for t in node.targets
            ):
                found = node.value
        return found

    def _element(
        self, stack: Stack
    ) -> tuple[SourceFile, cst.List | cst.Tuple, cst.BaseElement] | None:
        """The list of layers that a layer is written in; none if it is called there."""
        for site in stack[:2]:
            source = self.file(site.file)
            element = source.parents.get(source.expression(site))
            sequence = source.parents.get(element) if element is not None else None
            if isinstance(element, cst.Element) and isinstance(sequence, cst.List | cst.Tuple):
                return source, sequence, element
        return None

    # What is taken

    def _operands(self, node: cst.BaseExpression, source: SourceFile) -> list[cst.BaseExpression]:
        """What an operation takes, in order, as far as the line tells."""
        if isinstance(node, cst.BinaryOperation):
            return [node.left, node.right]
        if not isinstance(node, cst.Call):
            raise NotAppliedError(f"line {source.line(node)} is no call")
        found: list[cst.BaseExpression] = []
        for arg in node.args:
            value = arg.value
            if arg.star or _is_setting(value) or (arg.keyword and arg.keyword.value in _SETTINGS):
                continue
            if isinstance(value, cst.Name):
                held = self._assigned_to(source, value)
                value = held if isinstance(held, cst.List | cst.Tuple) else value
            if isinstance(value, cst.List | cst.Tuple):
                found += [e.value for e in value.elements if not _is_setting(e.value)]
            else:
                found.append(value)
        return found

    def _value(self, wanted: str, stack: Stack, at: cst.BaseExpression) -> str:
        """An expression that gives a value of the model, for the line of `at`.

        Raises:
            NotAppliedError: it is not made where that line can see it.
        """
        source = self.file(stack[0].file)
        function = source.function(at)
        if wanted.startswith("input:"):
            return self._input(int(wanted.removeprefix("input:")), source, function, at)
        giving = self._stack(self._called, wanted, "called")
        if giving[0].file != stack[0].file or giving[0].owner != stack[0].owner:
            raise NotAppliedError(f"{wanted} is made in another place of the program")
        node = source.expression(giving[0])
        spans = [site.span for site in stack[1:]], [site.span for site in giving[1:]]
        if source.function(node) is not function or spans[0] != spans[1]:
            raise NotAppliedError(f"{wanted} is made in another function")
        if source.span(node)[1] > source.span(at)[0] and not (
            source.span(at)[0] <= source.span(node)[0]
            and source.span(node)[1] <= source.span(at)[1]
        ):
            raise NotAppliedError(f"{wanted} is made later")
        return self._named(source, node, at, wanted)

    def _named(
        self, source: SourceFile, node: cst.BaseExpression, at: cst.BaseExpression, wanted: str
    ) -> str:
        """A variable that holds an expression's value; a new one where none does any more."""
        line = source.statement(node)
        parent = source.parents.get(node)
        if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
            target = parent.targets[0].target
            if isinstance(target, cst.Name):
                name = target.value
                if not self._set_between(source, name, parent, at):
                    return name
                new = self._free(source, wanted)
                assert line is not None
                self._changes(source.path).lines(line, f"{new} = {name}", after=True)
                return new
        if line is None:
            raise NotAppliedError(f"{wanted} is made in the head of a statement")
        new = self._free(source, wanted)
        changes = self._changes(source.path)
        if changes.once("named", node):
            changes.lines(line, f"{new} = {source.code(node)}")
            changes.put(node, new)
        return new

    def _input(
        self,
        number: int,
        source: SourceFile,
        function: cst.FunctionDef | None,
        at: cst.BaseExpression,
    ) -> str:
        """A variable that holds an input of the model."""
        kind = None if function is None else source.class_of(function)
        if function is not None and kind is not None:
            names = [p.name.value for p in function.params.params[1:]]
            if function.name.value != "call" or number >= len(names):
                raise NotAppliedError("the model's input is not seen in that line")
            name, begin = names[number], function.body.body[0]
            if not self._set_between(source, name, begin, at, whole=True):
                return name
            new = self._free(source, f"{name}_0")
            self._changes(source.path).lines(begin, f"{new} = {name}")
            return new
        inputs = [
            stack
            for name, stack in self._made.items()
            if (lines.call("f()") and stack and self._is_input(stack))
        ]
        if number >= len(inputs):
            raise NotAppliedError("the model's input is not seen in that line")
        giving = inputs[number]
        node = source.expression(giving[0]) if giving[0].file == source.path else None
        if node is None or source.function(node) is not function:
            raise NotAppliedError("the model's input is made in another function")
        return self._named(source, node, at, f"input_{number}")

    def _is_input(self, stack: Stack) -> bool:
        node = self.file(stack[0].file).expression(stack[0])
        code = self.file(stack[0].file).code(node)
        return bool(re.match(r"(?:\w+\.)*Input\(", code))

    def _set_between(
        self,
        source: SourceFile,
        name: str,
        begin: cst.CSTNode,
        at: cst.BaseExpression,
        *,
        whole: bool = False,
    ) -> bool:
        """Whether a variable is given another value between two places."""
        function = source.function(at)
        body = source.module if function is None else function.body
        first, last = source.span(begin)[0 if whole else 1], source.span(at)[0]
        return any(
            first <= source.span(n)[0] <= last and source.code(t.target) == name
            for n in source.inside(body, cst.Assign)
            for t in n.targets  # type: ignore[attr-defined]
            if n is not begin and not _holds(source, n, at)
        ) or any(
            _holds(source, loop, at) != _holds(source, loop, begin)
            for loop in source.inside(body, cst.For)
        )

    def _free(self, source: SourceFile, wanted: str) -> str:
        """A name for a new variable, of a layer's."""
        name = re.sub(r"\W", "_", wanted.rpartition("/")[2]).strip("_") or "value"
        name = f"{name}_" if keyword.iskeyword(name) or name[0].isdigit() else name
        taken = {n.value for n in source.inside(source.module, cst.Name)}  # type: ignore[attr-defined]
        while name in taken:
            name += "_"
        return name

    def _callee(self, layer: str) -> tuple[SourceFile, cst.BaseExpression]:
        """What is called where a layer is: ``self.norm``, or what makes it."""
        source, call, _ = self._call_of(layer)
        return source, call.func

    def _maker(self, layer: str) -> tuple[SourceFile, cst.BaseExpression]:
        """What makes a layer: its own constructor, or the call of a helper that does."""
        stack = self._stack(self._made, layer, "made")
        for site in stack:
            source = self.file(site.file)
            node = source.expression(site)
            if not self._sharing(self._made, source, node) - {layer}:
                if self._returned(source, node) and len(stack) > 1 and site is stack[0]:
                    continue
                return source, node
        raise NotAppliedError(f"{layer} is not made by a line of its own")

    def _returned(self, source: SourceFile, node: cst.BaseExpression) -> bool:
        return isinstance(source.parents.get(node), cst.Return)

    def _attributes(
        self, source: SourceFile, made: cst.BaseExpression, attribute: str
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

    # How it is spelled here

    def _told_apart(self, source: SourceFile, line: str) -> str:
        """A layer with a name of its own, where the one that Keras would give it is taken."""
        name = _snake(lines.function_name(line))
        if "name=" in line or not re.search(rf"""["']{name}["']""", source.text):
            return line
        number = next(k for k in range(1, 1000) if f"{name}_{k}" not in self._made)
        return lines.changed(line, {"name": f"{name}_{number}"})

    def _as_layer(self, source: SourceFile, line: str) -> str:
        """A step as an element of a list of layers."""
        if line.startswith("layers."):
            return self._spelled(source, line)
        return f"{self._spelled(source, 'layers.Lambda')}(lambda x: {self._spelled(source, line)})"

    def _spelled(
        self, source: SourceFile, text: str, *, like: cst.BaseExpression | None = None
    ) -> str:
        """A line with ``layers``, ``ops`` and ``keras`` called as the file calls them."""
        if isinstance(like, cst.Attribute) and text.startswith("layers."):
            return f"{source.code(like.value)}.{text.removeprefix('layers.')}"
        for word in ("layers", "ops", "keras"):
            if re.search(rf"(?<![\w.]){word}\.", text):
                text = re.sub(rf"(?<![\w.]){word}\.", f"{self._module(source, word)}.", text)
        return text

    def _module(self, source: SourceFile, word: str) -> str:
        """What a file calls ``keras.layers``, ``keras.ops`` or ``keras``; imported if need be."""
        wanted = "keras" if word == "keras" else f"keras.{word}"
        known = dict(_imports(source.tree))
        for name, what in known.items():
            if what == wanted:
                return name
        for name, what in known.items():
            if what == "keras":
                return f"{name}.{word}"
        line = "import keras" if word == "keras" else f"from keras import {word}"
        places = [s for s in source.module.body if _is_import(source, s)]
        changes = self._changes(source.path)
        if not places:
            raise NotAppliedError(f"{source.path} imports nothing to put '{line}' behind")
        changes.lines(places[-1], line, after=True)
        return word


_SETTINGS = frozenset(("axis", "training", "name", "mask", "dtype", "keepdims"))


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _is_setting(value: cst.BaseExpression) -> bool:
    """Whether an argument is no value that is computed."""
    if isinstance(value, cst.UnaryOperation):
        return _is_setting(value.expression)
    return isinstance(value, cst.BaseNumber | cst.BaseString) or (
        isinstance(value, cst.Name) and value.value in ("True", "False", "None")
    )


def _holds(source: SourceFile, outer: cst.CSTNode, inner: cst.CSTNode) -> bool:
    return outer is inner or outer in set(source.around(inner))


def _is_import(source: SourceFile, node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and isinstance(
        node.body[0], cst.Import | cst.ImportFrom
    )


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name in a file → ``keras``, ``keras.layers``, ``keras.ops``, as far as it is one of them."""
    for node in tree.body:
        for one in getattr(node, "names", ()) if hasattr(node, "names") else ():
            module = getattr(node, "module", None)
            whole = f"{module}.{one.name}" if module else one.name
            whole = re.sub(r"^tensorflow\.keras|^tf_keras", "keras", whole)
            if whole == "tensorflow":
                yield f"{one.asname or one.name}.keras", "keras"
            elif one.asname or module or "." not in one.name:
                yield one.asname or one.name, whole


def _parsed(code: str) -> ast.Call:
    found = lines.call(code)
    assert found is not None
    return found


def _tree(code: str) -> ast.stmt | None:
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return None
    return body[0] if len(body) == 1 else None


def _arguments(parsed: ast.Call) -> Iterator[tuple[str, str | None]]:
    for word in parsed.keywords:
        if word.arg:
            yield word.arg, ast.unparse(word.value)


def _differing(
    old: ast.Call, new: ast.Call, *, function: bool = True
) -> Iterator[tuple[str, str | None]]:
    """Arguments that are others in the new call, as source code; None: taken away."""
    names = lines.POSITIONS.get(ast.unparse(old.func).rpartition(".")[2], ())
    own = [
        {**_placed(c, names), **{k.arg: k.value for k in c.keywords if k.arg}} for c in (old, new)
    ]
    for name, value in own[1].items():
        before = own[0].get(name)
        if name != "name" and (before is None or ast.dump(before) != ast.dump(value)):
            yield name, _quoted(ast.unparse(value))
    for name in own[0]:
        if name not in own[1] and name != "name":
            yield name, None


def _placed(parsed: ast.Call, names: Sequence[str]) -> dict[str, ast.expr]:
    """Arguments by place, by their names; by their number where these are not known."""
    return {
        (names[i].rpartition("|")[2] if i < len(names) else str(i)): value
        for i, value in enumerate(parsed.args)
    }


def _parting(
    mine: ast.AST, old: ast.AST | None, new: ast.AST | None
) -> tuple[ast.AST, ast.AST, ast.AST]:
    """The smallest part in which two trees differ, and that part of the user's own."""
    assert old is not None
    assert new is not None
    if type(old) is not type(new):
        return mine, old, new
    if isinstance(old, ast.Call) and isinstance(new, ast.Call):
        words = [[k.arg for k in parsed.keywords] for parsed in (old, new)]
        if len(old.args) != len(new.args) or words[0] != words[1]:
            return mine, old, new
    parts: list[tuple[ast.AST, ast.AST, ast.AST]] = []
    for field in old._fields:
        triple = [getattr(node, field, None) for node in (mine, old, new)]
        for own, a, b in zip(*(x if isinstance(x, list) else [x] for x in triple), strict=False):
            if isinstance(a, ast.AST) and isinstance(b, ast.AST):
                if ast.dump(a) != ast.dump(b):
                    parts.append((own, a, b))
            elif a != b:
                return mine, old, new
        if isinstance(triple[1], list) and len(triple[1]) != len(triple[2] or ()):
            return mine, old, new
    if len(parts) != 1:
        return mine, old, new
    found = _parting(*parts[0])
    return found if isinstance(found[0], ast.expr) else (mine, old, new)


def _operand_of(call: cst.CSTNode) -> cst.BaseExpression:
    """What a call of one thing is given."""
    assert isinstance(call, cst.Call)
    value = call.args[0].value
    if isinstance(value, cst.List | cst.Tuple) and len(value.elements) == 1:
        return value.elements[0].value
    return value


def _with(call: cst.CSTNode, name: str, text: str) -> cst.Call:
    """A call with one more argument, before the name, written as its others are."""
    assert isinstance(call, cst.Call)
    args = list(call.args)
    at = next((i for i, a in enumerate(args) if a.keyword and a.keyword.value == "name"), len(args))
    new = cst.Arg(
        cst.parse_expression(text),
        keyword=cst.Name(name),
        equal=cst.AssignEqual(
            whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
        ),
    )
    plain = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    between = args[0].comma if len(args) > 1 and isinstance(args[0].comma, cst.Comma) else plain
    between = between.with_changes(whitespace_after=uncommented(between.whitespace_after))
    if at < len(args):
        new = new.with_changes(comma=between)
    elif args:
        between, comma = around_last(args[-1].comma, between)
        blank = args[-1].whitespace_after_arg
        new = new.with_changes(comma=comma, whitespace_after_arg=blank)
        args[-1] = args[-1].with_changes(
            comma=between, whitespace_after_arg=cst.SimpleWhitespace("")
        )
    args.insert(at, new)
    return call.with_changes(args=args)


def _without(call: cst.CSTNode, name: str) -> cst.Call:
    """A call without an argument."""
    assert isinstance(call, cst.Call)
    names = lines.POSITIONS.get(cst.Module([]).code_for_node(call.func).rpartition(".")[2], ())
    gone = argument(call, name, names)
    if gone is None:
        return call
    args = list(call.args)
    at = args.index(gone)
    if at == len(args) - 1 and at:
        args[at - 1] = args[at - 1].with_changes(
            comma=gone.comma, whitespace_after_arg=gone.whitespace_after_arg
        )
    del args[at]
    return call.with_changes(args=args)


def _substituted(text: str, operand: cst.BaseExpression) -> cst.BaseExpression:
    """A function of ``x`` on something else."""
    new = cst.parse_expression(text)
    assert isinstance(new, cst.Call)
    first = new.args[0].with_changes(value=operand)
    return new.with_changes(args=[first, *new.args[1:]])


def _quoted(text: str) -> str:
    """A string in the quotes that people write here."""
    plain = text[1:-1]
    return f'"{plain}"' if text == f"'{plain}'" and '"' not in plain else text


def _quoted_all(text: str) -> str:
    return re.sub(r"'([^'\"]*)'", r'"\1"', text)


def _snake(name: str) -> str:
    name = name.replace("ReLU", "Relu").replace("ELU", "Elu").replace("LSTM", "Lstm")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"(\d)D$", r"\1d", name)).lower()
