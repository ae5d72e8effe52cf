import keras
from keras import layers


def net(average=False, epsilon=1e-5):
    """The pool first: a maximum does not mind, an average does."""
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(5, 3, name="conv")(x)
    x = (layers.AveragePooling2D if average else layers.MaxPooling2D)(2, name="pool")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.BatchNormalization(epsilon=epsilon, name="norm")(x)
    return keras.Model(inputs, layers.Dense(4, name="head")(layers.GlobalAveragePooling2D()(x)))
