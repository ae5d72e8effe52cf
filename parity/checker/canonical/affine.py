"""Arithmetic with numbers and constants: ``affine`` nodes, and the scale of a ``matmul``.

An ``affine`` has the settings ``scale`` and ``offset``, and gives ``scale·x + offset``. With
constant arrays it has ``steps`` instead, to be done in order: ``[operation, operand]``, the operand
a number, or ``{"source": k}``; operations ``add``, ``multiply``, ``subtract`` (x − c),
``subtract_from`` (c − x), ``divide`` (x / c).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.checker.canonical.drafts import Draft, DraftEdge, Drafts
from parity.checker.graph.graph import Source

Step = list[Any]
_POWERS = {2.0: "square", 0.5: "sqrt", -0.5: "rsqrt"}


def number_of(settings: dict[str, Any]) -> tuple[float | None, bool]:
    """The number of an operation with one, and whether it stands on the left."""
    left, scalar = settings.get("scalar_left"), settings.get("scalar")
    if left is True and isinstance(scalar, int | float):
        return float(scalar), True
    if isinstance(left, int | float) and not isinstance(left, bool):
        return float(left), True
    if isinstance(scalar, int | float):
        return float(scalar), False
    return None, False


def to_affine(drafts: Drafts, node: Draft, constants: frozenset[str]) -> bool:
    """One operation with a number or a constant array becomes an ``affine``."""
    if node.kind == "unary" and node.settings.get("name") in ("neg", "negative"):
        node.kind, node.settings = "affine", {"scale": -1.0, "offset": 0.0}
        return True
    if node.kind == "power":
        number, left = number_of(node.settings)
        if number in _POWERS and not left:
            node.kind, node.settings = "unary", {"name": _POWERS[number]}
            return True
        return False
    if node.kind not in ("add", "subtract", "multiply", "divide"):
        return False
    if _squared(drafts, node):
        node.kind, node.settings = "unary", {"name": "square"}
        drafts.rewire(node, node.edges[:1])
        return True
    number, left = number_of(node.settings)
    if number is not None and len(node.edges) == 1:
        return _with_number(node, number, left)
    return _with_array(drafts, node, constants)


def _squared(drafts: Drafts, node: Draft) -> bool:
    if node.kind != "multiply" or len(node.edges) != 2:
        return False
    one, other = (edge.source for edge in node.edges)
    return drafts.same_view(one, other) and tuple(one.shape) == tuple(node.values[0].shape)


def _with_number(node: Draft, number: float, left: bool) -> bool:
    match node.kind, left:
        case "add", _:
            scale, offset = 1.0, number
        case "subtract", False:
            scale, offset = 1.0, -number
        case "subtract", True:
            scale, offset = -1.0, number
        case "multiply", _:
            scale, offset = number, 0.0
        case "divide", False if number:
            scale, offset = 1.0 / number, 0.0
        case _:
            return False
    node.kind, node.settings = "affine", {"scale": scale, "offset": offset}
    return True


def _with_array(drafts: Drafts, node: Draft, constants: frozenset[str]) -> bool:
    if len(node.edges) != 2:
        return False
    fixed = [is_constant(drafts, edge, constants) for edge in node.edges]
    if fixed[0] == fixed[1]:
        return False
    operation = node.kind
    if fixed[0]:
        if operation == "divide":
            return False
        operation = "subtract_from" if operation == "subtract" else operation
        drafts.rewire(node, node.edges[::-1])
    # An affine yields what it takes, element by element; (n, 1) plus a constant (n, m) does not.
    if tuple(node.edges[0].source.shape) != tuple(node.values[0].shape):
        return False
    node.kind, node.settings = "affine", {"steps": [[operation, {"source": 1}]]}
    return True


def is_constant(drafts: Drafts, edge: DraftEdge, constants: frozenset[str]) -> bool:
    """Whether it is the same in every run and nothing trains it."""
    value = edge.source.value
    if value.startswith("parameter:"):
        parameter = drafts.parameters.get(value.removeprefix("parameter:"))
        return parameter is not None and not parameter.trainable
    return value.startswith("constant:") or value in constants


def steps_of(node: Draft) -> list[Step]:
    """Any ``affine`` as steps."""
    if "steps" in node.settings:
        return [list(step) for step in node.settings["steps"]]
    scale, offset = node.settings["scale"], node.settings["offset"]
    steps: list[Step] = [["multiply", scale]] if scale != 1 else []
    return [*steps, ["add", offset]] if offset != 0 else steps


def merge_affine(drafts: Drafts, node: Draft) -> bool:
    """Two in a row are one; one that changes nothing is none.

    ``(x / 255 − 0.5) · 2`` is one scale and one offset then, as a rescaling layer has. Nobody else
    may take what stands between, or it would be gone for them.
    """
    if node.kind != "affine":
        return False
    if node.settings.get("scale") == 1 and node.settings.get("offset") == 0:
        drafts.bypass(node)
        return True
    inner = drafts.producer(node.edges[0])
    if inner is None or inner.kind != "affine" or not drafts.only_user(inner, node):
        return False
    if drafts.taken(inner) != 1:
        return False
    source = node.edges[0].source
    if "steps" not in node.settings and "steps" not in inner.settings:
        a, b = inner.settings["scale"], inner.settings["offset"]
        c, d = node.settings["scale"], node.settings["offset"]
        node.settings = {"scale": a * c, "offset": b * c + d}
        composed = drafts.compose(source, inner.edges[0].source)
        drafts.absorb(node, inner, [DraftEdge(composed, inner.edges[0].marks)], inner)
        return True
    if not drafts.plain(source):
        return False
    shift = len(inner.edges) - 1
    moved: list[Step] = [
        [name, {"source": operand["source"] + shift} if isinstance(operand, dict) else operand]
        for name, operand in steps_of(node)
    ]
    node.settings = {"steps": [*steps_of(inner), *moved]}
    drafts.absorb(node, inner, [*inner.edges, *node.edges[1:]], inner)
    return True


def scale_matmul(drafts: Drafts, node: Draft) -> bool:
    """A factor next to a product of two values is the product's ``scale``.

    Attention divides the scores, or scales the queries, or the keys: ports ``scaled_keys`` and
    ``by_hand_and_built_in``. Left where it stands it would be an operation that one side lacks.
    """
    if node.kind == "matmul" and len(node.edges) == 2:
        return any(_scaled_operand(drafts, node, k) for k in (0, 1))
    factor = _factor(node)
    if factor is None:
        return False
    product = drafts.producer(node.edges[0])
    if (
        product is None
        or product.kind != "matmul"
        or not drafts.only_user(product, node)
        or drafts.taken(product) != 1
    ):
        return False
    operands, turned = product.edges, False
    if not drafts.plain(node.edges[0].source):
        # (q kᵀ)ᵀ is k qᵀ: the two change places, each transposed.
        if len(operands) != 2 or not _is_transposed(drafts, node.edges[0].source):
            return False
        operands, turned = [_transposed(drafts, e) for e in reversed(operands)], True
    edges = [*operands, *node.edges[1:]]
    settings = _scaled(product, node, 1)
    if turned:
        flags = [bool(settings.get(f"transpose_{side}")) for side in ("left", "right")]
        settings |= {"transpose_left": flags[1], "transpose_right": flags[0]}
    node.kind, node.settings = "matmul", settings
    drafts.absorb(node, product, edges, product)
    return True


def _is_transposed(drafts: Drafts, source: Source) -> bool:
    """Whether a root is seen with its last two axes exchanged."""
    shape = drafts.shapes.get(source.value, ())
    if len(shape) < 2 or not source.ids:
        return False
    every = np.arange(int(np.prod(shape))).reshape(shape)
    return np.array_equal(drafts.picks(source), every.swapaxes(-1, -2))


def _transposed(drafts: Drafts, edge: DraftEdge) -> DraftEdge:
    picks = drafts.picks(edge.source).swapaxes(-1, -2)
    return DraftEdge(drafts.view(edge.source.value, picks), edge.marks)


def _factor(node: Draft) -> float | None:
    """The number an ``affine`` multiplies with; 1 where it is a constant array of one element."""
    if node.kind != "affine":
        return None
    if "steps" not in node.settings:
        return node.settings["scale"] if node.settings["offset"] == 0 else None
    # Of a constant array one element only: a factor for each score is a mask.
    only_factors = all(step[0] in ("multiply", "divide") for step in node.settings["steps"])
    single = all(max((*e.source.shape, 1)) == 1 for e in node.edges[1:])
    return 1.0 if only_factors and single else None


def _scaled(product: Draft, affine: Draft, first: int) -> dict[str, Any]:
    """Settings of a product that takes in a factor; constant arrays go behind its sources."""
    settings = {**product.settings, "scale": product.settings.get("scale", 1.0)}
    if "steps" not in affine.settings:
        settings["scale"] *= affine.settings["scale"]
        return settings
    shift = len(product.edges) - first
    steps: list[Step] = list(settings.get("scale_steps", []))
    for name, operand in affine.settings["steps"]:
        if isinstance(operand, dict):
            steps.append([name, {"source": operand["source"] + shift}])
        else:
            settings["scale"] *= operand if name == "multiply" else 1.0 / operand
    settings["scale_steps"] = steps
    return settings


def _scaled_operand(drafts: Drafts, node: Draft, k: int) -> bool:
    affine = drafts.producer(node.edges[k])
    if affine is None or _factor(affine) is None or not drafts.only_user(affine, node):
        return False
    if drafts.taken(affine) != 1:
        return False
    node.settings = _scaled(node, affine, 1)
    inner = affine.edges[0]
    composed = DraftEdge(
        drafts.compose(node.edges[k].source, inner.source), (*inner.marks, *node.edges[k].marks)
    )
    edges = [*node.edges[:k], composed, *node.edges[k + 1 :], *affine.edges[1:]]
    drafts.absorb(node, affine, edges, node)
    return True
