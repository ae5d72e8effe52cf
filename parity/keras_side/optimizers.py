"""Bridges: optimizers that follow PyTorch's equations, for models ported from PyTorch.

Use one like any other: ``model.compile(optimizer=TorchAdam(learning_rate=1e-3), …)``. Defaults are
those of PyTorch; weight decay is decoupled, as in `torch.optim.AdamW`.
"""

import keras
import numpy as np
from keras import ops

from parity.core.errors import RecordingError


def powered(base, step):
    """base^step in float64: as NumPy float64 the base reaches the backend whole; a Python float
    would be rounded to float32 on the way."""
    return ops.power(ops.convert_to_tensor(np.float64(base)), ops.cast(step, "float64"))


class TorchOptimizer(keras.optimizers.Optimizer):
    """What the bridges share: slots by name, and numbers that keep the precision of the weights.

    A subclass names its slots and settings, and writes `change`, which returns what to subtract.
    """

    slots: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    start = 0.0

    def get_config(self):
        """What a saved model needs to make this optimizer again."""
        return super().get_config() | {name: getattr(self, name) for name in self.settings}

    def build(self, variables):
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        constant = keras.initializers.Constant(self.start)
        self._held = {
            name: self.add_optimizer_variables(variables, name, initializer=constant)
            for name in self.slots
        }

    def update_step(self, gradient, variable, learning_rate):
        """One update of one variable."""
        index = self._get_variable_index(variable)
        held = [self._held[name][index] for name in self.slots]
        rate = ops.cast(learning_rate, variable.dtype)
        change = self.change(ops.cast(gradient, variable.dtype), rate, *held)
        self.assign_sub(variable, change)

    def change(self, gradient, rate, *held):
        """What one step subtracts from a variable; moves the slots on."""
        raise NotImplementedError


class TorchSGD(TorchOptimizer):
    """SGD exactly as `torch.optim.SGD` computes it: the learning rate is outside the buffer.

    ::

        buffer ← momentum·buffer + g
        w ← w − lr·buffer                   Nesterov: w ← w − lr·(g + momentum·buffer)

    Source: `torch.optim.sgd._single_tensor_sgd`, PyTorch 2.15, without dampening.
    """

    slots = ("buffer",)
    settings = ("momentum", "nesterov")

    def __init__(self, learning_rate=1e-3, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = self.slots if momentum else ()

    def change(self, gradient, rate, *held):
        """What one step subtracts from a variable; moves the slots on."""
        if not held:
            return rate * gradient
        (buffer,) = held
        self.assign(buffer, self.momentum * buffer + gradient)
        return rate * (gradient + self.momentum * buffer if self.nesterov else buffer + 0.0)


class TorchAdam(keras.optimizers.Adam):
    """Adam and AMSGrad exactly as `torch.optim.Adam` computes them.

    Two things differ from `keras.optimizers.Adam`:

    * epsilon is added *after* the second moment is corrected for its bias, and is 1e-8;
    * the bias corrections are powers of the betas as given, not of the betas in float32.

    Update at step t::

        m ← m + (1 − b1)·(g − m)            v ← b2·v + (1 − b2)·g²
        v' = v, or with amsgrad the largest v so far
        w ← w − lr/(1 − b1^t) · m / (√v'/√(1 − b2^t) + eps)

    Source: `torch.optim.adam._single_tensor_adam`, PyTorch 2.15.

    Args:
        learning_rate: a number, or a schedule.
        epsilon: PyTorch's default is 1e-8.
        l2: what PyTorch's Adam calls `weight_decay`: g ← g + l2·w comes first. Keras' own
            argument of that name decays the weights themselves, as AdamW does.
        **kwargs: as for `keras.optimizers.Adam`.
    """

    def __init__(self, learning_rate=1e-3, epsilon=1e-8, l2=0.0, name="torch_adam", **kwargs):
        super().__init__(learning_rate=learning_rate, epsilon=epsilon, name=name, **kwargs)
        self.l2 = l2

    def get_config(self):
        """What a saved model needs to make this optimizer again."""
        return super().get_config() | {"l2": self.l2}

    def update_step(self, gradient, variable, learning_rate):
        """One update of one variable."""
        dtype = variable.dtype
        rate = ops.cast(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype)
        if self.l2:
            gradient = gradient + self.l2 * variable
        correction1 = 1 - powered(self.beta_1, self.iterations + 1)
        correction2 = ops.sqrt(1 - powered(self.beta_2, self.iterations + 1))
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign(v, v * self.beta_2 + ops.square(gradient) * (1 - self.beta_2))
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, v))
            v = largest
        root = ops.sqrt(v) / ops.cast(correction2, dtype) + self.epsilon
        self.assign_sub(variable, rate / ops.cast(correction1, dtype) * m / root)


class TorchAdamW(TorchAdam):
    """AdamW exactly as `torch.optim.AdamW` computes it: first w ← w·(1 − lr·decay), then Adam.

    Keras' own argument `weight_decay` would round the decay to float32.
    """

    def __init__(self, learning_rate=1e-3, decay=1e-2, name="torch_adamw", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        """One update of one variable."""
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign(variable, variable * (1 - rate * self.decay))
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        """What a saved model needs to make this optimizer again."""
        return super().get_config() | {"decay": self.decay}


class TorchRMSprop(TorchOptimizer):
    """RMSprop exactly as `torch.optim.RMSprop` computes it: epsilon outside the root.

    ::

        v ← alpha·v + (1 − alpha)·g²        w ← w − lr·g / (√v + eps)

    Source: `torch.optim.rmsprop._single_tensor_rmsprop`, PyTorch 2.15, without momentum and
    centring.
    """

    slots = ("v",)
    settings = ("alpha", "epsilon")

    def __init__(self, learning_rate=1e-2, alpha=0.99, epsilon=1e-8, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.alpha, self.epsilon = alpha, epsilon

    def change(self, gradient, rate, v):
        """What one step subtracts from a variable; moves the slots on."""
        self.assign(v, self.alpha * v + (1 - self.alpha) * ops.square(gradient))
        return rate * gradient / (ops.sqrt(v) + self.epsilon)


class TorchAdagrad(TorchOptimizer):
    """Adagrad exactly as `torch.optim.Adagrad` computes it: epsilon outside the root, start at 0.

    ::

        sum ← sum + g²                      w ← w − lr·g / (√sum + eps)

    Source: `torch.optim.adagrad._single_tensor_adagrad`, PyTorch 2.15, without decay of lr.
    """

    slots = ("sum",)
    settings = ("epsilon",)

    def __init__(self, learning_rate=1e-2, epsilon=1e-10, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.epsilon = epsilon

    def change(self, gradient, rate, total):
        """What one step subtracts from a variable; moves the slots on."""
        self.assign_add(total, ops.square(gradient))
        return rate * gradient / (ops.sqrt(total) + self.epsilon)


class TorchAdadelta(keras.optimizers.Adadelta):
    """PyTorch's Adadelta is Keras' equation with other constants.

    Source: `torch.optim.adadelta._single_tensor_adadelta`, PyTorch 2.15.
    """

    def __init__(self, learning_rate=1.0, rho=0.9, epsilon=1e-6, **kwargs):
        super().__init__(learning_rate=learning_rate, rho=rho, epsilon=epsilon, **kwargs)


class TorchAdamax(TorchOptimizer):
    """Adamax exactly as `torch.optim.Adamax` computes it: epsilon is kept inside the norm.

    ::

        m ← m + (1 − b1)·(g − m)            u ← max(b2·u, |g| + eps)
        w ← w − lr/(1 − b1^t) · m / u

    Source: `torch.optim.adamax._single_tensor_adamax`, PyTorch 2.15.
    """

    slots = ("m", "u")
    settings = ("beta_1", "beta_2", "epsilon")

    def __init__(self, learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def change(self, gradient, rate, m, u):
        """What one step subtracts from a variable; moves the slots on."""
        correction = ops.cast(1 - powered(self.beta_1, self.iterations + 1), rate.dtype)
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign(u, ops.maximum(self.beta_2 * u, ops.abs(gradient) + self.epsilon))
        return rate / correction * m / u


class TorchNAdam(TorchOptimizer):
    """NAdam exactly as `torch.optim.NAdam` computes it.

    ::

        μ(t) = b1·(1 − ½·0.96^(ψ·t))        ψ = momentum_decay = 0.004 (Keras: 1)
        μ̄ ← μ̄·μ(t)
        m ← m + (1 − b1)·(g − m)            v ← b2·v + (1 − b2)·g²
        w ← w − lr·[(1 − μ(t))/(1 − μ̄)·g + μ(t+1)/(1 − μ̄·μ(t+1))·m] / (√(v/(1 − b2^t)) + eps)

    Source: `torch.optim.nadam._single_tensor_nadam`, PyTorch 2.15.
    """

    slots = ("m", "v")
    settings = ("beta_1", "beta_2", "epsilon", "momentum_decay")

    def __init__(
        self,
        learning_rate=2e-3,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        momentum_decay=4e-3,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.momentum_decay = momentum_decay

    def build(self, variables):
        """Make the slots, and μ̄, which all variables share."""
        if not self.built:
            super().build(variables)
            self._product = keras.Variable(1.0, dtype="float64", name="mu_product")

    def _momentum(self, step):
        exponent = ops.cast(step, "float64") * self.momentum_decay
        return self.beta_1 * (1 - 0.5 * powered(0.96, exponent))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        self._product.assign(self._product * self._momentum(self.iterations + 1))
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def change(self, gradient, rate, m, v):
        """What one step subtracts from a variable; moves the slots on."""
        now, following = (self._momentum(self.iterations + ahead) for ahead in (1, 2))
        correction = ops.cast(1 - powered(self.beta_2, self.iterations + 1), rate.dtype)
        share = ops.cast((1 - now) / (1 - self._product), rate.dtype)
        ahead = ops.cast(following / (1 - self._product * following), rate.dtype)
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        root = ops.sqrt(v / correction) + self.epsilon
        return rate * (share * gradient + ahead * m) / root


def as_torch(optimizer):
    """What a program has with `torch.optim` where it has this of `keras.optimizers` here.

    Learning rate, momentum and weight decay are what a program states; whatever else is a default
    becomes PyTorch's default.

    Raises:
        RecordingError: there is no such optimizer here.
    """
    set_ = optimizer.get_config()
    rate, decay = set_["learning_rate"], set_["weight_decay"]
    match type(optimizer):
        case keras.optimizers.SGD if not set_["momentum"]:
            return optimizer  # the same equation
        case keras.optimizers.SGD:
            return TorchSGD(rate, set_["momentum"], set_["nesterov"])
        case keras.optimizers.Adam | keras.optimizers.AdamW:
            return TorchAdamW(rate, decay) if decay else TorchAdam(rate)
    raise RecordingError(f"No equation of PyTorch's is known here for {optimizer}.")
