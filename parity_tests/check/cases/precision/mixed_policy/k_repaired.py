import keras
from keras import layers


def Net(policy="float32"):
    x = keras.Input((8,))
    y = layers.Dense(16, dtype=policy)(x)
    y = layers.LayerNormalization(epsilon=1e-5, dtype=policy)(y)
    y = layers.Activation("gelu", dtype=policy)(y)
    return keras.Model(x, layers.Dense(5, dtype="float32")(y))
