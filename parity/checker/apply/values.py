"""What an operation takes, and an expression for a value where it is wanted."""

from __future__ import annotations

import keyword
import re

import libcst as cst

from parity.checker.apply.calls import is_method
from parity.checker.apply.slots import argument
from parity.checker.apply.source import NotAppliedError, SourceFile
from parity.checker.apply.user_code import Stack, UserCode
from parity.operations import code as lines

_SETTINGS = frozenset(
    ("axis", "dim", "training", "name", "mask", "dtype", "keepdims", "keepdim", "approximate")
)
_RUNS = ("call", "forward")
"""The method that runs a model."""


class Values:
    """Names values of the model for other lines of the user's."""

    def __init__(self, code: UserCode) -> None:
        self._code = code

    def operands(self, node: cst.BaseExpression, source: SourceFile) -> list[cst.BaseExpression]:
        """What an operation takes, in order, as far as the line tells."""
        if isinstance(node, cst.BinaryOperation):
            return [node.left, node.right]
        if not isinstance(node, cst.Call):
            raise NotAppliedError(f"line {source.line(node)} is no call")
        found: list[cst.BaseExpression] = []
        if is_method(node) and isinstance(node.func, cst.Attribute):
            found.append(node.func.value)
        for arg in node.args:
            value = arg.value
            if arg.star or _is_setting(value) or (arg.keyword and arg.keyword.value in _SETTINGS):
                continue
            if isinstance(value, cst.Name):
                held = assigned_to(source, value)
                value = held if isinstance(held, cst.List | cst.Tuple) else value
            if isinstance(value, cst.List | cst.Tuple):
                found += [e.value for e in value.elements if not _is_setting(e.value)]
            else:
                found.append(value)
        return found

    def value(self, wanted: str, stack: Stack, at: cst.BaseExpression) -> str:
        """An expression that gives a value of the model, for the line of `at`.

        Raises:
            NotAppliedError: it is not made where that line can see it.
        """
        source = self._code.file(stack[0].file)
        function = source.function(at)
        if wanted.startswith("input:"):
            return self._input(int(wanted.removeprefix("input:")), source, function, at)
        giving = self._code.stack(self._code.called, wanted, "called")
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
                new = self.free(source, wanted)
                assert line is not None
                self._code.changes_of(source.path).lines(line, f"{new} = {name}", after=True)
                return new
        if line is None:
            raise NotAppliedError(f"{wanted} is made in the head of a statement")
        new = self.free(source, wanted)
        changes = self._code.changes_of(source.path)
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
            names = self._unpacked(source, function, names) if len(names) == 1 else names
            if function.name.value not in _RUNS or number >= len(names):
                raise NotAppliedError("the model's input is not seen in that line")
            name, begin = names[number], function.body.body[0]
            if not self._set_between(source, name, begin, at, whole=True):
                return name
            new = self.free(source, f"{name}_0")
            self._code.changes_of(source.path).lines(begin, f"{new} = {name}")
            return new
        inputs = [
            stack
            for name, stack in self._code.made.items()
            if (lines.call("f()") and stack and self._is_input(stack))
        ]
        if number >= len(inputs):
            raise NotAppliedError("the model's input is not seen in that line")
        giving = inputs[number]
        node = source.expression(giving[0]) if giving[0].file == source.path else None
        if node is None or source.function(node) is not function:
            raise NotAppliedError("the model's input is made in another function")
        return self._named(source, node, at, f"input_{number}")

    def _unpacked(
        self, source: SourceFile, function: cst.FunctionDef, names: list[str]
    ) -> list[str]:
        """What ``x, mask = inputs`` calls the parts of the one thing that a model is given."""
        for node in source.inside(function.body, cst.Assign):
            assert isinstance(node, cst.Assign)
            target = node.targets[0].target
            if source.code(node.value) in names and isinstance(target, cst.Tuple | cst.List):
                return [source.code(element.value) for element in target.elements]
        return names

    def _is_input(self, stack: Stack) -> bool:
        node = self._code.file(stack[0].file).expression(stack[0])
        code = self._code.file(stack[0].file).code(node)
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

    def free(self, source: SourceFile, wanted: str) -> str:
        """A name for a new variable, of a layer's."""
        name = re.sub(r"\W", "_", wanted.rpartition("/")[2]).strip("_") or "value"
        name = f"{name}_" if keyword.iskeyword(name) or name[0].isdigit() else name
        taken = {n.value for n in source.inside(source.module, cst.Name)}  # type: ignore[attr-defined]
        while name in taken:
            name += "_"
        return name


def assigned_to(source: SourceFile, name: cst.Name) -> cst.BaseExpression | None:
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


def returned_by(
    source: SourceFile, inner: cst.BaseExpression, count: int
) -> list[cst.BaseExpression]:
    """So many outputs, where the model that runs an expression returns them one by one.

    Raises:
        NotAppliedError: it does not.
    """
    function = source.function(inner)
    if function is None:
        raise NotAppliedError("the model's outputs are not seen")
    own = source.class_of(function) is not None
    found: list[cst.BaseExpression] = []
    for node in source.inside(function.body, cst.Return if own else cst.Call):
        value = getattr(node, "value", None)
        if isinstance(node, cst.Call):
            if source.code(node.func).rpartition(".")[2] != "Model":
                continue
            given = argument(node, "outputs", ("inputs", "outputs"))
            value = None if given is None else given.value
        if isinstance(value, cst.Tuple | cst.List) and source.function(node) is function:
            found.append(value)
    if len(found) != 1 or len(found[0].elements) != count:  # type: ignore[attr-defined]
        raise NotAppliedError("the model's outputs are not written one by one")
    return [element.value for element in found[0].elements]  # type: ignore[attr-defined]


def _is_setting(value: cst.BaseExpression) -> bool:
    """Whether an argument is no value that is computed."""
    if isinstance(value, cst.UnaryOperation):
        return _is_setting(value.expression)
    return isinstance(value, cst.BaseNumber | cst.BaseString) or (
        isinstance(value, cst.Name) and value.value in ("True", "False", "None")
    )


def _holds(source: SourceFile, outer: cst.CSTNode, inner: cst.CSTNode) -> bool:
    return outer is inner or outer in set(source.around(inner))
