"""Bridges: optimizers that follow Keras' equations, for models ported from Keras.

Use one like any other: ``KerasAdam(model.parameters(), lr=1e-3)``. Defaults are those of Keras.

What Keras passes through `ops.cast` is rounded to float32, in float64 too; f(b) = float32(b) below.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

from parity.core.errors import RecordingError


def f(value):
    """`value` as Keras' `ops.cast` sees it: rounded to float32."""
    return float(np.float32(value))


class KerasOptimizer(torch.optim.Optimizer):
    """What the bridges share: the loop over parameters, their state, and decoupled weight decay."""

    def __init__(self, params, **defaults):
        super().__init__(params, {"weight_decay": None} | defaults)

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._each(group)
        return loss

    def _each(self, group):
        """Parameter by parameter."""
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            state = self._state(group, parameter)
            state["step"] += 1
            if group["weight_decay"] is not None:
                parameter.sub_(parameter * f(group["weight_decay"]) * group["lr"])
            self._update(parameter, parameter.grad, group, state)

    def _state(self, group, parameter):
        """Of a parameter; made at its first step."""
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            for name, start in self._slots(group).items():
                state[name] = torch.full_like(parameter, start)
        return state

    def _slots(self, group):
        raise NotImplementedError

    def _update(self, parameter, gradient, group, state):
        raise NotImplementedError


class KerasSGD(KerasOptimizer):
    """SGD exactly as Keras 3 computes it: the learning rate is inside the velocity.

    ::

        velocity ← f(momentum)·velocity − lr·g
        w ← w + velocity                                     plain
        w ← w + f(momentum)·velocity − lr·g                  Nesterov

    `torch.optim.SGD` keeps lr outside, so that a change of lr also changes what the past is worth.

    Source: `keras.optimizers.SGD.update_step`, Keras 3.15.
    """

    def __init__(self, params, lr=1e-2, momentum=0.0, nesterov=False, weight_decay=None):
        super().__init__(
            params, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )

    def _slots(self, group):
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def _update(self, parameter, gradient, group, state):
        if not group["momentum"]:
            parameter.sub_(gradient, alpha=group["lr"])
            return
        velocity, momentum = state["momentum_buffer"], f(group["momentum"])
        velocity.mul_(momentum).sub_(gradient, alpha=group["lr"])
        if group["nesterov"]:
            parameter.add_(velocity * momentum - gradient * group["lr"])
        else:
            parameter.add_(velocity)


class _Lists(NamedTuple):
    """What PyTorch's fused kernel takes besides parameters and gradients."""

    states: list
    first: list
    second: list
    settled: list


def _fusible(group):
    return group["fused"] and not group["amsgrad"] and group["weight_decay"] is None


class KerasAdam(KerasOptimizer):
    """Adam, AMSGrad and AdamW exactly as Keras 3 computes them.

    Two things differ from `torch.optim.Adam`:

    * Keras adds epsilon *before* the second moment is corrected for its bias (the "epsilon hat" of
      Kingma and Ba 2015, section 2), so the same epsilon is effectively larger in early steps.
    * Keras passes beta1 and beta2 through float32 when it corrects the bias, in float64 too:
      float32(0.999) is 0.99900001287, which changes the first step by 6e-6 of its length.

    Update at step t::

        w ← w − lr·f(weight_decay)·w                         if there is weight decay
        m ← m + (1 − b1)·(g − m)            v ← v + (1 − b2)·(g² − v)
        v' = v, or with amsgrad the largest v so far
        w ← w − lr·√(1 − f(b2)^t)/(1 − f(b1)^t) · m / (√v' + eps)

    Source: `keras.optimizers.Adam.update_step`, Keras 3.15.

    Args:
        params: parameters, as for every PyTorch optimizer.
        lr: learning rate.
        betas: decay of the two moments.
        eps: Keras' default is 1e-7.
        amsgrad: divide by the largest second moment so far.
        weight_decay: decoupled, as everywhere in Keras.
        fused: move all parameters in PyTorch's own fused kernel; equal to rounding. Without
            weight decay and AMSGrad only.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-7,
        amsgrad=False,
        weight_decay=None,
        fused=False,
    ):
        own = {"lr": lr, "betas": betas, "eps": eps, "amsgrad": amsgrad, "fused": fused}
        super().__init__(params, weight_decay=weight_decay, **own)
        self._lists = {}

    def __setstate__(self, state):
        super().__setstate__(state)
        self._lists = {}  # a state that was loaded has tensors of its own

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every parameter that has a gradient."""
        if closure is not None or not all(map(_fusible, self.param_groups)):
            return super().step(closure)
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if not self._fused(group, parameters, [p.grad for p in parameters]):
                self._each(group)
        return None

    def move(self, parameters, gradients):
        """One update of these parameters by these gradients, where no gradients are tracked.

        The fused one, where it is possible, without what PyTorch puts around every `step`, and
        without the way through ``parameter.grad``.
        """
        group = self.param_groups[0]
        alone = len(self.param_groups) == 1 and _fusible(group)
        if not (alone and self._fused(group, parameters, gradients)):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            self.step()

    def _fused(self, group, parameters, gradients):
        """PyTorch's kernel for all parameters at once; False if they are not equally far.

        It computes lr/(1 − b1^t) · m / (√v/√(1 − b2^t) + eps). At a t so large that the corrections
        are 1 it is left to this side to correct, before epsilon, with float32(b).
        """
        lists = self._listed(group, parameters)
        steps = {state["step"] for state in lists.states}
        if len(steps) != 1:
            return not steps
        step = steps.pop() + 1
        for state in lists.states:
            state["step"] = step
        beta1, beta2 = group["betas"]
        torch._fused_adam_(
            parameters,
            gradients,
            lists.first,
            lists.second,
            [],
            lists.settled,
            lr=self._rate(group, step),
            beta1=beta1,
            beta2=beta2,
            weight_decay=0.0,
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
        return True

    def _listed(self, group, parameters):
        """The state of these parameters as the kernel takes it, looked up once."""
        which = tuple(map(id, parameters))
        if which not in self._lists:
            states = [self._state(group, parameter) for parameter in parameters]
            settled = torch.tensor(2.0**60)
            self._lists[which] = _Lists(
                states,
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [settled] * len(states),
            )
        return self._lists[which]

    @staticmethod
    def _rate(group, step):
        """lr·√(1 − f(b2)^t)/(1 − f(b1)^t)."""
        beta1, beta2 = map(f, group["betas"])
        return group["lr"] * math.sqrt(1 - beta2**step) / (1 - beta1**step)

    def _slots(self, group):
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * group["amsgrad"]
        return dict.fromkeys(names, 0.0)

    def _update(self, parameter, gradient, group, state):
        beta1, beta2 = group["betas"]
        rate = self._rate(group, state["step"])
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m.lerp_(gradient, 1 - beta1)
        v.lerp_(gradient.square(), 1 - beta2)
        if group["amsgrad"]:
            v = torch.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        parameter.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-rate)


class KerasAdamW(KerasAdam):
    """`KerasAdam` with Keras' default weight decay, 0.004 (PyTorch: 0.01)."""

    def __init__(self, params, lr=1e-3, weight_decay=0.004, **more):
        super().__init__(params, lr=lr, weight_decay=weight_decay, **more)


class KerasRMSprop(KerasOptimizer):
    """RMSprop exactly as Keras 3 computes it: epsilon inside the root.

    ::

        v ← rho·v + (1 − rho)·g²            w ← w − lr·g / √(v + eps)

    Source: `keras.optimizers.RMSprop.update_step`, Keras 3.15, without momentum and centring.
    """

    def __init__(self, params, lr=1e-3, rho=0.9, eps=1e-7, weight_decay=None):
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)

    def _slots(self, group):
        return {"square_avg": 0.0}

    def _update(self, parameter, gradient, group, state):
        v, rho = state["square_avg"], group["rho"]
        v.mul_(rho).addcmul_(gradient, gradient, value=1 - rho)
        parameter.addcdiv_(gradient, (v + group["eps"]).sqrt_(), value=-group["lr"])


class KerasAdagrad(KerasOptimizer):
    """Adagrad exactly as Keras 3 computes it: epsilon inside the root, the sum starts at f(0.1).

    ::

        sum ← sum + g²                      w ← w − lr·g / √(sum + eps)

    Source: `keras.optimizers.Adagrad.update_step`, Keras 3.15.
    """

    def __init__(self, params, lr=1e-3, start=0.1, eps=1e-7, weight_decay=None):
        super().__init__(params, lr=lr, start=start, eps=eps, weight_decay=weight_decay)

    def _slots(self, group):
        return {"sum": f(group["start"])}

    def _update(self, parameter, gradient, group, state):
        total = state["sum"].addcmul_(gradient, gradient)
        parameter.addcdiv_(gradient, (total + group["eps"]).sqrt_(), value=-group["lr"])


class KerasAdadelta(torch.optim.Adadelta):
    """Keras' Adadelta is PyTorch's equation with other constants.

    Source: `keras.optimizers.Adadelta.update_step`, Keras 3.15.
    """

    def __init__(self, params, lr=1e-3, rho=0.95, eps=1e-7):
        super().__init__(params, lr=lr, rho=rho, eps=eps)


class KerasAdamax(KerasOptimizer):
    """Adamax exactly as Keras 3 computes it: epsilon is added to the norm, not kept in it.

    ::

        m ← m + (1 − b1)·(g − m)            u ← max(b2·u, |g|)
        w ← w − lr·m / ((1 − f(b1)^t)·(u + eps))

    Source: `keras.optimizers.Adamax.update_step`, Keras 3.15.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-7, weight_decay=None):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _slots(self, group):
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def _update(self, parameter, gradient, group, state):
        beta1, beta2 = group["betas"]
        m, u = state["exp_avg"], state["exp_inf"]
        m.lerp_(gradient, 1 - beta1)
        torch.maximum(u * beta2, gradient.abs(), out=u)
        rate = group["lr"] / (1 - f(beta1) ** state["step"])
        parameter.addcdiv_(m, u + group["eps"], value=-rate)


class KerasNadam(KerasOptimizer):
    """Nadam exactly as Keras 3 computes it: its momentum schedule runs 250 times as fast.

    ::

        μ(t) = f(b1)·(1 − ½·f(0.96)^t)      (PyTorch: b1·(1 − ½·0.96^(0.004·t)))
        μ̄ ← μ̄·b1·(1 − ½·0.96^t)
        m ← m + (1 − f(b1))·(g − m)         v ← v + (1 − f(b2))·(g² − v)
        m̂ = μ(t+1)·m / (1 − μ̄·μ(t+1)) + (1 − μ(t))·g / (1 − μ̄)
        w ← w − lr·m̂ / (√(v / (1 − f(b2)^t)) + eps)

    Source: `keras.optimizers.Nadam.update_step`, Keras 3.15.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-7, weight_decay=None):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _slots(self, group):
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def _update(self, parameter, gradient, group, state):
        beta1, beta2 = f(group["betas"][0]), f(group["betas"][1])
        step = state["step"]
        now = beta1 * (1 - 0.5 * f(0.96) ** step)
        following = beta1 * (1 - 0.5 * f(0.96) ** (step + 1))
        product = state.setdefault("mu_product", torch.ones_like(parameter.sum()))
        product.mul_(group["betas"][0] * (1 - 0.5 * 0.96**step))
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m.lerp_(gradient, 1 - beta1)
        v.lerp_(gradient.square(), 1 - beta2)
        ahead = m * (following / (1 - product * following)) + gradient * ((1 - now) / (1 - product))
        root = (v / (1 - beta2**step)).sqrt_().add_(group["eps"])
        parameter.addcdiv_(ahead, root, value=-group["lr"])


def as_keras(optimizer):
    """What a program has with `keras.optimizers` where it has this of `torch.optim` here.

    Learning rate, momentum and decoupled weight decay are what a program states; whatever else is
    a default becomes Keras' default.

    Raises:
        RecordingError: there is no such optimizer here.
    """
    (group,) = optimizer.param_groups
    parameters, rate = group["params"], group["lr"]
    match type(optimizer):
        case torch.optim.SGD if not group["momentum"]:
            return optimizer  # the same equation
        case torch.optim.SGD:
            return KerasSGD(parameters, rate, group["momentum"], group["nesterov"])
        case torch.optim.Adam if not group["weight_decay"]:
            return KerasAdam(parameters, rate)
        case torch.optim.AdamW:
            return KerasAdamW(parameters, rate, group["weight_decay"])
    raise RecordingError(f"No equation of Keras' is known here for {optimizer}.")
