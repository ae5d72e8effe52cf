import keras


def Net():
    x = keras.Input((8,))
    y = keras.layers.Dense(8, activation="tanh")(keras.layers.Dense(8, activation="tanh")(x))
    return keras.Model(x, keras.layers.Reshape((5, 1))(keras.layers.Dense(5)(y)))
