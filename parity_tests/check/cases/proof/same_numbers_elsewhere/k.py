import keras
from keras import layers, ops


def net(before=False):
    x = inputs = keras.Input((5,))
    inlet = layers.Dense(6, name="inlet")(x)
    x = ops.relu(inlet)
    skip = inlet if before else layers.Activation("relu", name="again")(x)
    x = layers.Add(name="add")([layers.LayerNormalization(epsilon=1e-5, name="norm")(x), skip])
    return keras.Model(inputs, layers.Dense(3, name="outlet")(x))


def wrong():
    return net(before=True)
