import keras
from keras import ops


def Net():
    x = keras.Input((11, 8))
    y = keras.activations.gelu(keras.layers.Dense(8)(x), approximate=True)
    mask = ops.ones_like(x[:, None, :, 0], dtype="int32")
    scores = ops.matmul(y, ops.transpose(y, (0, 2, 1)))
    scores = scores + ops.where(ops.cast(mask, "bool"), 0.0, -1e9)
    return keras.Model(x, keras.layers.Dense(4)(ops.matmul(ops.softmax(scores), y)))
