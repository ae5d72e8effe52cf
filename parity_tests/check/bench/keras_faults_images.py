"""Wrong Keras ports of the other models of torch_images.py.

First the builders, which are right without arguments, then one mistake each.
"""

import keras
import tensorflow as tf
from keras import layers, ops


def norm(name, epsilon=1e-5, momentum=0.9):
    return layers.BatchNormalization(epsilon=epsilon, momentum=momentum, name=name)


def resnext(groups=3, number=4, epsilon=1e-5, batch=False, bias=True):
    x = keras.Input((9, 7, 8))
    y = layers.Conv2D(12, 1, use_bias=False, activation="relu", name="reduce")(x)
    y = layers.Conv2D(12, 3, padding="same", groups=groups, use_bias=False, name="grouped")(y)
    group_norm = layers.GroupNormalization(number, epsilon=epsilon, name="norm")
    y = layers.Activation("silu", name="silu")((norm("norm") if batch else group_norm)(y))
    y = layers.Conv2D(8, 1, use_bias=bias, name="expand")(y)
    return keras.Model(x, layers.ReLU(name="out")(layers.Add(name="add")([x, y])))


def generator(slope=0.2, same=False, last="tanh"):
    z = keras.Input((7,))
    x = layers.Reshape((10, 4, 3))(layers.Dense(120, use_bias=False, name="fc")(z))
    x = layers.ReLU(name="relu")(norm("bn1")(layers.Permute((2, 3, 1))(x)))
    x = layers.Conv2DTranspose(6, 4, 2, padding="same", use_bias=False, name="up1")(x)
    x = norm("bn2")(x)
    x = (
        layers.LeakyReLU(name="leaky")(x)
        if slope is None
        else layers.LeakyReLU(slope, name="leaky")(x)
    )
    if same:
        x = layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="up2")(x)
    else:
        x = layers.Conv2DTranspose(3, 3, strides=2, name="up2")(x)
        x = layers.Cropping2D(((1, 0), (1, 0)), name="crop")(x)
    return keras.Model(z, layers.Activation(last, name="last")(x))


class Pad(layers.Layer):
    def __init__(self, width, mode, **more):
        super().__init__(**more)
        self.width, self.mode = width, mode

    def call(self, x):
        w = self.width
        return ops.pad(x, [[0, 0], [w, w], [w, w], [0, 0]], mode=self.mode)


def style(mode="reflect", groups=-1, affine=True, batch=False, how="nearest"):
    image = keras.Input((14, 12, 3))
    x = layers.Conv2D(6, 3, name="conv1")(Pad(1, mode, name="pad1")(image))
    first = layers.GroupNormalization(groups, epsilon=1e-5, center=affine, scale=affine, name="in1")
    x = layers.ReLU(name="relu1")((norm("in1") if batch else first)(x))
    x = layers.Conv2D(8, 4, strides=2, name="down")(layers.ZeroPadding2D(1)(x))
    x = layers.GroupNormalization(-1, epsilon=1e-5, center=False, scale=False, name="in2")(x)
    x = layers.UpSampling2D(2, interpolation=how, name="up")(layers.ReLU(name="relu2")(x))
    x = layers.Conv2D(3, 5, activation="tanh", name="conv2")(Pad(2, "reflect", name="pad2")(x))
    return keras.Model(image, x)


def average(*, size=12, kernel=(3, 5), stride=(1, 2), window=3, pool_stride=2, counted=True):
    image = keras.Input((9, size, 3))
    pad = (kernel[0] // 2, kernel[1] // 2)
    x = layers.Conv2D(6, kernel, stride, activation="tanh", name="conv")(
        layers.ZeroPadding2D(pad, name="pad")(image)
    )
    if counted:
        x = layers.ZeroPadding2D(1, name="pool_pad")(x)
    more = {} if counted else {"padding": "same"}
    x = layers.AveragePooling2D(window, strides=pool_stride, name="pool", **more)(x)
    return keras.Model(image, layers.Conv2D(4, 3, padding="same", name="out")(x))


def convnext(axis=-1, epsilon=1e-6, approximate=False, scaled=True, dim=8):
    x = keras.Input((10, 9, dim))
    y = layers.DepthwiseConv2D(7, padding="same", name="dwconv")(x)
    y = layers.LayerNormalization(axis=axis, epsilon=epsilon, name="norm")(y)
    y = layers.Dense(4 * dim, name="pwconv1")(y)
    # ops.gelu says approximate=True where nothing is said
    y = ops.gelu(y) if approximate else layers.Activation("gelu", name="act")(y)
    y = layers.Dense(dim, name="pwconv2")(y)
    y = LayerScale(name="gamma")(y) if scaled else y
    return keras.Model(x, layers.Add(name="add")([x, y]))


class LayerScale(layers.Layer):
    def build(self, shape):
        start = keras.initializers.Constant(0.1)
        self.gamma = self.add_weight(shape=(shape[-1],), initializer=start, name="gamma")

    def call(self, x):
        return x * self.gamma


class Segmenter(keras.Model):
    def __init__(self, slope=0.1, method="bilinear", axis=-1):
        super().__init__()
        self.slope, self.method, self.axis = slope, method, axis
        self.conv1 = layers.Conv2D(8, 3, strides=2, name="conv1")
        self.conv2 = layers.Conv2D(5, 1, name="conv2")

    def call(self, x):
        x = self.conv1(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]))
        x = self.conv2(tf.nn.leaky_relu(x, self.slope))
        x = tf.image.resize(x, (2 * x.shape[1], 2 * x.shape[2]), method=self.method)
        return tf.nn.softmax(x, axis=self.axis)


def raw_pixels(scale=1 / 127.5, offset=-1.0):
    return keras.Sequential(
        [
            keras.Input((11, 13, 3)),
            layers.Rescaling(scale, offset=offset, name="rescaling"),
            layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="conv"),
            layers.GlobalMaxPooling2D(name="pool"),
            layers.Dense(4, name="fc"),
        ]
    )


def denoiser(turned=False, alpha=1.0, rate=2):
    x = keras.Input((11, 9, 2))
    y = layers.ELU(alpha, name="elu")(layers.Conv2D(6, 3, padding="same", name="conv1")(x))
    y = layers.Conv2D(6, 3, padding="same", dilation_rate=rate, name="conv2")(y)
    y = layers.Activation("mish", name="mish")(y)
    y = layers.Conv2D(2, 3, padding="same", name="conv3")(y)
    return keras.Model(x, layers.Subtract(name="subtract")([y, x] if turned else [x, y]))


# --- ResNeXt


def groups_forgotten():
    return resnext(groups=1)


def group_norm_groups():
    return resnext(number=3)


def group_norm_epsilon():
    return resnext(epsilon=1e-3)


def batch_for_group_norm():
    return resnext(batch=True)


# --- Generator


def generator_slope():
    return generator(slope=None)


def generator_same():
    return generator(same=True)


def generator_sigmoid():
    return generator(last="sigmoid")


# --- Style


def zeros_for_reflect():
    return style(mode="constant")


def batch_for_instance():
    return style(batch=True)


def one_group():
    return style(groups=1)


def affine_missing():
    return style(affine=False)


def bilinear_for_nearest():
    return style(how="bilinear")


# --- AveragePadded


def padding_not_counted():
    return average(size=13, counted=False)


def stride_swapped():
    return average(stride=(2, 1))


def kernel_swapped():
    return average(kernel=(5, 3))


def pool_stride():
    return average(pool_stride=None)


def pool_window():
    return average(window=2)


# --- ConvNext


def layer_norm_axis():
    return convnext(axis=1)


def layer_norm_epsilon():
    return convnext(epsilon=1e-3)


def gelu_approximate():
    return convnext(approximate=True)


def layer_scale_missing():
    return convnext(scaled=False)


# --- Segmenter, RawPixels, Denoiser


def resize_nearest():
    return Segmenter(method="nearest")


def softmax_axis():
    return Segmenter(axis=1)


def leaky_default():
    return Segmenter(slope=0.2)


def rescaling_factor():
    return raw_pixels(scale=1 / 255)


def rescaling_offset():
    return raw_pixels(offset=0.0)


def subtract_turned():
    return denoiser(turned=True)


def elu_alpha():
    return denoiser(alpha=0.5)


def dilation_forgotten():
    return denoiser(rate=1)


# --- Others


def pixel_shuffle():
    image = keras.Input((9, 7, 1))
    x = layers.Conv2D(8, 5, padding="same", name="conv1")(image)
    x = layers.PReLU(shared_axes=[1, 2], name="act")(x)
    x = layers.Conv2D(12, 3, padding="same", name="conv2")(x)
    shuffle = layers.Lambda(lambda x: tf.nn.depth_to_space(x, 2), name="shuffle")
    return keras.Model(image, shuffle(x))


def prelu_one():
    image = keras.Input((9, 7, 1))
    x = layers.Conv2D(8, 5, padding="same", name="conv1")(image)
    x = layers.PReLU(shared_axes=[1, 2, 3], name="act")(x)
    x = layers.Conv2D(12, 3, padding="same", name="conv2")(x)
    x = ops.transpose(ops.reshape(x, (-1, 9, 7, 3, 2, 2)), (0, 1, 4, 2, 5, 3))
    return keras.Model(image, ops.reshape(x, (-1, 18, 14, 3)))


def dense_order():
    image = keras.Input((13, 11, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="stem")(image)
    for i in range(3):
        y = layers.ReLU(name=f"relu{i}")(norm(f"norm{i}")(x))
        y = layers.Conv2D(4, 3, padding="same", use_bias=False, name=f"conv{i}")(y)
        x = layers.Concatenate(name=f"concat{i}")([y, x])
    return keras.Model(image, layers.GlobalAveragePooling2D(name="pool")(x))


def residual_after_activation():
    image = keras.Input((8, 9, 6))
    x = layers.ReLU(name="relu1")(norm("bn1")(image))
    y = layers.Conv2D(6, 3, padding="same", use_bias=False, name="conv1")(x)
    y = layers.ReLU(name="relu2")(norm("bn2")(y))
    y = layers.Conv2D(6, 3, padding="same", use_bias=False, name="conv2")(y)
    return keras.Model(image, layers.Add(name="add")([x, y]))


def norm_frozen():
    image = keras.Input((9, 8, 3))
    bn = norm("bn")
    bn.trainable = False
    x = layers.ReLU(name="relu")(bn(layers.Conv2D(7, 3, name="conv")(image)))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(image, layers.Dense(4, name="head")(x))


def rows_for_columns():
    image = keras.Input((16, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(image)
    x = layers.MaxPooling2D((2, 1), name="pool")(x)
    x = layers.Reshape((8, 8 * 4), name="reshape")(x)
    x = layers.GRU(9, return_sequences=True, name="rnn")(x)
    return keras.Model(image, layers.Dense(5, name="fc")(x))


class AsppUndilated(keras.Model):
    """The rates were forgotten in the comprehension."""

    def __init__(self):
        super().__init__()
        self.stages = [
            layers.Conv2D(5, 3, padding="same", activation="relu", name=f"stage{i}")
            for i in range(3)
        ]
        self.pooled = layers.Conv2D(5, 1, activation="relu", name="pooled")
        self.project = layers.Conv2D(6, 1, name="project")

    def call(self, x):
        found = [stage(x) for stage in self.stages]
        whole = self.pooled(tf.reduce_mean(x, axis=[1, 2], keepdims=True))
        found.append(tf.tile(whole, [1, x.shape[1], x.shape[2], 1]))
        return self.project(tf.concat(found, axis=-1))


# --- Two mistakes


def two_style():
    return style(mode="constant", how="bilinear")


def two_generator():
    return generator(slope=None, last="sigmoid")


def two_resnext():
    return resnext(number=3, bias=False)
