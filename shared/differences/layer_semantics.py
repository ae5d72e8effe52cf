"""Words that both frameworks' layers use, with another meaning."""

from parity.spec.cases import Numbers
from parity.spec.difference import FUNCTIONAL, KERAS, LAYERS, NN, TF, TORCH, Difference, NoWay
from shared.initial_weights import drawn

Image = tuple[tuple[tuple[tuple[Numbers], ...], ...], ...]


def _image(*rows: tuple[Numbers, ...]) -> Image:
    """One image of one channel."""
    return (tuple(tuple((v,) for v in row) for row in rows),)


_RESIZE = KERAS + "ops/image/#resize-function"
_IN_OUT = {"x": "images", "mapped": "images"}
_IMAGES = _IN_OUT | {"given": "images"}
_COUNT_4 = _image((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16))
_COUNT_3 = _image((1, 2, 3), (4, 5, 6), (7, 8, 9))
_COUNT_8 = ((((1.0, 2.0), (3.0, 4.0)), ((5.0, 6.0), (7.0, 8.0))),)
_EIGHT = ((1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0),)
_BY_CHANNEL = ((1.0, 3.0, 5.0, 7.0, 2.0, 4.0, 6.0, 8.0),)
_ONE_UNIT: dict[str, Numbers] = {
    "x": (((1.0,), (-2.0,), (0.5,)),),
    "kernel": ((0.5, -1.0, 0.75),),
    "recurrent_kernel": ((1.0, 0.25, -0.5),),
    "bias": ((0.25, 0.5, 1.0), (-0.5, 0.75, 0.125)),
}
_TWO = {"x": (((1.0,), (10.0,)),)}

ROWS = (
    Difference(
        "batch_norm_variance",
        "`BatchNorm`: running variance of 1 … 8; unbiased in PyTorch, biased in Keras",
        (6.0,),
        (5.25,),
        "`KerasBatchNorm1d`, a bridge for PyTorch",
        LAYERS + "normalization_layers/batch_normalization/",
        in_torch=("from parity.torch_side.layers import KerasBatchNorm1d\n\nKerasBatchNorm1d(1)"),
        in_keras=(
            "from parity.keras_side.layers import TorchBatchNormalization\n\n"
            "TorchBatchNormalization()"
        ),
        inputs={"x": tuple((float(n),) for n in range(1, 9))},
    ),
    Difference(
        "batch_norm_frozen",
        "Frozen `BatchNorm` (`requires_grad_(False)`, `trainable = False`) in "
        "training: do the running statistics move?",
        "True",
        "False",
        "`eval()` in PyTorch",
        LAYERS + "normalization_layers/batch_normalization/",
        in_torch="nn.BatchNorm1d(1).requires_grad_(False).eval()",
        in_keras=(
            "layer = keras.layers.BatchNormalization()\n"
            "layer.build(x.shape)\n"
            "layer.gamma.trainable = layer.beta.trainable = False\n"
            "layer(x, training=True)"
        ),
        inputs={"x": ((1.0,), (2.0,))},
    ),
    Difference(
        "mode",
        "`Dropout(0.5)`, made and called, nothing said",
        "half dropped",
        "as it is",
        "`eval()` in PyTorch, or `training=True` in Keras",
        NN + "Module.html",
        in_torch="nn.Dropout(0.5).eval()(x)",
        in_keras="keras.layers.Dropout(0.5)(x, training=True)",
        inputs={"x": drawn("differences/mode", (7, 9))},
    ),
    Difference(
        "same_stride_2_even",
        "'same' convolution 3×3 with stride 2 of 4×4: `padding=1` is not it",
        _image((14, 30), (57, 99)),
        _image((54, 45), (72, 54)),
        "PyTorch: `F.pad(x, (0, 1, 0, 1))`, then `padding=0`",
        TF + "nn#notes_on_padding_2",
        in_torch=(
            "kernel = torch.ones(1, 1, 3, 3)\nF.conv2d(F.pad(x, (0, 1, 0, 1)), kernel, stride=2)"
        ),
        in_keras=(
            "kernel = keras.ops.ones((3, 3, 1, 1))\n"
            "padded = keras.layers.ZeroPadding2D(1)(x)\n"
            "keras.ops.conv(padded, kernel, 2)"
        ),
        inputs={"x": _COUNT_4},
        roles=_IMAGES,
    ),
    Difference(
        "same_stride_2_odd",
        "'same' convolution 3×3 with stride 2 of 3×3: is `padding=1`",
        *(_image((12, 16), (24, 28)),) * 2,
        "",
        TF + "nn#notes_on_padding_2",
        in_torch="F.conv2d(x, torch.ones(1, 1, 3, 3), stride=2, padding=1)",
        in_keras=(
            'kernel = keras.ops.ones((3, 3, 1, 1))\nkeras.ops.conv(x, kernel, 2, padding="same")'
        ),
        inputs={"x": _COUNT_3},
        roles={"x": "images", "given": "images"},
    ),
    Difference(
        "same_with_stride",
        '`padding="same"` with a stride',
        "raises ValueError",
        "no error",
        "",
        NN + "Conv2d.html",
        in_torch=(
            "nn.Sequential(\n"
            "    nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 1, 3, stride=2)\n"
            ")(x)  # where the size is even"
        ),
        in_keras=NoWay("Keras pads where PyTorch refuses, and nothing makes it refuse."),
        inputs={"x": _COUNT_4},
        roles={"x": "images"},
    ),
    Difference(
        "same_even_kernel",
        "'same' convolution 2×2 with stride 1: the odd zero at the end",
        *(_image((12, 16, 9), (24, 28, 15), (15, 17, 9)),) * 2,
        "",
        NN + "Conv2d.html",
        in_torch='F.conv2d(x, torch.ones(1, 1, 2, 2), padding="same")',
        in_keras=(
            'kernel = keras.ops.ones((2, 2, 1, 1))\nkeras.ops.conv(x, kernel, padding="same")'
        ),
        inputs={"x": _COUNT_3},
        roles={"x": "images", "given": "images"},
    ),
    Difference(
        "max_pool_same_even",
        "'same' maximum pooling 3×3 with stride 2 of 4×4: `padding=1` is not it",
        _image((6, 8), (14, 16)),
        _image((11, 12), (15, 16)),
        "PyTorch: pad the end with −∞, then `padding=0`",
        TF + "nn#notes_on_padding_2",
        in_torch=(
            'lowest = float("-inf")\nF.max_pool2d(F.pad(x, (0, 1, 0, 1), value=lowest), 3, 2)'
        ),
        in_keras=(
            "ends = ((0, 0), (1, 1), (1, 1), (0, 0))\n"
            'padded = keras.ops.pad(x, ends, constant_values=float("-inf"))\n'
            "keras.layers.MaxPooling2D(3, 2)(padded)"
        ),
        inputs={"x": _COUNT_4},
        roles=_IMAGES,
    ),
    Difference(
        "dense_kernel_layout",
        "Kernel of a dense layer, 4 → 5",
        "(5, 4)",
        "(4, 5)",
        "`parity.reference.weight_layouts`",
        NN + "Linear.html",
        in_torch=(
            "layer = nn.Linear(4, 5, bias=False)\nlayer.weight.data = kernel.T  # kernel: Keras'"
        ),
        in_keras=(
            "layer = keras.layers.Dense(5, use_bias=False)\n"
            "layer.build((None, 4))\n"
            "layer.kernel.assign(weight.T)  # weight: PyTorch's, in NumPy"
        ),
        inputs={
            "x": drawn("differences/dense/x", (3, 4)),
            "kernel": drawn("differences/dense", (4, 5)),
        },
    ),
    Difference(
        "conv_kernel_layout",
        "Kernel of a convolution 3×2, 4 → 5",
        "(5, 4, 3, 2)",
        "(3, 2, 4, 5)",
        "`parity.reference.weight_layouts`",
        NN + "Conv2d.html",
        in_torch=(
            "layer = nn.Conv2d(4, 5, (3, 2), bias=False)\n"
            "layer.weight.data = kernel.permute(3, 2, 0, 1)  # kernel: Keras'"
        ),
        in_keras=(
            "layer = keras.layers.Conv2D(5, (3, 2), use_bias=False)\n"
            "layer.build((None, None, None, 4))\n"
            "layer.kernel.assign(weight.transpose(2, 3, 1, 0))  # PyTorch's"
        ),
        inputs={
            "x": drawn("differences/conv/x", (2, 5, 6, 4)),
            "kernel": drawn("differences/conv", (3, 2, 4, 5)),
        },
        roles=_IN_OUT,
    ),
    Difference(
        "conv_transpose_kernel_layout",
        "Kernel of a transposed convolution 3×2, 4 → 5",
        "(4, 5, 3, 2)",
        "(3, 2, 5, 4)",
        "`parity.reference.weight_layouts`",
        NN + "ConvTranspose2d.html",
        in_torch=(
            "layer = nn.ConvTranspose2d(4, 5, (3, 2), bias=False)\n"
            "layer.weight.data = kernel.permute(3, 2, 0, 1)  # kernel: Keras'"
        ),
        in_keras=(
            "layer = keras.layers.Conv2DTranspose(5, (3, 2), use_bias=False)\n"
            "layer.build((None, None, None, 4))\n"
            "layer.kernel.assign(weight.transpose(2, 3, 1, 0))  # PyTorch's"
        ),
        inputs={
            "x": drawn("differences/transposed/x", (2, 3, 5, 4)),
            "kernel": drawn("differences/transposed", (3, 2, 5, 4)),
        },
        roles=_IN_OUT,
    ),
    Difference(
        "depthwise_kernel_layout",
        "Kernel of a depthwise convolution 3×2 of 4 channels, twice",
        "(8, 1, 3, 2)",
        "(3, 2, 4, 2)",
        "`parity.reference.weight_layouts`",
        LAYERS + "convolution_layers/depthwise_convolution2d/",
        in_torch=(
            "layer = nn.Conv2d(4, 8, (3, 2), groups=4, bias=False)\n"
            "weight = kernel.permute(2, 3, 0, 1)  # kernel: Keras'\n"
            "layer.weight.data = weight.reshape(8, 1, 3, 2)"
        ),
        in_keras=(
            "layer = keras.layers.DepthwiseConv2D(\n"
            "    (3, 2), depth_multiplier=2, use_bias=False\n"
            ")\n"
            "layer.build((None, None, None, 4))\n"
            "kernel = weight.reshape(4, 2, 3, 2)  # weight: PyTorch's, in NumPy\n"
            "layer.kernel.assign(kernel.transpose(2, 3, 0, 1))"
        ),
        inputs={
            "x": drawn("differences/depthwise/x", (2, 5, 6, 4)),
            "kernel": drawn("differences/depthwise", (3, 2, 4, 2)),
        },
        roles=_IN_OUT,
    ),
    Difference(
        "conv_transpose_same_k3s2",
        "'same' transposed convolution of 1, 2, 4 by 1, 10, 100 with "
        "stride 2: no `padding`, `output_padding` is it",
        (10.0, 102.0, 20.0, 204.0, 40.0, 400.0),
        (1.0, 10.0, 102.0, 20.0, 204.0, 40.0),
        "PyTorch: `padding=0`, then cut the end",
        NN + "ConvTranspose2d.html",
        in_torch=(
            "x, kernel = x[None, None], kernel[None, None]\n"
            "F.conv_transpose1d(x, kernel, stride=2)[0, 0, :6]"
        ),
        in_keras=(
            "x, kernel = x[None, :, None], kernel[:, None, None]\n"
            'keras.ops.conv_transpose(x, kernel, 2, padding="valid")[0, 1:, 0]'
        ),
        inputs={"x": (1.0, 2.0, 4.0), "kernel": (1.0, 10.0, 100.0)},
    ),
    Difference(
        "conv_transpose_same_k4s2",
        "'same' transposed convolution of 1, 2, 4 by 1, 10, 100, 1000 "
        "with stride 2: is `padding=1`",
        *((10.0, 102.0, 1020.0, 204.0, 2040.0, 400.0),) * 2,
        "",
        NN + "ConvTranspose2d.html",
        in_torch=(
            "x, kernel = x[None, None], kernel[None, None]\n"
            "F.conv_transpose1d(x, kernel, stride=2, padding=1)[0, 0]"
        ),
        in_keras=(
            "x, kernel = x[None, :, None], kernel[:, None, None]\n"
            'keras.ops.conv_transpose(x, kernel, 2, padding="same")[0, :, 0]'
        ),
        inputs={"x": (1.0, 2.0, 4.0), "kernel": (1.0, 10.0, 100.0, 1000.0)},
    ),
    Difference(
        "flatten_order",
        "Flattening 2×2 pixels of 2 channels, the numbers 1 … 8 of (row, column, channel)",
        _BY_CHANNEL,
        _EIGHT,
        "PyTorch: `x.permute(0, 2, 3, 1)` first; or permute the next kernel's rows",
        LAYERS + "reshaping_layers/flatten/",
        in_torch="x.permute(0, 2, 3, 1).flatten(1)",
        in_keras="keras.layers.Flatten()(keras.layers.Permute((3, 1, 2))(x))",
        inputs={"x": _COUNT_8},
        roles={"x": "images"},
    ),
    Difference(
        "lstm_biases",
        "`LSTM`: number of biases; the gates stand in the same order",
        "2",
        "1",
        "`parity.reference.weight_layouts`: the second one is zero",
        NN + "LSTM.html",
        in_torch=("layer = nn.LSTM(3, 2)\nnn.init.zeros_(layer.bias_hh_l0).requires_grad_(False)"),
        in_keras=NoWay(
            "Keras' layer has one bias, which is the sum of PyTorch's two: `bias_ih + bias_hh`."
        ),
        inputs={
            "x": drawn("differences/lstm/x", (2, 4, 3)),
            "kernel": drawn("differences/lstm/kernel", (3, 8)),
            "recurrent_kernel": drawn("differences/lstm/recurrent", (2, 8)),
            "bias": drawn("differences/lstm/bias", (8,)),
        },
    ),
    Difference(
        "gru_gates",
        "`GRU`: last state with the kernels only transposed; gates stand as reset, "
        "update, new in PyTorch and update, reset, new in Keras",
        "0.5308",
        "0.4049",
        "`parity.reference.weight_layouts` swaps the gates",
        LAYERS + "recurrent_layers/gru/",
        in_torch=(
            "layer = nn.GRU(1, 1)\n"
            "update, reset, new = kernel.T.chunk(3)  # so the other weights, too\n"
            "layer.weight_ih_l0.data = torch.cat([reset, update, new])"
        ),
        in_keras=(
            "reset, update, new = np.split(weight, 3)  # PyTorch's weight_ih\n"
            "kernel = np.concatenate([update, reset, new]).T"
        ),
        inputs=_ONE_UNIT,
    ),
    Difference(
        "gru_reset_before",
        "`GRU(reset_after=False)`: last state with weights taken across; "
        "PyTorch resets after the product",
        "0.4049",
        "0.4090",
        "",
        LAYERS + "recurrent_layers/gru/",
        in_torch=NoWay(
            "PyTorch's layer resets after the product, and has no argument for it: write "
            "the cell by hand."
        ),
        in_keras="keras.layers.GRU(1, reset_after=True)  # the default",
        inputs=_ONE_UNIT,
    ),
    Difference(
        "bidirectional_last",
        "Bidirectional `LSTM`: `y[:, -1]` in PyTorch and what Keras returns",
        (("0.1686", "0.1883"),),
        (("0.1686", "0.1585"),),
        "`torch.cat` of `h_n`",
        LAYERS + "recurrent_layers/bidirectional/",
        in_torch=(
            "layer = nn.LSTM(1, 1, batch_first=True, bidirectional=True)\n"
            "y, (hidden, _) = layer(x)\n"
            "last = torch.cat([hidden[0], hidden[1]], dim=1)"
        ),
        in_keras=(
            "layer = keras.layers.LSTM(1, return_sequences=True)\n"
            "last = keras.layers.Bidirectional(layer)(x)[:, -1]"
        ),
        inputs={
            "x": (((1.0,), (-2.0,), (0.5,)),),
            "kernel": ((0.5, 1.0, 0.75, -0.5),),
            "recurrent_kernel": ((1.0, 0.25, -0.5, 0.5),),
            "bias": (0.25, 0.5, 1.0, -0.25),
        },
    ),
    Difference(
        "masked_steps",
        "Simple recurrent layer, all kernels 1, on 0.5, 1 and a padded 0: last state",
        "0.7154",
        "0.8981",
        "`pack_padded_sequence` in PyTorch",
        KERAS + "layers/core_layers/masking/",
        in_torch=(
            "pack = nn.utils.rnn.pack_padded_sequence\n"
            "y, hidden = nn.RNN(1, 1, batch_first=True)(pack(x, [2], batch_first=True))"
        ),
        in_keras="y = keras.layers.SimpleRNN(1)(x)  # without Masking before it",
        inputs={"x": (((0.5,), (1.0,), (0.0,)),)},
    ),
    Difference(
        "attention_mask",
        "Attention to 1 and 10, mask (True, False): True blocks in PyTorch, lets through in Keras",
        (((10.0,), (10.0,)),),
        (((1.0,), (1.0,)),),
        "invert the mask",
        NN + "MultiheadAttention.html",
        in_torch=(
            "layer = nn.MultiheadAttention(1, 1, batch_first=True)\n"
            "y, _ = layer(x, x, x, attn_mask=~mask)"
        ),
        in_keras=(
            "layer = keras.layers.MultiHeadAttention(1, 1)\ny = layer(x, x, attention_mask=~mask)"
        ),
        inputs=_TWO,
    ),
    Difference(
        "attention_nowhere",
        "Attention with everything masked",
        "NaN",
        "finite",
        "",
        NN + "MultiheadAttention.html",
        in_torch=(
            "layer = nn.MultiheadAttention(1, 1, batch_first=True)\n"
            "mask = torch.full((2, 2), -1e9)  # a number, and no True\n"
            "y, _ = layer(x, x, x, attn_mask=mask)"
        ),
        in_keras=NoWay(
            "Keras' mask is a large negative number, so that nothing is divided by zero."
        ),
        inputs=_TWO,
    ),
    Difference(
        "attention_scores",
        "Attention weights returned, 2 heads, 3 sequences of 5",
        "(3, 5, 5)",
        "(3, 2, 5, 5)",
        "`average_attn_weights=False` in PyTorch",
        NN + "MultiheadAttention.html",
        in_torch=(
            "layer = nn.MultiheadAttention(8, 2, batch_first=True)\n"
            "_, scores = layer(x, x, x, average_attn_weights=False)"
        ),
        in_keras=(
            "layer = keras.layers.MultiHeadAttention(2, 4)\n"
            "_, scores = layer(x, x, return_attention_scores=True)\n"
            "scores = keras.ops.mean(scores, axis=1)"
        ),
        inputs={"x": drawn("differences/scores", (3, 5, 8))},
    ),
    Difference(
        "pixel_shuffle",
        "`pixel_shuffle`, `depth_to_space` of channels 1 … 8",
        ((((1.0, 5.0), (2.0, 6.0)), ((3.0, 7.0), (4.0, 8.0))),),
        _COUNT_8,
        "TensorFlow: swap the two factors of the channels",
        TF + "nn/depth_to_space",
        in_torch=(
            "swapped = x.unflatten(1, (4, 2)).transpose(1, 2).flatten(1, 2)\n"
            "F.pixel_shuffle(swapped, 2)"
        ),
        in_keras=(
            "swapped = keras.ops.swapaxes(keras.ops.reshape(x, (1, 1, 1, 2, 4)), 3, 4)\n"
            "tf.nn.depth_to_space(keras.ops.reshape(swapped, (1, 1, 1, 8)), 2)"
        ),
        inputs={"x": ((_EIGHT,),)},
        roles=_IMAGES,
    ),
    Difference(
        "patches",
        "`unfold`, `extract_patches`: a window 2×2 of 2 channels, numbers 1 … 8 of "
        "(row, column, channel)",
        _BY_CHANNEL,
        _EIGHT,
        "PyTorch: permute (channel, row, column) to (row, column, channel)",
        NN + "Unfold.html",
        in_torch=(
            "window = F.unfold(x, 2)[:, :, 0].unflatten(1, (2, 2, 2))\n"
            "window.permute(0, 2, 3, 1).flatten(1)"
        ),
        in_keras=(
            "window = keras.ops.image.extract_patches(x, (2, 2))\n"
            "window = keras.ops.reshape(window, (1, 2, 2, 2))\n"
            "keras.layers.Flatten()(keras.layers.Permute((3, 1, 2))(window))"
        ),
        inputs={"x": _COUNT_8},
        roles={"x": "images"},
    ),
    Difference(
        "bilinear",
        "Bilinear resize of 0, 8 to 4 pixels: equal by default",
        *(_image((0.0, 2.0, 6.0, 8.0)),) * 2,
        "",
        FUNCTIONAL + "interpolate.html",
        in_torch='F.interpolate(x, (1, 4), mode="bilinear")',
        in_keras='keras.ops.image.resize(x, (1, 4), interpolation="bilinear")',
        inputs={"x": _image((0.0, 8.0))},
        roles={"x": "images", "given": "images"},
    ),
    Difference(
        "bilinear_corners",
        "Bilinear resize with `align_corners=True`",
        "no error",
        "raises TypeError",
        "`tf.compat.v1.image.resize_bilinear`, in float32",
        _RESIZE,
        in_torch='F.interpolate(x, (1, 5), mode="bilinear")  # without align_corners',
        in_keras=(
            "resize = tf.compat.v1.image.resize_bilinear  # in float32\n"
            "resize(x, (1, 5), align_corners=True)"
        ),
        inputs={"x": _image((0.5, 8.0, -3.0))},
        roles=_IN_OUT,
    ),
    Difference(
        "nearest",
        "Nearest resize of 0 … 6 to 3 pixels",
        _image((0.0, 2.0, 4.0)),
        _image((1.0, 3.0, 5.0)),
        '`mode="nearest-exact"` in PyTorch',
        FUNCTIONAL + "interpolate.html",
        in_torch='F.interpolate(x, (1, 3), mode="nearest-exact")',
        in_keras=("columns = [i * 7 // 3 for i in range(3)]\nkeras.ops.take(x, columns, axis=2)"),
        inputs={"x": _image((0, 1, 2, 3, 4, 5, 6))},
        roles=_IMAGES,
    ),
    Difference(
        "bicubic",
        "Bicubic resize of 0, 1 to 4 pixels: another kernel; with `antialias=True` "
        "equal to float32, in which TensorFlow resizes whatever it is given",
        _image(("-0.1055", "0.2266", "0.7734", "1.1055")),
        _image(("-0.0882", "0.2071", "0.7929", "1.0882")),
        "",
        FUNCTIONAL + "interpolate.html",
        in_torch='F.interpolate(x, (1, 4), mode="bicubic", antialias=True)',
        in_keras=NoWay("TensorFlow's kernel is Keys' with a = −0.5, and no argument changes it."),
        inputs={"x": _image((0.0, 1.0))},
        roles=_IMAGES,
    ),
    Difference(
        "index_too_large",
        "Word 3 of an `Embedding` of 3, on the CPU",
        "raises IndexError",
        "raises InvalidArgumentError",
        "",
        TF + "gather",
        in_torch=NoWay("Both refuse on the CPU. Catch `IndexError` here."),
        in_keras=NoWay("Both refuse on the CPU. Catch `tf.errors.InvalidArgumentError` here."),
        inputs={"table": ((0.5, 1.0), (1.5, 2.0), (2.5, 3.0))},
        integers={"words": (3,)},
    ),
    Difference(
        "one_hot_too_large",
        "`one_hot` of 3 in 3 classes; TensorFlow gives a row of zeros",
        "raises RuntimeError",
        "no error",
        "",
        TF + "one_hot",
        in_torch="(words[..., None] == torch.arange(3)).float()",
        in_keras=(
            "tf.debugging.assert_less(words, tf.constant(3, words.dtype))\ntf.one_hot(words, 3)"
        ),
        integers={"words": (3,)},
    ),
    Difference(
        "negative_index",
        "Index −1: `x[i]`, `tf.gather`",
        "no error",
        "raises InvalidArgumentError",
        "`keras.ops.take`",
        TF + "gather",
        in_torch="torch.gather(x, 0, words)  # refuses numbers below 0",
        in_keras="keras.ops.take(x, words)",
        inputs={"x": (0.5, 1.5, 2.5)},
        integers={"words": (-1, 0)},
    ),
    Difference(
        "float64_input",
        "float64 into a float32 dense layer",
        "raises RuntimeError",
        "no error",
        "`x.float()` in PyTorch",
        TORCH + "tensor_attributes.html",
        in_torch=("x = torch.ones(1, 3, dtype=torch.float64)\nnn.Linear(3, 2)(x.float())"),
        in_keras=("x = tf.ones((1, 3), tf.float64)\ntf.debugging.assert_type(x, tf.float32)"),
    ),
)
