"""Products of matrices: dense layers, matrix products, and Einstein's sums, which are either."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from parity.keras_side.checker import calls
from parity.keras_side.checker.marks import SOME


def matmul(t, call):
    """A product with a weight is a dense layer; another one is a product."""
    right = call.inputs[1]
    turned_left = bool(call.get("transpose_a") or call.get("adj_x"))
    turned = bool(call.get("transpose_b") or call.get("adj_y"))
    key = t.parameter(right)
    if key is not None and len(right.shape) == 2 and not turned_left and _free(t, key):
        units = int(right.shape[0 if turned else 1])
        axes = (1, 0) if turned else None
        shape = tuple(right.shape)[::-1] if turned else tuple(right.shape)
        roles = {"kernel": (key, 1, shape, axes)}
        settings = {"units": units, "bias": False}
        calls.with_weight(t, call, "dense", settings, 0, roles)
        return
    settings = {"transpose_left": turned_left, "transpose_right": turned, "scale": 1.0}
    calls.node(t, call, "matmul", settings, [0, 1])


def _free(t, key):
    """Whether a weight may become a kernel: one with another role already is taken as it is."""
    return t.weights[key].role in ("raw", "kernel")


def einsum(t, call):
    """A sum over one set of labels is a dense layer or a product, with axes moved."""
    equation = call.get("equation").replace(" ", "")
    plan = None if len(call.inputs) != 2 or "." in equation else EinsumPlan.of(equation)
    if plan is None:
        places = list(range(len(call.inputs)))
        calls.node(t, call, "einsum", {"equation": equation}, places)
        return
    left, right = call.inputs if not plan.swapped else call.inputs[::-1]
    operands = ((left, plan.left), (right, plan.right))
    for (x, mine), (weight, theirs) in (operands, operands[::-1]):
        key = t.parameter(weight)
        if key is not None and not plan.batch and _free(t, key):
            variables = {"kernel": t.weights[key].variable}
            turned = EinsumPlan(mine, theirs, plan.out)
            dense(t, turned, x, call.outputs[0], variables, function="dense")
            return
    a = _arranged(t, left, plan.left, plan.batch, plan.rows, plan.inner)
    b = _arranged(t, right, plan.right, plan.batch, plan.inner, plan.columns)
    y = call.outputs[0]
    order = [plan.out.index(label) for label in plan.natural]
    value = _merged(tf.transpose(y, order), plan.batch, plan.rows, plan.columns)
    settings = {"transpose_left": False, "transpose_right": False, "scale": 1.0}
    t.emit("matmul", settings, [a, b], [value], lambda xs: [xs[0] @ xs[1]], function="matmul")
    _output(t, value, y, order)


class EinsumPlan:
    """Labels of a sum of two operands: batch, rows, inner, columns."""

    def __init__(self, left, right, out):
        self.left, self.right, self.out = left, right, out
        self.batch = [c for c in out if c in left and c in right]
        self.rows = [c for c in out if c in left and c not in right]
        self.columns = [c for c in out if c in right and c not in left]
        self.inner = [c for c in right if c in left and c not in out]
        self.swapped = False

    @property
    def natural(self):
        """The order in which a product of matrices yields the labels."""
        return [*self.batch, *self.rows, *self.columns]

    @classmethod
    def of(cls, equation):
        """The plan of an equation, None where it is no product."""
        operands, _, out = equation.partition("->")
        left, _, right = operands.partition(",")
        if not out or len(set(left)) < len(left) or len(set(right)) < len(right):
            return None
        plan = cls(left, right, out)
        seen = [*plan.natural, *plan.inner]
        if set(left) - set(seen) or set(right) - set(seen) or not plan.inner:
            return None
        if plan.rows and plan.columns and out.index(plan.columns[0]) < out.index(plan.rows[0]):
            other = cls(right, left, out)
            other.inner, other.swapped = plan.inner, True
            return other
        return plan


def _arranged(t, x, labels, *groups):
    """A tensor with its axes grouped, known as the elements that it holds."""
    order = [labels.index(c) for group in groups for c in group]
    y = _merged(tf.transpose(x, order), *groups)
    ref = t.ref(x)
    ids = SOME if not t.detailed else calls.indices(ref).transpose(order).reshape(y.shape)
    t.moved(y, ref.root, ids)
    return y


def _merged(x, batch, *groups):
    """Every group of axes as one; those of the batch stay."""
    shape = list(x.shape[: len(batch)])
    at = len(batch)
    for group in groups:
        shape.append(math.prod(int(n) for n in x.shape[at : at + len(group)]))
        at += len(group)
    return tf.reshape(x, shape)


def _output(t, value, y, order):
    """What the operation returned is the node's value with its axes moved back."""
    root = t.ref(value).root
    shape = [int(y.shape[i]) for i in order]
    ids = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    ids = ids.transpose(np.argsort(order)) if order else ids
    t.moved(y, root, ids if t.detailed else SOME)


def dense(t, plan, x, y, variables, bias=True, **more):
    """An Einstein sum with a weight: a dense layer on axes moved last and joined.

    Returns:
        Whether it could be said so.
    """
    kernel = variables["kernel"]
    free = [c for c in plan.out if c in plan.left]
    order = [plan.left.index(c) for c in (*free, *plan.inner)]
    units = [c for c in plan.right if c not in plan.inner]
    width = math.prod(int(kernel.shape[plan.right.index(c)]) for c in units)
    depth = math.prod(int(kernel.shape[plan.right.index(c)]) for c in plan.inner)
    axes = tuple(plan.right.index(c) for c in (*plan.inner, *units))
    lead = [int(x.shape[plan.left.index(c)]) for c in free]
    with t.suspended():
        taken = tf.reshape(tf.transpose(x, order), [*lead, depth])
        ref = t.ref(x)
        ids = SOME if not t.detailed else calls.indices(ref).transpose(order).reshape(taken.shape)
        t.moved(taken, ref.root, ids)
        back = [plan.out.index(c) for c in (*free, *units)]
        value = tf.reshape(tf.transpose(y, back), [*lead, width])
    roles = {"kernel": (kernel, (depth, width), None if axes == (0, 1) else axes)}
    added = variables.get("bias")
    if added is not None:
        roles["bias"] = (added, (width,), None)

    def run(xs):
        matrix = tf.reshape(tf.transpose(tf.convert_to_tensor(kernel), axes), [depth, width])
        out = tf.tensordot(xs[0], matrix, 1)
        return [out if added is None else out + tf.reshape(tf.convert_to_tensor(added), [width])]

    settings = {"units": width, "bias": added is not None}
    t.emit("dense", settings, [taken], [value], run, parameters=roles, **more)
    _output(t, value, y, back)


RULES = {
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), matmul),
    "Einsum": einsum,
}
