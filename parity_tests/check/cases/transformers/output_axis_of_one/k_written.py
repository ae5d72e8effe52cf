import keras


def Net():
    x = keras.Input((8,))
    dense = keras.layers.Dense(8, activation="tanh")
    y = dense(dense(x))
    return keras.Model(x, keras.layers.Reshape((5, 1))(keras.layers.Dense(5)(y)))
