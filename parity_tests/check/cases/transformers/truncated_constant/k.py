import keras


def Net():
    x = keras.Input((8,))
    y = keras.activations.gelu(keras.layers.Dense(8)(x), approximate=True)
    return keras.Model(x, keras.layers.Dense(4)(y))
