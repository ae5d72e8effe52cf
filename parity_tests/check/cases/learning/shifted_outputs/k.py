import keras
from keras import layers, ops


def net():
    inputs = keras.Input((6, 7, 3))
    return keras.Model(inputs, ops.log_softmax(layers.Conv2D(4, 3, name="conv")(inputs), axis=-1))


def nll(y, p):
    rows = ops.one_hot(ops.cast(y, "int32"), 4, dtype=p.dtype)
    return -ops.mean(ops.sum(rows * p, axis=-1))
