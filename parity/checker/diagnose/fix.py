"""The corrected line: a node's own code with the setting that the other side has.

What a kind of operation says of its own is in its file (`Operation.corrected`); here stands what
holds of any: a setting that is one argument, another operation altogether, one too many or missing,
operands that changed places, a statement around the operation, and words where no line says it.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.diagnose.settings import canonical
from parity.checker.diagnose.statement_edit import (
    bypassed,
    call_in,
    expression_in,
    is_nothing,
    is_statement,
    named_in,
    number_in,
    on_its_argument,
    operands_of,
    operation_in,
    root_of_sum,
    scaled,
    shifted,
    sum_of_root,
    written_in,
)
from parity.checker.graph.graph import Node
from parity.core.sides import Side
from parity.diagnosis.constants import ROUNDED, numbers, undone
from parity.diagnosis.edits import Insertion, Replacement, Wrapping
from parity.operations import activation, windows
from parity.operations.code import argument, call, changed, function_name, named_as
from parity.operations.known import operation
from parity.operations.operation import Correct, WrittenOperation, with_arguments

Array = NDArray[Any]

_FLOATS = ("float64", "float32", "float16", "bfloat16")
"""What a layer of Keras may be told to compute in."""


def fix(
    kind: str,
    node: Node,
    other: Node,
    side: Side,
    *,
    wanted: str = "",
    present: str = "",
    executed: str = "",
) -> str:
    """The line of `node`, corrected so that it does what `other` does.

    Args:
        kind: of the cause.
        node: the one whose line is wrong; for ``extra_layer`` the layer that is too many, for
            ``missing_layer`` the one before which the layer belongs.
        other: its counterpart, which is right; for ``missing_layer`` the layer itself.
        side: the framework of `node`.
        wanted: what was found on the other side, in words, where its settings do not tell.
        present: what was found on this side, in words.
        executed: the expression of a statement that is the operation, where that is known.

    Returns:
        One line, or a few with what must stand before it, to be pasted in place of the line that
        is there; a comment where no argument and no operand of it can say so; '' where there is
        nothing to say.
    """
    if is_statement(node.code):
        text = _in_statement(kind, node, other, side, (wanted, present, executed))
        text = text or _with_number(kind, node, wanted, present)
    else:
        text = _corrected(kind, _as_written(node), _as_written(other), side)
        text = text if text != node.code else ""
        if kind == "precision" and wanted in _FLOATS and node.code.startswith("layers."):
            text = changed(node.code, {"dtype": wanted})
        text = text or _behind(kind, node, side, wanted, present)
    return text if text and text != node.code else _in_words(kind, node, wanted, present)


def _corrected(kind: str, mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """The line as the operation says it, or else as any does; '' where neither can."""
    for correct in (operation(mine.kind).corrected.get(kind), _OF_ANY.get(kind)):
        line = correct(mine, other, side) if correct is not None else None
        if line is not None:
            return line
    return _with_arguments(kind, mine, other, side)


def _as_written(node: Node) -> WrittenOperation:
    first = node.sources[0] if node.sources else None
    return WrittenOperation(
        kind=node.kind,
        name=node.name,
        code=node.code,
        settings=canonical(node),
        shape=first.shape if first else (),
        moved=bool(first and first.ids),
    )


def _with_arguments(kind: str, mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """The line with the settings of this cause that are one argument each."""
    settings = operation(mine.kind).settings
    return with_arguments({k: s for k, s in settings.items() if s.cause == kind}, mine, other, side)


def follows(node: Node, other: Node) -> bool:
    """Whether the line works its padding out, and as the other's with the other's window."""
    return windows.follows(_as_written(node), _as_written(other))


def _in_statement(
    kind: str, node: Node, other: Node, side: Side, told: tuple[str, str, str]
) -> str:
    """The user's statement with the operation in it corrected."""
    names = _called(node)
    wanted, present, executed = told
    if kind == "epsilon" and wanted in _ROOTS:
        return _ROOTS[wanted](node.code)
    change, known = _change(kind, wanted, present), expression_in(node.code, executed)
    if change is not None:
        return (scaled if kind == "scale" else shifted)(node.code, names, change, known)
    mine, theirs = replace(_as_written(node), alone=False), _as_written(other)
    part = known if known and isinstance(known.node, ast.Call) else call_in(node.code, names)
    sum_ = known if known and isinstance(known.node, ast.BinOp) else operation_in(node.code, names)
    if part is None and kind == "operation" and sum_:
        made = _corrected(kind, replace(mine, code=sum_.text), theirs, side)
        line = on_its_argument(sum_, made)
        return sum_.replaced(line) if line else ""
    if part is None:
        whole = kind in ("scale", "offset", "constant", "order")
        return _corrected(kind, mine, theirs, side) if whole else ""
    text = _corrected(kind, replace(mine, code=part.text), theirs, side)
    if not text or text == part.text or "\n" in text:
        return ""
    same = function_name(text) == function_name(part.text)
    if same and re.match(r"[\w.]+\(x[,)]", text) and kind == "activation":
        settings = {k: v for k, v in theirs.settings.items() if k not in ("name", "channels")}
        slope = settings.pop("slope", None)
        settings |= {} if slope is None else {"negative_slope": slope}
        if side == "torch" and "approximate" in settings:
            settings["approximate"] = "tanh" if settings["approximate"] else "none"
        text = changed(part.text, settings)
    elif not same and not _on_the_same(text, part.text):
        text = on_its_argument(part, text)
    return part.replaced(text) if text else ""


def _with_number(kind: str, node: Node, wanted: str, present: str) -> str:
    """The statement with another number, where it has this one in one place: an epsilon's name."""
    right, stands = _number_in(wanted), _number_in(present)
    if kind != "epsilon" or right is None or stands is None:
        return ""
    part = number_in(node.code, stands) or named_in(node.code, "eps")
    return part.replaced(wanted) if part is not None else ""


def _on_the_same(line: str, other: str) -> bool:
    """Whether two calls are given the same."""
    given = [
        (ast.dump(ast.List(c.args)), [ast.dump(k) for k in c.keywords])
        for c in map(call, (line, other))
        if c is not None
    ]
    return len(given) == 2 and given[0] == given[1]


def _called(node: Node) -> set[str]:
    """What the function may be called that a user wrote for a node."""
    last = re.sub(r"_\d+$", "", node.name.rpartition(".")[2])
    words = {
        last,
        node.kind,
        str(node.settings.get("name", "")),
        str(node.settings.get("mode", "")),
    }
    return words - {""}


def _change(kind: str, wanted: str, present: str) -> float | None:
    """By which factor, or by how much, an operation's output is off."""
    try:
        left, right = float(wanted), float(present)
    except ValueError:
        return None
    if kind == "scale":
        return left / right if right else None
    return left - right if kind == "offset" else None


def _behind(kind: str, node: Node, side: Side, wanted: str, present: str) -> str:
    """A factor or a summand that no argument of a layer reaches, as a layer behind it."""
    if function_name(node.code) == "Rescaling":
        return _rescaled(kind, node.code, wanted, present)
    change = _change(kind, wanted, present)
    if change is None or side != "keras" or not node.code.startswith("layers."):
        return ""
    more = f"layers.Rescaling({change!r})"
    if kind == "offset":
        more = f"layers.Rescaling(1.0, offset={change!r})"
    return f"{node.code}\n{more}"


def _rescaled(kind: str, code: str, wanted: str, present: str) -> str:
    """Other numbers of a layer that multiplies and adds, so that it gives what is wanted."""
    parsed = call(code)
    assert parsed is not None
    given = {k.arg: k.value for k in parsed.keywords}
    given |= dict(zip(("scale", "offset"), parsed.args, strict=False))
    try:
        scale, offset = (
            float(ast.literal_eval(given[word])) if word in given else default
            for word, default in (("scale", 1.0), ("offset", 0.0))
        )
    except ValueError:
        return ""
    both = re.fullmatch(r"(\S+), and (\S+) added", present)
    if both and re.fullmatch(r"1(\.0)?", wanted):  # what it gives, of what it should give
        factor, more = float(both[1]), float(both[2])
        scale, offset = scale / factor, (offset - more) / factor
    elif (change := _change(kind, wanted, present)) is None:
        return ""
    elif kind == "scale":
        scale, offset = scale * change, offset * change
    else:
        offset += change
    arguments = {"scale": float(f"{scale:.12g}"), "offset": float(f"{offset:.12g}")}
    return changed(
        code, {k: v for k, v in arguments.items() if k in given or (k, v) != ("offset", 0)}
    )


def with_table(node: Node, at: int, mine: Array, theirs: Array, executed: str = "") -> str:
    """The line of an operation that takes another table, with the right one.

    Args:
        node: the one whose line is wrong.
        at: number of the operand that is the table.
        mine: the right table.
        theirs: the one that it takes.
        executed: as of `fix`.

    Returns:
        '' where no short code says it, or the table is not seen in the line.
    """
    if not is_statement(node.code):
        return _with_list(node.code, mine, theirs)
    part, template = expression_in(node.code, executed), undone(mine, theirs)
    given = operands_of(part) if part is not None else []
    if not template or len(given) != len(node.sources):
        return ""
    return written_in(given[at], template)


def _with_list(code: str, mine: Array, theirs: Array) -> str:
    """The call with other numbers in the list that its table is made of, or is the root of."""
    parsed = call(code)
    for keyword in parsed.keywords if parsed else ():
        try:
            given = np.asarray(ast.literal_eval(keyword.value), np.float64)
        except (ValueError, TypeError):
            continue
        if given.ndim != 1 or given.size != theirs.size:
            continue
        for made, back in ((np.positive, np.positive), (np.sqrt, np.square)):
            with np.errstate(invalid="ignore"):
                fits = np.allclose(made(given), theirs.reshape(-1), rtol=ROUNDED)
            if fits:
                return changed(code, {str(keyword.arg): f"={numbers(back(mine.reshape(-1)))}"})
    return ""


def shared_line(layers: Sequence[str], count: int, *, shared: bool) -> str:
    """What to change where one layer is used several times, or several are.

    Args:
        layers: of Keras.
        count: so often the weight is used.
        shared: whether it must be one.
    """
    if shared:
        return f"# {' and '.join(layers)} must be one layer, made once and called {count} times"
    return f"# {layers[0]} must be {count} layers of their own, one for each call"


def without(node: Node, executed: str = "", kept: int = 0) -> str:
    """What to change where a step is too many: only an activation goes, its layer stays.

    Args:
        node: the step.
        executed: as of `fix`.
        kept: which of its operands goes on in its place.
    """
    code = node.code
    if node.kind == "activation" and argument(code, "activation") is not None:
        return changed(code, {"activation": None})
    if not is_statement(code):
        return f"# without {code or node.name}"
    part = expression_in(code, executed) or call_in(code, _called(node))
    line = bypassed(part, kept, len(node.sources)) if part is not None else ""
    if is_nothing(line):
        return f"# without {code}"
    return line or f"# without the {_called_so(node)} in: {code}"


def inserted(node: Node, place: Insertion, side: Side = "keras") -> Insertion | None:
    """What to write where a step of the other side is missing.

    Args:
        node: the step, as the other side has it.
        place: where it belongs, without its line.
        side: whose line is to be written.

    Returns:
        None where there is no short way to say the step, or what it takes is not known here.
    """
    line = _layer(_as_written(node), side)
    live = [s for s in node.sources if not s.value.startswith("constant:")]
    if not line or (len(live) > 1 and len(place.operands) < 2):
        return None
    return replace(place, line=line)


def inserted_in_words(node: Node, place: Insertion) -> str:
    """The same where no line says it."""
    return f"{place.text.strip()}, as in PyTorch: {node.code or node.kind}"


def _called_so(node: Node) -> str:
    """What an operation in a statement is called: ``power``, ``add``."""
    return re.sub(r"_\d+$", "", node.name.rpartition(".")[2]) or node.kind


def _in_words(kind: str, node: Node, wanted: str, present: str = "") -> str:
    """Where no line can be written: what to change in the one that is there."""
    advice = {
        "kernel_order": "its kernel's elements must stand in this order",
        "gate_order": "its gates must stand in this order",
        "order": "its operands must stand in this order",
        "scale": "its output must be multiplied by",
        "offset": "to its output must be added",
        "activation": "its activation must be",
        "padding": "its padding must be",
        "wiring": "it must take",
        "constant": "it must take",
        "precision": "it must compute in",
        "dropout": "dropout must be",
        "direction": "it must run",
        "epsilon": "its epsilon must be",
        "bias": "bias:",
        "affine": "it must have",
        "axis": "its axis must be",
        "initial_state": "its initial state must be",
        "pooling": "it must be",
        "normalisation": "it must be",
        "operation": "it must be",
        "resize": "it must be",
        "padding_counted": "counts padding:",
        "mask": "its mask must be",
        "missing_layer": "must be",
        "extra_layer": "must be",
        "units": "its width must be",
        "reset_after": "resets after the product:",
        "momentum": "its momentum must be",
    }.get(kind)
    if not node.code:
        return ""
    if kind == "flatten_order":
        return f"# {node.code}: its numbers stand as {present}, and must stand as PyTorch's"
    if kind == "wiring":
        return f"# {node.code}: take what {wanted} is on the other side instead of {present}"
    if not advice or not wanted or wanted == "as stated":
        return ""
    if kind == "constant" and "×" in wanted:
        return f"# {node.code}: the table must be {wanted} of the other side; here: {present}"
    neutral = {"scale": 1.0, "offset": 0.0}.get(kind)
    stands, right = _number_in(present), _number_in(wanted)
    if neutral is not None and right is not None and stands not in (None, neutral):
        what = "factor" if kind == "scale" else "summand"
        return f"# {node.code}: the {what} {present} in it must be {wanted}"
    unsaid = "" if is_statement(node.code) else " (no argument says so)"
    return f"# {node.code}: {advice} {wanted}{unsaid}"


def _number_in(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        return float(text)
    return None


def replaced_activation(node: Node, other: Node, side: Side, text: str) -> Replacement | None:
    """The other activation in place of one that a statement calls by a name of its own.

    Args:
        node, other, side: as of `fix`.
        text: what people are told.
    """
    kinds = {node.kind, other.kind}
    if kinds != {"activation"} or not is_statement(node.code) or canonical(other).get("axis"):
        return None
    return Replacement(node.name, activation.line(canonical(other), side), text)


def wrapped(kind: str, node: Node, text: str, wanted: str, present: str) -> Wrapping | None:
    """A factor or summand of what an operation gives, where its statement has no place for one.

    Args:
        kind, node, wanted, present: as of `fix`.
        text: what people are told.
    """
    change = _change(kind, wanted, present)
    if change is None or not is_statement(node.code):
        return None
    return Wrapping(node.name, f"x {'*' if kind == 'scale' else '+'} {change!r}", text)


def _layer(made: WrittenOperation, side: Side) -> str:
    """An operation as a layer of a framework; '' where there is no short way to say it."""
    line = operation(made.kind).lines.get(side)
    return line(made.settings, made.shape) if line else ""


def _another(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """All of the other operation, written for this framework."""
    return named_as(mine.code, _layer(other, side)) if mine.kind != other.kind else ""


def _missing(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    line = _layer(other, side) or f"# what {other.code or other.kind} does"
    return f"{line}\n{mine.code}" if mine.code else line


def _extra(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    return f"# remove: {mine.code}"


def _axis(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """Along which axis, where the line counts the axes as its operation does."""
    return "" if mine.moved else _with_arguments("axis", mine, other, side)


def _flatten(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    if side == "keras":
        return f"layers.Permute((3, 1, 2))\nlayers.Flatten()\n{mine.code}"
    return f"x = x.permute(0, 2, 3, 1).flatten(1)\n{mine.code}"


def _order(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """Two operands change places, as two arguments, a list of two, or around a sign."""
    if re.search(r"\bif\b", mine.code):
        return ""  # which branch was taken, the line does not tell
    operands = re.fullmatch(r"(.*[(\[])\s*(\w[\w.]*)\s*,\s*(\w[\w.]*)\s*([)\]].*)", mine.code)
    if operands:
        return "{0}{2}, {1}{3}".format(*operands.groups())
    operands = re.fullmatch(r"\s*(\w[\w.]*)\s*([-/@]|\*\*)\s*(\w[\w.]*)\s*", mine.code)
    return "{2} {1} {0}".format(*operands.groups()) if operands else ""


_ROOTS = {"under the root": root_of_sum, "added to the root": sum_of_root}
"""Where an epsilon belongs → a statement with it there."""

_OF_ANY: Mapping[str, Correct] = {
    "pooling": _another,
    "normalisation": _another,
    "operation": _another,
    "axis": _axis,
    "missing_layer": _missing,
    "extra_layer": _extra,
    "flatten_order": _flatten,
    "order": _order,
}
"""Kind of cause → its corrected line for an operation that says nothing of its own."""
