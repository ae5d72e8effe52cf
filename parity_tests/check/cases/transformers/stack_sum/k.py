import keras


def Net():
    x = keras.Input((8,))
    one = keras.layers.Dense(8, activation="tanh")(x)
    two = keras.layers.Dense(8, activation="tanh")(one)
    return keras.Model(x, keras.layers.Add()([one, two]))
