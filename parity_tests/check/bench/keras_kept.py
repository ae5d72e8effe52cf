"""Keras ports that load the weights of torch_kept.py, rightly and wrongly."""

import keras
import numpy as np
from keras import layers


def draws(seed=0):
    generator = np.random.default_rng(seed)
    return lambda *shape: (generator.standard_normal(shape) * 0.4).astype("float32")


def convolutions(spatial=(2, 3), flat=(2, 3, 1, 0), swap=False, statistics=True, bias=True):
    draw = draws(1)
    kernel, conv_bias, gamma, beta = draw(6, 2, 3, 3), draw(6), draw(6), draw(6)
    mean, variance = draw(6), abs(draw(6)) + 0.5
    weight, fc_bias = draw(4, 120), draw(4)
    model = keras.Sequential(
        [
            keras.Input((10, 8, 2)),
            layers.Conv2D(6, 3, padding="same", name="conv"),
            layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="bn"),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(4, name="fc"),
        ]
    )
    conv, bn, fc = (model.get_layer(name) for name in ("conv", "bn", "fc"))
    conv.set_weights([kernel.transpose(*spatial, 1, 0), conv_bias if bias else 0 * conv_bias])
    moving = [mean, variance] if statistics else bn.get_weights()[2:]
    bn.set_weights([beta, gamma, *moving] if swap else [gamma, beta, *moving])
    # From (out, channel, row, column) to (row, column, channel, out)
    fc.set_weights([weight.reshape(4, 6, 5, 4).transpose(*flat).reshape(120, 4), fc_bias])
    return model


def kernel_transposed():
    return convolutions(spatial=(3, 2))


def flat_as_it_is():
    return convolutions(flat=(1, 2, 3, 0))


def gamma_and_beta():
    return convolutions(swap=True)


def no_statistics():
    return convolutions(statistics=False)


def no_bias():
    return convolutions(bias=False)


def squares(turned=True):
    draw = draws(2)
    w1, b1, w2, b2 = draw(8, 8), draw(8), draw(8, 8), draw(8)
    inputs = keras.Input((8,))
    first, second = layers.Dense(8, activation="tanh", name="fc1"), layers.Dense(8, name="fc2")
    norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
    model = keras.Model(inputs, norm(second(first(inputs))))
    first.set_weights([w1.T, b1])
    second.set_weights([w2.T if turned else w2, b2])
    norm.set_weights([draw(8), draw(8)])
    return model


def not_turned():
    return squares(turned=False)


def recurrent(order="ifgo"):
    draw = draws(3)
    kernel, recurrent, bias = draw(24, 5), draw(24, 6), (draw(24) + draw(24))
    lstm, fc = layers.LSTM(6, name="lstm"), layers.Dense(3, name="fc")
    model = keras.Sequential([keras.Input((9, 5)), lstm, fc])
    rows = np.concatenate([np.arange(6) + 6 * "ifgo".index(gate) for gate in order])
    lstm.set_weights([kernel[rows].T, recurrent[rows].T, bias[rows]])
    fc.set_weights([draw(3, 6).T, draw(3)])
    return model


def other_gates():
    return recurrent(order="ifog")


def depthwise(right=True):
    draw = draws(4)
    kernel, bias, point, point_bias = draw(4, 1, 3, 3), draw(4), draw(7, 4, 1, 1), draw(7)
    first = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise")
    second = layers.Conv2D(7, 1, name="point")
    model = keras.Sequential([keras.Input((8, 9, 4)), first, second])
    turned = kernel.transpose(2, 3, 0, 1) if right else kernel.reshape(3, 3, 4, 1)
    first.set_weights([turned, bias])
    second.set_weights([point.transpose(2, 3, 1, 0), point_bias])
    return model


def depthwise_reshaped():
    return depthwise(right=False)
