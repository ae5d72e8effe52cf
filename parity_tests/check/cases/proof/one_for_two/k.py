import keras
from keras import layers


def decoder(grow, epsilon=1e-5):
    image = keras.Input((6, 4, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="enc")(image)
    x = grow(x)
    x = layers.LayerNormalization(epsilon=epsilon, name="norm")(x)
    return keras.Model(image, layers.Dense(2, name="head")(layers.ReLU()(x)))


def right():
    return decoder(layers.Conv2DTranspose(6, 2, strides=2, name="up"))


def wrong():
    def grow(x):
        x = layers.UpSampling2D(2, name="grow")(x)
        return layers.Conv2D(6, 2, padding="same", name="up")(x)

    return decoder(grow)


def wrong_epsilon():
    return decoder(layers.Conv2DTranspose(6, 2, strides=2, name="up"), 1e-3)


def wrong_twice():
    def grow(x):
        x = layers.UpSampling2D(2, name="grow")(x)
        return layers.Conv2D(6, 2, padding="same", name="up")(x)

    return decoder(grow, 1e-3)
