"""A call in the syntax tree with another argument, without one, or on something else."""

from __future__ import annotations

import libcst as cst

from parity.checker.apply.slots import argument
from parity.checker.apply.source import around_last, uncommented
from parity.operations import code as lines


def is_method(call: cst.Call) -> bool:
    """See `parity.operations.code.is_method`."""
    parsed = lines.call(cst.Module([]).code_for_node(call))
    return parsed is not None and lines.is_method(parsed)


def operand_of(call: cst.CSTNode) -> cst.BaseExpression:
    """What a call of one thing is given."""
    assert isinstance(call, cst.Call)
    if is_method(call) and isinstance(call.func, cst.Attribute):
        return call.func.value
    value = call.args[0].value
    if isinstance(value, cst.List | cst.Tuple) and len(value.elements) == 1:
        return value.elements[0].value
    return value


def grouped(text: str) -> str:
    """An expression as an operand: in parentheses, where it needs them."""
    node = cst.parse_expression(text)
    plain = isinstance(node, cst.Name | cst.Call | cst.Attribute | cst.Subscript)
    return text if plain or list(getattr(node, "lpar", [])) else f"({text})"


def with_argument(call: cst.CSTNode, name: str, text: str) -> cst.Call:
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


def without_argument(call: cst.CSTNode, name: str) -> cst.Call:
    """A call without an argument."""
    assert isinstance(call, cst.Call)
    parsed = lines.call(cst.Module([]).code_for_node(call))
    gone = argument(call, name, lines.positions(parsed) if parsed else ())
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


def substituted(text: str, operand: cst.BaseExpression) -> cst.BaseExpression:
    """A function of ``x`` on something else."""
    new = cst.parse_expression(text)
    assert isinstance(new, cst.Call)
    first = new.args[0].with_changes(value=operand)
    return new.with_changes(args=[first, *new.args[1:]])
