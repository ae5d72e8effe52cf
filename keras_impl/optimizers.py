"""Eleven optimizers on one fixed sequence of gradients, from 1e-12 to 1 in a hundred steps.

Twin: pytorch_impl/optimizers.py
Look at: every function follows Keras' own optimizer (`native`, `keras`) and PyTorch's equation,
written out in `PyTorch` below (`torch`). Then `rate_change`, `weight_decay`, `clipping` and
`schedules`, where the same argument means two things.
"""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras import optimizers as optim
from keras.optimizers import schedules as lr_schedules

from shared.plots import Plots

SLOTS = {
    "momentum": "m",
    "velocity": "v",
    "velocity_hat": "v_max",
    "norm": "u",
    "buffer": "velocity",
    "accumulator": "sum",
    "accumulated_grad": "v",
    "accumulated_delta_var": "delta",
    "variable": "mu_product",  # Nadam's own, which has no name
}
SGD_SLOTS = {"momentum": "velocity"}
ROWS = (1, 2, 10, 100)


class PyTorch:
    """PyTorch's equations, written out: weights `w`, gradient `g`, state `s`, step `t` from 1.

    Each gives the new weights and keeps what it needs in the state; constants are PyTorch's
    defaults.
    """

    @staticmethod
    def sgd(w, g, s, t, lr=1e-3, momentum=0.0, nesterov=False):
        """The velocity holds gradients, the learning rate outside."""
        if not momentum:
            return w - lr * g
        s["velocity"] = momentum * s.get("velocity", 0.0) + g
        return w - lr * (g + momentum * s["velocity"] if nesterov else s["velocity"])

    @staticmethod
    def adam(w, g, s, t, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, l2=0.0, decay=0.0, amsgrad=False):
        """ε is added after the bias correction; `decay` makes it AdamW, `l2` is `weight_decay`."""
        g = g + l2 * w
        s["m"] = m = s.get("m", 0.0) + (1 - b1) * (g - s.get("m", 0.0))
        s["v"] = v = s.get("v", 0.0) + (1 - b2) * (g**2 - s.get("v", 0.0))
        if amsgrad:
            s["v_max"] = v = ops.maximum(s.get("v_max", 0.0), v)
        root = ops.sqrt(v) / (1 - b2**t) ** 0.5 + eps
        return w * (1 - lr * decay) - lr / (1 - b1**t) * m / root

    @staticmethod
    def rmsprop(w, g, s, t, lr=1e-2, rho=0.99, eps=1e-8):
        """ε is outside the root."""
        s["v"] = rho * s.get("v", 0.0) + (1 - rho) * g**2
        return w - lr * g / (ops.sqrt(s["v"]) + eps)

    @staticmethod
    def adagrad(w, g, s, t, lr=1e-2, eps=1e-10):
        """ε is outside the root, and the sum of squares starts at 0."""
        s["sum"] = s.get("sum", 0.0) + g**2
        return w - lr * g / (ops.sqrt(s["sum"]) + eps)

    @staticmethod
    def adadelta(w, g, s, t, lr=1.0, rho=0.9, eps=1e-6):
        """The same as Keras' with other constants."""
        s["v"] = rho * s.get("v", 0.0) + (1 - rho) * g**2
        before = s.get("delta", ops.zeros_like(g))
        delta = ops.sqrt(before + eps) / ops.sqrt(s["v"] + eps) * g
        s["delta"] = rho * before + (1 - rho) * delta**2
        return w - lr * delta

    @staticmethod
    def adamax(w, g, s, t, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
        """ε is inside the largest gradient."""
        s["m"] = s.get("m", 0.0) + (1 - b1) * (g - s.get("m", 0.0))
        s["u"] = ops.maximum(b2 * s.get("u", ops.zeros_like(g)), ops.abs(g) + eps)
        return w - lr / (1 - b1**t) * s["m"] / s["u"]

    @staticmethod
    def nadam(w, g, s, t, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
        """The momentum warms up as 0.96^(0.004·t)."""
        now, following = (b1 * (1 - 0.5 * 0.96 ** (0.004 * step)) for step in (t, t + 1))
        s["mu_product"] = s.get("mu_product", ops.ones((), dtype=w.dtype)) * now
        s["m"] = s.get("m", 0.0) + (1 - b1) * (g - s.get("m", 0.0))
        s["v"] = s.get("v", 0.0) + (1 - b2) * (g**2 - s.get("v", 0.0))
        ahead = following / (1 - s["mu_product"] * following) * s["m"]
        ahead = ahead + (1 - now) / (1 - s["mu_product"]) * g
        return w - lr * ahead / (ops.sqrt(s["v"] / (1 - b2**t)) + eps)


def follow(optimizer, weights, gradients, rate=None):
    """Weights and state after 1, 2, 10 and 100 steps, one row each."""
    rows = []
    for step, gradient in enumerate(gradients, 1):
        if rate is not None:
            optimizer.learning_rate = rate(step)
        optimizer.apply([gradient], [weights])
        if step in ROWS:
            row = {"weights": ops.copy(weights.value)}
            for slot in optimizer.variables[2:]:  # after the step counter and the learning rate
                name = slot.name.removeprefix("w_").rstrip("_0123456789")
                names = SGD_SLOTS if isinstance(optimizer, optim.SGD) else SLOTS
                row[names.get(name, name)] = ops.cast(ops.copy(slot.value), weights.dtype)
            rows.append(row)
    return {name: ops.stack([row[name] for row in rows]) for name in rows[0]}


def follow_equation(change, weights, gradients, rate=None):
    """The same for an equation."""
    state, rows = {}, []
    for step, gradient in enumerate(gradients, 1):
        how = {} if rate is None else {"lr": rate(step)}
        weights = change(weights, gradient, state, step, **how)
        if step in ROWS:
            rows.append({"weights": weights, **state})
    return {name: ops.stack([row[name] for row in rows]) for name in rows[0]}


def both(own, other, w, gradients):
    """The framework's own optimizer and the other's equation, from the same weights."""
    weights = keras.Variable(w, name="w")
    found = follow(own(), weights, gradients)
    runs = {f"{name}/{key}": value for name in ("native", "keras") for key, value in found.items()}
    across = follow_equation(other, w, gradients)
    return runs | {f"torch/{key}": value for key, value in across.items()}


def sgd(w, gradients):
    """w ← w − lr·g. The same equation; lr is 1e-3 in PyTorch, 1e-2 in Keras."""
    return both(optim.SGD, PyTorch.sgd, w, gradients)


def momentum(w, gradients):
    """The buffer gathers gradients in PyTorch and steps, −lr·gradient, in Keras."""
    own, other = partial(optim.SGD, momentum=0.9), partial(PyTorch.sgd, momentum=0.9)
    return both(own, other, w, gradients)


def nesterov(w, gradients):
    """Momentum that looks one step ahead."""
    how = {"momentum": 0.9, "nesterov": True}
    return both(partial(optim.SGD, **how), partial(PyTorch.sgd, **how), w, gradients)


def adam(w, gradients):
    """The same moments, two updates: epsilon after the bias correction or before it."""
    return both(optim.Adam, PyTorch.adam, w, gradients)


def amsgrad(w, gradients):
    """Adam that divides by the largest second moment so far."""
    own, other = partial(optim.Adam, amsgrad=True), partial(PyTorch.adam, amsgrad=True)
    return both(own, other, w, gradients)


def adamw(w, gradients):
    """Adam with decoupled weight decay: 0.01 in PyTorch, 0.004 in Keras."""
    return both(optim.AdamW, partial(PyTorch.adam, decay=0.01), w, gradients)


def rmsprop(w, gradients):
    """Epsilon outside the root in PyTorch, inside in Keras; other lr and decay."""
    return both(optim.RMSprop, PyTorch.rmsprop, w, gradients)


def adagrad(w, gradients):
    """Epsilon outside or inside the root; the sum starts at 0 or 0.1; lr is 0.01 and 0.001."""
    return both(optim.Adagrad, PyTorch.adagrad, w, gradients)


def adadelta(w, gradients):
    """One equation; lr is 1 in PyTorch and 0.001 in Keras, rho 0.9 and 0.95."""
    return both(optim.Adadelta, PyTorch.adadelta, w, gradients)


def adamax(w, gradients):
    """Epsilon inside the largest gradient or added to it when dividing; lr is 0.002 and 0.001."""
    return both(optim.Adamax, PyTorch.adamax, w, gradients)


def nadam(w, gradients):
    """Nesterov's Adam: Keras' momentum warms up 250 times as fast; lr is 0.002 and 0.001."""
    return both(optim.Nadam, PyTorch.nadam, w, gradients)


def rate_change(w, gradients):
    """Momentum with lr 0.5, and 0.0625 from step 6 on: what the past is worth then."""

    def rate(step):
        return 0.5 if step < 6 else 0.0625

    weights = keras.Variable(w, name="w")
    own = follow(optim.SGD(momentum=0.875), weights, gradients, rate)
    other = follow_equation(partial(PyTorch.sgd, momentum=0.875), w, gradients, rate)
    return {"native": own["weights"], "torch": other["weights"], "keras": own["weights"]}


def weight_decay(w, gradients):
    """Adam with decay 0.01: in the gradient (L2), or of the weights (the argument here).

    In the gradient, a regulariser `L2(0.005)` on the layer adds the same 0.01·w.
    """
    weights = keras.Variable(w, name="w")
    coupled = follow_equation(partial(PyTorch.adam, l2=0.01), w, gradients)
    decoupled = follow_equation(partial(PyTorch.adam, decay=0.01), w, gradients)
    return {
        "native": follow(optim.Adam(weight_decay=0.01), weights, gradients)["weights"],
        "coupled": coupled["weights"],
        "decoupled": decoupled["weights"],
    }


def clipping(a, b):
    """Two gradients of norm 5 and 12, together 13; each way of clipping, by the optimizer."""

    def clipped(**how):
        variables = [keras.Variable(ops.zeros_like(gradient)) for gradient in (a, b)]
        optim.SGD(learning_rate=1.0, **how).apply([a, b], variables)
        return 0.0 - ops.concatenate([variable.value for variable in variables])

    return {
        "by_value": clipped(clipvalue=3.5),
        "global_norm": clipped(global_clipnorm=6.5),
        "each_norm": clipped(clipnorm=6.0),
    }


def schedules(rate):
    """The learning rate of eight steps, from 1: a schedule is a function of the step."""
    first = float(rate)
    halves = [first, first / 2, first / 4]

    def rates(schedule):
        # The schedules compute in float32 whatever the precision of the run.
        return ops.stack([ops.cast(schedule(step), rate.dtype) for step in range(8)])

    return {
        "halved_every_step": rates(lr_schedules.ExponentialDecay(first, 1, 0.5)),
        "steps_at_2_and_4": rates(lr_schedules.PiecewiseConstantDecay([2, 4], halves)),
        "steps_matched": rates(lr_schedules.PiecewiseConstantDecay([1, 3], halves)),
        "cosine_over_4": rates(lr_schedules.CosineDecay(first, 4)),
        "linear_over_4": rates(lr_schedules.PolynomialDecay(first, 4)),
        "linear_matched": rates(lr_schedules.PolynomialDecay(first, 4, end_learning_rate=0.0)),
    }


def descend(make, steps=40):
    """The way down a narrow valley, x²/20 + 2y², from (−4, 2)."""
    place = keras.Variable([-4.0, 2.0])
    optimizer, path = make(), [place.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = place[0] ** 2 / 20 + 2 * place[1] ** 2
        optimizer.apply(tape.gradient(loss, [place.value]), [place])
        path.append(place.numpy())
    return np.stack(path)


def main():
    """Each optimizer beside the other framework's equation, then rates, and a way downhill."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    w, gradients = ops.array([0.5, -0.25, 0.125]), keras.random.normal((100, 3))
    print("a hundred steps with each framework's defaults: the first weight, from 0.5")
    for kind in (sgd, momentum, adam, adamw, rmsprop, adagrad, adadelta, adamax, nadam):
        runs = kind(w, gradients)
        own, other = (float(runs[f"{name}/weights"][-1, 0]) for name in ("keras", "torch"))
        print(f"  {kind.__name__:9} Keras {own:8.5f}   PyTorch's equation {other:8.5f}")
    adam_slots = [name.partition("/")[2] for name in adam(w, gradients) if name[:5] == "keras"]
    print("what Adam keeps of each weight:", adam_slots[1:])

    changed = rate_change(w, gradients[:10])
    print("lr falls at step 6; step 10, Keras:", changed["keras"][-1].numpy())
    print("                     PyTorch's way:", changed["torch"][-1].numpy())
    decayed = weight_decay(w, gradients)
    print("weight decay in the gradient:", decayed["coupled"][-1].numpy())
    print("weight decay of the weights: ", decayed["decoupled"][-1].numpy())
    for name, clipped in clipping(ops.array([3.0, 4.0]), ops.array([12.0, 0.0])).items():
        print(f"(3, 4) and (12, 0) clipped {name}: {clipped.numpy()}")
    rates = {name: values.numpy().tolist() for name, values in schedules(ops.array(1.0)).items()}
    for name, values in rates.items():
        print(f"  {name:18} {[round(value, 3) for value in values]}")

    paths = {
        "SGD, 0.4": descend(partial(optim.SGD, learning_rate=0.4)),
        "momentum, 0.1": descend(partial(optim.SGD, learning_rate=0.1, momentum=0.9)),
        "Adam, 0.3": descend(partial(optim.Adam, learning_rate=0.3)),
        "Adagrad, 0.9": descend(partial(optim.Adagrad, learning_rate=0.9)),
    }
    for name, path in paths.items():
        print(f"downhill with {name}: after 40 steps {[round(x, 3) for x in path[-1].tolist()]}")

    def draw(figure):
        for axes, (name, path) in zip(figure.subplots(2, 2).flat, paths.items(), strict=True):
            xs, ys = np.linspace(-5, 5, 60), np.linspace(-2.5, 2.5, 60)
            height = xs**2 / 20 + 2 * ys[:, None] ** 2
            axes.contour(xs, ys, height, levels=12, colors="lightgrey")
            axes.plot(path[:, 0], path[:, 1], "o-", markersize=3)
            axes.set_title(name)

    def draw_rates(figure):
        axes = figure.subplots()
        for name, values in rates.items():
            if "matched" not in name:
                axes.step(range(1, 9), values, where="mid", label=name.replace("_", " "))
        axes.set(xlabel="step", ylabel="learning rate")
        axes.legend()

    plots.draw("paths", draw)
    plots.draw("schedules", draw_rates)


if __name__ == "__main__":
    main()
