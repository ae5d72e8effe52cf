"""Wrong Keras ports of the classifiers and the U-Net of torch_images.py.

First the builders, which are right without arguments, then one mistake each.
"""

import keras
from keras import layers


def norm(name, epsilon=1e-5, momentum=0.9):
    return layers.BatchNormalization(epsilon=epsilon, momentum=momentum, name=name)


def cnn(
    *,
    epsilon=1e-5,
    momentum=0.9,
    late=False,
    second=True,
    act1=None,
    act2="relu",
    average=False,
    bias=True,
    drop=False,
    last=None,
):
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
    x,
    filters,
    stride,
    name,
    *,
    late_stride=False,
    same=False,
    shortcut=True,
    act="out",
    norm_shortcut=True,
    kernel=1,
):
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
    *,
    act1="hard_swish",
    act2=6.0,
    gate="sigmoid",
    kernel=5,
    depthwise=True,
    epsilon=1e-3,
    rate=0.2,
    width=12,
    raw=False,
):
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


# --- Two mistakes


def two_cnn():
    return cnn(epsilon=1e-3, average=True)


def two_resnet():
    return resnet(same=True, b={"act": None})


def two_mobile():
    return mobile(act1="silu", gate="relu")


def two_unet():
    return unet(early_skip=True, last=None)
