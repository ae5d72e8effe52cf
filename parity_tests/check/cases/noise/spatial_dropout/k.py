import keras
from keras import layers


def images(drop):
    return keras.Sequential(
        [
            keras.Input((7, 5, 3)),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="conv"),
            drop,
            layers.Conv2D(4, 1, name="head"),
        ]
    )


def net():
    return images(layers.SpatialDropout2D(0.3, name="drop"))


def shaped():
    return images(layers.Dropout(0.3, noise_shape=(None, 1, 1, 6), name="drop"))


def wrong():
    return images(layers.Dropout(0.3, name="drop"))


def places():
    """Wrong: all channels of a place."""
    return images(layers.Dropout(0.3, noise_shape=(None, 7, 5, 1), name="drop"))


def series():
    return keras.Sequential(
        [
            keras.Input((9, 3)),
            layers.Conv1D(6, 3, padding="same", activation="relu", name="conv"),
            layers.SpatialDropout1D(0.3, name="drop"),
            layers.Conv1D(4, 1, name="head"),
        ]
    )
