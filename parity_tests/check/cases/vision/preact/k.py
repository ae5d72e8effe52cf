import keras
from keras import layers


def bn(x, name):
    return layers.ReLU()(layers.BatchNormalization(epsilon=1e-5, name=name)(x))


def net(w=8):
    """Norms and activations before the convolutions (qubvel's classification_models)."""
    i = keras.Input((8, 8, 3))
    x = bn(layers.Conv2D(w, 3, padding="same", name="stem")(i), "stem_bn")
    for u in ("one", "two"):
        y = layers.Conv2D(w, 3, padding="same", use_bias=False, name=f"{u}_conv1")(
            bn(x, f"{u}_bn1")
        )
        y = layers.Conv2D(w, 3, padding="same", use_bias=False, name=f"{u}_conv2")(
            bn(y, f"{u}_bn2")
        )
        x = layers.add([x, y])
    return keras.Model(i, layers.Conv2D(5, 1, name="head")(bn(x, "last_bn")))


def behind(w=8, convolutions=2):
    """As the other side has them."""
    i = keras.Input((8, 8, 3))
    x = bn(layers.Conv2D(w, 3, padding="same", name="stem")(i), "stem_bn")
    for u in ("one", "two"):
        y = x
        for n in range(convolutions):
            y = layers.Conv2D(w, 3, padding="same", use_bias=False, name=f"{u}_conv{n}")(y)
            y = layers.BatchNormalization(epsilon=1e-5, name=f"{u}_bn{n}")(y)
            y = layers.ReLU()(y) if n == 0 else y
        x = layers.ReLU()(layers.add([x, y]))
    return keras.Model(i, layers.Conv2D(5, 1, name="head")(x))
