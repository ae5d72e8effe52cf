"""Wrong Keras ports of torch_basics.py."""

import keras
import tensorflow as tf
from keras import layers, ops


def units_swapped():
    return keras.Sequential(
        [
            layers.Dense(17, activation="relu", name="fc1"),
            layers.Dense(24, activation="tanh", name="fc2"),
            layers.Dense(5, name="fc3"),
        ]
    )


def tanh_forgotten():
    return keras.Sequential(
        [
            layers.Dense(24, activation="relu", name="fc1"),
            layers.Dense(17, name="fc2"),
            layers.Dense(5, name="fc3"),
        ]
    )


def classifier(noise=None, momentum=0.9, active="elu"):
    inputs = keras.Input((11,))
    x = layers.Dense(16, name="fc1")(inputs)
    x = layers.BatchNormalization(epsilon=1e-5, momentum=momentum, name="bn1")(x)
    x = layers.ReLU(name="relu")(x)
    noise = noise or layers.Dropout(0.3, name="drop")
    x = noise(x)
    x = layers.Dense(12, name="fc2")(x)
    x = layers.Activation(active, name="act2")(layers.BatchNormalization(name="bn2")(x))
    return keras.Model(inputs, layers.Dense(4, name="out")(x))


def gaussian_dropout():
    return classifier(noise=layers.GaussianDropout(0.3, name="drop"))


def keep_probability():
    """The rate is taken for what is kept."""
    return classifier(noise=layers.Dropout(0.7, name="drop"))


def selu_for_elu():
    return classifier(active="selu")


def two_classifier():
    return classifier(noise=layers.Dropout(0.5, name="drop"), momentum=0.99)


class Unshared(keras.Model):
    """Two encoders where there should be one."""

    def __init__(self):
        super().__init__()
        self.left, self.right = self.encoder("left"), self.encoder("right")
        self.score = layers.Dense(1, activation="sigmoid", name="score")

    def encoder(self, name):
        first = layers.Dense(12, activation="relu", name=f"{name}_fc1")
        return keras.Sequential([first, layers.Dense(6, name=f"{name}_fc2")], name=name)

    def call(self, inputs):
        left, right = inputs
        return self.score(tf.abs(self.left(left) - self.right(right)))


def squared_difference():
    encoder = keras.Sequential(
        [keras.Input((9,)), layers.Dense(12, activation="relu"), layers.Dense(6)], name="encoder"
    )
    left, right = keras.Input((9,)), keras.Input((9,))
    apart = ops.square(encoder(left) - encoder(right))
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid", name="score")(apart))


class AnswersSwapped(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(10, activation="silu", name="hidden")
        self.mean = layers.Dense(3, name="mean")
        self.log_variance = layers.Dense(3, name="log_variance")
        self.dec1 = layers.Dense(10, activation="swish", name="dec1")
        self.dec2 = layers.Dense(14, activation="sigmoid", name="dec2")

    def call(self, x):
        h = self.hidden(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.dec2(self.dec1(mean)), log_variance, mean


def two_blocks():
    """One block of three is missing."""
    inputs = keras.Input((8,))
    x = layers.Dense(10, name="inlet")(inputs)
    for i in range(2):
        y = layers.LayerNormalization(epsilon=1e-5, name=f"norm{i}")(x)
        y = layers.Dense(10, activation="relu", name=f"fc{i}")(y)
        x = layers.Add(name=f"add{i}")([x, y])
    return keras.Model(inputs, layers.Dense(3, name="outlet")(x))


def four_blocks():
    inputs = keras.Input((8,))
    x = layers.Dense(10, name="inlet")(inputs)
    for i in range(4):
        y = layers.LayerNormalization(epsilon=1e-5, name=f"norm{i}")(x)
        y = layers.Dense(10, activation="relu", name=f"fc{i}")(y)
        x = layers.Add(name=f"add{i}")([x, y])
    return keras.Model(inputs, layers.Dense(3, name="outlet")(x))


class Steps(keras.Model):
    def __init__(self, half=0.5, steps=4):
        super().__init__()
        self.half, self.steps = half, steps
        self.cell = layers.Dense(7, activation="tanh", name="cell")
        self.outlet = layers.Dense(2, name="outlet")

    def call(self, x):
        state = tf.zeros_like(x)
        for step in range(self.steps):
            update = self.cell(state + x)
            state = self.half * state + update if step % 2 else update
        return self.outlet(state)


def step_missing():
    return Steps(steps=3)


def step_factor():
    return Steps(half=0.25)


class Shift(layers.Layer):
    """The scale was overlooked."""

    def build(self, shape):
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, x):
        return x + self.shift


class Mix(layers.Layer):
    def build(self, shape):
        self.mix = self.add_weight(shape=(14, 5), initializer="glorot_uniform", name="mix")

    def call(self, x):
        return tf.matmul(x, self.mix)


def scale_overlooked():
    x = keras.Input((9,))
    y = Shift(name="affine")(layers.Dense(14, name="inlet")(x))
    return keras.Model(x, Mix(name="mix")(layers.Activation("tanh", name="tanh")(y)))


def gate_without_softmax():
    x = keras.Input((10,))
    weights = layers.Dense(3, name="gate")(x)
    answers = ops.stack([layers.Dense(6, name=f"expert{i}")(x) for i in range(3)], axis=1)
    return keras.Model(x, ops.sum(ops.expand_dims(weights, -1) * answers, axis=1))


def shifted():
    inputs = keras.Input((12,))
    x = layers.Rescaling(0.5, offset=-0.25, name="rescaling")(inputs)
    wide = layers.Dense(1, use_bias=False, name="wide")(x)
    deep = layers.Dense(9, name="deep1")(ops.square(x))
    deep = layers.Dense(1, name="deep2")(layers.LeakyReLU(negative_slope=0.2, name="leaky")(deep))
    return keras.Model(inputs, ops.sigmoid(layers.Add(name="add")([wide, deep])))


def not_frozen():
    inputs = keras.Input((10,))
    x = layers.Dense(12, activation="relu", name="backbone_1")(inputs)
    x = layers.Dense(8, activation="relu", name="backbone_2")(x)
    return keras.Model(inputs, layers.Dense(3, name="head")(x))


def mean_of_steps():
    inputs = keras.Input((9, 6))
    x = layers.Dense(11, activation="softplus", name="fc1")(inputs)
    x = layers.Dense(4, name="fc2")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling1D(name="mean")(x))


def decoder_untied():
    inputs = keras.Input((11,))
    x = layers.Dense(5, activation="sigmoid", name="encoder")(inputs)
    return keras.Model(inputs, layers.Dense(11, name="decoder")(x))
