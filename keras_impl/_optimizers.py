"""Bridges: optimizers that follow PyTorch's equations, for models ported from PyTorch.

Use one like any other: ``model.compile(optimizer=TorchAdam(learning_rate=1e-3), …)``.
"""

import keras
import numpy as np
from keras import ops


class TorchAdam(keras.optimizers.Adam):
    """Adam exactly as `torch.optim.Adam` computes it.

    Two things differ from `keras.optimizers.Adam`:

    * epsilon is added *after* the second moment is corrected for its bias, and is 1e-8;
    * the bias corrections are powers of the betas as given, not of the betas in float32.

    Update at step t::

        m ← m + (1 − b1)·(g − m)            v ← b2·v + (1 − b2)·g²
        w ← w − lr/(1 − b1^t) · m / (√v/√(1 − b2^t) + eps)

    Source: `torch.optim.adam._single_tensor_adam`, PyTorch 2.15.

    Args:
        learning_rate: a number, or a schedule.
        epsilon: PyTorch's default is 1e-8.
        **kwargs: as for `keras.optimizers.Adam`; ``amsgrad`` is not supported.
    """

    def __init__(self, learning_rate=1e-3, epsilon=1e-8, name="torch_adam", **kwargs):
        if kwargs.get("amsgrad"):
            raise ValueError(
                "TorchAdam has no amsgrad: expected amsgrad=False. "
                "Use keras.optimizers.Adam(amsgrad=True) and see the report on its epsilon."
            )
        super().__init__(learning_rate=learning_rate, epsilon=epsilon, name=name, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        """One update of one variable."""
        dtype = variable.dtype
        rate = ops.cast(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype)
        # As NumPy float64 the betas reach the backend whole; a Python float would be rounded to
        # float32 on the way.
        step = ops.cast(self.iterations + 1, "float64")
        correction1 = 1 - ops.power(ops.convert_to_tensor(np.float64(self.beta_1)), step)
        correction2 = ops.sqrt(1 - ops.power(ops.convert_to_tensor(np.float64(self.beta_2)), step))
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        self.assign(v, v * self.beta_2 + ops.square(gradient) * (1 - self.beta_2))
        root = ops.sqrt(v) / ops.cast(correction2, dtype) + self.epsilon
        self.assign_sub(variable, rate / ops.cast(correction1, dtype) * m / root)
