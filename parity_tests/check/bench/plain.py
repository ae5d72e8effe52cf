"""A wrong port as its author would have it: one model in a file, without the bench's flags.

On the bench most faults are one builder with an argument, ``cnn(epsilon=1e-3)``, and the builder
has a branch for each mistake. Here the argument is written where it goes, branches that are not
taken are gone, and so are the other ports: what is left is what is to be mended.
"""

from __future__ import annotations

import ast
import copy
from pathlib import Path

from parity.core.sides import Side

from .rows import Fault
from .twins import ROOT


def written(fault: Fault, folder: Path, side: Side = "keras") -> Fault:
    """The fault with one side as a plain file in this folder."""
    file, name = getattr(fault, side).rsplit(":", 1)
    target = folder / f"{fault.name}.py"
    target.write_text(text((ROOT / file).read_text("utf-8"), name), "utf-8")
    return Fault(**{**vars(fault), side: f"{target}:{name}"})


def text(source: str, name: str) -> str:
    """The source of one model of a file, with what it needs of that file."""
    tree = ast.parse(source)
    wanted = next(n for n in tree.body if getattr(n, "name", "") == name)
    parts = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    called = _call(wanted)
    builder = parts.get(called.func.id) if called is not None else None
    if called is not None and builder is not None:
        wanted = _specialised(builder, called, name)
    parts[name] = wanted
    needed, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one in parts and one not in needed:
            needed.add(one)
            waiting += [n.id for n in ast.walk(parts[one]) if isinstance(n, ast.Name)]
    body = [
        parts.get(getattr(n, "name", ""), n)
        for n in tree.body
        if not isinstance(n, ast.FunctionDef | ast.ClassDef) or n.name in needed
    ]
    for node in body:
        if isinstance(node, ast.ClassDef):
            _Attributes(node).generic_visit(node)
    module = _Folded().visit(ast.Module(body, []))
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def _call(node: ast.stmt) -> ast.Call | None:
    """The builder's call that is all of a port, if it is."""
    last = node.body[-1] if isinstance(node, ast.FunctionDef) else None
    call = last.value if isinstance(last, ast.Return) else None
    alone = isinstance(node, ast.FunctionDef) and len(node.body) - _documented(node) == 1
    named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    return call if alone and named else None


def _documented(node: ast.FunctionDef) -> bool:
    return ast.get_docstring(node) is not None


def _specialised(builder: ast.stmt, call: ast.Call, name: str) -> ast.stmt:
    """A builder without its arguments: those of the call stand in their places."""
    made = copy.deepcopy(builder)
    made.name = name
    functions = [made] if isinstance(made, ast.FunctionDef) else made.body
    for function in functions:
        if not isinstance(function, ast.FunctionDef):
            continue
        own = isinstance(made, ast.ClassDef)
        if own and function.name != "__init__":
            continue
        given = function.args
        names = [a.arg for a in given.args[own:]]
        values = dict(zip(names[::-1], given.defaults[::-1], strict=False))
        values |= {a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d}
        values |= dict(zip(names, call.args, strict=False))
        known = {*names, *(a.arg for a in given.kwonlyargs)}
        more = [k for k in call.keywords if k.arg and k.arg not in known]
        values |= {k.arg: k.value for k in call.keywords if k.arg in known}
        if given.kwarg is not None:
            words: list[ast.expr | None] = [ast.Constant(k.arg) for k in more]
            values[given.kwarg.arg] = ast.Dict(words, [k.value for k in more])
            given.kwarg = None
        stored = {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        kept = [
            ast.Assign([ast.Name(key, ast.Store())], values.pop(key))
            for key in stored & values.keys()
        ]
        given.args, given.defaults, given.kwonlyargs, given.kw_defaults = (
            given.args[:own],
            [],
            [],
            [],
        )
        _Put(values).generic_visit(function)
        function.body[_documented(function) : _documented(function)] = kept
    return made


class _Put(ast.NodeTransformer):
    """Values in place of names."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._values.get(node.id)
        return node if value is None else copy.deepcopy(value)


class _Attributes(ast.NodeTransformer):
    """Attributes that ``__init__`` sets to a constant, which nobody would write as attributes."""

    def __init__(self, owner: ast.ClassDef) -> None:
        pairs = [pair for line in ast.walk(owner) for pair in _assigned(line)]
        names = [ast.unparse(target) for target, _ in pairs]
        self._values = {
            name: value
            for name, (_, value) in zip(names, pairs, strict=True)
            if names.count(name) == 1 and name.startswith("self.") and _is_constant(value)
        }

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = self._values.get(ast.unparse(node))
        if value is None or not isinstance(node.ctx, ast.Load):
            return self.generic_visit(node)
        return copy.deepcopy(value)


def _assigned(line: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """What is set to what, one by one or in a row."""
    if not isinstance(line, ast.Assign):
        return []
    target, value = line.targets[0], line.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return [*zip(target.elts, value.elts, strict=True)]
    return [(target, value)]


def _is_constant(value: ast.expr) -> bool:
    value = value.operand if isinstance(value, ast.UnaryOp) else value
    return isinstance(value, ast.Constant)


class _Folded(ast.NodeTransformer):
    """What constants decide is decided."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        sure = _truth(node.test)
        return node if sure is None else node.body if sure else node.orelse

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        sure = _truth(node.test)
        return node if sure is None else node.body if sure else node.orelse

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        self.generic_visit(node)
        return None if ast.unparse(node.targets[0]) == ast.unparse(node.value) else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        sure = _truth(node.values[0])
        if sure is None or len(node.values) != 2:
            return node
        return node.values[sure ^ isinstance(node.op, ast.Or)]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """What is set once to a dictionary, and given on as arguments, is these arguments."""
        self.generic_visit(node)
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        for line in [*node.body]:
            one = line.targets[0] if isinstance(line, ast.Assign) else None
            if not isinstance(one, ast.Name) or not isinstance(line.value, ast.Dict):
                continue
            if sum(n.id == one.id for n in names) == 2:
                node.body.remove(line)
                _Put({one.id: line.value}).generic_visit(node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Dict):
            held = node.func.value
            for key, value in zip(held.keys, held.values, strict=True):
                if ast.dump(key) == ast.dump(node.args[0]):
                    return value
        words = []
        for word in node.keywords:
            if word.arg is None and isinstance(word.value, ast.Dict):
                words += [
                    ast.keyword(k.value, v)
                    for k, v in zip(word.value.keys, word.value.values, strict=True)
                ]
            else:
                words.append(word)
        node.keywords = words
        return node


def _truth(test: ast.expr) -> bool | None:
    """Whether a condition of constants holds; None where it is not of constants alone."""
    if isinstance(test, ast.Call):  # a layer that is given, ``act1 or layers.ReLU()``
        return True
    if any(isinstance(n, ast.Name | ast.Call) for n in ast.walk(test)):
        return None
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.IsNot):
        none = isinstance(test.left, ast.Constant) and test.left.value is None
        return none == isinstance(test.ops[0], ast.Is)
    return bool(eval(compile(ast.Expression(ast.fix_missing_locations(test)), "", "eval")))
