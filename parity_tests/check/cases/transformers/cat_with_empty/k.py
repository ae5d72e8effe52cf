import keras
from keras import ops


def Net():
    x = keras.Input((11, 8))
    y = keras.activations.gelu(keras.layers.Dense(8)(x), approximate=True)
    return keras.Model(x, keras.layers.Dense(4)(ops.transpose(y, (0, 2, 1))))
