"""Keras ports of torch_images.py."""

import keras
import tensorflow as tf
from keras import layers, ops


def norm(**more):
    """As PyTorch's defaults."""
    return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, **more)


def small_cnn():
    return keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            layers.Conv2D(8, 3, padding="same"),
            norm(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(12, 3),
            norm(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(10, activation="relu"),
            layers.Dense(7),
        ]
    )


def small_cnn_permuted():
    """Flattens in PyTorch's order."""
    inputs = x = keras.Input((12, 10, 3))
    x = layers.Activation("relu")(norm()(layers.Conv2D(8, 3, padding="same")(x)))
    x = layers.MaxPool2D((2, 2))(x)
    x = layers.Activation("relu")(norm()(layers.Conv2D(12, 3)(x)))
    x = layers.Permute((3, 1, 2))(x)
    x = layers.Flatten()(x)
    x = layers.Dense(10, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(7)(x))


def small_cnn_channels_first():
    """Takes pictures as PyTorch does."""
    inputs = keras.Input((3, 12, 10))
    x = layers.Permute((2, 3, 1))(inputs)
    for layer in small_cnn().layers:
        x = layer(x)
    return keras.Model(inputs, x)


def basic_block(x, filters, stride, name):
    shortcut = x
    if stride != 1 or x.shape[-1] != filters:  # here the projection comes first
        shortcut = layers.Conv2D(filters, 1, stride, use_bias=False, name=f"{name}_0_conv")(x)
        shortcut = norm(name=f"{name}_0_bn")(shortcut)
    if stride != 1:
        x = layers.ZeroPadding2D(1)(x)
    pad = "same" if stride == 1 else "valid"
    x = layers.Conv2D(filters, 3, stride, pad, use_bias=False, name=f"{name}_1_conv")(x)
    x = layers.ReLU()(norm(name=f"{name}_1_bn")(x))
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(x)
    x = layers.Add()([shortcut, norm(name=f"{name}_2_bn")(x)])
    return layers.ReLU(name=f"{name}_out")(x)


def resnet():
    image = keras.Input((30, 22, 3))
    x = layers.ZeroPadding2D(3)(image)
    x = layers.Conv2D(8, 7, strides=2, use_bias=False, name="conv1")(x)
    x = layers.ReLU()(norm(name="bn1")(x))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    x = basic_block(x, 8, 1, "a")
    x = basic_block(x, 12, 2, "b")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(5, name="fc")(x))


class BasicBlock(layers.Layer):
    def __init__(self, filters, stride=1, project=False):
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(filters, 3, stride, use_bias=False)
        self.bn1 = norm()
        self.conv2 = layers.Conv2D(filters, 3, use_bias=False)
        self.bn2 = norm()
        self.projection = None
        if project:
            conv = layers.Conv2D(filters, 1, stride, use_bias=False)
            self.projection = keras.Sequential([conv, norm()])

    def call(self, x, training=None):
        y = tf.nn.relu(self.bn1(self.conv1(self.pad(x)), training=training))
        y = self.bn2(self.conv2(self.pad(y)), training=training)
        if self.projection is not None:
            x = self.projection(x, training=training)
        return tf.nn.relu(x + y)


class ResNet(keras.Model):
    """The same, subclassed."""

    def __init__(self):
        super().__init__()
        self.conv1 = layers.Conv2D(8, 7, strides=2, use_bias=False)
        self.bn1 = norm()
        self.pool = layers.MaxPooling2D(3, strides=2, padding="same")
        self.blocks = [BasicBlock(8), BasicBlock(12, 2, project=True)]
        self.fc = layers.Dense(5)

    def call(self, x, training=None):
        x = self.conv1(tf.pad(x, [[0, 0], [3, 3], [3, 3], [0, 0]]))
        x = self.pool(tf.nn.relu(self.bn1(x, training=training)))
        for block in self.blocks:
            x = block(x, training=training)
        return self.fc(tf.reduce_mean(x, axis=[1, 2]))


def densenet():
    image = keras.Input((13, 11, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same")(image)  # sizes are odd
    for _ in range(3):
        y = layers.Activation("relu")(norm()(x))
        y = layers.Conv2D(4, 3, padding="same", use_bias=False)(y)
        x = layers.concatenate([x, y])
    return keras.Model(image, layers.GlobalAveragePooling2D()(x))


def inception():
    x = keras.Input((9, 10, 5))
    b1 = layers.Conv2D(6, 1)(x)
    b5 = layers.Conv2D(6, 1, activation="relu")(x)
    b5 = layers.Conv2D(6, 5, padding="same")(b5)
    b3 = layers.Conv2D(6, 1, activation="relu")(x)
    b3 = layers.Conv2D(6, 3, padding="same")(b3)
    bp = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    bp = layers.Conv2D(6, 1)(bp)
    return keras.Model(x, layers.ReLU()(layers.Concatenate()([b1, b3, b5, bp])))


def unet():
    image = keras.Input((16, 12, 3))
    skip = layers.Conv2D(6, 3, padding="same", activation="relu", name="enc")(image)
    x = layers.MaxPooling2D()(skip)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="mid")(x)
    x = layers.Conv2DTranspose(6, 2, strides=2, name="up")(x)
    x = layers.concatenate([x, skip])
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="dec")(x)
    return keras.Model(image, layers.Conv2D(2, 1, activation="sigmoid", name="head")(x))


def squeeze_excite(x, squeezed):
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Conv2D(squeezed, 1, activation="relu")(s)
    s = layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(s)
    return layers.Multiply()([x, s])


def mobile():
    image = keras.Input((13, 15, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same", activation="hard_silu")(image)
    y = layers.Conv2D(12, 1, use_bias=False)(x)
    y = layers.Activation("hard_swish")(layers.BatchNormalization()(y))
    y = layers.DepthwiseConv2D(5, padding="same", use_bias=False)(y)
    y = layers.ReLU(max_value=6.0)(layers.BatchNormalization()(y))
    y = squeeze_excite(y, 4)
    y = layers.BatchNormalization()(layers.Conv2D(6, 1, use_bias=False)(y))
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, y]))
    return keras.Model(image, layers.Dense(5)(layers.Dropout(0.2)(x)))


def resnext():
    x = keras.Input((9, 7, 8))
    y = layers.Conv2D(12, 1, use_bias=False, activation="relu")(x)
    y = layers.Conv2D(12, 3, padding="same", groups=3, use_bias=False)(y)
    y = layers.GroupNormalization(groups=4, epsilon=1e-5)(y)
    y = layers.Conv2D(8, 1)(keras.activations.silu(y))
    return keras.Model(x, keras.activations.relu(x + y))


class Aspp(keras.Model):
    def __init__(self):
        super().__init__()
        self.stages = [
            layers.Conv2D(5, 3, padding="same", dilation_rate=rate, activation="relu")
            for rate in (1, 2, 3)
        ]
        self.pooled = layers.Conv2D(5, 1, activation="relu")
        self.project = layers.Conv2D(6, 1)

    def call(self, x):
        found = [stage(x) for stage in self.stages]
        whole = self.pooled(tf.reduce_mean(x, axis=[1, 2], keepdims=True))
        found.append(tf.tile(whole, [1, x.shape[1], x.shape[2], 1]))
        return self.project(tf.concat(found, axis=-1))


def volume():
    return keras.Sequential(
        [
            keras.Input((5, 8, 6, 2)),
            layers.Conv3D(5, 3, padding="same", activation="relu"),
            layers.MaxPooling3D((1, 2, 2)),
            layers.Conv3D(7, (3, 2, 1), activation="relu"),
            layers.GlobalMaxPooling3D(),
            layers.Dense(3),
        ]
    )


def padded_by_hand():
    image = keras.Input((18, 14, 3))
    x = layers.Conv2D(7, 3, strides=2, padding="same")(image)
    x = layers.AveragePooling2D(3, 2, padding="same")(ops.relu6(x))
    return keras.Model(image, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))


def average_padded():
    return keras.Sequential(
        [
            keras.Input((9, 12, 3)),
            layers.ZeroPadding2D((1, 2)),
            layers.Conv2D(6, (3, 5), strides=(1, 2), activation="tanh"),
            layers.ZeroPadding2D(1),  # these zeros count
            layers.AveragePooling2D(3, strides=2),
            layers.Conv2D(4, 3, padding="same"),
        ]
    )


class Reflect(layers.Layer):
    def __init__(self, width, **more):
        super().__init__(**more)
        self.width = width

    def call(self, x):
        w = self.width
        return ops.pad(x, [[0, 0], [w, w], [w, w], [0, 0]], mode="reflect")


def style():
    image = keras.Input((14, 12, 3))
    x = layers.Conv2D(6, 3)(Reflect(1)(image))
    x = layers.ReLU()(layers.GroupNormalization(groups=-1, epsilon=1e-5)(x))
    x = layers.Conv2D(8, 4, strides=2)(layers.ZeroPadding2D(1)(x))
    x = layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)(x)
    x = layers.UpSampling2D(2)(layers.ReLU()(x))
    return keras.Model(image, layers.Conv2D(3, 5, activation="tanh")(Reflect(2)(x)))


class PixelShuffle(layers.Layer):
    """Takes channels in PyTorch's order: channel, row, column."""

    def __init__(self, factor, **more):
        super().__init__(**more)
        self.factor = factor

    def call(self, x):
        r, (_, h, w, c) = self.factor, x.shape
        x = ops.reshape(x, (-1, h, w, c // r**2, r, r))
        x = ops.transpose(x, (0, 1, 4, 2, 5, 3))
        return ops.reshape(x, (-1, h * r, w * r, c // r**2))


def espcn():
    image = keras.Input((9, 7, 1))
    x = layers.Conv2D(8, 5, padding="same")(image)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.Conv2D(12, 3, padding="same")(x)
    return keras.Model(image, PixelShuffle(2)(x))


class Segmenter(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = layers.Conv2D(8, 3, strides=2)
        self.conv2 = layers.Conv2D(5, 1)

    def call(self, x):
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = self.conv2(tf.nn.leaky_relu(self.conv1(x), alpha=0.1))
        x = tf.image.resize(x, (2 * x.shape[1], 2 * x.shape[2]), method="bilinear")
        return tf.nn.softmax(x, axis=-1)


def xception():
    return keras.Sequential(
        [
            keras.Input((9, 11, 4)),
            layers.SeparableConv2D(9, 3, padding="same", activation="elu"),
            layers.SeparableConv2D(6, 3, activation="elu"),
        ]
    )


class LayerScale(layers.Layer):
    def build(self, shape):
        start = keras.initializers.Constant(0.1)
        self.gamma = self.add_weight(shape=(shape[-1],), initializer=start, name="gamma")

    def call(self, x):
        return x * self.gamma


def convnext(dim=8):
    x = keras.Input((10, 9, dim))
    y = layers.DepthwiseConv2D(7, padding="same")(x)
    y = layers.LayerNormalization(epsilon=1e-6)(y)
    y = layers.Dense(4 * dim, activation="gelu")(y)
    y = LayerScale()(layers.Dense(dim)(y))
    return keras.Model(x, layers.Add()([x, y]))


def generator():
    z = keras.Input((7,))
    x = layers.Dense(120, use_bias=False)(z)
    x = layers.Permute((2, 3, 1))(layers.Reshape((10, 4, 3))(x))
    x = layers.ReLU()(norm()(x))
    x = layers.Conv2DTranspose(6, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.LeakyReLU(negative_slope=0.2)(norm()(x))
    x = layers.Conv2DTranspose(3, 3, strides=2)(x)
    x = layers.Cropping2D(((1, 0), (1, 0)))(x)
    return keras.Model(z, layers.Activation("tanh")(x))


def denoiser():
    x = keras.Input((11, 9, 2))
    y = layers.Conv2D(6, 3, padding="same", activation="elu")(x)
    y = layers.Conv2D(6, 3, padding="same", dilation_rate=2, activation="mish")(y)
    y = layers.Conv2D(2, 3, padding="same")(y)
    return keras.Model(x, layers.Subtract()([x, y]))


def preactivated():
    x = keras.Input((8, 9, 6))
    y = layers.ReLU()(norm()(x))
    y = layers.Conv2D(6, 3, padding="same", use_bias=False)(y)
    y = layers.ReLU()(norm()(y))
    y = layers.Conv2D(6, 3, padding="same", use_bias=False)(y)
    return keras.Model(x, x + y)


def raw_pixels():
    return keras.Sequential(
        [
            keras.Input((11, 13, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(4),
        ]
    )


class AlwaysMoving(layers.BatchNormalization):
    """Learns neither gamma nor beta, but goes on with its statistics."""

    def build(self, shape):
        super().build(shape)
        self.gamma.trainable = self.beta.trainable = False


def frozen_norm():
    image = keras.Input((9, 8, 3))
    x = AlwaysMoving(epsilon=1e-5, momentum=0.9)(layers.Conv2D(7, 3)(image))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    return keras.Model(image, layers.Dense(4)(x))


def columns():
    image = keras.Input((16, 13, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = layers.MaxPooling2D((2, 1))(x)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((13, 8 * 4))(x)
    x = layers.GRU(9, return_sequences=True)(x)
    return keras.Model(image, layers.Dense(5)(x))
