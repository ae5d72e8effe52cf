"""A statement of the user's with one operation in it changed: the rest stands as it was.

`code_edit` changes the arguments of a line that is one call, as a layer is written. An operation
stands somewhere in a statement: ``return self.base(x) + self.alpha * self.lora_b(x)``. Which part
of the statement it is, is told by its name or by its sign; where that is not one part, nothing is
changed.
"""

from __future__ import annotations

import ast
import linecache
import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from parity.operations.code import is_method
from parity.operations.code import operand as operand_of

_SIGNS: dict[str, tuple[type[ast.operator], ...]] = {
    "scale": (ast.Mult, ast.Div),
    "offset": (ast.Add, ast.Sub),
}


@dataclass(frozen=True)
class Part:
    """A part of a statement.

    Attributes:
        code: the statement.
        node: the part.
    """

    code: str
    node: ast.expr

    @property
    def text(self) -> str:
        """The part as it stands there."""
        return ast.get_source_segment(self.code, self.node) or ""

    def replaced(self, text: str) -> str:
        """The statement with another text in its place."""
        lines = self.code.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)

        def place(line: int, column: int) -> int:
            return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

        begin = place(self.node.lineno, self.node.col_offset)
        end = place(self.node.end_lineno or 1, self.node.end_col_offset or 0)
        return self.code[:begin] + text + self.code[end:]


def is_statement(code: str) -> bool:
    """Whether this is a line of the user's, and no layer written as one call."""
    tree = _parsed(code)
    if tree is None:
        return False
    only = tree.body[0] if len(tree.body) == 1 else None
    return not (isinstance(only, ast.Expr) and isinstance(only.value, ast.Call))


def _parsed(code: str) -> ast.Module | None:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return None
    return tree if tree.body else None


def expression_in(code: str, text: str) -> Part | None:
    """The one expression of a statement that is this one; None where there is none, or more."""
    tree, wanted = _parsed(code), _parsed(text)
    if tree is None or wanted is None or not isinstance(wanted.body[0], ast.Expr):
        return None
    own = ast.dump(wanted.body[0].value)
    found = [n for n in ast.walk(tree) if isinstance(n, ast.expr) and ast.dump(n) == own]
    return Part(code, found[0]) if len(found) == 1 else None


def number_in(code: str, number: float, file: str = "") -> Part | None:
    """Where a statement has a number, as it is or by a name that the file gives to it alone.

    Args:
        code: the statement.
        number: to be found, with float32's digits.
        file: that the statement stands in; '' where it is not known.

    Returns:
        None where there is no such place, or more than one.
    """
    tree = _parsed(code)
    if tree is None:
        return None
    names = _names_of(number, "".join(linecache.getlines(file))) if file else set()
    found = [
        node
        for node in ast.walk(tree)
        if (_is_number(node) and _is_near(node, number))
        or (
            isinstance(node, (ast.Name, ast.Attribute))
            and isinstance(node.ctx, ast.Load)
            and ast.unparse(node).rpartition(".")[2] in names
        )
    ]
    return Part(code, found[0]) if len(found) == 1 else None


def named_in(code: str, word: str) -> Part | None:
    """The one thing in a statement whose name has this in it: ``self.epsilon``."""
    found = [
        node
        for node in ast.walk(_parsed(code) or ast.Module([], []))
        if isinstance(node, (ast.Name, ast.Attribute))
        and word in ast.unparse(node).rpartition(".")[2]
    ]
    return Part(code, found[0]) if len(found) == 1 else None


def _names_of(number: float, text: str) -> set[str]:
    """Names that are given this number in a file, and nothing else."""
    given: dict[str, list[ast.expr]] = {}
    for node in ast.walk(_parsed(text) or ast.Module([], [])):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                given.setdefault(ast.unparse(target).rpartition(".")[2], []).append(node.value)
        elif isinstance(node, ast.arguments):
            every = [*node.posonlyargs, *node.args]
            last = every[len(every) - len(node.defaults) :]
            for argument, default in zip(last, node.defaults, strict=True):
                given.setdefault(argument.arg, []).append(default)
    return {
        name for name, values in given.items() if all(_is_near(value, number) for value in values)
    }


def _is_near(node: ast.AST, number: float) -> bool:
    return _is_number(node) and math.isclose(ast.literal_eval(node), number, rel_tol=1e-6)


def operands_of(part: Part) -> list[Part]:
    """What an operation takes: around one kind of sign, or as arguments without a name."""
    node = part.node
    if isinstance(node, ast.BinOp):
        return [Part(part.code, operand) for operand in _around(node, type(node.op))]
    if isinstance(node, ast.UnaryOp):
        return [Part(part.code, node.operand)]
    if not isinstance(node, ast.Call):
        return []
    own = [node.func.value] if is_method(node) and isinstance(node.func, ast.Attribute) else []
    return [Part(part.code, operand) for operand in (*own, *node.args)]


def _around(node: ast.expr, sign: type[ast.operator]) -> list[ast.expr]:
    """The operands of a chain of one sign that may be taken together: ``a + b + c``."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, sign):
        return [node]
    if sign not in (ast.Add, ast.Mult):
        return [node.left, node.right]
    return [*_around(node.left, sign), *_around(node.right, sign)]


def written_in(operand: Part, template: str) -> str:
    """The statement with an operand written otherwise.

    Args:
        operand: of an operation.
        template: Python, with ``{}`` for the operand as it stands.
    """
    text = operand.text
    if template.endswith(")") or "{}" not in template:  # an argument of a call, or a number
        return operand.replaced(template.format(text))
    simple = isinstance(operand.node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript))
    return operand.replaced(f"({template.format(text if simple else f'({text})')})")


def all_replaced(parts: Sequence[Part], texts: Sequence[str]) -> str:
    """The statement with other texts in place of some of its parts, which lie apart."""
    both = zip(parts, texts, strict=True)
    last_first = sorted(both, key=lambda one: (one[0].node.lineno, one[0].node.col_offset))
    code = parts[0].code
    for part, text in reversed(last_first):
        code = Part(code, part.node).replaced(text)
    return code


def call_in(code: str, names: Collection[str]) -> Part | None:
    """The one call of a function of these names; None where there is none, or more."""
    tree = _parsed(code)
    calls = [
        node
        for node in ast.walk(tree or ast.Module([], []))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names
    ]
    return Part(code, calls[0]) if len(calls) == 1 else None


def operation_in(code: str, names: set[str]) -> Part | None:
    """The one chain of signs that an operation of these names is written with."""
    sums, products = names & {"add", "subtract"}, names & {"multiply", "divide"}
    if bool(sums) == bool(products):
        return None
    return _chain(code, _SIGNS["offset" if sums else "scale"])


def on_its_argument(part: Part, line: str) -> str:
    """What is written for ``x``, on what the call takes first; '' where it is no such thing.

    ``ops.silu(x)`` and ``layers.ReLU()`` become ``ops.silu(h + 1)`` and ``layers.ReLU()(h + 1)``.
    """
    node = part.node
    if isinstance(node, ast.BinOp):
        operand: ast.expr | None = node.right if _is_number(node.left) else node.left
    else:
        operand = operand_of(node) if isinstance(node, ast.Call) else None
    if operand is None or "\n" in line:
        return ""
    taken = ast.get_source_segment(part.code, operand) or ""
    inner = re.fullmatch(r"((?:ops|F|torch)\.\w+)\(x\b(.*)\)", line)
    if inner:
        return f"{inner.group(1)}({taken}{inner.group(2)})"
    return f"{line}({taken})" if line.startswith(("layers.", "nn.")) else ""


def bypassed(part: Part, operand: int, count: int) -> str:
    """The statement without an operation, one of whose operands takes its place.

    Args:
        part: the operation.
        operand: number of what goes on.
        count: how many values the operation takes; numbers may stand beside them.

    Returns:
        '' where it is not seen which operand that is.
    """
    given = operands_of(part)
    if len(given) > count and operand == 0 and count == 1:
        given = [one for one in given if not _is_number(one.node)]
        given = given[:1] if isinstance(part.node, ast.Call) or len(given) == 1 else []
    return part.replaced(given[operand].text) if operand < len(given) else ""


def root_of_sum(code: str) -> str:
    """The statement with ``sqrt(v) + e`` as ``sqrt(v + e)``; '' where it has no such sum."""
    for node in _sums(code):
        for root, more in ((node.left, node.right), (node.right, node.left)):
            if (inner := _under_root(root)) is not None and _under_root(more) is None:
                said = [ast.get_source_segment(code, n) or "" for n in (inner, more)]
                return Part(code, node).replaced(_root(code, root, " + ".join(said)))
    return ""


def sum_of_root(code: str) -> str:
    """The statement with ``sqrt(v + e)`` as ``(sqrt(v) + e)``; '' where it has no such root."""
    tree = _parsed(code)
    for root in ast.walk(tree or ast.Module([], [])):
        node = _under_root(root)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            inner, more = (ast.get_source_segment(code, n) or "" for n in (node.left, node.right))
            assert isinstance(root, ast.expr)
            return Part(code, root).replaced(f"({_root(code, root, inner)} + {more})")
    return ""


def _sums(code: str) -> list[ast.BinOp]:
    nodes = ast.walk(_parsed(code) or ast.Module([], []))
    return [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)]


def _under_root(node: ast.AST) -> ast.expr | None:
    """Of what it is the square root."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != "sqrt":
        return None
    return operand_of(node)


def _root(code: str, root: ast.AST, inner: str) -> str:
    """The same root of something else."""
    assert isinstance(root, ast.Call)
    if is_method(root):
        bare = re.fullmatch(r"[\w.]+", inner)
        return f"{inner}.sqrt()" if bare else f"({inner}).sqrt()"
    return f"{ast.get_source_segment(code, root.func)}({inner})"


def is_nothing(code: str) -> bool:
    """Whether a statement gives a name what it has: ``x = x``."""
    tree = _parsed(code)
    only = tree.body[0] if tree and len(tree.body) == 1 else None
    return (
        isinstance(only, ast.Assign)
        and len(only.targets) == 1
        and ast.unparse(only.targets[0]) == ast.unparse(only.value)
    )


def scaled(code: str, names: Collection[str], factor: float, part: Part | None = None) -> str:
    """The statement with its one product, this one, or one call, multiplied by a factor."""
    return _arithmetic(code, "scale", names, factor, part)


def shifted(code: str, names: Collection[str], summand: float, part: Part | None = None) -> str:
    """The statement with a number added to its one sum, this one, or one call."""
    return _arithmetic(code, "offset", names, summand, part)


def changes(code: str, changed: str, part: str) -> bool:
    """Whether a statement was changed in this part of it.

    Args:
        code: the statement.
        changed: what is written in its place.
        part: the expression that is the operation: ``self.act(x + ops.sigmoid(y))``.

    Returns:
        False where another call is changed, which stands inside the part or elsewhere; True where
        that cannot be told.
    """
    tree, wanted = _parsed(code), _parsed(part)
    if tree is None or wanted is None or not isinstance(wanted.body[0], ast.Expr) or "\n" in code:
        return True
    begin = _alike(code, changed)
    left = _alike(code[begin:][::-1], changed[begin:][::-1])
    span = range(begin, len(code) - left)
    own = ast.dump(wanted.body[0].value)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    parts = [_columns(code, node) for node in nodes if ast.dump(node) == own]
    calls = [_columns(code, node) for node in nodes if isinstance(node, ast.Call)]
    return not parts or any(
        here.start <= span.stop
        and span.start <= here.stop
        and not any(
            here != call
            and here.start <= call.start <= span.start
            and span.stop <= call.stop <= here.stop
            and call.start < span.stop  # what is put in before a call changes none
            for call in calls
        )
        for here in parts
    )


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _columns(code: str, node: ast.expr) -> range:
    """Where it stands in a statement of one line."""
    raw = code.encode()
    return range(
        len(raw[: node.col_offset].decode()), len(raw[: node.end_col_offset or 0].decode())
    )


def _arithmetic(
    code: str, kind: str, names: Collection[str], number: float, part: Part | None
) -> str:
    """A number of the statement's is changed; where it has none, one is written before it."""
    signs = _SIGNS[kind]
    if part is not None:
        is_one = isinstance(part.node, ast.BinOp) and isinstance(part.node.op, signs)
        part = part if is_one else None
    part = _chain(code, signs) or part or call_in(code, names)
    if part is None:
        return ""
    literal = _literal(part)
    change: Callable[[Part, float], str] = _rescaled if kind == "scale" else _moved
    if literal is not None and (changed := change(literal, number)):
        return changed
    if kind == "scale":
        return part.replaced(f"{_written(number)} * {part.text}")
    sign = "-" if number < 0 else "+"
    return part.replaced(f"{part.text} {sign} {_written(abs(number))}")


def _chain(code: str, signs: tuple[type[ast.operator], ...]) -> Part | None:
    """The one chain of these operators; None where there are two apart from each other."""
    tree = _parsed(code)
    if tree is None:
        return None
    every = [n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, signs)]
    inner = {id(child) for n in every for child in (n.left, n.right)}
    outer = [n for n in every if id(n) not in inner]
    return Part(code, outer[0]) if len(outer) == 1 else None


def _literal(part: Part) -> Part | None:
    """The one number that is written out in a chain, if it is an operand of its last operator."""
    node = part.node
    if not isinstance(node, ast.BinOp):
        return None
    sides = [s for s in (node.left, node.right) if _is_number(s)]
    return Part(part.code, node) if len(sides) == 1 else None


def _is_number(node: ast.AST) -> TypeGuard[ast.Constant]:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    )


def _operands(part: Part) -> tuple[ast.expr, ast.Constant, bool, ast.operator] | None:
    """The other operand, the number, whether the number stands behind, and the operator."""
    node = part.node
    if not isinstance(node, ast.BinOp):
        return None
    for number, other, behind in ((node.right, node.left, True), (node.left, node.right, False)):
        if isinstance(number, ast.Constant):
            return other, number, behind, node.op
    return None


def _rescaled(part: Part, factor: float) -> str:
    found = _operands(part)
    if found is None:
        return ""
    _, number, behind, op = found
    value = float(number.value)  # type: ignore[arg-type]
    divides = isinstance(op, ast.Div) and behind
    return Part(part.code, number).replaced(_written(value / factor if divides else value * factor))


def _moved(part: Part, summand: float) -> str:
    found = _operands(part)
    if found is None:
        return ""
    other, number, behind, op = found
    value = float(number.value)  # type: ignore[arg-type]
    value = value - summand if isinstance(op, ast.Sub) and behind else value + summand
    if value == 0 and (behind or isinstance(op, ast.Add)):
        return part.replaced(ast.get_source_segment(part.code, other) or "")
    return Part(part.code, number).replaced(_written(value))


def _written(number: float) -> str:
    """As people write it: 2 and not 2.0; as few digits as say the same in float32."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    short = f"{number:.6g}"
    return short if abs(float(short) - number) <= 1e-9 * abs(number) else repr(number)
