"""Bridges: optimizers that follow Keras' equations, for models ported from Keras.

Use one like any other: ``KerasAdam(model.parameters(), lr=1e-3)``.
"""

import math

import numpy as np
import torch


class KerasAdam(torch.optim.Optimizer):
    """Adam exactly as Keras 3 computes it.

    Two things differ from `torch.optim.Adam`:

    * Keras adds epsilon *before* the second moment is corrected for its bias (the "epsilon hat" of
      Kingma and Ba 2015, section 2), so the same epsilon is effectively larger in early steps.
    * Keras passes beta1 and beta2 through float32 when it corrects the bias, in float64 too:
      float32(0.999) is 0.99900001287, which changes the first step by 6e-6 of its length.

    Update at step t, with f(b) = float32(b)::

        m ← m + (1 − b1)·(g − m)            v ← v + (1 − b2)·(g² − v)
        w ← w − lr·√(1 − f(b2)^t)/(1 − f(b1)^t) · m / (√v + eps)

    Source: `keras.optimizers.Adam.update_step`, Keras 3.15.

    Args:
        params: parameters, as for every PyTorch optimizer.
        lr: learning rate.
        betas: decay of the two moments.
        eps: Keras' default is 1e-7.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-7):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter, group):
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        power1 = float(np.float32(beta1)) ** state["step"]
        power2 = float(np.float32(beta2)) ** state["step"]
        rate = group["lr"] * math.sqrt(1 - power2) / (1 - power1)
        m, v, gradient = state["exp_avg"], state["exp_avg_sq"], parameter.grad
        m.lerp_(gradient, 1 - beta1)
        v.lerp_(gradient.square(), 1 - beta2)
        parameter.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-rate)
