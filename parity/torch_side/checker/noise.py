"""Noise: a dropout is the identity, other draws are numbers that both frameworks have alike."""

import random
from functools import partial

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from parity.checker.graph import draws
from parity.torch_side.checker.calls import Call, flatten
from parity.torch_side.checker.helpers import module_code
from parity.torch_side.checker.tracer import handles

DROPOUT = {
    "dropout": ("dropout", None),
    "feature_dropout": ("dropout", 0),
    "dropout1d": ("dropout", 2),
    "dropout2d": ("dropout", 0),
    "dropout3d": ("dropout", 4),
    "alpha_dropout": ("alpha", None),
    "feature_alpha_dropout": ("alpha", 0),
    "native_dropout": ("dropout", None),
}
"""Function → kind of noise; of those that drop whole channels, the rank that has no batch."""


def identity(tensor):
    """The same numbers as a value of their own."""
    return tensor.clone()


def dropped(t, x, found, active, call):
    """A dropout node: its value is its input."""
    plain = Call(identity, (x,), {})
    plain.code, plain.name = call.code, "dropout"
    settings = {
        "rate": float(found.rate),
        "noise": found.noise,
        "shared": list(found.shared),
        "active": bool(active and not t.training),
    }
    return t.step(plain, "dropout", settings, [x])


@handles(*DROPOUT)
def dropout(t, c):
    """Of any sort, wherever it is called."""
    a = c.bind("input p=0.5 training=True inplace=False")
    if t.fixed(a.input):
        return a.input
    noise, single = DROPOUT[c.name]
    rank = a.input.dim()
    first = rank if single is None else 1 if rank == single else 2
    found = draws.Noise(noise, float(a.p), shared=tuple(range(first, rank)))
    return dropped(t, a.input, found, a.training, c)


dropout.always = True

STILL = {
    "rand": draws.UNIFORM,
    "rand_like": draws.UNIFORM,
    "randn": draws.NORMAL,
    "randn_like": draws.NORMAL,
}


@handles(
    *STILL,
    "normal",
    "uniform",
    "bernoulli",
    "exponential",
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
    """A draw: one number for all, so that a run can be repeated and compared."""
    t.note(f"{t.where} draws random numbers ({c.name}); both sides take one number for all draws.")
    live = [x for x in c.tensors if not t.fixed(x)]
    if c.func is torch.normal and live:
        mean, deviation = (*c.args, *c.kwargs.values())[:2]
        return t.run(torch.add, t.run(torch.mul, deviation, draws.NORMAL), mean)
    if c.name == "bernoulli" and c.func is not torch.Tensor.bernoulli_ and len(c.args) == 1:
        return t.run(torch.clone, c.args[0])
    return stilled(c, t.plain(c))


drawn.always = True


def stilled(c, result):
    """The result of a draw with one number in place of all, in `result` itself."""
    number = _number(c)
    if number is None:
        return result
    with torch.no_grad():
        for tensor in flatten(result):
            tensor.copy_(torch.as_tensor(number, dtype=tensor.dtype).expand(tensor.shape))
    return result


def _number(c):
    """What every number of a draw is; None where it stays as it is drawn."""
    match c.name:
        case "uniform":
            low = c.kwargs.get("from", c.args[1] if len(c.args) > 1 else 0.0)
            high = c.kwargs.get("to", c.args[2] if len(c.args) > 2 else 1.0)
            return low + (high - low) * draws.UNIFORM
        case "normal":
            own = c.func is torch.Tensor.normal_
            rest = c.args[1:] if own else c.args
            mean = c.kwargs.get("mean", rest[0] if rest else 0.0)
            deviation = c.kwargs.get("std", rest[1] if len(rest) > 1 else 1.0)
            return mean + deviation * draws.NORMAL
        case "bernoulli":
            return c.args[1] if len(c.args) > 1 else c.kwargs.get("p", 0.5)
        case "exponential":
            return draws.EXPONENTIAL / c.kwargs.get("lambd", c.args[1] if len(c.args) > 1 else 1.0)
        case "randint" | "randint_like":
            whole = [x for x in c.args if isinstance(x, int) and not isinstance(x, bool)]
            low, high = (0, *whole)[-2:] if whole else (c.kwargs.get("low", 0), c.kwargs["high"])
            return low + (high - low) // 2
    return STILL.get(c.name)


class _Aside(TorchFunctionMode):
    """A run by the side of the one that is traced: nothing of it is seen, and nothing stays.

    Args:
        module: runs in `training` mode while this lasts.
        still: whether draws are as they are while models are compared.
    """

    def __init__(self, module, *, training, still=False):
        super().__init__()
        self.module, self.mode, self.still, self.dropouts = module, training, still, 0

    def __enter__(self):
        self.modes = [(m, m.training) for m in self.module.modules()]
        self.states = random.getstate(), np.random.get_state(), torch.get_rng_state()
        self.module.train(self.mode)
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        random.setstate(self.states[0])
        np.random.set_state(self.states[1])
        torch.set_rng_state(self.states[2])
        for one, mode in self.modes:
            one.training = mode

    def __torch_function__(self, func, types, args=(), kwargs=None):
        call = Call(func, args, kwargs or {})
        self.dropouts += call.name in DROPOUT
        with torch._C.DisableTorchFunction():
            result = call()
            known = self.still and call.name in CONTINUOUS
            return stilled(call, result) if known else result

    @property
    def drew(self):
        """Whether random numbers were drawn, and not by a dropout that is seen anyway."""
        now = random.getstate(), np.random.get_state(), torch.get_rng_state()
        same = all(repr(a) == repr(b) for a, b in zip(now[:2], self.states[:2], strict=True))
        return not (same and torch.equal(now[2], self.states[2])) and not self.dropouts


CONTINUOUS = (*STILL, "normal", "uniform", "bernoulli", "exponential")


def _draws(module, forward, x, rest, *, training):
    with _Aside(module, training=training) as aside:
        forward(x.detach().clone(), *rest)
        return aside.drew


def measured(module, forward, x, rest):
    """(`draws.Noise`, whether there is any in evaluation); None where it is none that is known.

    The module's own code is run a few times on other inputs; what it is called says nothing.
    """
    try:
        if not _draws(module, forward, x, rest, training=True):
            return None
        found = _probed(module, forward, x, rest)
        return found and (found, _draws(module, forward, x, rest, training=False))
    except Exception:  # whatever the user's code does on inputs that it does not expect
        return None


def _probed(module, forward, x, rest):
    def run(array, *, still=False):
        with _Aside(module, training=True, still=still), torch.no_grad():
            torch.manual_seed(0)
            random.seed(0)
            np.random.seed(0)
            return forward(torch.from_numpy(array.copy()).to(x.dtype), *rest).double().numpy()

    stated = [v for v in vars(module).values() if isinstance(v, float)]
    for whole in (False, True):
        inputs = [draws.probe(x.shape, seed, whole=whole) for seed in (0, 1)]
        try:
            outputs = [run(array) for array in inputs]
            still = run(inputs[0], still=True)
        except Exception:  # it takes inputs of its own shape only
            continue
        return draws.measured(inputs, outputs, still, [*stated, *(1 - v for v in stated)])
    return None


def _candidates(model):
    """Modules that could be noise and nothing else: without weights, and not PyTorch's own."""
    for module in model.modules():
        own = type(module).__module__.startswith("torch.nn.")
        held = next(module.parameters(), None) is not None
        if not own and not held and not isinstance(module, torch.jit.ScriptModule):
            yield module


class Noises:
    """While this lasts, modules that do nothing but drop or add noise are dropout nodes.

    They run their own code in evaluation, where one that scales is seen, and in training wherever
    it adds; where it drops, its mean takes the place of its draw.
    """

    def __init__(self, model, tracer):
        self.model, self.tracer, self.changed = model, tracer, []

    def __enter__(self):
        for module in _candidates(self.model):
            self.changed.append((module, vars(module).get("forward")))
            module.forward = self._forward(module, module.forward)

    def _forward(self, module, own):
        def forward(*args, **kwargs):
            x, rest = (args[0], args[1:]) if args else (None, ())
            single = isinstance(x, torch.Tensor) and x.is_floating_point() and not kwargs
            if not single or any(isinstance(y, torch.Tensor) for y in rest):
                return own(*args, **kwargs)
            key = self.tracer.where, tuple(x.shape)
            if key not in self.tracer.noises:
                self.tracer.noises[key] = measured(module, own, x, rest)
            known = self.tracer.noises[key]
            if known is None:
                return own(*args)
            found, active = known
            drops = found.noise == "dropout" and (active or self.tracer.training)
            y = self._mean(x, found.factor) if drops else own(*args)
            if not isinstance(y, torch.Tensor):
                return y
            call = Call(identity, (y,), {})
            call.code = partial(module_code, module)
            return dropped(self.tracer, y, found, active, call)

        return forward

    def _mean(self, x, factor):
        return x if factor == 1.0 else torch.mul(x, factor)

    def __exit__(self, *_):
        for module, forward in self.changed:
            if forward is None:
                del module.forward
            else:
                module.forward = forward
