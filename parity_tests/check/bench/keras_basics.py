"""Keras ports of torch_basics.py."""

import keras
import tensorflow as tf
from keras import layers, ops


def mlp():
    return keras.Sequential(
        [
            layers.Dense(24, activation="relu"),
            layers.Dense(17, activation="tanh"),
            layers.Dense(5),
        ]
    )


def classifier():
    inputs = keras.Input((11,))
    x = layers.Dense(16, name="fc1")(inputs)
    x = layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="bn1")(x)
    x = layers.Dropout(0.3)(layers.ReLU()(x))
    x = layers.Dense(12, name="fc2")(x)
    x = layers.BatchNormalization(name="bn2")(x)
    x = layers.Activation("elu")(x)
    return keras.Model(inputs, layers.Dense(4, name="out")(x))


def image_and_table():
    image, table = keras.Input((13, 11, 3), name="image"), keras.Input((7,), name="table")
    seen = layers.Conv2D(6, 3, strides=2, activation="relu")(image)
    seen = layers.GlobalAveragePooling2D()(seen)
    known = layers.Dense(9, activation="sigmoid")(table)
    both = layers.Concatenate()([seen, known])
    return keras.Model([image, table], layers.Dense(4)(both))


def detector():
    image = keras.Input((12, 14, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    x = layers.MaxPooling2D()(x)
    scores = layers.Conv2D(5, 1, activation="sigmoid", name="classes")(x)
    boxes = layers.Conv2D(4, 3, padding="same", name="boxes")(x)
    return keras.Model(image, {"scores": scores, "boxes": boxes})


class Encoding(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(10, activation="silu")
        self.mean = layers.Dense(3)
        self.log_variance = layers.Dense(3)
        self.decoder = keras.Sequential(
            [layers.Dense(10, activation="swish"), layers.Dense(14, activation="sigmoid")]
        )

    def call(self, x):
        h = self.hidden(x)
        mean = self.mean(h)
        return self.decoder(mean), mean, self.log_variance(h)


def siamese():
    encoder = keras.Sequential(
        [keras.Input((9,)), layers.Dense(12, activation="relu"), layers.Dense(6)]
    )
    left, right = keras.Input((9,)), keras.Input((9,))
    apart = ops.abs(encoder(left) - encoder(right))
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(apart))


def residual(width, name):
    inputs = keras.Input((width,))
    x = layers.LayerNormalization(epsilon=1e-5)(inputs)
    x = layers.Dense(width, activation="relu")(x)
    return keras.Model(inputs, layers.add([inputs, x]), name=name)


def nested(depth=3):
    inputs = keras.Input((8,))
    x = layers.Dense(10)(inputs)
    for i in range(depth):
        x = residual(10, f"block{i}")(x)
    return keras.Model(inputs, layers.Dense(3)(x))


class Affine(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, x):
        return x * self.scale + self.shift


class Gated(keras.Model):
    def __init__(self):
        super().__init__()
        self.inlet = layers.Dense(14)
        self.affine = Affine()

    def build(self, shape):
        self.inlet.build(shape)
        self.affine.build((None, 14))
        self.mix = self.add_weight(shape=(14, 5), initializer="glorot_uniform", name="mix")

    def call(self, x):
        return tf.matmul(tf.tanh(self.affine(self.inlet(x))), self.mix)


class Steps(keras.Model):
    def __init__(self, steps=4):
        super().__init__()
        self.steps = steps
        self.cell = layers.Dense(7, activation="tanh")
        self.outlet = layers.Dense(2)

    def call(self, x):
        state = tf.zeros_like(x)
        for step in range(self.steps):
            update = self.cell(state + x)
            state = 0.5 * state + update if step % 2 else update
        return self.outlet(state)


def experts():
    x = keras.Input((10,))
    weights = layers.Dense(3, activation="softmax", name="gate")(x)
    answers = ops.stack([layers.Dense(6, name=f"expert{i}")(x) for i in range(3)], axis=1)
    return keras.Model(x, ops.sum(ops.expand_dims(weights, -1) * answers, axis=1))


def wide_and_deep():
    inputs = keras.Input((12,))
    x = layers.Rescaling(0.5, offset=-0.125)(inputs)
    wide = layers.Dense(1, use_bias=False)(x)
    deep = layers.Dense(9)(ops.square(x))
    deep = layers.Dense(1)(layers.LeakyReLU(negative_slope=0.2)(deep))
    return keras.Model(inputs, ops.sigmoid(wide + deep))


class TiedAutoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = layers.Dense(5, activation="sigmoid")

    def build(self, shape):
        self.encoder.build(shape)
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="decoder_bias")

    def call(self, x):
        code = self.encoder(x)
        return ops.matmul(code, ops.transpose(self.encoder.kernel)) + self.bias


def frozen():
    backbone = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(12, activation="relu"),
            layers.Dense(8, activation="relu"),
        ],
        name="backbone",
    )
    backbone.trainable = False
    inputs = keras.Input((10,))
    return keras.Model(inputs, layers.Dense(3)(backbone(inputs)))


def sized(units=8, active="relu"):
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(units, activation=active), layers.Dense(3)]
    )


def per_step():
    inputs = keras.Input((9, 6))
    x = layers.TimeDistributed(layers.Dense(11, activation="softplus"))(inputs)
    x = layers.TimeDistributed(layers.Dense(4))(x)
    return keras.Model(inputs, ops.sum(x, axis=1))


def difference():
    inputs = keras.Input((10,))
    a = layers.Dense(7, activation="relu")(inputs)
    b = layers.Dense(7, activation="relu")(inputs)
    return keras.Model(inputs, layers.LayerNormalization(epsilon=1e-5)(layers.subtract([a, b])))


def swapped():
    inputs = keras.Input((9,))
    h = layers.Dense(12, activation="relu", name="trunk")(inputs)
    return keras.Model(
        inputs, [layers.Dense(4, name="actor")(h), layers.Dense(4, name="critic")(h)]
    )


ready = keras.Sequential(
    [keras.Input((5,)), layers.Dense(9, activation="sigmoid"), layers.Dense(2)]
)
