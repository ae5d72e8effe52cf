import keras
from keras import layers, ops


def net(epsilon=1e-5, turned=False):
    x = keras.Input((6,))
    one, two = layers.Dense(4, name="a")(x), layers.Dense(3, name="b")(x)
    outer = ops.matmul(ops.expand_dims(one, -1), ops.expand_dims(two, 1))
    outer = ops.transpose(outer, (0, 2, 1)) if turned else outer
    y = layers.Dense(5, name="c")(ops.reshape(outer, (-1, 12)))
    return keras.Model(x, layers.LayerNormalization(epsilon=epsilon, name="norm")(y))


def other_epsilon():
    return net(1e-2)
