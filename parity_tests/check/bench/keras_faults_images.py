"""Wrong Keras ports of torch_images.py: first the builders, then one mistake each.

What is wrong stands in the second half; without arguments every builder is right.
"""

import keras
import tensorflow as tf
from keras import layers, ops


def norm(name, epsilon=1e-5, momentum=0.9):
    return layers.BatchNormalization(epsilon=epsilon, momentum=momentum, name=name)


def cnn(
    epsilon=1e-5, momentum=0.9, late=False, second=True, act1=None, act2="relu", average=False,
    bias=True, drop=False, last=None,
):  # fmt: skip
    image = keras.Input((12, 10, 3))
    x = layers.Conv2D(8, 3, padding="same", name="conv1")(image)
    chain = [norm("bn1", epsilon, momentum), act1 or layers.ReLU(name="act1")]
    for layer in reversed(chain) if late else chain:
        x = layer(x)
    pool = layers.AveragePooling2D if average else layers.MaxPooling2D
    x = layers.Conv2D(12, 3, name="conv2")(pool(2, name="pool")(x))
    x = norm("bn2", 1e-5, momentum)(x) if second else x
    x = layers.Activation(act2, name="act2")(x) if act2 else x
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(10, activation="relu", use_bias=bias, name="fc1")(x)
    x = layers.Dropout(0.5, name="drop")(x) if drop else x
    return keras.Model(image, layers.Dense(7, activation=last, name="fc2")(x))


def block(
    x, filters, stride, name, late_stride=False, same=False, shortcut=True, act="out",
    norm_shortcut=True, kernel=1,
):  # fmt: skip
    identity = x
    if stride != 1:
        identity = layers.Conv2D(
            filters, kernel, stride, "same", use_bias=False, name=f"{name}_0_conv"
        )(x)
        identity = norm(f"{name}_0_bn")(identity) if norm_shortcut else identity
    for i, step in enumerate((1, stride) if late_stride else (stride, 1), 1):
        pad = "same" if step == 1 or same else "valid"
        x = layers.ZeroPadding2D(1, name=f"{name}_{i}_pad")(x) if pad == "valid" else x
        x = layers.Conv2D(filters, 3, step, pad, use_bias=False, name=f"{name}_{i}_conv")(x)
        x = norm(f"{name}_{i}_bn")(x)
        x = layers.ReLU(name=f"{name}_{i}_relu")(x) if i == 1 or act == "before" else x
    x = layers.Add(name=f"{name}_add")([identity, x]) if shortcut else x
    return layers.ReLU(name=f"{name}_out")(x) if act == "out" else x


def resnet(same=False, pool_padding=True, pool=layers.GlobalAveragePooling2D, a=None, b=None):
    image = keras.Input((30, 22, 3))
    x = image if same else layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(8, 7, 2, "same" if same else "valid", use_bias=False, name="conv1")(x)
    x = layers.ReLU(name="relu")(norm("bn1")(x))
    x = layers.ZeroPadding2D(1, name="pool_pad")(x) if pool_padding else x
    x = layers.MaxPooling2D(3, strides=2, name="maxpool")(x)
    x = block(block(x, 8, 1, "a", **(a or {})), 12, 2, "b", **(b or {}))
    return keras.Model(image, layers.Dense(5, name="fc")(pool(name="avgpool")(x)))


def unet(merge="after", grow="transposed", early_skip=False, last="sigmoid"):
    image = keras.Input((16, 12, 3))
    raw = layers.Conv2D(6, 3, padding="same", name="enc")(image)
    skip = layers.ReLU(name="enc_relu")(raw)
    x = layers.MaxPooling2D(name="pool")(skip)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="mid")(x)
    if grow == "transposed":
        x = layers.Conv2DTranspose(6, 2, strides=2, name="up")(x)
    else:
        x = layers.Conv2D(6, 2, padding="same", name="up")(layers.UpSampling2D(name="grow")(x))
    skip = raw if early_skip else skip
    if merge == "add":
        x = layers.Add(name="merge")([x, skip])
    else:
        x = layers.Concatenate(name="merge")([skip, x] if merge == "before" else [x, skip])
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="dec")(x)
    return keras.Model(image, layers.Conv2D(2, 1, activation=last, name="head")(x))


def mobile(
    act1="hard_swish", act2=6.0, gate="sigmoid", kernel=5, depthwise=True, epsilon=1e-3, rate=0.2,
    width=12, raw=False,
):  # fmt: skip
    image = keras.Input((13, 15, 3))
    before = layers.Conv2D(6, 3, strides=2, padding="same", name="stem")(image)
    x = layers.Activation("hard_silu", name="stem_act")(before)
    y = layers.Conv2D(width, 1, use_bias=False, name="expand")(x)
    y = layers.Activation(act1, name="act1")(norm("bn1", 1e-3, 0.99)(y))
    if depthwise:
        y = layers.DepthwiseConv2D(kernel, padding="same", use_bias=False, name="depthwise")(y)
    else:
        y = layers.Conv2D(width, kernel, padding="same", use_bias=False, name="depthwise")(y)
    y = layers.ReLU(max_value=act2, name="act2")(norm("bn2", epsilon, 0.99)(y))
    s = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(y)
    s = layers.Conv2D(4, 1, activation="relu", name="se1")(s)
    s = layers.Conv2D(width, 1, activation=gate, name="se2")(s)
    y = layers.Conv2D(6, 1, use_bias=False, name="project")(layers.Multiply(name="excite")([y, s]))
    x = layers.Add(name="add")([before if raw else x, norm("bn3", 1e-3, 0.99)(y)])
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dropout(rate, name="drop")(x) if rate else x
    return keras.Model(image, layers.Dense(5, name="fc")(x))


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


def average(size=12, kernel=(3, 5), stride=(1, 2), window=3, pool_stride=2, counted=True):
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


# --- SmallCnn


def norm_epsilon():
    return cnn(epsilon=1e-3)


def norm_momentum():
    return cnn(momentum=0.99)


def norm_momentum_copied():
    return cnn(momentum=0.1)


def norm_after_activation():
    return cnn(late=True)


def norm_missing():
    return cnn(second=False)


def activation_missing():
    return cnn(act2=None)


def leaky_for_relu():
    return cnn(act1=layers.LeakyReLU(0.01, name="act1"))


def average_for_max():
    return cnn(average=True)


def softmax_at_end():
    return cnn(last="softmax")


def relu_at_end():
    return cnn(last="relu")


def bias_missing():
    return cnn(bias=False)


def dropout_extra():
    return cnn(drop=True)


# --- ResNet


def stem_same():
    return resnet(same=True)


def stride_on_second():
    return resnet(b={"late_stride": True})


def block_same():
    return resnet(b={"same": True})


def residual_missing():
    return resnet(a={"shortcut": False})


def relu_before_add():
    return resnet(a={"act": "before"})


def last_relu_missing():
    return resnet(b={"act": None})


def shortcut_norm_missing():
    return resnet(b={"norm_shortcut": False})


def shortcut_kernel():
    return resnet(b={"kernel": 3})


def pool_unpadded():
    return resnet(pool_padding=False)


def global_max():
    return resnet(pool=layers.GlobalMaxPooling2D)


# --- UNet


def unet_added():
    return unet(merge="add")


def unet_order():
    return unet(merge="before")


def unet_upsampled():
    return unet(grow="resize")


def unet_skip_early():
    return unet(early_skip=True)


# --- Mobile


def relu_for_relu6():
    return mobile(act2=None)


def silu_for_hard_swish():
    return mobile(act1="silu")


def gate_relu():
    return mobile(gate="relu")


def gate_hard():
    return mobile(gate="hard_sigmoid")


def depthwise_kernel():
    return mobile(kernel=3)


def depthwise_forgotten():
    return mobile(depthwise=False)


def mobile_epsilon():
    return mobile(epsilon=1e-5)


def dropout_rate():
    return mobile(rate=0.5)


def dropout_missing():
    return mobile(rate=0)


def expansion_width():
    return mobile(width=18)


def shortcut_before_activation():
    return mobile(raw=True)


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


class Aspp(keras.Model):
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


def two_cnn():
    return cnn(epsilon=1e-3, average=True)


def two_resnet():
    return resnet(same=True, b={"act": None})


def two_mobile():
    return mobile(act1="silu", gate="relu")


def two_unet():
    return unet(early_skip=True, last=None)


def two_style():
    return style(mode="constant", how="bilinear")


def two_generator():
    return generator(slope=None, last="sigmoid")


def two_resnext():
    return resnext(number=3, bias=False)
