import keras
from keras import layers, ops


def net():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(9, activation="sigmoid"), layers.Dense(2)]
    )


class Adam(keras.optimizers.Adam):
    """Epsilon where PyTorch has it: behind the correction of the bias."""

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        first, second = (ops.cast(b, variable.dtype) for b in (self.beta_1, self.beta_2))
        m = self._momentums[self._get_variable_index(variable)]
        v = self._velocities[self._get_variable_index(variable)]
        self.assign_add(m, (gradient - m) * (1 - first))
        self.assign_add(v, (gradient * gradient - v) * (1 - second))
        root = ops.sqrt(v / (1 - second**step)) + ops.cast(self.epsilon, variable.dtype)
        self.assign_sub(variable, rate * m / (1 - first**step) / root)
