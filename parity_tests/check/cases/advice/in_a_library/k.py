import keras
import keras_hub
from keras import layers


def encoder(inner=1e-5, outer=1e-5, activation="relu", first=False):
    """A block of a library, between layers of one's own."""
    x = inputs = keras.Input((5, 6))
    block = keras_hub.layers.TransformerEncoder(
        12, 2, activation=activation, layer_norm_epsilon=inner, normalize_first=first, name="block"
    )
    x = block(layers.Dense(8, name="before")(x))
    return keras.Model(inputs, layers.LayerNormalization(epsilon=outer, name="norm")(x))
