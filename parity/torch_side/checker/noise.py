"""Noise acts as the identity: dropout changes nothing, other draws are their mean."""

import torch

from parity.torch_side.checker.calls import Call, flatten
from parity.torch_side.checker.tracer import handles

DROPOUT = {
    "dropout": "dropout",
    "feature_dropout": "channel",
    "dropout1d": "channel",
    "dropout2d": "channel",
    "dropout3d": "channel",
    "alpha_dropout": "alpha",
    "feature_alpha_dropout": "alpha_channel",
    "native_dropout": "dropout",
}
DEPTH = ("StochasticDepth", "DropPath")


def identity(tensor):
    """The same numbers as a value of their own."""
    return tensor.clone()


def dropped(t, x, rate, noise, active, call):
    """A dropout node: its value is its input."""
    plain = Call(identity, (x,), {})
    plain.code, plain.name = call.code, "dropout"
    settings = {"rate": float(rate), "noise": noise, "active": bool(active and not t.training)}
    return t.step(plain, "dropout", settings, [x])


@handles(*DROPOUT)
def dropout(t, c):
    """Of any sort, wherever it is called."""
    a = c.bind("input p=0.5 training=True inplace=False")
    if t.fixed(a.input):
        return a.input
    return dropped(t, a.input, a.p, DROPOUT[c.name], a.training, c)


dropout.always = True

MEANS = {"rand": 0.5, "rand_like": 0.5, "randn": 0.0, "randn_like": 0.0, "exponential": 1.0}


@handles(
    *MEANS,
    "normal",
    "uniform",
    "bernoulli",
    "multinomial",
    "poisson",
    "cauchy",
    "log_normal",
    "geometric",
    "randint",
    "randint_like",
    "randperm",
    "random",
)
def drawn(t, c):
    """A draw: its mean, so that a run can be repeated and compared."""
    t.note(f"{t.where} draws random numbers ({c.name}); their mean is used instead.")
    if c.func is torch.normal and isinstance(c.args[0], torch.Tensor) and not t.fixed(c.args[0]):
        return t.run(torch.clone, c.args[0])
    if c.name == "bernoulli" and c.func is not torch.Tensor.bernoulli_ and len(c.args) == 1:
        return t.run(torch.clone, c.args[0])
    result = t.plain(c)
    if c.name in MEANS:
        mean = MEANS[c.name]
    elif c.name == "uniform":
        low, high = (*c.args[1:], c.kwargs.get("from", 0.0), c.kwargs.get("to", 1.0))[:2]
        mean = (low + high) / 2
    elif c.name == "normal":
        mean = c.args[1] if c.func is torch.Tensor.normal_ and len(c.args) > 1 else 0.0
        mean = c.kwargs.get("mean", mean)
    elif c.name == "bernoulli":
        mean = c.args[1] if len(c.args) > 1 else c.kwargs.get("p", 0.5)
    else:
        return result
    with torch.no_grad():
        for tensor in flatten(result):
            tensor.copy_(torch.as_tensor(mean, dtype=tensor.dtype).expand(tensor.shape))
    return result


drawn.always = True


def depth_modules(model):
    """Modules that leave out whole branches: they would do nothing at all in evaluation."""
    for module in model.modules():
        if type(module).__name__ in DEPTH:
            rate = next(
                (
                    getattr(module, n)
                    for n in ("p", "drop_prob", "drop_rate", "prob")
                    if isinstance(getattr(module, n, None), (int, float))
                ),
                0.0,
            )
            yield module, float(rate)


class Depth:
    """While this lasts, stochastic depth is a dropout node."""

    def __init__(self, model, tracer):
        self.model, self.tracer, self.changed = model, tracer, []

    def __enter__(self):
        for module, rate in depth_modules(self.model):
            self.changed.append((module, "forward" in vars(module), vars(module).get("forward")))
            module.forward = self._forward(module, rate)

    def _forward(self, module, rate):
        def forward(x, *_):
            call = Call(identity, (x,), {})
            call.name = "stochastic_depth"
            return dropped(self.tracer, x, rate, "depth", False, call)

        return forward

    def __exit__(self, *_):
        for module, had, forward in self.changed:
            if had:
                module.forward = forward
            else:
                del module.forward
