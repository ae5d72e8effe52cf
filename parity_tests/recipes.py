"""What the rows of the known differences say to write, run on the rows' own inputs, on one side.

``python -m parity_tests.recipes torch`` prints, as JSON, what came out by row: ``error``, or
``value`` where the last line is an expression that gives numbers. Of the section `gradients` the
value is the gradient, of a schedule the rates of the first steps.
"""

import ast
import json
import sys
import traceback

import numpy as np

from parity.core import axis_layouts
from parity.core.sides import side_named
from parity.spec.expected import numbers
from shared.differences import SECTIONS

# What recipes mention beside the inputs of their rows.
MORE = {
    "argument_order": {"y": np.ones((2, 1)), "target": np.zeros((2, 1))},
    "dense_kernel_layout": {"weight": np.zeros((5, 4))},
    "conv_kernel_layout": {"weight": np.zeros((5, 4, 3, 2))},
    "conv_transpose_kernel_layout": {"weight": np.zeros((4, 5, 3, 2))},
    "depthwise_kernel_layout": {"weight": np.zeros((8, 1, 3, 2))},
    "gru_gates": {"weight": np.zeros((3, 1))},
}
STEPS = 7


def inputs(row, side):
    """Name → array, as the side has its axes."""
    floating = {name: numbers(value).astype("float32") for name, value in row.inputs.items()}
    found = floating | {name: np.array(value) for name, value in row.integers.items()}
    return {name: _axes(array, row, name, side, own=True) for name, array in found.items()}


def _axes(array, row, name, side, *, own):
    layout = axis_layouts.LAYOUTS.get(row.roles.get(name, ""))
    if layout is None or side == "keras" or array.ndim != len(layout.keras.split()):
        return array
    return axis_layouts.permute(array, *((layout.keras, layout.torch)[:: 1 if own else -1]))


def run(code, names):
    """Run lines; the value of the last one, if it is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<recipe>", "exec"), names)
    if last is not None:
        return eval(compile(ast.Expression(last.value), "<recipe>", "eval"), names)
    return None


def torch_value(row, code, is_gradient):
    """What lines of PyTorch give."""
    import torch
    from torch import nn

    model = nn.Linear(4, 3)
    loss = model(torch.ones(1, 4)).sum()
    loss.backward(retain_graph=True)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1.0, momentum=0.5)
    optimizer.step()
    names = {
        **{"torch": torch, "nn": nn, "F": nn.functional, "np": np, "model": model, "loss": loss},
        **{"optimizer": optimizer, "steps": 2, "old": 1.0, "new": 0.1, "mask": torch.eye(2) > 0},
        "scheduler": torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5),
    }
    tensors = {n: torch.from_numpy(np.array(a)) for n, a in inputs(row, "torch").items()}
    tensors |= {name: torch.from_numpy(array) for name, array in MORE.get(row.name, {}).items()}
    x = tensors.get("x")
    if is_gradient and x is not None:
        x.requires_grad_()
    value = run(code, names | tensors)
    if isinstance(value, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return None
    if isinstance(value, torch.optim.lr_scheduler.LRScheduler):
        return rates_of(value, optimizer)[: np.size(row.keras)]
    if not isinstance(value, torch.Tensor):
        return None
    if is_gradient and value.requires_grad:
        (value,) = torch.autograd.grad(value.sum(), x)
    return value.detach().numpy()


def rates_of(scheduler, optimizer):
    """The rates of the first steps."""
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


def keras_value(row, code, is_gradient):
    """What lines of Keras give."""
    import keras
    import tensorflow as tf

    optimizer = keras.optimizers.RMSprop(1.0, momentum=0.5)
    variable = keras.Variable(np.zeros(2, "float32"))
    optimizer.apply([tf.ones(2)], [variable])
    names = {
        **{"keras": keras, "tf": tf, "np": np, "optimizer": optimizer, "old": 1.0, "new": 0.1},
        **{"gradient": tf.ones(1), "mask": tf.constant([[[True, False], [True, False]]])},
    }
    more = MORE.get(row.name, {})
    names |= {n: tf.constant(a) for n, a in inputs(row, "keras").items()} | more
    with tf.GradientTape() as tape:
        if is_gradient and "x" in row.inputs:
            tape.watch(names["x"])
        value = run(code, names)
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return np.array([float(value(step)) for step in range(np.size(row.torch))])
    if not tf.is_tensor(value):
        return None
    if is_gradient:
        value = tf.convert_to_tensor(tape.gradient(value, names["x"]))
    return value.numpy()


def main(side):
    """Run every recipe of a side."""
    value_of = {"torch": torch_value, "keras": keras_value}[side]
    found = {}
    for section in SECTIONS:
        for row in section.rows:
            code = row.recipes[side]
            if not isinstance(code, str):
                continue
            try:
                value = value_of(row, code, section.name == "gradients")
            except Exception:
                found[row.name] = {"error": traceback.format_exc(limit=-1)}
                continue
            if value is not None:
                value = _axes(value, row, "given", side, own=False).tolist()
            found[row.name] = {"value": value}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(side_named(sys.argv[1]))
