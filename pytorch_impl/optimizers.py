"""Eleven optimizers on one fixed sequence of gradients, from 1e-12 to 1 in a hundred steps.

Twin: keras_impl/optimizers.py
Look at: every function follows PyTorch's own optimizer (`native`, `torch`) and Keras' equation,
written out in `Keras` below (`keras`). Then `rate_change`, `weight_decay`, `clipping` and
`schedules`, where the same argument means two things.
"""

from functools import partial

import torch
from torch import nn, optim
from torch.optim import lr_scheduler

from shared.plots import Plots

SLOTS = {
    "momentum_buffer": "velocity",
    "exp_avg": "m",
    "exp_avg_sq": "v",
    "max_exp_avg_sq": "v_max",
    "square_avg": "v",
    "sum": "sum",
    "acc_delta": "delta",
    "exp_inf": "u",
    "mu_product": "mu_product",
}
ROWS = (1, 2, 10, 100)


def _float32(value):
    """The nearest float32 number: what Keras makes of some constants, also in float64."""
    return torch.tensor(value, dtype=torch.float32).item()


class Keras:
    """Keras' equations, written out: weights `w`, gradient `g`, state `s`, step `t` from 1.

    Each gives the new weights and keeps what it needs in the state; constants are Keras' defaults.
    """

    @staticmethod
    def sgd(w, g, s, t, lr=1e-2, momentum=0.0, nesterov=False):
        """The velocity holds steps, the learning rate inside."""
        if not momentum:
            return w - lr * g
        momentum = _float32(momentum)
        s["velocity"] = momentum * s.get("velocity", 0) - lr * g
        return w + (momentum * s["velocity"] - lr * g if nesterov else s["velocity"])

    @staticmethod
    def adam(w, g, s, t, lr=1e-3, b1=0.9, b2=0.999, eps=1e-7, decay=0.0, amsgrad=False):
        """ε is added before the bias correction; `decay` makes it AdamW."""
        s["m"] = m = s.get("m", 0) + (1 - b1) * (g - s.get("m", 0))
        s["v"] = v = s.get("v", 0) + (1 - b2) * (g**2 - s.get("v", 0))
        if amsgrad:
            s["v_max"] = v = torch.maximum(s.get("v_max", torch.zeros_like(v)), v)
        rate = lr * (1 - _float32(b2) ** t) ** 0.5 / (1 - _float32(b1) ** t)
        return w - lr * _float32(decay) * w - rate * m / (v.sqrt() + eps)

    @staticmethod
    def rmsprop(w, g, s, t, lr=1e-3, rho=0.9, eps=1e-7):
        """ε is under the root."""
        s["v"] = rho * s.get("v", 0) + (1 - rho) * g**2
        return w - lr * g / (s["v"] + eps).sqrt()

    @staticmethod
    def adagrad(w, g, s, t, lr=1e-3, start=0.1, eps=1e-7):
        """ε is under the root, and the sum of squares does not start at 0."""
        s["sum"] = s.get("sum", _float32(start)) + g**2
        return w - lr * g / (s["sum"] + eps).sqrt()

    @staticmethod
    def adadelta(w, g, s, t, lr=1e-3, rho=0.95, eps=1e-7):
        """The same as PyTorch's with other constants."""
        s["v"] = rho * s.get("v", 0) + (1 - rho) * g**2
        before = s.get("delta", torch.zeros_like(g))
        delta = (before + eps).sqrt() / (s["v"] + eps).sqrt() * g
        s["delta"] = rho * before + (1 - rho) * delta**2
        return w - lr * delta

    @staticmethod
    def adamax(w, g, s, t, lr=1e-3, b1=0.9, b2=0.999, eps=1e-7):
        """ε is added to the largest gradient when dividing."""
        s["m"] = s.get("m", 0) + (1 - b1) * (g - s.get("m", 0))
        s["u"] = torch.maximum(b2 * s.get("u", torch.zeros_like(g)), g.abs())
        return w - lr * s["m"] / ((1 - _float32(b1) ** t) * (s["u"] + eps))

    @staticmethod
    def nadam(w, g, s, t, lr=1e-3, b1=0.9, b2=0.999, eps=1e-7):
        """The momentum warms up as 0.96^t."""
        p1, p2, base = _float32(b1), _float32(b2), _float32(0.96)
        now, following = (p1 * (1 - 0.5 * base**step) for step in (t, t + 1))
        s["mu_product"] = s.get("mu_product", torch.ones(())) * b1 * (1 - 0.5 * 0.96**t)
        s["m"] = s.get("m", 0) + (1 - p1) * (g - s.get("m", 0))
        s["v"] = s.get("v", 0) + (1 - p2) * (g**2 - s.get("v", 0))
        ahead = following / (1 - s["mu_product"] * following) * s["m"]
        ahead = ahead + (1 - now) / (1 - s["mu_product"]) * g
        return w - lr * ahead / ((s["v"] / (1 - p2**t)).sqrt() + eps)


def follow(optimizer, weights, gradients, rate=None):
    """Weights and state after 1, 2, 10 and 100 steps, one row each."""
    rows = []
    for step, gradient in enumerate(gradients, 1):
        if rate is not None:
            optimizer.param_groups[0]["lr"] = rate(step)
        weights.grad = gradient
        optimizer.step()
        if step in ROWS:
            state = optimizer.state[weights]
            held = {SLOTS[name]: state[name] for name in SLOTS if state.get(name) is not None}
            rows.append({n: t.detach().clone() for n, t in {"weights": weights, **held}.items()})
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def follow_equation(change, weights, gradients, rate=None):
    """The same for an equation."""
    state, rows = {}, []
    for step, gradient in enumerate(gradients, 1):
        how = {} if rate is None else {"lr": rate(step)}
        weights = change(weights, gradient, state, step, **how)
        if step in ROWS:
            rows.append({"weights": weights, **state})
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def both(own, other, w, gradients):
    """The framework's own optimizer and the other's equation, from the same weights."""
    weights = nn.Parameter(w.clone())
    found = follow(own([weights]), weights, gradients)
    runs = {f"{name}/{key}": value for name in ("native", "torch") for key, value in found.items()}
    across = follow_equation(other, w, gradients)
    return runs | {f"keras/{key}": value for key, value in across.items()}


def sgd(w, gradients):
    """w ← w − lr·g. The same equation; lr is 1e-3 in PyTorch, 1e-2 in Keras."""
    return both(optim.SGD, Keras.sgd, w, gradients)


def momentum(w, gradients):
    """The buffer gathers gradients in PyTorch and steps, −lr·gradient, in Keras."""
    own, other = partial(optim.SGD, momentum=0.9), partial(Keras.sgd, momentum=0.9)
    return both(own, other, w, gradients)


def nesterov(w, gradients):
    """Momentum that looks one step ahead."""
    how = {"momentum": 0.9, "nesterov": True}
    return both(partial(optim.SGD, **how), partial(Keras.sgd, **how), w, gradients)


def adam(w, gradients):
    """The same moments, two updates: epsilon after the bias correction or before it."""
    return both(optim.Adam, Keras.adam, w, gradients)


def amsgrad(w, gradients):
    """Adam that divides by the largest second moment so far."""
    own, other = partial(optim.Adam, amsgrad=True), partial(Keras.adam, amsgrad=True)
    return both(own, other, w, gradients)


def adamw(w, gradients):
    """Adam with decoupled weight decay: 0.01 in PyTorch, 0.004 in Keras."""
    return both(optim.AdamW, partial(Keras.adam, decay=0.004), w, gradients)


def rmsprop(w, gradients):
    """Epsilon outside the root in PyTorch, inside in Keras; other lr and decay."""
    return both(optim.RMSprop, Keras.rmsprop, w, gradients)


def adagrad(w, gradients):
    """Epsilon outside or inside the root; the sum starts at 0 or 0.1; lr is 0.01 and 0.001."""
    return both(optim.Adagrad, Keras.adagrad, w, gradients)


def adadelta(w, gradients):
    """One equation; lr is 1 in PyTorch and 0.001 in Keras, rho 0.9 and 0.95."""
    return both(optim.Adadelta, Keras.adadelta, w, gradients)


def adamax(w, gradients):
    """Epsilon inside the largest gradient or added to it when dividing; lr is 0.002 and 0.001."""
    return both(optim.Adamax, Keras.adamax, w, gradients)


def nadam(w, gradients):
    """Nesterov's Adam: Keras' momentum warms up 250 times as fast; lr is 0.002 and 0.001."""
    return both(optim.NAdam, Keras.nadam, w, gradients)


def rate_change(w, gradients):
    """Momentum with lr 0.5, and 0.0625 from step 6 on: what the past is worth then."""

    def rate(step):
        return 0.5 if step < 6 else 0.0625

    weights = nn.Parameter(w.clone())
    own = follow(optim.SGD([weights], momentum=0.875), weights, gradients, rate)
    other = follow_equation(partial(Keras.sgd, momentum=0.875), w, gradients, rate)
    return {"native": own["weights"], "torch": own["weights"], "keras": other["weights"]}


def weight_decay(w, gradients):
    """Adam with decay 0.01: in the gradient (L2, the argument here), or of the weights (AdamW)."""
    makes = {
        "native": lambda p: optim.Adam(p, weight_decay=0.01),
        "coupled": lambda p: optim.Adam(p, weight_decay=0.01),
        "decoupled": lambda p: optim.AdamW(p, weight_decay=0.01),
    }
    weights = {name: nn.Parameter(w.clone()) for name in makes}
    return {
        name: follow(make([weights[name]]), weights[name], gradients)["weights"]
        for name, make in makes.items()
    }


def clipping(a, b):
    """Two gradients of norm 5 and 12, together 13; each way of clipping, before the step."""

    def clipped(clip):
        parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in (a, b)]
        for parameter, gradient in zip(parameters, (a, b), strict=True):
            parameter.grad = gradient.clone()
        clip(parameters)
        return torch.cat([parameter.grad for parameter in parameters])

    return {
        "by_value": clipped(lambda p: nn.utils.clip_grad_value_(p, 3.5)),
        "global_norm": clipped(lambda p: nn.utils.clip_grad_norm_(p, 6.5)),
        "each_norm": clipped(lambda p: [nn.utils.clip_grad_norm_([one], 6.0) for one in p]),
    }


def schedules(rate):
    """The learning rate of eight steps, from 1: a scheduler is told when a step is over."""

    def rates(make):
        optimizer = optim.SGD([nn.Parameter(torch.zeros_like(rate))], lr=rate.item())
        scheduler, seen = make(optimizer), []
        for _ in range(8):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return torch.tensor(seen, dtype=rate.dtype)

    return {
        "halved_every_step": rates(lambda o: lr_scheduler.ExponentialLR(o, 0.5)),
        "steps_at_2_and_4": rates(lambda o: lr_scheduler.MultiStepLR(o, [2, 4], 0.5)),
        "steps_matched": rates(lambda o: lr_scheduler.MultiStepLR(o, [2, 4], 0.5)),
        "cosine_over_4": rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 4)),
        "linear_over_4": rates(lambda o: lr_scheduler.PolynomialLR(o, 4)),
        "linear_matched": rates(lambda o: lr_scheduler.PolynomialLR(o, 4)),
    }


def descend(make, steps=40):
    """The way down a narrow valley, x²/20 + 2y², from (−4, 2)."""
    place = nn.Parameter(torch.tensor([-4.0, 2.0]))
    optimizer, path = make([place]), [place.detach().clone()]
    for _ in range(steps):
        loss = place[0] ** 2 / 20 + 2 * place[1] ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        path.append(place.detach().clone())
    return torch.stack(path)


def main():
    """Each optimizer beside the other framework's equation, then rates, and a way downhill."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    w, gradients = torch.tensor([0.5, -0.25, 0.125]), torch.randn(100, 3)
    print("a hundred steps with each framework's defaults: the first weight, from 0.5")
    for kind in (sgd, momentum, adam, adamw, rmsprop, adagrad, adadelta, adamax, nadam):
        runs = kind(w, gradients)
        own, other = (runs[f"{name}/weights"][-1, 0].item() for name in ("torch", "keras"))
        print(f"  {kind.__name__:9} PyTorch {own:8.5f}   Keras' equation {other:8.5f}")
    adam_slots = [name.partition("/")[2] for name in adam(w, gradients) if name[:5] == "torch"]
    print("what Adam keeps of each weight:", adam_slots[1:])

    changed = rate_change(w, gradients[:10])
    print("lr falls at step 6; step 10, PyTorch:", changed["torch"][-1].detach().numpy())
    print("                        Keras' way:", changed["keras"][-1].detach().numpy())
    decayed = weight_decay(w, gradients)
    print("weight decay in the gradient:", decayed["coupled"][-1].detach().numpy())
    print("weight decay of the weights: ", decayed["decoupled"][-1].detach().numpy())
    for name, clipped in clipping(torch.tensor([3.0, 4.0]), torch.tensor([12.0, 0.0])).items():
        print(f"(3, 4) and (12, 0) clipped {name}: {clipped.detach().numpy()}")
    rates = {name: values.tolist() for name, values in schedules(torch.tensor(1.0)).items()}
    for name, values in rates.items():
        print(f"  {name:18} {[round(value, 3) for value in values]}")

    paths = {
        "SGD, 0.4": descend(partial(optim.SGD, lr=0.4)),
        "momentum, 0.1": descend(partial(optim.SGD, lr=0.1, momentum=0.9)),
        "Adam, 0.3": descend(partial(optim.Adam, lr=0.3)),
        "Adagrad, 0.9": descend(partial(optim.Adagrad, lr=0.9)),
    }
    for name, path in paths.items():
        print(f"downhill with {name}: after 40 steps {[round(x, 3) for x in path[-1].tolist()]}")

    def draw(figure):
        for axes, (name, path) in zip(figure.subplots(2, 2).flat, paths.items(), strict=True):
            xs, ys = torch.linspace(-5, 5, 60), torch.linspace(-2.5, 2.5, 60)
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
